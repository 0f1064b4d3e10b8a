"""From a downloaded report to pages of rows with our field names and clean cells.

Belongs here: what all tab reports share. Does not belong here: settlements, whose rows depend on
each other (`settlements.py`).
A cell that cannot be read holds its row back, counted by reason; a missing optional column is
null; an unknown column is named and dropped.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from sources._core.connector import Page
from sources._core.errors import StopStream

from . import cells
from .layouts import Columns, Layout, match_columns
from .marketplaces import Marketplace, marketplace_of_channel
from .tables import Table, Tally, read_table

ROWS_PER_PAGE = 10_000
_JAPANESE = "cp932"
_BARE_DATE = len("2026-01-31")

Row = dict[str, Any]


@dataclass(frozen=True)
class Document:
    """Content of a report: decompressed bytes, and the charset its download declared."""

    data: bytes
    source_ref: str
    charset: str | None = None


@dataclass(frozen=True)
class Locale:
    """What the account says about cells that do not say it themselves.

    `marketplaces` are those the report was asked for, the first one being the account's home;
    `time_zones` are the operator's corrections by marketplace.
    """

    marketplaces: Sequence[Marketplace]
    time_zones: Mapping[str, str] = field(default_factory=dict)

    @property
    def encoding(self) -> str | None:
        return _JAPANESE if any(m.country == "JP" for m in self.marketplaces) else None

    @property
    def month_first(self) -> bool:
        return self.marketplaces[0].month_first

    @property
    def date_order(self) -> str:
        return self.marketplaces[0].date_order

    def zone(self, channel: str | None) -> str:
        """Zone of a row's marketplace, of the account's first where the row names none we know."""
        found = marketplace_of_channel(channel) or self.marketplaces[0]
        return self.time_zones.get(found.name, found.time_zone)


def read_pages(document: Document, layout: Layout, locale: Locale, **also: str) -> Iterator[Page]:
    """Pages of at most ROWS_PER_PAGE rows; one empty page for an empty or header-only report.

    `also`: fields that every row gets beside its cells.
    """
    tally = Tally(document.source_ref)
    table, columns = open_table(document, layout, locale, tally)
    cleaner = Cleaner(layout, locale, tally, month_first=locale.month_first)
    rows: list[Row] = []
    is_first = True
    for clean in _numbered(_clean_rows(table, columns, cleaner), layout, document, locale):
        clean.update(also)
        rows.append(clean)
        if len(rows) >= ROWS_PER_PAGE:
            yield _page(document, table, columns, rows, cleaner, is_first)
            rows, is_first = [], False
    if rows or is_first or tally.has_findings:
        yield _page(document, table, columns, rows, cleaner, is_first)
    stop_if_changed(tally, cleaner.kept, layout)


def stop_if_changed(tally: Tally, kept: int, layout: Layout) -> None:
    """A changed report, unlike a broken row here and there, must not move the cursor on."""
    changed = tally.changed_columns(kept)
    if not changed and (kept or not tally.held_back):
        return
    places = f" (columns {', '.join(changed)})" if changed else ""
    raise StopStream(
        f"{tally.source_ref} ({layout.report_type}): {tally.held_back} of {tally.held_back + kept} "
        f"rows could not be read{places}. Amazon seems to have changed the report: compare it with "
        "one in Seller Central and tell the project. What could be read was kept, the rest is "
        "counted in quarantine, and each night reads the whole window again."
    )


def open_table(
    document: Document, layout: Layout, locale: Locale, tally: Tally
) -> tuple[Table, Columns]:
    """The document's table and its columns; StopStream when one that must be there is not."""
    table = read_table(document.data, document.charset, locale.encoding, tally)
    if not table.header:
        return table, Columns(0, {}, (), ())
    columns = match_columns(table.header, layout)
    if layout.positions and not columns.position:
        raise StopStream(
            f"{document.source_ref} ({layout.report_type}) has {columns.width} columns instead of "
            f"{len(layout.positions)}. Its header is in the seller's language, so columns are "
            "found by position, and these are others: look at the report in Seller Central and "
            "tell the project."
        )
    lacking = [name for name in layout.required if name not in columns.position]
    if lacking:
        raise StopStream(
            f"{document.source_ref} ({layout.report_type}) has no column for "
            f"{', '.join(lacking)}. Either it is an error text instead of a report, or Amazon "
            "renamed the column: look at the report in Seller Central and tell the project."
        )
    return table, columns


def raw_rows(table: Table, columns: Columns) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and cells by field, as they stand in the file; empty ones left out."""
    places = tuple(columns.position.items())
    for line, row in table.rows:
        yield line, {name: cell for name, place in places if (cell := row[place])}


class Cleaner:
    """Cleans the cells of a file's rows, by one decision on its decimal mark and date order."""

    def __init__(
        self,
        layout: Layout,
        locale: Locale,
        tally: Tally,
        *,
        month_first: bool,
        decimal_comma: bool = False,
    ) -> None:
        self._locale = locale
        self.tally = tally
        self.kept = 0
        self._month_first = month_first
        self._channel = layout.channel
        self._times = frozenset(layout.times)
        self.has_bare_dates = False  # a day may begin before the window and end in it
        number = functools.partial(cells.clean_number, decimal_comma=decimal_comma)
        date = functools.partial(cells.clean_date, order=layout.date_order or locale.date_order)
        self._others: dict[str, Callable[[str], str | None]] = {
            name: number
            if name in layout.numbers
            else date
            if name in layout.dates
            else cells.clean_identifier
            if name in layout.identifiers
            else cells.clean_text
            if name in layout.prose
            else cells.clean_word
            for name in layout.fields
            if name not in self._times
        }

    def clean(self, row: Mapping[str, str], line: int) -> Row | None:
        """Only the fields that have a value; None when the row is held back."""
        zone = self._locale.zone(row.get(self._channel) if self._channel else None)
        clean: Row = {}
        try:
            for name, cell in row.items():
                value = (
                    self._time(cell, zone, line)
                    if name in self._times
                    else self._others[name](cell)
                )
                if value is not None:
                    clean[name] = value
        except cells.CellError as error:
            self.tally.reject(error.reason, line, name)
            return None
        self.kept += 1
        return clean

    def _time(self, cell: str, zone: str, line: int) -> str | None:
        moment = cells.clean_time(cell, zone, self._month_first)
        if moment is None:
            return None
        if moment.zone_assumed:
            self.tally.note("time_without_zone", f"line {line}: read as {zone}")
        self.has_bare_dates |= len(moment.text) == _BARE_DATE
        return moment.text


def _clean_rows(table: Table, columns: Columns, cleaner: Cleaner) -> Iterator[Row]:
    for line, row in raw_rows(table, columns):
        clean = cleaner.clean(row, line)
        if clean is not None:
            yield clean


def _numbered(
    rows: Iterator[Row], layout: Layout, document: Document, locale: Locale
) -> Iterator[Row]:
    """Rows with `occurrence`, where the layout counts equal ones; these come last.

    Amazon gives rows in any order. So equal rows are numbered by what they hold: the same rows get
    the same numbers on every night.
    """
    if not layout.counted:
        yield from rows
        return
    repeated = _repeated(layout, document, locale)
    groups: dict[bytes, list[Row]] = {}
    for row in rows:
        mark = _mark(row, layout.counted)
        if mark in repeated:
            groups.setdefault(mark, []).append(row)
        else:
            row["occurrence"] = 1
            yield row
    for group in groups.values():
        yield from number_equal(group)


def number_equal(group: Iterable[Row]) -> Iterator[Row]:
    """Rows equal in what is counted, with their numbers, in the order of all they hold."""
    for number, row in enumerate(sorted(group, key=lambda r: sorted(r.items())), start=1):
        row["occurrence"] = number
        yield row


def _repeated(layout: Layout, document: Document, locale: Locale) -> set[bytes]:
    """Marks of rows that have an equal one, found in a first reading; eight bytes for each row."""
    unused = Tally(document.source_ref)  # findings come again in the second reading
    table, columns = open_table(document, layout, locale, unused)
    cleaner = Cleaner(layout, locale, unused, month_first=locale.month_first)
    seen: set[bytes] = set()
    repeated: set[bytes] = set()
    places = {name: at for name, at in columns.position.items() if name in layout.counted}
    counted = Columns(columns.width, places, (), ())
    for row in _clean_rows(table, counted, cleaner):
        mark = _mark(row, layout.counted)
        (repeated if mark in seen else seen).add(mark)
    return repeated


def _mark(row: Row, counted: Sequence[str]) -> bytes:
    text = "\x1f".join(row.get(name) or "" for name in counted)
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _page(
    document: Document,
    table: Table,
    columns: Columns,
    rows: Sequence[Row],
    cleaner: Cleaner,
    is_first: bool,
) -> Page:
    """A report without any row may be one that failed: nothing is concluded from it."""
    return Page(
        records=rows,
        source_ref=document.source_ref,
        encoding=table.encoding.name,
        rejects=cleaner.tally.take(),
        unknown_fields=columns.unknown if is_first else (),
        missing_fields=columns.missing if is_first else (),
        changed_fields=cleaner.tally.changed_columns(cleaner.kept),
        is_whole=cleaner.kept > 0 and not cleaner.has_bare_dates,
    )
