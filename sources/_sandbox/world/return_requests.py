"""What buyers ask of a seller who sends himself: return requests as Amazon keeps them.

Belongs here: the table `return_requests`: the life of a request, its label, who pays for it. Does
not belong here: which goods come back and why (`aftermath.py`), the report (`amazon/sandbox`).
"""

from __future__ import annotations

import numpy as np
import polars as pl

from sources._sandbox.world import geography
from sources._sandbox.world.return_tables import key_numbers
from sources._sandbox.world.simulation import Simulation

PREPAID, UNPAID, OWN = "AmazonPrePaidLabel", "AmazonUnPaidLabel", "SellerProvidedLabel"
"""Who makes the label: a prepaid one is billed by Amazon in the settlement."""

_SELLER_PAYS = ("product_defect.", "description.", "fulfilment.", "logistics.")
_RESOLUTIONS = {"refund": "StandardRefund", "exchange": "Exchange", "replacement": "Replacement"}
_LABEL_USD = 4.2


def return_requests_table(
    sim: Simulation,
    orders: pl.DataFrame,
    lines: pl.DataFrame,
    returns: pl.DataFrame,
    refunds: pl.DataFrame,
) -> pl.DataFrame:
    """One row per request; the report shows an item in more than one block where `blocks` says."""
    found = _asked(orders, lines, returns, refunds)
    keys = key_numbers(found["return_no"])
    draws = sim.draws
    seller_pays = pl.any_horizontal(
        [pl.col("canonical_reason").str.starts_with(start) for start in _SELLER_PAYS]
    )
    found = found.with_columns(
        pl.Series("luck", draws.uniform("request", keys)),
        pl.Series("is_prepaid", draws.chance("label.prepaid", keys, 0.6)),
        pl.Series("is_declined", draws.chance("declined", keys, 0.3)),
        pl.Series("label_cost", _label_costs(sim, found, keys)),
        pl.Series("carrier_no", draws.scatter("label", keys).astype(np.int64)),
        seller_pays.alias("is_sellers_fault"),
    )
    is_out = pl.col("closed_at").is_not_null()
    whole = (pl.col("quantity") == 1) & (pl.col("order_quantity") == 1) & (pl.col("luck") < 0.4)
    return found.select(
        "return_no", "account", "order_id", "line_no", "sku", "listing_sku", "currency",
        "quantity", "order_quantity", "order_amount_minor", "reason_code", "requested_at",
        "received_at", "closed_at", "refunded_at", "refund_minor",
        pl.format("D{}RRMA", pl.col("return_no").str.slice(1)).alias("merchant_rma_id"),
        (pl.col("requested_at") + pl.duration(seconds=(pl.col("luck") * 90_000).cast(pl.Int64)))
        .alias("approved_at"),
        (is_out & pl.col("is_declined")).alias("is_declined"),
        pl.when(~pl.col("is_sellers_fault")).then(pl.lit(UNPAID))
        .when("is_prepaid").then(pl.lit(PREPAID)).otherwise(pl.lit(OWN)).alias("label_type"),
        pl.when("is_sellers_fault").then(pl.lit("Seller")).otherwise(pl.lit("Customer"))
        .alias("label_payer"),
        pl.when(is_out).then(None).otherwise("label_cost").alias("label_cost_minor"),
        pl.when(~is_out).then(pl.format("JD{}", "carrier_no")).alias("tracking_number"),
        pl.col("ends_as").replace_strict(_RESOLUTIONS, default=None).alias("resolution"),
        (pl.col("luck") < 0.9).alias("is_in_policy"),
        (pl.col("luck") * 7 % 1 < 0.02).alias("has_claim"),
        (pl.col("luck") * 11 % 1 < 0.2).alias("is_prime"),
        pl.when(whole).then(2).otherwise(1).alias("blocks"),
        (pl.col("luck") * 13 % 1 < 0.5).alias("shows_refund"),
    ).sort("requested_at", "return_no")  # fmt: skip


def _asked(
    orders: pl.DataFrame, lines: pl.DataFrame, returns: pl.DataFrame, refunds: pl.DataFrame
) -> pl.DataFrame:
    """Requests with what was ordered and paid back."""
    net = pl.col("unit_price_minor") - pl.col("unit_discount_minor") + pl.col("unit_tax_minor")
    bought = lines.group_by("order_id").agg(
        pl.col("quantity").sum().alias("order_quantity"),
        (net * pl.col("quantity")).sum().alias("order_amount_minor"),
    )
    worth = pl.col("principal_minor") + pl.col("tax_minor") + pl.col("shipping_minor")
    paid = refunds.filter(pl.col("return_no").is_not_null()).select(
        "return_no", "refunded_at", worth.alias("refund_minor")
    )
    return (
        returns.filter(
            pl.col("connector") == "amazon",
            pl.col("fulfilled_by") == "seller",
            pl.col("requested_at").is_not_null(),
        )
        .join(orders.select("order_id", "currency", "marketplace"), on="order_id")
        .join(bought, on="order_id")
        .join(
            paid.unique("return_no", keep="first", maintain_order=True), on="return_no", how="left"
        )
        .sort("return_no")
    )


def _label_costs(sim: Simulation, found: pl.DataFrame, keys: np.ndarray) -> np.ndarray:
    """Postage of one parcel back, in the currency of the order."""
    rate = {m.currency: geography.units_per_usd(m.currency) * 10**m.decimals
            for m in sim.places.markets}  # fmt: skip
    local = found["currency"].replace_strict(rate, return_dtype=pl.Float64).to_numpy()
    usd = _LABEL_USD + 2.5 * sim.draws.uniform("label.cost", keys)
    return np.rint(usd * local).astype(np.int64)
