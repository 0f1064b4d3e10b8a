"""What the simulated sources show at a clock, row for row as a reader can know it.

Belongs here: what is visible and under which names. Does not belong here: outcomes, lots, amounts
in the reporting currency.

Amazon: the report of all orders, searches of orders (which answer up to two minutes before the
clock), shipments once they are in the report, parcels of the seller's own, returns once posted,
settlements once closed. Shopify: `shop_lines.py`, eBay and Walmart: `market_lines.py`. Other shops:
the seller's files as dropped up to the clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from sources._core.privacy import customer_key
from sources._sandbox.truth.market_lines import MarketLines
from sources._sandbox.truth.shop_lines import ShopLines
from sources._sandbox.truth.world_truth import CUSTOMER_KEY
from sources._sandbox.world import geography
from sources._sandbox.world.tables import World

SEARCH_LAG = timedelta(minutes=2)
UNKNOWN, NONE = "unknown", "none"
# The zone of most people where the marketplace's own clock is another one.
_ZONES = {"US": "America/New_York", "CA": "America/Toronto", "MX": "America/Mexico_City"}
_STATUS = {"SHIPPED": "shipped", "CANCELLED": "cancelled"}  # all others are open

Row = dict[str, Any]


def part(text: str) -> str:
    """A part of a key, its separators escaped."""
    return text.replace("%", "%25").replace(":", "%3A").replace("|", "%7C")


def key(*parts: str) -> str:
    return ":".join(part(text) for text in parts)


@dataclass(frozen=True)
class Place:
    """A marketplace of an account."""

    name: str
    currency: str
    decimals: int
    zone: ZoneInfo
    region_group: str

    def day(self, moment: datetime | None) -> date | None:
        """The calendar date of a UTC time there."""
        return None if moment is None else moment.replace(tzinfo=UTC).astimezone(self.zone).date()

    def noon(self, moment: datetime) -> datetime:
        """The calendar date of a UTC time there, as a time that has this date in every zone."""
        local = moment.replace(tzinfo=UTC).astimezone(self.zone)
        return datetime.combine(local.date(), time(12))


@dataclass
class Line:
    """An order line as its source shows it; Amazon's rows of one order and SKU are one line."""

    connector: str
    account: str
    place: Place
    order_id: str
    order_number: str
    line_id: str
    sku: str
    listing_id: str
    country: str
    customer_key: str
    status: str
    currency: str  # unknown while no price is told
    ordered: int
    cancelled: int
    shipped: int
    net: Decimal | None
    tax: Decimal | None
    discount: Decimal | None
    shipping: Decimal | None
    ordered_at: datetime
    paid_at: datetime | None
    cancelled_at: datetime | None
    cancel_reason: str | None
    ship_by_at: datetime | None
    promised_at: datetime | None
    shipped_at: datetime | None
    delivered_at: datetime | None
    estimate: date | None
    fulfilled_by: str
    centre: str
    pool: str
    payment_method: str
    link_kind: str | None
    original: str | None
    undelivered: int = 0  # units in parcels that are known never to arrive
    original_line: str | None = None  # line id in the original order, where it is told
    return_id: str | None = None  # the return that it was sent for, where it is told
    is_delivered_by_carrier: bool = False  # delivered_at is what carriers tell, not the shop

    @property
    def order_key(self) -> str:
        return key(self.connector, self.account, self.order_id)

    @property
    def key(self) -> str:
        return key(self.connector, self.account, self.order_id, self.line_id)

    @property
    def is_extra(self) -> bool:
        """Sent for an earlier order: no sale of its own."""
        return self.link_kind is not None

    @property
    def told_delivered_at(self) -> datetime | None:
        """The delivery that the shop itself tells."""
        return None if self.is_delivered_by_carrier else self.delivered_at

    @property
    def shipped_date(self) -> date | None:
        return self.place.day(self.shipped_at)

    def day_there(self, moment: datetime | None) -> date | None:
        """The calendar date of a UTC time where the parcel goes to."""
        if moment is None or self.country not in geography.COUNTRIES:
            return self.place.day(moment)
        name = _ZONES.get(self.country) or geography.country(self.country).time_zone
        return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(name)).date()


def shown(rows: list[Line]) -> dict[str, Line]:
    return {line.key: line for line in rows}


@dataclass(frozen=True)
class Reader:
    """Everything of `world` that is visible at `clock` (naive UTC)."""

    world: World
    clock: datetime
    has_region: bool = True
    _cache: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def places(self) -> dict[tuple[str, str], Place]:
        """By account and marketplace. No setting names a zone for shops of files: it is UTC."""
        found = {}
        for row in self.world.marketplaces.iter_rows(named=True):
            zone = "UTC" if row["connector"] == "files" else row["time_zone"]
            found[row["account"], row["marketplace"]] = Place(
                row["marketplace"], row["currency"], row["decimals"], ZoneInfo(zone),
                row["region_group"],
            )  # fmt: skip
        return found

    @cached_property
    def lines(self) -> list[Line]:
        return [
            *self._amazon_lines(),
            *self._file_lines(),
            *self.shop.lines(),
            *MarketLines(self).lines(),
        ]

    @cached_property
    def shop(self) -> ShopLines:
        """What the seller's own Shopify shops show."""
        return ShopLines(self)

    @cached_property
    def own_pool(self) -> str:
        """The pool of the seller's own goods where there is just one."""
        own = self.world.warehouses.filter(pl.col("kind") == "own")["stock_pool"].unique()
        return str(own[0]) if own.len() == 1 else UNKNOWN

    def pool_of(self, centre: str) -> str:
        """The pool of a warehouse; of an unknown one the only pool there is."""
        return self._pools.get(centre, self.own_pool)

    @cached_property
    def _pools(self) -> dict[str, str]:
        known = self.world.warehouses
        return dict(zip(known["fulfilment_centre_id"], known["stock_pool"], strict=True))

    def _amazon_lines(self) -> Iterator[Line]:
        orders = self.world.orders.filter(
            pl.col("connector") == "amazon", pl.col("ordered_at") < self.clock
        )
        states = (
            self.world.order_states.filter(pl.col("at") < self.clock)
            .group_by("order_id")
            .agg(
                pl.col("status").sort_by("at", maintain_order=True).last(),
                pl.col("at").max().alias("updated_at"),
            )
        )
        rows = (
            self.world.order_lines.rename({"cancel_reason": "line_reason"})
            .drop("cancelled_by")
            .join(orders.drop("cancel_reason", "cancelled_by"), on="order_id")
            .join(states, on="order_id")
            .join(self._parcels(), on=["order_id", "line_no"], how="left")
            .join(self._asins(), on=["account", "sku"], how="left")
            .sort("order_id", "line_no")
        )
        for _, group in rows.group_by("order_id", "listing_sku", maintain_order=True):
            yield self._amazon_line(group.to_dicts())

    def _asins(self) -> pl.DataFrame:
        listed = self.world.listings.select("account", "sku", pl.col("asin").alias("listed"))
        products = self.world.products.select("sku", "asin")
        return listed.join(products, on="sku").select(
            "account", "sku", pl.coalesce("listed", "asin").alias("asin")
        )

    def _parcels(self) -> pl.DataFrame:
        """What a line's parcels tell: Amazon's are known once the report has them."""
        own = self.world.orders.select("order_id", "fulfilled_by")
        return (
            self.world.shipments.join(own, on="order_id")
            .filter(
                pl.col("shipped_at") < self.clock,
                (pl.col("fulfilled_by") == "seller") | (pl.col("reported_at") <= self.clock),
            )
            .sort("shipped_at", "shipment_item_id")
            .group_by("order_id", "line_no", maintain_order=True)
            .agg(
                pl.col("quantity").sum().alias("parcel_units"),
                pl.col("shipped_at").first(),
                pl.col("shipment_item_id").first(),
                pl.col("fulfilment_centre_id").first().alias("parcel_centre"),
                pl.col("estimated_arrival_date").max(),
            )
        )

    def _amazon_line(self, rows: list[Row]) -> Line:
        first = rows[0]
        place = self.places[first["account"], first["marketplace"]]
        is_fba = first["fulfilled_by"] == "marketplace"
        is_found = first["updated_at"] <= self.clock - SEARCH_LAG
        sent = sorted(
            (row for row in rows if row["parcel_units"]),
            key=lambda row: (row["shipped_at"], row["shipment_item_id"]),
        )
        is_priced = first["status"] != "PENDING"
        off = [row for row in rows if _reached(row["line_cancelled_at"], self.clock)]

        def money(minor: int) -> Decimal | None:
            return Decimal(minor).scaleb(-place.decimals) if is_priced else None

        estimates = [row["estimated_arrival_date"] for row in sent if is_fba]
        is_dead = first["status"] == "CANCELLED"
        return Line(
            connector="amazon",
            account=first["account"],
            place=place,
            order_id=first["order_id"],
            order_number=first["order_id"],
            line_id=first["listing_sku"],
            sku=first["sku"],
            listing_id=first["asin"],
            country=first["country"],
            customer_key=UNKNOWN,
            status=_STATUS.get(first["status"], "open"),
            currency=place.currency if is_priced else UNKNOWN,
            ordered=sum(row["quantity"] for row in rows),
            cancelled=sum(row["quantity_cancelled"] for row in off),
            shipped=sum(row["parcel_units"] for row in sent),
            net=money(sum(_net(row) for row in rows)),
            tax=money(sum(row["unit_tax_minor"] * row["quantity"] for row in rows)),
            discount=money(sum(row["unit_discount_minor"] * row["quantity"] for row in rows)),
            shipping=money(sum(_shipping(row) for row in rows)),
            ordered_at=first["ordered_at"],
            paid_at=first["paid_at"] if is_fba and sent else None,
            cancelled_at=first["updated_at"] if is_dead else None,
            cancel_reason=next((_reason(row["line_reason"]) for row in off), None)
            if is_found
            else None,
            ship_by_at=first["ship_by_at"] if is_found else None,
            promised_at=first["deliver_by_at"] if is_found else None,
            shipped_at=sent[0]["shipped_at"] if sent else None,
            delivered_at=None,
            estimate=max(estimates, default=None),
            fulfilled_by=first["fulfilled_by"],
            centre=sent[0]["parcel_centre"] if is_fba and sent else UNKNOWN,
            pool=f"{first['account']}|{place.region_group}" if is_fba else self.own_pool,
            payment_method=UNKNOWN,
            link_kind=first["link_kind"] if is_found else None,
            original=first["replaces_order_id"] if is_found else None,
        )

    def _file_lines(self) -> Iterator[Line]:
        orders = self.world.orders.filter(
            pl.col("connector") == "files", pl.col("ordered_at") <= self.clock
        )
        parcels = self.world.shipments.group_by("order_id", "line_no").agg(
            pl.col("shipped_at", "delivered_at").min()
        )
        rows = (
            self.world.order_lines.rename({"cancel_reason": "line_reason"})
            .drop("cancelled_by")
            .join(orders.drop("cancel_reason", "cancelled_by"), on="order_id")
            .join(parcels, on=["order_id", "line_no"], how="left")
            .sort("order_id", "line_no")
        )
        for row in rows.iter_rows(named=True):
            yield self._file_line(row)

    def _file_line(self, row: Row) -> Line:
        """A file says of a line that it was sent or cancelled, not of how many units."""
        place = self.places[row["account"], row["marketplace"]]
        shipped_at, delivered_at, cancelled_at, paid_at = (
            row[name] if _reached(row[name], self.clock) else None
            for name in ("shipped_at", "delivered_at", "line_cancelled_at", "paid_at")
        )
        status = (
            "cancelled" if cancelled_at
            else "delivered" if delivered_at
            else "shipped" if shipped_at
            else "open"
        )  # fmt: skip
        quantity = row["quantity"]

        def money(minor: int) -> Decimal:
            return Decimal(minor).scaleb(-place.decimals)

        return Line(
            connector="files",
            account=row["account"],
            place=place,
            order_id=row["order_id"],
            order_number=row["order_number"],
            line_id=str(row["line_no"]),
            sku=row["sku"],
            listing_id=UNKNOWN,
            country=row["country"],
            customer_key=customer_key(row["customer_no"], CUSTOMER_KEY),
            status=status,
            currency=row["currency"],
            ordered=quantity,
            cancelled=quantity if cancelled_at and not shipped_at else 0,
            shipped=quantity if shipped_at else 0,
            net=money(_net(row)),
            tax=money(row["unit_tax_minor"] * quantity + row["shipping_tax_minor"]),
            discount=money(row["unit_discount_minor"] * quantity),
            shipping=money(_shipping(row)),
            ordered_at=row["ordered_at"],
            paid_at=paid_at,
            cancelled_at=cancelled_at,
            cancel_reason=_reason(row["line_reason"]) if cancelled_at else None,
            ship_by_at=row["ship_by_at"],
            promised_at=row["deliver_by_at"],
            shipped_at=shipped_at,
            delivered_at=delivered_at,
            estimate=None,
            fulfilled_by="seller",
            centre=UNKNOWN,
            pool=self.own_pool,
            payment_method=row["payment_method"] or UNKNOWN,
            link_kind=row["link_kind"],
            original=row["replaces_order_id"],
        )


def _reached(moment: datetime | None, clock: datetime) -> bool:
    return moment is not None and moment <= clock


def _net(row: Row) -> int:
    return int((row["unit_price_minor"] - row["unit_discount_minor"]) * row["quantity"])


def _shipping(row: Row) -> int:
    return int(row["shipping_minor"] - row["shipping_discount_minor"])


def _reason(word: str | None) -> str:
    """The contract's word for why an order was cancelled."""
    words = {"OUT_OF_STOCK": "out_of_stock", "CHANGED_MIND": "other", "PAYMENT_FAILED": "other"}
    return words.get(word or "", UNKNOWN)
