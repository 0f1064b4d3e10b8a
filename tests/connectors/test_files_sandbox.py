"""What the simulated seller drops goes through the inbox whole: no row refused or unknown."""

from __future__ import annotations

import gzip
import io
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from sources._sandbox import inbox_files
from sources._sandbox.scenario import Scenario
from sources._sandbox.world import World, build_world
from sources.files.channels import KnownAccount
from tests.connectors.files_drop import Drop


@pytest.fixture(scope="module")
def world(project_root: Path) -> World:
    path = project_root / "sources" / "_sandbox" / "scenarios" / "small.toml"
    return build_world(Scenario.load(path))


@pytest.fixture
def drop(tmp_path: Path, world: World) -> Drop:
    accounts = tuple(
        KnownAccount(account.name, account.connector) for account in world.scenario.accounts
    )
    return Drop(tmp_path, accounts=accounts)


def _today(world: World) -> datetime:
    return datetime.combine(world.scenario.today, datetime.min.time(), tzinfo=UTC)


def _rows_in(path: Path) -> int:
    if path.suffix == ".parquet":
        return pl.read_parquet(path).height
    content = path.read_bytes()
    text = gzip.decompress(content) if path.suffix == ".gz" else content
    return pl.read_csv(io.BytesIO(text), infer_schema=False).height


def test_every_row_that_the_seller_drops_is_landed(drop: Drop, world: World) -> None:
    drop.day = _today(world)
    files = inbox_files.write(world, drop.day, drop.inbox)
    given = Counter({path.parent.name: _rows_in(path) for path in files})
    drop.night()
    assert {dataset: len(drop.rows(dataset)) for dataset in given} == dict(given)
    for dataset in given:
        assert drop.rejects(dataset) == {}
        assert [d for m in drop.manifests(dataset) for d in m.drift] == []
        assert not any(path.is_file() for path in (drop.inbox / dataset).iterdir())


def test_buyers_in_an_export_are_dropped_and_named_only_as_columns(
    drop: Drop, world: World
) -> None:
    drop.day = _today(world)
    inbox_files.write(world, drop.day, drop.inbox, with_personal_data=True)
    drop.night("orders")
    landed = b"".join(str(row).encode() for row in drop.rows("orders"))
    names = [name for name in world.buyers["name"].to_list() if name]
    assert names
    assert not any(name.encode() in landed for name in names)
    drift = {d.field for m in drop.manifests("orders") for d in m.drift}
    assert {"buyer_name", "buyer_email", "recipient_phone"} <= drift


def test_many_short_nights_end_with_the_rows_of_one_long_night(
    drop: Drop, world: World, tmp_path: Path
) -> None:
    long = Drop(tmp_path / "long", accounts=drop.accounts, day=_today(world))
    inbox_files.write(world, long.day, long.inbox)
    long.night("orders", "returns")
    for days in (40, 12, 5, 0):
        drop.day = _today(world) - timedelta(days=days)
        inbox_files.write(world, drop.day, drop.inbox)
        drop.night("orders", "returns")
    for stream in ("orders", "returns"):
        newest = {row["_key"]: row["_hash"] for row in drop.rows(stream)}
        assert newest == {row["_key"]: row["_hash"] for row in long.rows(stream)}
