"""Walmart's APIs as the sandbox answers them, from the sheet and the published models.

Belongs here: routes, who may call what, failing answers. The connector is not known here, on
purpose: both read the sheet, and a misunderstanding of one shows.

One server answers for all stores and markets; the token picks the store, a header the market.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sources._sandbox.api_faults import SLOW_ANSWER_S, ApiFaults, source_faults
from sources._sandbox.server import Environment, Request, Response

from .answers import ApiError, json_response, limit_of, nothing_found, wrong
from .auth import Tokens, market_of
from .cursors import Cursors
from .insights import METRICS, summary, workbook
from .limits import Buckets
from .money import Money
from .orders import Orders
from .reports import Reports, packed
from .returns import Returns
from .snapshot import Snapshot, Stores

Object = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """A request of a store that may make it, about a market that it sells in."""

    account: str
    request: Request
    known: Snapshot

    @property
    def query(self) -> dict[str, str]:
        return dict(self.request.query)


@dataclass(frozen=True)
class Route:
    method: str
    path: re.Pattern[str]
    endpoint: str  # whose limit counts
    scope: str
    answer: Callable[..., Response]


_STORE = re.compile(r"/report-store/(\d+)\.zip")
_BINARY = "application/octet-stream"


class WalmartSandbox:
    """The APIs for all stores of a scenario."""

    def __init__(self, environment: Environment) -> None:
        scenario, self._clock = environment.scenario, environment.clock
        accounts = [a.name for a in scenario.accounts if a.connector == "walmart"]
        self._faults = ApiFaults(scenario.seed, scenario.api.shares)
        self._source_faults = source_faults("walmart", scenario.faults)
        self._tokens = Tokens(
            self._clock, accounts, min(900, scenario.api.token_lifetime_s), scenario.seed,
            environment.missing_roles,
        )  # fmt: skip
        self._buckets = Buckets(self._clock, scenario.api.throttle != "realistic", scenario.seed)
        self._stores = Stores(environment.world)
        self._cursors = Cursors()
        self._reports = Reports(self._clock, scenario.api.throttle == "realistic")
        self._routes = [
            Route(method, re.compile(path), endpoint, scope, answer)
            for method, path, endpoint, scope, answer in (
                ("GET", r"/v3/orders", "orders", "orders", self._orders),
                ("GET", r"/v3/orders/(\d+)", "orders", "orders", self._order),
                ("GET", r"/v3/returns(/cursor)?", "returns", "returns", self._returns),
                (
                    "GET",
                    r"/v3/report/reconreport/availableReconFiles",
                    "recon",
                    "reports",
                    self._recon_dates,
                ),
                ("GET", r"/v3/report/reconreport/reconFile", "recon", "reports", self._recon_file),
                (
                    "GET",
                    r"/v3/report/payment/(statement|performance)",
                    "statement",
                    "reports",
                    self._payment,
                ),
                ("POST", r"/v3/reports/reportRequests", "report_request", "reports", self._ask),
                (
                    "GET",
                    r"/v3/reports/reportRequests/([\w-]+)",
                    "report_status",
                    "reports",
                    self._status,
                ),
                ("GET", r"/v3/reports/downloadReport", "report_download", "reports", self._link),
                (
                    "GET",
                    r"/v3/insights/performance/([\w/]+)/(summary|report)",
                    "insights",
                    "reports",
                    self._insights,
                ),
            )
        ]

    def handle(self, request: Request) -> Response:
        """One request: a token, or a call to one of the APIs."""
        if self._source_faults.is_refusing(self._clock):
            return Response(503, is_dropped=True)
        try:
            if (request.method, request.path) == ("POST", "/v3/token"):
                return self._tokens.answer(request)
            stored = _STORE.fullmatch(request.path)
            if stored:
                return self._download(request, stored[1])
            account = self._tokens.account_of(request)
            if request.path == "/v3/token/detail":
                return self._tokens.detail(account)
            return self._troubled(account, request)
        except ApiError as refusal:
            return refusal.response()

    def _troubled(self, account: str, request: Request) -> Response:
        if self._source_faults.is_out(self._clock, account):
            raise ApiError(503, "SYSTEM_ERROR.GMP_GATEWAY_API", "Service unavailable")
        route, parts = self._route(request)
        fault = self._faults.next_fault(f"{account} {request.path} {request.content}")
        if fault == "http_503":
            raise ApiError(503, "SYSTEM_ERROR.GMP_GATEWAY_API", "Service unavailable")
        if fault == "http_429" or not self._buckets.takes(account, route.endpoint):
            refusal = ApiError(429, "REQUEST_THRESHOLD_VIOLATED.GMP_GATEWAY_API", "Too many calls")
            headers = self._buckets.headers(account, route.endpoint, is_refused=True)
            response = refusal.response()
            return replace(response, headers={**response.headers, **headers})
        self._tokens.check_scope(account, route.scope)
        known = self._stores.at(account, market_of(request), self._clock.now())
        if known is None:
            raise wrong("WM_MARKET", "The store does not sell in this market")
        response = route.answer(Call(account, request, known), *parts)
        headers = self._buckets.headers(account, route.endpoint, is_refused=False)
        response = replace(response, headers={**response.headers, **headers})
        if fault == "truncated" and response.body:
            return replace(response, is_truncated=True)
        return replace(response, delay_s=SLOW_ANSWER_S) if fault == "slow" else response

    def _route(self, request: Request) -> tuple[Route, tuple[str, ...]]:
        for route in self._routes:
            match = route.path.fullmatch(request.path)
            if match and route.method == request.method:
                return route, match.groups()
        raise ApiError(404, "RESOURCE_NOT_FOUND.GMP_GATEWAY_API", "There is no such resource")

    def _shown(self, stream: str, account: str, key: str, rows: list[Object]) -> list[Object]:
        """A page as it goes out: now and then out of order, a record twice, a field changed."""
        if rows and self._faults.strikes("out_of_order", stream, account, rows[0][key]):
            rows = rows[::-1]
        twice = [row for row in rows if self._faults.strikes("duplicate_record", stream, row[key])]
        rows = [*rows, *twice]
        for drift in self._source_faults.drifts_of(stream, self._clock):
            rows = [_drifted(row, drift.change, drift.field) for row in rows]
        return rows

    def _orders(self, call: Call) -> Response:
        query, start, _ = self._cursors.opened(call.account, call.request.raw_query, call.query)
        limit, orders = limit_of(query, 100), Orders(call.known)
        numbers = orders.matching(query)
        page = numbers[start : start + limit]
        if not page:
            raise nothing_found("GMP_ORDER_API")
        shown = [
            orders.order(
                number,
                with_replacement=query.get("replacementInfo") == "true",
                with_product=query.get("productInfo") == "true",
            )
            for number in page
        ]
        total, place = len(numbers), start + len(page)
        cursor = self._cursors.next_order_page(
            call.account, call.known.seller_id, query, place, total, limit
        )
        meta: Object = {"totalCount": total if start == 0 else len(page), "limit": limit}
        if cursor is not None:
            meta["nextCursor"] = cursor
        rows = self._shown("orders", call.account, "purchaseOrderId", shown)
        return json_response({"list": {"meta": meta, "elements": {"order": rows}}})

    def _order(self, call: Call, number: str) -> Response:
        if number not in call.known.orders:
            raise nothing_found("GMP_ORDER_API")
        with_replacement = call.query.get("replacementInfo") == "true"
        with_product = call.query.get("productInfo") == "true"
        content = Orders(call.known).order(
            number, with_replacement=with_replacement, with_product=with_product
        )
        return json_response({"order": content})

    def _returns(self, call: Call, form: str | None) -> Response:
        """Mexico has a path of its own."""
        is_mexico = call.known.market["country"] == "MX"
        if bool(form) != is_mexico:
            raise ApiError(404, "RESOURCE_NOT_FOUND.GMP_GATEWAY_API", "There is no such resource")
        query, start, _ = self._cursors.opened(call.account, call.request.raw_query, call.query)
        limit, returns = limit_of(query, 10), Returns(call.known)
        found = returns.matching(query)
        page = found[start : start + limit]
        if not page:
            raise nothing_found("GMP_RETURNS_API")
        with_replacement = query.get("replacementInfo") == "true"
        shown = [returns.order(row, with_replacement=with_replacement) for row in page]
        cursor = self._cursors.next_return_page(
            call.account, call.known.seller_id, query, start + len(page), len(found), limit
        )
        rows = self._shown("returns", call.account, "returnOrderId", shown)
        meta = {"totalCount": len(found), "limit": limit, "nextCursor": cursor}
        return json_response({"meta": meta, "returnOrders": rows})

    # Money

    def _recon_dates(self, call: Call) -> Response:
        return json_response({"availableApReportDates": Money(call.known).dates()})

    def _recon_file(self, call: Call) -> Response:
        """A ZIP. A date without a file is told by an answer that looks like success."""
        if not _takes_binary(call.request):
            raise ApiError(406, "NOT_ACCEPTABLE.GMP_REPORT_API", "Accept must be octet-stream")
        content = Money(call.known).file(call.query.get("reportDate", ""))
        if content is None:
            error = {"code": "INVALID_REQUEST", "description": "No report of this date"}
            return json_response({"errors": {"error": [error]}})
        return Response(200, content, {"Content-Type": _BINARY})

    def _payment(self, call: Call, what: str) -> Response:
        money = Money(call.known)
        return json_response(money.statement() if what == "statement" else money.performance())

    # Reports on request

    def _ask(self, call: Call) -> Response:
        return json_response(self._reports.ask(call.account, call.query))

    def _status(self, call: Call, number: str) -> Response:
        return json_response(self._reports.status(call.account, number))

    def _link(self, call: Call) -> Response:
        number = call.query.get("requestId", "")
        return json_response(self._reports.link(call.account, number, call.request.origin))

    def _download(self, request: Request, name: str) -> Response:
        """The store of files: no token, no limit."""
        found = self._reports.download(request, name)
        if isinstance(found, Response):
            return found
        account, kind = found
        for country in self._stores.countries(account):
            known = self._stores.at(account, country, self._clock.now())
            if known is not None:
                content = packed(kind, known)
                return Response(200, content, {"Content-Type": "application/zip"})
        return Response(404)

    # Rates

    def _insights(self, call: Call, metric: str, form: str) -> Response:
        """America only; without data there is no content."""
        if call.known.market["country"] != "US" or metric not in METRICS:
            raise ApiError(404, "RESOURCE_NOT_FOUND.GMP_GATEWAY_API", "There is no such resource")
        days = int(call.query.get("reportDuration", "30"))
        if form == "report":
            if not _takes_binary(call.request):
                raise ApiError(406, "NOT_ACCEPTABLE.INSIGHTS_API", "Accept must be octet-stream")
            content = workbook(call.known, metric, days)
            return Response(200, content, {"Content-Type": _BINARY}) if content else Response(204)
        told = summary(call.known, metric, days)
        return json_response(told) if told else Response(204)


def _takes_binary(request: Request) -> bool:
    return _BINARY in request.headers.get("accept", "")


def _drifted(row: Object, change: str, name: str) -> Object:
    """A record in which the API has changed a field."""
    if change == "add":
        return row | {name: "new"}
    rest = {key: value for key, value in row.items() if key != name}
    if name not in row or change == "drop":
        return rest
    if change == "rename":
        return rest | {f"{name}New": row[name]}
    return rest | {name: [row[name]]}


def create_app(environment: Environment) -> WalmartSandbox:
    return WalmartSandbox(environment)
