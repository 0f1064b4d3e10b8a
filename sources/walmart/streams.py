"""The streams of Walmart: what is read, how rows are recognised, how far back each night looks.

Belongs here: declarations. Does not belong here: fetching (`orders.py`, `returns.py` …).
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sources._core.connector import Stream
from sources._core.static import static_streams

from . import payment_records, records, report_records, return_records
from .insights import read_performance
from .orders import read_orders
from .recon import read_recon, read_statement
from .reports import read_wfs_returns
from .returns import read_returns

# Lists shift while they are read, so each night reads the last two days again.
_LOOKBACK = timedelta(hours=48)
_LONGEST = timedelta(days=30)


def wfs_return_key(row: report_records.WfsReturn) -> str:
    """What tells rows apart: the report has no id of its own that is known."""
    names = (row.return_order_id, row.return_order_line, row.purchase_order_id)
    more = (row.purchase_order_line, row.sku, row.return_date, row.occurrence)
    texts = ("" if part is None else str(part) for part in (*names, *more))
    return "|".join(text.replace("%", "%25").replace("|", "%7C") for text in texts)


ORDERS = Stream(
    name="orders",
    record=records.Order,
    key=("purchaseOrderId",),
    read=read_orders,
    lookback=_LOOKBACK,
    max_window=_LONGEST,
    known_dropped=records.ORDER_DROPPED,
    expected_fields=("customerOrderId", "orderDate", "shippingInfo", "orderLines"),
)

RETURNS = Stream(
    name="returns",
    record=return_records.ReturnOrder,
    key=("returnOrderId",),
    read=read_returns,
    lookback=_LOOKBACK,
    max_window=_LONGEST,
    event_field="returnOrderDate",
    free_text=("returnOrderLines.returnCancellationReason", "returnOrderLines.rechargeReason"),
    known_dropped=return_records.RETURN_DROPPED,
    expected_fields=("returnOrderDate", "returnOrderLines"),
)
RECON = Stream(
    name="recon",
    record=payment_records.ReconRow,
    key=("report_date", "row_no"),
    read=read_recon,
    lookback=timedelta(days=35),  # a report may appear some days after its own
    event_field="transaction_posted_timestamp",
)
STATEMENTS = Stream(
    name="statements",
    record=payment_records.PaymentStatement,
    key=("cycle",),
    read=read_statement,
    known_dropped=payment_records.STATEMENT_DROPPED,
)
WFS_RETURNS = Stream(
    name="wfs_returns",
    record=report_records.WfsReturn,
    key=wfs_return_key,
    read=read_wfs_returns,
    event_field="return_date",
)
SELLER_PERFORMANCE = Stream(
    name="seller_performance",
    record=report_records.SellerPerformance,
    key=("metric",),
    read=read_performance,
    known_dropped=report_records.PERFORMANCE_DROPPED,
)

STREAMS = (
    ORDERS,
    RETURNS,
    RECON,
    STATEMENTS,
    WFS_RETURNS,
    SELLER_PERFORMANCE,
    *static_streams(Path(__file__).parent),
)
