"""What follows a sale, as objects of the Admin API: refunds, payments, returns, goods on their way
back, exchanges.

Belongs here: the after-sales side of one order. Does not belong here: the sale (`orders.py`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cached_property

from sources._sandbox.api_faults import share_of

from .answers import gid, moment
from .connections import listed
from .orders import Object, Order
from .snapshot import Row

_WORDS = {
    "damaged-or-defective": "Damaged or defective",
    "item-not-as-described": "Item not as described",
    "too-small": "Too small",
    "too-big": "Too big",
    "changed-my-mind": "Changed my mind",
    "received-the-wrong-item": "Received the wrong item",
    "other-reason": "Other",
    "arrived-late": "Arrived late",
    "doesnt-fit-device": "Doesn't fit device",
    "difficult-to-clean": "Difficult to clean",
}
HANDLES = (
    "absorbency", "arrived-late", "changed-my-mind", "color", "comfort", "damaged-or-defective",
    "difficult-to-clean", "doesnt-fit-device", "item-not-as-described", "other-reason",
    "received-the-wrong-item", "style", "too-big", "too-small", "unknown",
)  # fmt: skip
"""The library of reasons, in the order of their ids."""


def reason_definition(handle: str) -> Object:
    return {
        "__typename": "ReturnReasonDefinition",
        "id": gid("ReturnReasonDefinition", 100 + HANDLES.index(handle)),
        "handle": handle,
        "name": _WORDS.get(handle, handle.capitalize()),
        "deleted": handle == "doesnt-fit-device",
    }


class AfterSales:
    """Refunds, payments and returns of one order."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.now = order.snapshot.moment

    def _reached(self, at: datetime | None) -> bool:
        return at is not None and at <= self.now

    @cached_property
    def _refunds(self) -> list[Row]:
        return [] if self.order.is_test else self.order.snapshot.refunds[self.order.world_id]

    @cached_property
    def _returns(self) -> list[Row]:
        return [] if self.order.is_test else self.order.snapshot.returns[self.order.world_id]

    def refunded_minor(self) -> int:
        return sum(row["total_minor"] for row in self._refunds if self._reached(row["paid_at"]))

    def refunded_shipping(self) -> int:
        names = ("shipping_minor", "shipping_tax_minor")
        return sum(row[name] for row in self._refunds for name in names)

    def discrepancy(self) -> int:
        names = ("adjustment_minor", "adjustment_tax_minor")
        return sum(row[name] for row in self._refunds for name in names)

    def financial_status(self, paid: int, refunded: int) -> str:
        if not self.order.is_paid:
            return "VOIDED" if self.order.is_cancelled else "PENDING"
        if not refunded:
            return "PAID"
        return "REFUNDED" if refunded >= paid else "PARTIALLY_REFUNDED"

    def refunds(self) -> list[Object]:
        return [self.refund(row) for row in self._refunds]

    def refund(self, row: Row) -> Object:
        bag = self.order.money.bag
        is_paid = self._reached(row["paid_at"])
        known = [r for r in self._returns if r["return_no"] == row["return_no"]]
        changed = row["paid_at"] if is_paid else row["refunded_at"]
        return {
            "__typename": "Refund",
            "id": gid("Refund", row["refund_id"]),
            "legacyResourceId": row["refund_id"],
            "createdAt": moment(row["refunded_at"]),
            "processedAt": moment(row["refunded_at"]),
            "updatedAt": moment(changed),
            "note": None,
            "order": lambda _info: self.order.object(),
            "return": (lambda _info: self.goods_back(known[0])) if known else None,
            "totalRefundedSet": bag(row["total_minor"] if is_paid else 0, at_refund=True),
            "duties": [],
            "refundLineItems": listed(self._parts(row), self._refund_line),
            "orderAdjustments": listed(self._adjustments(row)),
            "refundShippingLines": listed(self._shipping(row)),
            "transactions": listed(self._payments_back(row)),
        }

    def _parts(self, row: Row) -> list[Row]:
        return [r for r in self.order.refunded_lines if r["refund_id"] == row["refund_id"]]

    def _refund_line(self, part: Row) -> Object:
        order = self.order
        line = next(row for row in order.lines if row["line_no"] == part["line_no"])
        price, discount, _ = order.line_gross(line)
        tax = part["tax_minor"]
        shown = part["subtotal_minor"] + (tax if order.includes_tax else 0)
        digits = f"{part['refund_id'][:14]}{part['line_no']:03d}"
        has_place = part["is_restocked"] and order.row["fulfilment_centre_id"]
        return {
            "__typename": "RefundLineItem",
            "id": gid("RefundLineItem", digits),
            "quantity": part["quantity"],
            "restockType": part["restock_type"],
            "restocked": part["is_restocked"],
            "location": order.catalogue.location(order.row["fulfilment_centre_id"])
            if has_place
            else None,
            "lineItem": lambda _info: order.line(line),
            "priceSet": order.money.bag(price - discount, at_refund=True),
            "subtotalSet": order.money.bag(shown, at_refund=True),
            "totalTaxSet": order.money.bag(tax, at_refund=True),
        }

    def _adjustments(self, row: Row) -> list[Object]:
        if row["adjustment_reason"] is None:
            return []
        bag = self.order.money.bag
        return [
            {
                "__typename": "OrderAdjustment",
                "id": gid("OrderAdjustment", row["refund_id"]),
                "reason": row["adjustment_reason"],
                "amountSet": bag(row["adjustment_minor"], at_refund=True),
                "taxAmountSet": bag(row["adjustment_tax_minor"], at_refund=True),
            }
        ]

    def _shipping(self, row: Row) -> list[Object]:
        if not row["shipping_minor"]:
            return []
        order, tax = self.order, row["shipping_tax_minor"]
        shown = row["shipping_minor"] + (tax if order.includes_tax else 0)
        return [
            {
                "__typename": "RefundShippingLine",
                "id": gid("RefundShippingLine", row["refund_id"]),
                "shippingLine": order.shipping_line(),
                "subtotalAmountSet": order.money.bag(shown, at_refund=True),
                "taxAmountSet": order.money.bag(tax, at_refund=True),
            }
        ]

    def _payments_back(self, row: Row) -> list[Object]:
        if not row["total_minor"]:
            return []
        digits = row["refund_id"]
        at = row["refunded_at"]
        found = []
        if row["has_failed_once"]:
            found.append(self._payment(f"7{digits}", "REFUND", "FAILURE", at, row["total_minor"]))
        is_paid = self._reached(row["paid_at"])
        status, when = ("SUCCESS", row["paid_at"]) if is_paid else ("PENDING", at)
        found.append(self._payment(f"6{digits}", "REFUND", status, when, row["total_minor"]))
        return found

    def _payment(self, digits: str, kind: str, status: str, at: datetime, minor: int) -> Object:
        order = self.order
        parent = None if kind == "SALE" else self._sale
        return {
            "__typename": "OrderTransaction",
            "id": gid("OrderTransaction", digits),
            "kind": kind,
            "status": status,
            "test": order.is_test,
            "gateway": "shopify_payments",
            "formattedGateway": "Shopify Payments",
            "createdAt": moment(at),
            "processedAt": moment(at),
            "errorCode": "PROCESSING_ERROR" if status == "FAILURE" else None,
            "amountSet": order.money.bag(minor, at_refund=kind == "REFUND"),
            "parentTransaction": parent,
            "settlementCurrency": order.money.currency,
            "settlementCurrencyRate": "1.0",
        }

    @cached_property
    def _sale(self) -> Object | None:
        order = self.order
        if not order.is_paid:
            return None
        total = order.totals()["total"]
        digits = f"5{order.digits[-14:]}"
        return self._payment(digits, "SALE", "SUCCESS", order.row["paid_at"], total)

    def transactions(self) -> list[Object]:
        sale = [self._sale] if self._sale else []
        return sale + [payment for row in self._refunds for payment in self._payments_back(row)]

    def return_status(self) -> str:
        words = {self.status(row) for row in self._returns}
        if not words:
            return "NO_RETURN"
        if "REQUESTED" in words:
            return "RETURN_REQUESTED"
        if "OPEN" in words:
            opened = [r for r in self._returns if self.status(r) == "OPEN"]
            done = all(self._reached(r["disposed_at"]) for r in opened)
            return "INSPECTION_COMPLETE" if done else "IN_PROGRESS"
        return "RETURNED" if "CLOSED" in words else "NO_RETURN"

    def status(self, row: Row) -> str:
        if self._reached(row["ended_at"]):
            return str(row["ended_as"])
        if self._reached(row["closed_at"]):
            return "CLOSED"
        is_open = row["is_opened_by_shop"] or self._reached(row["approved_at"])
        return "OPEN" if is_open else "REQUESTED"

    def returns(self) -> list[Object]:
        return [self.goods_back(row) for row in self._returns]

    def goods_back(self, row: Row) -> Object:
        """A return with all that hangs on it."""
        order = self.order
        status = self.status(row)
        number = 1 + [r["return_no"] for r in self._returns].index(row["return_no"])
        paid = [r for r in self._refunds if r["return_no"] == row["return_no"]]
        approved = row["approved_at"] if self._reached(row["approved_at"]) else None
        reverse = self._way_back(row) if status in ("OPEN", "CLOSED") else []
        return {
            "__typename": "Return",
            "id": gid("Return", row["return_id"]),
            "name": f"{order.row['order_number']}-R{number}",
            "status": status,
            "createdAt": moment(row["requested_at"]),
            "requestApprovedAt": None if row["is_opened_by_shop"] else moment(approved),
            "closedAt": moment(row["closed_at"]) if status == "CLOSED" else None,
            "totalQuantity": row["quantity"],
            "order": lambda _info: order.object(),
            "decline": {"reason": "OTHER", "note": None} if status == "DECLINED" else None,
            "returnShippingFees": [],
            "refunds": listed(paid, self.refund),
            "transactions": listed([p for r in paid for p in self._payments_back(r)]),
            "returnLineItems": listed([self._return_line(row)]),
            "exchangeLineItems": listed(self._exchanges(row)),
            "reverseFulfillmentOrders": listed(reverse),
        }

    def _parcel_line(self, row: Row) -> Row:
        """The shipped line that the goods come from: the last with enough units."""
        mine = [p for p in self.order.parcels if p["line_no"] == row["line_no"]]
        return next((p for p in reversed(mine) if p["quantity"] >= row["quantity"]), mine[0])

    def _return_line(self, row: Row) -> Object:
        order = self.order
        line = next(r for r in order.lines if r["line_no"] == row["line_no"])
        price, discount, _ = order.line_gross(line)
        refunds = {
            r["refund_id"]
            for r in self._refunds
            if r["return_no"] == row["return_no"] and r["total_minor"]
        }
        paid = sum(r["quantity"] for r in order.refunded_lines if r["refund_id"] in refunds)
        is_back = self._reached(row["disposed_at"])
        done = row["quantity"] if is_back else min(paid, row["quantity"])
        handle = row["reason_handle"]
        return {
            "__typename": "ReturnLineItem",
            "id": gid("ReturnLineItem", f"2{row['return_id'][1:]}"),
            "quantity": row["quantity"],
            "processableQuantity": row["quantity"] - done,
            "processedQuantity": done,
            "unprocessedQuantity": row["quantity"] - done,
            "refundableQuantity": row["quantity"] - min(paid, row["quantity"]),
            "refundedQuantity": min(paid, row["quantity"]),
            "returnReason": row["reason_code"],
            "returnReasonDefinition": reason_definition(handle) if handle else None,
            "returnReasonNote": "",
            "customerNote": row["comment"],
            "fulfillmentLineItem": lambda _info: order.shipments.fulfilment_line(
                self._parcel_line(row)
            ),
            "restockingFee": None,
            "withCodeDiscountedTotalPriceSet": order.money.bag(
                (price - discount) * row["quantity"]
            ),
        }

    def _exchanges(self, row: Row) -> list[Object]:
        return [
            self._exchange(new)
            for new in self.order.snapshot.exchanges[self.order.world_id]
            if new["return_no"] == row["return_no"]
        ]

    def _exchange(self, row: Row) -> Object:
        """An agreed exchange; its line is in the order once it is processed."""
        order = self.order
        lines = [r for r in order.lines if r["line_no"] == row["new_line_no"]]
        is_done = bool(lines)
        sku = lines[0]["sku"] if lines else None
        item = order.snapshot.products[sku] if sku else None
        variant = order.catalogue.variant(item) if item else {}
        return {
            "__typename": "ExchangeLineItem",
            "id": gid("ExchangeLineItem", row["exchange_id"]),
            "quantity": 1,
            "processableQuantity": 0 if is_done else 1,
            "processedQuantity": int(is_done),
            "unprocessedQuantity": int(not is_done),
            "productId": order.catalogue.product(item)["id"] if item else None,
            "variantId": variant.get("id"),
            "variantSku": variant.get("sku"),
            "title": item.name if item else None,
            "variantTitle": order.catalogue.variant_title(item) if item else None,
            "lineItems": (lambda _info: [order.line(r) for r in lines]) if is_done else None,
        }

    def _way_back(self, row: Row) -> list[Object]:
        """The order to take goods back, with the parcel and what was found in it."""
        is_back = self._reached(row["disposed_at"])
        found = [self._disposition(row)] if is_back else []
        digits = row["return_id"][1:]
        line = {
            "__typename": "ReverseFulfillmentOrderLineItem",
            "id": gid("ReverseFulfillmentOrderLineItem", f"3{digits}"),
            "totalQuantity": row["quantity"],
            "fulfillmentLineItem": lambda _info: self.order.shipments.fulfilment_line(
                self._parcel_line(row)
            ),
            "dispositions": found,
        }
        order = {
            "__typename": "ReverseFulfillmentOrder",
            "id": gid("ReverseFulfillmentOrder", f"4{digits}"),
            "status": "CLOSED" if self.status(row) == "CLOSED" else "OPEN",
            "order": lambda _info: self.order.object(),
            "thirdPartyConfirmation": None,
            "lineItems": listed([line]),
        }
        order["reverseDeliveries"] = listed(self._deliveries(row, order, line, found))
        return [order]

    def _deliveries(
        self, row: Row, order: Object, line: Object, found: list[Object]
    ) -> list[Object]:
        seed = self.order.snapshot.seed
        digits = row["return_id"][1:]
        if share_of(seed, "no label", digits) < 0.15:
            return []
        at = (row["approved_at"] or row["requested_at"]) + timedelta(minutes=20)
        label = {"createdAt": moment(at), "updatedAt": moment(at), "publicFileUrl": None}
        tracking = {"number": f"RT{digits}", "carrierName": "DHL", "url": None}
        deliverable = {
            "__typename": "ReverseDeliveryShippingDeliverable",
            "tracking": tracking,
            "label": label if share_of(seed, "own label", digits) < 0.8 else None,
        }
        is_told = share_of(seed, "parcel told", digits) < 0.9
        item = {
            "__typename": "ReverseDeliveryLineItem",
            "id": gid("ReverseDeliveryLineItem", f"6{digits}"),
            "quantity": row["quantity"],
            "dispositions": found,
            "reverseFulfillmentOrderLineItem": line,
        }
        return [
            {
                "__typename": "ReverseDelivery",
                "id": gid("ReverseDelivery", f"5{digits}"),
                "deliverable": deliverable if is_told else None,
                "reverseFulfillmentOrder": order,
                "reverseDeliveryLineItems": listed([item]),
            }
        ]

    def _disposition(self, row: Row) -> Object:
        place = row["fulfilment_centre_id"]
        return {
            "__typename": "ReverseFulfillmentOrderDisposition",
            "id": gid("ReverseFulfillmentOrderDisposition", f"7{row['return_id'][1:]}"),
            "type": row["disposition"],
            "quantity": row["quantity"],
            "createdAt": moment(row["disposed_at"]),
            "location": self.order.catalogue.location(place) if place else None,
        }
