"""eBay's APIs as the sandbox answers them, from the sheet and the official models.

Belongs here: routes, who may call what, failing answers. The connector is not known here, on
purpose: both read the sheet, and a misunderstanding of one shows.

One server answers for both of eBay's hosts and for all sellers; the token picks the seller.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sources._sandbox.api_faults import SLOW_ANSWER_S, ApiFaults, share_of, source_faults
from sources._sandbox.server import Environment, Request, Response

from .answers import ApiError, json_response, missing
from .auth import SIGNING, Grant, SigningKeys, Tokens, account_with
from .disputes import Disputes
from .finances import Finances
from .orders import Orders
from .post_order import PostOrder
from .quotas import Quotas
from .snapshot import Snapshot, snapshots_of
from .voices import Voices

Object = dict[str, Any]
_TOKEN_PATH = "/identity/v1/oauth2/token"  # noqa: S105
_POST_ORDER = "/post-order/v2/"
_SEARCHES = {
    "return": "returns",
    "cancellation": "cancellations",
    "inquiry": "inquiries",
    "casemanagement": "cases",
}
_RECORDS = {
    "orders": "orderId",
    "returns": "returnId",
    "cancellations": "cancelId",
    "inquiries": "inquiryId",
    "cases": "caseId",
    "transactions": "transactionId",
    "payouts": "payoutId",
    "payment_disputes": "paymentDisputeId",
    "feedback": "feedbackId",
}
"""The key of a record of each stream, by which a record is doubled or not."""


class EbaySandbox:
    """The APIs for all accounts of a scenario."""

    def __init__(self, environment: Environment) -> None:
        scenario, self._clock = environment.scenario, environment.clock
        accounts = [a for a in scenario.accounts if a.connector == "ebay"]
        self._faults = ApiFaults(scenario.seed, scenario.api.shares)
        self._source_faults = source_faults("ebay", scenario.faults)
        self._tokens = Tokens(
            self._clock, [a.name for a in accounts], 2 * scenario.api.token_lifetime_s,
            scenario.seed, environment.missing_roles,
        )  # fmt: skip
        must_sign = [a.name for a in accounts if SIGNING & set(a.market_countries)]
        self._signing = SigningKeys(self._clock, scenario.seed, must_sign)
        self._quotas = Quotas(self._clock, scenario.api.throttle == "realistic")
        self._snapshots = snapshots_of(environment.world)
        self._routes: list[tuple[str, re.Pattern[str], Callable[..., Response]]] = [
            (method, re.compile(path), answer)
            for method, path, answer in (
                ("GET", r"/sell/fulfillment/v1/order", self._orders),
                ("GET", r"/sell/fulfillment/v1/order/([\w-]+)", self._order),
                (
                    "GET",
                    r"/sell/fulfillment/v1/order/([\w-]+)/shipping_fulfillment",
                    self._fulfilments,
                ),
                ("GET", r"/post-order/v2/(\w+)/search", self._search),
                ("GET", r"/post-order/v2/return/(\d+)/(tracking|files)", self._about_return),
                ("GET", r"/post-order/v2/(\w+)/(\d+)", self._case),
                (
                    "GET",
                    r"/sell/fulfillment/v1/payment_dispute_summary",
                    self._disputes,
                ),
                ("GET", r"/sell/fulfillment/v1/payment_dispute/(\d+)", self._dispute),
                ("GET", r"/commerce/feedback/v1/feedback", self._feedback),
                (
                    "GET",
                    r"/sell/analytics/v1/customer_service_metric/(\w+)/(\w+)",
                    self._metric,
                ),
                ("GET", r"/sell/analytics/v1/seller_standards_profile", self._standards),
                ("GET", r"/sell/finances/v1/transaction", self._transactions),
                ("GET", r"/sell/finances/v1/payout", self._payouts),
                ("GET", r"/commerce/identity/v1/user/?", self._user),
                ("GET", r"/developer/analytics/v1_beta/(?:user_)?rate_limit/?", self._limits),
                ("POST", r"/developer/key_management/v1/signing_key", self._signing_key),
            )
        ]

    def handle(self, request: Request) -> Response:
        """One request: a token, or a call to one of the APIs."""
        if self._source_faults.is_refusing(self._clock):
            return Response(503, is_dropped=True)
        if request.path == _TOKEN_PATH and request.method == "POST":
            return self._tokens.answer(request)
        is_post_order = request.path.startswith(_POST_ORDER)
        try:
            schemes = ("IAF", "TOKEN") if is_post_order else ("Bearer",)
            grant = self._tokens.grant_of(request, schemes)
            return self._troubled(grant, request)
        except ApiError as refusal:
            return refusal.response(is_post_order=is_post_order)

    def _troubled(self, grant: Grant, request: Request) -> Response:
        if self._source_faults.is_out(self._clock, grant.account):
            raise ApiError(503, 2003, "Service unavailable")
        key = f"{grant.account} {request.path} {request.content}"
        fault = self._faults.next_fault(key)
        if fault == "http_503":
            status = 500 if request.path.startswith(_POST_ORDER) else 503
            raise ApiError(status, 2003, "Internal error")
        if fault == "http_429" or not self._quotas.takes(_resource(request.path)):
            raise ApiError(429, 2001, "Too many requests. The request limit was reached.")
        response = self._routed(grant, request)
        if fault == "truncated" and response.body:
            return replace(response, is_truncated=True)
        return replace(response, delay_s=SLOW_ANSWER_S) if fault == "slow" else response

    def _routed(self, grant: Grant, request: Request) -> Response:
        for method, path, answer in self._routes:
            match = path.fullmatch(request.path)
            if match and method == request.method:
                return answer(grant, request, *match.groups())
        raise missing("The resource", "ROUTING")

    def _known(self, account: str) -> Snapshot:
        return self._snapshots.at(account, self._clock.now())

    def _shown(self, stream: str, account: str, rows: list[Object]) -> list[Object]:
        """A page as it goes out: now and then out of order, a record twice, a field changed."""
        key = _RECORDS[stream]
        if rows and self._faults.strikes("out_of_order", stream, account, rows[0][key]):
            rows = rows[::-1]
        twice = [row for row in rows if self._faults.strikes("duplicate_record", stream, row[key])]
        rows = [*rows, *twice]
        for drift in self._source_faults.drifts_of(stream, self._clock):
            rows = [drifted(row, drift.change, drift.field) for row in rows]
        return rows

    # Fulfillment

    def _orders(self, grant: Grant, request: Request) -> Response:
        account = account_with(grant, "sell.fulfillment", "sell.fulfillment.readonly")
        orders = Orders(self._known(account))
        page, total, limit, offset = orders.search(request.query)
        content = self._page(request, limit, offset, total)
        return json_response(content | {"orders": self._shown("orders", account, page)})

    def _order(self, grant: Grant, request: Request, order_id: str) -> Response:
        account = account_with(grant, "sell.fulfillment", "sell.fulfillment.readonly")
        with_tax = "TAX_BREAKDOWN" in request.values("fieldGroups")
        return json_response(Orders(self._known(account)).one(order_id, with_tax=with_tax))

    def _fulfilments(self, grant: Grant, _request: Request, order_id: str) -> Response:
        account = account_with(grant, "sell.fulfillment", "sell.fulfillment.readonly")
        return json_response(Orders(self._known(account)).fulfilments(order_id))

    # Post-Order

    def _search(self, grant: Grant, request: Request, kind: str) -> Response:
        account = account_with(grant, "sell.fulfillment")
        if kind not in _SEARCHES:
            raise missing("The resource", "ROUTING")
        stream = _SEARCHES[kind]
        content = getattr(PostOrder(self._known(account)), stream)(dict(request.query))
        name = "cancellations" if kind == "cancellation" else "members"
        return json_response(content | {name: self._shown(stream, account, content[name])})

    def _case(self, grant: Grant, request: Request, kind: str, number: str) -> Response:
        account = account_with(grant, "sell.fulfillment")
        groups = (request.values("fieldgroups") or ["SUMMARY"])[0]
        return json_response(PostOrder(self._known(account)).one(kind, number, groups))

    def _about_return(self, grant: Grant, _request: Request, number: str, what: str) -> Response:
        account = account_with(grant, "sell.fulfillment")
        known = self._known(account)
        if number not in known.returns:
            raise ApiError(404, 1004, f"No return {number} of this seller.")
        if what == "files":
            return json_response({"files": []})
        detail = PostOrder(known).return_detail(known.returns[number])
        shipment = detail.get("returnShipmentInfo", {})
        return json_response(shipment.get("shipmentTracking", {}) | {"scanHistory": []})

    # Disputes, feedback, rates

    def _disputes(self, grant: Grant, request: Request) -> Response:
        account = account_with(grant, "sell.payment.dispute")
        page, total, limit, offset = Disputes(self._known(account)).search(request.query)
        content = self._page(request, limit, offset, total)
        rows = self._shown("payment_disputes", account, page)
        return json_response(content | {"paymentDisputeSummaries": rows})

    def _dispute(self, grant: Grant, _request: Request, number: str) -> Response:
        account = account_with(grant, "sell.payment.dispute")
        return json_response(Disputes(self._known(account)).one(number))

    def _feedback(self, grant: Grant, request: Request) -> Response:
        account = account_with(grant, "commerce.feedback.readonly")
        own = (user_id(account), f"seller_{account}")
        content = Voices(self._known(account)).feedback(dict(request.query), own)
        rows = self._shown("feedback", account, content["feedbackEntries"])
        return json_response(content | {"feedbackEntries": rows})

    def _metric(self, grant: Grant, request: Request, kind: str, cycle: str) -> Response:
        account = account_with(grant, "sell.analytics.readonly")
        marketplace = next(iter(request.values("evaluation_marketplace_id")), None)
        return json_response(Voices(self._known(account)).metric(kind, cycle, marketplace))

    def _standards(self, grant: Grant, _request: Request) -> Response:
        account = account_with(grant, "sell.analytics.readonly")
        return json_response(Voices(self._known(account)).standards())

    # Finances: signed where the seller must sign; nothing found is no content

    def _transactions(self, grant: Grant, request: Request) -> Response:
        return self._money(grant, request, "transactions")

    def _payouts(self, grant: Grant, request: Request) -> Response:
        return self._money(grant, request, "payouts")

    def _money(self, grant: Grant, request: Request, stream: str) -> Response:
        account = account_with(grant, "sell.finances")
        self._signing.check(account, request)
        found = getattr(Finances(self._known(account)), stream)(request.query)
        page, total, limit, offset = found
        if not page:
            return Response(204)
        content = self._page(request, limit, offset, total)
        if total % 3 == 0:
            del content["total"]  # now and then it is missing
        return json_response(content | {stream: self._shown(stream, account, page)})

    def _page(self, request: Request, limit: int, offset: int, total: int) -> Object:
        """What goes around a list; links name eBay's own host."""
        href = f"https://apiz.ebay.com{request.path}"
        content: Object = {
            "href": f"{href}?limit={limit}&offset={offset}",
            "total": total,
            "limit": limit,
            "offset": offset,
        }
        if offset + limit < total:
            content["next"] = f"{href}?limit={limit}&offset={offset + limit}"
        if offset:
            content["prev"] = f"{href}?limit={limit}&offset={max(0, offset - limit)}"
        return content

    # The seller, the application

    def _user(self, grant: Grant, _request: Request) -> Response:
        account = account_with(grant, "commerce.identity.readonly")
        return json_response(
            {
                "userId": user_id(account),
                "username": f"seller_{account}",
                "accountType": "BUSINESS",
                "status": "CONFIRMED",
            }
        )

    def _limits(self, _grant: Grant, request: Request) -> Response:
        given = [next(iter(request.values(n)), None) for n in ("api_context", "api_name")]
        content = self._quotas.answer(given[0], given[1])
        return json_response(content) if content["rateLimits"] else Response(204)

    def _signing_key(self, grant: Grant, _request: Request) -> Response:
        if grant.account is None:
            owners = self._tokens.accounts
            return self._signing.create(next(iter(owners)))
        return self._signing.create(grant.account)


def user_id(account: str) -> str:
    """A seller's id that never changes."""
    return f"s{share_of('user', account):.12f}".replace(".", "")


def drifted(row: Object, change: str, name: str) -> Object:
    """A record in which the API has changed a field."""
    if change == "add":
        return row | {name: "new"}
    rest = {key: value for key, value in row.items() if key != name}
    if name not in row or change == "drop":
        return rest
    if change == "rename":
        return rest | {f"{name}New": row[name]}
    return rest | {name: [row[name]]}


def _resource(path: str) -> str:
    """The resource whose quota a call counts against."""
    parts = path.strip("/").split("/")
    if parts[0] == "post-order":
        return f"post-order.{parts[2]}" if len(parts) > 2 else ""
    return ".".join(parts[:2])


def create_app(environment: Environment) -> EbaySandbox:
    return EbaySandbox(environment)
