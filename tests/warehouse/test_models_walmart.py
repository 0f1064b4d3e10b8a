"""Orders, returns, refunds and payments of Walmart by the real models (`walmart_store.py`).

Numbers are those of the acceptance cases in the facts about Walmart, section 10.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from tests.warehouse import hand_made
from tests.warehouse.walmart_store import po

TIMES = (("03-15", "10"), ("03-17", "09"), ("03-18", "09"))
STORE = "account = 'store'"


def order_line(number: int, columns: str) -> tuple[Any, ...]:
    (row,) = hand_made.built().rows(
        f"select {columns} from marts.fct_order_line where {STORE} and order_id = '{po(number)}'"
    )
    return row


def outcomes(number: int) -> dict[str, int]:
    rows = hand_made.built().rows(
        f"select outcome, quantity from marts.fct_unit_outcome where {STORE} and quantity > 0"
        f" and order_line_key = 'walmart:store:{po(number)}:1'"
    )
    return dict(rows)


def return_line(number: int, columns: str) -> tuple[Any, ...]:
    (row,) = hand_made.built().rows(
        f"select {columns} from marts.fct_return_line where {STORE} and return_id = '{number:018d}'"
    )
    return row


def refunds(number: int, columns: str) -> list[tuple[Any, ...]]:
    return hand_made.built().rows(
        f"select {columns} from marts.fct_refund_line where {STORE}"
        f" and order_line_key = 'walmart:store:{po(number)}:1' order by refunded_at"
    )


def money(*amounts: str) -> tuple[Decimal, ...]:
    return tuple(map(Decimal, amounts))


def test_a_line_may_be_shipped_in_part_and_cancelled_in_part() -> None:
    columns = "quantity_ordered, quantity_shipped, quantity_cancelled, order_status, cancelled_at"
    assert order_line(2, columns) == (3, 2, 1, "shipped", None)
    columns += ", cancel_reason, net_amount"
    cancelled = (1, 0, 1, "cancelled", hand_made.at("03-14", "10:00"), "price", *money("0"))
    assert order_line(3, columns) == cancelled


def test_units_that_were_refunded_were_shipped() -> None:
    columns = "quantity_shipped, order_status, delivered_at"
    assert order_line(12, columns) == (2, "shipped", None)


def test_case_09_who_ships() -> None:
    columns = "fulfilled_by, fulfilment_centre_id, marketplace, country"
    assert order_line(9, columns) == ("marketplace", "DFW2", "walmart_us", "US")
    assert order_line(1, columns) == ("seller", "unknown", "walmart_us", "US")


def test_case_10_days_are_those_of_the_marketplace_over_both_changes_of_the_clock() -> None:
    """The nights of 8 March 2026 and, because data end in March, 2 November 2025."""
    days = [order_line(number, "ordered_date")[0] for number in (10, 11, 14, 15)]
    assert days == [date(2026, 3, 7), date(2026, 3, 8), date(2025, 11, 1), date(2025, 11, 2)]
    assert order_line(10, "ordered_at") == (hand_made.at("03-08", "07:59") + timedelta(seconds=59),)


def test_case_11_quantities_are_text_and_tax_may_be_absent() -> None:
    columns = "quantity_ordered, net_amount, tax_amount, discount_amount, shipping_amount"
    assert order_line(7, columns) == (2, *money("37", "0", "3", "5"))
    assert order_line(1, columns) == (1, *money("20", "1.6", "0", "0"))


def test_case_12_refunds_without_a_return_are_positive_and_counted_once() -> None:
    """Purchase order 28 by the order itself; 29 by the payment report, which came after it."""
    columns = "refund_id, net_amount, tax_amount, shipping_amount, kind, units_refunded"
    assert refunds(28, columns) == [
        (f"order-{po(28)}", *money("5", "0.4", "0"), "goodwill", 0),
    ]
    assert refunds(29, columns) == [
        (f"2026-03-17-{po(29)}-20260315", *money("24", "1.6", "4"), "returnless", 1),
    ]


def test_case_13_an_unknown_reason_is_unmapped_and_listed() -> None:
    assert return_line(26, "reason_raw, reason_claimed") == ("BROUGHT_BAD_LUCK", "unknown.unmapped")
    listed = hand_made.built().rows(
        "select raw_code from meta.unmapped_code where connector = 'walmart'"
    )
    assert ("BROUGHT_BAD_LUCK",) in listed
    assert return_line(27, "reason_claimed") == ("fit.fit_unspecified",)  # with its slash


def test_a_return_that_came_back_and_was_paid_for() -> None:
    columns = "requested_at, received_at, refunded_at, resolution, status"
    asked, came, paid = (hand_made.at(day, f"{hour}:00") for day, hour in TIMES)
    assert return_line(21, columns) == (asked, came, paid, "refund", "refunded")
    columns = "refund_id, net_amount, tax_amount, units_refunded, kind"
    assert refunds(21, columns) == [(f"{21:018d}", *money("20", "1.6"), 1, "full_return")]
    assert outcomes(21) == {"returned_refunded": 1}


def test_case_15_a_cancelled_return_is_not_counted() -> None:
    assert return_line(23, "status, resolution") == ("cancelled", "none")
    assert return_line(22, "status, resolution") == ("in_transit", "open")
    assert outcomes(23) == {"kept": 1}
    assert outcomes(22) == {"return_in_progress": 1}


def test_what_the_buyer_may_keep_is_a_refund_without_a_return() -> None:
    assert return_line(24, "received_at, resolution") == (None, "refund")
    assert outcomes(24) == {"refunded_no_return": 1}
    assert refunds(24, "kind, is_returnless") == [("returnless", True)]


def test_a_parcel_that_comes_back_is_known_from_the_day_of_the_request() -> None:
    rows = hand_made.built().rows(
        "select parcel_key, order_key, direction, origin from marts.fct_parcel"
        f" where {STORE} and tracking_number in ('R-21', 'R-24')"  # what is kept sends no parcel
    )
    order_key = f"walmart:store:{po(21)}"
    assert rows == [("fedex:R-21:2026-03-15", order_key, "return", "US")]


def test_case_16_replacements_are_no_sales_and_their_returns_are_kept() -> None:
    columns = "is_replacement, replaces_order_key"
    assert order_line(6, columns) == (True, f"walmart:store:{po(5)}")  # of the two, the same SKU
    assert order_line(13, columns) == (True, "unknown")
    sold = hand_made.built().rows(
        f"select sum(units_shipped) from marts.mart_return_base where {STORE} and sku = 'W-5-1'"
    )
    assert sold == [(1,)]
    assert outcomes(25) == {"replaced": 1}
    assert outcomes(31) == {"return_in_progress": 1}
    assert return_line(31, "resolution, status") == ("open", "received")


def test_case_17_a_split_order_stays_two_purchase_orders() -> None:
    columns = "order_key, order_number"
    assert order_line(4, columns) == (f"walmart:store:{po(4)}", "C-SPLIT")
    assert order_line(5, columns) == (f"walmart:store:{po(5)}", "C-SPLIT")


def test_case_18_a_sku_keeps_its_spaces_slashes_and_zeros() -> None:
    assert order_line(8, "sku, order_status, quantity_shipped") == ("0 A/B 01", "open", 0)


def test_three_asked_for_and_one_paid_back() -> None:
    """Money does not tell units: one unit's stands where three would."""
    columns = "net_amount, tax_amount, units_refunded"
    assert refunds(30, columns) == [(*money("18", "1.6"), 1)]
    assert return_line(30, "quantity") == (3,)


def test_a_payment_report_adds_up_to_what_was_paid() -> None:
    made = hand_made.built()
    settled = f"from marts.fct_settlement_line where {STORE}"
    assert made.rows(f"select sum(amount), min(currency), count(*) {settled}") == [
        (*money("-9.15"), "USD", 12)
    ]
    classes = made.rows(
        f"select line_class, sum(amount) {settled} and amount <> 0 group by 1 order by 1"
    )
    assert dict(classes) == {
        "fee": Decimal("-6.65"),
        "fee_credit": Decimal("2.5"),
        "other": Decimal("-8"),
        "refund": Decimal("-24"),
        "reimbursement": Decimal("7"),
        "sale": Decimal("20"),
        "tax": Decimal("0"),
    }
    of_order = f"{settled} and order_line_key = 'walmart:store:{po(29)}:1'"
    assert made.rows(f"select count(*), sum(amount) {of_order}") == [(6, *money("-25.15"))]
    total = f"select total_amount from staging.stg_walmart__settlements where {STORE}"
    assert made.rows(total) == [money("-9.15")]
