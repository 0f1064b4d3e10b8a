"""However a stretch of time is cut into nights, the published marts are the same, row for row,
and whatever goes wrong with the answers of a source.

One small world; the nights run in this process, without Dagster, on the real clients, models and
publication. All sources with all faults of an API: `test_truth.py`.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pydantic
import pytest

from assets import renewal
from assets.comparison import compare_marts
from pipelines import replay
from pipelines.night import Night, NightRunningError, Report, exclusive, run_night
from pipelines.opening import MixedDataError, Wish, open_night
from pipelines.resources import Places

WORLD = """
seed = 23
start = 2026-01-10
today = 2026-04-05
orders_per_day = 4
skus = 5
[[accounts]]
connector = "amazon"
name = "amz_eu"
marketplaces = ["DE", "FR"]
[[accounts]]
connector = "files"
name = "own_shop"
"""
FAULTS = """
[api]
http_429 = 0.05
http_503 = 0.02
truncated = 0.01
duplicate_record = 0.2
out_of_order = 0.3
"""
FIRST, SECOND, LAST = "2026-02-01", "2026-03-12", "2026-04-05"


@dataclass(frozen=True)
class Installation:
    """A data folder and nights in it."""

    places: Places
    scenario: Path

    def wish(self, until: str, *, reads_sources: bool = True) -> Wish:
        clock = datetime.fromisoformat(until).replace(tzinfo=UTC)
        return Wish(clock, self.scenario, reads_sources=reads_sources)

    def night(self, until: str, *, with_wrong_secret: bool = False) -> Report:
        with open_night(self.wish(until), where=self.places) as night:
            return run_night(_locked_out(night) if with_wrong_secret else night)

    def rebuild(self, until: str, as_of: datetime | None = None) -> None:
        with open_night(self.wish(until, reads_sources=False), where=self.places) as night:
            replay.rebuild(night, as_of)

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        with duckdb.connect(str(self.places.publication), read_only=True) as connection:
            return connection.execute(sql).fetchall()


def _locked_out(night: Night) -> Night:
    """The same night with a refresh token that Amazon refuses."""
    accounts = tuple(
        account.model_copy(
            update={"secrets": {**account.secrets, "refresh_token": pydantic.SecretStr("wrong")}}
        )
        for account in night.settings.accounts
    )
    return replace(night, settings=replace(night.settings, accounts=accounts))


def _installation(folder: Path, world: str = WORLD) -> Installation:
    folder.mkdir(parents=True)
    scenario = folder / "world.toml"
    scenario.write_text(world, "utf-8")
    return Installation(Places(folder / "data", folder / "state", folder / "none.toml"), scenario)


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Everything in one night, from sources that throttle, fail, cut and repeat answers."""
    made = _installation(tmp_path_factory.mktemp("long") / "one", WORLD + FAULTS)
    made.night(LAST)
    return made


@dataclass(frozen=True)
class Split:
    """Several nights: one with Amazon out of reach, repeated once it answers again."""

    installation: Installation
    outage: Report
    freshness_in_outage: list[tuple[object, ...]]
    at_second: Path


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Split:
    folder = tmp_path_factory.mktemp("split")
    made = _installation(folder / "many")
    made.night(FIRST)
    outage = made.night(SECOND, with_wrong_secret=True)
    freshness = made.rows(
        "select distinct connector, freshness_state, last_error from meta.freshness"
        " where account <> 'all'"
    )
    with pytest.MonkeyPatch.context() as patch:  # what a seller with large tables publishes
        patch.setattr(renewal, "LEAST_ROWS", 1)
        renewed = made.night(SECOND).publication
    assert renewed is not None
    assert any(renewed.renewed.values())
    at_second = folder / "second.duckdb"
    shutil.copy(made.places.publication, at_second)
    made.night(LAST)
    return Split(made, outage, freshness, at_second)


def test_many_nights_equal_one_long_night(long: Installation, split: Split) -> None:
    assert long.rows("select count(*) > 100 from marts.fct_order_line") == [(True,)]
    assert long.rows("select sum(units_returned) > 0 from marts.mart_return_base") == [(True,)]
    assert compare_marts(split.installation.places.publication, long.places.publication) == []


def test_models_of_connectors_without_account_are_left_out(long: Installation) -> None:
    with duckdb.connect(str(long.places.warehouse), read_only=True) as connection:
        found = connection.execute(
            "select table_name from information_schema.tables"
            " where table_schema = 'staging' and table_name like 'stg%_order_lines' order by all"
        ).fetchall()
    assert found == [("stg_amazon__order_lines",), ("stg_files__order_lines",)]


def test_an_account_out_of_reach_stops_nobody_else(split: Split) -> None:
    failed = {place[:2] for place in split.outage.failures}
    assert failed == {("amazon", "amz_eu")}
    assert split.outage.publication is not None
    states = {(row[0], row[1]) for row in split.freshness_in_outage}
    assert ("amazon", "failing") in states
    assert {state for connector, state in states if connector == "files"} == {"fresh"}
    errors = [str(row[2]) for row in split.freshness_in_outage if row[1] == "failing"]
    assert all("refresh_token" in error and "wrong" not in error for error in errors)


def test_the_same_night_again_brings_nothing_new(long: Installation) -> None:
    before = long.places.publication.stat()
    report = long.night(LAST)
    assert report.is_unchanged
    assert long.places.publication.stat().st_ino == before.st_ino


def test_a_rebuild_equals_what_it_replaces(long: Installation, split: Split) -> None:
    many = split.installation
    many.rebuild(LAST)
    assert compare_marts(many.places.publication, long.places.publication) == []
    assert len(many.rows("from meta.build")) >= 4
    many.rebuild(LAST, datetime.fromisoformat(SECOND).replace(tzinfo=UTC))
    assert compare_marts(many.places.publication, split.at_second) == []
    many.night(LAST)
    assert compare_marts(many.places.publication, long.places.publication) == []


def test_a_second_night_is_refused_while_one_runs(long: Installation) -> None:
    with (
        exclusive(long.places),
        pytest.raises(NightRunningError, match="already running"),
        open_night(long.wish(LAST), where=long.places),
    ):
        pass


def test_simulated_and_real_figures_are_kept_apart(long: Installation, tmp_path: Path) -> None:
    config = tmp_path / "aftersales.toml"
    config.write_text('[[accounts]]\nconnector = "files"\nname = "shop"\nstart = 2026-01-01\n')
    real = replace(long.places, config=config)
    with (
        pytest.MonkeyPatch.context() as patch,
        pytest.raises(MixedDataError, match="AFTERSALES_DATA_DIR"),
    ):
        patch.setenv("AFTERSALES_CUSTOMER_KEY", "key")
        with open_night(where=real):
            pass
