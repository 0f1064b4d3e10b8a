"""What really happened in a simulated world: the folder `world/` of the truth.

Belongs here: lots, causes, faults, true rates, whether a source tells of them or not. Does not
belong here: what a reader of the sources could know (the `observable/` folder).

`order_line` has one row per order line, lot, cause and fault, so that `units` and all amounts add
up over any split; `unattributed` is the lot of units not shipped. Amounts are in `currency`, those
named `*_cost` in `cost_currency`. Dates after the clock are null; `true_cause` is a property of the
unit and stands even where the buyer has not complained yet. Cost components that no part of the
world makes yet are null.
"""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from sources._core.privacy import customer_key
from sources._sandbox.world.tables import World

CUSTOMER_KEY = "sandbox-customer-key"
"""Key of the buyers' hashes where the sandbox is the seller; the night uses the same."""

MADE = (
    "refund_net",
    "refund_tax",
    "fee_credit",
    "returns_processing_fee",
    "reimbursement",
    "write_off",
    "replacement_unit_cost",
)
NOT_MADE_YET = (
    "return_shipping",
    "inspection_labour",
    "repack",
    "disposal_fee",
    "replacement_shipping",
    "goodwill_coupon",
    "dispute_fee",
    "customer_service_labour",
    "payment_fee_lost",
    "duties_not_reclaimed",
    "repair_labour",
    "repair_parts",
    "resale_value",
    "liquidation",
    "carrier_claim",
    "supplier_claim",
    "platform_fee_kept",
    "outbound_shipping_lost",
    "lost_customer_value",
)
_UNIT = ["order_id", "line_no", "unit_no"]
_LINE = ["order_id", "line_no"]
_MONEY = pl.Decimal(18, 4)


def world_tables(world: World, now: datetime) -> dict[str, pl.DataFrame]:
    """`order_line`, `fault` and `rate` at the clock `now`."""
    clock = now.astimezone(UTC).replace(tzinfo=None)
    return {
        "order_line": _order_lines(world, clock),
        "fault": _faults(world),
        "rate": world.rates,
    }


def _faults(world: World) -> pl.DataFrame:
    """Buyers by the key under which the warehouse may know them, `unknown` where none is told."""
    known = world.orders.filter(pl.col("connector") == "files")["customer_no"].unique()
    buyers = world.faults.filter(pl.col("entity_type") == "customer")["entity_key"].to_list()
    keys = {
        buyer: customer_key(buyer, CUSTOMER_KEY) if buyer in known else "unknown"
        for buyer in buyers
        if buyer != "all"
    }
    is_buyer = pl.col("entity_type") == "customer"
    hashed = pl.when(is_buyer).then(pl.col("entity_key").replace(keys)).otherwise("entity_key")
    return world.faults.with_columns(hashed.alias("entity_key")) if keys else world.faults


def key_part(column: str) -> pl.Expr:
    """A part of a key, with the separators escaped as the contract's section 2 says."""
    escaped = pl.col(column).cast(pl.String).str.replace_all("%", "%25", literal=True)
    for mark, code in ((":", "%3A"), ("|", "%7C")):
        escaped = escaped.str.replace_all(mark, code, literal=True)
    return escaped


def line_keys(world: World) -> pl.DataFrame:
    """order_line_key of each line; Amazon's lines are told apart by the SKU as listed."""
    lines = world.order_lines.join(
        world.orders.select("order_id", "account", "connector", "marketplace", "currency"),
        on="order_id",
        maintain_order="left",
    )
    line_id = (
        pl.when(pl.col("connector") == "amazon")
        .then(key_part("listing_sku"))
        .otherwise(key_part("line_no"))
    )
    key = pl.format("{}:{}:{}:{}", "connector", key_part("account"), key_part("order_id"), line_id)
    return lines.with_columns(key.alias("order_line_key"))


def _order_lines(world: World, clock: datetime) -> pl.DataFrame:
    lines = line_keys(world).select(
        *_LINE, "order_line_key", "account", "connector", "marketplace", "currency", "sku",
        "line_cancelled_at",
    )  # fmt: skip
    orders = world.orders.filter(pl.col("ordered_at") <= clock)
    units = (
        world.units.join(orders.select("order_id", "ordered_at", "paid_at"), on="order_id")
        .join(lines.drop("sku"), on=_LINE, maintain_order="left")
        .join(_events(world), on=_UNIT, how="left", maintain_order="left")
        .join(_money(world, clock), on=_UNIT, how="left", maintain_order="left")
        .join(_costs(world), on="lot_id", how="left", maintain_order="left")
    )
    times = ("paid_at", "line_cancelled_at", "shipped_at", "delivered_at", "requested_at",
             "received_at", "refunded_at")  # fmt: skip
    units = units.with_columns(
        pl.when(pl.col(name) <= clock).then(name).alias(name) for name in times
    )
    harmed = pl.col("received_at").is_not_null() & (pl.col("disposition") != "SELLABLE")
    sent = pl.col("outcome") == "replaced"
    units = units.with_columns(
        pl.when(harmed).then("unit_landed_cost").otherwise(0).alias("write_off"),
        pl.when(sent).then("unit_landed_cost").otherwise(0).alias("replacement_unit_cost"),
    )
    return (
        units.with_columns(
            pl.col("lot_id").fill_null("unattributed"),
            pl.col("true_cause").fill_null("none"),
            pl.col("fault_id").fill_null("none"),
        )
        .group_by("order_line_key", "lot_id", "true_cause", "fault_id", maintain_order=True)
        .agg(
            pl.col("account", "connector", "marketplace", "sku", "currency").first(),
            pl.len().cast(pl.Int64).alias("units"),
            pl.col("shipped_at").count().cast(pl.Int64).alias("units_shipped"),
            pl.col("ordered_at").min(),
            pl.col(times).min(),
            pl.lit("CNY").alias("cost_currency"),
            *(pl.col(name).fill_null(0).cast(_MONEY).sum().cast(_MONEY) for name in MADE),
            *(pl.lit(None, dtype=_MONEY).alias(name) for name in NOT_MADE_YET),
        )
    )


def _events(world: World) -> pl.DataFrame:
    """What the return of each unit shows."""
    return world.return_units.join(
        world.returns.select("return_no", "requested_at", "received_at", "disposition"),
        on="return_no",
    ).drop("return_no")


def _costs(world: World) -> pl.DataFrame:
    parts = ("unit_cost_minor", "unit_freight_minor", "unit_duty_minor", "unit_other_minor")
    cost = pl.sum_horizontal(parts).cast(_MONEY) / 100
    return world.lots.select("lot_id", cost.cast(_MONEY).alias("unit_landed_cost"))


def _money(world: World, clock: datetime) -> pl.DataFrame:
    """Money of each unit; what belongs to several units of a line stands on its first."""
    digits = world.marketplaces.group_by("currency").agg(pl.col("decimals").first())
    paid = world.refunds.filter(pl.col("refunded_at") <= clock)
    first = (
        world.units.filter(pl.col("refund_no").is_not_null())
        .group_by("refund_no")
        .agg(pl.col("unit_no").min())
    )
    back = world.return_units.group_by("return_no").agg(pl.col("unit_no").min().alias("back_no"))
    refunds = (
        paid.join(first, on="refund_no", how="left")
        .join(back, on="return_no", how="left")
        .select(
            *_LINE,
            pl.coalesce("unit_no", "back_no", pl.lit(1)).alias("unit_no"),
            "currency",
            "refunded_at",
            (pl.col("principal_minor") + pl.col("shipping_minor")).alias("refund_net"),
            (pl.col("tax_minor") + pl.col("shipping_tax_minor")).alias("refund_tax"),
            (pl.col("commission_back_minor") - pl.col("admin_fee_minor")).alias("fee_credit"),
        )
    )
    parts = pl.concat([refunds, _fees(world, clock)], how="diagonal").join(digits, on="currency")
    scale = pl.when(pl.col("decimals") == 0).then(1).otherwise(100)
    names = ("refund_net", "refund_tax", "fee_credit", "returns_processing_fee", "reimbursement")
    return parts.group_by(_UNIT).agg(
        pl.col("refunded_at").min(),
        *((pl.col(n).fill_null(0).cast(_MONEY) / scale).sum().cast(_MONEY).alias(n) for n in names),
    )


def _fees(world: World, clock: datetime) -> pl.DataFrame:
    """Return fees and reimbursements, on the first returned or lost unit of order and SKU."""
    troubled = world.units.filter(pl.col("true_cause").is_not_null()).join(
        world.order_lines.select(*_LINE, "listing_sku"), on=_LINE
    )
    place = (
        troubled.sort(_UNIT)
        .group_by("order_id", "listing_sku", maintain_order=True)
        .agg(pl.col("line_no", "unit_no").first())
    )
    fees = world.settlement_lines.filter(
        (pl.col("amount_description") == "FBACustomerReturnPerUnitFee")
        & (pl.col("posted_at") <= clock)
    ).select(
        "order_id",
        pl.col("sku").alias("listing_sku"),
        "currency",
        (-pl.col("amount_minor")).alias("returns_processing_fee"),
    )
    given = world.reimbursements.filter(pl.col("approved_at") <= clock).select(
        "order_id", "listing_sku", "currency", pl.col("amount_minor").alias("reimbursement")
    )
    both = pl.concat([fees, given], how="diagonal")
    return both.join(place, on=["order_id", "listing_sku"]).drop("listing_sku")
