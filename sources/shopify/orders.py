"""Orders with their lines and shipments: by pages each night, by a bulk operation for the past.

Belongs here: making each order whole. Does not belong here: searching (`searches.py`) and the bulk
operation itself (`bulk.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sources._core.connector import Page, StreamContext, Window

from .bulk import BulkRefusedError, bulk_orders
from .client import Node, ShopifyClient, is_cut
from .config import BULK_FROM
from .searches import hidden_orders_note, order_pages, refuse_hidden_history
from .shapes import in_window, order_record
from .words import ORDER_WORDS, unknown_words

_BULK_PAGE = 100


def read_orders(context: StreamContext, window: Window) -> Iterator[Page]:
    """Orders changed within the window."""
    client: ShopifyClient = context.client
    refuse_hidden_history(client, window)
    yield Page((), "rights", rejects=hidden_orders_note(client))
    if window.end - window.start > BULK_FROM:
        try:
            yield from _from_bulk(context, window)
            return
        except BulkRefusedError as error:
            context.progress(f"no bulk operation ({error}): reading page by page")
    yield from _from_pages(client, window)


def _from_pages(client: ShopifyClient, window: Window) -> Iterator[Page]:
    for page in order_pages(client, "OrdersWindow", window):
        sizes = client.sizes("OrdersWindow")  # as this page was asked for
        for order in page.orders:
            _complete_lines(client, order)
            if is_cut({"fulfillments": order.get("fulfillments")}, sizes):
                _read_shipments(client, order)
        records = [order_record(order, client.account) for order in page.orders]
        notes = unknown_words(records, ORDER_WORDS)
        yield Page(records, page.source_ref, rejects=[*page.rejects, *notes])


def _from_bulk(context: StreamContext, window: Window) -> Iterator[Page]:
    """BulkRefusedError before the first page, or none."""
    client: ShopifyClient = context.client
    records: list[Node] = []
    for number, order in enumerate(bulk_orders(context, window), start=1):
        if in_window(order, window):
            if order.get("fulfillments"):
                _read_shipments(client, order)
            records.append(order_record(order, client.account))
        if len(records) >= _BULK_PAGE:
            yield _bulk_page(records, f"bulk operation, order {number}")
            records = []
    yield _bulk_page(records, "bulk operation, the rest")


def _bulk_page(records: Sequence[Node], source_ref: str) -> Page:
    return Page(records, source_ref, rejects=unknown_words(records, ORDER_WORDS))


def _complete_lines(client: ShopifyClient, order: Node) -> None:
    client.complete(order, "lineItems", "OrderLineItems", "order", "after")


def _read_shipments(client: ShopifyClient, order: Node) -> None:
    found = client.whole("OrderFulfillments", "order", order["id"]) or {}
    order["fulfillments"] = found.get("fulfillments") or []
