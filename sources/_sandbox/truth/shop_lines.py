"""Order lines of the seller's own shops as Shopify shows them at a clock.

Belongs here: what is sold, sent and cancelled, shipping spread over lines, exchange lines and what
they cost after the credit for what comes back. Does not belong here: returns and refunds
(`shop_returned.py`). Test orders and gift cards are no part of the world: they are no sales.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, time
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl

from sources._core.privacy import customer_key
from sources._sandbox.truth.attribution import allocated
from sources._sandbox.truth.rates import rounded
from sources._sandbox.truth.world_truth import CUSTOMER_KEY, told_as

if TYPE_CHECKING:
    from sources._sandbox.truth.reader import Line, Place, Reader

Row = dict[str, Any]
UNKNOWN, CENT = "unknown", Decimal("0.01")
_NOON = time(12)
_CANCEL_WORDS = {"OUT_OF_STOCK": "out_of_stock"}


def shop_id(digits: str) -> str:
    """Digits of a line's id, as the API shows them."""
    return f"1{digits}"


def spread(amount: Decimal, weights: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """An amount over lines by weight, in steps of 0.01; the rest to the largest remainders, among
    equals to the lowest line id. Without any weight all goes to the lowest."""
    order = sorted(weights, key=lambda line: int(line.partition("-")[0]))
    if not any(weights[line] for line in order):
        return {line: amount if n == 0 else Decimal(0) for n, line in enumerate(order)}
    sign = -1 if amount < 0 else 1
    parts = allocated(abs(amount), {line: weights[line] for line in order}, CENT)
    return {line: sign * part for line, part in parts.items()}


class ShopLines:
    """Reads the lines of all Shopify accounts."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.clock: datetime = reader.clock
        self.world = reader.world

    def _reached(self, at: datetime | None) -> bool:
        return at is not None and at <= self.clock

    @cached_property
    def rows(self) -> dict[str, list[Row]]:
        """Lines in each order by now, with what the order says."""
        orders = self.world.orders.filter(
            pl.col("connector") == "shopify", pl.col("ordered_at") <= self.clock
        )
        added = pl.col("added_at").is_null() | (pl.col("added_at") <= self.clock)
        lines = self.world.order_lines.filter(added).drop("cancel_reason", "cancelled_by")
        variants = self.world.listings.select("account", "sku", "variant_id")
        joined = (
            lines.join(orders, on="order_id")
            .join(variants, on=["account", "sku"], how="left")
            .sort("order_id", "line_no")
        )
        found: dict[str, list[Row]] = defaultdict(list)
        for row in joined.iter_rows(named=True):
            found[row["order_id"]].append(row)
        return found

    def _by_line(self, frame: pl.DataFrame, at: str) -> dict[tuple[str, int], list[Row]]:
        found: dict[tuple[str, int], list[Row]] = defaultdict(list)
        for row in frame.filter(pl.col(at) <= self.clock).sort(at).iter_rows(named=True):
            found[row["order_id"], row["line_no"]].append(row)
        return found

    @cached_property
    def parcels(self) -> dict[tuple[str, int], list[Row]]:
        mine = self.world.shipments.filter(pl.col("order_id").is_in(list(self.rows)))
        return self._by_line(mine, "shipped_at")

    @cached_property
    def edits(self) -> dict[tuple[str, int], list[Row]]:
        return self._by_line(self.world.shop_edits, "edited_at")

    @cached_property
    def refunds(self) -> dict[tuple[str, int], list[Row]]:
        """Lines of refunds, whether the money has gone or not."""
        heads = self.world.shop_refunds.select(
            "refund_id", "refunded_at", "paid_at", "return_no", "total_minor"
        )
        parts = self.world.shop_refund_lines.join(heads, on="refund_id")
        return self._by_line(parts, "refunded_at")

    @cached_property
    def exchanges(self) -> dict[tuple[str, int], Row]:
        """The exchange that put a line into its order."""
        heads = self.world.shop_returns.select(
            "return_no", "return_id", "requested_at", "approved_at", "is_opened_by_shop",
            pl.col("quantity").alias("returned"),
        )  # fmt: skip
        known = self.world.shop_exchanges.filter(pl.col("added_at") <= self.clock)
        rows = known.join(heads, on="return_no", how="left").iter_rows(named=True)
        return {(row["order_id"], row["new_line_no"]): row for row in rows}

    def lines(self) -> Iterable[Line]:
        for order_id, rows in self.rows.items():
            shipping = self._shipping(rows)
            made = [self._line(row, rows, shipping) for row in rows]
            self._credit(order_id, rows, made)
            yield from made

    def _money(self, row: Row, minor: int) -> Decimal:
        return Decimal(minor).scaleb(-self._place(row).decimals)

    def _place(self, row: Row) -> Place:
        return self.reader.places[row["account"], row["marketplace"]]

    def net(self, row: Row) -> Decimal:
        unit = row["unit_price_minor"] - row["unit_discount_minor"]
        return self._money(row, unit * row["quantity"])

    def weights(self, order_id: str) -> dict[str, Decimal]:
        """Lines of an order that amounts of the whole order are spread over."""
        sold = [row for row in self.rows.get(order_id, ()) if row["added_at"] is None]
        return {shop_id(row["order_item_id"]): self.net(row) for row in sold}

    def _shipping(self, rows: list[Row]) -> dict[str, Decimal]:
        minor = sum(
            row["shipping_minor"] - row["shipping_discount_minor"]
            for row in rows
            if row["added_at"] is None
        )
        weights = self.weights(rows[0]["order_id"])
        return spread(self._money(rows[0], minor), weights)

    def _cancelled(self, row: Row, shipped: int) -> tuple[int, datetime | None, str | None]:
        """Units cancelled, when, and why."""
        if self._reached(row["cancelled_at"]):
            reason = _CANCEL_WORDS.get(row["cancel_reason"] or "", "other")
            return row["quantity"] - shipped, row["cancelled_at"], reason
        key = (row["order_id"], row["line_no"])
        refunds = [r for r in self.refunds.get(key, ()) if r["restock_type"] == "CANCEL"]
        edited = sum(edit["quantity"] for edit in self.edits.get(key, ()))
        units = min(row["quantity"] - shipped, edited + sum(r["quantity"] for r in refunds))
        at = min((r["refunded_at"] for r in refunds), default=None)
        return units, at, UNKNOWN if units else None

    def _is_fulfilled(self, rows: list[Row]) -> bool:
        sent = 0
        for row in rows:
            key = (row["order_id"], row["line_no"])
            shipped = sum(p["quantity"] for p in self.parcels.get(key, ()))
            sent += shipped
            if self._cancelled(row, shipped)[0] + shipped < row["quantity"]:
                return False
        return sent > 0

    def _status(self, rows: list[Row]) -> str:
        if self._reached(rows[0]["cancelled_at"]):
            return "cancelled"
        if not self._is_fulfilled(rows):
            return "open"
        every = [p for row in rows for p in self._parcels_of(row)]
        return "delivered" if all(self._delivered_at(p) for p in every) else "shipped"

    def _parcels_of(self, row: Row) -> list[Row]:
        return self.parcels.get((row["order_id"], row["line_no"]), [])

    def _delivered_at(self, parcel: Row) -> datetime | None:
        """Known of carriers that Shopify follows."""
        at: datetime | None = parcel["delivered_at"]
        return at if parcel["is_followed"] and self._reached(at) else None

    def _line(self, row: Row, rows: list[Row], shipping: Mapping[str, Decimal]) -> Line:
        from sources._sandbox.truth.reader import Line

        place, parcels = self._place(row), self._parcels_of(row)
        line_id = shop_id(row["order_item_id"])
        shipped = sum(parcel["quantity"] for parcel in parcels)
        cancelled, cancelled_at, reason = self._cancelled(row, shipped)
        exchange = self.exchanges.get((row["order_id"], row["line_no"]))
        arrivals = [self._delivered_at(parcel) for parcel in parcels]
        told = [at for at in arrivals if at is not None]
        estimates = [
            place.day(datetime.combine(p["estimated_arrival_date"], _NOON))
            for p in parcels
            if p["is_followed"]
        ]
        lost = [
            p["quantity"]
            for p in parcels
            if p["is_followed"] and p["state"] != "delivered" and self._reached(p["state_at"])
        ]
        centre = parcels[0]["fulfilment_centre_id"] if parcels else UNKNOWN
        return Line(
            connector="shopify",
            account=row["account"],
            place=place,
            order_id=row["order_id"],
            order_number=row["order_number"],
            line_id=line_id,
            sku=row["sku"],
            listing_id=UNKNOWN if row["is_delisted"] else row["variant_id"],
            country=row["country"],
            customer_key=self._customer(row),
            status=self._status(rows),
            currency=place.currency,
            ordered=row["quantity"],
            cancelled=cancelled,
            shipped=shipped,
            net=self.net(row),
            tax=self._money(row, row["unit_tax_minor"] * row["quantity"]),
            discount=self._money(row, row["unit_discount_minor"] * row["quantity"]),
            shipping=shipping.get(line_id, Decimal(0)),
            ordered_at=_exchanged_at(exchange) if exchange else row["ordered_at"],
            paid_at=None,
            cancelled_at=cancelled_at,
            cancel_reason=reason,
            ship_by_at=None,
            promised_at=None,
            shipped_at=parcels[0]["shipped_at"] if parcels else None,
            delivered_at=max(told) if parcels and len(told) == len(parcels) else None,
            estimate=max((day for day in estimates if day), default=None),
            fulfilled_by="seller",
            centre=centre,
            pool=self.reader.pool_of(centre),
            payment_method=UNKNOWN,
            link_kind="exchange" if exchange else None,
            original=row["order_id"] if exchange else None,
            undelivered=sum(lost),
            original_line=self._returned_line(exchange, rows) if exchange else None,
            return_id=exchange["return_id"] if exchange else None,
        )

    def _customer(self, row: Row) -> str:
        if row["is_guest"]:
            return UNKNOWN
        told = told_as(row["customer_no"], "shopify", row["account"], row["country"])
        return customer_key(told, CUSTOMER_KEY)

    def _returned_line(self, exchange: Row, rows: list[Row]) -> str:
        old = next(row for row in rows if row["line_no"] == exchange["line_no"])
        return shop_id(old["order_item_id"])

    def _credit(self, order_id: str, rows: list[Row], made: list[Line]) -> None:
        """Exchange lines cost what the credit for the returned units leaves of their price."""
        left: dict[str, Decimal] = {}
        pairs = [
            (self.exchanges[order_id, row["line_no"]], row, line)
            for row, line in zip(rows, made, strict=True)
            if line.link_kind
        ]
        for exchange, row, line in sorted(pairs, key=lambda pair: int(pair[2].line_id)):
            number = exchange["return_no"]
            if number not in left:
                left[number] = self._worth(exchange, rows)
            price = self.net(row)
            taken = min(left[number], price)
            left[number] -= taken
            line.net = price - taken
            if price and line.tax is not None:
                line.tax = rounded(line.tax * line.net / price)

    def _worth(self, exchange: Row, rows: list[Row]) -> Decimal:
        """Value of the return's units that was not paid back."""
        old = next(row for row in rows if row["line_no"] == exchange["line_no"])
        value = self.net(old) / old["quantity"] * exchange["returned"]
        key = (exchange["order_id"], exchange["line_no"])
        paid = [
            r
            for r in self.refunds.get(key, ())
            if r["return_no"] == exchange["return_no"] and self._reached(r["paid_at"])
        ]
        given = sum((self._money(old, r["subtotal_minor"]) for r in paid), Decimal(0))
        return max(Decimal(0), value - given)


def _exchanged_at(exchange: Row) -> datetime:
    approved = None if exchange["is_opened_by_shop"] else exchange["approved_at"]
    at: datetime = approved or exchange["requested_at"]
    return at
