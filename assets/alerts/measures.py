"""Figures of tonight that rules may judge, one SQL file for each kind of them.

Belongs here: the shape of a figure, and reading all of them from marts and meta. Does not belong
here: whether a figure is too high (`rules.py`). A SQL file gives the columns of `Measure`; what it
leaves out has its default, and columns named `fact_*` are words for the message.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from assets.control import naive_utc
from assets.warehouse import Connection

_FOLDER = Path(__file__).with_name("measures")

# kind -> (file, what stands for the names in braces there)
_FILES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "return_rate": ("cohort_rate.sql", {"units": "units_returned"}),
    "defect_rate": ("cohort_rate.sql", {"units": "units_defective"}),
    "negative_feedback": ("negative_feedback.sql", {}),
    "freshness": ("freshness.sql", {}),
    "unmapped": ("unmapped.sql", {}),
    "schema_drift": ("schema_drift.sql", {}),
    "missing_rate": ("missing_rate.sql", {}),
    "quarantine": ("quarantine.sql", {}),
}


class Measure(msgspec.Struct, frozen=True, omit_defaults=True):
    """One figure of one entity: counts, what they are compared with, and where it is.

    `value` is what a rule by level looks at. `since` is the first day or moment it is about.
    `covered_by` is the entity of the same kind that says it already.
    """

    PLACES: ClassVar[tuple[str, ...]] = (
        "sku",
        "product_id",
        "lot_key",
        "supplier_id",
        "country",
        "account",
        "marketplace",
        "carrier_key",
        "team",
    )

    kind: str
    entity_type: str
    entity_key: str
    sku: str = "all"
    product_id: str = "all"
    lot_key: str = "all"
    supplier_id: str = "all"
    country: str = "all"
    account: str = "all"
    marketplace: str = "all"
    carrier_key: str = "all"
    team: str = "all"
    k: float | None = None
    n: float | None = None
    baseline: float | None = None
    baseline_n: float | None = None
    baseline_of: str = "itself"
    value: float | None = None
    p_value: float | None = None
    q_value: float | None = None
    since: str | None = None
    money: Decimal | None = None
    covered_by: str | None = None
    facts: dict[str, str] = {}


def read_measures(connection: Connection, as_of: datetime) -> list[Measure]:
    """All figures at the clock of the night, in a fixed order."""
    found = [measure for kind in _FILES for measure in _rows(connection, kind, as_of)]
    return sorted(found, key=lambda m: (m.kind, m.entity_type, m.entity_key, m.since or ""))


def _rows(connection: Connection, kind: str, as_of: datetime) -> Iterator[Measure]:
    name, words = _FILES[kind]
    sql = (_FOLDER / name).read_text("utf-8")
    for placeholder, text in words.items():
        sql = sql.replace(f"{{{placeholder}}}", text)
    clock = {"as_of": naive_utc(as_of)} if "$as_of" in sql else {}
    cursor = connection.execute(sql, clock)
    columns = [column[0] for column in cursor.description or ()]
    for row in cursor.fetchall():
        yield _measure(kind, dict(zip(columns, row, strict=True)))


def _measure(kind: str, row: Mapping[str, Any]) -> Measure:
    facts = {
        name.removeprefix("fact_"): str(value)
        for name, value in row.items()
        if name.startswith("fact_") and value is not None
    }
    plain = {k: v for k, v in row.items() if not k.startswith("fact_") and v is not None}
    return msgspec.convert({**plain, "kind": kind, "facts": facts}, Measure, strict=False)
