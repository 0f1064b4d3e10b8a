"""Returns, outcomes and return marts by the real models, on hand-made rows (`hand_made.py`)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tests.warehouse import hand_made

TEN = "from marts.mart_return_rate_by_sku where sku = 'TEN'"


def test_ten_units_count_as_in_the_sheet() -> None:
    found = hand_made.built().one(
        "select units_shipped, units_returned, units_returned_after_horizon, units_exchanged,"
        " units_replaced, units_refunded_no_return, units_return_requested, units_request_known,"
        f" returned_net_sales, is_mature, horizon_days, cohort_month, evidence {TEN}"
    )
    assert found == {
        "units_shipped": 10,
        "units_returned": 3,
        "units_returned_after_horizon": 1,
        "units_exchanged": 1,
        "units_replaced": 1,
        "units_refunded_no_return": 1,
        "units_return_requested": 6,
        "units_request_known": 9,
        "returned_net_sales": Decimal("60.00"),
        "is_mature": True,
        "horizon_days": 60,
        "cohort_month": date(2026, 1, 1),
        "evidence": "thin",
    }


def test_rates_of_the_ten_units() -> None:
    found = hand_made.built().one(
        "select unit_return_rate, unit_return_rate_mature, wilson_low, wilson_high,"
        f" return_or_exchange_rate, value_return_rate {TEN}"
    )
    assert found == pytest.approx(
        {
            "unit_return_rate": 0.3,
            "unit_return_rate_mature": 0.3,
            "wilson_low": 0.107791,
            "wilson_high": 0.603222,
            "return_or_exchange_rate": 0.5,
            "value_return_rate": 0.3,
        },
        abs=1e-6,
    )


def test_basis_and_day_of_the_first_evidence() -> None:
    rows = hand_made.built().rows(
        "select order_line_key, return_date_basis, days_after_delivery, is_within_horizon"
        " from marts.fct_return_line where sku = 'TEN' and order_line_key in"
        " ('amazon:amz:T1:TEN', 'amazon:amz:T2:TEN', 'amazon:amz:T3:TEN', 'amazon:amz:T8:TEN')"
        " order by 1"
    )
    assert rows == [
        ("amazon:amz:T1:TEN", "requested", 55, True),
        ("amazon:amz:T2:TEN", "received", 57, True),
        ("amazon:amz:T3:TEN", "requested", 61, False),
        ("amazon:amz:T8:TEN", "refunded", 20, True),
    ]


def test_outcomes_of_the_ten_units() -> None:
    rows = hand_made.built().rows(
        "select outcome, sum(quantity) from marts.fct_unit_outcome where sku = 'TEN'"
        " and order_line_key not like '%X:%' group by outcome order by outcome"
    )
    assert rows == [
        ("exchanged", 1),
        ("kept", 3),
        ("refunded_no_return", 1),
        ("replaced", 1),
        ("return_in_progress", 3),
        ("returned_refunded", 1),
    ]


def test_a_cohort_grows_with_its_age() -> None:
    rows = hand_made.built().rows(
        "select age_days, units_returned_cumulative, units_exchanged_cumulative"
        " from marts.mart_return_cohort where sku = 'TEN' order by age_days"
    )
    # 20 March is 69 days after the last start of a horizon, 10 January
    assert rows == [
        (0, 0, 0),
        (7, 0, 0),
        (14, 0, 0),
        (21, 1, 2),
        (30, 1, 2),
        (45, 1, 2),
        (60, 3, 2),
    ]


def test_the_outcome_of_every_line_adds_up_to_what_was_ordered() -> None:
    assert (
        hand_made.built().rows(
            "select order_line_key from marts.fct_order_line left join"
            " (select order_line_key, sum(quantity) as units from marts.fct_unit_outcome"
            " group by all) using (order_line_key) where coalesce(units, 0) <> quantity_ordered"
        )
        == []
    )


def test_units_that_came_back_and_the_end_they_had_agree() -> None:
    """units_returned and later ones are exactly returned_refunded and return_in_progress."""
    assert (
        hand_made.built().rows(
            "select order_line_key from intermediate.int_return_count__by_line"
            " inner join intermediate.int_unit_outcome__counted using (order_line_key)"
            " where units_returned + units_returned_after_horizon"
            " <> returned_refunded + return_in_progress"
        )
        == []
    )


def test_codes_are_normalised_and_an_unknown_one_stays_visible() -> None:
    made = hand_made.built()
    assert made.rows(
        "select reason_raw, reason_claimed, reason_final from marts.fct_return_line"
        " where order_line_key = 'amazon:amz:A4:BACK' order by first_evidence_date"
    ) == [
        ("CR-DEFECTIVE", "product_defect.functional", "product_defect.functional"),
        ("XYZ_NEW", "unknown.unmapped", "unknown.unmapped"),
    ]
    assert made.rows(
        "select raw_code, rows from intermediate.int_unmapped_code__listed"
        " where field = 'reason' and connector = 'amazon'"
    ) == [("XYZ_NEW", 1)]


def test_no_more_units_come_back_than_were_shipped() -> None:
    made = hand_made.built()
    assert made.rows(
        "select sum(quantity) from marts.fct_return_line"
        " where order_line_key = 'amazon:amz:A4:BACK'"
    ) == [(2,)]
    assert made.rows(
        "select account, stream, rows from intermediate.int_quarantine__modelled"
        " where quarantine_reason = 'returned_more_than_shipped'"
    ) == [("amz", "returns", 1)]


def test_a_refused_parcel_is_no_return_of_a_buyer() -> None:
    made = hand_made.built()
    assert made.rows(
        "select outcome, quantity from marts.fct_unit_outcome"
        " where order_line_key = 'amazon:amz:A5:REFUSED'"
    ) == [("refunded_no_return", 1)]
    assert made.rows(
        "select units_returned, units_return_received from marts.mart_return_rate_by_sku"
        " where sku = 'REFUSED'"
    ) == [(0, 0)]
    assert made.rows(
        "select outcome, quantity from marts.fct_unit_outcome"
        " where order_line_key = 'amazon:amz:A8:MERCHANT' order by 1"
    ) == [("kept", 1), ("undelivered", 1)]


def test_a_return_of_an_order_nobody_knows_is_kept_unlinked() -> None:
    assert hand_made.built().rows(
        "select order_line_key, order_key, sku, cohort_month from marts.fct_return_line"
        " where sku = 'LOST'"
    ) == [("unknown", "unknown", "LOST", date(1900, 1, 1))]


def test_a_number_that_two_orders_have_goes_to_quarantine() -> None:
    made = hand_made.built()
    assert made.rows("select * from marts.fct_return_line where return_id = 'X1'") == []
    assert made.rows(
        "select stream, rows, example_ref from intermediate.int_quarantine__modelled"
        " where quarantine_reason = 'ambiguous_order'"
    ) == [("returns", 1, "same")]


def test_a_replacement_is_no_sale_and_its_return_is_the_second_of_the_unit() -> None:
    made = hand_made.built()
    assert made.one(
        "select units_shipped, units_replaced, units_repeat_return, units_with_return_event,"
        " repeat_return_rate from marts.mart_return_rate_by_sku where sku = 'SENTAGAIN'"
    ) == {
        "units_shipped": 1,
        "units_replaced": 1,
        "units_repeat_return": 1,
        "units_with_return_event": 1,
        "repeat_return_rate": 1.0,
    }
    assert made.rows("select return_seq from marts.fct_return_line where sku = 'SENTAGAIN'") == [
        (2,)
    ]


def test_exchanges_say_what_was_sent_instead() -> None:
    rows = hand_made.built().rows(
        "select order_line_key, exchange_kind, new_sku, return_line_key, cycle_days"
        " from marts.fct_exchange where account = 'amz' order by 1"
    )
    assert rows == [
        ("amazon:amz:A9:SENTAGAIN", "replacement", "SENTAGAIN", "none", 18.0),
        ("amazon:amz:T4:TEN", "exchange", "TEN-L", "amazon:amz:R4:TEN", 6.0),
        ("amazon:amz:T5:TEN", "replacement", "TEN", "amazon:amz:R5:TEN", 5.0),
    ]


def test_marts_by_sku_and_region_are_sums_of_the_base() -> None:
    made = hand_made.built()
    for table, columns in (
        ("mart_return_rate_by_sku", "account, marketplace, sku, cohort_month"),
        ("mart_return_rate_by_region", "account, marketplace, country, cohort_month"),
    ):
        measures = "units_shipped, units_returned, units_refunded, units_defective, net_sales"
        sums = ", ".join(f"sum({m.strip()})" for m in measures.split(","))
        base = made.rows(
            f"select {columns}, {sums} from marts.mart_return_base group by {columns} order by all"
        )
        assert base == made.rows(f"select {columns}, {measures} from marts.{table} order by all")


def test_reasons_add_up_to_the_units_returned() -> None:
    made = hand_made.built()
    key = "account, marketplace, country, sku, cohort_month"
    assert (
        made.rows(
            f"select {key}, sum(units), min(units_returned) from marts.mart_return_reason_by_sku"
            f" group by {key} having sum(units) <> min(units_returned)"
        )
        == []
    )
    assert made.rows("select sum(units) from marts.mart_return_reason_by_sku") == made.rows(
        "select sum(units_returned) from marts.mart_return_base"
    )


def test_a_refund_is_due_by_the_policy_of_the_day_of_the_sale() -> None:
    """T1 was sold on 2 January and came back on 12 March: 14 days, by the row that begins then."""
    made = hand_made.built()
    rows = made.rows(
        "select occurred_at, promised_at, note, source from marts.fct_order_event"
        " where event_kind = 'refund_due' and order_key = 'amazon:amz:T1'"
    )
    due = hand_made.at("03-26")
    assert rows == [(due, due, "14", "amazon")]
    # nothing is due of what has not come back
    assert not made.rows(
        "select 1 from marts.fct_order_event"
        " where event_kind = 'refund_due' and order_key = 'amazon:amz:T3'"
    )


def test_a_policy_of_a_site_that_nobody_sells_on_is_listed() -> None:
    made = hand_made.built()
    rows = made.rows(
        "select marketplace, payment_method, valid_from, valid_to, refund_promise_days"
        " from marts.dim_policy where country = 'US' order by valid_from, refund_promise_days"
    )
    assert [(row[0], row[1], row[4]) for row in rows] == [
        ("all", "all", 30), ("amazon_de", "all", 7), ("all", "all", 14), ("all", "cod", 21),
    ]  # fmt: skip
    assert rows[0][3] == date(2026, 1, 1)
    assert made.rows(
        "select example_ref, rows from meta.quarantine"
        " where quarantine_reason = 'policy_scope_unknown'"
    ) == [("US amazon_moon", 1)]


def test_a_correction_is_seen_and_the_value_before_it_too() -> None:
    made = hand_made.built()
    key = "amazon:amz:R{}:TEN"
    corrected = made.rows(
        "select return_line_key, reason_final from marts.fct_return_line where has_override"
    )
    assert corrected == [(key.format(1), "fit.too_small")]
    rows = made.rows(
        "select override_id, old_value, new_value, is_applied, rows_changed from meta.override"
        " order by 1"
    )
    before = "unknown.no_reason"
    assert rows == [
        ("X10", before, "fit.too_small", True, 1),
        ("X3", before, "no.such_reason", False, 0),
        ("X4", "unknown", "sellable", False, 0),  # expired
        ("X5", None, "sellable", False, 0),
        ("X9", before, "fit.too_large", False, 0),  # a later one corrects the same
    ]
