"""Cells of a column: text to its type, and the rules that look at one cell.

Belongs here: polars expressions built from a declared column, and the sentences that say what a
cell broke. Does not belong here: rules over several columns (`row_rules.py`). Nothing is
repaired: a cell is what it says, or the row is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import polars as pl

from sources.files.codes import countries, currencies
from sources.files.declarations import Column

RAW = "raw:"
DATE_ONLY = "date_only"
ZONE_ASSUMED = "zone_assumed"

_MONEY = pl.Decimal(18, 4)
_EXACT = pl.Decimal(28, 10)
_CLOCK = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?"
_OFFSET = r"(Z|[+-]\d\d(:?\d\d)?)$"
_DAY = r"^\d{4}-\d\d-\d\d$"
_MONTH = r"^\d{4}-\d\d(-01)?$"
_BOOLS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


@dataclass(frozen=True)
class CellRule:
    """Rows where `broken` is true break `rule`; `says` makes the sentence from the cell's text."""

    column: str
    rule: str
    broken: pl.Expr
    says: Callable[[str], tuple[str, str]]


@dataclass
class ColumnPlan:
    """How one column is read: clean text, typed value, rules, and flags of accepted rows."""

    clean: pl.Expr
    typed: pl.Expr
    rules: list[CellRule] = field(default_factory=list)
    flags: list[tuple[str, pl.Expr]] = field(default_factory=list)


@dataclass(frozen=True)
class ColumnReading:
    """What column plans depend on besides the declaration: the night's day and the zone for times
    without an offset."""

    today: date
    time_zone: str | None = None

    def plan(self, column: Column) -> ColumnPlan:
        """The plan of a column; its text is in the frame under RAW and its name once cleaned."""
        plan = ColumnPlan(_clean(column), pl.lit(None))
        cell = pl.col(RAW + column.name)
        plan.typed = self._typed(column, cell, plan).alias(column.name)
        if column.required:
            plan.rules.append(
                _rule(column, "required", cell.is_null(), f"{column.name} must be filled in")
            )
        plan.rules.append(
            CellRule(
                column.name,
                f"not_{column.type}",
                cell.is_not_null() & pl.col(column.name).is_null(),
                lambda text: self.explain(column, text),
            )
        )
        plan.rules += self._limits(column)
        return plan

    def _typed(self, column: Column, cell: pl.Expr, plan: ColumnPlan) -> pl.Expr:
        if column.type == "int":
            return _where(cell, r"^-?\d{1,18}$").cast(pl.Int64, strict=False)
        if column.type == "decimal":
            return _where(cell, r"^-?\d{1,14}(\.\d{1,4})?$").cast(_MONEY, strict=False)
        if column.type == "exact":
            return _where(cell, r"^-?\d{1,18}(\.\d{1,10})?$").cast(_EXACT, strict=False)
        if column.type == "date":
            return _where(cell, _DAY).str.to_date("%Y-%m-%d", strict=False)
        if column.type == "month":
            first = _where(cell, _MONTH).str.slice(0, 7) + "-01"
            return first.str.to_date("%Y-%m-%d", strict=False)
        if column.type == "timestamp":
            return self._timestamp(column, cell, plan)
        if column.type == "bool":
            return cell.str.to_lowercase().replace_strict(
                _BOOLS, default=None, return_dtype=pl.Boolean
            )
        if column.type in ("currency", "country"):
            known = currencies() if column.type == "currency" else countries()
            return pl.when(cell.is_in(sorted(known))).then(cell)
        return pl.when(~cell.str.contains("\x00", literal=True)).then(cell)

    def _timestamp(self, column: Column, cell: pl.Expr, plan: ColumnPlan) -> pl.Expr:
        joined = cell.str.replace(" ", "T", literal=True)
        exact = _where(joined, _CLOCK + _OFFSET)
        found = [_parse(exact, "%Y-%m-%dT%H:%M:%S%.f%#z"), _parse(exact, "%Y-%m-%dT%H:%M%#z")]
        if self.time_zone is not None:
            local = _where(joined, _CLOCK + "$")
            wall = pl.coalesce(
                _parse(local, "%Y-%m-%dT%H:%M:%S%.f"), _parse(local, "%Y-%m-%dT%H:%M")
            )
            found.append(
                wall.dt.replace_time_zone(
                    self.time_zone, ambiguous="earliest", non_existent="null"
                ).dt.convert_time_zone("UTC")
            )
            plan.flags.append((ZONE_ASSUMED, cell.str.contains(_CLOCK + "$")))
        if column.bare_date:
            found.append(_parse(_where(cell, _DAY) + "T00:00Z", "%Y-%m-%dT%H:%M%#z"))
            plan.flags.append((DATE_ONLY, cell.str.contains(_DAY)))
        return pl.coalesce(found)

    def _limits(self, column: Column) -> list[CellRule]:
        value = pl.col(column.name)
        name = column.name
        rules = []
        if column.above is not None:
            says = f"{name} must be > {column.above}"
            rules.append(_rule(column, "too_small", value <= column.above, says))
        if column.min is not None:
            says = f"{name} must be >= {column.min}"
            rules.append(_rule(column, "too_small", value < column.min, says))
        if column.max is not None:
            says = f"{name} must be <= {column.max}"
            rules.append(_rule(column, "too_large", value > column.max, says))
        if column.max_length is not None:
            says = f"{name} must have at most {column.max_length} characters"
            rules.append(_rule(column, "too_long", value.str.len_chars() > column.max_length, says))
        if column.values:
            says = f"{name} must be one of: {', '.join(column.values)}"
            rules.append(_rule(column, "word_not_allowed", ~value.is_in(list(column.values)), says))
        if column.pattern:
            says = f"{name} must be {column.pattern_says}"
            whole = f"^(?:{column.pattern})$"
            rules.append(_rule(column, "pattern", ~value.str.contains(whole), says))
        if column.not_future:
            rules.append(
                _rule(column, "in_future", value > self.today, f"{name} must not be in the future")
            )
        if column.not_before is not None:
            says = f"{name} must not be before {column.not_before}"
            rules.append(_rule(column, "too_early", value < column.not_before, says))
        return rules

    def explain(self, column: Column, text: str) -> tuple[str, str]:
        """The rule word and the sentence for a cell that is not of its type."""
        if column.type in ("int", "decimal", "exact"):
            return _explain_number(column, text)
        if column.type == "date":
            return _explain_date(column, text)
        if column.type == "month":
            return "not_month", f"{column.name} must be written as 2026-10 or its first day"
        if column.type == "timestamp":
            return self._explain_time(column, text)
        if column.type == "bool":
            return "not_bool", f"{column.name} must be yes or no"
        if column.type == "currency":
            return "not_currency", f"{column.name} must be a currency of ISO 4217, such as EUR"
        if column.type == "country":
            return "not_country", (
                f"{column.name} must be a country of ISO 3166 in two letters (GB, not UK), or ZZ"
            )
        return "control_character", f"{column.name} has a character that is not text"

    def _explain_time(self, column: Column, text: str) -> tuple[str, str]:
        if re.match(_CLOCK + "$", text):
            if self.time_zone is not None:
                return "not_timestamp", (
                    f"{column.name} is not a time that exists in {self.time_zone}"
                )
            return "time_without_offset", (
                f"{column.name} needs an offset (2026-11-22T10:15:00+08:00), or name the zone of "
                "the files in inbox.time_zone"
            )
        if re.match(_DAY, text):
            return "date_without_time", f"{column.name} needs a time of day with its offset"
        return _explain_date(column, text)


def _clean(column: Column) -> pl.Expr:
    text = pl.col(column.name).str.strip_chars()
    lower = column.case == "lower" or (column.values and column.case is None)
    if column.case == "upper" or column.type in ("currency", "country"):
        text = text.str.to_uppercase()
    elif lower:
        text = text.str.to_lowercase()
    return pl.when(text != "").then(text).alias(RAW + column.name)


def _where(cell: pl.Expr, pattern: str) -> pl.Expr:
    return pl.when(cell.str.contains(pattern)).then(cell)


def _parse(cell: pl.Expr, form: str) -> pl.Expr:
    return cell.str.to_datetime(form, time_unit="us", strict=False)


def _rule(column: Column, rule: str, broken: pl.Expr, says: str) -> CellRule:
    return CellRule(column.name, rule, broken, lambda _text: (rule, says))


def _explain_number(column: Column, text: str) -> tuple[str, str]:
    name = column.name
    if re.fullmatch(r"-?[\d.,' \u00a0]*[,' \u00a0][\d.,' \u00a0]*", text):
        return "decimal_comma", (
            f"{name} must be written with a decimal point and without thousands marks"
        )
    if re.search(r"[^\x00-\x7f]|[$]|[A-Za-z]{3}", text) and re.search(r"\d", text):
        return "currency_sign", f"{name} must be a number alone, without a currency sign or word"
    if column.type == "int":
        return "not_int", f"{name} must be a whole number"
    places = 4 if column.type == "decimal" else 10
    if re.fullmatch(r"-?\d+\.\d+", text):
        return "too_precise", f"{name} may have {places} decimals and 14 digits before the point"
    return f"not_{column.type}", f"{name} must be a number such as 12.50"


def _explain_date(column: Column, text: str) -> tuple[str, str]:
    if re.match(r"\d{1,4}[/.]\d{1,2}[/.]\d{1,4}", text) or re.match(r"\d{1,2}-\d{1,2}-\d", text):
        return "ambiguous_date", (
            f"{column.name} is ambiguous: write dates as 2026-11-22 (ISO 8601)"
        )
    example = "2026-11-22" if column.type == "date" else "2026-11-22T10:15:00+08:00"
    return f"not_{column.type}", f"{column.name} must be written as {example} (ISO 8601)"


def default_value(column: Column) -> pl.Expr | None:
    """The typed default of a column as an expression; None where it has none."""
    if column.default_from is not None:
        return pl.col(column.default_from)
    if column.default is None:
        return None
    if column.type == "int":
        return pl.lit(int(column.default), dtype=pl.Int64)
    if column.type == "bool":
        return pl.lit(_BOOLS[column.default])
    if column.type == "decimal":
        return pl.lit(Decimal(column.default)).cast(_MONEY)
    return pl.lit(column.default)


def landed_value(column: Column) -> pl.Expr:
    """The typed value as it is written to JSON: decimals and times as text, in one spelling."""
    value = pl.col(column.name)
    if column.type == "decimal":
        return value.cast(pl.String)
    if column.type == "exact":
        return value.cast(pl.String).str.replace(r"\.?0+$", "")
    if column.type in ("date", "month"):
        return value.dt.to_string("%Y-%m-%d")
    if column.type == "timestamp":
        return value.dt.to_string("%Y-%m-%dT%H:%M:%S%.6fZ")
    return value


def landed_values(columns: Sequence[Column]) -> list[pl.Expr]:
    """`landed_value` of each column."""
    return [landed_value(column) for column in columns]
