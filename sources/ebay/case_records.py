"""The fields kept of returns, cancellations, inquiries and cases, as in `records.py`.

Belongs here: record Structs of the Post-Order API. Does not belong here: reading it
(`post_order.py`) and making its answers plain (`shapes.py`).
"""

from __future__ import annotations

from sources._core.records import Record

from .records import Amount


class ItemizedRefund(Record):
    refundFeeType: str | None = None
    refundAmount: Amount | None = None
    amount: Amount | None = None


class RefundParts(Record):
    totalAmount: Amount | None = None
    itemizedRefund: list[ItemizedRefund] | None = None
    itemizedRefundDetails: list[ItemizedRefund] | None = None


class ActualRefund(Record):
    refundStatus: str | None = None
    refundDate: str | None = None
    refundIssuedDate: str | None = None
    actualRefund: RefundParts | None = None


class RefundInfo(Record):
    actualRefundDetail: ActualRefund | None = None


class ReturnItem(Record):
    itemId: str | None = None
    transactionId: str | None = None
    returnQuantity: int | None = None


class Comments(Record):
    content: str | None = None


class ReturnCreation(Record):
    item: ReturnItem | None = None
    type: str | None = None
    reason: str | None = None
    reasonType: str | None = None
    creationDate: str | None = None
    comments: Comments | None = None


class TotalRefund(Record):
    """An estimate is no refund."""

    actualRefundAmount: Amount | None = None
    estimatedRefundAmount: Amount | None = None


class Due(Record):
    activityDue: str | None = None
    respondByDate: str | None = None


class Escalation(Record):
    caseId: str | None = None
    caseType: str | None = None


class ReturnTracking(Record):
    trackingNumber: str | None = None
    carrierEnum: str | None = None
    carrierName: str | None = None
    deliveryStatus: str | None = None
    actualDeliveryDate: str | None = None


class LabelCost(Record):
    totalAmount: Amount | None = None


class ReturnShipment(Record):
    shipmentTracking: ReturnTracking | None = None
    shippingLabelCost: LabelCost | None = None


class Activity(Record):
    activity: str | None = None
    author: str | None = None
    fromState: str | None = None
    toState: str | None = None
    creationDate: str | None = None


class ReturnedItem(Record):
    itemId: str | None = None
    transactionId: str | None = None
    itemPrice: Amount | None = None
    returnQuantity: int | None = None


class ReturnDetail(Record):
    marketplaceId: str | None = None
    itemDetail: ReturnedItem | None = None
    refundInfo: RefundInfo | None = None
    returnShipmentInfo: ReturnShipment | None = None
    responseHistory: list[Activity] | None = None


class Return(Record):
    """A return: its summary, and in `detail` what only the full answer tells."""

    returnId: str
    orderId: str | None = None
    customerKey: str | None = None
    currentType: str | None = None
    state: str | None = None
    status: str | None = None
    creationInfo: ReturnCreation | None = None
    sellerTotalRefund: TotalRefund | None = None
    buyerTotalRefund: TotalRefund | None = None
    sellerResponseDue: Due | None = None
    buyerResponseDue: Due | None = None
    escalationInfo: Escalation | None = None
    timeoutDate: str | None = None
    detail: ReturnDetail | None = None


class CancelActivity(Record):
    activityType: str | None = None
    activityParty: str | None = None
    actionDate: str | None = None
    stateFrom: str | None = None
    stateTo: str | None = None


class Cancellation(Record):
    """A request to cancel an order; the amount asked for may be 0 although money went back."""

    cancelId: str
    legacyOrderId: str | None = None
    marketplaceId: str | None = None
    customerKey: str | None = None
    requestorType: str | None = None
    cancelState: str | None = None
    cancelStatus: str | None = None
    status: str | None = None
    cancelReason: str | None = None
    cancelCloseReason: str | None = None
    paymentStatus: str | None = None
    partialOrderType: str | None = None
    cancelRequestDate: str | None = None
    cancelCloseDate: str | None = None
    shipmentDate: str | None = None
    sellerResponseDueDate: str | None = None
    requestRefundAmount: Amount | None = None
    refundInfo: RefundInfo | None = None
    activityHistories: list[CancelActivity] | None = None


class HistoryEntry(Record):
    date: str | None = None
    actor: str | None = None
    action: str | None = None


class ShipmentState(Record):
    trackingNumber: str | None = None
    carrier: str | None = None
    currentStatus: str | None = None


class History(Record):
    history: list[HistoryEntry] | None = None
    shipmentTrackingDetails: ShipmentState | None = None


class Inquiry(Record):
    """An item that did not arrive, as the buyer says."""

    inquiryId: str
    orderId: str | None = None
    legacyOrderId: str | None = None
    itemId: str | None = None
    transactionId: str | None = None
    marketplaceId: str | None = None
    customerKey: str | None = None
    status: str | None = None
    state: str | None = None
    creationDate: str | None = None
    closedDate: str | None = None
    inquiryQuantity: int | None = None
    claimAmount: Amount | None = None
    shippingCost: Amount | None = None
    escalationDate: str | None = None
    inquiryHistoryDetails: History | None = None


class Case(Record):
    """A return or inquiry on which eBay decides: it repeats what the other says."""

    caseId: str
    orderId: str | None = None
    legacyOrderId: str | None = None
    returnId: str | None = None
    inquiryId: str | None = None
    itemId: str | None = None
    transactionId: str | None = None
    marketplaceId: str | None = None
    customerKey: str | None = None
    caseType: str | None = None
    status: str | None = None
    state: str | None = None
    creationDate: str | None = None
    closedDate: str | None = None
    caseQuantity: int | None = None
    claimAmount: Amount | None = None
    decision: str | None = None
    caseHistoryDetails: History | None = None
