"""What a server shows of a world, made once between two events of the world.

Belongs here: keeping what was made, rows by what they belong to. Does not belong here: what a
connector's server shows and which events change it (`sources/<connector>/sandbox/`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable
from datetime import UTC, datetime
from threading import RLock
from typing import Any, Generic, TypeVar

import polars as pl

Place = TypeVar("Place", bound=Hashable)
Shown = TypeVar("Shown")


class Grouped(dict[str, list[dict[str, Any]]]):
    """Rows by what they belong to. Asking for what has none adds nothing: many threads ask one
    snapshot while others go through it."""

    def __missing__(self, key: str) -> list[dict[str, Any]]:
        return []


def grouped(rows: Iterable[dict[str, Any]], column: str) -> Grouped:
    """In the order in which they come."""
    found = Grouped()
    for row in rows:
        found.setdefault(row[column], []).append(row)
    return found


class Snapshots(Generic[Place, Shown]):
    """Snapshots by place (an account, or a market of it) and moment.

    `events` are columns of times (naive UTC) at which anything shown changes; `make` gives the
    snapshot of a place at a moment (naive UTC). The `most` newest are kept.
    """

    def __init__(
        self,
        events: Iterable[pl.Series],
        make: Callable[[Place, datetime], Shown],
        most: int = 8,
    ) -> None:
        times = pl.concat([column.alias("at") for column in events])
        self._events: list[datetime] = times.drop_nulls().unique().sort().to_list()
        self._make = make
        self._most = most
        self._kept: dict[tuple[Place, int], Shown] = {}
        self._lock = RLock()

    def at(self, place: Place, now: datetime) -> Shown:
        moment = now.astimezone(UTC).replace(tzinfo=None)
        key = (place, bisect_right(self._events, moment))
        with self._lock:
            if key not in self._kept:
                if len(self._kept) >= self._most:
                    self._kept.clear()
                self._kept[key] = self._make(place, moment)
            return self._kept[key]
