"""A pretend connector whose answers a test decides, and a warehouse that has its tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from assets.control import ensure_control_tables, read_cursors
from assets.load import LoadResult, load_landed
from assets.raw_tables import ensure_raw_tables
from assets.warehouse import Warehouse
from sources._core.clock import ManualClock
from sources._core.connector import AccountSettings, Connector, Page, Stream, StreamContext, Window
from sources._core.extract import ExtractRequest, StreamOutcome, extract_all
from sources._core.records import Record


class Money(Record):
    amount: str | None = None
    currency: str | None = None


class Order(Record):
    order_id: str | None = None
    updated_at: str | None = None
    quantity: int | None = None
    price: Money | None = None
    tags: list[str] | None = None


class Parcel(Record):
    parcel_id: str | None = None
    returned_on: str | None = None


class Reason(Record):
    code: str | None = None


@dataclass
class Shop:
    """What the pretend API answers: a test fills these."""

    orders: list[dict[str, Any]] = field(default_factory=list)
    parcels: list[dict[str, Any]] = field(default_factory=list)
    reasons: list[dict[str, Any]] = field(default_factory=list)

    def read_orders(self, context: StreamContext, window: Window) -> Iterator[Page]:
        """Pages of two, those whose last change lies in the window."""
        rows = [r for r in self.orders if _within(r["updated_at"], window)]
        for start in range(0, len(rows), 2):
            yield Page(rows[start : start + 2], source_ref=f"page {start}")

    def read_parcels(self, context: StreamContext, window: Window) -> Iterator[Page]:
        rows = [r for r in self.parcels if _within(r["returned_on"], window)]
        yield Page(rows, source_ref="report")

    def read_reasons(self, context: StreamContext, window: Window) -> Iterator[Page]:
        yield Page(self.reasons, source_ref="reasons.csv")


def _within(text: str, window: Window) -> bool:
    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return window.start <= moment < window.end


@dataclass
class Pretend:
    """A shop, its landing folder and its warehouse."""

    shop: Shop
    connector: Connector
    landing: Path
    warehouse: Warehouse

    def extract(self, until: str) -> list[StreamOutcome]:
        with self.warehouse.connect() as connection:
            cursors = read_cursors(connection)
        account = AccountSettings(connector="pretend", name="shop_a", start=date(2026, 1, 1))
        request = ExtractRequest(
            self.connector,
            account,
            cursors={s: at for (_c, a, s), at in cursors.items() if a == account.name},
        )
        return extract_all([request], self.landing, _clock(until))

    def load(self, known_by: datetime | None = None) -> list[LoadResult]:
        return load_landed(self.warehouse, self.landing, [self.connector], known_by=known_by)

    def night(self, until: str) -> list[LoadResult]:
        self.extract(until)
        return self.load()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.warehouse.connect() as connection:
            return connection.execute(sql).fetchall()

    def table(self, stream: str, columns: str) -> list[tuple[Any, ...]]:
        return self.rows(f"select {columns} from raw_pretend.{stream} order by all")


def _clock(until: str) -> ManualClock:
    return ManualClock(datetime.fromisoformat(until).replace(tzinfo=UTC))


@pytest.fixture
def make_pretend(tmp_path: Path) -> Callable[[str], Pretend]:
    """Several installations side by side, each in a folder of its own."""

    def make(name: str = "one") -> Pretend:
        shop = Shop()
        streams = (
            Stream(
                name="orders",
                record=Order,
                key=("order_id",),
                read=shop.read_orders,
                version="updated_at",
                lookback=timedelta(days=2),
                max_window=timedelta(days=5),
                event_field="updated_at",
            ),
            Stream(
                name="parcels",
                record=Parcel,
                key=("parcel_id",),
                read=shop.read_parcels,
                lookback=timedelta(days=10),
                complete_within="returned_on",
            ),
            Stream(
                name="reasons", record=Reason, key=("code",), read=shop.read_reasons, is_static=True
            ),
        )
        connector = Connector(
            name="pretend",
            streams=streams,
            settings=AccountSettings,
            open=lambda _account, _clock: object(),
        )
        folder = tmp_path / name
        warehouse = Warehouse(folder / "warehouse.duckdb")
        with warehouse.connect() as connection:
            ensure_control_tables(connection)
            ensure_raw_tables(connection, [connector])
        return Pretend(shop, connector, folder / "landing", warehouse)

    return make


@pytest.fixture
def pretend(make_pretend: Callable[[str], Pretend]) -> Pretend:
    return make_pretend("one")
