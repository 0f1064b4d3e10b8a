"""Parcels as all sources together tell of them, and the rows of their facts.

Belongs here: which scans and shipments are of one parcel, and what they mean (facts about tracking,
section 4). Does not belong here: what a source tells (`shipments.py`, `scans.py`).
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from sources._sandbox.truth.rates import Rates
from sources._sandbox.truth.reader import UNKNOWN, Line, Reader, key, part
from sources._sandbox.truth.scans import KEEP, Scan, shop_scans
from sources._sandbox.truth.services import Told, tracked
from sources._sandbox.truth.shipments import Carriers, Shipment, Shipments
from sources._sandbox.world import geography

Row = dict[str, Any]
Cost = tuple[Decimal, str, Decimal | None]  # amount, its currency, in the reporting currency
REUSED_AFTER = timedelta(days=120)
SILENCE = timedelta(days=7)
LOST_AFTER = {True: timedelta(days=30), False: timedelta(days=60)}  # express; all others
RANKS = {
    "UNKNOWN": 0, "LABEL_CREATED": 10, "ACCEPTED": 20, "IN_TRANSIT": 30, "DEPARTED_ORIGIN": 32,
    "ARRIVED_DESTINATION": 34, "CUSTOMS_STARTED": 36, "CUSTOMS_CLEARED": 38,
    "OUT_FOR_DELIVERY": 50, "AVAILABLE_FOR_PICKUP": 55, "DELIVERED": 60, "RETURNING": 70,
    "RETURNED": 80, "CLOSED": 90, KEEP: 99,
}  # fmt: skip
_TRUST = ("file", "seventeentrack", "aftership", "marketplace")
_BACK = ("RETURNING", "RETURNED")


@dataclass
class Event:
    """A scan as a fact: what several say of one minute in the same sense is one."""

    event_id: str
    scan: Scan
    is_superseded: bool
    milestone: str = "UNKNOWN"  # told, or that of the event before
    is_heard: bool = False

    @property
    def told(self) -> str:
        return self.scan.meaning.milestone

    @property
    def exception(self) -> str | None:
        return self.scan.meaning.exception

    @property
    def seen_at(self) -> datetime:
        return self.scan.at or datetime.combine(self.scan.day or date.min, time(12))


@dataclass
class Parcel:
    """One parcel with everything that is known of it at `clock`."""

    clock: datetime
    carrier: str
    number: str
    first_seen: date
    begun: datetime
    shipments: list[Shipment]
    events: list[Event]
    told: list[Told] = field(default_factory=list)
    is_express: bool = False

    @property
    def key(self) -> str:
        return key(self.carrier, self.number, self.first_seen.isoformat())

    @cached_property
    def lines(self) -> list[Line]:
        return [shipment.line for shipment in self.shipments]

    def _first(self, name: str) -> Any:
        values = [getattr(s, name) for s in self.shipments if getattr(s, name) is not None]
        return min(values, default=None)

    def _of_told(self, name: str) -> Any:
        return next((v for t in self.told if (v := getattr(t, name)) is not None), None)

    @cached_property
    def service(self) -> str:
        of_shops = min((s.service for s in self.shipments if s.service != UNKNOWN), default=None)
        return of_shops or self._of_told("service") or UNKNOWN

    @cached_property
    def direction(self) -> str:
        if not self.shipments:
            return "outbound"
        words = {s.direction for s in self.shipments}
        is_resent = any(line.link_kind == "replacement" for line in self.lines)
        return "replacement" if is_resent and words == {"outbound"} else min(words)

    @cached_property
    def origin(self) -> str:
        home = min((ln.country for ln in self.lines), default=None)
        is_return = self.direction == "return"
        return (
            self._first("origin")
            or self._of_told("origin")
            or (home if is_return else None)
            or "ZZ"
        )

    @cached_property
    def destination(self) -> str:
        return self._first("destination") or self._of_told("destination") or "ZZ"

    def _day_there(self, at: datetime) -> date:
        """The date at the destination."""
        zone = "UTC" if self.destination == "ZZ" else zone_of(self.destination)
        return at.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).date()

    @cached_property
    def standing(self) -> list[Event]:
        return [event for event in self.events if not event.is_superseded]

    def _heard_at(self, milestone: str) -> datetime | None:
        times = [
            e.scan.at for e in self.standing if e.told == milestone and e.is_heard and e.scan.at
        ]
        return min(times, default=None)

    @cached_property
    def accepted(self) -> Event | None:
        told = [e for e in self.standing if e.told == "ACCEPTED" and e.is_heard]
        moved = [e for e in self.standing if 30 <= RANKS[e.told] < 60]
        return next(iter(told or moved), None)

    @cached_property
    def delivery(self) -> Event | None:
        """The last delivery, if the parcel did not go back after it."""
        last = None
        for event in self.standing:
            if event.told == "DELIVERED" and event.is_heard:
                last = event
            elif event.told in _BACK:
                last = None
        return last

    @cached_property
    def delivered_at(self) -> datetime | None:
        """By its scans; of a parcel that nobody scans by the word of the shop."""
        if self.standing:
            return self.delivery.scan.at if self.delivery else None
        if self.direction == "return" or not self.lines:
            return None
        times = [line.told_delivered_at for line in self.lines]
        known = [at for at in times if at is not None]
        return max(known) if len(known) == len(times) else None

    @property
    def is_delivered(self) -> bool:
        return self.delivery is not None or self.delivered_at is not None

    def _last(self, *exceptions: str) -> Event | None:
        found = [e for e in self.standing if e.exception in exceptions]
        return found[-1] if found else None

    def _has(self, *exceptions: str) -> bool:
        return self._last(*exceptions) is not None

    @cached_property
    def is_lost(self) -> bool:
        last = None
        for event in self.standing:
            if event.exception == "LOST":
                last = event if event.is_heard else last
            elif event.exception != "STALE":
                last = None
        return last is not None

    @cached_property
    def last_exception(self) -> Event | None:
        heard = [e for e in self.standing if e.exception and e.is_heard]
        return heard[-1] if heard else None

    @property
    def given_up(self) -> str | None:
        """STALE or BAD_NUMBER, said of the parcel as a whole and by no scan."""
        return None if self.is_delivered else self._of_told("whole_exception")

    @property
    def is_returned_to_sender(self) -> bool:
        return self._has("RETURN_TO_SENDER") and not self.is_delivered

    @cached_property
    def hold(self) -> tuple[Event, Event | None] | None:
        """The first hold at customs, and what ended it."""
        held = [e for e in self.standing if e.exception == "CUSTOMS_HOLD" and e.is_heard]
        if not held:
            return None
        later = self.standing[self.standing.index(held[0]) + 1 :]
        released = [e for e in later if e.told != KEEP and RANKS[e.told] >= 38]
        return held[0], next(iter(released), None)

    @cached_property
    def undelivered_kind(self) -> str | None:
        if self.is_delivered:
            return None
        if self.is_lost:
            return "lost"
        refused, destroyed = self._last("REFUSED"), self._has("DESTROYED")
        is_refused = refused is not None and refused is self.last_exception
        if not (self.is_returned_to_sender or is_refused or destroyed):
            return None
        if refused is not None:
            return "refused"
        if self._has("ADDRESS_PROBLEM"):
            return "address"
        if self.hold and (self.hold[1] is None or destroyed):
            return "customs"
        return "lost" if destroyed else "returned_other"

    @cached_property
    def milestone(self) -> str:
        if self.is_delivered:
            return "DELIVERED"
        if self.given_up == "STALE":
            return "CLOSED"
        return self.standing[-1].milestone if self.standing else "UNKNOWN"

    @cached_property
    def promised(self) -> date | None:
        """What the buyer was promised; nothing of the way back."""
        if self.direction == "return":
            return None
        promises = [s.promised_at or s.line.promised_at for s in self.shipments]
        known = [at for at in promises if at is not None]
        if known:
            return self._day_there(max(known))
        told: date | None = self._of_told("promised") or self._of_told("first_estimate")
        return told

    @property
    def days_late(self) -> int | None:
        """Open parcels to date; nothing is known of those that nobody tells of."""
        if self.promised is None:
            return None
        if self.delivered_at is not None:
            return (self._day_there(self.delivered_at) - self.promised).days
        if self.is_delivered or self.undelivered_kind or not (self.standing or self.told):
            return None
        return (self._day_there(self.clock) - self.promised).days

    @property
    def transit_days(self) -> float | None:
        accepted = self.accepted.scan.at if self.accepted else None
        if self.delivered_at is None or accepted is None:
            return None
        return _days(self.delivered_at - accepted)

    @property
    def customs_hold_hours(self) -> float | None:
        if self.hold is None or self.hold[0].scan.at is None:
            return None
        end = self.hold[1].scan.at if self.hold[1] else self.clock
        return None if end is None else (end - self.hold[0].scan.at).total_seconds() / 3600

    @property
    def first_attempt_at(self) -> datetime | None:
        times = [
            e.scan.at
            for e in self.standing
            if (e.scan.meaning.is_attempt or e.told == "DELIVERED") and e.is_heard and e.scan.at
        ]
        return min(times, default=None)

    @cached_property
    def is_waiting(self) -> bool:
        """Accepted and not known to have ended in any way."""
        is_over = self.is_delivered or self.undelivered_kind or self.given_up
        return not is_over and self.milestone not in ("RETURNED", "CLOSED") and bool(self.accepted)

    def _is_silent_for(self, stretch: timedelta) -> bool:
        return self.is_waiting and self.standing[-1].seen_at < self.clock - stretch

    @property
    def is_presumed_lost(self) -> bool:
        return self._is_silent_for(LOST_AFTER[self.is_express])

    @property
    def has_tracking_gap(self) -> bool:
        if self._is_silent_for(SILENCE):
            return True
        if self.accepted is None:
            return False
        start = self.standing.index(self.accepted)
        heard = [e for e in self.standing if e.told == "DELIVERED" and e.is_heard]
        end = self.standing.index(heard[-1]) if heard else len(self.standing) - 1
        way = self.standing[start : end + 1]
        return any(b.seen_at - a.seen_at > SILENCE for a, b in pairwise(way))

    @property
    def is_duty_dispute(self) -> bool:
        return self._has("PAYMENT_DUE", "SECURITY_OR_FEES") and (
            self._has("REFUSED") or self.is_returned_to_sender
        )

    @property
    def label(self) -> tuple[Decimal, str, date] | None:
        """What the label cost, by the shop's word, on the day of sending."""
        costs = [(s.label, s.currency) for s in self.shipments if s.label and s.currency]
        sent = self._first("shipped_at")
        if not costs or sent is None:
            return None
        return *max(costs), sent.date()

    @property
    def order_key(self) -> str:
        return min((ln.order_key for ln in self.lines), default=UNKNOWN)

    @property
    def account(self) -> str:
        return self.lines[0].account if self.lines else str(self._of_told("account") or UNKNOWN)

    @property
    def marketplace(self) -> str:
        return self.lines[0].place.name if self.lines else UNKNOWN


def zone_of(country: str) -> str:
    """Time zone in which a country's dates are told."""
    mostly = {"US": "America/New_York", "CA": "America/Toronto", "MX": "America/Mexico_City"}
    return mostly.get(country) or geography.country(country).time_zone


def _days(span: timedelta) -> float:
    """To two decimals; halves, which no float holds, go up."""
    days = Decimal(span // timedelta(seconds=1)) / 86_400
    return float(days.quantize(Decimal("0.01"), "ROUND_HALF_UP"))


def known_parcels(reader: Reader, lines: dict[str, Line]) -> list[Parcel]:
    """All parcels that anybody tells of; lines learn from them that they have arrived."""
    carriers = Carriers()
    shipments = Shipments(reader, lines, carriers)
    scans, told = tracked(reader, carriers)
    scans += shop_scans(reader, shipments, carriers)
    found = parcels_of(reader.clock, carriers, shipments.all(), scans, told)
    _tell_lines(found)
    return found


def _tell_lines(parcels: list[Parcel]) -> None:
    """Lines learn which units never came, and those without a word from their shop that they are
    there: with the last of their parcels, once all have ended and hold everything that was sent."""
    parcels_of_line: dict[str, list[tuple[Parcel, Shipment]]] = defaultdict(list)
    for parcel in parcels:
        for shipment in parcel.shipments:
            if shipment.direction != "return":
                parcels_of_line[shipment.line.key].append((parcel, shipment))
    for pairs in parcels_of_line.values():
        line = pairs[0][1].line
        never = sum(s.quantity for parcel, s in pairs if parcel.undelivered_kind)
        line.undelivered = min(max(line.undelivered, never), line.shipped)
        have_ended = all(p.delivered_at or p.undelivered_kind for p, _ in pairs)
        is_all = sum(s.quantity for _, s in pairs) >= line.shipped
        if line.delivered_at is None and have_ended and is_all:
            times = [parcel.delivered_at for parcel, _ in pairs if parcel.delivered_at]
            line.delivered_at = max(times, default=None)
            line.is_delivered_by_carrier = True


def parcels_of(
    clock: datetime,
    carriers: Carriers,
    shipments: Iterable[Shipment],
    scans: Iterable[Scan],
    told: Iterable[Told],
) -> list[Parcel]:
    """Shipments, scans and words of services put together by carrier, number and time."""
    evidence: dict[tuple[str, str], list[tuple[datetime, Shipment | Scan | Told]]] = defaultdict(
        list
    )
    for shipment in shipments:
        if shipment.shipped_at is not None:
            evidence[shipment.carrier, shipment.number].append((shipment.shipped_at, shipment))
    for scan in scans:
        at = scan.at or datetime.combine(scan.day or date.min, time())
        evidence[scan.carrier, scan.number].append((at, scan))
    words: dict[tuple[str, str], list[Told]] = defaultdict(list)
    for known in told:
        words[known.carrier, known.number].append(known)
        if (known.carrier, known.number) not in evidence:
            evidence[known.carrier, known.number].append((known.known_at, known))
    found = []
    for (carrier, number), seen in evidence.items():
        groups = _apart(sorted(seen, key=lambda pair: pair[0]))
        for place, group in enumerate(groups, 1):
            parcel = _parcel(clock, carrier, number, group)
            if place == len(groups):  # services tell of the last parcel of a number
                parcel.told = sorted(words[carrier, number], key=lambda t: _TRUST.index(t.source))
            parcel.is_express = carriers.is_express(carrier, parcel.service)
            found.append(parcel)
    return found


def _apart(
    seen: list[tuple[datetime, Shipment | Scan | Told]],
) -> list[list[tuple[datetime, Shipment | Scan | Told]]]:
    """A number that is seen again after a long time is another parcel's."""
    groups = [[seen[0]]]
    for pair in seen[1:]:
        if pair[0] - groups[-1][-1][0] > REUSED_AFTER:
            groups.append([])
        groups[-1].append(pair)
    return groups


def _parcel(
    clock: datetime,
    carrier: str,
    number: str,
    group: list[tuple[datetime, Shipment | Scan | Told]],
) -> Parcel:
    sent = [at for at, thing in group if isinstance(thing, Shipment)]
    first = min(sent, default=group[0][0]).date()
    shipped = [thing for _, thing in group if isinstance(thing, Shipment)]
    parcel = Parcel(clock, carrier, number, first, group[0][0], shipped, [])
    parcel.events = _events(parcel.key, [t for _, t in group if isinstance(t, Scan)])
    return parcel


def _events(parcel_key: str, scans: list[Scan]) -> list[Event]:
    """Scans as events, in order, each with the milestone that the parcel had reached."""
    same: dict[str, list[Scan]] = defaultdict(list)
    for scan in scans:
        same[_event_id(parcel_key, scan)].append(scan)
    events = []
    for event_id, twins in same.items():
        stand = [scan for scan in twins if not scan.is_superseded]
        best = min(
            stand or twins,
            key=lambda s: (_TRUST.index(s.source), str(s.at or s.day), s.leg, s.native_status),
        )
        events.append(Event(event_id, best, not stand))
    events.sort(key=lambda e: (e.seen_at, RANKS[e.told], e.event_id))
    reached = "UNKNOWN"
    best_source: dict[tuple[str, str | None], int] = {}
    for event in events:
        if event.told != KEEP and not event.is_superseded:
            reached = event.told
        event.milestone = event.told if event.told != KEEP else reached
        if not event.is_superseded:
            meant = (event.told, event.exception)
            trust = _TRUST.index(event.scan.source)
            best_source[meant] = min(best_source.get(meant, trust), trust)
    for event in events:
        meant = (event.told, event.exception)
        trust = _TRUST.index(event.scan.source)
        event.is_heard = not event.is_superseded and best_source.get(meant) == trust
    return events


def _event_id(parcel_key: str, scan: Scan) -> str:
    """Hash of parcel, minute, milestone, exception and country."""
    minute = scan.at.replace(second=0, microsecond=0) if scan.at else scan.day
    parts = (parcel_key, str(minute), scan.meaning.milestone, scan.meaning.exception or "",
             scan.country)  # fmt: skip
    return hashlib.md5("|".join(parts).encode(), usedforsecurity=False).hexdigest()


def parcel_rows(parcels: list[Parcel], rates: Rates, carrying: Mapping[str, Cost]) -> Iterator[Row]:
    for parcel in parcels:
        unknown = parcel.carrier == UNKNOWN and parcel.service == UNKNOWN
        amount, currency, reporting, source = _cost(parcel, rates, carrying)
        yield {
            "parcel_key": parcel.key,
            "order_key": parcel.order_key,
            "account": parcel.account,
            "marketplace": parcel.marketplace,
            "carrier_key": UNKNOWN if unknown else f"{part(parcel.carrier)}|{part(parcel.service)}",
            "carrier": parcel.carrier,
            "service": parcel.service,
            "tracking_number": parcel.number,
            "direction": parcel.direction,
            "origin": parcel.origin,
            "destination": parcel.destination,
            "fulfilment_centre_id": _centre(parcel),
            "milestone": parcel.milestone,
            "exception_code": parcel.given_up
            or (parcel.last_exception.exception if parcel.last_exception else None),
            "label_created_at": min(
                (
                    e.scan.at
                    for e in parcel.standing
                    if e.milestone == "LABEL_CREATED" and e.is_heard and e.scan.at
                ),
                default=None,
            ),
            "accepted_at": parcel.accepted.scan.at if parcel.accepted else None,
            "departed_origin_at": parcel._heard_at("DEPARTED_ORIGIN"),
            "arrived_destination_at": parcel._heard_at("ARRIVED_DESTINATION"),
            "customs_cleared_at": parcel._heard_at("CUSTOMS_CLEARED"),
            "first_attempt_at": parcel.first_attempt_at,
            "delivered_at": parcel.delivered_at,
            "ship_by_at": min((at for ln in parcel.lines if (at := ln.ship_by_at)), default=None),
            "promised_date": parcel.promised,
            "days_late": parcel.days_late,
            "transit_days": parcel.transit_days,
            "failed_attempts": _attempts(parcel),
            "customs_hold_hours": parcel.customs_hold_hours,
            "is_lost": parcel.is_lost,
            "is_presumed_lost": parcel.is_presumed_lost,
            "is_damaged_scan": parcel._has("DAMAGED"),
            "is_returned_to_sender": parcel.is_returned_to_sender,
            "undelivered_kind": parcel.undelivered_kind,
            "has_tracking_gap": parcel.has_tracking_gap,
            "is_duty_dispute": parcel.is_duty_dispute,
            "cost_amount": amount,
            "currency": currency,
            "cost_reporting": reporting,
            "cost_source": source,
            "reporting_currency": rates.reporting,
        }


def _cost(
    parcel: Parcel, rates: Rates, carrying: Mapping[str, Cost]
) -> tuple[Decimal | None, str | None, Decimal | None, str]:
    """As carriers bill it, else what the label cost."""
    if parcel.key in carrying:
        return *carrying[parcel.key], "billed"
    if parcel.label is None:
        return None, None, None, "missing"
    amount, currency, day = parcel.label
    return amount, currency, rates.convert(amount, currency, day), "quoted"


def _centre(parcel: Parcel) -> str:
    told = [centre for s in parcel.shipments if (centre := s.centre or s.line.centre) != UNKNOWN]
    return min(told, default=UNKNOWN)


def _attempts(parcel: Parcel) -> int | None:
    """Attempts that failed; not known of a parcel without scans."""
    if not parcel.standing:
        return None
    return sum(e.scan.meaning.is_attempt and e.is_heard for e in parcel.standing)


def event_rows(parcels: list[Parcel]) -> Iterator[Row]:
    for parcel in parcels:
        for event in parcel.events:
            scan = event.scan
            yield {
                "parcel_key": parcel.key,
                "event_id": event.event_id,
                "account": parcel.account,
                "marketplace": parcel.marketplace,
                "event_at": scan.at,
                "event_date": scan.day,
                "milestone": event.milestone,
                "exception_code": event.exception,
                "leg": scan.leg,
                "event_country": scan.country,
                "native_status": scan.native_status,
                "tracking_source": scan.source,
                "is_superseded": event.is_superseded,
            }


def line_rows(parcels: list[Parcel]) -> Iterator[Row]:
    """A line bears the parcel's cost by its units."""
    for parcel in parcels:
        units: dict[str, int] = defaultdict(int)
        lines = {line.key: line for line in parcel.lines}
        for shipment in parcel.shipments:
            units[shipment.line.key] += shipment.quantity
        for name, quantity in units.items():
            yield {
                "parcel_key": parcel.key,
                "order_line_key": name,
                "account": lines[name].account,
                "marketplace": lines[name].place.name,
                "sku": lines[name].sku,
                "quantity": quantity,
                "cost_share": quantity / sum(units.values()),
            }
