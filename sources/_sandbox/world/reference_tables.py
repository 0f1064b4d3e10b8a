"""Tables of what does not move: marketplaces, warehouses, listings, lots, rates of exchange.

Belongs here: turning places, catalogue and stock into the columns of `tables.py`.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from sources._sandbox.world import geography
from sources._sandbox.world.catalogue import SUPPLIERS
from sources._sandbox.world.effects import day_number
from sources._sandbox.world.sales_tables import listing_sku
from sources._sandbox.world.simulation import Simulation

RATES_BEFORE_START = 14
_DAILY_MOVE = 0.004


def marketplaces_table(sim: Simulation) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "account": m.account.name,
                "connector": m.connector,
                "marketplace": m.marketplace,
                "country": m.country,
                "currency": m.currency,
                "decimals": m.decimals,
                "tax_rate_bp": m.tax_bp,
                "prices_include_tax": m.prices_include_tax,
                "time_zone": m.time_zone,
                "region_group": m.region_group,
                "marketplace_id": m.marketplace_id,
                "sales_channel": m.sales_channel,
                "language": m.language,
            }
            for m in sim.places.markets
        ]
    )


def warehouses_table(sim: Simulation) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "fulfilment_centre_id": c.name,
                "name": f"{c.name} {geography.country(c.country).cities[0][0]}",
                "country": c.country,
                "kind": "marketplace" if c.account else "own",
                "account": c.account,
                "region_group": c.region_group,
                "stock_pool": c.stock_pool,
            }
            for c in sim.places.centres
        ],
        infer_schema_length=None,
    )


def suppliers_table() -> pl.DataFrame:
    return pl.DataFrame(
        SUPPLIERS, schema=["supplier_id", "supplier_name", "country", "factory_id"], orient="row"
    )


def listings_table(sim: Simulation) -> pl.DataFrame:
    """Every account lists every SKU."""
    accounts = sorted({m.account.name for m in sim.places.markets})
    kind = {m.account.name: m.connector for m in sim.places.markets}
    base = sim.catalogue.frame.select("sku", "asin", "fnsku", "product_id")
    row = (pl.int_range(pl.len()) + 1).cast(pl.String)
    listed = pl.col("product_id").rank("dense").cast(pl.String)
    frames = []
    for number, account in enumerate(accounts, 1):
        prefix = {"shopify": "44", "ebay": f"6{number:02d}"}.get(kind[account])
        item = f"1{number:02d}" if kind[account] == "ebay" else None
        frames.append(
            base.select(
                pl.lit(account).alias("account"),
                "sku",
                pl.Series(
                    "listing_sku", [listing_sku(sim, account, s) for s in sim.catalogue.skus]
                ),
                "asin",
                "fnsku",
                _numbered(item, listed, 9).alias("item_id"),
                _numbered(prefix, row, 11 if prefix == "44" else 9).alias("variant_id"),
            )
        )
    return pl.concat(frames)


def _numbered(prefix: str | None, number: pl.Expr, width: int) -> pl.Expr:
    """A number behind a prefix; null without one."""
    if prefix is None:
        return pl.lit(None, dtype=pl.String)
    return pl.format("{}{}", pl.lit(prefix), number.str.zfill(width))


def lots_table(sim: Simulation) -> pl.DataFrame:
    """Lots that arrived before the end of the world."""
    factories = {supplier[0]: supplier[3] for supplier in SUPPLIERS}
    if not sim.allocation.lots:
        return pl.DataFrame()
    frame = pl.DataFrame(sim.allocation.lots, infer_schema_length=None)
    return (
        frame.filter(pl.col("arrived_at") < day_number(sim.end) * 86_400_000_000)
        .with_columns(
            pl.col("arrived_at").cast(pl.Datetime("us")),
            pl.col("supplier_id").replace_strict(factories).alias("factory_id"),
            pl.col("expiry_date").cast(pl.Date),
        )
        .sort("arrived_at", "lot_id")
    )


def receipts_table(sim: Simulation) -> pl.DataFrame:
    if not sim.allocation.receipts:
        return pl.DataFrame()
    lots = sim.allocation.lots
    frame = pl.DataFrame(
        [
            {
                "receipt_id": r["receipt_id"],
                "fulfilment_centre_id": r["centre"].name,
                "country": r["centre"].country,
                "stock_pool": r["centre"].stock_pool,
                "account": r["centre"].account,
                "lot_id": lots[r["lot"]]["lot_id"],
                "sku": r["sku"],
                "received_at": r["received_at"],
                "quantity_received": r["quantity_received"],
                "quantity_damaged": r["quantity_damaged"],
            }
            for r in sim.allocation.receipts
        ],
        infer_schema_length=None,
    )
    return (
        frame.filter(pl.col("received_at") < day_number(sim.end) * 86_400_000_000)
        .with_columns(
            pl.col("received_at").cast(pl.Datetime("us")), pl.col("account").cast(pl.String)
        )
        .sort("received_at", "receipt_id", "sku", "lot_id")
        .with_columns(
            (pl.int_range(pl.len()).over("receipt_id") + 1).alias("line_no"),
        )
    )


def exchange_rates(sim: Simulation) -> tuple[pl.DataFrame, pl.DataFrame]:
    """ECB-like rates on working days with a few holidays, and the seller's for other currencies."""
    first = sim.scenario.start - timedelta(days=RATES_BEFORE_START)
    days = (sim.end - first).days + 1
    used = {m.currency for m in sim.places.markets}
    listed = sorted(set(geography.UNITS_PER_EUR) - geography.ECB_LACKS - {"EUR"})
    own = sorted(used & geography.ECB_LACKS)
    frames = [_walk(sim, currency, first, days) for currency in [*listed, *own]]
    rates = pl.concat(frames)
    working = pl.col("rate_date").dt.weekday() <= 5
    holiday = pl.col("rate_date").dt.strftime("%m-%d").is_in(["01-01", "05-01", "12-25", "12-26"])
    ecb = rates.filter(working & ~holiday & pl.col("currency").is_in(listed))
    overrides = rates.filter(pl.col("currency").is_in(own)).select(
        "rate_date",
        pl.lit("EUR").alias("base"),
        pl.col("currency").alias("quote"),
        pl.col("units_per_eur").alias("rate"),
        pl.lit("bank").alias("source"),
    )
    return ecb.sort("rate_date", "currency"), overrides.sort("rate_date", "quote")


def _walk(sim: Simulation, currency: str, first: date, days: int) -> pl.DataFrame:
    """A random walk around a plausible level, day by day."""
    days_since_1970 = np.arange(day_number(first), day_number(first) + days, dtype=np.uint64)
    steps = sim.draws.uniform(f"fx.{currency}", days_since_1970) - 0.5
    level = geography.UNITS_PER_EUR[currency] * np.exp(2 * _DAILY_MOVE * np.cumsum(steps))
    places = 4 if level[0] < 20 else 2
    return pl.DataFrame(
        {
            "rate_date": pl.date_range(first, first + timedelta(days=days - 1), eager=True),
            "currency": pl.Series([currency] * days),
            "units_per_eur": [f"{value:.{places}f}" for value in level.tolist()],
        }
    )
