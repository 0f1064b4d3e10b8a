"""Which tables are published, and what is said about them: read from dbt's manifest.

Belongs here: the shape of a published table (columns, key, descriptions in both languages). Does
not belong here: writing it (`publish.py`). Descriptions have one home, the yml beside the model.
"""

from __future__ import annotations

import functools
import graphlib
from collections.abc import Iterable, Mapping
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
    depends_on: _DependsOn = msgspec.field(default_factory=lambda: _DependsOn())

    @property
    def notes(self) -> Mapping[str, Any]:
        return {**self.meta, **self.config.meta}


class _DependsOn(msgspec.Struct):
    nodes: list[str] = []


class _Source(msgspec.Struct):
    schema: str
    identifier: str


class _Manifest(msgspec.Struct):
    nodes: dict[str, _Node]
    sources: dict[str, _Source] = {}


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


@dataclass(frozen=True)
class Model:
    """A model or seed as a node of the graph: schema and name, and those it is made from."""

    place: tuple[str, str]
    description: str
    parents: tuple[tuple[str, str], ...]


def models(manifest: Path) -> list[Model]:
    """Every table and view that dbt makes, parents first, raw tables being the first parents."""
    content = msgspec.json.decode(manifest.read_bytes(), type=_Manifest)
    places = {
        name: (node.schema, node.alias or node.name)
        for name, node in content.nodes.items()
        if node.resource_type in ("model", "seed", "snapshot")
    }
    sources = {name: (s.schema, s.identifier) for name, s in content.sources.items()}
    known = {**places, **sources}
    found = {
        place: Model(
            place,
            content.nodes[name].description.strip(),
            tuple(known[p] for p in content.nodes[name].depends_on.nodes if p in known),
        )
        for name, place in places.items()
    }
    order = graphlib.TopologicalSorter({p: m.parents for p, m in found.items()}).static_order()
    return [found[place] for place in order if place in found]


def descendants(graph: Iterable[Model], changed: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Models made, directly or not, from one of the changed tables."""
    children: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for model in graph:
        for parent in model.parents:
            children.setdefault(parent, []).append(model.place)
    reached: set[tuple[str, str]] = set()
    waiting = list(changed)
    while waiting:
        for child in children.get(waiting.pop(), ()):
            if child not in reached:
                reached.add(child)
                waiting.append(child)
    return reached


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
