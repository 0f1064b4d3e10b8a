"""Where Dagster keeps what it tells of a run: its own SQLite files, with connections kept open.

Belongs here: the storage that `dagster.yaml` names. Does not belong here: which events there are
(`asset_graph.py`).

Dagster opens each file anew for each event, so SQLAlchemy compiles the same few statements and
SQLite waits for the disk some thousand times a night: 20 ms an event, a third of a small night.
Files, tables and everything Dagster reads from them stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage


class KeptOpenEventLog(SqliteEventLogStorage):
    """One engine for each file. A commit reaches the operating system at once (so a killed process
    loses nothing) and the disk at the next checkpoint (a power cut may lose the last events of the
    log, never an older one).
    """

    def __init__(self, base_dir: str) -> None:
        self._engines: dict[str, sqlalchemy.Engine] = {}
        super().__init__(base_dir)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[sqlalchemy.Connection]:
        with self._db_lock:
            engine = self._engines.get(shard)
            if engine is None:
                engine = self._engines[shard] = self._open(shard)
            with engine.begin() as connection:
                yield connection

    def _open(self, shard: str) -> sqlalchemy.Engine:
        engine = sqlalchemy.create_engine(
            self.conn_string_for_shard(shard),
            connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS},
        )
        sqlalchemy.event.listen(engine, "connect", _need_not_wait_for_the_disk)
        self._initdb(engine)
        return engine

    def dispose(self) -> None:
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()
        super().dispose()


class KeptOpenStorage(DagsterSqliteStorage):
    """Dagster's SQLite storage with this event log; runs and schedules as ever."""

    def __init__(self, base_dir: str, inst_data: Any = None) -> None:
        super().__init__(base_dir, inst_data=inst_data)
        usual = self._event_log_storage
        self._event_log_storage = KeptOpenEventLog(usual._base_dir)

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> KeptOpenStorage:
        return cls.from_local(inst_data=inst_data, **config_value)


def _need_not_wait_for_the_disk(connection: Any, _record: object) -> None:
    connection.execute("pragma synchronous = normal")
