"""What one store knows of a market at a moment: rows of the world, and when each last changed.

Belongs here: what is visible. Does not belong here: how it looks as an object.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import polars as pl

from sources._sandbox.api_faults import share_of
from sources._sandbox.snapshots import Snapshots, grouped
from sources._sandbox.world.tables import World

Row = dict[str, Any]
ACKNOWLEDGED_AFTER = timedelta(minutes=50)
_CHANGES: Mapping[str, tuple[str, ...]] = {
    "orders": ("ordered_at", "cancelled_at"),
    "order_lines": ("line_cancelled_at",),
    "shipments": ("shipped_at", "delivered_at"),
    "market_returns": ("requested_at", "refunded_at"),
}
_MONEY = {"market_bookings": ("booked_at",), "market_payouts": ("listed_at",)}
_RETURN_STEPS = ("requested_at", "sent_at", "received_at", "refunded_at", "resent_at", "closed_at")


class Snapshot:
    """Rows of one store and market up to a moment (naive UTC)."""

    def __init__(self, world: World, account: str, market: Row, moment: datetime) -> None:
        self.account = account
        self.market = market
        self.moment = moment
        self.seed = world.scenario.seed
        self.world = world
        placed = world.orders.filter(
            pl.col("account") == account,
            pl.col("marketplace") == market["marketplace"],
            pl.col("ordered_at") <= moment,
        )
        self._ids = placed.select("order_id")
        self.orders: dict[str, Row] = {r["order_id"]: r for r in placed.iter_rows(named=True)}
        named = world.products.select("sku", "sku_name", "weight_g")
        self.lines = self._by_order(world.order_lines.join(named, on="sku", how="left"), "line_no")
        self.parcels = self._by_order(
            world.shipments.filter(pl.col("shipped_at") <= moment), "shipped_at", "shipment_id"
        )
        self.returns = self._by_order(
            world.market_returns.filter(pl.col("requested_at") <= moment),
            "requested_at", "return_id",
        )  # fmt: skip
        self.changed = self._last_changes()

    def _by_order(self, frame: pl.DataFrame, *order: str) -> dict[str, list[Row]]:
        rows = frame.join(self._ids, on="order_id", how="semi").sort("order_id", *order)
        return grouped(rows.iter_rows(named=True), "order_id")

    def _last_changes(self) -> dict[str, datetime]:
        moved = [
            getattr(self.world, table).select("order_id", pl.col(name).alias("at"))
            for table, names in _CHANGES.items()
            for name in names
        ]
        moved.append(
            self.world.orders.select(
                "order_id", (pl.col("ordered_at") + ACKNOWLEDGED_AFTER).alias("at")
            )
        )
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

    def is_delivered(self, parcel: Row) -> bool:
        """Known of Walmart's own parcels, and of carriers that it follows."""
        by_walmart = self.orders[parcel["order_id"]]["fulfilled_by"] == "marketplace"
        return (by_walmart or parcel["is_followed"]) and self.reached(parcel["delivered_at"])

    def line_of(self, row: Row) -> Row:
        lines = self.lines[row["order_id"]]
        return next(line for line in lines if line["line_no"] == row["line_no"])

    def return_changed(self, row: Row) -> datetime:
        """When a return last moved on; closing shows only of those taken back."""
        steps = _RETURN_STEPS if row["is_withdrawn"] else _RETURN_STEPS[:-1]
        return max(row[name] for name in steps if self.reached(row[name]))

    def _sold(self, days: int) -> set[str]:
        since = self.moment - timedelta(days=days)
        return {number for number, order in self.orders.items() if order["ordered_at"] >= since}

    def _share(self, hits: int, whole: int) -> float:
        return round(100 * hits / whole, 2) if whole else 0.0

    def refund_rates(self, days: int) -> tuple[float, float]:
        """Refunded orders of the last days in percent: by the seller's fault, by the buyer's."""
        sold = self._sold(days)
        rows = [row for number in sold for row in self.returns.get(number, ())
                if self.reached(row["refunded_at"])]  # fmt: skip
        own = sum(row["reason_type"] == "SNAD" for row in rows)
        return self._share(own, len(sold)), self._share(len(rows) - own, len(sold))

    def share_of_reason(self, days: int, codes: tuple[str, ...]) -> float:
        sold = self._sold(days)
        rows = [row for number in sold for row in self.returns.get(number, ())]
        return self._share(sum(row["reason_code"] in codes for row in rows), len(sold))

    def share_cancelled(self, days: int) -> float:
        sold = self._sold(days)
        gone = sum(self.reached(self.orders[number]["cancelled_at"]) for number in sold)
        return self._share(gone, len(sold))

    @property
    def seller_id(self) -> int:
        return 10_000 + int(share_of("seller", self.account) * 80_000)

    @cached_property
    def buyers(self) -> dict[str, Row]:
        return {row["customer_no"]: row for row in self.world.buyers.iter_rows(named=True)}


class Stores:
    """Snapshots by store and country."""

    def __init__(self, world: World) -> None:
        sold_in = world.marketplaces.filter(pl.col("connector") == "walmart")
        self._markets = {(r["account"], r["country"]): r for r in sold_in.iter_rows(named=True)}
        self._snapshots: Snapshots[tuple[str, str], Snapshot] = Snapshots(
            _events(world),
            lambda place, moment: Snapshot(world, place[0], self._markets[place], moment),
        )

    def countries(self, account: str) -> list[str]:
        return [country for owner, country in self._markets if owner == account]

    def at(self, account: str, country: str, now: datetime) -> Snapshot | None:
        """None where the store does not sell in that country."""
        place = (account, country)
        return self._snapshots.at(place, now) if place in self._markets else None


def _events(world: World) -> list[pl.Series]:
    changes = (*_CHANGES.items(), *_MONEY.items())
    columns = [getattr(world, table)[name] for table, names in changes for name in names]
    columns += [world.market_returns[name] for name in _RETURN_STEPS]
    return [*columns, world.orders["ordered_at"] + ACKNOWLEDGED_AFTER]
