"""A hand-written Admin GraphQL API with state, and short ways to read streams against it.

Belongs here: what the tests of the Shopify connector share. Does not belong here: the sandbox,
which another pair of eyes wrote. Where the official schema is at hand, every query is validated
against it and every answer goes through it, so that the stub cannot answer what Shopify would not.
"""

from __future__ import annotations

import functools
import gzip
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import graphql
import pydantic
import requests
import responses

from assets.control import ensure_control_tables, read_cursors
from assets.load import LoadResult, load_landed
from assets.raw_tables import ensure_raw_tables
from assets.warehouse import Warehouse
from sources._core.clock import ManualClock
from sources._core.extract import ExtractRequest, StreamOutcome, extract_all
from sources._core.testing import raw_tables
from sources.shopify import CONNECTOR
from sources.shopify.config import SCOPES, ShopifyAccount

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 3, 20, tzinfo=UTC)
START = date(2026, 3, 10)
SHOP = "brand.myshopify.com"
KEY = "customer-key"
Node = dict[str, Any]
Reply = tuple[int, Mapping[str, str], bytes]


@functools.cache
def schema() -> graphql.GraphQLSchema | None:
    """The official schema; None where the shared papers are not there."""
    shared = (ROOT / os.environ.get("AFTERSALES_SHARED_DIR", "../shared")).resolve()
    path = shared / "specs" / "shopify" / "admin_2026-10_aftersales_subset.introspection.json.gz"
    if not path.exists():
        return None
    content = json.loads(gzip.decompress(path.read_bytes()))
    return graphql.build_client_schema(content.get("data", content))


@dataclass(frozen=True)
class Asked:
    """What the stub was sent."""

    operation: str
    variables: Node
    token: str
    query: str


Handler = Callable[[Asked], Reply]


@dataclass
class StubShop:
    """Answers as the API would. `scripted` handlers of an operation come first, each once."""

    orders: list[Node] = field(default_factory=list)
    refunds: dict[str, Node] = field(default_factory=dict)
    returns: dict[str, list[Node]] = field(default_factory=dict)  # by order
    reverse: dict[str, list[Node]] = field(default_factory=dict)  # by return
    disputes: list[Node] = field(default_factory=list)
    items: list[Node] = field(default_factory=list)
    reasons: list[Node] = field(default_factory=list)
    scopes: list[str] = field(default_factory=lambda: list(SCOPES))
    domain: str = SHOP
    version: str = "2026-10"
    secret: str = "secret-1"
    scripted: dict[str, list[Handler]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    bulk_lines: list[Node] | None = None  # None: made of `orders`
    bulk_statuses: list[Node] = field(default_factory=list)
    count: int | None = None
    tokens: int = 0
    bulk_query: str = ""

    def script(self, operation: str, *handlers: Handler) -> None:
        self.scripted.setdefault(operation, []).extend(handlers)

    def sent(self, operation: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.operation == operation]

    @contextmanager
    def running(self) -> Iterator[StubShop]:
        with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
            for method in ("GET", "POST"):
                mock.add_callback(method, re.compile(r"https://.*"), self._answer)
            yield self

    def _answer(self, prepared: requests.PreparedRequest) -> Reply:
        address = urlsplit(prepared.url or "")
        if address.netloc == "storage.test":
            return 200, {}, self._bulk_file()
        body = prepared.body or b""
        body = body.encode() if isinstance(body, str) else body
        if address.path == "/admin/oauth/access_token":
            return self._login(body)
        assert address.path == "/admin/api/2026-10/graphql.json"
        sent = json.loads(body)
        asked = Asked(
            sent["operationName"],
            sent["variables"],
            str(prepared.headers.get("X-Shopify-Access-Token")),
            sent["query"],
        )
        self.asked.append(asked)
        waiting = self.scripted.get(asked.operation)
        if waiting:
            return waiting.pop(0)(asked)
        return self.answer(asked)

    def _login(self, body: bytes) -> Reply:
        form = dict(parse_qsl(body.decode()))
        if form.get("client_secret") != self.secret:
            return 400, {}, b'{"error":"invalid_client"}'
        self.tokens += 1
        token = {"access_token": f"shpat_{self.tokens}", "expires_in": 86399, "scope": ""}
        return 200, {}, json.dumps(token).encode()

    def answer(self, asked: Asked, **more: Any) -> Reply:
        """The answer that the state gives; `more` are further entries of the envelope."""
        data = getattr(self, f"_{asked.operation}")(asked.variables)
        return envelope(data=through_schema(asked, data), version=self.version, **more)

    def _Preflight(self, _v: Node) -> Node:  # noqa: N802
        shop = {
            "id": "gid://shopify/Shop/1",
            "name": "Brand",
            "myshopifyDomain": self.domain,
            "currencyCode": "USD",
            "ianaTimezone": "America/New_York",
            "enabledPresentmentCurrencies": ["USD", "EUR"],
        }
        granted = [{"handle": scope} for scope in self.scopes]
        return {"shop": shop, "currentAppInstallation": {"accessScopes": granted}}

    def _found(self, q: str) -> list[Node]:
        bounds = re.findall(r"updated_at:(>=|<)'([^']+)'", q)
        found = sorted(self.orders, key=lambda order: order["updatedAt"])
        if not bounds:
            return [o for o in found if o["returnStatus"].lower() in q]
        low, high = bounds[0][1], bounds[1][1]
        return [order for order in found if low <= order["updatedAt"] < high]

    def _OrdersCount(self, v: Node) -> Node:  # noqa: N802
        count = len(self._found(v["q"])) if self.count is None else self.count
        return {"ordersCount": {"count": min(count, v["limit"]), "precision": "EXACT"}}

    def _OrdersWindow(self, v: Node) -> Node:  # noqa: N802
        orders = []
        for order in self._found(v["q"]):
            shipments = [_shipment(s, v["parts"]) for s in order["fulfillments"]]
            orders.append(
                {
                    **order,
                    "lineItems": page(order["lineItems"], v["lines"]),
                    "fulfillments": shipments[: v["shipments"]],
                    "shippingLines": page(order["shippingLines"], 50),
                }
            )
        return {"orders": page(orders, v["first"], v.get("after"))}

    def _OrderHeaders(self, v: Node) -> Node:  # noqa: N802
        orders = []
        for order in self._found(v["q"]):
            refunds = [r for r in self.refunds.values() if r["order"]["id"] == order["id"]]
            returns = self.returns.get(order["id"], [])
            orders.append({**order, "refunds": refunds, "returns": page(returns, 1)})
        return {"orders": page(orders, v["first"], v.get("after"))}

    def _order(self, order_id: str) -> Node:
        return next(order for order in self.orders if order["id"] == order_id)

    def _OrderLineItems(self, v: Node) -> Node:  # noqa: N802
        order = self._order(v["id"])
        lines = page(order["lineItems"], v["lines"], v["after"])
        return {"order": {"id": order["id"], "lineItems": lines}}

    def _OrderFulfillments(self, v: Node) -> Node:  # noqa: N802
        order = self._order(v["id"])
        found = [_shipment(s, v["parts"]) for s in order["fulfillments"]]
        return {"order": {"id": order["id"], "fulfillments": found[: v["shipments"]]}}

    def _RefundFull(self, v: Node) -> Node:  # noqa: N802
        refund = self.refunds[v["id"]]
        cursors = {
            "refundLineItems": "linesAfter",
            "orderAdjustments": "adjustmentsAfter",
            "refundShippingLines": "shippingAfter",
            "transactions": "transactionsAfter",
        }
        parts = {n: page(refund[n], v["parts"], v.get(c)) for n, c in cursors.items()}
        return {"refund": {**refund, **parts}}

    def _OrderReturns(self, v: Node) -> Node:  # noqa: N802
        returns = [
            {
                **found,
                "refunds": page(found["refunds"], 20),
                "returnLineItems": page(found["returnLineItems"], v["parts"]),
                "exchangeLineItems": page(found["exchangeLineItems"], v["parts"]),
            }
            for found in self.returns.get(v["id"], [])
        ]
        return {"order": {"id": v["id"], "returns": page(returns, v["first"], v.get("after"))}}

    def _return(self, return_id: str) -> Node:
        return next(r for rs in self.returns.values() for r in rs if r["id"] == return_id)

    def _ReturnParts(self, v: Node) -> Node:  # noqa: N802
        found = self._return(v["id"])
        lines = page(found["returnLineItems"], v["parts"], v.get("linesAfter"))
        exchanges = page(found["exchangeLineItems"], v["parts"], v.get("exchangesAfter"))
        parts = {"returnLineItems": lines, "exchangeLineItems": exchanges}
        return {"return": {"id": v["id"], **parts}}

    def _ReturnReverse(self, v: Node) -> Node:  # noqa: N802
        found = []
        for reverse in self.reverse.get(v["id"], []):
            deliveries = [
                {**d, "reverseDeliveryLineItems": page(d["reverseDeliveryLineItems"], v["parts"])}
                for d in reverse["reverseDeliveries"]
            ]
            lines = page(reverse["lineItems"], v["parts"])
            parcels = page(deliveries, v["orders"])
            found.append({**reverse, "lineItems": lines, "reverseDeliveries": parcels})
        orders = page(found, v["orders"])
        return {"return": {"id": v["id"], "reverseFulfillmentOrders": orders}}

    def _InventoryItems(self, v: Node) -> Node:  # noqa: N802
        return {"inventoryItems": page(self.items, v["first"], v.get("after"))}

    def _Disputes(self, v: Node) -> Node:  # noqa: N802
        return {"disputes": page(self.disputes, v["first"], v.get("after"))}

    def _ReasonLibrary(self, v: Node) -> Node:  # noqa: N802
        return {"returnReasonDefinitions": page(self.reasons, v["first"], v.get("after"))}

    def _BulkStart(self, v: Node) -> Node:  # noqa: N802
        self.bulk_query = v["query"]
        check_query(v["query"])
        started = {
            "id": "gid://shopify/BulkOperation/9",
            "status": "CREATED",
            "createdAt": "2026-03-20T00:00:00Z",
        }
        return {"bulkOperationRunQuery": {"bulkOperation": started, "userErrors": []}}

    def _BulkPoll(self, v: Node) -> Node:  # noqa: N802
        done = {"status": "COMPLETED", "objectCount": str(len(self.bulk_objects()))}
        told = self.bulk_statuses.pop(0) if self.bulk_statuses else done
        url = "https://storage.test/lines.jsonl?sig=1" if int(told.get("objectCount", 0)) else None
        basis = {
            "id": v["id"],
            "errorCode": None,
            "createdAt": "2026-03-20T00:00:00Z",
            "completedAt": None,
            "objectCount": "0",
            "rootObjectCount": "0",
            "fileSize": None,
            "url": url,
        }
        return {"bulkOperation": {**basis, **told}}

    def bulk_objects(self) -> list[Node]:
        if self.bulk_lines is not None:
            return self.bulk_lines
        search = re.search(r'orders\(query: "([^"]+)"', self.bulk_query)
        found = []
        for order in self._found(search.group(1) if search else ""):
            parts = ("lineItems", "shippingLines", "fulfillments")
            root = {name: value for name, value in order.items() if name not in parts}
            shipments = [{"id": shipment["id"]} for shipment in order["fulfillments"]]
            found.append({"__typename": "Order", **root, "fulfillments": shipments})
            for kind, name in (("LineItem", "lineItems"), ("ShippingLine", "shippingLines")):
                found += [
                    {"__typename": kind, **part, "__parentId": order["id"]} for part in order[name]
                ]
        return found

    def _bulk_file(self) -> bytes:
        return b"".join(json.dumps(line).encode() + b"\n" for line in self.bulk_objects())


def _shipment(shipment: Node, parts: int) -> Node:
    lines = page(shipment["fulfillmentLineItems"], parts)
    return {**shipment, "fulfillmentLineItems": lines, "events": page(shipment["events"], parts)}


@functools.cache
def check_query(query: str) -> graphql.DocumentNode:
    """The query, valid under the official schema where that is there."""
    document = graphql.parse(query)
    found = schema()
    if found is not None:
        assert graphql.validate(found, document) == []
    return document


def through_schema(asked: Asked, data: Node) -> Any:
    """What is asked for of the data, by the official schema where it is there."""
    found = schema()
    if found is None:
        return data
    done = graphql.execute_sync(
        found,
        check_query(asked.query),
        root_value=data,
        variable_values=asked.variables,
        operation_name=asked.operation,
    )
    assert done.errors is None, done.errors
    return done.data


def envelope(*, version: str = "2026-10", available: float = 1000.0, **content: Any) -> Reply:
    status = {"maximumAvailable": 2000.0, "currentlyAvailable": available, "restoreRate": 100.0}
    cost = {"requestedQueryCost": 50, "actualQueryCost": 10, "throttleStatus": status}
    body = {"extensions": {"cost": cost}, **content}
    return 200, {"X-Shopify-API-Version": version}, json.dumps(body).encode()


def errors(code: str, *path: str | int, message: str = "refused") -> list[Node]:
    return [{"message": message, "path": list(path), "extensions": {"code": code}}]


def page(nodes: list[Any], first: int, after: str | None = None) -> Node:
    start = int(after) if after else 0
    end = start + first
    info = {"hasNextPage": end < len(nodes), "endCursor": str(end)}
    return {"nodes": nodes[start:end], "pageInfo": info}


def bag(amount: str, presentment: str | None = None) -> Node:
    return {
        "shopMoney": {"amount": amount, "currencyCode": "USD"},
        "presentmentMoney": {"amount": presentment or amount, "currencyCode": "EUR"},
    }


def gid(kind: str, number: int | str) -> str:
    return f"gid://shopify/{kind}/{number}"


def line(number: int, sku: str | None = "SKU-A", **values: Any) -> Node:
    """A line of one unit at 20.00 without tax, or as `values` say."""
    given = {
        "id": gid("LineItem", number),
        "name": "A thing",
        "title": "A thing",
        "variantTitle": None,
        "sku": sku,
        "quantity": 1,
        "currentQuantity": 1,
        "refundableQuantity": 1,
        "requiresShipping": True,
        "isGiftCard": False,
        "originalUnitPriceSet": bag("20.00"),
        "discountedUnitPriceAfterAllDiscountsSet": bag("20.00"),
        "discountedTotalSet": bag("20.00"),
        "discountAllocations": [],
        "taxLines": [],
        "product": {"id": gid("Product", 1)},
        "variant": {
            "id": gid("ProductVariant", 7),
            "sku": sku,
            "inventoryItem": {"id": gid("InventoryItem", 7)},
        },
    }
    return {**given, **values}


def shipment(number: int, *lines: tuple[int, int], **values: Any) -> Node:
    """A delivered shipment of (line, units)."""
    items = [
        {"id": gid("FulfillmentLineItem", n), "quantity": q, "lineItem": ref("LineItem", n)}
        for n, q in lines
    ]
    given = {
        "id": gid("Fulfillment", number),
        "status": "SUCCESS",
        "displayStatus": "DELIVERED",
        "createdAt": "2026-03-12T10:00:00Z",
        "updatedAt": "2026-03-12T10:00:00Z",
        "inTransitAt": None,
        "deliveredAt": "2026-03-14T10:00:00Z",
        "estimatedDeliveryAt": None,
        "totalQuantity": sum(q for _n, q in lines),
        "location": {"id": gid("Location", 3), "name": "WH1"},
        "trackingInfo": [{"number": "1Z", "company": "UPS"}],
        "fulfillmentLineItems": items,
        "events": [],
    }
    return {**given, **values}


def ref(kind: str, number: int | str) -> Node:
    return {"id": gid(kind, number), "sku": None}


def order(number: int, *lines: Node, **values: Any) -> Node:
    zero = bag("0.00")
    given = {
        "id": gid("Order", number),
        "legacyResourceId": str(number),
        "name": f"#{number}",
        "createdAt": "2026-03-11T10:00:00Z",
        "processedAt": "2026-03-11T10:00:00Z",
        "updatedAt": "2026-03-15T10:00:00Z",
        "closedAt": None,
        "cancelledAt": None,
        "cancelReason": None,
        "test": False,
        "edited": False,
        "sourceName": "web",
        "currencyCode": "USD",
        "presentmentCurrencyCode": "EUR",
        "taxesIncluded": False,
        "displayFinancialStatus": "PAID",
        "displayFulfillmentStatus": "FULFILLED",
        "returnStatus": "NO_RETURN",
        "customer": {"id": gid("Customer", 5)},
        "shippingAddress": {"countryCodeV2": "US", "provinceCode": "NY"},
        "totalPriceSet": zero,
        "currentTotalPriceSet": zero,
        "totalRefundedSet": zero,
        "refundDiscrepancySet": zero,
        "shippingLines": [],
        "fulfillments": [],
        "lineItems": list(lines) or [line(number)],
    }
    return {**given, **values}


def refund_line(number: int, amount: str = "20.00", **values: Any) -> Node:
    """A unit of order line `number`, paid back and not put into stock."""
    given = {
        "id": gid("RefundLineItem", number),
        "quantity": 1,
        "restockType": "NO_RESTOCK",
        "restocked": False,
        "location": None,
        "lineItem": ref("LineItem", number),
        "priceSet": bag(amount),
        "subtotalSet": bag(amount),
        "totalTaxSet": bag("0.00"),
    }
    return {**given, **values}


def payment(amount: str, **values: Any) -> Node:
    given = {
        "id": gid("OrderTransaction", 1),
        "kind": "REFUND",
        "status": "SUCCESS",
        "test": False,
        "gateway": "shopify_payments",
        "createdAt": "2026-03-16T10:00:00Z",
        "processedAt": "2026-03-16T10:00:00Z",
        "errorCode": None,
        "amountSet": bag(amount),
        "settlementCurrency": None,
        "settlementCurrencyRate": None,
    }
    return {**given, **values}


def refund(number: int, order_number: int, *lines: Node, paid: str | None, **values: Any) -> Node:
    given = {
        "id": gid("Refund", number),
        "legacyResourceId": str(number),
        "createdAt": "2026-03-16T10:00:00Z",
        "processedAt": "2026-03-16T10:00:00Z",
        "updatedAt": "2026-03-16T10:00:00Z",
        "return": None,
        "totalRefundedSet": bag(paid or "0.00"),
        "duties": None,
        "order": ref("Order", order_number),
        "refundLineItems": list(lines),
        "orderAdjustments": [],
        "refundShippingLines": [],
        "transactions": [] if paid is None else [payment(paid)],
    }
    return {**given, **values}


def return_line(number: int, line_number: int, **values: Any) -> Node:
    given = {
        "__typename": "ReturnLineItem",
        "id": gid("ReturnLineItem", number),
        "quantity": 1,
        "processedQuantity": 0,
        "unprocessedQuantity": 1,
        "refundedQuantity": 0,
        "refundableQuantity": 1,
        "returnReason": "UNKNOWN",
        "returnReasonNote": "",
        "customerNote": None,
        "returnReasonDefinition": None,
        "fulfillmentLineItem": {
            "id": gid("FulfillmentLineItem", line_number),
            "lineItem": ref("LineItem", line_number),
        },
        "restockingFee": None,
        "withCodeDiscountedTotalPriceSet": bag("20.00"),
        "unitPrice": None,
    }
    return {**given, **values}


def returned(number: int, *lines: Node, **values: Any) -> Node:
    given = {
        "id": gid("Return", number),
        "name": f"#{number}-R1",
        "status": "OPEN",
        "createdAt": "2026-03-16T08:00:00Z",
        "requestApprovedAt": "2026-03-16T09:00:00Z",
        "closedAt": None,
        "totalQuantity": len(lines),
        "decline": None,
        "returnShippingFees": [],
        "refunds": [],
        "returnLineItems": list(lines),
        "exchangeLineItems": [],
    }
    return {**given, **values}


def exchange(number: int, *new_lines: int, sku: str = "SKU-B") -> Node:
    return {
        "id": gid("ExchangeLineItem", number),
        "quantity": 1,
        "processedQuantity": len(new_lines),
        "productId": None,
        "variantId": None,
        "variantSku": sku,
        "title": "Another thing",
        "lineItems": [{**ref("LineItem", n), "quantity": 1} for n in new_lines] or None,
    }


def disposition(number: int, kind: str, quantity: int = 1, at: str = "03-18") -> Node:
    return {
        "id": gid("ReverseFulfillmentOrderDisposition", number),
        "type": kind,
        "quantity": quantity,
        "createdAt": f"2026-{at}T12:00:00Z",
        "location": {"id": gid("Location", 3)},
    }


def reverse_order(number: int, line_number: int, *dispositions: Node, parcel: bool = True) -> Node:
    """An order to take one line back; its parcel tells the same dispositions again."""
    line_id = gid("ReverseFulfillmentOrderLineItem", number)
    delivery = {
        "id": gid("ReverseDelivery", number),
        "deliverable": {
            "__typename": "ReverseDeliveryShippingDeliverable",
            "tracking": {"number": "RET1", "carrierName": "UPS"},
            "label": None,
        },
        "reverseDeliveryLineItems": [
            {
                "id": gid("ReverseDeliveryLineItem", number),
                "quantity": 1,
                "reverseFulfillmentOrderLineItem": {"id": line_id},
                "dispositions": list(dispositions),
            }
        ],
    }
    return {
        "id": gid("ReverseFulfillmentOrder", number),
        "status": "OPEN",
        "thirdPartyConfirmation": None,
        "lineItems": [
            {
                "id": line_id,
                "totalQuantity": 1,
                "fulfillmentLineItem": {
                    "id": gid("FulfillmentLineItem", line_number),
                    "lineItem": ref("LineItem", line_number),
                },
                "dispositions": list(dispositions),
            }
        ],
        "reverseDeliveries": [delivery] if parcel else [],
    }


def account(name: str = "brand", **values: Any) -> ShopifyAccount:
    secrets = {"client_id": "id-1", "client_secret": "secret-1", "customer_key": KEY}
    given: dict[str, Any] = {
        "connector": "shopify",
        "name": name,
        "start": START,
        "shop": SHOP,
        "secrets": {field: pydantic.SecretStr(value) for field, value in secrets.items()},
    }
    return ShopifyAccount.model_validate({**given, **values})


@dataclass
class Nights:
    """Landing and warehouse of one installation, night after night."""

    folder: Path
    settings: tuple[ShopifyAccount, ...] = field(default_factory=lambda: (account(),))

    def __post_init__(self) -> None:
        self.landing = self.folder / "landing"
        self.warehouse = Warehouse(self.folder / "warehouse.duckdb")
        with self.warehouse.connect() as connection:
            ensure_control_tables(connection)
            ensure_raw_tables(connection, [CONNECTOR])

    def extract(
        self, until: datetime = NOW, *streams: str, clock: ManualClock | None = None
    ) -> list[StreamOutcome]:
        with self.warehouse.connect() as connection:
            cursors = read_cursors(connection)
        asked = [
            ExtractRequest(
                CONNECTOR,
                settings,
                cursors={s: at for (_c, name, s), at in cursors.items() if name == settings.name},
                streams=frozenset(streams) if streams else None,
            )
            for settings in self.settings
        ]
        return extract_all(asked, self.landing, clock or ManualClock(until))

    def night(self, until: datetime = NOW, *streams: str) -> list[LoadResult]:
        """One night that must go well."""
        assert [found.error for found in self.extract(until, *streams) if found.error] == []
        return self.load()

    def load(self) -> list[LoadResult]:
        return load_landed(self.warehouse, self.landing, [CONNECTOR])

    def landed(self, stream: str, account_name: str = "brand") -> Mapping[str, Mapping[str, Any]]:
        """Rows by key, without a warehouse."""
        return raw_tables(CONNECTOR, self.landing).get((account_name, stream), {})

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.warehouse.connect() as connection:
            return connection.execute(sql).fetchall()
