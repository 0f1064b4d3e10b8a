"""AfterShip Tracking 2026-07 as the sandbox answers for it.

Belongs here: routes, pages by cursor, codes of refusals, rates in headers. Does not belong here:
trackings as objects (`aftership_trackings.py`).

Trackings whose last news is older than 120 days are gone. Times of scans may lack the offset or
the time of day; the days of pickup and delivery are local and have none.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Lock

from sources._core.clock import Clock
from sources._sandbox.server import Request, Response

from .aftership_trackings import Created, pending, tracking, tracking_id
from .answers import Budget, Object, RefusedError, Shown, json_response, moment, written
from .snapshot import Services

PROVIDER = "aftership"
PATH = "/tracking/2026-07/trackings"
KEEPS = timedelta(days=120)
USUAL, MOST, NUMBERS = 100, 200, 50
WITHIN = timedelta(seconds=1)
RATES = {"POST": 20, "LIST": 6, "ONE": 5}
EXISTS, ABSENT, BAD_NUMBER, BAD_SLUG, NO_COURIER = 4003, 4004, 4005, 4010, 4012
_TIMES = ("updated_at", "created_at")

Bounds = tuple[datetime | None, datetime | None]


class Aftership:
    """One account, by its key."""

    def __init__(
        self, account: str, shown: Shown, budget: Budget, services: Services, clock: Clock
    ) -> None:
        self.account, self._shown, self._budget = account, shown, budget
        self._services, self._clock = services, clock
        self._created: dict[str, Created] = {}
        self._followed: tuple[datetime, list[Object]] | None = None
        self._lock = Lock()

    @staticmethod
    def key_of(request: Request) -> str:
        return request.headers.get("as-api-key", "")

    @staticmethod
    def stranger() -> RefusedError:
        return _refused(401, 401, "Invalid API key.")

    @staticmethod
    def down() -> RefusedError:
        return _refused(503, 503, "Service unavailable.")

    def too_many(self) -> RefusedError:
        return self._over(RATES["LIST"])

    def _over(self, rate: int) -> RefusedError:
        text = "You have exceeded the API call rate limit."
        return _refused(429, 429, text, headers=self._limits(rate, 0))

    def answer(self, request: Request, now: datetime) -> Response:
        one = re.fullmatch(rf"{PATH}/([a-z0-9]+)", request.path)
        kind = "POST" if request.method == "POST" else "ONE" if one else "LIST"
        rate = RATES[kind]
        left = self._budget.left(f"{self.account} {kind}", rate, WITHIN)
        if left < 0:
            raise self._over(rate)
        limits = self._limits(rate, left)
        try:
            return self._routed(request, now, one[1] if one else None, limits)
        except RefusedError as refusal:
            told = {**refusal.response.headers, **limits}
            return replace(refusal.response, headers=told)

    def _routed(
        self, request: Request, now: datetime, one: str | None, limits: dict[str, str]
    ) -> Response:
        if request.method == "GET" and one:
            row = self._rows(now).get(one)
            if row is None:
                raise _refused(404, ABSENT, "Tracking does not exist.")
            return _answered(row, headers=limits)
        if request.path != PATH or request.method not in ("GET", "POST"):
            raise _refused(404, 404, "The URI requested is invalid.")
        if request.method == "POST":
            return _answered(self._create(request, now), 201, limits)
        return _answered(self._listed(request, now), headers=limits)

    def _limits(self, rate: int, left: int) -> dict[str, str]:
        reset = int(self._clock.now().astimezone(UTC).timestamp()) + 1
        return {
            "X-RateLimit-Limit": str(rate),
            "X-RateLimit-Remaining": str(left),
            "X-RateLimit-Reset": str(reset),
        }

    def _rows(self, now: datetime) -> dict[str, Object]:
        """By id."""
        with self._lock:
            if self._followed is None or self._followed[0] != now:
                parcels = self._services.at(PROVIDER, now)
                kept = [tracking(p) for p in parcels if now - p.changed_at < KEEPS]
                self._followed = now, kept
            rows = [*self._followed[1], *map(pending, self._created.values())]
        return {row["id"]: row for row in rows}

    def _create(self, request: Request, now: datetime) -> Object:
        try:
            body = json.loads(request.body or b"{}")
        except ValueError:
            raise _refused(400, 4001, "The body is not valid JSON.") from None
        number = written(body.get("tracking_number")) if isinstance(body, dict) else ""
        if not re.fullmatch(r"[A-Z0-9-]{5,100}", number):
            raise _refused(400, BAD_NUMBER, "The value of `tracking_number` is invalid.")
        slug, order = body.get("slug"), body.get("order_id")
        if slug is not None and not re.fullmatch(r"[a-z0-9-]+", str(slug)):
            raise _refused(400, BAD_SLUG, "The value of `slug` is invalid.")
        known = [r for r in self._rows(now).values() if r["tracking_number"] == number]
        for row in known:
            if slug in (None, row["slug"]):
                data = {"id": row["id"], "tracking_number": number, "slug": row["slug"]}
                raise _refused(400, EXISTS, "Tracking already exists.", data=data)
        if number in self._services.cannot_follow or (slug is None and not number[:2].isalpha()):
            raise _refused(400, NO_COURIER, "Cannot detect courier.")
        created = Created(number, slug, None if order is None else str(order), now)
        with self._lock:
            self._created[tracking_id(number, slug)] = created
        return pending(created)

    def _listed(self, request: Request, now: datetime) -> Object:
        asked = {name: request.values(name)[-1] for name, _ in request.query}
        size = int(asked["limit"]) if asked.get("limit", "").isdecimal() else USUAL
        if not 1 <= size <= MOST:
            raise _refused(400, 4001, f"`limit` must be between 1 and {MOST}.")
        bounds = {name: _bounds(asked, name) for name in _TIMES}
        rows = sorted(
            (row for row in self._rows(now).values() if _fits(row, asked, bounds)),
            key=lambda row: (row["created_at"], row["id"]),
            reverse=True,
        )
        total, start = len(rows), _position(asked.get("cursor"))
        page = rows[start : start + size]
        more = start + size < total
        fields = [name for name in asked.get("fields", "").split(",") if name]
        shown = self._shown.page(self.account, "aftership_trackings", "id", page)
        return {
            "pagination": {
                "total": total,
                "next_cursor": _cursor(start + size) if more else None,
                "has_next_page": more,
            },
            "trackings": [_only(row, fields) for row in shown],
        }


def _refused(
    status: int,
    code: int,
    message: str,
    data: Object | None = None,
    headers: dict[str, str] | None = None,
) -> RefusedError:
    kinds = {401: "Unauthorized", 404: "NotFound", 429: "TooManyRequests", 503: "InternalError"}
    meta = {"code": code, "message": message, "type": kinds.get(status, "BadRequest")}
    return RefusedError(status, {"meta": meta, "data": data or {}}, **(headers or {}))


def _answered(data: Object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return json_response({"meta": {"code": status}, "data": data}, status, headers)


def _cursor(start: int) -> str:
    return base64.urlsafe_b64encode(f"at {start}".encode()).decode().rstrip("=")


def _position(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        return int(text.removeprefix("at "))
    except ValueError:
        raise _refused(400, 4001, "`cursor` is invalid.") from None


def _only(row: Object, fields: list[str]) -> Object:
    return {name: value for name, value in row.items() if not fields or name in fields}


def _fits(row: Object, asked: dict[str, str], bounds: dict[str, Bounds]) -> bool:
    for name, (low, high) in bounds.items():
        at = moment(row[name])
        if at is None or (low and at < low) or (high and at > high):
            return False
    for name, field in (("tag", "tag"), ("slug", "slug"), ("order_id", "order_id")):
        if name in asked and row[field] not in asked[name].split(","):
            return False
    if "return_to_sender" in asked and str(row["return_to_sender"]).lower() not in (
        asked["return_to_sender"].lower().split(",")
    ):
        return False
    numbers = asked.get("tracking_numbers", "").split(",")
    if len(numbers) > NUMBERS:
        raise _refused(400, 4001, f"`tracking_numbers` takes {NUMBERS}.")
    return numbers == [""] or row["tracking_number"] in map(written, numbers)


def _bounds(asked: dict[str, str], name: str) -> Bounds:
    return _bound(asked, f"{name}_min"), _bound(asked, f"{name}_max")


def _bound(asked: dict[str, str], name: str) -> datetime | None:
    """A + that was not encoded comes in as a blank, and is no time any more."""
    if name not in asked:
        return None
    at = moment(asked[name])
    if at is None or " " in asked[name]:
        raise _refused(400, 4001, f"The value of `{name}` is invalid.")
    return at
