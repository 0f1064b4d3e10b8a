"""The streams of Amazon: what is read, how rows are recognised, how far back each night looks.

Belongs here: declarations. Does not belong here: fetching (`reports.py`, `orders.py`).
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sources._core.connector import Stream
from sources._core.static import static_streams

from . import finance_records, records, stock_records, topic_records
from .feedback import read_feedback
from .finances import read_transactions
from .inbound import read_inbound_plans
from .layouts import (
    ALL_ORDERS,
    FBA_REIMBURSEMENTS,
    FBA_REPLACEMENTS,
    FBA_RETURNS,
    FULFILLED_SHIPMENTS,
    INVENTORY_LEDGER,
    REMOVAL_ORDERS,
    REMOVAL_SHIPMENTS,
    SELLER_FEEDBACK,
)
from .orders import read_orders
from .reports import ReportKind, read_settlements
from .seller_returns import read_returns
from .topics import read_topics

_NEAR_REAL_TIME = timedelta(minutes=30)
_DAILY = timedelta(hours=4)


def key_of(*parts: object) -> str:
    """Parts joined by `|`; a `|` or `%` inside a part is percent-encoded."""
    texts = ("" if part is None else str(part) for part in parts)
    return "|".join(text.replace("%", "%25").replace("|", "%7C") for text in texts)


def order_row_key(row: records.AllOrdersRow) -> str:
    return key_of(row.amazon_order_id, row.sku, row.occurrence) if row.amazon_order_id else ""


def return_key(row: records.FbaReturn) -> str:
    """The licence plate names the unit; without one, everything that tells rows apart."""
    if row.license_plate_number:
        return key_of(row.license_plate_number)
    return key_of(
        row.order_id,
        row.sku,
        row.return_date,
        row.detailed_disposition,
        row.reason,
        row.occurrence,
    )


def settlement_row_key(row: records.SettlementRow) -> str:
    return key_of(row.settlement_id, row.row_no)


def seller_return_key(row: records.MfnReturn) -> str:
    if not row.order_id:
        return ""
    names = (row.order_id, row.amazon_rma_id, row.merchant_rma_id, row.merchant_sku)
    return key_of(*names, row.occurrence)


def replacement_key(row: records.FbaReplacement) -> str:
    order_id = row.replacement_amazon_order_id
    return key_of(order_id, row.sku, row.shipment_date, row.occurrence) if order_id else ""


def reimbursement_key(row: records.FbaReimbursement) -> str:
    return key_of(row.reimbursement_id, row.sku, row.occurrence) if row.reimbursement_id else ""


def removal_key(row: stock_records.RemovalOrder) -> str:
    return key_of(row.order_id, row.sku, row.disposition, row.occurrence) if row.order_id else ""


def removal_shipment_key(row: stock_records.RemovalShipment) -> str:
    if not row.order_id:
        return ""
    parcel = (row.shipment_date, row.tracking_number)
    return key_of(row.order_id, row.sku, row.disposition, *parcel, row.occurrence)


def ledger_key(row: stock_records.LedgerEvent) -> str:
    if not (row.date and row.event_type):
        return ""
    goods = (row.fnsku, row.msku, row.fulfillment_center, row.disposition, row.country)
    event = (row.event_type, row.reference_id, row.reason)
    return key_of(row.date, *goods, *event, row.occurrence)


def feedback_key(row: stock_records.SellerFeedback) -> str:
    """A buyer gives one feedback on an order; without its id, what the row holds."""
    if row.order_id:
        return key_of(row.marketplace, row.order_id, row.occurrence)
    return key_of(row.marketplace, "", row.date, row.rating, row.occurrence) if row.date else ""


def topics_key(row: topic_records.ReviewTopics) -> str:
    """Amazon makes topics anew each week: those of the same dates are the same."""
    end = row.dateRange.endDate if row.dateRange else None
    return key_of(row.marketplaceId, row.asin, end[:10] if end else None)


ALL_ORDERS_STREAM = Stream(
    name="all_orders",
    record=records.AllOrdersRow,
    key=order_row_key,
    read=ReportKind(ALL_ORDERS).read,
    version="last_updated_date",
    lookback=timedelta(days=2),
    max_window=timedelta(days=30),
    event_field="purchase_date",
)
ORDERS_STREAM = Stream(
    name="orders",
    record=records.Order,
    key=("orderId",),
    read=read_orders,
    version="lastUpdatedTime",
    lookback=timedelta(hours=2),
    event_field="createdTime",
    free_text=(
        "orderItems.cancellation.cancellationRequest.cancelReason",
        "orderItems.cancellation.cancellationExecution.cancelReason",
    ),
    known_dropped=(
        "buyer",
        "recipient.deliveryPreference",
        "recipient.deliveryAddress.name",
        "recipient.deliveryAddress.companyName",
        "recipient.deliveryAddress.addressLine1",
        "recipient.deliveryAddress.addressLine2",
        "recipient.deliveryAddress.addressLine3",
        "recipient.deliveryAddress.districtOrCounty",
        "recipient.deliveryAddress.municipality",
        "recipient.deliveryAddress.postalCode",
        "recipient.deliveryAddress.phone",
        "recipient.deliveryAddress.extendedFields",
        "recipient.deliveryAddress.addressType",
        "payment",
        "tax",
        "fulfillmentOrders",
        "fulfillment.labelPrintingWindow",
        "packages.shipFromAddress",
        "packages.packageItems.transparencyCodes",
        "orderItems.associatedOrderItems",
        "orderItems.programs",
        "orderItems.expense",
        "orderItems.promotion",
        "orderItems.tax",
        "orderItems.product.title",
        "orderItems.product.condition.conditionNote",
        "orderItems.product.price.priceDesignation",
        "orderItems.product.customization",
        "orderItems.fulfillment.picking",
        "orderItems.fulfillment.packing",
        "orderItems.fulfillment.shipping",
    ),
    expected_fields=("createdTime", "salesChannel", "fulfillment", "orderItems"),
)
FBA_RETURNS_STREAM = Stream(
    name="fba_returns",
    record=records.FbaReturn,
    key=return_key,
    read=ReportKind(FBA_RETURNS, made_anew_after=_DAILY).read,
    # Rows are back-posted. With the day since the last night, and some hours that a night may begin
    # late, one report of sixty days is enough.
    lookback=timedelta(days=58),
    max_window=timedelta(days=60),
    complete_within="return_date",
    free_text=("customer_comments",),
    event_field="return_date",
)
FULFILLED_SHIPMENTS_STREAM = Stream(
    name="fulfilled_shipments",
    record=records.FulfilledShipment,
    key=("shipment_item_id",),
    read=ReportKind(FULFILLED_SHIPMENTS, made_anew_after=_NEAR_REAL_TIME).read,
    lookback=timedelta(days=7),
    max_window=timedelta(days=28),  # one month at most, and February has 28 days
    event_field="shipment_date",
)
SETTLEMENTS_STREAM = Stream(
    name="settlements",
    record=records.SettlementRow,
    key=settlement_row_key,
    read=read_settlements,
    lookback=timedelta(days=2),
    event_field="posted_date_time",
)
# A return or removal changes while it is under way, for weeks: with the day since the last night,
# one report of sixty days reads it all again.
MFN_RETURNS_STREAM = Stream(
    name="mfn_returns",
    record=records.MfnReturn,
    key=seller_return_key,
    read=read_returns,
    lookback=timedelta(days=58),
    max_window=timedelta(days=60),
    free_text=("safet_action_reason",),
    event_field="return_request_date",
)
FBA_REPLACEMENTS_STREAM = Stream(
    name="fba_replacements",
    record=records.FbaReplacement,
    key=replacement_key,
    read=ReportKind(FBA_REPLACEMENTS, made_anew_after=_DAILY).read,
    lookback=timedelta(days=14),
    max_window=timedelta(days=60),
    event_field="shipment_date",
)
FBA_REIMBURSEMENTS_STREAM = Stream(
    name="fba_reimbursements",
    record=records.FbaReimbursement,
    key=reimbursement_key,
    read=ReportKind(FBA_REIMBURSEMENTS, made_anew_after=_DAILY).read,
    lookback=timedelta(days=14),
    max_window=timedelta(days=60),
    event_field="approval_date",
)
REMOVAL_ORDERS_STREAM = Stream(
    name="removal_orders",
    record=stock_records.RemovalOrder,
    key=removal_key,
    read=ReportKind(REMOVAL_ORDERS, made_anew_after=_NEAR_REAL_TIME).read,
    version="last_updated_date",
    lookback=timedelta(days=58),
    max_window=timedelta(days=60),
    event_field="request_date",
)
REMOVAL_SHIPMENTS_STREAM = Stream(
    name="removal_shipments",
    record=stock_records.RemovalShipment,
    key=removal_shipment_key,
    read=ReportKind(REMOVAL_SHIPMENTS, made_anew_after=_NEAR_REAL_TIME).read,
    lookback=timedelta(days=14),
    max_window=timedelta(days=60),
    event_field="shipment_date",
)
INVENTORY_LEDGER_STREAM = Stream(
    name="inventory_ledger",
    record=stock_records.LedgerEvent,
    key=ledger_key,
    read=ReportKind(INVENTORY_LEDGER, made_anew_after=_DAILY).read,
    lookback=timedelta(days=14),
    max_window=timedelta(days=60),
    event_field="date",
)
SELLER_FEEDBACK_STREAM = Stream(
    name="seller_feedback",
    record=stock_records.SellerFeedback,
    key=feedback_key,
    read=ReportKind(SELLER_FEEDBACK, read_document=read_feedback, is_by_marketplace=True).read,
    lookback=timedelta(days=58),
    max_window=timedelta(days=60),
    free_text=("comments", "your_response"),
    event_field="date",
)
TRANSACTIONS_STREAM = Stream(
    name="transactions",
    record=finance_records.Transaction,
    key=("transactionId",),
    read=read_transactions,
    lookback=timedelta(days=7),
    max_window=timedelta(days=180),  # a longer one is answered as if there were nothing
    event_field="postedDate",
    known_dropped=(
        "sellingPartnerMetadata.sellingPartnerId",
        *(
            f"{place}.{name}"
            for place in ("contexts", "items.contexts")
            for name in (
                "paymentType",
                "paymentMethod",
                "paymentReference",
                "paymentDate",
                "storeName",
                "orderType",
                "channel",
            )
        ),
    ),
    expected_fields=("transactionType", "transactionStatus", "postedDate"),
)
INBOUND_PLANS_STREAM = Stream(
    name="inbound_plans",
    record=stock_records.InboundPlan,
    key=("inboundPlanId",),
    read=read_inbound_plans,
    version="lastUpdatedAt",
    lookback=timedelta(days=2),
    event_field="createdAt",
    known_dropped=("name", "sourceAddress", "items.prepInstructions"),
    expected_fields=("status", "lastUpdatedAt", "items"),
)
REVIEW_TOPICS_STREAM = Stream(
    name="review_topics",
    record=topic_records.ReviewTopics,
    key=topics_key,
    read=read_topics,
    free_text=tuple(
        f"topics.{side}.{place}"
        for side in ("positiveTopics", "negativeTopics")
        for place in ("reviewSnippets", "subtopics.reviewSnippets")
    ),
    known_dropped=(
        "itemName",
        "topics.positiveTopics.childAsinMetrics",
        "topics.negativeTopics.childAsinMetrics",
    ),
)
STREAMS = (
    ALL_ORDERS_STREAM,
    ORDERS_STREAM,
    FBA_RETURNS_STREAM,
    FULFILLED_SHIPMENTS_STREAM,
    SETTLEMENTS_STREAM,
    MFN_RETURNS_STREAM,
    FBA_REPLACEMENTS_STREAM,
    FBA_REIMBURSEMENTS_STREAM,
    REMOVAL_ORDERS_STREAM,
    REMOVAL_SHIPMENTS_STREAM,
    INVENTORY_LEDGER_STREAM,
    SELLER_FEEDBACK_STREAM,
    TRANSACTIONS_STREAM,
    INBOUND_PLANS_STREAM,
    REVIEW_TOPICS_STREAM,
    *static_streams(Path(__file__).parent),
)
