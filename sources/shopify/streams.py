"""The streams of Shopify: what is read, how rows are recognised, how far back each night looks.

Belongs here: declarations. Does not belong here: fetching (`orders.py`, `refunds.py`, `returns.py`,
`lists.py`).
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sources._core.connector import Stream
from sources._core.static import static_streams

from . import records
from .lists import read_shop, whole_list
from .orders import read_orders
from .refunds import read_refunds
from .returns import read_returns
from .shapes import dispute_record
from .words import DISPUTE_WORDS

# Searches run on an index that lags, so each night reads the last days again.
_LOOKBACK = timedelta(days=3)
_LONGEST = timedelta(days=31)

ORDERS = Stream(
    name="orders",
    record=records.Order,
    key=("id",),
    read=read_orders,
    version="updatedAt",
    lookback=_LOOKBACK,
    max_window=_LONGEST,
    event_field="processedAt",
    expected_fields=("processedAt", "currencyCode", "lineItems", "test"),
)
REFUNDS = Stream(
    name="refunds",
    record=records.Refund,
    key=("id",),
    read=read_refunds,
    version="updatedAt",
    lookback=_LOOKBACK,
    max_window=_LONGEST,
    event_field="processedAt",
    expected_fields=("refundLineItems", "transactions"),
)
RETURNS = Stream(
    name="returns",
    record=records.Return,
    key=("id",),
    read=read_returns,
    lookback=_LOOKBACK,
    max_window=_LONGEST,
    event_field="createdAt",
    free_text=("returnLineItems.returnReasonNote", "returnLineItems.customerNote"),
    known_dropped=(
        "returnLineItems.__typename",
        "reverseFulfillmentOrders.reverseDeliveries.deliverable.__typename",
    ),
    expected_fields=("status", "returnLineItems"),
)
DISPUTES = Stream(
    name="disputes",
    record=records.Dispute,
    key=("id",),
    read=whole_list(
        "Disputes",
        "disputes",
        shape=dispute_record,
        words=DISPUTE_WORDS,
        optional_right="read_shopify_payments_disputes",
    ),
    event_field="initiatedAt",
)
UNIT_COSTS = Stream(
    name="unit_costs",
    record=records.UnitCost,
    key=("id", "updatedAt"),
    read=whole_list("InventoryItems", "inventoryItems", optional_right="read_inventory"),
)
RETURN_REASONS = Stream(
    name="return_reasons",
    record=records.ReasonDefinition,
    key=("id",),
    read=whole_list("ReasonLibrary", "returnReasonDefinitions", optional_right="read_returns"),
)
SHOPS = Stream(name="shops", record=records.Shop, key=("id",), read=read_shop)

STREAMS = (
    ORDERS,
    REFUNDS,
    RETURNS,
    DISPUTES,
    UNIT_COSTS,
    RETURN_REASONS,
    SHOPS,
    *static_streams(Path(__file__).parent),
)
