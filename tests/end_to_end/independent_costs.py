"""The cost marts computed a second time, from facts and dimensions alone, in polars.

Belongs here: sums and formulas of `facts/metrics.md` 6.1 and section 3.4, written apart from the
SQL. Does not belong here: rows of fct_after_sales_cost (the truth has them), comparing
(`table_difference.py`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import polars as pl

from tests.end_to_end.independent_marts import MONEY, Marts, never_arrived

HANDLING = (
    "return_shipping", "returns_processing_fee", "inspection_labour", "repack", "write_off",
    "disposal_fee",
)  # fmt: skip
OTHER_COSTS = (
    "replacement_unit_cost", "replacement_shipping", "goodwill_coupon", "dispute_fee",
    "customer_service_labour", "payment_fee_lost", "duties_not_reclaimed", "repair_labour",
    "repair_parts",
)  # fmt: skip
RECOVERED = ("resale_value", "liquidation", "reimbursement", "carrier_claim", "supplier_claim")
MEMO = ("refund_tax", "outbound_shipping_lost", "platform_fee_kept", "lost_customer_value")
COSTS = (*HANDLING, *OTHER_COSTS)
CREDITS = ("fee_credit", *RECOVERED)
COMPONENTS = ("refund_net", *COSTS, *CREDITS, *MEMO)
IN_K01 = {"refund_net": 1, **dict.fromkeys(COSTS, 1), **dict.fromkeys(CREDITS, -1)}
IN_K02 = {
    **dict.fromkeys(COSTS, 1), **dict.fromkeys(RECOVERED, -1), "platform_fee_kept": 1,
}  # fmt: skip
NEVER = date(1900, 1, 1)
CLAIM_AFTER_DAYS = 45
LINE_SUMS = (
    "net_sales", "units_shipped", "units_cost_known", "profit_before_after_sales",
)  # fmt: skip


def share(above: str | pl.Expr, below: str | pl.Expr) -> pl.Expr:
    """Null where the denominator is 0 or not known."""
    top = (pl.col(above) if isinstance(above, str) else above).cast(pl.Float64)
    bottom = (pl.col(below) if isinstance(below, str) else below).cast(pl.Float64)
    return pl.when(bottom != 0).then(top / bottom)


def money(amount: pl.Expr) -> pl.Expr:
    """To four decimals; a hair more than a half is a half that a float lost."""
    return (amount.cast(pl.Float64) + 1e-10).round(4).cast(MONEY)


def total(columns: Sequence[str]) -> pl.Expr:
    return pl.sum_horizontal(pl.col(name).cast(MONEY) for name in columns).cast(MONEY)


def weighed(signs: Mapping[str, int]) -> pl.Expr:
    """The sum of components, each with its sign."""
    return total([name for name, sign in signs.items() if sign > 0]) - total(
        [name for name, sign in signs.items() if sign < 0]
    )


def month_of(day: str) -> pl.Expr:
    return pl.col(day).dt.truncate("1mo")


def _in_cents(cents: int, lines: pl.DataFrame) -> dict[str, int]:
    """Cents by units, the odd ones to the largest remainders, then to the first lines."""
    units = dict(lines.sort("order_line_key").select("order_line_key", "quantity").iter_rows())
    whole, sign = sum(units.values()), 1 if cents > 0 else -1
    parts = {line: abs(cents) * of_line // whole for line, of_line in units.items()}
    left = sorted(units, key=lambda line: -(abs(cents) * units[line] % whole))
    for line in left[: abs(cents) - sum(parts.values())]:
        parts[line] += 1
    return {line: sign * part for line, part in parts.items()}


def _with_all(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows, and again as those of account `all`."""
    return pl.concat([frame, frame.with_columns(pl.lit("all").alias("account"))])


@dataclass(frozen=True)
class Costs:
    """`facts` by name as in `observable/`; `dims` as published; `data_until` of the build; `bills`
    of carriers in cents, `rates` to the reporting currency by day and currency."""

    facts: Mapping[str, pl.DataFrame]
    dims: Mapping[str, pl.DataFrame]
    data_until: date
    bills: pl.DataFrame = field(default_factory=pl.DataFrame)
    rates: pl.DataFrame = field(default_factory=pl.DataFrame)

    @cached_property
    def returned(self) -> Marts:
        """What the return marts say of the same facts."""
        return Marts(self.facts, self.dims, self.data_until)

    # ------------------------------------------------------------------ lines

    @cached_property
    def lines(self) -> pl.DataFrame:
        """Order lines with the money of the sale."""
        lines = self.facts["fct_order_line"]
        linked = self.facts["fct_exchange"]["new_order_line_key"].to_list()
        is_extra = pl.col("is_replacement") | pl.col("is_exchange")
        shipped = pl.col("quantity_shipped")
        lines = lines.join(self._sale_fees(), on="order_line_key", how="left").with_columns(
            (pl.col("outbound_cost").fill_null(0) + self._carriage()).cast(MONEY),
            pl.col("marketplace_fees").fill_null(0).cast(MONEY),
            pl.col("order_line_key").is_in(linked).alias("is_linked"),
            pl.lit(0).cast(MONEY).alias("payment_fees"),
        )
        is_sent = shipped > 0
        cost = pl.col("unit_landed_cost_reporting")
        nothing = pl.lit(0).cast(MONEY)
        lines = lines.with_columns(
            pl.when(is_sent)
            .then(
                money(
                    pl.col("net_reporting").cast(pl.Float64) * shipped / pl.col("quantity_ordered")
                )
            )
            .otherwise(nothing)
            .alias("net_sales"),
            pl.when(is_sent).then("shipping_reporting").otherwise(nothing).alias("shipping_income"),
            pl.when("is_linked")
            .then(nothing)
            .when(is_sent)
            .then(money(cost.cast(pl.Float64) * shipped))
            .otherwise(nothing)
            .alias("landed_cost"),
            pl.when("is_linked").then(nothing).otherwise("outbound_cost").alias("outbound_cost"),
            pl.when(is_extra).then(0).otherwise(shipped).alias("units_shipped"),
            pl.when(~is_extra & cost.is_not_null())
            .then(shipped)
            .otherwise(0)
            .alias("units_cost_known"),
        )
        spent = ("landed_cost", "outbound_cost", "marketplace_fees", "payment_fees")
        profit = pl.col("net_sales") + pl.col("shipping_income")
        for name in spent:
            profit = profit - pl.col(name)
        return lines.with_columns(
            profit.cast(MONEY).alias("profit_before_after_sales"), self._is_closed()
        )

    def _sale_fees(self) -> pl.DataFrame:
        """Fees of the sale, whoever the marketplace; sending by its warehouses apart."""
        kind, words = pl.col("transaction_type"), pl.col("amount_type")
        by_wfs = words == "WFS Fulfillment fee"
        fees = self.facts["fct_settlement_line"].filter(
            ((kind == "Order") & (words == "ItemFees"))
            | (kind.is_in(["SALE", "Sale"]) & (pl.col("line_class") == "fee"))
            | by_wfs
        )
        is_outbound = pl.col("amount_description").str.starts_with("FBA") | by_wfs
        paid = -pl.col("amount_reporting")
        return fees.group_by("order_line_key").agg(
            paid.filter(is_outbound).sum().alias("outbound_cost"),
            paid.filter(~is_outbound).sum().alias("marketplace_fees"),
        )

    def _carriage(self) -> pl.Expr:
        """What carriers bill for the way out, by line; the duty of what came back is no part."""
        found: dict[str, float] = defaultdict(float)
        lines = self.facts["fct_order_line"]
        sent = dict(lines.select("order_line_key", "quantity_shipped").iter_rows())
        back = self._goods_back()
        units = self.facts["fct_parcel_line"].filter(pl.col("quantity").is_not_null())
        in_parcel = {key: rows for (key,), rows in units.group_by("parcel_key")}
        for bill in self._bills_of_ways_out():
            rows, is_duty = in_parcel.get(bill["parcel_key"]), bill["charge_type"] == "duty"
            parts = {} if rows is None else _in_cents(bill["amount_minor"], rows)
            for line, cents in parts.items():
                kept = 1 - back.get(line, 0) / sent[line] if is_duty else 1
                told = round(cents / 100 * float(bill["rate_to_reporting"]) + 1e-10, 4)
                found[line] += told * kept
        rounded = {line: round(amount, 4) for line, amount in found.items()}
        return pl.col("order_line_key").replace_strict(
            rounded, default=0.0, return_dtype=pl.Float64
        )

    def _bills_of_ways_out(self) -> Iterator[dict[str, Any]]:
        """Each with its parcel and rate; a carrier writes its name, a parcel has it in one form."""
        if not self.bills.height:
            return iter(())
        parcels = self.facts["fct_parcel"].filter(pl.col("direction") != "return")
        name = pl.col("carrier").str.to_lowercase().str.replace_all(" ", "_", literal=True)
        return (
            self.bills.filter(pl.col("charge_type").is_in(["freight", "surcharge", "duty"]))
            .with_columns(pl.col("billed_at").dt.date().alias("rate_date"), name)
            .join(self.rates, on=["rate_date", "currency"])
            .join(
                parcels.select("tracking_number", "carrier", "parcel_key"),
                on=["tracking_number", "carrier"],
            )
            .iter_rows(named=True)
        )

    def _goods_back(self) -> dict[str, int]:
        without_goods = pl.col("status").is_in(["cancelled", "closed"]) & (
            pl.col("resolution") == "none"
        )
        rows = self.facts["fct_return_line"].filter(
            pl.col("received_at").is_not_null(), ~without_goods
        )
        return dict(rows.group_by("order_line_key").agg(pl.col("quantity").sum()).iter_rows())

    def _is_closed(self) -> pl.Expr:
        """The horizon is over, or nothing was delivered, and no unit is on its way."""
        moving = self._units_by_line(
            "fct_unit_outcome",
            pl.col("outcome").is_in(["in_transit", "return_in_progress", "unshipped_open"]),
        )
        lost = self._units_by_line("fct_unit_outcome", pl.col("outcome") == "undelivered")
        # a shop is told of parcels that never came, and refunds them without goods
        never_came = self._units_by_line(
            "fct_refund_line",
            (pl.col("connector") == "shopify") & (pl.col("kind") == "inr"),
            "units_refunded",
        )
        sent_back = self._units_by_line(
            "fct_return_line", pl.col("reason_claimed").str.starts_with("logistics.undeliverable")
        )
        in_parcels = dict(never_arrived(self.facts).iter_rows())
        not_there = pl.min_horizontal(
            pl.col("order_line_key").replace_strict(in_parcels, default=0, return_dtype=pl.Int64),
            "quantity_shipped",
        )
        past = pl.col("horizon_start_date") + pl.duration(days=pl.col("horizon_days"))
        is_old = (past <= self.data_until).fill_null(value=False) | (
            pl.max_horizontal(lost + never_came, sent_back, not_there) == pl.col("quantity_shipped")
        )
        return (is_old & (moving == 0)).alias("is_closed")

    def _units_by_line(self, name: str, which: pl.Expr, units: str = "quantity") -> pl.Expr:
        """Units of the rows of a fact, looked up by the line's key."""
        rows = self.facts[name].filter(which)
        sums = dict(rows.group_by("order_line_key").agg(pl.col(units).sum()).iter_rows())
        return pl.col("order_line_key").replace_strict(sums, default=0, return_dtype=pl.Int64)

    # ------------------------------------------------------------------ costs

    @cached_property
    def cost(self) -> pl.DataFrame:
        """Every cost with `value`: in the direction that is usual for its component."""
        is_credit = pl.col("component").is_in(CREDITS)
        usual = pl.when(is_credit).then(pl.lit("credit")).otherwise(pl.lit("cost"))
        sign = pl.when(pl.col("direction") == usual).then(1).otherwise(-1)
        return self.facts["fct_after_sales_cost"].with_columns(
            pl.when(sign > 0)
            .then("amount_reporting")
            .otherwise(-pl.col("amount_reporting"))
            .cast(MONEY)
            .alias("value"),
            month_of("event_date").alias("month"),
        )

    def _components(
        self, cost: pl.DataFrame, by: Sequence[str], value: str = "value"
    ) -> pl.DataFrame:
        """A column per component, and the estimated part of K02; parts by lot are floats."""
        amount = pl.col(value)
        guessed = pl.col("source") == "estimated"
        plus = [name for name, sign in IN_K02.items() if sign > 0]
        minus = [name for name, sign in IN_K02.items() if sign < 0]
        return cost.group_by(by).agg(
            *(
                money(amount.filter(pl.col("component") == name).sum()).alias(name)
                for name in COMPONENTS
            ),
            money(
                amount.filter(guessed, pl.col("component").is_in(plus)).sum()
                - amount.filter(guessed, pl.col("component").is_in(minus)).sum()
            ).alias("cost_estimated"),
        )

    def _refunds(self) -> pl.DataFrame:
        """Refunds that count, with the month of the shipment and both rates."""
        return self.facts["fct_refund_line"].filter(
            pl.col("kind") != "cancellation", ~pl.col("is_duplicate_of_chargeback")
        )

    def _retained(self, by: Sequence[str], value: str = "net_reporting") -> pl.DataFrame:
        kept = self._refunds().filter(pl.col("refund_method").is_in(["store_credit", "gift_card"]))
        return (
            kept.with_columns(month_of("refunded_date").alias("month"))
            .group_by(by)
            .agg(pl.col(value).sum().cast(MONEY).alias("refund_retained"))
        )

    def _finished(self, mart: pl.DataFrame, returned: str) -> pl.DataFrame:
        """Totals and rates of a mart that has a column per component."""
        mart = mart.with_columns(
            weighed(IN_K01).alias("after_sales_cost_total"),
            weighed(IN_K02).alias("after_sales_cost_ex_refund"),
            total(RECOVERED).alias("recovered_value"),
            pl.col("reimbursement").alias("refund_recovered"),
            weighed({**dict.fromkeys(HANDLING, 1), "resale_value": -1, "liquidation": -1}).alias(
                "return_handling_cost"
            ),
        ).with_columns(
            (pl.col("refund_net") - pl.col("refund_retained") - pl.col("refund_recovered")).alias(
                "net_refund"
            ),
        )
        is_known = (pl.col("units_cost_known") > 0) | (pl.col("units_shipped") == 0)
        mart = mart.with_columns(
            pl.when(is_known).then("profit_before_after_sales").alias("profit_before_after_sales")
        )
        return mart.with_columns(
            share("after_sales_cost_total", "net_sales").alias("after_sales_cost_rate"),
            share("after_sales_cost_ex_refund", "net_sales").alias(
                "after_sales_cost_ex_refund_rate"
            ),
            share("refund_net", "net_sales").alias("refund_rate_gross"),
            share("net_refund", "net_sales").alias("net_refund_rate"),
            money(share("return_handling_cost", returned)).alias("cost_per_return"),
            (
                pl.col("profit_before_after_sales")
                - pl.col("after_sales_cost_total")
                + pl.col("landed_cost_returned")
            ).alias("true_net_profit"),
            pl.lit(self._currency).alias("reporting_currency"),
        )

    @cached_property
    def _currency(self) -> str:
        return str(self.facts["fct_order_line"]["reporting_currency"][0])

    # ------------------------------------------------------------- goods back

    @cached_property
    def back(self) -> pl.DataFrame:
        """Returned rows of goods that came in, with the month of their arrival."""
        lines = self.facts["fct_order_line"].select("order_line_key", "unit_landed_cost_reporting")
        zones = dict(self.dims["dim_marketplace"].select("marketplace", "time_zone").iter_rows())
        without_goods = pl.col("status").is_in(["cancelled", "closed"]) & (
            pl.col("resolution") == "none"
        )
        rows = self.facts["fct_return_line"].filter(
            pl.col("received_at").is_not_null(), ~without_goods, pl.col("disposition") != "missing"
        )
        rows = rows.join(lines, on="order_line_key").with_columns(
            money(pl.col("unit_landed_cost_reporting").cast(pl.Float64) * pl.col("quantity")).alias(
                "landed_cost_returned"
            )
        )
        days = [
            group.with_columns(
                pl.col("received_at")
                .dt.replace_time_zone("UTC")
                .dt.convert_time_zone(zones.get(str(name), "UTC"))
                .dt.date()
                .alias("received_date")
            )
            for (name,), group in rows.group_by("marketplace", maintain_order=True)
        ]
        empty = rows.clear().with_columns(pl.lit(None, pl.Date).alias("received_date"))
        return pl.concat([empty, *days]).with_columns(month_of("received_date").alias("month"))

    # ------------------------------------------------------------------ marts

    def mart_order_profit(self) -> pl.DataFrame:
        by = ["order_line_key"]
        cost = self.cost.filter(pl.col("order_line_key") != "unknown")
        costs = self._components(cost, by).drop("refund_net", "cost_estimated")
        refunds = (
            self._refunds()
            .group_by(by)
            .agg(
                pl.col("net_order_rate_reporting").sum().cast(MONEY).alias("refund_net"),
                pl.col("fx_gain_loss_reporting").sum().cast(MONEY).alias("fx_gain_loss"),
            )
        )
        spent = cost.filter(~pl.col("is_memo"), pl.col("direction") == "cost")
        guessed = spent.group_by(by).agg(
            pl.col("amount_reporting").sum().alias("_spent"),
            pl.col("amount_reporting")
            .filter(pl.col("source") == "estimated")
            .sum()
            .alias("_guessed"),
        )
        back = self.back.group_by(by).agg(pl.col("landed_cost_returned").sum().cast(MONEY))
        mart = self.lines
        for other in (costs, refunds, guessed, back):
            mart = mart.join(other, on=by, how="left")
        filled = [*COMPONENTS, "fx_gain_loss", "landed_cost_returned"]
        mart = mart.with_columns(pl.col(filled).fill_null(0).cast(MONEY)).with_columns(
            weighed(IN_K01).alias("after_sales_cost_total"),
            weighed(IN_K02).alias("after_sales_cost_ex_refund"),
            total(RECOVERED).alias("recovered_value"),
            share("_guessed", "_spent").alias("cost_estimated_share"),
        )
        return mart.with_columns(
            (
                pl.col("profit_before_after_sales")
                - pl.col("after_sales_cost_total")
                + pl.col("landed_cost_returned")
            ).alias("true_net_profit")
        )

    def _event_mart(self, by: Sequence[str]) -> pl.DataFrame:
        """Sales by the day of shipping, costs and returns each by their own day."""
        sold = self.lines.filter(self._has_profit()).with_columns(
            month_of("shipped_date").fill_null(NEVER).alias("month")
        )
        seen = self.returned.rows.with_columns(month_of("first_evidence_date").alias("month"))
        parts = [
            self._sold(sold, by),
            self._components(self.cost, by),
            self._retained(by),
            seen.filter(pl.col("units_back") > 0)
            .group_by(by)
            .agg(pl.col("units_back").sum().alias("units_returned_event")),
            self.back.group_by(by).agg(pl.col("landed_cost_returned").sum().cast(MONEY)),
        ]
        return self._finished(self._joined(parts, by), "units_returned_event")

    @staticmethod
    def _has_profit() -> pl.Expr:
        """Lines that were sent, and those whose fees were taken before."""
        return (pl.col("quantity_shipped") > 0) | (pl.col("profit_before_after_sales") != 0)

    def _sold(self, sold: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
        priced = pl.col("net_sales").count()
        return sold.group_by(by).agg(
            pl.when(priced > 0).then(pl.col("net_sales").sum()).cast(MONEY).alias("net_sales"),
            pl.col("units_shipped", "units_cost_known").sum(),
            pl.col("profit_before_after_sales").sum().cast(MONEY),
            (priced == 0).alias("_unpriced"),
        )

    def _joined(self, parts: Sequence[pl.DataFrame], by: Sequence[str]) -> pl.DataFrame:
        """Every cell that has anything; what is not told there is 0."""
        mart = pl.concat([part.select(by) for part in parts]).unique()
        for part in parts:
            mart = mart.join(part, on=list(by), how="left")
        amounts = [name for name, kind in mart.schema.items() if isinstance(kind, pl.Decimal)]
        counts = [name for name in mart.columns if name.startswith("units_")]
        unpriced = pl.col("_unpriced").fill_null(value=False)
        return mart.with_columns(
            pl.col(amounts).fill_null(0).cast(MONEY), pl.col(counts).fill_null(0)
        ).with_columns(pl.when(~unpriced).then("net_sales").alias("net_sales"))

    def mart_cost_by_sku(self) -> pl.DataFrame:
        by = ["account", "marketplace", "sku", "month"]
        categories = self.dims["dim_sku"].select("sku", "category")
        mart = self._event_mart(by).join(categories, on="sku", how="left")
        gap = self.owed.group_by(by).agg(
            pl.col("units_reimbursement_due").sum(),
            pl.col("reimbursement_gap").sum().cast(MONEY),
        )
        return mart.join(gap, on=by, how="left").with_columns(
            pl.col("units_reimbursement_due").fill_null(0),
            pl.col("reimbursement_gap").fill_null(0).cast(MONEY),
        )

    def mart_cost_by_region(self) -> pl.DataFrame:
        regions = self.dims["dim_country"].select("country", "region")
        by = ["account", "marketplace", "country", "month"]
        return self._event_mart(by).join(regions, on="country", how="left")

    def mart_cost_by_sku_cohort(self) -> pl.DataFrame:
        by = ["account", "marketplace", "sku", "cohort_month"]
        profit = self.mart_order_profit()
        sales = self.returned._summed(by).select(*by, "is_mature", "units_returned")
        estimated = self._components(self.cost, by).select(*by, "cost_estimated")
        parts = [
            self._sold(profit.filter(self._has_profit()), by),
            self._cohort_costs(profit, by),
            self._retained(by, "net_order_rate_reporting"),
            estimated,
            sales,
        ]
        categories = self.dims["dim_sku"].select("sku", "category")
        mart = self._finished(self._joined(parts, by), "units_returned")
        never_sent = pl.col("is_mature").fill_null(value=False)
        return mart.join(categories, on="sku", how="left").with_columns(never_sent)

    def _cohort_costs(self, profit: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
        """Of lines with a sale or a cost, and of what hangs on no line."""
        has_cost = pl.col("order_line_key").is_in(self.cost["order_line_key"].to_list())
        lines = profit.filter(has_cost | self._has_profit())
        loose = self._components(self.cost.filter(pl.col("order_line_key") == "unknown"), by)
        columns = [*COMPONENTS, "fx_gain_loss", "landed_cost_returned"]
        both = pl.concat(
            [lines.select(*by, *columns), loose.drop("cost_estimated")], how="diagonal_relaxed"
        )
        return both.group_by(by).agg(pl.col(columns).sum().cast(MONEY))

    def mart_cost_by_month(self) -> pl.DataFrame:
        by = ["account", "marketplace", "month", "component"]
        value = pl.col("value")
        parts = {"billed": "billed", "estimated": "estimated", "unallocated": "unallocated"}
        mart = self.cost.group_by(by).agg(
            value.sum().cast(MONEY).alias("amount_reporting"),
            *(
                value.filter(pl.col("source") == word).sum().cast(MONEY).alias(f"{name}_reporting")
                for name, word in parts.items()
            ),
        )
        before = mart.select(
            "account",
            "marketplace",
            pl.col("month").dt.offset_by("1mo"),
            "component",
            pl.col("amount_reporting").alias("previous_month_reporting"),
        )
        sold = self.lines.filter(pl.col("quantity_shipped") > 0)
        sales = sold.group_by("account", month_of("shipped_date").alias("month")).agg(
            pl.col("net_sales").sum().cast(MONEY)
        )
        return (
            mart.join(before, on=by, how="left")
            .join(sales, on=["account", "month"], how="left")
            .with_columns(
                pl.col("previous_month_reporting", "net_sales").fill_null(0).cast(MONEY),
                pl.col("component")
                .replace_strict(IN_K01, default=0, return_dtype=pl.Int64)
                .alias("sign"),
                pl.lit(self._currency).alias("reporting_currency"),
            )
            .with_columns(share("amount_reporting", "net_sales").alias("share_of_net_sales"))
        )

    # ---------------------------------------------------------------- headline

    def mart_headline(self) -> pl.DataFrame:
        by = ["account", "month"]
        is_sale = ~pl.col("is_replacement") & ~pl.col("is_exchange")
        orders = self.facts["fct_order_line"].filter(is_sale)
        orders = orders.with_columns(month_of("ordered_date").alias("month"))
        sums = [
            "net_sales", "units_shipped", "units_returned_event", "refund_net", "net_refund",
            "after_sales_cost_total", "after_sales_cost_ex_refund", "true_net_profit",
            "recovered_value", "reimbursement_gap",
        ]  # fmt: skip
        parts = [
            _with_all(orders).group_by(by).agg(pl.col("order_key").n_unique().alias("orders")),
            _with_all(self.mart_cost_by_sku()).group_by(by).agg(pl.col(sums).sum()),
        ]
        mart = pl.concat([part.select(by) for part in parts]).unique().sort(by)
        for part in parts:
            mart = mart.join(part, on=by, how="left", maintain_order="left")
        money_columns = [name for name in sums if not name.startswith("units_")]
        mart = mart.with_columns(
            pl.col("orders", "units_shipped", "units_returned_event").fill_null(0).cast(pl.Int64),
            pl.col(money_columns).fill_null(0).cast(MONEY),
            pl.lit("all").alias("marketplace"),
            pl.lit(self._currency).alias("reporting_currency"),
            pl.lit(None, pl.Int64).alias("alerts_open"),
            pl.lit(None, MONEY).alias("claimed"),
        ).join_asof(
            self._mature(), left_on="month", right_on="mature_month", by="account",
            coalesce=False, check_sortedness=False,
        )  # fmt: skip
        return mart.with_columns(
            share("units_returned_event", "units_shipped").alias("return_rate_event"),
            share("units_returned_mature", "units_shipped_mature").alias("unit_return_rate_mature"),
            share("after_sales_cost_total", "net_sales").alias("after_sales_cost_rate"),
            share("after_sales_cost_ex_refund", "net_sales").alias(
                "after_sales_cost_ex_refund_rate"
            ),
            share("refund_net", "net_sales").alias("refund_rate_gross"),
            share("net_refund", "net_sales").alias("net_refund_rate"),
        )

    def _mature(self) -> pl.DataFrame:
        """Cohorts whose every shipped unit is past its horizon."""
        cohorts = _with_all(self.returned.lines).group_by("account", "cohort_month")
        return (
            cohorts.agg(
                pl.col("is_mature").all(),
                pl.col("units_shipped").sum().alias("units_shipped_mature"),
                pl.col("units_returned").sum().alias("units_returned_mature"),
            )
            .filter("is_mature")
            .drop("is_mature")
            .rename({"cohort_month": "mature_month"})
            .sort("account", "mature_month")
        )

    # -------------------------------------------------------------------- lots

    def mart_cost_by_lot(self) -> pl.DataFrame:
        by = ["lot_key"]
        spread = self._by_lot()
        columns = self._components(spread, by, "part")
        signs = pl.col("component").replace_strict(IN_K02, default=0, return_dtype=pl.Int64)
        classes = dict(self.dims["dim_reason"].select("reason_l2", "reason_class").iter_rows())
        kind = pl.col("reason_l2").replace_strict(classes, default="unknown")
        defect = spread.filter(kind == "defect").with_columns(
            (pl.col("part") * signs).alias("defect")
        )
        of_defects = defect.group_by(by).agg(
            pl.col("defect").sum().alias("_defect"),
            pl.col("defect")
            .filter(pl.col("attributed_party") == "supplier")
            .sum()
            .alias("_supplier"),
        )
        parts = [
            self._lot_sales(),
            columns,
            of_defects.with_columns(money(pl.col("_defect")).alias("defect_cost")),
            self._lot_returns(),
        ]
        mart = self._joined(parts, by).with_columns(
            pl.lit(0).cast(MONEY).alias("refund_retained"),
            pl.lit(0).alias("units_cost_known"),
            pl.lit(None, MONEY).alias("profit_before_after_sales"),
            pl.lit(None, MONEY).alias("landed_cost_returned"),
        )
        lots = self.dims["dim_lot"].select("lot_key", "sku", "lot_id", "supplier_id")
        return (
            self._finished(mart, "units_returned")
            .join(lots, on="lot_key", how="left")
            .with_columns(share("_supplier", "_defect").alias("claimable_share"))
        )

    def _by_lot(self) -> pl.DataFrame:
        """Costs spread over lots: of the return where it is named, else of the line."""
        of_return = self.facts["fct_return_lot"].select("return_line_key", "lot_key", "lot_share")
        of_line = self.facts["fct_lot_allocation"].select("order_line_key", "lot_key", "lot_share")
        keys = of_line["order_line_key"].unique().to_list()
        known = self.cost.filter(pl.col("order_line_key").is_in(keys))
        rest = self.cost.filter(~pl.col("order_line_key").is_in(keys)).with_columns(
            pl.when(pl.col("sku").is_in(["unknown", "none"]))
            .then(pl.lit("unknown"))
            .otherwise(pl.format("{}|unattributed", "sku"))
            .alias("lot_key"),
            pl.lit(1.0).alias("lot_share"),
        )
        is_named = pl.col("return_line_key").is_in(of_return["return_line_key"].unique().to_list())
        both = pl.concat(
            [
                known.filter(is_named).join(of_return, on="return_line_key"),
                known.filter(~is_named).join(of_line, on="order_line_key"),
                rest,
            ]
        )
        part = pl.col("value").cast(pl.Float64) * pl.col("lot_share")
        return both.with_columns(part.alias("part"))

    def _lot_sales(self) -> pl.DataFrame:
        """Net value of every line by the share of each lot; units of sales only."""
        lines = self.lines.select("order_line_key", "net_sales", "is_replacement", "is_exchange")
        both = self.facts["fct_lot_allocation"].join(lines, on="order_line_key")
        part = pl.col("net_sales").cast(pl.Float64) * pl.col("lot_share")
        is_sale = ~pl.col("is_replacement") & ~pl.col("is_exchange")
        priced = pl.col("net_sales").count()
        return (
            both.filter(pl.col("quantity") > 0)
            .group_by("lot_key")
            .agg(
                pl.when(priced > 0).then(money(part.sum())).alias("net_sales"),
                pl.col("quantity").filter(is_sale).sum().alias("units_shipped"),
                (priced == 0).alias("_unpriced"),
            )
        )

    def _lot_returns(self) -> pl.DataFrame:
        sales = self.returned.lines.select("order_line_key")
        back = self.returned.rows.join(sales, on="order_line_key", how="semi")
        shares = self.facts["fct_return_lot"].select("return_line_key", "lot_key", "lot_share")
        return (
            back.filter(pl.col("units_returned") > 0)
            .join(shares, on="return_line_key")
            .group_by("lot_key")
            .agg((pl.col("units_returned") * pl.col("lot_share")).sum().alias("units_returned"))
        )

    # --------------------------------------------------------- what is owed

    @cached_property
    def owed(self) -> pl.DataFrame:
        """What the marketplace owes and has not paid, by line and month of the event."""
        lines = self.lines.filter(pl.col("fulfilled_by") == "marketplace").select(
            "order_line_key", "account", "marketplace", "sku", "unit_landed_cost_reporting"
        )
        broken = self.back.filter(
            pl.col("disposition").is_in(["warehouse_damaged", "carrier_damaged"])
        ).select("order_line_key", "month", pl.col("quantity").alias("units"))
        late = self.data_until - timedelta(days=CLAIM_AFTER_DAYS)
        received = self.back["return_line_key"].to_list()
        gone = (
            self._refunds()
            .filter(
                pl.col("kind").is_in(["inr", "returnless"]),
                pl.col("refunded_date") <= late,
                ~pl.col("return_line_key").is_in(received),
            )
            .select(
                "order_line_key",
                month_of("refunded_date").alias("month"),
                pl.col("units_refunded").alias("units"),
            )
        )
        due = pl.concat([broken, gone]).filter(pl.col("units") > 0)
        paid = dict(
            self.cost.filter(pl.col("component") == "reimbursement")
            .group_by("order_line_key")
            .agg(pl.col("value").cast(pl.Float64).sum())
            .iter_rows()
        )
        due = (
            due.join(lines, on="order_line_key")
            .group_by("order_line_key", "account", "marketplace", "sku")
            .agg(
                pl.col("units").sum().alias("units_reimbursement_due"),
                pl.col("month").min(),
                (pl.col("units") * pl.col("unit_landed_cost_reporting").cast(pl.Float64))
                .sum()
                .alias("_worth"),
            )
        )
        given = pl.col("order_line_key").replace_strict(paid, default=0.0, return_dtype=pl.Float64)
        return due.with_columns(
            money((pl.col("_worth") - given).clip(0)).alias("reimbursement_gap")
        )
