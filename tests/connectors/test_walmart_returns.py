"""Reading returns and seller performance of a store whose API behaves as APIs do.

Numbers are those of the acceptance cases in the facts about Walmart, section 10.
"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sources._core.clock import ManualClock
from sources.walmart.config import METRICS
from tests.connectors import walmart_stub as stub
from tests.connectors.walmart_stub import (
    NOW,
    RETURNS,
    Nights,
    Reply,
    Request,
    StubWalmart,
    account,
    as_json,
    refusal,
    returned,
    returned_line,
)

PERFORMANCE = "/v3/insights/performance"


def many(count: int) -> list[stub.Node]:
    return [returned(number, returned_line(number)) for number in range(1, count + 1)]


def reading(folder: Path, **values: Any) -> Nights:
    return Nights(folder, settings=(account(**{"wfs_returns": False, **values}),))


def test_both_ends_of_the_window_are_sent_and_two_days_are_read_again(tmp_path: Path) -> None:
    api = StubWalmart(returns=many(1))
    nights = reading(tmp_path)
    with api.running():
        nights.night(NOW, "returns")
        nights.night(NOW + timedelta(days=1), "returns")
    assert [request.params for request in api.sent(RETURNS)] == [
        {
            "returnLastModifiedStartDate": since,
            "returnLastModifiedEndDate": until,
            "replacementInfo": "true",
            "limit": "200",
        }
        for since, until in (
            ("2026-03-10T00:00:00Z", "2026-03-20T00:00:00Z"),
            ("2026-03-18T00:00:00Z", "2026-03-21T00:00:00Z"),
        )
    ]


def test_case_06_an_offset_that_stands_still_is_not_followed_for_ever(tmp_path: Path) -> None:
    api = StubWalmart(returns=many(5), page_size=1)
    stuck = lambda request: api.answer(Request("GET", RETURNS, "", request.headers, b""))  # noqa: E731
    api.script(RETURNS, *[stuck] * 3)
    nights = reading(tmp_path)
    with api.running():
        (outcome,) = nights.extract(NOW, "returns")
    assert outcome.state == "failed"
    assert len(api.sent(RETURNS)) == 2
    assert [request.query for request in api.sent(RETURNS)][1] == "sellerId=8&limit=1&offset=1"


def test_a_window_whose_count_changed_is_read_once_more(tmp_path: Path) -> None:
    """A return came in while pages were turned, and moved another one over their edge."""
    api = StubWalmart(returns=many(4), page_size=2)

    def shifted(request: Request) -> Reply:
        answer = api.answer(request)
        api.returns.insert(0, returned(9, returned_line(9)))
        return answer

    api.script(RETURNS, shifted)
    nights = reading(tmp_path)
    with api.running():
        nights.night(NOW, "returns")
    assert len(nights.landed("returns")) == 5
    assert len(api.sent(RETURNS)) == 3 + 3
    assert nights.notes("returns") == set()


def test_case_11_what_may_be_absent_is_absent(tmp_path: Path) -> None:
    bare = returned(1, returned_line(1), totalRefundAmount=None)
    del bare["returnChannel"]
    api = StubWalmart(returns=[bare])
    api.script(RETURNS, lambda _request: as_json({"meta": {}, "returnOrders": [bare]}))
    nights = reading(tmp_path)
    with api.running():
        nights.night(NOW, "returns")
    (row,) = nights.rows("select totalRefundAmount, returnChannel from raw_walmart.returns")
    assert row == (None, None)


def test_case_13_an_unknown_reason_is_kept_as_it_is(tmp_path: Path) -> None:
    line = returned_line(1, returnReason="BROUGHT_BAD_LUCK", buyerSays="my name is Jane")
    api = StubWalmart(returns=[returned(1, line)])
    nights = reading(tmp_path)
    with api.running():
        nights.night(NOW, "returns")
    (row,) = nights.landed("returns").values()
    assert row["returnOrderLines"][0]["returnReason"] == "BROUGHT_BAD_LUCK"
    assert nights.drift("returns") == {("returnOrderLines.buyerSays", "added")}
    landed = json.dumps(row)
    assert "Jane" not in landed
    assert "relay.walmart" not in landed


def test_case_14_a_return_that_changes_is_one_row_with_its_past(tmp_path: Path) -> None:
    api = StubWalmart(returns=[returned(1, returned_line(1, status="INITIATED"))])
    nights = reading(tmp_path)
    with api.running():
        nights.night(NOW, "returns")
        api.returns = [returned(1, returned_line(1, status="COMPLETED"))]
        nights.night(NOW + timedelta(days=1), "returns")
    status = "select returnOrderLines[1].status from raw_walmart.returns"
    assert nights.rows(status) == [("COMPLETED",)]
    assert nights.rows(f"{status}__history") == [("INITIATED",)]


def test_returns_to_walmarts_warehouses_are_asked_for_by_themselves(tmp_path: Path) -> None:
    api = StubWalmart(returns=[*many(1), returned(2, returned_line(2), isWfs=True)])
    nights = reading(tmp_path, wfs_returns=True)
    with api.running():
        nights.night(NOW, "returns")
    assert len(nights.landed("returns")) == 2
    assert [r.params.get("isWFSEnabled") for r in api.sent(RETURNS)] == [None, "Y"]


def test_a_market_that_does_not_know_wfs_returns_is_read_all_the_same(tmp_path: Path) -> None:
    api = StubWalmart(returns=many(1))
    api.script(RETURNS, api.answer, lambda _request: refusal(400, "INVALID_REQUEST_PARAM"))
    nights = reading(tmp_path, wfs_returns=True, marketplaces=["ca"])
    with api.running():
        nights.night(NOW, "returns")
    assert nights.notes("returns") == {"wfs_returns_not_offered"}


def test_in_mexico_returns_are_read_by_cursor_for_half_a_year(tmp_path: Path) -> None:
    api = StubWalmart(returns=many(1))
    nights = reading(tmp_path, marketplaces=["mx"])
    with api.running():
        nights.night(NOW, "returns")
    (asked,) = api.sent(f"{RETURNS}/cursor")
    assert asked.params == {
        "returnCreationStartDate": "2025-09-22T00:00:00Z",
        "returnCreationEndDate": "2026-03-20T00:00:00Z",
        "limit": "100",
    }
    assert len(nights.landed("returns")) == 1


def test_case_05_a_metric_without_data_is_no_failure(tmp_path: Path) -> None:
    api = StubWalmart(
        insights={
            "returns/summary": {"payload": {"cumulativeRate": 4.2, "overallRate": 9.9}},
            "otd/summary": {"payload": {"overallRate": 97.5, "overallTrend": "GREEN_UP"}},
            "vtr/summary": {"sellerAccountableRate": 1, "cumulativeRate": 2, "riskLevel": "Good"},
        }
    )
    nights = Nights(tmp_path)
    with api.running():
        (outcome,) = nights.extract(NOW, "seller_performance")
    rates = {key: row["rate"] for key, row in nights.landed("seller_performance").items()}
    assert outcome.state == "ok"
    assert rates == {"returns": "4.2", "otd": "97.5", "vtr": "1"}
    asked = [request for request in api.requests if request.path.startswith(PERFORMANCE)]
    assert len(asked) == len(METRICS)
    assert {request.headers["wm_global_version"] for request in asked} == {"3.1"}
    (returns,) = api.sent(f"{PERFORMANCE}/returns/summary")
    assert returns.query == "reportDuration=60&conditionType=ALL"


def test_case_23_a_metric_that_fails_three_times_is_read_then(tmp_path: Path) -> None:
    api = StubWalmart(insights={"otd/summary": {"payload": {"overallRate": 97.5}}})
    api.script(f"{PERFORMANCE}/otd/summary", *[lambda _request: (520, {}, b"")] * 3)
    clock = ManualClock(NOW)
    nights = Nights(tmp_path)
    with api.running():
        assert nights.extract(NOW, "seller_performance", clock=clock)[0].state == "ok"
    assert list(nights.landed("seller_performance")) == ["otd"]
    assert sum(clock.sleeps) >= 5 + 10 + 20  # longer waits than of other paths


def test_a_metric_that_is_not_offered_does_not_keep_the_others_back(tmp_path: Path) -> None:
    api = StubWalmart(insights={"vtr/summary": {"payload": {"cumulativeRate": 99}}})
    api.script(f"{PERFORMANCE}/otd/summary", stub.no_such_path)
    nights = Nights(tmp_path)
    with api.running():
        (outcome,) = nights.extract(NOW, "seller_performance")
    assert (outcome.state, outcome.rows) == ("ok", 1)
    assert nights.notes("seller_performance") == {"metric_not_offered"}


@pytest.mark.parametrize("market", ["ca", "mx", "cl"])
def test_performance_and_reports_are_asked_for_in_the_us_only(tmp_path: Path, market: str) -> None:
    api = StubWalmart()
    nights = Nights(tmp_path, settings=(account(marketplaces=[market]),))
    with api.running():
        outcomes = nights.extract(NOW, "seller_performance", "wfs_returns")
    assert [outcome.state for outcome in outcomes] == ["ok", "ok"]
    assert [r.path for r in api.requests if r.path != "/v3/token"] == []
