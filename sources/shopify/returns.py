"""Returns with their lines, exchanges and parcels back, read through the orders that have them.

Belongs here: going from orders to returns, and the weekly sweep. Does not belong here: which fields
are kept (`records.py`). A return has no time of change, and it is not documented that all that
happens to it changes its order's: so every week all returns that are not over are read again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from sources._core.connector import Page, Reject, StreamContext, Window

from .client import Node, ShopifyClient, nodes_of
from .searches import SWEEP, order_pages, refuse_hidden_history, search_pages
from .shapes import denied_notes, flat
from .words import RETURN_WORDS, unknown_words

SWEEP_EVERY = timedelta(days=7)
_OVER = frozenset({"CLOSED", "DECLINED", "CANCELED"})
_SWEPT, _OPEN = "swept_at", "orders_with_open_returns"
_BATCH = 50


def read_returns(context: StreamContext, window: Window) -> Iterator[Page]:
    """Returns of the orders changed in the window; once a week those that are still open too."""
    client: ShopifyClient = context.client
    refuse_hidden_history(client, window)
    reader = _Reader(context)
    for page in order_pages(client, "OrderHeaders", window):
        ids = [order["id"] for order in page.orders if nodes_of(order.get("returns"))]
        yield reader.page(ids, page.source_ref, page.rejects)
    if window.is_last and _is_due(context):
        yield from _sweep(client, reader)
        context.state[_SWEPT] = context.clock.now().isoformat()
    context.state[_OPEN] = sorted(reader.open_orders)
    context.state.save()


def _sweep(client: ShopifyClient, reader: _Reader) -> Iterator[Page]:
    for page in search_pages(client, "OrderHeaders", SWEEP):
        yield reader.page([order["id"] for order in page.orders], page.source_ref, page.rejects)
    left = sorted(reader.open_orders - reader.read)
    for start in range(0, len(left), _BATCH):
        yield reader.page(left[start : start + _BATCH], "orders with returns that were open")


def _is_due(context: StreamContext) -> bool:
    swept = context.state.get(_SWEPT)
    return not swept or context.clock.now() - datetime.fromisoformat(swept) >= SWEEP_EVERY


class _Reader:
    """Reads the returns of orders, each order once, and keeps which have open ones."""

    def __init__(self, context: StreamContext) -> None:
        self._client: ShopifyClient = context.client
        self.open_orders: set[str] = set(context.state.get(_OPEN) or ())
        self.read: set[str] = set()

    def page(self, order_ids: Sequence[str], source_ref: str, notes: Sequence[Reject] = ()) -> Page:
        records: list[Node] = []
        rejects = list(notes)
        for order_id in order_ids:
            if order_id not in self.read:
                self.read.add(order_id)
                found, denied = self._returns(order_id)
                records += found
                rejects += denied
                self._remember(order_id, found)
        rejects += unknown_words(records, RETURN_WORDS)
        return Page(records, source_ref, rejects=rejects)

    def _returns(self, order_id: str) -> tuple[list[Node], list[Reject]]:
        records: list[Node] = []
        rejects: list[Reject] = []
        path = ("order", "returns")
        for nodes, result in self._client.pages("OrderReturns", path, {"id": order_id}):
            rejects += denied_notes(result.denied)
            for node in nodes:
                if node is not None:
                    records.append(self._whole(node, order_id))
        return records, rejects

    def _whole(self, node: Node, order_id: str) -> Node:
        for connection, cursor in (
            ("returnLineItems", "linesAfter"),
            ("exchangeLineItems", "exchangesAfter"),
        ):
            if node.get(connection) is not None:
                self._client.complete(node, connection, "ReturnParts", "return", cursor)
        reverse = self._client.whole("ReturnReverse", "return", node["id"]) or {}
        record: Node = flat(node)
        record["orderId"] = order_id
        record["reverseFulfillmentOrders"] = flat(reverse.get("reverseFulfillmentOrders")) or []
        return record

    def _remember(self, order_id: str, records: Sequence[Node]) -> None:
        if any(record.get("status") not in _OVER for record in records):
            self.open_orders.add(order_id)
        else:
            self.open_orders.discard(order_id)
