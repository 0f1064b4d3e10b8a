"""17TRACK v2.4 as the sandbox answers for it.

Belongs here: routes, envelope and codes, registering, lists by page. Does not belong here: parcels
as objects (`seventeentrack_parcels.py`).

A call that is wrong as a whole has `data.errors`; a number that is refused stands in
`data.rejected` beside `data.accepted`, with HTTP 200. What the seller's shops have handed in is
known before anybody registers it here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from sources._sandbox.server import Request, Response

from .answers import Budget, Object, RefusedError, Shown, json_response, moment, written
from .carriers import carrier_of
from .seventeentrack_parcels import Entry, list_row, track_info
from .snapshot import Parcels, Row, Services

PROVIDER = "seventeentrack"
ROOT = "/track/v2.4/"
MOST, PER_PAGE = 40, 40
CALLS, WITHIN = 3, timedelta(seconds=1)
QUOTA = 100_000
READABLE_FOR = timedelta(days=90)  # after it has stopped
FIRST_NEWS_AFTER = timedelta(minutes=5)
BAD_KEY, BAD_FORMAT, TOO_MANY, NEEDS_PHONE = -18010002, -18010012, -18010014, -18010020
REGISTERED, NOT_REGISTERED, NO_CARRIER = -18019901, -18019902, -18019903
OUT_OF_QUOTA, NO_INFO = -18019908, -18019909

Entries = dict[tuple[str, int], Entry]


class Seventeentrack:
    """One account, by its key."""

    def __init__(
        self, account: str, shown: Shown, budget: Budget, services: Services, quota: int = QUOTA
    ) -> None:
        self.account, self._shown, self._budget = account, shown, budget
        self._services, self._quota, self._used = services, quota, 0
        self._registered: dict[tuple[str, int], datetime] = {}
        self._followed: tuple[datetime, Entries] | None = None
        self._lock = Lock()
        self._calls: dict[str, Callable[[Any, datetime], Object]] = {
            "register": self._register,
            "gettrackinfo": self._infos,
            "gettracklist": self._listed,
            "getquota": self._quota_left,
        }

    @staticmethod
    def key_of(request: Request) -> str:
        return request.headers.get("17token", "")

    @staticmethod
    def stranger() -> RefusedError:
        return RefusedError(401, _failure(BAD_KEY, "Invalid security key."))

    @staticmethod
    def down() -> RefusedError:
        return RefusedError(503)

    @staticmethod
    def too_many() -> RefusedError:
        """Without a word on how long to wait."""
        return RefusedError(429)

    def answer(self, request: Request, now: datetime) -> Response:
        if self._budget.left(self.account, CALLS, WITHIN) < 0:
            raise self.too_many()
        call = self._calls.get(request.path.removeprefix(ROOT))
        if call is None or request.method != "POST" or not request.path.startswith(ROOT):
            raise RefusedError(404)
        try:
            content = json.loads(request.body or b"{}")
        except ValueError:
            raise RefusedError(200, _failure(BAD_FORMAT, "Submitted data is invalid.")) from None
        return json_response(call(content, now))

    def _items(self, content: Any) -> list[Row]:
        if not isinstance(content, list) or not all(isinstance(item, dict) for item in content):
            raise RefusedError(200, _failure(BAD_FORMAT, "Submitted data is invalid."))
        if len(content) > MOST:
            raise RefusedError(200, _failure(TOO_MANY, "Over 40 tracking numbers."))
        return content

    def _entries(self, now: datetime) -> Entries:
        """All that the account follows and has not forgotten."""
        with self._lock:
            if self._followed is None or self._followed[0] != now:
                self._followed = now, self._followed_at(now)
            mine = {(n, c): Entry(n, c, at) for (n, c), at in self._registered.items()}
            return mine | self._followed[1]

    def _followed_at(self, now: datetime) -> Entries:
        parcels: Parcels = self._services.at(PROVIDER, now)
        return {
            (parcel.number, parcel.carrier.key): Entry(
                parcel.number, parcel.carrier.key, parcel.row["known_at"], parcel,
                parcel.row["order_number"],
            )
            for parcel in parcels
            if not parcel.is_stopped or now - parcel.looked_at < READABLE_FOR
        }  # fmt: skip

    def _register(self, content: Any, now: datetime) -> Object:
        entries = self._entries(now)
        accepted, rejected = [], []
        for item in self._items(content):
            number, carrier = written(item.get("number")), item.get("carrier") or 0
            code = self._refusal(number, carrier, item, entries)
            if code is None:
                key, origin = _detected(carrier)
                with self._lock:
                    self._registered[number, key] = now
                    self._used += 1
                entries[number, key] = Entry(number, key, now)
                accepted.append(
                    {"origin": origin, "number": number, "carrier": key, "email": None,
                     "tag": item.get("tag"), "lang": None}
                )  # fmt: skip
            else:
                rejected.append(_rejected(number, carrier or None, code))
        return {"code": 0, "data": {"accepted": accepted, "rejected": rejected}}

    def _refusal(self, number: str, carrier: object, item: Row, entries: Entries) -> int | None:
        if not re.fullmatch(r"[A-Z0-9-]{5,50}", number) or not isinstance(carrier, int):
            return BAD_FORMAT
        if _found(entries, number, carrier):
            return REGISTERED
        if number in self._services.cannot_follow:
            return NEEDS_PHONE
        if not carrier and (item.get("auto_detection") is False or not number[:2].isalpha()):
            return NO_CARRIER
        return OUT_OF_QUOTA if self._used >= self._quota else None

    def _infos(self, content: Any, now: datetime) -> Object:
        entries = self._entries(now)
        accepted: list[Object] = []
        rejected: list[Object] = []
        for item in self._items(content):
            number, carrier = written(item.get("number")), item.get("carrier") or 0
            found = _found(entries, number, carrier)
            if not found:
                rejected.append(_rejected(number, carrier or None, NOT_REGISTERED))
            for entry in found:
                if entry.parcel is None and now - entry.registered_at < FIRST_NEWS_AFTER:
                    rejected.append(_rejected(number, entry.carrier, NO_INFO))
                else:
                    accepted.append(
                        {"number": entry.number, "carrier": entry.carrier, "param": None,
                         "tag": entry.tag, "track_info": track_info(entry, now)}
                    )  # fmt: skip
        page = self._shown.page(self.account, "seventeentrack_parcels", "number", accepted)
        return {"code": 0, "data": {"accepted": page, "rejected": rejected}}

    def _listed(self, content: Any, now: datetime) -> Object:
        """What the account follows, 40 a page; looked up last in `track_time_from` and so on."""
        if not isinstance(content, dict):
            raise RefusedError(200, _failure(BAD_FORMAT, "Submitted data is invalid."))
        registered, looked = _bounds(content, "register_time"), _bounds(content, "track_time")
        rows = [
            entry
            for entry in self._entries(now).values()
            if _within(entry.registered_at, registered)
            and _within(entry.looked_at, looked)
            and content.get("package_status") in (None, "", entry.status.partition("_")[0])
            and content.get("number") in (None, "", entry.number)
        ]
        order = str(content.get("order_by") or "RegisterTimeDesc")
        by_look = order.startswith("Track")
        rows.sort(
            key=lambda e: ((e.looked_at if by_look else None) or e.registered_at, e.number),
            reverse=not order.endswith("Asc"),
        )
        page_no = max(int(content.get("page_no") or 1), 1)
        page = rows[(page_no - 1) * PER_PAGE : page_no * PER_PAGE]
        shown = [list_row(entry) for entry in page]
        return {
            "page": {
                "data_total": len(rows),
                "page_total": -(-len(rows) // PER_PAGE),
                "page_no": page_no,
                "page_size": PER_PAGE,
            },
            "code": 0,
            "data": {
                "accepted": self._shown.page(self.account, "seventeentrack_list", "number", shown),
                "rejected": [],
            },
        }

    def _quota_left(self, _content: Any, _now: datetime) -> Object:
        return {
            "code": 0,
            "data": {
                "quota_total": self._quota,
                "quota_used": self._used,
                "quota_remain": self._quota - self._used,
                "today_used": self._used,
                "max_track_daily": self._quota,
                "free_email_quota": 0,
                "free_email_quotaused": 0,
            },
        }


def _failure(code: int, message: str) -> Object:
    return {"code": code, "data": {"errors": [{"code": code, "message": message}]}}


def _rejected(number: str, carrier: object, code: int) -> Object:
    message = f"The tracking number '{number}' was refused ({code})."
    return {
        "number": number,
        "carrier": carrier,
        "tag": None,
        "error": {"code": code, "message": message},
    }


def _found(entries: Entries, number: str, carrier: int) -> list[Entry]:
    """By number and carrier; by the number alone where no carrier is given."""
    if carrier:
        entry = entries.get((number, carrier))
        return [entry] if entry else []
    return [entry for (mine, _), entry in entries.items() if mine == number]


def _detected(carrier: int) -> tuple[int, int]:
    """The carrier and how it was found: 2 as it was given, 3 guessed."""
    return (carrier, 2) if carrier else (carrier_of("China Post").key, 3)


def _bounds(filters: Row, name: str) -> tuple[datetime | None, datetime | None]:
    return moment(filters.get(f"{name}_from")), moment(filters.get(f"{name}_to"))


def _within(at: datetime | None, bounds: tuple[datetime | None, datetime | None]) -> bool:
    low, high = bounds
    if low is None and high is None:
        return True
    return at is not None and (low is None or at >= low) and (high is None or at <= high)
