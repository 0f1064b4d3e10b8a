"""Hand-written APIs of 17TRACK and AfterShip with state, and short ways to read them.

Belongs here: what the tests of the tracking connector share. Does not belong here: the sandbox.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pydantic
import requests
import responses

from sources._core.clock import ManualClock
from sources._core.connector import OpenParcel
from sources._core.extract import ExtractRequest, StreamOutcome, extract_all
from sources._core.landing import Manifest, all_landed_files
from sources._core.testing import RawTable, raw_tables
from sources.tracking import CONNECTOR
from sources.tracking.config import TrackingAccount

NOW = datetime(2026, 3, 20, tzinfo=UTC)
START = date(2026, 3, 1)
KEY = "key-of-the-service"
UPS = 100002
Node = dict[str, Any]
Reply = tuple[int, Mapping[str, str], str]
REGISTERED = -18019901
NOT_YET = -18019909


def parcel(number: str, carrier: str = "ups", **values: Any) -> OpenParcel:
    """An open parcel of the warehouse, sent on 15 March."""
    defaults: dict[str, Any] = {"order_ref": f"O-{number}", "sent_on": date(2026, 3, 15)}
    return OpenParcel(carrier, number, **{**defaults, **values})


def account(provider: str = "seventeentrack", **values: Any) -> TrackingAccount:
    secrets = {"api_key": pydantic.SecretStr(KEY)}
    given = {"name": "follow", "provider": provider, "start": START, "secrets": secrets, **values}
    return TrackingAccount.model_validate(given)


def event(utc: str, sub_status: str | None, text: str = "scan", **values: Any) -> Node:
    """An event of 17TRACK as it stands at a place whose clock is that of UTC."""
    return {
        "time_iso": f"{utc}+00:00",
        "time_utc": f"{utc}Z",
        "time_raw": {"date": utc[:10], "time": utc[11:], "timezone": "+00:00"},
        "description": text,
        "description_translation": None,
        "location": "Louisville",
        "stage": None,
        "sub_status": sub_status,
        "address": {"country": "US", "state": None, "city": None, "postal_code": "40202"},
        **values,
    }


def track_info(*providers: Sequence[Node], status: str = "InTransit_Other", **more: Any) -> Node:
    """What 17TRACK knows of a number: one list of events for each carrier on the way."""
    return {
        "shipping_info": {
            "shipper_address": {"country": "CN", "city": "Shenzhen"},
            "recipient_address": {"country": "US", "postal_code": "40202"},
        },
        "latest_status": {
            "status": status.split("_")[0], "sub_status": status, "sub_status_descr": None,
        },
        "latest_event": None,
        "time_metrics": {"days_after_order": 3, "estimated_delivery_date": None, **more},
        "milestone": [],
        "misc_info": {"service_type": "Ground", "weight_kg": "0.5", "risk_factor": 0},
        "tracking": {
            "providers_hash": 1,
            "providers": [
                {
                    "provider": {"key": UPS, "name": "UPS", "country": "US", "homepage": "x"},
                    "latest_sync_status": "Success",
                    "latest_sync_time": "2026-03-20T00:00:00Z",
                    "events_hash": len(events),
                    "events": list(events),
                }
                for events in providers
            ],
        },
    }  # fmt: skip


@dataclass
class StubSeventeentrack:
    """`known` is what it knows by number, `codes` the numbers that it refuses to register,
    `corrected` those whose carrier it finds to be another."""

    known: dict[str, Node] = field(default_factory=dict)
    codes: dict[str, int] = field(default_factory=dict)
    corrected: dict[str, int] = field(default_factory=dict)
    registered: dict[str, int] = field(default_factory=dict)
    before: list[Reply] = field(default_factory=list)
    calls: list[tuple[str, Any]] = field(default_factory=list)

    def sent(self, operation: str) -> list[Any]:
        return [body for name, body in self.calls if name == operation]

    @contextmanager
    def running(self) -> Iterator[StubSeventeentrack]:
        with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
            mock.add_callback(
                "POST",
                url=re.compile(r"https://api\.17track\.net/track/v2\.4/\w+"),
                callback=self._answer,
            )
            yield self

    def _answer(self, prepared: requests.PreparedRequest) -> Reply:
        if self.before:
            return self.before.pop(0)
        operation = urlsplit(str(prepared.url)).path.rsplit("/", 1)[-1]
        body = json.loads(prepared.body or b"null")
        self.calls.append((operation, body))
        if prepared.headers.get("17token") != KEY:
            return reply({"code": -1, "data": {"errors": [{"code": -18010002}]}})
        if isinstance(body, list) and len(body) > 40:
            return reply({"code": -1, "data": {"errors": [{"code": -18010014}]}})
        answers: Mapping[str, Callable[[Any], Node]] = {
            "register": self._register,
            "gettracklist": self._list,
            "gettrackinfo": self._info,
            "getquota": lambda _body: {"quota_total": 200},
        }
        return reply({"code": 0, "data": answers[operation](body)})

    def _register(self, body: Sequence[Node]) -> Node:
        data: dict[str, list[Node]] = {"accepted": [], "rejected": []}
        for row in body:
            number = row["number"]
            code = REGISTERED if number in self.registered else self.codes.get(number)
            if code:
                error = {"code": code, "message": "refused"}
                data["rejected"].append({"number": number, "error": error})
            else:
                carrier = self.corrected.get(number, row.get("carrier", UPS))
                self.registered[number] = carrier
                data["accepted"].append({"origin": 1, "number": number, "carrier": carrier})
        return data

    def _list(self, body: Node) -> Node:
        rows = [{"number": n, "carrier": self.registered.get(n, UPS)} for n in self.known]
        start = (body["page_no"] - 1) * 40
        return {"accepted": rows[start : start + 40], "rejected": []}

    def _info(self, body: Sequence[Node]) -> Node:
        data: dict[str, list[Node]] = {"accepted": [], "rejected": []}
        for row in body:
            info = self.known.get(row["number"])
            if info:
                data["accepted"].append({**row, "param": None, "tag": "", "track_info": info})
            else:
                data["rejected"].append({**row, "error": {"code": NOT_YET, "message": "not yet"}})
        return data


def checkpoint(time: str, tag: str, subtag: str, **values: Any) -> Node:
    return {
        "checkpoint_time": time,
        "tag": tag,
        "subtag": subtag,
        "message": "scan",
        "country_region": "USA",
        "slug": "ups",
        "postal_code": "40202",
        "hash": "h",
        **values,
    }


def tracking(number: str, *points: Node, **values: Any) -> Node:
    return {
        "id": f"id-{number}",
        "tracking_number": number,
        "slug": "ups",
        "created_at": "2026-03-15T00:00:00+00:00",
        "updated_at": "2026-03-18T00:00:00+00:00",
        "tag": "InTransit",
        "subtag": "InTransit_001",
        "order_id": f"O-{number}",
        "destination_country_region": "USA",
        "shipment_direction": "forward",
        "customers": [{"name": "Ann Buyer", "email": "ann@example.com"}],
        "checkpoints": list(points) or None,
        **values,
    }


@dataclass
class StubAftership:
    """`trackings` come in pages of `page`; `codes` are refusals by number."""

    trackings: list[Node] = field(default_factory=list)
    codes: dict[str, int] = field(default_factory=dict)
    page: int = 200
    before: list[Reply] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    urls: list[str] = field(default_factory=list)
    created: list[Node] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator[StubAftership]:
        with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
            url = "https://api.aftership.com/tracking/2026-07/trackings"
            mock.add_callback("GET", url, callback=self._list)
            mock.add_callback("POST", url, callback=self._create)
            yield self

    def _list(self, prepared: requests.PreparedRequest) -> Reply:
        self.urls.append(str(prepared.url))
        if self.before:
            return self.before.pop(0)
        if prepared.headers.get("as-api-key") != KEY:
            return reply({"meta": {"code": 401}}, status=401)
        query = parse_qs(urlsplit(str(prepared.url)).query)
        start = int(query.get("cursor", ["0"])[0])
        rows = self.trackings[start : start + self.page]
        has_next = start + self.page < len(self.trackings)
        pages = {
            "total": len(self.trackings),
            "next_cursor": str(start + self.page) if has_next else None,
            "has_next_page": has_next,
        }
        body = {"meta": {"code": 200}, "data": {"pagination": pages, "trackings": rows}}
        return reply(body, self.headers)

    def _create(self, prepared: requests.PreparedRequest) -> Reply:
        body = json.loads(prepared.body or b"null")
        self.created.append(body)
        code = self.codes.get(body["tracking_number"])
        if code:
            return reply({"meta": {"code": code}, "data": {}}, status=400)
        return reply({"meta": {"code": 201}, "data": body}, status=201)


def reply(body: Any, headers: Mapping[str, str] | None = None, status: int = 200) -> Reply:
    return status, headers or {}, json.dumps(body)


@dataclass
class Nights:
    """Nights of one account into one landing folder."""

    landing: Path
    account: TrackingAccount = field(default_factory=account)

    def read(
        self,
        *streams: str,
        parcels: Sequence[OpenParcel] = (),
        now: datetime = NOW,
        cursors: Mapping[str, datetime] | None = None,
        clock: ManualClock | None = None,
    ) -> list[StreamOutcome]:
        told = self.account.model_copy(update={"open_parcels": parcels})
        request = ExtractRequest(CONNECTOR, told, cursors or {}, frozenset(streams))
        return extract_all([request], self.landing, clock or ManualClock(now))

    def manifests(self, stream: str) -> list[Manifest]:
        found = [landed.manifest for landed in all_landed_files(self.landing)]
        return [manifest for manifest in found if manifest.stream == stream]

    def rejects(self, stream: str) -> dict[str, int]:
        return {r.reason: r.count for m in self.manifests(stream) for r in m.rejects}

    def table(self, stream: str) -> RawTable:
        return raw_tables(CONNECTOR, self.landing).get((self.account.name, stream), {})
