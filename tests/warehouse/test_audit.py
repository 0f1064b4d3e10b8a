"""Audits at both borders: shipped suites, small frames, what is held back, what is only said."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from assets.audit import outgoing
from assets.audit.incoming import IncomingAudit, suites_of
from assets.audit.suites import Suite, load_suites
from assets.audit.validation import BrokenExpectationError, Validation
from assets.control import ensure_control_tables
from assets.load import load_landed
from assets.publish import Previous
from assets.raw_tables import raw_tables
from assets.warehouse import Warehouse, quoted
from pipelines.auditing import Audits
from pipelines.resources import Places
from sources.registry import connectors

AS_OF = datetime(2026, 6, 1, tzinfo=UTC)
SUITE = Suite.model_validate(
    {
        "min_rows": 3,
        "columns": {"updated": "try_cast(updated_at as timestamptz)"},
        "expectations": [
            {
                "expect": "expect_column_values_to_not_be_null",
                "column": "updated",
                "mostly": 0.9,
                "severity": "critical",
            },
            {
                "expect": "expect_column_values_to_be_between",
                "column": "quantity",
                "max_value": 5,
            },
        ],
    }
)


@pytest.fixture(scope="module")
def validation() -> Validation:
    return Validation()


def test_every_stream_suite_names_a_stream_and_its_columns(tmp_path: Path) -> None:
    tables = {(t.connector, t.stream.name): t for t in raw_tables(connectors().values())}
    with Warehouse(tmp_path / "w.duckdb").connect() as connection:
        for connector in connectors():
            for stream, suite in suites_of(connector).items():
                columns = ", ".join(
                    f"{quoted(c)} {kind}" for c, kind in tables[connector, stream].record.items()
                )
                connection.execute(f"create or replace temp table landed ({columns})")
                connection.execute(f"select {suite.chosen} from landed where {suite.where}")


def test_verdicts_are_those_of_the_rows(validation: Validation, tmp_path: Path) -> None:
    frame = pd.DataFrame({"updated": ["x", None, "x"], "quantity": [1, 2, 3]})
    verdict = validation.check("pretend", SUITE, frame)
    assert verdict.critical == verdict.failed
    assert verdict.critical == ("expect_column_values_to_not_be_null of updated",)
    assert (verdict.rows, verdict.share_met) == (3, 0.5)
    good = validation.check("pretend", SUITE, frame.assign(updated="x"))
    assert (good.failed, good.share_met) == ((), 1)
    odd = validation.check("pretend", SUITE, frame.drop(columns="updated"))
    assert odd.critical == ()
    assert "could not be checked" in odd.failed[0]
    validation.write_docs(tmp_path / "docs")
    assert (tmp_path / "docs" / "index.html").exists()
    unknown = Suite.model_validate({"expectations": [{"expect": "expect_miracles"}]})
    with pytest.raises(BrokenExpectationError, match="expect_miracles"):
        validation.check("pretend", unknown, frame)


def order(number: int, **more: Any) -> dict[str, Any]:
    at = f"2026-01-02T10:00:0{number}Z"
    return {"order_id": f"O{number}", "updated_at": at, "quantity": 1} | more


def test_a_bad_batch_is_held_back_and_read_again(
    pretend: Any, validation: Validation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assets.audit.incoming.suites_of", lambda _name: {"orders": SUITE})

    def night(until: str, **options: Any) -> str | None:
        pretend.extract(until)
        audit = IncomingAudit(validation, {}, **options)
        results = load_landed(pretend.warehouse, pretend.landing, [pretend.connector], audit=audit)
        return next(r.error for r in results if r.stream == "orders")

    pretend.shop.orders = [order(n, quantity=9) for n in range(4)]
    assert night("2026-01-04") is None  # odd, not critical
    columns = "order_id, quantity"
    before = pretend.table("orders", columns)
    unreadable = SUITE.model_copy(update={"columns": {"updated": "cast(null as varchar)"}})
    monkeypatch.setattr("assets.audit.incoming.suites_of", lambda _name: {"orders": unreadable})
    pretend.shop.orders = [order(n, quantity=2) for n in range(4)]
    error = night("2026-01-05")
    assert error is not None
    assert "held back, former rows stay: expect_column_values_to_not_be_null of updated" in error
    assert pretend.table("orders", columns) == before
    held = pretend.rows("select quarantine_reason, rows, what_to_do from load.quarantine")
    assert [(reason, rows) for reason, rows, _ in held] == [("batch_not_as_expected", 4)]
    assert "--accept-loss" in held[0][2]
    (cursor,) = pretend.rows("select cursor_at from load.cursor where stream = 'orders'")
    assert cursor[0].date() == date(2026, 1, 4)
    assert night("2026-01-06", trusted=frozenset({"shop_a"})) is None
    assert pretend.table("orders", columns) == [(f"O{n}", 2) for n in range(4)]


@pytest.fixture
def mart(tmp_path: Path, project_root: Path) -> Places:
    """A warehouse whose facts have mostly unknown countries, beside an emptier publication."""
    where = Places(tmp_path / "data", tmp_path / "state", tmp_path / "aftersales.toml")
    with Warehouse(where.warehouse).connect() as connection:
        ensure_control_tables(connection)
        for schema in ("marts", "meta"):
            connection.execute(f"create schema {schema}")
            for path in (project_root / "dbt_project/models" / schema).rglob("_*.yml"):
                for model in yaml.safe_load(path.read_text("utf-8")).get("models", []):
                    name = model["name"].removeprefix(f"{schema}_")
                    columns = (f'"{c["name"]}" {c["data_type"]}' for c in model["columns"])
                    connection.execute(f"create table {schema}.{name} ({', '.join(columns)})")
        connection.execute(
            "insert into marts.fct_order_line by name select 'L' || i as order_line_key,"
            " 'S' as sku, 5 as net_amount, date '2026-05-20' as ordered_date,"
            " case when i % 2 = 0 then 'DE' else 'ZZ' end as country from range(1000) as t(i)"
        )
    return where


def test_what_goes_out_is_said_and_shown(mart: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    previous = {"marts.fct_order_line": 200, "marts.dim_sku": 50, "meta.build": 300}
    monkeypatch.setattr(
        "pipelines.auditing.publish.read_previous", lambda _path: Previous(rows=previous)
    )
    audits = Audits()
    audits.outgoing(mart, AS_OF, rows_changed=499)
    assert audits.verdicts == {}
    for _repeat in range(2):
        audits.outgoing(mart, AS_OF, rows_changed=500)
    assert {place: verdict.failed for place, verdict in audits.failed.items()} == {
        ("all", "all", "volume"): ("expect_column_values_to_be_between of growth",),
        ("all", "all", "marts.fct_order_line"): (
            "expect_column_values_to_not_be_null of known_country",
        ),
    }
    with Warehouse(mart.warehouse).connect() as connection:
        shown = connection.execute(
            "select stream, rows_in, round(completeness_score, 2) from meta.data_quality order by 1"
        ).fetchall()
        kept = connection.execute("select stream, failed from load.audit order by 1").fetchall()
    assert shown == [("marts.fct_order_line", 1000, 0.67), ("volume", 1, 0)]
    assert kept == [("marts.fct_order_line", 1), ("volume", 1)]
    assert (mart.data_docs / "index.html").exists()


def test_every_suite_of_a_mart_names_its_columns(mart: Places, project_root: Path) -> None:
    path = project_root / "dbt_project" / "models" / "marts" / "expectations.toml"
    suites = {
        name: suite.model_copy(update={"min_rows": 10**9})
        for name, suite in load_suites(path).items()
    }
    assert suites
    with Warehouse(mart.warehouse).connect() as connection:
        assert outgoing.audit_marts(connection, suites, {}, AS_OF, Validation()) == []
        for name, suite in suites.items():
            if name != outgoing.VOLUME:
                connection.execute(f"select {suite.chosen} from {name}")
