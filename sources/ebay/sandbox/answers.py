"""The shapes of eBay's answers that are the same everywhere: times, money, refusals, pages.

Belongs here: the two dialects, REST (`errors`, money as text) and Post-Order (`error`, money as
numbers). Does not belong here: any resource.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from sources._sandbox.server import Response

JSON = "application/json"
_RANGE = re.compile(r"^\[(?P<start>[^\[\]]*?)\.\.(?P<end>[^\[\]]*?)\]$")


class ApiError(Exception):
    """A refusal; Post-Order lists it under `error`, all others under `errors`."""

    def __init__(self, status: int, error_id: int, message: str, domain: str = "ACCESS") -> None:
        super().__init__(message)
        self.status = status
        self.error_id = error_id
        self.message = message
        self.domain = domain

    def response(self, *, is_post_order: bool = False) -> Response:
        error = {
            "errorId": self.error_id,
            "domain": self.domain,
            "category": "REQUEST" if self.status < 500 else "APPLICATION",
            "message": self.message,
        }
        if is_post_order:
            return json_response({"error": [error | {"severity": "ERROR"}]}, self.status)
        return json_response({"errors": [error | {"longMessage": self.message}]}, self.status)


def bad(error_id: int, message: str, domain: str = "API_FULFILLMENT") -> ApiError:
    return ApiError(400, error_id, message, domain)


def missing(what: str, domain: str) -> ApiError:
    return ApiError(404, 32100, f"{what} was not found.", domain)


def json_response(
    content: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(status, msgspec.json.encode(content), {"Content-Type": JSON, **(headers or {})})


def moment(value: datetime | None) -> str | None:
    """UTC with milliseconds: `2026-01-31T12:00:00.000Z`."""
    return None if value is None else f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03d}Z"


def dated(value: datetime | None) -> dict[str, str] | None:
    """A time as Post-Order writes it."""
    text = moment(value)
    if value is None or text is None:
        return None
    return {"value": text, "formattedValue": f"{value:%b %d, %Y}"}


def told(**fields: Any) -> dict[str, Any]:
    """The fields that have something to tell."""
    return {name: value for name, value in fields.items() if value is not None}


def naive(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(tzinfo=None)


def money(minor: int, currency: str, decimals: int) -> dict[str, str]:
    """An amount of the REST APIs: the value is text."""
    return {"value": amount_text(minor, decimals), "currency": currency}


def amount_text(minor: int, decimals: int) -> str:
    if not decimals:
        return f"{minor}.0"
    sign, whole = ("-" if minor < 0 else ""), abs(minor)
    return f"{sign}{whole // 10**decimals}.{whole % 10**decimals:0{decimals}d}"


def number(minor: int, currency: str, decimals: int) -> dict[str, Any]:
    """An amount of Post-Order: the value is a number, a whole one without decimals."""
    scale = 10**decimals
    value: int | float = minor // scale if minor % scale == 0 else minor / scale
    return {"value": value, "currency": currency}


def time_of(
    text: str, name: str, error_id: int = 30500, domain: str = "API_FULFILLMENT"
) -> datetime:
    """A time in a request, UTC."""
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as error:
        raise bad(error_id, f"Invalid value for {name}: '{text}'.", domain) from error
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found


def range_of(text: str, name: str, domain: str = "API_FULFILLMENT") -> tuple[Any, Any]:
    """`[a..b]`, both inclusive; an open end is None."""
    match = _RANGE.match(text)
    if match is None:
        raise bad(30700, f"Invalid filter {name}: '{text}' is not [start..end].", domain)
    ends = [time_of(part, name, 30700, domain) if part else None for part in match.groups()]
    return ends[0], ends[1]


def filters_of(texts: Iterable[str]) -> dict[str, str]:
    """`name:value` of one or more `filter` parameters; commas stand between filters, too."""
    found: dict[str, str] = {}
    for text in texts:
        for part in re.split(r",(?=[A-Za-z]+:)", text):
            name, _, value = part.partition(":")
            found[name.strip()] = value.strip()
    return found


def whole_number(values: list[str], default: int, name: str, error_id: int, domain: str) -> int:
    if not values:
        return default
    if not values[0].isdigit():
        raise bad(error_id, f"Invalid value for {name}: '{values[0]}'.", domain)
    return int(values[0])
