"""The published file: keys, comments, order, history of builds, and what blocks it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from assets import parquet, publish
from assets.catalog import Column, Table
from assets.comparison import compare_marts
from assets.control import ensure_control_tables
from assets.publish import Build, Options, PublicationBlockedError
from assets.warehouse import Warehouse

AS_OF = datetime(2026, 6, 1, tzinfo=UTC)


def table(schema: str, name: str, key: str, **columns: str) -> Table:
    return Table(
        schema=schema,
        name=name,
        unique_id=f"model.{name}",
        grain="one thing",
        key=(key,),
        time_basis="event",
        description_en=f"About {name}.",
        description_zh="说明",
        columns=tuple(Column(c, kind, f"The {c}.", "列") for c, kind in columns.items()),
    )


TABLES = [
    table("marts", "dim_sku", "sku", sku="varchar"),
    table(
        "marts",
        "fct_order_line",
        "order_line_key",
        order_line_key="varchar",
        account="varchar",
        ordered_date="date",
        amount="decimal(18,4)",
    ),
    table("marts", "mart_action_queue", "action_id", action_id="varchar"),
    table("signals", "alert", "alert_id", alert_id="varchar", state="varchar"),
    table(
        "meta",
        "freshness",
        "stream",
        stream="varchar",
        data_until="timestamp",
        freshness_state="varchar",
    ),
]
BUILD_COLUMNS = {
    "build_id": "varchar", "built_at": "timestamp", "as_of_at": "timestamp",
    "data_until": "timestamp", "contract_version": "varchar", "code_version": "varchar",
    "config_hash": "varchar", "is_sandbox": "boolean", "rows_published": "bigint",
    "checks_passed": "bigint", "checks_failed": "bigint", "duration_seconds": "double",
}  # fmt: skip
CURRENT_COLUMNS = {
    "build_id": "varchar", "built_at": "timestamp", "as_of_date": "date",
    "data_until": "timestamp", "reporting_currency": "varchar", "time_zone": "varchar",
    "contract_version": "varchar", "is_sandbox": "boolean", "sources_stale": "bigint",
    "alerts_open": "bigint",
}  # fmt: skip
TABLE_COLUMNS = dict.fromkeys(
    [
        "schema_name",
        "table_name",
        "grain",
        "key_columns",
        "time_basis",
        "description_en",
        "description_zh",
    ],
    "varchar",
) | {"rows": "bigint"}
COLUMN_COLUMNS = {
    **dict.fromkeys(["schema_name", "table_name", "column_name"], "varchar"),
    "column_order": "bigint",
    **dict.fromkeys(["data_type", "unit", "metric_id"], "varchar"),
    "is_additive": "boolean",
    **dict.fromkeys(["numerator", "denominator", "description_en", "description_zh"], "varchar"),
}
OWN = [
    table("meta", "build", "build_id", **BUILD_COLUMNS),
    table("meta", "current", "build_id", **CURRENT_COLUMNS),
    table("meta", "table_description", "table_name", **TABLE_COLUMNS),
    replace(
        table("meta", "column_description", "column_name", **COLUMN_COLUMNS),
        key=("schema_name", "table_name", "column_name"),
    ),
]
ALL = [*TABLES, *OWN]


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """A warehouse as dbt leaves it, with the tables above."""
    made = Warehouse(tmp_path / "warehouse.duckdb")
    with made.connect() as connection:
        ensure_control_tables(connection)
        for each in ALL:
            body = ", ".join(f"{c.name} {c.data_type}" for c in each.columns)
            connection.execute(f"create schema if not exists {each.schema}")
            connection.execute(f"create table {each.schema}.{each.name} ({body})")
        connection.execute("insert into marts.dim_sku select 'S' || i from range(30) t(i)")
        connection.execute(
            "insert into marts.fct_order_line select 'L' || i, 'a' || (i % 2),"
            " date '2026-05-30' - cast(i as int), 1.5 from range(60) t(i)"
        )
        connection.execute(
            "insert into marts.mart_action_queue select 'Q' || i from range(48) t(i)"
        )
        connection.execute("create schema intermediate")
        connection.execute(
            "create table intermediate.int_data_until as"
            " select timestamp '2026-05-20' as data_until"
        )
        connection.execute(
            "insert into meta.freshness values ('orders', '2026-05-31', 'fresh'),"
            " ('returns', '2026-05-20', 'stale')"
        )
    return made


def build(name: str = "b1", as_of: datetime = AS_OF, config: str = "c") -> Build:
    return Build(name, as_of, as_of, "0.1", config, True, checks_passed=3)


@pytest.fixture
def run(warehouse: Warehouse, tmp_path: Path) -> Callable[..., publish.Publication]:
    def publish_it(b: Build | None = None, **options: Any) -> publish.Publication:
        return publish.publish(
            warehouse, tmp_path / "published", ALL, b or build(), Options(**options)
        )

    return publish_it


def read(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_keys_comments_and_format(run: Any) -> None:
    path = run().path
    keyed = read(
        path, "select table_name from duckdb_constraints() where constraint_type = 'PRIMARY KEY'"
    )
    assert ("dim_sku",) in keyed
    assert ("alert",) in keyed
    assert ("fct_order_line",) not in keyed
    missing = (
        "select count(*) from duckdb_columns() where not internal and coalesce(comment, '') = ''"
    )
    assert read(path, missing) == [(0,)]
    assert read(path, "select count(*) from duckdb_views() where not internal") == [(0,)]
    (tags,) = read(path, "select tags from duckdb_databases() where not internal")
    assert tags[0]["storage_version"].startswith("v1.0.0")


def test_facts_are_sorted_by_account_and_month(run: Any) -> None:
    rows = read(
        run().path, "select account, date_trunc('month', ordered_date) from marts.fct_order_line"
    )
    assert rows == sorted(rows)


def test_the_file_says_what_it_is(run: Any) -> None:
    path = run(reporting_currency="EUR", time_zone="Asia/Shanghai").path
    current = read(
        path,
        "select build_id, reporting_currency, time_zone, data_until, sources_stale"
        " from meta.current",
    )
    assert current == [("b1", "EUR", "Asia/Shanghai", datetime.fromisoformat("2026-05-20"), 1)]
    described = read(
        path,
        "select rows, description_en, description_zh from meta.table_description"
        " where table_name = 'dim_sku'",
    )
    assert described == [(30, "About dim_sku.", "说明")]
    columns = read(
        path,
        "select column_name, data_type from meta.column_description"
        " where table_name = 'fct_order_line' order by column_order",
    )
    assert columns[-1] == ("amount", "DECIMAL(18,4)")


def test_builds_add_up_and_a_repeat_stands_once(run: Any) -> None:
    run(build("b1"))
    run(build("b2", AS_OF.replace(day=2)))
    path = run(build("b2", AS_OF.replace(day=2))).path
    assert read(path, "select build_id from meta.build order by 1") == [("b1",), ("b2",)]


def test_a_broken_key_blocks_and_leaves_the_old_file(run: Any, warehouse: Warehouse) -> None:
    path = run().path
    before = path.read_bytes()
    with warehouse.connect() as connection:
        connection.execute("insert into marts.dim_sku values ('S1')")
    with pytest.raises(PublicationBlockedError, match="dim_sku breaks its key"):
        run(build("b2"))
    assert path.read_bytes() == before


def test_a_table_that_was_not_built_blocks(run: Any, warehouse: Warehouse) -> None:
    with warehouse.connect() as connection:
        connection.execute("drop table marts.dim_sku")
    with pytest.raises(PublicationBlockedError, match="dim_sku was not built"):
        run()


@pytest.mark.parametrize(
    ("deleted", "config", "accept", "blocks"),
    [
        (0, "c", False, True),
        (40, "c", False, False),
        (0, "other", False, False),
        (0, "c", True, False),
    ],
)
def test_half_the_rows_gone_without_a_deletion_blocks(
    run: Any, warehouse: Warehouse, deleted: int, config: str, accept: bool, blocks: bool
) -> None:
    run()
    with warehouse.connect() as connection:
        connection.execute("delete from marts.fct_order_line where ordered_date < '2026-05-10'")
        connection.execute(
            "insert into load.outcome (connector, account, stream, as_of_at, rows_deleted)"
            " values ('p', 'a', 'orders', '2026-06-02', ?)",
            [deleted],
        )
    tomorrow = build("b2", AS_OF.replace(day=2), config)
    if blocks:
        with pytest.raises(PublicationBlockedError, match="--accept-loss"):
            run(tomorrow, accept_loss=accept)
    else:
        assert run(tomorrow, accept_loss=accept).rows["marts.fct_order_line"] == 21


def test_a_queue_that_was_worked_off_blocks_nothing(run: Any, warehouse: Warehouse) -> None:
    run()
    with warehouse.connect() as connection:
        connection.execute("delete from marts.mart_action_queue where action_id <> 'Q0'")
    assert run(build("b2", AS_OF.replace(day=2))).rows["marts.mart_action_queue"] == 1


def test_only_the_newest_months_of_facts_are_published(run: Any) -> None:
    assert run(fact_months=2).rows["marts.fct_order_line"] == 60 - 30
    assert run(build("b2"), fact_months=36).rows["marts.fct_order_line"] == 60


def test_facts_without_a_day_are_always_published(run: Any, warehouse: Warehouse) -> None:
    """What is not shipped yet has no month of shipping: 1900-01-01 is unknown, not old."""
    with warehouse.connect() as connection:
        connection.execute(
            "update marts.fct_order_line set ordered_date = '1900-01-01'"
            " where ordered_date = (select min(ordered_date) from marts.fct_order_line)"
        )
        moved = connection.execute(
            "select count(*) from marts.fct_order_line where ordered_date = '1900-01-01'"
        ).fetchall()[0][0]
    assert moved > 0
    assert run(fact_months=2).rows["marts.fct_order_line"] == 60 - 30 + moved


def test_a_reader_keeps_its_file_while_the_next_is_put_in_place(run: Any) -> None:
    path = run(build("b1")).path
    with path.open("rb") as reader:
        first = reader.read(100)
        run(build("b2"))
        reader.seek(0)
        assert reader.read(100) == first
    assert read(path, "select build_id from meta.current") == [("b2",)]
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_parquet_copies_by_month_carry_the_build(run: Any, tmp_path: Path) -> None:
    done = run()
    folder = tmp_path / "parquet"
    (folder / "marts/fct_order_line").mkdir(parents=True)
    (folder / "marts/fct_order_line/2020-01.parquet").write_bytes(b"old")
    parquet.write_parquet(done.path, folder, ALL, "b1")
    months = sorted(p.name for p in (folder / "marts/fct_order_line").iterdir())
    assert months == ["2026-04.parquet", "2026-05.parquet"]
    rows = duckdb.sql(f"select count(*) from '{folder}/marts/fct_order_line/*.parquet'").fetchall()
    assert rows == [(60,)]
    marked = duckdb.sql(
        f"select decode(value) from parquet_kv_metadata('{folder}/marts/dim_sku.parquet')"
    ).fetchall()
    assert ("b1",) in marked
    assert parquet.written_build(folder) == "b1"


def test_comparison_finds_every_difference_but_those_of_the_list(
    run: Any, warehouse: Warehouse, tmp_path: Path
) -> None:
    left = tmp_path / "left.duckdb"
    left.write_bytes(run(build("b1")).path.read_bytes())
    assert compare_marts(left, run(build("b2")).path) == []
    with warehouse.connect() as connection:
        connection.execute("update marts.fct_order_line set amount = 2 where order_line_key = 'L3'")
    (found,) = compare_marts(left, run(build("b3")).path)
    assert (found.table, found.only_left, found.only_right) == ('"marts"."fct_order_line"', 1, 1)
