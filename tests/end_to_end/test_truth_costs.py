"""The truth's own costs and the second computation of profit give the sheets' worked examples.

Belongs here: `facts/metrics.md` 6.1, 6.2, 2.3 and 2.4 on one or two order lines. Does not belong
here: the warehouse's costs, which have tests of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import MISSING, fields
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from sources._sandbox.truth import facts as truth_facts
from sources._sandbox.truth.attribution import PARTIES, allocated, shares
from sources._sandbox.truth.columns import FACTS, fact
from sources._sandbox.truth.costs import costs
from sources._sandbox.truth.outcomes import Fate, Horizon, Link
from sources._sandbox.truth.rates import Rates, rounded
from sources._sandbox.truth.reader import Line, Place
from sources._sandbox.truth.returned import Inspection, Refund, Return
from sources._sandbox.truth.stock import Stock
from sources._sandbox.world.tables import SCHEMAS
from tests.end_to_end.independent_costs import Costs

SOLD = datetime(2026, 1, 5, 12, tzinfo=UTC).replace(tzinfo=None)  # as the world's columns
BACK = SOLD + timedelta(days=20)
SHOP = Place("amazon_us", "USD", 2, ZoneInfo("UTC"), "NA")


class Dollars(Rates):
    """One currency, but for pounds: 1.25 on the day of the order, 1.30 later."""

    def __init__(self) -> None:
        self.reporting = "USD"

    def convert(self, amount: Decimal | None, currency: str, day: date | None) -> Decimal | None:
        if amount is None or day is None:
            return None
        pound = Decimal("1.25") if day <= SOLD.date() else Decimal("1.30")
        return rounded(amount * pound) if currency == "GBP" else amount


def line(order_id: str, **others: Any) -> Line:
    content: dict[str, Any] = {f.name: None for f in fields(Line) if f.default is MISSING}
    content |= {"connector": "amazon", "account": "a", "place": SHOP, "order_id": order_id}
    content |= {"line_id": "S", "sku": "S", "country": "US", "currency": "USD", "ordered": 1}
    content |= {"cancelled": 0, "shipped": 1, "net": Decimal(100), "shipping": Decimal(0)}
    content |= {"ordered_at": SOLD, "shipped_at": SOLD, "delivered_at": SOLD + timedelta(days=3)}
    content |= {"status": "shipped", "fulfilled_by": "marketplace", "payment_method": "unknown"}
    content |= {"order_number": order_id, "listing_id": "L", "customer_key": "unknown"}
    content |= {"centre": "FC", "pool": "a|NA", "tax": Decimal(0), "discount": Decimal(0)}
    return Line(**(content | others))


def returned(of: Line, disposition: str, inspection: Inspection | None = None) -> Return:
    return Return(
        key="amazon:a:R:1", return_id="R", connector="amazon", account="a", line=of, quantity=1,
        requested_at=None, received_at=BACK, refund_evidence_at=None, reason_raw="DEFECTIVE",
        reason_claimed="product_defect.functional", source_disposition=disposition,
        text_hash="none", native_resolution=None, native_status=None, has_no_goods=False,
        inspections=[inspection] if inspection else [],
    )  # fmt: skip


def refund(of: Line, back: Return | None, currency: str = "USD", fees: str = "14.28") -> Refund:
    return Refund(
        key="amazon:a:ADJ:S", refund_id="ADJ", connector="amazon", account="a", line=of,
        refunded_at=BACK, currency=currency, net=Decimal(100), goods=Decimal(100),
        tax=Decimal(19), shipping=Decimal(0), given_units=None, given_kind=None, return_id=None,
        method="original_payment", source="settlement", fees=Decimal(fees), units=1,
        return_row=back,
    )  # fmt: skip


def settled(of: Line, number: int, amount: str, *words: str, at: datetime = SOLD) -> dict[str, Any]:
    kind, amount_type, description, line_class = words
    return {
        "account": "a", "settlement_id": "1", "row_no": number, "connector": "amazon",
        "marketplace": "amazon_us", "posted_at": at, "posted_date": at.date(),
        "transaction_type": kind, "amount_type": amount_type, "amount_description": description,
        "line_class": line_class, "amount": Decimal(amount), "currency": "USD",
        "amount_reporting": Decimal(amount), "reporting_currency": "USD",
        "order_key": of.order_key, "order_line_key": of.key, "sku": of.sku,
    }  # fmt: skip


OTHER = "other-transaction"


def bills(of: Line) -> list[dict[str, Any]]:
    return [
        settled(of, 2, "-17.85", "Order", "ItemFees", "Commission", "fee"),
        settled(of, 3, "-6.00", "Order", "ItemFees", "FBAPerUnitFulfillmentFee", "fee"),
        settled(of, 4, "-2.00", OTHER, OTHER, "FBACustomerReturnPerUnitFee", "fee", at=BACK),
        settled(of, 5, "-4.50", OTHER, OTHER, "RETURN_POSTAGE_Billing", "fee", at=BACK),
    ]


def known(*ends: Fate, landed: str = "32", report: Sequence[Any] = ()) -> truth_facts.Known:
    product = truth_facts.Product("P", "toys", "SUP", Decimal(landed), "USD", None)
    found = {end.line.key: end for end in ends}
    rows = [row for end in ends for row in end.returns]
    money = [paid for end in ends for paid in end.refunds]
    tables = {name: pl.DataFrame(schema=dict(columns)) for name, columns in SCHEMAS.items()}
    tables["reimbursements"] = pl.DataFrame(
        list(report), schema=dict(SCHEMAS["reimbursements"]), strict=False
    )
    reader: Any = SimpleNamespace(
        world=SimpleNamespace(**tables),
        clock=BACK + timedelta(days=60),
        places={("a", SHOP.name): SHOP},
    )
    return truth_facts.Known(
        reader, Dollars(), Horizon(date(2026, 6, 1)), {"S": product}, {}, found, rows, money,
        Stock({}, []),
    )  # fmt: skip


def sums(rows: list[dict[str, Any]]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for row in rows:
        found[row["component"]] = found.get(row["component"], Decimal(0)) + row["amount"]
    return found


def profit(case: truth_facts.Known, lines: list[dict[str, Any]], labour: str) -> dict[str, Any]:
    """The row of mart_order_profit, with the labour that no bill of this case has."""
    rows = list(costs(case, lines))
    labour_row = rows[0] | {
        "component": "inspection_labour", "direction": "cost", "is_memo": False,
        "source": "estimated", "cost_key": "labour", "amount": Decimal(labour),
        "amount_reporting": Decimal(labour), "return_line_key": "amazon:a:R:1",
    }  # fmt: skip
    mart = computed(case, lines, [*rows, labour_row]).mart_order_profit()
    assert mart.height == 1
    return mart.row(0, named=True)


def computed(
    case: truth_facts.Known, lines: list[dict[str, Any]], rows: list[dict[str, Any]]
) -> Costs:
    """The second computation of the marts, from the facts of a case."""
    filled = {
        "fct_after_sales_cost": rows,
        "fct_order_line": truth_facts.order_lines(case),
        "fct_return_line": truth_facts.return_lines(case),
        "fct_refund_line": truth_facts.refund_lines(case),
        "fct_settlement_line": lines,
    }
    tables = {name: fact(name, filled.get(name, ())) for name in FACTS}
    defect = {"reason_class": ["defect"], "is_safety": [False]}
    dims = {
        "dim_marketplace": pl.DataFrame({"marketplace": ["amazon_us"], "time_zone": ["UTC"]}),
        "dim_reason": pl.DataFrame({"reason_l2": ["product_defect.functional"], **defect}),
        "dim_sku": pl.DataFrame({"sku": ["S"], "category": ["toys"]}),
    }
    return Costs(tables, dims, date(2026, 6, 1))


@pytest.mark.parametrize(
    ("disposition", "total", "operations", "left"),
    [("DEFECTIVE", "125.42", "43.27", "-49.27"), ("SELLABLE", "93.42", "11.27", "-17.27")],
)
def test_profit_of_a_returned_sale(
    disposition: str, total: str, operations: str, left: str
) -> None:
    sale = line("O1")
    back = returned(sale, disposition)
    back.refunded = 1
    case = known(Fate(sale, [back], [refund(sale, back)], [], {"returned_refunded": 1}))
    row = profit(case, bills(sale), "1.20")
    assert row["profit_before_after_sales"] == Decimal("44.15")
    assert row["after_sales_cost_total"] == Decimal(total)
    assert row["after_sales_cost_ex_refund"] == Decimal(operations)
    assert row["landed_cost_returned"] == Decimal(32)
    assert row["true_net_profit"] == Decimal(left)
    assert row["is_closed"]


def test_each_component_of_a_returned_sale() -> None:
    sale = line("O1")
    back = returned(sale, "DEFECTIVE")
    found = sums(list(costs(known(Fate(sale, [back], [refund(sale, back)])), bills(sale))))
    assert found == {
        "refund_net": Decimal(100), "refund_tax": Decimal(19), "fee_credit": Decimal("14.28"),
        "platform_fee_kept": Decimal("3.57"), "returns_processing_fee": Decimal(2),
        "return_shipping": Decimal("4.50"), "outbound_shipping_lost": Decimal(6),
        "write_off": Decimal(32),
    }  # fmt: skip


def test_both_views_of_a_refund_in_another_currency_differ_by_the_rate_only() -> None:
    sale = line("O1", currency="GBP", place=Place("amazon_uk", "GBP", 2, ZoneInfo("UTC"), "EU"))
    case = known(Fate(sale, [], [refund(sale, None, "GBP", "0")]))
    (told,) = [r["amount_reporting"] for r in costs(case, []) if r["component"] == "refund_net"]
    (row,) = truth_facts.refund_lines(case)
    assert told == Decimal("130.00")
    assert row["net_order_rate_reporting"] == Decimal("125.00")
    assert row["fx_gain_loss_reporting"] == Decimal("-5.00")
    marts = computed(case, [], list(costs(case, [])))
    event, cohort = marts.mart_cost_by_sku(), marts.mart_cost_by_sku_cohort()
    assert event["after_sales_cost_total"].to_list() == [Decimal("130.00")]
    assert cohort["after_sales_cost_total"].to_list() == [Decimal("125.00")]
    assert cohort["fx_gain_loss"].to_list() == [Decimal("-5.00")]


def test_goods_sent_again_cost_the_line_that_they_replace() -> None:
    """6.2: sending 5, goods 12; what came back is worth as much where it can be sold again."""
    sale = line("O1")
    new = line("O2", link_kind="exchange", net=Decimal(0), shipped_at=BACK)
    fee = settled(new, 6, "-5.00", "Order", "ItemFees", "FBAPerUnitFulfillmentFee", "fee", at=BACK)
    back = returned(sale, "CUSTOMER_DAMAGED")
    back.exchanged = 1
    case = known(Fate(sale, [back], [], [Link(sale, new)]), Fate(new), landed="12")
    rows = list(costs(case, [fee]))
    assert {row["order_line_key"] for row in rows} == {sale.key}
    assert sums(rows) == {
        "replacement_unit_cost": Decimal(12), "replacement_shipping": Decimal(5),
        "write_off": Decimal(12),
    }  # fmt: skip


def test_goods_sold_off_are_written_off_and_their_price_is_a_credit() -> None:
    sale = line("O1")
    found = Inspection("I", None, BACK, 1, "A", None, "liquidate", Decimal(9), "USD")
    case = known(Fate(sale, [returned(sale, "SELLABLE", found)]))
    rows = list(costs(case, []))
    assert sums(rows) == {"write_off": Decimal(32), "liquidation": Decimal(9)}
    assert {row["direction"] for row in rows if row["component"] == "liquidation"} == {"credit"}


def test_a_reimbursement_taken_back_is_a_cost_and_one_without_order_hangs_on_none() -> None:
    sale = line("O1")
    words = (OTHER, "FBA Inventory Reimbursement", "COMPENSATED_CLAWBACK", "reimbursement")
    clawback = settled(sale, 2, "-7.00", *words)
    lost = settled(sale, 3, "11.00", *words) | {"order_key": "none", "order_line_key": "none"}
    taken, given = costs(known(Fate(sale)), [clawback, lost])
    assert (taken["direction"], taken["amount"], taken["source"]) == ("cost", Decimal(7), "billed")
    assert (given["direction"], given["amount"]) == ("credit", Decimal(11))
    assert (given["order_line_key"], given["source"]) == ("unknown", "unallocated")


def test_a_reimbursement_of_report_and_settlement_counts_once() -> None:
    """From the first row of the report on, the report tells; before it, the settlement."""
    sale = line("O1")
    words = (OTHER, "FBA Inventory Reimbursement", "WAREHOUSE_DAMAGE", "reimbursement")
    before = settled(sale, 2, "5.00", *words, at=BACK - timedelta(days=1))
    same = settled(sale, 3, "9.00", *words, at=BACK + timedelta(hours=3))
    told = dict.fromkeys(SCHEMAS["reimbursements"]) | {
        "reimbursement_id": "1", "account": "a", "order_id": "O1", "sku": "S", "listing_sku": "S",
        "currency": "USD", "reason": "Damaged_Warehouse", "amount_minor": 900, "approved_at": BACK,
    }  # fmt: skip
    in_kind = told | {"reimbursement_id": "2", "amount_minor": 0}
    rows = list(costs(known(Fate(sale), report=[told, in_kind]), [before, same]))
    assert [(row["amount"], row["event_at"]) for row in rows] == [
        (Decimal(5), BACK - timedelta(days=1)), (Decimal(9), BACK),
    ]  # fmt: skip


def test_an_amount_over_lines_by_largest_remainder() -> None:
    cent = Decimal("0.01")
    equal = {"1": Decimal(1), "2": Decimal(1), "3": Decimal(1)}
    assert list(allocated(Decimal("10.00"), equal, cent).values()) == [
        Decimal("3.34"), Decimal("3.33"), Decimal("3.33"),
    ]  # fmt: skip
    by_value = {"1": Decimal(30), "2": Decimal(20), "3": Decimal(10)}
    assert list(allocated(Decimal("5.00"), by_value, cent).values()) == [
        Decimal("2.50"), Decimal("1.67"), Decimal("0.83"),
    ]  # fmt: skip


def test_parts_of_parties_add_up() -> None:
    fit = allocated(Decimal("0.0003"), shares("fit.too_small"))
    assert fit == {"product": Decimal("0.0001"), "listing": Decimal("0.0002")}
    for reason in ("product_defect.functional", "policy.recall", "logistics.customs_duty"):
        assert sum(shares(reason).values()) == 1
        assert list(shares(reason)) == [p for p in PARTIES if p in shares(reason)]
