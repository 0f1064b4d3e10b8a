"""Orders, money and refunds by the real models, on hand-made rows (`hand_made.py`)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from tests.warehouse import hand_made


def line(key: str, columns: str) -> dict[str, Any]:
    return hand_made.built().one(
        f"select {columns} from marts.fct_order_line where order_line_key = '{key}'"
    )


def refund(key: str, columns: str) -> dict[str, Any]:
    return hand_made.built().one(
        f"select {columns} from marts.fct_refund_line where refund_line_key = '{key}'"
    )


def test_rows_of_one_order_and_sku_are_one_line_without_tax() -> None:
    found = line(
        "amazon:amz_eu:A1:SUM",
        "quantity_ordered, net_amount, tax_amount, discount_amount, country, region, marketplace",
    )
    assert found == {
        "quantity_ordered": 3,
        "net_amount": Decimal("140.00"),  # 119.00 + 59.50 - 10.00 - 19.00 - 9.50
        "tax_amount": Decimal("28.50"),
        "discount_amount": Decimal("10.00"),
        "country": "DE",
        "region": "EU",
        "marketplace": "amazon_de",
    }


def test_dates_are_those_of_the_marketplace() -> None:
    """Shipped at 23:30 UTC of 31 January, which is February in Berlin."""
    found = line(
        "amazon:amz_eu:A1:SUM",
        "shipped_date, cohort_month, horizon_start_date, delivery_date_basis",
    )
    assert found == {
        "shipped_date": date(2026, 2, 1),
        "cohort_month": date(2026, 2, 1),
        "horizon_start_date": date(2026, 2, 2),
        "delivery_date_basis": "marketplace_estimate",
    }


def test_an_older_state_of_an_order_is_gone_and_a_file_makes_no_second_order() -> None:
    rows = hand_made.built().rows(
        "select order_line_key, quantity_ordered from marts.fct_order_line where order_id = 'A2'"
    )
    assert rows == [("amazon:amz:A2:LATER", 3)]


def test_what_was_not_shipped_of_a_cancelled_order_is_cancelled() -> None:
    found = line(
        "amazon:amz:A3:PART", "order_status, quantity_cancelled, quantity_shipped, cancel_reason"
    )
    assert found == {
        "order_status": "cancelled",
        "quantity_cancelled": 2,
        "quantity_shipped": 1,
        "cancel_reason": "unknown",
    }
    assert line("files:shop:1007:CALLEDOFF", "quantity_cancelled, cancel_reason") == {
        "quantity_cancelled": 1,
        "cancel_reason": "out_of_stock",
    }


def test_a_pending_order_has_no_price_rather_than_zero() -> None:
    assert line("amazon:amz:A6:PENDING", "net_amount, order_status, cohort_month") == {
        "net_amount": None,
        "order_status": "open",
        "cohort_month": date(1900, 1, 1),
    }


def test_a_seller_fulfilled_order_ships_by_parcels() -> None:
    found = line(
        "amazon:amz:A8:MERCHANT", "quantity_shipped, shipped_date, fulfilled_by, stock_pool"
    )
    assert found == {
        "quantity_shipped": 2,
        "shipped_date": date(2026, 1, 4),
        "fulfilled_by": "seller",
        "stock_pool": "WH1",
    }


def test_tax_inside_an_amount_is_taken_out() -> None:
    """119.00 with 19.00 inside is 100.00; a refund of 11.90 with 1.90 inside is 10.00."""
    assert line("files:shop:1001:TAXED", "net_amount, tax_amount") == {
        "net_amount": Decimal("100.00"),
        "tax_amount": Decimal("19.00"),
    }
    assert refund("files:shop:Y1:TAXED", "net_amount, tax_amount") == {
        "net_amount": Decimal("10.00"),
        "tax_amount": Decimal("1.90"),
    }


def test_both_views_of_exchange_rates_differ_by_the_gain_or_loss() -> None:
    """100 GBP sold at 1.25 and refunded at 1.30 (metrics 2.3)."""
    assert line("files:shop:1002:POUND", "net_reporting") == {"net_reporting": Decimal("125.00")}
    found = refund(
        "files:shop:Y2:POUND", "net_reporting, net_order_rate_reporting, fx_gain_loss_reporting"
    )
    assert found == {
        "net_reporting": Decimal("130.00"),
        "net_order_rate_reporting": Decimal("125.00"),
        "fx_gain_loss_reporting": Decimal("-5.00"),
    }


def test_a_missing_or_old_rate_gives_no_amount_and_keeps_the_row() -> None:
    assert line("files:shop:1003:NORATE", "net_amount, net_reporting") == {
        "net_amount": Decimal("20.00"),
        "net_reporting": None,
    }
    # the last rate before 1 February is of 5 January
    assert refund("files:shop:Y1:TAXED", "net_reporting") == {"net_reporting": None}


def test_a_rate_holds_for_seven_days() -> None:
    rows = hand_made.built().rows(
        "select rate_date, rate_to_reporting, days_old from marts.dim_fx_rate"
        " where currency = 'EUR' and rate_date between '2026-01-11' and '2026-01-14'"
        " order by rate_date"
    )
    assert rows == [
        (date(2026, 1, 11), Decimal("1.25"), 6),
        (date(2026, 1, 12), Decimal("1.25"), 7),
        (date(2026, 1, 13), None, None),
        (date(2026, 1, 14), None, None),
    ]


def test_a_refund_of_a_settlement_is_split_into_goods_shipping_and_tax() -> None:
    found = refund(
        "amazon:amz:A-A4:BACK",
        "net_amount, shipping_amount, tax_amount, units_refunded, kind, return_line_key",
    )
    assert found == {
        "net_amount": Decimal("23.00"),
        "shipping_amount": Decimal("3.00"),
        "tax_amount": Decimal("2.20"),
        "units_refunded": 1,
        "kind": "full_return",
        "return_line_key": "amazon:amz:LPN-A:1",
    }


def test_refunded_units_follow_the_money_paid_back_so_far() -> None:
    """Three units for 10.00: each refund of 3.33 is one unit. Promotions count against goods."""
    rows = hand_made.built().rows(
        "select refund_id, units_refunded from marts.fct_refund_line"
        " where order_line_key = 'amazon:amz:A7:THIRDS' order by refund_id"
    )
    assert rows == [("A-A7", 1), ("A-A7-2", 1)]
    assert refund("amazon:amz_eu:A-A1:SUM", "net_amount, units_refunded, kind") == {
        "net_amount": Decimal("45.00"),
        "units_refunded": 0,
        "kind": "partial_kept",
    }


def test_the_most_specific_horizon_in_force_on_the_day_of_the_sale_wins() -> None:
    rows = hand_made.built().rows(
        "select order_id, horizon_days from marts.fct_order_line where sku = 'SLOW' order by 1"
    )
    assert rows == [("1004", 90), ("1005", 30), ("1006", 90)]


def test_a_settlement_row_of_no_known_kind_is_kept_and_listed() -> None:
    made = hand_made.built()
    assert made.rows(
        "select amount, line_class, order_key from marts.fct_settlement_line where row_no = 12"
        " and connector = 'amazon'"
    ) == [(Decimal("-39.99"), "unknown", "none")]
    assert made.rows(
        "select rows from intermediate.int_unmapped_code__listed"
        " where field = 'settlement_line' and connector = 'amazon'"
    ) == [(1,)]


def test_what_the_marketplace_owes_for_units_of_unknown_cost_is_not_known() -> None:
    """It damaged one unit of A4."""
    owed = hand_made.built().one(
        "select units_due, due_reporting, gap_reporting"
        " from intermediate.int_reimbursement__due where order_line_key = 'amazon:amz:A4:BACK'"
    )
    assert owed == {"units_due": 1, "due_reporting": None, "gap_reporting": None}
