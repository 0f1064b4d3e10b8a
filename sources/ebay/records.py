"""The fields kept of each eBay stream: the allow-list, and the columns of the raw tables.

Belongs here: record Structs of orders, feedback and the seller's standing. Does not belong here:
those of Post-Order (`case_records.py`) and of money (`money_records.py`), how answers become
records (`shapes.py`).
Names and values are those of the API; dates are text, ids are text however long. Of a buyer there
are country, state and a keyed hash. A field that is not here is never written.
"""

from __future__ import annotations

from decimal import Decimal

from sources._core.records import Record


class Amount(Record):
    """`value` is in `currency`, after conversion; `convertedFrom…` is what it was before."""

    value: Decimal | None = None
    currency: str | None = None
    convertedFromValue: Decimal | None = None
    convertedFromCurrency: str | None = None
    convertedToValue: Decimal | None = None
    convertedToCurrency: str | None = None
    exchangeRate: str | None = None


class Place(Record):
    countryCode: str | None = None
    stateOrProvince: str | None = None


class ShipTo(Record):
    contactAddress: Place | None = None


class ShippingStep(Record):
    shippingCarrierCode: str | None = None
    shippingServiceCode: str | None = None
    shipTo: ShipTo | None = None


class StartInstruction(Record):
    fulfillmentInstructionsType: str | None = None
    minEstimatedDeliveryDate: str | None = None
    maxEstimatedDeliveryDate: str | None = None
    finalDestinationAddress: Place | None = None
    shippingStep: ShippingStep | None = None


class DeliveryCost(Record):
    shippingCost: Amount | None = None
    handlingCost: Amount | None = None
    discountAmount: Amount | None = None
    importCharges: Amount | None = None


class Tax(Record):
    amount: Amount | None = None
    taxType: str | None = None
    collectionMethod: str | None = None


class LineRefund(Record):
    """What the buyer got of a line."""

    refundId: str | None = None
    refundReferenceId: str | None = None
    refundDate: str | None = None
    amount: Amount | None = None


class OrderRefund(Record):
    """What the seller gave, fees that came back taken off."""

    refundId: str | None = None
    refundReferenceId: str | None = None
    refundDate: str | None = None
    refundStatus: str | None = None
    amount: Amount | None = None


class LineInstructions(Record):
    shipByDate: str | None = None
    minEstimatedDeliveryDate: str | None = None
    maxEstimatedDeliveryDate: str | None = None
    guaranteedDelivery: bool | None = None


class Promotion(Record):
    promotionId: str | None = None
    discountAmount: Amount | None = None


class LineItem(Record):
    lineItemId: str
    legacyItemId: str | None = None
    legacyVariationId: str | None = None
    sku: str | None = None
    title: str | None = None
    quantity: int | None = None
    soldFormat: str | None = None
    listingMarketplaceId: str | None = None
    purchaseMarketplaceId: str | None = None
    lineItemFulfillmentStatus: str | None = None
    lineItemCost: Amount | None = None
    discountedLineItemCost: Amount | None = None
    deliveryCost: DeliveryCost | None = None
    total: Amount | None = None
    taxes: list[Tax] | None = None
    ebayCollectAndRemitTaxes: list[Tax] | None = None
    appliedPromotions: list[Promotion] | None = None
    lineItemFulfillmentInstructions: LineInstructions | None = None
    refunds: list[LineRefund] | None = None


class Payment(Record):
    paymentMethod: str | None = None
    paymentStatus: str | None = None
    paymentDate: str | None = None
    amount: Amount | None = None


class PaymentSummary(Record):
    totalDueSeller: Amount | None = None
    payments: list[Payment] | None = None
    refunds: list[OrderRefund] | None = None


class PricingSummary(Record):
    priceSubtotal: Amount | None = None
    priceDiscount: Amount | None = None
    deliveryCost: Amount | None = None
    deliveryDiscount: Amount | None = None
    tax: Amount | None = None
    fee: Amount | None = None
    adjustment: Amount | None = None
    total: Amount | None = None


class CancelRequest(Record):
    cancelRequestId: str | None = None
    cancelReason: str | None = None
    cancelInitiator: str | None = None
    cancelRequestState: str | None = None
    cancelRequestedDate: str | None = None
    cancelCompletedDate: str | None = None


class CancelStatus(Record):
    cancelState: str | None = None
    cancelledDate: str | None = None
    cancelRequests: list[CancelRequest] | None = None


class ShippedLine(Record):
    lineItemId: str | None = None
    quantity: int | None = None


class Fulfillment(Record):
    fulfillmentId: str | None = None
    shipmentTrackingNumber: str | None = None
    shippingCarrierCode: str | None = None
    shippedDate: str | None = None
    lineItems: list[ShippedLine] | None = None


class Order(Record):
    """An order with its lines, refunds, cancel requests and shipments."""

    orderId: str
    lastModifiedDate: str
    legacyOrderId: str | None = None
    creationDate: str | None = None
    sellerId: str | None = None
    salesRecordReference: str | None = None
    customerKey: str | None = None
    orderFulfillmentStatus: str | None = None
    orderPaymentStatus: str | None = None
    ebayCollectAndRemitTax: bool | None = None
    cancelStatus: CancelStatus | None = None
    pricingSummary: PricingSummary | None = None
    paymentSummary: PaymentSummary | None = None
    totalFeeBasisAmount: Amount | None = None
    totalMarketplaceFee: Amount | None = None
    fulfillmentStartInstructions: list[StartInstruction] | None = None
    lineItems: list[LineItem] | None = None
    fulfillments: list[Fulfillment] | None = None


class Comment(Record):
    commentText: str | None = None
    commentTextRemovedPerPolicy: bool | None = None


class Rating(Record):
    ratingType: str | None = None
    value: str | None = None


class RatedLine(Record):
    orderLineItemId: str | None = None
    listingId: str | None = None


class Period(Record):
    unit: str | None = None
    value: int | None = None


class Feedback(Record):
    """Feedback of a buyer; `feedbackEnteredPeriod` is a bucket, not a date."""

    feedbackId: str
    customerKey: str | None = None
    commentType: str | None = None
    feedbackState: str | None = None
    automatedFeedback: bool | None = None
    feedbackEnteredDate: str | None = None
    feedbackEnteredPeriod: Period | None = None
    feedbackComment: Comment | None = None
    replyComment: Comment | None = None
    followupComment: Comment | None = None
    feedbackRatings: list[Rating] | None = None
    orderLineItemSummary: RatedLine | None = None
    hasImages: bool | None = None


class Dimension(Record):
    dimensionKey: str | None = None
    name: str | None = None
    value: str | None = None


class PeerAverage(Record):
    average: str | None = None


class Benchmark(Record):
    rating: str | None = None
    basis: str | None = None
    adjustment: str | None = None
    metadata: PeerAverage | None = None


class Metric(Record):
    metricKey: str | None = None
    value: str | None = None
    benchmark: Benchmark | None = None


class ServiceMetric(Record):
    """Rates of a category or region beside those of peers; days are those of Mountain time."""

    marketplaceId: str
    metricType: str
    evaluationType: str
    evaluationDate: str | None = None
    startDate: str | None = None
    endDate: str | None = None
    dimension: Dimension | None = None
    metrics: list[Metric] | None = None


class Cycle(Record):
    cycleType: str | None = None
    evaluationDate: str | None = None
    evaluationMonth: str | None = None


class Standard(Record):
    metricKey: str | None = None
    name: str | None = None
    level: str | None = None
    type: str | None = None
    lookbackStartDate: str | None = None
    lookbackEndDate: str | None = None
    value: str | None = None
    currency: str | None = None
    numerator: str | None = None
    denominator: str | None = None


class SellerStandard(Record):
    """The seller's level in a programme and cycle, and what it rests on."""

    program: str
    cycle: Cycle
    standardsLevel: str | None = None
    defaultProgram: bool | None = None
    evaluationReason: str | None = None
    metrics: list[Standard] | None = None
