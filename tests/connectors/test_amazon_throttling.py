"""Amazon, throttling and transport: cases 1 to 7 of the integration sheet, section 10."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from sources._core.errors import ConfigurationError, RetryLater
from sources.amazon.streams import FBA_RETURNS_STREAM, ORDERS_STREAM
from tests.connectors.amazon_stub import (
    NOW,
    Nights,
    Reading,
    Reply,
    Request,
    StubAmazon,
    StubReport,
    account,
    as_json,
    fixture_bytes,
    records,
    refusal,
    throttled,
)

ORDERS = "GET /orders/2026-01-01/orders"
START = datetime(2026, 3, 1, tzinfo=UTC)
FBA_REPORT = "GET_FBA_FULFILLMENT_CUSTOMER_RETURNS_DATA"
EXPIRED = "The access token you provided has expired."


def with_returns(report: StubReport) -> None:
    report.content = fixture_bytes("fba_returns.txt")


def orders_page(_request: Request) -> Reply:
    return 200, {}, fixture_bytes("orders_page.json")


def test_case_01_ten_refusals_without_a_rate_header_lose_nothing(tmp_path: Path) -> None:
    stub = StubAmazon()
    stub.script(ORDERS, *[throttled] * 10, orders_page)
    reading = Reading(tmp_path)
    with stub.running():
        landed = records(reading.encoded(ORDERS_STREAM, NOW - timedelta(days=1)))
    assert [order["orderId"] for order in landed] == [
        "302-1000001-0000001",
        "302-1000007-0000007",
    ]
    assert stub.count(ORDERS) == 11
    waits = reading.clock.sleeps
    assert 178 <= waits[0] < 200, "the first wait is one over the rate of the operation"
    assert waits[1] > 1.8 * waits[0]
    assert max(waits) <= 1_000
    assert len(waits) >= 10, "no request without a wait before it"


def test_case_01_refusals_without_end_stop_the_stream_with_advice(tmp_path: Path) -> None:
    stub = StubAmazon()
    stub.script(ORDERS, *[throttled] * 50)
    with stub.running(), pytest.raises(RetryLater, match=r"429 .* next night"):
        Reading(tmp_path).encoded(ORDERS_STREAM, NOW - timedelta(days=1))
    assert stub.count(ORDERS) == 12


def paged_orders(headers: dict[str, str], pages: int) -> StubAmazon:
    stub = StubAmazon()

    def page(number: int) -> Reply:
        token = {"pagination": {"nextToken": f"t{number}"}} if number + 1 < pages else {}
        return as_json({"orders": [], **token}, headers=headers)

    stub.script(ORDERS, *[lambda _request, n=n: page(n) for n in range(pages)])
    return stub


@pytest.mark.parametrize("header", [None, "", "soon", "nan", "-1", "0", "inf"])
def test_case_02_an_unusable_rate_header_keeps_the_default(
    tmp_path: Path, header: str | None
) -> None:
    stub = paged_orders({} if header is None else {"x-amzn-RateLimit-Limit": header}, 22)
    reading = Reading(tmp_path)
    with stub.running():
        reading.encoded(ORDERS_STREAM, NOW - timedelta(days=1))
    # A burst of 20 passes at once; the 21st and 22nd wait one over 0.0056 each.
    assert [round(wait) for wait in reading.clock.sleeps] == [179, 179]


def test_case_02_pacing_follows_the_rate_that_answers_tell(tmp_path: Path) -> None:
    slow, fast = Reading(tmp_path / "slow"), Reading(tmp_path / "fast")
    with paged_orders({"x-amzn-RateLimit-Limit": "0.0056"}, 22).running():
        slow.encoded(ORDERS_STREAM, NOW - timedelta(days=1))
    with paged_orders({"x-amzn-RateLimit-Limit": "50"}, 200).running():
        fast.encoded(ORDERS_STREAM, NOW - timedelta(days=1))
    assert sum(slow.clock.sleeps) > 350
    assert sum(fast.clock.sleeps) < 5


def test_case_02_a_rate_on_a_refusal_is_not_believed_and_a_told_wait_is_kept(
    tmp_path: Path,
) -> None:
    def refused(headers: dict[str, str]) -> Reply:
        return 429, headers, b'{"errors":[{"code":"QuotaExceeded","message":"","details":""}]}'

    stub = StubAmazon()
    stub.script(
        ORDERS,
        lambda _request: refused({"x-amzn-RateLimit-Limit": "1000"}),
        lambda _request: refused({"Retry-After": "7"}),
    )
    reading = Reading(tmp_path)
    with stub.running():
        reading.encoded(ORDERS_STREAM, NOW - timedelta(days=1))
    waits = [wait for wait in reading.clock.sleeps if wait > 1]
    assert waits[0] > 178, "not a thousandth of a second"
    assert 7 <= waits[1] < 8


@pytest.mark.parametrize("place", ["message", "details"])
def test_case_03_expired_token_is_renewed_and_the_call_sent_once_more(
    tmp_path: Path, place: str
) -> None:
    stub = StubAmazon()
    said = {"message": "Unauthorized", "details": "", place: EXPIRED}
    stub.script(ORDERS, lambda _request: refusal(403, "Unauthorized", **said), orders_page)
    with stub.running():
        landed = records(Reading(tmp_path).encoded(ORDERS_STREAM, NOW - timedelta(days=1)))
    assert len(landed) == 2
    assert stub.tokens == 2
    tokens = [request.headers["x-amz-access-token"] for request in stub.sent(ORDERS)]
    assert tokens == ["Atza|1", "Atza|2"]


def test_case_03_a_second_403_stops(tmp_path: Path) -> None:
    stub = StubAmazon()
    stub.script(ORDERS, *[lambda _request: refusal(403, "Unauthorized", EXPIRED)] * 5)
    with stub.running(), pytest.raises(ConfigurationError, match="403"):
        Reading(tmp_path).encoded(ORDERS_STREAM, NOW - timedelta(days=1))
    assert (stub.count(ORDERS), stub.tokens) == (2, 2)


def test_case_03_a_token_is_renewed_before_it_runs_out(tmp_path: Path) -> None:
    stub = StubAmazon()
    reading = Reading(tmp_path)
    with stub.running():
        reading.client.check_login()
        reading.clock.sleep(3_545)
        reading.client.check_login()
        reading.client.check_login()
    assert stub.tokens == 2


def test_case_04_refused_login_fails_once_and_other_accounts_go_on(tmp_path: Path) -> None:
    stub = StubAmazon()
    stub.new_report = with_returns
    far = "https://fe.test"
    lapsed = account(
        name="lapsed",
        marketplaces=("JP",),
        base_url=far,
        secrets=dict.fromkeys(account().secret_names, "sandbox-other"),
    )
    nights = Nights(tmp_path, (lapsed, account()))
    with stub.running():
        outcomes = nights.extract(NOW, "fba_returns", "orders")
    failed = {found.stream: found.error for found in outcomes if found.account == "lapsed"}
    assert set(failed) == {"fba_returns", "orders"}
    for error in failed.values():
        assert error is not None
        assert "account lapsed" in error
        assert "invalid_grant" in error
        assert "Authorise the application again" in error
        assert "sandbox-other" not in error
    assert [found.state for found in outcomes if found.account == "shop"] == ["ok", "ok"]
    refused = [r for r in stub.sent("POST /auth/o2/token") if b"sandbox-other" in r.body]
    assert len(refused) == 1, "a refused login is not tried again by the account's other streams"


def test_case_04_login_that_is_busy_is_tried_again(tmp_path: Path) -> None:
    stub = StubAmazon()
    busy: Reply = (400, {}, b'{"error":"temporarily_unavailable"}')
    stub.script("POST /auth/o2/token", lambda _request: busy, lambda _request: (503, {}, b""))
    with stub.running():
        Reading(tmp_path).client.check_login()
    assert stub.tokens == 1


def test_case_04_login_sends_a_form_and_the_token_goes_in_amazons_header(tmp_path: Path) -> None:
    stub = StubAmazon()
    with stub.running():
        Reading(tmp_path).encoded(ORDERS_STREAM, NOW - timedelta(days=1))
    login, orders = stub.requests[0], stub.requests[-1]
    assert login.headers["content-type"] == "application/x-www-form-urlencoded"
    assert b"grant_type=refresh_token" in login.body
    assert b"scope" not in login.body
    assert "authorization" not in orders.headers
    assert orders.headers["user-agent"].startswith("aftersales-warehouse/")


@pytest.mark.parametrize("status", [500, 503])
def test_case_05_server_errors_are_tried_again(tmp_path: Path, status: int) -> None:
    stub = StubAmazon()
    error = refusal(status, "InternalFailure", "We encountered an internal error.")
    stub.script(ORDERS, lambda _request: error, lambda _request: error, orders_page)
    with stub.running():
        assert len(records(Reading(tmp_path).encoded(ORDERS_STREAM, NOW - timedelta(days=1)))) == 2


def test_case_05_a_cut_document_is_downloaded_again_not_asked_for_again(tmp_path: Path) -> None:
    stub = StubAmazon()
    stub.new_report = with_returns
    whole = gzip.compress(fixture_bytes("fba_returns.txt"))

    def reset(_request: Request) -> Reply:
        raise requests.exceptions.ConnectionError("connection reset")

    stub.script(
        "GET /50000",
        lambda _request: (200, {}, whole[: len(whole) // 2]),
        lambda _request: (200, {}, whole[:-4]),
        reset,
    )
    with stub.running():
        landed = records(Reading(tmp_path).encoded(FBA_RETURNS_STREAM, START))
    assert len(landed) == 5
    assert stub.count("POST /reports/2021-06-30/reports") == 1
    assert stub.count("GET /50000") == 4


def test_case_06_a_link_that_ran_out_is_replaced_for_the_same_document(tmp_path: Path) -> None:
    stub = StubAmazon()
    stub.new_report = with_returns
    storage = "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
    stub.script("GET /50000", *[lambda _request: (403, {}, storage.encode())] * 2)
    with stub.running():
        landed = records(Reading(tmp_path).encoded(FBA_RETURNS_STREAM, START))
    assert len(landed) == 5
    assert stub.count("GET /reports/2021-06-30/documents/doc-50000") == 3
    assert stub.count("POST /reports/2021-06-30/reports") == 1
    links = [request.params["X-Amz-Signature"] for request in stub.sent("GET /50000")]
    assert links == ["signed-1", "signed-2", "signed-3"]


def test_case_06_storage_gets_neither_token_nor_our_headers(tmp_path: Path) -> None:
    stub = StubAmazon()
    stub.new_report = with_returns
    with stub.running():
        Reading(tmp_path).encoded(FBA_RETURNS_STREAM, START)
    download = stub.sent("GET /50000")[0]
    assert "x-amz-access-token" not in download.headers
    assert "authorization" not in download.headers


class KilledError(BaseException):
    """Stands for SIGKILL: nothing in the connector may catch it."""


def test_case_07_a_killed_night_goes_on_with_the_same_report(tmp_path: Path) -> None:
    stub = StubAmazon()
    stub.new_report = with_returns

    def killed(_request: Request) -> Reply:
        raise KilledError

    stub.script("GET /reports/2021-06-30/reports/50000", killed)
    with stub.running():
        with pytest.raises(KilledError):
            Reading(tmp_path).encoded(FBA_RETURNS_STREAM, START)
        later = Reading(tmp_path)
        later.clock.current = NOW + timedelta(hours=2)
        landed = records(later.encoded(FBA_RETURNS_STREAM, START, NOW + timedelta(hours=2)))
    created = stub.sent("POST /reports/2021-06-30/reports")
    assert stub.count("GET /reports/2021-06-30/reports/50000") >= 2
    assert len(created) == 2, "the old report, and one for the two hours after it"
    assert b'"dataStartTime": "2026-03-20T00:00:00Z"' in created[1].body
    assert b'"dataEndTime": "2026-03-20T02:00:00Z"' in created[1].body
    assert len(landed) == 10  # the stub gives both reports the same content


def test_case_07_a_report_lost_between_asking_and_noting_is_found_again(tmp_path: Path) -> None:
    stub = StubAmazon()
    stub.reports["49999"] = StubReport(
        "49999",
        FBA_REPORT,
        "2026-03-01T00:00:00Z",
        "2026-03-20T00:00:00Z",
        list(account().marketplace_ids),
        ["IN_PROGRESS", "DONE"],
        content=fixture_bytes("fba_returns.txt"),
    )
    with stub.running():
        landed = records(Reading(tmp_path).encoded(FBA_RETURNS_STREAM, START))
    assert len(landed) == 5
    assert stub.count("POST /reports/2021-06-30/reports") == 0
