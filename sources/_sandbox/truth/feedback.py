"""Rows of feedback as the sources show it at a clock.

Belongs here: `fct_feedback`: what buyers say of the seller, with the order it is about.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import polars as pl

from sources._sandbox.truth.facts import Known
from sources._sandbox.truth.reader import NONE, UNKNOWN, Line, key
from sources._sandbox.truth.returned import text_hash


def feedback(known: Known) -> Iterator[dict[str, Any]]:
    """One row per rated order; the line is known where the order has only one."""
    reader = known.reader
    lines: dict[str, list[Line]] = defaultdict(list)
    for fate in known.fates.values():
        lines[fate.line.order_key].append(fate.line)
    rows = reader.world.feedback.filter(pl.col("rated_at") < reader.clock)
    for row in rows.iter_rows(named=True):
        place = reader.places[row["account"], row["marketplace"]]
        order_key = key("amazon", row["account"], row["order_id"])
        mine = lines.get(order_key, [])
        only = mine[0] if len(mine) == 1 else None
        yield _row(
            known, row, "amazon", row["order_id"], mine, only, place.noon(row["rated_at"]),
            float(row["stars"]), "negative" if row["stars"] <= 2 else "neutral", "stars",
        )  # fmt: skip


def market_feedback(known: Known) -> Iterator[dict[str, Any]]:
    """What buyers of eBay say of a line, but not what eBay says in their place."""
    reader = known.reader
    lines = {fate.line.key: fate.line for fate in known.fates.values()}
    items = reader.world.order_lines.select("order_id", "line_no", "order_item_id")
    rows = reader.world.market_feedback.filter(
        pl.col("entered_at") <= reader.clock, ~pl.col("is_automated")
    ).join(items, on=["order_id", "line_no"])
    for row in rows.iter_rows(named=True):
        line = lines.get(key("ebay", row["account"], row["order_id"], row["order_item_id"]))
        if line is None:
            continue
        stars = None if row["stars"] is None else float(row["stars"])
        yield _row(
            known, row, "ebay", row["feedback_id"], [line], line, row["entered_at"], stars,
            row["comment_type"].lower(), "code",
        )  # fmt: skip


def _row(
    known: Known,
    row: dict[str, Any],
    source: str,
    number: str,
    mine: list[Line],
    only: Line | None,
    created: datetime,
    stars: float | None,
    sentiment: str,
    told_by: str,
) -> dict[str, Any]:
    own = key(source, row["account"], "seller_feedback", number)
    marketplace = mine[0].place.name if mine else row["marketplace"]
    place = known.reader.places[row["account"], marketplace]
    return {
        "feedback_key": own,
        "feedback_kind": "seller_feedback",
        "feedback_source": source,
        "feedback_id": number,
        "account": row["account"],
        "marketplace": marketplace,
        "country": mine[0].country if mine else "ZZ",
        "order_key": mine[0].order_key if mine else UNKNOWN,
        "order_line_key": only.key if only else UNKNOWN,
        "sku": only.sku if only else UNKNOWN,
        "product_id": known.product(only.sku).product_id if only else UNKNOWN,
        "listing_id": only.listing_id if only else UNKNOWN,
        "link_confidence": "exact" if mine else NONE,
        "counted_once_group": own,
        "is_counted": True,
        "created_at": created,
        "created_date": place.day(created),
        "stars_first": stars,
        "stars_now": stars,
        "sentiment": sentiment,
        "sentiment_source": told_by,
        "is_negative": sentiment == "negative",
        "reason_l2": NONE,
        "text_hash": text_hash(row["comment"]),
        "changed_at": None,
        "removed_at": None,
        "contacted_at": None,
        "replied_at": None,
        "case_key": NONE,
        "is_published": True,
    }
