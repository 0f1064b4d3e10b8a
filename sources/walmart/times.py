"""Dates and times as Walmart writes them.

Belongs here: writing and reading them. Does not belong here: which of them a stream uses.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

_SLASHES = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_DIGITS = re.compile(r"(\d{2})(\d{2})(\d{4})")
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})")


def api_time(moment: datetime) -> str:
    """`2026-01-01T00:00:00Z`: a `+` of an offset would have to be encoded."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def report_day(text: str) -> date | None:
    """A day of reports: `MM/DD/YYYY` in their rows, `MMDDYYYY` in their names, or ISO."""
    text = text.strip()
    if found := _ISO.match(text):
        year, month, day = found.groups()
    elif found := _SLASHES.match(text) or _DIGITS.fullmatch(text):
        month, day, year = found.groups()
    else:
        return None
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def report_name(day: date) -> str:
    """`MMDDYYYY`, by which a payment report is asked for."""
    return day.strftime("%m%d%Y")
