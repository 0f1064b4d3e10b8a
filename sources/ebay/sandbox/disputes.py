"""Payment disputes as the Fulfillment API shows them: a list without detail, and one by one."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from .answers import amount_text, bad, missing, moment, time_of, told, whole_number
from .snapshot import Row, Snapshot

Object = dict[str, Any]
MOST = 200
_DOMAIN = "API_FULFILLMENT"


class Disputes:
    """The payment disputes of one account at a moment."""

    def __init__(self, known: Snapshot) -> None:
        self.known = known

    def search(self, query: tuple[tuple[str, str], ...]) -> tuple[list[Object], int, int, int]:
        """A page of summaries with total, limit and offset; 90 days, at most 18 months back."""
        values: dict[str, list[str]] = defaultdict(list)
        for name, value in query:
            values[name].append(value)
        limit = whole_number(values["limit"], MOST, "limit", 33_010, _DOMAIN)
        offset = whole_number(values["offset"], 0, "offset", 33_011, _DOMAIN)
        if not 1 <= limit <= MOST:
            raise bad(33_010, f"limit must lie between 1 and {MOST}.")
        start, end = self._window(values)
        rows = [
            row
            for row in self.known.disputes.values()
            if start <= row["opened_at"] <= end
            and (not values["order_id"] or row["order_id"] in values["order_id"])
            and (
                not values["payment_dispute_status"]
                or self._status(row) in values["payment_dispute_status"]
            )
        ]
        page = [self._summary(row) for row in rows[offset : offset + limit]]
        return page, len(rows), limit, offset

    def _window(self, values: dict[str, list[str]]) -> tuple[datetime, datetime]:
        now, long = self.known.moment, timedelta(days=90)
        ends = [
            time_of(values[name][0], name) if values[name] else None
            for name in ("open_date_from", "open_date_to")
        ]
        start = ends[0] or (ends[1] or now) - long
        end = ends[1] or min(start + long, now)
        if end - start > long + timedelta(minutes=1):
            raise bad(33_013, "The date range is longer than 90 days.")
        if start < now - timedelta(days=549):
            raise bad(33_014, "open_date_from lies more than 18 months back.")
        return start, end

    def _status(self, row: Row) -> str:
        if self.known.reached(row["closed_at"]):
            return "CLOSED"
        return "OPEN" if self.known.reached(row["responded_at"]) else "ACTION_NEEDED"

    def _amount(self, row: Row, minor: int) -> Object:
        digits = self.known.market_of(row["order_id"])["decimals"]
        return {"value": amount_text(minor, digits), "currency": row["currency"]}

    def _summary(self, row: Row) -> Object:
        is_over = self.known.reached(row["closed_at"])
        return told(
            paymentDisputeId=row["dispute_id"],
            paymentDisputeStatus=self._status(row),
            orderId=row["order_id"],
            buyerUsername=self.known.user_of(row["order_id"]),
            reason=row["reason"],
            amount=self._amount(row, row["amount_minor"]),
            openDate=moment(row["opened_at"]),
            closedDate=moment(row["closed_at"]) if is_over else None,
            respondByDate=moment(row["opened_at"] + timedelta(days=5)),
        )

    def one(self, number: str) -> Object:
        if number not in self.known.disputes:
            raise missing(f"Payment dispute {number}", _DOMAIN)
        row = self.known.disputes[number]
        lines = self.known.lines[row["order_id"]]
        answered = self.known.reached(row["responded_at"])
        word = "ACCEPTED" if row["outcome"] == "ACCEPTED" else "CONTESTED"
        return self._summary(row) | told(
            lineItems=[
                {"itemId": line["item_id"], "lineItemId": line["order_item_id"]} for line in lines
            ],
            sellerResponse=word if answered else None,
            revision=1 + answered,
            monetaryTransactions=self._moves(row),
            resolution=self._resolution(row),
            evidence=[],
            evidenceRequests=[],
            availableChoices=[] if answered else ["CONTEST", "ACCEPT"],
        )

    def _moves(self, row: Row) -> list[Object]:
        moves = [("CHARGE", "DISPUTE_HOLD", row["opened_at"])]
        if row["outcome"] == "WON" and self.known.reached(row["closed_at"]):
            moves.append(("CREDIT", "DISPUTE_HOLD_REVERSED", row["closed_at"]))
        return [
            {
                "type": kind,
                "reason": reason,
                "date": moment(at),
                "amount": self._amount(row, row["amount_minor"]),
            }
            for kind, reason, at in moves
        ]

    def _resolution(self, row: Row) -> Object | None:
        if not self.known.reached(row["closed_at"]):
            return None
        is_won = row["outcome"] == "WON"
        lost = 0 if is_won else row["amount_minor"]
        return {
            "fees": self._amount(row, 0 if is_won else 2000),
            "protectedAmount": self._amount(row, row["amount_minor"] - lost),
            "protectionStatus": "FULLY_PROTECTED" if is_won else "NOT_PROTECTED",
            "reasonForClosure": "SELLER_WON" if is_won else "SELLER_LOST",
            "recoupAmount": self._amount(row, lost),
            "totalFeeCredit": self._amount(row, 0),
        }
