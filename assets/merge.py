"""One batch of landed files merged into a raw table, in few set-based statements.

Belongs here: which row wins, what goes to history, what is a duplicate, what a complete reading
deletes. Does not belong here: transactions and file records (`load.py`).

The rule: of several states of a key the one with the greatest (version, reading order) wins; the
same content again changes nothing; a replaced or deleted row moves to the history table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from assets.raw_tables import RawTable
from assets.warehouse import Connection, filled, literal, quoted


@dataclass(frozen=True)
class Batch:
    """Files of a stream and account in reading order: read at `as_of`, loaded at `changed_at`."""

    table: RawTable
    account: str
    as_of: datetime
    changed_at: datetime
    paths: tuple[Path, ...]


@dataclass(frozen=True)
class Counts:
    """Rows that were new or changed, repeated as they were, superseded, and deleted."""

    loaded: int = 0
    duplicate: int = 0
    superseded: int = 0
    deleted: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.loaded + other.loaded,
            self.duplicate + other.duplicate,
            self.superseded + other.superseded,
            self.deleted + other.deleted,
        )


def begin_window(connection: Connection) -> None:
    """Forget which keys the window before has brought."""
    connection.execute("create or replace temp table brought (_key VARCHAR)")


def take_batch(connection: Connection, batch: Batch) -> dict[str, Counts]:
    """Merge the batch; counts per file name."""
    table = batch.table
    connection.execute(_incoming(batch))
    seen = {"account": batch.account, "as_of": batch.as_of}
    moment = {"account": batch.account, "as_of": batch.changed_at}
    connection.execute(filled(_decided(table), {"account": batch.account}))
    if table.stream.is_static or table.stream.complete_within:
        connection.execute("insert into brought select _key from decided")
    counts = _count(connection)
    if any(c.superseded for c in counts.values()):
        connection.execute(filled(_keep_superseded(table), seen))
    if connection.execute("select 1 from decided where verdict = 'changed' limit 1").fetchall():
        where = "s._key in (select _key from decided where verdict = 'changed')"
        _retire(connection, table, moment, "replaced", where)
    if any(c.loaded for c in counts.values()):
        connection.execute(filled(_insert(table), seen | {"changed_at": batch.changed_at}))
        if table.stream.event_field:
            names = {"connector": table.connector, "stream": table.stream.name}
            connection.execute(filled(_late(table), seen | names))
    connection.execute("drop table incoming")
    return counts


def delete_missing(
    connection: Connection,
    table: RawTable,
    account: str,
    as_of: datetime,
    within: tuple[datetime, datetime] | None = None,
) -> int:
    """Move rows that the window did not bring to history; how many they were."""
    where = "not exists (select 1 from brought b where b._key = s._key)"
    limits: dict[str, object] = {}
    if within is not None:
        where += f" and {_lies_within(table)}"
        limits = {"start": within[0], "end": within[1]}
    moment = {"account": account, "as_of": as_of}
    return _retire(connection, table, moment, "deleted", where, limits)


def _incoming(batch: Batch) -> str:
    """The files as they are; rowid of the table is the reading order."""
    landed = {"_key": "VARCHAR", "_version": "VARCHAR", "_hash": "VARCHAR", **batch.table.record}
    # An instant is read with its offset and kept without, in UTC.
    read = {c: "TIMESTAMPTZ" if kind == "TIMESTAMP" else kind for c, kind in landed.items()}
    columns = ", ".join(f"{quoted(c)}: {literal(kind)}" for c, kind in read.items())
    chosen = ", ".join(
        f"{quoted(c)} at time zone 'UTC' as {quoted(c)}" if kind == "TIMESTAMP" else quoted(c)
        for c, kind in landed.items()
    )
    paths = ", ".join(literal(str(path)) for path in batch.paths)
    return (
        f"create or replace temp table incoming as select parse_filename(filename) as _file,"
        f" {chosen} from read_json([{paths}], format = 'newline_delimited', compression = 'zstd',"
        f" filename = true, columns = {{{columns}}})"
    )


def _order(table: RawTable, alias: str) -> str:
    """Versions as text that sorts: instants in UTC, numbers padded; without version, nothing."""
    column = f"{alias}._version"
    if table.stream.version is None:
        return "''"
    if table.record[table.column(table.stream.version)] == "BIGINT":
        return f"coalesce(lpad({column}, 20, '0'), '')"
    instant = f"try_cast({column} as TIMESTAMPTZ) at time zone 'UTC'"
    return f"coalesce(strftime({instant}, '%Y-%m-%dT%H:%M:%S.%f'), {column}, '')"


def _decided(table: RawTable) -> str:
    """Per key the winner of the batch, and what it means for the stored row."""
    return f"""
        create or replace temp table decided as
        with newest as (
            select rowid as rid, _key, _hash, _file, {_order(table, "i")} as _order
            from incoming as i
            qualify row_number() over (partition by _key order by _order desc, rid desc) = 1
        )
        select
            n.rid, n._key, n._hash, n._file, s._first_seen_at,
            case
                when s._key is null then 'new'
                when n._hash = s._hash then 'same'
                when n._order < {_order(table, "s")} then 'older'
                else 'changed'
            end as verdict
        from newest as n
        left join {table.name} as s on s._account = $account and s._key = n._key
    """


def _count(connection: Connection) -> dict[str, Counts]:
    """A row with the content of the batch's winner, or of the stored row, is a duplicate."""
    rows = connection.execute(
        """
        select
            i._file,
            count(*) filter (where i.rowid = d.rid and d.verdict in ('new', 'changed')),
            count(*) filter (
                where i._hash = d._hash and (i.rowid <> d.rid or d.verdict = 'same')
            ),
            count(*) filter (
                where i._hash <> d._hash or (i.rowid = d.rid and d.verdict = 'older')
            )
        from incoming as i
        inner join decided as d on d._key = i._key
        group by i._file
        """
    ).fetchall()
    return {file: Counts(loaded, same, superseded) for file, loaded, same, superseded in rows}


def _stored(table: RawTable, alias: str) -> str:
    return ", ".join(f"{alias}.{quoted(column)}" for column in table.columns)


def _from_landing(table: RawTable) -> str:
    """The columns of `incoming` after the account, in the order of the raw table."""
    fields = ", ".join(f"i.{quoted(column)}" for column in table.record)
    return f"i._key, i._version, i._hash, i._file, {{first_seen}}, {{changed}}, {fields}"


def _names(table: RawTable, *extra: str) -> str:
    return ", ".join(quoted(column) for column in (*table.columns, *extra))


def _insert(table: RawTable) -> str:
    columns = _from_landing(table).format(
        first_seen="coalesce(d._first_seen_at, $as_of)", changed="$changed_at"
    )
    return (
        f"insert into {table.name} ({_names(table)}) select $account, {columns}"
        " from incoming as i inner join decided as d on d.rid = i.rowid"
        " where d.verdict in ('new', 'changed')"
    )


def _keep_superseded(table: RawTable) -> str:
    """States that were overtaken before they were ever the newest: kept, once, as history."""
    columns = _from_landing(table).format(first_seen="$as_of", changed="$as_of")
    return (
        f"insert into {table.history} ({_names(table, '_valid_from', '_valid_to', '_ended_by')})"
        f" select $account, {columns}, $as_of, $as_of, 'superseded'"
        " from incoming as i inner join decided as d on d._key = i._key"
        " where (i._hash <> d._hash or (i.rowid = d.rid and d.verdict = 'older'))"
        f" and not exists (select 1 from {table.history} as h where h._account = $account"
        " and h._key = i._key and h._hash = i._hash)"
        " qualify row_number() over (partition by i._key, i._hash order by i.rowid) = 1"
    )


def _retire(
    connection: Connection,
    table: RawTable,
    moment: Mapping[str, object],
    ended_by: str,
    where: str,
    limits: Mapping[str, object] = MappingProxyType({}),
) -> int:
    """Move stored rows of the account to history; how many they were."""
    rows = f"from {table.name} as s where s._account = $account and {where}"
    retired = (
        f"insert into {table.history} ({_names(table, '_valid_from', '_valid_to', '_ended_by')})"
        f" select {_stored(table, 's')}, s._changed_at, $as_of, {literal(ended_by)} {rows}"
    )
    values = {**moment, **limits}
    connection.execute(filled(retired, values))
    deleted = connection.execute(filled(f"delete {rows}", values)).fetchall()
    return int(deleted[0][0])


def _event(table: RawTable, column: str, alias: str) -> str:
    """A time field as TIMESTAMP in UTC; a bare date is its midnight."""
    column = table.column(column)
    name = f"{alias}.{quoted(column)}"
    if table.record[column] in ("TIMESTAMP", "DATE"):
        return f"cast({name} as TIMESTAMP)"
    return f"(try_cast({name} as TIMESTAMPTZ) at time zone 'UTC')"


def _lies_within(table: RawTable) -> str:
    """The field lies in [$start, $end); a bare date only if its whole day does."""
    column = table.column(table.stream.complete_within or "")
    start = _event(table, column, "s")
    is_day = {"DATE": "true", "TIMESTAMP": "false"}.get(
        table.record[column], f"length(s.{quoted(column)}) = 10"
    )
    return (
        f"{start} >= $start and case when {is_day}"
        f" then {start} + interval '1 day' <= $end else {start} < $end end"
    )


def _late(table: RawTable) -> str:
    """How long after its event a new row was first seen, counted per day."""
    event = _event(table, table.stream.event_field or "", "i")
    return (
        "insert into load.late_arrival"
        " select $connector, $account, $stream, event_date,"
        " date_diff('day', event_date, cast($as_of as DATE)) as days_late, count(*)"
        f" from (select cast({event} as DATE) as event_date"
        " from incoming as i inner join decided as d on d.rid = i.rowid"
        " where d.verdict = 'new')"
        " where event_date <= cast($as_of as DATE) group by all"
        " on conflict do update set rows = rows + excluded.rows"
    )
