"""What one seller's account knows at a moment: rows of the world by order, and their last change.

Belongs here: what is visible. Does not belong here: how it looks as an object.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

import polars as pl

from sources._sandbox.snapshots import Snapshots, grouped
from sources._sandbox.world.market_words import ebay_user
from sources._sandbox.world.tables import World

Row = dict[str, Any]
_CHANGES: Mapping[str, tuple[str, ...]] = {
    "orders": ("paid_at", "cancelled_at"),
    "shipments": ("shipped_at",),
    "market_refunds": ("issued_at", "refunded_at"),
}
"""What moves an order's `lastModifiedDate`; a return does not."""
_EVENTS: Mapping[str, tuple[str, ...]] = {
    **_CHANGES,
    "market_returns": (
        "requested_at", "approved_at", "sent_at", "received_at", "refunded_at", "closed_at",
    ),
    "market_inquiries": ("opened_at", "escalated_at", "refunded_at", "closed_at"),
    "market_disputes": ("opened_at", "responded_at", "closed_at"),
    "market_feedback": ("entered_at",),
    "market_bookings": ("booked_at",),
    "market_payouts": ("listed_at",),
}  # fmt: skip


class Snapshot:
    """Rows of one account up to a moment (naive UTC)."""

    def __init__(self, world: World, account: str, moment: datetime) -> None:
        self.account = account
        self.moment = moment
        self.seed = world.scenario.seed
        self.world = world
        self.markets: dict[str, Row] = {
            row["marketplace"]: row
            for row in world.marketplaces.filter(pl.col("account") == account).iter_rows(named=True)
        }
        paid = world.orders.filter(pl.col("account") == account, pl.col("paid_at") <= moment)
        self._ids = paid.select("order_id")
        self.orders: dict[str, Row] = {r["order_id"]: r for r in paid.iter_rows(named=True)}
        self.lines = self._by_order(self._listed_lines(), "line_no")
        self.parcels = self._by_order(
            world.shipments.filter(pl.col("shipped_at") <= moment), "shipped_at", "shipment_id"
        )
        self.refunds = self._by_order(
            world.market_refunds.filter(pl.col("issued_at") <= moment), "issued_at", "refund_id"
        )
        self.returns = self._cases(world.market_returns, "requested_at", "return_id")
        self.inquiries = self._cases(world.market_inquiries, "opened_at", "inquiry_id")
        self.disputes = self._cases(world.market_disputes, "opened_at", "dispute_id")
        self.feedback = self._cases(world.market_feedback, "entered_at", "feedback_id")
        self.changed = self._last_changes()

    def _listed_lines(self) -> pl.DataFrame:
        listed = self.world.listings.filter(pl.col("account") == self.account)
        names = self.world.products.select("sku", "sku_name", "variant_size", "colour")
        return (
            self.world.order_lines.join(self._ids, on="order_id", how="semi")
            .join(listed.select("sku", "item_id", "variant_id"), on="sku", how="left")
            .join(names, on="sku", how="left")
        )

    def _by_order(self, frame: pl.DataFrame, *order: str) -> dict[str, list[Row]]:
        rows = frame.join(self._ids, on="order_id", how="semi").sort("order_id", *order)
        return grouped(rows.iter_rows(named=True), "order_id")

    def _cases(self, frame: pl.DataFrame, at: str, key: str) -> dict[str, Row]:
        rows = frame.filter(pl.col("account") == self.account, pl.col(at) <= self.moment)
        return {row[key]: row for row in rows.sort(at, key).iter_rows(named=True)}

    def _last_changes(self) -> dict[str, datetime]:
        moved = [
            getattr(self.world, table).select("order_id", pl.col(name).alias("at"))
            for table, names in _CHANGES.items()
            for name in names
        ]
        last = (
            pl.concat(moved)
            .filter(pl.col("at") <= self.moment)
            .join(self._ids, on="order_id", how="semi")
            .group_by("order_id")
            .agg(pl.col("at").max())
        )
        return dict(zip(last["order_id"], last["at"], strict=True))

    def reached(self, at: datetime | None) -> bool:
        return at is not None and at <= self.moment

    def market_of(self, order_id: str) -> Row:
        return self.markets[self.orders[order_id]["marketplace"]]

    def line_of(self, row: Row) -> Row:
        """The order line that a case is about."""
        lines = self.lines[row["order_id"]]
        return next(line for line in lines if line["line_no"] == row["line_no"])

    def user_of(self, order_id: str) -> str:
        order = self.orders[order_id]
        return ebay_user(order["customer_no"], self.market_of(order_id)["country"])

    @cached_property
    def cancelled(self) -> list[Row]:
        """Orders cancelled after they were paid."""
        found = [o for o in self.orders.values() if self.reached(o["cancelled_at"])]
        return sorted(found, key=lambda o: (o["cancelled_at"], o["order_id"]))

    @cached_property
    def booked(self) -> list[list[Row]]:
        """Parts of each transaction, oldest first."""
        rows = self.world.market_bookings.filter(
            pl.col("account") == self.account, pl.col("booked_at") <= self.moment
        ).sort("booked_at", "booking_id", "kind", "line_no", "component")
        found: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in rows.iter_rows(named=True):
            found[row["booking_id"], row["kind"]].append(row)
        return list(found.values())

    @cached_property
    def paid_out(self) -> list[Row]:
        """Payouts, oldest first."""
        rows = self.world.market_payouts.filter(
            pl.col("account") == self.account, pl.col("listed_at") <= self.moment
        )
        return rows.sort("listed_at", "payout_id").to_dicts()

    @cached_property
    def paid_counts(self) -> Counter[str]:
        """Transactions of each payout."""
        return Counter(parts[0]["payout_id"] for parts in self.booked)

    @cached_property
    def buyers(self) -> dict[str, Row]:
        return {row["customer_no"]: row for row in self.world.buyers.iter_rows(named=True)}


def snapshots_of(world: World) -> Snapshots[str, Snapshot]:
    """By account."""
    events = [getattr(world, table)[name] for table, names in _EVENTS.items() for name in names]
    return Snapshots(events, lambda account, moment: Snapshot(world, account, moment))


def cancel_id(order_id: str) -> str:
    return "7" + order_id.replace("-", "")
