"""Calls of the Selling Partner API for one account: token, headers, pacing, meaning of errors.

Belongs here: one method for each operation that is used. Does not belong here: the order of calls
(`reports.py`, `orders.py`) and rates (`config.py`).
The download of a report goes to plain storage by a signed link: no token, none of our headers.
"""

from __future__ import annotations

import logging
import math
import secrets
import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import msgspec
import requests

from sources._core.auth import TokenAuth
from sources._core.clock import Clock
from sources._core.connector import AccountSettings
from sources._core.errors import ConfigurationError, RetryLater, SourceError, StopStream
from sources._core.http import Call, Retries, Session
from sources._core.limits import Limits, TokenBucket
from sources._core.pagination import walk
from sources._core.privacy import redact

from .answers import (
    Created,
    DocumentLink,
    Download,
    InboundItems,
    InboundPlans,
    Login,
    OrdersPage,
    Participation,
    Participations,
    Report,
    ReportList,
    Text,
    TopicsAnswer,
    TransactionsAnswer,
    TransactionsPage,
    reader,
)
from .config import RATES, USER_AGENT, AmazonAccount
from .encodings import charset_of
from .refusals import error_of_answer, error_of_storage, login_code, says_token_expired

logger = logging.getLogger(__name__)

ORDERS_PATH = "/orders/2026-01-01/orders"
REPORTS_PATH = "/reports/2021-06-30/reports"
DOCUMENTS_PATH = "/reports/2021-06-30/documents"
TRANSACTIONS_PATH = "/finances/2024-06-19/transactions"
INBOUND_PATH = "/inbound/fba/2024-03-20/inboundPlans"
FEEDBACK_PATH = "/customerFeedback/2024-06-01"
PARTICIPATIONS_PATH = "/sellers/v1/marketplaceParticipations"
_check_topics = reader(TopicsAnswer, "topics")
ACCESS_HEADER = "x-amz-access-token"

_RATE_HEADER = "x-amzn-RateLimit-Limit"
_REQUEST_ID_HEADER = "x-amzn-RequestId"  # what Amazon's support asks for
_RATE_STATUSES = frozenset({200, 201, 202, 400, 404})
_TRIES = Retries(tries=12, first_wait=1.0, max_wait=120.0, max_asked=1_800.0)
_STORAGE_TRIES = Retries(tries=4, first_wait=1.0, max_wait=30.0)
MAX_LIST_PAGES = 200  # of 100 reports: more than anybody has in the 90 days that Amazon keeps
_LONGEST_BACKOFF = 900.0
_GZIP = b"\x1f\x8b"
_RETRYABLE_LOGIN = frozenset({"server_error", "temporarily_unavailable"})


class AmazonClient:
    """One account. Safe for the threads of its streams."""

    def __init__(self, account: AmazonAccount, clock: Clock) -> None:
        self.account = account
        self.clock = clock
        self._login = _LoginWithAmazon(account, clock)
        self._pacing = _Pacing()
        self._auth = TokenAuth(
            self._login.fetch,
            clock,
            header=ACCESS_HEADER,
            prefix="",
            is_expired=says_token_expired,
        )
        self._session = Session(
            account.endpoint,
            clock,
            auth=self._auth,
            limits=Limits(clock, RATES),
            retries=_TRIES,
            headers={"user-agent": USER_AGENT, "accept": "application/json"},
            classify=error_of_answer,
            asked_wait=self._pacing.wait,
            on_answer=self._pacing.see,
        )
        self._storage = Session("", clock, retries=_STORAGE_TRIES, classify=error_of_storage)
        self._recent: dict[str, Sequence[Report]] = {}
        self._recent_lock = threading.Lock()

    def close(self) -> None:
        for session in (self._session, self._storage):
            session.close()
        self._login.close()

    def check_login(self) -> None:
        """Get an access token, or raise what is wrong with the credentials."""
        self._auth.headers()

    def search_orders(self, params: Mapping[str, str], page: int) -> OrdersPage:
        """One page; `params` must stay the same from page to page, `paginationToken` excepted."""
        call = Call("GET", ORDERS_PATH, "searchOrders", params=params, page=page)
        return self._session.request(call, reader(OrdersPage, "orders")).value

    def create_report(
        self, report_type: str, start: datetime, end: datetime, marketplace_ids: Sequence[str]
    ) -> str:
        """Ask for a report; its id.

        LostAnswer where Amazon may have taken the request: a second one is not harmless.
        """
        body = {
            "reportType": report_type,
            "marketplaceIds": list(marketplace_ids),
            "dataStartTime": api_time(start),
            "dataEndTime": api_time(end),
        }
        call = Call("POST", REPORTS_PATH, "createReport", json=body, is_repeatable=False)
        return self._session.request(call, reader(Created)).value.report_id

    def get_report(self, report_id: str) -> Report:
        call = Call("GET", f"{REPORTS_PATH}/{report_id}", "getReport")
        found = self._session.request(call, reader(Report)).value
        found.report_id = found.report_id or Text(report_id)
        return found

    def list_reports(
        self, report_type: str, since: datetime, until: datetime | None = None
    ) -> Iterator[Report]:
        """Reports of one type created in a period, page by page."""
        params = {"reportTypes": report_type, "pageSize": "100", "createdSince": api_time(since)}
        if until is not None:
            params["createdUntil"] = api_time(until)

        def fetch(token: str | None) -> tuple[Sequence[Report], str | None]:
            # With a token no other parameter may be sent.
            sent: Mapping[str, str] = {"nextToken": token} if token else params
            call = Call("GET", REPORTS_PATH, "getReports", params=sent)
            answer = self._session.request(call, reader(ReportList, "reports")).value
            return answer.named, answer.next_token

        for reports in walk(fetch, f"GET {REPORTS_PATH}", max_pages=MAX_LIST_PAGES):
            yield from reports

    def recent_reports(self, report_type: str, since: datetime) -> Sequence[Report]:
        """As `list_reports`, asked once a night: only earlier nights' reports are looked for.

        They save work; where they cannot be listed, the report is asked for all the same.
        """
        with self._recent_lock:
            if report_type not in self._recent:
                try:
                    found = tuple(self.list_reports(report_type, since))
                except StopStream as error:
                    logger.warning("earlier reports cannot be looked for: %s", redact(str(error)))
                    found = ()
                self._recent[report_type] = found
            return self._recent[report_type]

    def get_document(self, document_id: str) -> DocumentLink:
        """A link that lives five minutes."""
        call = Call("GET", f"{DOCUMENTS_PATH}/{document_id}", "getReportDocument")
        return self._session.request(call, reader(DocumentLink)).value

    def download(self, link: DocumentLink) -> Download:
        """The document's bytes; a cut one is asked for again. LinkExpiredError when too late."""
        answer = self._storage.request(Call("GET", link.url, is_authorised=False), decompress)
        return Download(answer.value, charset_of(answer.headers.get("Content-Type")))

    def list_transactions(self, params: Mapping[str, str], page: int) -> TransactionsPage:
        """One page; `params` must stay the same from page to page, `nextToken` excepted."""
        call = Call("GET", TRANSACTIONS_PATH, "listTransactions", params=params, page=page)
        answer = self._session.request(call, reader(TransactionsAnswer, "payload")).value
        return answer.payload or TransactionsPage()

    def list_inbound_plans(self, params: Mapping[str, str]) -> InboundPlans:
        call = Call("GET", INBOUND_PATH, "listInboundPlans", params=params)
        return self._session.request(call, reader(InboundPlans, "inbound_plans")).value

    def list_inbound_items(self, plan_id: str, params: Mapping[str, str]) -> InboundItems:
        path = f"{INBOUND_PATH}/{plan_id}/items"
        call = Call("GET", path, "listInboundPlanItems", params=params)
        return self._session.request(call, reader(InboundItems, "items")).value

    def review_topics(self, asin: str, marketplace_id: str) -> msgspec.Raw | None:
        """Topics of a product as they came; None where Amazon has none and sends no content."""
        params = {"marketplaceId": marketplace_id, "sortBy": "MENTIONS"}
        path = f"{FEEDBACK_PATH}/items/{asin}/reviews/topics"
        call = Call("GET", path, "getItemReviewTopics", params=params)

        def read(content: bytes) -> msgspec.Raw | None:
            if not content.strip():
                return None
            _check_topics(content)
            return msgspec.Raw(content)

        return self._session.request(call, read).value

    def participations(self) -> Sequence[Participation]:
        call = Call("GET", PARTICIPATIONS_PATH, "getMarketplaceParticipations")
        answer = self._session.request(call, reader(Participations, "payload")).value
        return answer.payload or ()


class _LoginWithAmazon:
    """Gets access tokens. A refused login is not tried again: a person must act."""

    def __init__(self, account: AmazonAccount, clock: Clock) -> None:
        self._account = account
        self._session = Session("", clock, classify=self._error_of)
        self._refusal: ConfigurationError | None = None

    def fetch(self) -> tuple[str, float]:
        """Token and lifetime in seconds. The caller sees to it that one thread asks at a time."""
        if self._refusal is not None:
            raise self._refusal
        form = {"grant_type": "refresh_token"}
        for name in self._account.secret_names:
            secret = self._account.secrets.get(name)
            if secret is None:
                raise ConfigurationError(
                    f"account {self._account.name} has no secret {name}: add "
                    f"secrets.{name} with the name of the environment variable that holds it"
                )
            form[name] = secret.get_secret_value()
        call = Call("POST", self._account.token_endpoint, data=form, is_authorised=False)
        try:
            answer = self._session.request(call, reader(Login)).value
        except ConfigurationError as error:
            self._refusal = error
            raise
        return answer.access_token, answer.expires_in

    def close(self) -> None:
        self._session.close()

    def _error_of(self, response: requests.Response, subject: str) -> SourceError | None:
        if response.status_code == 429 or response.status_code >= 500:
            return None
        if response.ok:
            return None
        code = login_code(response)
        if code in _RETRYABLE_LOGIN:
            return RetryLater(f"{subject} is busy ({code}); the next night tries again.")
        account = self._account.name
        advice = {
            "invalid_grant": "the seller's authorisation was withdrawn or has run out (Amazon "
            "lets it lapse after a year). Authorise the application again in Seller Central "
            "under Apps and Services, Manage Your Apps, and put the new refresh token into the "
            "variable of secrets.refresh_token",
            "invalid_client": "Amazon does not know client_id, or client_secret is wrong or has "
            "run out (it must be rotated every 180 days). Look in the Developer Console and "
            "correct the variables of secrets.client_id and secrets.client_secret",
            "unauthorized_client": "the refresh token belongs to another application. Use the "
            "client_id and client_secret of the application that the seller authorised",
        }.get(code, "check the variables of secrets.refresh_token, client_id and client_secret")
        return ConfigurationError(f"account {account}: login refused ({code}): {advice}.")


class _Pacing:
    """Follows the rate that answers tell, and backs off by it when refused."""

    def __init__(self) -> None:
        self._seen = threading.local()

    def see(self, response: requests.Response, bucket: TokenBucket | None) -> None:
        level = logging.DEBUG if response.ok else logging.INFO
        logger.log(level, "request %s", response.headers.get(_REQUEST_ID_HEADER, "without id"))
        self._seen.per_second = None if bucket is None else bucket.rate.per_second
        told = rate_of(response)
        if bucket is not None and told is not None:
            bucket.adapt(told)

    def wait(self, response: requests.Response, number: int) -> float | None:
        """Seconds after the `number`th refusal: 1/rate, doubled each time, capped, with jitter."""
        per_second = getattr(self._seen, "per_second", None)
        if response.status_code != 429 or not per_second or "Retry-After" in response.headers:
            return None
        wait = min(2.0 ** (number - 1) / per_second, _LONGEST_BACKOFF)
        return wait * (1.0 + secrets.randbelow(100) / 1_000)


def rate_of(response: requests.Response) -> float | None:
    """Requests a second that the answer tells; None when missing, unusable or not to be trusted."""
    if response.status_code not in _RATE_STATUSES:
        return None
    try:
        told = float(response.headers.get(_RATE_HEADER, ""))
    except ValueError:
        return None
    return told if math.isfinite(told) and told > 0 else None


def decompress(content: bytes) -> bytes:
    """Gunzip what is gzip, whatever its description says. EOFError for a cut file."""
    if not content.startswith(_GZIP):
        return content
    pieces = []
    rest = content
    while rest.startswith(_GZIP):
        inflate = zlib.decompressobj(wbits=31)
        try:
            pieces.append(inflate.decompress(rest))
        except zlib.error:
            raise EOFError("garbled gzip") from None
        if not inflate.eof:
            raise EOFError("cut gzip")
        rest = inflate.unused_data
    return b"".join(pieces)


def api_time(moment: datetime) -> str:
    """`2026-01-01T00:00:00Z`; the API refuses other offsets."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def open_account(account: AccountSettings, clock: Clock) -> AmazonClient:
    """The client of an account whose settings were read as Amazon's."""
    if not isinstance(account, AmazonAccount):
        raise TypeError(f"account {account.name} was not read with the settings of Amazon")
    return AmazonClient(account, clock)
