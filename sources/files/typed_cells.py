"""Typed cells (numbers, dates) to the canonical text that a CSV would hold, or a broken rule.

Belongs here: what a number or date cell may mean in a column of each type; used for `.xlsx` and
`.parquet`. Does not belong here: reading the formats.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from sources.files.declarations import Column

NUMBER_AS_TEXT = "number_as_text"
ROUNDED = "rounded"

_MAX_SAFE_DIGITS = 15
_DECIMALS = {"decimal": 4, "exact": 10}


@dataclass(frozen=True)
class Text:
    """Canonical text of a cell; `flag` says what was lost on the way, `rule` why it is refused."""

    value: str | None
    flag: str = ""
    rule: str = ""
    says: str = ""


def number_text(value: float) -> str:
    """A binary number as the person saw it: at most 15 significant digits, no exponent."""
    if isinstance(value, int) or not math.isfinite(value):
        return str(value)
    return format(Decimal(format(value, ".15g")), "f")


def from_number(column: Column | None, value: float) -> Text:
    """A number cell in this column (None: an allowed extra)."""
    text = number_text(value)
    if column is None:
        return Text(text)
    if column.type == "text":
        return _number_in_text(column, text)
    places = _DECIMALS.get(column.type)
    if places is not None and len(text.partition(".")[2]) > places:
        step = Decimal(1).scaleb(-places)
        rounded = Decimal(text).quantize(step, rounding=ROUND_HALF_EVEN)
        return Text(format(rounded, "f"), flag=ROUNDED)
    return Text(text)


def _number_in_text(column: Column, text: str) -> Text:
    if not column.identifier:
        return Text(text, flag=NUMBER_AS_TEXT)
    digits = text.lstrip("-")
    if digits.isdigit() and len(digits) <= _MAX_SAFE_DIGITS:
        return Text(text, flag=NUMBER_AS_TEXT)
    return Text(
        None,
        rule="digits_lost",
        says=f"{column.name} is a number cell that is fractional or longer than 15 digits, so "
        "digits are gone: format the column as text and type it again",
    )


def from_date(column: Column | None, value: datetime | date | time | timedelta, kind: str) -> Text:
    """A date, time or duration cell; `kind` is what its format shows: date, time or datetime."""
    if column is not None and column.type == "text":
        return Text(
            None,
            rule="date_in_text",
            says=f"{column.name} is a date cell, the spreadsheet has changed what was typed: "
            "format the column as text and type it again",
        )
    if isinstance(value, (time, timedelta)):
        return Text(str(value))
    if not isinstance(value, datetime):
        return Text(value.isoformat())
    is_midnight = value.time() == time.min
    if is_midnight and (
        kind == "date" or (column is not None and column.type in ("date", "month"))
    ):
        return Text(value.date().isoformat())
    return Text(value.isoformat(timespec="microseconds" if value.microsecond else "seconds"))
