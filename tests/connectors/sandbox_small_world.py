"""A world of four orders written by hand, and a caller of the Amazon sandbox, for its tests."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import polars as pl

from sources._core.clock import ManualClock
from sources._sandbox.scenario import Scenario
from sources._sandbox.server import Environment, Request, Response
from sources._sandbox.world.tables import SCHEMAS, World
from sources.amazon.sandbox import AmazonSandbox, create_app

TODAY = datetime(2026, 6, 1, tzinfo=UTC)
ORDERS = "/orders/2026-01-01/orders"
FINANCES = "/finances/2024-06-19/transactions"
PLANS = "/inbound/fba/2024-03-20/inboundPlans"
TOPICS = "/customerFeedback/2024-06-01/items/{asin}/reviews/topics"
REPORTS = "/reports/2021-06-30/reports"
DOCUMENTS = "/reports/2021-06-30/documents"
ALL_ORDERS = "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_LAST_UPDATE_GENERAL"
RETURNS = "GET_FBA_FULFILLMENT_CUSTOMER_RETURNS_DATA"
SHIPMENTS = "GET_AMAZON_FULFILLED_SHIPMENTS_DATA_GENERAL"
MFN_RETURNS = "GET_FLAT_FILE_RETURNS_DATA_BY_RETURN_DATE"
MFN_RETURNS_XML = "GET_XML_RETURNS_DATA_BY_RETURN_DATE"
REIMBURSEMENTS = "GET_FBA_REIMBURSEMENTS_DATA"
REPLACEMENTS = "GET_FBA_FULFILLMENT_CUSTOMER_SHIPMENT_REPLACEMENT_DATA"
LEDGER = "GET_LEDGER_DETAIL_VIEW_DATA"
REMOVALS = "GET_FBA_FULFILLMENT_REMOVAL_ORDER_DETAIL_DATA"
REMOVAL_SHIPMENTS = "GET_FBA_FULFILLMENT_REMOVAL_SHIPMENT_DETAIL_DATA"
FEEDBACK = "GET_SELLER_FEEDBACK_DATA"
SETTLEMENTS = "GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2"
GERMANY, BRITAIN, JAPAN = "A1PA6795UKMFR9", "A1F83G8C2ARO7P", "A1VC38T7YXB528"
PERSONAL = ("Markerfrau", "@buyer.example", "TESTWEG", "55501", "555-01")

_FIRST, _SECOND = "305-0000001-0000001", "305-0000002-0000002"
_PENDING, _JAPANESE = "305-0000003-0000003", "250-0000004-0000004"

SCENARIO: dict[str, Any] = {
    "seed": 7,
    "start": date(2026, 1, 1),
    "today": date(2026, 6, 1),
    "orders_per_day": 5,
    "skus": 2,
    "accounts": [
        {"connector": "amazon", "name": "amz_eu", "marketplaces": ["DE", "GB"]},
        {"connector": "amazon", "name": "amz_jp", "marketplaces": ["amazon_jp"]},
    ],
}


def at(text: str) -> datetime:
    """`05-10 12:30:00` of 2026 as the world writes times."""
    return datetime.fromisoformat(f"2026-{text}")


def _place(account: str, row: str) -> dict[str, Any]:
    country, marketplace_id, channel, currency, zone, group = row.split()
    return {
        "account": account,
        "connector": "amazon",
        "marketplace": f"amazon_{country.lower()}",
        "country": country,
        "currency": currency,
        "decimals": 0 if currency == "JPY" else 2,
        "prices_include_tax": True,
        "time_zone": zone,
        "region_group": group,
        "marketplace_id": marketplace_id,
        "sales_channel": channel,
    }


def _order(order_id: str, account: str, country: str, moment: str, **more: Any) -> dict[str, Any]:
    currency = {"DE": "EUR", "GB": "GBP", "JP": "JPY"}[country]
    return {
        "order_id": order_id,
        "order_number": order_id,
        "account": account,
        "connector": "amazon",
        "marketplace": f"amazon_{country.lower()}",
        "country": country,
        "currency": currency,
        "customer_no": "C2" if country == "JP" else "C1",
        "ordered_at": at(moment),
        "paid_at": at(moment),
        "fulfilled_by": "marketplace",
        "service": "standard",
        "ship_by_at": at("05-12"),
        "deliver_by_at": at("05-20"),
        "is_business": False,
        "payment_method": "card",
        **more,
    }


def _line(order_id: str, number: int, sku: str, quantity: int, **more: Any) -> dict[str, Any]:
    return {
        "order_id": order_id,
        "line_no": number,
        "order_item_id": f"1234567890{number:04d}",
        "sku": sku,
        "listing_sku": sku,
        "quantity": quantity,
        "quantity_cancelled": 0,
        "unit_price_minor": 1000,
        "unit_discount_minor": 0,
        "unit_tax_minor": 190,
        "shipping_minor": 300,
        "shipping_discount_minor": 100,
        "shipping_tax_minor": 38,
        **more,
    }


def _parcel(number: int, order_id: str, line: int, quantity: int, moment: str) -> dict[str, Any]:
    return {
        "shipment_id": f"S{number}",
        "shipment_item_id": f"SI{number}",
        "order_id": order_id,
        "line_no": line,
        "parcel_no": 1,
        "quantity": quantity,
        "fulfilment_centre_id": "FRA3",
        "shipped_at": at(moment),
        "reported_at": at("05-14"),
        "estimated_arrival_date": date(2026, 5, 15),
        "carrier": "DHL",
        "service": "standard",
        "tracking_number": f"T{number}",
        "has_line_shipping": True,
    }


def _states(order_id: str, *states: tuple[str, str]) -> list[dict[str, Any]]:
    return [{"order_id": order_id, "at": at(when), "status": word} for when, word in states]


def _return() -> dict[str, Any]:
    return {
        "return_no": "R1",
        "account": "amz_eu",
        "connector": "amazon",
        "fulfilled_by": "marketplace",
        "order_id": _FIRST,
        "line_no": 1,
        "sku": "SKU-0001",
        "listing_sku": "SKU-0001",
        "quantity": 1,
        "fulfilment_centre_id": "FRA3",
        "received_at": at("05-20 07:30:00"),
        "posted_at": at("05-22"),
        "lpn": "LPNRR1",
        "redated_from": at("05-19 07:00:00"),
        "redated_at": at("05-25"),
        "reason_code": "DEFECTIVE",
        "disposition": "DEFECTIVE",
        "status": "Reimbursed",
        "comment": 'kaputt\nbitte\t"an" mich: eva@buyer.example',
    }


def _settlement(number: str, currency: str, account: str, closed: str) -> dict[str, Any]:
    return {
        "settlement_id": number,
        "account": account,
        "currency": currency,
        "region_group": "FE" if currency == "JPY" else "EU",
        "start_at": at("05-01"),
        "end_at": at("05-15"),
        "deposit_at": at("05-17"),
        "closed_at": at(closed),
        "total_minor": -1234,
    }


def _settlement_line(number: str, currency: str) -> dict[str, Any]:
    return {
        "settlement_id": number,
        "line_seq": 2,
        "marketplace_name": "Amazon.de",
        "transaction_type": "Refund",
        "amount_type": "ItemPrice",
        "amount_description": "Principal",
        "amount_minor": -1234,
        "currency": currency,
        "order_id": _FIRST,
        "posted_at": at("05-10 23:30:01"),
        "sku": "SKU-0001",
        "fulfillment_id": "AFN",
    }


def _tables() -> dict[str, list[dict[str, Any]]]:
    settlements = (("777", "EUR", "amz_eu"), ("778", "GBP", "amz_eu"), ("779", "JPY", "amz_jp"))
    return {
        "marketplaces": [
            _place("amz_eu", f"DE {GERMANY} Amazon.de EUR Europe/Berlin EU"),
            _place("amz_eu", f"GB {BRITAIN} Amazon.co.uk GBP Europe/London EU"),
            _place("amz_jp", f"JP {JAPAN} Amazon.co.jp JPY Asia/Tokyo FE"),
        ],
        "products": [
            {"sku": "SKU-0001", "sku_name": 'Wärmer 24" "Öko"', "asin": "B001", "fnsku": "X001"},
            {"sku": "SKU-0002", "sku_name": "ボディ①髙", "asin": "B002", "fnsku": "X002"},
        ],
        "buyers": [
            {"customer_no": "C1", "name": "Eva Markerfrau", "email": "eva@buyer.example"}
            | {"phone": "+49 555-01 1", "street": "TESTWEG 7", "postcode": "10115"}
            | {"city": "Berlin", "state": "BE", "country": "DE"},
            {"customer_no": "C2", "name": "Ken Markerfrau", "email": "ken@buyer.example"}
            | {"phone": "55501", "street": "TESTWEG 8", "postcode": "100-0001"}
            | {"city": "東京", "state": "東京都", "country": "JP"},
        ],
        "orders": [
            _order(_FIRST, "amz_eu", "DE", "05-10 10:00:00"),
            _order(
                _SECOND,
                "amz_eu",
                "GB",
                "05-11 10:00:00",
                fulfilled_by="seller",
                replaces_order_id=_FIRST,
                link_kind="replacement",
            ),
            _order(_PENDING, "amz_eu", "DE", "05-31 10:00:00"),
            _order(_JAPANESE, "amz_jp", "JP", "05-12 10:00:00"),
        ],
        "order_lines": [
            _line(
                _FIRST,
                1,
                "SKU-0001",
                3,
                quantity_cancelled=1,
                line_cancelled_at=at("05-10 12:00:00"),
                cancelled_by="BUYER",
                cancel_reason="changed mind",
                unit_discount_minor=100,
                unit_tax_minor=171,
                promotion_ids="PROMO1",
            ),
            _line(_FIRST, 2, "SKU-0002", 1),
            _line(
                _SECOND,
                1,
                "SKU-0001",
                1,
                unit_price_minor=0,
                unit_tax_minor=0,
                shipping_minor=0,
                shipping_discount_minor=0,
                shipping_tax_minor=0,
            ),
            _line(_PENDING, 1, "SKU-0001", 1),
            _line(_JAPANESE, 1, "SKU-0002", 2, shipping_discount_minor=0),
        ],
        "shipments": [
            _parcel(1, _FIRST, 1, 2, "05-11 08:00:00"),
            _parcel(2, _FIRST, 2, 1, "05-11 08:00:00"),
            _parcel(3, _SECOND, 1, 1, "05-12 08:00:00"),
            _parcel(4, _JAPANESE, 1, 2, "05-13 03:00:00"),
        ],
        "order_states": [
            *_states(
                _FIRST,
                ("05-10 10:00:00", "PENDING"),
                ("05-10 11:00:00", "UNSHIPPED"),
                ("05-11 08:00:00", "SHIPPED"),
            ),
            *_states(_SECOND, ("05-11 10:00:00", "UNSHIPPED"), ("05-12 08:00:00", "SHIPPED")),
            *_states(_PENDING, ("05-31 10:00:00", "PENDING"), ("06-02 00:00:00", "UNSHIPPED")),
            *_states(_JAPANESE, ("05-12 10:00:00", "UNSHIPPED"), ("05-13 03:00:00", "SHIPPED")),
        ],
        "returns": [_return()],
        "settlements": [_settlement(*row, "05-15 03:00:00") for row in settlements],
        "settlement_lines": [_settlement_line(number, money) for number, money, _ in settlements],
        "fx_rates": [
            {"rate_date": date(2026, 5, 28), "currency": "USD", "units_per_eur": "1.1172"},
            {"rate_date": date(2026, 5, 29), "currency": "JPY", "units_per_eur": "175.68"},
            {"rate_date": date(2026, 5, 29), "currency": "USD", "units_per_eur": "1.1200"},
        ],
    }


def scenario(**changes: Any) -> Scenario:
    return Scenario.parse({**SCENARIO, **changes})


def small_world(parsed: Scenario) -> World:
    """The hand-made world; tables it does not use are empty."""
    rows = _tables()
    frames = {
        name: pl.DataFrame(
            [{column: row.get(column) for column in columns} for row in rows.get(name, [])],
            schema=dict(columns),
        )
        for name, columns in SCHEMAS.items()
    }
    return World(scenario=parsed, end=TODAY, **frames)


@dataclass
class Caller:
    """Calls an app in this process as account `amz_eu` would over the network."""

    app: AmazonSandbox
    clock: ManualClock
    account: str = "amz_eu"
    token: str = ""
    answers: list[Response] = field(default_factory=list)

    def send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        pairs = tuple(query.items()) if isinstance(query, Mapping) else tuple(query)
        sent = {"host": "sandbox.local"}
        if self.token:
            sent["x-amz-access-token"] = self.token
        response = self.app.handle(
            Request(method, path, pairs, headers if headers is not None else sent, body)
        )
        self.answers.append(response)
        return response

    def get(self, path: str, **query: str) -> Response:
        return self.send("GET", path, query)

    def log_in(self, **changes: str) -> Response:
        secret = f"sandbox-{self.account}"
        form = {"grant_type": "refresh_token", "refresh_token": secret}
        form |= {"client_id": secret, "client_secret": secret, **changes}
        kept = {name: value for name, value in form.items() if value}
        response = self.send("POST", "/auth/o2/token", body=urlencode(kept).encode())
        if response.status == 200:
            self.token = content_of(response)["access_token"]
        return response

    def create(self, report_type: str, start: str, end: str, places: Sequence[str]) -> Response:
        body = {"reportType": report_type, "marketplaceIds": list(places)}
        body |= {"dataStartTime": start, "dataEndTime": end}
        return self.send("POST", REPORTS, body=json.dumps(body).encode())

    def finished(self, report_id: str) -> dict[str, Any]:
        """The report once it has its final state."""
        for _ in range(5):
            report: dict[str, Any] = content_of(self.get(f"{REPORTS}/{report_id}"))
            if report["processingStatus"] not in ("IN_QUEUE", "IN_PROGRESS"):
                return report
            self.clock.sleep(60)
        raise AssertionError(f"never finished: {report}")

    def document(self, document_id: str, **query: str) -> dict[str, Any]:
        found: dict[str, Any] = content_of(self.get(f"{DOCUMENTS}/{document_id}", **query))
        return found

    def download(self, url: str, headers: Mapping[str, str] | None = None) -> Response:
        parts = urlsplit(url)
        return self.send("GET", parts.path, parse_qsl(parts.query), headers=headers or {})

    def rows(self, document_id: str) -> list[dict[str, str]]:
        """The lines of a report as cells by column, decoded as the download says."""
        text = self.text(document_id)
        lines = [line.rstrip("\r") for line in text.split("\n") if line.strip()]
        header = lines[0].split("\t")
        return [dict(zip(header, line.split("\t"), strict=True)) for line in lines[1:]]

    def text(self, document_id: str) -> str:
        response = self.download(self.document(document_id)["url"])
        body = response.body
        if body[:2] == b"\x1f\x8b":
            body = gzip.decompress(body)
        label = response.headers["Content-Type"].partition("charset=")[2].lower()
        if label == "utf-8":
            return body.decode("utf-8-sig")
        return body.decode("cp932" if self.account == "amz_jp" else "cp1252")


def caller(
    account: str = "amz_eu",
    clock: ManualClock | None = None,
    *,
    with_personal_data: bool = False,
    missing_roles: Mapping[str, frozenset[str]] | None = None,
    **changes: Any,
) -> Caller:
    """A logged-in caller of a fresh app over the small world."""
    parsed = scenario(**changes)
    clock = clock or ManualClock(TODAY)
    environment = Environment(
        small_world(parsed), parsed, clock, with_personal_data, missing_roles or {}
    )
    made = Caller(create_app(environment), clock, account)
    assert made.log_in().status == 200
    return made


def content_of(response: Response) -> Any:
    return json.loads(response.body)


def error_of(response: Response) -> tuple[int, str]:
    """Status and code of an answer in the error envelope."""
    return response.status, content_of(response)["errors"][0]["code"]
