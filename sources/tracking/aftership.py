"""AfterShip Tracking 2026-07: calls, and trackings as records.

Belongs here: paging by cursor, the rates that its headers tell, its error codes. Does not belong
here: which parcels are asked for (`registering.py`).

AfterShip keeps 120 days: what nobody read until then is lost, so an old cursor is worth a word.
"""

from __future__ import annotations

import email.utils
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import requests

from sources._core.clock import Clock
from sources._core.connector import Check, OpenParcel, Page, Reject, StreamContext, Window
from sources._core.errors import SourceError
from sources._core.http import Call, Session
from sources._core.limits import Limits, TokenBucket
from sources._core.pagination import walk

from . import registering
from .config import (
    AFTERSHIP_KEEPS,
    AFTERSHIP_WARNS,
    RATES,
    TRACKINGS_PER_PAGE,
    TrackingAccount,
)
from .lists import CarrierKeys
from .registering import Asked

_PATH = "/tracking/2026-07/trackings"
_BAD_REQUEST = 400
_LONGEST_WAIT = 120.0
_OLDEST = "2000"
_OUTCOMES = {
    4003: registering.KNOWN,
    4005: registering.BAD_NUMBER,
    4010: registering.CARRIER_UNKNOWN,
    4012: registering.CARRIER_UNKNOWN,
}


class RefusedTrackingError(SourceError):
    """One tracking was refused, with AfterShip's own code."""

    def __init__(self, subject: str, code: int) -> None:
        super().__init__(f"{subject} was refused by AfterShip (code {code})")
        self.code = code


class Pagination(msgspec.Struct):
    next_cursor: str | None = None
    has_next_page: bool | None = None


class Listing(msgspec.Struct):
    trackings: list[dict[str, Any]] | None = None
    pagination: Pagination | None = None


class Answered(msgspec.Struct):
    data: Listing


class AftershipClient:
    """One account. Safe for the threads of its streams."""

    def __init__(self, account: TrackingAccount, clock: Clock, key: str, keys: CarrierKeys) -> None:
        self.account, self.clock, self.keys = account, clock, keys
        self._session = Session(
            account.address,
            clock,
            limits=Limits(clock, RATES),
            headers={"as-api-key": key},
            classify=_classify,
            asked_wait=self._asked_wait,
            on_answer=self._on_answer,
        )

    def register(self, parcels: Sequence[OpenParcel]) -> list[Asked]:
        """One call for each parcel."""
        return [self._create(parcel) for parcel in parcels]

    def changed(self, window: Window) -> Iterator[Listing]:
        """Trackings that changed in a window, page by page."""
        period = {
            "updated_at_min": window.start.isoformat(),  # + goes out as %2B
            "updated_at_max": window.end.isoformat(),
            "limit": TRACKINGS_PER_PAGE,
        }
        decode = msgspec.json.Decoder(Answered).decode

        def fetch(token: str | None) -> tuple[Listing, str | None]:
            params = {**period, "cursor": token} if token else period
            call = Call("GET", _PATH, "aftership_list", params=params)
            listing = self._session.request(call, decode).value.data
            page = listing.pagination or Pagination()
            return listing, page.next_cursor if page.has_next_page else None

        return walk(fetch, f"GET {_PATH}")

    def check(self) -> Check:
        """Whether the key is accepted."""
        try:
            self._session.request(Call("GET", _PATH, "aftership_list", params={"limit": 1}))
        except SourceError as error:
            return Check("api_key", ok=False, message=str(error))
        return Check("api_key", ok=True, message="AfterShip accepts it")

    def close(self) -> None:
        self._session.close()

    def _create(self, parcel: OpenParcel) -> Asked:
        slug = self.keys.by_carrier.get(parcel.carrier)
        body = {"tracking_number": parcel.tracking_number, "order_id": parcel.order_ref}
        call = Call(
            "POST", _PATH, "aftership_create", json={**body, "slug": slug} if slug else body
        )
        try:
            self._session.request(call)
        except RefusedTrackingError as refused:
            outcome = _OUTCOMES.get(refused.code, registering.REFUSED)
            return Asked(parcel, outcome, slug if outcome == registering.KNOWN else None)
        return Asked(parcel, registering.ACCEPTED, slug)

    def _on_answer(self, response: requests.Response, bucket: TokenBucket | None) -> None:
        """The headers tell the rate of today, whatever the documents say."""
        limit = _number(response.headers.get("X-RateLimit-Limit"))
        if bucket is not None and limit:
            bucket.adapt(limit)

    def _asked_wait(self, response: requests.Response, _number_of_try: int) -> float | None:
        reset = _number(response.headers.get("X-RateLimit-Reset"))
        if not reset:
            return None
        date = response.headers.get("Date")
        now = email.utils.parsedate_to_datetime(date) if date else self.clock.now()
        return min(max(reset - now.timestamp(), 0.0), _LONGEST_WAIT)


def _classify(response: requests.Response, subject: str) -> SourceError | None:
    """AfterShip's code of a refused request; the default table for all else."""
    if response.status_code != _BAD_REQUEST:
        return None
    try:
        code = int(response.json()["meta"]["code"])
    except (ValueError, KeyError, TypeError):
        return None
    return RefusedTrackingError(subject, code)


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


def read_registrations(context: StreamContext, _window: Window) -> Iterator[Page]:
    """Makes open parcels known."""
    client: AftershipClient = context.client
    return registering.register(context, client.register, TRACKINGS_PER_PAGE)


def read_trackings(context: StreamContext, window: Window) -> Iterator[Page]:
    """Trackings that changed in the window, as far back as AfterShip keeps them."""
    client: AftershipClient = context.client
    now = context.clock.now()
    horizon = now - AFTERSHIP_KEEPS
    if window.start < now - AFTERSHIP_WARNS:
        yield Page((), source_ref="horizon", rejects=[_horizon_note(window.start, now)])
    if window.end <= horizon:
        return
    kept = Window(max(window.start, horizon), window.end, window.is_last)
    for number, listing in enumerate(client.changed(kept), start=1):
        rows = listing.trackings or []
        held_back = 0
        records = []
        for row in rows:
            points = [p for p in row.get("checkpoints") or [] if isinstance(p, Mapping)]
            placed = [point for point in points if _has_day(point)]
            held_back += len(points) - len(placed)
            carrier = client.keys.carrier_of(row.get("slug")) or row.get("slug")
            records.append({**row, "carrierName": carrier, "checkpoints": placed})
        rejects = [_without_time(held_back)] if held_back else []
        yield Page(records, source_ref=f"trackings page {number}", rejects=rejects)


def _has_day(point: Mapping[str, Any]) -> bool:
    time = point.get("checkpoint_time")
    return isinstance(time, str) and time[:4] >= _OLDEST


def _without_time(count: int) -> Reject:
    advice = "scans without any day are held back: nothing can be known of them"
    return Reject("event_without_time", count, advice)


def _horizon_note(start: datetime, now: datetime) -> Reject:
    days = (now - start).days
    return Reject(
        "near_horizon",
        0,
        f"AfterShip keeps {AFTERSHIP_KEEPS.days} days and was last read {days} days ago: what is "
        "older cannot be read any more. Run the night more often",
        start.astimezone(UTC).date().isoformat(),
    )
