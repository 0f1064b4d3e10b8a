"""When an answer of the sandbox goes wrong: throttling, outages, cut answers, changed fields.

Belongs here: the decisions, all of them repeatable (a hash of seed, key and count; no shared
random state, so that threads do not change one another's luck). Does not belong here: what the
wrong answer looks like, which is the API's own affair.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from threading import Lock
from typing import Literal

from sources._core.clock import Clock
from sources._sandbox.scenario import Fault

TransportFault = Literal["http_429", "http_503", "truncated", "slow"]
TRANSPORT_FAULTS: tuple[TransportFault, ...] = ("http_429", "http_503", "truncated", "slow")

MAX_IN_A_ROW = 3
"""A caller that tries four times gets through: faults are a nuisance, an outage is a fault kind."""

SLOW_ANSWER_S = 1.0


def share_of(*parts: object) -> float:
    """A number in [0, 1) that depends on nothing but `parts`: luck that can be repeated."""
    text = "\x1f".join(str(part) for part in parts)
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


@dataclass
class ApiFaults:
    """Decides for each answer, by shares of the scenario's `[api]`.

    A `key` names what is counted apart: account, operation and what is asked. So the n-th try of a
    request always meets the same fate, whatever other threads do.
    """

    seed: int
    shares: Mapping[str, float]
    _counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _in_a_row: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _lock: Lock = field(default_factory=Lock)

    def next_fault(self, key: str) -> TransportFault | None:
        """The fault of the next answer under `key`; counts the answer."""
        with self._lock:
            self._counts[key] += 1
            fault = self._draw(key, self._counts[key])
            if fault in (None, "slow"):
                self._in_a_row[key] = 0
                return fault
            self._in_a_row[key] += 1
            if self._in_a_row[key] > MAX_IN_A_ROW:
                self._in_a_row[key] = 0
                return None
            return fault

    def _draw(self, key: str, count: int) -> TransportFault | None:
        luck = share_of(self.seed, key, count)
        for fault in TRANSPORT_FAULTS:
            share = self.shares.get(fault, 0.0)
            if luck < share:
                return fault
            luck -= share
        return None

    def strikes(self, kind: str, *parts: object) -> bool:
        """True in the scenario's share of contents: the same content always meets the same fate."""
        share = self.shares.get(kind, 0.0)
        return share > 0 and share_of(self.seed, kind, *parts) < share


@dataclass(frozen=True)
class Period:
    """Half-open [start, end) of the clock; None is open."""

    start: datetime | None
    end: datetime | None

    def holds(self, now: datetime) -> bool:
        return (self.start is None or now >= self.start) and (self.end is None or now < self.end)


@dataclass(frozen=True)
class Outage:
    """A source that does not answer: of one account, or of the whole connector."""

    account: str | None
    period: Period


@dataclass(frozen=True)
class Drift:
    """A field of a stream that the API adds, drops, renames or gives another type."""

    stream: str
    change: str
    field: str
    period: Period


@dataclass(frozen=True)
class SourceFaults:
    """The scenario's faults that lie in how a connector answers, not in the world."""

    outages: tuple[Outage, ...]
    drifts: tuple[Drift, ...]

    def is_out(self, clock: Clock, account: str | None = None) -> bool:
        """True while the connector, or this account of it, is down."""
        now = clock.now()
        return any(
            outage.period.holds(now) and outage.account in (None, account)
            for outage in self.outages
        )

    def is_refusing(self, clock: Clock) -> bool:
        """True while the whole connector is down: nobody answers at its address."""
        now = clock.now()
        return any(o.account is None and o.period.holds(now) for o in self.outages)

    def drifts_of(self, stream: str, clock: Clock) -> list[Drift]:
        now = clock.now()
        return [d for d in self.drifts if d.stream == stream and d.period.holds(now)]


def source_faults(connector: str, faults: Iterable[Fault]) -> SourceFaults:
    """Pick `source_outage` and `schema_drift` of one connector from the scenario's faults."""
    outages: list[Outage] = []
    drifts: list[Drift] = []
    for fault in faults:
        if fault.get("connector") != connector:
            continue
        if fault.kind == "source_outage":
            outages.append(Outage(fault.get("account"), _period(fault)))
        elif fault.kind == "schema_drift":
            names = (fault.get("stream"), fault.get("change"), fault.get("field"))
            drifts.append(Drift(*names, _period(fault)))
    return SourceFaults(tuple(outages), tuple(drifts))


def _period(fault: Fault) -> Period:
    """From the first moment of `from` to the last of `to`: `to` is the last day."""
    end = fault.to_date + timedelta(days=1) if fault.to_date else None
    return Period(_midnight(fault.from_date), _midnight(end))


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), UTC)
