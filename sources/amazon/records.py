"""The fields kept of each Amazon stream: the allow-list, and the columns of the raw tables.

Belongs here: record Structs only. Does not belong here: how a report becomes rows (`tables.py`,
`settlements.py`), which report fills which Struct (`layouts.py`).
Money, quantities and times of reports are text, normalised on reading; API fields keep the names
and shapes that the API gives. A field that is not here is never written anywhere.
"""

from __future__ import annotations

from decimal import Decimal

from sources._core.records import Record


class AllOrdersRow(Record, kw_only=True):
    """One row of the all-orders report; `occurrence` numbers rows of equal order and SKU."""

    amazon_order_id: str
    merchant_order_id: str | None = None
    purchase_date: str | None = None
    last_updated_date: str | None = None
    order_status: str | None = None
    fulfillment_channel: str | None = None
    sales_channel: str | None = None
    order_channel: str | None = None
    ship_service_level: str | None = None
    product_name: str | None = None
    sku: str | None = None
    asin: str | None = None
    item_status: str | None = None
    quantity: str | None = None
    currency: str | None = None
    item_price: str | None = None
    item_tax: str | None = None
    shipping_price: str | None = None
    shipping_tax: str | None = None
    gift_wrap_price: str | None = None
    gift_wrap_tax: str | None = None
    item_promotion_discount: str | None = None
    ship_promotion_discount: str | None = None
    ship_city: str | None = None
    ship_state: str | None = None
    ship_country: str | None = None
    promotion_ids: str | None = None
    is_business_order: str | None = None
    purchase_order_number: str | None = None
    price_designation: str | None = None
    occurrence: int


class FbaReturn(Record, kw_only=True):
    """One row of the FBA customer returns report; `occurrence` numbers otherwise equal rows."""

    return_date: str | None = None
    order_id: str | None = None
    sku: str | None = None
    asin: str | None = None
    fnsku: str | None = None
    product_name: str | None = None
    quantity: str | None = None
    fulfillment_center_id: str | None = None
    detailed_disposition: str | None = None
    reason: str | None = None
    status: str | None = None
    license_plate_number: str | None = None
    customer_comments: str | None = None
    occurrence: int


class MfnReturn(Record, kw_only=True):
    """One item of a return to the seller; `report_form` (flat, xml) says which report told it.

    The XML form has no invoice, delivery of the return and SAFE-T claim. `occurrence` numbers rows
    of one return and SKU.
    """

    order_id: str | None = None
    order_date: str | None = None
    return_request_date: str | None = None
    return_request_status: str | None = None
    amazon_rma_id: str | None = None
    merchant_rma_id: str | None = None
    label_type: str | None = None
    label_cost: str | None = None
    currency_code: str | None = None
    return_carrier: str | None = None
    tracking_id: str | None = None
    label_to_be_paid_by: str | None = None
    a_to_z_claim: str | None = None
    is_prime: str | None = None
    asin: str | None = None
    merchant_sku: str | None = None
    item_name: str | None = None
    category: str | None = None
    return_quantity: str | None = None
    return_reason: str | None = None
    in_policy: str | None = None
    return_type: str | None = None
    resolution: str | None = None
    invoice_number: str | None = None
    return_delivery_date: str | None = None
    order_amount: str | None = None
    order_quantity: str | None = None
    safet_action_reason: str | None = None
    safet_claim_id: str | None = None
    safet_claim_state: str | None = None
    safet_claim_creation_time: str | None = None
    safet_claim_reimbursement_amount: str | None = None
    refunded_amount: str | None = None
    report_form: str | None = None
    occurrence: int


class FbaReplacement(Record, kw_only=True):
    """One item that FBA sent free of charge instead of an earlier one."""

    shipment_date: str | None = None
    sku: str | None = None
    asin: str | None = None
    fulfillment_center_id: str | None = None
    original_fulfillment_center_id: str | None = None
    quantity: str | None = None
    replacement_reason_code: str | None = None
    replacement_amazon_order_id: str | None = None
    original_amazon_order_id: str | None = None
    occurrence: int


class FbaReimbursement(Record, kw_only=True):
    """What Amazon pays for one SKU, in money or units; a reversal is negative."""

    approval_date: str | None = None
    reimbursement_id: str | None = None
    case_id: str | None = None
    amazon_order_id: str | None = None
    reason: str | None = None
    sku: str | None = None
    fnsku: str | None = None
    asin: str | None = None
    product_name: str | None = None
    condition: str | None = None
    currency_unit: str | None = None
    amount_per_unit: str | None = None
    amount_total: str | None = None
    quantity_reimbursed_cash: str | None = None
    quantity_reimbursed_inventory: str | None = None
    quantity_reimbursed_total: str | None = None
    original_reimbursement_id: str | None = None
    original_reimbursement_type: str | None = None
    occurrence: int


class FulfilledShipment(Record, kw_only=True):
    """One shipped item of the fulfilled-shipments report, without buyer, address and postcode."""

    amazon_order_id: str | None = None
    merchant_order_id: str | None = None
    shipment_id: str | None = None
    shipment_item_id: str
    amazon_order_item_id: str | None = None
    merchant_order_item_id: str | None = None
    purchase_date: str | None = None
    payments_date: str | None = None
    shipment_date: str | None = None
    reporting_date: str | None = None
    sku: str | None = None
    product_name: str | None = None
    quantity_shipped: str | None = None
    currency: str | None = None
    item_price: str | None = None
    item_tax: str | None = None
    shipping_price: str | None = None
    shipping_tax: str | None = None
    gift_wrap_price: str | None = None
    gift_wrap_tax: str | None = None
    ship_service_level: str | None = None
    ship_city: str | None = None
    ship_state: str | None = None
    ship_country: str | None = None
    item_promotion_discount: str | None = None
    ship_promotion_discount: str | None = None
    carrier: str | None = None
    tracking_number: str | None = None
    estimated_arrival_date: str | None = None
    fulfillment_center_id: str | None = None
    fulfillment_channel: str | None = None
    sales_channel: str | None = None


class SettlementRow(Record, kw_only=True):
    """One row of a settlement; `row_no` 1 is its header row, which alone has dates and total."""

    row_no: int
    settlement_id: str
    settlement_start_date: str | None = None
    settlement_end_date: str | None = None
    deposit_date: str | None = None
    total_amount: str | None = None
    currency: str | None = None
    transaction_type: str | None = None
    order_id: str | None = None
    merchant_order_id: str | None = None
    adjustment_id: str | None = None
    shipment_id: str | None = None
    marketplace_name: str | None = None
    amount_type: str | None = None
    amount_description: str | None = None
    amount: str | None = None
    fulfillment_id: str | None = None
    posted_date: str | None = None
    posted_date_time: str | None = None
    order_item_code: str | None = None
    merchant_order_item_id: str | None = None
    merchant_adjustment_item_id: str | None = None
    sku: str | None = None
    quantity_purchased: str | None = None
    promotion_id: str | None = None


class Money(Record):
    """Amount as text exactly as it came; absent, null and empty stay what they are."""

    amount: str | None = None
    currencyCode: str | None = None


class TimeRange(Record):
    earliestDateTime: str | None = None
    latestDateTime: str | None = None


class Alias(Record):
    aliasId: str | None = None
    aliasType: str | None = None


class AssociatedOrder(Record):
    """Points from a replacement or exchange order to the original one."""

    orderId: str | None = None
    associationType: str | None = None


class SalesChannel(Record):
    channelName: str | None = None
    marketplaceId: str | None = None
    marketplaceName: str | None = None


class OrderFulfillment(Record):
    fulfillmentStatus: str | None = None
    fulfilledBy: str | None = None
    fulfillmentServiceLevel: str | None = None
    shipByWindow: TimeRange | None = None
    deliverByWindow: TimeRange | None = None


class OrderProceedsBreakdown(Record):
    type: str | None = None
    status: str | None = None
    subtotal: Money | None = None


class OrderProceeds(Record):
    grandTotal: Money | None = None
    breakdowns: list[OrderProceedsBreakdown] | None = None


class PackageStatus(Record):
    status: str | None = None
    detailedStatus: str | None = None


class PackageItem(Record):
    orderItemId: str | None = None
    quantity: int | None = None


class Package(Record):
    """A parcel of a seller-fulfilled order."""

    packageReferenceId: str | None = None
    createdTime: str | None = None
    packageStatus: PackageStatus | None = None
    carrier: str | None = None
    shipTime: str | None = None
    shippingService: str | None = None
    trackingNumber: str | None = None
    packageItems: list[PackageItem] | None = None


class DeliveryAddress(Record):
    """Not below city level; only with the setting `include_recipient`."""

    countryCode: str | None = None
    stateOrRegion: str | None = None
    city: str | None = None


class Recipient(Record):
    deliveryAddress: DeliveryAddress | None = None


class Condition(Record):
    conditionType: str | None = None
    conditionSubtype: str | None = None


class UnitPrice(Record):
    unitPrice: Money | None = None


class Product(Record):
    """Everything may be missing while the order is pending. `price` is per unit."""

    asin: str | None = None
    sellerSku: str | None = None
    condition: Condition | None = None
    price: UnitPrice | None = None
    serialNumbers: list[str] | None = None


class ItemDetailedBreakdown(Record):
    subtype: str | None = None
    value: Money | None = None


class ItemProceedsBreakdown(Record):
    type: str | None = None
    subtotal: Money | None = None
    detailedBreakdowns: list[ItemDetailedBreakdown] | None = None


class ItemProceeds(Record):
    proceedsTotal: Money | None = None
    breakdowns: list[ItemProceedsBreakdown] | None = None


class ItemFulfillment(Record):
    quantityFulfilled: int | None = None
    quantityUnfulfilled: int | None = None


class CancellationRequest(Record):
    requester: str | None = None
    cancelReason: str | None = None


class CancellationExecution(Record):
    cancelledBy: str | None = None
    cancelReason: str | None = None


class Cancellation(Record):
    cancellationRequest: CancellationRequest | None = None
    cancellationExecution: CancellationExecution | None = None


class Measurement(Record):
    """Goods sold by weight or volume: `quantityOrdered` is not a count then."""

    unit: str | None = None
    value: Decimal | None = None


class OrderItem(Record):
    orderItemId: str | None = None
    quantityOrdered: int | None = None
    product: Product | None = None
    proceeds: ItemProceeds | None = None
    fulfillment: ItemFulfillment | None = None
    cancellation: Cancellation | None = None
    measurement: Measurement | None = None


class Order(Record, kw_only=True):
    """One order of the Orders API 2026-01-01, without buyer and address."""

    orderId: str
    createdTime: str | None = None
    lastUpdatedTime: str
    orderAliases: list[Alias] | None = None
    programs: list[str] | None = None
    associatedOrders: list[AssociatedOrder] | None = None
    salesChannel: SalesChannel | None = None
    fulfillment: OrderFulfillment | None = None
    proceeds: OrderProceeds | None = None
    packages: list[Package] | None = None
    recipient: Recipient | None = None
    orderItems: list[OrderItem] | None = None
