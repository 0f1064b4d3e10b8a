"""One table of the working warehouse copied into the file that will be published.

Belongs here: column order and types, primary keys, sorting, comments. Does not belong here: which
tables, and what happens to the file (`publish.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

import duckdb

from assets.catalog import Table
from assets.warehouse import Connection, literal, quoted

FRESH = "fresh"  # the file being written, attached under this name


class TableNotPublishableError(RuntimeError):
    """A table cannot be copied as its contract promises."""


def create(connection: Connection, table: Table) -> None:
    """An empty table with the columns of the contract, its key and its comments."""
    body = [f"{quoted(c.name)} {c.data_type}" for c in table.columns]
    if table.key and not table.is_fact:
        body.append(f"primary key ({', '.join(quoted(c) for c in table.key)})")
    statements = [
        f"create schema if not exists {FRESH}.{quoted(table.schema)}",
        f"create table {name_of(table)} ({', '.join(body)})",
        f"comment on table {name_of(table)} is {literal(table.description_en)}",
    ]
    for column in table.columns:
        place = f"{name_of(table)}.{quoted(column.name)}"
        statements.append(f"comment on column {place} is {literal(column.description_en)}")
    connection.execute("; ".join(statements))


def fill(connection: Connection, table: Table, as_of: datetime, fact_months: int) -> int:
    """Copy the rows, facts sorted by account and month and cut to the newest months; how many."""
    source, parameters = recent_rows(table, as_of, fact_months)
    columns = ", ".join(quoted(c.name) for c in table.columns)
    statement = f"insert into {name_of(table)} ({columns}) select {columns} from {source}"
    order = sort_columns(table)
    if order:
        statement += f" order by {', '.join(order)}"
    try:
        counted = connection.execute(statement, parameters).fetchall()
    except duckdb.ConstraintException as error:
        raise TableNotPublishableError(
            f"{table.schema}.{table.name} breaks its key ({', '.join(table.key)}): {error}"
        ) from error
    return int(counted[0][0])


def recent_rows(table: Table, as_of: datetime, fact_months: int) -> tuple[str, list[object]]:
    """The rows of the working warehouse that are published, as a source with its parameters."""
    source = f"{quoted(table.schema)}.{quoted(table.name)}"
    if not (table.is_fact and table.month_column):
        return source, []
    month = quoted(table.month_column)
    newest = f"{month} is null or {month} = date '1900-01-01' or {month} >= ?"
    first = first_month(as_of, fact_months)
    return f"(from {source} where {newest}) as {quoted(table.name)}", [first]


def sort_parts(table: Table) -> list[str]:
    """What the rows of a fact lie together by: account and month, where it has them."""
    first = []
    if table.is_fact:
        if any(c.name == "account" for c in table.columns):
            first.append(quoted("account"))
        if table.month_column:
            first.append(f"date_trunc('month', {quoted(table.month_column)})")
    return first


def sort_columns(table: Table) -> list[str]:
    """Facts by account and month, then key; others by key: equal content gives an equal order."""
    first = sort_parts(table)
    return first + [quoted(c) for c in table.key if quoted(c) not in first]


def first_month(as_of: datetime, months: int) -> date:
    """First day of the oldest of the last `months` months, that of the clock included."""
    number = as_of.year * 12 + as_of.month - 1 - (months - 1)
    return date(number // 12, number % 12 + 1, 1)


def name_of(table: Table) -> str:
    return f"{FRESH}.{quoted(table.schema)}.{quoted(table.name)}"


def with_stored_columns(connection: Connection, tables: Sequence[Table]) -> list[Table]:
    """The tables with the types that the warehouse has; columns it lacks are an error.

    One question for all: DuckDB binds every view of the file to answer it.
    """
    stored: dict[tuple[str, str], dict[str, str]] = {}
    for schema, name, column, kind in connection.execute(
        "select schema_name, table_name, column_name, lower(data_type) from duckdb_columns()"
        " where database_name = current_database()"
    ).fetchall():
        stored.setdefault((schema, name), {})[column] = kind
    return [_as_stored(table, stored.get((table.schema, table.name), {})) for table in tables]


def _as_stored(table: Table, stored: Mapping[str, str]) -> Table:
    missing = [c.name for c in table.columns if c.name not in stored]
    if missing:
        raise TableNotPublishableError(
            f"{table.schema}.{table.name} has no column {', '.join(missing)}"
            if stored
            else f"{table.schema}.{table.name} was not built"
        )
    return replace(
        table, columns=tuple(replace(c, data_type=stored[c.name]) for c in table.columns)
    )
