"""Answers of the Selling Partner API, as far as they are used; unknown fields are left out.

Belongs here: shapes of envelopes. Does not belong here: what is landed of an order (`records.py`).
"""

from __future__ import annotations

from datetime import datetime

import msgspec


class Report(msgspec.Struct, rename="camel"):
    """A report as getReport and getReports describe it; every status is kept as text."""

    report_id: str
    processing_status: str
    report_type: str = ""
    created_time: datetime | None = None
    data_start_time: datetime | None = None
    data_end_time: datetime | None = None
    marketplace_ids: list[str] | None = None
    report_document_id: str | None = None


class DocumentLink(msgspec.Struct, rename="camel"):
    url: str
    report_document_id: str = ""


class Download(msgspec.Struct):
    """Decompressed bytes and the charset that storage declares."""

    data: bytes
    charset: str | None


class _Pagination(msgspec.Struct, rename="camel"):
    next_token: str | None = None


class OrdersPage(msgspec.Struct, rename="camel"):
    """Orders cut but not decoded; `last_updated_before` is the bound that was served."""

    orders: list[msgspec.Raw]
    pagination: _Pagination | None = None
    last_updated_before: datetime | None = None

    @property
    def next_token(self) -> str | None:
        return (self.pagination.next_token or None) if self.pagination else None


class Created(msgspec.Struct, rename="camel"):
    report_id: str


class ReportList(msgspec.Struct, rename="camel"):
    reports: list[Report]
    next_token: str | None = None


class _MarketplaceId(msgspec.Struct, rename="camel"):
    id: str


class _Participation(msgspec.Struct, rename="camel"):
    is_participating: bool = False


class Participation(msgspec.Struct, rename="camel"):
    """A marketplace and whether the seller takes part in it."""

    marketplace: _MarketplaceId
    participation: _Participation


class Participations(msgspec.Struct, rename="camel"):
    payload: list[Participation]


class Login(msgspec.Struct):
    access_token: str
    expires_in: float = 3600.0
