"""The report cycle: create, poll, document, download.

Belongs here: the life of a report and the rules of its five operations. Does not belong here:
what stands in a report (`report_rows.py`, `settlements.py`) or its bytes (`report_text.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Protocol

import msgspec

from sources._core.clock import Clock
from sources._sandbox.api_faults import share_of
from sources._sandbox.server import Request, Response

from .answers import (
    api_time,
    csv_values,
    forbidden,
    invalid,
    json_response,
    not_found,
    parse_time,
)
from .places import BY_ID
from .report_ids import ReportRequest, document_id, report_id, request_of
from .report_kinds import KINDS, ReportKind
from .report_text import Document

STATUSES = frozenset({"CANCELLED", "DONE", "FATAL", "IN_PROGRESS", "IN_QUEUE"})
KEPT = timedelta(days=90)

QUEUED_S, WORKING_S = 20.0, 80.0
"""Where throttling is realistic: a report waits until the first, is worked on until the second."""


@dataclass
class Job:
    """One report of one account. `polls` and `since` say how far it has come.

    `outcome` is what it ends as if nobody cancels it; None: its content decides when it is ready.
    """

    request: ReportRequest
    since: float
    polls: int = 0
    outcome: str | None = None
    document: Document | None = None
    is_listed_by_amazon: bool = False

    @property
    def report_id(self) -> str:
        return report_id(self.request)


class Contents(Protocol):
    """Bodies of reports, and the reports that Amazon makes unasked (settlements)."""

    def document(self, account: str, request: ReportRequest) -> Document | None:
        """The body; None where there is not one row and Amazon makes no file."""

    def listed(self, account: str) -> Sequence[ReportRequest]: ...


@dataclass
class Reports:
    """All reports of all accounts. `joined` gives an account's marketplaces, `allows` its roles."""

    clock: Clock
    contents: Contents
    seed: int
    is_realistic: bool
    joined: Callable[[str], frozenset[str]]
    allows: Callable[[str, str], bool]
    _jobs: dict[tuple[str, str], Job] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def create(self, account: str, request: Request) -> Response:
        """`POST /reports/2021-06-30/reports`."""
        kind, wanted = self._specification(account, request.body)
        with self._lock:
            job = self._new_job(account, kind, wanted)
            self._jobs[account, job.report_id] = job
        return json_response({"reportId": job.report_id}, 202)

    def get(self, account: str, identifier: str) -> Response:
        """`GET .../reports/{reportId}`: each look moves the report on."""
        with self._lock:
            job = self._job(account, identifier)
            job.polls += 1
            return json_response(self._report(account, job))

    def cancel(self, account: str, identifier: str) -> Response:
        """`DELETE .../reports/{reportId}`: only while it waits."""
        with self._lock:
            job = self._job(account, identifier)
            if self._status(account, job) != "IN_QUEUE":
                raise invalid(f"Report {identifier} is not IN_QUEUE and cannot be cancelled.")
            job.outcome, job.polls = "CANCELLED", 99
        return Response(200)

    def listing(self, account: str, request: Request) -> Response:
        """`GET .../reports`: newest first."""
        query, offset, size = self._listing_query(request)
        with self._lock:
            matching = self._matching(account, query)
            page = [self._report(account, job) for job in matching[offset : offset + size]]
        content: dict[str, Any] = {"reports": page}
        if offset + size < len(matching):
            content["nextToken"] = listing_token(query, offset + size, size)
        return json_response(content)

    def document_of(self, account: str, identifier: str) -> tuple[Job, Document]:
        """The body behind a document id; 404 where the account has no such document."""
        with self._lock:
            job = self._job(account, identifier)
            self._status(account, job)
            if job.document is None:
                raise not_found(f"Document of report {identifier} does not exist.")
            return job, job.document

    def _specification(self, account: str, body: bytes) -> tuple[ReportKind, ReportRequest]:
        try:
            content = msgspec.json.decode(body)
        except msgspec.DecodeError as error:
            raise invalid("The body is not JSON.") from error
        if not isinstance(content, dict):
            raise invalid("The body is not an object.")
        kind = KINDS.get(str(content.get("reportType")))
        if kind is None:
            raise invalid(f"reportType: '{content.get('reportType')}' is not supported.")
        if not kind.can_be_created:
            raise invalid(f"reportType: '{kind.report_type}' cannot be requested.")
        self._need_role(account, kind)
        places = self._places(account, content.get("marketplaceIds"))
        options = content.get("reportOptions") or {}
        if not isinstance(options, dict) or not all(isinstance(v, str) for v in options.values()):
            raise invalid("reportOptions: values are text.")
        start, end = self._window(content)
        return kind, ReportRequest(kind.report_type, start, end, self.clock.now(), tuple(places))

    def _need_role(self, account: str, kind: ReportKind) -> None:
        if not self.allows(account, kind.role):
            raise forbidden(f"The application lacks the role {kind.role}.")

    def _places(self, account: str, places: Any) -> list[str]:
        if not isinstance(places, list) or not 1 <= len(places) <= 25:
            raise invalid("marketplaceIds: between 1 and 25 marketplaces are required.")
        unknown = [place for place in places if place not in BY_ID]
        if unknown:
            raise invalid(f"marketplaceIds: '{unknown[0]}' is not a marketplace.")
        if not set(places) <= self.joined(account):
            raise forbidden("The seller does not sell in a marketplace of marketplaceIds.")
        return places

    def _window(self, content: dict[str, Any]) -> tuple[datetime, datetime]:
        """Start and end; the default of both is now, and neither may lie in the future."""
        now = self.clock.now()
        moments = []
        for name in ("dataStartTime", "dataEndTime"):
            value = content.get(name)
            moment = parse_time(name, str(value)) if value is not None else now
            if moment > now:
                raise invalid(f"{name}: must be prior to or equal to the current date and time.")
            moments.append(moment.replace(microsecond=0))
        if moments[0] > moments[1]:
            raise invalid("dataStartTime: must not be after dataEndTime.")
        return moments[0], moments[1]

    def _new_job(self, account: str, kind: ReportKind, wanted: ReportRequest) -> Job:
        now = self.clock.monotonic()
        equal = [
            job
            for (owner, _), job in self._jobs.items()
            if owner == account and job.request.same_as(wanted)
        ]
        job = Job(replace(wanted, serial=len(equal)), since=now)
        limit = kind.max_window
        if limit is not None and wanted.end - wanted.start > limit:
            job.outcome = "FATAL"
            job.document = Document.explaining(
                f"The requested date range is longer than {limit.days} days."
            )
        elif kind.interval is not None:
            seconds = kind.interval.total_seconds()
            self._hold_back(job, [old for old in equal if now - old.since < seconds])
        return job

    def _hold_back(self, job: Job, recent: list[Job]) -> None:
        """An equal request within the generation interval: old content, nothing, then FATAL."""
        made = [old for old in recent if old.outcome == "DONE"]
        if len(recent) == 1 and made:
            job.outcome, job.document = "DONE", made[0].document
        elif len(recent) == 1 and recent[0].outcome is not None:
            job.outcome, job.document = recent[0].outcome, recent[0].document
        elif recent:
            job.outcome = "CANCELLED" if len(recent) < 3 else "FATAL"

    def _job(self, account: str, identifier: str) -> Job:
        """A report of this account by id, also one that an earlier server was asked for."""
        for listed in self.contents.listed(account):
            if report_id(listed) == identifier:
                self._admit(account, listed)
        job = self._jobs.get((account, identifier))
        if job is not None:
            return job
        request = request_of(identifier)
        now = self.clock.now()
        if request is None or not request.created <= now:
            raise not_found(f"Report {identifier} does not exist.")
        kind = KINDS[request.report_type]
        is_old = request.created < now - KEPT
        if (
            is_old
            or not kind.can_be_created
            or not set(request.marketplace_ids) <= self.joined(account)
        ):
            raise not_found(f"Report {identifier} does not exist.")
        job = Job(request, since=self.clock.monotonic(), polls=1)
        self._jobs[account, identifier] = job
        return job

    def _admit(self, account: str, listed: ReportRequest) -> Job:
        """A report that Amazon made: it is ready as soon as it is seen."""
        key = (account, report_id(listed))
        if key not in self._jobs:
            self._jobs[key] = Job(listed, since=0.0, polls=99, is_listed_by_amazon=True)
        return self._jobs[key]

    def _status(self, account: str, job: Job) -> str:
        """Where the report stands now; makes its content when it is first found ready."""
        stage = self._stage(job)
        if stage != "READY":
            return stage
        if job.outcome is None:
            job.document = self.contents.document(account, job.request)
            job.outcome = "CANCELLED" if job.document is None else "DONE"
        return job.outcome

    def _stage(self, job: Job) -> str:
        if job.is_listed_by_amazon or job.polls >= 99:
            return "READY"
        if self.is_realistic:
            age = self.clock.monotonic() - job.since
            return "IN_QUEUE" if age < QUEUED_S else "IN_PROGRESS" if age < WORKING_S else "READY"
        left = self._looks_needed(job) - job.polls
        return "READY" if left <= 0 else "IN_PROGRESS" if job.polls else "IN_QUEUE"

    def _looks_needed(self, job: Job) -> int:
        """Without throttling most reports are ready at the first look, some later."""
        luck = share_of(self.seed, "looks", job.report_id)
        return 1 if luck < 0.9 else 2 if luck < 0.97 else 3

    def _report(self, account: str, job: Job) -> dict[str, Any]:
        """The `Report` of the model."""
        status = self._status(account, job)
        request = job.request
        content: dict[str, Any] = {
            "reportId": job.report_id,
            "reportType": request.report_type,
            "marketplaceIds": list(request.marketplace_ids),
            "dataStartTime": api_time(request.start),
            "dataEndTime": api_time(request.end),
            "createdTime": api_time(request.created),
            "processingStatus": status,
        }
        if status != "IN_QUEUE":
            content["processingStartTime"] = api_time(request.created)
        if status in ("DONE", "FATAL", "CANCELLED"):
            content["processingEndTime"] = api_time(request.created)
            if job.document is not None:
                content["reportDocumentId"] = document_id(job.report_id)
        return content

    def _listing_query(self, request: Request) -> tuple[dict[str, Any], int, int]:
        names = {name for name, _ in request.query}
        if "nextToken" in names:
            if names != {"nextToken"}:
                raise invalid("nextToken must be the only parameter.")
            return read_listing_token(request.values("nextToken")[0])
        if "reportTypes" not in names:
            raise invalid("Either reportTypes or nextToken is required.")
        size_text = (request.values("pageSize") or ["10"])[0]
        if not size_text.isdecimal() or not 1 <= int(size_text) <= 100:
            raise invalid("pageSize: a number between 1 and 100.")
        query: dict[str, Any] = {
            "types": csv_values("reportTypes", request.values("reportTypes"), None, 10),
            "statuses": csv_values(
                "processingStatuses", request.values("processingStatuses"), STATUSES, 5
            ),
            "places": csv_values("marketplaceIds", request.values("marketplaceIds"), None, 10),
        }
        for name in ("createdSince", "createdUntil"):
            texts = request.values(name)
            query[name] = api_time(parse_time(name, texts[0])) if texts else None
        return query, 0, int(size_text)

    def _matching(self, account: str, query: dict[str, Any]) -> list[Job]:
        for name in query["types"]:
            if name in KINDS:
                self._need_role(account, KINDS[name])
        for listed in self.contents.listed(account):
            self._admit(account, listed)
        now = self.clock.now()
        earliest = api_time(now - KEPT)
        since = max(query["createdSince"] or earliest, earliest)
        until = query["createdUntil"] or api_time(now)
        found = [
            job
            for (owner, _), job in self._jobs.items()
            if owner == account
            and job.request.report_type in query["types"]
            and since <= api_time(job.request.created) <= until
            and (not query["places"] or set(query["places"]) & set(job.request.marketplace_ids))
            and (not query["statuses"] or self._status(account, job) in query["statuses"])
        ]
        return sorted(found, key=lambda job: (job.request.created, job.report_id), reverse=True)


def listing_token(query: dict[str, Any], offset: int, size: int) -> str:
    """Opaque to the reader: the whole query and where the next page begins."""
    return msgspec.json.encode({"q": query, "o": offset, "s": size}).hex()


def read_listing_token(token: str) -> tuple[dict[str, Any], int, int]:
    try:
        content = msgspec.json.decode(bytes.fromhex(token))
        return content["q"], int(content["o"]), int(content["s"])
    except (ValueError, KeyError, TypeError, msgspec.DecodeError) as error:
        raise invalid("nextToken is not valid.") from error
