"""What buyers of the seller's own shops say of products in a review app.

Belongs here: the table `product_reviews` and its sentences of praise. Does not belong here: what is
said of wrong goods (`comments.py`), how an app shows it (`sources/reviews/sandbox`).

Review apps belong to shops: Shopify's where the scenario has one, else those by files. A review
names the product and not its variant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from sources._sandbox.world import geography
from sources._sandbox.world.comments import SENTENCES, language_of, topic_of
from sources._sandbox.world.draws import text_ids
from sources._sandbox.world.simulation import Simulation
from sources._sandbox.world.tables import SCHEMAS

TROUBLED, MOST = 4.0, 0.6
FIRST_REVIEW = 700_001
FIRST_PRODUCT = 8_100_000_000
_TROUBLED_STARS = (0.5, 0.25, 0.15, 0.1, 0.0)
_CALM_STARS = (0.01, 0.02, 0.07, 0.2, 0.7)

PRAISE: Mapping[str, tuple[str, str]] = {
    "en": ("Love it", "Very good quality, works exactly as described."),
    "de": ("Sehr zufrieden", "Sehr gute Qualität, genau wie beschrieben."),
    "fr": ("Très contente", "Très bonne qualité, conforme à la description."),
    "es": ("Muy contenta", "Muy buena calidad, tal como se describe."),
    "it": ("Molto soddisfatta", "Ottima qualità, proprio come descritto."),
    "pt": ("Muito satisfeita", "Muito boa qualidade, como na descrição."),
    "ja": ("大満足", "品質がとても良く、説明どおりの商品でした。"),
    "zh": ("很满意", "质量很好 和描述一样。"),
}


def product_reviews_table(
    sim: Simulation,
    orders: pl.DataFrame,
    lines: pl.DataFrame,
    units: pl.DataFrame,
    shipments: pl.DataFrame,
) -> pl.DataFrame:
    """One row per review; empty where the scenario has no review app or no shop."""
    apps = [a.name for a in sim.scenario.accounts if a.connector == "reviews"]
    shops = [a.name for a in sim.scenario.accounts if a.connector == "shopify"] or [
        a.name for a in sim.scenario.accounts if a.connector == "files"
    ]
    if not apps or not shops:
        return pl.DataFrame()
    reviewed = _reviewed(
        sim, orders.filter(pl.col("account").is_in(shops)), lines, units, shipments
    )
    products = product_numbers(sim.catalogue.frame)
    rows = [
        _review(sim, row, apps[int(sim.draws.one("review.app", row["order_id"]) * len(apps))],
                products)
        for row in reviewed.iter_rows(named=True)
    ]  # fmt: skip
    rows.sort(key=lambda row: (row["created_at"], row["order_id"], row["line_no"]))
    for number, row in enumerate(rows):
        row["review_id"] = str(FIRST_REVIEW + number)
    return pl.DataFrame(rows, schema=dict(SCHEMAS["product_reviews"]))


def product_numbers(catalogue: pl.DataFrame) -> dict[str, int]:
    """The shop's number of each SKU's product."""
    numbers: dict[str, int] = {}
    pairs = catalogue.select("sku", "product_id").rows()
    return {
        sku: FIRST_PRODUCT + numbers.setdefault(product, len(numbers) + 1) for sku, product in pairs
    }


def _reviewed(
    sim: Simulation,
    orders: pl.DataFrame,
    lines: pl.DataFrame,
    units: pl.DataFrame,
    shipments: pl.DataFrame,
) -> pl.DataFrame:
    """Delivered lines whose buyers write a review, with what was wrong with them."""
    of_line = ["order_id", "line_no"]
    causes = (
        units.filter(pl.col("true_cause").is_not_null())
        .sort(*of_line, "unit_no")
        .group_by(of_line, maintain_order=True)
        .agg(pl.col("true_cause").first())
    )
    arrived = shipments.group_by(of_line).agg(pl.col("delivered_at").min())
    found = (
        lines.filter(pl.col("added_at").is_null())
        .select(*of_line, "sku", "listing_sku")
        .join(orders.filter(pl.col("link_kind").is_null()), on="order_id", maintain_order="left")
        .join(arrived, on=of_line, maintain_order="left")
        .join(causes, on=of_line, how="left", maintain_order="left")
        .filter(pl.col("delivered_at").is_not_null())
    )
    rate = sim.scenario.review_rate
    troubled = found["true_cause"].is_not_null().to_numpy()
    share = np.where(troubled, min(MOST, TROUBLED * rate), rate)
    keys = text_ids([f"{order} {line}" for order, line in found.select(of_line).rows()])
    return found.filter(pl.Series(sim.draws.chance("review", keys, share)))


def _review(
    sim: Simulation, row: Mapping[str, Any], app: str, products: Mapping[str, int]
) -> dict[str, Any]:
    key = (row["order_id"], row["line_no"])

    def luck(purpose: str) -> float:
        return sim.draws.one(f"review.{purpose}", *key)

    cause = row["true_cause"] or ""
    stars = _picked(luck("stars"), _TROUBLED_STARS if cause else _CALM_STARS)
    language = language_of(geography.country(row["country"]).language, sim.scenario.languages)
    created = row["delivered_at"] + timedelta(seconds=int(luck("at") * 18 * 86_400) + 86_400)
    title, body = _words(language, cause, stars, luck("words"))
    is_low = stars <= 2
    changes = is_low and luck("changed") < 0.12
    number = products[row["sku"]]
    is_own_shop = row["connector"] == "shopify"
    return {
        "account": app,
        "review_id": "",
        "shop": row["account"],
        "order_id": row["order_id"],
        "line_no": row["line_no"],
        "customer_no": row["customer_no"],
        "sku": row["sku"],
        "product_ref": str(number) if is_own_shop else row["listing_sku"],
        "language": language,
        "created_at": created,
        "stars_first": stars,
        "title": title,
        "body": body if luck("told") < 0.85 else None,
        "is_verified": luck("verified") < 0.9,
        "is_published": not (is_low and luck("held") < 0.25),
        "replied_at": _later(created, luck("reply.at"), 5) if luck("reply") < 0.25 else None,
        "changed_at": _later(created, luck("changed.at"), 30) if changes else None,
        "changed_stars": 4 + (luck("better") < 0.5) if changes else None,
    }


def _picked(at: float, shares: Sequence[float]) -> int:
    """Stars from 1."""
    for number, share in enumerate(shares, 1):
        at -= share
        if at < 0:
            return number
    return len(shares)


def _later(start: datetime, share: float, days: float) -> datetime:
    return start + timedelta(seconds=int((0.5 + share * days) * 86_400))


def _words(language: str, cause: str, stars: int, luck: float) -> tuple[str | None, str]:
    topic = topic_of(cause) if cause else ""
    if topic and stars < 4:
        choice = SENTENCES[language][topic]
        return None, choice[int(luck * len(choice))]
    return PRAISE[language]
