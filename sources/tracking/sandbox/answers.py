"""What the answers of both services have in common: refusals, times, pages as they go out.

Belongs here: shapes that no vendor owns. Does not belong here: any vendor's record.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

import msgspec

from sources._core.clock import Clock
from sources._sandbox.api_faults import ApiFaults, SourceFaults
from sources._sandbox.server import Environment, Response

Object = dict[str, Any]
JSON = "application/json; charset=utf-8"
SECRET = "sandbox-"  # noqa: S105


class RefusedError(Exception):
    """A request that the service does not answer."""

    def __init__(self, status: int, content: Object | None = None, **headers: str) -> None:
        super().__init__(str(content))
        self.response = json_response(content, status, headers)


def json_response(
    content: Any, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    body = b"" if content is None else msgspec.json.encode(content)
    return Response(status, body, {"Content-Type": JSON, **(headers or {})})


def naive(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(tzinfo=None)


def moment(text: object) -> datetime | None:
    """A time as a caller writes it, UTC where it has no offset; None where it is none."""
    if not isinstance(text, str):
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return naive(at if at.tzinfo else at.replace(tzinfo=UTC))


def written(number: object) -> str:
    """A tracking number as services keep it."""
    return str(number or "").replace(" ", "").upper()


class Shown:
    """Pages as they go out: now and then out of order, a record twice, a field changed."""

    def __init__(self, faults: ApiFaults, source: SourceFaults, environment: Environment) -> None:
        self._faults, self._source, self._clock = faults, source, environment.clock

    def page(self, account: str, stream: str, key: str, rows: list[Object]) -> list[Object]:
        if rows and self._faults.strikes("out_of_order", stream, account, rows[0][key]):
            rows = rows[::-1]
        twice = [r for r in rows if self._faults.strikes("duplicate_record", stream, r[key])]
        rows = [*rows, *twice]
        for name in (stream, stream.partition("_")[2]):
            for drift in self._source.drifts_of(name, self._clock):
                rows = [drifted(row, drift.change, drift.field) for row in rows]
        return rows


def drifted(row: Object, change: str, name: str) -> Object:
    """A record in which the API has changed a field."""
    if change == "add":
        return row | {name: "new"}
    rest = {key: value for key, value in row.items() if key != name}
    if name not in row or change == "drop":
        return rest
    if change == "rename":
        return rest | {f"{name}_new": row[name]}
    return rest | {name: [row[name]]}


@dataclass
class Budget:
    """Calls within a stretch of time, by name; nobody is refused while it is not held."""

    clock: Clock
    is_held: bool
    _calls: dict[str, list[float]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def left(self, name: str, calls: int, within: timedelta) -> int:
        """Count a call; how many more there may be, below zero where this one is too many."""
        now = self.clock.monotonic()
        with self._lock:
            recent = [at for at in self._calls.get(name, []) if at > now - within.total_seconds()]
            if self.is_held and len(recent) >= calls:
                return -1
            self._calls[name] = [*recent, now]
            return max(calls - len(recent) - 1, 0) if self.is_held else calls - 1
