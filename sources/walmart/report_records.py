"""The fields kept of on-request reports and of seller performance.

Belongs here: record Structs only. Does not belong here: how files become rows (`reports.py`).
Columns of the report of WFS returns are not documented where we could read it: these are the names
that such reports use, and any other is recorded by name alone.
"""

from __future__ import annotations

from decimal import Decimal

from sources._core.records import Record


class WfsReturn(Record):
    """A row of the report of returns to Walmart's warehouses, as text."""

    occurrence: int
    return_order_id: str | None = None
    return_order_line: str | None = None
    customer_order_id: str | None = None
    purchase_order_id: str | None = None
    purchase_order_line: str | None = None
    sku: str | None = None
    gtin: str | None = None
    item_id: str | None = None
    quantity: str | None = None
    return_date: str | None = None
    received_date: str | None = None
    return_reason: str | None = None
    return_type: str | None = None
    return_status: str | None = None
    disposition: str | None = None
    fulfillment_center: str | None = None
    tracking_number: str | None = None
    carrier: str | None = None
    refund_amount: str | None = None
    currency: str | None = None


WFS_RETURN_DROPPED = ("item_name", "product_name", "customer_name", "customer_comments")
WFS_RETURN_NAMES = {
    "rma": "return_order_id",
    "rma_number": "return_order_id",
    "return_order": "return_order_id",
    "return_id": "return_order_id",
    "return_line": "return_order_line",
    "return_order_line_number": "return_order_line",
    "customer_order": "customer_order_id",
    "customer_order_number": "customer_order_id",
    "purchase_order": "purchase_order_id",
    "po": "purchase_order_id",
    "po_line": "purchase_order_line",
    "purchase_order_line_number": "purchase_order_line",
    "vendor_sku": "sku",
    "seller_sku": "sku",
    "partner_item_id": "sku",
    "return_quantity": "quantity",
    "returned_quantity": "quantity",
    "units": "quantity",
    "return_created_date": "return_date",
    "return_requested_date": "return_date",
    "return_received_date": "received_date",
    "reason": "return_reason",
    "status": "return_status",
    "item_condition": "disposition",
    "condition": "disposition",
    "fc": "fulfillment_center",
    "fulfillment_center_id": "fulfillment_center",
    "tracking_no": "tracking_number",
    "return_tracking_number": "tracking_number",
}


class SellerPerformance(Record):
    """A metric of seller performance as it stands now; its past is in the history of the table.

    `rate` is the one of the three rates that judges the seller, in per cent as Walmart gives it.
    """

    metric: str
    rate: Decimal | None = None
    sellerAccountableRate: Decimal | None = None
    cumulativeRate: Decimal | None = None
    overallRate: Decimal | None = None
    overallTrend: str | None = None
    cumulativeRateTrend: str | None = None
    sellerAccountableRateTrend: str | None = None
    standard: str | None = None
    riskLevel: str | None = None
    performanceRiskLevel: str | None = None
    reportDuration: int | None = None
    updatedTimestamp: str | None = None
    impactedCustomerCount: Decimal | None = None
    ordersImpacted: Decimal | None = None
    gmvLoss: Decimal | None = None


PERFORMANCE_DROPPED = (
    "recommendations",
    "sellerAccountableDrivers",
    "nonAccountableDrivers",
)
