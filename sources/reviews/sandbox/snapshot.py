"""What a review app knows at a moment.

Belongs here: what is visible. Does not belong here: how a vendor shows it (`vendors.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from threading import RLock
from typing import Any

import polars as pl

from sources._sandbox.world.tables import World

Row = dict[str, Any]


@dataclass(frozen=True)
class Review:
    """A review up to a moment."""

    row: Row
    order_number: str
    buyer: Row
    now: datetime

    def reached(self, name: str) -> datetime | None:
        at: datetime | None = self.row[name]
        return at if at is not None and at <= self.now else None

    @property
    def stars(self) -> int:
        return int(self.row["changed_stars" if self.reached("changed_at") else "stars_first"])

    @property
    def updated_at(self) -> datetime:
        """The last time that anything about it changed."""
        changes = (self.reached("changed_at"), self.reached("replied_at"))
        return max([self.row["created_at"], *(at for at in changes if at)])


def reviews_of(world: World, account: str, moment: datetime) -> list[Review]:
    """The app's reviews, newest first."""
    seen = world.product_reviews.filter(
        pl.col("account") == account, pl.col("created_at") <= moment
    )
    orders = world.orders.select("order_id", "order_number")
    joined = seen.join(orders, on="order_id", how="left").sort(
        "created_at", "review_id", descending=True
    )
    buyers = {
        row["customer_no"]: row
        for row in world.buyers.filter(
            pl.col("customer_no").is_in(seen["customer_no"].unique().to_list())
        ).iter_rows(named=True)
    }
    return [
        Review(row, row["order_number"], buyers.get(row["customer_no"], {}), moment)
        for row in joined.iter_rows(named=True)
    ]


class Apps:
    """The newest reviews of each account."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._made: dict[str, tuple[datetime, list[Review]]] = {}
        self._lock = RLock()

    def at(self, account: str, moment: datetime) -> list[Review]:
        with self._lock:
            known = self._made.get(account)
            if known is None or known[0] != moment:
                known = (moment, reviews_of(self._world, account, moment))
                self._made[account] = known
            return known[1]
