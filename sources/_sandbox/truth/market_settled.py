"""Settlement lines of eBay and Walmart as a reader can know them at a clock.

Belongs here: what was booked under the names of the fact. Does not belong here: what it means as a
cost (`costs.py`).

eBay tells every booking at once, under `pending` until it is paid out; Walmart only in the file of
a closed period, by days.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, time
from decimal import Decimal
from itertools import groupby
from typing import Any

import polars as pl

from sources._sandbox.truth.facts import Known
from sources._sandbox.truth.reader import NONE, UNKNOWN, key
from sources._sandbox.world.market_money import AMOUNT

Row = dict[str, Any]
PENDING = "pending"
_EBAY_CLASSES: Mapping[str, str] = {
    "SALE": "sale",
    "REFUND": "refund",
    "DISPUTE": "reserve",
    "CREDIT": "reserve",
    "SHIPPING_LABEL": "fee",
}
_NOON = time(12)


class MarketSettled:
    """Reads what was booked to all accounts of eBay and Walmart."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self.clock: datetime = known.reader.clock
        world = known.reader.world
        sold = world.order_lines.join(
            world.orders.filter(pl.col("connector").is_in(["ebay", "walmart"])), on="order_id"
        )
        self._sold = {(r["order_id"], r["line_no"]): r for r in sold.iter_rows(named=True)}
        self._by_sku = self._lines_by_sku()
        self._places = {fate.line.order_key: fate.line.place for fate in known.fates.values()}

    def _lines_by_sku(self) -> dict[tuple[str, str], tuple[str, str]]:
        """The first known line of an order with a SKU as listed."""
        names = {
            key(
                row["connector"], row["account"], row["order_id"],
                row["order_item_id"] if row["connector"] == "ebay" else str(row["line_no"]),
            ): row["listing_sku"]
            for row in self._sold.values()
        }  # fmt: skip
        found: dict[tuple[str, str], tuple[str, str]] = {}
        for line_key in sorted(names.keys() & self.known.fates.keys()):
            line = self.known.fates[line_key].line
            found.setdefault((line.order_key, names[line_key]), (line_key, line.sku))
        return found

    def lines(self) -> Iterator[Row]:
        booked = self.known.reader.world.market_bookings.filter(pl.col("booked_at") <= self.clock)
        for connector, number in (("ebay", self._ebay), ("walmart", self._walmart)):
            rows = booked.filter(pl.col("connector") == connector).to_dicts()
            yield from number(rows)

    def _settlement(self, row: Row) -> str:
        is_paid = row["paid_out_at"] is not None and row["paid_out_at"] <= self.clock
        return str(row["payout_id"]) if is_paid else PENDING

    def _ebay(self, rows: list[Row]) -> Iterator[Row]:
        def place(row: Row) -> tuple[Any, ...]:
            line = self._sold.get((row["order_id"], row["line_no"]))
            is_fee = row["component"] != AMOUNT and row["line_no"] is not None
            item = line["order_item_id"] if is_fee and line else ""
            return (
                row["account"], self._settlement(row), row["booked_at"], row["booking_id"],
                row["kind"], is_fee, item, row["component"],
            )  # fmt: skip

        for (_, number), group in groupby(
            sorted(rows, key=place), key=lambda r: (r["account"], self._settlement(r))
        ):
            for place_no, row in enumerate(group, 1):
                yield self._row(row, number, place_no, row["booked_at"], self._ebay_words(row))

    def _ebay_words(self, row: Row) -> tuple[str, str, str]:
        """Amount type, description, class."""
        kind, component = row["kind"], row["component"]
        if kind == "NON_SALE_CHARGE":
            return AMOUNT, component, "advertising" if component == "AD_FEE" else "fee"
        if component != AMOUNT:
            return "fee", component, "fee_credit" if row["amount_minor"] > 0 else "fee"
        if kind == "SHIPPING_LABEL":
            return AMOUNT, "RETURN_SHIPPING_LABEL", "fee"
        return AMOUNT, kind, _EBAY_CLASSES[kind]

    def _walmart(self, rows: list[Row]) -> Iterator[Row]:
        """Rows of listed files, after the row of the payment itself."""
        listed = dict(
            self.known.reader.world.market_payouts.select("payout_id", "listed_at").iter_rows()
        )
        paid = [row for row in rows if self._settlement(row) != PENDING]
        order = ("account", "payout_id", "booked_at", "booking_id", "kind", "line_no", "component")
        paid.sort(key=lambda row: tuple(row[name] for name in order))
        for (_, number), group in groupby(paid, key=lambda r: (r["account"], r["payout_id"])):
            for place_no, row in enumerate(group, 2):
                line = self._sold[row["order_id"], row["line_no"]]
                zone = self.known.reader.places[row["account"], line["marketplace"]]
                posted = datetime.combine(zone.day(row["booked_at"]) or self.clock, _NOON)
                settlement = f"{listed[number]:%Y-%m-%d}"
                yield self._row(row, settlement, place_no, posted, self._walmart_words(row))

    def _walmart_words(self, row: Row) -> tuple[str, str, str]:
        component, is_refund = row["component"], row["kind"] == "Refund"
        word = "fee_credit" if row["amount_minor"] > 0 else "fee"
        if row["kind"] != "Adjustment" and "tax" in component.lower():
            word = "tax"
        elif component == "Product Price":
            word = "refund" if is_refund else "sale"
        elif component == "Shipping":
            word = "refund" if is_refund else "shipping"
        return component, row["memo"], word

    def _row(
        self, row: Row, settlement: str, place_no: int, posted: datetime, words: tuple[str, ...]
    ) -> Row:
        known, account, currency = self.known, row["account"], row["currency"]
        order_key = key(row["connector"], account, row["order_id"])
        is_known = order_key in self._places
        line = self._sold.get((row["order_id"], row["line_no"]))
        sku = line["listing_sku"] if line and self._names_sku(row) else None
        line_key, own = self._by_sku.get((order_key, sku or ""), (UNKNOWN, sku or UNKNOWN))
        place = self._places.get(order_key)
        day = place.day(posted) if place else posted.date()
        digits = next(p.decimals for p in known.reader.places.values() if p.currency == currency)
        amount = Decimal(row["amount_minor"]).scaleb(-digits)
        return {
            "account": account,
            "settlement_id": settlement,
            "row_no": place_no,
            "connector": row["connector"],
            "marketplace": place.name if place else UNKNOWN,
            "posted_at": posted,
            "posted_date": day,
            "transaction_type": row["kind"],
            "amount_type": words[0],
            "amount_description": words[1],
            "line_class": words[2],
            "amount": amount,
            "currency": currency,
            "amount_reporting": known.rates.convert(amount, currency, day),
            "reporting_currency": known.rates.reporting,
            "order_key": order_key if is_known else UNKNOWN if row["order_id"] else NONE,
            "order_line_key": line_key,
            "sku": own,
        }

    @staticmethod
    def _names_sku(row: Row) -> bool:
        """eBay's fees of a line do, its amounts do not; every row of Walmart does."""
        return row["connector"] == "walmart" or row["component"] != AMOUNT


def market_settlement_lines(known: Known) -> Iterable[Row]:
    return MarketSettled(known).lines()
