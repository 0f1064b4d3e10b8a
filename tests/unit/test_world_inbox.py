"""The seller's own files of a simulated world: right columns, right rows, in any steps of time."""

from __future__ import annotations

import gzip
import io
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import polars as pl
import pytest

from sources._sandbox import inbox_files
from sources._sandbox.scenario import DEFAULT_SCENARIO, Scenario
from sources._sandbox.world import World, build_world
from sources.files.declarations import all_datasets

CLOCK = datetime(2026, 6, 1, tzinfo=UTC)
KEYS = {dataset.name: dataset.key for dataset in all_datasets()}


@cache
def world() -> World:
    return build_world(Scenario.load(DEFAULT_SCENARIO.parent / "scenarios" / "small.toml"))


def read(path: Path) -> pl.DataFrame:
    """A dropped file as text cells."""
    if path.suffix == ".parquet":
        frame = pl.read_parquet(path)
        times = [c for c, t in frame.schema.items() if isinstance(t, pl.Datetime)]
        return frame.with_columns(
            pl.col(times).dt.strftime("%Y-%m-%dT%H:%M:%SZ")
        ).cast(pl.String)  # fmt: skip
    content = path.read_bytes()
    content = gzip.decompress(content) if path.suffix == ".gz" else content
    return pl.read_csv(io.BytesIO(content), infer_schema=False)


def last_known(folder: Path) -> dict[str, pl.DataFrame]:
    """For each dataset the newest row of each key, over all files in the order of dropping."""
    found = {}
    for dataset, key in KEYS.items():
        paths = sorted((folder / dataset).glob("*"), key=lambda p: (p.stat().st_mtime, p.name))
        if paths:
            rows = pl.concat(read(path) for path in paths)
            known = [name for name in key if name in rows.columns]
            found[dataset] = rows.unique(known, keep="last", maintain_order=True).sort(known)
    return found


@pytest.fixture
def one_drop(tmp_path: Path) -> Path:
    inbox_files.write(world(), CLOCK, tmp_path)
    return tmp_path


def test_columns_are_those_the_inbox_knows(one_drop: Path) -> None:
    datasets = {dataset.name: dataset for dataset in all_datasets()}
    seen = set()
    for path in sorted(one_drop.glob("*/*")):
        dataset = datasets[path.parent.name]
        seen.add(dataset.name)
        rows = read(path)
        assert set(rows.columns) <= set(dataset.spellings()), path
        for column in dataset.columns:
            if column.required:
                assert rows[column.name].null_count() == 0, (path.name, column.name)
            if column.values and column.name in rows.columns:
                assert set(rows[column.name].drop_nulls()) <= set(column.values)
        assert not rows.select(n for n in dataset.key if n in rows.columns).is_duplicated().any()
    assert seen == set(inbox_files.DATASETS) - {"fx_rates"}


@pytest.mark.parametrize("days", [1, 9])
def test_many_short_steps_tell_what_one_long_step_tells(
    tmp_path: Path, one_drop: Path, days: int
) -> None:
    steps = tmp_path / "steps"
    now = CLOCK - timedelta(days=30)
    while now < CLOCK:
        inbox_files.write(world(), now, steps)
        now += timedelta(days=days)
    inbox_files.write(world(), CLOCK, steps)
    whole, parts = last_known(one_drop), last_known(steps)
    assert set(whole) == set(parts)
    for dataset, rows in whole.items():
        assert parts[dataset].equals(rows), dataset


def test_nothing_is_dropped_twice_and_an_interrupted_drop_repeats_itself(tmp_path: Path) -> None:
    first = inbox_files.write(world(), CLOCK - timedelta(days=3), tmp_path)
    assert first
    assert inbox_files.write(world(), CLOCK - timedelta(days=3), tmp_path) == []
    marker = (tmp_path / inbox_files.MARKER).read_bytes()
    second = {path: path.read_bytes() for path in inbox_files.write(world(), CLOCK, tmp_path)}
    (tmp_path / inbox_files.MARKER).write_bytes(marker)
    again = inbox_files.write(world(), CLOCK, tmp_path)
    assert {path: path.read_bytes() for path in again} == second


def test_nothing_after_the_clock_is_told(tmp_path: Path) -> None:
    clock = CLOCK - timedelta(days=40)
    inbox_files.write(world(), clock, tmp_path)
    text = f"{clock:%Y-%m-%dT%H:%M:%SZ}"
    plans = {"ship_by_at", "promised_at"}
    for path in tmp_path.glob("*/*"):
        rows = read(path)
        for column in rows.columns:
            if column.endswith("_at") and column not in plans:
                assert (rows[column].drop_nulls() <= text).all(), (path.name, column)


def test_files_are_old_enough_to_be_taken_at_once(one_drop: Path) -> None:
    for path in one_drop.glob("*/*"):
        assert path.stat().st_mtime < datetime(2002, 1, 1, tzinfo=UTC).timestamp()


def test_personal_data_is_there_only_when_asked_for(tmp_path: Path, one_drop: Path) -> None:
    plain = b"".join(path.read_bytes() for path in (one_drop / "orders").glob("*"))
    assert b"Quillfeather" not in plain
    inbox_files.write(world(), CLOCK, tmp_path / "all", with_personal_data=True)
    full = b"".join(path.read_bytes() for path in (tmp_path / "all/orders").glob("*"))
    assert b"Quillfeather" in full
    assert b"@buyer.example" in full


def test_money_is_exact_for_currencies_with_and_without_decimals(tmp_path: Path) -> None:
    scenario = Scenario.parse(
        {
            "seed": 8,
            "start": "2026-01-01",
            "today": "2026-03-01",
            "orders_per_day": 6,
            "skus": 3,
            "accounts": [
                {"connector": "files", "name": "jp", "countries": ["JP"]},
                {"connector": "files", "name": "sa", "countries": ["SA"]},
            ],
        }
    )
    made = build_world(scenario)
    inbox_files.write(made, scenario.clock, tmp_path)
    orders = last_known(tmp_path)["orders"]
    yen = orders.filter(pl.col("channel") == "jp")
    assert yen["unit_price"].str.contains(r"^\d+$").all()
    riyal = orders.filter(pl.col("channel") == "sa")
    assert riyal["unit_price"].str.contains(r"^\d+\.\d\d$").all()
    clock = scenario.clock.replace(tzinfo=None)
    known = made.orders.filter((pl.col("account") == "sa") & (pl.col("ordered_at") <= clock))
    lines = made.order_lines.join(known, on="order_id")
    total = (lines["unit_price_minor"] * lines["quantity"]).sum()
    cents = riyal["unit_price"].str.replace(".", "", literal=True).cast(pl.Int64)
    assert (cents * riyal["quantity"].cast(pl.Int64)).sum() == total
    rates = last_known(tmp_path)["fx_rates"]
    assert set(rates["quote"]) == {"SAR"}
    assert rates.height > 59
