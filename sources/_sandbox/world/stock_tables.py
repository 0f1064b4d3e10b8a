"""Tables of stock that moves without being sold: mishaps at the marketplace, goods taken home.

Belongs here: `stock_moves`, `removals` and what Amazon pays for stock that it lost or broke. Does
not belong here: what happens to stock (`stock.py`), goods that buyers send back (`aftermath.py`).
"""

from __future__ import annotations

import numpy as np
import polars as pl

from sources._sandbox.world import geography
from sources._sandbox.world.demand import DAY
from sources._sandbox.world.draws import text_ids
from sources._sandbox.world.effects import day_number
from sources._sandbox.world.reasons import SELLABLE
from sources._sandbox.world.sales_tables import listing_sku
from sources._sandbox.world.simulation import Simulation, digits, times

LOST, DAMAGED, FOUND, REMOVED = "lost", "damaged", "found", "removed"
REMOVAL_FEES = {"Return": "FBARemovalFee", "Disposal": "FBADisposalFee"}
"""What a settlement calls the fee of each kind of removal."""

_REMOVAL_FEE_USD = 0.97


def stock_moves_table(sim: Simulation) -> pl.DataFrame:
    """One row per mishap and lot, until the end of the world."""
    until = day_number(sim.end) * DAY
    mishaps = [found for found in sim.allocation.mishaps if found["at"] < until]
    if not mishaps:
        return pl.DataFrame()
    lots = sim.allocation.lots
    rows = pl.DataFrame(
        [
            {
                "account": found["centre"].account,
                "sku": found["sku"],
                "listing_sku": listing_sku(sim, str(found["centre"].account), found["sku"]),
                "fulfilment_centre_id": found["centre"].name,
                "country": found["centre"].country,
                "stock_pool": found["centre"].stock_pool,
                "at": found["at"],
                "kind": found["kind"],
                "lot_id": lots[found["lot"]]["lot_id"],
                "quantity": found["quantity"],
            }
            for found in mishaps
        ]
    )
    names = [
        "account", "sku", "listing_sku", "fulfilment_centre_id", "country", "stock_pool", "at",
        "kind", "lot_id",
    ]  # fmt: skip
    moves = rows.group_by(names, maintain_order=True).agg(pl.col("quantity").sum())
    keys = text_ids(
        [
            "|".join(map(str, row))
            for row in moves.select("sku", "stock_pool", "at", "kind").iter_rows()
        ]
    )
    return moves.with_columns(
        times(moves["at"].to_numpy()).alias("moved_at"),
        digits(sim.draws.scatter("move", keys % np.uint64(10**14)), 14).alias("reference_id"),
    ).drop("at").sort("moved_at", "reference_id", "lot_id")  # fmt: skip


def removals_table(sim: Simulation, returns: pl.DataFrame, moves: pl.DataFrame) -> pl.DataFrame:
    """Once a month the seller has Amazon clear out what nobody can buy any more."""
    back = returns.filter(
        pl.col("connector") == "amazon",
        pl.col("fulfilled_by") == "marketplace",
        pl.col("received_at").is_not_null(),
        pl.col("disposition") != SELLABLE,
        pl.col("status") != "Reimbursed",
    ).select(
        "account", "sku", "listing_sku", "disposition", "fulfilment_centre_id", "quantity",
        pl.col("posted_at").dt.offset_by("1mo").dt.truncate("1mo").alias("month"),
    )  # fmt: skip
    cleared = (
        back.group_by(
            "account", "sku", "listing_sku", "disposition", "fulfilment_centre_id", "month",
            maintain_order=True,
        )
        .agg(pl.col("quantity").sum())
        .with_columns(
            (pl.col("month") + pl.duration(days=4, hours=8)).alias("requested_at"),
            pl.lit("Disposal").alias("order_type"),
        )
        .drop("month")
    )  # fmt: skip
    taken = pl.DataFrame(schema=cleared.schema)
    if moves.width:
        taken = (
            moves.filter(pl.col("kind") == REMOVED)
            .group_by(
                "account", "sku", "listing_sku", "fulfilment_centre_id", "moved_at",
                maintain_order=True,
            )
            .agg(-pl.col("quantity").sum())
            .select(
                "account", "sku", "listing_sku", pl.lit(SELLABLE).alias("disposition"),
                "fulfilment_centre_id", "quantity",
                (pl.col("moved_at") - pl.duration(days=3)).alias("requested_at"),
                pl.lit("Return").alias("order_type"),
            )
        )  # fmt: skip
    both = pl.concat([cleared, taken])
    return _ordered(sim, both) if both.height else pl.DataFrame()


def home_money(sim: Simulation) -> tuple[dict[str, str], dict[str, float]]:
    """Each account's first currency, and how many of its minor units a US dollar is."""
    first = {m.account.name: m for m in reversed(sim.places.markets)}
    return (
        {name: m.currency for name, m in first.items()},
        {name: geography.units_per_usd(m.currency) * 10**m.decimals for name, m in first.items()},
    )


def _ordered(sim: Simulation, rows: pl.DataFrame) -> pl.DataFrame:
    """Removal orders: one per account, moment and kind, with a line per SKU and state."""
    names = ["account", "requested_at", "order_type"]
    keys = text_ids(["|".join(map(str, row)) for row in rows.select(names).iter_rows()])
    own = text_ids(
        ["|".join(map(str, row)) for row in rows.select(*names, "sku", "disposition").iter_rows()]
    )
    currency, scale = home_money(sim)
    fee = rows["account"].replace_strict(scale, return_dtype=pl.Float64).to_numpy()
    each = np.rint(fee * (_REMOVAL_FEE_USD + sim.draws.uniform("removal.fee", own))).astype(
        np.int64
    )
    days = pl.Series(3 + (sim.draws.uniform("removal.days", keys) * 6).astype(np.int64))
    shipped = pl.col("requested_at") + pl.duration(
        days=pl.when(pl.col("order_type") == "Return").then(3).otherwise(days)
    )
    return rows.with_columns(
        pl.Series(
            "removal_id",
            [
                f"R{n % 10**10:010d}"
                for n in sim.draws.scatter("removal", keys % np.uint64(10**14)).tolist()
            ],
        ),
        rows["account"].replace_strict(currency, return_dtype=pl.String).alias("currency"),
        (pl.Series(each) * pl.col("quantity")).alias("fee_minor"),
        shipped.alias("shipped_at"),
        pl.Series("tracking_number", [f"TBA{n % 10**12:012d}" for n in keys.tolist()]),
    ).sort("requested_at", "removal_id", "listing_sku", "disposition", "fulfilment_centre_id")
