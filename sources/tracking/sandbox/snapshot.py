"""What a tracking service knows at a moment: the parcels that it follows, as last looked up.

Belongs here: what is visible, and for how long. Does not belong here: how a vendor shows it
(`seventeentrack.py`, `aftership.py`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from threading import RLock
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from sources._sandbox.world import geography
from sources._sandbox.world.parcel_words import GIVEN_UP, NOTHING_YET, WORDS
from sources._sandbox.world.tables import World
from sources._sandbox.world.tracked_parcels import looked_up_at, next_look

from .carriers import Carrier, carrier_of

Row = dict[str, Any]


@dataclass(frozen=True)
class Scan:
    """One scan in the words of a service."""

    row: Row
    provider: str

    @property
    def at(self) -> datetime:
        moment: datetime = self.row["at"]
        return moment

    @cached_property
    def status(self) -> str:
        return WORDS[self.row["step"]].said(self.provider, self.row["variant"], self.at)

    @property
    def text(self) -> str:
        return WORDS[self.row["step"]].text

    @cached_property
    def local(self) -> datetime:
        """By the clock of the place."""
        return self.at + timedelta(minutes=self.row["offset_minutes"])

    @cached_property
    def offset(self) -> str:
        ahead = self.row["offset_minutes"]
        return f"{'-' if ahead < 0 else '+'}{abs(ahead) // 60:02d}:{abs(ahead) % 60:02d}"


@dataclass(frozen=True)
class Tracked:
    """A parcel up to its last look-up."""

    row: Row
    every: tuple[Row, ...]
    provider: str
    now: datetime
    buyer: Mapping[str, Any]  # empty unless everything personal is told

    @cached_property
    def number(self) -> str:
        return str(self.row["tracking_number"]).upper()

    @property
    def carrier(self) -> Carrier:
        return carrier_of(self.row["carrier"])

    @property
    def local_carrier(self) -> Carrier | None:
        name = self.row["local_carrier"]
        return carrier_of(name) if name else None

    @cached_property
    def looked_at(self) -> datetime:
        return looked_up_at(self.row["known_at"], self.row["stopped_at"], self.now)

    @cached_property
    def is_stopped(self) -> bool:
        stopped: datetime = self.row["stopped_at"]
        return self.looked_at >= stopped

    @cached_property
    def scans(self) -> list[Scan]:
        """The oldest first, a repeated one for each carrier that tells it."""
        return [Scan(row, self.provider) for row in self.every if row["at"] <= self.looked_at]

    @cached_property
    def status(self) -> str:
        """Of the parcel as a whole, in fine words."""
        if self.is_stopped and self.row["is_given_up"]:
            return GIVEN_UP[self.provider]
        return self.scans[-1].status if self.scans else NOTHING_YET[self.provider]

    @cached_property
    def changed_at(self) -> datetime:
        """The look-up that brought the last news, or after which it looks no more."""
        news = [self.row["known_at"], *(scan.at for scan in self.scans)]
        if self.is_stopped:
            news.append(self.row["stopped_at"])
        return self.look_after(max(news))

    def look_after(self, at: datetime) -> datetime:
        """The look-up that found out what happened then."""
        return max(next_look(self.row["known_at"], at), self.row["known_at"])

    def first(self, *steps: str) -> Scan | None:
        return next((scan for scan in self.scans if scan.row["step"] in steps), None)

    def day_there(self, at: datetime) -> datetime:
        """By the clock of the buyer."""
        zone = ZoneInfo(geography.country(self.row["destination"]).time_zone)
        ahead = at.replace(tzinfo=ZoneInfo("UTC")).astimezone(zone).utcoffset() or timedelta(0)
        return at + ahead


class Parcels:
    """Parcels of the world that a service follows at a moment, by number."""

    def __init__(
        self, world: World, provider: str, moment: datetime, buyers: Mapping[str, Row]
    ) -> None:
        self.moment = moment
        known = world.tracked_parcels.filter(pl.col("known_at") <= moment)
        scans: dict[str, list[Row]] = defaultdict(list)
        seen = world.parcel_scans.filter(pl.col("at") <= moment)
        for row in seen.sort("tracking_number", "at", maintain_order=True).iter_rows(named=True):
            scans[row["tracking_number"]].append(row)
        self.by_number = {
            parcel.number: parcel
            for parcel in (
                Tracked(
                    row, tuple(scans[row["tracking_number"]]), provider, moment,
                    buyers.get(row["customer_no"], {}),
                )
                for row in known.iter_rows(named=True)
            )
        }  # fmt: skip

    def __iter__(self) -> Iterator[Tracked]:
        return iter(self.by_number.values())


class Services:
    """The newest snapshot of each vendor."""

    def __init__(self, world: World, *, with_personal_data: bool) -> None:
        self._world = world
        people = world.buyers if with_personal_data else world.buyers.clear()
        self._buyers = {row["customer_no"]: row for row in people.iter_rows(named=True)}
        self._made: dict[str, Parcels] = {}
        self._lock = RLock()

    def at(self, provider: str, moment: datetime) -> Parcels:
        with self._lock:
            known = self._made.get(provider)
            if known is None or known.moment != moment:
                known = self._made[provider] = Parcels(self._world, provider, moment, self._buyers)
            return known

    @cached_property
    def cannot_follow(self) -> set[str]:
        """Sent by the seller, and yet no service can look them up."""
        sellers = self._world.orders.filter(pl.col("fulfilled_by") == "seller")
        sent = self._world.shipments.join(sellers.select("order_id"), on="order_id", how="semi")
        followed = set(self._world.tracked_parcels["tracking_number"].to_list())
        return {n.upper() for n in sent["tracking_number"].to_list() if n not in followed}
