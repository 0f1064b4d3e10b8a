"""Tables and views made at once under their own name still keep what a contract promises."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb

from assets.dbt import PROJECT, DbtProject, NodeResult

CONTRACT = """
models:
  - name: kept
    config:
      materialized: table
      contract: {enforced: true}
    columns:
      - {name: a, data_type: bigint}
      - {name: b, data_type: varchar}
  - name: seen
    config: {materialized: view}
"""
KEPT = "select 'x' as b, cast(1 as bigint) as a"


def build(folder: Path, kept: str, seen: str = "select a from {{ ref('kept') }}") -> DbtProject:
    """A project of two models and our own way of making them."""
    for name in ("models", "macros"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "models" / "kept.sql").write_text(kept, "utf-8")
    (folder / "models" / "seen.sql").write_text(seen, "utf-8")
    (folder / "models" / "contract.yml").write_text(CONTRACT, "utf-8")
    settings = "name: aftersales\nversion: 1.0.0\nprofile: aftersales\n"
    (folder / "dbt_project.yml").write_text(settings, "utf-8")
    shutil.copyfile(PROJECT / "profiles.yml", folder / "profiles.yml")
    shutil.copy(PROJECT / "macros" / "materializations.sql", folder / "macros")
    return DbtProject(folder / "warehouse.duckdb", folder / "work", folder)


def states(project: DbtProject) -> dict[str, NodeResult]:
    return {node.name: node for node in project.build({}).nodes}


def rows(project: DbtProject, table: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(project.warehouse), read_only=True) as connection:
        return connection.execute(f"from staging.{table}").fetchall()


def test_a_contract_gives_order_and_a_broken_one_leaves_the_table_as_it_was(
    tmp_path: Path,
) -> None:
    assert states(build(tmp_path, KEPT))["kept"].status == "success"
    wrong = {
        "select 'x' as b, 1 as a": "data type mismatch",
        f"{KEPT}, 2 as c": "missing in contract",
        "select cast(1 as bigint) as a": '"b"',
    }
    for query, told in wrong.items():
        project = build(tmp_path, query)
        found = states(project)
        assert found["kept"].status == "error"
        assert told in found["kept"].message
        assert found["seen"].status == "skipped"
        assert rows(project, "kept") == [(1, "x")]


def test_a_view_takes_the_place_of_a_table_and_of_a_view(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.execute("create schema staging; create table staging.seen as select 9 as z")
    project = build(tmp_path, KEPT)
    assert states(project)["seen"].status == "success"
    assert rows(project, "seen") == [(1,)]
    project = build(tmp_path, KEPT, "select b from {{ ref('kept') }}")
    assert states(project)["seen"].status == "success"
    assert rows(project, "seen") == [("x",)]
