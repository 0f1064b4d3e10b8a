"""Orders, refunds, returns and disputes of Shopify by the real models (`shopify_shop.py`).

Numbers are those of the test cases in the facts about Shopify, section 7.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from tests.warehouse import hand_made

SHOP = "connector = 'shopify'"


def order_line(line: int, columns: str) -> tuple[Any, ...]:
    (row,) = hand_made.built().rows(
        f"select {columns} from marts.fct_order_line where {SHOP} and line_id = '{line}'"
    )
    return row


def refund_rows(refund: str, columns: str) -> list[tuple[Any, ...]]:
    return hand_made.built().rows(
        f"select {columns} from marts.fct_refund_line where {SHOP} and refund_id = '{refund}'"
        " order by refund_line_key"
    )


def money(*amounts: str) -> tuple[Decimal, ...]:
    return tuple(map(Decimal, amounts))


def test_shipping_is_spread_over_lines_by_value() -> None:
    columns = "net_amount, shipping_amount, quantity_shipped, delivered_date"
    assert order_line(1001, columns) == (*money("40", "4"), 2, date(2026, 3, 14))
    assert order_line(1002, columns) == (*money("10", "1"), 1, date(2026, 3, 14))


def test_cents_that_are_left_go_to_the_largest_remainder() -> None:
    """The examples of the metrics sheet, 2.4."""
    for order, shares in (("118", ("2.50", "1.67", "0.83")), ("119", ("3.34", "3.33", "3.33"))):
        rows = hand_made.built().rows(
            f"select shipping_amount from marts.fct_order_line where {SHOP}"
            f" and order_id = '{order}' order by line_id"
        )
        assert [row[0] for row in rows] == list(money(*shares))


def test_prices_that_include_tax_are_split() -> None:
    assert order_line(1071, "net_amount, tax_amount") == money("100", "19")
    assert refund_rows("507", "net_amount, tax_amount, units_refunded, kind") == [
        (*money("10", "1.9"), 0, "partial_kept")
    ]


def test_refunded_money_is_what_was_paid() -> None:
    columns = "net_amount, shipping_amount, units_refunded, kind"
    assert refund_rows("500", columns) == [
        (*money("23.33", "3.33"), 1, "returnless"),
        (*money("11.67", "1.67"), 1, "returnless"),
    ]
    assert refund_rows("511", columns) == []  # its payment waits


def test_case_11_refunds_without_money_or_without_lines() -> None:
    columns = "order_line_key, net_amount, units_refunded"
    assert refund_rows("501", columns) == [("shopify:brand:101:1011", *money("0"), 0)]
    assert refund_rows("502", columns) == [
        ("shopify:brand:102:1021", *money("0.67"), 0),
        ("shopify:brand:102:1022", *money("0.33"), 0),
    ]


def test_case_12_a_name_given_twice_and_a_line_removed_by_edit() -> None:
    rows = hand_made.built().rows(
        f"select distinct order_id from marts.fct_order_line where {SHOP} and order_number = '#102'"
        " order by 1"
    )
    assert rows == [("102",), ("103",)]
    columns = "quantity_ordered, quantity_cancelled, quantity_shipped"
    assert order_line(1031, columns) == (1, 1, 0)
    assert order_line(1032, columns) == (1, 0, 1)


def test_case_18_test_orders_and_gift_cards_stay_in_raw() -> None:
    made = hand_made.built()
    kept = made.rows(
        "select order_id, shipping_amount from marts.fct_order_line"
        f" where {SHOP} and order_id in ('104', '105')"
    )
    assert kept == [("105", Decimal(4))]
    assert made.rows("select count(*) from raw_shopify.orders where test") == [(1,)]
    assert refund_rows("504", "refund_id") == []


def test_units_cancelled_before_shipping_are_no_return() -> None:
    columns = "quantity_ordered, quantity_cancelled, quantity_shipped"
    assert order_line(1061, columns) == (2, 1, 1)
    assert refund_rows("506", "kind, units_refunded, net_amount, return_line_key") == [
        ("cancellation", 0, Decimal(20), "none")
    ]
    assert order_line(1161, "order_status, quantity_cancelled, cancel_reason") == (
        "cancelled", 1, "out_of_stock",
    )  # fmt: skip


def test_a_line_without_sku_product_or_address_is_kept() -> None:
    assert order_line(1151, "sku, listing_id, country, customer_key") == (
        "unknown", "unknown", "ZZ", "unknown",
    )  # fmt: skip


def test_dates_are_those_of_the_shop() -> None:
    (row,) = hand_made.built().rows(
        "select marketplace_kind, currency, time_zone from marts.dim_marketplace"
        " where marketplace = 'shopify_brand'"
    )
    assert row == ("own_shop", "USD", "America/New_York")


def test_unit_cost_of_the_shop_serves_where_no_list_has_one() -> None:
    assert order_line(1141, "unit_landed_cost_reporting") == money("7.5")


def test_a_return_is_received_when_its_goods_are_judged() -> None:
    columns = "status, resolution, received_at, graded_at, disposition, reason_raw, reason_claimed"
    (row,) = hand_made.built().rows(
        f"select {columns} from marts.fct_return_line where return_line_key = 'shopify:brand:112:1'"
    )
    judged = (
        datetime.fromisoformat("2026-03-18T12:00:00"),
        datetime.fromisoformat("2026-03-19T12:00:00"),
        "sellable",
    )
    assert row == ("refunded", "refund", *judged, "waist-too-small", "fit.too_small")
    assert refund_rows("512", "kind, units_refunded, return_line_key") == [
        ("full_return", 1, "shopify:brand:112:1")
    ]


def test_fees_of_a_return_are_charges_to_the_buyer() -> None:
    rows = hand_made.built().rows(
        "select return_id, line, charge_kind, payer, amount, currency"
        " from staging.stg_shopify__return_charges order by charge_kind"
    )
    assert rows == [
        ("112", "1", "restocking", "buyer", Decimal("2.5"), "USD"),
        ("112", "1", "return_shipping", "buyer", Decimal(4), "USD"),
    ]


def test_declined_and_unverified_returns() -> None:
    rows = hand_made.built().rows(
        "select return_id, order_line_key, order_key, status, resolution, reason_claimed"
        f" from marts.fct_return_line where {SHOP} and return_id in ('113', '117') order by 1"
    )
    assert rows == [
        ("113", "shopify:brand:113:1131", "shopify:brand:113", "denied", "none",
         "product_defect.functional"),
        ("117", "unknown", "shopify:brand:117", "requested", "open", "unknown.unmapped"),
    ]  # fmt: skip


def test_an_exchange_within_an_order_is_one() -> None:
    made = hand_made.built()
    assert order_line(1082, "is_exchange, replaces_order_key, net_amount, shipping_amount") == (
        True, "shopify:brand:108", *money("5", "0"),
    )  # fmt: skip
    exchanges = made.rows(
        "select exchange_key, order_line_key, return_line_key, exchange_kind, exchange_status,"
        " quantity, price_difference_amount, approved_at, replacement_shipped_at"
        " from marts.fct_exchange where account = 'brand'"
    )
    assert exchanges == [
        (
            "shopify:brand:108:1082", "shopify:brand:108:1081", "shopify:brand:108:4", "exchange",
            "shipped", 1, Decimal(5), datetime.fromisoformat("2026-03-16T09:00:00"),
            datetime.fromisoformat("2026-03-17T09:00:00"),
        )
    ]  # fmt: skip
    counted = made.rows(
        "select sku, units_shipped, units_exchanged, units_returned"
        " from marts.mart_return_rate_by_sku where sku in ('S-1081', 'S-1082')"
    )
    assert counted == [("S-1081", 1, 1, 0)]
    assert refund_rows("508", "kind, units_refunded, net_amount") == [
        ("exchange_difference", 0, Decimal(0))
    ]


def test_a_lost_chargeback_is_a_refund_and_counts_once() -> None:
    columns = "order_line_key, kind, net_amount, units_refunded, is_duplicate_of_chargeback"
    assert refund_rows("dispute-1", columns) == [
        ("shopify:brand:109:1091", "chargeback", Decimal(20), 1, False),
        ("shopify:brand:109:1092", "chargeback", Decimal(10), 1, False),
    ]
    ((_key, _kind, _amount, units, is_duplicate),) = refund_rows("509", columns)
    assert (units, is_duplicate) == (0, True)
    assert refund_rows("dispute-2", columns) == refund_rows("dispute-3", columns) == []
