"""What came in, before it is loaded: a batch that breaks a critical expectation is held back.

Belongs here: the frame of a landed batch. Does not belong here: what is expected of it
(`sources/<connector>/expectations.toml`), what holding back means (`assets/load.py`).
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

import sources
from assets.audit.suites import SAMPLE_ROWS, Suite, load_suites
from assets.audit.validation import Validation, Verdict
from assets.raw_tables import RawTable
from assets.warehouse import Connection, literal, quoted

log = logging.getLogger(__name__)
_SOURCES = Path(sources.__path__[0])


@functools.cache
def suites_of(connector: str) -> Mapping[str, Suite]:
    """Declared suites by stream."""
    return load_suites(_SOURCES / connector / "expectations.toml")


@dataclass
class IncomingAudit:
    """Judges each landed batch of a night, and keeps what it found.

    Batches of trusted accounts (their reports are not read again), or all, are never refused.
    """

    validation: Validation
    verdicts: dict[tuple[str, str, str], Verdict]
    trusted: frozenset[str] = frozenset()
    accepts_all: bool = False

    def refusal(
        self,
        connection: Connection,
        table: RawTable,
        account: str,
        paths: Sequence[Path],
        rows: int,
    ) -> str | None:
        """Why this batch must not be loaded; None where it may."""
        suite = suites_of(table.connector).get(table.stream.name)
        if suite is None or rows < suite.min_rows:
            return None
        try:
            frame = _frame(connection, table, paths, suite)
        except duckdb.Error as error:
            log.info("%s/%s: not audited, loading says why: %s", table.connector, account, error)
            return None
        place = (table.connector, account, table.stream.name)
        verdict = self.validation.check(" ".join(place), suite, frame.to_pandas())
        self.verdicts[place] = verdict
        if self.accepts_all or account in self.trusted:
            return None
        return "; ".join(verdict.critical) or None


def _frame(connection: Connection, table: RawTable, paths: Sequence[Path], suite: Suite) -> Any:
    """At most some thousand rows of the columns that the suite names."""
    columns = ", ".join(f"{quoted(c)}: {literal(kind)}" for c, kind in table.record.items())
    files = ", ".join(literal(str(path)) for path in paths)
    return connection.sql(
        f"select {suite.chosen} from read_json([{files}], format = 'newline_delimited',"
        f" compression = 'zstd', columns = {{{columns}}}) where {suite.where}"
        f" using sample reservoir({SAMPLE_ROWS} rows) repeatable (1)"
    ).to_arrow_table()
