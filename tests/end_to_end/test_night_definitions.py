"""The Dagster code location: loads without credentials, events for changed assets only."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import duckdb
import pytest
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage

from assets.catalog import Model
from assets.dbt import BuildResult, NodeResult
from assets.load import LoadResult
from assets.publish import Build, Publication
from pipelines import asset_graph, privacy_run, sensors
from pipelines.asset_graph import PUBLICATION, night_asset
from pipelines.definitions import build_definitions
from pipelines.jobs import retention_job
from pipelines.night import Report
from pipelines.resources import PROJECT, Places
from sources._core.durable import write_atomically
from sources._core.extract import StreamOutcome
from sources.registry import connectors

MODELS = [
    Model(("staging", "base_amazon__orders"), "", (("raw_amazon", "orders"),)),
    Model(("staging", "base_fx__rates"), "", (("raw_fx", "ecb_rates"),)),
    Model(("marts", "fct_order_line"), "", (("staging", "base_amazon__orders"),)),
]


@pytest.fixture
def places(tmp_path: Path) -> Places:
    (tmp_path / "aftersales.toml").write_text(
        '[settings]\ntime_zone = "Asia/Shanghai"\n'
        '[[accounts]]\nconnector = "amazon"\nname = "a"\nsecrets = { refresh_token = "NOT_SET" }\n'
    )
    return Places(tmp_path / "data", tmp_path / "state", tmp_path / "aftersales.toml")


def test_everything_loads_without_credentials(places: Places) -> None:
    definitions = build_definitions(where=places)
    keys = {"/".join(key.path) for key in definitions.resolve_asset_graph().get_all_asset_keys()}
    for connector in connectors().values():
        assert {f"raw_{connector.name}/{s.name}" for s in connector.streams} <= keys
    assert {"marts/fct_order_line", "marts/mart_return_base", "published/aftersales"} <= keys
    job = definitions.resolve_job_def("nightly")
    assert job.executor_def.name == dg.in_process_executor.name
    planned = {schedule.name: schedule.job_name for schedule in definitions.schedules or ()}
    assert planned == {"every_night": "nightly", "every_month": "retention"}
    zones = {schedule.execution_timezone for schedule in definitions.schedules or ()}
    assert zones == {"Asia/Shanghai"}
    found = {sensor.name: sensor for sensor in definitions.sensors or ()}
    assert found.keys() == {"publication", "failed_run", "freshness"}
    _observes_each_publication_once(found["publication"], places)


def test_old_texts_are_erased_by_a_job_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(privacy_run, "retain", lambda night: asked.append(night) or 3)
    assert retention_job().execute_in_process(resources={"night": "tonight"}).success
    assert asked == ["tonight"]


def _observes_each_publication_once(sensor: Any, places: Places) -> None:
    first = sensor(dg.build_sensor_context())
    assert isinstance(first, dg.SkipReason)
    places.parquet.mkdir(parents=True)
    write_atomically(places.parquet / "_build_id", b"b1")
    seen = sensor(dg.build_sensor_context())
    assert seen.cursor == "b1"
    assert [event.asset_key for event in seen.asset_events] == [PUBLICATION]
    assert isinstance(sensor(dg.build_sensor_context(cursor="b1")), dg.SkipReason)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The steps of a night replaced by notes of what was asked for."""
    calls: list[Any] = []
    for name in ("transform", "publish_night", "tell"):
        monkeypatch.setattr(
            asset_graph.steps, name, lambda *_args, _name=name, **_more: calls.append(_name)
        )
    monkeypatch.setattr(
        asset_graph.steps, "ingest", lambda _night, only: calls.append(("ingest", only))
    )
    monkeypatch.setattr(asset_graph.steps, "failures_told", lambda *_arguments: nullcontext())
    return calls


def _night(report: Report) -> Any:
    return dg.ResourceDefinition.hardcoded_resource(SimpleNamespace(report=report))


def _events(report: Report, selection: list[dg.AssetKey] | None = None) -> Any:
    return dg.materialize(
        [night_asset(connectors(), MODELS)],
        resources={"night": _night(report)},
        selection=selection,
        instance=dg.DagsterInstance.ephemeral(),
    )


def test_only_what_changed_gets_an_event(asked: list[Any], tmp_path: Path) -> None:
    clock = datetime(2026, 1, 1, tzinfo=UTC)
    build = Build("b1", clock, clock, "v", "c", True)
    report = Report(
        loads=[LoadResult("amazon", "a", "orders", rows_in=5, rows_loaded=3)],
        built=BuildResult((NodeResult("t", "odd_volume", "test", "warn", message="much"),)),
        publication=Publication(tmp_path / "aftersales.duckdb", build, {}),
    )
    result = _events(report)
    assert result.success
    materialized = {e.asset_key.to_user_string() for e in result.get_asset_materialization_events()}
    assert materialized == {
        "raw_amazon/orders",
        "staging/base_amazon__orders",
        "marts/fct_order_line",
        "published/aftersales",
    }
    checks = {e.check_name: e.passed for e in result.get_asset_check_evaluations()}
    assert checks == {"structure": True, "oddities": False}


def test_a_broken_stream_is_a_failing_check_and_no_failing_step(asked: list[Any]) -> None:
    error = "account a: login refused"
    report = Report(outcomes=[StreamOutcome("amazon", "a", "orders", "failed", error)])
    result = _events(report)
    assert result.success
    (check,) = result.get_asset_check_evaluations()
    assert (check.asset_key.to_user_string(), check.passed) == ("raw_amazon/orders", False)
    assert check.metadata["a"].value == error
    assert result.get_asset_materialization_events() == []


def test_a_recovered_stream_passes_its_check_again(asked: list[Any]) -> None:
    result = _events(Report(recovered={("amazon", "a", "orders")}))
    (check,) = result.get_asset_check_evaluations()
    assert check.passed


def test_a_selected_stream_is_read_alone(asked: list[Any]) -> None:
    _events(Report(), [dg.AssetKey(["raw_fx", "ecb_rates"])])
    assert ("ingest", {"fx": frozenset({"ecb_rates"})}) in asked
    assert "transform" not in asked
    assert "publish_night" not in asked


@pytest.mark.parametrize(
    ("built_at", "is_sandbox", "is_told"),
    [("2020-01-01", False, True), ("2020-01-01", True, False), ("now()", False, False)],
)
def test_silence_is_told_but_not_of_a_simulated_world(
    places: Places,
    monkeypatch: pytest.MonkeyPatch,
    built_at: str,
    is_sandbox: bool,
    is_told: bool,
) -> None:
    places.published.mkdir(parents=True)
    moment = built_at if built_at == "now()" else f"'{built_at}'"
    with duckdb.connect(str(places.publication)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("create schema meta")
        connection.execute(
            "create table meta.current as select 'b1' as build_id,"
            f" cast({moment} as timestamp) as built_at, {is_sandbox} as is_sandbox"
        )
    told: list[tuple[object, ...]] = []
    monkeypatch.setattr(sensors, "read_settings", lambda _where: None)
    monkeypatch.setattr(sensors.alerting, "tell", lambda *_arguments: 0)
    monkeypatch.setattr(sensors.alerting, "tell_failure", lambda *found: told.append(found[3:]))
    sensors.freshness_sensor(places)(dg.build_sensor_context())
    if is_told:
        ((night, cause),) = told
        assert night == "after b1"
        assert "2020-01-01" in str(cause)
    else:
        assert told == []


def test_events_lie_where_dagster_itself_looks_for_them(
    asked: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written by the storage that `dagster.yaml` names, read by Dagster's own while it is open."""
    monkeypatch.setenv("DAGSTER_HOME", str(PROJECT))
    monkeypatch.setenv("AFTERSALES_STATE_DIR", str(tmp_path))
    report = Report(loads=[LoadResult("amazon", "a", "orders", rows_in=5, rows_loaded=3)])
    with dg.DagsterInstance.get() as instance:
        run = dg.materialize(
            [night_asset(connectors(), MODELS)],
            resources={"night": _night(report)},
            instance=instance,
        )
        ours = instance.all_logs(run.run_id)
        theirs = DagsterSqliteStorage.from_local(str(tmp_path)).event_log_storage
        assert len(ours) > 10
        assert theirs.get_logs_for_run(run.run_id) == ours
        record = theirs.get_latest_materialization_events([dg.AssetKey(["raw_amazon", "orders"])])
        assert [event.run_id for event in record.values() if event] == [run.run_id]
