"""Rows of the fact tables from lines, returns, refunds, fates and lots.

Belongs here: columns of the contract. Does not belong here: what is true (the other modules).
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

import polars as pl

from sources._sandbox.truth.carriage import Charge
from sources._sandbox.truth.outcomes import Fate, Horizon, Link, horizon_start
from sources._sandbox.truth.parcels import Parcel
from sources._sandbox.truth.rates import Rates, rounded
from sources._sandbox.truth.reader import NONE, UNKNOWN, Line, Reader, key, part
from sources._sandbox.truth.returned import Refund, Return
from sources._sandbox.truth.stock import UNATTRIBUTED, Parts, Stock

NEVER = date(1900, 1, 1)
Row = dict[str, Any]


@dataclass(frozen=True)
class Product:
    product_id: str
    category: str
    supplier_id: str
    cost: Decimal
    currency: str
    size_order: int | None


@dataclass(frozen=True)
class Lot:
    supplier_id: str
    cost: Decimal
    currency: str
    cost_date: date
    expiry_date: date | None


@dataclass(frozen=True)
class Known:
    """All that rows are made of."""

    reader: Reader
    rates: Rates
    horizon: Horizon
    products: dict[str, Product]
    lots: dict[tuple[str, str], Lot]
    fates: dict[str, Fate]
    returns: list[Return]
    refunds: list[Refund]
    stock: Stock
    parcels: list[Parcel] = field(default_factory=list)
    charges: list[Charge] = field(default_factory=list)

    @cached_property
    def ways_out(self) -> dict[str, list[Charge]]:
        """What carriers bill for the way to the buyer, by order line."""
        found: dict[str, list[Charge]] = defaultdict(list)
        for charge in self.charges:
            for line_key in charge.parts if charge.is_way_out else ():
                found[line_key].append(charge)
        return found

    @cached_property
    def sent_instead(self) -> dict[str, tuple[Fate, Link]]:
        """Lines of goods that went out for others, with the fate of the line they stand in for."""
        return {
            link.new.key: (fate, link)
            for fate in self.fates.values()
            for link in fate.links
            if link.new.shipped
        }

    def product(self, sku: str) -> Product:
        return self.products[sku]

    def supplier_of(self, sku: str, lot_id: str) -> str:
        lot = self.lots.get((sku, lot_id))
        return lot.supplier_id if lot else UNKNOWN


def known_products(reader: Reader) -> dict[str, Product]:
    return {
        row["sku"]: Product(
            row["product_id"], row["category"], row["supplier_id"],
            Decimal(row["unit_landed_cost_minor"]) / 100, row["cost_currency"], row["size_order"],
        )
        for row in reader.world.products.iter_rows(named=True)
    }  # fmt: skip


def known_lots(reader: Reader) -> dict[tuple[str, str], Lot]:
    """Lots on the purchase list: from the first arrival on."""
    parts = ("unit_cost_minor", "unit_freight_minor", "unit_duty_minor", "unit_other_minor")
    return {
        (row["sku"], row["lot_id"]): Lot(
            row["supplier_id"], Decimal(sum(row[name] for name in parts)) / 100, row["currency"],
            row["production_date"], row["expiry_date"],
        )
        for row in reader.world.lots.filter(
            pl.col("arrived_at") <= reader.clock
        ).iter_rows(named=True)
    }  # fmt: skip


def lot_key(sku: str, lot_id: str) -> str:
    return f"{part(sku)}|{part(lot_id)}"


def month(day: date | None) -> date:
    return NEVER if day is None else day.replace(day=1)


def cohort(line: Line) -> date:
    return month(line.shipped_date if line.shipped else None)


def unit_cost(known: Known, line: Line) -> Decimal | None:
    """Mean over the units: the lot's cost where it is known, else the product's of that day."""
    product = known.product(line.sku)
    day = line.shipped_date or line.place.day(line.ordered_at)
    usual = known.rates.convert(product.cost, product.currency, day)
    parts = known.stock.parts.get(line.key)
    if parts is None:
        return usual
    costs = []
    for lot_id in parts.main:
        lot = known.lots.get((line.sku, lot_id))
        exact = known.rates.convert(lot.cost, lot.currency, lot.cost_date) if lot else None
        costs.append(usual if exact is None else exact)
    told = [cost for cost in costs if cost is not None]
    return rounded(sum(told, Decimal(0)) / len(told)) if told else None


def order_lines(known: Known) -> Iterator[Row]:
    for fate in known.fates.values():
        line = fate.line
        product = known.product(line.sku)
        place, rates = line.place, known.rates
        ordered = place.day(line.ordered_at)
        start, basis = horizon_start(line, known.horizon)
        yield {
            "order_line_key": line.key,
            "order_key": line.order_key,
            "order_id": line.order_id,
            "order_number": line.order_number,
            "line_id": line.line_id,
            "connector": line.connector,
            "account": line.account,
            "marketplace": place.name,
            "country": line.country,
            "region": NONE,
            "sku": line.sku,
            "product_id": product.product_id,
            "category": product.category,
            "listing_id": line.listing_id,
            "supplier_id": product.supplier_id,
            "customer_key": line.customer_key,
            "order_status": line.status,
            "quantity_ordered": line.ordered,
            "quantity_cancelled": line.cancelled,
            "quantity_shipped": line.shipped,
            "currency": line.currency,
            "net_amount": line.net,
            "tax_amount": line.tax,
            "discount_amount": line.discount,
            "shipping_amount": line.shipping,
            "net_reporting": rates.convert(line.net, place.currency, ordered),
            "shipping_reporting": rates.convert(line.shipping, place.currency, ordered),
            "unit_landed_cost_reporting": unit_cost(known, line),
            "reporting_currency": rates.reporting,
            "ordered_at": line.ordered_at,
            "ordered_date": ordered,
            "paid_at": line.paid_at,
            "cancelled_at": line.cancelled_at,
            "cancel_reason": line.cancel_reason,
            "ship_by_at": line.ship_by_at,
            "promised_at": line.promised_at,
            "promised_date": line.day_there(line.promised_at),
            "shipped_at": line.shipped_at,
            "shipped_date": line.shipped_date,
            "cohort_month": cohort(line),
            "delivered_at": line.delivered_at,
            "delivered_date": line.day_there(line.delivered_at),
            "horizon_start_date": start,
            "delivery_date_basis": basis,
            "horizon_days": known.horizon.days,
            "fulfilled_by": line.fulfilled_by,
            "fulfilment_centre_id": line.centre,
            "stock_pool": line.pool,
            "payment_method": line.payment_method,
            "is_replacement": line.link_kind == "replacement",
            "is_exchange": line.link_kind == "exchange",
            "replaces_order_key": key(line.connector, line.account, line.original)
            if line.original
            else NONE,
            "has_override": False,
        }


def _of_line(line: Line) -> Row:
    return {
        "order_line_key": line.key,
        "order_key": line.order_key,
        "account": line.account,
        "marketplace": line.place.name,
        "country": line.country,
    }


def unit_outcomes(known: Known) -> Iterator[Row]:
    for fate in known.fates.values():
        for outcome, quantity in fate.outcomes.items():
            yield {
                **_of_line(fate.line),
                "sku": fate.line.sku,
                "cohort_month": cohort(fate.line),
                "outcome": outcome,
                "quantity": quantity,
            }


def lot_allocations(known: Known) -> Iterator[Row]:
    for fate in known.fates.values():
        line = fate.line
        parts = known.stock.parts.get(line.key)
        if parts is None:
            continue
        main, lifo = Counter(parts.main), Counter(parts.lifo)
        start, _ = horizon_start(line, known.horizon)
        for lot_id in sorted(set(main) | set(lifo)):
            lot = known.lots.get((line.sku, lot_id))
            ends = lot.expiry_date if lot else None
            yield {
                **_of_line(line),
                "sku": line.sku,
                "lot_key": lot_key(line.sku, lot_id),
                "lot_id": lot_id,
                "supplier_id": known.supplier_of(line.sku, lot_id),
                "stock_pool": line.pool,
                "quantity": main[lot_id],
                "quantity_lifo": lifo[lot_id],
                "lot_share": main[lot_id] / line.shipped,
                "allocation_method": method_of(parts, lot_id),
                "time_violation": lot_id in parts.late,
                "days_to_expiry_at_delivery": (ends - start).days if ends and start else None,
                "cohort_month": cohort(line),
            }


def method_of(parts: Parts, lot_id: str) -> str:
    if lot_id in parts.scanned:
        return "scanned"
    return UNATTRIBUTED if lot_id == UNATTRIBUTED else parts.method


_ON_THE_WAY = ("authorised", "in_transit")
_CLOSED = {"withdrawn": "cancelled", "cancelled": "cancelled", "denied": "denied"}


def _status(row: Return) -> str:
    if row.has_no_goods:
        return _CLOSED.get(row.native_status or "", "closed")
    if row.refunded:
        return "refunded"
    if row.exchanged or row.replaced:
        return "exchanged"
    if row.denied:
        return "denied"
    if row.graded_at or (row.inspections and row.received_at):
        return "graded"
    if row.received_at:
        return "received"
    return row.native_status if row.native_status in _ON_THE_WAY else "requested"


def _resolution(row: Return) -> str:
    if row.refunded:
        return "refund"
    if row.exchanged:
        return "exchange"
    if row.replaced:
        return "replacement"
    return NONE if row.has_no_goods or row.denied else "open"


def return_lines(known: Known) -> Iterator[Row]:
    for row in known.returns:
        line = row.line
        if line is None:
            continue
        product = known.product(line.sku)
        start, _ = horizon_start(line, known.horizon)
        seen = row.evidence_date
        age = (seen - start).days if seen and start else None
        inspection = row.main_inspection
        yield {
            "return_line_key": row.key,
            **_of_line(line),
            "return_id": row.return_id,
            "connector": row.connector,
            "region": NONE,
            "sku": line.sku,
            "product_id": product.product_id,
            "category": product.category,
            "customer_key": line.customer_key,
            "quantity": row.quantity,
            "return_seq": 2 if line.original else 1,
            "resolution": _resolution(row),
            "status": _status(row),
            "requested_at": row.requested_at,
            "received_at": row.received_at,
            "graded_at": row.first_graded_at,
            "refunded_at": row.refunded_at,
            "first_evidence_date": seen,
            "return_date_basis": row.basis,
            "days_after_delivery": age,
            "is_within_horizon": row.is_buyer_return
            and age is not None
            and age <= known.horizon.days,
            "cohort_month": cohort(line),
            "reason_raw": row.reason_raw,
            "reason_claimed": row.reason_claimed,
            "reason_text_label": row.reason_text_label,
            "reason_inspected": row.reason_inspected or NONE,
            "reason_final": row.reason_final,
            "reason_source": row.reason_source,
            "reason_conflict": row.reason_conflict,
            "text_hash": row.text_hash,
            "disposition": row.disposition,
            "inspection_grade": inspection.grade if inspection else None,
            "next_step": NONE
            if inspection is None or inspection.disposition == "missing"
            else inspection.disposition,
            "recovered_reporting": _recovered(known, row),
            "reporting_currency": known.rates.reporting,
            "has_override": False,
        }


def _recovered(known: Known, row: Return) -> Decimal | None:
    assert row.line is not None  # noqa: S101
    values = [
        known.rates.convert(i.recovered, i.currency, row.line.place.day(i.inspected_at))
        for i in row.inspections
    ]
    told = [value for value in values if value is not None]
    return sum(told, Decimal(0)) if told else None


def return_lots(known: Known) -> Iterator[Row]:
    """Inspected units have their lot; the others are spread as the units of their line."""
    for row in known.returns:
        if row.line is None or not row.line.shipped:
            continue
        sku, quantity = row.line.sku, row.quantity
        shares: dict[str, float] = {}
        methods: dict[str, str] = {}
        left = quantity
        for inspection in row.inspections:
            if inspection.lot_id:
                taken = min(left, inspection.quantity)
                shares[inspection.lot_id] = shares.get(inspection.lot_id, 0.0) + taken
                methods[inspection.lot_id] = "inspected"
                left -= taken
        parts = known.stock.parts[row.line.key]
        for lot_id, units in Counter(parts.main).items() if left else ():
            fraction = left * units / row.line.shipped
            shares[lot_id] = shares.get(lot_id, 0.0) + fraction
            methods.setdefault(lot_id, method_of(parts, lot_id))
        for lot_id, fraction in shares.items():
            yield {
                "return_line_key": row.key,
                "order_line_key": row.line.key,
                "lot_key": lot_key(sku, lot_id),
                "lot_id": lot_id,
                "supplier_id": known.supplier_of(sku, lot_id),
                "sku": sku,
                "account": row.account,
                "marketplace": row.line.place.name,
                "units_fraction": fraction,
                "lot_share": fraction / quantity,
                "allocation_method": methods[lot_id],
            }


# words of the files that the contract does not have
_KINDS = {"undeliverable": "inr", "partial_return": "partial_kept"}


def refund_kind(refund: Refund, fate: Fate) -> str:
    """Refunds without goods back pay for the units that never arrived first, one by one."""
    if refund.given_kind is not None:
        return _KINDS.get(refund.given_kind, refund.given_kind)
    if fate.line.cancelled == fate.line.ordered:
        return "cancellation"
    if not refund.goods and refund.shipping > 0:
        return "shipping_only"
    if not refund.units:
        return "partial_kept"
    if not _may_be_lost(refund, fate):
        return "full_return"
    undeliverable = sum(row.quantity for row in fate.returns if row.is_undeliverable)
    never_arrived = min(max(fate.line.undelivered, undeliverable), fate.line.shipped)
    before = (refund.refunded_at, refund.key)
    paid_before = sum(
        other.units
        for other in fate.refunds
        if (other.refunded_at, other.key) < before and _may_be_lost(other, fate)
    )
    return "inr" if paid_before < never_arrived else "returnless"


def _may_be_lost(refund: Refund, fate: Fate) -> bool:
    row, kind = refund.return_row, refund.given_kind
    is_back = row is not None and row.received_at and row.is_buyer_return
    is_other = kind is not None and _KINDS.get(kind, kind) != "inr"
    is_cancelled = fate.line.cancelled == fate.line.ordered
    return bool(refund.units) and not (refund.has_goods or is_back or is_other or is_cancelled)


def refund_lines(known: Known) -> Iterator[Row]:
    for refund in known.refunds:
        line = refund.line
        if line is None:
            continue
        place, rates = line.place, known.rates
        paid = place.day(refund.refunded_at)
        kind = refund_kind(refund, known.fates[line.key])
        net = rates.convert(refund.net, refund.currency, paid)
        at_order = rates.convert(refund.net, refund.currency, place.day(line.ordered_at))
        yield {
            "refund_line_key": refund.key,
            **_of_line(line),
            "return_line_key": refund.return_row.key if refund.return_row else NONE,
            "refund_id": refund.refund_id,
            "connector": refund.connector,
            "sku": line.sku,
            "refunded_at": refund.refunded_at,
            "refunded_date": paid,
            "kind": kind,
            "refund_method": refund.method,
            "payment_method": line.payment_method,
            "is_returnless": kind == "returnless",
            "units_refunded": refund.units,
            "currency": refund.currency,
            "net_amount": refund.net,
            "tax_amount": refund.tax,
            "shipping_amount": refund.shipping,
            "net_reporting": net,
            "net_order_rate_reporting": at_order,
            "fx_gain_loss_reporting": None if net is None or at_order is None else at_order - net,
            "fx_marketplace_spread_amount": None,
            "reporting_currency": rates.reporting,
            "refund_promised_date": None,
            "amount_source": refund.source,
            "is_duplicate_of_chargeback": refund.is_duplicate,
            "cohort_month": cohort(line),
        }


def stable_hash(*parts: object) -> str:
    return hashlib.md5("|".join(map(str, parts)).encode()).hexdigest()  # noqa: S324
