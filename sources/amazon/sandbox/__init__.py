"""Amazon's Selling Partner API as the sandbox answers it, from the sheet and the official models.

Belongs here: routes, who may call what, throttling and failing answers. The connector is not known
here, on purpose: both read the sheet, and a misunderstanding of one shows.

One server answers for all regions and for the token endpoint; the token picks the account.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from threading import Lock
from urllib.parse import unquote

from sources._sandbox.api_faults import SLOW_ANSWER_S, ApiFaults, share_of, source_faults
from sources._sandbox.server import Environment, Request, Response

from .answers import (
    ApiError,
    forbidden,
    json_response,
    not_found,
    quota_exceeded,
    unavailable,
    with_headers,
)
from .auth import Tokens
from .contents import ReportContents, snapshots_of
from .finances import Finances
from .inbound import Inbound
from .orders import Orders
from .places import Place, place_of
from .report_ids import document_id, report_of_document
from .report_kinds import FINANCE_ROLE, FULFILMENT_ROLE, INSIGHTS_ROLE, ORDERS_ROLE
from .reports import Reports
from .review_topics import ReviewTopics
from .storage import PATH as STORAGE_PATH
from .storage import Storage
from .throttle import Buckets, rate_text

_REPORTS = "/reports/2021-06-30"
_ORDERS = "/orders/2026-01-01/orders"
_FINANCES = "/finances/2024-06-19/transactions"
_PLANS = "/inbound/fba/2024-03-20/inboundPlans"
_ITEMS = "/customerFeedback/2024-06-01/items"
_RESTRICTED = "/tokens/2021-03-01/restrictedDataToken"
_SELLERS = "/sellers/v1/marketplaceParticipations"
_RATE_SHOWN_ON = frozenset({200, 202, 400, 404})

Handler = Callable[[str, Request, str], Response]


class AmazonSandbox:
    """The API of all Amazon accounts of a scenario."""

    def __init__(self, environment: Environment) -> None:
        scenario, clock = environment.scenario, environment.clock
        accounts = [a for a in scenario.accounts if a.connector == "amazon"]
        self._clock = clock
        self._seed = scenario.seed
        self._missing_roles = environment.missing_roles
        self._places: Mapping[str, tuple[Place, ...]] = {
            account.name: tuple(place_of(name) for name in account.marketplaces)
            for account in accounts
        }
        self._faults = ApiFaults(scenario.seed, scenario.api.shares)
        self._source_faults = source_faults("amazon", scenario.faults)
        is_realistic = scenario.api.throttle == "realistic"
        self._buckets = Buckets(clock, is_open=not is_realistic)
        self._tokens = Tokens(
            clock, [a.name for a in accounts], scenario.api.token_lifetime_s, scenario.seed
        )
        snapshots = snapshots_of(environment.world)
        contents = ReportContents(
            snapshots, clock, scenario.seed, self._faults, self._source_faults
        )
        self._reports = Reports(
            clock, contents, scenario.seed, is_realistic, self._joined, self._allows
        )
        self._orders = Orders(
            clock,
            snapshots,
            scenario.seed,
            self._faults,
            self._source_faults,
            self._joined,
            environment.with_personal_data,
        )
        self._finances = Finances(environment.world, clock, scenario.seed, self._joined)
        self._inbound = Inbound(environment.world, clock, snapshots)
        self._topics = ReviewTopics(
            environment.world, clock, snapshots, scenario.seed, self._joined
        )
        self._storage = Storage(clock, scenario.seed)
        self._answered = 0
        self._lock = Lock()
        self._routes: list[tuple[str, re.Pattern[str], str, Handler]] = [
            ("GET", _path(_ORDERS), "searchOrders", self._search_orders),
            ("GET", _path(_ORDERS, "/"), "getOrder", self._get_order),
            ("POST", _path(f"{_REPORTS}/reports"), "createReport", self._create_report),
            ("GET", _path(f"{_REPORTS}/reports"), "getReports", self._get_reports),
            ("GET", _path(f"{_REPORTS}/reports", "/"), "getReport", self._get_report),
            ("DELETE", _path(f"{_REPORTS}/reports", "/"), "cancelReport", self._cancel_report),
            (
                "GET",
                _path(f"{_REPORTS}/documents", "/"),
                "getReportDocument",
                self._get_document,
            ),
            ("GET", _path(_FINANCES), "listTransactions", self._list_transactions),
            ("GET", _path(_PLANS), "listInboundPlans", self._list_plans),
            ("GET", _path(_PLANS, "/"), "getInboundPlan", self._get_plan),
            ("GET", _path(_PLANS, "/", "/items"), "listInboundPlanItems", self._list_items),
            (
                "GET",
                _path(_ITEMS, "/", "/reviews/topics"),
                "getItemReviewTopics",
                self._item_topics,
            ),
            ("POST", _path(_RESTRICTED), "createRestrictedDataToken", self._restricted_token),
            ("GET", _path(_SELLERS), "getMarketplaceParticipations", self._participations),
        ]

    def handle(self, request: Request) -> Response:
        """One request: the token endpoint, the store, or an operation of the API."""
        if self._source_faults.is_refusing(self._clock):
            return Response(503, is_dropped=True)
        if request.path == "/auth/o2/token":
            return self._tokens.answer(request)
        if request.path.startswith(STORAGE_PATH):
            return self._download(request)
        operation = ""
        try:
            handler, operation, argument = self._route(request)
            account = self._tokens.account_of(request)
            response = self._operate(handler, operation, argument, account, request)
        except ApiError as error:
            response = error.response()
        return self._labelled(response, operation)

    def _route(self, request: Request) -> tuple[Handler, str, str]:
        """Operation of a path. An unknown path is forbidden, as production says it."""
        for method, pattern, operation, handler in self._routes:
            match = pattern.fullmatch(request.path)
            if match and method == request.method:
                return handler, operation, unquote(match.groupdict().get("argument") or "")
        raise forbidden("Access to the resource is forbidden.")

    def _operate(
        self, handler: Handler, operation: str, argument: str, account: str, request: Request
    ) -> Response:
        if self._source_faults.is_out(self._clock, account):
            raise unavailable()
        if not self._buckets.takes(account, operation):
            raise quota_exceeded()
        fault = self._faults.next_fault(f"{account} {operation} {argument} {request.content}")
        if fault == "http_429":
            raise quota_exceeded()
        if fault == "http_503":
            raise unavailable()
        response = handler(account, request, argument)
        if fault == "truncated":
            return replace(response, is_truncated=True)
        return replace(response, delay_s=SLOW_ANSWER_S) if fault == "slow" else response

    def _labelled(self, response: Response, operation: str) -> Response:
        """Request id on every answer; the rate on those the documentation names, mostly."""
        with self._lock:
            self._answered += 1
            number = self._answered
        luck = share_of(self._seed, "request", number)
        headers = {"x-amzn-RequestId": f"sandbox-{int(luck * 16**12):012x}"}
        if operation and response.status in _RATE_SHOWN_ON and luck < 0.9:
            headers["x-amzn-RateLimit-Limit"] = rate_text(operation, is_open=self._buckets.is_open)
        return with_headers(response, headers)

    def _joined(self, account: str) -> frozenset[str]:
        return frozenset(place.marketplace_id for place in self._places[account])

    def _allows(self, account: str, role: str) -> bool:
        return role not in self._missing_roles.get(account, frozenset())

    def _search_orders(self, account: str, request: Request, _argument: str) -> Response:
        self._need_role(account, ORDERS_ROLE)
        return self._orders.search(account, request)

    def _get_order(self, account: str, request: Request, argument: str) -> Response:
        self._need_role(account, ORDERS_ROLE)
        return self._orders.order(account, argument, request)

    def _list_transactions(self, account: str, request: Request, _argument: str) -> Response:
        self._need_role(account, FINANCE_ROLE)
        return self._finances.transactions(account, request)

    def _list_plans(self, account: str, request: Request, _argument: str) -> Response:
        self._need_role(account, FULFILMENT_ROLE)
        return self._inbound.plans(account, request)

    def _get_plan(self, account: str, _request: Request, argument: str) -> Response:
        self._need_role(account, FULFILMENT_ROLE)
        return self._inbound.plan(account, argument)

    def _list_items(self, account: str, request: Request, argument: str) -> Response:
        self._need_role(account, FULFILMENT_ROLE)
        return self._inbound.items(account, argument, request)

    def _item_topics(self, account: str, request: Request, argument: str) -> Response:
        self._need_role(account, INSIGHTS_ROLE)
        return self._topics.item(account, argument, request)

    def _need_role(self, account: str, role: str) -> None:
        if not self._allows(account, role):
            raise forbidden(f"The application lacks the role {role}.")

    def _create_report(self, account: str, request: Request, _argument: str) -> Response:
        return self._reports.create(account, request)

    def _get_reports(self, account: str, request: Request, _argument: str) -> Response:
        return self._reports.listing(account, request)

    def _get_report(self, account: str, _request: Request, argument: str) -> Response:
        return self._reports.get(account, argument)

    def _cancel_report(self, account: str, _request: Request, argument: str) -> Response:
        return self._reports.cancel(account, argument)

    def _get_document(self, account: str, request: Request, argument: str) -> Response:
        report = report_of_document(argument)
        if report is None:
            raise not_found(f"Document {argument} does not exist.")
        job, document = self._reports.document_of(account, report)
        labels = (request.values("enableContentEncodingUrlHeader") or ["false"])[0]
        identifier = document_id(job.report_id)
        content = {
            "reportDocumentId": identifier,
            "url": self._storage.url(
                request.origin, account, identifier, document, labels == "true"
            ),
        }
        if document.is_flagged:
            content["compressionAlgorithm"] = "GZIP"
        return json_response(content)

    def _restricted_token(self, account: str, request: Request, _argument: str) -> Response:
        return self._tokens.restricted(account, request)

    def _download(self, request: Request) -> Response:
        """The store: not throttled, but it too can be slow, or break off."""
        if request.method != "GET":
            return Response(405)
        response = self._storage.answer(request)
        fault = self._faults.next_fault("store:" + request.path)
        if fault == "http_503":
            return Response(503, b"<Error><Code>SlowDown</Code></Error>")
        if fault == "truncated" and response.status == 200:
            return _cut(response, self._seed)
        return replace(response, delay_s=SLOW_ANSWER_S) if fault == "slow" else response

    def _participations(self, account: str, _request: Request, _argument: str) -> Response:
        payload = [
            {
                "marketplace": {
                    "id": place.marketplace_id,
                    "name": place.host,
                    "countryCode": place.country,
                    "defaultCurrencyCode": place.currency,
                    "defaultLanguageCode": place.language,
                    "domainName": place.domain,
                },
                "participation": {"isParticipating": True, "hasSuspendedListings": False},
                "storeName": account,
            }
            for place in self._places[account]
        ]
        return json_response({"payload": payload})


def _cut(response: Response, seed: int) -> Response:
    """Half a download: the connection breaks, or a gzip ends early without anybody saying so."""
    is_gzip = response.body[:2] == b"\x1f\x8b"
    if is_gzip and share_of(seed, "cut", len(response.body)) < 0.5:
        return replace(response, body=response.body[: len(response.body) // 2])
    return replace(response, is_truncated=True)


def _path(prefix: str, tail: str = "", end: str = "") -> re.Pattern[str]:
    """Pattern of a path, with one more segment where `tail` is `/`, and `end` after it."""
    return re.compile(re.escape(prefix) + (r"/(?P<argument>[^/]+)" if tail else "") + end)


def create_app(environment: Environment) -> AmazonSandbox:
    return AmazonSandbox(environment)
