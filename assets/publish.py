"""The checked copy that people and BI tools read, replaced in one step.

Belongs here: which checks stand before the rename, what the file says of itself (`meta.build`,
`meta.current`, descriptions), the rename. Does not belong here: what the tables contain
(`dbt_project/`), how one table is copied (`table_copy.py`), the open copies (`parquet.py`).
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from assets import renewal, table_copy
from assets.catalog import WRITTEN_BY_PUBLISH, Table
from assets.control import insert_rows, naive_utc
from assets.warehouse import Connection, Warehouse, literal, quoted
from sources._core.durable import sync_folder

CONTRACT_VERSION = "1.0"
FILE_NAME = "aftersales.duckdb"
STORAGE_VERSION = "v1.0.0"  # the format that every BI driver reads
MIN_ROWS_TO_GUARD = 20
WAITING = frozenset({"marts.mart_action_queue"})  # shrinks when what waits is done

OPEN_ALERTS = "('open', 'updated', 'acknowledged', 'reopened')"


class PublicationBlockedError(RuntimeError):
    """Something structural is wrong: yesterday's file stays."""


@dataclass(frozen=True)
class Build:
    """One publication, a row of `meta.build`."""

    build_id: str
    built_at: datetime
    as_of_at: datetime
    code_version: str
    config_hash: str
    is_sandbox: bool
    data_until: datetime | None = None
    contract_version: str = CONTRACT_VERSION
    rows_published: int = 0
    checks_passed: int = 0
    checks_failed: int = 0
    duration_seconds: float = 0.0


@dataclass(frozen=True)
class Options:
    """How to publish: the settings that matter here, and what the operator accepts."""

    reporting_currency: str = "USD"
    time_zone: str = "UTC"
    fact_months: int = 36
    accept_loss: bool = False


@dataclass(frozen=True)
class Publication:
    """What was put in place, the build it replaced, and of facts that kept months since that build
    the first days of the others.
    """

    path: Path
    build: Build
    rows: Mapping[str, int]
    replaced: str | None = None
    renewed: Mapping[str, frozenset[date | None]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Written:
    """The build as it will be shown, rows per table, earlier builds, and months that differed."""

    build: Build
    rows: Mapping[str, int]
    history: Sequence[Mapping[str, Any]]
    renewed: Mapping[str, frozenset[date | None]]


@dataclass(frozen=True)
class Previous:
    """What the file that is about to be replaced says of itself."""

    builds: Sequence[dict[str, Any]] = ()
    rows: Mapping[str, int] = field(default_factory=dict)
    current: str | None = None

    @property
    def newest(self) -> dict[str, Any] | None:
        return next((b for b in self.builds if b["build_id"] == self.current), None)


def build_id(as_of: datetime, inputs: Iterable[str]) -> str:
    """The same for the same clock, landed files, settings and code: a repeat is recognised."""
    digest = hashlib.sha256("\n".join(inputs).encode()).hexdigest()[:12]
    return f"{as_of.astimezone(UTC):%Y%m%dT%H%M%SZ}-{digest}"


def publish(
    warehouse: Warehouse,
    folder: Path,
    tables: Sequence[Table],
    build: Build,
    options: Options,
) -> Publication:
    """Copy, check, smoke-test and put in place; readers see the old file or the new, never half."""
    target = folder / FILE_NAME
    fresh = folder / ".new" / FILE_NAME
    shutil.rmtree(fresh.parent, ignore_errors=True)
    fresh.parent.mkdir(parents=True)
    previous = read_previous(target)
    try:
        with warehouse.connect() as connection:
            stored = table_copy.with_stored_columns(connection, tables)
            large = _renewable(stored, previous, build)
            if large:
                shutil.copyfile(target, fresh)
            written = _write(connection, fresh, stored, large, build, options, previous)
    except table_copy.TableNotPublishableError as error:
        raise PublicationBlockedError(str(error)) from error
    _smoke(fresh, build.build_id, written.rows)
    put_in_place(fresh, target)
    with warehouse.connect() as connection:
        _remember(connection, [*written.history, asdict(written.build)])
    return Publication(target, written.build, written.rows, previous.current, written.renewed)


def _renewable(tables: Sequence[Table], previous: Previous, build: Build) -> list[Table]:
    """Facts worth keeping in a copy of yesterday's file; none in the first night of a month."""
    last = previous.newest
    if last is None or f"{last['as_of_at']:%Y-%m}" != f"{build.as_of_at:%Y-%m}":
        return []
    return renewal.large_tables(tables, previous.rows)


def _write(
    connection: Connection,
    fresh: Path,
    stored: Sequence[Table],
    large: Sequence[Table],
    build: Build,
    options: Options,
    previous: Previous,
) -> _Written:
    """Fill the new file: tables anew, but for the large ones."""
    history = _history(connection, previous, build.build_id)
    connection.execute(
        f"attach {literal(str(fresh))} as {table_copy.FRESH}"
        f" (storage_version {literal(STORAGE_VERSION)})"
    )
    connection.execute("begin")  # one commit: one write to disk
    kept = renewal.drop_others(connection, large)
    rows: dict[str, int] = {}
    renewed: dict[str, frozenset[date | None]] = {}
    for table in stored:
        if table in kept:
            rows[_name(table)], renewed[_name(table)] = renewal.renew(
                connection, table, build.as_of_at, options.fact_months
            )
            continue
        table_copy.create(connection, table)
        if not _is_own(table):
            rows[_name(table)] = table_copy.fill(
                connection, table, build.as_of_at, options.fact_months
            )
    if not options.accept_loss:
        _guard_rows(connection, previous, rows, build)
    rows |= _own_rows(stored, history)
    build = replace(
        build, data_until=_data_until(connection, build), rows_published=sum(rows.values())
    )
    _write_own(connection, stored, build, options, history, rows)
    connection.execute("commit")
    connection.execute(f"detach {table_copy.FRESH}")
    return _Written(build, rows, history, renewed)


def read_previous(target: Path) -> Previous:
    """Builds and row counts of the published file; nothing where there is none."""
    if not target.exists():
        return Previous()
    with Warehouse(target).connect(read_only=True) as connection:
        cursor = connection.execute("select * from meta.build")
        names = [column[0] for column in cursor.description or ()]
        builds = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        described = connection.execute(
            "select schema_name || '.' || table_name, rows from meta.table_description"
        ).fetchall()
        current = connection.execute("select build_id from meta.current").fetchall()
    return Previous(builds, dict(described), current[0][0] if current else None)


def _history(connection: Connection, previous: Previous, current: str) -> list[dict[str, Any]]:
    """Earlier builds: what the warehouse remembers and what the published file says."""
    cursor = connection.execute("select * from load.build")
    names = [column[0] for column in cursor.description or ()]
    known = {row[0]: dict(zip(names, row, strict=True)) for row in cursor.fetchall()}
    for earlier in previous.builds:
        known.setdefault(str(earlier["build_id"]), {n: earlier.get(n) for n in names})
    known.pop(current, None)
    return [known[name] for name in sorted(known)]


def _guard_rows(
    connection: Connection, previous: Previous, rows: Mapping[str, int], build: Build
) -> None:
    """A mart that lost more than half its rows without as many deletions is a fault of ours."""
    last = previous.newest
    if last is None or naive_utc(build.as_of_at) < last["as_of_at"]:
        return
    if last["config_hash"] != build.config_hash:
        return  # a change of the settings rewrites the past on purpose
    (deleted,) = connection.execute(
        "select coalesce(sum(rows_deleted), 0) from load.outcome where as_of_at >= ?",
        [last["as_of_at"]],
    ).fetchall()[0]
    for name, now in rows.items():
        before = previous.rows.get(name, 0)
        is_kept = name.startswith("marts.") and name not in WAITING
        is_large = is_kept and before >= MIN_ROWS_TO_GUARD
        if is_large and now < before / 2 and before - now > deleted:
            raise PublicationBlockedError(
                f"{name} had {before} rows and would have {now}, although only {deleted} raw rows "
                "were deleted; look for a source that stopped or a model that changed. If the loss "
                "is right, run `aftersales nightly --accept-loss` once"
            )


def _data_until(connection: Connection, build: Build) -> datetime | None:
    """The earliest end of data of the sources in use, as the models took it for maturity."""
    (until,) = connection.execute(
        "select min(data_until) from intermediate.int_data_until"
    ).fetchall()[0]
    return min(until, naive_utc(build.as_of_at)) if until else None


def _name(table: Table) -> str:
    return f"{table.schema}.{table.name}"


def _is_own(table: Table) -> bool:
    return table.schema == "meta" and table.name in WRITTEN_BY_PUBLISH


def _own_rows(tables: Sequence[Table], history: Sequence[object]) -> dict[str, int]:
    return {
        "meta.build": len(history) + 1,
        "meta.current": 1,
        "meta.table_description": len(tables),
        "meta.column_description": sum(len(table.columns) for table in tables),
    }


def _write_own(
    connection: Connection,
    tables: Sequence[Table],
    build: Build,
    options: Options,
    history: Sequence[Mapping[str, Any]],
    rows: Mapping[str, int],
) -> None:
    stale, alerts = connection.execute(
        "select (select count(*) from meta.freshness where freshness_state <> 'fresh'),"
        f" (select count(*) from signals.alert where state in {OPEN_ALERTS})"
    ).fetchall()[0]
    current = {
        "build_id": build.build_id,
        "built_at": build.built_at,
        "as_of_date": build.as_of_at.date(),
        "data_until": build.data_until,
        "reporting_currency": options.reporting_currency,
        "time_zone": options.time_zone,
        "contract_version": build.contract_version,
        "is_sandbox": build.is_sandbox,
        "sources_stale": stale,
        "alerts_open": alerts,
    }
    content: dict[str, Iterable[Mapping[str, Any]]] = {
        "build": [*history, asdict(build)],
        "current": [current],
        "table_description": (_table_row(table, rows[_name(table)]) for table in tables),
        "column_description": _column_rows(tables),
    }
    for name, content_rows in content.items():
        insert_rows(connection, f"{table_copy.FRESH}.meta.{name}", content_rows)


def _table_row(table: Table, rows: int) -> dict[str, Any]:
    return {
        "schema_name": table.schema,
        "table_name": table.name,
        "grain": table.grain,
        "key_columns": ",".join(table.key),
        "time_basis": table.time_basis,
        "description_en": table.description_en,
        "description_zh": table.description_zh,
        "rows": rows,
    }


def _column_rows(tables: Sequence[Table]) -> Iterable[dict[str, Any]]:
    for table in tables:
        for position, column in enumerate(table.columns, start=1):
            yield {
                "schema_name": table.schema,
                "table_name": table.name,
                "column_name": column.name,
                "column_order": position,
                "data_type": column.data_type.upper(),
                "unit": column.unit,
                "metric_id": column.metric_id,
                "is_additive": column.is_additive,
                "numerator": column.numerator,
                "denominator": column.denominator,
                "description_en": column.description_en,
                "description_zh": column.description_zh,
            }


def _smoke(fresh: Path, build: str, rows: Mapping[str, int]) -> None:
    """Open the file as a reader does: it names this build and holds what was copied."""
    with Warehouse(fresh).connect(read_only=True) as connection:
        found = connection.execute("select build_id from meta.current").fetchall()
        counts = dict(
            connection.execute(
                "select schema_name || '.' || table_name, estimated_size from duckdb_tables()"
            ).fetchall()
        )
        for name in counts:  # of a table in which rows were exchanged an estimate counts the old
            if counts[name] != rows.get(name):
                counts[name] = _count(connection, name)
    if found != [(build,)] or counts != dict(rows):
        different = sorted(n for n in {*counts, *rows} if counts.get(n) != rows.get(n))
        raise PublicationBlockedError(
            f"the new file does not read back as written ({', '.join(different) or 'build id'}); "
            "check the disk and run the night again"
        )


def _count(connection: Connection, name: str) -> int:
    place = ".".join(quoted(part) for part in name.split(".", 1))
    (rows,) = connection.execute(f"select count(*) from {place}").fetchall()[0]
    return int(rows)


def put_in_place(fresh: Path, target: Path) -> None:
    """One rename, after which a power cut no longer matters."""
    with fresh.open("rb") as file:
        os.fsync(file.fileno())
    fresh.replace(target)
    sync_folder(target.parent)
    shutil.rmtree(fresh.parent, ignore_errors=True)


def _remember(connection: Connection, builds: Iterable[Mapping[str, Any]]) -> None:
    """The warehouse keeps the list as well, so that it survives a lost publication."""
    insert_rows(connection, "load.build", builds, "on conflict do nothing")
