"""What buyers say of the seller: feedback on whole orders, as Amazon tells of it.

Belongs here: the table `feedback`. Amazon gives one to three stars only; how many were content
nobody is told.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from sources._sandbox.world import geography
from sources._sandbox.world.comments import language_of, write_comments
from sources._sandbox.world.simulation import Simulation

TROUBLED_SHARE, CONTENT_SHARE = 0.2, 0.012
COMMENT_SHARE = 0.9
_STARS = (0.55, 0.2, 0.25)  # of one, two, three


def feedback_table(
    sim: Simulation, orders: pl.DataFrame, units: pl.DataFrame, buyers: pl.DataFrame
) -> pl.DataFrame:
    """One row per rated order, some days or weeks after it was complete."""
    trouble = (
        units.filter(pl.col("true_cause").is_not_null())
        .sort("order_id", "line_no", "unit_no")
        .group_by("order_id", maintain_order=True)
        .agg(pl.col("true_cause").first())
    )
    sent = (
        orders.filter(
            pl.col("connector") == "amazon",
            pl.col("shipped_complete_at").is_not_null(),
            pl.col("link_kind").is_null(),
        )
        .join(trouble, on="order_id", how="left", maintain_order="left")
        .join(buyers.select("customer_no", "email", "phone").unique("customer_no", keep="first"),
              on="customer_no", how="left", maintain_order="left")
    )  # fmt: skip
    keys = _order_numbers(sent["order_id"])
    share = np.where(sent["true_cause"].is_not_null().to_numpy(), TROUBLED_SHARE, CONTENT_SHARE)
    struck = pl.Series(sim.draws.chance("feedback", keys, share))
    rated = sent.filter(struck)
    keys = _order_numbers(rated["order_id"])
    days = sim.draws.between("feedback.at", keys, 6, 45)
    seconds = pl.Series((days * 86_400).astype(np.int64)).cast(pl.Duration("us")) * 1_000_000
    answered = pl.Series(sim.draws.chance("feedback.answered", keys, 0.3))
    return rated.with_columns(
        (pl.col("shipped_complete_at") + seconds).alias("rated_at"),
        pl.Series("stars", sim.draws.pick("feedback.stars", keys, _STARS) + 1),
        write_comments(
            sim.draws,
            rated["true_cause"].fill_null("").to_numpy(),
            _languages(sim, rated["country"]),
            keys,
            COMMENT_SHARE,
            (rated["email"], rated["phone"]),
        ).alias("comment"),
        pl.when(answered).then(pl.lit("We are sorry and have written to you.")).alias("response"),
    ).select(
        "account", "marketplace", "order_id", "rated_at", "stars", "comment", "response",
        pl.col("email").alias("rater_email"),
    ).sort("rated_at", "order_id")  # fmt: skip


def _order_numbers(orders: pl.Series) -> np.ndarray:
    return orders.str.replace_all("-", "", literal=True).cast(pl.UInt64).to_numpy()


def _languages(sim: Simulation, countries: pl.Series) -> np.ndarray:
    spoken = sim.scenario.languages
    found = {
        code: language_of(geography.country(code).language, spoken)
        for code in countries.unique().to_list()
    }
    return countries.replace_strict(found, return_dtype=pl.String).to_numpy()
