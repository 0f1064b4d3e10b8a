"""The fields kept of a return: the allow-list, and the columns of its raw table.

Belongs here: record Structs only. Does not belong here: how answers become records.
Returns write money in other words than orders (`records.py`), and moments as text. Name, e-mail and
label pictures of a buyer are left out.
"""

from __future__ import annotations

from decimal import Decimal

from sources._core.records import Record


class ReturnAmount(Record):
    """Money as returns tell it."""

    currencyAmount: Decimal | None = None
    currencyUnit: str | None = None


class ReturnQuantity(Record):
    measurementValue: Decimal | None = None


class ReturnTax(Record):
    taxPerUnit: ReturnAmount | None = None


class ReturnCharge(Record):
    """Of one unit; a discount is to be subtracted."""

    chargeCategory: str | None = None
    chargeName: str | None = None
    chargePerUnit: ReturnAmount | None = None
    isDiscount: bool | None = None
    isBillable: bool | None = None
    tax: list[ReturnTax] | None = None


class ChargeTotal(Record):
    name: str | None = None
    value: ReturnAmount | None = None


class TrackingStatus(Record):
    status: str | None = None
    statusTime: str | None = None
    currentRefundStatus: str | None = None
    quantity: ReturnQuantity | None = None


class RefundChannel(Record):
    refundChannelName: str | None = None
    quantity: ReturnQuantity | None = None


class ReturnEvent(Record):
    sequenceNo: int | None = None
    eventTag: str | None = None
    eventTime: str | None = None


class ReturnItem(Record):
    sku: str | None = None
    condition: str | None = None


class ReturnLine(Record):
    returnOrderLineNumber: int | None = None
    salesOrderLineNumber: int | None = None
    purchaseOrderId: str | None = None
    purchaseOrderLineNumber: int | None = None
    sellerOrderId: str | None = None
    returnReason: str | None = None
    reasonCode: str | None = None
    item: ReturnItem | None = None
    isReturnForException: bool | None = None
    exceptionItemType: str | None = None
    rechargeReason: str | None = None
    returnCancellationReason: str | None = None
    charges: list[ReturnCharge] | None = None
    unitPrice: ReturnAmount | None = None
    chargeTotals: list[ChargeTotal] | None = None
    cancellableQty: Decimal | None = None
    quantity: ReturnQuantity | None = None
    refundedQty: Decimal | None = None
    rechargeableQty: Decimal | None = None
    returnExpectedFlag: bool | None = None
    isFastReplacement: bool | None = None
    isKeepIt: bool | None = None
    refundChannel: str | None = None
    refundChannels: list[RefundChannel] | None = None
    status: str | None = None
    statusTime: str | None = None
    currentDeliveryStatus: str | None = None
    currentRefundStatus: str | None = None
    currentTrackingStatuses: list[TrackingStatus] | None = None
    returnTrackingDetail: list[ReturnEvent] | None = None


class CarrierInfo(Record):
    carrierId: str | None = None
    carrierName: str | None = None
    serviceType: str | None = None
    trackingNo: str | None = None


class Label(Record):
    carrierInfoList: list[CarrierInfo] | None = None


class GroupLine(Record):
    returnOrderLineNumber: int | None = None


class ReturnGroup(Record):
    groupNo: int | None = None
    returnLines: list[GroupLine] | None = None
    labels: list[Label] | None = None
    returnExpectedFlag: bool | None = None


class ReturnChannel(Record):
    channelName: str | None = None


class ReturnOrder(Record):
    """A return with its lines and the parcels that bring them back."""

    returnOrderId: str
    customerOrderId: str | None = None
    returnOrderDate: str | None = None
    returnByDate: str | None = None
    returnType: str | None = None
    replacementCustomerOrderId: str | None = None
    refundMode: str | None = None
    totalRefundAmount: ReturnAmount | None = None
    returnChannel: ReturnChannel | None = None
    returnLineGroups: list[ReturnGroup] | None = None
    returnOrderLines: list[ReturnLine] | None = None


RETURN_DROPPED = (
    "customerEmailId",
    "customerName",
    "returnLineGroups.labels.labelImageURL",
    *(
        f"returnOrderLines.{name}"
        for name in (
            "item.productName",
            "item.itemWeight",
            "charges.excessCharge",
            "charges.references",
            "charges.tax.taxName",
            "charges.tax.excessTax",
            "quantity.unitOfMeasure",
            "currentTrackingStatuses.quantity.unitOfMeasure",
            "refundChannels.quantity.unitOfMeasure",
            "returnTrackingDetail.eventDescription",
            "returnTrackingDetail.references",
            "itemReturnSettings",
            "lastItem",
        )
    ),
)
