"""Rows of settlements, exchanges and moves of stock.

Belongs here: the fact tables that hang on others' money and stock; the rest is in `facts.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import polars as pl

from sources._sandbox.truth.facts import Known, lot_key, stable_hash
from sources._sandbox.truth.outcomes import Fate, Link
from sources._sandbox.truth.reader import NONE, UNKNOWN, key
from sources._sandbox.truth.stock import UNATTRIBUTED

Row = dict[str, Any]
SettlementRow = Row  # a row of fct_settlement_line
_CLASSES = {
    ("Order", "ItemPrice", "Principal"): "sale",
    ("Order", "Promotion", "Principal"): "sale",
    ("Order", "ItemPrice", "Shipping"): "shipping",
    ("Order", "Promotion", "Shipping"): "shipping",
    ("Refund", "ItemPrice", "Principal"): "refund",
    ("Refund", "ItemPrice", "Shipping"): "refund",
    ("Refund", "Promotion", "Principal"): "refund",
    ("Refund", "Promotion", "Shipping"): "refund",
    ("Refund", "ItemFees", "Commission"): "fee_credit",
}


def line_class(kind: str, amount_type: str, description: str) -> str:
    if "Tax" in description:
        return "tax"
    if amount_type == "FBA Inventory Reimbursement":
        return "reimbursement"
    if amount_type == "Cost of Advertising":
        return "advertising"
    if kind == "other-transaction":
        return "fee"
    return _CLASSES.get((kind, amount_type, description), "fee")


def settlement_lines(known: Known) -> Iterator[Row]:
    """Lines of settlements that closed before the clock."""
    reader, rates = known.reader, known.rates
    closed = reader.world.settlements.filter(pl.col("closed_at") < reader.clock)
    sku_of = {
        (row["account"], row["listing_sku"]): row["sku"]
        for row in reader.world.listings.iter_rows(named=True)
    }
    orders = {fate.line.order_key: fate.line for fate in known.fates.values()}
    digits = {place.currency: place.decimals for place in reader.places.values()}
    rows = reader.world.settlement_lines.join(
        closed.select("settlement_id", "account"), on="settlement_id"
    )
    for row in rows.iter_rows(named=True):
        account, currency = row["account"], row["currency"]
        has_order = row["order_id"] is not None
        order_key = key("amazon", account, row["order_id"]) if has_order else NONE
        line_key = key("amazon", account, row["order_id"], row["sku"] or "") if has_order else NONE
        if has_order and order_key not in orders:
            order_key = UNKNOWN
        if has_order and line_key not in known.fates:
            line_key = UNKNOWN
        order = orders.get(order_key)
        named = row["marketplace"] if row["marketplace_name"] else None
        marketplace = named or (order.place.name if order else UNKNOWN)
        place = reader.places.get((account, marketplace))
        posted = place.day(row["posted_at"]) if place else row["posted_at"].date()
        amount = Decimal(row["amount_minor"]).scaleb(-digits[currency])
        words = (row["transaction_type"], row["amount_type"], row["amount_description"])
        yield {
            "account": account,
            "settlement_id": row["settlement_id"],
            "row_no": row["line_seq"],
            "connector": "amazon",
            "marketplace": marketplace,
            "posted_at": row["posted_at"],
            "posted_date": posted,
            "transaction_type": words[0],
            "amount_type": words[1],
            "amount_description": words[2],
            "line_class": line_class(*words),
            "amount": amount,
            "currency": currency,
            "amount_reporting": rates.convert(amount, currency, posted),
            "reporting_currency": rates.reporting,
            "order_key": order_key,
            "order_line_key": line_key,
            "sku": sku_of.get((account, row["sku"]), row["sku"]) if row["sku"] else NONE,
        }


def exchanges(known: Known) -> Iterator[Row]:
    for fate in known.fates.values():
        for link in fate.links:
            yield _exchange(known, fate, link)


def _exchange(known: Known, fate: Fate, link: Link) -> Row:
    old, new, rates = link.original, link.new, known.rates
    row = fate.return_of(link)
    ordered = new.place.day(new.ordered_at)
    requested = (row.requested_at if row else None) or new.ordered_at
    difference = _price_difference(link)
    days = (new.shipped_at - requested).total_seconds() / 86400 if new.shipped_at else None
    return {
        "exchange_key": new.key,
        "order_line_key": old.key,
        "order_key": old.order_key,
        "return_line_key": row.key if row else NONE,
        "account": old.account,
        "marketplace": old.place.name,
        "country": old.country,
        "sku": old.sku,
        "exchange_kind": link.kind,
        "new_order_line_key": new.key,
        "new_sku": new.sku,
        "quantity": link.quantity,
        "variant_change": _variant_change(known, old.sku, new.sku),
        "exchange_status": _exchange_status(link),
        "requested_at": requested,
        "approved_at": new.ordered_at,
        "return_received_at": row.received_at if row else None,
        "replacement_shipped_at": new.shipped_at,
        "replacement_delivered_at": new.delivered_at,
        "cycle_days": days,
        "is_stuck": False,
        "price_difference_amount": difference,
        "currency": old.place.currency,
        "price_difference_reporting": rates.convert(difference, old.place.currency, ordered),
        "cost_reporting": None,
        "reporting_currency": rates.reporting,
        "reason_l2": row.reason_final if row else "unknown.no_reason",
    }


def _exchange_status(link: Link) -> str:
    if link.new.delivered_at:
        return "delivered"
    if link.new.shipped_at:
        return "shipped"
    return "cancelled" if link.new.cancelled == link.new.ordered else "approved"


def _price_difference(link: Link) -> Decimal | None:
    """What the buyer pays more: the new line's price after the credit for what was sent back."""
    return None if link.kind == "replacement" else link.new.net


def _variant_change(known: Known, old: str, new: str) -> str:
    if old == new:
        return "same"
    before, after = known.product(old), known.product(new)
    if before.product_id != after.product_id:
        return "other_product"
    if before.size_order is None or after.size_order is None:
        return "other_variant"
    if before.size_order == after.size_order:
        return "other_variant"
    return "larger" if after.size_order > before.size_order else "smaller"


def inventory_moves(known: Known) -> Iterator[Row]:
    yield from _receipts(known)
    yield from _sales(known)
    yield from _put_back(known)
    yield from _unsold(known)


def _move(
    kind: str, direction: str, units: int, at: datetime, grade: str, *, origin: str,
    seq: int = 1, **others: Any,
) -> Row:  # fmt: skip
    return {
        "move_key": stable_hash(kind, grade, origin),
        "move_kind": kind,
        "direction": direction,
        "quantity": units,
        "grade": grade,
        "moved_at": at,
        "source_seq": seq,
        **others,
    }


def _receipts(known: Known) -> Iterator[Row]:
    accounts = {
        row["fulfilment_centre_id"]: row["account"]
        for row in known.reader.world.warehouses.iter_rows(named=True)
    }
    places = list(known.reader.places)
    only = {a: m for a, m in places if [b for b, _ in places].count(a) == 1}
    for receipt in known.stock.receipts:
        parts = (("sellable", receipt.quantity), ("unsellable", receipt.damaged))
        for grade, units in parts:
            if not units:
                continue
            yield _move(
                "receipt", "in", units, receipt.at, grade,
                origin=f"{receipt.source}",
                seq=receipt.source[1],
                account=accounts.get(receipt.centre) or UNKNOWN,
                marketplace=only.get(accounts.get(receipt.centre) or "", UNKNOWN),
                sku=receipt.sku,
                lot_key=lot_key(receipt.sku, receipt.lot_id),
                lot_id=receipt.lot_id,
                stock_pool=receipt.pool,
                fulfilment_centre_id=receipt.centre,
                order_line_key=NONE,
                move_source="goods_receipts",
            )  # fmt: skip


def _sales(known: Known) -> Iterator[Row]:
    for fate in known.fates.values():
        line, parts = fate.line, known.stock.parts.get(fate.line.key)
        if parts is None or line.shipped_at is None:
            continue
        for lot_id, units in Counter(parts.main).items():
            yield _move(
                "sale", "out", units, line.shipped_at, "sellable",
                origin=f"{line.key}|{lot_id}",
                account=line.account,
                marketplace=line.place.name,
                sku=line.sku,
                lot_key=lot_key(line.sku, lot_id),
                lot_id=lot_id,
                stock_pool=line.pool,
                fulfilment_centre_id=line.centre,
                order_line_key=line.key,
                move_source="order",
            )  # fmt: skip


def _put_back(known: Known) -> Iterator[Row]:
    """Units that came back. Which lot a single unit is of is not told; fct_return_lot spreads."""
    for row in known.returns:
        line = row.line
        if line is None or row.received_at is None or row.has_no_goods:
            continue
        yield _move(
            "return_to_stock", "in", row.quantity, row.received_at,
            "sellable" if row.disposition == "sellable" else "unsellable",
            origin=row.key,
            account=line.account,
            marketplace=line.place.name,
            sku=line.sku,
            lot_key=lot_key(line.sku, UNATTRIBUTED),
            lot_id=UNATTRIBUTED,
            stock_pool=line.pool,
            fulfilment_centre_id=UNKNOWN,
            order_line_key=line.key,
            move_source="return",
        )  # fmt: skip


def _unsold(known: Known) -> Iterator[Row]:
    """Goods lost, found, broken or taken home; of sellable ones that left, a row per lot."""
    for stray in known.stock.strays:
        parts = known.stock.parts.get(stray.key)
        lots = Counter(parts.main) if parts else Counter({UNATTRIBUTED: abs(stray.quantity)})
        for lot_id, units in lots.items():
            yield _move(
                stray.kind, "in" if stray.quantity > 0 else "out", units, stray.at,
                "sellable" if stray.is_sellable else "unsellable",
                origin=f"{stray.key}|{lot_id}",
                account=stray.account,
                marketplace=UNKNOWN,
                sku=stray.sku,
                lot_key=lot_key(stray.sku, lot_id),
                lot_id=lot_id,
                stock_pool=stray.pool,
                fulfilment_centre_id=stray.centre,
                order_line_key=NONE,
                move_source="inventory_ledger",
            )  # fmt: skip
