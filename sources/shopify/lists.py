"""Short lists that are read whole each night: the shop, unit costs, disputes, reasons of returns.

Belongs here: one reader for lists of one connection. Does not belong here: what goes by windows of
time (`searches.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import MappingProxyType

from sources._core.connector import Page, Reject, StreamContext, Window

from .answers import AccessDeniedError
from .client import Node, ShopifyClient
from .shapes import denied_notes, flat
from .words import Words, unknown_words

Reader = Callable[[StreamContext, Window], Iterator[Page]]


def whole_list(
    operation: str,
    connection: str,
    *,
    shape: Callable[[Node], Node] = flat,
    words: Words = MappingProxyType({}),
    optional_right: str | None = None,
) -> Reader:
    """Reader of all pages of a connection. Without an optional right it is empty, and says so."""

    def read(context: StreamContext, _window: Window) -> Iterator[Page]:
        client: ShopifyClient = context.client
        client.shop()
        try:
            for number, (nodes, result) in enumerate(client.pages(operation, (connection,)), 1):
                records = [shape(node) for node in nodes if node is not None]
                notes = denied_notes(result.denied) + unknown_words(records, words)
                yield Page(records, f"{operation} {number}", rejects=notes)
        except AccessDeniedError:
            if optional_right is None:
                raise
            advice = f"give the app the right {optional_right} if they are wanted"
            yield Page((), operation, rejects=[Reject("not_allowed", 0, advice, connection)])

    return read


def read_shop(context: StreamContext, _window: Window) -> Iterator[Page]:
    client: ShopifyClient = context.client
    yield Page([flat(client.shop().record)], "shop")
