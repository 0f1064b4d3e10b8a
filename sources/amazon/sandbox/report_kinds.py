"""Report types the sandbox serves: windows, roles, how often a type is generated anew."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

ORDERS_ROLE = "Inventory and Order Tracking"
FULFILMENT_ROLE = "Amazon Fulfillment"
INSIGHTS_ROLE = "Selling Partner Insights"
FINANCE_ROLE = "Finance and Accounting"

NEAR_REAL_TIME = timedelta(minutes=30)
DAILY = timedelta(hours=4)


@dataclass(frozen=True)
class ReportKind:
    """One report type. `stream` is the raw table it feeds, the name that schema drift uses.

    `interval`: an equal request within it gets old content or nothing; None: exempt.
    `max_window`: a longer one ends FATAL; None: no limit is enforced.
    """

    report_type: str
    stream: str
    role: str
    interval: timedelta | None = None
    max_window: timedelta | None = None
    can_be_created: bool = True


ALL_ORDERS = ReportKind(
    "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_LAST_UPDATE_GENERAL",
    "all_orders",
    ORDERS_ROLE,
    max_window=timedelta(days=30),
)
FBA_RETURNS = ReportKind(
    "GET_FBA_FULFILLMENT_CUSTOMER_RETURNS_DATA", "fba_returns", FULFILMENT_ROLE, interval=DAILY
)
FULFILLED_SHIPMENTS = ReportKind(
    "GET_AMAZON_FULFILLED_SHIPMENTS_DATA_GENERAL",
    "fulfilled_shipments",
    FULFILMENT_ROLE,
    interval=NEAR_REAL_TIME,
    max_window=timedelta(days=31),
)
SETTLEMENTS = ReportKind(
    "GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2",
    "settlements",
    FINANCE_ROLE,
    can_be_created=False,
)

MFN_RETURNS = ReportKind(
    "GET_FLAT_FILE_RETURNS_DATA_BY_RETURN_DATE",
    "mfn_returns",
    ORDERS_ROLE,
    max_window=timedelta(days=60),
)
MFN_RETURNS_XML = ReportKind(
    "GET_XML_RETURNS_DATA_BY_RETURN_DATE",
    "mfn_returns",
    ORDERS_ROLE,
    max_window=timedelta(days=60),
)
FBA_REPLACEMENTS = ReportKind(
    "GET_FBA_FULFILLMENT_CUSTOMER_SHIPMENT_REPLACEMENT_DATA",
    "fba_replacements",
    FULFILMENT_ROLE,
    interval=DAILY,
)
FBA_REIMBURSEMENTS = ReportKind(
    "GET_FBA_REIMBURSEMENTS_DATA", "fba_reimbursements", FULFILMENT_ROLE, interval=DAILY
)
REMOVAL_ORDERS = ReportKind(
    "GET_FBA_FULFILLMENT_REMOVAL_ORDER_DETAIL_DATA",
    "removal_orders",
    FULFILMENT_ROLE,
    interval=NEAR_REAL_TIME,
)
REMOVAL_SHIPMENTS = ReportKind(
    "GET_FBA_FULFILLMENT_REMOVAL_SHIPMENT_DETAIL_DATA",
    "removal_shipments",
    FULFILMENT_ROLE,
    interval=NEAR_REAL_TIME,
)
INVENTORY_LEDGER = ReportKind(
    "GET_LEDGER_DETAIL_VIEW_DATA", "inventory_ledger", FULFILMENT_ROLE, interval=DAILY
)
SELLER_FEEDBACK = ReportKind("GET_SELLER_FEEDBACK_DATA", "seller_feedback", ORDERS_ROLE)

KINDS = {
    kind.report_type: kind
    for kind in (
        ALL_ORDERS,
        FBA_RETURNS,
        FULFILLED_SHIPMENTS,
        SETTLEMENTS,
        MFN_RETURNS,
        MFN_RETURNS_XML,
        FBA_REPLACEMENTS,
        FBA_REIMBURSEMENTS,
        REMOVAL_ORDERS,
        REMOVAL_SHIPMENTS,
        INVENTORY_LEDGER,
        SELLER_FEEDBACK,
    )
}
CODES = {report_type: code for code, report_type in enumerate(KINDS, start=1)}
"""A number for each type, for report ids."""
