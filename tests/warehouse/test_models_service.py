"""Cases, messages, feedback, claims, payouts and events by the real models, on hand-made rows
(`service_rows.py`). Numbers in the names are those of the helpdesk cases of the sheet, section 6.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.warehouse import hand_made

DESK, CHAT = "helpdesk:desk:zendesk:", "helpdesk:chat:gorgias:"


def case(key: str, columns: str) -> tuple[Any, ...]:
    made = hand_made.built()
    (row,) = made.rows(f"select {columns} from marts.fct_case where case_key = '{key}'")
    return row


def feedback(number: str, columns: str) -> tuple[Any, ...]:
    (row,) = hand_made.built().rows(
        f"select {columns} from marts.fct_feedback where feedback_id = '{number}'"
    )
    return row


def test_a_ticket_is_of_the_sale_that_it_is_about() -> None:
    columns = "account, marketplace, order_line_key, sku, team, case_type, topic_l2, reason_l2"
    assert case(DESK + "1", columns) == (
        "amz",
        "amazon_us",
        "amazon:amz:SV1:SRV-A",
        "SRV-A",
        "care",
        "complaint",
        "damage",
        "logistics.damaged_in_transit",
    )


def test_hours_of_the_clock_and_of_the_calendar_stand_apart() -> None:
    columns = (
        "first_response_hours, first_response_business_hours, resolution_hours, first_reply_by,"
        " contacts, agent_replies, messages_in, messages_out"
    )
    assert case(DESK + "1", columns) == (0.5, 0.25, 2.0, "automatic", 1, 1, 1, 2)


def test_8_a_rating_changed_from_bad_to_good_is_one_answer_the_newest() -> None:
    columns = "csat_score, csat_scale, is_csat_positive, outcome"
    assert case(DESK + "1", columns) == (1.0, 1.0, True, "kept_satisfied")


def test_new_surveys_keep_their_own_scale_and_the_newest_answer() -> None:
    assert case(DESK + "7", "csat_score, csat_scale, is_csat_positive, team") == (
        4.0,
        5.0,
        True,
        "unknown",
    )


def test_9_an_open_ticket_has_no_times_and_its_buyer_waits() -> None:
    columns = (
        "case_status, first_reply_at, first_response_hours, resolved_at, resolution_hours,"
        " is_silent, is_csat_positive, outcome"
    )
    assert case(DESK + "2", columns) == (
        "open", None, None, None, None, True, None, "no_answer",
    )  # fmt: skip


def test_agents_are_hashes_unless_the_settings_name_them() -> None:
    assert [case(DESK + number, "agent")[0] for number in "17"] == ["Mei", "other"]
    assert case("files:inbox:mail:M1", "agent") == ("none",)


def test_unlinked_tickets_are_counted_for_their_desk() -> None:
    assert hand_made.built().rows(
        "select unlinked_rows from meta.data_quality where account = 'desk' and stream = 'all'"
    ) == [(3,)]


def test_17_tickets_without_an_order_stay_and_are_listed() -> None:
    made = hand_made.built()
    assert case(DESK + "2", "account, marketplace, order_key, order_line_key, sku, country") == (
        "desk", "unknown", "unknown", "unknown", "unknown", "ZZ",
    )  # fmt: skip
    listed = made.rows(
        "select entity_key from marts.mart_action_queue where queue = 'unlinked_case' order by 1"
    )
    # 6: the brand sells elsewhere; 9: the number of two orders
    repair = "files:inbox:repairs:W2"
    assert [key for (key,) in listed] == [repair, *(DESK + number for number in "269")]


def test_14_a_deleted_ticket_stays_without_its_text_and_out_of_the_figures() -> None:
    assert case(DESK + "3", "order_key, case_status, contacts, text_hash") == (
        "files:shop:SV4", "spam", 1, "none",
    )  # fmt: skip
    assert case(DESK + "8", "case_status, text_hash") == ("spam", "none")
    assert hand_made.built().rows(
        f"select text_hash from marts.fct_message where case_key = '{DESK}3'"
    ) == [("none",)]


def test_14_15_spam_and_merged_tickets_are_marked_and_out_of_the_figures() -> None:
    made = hand_made.built()
    keys = (DESK + "4", CHAT + "2", CHAT + "3")
    assert [case(key, "case_status")[0] for key in keys] == ["merged", "spam", "merged"]
    assert case(CHAT + "2", "order_key") == ("none",)
    assert made.rows(
        "select csat_asked, csat_answers, csat_positive from marts.mart_satisfaction"
        " where sku = 'SRV-A' and month = '2026-02-01'"
    ) == [(1, 1, 1)]


def test_16_a_brand_keeps_its_tickets_to_its_marketplace() -> None:
    assert case(DESK + "6", "marketplace, order_key") == ("amazon_de", "unknown")


def test_19_what_the_team_wrote_first_is_no_answer() -> None:
    columns = "first_reply_at, first_response_hours, first_response_business_hours, first_reply_by"
    assert case(DESK + "5", columns) == (None, None, None, "none")
    # the buyer wrote later: the answer is counted from then, automatic messages are none
    assert case(CHAT + "1", "first_response_hours, first_reply_by, contacts, agent_replies") == (
        1.5,
        "automatic",
        2,
        2,
    )


def test_13_a_survey_scored_forty_days_later_counts_in_the_month_it_was_sent() -> None:
    assert case(CHAT + "1", "csat_score, csat_scale, is_csat_positive") == (5.0, 5.0, True)
    assert hand_made.built().rows(
        "select month, csat_asked, csat_positive from marts.mart_satisfaction"
        " where sku = 'SRV-C' and csat_asked > 0"
    ) == [(hand_made.at("02-01").date(), 2, 1)]


def test_cases_of_files_keep_what_they_say() -> None:
    columns = (
        "order_key, topic_l2, escalated_to, first_response_hours, is_csat_positive, messages_in"
    )
    assert case("files:inbox:mail:M1", columns) == (
        "files:shop:SV3", "allergy_safety", "chargeback", 12.0, False, None,
    )  # fmt: skip


def test_messages_come_in_order_with_the_time_between() -> None:
    rows = hand_made.built().rows(
        "select message_id, direction, author_kind, language, hours_since_previous"
        f" from marts.fct_message where case_key = '{CHAT}1' order by sent_at"
    )
    assert [row[:4] for row in rows] == [
        ("1", "out", "agent", "de"),
        ("2", "in", "buyer", "de"),
        ("3", "out", "automatic", "de"),
        ("4", "out", "agent", "de"),
        ("5", "in", "buyer", "de"),
    ]
    assert [row[4] for row in rows] == [None, *map(pytest.approx, (1 / 6, 1 / 60, 89 / 60, 0.5))]


def test_a_review_that_was_changed_keeps_both_ratings() -> None:
    columns = "account, order_line_key, link_confidence, stars_first, stars_now, is_negative"
    assert feedback("V1", columns) == ("shop", "files:shop:SV4:SRV-B", "exact", 2.0, 4.0, False)
    assert feedback("V4", "stars_now, is_published, link_confidence, sku") == (
        5.0, False, "weak", "NEVER-SOLD",
    )  # fmt: skip


def test_a_review_of_a_product_group_counts_once() -> None:
    made = hand_made.built()
    assert feedback("V2", "sku, link_confidence, account, marketplace") == (
        "SRV-B", "product", "shop", "shop",
    )  # fmt: skip
    assert feedback("V3", "sku, link_confidence, listing_id") == ("unknown", "product", "P-10")
    assert feedback("V6", "sku, link_confidence, account") == ("unknown", "none", "bazaar")
    rows = made.rows(
        "select count(*), count(*) filter (where is_counted) from marts.fct_feedback"
        " where counted_once_group = 'files:inbox:loox:G'"
    )
    assert rows == [(2, 1)]
    assert made.rows(
        "select feedback_n, negative_n, stars_sum, stars_n, orders_delivered"
        " from marts.mart_satisfaction where sku = 'SRV-B' and account = 'shop'"
    ) == [(2, 1, 5.0, 2, 1)]


def test_reviews_of_apps_are_of_the_shop_whose_product_they_name() -> None:
    made = hand_made.built()
    rows = made.rows(
        "select feedback_key, account, marketplace, sku, order_line_key, listing_id,"
        " link_confidence, stars_first, stars_now, is_counted, is_published"
        " from marts.fct_feedback where feedback_key like 'reviews:%' order by 1"
    )
    key, shop = "reviews:stars:product_review:", ("brand", "shopify_brand")
    assert rows == [
        (key + "judge_me:1", *shop, "unknown", "none", "1", "product", 1.0, 4.0, True, True),
        (key + "judge_me:1#2", "stars", "unknown", "unknown", "none", "2", "none", 4.0, 4.0, False,
         False),
        (key + "okendo:r1", *shop, "S-1161", "shopify:brand:116:1161", rows[2][5], "exact", 5.0,
         5.0, True, False),
        (key + "yotpo:7", *shop, "S-1031", "none", "S-1031", "product", 2.0, 2.0, True, False),
    ]  # fmt: skip
    changed = made.rows(
        "select feedback_id, changed_at is not null, removed_at is not null from marts.fct_feedback"
        " where feedback_key like 'reviews:%' order by feedback_key"
    )
    assert changed == [("1", True, False), ("1#2", False, False), ("r1", False, False),
                       ("7", False, True)]  # fmt: skip


def test_feedback_names_the_case_and_first_contact_after_it() -> None:
    assert feedback("V5", "case_key, contacted_at") == (
        DESK + "1", hand_made.at("02-10", "08:30"),
    )  # fmt: skip
    assert feedback("V2", "case_key, contacted_at") == ("none", None)


def test_claims_are_linked_and_converted_on_their_days() -> None:
    rows = hand_made.built().rows(
        "select claim_id, account, supplier_id, lot_key, order_key, parcel_key, claim_status,"
        " claimed_reporting, paid_reporting from marts.fct_claim order by 1"
    )
    assert [tuple(map(str, row)) for row in rows] == [
        ("Q1", "inbox", "unknown", "SHEET|L2", "none", "none", "open", "100.0000", "0.0000"),
        ("Q2", "inbox", "none", "none", "none", "unknown", "partial", "130.0000", "52.0000"),
        ("Q3", "amz", "none", "none", "amazon:amz:SV1", "none", "declined", "100.0000", "0.0000"),
    ]


def test_payouts_of_files_are_classed_by_their_words() -> None:
    made = hand_made.built()
    assert made.rows(
        "select line_class, order_key, account, marketplace from marts.fct_settlement_line"
        " where settlement_id = 'P1' order by row_no"
    ) == [
        ("sale", "unknown", "bazaar", "bazaar"),
        ("fee", "none", "bazaar", "bazaar"),
        ("fee_credit", "none", "bazaar", "bazaar"),
        ("refund", "none", "bazaar", "bazaar"),
        ("unknown", "none", "bazaar", "bazaar"),
    ]
    assert made.rows(
        "select connector, account_kind from marts.dim_account where account = 'bazaar'"
    ) == [("files", "file_channel")]
    assert made.rows(
        "select raw_code from intermediate.int_unmapped_code__listed where connector = 'files'"
        " and field = 'settlement_line'"
    ) == [("something new/none/none",)]


def test_the_life_of_an_order_is_told_in_order() -> None:
    rows = hand_made.built().rows(
        "select event_seq, event_kind, order_line_key, note from marts.fct_order_event"
        " where order_key = 'amazon:amz:SV1' order by event_seq"
    )
    line = "amazon:amz:SV1:SRV-A"
    assert rows == [
        (1, "ordered", "all", ""),
        (2, "shipped", line, ""),
        (3, "delivered", line, ""),
        (4, "claim", "all", "marketplace"),
        (5, "feedback", line, "negative"),
        (6, "case_opened", line, rows[5][3]),
        (7, "case_opened", line, rows[6][3]),
        (8, "message", "all", "buyer"),
        (9, "message", "all", "automatic"),
        (10, "message", "all", "agent"),
    ]
    assert {rows[5][3], rows[6][3]} == {"damage", "other"}


def test_the_key_of_an_event_is_of_its_origin_alone() -> None:
    """Not of its note: what is learnt of an event later makes no other event of it."""
    made = hand_made.built()
    origins = {
        "return_requested": ("fct_return_line", "return_line_key"),
        "exchange_step": ("fct_exchange", "exchange_key || '|requested'"),
    }
    for kind, (fact, origin) in origins.items():
        of_origin = (
            f"select md5(concat_ws('|', order_key, order_line_key, '{kind}', {origin}))"
            f" from marts.{fact} where requested_at is not null and order_key <> 'unknown'"
        )
        told = (
            "select event_key from marts.fct_order_event"
            f" where event_kind = '{kind}' and note <> 'shipped'"
        )
        assert made.rows(told)
        assert sorted(made.rows(told)) == sorted(made.rows(of_origin))


def test_a_repair_is_a_case_and_costs_unless_it_belongs_to_one() -> None:
    made = hand_made.built()
    cases = made.rows(
        "select case_id, order_key, case_type, case_status, decision, reason_l2, resolution_hours"
        " from marts.fct_case where case_source = 'repairs' order by 1"
    )
    worn = "product_defect.durability_warranty"
    assert cases == [
        ("W1", "files:shop:SV3", "repair", "solved", "accepted", worn, 48.0),
        ("W2", "unknown", "warranty", "open", "none", worn, None),
        ("W3", "files:shop:SV3", "warranty", "merged", "none", worn, None),
    ]
    costs = made.rows(
        "select right(case_key, 2), component, source, sum(amount), order_key"
        " from marts.fct_after_sales_cost where case_key <> 'none' group by all order by all"
    )
    assert [row[:4] for row in costs] == [
        ("W1", "repair_parts", "billed", Decimal("2.5")),
        ("W1", "return_shipping", "billed", Decimal("4")),
        ("W2", "repair_parts", "unallocated", Decimal("1.2")),
    ]
    assert [row[4] for row in costs] == ["files:shop:SV3"] * 2 + ["unknown"]
