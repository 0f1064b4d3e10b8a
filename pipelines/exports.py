"""A published table, or a part of it, as a file that a spreadsheet opens.

Belongs here: reading rows of the publication and writing them as CSV, XLSX or JSON. Does not
belong here: which rows a list shows (`action_queue.py`) and the command lines (`owner_cli.py`).

Text that a spreadsheet would run as a formula (it begins with = + - @) gets an apostrophe in front.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from assets.warehouse import Connection, Warehouse, quoted
from sources._core.durable import write_atomically

Format = Literal["csv", "xlsx", "json"]
SCHEMAS = ("marts", "meta", "signals")
MOST_XLSX_ROWS = 1_048_575  # below the header
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_ROWS_AT_ONCE = 10_000


class ExportError(RuntimeError):
    """What was asked for cannot be written; the message says what can."""


@dataclass(frozen=True)
class Rows:
    """Column names and rows; `read` once."""

    columns: Sequence[str]
    rows: Iterable[Sequence[Any]]


def open_publication(path: Path) -> Warehouse:
    """The published file; ExportError where there is none yet."""
    if not path.exists():
        raise ExportError(
            f"nothing is published yet in {path.parent}: run `aftersales nightly`, or "
            "`aftersales import` with reports that you downloaded"
        )
    return Warehouse(path)


def export_table(
    publication: Path, table: str, format_: Format, out: Path, account: str | None = None
) -> int:
    """Write a published table, or the rows of one account, to `out`; how many rows."""
    with open_publication(publication).connect(read_only=True) as connection:
        schema, name = _find_table(connection, table)
        condition, values = _of_account(connection, schema, name, account)
        source = f"from {quoted(schema)}.{quoted(name)}{condition}"
        (count,) = connection.execute(f"select count(*) {source}", values).fetchall()[0]
        if format_ == "xlsx" and count > MOST_XLSX_ROWS:
            raise ExportError(
                f"{table} has {count:,} rows, more than a worksheet holds: use --format csv, or "
                "--account to take a part"
            )
        write_file(read_rows(connection, f"select * {source}", values), format_, out)
    return int(count)


def read_rows(connection: Connection, sql: str, values: Sequence[Any] = ()) -> Rows:
    """Rows of a query, fetched piece by piece."""
    cursor = connection.execute(sql, list(values))
    return Rows([column[0] for column in cursor.description or ()], _fetched(cursor))


def write_file(rows: Rows, format_: Format, out: Path) -> None:
    """One rename: a reader sees the old file or the whole new one."""
    out.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(out, content_of(rows, format_))


def content_of(rows: Rows, format_: Format) -> bytes:
    """The bytes of the file."""
    if format_ == "xlsx":
        return _workbook(rows)
    if format_ == "json":
        content = [dict(zip(rows.columns, row, strict=True)) for row in rows.rows]
        return (json.dumps(content, default=str, ensure_ascii=False, indent=1) + "\n").encode()
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(rows.columns)
    writer.writerows([_plain(value) for value in row] for row in rows.rows)
    return text.getvalue().encode()


def _fetched(cursor: Connection) -> Iterator[Sequence[Any]]:
    while rows := cursor.fetchmany(_ROWS_AT_ONCE):
        yield from rows


def _find_table(connection: Connection, table: str) -> tuple[str, str]:
    """Schema and name of `marts.mart_headline`, or of `mart_headline` alone."""
    known = connection.execute(
        "select schema_name, table_name from meta.table_description order by all"
    ).fetchall()
    schema, _, name = table.rpartition(".")
    found = [place for place in known if place[1] == name and schema in ("", place[0])]
    if not found:
        names = ", ".join(f"{schema}.{name}" for schema, name in known)
        raise ExportError(f"{table} is not published; write one of: {names}")
    return str(found[0][0]), str(found[0][1])


def _of_account(
    connection: Connection, schema: str, name: str, account: str | None
) -> tuple[str, list[str]]:
    if account is None:
        return "", []
    columns = connection.execute(
        "select column_name from duckdb_columns() where schema_name = ? and table_name = ?",
        [schema, name],
    ).fetchall()
    if ("account",) not in columns:
        raise ExportError(
            f"{name} is not split by account, its subject is shared by all of them: leave out "
            "--account, or give a person a slice of their accounts ([[publish.slices]])"
        )
    accounts = [
        row[0]
        for row in connection.execute(
            "select account from marts.dim_account where connector <> account order by 1"
        ).fetchall()
    ]
    if account not in accounts:
        raise ExportError(f"no account is called {account}; write one of: {', '.join(accounts)}")
    return " where account = ?", [account]


def _plain(value: Any) -> Any:
    """A value as CSV holds it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return f"{value.isoformat()}Z" if value.tzinfo is None else value.isoformat()
    return _without_formula(value)


def _without_formula(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return value


def _workbook(rows: Rows) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("data")
    sheet.freeze_panes = "A2"
    head = []
    for name in rows.columns:
        cell = WriteOnlyCell(sheet, value=name)
        cell.font = Font(bold=True)
        head.append(cell)
    sheet.append(head)
    for row in rows.rows:
        sheet.append([_cell(value) for value in row])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _cell(value: Any) -> Any:
    """A value as a cell holds it; what is no number, date or truth value is text."""
    if value is None or isinstance(value, (bool, int, float, Decimal, date, datetime)):
        return value
    return _without_formula(str(value))
