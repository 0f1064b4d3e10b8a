"""What the answers of all review apps have in common.

Belongs here: refusals, times, numbers in a request. Does not belong here: any vendor's record.
"""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import Any

import msgspec

from sources._sandbox.server import Request, Response

Object = dict[str, Any]
JSON = "application/json; charset=utf-8"
SECRET = "sandbox-"  # noqa: S105


class RefusedError(Exception):
    """A request that the app does not answer."""

    def __init__(self, status: int, content: Object, **headers: str) -> None:
        super().__init__(str(content))
        self.response = json_response(content, status, headers)


def json_response(
    content: Any, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    return Response(status, msgspec.json.encode(content), {"Content-Type": JSON, **(headers or {})})


def naive(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(tzinfo=None)


def first(request: Request, name: str) -> str | None:
    return next((value for value in request.values(name) if value), None)


def positive(request: Request, name: str, usual: int, most: int) -> int:
    """A number from 1 to `most`; anything else is the usual one."""
    given = first(request, name)
    number = int(given) if given and given.isdecimal() else usual
    return min(max(number, 1), most)


def basic_password(request: Request) -> str:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(given, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
