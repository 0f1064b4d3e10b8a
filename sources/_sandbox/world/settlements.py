"""Settlements of Amazon accounts: every 14 days per account and currency, sums exact.

Belongs here: which rows a settlement has. Does not belong here: how a report prints them.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from sources._sandbox.scenario import Fault
from sources._sandbox.world import geography
from sources._sandbox.world.demand import DAY, HOUR, SECOND
from sources._sandbox.world.draws import text_ids
from sources._sandbox.world.effects import day_number
from sources._sandbox.world.return_tables import commission_factor
from sources._sandbox.world.simulation import Simulation

PERIOD_DAYS = 14
_FBA_FEE_USD = 3.4
_CLOSING_HOURS = 6

Row = tuple[str, str, str, pl.Expr]  # transaction type, amount type, description, amount


def settlement_tables(
    sim: Simulation,
    orders: pl.DataFrame,
    lines: pl.DataFrame,
    shipments: pl.DataFrame,
    returns: pl.DataFrame,
    refunds: pl.DataFrame,
    reimbursements: pl.DataFrame,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The tables `settlements` and `settlement_lines`: all periods closed before the end."""
    amazon = orders.filter(pl.col("connector") == "amazon").join(
        _markets(sim), on=["account", "marketplace"], how="left", maintain_order="left"
    )
    parts = [
        _sales(sim, amazon, lines, shipments),
        _refunds(amazon, lines, refunds),
        _return_fees(sim, amazon, returns),
        _reimbursed(reimbursements),
        _account_fees(sim),
    ]
    rows = pl.concat(parts, how="diagonal").filter(pl.col("amount_minor") != 0)
    if not rows.height:  # no account that settles
        return pl.DataFrame(), pl.DataFrame()
    rows = _assign(sim, rows)
    heads = _heads(sim, rows)
    rows = rows.join(heads.select("settlement_id"), on="settlement_id", how="semi")
    rows = rows.sort("settlement_id", "posted_at", "order_id", "rank", "place", nulls_last=True)
    rows = rows.with_columns((pl.int_range(pl.len()).over("settlement_id") + 2).alias("line_seq"))
    return heads, rows


def _markets(sim: Simulation) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "account": m.account.name,
                "marketplace": m.marketplace,
                "marketplace_name": m.sales_channel,
                "market": number,
            }
            for number, m in enumerate(sim.places.markets)
        ]
    )


def _exploded(frame: pl.DataFrame, rows: list[Row], keep: list[str]) -> pl.DataFrame:
    """One row per component of each row of `frame`, zero amounts left out."""
    parts = [
        frame.select(
            *keep,
            amount.cast(pl.Int64).alias("amount_minor"),
            pl.lit(transaction).alias("transaction_type"),
            pl.lit(kind).alias("amount_type"),
            pl.lit(description).alias("amount_description"),
            pl.lit(place).alias("place"),
        ).filter(pl.col("amount_minor") != 0)
        for place, (transaction, kind, description, amount) in enumerate(rows)
    ]
    return pl.concat(parts)


_KEEP = [
    "account", "currency", "marketplace", "marketplace_name", "order_id", "order_item_id",
    "sku", "posted_at", "fulfillment_id", "rank",
]  # fmt: skip


def _sales(
    sim: Simulation, orders: pl.DataFrame, lines: pl.DataFrame, shipments: pl.DataFrame
) -> pl.DataFrame:
    """Rows of what was shipped; posted some hours after it left."""
    sold = shipments.join(
        orders.select(
            "order_id", "account", "currency", "marketplace", "marketplace_name", "market",
            "fulfilled_by",
        ),
        on="order_id",
        maintain_order="left",
    ).join(lines, on=["order_id", "line_no"], maintain_order="left")  # fmt: skip
    first = pl.col("has_line_shipping").cast(pl.Int64)
    q = pl.col("quantity")
    net = (pl.col("unit_price_minor") - pl.col("unit_discount_minor")) * q
    sold = sold.with_columns(
        (pl.col("shipped_at") + pl.duration(hours=5)).alias("posted_at"),
        net.alias("net"),
        pl.when(pl.col("fulfilled_by") == "marketplace")
        .then(pl.lit("AFN"))
        .otherwise(pl.lit("MFN"))
        .alias("fulfillment_id"),
        pl.lit(0).alias("rank"),
        pl.col("sku").alias("own_sku"),
    ).with_columns(pl.col("listing_sku").alias("sku"))
    fees = _sale_fees(sim, sold)
    sold = sold.with_columns(fees)
    tax, ship_tax = pl.col("unit_tax_minor") * q, pl.col("shipping_tax_minor") * first
    price, off = pl.col("unit_price_minor") * q, pl.col("unit_discount_minor") * q
    ship, ship_off = pl.col("shipping_minor") * first, pl.col("shipping_discount_minor") * first
    rows: list[Row] = [
        ("Order", "ItemPrice", "Principal", price),
        ("Order", "ItemPrice", "Tax", tax),
        ("Order", "ItemPrice", "Shipping", ship),
        ("Order", "ItemPrice", "ShippingTax", ship_tax),
        ("Order", "Promotion", "Principal", -off),
        ("Order", "Promotion", "Shipping", -ship_off),
        ("Order", "ItemWithheldTax", "MarketplaceFacilitatorTax-Principal", -tax),
        ("Order", "ItemWithheldTax", "MarketplaceFacilitatorTax-Shipping", -ship_tax),
        ("Order", "ItemFees", "Commission", -pl.col("commission")),
        ("Order", "ItemFees", "FBAPerUnitFulfillmentFee", -pl.col("fba_fee")),
    ]
    keep = [*_KEEP, "shipment_id", "quantity", "promotion_ids"]
    frame = _exploded(sold, rows, keep)
    is_price = (pl.col("amount_type") == "ItemPrice") & (
        pl.col("amount_description") == "Principal"
    )
    return frame.with_columns(
        pl.when(is_price).then("quantity").alias("quantity_purchased"),
        pl.when(pl.col("amount_type") == "Promotion").then("promotion_ids").alias("promotion_id"),
    ).drop("quantity", "promotion_ids")


def _sale_fees(sim: Simulation, sold: pl.DataFrame) -> list[pl.Series]:
    market = sold["market"].to_numpy()
    posted = sold["posted_at"].dt.timestamp("us").to_numpy()
    skus = pl.Series(sim.catalogue.skus)
    place = sold["own_sku"].replace_strict(skus, pl.Series(range(len(skus))), return_dtype=pl.Int64)
    rate = np.array([c.commission_bp for c in sim.catalogue.categories], dtype=np.int64)
    bp = np.rint(
        rate[place.to_numpy()] * commission_factor(sim, market, posted // DAY, "commission")
    )
    commission = (sold["net"].to_numpy() * bp.astype(np.int64) + 5_000) // 10_000
    weight = np.array(sim.catalogue.frame["weight_g"].to_list())[place.to_numpy()]
    usd = _FBA_FEE_USD + weight / 1000 * 0.9
    usd = usd * commission_factor(sim, market, posted // DAY, "fulfilment")
    fee = _local(sim, market, usd) * sold["quantity"].to_numpy()
    fee = np.where(sold["fulfilled_by"].to_numpy() == "marketplace", fee, 0)
    return [pl.Series("commission", commission), pl.Series("fba_fee", fee)]


def _local(sim: Simulation, market: np.ndarray, usd: np.ndarray) -> np.ndarray:
    """US dollars in minor units of each market's currency."""
    rate = np.array([geography.units_per_usd(m.currency) for m in sim.places.markets])
    unit = np.array([10**m.decimals for m in sim.places.markets])
    return np.rint(usd * rate[market] * unit[market]).astype(np.int64)


def _refunds(orders: pl.DataFrame, lines: pl.DataFrame, refunds: pl.DataFrame) -> pl.DataFrame:
    paid = refunds.filter(pl.col("connector") == "amazon").join(
        orders.select("order_id", "marketplace", "marketplace_name", "fulfilled_by"),
        on="order_id",
        maintain_order="left",
    )
    paid = paid.join(
        lines.select("order_id", "line_no", "order_item_id"),
        on=["order_id", "line_no"],
        maintain_order="left",
    ).with_columns(
        pl.col("refunded_at").alias("posted_at"),
        pl.when(pl.col("fulfilled_by") == "marketplace")
        .then(pl.lit("AFN"))
        .otherwise(pl.lit("MFN"))
        .alias("fulfillment_id"),
        pl.lit(1).alias("rank"),
        pl.col("listing_sku").alias("sku"),
    )
    price = pl.col("principal_minor") + pl.col("promotion_minor")
    rows: list[Row] = [
        ("Refund", "ItemPrice", "Principal", -price),
        ("Refund", "ItemPrice", "Tax", -pl.col("tax_minor")),
        ("Refund", "ItemPrice", "Shipping", -pl.col("shipping_minor")),
        ("Refund", "ItemPrice", "ShippingTax", -pl.col("shipping_tax_minor")),
        ("Refund", "Promotion", "Principal", pl.col("promotion_minor")),
        ("Refund", "ItemWithheldTax", "MarketplaceFacilitatorTax-Principal", pl.col("tax_minor")),
        (
            "Refund",
            "ItemWithheldTax",
            "MarketplaceFacilitatorTax-Shipping",
            pl.col("shipping_tax_minor"),
        ),
        ("Refund", "ItemFees", "Commission", pl.col("commission_back_minor")),
        ("Refund", "ItemFees", "RefundCommission", -pl.col("admin_fee_minor")),
    ]
    return _exploded(paid, rows, [*_KEEP, "adjustment_id"])


def _return_fees(sim: Simulation, orders: pl.DataFrame, returns: pl.DataFrame) -> pl.DataFrame:
    """Amazon's fee per unit that came back to its centres."""
    back = returns.filter(
        (pl.col("connector") == "amazon")
        & (pl.col("fulfilled_by") == "marketplace")
        & pl.col("received_at").is_not_null()
    ).join(
        orders.select("order_id", "marketplace", "marketplace_name", "market", "currency"),
        on="order_id",
        maintain_order="left",
    )
    skus = pl.Series(sim.catalogue.skus)
    fees = pl.Series([c.return_fee_usd for c in sim.catalogue.categories])
    usd = back["sku"].replace_strict(skus, fees, return_dtype=pl.Float64).to_numpy()
    market = back["market"].to_numpy()
    day = back["received_at"].dt.timestamp("us").to_numpy() // DAY
    usd = usd * commission_factor(sim, market, day, "return")
    fee = _local(sim, market, usd) * back["quantity"].to_numpy()
    back = back.with_columns(
        pl.Series("fee", fee),
        (pl.col("posted_at") + pl.duration(hours=9)).alias("posted_at"),
        pl.col("listing_sku").alias("sku"),
        pl.lit(2).alias("rank"),
        pl.lit("AFN").alias("fulfillment_id"),
        pl.lit(None, dtype=pl.String).alias("order_item_id"),
    )
    name = "FBACustomerReturnPerUnitFee"
    return _exploded(
        back, [("other-transaction", "other-transaction", name, -pl.col("fee"))], _KEEP
    )


def _reimbursed(reimbursements: pl.DataFrame) -> pl.DataFrame:
    name = (
        pl.when(pl.col("reason") == "Lost_Outbound")
        .then(pl.lit("REVERSAL_REIMBURSEMENT"))
        .otherwise(pl.lit("WAREHOUSE_DAMAGE"))
    )
    return reimbursements.select(
        "account",
        "currency",
        "order_id",
        pl.col("listing_sku").alias("sku"),
        (pl.col("approved_at") + pl.duration(hours=3)).alias("posted_at"),
        pl.col("reimbursement_id").alias("adjustment_id"),
        pl.lit(3).alias("rank"),
        pl.lit(0).alias("place"),
        pl.lit("other-transaction").alias("transaction_type"),
        pl.lit("FBA Inventory Reimbursement").alias("amount_type"),
        name.alias("amount_description"),
        "amount_minor",
    )


def _account_fees(sim: Simulation) -> pl.DataFrame:
    """Storage and subscription once a month, advertising once a week, per account and currency."""
    rows = []
    for account, currency, market in _groups(sim):
        days = range((sim.end - sim.scenario.start).days + 1)
        for day in (day_number(sim.scenario.start) + n for n in days):
            moment = np.datetime64(day, "D")
            is_first = str(moment)[8:] == "01"
            fees = [
                ("Storage Fee", "other-transaction", 38.0),
                ("Subscription Fee", "other-transaction", 39.99),
            ] * is_first
            if day % 7 == 0:
                fees.append(("TransactionTotalAmount", "Cost of Advertising", 25.0))
            for place, (name, kind, usd) in enumerate(fees):
                factor = commission_factor(sim, np.array([market]), np.array([day]), "storage")
                usd *= float(factor[0]) if name == "Storage Fee" else 1.0
                luck = sim.draws.one("fee", account, currency, name, day)
                amount = int(
                    _local(sim, np.array([market]), np.array([usd * (0.8 + 0.4 * luck)]))[0]
                )
                rows.append(
                    {
                        "account": account,
                        "currency": currency,
                        "posted_at": day * DAY + 10 * HOUR + int(luck * 3600) * SECOND,
                        "transaction_type": "ServiceFee"
                        if day % 7 == 0 and kind != "other-transaction"
                        else "other-transaction",
                        "amount_type": kind,
                        "amount_description": name,
                        "amount_minor": -amount,
                        "rank": 4,
                        "place": place,
                    }
                )
    if not rows:
        return pl.DataFrame()
    return pl.DataFrame(rows).with_columns(
        pl.col("posted_at").cast(pl.Datetime("us")), pl.col("rank", "place").cast(pl.Int32)
    )


def _groups(sim: Simulation) -> list[tuple[str, str, int]]:
    """Account, currency and its first market."""
    groups: dict[tuple[str, str], int] = {}
    for number, market in enumerate(sim.places.markets):
        if market.connector == "amazon":
            groups.setdefault((market.account.name, market.currency), number)
    return [(account, currency, number) for (account, currency), number in groups.items()]


def _assign(sim: Simulation, rows: pl.DataFrame) -> pl.DataFrame:
    """Which period each row falls into; periods begin at the same hour for a group."""
    if not _groups(sim):
        return rows.clear().with_columns(
            pl.lit(None, dtype=pl.String).alias("settlement_id"),
            pl.lit(None, dtype=pl.Int64).alias("period"),
        )
    start = day_number(sim.scenario.start) * DAY
    groups = pl.DataFrame(
        [
            {"account": a, "currency": c, "phase": start - _phase(sim, a, c), "group": f"{a}|{c}"}
            for a, c, _ in _groups(sim)
        ]
    )
    rows = rows.join(groups, on=["account", "currency"], maintain_order="left")
    since = pl.col("posted_at").dt.timestamp("us") - pl.col("phase")
    rows = rows.with_columns((since // (PERIOD_DAYS * DAY)).alias("period"))
    keys = rows.select("group", "period").unique()
    ids = text_ids([f"{g}|{p}" for g, p in keys.iter_rows()]) % np.uint64(10**14)
    numbers = [f"{n % 10**11:011d}" for n in sim.draws.scatter("settlement", ids).tolist()]
    keys = keys.with_columns(pl.Series("settlement_id", numbers, dtype=pl.String))
    return rows.join(keys, on=["group", "period"], maintain_order="left")


def _phase(sim: Simulation, account: str, currency: str) -> int:
    """How long before the world's start the first period began."""
    luck = sim.draws.one("settlement.phase", account, currency)
    return int(luck * 13) * DAY + int(luck * 1000) % 24 * HOUR


def _heads(sim: Simulation, rows: pl.DataFrame) -> pl.DataFrame:
    """Header of each period closed before the end of the world."""
    begin = pl.col("phase").first() + pl.col("period").first() * (PERIOD_DAYS * DAY)
    heads = rows.group_by("settlement_id").agg(
        pl.col("account").first(),
        pl.col("currency").first(),
        begin.alias("start"),
        pl.col("amount_minor").sum().alias("total_minor"),
    )
    end = pl.col("start") + PERIOD_DAYS * DAY
    world_end = day_number(sim.end) * DAY
    regions = {m.account.name: m.region_group for m in sim.places.markets}
    by_currency = {(m.account.name, m.currency): m.region_group for m in sim.places.markets}
    heads = (
        heads.with_columns(end.alias("end"))
        .filter(pl.col("end") + _CLOSING_HOURS * HOUR <= world_end)
        .sort("end", "account", "currency")
    )
    pairs = zip(heads["account"], heads["currency"], strict=True)
    region = [by_currency.get(pair, regions.get(pair[0], "EU")) for pair in pairs]
    error = _planted_errors(sim, heads)
    when = pl.Datetime("us")
    return heads.with_columns(
        pl.Series("region_group", region, dtype=pl.String),
        pl.col("start").cast(when).alias("start_at"),
        pl.col("end").cast(when).alias("end_at"),
        (pl.col("end") + 2 * DAY).cast(when).alias("deposit_at"),
        (pl.col("end") + _CLOSING_HOURS * HOUR).cast(when).alias("closed_at"),
        error.alias("planted_error_minor"),
        (pl.col("total_minor") + error).alias("total_minor"),
    )


def _planted_errors(sim: Simulation, heads: pl.DataFrame) -> pl.Series:
    """The first `count` settlements of the account that close once the fault is on."""
    errors = [0] * heads.height
    for fault in sim.scenario.faults_of("settlement_error"):
        left = int(fault.get("count"))
        for place, (account, currency, end) in enumerate(
            heads.select("account", "currency", "end").iter_rows()
        ):
            if left and account == fault.get("account") and _closes_in(sim, fault, end):
                factor = 10 ** geography.decimals(currency)
                errors[place] += round(float(fault.get("amount")) * factor)
                left -= 1
    return pl.Series("planted_error_minor", errors, dtype=pl.Int64)


def _closes_in(sim: Simulation, fault: Fault, end: int) -> bool:
    first = fault.from_date or sim.scenario.start
    last = day_number(fault.to_date) if fault.to_date else 2**31
    return day_number(first) * DAY <= end and end // DAY <= last
