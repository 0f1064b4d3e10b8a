"""Report cycle of the Amazon sandbox: states, documents, storage, bytes and cells."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from sources._core.clock import ManualClock
from sources.amazon.sandbox.report_ids import ReportRequest, report_id, request_of
from sources.amazon.sandbox.report_text import encoded, report_document
from tests.connectors.sandbox_small_world import (
    ALL_ORDERS,
    BRITAIN,
    DOCUMENTS,
    GERMANY,
    JAPAN,
    PERSONAL,
    REPORTS,
    RETURNS,
    SETTLEMENTS,
    SHIPMENTS,
    TODAY,
    Caller,
    caller,
    content_of,
    error_of,
)

MAY = ("2026-05-05T00:00:00Z", "2026-06-01T00:00:00Z")
EUROPE = (GERMANY, BRITAIN)


def made(one: Caller, report_type: str, *window: str) -> dict[str, Any]:
    """A finished report of `window`, of the account's marketplaces."""
    places = (JAPAN,) if one.account == "amz_jp" else EUROPE
    start, end = window or MAY
    response = one.create(report_type, start, end, places)
    assert response.status == 202, response.body
    return one.finished(content_of(response)["reportId"])


def rows_of(one: Caller, report_type: str, *window: str) -> list[dict[str, str]]:
    return one.rows(made(one, report_type, *window)["reportDocumentId"])


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"[]",
        {"reportType": ALL_ORDERS},
        {"reportType": ALL_ORDERS, "marketplaceIds": []},
        {"reportType": ALL_ORDERS, "marketplaceIds": ["NOWHERE"]},
        {"reportType": "GET_PRODUCT_EXCHANGE_DATA", "marketplaceIds": [GERMANY]},
        {"reportType": SETTLEMENTS, "marketplaceIds": [GERMANY]},
        {"reportType": RETURNS, "marketplaceIds": [GERMANY], "dataEndTime": "2026-06-02T00:00:00Z"},
        {"reportType": RETURNS, "marketplaceIds": [GERMANY], "dataStartTime": "yesterday"},
        {"reportType": RETURNS, "marketplaceIds": [GERMANY], "reportOptions": {"a": 1}},
        {"reportType": RETURNS, "marketplaceIds": [GERMANY], "dataEndTime": MAY[0]},
    ],
)
def test_a_broken_specification_is_invalid_input(body: Any) -> None:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    assert error_of(caller().send("POST", REPORTS, body=sent)) == (400, "InvalidInput")


def test_a_report_of_another_sellers_marketplace_is_forbidden() -> None:
    assert caller().create(RETURNS, *MAY, [JAPAN]).status == 403


def test_realistic_reports_wait_are_worked_on_and_are_done() -> None:
    one = caller(api={"throttle": "realistic"})
    number = content_of(one.create(ALL_ORDERS, *MAY, EUROPE))["reportId"]
    seen = []
    for _ in range(4):
        seen.append(content_of(one.get(f"{REPORTS}/{number}"))["processingStatus"])
        one.clock.sleep(30)
    assert seen == ["IN_QUEUE", "IN_PROGRESS", "IN_PROGRESS", "DONE"]


def test_a_waiting_report_can_be_cancelled_and_a_finished_one_not() -> None:
    one = caller(api={"throttle": "realistic"})
    number = content_of(one.create(ALL_ORDERS, *MAY, EUROPE))["reportId"]
    assert one.send("DELETE", f"{REPORTS}/{number}").status == 200
    assert content_of(one.get(f"{REPORTS}/{number}"))["processingStatus"] == "CANCELLED"
    assert one.send("DELETE", f"{REPORTS}/{number}").status == 400


def test_without_rows_a_report_is_cancelled_or_empty() -> None:
    one = caller()
    ends = set()
    for day in range(10, 25):
        report = made(one, RETURNS, "2026-01-01T00:00:00Z", f"2026-01-{day}T00:00:00Z")
        if report["processingStatus"] == "CANCELLED":
            assert "reportDocumentId" not in report
            ends.add("cancelled")
        else:
            assert len(one.text(report["reportDocumentId"]).strip().split("\n")) == 1
            ends.add("empty")
    assert ends == {"cancelled", "empty"}


def test_too_long_a_window_is_fatal_with_an_explanation() -> None:
    one = caller()
    report = made(one, ALL_ORDERS, "2026-04-01T00:00:00Z", MAY[1])
    assert report["processingStatus"] == "FATAL"
    assert "longer than 30 days" in one.text(report["reportDocumentId"])


def test_asking_again_too_soon_gives_old_content_then_nothing_then_fails() -> None:
    one = caller()
    first = made(one, RETURNS)
    again = made(one, RETURNS)
    assert again["reportId"] != first["reportId"]
    assert one.text(again["reportDocumentId"]) == one.text(first["reportDocumentId"])
    assert made(one, RETURNS)["processingStatus"] == "CANCELLED"
    assert made(one, RETURNS)["processingStatus"] == "FATAL"
    assert made(one, RETURNS, "2026-05-06T00:00:00Z", MAY[1])["processingStatus"] == "DONE"
    one.clock.sleep(4 * 3600)
    one.log_in()
    assert made(one, RETURNS)["processingStatus"] == "DONE"


def test_all_orders_are_exempt_from_the_interval() -> None:
    one = caller()
    states = [made(one, ALL_ORDERS)["processingStatus"] for _ in range(4)]
    assert states == ["DONE"] * 4


def test_ids_are_of_one_seller_and_outlive_a_restart_of_the_server() -> None:
    number = made(caller(), ALL_ORDERS)["reportId"]
    restarted = caller(clock=ManualClock(TODAY + timedelta(days=1)))
    assert restarted.finished(number)["processingStatus"] == "DONE"
    assert caller("amz_jp").get(f"{REPORTS}/{number}").status == 404
    late = caller(clock=ManualClock(TODAY + timedelta(days=91)))
    assert error_of(late.get(f"{REPORTS}/{number}")) == (404, "NotFound")
    assert caller().get(f"{REPORTS}/12345").status == 404


def test_a_report_id_holds_its_request_and_nothing_of_the_seller() -> None:
    request = ReportRequest(ALL_ORDERS, TODAY, TODAY, TODAY, (BRITAIN, GERMANY), 3)
    assert request_of(report_id(request)) == request
    assert request_of("50039018869997") is None


def test_listing_needs_types_or_a_token_alone() -> None:
    one = caller()
    assert one.get(REPORTS).status == 400
    assert one.get(REPORTS, reportTypes=RETURNS, pageSize="101").status == 400
    assert one.get(REPORTS, reportTypes=RETURNS, processingStatuses="READY").status == 400
    for _ in range(3):
        made(one, ALL_ORDERS)
    answer = content_of(one.get(REPORTS, reportTypes=f"{ALL_ORDERS},{RETURNS}", pageSize="2"))
    assert len(answer["reports"]) == 2
    token = answer["nextToken"]
    assert one.get(REPORTS, reportTypes=ALL_ORDERS, nextToken=token).status == 400
    rest = content_of(one.get(REPORTS, nextToken=token))
    assert len(rest["reports"]) == 1
    assert "nextToken" not in rest


def listed(one: Caller, **query: str) -> list[dict[str, Any]]:
    answer = content_of(one.get(REPORTS, reportTypes=SETTLEMENTS, pageSize="100", **query))
    reports: list[dict[str, Any]] = answer["reports"]
    return reports


def test_settlements_are_listed_when_closed_and_again_after_80_days() -> None:
    before = caller(clock=ManualClock(TODAY.replace(month=5, day=15, hour=2)))
    assert listed(before) == []
    one = caller()
    assert {r["marketplaceIds"][0] for r in listed(one)} == {GERMANY, BRITAIN}
    assert {r["processingStatus"] for r in listed(one)} == {"DONE"}
    assert listed(one, createdSince="2026-05-20T00:00:00Z") == []
    late = caller(clock=ManualClock(TODAY + timedelta(days=200)))
    created = {r["createdTime"][:10] for r in listed(late)}
    assert created == {"2026-10-22"}


def test_download_addresses_live_five_minutes_and_take_no_token() -> None:
    one = caller()
    document = made(one, ALL_ORDERS)["reportDocumentId"]
    url = one.document(document)["url"]
    assert one.download(url).status == 200
    assert one.download(url + "0").status == 403
    assert one.download(url, {"x-amz-access-token": one.token}).status == 403
    one.clock.sleep(301)
    expired = one.download(url)
    assert (expired.status, b"Request has expired" in expired.body) == (403, True)
    assert one.download(one.document(document)["url"]).status == 200
    assert one.get(f"{DOCUMENTS}/nothing").status == 404


def test_a_gzip_is_labelled_as_encoding_only_when_asked() -> None:
    table = pl.DataFrame({"a": ["b"]})
    documents = [report_document(table, EUROPE, f"luck {n}") for n in range(200)]
    assert {(d.is_flagged, d.is_gzip) for d in documents} == {
        (True, True),
        (False, False),
        (True, False),
        (False, True),
    }
    assert all((d.stored[:2] == b"\x1f\x8b") == d.is_gzip for d in documents)
    one = caller()
    for day in range(10, 30):
        report = made(one, ALL_ORDERS, f"2026-05-{day - 5:02d}T00:00:00Z", MAY[1])
        plain = one.document(report["reportDocumentId"])
        asked = one.document(report["reportDocumentId"], enableContentEncodingUrlHeader="true")
        assert "Content-Encoding" not in one.download(plain["url"]).headers
        response = one.download(asked["url"])
        is_gzip = response.body[:2] == b"\x1f\x8b"
        is_flagged = asked.get("compressionAlgorithm") == "GZIP"
        assert ("Content-Encoding" in response.headers) == (is_gzip and is_flagged)


def test_a_cut_download_is_broken_off_or_a_gzip_that_ends_early() -> None:
    one = caller(api={"truncated": 0.3})
    seen = set()
    for day in range(5, 30):
        window = (f"2026-05-{day - 4:02d}T00:00:00Z", "2026-05-31T00:00:00Z")
        report = made(one, ALL_ORDERS, *window)
        if report["processingStatus"] != "DONE":
            continue
        response = one.download(one.document(report["reportDocumentId"])["url"])
        if response.is_truncated:
            seen.add("broken off")
        elif response.body[:2] == b"\x1f\x8b":
            try:
                gzip.decompress(response.body)
            except EOFError:
                seen.add("ends early")
    assert seen == {"broken off", "ends early"}


def test_encodings_differ_by_marketplace_and_lose_nothing() -> None:
    cases = {
        (JAPAN, "ボディ①髙"): {"Windows-31J", "MS932", "Shift_JIS", None},
        (GERMANY, "für 5 €"): {"Cp1252", "windows-1252", "ISO-8859-1", None, "UTF-8"},
        (JAPAN, "한국"): {"UTF-8"},
        (GERMANY, "Łódź"): {"UTF-8"},
        ("ATVPDKIKX0DER", "plain"): {"UTF-8"},
    }
    starts = set()
    for (place, text), labels in cases.items():
        found = set()
        table = pl.DataFrame({"sku": [text]})
        for number in range(200):
            body, label = encoded(table, [place], f"luck {number}")
            old = "cp932" if place == JAPAN else "cp1252"
            decoded = body.decode("utf-8-sig" if label == "UTF-8" else old)
            assert decoded.split() == ["sku", *text.split(" ")]
            found.add(label)
            starts.add(body[:3])
        assert found == labels
    assert b"\xef\xbb\xbf" in starts


def test_addresses_lose_letters_that_an_old_encoding_lacks() -> None:
    table = pl.DataFrame({"sku": ["für"], "ship-city": ["Łódź"]})
    files = [encoded(table, [GERMANY], f"luck {number}") for number in range(50)]
    old = next(body for body, label in files if label == "ISO-8859-1")
    assert old.decode("cp1252").split() == ["sku", "ship-city", "für", "?ód?"]


def test_all_orders_show_cancelled_units_in_a_row_of_their_own() -> None:
    rows = rows_of(caller(), ALL_ORDERS)
    line = [r for r in rows if r["sku"] == "SKU-0001" and r["amazon-order-id"].endswith("1")]
    shown = {r["item-status"]: (r["quantity"], r["item-price"], r["item-tax"]) for r in line}
    assert shown == {"Cancelled": ("1", "11.71", "1.71"), "Shipped": ("2", "23.42", "3.42")}
    discounts = {r["item-status"]: r["item-promotion-discount"] for r in line}
    assert discounts == {"Cancelled": "1.00", "Shipped": "2.00"}
    shipping = {r["item-status"]: (r["shipping-price"], r["shipping-tax"]) for r in line}
    assert shipping == {"Cancelled": ("0.00", "0.00"), "Shipped": ("3.38", "0.38")}
    pending = next(r for r in rows if r["order-status"] == "Pending")
    assert (pending["sku"], pending["quantity"]) == ("SKU-0001", "1")
    assert (pending["currency"], pending["item-price"], pending["item-tax"]) == ("", "", "")
    assert {r["fulfillment-channel"] for r in rows} == {"Amazon", "Merchant"}
    assert rows[0]["last-updated-date"] == "2026-05-11T08:00:00+00:00"


def test_a_window_is_half_open_and_follows_the_last_update() -> None:
    one = caller()
    rows = rows_of(one, ALL_ORDERS, "2026-05-11T08:00:00Z", "2026-05-12T08:00:00Z")
    assert {r["amazon-order-id"] for r in rows} == {"305-0000001-0000001"}


def test_returns_come_late_and_their_date_may_be_mended() -> None:
    window = ("2026-05-01T00:00:00Z", "2026-05-21T00:00:00Z")
    days = {}
    for day in (21, 23, 26):
        report = made(caller(clock=ManualClock(TODAY.replace(month=5, day=day))), RETURNS, *window)
        one = caller(clock=ManualClock(TODAY.replace(month=5, day=day)))
        found = report.get("reportDocumentId")
        days[day] = one.text(found).split("\n")[1:2] if found else []
    assert days[21] in ([], [""])
    assert days[23][0].startswith("2026-05-19T07:00:00+00:00\t305-0000001-0000001")
    assert days[26][0].startswith("2026-05-20T07:30:00+00:00\t305-0000001-0000001")


def test_a_cell_with_tab_and_line_break_is_wrapped_and_other_quotes_are_data() -> None:
    one = caller()
    text = one.text(made(one, RETURNS)["reportDocumentId"])
    assert '\tWärmer 24" "Öko"\t' in text
    assert '"kaputt\nbitte\t""an"" mich: eva@buyer.example"' in text.replace("\r\n", "\n")


def test_fulfilled_shipments_appear_when_reported_with_the_buyer() -> None:
    window = ("2026-05-05T00:00:00Z", "2026-05-13T12:00:00Z")
    early = caller(clock=ManualClock(TODAY.replace(month=5, day=13, hour=12)))
    report = made(early, SHIPMENTS, *window)
    assert report.get("reportDocumentId") is None or not early.rows(report["reportDocumentId"])
    rows = rows_of(caller(), SHIPMENTS)
    assert [r["shipment-item-id"] for r in rows] == ["SI1", "SI2"]
    first = rows[0]
    assert (first["quantity-shipped"], first["item-price"]) == ("2", "23.42")
    assert (first["item-promotion-discount"], first["ship-promotion-discount"]) == (
        "-2.00",
        "-1.00",
    )
    assert first["estimated-arrival-date"] == "2026-05-15T21:59:59+00:00"
    assert {first["buyer-name"], first["recipient-name"]} == {"Eva Markerfrau"}
    assert [mark for mark in PERSONAL if mark in str(first)]


def test_shipments_outside_europe_carry_their_offset() -> None:
    row = rows_of(caller("amz_jp"), SHIPMENTS)[0]
    assert row["shipment-date"] == "2026-05-13T12:00:00+09:00"
    assert (row["item-price"], row["currency"]) == ("2380", "JPY")
    assert row["product-name"] == "ボディ①髙"


@pytest.mark.parametrize(
    ("account", "place", "amount", "posted_date", "posted"),
    [
        ("amz_eu", GERMANY, "-12,34", "10.05.2026", "10.05.2026 23:30:01 UTC"),
        ("amz_eu", BRITAIN, "-12.34", "10/05/26", "2026-05-10 23:30:01 UTC"),
        ("amz_jp", JAPAN, "-1234", "2026-05-11", "2026-05-11 08:30:01 JST"),
    ],
)
def test_settlements_follow_the_habits_of_their_country(
    account: str, place: str, amount: str, posted_date: str, posted: str
) -> None:
    one = caller(account)
    report = next(r for r in listed(one) if r["marketplaceIds"] == [place])
    header, detail = one.rows(report["reportDocumentId"])
    assert header["total-amount"] == amount
    assert header["transaction-type"] == header["amount"] == ""
    assert (detail["amount"], detail["total-amount"], detail["currency"]) == (amount, "", "")
    assert (detail["posted-date"], detail["posted-date-time"]) == (posted_date, posted)
    assert (detail["transaction-type"], detail["amount-description"]) == ("Refund", "Principal")


@pytest.mark.parametrize(
    ("change", "name", "columns", "cells"),
    [
        ("add", "tax_scheme", {"tax-scheme"}, {"new"}),
        ("rename", "item-price", {"item-price-v2"}, {"23.42"}),
        ("type", "quantity", {"quantity"}, {"2 pcs"}),
        ("type", "asin", {"asin"}, {'{"value": B001}'}),
    ],
)
def test_a_planted_change_of_columns(
    change: str, name: str, columns: set[str], cells: set[str]
) -> None:
    fault = {"kind": "schema_drift", "connector": "amazon", "stream": "all_orders"}
    one = caller(faults=[fault | {"change": change, "field": name}])
    rows = rows_of(one, ALL_ORDERS)
    assert columns <= set(rows[0])
    assert cells <= {row[column] for row in rows for column in columns}


def test_a_row_given_twice_only_where_it_has_a_key() -> None:
    one = caller(api={"duplicate_record": 1.0})
    assert len(rows_of(one, SHIPMENTS)) == 3
    assert len(rows_of(one, ALL_ORDERS)) == 5
