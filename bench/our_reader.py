"""Ours: the same pages through `sources` into landing files, and from there into raw tables.

A connector declared for this bench, run by the product's own extraction and load; no Dagster.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec

from assets.control import ensure_control_tables
from assets.load import load_landed
from assets.raw_tables import ensure_raw_tables
from assets.warehouse import Warehouse
from sources._core.clock import SystemClock
from sources._core.connector import (
    AccountSettings,
    Connector,
    Page,
    Stream,
    StreamContext,
    Window,
)
from sources._core.extract import ExtractRequest, extract_all
from sources._core.http import Call, Session
from sources._core.pagination import walk
from sources._core.records import Record

NOW = datetime(2026, 11, 20, tzinfo=UTC)


class Money(Record):
    amount: str | None = None
    currencyCode: str | None = None


class Price(Record):
    unitPrice: Money | None = None


class Product(Record):
    asin: str | None = None
    sellerSku: str | None = None
    price: Price | None = None


class Proceeds(Record):
    proceedsTotal: Money | None = None


class ItemFulfillment(Record):
    quantityFulfilled: int | None = None
    quantityUnfulfilled: int | None = None


class Item(Record):
    orderItemId: str
    quantityOrdered: int
    product: Product
    proceeds: Proceeds | None = None
    fulfillment: ItemFulfillment | None = None


class SalesChannel(Record):
    channelName: str | None = None
    marketplaceId: str | None = None
    marketplaceName: str | None = None


class Fulfillment(Record):
    fulfillmentStatus: str | None = None
    fulfilledBy: str | None = None
    fulfillmentServiceLevel: str | None = None


class Order(Record):
    orderId: str
    createdTime: str
    lastUpdatedTime: str
    salesChannel: SalesChannel
    orderItems: list[Item]
    programs: list[str] | None = None
    fulfillment: Fulfillment | None = None


class Token(msgspec.Struct):
    nextToken: str | None = None


class Body(msgspec.Struct):
    orders: list[msgspec.Raw]
    pagination: Token | None = None


_decode = msgspec.json.Decoder(Body).decode


def read(ctx: StreamContext, window: Window) -> Iterator[Page]:
    """Pages of orders, each cut into records without decoding them."""
    del window

    def fetch(token: str | None) -> tuple[Body, str | None]:
        call = Call("GET", "/orders", params={"page": token or "0"})
        body = ctx.client.request(call, _decode).value
        return body, body.pagination.nextToken if body.pagination else None

    for number, body in enumerate(walk(fetch, "bench/orders")):
        yield Page(body.orders, f"page {number}")


ORDERS = Stream(name="orders", record=Order, key=("orderId",), version="lastUpdatedTime", read=read)


def open_session(account: AccountSettings, clock: SystemClock) -> Session:
    return Session(account.base_url or "", clock)


CONNECTOR = Connector(name="bench", streams=(ORDERS,), settings=AccountSettings, open=open_session)


def main(url: str) -> None:
    account = AccountSettings(
        connector="bench", name="bench", start=date(2026, 11, 1), base_url=url
    )
    with tempfile.TemporaryDirectory() as folder:
        landing = Path(folder) / "landing"
        outcomes = extract_all(
            [ExtractRequest(CONNECTOR, account)], landing, SystemClock(fixed_now=NOW)
        )
        if any(outcome.error for outcome in outcomes):
            raise SystemExit(str(outcomes))
        warehouse = Warehouse(Path(folder) / "warehouse.duckdb")
        with warehouse.connect() as connection:
            ensure_control_tables(connection)
            ensure_raw_tables(connection, [CONNECTOR])
        print([result.rows_loaded for result in load_landed(warehouse, landing, [CONNECTOR])])


if __name__ == "__main__":
    main(sys.argv[1])
