"""Large tables of a publication, brought up to date in a copy of yesterday's file.

Belongs here: which tables can be, which of their months differ, and the exchange of those. Does
not belong here: tables that are written anew (`table_copy.py`), what happens to the file
(`publish.py`).

What differs is found by comparing what both files hold, not by what a night remembers to have
changed: a month that is kept has the same rows. Nothing is kept over the end of a month, when the
whole file is written anew: sorted, and without the room that exchanged rows leave in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from assets import table_copy
from assets.catalog import Table
from assets.table_copy import FRESH, name_of
from assets.warehouse import Connection, quoted

LEAST_ROWS = 500_000  # below, a table is written anew sooner than it is compared

_COLUMNS = """
    select
        c.schema_name || '.' || c.table_name, t.comment,
        c.column_name, lower(c.data_type), c.comment
    from duckdb_columns() as c
    inner join duckdb_tables() as t
        on c.database_oid = t.database_oid and c.table_oid = t.table_oid
    where c.database_name = ? order by c.table_oid, c.column_index
"""


def large_tables(tables: Sequence[Table], rows: Mapping[str, int]) -> list[Table]:
    """Facts that yesterday's file has many rows of. Dimensions and marts have keys, which make an
    exchange of rows dearer than a new table.
    """
    return [t for t in tables if t.is_fact and rows.get(f"{t.schema}.{t.name}", 0) >= LEAST_ROWS]


def drop_others(connection: Connection, large: Sequence[Table]) -> list[Table]:
    """Drop all tables of the copy but the large ones that are still as promised; these it gives."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    about: dict[str, str] = {}
    for name, comment, *column in connection.execute(_COLUMNS, [FRESH]).fetchall():
        found.setdefault(name, []).append((column[0], column[1], column[2]))
        about[name] = comment
    kept = {
        f"{t.schema}.{t.name}": t
        for t in large
        if about.get(f"{t.schema}.{t.name}") == t.description_en
        and found[f"{t.schema}.{t.name}"]
        == [(c.name, c.data_type, c.description_en) for c in t.columns]
    }
    for name in found.keys() - kept.keys():
        schema, table = name.split(".", 1)
        connection.execute(f"drop table {FRESH}.{quoted(schema)}.{quoted(table)}")
    return list(kept.values())


def renew(
    connection: Connection, table: Table, as_of: datetime, fact_months: int
) -> tuple[int, frozenset[date | None]]:
    """Exchange the months (of each account, where the fact has one) that differ; how many rows the
    table has then, and the first days of the months that differed.
    """
    parts = table_copy.sort_parts(table) or ["true"]
    names = [f"part_{i}" for i in range(len(parts))]
    named = ", ".join(f"{part} as {name}" for part, name in zip(parts, names, strict=True))
    columns = ", ".join(quoted(c.name) for c in table.columns)
    recent, parameters = table_copy.recent_rows(table, as_of, fact_months)
    connection.execute(
        f"create or replace temp table differing as select distinct {', '.join(names)} from ("
        f" {_fingerprints(named, columns, recent)} union all"
        f" {_fingerprints(named, columns, name_of(table))})"
        f" group by {', '.join(names)}, fingerprint having count(*) < 2",
        parameters,
    )
    same = " and ".join(
        f"{part} is not distinct from {name}" for part, name in zip(parts, names, strict=True)
    )
    differs = f"exists (select 1 from differing where {same})"
    connection.execute(f"delete from {name_of(table)} where {differs}")
    connection.execute(
        f"insert into {name_of(table)} ({columns}) select {columns} from {recent}"
        f" where {differs} order by {', '.join(table_copy.sort_columns(table))}",
        parameters,
    )
    (rows,) = connection.execute(f"select count(*) from {name_of(table)}").fetchall()[0]
    month = names[-1] if table.month_column else "null"
    months = connection.execute(f"select distinct {month} from differing").fetchall()
    return int(rows), frozenset(first for (first,) in months)


def _fingerprints(named: str, columns: str, source: str) -> str:
    """One row per part: how many rows it has, and two digests of all their columns."""
    return (
        f"select {named}, (count(*), sum(hash({columns})), bit_xor(hash({columns}))) as fingerprint"
        f" from {source} group by all"
    )
