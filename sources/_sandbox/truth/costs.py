"""Rows of fct_after_sales_cost: what each refund, fee, return and replacement cost or gave back.

Belongs here: components and their amounts (`facts/metrics.md` 6.1). Does not belong here: who bears
them (`attribution.py`), sums by product or month (the tests compute those a second time).

Amounts without a bill are estimates; a cost that hangs on no known order line is unallocated.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sources._sandbox.truth.attribution import allocated, shares
from sources._sandbox.truth.carriage import Charge
from sources._sandbox.truth.facts import (
    NEVER,
    Known,
    Row,
    cohort,
    refund_kind,
    stable_hash,
    unit_cost,
)
from sources._sandbox.truth.other_facts import SettlementRow
from sources._sandbox.truth.outcomes import Fate, Link
from sources._sandbox.truth.rates import rounded
from sources._sandbox.truth.reader import NONE, UNKNOWN, Line
from sources._sandbox.truth.reimbursed import told_once
from sources._sandbox.truth.returned import Refund, Return

CREDITS = frozenset(
    {"fee_credit", "resale_value", "liquidation", "reimbursement", "carrier_claim",
     "supplier_claim"}
)  # fmt: skip
MEMO = frozenset(
    {"refund_tax", "outbound_shipping_lost", "platform_fee_kept", "lost_customer_value"}
)
CENT = Decimal("0.01")
BILLED, ESTIMATED, UNALLOCATED = "billed", "estimated", "unallocated"
LOST, NO_REASON = "logistics.not_received_lost", "unknown.no_reason"
_NOT_BACK = ("unknown", "missing")  # not known what they are worth, or not there at all
_GIVEN_AWAY = ("liquidate", "return_to_supplier", "destroy")  # never sold again as new


@dataclass(frozen=True)
class Event:
    """One amount before it is split among parties; below zero it goes the other way."""

    component: str
    amount: Decimal
    currency: str
    at: datetime
    source: str
    line: Line
    return_key: str = NONE
    reason: str = NO_REASON
    origin: str = ""
    parcel_key: str = NONE
    day: date | None = None  # null: that of `at` where the line was sold


def costs(known: Known, settled: Iterable[SettlementRow]) -> Iterator[Row]:
    """Rows of every event on a known line, and of fees that hang on none."""
    bills = Bills(told_once(known, _without_credits(known, settled)), known)
    for fate in known.fates.values():
        for event in _events(known, fate, bills):
            yield from _rows(known, event)
    for event in _carried(known):
        yield from _rows(known, event)
    for row in bills.loose:
        yield from _loose_rows(known, row)
    for charge in known.charges:
        if not charge.parts and not charge.is_way_out:
            yield from _loose_charge(known, charge)


def _without_credits(known: Known, settled: Iterable[SettlementRow]) -> list[SettlementRow]:
    """The rows but for fees of Walmart that came back with a refund: they go to that refund."""
    refunds = {
        (refund.line.key, refund.refunded_at): refund
        for refund in known.refunds
        if refund.line and refund.connector == "walmart" and refund.source == "settlement"
    }
    kept = []
    for row in settled:
        refund = refunds.get((row["order_line_key"], row["posted_at"]))
        if refund is not None and _market_component(row) == "fee_credit":
            refund.fees += row["amount"]
        else:
            kept.append(row)
    return kept


class Bills:
    """Lines of settlements by what they are for."""

    def __init__(self, settled: Iterable[SettlementRow], known: Known) -> None:
        self.sale_fees: dict[str, list[SettlementRow]] = defaultdict(list)
        self.fulfilment: dict[str, list[SettlementRow]] = defaultdict(list)
        self.charges: dict[str, list[SettlementRow]] = defaultdict(list)
        self.loose: list[SettlementRow] = []
        for row in _by_line(settled, known):
            key = row["order_line_key"]
            if is_sale_fee(row):
                is_outbound = is_sending(row)
                (self.fulfilment if is_outbound else self.sale_fees)[key].append(row)
            elif after_sales_component(row):
                self.charges[key].append(row)
        self.loose = [r for key in (NONE, UNKNOWN) for r in self.charges.pop(key, [])]


def is_sale_fee(row: SettlementRow) -> bool:
    """Commission, and sending by the marketplace."""
    if row["connector"] == "amazon":
        return row["transaction_type"] == "Order" and row["amount_type"] == "ItemFees"
    of_sale = row["transaction_type"] in ("SALE", "Sale", "NON_SALE_CHARGE")
    if after_sales_component(row) == "dispute_fee":
        return False
    return row["line_class"] == "fee" and (of_sale or is_sending(row))


def is_sending(row: SettlementRow) -> bool:
    return row["amount_description"].startswith(("FBA", "WFS Fulfillment"))


def _by_line(settled: Iterable[SettlementRow], known: Known) -> Iterator[SettlementRow]:
    """What is told of an order as a whole is spread over its shipped lines by their price; fees
    given back for one line at one moment are one amount."""
    lines: dict[str, list[Line]] = defaultdict(list)
    for fate in known.fates.values():
        lines[fate.line.order_key].append(fate.line)
    given: dict[tuple[str, datetime, str], SettlementRow] = {}
    for row in settled:
        mine = lines.get(row["order_key"], [])
        if row["order_line_key"] == UNKNOWN and row["sku"] == UNKNOWN and mine:
            yield from _spread(known, row, mine)
        elif row["line_class"] == "fee_credit" and row["connector"] != "amazon":
            place = (row["order_line_key"], row["posted_at"], row["currency"])
            before = given.get(place)
            amount = row["amount"] + (before["amount"] if before else 0)
            given[place] = {**row, "amount": amount}
        else:
            yield row
    yield from given.values()


def _spread(known: Known, row: SettlementRow, lines: list[Line]) -> Iterator[SettlementRow]:
    sent = [line for line in lines if line.shipped] or lines
    weights = {line.key: line.net or Decimal(0) for line in sorted(sent, key=lambda x: x.key)}
    if not any(weights.values()):
        weights = dict.fromkeys(list(weights)[:1], Decimal(1))
    sign = -1 if row["amount"] < 0 else 1
    for line in sent:
        part = allocated(abs(row["amount"]), weights, CENT).get(line.key)
        if part:
            told = known.rates.convert(sign * part, row["currency"], row["posted_date"])
            yield {**row, "order_line_key": line.key, "sku": line.sku, "amount": sign * part,
                   "amount_reporting": told}  # fmt: skip


def after_sales_component(row: SettlementRow) -> str | None:
    """The component of a settlement line that is a cost or credit of its own."""
    words = row["amount_description"].lower()
    if row["connector"] != "amazon":
        return _market_component(row)
    if row["line_class"] == "reimbursement":
        return "reimbursement"
    if row["line_class"] == "removal":
        return "disposal_fee"
    if "customerreturn" in words:
        return "returns_processing_fee"
    if "return_postage" in words:
        return "return_shipping"
    return None


def _market_component(row: SettlementRow) -> str | None:
    """Of eBay and Walmart: labels of returns, fees of disputes, and fees given back."""
    if row["amount_description"].endswith("DISPUTE_FEE"):
        return "dispute_fee"
    if row["line_class"] == "fee_credit" and row["transaction_type"].upper() == "REFUND":
        return "fee_credit"
    words = row["amount_description"].lower().replace("_", " ")
    is_label = row["line_class"] == "fee" and "return shipping" in words
    return "return_shipping" if is_label else None


def _events(known: Known, fate: Fate, bills: Bills) -> Iterator[Event]:
    for refund in fate.refunds:
        yield from _refunded(fate, refund, bills)
    for bill in bills.charges.get(fate.line.key, ()):
        yield _charged(fate, bill)
    for row in fate.returns:
        yield from _came_back(known, fate, row, bills)
    for link in fate.links:
        yield from _sent_again(known, fate, link, bills)


def _refunded(fate: Fate, refund: Refund, bills: Bills) -> Iterator[Event]:
    """The money, its tax, and what of the sale's fees came back with it or did not."""
    kind = refund_kind(refund, fate)
    if kind == "cancellation" or refund.is_duplicate:
        return
    back = refund.return_row
    reason = back.reason_final if back else LOST if kind == "inr" else NO_REASON
    amounts = {
        "refund_net": refund.net,
        "refund_tax": refund.tax,
        "fee_credit": refund.fees,
        "platform_fee_kept": _fee_kept(fate, refund, bills),
    }
    for component, amount in amounts.items():
        yield Event(
            component, amount, refund.currency, refund.refunded_at, BILLED, fate.line,
            back.key if back else NONE, reason, refund.key,
        )  # fmt: skip


def _fee_kept(fate: Fate, refund: Refund, bills: Bills) -> Decimal:
    """The refunded goods' part of the sale's fees, less what was given back, once it is settled."""
    line = fate.line
    if refund.source != "settlement":
        return Decimal(0)
    fees = -sum((row["amount"] for row in bills.sale_fees.get(line.key, ())), Decimal(0))
    if not fees or not line.net or not line.shipped:
        return Decimal(0)
    sold = line.net * line.shipped / line.ordered
    return max(Decimal(0), rounded(fees * min(Decimal(1), refund.goods / sold) - refund.fees))


def _charged(fate: Fate, bill: SettlementRow) -> Event:
    component = after_sales_component(bill) or ""
    return_key, reason = _return_of_line(fate)
    return Event(
        component,
        bill["amount"] if component in CREDITS else -bill["amount"],
        bill["currency"],
        bill["posted_at"],
        BILLED,
        fate.line,
        return_key,
        reason,
        f"{bill['account']}|{bill['settlement_id']}|{bill['row_no']}",
    )


def _return_of_line(fate: Fate) -> tuple[str, str]:
    """Return and reason of a cost that names only its line."""
    back = sorted(
        (row for row in fate.returns if not row.has_no_goods),
        key=lambda row: (row.evidence_date or NEVER, row.key),
    )
    if not back:
        return NONE, NO_REASON
    return UNKNOWN if len(back) > 1 else back[0].key, back[0].reason_final


def carriage_component(charge: Charge) -> str:
    """What a charge is to the after-sale, the way out of goods sent instead included."""
    if charge.kind == "claim_credit":
        return "carrier_claim"
    if charge.is_way_out:
        return "replacement_shipping"
    return "duties_not_reclaimed" if charge.kind == "duty" else "return_shipping"


def _carried(known: Known) -> Iterator[Event]:
    """Ways back and claims of each line; all that carrying goods cost that were sent instead."""
    for charge in known.charges:
        for key, part in charge.parts.items():
            instead = known.sent_instead.get(key)
            if instead is None and charge.is_way_out:
                continue
            if instead is None:
                fate = known.fates[key]
                return_key, reason = _return_of_line(fate)
            else:
                fate, link = instead
                row = fate.return_of(link)
                return_key, reason = (row.key, row.reason_final) if row else (NONE, NO_REASON)
            yield Event(
                carriage_component(charge), part, charge.currency, charge.at, BILLED, fate.line,
                return_key, reason, f"{charge.number}|{charge.kind}|{charge.bill}|{key}",
                charge.parcel.key if charge.parcel else UNKNOWN, charge.day,
            )  # fmt: skip


def _in_vain(known: Known, fate: Fate, row: Return, back_at: datetime) -> Iterator[Event]:
    """The way out of goods that are back and its duty, as carriers billed them."""
    line = fate.line
    is_instead = line.key in known.sent_instead
    ways: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    last: dict[str, datetime] = {}
    for charge in known.ways_out.get(line.key, ()):
        is_duty = charge.kind == "duty"
        name = "duties_not_reclaimed" if is_duty else "outbound_shipping_lost"
        if not (is_duty and is_instead):
            ways[name, charge.currency] += charge.parts[line.key]
        last[charge.currency] = max(charge.at, last.get(charge.currency, charge.at))
    for (name, unit), paid in ways.items():
        at = max(back_at, last[unit])
        day = max(line.place.day(back_at) or NEVER, last[unit].date())
        yield Event(
            name, rounded(paid * row.quantity / line.shipped), unit, at, BILLED, line, row.key,
            row.reason_final, f"{row.key}|{unit}", NONE, day,
        )  # fmt: skip


def _came_back(known: Known, fate: Fate, row: Return, bills: Bills) -> Iterator[Event]:
    """Goods that are back: the sending that was in vain, what they lost and what they fetched."""
    line = fate.line
    if row.received_at is None or row.has_no_goods:
        return
    graded_at = row.first_graded_at or row.received_at

    def event(name: str, amount: Decimal, unit: str, at: datetime, source: str) -> Event:
        return Event(name, amount, unit, at, source, line, row.key, row.reason_final, row.key)

    sent = bills.fulfilment.get(line.key, ())
    if sent:
        fees = -sum((bill["amount"] for bill in sent), Decimal(0))
        lost = rounded(fees * row.quantity / line.shipped)
        unit = sent[0]["currency"]
        yield event("outbound_shipping_lost", lost, unit, row.received_at, BILLED)
    yield from _in_vain(known, fate, row, row.received_at)
    if not is_written_off(row):
        return
    cost, unit = unit_cost(known, line), known.rates.reporting
    if cost is not None:
        yield event("write_off", cost * row.quantity, unit, graded_at, ESTIMATED)
    for found in row.inspections:
        name = "liquidation" if found.disposition == "liquidate" else "resale_value"
        yield event(name, found.recovered, found.currency, found.inspected_at, BILLED)


def is_written_off(row: Return) -> bool:
    """Goods that do not go back on sale; sold off or sent away counts, whatever their grade."""
    found = row.main_inspection
    is_away = found is not None and found.disposition in _GIVEN_AWAY
    return row.disposition not in _NOT_BACK and (is_away or row.disposition != "sellable")


def _sent_again(known: Known, fate: Fate, link: Link, bills: Bills) -> Iterator[Event]:
    """Goods and sending of what replaced the line's units."""
    new = link.new
    if not new.shipped or new.shipped_at is None:
        return
    row = fate.return_of(link)
    back = row.key if row else NONE
    reason = row.reason_final if row else NO_REASON
    cost = unit_cost(known, new)
    if cost is not None:
        yield Event(
            "replacement_unit_cost", cost * new.shipped, known.rates.reporting, new.shipped_at,
            ESTIMATED, fate.line, back, reason, new.key,
        )  # fmt: skip
    for bill in bills.fulfilment.get(new.key, ()):
        yield Event(
            "replacement_shipping", -bill["amount"], bill["currency"], bill["posted_at"], BILLED,
            fate.line, back, reason, f"{new.key}|{bill['settlement_id']}|{bill['row_no']}",
        )  # fmt: skip


def _rows(known: Known, event: Event) -> Iterator[Row]:
    line, day = event.line, event.day or event.line.place.day(event.at)
    head = {
        "order_line_key": line.key,
        "order_key": line.order_key,
        "return_line_key": event.return_key,
        "parcel_key": event.parcel_key,
        "account": line.account,
        "marketplace": line.place.name,
        "country": line.country,
        "sku": line.sku,
        "source": event.source,
        "event_at": event.at,
        "event_date": day,
        "cohort_month": cohort(line),
    }
    told = known.rates.convert(abs(event.amount), event.currency, day)
    yield from _parts(
        known, head, event.component, event.amount, event.currency, told, event.reason, event.origin
    )


def _loose_rows(known: Known, bill: SettlementRow) -> Iterator[Row]:
    component = after_sales_component(bill) or ""
    head = {
        "order_line_key": UNKNOWN,
        "order_key": UNKNOWN,
        "return_line_key": NONE,
        "parcel_key": NONE,
        "account": bill["account"],
        "marketplace": bill["marketplace"],
        "country": "ZZ",
        "sku": UNKNOWN if bill["sku"] == NONE else bill["sku"],
        "source": UNALLOCATED,
        "event_at": bill["posted_at"],
        "event_date": bill["posted_date"],
        "cohort_month": NEVER,
    }
    amount = bill["amount"] if component in CREDITS else -bill["amount"]
    told = None if bill["amount_reporting"] is None else abs(bill["amount_reporting"])
    origin = f"{bill['account']}|{bill['settlement_id']}|{bill['row_no']}"
    yield from _parts(
        known, head, component, amount, bill["currency"], told, NO_REASON, origin
    )  # fmt: skip


def _loose_charge(known: Known, charge: Charge) -> Iterator[Row]:
    """A way back or a claim of a parcel of no order."""
    parcel = charge.parcel
    head = {
        "order_line_key": UNKNOWN,
        "order_key": UNKNOWN,
        "return_line_key": NONE,
        "parcel_key": parcel.key if parcel else UNKNOWN,
        "account": parcel.account if parcel else UNKNOWN,
        "marketplace": parcel.marketplace if parcel else UNKNOWN,
        "country": "ZZ",
        "sku": UNKNOWN,
        "source": UNALLOCATED,
        "event_at": charge.at,
        "event_date": charge.day,
        "cohort_month": NEVER,
    }
    told = known.rates.convert(abs(charge.amount), charge.currency, charge.day)
    yield from _parts(
        known, head, carriage_component(charge), charge.amount, charge.currency, told, NO_REASON,
        f"{charge.number}|{charge.kind}|{charge.bill}",
    )  # fmt: skip


def _parts(
    known: Known,
    head: Row,
    component: str,
    amount: Decimal,
    currency: str,
    told: Decimal | None,
    reason: str,
    origin: str,
) -> Iterator[Row]:
    """A row for each party that bears a part; nothing where there is no amount."""
    forward, backward = ("credit", "cost") if component in CREDITS else ("cost", "credit")
    parts = allocated(abs(amount), shares(reason))
    told_parts = {} if told is None else allocated(told, shares(reason))
    for party, part in parts.items():
        if part:
            yield {
                **head,
                "cost_key": stable_hash(origin, component, party),
                "case_key": NONE,
                "component": component,
                "direction": forward if amount > 0 else backward,
                "is_memo": component in MEMO,
                "attributed_party": party,
                "reason_l2": reason,
                "currency": currency,
                "amount": part,
                "amount_reporting": told_parts.get(party),
                "reporting_currency": known.rates.reporting,
            }
