"""Amazon, the cycle of a report: cases 20 to 24, 32 and 39 of the integration sheet, section 10."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sources._core.connector import Reject
from sources._core.errors import StopStream
from sources.amazon.reports import FATAL_WAITS, LONGEST_WAIT
from sources.amazon.streams import (
    ALL_ORDERS_STREAM,
    FBA_RETURNS_STREAM,
    FULFILLED_SHIPMENTS_STREAM,
    SETTLEMENTS_STREAM,
)
from tests.connectors.amazon_stub import (
    NOW,
    Nights,
    Reading,
    StubAmazon,
    StubReport,
    account,
    fixture_bytes,
    not_found,
    records,
    tab_file,
)

START = datetime(2026, 3, 1, tzinfo=UTC)
CREATE = "POST /reports/2021-06-30/reports"
GET_REPORTS = "GET /reports/2021-06-30/reports"
RETURNS_HEADER = ("return-date", "order-id", "sku", "quantity", "license-plate-number")


def cancelled(report: StubReport) -> None:
    report.statuses = ["IN_QUEUE", "CANCELLED"]


def with_returns(report: StubReport) -> None:
    report.content = fixture_bytes("fba_returns.txt")


def returns_of(*rows: tuple[str, ...]) -> StubAmazon:
    def fill(report: StubReport) -> None:
        report.content = tab_file(RETURNS_HEADER, *rows)

    return StubAmazon(new_report=fill)


def test_the_cycle_asks_waits_and_reads(tmp_path: Path) -> None:
    stub = StubAmazon(new_report=with_returns)
    reading = Reading(tmp_path)
    with stub.running():
        landed = records(reading.encoded(FBA_RETURNS_STREAM, START))
    assert len(landed) == 5
    assert json.loads(stub.sent(CREATE)[0].body) == {
        "reportType": "GET_FBA_FULFILLMENT_CUSTOMER_RETURNS_DATA",
        "marketplaceIds": ["A1PA6795UKMFR9", "A13V1IB3VIYZZH"],
        "dataStartTime": "2026-03-01T00:00:00Z",
        "dataEndTime": "2026-03-20T00:00:00Z",
    }
    assert reading.clock.sleeps[:2] == [1.0, 2.0]
    assert not (reading.context(FBA_RETURNS_STREAM).state.get("report"))


def test_windows_are_no_longer_than_amazon_allows(tmp_path: Path) -> None:
    for stream, days in (
        (ALL_ORDERS_STREAM, 30),
        (FULFILLED_SHIPMENTS_STREAM, 28),
        (FBA_RETURNS_STREAM, 60),
    ):
        assert stream.max_window == timedelta(days=days)
    stub = StubAmazon(new_report=cancelled)
    nights = Nights(tmp_path, (account(start="2026-01-01"),))
    with stub.running():
        nights.night(NOW, "all_orders")
    asked = [json.loads(request.body) for request in stub.sent(CREATE)]
    assert [(one["dataStartTime"][:10], one["dataEndTime"][:10]) for one in asked] == [
        ("2026-01-01", "2026-01-31"),
        ("2026-01-31", "2026-03-02"),
        ("2026-03-02", "2026-03-20"),
    ]
    assert stub.count(GET_REPORTS) == 1, "earlier reports are looked for once a night"


def test_a_report_that_takes_too_long_is_left_for_the_next_night(tmp_path: Path) -> None:
    stub = StubAmazon(new_report=lambda report: setattr(report, "statuses", ["IN_PROGRESS"]))
    reading = Reading(tmp_path)
    with stub.running():
        with pytest.raises(StopStream, match="next night goes on with the same report"):
            reading.encoded(FBA_RETURNS_STREAM, START)
        assert sum(reading.clock.sleeps) < LONGEST_WAIT.total_seconds() + 120
        stub.reports["50000"].statuses = ["DONE"]
        with_returns(stub.reports["50000"])
        later = Reading(tmp_path)
        later.clock.current = NOW + timedelta(days=1)
        assert records(later.encoded(FBA_RETURNS_STREAM, START))
    assert stub.count(CREATE) == 1


def test_case_20_cancelled_is_no_rows_and_the_cursor_moves(tmp_path: Path) -> None:
    stub = StubAmazon(new_report=cancelled)
    nights = Nights(tmp_path)
    with stub.running():
        nights.night(NOW, "fba_returns")
    assert nights.rows("select cursor_at::text from load.cursor") == [("2026-03-20 00:00:00",)]
    assert nights.rows("select count(*) from raw_amazon.fba_returns") == [(0,)]


def test_case_20_cancelled_does_not_delete_what_earlier_nights_brought(tmp_path: Path) -> None:
    nights = Nights(tmp_path)
    with StubAmazon(new_report=with_returns).running():
        nights.night(NOW, "fba_returns")
    with StubAmazon(new_report=cancelled).running():
        nights.night(NOW + timedelta(days=1), "fba_returns")
    assert nights.rows("select count(*) from raw_amazon.fba_returns") == [(5,)]


def test_case_20_thirty_cancelled_nights_are_noted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    noted: list[list[Reject]] = []
    with StubAmazon(new_report=cancelled).running():
        for night in range(32):
            reading = Reading(tmp_path)
            reading.clock.current = NOW + timedelta(days=night)
            end = reading.clock.current
            pages = reading.encoded(FULFILLED_SHIPMENTS_STREAM, end - timedelta(days=8), end)
            noted.append([reject for page in pages for reject in page.rejects])
            again = reading.encoded(FULFILLED_SHIPMENTS_STREAM, end - timedelta(days=9), end)
            assert len(again) == 1  # a second window of the same night is not another night
    assert [bool(found) for found in noted] == [False] * 29 + [True] * 3
    assert noted[-1][0].reason == "always_cancelled"
    assert "32 nights" in noted[-1][0].what_to_do
    assert "cancelled 30 nights in a row" in caplog.text


def test_case_20_data_begin_the_count_again(tmp_path: Path) -> None:
    fill = cancelled
    stub = StubAmazon(new_report=lambda report: fill(report))
    with stub.running():
        for night in range(31):
            fill = with_returns if night == 15 else cancelled
            reading = Reading(tmp_path)
            reading.clock.current = end = NOW + timedelta(days=night)
            pages = reading.encoded(FBA_RETURNS_STREAM, end - timedelta(days=59), end)
            assert [reject for page in pages for reject in page.rejects] == []


def fatal(explanation: bytes | None) -> StubAmazon:
    def fill(report: StubReport) -> None:
        report.statuses = ["FATAL"]
        report.has_document = explanation is not None
        report.content = explanation or b""

    return StubAmazon(new_report=fill)


def test_case_21_fatal_without_a_document_is_asked_for_again_a_few_times(tmp_path: Path) -> None:
    stub = fatal(None)
    reading = Reading(tmp_path)
    with stub.running(), pytest.raises(StopStream, match="Amazon gives no reason"):
        reading.encoded(FBA_RETURNS_STREAM, START)
    assert stub.count(CREATE) == 1 + len(FATAL_WAITS)
    assert [wait for wait in reading.clock.sleeps if wait >= 300] == list(FATAL_WAITS)


def test_case_21_fatal_with_a_document_says_what_it_says(tmp_path: Path) -> None:
    stub = fatal(b"The requested date range is not supported.\r\n")
    with stub.running(), pytest.raises(StopStream, match="date range is not supported"):
        Reading(tmp_path).encoded(FBA_RETURNS_STREAM, START)
    assert stub.count(CREATE) == 1, "asking again would not help"


def test_case_21_fatal_for_asking_too_often_passes(tmp_path: Path) -> None:
    made = []

    def fill(report: StubReport) -> None:
        with_returns(report)
        if not made:
            report.statuses, report.content = ["FATAL"], b"Report requested too frequently"
        made.append(report)

    with StubAmazon(new_report=fill).running():
        assert len(records(Reading(tmp_path).encoded(FBA_RETURNS_STREAM, START))) == 5


def equal_report(status: str, created: str) -> StubReport:
    return StubReport(
        "40000",
        "GET_FBA_FULFILLMENT_CUSTOMER_RETURNS_DATA",
        "2026-03-01T00:00:00Z",
        "2026-03-20T00:00:00Z",
        ["A13V1IB3VIYZZH", "A1PA6795UKMFR9"],
        [status],
        created,
        fixture_bytes("fba_returns.txt"),
    )


@pytest.mark.parametrize(
    ("status", "created", "is_reused"),
    [
        ("DONE", "2026-03-19T21:00:00Z", True),  # daily reports are made anew after four hours
        ("DONE", "2026-03-19T19:00:00Z", False),
        ("IN_QUEUE", "2026-03-19T13:00:00Z", True),
        ("CANCELLED", "2026-03-19T23:00:00Z", False),
        ("FATAL", "2026-03-19T23:00:00Z", False),
    ],
)
def test_case_22_an_equal_report_is_reused_within_its_interval(
    tmp_path: Path, status: str, created: str, is_reused: bool
) -> None:
    stub = StubAmazon(new_report=with_returns)
    stub.reports["40000"] = report = equal_report(status, created)
    if status == "IN_QUEUE":
        report.statuses = ["IN_QUEUE", "IN_PROGRESS", "DONE"]
    with stub.running():
        landed = records(Reading(tmp_path).encoded(FBA_RETURNS_STREAM, START))
    assert len(landed) == 5
    assert stub.count(CREATE) == (0 if is_reused else 1)


def test_case_22_a_report_on_other_bounds_or_marketplaces_is_not_reused(tmp_path: Path) -> None:
    stub = StubAmazon(new_report=with_returns)
    stub.reports["40000"] = equal_report("DONE", "2026-03-19T23:00:00Z")
    with stub.running():
        Reading(tmp_path / "a").encoded(FBA_RETURNS_STREAM, START + timedelta(days=1))
        other = Reading(tmp_path / "b", settings=account(marketplaces=("DE",)))
        other.encoded(FBA_RETURNS_STREAM, START)
    assert stub.count(CREATE) == 2


def test_case_22_the_all_orders_report_is_always_made_anew(tmp_path: Path) -> None:
    stub = StubAmazon()
    stub.new_report = lambda report: setattr(report, "content", fixture_bytes("all_orders.txt"))
    done = equal_report("DONE", "2026-03-19T23:59:00Z")
    done.report_type = "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_LAST_UPDATE_GENERAL"
    stub.reports["40000"] = done
    with stub.running():
        assert len(records(Reading(tmp_path).encoded(ALL_ORDERS_STREAM, START))) == 4
    assert stub.count(CREATE) == 1


def test_case_22_the_same_night_twice_changes_nothing(tmp_path: Path) -> None:
    stub = StubAmazon(new_report=with_returns)
    nights = Nights(tmp_path)
    with stub.running():
        nights.night(NOW, "fba_returns")
        nights.night(NOW, "fba_returns")
        nights.night(NOW, "fba_returns")
    assert nights.rows("select count(*) from raw_amazon.fba_returns") == [(5,)]
    assert nights.rows("select count(*) from raw_amazon.fba_returns__history") == [(0,)]


@pytest.mark.parametrize(
    "content",
    [b"", b"\r\n", b"\xef\xbb\xbf", "\t".join(RETURNS_HEADER).encode(), tab_file(RETURNS_HEADER)],
)
def test_case_23_done_without_rows_is_no_rows(tmp_path: Path, content: bytes) -> None:
    stub = StubAmazon(new_report=lambda report: setattr(report, "content", content))
    with stub.running():
        encoded = Reading(tmp_path).encoded(FBA_RETURNS_STREAM, START)
    assert records(encoded) == []
    assert [reject for page in encoded for reject in page.rejects] == []


def test_case_23_trailing_blank_lines_are_no_rows(tmp_path: Path) -> None:
    row = ("2026-03-10T15:31:40+00:00", "302-1", "A", "1", "LPN1")
    content = tab_file(RETURNS_HEADER, row) + b"\r\n\t\t\t\t\r\n\r\n"
    stub = StubAmazon(new_report=lambda report: setattr(report, "content", content))
    with stub.running():
        encoded = Reading(tmp_path).encoded(FBA_RETURNS_STREAM, START)
    assert len(records(encoded)) == 1
    assert encoded[0].rejects == []


@pytest.mark.parametrize(
    "content",
    [
        b"<?xml version='1.0'?><ErrorResponse/>",
        b"Date range exceeded. Report can be requested only upto 30 days",
        b'{"errors":[{"code":"InternalFailure"}]}',
        b"error\r\nsomething went wrong\r\n",
    ],
)
def test_case_23_a_message_instead_of_a_table_is_a_failure(tmp_path: Path, content: bytes) -> None:
    stub = StubAmazon(new_report=lambda report: setattr(report, "content", content))
    nights = Nights(tmp_path)
    with stub.running():
        outcome = nights.extract(NOW, "all_orders")[0]
    assert outcome.state == "failed"
    assert "report 50000" in str(outcome.error)
    assert nights.rows("select count(*) from load.cursor") == [(0,)]


@pytest.mark.parametrize("is_flagged", [True, False])
@pytest.mark.parametrize("is_gzip", [True, False])
def test_case_24_bytes_decide_whether_it_is_gzip(
    tmp_path: Path, is_flagged: bool, is_gzip: bool
) -> None:
    content = fixture_bytes("fba_returns.txt")
    sent = gzip.compress(content) if is_gzip else content
    stub = StubAmazon(new_report=lambda report: setattr(report, "compressed", is_flagged))
    stub.script("GET /50000", lambda _request: (200, {"Content-Type": "text/plain"}, sent))
    with stub.running():
        assert len(records(Reading(tmp_path).encoded(FBA_RETURNS_STREAM, START))) == 5


def test_case_24_a_gzip_of_several_parts_is_read_whole(tmp_path: Path) -> None:
    content = fixture_bytes("fba_returns.txt")
    parts = gzip.compress(content[:300]) + gzip.compress(content[300:])
    stub = StubAmazon()
    stub.script("GET /50000", lambda _request: (200, {}, parts))
    with stub.running():
        assert len(records(Reading(tmp_path).encoded(FBA_RETURNS_STREAM, START))) == 5


def test_case_32_a_return_posted_forty_days_late_is_found(tmp_path: Path) -> None:
    late = ((NOW - timedelta(days=40)).isoformat(), "302-9", "A", "1", "LPN9")
    nights = Nights(tmp_path, (account(start="2026-01-01"),))
    with returns_of().running():
        nights.night(NOW - timedelta(days=1), "fba_returns")
    stub = returns_of(late)
    with stub.running():
        nights.night(NOW, "fba_returns")
    asked = json.loads(stub.sent(CREATE)[0].body)
    assert asked["dataStartTime"] == "2026-01-20T00:00:00Z", "59 days are read again"
    assert len(stub.sent(CREATE)) == 1
    assert nights.rows("select license_plate_number from raw_amazon.fba_returns") == [("LPN9",)]
    assert nights.rows("select days_late from load.late_arrival") == [(40,)]


def test_case_39_a_remembered_report_that_amazon_lost_is_asked_for_anew(tmp_path: Path) -> None:
    stub = StubAmazon(new_report=with_returns)
    reading = Reading(tmp_path)
    state = reading.context(FBA_RETURNS_STREAM).state
    state["report"] = {
        "id": "11111",
        "start": "2026-03-01T00:00:00Z",
        "end": "2026-03-20T00:00:00Z",
        "asked_at": "2026-03-19T22:00:00Z",
        "marketplaces": list(account().marketplace_ids),
    }
    state.save()
    with stub.running():
        assert len(records(reading.encoded(FBA_RETURNS_STREAM, START))) == 5
    assert stub.count("GET /reports/2021-06-30/reports/11111") == 1
    assert stub.count(CREATE) == 1


def test_case_39_a_remembered_report_on_other_marketplaces_is_not_read(tmp_path: Path) -> None:
    stub = StubAmazon(new_report=lambda report: setattr(report, "statuses", ["IN_PROGRESS"]))
    with stub.running():
        with pytest.raises(StopStream):
            Reading(tmp_path).encoded(FBA_RETURNS_STREAM, START)
        stub.new_report = with_returns
        wider = Reading(tmp_path, settings=account(marketplaces=("DE", "FR", "IT")))
        assert len(records(wider.encoded(FBA_RETURNS_STREAM, START))) == 5
    assert stub.count(CREATE) == 2


def test_case_39_a_settlement_that_amazon_lost_is_noted_and_the_others_read(
    tmp_path: Path,
) -> None:
    stub = StubAmazon()
    for number, name in ((1, "settlement_eu.txt"), (2, "settlement_na.txt")):
        stub.reports[str(number)] = StubReport(
            str(number),
            "GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2",
            statuses=["DONE"],
            created=f"2026-03-{10 + number}T00:00:00Z",
            content=fixture_bytes(name),
        )
    stub.script("GET /reports/2021-06-30/documents/doc-1", lambda _request: not_found())
    with stub.running():
        encoded = Reading(tmp_path).encoded(SETTLEMENTS_STREAM, START)
    assert {row["settlement_id"] for row in records(encoded)} == {"19000000002"}
    rejects = [reject for page in encoded for reject in page.rejects]
    assert [(found.reason, found.count) for found in rejects] == [("document_gone", 0)]
