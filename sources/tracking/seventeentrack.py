"""17TRACK v2.4: calls, and parcels as records.

Belongs here: its envelope and codes, registering, what has changed, what is known of numbers. Does
not belong here: which parcels are asked for (`registering.py`).

An answer may be good as a whole and refuse single numbers: both lists are read each time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from sources._core.clock import Clock
from sources._core.connector import Check, OpenParcel, Page, Reject, StreamContext, Window
from sources._core.errors import ConfigurationError, RetryLater, SourceError, StopStream
from sources._core.http import Call, Session
from sources._core.limits import Limits
from sources._core.pagination import walk

from . import registering
from .config import NUMBERS_PER_CALL, RATES, TrackingAccount
from .lists import CarrierKeys
from .registering import Asked, chunks

_BUCKET = "17track"  # one rate for all calls
_NOT_YET, _NOT_REGISTERED = -18019909, -18019902
_KEY_CODES = {
    -18010001: "this machine's address is not on the allow-list of the key: add it at 17TRACK",
    -18010002: "the key is wrong (a new one takes five minutes): correct secrets.api_key",
    -18010004: "the account is disabled: ask 17TRACK's support",
}
_INTERNAL = -18010003
_OUTCOMES = {
    -18019901: registering.KNOWN,
    -18010012: registering.BAD_NUMBER,
    -18010018: registering.NOT_TRACKABLE,
    -18010019: registering.NOT_TRACKABLE,
    -18010020: registering.NOT_TRACKABLE,
    -18019903: registering.CARRIER_UNKNOWN,
    -18019910: registering.WRONG_CARRIER,
    -18019907: registering.DAILY_LIMIT,
    -18019908: registering.QUOTA,
}
_OLDEST = "2000"  # 0001-01-01 is what carriers write for "no time"


class Fault(msgspec.Struct):
    code: int = 0


class Refused(msgspec.Struct):
    number: str | None = None
    carrier: int | None = None
    error: Fault | None = None

    @property
    def code(self) -> int:
        return self.error.code if self.error else 0


class Data(msgspec.Struct):
    accepted: list[dict[str, Any]] = []
    rejected: list[Refused] = []
    errors: list[Fault] = []


class PageInfo(msgspec.Struct):
    has_next: bool | None = None


class Envelope(msgspec.Struct):
    code: int
    data: Data | None = None
    page: PageInfo | None = None


class SeventeentrackClient:
    """One account. Safe for the threads of its streams."""

    def __init__(self, account: TrackingAccount, clock: Clock, key: str, keys: CarrierKeys) -> None:
        self.account, self.clock, self.keys = account, clock, keys
        self._session = Session(
            account.address, clock, limits=Limits(clock, RATES), headers={"17token": key}
        )

    def register(self, parcels: Sequence[OpenParcel]) -> list[Asked]:
        """At most 40 parcels; each is answered for, in either list."""
        body = [self._order(parcel) for parcel in parcels]
        answer = self._call("register", body)
        accepted = {str(found.get("number")): found for found in answer.accepted}
        refused = {found.number: found for found in answer.rejected}
        return [self._asked(parcel, accepted, refused) for parcel in parcels]

    def changed(self, window: Window) -> Iterator[Sequence[Mapping[str, Any]]]:
        """Numbers that the service has looked up in a window, 40 a page."""
        period = {
            "track_time_from": window.start.isoformat(),
            "track_time_to": window.end.isoformat(),
        }

        def fetch(token: str | None) -> tuple[Sequence[Mapping[str, Any]], str | None]:
            number = int(token or 1)
            envelope = self._envelope("gettracklist", {**period, "page_no": number}, number)
            found = (envelope.data or Data()).accepted
            told = envelope.page.has_next if envelope.page else None
            has_next = len(found) >= NUMBERS_PER_CALL if told is None else told and bool(found)
            return found, str(number + 1) if has_next else None

        return walk(fetch, "POST gettracklist")

    def info(self, numbers: Sequence[Mapping[str, Any]]) -> Data:
        """What is known of at most 40 numbers."""
        return self._call("gettrackinfo", list(numbers))

    def check(self) -> Check:
        """Whether the key is accepted, by the one call that costs nothing."""
        try:
            self._call("getquota", {})
        except SourceError as error:
            return Check("api_key", ok=False, message=str(error))
        return Check("api_key", ok=True, message="17TRACK accepts it")

    def close(self) -> None:
        self._session.close()

    def _order(self, parcel: OpenParcel) -> Mapping[str, Any]:
        key = self.keys.by_carrier.get(parcel.carrier)
        carrier = {"carrier": int(key)} if key else {"auto_detection": True}
        return {
            "number": parcel.tracking_number,
            **carrier,
            "order_no": parcel.order_ref,
            "order_time": parcel.sent_on.isoformat(),
        }

    def _asked(
        self,
        parcel: OpenParcel,
        accepted: Mapping[str, Mapping[str, Any]],
        refused: Mapping[str | None, Refused],
    ) -> Asked:
        number = parcel.tracking_number
        if number in accepted:
            found = accepted[number]
            carrier = found.get("carrier")
            key = None if carrier is None else str(carrier)
            return Asked(parcel, registering.ACCEPTED, key, found.get("origin"))
        code = refused[number].code if number in refused else 0
        outcome = _OUTCOMES.get(code, registering.REFUSED)
        key = self.keys.by_carrier.get(parcel.carrier) if outcome == registering.KNOWN else None
        return Asked(parcel, outcome, key)

    def _call(self, operation: str, body: Any) -> Data:
        return self._envelope(operation, body, None).data or Data()

    def _envelope(self, operation: str, body: Any, page: int | None) -> Envelope:
        path = f"/track/v2.4/{operation}"
        call = Call("POST", path, _BUCKET, json=body, page=page)
        return self._session.request(call, _decoded).value


_decode = msgspec.json.Decoder(Envelope, strict=False).decode


def _decoded(content: bytes) -> Envelope:
    """The envelope; its codes of the call as a whole as errors."""
    envelope = _decode(content)
    faults = envelope.data.errors if envelope.data else []
    code = faults[0].code if faults else envelope.code
    if code == 0:
        return envelope
    if code in _KEY_CODES:
        raise ConfigurationError(f"17TRACK refuses secret api_key ({code}): {_KEY_CODES[code]}")
    if code == _INTERNAL:
        raise RetryLater("17TRACK answered an internal error up to the last try; try tomorrow")
    raise StopStream(f"17TRACK refused the call as a whole ({code}): see its list of codes")


def read_registrations(context: StreamContext, _window: Window) -> Iterator[Page]:
    """Makes open parcels known; one unit of quota for each that is accepted."""
    client: SeventeentrackClient = context.client
    return registering.register(context, client.register, NUMBERS_PER_CALL)


def read_parcels(context: StreamContext, window: Window) -> Iterator[Page]:
    """What is known of each number that the service has looked up in the window."""
    client: SeventeentrackClient = context.client
    seen: set[tuple[Any, Any]] = set()
    for number, listed in enumerate(client.changed(window), start=1):
        wanted = [
            {"number": row.get("number"), "carrier": row.get("carrier")}
            for row in listed
            if (row.get("number"), row.get("carrier")) not in seen
        ]
        seen.update((row["number"], row["carrier"]) for row in wanted)
        for batch in chunks(wanted, NUMBERS_PER_CALL):
            yield _page(client.info(batch), client.keys, number)


def _page(found: Data, keys: CarrierKeys, number: int) -> Page:
    tally: Counter[str] = Counter()
    records = [_record(row, keys, tally) for row in found.accepted]
    for refused in found.rejected:
        if refused.code not in (_NOT_YET, _NOT_REGISTERED):
            tally["number_refused"] += 1
        elif refused.code == _NOT_REGISTERED:
            tally["not_registered"] += 1
    advice = {
        "number_refused": "17TRACK gives nothing for these numbers; the next night asks again",
        "not_registered": "17TRACK has stopped following them: what was read before is kept",
        "event_without_time": "scans without any day are held back: nothing can be known of them",
    }
    rejects = [Reject(reason, count, advice[reason]) for reason, count in sorted(tally.items())]
    return Page(records, source_ref=f"gettrackinfo {number}", rejects=rejects)


def _record(row: Mapping[str, Any], keys: CarrierKeys, tally: Counter[str]) -> Mapping[str, Any]:
    """The row with our word for its carrier and the leg of each provider."""
    info = row.get("track_info") or {}
    tracking = info.get("tracking") or {}
    providers = [p for p in tracking.get("providers") or [] if isinstance(p, Mapping)]
    legs = _legs(len(providers))
    told = [_provider(p, leg, tally) for p, leg in zip(providers, legs, strict=True)]
    first = (providers[0].get("provider") or {}) if providers else {}
    return {
        **row,
        "carrierName": keys.carrier_of(row.get("carrier")) or first.get("name"),
        "track_info": {**info, "tracking": {**tracking, "providers": told}},
    }


def _legs(count: int) -> Sequence[str]:
    """First and last mile have a carrier each; of one alone the leg is not known."""
    if count < 2:
        return ["unknown"] * count
    return ["first", *["unknown"] * (count - 2), "last"]


def _provider(provider: Mapping[str, Any], leg: str, tally: Counter[str]) -> Mapping[str, Any]:
    events = provider.get("events") or []
    placed = [event for event in events if isinstance(event, Mapping) and _has_day(event)]
    if len(placed) < len(events):
        tally["event_without_time"] += len(events) - len(placed)
    return {**provider, "leg": leg, "events": placed}


def _has_day(event: Mapping[str, Any]) -> bool:
    raw = event.get("time_raw") or {}
    days = (event.get("time_utc"), event.get("time_iso"), raw.get("date"))
    return any(isinstance(day, str) and day[:4] >= _OLDEST for day in days)
