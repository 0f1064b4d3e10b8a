"""Landed files reach the raw tables exactly once, newest state first, nothing lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

import duckdb
import pytest

from assets import load

ORDERS = "order_id, updated_at, quantity, price.amount"


at = datetime.fromisoformat


def order(number: int, updated: str, quantity: int = 1) -> dict[str, Any]:
    return {
        "order_id": f"A{number}",
        "updated_at": updated,
        "quantity": quantity,
        "price": {"amount": "10.50", "currency": "EUR"},
        "tags": ["x"],
    }


def test_a_night_loads_rows_cursor_and_file_record_together(pretend: Any) -> None:
    pretend.shop.orders = [order(n, f"2026-01-0{n}T10:00:00Z") for n in (1, 2, 3)]
    results = pretend.night("2026-01-04")
    assert {r.stream: r.rows_loaded for r in results} == {"orders": 3, "parcels": 0, "reasons": 0}
    assert pretend.table("orders", ORDERS)[0] == ("A1", "2026-01-01T10:00:00Z", 1, "10.50")
    cursors = pretend.rows("select stream, cursor_at from load.cursor order by stream")
    assert cursors == [
        ("orders", at("2026-01-04")),
        ("parcels", at("2026-01-04")),
    ]
    files = pretend.rows("select sum(rows_in), sum(rows_loaded), count(*) from load.file")
    assert files[0][:2] == (3, 3)


def test_loading_twice_changes_nothing(pretend: Any) -> None:
    pretend.shop.orders = [order(1, "2026-01-01T10:00:00Z")]
    pretend.night("2026-01-04")
    before = pretend.table("orders", "*")
    assert pretend.load() == []
    pretend.night("2026-01-05")
    assert pretend.table("orders", "*") == before
    assert pretend.rows("select count(*) from raw_pretend.orders__history") == [(0,)]


def test_the_greatest_version_wins_whatever_the_reading_order(pretend: Any) -> None:
    pretend.shop.orders = [
        order(1, "2026-01-02T12:00:00+02:00", 2),
        order(1, "2026-01-02T09:30:00Z", 1),
        order(1, "2026-01-02T10:00:00.250Z", 3),
    ]
    pretend.night("2026-01-04")
    assert pretend.table("orders", "quantity") == [(3,)]
    kept = pretend.rows("select quantity from raw_pretend.orders__history order by all")
    assert kept == [(1,), (2,)]


def test_a_changed_row_keeps_its_first_sight_and_leaves_a_history(pretend: Any) -> None:
    pretend.shop.orders = [order(1, "2026-01-02T10:00:00Z", 1)]
    pretend.night("2026-01-03")
    pretend.shop.orders = [order(1, "2026-01-03T10:00:00Z", 5)]
    pretend.night("2026-01-04")
    assert pretend.table("orders", "quantity, _first_seen_at, _changed_at") == [
        (5, at("2026-01-03"), at("2026-01-04"))
    ]
    assert pretend.rows(
        "select quantity, _valid_from, _valid_to, _ended_by from raw_pretend.orders__history"
    ) == [(1, at("2026-01-03"), at("2026-01-04"), "replaced")]


def test_rows_that_a_complete_window_no_longer_brings_are_deleted(pretend: Any) -> None:
    pretend.shop.parcels = [
        {"parcel_id": "P1", "returned_on": "2026-01-02T00:00:00Z"},
        {"parcel_id": "P2", "returned_on": "2026-01-20"},
        {"parcel_id": "P3", "returned_on": "2026-01-21"},
    ]
    pretend.night("2026-01-25")
    pretend.shop.parcels = [{"parcel_id": "P3", "returned_on": "2026-01-21"}]
    results = pretend.night("2026-01-28")
    assert [r.rows_deleted for r in results if r.stream == "parcels"] == [1]
    # P1 is older than what was read again: it stays; P2 lies inside: it is gone.
    assert pretend.table("parcels", "parcel_id") == [("P1",), ("P3",)]
    assert pretend.rows("select parcel_id, _ended_by from raw_pretend.parcels__history") == [
        ("P2", "deleted")
    ]


def test_a_static_stream_is_replaced_as_a_whole(pretend: Any) -> None:
    pretend.shop.reasons = [{"code": "A"}, {"code": "B"}]
    pretend.night("2026-01-04")
    pretend.shop.reasons = [{"code": "B"}, {"code": "C"}]
    pretend.night("2026-01-05")
    assert pretend.table("reasons", "code, _account") == [("B", "all"), ("C", "all")]


def test_late_rows_are_counted_by_days_late(pretend: Any) -> None:
    pretend.shop.orders = [order(1, "2026-01-02T10:00:00Z"), order(2, "2026-01-02T10:00:00Z")]
    pretend.night("2026-01-05")
    assert pretend.rows("select event_date, days_late, rows from load.late_arrival") == [
        (date(2026, 1, 2), 3, 2)
    ]


def test_what_extraction_refused_and_did_not_know_is_recorded(pretend: Any) -> None:
    pretend.shop.orders = [
        order(1, "2026-01-02T10:00:00Z") | {"gift_wrap": True},
        {"updated_at": "2026-01-02T10:00:00Z"},
    ]
    pretend.night("2026-01-04")
    assert pretend.rows("select stream, rows from load.quarantine") == [("orders", 1)]
    assert pretend.rows("select stream, field, drift_kind from load.drift") == [
        ("orders", "gift_wrap", "added")
    ]
    counted = pretend.rows(
        "select sum(rows_in), sum(rows_loaded + rows_duplicate + rows_refused) from load.file"
    )
    assert counted == [(2, 2)]


def test_a_damaged_file_is_refused_and_its_window_read_again(pretend: Any) -> None:
    pretend.shop.orders = [order(n, f"2026-01-0{n}T10:00:00Z") for n in (1, 2, 3)]
    pretend.extract("2026-01-04")
    damaged = min((pretend.landing / "pretend/shop_a/orders").glob("*.ndjson.zst"))
    damaged.write_bytes(damaged.read_bytes()[:-3])
    results = pretend.load()
    assert "damaged" in next(r.error for r in results if r.stream == "orders")
    assert pretend.table("orders", "order_id") == []
    assert pretend.rows("select cursor_at from load.cursor where stream = 'orders'") == []
    reasons = pretend.rows("select quarantine_reason from load.quarantine")
    assert reasons == [("landed_file_corrupt",)]
    pretend.night("2026-01-05")
    assert len(pretend.table("orders", "order_id")) == 3


def test_a_cursor_never_passes_a_damaged_window(pretend: Any) -> None:
    pretend.shop.orders = [order(n, f"2026-01-{n:02}T10:00:00Z") for n in range(1, 13)]
    pretend.extract("2026-01-14")  # windows of five days
    second = sorted((pretend.landing / "pretend/shop_a/orders").glob("*.ndjson.zst"))[1]
    second.write_bytes(b"")
    pretend.load()
    (cursor,) = pretend.rows("select cursor_at from load.cursor where stream = 'orders'")
    assert cursor[0].date() == date(2026, 1, 6)
    pretend.night("2026-01-14")
    assert len(pretend.table("orders", "order_id")) == 12


def test_one_unreadable_stream_leaves_the_others_alone(pretend: Any) -> None:
    pretend.shop.orders = [order(1, "2026-01-02T10:00:00Z")]
    pretend.shop.parcels = [{"parcel_id": "P1", "returned_on": "2026-01-02"}]
    pretend.extract("2026-01-04")
    with pretend.warehouse.connect() as connection:
        connection.execute("alter table raw_pretend.orders drop column quantity")
    results = {r.stream: r for r in pretend.load()}
    assert "former rows stay" in (results["orders"].error or "")
    assert results["parcels"].rows_loaded == 1
    recorded = pretend.rows("select distinct stream from load.file")
    assert ("orders",) not in recorded


def test_manifests_later_than_the_clock_are_left_for_later(pretend: Any) -> None:
    pretend.shop.orders = [order(1, "2026-01-02T10:00:00Z"), order(2, "2026-01-06T10:00:00Z")]
    pretend.extract("2026-01-04")
    pretend.extract("2026-01-08")
    manifests = [json.loads(p.read_text()) for p in pretend.landing.rglob("[0-9]*.json")]
    known_by = datetime.fromisoformat("2026-01-05T00:00:00+00:00")
    assert any(datetime.fromisoformat(m["as_of"]) > known_by for m in manifests)
    pretend.load(known_by=known_by)
    assert pretend.table("orders", "order_id") == [("A1",)]
    pretend.load()
    assert pretend.table("orders", "order_id") == [("A1",), ("A2",)]


@pytest.mark.parametrize(
    "nights",
    [
        ["2026-01-13"],
        [f"2026-01-{day:02}" for day in range(2, 14)],
        ["2026-01-05", "2026-01-05", "2026-01-09", "2026-01-13", "2026-01-13"],
    ],
)
def test_split_and_repeated_nights_equal_one_long_night(
    make_pretend: Callable[[str], Any], nights: list[str]
) -> None:
    """An API gives only the newest state; each split sees other intermediate ones."""

    def state_of(until: str) -> list[dict[str, Any]]:
        return [
            order(n, f"2026-01-{change:02}T06:00:00Z", change)
            for n in range(1, 9)
            if (change := max((d for d in range(n, 13, 3) if d < int(until[-2:])), default=0))
        ]

    contents = []
    for name, plan in (("long", ["2026-01-13"]), ("split", nights)):
        installation = make_pretend(name)
        for until in plan:
            installation.shop.orders.clear()
            installation.shop.orders.extend(state_of(until))
            installation.night(until)
        contents.append(installation.table("orders", ORDERS))
    assert contents[0] == contents[1]
    assert len(contents[0]) == 8


def test_a_stream_that_needs_more_memory_gets_it(
    pretend: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "MEMORY_STEPS", ("1MB", "400MB"))
    pretend.shop.orders = [order(n, "2026-01-02T10:00:00Z") for n in range(9)]
    results = pretend.night("2026-01-03")
    assert [(r.rows_loaded, r.error) for r in results if r.stream == "orders"] == [(9, None)]


def test_a_stream_is_loaded_where_the_least_memory_is_in_use_already(
    pretend: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DuckDB refuses a limit below what the keys of its tables take."""
    monkeypatch.setattr(load, "MEMORY_STEPS", ("1MB", "400MB"))
    pretend.shop.orders = [order(n, "2026-01-02T10:00:00Z") for n in range(9)]
    with pretend.warehouse.held(), pretend.warehouse.connect() as others:
        others.execute("create table keys (n integer primary key)")
        others.execute("insert into keys select range from range(500_000)")
        with pytest.raises(duckdb.OutOfMemoryException, match="memory limit"):
            others.execute("set memory_limit = '1MB'")
        results = pretend.night("2026-01-03")
    assert [(r.rows_loaded, r.error) for r in results if r.stream == "orders"] == [(9, None)]


def test_a_stream_that_runs_short_while_committing_gets_more_memory_too(
    pretend: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DuckDB then speaks of the transaction, not of memory."""
    real = load.transaction
    short = ["TransactionContext Error: Failed to commit: could not allocate block of size 256 KiB"]

    @contextmanager
    def failing_once(connection: Any) -> Iterator[None]:
        with real(connection):
            yield
            if short:
                raise duckdb.TransactionException(short.pop())

    monkeypatch.setattr(load, "transaction", failing_once)
    pretend.shop.orders = [order(n, "2026-01-02T10:00:00Z") for n in range(9)]
    results = pretend.night("2026-01-03")
    assert [(r.rows_loaded, r.error) for r in results if r.stream == "orders"] == [(9, None)]
