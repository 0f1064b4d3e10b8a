"""The shapes of Shopify's answers that are the same everywhere: ids, times, money, refusals."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
from graphql import GraphQLError

from sources._sandbox.server import Response

JSON = "application/json; charset=utf-8"


class RefusedError(GraphQLError):
    """An entry of `errors` with the code by which a client decides what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message, extensions={"code": code})
        self.code = code


def json_response(
    content: Any, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    return Response(status, msgspec.json.encode(content), {"Content-Type": JSON, **(headers or {})})


def gid(kind: str, digits: object) -> str:
    return f"gid://shopify/{kind}/{digits}"


def kind_and_digits(identifier: str) -> tuple[str, str]:
    """`gid://shopify/Order/12` -> `Order`, `12`; anything else is refused as the API does."""
    kind, _, digits = identifier.removeprefix("gid://shopify/").rpartition("/")
    if not identifier.startswith("gid://shopify/") or not kind or not digits:
        raise RefusedError("INVALID_VARIABLE", f"Invalid global id '{identifier}'")
    return kind, digits


def moment(value: datetime | None) -> str | None:
    """UTC without fractions, as `2026-01-31T12:00:00Z`."""
    return None if value is None else f"{value:%Y-%m-%dT%H:%M:%SZ}"


def naive(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(tzinfo=None)


def amount_text(minor: int, decimals: int) -> str:
    """Money as Shopify writes it: at least one decimal (`19.99`, `5.0`, `-0.5`)."""
    text = f"{Decimal(minor).scaleb(-decimals):f}" if decimals else f"{minor}.0"
    while "." in text and text.endswith("0") and not text.endswith(".0"):
        text = text[:-1]
    return text
