"""Orders, refunds, returns, money and disputes of eBay by the real models (`ebay_shop.py`).

Numbers are those of the acceptance cases in the facts about eBay, section 7.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from tests.warehouse import hand_made

EBAY = "connector = 'ebay'"


def order_line(line: int, columns: str) -> tuple[Any, ...]:
    (row,) = hand_made.built().rows(
        f"select {columns} from marts.fct_order_line where {EBAY} and line_id = '{line}'"
    )
    return row


def march(day: int, hour: int) -> datetime:
    return datetime.fromisoformat(f"2026-03-{day:02d}T{hour:02d}:00:00")


def money(*amounts: str) -> tuple[Decimal, ...]:
    return tuple(map(Decimal, amounts))


def test_lines_have_their_price_discount_and_shipping() -> None:
    columns = "net_amount, discount_amount, shipping_amount, quantity_shipped, marketplace"
    assert order_line(2001, columns) == (*money("40", "0", "3"), 2, "ebay_us")
    assert order_line(2071, columns) == (*money("15", "5", "0"), 1, "ebay_us")
    assert order_line(2061, "marketplace") == ("ebay_us",)  # the site for vehicles


def test_tax_inside_prices_is_split_and_ebays_own_stays_out() -> None:
    columns = "net_amount, tax_amount, currency, country, marketplace"
    assert order_line(2011, columns) == (*money("100", "19"), "EUR", "DE", "ebay_de")
    assert order_line(2021, "net_amount, tax_amount") == money("20", "0")


def test_money_is_in_the_currency_of_the_sellers_account() -> None:
    assert order_line(2051, "net_amount, currency, marketplace") == (
        Decimal(25), "USD", "ebay_gb",
    )  # fmt: skip


def test_case_17_skus_that_are_missing_spaced_or_on_two_listings() -> None:
    assert order_line(2031, "sku, listing_id") == ("item-11002031-77", "11002031")
    assert order_line(2032, "sku, listing_id") == ("two words", "11002032")
    assert order_line(2033, "sku, listing_id") == ("two words", "11002033")


def test_a_line_sent_without_a_shipment_is_sent_at_the_last_change() -> None:
    assert order_line(2032, "quantity_shipped, shipped_at") == (1, march(12, 12))
    assert order_line(2031, "quantity_shipped, shipped_at") == (1, march(12, 9))


def test_a_cancelled_order_has_its_reason_and_time() -> None:
    columns = "order_status, quantity_cancelled, quantity_shipped, cancel_reason, cancelled_at"
    assert order_line(2041, columns) == (
        "cancelled", 1, 0, "out_of_stock", march(13, 12),
    )  # fmt: skip


def test_the_estimate_is_the_promise() -> None:
    columns = "promised_date, delivered_date, delivery_date_basis"
    assert order_line(2001, columns) == (date(2026, 3, 18), None, "marketplace_estimate")
