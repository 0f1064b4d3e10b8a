"""Slices: rows of their accounts only, and no key of another account in any byte."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from assets.catalog import Table
from assets.slices import write_slices
from tests.warehouse.test_publish_file import OWN, table

TABLES = [
    table("marts", "dim_account", "account", account="varchar"),
    table("marts", "dim_sku", "sku", sku="varchar", supplier_id="varchar"),
    table("marts", "dim_supplier", "supplier_id", supplier_id="varchar"),
    table("marts", "dim_date", "date", date="date"),
    table("marts", "fct_order_line", "line", line="varchar", account="varchar", sku="varchar"),
    table("marts", "fct_return_line", "line", line="varchar", account="varchar",
          text_hash="varchar"),
    table("marts", "fct_text_label", "text_hash", text_hash="varchar", sentiment="varchar"),
    table("marts", "fct_text_reason", "text_hash", text_hash="varchar", text_reason="varchar"),
    table("marts", "mart_cost_by_lot", "lot_key", lot_key="varchar"),
    table("signals", "alert", "alert_id", alert_id="varchar", account="varchar", state="varchar"),
    table("signals", "alert_delivery", "alert_id", alert_id="varchar", error="varchar"),
    table("meta", "freshness", "stream", stream="varchar", account="varchar",
          freshness_state="varchar"),
    table("meta", "override", "entity_key", entity_key="varchar"),
    *OWN,
]  # fmt: skip
ROWS = {
    "marts.dim_account": "('eu'), ('us'), ('none')",
    "marts.dim_sku": "('SKU-EU', 'SUP-EU'), ('SKU-US', 'SUP-US'), ('unknown', 'unknown')",
    "marts.dim_supplier": "('SUP-EU'), ('SUP-US'), ('unknown')",
    "marts.dim_date": "(date '2026-03-01')",
    "marts.fct_order_line": "('E1', 'eu', 'SKU-EU'), ('U1', 'us', 'SKU-US')",
    "marts.fct_return_line": "('E1', 'eu', 'T-EU'), ('U1', 'us', 'T-US')",
    "marts.fct_text_label": "('T-EU', 'negative'), ('T-US', 'positive')",
    "marts.fct_text_reason": "('T-EU', 'size_fit'), ('T-US', 'safety')",
    "marts.mart_cost_by_lot": "('SKU-US|L1')",
    "signals.alert": "('A-EU', 'eu', 'open'), ('A-US', 'us', 'open'), ('A-ALL', 'all', 'open')",
    "signals.alert_delivery": "('A-EU', null), ('A-US', 'no answer')",
    "meta.freshness": "('s1', 'eu', 'stale'), ('s2', 'us', 'failing')",
    "meta.override": "('amazon:us:U1:S')",
    "meta.current": "('b', null, null, null, 'USD', 'UTC', '1.0', false, 2, 3)",
}


@pytest.fixture
def published(tmp_path: Path) -> Path:
    path = tmp_path / "published" / "aftersales.duckdb"
    path.parent.mkdir()
    with duckdb.connect(str(path)) as connection:
        for each in TABLES:
            columns = ", ".join(f'"{c.name}" {c.data_type}' for c in each.columns)
            connection.execute(f"create schema if not exists {each.schema}")
            connection.execute(f"create table {each.schema}.{each.name} ({columns})")
        for name, rows in ROWS.items():
            connection.execute(f"insert into {name} values {rows}")
    return path


def cut(published: Path, **slices: list[str]) -> Path:
    write_slices(published, TABLES, slices)
    return published.parent / "slices"


def everything(path: Path, tables: list[Table]) -> dict[str, list[tuple[object, ...]]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        rows = connection.execute("select table_name from duckdb_tables()").fetchall()
        stored = {name for (name,) in rows}
        return {
            t.name: connection.execute(f"from {t.schema}.{t.name} order by all").fetchall()
            for t in tables
            if t.name in stored
        }


def test_a_slice_has_its_own_rows_and_what_they_refer_to(published: Path) -> None:
    found = everything(cut(published, team=["eu"]) / "team" / "aftersales.duckdb", TABLES)
    assert found["dim_account"] == [("eu",), ("none",)]
    assert found["fct_order_line"] == [("E1", "eu", "SKU-EU")]
    assert found["dim_sku"] == [("SKU-EU", "SUP-EU"), ("unknown", "unknown")]
    assert found["dim_supplier"] == [("SUP-EU",), ("unknown",)]
    assert found["fct_text_label"] == [("T-EU", "negative")]
    assert found["fct_text_reason"] == [("T-EU", "size_fit")]
    assert found["alert_delivery"] == [("A-EU", None)]
    assert len(found["dim_date"]) == 1
    assert found["current"][0][-2:] == (1, 1)


def test_what_is_shared_by_accounts_is_left_out(published: Path) -> None:
    found = everything(cut(published, team=["eu"]) / "team" / "aftersales.duckdb", TABLES)
    assert "mart_cost_by_lot" not in found
    assert "override" not in found


def test_no_byte_of_a_slice_is_of_another_account(published: Path) -> None:
    path = cut(published, team=["eu"]) / "team" / "aftersales.duckdb"
    content = path.read_bytes()
    for key in (b"U1", b"SKU-US", b"SUP-US", b"A-US", b"A-ALL", b"T-US", b"no answer"):
        assert key not in content
    assert "US" not in str(everything(path, TABLES)).replace("USD", "")


def test_a_slice_that_is_no_longer_set_is_removed(published: Path) -> None:
    folder = cut(published, team=["eu"], other=["us"])
    assert sorted(p.name for p in folder.iterdir()) == ["other", "team"]
    assert [p.name for p in cut(published, team=["eu"]).iterdir()] == ["team"]
    assert list((folder / "team").iterdir()) == [folder / "team" / "aftersales.duckdb"]
