"""Amazon, a report or answer that has changed: yesterday's data stay, everything is counted."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sources.amazon.streams import ORDERS_STREAM
from tests.connectors.amazon_stub import (
    NOW,
    Nights,
    Reading,
    StubAmazon,
    StubReport,
    account,
    records,
    tab_file,
)

HEADER = ("return-date", "order-id", "sku", "quantity", "license-plate-number")


def plate(number: int, quantity: str = "1") -> tuple[str, ...]:
    return (f"2026-03-1{number}T10:00:00+00:00", f"302-{number}", "A", quantity, f"LPN{number}")


def returns(*rows: tuple[str, ...], header: tuple[str, ...] = HEADER) -> StubAmazon:
    content = tab_file(header, *rows)
    return StubAmazon(new_report=lambda report: setattr(report, "content", content))


@pytest.mark.parametrize("good", [0, 1])
def test_a_report_whose_column_changed_its_type_leaves_yesterdays_data(
    tmp_path: Path, good: int
) -> None:
    nights = Nights(tmp_path)
    with returns(plate(1), plate(2), plate(3)).running():
        nights.night(NOW, "fba_returns")
    broken = [plate(number, "one" if number >= good else "1") for number in range(4)]
    with returns(*broken).running():
        outcome = nights.extract(NOW + timedelta(days=1), "fba_returns")[0]
    assert outcome.state == "failed"
    assert f"{4 - good} of 4 rows could not be read (columns quantity)" in str(outcome.error)
    nights.load()
    assert nights.rows("select cursor_at::text from load.cursor") == [("2026-03-20 00:00:00",)]
    plates = "select license_plate_number from raw_amazon.fba_returns order by 1"
    kept = ["LPN0"] if good else []
    assert nights.rows(plates) == [(one,) for one in (*kept, "LPN1", "LPN2", "LPN3")]
    assert nights.rows("select quarantine_reason, rows from load.quarantine") == [
        ("bad_number", 4 - good)
    ]
    assert nights.rows("select field, drift_kind from load.drift where field = 'quantity'") == [
        ("quantity", "type_changed")
    ]


def test_a_broken_row_here_and_there_does_not_stop_a_report(tmp_path: Path) -> None:
    nights = Nights(tmp_path)
    with returns(plate(1), plate(2, "one"), plate(3)).running():
        nights.night(NOW, "fba_returns")
    assert nights.rows("select count(*) from raw_amazon.fba_returns") == [(2,)]
    assert nights.rows("select quarantine_reason, rows from load.quarantine") == [("bad_number", 1)]
    assert nights.rows("select count(*) from load.cursor") == [(1,)]
    assert nights.rows("select * from load.drift where drift_kind = 'type_changed'") == []


@pytest.mark.parametrize("content", [b"", tab_file(HEADER)])
def test_an_empty_report_deletes_nothing(tmp_path: Path, content: bytes) -> None:
    nights = Nights(tmp_path)
    with returns(plate(1), plate(2)).running():
        nights.night(NOW, "fba_returns")
    stub = StubAmazon(new_report=lambda report: setattr(report, "content", content))
    with stub.running():
        nights.night(NOW + timedelta(days=1), "fba_returns")
    assert nights.rows("select count(*) from raw_amazon.fba_returns") == [(2,)]


def test_bare_dates_delete_nothing_at_the_windows_edge(tmp_path: Path) -> None:
    """Such a day began before the window; what of it came earlier is not shown again."""
    nights = Nights(tmp_path)
    with returns(("2026-03-10", "302-1", "A", "1", "LPN1")).running():
        nights.night(NOW, "fba_returns")
    with returns(("2026-03-11", "302-2", "A", "1", "LPN2")).running():
        nights.night(NOW + timedelta(days=1), "fba_returns")
    assert nights.rows("select count(*) from raw_amazon.fba_returns") == [(2,)]


@pytest.mark.parametrize("has_plate", [True, False])
def test_a_return_that_is_redated_stays_one_return(tmp_path: Path, has_plate: bool) -> None:
    number = "LPN1" if has_plate else ""
    before = ("2026-03-10T10:00:00+00:00", "302-1", "A", "1", number)
    after = ("2026-03-12T10:00:00+00:00", "302-1", "A", "1", number)
    nights = Nights(tmp_path)
    with returns(before, plate(5)).running():
        nights.night(NOW, "fba_returns")
    with returns(plate(5), after).running():
        nights.night(NOW + timedelta(days=1), "fba_returns")
    assert nights.rows("select order_id, return_date from raw_amazon.fba_returns order by 2") == [
        ("302-1", "2026-03-12T10:00:00Z"),
        ("302-5", "2026-03-15T10:00:00Z"),
    ]


def test_the_order_of_rows_in_a_report_changes_no_return(tmp_path: Path) -> None:
    """Two units of one order line came back at one moment; one of them has no plate."""
    same = ("2026-03-10T10:00:00+00:00", "302-1", "A", "1")
    rows = [(*same, "LPN1"), (*same, ""), (*same, "LPN2")]
    nights = Nights(tmp_path)
    with returns(*rows).running():
        nights.night(NOW, "fba_returns")
    with returns(*reversed(rows)).running():
        nights.night(NOW + timedelta(days=1), "fba_returns")
    assert nights.rows("select count(*) from raw_amazon.fba_returns") == [(3,)]
    assert nights.rows("select count(*) from raw_amazon.fba_returns__history") == [(0,)]


def order(**item: Any) -> dict[str, Any]:
    return {
        "orderId": "302-1",
        "createdTime": "2026-03-19T10:00:00Z",
        "lastUpdatedTime": "2026-03-19T10:00:00Z",
        "salesChannel": {"channelName": "AMAZON"},
        "fulfillment": {"fulfillmentStatus": "SHIPPED"},
        "orderItems": [{"orderItemId": "1", "quantityOrdered": 2, "product": {}} | item],
    }


def test_a_number_given_as_text_is_read_and_noted(tmp_path: Path) -> None:
    changed = [order(quantityOrdered="2"), order(quantityOrdered=3), order(quantityOrdered="4")]
    stub = StubAmazon(order_pages=[{"orders": changed}])
    with stub.running():
        pages = Reading(tmp_path).encoded(ORDERS_STREAM, NOW - timedelta(days=1))
    assert [row["orderItems"][0]["quantityOrdered"] for row in records(pages)] == [2, 3, 4]
    assert [page.rejects for page in pages if page.rejects] == []
    assert ("orderItems.quantityOrdered", "type_changed") in set().union(*(p.drift for p in pages))


def test_a_page_of_orders_that_cannot_be_read_is_counted_and_the_cursor_stays(
    tmp_path: Path,
) -> None:
    nights = Nights(tmp_path)
    broken = [order(quantityOrdered="two") | {"orderId": f"302-{n}"} for n in range(3)]
    with StubAmazon(order_pages=[{"orders": broken}]).running():
        outcome = nights.extract(NOW, "orders")[0]
    assert outcome.state == "failed"
    nights.load()
    assert nights.rows("select quarantine_reason, rows from load.quarantine") == [("wrong_type", 3)]
    assert nights.rows("select count(*) from load.cursor") == [(0,)]


def test_a_settlement_whose_amounts_cannot_be_read_holds_the_cursor(tmp_path: Path) -> None:
    header = ("settlement-id", "total-amount", "currency", "transaction-type", "amount-type")
    header = (*header, "amount-description", "amount")
    rows = [("7", "", "", "Order", "ItemPrice", "Principal", "ten") for _ in range(3)]
    stub = StubAmazon()
    stub.reports["1"] = StubReport(
        "1",
        "GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2",
        statuses=["DONE"],
        created="2026-03-10T00:00:00Z",
        content=tab_file(header, ("7", "12.00", "EUR", "", "", "", ""), *rows),
    )
    nights = Nights(tmp_path)
    with stub.running():
        outcome = nights.extract(NOW, "settlements")[0]
    assert outcome.state == "failed"
    assert "3 of 4 rows could not be read (columns amount)" in str(outcome.error)
    nights.load()
    assert nights.rows("select count(*) from load.cursor") == [(0,)]
    assert nights.rows("select rows from load.quarantine") == [(3,)]


def test_a_single_order_that_cannot_be_read_holds_the_cursor_until_others_come(
    tmp_path: Path,
) -> None:
    nights = Nights(tmp_path, (account(start="2026-03-18"),))
    broken = order(quantityOrdered="two")
    with StubAmazon(order_pages=[{"orders": [broken]}]).running():
        outcome = nights.extract(NOW, "orders")[0]
    assert "none of 1 records could be read" in str(outcome.error)
    nights.load()
    assert nights.rows("select count(*) from load.cursor") == [(0,)]
    good = order() | {"orderId": "302-2"}
    with StubAmazon(order_pages=[{"orders": [broken, good]}]).running():
        nights.night(NOW + timedelta(days=1), "orders")
    assert nights.rows("select count(*) from load.cursor") == [(1,)]
    assert nights.rows("select sum(rows)::int from load.quarantine") == [(2,)]


def test_rows_of_one_order_and_sku_keep_their_numbers_in_any_order(tmp_path: Path) -> None:
    header = ("amazon-order-id", "last-updated-date", "sku", "item-status", "quantity")
    rows = [
        ("302-1", "2026-03-10T00:00:00Z", "A", status, quantity)
        for status, quantity in (("Shipped", "2"), ("Cancelled", "1"), ("Shipped", "1"))
    ]
    nights = Nights(tmp_path)
    for number, given in enumerate((rows, rows[::-1], [rows[1], rows[0], rows[2]])):
        with returns(*given, header=header).running():
            nights.night(NOW + timedelta(days=number), "all_orders")
    assert nights.rows("select count(*) from raw_amazon.all_orders") == [(3,)]
    assert nights.rows("select count(*) from raw_amazon.all_orders__history") == [(0,)]
