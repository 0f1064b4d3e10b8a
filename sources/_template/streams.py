"""The raw tables: which fields are kept, how a record is recognised, how far back a night looks.

Belongs here: records and declarations. Does not belong here: fetching (`client.py`).
A field that is not in a record is never written anywhere: leave out whatever names a person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import msgspec

from sources._core.connector import Page, Stream, StreamContext, Window
from sources._core.records import Record
from sources._core.static import static_streams

from .client import TemplateClient


class OrderLine(Record, rename="camel"):
    """A line of an order."""

    line_id: str
    sku: str | None = None
    quantity: int | None = None
    unit_price: Decimal | None = None


class Order(Record, rename="camel"):
    """An order in the state of its last change. Names are landed as the API gives them."""

    order_id: str
    updated_at: str
    created_at: str | None = None
    shipped_at: str | None = None
    status: str | None = None
    marketplace: str | None = None
    country: str | None = None
    currency: str | None = None
    lines: list[OrderLine] | None = None


class Return(Record, rename="camel"):
    """A return of one order line."""

    return_id: str
    updated_at: str
    order_id: str | None = None
    line_id: str | None = None
    sku: str | None = None
    quantity: int | None = None
    requested_at: str | None = None
    received_at: str | None = None
    status: str | None = None
    reason: str | None = None
    comment: str | None = None


def changed(operation: str) -> Callable[[StreamContext, Window], Iterator[Page]]:
    """Reader of one operation that lists what changed."""

    def read(context: StreamContext, window: Window) -> Iterator[Page]:
        client: TemplateClient = context.client
        for number, page in enumerate(client.changed(operation, window), start=1):
            yield Page(page.items, source_ref=f"{operation} page {number}")

    return read


def _stream(
    name: str, record: type[msgspec.Struct], key: str, event: str, free_text: tuple[str, ...] = ()
) -> Stream:
    return Stream(
        name=name,
        record=record,
        key=(key,),
        version="updated_at",
        read=changed(name),
        lookback=timedelta(hours=1),
        max_window=timedelta(days=30),
        free_text=free_text,
        event_field=event,
        known_dropped=("buyer",),
    )


STREAMS = (
    _stream("orders", Order, "order_id", "created_at"),
    _stream("returns", Return, "return_id", "requested_at", free_text=("comment",)),
    *static_streams(Path(__file__).parent),
)
