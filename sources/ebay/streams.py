"""The streams of eBay: what is read, how rows are recognised, how far back each night looks.

Belongs here: declarations. Does not belong here: fetching (`orders.py`, `post_order.py`,
`finances.py`, `disputes.py`, `feedback.py`, `standing.py`).
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sources._core.connector import Stream
from sources._core.static import static_streams

from . import case_records, money_records, post_order, records
from .disputes import read_disputes
from .feedback import read_feedback
from .finances import read_payouts, read_transactions
from .orders import read_orders
from .standing import read_seller_standards, read_service_metrics

_MONTH = timedelta(days=30)
_QUARTER = timedelta(days=90)
_RECENT = timedelta(days=3)

# Personal data, and what no model needs, so that it is not reported as unknown each night.
_ORDER_DROPPED = (
    "buyerCheckoutNotes",
    "fulfillmentHrefs",
    "program",
    "fulfillmentStartInstructions.ebaySupportedFulfillment",
    "fulfillmentStartInstructions.appointment",
    "fulfillmentStartInstructions.pickupStep",
    *(
        f"fulfillmentStartInstructions.{place}.{name}"
        for place in ("finalDestinationAddress", "shippingStep.shipTo.contactAddress")
        for name in ("addressLine1", "addressLine2", "city", "county", "postalCode")
    ),
    *(
        f"fulfillmentStartInstructions.shippingStep.shipTo.{name}"
        for name in ("companyName", "email", "fullName", "primaryPhone")
    ),
    "fulfillmentStartInstructions.shippingStep.shipToReferenceId",
    "paymentSummary.payments.paymentHolds",
    "paymentSummary.payments.paymentReferenceId",
    *(
        f"lineItems.{name}"
        for name in (
            "compatibilityProperties",
            "ebayCollectedCharges",
            "ebayCollectAndRemitTaxes.ebayReference",
            "giftDetails",
            "itemLocation",
            "linkedOrderLineItems",
            "properties",
            "variationAspects",
            "appliedPromotions.description",
            "deliveryCost.shippingIntermediationFee",
        )
    ),
)
_RETURN_DROPPED = (
    "detail.closeInfo",
    "detail.files",
    "detail.refundInfo.estimatedRefundDetail",
    "detail.itemDetail.itemTitle",
    "detail.itemDetail.transactionDate",
    "detail.responseHistory.notes",
    "detail.responseHistory.attributes",
    "detail.customerKey",
)

ORDERS = Stream(
    name="orders",
    record=records.Order,
    key=("orderId",),
    read=read_orders,
    version="lastModifiedDate",
    lookback=timedelta(hours=2),
    max_window=_MONTH,
    event_field="creationDate",
    known_dropped=_ORDER_DROPPED,
    expected_fields=("creationDate", "lineItems", "orderFulfillmentStatus"),
)
RETURNS = Stream(
    name="returns",
    record=case_records.Return,
    key=("returnId",),
    read=post_order.reader(post_order.RETURN),
    lookback=_RECENT,
    max_window=_QUARTER,
    free_text=("creationInfo.comments.content",),
    known_dropped=_RETURN_DROPPED,
    expected_fields=("creationInfo", "state"),
)
CANCELLATIONS = Stream(
    name="cancellations",
    record=case_records.Cancellation,
    key=("cancelId",),
    read=post_order.reader(post_order.CANCELLATION),
    lookback=_RECENT,
    max_window=_QUARTER,
    event_field="cancelRequestDate",
    known_dropped=("lineItems", "moneyMovementInfo", "moneyMovements", "payoutRecoupInfo"),
)
INQUIRIES = Stream(
    name="inquiries",
    record=case_records.Inquiry,
    key=("inquiryId",),
    read=post_order.reader(post_order.INQUIRY),
    lookback=_RECENT,
    max_window=_QUARTER,
    event_field="creationDate",
    known_dropped=(
        "caseId",  # the case names its inquiry
        "inquiryDetails",
        "inquiryHistoryDetails.history.description",
        "inquiryType",
        "itemDetails",
    ),
)
CASES = Stream(
    name="cases",
    record=case_records.Case,
    key=("caseId",),
    read=post_order.reader(post_order.CASE),
    lookback=_RECENT,
    max_window=_QUARTER,
    event_field="creationDate",
    known_dropped=("itemDetails", "caseHistoryDetails.history.description"),
)
TRANSACTIONS = Stream(
    name="transactions",
    record=money_records.Transaction,
    key=("transactionId", "transactionType"),
    read=read_transactions,
    lookback=timedelta(days=45),
    max_window=_MONTH,
    free_text=("transactionMemo",),
    event_field="transactionDate",
    known_dropped=("feeJurisdiction", "orderLineItems.marketplaceFees.feeJurisdiction"),
    expected_fields=("amount", "bookingEntry"),
)
PAYOUTS = Stream(
    name="payouts",
    record=money_records.Payout,
    key=("payoutId",),
    read=read_payouts,
    lookback=timedelta(days=45),
    max_window=_QUARTER,
    event_field="payoutDate",
    known_dropped=(
        "bankReference",
        "payoutInstrument",
        "payoutMemo",
        "payoutReference",
        "payoutStatusDescription",
        "totalFeeDetails",
    ),
)
PAYMENT_DISPUTES = Stream(
    name="payment_disputes",
    record=money_records.Dispute,
    key=("paymentDisputeId",),
    read=read_disputes,
    lookback=_RECENT,
    max_window=_QUARTER,
    event_field="openDate",
    known_dropped=(
        "availableChoices",
        "buyerProvided",
        "evidence",
        "evidenceRequests",
        "note",
        "returnAddress",
    ),
)
FEEDBACK = Stream(
    name="feedback",
    record=records.Feedback,
    key=("feedbackId",),
    read=read_feedback,
    lookback=_QUARTER,
    free_text=(
        "feedbackComment.commentText",
        "replyComment.commentText",
        "followupComment.commentText",
    ),
    event_field="feedbackEnteredDate",
    known_dropped=(
        "eligibleForRevision",
        "feedbackScore",
        "images",
        "repliedBeforeFollowup",
        "topics",
        *(
            f"{comment}.{name}"
            for comment in ("feedbackComment", "replyComment", "followupComment")
            for name in ("commentPeriod", "state")
        ),
        *(
            f"orderLineItemSummary.{name}"
            for name in (
                "listingPrice",
                "listingTitle",
                "orderLineItemAttributes",
                "transactionPeriod",
            )
        ),
    ),
)
# How it stands: a new evaluation takes the place of the one before, which its history keeps.
SERVICE_METRICS = Stream(
    name="service_metrics",
    record=records.ServiceMetric,
    key=lambda row: "|".join(
        (
            row.marketplaceId,
            row.metricType,
            row.evaluationType,
            (row.dimension.value if row.dimension else None) or "all",
        )
    ),
    read=read_service_metrics,
    known_dropped=("metrics.distributions",),
)
SELLER_STANDARDS = Stream(
    name="seller_standards",
    record=records.SellerStandard,
    key=lambda row: "|".join((row.program, row.cycle.cycleType or "")),
    read=read_seller_standards,
)

STREAMS = (
    ORDERS,
    RETURNS,
    CANCELLATIONS,
    INQUIRIES,
    CASES,
    TRANSACTIONS,
    PAYOUTS,
    PAYMENT_DISPUTES,
    FEEDBACK,
    SERVICE_METRICS,
    SELLER_STANDARDS,
    *static_streams(Path(__file__).parent),
)
