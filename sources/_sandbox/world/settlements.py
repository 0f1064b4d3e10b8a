"""Settlements of Amazon accounts: every 14 days per account and currency, sums exact.

Belongs here: which rows a settlement has. Does not belong here: how a report prints them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from sources._sandbox.world import geography
from sources._sandbox.world.demand import DAY, HOUR, SECOND
from sources._sandbox.world.dispatch import hours
from sources._sandbox.world.draws import text_ids
from sources._sandbox.world.effects import day_number
from sources._sandbox.world.fault_tables import planted_errors
from sources._sandbox.world.return_requests import PREPAID
from sources._sandbox.world.return_tables import fee_factor
from sources._sandbox.world.simulation import Simulation
from sources._sandbox.world.stock_tables import REMOVAL_FEES

PERIOD_DAYS = 14
_FBA_FEE_USD = 3.4
_CLOSING_HOURS = 6

PRICE, FEES, WITHHELD, PROMOTION = "ItemPrice", "ItemFees", "ItemWithheldTax", "Promotion"
OTHER, STOCK, ADS = "other-transaction", "FBA Inventory Reimbursement", "Cost of Advertising"
POSTAGE = "RETURN_POSTAGE_LABEL"
WITHHELD_TAX = "MarketplaceFacilitatorTax-Principal"
WITHHELD_SHIPPING = "MarketplaceFacilitatorTax-Shipping"

_STOCK_WORDS = {
    "Lost_Outbound": "REVERSAL_REIMBURSEMENT",
    "Damaged_Warehouse": "WAREHOUSE_DAMAGE",
    "Lost_Warehouse": "WAREHOUSE_LOST",
    "Reimbursement_Reversal": "COMPENSATED_CLAWBACK",
}
"""What a settlement calls each reason of the report of reimbursements."""

COMPONENTS: tuple[tuple[str, str, str], ...] = (
    ("Order", PRICE, "Principal"),
    ("Order", PRICE, "Tax"),
    ("Order", PRICE, "Shipping"),
    ("Order", PRICE, "ShippingTax"),
    ("Order", PROMOTION, "Principal"),
    ("Order", PROMOTION, "Shipping"),
    ("Order", WITHHELD, WITHHELD_TAX),
    ("Order", WITHHELD, WITHHELD_SHIPPING),
    ("Order", FEES, "Commission"),
    ("Order", FEES, "FBAPerUnitFulfillmentFee"),
    ("Refund", PRICE, "Principal"),
    ("Refund", PRICE, "Tax"),
    ("Refund", PRICE, "Shipping"),
    ("Refund", PRICE, "ShippingTax"),
    ("Refund", PROMOTION, "Principal"),
    ("Refund", WITHHELD, WITHHELD_TAX),
    ("Refund", WITHHELD, WITHHELD_SHIPPING),
    ("Refund", FEES, "Commission"),
    ("Refund", FEES, "RefundCommission"),
    (OTHER, OTHER, "FBACustomerReturnPerUnitFee"),
    (OTHER, OTHER, POSTAGE),
    *((OTHER, OTHER, description) for description in REMOVAL_FEES.values()),
    *((OTHER, STOCK, description) for description in _STOCK_WORDS.values()),
    (OTHER, OTHER, "Storage Fee"),
    (OTHER, OTHER, "Subscription Fee"),
    ("ServiceFee", ADS, "TransactionTotalAmount"),
)
"""Transaction type, amount type and description of each row that a settlement may have."""

_NAMES = tuple("/".join(component) for component in COMPONENTS)
_EVENT: dict[str, pl.DataType | type[pl.DataType]] = {
    "account": pl.String,
    "currency": pl.String,
    "marketplace": pl.String,
    "marketplace_name": pl.String,
    "order_id": pl.String,
    "order_item_id": pl.String,
    "sku": pl.String,
    "shipment_id": pl.String,
    "adjustment_id": pl.String,
    "fulfillment_id": pl.String,
    "promotion_ids": pl.String,
    "quantity": pl.Int64,
    "posted_at": pl.Datetime("us"),
    "rank": pl.Int64,
}
"""What an event that is settled tells besides its amounts."""


def settlement_tables(
    sim: Simulation,
    orders: pl.DataFrame,
    lines: pl.DataFrame,
    shipments: pl.DataFrame,
    returns: pl.DataFrame,
    refunds: pl.DataFrame,
    reimbursements: pl.DataFrame,
    requests: pl.DataFrame,
    removals: pl.DataFrame,
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The tables `settlements` and `settlement_lines`: all periods closed before the end; and
    `bookings`, all that was booked, settled yet or not."""
    groups = _groups(sim)
    if groups.is_empty():
        return pl.DataFrame(), pl.DataFrame(), pl.DataFrame()
    amazon = orders.filter(pl.col("connector") == "amazon").join(
        _markets(sim), on=["account", "marketplace"], how="left", maintain_order="left"
    )
    events = pl.concat(
        [
            _sales(sim, amazon, lines, shipments),
            _refunds(amazon, lines, refunds),
            _return_fees(sim, amazon, returns),
            _postage(amazon, requests),
            _reimbursed(reimbursements),
            _removed(removals),
            _account_fees(sim, groups),
        ]
    )
    booked = _bookings(sim, events)
    events = _closed(sim, groups, events).sort(
        "settlement_id", "posted_at", "order_id", "order_item_id", "adjustment_id", "rank",
        nulls_last=True, maintain_order=True,
    )  # fmt: skip
    rows = _rows(events)
    return _heads(sim, events, rows), rows, booked


def _bookings(sim: Simulation, events: pl.DataFrame) -> pl.DataFrame:
    """When each booking is shown, up to 40 hours late, and until when a sale is held back."""
    events = events.sort("posted_at", "account", "order_id", "order_item_id", "adjustment_id",
                         "rank", nulls_last=True, maintain_order=True)  # fmt: skip
    orders = events["order_id"].str.replace_all("-", "", literal=True).cast(pl.UInt64)
    posted = events["posted_at"].dt.timestamp("us").cast(pl.UInt64).to_numpy()
    keys = orders.fill_null(0).to_numpy() ^ (posted * np.uint64(0x9E3779B97F4A7C15))
    late = pl.Series(hours(sim.draws, "booking.shown", keys, 0, 40))
    held = pl.Series(hours(sim.draws, "booking.held", keys, 216, 400))
    is_held = pl.Series(sim.draws.chance("booking.held?", keys, 0.5))
    is_held &= (events["fulfillment_id"] == "MFN").fill_null(value=False) & (events["rank"] == 0)
    events = events.with_columns(
        (pl.col("posted_at") + late.cast(pl.Duration("us"))).alias("shown_at"),
        pl.when(is_held)
        .then(pl.col("posted_at") + held.cast(pl.Duration("us")))
        .alias("released_at"),
    )
    return _components(events, ["shown_at", "released_at", *_EVENT])


def _components(events: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """One row per component of each event, in the events' order; zero amounts left out."""
    amounts = events.select(_NAMES).to_numpy()
    event, component = np.nonzero(amounts)
    kinds = pl.DataFrame(
        COMPONENTS, schema=["transaction_type", "amount_type", "amount_description"], orient="row"
    )
    kept = events.select(columns)[pl.Series(event, dtype=pl.UInt32)]
    return pl.concat(
        [kept, kinds[pl.Series(component, dtype=pl.UInt32)]], how="horizontal"
    ).with_columns(pl.Series("amount_minor", amounts[event, component], dtype=pl.Int64))


def _rows(events: pl.DataFrame) -> pl.DataFrame:
    """Lines of settlements, numbered as in the report."""
    rows = _components(events, ["settlement_id", *_EVENT])
    is_price = pl.col("amount_type").eq(PRICE) & pl.col("amount_description").eq("Principal")
    return rows.with_columns(
        pl.when(is_price & (pl.col("transaction_type") == "Order"))
        .then("quantity")
        .alias("quantity_purchased"),
        pl.when(pl.col("amount_type") == PROMOTION).then("promotion_ids").alias("promotion_id"),
        (pl.int_range(pl.len()).over("settlement_id") + 2).alias("line_seq"),
    )


def _events(frame: pl.DataFrame, amounts: Mapping[tuple[str, str, str], pl.Expr]) -> pl.DataFrame:
    """Events with all columns of `_EVENT` and an amount for each component."""
    named = {"/".join(component): amount for component, amount in amounts.items()}
    return frame.select(
        *(
            (pl.col(name) if name in frame.columns else pl.lit(None)).cast(dtype).alias(name)
            for name, dtype in _EVENT.items()
        ),
        *(named.get(name, pl.lit(0)).cast(pl.Int64).alias(name) for name in _NAMES),
    )


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


def _network() -> pl.Expr:
    by_amazon = pl.col("fulfilled_by") == "marketplace"
    return pl.when(by_amazon).then(pl.lit("AFN")).otherwise(pl.lit("MFN")).alias("fulfillment_id")


def _sales(
    sim: Simulation, orders: pl.DataFrame, lines: pl.DataFrame, shipments: pl.DataFrame
) -> pl.DataFrame:
    """What was shipped; posted some hours after it left."""
    sold = shipments.select(
        "shipment_id", "order_id", "line_no", "quantity", "shipped_at", "has_line_shipping"
    ).join(
        orders.select(
            "order_id", "account", "currency", "marketplace", "marketplace_name", "market",
            "fulfilled_by",
        ),
        on="order_id",
    ).join(lines, on=["order_id", "line_no"], suffix="_ordered")  # fmt: skip
    first = pl.col("has_line_shipping").cast(pl.Int64)
    q = pl.col("quantity")
    sold = sold.with_columns(
        (pl.col("shipped_at") + pl.duration(hours=5)).alias("posted_at"),
        ((pl.col("unit_price_minor") - pl.col("unit_discount_minor")) * q).alias("net"),
        _network(),
        pl.lit(0).alias("rank"),
    )
    sold = sold.with_columns(_sale_fees(sim, sold)).with_columns(pl.col("listing_sku").alias("sku"))
    tax, ship_tax = pl.col("unit_tax_minor") * q, pl.col("shipping_tax_minor") * first
    return _events(
        sold,
        {
            ("Order", PRICE, "Principal"): pl.col("unit_price_minor") * q,
            ("Order", PRICE, "Tax"): tax,
            ("Order", PRICE, "Shipping"): pl.col("shipping_minor") * first,
            ("Order", PRICE, "ShippingTax"): ship_tax,
            ("Order", PROMOTION, "Principal"): -pl.col("unit_discount_minor") * q,
            ("Order", PROMOTION, "Shipping"): -pl.col("shipping_discount_minor") * first,
            ("Order", WITHHELD, WITHHELD_TAX): -tax,
            ("Order", WITHHELD, WITHHELD_SHIPPING): -ship_tax,
            ("Order", FEES, "Commission"): -pl.col("commission"),
            ("Order", FEES, "FBAPerUnitFulfillmentFee"): -pl.col("fba_fee"),
        },
    )


def _sale_fees(sim: Simulation, sold: pl.DataFrame) -> list[pl.Series]:
    market = sold["market"].to_numpy()
    day = sold["posted_at"].dt.timestamp("us").to_numpy() // DAY
    skus = pl.Series(sim.catalogue.skus)
    place = sold["sku"].replace_strict(skus, pl.Series(range(len(skus))), return_dtype=pl.Int64)
    rate = np.array([c.commission_bp for c in sim.catalogue.categories], dtype=np.int64)
    bp = np.rint(rate[place.to_numpy()] * fee_factor(sim, market, day, "commission"))
    commission = (sold["net"].to_numpy() * bp.astype(np.int64) + 5_000) // 10_000
    weight = np.array(sim.catalogue.frame["weight_g"].to_list())[place.to_numpy()]
    usd = (_FBA_FEE_USD + weight / 1000 * 0.9) * fee_factor(sim, market, day, "fulfilment")
    fee = _local(sim, market, usd) * sold["quantity"].to_numpy()
    is_fba = (sold["fulfilled_by"] == "marketplace").to_numpy()
    return [pl.Series("commission", commission), pl.Series("fba_fee", np.where(is_fba, fee, 0))]


def _local(sim: Simulation, market: np.ndarray, usd: np.ndarray) -> np.ndarray:
    """US dollars in minor units of each market's currency."""
    rate = np.array([geography.units_per_usd(m.currency) for m in sim.places.markets])
    unit = np.array([10**m.decimals for m in sim.places.markets])
    return np.rint(usd * rate[market] * unit[market]).astype(np.int64)


def _refunds(orders: pl.DataFrame, lines: pl.DataFrame, refunds: pl.DataFrame) -> pl.DataFrame:
    paid = (
        refunds.filter(pl.col("connector") == "amazon")
        .join(
            orders.select("order_id", "marketplace", "marketplace_name", "fulfilled_by"),
            on="order_id",
        )
        .join(
            lines.select("order_id", "line_no", "order_item_id"),
            on=["order_id", "line_no"],
        )
        .with_columns(
            pl.col("refunded_at").alias("posted_at"),
            _network(),
            pl.lit(1).alias("rank"),
            pl.col("listing_sku").alias("sku"),
        )
    )
    return _events(
        paid,
        {
            ("Refund", PRICE, "Principal"): -pl.col("principal_minor") - pl.col("promotion_minor"),
            ("Refund", PRICE, "Tax"): -pl.col("tax_minor"),
            ("Refund", PRICE, "Shipping"): -pl.col("shipping_minor"),
            ("Refund", PRICE, "ShippingTax"): -pl.col("shipping_tax_minor"),
            ("Refund", PROMOTION, "Principal"): pl.col("promotion_minor"),
            ("Refund", WITHHELD, WITHHELD_TAX): pl.col("tax_minor"),
            ("Refund", WITHHELD, WITHHELD_SHIPPING): pl.col("shipping_tax_minor"),
            ("Refund", FEES, "Commission"): pl.col("commission_back_minor"),
            ("Refund", FEES, "RefundCommission"): -pl.col("admin_fee_minor"),
        },
    )


def _return_fees(sim: Simulation, orders: pl.DataFrame, returns: pl.DataFrame) -> pl.DataFrame:
    """Amazon's fee per unit that came back to its centres."""
    back = returns.filter(
        (pl.col("connector") == "amazon")
        & (pl.col("fulfilled_by") == "marketplace")
        & pl.col("received_at").is_not_null()
    ).join(
        orders.select("order_id", "marketplace", "marketplace_name", "market", "currency"),
        on="order_id",
    )
    skus = pl.Series(sim.catalogue.skus)
    fees = pl.Series([c.return_fee_usd for c in sim.catalogue.categories])
    usd = back["sku"].replace_strict(skus, fees, return_dtype=pl.Float64).to_numpy()
    market = back["market"].to_numpy()
    day = back["received_at"].dt.timestamp("us").to_numpy() // DAY
    fee = _local(sim, market, usd * fee_factor(sim, market, day, "return"))
    back = back.with_columns(
        pl.Series("fee", fee * back["quantity"].to_numpy()),
        (pl.col("posted_at") + pl.duration(hours=9)).alias("posted_at"),
        pl.col("listing_sku").alias("sku"),
        pl.col("return_no").alias("order_item_id"),
        pl.lit(2).alias("rank"),
        _network(),
    )
    events = _events(back, {(OTHER, OTHER, "FBACustomerReturnPerUnitFee"): -pl.col("fee")})
    return events.sort("posted_at", "order_item_id").with_columns(
        pl.lit(None, dtype=pl.String).alias("order_item_id")
    )


def _postage(orders: pl.DataFrame, requests: pl.DataFrame) -> pl.DataFrame:
    """Labels that Amazon made for goods sent back to the seller, billed once they were used."""
    used = requests.filter(
        pl.col("label_type") == PREPAID, pl.col("received_at").is_not_null()
    ).join(orders.select("order_id", "marketplace", "marketplace_name"), on="order_id")
    used = used.with_columns(
        (pl.col("received_at") + pl.duration(hours=30)).alias("posted_at"),
        pl.col("listing_sku").alias("sku"),
        pl.lit("MFN").alias("fulfillment_id"),
        pl.lit(2).alias("rank"),
    )
    return _events(used, {(OTHER, OTHER, POSTAGE): -pl.col("label_cost_minor")})


def _reimbursed(reimbursements: pl.DataFrame) -> pl.DataFrame:
    paid = reimbursements.with_columns(
        pl.col("listing_sku").alias("sku"),
        (pl.col("approved_at") + pl.duration(hours=3)).alias("posted_at"),
        pl.col("reimbursement_id").alias("adjustment_id"),
        pl.lit(3).alias("rank"),
    )
    return _events(
        paid,
        {
            (OTHER, STOCK, description): pl.when(pl.col("reason") == reason)
            .then("amount_minor")
            .otherwise(0)
            for reason, description in _STOCK_WORDS.items()
        },
    )


def _removed(removals: pl.DataFrame) -> pl.DataFrame:
    """Fees for goods taken home or disposed of."""
    if not removals.width:
        return _events(pl.DataFrame(schema=_EVENT), {})
    billed = removals.with_columns(
        pl.col("listing_sku").alias("sku"),
        (pl.col("shipped_at") + pl.duration(hours=12)).alias("posted_at"),
        pl.col("removal_id").alias("adjustment_id"),
        pl.lit(3).alias("rank"),
    )
    return _events(
        billed,
        {
            (OTHER, OTHER, description): pl.when(pl.col("order_type") == kind)
            .then(-pl.col("fee_minor"))
            .otherwise(0)
            for kind, description in REMOVAL_FEES.items()
        },
    )


def _account_fees(sim: Simulation, groups: pl.DataFrame) -> pl.DataFrame:
    """Storage and subscription once a month, advertising once a week, per account and currency."""
    first = day_number(sim.scenario.start)
    days = np.arange(first, first + (sim.end - sim.scenario.start).days + 1)
    months = days.astype("datetime64[D]").astype("datetime64[M]")
    is_first = months.astype("datetime64[D]").astype(np.int64) == days
    parts = [_events(pl.DataFrame(schema=_EVENT), {})]
    for account, currency, market in groups.select("account", "currency", "market").iter_rows():
        here = np.full(len(days), market)
        luck = sim.draws.uniform(f"fee.{account}.{currency}", days.astype(np.uint64))
        storage = 38.0 * (0.8 + 0.4 * luck) * fee_factor(sim, here, days, "storage")
        frame = pl.DataFrame(
            {
                "posted_at": days * DAY + 10 * HOUR + (luck * 3600).astype(np.int64) * SECOND,
                "storage": np.where(is_first, _local(sim, here, storage), 0),
                "subscription": np.where(is_first, _local(sim, here, np.full(len(days), 39.99)), 0),
                "ads": np.where(days % 7 == 0, _local(sim, here, 20 + 10 * luck), 0),
            }
        ).with_columns(
            pl.col("posted_at").cast(pl.Datetime("us")),
            pl.lit(account).alias("account"),
            pl.lit(currency).alias("currency"),
            pl.lit(4).alias("rank"),
        )
        parts.append(
            _events(
                frame,
                {
                    (OTHER, OTHER, "Storage Fee"): -pl.col("storage"),
                    (OTHER, OTHER, "Subscription Fee"): -pl.col("subscription"),
                    ("ServiceFee", ADS, "TransactionTotalAmount"): -pl.col("ads"),
                },
            )
        )
    return pl.concat(parts)


def _groups(sim: Simulation) -> pl.DataFrame:
    """What is settled together: account and currency, with when its first period began."""
    groups: dict[tuple[str, str], dict[str, object]] = {}
    start = day_number(sim.scenario.start) * DAY
    for number, market in enumerate(sim.places.markets):
        key = (market.account.name, market.currency)
        if market.connector != "amazon" or key in groups:
            continue
        luck = sim.draws.one("settlement.phase", *key)
        groups[key] = {
            "account": market.account.name,
            "currency": market.currency,
            "market": number,
            "region_group": market.region_group,
            "began": start - int(luck * 13) * DAY - int(luck * 1000) % 24 * HOUR,
        }
    return pl.DataFrame(list(groups.values()))


def _closed(sim: Simulation, groups: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Events of the periods that closed before the end, with their settlement."""
    length = PERIOD_DAYS * DAY
    events = events.join(groups.drop("market"), on=["account", "currency"])
    since = pl.col("posted_at").dt.timestamp("us") - pl.col("began")
    events = events.with_columns((pl.col("began") + since // length * length).alias("start"))
    last = day_number(sim.end) * DAY - _CLOSING_HOURS * HOUR
    events = events.filter(pl.col("start") + length <= last)
    keys = events.select("account", "currency", "start").unique().sort(pl.all())
    ids = text_ids(["|".join(map(str, key)) for key in keys.iter_rows()]) % np.uint64(10**14)
    numbers = [f"{n % 10**11:011d}" for n in sim.draws.scatter("settlement", ids).tolist()]
    keys = keys.with_columns(pl.Series("settlement_id", numbers, dtype=pl.String))
    return events.join(keys, on=["account", "currency", "start"])


def _heads(sim: Simulation, events: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Header of each settlement."""
    sums = rows.group_by("settlement_id").agg(pl.col("amount_minor").sum().alias("total_minor"))
    heads = (
        events.group_by("settlement_id")
        .agg(pl.col("account", "currency", "region_group", "start").first())
        .join(sums, on="settlement_id")
        .with_columns((pl.col("start") + PERIOD_DAYS * DAY).alias("end"))
        .sort("end", "account", "currency")
    )
    error, fault = planted_errors(sim, heads)
    when = pl.Datetime("us")
    return heads.with_columns(
        pl.col("start").cast(when).alias("start_at"),
        pl.col("end").cast(when).alias("end_at"),
        (pl.col("end") + 2 * DAY).cast(when).alias("deposit_at"),
        (pl.col("end") + _CLOSING_HOURS * HOUR).cast(when).alias("closed_at"),
        error.alias("planted_error_minor"),
        fault.alias("fault_id"),
        (pl.col("total_minor") + error).alias("total_minor"),
    )
