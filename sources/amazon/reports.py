"""The cycle of a report: ask or find again, wait, download, read; and the list of settlements.

Belongs here: the order of calls, what survives a killed night, what CANCELLED and FATAL mean.
Does not belong here: single calls (`client.py`), and reading the bytes (`rows.py`,
`settlements.py`).
A report asked for is remembered in the stream's state until it is read, so that a killed night
goes on with the same report instead of asking for another.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from sources._core.connector import Page, Reject, StreamContext, Window
from sources._core.errors import RetryLater, SourceError, StopStream

from .answers import Download, Report
from .asking import FINAL, RESUME_WITHIN, Asking
from .client import AmazonClient, api_time
from .config import REPORTS_KEPT, AmazonAccount
from .layouts import SETTLEMENT, Layout
from .marketplaces import Marketplace
from .refusals import LinkExpiredError, NotFoundError
from .rows import Document, Locale, read_pages
from .settlements import read_settlement

logger = logging.getLogger(__name__)

POLL_WAITS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
LONGEST_WAIT = timedelta(hours=6)
FATAL_WAITS = (300.0, 1_800.0)
LINKS_A_DOCUMENT = 4
CANCELLED_NIGHTS_TO_NOTE = 30

_STATE = "report"
_CANCELLED_STATE = "cancelled"
_MAX_EXPLANATION = 300
_TOO_OFTEN = ("too many", "too often", "frequen", "recently", "try again", "throttl")


class DocumentReader(Protocol):
    """Pages of a downloaded report."""

    def __call__(self, document: Document, layout: Layout, locale: Locale) -> Iterator[Page]: ...


@dataclass(frozen=True)
class ReportKind:
    """A report that is asked for. Amazon makes an equal one anew only after `made_anew_after`.

    `is_by_marketplace`: its rows name no marketplace and are written as each one's country does,
    so that each marketplace is asked for by itself.
    """

    layout: Layout
    made_anew_after: timedelta = timedelta(0)
    read_document: DocumentReader = read_pages
    is_by_marketplace: bool = False

    def read(self, context: StreamContext, window: Window) -> Iterator[Page]:
        """The `read` of its stream: a report left by a killed night first, then the rest.

        A marketplace that cannot be read does not keep the others back.
        """
        own = context.client.account.own_marketplaces
        problem: StopStream | None = None
        for places in [(place,) for place in own] if self.is_by_marketplace else [own]:
            asked = _Asked(context, self.layout.report_type, places, self.is_by_marketplace)
            try:
                for part, report_id in asked.parts(window):
                    yield from _Cycle(context, self, part, asked).pages(report_id)
            except StopStream as error:
                problem = problem or error
        if problem is not None:
            raise problem


@dataclass(frozen=True)
class _Asked:
    """What a night remembers of the report it asked for, on some of the account's marketplaces."""

    context: StreamContext
    report_type: str
    places: Sequence[Marketplace]
    is_by_marketplace: bool = False

    @property
    def marketplace_ids(self) -> list[str]:
        return [place.marketplace_id for place in self.places]

    def name(self, kind: str) -> str:
        """Key in the stream's state."""
        return f"{kind} {self.places[0].name}" if self.is_by_marketplace else kind

    def remember(self, report_id: str, window: Window) -> None:
        self.context.state[self.name(_STATE)] = {
            "id": report_id,
            "type": self.report_type,
            "start": api_time(window.start),
            "end": api_time(window.end),
            "asked_at": api_time(self.context.clock.now()),
            "marketplaces": self.marketplace_ids,
        }
        self.context.state.save()

    def forget(self) -> None:
        self.context.state.pop(self.name(_STATE), None)
        self.context.state.save()

    def parts(self, window: Window) -> Iterator[tuple[Window, str | None]]:
        """The window, cut around the report of a killed night, which comes with its id.

        What that report has beyond the window is read again later and does no harm.
        """
        pending = self._pending()
        begin = window.start.replace(microsecond=0)  # a report's bounds are whole seconds
        if pending is None or not begin <= pending[0].start < window.end:
            yield window, None
            return
        asked, report_id = pending
        if begin < asked.start:
            yield Window(window.start, asked.start), None
        yield asked, report_id
        if asked.end < window.end:
            yield Window(asked.end, window.end), None

    def _pending(self) -> tuple[Window, str] | None:
        """What a killed night had asked for, unless it is too old or another report."""
        found = self.context.state.get(self.name(_STATE))
        if not found:
            return None
        age = self.context.clock.now() - datetime.fromisoformat(found["asked_at"])
        is_same = (
            found["marketplaces"] == self.marketplace_ids
            and found.get("type", self.report_type) == self.report_type
        )
        if age > RESUME_WITHIN or not is_same:
            return None
        start, end = (datetime.fromisoformat(found[name]) for name in ("start", "end"))
        return Window(start, end), found["id"]


@dataclass(frozen=True)
class _Cycle:
    """One report for one window."""

    context: StreamContext
    kind: ReportKind
    window: Window
    asked: _Asked

    @property
    def client(self) -> AmazonClient:
        client: AmazonClient = self.context.client
        return client

    @functools.cached_property
    def asking(self) -> Asking:
        return Asking(
            self.client,
            self.context.clock,
            self.kind.layout.report_type,
            self.window,
            self.kind.made_anew_after,
            self.asked.marketplace_ids,
        )

    def pages(self, report_id: str | None) -> Iterator[Page]:
        report = self._finished(report_id)
        reference = f"report {report.report_id}"
        if report.processing_status == "CANCELLED":
            yield Page((), reference, rejects=self._count_cancelled(), is_whole=False)
        else:
            self.context.state.pop(self.asked.name(_CANCELLED_STATE), None)
            if not report.report_document_id:
                self.asked.forget()  # the same report would name none the next night either
            found = fetch_document(self.context, report)
            document = Document(found.data, reference, found.charset)
            try:
                yield from self.kind.read_document(document, self.kind.layout, self._locale)
            except StopStream:
                self.asked.forget()  # the same document would stop the next night too
                raise
        self.asked.forget()

    @property
    def _locale(self) -> Locale:
        return Locale(self.asked.places, self.client.account.time_zones)

    def _finished(self, report_id: str | None) -> Report:
        """The report, DONE or CANCELLED. After FATAL another one is asked for, a few times."""
        waits = iter(FATAL_WAITS)
        has_failed = False
        report_id = report_id or self._remember(self.asking.find())
        while True:
            is_new = report_id is None
            report_id = report_id or self._remember(self.asking.ask()) or ""
            try:
                report = self._wait(report_id)
            except NotFoundError:
                self.asked.forget()
                if is_new:
                    raise
                report_id = None
                continue
            if report.processing_status == "DONE":
                return report
            report_id = self._remember(self.asking.instead_of(report))
            if report_id is not None:
                continue
            if report.processing_status == "CANCELLED":
                self._check_cancelled(report, has_failed)
                return report
            self.asked.forget()
            has_failed = True
            wait = self._after_fatal(report, next(waits, None))
            self.context.progress(f"{report.report_id} failed at Amazon, asking again later")
            self.context.clock.sleep(wait)

    def _check_cancelled(self, report: Report, has_failed: bool) -> None:
        """Cancelled is no data; not so within the interval after an equal report that failed."""
        if has_failed and self.kind.made_anew_after:
            self.asked.forget()
            raise StopStream(
                f"report {report.report_id} of {self.kind.layout.report_type} was cancelled after "
                "an equal one had failed: Amazon does not make it anew so soon. The next night "
                "asks again."
            )

    def _wait(self, report_id: str) -> Report:
        clock = self.context.clock
        started = clock.monotonic()
        number = 0
        while True:
            report = self.client.get_report(report_id)
            if report.processing_status in FINAL:
                return report
            if clock.monotonic() - started > LONGEST_WAIT.total_seconds():
                raise StopStream(
                    f"report {report_id} of {self.kind.layout.report_type} is still "
                    f"{report.processing_status} after {LONGEST_WAIT}: the next night goes on "
                    "with the same report."
                )
            self.context.progress(f"report {report_id} is {report.processing_status}")
            clock.sleep(POLL_WAITS[min(number, len(POLL_WAITS) - 1)])
            number += 1

    def _after_fatal(self, report: Report, wait: float | None) -> float:
        """Seconds until another report may be asked for; StopStream when that will not help."""
        said = self._explanation(report)
        may_pass = said is None or any(words in said.lower() for words in _TOO_OFTEN)
        if wait is None or not may_pass:
            reason = f"Amazon says: {said}" if said else "Amazon gives no reason"
            raise StopStream(
                f"report {report.report_id} of {self.kind.layout.report_type} failed at Amazon "
                f"(FATAL). {reason}. Check the account's marketplaces and roles with `aftersales "
                "check-config`; the next night asks again."
            )
        return wait

    def _explanation(self, report: Report) -> str | None:
        if not report.report_document_id:
            return None
        try:
            found = fetch_document(self.context, report)
        except (StopStream, RetryLater):
            return None
        return " ".join(found.data.decode("utf-8", "replace").split())[:_MAX_EXPLANATION] or None

    def _count_cancelled(self) -> tuple[Reject, ...]:
        """Amazon cancels a report without data. Many nights in a row may mean a wrong setting."""
        today = self.context.clock.now().date().isoformat()
        name = self.asked.name(_CANCELLED_STATE)
        counted: dict[str, Any] = self.context.state.get(name) or {"nights": 0}
        if counted.get("last") != today:
            counted = {"nights": counted["nights"] + 1, "last": today}
            self.context.state[name] = counted
            self.context.state.save()
        nights = int(counted["nights"])
        if nights < CANCELLED_NIGHTS_TO_NOTE:
            return ()
        report_type = self.kind.layout.report_type
        logger.warning(
            "account %s: %s was cancelled %d nights in a row: no data, or a wrong marketplace or "
            "role",
            self.client.account.name,
            report_type,
            nights,
        )
        advice = (
            f"Amazon gave no data for {nights} nights: if the account should have some, check its "
            "marketplaces and roles with `aftersales check-config`"
        )
        return (Reject("always_cancelled", 0, advice, report_type),)

    def _remember(self, report_id: str | None) -> str | None:
        if report_id is not None:
            self.asked.remember(report_id, self.window)
        return report_id


def fetch_document(context: StreamContext, report: Report) -> Download:
    """The report's bytes. A cut download is repeated, a link that ran out is replaced."""
    client: AmazonClient = context.client
    if not report.report_document_id:
        raise StopStream(
            f"report {report.report_id} is done but names no document. "
            "The next night asks for it again."
        )
    problem: SourceError | None = None
    for _ in range(LINKS_A_DOCUMENT):
        link = client.get_document(report.report_document_id)
        try:
            return client.download(link)
        except (LinkExpiredError, RetryLater) as error:
            problem = error
            context.progress(f"report {report.report_id}: asking for a new link")
    raise StopStream(
        f"the document of report {report.report_id} could not be downloaded with "
        f"{LINKS_A_DOCUMENT} links ({problem}). The next night goes on with the same report."
    )


def locale_of(account: AmazonAccount) -> Locale:
    return Locale(account.own_marketplaces, account.time_zones)


def read_settlements(context: StreamContext, window: Window) -> Iterator[Page]:
    """Settlements that Amazon made within the window; they can only be listed.

    One that cannot be read does not keep the others back, but the window counts as not read.
    """
    problem: StopStream | None = None
    oldest = context.clock.now() - REPORTS_KEPT
    if window.start < oldest:
        yield Page((), SETTLEMENT.report_type, rejects=(_too_old(oldest),))
    for report in _settlements_of(context, window):
        try:
            found = fetch_document(context, report)
            document = Document(found.data, f"report {report.report_id}", found.charset)
            yield from read_settlement(document, locale_of(context.client.account))
        except NotFoundError:
            yield Page((), f"report {report.report_id}", rejects=(_gone(report),))
        except StopStream as error:
            problem = problem or error
    if problem is not None:
        raise problem


def _settlements_of(context: StreamContext, window: Window) -> list[Report]:
    """Finished ones, each id once, oldest first."""
    client: AmazonClient = context.client
    report_type = SETTLEMENT.report_type
    try:
        listed = list(client.list_reports(report_type, window.start, window.end))
    except StopStream:
        oldest = context.clock.now() - REPORTS_KEPT + timedelta(hours=1)
        if window.start >= oldest:
            raise
        listed = list(client.list_reports(report_type, oldest, window.end))
    found = {report.report_id: report for report in listed if report.processing_status == "DONE"}
    return sorted(found.values(), key=lambda made: (made.created_at or _NO_TIME, made.report_id))


def _too_old(oldest: datetime) -> Reject:
    advice = (
        f"Amazon lists settlements made since {api_time(oldest)} only (90 days). Older ones: "
        "download them in Seller Central under Payments, Reports repository"
    )
    return Reject("older_than_kept", 0, advice, SETTLEMENT.report_type)


def _gone(report: Report) -> Reject:
    advice = (
        "Amazon no longer has the document (it keeps reports 90 days): download the settlement in "
        "Seller Central under Payments, Reports repository"
    )
    return Reject("document_gone", 0, advice, f"report {report.report_id}")


_NO_TIME = datetime.min.replace(tzinfo=UTC)
