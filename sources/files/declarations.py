"""Datasets of the inbox as data: what a YAML file in `datasets/` may say, and the record it makes.

Belongs here: the shape of a declaration, loading it, the record type of its raw table. Does not
belong here: how a rule is applied (`columns.py`, `row_rules.py`). Adding a dataset = adding a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any, Literal

import msgspec
import pydantic
import yaml

from sources._core.records import Record

ColumnType = Literal[
    "text", "int", "decimal", "exact", "date", "month", "timestamp", "bool", "currency", "country"
]
Treatment = Literal["mask", "customer", "person"]

CHANNEL_COLUMNS = ("channel_connector", "channel_account", "channel_marketplace")
FLAGS_COLUMN = "row_flags"
EXTRAS_COLUMN = "extras"

_RECORD_TYPES: Mapping[ColumnType, Any] = {
    "text": str,
    "int": int,
    "decimal": Decimal,
    "exact": str,
    "date": date,
    "month": date,
    "timestamp": datetime,
    "bool": bool,
    "currency": str,
    "country": str,
}


class _Declared(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Column(_Declared):
    """One column: its type, its rules and what it means, in English and Chinese.

    `identifier` names a thing, so a number cell must hold all its digits. `treat` says what
    happens before anything is written: mask free text, or hash a buyer's or a person's name.
    `exact` is a decimal with up to ten decimals, kept as text; `month` is `2026-10` or its first
    day. `above` (not included), `min` and `max` are limits.
    """

    name: str
    type: ColumnType
    en: str
    zh: str
    aliases: tuple[str, ...] = ()
    required: bool = False
    identifier: bool = False
    treat: Treatment | None = None
    bare_date: bool = False
    default: str | None = None
    default_from: str | None = None
    above: Decimal | None = None
    min: Decimal | None = None
    max: Decimal | None = None
    max_length: int | None = None
    case: Literal["upper", "lower"] | None = None
    pattern: str | None = None
    pattern_says: str = ""
    values: tuple[str, ...] = ()
    not_future: bool = False
    not_before: date | None = None


class Needs(_Declared):
    """`column` must be given in a row that gives any of `with_any`."""

    column: str
    with_any: tuple[str, ...]


class Compare(_Declared):
    """`left` stands in this relation to `right` wherever both are given.

    A row that breaks it is refused, or flagged where `flag` is given.
    """

    left: str
    op: Literal["after", "not_before", "at_most", "differs"]
    right: str
    flag: str | None = None


class Overlap(_Declared):
    """Periods [from, to) of one `within` may overlap only where they have the same members.

    `refuse` says what goes: the rows, or the whole file.
    """

    within: tuple[str, ...]
    member: str | None = None
    start: str = pydantic.Field(alias="from")
    end: str = pydantic.Field(alias="to")
    refuse: Literal["rows", "file"]


class WarnSum(_Declared):
    """Where `total` and every part that has no default are given, they agree; else a flag."""

    total: str
    parts: tuple[str, ...]
    within: Decimal
    flag: str


class WarnUnique(_Declared):
    """A value of `column` occurs for one `of` within one `within` only; else a flag."""

    column: str
    within: str
    of: str
    flag: str


class FlagWhen(_Declared):
    """A row is flagged when the column is given, or is empty."""

    column: str
    state: Literal["given", "empty"] = pydantic.Field(alias="is")
    flag: str


class FlagUnless(_Declared):
    """A row whose `column` has this word is flagged unless it gives one of `any_of`."""

    column: str
    word: str = pydantic.Field(alias="is")
    any_of: tuple[str, ...]
    flag: str


class Dataset(_Declared):
    """One dataset: a folder of the inbox and a stream of the connector `files`."""

    name: str
    en: str
    zh: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    event: str | None = None
    channel: str | None = None
    one_of: tuple[tuple[str, ...], ...] = ()
    exactly_one: tuple[tuple[str, ...], ...] = ()
    needs: tuple[Needs, ...] = ()
    both_or_none: tuple[tuple[str, ...], ...] = ()
    compare: tuple[Compare, ...] = ()
    overlap: tuple[Overlap, ...] = ()
    warn_sum: tuple[WarnSum, ...] = ()
    warn_unique: tuple[WarnUnique, ...] = ()
    flag_when: tuple[FlagWhen, ...] = ()
    flag_unless: tuple[FlagUnless, ...] = ()

    @pydantic.model_validator(mode="after")
    def _names_exist(self) -> Dataset:
        names = {column.name for column in self.columns}
        used = {*self.key, *(name for group in self.one_of for name in group)}
        used |= {name for group in (*self.both_or_none, *self.exactly_one) for name in group}
        used |= {name for rule in self.needs for name in (rule.column, *rule.with_any)}
        used |= {name for rule in self.compare for name in (rule.left, rule.right)}
        used |= {name for rule in self.flag_unless for name in (rule.column, *rule.any_of)}
        used |= {name for rule in (self.event, self.channel) if rule for name in (rule,)}
        missing = sorted(used - names)
        if missing:
            raise ValueError(f"dataset {self.name}: no column is called {', '.join(missing)}")
        return self

    def column(self, name: str) -> Column:
        """The column of this name."""
        return next(column for column in self.columns if column.name == name)

    def spellings(self) -> Mapping[str, str]:
        """Header words, lower case, to the column they mean."""
        return {
            word.lower(): column.name
            for column in self.columns
            for word in (column.name, *column.aliases)
        }

    def text_columns(self) -> tuple[str, ...]:
        """Names of the columns whose text is masked."""
        return tuple(column.name for column in self.columns if column.treat == "mask")


def load_dataset(text: str) -> Dataset:
    """A declaration from its YAML text."""
    return Dataset.model_validate(yaml.safe_load(text))


@cache
def all_datasets() -> tuple[Dataset, ...]:
    """Every declared dataset, by name."""
    folder = resources.files("sources.files") / "datasets"
    files = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".yml"))
    return tuple(load_dataset((folder / name).read_text(encoding="utf-8")) for name in files)


def record_type(dataset: Dataset) -> type[msgspec.Struct]:
    """The record of the dataset's raw table: its columns, the resolved channel, flags, extras."""
    fields: list[tuple[str, Any, Any]] = [
        (column.name, _RECORD_TYPES[column.type] | None, None) for column in dataset.columns
    ]
    added = (*(CHANNEL_COLUMNS if dataset.channel else ()), FLAGS_COLUMN, EXTRAS_COLUMN)
    fields += [(name, str | None, None) for name in added]
    name = "".join(word.title() for word in dataset.name.split("_"))
    return msgspec.defstruct(
        name, fields, bases=(Record,), kw_only=True, omit_defaults=True, module=__name__
    )


def record_key(dataset: Dataset) -> Callable[[Any], str]:
    """Function that gives the key of a record; an empty part (`valid_from`) is a part too."""
    names = dataset.key

    def key(record: Any) -> str:
        parts = [getattr(record, name) for name in names]
        return "|".join("" if part is None else _escaped(str(part)) for part in parts)

    return key


def _escaped(part: str) -> str:
    if "|" in part or "%" in part:
        return part.replace("%", "%25").replace("|", "%7C")
    return part
