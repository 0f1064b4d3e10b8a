"""The rows behind an alert, an action or a line of the brief.

Belongs here: running a query of `meta.query` for one key. Does not belong here: the queries (seed
`evidence_queries.csv`).
"""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

from assets.warehouse import Connection
from pipelines.exports import ExportError, Format, Rows, content_of, open_publication, read_rows

_SHOWN = 50


def evidence_file(publication: Path, query: str, key: str, format_: Format) -> bytes:
    """All rows as a file."""
    with open_publication(publication).connect(read_only=True) as connection:
        return content_of(_rows(connection, query, key), format_)


def print_evidence(console: Console, publication: Path, query: str, key: str) -> None:
    """The first rows as a table."""
    with open_publication(publication).connect(read_only=True) as connection:
        rows = _rows(connection, query, key)
        found = list(rows.rows)
    table = Table(box=None, pad_edge=False)
    for name in rows.columns:
        table.add_column(name, overflow="fold")
    for row in found[:_SHOWN]:
        table.add_row(*("-" if value is None else str(value) for value in row))
    console.print(table)
    console.print(f"{min(len(found), _SHOWN)} / {len(found)}", highlight=False)


def _rows(connection: Connection, query: str, key: str) -> Rows:
    found = connection.execute("select sql from meta.query where query_id = ?", [query]).fetchall()
    if not found:
        known = connection.execute("select query_id from meta.query order by 1").fetchall()
        raise ExportError(
            f"no query is called {query}; write one of: {', '.join(name for (name,) in known)}"
        )
    return read_rows(connection, str(found[0][0]).replace("{key}", key.replace("'", "''")))
