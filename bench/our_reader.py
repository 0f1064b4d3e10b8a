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


class Money(Record, rename="camel"):
    amount: str | None = None
    currency_code: str | None = None


class Price(Record, rename="camel"):
    unit_price: Money | None = None


class Product(Record, rename="camel"):
    asin: str | None = None
    seller_sku: str | None = None
    price: Price | None = None


class Proceeds(Record, rename="camel"):
    proceeds_total: Money | None = None


class ItemFulfillment(Record, rename="camel"):
    quantity_fulfilled: int | None = None
    quantity_unfulfilled: int | None = None


class Item(Record, rename="camel"):
    order_item_id: str
    quantity_ordered: int
    product: Product
    proceeds: Proceeds | None = None
    fulfillment: ItemFulfillment | None = None


class SalesChannel(Record, rename="camel"):
    channel_name: str | None = None
    marketplace_id: str | None = None
    marketplace_name: str | None = None


class Fulfillment(Record, rename="camel"):
    fulfillment_status: str | None = None
    fulfilled_by: str | None = None
    fulfillment_service_level: str | None = None


class Order(Record, rename="camel"):
    order_id: str
    created_time: str
    last_updated_time: str
    sales_channel: SalesChannel
    order_items: list[Item]
    programs: list[str] | None = None
    fulfillment: Fulfillment | None = None


class Token(msgspec.Struct, rename="camel"):
    next_token: str | None = None


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
        return body, body.pagination.next_token if body.pagination else None

    for number, body in enumerate(walk(fetch, "bench/orders")):
        yield Page(body.orders, f"page {number}")


ORDERS = Stream(
    name="orders", record=Order, key=("order_id",), version="last_updated_time", read=read
)


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
