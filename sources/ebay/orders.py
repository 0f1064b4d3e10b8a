"""Orders with their lines, cancellations and shipments, by time of change.

Belongs here: windows that can be paged, and making each order whole. Does not belong here: which
fields are kept (`records.py`).
Paging by offset moves when orders change meanwhile: an order that changes leaves the window, so the
total shrinks, and the window is read again. What is read twice is one row by its key.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from urllib.parse import quote

from sources._core.connector import Page, Reject, StreamContext, Window
from sources._core.errors import ConfigurationError, StopStream
from sources._core.windows import split_window

from .answers import FutureDateError, Node, NothingFoundError, PageOf
from .client import EbayClient, ebay_time
from .config import ORDERS_SHOWN
from .shapes import order_record

LIMIT = 200
MOST_ORDERS = 10_000  # deeper offsets are slow and fail
LONGEST_PART = timedelta(days=1)
_SHORTEST = timedelta(seconds=1)
_SKEW = timedelta(minutes=1)
_TIMES = 4
_TICK = timedelta(milliseconds=1)


def read_orders(context: StreamContext, window: Window) -> Iterator[Page]:
    """Orders changed within the window; eBay lists those whose checkout is paid."""
    client: EbayClient = context.client
    _refuse_hidden(client, window)
    client.quotas.stop_if_used_up("fulfillment")
    for part in split_window(window, LONGEST_PART):
        yield from _part(client, part)
    yield Page((), "consent", rejects=_consent_notes(client))


def _part(client: EbayClient, window: Window) -> Iterator[Page]:
    """The window; without its last minute where eBay's clock is behind ours."""
    try:
        yield from _settled(client, window)
    except FutureDateError:
        end = window.end - _SKEW
        if not window.is_last or end <= window.start:
            raise
        for page in _settled(client, Window(window.start, end)):
            yield Page(page.records, page.source_ref, rejects=page.rejects, served_until=end)
        yield Page((), "eBay's clock is behind", served_until=end)


def _settled(client: EbayClient, window: Window) -> Iterator[Page]:
    """The window's orders, read again until none came or went while paging."""
    for _ in range(_TIMES):
        ids: set[str] = set()
        totals: set[int | None] = set()
        for number, page in enumerate(_pages(client, window), start=1):
            totals.add(page.total)
            if page.total is not None and page.total > MOST_ORDERS:
                yield from _halves(client, window)
                return
            ids.update(str(order.get("orderId")) for order in page.records)
            place = f"orders changed {_bounds(window)} page {number}"
            yield Page([_whole(client, order) for order in page.records], place)
        told = max((total for total in totals if total is not None), default=0)
        if len(totals) <= 1 and len(ids) >= told:
            return
    if len(totals) > 1:
        raise StopStream(
            f"the orders changed {_bounds(window)} kept changing while they were read. What was "
            "read stays; the next night reads the window again."
        )
    note = f"eBay counts {told} orders and gives {len(ids)}; if it happens again, ask its support"
    yield Page((), place, rejects=[Reject("fewer_than_told", 0, note, place)], is_whole=False)


def _pages(client: EbayClient, window: Window) -> Iterator[PageOf]:
    params = {
        "filter": f"lastmodifieddate:[{_bounds(window)}]",
        "limit": LIMIT,
        "fieldGroups": "TAX_BREAKDOWN",
    }
    return client.pages("fulfillment", "/order", params, "orders")


def _bounds(window: Window) -> str:
    """Both ends are inclusive at eBay, so that windows that touch give no order twice."""
    return f"{ebay_time(window.start)}..{ebay_time(window.end - _TICK)}"


def _halves(client: EbayClient, window: Window) -> Iterator[Page]:
    middle = (window.start + (window.end - window.start) / 2).replace(microsecond=0)
    if middle - window.start < _SHORTEST:
        raise StopStream(
            f"more than {MOST_ORDERS} orders changed {_bounds(window)}: they cannot be paged. "
            "Ask eBay's support for that time."
        )
    yield from _settled(client, Window(window.start, middle, is_last=False))
    yield from _settled(client, Window(middle, window.end, is_last=window.is_last))


def _whole(client: EbayClient, order: Node) -> Node:
    """With its cancel requests, which lists never have, and its shipments."""
    order_id = quote(str(order.get("orderId") or ""), safe="")
    if not order_id:
        return order_record(order, client.account)
    state = (order.get("cancelStatus") or {}).get("cancelState") or "NONE_REQUESTED"
    if state != "NONE_REQUESTED":
        full = _ask(client, f"/order/{order_id}")
        order = {**order, "cancelStatus": full.get("cancelStatus") or order.get("cancelStatus")}
    if order.get("orderFulfillmentStatus") != "NOT_STARTED":
        found = _ask(client, f"/order/{order_id}/shipping_fulfillment").get("fulfillments")
        order = {**order, "fulfillments": found or []}
    return order_record(order, client.account)


def _ask(client: EbayClient, path: str) -> Node:
    try:
        return client.ask("fulfillment", path)
    except NothingFoundError:
        return {}  # archived meanwhile: what the list said stays


def _refuse_hidden(client: EbayClient, window: Window) -> None:
    oldest = client.clock.now() - ORDERS_SHOWN
    if window.start < oldest:
        raise ConfigurationError(
            f"account {client.account.name}: eBay shows orders of the last two years only. Set "
            f"start to {(oldest + timedelta(days=1)).date()} or later; older orders can come by "
            "file (`aftersales import`)."
        )


def _consent_notes(client: EbayClient) -> Sequence[Reject]:
    warning = client.tokens.consent_warning()
    return [Reject("consent_ends_soon", 0, warning)] if warning else []
