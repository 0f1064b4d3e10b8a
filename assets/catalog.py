"""Which tables are published, and what is said about them: read from dbt's manifest.

Belongs here: the shape of a published table (columns, key, descriptions in both languages). Does
not belong here: writing it (`publish.py`). Descriptions have one home, the yml beside the model.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

PUBLISHED_SCHEMAS = ("marts", "signals", "meta")
# Tables that publication itself writes; dbt keeps their columns and descriptions.
WRITTEN_BY_PUBLISH = frozenset({"build", "current", "table_description", "column_description"})


class _Config(msgspec.Struct):
    meta: dict[str, Any] = {}


class _Column(msgspec.Struct):
    name: str
    data_type: str | None = None
    description: str = ""
    meta: dict[str, Any] = {}
    config: _Config = msgspec.field(default_factory=_Config)

    @property
    def notes(self) -> Mapping[str, Any]:
        return {**self.meta, **self.config.meta}


class _Node(msgspec.Struct):
    resource_type: str
    name: str
    schema: str
    unique_id: str = ""
    alias: str | None = None
    description: str = ""
    meta: dict[str, Any] = {}
    config: _Config = msgspec.field(default_factory=_Config)
    columns: dict[str, _Column] = {}

    @property
    def notes(self) -> Mapping[str, Any]:
        return {**self.meta, **self.config.meta}


class _Manifest(msgspec.Struct):
    nodes: dict[str, _Node]


@dataclass(frozen=True)
class Column:
    """A published column as `meta.column_description` shows it."""

    name: str
    data_type: str
    description_en: str
    description_zh: str
    unit: str = "text"
    metric_id: str = "none"
    is_additive: bool = False
    numerator: str | None = None
    denominator: str | None = None


@dataclass(frozen=True)
class Table:
    """A published table as `meta.table_description` shows it."""

    schema: str
    name: str
    unique_id: str
    grain: str
    key: tuple[str, ...]
    time_basis: str
    description_en: str
    description_zh: str
    columns: tuple[Column, ...]

    @property
    def is_fact(self) -> bool:
        """Facts are tested for uniqueness instead of carrying a primary key, and cut by month."""
        return self.schema == "marts" and self.name.startswith(("fct_", "recon_"))

    @functools.cached_property
    def month_column(self) -> str | None:
        """First date column, else first time: by its month facts are sorted and cut."""
        for wanted in ("date", "timestamp"):
            for column in self.columns:
                if column.data_type.lower() == wanted:
                    return column.name
        return None


def published_tables(manifest: Path) -> list[Table]:
    """Models of the published schemas, in order of schema and name."""
    nodes = msgspec.json.decode(manifest.read_bytes(), type=_Manifest).nodes.values()
    tables = [
        _table(node)
        for node in nodes
        if node.resource_type == "model" and node.schema in PUBLISHED_SCHEMAS
    ]
    return sorted(tables, key=lambda t: (PUBLISHED_SCHEMAS.index(t.schema), t.name))


def _table(node: _Node) -> Table:
    notes = node.notes
    key = notes.get("key", ())
    return Table(
        schema=node.schema,
        name=node.alias or node.name,
        unique_id=node.unique_id,
        grain=str(notes.get("grain", "")),
        key=(key,) if isinstance(key, str) else tuple(key),
        time_basis=str(notes.get("time_basis", "")),
        description_en=node.description.strip(),
        description_zh=_chinese(notes),
        columns=tuple(_column(c) for c in node.columns.values()),
    )


def _column(column: _Column) -> Column:
    notes = column.notes
    return Column(
        name=column.name,
        data_type=(column.data_type or "").lower(),
        description_en=column.description.strip(),
        description_zh=_chinese(notes),
        unit=str(notes.get("unit", "text")),
        metric_id=str(notes.get("metric_id", "none")),
        is_additive=bool(notes.get("is_additive", False)),
        numerator=notes.get("numerator"),
        denominator=notes.get("denominator"),
    )


def _chinese(notes: Mapping[str, Any]) -> str:
    return str(notes.get("zh") or notes.get("description_zh") or "").strip()
