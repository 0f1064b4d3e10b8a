"""What the seller's own people find when they open a return.

Belongs here: the table `inspections`.
"""

from __future__ import annotations

import polars as pl

from sources._sandbox.world.buyers import MARK
from sources._sandbox.world.market_words import market_return_id
from sources._sandbox.world.reasons import CUSTOMER, DEFECTIVE, SELLABLE
from sources._sandbox.world.return_tables import key_numbers
from sources._sandbox.world.simulation import Simulation


def inspections_table(
    sim: Simulation, returns: pl.DataFrame, return_units: pl.DataFrame, units: pl.DataFrame
) -> pl.DataFrame:
    """Own returns are graded on arrival; of Amazon's unsellable ones some are sent home first."""
    truth = return_units.join(units, on=["order_id", "line_no", "unit_no"], how="left")
    truth = truth.group_by("return_no").agg(
        pl.col("true_cause").first(),
        pl.col("fault_id").first().alias("fault"),
        pl.when(pl.col("lot_id").n_unique() == 1).then(pl.col("lot_id").first()).first(),
    )
    own = pl.col("fulfilled_by") == "seller"
    found = returns.filter(pl.col("received_at").is_not_null()).join(
        truth, on="return_no", how="left", maintain_order="left"
    )
    keys = key_numbers(found["return_no"])
    luck = pl.Series("luck", sim.draws.uniform("inspect", keys))
    other = pl.Series("other", sim.draws.uniform("grade", keys))
    share = sim.scenario.inspection_share
    from_home = own & (luck < share)
    sent_home = pl.col("connector") == "amazon"
    sent_home &= ~own & (pl.col("disposition") != SELLABLE) & pl.col("lpn").is_not_null()
    found = found.with_columns(luck, other, pl.Series("key", keys)).filter(
        from_home | (sent_home & (luck < share / 2))
    )
    return _graded(sim, found)


def _graded(sim: Simulation, found: pl.DataFrame) -> pl.DataFrame:
    nff = [f.fault_id for f in sim.scenario.faults_of("no_fault_found")]
    own = pl.col("fulfilled_by") == "seller"
    fault = pl.col("true_cause")
    empty = fault == "fraud.empty_or_switched_return"
    is_bad = (
        fault.str.starts_with("product_defect.") & ~pl.col("fault").is_in(nff).fill_null(False)
    ) | empty
    is_bad |= pl.col("disposition") == DEFECTIVE
    low = pl.col("other") < 0.5
    grade = (
        pl.when(empty).then(pl.lit("D"))
        .when(is_bad).then(pl.when(low).then(pl.lit("C")).otherwise(pl.lit("D")))
        .when(pl.col("disposition") == SELLABLE).then(pl.lit("A"))
        .when(pl.col("disposition") == CUSTOMER).then(pl.lit("B"))
        .otherwise(pl.lit("C"))
    )  # fmt: skip
    sells_again = pl.col("connector") != "amazon"
    after = (
        pl.when(empty).then(pl.lit("missing"))
        .when((grade == "A") & sells_again).then(pl.lit("restock"))
        .when(grade.is_in(["A", "B"])).then(pl.lit("liquidate"))
        .when(is_bad & low).then(pl.lit("return_to_supplier"))
        .when(grade == "C").then(pl.lit("refurbish"))
        .otherwise(pl.lit("destroy"))
    )  # fmt: skip
    wait = pl.when(own).then(20 + pl.col("other") * 90).otherwise(360 + pl.col("other") * 600)
    return found.select(
        pl.format("I{}", pl.col("return_no").str.slice(1)).alias("inspection_id"),
        "return_no",
        pl.when(pl.col("connector") == "shopify")
        .then(pl.format("1{}", pl.col("return_no").str.slice(1)))
        .when(pl.col("connector").is_in(["ebay", "walmart"]))
        .then(market_return_id())
        .otherwise(pl.coalesce("lpn", "return_no"))
        .alias("return_ref"),
        "account",
        "order_id",
        "sku",
        pl.when(pl.col("luck") * 97 % 1 < 0.5).then("lot_id").alias("lot_id"),
        "received_at",
        (pl.col("received_at") + pl.duration(seconds=(wait * 3600).cast(pl.Int64))).alias(
            "inspected_at"
        ),
        "quantity",
        grade.alias("grade"),
        pl.when(is_bad).then(fault).alias("defect_code"),
        pl.when(is_bad & low).then(pl.lit("see photo 见照片")).alias("defect_text"),
        after.alias("disposition"),
        pl.when(after == "liquidate")
        .then(pl.col("quantity") * 1500)
        .otherwise(0)
        .alias("recovered_minor"),
        pl.lit("CNY").alias("currency"),
        pl.when(low)
        .then(pl.lit(f"Mei {MARK}"))
        .otherwise(pl.lit(f"Tao {MARK}"))
        .alias("inspector"),
        (3 + pl.col("other") * 14).cast(pl.Int64).alias("minutes_spent"),
    )
