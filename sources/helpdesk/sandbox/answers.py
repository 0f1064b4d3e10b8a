"""What the answers of both desks have in common: refusals, times, who is asking, pages by cursor.

Belongs here: shapes that no resource owns. Does not belong here: any resource.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

import msgspec

from sources._core.clock import Clock
from sources._sandbox.server import Request, Response

Object = dict[str, Any]
JSON = "application/json; charset=utf-8"
SECRET = "sandbox-"  # noqa: S105


class RefusedError(Exception):
    """A request that the desk does not answer."""

    def __init__(self, status: int, content: Object, **headers: str) -> None:
        super().__init__(str(content))
        self.response = json_response(content, status, headers)


def json_response(
    content: Any, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    return Response(status, msgspec.json.encode(content), {"Content-Type": JSON, **(headers or {})})


def naive(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(tzinfo=None)


def unix(moment: datetime) -> int:
    return int(moment.replace(tzinfo=UTC).timestamp())


def credentials(request: Request) -> tuple[str | None, str]:
    """Name (None with a bearer token) and secret; empty where none is given."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return None, given
    if scheme.lower() != "basic":
        return None, ""
    try:
        user, _, secret = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None, ""
    return user, secret


def first(request: Request, name: str) -> str | None:
    """A parameter; empty counts as not given."""
    return next((value for value in request.values(name) if value), None)


def whole_number(text: str | None, usual: int) -> int | None:
    """None where it is no number."""
    if text is None:
        return usual
    return int(text) if text.isdecimal() else None


def packed(*parts: object) -> str:
    return base64.urlsafe_b64encode("|".join(map(str, parts)).encode()).decode().rstrip("=")


def unpacked(cursor: str) -> list[str]:
    """The parts of a cursor; none where it is not one of ours."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return []
    return text.split("|")


def after(
    rows: Sequence[Object], key: Callable[[Object], str], last: str | None
) -> Sequence[Object]:
    """Rows behind the one with this key; all without one."""
    if last is None:
        return rows
    at = next((n for n, row in enumerate(rows) if key(row) == last), len(rows) - 1)
    return rows[at + 1 :]


@dataclass
class Budget:
    """Calls within a stretch of time, by name; nobody is refused while it is not held."""

    clock: Clock
    is_held: bool
    _calls: dict[str, list[float]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def wait(self, name: str, calls: int, within: timedelta) -> float:
        """Count a call; seconds to wait where there were too many."""
        now, stretch = self.clock.monotonic(), within.total_seconds()
        with self._lock:
            recent = [at for at in self._calls.get(name, []) if at > now - stretch]
            if self.is_held and len(recent) >= calls:
                return recent[0] + stretch - now
            self._calls[name] = [*recent, now]
            return 0.0

    def used(self, name: str) -> int:
        return len(self._calls.get(name, []))
