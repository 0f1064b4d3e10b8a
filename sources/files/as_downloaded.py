"""A report in whatever file a person kept it, as bytes that a connector's parser reads.

Belongs here: packing (.gz, .xlsx, semicolons), what shows that a file is not whole or no report at
all. Does not belong here: which report it is (`sources/<connector>/downloads.py`).
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from openpyxl.styles.numbers import is_datetime

from sources.files.cells import MAX_UNPACKED_BYTES, FileRefusedError, refusing_broken
from sources.files.excel_file import inspect_workbook
from sources.files.typed_cells import number_text

SAMPLE_ROWS = 20
_UNFINISHED = (".crdownload", ".part", ".partial", ".download", ".tmp")
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_OLD_OR_LOCKED = bytes.fromhex("d0cf11e0a1b11ae1")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_XML_RETURNS = re.compile(r"\A\s*<\?xml.*<(?:\w+:)?(return_details)[\s>]", re.DOTALL)
_MOST_DIGITS = 15
_LONGEST_CHARACTER = 4
_AGAIN = "download it again and import that file"


@dataclass(frozen=True)
class TextTable:
    """`data` is delimited text with its header in the first filled line; `sample` are rows below
    it; `charset` None: as the bytes say. `is_saved_again`: a spreadsheet program wrote it."""

    data: bytes
    header: Sequence[str]
    sample: Sequence[Sequence[str]]
    charset: str | None = None
    is_saved_again: bool = False
    ends_open: bool = False


def read_downloaded(path: Path, encodings: Sequence[str]) -> TextTable:
    """The table of a file; FileRefusedError says what to do where it is none, or only half."""
    if path.suffix.lower() in _UNFINISHED:
        raise _half(f"the browser has not finished {path.name}")
    data = path.read_bytes()
    if not data:
        raise _half("the file is empty")
    if data.startswith((_OLD_OR_LOCKED, _ZIP)) or path.suffix.lower() == ".xlsx":
        return _of_workbook(path)
    data = _unpacked(data)
    charset = _charset(data, encodings)
    text = _decoded(data, charset)
    if (found := _XML_RETURNS.search(text)) is not None:
        return TextTable(data, (found[1],), (), charset)
    if text.lstrip().startswith(("<", "{", "%PDF")):
        raise FileRefusedError(
            "no_table",
            f"it holds a page or a message instead of a table: {_AGAIN}, as text (.txt or .csv)",
        )
    return _of_text(data, text, charset)


def _half(found: str) -> FileRefusedError:
    return FileRefusedError("half_downloaded", f"{found}: {_AGAIN}")


def _unpacked(data: bytes) -> bytes:
    if not data.startswith(_GZIP):
        return data
    try:
        with gzip.open(io.BytesIO(data)) as file:
            content = file.read(MAX_UNPACKED_BYTES + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _half("the packed file is cut") from error
    if len(content) > MAX_UNPACKED_BYTES:
        raise FileRefusedError(
            "archive_bomb", f"it unpacks to more than {MAX_UNPACKED_BYTES // 1024**2} MB: split it"
        )
    return content


def _charset(data: bytes, encodings: Sequence[str]) -> str | None:
    """UTF-8 first; GB18030 only where the settings allow it; the rest is the parser's affair."""
    if data.startswith(_UTF16) or _decodes(data, "utf-8"):
        return None
    if any(_decodes(data[:-cut], "utf-8") for cut in range(1, _LONGEST_CHARACTER)):
        raise _half("the file ends within a character")
    if "gb18030" in encodings and _decodes(data, "gb18030"):
        return "gb18030"
    return None


def _decodes(data: bytes, name: str) -> bool:
    try:
        data.decode(name)
    except UnicodeDecodeError:
        return False
    return True


def _decoded(data: bytes, charset: str | None) -> str:
    """Good enough to find the header and the last line."""
    if data.startswith(_UTF16):
        return data.decode("utf-16", "replace")
    name = charset or ("utf-8-sig" if _decodes(data, "utf-8") else "cp1252")
    return data.decode(name, "replace")


def _of_text(data: bytes, text: str, charset: str | None) -> TextTable:
    lines = text.splitlines()
    header_line = next((line for line in lines if line.strip()), "")
    delimiter = max("\t,;", key=header_line.count)
    rows = _rows(text, delimiter)
    header = next(rows, [])
    sample = list(islice(rows, SAMPLE_ROWS))
    ends_open = not text.endswith(("\n", "\r"))
    if ends_open and lines and len(header) > 1:
        _check_last(lines[-1], delimiter, len(header))
    if delimiter == ";":
        return TextTable(_as_commas(text), header, sample, "utf-8", is_saved_again=True)
    return TextTable(
        data, header, sample, charset, is_saved_again=delimiter == ",", ends_open=ends_open
    )


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    """Filled rows; tab files have no quotes."""
    source = io.StringIO(text, newline="")
    reader = (
        csv.reader(source, delimiter=delimiter, quoting=csv.QUOTE_NONE)
        if delimiter == "\t"
        else csv.reader(source, delimiter=delimiter)
    )
    for row in reader:
        if any(cell.strip() for cell in row):
            yield row


def _check_last(line: str, delimiter: str, width: int) -> None:
    """A last line without its end and with too few cells is what a cut transfer leaves."""
    try:
        cells = next(csv.reader([line], delimiter=delimiter, strict=delimiter != "\t"), [])
    except csv.Error:
        cells = []
    if len(cells) < width:
        raise _half("the last line is cut")


def _as_commas(text: str) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(_rows(text.lstrip("\ufeff"), ";"))
    return out.getvalue().encode()


def _of_workbook(path: Path) -> TextTable:
    """First sheet as comma text. A number of more digits than a spreadsheet keeps becomes what it
    would show (1.11E+16), so that the parser refuses it."""
    try:
        inspect_workbook(path)
    except FileRefusedError as error:
        if error.rule == "broken_file":
            raise _half("the workbook cannot be opened") from error
        raise
    rows: list[list[str]] = []
    with (
        refusing_broken(".xlsx workbook"),
        closing(load_workbook(path, read_only=True, data_only=True)) as book,
    ):
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
        for cells in sheet.iter_rows():
            row = [_text(cell) for cell in cells]
            if any(row):
                rows.append(row)
    if not rows:
        raise FileRefusedError("no_header", f"the first sheet is empty: {_AGAIN}")
    width = len(rows[0])
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows((row + [""] * width)[:width] for row in rows)
    return TextTable(
        out.getvalue().encode(), rows[0], rows[1 : SAMPLE_ROWS + 1], "utf-8", is_saved_again=True
    )


def _text(cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        text = number_text(value)
        return text if len(text.strip("-").replace(".", "")) <= _MOST_DIGITS else f"{value:.2E}"
    if isinstance(value, datetime):
        is_day = value.time() == time.min and is_datetime(cell.number_format) == "date"
        return value.date().isoformat() if is_day else value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
