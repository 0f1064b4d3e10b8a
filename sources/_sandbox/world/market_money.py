"""What eBay and Walmart book and pay out: sales, refunds, fees, labels, by transaction and part.

Belongs here: the tables `market_bookings` and `market_payouts`. Does not belong here: how an API or
a file shows them (`sources/ebay/sandbox`, `sources/walmart/sandbox`).

eBay pays every week what was booked before, and keeps back a sum below zero until the next week;
Walmart every two weeks, and lists a period two days after its end.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from sources._sandbox.world import geography
from sources._sandbox.world.draws import Draws
from sources._sandbox.world.market_tables import FEE_BP, chance, hours
from sources._sandbox.world.simulation import Simulation

EBAY, WALMART = "ebay", "walmart"
AMOUNT = "amount"
FIXED_FEE_USD = 0.30
DISPUTE_FEE_USD = 20
AD_SHARE, AD_BP = 0.2, 250
WALMART_FEE_BP = 1_500
_WFS_USD = 3.45
_PERIODS = {EBAY: timedelta(days=7), WALMART: timedelta(days=14)}
_LISTED_AFTER = {EBAY: timedelta(hours=10), WALMART: timedelta(days=2)}
_MONDAY = datetime(2020, 1, 6)  # noqa: DTZ001 - all times of a world are UTC without zone
_LINE = ["order_id", "line_no"]
_KEPT = (
    "account", "connector", "currency", "booking_id", "kind", "order_id", "line_no", "component",
    "amount_minor", "booked_at", "reference_kind", "reference_id", "memo",
)  # fmt: skip


def market_money(
    sim: Simulation,
    orders: pl.DataFrame,
    lines: pl.DataFrame,
    shipments: pl.DataFrame,
    others: Mapping[str, pl.DataFrame],
) -> dict[str, pl.DataFrame]:
    """Both tables, from the `others` of these two; empty where there is no account of theirs."""
    mine = orders.filter(pl.col("connector").is_in([EBAY, WALMART]))
    if not mine.height:
        return {"market_bookings": pl.DataFrame(), "market_payouts": pl.DataFrame()}
    back = others["market_returns"]
    facts = mine.select(
        "order_id", "account", "connector", "currency", "paid_at", "fulfilled_by", "ordered_at"
    )
    sold = lines.join(facts, on="order_id", maintain_order="left").with_columns(
        ((pl.col("unit_price_minor") - pl.col("unit_discount_minor")) * pl.col("quantity")).alias(
            "net"
        ),
        (pl.col("shipping_minor") - pl.col("shipping_discount_minor")).alias("ship"),
    )
    rate = {c: geography.units_per_usd(c) * 10 ** geography.decimals(c)
            for c in facts["currency"].unique()}  # fmt: skip
    parts = [
        *_ebay_sales(sim.draws, sold.filter(pl.col("connector") == EBAY), rate),
        *_ebay_refunds(sim.draws, facts, others["market_refunds"]),
        *_ebay_disputes(others["market_disputes"], rate),
        _ebay_labels(facts, back, rate),
        *_walmart_sales(sim.draws, sold.filter(pl.col("connector") == WALMART), shipments, rate),
        *_walmart_refunds(facts, back),
        _walmart_charges(facts, back, rate),
    ]
    booked = pl.concat([part.select(_KEPT) for part in parts]).filter(pl.col("amount_minor") != 0)
    order = ["booked_at", "booking_id", "kind", "line_no", "component"]
    return _paid_out(sim, booked.sort(order, nulls_last=False))


def _row(
    frame: pl.DataFrame,
    *,
    number: pl.Expr,
    kind: str,
    component: str,
    amount: pl.Expr,
    at: pl.Expr,
    line: bool = True,
    reference: tuple[str, pl.Expr] | None = None,
    memo: str = "",
) -> pl.DataFrame:
    none = pl.lit(None, dtype=pl.String)
    return frame.select(
        "account",
        "connector",
        "currency",
        number.alias("booking_id"),
        pl.lit(kind).alias("kind"),
        "order_id",
        (pl.col("line_no") if line else pl.lit(None, dtype=pl.Int64)).alias("line_no"),
        pl.lit(component).alias("component"),
        amount.cast(pl.Int64).alias("amount_minor"),
        at.alias("booked_at"),
        (pl.lit(reference[0]) if reference else none).alias("reference_kind"),
        (reference[1] if reference else none).alias("reference_id"),
        pl.lit(memo).alias("memo"),
    )


def _share(minor: pl.Expr, basis_points: int) -> pl.Expr:
    return (minor * basis_points + 5_000) // 10_000


def _ebay_sales(draws: Draws, sold: pl.DataFrame, rate: Mapping[str, float]) -> list[pl.DataFrame]:
    """The sale of an order as a whole, its fees by line, and what advertising cost."""
    paid = sold.filter(pl.col("paid_at").is_not_null()).with_columns(
        pl.col("currency").replace_strict(rate, return_dtype=pl.Float64).alias("rate")
    )
    order = paid.group_by("order_id", maintain_order=True).agg(
        pl.col("account", "connector", "currency", "paid_at", "rate").first(),
        (pl.col("net") + pl.col("ship")).sum().alias("worth"),
        pl.col("line_no").min(),
    )
    number = pl.col("order_id")
    at = pl.col("paid_at") + pl.duration(minutes=3)
    first = order.with_columns(pl.lit(1).alias("one"))
    advertised = order.filter(pl.Series(chance(draws, "ebay.ad", order["order_id"], AD_SHARE)))
    return [
        _row(order, number=number, kind="SALE", component=AMOUNT, amount=pl.col("worth"), at=at,
             line=False),
        _row(paid, number=number, kind="SALE", component="FINAL_VALUE_FEE",
             amount=-_share(pl.col("net") + pl.col("ship"), FEE_BP), at=at),
        _row(first, number=number, kind="SALE", component="FINAL_VALUE_FEE_FIXED_PER_ORDER",
             amount=-(pl.col("rate") * FIXED_FEE_USD).round(0), at=at),
        _row(advertised, number=pl.format("AD{}", pl.col("order_id").str.replace_all("-", "")),
             kind="NON_SALE_CHARGE", component="AD_FEE",
             amount=-_share(pl.col("worth"), AD_BP), at=pl.col("paid_at") + pl.duration(days=1),
             line=False, reference=("ORDER_ID", pl.col("order_id"))),
    ]  # fmt: skip


def _ebay_refunds(draws: Draws, facts: pl.DataFrame, refunds: pl.DataFrame) -> list[pl.DataFrame]:
    """What went back to the buyer, and the fee that came back with it."""
    found = refunds.filter(pl.col("connector") == EBAY).join(
        facts.select("order_id", "currency"), on="order_id", maintain_order="left"
    )
    later = pl.col("refunded_at") + hours(draws, "ebay.booked", found["refund_id"], 0.02, 0.07)
    number = pl.col("refund_id")
    told = pl.col("reference_kind").is_in(["return", "inquiry"])
    reference = ("CASE_ID", pl.when(told).then("reference_id"))
    return [
        _row(found, number=number, kind="REFUND", component=AMOUNT, amount=-pl.col("amount_minor"),
             at=later, line=False, reference=reference),
        _row(found, number=number, kind="REFUND", component="FINAL_VALUE_FEE",
             amount=pl.col("fee_back_minor"), at=later, reference=reference),
    ]  # fmt: skip


def _ebay_disputes(disputes: pl.DataFrame, rate: Mapping[str, float]) -> list[pl.DataFrame]:
    """Held back at first; given back to those who win, with a fee for those who do not."""
    if not disputes.height:
        return []
    found = disputes.with_columns(
        pl.lit("ebay").alias("connector"),
        pl.col("currency").replace_strict(rate, return_dtype=pl.Float64).alias("rate"),
    )
    is_won = pl.col("outcome") == "WON"
    reference = ("ORDER_ID", pl.col("order_id"))
    return [
        _row(found, number=pl.col("dispute_id"), kind="DISPUTE", component=AMOUNT,
             amount=-pl.col("amount_minor"), at=pl.col("opened_at"), line=False,
             memo="Dispute hold"),
        _row(found.filter(is_won), number=pl.format("DISPUTE_HOLD_REVERSE_{}", "dispute_id"),
             kind="CREDIT", component=AMOUNT, amount=pl.col("amount_minor"),
             at=pl.col("closed_at"), line=False, memo="Dispute hold reversed"),
        _row(found.filter(~is_won), number=pl.format("F{}", "dispute_id"),
             kind="NON_SALE_CHARGE", component="PAYMENT_DISPUTE_FEE",
             amount=-(pl.col("rate") * DISPUTE_FEE_USD).round(0), at=pl.col("closed_at"),
             line=False, reference=reference),
    ]  # fmt: skip


def _labelled(facts: pl.DataFrame, back: pl.DataFrame, connector: str) -> pl.DataFrame:
    return back.filter(
        pl.col("connector") == connector,
        pl.col("label_usd_cents").is_not_null(),
        pl.col("sent_at").is_not_null(),
    ).join(facts.select("order_id", "currency"), on="order_id", maintain_order="left")


def _label_cost(rate: Mapping[str, float]) -> pl.Expr:
    local = pl.col("currency").replace_strict(rate, return_dtype=pl.Float64)
    return -(pl.col("label_usd_cents") / 100 * local).round(0)


def _ebay_labels(
    facts: pl.DataFrame, back: pl.DataFrame, rate: Mapping[str, float]
) -> pl.DataFrame:
    return _row(
        _labelled(facts, back, EBAY),
        number=pl.format("L{}", "return_id"),
        kind="SHIPPING_LABEL",
        component=AMOUNT,
        amount=_label_cost(rate),
        at=pl.col("sent_at"),
        line=False,
        reference=("RETURN_ID", pl.col("return_id")),
        memo="Return shipping label",
    )


def _walmart_sales(
    draws: Draws, sold: pl.DataFrame, shipments: pl.DataFrame, rate: Mapping[str, float]
) -> list[pl.DataFrame]:
    """Lines as they were sent: price, shipping, tax that Walmart keeps, commission, its sending."""
    sent = shipments.group_by(_LINE).agg(
        pl.col("quantity").sum().alias("units"), pl.col("shipped_at").max()
    )
    rows = sold.join(sent, on=_LINE, maintain_order="left").with_columns(
        (pl.col("net") * pl.col("units") // pl.col("quantity")).alias("worth"),
        (pl.col("unit_tax_minor") * pl.col("units")).alias("tax"),
        pl.col("currency").replace_strict(rate, return_dtype=pl.Float64).alias("rate"),
    )
    number = pl.format("S{}_{}", "order_id", "line_no")
    at = pl.col("shipped_at") + hours(draws, "walmart.booked", rows["order_item_id"], 2, 60)

    def sale(component: str, amount: pl.Expr) -> pl.DataFrame:
        return _row(rows, number=number, kind="Sale", component=component, amount=amount, at=at,
                    memo="Purchase")  # fmt: skip

    by_walmart = rows.filter(pl.col("fulfilled_by") == "marketplace")
    fee = -(pl.col("rate") * _WFS_USD * pl.col("units")).round(0)
    at_wfs = pl.col("shipped_at") + pl.duration(hours=40)
    return [
        sale("Product Price", pl.col("worth")),
        sale("Shipping", pl.col("ship")),
        sale("Product tax", pl.col("tax")),
        sale("Product tax withheld", -pl.col("tax")),
        sale("Shipping tax", pl.col("shipping_tax_minor")),
        sale("Shipping tax withheld", -pl.col("shipping_tax_minor")),
        sale("Commission on Product", -_share(pl.col("worth"), WALMART_FEE_BP)),
        _row(by_walmart, number=pl.format("W{}_{}", "order_id", "line_no"), kind="Adjustment",
             component="WFS Fulfillment fee", amount=fee, at=at_wfs, memo="WFS Fulfillment fee"),
    ]  # fmt: skip


def _walmart_refunds(facts: pl.DataFrame, back: pl.DataFrame) -> list[pl.DataFrame]:
    rows = back.filter(pl.col("connector") == WALMART, pl.col("refunded_at").is_not_null()).join(
        facts.select("order_id", "currency"), on="order_id", maintain_order="left"
    )
    at = pl.col("refunded_at") + pl.duration(hours=30)

    def refund(component: str, amount: pl.Expr) -> pl.DataFrame:
        return _row(rows, number=pl.format("R{}", "return_id"), kind="Refund", component=component,
                    amount=amount, at=at, memo="Return Refund",
                    reference=("RETURN_ID", pl.col("return_id")))  # fmt: skip

    return [
        refund("Product Price", -pl.col("refund_minor")),
        refund("Product tax", -pl.col("refund_tax_minor")),
        refund("Product tax withheld", pl.col("refund_tax_minor")),
        refund("Commission on Product", _share(pl.col("refund_minor"), WALMART_FEE_BP)),
    ]


def _walmart_charges(
    facts: pl.DataFrame, back: pl.DataFrame, rate: Mapping[str, float]
) -> pl.DataFrame:
    name = "Return Shipping Service Charge"
    return _row(
        _labelled(facts, back, WALMART),
        number=pl.format("L{}", "return_id"),
        kind="Adjustment",
        component=name,
        amount=_label_cost(rate),
        at=pl.col("sent_at") + pl.duration(hours=50),
        memo=name,
    )


def _paid_out(sim: Simulation, booked: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The payout of each booking, and all payouts."""
    end = datetime.combine(sim.end, datetime.min.time()) + timedelta(days=60)
    rows, payouts = [], []
    groups = booked.group_by("connector", "account", "currency", maintain_order=True)
    for (connector, account, currency), group in groups:
        period, after = _PERIODS[str(connector)], _LISTED_AFTER[str(connector)]
        number = (group["booked_at"] - _MONDAY).dt.total_seconds() // int(period.total_seconds())
        frame = group.with_columns(number.alias("period"))
        carried = 0
        waiting: list[int] = []
        sums = frame.group_by("period").agg(pl.col("amount_minor").sum()).sort("period")
        place: dict[int, int] = {}
        for at, amount in sums.iter_rows():
            carried += amount
            waiting.append(at)
            if carried <= 0 and connector == EBAY:
                continue
            place |= dict.fromkeys(waiting, at)
            closes = _MONDAY + period * (at + 1)
            if closes + after < end:
                payouts.append(_payout(sim.draws, str(connector), str(account), str(currency), at,
                                       closes, closes + after, carried))  # fmt: skip
            carried, waiting = 0, []
        ids = {p["period"]: p["payout_id"] for p in payouts
               if (p["account"], p["currency"]) == (account, currency)}  # fmt: skip
        found = {number: ids.get(at) for number, at in place.items()}
        rows.append(
            frame.with_columns(
                pl.col("period")
                .replace_strict(found, default=None, return_dtype=pl.String)
                .alias("payout_id")
            ).drop("period")
        )
    frame = pl.DataFrame(payouts, infer_schema_length=None)
    listed = frame.select("payout_id", "listed_at") if payouts else None
    whole = pl.concat(rows)
    if listed is None:
        return {"market_bookings": whole.with_columns(
            pl.lit(None, dtype=pl.Datetime("us")).alias("paid_out_at")
        ), "market_payouts": pl.DataFrame()}  # fmt: skip
    paid = whole.join(
        listed.rename({"listed_at": "paid_out_at"}), on="payout_id", how="left",
        maintain_order="left",
    )  # fmt: skip
    return {"market_bookings": paid, "market_payouts": frame.drop("period")}


def _payout(
    draws: Draws,
    connector: str,
    account: str,
    currency: str,
    period: int,
    closes: datetime,
    listed: datetime,
    amount: int,
) -> dict[str, Any]:
    number = int(draws.one("payout", account, currency, period) * 10**9)
    return {
        "payout_id": f"5{number:09d}",
        "account": account,
        "connector": connector,
        "currency": currency,
        "period": period,
        "start_at": closes - _PERIODS[connector],
        "end_at": closes,
        "listed_at": listed,
        "amount_minor": amount,
    }
