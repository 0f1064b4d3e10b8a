"""A hand-written Marketplace API with state, and short ways to read streams against it.

Belongs here: what the tests of the Walmart connector share. Does not belong here: the sandbox,
which another pair of eyes wrote. Where Walmart's own description files are at hand, every list that
the stub answers is held against them, so that it cannot answer what Walmart would not.
"""

from __future__ import annotations

import base64
import functools
import io
import json
import os
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jsonschema
import pydantic
import requests
import responses
import yaml

from assets.control import ensure_control_tables, read_cursors
from assets.load import LoadResult, load_landed
from assets.raw_tables import ensure_raw_tables
from assets.warehouse import Warehouse
from sources._core.clock import ManualClock
from sources._core.extract import ExtractRequest, StreamOutcome, extract_all
from sources._core.landing import all_landed_files
from sources._core.testing import raw_tables
from sources.walmart import CONNECTOR
from sources.walmart.config import WalmartAccount

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 3, 20, tzinfo=UTC)
START = date(2026, 3, 10)
BASE_URL = "https://walmart.test"
Node = dict[str, Any]
Reply = tuple[int, Mapping[str, str], bytes]
ORDERS, RETURNS = "/v3/orders", "/v3/returns"


@functools.cache
def description(name: str) -> Node | None:
    """A description file of Walmart; None where the shared papers are not there."""
    shared = (ROOT / os.environ.get("AFTERSALES_SHARED_DIR", "../shared")).resolve()
    path = shared / "specs" / "walmart" / name
    if not path.exists():
        return None
    text = path.read_text("utf-8")
    found: Node = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    return found


def check_model(name: str, path: str, body: Node) -> None:
    """Hold an answer against the model of its path. Walmart leaves out fields that its models call
    required, so that only types and words are held."""
    found = description(name)
    if found is None:
        return
    answer = found["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
    jsonschema.validate(body, _without_required(answer["schema"]))


def _without_required(model: Any) -> Any:
    if isinstance(model, list):
        return [_without_required(part) for part in model]
    if not isinstance(model, dict):
        return model
    left_out = ("required", "example", "xml") if "type" in model or "properties" in model else ()
    return {k: _without_required(v) for k, v in model.items() if k not in left_out}


@dataclass(frozen=True)
class Request:
    """What the stub saw. `query` is as it stood in the address."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def params(self) -> dict[str, str]:
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def token(self) -> str:
        return self.headers.get("wm_sec.access_token", "")


Handler = Callable[[Request], Reply]


@dataclass
class StubWalmart:
    """Answers as the API would. `scripted` handlers by path, or host and path, come first, each
    once."""

    orders: list[Node] = field(default_factory=list)
    returns: list[Node] = field(default_factory=list)
    recon: dict[str, bytes] = field(default_factory=dict)  # by MMDDYYYY
    statement: Node | None = None
    insights: dict[str, Node] = field(default_factory=dict)  # by path below /performance/
    reports: dict[str, Node] = field(default_factory=dict)  # by request id
    secret: str = "secret-1"
    page_size: int = 200
    scripted: dict[str, list[Handler]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    tokens: int = 0
    good_tokens: set[str] = field(default_factory=set)
    links: int = 0

    def script(self, path: str, *handlers: Handler) -> None:
        self.scripted.setdefault(path, []).extend(handlers)

    def sent(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path == path]

    @contextmanager
    def running(self) -> Iterator[StubWalmart]:
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
            address.query,
            {name.lower(): str(value) for name, value in prepared.headers.items()},
            body.encode() if isinstance(body, str) else body,
        )
        self.requests.append(request)
        waiting = self.scripted.get(request.path) or self.scripted.get(
            address.netloc + request.path
        )
        if waiting:
            return waiting.pop(0)(request)
        if address.netloc == "storage.test":
            return self._file(request)
        return self.answer(request)

    def answer(self, request: Request) -> Reply:
        if request.path == "/v3/token":
            return self._login(request)
        if request.token not in self.good_tokens:
            return refusal(401, "UNAUTHORIZED.GMP_GATEWAY_API", "token expired")
        assert re.fullmatch(r"[0-9a-f-]{36}", request.headers["wm_qos.correlation_id"])
        path = request.path
        if path == ORDERS:
            return self._orders(request)
        if path in (RETURNS, f"{RETURNS}/cursor"):
            return self._returns(request)
        if path.startswith("/v3/report/"):
            return self._payment(request)
        if path.startswith("/v3/insights/performance/"):
            found = self.insights.get(path.removeprefix("/v3/insights/performance/"))
            return as_json(found) if found is not None else (204, {}, b"")
        if path.startswith("/v3/reports/"):
            return self._report(request)
        if path == "/v3/token/detail":
            scopes = {"orders": "full_access", "returns": "view_only", "reports": "no_access"}
            return as_json({"is_valid": True, "scopes": scopes})
        return no_such_path(request)

    def _login(self, request: Request) -> Reply:
        given = base64.b64decode(request.headers["authorization"].removeprefix("Basic "))
        if given.decode() != f"{self.secret}:{self.secret}":
            return refusal(401, "UNAUTHORIZED.GMP_GATEWAY_API", "invalid client")
        assert dict(parse_qsl(request.body.decode())) == {"grant_type": "client_credentials"}
        self.tokens += 1
        self.good_tokens = {f"token-{self.tokens}"}
        return as_json({"access_token": f"token-{self.tokens}", "expires_in": 900})

    def _orders(self, request: Request) -> Reply:
        asked = request.params
        node = asked.get("shipNodeType", "SellerFulfilled")
        since = datetime.fromisoformat(
            asked.get("createdStartDate", (NOW - timedelta(days=7)).isoformat())
        )
        found = [
            order
            for order in self.orders
            if order.get("shipNode", {}).get("type", "SellerFulfilled") == node
            and order["orderDate"] >= since.timestamp() * 1_000
        ]
        if not found:
            return nothing_found("GMP_ORDER_API")
        begin = int(asked.get("poIndex", 0))
        page = found[begin : begin + self.page_size]
        meta: Node = {"totalCount": len(found), "limit": self.page_size}
        if begin + self.page_size < len(found):
            rest = f"poIndex={begin + self.page_size}&shipNodeType={node}"
            until = asked.get("createdEndDate", "2026-03-20T00%3A00:00.000+00:00")
            meta["nextCursor"] = (
                f"?limit={self.page_size}&hasMoreElements=true&soIndex={len(found)}&{rest}"
                f"&createdStartDate=2025-09-22T00%3A00:00Z&createdEndDate={until}"
            )
        body = {"list": {"meta": meta, "elements": {"order": page}}}
        check_model("us_orders_v3_get_refund_only_oas3.json", ORDERS, body)
        return as_json(body)

    def _returns(self, request: Request) -> Reply:
        asked = request.params
        for name in ("returnCreation", "returnLastModified"):
            if (f"{name}StartDate" in asked) != (f"{name}EndDate" in asked):
                return refusal(400, "INVALID_REQUEST_PARAM.GMP_RETURN_API", "both dates needed")
        is_wfs = asked.get("isWFSEnabled") == "Y"
        found = [r for r in self.returns if r.get("isWfs", False) == is_wfs]
        if not found:
            return nothing_found("GMP_RETURN_API")
        begin = int(asked.get("offset", 0))
        page = found[begin : begin + self.page_size]
        rows = [{k: v for k, v in row.items() if k != "isWfs"} for row in page]
        meta: Node = {"totalCount": len(found), "limit": self.page_size}
        if begin + self.page_size < len(found):
            meta["nextCursor"] = f"?sellerId=8&limit={self.page_size}&offset={begin + len(page)}"
        body = {"meta": meta, "returnOrders": rows}
        check_model("us_returns_v3_oas3.json", RETURNS, body)
        return as_json(body)

    def _payment(self, request: Request) -> Reply:
        if request.path.endswith("/availableReconFiles"):
            return as_json({"availableApReportDates": list(self.recon)})
        if request.path.endswith("/reconFile"):
            if "octet-stream" not in request.headers["accept"]:
                return refusal(406, "NOT_ACCEPTABLE", "accept")
            content = self.recon[request.params["reportDate"]]
            return 200, {"Content-Type": "application/octet-stream"}, content
        if request.path.endswith("/payment/statement") and self.statement:
            return as_json(self.statement)
        return nothing_found("GMP_REPORT_API")

    def _report(self, request: Request) -> Reply:
        path, asked = request.path, request.params
        if path == "/v3/reports/reportRequests" and request.method == "POST":
            if not asked.get("reportType") or not asked.get("reportVersion"):
                return refusal(400, "INVALID_REQUEST_PARAM.GMP_REPORT_API", "reportType")
            request_id = f"req-{len(self.reports) + 1}"
            made = {"requestId": request_id, "requestStatus": "RECEIVED", **asked}
            self.reports[request_id] = {"statuses": ["INPROGRESS", "READY"], "content": b"", **made}
            return as_json(made)
        if path == "/v3/reports/downloadReport":
            report = self.reports[asked["requestId"]]
            self.links += 1
            url = f"https://storage.test/{report['requestId']}?sig=secret-link-{self.links}"
            return as_json({"requestId": report["requestId"], "downloadURL": url})
        report = self.reports.get(path.rpartition("/")[2], {})
        if not report:
            return nothing_found("GMP_REPORT_API")
        statuses = report["statuses"]
        status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
        return as_json({"requestId": report["requestId"], "requestStatus": status})

    def _file(self, request: Request) -> Reply:
        assert "wm_sec.access_token" not in request.headers
        return 200, {}, self.reports[request.path.strip("/")]["content"]


def as_json(body: Any, status: int = 200, **headers: str) -> Reply:
    return status, headers, json.dumps(body).encode()


def refusal(status: int, code: str, description: str = "", **headers: str) -> Reply:
    error = {"code": code, "description": description, "info": "", "severity": "ERROR"}
    return status, headers, json.dumps({"errors": {"error": [error]}}).encode()


def nothing_found(api: str) -> Reply:
    return refusal(404, f"CONTENT_NOT_FOUND.{api}", "No content found")


def no_such_path(request: Request) -> Reply:
    words = f"No static resource {request.path.strip('/')}."
    return refusal(404, "CONTENT_NOT_FOUND.GMP_GATEWAY_API", words)


def millis(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1_000)


def zipped(text: str, name: str = "recon.csv") -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text)
    return target.getvalue()


def money(amount: float, currency: str = "USD") -> Node:
    return {"currency": currency, "amount": amount}


def charge(amount: float, tax: float | None = None, kind: str = "PRODUCT") -> Node:
    name = "ItemPrice" if kind == "PRODUCT" else "Shipping"
    made: Node = {"chargeType": kind, "chargeName": name, "chargeAmount": money(amount)}
    if tax is not None:
        made["tax"] = {"taxName": "Tax1", "taxAmount": money(tax)}
    return made


def units(quantity: int) -> Node:
    return {"unitOfMeasurement": "EACH", "amount": str(quantity)}


def state(status: str, quantity: int, tracking: str | None = None, **values: Any) -> Node:
    made: Node = {"status": status, "statusQuantity": units(quantity), **values}
    if tracking:
        made["trackingInfo"] = {
            "shipDateTime": millis("2026-03-12T10:00:00+00:00"),
            "carrierName": {"carrier": "FedEx"},
            "methodCode": "Standard",
            "trackingNumber": tracking,
            "trackingURL": f"https://carrier.test/{tracking}",
        }
    return made


def line(number: int, sku: str, *states: Node, quantity: int = 1, **values: Any) -> Node:
    return {
        "lineNumber": str(number),
        "item": {"productName": f"Product {sku}", "sku": sku},
        "charges": {"charge": [charge(20.0 * quantity, 1.6 * quantity)]},
        "orderLineQuantity": units(quantity),
        "statusDate": millis("2026-03-14T10:00:00+00:00"),
        "orderLineStatuses": {"orderLineStatus": list(states) or [state("Created", quantity)]},
        **values,
    }


def order(number: int, *lines: Node, node: str | None = None, **values: Any) -> Node:
    made: Node = {
        "purchaseOrderId": f"{number:013d}",
        "customerOrderId": f"2000{number:09d}",
        "customerEmailId": f"buyer{number}@relay.walmart.com",
        "orderType": "REGULAR",
        "orderDate": millis("2026-03-11T10:00:00+00:00"),
        "shippingInfo": {
            "phone": "3155598681",
            "estimatedDeliveryDate": millis("2026-03-16T10:00:00+00:00"),
            "estimatedShipDate": millis("2026-03-12T10:00:00+00:00"),
            "methodCode": "Value",
            "postalAddress": {
                "name": "Kathryn Cole",
                "address1": "3258B Warners rd",
                "city": "Warners",
                "state": "NY",
                "postalCode": "13164",
                "country": "USA",
                "addressType": "RESIDENTIAL",
            },
        },
        "orderLines": {"orderLine": list(lines) or [line(1, "S-1")]},
        **values,
    }
    if node:
        made["shipNode"] = {"type": node}
    return made


def returned_money(amount: float, currency: str = "USD") -> Node:
    return {"currencyAmount": amount, "currencyUnit": currency}


def returned_charge(amount: float, tax: float = 0.0, **values: Any) -> Node:
    return {
        "chargeCategory": "PRODUCT",
        "chargeName": "ItemPrice",
        "chargePerUnit": returned_money(amount),
        "isDiscount": False,
        "isBillable": True,
        "tax": [{"taxName": "Tax1", "taxPerUnit": returned_money(tax)}],
        **values,
    }


def event(tag: str, time: str, sequence: int = 0) -> Node:
    return {"sequenceNo": sequence, "eventTag": tag, "eventTime": time, "eventDescription": "x"}


def returned_line(order_number: int, *events: Node, line: int = 1, **values: Any) -> Node:
    quantity = values.pop("quantity", 1)
    return {
        "returnOrderLineNumber": line,
        "salesOrderLineNumber": 1,
        "returnReason": "DEFECTIVE",
        "purchaseOrderId": f"{order_number:013d}",
        "purchaseOrderLineNumber": 1,
        "item": {"sku": f"W-{order_number}-1", "condition": "New", "productName": "Thing"},
        "charges": [returned_charge(20.0, 1.6)],
        "quantity": {"unitOfMeasure": "EACH", "measurementValue": quantity},
        "returnExpectedFlag": True,
        "isKeepIt": False,
        "refundedQty": 0,
        "status": "INITIATED",
        "statusTime": "2026-03-16T10:00:00.000Z",
        "returnTrackingDetail": list(events),
        **values,
    }


def returned(number: int, *lines: Node, **values: Any) -> Node:
    """A return with one label for all its lines."""
    carrier = {"carrierId": "11", "carrierName": "FEDEX", "serviceType": "FedEx Ground"}
    group = {
        "groupNo": 1,
        "returnLines": [{"returnOrderLineNumber": n["returnOrderLineNumber"]} for n in lines],
        "labels": [
            {
                "labelImageURL": "https://label.test/1",
                "carrierInfoList": [{**carrier, "trackingNo": f"R-{number}"}],
            }
        ],
        "returnExpectedFlag": True,
    }
    return {
        "returnOrderId": f"{number:018d}",
        "customerEmailId": "jane@relay.walmart.com",
        "customerName": {"firstName": "Jane", "lastName": "Doe"},
        "customerOrderId": f"2000{number:09d}",
        "returnOrderDate": "2026-03-15T10:00:00.000Z",
        "returnType": "REFUND",
        "returnByDate": "2026-04-15T10:00:00.000Z",
        "refundMode": "POST_DELIVERY",
        "returnLineGroups": [group],
        "returnOrderLines": list(lines),
        "returnChannel": {"channelName": "ONLINE"},
        **values,
    }


def account(name: str = "store", secret: str | None = None, **values: Any) -> WalmartAccount:
    word = pydantic.SecretStr(secret or StubWalmart.secret)
    secrets = dict.fromkeys(("client_id", "client_secret"), word)
    given = {
        "connector": "walmart",
        "name": name,
        "start": START,
        "base_url": BASE_URL,
        "secrets": secrets,
    }
    return WalmartAccount.model_validate({**given, **values})


@dataclass
class Nights:
    """Landing and warehouse of one installation, night after night."""

    folder: Path
    settings: tuple[WalmartAccount, ...] = field(default_factory=lambda: (account(),))

    def __post_init__(self) -> None:
        self.landing = self.folder / "landing"

    @functools.cached_property
    def warehouse(self) -> Warehouse:
        made = Warehouse(self.folder / "warehouse.duckdb")
        with made.connect() as connection:
            ensure_control_tables(connection)
            ensure_raw_tables(connection, [CONNECTOR])
        return made

    def extract(
        self, until: datetime = NOW, *streams: str, clock: ManualClock | None = None
    ) -> list[StreamOutcome]:
        cursors = {}
        if "warehouse" in vars(self):  # made by the first night that is loaded
            with self.warehouse.connect() as connection:
                cursors = read_cursors(connection)
        asked = [
            ExtractRequest(
                CONNECTOR,
                settings,
                cursors={s: at for (_c, name, s), at in cursors.items() if name == settings.name},
                streams=frozenset(streams) if streams else None,
            )
            for settings in self.settings
        ]
        return extract_all(asked, self.landing, clock or ManualClock(until))

    def night(self, until: datetime = NOW, *streams: str) -> list[LoadResult]:
        """One night that must go well."""
        assert [found.error for found in self.extract(until, *streams) if found.error] == []
        return load_landed(self.warehouse, self.landing, [CONNECTOR])

    def landed(self, stream: str, account_name: str = "store") -> Mapping[str, Mapping[str, Any]]:
        """Rows by key, without a warehouse."""
        return raw_tables(CONNECTOR, self.landing).get((account_name, stream), {})

    def notes(self, stream: str) -> set[str]:
        """Reasons of rejects and notes of a stream."""
        manifests = [f.manifest for f in all_landed_files(self.landing)]
        return {r.reason for m in manifests if m.stream == stream for r in m.rejects}

    def drift(self, stream: str) -> set[tuple[str, str]]:
        manifests = [f.manifest for f in all_landed_files(self.landing)]
        return {(d.field, d.kind) for m in manifests if m.stream == stream for d in m.drift}

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.warehouse.connect() as connection:
            return connection.execute(sql).fetchall()
