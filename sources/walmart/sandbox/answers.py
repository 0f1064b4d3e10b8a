"""The shapes of Walmart's answers that are the same everywhere: refusals, times, money.

Belongs here: the envelope of errors and how values are written. Does not belong here: a resource.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from sources._sandbox.server import Response

JSON = "application/json"


class ApiError(Exception):
    """A refusal with Walmart's code, as `CONTENT_NOT_FOUND.GMP_ORDER_API`."""

    def __init__(self, status: int, code: str, text: str, name: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.text = text
        self.name = name

    def response(self) -> Response:
        error: dict[str, Any] = {
            "code": self.code,
            "field": self.name,
            "description": self.text,
            "info": self.text,
            "severity": "ERROR",
            "category": "DATA" if self.status in (400, 404) else "REQUEST",
            "causes": [],
            "errorIdentifiers": {},
        }
        return json_response({"errors": {"error": [error]}}, self.status)


def wrong(name: str, text: str) -> ApiError:
    return ApiError(400, "INVALID_REQUEST_PARAM.GMP_GATEWAY_API", text, name)


def nothing_found(api: str) -> ApiError:
    """No rows is no success there."""
    return ApiError(404, f"CONTENT_NOT_FOUND.{api}", "No data found for the search criteria")


def json_response(
    content: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(status, msgspec.json.encode(content), {"Content-Type": JSON, **(headers or {})})


def naive(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(tzinfo=None)


def millis(value: datetime | None) -> int | None:
    """Milliseconds since 1970, as orders tell times."""
    return None if value is None else round(value.replace(tzinfo=UTC).timestamp() * 1000)


def moment(value: datetime | None) -> str | None:
    """`2026-01-31T12:00:00.000Z`, as returns tell times."""
    return None if value is None else f"{value:%Y-%m-%dT%H:%M:%S}.000Z"


def major(minor: int, decimals: int) -> int | float:
    """Minor units as the number that JSON shows."""
    return minor / 10**decimals if decimals else minor


def told(**fields: Any) -> dict[str, Any]:
    """The fields that have something to tell."""
    return {name: value for name, value in fields.items() if value is not None}


def time_of(text: str, name: str) -> datetime:
    """`yyyy-MM-dd` or `yyyy-MM-dd'T'HH:mm:ssZ`, UTC."""
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as error:
        raise wrong(name, f"{name}: '{text}' is no date") from error
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found


def limit_of(query: Mapping[str, str], usual: int) -> int:
    text = query.get("limit", str(usual))
    if not text.isdigit() or not 1 <= int(text) <= 200:
        raise wrong("limit", f"limit: '{text}' must lie between 1 and 200")
    return int(text)
