"""Amazon, a troubled and a slow API: no row is lost, and no more time taken than the rates ask."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from sources._core.clock import ManualClock
from sources._core.testing import RawTable, raw_tables, run_night, sandbox_account
from sources._sandbox.scenario import Scenario
from sources._sandbox.server import serve
from sources._sandbox.world import build_world
from sources._sandbox.world.tables import World
from sources.amazon import CONNECTOR
from sources.amazon.config import RATES
from sources.amazon.streams import ORDERS_STREAM
from tests.connectors.amazon_stub import (
    NOW,
    Handler,
    Nights,
    Reading,
    StubAmazon,
    account,
    as_json,
    records,
)

START = date(2026, 1, 1)
END = datetime(2026, 3, 20, tzinfo=UTC)


def scenario(folder: Path, api: str) -> Scenario:
    path = folder / "scenario.toml"
    path.write_text(
        f"""
        seed = 99
        start = {START}
        today = {END.date()}
        orders_per_day = 5
        skus = 6
        [api]
        throttle = "fast"
        {api}
        [[accounts]]
        connector = "amazon"
        name = "amz_jp"
        marketplaces = ["JP"]
        """,
        encoding="utf-8",
    )
    return Scenario.load(path)


def night(made: World, told: Scenario, landing: Path) -> dict[tuple[str, str], RawTable]:
    clock = ManualClock(END)
    values = {"name": "amz_jp", "marketplaces": ("JP",), "start": START}
    with serve(made, told, clock=clock) as server:
        outcomes = run_night(
            CONNECTOR,
            sandbox_account(CONNECTOR, server.base_urls["amazon"], values),
            landing,
            clock,
        )
    assert [found.error for found in outcomes if found.error] == []
    return raw_tables(CONNECTOR, landing)


def test_cut_and_refused_answers_lose_no_row(tmp_path: Path) -> None:
    smooth = scenario(tmp_path, "")
    made = build_world(smooth)
    whole = night(made, smooth, tmp_path / "smooth")
    filled = {stream for (_account, stream), rows in whole.items() if rows}
    always = {"all_orders", "orders", "fba_returns", "fulfilled_shipments", "settlements"}
    assert always | {"transactions", "inbound_plans"} <= filled
    for number, api in enumerate(("truncated = 0.03", "truncated = 0.4\nhttp_503 = 0.2")):
        told = scenario(tmp_path, api)
        assert night(made, told, tmp_path / str(number)) == whole, api


def test_many_pages_take_no_more_time_than_the_rate_asks(tmp_path: Path) -> None:
    pages = [
        {"orders": [{"orderId": str(n), "lastUpdatedTime": "2026-03-19T10:00:00Z"}]}
        for n in range(60)
    ]
    stub = StubAmazon()

    def page(number: int) -> Handler:
        token = {"pagination": {"nextToken": f"page-{number + 1}"}} if number < 59 else {}
        return lambda _request: as_json(pages[number] | token)

    stub.script("GET /orders/2026-01-01/orders", *[page(number) for number in range(60)])
    reading = Reading(tmp_path)
    with stub.running():
        assert len(records(reading.encoded(ORDERS_STREAM, NOW - timedelta(days=1)))) == 60
    rate = RATES["searchOrders"]
    ideal = (60 - rate.burst) / rate.per_second
    assert ideal <= reading.clock.elapsed + 1 <= ideal * 1.05


@pytest.mark.parametrize("months", [10, 30])
def test_many_reports_take_no_more_time_than_the_rates_ask(tmp_path: Path, months: int) -> None:
    stub = StubAmazon(new_report=lambda report: setattr(report, "statuses", ["DONE"]))
    start = NOW - timedelta(days=30 * months)
    nights = Nights(tmp_path, (account(start=start.date()),))
    clock = ManualClock(NOW)
    with stub.running():
        outcomes = nights.extract(NOW, "all_orders", clock=clock)
    assert [found.error for found in outcomes if found.error] == []
    created = [json.loads(r.body) for r in stub.sent("POST /reports/2021-06-30/reports")]
    assert len(created) == months
    rate = RATES["createReport"]
    ideal = max(0.0, (months - rate.burst) / rate.per_second)
    assert clock.elapsed <= ideal * 1.05 + 1
