"""Reading orders of a store whose API behaves as APIs do: tokens, throttling, paging, windows.

Numbers are those of the acceptance cases in the facts about Walmart, section 10.
"""

from __future__ import annotations

import http.server
import json
import logging
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from sources._core.clock import ManualClock
from tests.connectors import walmart_stub as stub
from tests.connectors.walmart_stub import (
    NOW,
    ORDERS,
    Handler,
    Nights,
    Reply,
    Request,
    StubWalmart,
    account,
    as_json,
    millis,
    refusal,
)

TWO_SWEEPS = ("SellerFulfilled", "WFSFulfilled")


def many(count: int, **values: Any) -> list[stub.Node]:
    return [stub.order(number, **values) for number in range(1, count + 1)]


def reading(folder: Path, *nodes: str, **values: Any) -> Nights:
    nodes = nodes or ("SellerFulfilled",)
    return Nights(folder, settings=(account(ship_nodes=nodes, **values),))


def expire(api: StubWalmart) -> Handler:
    """The token that this request came with has run out."""

    def refused(request: Request) -> Reply:
        api.good_tokens.discard(request.token)
        return api.answer(request)

    return refused


def test_case_01_a_token_that_runs_out_between_pages_is_renewed_once(tmp_path: Path) -> None:
    api = StubWalmart(orders=many(5), page_size=1)
    api.script(ORDERS, *[api.answer] * 3, expire(api))
    nights = reading(tmp_path)
    with api.running():
        (outcome,) = nights.extract(NOW, "orders")
    sent = api.sent(ORDERS)
    assert (outcome.state, outcome.rows, api.tokens) == ("ok", 5, 2)
    assert sent[3].query == sent[4].query
    assert [request.token for request in sent] == ["token-1"] * 4 + ["token-2"] * 2
    assert len({request.headers["wm_qos.correlation_id"] for request in sent}) == len(sent)
    assert sorted(nights.landed("orders")) == [f"{number:013d}" for number in range(1, 6)]


def test_a_token_is_replaced_before_it_runs_out(tmp_path: Path) -> None:
    clock = ManualClock(NOW)
    api = StubWalmart(orders=many(3), page_size=1)

    def slow(request: Request) -> Reply:
        clock.sleep(790.0)
        return api.answer(request)

    api.script(ORDERS, slow)
    with api.running():
        assert reading(tmp_path).extract(NOW, "orders", clock=clock)[0].rows == 3
    assert [request.token for request in api.sent(ORDERS)] == ["token-1", "token-2", "token-2"]


def test_case_02_and_24_a_second_401_fails_the_store_and_others_go_on(tmp_path: Path) -> None:
    """Rows are counted for each store."""
    api = StubWalmart(orders=many(2))
    good, bad = account("good"), account("bad", base_url="https://bad.test")

    def refuse(request: Request) -> Reply:
        return (
            refusal(401, "UNAUTHORIZED.GMP_GATEWAY_API") if request.token else api.answer(request)
        )

    nights = Nights(tmp_path, settings=(bad, good))
    api.script("bad.test/v3/orders", refuse, refuse)
    with api.running():
        refused, read = sorted(nights.extract(NOW, "orders"), key=lambda found: found.state)
    assert (refused.account, refused.state, refused.rows) == ("bad", "failed", 0)
    assert (read.account, read.state, read.rows) == ("good", "ok", 2)
    assert "secrets" in str(refused.error)


@pytest.mark.parametrize(
    ("header", "value", "low", "high"),
    [
        ("X-Next-Replenishment-Time", "7", 7, 8),
        ("x-next-replenish-time", str(millis("2026-03-20T00:00:09+00:00")), 9, 10),
        ("X-NEXT-REPLENISH-TIME", "2026-03-20T00:00:11Z", 11, 12),
        ("X-Next-Replenishment-Time", "2026-03-21T00:00:00Z", 600, 601),  # the wait is capped
        ("Retry-After", "5", 5, 6),
        ("X-Next-Replenishment-Time", "soon", 1, 3),
        ("X-Other", "", 1, 3),
    ],
)
def test_case_03_a_refusal_is_waited_for_in_each_way_it_is_told(
    tmp_path: Path, header: str, value: str, low: float, high: float
) -> None:
    api = StubWalmart(orders=many(1))
    api.script(ORDERS, lambda _r: refusal(429, "REQUEST_THRESHOLD_VIOLATED", **{header: value}))
    clock = ManualClock(NOW)
    with api.running():
        assert reading(tmp_path).extract(NOW, "orders", clock=clock)[0].rows == 1
    assert low <= sum(clock.sleeps) <= high


def test_the_level_of_the_bucket_is_taken_over(tmp_path: Path) -> None:
    api = StubWalmart(orders=many(2), page_size=1)

    def nearly_empty(request: Request) -> Reply:
        status, _headers, body = api.answer(request)
        return status, {"x-current-token-count": "0"}, body

    api.script(ORDERS, nearly_empty)
    clock = ManualClock(NOW)
    with api.running():
        reading(tmp_path).extract(NOW, "orders", clock=clock)
    assert clock.sleeps == [pytest.approx(60 / 5_000)]


def test_case_04_an_empty_window_is_no_failure_and_a_wrong_path_is(tmp_path: Path) -> None:
    api = StubWalmart()
    nights = reading(tmp_path, *TWO_SWEEPS)
    with api.running():
        (outcome,) = nights.extract(NOW, "orders")
        assert (outcome.state, outcome.rows, outcome.cursor_after) == ("ok", 0, NOW)
        api.script(ORDERS, stub.no_such_path)
        (outcome,) = nights.extract(NOW, "orders")
    assert outcome.state == "failed"
    assert "path does not exist" in str(outcome.error)


@pytest.mark.parametrize("body", [b"", b"<html>Not Found</html>", b'{"message": "x"}'])
def test_a_404_without_a_code_is_a_failure(tmp_path: Path, body: bytes) -> None:
    api = StubWalmart(orders=many(1))
    api.script(ORDERS, lambda _request: (404, {}, body))
    with api.running():
        assert reading(tmp_path).extract(NOW, "orders")[0].state == "failed"


def page_of(cursor: str | None, total: int, *orders: stub.Node) -> Handler:
    meta: stub.Node = {"totalCount": total, "limit": 200}
    if cursor:
        meta["nextCursor"] = cursor
    return lambda _request: as_json({"list": {"meta": meta, "elements": {"order": list(orders)}}})


@pytest.mark.parametrize(("total", "state"), [(2, "ok"), (9, "failed")])
def test_case_06_a_cursor_given_twice_stops_paging(tmp_path: Path, total: int, state: str) -> None:
    """All of what was counted has come, or the stream fails and keeps what it has."""
    api = StubWalmart()
    api.script(ORDERS, *[page_of("?poIndex=1", total, order) for order in many(2)])
    nights = reading(tmp_path)
    with api.running():
        (outcome,) = nights.extract(NOW, "orders")
    assert outcome.state == state
    assert len(nights.landed("orders")) == 2
    if state == "failed":
        assert "2 of 9 records" in str(outcome.error)
        assert outcome.cursor_after is None


class _Server(http.server.BaseHTTPRequestHandler):
    """Keeps the addresses as they came over the wire."""

    seen: ClassVar[list[str]] = []
    cursor = (
        "?limit=1&createdEndDate=2026-03-20T00:00:00.000+00:00&a=%3A%2B&b=x|y&hasMoreElements=true"
    )

    def do_POST(self) -> None:
        self._give({"access_token": "t", "expires_in": 900})

    def do_GET(self) -> None:
        self.seen.append(self.path)
        meta: stub.Node = {"totalCount": 2}
        if len(self.seen) == 1:
            meta["nextCursor"] = self.cursor
        rows = [stub.order(len(self.seen))]
        self._give({"list": {"meta": meta, "elements": {"order": rows}}})

    def log_message(self, *_arguments: Any) -> None:
        return

    def _give(self, body: stub.Node) -> None:
        content = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def test_case_07_a_cursor_is_sent_as_it_came(tmp_path: Path) -> None:
    """Over a real connection: `+`, `:` and `%3A` stay what they are, nothing is added."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        nights = reading(tmp_path, base_url=f"http://127.0.0.1:{server.server_port}")
        assert nights.extract(NOW, "orders")[0].rows == 2
    finally:
        server.shutdown()
        server.server_close()
    assert _Server.seen[1] == f"{ORDERS}{_Server.cursor}".replace("|", "%7C")


def test_the_last_page_may_have_a_cursor_all_the_same(tmp_path: Path) -> None:
    api = StubWalmart()
    api.script(ORDERS, page_of("?hasMoreElements=false&poIndex=1", 1, *many(1)))
    with api.running():
        assert reading(tmp_path).extract(NOW, "orders")[0].rows == 1
    assert len(api.sent(ORDERS)) == 1


def test_an_empty_page_ends_the_list_and_what_is_missing_is_asked_for_once_more(
    tmp_path: Path,
) -> None:
    api = StubWalmart(orders=many(2))
    api.script(ORDERS, page_of("?poIndex=1", 2, *many(1)), page_of("?poIndex=2", 2))
    nights = reading(tmp_path)
    with api.running():
        (outcome,) = nights.extract(NOW, "orders")
    assert outcome.state == "ok"
    assert len(nights.landed("orders")) == 2
    assert nights.notes("orders") == set()


def test_a_count_that_never_adds_up_is_noted(tmp_path: Path) -> None:
    api = StubWalmart()
    api.script(ORDERS, *[page_of(None, 7, *many(1))] * 2)
    nights = reading(tmp_path)
    with api.running():
        assert nights.extract(NOW, "orders")[0].state == "ok"
    assert nights.notes("orders") == {"count_does_not_add_up"}


def test_case_08_the_day_of_the_order_is_always_sent(tmp_path: Path) -> None:
    """An order of January, changed in March, is read; without the day Walmart would hide it."""
    old = stub.order(1, orderDate=millis("2026-01-05T10:00:00+00:00"))
    api = StubWalmart(orders=[old])
    nights = reading(tmp_path)
    with api.running():
        assert nights.extract(NOW, "orders")[0].rows == 1
    (asked,) = [request.params for request in api.sent(ORDERS)]
    assert asked == {
        "createdStartDate": "2025-09-22T00:00:00Z",
        "createdEndDate": "2026-03-20T00:00:00Z",
        "lastModifiedStartDate": "2026-03-10T00:00:00Z",
        "lastModifiedEndDate": "2026-03-20T00:00:00Z",
        "shipNodeType": "SellerFulfilled",
        "replacementInfo": "true",
        "limit": "200",
    }


def test_a_start_before_what_walmart_shows_is_noted(tmp_path: Path) -> None:
    api = StubWalmart(orders=many(1))
    nights = reading(tmp_path, start="2025-06-01")
    with api.running():
        assert nights.extract(NOW, "orders")[0].state == "ok"
    assert nights.notes("orders") == {"older_than_shown"}
    starts = [request.params["lastModifiedStartDate"] for request in api.sent(ORDERS)]
    assert min(starts) >= "2025-08-22"  # windows that end before it are not asked for


def test_case_09_each_way_of_shipping_is_asked_for_and_no_order_comes_twice(tmp_path: Path) -> None:
    orders = [stub.order(1), stub.order(2, node="WFSFulfilled"), stub.order(3, node="3PLFulfilled")]
    api = StubWalmart(orders=orders)
    nights = Nights(tmp_path)
    with api.running():
        nights.night(NOW, "orders")
        nights.night(NOW + timedelta(days=1), "orders")
    kinds = [request.params["shipNodeType"] for request in api.sent(ORDERS)]
    assert kinds == ["SellerFulfilled", "WFSFulfilled", "3PLFulfilled"] * 2
    rows = nights.rows("select purchaseOrderId, shipNode.type from raw_walmart.orders order by 1")
    assert [row[1] for row in rows] == [None, "WFSFulfilled", "3PLFulfilled"]


def test_each_night_reads_two_days_again(tmp_path: Path) -> None:
    api = StubWalmart(orders=many(1))
    nights = reading(tmp_path)
    with api.running():
        nights.night(NOW, "orders")
        nights.night(NOW + timedelta(days=1), "orders")
    assert api.sent(ORDERS)[-1].params["lastModifiedStartDate"] == "2026-03-18T00:00:00Z"


def test_case_13_an_unknown_field_is_recorded_by_name_only(tmp_path: Path) -> None:
    """The group that Walmart added in July 2026; its value stays out."""
    vehicle = {"miscAttribute": {"group": "VEHICLE_DETAILS", "values": ["VIN-1"]}}
    api = StubWalmart(orders=[stub.order(1, stub.line(1, "S-1", **vehicle), buyerMood="happy")])
    nights = reading(tmp_path)
    with api.running():
        nights.night(NOW, "orders")
    assert nights.drift("orders") == {
        ("buyerMood", "added"),
        ("orderLines.orderLine.miscAttribute", "added"),
    }
    landed = json.dumps(list(nights.landed("orders").values()))
    assert "VIN-1" not in landed
    assert "happy" not in landed


def test_case_18_skus_stay_as_they_are(tmp_path: Path) -> None:
    skus = ["A B/C-1", "000123", " lead", "x|y"]
    lines = [stub.line(number, sku) for number, sku in enumerate(skus, start=1)]
    api = StubWalmart(orders=[stub.order(1, *lines)])
    nights = reading(tmp_path)
    with api.running():
        nights.night(NOW, "orders")
    (row,) = nights.landed("orders").values()
    assert [ordered["item"]["sku"] for ordered in row["orderLines"]["orderLine"]] == skus


@pytest.mark.parametrize("status", [500, 503, 520])
def test_case_23_three_failures_of_the_server_lose_nothing(tmp_path: Path, status: int) -> None:
    api = StubWalmart(orders=many(2))
    api.script(ORDERS, *[lambda _request: (status, {}, b"<html></html>")] * 3)
    with api.running():
        (outcome,) = reading(tmp_path).extract(NOW, "orders")
    assert (outcome.state, outcome.rows, len(api.sent(ORDERS))) == ("ok", 2, 4)


def test_a_cut_answer_is_asked_for_again(tmp_path: Path) -> None:
    api = StubWalmart(orders=many(2))
    api.script(ORDERS, lambda request: (200, {}, api.answer(request)[2][:-9]))
    with api.running():
        assert reading(tmp_path).extract(NOW, "orders")[0].rows == 2


def test_case_25_no_secret_and_no_buyer_in_logs_and_files(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    api = StubWalmart(orders=many(3), secret="s3cret-value", page_size=1)
    settings = account(secret="s3cret-value", ship_nodes=("SellerFulfilled",))
    nights = Nights(tmp_path, settings=(settings,))
    with api.running():
        nights.night(NOW, "orders")
    landed = json.dumps(list(nights.landed("orders").values()))
    text = landed + "\n".join(record.getMessage() for record in caplog.records)
    for word in ("s3cret-value", "token-1", "@relay", "Kathryn", "Warners", "13164", "315559"):
        assert word not in text
    (row, *_others) = nights.landed("orders").values()
    assert row["shippingInfo"]["postalAddress"] == {"state": "NY", "country": "USA"}


def test_other_markets_are_read_by_the_global_apis(tmp_path: Path) -> None:
    api = StubWalmart(orders=many(1))
    nights = reading(tmp_path, marketplaces=["MX"])
    with api.running():
        nights.night(NOW, "orders")
    for request in api.requests:
        assert (request.headers["wm_market"], request.headers["wm_global_version"]) == ("mx", "3.1")
    us = StubWalmart(orders=many(1))
    with us.running():
        reading(tmp_path / "us").extract(NOW, "orders")
    assert all("wm_market" not in request.headers for request in us.requests)


def test_moments_are_kept_in_milliseconds(tmp_path: Path) -> None:
    """Case 10 begins here: nothing is converted before the models do it."""
    at = datetime(2026, 3, 8, 9, 59, 59, 999_000, tzinfo=UTC)
    api = StubWalmart(orders=[stub.order(1, orderDate=round(at.timestamp() * 1_000))])
    nights = reading(tmp_path)
    with api.running():
        nights.night(NOW, "orders")
    (row,) = nights.landed("orders").values()
    assert row["orderDate"] == 1_772_963_999_999
