"""The streams of Walmart: what is read, how rows are recognised, how far back each night looks.

Belongs here: declarations. Does not belong here: fetching (`orders.py`, `returns.py` …).
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sources._core.connector import Stream
from sources._core.static import static_streams

from . import records
from .orders import read_orders

# Lists shift while they are read, so each night reads the last two days again.
_LOOKBACK = timedelta(hours=48)
_LONGEST = timedelta(days=30)

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

STREAMS = (
    ORDERS,
    *static_streams(Path(__file__).parent),
)
