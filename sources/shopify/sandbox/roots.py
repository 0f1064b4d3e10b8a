"""The fields at the top of a query, for one shop at one moment.

Belongs here: finding orders, refunds, returns and the like by id or by search. Does not belong
here: what they look like (`orders.py`, `aftersales.py`) or bulk reads (`bulk.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

from sources._sandbox.api_faults import ApiFaults

from .aftersales import HANDLES, AfterSales, reason_definition
from .answers import RefusedError, gid, kind_and_digits
from .catalogue import Catalogue, shop_object
from .connections import Whims, page
from .orders import Object, Order
from .search import search_test
from .snapshot import Row, Snapshot

Key = tuple[str, bool]  # the world's order id, and whether it is a test order made after it
MOST_COUNTED = 25_001
WITHOUT_ALL_ORDERS = timedelta(days=60)


@dataclass
class Roots:
    """Resolvers of the fields of a query; made anew for each snapshot and set of scopes."""

    snapshot: Snapshot
    domain: str
    scopes: frozenset[str]
    faults: ApiFaults
    with_personal_data: bool
    _orders: dict[Key, Order] = field(default_factory=dict)
    _searches: dict[tuple[str | None, str, bool], list[Key]] = field(default_factory=dict)
    _searchable: dict[Key, Mapping[str, Any]] = field(default_factory=dict)
    _indexes: dict[str, dict[str, Row]] = field(default_factory=dict)

    def values(self) -> Object:
        """The root value: a function for each field."""
        return {
            "shop": lambda _info: shop_object(self.snapshot, self.domain),
            "currentAppInstallation": self._installation,
            "orders": self.orders,
            "ordersCount": self.orders_count,
            "order": by_id(self._order_object),
            "refund": by_id(self._refund),
            "return": by_id(self._return),
            "fulfillment": by_id(self._fulfilment),
            "disputes": self.disputes,
            "dispute": by_id(self._dispute),
            "inventoryItems": self._catalogue_page(Catalogue.stock_item),
            "inventoryItem": by_id(lambda i: self._item(i, Catalogue.stock_item)),
            "productVariants": self._catalogue_page(Catalogue.variant),
            "productVariant": by_id(lambda i: self._item(i, Catalogue.variant)),
            "locations": self._locations,
            "location": by_id(self._location),
            "returnReasonDefinitions": self._reasons,
            "node": by_id(self._node),
            "nodes": lambda _info, ids: [self._node(one) for one in ids],
        }

    def _needs(self, scope: str, what: str) -> None:
        if scope not in self.scopes:
            raise RefusedError(
                "ACCESS_DENIED",
                f"Access denied for {what} field. Required access: `{scope}` access scope.",
            )

    def _installation(self, _info: Any) -> Object:
        handles = [{"handle": s, "description": s.replace("_", " ")} for s in sorted(self.scopes)]
        return {
            "__typename": "AppInstallation",
            "id": gid("AppInstallation", 1),
            "accessScopes": handles,
        }

    def order(self, key: Key) -> Order:
        if key not in self._orders:
            self._orders[key] = Order(
                self.snapshot, key[0], is_test=key[1], with_personal_data=self.with_personal_data
            )
        return self._orders[key]

    @cached_property
    def keys(self) -> list[Key]:
        """All orders of the shop that the application may see, test orders after their model."""
        first = self.snapshot.moment - WITHOUT_ALL_ORDERS
        sees_all = "read_all_orders" in self.scopes
        rows = self.snapshot.orders.values()
        ids = [r["order_id"] for r in rows if sees_all or r["ordered_at"] >= first]
        return [*((i, False) for i in ids), *((i, True) for i in ids if self.snapshot.is_test(i))]

    @cached_property
    def _known(self) -> frozenset[Key]:
        return frozenset(self.keys)

    def _facts(self, key: Key) -> Mapping[str, Any]:
        """What is searched by; made once, since every window and stream searches anew."""
        if key not in self._searchable:
            self._searchable[key] = self._made_facts(key)
        return self._searchable[key]

    def _made_facts(self, key: Key) -> Mapping[str, Any]:
        order = self.order(key)
        row = order.row
        after = AfterSales(order)
        total = order.totals()["total"]
        return {
            "id": order.digits,
            "name": row["order_number"],
            "default": row["order_number"],
            "created_at": row["ordered_at"],
            "processed_at": row["ordered_at"],
            "updated_at": self.snapshot.updated.get(order.world_id, row["ordered_at"]),
            "test": str(order.is_test).lower(),
            "return_status": after.return_status().lower(),
            "fulfillment_status": order.fulfilment_status().lower(),
            "financial_status": after.financial_status(total, after.refunded_minor()).lower(),
            "status": [
                "cancelled" if order.is_cancelled else "closed" if order.closed_at() else "open"
            ],
        }

    def _found(self, query: str | None, sort_key: str, reverse: bool) -> list[Key]:
        """Orders that fit a search, in order; kept, since every page asks anew."""
        wanted = (query, sort_key, reverse)
        if wanted not in self._searches:
            if len(self._searches) > 64:
                self._searches.clear()
            self._searches[wanted] = self._search(query, sort_key, reverse)
        return self._searches[wanted]

    def _search(self, query: str | None, sort_key: str, reverse: bool) -> list[Key]:
        test = search_test(query)
        facts = [(key, self._facts(key)) for key in self.keys] if query else []
        keys = [key for key, known in facts if test(known)] if query else self.keys
        column = "updated_at" if sort_key == "UPDATED_AT" else "ordered_at"

        def place(key: Key) -> tuple[Any, str]:
            row = self.snapshot.orders[key[0]]
            at = self.snapshot.updated.get(key[0]) if column == "updated_at" else None
            digits = self.order(key).digits
            return (digits, "") if sort_key == "ID" else (at or row["ordered_at"], digits)

        return sorted(keys, key=place, reverse=reverse)

    def orders(
        self,
        info: Any,
        query: str | None = None,
        reverse: bool = False,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        **others: Any,
    ) -> Object:
        self._needs("read_orders", "orders")
        is_bulk = bool(info.context.get("is_bulk"))
        whims = Whims(self.faults, self.snapshot.seed, f"{self.snapshot.account} orders {query}")
        return page(
            self._found(query, others.get("sortKey", "PROCESSED_AT"), reverse),
            lambda key: self.order(key).object(),
            first=first, after=after, last=last, before=before,
            whims=None if is_bulk else whims, is_whole=is_bulk,
        )  # fmt: skip

    def orders_count(
        self, _info: Any, limit: int | None = 10_000, query: str | None = None, **_others: Any
    ) -> Object:
        self._needs("read_orders", "ordersCount")
        count = len(self._found(query, "ID", False))
        most = min(limit or MOST_COUNTED, MOST_COUNTED)
        precision = "EXACT" if count < most else "AT_LEAST"
        return {"count": min(count, most), "precision": precision}

    def _order_object(self, identifier: str) -> Object | None:
        self._needs("read_orders", "order")
        _, digits = kind_and_digits(identifier)
        both = ((digits, False), (f"57{digits[2:]}", True))  # a test order is 59...
        key = next((key for key in both if key in self._known), None)
        return None if key is None else self.order(key).object()

    def _hanging(self, table: str, column: str, identifier: str, kind: str) -> Object | None:
        """A refund or return: none at the top, so it is found through its order."""
        self._needs("read_returns" if kind == "Return" else "read_orders", kind.lower())
        given, digits = kind_and_digits(identifier)
        row = self._index(table, column).get(digits)
        if given != kind or row is None or (row["order_id"], False) not in self._known:
            return None
        after = AfterSales(self.order((row["order_id"], False)))
        return after.refund(row) if kind == "Refund" else after.goods_back(row)

    def _refund(self, identifier: str) -> Object | None:
        return self._hanging("refunds", "refund_id", identifier, "Refund")

    def _return(self, identifier: str) -> Object | None:
        return self._hanging("returns", "return_id", identifier, "Return")

    def _index(self, table: str, column: str) -> dict[str, Row]:
        if table not in self._indexes:
            groups: Mapping[str, Sequence[Row]] = getattr(self.snapshot, table)
            self._indexes[table] = {row[column]: row for rows in groups.values() for row in rows}
        return self._indexes[table]

    def _fulfilment(self, identifier: str) -> Object | None:
        for key in self.keys:
            for parcel in self.order(key).shipments.fulfilments():
                if parcel["id"] == identifier:
                    return parcel
        return None

    def disputes(self, info: Any, query: str | None = None, reverse: bool = False,
                 **page_of: Any) -> Object:  # fmt: skip
        self._needs("read_shopify_payments_disputes", "disputes")
        test = search_test(query)
        rows = [row for rows in self.snapshot.disputes.values() for row in rows]
        found = []
        for row in sorted(rows, key=lambda r: (r["opened_at"], r["dispute_id"]), reverse=reverse):
            order = self.order((row["order_id"], False))
            status = str(order.dispute(row)["status"]).lower()
            facts = {"id": row["dispute_id"], "initiated_at": row["opened_at"], "status": status}
            if test(facts):
                found.append(row)
        return page(
            found, lambda row: self.order((row["order_id"], False)).dispute(row),
            is_whole=bool(info.context.get("is_bulk")), **_cut(page_of),
        )  # fmt: skip

    def _dispute(self, identifier: str) -> Object | None:
        self._needs("read_shopify_payments_disputes", "dispute")
        row = self._index("disputes", "dispute_id").get(kind_and_digits(identifier)[1])
        return None if row is None else self.order((row["order_id"], False)).dispute(row)

    def _catalogue_page(self, build: Callable[[Catalogue, Any], Object]) -> Callable[..., Object]:
        def resolve(info: Any, query: str | None = None, reverse: bool = False,
                    **page_of: Any) -> Object:  # fmt: skip
            catalogue = Catalogue(self.snapshot)
            test = search_test(query)
            items = [
                item
                for item in self.snapshot.products.values()
                if test({"sku": item.listing_sku, "updated_at": item.launch})
            ]
            return page(
                items[::-1] if reverse else items, lambda item: build(catalogue, item),
                is_whole=bool(info.context.get("is_bulk")), **_cut(page_of),
            )  # fmt: skip

        return resolve

    def _item(self, identifier: str, build: Callable[[Catalogue, Any], Object]) -> Object | None:
        catalogue = Catalogue(self.snapshot)
        objects = (build(catalogue, item) for item in self.snapshot.products.values())
        return next((found for found in objects if found["id"] == identifier), None)

    def _locations(self, info: Any, reverse: bool = False, **page_of: Any) -> Object:
        names = self.snapshot.centres[::-1] if reverse else self.snapshot.centres
        return page(
            names, Catalogue(self.snapshot).location,
            is_whole=bool(info.context.get("is_bulk")), **_cut(page_of),
        )  # fmt: skip

    def _location(self, identifier: str) -> Object | None:
        places = [Catalogue(self.snapshot).location(name) for name in self.snapshot.centres]
        return next((p for p in places if identifier in ("", p["id"])), None)

    def _reasons(self, info: Any, handles: Sequence[str] | None = None,
                 ids: Sequence[str] | None = None, **page_of: Any) -> Object:  # fmt: skip
        self._needs("read_returns", "returnReasonDefinitions")
        found = [reason_definition(handle) for handle in HANDLES]
        found = [
            one
            for one in found
            if (handles is None or one["handle"] in handles) and (ids is None or one["id"] in ids)
        ]
        return page(found, dict, is_whole=bool(info.context.get("is_bulk")), **_cut(page_of))

    def _node(self, identifier: str) -> Object | None:
        kind, _ = kind_and_digits(identifier)
        fields = {
            "Order": "order", "Refund": "refund", "Return": "return", "Fulfillment": "fulfillment",
            "ShopifyPaymentsDispute": "dispute", "InventoryItem": "inventoryItem",
            "ProductVariant": "productVariant", "Location": "location",
        }  # fmt: skip
        resolve = self.values().get(fields.get(kind, ""))
        return resolve(None, id=identifier) if resolve else None


def by_id(find: Callable[[str], Any]) -> Callable[..., Any]:
    """A resolver that looks an object up by its argument `id`."""
    return lambda _info, **named: find(named.get("id", ""))


def _cut(page_of: Mapping[str, Any]) -> dict[str, Any]:
    return {name: page_of.get(name) for name in ("first", "after", "last", "before")}
