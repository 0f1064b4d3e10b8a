"""Backfill reads older windows again, merges what comes and leaves the cursors where they are."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines import replay
from pipelines.night import Night
from pipelines.resources import Places
from pipelines.settings import parse_settings
from sources._core.clock import SystemClock


@pytest.fixture
def night(pretend: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Night:
    """A night of the pretend shop whose models and publication are left out."""
    connectors = {"pretend": pretend.connector}
    account = {"connector": "pretend", "name": "shop_a", "start": date(2026, 1, 1)}
    settings = parse_settings({"accounts": [account]}, connectors, lambda name: name, tmp_path)
    for step in ("transform", "publish_night"):
        monkeypatch.setattr(replay.steps, step, lambda _night: None)
    places = Places(tmp_path / "one", tmp_path / "state", tmp_path / "none.toml")
    clock = SystemClock(datetime(2026, 1, 20, tzinfo=UTC))
    return Night(places, settings, connectors, clock)


def order(number: int, updated: str) -> dict[str, Any]:
    return {"order_id": f"A{number}", "updated_at": updated, "quantity": number}


def test_a_backfill_brings_what_was_missed_and_moves_no_cursor(pretend: Any, night: Night) -> None:
    pretend.shop.orders = [order(1, "2026-01-02T10:00:00Z"), order(2, "2026-01-18T10:00:00Z")]
    pretend.night("2026-01-20")
    cursors = pretend.rows("select * from load.cursor order by all")
    pretend.shop.orders.insert(1, order(3, "2026-01-03T10:00:00Z"))
    pretend.night("2026-01-20")
    assert len(pretend.table("orders", "order_id")) == 2
    replay.backfill(
        night, datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 5, tzinfo=UTC), "pretend"
    )
    assert len(pretend.table("orders", "order_id")) == 3
    assert pretend.rows("select * from load.cursor order by all") == cursors
    (outcome,) = pretend.rows(
        "select state, rows_changed from load.outcome where stream = 'orders'"
    )
    assert outcome == ("ok", 1)
