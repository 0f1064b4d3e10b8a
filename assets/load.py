"""Landed files into raw tables, exactly once.

Belongs here: finding files that the warehouse has not recorded, and taking those of one stream in
one transaction: rows, history, file records, cursor, quarantine, drift and lateness together.
Does not belong here: the SQL of one batch (`merge.py`), the tables themselves (`raw_tables.py`).
"""

from __future__ import annotations

import hashlib
import itertools
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

import duckdb

from assets import merge
from assets.control import insert_rows, naive_utc
from assets.merge import Batch, Counts
from assets.raw_tables import RawTable, raw_tables
from assets.warehouse import (
    Connection,
    Warehouse,
    is_storage_full,
    literal,
    transaction,
)
from sources._core.connector import Connector
from sources._core.landing import (
    DATA_SUFFIX,
    MANIFEST_SUFFIX,
    LandedFile,
    Manifest,
    read_manifest,
)

log = logging.getLogger(__name__)

BATCH_ROWS = 50_000  # bounds memory, whatever the number of files
MEMORY_STEPS = ("80MB", "400MB", "2GB", "8GB")  # a stream of wide records climbs them
CORRUPT = "landed_file_corrupt"
UNEXPECTED = "batch_not_as_expected"
_STREAM = ("connector", "account", "stream")


@dataclass(frozen=True)
class PendingFile:
    """A landed file that the warehouse has not recorded."""

    landed: LandedFile
    file_hash: str

    @property
    def manifest(self) -> Manifest:
        return self.landed.manifest

    @property
    def name(self) -> str:
        return self.landed.data_path.name

    @property
    def as_of(self) -> datetime:
        return naive_utc(self.manifest.as_of)

    @property
    def reading(self) -> tuple[datetime, int]:
        """Files with the same value are one window, read under one clock."""
        return self.as_of, self.manifest.window_first_seq


@dataclass(frozen=True)
class LoadResult:
    """What loading one stream of one account changed."""

    connector: str
    account: str
    stream: str
    files: int = 0
    rows_in: int = 0
    rows_loaded: int = 0
    rows_deleted: int = 0
    error: str | None = None


class Audit(Protocol):
    """Looks at a landed batch before it is loaded."""

    def refusal(
        self,
        connection: Connection,
        table: RawTable,
        account: str,
        paths: Sequence[Path],
        rows: int,
    ) -> str | None:
        """Why the batch must not be loaded; None where it may."""


@dataclass
class _Taken:
    """What is collected while the files of one stream are taken, and written at its end."""

    now: datetime | None
    records: list[dict[str, object]] = field(default_factory=list)
    totals: Counts = field(default_factory=Counts)
    refused: list[PendingFile] = field(default_factory=list)
    refusal: str | None = None
    read: list[PendingFile] = field(default_factory=list)


def _maybe(moment: datetime | None) -> datetime | None:
    return None if moment is None else naive_utc(moment)


def load_landed(
    warehouse: Warehouse,
    landing: Path,
    connectors: Sequence[Connector],
    *,
    known_by: datetime | None = None,
    now: datetime | None = None,
    progress: Callable[[str], None] = lambda _text: None,
    audit: Audit | None = None,
) -> list[LoadResult]:
    """Take over every landed file that the warehouse has not recorded, stream by stream.

    With `known_by`, only files that were landed by then. `now` is the night's clock, which stands
    in `_changed_at`; without it (replay) that of each file does. A stream that cannot be loaded
    keeps its former rows and is reported; so does one whose batch the audit refuses. A full disk
    ends it all, nothing is lost.
    """
    results = []
    with warehouse.connect() as connection:
        connection.execute("set threads = 1")  # as fast on batches of this size, in half the memory
        recorded = _recorded(connection)
        for table, account, folder in _stream_folders(landing, connectors):
            files = _pending(folder, recorded.get(_ids(table, account), set()), known_by)
            if files:
                progress("/".join(_ids(table, account)))
                refusal = _audited(audit, connection, table, account, files)
                if refusal:
                    results.append(_refuse(connection, table, account, files, refusal))
                else:
                    results.append(_load_stream(connection, table, account, files, now))
    return results


def _audited(
    audit: Audit | None,
    connection: Connection,
    table: RawTable,
    account: str,
    files: Sequence[PendingFile],
) -> str | None:
    if audit is None:
        return None
    paths = [file.landed.data_path for file in files]
    rows = sum(file.manifest.rows for file in files)
    return audit.refusal(connection, table, account, paths, rows)


def _refuse(
    connection: Connection,
    table: RawTable,
    account: str,
    files: Sequence[PendingFile],
    refusal: str,
) -> LoadResult:
    """Hold the whole batch back: nothing is loaded, the cursor stays, the window is read again."""
    ids = _ids(table, account)
    taken = _Taken(None, refused=list(files), refusal=refusal)
    taken.records = [_file_record(file, "refused", Counts()) for file in files]
    with transaction(connection):
        _write_records(connection, ids, taken)
    for file in files:
        _set_aside(file, ".refused")
    return LoadResult(*ids, error=f"batch held back, former rows stay: {refusal}")


def _recorded(connection: Connection) -> dict[tuple[str, str, str], set[str]]:
    names: dict[tuple[str, str, str], set[str]] = {}
    for connector, account, stream, name in connection.execute(
        "select connector, account, stream, file_name from load.file"
    ).fetchall():
        names.setdefault((connector, account, stream), set()).add(name)
    return names


def _ids(table: RawTable, account: str) -> tuple[str, str, str]:
    return table.connector, account, table.stream.name


def _stream_folders(
    landing: Path, connectors: Sequence[Connector]
) -> Iterator[tuple[RawTable, str, Path]]:
    for table in raw_tables(connectors):
        for account in sorted(p for p in (landing / table.connector).glob("*") if p.is_dir()):
            folder = account / table.stream.name
            if folder.is_dir():
                yield table, account.name, folder


def _pending(folder: Path, seen: set[str], known_by: datetime | None) -> list[PendingFile]:
    """Unrecorded files with a manifest, in reading order (their names sort by clock and number)."""
    files = []
    for path in sorted(folder.glob(f"[0-9]*{MANIFEST_SUFFIX}")):
        if path.name.removesuffix(MANIFEST_SUFFIX) + DATA_SUFFIX in seen:
            continue
        file = PendingFile(read_manifest(path), hashlib.sha256(path.read_bytes()).hexdigest())
        if known_by is None or file.manifest.as_of <= known_by:
            files.append(file)
    return files


def _load_stream(
    connection: Connection,
    table: RawTable,
    account: str,
    files: Sequence[PendingFile],
    now: datetime | None,
) -> LoadResult:
    ids = _ids(table, account)
    try:
        taken = _take(connection, table, account, files, now)
    except duckdb.Error as error:
        if is_storage_full(error):
            raise  # the warehouse says what to do
        log.warning("%s/%s/%s could not be loaded: %s", *ids, error)
        return LoadResult(*ids, error=f"loading failed, former rows stay: {error}")
    result = LoadResult(
        *ids,
        files=len(taken.read),
        rows_in=sum(f.manifest.rows for f in taken.read),
        rows_loaded=taken.totals.loaded,
        rows_deleted=taken.totals.deleted,
    )
    if taken.refused:
        names = ", ".join(f.name for f in taken.refused)
        for file in taken.refused:
            _set_aside(file)
        return replace(result, error=f"landed file damaged: {names}; its window is read again")
    return result


def _take(
    connection: Connection,
    table: RawTable,
    account: str,
    files: Sequence[PendingFile],
    now: datetime | None,
) -> _Taken:
    """All files in one transaction: with little memory, with more where that is not enough."""
    for limit in MEMORY_STEPS[:-1]:
        try:
            # refused where what is open from the streams before takes more already
            connection.execute(f"set memory_limit = {literal(limit)}")
            return _take_within(connection, table, account, files, now)
        except (duckdb.OutOfMemoryException, duckdb.TransactionException) as error:
            if not _is_short_of_memory(error):
                raise
            log.info("%s/%s/%s needs more than %s to load", *_ids(table, account), limit)
    connection.execute(f"set memory_limit = {literal(MEMORY_STEPS[-1])}")
    return _take_within(connection, table, account, files, now)


def _is_short_of_memory(error: duckdb.Error) -> bool:
    """What runs short while committing is an error of the transaction."""
    return isinstance(error, duckdb.OutOfMemoryException) or "could not allocate" in str(error)


def _take_within(
    connection: Connection,
    table: RawTable,
    account: str,
    files: Sequence[PendingFile],
    now: datetime | None,
) -> _Taken:
    with transaction(connection):
        taken = _Taken(None if now is None else naive_utc(now))
        for _reading, group in itertools.groupby(files, key=lambda f: f.reading):
            _take_window(connection, table, account, list(group), taken)
        _write_records(connection, _ids(table, account), taken)
    return taken


def _take_window(
    connection: Connection,
    table: RawTable,
    account: str,
    files: list[PendingFile],
    taken: _Taken,
) -> None:
    """The files of one window in batches; then, where the window was complete, its deletions."""
    good = []
    for file in files:
        if file.landed.data_path.is_file() and file.landed.is_intact():
            good.append(file)
        else:
            log.warning("%s does not match its manifest; refused", file.landed.data_path)
            taken.refused.append(file)
            taken.records.append(_file_record(file, "refused", Counts()))
    merge.begin_window(connection)
    for batch_files in _batches(good):
        batch = Batch(
            table=table,
            account=account,
            as_of=batch_files[0].as_of,
            changed_at=taken.now or batch_files[0].as_of,
            paths=tuple(f.landed.data_path for f in batch_files),
        )
        per_file = merge.take_batch(connection, batch)
        for file in batch_files:
            counts = per_file.get(file.name, Counts())
            taken.records.append(_file_record(file, "loaded", counts))
            taken.totals = taken.totals + counts
    taken.read.extend(good)
    if good and len(good) == len(files):
        taken.totals = taken.totals + _delete_missing(connection, table, account, good, taken.now)


def _delete_missing(
    connection: Connection,
    table: RawTable,
    account: str,
    files: Sequence[PendingFile],
    now: datetime | None,
) -> Counts:
    """Rows that a complete reading did not bring are gone; unfinished windows delete nothing."""
    last, as_of = files[-1].manifest, now or files[-1].as_of
    if not last.complete:
        return Counts()
    if table.stream.is_static:
        return Counts(deleted=merge.delete_missing(connection, table, account, as_of))
    start, end = _maybe(last.window_from), _maybe(last.window_to)
    if table.stream.complete_within and start and end:
        gone = merge.delete_missing(connection, table, account, as_of, within=(start, end))
        return Counts(deleted=gone)
    return Counts()


def _set_aside(file: PendingFile, mark: str = ".damaged") -> None:
    """Keep a refused file for inspection, under names that no reading of landing looks at."""
    data = file.landed.data_path
    manifest = data.with_name(data.name.removesuffix(DATA_SUFFIX) + MANIFEST_SUFFIX)
    for path in (manifest, data):
        if path.exists():
            path.replace(path.with_name(path.name + mark))


def _batches(files: Iterable[PendingFile]) -> Iterator[list[PendingFile]]:
    batch: list[PendingFile] = []
    rows = 0
    for file in files:
        if batch and rows + file.manifest.rows > BATCH_ROWS:
            yield batch
            batch, rows = [], 0
        batch.append(file)
        rows += file.manifest.rows
    if batch:
        yield batch


def _file_record(file: PendingFile, state: str, counts: Counts) -> dict[str, object]:
    m = file.manifest
    return {
        "file_hash": file.file_hash,
        "connector": m.connector,
        "account": m.account,
        "stream": m.stream,
        "file_name": file.name,
        "source_ref": m.source_ref,
        "window_from": _maybe(m.window_from),
        "window_to": _maybe(m.window_to),
        "cursor_after": _maybe(m.cursor_after),
        "rows_in": m.rows + m.duplicates + sum(r.count for r in m.rejects),
        "rows_loaded": counts.loaded,
        "rows_duplicate": counts.duplicate + m.duplicates,
        "rows_refused": sum(r.count for r in m.rejects) + (m.rows if state == "refused" else 0),
        "encoding": m.encoding,
        "as_of_at": file.as_of,
        "file_state": state,
    }


def _write_records(connection: Connection, ids: tuple[str, str, str], taken: _Taken) -> None:
    insert_rows(connection, "load.file", taken.records)
    insert_rows(
        connection,
        "load.quarantine",
        _quarantine(ids, taken),
        "on conflict do update set rows = rows + excluded.rows,"
        " example_ref = excluded.example_ref, what_to_do = excluded.what_to_do",
    )
    insert_rows(
        connection,
        "load.drift",
        _drift(ids, taken.read),
        "on conflict do update set first_seen_at = least(first_seen_at, excluded.first_seen_at),"
        " last_seen_at = greatest(last_seen_at, excluded.last_seen_at)",
    )
    cursor = _cursor_after(taken)
    if cursor is not None:
        insert_rows(
            connection,
            "load.cursor",
            [dict(zip(_STREAM, ids, strict=True)) | {"cursor_at": cursor}],
            "on conflict do update set cursor_at = greatest(cursor_at, excluded.cursor_at)",
        )


def _cursor_after(taken: _Taken) -> datetime | None:
    """The furthest finished window, but never past a window whose file was damaged."""
    reached = [at for f in taken.read if (at := _maybe(f.manifest.cursor_after))]
    limits = [start for f in taken.refused if (start := _maybe(f.manifest.window_from))]
    if taken.refused and not limits:
        return None
    usable = [at for at in reached if not limits or at <= min(limits)]
    return max(usable, default=None)


def _quarantine(ids: tuple[str, str, str], taken: _Taken) -> Iterator[dict[str, object]]:
    base = dict(zip(_STREAM, ids, strict=True))
    for file in taken.read:
        for reject in file.manifest.rejects:
            yield base | {
                "quality_date": file.as_of.date(),
                "quarantine_reason": reject.reason,
                "rows": reject.count,
                "example_ref": reject.example_ref,
                "what_to_do": reject.what_to_do,
            }
    for file in taken.refused:
        yield base | {
            "quality_date": file.as_of.date(),
            "quarantine_reason": UNEXPECTED if taken.refusal else CORRUPT,
            "rows": file.manifest.rows,
            "example_ref": file.name,
            "what_to_do": _UNEXPECTED_TO_DO if taken.refusal else _CORRUPT_TO_DO,
        }


_CORRUPT_TO_DO = (
    "nothing: the window is read again next night; if it happens again, check the disk of the data"
    " folder"
)
_UNEXPECTED_TO_DO = (
    "look at the pages in data_docs of the data folder: the window is read again next night; if the"
    " source is right as it is, run `aftersales nightly --accept-loss` once"
)


def _drift(ids: tuple[str, str, str], files: Iterable[PendingFile]) -> Iterator[dict[str, object]]:
    for file in files:
        for change in file.manifest.drift:
            yield {
                "connector": ids[0],
                "stream": ids[2],
                "field": change.field,
                "drift_kind": change.kind,
                "first_seen_at": file.as_of,
                "last_seen_at": file.as_of,
            }
