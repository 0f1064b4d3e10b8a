"""Reviews of products as the seller's review apps show them at a clock.

Belongs here: rows of `fct_feedback` of review apps. They name the shop's product, not the variant:
a SKU is known where the product has only one that was sold, or Okendo names the order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import polars as pl

from sources._sandbox.truth.cases import lines_by_order
from sources._sandbox.truth.desk_cases import hash_of
from sources._sandbox.truth.facts import Known
from sources._sandbox.truth.reader import NONE, UNKNOWN, Line, key
from sources._sandbox.world.product_reviews import product_numbers

Row = dict[str, Any]


def product_reviews(known: Known) -> Iterator[Row]:
    """One row per review; Okendo gives those that are published."""
    world, clock = known.reader.world, known.reader.clock
    vendors = {
        a.name: a.provider or "judge_me"
        for a in world.scenario.accounts
        if a.connector == "reviews"
    }
    held, orders = _held(known), lines_by_order(known)
    for row in world.product_reviews.filter(pl.col("created_at") <= clock).iter_rows(named=True):
        vendor = vendors[row["account"]]
        mine: list[Line] = []
        if vendor == "okendo":
            if not row["is_published"]:
                continue
            connector = "shopify" if row["product_ref"].isdecimal() else "files"
            mine = orders.get(key(connector, row["shop"], row["order_id"]), [])
        yield _row(known, row, vendor, held.get(row["product_ref"], []), mine)


def _held(known: Known) -> dict[str, list[Line]]:
    """Lines by the number of their product, or their SKU."""
    numbers = product_numbers(known.reader.world.products)
    found: dict[str, list[Line]] = defaultdict(list)
    for fate in known.fates.values():
        line = fate.line
        if line.connector == "shopify" and line.listing_id != UNKNOWN:
            found[str(numbers[line.sku])].append(line)
        found[line.sku].append(line)
    return found


def _row(known: Known, row: Row, vendor: str, held: list[Line], mine: list[Line]) -> Row:
    skus = {line.sku for line in held}
    only = next(iter(skus)) if len(skus) == 1 else None
    best = [line for line in mine if line.sku == only] or mine
    line = best[0] if len(best) == 1 else None
    products = {known.product(sku).product_id for sku in skus}
    of_line = known.product(line.sku).product_id if line else None
    places = {(held_line.account, held_line.place.name) for held_line in held}
    account, marketplace = next(iter(places)) if len(places) == 1 else (row["account"], UNKNOWN)
    if mine:
        account, marketplace = mine[0].account, mine[0].place.name
    place = known.reader.places.get((account, marketplace))
    is_changed = row["changed_at"] is not None and row["changed_at"] <= known.reader.clock
    stars = float(row["changed_stars"] if is_changed else row["stars_first"])
    sentiment = "negative" if stars <= 2 else "neutral" if stars < 4 else "positive"
    created = row["created_at"]
    return {
        "feedback_key": key("reviews", row["account"], "product_review", vendor, _id(row, vendor)),
        "feedback_kind": "product_review",
        "feedback_source": vendor,
        "feedback_id": _id(row, vendor),
        "account": account,
        "marketplace": marketplace,
        "country": mine[0].country if mine else "ZZ",
        "order_key": mine[0].order_key if mine else UNKNOWN if vendor == "okendo" else NONE,
        "order_line_key": line.key if line else UNKNOWN if vendor == "okendo" else NONE,
        "sku": line.sku if line else only or UNKNOWN,
        "product_id": of_line or (next(iter(products)) if len(products) == 1 else UNKNOWN),
        "listing_id": line.listing_id if line else row["product_ref"],
        "link_confidence": "exact" if mine else "product" if held else NONE,
        "counted_once_group": key("reviews", row["account"], vendor, _id(row, vendor)),
        "is_counted": True,
        "created_at": created,
        "created_date": place.day(created) if place else created.date(),
        "stars_first": stars,
        "stars_now": stars,
        "sentiment": sentiment,
        "sentiment_source": "stars",
        "is_negative": sentiment == "negative",
        "reason_l2": NONE,
        "text_hash": hash_of(row["title"] or "", row["body"] or ""),
        "changed_at": None,
        "removed_at": None,
        "contacted_at": None,
        "replied_at": None,
        "case_key": NONE,
        "is_published": row["is_published"],
    }


def _id(row: Row, vendor: str) -> str:
    number = row["review_id"]
    return f"123e4567-e89b-12d3-a456-{int(number):012d}" if vendor == "okendo" else number
