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


def refund_rows(refund: str, columns: str) -> list[tuple[Any, ...]]:
    return hand_made.built().rows(
        f"select {columns} from marts.fct_refund_line where {EBAY} and refund_id = '{refund}'"
        " order by refund_line_key"
    )


def return_row(number: int, columns: str) -> tuple[Any, ...]:
    (row,) = hand_made.built().rows(
        f"select {columns} from marts.fct_return_line where {EBAY} and return_id = '{number}'"
    )
    return row


def test_case_11_a_refund_is_what_the_buyer_got_and_counts_once() -> None:
    columns = "net_amount, units_refunded, kind, amount_source"
    assert refund_rows("910", columns) == [(Decimal(20), 1, "returnless", "marketplace")]
    assert order_line(2101, "quantity_shipped") == (1,)


def test_case_11_where_no_line_tells_it_the_orders_figure_is_spread_and_marked() -> None:
    columns = "line_id, net_amount, amount_source"
    rows = hand_made.built().rows(
        f"select {columns} from staging.stg_ebay__refund_lines where refund_id = '913' order by 1"
    )
    assert rows == [("2121", Decimal(17), "unknown"), ("2122", Decimal("8.5"), "unknown")]


def test_case_12_a_pending_refund_is_none_yet() -> None:
    assert refund_rows("914", "refund_id") == []


def test_case_13_partial_refunds_of_two_lines_on_one_day() -> None:
    columns = "order_line_key, net_amount, units_refunded, kind"
    assert refund_rows("911", columns) == [("ebay:brand:211:2111", Decimal(3), 0, "partial_kept")]
    assert refund_rows("912", columns) == [("ebay:brand:211:2112", Decimal(2), 0, "partial_kept")]


def test_what_passes_the_price_of_goods_is_their_shipping() -> None:
    assert refund_rows("915", "net_amount, shipping_amount") == [money("25", "5")]


def test_tax_inside_a_refund_is_split_as_in_the_price() -> None:
    assert refund_rows("916", "net_amount, tax_amount, currency") == [(*money("10", "1.9"), "EUR")]


def test_a_cancelled_order_is_refunded_as_a_cancellation() -> None:
    assert refund_rows("904", "kind, units_refunded, net_amount") == [
        ("cancellation", 0, Decimal(20))
    ]


def test_case_19_a_return_before_its_order_is_kept() -> None:
    assert return_row(7022, "order_line_key, order_key, quantity") == ("unknown", "unknown", 1)


def test_case_20_return_case_and_refund_are_one_incident() -> None:
    columns = "order_line_key, status, resolution, received_at, reason_claimed"
    assert return_row(7020, columns) == (
        "ebay:brand:220:2201", "refunded", "refund", march(16, 8), "product_defect.functional",
    )  # fmt: skip
    assert refund_rows("920", "return_line_key, kind, units_refunded") == [
        ("ebay:brand:7020:1", "full_return", 1)
    ]
    assert order_line(2201, "quantity_shipped") == (1,)


def test_case_20_what_did_not_arrive_is_refunded_once() -> None:
    assert refund_rows("930", "kind, return_line_key") == [("inr", "none")]


def test_case_21_an_unknown_reason_loads_and_is_listed() -> None:
    assert return_row(7022, "reason_raw, reason_claimed") == (
        "RIGHT_OF_WITHDRAWAL_X", "unknown.unmapped",
    )  # fmt: skip
    rows = hand_made.built().rows(
        f"select raw_code from meta.unmapped_code where {EBAY} and raw_code like 'RIGHT%'"
    )
    assert rows == [("RIGHT_OF_WITHDRAWAL_X",)]


def test_a_withdrawn_request_brings_no_goods() -> None:
    assert return_row(7021, "status, received_at") == ("closed", None)


def test_a_return_names_item_and_transaction_not_the_sku() -> None:
    assert return_row(7023, "order_line_key, status") == ("ebay:brand:223:2232", "in_transit")
    assert return_row(7024, "quantity, status") == (2, "authorised")
    assert return_row(7016, "refunded_at") == (march(17, 12),)


def settlement(kind: str, columns: str) -> list[tuple[Any, ...]]:
    return hand_made.built().rows(
        f"select {columns} from marts.fct_settlement_line where {EBAY}"
        f" and transaction_type = '{kind}' order by row_no"
    )


def test_fees_are_rows_of_their_own_and_everything_adds_up_to_the_payout() -> None:
    columns = "amount_description, amount, line_class, sku"
    assert settlement("REFUND", columns) == [
        ("REFUND", Decimal(-20), "refund", "unknown"),
        ("FINAL_VALUE_FEE", Decimal("2.2"), "fee_credit", "E-2101"),
    ]
    summed = hand_made.built().rows(
        "select total_amount, lines_amount, difference_amount"
        f" from intermediate.int_settlement__summed where {EBAY}"
    )
    assert summed == [money("15.1", "15.1", "0")]


def test_case_14_a_hold_and_its_reversal_are_nothing_in_the_end() -> None:
    rows = hand_made.built().rows(
        "select sum(amount), count(*) from marts.fct_settlement_line"
        f" where {EBAY} and line_class = 'reserve'"
    )
    assert rows == [(Decimal(0), 2)]


def test_case_15_a_fee_in_another_currency_is_that_of_the_row() -> None:
    rows = hand_made.built().rows(
        "select amount_type, amount, currency, line_class from marts.fct_settlement_line"
        f" where {EBAY} and settlement_id = 'pending' order by row_no"
    )
    assert rows == [("amount", Decimal(25), "USD", "sale"), ("fee", Decimal(-5), "USD", "fee")]


def test_labels_charges_and_what_is_not_known() -> None:
    columns = "amount_description, amount, line_class, order_key"
    of_220, of_210 = "ebay:brand:220", "ebay:brand:210"
    assert settlement("SHIPPING_LABEL", columns) == [
        ("RETURN_SHIPPING_LABEL", Decimal("-4.5"), "fee", of_220),
        ("SHIPPING_LABEL", Decimal(-6), "fee", of_210),
        ("SHIPPING_LABEL", Decimal(6), "fee_credit", of_210),
    ]
    assert settlement("NON_SALE_CHARGE", columns) == [
        ("AD_FEE", Decimal("-1.1"), "advertising", of_210)
    ]
    assert settlement("TRANSFER", columns) == [("TRANSFER", Decimal(20), "transfer", "none")]
    assert settlement("SOMETHING_NEW", columns) == [
        ("SOMETHING_NEW", Decimal(1), "unknown", "none")
    ]


def test_feedback_finds_its_line_by_item_and_transaction() -> None:
    rows = hand_made.built().rows(
        "select feedback_id, order_line_key, sku, stars_now, sentiment, is_negative"
        " from marts.fct_feedback where feedback_source = 'ebay' order by feedback_id"
    )
    assert rows == [
        ("F1", "ebay:brand:210:2101", "E-2101", 2.0, "negative", True),
        ("F2", "none", "unknown", None, "positive", False),
    ]


def test_parcels_go_out_and_come_back() -> None:
    rows = hand_made.built().rows(
        "select line_id, direction, quantity, carrier_raw, tracking_number, label_amount"
        " from staging.stg_ebay__shipments where order_id = '220' order by direction"
    )
    assert rows == [
        ("2201", "outbound", 1, "UPS", "1Z999", None),
        ("2201", "return", 1, "USPS", "RET7020", Decimal("4.5")),
    ]


def test_case_20_an_inquiry_and_its_case_are_one_incident() -> None:
    rows = hand_made.built().rows(
        "select case_id, order_line_key, topic_l2, reason_l2, case_status, escalated_to,"
        " escalation_result"
        " from marts.fct_case where case_key like 'ebay:%' order by case_id"
    )
    lost = ("where_is_my_order", "logistics.not_received_lost")
    assert rows == [
        ("6030", "ebay:brand:230:2301", *lost, "closed", "marketplace_case", "none"),
        ("6031", "ebay:brand:231:2311", *lost, "open", "marketplace_case", "open"),
        (
            "7020",
            "ebay:brand:220:2201",
            "refund_status",
            "unknown.no_reason",
            "closed",
            "marketplace_case",
            "none",
        ),
    ]


def test_a_lost_dispute_is_a_refund_a_won_one_is_not() -> None:
    rows = hand_made.built().rows(
        "select dispute_id, status, amount from staging.stg_ebay__disputes order by dispute_id"
    )
    assert rows == [
        ("D1", "won", Decimal(20)),
        ("D2", "lost", Decimal(20)),
        ("D3", "open", Decimal(20)),
    ]
    assert refund_rows("dispute-D2", "order_line_key, net_amount, kind") == [
        ("ebay:brand:241:2411", Decimal(20), "chargeback")
    ]
    assert refund_rows("dispute-D1", "kind") == refund_rows("dispute-D3", "kind") == []
