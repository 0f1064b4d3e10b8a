"""Raw tables as the connectors declare them: one per stream, and one for its replaced rows.

Belongs here: record annotation -> column type, creating and widening tables. Does not belong
here: what goes into them (`load.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import msgspec
from msgspec import inspect as kinds

from assets.warehouse import Connection, quoted
from sources._core.connector import Connector, Stream

# Columns of every raw table before those of the record, with what the landing line calls them.
PROVENANCE = {
    "_account": "VARCHAR",
    "_key": "VARCHAR",
    "_version": "VARCHAR",
    "_hash": "VARCHAR",
    "_file": "VARCHAR",
    "_first_seen_at": "TIMESTAMP",
    "_changed_at": "TIMESTAMP",
}
HISTORY_COLUMNS = {"_valid_from": "TIMESTAMP", "_valid_to": "TIMESTAMP", "_ended_by": "VARCHAR"}

_SCALARS: Mapping[type[kinds.Type], str] = {
    kinds.StrType: "VARCHAR",
    kinds.IntType: "BIGINT",
    kinds.FloatType: "DOUBLE",
    kinds.BoolType: "BOOLEAN",
    kinds.DecimalType: "DECIMAL(18,4)",
    kinds.DateTimeType: "TIMESTAMP",
    kinds.DateType: "DATE",
    kinds.EnumType: "VARCHAR",
    kinds.LiteralType: "VARCHAR",
    kinds.RawType: "JSON",
    kinds.AnyType: "JSON",
}


def column_type(kind: kinds.Type) -> str:
    """DuckDB type of a msgspec annotation; optional fields have the type of what they hold."""
    while isinstance(kind, kinds.Metadata):
        kind = kind.type
    if isinstance(kind, kinds.UnionType):
        members = [t for t in kind.types if not isinstance(t, _EMPTY)]
        if len(members) != 1:
            raise TypeError(f"a column holds one type, not {kind.types}")
        return column_type(members[0])
    if isinstance(kind, kinds.StructType):
        inner = ", ".join(f"{quoted(f.encode_name)} {column_type(f.type)}" for f in kind.fields)
        return f"STRUCT({inner})"
    if isinstance(kind, kinds.ListType | kinds.VarTupleType):
        return f"{column_type(kind.item_type)}[]"
    if isinstance(kind, kinds.DictType):
        return f"MAP({column_type(kind.key_type)}, {column_type(kind.value_type)})"
    if type(kind) not in _SCALARS:
        raise TypeError(f"no column type for {kind}")
    return _SCALARS[type(kind)]


_EMPTY = (kinds.NoneType,)


def record_columns(record: type[msgspec.Struct]) -> dict[str, str]:
    kind = kinds.type_info(record)
    if not isinstance(kind, kinds.StructType):
        raise TypeError(f"{record} is not a record")
    return {field.encode_name: column_type(field.type) for field in kind.fields}


@dataclass(frozen=True)
class RawTable:
    """The table of one stream: its name and its columns."""

    connector: str
    stream: Stream

    @property
    def schema(self) -> str:
        return f"raw_{self.connector}"

    @property
    def name(self) -> str:
        return f"{quoted(self.schema)}.{quoted(self.stream.name)}"

    @property
    def history(self) -> str:
        return f"{quoted(self.schema)}.{quoted(self.stream.name + '__history')}"

    @cached_property
    def record(self) -> dict[str, str]:
        return record_columns(self.stream.record)

    def column(self, field: str) -> str:
        """Name as written of a field given by either of its names."""
        written = {f.name: f.encode_name for f in msgspec.structs.fields(self.stream.record)}
        return written.get(field, field)

    @cached_property
    def columns(self) -> dict[str, str]:
        return {**PROVENANCE, **self.record}


def raw_tables(connectors: Iterable[Connector]) -> list[RawTable]:
    return [RawTable(c.name, stream) for c in connectors for stream in c.streams]


def ensure_raw_tables(connection: Connection, connectors: Iterable[Connector]) -> None:
    """Create what is missing, add columns (and nested fields) that a connector has gained."""
    existing = _existing_columns(connection)
    for table in raw_tables(connectors):
        connection.execute(f"create schema if not exists {quoted(table.schema)}")
        for name, columns in (
            (table.stream.name, table.columns),
            (f"{table.stream.name}__history", {**table.columns, **HISTORY_COLUMNS}),
        ):
            known = existing.get((table.schema, name))
            target = f"{quoted(table.schema)}.{quoted(name)}"
            if known is None:
                body = ", ".join(f"{quoted(c)} {kind}" for c, kind in columns.items())
                connection.execute(f"create table {target} ({body})")
            else:
                _widen(connection, target, known, columns)


def _widen(
    connection: Connection, target: str, known: Mapping[str, str], columns: Mapping[str, str]
) -> None:
    for column, kind in columns.items():
        if column.lower() not in known:
            connection.execute(f"alter table {target} add column {quoted(column)} {kind}")
        elif _plain(known[column.lower()]) != _plain(kind):
            connection.execute(f"alter table {target} alter {quoted(column)} type {kind}")


def _existing_columns(connection: Connection) -> dict[tuple[str, str], dict[str, str]]:
    rows = connection.execute(
        "select schema_name, table_name, lower(column_name), data_type from duckdb_columns()"
        " where database_name = current_database() and schema_name like 'raw\\_%' escape '\\'"
    ).fetchall()
    found: dict[tuple[str, str], dict[str, str]] = {}
    for schema, table, column, kind in rows:
        found.setdefault((schema, table), {})[column] = kind
    return found


def _plain(kind: str) -> str:
    return kind.replace('"', "").upper()
