"""The fields kept of each Shopify stream: the allow-list, and the columns of the raw tables.

Belongs here: record Structs only. Does not belong here: how answers become records (`shapes.py`).
Names and values are those of the API; its connections are lists, amounts are decimal text. Of a
buyer there are country, province and a keyed hash. A field that is not here is never written.
"""

from __future__ import annotations

from sources._core.records import Record


class Money(Record):
    amount: str | None = None
    currencyCode: str | None = None


class MoneyBag(Record):
    """Shop money is what the books hold, presentment money what the buyer saw."""

    shopMoney: Money | None = None
    presentmentMoney: Money | None = None


class Ref(Record):
    id: str | None = None


class PlaceRef(Record):
    id: str | None = None
    name: str | None = None


class SkuRef(Record):
    id: str | None = None
    sku: str | None = None


class TaxLine(Record):
    priceSet: MoneyBag | None = None


class DiscountAllocation(Record):
    allocatedAmountSet: MoneyBag | None = None


class Variant(Record):
    id: str | None = None
    sku: str | None = None
    inventoryItem: Ref | None = None


class LineItem(Record):
    id: str
    name: str | None = None
    title: str | None = None
    variantTitle: str | None = None
    sku: str | None = None
    quantity: int | None = None
    currentQuantity: int | None = None
    refundableQuantity: int | None = None
    requiresShipping: bool | None = None
    isGiftCard: bool | None = None
    originalUnitPriceSet: MoneyBag | None = None
    discountedUnitPriceAfterAllDiscountsSet: MoneyBag | None = None
    discountedTotalSet: MoneyBag | None = None
    discountAllocations: list[DiscountAllocation] | None = None
    taxLines: list[TaxLine] | None = None
    product: Ref | None = None
    variant: Variant | None = None


class ShippingLine(Record):
    id: str | None = None
    discountedPriceSet: MoneyBag | None = None
    taxLines: list[TaxLine] | None = None


class Tracking(Record):
    number: str | None = None
    company: str | None = None


class FulfillmentLine(Record):
    id: str | None = None
    quantity: int | None = None
    lineItem: SkuRef | None = None


class FulfillmentEvent(Record):
    id: str | None = None
    status: str | None = None
    happenedAt: str | None = None
    createdAt: str | None = None
    estimatedDeliveryAt: str | None = None
    country: str | None = None


class Fulfillment(Record):
    id: str | None = None
    status: str | None = None
    displayStatus: str | None = None
    createdAt: str | None = None
    updatedAt: str | None = None
    inTransitAt: str | None = None
    deliveredAt: str | None = None
    estimatedDeliveryAt: str | None = None
    totalQuantity: int | None = None
    location: PlaceRef | None = None
    trackingInfo: list[Tracking] | None = None
    fulfillmentLineItems: list[FulfillmentLine] | None = None
    events: list[FulfillmentEvent] | None = None


class Region(Record):
    countryCodeV2: str | None = None
    provinceCode: str | None = None


class Order(Record):
    """An order with its lines and shipments."""

    id: str
    updatedAt: str
    legacyResourceId: str | None = None
    name: str | None = None
    createdAt: str | None = None
    processedAt: str | None = None
    closedAt: str | None = None
    cancelledAt: str | None = None
    cancelReason: str | None = None
    test: bool | None = None
    edited: bool | None = None
    sourceName: str | None = None
    currencyCode: str | None = None
    presentmentCurrencyCode: str | None = None
    taxesIncluded: bool | None = None
    displayFinancialStatus: str | None = None
    displayFulfillmentStatus: str | None = None
    returnStatus: str | None = None
    customerKey: str | None = None
    shippingAddress: Region | None = None
    totalPriceSet: MoneyBag | None = None
    currentTotalPriceSet: MoneyBag | None = None
    totalRefundedSet: MoneyBag | None = None
    refundDiscrepancySet: MoneyBag | None = None
    shippingLines: list[ShippingLine] | None = None
    fulfillments: list[Fulfillment] | None = None
    lineItems: list[LineItem] | None = None


class RefundLine(Record):
    id: str | None = None
    quantity: int | None = None
    restockType: str | None = None
    restocked: bool | None = None
    location: Ref | None = None
    lineItem: SkuRef | None = None
    priceSet: MoneyBag | None = None
    subtotalSet: MoneyBag | None = None
    totalTaxSet: MoneyBag | None = None


class Adjustment(Record):
    id: str | None = None
    reason: str | None = None
    amountSet: MoneyBag | None = None
    taxAmountSet: MoneyBag | None = None


class RefundShipping(Record):
    id: str | None = None
    subtotalAmountSet: MoneyBag | None = None
    taxAmountSet: MoneyBag | None = None


class Transaction(Record):
    id: str | None = None
    kind: str | None = None
    status: str | None = None
    test: bool | None = None
    gateway: str | None = None
    createdAt: str | None = None
    processedAt: str | None = None
    errorCode: str | None = None
    amountSet: MoneyBag | None = None
    settlementCurrency: str | None = None
    settlementCurrencyRate: str | None = None


class RefundDuty(Record):
    amountSet: MoneyBag | None = None
    originalDuty: Ref | None = None


class Refund(Record):
    """A refund: what it is for, and the payments that it caused."""

    id: str
    updatedAt: str | None = None
    orderId: str | None = None
    returnId: str | None = None
    legacyResourceId: str | None = None
    createdAt: str | None = None
    processedAt: str | None = None
    totalRefundedSet: MoneyBag | None = None
    duties: list[RefundDuty] | None = None
    refundLineItems: list[RefundLine] | None = None
    orderAdjustments: list[Adjustment] | None = None
    refundShippingLines: list[RefundShipping] | None = None
    transactions: list[Transaction] | None = None


class ReasonDefinition(Record):
    """A reason of the shop's library; `handle` is stable, `name` is in the shop's language."""

    id: str
    handle: str | None = None
    name: str | None = None
    deleted: bool | None = None


class ReturnedItem(Record):
    id: str | None = None
    lineItem: SkuRef | None = None


class Fee(Record):
    id: str | None = None
    amountSet: MoneyBag | None = None


class ReturnLine(Record):
    """`fulfillmentLineItem` is missing where Shopify could not verify what comes back."""

    id: str
    quantity: int | None = None
    processedQuantity: int | None = None
    unprocessedQuantity: int | None = None
    refundedQuantity: int | None = None
    refundableQuantity: int | None = None
    returnReason: str | None = None
    returnReasonNote: str | None = None
    customerNote: str | None = None
    returnReasonDefinition: ReasonDefinition | None = None
    fulfillmentLineItem: ReturnedItem | None = None
    restockingFee: Fee | None = None
    withCodeDiscountedTotalPriceSet: MoneyBag | None = None
    unitPrice: Money | None = None


class ExchangeLine(Record):
    """What is sent instead; `lineItems` are lines of the same order, once it is processed."""

    id: str
    quantity: int | None = None
    processedQuantity: int | None = None
    productId: str | None = None
    variantId: str | None = None
    variantSku: str | None = None
    title: str | None = None
    lineItems: list[ExchangedItem] | None = None


class ExchangedItem(Record):
    id: str | None = None
    sku: str | None = None
    quantity: int | None = None


class Disposition(Record):
    id: str | None = None
    type: str | None = None
    quantity: int | None = None
    createdAt: str | None = None
    location: Ref | None = None


class ReverseLine(Record):
    id: str | None = None
    totalQuantity: int | None = None
    fulfillmentLineItem: ReturnedItem | None = None
    dispositions: list[Disposition] | None = None


class ReverseTracking(Record):
    number: str | None = None
    carrierName: str | None = None


class ReverseLabel(Record):
    createdAt: str | None = None


class Deliverable(Record):
    tracking: ReverseTracking | None = None
    label: ReverseLabel | None = None


class ReverseDeliveryLine(Record):
    id: str | None = None
    quantity: int | None = None
    reverseFulfillmentOrderLineItem: Ref | None = None
    dispositions: list[Disposition] | None = None


class ReverseDelivery(Record):
    id: str | None = None
    deliverable: Deliverable | None = None
    reverseDeliveryLineItems: list[ReverseDeliveryLine] | None = None


class Confirmation(Record):
    status: str | None = None


class ReverseOrder(Record):
    """An order to take goods back, with what was found when they came."""

    id: str | None = None
    status: str | None = None
    thirdPartyConfirmation: Confirmation | None = None
    lineItems: list[ReverseLine] | None = None
    reverseDeliveries: list[ReverseDelivery] | None = None


class Decline(Record):
    reason: str | None = None


class Return(Record):
    """A return with what comes back, what is sent instead, and the parcels."""

    id: str
    orderId: str | None = None
    name: str | None = None
    status: str | None = None
    createdAt: str | None = None
    requestApprovedAt: str | None = None
    closedAt: str | None = None
    totalQuantity: int | None = None
    decline: Decline | None = None
    returnShippingFees: list[Fee] | None = None
    refunds: list[Ref] | None = None
    returnLineItems: list[ReturnLine] | None = None
    exchangeLineItems: list[ExchangeLine] | None = None
    reverseFulfillmentOrders: list[ReverseOrder] | None = None


class DisputeReason(Record):
    reason: str | None = None
    networkReasonCode: str | None = None


class Dispute(Record):
    """A chargeback or inquiry of Shopify Payments."""

    id: str
    type: str | None = None
    status: str | None = None
    initiatedAt: str | None = None
    evidenceDueBy: str | None = None
    evidenceSentOn: str | None = None
    finalizedOn: str | None = None
    amount: Money | None = None
    reasonDetails: DisputeReason | None = None
    orderId: str | None = None


class UnitCost(Record):
    """What a unit cost at an item's last change; Shopify itself keeps no history."""

    id: str
    updatedAt: str
    sku: str | None = None
    countryCodeOfOrigin: str | None = None
    harmonizedSystemCode: str | None = None
    unitCost: Money | None = None
    variants: list[SkuRef] | None = None


class Shop(Record):
    """Who the shop is: its dates are of `ianaTimezone`, its books in `currencyCode`."""

    id: str
    name: str | None = None
    myshopifyDomain: str | None = None
    currencyCode: str | None = None
    ianaTimezone: str | None = None
    enabledPresentmentCurrencies: list[str] | None = None
