"""The working warehouse file: the only code that opens a DuckDB file.

Belongs here: opening (with its lock, time zone and patience), and the two ways of using a file,
our own warehouse and a publication. Does not belong here: which tables there are (`raw_tables.py`,
`control.py`) and what is written into them (`load.py`, `publish.py`).
"""

from __future__ import annotations

import errno
import logging
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import tenacity

log = logging.getLogger(__name__)

Connection = duckdb.DuckDBPyConnection

_SESSION = "set TimeZone = 'UTC'"  # a setting of each connection
_HELD: dict[Path, Connection] = {}  # files that this process keeps open
_LOCK_WORDS = "Could not set lock"
_FULL_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FULL_WORDS = ("No space left on device", "Could not write", "disk full", "out of disk space")


class WarehouseBusyError(RuntimeError):
    """Another process holds the file."""


class StorageFullError(RuntimeError):
    """The disk is full: what was not committed is undone, what was landed is kept."""


def is_lock_error(error: BaseException) -> bool:
    return isinstance(error, duckdb.IOException) and _LOCK_WORDS in str(error)


def is_storage_full(error: BaseException | None) -> bool:
    """Whether the error, or what caused it, is a full disk."""
    seen: set[int] = set()  # causes may form a circle
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, StorageFullError):
            return True
        if isinstance(error, OSError) and error.errno in _FULL_ERRORS:
            return True
        if isinstance(error, duckdb.Error) and any(w in str(error) for w in _FULL_WORDS):
            return True
        error = error.__cause__ or error.__context__
    return False


@dataclass(frozen=True)
class Warehouse:
    """A DuckDB file that is opened, used and closed again.

    `patience_seconds` bounds how long a lock held by another process is waited for;
    `memory_limit` (for example `4GB`) and spill folder keep a large night inside a small machine.
    """

    path: Path
    patience_seconds: float = 30.0
    memory_limit: str | None = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keeps the file open: what connects inside does not open and close it each time, which
        costs as much as most statements. Nobody else can open it meanwhile.
        """
        connection = self._open(read_only=False)
        _HELD[self.path] = connection
        try:
            yield
        finally:
            del _HELD[self.path]
            connection.close()

    @contextmanager
    def connect(self, *, read_only: bool = False) -> Iterator[Connection]:
        """A connection of its own; the file is opened for it unless it is held."""
        held = _HELD.get(self.path)
        if held is None:
            connection = self._open(read_only=read_only)
        else:
            connection = held.cursor()
            connection.execute(_SESSION)
        try:
            yield connection
        except duckdb.Error as error:
            if is_storage_full(error):
                raise StorageFullError(self.full_message()) from error
            raise
        finally:
            connection.close()

    def full_message(self) -> str:
        folder = next(place for place in self.path.parents if place.exists())
        free = shutil.disk_usage(folder).free // 1_000_000
        return (
            f"the disk of {self.path.parent} is full ({free} MB free); nothing is lost: "
            "make room and start the night again, it goes on where it stopped"
        )

    def _open(self, *, read_only: bool) -> Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            connection = _connect_patiently(self.path, read_only, self.patience_seconds)
        except duckdb.IOException as error:
            if is_lock_error(error):
                raise WarehouseBusyError(
                    f"{self.path} is used by another process for more than "
                    f"{self.patience_seconds:g} s; end that run, or close the program that "
                    f"opened the working warehouse (people read published/): {error}"
                ) from error
            raise
        connection.execute(_SESSION)
        if self.memory_limit:
            connection.execute("set memory_limit = ?", [self.memory_limit])
        return connection


def _connect_patiently(path: Path, read_only: bool, seconds: float) -> Connection:
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(is_lock_error),
        stop=tenacity.stop_after_delay(seconds),
        wait=tenacity.wait_random(0.1, 0.5),
        reraise=True,
    )
    return retrying(duckdb.connect, str(path), read_only=read_only)


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """All or nothing; an error while undoing never hides the first one."""
    connection.execute("begin")
    try:
        yield
        connection.execute("commit")
    except BaseException:
        try:
            connection.execute("rollback")
        except duckdb.Error:
            log.debug("nothing to roll back: the transaction had ended already")
        raise


def quoted(name: str) -> str:
    """An identifier in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def written(value: object) -> str:
    """A value as SQL. DuckDB loads pandas for the first value that is bound to a statement: 80 MB
    and half a second, which loading does without. TypeError for what has no plain form in SQL.
    """
    if value is None:
        return "NULL"
    if isinstance(value, bool | int):
        return str(value)
    if isinstance(value, float):
        return f"CAST({literal(repr(value))} AS DOUBLE)"  # infinite ones, too
    if isinstance(value, datetime):
        return f"TIMESTAMP {literal(value.isoformat(sep=' '))}"
    if isinstance(value, date):
        return f"DATE {literal(value.isoformat())}"
    if isinstance(value, str | Decimal):
        # a statement ends at a NUL, so that it cannot stand in one
        parts = " || chr(0) || ".join(map(literal, str(value).split("\0")))
        return f"({parts})" if "\0" in str(value) else parts
    raise TypeError(f"no SQL for a {type(value).__name__}")


def filled(sql: str, values: Mapping[str, object]) -> str:
    """The statement with each `$name` of the values in its place."""
    if not values:
        return sql
    names = "|".join(re.escape(name) for name in values)
    return re.sub(rf"\$({names})\b", lambda found: written(values[found[1]]), sql)


def literal(text: str) -> str:
    """A text in single quotes, for statements that take no parameters."""
    return "'" + text.replace("'", "''") + "'"
