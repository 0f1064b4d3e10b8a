"""The shapes of Amazon's answers that are the same everywhere: envelopes, headers, times."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from sources._sandbox.server import Response

JSON = "application/json"
_TIME = re.compile(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$")


class ApiError(Exception):
    """An answer in the error envelope `{"errors": [{code, message, details}]}`."""

    def __init__(self, status: int, code: str, message: str, details: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details

    def response(self) -> Response:
        error = {"code": self.code, "message": self.message, "details": self.details}
        return json_response({"errors": [error]}, self.status)


def invalid(details: str, message: str = "Invalid Input") -> ApiError:
    return ApiError(400, "InvalidInput", message, details)


def not_found(details: str) -> ApiError:
    return ApiError(404, "NotFound", "The specified resource does not exist.", details)


def forbidden(details: str = "") -> ApiError:
    return ApiError(403, "Unauthorized", "Access to requested resource is denied.", details)


def quota_exceeded() -> ApiError:
    message = "You exceeded your quota for the requested resource."
    return ApiError(429, "QuotaExceeded", message)


def unavailable() -> ApiError:
    message = "Service is temporarily unavailable. Please try again."
    return ApiError(503, "ServiceUnavailable", message)


def json_response(content: Any, status: int = 200) -> Response:
    return Response(status, msgspec.json.encode(content), {"Content-Type": JSON})


def with_headers(response: Response, headers: Mapping[str, str]) -> Response:
    return Response(
        status=response.status,
        body=response.body,
        headers={**response.headers, **headers},
        delay_s=response.delay_s,
        is_truncated=response.is_truncated,
        is_dropped=response.is_dropped,
    )


def api_time(value: datetime) -> str:
    """`2026-06-09T05:23:19Z`: UTC, as the JSON APIs write it."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(name: str, text: str) -> datetime:
    """A date-time parameter. Only UTC with `Z`: other offsets were refused by production."""
    if not _TIME.match(text):
        raise invalid(f"{name}: '{text}' is not an ISO 8601 date-time in UTC ending in Z.")
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as error:
        raise invalid(f"{name}: '{text}' is not a date-time.") from error


def csv_values(name: str, texts: list[str], allowed: frozenset[str] | None, most: int) -> list[str]:
    """Values of an array parameter: comma-separated in one parameter, none empty."""
    values = [value.strip() for text in texts for value in text.split(",")]
    if texts and (not all(values) or len(values) > most):
        raise invalid(f"{name}: between 1 and {most} comma-separated values.")
    unknown = [value for value in values if allowed is not None and value not in allowed]
    if unknown:
        raise invalid(f"{name}: '{unknown[0]}' is not one of {', '.join(sorted(allowed or ()))}.")
    return values
