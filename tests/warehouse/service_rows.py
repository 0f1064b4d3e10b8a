"""Hand-made rows of desks, reviews, claims and payouts for the warehouse of `hand_made.py`.

Belongs here: raw rows, each a trap of the sheet. Does not belong here: what the models make of them
(`test_models_service.py`). Orders are of the accounts of `hand_made.py`.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]
HELPDESK = Path(__file__).resolve().parents[2] / "sources" / "helpdesk"
BUYER, AGENT = "buyer-hash", "agent-hash"


def at(text: str) -> datetime:
    """A moment of 2026 in UTC: `at("02-11T08")`."""
    return datetime.fromisoformat(f"2026-{text}")


SENT = {"shipped_at": at("02-03T18"), "delivered_at": at("02-06T18")}


def ticket(number: int, **values: Any) -> Row:
    """A solved Zendesk ticket: answered after 30 minutes, solved after two hours."""
    metrics = {
        "reply_time_in_minutes": {"calendar": 30, "business": 15},
        "full_resolution_time_in_minutes": {"calendar": 120, "business": 60},
        "solved_at": "2026-02-10T09:59:00Z",
        "reopens": 0,
        "replies": 1,
    }
    row = {
        "id": number,
        "_key": str(number),
        "created_at": "2026-02-10T08:00:00Z",
        "updated_at": "2026-02-10T10:00:00Z",
        "status": "solved",
        "subject": f"Where is my parcel {number}",
        "tags": [],
        "requester_key": BUYER,
        "agent_key": AGENT,
        "team": "care",
        "marketplace": None,
        "order_ref": None,
        "metric_set": metrics,
    }
    return {**row, **values}


def comment(number: int, ticket_id: int, author: str, clock: str, **values: Any) -> Row:
    row = {
        "id": number,
        "ticket_id": ticket_id,
        "event_type": "comment",
        "created_at": f"2026-02-10T{clock}:00Z",
        "author_key": author,
        "is_automatic": False,
        "body": f"comment {number}",
        "rating": None,
        "rating_max": None,
    }
    return {**row, **values}


def survey_step(number: int, ticket_id: int, kind: str, clock: str, rating: float | None) -> Row:
    return comment(
        number, ticket_id, "", clock, event_type=kind, body=None, rating=rating, rating_max=5.0
    )


def rating(number: int, ticket_id: int, score: str, day: str) -> Row:
    at = f"2026-02-{day}T12:00:00Z"
    return {
        "id": number, "ticket_id": ticket_id, "score": score, "created_at": at, "updated_at": at,
    }  # fmt: skip


def zendesk() -> dict[str, list[Row]]:
    """Account `desk`."""
    open_metrics = {"reopens": 0, "replies": 0}  # nothing is measured while it is open
    deleted = {
        "_key": "3|deleted", "status": "deleted", "subject": None, "tags": None, "team": None,
        "order_ref": None, "metric_set": None,
    }  # fmt: skip
    return {
        "raw_helpdesk.zendesk_tickets": [
            ticket(1, order_ref="SV1", tags=["vip", "Damaged"]),
            ticket(2, status="open", metric_set=open_metrics),
            ticket(3, order_ref="#7002"),
            ticket(3, **deleted),
            ticket(4, order_ref="SV1", tags=["closed_by_merge"]),
            ticket(5, order_ref="SV2"),
            ticket(6, order_ref="SV1", marketplace="amazon_de"),
            ticket(7, order_ref="SV2", team="unheard_of", agent_key="other", tags=["cancel"]),
            ticket(8, **{**deleted, "_key": "8|deleted"}),
            ticket(9, order_ref="same"),
        ],
        "raw_helpdesk.zendesk_satisfaction_ratings": [
            rating(100, 1, "offered", "10"),
            rating(101, 1, "bad with comment", "11"),
            rating(102, 1, "good", "12"),
            rating(103, 4, "bad", "11"),
            rating(104, 2, "offered", "11"),
        ],
        "raw_helpdesk.zendesk_events": [
            comment(1, 1, BUYER, "08:00"),
            comment(2, 1, "robot", "08:01", is_automatic=True),
            comment(3, 1, AGENT, "08:30"),
            comment(4, 2, BUYER, "08:00"),
            comment(5, 3, BUYER, "08:00"),
            comment(6, 5, AGENT, "08:00"),
            comment(7, 404, BUYER, "08:00"),
            survey_step(8, 7, "survey_offered", "11:00", None),
            survey_step(9, 7, "survey_submitted", "12:00", 2.0),
            survey_step(10, 7, "survey_submitted", "13:00", 4.0),
        ],
    }


def gorgias() -> dict[str, list[Row]]:
    """Account `chat`; times with and without microseconds, as the connector spells them."""

    def ticket_row(number: int, **values: Any) -> Row:
        row = {
            "id": number, "status": "closed", "subject": "Größe?", "language": "de",
            "tags": ["too_small"], "created_datetime": "2026-02-12T10:00:00.000000Z",
            "closed_datetime": "2026-02-12T14:00:00.250000Z", "order_ref": "SV3", "spam": False,
            "trashed_datetime": None,
        }  # fmt: skip
        return {**row, **values}

    def message(number: int, clock: str, **values: Any) -> Row:
        row = {
            "id": number, "ticket_id": 1, "from_agent": False, "is_automatic": False,
            "created_datetime": f"2026-02-12T{clock}:00.000000Z", "stripped_text": "zu klein",
        }  # fmt: skip
        return {**row, **values}

    return {
        "raw_helpdesk.gorgias_tickets": [
            ticket_row(1),
            ticket_row(2, spam=True, order_ref=None),
            ticket_row(3, trashed_datetime="2026-02-12T11:00:00.000000Z"),
        ],
        "raw_helpdesk.gorgias_messages": [
            message(1, "09:50", from_agent=True),
            message(2, "10:00"),
            message(3, "10:01", from_agent=True, is_automatic=True),
            message(4, "11:30", from_agent=True),
            message(5, "12:00"),
        ],
        "raw_helpdesk.gorgias_surveys": [
            {
                "id": 1, "ticket_id": 1, "score": 5.0,
                "created_datetime": "2026-02-12T14:00:00.000000Z",
                "sent_datetime": "2026-02-12T15:00:00.000000Z",
                "scored_datetime": "2026-03-24T15:00:00.000000Z",
            }
        ],
    }  # fmt: skip


def files(order: Any, file_row: Any) -> dict[str, list[Row]]:
    """Orders that all of it is about, reviews, cases, claims and payouts of files."""

    def told(table: str, **values: Any) -> Row:
        channel = values.pop("channel", None)
        if channel is None:
            return {
                **dict.fromkeys(
                    ("channel", "channel_connector", "channel_account", "channel_marketplace")
                ),
                **values,
            }
        return dict(file_row(table, channel, **values))

    def review(number: str, stars: str, **values: Any) -> Row:
        row = {
            "source": "loox", "review_id": number, "rating": Decimal(stars), "scale_max": 5,
            "created_at": at("02-10"), "sku": None, "product_ref": None,
            "order_ref": None, "title": None, "body": None, "first_rating": None,
            "changed_at": None, "removed_at": None, "published": None, "kind": "product_review",
            "group_ref": None,
        }  # fmt: skip
        return told("reviews", **{**row, **values})

    def line(number: int, words: str, amount: str, **values: Any) -> Row:
        row = {
            "channel": "bazaar", "settlement_ref": "P1", "row_no": number,
            "posted_at": at("02-15"), "transaction_type": words,
            "amount": Decimal(amount), "currency": "EUR", "order_ref": None, "sku": None,
        }  # fmt: skip
        return told("settlements", **{**row, **values})

    def claim(number: str, **values: Any) -> Row:
        row = {
            "claim_id": number, "party": "supplier", "opened_at": at("02-10"),
            "amount_claimed": Decimal("100.00"), "currency": "USD", "status": "open",
            "amount_paid": None, "decided_at": None, "order_ref": None, "sku": None,
            "tracking_number": None, "supplier_id": None, "lot_id": None, "units": 4,
        }  # fmt: skip
        return told("claims", **{**row, **values})

    return {
        "raw_files.orders": [
            order("amz", "SV1", "SRV-A", ordered_at=at("02-01"), **SENT),
            order("shop", "SV2", "SRV-B", ordered_at=at("02-01"), **SENT),
            order("shop", "SV3", "SRV-C", ordered_at=at("02-01"), **SENT),
            order("shop", "SV4", "SRV-B", ordered_at=at("02-01"), order_number="7002"),
            order("shop", "SV4", "SRV-C", ordered_at=at("02-01"), order_number="7002"),
        ],
        "raw_files.sku_map": [
            told("sku_map", channel="shop", listing_id="P-9", sku="SRV-B", listing_kind="item_id"),
            told("sku_map", channel="shop", listing_id="P-10", sku="SRV-B", listing_kind="item_id"),
            told("sku_map", channel="shop", listing_id="P-10", sku="SRV-C", listing_kind="item_id"),
        ],
        "raw_files.reviews": [
            review("V1", "4", sku="SRV-B", order_ref="SV4", first_rating=Decimal("2"),
                   changed_at=at("02-20"), title="Good", body="now"),
            review("V2", "1", product_ref="P-9", group_ref="G"),
            review("V3", "1", product_ref="P-10", group_ref="G"),
            review("V4", "10", sku="NEVER-SOLD", scale_max=10, removed_at=at("03-01")),
            review("V5", "2", sku="SRV-A", order_ref="SV1"),
            review("V6", "5", product_ref="P-404", channel="bazaar"),
        ],
        "raw_files.cases": [
            told("cases", source="mail", case_id="M1", opened_at=at("02-11T08"),
                 order_ref="SV3", sku=None, first_reply_at=at("02-11T20"),
                 resolved_at=at("02-12T08"), topic="allergy", escalated="chargeback",
                 csat_score=Decimal("3"), csat_scale=5, csat_asked_at=at("02-12")),
        ],
        "raw_files.repairs": [
            told("repairs", repair_id="W1", kind="repair", sku="SRV-C", order_ref="SV3",
                 received_at=at("02-20"), closed_at=at("02-22"), labour_minutes=30,
                 parts_cost=Decimal("2.50"), shipping_cost=Decimal("4.00"), currency="USD",
                 fault_code="product_defect.durability_warranty", outcome="repaired"),
            told("repairs", repair_id="W2", kind="spare_part", sku="SRV-A", order_ref="NOBODYS",
                 received_at=at("02-21"), parts_cost=Decimal("1.20"), currency="USD"),
            told("repairs", repair_id="W3", kind="warranty_replacement", sku="SRV-C",
                 order_ref="SV3", case_id="M1", received_at=at("02-23")),
        ],
        "raw_files.claims": [
            claim("Q1", supplier_id="F1", lot_id="L2", sku="SHEET"),
            claim("Q2", party="carrier", tracking_number="UNSEEN", status="paid", currency="EUR",
                  amount_paid=Decimal("40"), decided_at=at("02-12")),
            claim("Q3", party="marketplace", order_ref="SV1", status="refused"),
        ],
        "raw_files.settlements": [
            line(1, "order", "20.00", order_ref="SV9"),
            line(2, "commission", "-3.00"),
            line(3, "commission refund", "1.00"),
            line(4, "refund", "-20.00"),
            line(5, "something new", "0.10"),
        ],
    }  # fmt: skip


def apps() -> dict[str, list[Row]]:
    """Account `stars` of review apps; the products are those of the shop `brand`."""
    created = {"created_at": "2026-02-10T10:00:00Z", "updated_at": "2026-02-15T10:00:00Z"}
    changed = {"id": 1, "_key": "1|1", "product_external_id": "1", "rating": 4.0, **created}
    return {
        "raw_reviews.judge_me_reviews": [
            {**changed, "hidden": False, "body": "better now"},
            {**changed, "_key": "1|2", "product_external_id": "2", "hidden": True, "body": "x"},
        ],
        "raw_reviews.judge_me_reviews__history": [
            {**changed, "rating": 1.0, "_valid_from": at("02-11"), "_valid_to": at("02-16")},
            {**changed, "rating": 3.0, "_valid_from": at("02-16"), "_valid_to": at("02-18")},
        ],
        "raw_reviews.yotpo_reviews": [
            {"id": 7, "_key": "7|S-1031", "sku": "S-1031", "score": 2.0, "deleted": True, **created}
        ],
        "raw_reviews.okendo_reviews": [
            {
                "reviewId": "r1", "_key": "r1|1", "productId": "1", "orderId": "116",
                "rating": 5.0, "status": "pending", "dateCreated": "2026-02-10T10:00:00Z",
                "_changed_at": at("02-11"),
            }
        ],
    }  # fmt: skip


def topics() -> list[Row]:
    with (HELPDESK / "topics.csv").open(encoding="utf-8", newline="") as file:
        return [{k: v or None for k, v in row.items()} for row in csv.DictReader(file)]


def accounts() -> dict[str, dict[str, list[Row]]]:
    """Raw rows by account and table."""
    return {"desk": zendesk(), "chat": gorgias(), "stars": apps()}
