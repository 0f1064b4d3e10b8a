"""Orders changed in a window, once for each way of shipping.

Belongs here: what is asked for. Does not belong here: paging (`lists.py`), which fields of an order
are kept (`records.py`).
Walmart shows orders of the last 7 days unless `createdStartDate` says otherwise, also where they
are asked for by their last change: it is always sent.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from sources._core.connector import Page, Reject, StreamContext, Window
from sources._core.errors import StopStream

from .client import WalmartClient
from .config import ORDERS_A_PAGE, ORDERS_PATH
from .lists import Listed, Listing, Meta
from .times import api_time


class _Elements(msgspec.Struct):
    order: list[msgspec.Raw] | None = None


class _OrderList(msgspec.Struct):
    meta: Meta | None = None
    elements: _Elements | None = None


class _Answer(msgspec.Struct):
    list: _OrderList


_decode = msgspec.json.Decoder(_Answer).decode


def cut_orders(content: bytes) -> Listed:
    found = _decode(content).list
    meta = found.meta or Meta()
    if found.elements is None and (meta.total_count or 0) > 0:
        raise StopStream(
            f"GET {ORDERS_PATH} counts {meta.total_count} orders and gives none: the API has "
            "changed, or is in trouble. The next night tries again."
        )
    records = found.elements.order if found.elements else None
    return Listed(records or (), meta.total_count, meta.next_cursor)


def read_orders(context: StreamContext, window: Window) -> Iterator[Page]:
    """Orders whose last change lies in the window, as far back as Walmart shows them."""
    client: WalmartClient = context.client
    oldest = context.clock.now() - client.account.orders_reach
    if window.start < oldest:
        yield Page((), "orders", rejects=(_too_old(client.account.order_days),))
    if window.end <= oldest:
        return
    for node in client.account.ship_nodes:
        params = {
            "createdStartDate": api_time(oldest),
            "createdEndDate": api_time(window.end),
            "lastModifiedStartDate": api_time(window.start),
            "lastModifiedEndDate": api_time(window.end),
            "shipNodeType": node,
            "replacementInfo": "true",
            "limit": str(ORDERS_A_PAGE),
        }
        listing = Listing("orders", ORDERS_PATH, params, f"orders {node}", cut_orders)
        yield from listing.pages(client)


def _too_old(days: int) -> Reject:
    advice = (
        f"orders placed more than {days} days ago are not asked for (order_days): Walmart shows "
        "about 180 days. Of older ones the payment reports tell the money"
    )
    return Reject("older_than_shown", 0, advice, "orders")
