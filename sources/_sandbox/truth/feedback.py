"""Rows of feedback as the sources show it at a clock.

Belongs here: `fct_feedback`: what buyers say of the seller, with the order it is about.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
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
        own = key("amazon", row["account"], "seller_feedback", row["order_id"])
        created = place.noon(row["rated_at"])
        yield {
            "feedback_key": own,
            "feedback_kind": "seller_feedback",
            "feedback_source": "amazon",
            "feedback_id": row["order_id"],
            "account": row["account"],
            "marketplace": row["marketplace"],
            "country": mine[0].country if mine else "ZZ",
            "order_key": order_key if mine else UNKNOWN,
            "order_line_key": only.key if only else UNKNOWN,
            "sku": only.sku if only else UNKNOWN,
            "product_id": known.product(only.sku).product_id if only else UNKNOWN,
            "listing_id": only.listing_id if only else UNKNOWN,
            "link_confidence": "exact" if mine else NONE,
            "counted_once_group": own,
            "is_counted": True,
            "created_at": created,
            "created_date": place.day(created),
            "stars_first": float(row["stars"]),
            "stars_now": float(row["stars"]),
            "sentiment": "negative" if row["stars"] <= 2 else "neutral",
            "sentiment_source": "stars",
            "is_negative": row["stars"] <= 2,
            "reason_l2": NONE,
            "text_hash": text_hash(row["comment"]),
            "changed_at": None,
            "removed_at": None,
            "contacted_at": None,
            "replied_at": None,
            "case_key": NONE,
            "is_published": True,
        }
