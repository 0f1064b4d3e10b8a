"""What buyers of eBay say of the seller, and what they claim through their bank.

Belongs here: the tables `market_feedback` and `market_disputes`. Walmart tells of neither.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from sources._sandbox.world import geography
from sources._sandbox.world.comments import language_of, write_comments
from sources._sandbox.world.market_tables import chance, hours, numbers
from sources._sandbox.world.simulation import Simulation

TROUBLED_SHARE, CONTENT_SHARE, AUTOMATED_SHARE = 0.35, 0.12, 0.1
DISPUTE_SHARE = 0.012
KINDS = ("POSITIVE", "NEUTRAL", "NEGATIVE")
_OF_TROUBLED, _OF_CONTENT = (0.2, 0.25, 0.55), (1.0, 0.0, 0.0)
_REASONS = ("FRAUD", "ITEM_NOT_RECEIVED", "SIGNIFICANTLY_NOT_AS_DESCRIBED")
_THANKS = {"POSITIVE": "Great seller, thank you!", "NEUTRAL": "It was okay.", "NEGATIVE": None}


def market_voices(
    sim: Simulation,
    orders: pl.DataFrame,
    lines: pl.DataFrame,
    units: pl.DataFrame,
    buyers: pl.DataFrame,
) -> dict[str, pl.DataFrame]:
    """Both tables; empty where the scenario has no account at eBay."""
    sent = orders.filter(pl.col("connector") == "ebay", pl.col("shipped_complete_at").is_not_null())
    if not sent.height:
        return {"market_feedback": pl.DataFrame(), "market_disputes": pl.DataFrame()}
    return {
        "market_feedback": _feedback(sim, sent, lines, units, buyers),
        "market_disputes": _disputes(sim, sent, lines),
    }


def _feedback(
    sim: Simulation,
    sent: pl.DataFrame,
    lines: pl.DataFrame,
    units: pl.DataFrame,
    buyers: pl.DataFrame,
) -> pl.DataFrame:
    """By line, some days or weeks after the order was complete."""
    causes = (
        units.filter(pl.col("true_cause").is_not_null())
        .group_by("order_id", "line_no", maintain_order=True)
        .agg(pl.col("true_cause").first())
    )
    people = buyers.select("customer_no", "email", "phone").unique("customer_no", keep="first")
    found = (
        lines.select("order_id", "line_no", "order_item_id")
        .join(sent, on="order_id", maintain_order="left")
        .join(causes, on=["order_id", "line_no"], how="left", maintain_order="left")
        .join(people, on="customer_no", how="left", maintain_order="left")
    )
    troubled = found["true_cause"].is_not_null().to_numpy()
    keys = numbers(found["order_item_id"])
    share = np.where(troubled, TROUBLED_SHARE, CONTENT_SHARE)
    found = found.filter(pl.Series(sim.draws.chance("ebay.feedback", keys, share)))
    keys = numbers(found["order_item_id"])
    bad = found["true_cause"].is_not_null().to_numpy()
    kind = np.where(
        bad,
        sim.draws.pick("ebay.feedback.kind", keys, _OF_TROUBLED),
        sim.draws.pick("ebay.feedback.kind", keys, _OF_CONTENT),
    )
    words = pl.Series("kind", np.array(KINDS)[kind])
    automated = pl.Series(sim.draws.chance("ebay.automated", keys, AUTOMATED_SHARE)) & ~pl.Series(
        bad
    )
    told = write_comments(
        sim.draws,
        found["true_cause"].fill_null("").to_numpy(),
        _languages(sim, found["country"]),
        keys,
        0.9,
        (found["email"], found["phone"]),
    )
    rated = pl.Series(sim.draws.chance("ebay.rated", keys, 0.6))
    stars = pl.Series(np.array((5, 3, 1))[kind]) + pl.Series(
        ((kind == 2) & sim.draws.chance("ebay.two", keys, 0.3)).astype(np.int64)
    )
    return found.with_columns(words, told.alias("told"), stars.alias("stars")).select(
        pl.format("3{}", "order_item_id").alias("feedback_id"),
        "account",
        "order_id",
        "line_no",
        (
            pl.col("shipped_complete_at")
            + hours(sim.draws, "ebay.feedback.at", found["order_item_id"], 180, 960)
        ).alias("entered_at"),
        pl.col("kind").alias("comment_type"),
        pl.when(pl.Series(bad))
        .then("told")
        .otherwise(pl.col("kind").replace_strict(_THANKS, return_dtype=pl.String))
        .alias("comment"),
        pl.when(rated).then("stars").alias("stars"),
        automated.alias("is_automated"),
    ).sort("entered_at", "feedback_id")  # fmt: skip


def _languages(sim: Simulation, countries: pl.Series) -> np.ndarray:
    found = {
        code: language_of(geography.country(code).language, sim.scenario.languages)
        for code in countries.unique().to_list()
    }
    return countries.replace_strict(found, return_dtype=pl.String).to_numpy()


def _disputes(sim: Simulation, sent: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Chargebacks of whole orders; the seller wins some, loses some, gives in to some."""
    worth = (pl.col("unit_price_minor") - pl.col("unit_discount_minor")) * pl.col("quantity")
    shipping = pl.col("shipping_minor") - pl.col("shipping_discount_minor")
    totals = lines.group_by("order_id").agg((worth + shipping).sum().alias("amount_minor"))
    found = sent.filter(
        pl.Series(chance(sim.draws, "ebay.dispute", sent["order_id"], DISPUTE_SHARE))
    ).join(totals, on="order_id", maintain_order="left")
    names = found["order_id"]
    end = sim.draws.pick("ebay.dispute.end", numbers(names), (4.0, 4.0, 2.0))
    which = sim.draws.pick("ebay.dispute.reason", numbers(names), (2.0, 1.0, 1.0))
    opened = pl.col("shipped_complete_at") + hours(sim.draws, "ebay.dispute.at", names, 300, 1200)
    return found.select(
        pl.format("5{}", names.str.replace_all("-", "")).alias("dispute_id"),
        "account",
        "order_id",
        pl.Series("reason", np.array(_REASONS)[which]),
        "amount_minor",
        "currency",
        opened.alias("opened_at"),
        (opened + hours(sim.draws, "ebay.dispute.told", names, 24, 90)).alias("responded_at"),
        (opened + hours(sim.draws, "ebay.dispute.over", names, 200, 900)).alias("closed_at"),
        pl.Series("outcome", np.array(("WON", "LOST", "ACCEPTED"))[end]),
    ).sort("opened_at", "dispute_id")
