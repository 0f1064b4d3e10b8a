"""On-request reports: ask, wait, download; over nights where one is not enough.

Belongs here: the order of calls and what is remembered between nights. Does not belong here:
unpacking (`tables.py`), which columns are kept (`report_records.py`).
The id of a request is kept in the stream's state until its report is read, so that a report which
is not ready tonight is read the next night, and never asked for twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec

from sources._core.connector import Page, Reject, StreamContext, Window
from sources._core.errors import LostAnswer, RetryLater, StopStream
from sources._core.http import Call

from .client import WalmartClient
from .refusals import BadRequestError, LinkExpiredError, NoSuchPathError, NothingFoundError
from .report_records import WFS_RETURN_DROPPED, WFS_RETURN_NAMES, WfsReturn
from .tables import read_table, unpack
from .times import api_time

REQUESTS_PATH = "/v3/reports/reportRequests"
DOWNLOAD_PATH = "/v3/reports/downloadReport"
WFS_RETURNS = "WFS_CUSTOMER_RETURNS"
VERSION = "v1"
POLL_SECONDS = 240.0  # a status may be asked for 20 times an hour
KEPT = timedelta(days=30)
LINKS = 4

_STATE = "request"
_KEPT_FIELDS = frozenset(WfsReturn.__struct_fields__) - {"occurrence"}
_SURE = ("return_order_id", "purchase_order_id", "sku")


class _Request(msgspec.Struct, rename="camel"):
    request_id: str | None = None
    request_status: str = ""
    request_submission_date: str | None = None


class _Requests(msgspec.Struct):
    requests: list[_Request] | None = None


class _Link(msgspec.Struct):
    one: str | None = msgspec.field(name="downloadURL", default=None)
    several: list[str] | None = msgspec.field(name="downloadURLS", default=None)

    @property
    def url(self) -> str:
        found = self.one or next(iter(self.several or ()), None)
        if not found:
            raise StopStream(f"GET {DOWNLOAD_PATH} gave no address; the next night asks again.")
        return found


_read_request = msgspec.json.Decoder(_Request).decode
_read_requests = msgspec.json.Decoder(_Requests).decode
_read_link = msgspec.json.Decoder(_Link).decode


def read_wfs_returns(context: StreamContext, _window: Window) -> Iterator[Page]:
    """The report of returns to Walmart's warehouses, of the US only."""
    client: WalmartClient = context.client
    if client.account.market != "us" or not client.account.wfs_report:
        return
    request = _pending(context)
    if request is None:
        try:
            request = _ask(context)
        except (BadRequestError, NoSuchPathError) as error:
            yield Page((), WFS_RETURNS, rejects=(_not_offered(error),))
            return
    status = _wait(context, request)
    if status == "ERROR":
        _forget(context)
        yield Page((), WFS_RETURNS, rejects=(_failed(request),))
        return
    if status != "READY":
        raise StopStream(
            f"report {request} of {WFS_RETURNS} is not ready after "
            f"{client.account.report_wait_minutes} minutes: the next night goes on with the same "
            "report. Raise report_wait_minutes if the night has time."
        )
    yield _page(_download(context, request), request)
    _forget(context)


def _pending(context: StreamContext) -> str | None:
    """What an earlier night has asked for, unless Walmart no longer keeps it."""
    found = context.state.get(_STATE)
    if not found:
        return None
    age = context.clock.now() - datetime.fromisoformat(found["asked_at"])
    return str(found["id"]) if abs(age) < KEPT else None


def _ask(context: StreamContext) -> str:
    """Type and version stand in the address: in the body they are refused."""
    target = f"{REQUESTS_PATH}?reportType={WFS_RETURNS}&reportVersion={VERSION}"
    call = Call("POST", target, "createReport", json={}, is_repeatable=False)
    asked_at = context.clock.now()
    try:
        made = context.client.ask(call, _read_request).request_id
    except LostAnswer as error:
        made = _taken(context.client, asked_at)
        if made is None:
            raise StopStream(f"{error} Walmart's list of requests does not hold it.") from None
    if not made:
        raise StopStream(f"POST {REQUESTS_PATH} gave no id; the next night asks again.")
    context.state[_STATE] = {"id": made, "asked_at": api_time(asked_at)}
    context.state.save()
    return made


def _taken(client: WalmartClient, since: datetime) -> str | None:
    """A request whose answer was lost may have been taken all the same."""
    start = api_time(since - timedelta(minutes=5)).replace(":", "%3A")
    target = f"{REQUESTS_PATH}?reportType={WFS_RETURNS}&requestSubmissionStartDate={start}"
    try:
        found = client.ask(Call("GET", target, "listReports"), _read_requests).requests or []
    except NothingFoundError:
        return None
    newest = sorted(found, key=lambda request: request.request_submission_date or "")
    return newest[-1].request_id if newest else None


def _wait(context: StreamContext, request: str) -> str:
    clock, account = context.clock, context.client.account
    deadline = clock.monotonic() + account.report_wait_minutes * 60
    while True:
        call = Call("GET", f"{REQUESTS_PATH}/{request}", "reportStatus")
        try:
            status = str(context.client.ask(call, _read_request).request_status).upper()
        except NothingFoundError:
            return "ERROR"
        if status in ("READY", "ERROR") or clock.monotonic() + POLL_SECONDS > deadline:
            return status
        context.progress(f"report {request} is {status}")
        clock.sleep(POLL_SECONDS)


def _download(context: StreamContext, request: str) -> str:
    """A link lives some 18 minutes: one that has run out, or gives nothing, is asked for anew."""
    client: WalmartClient = context.client
    problem: Exception | None = None
    for _ in range(LINKS):
        call = Call("GET", f"{DOWNLOAD_PATH}?requestId={request}", "downloadReport")
        link = client.ask(call, _read_link)
        try:
            return client.download(link.url, unpack)
        except (LinkExpiredError, RetryLater) as error:
            problem = error
    raise StopStream(
        f"report {request} could not be downloaded with {LINKS} links ({problem}). The next night "
        "goes on with the same report."
    )


def _page(text: str, request: str) -> Page:
    table = read_table(text, _KEPT_FIELDS, WFS_RETURN_DROPPED, WFS_RETURN_NAMES)
    if table.rows and not any(name in table.columns for name in _SURE):
        raise StopStream(
            f"report {request} of {WFS_RETURNS} has none of the columns {', '.join(_SURE)}: "
            "Walmart has changed them and the connector has to be adapted."
        )
    seen: Counter[tuple[tuple[str, str], ...]] = Counter()
    rows: list[dict[str, Any]] = []
    for row in table.rows:
        names = tuple(sorted(row.items()))
        seen[names] += 1
        rows.append({**row, "occurrence": seen[names]})
    return Page(rows, f"report {request}", encoding="utf-8", unknown_fields=table.unknown)


def _forget(context: StreamContext) -> None:
    context.state.pop(_STATE, None)
    context.state.save()


def _not_offered(error: StopStream) -> Reject:
    advice = (
        f"Walmart does not give this report to the store ({error}): set wfs_report = false if it "
        "does not use Walmart's warehouses"
    )
    return Reject("report_not_offered", 0, advice, WFS_RETURNS)


def _failed(request: str) -> Reject:
    advice = "Walmart could not make the report; the next night asks for a new one"
    return Reject("report_failed", 0, advice, f"report {request}")
