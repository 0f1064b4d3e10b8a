"""What goes out, before it is published: odd volumes and shares are said, they never block.

Belongs here: frames of marts, and of their row counts beside those of the last publication. Does
not belong here: structure, which blocks (dbt tests, `assets/publish.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from assets.audit.suites import SAMPLE_ROWS, Suite, load_suites
from assets.audit.validation import Validation, Verdict
from assets.control import insert_rows, naive_utc
from assets.warehouse import Connection

VOLUME = "volume"  # the suite about row counts; all others are named by their table
PLACE = ("all", "all")  # connector and account of what goes out


def audit_marts(
    connection: Connection,
    suites: Mapping[str, Suite],
    rows_before: Mapping[str, int],
    as_of: datetime,
    validation: Validation,
) -> list[Verdict]:
    """Each suite whose table has rows enough."""
    found = []
    for name, suite in suites.items():
        source, parameters = _source(name, suite, rows_before, as_of)
        (rows,) = connection.execute(f"select count(*) {source}", parameters).fetchall()[0]
        if rows >= suite.min_rows:
            frame = connection.execute(
                f"select {suite.chosen} {source} using sample reservoir({SAMPLE_ROWS} rows)"
                " repeatable (1)",
                parameters,
            ).to_arrow_table()
            found.append(validation.check(name, suite, frame.to_pandas()))
    return found


def mart_suites(project: Path) -> Mapping[str, Suite]:
    return load_suites(project / "models" / "marts" / "expectations.toml")


def _source(
    name: str, suite: Suite, rows_before: Mapping[str, int], as_of: datetime
) -> tuple[str, dict[str, Any]]:
    parameters: dict[str, Any] = {"as_of": naive_utc(as_of)} if "$as_of" in suite.where else {}
    if name != VOLUME:
        return f"from {name} where {suite.where}", parameters
    before = {k: v for k, v in rows_before.items() if k.startswith("marts.")}
    return (
        "from (select schema_name || '.' || table_name as table_name, estimated_size as rows_now,"
        " map_extract_value(map(cast($names as varchar[]), cast($counts as bigint[])),"
        " schema_name || '.' || table_name) as rows_before from duckdb_tables()"
        " where database_name = current_database())"
        f" where {suite.where}",
        parameters | {"names": list(before), "counts": list(before.values())},
    )


def record(
    connection: Connection,
    as_of: datetime,
    verdicts: Mapping[tuple[str, str, str], Verdict],
) -> None:
    """One row of `load.audit` per place and night; a repeat replaces."""
    rows = _rows(as_of, verdicts)
    insert_rows(
        connection,
        "load.audit",
        rows,
        "on conflict do update set rows_checked = excluded.rows_checked,"
        " expectations = excluded.expectations, failed = excluded.failed,"
        " failed_names = excluded.failed_names",
    )


def show(
    connection: Connection, as_of: datetime, verdicts: Mapping[tuple[str, str, str], Verdict]
) -> None:
    """Tonight's outgoing audits in tonight's `meta.data_quality`, which dbt has built before."""
    for row in _rows(as_of, verdicts):
        place = [row["connector"], row["account"], row["stream"], naive_utc(as_of).date()]
        connection.execute(
            "delete from meta.data_quality where connector = ? and account = ? and stream = ?"
            " and quality_date = ?",
            place,
        )
        connection.execute(
            "insert into meta.data_quality by name select ? as connector, ? as account,"
            " ? as stream, ? as quality_date, ? as rows_in, ? as rows_loaded, 0 as rows_duplicate,"
            " 0 as rows_quarantined, 0 as unmapped_codes, 0 as missing_rates, 0 as unlinked_rows,"
            " ? as completeness_score",
            [
                *place,
                row["rows_checked"],
                row["rows_checked"],
                1 - row["failed"] / row["expectations"],
            ],
        )


def _rows(
    as_of: datetime, verdicts: Mapping[tuple[str, str, str], Verdict]
) -> Iterator[dict[str, Any]]:
    for (connector, account, stream), verdict in verdicts.items():
        yield {
            "connector": connector,
            "account": account,
            "stream": stream,
            "as_of_at": naive_utc(as_of),
            "rows_checked": verdict.rows,
            "expectations": verdict.expectations,
            "failed": len(verdict.failed),
            "failed_names": "; ".join(verdict.failed) or None,
        }
