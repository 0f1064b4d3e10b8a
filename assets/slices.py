"""Published files for people who may see some accounts only.

Belongs here: which rows of the publication a slice has. Does not belong here: who gets which slice
(the settings), columns and comments (`table_copy.py`).

A slice is a new file into which only allowed rows are ever written, so that no byte of it is of
another account. A table without a column `account` is in it only if it is named here: those that
are the same for everyone, and dimensions cut to what the slice's own rows refer to. Everything
else, also a table that comes later, is left out.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from assets import table_copy
from assets.catalog import Table
from assets.publish import FILE_NAME, OPEN_ALERTS, STORAGE_VERSION
from assets.table_copy import FRESH, name_of
from assets.warehouse import Connection, literal, quoted
from sources._core.durable import sync_folder

FOLDER = "slices"
RESERVED = ("unknown", "none", "all")

_SAME_FOR_ALL = frozenset(
    [
        "dim_benchmark",
        "dim_category",
        "dim_country",
        "dim_date",
        "dim_fx_rate",
        "dim_reason",
        "dim_team",
        "build",
        "column_description",
        "current",
        "label_quality",
        "metric_definition",
        "playbook",
        "query",
        "table_description",
    ]
)
# Table -> column by which its rows are referred to; in this order, because one refers to the next.
_REFERRED_TO: Mapping[str, str] = {
    "fct_text_label": "text_hash",
    "fct_text_reason": "text_hash",
    "alert_delivery": "alert_id",
    "dim_marketplace": "marketplace",
    "dim_policy": "marketplace",
    "dim_customer": "customer_key",
    "dim_carrier": "carrier_key",
    "dim_lot": "lot_key",
    "dim_sku": "sku",
    "dim_sku_history": "sku",
    "dim_product": "product_id",
    "dim_supplier": "supplier_id",
}


def write_slices(
    published: Path, tables: Sequence[Table], slices: Mapping[str, Sequence[str]]
) -> None:
    """A file for each slice (name -> accounts) beside the publication; others are removed."""
    folder = published.parent / FOLDER
    if folder.exists():
        for old in folder.iterdir():
            if old.name not in slices:
                shutil.rmtree(old)
    for name, accounts in slices.items():
        _write_slice(published, tables, folder / name, accounts)


def _write_slice(
    published: Path, tables: Sequence[Table], folder: Path, accounts: Sequence[str]
) -> None:
    fresh = folder / ".new" / FILE_NAME
    shutil.rmtree(fresh.parent, ignore_errors=True)
    fresh.parent.mkdir(parents=True)
    with duckdb.connect() as connection:
        connection.execute(f"attach {literal(str(published))} as published (read_only)")
        connection.execute("use published")
        connection.execute(
            f"attach {literal(str(fresh))} as {FRESH} (storage_version {literal(STORAGE_VERSION)})"
        )
        connection.execute("begin")
        chosen = _chosen(tables)
        for table in table_copy.with_stored_columns(connection, chosen):
            table_copy.create(connection, table)
            _fill(connection, table, chosen, accounts)
        _correct_meta(connection, chosen)
        connection.execute("commit")
        connection.execute("use memory")
        connection.execute(f"detach {FRESH}")
    with fresh.open("rb") as file:
        os.fsync(file.fileno())
    fresh.replace(folder / FILE_NAME)
    sync_folder(folder)
    shutil.rmtree(fresh.parent, ignore_errors=True)


def _chosen(tables: Sequence[Table]) -> list[Table]:
    """Tables of the slice, those that are referred to last."""
    order = list(_REFERRED_TO)
    kept = [t for t in tables if _has(t, "account") or t.name in {*_SAME_FOR_ALL, *order}]
    return sorted(
        kept,
        key=lambda t: -1 if _has(t, "account") or t.name not in order else order.index(t.name),
    )


def _has(table: Table, column: str) -> bool:
    return any(c.name == column for c in table.columns)


def _fill(
    connection: Connection, table: Table, chosen: Sequence[Table], accounts: Sequence[str]
) -> None:
    columns = ", ".join(quoted(c.name) for c in table.columns)
    source = f"published.{quoted(table.schema)}.{quoted(table.name)}"
    statement = f"insert into {name_of(table)} ({columns}) select {columns} from {source}"
    if _has(table, "account"):
        allowed = [*accounts, *(RESERVED if table.name.startswith("dim_") else ())]
        statement += f" where account in ({', '.join(map(literal, allowed))})"
    elif table.name in _REFERRED_TO:
        statement += f" where {_is_referred_to(table, chosen)}"
    order = table_copy.sort_columns(table)
    connection.execute(statement + (f" order by {', '.join(order)}" if order else ""))


def _is_referred_to(table: Table, chosen: Sequence[Table]) -> str:
    """Condition: a row that is in the slice already names this one, or it is a reserved member."""
    column = _REFERRED_TO[table.name]
    before = chosen[: next(i for i, t in enumerate(chosen) if t.name == table.name)]
    named = " union ".join(
        f"select {quoted(column)} from {name_of(other)}" for other in before if _has(other, column)
    )
    reserved = ", ".join(map(literal, RESERVED))
    inside = f"{quoted(column)} in ({reserved})"
    return f"({inside} or {quoted(column)} in ({named}))" if named else inside


def _correct_meta(connection: Connection, chosen: Sequence[Table]) -> None:
    """What the file says of itself: only its own tables, its own rows, its own sources."""
    places = ", ".join(f"({literal(t.schema)}, {literal(t.name)})" for t in chosen)
    for name in ("table_description", "column_description"):
        connection.execute(
            f"delete from {FRESH}.meta.{name} where (schema_name, table_name) not in ({places})"
        )
    for table in chosen:
        connection.execute(
            f"update {FRESH}.meta.table_description set rows ="
            f" (select count(*) from {name_of(table)}) where schema_name = ? and table_name = ?",
            [table.schema, table.name],
        )
    connection.execute(
        f"update {FRESH}.meta.current set sources_stale = (select count(*) from"
        f" {FRESH}.meta.freshness where freshness_state <> 'fresh'), alerts_open = (select"
        f" count(*) from {FRESH}.signals.alert where state in {OPEN_ALERTS})"
    )
