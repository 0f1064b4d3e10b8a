"""What each unit of a simulated world truly cost after its sale, known to a reader or not.

Belongs here: money and worth of goods by unit. Does not belong here: lots, causes, dates
(`world_truth.py`). What concerns several units of a line stands on the first of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from sources._sandbox.world.tables import World

MONEY_OF_UNITS = (
    "refund_net", "refund_tax", "fee_credit", "platform_fee_kept", "returns_processing_fee",
    "return_shipping", "reimbursement", "outbound_shipping_lost", "replacement_shipping",
)  # fmt: skip
"""In the currency of the order."""
WORTH_OF_GOODS = ("write_off", "replacement_unit_cost", "liquidation", "resale_value")
"""In the currency of the purchase."""

_UNIT = ["order_id", "line_no", "unit_no"]
_LINE = ["order_id", "line_no"]
_MONEY = pl.Decimal(18, 4)
_GIVEN_AWAY = ("liquidate", "return_to_supplier", "destroy")


def unit_money(world: World, clock: datetime) -> pl.DataFrame:
    """Columns `MONEY_OF_UNITS` and when the unit was paid back."""
    digits = world.marketplaces.group_by("currency").agg(pl.col("decimals").first())
    parts = pl.concat(
        [_refunds(world, clock), _bills(world, clock), _sent_in_vain(world, clock),
         _sent_again(world, clock)],
        how="diagonal",
    ).join(digits, on="currency")  # fmt: skip
    scale = pl.when(pl.col("decimals") == 0).then(1).otherwise(100)
    return parts.group_by(_UNIT).agg(
        pl.col("refunded_at").min(),
        *(
            (pl.col(name).fill_null(0).cast(_MONEY) / scale).sum().cast(_MONEY).alias(name)
            for name in MONEY_OF_UNITS
        ),
    )


def _refunds(world: World, clock: datetime) -> pl.DataFrame:
    """What was paid back, and what Amazon gave back of its fee for the sale or kept."""
    first = (
        world.units.filter(pl.col("refund_no").is_not_null())
        .group_by("refund_no")
        .agg(pl.col("unit_no").min())
    )
    back = world.return_units.group_by("return_no").agg(pl.col("unit_no").min().alias("back_no"))
    return (
        world.refunds.filter(pl.col("refunded_at") <= clock)
        .join(first, on="refund_no", how="left")
        .join(back, on="return_no", how="left")
        .select(
            *_LINE,
            pl.coalesce("unit_no", "back_no", pl.lit(1)).alias("unit_no"),
            "currency",
            "refunded_at",
            (pl.col("principal_minor") + pl.col("shipping_minor")).alias("refund_net"),
            (pl.col("tax_minor") + pl.col("shipping_tax_minor")).alias("refund_tax"),
            (pl.col("commission_back_minor") - pl.col("admin_fee_minor")).alias("fee_credit"),
            pl.col("admin_fee_minor").alias("platform_fee_kept"),
        )
    )


def _bills(world: World, clock: datetime) -> pl.DataFrame:
    """Return fees, labels and reimbursements, on the first troubled unit of order and SKU."""
    place = (
        world.units.filter(pl.col("true_cause").is_not_null())
        .join(world.order_lines.select(*_LINE, "listing_sku"), on=_LINE)
        .sort(_UNIT)
        .group_by("order_id", "listing_sku", maintain_order=True)
        .agg(pl.col("line_no", "unit_no").first())
    )
    words = pl.col("amount_description")
    bills = world.settlement_lines.filter(pl.col("posted_at") <= clock).select(
        "order_id",
        pl.col("sku").alias("listing_sku"),
        "currency",
        *(
            pl.when(words.str.contains(word, literal=True))
            .then(-pl.col("amount_minor"))
            .alias(name)
            for name, word in (
                ("returns_processing_fee", "CustomerReturn"),
                ("return_shipping", "RETURN_POSTAGE"),
            )
        ),
    )
    bills = bills.filter(pl.any_horizontal(pl.col("returns_processing_fee", "return_shipping") > 0))
    given = world.reimbursements.filter(pl.col("approved_at") <= clock).select(
        "order_id", "listing_sku", "currency", pl.col("amount_minor").alias("reimbursement")
    )
    both = pl.concat([bills, given], how="diagonal")
    return both.join(place, on=["order_id", "listing_sku"]).drop("listing_sku")


def _sending(world: World, clock: datetime) -> pl.DataFrame:
    """Amazon's fee for sending one unit of a line."""
    fees = (
        world.settlement_lines.filter(
            pl.col("amount_description") == "FBAPerUnitFulfillmentFee", pl.col("posted_at") <= clock
        )
        .group_by("order_id", pl.col("sku").alias("listing_sku"), "currency")
        .agg(-pl.col("amount_minor").sum().alias("paid"))
    )
    lines = world.order_lines.select(*_LINE, "listing_sku")
    sent = world.shipments.join(lines, on=_LINE).group_by("order_id", "listing_sku")
    return (
        fees.join(sent.agg(pl.col("quantity").sum()), on=["order_id", "listing_sku"])
        .join(lines, on=["order_id", "listing_sku"])
        .select(*_LINE, "currency", (pl.col("paid") / pl.col("quantity")).alias("fee"))
    )


def _sent_in_vain(world: World, clock: datetime) -> pl.DataFrame:
    return (
        _came_in(world, clock)
        .join(_sending(world, clock), on=_LINE)
        .select(*_UNIT, "currency", pl.col("fee").alias("outbound_shipping_lost"))
    )


def _sent_again(world: World, clock: datetime) -> pl.DataFrame:
    """On the unit that was sent the first time."""
    fee = _sending(world, clock).select(
        pl.col("order_id").alias("linked_order_id"), "currency", "fee"
    )
    return world.units.join(fee, on="linked_order_id").select(
        *_UNIT, "currency", pl.col("fee").alias("replacement_shipping")
    )


def _came_in(world: World, clock: datetime) -> pl.DataFrame:
    """Units whose goods are back, with what the report and the seller's own people say."""
    found = world.inspections.filter(pl.col("inspected_at") <= clock).select(
        "return_no", "grade", pl.col("disposition").alias("next_step"), "recovered_minor"
    )
    rows = world.returns.filter(pl.col("received_at") <= clock).select("return_no", "disposition")
    return world.return_units.join(rows, on="return_no").join(found, on="return_no", how="left")


def worth_of_goods(world: World, clock: datetime) -> pl.DataFrame:
    """Columns `WORTH_OF_GOODS` of every unit: at the landed cost of its true lot."""
    parts = ("unit_cost_minor", "unit_freight_minor", "unit_duty_minor", "unit_other_minor")
    lots = world.lots.select("lot_id", pl.sum_horizontal(parts).alias("landed"))
    away = pl.col("next_step").is_in(_GIVEN_AWAY)
    bad = pl.coalesce(pl.col("grade").is_in(["C", "D"]), pl.col("disposition") != "SELLABLE")
    is_gone = pl.col("next_step").eq("missing").fill_null(value=False)
    came = _came_in(world, clock).with_columns(
        ((bad | away.fill_null(value=False)) & ~is_gone).alias("is_harmed"),
        pl.when(pl.col("unit_no") == pl.col("unit_no").min().over("return_no"))
        .then("recovered_minor")
        .alias("recovered"),
    )
    units = world.units.join(lots, on="lot_id", how="left").join(
        came.select(*_UNIT, "is_harmed", "recovered", "next_step"), on=_UNIT, how="left"
    )
    is_sold_off = pl.col("next_step") == "liquidate"
    amounts = {
        "write_off": pl.when("is_harmed").then("landed"),
        "replacement_unit_cost": pl.when(_is_sent_again(world, clock)).then("landed"),
        "liquidation": pl.when(is_sold_off).then("recovered"),
        "resale_value": pl.when(~is_sold_off).then("recovered"),
    }
    return units.select(
        *_UNIT,
        *(
            (amount.fill_null(0).cast(_MONEY) / 100).cast(_MONEY).alias(name)
            for name, amount in amounts.items()
        ),
    )


def _is_sent_again(world: World, clock: datetime) -> pl.Expr:
    """Whether what was sent instead of a unit has left: a replacement or another size."""
    sent: Sequence[str] = world.shipments.filter(pl.col("shipped_at") <= clock)[
        "order_id"
    ].to_list()
    return pl.col("linked_order_id").is_in(sent)
