"""Transactions and payouts as the Finances API shows them.

Belongs here: one of each, and searching them. An amount is never below zero: its direction is the
`bookingEntry`; what a fee took or gave back is already in it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from .answers import bad, filters_of, moment, money, range_of, told, whole_number
from .snapshot import Row, Snapshot

Object = dict[str, Any]
Query = tuple[tuple[str, str], ...]
_DOMAIN = "API_FINANCES"
MOST, USUAL = 1000, 20
_HELD = timedelta(days=2)
_AMOUNT = "amount"


class Finances:
    """What an account was booked and paid at a moment."""

    def __init__(self, known: Snapshot) -> None:
        self.known = known

    def transactions(self, query: Query) -> tuple[list[Object], int, int, int]:
        """A page of transactions with total, limit and offset."""
        filters, limit, offset, oldest_first = _asked(query, "transactionDate")
        start, end = self._dates(filters, "transactionDate")
        rows = [
            parts
            for parts in self.known.booked
            if start <= parts[0]["booked_at"] <= end
            and _listed(filters.get("transactionType"), parts[0]["kind"])
            and _listed(filters.get("transactionStatus"), self._status(parts[0]))
            and filters.get("orderId", _order(parts[0])) == _order(parts[0])
            and filters.get("payoutId", self._payout(parts[0])) == self._payout(parts[0])
        ]
        rows = rows if oldest_first else rows[::-1]
        page = [self._transaction(parts) for parts in rows[offset : offset + limit]]
        return page, len(rows), limit, offset

    def _dates(self, filters: dict[str, str], name: str) -> tuple[datetime, datetime]:
        now, long = self.known.moment, timedelta(days=90)
        first, last = range_of(filters[name], name, _DOMAIN) if name in filters else (None, None)
        start = first or (last or now) - long
        return start, last or start + long

    def _payout(self, row: Row) -> str | None:
        number: str | None = row["payout_id"]
        return number if self.known.reached(row["paid_out_at"]) else None

    def _status(self, row: Row) -> str:
        if self._payout(row):
            return "PAYOUT"
        is_held = self.known.moment - row["booked_at"] < _HELD and row["kind"] == "SALE"
        return "FUNDS_ON_HOLD" if is_held else "FUNDS_AVAILABLE_FOR_PAYOUT"

    def _money(self, row: Row, minor: int) -> Object:
        digits = next(
            m["decimals"] for m in self.known.markets.values() if m["currency"] == row["currency"]
        )
        return dict(money(minor, row["currency"], digits))

    def _transaction(self, parts: list[Row]) -> Object:
        first = parts[0]
        total = sum(part["amount_minor"] for part in parts)
        gross = sum(p["amount_minor"] for p in parts if p["component"] == _AMOUNT)
        fees = [part for part in parts if part["line_no"] is not None]
        taken = sum(part["amount_minor"] for part in fees)
        is_charge = first["kind"] == "NON_SALE_CHARGE"
        has_order = not is_charge and first["order_id"] in self.known.orders
        references = []
        if first["reference_id"] is not None:
            references = [
                {"referenceId": first["reference_id"], "referenceType": first["reference_kind"]}
            ]
        return told(
            transactionId=first["booking_id"],
            transactionType=first["kind"],
            transactionStatus=self._status(first),
            transactionDate=moment(first["booked_at"]),
            transactionMemo=first["memo"] or None,
            amount=self._money(first, abs(total)),
            bookingEntry="CREDIT" if total > 0 else "DEBIT",
            orderId=first["order_id"] if has_order else None,
            payoutId=self._payout(first),
            feeType=first["component"] if is_charge else None,
            buyer={"username": self.known.user_of(first["order_id"])} if has_order else None,
            references=references or None,
            salesRecordReference="0",
            paymentsEntity="eBay Commerce Inc.",
            totalFeeBasisAmount=self._money(first, abs(gross)) if fees else None,
            totalFeeAmount=self._money(first, abs(taken)) if not is_charge else None,
            orderLineItems=self._lines(fees) or None,
        )

    def _lines(self, fees: Iterable[Row]) -> list[Object]:
        found: dict[str, list[Row]] = defaultdict(list)
        for fee in fees:
            line = self.known.line_of(fee)
            found[line["order_item_id"]].append(fee)
        return [
            {
                "lineItemId": line_id,
                "marketplaceFees": [
                    {
                        "feeType": row["component"],
                        "amount": self._money(row, abs(row["amount_minor"])),
                    }
                    for row in rows
                ],
            }
            for line_id, rows in found.items()
        ]

    def payouts(self, query: Query) -> tuple[list[Object], int, int, int]:
        filters, limit, offset, oldest_first = _asked(query, "payoutDate", most=200)
        start, end = self._dates(filters, "payoutDate")
        rows = [row for row in self.known.paid_out if start <= row["listed_at"] <= end]
        rows = rows if oldest_first else rows[::-1]
        page = [self._payout_shown(row) for row in rows[offset : offset + limit]]
        return page, len(rows), limit, offset

    def _payout_shown(self, row: Row) -> Object:
        return {
            "payoutId": row["payout_id"],
            "payoutStatus": "SUCCEEDED",
            "payoutStatusDescription": "Funds sent",
            "amount": self._money(row, row["amount_minor"]),
            "payoutDate": moment(row["listed_at"]),
            "lastAttemptedPayoutDate": moment(row["listed_at"]),
            "transactionCount": self.known.paid_counts[row["payout_id"]],
            "payoutInstrument": {"instrumentType": "BANK", "nickname": "Bank"},
        }


def _order(row: Row) -> str | None:
    number: str | None = row["order_id"]
    return number


def _listed(words: str | None, word: str) -> bool:
    """Whether a filter such as `{REFUND|SALE}` takes the word."""
    return words is None or word in words.strip("{}").split("|")


def _asked(query: Query, sort: str, most: int = MOST) -> tuple[dict[str, str], int, int, bool]:
    values: dict[str, list[str]] = defaultdict(list)
    for name, value in query:
        values[name].append(value)
    limit = whole_number(values["limit"], USUAL, "limit", 462_002, _DOMAIN)
    offset = whole_number(values["offset"], 0, "offset", 462_003, _DOMAIN)
    if not 1 <= limit <= most:
        raise bad(462_002, f"limit must lie between 1 and {most}.", _DOMAIN)
    return filters_of(values["filter"]), limit, offset, sort in values["sort"]
