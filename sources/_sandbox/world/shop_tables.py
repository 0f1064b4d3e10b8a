"""Tables that only a shop of the seller's own has: requests, refunds, exchanges, edits, disputes.

Belongs here: what Shopify keeps beside orders, lines and parcels, told from the tables that all
channels share. Does not belong here: how an API shows it (`sources/shopify/sandbox`).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from sources._sandbox.world.demand import MAX_LINES, MAX_UNITS
from sources._sandbox.world.draws import Draws, Ids
from sources._sandbox.world.simulation import Simulation
from sources._sandbox.world.tables import SCHEMAS

REASONS: Mapping[str, tuple[str, str]] = {
    "product_defect": ("DEFECTIVE", "damaged-or-defective"),
    "product_defect.authenticity_claim": ("NOT_AS_DESCRIBED", "item-not-as-described"),
    "description.not_as_described": ("NOT_AS_DESCRIBED", "item-not-as-described"),
    "description.colour_material": ("COLOR", "color"),
    "description.not_compatible": ("OTHER", "doesnt-fit-device"),
    "description.performance_expectation": ("NOT_AS_DESCRIBED", "absorbency"),
    "fit.too_small": ("SIZE_TOO_SMALL", "too-small"),
    "fit.too_large": ("SIZE_TOO_LARGE", "too-big"),
    "fit.comfort": ("OTHER", "comfort"),
    "logistics.late": ("OTHER", "arrived-late"),
    "logistics.damaged_in_transit": ("DEFECTIVE", "damaged-or-defective"),
    "fulfilment": ("WRONG_ITEM", "received-the-wrong-item"),
    "remorse": ("UNWANTED", "changed-my-mind"),
    "remorse.style_preference": ("STYLE", "style"),
    "remorse.too_difficult": ("OTHER", "difficult-to-clean"),
    "price": ("UNWANTED", "changed-my-mind"),
    "fraud": ("UNWANTED", "changed-my-mind"),
    "unknown.no_reason": ("UNKNOWN", "unknown"),
    "": ("OTHER", "other-reason"),
}
"""The old and the new word a buyer picks, by canonical reason or its first part."""

_MONEY = ("shipping_minor", "shipping_tax_minor", "adjustment_minor", "adjustment_tax_minor")
_LINE = ["order_id", "line_no"]
_DISPUTES = ("PRODUCT_UNACCEPTABLE", "FRAUDULENT", "UNRECOGNIZED", "GENERAL")


def with_names(sim: Simulation, orders: pl.DataFrame) -> pl.DataFrame:
    """Orders by time; own shops count theirs from #1001, a few share the name of the one before."""
    orders = orders.sort("ordered_at", "order_id")
    own = pl.col("connector") == "shopify"
    number = pl.int_range(pl.len()).over("account") + 1001
    twin = _chance(sim.draws, "shop.name", orders["order_id"], 0.005)
    name = pl.format("#{}", number - (pl.Series(twin) & (number > 1001)).cast(pl.Int64))
    return orders.with_columns(
        pl.when(own).then(name).otherwise("order_number").alias("order_number"),
        (own & pl.col("is_guest")).alias("is_guest"),
    )


def shop_tables(
    sim: Simulation,
    orders: pl.DataFrame,
    lines: pl.DataFrame,
    units: pl.DataFrame,
    shipments: pl.DataFrame,
    returns: pl.DataFrame,
    refunds: pl.DataFrame,
) -> dict[str, pl.DataFrame]:
    """All of them, by name; empty where the scenario has no shop of the seller's own."""
    mine = orders.filter(pl.col("connector") == "shopify")
    if not mine.height:
        names = [name for name in SCHEMAS if name.startswith("shop_")]
        return {name: pl.DataFrame(schema=dict(SCHEMAS[name])) for name in names}
    lines = lines.join(
        mine.select("order_id", "account", "currency", "paid_at", "cancelled_at"), on="order_id"
    )
    paid = refunds.filter(pl.col("connector") == "shopify")
    exchanges = _exchanges(sim.draws, lines, units)
    back = _returns(sim.draws, returns, paid, exchanges)
    edits, cancelled = _cancellations(sim.draws, lines)
    heads, parts = _refunds(sim.draws, lines, back, paid, cancelled)
    return {
        "shop_returns": back,
        "shop_refunds": heads.sort("refunded_at", "refund_id"),
        "shop_refund_lines": parts.sort("refund_id", "line_no"),
        "shop_exchanges": exchanges.sort("added_at", "exchange_id"),
        "shop_edits": edits,
        "shop_disputes": _disputes(sim.draws, mine, lines, shipments),
    }


def _ids(texts: pl.Series) -> Ids:
    """Numbers to draw luck with, from texts that hold digits."""
    return texts.str.replace_all(r"\D", "").str.slice(-18).cast(pl.UInt64).to_numpy()


def _chance(draws: Draws, purpose: str, texts: pl.Series, share: float) -> np.ndarray:
    ids = texts.str.replace_all(r"\D", "").str.slice(-18).cast(pl.UInt64, strict=False)
    return draws.chance(purpose, ids.fill_null(0).to_numpy(), share)


def _hours(draws: Draws, purpose: str, texts: pl.Series, low: float, high: float) -> pl.Expr:
    """A stretch of whole seconds for each row."""
    seconds = draws.between(purpose, _ids(texts), low, high) * 3600
    return pl.duration(seconds=pl.lit(pl.Series(seconds.astype(np.int64))))


def _exchanges(draws: Draws, lines: pl.DataFrame, units: pl.DataFrame) -> pl.DataFrame:
    added = lines.filter(pl.col("added_at").is_not_null()).select(
        "order_id", pl.col("line_no").alias("new_line_no"), "added_at", "order_item_id"
    )
    place = MAX_LINES + 1 + (pl.col("line_no") - 1) * MAX_UNITS + pl.col("unit_no") - 1
    found = (
        units.filter(pl.col("linked_order_id").is_not_null())
        .with_columns(place.alias("new_line_no"))
        .join(added, on=["order_id", "new_line_no"])
    )
    before = _hours(draws, "shop.agreed", found["order_item_id"], 0.2, 0.9)
    return found.select(
        pl.format("1{}", "order_item_id").alias("exchange_id"),
        "return_no",
        *_LINE,
        "new_line_no",
        (pl.col("added_at") - before).alias("agreed_at"),
        "added_at",
    )


def _returns(
    draws: Draws, returns: pl.DataFrame, paid: pl.DataFrame, exchanges: pl.DataFrame
) -> pl.DataFrame:
    """Every request of a buyer, with the days on which it moves on."""
    mine = returns.filter((pl.col("connector") == "shopify") & pl.col("is_buyer_return"))
    mine = (
        mine.join(
            paid.filter(pl.col("return_no").is_not_null())
            .group_by("return_no")
            .agg(pl.col("refunded_at").max()),
            on="return_no",
            how="left",
            maintain_order="left",
        )
        .join(
            exchanges.group_by("return_no").agg(
                pl.col("agreed_at").min(), pl.col("added_at").max()
            ),
            on="return_no",
            how="left",
            maintain_order="left",
        )
    )  # fmt: skip
    keys = mine["return_no"]
    gone = pl.col("ends_as") == "withdrawn"
    declined = gone & pl.Series(_chance(draws, "shop.declined", keys, 0.4))
    usual = pl.col("requested_at") + _hours(draws, "shop.approved", keys, 0.5, 22)
    approved = pl.min_horizontal(usual, "agreed_at")
    last = pl.max_horizontal("refunded_at", "posted_at", "added_at")
    closes = pl.Series(_chance(draws, "shop.closes", keys, 0.9))
    return mine.select(
        "return_no",
        pl.format("1{}", keys.str.slice(1)).alias("return_id"),
        "account",
        *_LINE,
        "quantity",
        "requested_at",
        pl.when(~declined).then(approved).alias("approved_at"),
        (~gone & pl.Series(_chance(draws, "shop.opened", keys, 0.3))).alias("is_opened_by_shop"),
        pl.when(gone).then("closed_at").alias("ended_at"),
        pl.when(declined)
        .then(pl.lit("DECLINED"))
        .when(gone)
        .then(pl.lit("CANCELED"))
        .alias("ended_as"),
        pl.when(~gone).then("posted_at").alias("disposed_at"),
        pl.when(~gone).then(_disposition(draws, mine)).alias("disposition"),
        pl.when(~gone & closes)
        .then(last + _hours(draws, "shop.closed", keys, 81, 160))
        .alias("closed_at"),
        *_words(draws, mine),
        "comment",
        "fulfilment_centre_id",
    )


def _disposition(draws: Draws, mine: pl.DataFrame) -> pl.Expr:
    waits = pl.Series(_chance(draws, "shop.waits", mine["return_no"], 0.15))
    return (
        pl.when(pl.col("disposition") == "SELLABLE")
        .then(pl.lit("RESTOCKED"))
        .when(waits)
        .then(pl.lit("PROCESSING_REQUIRED"))
        .otherwise(pl.lit("NOT_RESTOCKED"))
    )


def _words(draws: Draws, mine: pl.DataFrame) -> list[pl.Series]:
    """The old word of every request, and the new one where the buyer was asked in the new way."""
    reasons = mine["canonical_reason"].to_list()
    pairs = [
        REASONS.get(reason) or REASONS.get(reason.split(".")[0]) or REASONS[""]
        for reason in reasons
    ]
    new = _chance(draws, "shop.reason", mine["return_no"], 0.6)
    handles = [pair[1] if told else None for pair, told in zip(pairs, new, strict=True)]
    return [
        pl.Series("reason_code", [pair[0] for pair in pairs], dtype=pl.String),
        pl.Series("reason_handle", handles, dtype=pl.String),
    ]


def _cancellations(draws: Draws, lines: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Units cancelled before they left: by an edit of the order, and by a refund."""
    lost = lines.filter(pl.col("quantity_cancelled") > 0)
    edited = pl.Series(_chance(draws, "shop.edit", lost["order_item_id"], 0.35))
    is_edit = edited & pl.col("cancelled_at").is_null()
    edits = lost.filter(is_edit).select(
        *_LINE,
        pl.col("quantity_cancelled").alias("quantity"),
        pl.col("line_cancelled_at").alias("edited_at"),
    )
    whole = pl.col("cancelled_at").is_not_null()
    refund_id = pl.when(whole).then(pl.format("2{}", pl.col("order_id").str.slice(-14)))
    return edits, lost.filter(~is_edit).with_columns(
        refund_id.otherwise(pl.format("4{}", "order_item_id")).alias("refund_id")
    )


def _refunds(
    draws: Draws,
    lines: pl.DataFrame,
    back: pl.DataFrame,
    paid: pl.DataFrame,
    cancelled: pl.DataFrame,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Heads and lines of all refunds; what the lines say beyond the money is an adjustment."""
    kept, parts = _fate_refunds(lines, back, paid)
    heads = [kept, _cancel_heads(cancelled)]
    parts = pl.concat([parts, _cancel_lines(cancelled)])
    empty, empty_lines = _empty_refunds(draws, lines, back, paid)
    parts = pl.concat([parts, empty_lines])
    heads.append(empty)
    sums = parts.group_by("refund_id").agg(
        pl.col("subtotal_minor").sum(), pl.col("tax_minor").sum()
    )
    whole = (
        pl.concat(heads)
        .join(sums, on="refund_id", how="left")
        .with_columns(pl.col("subtotal_minor", "tax_minor").fill_null(0))
        .with_columns(
            (pl.col("subtotal_minor") - pl.col("net_minor")).alias("adjustment_minor"),
            (pl.col("tax_minor") - pl.col("net_tax_minor")).alias("adjustment_tax_minor"),
        )
    )
    tried = pl.Series(_chance(draws, "shop.failed", whole["refund_id"], 0.04))
    waits = pl.Series(_chance(draws, "shop.pending", whole["refund_id"], 0.05))
    slow = _hours(draws, "shop.pending.for", whole["refund_id"], 10, 80)
    total = pl.sum_horizontal("net_minor", "net_tax_minor", "shipping_minor", "shipping_tax_minor")
    none = (pl.col("adjustment_minor") == 0) & (pl.col("adjustment_tax_minor") == 0)
    nothing = total == 0
    reason = (
        pl.when(none).then(None)
        .when(nothing).then(pl.lit("PENDING_REFUND_DISCREPANCY"))
        .when(pl.col("subtotal_minor") > 0).then(pl.lit("REFUND_DISCREPANCY"))
        .when(tried).then(pl.lit("DAMAGE"))
        .otherwise(pl.lit("CUSTOMER"))
    )  # fmt: skip
    return whole.select(
        "refund_id", "account", "order_id", "return_no", "refunded_at", *_MONEY,
        reason.alias("adjustment_reason"),
        total.alias("total_minor"),
        pl.when(~nothing)
        .then(pl.when(waits).then(pl.col("refunded_at") + slow).otherwise("refunded_at"))
        .alias("paid_at"),
        (tried & ~nothing).alias("has_failed_once"),
    ), parts  # fmt: skip


_HEAD = ("refund_id", "account", "order_id", "return_no", "refunded_at", "net_minor",
         "net_tax_minor", "shipping_minor", "shipping_tax_minor")  # fmt: skip
_PART = ("refund_id", *_LINE, "quantity", "restock_type", "is_restocked", "subtotal_minor",
         "tax_minor")  # fmt: skip


def _unit_net() -> pl.Expr:
    return pl.col("unit_price_minor") - pl.col("unit_discount_minor")


def _fate_refunds(
    lines: pl.DataFrame, back: pl.DataFrame, paid: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Refunds with goods, for goods that never came, and of money alone."""
    requests = back.select("return_no", pl.col("quantity").alias("returned"), "disposition")
    found = (
        paid.join(requests, on="return_no", how="left", maintain_order="left")
        .join(
            lines.select(*_LINE, "unit_price_minor", "unit_discount_minor", "unit_tax_minor"),
            on=_LINE,
            maintain_order="left",
        )
        .with_columns(
            pl.format("1{}", pl.col("refund_no").str.slice(1)).alias("refund_id"),
            pl.coalesce("returned", "units").alias("quantity"),
            pl.col("principal_minor").alias("net_minor"),
            pl.col("tax_minor").alias("net_tax_minor"),
        )
    )
    is_back = pl.col("returned").is_not_null()
    parts = found.filter(pl.col("quantity") > 0).with_columns(
        pl.when(is_back)
        .then(pl.lit("RETURN"))
        .otherwise(pl.lit("NO_RESTOCK"))
        .alias("restock_type"),
        (pl.col("disposition") == "RESTOCKED").fill_null(False).alias("is_restocked"),
        (_unit_net() * pl.col("quantity")).alias("subtotal_minor"),
        (pl.col("unit_tax_minor") * pl.col("quantity")).alias("tax_minor"),
    )
    return found.select(_HEAD), parts.select(_PART)


def _cancel_heads(cancelled: pl.DataFrame) -> pl.DataFrame:
    worth = _unit_net() * pl.col("quantity_cancelled")
    tax = pl.col("unit_tax_minor") * pl.col("quantity_cancelled")
    was_paid = pl.col("paid_at").is_not_null()
    return (
        cancelled.with_columns(
            pl.when(was_paid).then(worth).otherwise(0).alias("net_minor"),
            pl.when(was_paid).then(tax).otherwise(0).alias("net_tax_minor"),
        )
        .group_by("refund_id", maintain_order=True)
        .agg(
            pl.col("account", "order_id").first(),
            pl.col("line_cancelled_at").first().alias("refunded_at"),
            pl.col("net_minor", "net_tax_minor").sum(),
        )
        .with_columns(
            pl.lit(None, dtype=pl.String).alias("return_no"),
            pl.lit(0, dtype=pl.Int64).alias("shipping_minor"),
            pl.lit(0, dtype=pl.Int64).alias("shipping_tax_minor"),
        )
        .select(_HEAD)
    )


def _cancel_lines(cancelled: pl.DataFrame) -> pl.DataFrame:
    return cancelled.select(
        "refund_id",
        *_LINE,
        pl.col("quantity_cancelled").alias("quantity"),
        pl.lit("CANCEL").alias("restock_type"),
        pl.lit(value=True).alias("is_restocked"),
        (_unit_net() * pl.col("quantity_cancelled")).alias("subtotal_minor"),
        (pl.col("unit_tax_minor") * pl.col("quantity_cancelled")).alias("tax_minor"),
    )


def _empty_refunds(
    draws: Draws, lines: pl.DataFrame, back: pl.DataFrame, paid: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Goods taken back to the shelf, and no money for the buyer."""
    settled = pl.concat([paid["return_no"].drop_nulls(), pl.Series("return_no", [], pl.String)])
    money = lines.select(*_LINE, "unit_price_minor", "unit_discount_minor", "unit_tax_minor",
                         "added_at")  # fmt: skip
    exchanged = lines.filter(pl.col("added_at").is_not_null()).select(
        "order_id", ((pl.col("line_no") - MAX_LINES - 1) // MAX_UNITS + 1).alias("line_no")
    )
    found = (
        back.filter(
            pl.col("disposed_at").is_not_null(), ~pl.col("return_no").is_in(settled.to_list())
        )
        .join(exchanged.unique(), on=_LINE, how="anti", maintain_order="left")
        .join(money.drop("added_at"), on=_LINE, maintain_order="left")
    )
    none = pl.lit(0, dtype=pl.Int64)
    found = found.with_columns(
        pl.format("5{}", pl.col("return_id").str.slice(1)).alias("refund_id"),
        (pl.col("disposed_at") + _hours(draws, "shop.empty", found["return_no"], 1, 20)).alias(
            "refunded_at"
        ),
        *(none.alias(name) for name in _HEAD[5:]),
        pl.lit("RETURN").alias("restock_type"),
        (pl.col("disposition") == "RESTOCKED").alias("is_restocked"),
        (_unit_net() * pl.col("quantity")).alias("subtotal_minor"),
        (pl.col("unit_tax_minor") * pl.col("quantity")).alias("tax_minor"),
    )
    return found.select(_HEAD), found.select(_PART)


def _disputes(
    draws: Draws, mine: pl.DataFrame, lines: pl.DataFrame, shipments: pl.DataFrame
) -> pl.DataFrame:
    """Buyers who go to their bank: a few, and more of those whose parcel never came."""
    net = (_unit_net() + pl.col("unit_tax_minor")) * pl.col("quantity")
    shipping = pl.col("shipping_minor") - pl.col("shipping_discount_minor")
    totals = lines.filter(pl.col("added_at").is_null()).group_by("order_id").agg(
        (net + shipping + pl.col("shipping_tax_minor")).sum().alias("amount_minor")
    )  # fmt: skip
    lost = shipments.filter(pl.col("state") == "lost")["order_id"].unique().to_list()
    found = mine.filter(
        pl.col("shipped_complete_at").is_not_null() & (pl.col("payment_method") != "cod")
    ).join(totals, on="order_id", maintain_order="left")
    keys = found["order_id"]
    few = pl.Series(_chance(draws, "shop.dispute", keys, 0.004))
    often = pl.Series(_chance(draws, "shop.dispute.lost", keys, 0.15))
    is_lost = pl.col("order_id").is_in(lost)
    which = draws.pick("shop.dispute.reason", _ids(keys), (3.0, 2.0, 1.0, 1.0))
    words = pl.Series(np.array(_DISPUTES)[which])
    end = draws.pick("shop.dispute.end", _ids(keys), (4.0, 4.0, 2.0))
    opened = pl.col("ordered_at") + _hours(draws, "shop.dispute.at", keys, 480, 1400)
    return (
        found.select(
            pl.format("6{}", pl.col("order_id").str.slice(-14)).alias("dispute_id"),
            "account",
            "order_id",
            pl.when(pl.Series(_chance(draws, "shop.inquiry", keys, 0.2)))
            .then(pl.lit("INQUIRY"))
            .otherwise(pl.lit("CHARGEBACK"))
            .alias("kind"),
            pl.when(is_lost).then(pl.lit("PRODUCT_NOT_RECEIVED")).otherwise(words).alias("reason"),
            "amount_minor",
            "currency",
            opened.alias("opened_at"),
            (opened + _hours(draws, "shop.dispute.told", keys, 24, 200)).alias("evidence_at"),
            (opened + _hours(draws, "shop.dispute.over", keys, 400, 1500)).alias("closed_at"),
            pl.Series("outcome", np.array(("WON", "LOST", "ACCEPTED"))[end]),
            (few | (is_lost & often)).alias("_is_disputed"),
        )
        .filter("_is_disputed")
        .drop("_is_disputed")
        .sort("opened_at", "dispute_id")
    )
