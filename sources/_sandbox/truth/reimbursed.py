"""What Amazon's reports say it paid for goods, and took for clearing them out, in the shape of
lines of a settlement.

Belongs here: which of both sources tells a reimbursement, fees of removals. Does not belong here:
what it means (`costs.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal

import polars as pl

from sources._sandbox.truth.facts import Known
from sources._sandbox.truth.other_facts import SettlementRow
from sources._sandbox.truth.reader import NONE, UNKNOWN, key


def told_once(known: Known, settled: Iterable[SettlementRow]) -> list[SettlementRow]:
    """Lines of settlements, reimbursements from the report from the first one that it has."""
    reported = list(_reported(known))
    since: dict[str, datetime] = {}
    for row in reported:
        since[row["account"]] = min(row["posted_at"], since.get(row["account"], row["posted_at"]))
    kept = [row for row in settled if not _is_told_twice(row, since)]
    return kept + [row for row in [*reported, *_cleared(known)] if row["amount"]]


def _is_told_twice(row: SettlementRow, since: dict[str, datetime]) -> bool:
    first = since.get(row["account"])
    return row["line_class"] == "reimbursement" and first is not None and row["posted_at"] >= first


def _reported(known: Known) -> Iterator[SettlementRow]:
    reader, rates = known.reader, known.rates
    digits = {place.currency: place.decimals for place in reader.places.values()}
    rows = reader.world.reimbursements.filter(pl.col("approved_at") < reader.clock)
    for row in rows.iter_rows(named=True):
        parts = ("amazon", row["account"], row["order_id"], row["listing_sku"])
        fate = known.fates.get(key(*parts)) if row["order_id"] else None
        at = row["approved_at"]
        day = fate.line.place.day(at) if fate else at.date()
        amount = Decimal(row["amount_minor"]).scaleb(-digits[row["currency"]])
        yield {
            "connector": "amazon",
            "account": row["account"],
            "order_key": fate.line.order_key if fate else UNKNOWN,
            "settlement_id": row["reimbursement_id"],
            "row_no": row["listing_sku"],
            "marketplace": fate.line.place.name if fate else UNKNOWN,
            "posted_at": at,
            "posted_date": day,
            "transaction_type": "reimbursement",
            "amount_type": "report",
            "amount_description": row["reason"],
            "line_class": "reimbursement",
            "amount": amount,
            "currency": row["currency"],
            "amount_reporting": rates.convert(amount, row["currency"], day),
            "order_line_key": fate.line.key if fate else UNKNOWN,
            "sku": row["sku"] or NONE,
        }


def _cleared(known: Known) -> Iterator[SettlementRow]:
    """Fees for goods that nobody can buy any more, one per removal order, SKU and state."""
    reader, rates = known.reader, known.rates
    digits = {place.currency: place.decimals for place in reader.places.values()}
    rows = (
        reader.world.removals.filter(
            pl.col("requested_at") < reader.clock, pl.col("disposition") != "SELLABLE"
        )
        .group_by(
            "account", "removal_id", "sku", "disposition", "requested_at", "currency",
            maintain_order=True,
        )
        .agg(pl.col("fee_minor").sum())
    )  # fmt: skip
    for row in rows.iter_rows(named=True):
        day = row["requested_at"].date()
        amount = -Decimal(row["fee_minor"]).scaleb(-digits[row["currency"]])
        yield {
            "connector": "amazon",
            "account": row["account"],
            "order_key": UNKNOWN,
            "settlement_id": row["removal_id"],
            "row_no": f"{row['sku']}|{row['disposition']}",
            "marketplace": UNKNOWN,
            "posted_at": row["requested_at"],
            "posted_date": day,
            "transaction_type": "removal",
            "amount_type": "report",
            "amount_description": "removal",
            "line_class": "removal",
            "amount": amount,
            "currency": row["currency"],
            "amount_reporting": rates.convert(amount, row["currency"], day),
            "order_line_key": UNKNOWN,
            "sku": row["sku"],
        }
