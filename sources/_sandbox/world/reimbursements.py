"""What Amazon pays for goods that it or its carriers lost or broke, and what it takes back.

Belongs here: the table `reimbursements`: one row per id and SKU, as the report has them. Units
paid in kind carry no money; a reversal is a row of its own that names the id it undoes.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from sources._sandbox.world import fates as fate
from sources._sandbox.world.catalogue import CNY_PER_USD
from sources._sandbox.world.demand import NEVER
from sources._sandbox.world.dispatch import hours
from sources._sandbox.world.draws import Ids
from sources._sandbox.world.reasons import CARRIER, DAMAGED
from sources._sandbox.world.return_tables import live_fates
from sources._sandbox.world.sales_tables import is_shown, listing_skus, return_keys
from sources._sandbox.world.simulation import Simulation, digits, times
from sources._sandbox.world.stock_tables import DAMAGED as DAMAGED_STOCK
from sources._sandbox.world.stock_tables import LOST as LOST_STOCK
from sources._sandbox.world.stock_tables import home_money

LOST, BROKEN, REVERSAL = "Lost_Outbound", "Damaged_Warehouse", "Reimbursement_Reversal"
_COLUMNS = (
    "reimbursement_id", "account", "order_id", "sku", "listing_sku", "currency", "reason",
    "condition", "case_id", "quantity_cash", "quantity_inventory", "amount_minor", "approved_at",
    "original_reimbursement_id", "original_reimbursement_type",
)  # fmt: skip


def reimbursements_table(sim: Simulation, moves: pl.DataFrame) -> pl.DataFrame:
    """Amazon pays for most of what it or its carriers lost or broke."""
    paid = _paid(sim)
    if moves.width:
        paid = pl.concat([paid, _of_stock(sim, moves).select(paid.columns)])
    return (
        pl.concat([paid.select(_COLUMNS), _reversed(sim, paid).select(_COLUMNS)])
        .filter((pl.col("amount_minor") != 0) | (pl.col("quantity_inventory") > 0))
        .sort("approved_at", "reimbursement_id", "listing_sku")
    )


def _paid(sim: Simulation) -> pl.DataFrame:
    """Units broken one by one; units of one order that were lost together under one id."""
    rows = live_fates(sim)
    found, units, lines = sim.fates, sim.units, sim.lines
    order = units.order[found.unit[rows]]
    keys = return_keys(sim)[rows]
    broken = np.isin(found.disposition[rows], (DAMAGED, CARRIER)) & is_shown(sim)[rows]
    broken &= sim.draws.chance("owed", keys, 0.7)
    lost = (found.kind[rows] == fate.MISSING) & (found.refunded[rows] < NEVER)
    lost &= sim.draws.chance("lost.owed", keys, 0.9)
    keep = sim.orders.is_fba[order] & sim.is_amazon(order) & (broken | lost)
    rows, order, lost = rows[keep], order[keep], lost[keep]
    unit = found.unit[rows]
    line = units.line[unit]
    sku = lines.sku[line]
    own = units.serial[unit]
    first = np.full(len(sim.orders), np.iinfo(np.uint64).max, dtype=np.uint64)
    np.minimum.at(first, order[lost], own[lost])
    key = np.where(lost, first[order], own)
    base = np.where(lost, found.refunded[rows], found.posted[rows])
    in_kind = ~lost & sim.draws.chance("paid.in.kind", own, 0.15)
    net = lines.price[line] - lines.discount[line]
    frame = pl.DataFrame(
        {
            "key": key,
            "account": sim.accounts(order),
            "order_id": sim.order_ids.gather(order),
            "sku": sim.skus(sku),
            "listing_sku": listing_skus(sim, order, sku),
            "currency": sim.by_market("currency", order),
            "reason": np.where(lost, LOST, BROKEN),
            "condition": np.where(lost, "SELLABLE", "UNSELLABLE"),
            "quantity_cash": (~in_kind).astype(np.int64),
            "quantity_inventory": in_kind.astype(np.int64),
            "amount_minor": np.where(in_kind, 0, net * 6 // 10),
            "approved": base + hours(sim.draws, "reimbursed", key, 120, 720),
        }
    )
    grouped = frame.with_columns(pl.col("approved").max().over("key")).group_by(
        "key", "account", "order_id", "sku", "listing_sku", "currency", "reason", "condition",
        "approved", maintain_order=True,
    ).agg(pl.col("quantity_cash", "quantity_inventory", "amount_minor").sum())  # fmt: skip
    keys = grouped["key"].to_numpy()
    return grouped.with_columns(
        _ids(sim, "reimbursement", keys),
        times(grouped["approved"].to_numpy()).alias("approved_at"),
        _cases(sim, keys),
        pl.lit(None, dtype=pl.String).alias("original_reimbursement_id"),
        pl.lit(None, dtype=pl.String).alias("original_reimbursement_type"),
    )


def _of_stock(sim: Simulation, moves: pl.DataFrame) -> pl.DataFrame:
    """Stock of no order that was broken, or lost and not found: at what it cost."""
    currency, scale = home_money(sim)
    costs = sim.catalogue.frame.select("sku", "unit_landed_cost_minor")
    gone = (
        moves.filter(pl.col("kind").is_in([LOST_STOCK, DAMAGED_STOCK]))
        .group_by(
            "reference_id", "account", "sku", "listing_sku", "kind", "moved_at",
            maintain_order=True,
        )
        .agg(-pl.col("quantity").sum())
        .join(costs, on="sku", how="left", maintain_order="left")
    )  # fmt: skip
    keys = gone["reference_id"].cast(pl.UInt64).to_numpy()
    usd = gone["unit_landed_cost_minor"].to_numpy() / 100 / CNY_PER_USD
    local = usd * gone["account"].replace_strict(scale, return_dtype=pl.Float64).to_numpy()
    is_lost = pl.col("kind") == LOST_STOCK
    approved = gone["moved_at"].dt.timestamp("us").to_numpy() + hours(
        sim.draws, "reimbursed.stock", keys, 300, 800
    )
    return gone.with_columns(
        pl.Series("key", keys),
        pl.lit(None, dtype=pl.String).alias("order_id"),
        gone["account"].replace_strict(currency, return_dtype=pl.String).alias("currency"),
        pl.when(is_lost).then(pl.lit("Lost_Warehouse")).otherwise(pl.lit(BROKEN)).alias("reason"),
        pl.lit("SELLABLE").alias("condition"),
        pl.Series("approved", approved),
        pl.col("quantity").alias("quantity_cash"),
        pl.lit(0, dtype=pl.Int64).alias("quantity_inventory"),
        (pl.col("quantity") * pl.Series(np.rint(local).astype(np.int64))).alias("amount_minor"),
        _ids(sim, "reimbursement.stock", keys),
        times(approved).alias("approved_at"),
        _cases(sim, keys),
        pl.lit(None, dtype=pl.String).alias("original_reimbursement_id"),
        pl.lit(None, dtype=pl.String).alias("original_reimbursement_type"),
    )


def _ids(sim: Simulation, purpose: str, keys: Ids) -> pl.Series:
    return digits(sim.draws.scatter(purpose, keys), 14).alias("reimbursement_id")


def _cases(sim: Simulation, keys: Ids) -> pl.Series:
    """A third of all was paid because the seller asked."""
    cases = digits(sim.draws.scatter("case", keys), 14).str.slice(4)
    return cases.set(pl.Series(sim.draws.uniform("case?", keys) > 0.33), None).alias("case_id")


def _reversed(sim: Simulation, paid: pl.DataFrame) -> pl.DataFrame:
    """Amazon takes back one in eight of what it paid: the goods were found, or came back."""
    keys = paid["key"].to_numpy()
    struck = pl.Series(sim.draws.chance("reversed", keys, 0.12))
    back = paid.filter(struck & (paid["amount_minor"] > 0))
    keys = back["key"].to_numpy()
    at = back["approved"].to_numpy() + hours(sim.draws, "reversed.at", keys, 200, 900)
    return back.with_columns(
        pl.col("reimbursement_id").alias("original_reimbursement_id"),
        pl.col("reason").alias("original_reimbursement_type"),
        _ids(sim, "reversal", keys),
        pl.lit(REVERSAL).alias("reason"),
        -pl.col("quantity_cash"),
        -pl.col("amount_minor"),
        times(at).alias("approved_at"),
    )
