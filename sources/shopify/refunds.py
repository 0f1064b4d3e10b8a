"""Refunds of the orders changed in a window, each read in full by its own id.

Belongs here: going from orders to refunds. Does not belong here: which fields are kept
(`records.py`). Shopify has no list of a shop's refunds; a refund changes its order's time of
change, however old the order is.
"""

from __future__ import annotations

from collections.abc import Iterator

from sources._core.connector import Page, StreamContext, Window

from .client import Node, ShopifyClient
from .searches import order_pages, refuse_hidden_history
from .shapes import denied_notes, refund_record
from .words import REFUND_WORDS, unknown_words

_PARTS = {
    "refundLineItems": "linesAfter",
    "orderAdjustments": "adjustmentsAfter",
    "refundShippingLines": "shippingAfter",
    "transactions": "transactionsAfter",
}


def read_refunds(context: StreamContext, window: Window) -> Iterator[Page]:
    client: ShopifyClient = context.client
    refuse_hidden_history(client, window)
    for page in order_pages(client, "OrderHeaders", window):
        records = []
        rejects = list(page.rejects)
        for order in page.orders:
            for refund in order.get("refunds") or ():
                if refund is None:
                    continue
                result = client.ask("RefundFull", {"id": refund["id"]})
                rejects += denied_notes(result.denied)
                node = result.data.get("refund")
                if node is not None:
                    records.append(refund_record(_completed(client, node)))
        rejects += unknown_words(records, REFUND_WORDS)
        yield Page(records, page.source_ref, rejects=rejects)


def _completed(client: ShopifyClient, refund: Node) -> Node:
    for connection, cursor in _PARTS.items():
        if refund.get(connection) is not None:
            client.complete(refund, connection, "RefundFull", "refund", cursor)
    return refund
