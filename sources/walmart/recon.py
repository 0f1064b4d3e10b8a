"""Payment reports: which there are, their rows, and the statement of the cycle that is open.

Belongs here: the order of calls and what a file must hold. Does not belong here: unpacking
(`tables.py`), what a row means (models).
Reports are read as ZIP of CSV: the JSON form ends after 1,000 rows. A report once landed is final
and not read again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec

from sources._core.connector import Page, Reject, StreamContext, Window
from sources._core.errors import StopStream
from sources._core.http import Call

from .client import WalmartClient
from .payment_records import RECON_DROPPED, ReconRow
from .refusals import NoSuchPathError, NothingFoundError
from .tables import clean_amount, clean_day, read_table, unpack
from .times import report_day, report_name

REPORTS_PATH = "/v3/report/reconreport"
STATEMENT_PATH = "/v3/report/payment/statement"
BINARY = {"Accept": "application/octet-stream"}  # text/csv and JSON are refused
REQUIRED = ("transaction_type", "amount")
ROWS_A_PAGE = 1_000

KEPT = frozenset(ReconRow.__struct_fields__) - {"report_date", "row_no"}
_DAYS = ("period_start_date", "period_end_date", "transaction_posted_timestamp")
_AMOUNTS = ("amount", "total_payable")
OTHER_NAMES = {
    "walmart_com_order": "customer_order",
    "walmart_com_order_line": "customer_order_line",
    "walmart_com_po": "purchase_order",
    "walmart_com_po_line": "purchase_order_line",
    "transaction_date_time": "transaction_posted_timestamp",
}


class _Available(msgspec.Struct):
    available: list[str] | None = msgspec.field(name="availableApReportDates", default=None)


@dataclass(frozen=True)
class _Report:
    name: str  # as Walmart lists it
    day: date

    @property
    def ref(self) -> str:
        return f"recon {self.day.isoformat()}"


def read_recon(context: StreamContext, window: Window) -> Iterator[Page]:
    """Reports dated within the window that were not landed before.

    One that cannot be read does not keep the others back, but the window counts as not read.
    """
    try:
        listed = _listed(context.client)
    except NoSuchPathError as error:
        if not context.client.account.is_global:
            raise
        yield Page((), "recon", rejects=(not_offered("payment reports", error),))
        return
    landed = set(context.landed_refs())
    problem: StopStream | None = None
    for report in listed:
        if report.ref in landed or not _is_within(report.day, window):
            continue
        try:
            yield from _pages(context.client, report)
        except StopStream as error:
            problem = problem or error
    if problem is not None:
        raise problem


def _listed(client: WalmartClient) -> list[_Report]:
    """Oldest first."""
    call = Call(
        "GET", f"{REPORTS_PATH}/availableReconFiles?reportVersion=v1", "availableReconFiles"
    )
    try:
        found = client.ask(call, msgspec.json.Decoder(_Available).decode).available or []
    except NothingFoundError:
        return []
    dated = {day: _Report(name, day) for name in found if (day := report_day(name))}
    if found and not dated:
        raise StopStream(
            f"{REPORTS_PATH}/availableReconFiles names {len(found)} reports, none by a day that "
            "can be read: the API has changed."
        )
    return [dated[day] for day in sorted(dated)]


def _is_within(day: date, window: Window) -> bool:
    end = window.end.date()
    return window.start.date() <= day and (day < end or (window.is_last and day == end))


def _pages(client: WalmartClient, report: _Report) -> Iterator[Page]:
    target = f"{REPORTS_PATH}/reconFile?reportDate={report_name(report.day)}&reportVersion=v1"
    call = Call("GET", target, "reconFile", headers=BINARY)
    try:
        text = client.ask(call, unpack)
    except NothingFoundError:
        yield Page((), report.ref, rejects=(_gone(report),))
        return
    except StopStream as error:
        raise StopStream(f"payment report {report.name}: {error}") from None
    yield from recon_pages(text, report.day, report.ref)


def recon_pages(text: str, day: date, ref: str) -> Iterator[Page]:
    """Rows of a report in pages; the last one ends the source."""
    table = read_table(text, KEPT, RECON_DROPPED, OTHER_NAMES)
    lacking = [name for name in REQUIRED if name not in table.columns]
    if lacking:
        raise StopStream(
            f"{ref} lacks the columns {', '.join(lacking)}: it is no payment report, or Walmart "
            "has changed them and the connector has to be adapted."
        )
    rows = [_row(row, day, number) for number, row in enumerate(table.rows, start=1)]
    for begin in range(0, max(len(rows), 1), ROWS_A_PAGE):
        is_last = begin + ROWS_A_PAGE >= len(rows)
        yield Page(
            rows[begin : begin + ROWS_A_PAGE],
            ref,
            encoding="utf-8",
            unknown_fields=table.unknown,
            on_landed=_nothing if is_last else None,
        )


def _row(row: dict[str, str], day: date, number: int) -> dict[str, Any]:
    made: dict[str, Any] = {**row, "report_date": day.isoformat(), "row_no": number}
    for name in _DAYS:
        made[name] = clean_day(row.get(name))
    for name in _AMOUNTS:
        made[name] = clean_amount(row.get(name))
    return {name: value for name, value in made.items() if value is not None}


def _nothing() -> None:
    """A report needs nothing done once it has landed; that it has is what counts."""


def read_statement(context: StreamContext, _window: Window) -> Iterator[Page]:
    """The statement of the open cycle: one row, whose past states the raw table keeps."""
    client: WalmartClient = context.client
    try:
        found = client.ask(Call("GET", STATEMENT_PATH, "paymentStatement"), msgspec.json.decode)
    except NothingFoundError:
        return
    except NoSuchPathError as error:
        if not client.account.is_global:
            raise
        yield Page((), "statement", rejects=(not_offered("statements", error),))
        return
    payload = found.get("payload") if isinstance(found, dict) else None
    if isinstance(payload, dict) and payload:
        yield Page([{**payload, "cycle": "open"}], "statement")


def not_offered(what: str, error: StopStream) -> Reject:
    advice = f"Walmart has no {what} for this market ({error}); nothing is to be done"
    return Reject("not_offered", 0, advice, what)


def _gone(report: _Report) -> Reject:
    advice = (
        "Walmart lists the report but does not give it: look in Seller Center under Payments, "
        "Statements, whether it is there, else ask seller support"
    )
    return Reject("document_gone", 0, advice, report.ref)
