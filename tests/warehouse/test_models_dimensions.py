"""Dimensions and what `meta` says of the data, by the real models on hand-made rows."""

from __future__ import annotations

import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.warehouse import hand_made


def rows(sql: str) -> list[tuple[Any, ...]]:
    return hand_made.built().rows(sql)


@pytest.mark.parametrize(
    ("table", "key", "members"),
    [
        ("dim_account", "account", {"unknown", "none", "all"}),
        ("dim_marketplace", "marketplace", {"unknown", "none", "all"}),
        ("dim_country", "country", {"ZZ", "none", "all"}),
        ("dim_category", "category", {"unknown", "none", "all"}),
        ("dim_product", "product_id", {"unknown", "none", "all"}),
        ("dim_sku", "sku", {"unknown", "none", "all"}),
        ("dim_sku_history", "sku", {"unknown", "none", "all"}),
        ("dim_listing", "listing_id", {"unknown", "none", "all"}),
        ("dim_supplier", "supplier_id", {"unknown", "none", "all"}),
        ("dim_lot", "lot_key", {"unknown|unattributed", "none", "all"}),
        ("dim_carrier", "carrier_key", {"unknown", "none", "all"}),
        ("dim_reason", "reason_l2", {"unknown", "none", "all"}),
        ("dim_customer", "customer_key", {"unknown", "none", "all"}),
        ("dim_team", "team", {"unknown", "none", "all"}),
        ("dim_fx_rate", "currency", {"unknown", "none", "all"}),
    ],
)
def test_every_dimension_has_the_members_that_stand_for_null(
    table: str, key: str, members: set[str]
) -> None:
    assert {row[0] for row in rows(f"select {key} from marts.{table}")} >= members


def test_an_account_of_the_settings_and_a_channel_of_a_file_are_accounts() -> None:
    found = rows(
        "select account, connector, account_kind, marketplaces_count, is_active"
        " from marts.dim_account where account in ('amz', 'shop') order by account"
    )
    assert found == [
        ("amz", "amazon", "marketplace", 1, True),
        ("shop", "files", "file_channel", 1, True),
    ]


def test_a_marketplace_has_its_calendar_and_a_channel_keeps_utc() -> None:
    found = rows(
        "select marketplace, time_zone, currency from marts.dim_marketplace"
        " where marketplace in ('amazon_de', 'shop') order by marketplace"
    )
    assert [row[:2] for row in found] == [("amazon_de", "Europe/Berlin"), ("shop", "UTC")]
    assert found[0][2] == "EUR"


def test_every_sku_of_a_fact_has_its_row_described_or_not() -> None:
    found = rows(
        "select sku, product_id, category, is_active from marts.dim_sku"
        " where sku in ('TEN', 'POUND') order by sku"
    )
    assert found == [("POUND", "unknown", "unknown", False), ("TEN", "TENS", "toys", True)]


def test_every_sku_has_a_lot_for_units_of_no_known_lot() -> None:
    missing = rows(
        "select s.sku from marts.dim_sku as s left join marts.dim_lot as l"
        " on l.sku = s.sku and l.lot_id = 'unattributed'"
        " where l.lot_key is null and s.sku not in ('none', 'all')"
    )
    assert missing == []


def test_a_lot_costs_what_it_cost_at_its_rate_and_nothing_where_nobody_said() -> None:
    found = rows(
        "select lot_id, supplier_id, unit_landed_cost, quantity_received, production_date_basis"
        " from marts.dim_lot where sku = 'SHEET' and lot_id <> 'unattributed' order by lot_id"
    )
    assert found == [
        ("L1", "SUP", Decimal("4.0000"), 10, "receipt"),
        ("L2", "SUP", Decimal("5.0000"), 6, "receipt"),
        ("L3", "SUP", None, 5, "receipt"),
    ]


def test_the_calendar_holds_every_month_of_the_data_and_the_day_that_stands_for_unknown() -> None:
    months = rows(
        "select count(*) from marts.fct_order_line as o"
        " left join marts.dim_date as d on o.cohort_month = d.date where d.date is null"
    )
    assert months == [(0,)]
    found = rows(
        "select date, month_start, iso_week, day_of_week, is_peak, return_window_end"
        " from marts.dim_date where date in ('1900-01-01', '2026-02-17', '2025-12-29')"
        " order by date"
    )
    assert found == [
        (date(1900, 1, 1), date(1900, 1, 1), 1, 1, False, None),
        (date(2025, 12, 29), date(2025, 12, 1), 1, 1, False, date(2026, 1, 31)),
        (date(2026, 2, 17), date(2026, 2, 1), 8, 2, True, None),
    ]


def test_a_code_without_a_meaning_is_listed_and_kept() -> None:
    found = rows(
        "select connector, field, rows, mapped_to from meta.unmapped_code"
        " where raw_code = 'XYZ_NEW'"
    )
    assert found == [("amazon", "reason", 1, "unknown.unmapped")]


def test_what_the_models_hold_back_is_in_quarantine_with_what_to_do() -> None:
    found = rows(
        "select account, quarantine_reason, sum(rows), bool_and(what_to_do <> 'none')"
        " from meta.quarantine group by all order by all"
    )
    assert ("amz", "returned_more_than_shipped", 1, True) in found
    assert ("shop", "ambiguous_order", 1, True) in found


def test_rows_of_files_that_are_doubted_are_loaded_and_named() -> None:
    found = rows(
        "select stream, quarantine_reason, rows, example_ref from meta.quarantine"
        " where is_loaded and account = 'inbox' order by all"
    )
    assert ("goods_receipts", "lot_missing", 3, "ONELOT|ONLY") in found
    assert ("goods_receipts", "received_more_than_produced", 1, "SHEET|L2") in found
    assert ("purchase_batches", "sku_unknown", 5, "EXPIRES") in found
    assert rows("select quantity_received from marts.dim_lot where lot_key = 'ONELOT|ONLY'") == [
        (5,)
    ]
    held_back = "from meta.data_quality where account = 'inbox' and rows_quarantined > 0"
    assert rows(f"select * {held_back}") == []


def test_faults_that_only_facts_can_tell_are_counted_per_account() -> None:
    ((missing, unlinked, score),) = rows(
        "select missing_rates, unlinked_rows, completeness_score from meta.data_quality"
        " where account = 'shop' and stream = 'all'"
    )
    lines = "from marts.fct_order_line where account = 'shop' and net_reporting is null"
    refunds = "from marts.fct_refund_line where account = 'shop' and net_reporting is null"
    ((counted,),) = rows(f"select (select count(*) {lines}) + (select count(*) {refunds})")
    assert missing == counted > 0
    assert unlinked == 0
    assert 0 < score < 1


def test_a_broken_promise_names_table_rule_and_rows(tmp_path: Path) -> None:
    shutil.copytree(hand_made.built().warehouse.path.parent, tmp_path / "broken")
    broken = hand_made.HandMade(tmp_path / "broken")
    assert broken.dbt.check("dimensions_keep_their_contract").checks_passed == 1
    with broken.warehouse.connect() as connection:
        for change in (
            "insert into marts.dim_team select * from marts.dim_team where team = 'all'",
            "delete from marts.dim_carrier where carrier_key = 'none'",
            "update marts.dim_sku set category = 'nowhere' where sku = 'all'",
            "update marts.dim_account set account_kind = 'shed' where account = 'all'",
        ):
            connection.execute(change)
    (found,) = broken.dbt.check("dimensions_keep_their_contract").blocking
    assert found.name == "dimensions_keep_their_contract"
    assert "dim_account words account_kind (1)" in found.message
    assert "dim_team key team (1)" in found.message
    assert "dim_carrier members of carrier_key" in found.message
    assert "dim_sku category -> dim_category.category (1)" in found.message
