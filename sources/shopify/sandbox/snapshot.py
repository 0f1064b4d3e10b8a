"""What one shop knows at a moment: rows of the world by order, and when each order last changed.

Belongs here: what is visible. Does not belong here: how it looks as an object (`orders.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import polars as pl

from sources._sandbox.api_faults import share_of
from sources._sandbox.snapshots import Snapshots, grouped
from sources._sandbox.world import geography
from sources._sandbox.world.parcel_life import OUT_BEFORE, PICKED_AFTER, TRANSIT_AFTER
from sources._sandbox.world.tables import World

Row = dict[str, Any]
TEST_SHARE = 0.006
ARCHIVED_AFTER = timedelta(days=30)


def digits_of_line(order_item_id: str) -> str:
    return f"1{order_item_id}"


@dataclass(frozen=True)
class Listed:
    """A product as the shop sells it."""

    sku: str
    listing_sku: str
    number: int  # of the stock item
    variant_id: str
    name: str
    product_no: int
    size: str | None
    colour: str | None
    brand: str
    cost_minor: int | None  # in the shop's currency
    launch: datetime


class Snapshot:
    """Rows of one shop up to a moment (naive UTC)."""

    def __init__(self, world: World, account: str, moment: datetime) -> None:
        self.account = account
        self.moment = moment
        self.seed = world.scenario.seed
        self._world = world
        self.market = world.marketplaces.row(by_predicate=pl.col("account") == account, named=True)
        mine = pl.col("account") == account
        placed = world.orders.filter(mine, pl.col("ordered_at") <= moment)
        self._ids = placed.select("order_id")
        self.orders: dict[str, Row] = {r["order_id"]: r for r in placed.iter_rows(named=True)}
        self.lines = self._by_order(
            world.order_lines,
            pl.col("added_at").is_null() | (pl.col("added_at") <= moment),
            ("line_no",),
        )
        self.parcels = self._by_order(
            world.shipments, pl.col("shipped_at") <= moment, ("shipped_at", "shipment_item_id")
        )
        self.returns = self._by_order(
            world.shop_returns, pl.col("requested_at") <= moment, ("requested_at", "return_id")
        )
        self.refunds = self._by_order(
            world.shop_refunds, pl.col("refunded_at") <= moment, ("refunded_at", "refund_id")
        )
        self.refund_lines = self._by_order(
            world.shop_refund_lines, pl.lit(value=True), ("refund_id", "line_no")
        )
        self.exchanges = self._by_order(
            world.shop_exchanges, pl.col("agreed_at") <= moment, ("agreed_at", "exchange_id")
        )
        self.edits = self._by_order(
            world.shop_edits, pl.col("edited_at") <= moment, ("edited_at", "line_no")
        )
        self.disputes = self._by_order(
            world.shop_disputes, pl.col("opened_at") <= moment, ("opened_at", "dispute_id")
        )
        self.updated = self._last_changes()

    def _by_order(
        self, frame: pl.DataFrame, seen: pl.Expr, order: tuple[str, ...]
    ) -> dict[str, list[Row]]:
        rows = (
            frame.filter(seen).join(self._ids, on="order_id", how="semi").sort("order_id", *order)
        )
        return grouped(rows.iter_rows(named=True), "order_id")

    def _last_changes(self) -> dict[str, datetime]:
        """Every event moves the order's `updatedAt`."""
        world = self._world
        parts = [
            (world.orders, ("ordered_at", "paid_at", "cancelled_at")),
            (world.order_lines, ("line_cancelled_at", "added_at")),
            (world.shipments, ("shipped_at", "state_at")),
            (
                world.shop_returns,
                ("requested_at", "approved_at", "ended_at", "disposed_at", "closed_at"),
            ),
            (world.shop_refunds, ("refunded_at", "paid_at")),
            (world.shop_exchanges, ("agreed_at", "added_at")),
            (world.shop_disputes, ("opened_at", "evidence_at", "closed_at")),
        ]
        moved = [
            frame.select("order_id", pl.col(name).alias("at"))
            for frame, names in parts
            for name in names
        ]
        moved += [
            world.shipments.select("order_id", (pl.col("shipped_at") + after).alias("at"))
            for after in (PICKED_AFTER, TRANSIT_AFTER, ARCHIVED_AFTER)
        ]
        moved.append(
            world.shipments.select("order_id", (pl.col("delivered_at") - OUT_BEFORE).alias("at"))
        )
        last = (
            pl.concat(moved)
            .filter(pl.col("at") <= self.moment)
            .join(self._ids, on="order_id", how="semi")
            .group_by("order_id")
            .agg(pl.col("at").max())
        )
        return dict(zip(last["order_id"], last["at"], strict=True))

    @cached_property
    def products(self) -> dict[str, Listed]:
        """By SKU."""
        listed = self._world.listings.filter(pl.col("account") == self.account)
        rows = self._world.products.join(
            listed.select("sku", "listing_sku", "variant_id"), on="sku", maintain_order="left"
        )
        numbers: dict[str, int] = {}
        return {
            row["sku"]: Listed(
                sku=row["sku"],
                listing_sku=row["listing_sku"],
                number=number,
                variant_id=row["variant_id"],
                name=row["sku_name"],
                product_no=numbers.setdefault(row["product_id"], len(numbers) + 1),
                size=row["variant_size"],
                colour=row["colour"],
                brand=row["brand"],
                cost_minor=self._cost(row),
                launch=datetime.combine(row["launch_date"], datetime.min.time()),
            )
            for number, row in enumerate(rows.iter_rows(named=True), 1)
        }

    def _cost(self, row: Row) -> int | None:
        """Cost of a unit at a plain rate; one product in ten has none."""
        if share_of(self.seed, "unit cost", self.account, row["sku"]) < 0.1:
            return None
        rate = geography.units_per_usd(self.market["currency"]) / geography.units_per_usd("CNY")
        return round(row["unit_landed_cost_minor"] * rate * 10 ** (self.market["decimals"] - 2))

    @cached_property
    def buyers(self) -> dict[str, Row]:
        return {row["customer_no"]: row for row in self._world.buyers.iter_rows(named=True)}

    @cached_property
    def centres(self) -> list[str]:
        own = self._world.warehouses.filter(pl.col("kind") == "own")
        return own["fulfilment_centre_id"].sort().to_list()

    def is_test(self, order_id: str) -> bool:
        """Orders that somebody placed to try the shop; no order of the world."""
        return share_of(self.seed, "test order", order_id) < TEST_SHARE


def snapshots_of(world: World) -> Snapshots[str, Snapshot]:
    """By shop."""
    return Snapshots(_events(world), lambda account, moment: Snapshot(world, account, moment))


def _events(world: World) -> list[pl.Series]:
    """Times at which anything of a shop changes."""
    shipped = world.shipments["shipped_at"]
    return [
        *(world.orders[name] for name in ("ordered_at", "paid_at", "cancelled_at")),
        *(world.order_lines[name] for name in ("line_cancelled_at", "added_at")),
        *(world.shipments[name] for name in ("shipped_at", "state_at", "delivered_at")),
        *(
            world.shop_returns[name]
            for name in ("requested_at", "approved_at", "ended_at", "disposed_at", "closed_at")
        ),
        *(world.shop_refunds[name] for name in ("refunded_at", "paid_at")),
        *(world.shop_exchanges[name] for name in ("agreed_at", "added_at")),
        *(world.shop_disputes[name] for name in ("opened_at", "evidence_at", "closed_at")),
        shipped + PICKED_AFTER,
        shipped + TRANSIT_AFTER,
        shipped + ARCHIVED_AFTER,
        world.shipments["delivered_at"] - OUT_BEFORE,
    ]
