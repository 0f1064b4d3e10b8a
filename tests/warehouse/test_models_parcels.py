"""Parcels by the real models (`parcels_by_hand.py`).

Numbers are those of the test cases in the facts about tracking, section 5; those of the connector
are in `tests/connectors/test_tracking_*.py`.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from assets.open_parcels import open_parcels
from sources._core.connector import OpenParcel
from tests.warehouse import hand_made
from tests.warehouse.parcels_by_hand import at


def parcels(number: str, columns: str) -> list[tuple[Any, ...]]:
    return hand_made.built().rows(
        f"select {columns} from marts.fct_parcel where tracking_number = '{number}'"
        " order by parcel_key"
    )


def parcel(number: str, columns: str) -> tuple[Any, ...]:
    (row,) = parcels(number, columns)
    return row


def events(number: str, columns: str) -> list[tuple[Any, ...]]:
    return hand_made.built().rows(
        f"select {columns} from marts.fct_parcel_event join marts.fct_parcel using (parcel_key)"
        f" where tracking_number = '{number}' order by event_at, event_id"
    )


def order_line(ref: str, line: int, columns: str) -> tuple[Any, ...]:
    (row,) = hand_made.built().rows(
        f"select {columns} from marts.fct_order_line"
        f" where order_line_key = 'files:postshop:{ref}:{line}'"
    )
    return row


def test_a_parcel_from_label_to_delivery() -> None:
    columns = "parcel_key, order_key, account, marketplace, carrier_key, direction, destination"
    assert parcel("1ZPLAIN", columns) == (
        "ups:1ZPLAIN:2026-01-05", "files:postshop:P1", "postshop", "postshop", "ups|ground",
        "outbound", "US",
    )  # fmt: skip
    columns = "milestone, exception_code, failed_attempts, transit_days, days_late, promised_date"
    assert parcel("1ZPLAIN", columns) == (
        "DELIVERED", "ATTEMPT_FAILED", 1, 3.25, -3, date(2026, 1, 12),
    )  # fmt: skip
    columns = "label_created_at, accepted_at, departed_origin_at, first_attempt_at, delivered_at"
    assert parcel("1ZPLAIN", columns) == (
        at("01-05 15:00"), at("01-06 15:00"), at("01-07 15:00"), at("01-08 15:00"),
        at("01-09 21:00"),
    )  # fmt: skip


def test_a_pickup_point_is_no_delivery_and_days_are_those_of_the_destination() -> None:
    columns = "delivered_at, days_late, transit_days"
    assert parcel("1ZLATE", columns) == (at("01-16 03:00"), 3, 9.5)
    assert order_line("P2", 1, "delivered_date, delivery_date_basis") == (
        date(2026, 1, 15), "actual",
    )  # fmt: skip


def test_lines_of_a_parcel_bear_its_cost_by_units() -> None:
    rows = hand_made.built().rows(
        "select order_line_key, sku, quantity, cost_share from marts.fct_parcel_line"
        " where parcel_key = 'ups:1ZPLAIN:2026-01-05' order by 1"
    )
    assert rows == [
        ("files:postshop:P1:1", "POSTED", 1, 0.25),
        ("files:postshop:P1:2", "POSTED", 3, 0.75),
    ]


def test_a_bill_without_duty_and_credit_is_the_cost() -> None:
    columns = "cost_amount, currency, cost_reporting, cost_source"
    assert parcel("1ZPLAIN", columns) == (Decimal("14.5"), "USD", Decimal("14.5"), "billed")
    assert parcel("1ZLATE", columns) == (None, None, None, "missing")


def test_a_bill_is_borne_by_the_lines_in_its_parcel_to_the_cent() -> None:
    """One and three units: 8.00 is 2.00 and 6.00, of 1.50 the odd cent goes to the first line."""
    rows = hand_made.built().rows(
        "select right(order_line_key, 1), charge_type, amount"
        " from intermediate.int_parcel_bill__spread where tracking_number = '1ZPLAIN' order by all"
    )
    assert [(line, kind, str(amount)) for line, kind, amount in rows] == [
        ("1", "claim_credit", "0.5000"), ("1", "duty", "1.0000"), ("1", "freight", "2.0000"),
        ("1", "return", "1.2500"), ("1", "surcharge", "0.3800"),
        ("2", "claim_credit", "1.5000"), ("2", "duty", "3.0000"), ("2", "freight", "6.0000"),
        ("2", "return", "3.7500"), ("2", "surcharge", "1.1200"),
    ]  # fmt: skip


def test_the_way_out_is_a_cost_of_the_sale_what_comes_after_it_is_billed() -> None:
    sales = hand_made.built().rows(
        "select right(order_line_key, 1), outbound_cost, after_sales_cost_total"
        " from marts.mart_order_profit where order_key = 'files:postshop:P1' order by 1"
    )
    assert sales == [
        ("1", Decimal("3.38"), Decimal("0.75")),
        ("2", Decimal("10.12"), Decimal("2.25")),
    ]
    costs = hand_made.built().rows(
        "select right(order_line_key, 1), component, direction, amount, parcel_key"
        " from marts.fct_after_sales_cost where order_key = 'files:postshop:P1' order by all"
    )
    key = "ups:1ZPLAIN:2026-01-05"
    assert costs == [
        ("1", "carrier_claim", "credit", Decimal("0.5"), key),
        ("1", "return_shipping", "cost", Decimal("1.25"), key),
        ("2", "carrier_claim", "credit", Decimal("1.5"), key),
        ("2", "return_shipping", "cost", Decimal("3.75"), key),
    ]


def test_a_bill_for_a_number_that_nobody_knows_is_kept_and_counted() -> None:
    built = hand_made.built()
    costs = (
        "select order_line_key, component, source, amount from marts.fct_after_sales_cost"
        " where parcel_key = 'unknown' order by all"
    )
    assert built.rows(costs) == [
        ("files:postshop:P5:1", "return_shipping", "billed", Decimal("6.005")),
        ("unknown", "carrier_claim", "unallocated", Decimal(7)),
    ]
    doubts = (
        "select rows, example_ref, is_loaded from meta.quarantine"
        " where quarantine_reason = 'parcel_unknown'"
    )
    assert built.rows(doubts) == [(3, "15AGAIN", True)]
    quality = (
        "select rows_in, unlinked_rows from meta.data_quality"
        " where connector = 'files' and account = 'inbox' and stream = 'all'"
    )
    bills, repairs, repairs_of_no_order = 10, 3, 1  # the account of all files that name no shop
    assert built.rows(quality) == [(bills + repairs, 3 + repairs_of_no_order)]


def test_case_5_one_number_of_two_carriers_is_two_parcels() -> None:
    assert parcels("5SAME", "carrier, order_key, milestone") == [
        ("dhl", "files:postshop:P5", "DELIVERED"),
        ("ups", "unknown", "ACCEPTED"),
    ]
    # without a carrier it is the only one that has the number
    assert parcels("1ZNAMELESS", "carrier, milestone") == [("ups", "ACCEPTED")]


def test_case_6_an_unknown_sub_status_is_other_and_is_listed() -> None:
    assert events("6NEW", "fct_parcel_event.milestone, fct_parcel_event.exception_code") == [
        ("ACCEPTED", None), ("IN_TRANSIT", "OTHER"), ("IN_TRANSIT", "OTHER"),
    ]  # fmt: skip
    rows = hand_made.built().rows(
        "select raw_code, rows from intermediate.int_unmapped_code__listed"
        " where field = 'parcel_status' order by 1"
    )
    assert [row for row in rows if row[0].startswith(("Beamed", "InTransit/"))] == [
        ("Beamed", 1), ("InTransit/InTransit_Teleported", 1),
    ]  # fmt: skip


def test_case_7_both_spellings_of_damage() -> None:
    columns = "is_damaged_scan, exception_code, milestone"
    assert parcel("7DAMAGE", columns) == (True, "DAMAGED", "DELIVERED")
    assert parcel("7DAMAGED", columns) == (True, "DAMAGED", "UNKNOWN")


def test_case_8_delivered_then_returned_is_not_delivered() -> None:
    columns = "delivered_at, milestone, is_returned_to_sender, undelivered_kind, days_late"
    assert parcel("8BACK", columns) == (None, "RETURNING", True, "returned_other", None)


def test_case_9_lost_then_found_is_not_lost() -> None:
    columns = "is_lost, is_presumed_lost, undelivered_kind, delivered_at"
    assert parcel("9FOUND", columns) == (False, False, None, at("01-22 15:00"))
    assert parcel("1ZLOST", columns) == (True, False, "lost", None)


def test_case_10_delivered_to_the_sender_is_returned() -> None:
    columns = "milestone, delivered_at, is_returned_to_sender, undelivered_kind"
    assert parcel("10SENDER", columns) == ("RETURNED", None, True, "refused")


def test_case_11_disorder_and_one_minute_twice() -> None:
    found = events("11ORDER", "event_at, fct_parcel_event.milestone")
    assert found == [
        (at("01-06 15:00:10"), "ACCEPTED"),
        (at("01-06 15:00:50"), "IN_TRANSIT"),
        (at("01-09 15:00"), "DELIVERED"),
    ]


def test_case_13_the_night_in_which_clocks_change() -> None:
    assert parcel("13CLOCK", "transit_days") == (0.88,)  # 21 hours, though the wall says 22
    days = [row[0] for row in events("13CLOCK", "event_date")]
    assert days == [date(2026, 3, 8)] * 3


def test_case_15_a_number_used_again_is_another_parcel() -> None:
    columns = "parcel_key, milestone, cost_source"
    assert parcels("15AGAIN", columns) == [
        ("ups:15AGAIN:2025-01-06", "DELIVERED", "missing"),
        ("ups:15AGAIN:2026-01-20", "ACCEPTED", "billed"),
    ]


def test_case_15_a_first_scan_after_long_is_of_the_parcel_of_its_order() -> None:
    columns = "parcel_key, order_key, milestone, exception_code"
    assert parcels("25SLOW", columns) == [
        ("ups:25SLOW:2025-09-01", "files:postshop:P25", "OUT_FOR_DELIVERY", "DELAYED"),
    ]


def test_scans_that_tell_no_milestone_of_their_own_are_no_events_of_the_order() -> None:
    told = hand_made.built().rows(
        "select event_kind, occurred_at, note from marts.fct_order_event"
        " where order_key = 'files:postshop:P25'"
        " and event_kind in ('accepted', 'customs', 'out_for_delivery') order by event_seq"
    )
    assert told == [
        ("accepted", at("01-20 15:00"), "ACCEPTED"),
        ("out_for_delivery", at("01-26 15:00"), "OUT_FOR_DELIVERY"),
        ("out_for_delivery", at("01-27 15:00"), "OUT_FOR_DELIVERY"),
    ]


def test_case_16_one_lost_parcel_does_not_make_the_order_late() -> None:
    assert parcel("1ZARRIVES", "days_late, is_lost") == (-2, False)
    assert parcel("1ZLOST", "days_late, is_lost") == (None, True)
    assert order_line("P16", 1, "delivered_date, delivery_date_basis") == (
        date(2026, 1, 10), "actual",
    )  # fmt: skip
    assert order_line("P16", 2, "delivered_date, delivery_date_basis") == (None, "assumed")


def test_units_in_a_lost_parcel_never_arrived() -> None:
    rows = hand_made.built().rows(
        "select order_line_key, outcome, quantity from marts.fct_unit_outcome"
        " where order_line_key like 'files:postshop:P16:%' order by 1"
    )
    assert rows == [
        ("files:postshop:P16:1", "kept", 1),
        ("files:postshop:P16:2", "undelivered", 1),
    ]


def test_case_17_a_return_parcel_is_never_outbound() -> None:
    columns = "direction, origin, order_key"
    assert parcel("RET1", columns)[0] == "return"
    assert parcel("RET1", "promised_date, days_late") == (None, None)
    delivered = hand_made.built().rows(
        "select count(*) from marts.fct_parcel_line join marts.fct_parcel using (parcel_key)"
        " where tracking_number = 'RET1' and direction <> 'return'"
    )
    assert delivered == [(0,)]


def test_case_18_numbers_are_text_in_upper_case() -> None:
    assert parcel("00AB12", "order_key, milestone") == ("files:postshop:P18", "ACCEPTED")


def test_an_order_that_only_a_scan_names_is_found() -> None:
    assert parcel("20NAMED", "order_key, account, destination, promised_date, days_late") == (
        "files:postshop:P20", "postshop", "US", date(2026, 1, 12), -4,
    )  # fmt: skip
    assert order_line("P20", 1, "delivered_at, delivery_date_basis") == (
        at("01-08 15:00"), "actual",
    )  # fmt: skip


def test_a_parcel_that_nobody_ordered_is_kept() -> None:
    assert parcel("9FOUND", "order_key, account, marketplace, destination") == (
        "unknown", "inbox", "unknown", "ZZ",
    )  # fmt: skip


def test_customs_hold_until_released_or_until_tonight() -> None:
    assert parcel("21HELD", "customs_hold_hours, customs_cleared_at") == (48, at("01-12 15:00"))
    assert parcel("1ZOPEN", "customs_hold_hours, customs_cleared_at") == (12, None)
    assert parcel("1ZPLAIN", "customs_hold_hours") == (None,)


def test_a_parcel_that_nobody_scans_is_delivered_by_the_word_of_the_shop() -> None:
    columns = "milestone, delivered_at, days_late, transit_days"
    assert parcel("24TOLD", columns) == ("DELIVERED", at("01-14 03:00"), 1, None)


def test_a_parcel_that_nobody_tells_of_is_late_by_no_known_number_of_days() -> None:
    assert parcel("24QUIET", "milestone, promised_date, days_late, is_presumed_lost") == (
        "UNKNOWN", date(2026, 1, 12), None, False,
    )  # fmt: skip


def test_open_parcels_are_late_to_date() -> None:
    assert parcel("1ZOPEN", "days_late") == (66,)  # the 19th of March in America


def test_presumed_lost_after_thirty_days_by_express_and_sixty_by_post() -> None:
    columns = "is_presumed_lost, has_tracking_gap, is_lost, undelivered_kind"
    assert parcel("22SILENT", columns) == (True, True, False, None)
    assert parcel("22WAITING", columns) == (False, True, False, None)
    assert parcel("22EXPRESS", columns) == (True, True, False, None)
    assert parcel("23STALE", f"exception_code, {columns}") == ("STALE", False, False, False, None)


def test_carriers_have_one_name_whatever_the_word() -> None:
    rows = hand_made.built().rows(
        "select carrier_key, carrier_name, is_express from marts.dim_carrier"
        " where carrier_key in ('china_post|unknown', 'fedex|unknown', 'ups|ground', 'ups|unknown')"
        " order by 1"
    )
    assert rows == [
        ("china_post|unknown", "China Post", False),
        ("fedex|unknown", "FedEx", True),
        ("ups|ground", "UPS", False),
        ("ups|unknown", "UPS", True),
    ]


def test_case_4_a_number_of_which_nothing_is_known_stays_open() -> None:
    columns = "order_key, milestone, exception_code, failed_attempts, undelivered_kind"
    assert parcel("4NOTHING", columns) == ("files:postshop:P4", "UNKNOWN", None, None, None)
    assert [p for p in open_now() if p.tracking_number == "4NOTHING"] == [
        OpenParcel("ups", "4NOTHING", "P4", date(2026, 3, 18), "seller")
    ]


def test_parcels_that_have_ended_are_not_followed() -> None:
    numbers = {p.tracking_number for p in open_now()}
    assert {"1ZOPEN", "00AB12", "CORRECTED"} <= numbers
    assert not numbers & {"1ZPLAIN", "1ZLOST", "1ZOUT", "9FOUND"}


def open_now() -> list[OpenParcel]:
    with hand_made.built().warehouse.connect(read_only=True) as connection:
        return open_parcels(connection)


def test_case_11_what_two_legs_repeat_is_one_event() -> None:
    assert events("11LEGS", "fct_parcel_event.milestone, leg") == [
        ("ACCEPTED", "first"), ("IN_TRANSIT", "first"), ("DELIVERED", "last"),
    ]  # fmt: skip
    assert parcel("11LEGS", "transit_days, milestone") == (2.0, "DELIVERED")


def test_case_12_times_without_offset_day_or_sense() -> None:
    columns = "event_at, event_date, fct_parcel_event.milestone"
    assert sorted(events("12TIMES", columns), key=lambda row: row[1]) == [
        (at("03-05 15:00"), date(2026, 3, 5), "ACCEPTED"),
        (None, date(2026, 3, 7), "IN_TRANSIT"),
        (None, date(2026, 3, 8), "CUSTOMS_STARTED"),
        (at("03-10 04:00"), date(2026, 3, 10), "DELIVERED"),
    ]


def test_case_14_an_event_that_disappears_is_kept_as_superseded() -> None:
    columns = "event_at, fct_parcel_event.milestone, is_superseded"
    assert events("14REWRITE", columns) == [
        (at("03-05 15:00"), "ACCEPTED", False),
        (at("03-06 15:00"), "IN_TRANSIT", True),
        (at("03-06 17:00"), "IN_TRANSIT", False),
        (at("03-08 15:00"), "CUSTOMS_STARTED", False),
    ]
    assert parcel("14REWRITE", "milestone, accepted_at") == (
        "CUSTOMS_STARTED", at("03-05 15:00"),
    )  # fmt: skip


def test_case_17_a_return_parcel_by_a_service_is_one() -> None:
    assert parcel("ASRET", "direction, order_key") == ("return", "files:postshop:P17")
    assert order_line("P17", 1, "delivered_date") == (date(2026, 1, 8),)


def test_the_first_estimate_stands_where_nobody_promised() -> None:
    assert parcel("ESTIMATED", "promised_date") == (date(2026, 3, 12),)
    assert parcel("AS1", "promised_date, days_late, destination") == (date(2026, 3, 8), 1, "US")


def test_what_a_service_gave_up_is_closed_but_not_lost() -> None:
    assert parcel("STALE", "milestone, exception_code, is_lost, is_presumed_lost") == (
        "CLOSED", "STALE", False, False,
    )  # fmt: skip


def test_the_carriers_file_is_believed_before_services() -> None:
    assert parcel("TRUST", "delivered_at, milestone, transit_days") == (
        at("03-09 15:00"), "DELIVERED", 4.0,
    )  # fmt: skip
    sources = {row[0] for row in events("TRUST", "tracking_source")}
    assert sources == {"file", "seventeentrack", "aftership"}


def test_a_corrected_carrier_is_the_parcel_that_was_asked_for() -> None:
    assert parcel("CORRECTED", "carrier, order_key, milestone") == (
        "ups", "files:postshop:P22", "ACCEPTED",
    )  # fmt: skip


def test_a_stage_stands_in_for_a_missing_sub_status() -> None:
    assert events("STAGED", "fct_parcel_event.milestone, native_status") == [
        ("ACCEPTED", "InTransit")
    ]


def test_events_of_aftership_have_their_country_and_time() -> None:
    assert events("AS1", "event_at, event_date, fct_parcel_event.milestone, event_country") == [
        (at("03-05 15:00"), date(2026, 3, 5), "ACCEPTED", "US"),
        (at("03-09 14:00"), date(2026, 3, 9), "DELIVERED", "US"),
        (None, date(2026, 3, 6), "IN_TRANSIT", "US"),
    ]
