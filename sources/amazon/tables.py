"""From the bytes of a flat file to a header and rows of cells, all of the header's width.

Belongs here: lines, delimiters, quotes, repair of broken rows. Does not belong here: what a column
means (`layouts.py`) and what a cell holds (`cells.py`).
Amazon's tab files do not use quotes: `24" monitor` is data. Yet a cell with a tab or a line break
in it comes wrapped in quotes. So a row that has the right number of cells is taken as it is; any
other is read again with quotes, over several lines if need be; what then still does not fit is
held back, never shifted.
"""

from __future__ import annotations

import csv
import io
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sources._core.connector import Reject
from sources._core.errors import StopStream

from .encodings import Encoding, choose_encoding

_MAX_JOINED_LINES = 50
_ADVICE = {
    "wrong_cell_count": "the row has another number of cells than the header; download the report "
    "again, and if it stays so look for a tab or line break in a title or comment",
    "bad_number": "a cell that should hold a number does not; look at the report's regional format",
    "bad_time": "a date or time is written in a way not known; tell the project its form",
    "not_text": "a cell that should hold a word holds a JSON object; the column has changed: tell "
    "the project",
    "mangled_number": "an id was turned into a number by a spreadsheet; use the file as downloaded",
    "time_without_zone": "times without a zone were read in the marketplace's own; set time_zones "
    "of the account if that is wrong",
    "replaced_characters": "some bytes fit no encoding and were replaced; compare it "
    "with the download",
    "settlement_sum_differs": "the amounts do not add up to the settlement's total; download the "
    "report again and compare",
    "mixed_decimal_marks": "the file has amounts with comma and with point; those that do not fit "
    "its total were held back",
}


@dataclass
class Tally:
    """What a document's rows could not give: rejects by reason, and notes that hold nothing back.

    A note is a Reject with count 0: worth knowing, but every row was kept.
    """

    source_ref: str
    held_back: int = 0
    unreadable: Counter[str] = field(default_factory=Counter)  # rows by the column to blame
    _found: dict[str, list[str | int]] = field(default_factory=dict)

    def reject(self, reason: str, line: int, column: str | None = None) -> None:
        self.held_back += 1
        if column is not None:
            self.unreadable[column] += 1
        entry = self._found.setdefault(reason, [0, f"{self.source_ref} line {line}"])
        entry[0] = int(entry[0]) + 1

    def changed_columns(self, kept: int) -> list[str]:
        """Columns to blame for more rows than were kept: of another type than declared."""
        return sorted(name for name, count in self.unreadable.items() if count > kept)

    def note(self, reason: str, place: str) -> None:
        self._found.setdefault(reason, [0, f"{self.source_ref} {place}"])

    @property
    def has_findings(self) -> bool:
        return bool(self._found)

    def take(self) -> list[Reject]:
        """Everything since the last call."""
        found = [
            Reject(reason, int(count), _ADVICE[reason], str(example))
            for reason, (count, example) in self._found.items()
        ]
        self._found.clear()
        return found


@dataclass(frozen=True)
class Table:
    """`rows` yields the line number and the cells of each row; read it once."""

    header: Sequence[str]
    rows: Iterator[tuple[int, list[str]]]
    encoding: Encoding


def read_table(data: bytes, charset: str | None, market_default: str | None, tally: Tally) -> Table:
    """Header and rows of a report. An empty file has neither. StopStream if it is no table."""
    encoding = choose_encoding(data, charset, market_default)
    errors = "strict" if encoding.is_exact else "replace"
    if not encoding.is_exact:
        tally.note("replaced_characters", f"read as {encoding.name}")
    text = io.TextIOWrapper(io.BytesIO(data), encoding.name, errors=errors, newline="\n")
    lines = _Lines(text)
    header_line = lines.next_filled()
    if header_line is None:
        return Table((), iter(()), encoding)
    if header_line.lstrip().startswith(("<", "{")):
        raise StopStream(
            f"{tally.source_ref} is marked as done but holds a message instead of a table. "
            "Ask for it again; if that does not help, look at it in Seller Central."
        )
    delimiter = "\t" if "\t" in header_line or "," not in header_line else ","
    header = header_line.split(delimiter)
    if delimiter == "," or all(_is_wrapped(cell) for cell in header):
        header = next(csv.reader([header_line], delimiter=delimiter))
        return Table(header, _quoted_rows(lines, delimiter, len(header), tally), encoding)
    return Table(header, _plain_rows(lines, len(header), tally), encoding)


class _Lines:
    """Lines without their ends, numbered from 1, with a look ahead."""

    def __init__(self, text: Iterator[str]) -> None:
        self._text = text
        self._ahead: deque[str] = deque()
        self.number = 0

    def next(self) -> str | None:
        line = self.peek()
        if line is not None:
            self._ahead.popleft()
            self.number += 1
        return line

    def peek(self, distance: int = 0) -> str | None:
        while len(self._ahead) <= distance:
            line = next(self._text, None)
            if line is None:
                return None
            self._ahead.append(line.removesuffix("\n").removesuffix("\r"))
        return self._ahead[distance]

    def skip(self, lines: int) -> None:
        for _ in range(lines):
            self.next()

    def next_filled(self) -> str | None:
        """The next line that is not blank; a line of tabs only is blank."""
        while (line := self.next()) is not None:
            if line.strip():
                return line
        return None


def _plain_rows(lines: _Lines, width: int, tally: Tally) -> Iterator[tuple[int, list[str]]]:
    while (line := lines.next_filled()) is not None:
        number = lines.number
        cells = line.split("\t")
        if len(cells) == width and not _has_open_cell(line, cells):
            yield number, cells
            continue
        repaired = _repair(line, lines, width)
        if repaired is not None:
            yield number, repaired
        elif len(cells) == width:
            yield number, cells
        else:
            tally.reject("wrong_cell_count", number)


def _repair(line: str, lines: _Lines, width: int) -> list[str] | None:
    """The row read with quotes, joined with as many following lines as its open quote needs."""
    text = line
    for joined in range(_MAX_JOINED_LINES + 1):
        cells, is_open = _read_quoted(text)
        if cells is not None:
            if len(cells) != width:
                return None
            lines.skip(joined)
            return cells
        following = lines.peek(joined)
        if not is_open or following is None or following.count("\t") == width - 1:
            return None
        text = f"{text}\n{following}"
    return None


def _read_quoted(text: str) -> tuple[list[str] | None, bool]:
    """Cells of a row read with quotes; else None and whether a quote is still open."""
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter="\t", strict=True))
    except csv.Error as error:
        return None, "unexpected end of data" in str(error)
    return (rows[0], False) if len(rows) == 1 else (None, False)


def _quoted_rows(
    lines: _Lines, delimiter: str, width: int, tally: Tally
) -> Iterator[tuple[int, list[str]]]:
    def with_ends() -> Iterator[str]:
        while (line := lines.next()) is not None:
            yield f"{line}\n"

    for cells in csv.reader(with_ends(), delimiter=delimiter):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) == width:
            yield lines.number, cells
        else:
            tally.reject("wrong_cell_count", lines.number)


def _is_open(cell: str) -> bool:
    """Whether a cell begins with a quote that is not closed in it."""
    return cell.startswith('"') and (len(cell) == 1 or cell.count('"') % 2 == 1)


def _has_open_cell(line: str, cells: Sequence[str]) -> bool:
    return ('\t"' in line or line.startswith('"')) and any(map(_is_open, cells))


def _is_wrapped(cell: str) -> bool:
    return len(cell) > 1 and cell.startswith('"') and cell.endswith('"')
