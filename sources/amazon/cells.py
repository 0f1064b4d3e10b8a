"""Single cells of reports: times and numbers brought to one form.

Belongs here: pure functions on the text of one cell. Does not belong here: what holds for a whole
file, such as decimal comma or order of day and month (the caller decides and passes it).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo


class CellError(ValueError):
    """The cell cannot be read; `reason` is the reason of its row's reject."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Moment(NamedTuple):
    """`text` is `YYYY-MM-DDTHH:MM:SSZ`, or `YYYY-MM-DD` for a cell that holds a date only.

    `zone_assumed`: the cell had no zone, the marketplace's was used.
    """

    text: str
    zone_assumed: bool = False


_SPACES = re.compile(r"[\s\u00a0\u2009\u202f]+")
_POINT = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d+)?|[+-]?\.\d+")
_COMMA = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:\.\d{3})+)(?:,\d+)?|[+-]?,\d+")
_PLAIN = re.compile(r"-?\d+(?:\.\d+)?")
_MANGLED = re.compile(r"[+-]?\d[.,]\d+E\+?\d+", re.IGNORECASE)

_UTC_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_TIME = re.compile(
    r"""
    (?:(?P<year>\d{4})[-/](?P<month>\d{1,2})[-/](?P<day>\d{1,2})
      |(?P<first>\d{1,2})(?P<mark>[./-])(?P<second>\d{1,2})(?P=mark)(?P<late_year>\d{4}|\d\d)
      |(?P<named_day>\d{1,2})[- ](?P<name>[A-Za-z]{3})[a-z]*\.?[- ](?P<named_year>\d{4}|\d\d))
    (?:(?:T|\s+)
       (?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second_of_minute>\d\d)(?:[.,]\d+)?)?
       \s*(?P<half>[AaPp]\.?[Mm]\.?)?
       \s*(?P<zone>Z|[+-]\d\d:?\d\d|(?:UTC|GMT)[+-]\d{1,2}(?::\d\d)?|[A-Z]{2,5})?)?
    """,
    re.VERBOSE,
)
_DATE = re.compile(r"(\d{1,4})[./-](\d{1,2})[./-](\d{1,4})\.?")
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_HOURS_FROM_UTC = {
    "Z": 0.0,
    "UTC": 0.0,
    "GMT": 0.0,
    "WET": 0.0,
    "BST": 1.0,
    "WEST": 1.0,
    "CET": 1.0,
    "MEZ": 1.0,
    "CEST": 2.0,
    "MESZ": 2.0,
    "EET": 2.0,
    "SAST": 2.0,
    "EEST": 3.0,
    "TRT": 3.0,
    "AST": 3.0,
    "GST": 4.0,
    "IST": 5.5,
    "SGT": 8.0,
    "JST": 9.0,
    "AEST": 10.0,
    "AEDT": 11.0,
    "EDT": -4.0,
    "EST": -5.0,
    "CDT": -5.0,
    "CST": -6.0,
    "MDT": -6.0,
    "MST": -7.0,
    "PDT": -7.0,
    "PST": -8.0,
    "BRT": -3.0,
    "BRST": -2.0,
}
_SUMMER_TIME_OF_IRELAND = ("Europe/Dublin", "IST", 1.0)


def clean_text(cell: str) -> str | None:
    """Outer white space off; blank is None. Leading zeros, inner spaces and quotes stay."""
    return cell.strip(" \t\r\n\u00a0\u2009\u202f\u3000") or None


def clean_word(cell: str) -> str | None:
    """Text that is no prose. A JSON object in its place is a column of another type."""
    text = clean_text(cell)
    if text is not None and text.startswith('{"') and text.endswith("}"):
        raise CellError("not_text")
    return text


def clean_identifier(cell: str) -> str | None:
    """A word that names something; a number that a spreadsheet made of it is refused."""
    text = clean_word(cell)
    if text is not None and _MANGLED.fullmatch(text):
        raise CellError("mangled_number")
    return text


@functools.lru_cache(maxsize=65_536)
def clean_number(cell: str, decimal_comma: bool = False) -> str | None:
    """Decimal point, no grouping, minus in front; digits as they came. Blank is None."""
    if not decimal_comma and _PLAIN.fullmatch(cell):
        return cell
    text = _SPACES.sub("", cell).replace("\u2212", "-")
    if not text:
        return None
    is_negative = False
    if text.startswith("(") and text.endswith(")"):
        is_negative, text = True, text[1:-1]
    elif text.endswith("-"):
        is_negative, text = True, text[:-1]
    if not (_COMMA if decimal_comma else _POINT).fullmatch(text):
        raise CellError("bad_number")
    group, point = (".", ",") if decimal_comma else (",", ".")
    text = text.replace(group, "").replace(point, ".").removeprefix("+")
    if is_negative and text.startswith("-"):
        raise CellError("bad_number")
    return f"-{text}" if is_negative else text


def decimal_mark(cell: str) -> Literal[",", "."] | None:
    """The decimal mark that a cell proves, None where it proves nothing (`100`, `1,234`)."""
    text = _SPACES.sub("", cell).strip("()+-\u2212")
    last = max(text.rfind(","), text.rfind("."))
    if last < 0:
        return None
    mark: Literal[",", "."] = "," if text[last] == "," else "."
    if text.count(mark) > 1:
        return None
    other = "." if mark == "," else ","
    if other in text or len(text) - last - 1 != 3:
        return mark
    return None


@functools.lru_cache(maxsize=65_536)
def clean_time(cell: str, zone: str, month_first: bool = False) -> Moment | None:
    """A time in UTC, or a date. `zone` (IANA name) is used where the cell names none.

    An hour that a change of clocks makes ambiguous is the first one; one that it leaves out is
    read with the offset before the change. CellError for what is no time.
    """
    text = clean_text(cell)
    if text is None:
        return None
    if _UTC_TIME.match(text) and text[19:] in ("Z", "+00:00"):
        text = text[:19]
        _check(datetime.fromisoformat, text)
        return Moment(f"{text}Z")
    found = _TIME.fullmatch(text)
    if found is None:
        raise CellError("bad_time")
    year, month, day = _date_parts(found, month_first)
    if found["hour"] is None:
        return Moment(_check(datetime, year, month, day).date().isoformat())
    local = _check(datetime, year, month, day, _hour(found), int(found["minute"]), _second(found))
    named = found["zone"]
    offset = None if named is None else _offset(named, zone)
    in_zone = local.replace(tzinfo=ZoneInfo(zone) if offset is None else offset)
    return Moment(in_zone.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), offset is None)


@functools.lru_cache(maxsize=65_536)
def clean_date(cell: str, order: str) -> str | None:
    """A date of numbers only, as `YYYY-MM-DD`; `order` of its parts is `dmy`, `mdy` or `ymd`.

    A year of four digits in front says itself that the year comes first.
    """
    text = clean_text(cell)
    if text is None:
        return None
    found = _DATE.fullmatch(text)
    if found is None:
        raise CellError("bad_time")
    parts = dict(zip("ymd" if len(found[1]) == 4 else order, found.groups(), strict=True))
    if len(parts["m"]) > 2 or len(parts["d"]) > 2:
        raise CellError("bad_time")
    moment = _check(datetime, _year(parts["y"]), int(parts["m"]), int(parts["d"]))
    return moment.date().isoformat()


def month_comes_first(cell: str) -> bool | None:
    """Whether a date with slashes proves that the month stands first; None if it proves nothing."""
    found = _TIME.fullmatch(cell.strip())
    if found is None or found["mark"] != "/":
        return None
    first, second = int(found["first"]), int(found["second"])
    if first > 12:
        return False
    return True if second > 12 else None


def _date_parts(found: re.Match[str], month_first: bool) -> tuple[int, int, int]:
    if found["year"] is not None:
        return int(found["year"]), int(found["month"]), int(found["day"])
    if found["name"] is not None:
        name = found["name"].lower()
        if name not in _MONTHS:
            raise CellError("bad_time")
        return _year(found["named_year"]), _MONTHS.index(name) + 1, int(found["named_day"])
    first, second, year = int(found["first"]), int(found["second"]), _year(found["late_year"])
    if found["mark"] == "/" and month_first:
        return year, first, second
    return year, second, first


def _year(text: str) -> int:
    return int(text) + (2000 if len(text) == 2 else 0)


def _hour(found: re.Match[str]) -> int:
    hour = int(found["hour"])
    half = found["half"]
    if half is None:
        return hour
    if not 1 <= hour <= 12:
        raise CellError("bad_time")
    return hour % 12 + (12 if half[0] in "Pp" else 0)


def _second(found: re.Match[str]) -> int:
    return int(found["second_of_minute"] or 0)


def _offset(named: str, zone: str) -> timezone:
    place, word, hours = _SUMMER_TIME_OF_IRELAND
    if (zone, named) == (place, word):
        return timezone(timedelta(hours=hours))
    if named in _HOURS_FROM_UTC:
        return timezone(timedelta(hours=_HOURS_FROM_UTC[named]))
    numbers = re.fullmatch(r"(?:UTC|GMT)?([+-])(\d{1,2}):?(\d\d)?", named)
    if numbers is None:
        raise CellError("bad_time")
    minutes = int(numbers[2]) * 60 + int(numbers[3] or 0)
    if minutes >= 24 * 60:
        raise CellError("bad_time")
    return timezone(timedelta(minutes=minutes if numbers[1] == "+" else -minutes))


def _check(make: Callable[..., datetime], *parts: Any) -> datetime:
    try:
        return make(*parts)
    except ValueError:
        raise CellError("bad_time") from None
