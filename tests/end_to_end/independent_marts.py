"""The return marts computed a second time, from facts and dimensions alone, in polars.

Belongs here: formulas of `facts/metrics.md` and the contract, written apart from the SQL. Does not
belong here: comparing (`table_difference.py`) or where the facts come from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import polars as pl

Z = 1.959963984540054
MIN_UNITS, MAX_WIDTH = 50, 0.10
AGES = (0, 7, 14, 21, 30, 45, 60, 90, 120)
CELL = ("account", "marketplace", "country", "sku", "cohort_month")
MONEY = pl.Decimal(18, 4)
COUNTS = (
    "units_shipped", "units_return_requested", "units_return_received", "units_returned",
    "units_returned_after_horizon", "units_refunded", "units_refunded_no_return",
    "units_exchanged", "units_replaced", "units_defective", "units_defective_confirmed",
    "units_graded", "units_resellable", "units_claimed_defective_graded",
    "units_no_fault_found", "too_small", "too_large", "fit_unspecified",
    "units_with_return_event", "units_repeat_return", "units_request_known",
    "units_receipt_known", "units_delivery_estimated",
)  # fmt: skip
TOLD_BY_SOME = ("units_return_requested", "units_return_received")


def ratio(above: str, below: str) -> pl.Expr:
    """Null where the denominator is 0; never above 1, where an estimate passes its whole."""
    share = pl.col(above).cast(pl.Float64) / pl.col(below).cast(pl.Float64)
    if above != "returned_net_sales":
        share = share.clip(upper_bound=1.0)
    return pl.when(pl.col(below).cast(pl.Float64) != 0).then(share)


def whole_units(units: pl.Expr) -> pl.Expr:
    """Fractions of lots as whole units, halves up."""
    return (units + 0.5 + 1e-9).floor().cast(pl.Int64)


def wilson(above: str, below: str, side: int) -> pl.Expr:
    """Lower (-1) or upper (1) bound of a share, 95 %."""
    n, k = pl.col(below).cast(pl.Float64), pl.col(above).cast(pl.Float64)
    p = k / n
    middle = p + Z**2 / (2 * n)
    spread = Z * ((p * (1 - p)).clip(lower_bound=0) / n + Z**2 / (4 * n**2)).sqrt()
    bound = (middle + side * spread) / (1 + Z**2 / n)
    return pl.when(n != 0).then(bound.clip(0.0, 1.0))


def evidence(below: str, low: str, high: str) -> pl.Expr:
    narrow = (pl.col(high) - pl.col(low)) <= MAX_WIDTH
    return (
        pl.when(pl.col(below) == 0)
        .then(pl.lit("none"))
        .when((pl.col(below) >= MIN_UNITS) & narrow)
        .then(pl.lit("enough"))
        .otherwise(pl.lit("thin"))
    )


def _where(condition: pl.Expr, units: str = "quantity") -> pl.Expr:
    return pl.when(condition).then(pl.col(units)).otherwise(0)


def never_arrived(facts: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Units by line in parcels that carriers lost, gave back or could not hand over."""
    kinds = facts["fct_parcel"].select("parcel_key", "direction", "undelivered_kind")
    return (
        facts["fct_parcel_line"]
        .join(kinds, on="parcel_key")
        .filter(pl.col("direction") != "return", pl.col("undelivered_kind").is_not_null())
        .group_by("order_line_key")
        .agg(pl.col("quantity").sum().alias("_never_arrived"))
    )


@dataclass(frozen=True)
class Marts:
    """`facts` by name as in `observable/`; `dims` as published; `data_until` of the build."""

    facts: Mapping[str, pl.DataFrame]
    dims: Mapping[str, pl.DataFrame]
    data_until: date

    @cached_property
    def rows(self) -> pl.DataFrame:
        """Returned rows of sales with what each counts for."""
        classes = dict(self.dims["dim_reason"].select("reason_l2", "reason_class").iter_rows())
        safe = self.dims["dim_reason"].filter("is_safety")["reason_l2"].to_list()
        rows = self.facts["fct_return_line"].filter(pl.col("order_line_key") != "unknown")
        undeliverable = pl.col("reason_claimed").str.starts_with("logistics.undeliverable")
        without_goods = pl.col("status").is_in(["cancelled", "closed"]) & (
            pl.col("resolution") == "none"
        )
        denied_unreceived = (pl.col("status") == "denied") & pl.col("received_at").is_null()
        final, claimed = (
            pl.col(name).replace_strict(classes, default="unknown")
            for name in ("reason_final", "reason_claimed")
        )
        rows = rows.with_columns(
            (~undeliverable).alias("is_buyer"),
            (~undeliverable & ~without_goods & ~denied_unreceived).alias("counts"),
            (final == "defect").alias("is_defect"),
            (claimed == "defect").alias("claims_defect"),
            pl.col("reason_final").is_in(safe).alias("is_safety"),
        )
        inspected = pl.col("inspection_grade").is_not_null()
        graded = (
            pl.col("counts")
            & pl.col("received_at").is_not_null()
            & (inspected | (pl.col("disposition") != "unknown"))
        )
        found_bad = (
            pl.when(inspected)
            .then(
                pl.col("inspection_grade").is_in(["C", "D"])
                | (
                    pl.col("reason_inspected").replace_strict(classes, default="unknown")
                    == "defect"
                )
            )
            .otherwise(pl.col("disposition") == "defective")
        )
        rows = rows.with_columns(
            _where(pl.col("counts") & pl.col("is_defect")).alias("units_defective"),
            _where(pl.col("counts") & pl.col("is_defect") & found_bad).alias(
                "units_defective_confirmed"
            ),
            _where(graded).alias("units_graded"),
            _where(graded & (pl.col("disposition") == "sellable")).alias("units_resellable"),
            _where(graded & pl.col("claims_defect")).alias("units_claimed_defective_graded"),
            _where(graded & pl.col("claims_defect") & (pl.col("disposition") == "sellable")).alias(
                "units_no_fault_found"
            ),
            *(
                _where(pl.col("counts") & (pl.col("reason_final") == f"fit.{name}")).alias(name)
                for name in ("too_small", "too_large", "fit_unspecified")
            ),
            _where(pl.col("is_buyer") & pl.col("requested_at").is_not_null()).alias(
                "units_return_requested"
            ),
            _where(pl.col("is_buyer") & pl.col("received_at").is_not_null()).alias(
                "units_return_received"
            ),
            _where(pl.col("return_seq") >= 2).alias("units_repeat_return"),
        )
        return self._with_units_back(rows)

    def _with_units_back(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Units that came back or are on their way, of each row; in sum those of the partition."""
        total = (
            self.facts["fct_unit_outcome"]
            .filter(pl.col("outcome").is_in(["returned_refunded", "return_in_progress"]))
            .group_by("order_line_key")
            .agg(pl.col("quantity").sum().alias("line_back"))
        )
        kept_by_buyer = pl.col("received_at").is_null() & pl.col("resolution").is_in(
            ["refund", "none"]
        )
        can = (
            pl.col("counts")
            & ~kept_by_buyer
            & ~pl.col("resolution").is_in(["exchange", "replacement"])
        )
        before = pl.col("_can").cum_sum().over("order_line_key") - pl.col("_can")
        return (
            rows.join(total, on="order_line_key", how="left")
            .with_columns(_where(can).alias("_can"), pl.col("line_back").fill_null(0))
            .sort("order_line_key", "is_buyer", "first_evidence_date", "return_line_key",
                  descending=[False, True, False, False])
            .with_columns(
                pl.min_horizontal(
                    pl.col("_can"), pl.max_horizontal(pl.col("line_back") - before, 0)
                ).alias("units_back")
            )
            .with_columns(
                _where(pl.col("is_within_horizon"), "units_back").alias("units_returned"),
                _where(~pl.col("is_within_horizon"), "units_back").alias(
                    "units_returned_after_horizon"
                ),
            )
        )  # fmt: skip

    @cached_property
    def lines(self) -> pl.DataFrame:
        """Shipped lines of sales with all counts of a cell."""
        sales = self.facts["fct_order_line"].filter(
            pl.col("quantity_shipped") > 0, ~pl.col("is_replacement"), ~pl.col("is_exchange")
        )
        sums = [
            "units_return_requested", "units_return_received", "units_returned",
            "units_returned_after_horizon", "units_defective", "units_defective_confirmed",
            "units_graded", "units_resellable", "units_claimed_defective_graded",
            "units_no_fault_found", "too_small", "too_large", "fit_unspecified",
        ]  # fmt: skip
        linked = pl.col("resolution").is_in(["exchange", "replacement"])
        of_rows = self.rows.group_by("order_line_key").agg(
            pl.col(sums).sum(),
            _where(pl.col("counts")).sum().alias("_rows"),
            _where(pl.col("counts") & linked).sum().alias("_linked_rows"),
            _where(~pl.col("is_buyer")).sum().alias("_undeliverable"),
        )
        outcomes = self.facts["fct_unit_outcome"].pivot(
            on="outcome", index="order_line_key", values="quantity"
        )
        for name in ("exchanged", "replaced", "refunded_no_return", "undelivered"):
            if name not in outcomes.columns:
                outcomes = outcomes.with_columns(pl.lit(0, pl.Int64).alias(name))
        outcomes = outcomes.select(
            "order_line_key",
            pl.col("exchanged").alias("units_exchanged"),
            pl.col("replaced").alias("units_replaced"),
            pl.col("refunded_no_return").alias("units_refunded_no_return"),
            pl.col("undelivered").alias("_undelivered"),
        )
        refunded = (
            self.facts["fct_refund_line"]
            .group_by("order_line_key")
            .agg(
                pl.col("units_refunded").sum().alias("units_refunded"),
                # a shop is told of parcels that never came, and refunds them without goods
                pl.when((pl.col("connector") == "shopify") & (pl.col("kind") == "inr"))
                .then("units_refunded")
                .otherwise(0)
                .sum()
                .alias("_never_came"),
            )
        )
        lines = sales
        for other in (of_rows, outcomes, refunded, never_arrived(self.facts), self._repeats()):
            lines = lines.join(other, on="order_line_key", how="left")
        shipped, ordered = pl.col("quantity_shipped"), pl.col("quantity_ordered")
        # Amazon tells of returns to its own warehouses once they have come
        asks = (pl.col("connector") != "amazon") | (pl.col("fulfilled_by") == "seller")
        filled = [
            name for name in lines.columns if name.startswith(("units_", "too_", "fit_", "_"))
        ]
        lines = lines.with_columns(pl.col(filled).fill_null(0)).with_columns(
            pl.max_horizontal(
                pl.col("_undelivered") + pl.col("_never_came"),
                "_undeliverable",
                pl.min_horizontal("_never_arrived", "quantity_shipped"),
            ).alias("_undelivered"),
        )
        lines = lines.with_columns(
            shipped.alias("units_shipped"),
            pl.min_horizontal("units_refunded", shipped).alias("units_refunded"),
            _where(asks, "quantity_shipped").alias("units_request_known"),
            pl.col("quantity_shipped").alias("units_receipt_known"),
            _where(pl.col("delivery_date_basis") != "actual", "quantity_shipped").alias(
                "units_delivery_estimated"
            ),
            pl.min_horizontal(
                shipped,
                pl.max_horizontal(
                    "units_repeat_return",
                    pl.col("_rows")
                    + (
                        pl.col("units_exchanged") + pl.col("units_replaced") - self._ended_in_rows()
                    ).clip(0),
                ),
            ).alias("units_with_return_event"),
            self._is_old().alias("is_mature"),
        )
        net = pl.col("net_reporting").cast(pl.Float64)
        return lines.with_columns(
            (net * shipped / ordered).round(4).cast(MONEY).alias("net_sales"),
            (net * pl.col("units_returned") / ordered)
            .round(4)
            .cast(MONEY)
            .alias("returned_net_sales"),
        )

    @staticmethod
    def _ended_in_rows() -> pl.Expr:
        """Units of returned rows that ended as something sent instead.

        Amazon's rows of several units may end in more than one way: money first, then goods.
        """
        sent = pl.col("units_exchanged") + pl.col("units_replaced")
        left = (pl.col("_rows") - pl.col("units_refunded")).clip(0)
        is_amazon = pl.col("connector") == "amazon"
        return pl.when(is_amazon).then(pl.min_horizontal(sent, left)).otherwise("_linked_rows")

    def _is_old(self) -> pl.Expr:
        past = pl.col("horizon_start_date") + pl.duration(days=pl.col("horizon_days"))
        return (past <= self.data_until) | (pl.col("_undelivered") == pl.col("quantity_shipped"))

    def _repeats(self) -> pl.DataFrame:
        """Returns of what was sent instead count on the line it was sent for."""
        again = self.rows.filter(pl.col("counts"), pl.col("return_seq") >= 2)
        first = self.facts["fct_exchange"].select(
            pl.col("new_order_line_key").alias("order_line_key"),
            pl.col("order_line_key").alias("_first"),
        )
        return (
            again.join(first, on="order_line_key")
            .group_by(pl.col("_first").alias("order_line_key"))
            .agg(pl.col("units_repeat_return").sum())
        )

    def _summed(self, by: Sequence[str]) -> pl.DataFrame:
        sums = self.lines.group_by(by).agg(
            pl.col(COUNTS).sum(),
            pl.col("net_sales", "returned_net_sales").sum(),
            pl.col("net_sales").count().alias("_priced"),
            pl.col("reporting_currency").first(),
            pl.col("horizon_days").max(),
            pl.col("is_mature").all(),
        )
        known = dict(zip(TOLD_BY_SOME, ("units_request_known", "units_receipt_known"), strict=True))
        return sums.with_columns(
            *(pl.when(pl.col(known[n]) > 0).then(n).alias(n) for n in TOLD_BY_SOME),
            *(
                pl.when(pl.col("_priced") > 0).then(n).alias(n)
                for n in ("net_sales", "returned_net_sales")
            ),
        ).drop("_priced")

    def mart_return_base(self) -> pl.DataFrame:
        return self._summed(CELL)

    def _rates(self, mart: pl.DataFrame) -> pl.DataFrame:
        back = pl.sum_horizontal("units_returned", "units_exchanged", "units_replaced")
        mart = mart.with_columns(
            ratio("units_returned", "units_shipped").alias("unit_return_rate"),
            wilson("units_returned", "units_shipped", -1).alias("wilson_low"),
            wilson("units_returned", "units_shipped", 1).alias("wilson_high"),
            back.alias("_back"),
            ratio("returned_net_sales", "net_sales").alias("value_return_rate"),
            ratio("units_defective", "units_shipped").alias("defect_rate"),
            wilson("units_defective", "units_shipped", -1).alias("defect_rate_low"),
            wilson("units_defective", "units_shipped", 1).alias("defect_rate_high"),
            ratio("units_no_fault_found", "units_claimed_defective_graded").alias(
                "no_fault_found_rate"
            ),
            ratio("units_exchanged", "units_shipped").alias("exchange_rate"),
            ratio("units_replaced", "units_shipped").alias("replacement_rate"),
            ratio("units_repeat_return", "units_with_return_event").alias("repeat_return_rate"),
            ratio("units_resellable", "units_graded").alias("resellable_rate"),
        )
        return mart.with_columns(
            ratio("_back", "units_shipped").alias("return_or_exchange_rate"),
            pl.when("is_mature").then("unit_return_rate").alias("unit_return_rate_mature"),
            pl.when(pl.col("units_graded") > 0)
            .then(ratio("units_defective_confirmed", "units_shipped"))
            .alias("defect_rate_confirmed"),
            evidence("units_shipped", "wilson_low", "wilson_high").alias("evidence"),
        )

    def mart_return_rate_by_sku(self) -> pl.DataFrame:
        by = [name for name in CELL if name != "country"]
        categories = self.dims["dim_sku"].select("sku", "category")
        return self._rates(self._summed(by)).join(categories, on="sku", how="left")

    def mart_return_rate_by_region(self) -> pl.DataFrame:
        by = [name for name in CELL if name != "sku"]
        orders = self.lines.group_by(by).agg(
            pl.col("order_key").n_unique().cast(pl.Int64).alias("orders_shipped"),
            pl.col("order_key")
            .filter(pl.col("units_returned") > 0)
            .n_unique()
            .cast(pl.Int64)
            .alias("orders_with_return"),
            pl.col("region").first(),
        )
        mart = self._rates(self._summed(by)).join(orders, on=by)
        small, large = pl.col("too_small"), pl.col("too_large")
        both = small + large
        return mart.with_columns(
            ratio("orders_with_return", "orders_shipped").alias("order_return_rate"),
            pl.when(both > 0).then((small - large) / both).alias("size_exchange_direction"),
        )

    def mart_return_reason_by_sku(self) -> pl.DataFrame:
        lines = self.lines.select("order_line_key", *CELL)
        drop = [name for name in CELL if name in self.rows.columns]
        rows = (
            self.rows.drop(drop)
            .join(lines, on="order_line_key")
            .filter(pl.col("units_returned") > 0)
        )
        sources = {"code": "code", "text": "text", "inspection": "inspection"}
        by = [*CELL, "reason_l2"]
        mart = (
            rows.rename({"reason_final": "reason_l2"})
            .group_by(by)
            .agg(
                pl.col("units_returned").sum().alias("units"),
                *(
                    _where(pl.col("reason_source") == word, "units_returned")
                    .sum()
                    .alias(f"units_by_{name}")
                    for name, word in sources.items()
                ),
                _where(pl.col("reason_conflict"), "units_returned").sum().alias("units_conflict"),
            )
        )
        cells = self._summed(CELL).select(*CELL, "units_shipped", "units_returned", "is_mature")
        return mart.join(cells, on=list(CELL)).with_columns(
            pl.col("reason_l2").str.split(".").list.first().alias("reason_l1"),
            ratio("units", "units_shipped").alias("reason_return_rate"),
            wilson("units", "units_shipped", -1).alias("reason_return_rate_low"),
            wilson("units", "units_shipped", 1).alias("reason_return_rate_high"),
            ratio("units", "units_returned").alias("reason_share"),
        )

    def mart_return_cohort(self) -> pl.DataFrame:
        """Ages that have passed for every unit of the cohort."""
        by = [name for name in CELL if name != "country"]
        lines = self.lines.select("order_line_key", "horizon_start_date", *by)
        living = self.lines.filter(pl.col("_undelivered") < pl.col("quantity_shipped"))
        latest = living.group_by(by).agg(pl.col("horizon_start_date").max().alias("_latest"))
        cells = (
            self._summed(by)
            .select(*by, "units_shipped")
            .join(latest, on=by, how="left")
            .join(pl.DataFrame({"age_days": AGES}, schema={"age_days": pl.Int64}), how="cross")
            .filter(
                (pl.col("_latest") + pl.duration(days=pl.col("age_days")) <= self.data_until)
                | pl.col("_latest").is_null()
            )
        )
        drop = [name for name in by if name in self.rows.columns]
        events = self.rows.drop(drop).join(lines, on="order_line_key")
        linked = pl.col("resolution").is_in(["exchange", "replacement"]) & pl.col("counts")
        events = events.select(
            *by,
            pl.col("days_after_delivery").alias("_age"),
            pl.col("units_back"),
            _where(linked).alias("units_linked"),
            "units_defective",
        )
        events = pl.concat([events, self._links_without_row(lines, by)], how="diagonal_relaxed")
        return (
            cells.join(events, on=by, how="left")
            .with_columns(
                (pl.col("_age") <= pl.col("age_days")).fill_null(value=False).alias("_in")
            )
            .group_by(*by, "age_days", "units_shipped")
            .agg(
                _where(pl.col("_in"), name).sum().cast(pl.Int64).alias(f"{new}_cumulative")
                for name, new in (
                    ("units_back", "units_returned"),
                    ("units_linked", "units_exchanged"),
                    ("units_defective", "units_defective"),
                )
            )
        )

    def _links_without_row(self, lines: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
        """Exchanged or replaced units without a returned row: dated by the new order."""
        new = self.facts["fct_order_line"].select(
            pl.col("order_line_key").alias("new_order_line_key"),
            pl.col("ordered_date").alias("_sent"),
        )
        sent = (
            self.facts["fct_exchange"]
            .join(new, on="new_order_line_key")
            .group_by("order_line_key")
            .agg(pl.col("_sent").min())
        )
        units = self.lines.select(
            "order_line_key",
            (pl.col("units_exchanged") + pl.col("units_replaced") - pl.col("_linked_rows"))
            .clip(0)
            .alias("units_linked"),
        ).filter(pl.col("units_linked") > 0)
        return (
            units.join(sent, on="order_line_key")
            .join(lines, on="order_line_key")
            .select(
                *by,
                (pl.col("_sent") - pl.col("horizon_start_date")).dt.total_days().alias("_age"),
                "units_linked",
            )
        )

    def mart_return_rate_by_lot(self) -> pl.DataFrame:
        lots = self.dims["dim_lot"]
        sold = self._sold_by_lot()
        mart = (
            lots.select("lot_key", "sku", "lot_id", "supplier_id", "production_date",
                        "expiry_date")
            .join(sold, on="lot_key")
            .join(self._returned_by_lot(), on="lot_key", how="left")
            .join(self._lifo_by_lot(), on="lot_key", how="left")
        )  # fmt: skip
        counted = [
            name
            for name in mart.columns
            if name.startswith("units_") or name in ("safety_reports", "expired_complaints")
        ]
        mart = mart.with_columns(pl.col(counted).fill_null(0))
        return mart.with_columns(
            ratio("units_returned", "units_shipped").alias("unit_return_rate"),
            ratio("units_returned_mature", "units_shipped_mature").alias("unit_return_rate_mature"),
            wilson("units_returned", "units_shipped", -1).alias("wilson_low"),
            wilson("units_returned", "units_shipped", 1).alias("wilson_high"),
            ratio("units_defective", "units_shipped").alias("defect_rate_fifo"),
            wilson("units_defective", "units_shipped", -1).alias("defect_rate_fifo_low"),
            wilson("units_defective", "units_shipped", 1).alias("defect_rate_fifo_high"),
            ratio("units_defective_lifo", "units_shipped").alias("defect_rate_lifo"),
            pl.when(pl.col("units_graded") > 0)
            .then(ratio("units_defective_confirmed", "units_shipped"))
            .alias("defect_rate_confirmed"),
            ratio("units_no_fault_found", "units_claimed_defective_graded").alias(
                "no_fault_found_rate"
            ),
            ratio("units_resellable", "units_graded").alias("resellable_rate"),
        ).with_columns(evidence("units_shipped", "wilson_low", "wilson_high").alias("evidence"))

    @cached_property
    def _allocated(self) -> pl.DataFrame:
        lines = self.lines.select(
            "order_line_key", "shipped_date", "is_mature", "quantity_shipped",
        )  # fmt: skip
        return self.facts["fct_lot_allocation"].join(lines, on="order_line_key")

    def _sold_by_lot(self) -> pl.DataFrame:
        taken = self._allocated.filter(pl.col("quantity") > 0)
        units = pl.col("quantity")
        method = pl.col("allocation_method")
        main = (
            taken.group_by("lot_key", "allocation_method")
            .agg(units.sum())
            .sort("quantity", "allocation_method", descending=[True, False])
            .group_by("lot_key", maintain_order=True)
            .agg(method.first().alias("allocation_method_main"))
        )
        exact = method.is_in(["scanned", "single_lot"])
        estimated = method.is_in(["fefo_estimate", "fifo_estimate"])
        days = pl.col("days_to_expiry_at_delivery")
        return (
            taken.group_by("lot_key")
            .agg(
                pl.col("shipped_date").min().alias("first_shipped_date"),
                pl.col("shipped_date").max().alias("last_shipped_date"),
                pl.col("is_mature").all(),
                units.sum().alias("units_shipped"),
                _where(pl.col("is_mature")).sum().alias("units_shipped_mature"),
                (_where(exact).sum() / units.sum()).alias("share_scanned"),
                (_where(estimated).sum() / units.sum()).alias("share_estimated"),
                (_where(pl.col("time_violation")).sum() / units.sum()).alias(
                    "share_time_violation"
                ),
                pl.when(days.is_not_null().any())
                .then((days * units).sum() / units.filter(days.is_not_null()).sum())
                .alias("mean_days_to_expiry_at_delivery"),
                pl.lit(0, pl.Int64).alias("units_short_dated"),
            )
            .join(main, on="lot_key")
        )

    def _of_lots(self) -> pl.DataFrame:
        lines = self.lines.select("order_line_key", "is_mature")
        return self.rows.join(lines, on="order_line_key")

    def _returned_by_lot(self) -> pl.DataFrame:
        rows = self._of_lots().join(
            self.facts["fct_return_lot"].select("return_line_key", "lot_key", "lot_share"),
            on="return_line_key",
        )
        shares = {
            name: (pl.col(name) * pl.col("lot_share")).sum()
            for name in ("units_returned", "units_defective", "units_defective_confirmed",
                         "units_graded", "units_resellable",
                         "units_claimed_defective_graded", "units_no_fault_found")
        }  # fmt: skip
        whole = ("units_graded", "units_resellable", "units_claimed_defective_graded",
                 "units_no_fault_found")  # fmt: skip
        counted = pl.col("lot_share") * pl.col("quantity")
        expired = pl.col("reason_final") == "product_defect.expired_short_dated"
        return rows.group_by("lot_key").agg(
            *(
                (whole_units(sums) if name in whole else sums).alias(name)
                for name, sums in shares.items()
            ),
            (_where(pl.col("is_mature"), "units_returned") * pl.col("lot_share"))
            .sum()
            .alias("units_returned_mature"),
            whole_units(pl.when("is_safety", "counts").then(counted).otherwise(0).sum()).alias(
                "safety_reports"
            ),
            whole_units(pl.when(expired, "counts").then(counted).otherwise(0).sum()).alias(
                "expired_complaints"
            ),
        )

    def _lifo_by_lot(self) -> pl.DataFrame:
        """Inspected units keep their lot; the others are spread by the other bound."""
        told = (
            self.facts["fct_return_lot"]
            .filter(pl.col("allocation_method") == "inspected")
            .select("return_line_key", "lot_key", "lot_share")
        )
        rest = told.group_by("return_line_key").agg(pl.col("lot_share").sum().alias("_told"))
        lifo = self._allocated.filter(pl.col("quantity_lifo") > 0).select(
            "order_line_key",
            "lot_key",
            (pl.col("quantity_lifo") / pl.col("quantity_shipped")).alias("_share"),
        )
        rows = self._of_lots().select("return_line_key", "order_line_key", "units_defective")
        spread = (
            rows.join(rest, on="return_line_key", how="left")
            .join(lifo, on="order_line_key")
            .with_columns(
                (pl.col("_share") * (1 - pl.col("_told").fill_null(0))).alias("lot_share")
            )
        )
        both = pl.concat(
            [
                rows.join(told, on="return_line_key").select(
                    "lot_key", "units_defective", "lot_share"
                ),
                spread.select("lot_key", "units_defective", "lot_share"),
            ]
        )
        return both.group_by("lot_key").agg(
            (pl.col("units_defective") * pl.col("lot_share")).sum().alias("units_defective_lifo")
        )
