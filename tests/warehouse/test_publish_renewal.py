"""A copy of yesterday's file in which large facts keep the months that did not change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from assets import parquet, publish, renewal
from assets.comparison import compare_marts
from assets.publish import Options
from assets.warehouse import Warehouse
from tests.warehouse.test_publish_file import ALL, AS_OF, build, read, run, warehouse

__all__ = ["run", "warehouse"]

FACT = "marts.fct_order_line"
CHANGES = [
    "update marts.fct_order_line set amount = 2 where order_line_key = 'L3'",
    "delete from marts.fct_order_line where order_line_key = 'L4'",
    "insert into marts.fct_order_line values ('new', 'a1', '2026-05-02', 3), ('x', null, null, 4)",
]


@pytest.fixture(autouse=True)
def every_fact_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewal, "LEAST_ROWS", 1)


def change(warehouse: Warehouse) -> None:
    with warehouse.connect() as connection:
        for statement in CHANGES:
            connection.execute(statement)


def anew(warehouse: Warehouse, folder: Path, build_: publish.Build) -> Path:
    return publish.publish(warehouse, folder, ALL, build_, Options()).path


def test_only_months_that_differ_are_exchanged(
    run: Any, warehouse: Warehouse, tmp_path: Path
) -> None:
    run(build("b1"))
    change(warehouse)
    done = run(build("b2", AS_OF.replace(day=2)))
    assert done.replaced == "b1"
    assert {m and f"{m:%Y-%m}" for m in done.renewed[FACT]} == {None, "2026-05"}
    assert compare_marts(done.path, anew(warehouse, tmp_path / "anew", build("b2"))) == []
    assert done.rows[FACT] == 61
    assert read(done.path, f"select count(*) from {FACT}") == [(61,)]
    described = "select rows from meta.table_description where table_name = 'fct_order_line'"
    assert read(done.path, described) == [(61,)]
    again = run(build("b3", AS_OF.replace(day=3)))
    assert again.renewed == {FACT: frozenset()}
    assert read(again.path, "select build_id from meta.build order by 1")[-1] == ("b3",)


def test_a_new_month_is_written_anew(run: Any, warehouse: Warehouse) -> None:
    run(build("b1"))
    change(warehouse)
    run(build("b2", AS_OF.replace(day=2)))
    done = run(build("b3", AS_OF.replace(month=7)))
    assert done.renewed == {}
    order = "select account, date_trunc('month', ordered_date) from marts.fct_order_line"
    rows = [row for row in read(done.path, order) if row[0]]
    assert rows == sorted(rows)


@pytest.mark.parametrize("field", ["data_type", "description_en"])
def test_a_table_that_is_promised_otherwise_is_written_anew(
    run: Any, warehouse: Warehouse, tmp_path: Path, field: str
) -> None:
    run(build("b1"))
    fact = next(t for t in ALL if t.name == "fct_order_line")
    if field == "data_type":
        with warehouse.connect() as connection:
            connection.execute(f"alter table {FACT} alter amount type decimal(18, 2)")
    other = replace(fact, columns=(*fact.columns[:-1], replace(fact.columns[-1], **{field: "x"})))
    tables = [other if t is fact else t for t in ALL if t.name != "dim_sku"]
    done = publish.publish(warehouse, tmp_path / "published", tables, build("b2"), Options())
    assert done.renewed == {}
    left = read(done.path, "select table_name from duckdb_tables() where schema_name = 'marts'")
    assert sorted(name for (name,) in left) == sorted(t.name for t in tables if t.schema == "marts")


def test_parquet_files_of_kept_months_carry_the_new_build(
    run: Any, warehouse: Warehouse, tmp_path: Path
) -> None:
    folder = tmp_path / "parquet"
    parquet.write_parquet(run(build("b1")).path, folder, ALL, "b1")
    change(warehouse)
    done = run(build("b2", AS_OF.replace(day=2)))
    renewed = parquet.Renewed(done.replaced, done.renewed)
    parquet.write_parquet(done.path, folder, ALL, "b2", renewed)
    files = f"'{folder}/marts/fct_order_line/*.parquet'"
    marks = f"select distinct decode(value) from parquet_kv_metadata({files})"
    assert ("b2",) in duckdb.sql(marks).fetchall()
    assert ("b1",) not in duckdb.sql(marks).fetchall()
    with duckdb.connect(str(done.path), read_only=True) as connection:
        both = f"((from {FACT}) except all (from {files}))"
        assert connection.execute(f"select count(*) from {both}").fetchall() == [(0,)]
    counted = duckdb.sql(f"select count(*) from {files}").fetchall()
    assert counted == [(61,)]


def test_parquet_files_of_another_build_are_all_written(
    run: Any, warehouse: Warehouse, tmp_path: Path
) -> None:
    """A night that was killed between the file and its open copies left those of a build before."""
    folder = tmp_path / "parquet"
    parquet.write_parquet(run(build("b1")).path, folder, ALL, "b1")
    with warehouse.connect() as connection:
        connection.execute(f"update {FACT} set amount = 9 where ordered_date < '2026-05-01'")
    run(build("b2", AS_OF.replace(day=2)))
    done = run(build("b3", AS_OF.replace(day=3)))
    assert done.renewed[FACT] == frozenset()
    parquet.write_parquet(
        done.path, folder, ALL, "b3", parquet.Renewed(done.replaced, done.renewed)
    )
    found = duckdb.sql(
        f"select distinct amount from '{folder}/marts/fct_order_line/2026-04.parquet'"
    )
    assert [float(row[0]) for row in found.fetchall()] == [9.0]
