"""Walmart's sandbox: recon files, statement, reports on request, rates of a store."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from decimal import Decimal
from typing import Any

import openpyxl
import polars as pl
import pytest

from sources._core.clock import ManualClock
from sources._sandbox.server import Request
from tests.connectors.walmart_sandbox_caller import (
    ABROAD,
    STORE,
    TODAY,
    Caller,
    caller,
    small_world,
)

RECON = "/v3/report/reconreport"
REQUESTS = "/v3/reports/reportRequests"
BINARY = {"accept": "application/octet-stream"}
NOW = pl.lit(TODAY.replace(tzinfo=None))


@pytest.fixture(scope="module")
def client() -> Caller:
    return caller()


def rows_of(client: Caller, date: str) -> list[dict[str, str]]:
    response = client.call(f"{RECON}/reconFile", {"reportDate": date, "reportVersion": "v1"},
                           headers=BINARY)  # fmt: skip
    assert response.body[:2] == b"PK"
    with zipfile.ZipFile(io.BytesIO(response.body)) as archive:
        (name,) = archive.namelist()
        text = archive.read(name).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_every_period_adds_up_to_what_was_paid(client: Caller) -> None:
    dates = client.get(f"{RECON}/availableReconFiles")["availableApReportDates"]
    true = small_world().market_payouts.filter(
        pl.col("account") == STORE, pl.col("listed_at") <= NOW
    )
    assert len(dates) == true.height > 5
    for date, minor in zip(dates, true.sort("listed_at")["amount_minor"], strict=True):
        summary, *rows = rows_of(client, date)
        total = sum((Decimal(row["Amount"]) for row in rows), Decimal(0))
        assert summary["Transaction Type"] == "PaymentSummary"
        assert total == Decimal(summary["Total Payable"]) == Decimal(minor) / 100
        assert {row["Transaction Type"] for row in rows} <= {"Sale", "Refund", "Adjustment"}


def test_a_file_that_is_not_there_looks_like_success(client: Caller) -> None:
    asked = {"reportDate": "01011999", "reportVersion": "v1"}
    response = client.call(f"{RECON}/reconFile", asked, headers=BINARY)
    assert response.status == 200
    assert "errors" in json.loads(response.body)
    asks_text = client.call(f"{RECON}/reconFile", asked, headers={"accept": "text/csv"})
    assert asks_text.status == 406


def test_the_statement_is_the_sum_of_what_is_not_paid_yet(client: Caller) -> None:
    content = client.get("/v3/report/payment/statement")["payload"]
    open_rows = small_world().market_bookings.filter(
        pl.col("account") == STORE,
        pl.col("booked_at") <= NOW,
        pl.col("paid_out_at").is_null() | (pl.col("paid_out_at") > NOW),
    )
    closing = content["accountSummary"]["closingBalance"]
    assert round(closing * 100) == open_rows["amount_minor"].sum()
    windows = client.get("/v3/report/payment/performance")["payload"]
    assert {"7DAY", "30DAY", "90DAY"} <= windows.keys()


def test_a_report_is_asked_for_made_and_fetched(client: Caller) -> None:
    in_body = client.call(REQUESTS, method="POST", body=b'{"reportType":"WFS_CUSTOMER_RETURNS"}')
    assert in_body.status == 400
    asked = {"reportType": "WFS_CUSTOMER_RETURNS", "reportVersion": "v1"}
    made = client.get(REQUESTS, asked, method="POST")
    number = made["requestId"]
    assert made["requestStatus"] == "RECEIVED"
    link = {"requestId": number}
    assert client.call("/v3/reports/downloadReport", link).status == 404
    states = [client.get(f"{REQUESTS}/{number}")["requestStatus"] for _ in range(2)]
    assert states == ["INPROGRESS", "READY"]
    url = client.get("/v3/reports/downloadReport", link)["downloadURL"]
    path = url.split("127.0.0.1")[1].split("?")[0]
    with zipfile.ZipFile(io.BytesIO(client.app.handle(Request("GET", path)).body)) as archive:
        text = archive.read(archive.namelist()[0]).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    world = small_world()
    by_walmart = world.orders.filter(pl.col("fulfilled_by") == "marketplace")
    true = world.market_returns.filter(pl.col("requested_at") <= NOW).join(
        by_walmart.select("order_id"), on="order_id", how="semi"
    )
    assert {row["Return Order #"] for row in rows} == set(true["return_id"])


def test_a_later_night_fetches_what_was_asked_before_and_links_end() -> None:
    asked = {"reportType": "WFS_CUSTOMER_RETURNS", "reportVersion": "v1"}
    number = caller().get(REQUESTS, asked, method="POST")["requestId"]
    clock = ManualClock(TODAY)
    clock.sleep(86_400)
    later = caller(clock=clock)
    assert later.get(f"{REQUESTS}/{number}")["requestStatus"] == "READY"
    url = later.get("/v3/reports/downloadReport", {"requestId": number})["downloadURL"]
    path = url.split("127.0.0.1")[1].split("?")[0]
    assert later.app.handle(Request("GET", path)).status == 200
    clock.sleep(18 * 60)
    assert later.app.handle(Request("GET", path)).status == 403


def test_rates_have_several_names_or_nothing_to_tell(client: Caller) -> None:
    path = "/v3/insights/performance"
    names: set[str] = set()
    for metric in ("returns", "refunds", "cancellations", "itemNotReceived"):
        told: dict[str, Any] = client.get(f"{path}/{metric}/summary", {"reportDuration": 60})
        names |= {name for name in told if name.endswith("Rate")}
    assert len(names) > 1
    assert client.call(f"{path}/srr/summary").status == 204
    assert client.call(f"{path}/returns/summary", account=ABROAD, market="ca").status == 404
    assert client.call(f"{path}/returns/report").status == 406
    response = client.call(f"{path}/returns/report", headers=BINARY)
    book = openpyxl.load_workbook(io.BytesIO(response.body))
    assert book.sheetnames == ["Accountable", "Not Accountable"]
    first = next(book["Accountable"].values)
    assert str(first[0]).startswith("Data current as of")
