"""The publication as open Parquet files.

Belongs here: file names, cutting facts by month, one rename per file. Does not belong here: the
content, which is read from the published DuckDB file.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from assets.catalog import Table
from assets.warehouse import Connection, Warehouse, literal, quoted
from sources._core.durable import sync_folder, write_atomically

UNKNOWN_MONTH = "1900-01"
_MARK = "_build_id"


@dataclass(frozen=True)
class Renewed:
    """Facts that kept months since an earlier build: the first days of the others, by table."""

    since: str | None = None
    months: Mapping[str, Collection[date | None]] = field(default_factory=dict)


def write_parquet(
    published: Path,
    folder: Path,
    tables: Sequence[Table],
    build: str,
    renewed: Renewed = Renewed(),
) -> None:
    """Replace the files one by one, each carrying the build id; the mark is written last.

    Where the files are those of the build since which months were kept, these are not read again:
    their files get the new build id.
    """
    if renewed.since is None or renewed.since != written_build(folder):
        renewed = Renewed()
    workplace = folder / ".new"
    shutil.rmtree(workplace, ignore_errors=True)
    workplace.mkdir(parents=True)
    with Warehouse(published).connect(read_only=True) as connection:
        connection.execute("set preserve_insertion_order = true")
        for table in tables:
            if table.is_fact:
                _write_months(connection, table, folder, workplace, build, renewed)
            else:
                _write_whole(connection, table, folder, workplace, build)
    shutil.rmtree(workplace)
    write_atomically(folder / _MARK, build.encode())


def written_build(folder: Path) -> str | None:
    """Build id of a complete set of files; None where one is missing or unfinished."""
    mark = folder / _MARK
    return mark.read_text("utf-8") if mark.exists() else None


def _options(build: str) -> str:
    return f"format parquet, compression zstd, kv_metadata {{build_id: {literal(build)}}}"


def _source(table: Table) -> str:
    return f"{quoted(table.schema)}.{quoted(table.name)}"


def _write_whole(
    connection: Connection, table: Table, folder: Path, workplace: Path, build: str
) -> None:
    fresh = workplace / f"{table.name}.parquet"
    connection.execute(f"copy (from {_source(table)}) to {literal(str(fresh))} ({_options(build)})")
    target = folder / table.schema / fresh.name
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh.replace(target)
    sync_folder(target.parent)


def _write_months(
    connection: Connection,
    table: Table,
    folder: Path,
    workplace: Path,
    build: str,
    renewed: Renewed,
) -> None:
    """One file a month of the fact's first date; months that no longer exist are removed."""
    target = folder / table.schema / table.name
    target.mkdir(parents=True, exist_ok=True)
    months = _months(connection, table) or {UNKNOWN_MONTH: "true"}
    changed = renewed.months.get(f"{table.schema}.{table.name}")
    others = set(months) if changed is None else {_name(first) for first in changed}
    for name, condition in months.items():
        fresh = workplace / f"{name}.parquet"
        is_kept = name not in others and _stamp(target / fresh.name, fresh, renewed.since, build)
        if not is_kept:
            connection.execute(
                f"copy (from {_source(table)} where {condition})"
                f" to {literal(str(fresh))} ({_options(build)})"
            )
        fresh.replace(target / fresh.name)
    for old in target.glob("*.parquet"):
        if old.stem not in months:
            old.unlink()
    sync_folder(target)


def _stamp(old: Path, fresh: Path, before: str | None, build: str) -> bool:
    """A copy of the file that carries another build id; False where it cannot be had so.

    The id stands in the footer, whose length are the four bytes before the last four; an id of the
    same length moves nothing in it.
    """
    if before is None or len(before) != len(build) or not old.exists():
        return False
    content = old.read_bytes()
    start = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    footer = content[start:]
    if footer.count(before.encode()) != 1:
        return False
    fresh.write_bytes(content[:start] + footer.replace(before.encode(), build.encode()))
    return True


def _name(first: date | None) -> str:
    return UNKNOWN_MONTH if first is None else f"{first:%Y-%m}"


def _months(connection: Connection, table: Table) -> dict[str, str]:
    """Name of each month that has rows, and the condition of its rows.

    A range, because the rows lie in order of months: those of others need not be read.
    """
    if table.month_column is None:
        return {}
    column = quoted(table.month_column)
    found = connection.execute(
        f"select distinct cast(date_trunc('month', {column}) as date) from {_source(table)}"
    ).fetchall()
    months: dict[str, str] = {}
    for (first,) in sorted(found, key=lambda row: row[0] or date.min):
        if _name(first) == UNKNOWN_MONTH:
            months[UNKNOWN_MONTH] = f"{column} is null or {_within(column, date(1900, 1, 1))}"
        else:
            months[_name(first)] = _within(column, first)
    return months


def _within(column: str, first: date) -> str:
    """Of a month: from its first day up to that of the next."""
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return f"{column} >= date '{first}' and {column} < date '{following}'"
