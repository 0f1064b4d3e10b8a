"""What the simulated tracking services tell of parcels.

Belongs here: their scans and what they know of a number besides, as far as they looked by the clock
and still remember. Does not belong here: what it means together (`parcels.py`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from sources._sandbox.api_faults import source_faults
from sources._sandbox.truth.reader import Reader
from sources._sandbox.truth.scans import Meaning, Scan, meanings
from sources._sandbox.truth.shipments import Carriers, Row, word
from sources._sandbox.world import geography
from sources._sandbox.world.parcel_words import GIVEN_UP, WORDS
from sources._sandbox.world.tracked_parcels import looked_up_at, next_look

_LISTED = {"seventeentrack": "17track", "aftership": "aftership"}  # as statuses.csv calls them
_REMEMBERS = {"seventeentrack": timedelta(days=90), "aftership": timedelta(days=120)}


@dataclass(frozen=True)
class Told:
    """What a tracking service knows of a number besides scans."""

    carrier: str
    number: str
    source: str
    account: str
    service: str
    known_at: datetime
    origin: str
    destination: str
    promised: date | None
    first_estimate: date | None
    whole_exception: str | None  # said of the parcel, by no scan: STALE


def tracked(reader: Reader, carriers: Carriers) -> tuple[list[Scan], list[Told]]:
    """Of all accounts that answer at the clock."""
    scans: list[Scan] = []
    told: list[Told] = []
    outages = source_faults("tracking", reader.world.scenario.faults).outages
    now = reader.clock.replace(tzinfo=UTC)
    for account in reader.world.scenario.accounts:
        is_out = any(o.period.holds(now) and o.account in (None, account.name) for o in outages)
        if account.connector != "tracking" or is_out:
            continue
        provider = account.provider or "seventeentrack"
        for row, seen in _known(reader, provider):
            carrier, number = carriers.named(row["carrier"]), row["tracking_number"].upper()
            scans += [_scan(scan, provider, carrier, number) for scan in seen]
            told.append(_told(row, provider, account.name, carrier, number, reader.clock))
    return scans, told


def _known(reader: Reader, provider: str) -> Iterator[tuple[Row, list[Row]]]:
    """Parcels that the service has not forgotten, each with the scans that it has seen."""
    clock = reader.clock
    scans: dict[str, list[Row]] = defaultdict(list)
    for scan in reader.world.parcel_scans.filter(pl.col("at") <= clock).iter_rows(named=True):
        scans[scan["tracking_number"]].append(scan)
    known = reader.world.tracked_parcels.filter(pl.col("known_at") <= clock)
    for row in known.iter_rows(named=True):
        looked = looked_up_at(row["known_at"], row["stopped_at"], clock)
        is_forgotten = clock - looked >= _REMEMBERS[provider]
        if not (is_forgotten and looked >= row["stopped_at"]):
            yield row, [scan for scan in scans[row["tracking_number"]] if scan["at"] <= looked]


def _scan(row: Row, provider: str, carrier: str, number: str) -> Scan:
    words = WORDS[row["step"]]
    said = words.said(provider, row["variant"], row["at"])
    status = said.partition("_")[0]
    meaning = meanings()[_LISTED[provider], status, said]
    if row["step"] == "delivered_back":  # the text says to whom
        meaning = Meaning("RETURNED", "RETURN_TO_SENDER", is_attempt=False)
    return Scan(
        carrier=carrier,
        number=number,
        source=provider,
        at=row["at"] if row["precision"] == "time" else None,
        day=(row["at"] + timedelta(minutes=row["offset_minutes"])).date(),
        country=row["country"],
        native_status=status,
        meaning=meaning,
        leg=row["leg"],
    )


def _told(
    row: Row, provider: str, account: str, carrier: str, number: str, clock: datetime
) -> Told:
    """Only AfterShip holds what the shop promised."""
    has_promise = provider == "aftership" and row["promised_at"] is not None
    is_over = looked_up_at(row["known_at"], row["stopped_at"], clock) == next_look(
        row["known_at"], row["stopped_at"]
    )
    status = GIVEN_UP[provider] if is_over and row["is_given_up"] else ""
    whole = meanings().get((_LISTED[provider], status.partition("_")[0], status))
    return Told(
        carrier=carrier,
        number=number,
        source=provider,
        account=account,
        service=word(row["service"] or ""),
        known_at=row["known_at"],
        origin=row["origin"],
        destination=row["destination"],
        promised=_day_there(row["promised_at"], row["destination"]) if has_promise else None,
        first_estimate=row["estimated_date"],
        whole_exception=whole.exception if whole else None,
    )


def _day_there(at: datetime, country: str) -> date:
    zone = ZoneInfo(geography.country(country).time_zone)
    return at.replace(tzinfo=UTC).astimezone(zone).date()
