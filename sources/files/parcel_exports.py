"""Tracking exports and carriers' bills as rows of `tracking_events` and `parcel_costs`.

Belongs here: recognising them by their header (`parcel_exports.yml`), dates of eight digits. Does
not belong here: checking and landing the rows, which the inbox does as for any other file.
"""

from __future__ import annotations

import csv
import functools
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

import msgspec
import yaml

from sources.files.cells import FileRefusedError

_DIGITS = re.compile(r"(\d{4})(\d\d)(\d\d)")
_CHANGED = re.compile(r"\d(\.\d+)?E\+\d+", re.IGNORECASE)
_OFFSET = re.compile(r"(Z|[+-]\d\d:?\d\d)$")


class Export(msgspec.Struct, frozen=True):
    """A kind of file: its dataset, the columns it cannot do without, and words for them."""

    dataset: str
    title: Mapping[str, str]
    needs: Sequence[str]
    columns: Mapping[str, Sequence[str]]


class _Layouts(msgspec.Struct, frozen=True):
    exports: Sequence[Export]
    carriers: Mapping[str, str]
    defaults: Mapping[str, str]


@dataclass(frozen=True)
class ParcelExport:
    """A recognised file: `places` are the positions of the dataset's columns in its rows."""

    export: Export
    places: Mapping[str, int]
    carrier: str | None

    @property
    def day_column(self) -> str:
        return "billed_at" if "billed_at" in self.export.columns else "event_at"


@functools.cache
def _layouts() -> _Layouts:
    text = (resources.files("sources.files") / "parcel_exports.yml").read_text("utf-8")
    return msgspec.convert(yaml.safe_load(text), _Layouts)


def titles() -> Sequence[str]:
    return [export.title["en"] for export in _layouts().exports]


def recognise_parcels(header: Sequence[str]) -> ParcelExport | None:
    """The kind of file that this header is of; None where it is neither."""
    words = [_word(word) for word in header]
    for export in _layouts().exports:
        places = {
            column: words.index(found)
            for column, spellings in export.columns.items()
            if (found := next((s for s in spellings if s in words), None)) is not None
        }
        if set(export.needs) <= set(places):
            told = next((c for word, c in _layouts().carriers.items() if word in words), None)
            return ParcelExport(export, places, told)
    return None


def rows_of(found: ParcelExport, text: str, *, has_zone: bool) -> list[dict[str, str]]:
    """Rows of the dataset; FileRefusedError for a file that cannot go in as a whole.

    `has_zone`: the settings name a zone for times without an offset.
    """
    if "carrier" not in found.places and found.carrier is None:
        raise FileRefusedError(
            "no_carrier",
            "it does not say which carrier its numbers are of: add a column Carrier with its name",
        )
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    filled = [line for line in lines if any(cell.strip() for cell in line)]
    rows = [_row(found, line) for line in filled[1:]]
    _check(found, rows, has_zone=has_zone)
    return rows


def as_csv(rows: Sequence[Mapping[str, str]]) -> bytes:
    """The file that goes into the inbox."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def _row(found: ParcelExport, line: Sequence[str]) -> dict[str, str]:
    row = {name: line[n].strip() if n < len(line) else "" for name, n in found.places.items()}
    row["carrier"] = row.get("carrier") or found.carrier or ""
    for column, value in _layouts().defaults.items():
        if column in found.export.columns:
            row[column] = row.get(column) or value
    row[found.day_column] = _DIGITS.sub(_iso, row[found.day_column], count=1)
    return row


def _iso(found: re.Match[str]) -> str:
    """20260105 as a date; other digits stay as they are."""
    return f"{found[1]}-{found[2]}-{found[3]}" if found.string == found[0] else found[0]


def _check(found: ParcelExport, rows: Sequence[Mapping[str, str]], *, has_zone: bool) -> None:
    if any(_CHANGED.fullmatch(row["tracking_number"]) for row in rows):
        raise FileRefusedError(
            "changed_by_spreadsheet",
            "a spreadsheet program has changed its tracking numbers (1.11E+16): download it again "
            "and import the file without opening it in a spreadsheet",
        )
    times = [row[found.day_column] for row in rows if row[found.day_column]]
    is_event = found.day_column == "event_at"
    if is_event and not has_zone and any(not _OFFSET.search(time) for time in times):
        raise FileRefusedError(
            "time_without_offset",
            "its times have no offset: name their zone in the settings, "
            '[inbox] time_zone = { tracking_events = "Asia/Shanghai" }, and import it again',
        )


def _delimiter(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(",\t;", key=first.count)


def _word(text: str) -> str:
    return " ".join(text.strip().lstrip("\ufeff").lower().split())
