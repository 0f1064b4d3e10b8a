"""Returns, cancellations, inquiries and cases as Post-Order v2 shows them.

Belongs here: one record of each in its two forms, and searching them by the day of creation.
Dates of creation are the only filter; unknown parameters are ignored without a word, as there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from sources._sandbox.world import geography

from .answers import ApiError, dated, number, time_of, told, whole_number
from .orders import cancel_reason
from .snapshot import Row, Snapshot, cancel_id

Object = dict[str, Any]
MOST, USUAL = 200, 25
_DOMAIN = "returnErrorDomain"


class PostOrder:
    """The after-sales records of one account at a moment."""

    def __init__(self, known: Snapshot) -> None:
        self.known = known

    # searches

    def returns(self, query: dict[str, str]) -> Object:
        start, end = self._window(query, "creation_date_range", needs_both=False)
        rows = [
            r
            for r in self.known.returns.values()
            if start <= r["requested_at"] <= end
            and query.get("order_id", r["order_id"]) == r["order_id"]
            and query.get("return_id", r["return_id"]) == r["return_id"]
        ]
        rows.sort(key=lambda r: (r["requested_at"], r["return_id"]), reverse=True)
        page, paging = _paged(rows, query, by_page=True)
        members = [self.return_summary(row) for row in page]
        return {"members": members, "total": len(rows), "paginationOutput": paging}

    def cancellations(self, query: dict[str, str]) -> Object:
        start, end = self._window(query, "creation_date_range", needs_both=True)
        rows = [o for o in self.known.cancelled if start <= _asked_at(o) <= end]
        page, paging = _paged(rows, query, by_page=False)
        found = [self.cancellation_summary(row) for row in page]
        return {"cancellations": found, "total": len(rows), "paginationOutput": paging}

    def inquiries(self, query: dict[str, str]) -> Object:
        start, end = self._window(query, "inquiry_creation_date_range", needs_both=False)
        rows = [r for r in self.known.inquiries.values() if start <= r["opened_at"] <= end]
        page, paging = _paged(rows, query, by_page=False)
        members = [self.inquiry_summary(row) for row in page]
        return {
            "members": members, "totalNumberOfInquiries": len(rows), "paginationOutput": paging,
        }  # fmt: skip

    def cases(self, query: dict[str, str]) -> Object:
        start, end = self._window(query, "case_creation_date_range", needs_both=False)
        rows = [r for r in self._escalated() if start <= r["escalated_at"] <= end]
        page, paging = _paged(rows, query, by_page=False)
        members = [self.case_summary(row) for row in page]
        return {"members": members, "totalNumberOfCases": len(rows), "paginationOutput": paging}

    def _escalated(self) -> list[Row]:
        rows = [r for r in self.known.inquiries.values() if self.known.reached(r["escalated_at"])]
        return sorted(rows, key=lambda r: (r["escalated_at"], r["case_id"]))

    def _window(
        self, query: dict[str, str], name: str, *, needs_both: bool
    ) -> tuple[datetime, datetime]:
        """At most 90 days long and 18 months back; `from` alone means 90 days forward."""
        now, long = self.known.moment, timedelta(days=90)
        first, last = query.get(f"{name}_from"), query.get(f"{name}_to")
        if needs_both and not (first and last):
            raise ApiError(400, 10003, "Both ends of the date range must be given.", _DOMAIN)
        start = time_of(first, f"{name}_from", 1616, _DOMAIN) if first else None
        end = time_of(last, f"{name}_to", 1616, _DOMAIN) if last else None
        if start is None:
            start = (end or now) - long
        end = end or start + long
        if end - start > long + timedelta(minutes=1):
            raise ApiError(400, 1617, "The date range is longer than 90 days.", _DOMAIN)
        if start < now - timedelta(days=549):
            raise ApiError(400, 1618, "The date range lies more than 18 months back.", _DOMAIN)
        return start, end

    # returns

    def _amount(self, row: Row, minor: int) -> Object:
        market = self.known.market_of(row["order_id"])
        return number(minor, market["currency"], market["decimals"])

    def return_state(self, row: Row) -> tuple[str, str]:
        """State and status."""
        reached = self.known.reached
        if reached(row["closed_at"]):
            return "CLOSED", "CLOSED"
        if reached(row["refunded_at"]):
            if row["is_kept"]:
                return "ITEM_KEPT", "ITEM_DELIVERED"
            if not row["units_refunded"]:
                return "LESS_THAN_A_FULL_REFUND_ISSUED", "LESS_THAN_A_FULL_REFUND_ISSUED"
            return "REFUND_SENT_PENDING_CONFIRMATION", "ITEM_DELIVERED"
        if reached(row["received_at"]):
            return "ITEM_DELIVERED", "ITEM_DELIVERED"
        if reached(row["sent_at"]):
            return "ITEM_SHIPPED", "ITEM_SHIPPED"
        if reached(row["approved_at"]) and not row["is_kept"]:
            return "ITEM_READY_TO_SHIP", "READY_FOR_SHIPPING"
        return "RETURN_REQUESTED", "RETURN_REQUESTED"

    def return_summary(self, row: Row) -> Object:
        line, (state, status) = self.known.line_of(row), self.return_state(row)
        user = self.known.user_of(row["order_id"])
        wanted = line["unit_price_minor"] - line["unit_discount_minor"]
        is_paid = self.known.reached(row["refunded_at"])
        refund = told(
            estimatedRefundAmount=self._amount(row, wanted * row["quantity"]),
            actualRefundAmount=self._amount(row, row["refund_minor"]) if is_paid else None,
        )
        due = None
        if state in ("RETURN_REQUESTED", "ITEM_DELIVERED"):
            until = row["requested_at"] + timedelta(days=3)
            due = {"activityDue": "SELLER_RESPOND", "respondByDate": dated(until)}
        return told(
            returnId=row["return_id"],
            orderId=row["order_id"],
            buyerLoginName=user,
            sellerLoginName=f"seller_{self.known.account}",
            currentType="MONEY_BACK",
            state=state,
            status=status,
            creationInfo={
                "item": {
                    "itemId": line["item_id"],
                    "transactionId": line["order_item_id"],
                    "returnQuantity": row["quantity"],
                },
                "type": "MONEY_BACK",
                "reason": row["reason_code"],
                "reasonType": row["reason_type"],
                "comments": told(content=row["comment"]),
                "creationDate": dated(row["requested_at"]),
            },
            sellerTotalRefund=refund,
            buyerTotalRefund=refund,
            sellerResponseDue=due,
            timeoutDate=dated(row["requested_at"] + timedelta(days=35)),
        )

    def return_detail(self, row: Row) -> Object:
        line = self.known.line_of(row)
        unit = line["unit_price_minor"] - line["unit_discount_minor"]
        is_paid = self.known.reached(row["refunded_at"])
        return told(
            itemDetail={
                "itemId": line["item_id"],
                "transactionId": line["order_item_id"],
                "itemTitle": line["sku_name"],
                "itemPrice": self._amount(row, unit),
                "returnQuantity": row["quantity"],
                "transactionDate": dated(self.known.orders[row["order_id"]]["ordered_at"]),
            },
            marketplaceId=self.known.market_of(row["order_id"])["marketplace_id"],
            refundInfo=told(
                estimatedRefundDetail=self._itemized(row, unit * row["quantity"], unit * 0),
                actualRefundDetail=self._actual(row, unit) if is_paid else None,
            ),
            returnShipmentInfo=self._shipment(row),
            responseHistory=self._history(row),
            closeInfo=self._close_info(row),
            files=[],
        )

    def _actual(self, row: Row, unit: int) -> Object:
        goods = min(row["refund_minor"], unit * row["quantity"])
        detail = self._itemized(row, goods, row["refund_minor"] - goods)
        return {
            "actualRefund": detail | {"totalAmount": self._amount(row, row["refund_minor"])},
            "refundIssuedDate": dated(row["refunded_at"]),
            "refundStatus": "SUCCESS",
        }

    def _itemized(self, row: Row, goods: int, shipping: int) -> Object:
        parts = (("PURCHASE_PRICE", goods), ("ORIGINAL_SHIPPING", shipping))
        return {
            "itemizedRefundDetails": [
                {"refundFeeType": kind, "refundAmount": self._amount(row, minor)}
                for kind, minor in parts
                if minor or kind == "PURCHASE_PRICE"
            ]
        }

    def _shipment(self, row: Row) -> Object | None:
        if not self.known.reached(row["sent_at"]):
            return None
        is_in = self.known.reached(row["received_at"])
        label = None
        if row["label_usd_cents"] is not None:
            market = self.known.market_of(row["order_id"])
            rate = geography.units_per_usd(market["currency"]) * 10 ** market["decimals"]
            label = {"totalAmount": self._amount(row, round(row["label_usd_cents"] / 100 * rate))}
        return told(
            shipmentTracking=told(
                trackingNumber=row["tracking_number"],
                carrierEnum="USPS",
                carrierName="USPS",
                deliveryStatus="DELIVERED" if is_in else "IN_TRANSIT",
                actualDeliveryDate=dated(row["received_at"]) if is_in else None,
            ),
            shippingLabelCost=label,
        )

    def _history(self, row: Row) -> list[Object]:
        """What happened so far; not in the order of time."""
        steps = (
            ("SUBMITTED", "BUYER", "requested_at", "INITIAL", "RETURN_REQUESTED"),
            ("APPROVED", "SELLER", "approved_at", "RETURN_REQUESTED", "ITEM_READY_TO_SHIP"),
            ("NOTIFIED_SHIPPED", "SYSTEM", "sent_at", "ITEM_READY_TO_SHIP", "ITEM_SHIPPED"),
            ("NOTIFIED_DELIVERED", "SYSTEM", "received_at", "ITEM_SHIPPED", "ITEM_DELIVERED"),
            ("ISSUED_REFUND", "SELLER", "refunded_at", "ITEM_DELIVERED", "REFUND_INITIATED"),
            ("CLOSED", "SYSTEM", "closed_at", "ITEM_DELIVERED", "CLOSED"),
        )
        found = [
            {
                "activity": activity,
                "author": author,
                "creationDate": dated(row[column]),
                "fromState": before,
                "toState": after,
            }
            for activity, author, column, before, after in steps
            if self.known.reached(row[column]) and not (row["is_kept"] and column == "approved_at")
        ]
        return found[::-1]

    def _close_info(self, row: Row) -> Object | None:
        """Present on some open returns as well."""
        if self.known.reached(row["closed_at"]):
            reason = "BUYER_CANCEL" if row["is_withdrawn"] else "REFUND_ISSUED"
            return {"returnCloseReason": reason, "closeDate": dated(row["closed_at"])}
        if int(row["return_id"]) % 10 == 3:
            return {"returnCloseReason": "UNKNOWN"}
        return None

    # cancellations

    def cancellation_summary(self, order: Row) -> Object:
        lines = self.known.lines[order["order_id"]]
        by_buyer = order["cancelled_by"] == "BUYER"
        refunds = [
            r
            for r in self.known.refunds[order["order_id"]]
            if r["reference_kind"] == "cancel" and self.known.reached(r["refunded_at"])
        ]
        market = self.known.market_of(order["order_id"])
        status = "CANCEL_CLOSED_WITH_REFUND" if refunds else "CANCEL_PENDING"
        return told(
            cancelId=cancel_id(order["order_id"]),
            marketplaceId=market["marketplace_id"],
            legacyOrderId=order["order_id"],
            cancelState="CLOSED" if refunds else "REFUND_PENDING",
            cancelStatus=status,
            cancelReason=cancel_reason(order),
            requestorType="BUYER" if by_buyer else "SELLER",
            buyerLoginName=self.known.user_of(order["order_id"]),
            sellerLoginName=f"seller_{self.known.account}",
            cancelRequestDate=dated(_asked_at(order)),
            cancelCloseDate=dated(order["cancelled_at"]) if refunds else None,
            requestRefundAmount=number(0, market["currency"], market["decimals"]),
            paymentStatus="PAID",
            lineItems=[
                {"itemId": line["item_id"], "transactionId": line["order_item_id"]}
                for line in lines
            ],
        )

    def cancellation_detail(self, order: Row) -> Object:
        refunds = self.known.refunds[order["order_id"]]
        moves = [
            {
                "refundId": refund["refund_id"],
                "amount": self._amount(order, refund["amount_minor"]),
                "type": "REFUND",
                "status": "SUCCESS",
                "date": dated(refund["refunded_at"]),
            }
            for refund in refunds
            if refund["reference_kind"] == "cancel" and self.known.reached(refund["refunded_at"])
        ]
        history = [
            {"activityType": "CANCEL_REQUESTED", "actionDate": dated(_asked_at(order))},
            {"activityType": "CANCEL_APPROVED", "actionDate": dated(order["cancelled_at"])},
        ]
        summary = self.cancellation_summary(order)
        return summary | {"activityHistories": history, "moneyMovements": moves}

    # inquiries and cases

    def inquiry_status(self, row: Row) -> str:
        if self.known.reached(row["closed_at"]):
            return "CLOSED_WITH_ESCALATION" if row["case_id"] else "CLOSED"
        return "PENDING" if self.known.reached(row["escalated_at"]) else "WAITING_SELLER_RESPONSE"

    def inquiry_summary(self, row: Row) -> Object:
        line, status = self.known.line_of(row), self.inquiry_status(row)
        return told(
            inquiryId=int(row["inquiry_id"]),
            inquiryStatus=status,
            inquiryStatusEnum=status,
            itemId=int(line["item_id"]),
            transactionId=int(line["order_item_id"]),
            orderId=row["order_id"],
            buyer=self.known.user_of(row["order_id"]),
            seller=f"seller_{self.known.account}",
            claimAmount=self._amount(row, row["claim_minor"]),
            creationDate=dated(row["opened_at"]),
            lastModifiedDate=dated(self._last(row, "opened_at", "refunded_at", "closed_at")),
            respondByDate=dated(row["opened_at"] + timedelta(days=3)),
        )

    def inquiry_detail(self, row: Row) -> Object:
        line, status = self.known.line_of(row), self.inquiry_status(row)
        refunded = self.known.reached(row["refunded_at"])
        return told(
            inquiryId=row["inquiry_id"],
            state="CLOSED" if self.known.reached(row["closed_at"]) else "OPEN",
            status=status,
            inquiryType="ITEM_NOT_RECEIVED",
            itemId=line["item_id"],
            transactionId=line["order_item_id"],
            orderId=row["order_id"],
            buyer=self.known.user_of(row["order_id"]),
            seller=f"seller_{self.known.account}",
            inquiryQuantity=row["quantity"],
            claimAmount=self._amount(row, row["claim_minor"]),
            shippingCost=self._amount(row, 0),
            inquiryDetails=told(
                creationDate=dated(row["opened_at"]),
                escalationDate=dated(row["escalated_at"])
                if self.known.reached(row["escalated_at"])
                else None,
                refundIssuedDate=dated(row["refunded_at"]) if refunded else None,
            ),
            inquiryHistoryDetails={"history": self._inquiry_history(row)},
            caseId=row["case_id"] if self.known.reached(row["escalated_at"]) else None,
        )

    def _inquiry_history(self, row: Row) -> list[Object]:
        steps = (
            ("BUYER_OPENED", "BUYER", row["opened_at"]),
            ("REFUNDED", "SELLER", row["refunded_at"]),
            ("ESCALATED", "BUYER", row["escalated_at"]),
            ("CLOSED", "CSR" if row["case_id"] else "SYSTEM", row["closed_at"]),
        )
        reached = sorted(
            (step for step in steps if self.known.reached(step[2])), key=lambda step: step[2]
        )
        return [{"action": a, "actor": by, "date": dated(at)} for a, by, at in reached]

    def case_status(self, row: Row) -> str:
        return "CS_CLOSED" if self.known.reached(row["closed_at"]) else "WAITING_CS"

    def case_summary(self, row: Row) -> Object:
        line = self.known.line_of(row)
        return told(
            caseId=int(row["case_id"]),
            caseType="ITEM_NOT_RECEIVED",
            caseStatus=self.case_status(row),
            caseStatusEnum=self.case_status(row),
            itemId=line["item_id"],
            transactionId=line["order_item_id"],
            orderId=row["order_id"],
            buyer=self.known.user_of(row["order_id"]),
            seller=f"seller_{self.known.account}",
            claimAmount=self._amount(row, row["claim_minor"]),
            creationDate=dated(row["escalated_at"]),
            lastModifiedDate=dated(self._last(row, "escalated_at", "closed_at")),
        )

    def case_detail(self, row: Row) -> Object:
        summary = self.case_summary(row)
        return summary | {
            "caseId": row["case_id"],
            "status": self.case_status(row),
            "inquiryId": row["inquiry_id"],
            "caseQuantity": row["quantity"],
        }

    def _last(self, row: Row, *names: str) -> datetime | None:
        return max((row[name] for name in names if self.known.reached(row[name])), default=None)

    # one by one

    def one(self, kind: str, identifier: str, groups: str) -> Object:
        known = self.known
        if kind == "return" and identifier in known.returns:
            row = known.returns[identifier]
            if groups == "FULL":
                return {"detail": self.return_detail(row)}
            return {"summary": self.return_summary(row)}
        rows: dict[str, tuple[Row, Callable[[Row], Object]]] = {}
        if kind == "cancellation":
            show = self.cancellation_detail
            rows = {cancel_id(o["order_id"]): (o, show) for o in known.cancelled}
        elif kind == "inquiry":
            rows = {n: (row, self.inquiry_detail) for n, row in known.inquiries.items()}
        elif kind == "casemanagement":
            rows = {r["case_id"]: (r, self.case_detail) for r in self._escalated()}
        if identifier not in rows:
            raise ApiError(404, 1004, f"No {kind} {identifier} of this seller.", _DOMAIN)
        row, detail = rows[identifier]
        content = detail(row)
        return {"cancelDetail": content} if kind == "cancellation" else content


def _asked_at(order: Row) -> datetime:
    at: datetime = order["cancelled_at"] - timedelta(minutes=9)
    return at


def _paged(
    rows: Iterable[Row], query: dict[str, str], *, by_page: bool
) -> tuple[list[Row], Object]:
    """Two readings of `offset` live side by side: the number of a page, or rows to leave out."""
    every = list(rows)
    limit = whole_number(
        [query["limit"]] if "limit" in query else [], USUAL, "limit", 1616, _DOMAIN
    )
    if not 1 <= limit <= MOST:
        raise ApiError(400, 1616, f"limit must lie between 1 and {MOST}.", _DOMAIN)
    given = [query["offset"]] if query.get("offset") else []
    offset = whole_number(given, 1 if by_page else 0, "offset", 1616, _DOMAIN)
    start = max(offset - 1, 0) * limit if by_page else offset
    paging = {
        "offset": offset,
        "limit": limit,
        "totalPages": -(-len(every) // limit),
        "totalEntries": len(every),
    }
    return every[start : start + limit], paging
