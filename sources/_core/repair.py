"""A record that does not fit its Struct at first: where the fault lies, and digits kept as text.

Belongs here: reading msgspec's messages and mending one value. Does not belong here: what a repair
or a fault means for the stream (`records.py`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from sources._core.errors import SkipRecord

_PLACE = re.compile(r"at `([^`]*)`")
_MISSING = re.compile(r"missing required field `([^`]*)`")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")


def to_python(raw: msgspec.Raw | Mapping[str, Any]) -> Any:
    if isinstance(raw, Mapping):
        return dict(raw)
    try:
        return json.loads(bytes(raw), parse_float=Decimal)
    except ValueError:
        raise SkipRecord(
            "not_decodable", "the record is not valid JSON; if it happens again, ask the source"
        ) from None


def place_of(error: Exception) -> str | None:
    """Path of a wrong value in msgspec's message, None when the fault is something else."""
    text = str(error)
    if _MISSING.search(text):
        return None
    found = _PLACE.search(text)
    return found.group(1) if found else None


def missing_field(error: Exception) -> str | None:
    """Path of a required field that was not given."""
    text = str(error)
    missing = _MISSING.search(text)
    if missing is None:
        return None
    parent = _PLACE.search(text)
    return f"{parent.group(1) if parent else '$'}.{missing.group(1)}"


def _steps(place: str) -> list[str | int] | None:
    steps: list[str | int] = []
    for name, index in _STEP.findall(place.removeprefix("$")):
        if index == "...":
            return None
        steps.append(name or int(index))
    return steps


def value_at(value: Any, place: str) -> Any:
    for step in _steps(place) or ():
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def make_text(value: Any, place: str, message: str) -> bool:
    """Turn a number or truth value at `place` into its text, where text is declared."""
    steps = _steps(place)
    if not steps or "Expected `str" not in message:
        return False
    parent = value
    for step in steps[:-1]:
        parent = parent[step]
    found = parent[steps[-1]]
    if isinstance(found, bool):
        parent[steps[-1]] = "true" if found else "false"
    elif isinstance(found, int | Decimal | float):
        parent[steps[-1]] = str(found)
    else:
        return False
    return True


def reason_of(error: Exception) -> str:
    return "wrong_type" if isinstance(error, msgspec.ValidationError) else "not_decodable"
