"""The fields kept of each Walmart stream: the allow-list, and the columns of the raw tables.

Belongs here: record Structs only. Does not belong here: how answers become records.
Names and values are those of the API: moments of orders in milliseconds since 1970, quantities of
orders as text. Of a buyer there are state and country. A field that is not here is never written.
"""

from __future__ import annotations

from decimal import Decimal

from sources._core.records import Record


class Amount(Record):
    """Money as orders tell it."""

    currency: str | None = None
    amount: Decimal | None = None


class Tax(Record):
    taxAmount: Amount | None = None


class Charge(Record):
    chargeType: str | None = None
    chargeName: str | None = None
    chargeAmount: Amount | None = None
    tax: Tax | None = None


class Charges(Record):
    charge: list[Charge] | None = None


class RefundCharge(Record):
    refundReason: str | None = None
    charge: Charge | None = None


class RefundCharges(Record):
    refundCharge: list[RefundCharge] | None = None


class Refund(Record):
    refundId: str | None = None
    refundCharges: RefundCharges | None = None


class LineQuantity(Record):
    amount: str | None = None


class Carrier(Record):
    carrier: str | None = None
    otherCarrier: str | None = None


class Tracking(Record):
    shipDateTime: int | None = None
    carrierName: Carrier | None = None
    methodCode: str | None = None
    trackingNumber: str | None = None


class LineStatus(Record):
    status: str | None = None
    statusQuantity: LineQuantity | None = None
    cancellationReason: str | None = None
    trackingInfo: Tracking | None = None


class LineStatuses(Record):
    orderLineStatus: list[LineStatus] | None = None


class OrderItem(Record):
    sku: str | None = None
    productName: str | None = None
    condition: str | None = None


class OrderLine(Record):
    lineNumber: str | None = None
    item: OrderItem | None = None
    charges: Charges | None = None
    orderLineQuantity: LineQuantity | None = None
    statusDate: int | None = None
    orderLineStatuses: LineStatuses | None = None
    returnOrderId: str | None = None
    refund: Refund | None = None
    originalCarrierMethod: str | None = None
    intentToCancel: str | None = None
    sellerOrderId: str | None = None
    serialNumbers: list[str] | None = None


class OrderLines(Record):
    orderLine: list[OrderLine] | None = None


class Place(Record):
    state: str | None = None
    country: str | None = None


class ShippingInfo(Record):
    estimatedDeliveryDate: int | None = None
    estimatedShipDate: int | None = None
    methodCode: str | None = None
    postalAddress: Place | None = None


class ShipNode(Record):
    type: str | None = None
    name: str | None = None
    id: str | None = None


class Order(Record):
    """A purchase order; `customerOrderId` is shared by those of one checkout."""

    purchaseOrderId: str
    customerOrderId: str | None = None
    orderDate: int | None = None
    orderType: str | None = None
    originalCustomerOrderID: str | None = None
    shipNode: ShipNode | None = None
    shippingInfo: ShippingInfo | None = None
    orderLines: OrderLines | None = None


ORDER_DROPPED = (
    "customerEmailId",
    "buyerId",
    "mart",
    "isGuest",
    "paymentTypes",
    "orderSummary",
    "pickupPersons",
    "shippingInfo.phone",
    "shippingInfo.postalAddress.name",
    "shippingInfo.postalAddress.address1",
    "shippingInfo.postalAddress.address2",
    "shippingInfo.postalAddress.city",
    "shippingInfo.postalAddress.postalCode",
    "shippingInfo.postalAddress.addressType",
    *(
        f"orderLines.orderLine.{name}"
        for name in (
            "item.imageUrl",
            "item.weight",
            "charges.charge.tax.taxName",
            "orderLineQuantity.unitOfMeasurement",
            "orderLineStatuses.orderLineStatus.statusQuantity.unitOfMeasurement",
            "orderLineStatuses.orderLineStatus.trackingInfo.trackingURL",
            "orderLineStatuses.orderLineStatus.returnCenterAddress",
            "refund.refundComments",
            "refund.refundCharges.refundCharge.charge.tax.taxName",
            "referenceLineId",
            "fulfillment",
            "configId",
        )
    ),
)
