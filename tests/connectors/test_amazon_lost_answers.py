"""Amazon, a request for a report whose answer is lost: nothing asked twice, nothing lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from sources._core.errors import StopStream
from sources.amazon.streams import ALL_ORDERS_STREAM, FBA_RETURNS_STREAM
from tests.connectors.amazon_stub import (
    NOW,
    Handler,
    Nights,
    Reading,
    Reply,
    StubAmazon,
    StubReport,
    account,
    fixture_bytes,
    records,
    throttled,
)

START = datetime(2026, 3, 1, tzinfo=UTC)
CREATE = "POST /reports/2021-06-30/reports"
GET_REPORTS = "GET /reports/2021-06-30/reports"


def strict_amazon() -> StubAmazon:
    """Amazon that makes an equal report once: the next equal requests end CANCELLED, then FATAL."""
    stub = StubAmazon()

    def fill(report: StubReport) -> None:
        equal = [
            one
            for one in stub.reports.values()
            if (one.report_type, one.start, one.end)
            == (report.report_type, report.start, report.end)
        ]
        report.content = fixture_bytes("fba_returns.txt")
        if equal:
            report.statuses = ["CANCELLED"] if len(equal) == 1 else ["FATAL"]

    stub.new_report = fill
    return stub


def taken_then(stub: StubAmazon, answer: Callable[[Reply], Reply]) -> Handler:
    """Amazon takes the request; `answer` says what becomes of the reply."""
    return lambda request: answer(stub._create(request))


def reset(_reply: Reply) -> Reply:
    raise requests.exceptions.ConnectionError("reset")


def cut(_reply: Reply) -> Reply:
    return 202, {}, b'{"repor'


def broken(_reply: Reply) -> Reply:
    return 500, {}, b'{"errors":[{"code":"InternalFailure"}]}'


@pytest.mark.parametrize("fate", [reset, cut, broken])
def test_a_lost_answer_is_looked_up_instead_of_asking_again(
    tmp_path: Path, fate: Callable[[Reply], Reply]
) -> None:
    stub = strict_amazon()
    stub.script(CREATE, taken_then(stub, fate))
    with stub.running():
        landed = records(Reading(tmp_path).encoded(FBA_RETURNS_STREAM, START))
    assert len(landed) == 5
    assert stub.count(CREATE) == 1


@pytest.mark.parametrize("fate", [reset, cut, broken])
def test_a_lost_request_that_amazon_never_took_is_sent_again(
    tmp_path: Path, fate: Callable[[Reply], Reply]
) -> None:
    stub = strict_amazon()
    stub.script(CREATE, lambda _request: fate((202, {}, b"")), throttled)
    with stub.running():
        assert len(records(Reading(tmp_path).encoded(FBA_RETURNS_STREAM, START))) == 5
    assert stub.count(CREATE) == 3
    assert stub.count(GET_REPORTS) == 2, "a refusal for asking too fast is no lost answer"


def test_a_report_that_the_list_shows_late_is_read_instead_of_its_cancelled_twin(
    tmp_path: Path,
) -> None:
    stub = strict_amazon()
    stub.script(CREATE, taken_then(stub, reset))
    stub.script(GET_REPORTS, *[lambda _request: (200, {}, b'{"reports":[]}')] * 2)
    with stub.running():
        landed = records(Reading(tmp_path).encoded(FBA_RETURNS_STREAM, START))
    assert stub.count(CREATE) == 2
    assert stub.reports["50001"].statuses == ["CANCELLED"]
    assert len(landed) == 5


def test_the_cursor_stays_when_no_request_gets_through(tmp_path: Path) -> None:
    stub = StubAmazon()
    stub.script(CREATE, *[lambda _request: reset((202, {}, b""))] * 20)
    nights = Nights(tmp_path)
    with stub.running():
        outcome = nights.extract(NOW, "fba_returns")[0]
    assert outcome.state == "failed"
    assert "list of reports does not hold the report" in str(outcome.error)
    assert nights.rows("select count(*) from load.cursor") == [(0,)]


def test_a_report_without_interval_is_not_mistaken_for_an_older_equal_one(tmp_path: Path) -> None:
    """All-orders reports are made anew each time: an old one holds less."""
    stub = StubAmazon()
    stub.reports["40000"] = StubReport(
        "40000",
        "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_LAST_UPDATE_GENERAL",
        "2026-03-01T00:00:00Z",
        "2026-03-20T00:00:00Z",
        list(account().marketplace_ids),
        ["DONE"],
        content=b"",
    )
    stub.new_report = lambda report: setattr(report, "content", fixture_bytes("all_orders.txt"))
    stub.script(CREATE, taken_then(stub, cut))
    with stub.running():
        assert len(records(Reading(tmp_path).encoded(ALL_ORDERS_STREAM, START))) == 4
    assert stub.count(CREATE) == 1


def test_cancelled_outside_the_interval_of_an_equal_report_is_no_data(tmp_path: Path) -> None:
    stub = StubAmazon(new_report=lambda report: setattr(report, "statuses", ["CANCELLED"]))
    stub.reports["40000"] = StubReport(
        "40000",
        "GET_FBA_FULFILLMENT_CUSTOMER_RETURNS_DATA",
        "2026-03-01T00:00:00Z",
        "2026-03-20T00:00:00Z",
        list(account().marketplace_ids),
        ["DONE"],
        "2026-03-19T19:00:00Z",
        fixture_bytes("fba_returns.txt"),
    )
    with stub.running():
        assert records(Reading(tmp_path).encoded(FBA_RETURNS_STREAM, START)) == []


def test_cancelled_soon_after_an_equal_report_failed_says_nothing_about_data(
    tmp_path: Path,
) -> None:
    statuses = [["FATAL"], ["CANCELLED"]]

    def fill(report: StubReport) -> None:
        report.statuses, report.has_document = statuses.pop(0), False

    stub = StubAmazon(new_report=fill)
    with stub.running(), pytest.raises(StopStream, match="cancelled after an equal one had failed"):
        Reading(tmp_path).encoded(FBA_RETURNS_STREAM, START)


def test_a_kill_in_a_later_window_goes_on_with_the_same_report(tmp_path: Path) -> None:
    """The next run's window begins earlier, by the lookback; the report is read all the same."""
    stub = StubAmazon(
        new_report=lambda report: setattr(report, "content", fixture_bytes("all_orders.txt"))
    )
    reading = Reading(tmp_path)
    with stub.running():
        stub.new_report = lambda report: setattr(report, "statuses", ["IN_PROGRESS"])
        with pytest.raises(StopStream):
            reading.encoded(ALL_ORDERS_STREAM, START)
        pending = stub.reports["50000"]
        pending.statuses, pending.content = ["DONE"], fixture_bytes("all_orders.txt")
        stub.new_report = lambda report: setattr(report, "content", b"")
        landed = records(
            Reading(tmp_path).encoded(
                ALL_ORDERS_STREAM, START - timedelta(days=2), NOW - timedelta(days=1)
            )
        )
    assert len(landed) == 4
    asked = [json.loads(request.body) for request in stub.sent(CREATE)[1:]]
    assert [(one["dataStartTime"], one["dataEndTime"]) for one in asked] == [
        ("2026-02-27T00:00:00Z", "2026-03-01T00:00:00Z")
    ]
