"""Bulk operations: their files are whole and in any order, or the window is read page by page.

Numbers are those of the test cases in the facts about Shopify, section 7.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sources._core.clock import ManualClock
from tests.connectors import shopify_stub as stub
from tests.connectors.shopify_stub import NOW, Asked, Nights, Reply, StubShop, gid

LONG_AGO = date(2026, 3, 1)


def shop_of(count: int = 3) -> StubShop:
    orders = [
        stub.order(
            n,
            stub.line(n * 10 + 1),
            stub.line(n * 10 + 2),
            fulfillments=[stub.shipment(n, (n * 10 + 1, 1))],
        )
        for n in range(1, count + 1)
    ]
    return StubShop(orders=orders)


def read(tmp_path: Path, shop: StubShop) -> tuple[Any, Nights, ManualClock]:
    nights = Nights(tmp_path, (stub.account(start=LONG_AGO),))
    clock = ManualClock(NOW)
    with shop.running():
        (outcome,) = nights.extract(NOW, "orders", clock=clock)
    return outcome, nights, clock


def by_pages(tmp_path: Path, shop: StubShop) -> Any:
    """What the same orders are when they are read page by page."""
    nights = Nights(tmp_path / "pages", (stub.account(start=date(2026, 3, 10)),))
    with shop.running():
        nights.extract(NOW, "orders")
    return nights.landed("orders")


def test_bulk_and_pages_give_the_same_records(tmp_path: Path) -> None:
    shop = shop_of()
    outcome, nights, _clock = read(tmp_path, shop)
    assert (outcome.rows, outcome.cursor_after) == (3, NOW)
    assert not shop.sent("OrdersWindow")
    assert nights.landed("orders") == by_pages(tmp_path, shop)


def test_no_order_in_the_window_gives_no_address(tmp_path: Path) -> None:
    outcome, _nights, _clock = read(tmp_path, StubShop())
    assert (outcome.state, outcome.rows, outcome.cursor_after) == ("ok", 0, NOW)


@pytest.mark.parametrize("told", ["8", "10"])
def test_case_02_a_file_that_does_not_hold_what_was_told_is_not_used(
    tmp_path: Path, told: str
) -> None:
    shop = shop_of()  # nine objects
    shop.bulk_statuses = [{"status": "COMPLETED", "objectCount": told}]
    outcome, nights, _clock = read(tmp_path, shop)
    assert (outcome.rows, outcome.cursor_after) == (3, NOW)
    assert shop.sent("OrdersWindow")
    assert nights.landed("orders") == by_pages(tmp_path, shop)


def test_case_02_many_lines_are_all_kept(tmp_path: Path) -> None:
    outcome, _nights, _clock = read(tmp_path, shop_of(220))
    assert (outcome.rows, outcome.cursor_after) == (220, NOW)


@pytest.mark.parametrize("status", ["FAILED", "CANCELED", "EXPIRED"])
def test_case_03_a_failed_operation_leaves_no_gap(tmp_path: Path, status: str) -> None:
    """Its partial data may come late: they are not waited for, the window is read by pages."""
    shop = shop_of()
    running = {"status": "RUNNING", "objectCount": "0"}
    shop.bulk_statuses = [
        running,
        {"status": status, "errorCode": "INTERNAL_SERVER_ERROR", "objectCount": "4"},
    ]
    outcome, nights, clock = read(tmp_path, shop)
    assert (outcome.rows, outcome.cursor_after) == (3, NOW)
    assert clock.sleeps == [10.0]
    assert nights.landed("orders") == by_pages(tmp_path, shop)


@pytest.mark.parametrize("code", ["LIMIT_REACHED", "OPERATION_IN_PROGRESS"])
def test_case_05_another_programs_operation_is_waited_for(tmp_path: Path, code: str) -> None:
    def taken(_asked: Asked) -> Reply:
        error = {"code": code, "field": None, "message": "another operation is running"}
        started = {"bulkOperation": None, "userErrors": [error]}
        return stub.envelope(data={"bulkOperationRunQuery": started})

    shop = shop_of()
    shop.script("BulkStart", taken, taken)
    outcome, _nights, clock = read(tmp_path, shop)
    assert outcome.rows == 3
    assert clock.sleeps == [10.0, 10.0]
    assert {asked.operation for asked in shop.asked} == {
        "Preflight", "BulkStart", "BulkPoll", "OrderFulfillments",
    }  # fmt: skip


def test_case_06_lines_in_any_order_and_twice(tmp_path: Path) -> None:
    shop = shop_of()
    shop.bulk_query = "orders(query: \"updated_at:>='2026-03-01' AND updated_at:<'2026-03-21'\""
    lines = shop.bulk_objects()
    lines.sort(key=lambda found: found["id"], reverse=True)  # children before their parents
    shop.bulk_lines = [*lines, lines[0], lines[4]]
    shop.bulk_statuses = [{"status": "COMPLETED", "objectCount": str(len(lines))}]
    _outcome, nights, _clock = read(tmp_path, shop)
    assert not shop.sent("OrdersWindow")
    assert nights.landed("orders") == by_pages(tmp_path, shop)


def test_case_06_orphans_mean_that_an_order_is_missing(tmp_path: Path) -> None:
    shop = shop_of()
    orphan = {"__typename": "LineItem", **stub.line(99), "__parentId": gid("Order", 77)}
    shop.bulk_query = "orders(query: \"updated_at:>='2026-03-01' AND updated_at:<'2026-03-21'\""
    shop.bulk_lines = [*shop.bulk_objects(), orphan]
    outcome, _nights, _clock = read(tmp_path, shop)
    assert outcome.rows == 3
    assert shop.sent("OrdersWindow")


def test_a_killed_night_goes_on_with_the_operation_it_began(tmp_path: Path) -> None:
    shop = shop_of()
    nights = Nights(tmp_path, (stub.account(start=LONG_AGO),))

    shop.script("BulkPoll", lambda _asked: (403, {}, b"{}"))
    with shop.running():
        assert nights.extract(NOW, "orders")[0].state == "failed"
        assert nights.extract(NOW, "orders")[0].rows == 3
    assert len(shop.sent("BulkStart")) == 1
