"""A hand-written Selling Partner API with state, and short ways to read streams against it.

Belongs here: what the tests of the Amazon connector share. Does not belong here: the sandbox,
which another pair of eyes wrote; the two must not share misunderstandings.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pydantic
import requests
import responses

from assets.control import ensure_control_tables, read_cursors
from assets.load import LoadResult, load_landed
from assets.raw_tables import ensure_raw_tables
from assets.warehouse import Warehouse
from sources._core.clock import ManualClock
from sources._core.connector import Page, Stream, StreamContext, Window
from sources._core.durable import JsonState
from sources._core.extract import ExtractRequest, StreamOutcome, extract_all
from sources._core.records import Encoded, RecordEncoder
from sources.amazon import CONNECTOR
from sources.amazon.client import AmazonClient
from sources.amazon.config import AmazonAccount

NOW = datetime(2026, 3, 20, tzinfo=UTC)
BASE_URL = "https://spapi.test"
LOGIN_URL = "https://login.test/auth/o2/token"
STORAGE_URL = "https://storage.test"
FIXTURES = Path(__file__).resolve().parents[2] / "sources" / "amazon" / "fixtures"
RATE_HEADERS = {"x-amzn-RateLimit-Limit": "100.0", "x-amzn-RequestId": "stub"}

Reply = tuple[int, Mapping[str, str], bytes]
Handler = Callable[["Request"], Reply]


@dataclass(frozen=True)
class Request:
    """What the stub saw."""

    method: str
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def operation(self) -> str:
        return f"{self.method} {self.path}"


@dataclass
class StubReport:
    """A report in the stub: `statuses` are given one by one, the last one for ever."""

    report_id: str
    report_type: str = ""
    start: str = ""
    end: str = ""
    marketplace_ids: list[str] = field(default_factory=list)
    statuses: list[str] = field(default_factory=lambda: ["IN_QUEUE", "IN_PROGRESS", "DONE"])
    created: str = "2026-03-20T00:00:00Z"
    content: bytes = b""
    content_type: str = "text/plain; charset=UTF-8"
    compressed: bool = True
    has_document: bool = True

    def describe(self, *, advance: bool = False) -> dict[str, Any]:
        status = self.statuses[0]
        if advance and len(self.statuses) > 1:
            self.statuses.pop(0)
        described: dict[str, Any] = {
            "reportId": self.report_id,
            "reportType": self.report_type,
            "processingStatus": status,
            "createdTime": self.created,
            "marketplaceIds": self.marketplace_ids,
        }
        if self.start:
            described |= {"dataStartTime": self.start, "dataEndTime": self.end}
        if self.has_document and status in ("DONE", "FATAL"):
            described["reportDocumentId"] = f"doc-{self.report_id}"
        return described


@dataclass
class StubAmazon:
    """Answers as the API would. `scripted` handlers by `METHOD /path` come first, each once."""

    secret: str = "sandbox-shop"
    requests: list[Request] = field(default_factory=list)
    reports: dict[str, StubReport] = field(default_factory=dict)
    new_report: Callable[[StubReport], None] = lambda _report: None
    order_pages: list[dict[str, Any]] = field(default_factory=lambda: [{"orders": []}])
    transaction_pages: list[dict[str, Any]] = field(default_factory=lambda: [{"transactions": []}])
    inbound_pages: list[list[dict[str, Any]]] = field(default_factory=lambda: [[]])
    inbound_items: dict[str, list[list[dict[str, Any]]]] = field(default_factory=dict)
    scripted: dict[str, list[Handler]] = field(default_factory=dict)
    tokens: int = 0
    links: int = 0

    def script(self, operation: str, *handlers: Handler) -> None:
        self.scripted.setdefault(operation, []).extend(handlers)

    def count(self, operation: str) -> int:
        return sum(request.operation == operation for request in self.requests)

    def sent(self, operation: str) -> list[Request]:
        return [request for request in self.requests if request.operation == operation]

    @contextmanager
    def running(self) -> Iterator[StubAmazon]:
        with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
            for method in ("GET", "POST"):
                mock.add_callback(method, re.compile(r"https://[a-z]+\.test/.*"), self._answer)
            yield self

    def _answer(self, prepared: requests.PreparedRequest) -> Reply:
        address = urlsplit(prepared.url or "")
        body = prepared.body or b""
        request = Request(
            prepared.method or "",
            address.path,
            dict(parse_qsl(address.query, keep_blank_values=True)),
            {name.lower(): str(value) for name, value in prepared.headers.items()},
            body.encode() if isinstance(body, str) else body,
        )
        self.requests.append(request)
        waiting = self.scripted.get(request.operation)
        if waiting:
            return waiting.pop(0)(request)
        if address.netloc == "storage.test":
            return self._storage(request)
        if address.netloc == "login.test":
            return self._login(request)
        return self._api(request)

    def _login(self, request: Request) -> Reply:
        form = dict(parse_qsl(request.body.decode()))
        if form.get("refresh_token") != self.secret:
            return 400, {}, b'{"error":"invalid_grant","error_description":"revoked"}'
        self.tokens += 1
        return as_json({"access_token": f"Atza|{self.tokens}", "expires_in": 3600})

    def _api(self, request: Request) -> Reply:
        if not request.headers.get("x-amz-access-token", "").startswith("Atza|"):
            return refusal(403, "Unauthorized", "Access to requested resource is denied.")
        path = request.path
        if path == "/orders/2026-01-01/orders":
            return self._orders(request)
        if path == "/finances/2024-06-19/transactions":
            return self._transactions(request)
        if path.startswith("/inbound/fba/2024-03-20/inboundPlans"):
            return self._inbound(request)
        if path == "/reports/2021-06-30/reports":
            return self._create(request) if request.method == "POST" else self._list(request)
        if path.startswith("/reports/2021-06-30/reports/"):
            report = self.reports.get(path.rsplit("/", 1)[1])
            return as_json(report.describe(advance=True)) if report else not_found()
        if path.startswith("/reports/2021-06-30/documents/doc-"):
            return self._document(path.rsplit("/doc-", 1)[1])
        return not_found()

    def _orders(self, request: Request) -> Reply:
        number = int(request.params.get("paginationToken", "page-0").removeprefix("page-"))
        page = dict(self.order_pages[number])
        page.setdefault("lastUpdatedBefore", request.params["lastUpdatedBefore"])
        if number + 1 < len(self.order_pages):
            page["pagination"] = {"nextToken": f"page-{number + 1}"}
        return as_json(page, headers=RATE_HEADERS)

    def _transactions(self, request: Request) -> Reply:
        number = int(request.params.get("nextToken", "page-0").removeprefix("page-"))
        page = dict(self.transaction_pages[number])
        if number + 1 < len(self.transaction_pages):
            page["nextToken"] = f"page-{number + 1}"
        return as_json({"payload": page}, headers=RATE_HEADERS)

    def _inbound(self, request: Request) -> Reply:
        """Plans, or the items of one."""
        plan = request.path.removesuffix("/items").rpartition("/")[2]
        is_items = request.path.endswith("/items")
        pages = self.inbound_items.get(plan, [[]]) if is_items else self.inbound_pages
        number = int(request.params.get("paginationToken", "page-0").removeprefix("page-"))
        body: dict[str, Any] = {"items" if is_items else "inboundPlans": pages[number]}
        if number + 1 < len(pages):
            body["pagination"] = {"nextToken": f"page-{number + 1}"}
        return as_json(body, headers=RATE_HEADERS)

    def _create(self, request: Request) -> Reply:
        body = json.loads(request.body)
        report = StubReport(
            report_id=str(50_000 + len(self.reports)),
            report_type=body["reportType"],
            start=body["dataStartTime"],
            end=body["dataEndTime"],
            marketplace_ids=body["marketplaceIds"],
        )
        self.new_report(report)
        self.reports[report.report_id] = report
        return as_json({"reportId": report.report_id}, status=202)

    def _list(self, request: Request) -> Reply:
        found = [
            report.describe()
            for report in self.reports.values()
            if report.report_type == request.params.get("reportTypes")
            and request.params["createdSince"] <= report.created
        ]
        return as_json({"reports": found})

    def _document(self, report_id: str) -> Reply:
        self.links += 1
        answer = {
            "reportDocumentId": f"doc-{report_id}",
            "url": f"{STORAGE_URL}/{report_id}?X-Amz-Signature=signed-{self.links}",
        }
        if self.reports[report_id].compressed:
            answer["compressionAlgorithm"] = "GZIP"
        return as_json(answer)

    def _storage(self, request: Request) -> Reply:
        report = self.reports[request.path.removeprefix("/")]
        content = gzip.compress(report.content) if report.compressed else report.content
        return 200, {"Content-Type": report.content_type}, content


def as_json(body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    return status, dict(headers or {}), json.dumps(body).encode()


def refusal(status: int, code: str, message: str, details: str = "") -> Reply:
    error = {"code": code, "message": message, "details": details}
    return as_json({"errors": [error]}, status=status)


def not_found() -> Reply:
    return refusal(404, "NotFound", "The requested resource was not found.")


def throttled(_request: Request) -> Reply:
    return refusal(429, "QuotaExceeded", "You exceeded your quota for the requested resource.")


def account(**changes: Any) -> AmazonAccount:
    values: dict[str, Any] = {
        "connector": "amazon",
        "name": "shop",
        "marketplaces": ("DE", "FR"),
        "start": date(2026, 3, 1),
        "base_url": BASE_URL,
        "token_url": LOGIN_URL,
        "secrets": {
            name: pydantic.SecretStr("sandbox-shop") for name in AmazonAccount.secret_names
        },
    }
    return AmazonAccount(**(values | changes))


@dataclass
class Reading:
    """A client with its clock and state, as a night has them; `state_dir` survives a kill."""

    state_dir: Path
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOW))
    settings: AmazonAccount = field(default_factory=account)

    def __post_init__(self) -> None:
        self.client = AmazonClient(self.settings, self.clock)

    def context(self, stream: Stream) -> StreamContext:
        return StreamContext(
            account=self.settings,
            clock=self.clock,
            client=self.client,
            state=JsonState(self.state_dir / f"{stream.name}.json"),
        )

    def pages(self, stream: Stream, start: datetime, end: datetime = NOW) -> Iterator[Page]:
        return stream.read(self.context(stream), Window(start, end))

    def encoded(self, stream: Stream, start: datetime, end: datetime = NOW) -> list[Encoded]:
        encoder = RecordEncoder(stream)
        return [encoder.encode(page) for page in self.pages(stream, start, end)]


@dataclass
class Nights:
    """Landing and warehouse of one installation, night after night."""

    folder: Path
    settings: tuple[AmazonAccount, ...] = field(default_factory=lambda: (account(),))

    def __post_init__(self) -> None:
        self.landing = self.folder / "landing"
        self.warehouse = Warehouse(self.folder / "warehouse.duckdb")
        with self.warehouse.connect() as connection:
            ensure_control_tables(connection)
            ensure_raw_tables(connection, [CONNECTOR])

    def extract(
        self, until: datetime, *streams: str, clock: ManualClock | None = None
    ) -> list[StreamOutcome]:
        with self.warehouse.connect() as connection:
            cursors = read_cursors(connection)
        asked = [
            ExtractRequest(
                CONNECTOR,
                settings,
                cursors={s: at for (_c, name, s), at in cursors.items() if name == settings.name},
                streams=frozenset(streams),
            )
            for settings in self.settings
        ]
        return extract_all(asked, self.landing, clock or ManualClock(until))

    def night(self, until: datetime, *streams: str) -> list[LoadResult]:
        """One night that must go well."""
        assert [found.error for found in self.extract(until, *streams) if found.error] == []
        return self.load()

    def load(self) -> list[LoadResult]:
        """Load what has landed, also of a stream that failed."""
        return load_landed(self.warehouse, self.landing, [CONNECTOR])

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.warehouse.connect() as connection:
            return connection.execute(sql).fetchall()


def records(pages: Iterable[Encoded]) -> list[dict[str, Any]]:
    """Everything that would be landed, in order."""
    return [json.loads(line) for page in pages for line in page.lines]


def fixture_bytes(name: str) -> bytes:
    return (FIXTURES / name).read_bytes()


def tab_file(columns: Iterable[str], *rows: Iterable[str]) -> bytes:
    return "".join("\t".join(row) + "\r\n" for row in (columns, *rows)).encode()
