"""Tables that only eBay and Walmart have: cases of returns, items not received, refunds as told.

Belongs here: what these two keep beside orders, lines and parcels, told from the tables that all
channels share. Does not belong here: how an API shows it (`sources/ebay`, `sources/walmart`).
"""

from __future__ import annotations

import numpy as np
import polars as pl

from sources._sandbox.world.draws import Draws
from sources._sandbox.world.market_words import REASON_TYPES, market_return_id
from sources._sandbox.world.simulation import Simulation
from sources._sandbox.world.tables import SCHEMAS

MARKETS = ("ebay", "walmart")
FEE_BP = 1_235  # of what the buyer pays; given back with a refund
_LINE = ["order_id", "line_no"]
_NEVER = pl.lit(None, dtype=pl.Datetime("us"))


def market_tables(
    sim: Simulation,
    orders: pl.DataFrame,
    lines: pl.DataFrame,
    units: pl.DataFrame,
    shipments: pl.DataFrame,
    returns: pl.DataFrame,
    refunds: pl.DataFrame,
) -> dict[str, pl.DataFrame]:
    """All of them, by name; empty where the scenario has no account there."""
    mine = orders.filter(pl.col("connector").is_in(MARKETS))
    if not mine.height:
        names = [name for name in SCHEMAS if name.startswith("market_")]
        return {name: pl.DataFrame(schema=dict(SCHEMAS[name])) for name in names}
    paid = refunds.filter(pl.col("connector").is_in(MARKETS))
    back = _returns(sim.draws, mine, returns, paid)
    inquiries = _inquiries(sim.draws, mine, shipments, paid)
    cancelled = _cancelled(sim.draws, mine, lines)
    return {
        "market_returns": back,
        "market_inquiries": inquiries,
        "market_refunds": _refunds(sim.draws, back, inquiries, paid, cancelled),
    }


def with_customer_orders(
    sim: Simulation, orders: pl.DataFrame, units: pl.DataFrame
) -> pl.DataFrame:
    """Walmart's number of the buyer's order; a few are split into two orders to the seller.

    An order with a replacement is never one of two: the replacement names the buyer's order only.
    """
    orders = orders.sort("ordered_at", "order_id")
    walmart = pl.col("connector") == "walmart"
    resent = units["linked_order_id"].drop_nulls()
    alone = pl.col("order_id").is_in(resent.to_list()) | pl.col("order_id").is_in(
        units.filter(pl.col("linked_order_id").is_not_null())["order_id"].to_list()
    )
    number = pl.format("200{}", pl.col("order_id").str.slice(1).str.reverse())
    before = pl.col("order_id").shift().over("account")
    twin = pl.Series(chance(sim.draws, "walmart.split", orders["order_id"], 0.03))
    pair = walmart & twin & ~alone & ~alone.shift().over("account") & ~twin.shift(fill_value=True)
    of_first = pl.format("200{}", before.str.slice(1).str.reverse())
    return orders.with_columns(
        pl.when(pair.fill_null(False))
        .then(of_first)
        .when(walmart)
        .then(number)
        .otherwise("order_number")
        .alias("order_number")
    )


def numbers(texts: pl.Series) -> np.ndarray:
    return texts.str.replace_all(r"\D", "").str.slice(-18).cast(pl.UInt64).to_numpy()


def chance(draws: Draws, purpose: str, texts: pl.Series, share: float) -> np.ndarray:
    return draws.chance(purpose, numbers(texts), share)


def hours(draws: Draws, purpose: str, texts: pl.Series, low: float, high: float) -> pl.Expr:
    """A stretch of whole seconds for each row."""
    seconds = draws.between(purpose, numbers(texts), low, high) * 3600
    return pl.duration(seconds=pl.lit(pl.Series(seconds.astype(np.int64))))


def _between(first: str, last: str, share: pl.Series) -> pl.Expr:
    """A moment between two, in whole seconds."""
    whole = (pl.col(last) - pl.col(first)).dt.total_seconds()
    return pl.col(first) + pl.duration(seconds=(whole * share).cast(pl.Int64))


def _returns(
    draws: Draws, orders: pl.DataFrame, returns: pl.DataFrame, paid: pl.DataFrame
) -> pl.DataFrame:
    """Every return with the days on which it moves on."""
    given = paid.filter(pl.col("return_no").is_not_null()).group_by("return_no").agg(
        pl.col("refunded_at").max(),
        pl.col("units").sum().alias("units_refunded"),
        pl.sum_horizontal("principal_minor", "shipping_minor").sum().alias("refund_minor"),
        pl.sum_horizontal("tax_minor", "shipping_tax_minor").sum().alias("refund_tax_minor"),
    )  # fmt: skip
    sent = orders.filter(pl.col("replaces_order_id").is_not_null()).select(
        pl.col("replaces_order_id").alias("order_id"),
        pl.col("ordered_at").alias("resent_at"),
        pl.col("order_number").alias("replacement_number"),
    )
    found = (
        returns.filter(pl.col("connector").is_in(MARKETS), pl.col("requested_at").is_not_null())
        .join(given, on="return_no", how="left", maintain_order="left")
        .join(sent.unique("order_id", keep="first"), on="order_id", how="left",
              maintain_order="left")
    )  # fmt: skip
    keys = found["return_no"]
    luck = pl.Series(draws.uniform("market.luck", numbers(keys)))
    gone = pl.col("ends_as") == "withdrawn"
    resent = pl.col("ends_as") == "replacement"
    next_step = pl.min_horizontal("received_at", "refunded_at", "resent_at", "closed_at")
    usual = pl.col("requested_at") + hours(draws, "market.approved", keys, 0.5, 22)
    last = pl.max_horizontal("received_at", "refunded_at", pl.when(resent).then("resent_at"))
    unpaid = ~resent & pl.col("refunded_at").is_null()
    wait = (
        pl.when(unpaid)
        .then(hours(draws, "market.unpaid", keys, 240, 480))
        .otherwise(hours(draws, "market.closed", keys, 1, 72))
    )
    first = pl.col("canonical_reason").str.split(".").list.first()
    types = first.replace_strict(REASON_TYPES, default="SNAD", return_dtype=pl.String)
    is_kept = pl.col("received_at").is_null() & ~gone
    pays = (types == "SNAD") & ~is_kept & ~gone
    return found.select(
        "return_no",
        market_return_id().alias("return_id"),
        "account",
        "connector",
        *_LINE,
        "quantity",
        "requested_at",
        pl.min_horizontal(usual, next_step).alias("approved_at"),
        pl.when(~is_kept & ~gone)
        .then(_between("requested_at", "received_at", 0.3 + 0.3 * luck))
        .alias("sent_at"),
        "received_at",
        "refunded_at",
        pl.when(gone).then("closed_at").otherwise(last + wait).alias("closed_at"),
        gone.alias("is_withdrawn"),
        is_kept.alias("is_kept"),
        pl.when(resent).then("resent_at").otherwise(_NEVER).alias("resent_at"),
        pl.when(resent).then("replacement_number").alias("replacement_number"),
        "reason_code",
        types.alias("reason_type"),
        "comment",
        pl.when(~is_kept & ~gone)
        .then(pl.format("92{}", keys.str.slice(1)))
        .alias("tracking_number"),
        pl.when(pays).then((4.2 + 2.5 * luck) * 100).cast(pl.Int64).alias("label_usd_cents"),
        pl.col("units_refunded").fill_null(0),
        pl.col("refund_minor").fill_null(0),
        pl.col("refund_tax_minor").fill_null(0),
    ).sort("requested_at", "return_id")


def _inquiries(
    draws: Draws, orders: pl.DataFrame, shipments: pl.DataFrame, paid: pl.DataFrame
) -> pl.DataFrame:
    """Buyers of eBay who ask where their parcel is; some go on to eBay."""
    given = paid.filter(pl.col("kind") == "inr").group_by(_LINE).agg(
        pl.col("refunded_at").min(),
        pl.sum_horizontal("principal_minor", "shipping_minor").sum().alias("claim_minor"),
    )  # fmt: skip
    lost = (
        shipments.filter(pl.col("state") == "lost")
        .join(orders.filter(pl.col("connector") == "ebay"), on="order_id", how="inner")
        .group_by("account", *_LINE, maintain_order=True)
        .agg(
            pl.col("quantity").sum(),
            pl.col("state_at").min().alias("opened_at"),
            pl.col("shipment_item_id").first().str.slice(1).alias("number"),
        )
        .join(given, on=_LINE, how="left", maintain_order="left")
    )
    keys = lost["number"]
    escalated = pl.Series(chance(draws, "inquiry.escalated", keys, 0.15))
    later = pl.col("opened_at") + hours(draws, "inquiry.case", keys, 2, 5)
    over = pl.col("refunded_at") + hours(draws, "inquiry.closed", keys, 0.1, 3)
    unpaid = pl.col("opened_at") + hours(draws, "inquiry.timeout", keys, 400, 600)
    return lost.select(
        pl.format("5{}", keys).alias("inquiry_id"),
        pl.when(escalated).then(pl.format("8{}", keys)).alias("case_id"),
        "account",
        *_LINE,
        "quantity",
        "opened_at",
        pl.when(escalated).then(later).alias("escalated_at"),
        "refunded_at",
        pl.coalesce(over, unpaid).alias("closed_at"),
        pl.col("claim_minor").fill_null(0),
    ).sort("opened_at", "inquiry_id")


def _cancelled(draws: Draws, orders: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """What eBay pays back of orders cancelled after they were paid."""
    gone = orders.filter(
        pl.col("connector") == "ebay",
        pl.col("cancelled_at").is_not_null(),
        pl.col("paid_at").is_not_null(),
    )
    found = lines.join(
        gone.select("order_id", "account", "connector", "cancelled_at"),
        on="order_id",
        maintain_order="left",
    )
    worth = (pl.col("unit_price_minor") - pl.col("unit_discount_minor")) * pl.col("quantity")
    after = hours(draws, "cancel.refund", found["order_item_id"], 0.02, 0.2)
    return found.select(
        pl.format("6{}", "order_item_id").alias("refund_id"),
        "account",
        "connector",
        *_LINE,
        worth.alias("amount_minor"),
        (pl.col("unit_tax_minor") * pl.col("quantity")).alias("tax_minor"),
        (pl.col("cancelled_at") + after).alias("refunded_at"),
        pl.format("7{}", pl.col("order_id").str.replace_all("-", "")).alias("reference_id"),
        pl.lit("cancel").alias("reference_kind"),
    )


def _refunds(
    draws: Draws,
    back: pl.DataFrame,
    inquiries: pl.DataFrame,
    paid: pl.DataFrame,
    cancelled: pl.DataFrame,
) -> pl.DataFrame:
    """Refunds with what they refer to, as far as the marketplace says."""
    asked = inquiries.select(*_LINE, pl.coalesce("case_id", "inquiry_id").alias("inquiry"))
    found = (
        paid.join(back.select("return_no", "return_id"), on="return_no", how="left",
                  maintain_order="left")
        .join(asked, on=_LINE, how="left", maintain_order="left")
        .with_columns(
            pl.when(pl.col("kind") == "inr").then("inquiry").alias("inquiry"),
        )
    )  # fmt: skip
    kind = (
        pl.when(pl.col("return_id").is_not_null()).then(pl.lit("return"))
        .when(pl.col("inquiry").is_not_null()).then(pl.lit("inquiry"))
    )  # fmt: skip
    told = found.select(
        pl.format("5{}", pl.col("refund_no").str.slice(1)).alias("refund_id"),
        "account",
        "connector",
        *_LINE,
        pl.sum_horizontal("principal_minor", "shipping_minor").alias("amount_minor"),
        pl.sum_horizontal("tax_minor", "shipping_tax_minor").alias("tax_minor"),
        "refunded_at",
        pl.coalesce("return_id", "inquiry").alias("reference_id"),
        kind.alias("reference_kind"),
    )
    every = pl.concat([told, cancelled]).filter(pl.col("amount_minor") > 0)
    slow = pl.Series(chance(draws, "refund.pending", every["refund_id"], 0.07))
    before = hours(draws, "refund.pending.for", every["refund_id"], 0.01, 0.02)
    fee = (pl.col("amount_minor") * FEE_BP + 5_000) // 10_000
    return every.with_columns(
        pl.when(slow)
        .then(pl.col("refunded_at") - before)
        .otherwise("refunded_at")
        .alias("issued_at"),
        fee.alias("fee_back_minor"),
    ).sort("refunded_at", "refund_id")
