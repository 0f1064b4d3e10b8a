"""A hand-written eBay with state, and short ways to read streams against it.

Belongs here: what the tests of the eBay connector share. Does not belong here: the sandbox, which
another pair of eyes wrote. Where eBay's descriptions are at hand, every request and every answer of
a REST API is held against them.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pydantic
import requests
import responses

from sources._core.clock import ManualClock
from sources._core.extract import ExtractRequest, StreamOutcome, extract_all
from sources._core.landing import all_landed_files, landed_files, stream_folder
from sources._core.testing import raw_tables
from sources.ebay import CONNECTOR
from sources.ebay.config import EbayAccount
from tests.connectors import ebay_spec

NOW = datetime(2026, 11, 20, tzinfo=UTC)
START = date(2026, 11, 10)
KEY = "customer-key"
Node = dict[str, Any]
Reply = tuple[int, Mapping[str, str], bytes]
_SEARCHES = {
    "return": ("members", "creation_date_range", "returns", "returnId"),
    "cancellation": ("cancellations", "creation_date_range", "cancellations", "cancelId"),
    "inquiry": ("members", "inquiry_creation_date_range", "inquiries", "inquiryId"),
    "casemanagement": ("members", "case_creation_date_range", "cases", "caseId"),
}


@dataclass(frozen=True)
class Asked:
    """What the stub was sent."""

    method: str
    host: str
    path: str
    params: Mapping[str, list[str]]
    headers: Mapping[str, str]
    form: Mapping[str, list[str]]

    @property
    def one(self) -> dict[str, str]:
        return {name: values[0] for name, values in self.params.items()}


Handler = Callable[[Asked], Reply]


@dataclass
class StubEbay:
    """Answers as the API would. `scripted` handlers of a path come first, each once."""

    orders: list[Node] = field(default_factory=list)
    cancel_requests: dict[str, list[Node]] = field(default_factory=dict)
    fulfillments: dict[str, list[Node]] = field(default_factory=dict)
    returns: list[Node] = field(default_factory=list)
    return_details: dict[str, Node] = field(default_factory=dict)
    cancellations: list[Node] = field(default_factory=list)
    inquiries: list[Node] = field(default_factory=list)
    cases: list[Node] = field(default_factory=list)
    details: dict[str, Node] = field(default_factory=dict)  # of inquiries, cases, cancellations
    transactions: list[Node] = field(default_factory=list)
    payouts: list[Node] = field(default_factory=list)
    disputes: list[Node] = field(default_factory=list)
    feedback: list[Node] = field(default_factory=list)
    metrics: dict[str, Node] = field(default_factory=dict)
    standards: list[Node] = field(default_factory=list)
    quotas: dict[str, list[Node]] = field(default_factory=dict)  # by api_name
    refresh_token: str = "refresh-1"
    needs_signature: bool = False
    page_size: int | None = None  # fewer than asked for
    scripted: dict[str, list[Handler]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    tokens: int = 0
    valid_tokens: set[str] = field(default_factory=set)

    def script(self, path: str, *handlers: Handler) -> None:
        self.scripted.setdefault(path, []).extend(handlers)

    def sent(self, path: str) -> list[Asked]:
        return [asked for asked in self.asked if re.search(path, asked.path)]

    @contextmanager
    def running(self) -> Iterator[StubEbay]:
        with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
            for method in ("GET", "POST"):
                mock.add_callback(method, re.compile(r"https://.*"), self._answer)
            yield self

    def _answer(self, prepared: requests.PreparedRequest) -> Reply:
        address = urlsplit(prepared.url or "")
        body = prepared.body or b""
        text = body.decode() if isinstance(body, bytes) else str(body)
        asked = Asked(
            str(prepared.method),
            address.netloc,
            address.path,
            parse_qs(address.query),
            dict(prepared.headers),
            parse_qs(text),
        )
        self.asked.append(asked)
        for path, waiting in self.scripted.items():
            if waiting and re.search(path, asked.path):
                return waiting.pop(0)(asked)
        return self.answer(asked)

    def answer(self, asked: Asked) -> Reply:
        """The answer that the state gives."""
        if asked.path == "/identity/v1/oauth2/token":
            return self._login(asked)
        scheme, _, token = asked.headers.get("Authorization", "").partition(" ")
        wanted = "IAF" if asked.path.startswith("/post-order/") else "Bearer"
        if scheme != wanted or token not in self.valid_tokens:
            return refusal(401, 1001, "Invalid access token")
        if asked.path.startswith("/post-order/v2/"):
            return self._post_order(asked)
        if asked.path == "/commerce/identity/v1/user/":
            return ok({"userId": "seller-1", "username": "brand_shop"})
        base = next(base for base in ebay_spec.FILES if asked.path.startswith(base))
        inner = asked.path.removeprefix(base)
        assert ebay_spec.unknown_parameters(base, inner, asked.params) == []
        reply = self._rest(base, inner, asked)
        if reply[0] == 200:
            assert ebay_spec.faults(base, inner, json.loads(reply[2])) == []
        return reply

    def _login(self, asked: Asked) -> Reply:
        basic = base64.b64decode(asked.headers["Authorization"].removeprefix("Basic ")).decode()
        if basic != "app-1:cert-1":
            return 401, {}, b'{"error":"invalid_client"}'
        form = {name: values[0] for name, values in asked.form.items()}
        if form["grant_type"] == "refresh_token" and form["refresh_token"] != self.refresh_token:
            return 400, {}, b'{"error":"invalid_grant","error_description":"void"}'
        self.tokens += 1
        token = f"token-{self.tokens}"
        self.valid_tokens.add(token)
        return ok({"access_token": token, "expires_in": 7200, "token_type": "User Access Token"})

    def _rest(self, base: str, path: str, asked: Asked) -> Reply:
        if base == "/developer/analytics/v1_beta":
            return self._rate_limits(asked)
        if base == "/sell/finances/v1":
            return self._finances(path, asked)
        if base == "/commerce/feedback/v1":
            return self._feedback(asked)
        if base == "/sell/analytics/v1":
            return self._analytics(path)
        if path.startswith("/payment_dispute"):
            return self._disputes(path, asked)
        return self._orders(path, asked)

    def _rate_limits(self, asked: Asked) -> Reply:
        rates = self.quotas.get(asked.one["api_name"])
        if rates is None:
            return 204, {}, b""
        resource = {"name": "resource", "rates": rates}
        return ok({"rateLimits": [{"apiName": asked.one["api_name"], "resources": [resource]}]})

    def _orders(self, path: str, asked: Asked) -> Reply:
        if path == "/order":
            assert not {"creationdate", "orderIds"} & set(asked.params)
            low, high = bounds(asked.one["filter"], "lastmodifieddate")
            found = [o for o in self.orders if low <= o["lastModifiedDate"] <= high]
            found.sort(key=lambda order: order["lastModifiedDate"])
            return ok(self.page(asked, found, "orders", most=200))
        order_id = path.split("/")[2]
        if path.endswith("/shipping_fulfillment"):
            found = self.fulfillments.get(order_id, [])
            return ok({"fulfillments": found, "total": len(found)})
        order = next((o for o in self.orders if o["orderId"] == order_id), None)
        if order is None:
            return refusal(404, 32100, "no such order")
        requests_of = self.cancel_requests.get(order_id, [])
        return ok(
            {**order, "cancelStatus": {**order["cancelStatus"], "cancelRequests": requests_of}}
        )

    def page(self, asked: Asked, found: list[Node], field_name: str, *, most: int) -> Node:
        limit = int(asked.one["limit"])
        assert limit <= most, "a limit above the API's is an error, not clamped"
        limit = min(limit, self.page_size or limit)
        offset = int(asked.one.get("offset", 0))
        page: Node = {
            "href": asked.path,
            "total": len(found),
            "limit": limit,
            "offset": offset,
            field_name: found[offset : offset + limit],
        }
        if offset + limit < len(found):
            page["next"] = (
                f"http://elsewhere.example{asked.path}?limit={limit}&offset={offset + limit}"
            )
        return page

    def _finances(self, path: str, asked: Asked) -> Reply:
        if self.needs_signature and "Signature" not in asked.headers:
            return refusal(400, 215001, "Missing x-ebay-signature-key header")
        name, dated, most = (
            ("transactions", "transactionDate", 1000)
            if path == "/transaction"
            else ("payouts", "payoutDate", 200)
        )
        rows = self.transactions if path == "/transaction" else self.payouts
        low, high = bounds(asked.one["filter"], dated)
        found = sorted((r for r in rows if low <= r[dated] <= high), key=lambda r: r[dated])
        if not found:
            return 204, {}, b""
        return ok(self.page(asked, found, name, most=most))

    def _disputes(self, path: str, asked: Asked) -> Reply:
        if path != "/payment_dispute_summary":
            key = path.rsplit("/", 1)[1]
            return ok(next(d for d in self.disputes if d["paymentDisputeId"] == key))
        low, high = asked.one["open_date_from"], asked.one["open_date_to"]
        names = ("paymentDisputeId", "openDate", "orderId", "paymentDisputeStatus", "buyerUsername")
        found = [
            {name: dispute[name] for name in names if name in dispute}
            for dispute in self.disputes
            if low <= dispute["openDate"] <= high
        ]
        return ok(self.page(asked, found, "paymentDisputeSummaries", most=200))

    def _feedback(self, asked: Asked) -> Reply:
        assert asked.one["sort"] == "TIME"
        limit, offset = int(asked.one["limit"]), int(asked.one.get("offset", 0))
        assert 25 <= limit <= 200
        limit = min(limit, self.page_size or limit)
        paging = {"count": limit, "limit": limit, "offset": offset, "total": len(self.feedback)}
        if offset + limit < len(self.feedback):
            paging["next"] = f"/feedback?offset={offset + limit}"  # type: ignore[assignment]
        return ok({"feedbackEntries": self.feedback[offset : offset + limit], "pagination": paging})

    def _analytics(self, path: str) -> Reply:
        if path == "/seller_standards_profile":
            return ok({"standardsProfiles": self.standards})
        found = self.metrics.get(path.removeprefix("/customer_service_metric/"))
        return ok(found) if found else refusal(404, 50002, "not evaluated")

    def _post_order(self, asked: Asked) -> Reply:
        assert asked.headers["X-EBAY-C-MARKETPLACE-ID"].startswith("EBAY_")
        assert asked.headers["Content-Type"] == "application/json"
        resource, key = asked.path.removeprefix("/post-order/v2/").split("/")
        members, dates, stored, name = _SEARCHES[resource]
        if key == "search":
            return self._search(asked, members, dates, getattr(self, stored))
        if resource == "return":
            found = next(r for r in self.returns if str(r["returnId"]) == key)
            group = asked.one["fieldgroups"]
            inner = {
                "SUMMARY": ("summary", found),
                "FULL": ("detail", self.return_details.get(key)),
            }
            label, value = inner[group]
            return ok({label: value} if value is not None else {})
        found = next(r for r in getattr(self, stored) if str(r[name]) == key)
        detail = {**found, **self.details.get(key, {})}
        return ok({"cancelDetail": detail} if resource == "cancellation" else detail)

    def _search(self, asked: Asked, members: str, dates: str, stored: list[Node]) -> Reply:
        if dates == "creation_date_range":
            assert asked.one["role"] == "SELLER"
        assert int(asked.one["limit"]) <= 200
        low, high = asked.one[f"{dates}_from"], asked.one[f"{dates}_to"]
        found = [member for member in stored if low <= created(member) <= high]
        offset = int(asked.one.get("offset", 0))
        page = found[offset : offset + int(asked.one["limit"])]
        paging = {"totalEntries": len(found), "limit": 200, "offset": 1, "totalPages": 1}
        return ok({members: page, "total": len(page), "paginationOutput": paging})


def created(member: Node) -> str:
    for holder in (member.get("creationInfo") or {}, member):
        for name in ("creationDate", "cancelRequestDate"):
            if name in holder:
                return str(holder[name]["value"])
    raise KeyError("no date of creation")


def bounds(text: str, name: str) -> tuple[str, str]:
    found = re.fullmatch(rf"{name}:\[(.+)\.\.(.+)\]", text)
    assert found is not None, text
    return found.group(1), found.group(2)


def ok(body: Any) -> Reply:
    return 200, {}, json.dumps(body).encode()


def refusal(status: int, code: int, words: str, *, field_name: str = "errors") -> Reply:
    body = {field_name: [{"errorId": code, "message": words, "domain": "API"}]}
    return status, {}, json.dumps(body).encode()


def at(day: int, hour: int = 12, minute: int = 0, month: int = 11) -> str:
    return f"2026-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:00.000Z"


def moment(text: str) -> Node:
    return {"value": text, "formattedValue": "some day"}


def money(value: str, currency: str = "USD", **more: Any) -> Node:
    return {"value": value, "currency": currency, **more}


def order(number: int | str, *lines: Node, **values: Any) -> Node:
    """A paid and shipped order of one unit at 20.00, or as `values` say."""
    order_id = str(number)
    given = {
        "orderId": order_id,
        "creationDate": at(11),
        "lastModifiedDate": at(12),
        "orderFulfillmentStatus": "FULFILLED",
        "orderPaymentStatus": "PAID",
        "sellerId": "brand_shop",
        "buyer": {"username": "anna_b", "buyerRegistrationAddress": {"fullName": "Anna Beispiel"}},
        "cancelStatus": {"cancelState": "NONE_REQUESTED", "cancelRequests": []},
        "pricingSummary": {"total": money("20.00")},
        "paymentSummary": {
            "totalDueSeller": money("17.50"),
            "payments": [
                {"paymentDate": at(11, 13), "paymentStatus": "PAID", "amount": money("20.00")}
            ],
            "refunds": [],
        },
        "fulfillmentStartInstructions": [ship_to()],
        "lineItems": list(lines) or [line(f"{order_id}1")],
    }
    return {**given, **values}


def ship_to(country: str = "US") -> Node:
    address = {"countryCode": country, "stateOrProvince": "CA", "postalCode": "94105", "city": "X"}
    contact = {"fullName": "Anna Beispiel", "email": "anna@example.com", "contactAddress": address}
    return {"fulfillmentInstructionsType": "SHIP_TO", "shippingStep": {"shipTo": contact}}


def line(line_id: int | str, sku: str | None = "SKU-A", **values: Any) -> Node:
    given: Node = {
        "lineItemId": str(line_id),
        "legacyItemId": "110001",
        "title": "Stroller",
        "quantity": 1,
        "lineItemCost": money("20.00"),
        "deliveryCost": {"shippingCost": money("0.0")},
        "total": money("20.00"),
        "taxes": [],
        "refunds": [],
        "listingMarketplaceId": "EBAY_US",
        "purchaseMarketplaceId": "EBAY_US",
        "lineItemFulfillmentStatus": "FULFILLED",
        "lineItemFulfillmentInstructions": {
            "shipByDate": at(13),
            "maxEstimatedDeliveryDate": at(18),
        },
    }
    if sku is not None:
        given["sku"] = sku
    return {**given, **values}


def shipment(number: int, *lines: str, tracking: str = "1Z999", **values: Any) -> Node:
    given = {
        "fulfillmentId": str(number),
        "shipmentTrackingNumber": tracking,
        "shippingCarrierCode": "UPS",
        "shippedDate": at(12, 9),
        "lineItems": [{"lineItemId": line_id, "quantity": 1} for line_id in lines],
    }
    return {**given, **values}


def returned(number: int, order_id: str, line_id: str, **values: Any) -> Node:
    """A return of one unit as a search gives it: ids as numbers, dates as objects."""
    item = {"itemId": 110001, "transactionId": int(line_id), "returnQuantity": 1}
    creation = {
        "item": item,
        "type": "MONEY_BACK",
        "reason": values.pop("reason", "DEFECTIVE_ITEM"),
        "reasonType": "SNAD",
        "comments": {"content": values.pop("comment", "broken")},
        "creationDate": moment(values.pop("created", at(15))),
    }
    given = {
        "returnId": number,
        "orderId": order_id,
        "buyerLoginName": "anna_b",
        "sellerLoginName": "brand_shop",
        "currentType": "MONEY_BACK",
        "state": "RETURN_REQUESTED",
        "status": "RETURN_REQUESTED",
        "creationInfo": creation,
        "sellerTotalRefund": {"estimatedRefundAmount": {"value": 20, "currency": "USD"}},
    }
    return {**given, **values}


def transaction(number: str, kind: str = "SALE", value: str = "17.50", **values: Any) -> Node:
    given = {
        "transactionId": number,
        "transactionType": kind,
        "transactionDate": at(12),
        "transactionStatus": "PAYOUT",
        "bookingEntry": "CREDIT",
        "amount": money(value),
        "payoutId": "5001",
    }
    return {**given, **values}


def account(name: str = "brand", **values: Any) -> EbayAccount:
    secrets = {
        "client_id": "app-1",
        "client_secret": "cert-1",
        "refresh_token": "refresh-1",
        "customer_key": KEY,
    }
    secrets |= values.pop("more_secrets", {})
    given: dict[str, Any] = {
        "connector": "ebay",
        "name": name,
        "start": START,
        "secrets": {field: pydantic.SecretStr(value) for field, value in secrets.items()},
    }
    return EbayAccount.model_validate({**given, **values})


@dataclass
class Nights:
    """Landing folder of one installation, night after night; cursors are those of its files."""

    landing: Path
    settings: tuple[EbayAccount, ...] = field(default_factory=lambda: (account(),))

    def night(
        self, until: datetime = NOW, *streams: str, clock: ManualClock | None = None
    ) -> list[StreamOutcome]:
        asked = []
        for settings in self.settings:
            cursors = {}
            for stream in CONNECTOR.streams:
                folder = stream_folder(self.landing, "ebay", settings.name, stream.name)
                reached = [f.manifest.cursor_after for f in landed_files(folder)]
                known = [at for at in reached if at is not None]
                if known:
                    cursors[stream.name] = max(known)
            names = frozenset(streams) if streams else None
            asked.append(ExtractRequest(CONNECTOR, settings, cursors, names))
        return extract_all(asked, self.landing, clock or ManualClock(until))

    def good(self, until: datetime = NOW, *streams: str) -> list[StreamOutcome]:
        """One night that must go well."""
        outcomes = self.night(until, *streams)
        assert [(o.stream, o.error) for o in outcomes if o.error] == []
        return outcomes

    def landed(self, stream: str, name: str = "brand") -> Mapping[str, Mapping[str, Any]]:
        return raw_tables(CONNECTOR, self.landing).get((name, stream), {})

    def notes(self, stream: str) -> set[tuple[str, int]]:
        manifests = [f.manifest for f in all_landed_files(self.landing)]
        return {(r.reason, r.count) for m in manifests if m.stream == stream for r in m.rejects}

    def drift(self, stream: str) -> set[str]:
        manifests = [f.manifest for f in all_landed_files(self.landing)]
        return {d.field for m in manifests if m.stream == stream for d in m.drift}
