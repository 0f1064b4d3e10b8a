"""Whether two publications hold the same marts, row for row.

Belongs here: the one list of what is not compared, and the comparison. Does not belong here: which
publications ought to be equal (tests, the crash harness).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from assets.warehouse import Connection, Warehouse, literal, quoted

# Differ between a split, repeated or interrupted night and one long night, and may:
# - schemas `meta` and `signals`: what each night did, said and decided
# - raw history tables and `_file`, `_first_seen_at`, `_changed_at`: load provenance, in the working
#   warehouse only; in the marts `fct_text_label.first_seen_at`, the night that brought a text
# - `fct_inventory_move`: snapshots of stock that a source gives only as of now
NOT_COMPARED_SCHEMAS = frozenset({"meta", "signals"})
NOT_COMPARED_TABLES = frozenset({"fct_inventory_move"})
NOT_COMPARED_COLUMNS = frozenset({"first_seen_at"})

# Sums of doubles depend on the order of addition in their last digits.
_DIGITS = 9


@dataclass(frozen=True)
class Difference:
    """Rows that only one side has, with one of them as an example."""

    table: str
    only_left: int
    only_right: int
    example: str


def compare_marts(left: Path, right: Path) -> list[Difference]:
    """Differences of all marts; empty where the publications are equal."""
    with Warehouse(left).connect(read_only=True) as connection:
        connection.execute(f"attach {literal(str(right.resolve()))} as other (read_only)")
        here, there = _tables(connection, None), _tables(connection, "other")
        found = [
            Difference(table, int(table in here), int(table in there), "the table itself")
            for table in sorted(here.keys() ^ there.keys())
        ]
        for table in sorted(here.keys() & there.keys()):
            difference = _compare(connection, table, here[table])
            if difference is not None:
                found.append(difference)
    return found


def _tables(connection: Connection, database: str | None) -> dict[str, list[tuple[str, str]]]:
    """Compared tables with their columns and types."""
    rows = connection.execute(
        "select schema_name, table_name, column_name, data_type from duckdb_columns()"
        " where database_name = coalesce(?, current_database()) and not internal"
        " order by schema_name, table_name, column_index",
        [database],
    ).fetchall()
    tables: dict[str, list[tuple[str, str]]] = {}
    for schema, table, column, kind in rows:
        if schema in NOT_COMPARED_SCHEMAS or table in NOT_COMPARED_TABLES:
            continue
        if column not in NOT_COMPARED_COLUMNS:
            tables.setdefault(f"{quoted(schema)}.{quoted(table)}", []).append((column, kind))
    return tables


def _compare(
    connection: Connection, table: str, columns: list[tuple[str, str]]
) -> Difference | None:
    chosen = ", ".join(
        f"round({quoted(c)}, {_DIGITS}) as {quoted(c)}"
        if kind in ("DOUBLE", "FLOAT")
        else quoted(c)
        for c, kind in columns
    )
    left, right = f"select {chosen} from {table}", f"select {chosen} from other.{table}"
    names = ", ".join(quoted(c) for c, _ in columns)
    more = connection.execute(  # of each row, how many more times it is on the left
        f"select sum(_side) from (select 1 as _side, * from ({left})"
        f" union all select -1 as _side, * from ({right}))"
        f" group by {names} having sum(_side) <> 0"
    ).fetchall()
    if not more:
        return None
    counts = sum(max(n, 0) for (n,) in more), sum(max(-n, 0) for (n,) in more)
    only_left = f"({left}) except all ({right})"
    only_right = f"({right}) except all ({left})"
    examples = connection.execute(
        f"select * from (select 'left' as side, * from ({only_left}) limit 1)"
        f" union all select * from (select 'right' as side, * from ({only_right}) limit 1)"
    ).fetchall()
    return Difference(table, counts[0], counts[1], "; ".join(str(row) for row in examples))
