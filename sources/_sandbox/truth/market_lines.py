"""Order lines of eBay and Walmart as a reader can know them at a clock.

Belongs here: what these two tell of what was sold, sent and cancelled. Does not belong here: their
returns and refunds (`market_returned.py`).

eBay shows orders once they are paid, parcels without their arrival, and the tax that it collects
only where prices are without it. Walmart tells the state of a line by units, arrivals of its own
parcels and of those it follows, and no buyer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl

from sources._core.privacy import customer_key
from sources._sandbox.truth.world_truth import CUSTOMER_KEY, told_as

if TYPE_CHECKING:
    from sources._sandbox.truth.reader import Line, Place, Reader

Row = dict[str, Any]
UNKNOWN = "unknown"
TELLS_TAX = "NA"
"""Sites of eBay whose orders list the tax."""


def market_line_id(connector: str, row: Row) -> str:
    return str(row["order_item_id"] if connector == "ebay" else row["line_no"])


class MarketLines:
    """Reads the lines of all accounts of eBay and Walmart."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.clock: datetime = reader.clock
        mine = reader.world.orders.filter(pl.col("connector").is_in(["ebay", "walmart"]))
        shown = pl.when(pl.col("connector") == "ebay").then("paid_at").otherwise("ordered_at")
        self._orders = mine.filter(shown <= self.clock)
        parcels = reader.world.shipments.filter(pl.col("shipped_at") <= self.clock)
        self._parcels: dict[tuple[str, int], list[Row]] = defaultdict(list)
        for row in parcels.join(self._orders.select("order_id"), on="order_id", how="semi").sort(
            "shipped_at", "shipment_item_id"
        ).iter_rows(named=True):  # fmt: skip
            self._parcels[row["order_id"], row["line_no"]].append(row)

    def lines(self) -> Iterator[Line]:
        listed = self.reader.world.listings.select("account", "sku", "item_id")
        rows = (
            self.reader.world.order_lines.rename({"cancel_reason": "line_reason"})
            .drop("cancelled_by")
            .join(self._orders.drop("cancel_reason"), on="order_id")
            .join(listed, on=["account", "sku"], how="left")
            .sort("order_id", "line_no")
        )
        for row in rows.iter_rows(named=True):
            yield self._ebay(row) if row["connector"] == "ebay" else self._walmart(row)

    def _reached(self, at: datetime | None) -> bool:
        return at is not None and at <= self.clock

    def _place(self, row: Row) -> Place:
        return self.reader.places[row["account"], row["marketplace"]]

    def _ebay(self, row: Row) -> Line:
        place = self._place(row)
        parcels = self._parcels[row["order_id"], row["line_no"]]
        is_dead = self._reached(row["cancelled_at"])
        tax = _tax(row) if place.region_group == TELLS_TAX else 0
        seller_ran_out = row["line_reason"] == "OUT_OF_STOCK"
        return self._line(
            row,
            parcels,
            listing_id=row["item_id"],
            customer_key=customer_key(
                told_as(row["customer_no"], "ebay", row["account"], row["country"]), CUSTOMER_KEY
            ),
            status="cancelled" if is_dead else self._whole_order(row["order_id"]),
            cancelled=row["quantity"] if is_dead else 0,
            money=(_net(row), tax, row["unit_discount_minor"] * row["quantity"], _shipping(row)),
            paid_at=row["paid_at"],
            cancelled_at=row["cancelled_at"] if is_dead else None,
            cancel_reason=("out_of_stock" if seller_ran_out else "other") if is_dead else None,
            delivered_at=None,
        )

    def _whole_order(self, order_id: str) -> str:
        """All units of an order sent, or not."""
        is_sent = self._sent_units[order_id] >= self._ordered_units[order_id]
        return "shipped" if is_sent else "open"

    @cached_property
    def _ordered_units(self) -> dict[str, int]:
        lines = self.reader.world.order_lines.group_by("order_id").agg(pl.col("quantity").sum())
        return dict(lines.iter_rows())

    @cached_property
    def _sent_units(self) -> dict[str, int]:
        sent: dict[str, int] = defaultdict(int)
        for (order_id, _), rows in list(self._parcels.items()):
            sent[order_id] += sum(row["quantity"] for row in rows)
        return sent

    def _walmart(self, row: Row) -> Line:
        parcels = self._parcels[row["order_id"], row["line_no"]]
        is_off = self._reached(row["line_cancelled_at"])
        cancelled = row["quantity_cancelled"] if is_off else 0
        is_gone = cancelled == row["quantity"]
        sent = sum(parcel["quantity"] for parcel in parcels)
        by_walmart = row["fulfilled_by"] == "marketplace"
        arrivals = [
            p["delivered_at"]
            for p in parcels
            if (by_walmart or p["is_followed"]) and self._reached(p["delivered_at"])
        ]
        is_open = sent + cancelled < row["quantity"]
        is_there = bool(parcels) and len(arrivals) == len(parcels) and not is_open
        words = ((is_gone, "cancelled"), (is_open, "open"), (is_there, "delivered"))
        out_of_stock = row["line_reason"] == "OUT_OF_STOCK"
        goods_tax = row["unit_tax_minor"] * row["quantity"]
        return self._line(
            row,
            parcels,
            listing_id=UNKNOWN,
            customer_key=UNKNOWN,
            status=next((word for holds, word in words if holds), "shipped"),
            cancelled=cancelled,
            money=(0, 0, 0, 0) if is_gone else (_net(row), goods_tax, 0, _shipping(row)),
            paid_at=None,
            cancelled_at=row["line_cancelled_at"] if is_gone else None,
            cancel_reason=("out_of_stock" if out_of_stock else "other") if cancelled else None,
            delivered_at=max(arrivals) if is_there else None,
        )

    def _line(
        self,
        row: Row,
        parcels: list[Row],
        *,
        money: tuple[int, int, int, int],
        **told: Any,
    ) -> Line:
        from sources._sandbox.truth.reader import Line

        place = self._place(row)
        by_market = row["fulfilled_by"] == "marketplace"
        net, tax, discount, shipping = (Decimal(m).scaleb(-place.decimals) for m in money)
        return Line(
            connector=row["connector"],
            account=row["account"],
            place=place,
            order_id=row["order_id"],
            order_number=row["order_number"],
            line_id=market_line_id(row["connector"], row),
            sku=row["sku"],
            country=row["country"],
            currency=place.currency,
            ordered=row["quantity"],
            shipped=sum(parcel["quantity"] for parcel in parcels),
            net=net,
            tax=tax,
            discount=discount,
            shipping=shipping,
            ordered_at=row["ordered_at"],
            ship_by_at=row["ship_by_at"],
            promised_at=row["deliver_by_at"],
            shipped_at=parcels[0]["shipped_at"] if parcels else None,
            estimate=place.day(row["deliver_by_at"]),
            fulfilled_by=row["fulfilled_by"],
            centre=row["fulfilment_centre_id"] if by_market else UNKNOWN,
            pool=f"{row['account']}|{place.region_group}" if by_market else self.reader.own_pool,
            payment_method=UNKNOWN,
            link_kind=row["link_kind"],
            original=row["replaces_order_id"],
            **told,
        )


def _net(row: Row) -> int:
    return int((row["unit_price_minor"] - row["unit_discount_minor"]) * row["quantity"])


def _shipping(row: Row) -> int:
    return int(row["shipping_minor"] - row["shipping_discount_minor"])


def _tax(row: Row) -> int:
    return int(row["unit_tax_minor"] * row["quantity"] + row["shipping_tax_minor"])
