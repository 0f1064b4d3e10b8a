"""Answers of the Selling Partner API, as far as they are used; unknown fields are left out.

Belongs here: shapes of envelopes. Does not belong here: what is landed of an order (`records.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from sources._core.errors import RetryLater, StopStream
from sources._core.privacy import mask_text


class Text(str):
    """Text, also where an answer has a number in its place."""

    __slots__ = ()


class Report(msgspec.Struct, rename="camel"):
    """A report as getReport and getReports describe it; every status is kept as text."""

    report_id: Text = Text()
    processing_status: Text = Text()
    report_type: Text | None = None
    created_time: Text | None = None
    data_start_time: Text | None = None
    data_end_time: Text | None = None
    marketplace_ids: list[Text] | None = None
    report_document_id: Text | None = None

    @property
    def created_at(self) -> datetime | None:
        return moment(self.created_time)

    @property
    def data_start(self) -> datetime | None:
        return moment(self.data_start_time)

    @property
    def data_end(self) -> datetime | None:
        return moment(self.data_end_time)


class DocumentLink(msgspec.Struct, rename="camel"):
    url: str
    report_document_id: Text | None = None


class Download(msgspec.Struct):
    """Decompressed bytes and the charset that storage declares."""

    data: bytes
    charset: str | None


class _Pagination(msgspec.Struct, rename="camel"):
    next_token: Text | None = None


class OrdersPage(msgspec.Struct, rename="camel"):
    """Orders cut but not decoded; `last_updated_before` is the bound that was served."""

    orders: list[msgspec.Raw] | None
    pagination: _Pagination | None = None
    last_updated_before: Text | None = None

    @property
    def served_until(self) -> datetime | None:
        return moment(self.last_updated_before)

    @property
    def next_token(self) -> str | None:
        return (self.pagination.next_token or None) if self.pagination else None


class TransactionsPage(msgspec.Struct, rename="camel"):
    """Transactions cut but not decoded; a page may have none and be followed by others."""

    transactions: list[msgspec.Raw] | None = None
    next_token: Text | None = None


class TransactionsAnswer(msgspec.Struct):
    payload: TransactionsPage | None


class InboundPlans(msgspec.Struct, rename="camel"):
    """Plans cut but not decoded."""

    inbound_plans: list[msgspec.Raw] | None
    pagination: _Pagination | None = None

    @property
    def next_token(self) -> str | None:
        return (self.pagination.next_token or None) if self.pagination else None


class InboundPlanName(msgspec.Struct, rename="camel"):
    """What reading needs to know of a plan."""

    inbound_plan_id: Text | None = None
    last_updated_at: Text | None = None


class InboundItems(msgspec.Struct, rename="camel"):
    items: list[msgspec.Raw] | None
    pagination: _Pagination | None = None

    @property
    def next_token(self) -> str | None:
        return (self.pagination.next_token or None) if self.pagination else None


class TopicsAnswer(msgspec.Struct):
    """Review topics of a product; only whether there are any matters here."""

    topics: dict[str, Any] | None = None


class Created(msgspec.Struct, rename="camel"):
    report_id: Text


class ReportList(msgspec.Struct, rename="camel"):
    reports: list[Report | None] | None
    next_token: Text | None = None

    @property
    def named(self) -> list[Report]:
        """Those that have an id: nothing can be done with others."""
        return [report for report in self.reports or () if report and report.report_id]


class _MarketplaceId(msgspec.Struct, rename="camel"):
    id: str


class _Participation(msgspec.Struct, rename="camel"):
    is_participating: bool = False


class Participation(msgspec.Struct, rename="camel"):
    """A marketplace and whether the seller takes part in it."""

    marketplace: _MarketplaceId
    participation: _Participation


class Participations(msgspec.Struct, rename="camel"):
    payload: list[Participation] | None


class Login(msgspec.Struct):
    access_token: str
    expires_in: float = 3600.0


class _Wrapped(msgspec.Struct):
    payload: msgspec.Raw


AnswerT = TypeVar("AnswerT")
_BUSY = frozenset({"QuotaExceeded", "InternalFailure", "InternalError", "ServiceUnavailable"})


def reader(kind: type[AnswerT], content_name: str | None = None) -> Callable[[bytes], AnswerT]:
    """Function that decodes an answer, also one that says its error under a good status.

    Older versions of the API, and programs that play it, wrap content in `payload`.
    `content_name`: field without which an answer holds nothing but, perhaps, errors.
    """
    decode = msgspec.json.Decoder(kind, strict=False, dec_hook=_as_text).decode

    def read(content: bytes) -> AnswerT:
        try:
            answer = decode(content)
        except msgspec.ValidationError:
            _raise_errors(content)
            inner = _payload_of(content)
            if inner is None:
                raise
            answer = decode(inner)
        if content_name is not None and getattr(answer, content_name) is None:
            _raise_errors(content)
        return answer

    return read


def errors_in(content: bytes) -> list[tuple[str, str]]:
    """Code and text of each error of Amazon's envelope; nothing when it is not one."""
    try:
        body: Any = msgspec.json.decode(content)
        return [
            (
                str(error.get("code") or ""),
                " ".join(str(error[part]) for part in ("message", "details") if error.get(part)),
            )
            for error in body["errors"]
        ]
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError):
        return []


def words_of(errors: Sequence[tuple[str, str]]) -> str:
    """Errors as one short line, masked: a refusal may repeat what it was asked."""
    said = "; ".join(f"{code}: {text}" if text else code for code, text in errors)
    return mask_text(said)[:300]


def moment(text: str | None) -> datetime | None:
    """A time of the API in UTC; None where it is none. Without an offset it is UTC."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _raise_errors(content: bytes) -> None:
    errors = errors_in(content)
    if not errors:
        return
    said = words_of(errors)
    if any(code in _BUSY for code, _text in errors):
        raise RetryLater(
            f"Amazon answered with an error instead of content up to the last try "
            f"({said}). The next night goes on from the same place."
        )
    raise StopStream(
        f"Amazon answered with an error instead of content ({said}). Run `aftersales "
        "check-config`; if all is well there, the next night tries again."
    )


def _payload_of(content: bytes) -> msgspec.Raw | None:
    try:
        return msgspec.json.decode(content, type=_Wrapped).payload
    except msgspec.ValidationError:
        return None


def _as_text(kind: type, value: object) -> object:
    if kind is Text and isinstance(value, str | int | float):
        return Text(value)
    raise NotImplementedError
