"""What really happened in a simulated world: the folder `world/` of the truth.

Belongs here: lots, causes, faults, true rates, whether a source tells of them or not. Does not
belong here: what a reader of the sources could know (the `observable/` folder).

`order_line` has one row per order line, lot, cause and fault, so that `units` and all amounts add
up over any split; `unattributed` is the lot of units not shipped. Amounts are in `currency`, what
goods are worth (`write_off`, `replacement_unit_cost`, `liquidation`, `resale_value`) in
`cost_currency`. Dates after the clock are null; `true_cause` is a property of the
unit and stands even where the buyer has not complained yet. Cost components that no part of the
world makes yet are null.
"""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from sources._core.privacy import customer_key
from sources._sandbox.truth.world_costs import (
    MONEY_OF_UNITS,
    WORTH_OF_GOODS,
    unit_money,
    worth_of_goods,
)
from sources._sandbox.world.market_words import ebay_user
from sources._sandbox.world.tables import World

CUSTOMER_KEY = "sandbox-customer-key"
"""Key of the buyers' hashes where the sandbox is the seller; the night uses the same."""

NOT_MADE_YET = (
    "inspection_labour",
    "repack",
    "disposal_fee",
    "goodwill_coupon",
    "dispute_fee",
    "customer_service_labour",
    "payment_fee_lost",
    "duties_not_reclaimed",
    "repair_labour",
    "repair_parts",
    "carrier_claim",
    "supplier_claim",
    "lost_customer_value",
)
MADE = (*MONEY_OF_UNITS, *WORTH_OF_GOODS)
_UNIT = ["order_id", "line_no", "unit_no"]
_LINE = ["order_id", "line_no"]
_MONEY = pl.Decimal(18, 4)


def world_tables(world: World, now: datetime) -> dict[str, pl.DataFrame]:
    """`order_line`, `fault`, `rate` and `carrier_bill` at the clock `now`."""
    clock = now.astimezone(UTC).replace(tzinfo=None)
    return {
        "order_line": _order_lines(world, clock),
        "fault": _faults(world),
        "rate": world.rates,
        "carrier_bill": world.carrier_bills.filter(pl.col("billed_at") <= clock),
    }


def _faults(world: World) -> pl.DataFrame:
    """Buyers by the key under which the warehouse may know them, `unknown` where none is told."""
    buyers = world.faults.filter(pl.col("entity_type") == "customer")["entity_key"].to_list()
    told = pl.col("connector").is_in(["files", "shopify", "ebay"]) & ~pl.col("is_guest")
    known = world.orders.filter(told & pl.col("customer_no").is_in(buyers))
    shops = {
        row["customer_no"]: (row["connector"], row["account"], row["country"])
        for row in known.iter_rows(named=True)
    }
    keys = {
        buyer: customer_key(told_as(buyer, *shops[buyer]), CUSTOMER_KEY)
        if buyer in shops
        else "unknown"
        for buyer in buyers
        if buyer != "all"
    }
    is_buyer = pl.col("entity_type") == "customer"
    hashed = pl.when(is_buyer).then(pl.col("entity_key").replace(keys)).otherwise("entity_key")
    return world.faults.with_columns(hashed.alias("entity_key")) if keys else world.faults


def told_as(customer_no: str, connector: str, account: str, country: str) -> str:
    """A buyer as the source tells of him; Shopify and eBay have names of their own."""
    if connector == "shopify":
        return f"shopify:{account}:7{customer_no.removeprefix('C').replace('-', '0')}"
    return f"ebay:{ebay_user(customer_no, country)}" if connector == "ebay" else customer_no


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
        .when(pl.col("connector") == "shopify")
        .then(pl.format("1{}", "order_item_id"))
        .when(pl.col("connector") == "ebay")
        .then("order_item_id")
        .otherwise(key_part("line_no"))
    )
    key = pl.format("{}:{}:{}:{}", "connector", key_part("account"), key_part("order_id"), line_id)
    return lines.with_columns(key.alias("order_line_key"))


def _order_lines(world: World, clock: datetime) -> pl.DataFrame:
    is_there = pl.col("added_at").is_null() | (pl.col("added_at") <= clock)
    lines = line_keys(world).filter(is_there).select(
        *_LINE, "order_line_key", "account", "connector", "marketplace", "currency", "sku",
        "line_cancelled_at",
    )  # fmt: skip
    orders = world.orders.filter(pl.col("ordered_at") <= clock)
    units = (
        world.units.join(orders.select("order_id", "ordered_at", "paid_at"), on="order_id")
        .join(lines.drop("sku"), on=_LINE, maintain_order="left")
        .join(_events(world), on=_UNIT, how="left", maintain_order="left")
        .join(unit_money(world, clock), on=_UNIT, how="left", maintain_order="left")
        .join(worth_of_goods(world, clock), on=_UNIT, how="left", maintain_order="left")
    )
    times = ("paid_at", "line_cancelled_at", "shipped_at", "delivered_at", "requested_at",
             "received_at", "refunded_at")  # fmt: skip
    units = units.with_columns(
        pl.when(pl.col(name) <= clock).then(name).alias(name) for name in times
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
