"""What carriers bill for parcels that the seller sends and takes back at his own account.

Belongs here: the table `carrier_bills`. Does not belong here: what marketplaces bill for sending
(`settlements.py`, `market_money.py`).

Each carrier bills once a week, in its own currency: the way, for some parcels a surcharge, for some
that cross a border the duty, the way back of what nobody took, money back for what it lost; now and
then a correction of the last bill, and a charge for a number that is nobody's.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from sources._sandbox.world.draws import Floats, Ids, text_ids
from sources._sandbox.world.simulation import Simulation

_CURRENCIES = {"DHL": "EUR", "Royal Mail": "GBP", "YunExpress": "CNY"}
_PER_USD = {"EUR": 0.9, "GBP": 0.75, "CNY": 7.0}
_CLAIM_AFTER = pl.duration(days=30)
_WEEK = pl.duration(weeks=1)


def carrier_bills_table(
    sim: Simulation, orders: pl.DataFrame, shipments: pl.DataFrame, returns: pl.DataFrame,
    shop_returns: pl.DataFrame,
) -> pl.DataFrame:  # fmt: skip
    """One row per parcel, kind of charge and bill."""
    parcels = pl.concat(
        [_sent(orders, shipments), _taken_back(orders, shipments, returns, shop_returns)]
    )
    if not parcels.height:
        return pl.DataFrame()
    ids = text_ids(parcels["tracking_number"].to_list())
    charges = pl.concat(_charges(sim, parcels, ids))
    week = pl.col("at").dt.truncate("1w") + _WEEK
    return (
        charges.with_columns(
            week.alias("billed_at"),
            pl.col("carrier").replace_strict(_CURRENCIES, default="USD").alias("currency"),
        )
        .with_columns(
            (
                pl.col("usd_cents")
                * pl.col("currency").replace_strict(_PER_USD, default=1.0, return_dtype=pl.Float64)
            )
            .round()
            .cast(pl.Int64)
            .alias("amount_minor"),
            pl.concat_str(
                pl.col("carrier").str.replace_all(" ", "").str.to_uppercase(),
                pl.col("billed_at").dt.strftime("%Y%m%d"),
                separator="-",
            ).alias("bill_ref"),
        )
        .filter(pl.col("amount_minor") != 0)
        .sort("billed_at", "tracking_number", "charge_type")
    )


def _sent(orders: pl.DataFrame, shipments: pl.DataFrame) -> pl.DataFrame:
    """Parcels that the seller sends himself."""
    own = orders.filter(pl.col("fulfilled_by") == "seller").select(
        "order_id", pl.col("country").alias("destination")
    )
    return (
        shipments.join(own, on="order_id", maintain_order="left")
        .unique("tracking_number", keep="first", maintain_order=True)
        .select(
            "tracking_number", "carrier", "service", "state", "state_at",
            pl.col("shipped_at").alias("at"),
            (pl.col("origin") != pl.col("destination")).alias("is_abroad"),
            pl.lit(False).alias("is_return"),
        )
    )  # fmt: skip


def _taken_back(
    orders: pl.DataFrame,
    shipments: pl.DataFrame,
    returns: pl.DataFrame,
    shop_returns: pl.DataFrame,
) -> pl.DataFrame:
    """Labels of own shops, to the warehouse from which the order came."""
    shape = _sent(orders, shipments).clear()
    if not shop_returns.height:
        return shape
    homes = shipments.group_by("order_id").agg(pl.col("origin").first())
    return (
        shop_returns.join(
            returns.select("return_no", "received_at"), on="return_no", maintain_order="left"
        )
        .filter(pl.col("received_at").is_not_null())
        .join(orders.select("order_id", "country"), on="order_id", maintain_order="left")
        .join(homes, on="order_id", maintain_order="left")
        .select(
            pl.format("RT{}", pl.col("return_id").str.slice(1)).alias("tracking_number"),
            pl.lit("DHL").alias("carrier"),
            pl.lit(None, dtype=pl.String).alias("service"),
            pl.lit("delivered").alias("state"),
            pl.col("received_at").alias("state_at"),
            pl.col("received_at").alias("at"),
            (pl.col("origin") != pl.col("country")).alias("is_abroad"),
            pl.lit(True).alias("is_return"),
        )
        .unique("tracking_number", keep="first", maintain_order=True)
        .cast(shape.schema)
    )


def _charges(sim: Simulation, parcels: pl.DataFrame, ids: Ids) -> list[pl.DataFrame]:
    """Kinds of charges with cents of a dollar and the moment for which they are billed."""
    draws = sim.draws
    abroad = parcels["is_abroad"].to_numpy()
    way = draws.lognormal("bill.way", ids, 480, 0.25) * np.where(abroad, 1.9, 1.0)
    is_return, state = pl.col("is_return"), pl.col("state")
    given_back = state.is_in(["refused", "undeliverable"])

    def some(purpose: str, share: float) -> pl.Expr:
        return pl.lit(pl.Series(draws.chance(f"bill.{purpose}", ids, share)))

    def charge(kind: str, cents: Floats, which: pl.Expr, at: pl.Expr | None = None) -> pl.DataFrame:
        return (
            parcels.with_columns(
                pl.lit(kind).alias("charge_type"),
                pl.Series("usd_cents", cents),
                (pl.col("at") if at is None else at).alias("at"),
            )
            .filter(which)
            .select(
                "carrier", "tracking_number", "service", "charge_type", "usd_cents", "at"
            )
        )  # fmt: skip

    of_nobody = charge("freight", way, some("stranger", 0.015)).with_columns(
        pl.format("{}0", "tracking_number").alias("tracking_number")
    )
    return [
        charge("freight", way, ~is_return),
        charge("return", way, is_return),
        charge("surcharge", 0.15 * way, some("surcharge", 0.25)),
        charge("duty", 1.3 * way, pl.col("is_abroad") & some("duty", 0.2)),
        charge("return", 0.8 * way, ~is_return & given_back, pl.col("state_at")),
        charge(
            "claim_credit", 3.0 * way, (state == "lost") & some("claim", 0.7),
            pl.col("state_at") + _CLAIM_AFTER,
        ),
        charge("freight", -0.1 * way, ~is_return & some("correction", 0.03), pl.col("at") + _WEEK),
        of_nobody,
    ]  # fmt: skip
