"""Searching orders by time of change: search texts, windows that can be paged, pages of orders.

Belongs here: what the streams that go through orders share. Does not belong here: what is read of
each order (`orders.py`, `refunds.py`, `returns.py`), bulk operations (`bulk.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sources._core.connector import Reject, Window
from sources._core.errors import ConfigurationError, StopStream

from .client import Node, ShopifyClient
from .config import ALL_ORDERS_SCOPE, MOST_ORDERS, ORDERS_SHOWN
from .shapes import denied_notes, in_window, lost_nodes

SWEEP = (
    "return_status:return_requested OR return_status:in_progress OR "
    "return_status:inspection_complete"
)
_SHORTEST = timedelta(seconds=1)
_HIDDEN = (
    f"without {ALL_ORDERS_SCOPE} Shopify hides orders older than 60 days, and with them their "
    "refunds and returns: rates look better than they are. Request the right for the app"
)


@dataclass(frozen=True)
class OrderPage:
    """Orders of one answer that lie in the window; `rejects` are notes about it."""

    orders: Sequence[Node]
    source_ref: str
    rejects: Sequence[Reject] = ()


def shopify_time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def search_of(window: Window) -> str:
    """Orders changed in the window. Whole seconds: the client looks again at what was found."""
    end = window.end if not window.end.microsecond else window.end + _SHORTEST
    return f"updated_at:>='{shopify_time(window.start)}' AND updated_at:<'{shopify_time(end)}'"


def refuse_hidden_history(client: ShopifyClient, window: Window) -> None:
    """ConfigurationError where orders of the window are hidden and nobody would notice."""
    if ALL_ORDERS_SCOPE in client.shop().scopes:
        return
    oldest = client.clock.now() - ORDERS_SHOWN
    if window.start < oldest:
        raise ConfigurationError(
            f"account {client.account.name}: {_HIDDEN}, or set start to "
            f"{(oldest + timedelta(days=1)).date()} or later."
        )


def hidden_orders_note(client: ShopifyClient) -> list[Reject]:
    if ALL_ORDERS_SCOPE in client.shop().scopes:
        return []
    return [Reject("old_orders_hidden", 0, _HIDDEN, "orders")]


def order_pages(client: ShopifyClient, operation: str, window: Window) -> Iterator[OrderPage]:
    """Pages of the orders changed in a window, oldest change first."""
    for part in _parts(client, window):
        for page in search_pages(client, operation, search_of(part)):
            kept = [order for order in page.orders if in_window(order, part)]
            yield OrderPage(kept, page.source_ref, page.rejects)


def search_pages(client: ShopifyClient, operation: str, search: str) -> Iterator[OrderPage]:
    pages = client.pages(operation, ("orders",), {"q": search})
    for number, (nodes, result) in enumerate(pages, start=1):
        rejects = denied_notes(result.denied) + lost_nodes(nodes, result.denied)
        found = [node for node in nodes if node is not None]
        yield OrderPage(found, f"{operation} {search} page {number}", rejects)


def _parts(client: ShopifyClient, window: Window) -> Iterator[Window]:
    """Pieces with at most as many orders as can be paged."""
    if client.count_orders(search_of(window)) <= MOST_ORDERS:
        yield window
        return
    middle = (window.start + (window.end - window.start) / 2).replace(microsecond=0)
    if middle - window.start < _SHORTEST:
        raise StopStream(
            f"more than {MOST_ORDERS} orders changed at {shopify_time(window.start)}, within one "
            "second: they cannot be paged. Ask Shopify's support for that time."
        )
    yield from _parts(client, Window(window.start, middle, is_last=False))
    yield from _parts(client, Window(middle, window.end, is_last=window.is_last))
