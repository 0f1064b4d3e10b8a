"""Asking for a report once: equal reports that Amazon already has, and requests without answer.

Belongs here: what makes two reports equal, and which of them to read. Does not belong here: waiting
for a report and reading it (`reports.py`).
Within a report type's interval Amazon does not make an equal report anew: a second request ends
CANCELLED, as a report without data does. So a request whose answer was lost is not sent again
before the list of reports has been looked at, and a cancelled report with an equal one beside it
says nothing about data.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sources._core.clock import Clock
from sources._core.connector import Window
from sources._core.errors import LostAnswer, StopStream

from .answers import Report
from .client import AmazonClient, api_time

RESUME_WITHIN = timedelta(hours=36)
LISTED_AFTER = 15.0  # seconds that a report which was taken may need to show in the list
LONGEST_LISTED_AFTER = 240.0
TRIES = 6
FINAL = frozenset({"DONE", "CANCELLED", "FATAL"})

_NO_TIME = datetime.min.replace(tzinfo=UTC)


@dataclass
class Asking:
    """One report wanted for one window. `made_anew_after` is Amazon's interval for its type."""

    client: AmazonClient
    clock: Clock
    report_type: str
    window: Window
    made_anew_after: timedelta
    marketplace_ids: Sequence[str]
    _is_doubtful: bool = False  # an equal report may exist that is not the one we hold
    _tried: set[str] = field(default_factory=set)

    def find(self) -> str | None:
        """An equal report in progress, or one so fresh that Amazon would not make it anew."""
        for report in self._equal(self._known()):
            if self._is_usable(report):
                return self._take(report.report_id)
        return None

    def ask(self) -> str:
        """Ask for a new report; where the answer is lost, look for it before asking again."""
        known = self._tried | {report.report_id for report in self._known()}
        wait = LISTED_AFTER
        for _ in range(TRIES):
            try:
                return self._take(
                    self.client.create_report(
                        self.report_type,
                        self.window.start,
                        self.window.end,
                        self.marketplace_ids,
                    )
                )
            except LostAnswer as error:
                problem = error
                self._is_doubtful = True
            self.clock.sleep(wait)
            wait = min(wait * 2, LONGEST_LISTED_AFTER)
            taken = [r for r in self._equal(self._listed()) if r.report_id not in known]
            if taken:
                best = min(taken, key=lambda r: r.processing_status in ("CANCELLED", "FATAL"))
                return self._take(best.report_id)
        raise StopStream(f"{problem} Amazon's list of reports does not hold the report either.")

    def instead_of(self, report: Report) -> str | None:
        """The equal report to read in place of one that ended CANCELLED or FATAL, if there is one.

        Only looked for where another equal one may exist: the list has a low rate.
        """
        self._take(report.report_id)
        self._is_doubtful |= report.processing_status == "FATAL"
        others = [r for r in self._equal(self._known()) if r.report_id not in self._tried]
        if not self.made_anew_after or not (self._is_doubtful or others):
            return None
        for other in self._equal(self._listed()):
            if other.report_id not in self._tried and self._is_usable(other):
                return self._take(other.report_id)
        return None

    def _take(self, report_id: str) -> str:
        self._tried.add(report_id)
        return str(report_id)  # an answer's Text is not written to disk as it is

    def _known(self) -> Iterable[Report]:
        return self.client.recent_reports(self.report_type, self._since())

    def _listed(self) -> Iterable[Report]:
        return self.client.list_reports(self.report_type, self._since())

    def _since(self) -> datetime:
        return self.clock.now() - max(self.made_anew_after, RESUME_WITHIN)

    def _equal(self, reports: Iterable[Report]) -> list[Report]:
        """Those for the same marketplaces and times, newest first."""
        found = [report for report in reports if self._is_equal(report)]
        return sorted(found, key=lambda report: report.created_at or _NO_TIME, reverse=True)

    def _is_equal(self, report: Report) -> bool:
        return (
            set(report.marketplace_ids or ()) == set(self.marketplace_ids)
            and _same_time(report.data_start, self.window.start)
            and _same_time(report.data_end, self.window.end)
        )

    def _is_usable(self, report: Report) -> bool:
        """In progress, or DONE within the interval."""
        if report.processing_status != "DONE":
            return report.processing_status not in FINAL
        made = report.created_at
        return made is not None and abs(self.clock.now() - made) < self.made_anew_after


def _same_time(reported: datetime | None, wanted: datetime) -> bool:
    return reported is not None and api_time(reported) == api_time(wanted)
