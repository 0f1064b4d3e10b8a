"""Reading `.xlsx`: the first sheet, its first row that is not empty is the header.

Belongs here: what makes a workbook unreadable for us, and cells to text. Does not belong here:
the meaning of typed cells (`typed_cells.py`) and the rules of the dataset. openpyxl is used
because it tells formulas without a result and error cells apart from empty ones.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import date, datetime, time, timedelta
from itertools import repeat
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from openpyxl.styles.numbers import is_datetime
from openpyxl.xml.functions import fromstring

from sources.files.cells import (
    MAX_UNPACKED_BYTES,
    ROWS_PER_CHUNK,
    CellError,
    Chunk,
    ChunkBuilder,
    FileRefusedError,
    refusing_broken,
)
from sources.files.declarations import Column, Dataset
from sources.files.header import Header
from sources.files.typed_cells import Text, from_date, from_number

_OLD_OR_LOCKED = bytes.fromhex("d0cf11e0a1b11ae1")
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell[\s/>]")
_BLOCK = 1024 * 1024
_OVERLAP = 64
_RELATIONS = "{http://schemas.openxmlformats.org/package/2006/relationships}"


def read_excel(
    path: Path,
    dataset: Dataset,
    resolve: Callable[[Sequence[str]], Header],
    max_unpacked: int = MAX_UNPACKED_BYTES,
) -> Iterator[Chunk]:
    """Chunks of rows, with the row numbers that the spreadsheet shows; hidden rows count."""
    has_formulas = inspect_workbook(path, max_unpacked)
    with refusing_broken(".xlsx workbook"), ExitStack() as stack:
        values = stack.enter_context(closing(load_workbook(path, read_only=True, data_only=True)))
        formulas = (
            stack.enter_context(closing(load_workbook(path, read_only=True)))
            if has_formulas
            else None
        )
        yield from _chunks(_rows(values, formulas), dataset, resolve)


def inspect_workbook(path: Path, max_unpacked: int = MAX_UNPACKED_BYTES) -> bool:
    """True if the first sheet has formulas. Raises FileRefusedError for what we do not read."""
    with path.open("rb") as stream:
        if stream.read(len(_OLD_OR_LOCKED)) == _OLD_OR_LOCKED:
            raise FileRefusedError(
                "locked_or_old_workbook",
                "the workbook has a password or is an old .xls: save it as .xlsx without one",
            )
    with refusing_broken(".xlsx workbook"), zipfile.ZipFile(path) as archive:
        return _inspect_archive(archive, max_unpacked)


def _inspect_archive(archive: zipfile.ZipFile, max_unpacked: int) -> bool:
    if sum(entry.file_size for entry in archive.infolist()) > max_unpacked:
        raise FileRefusedError(
            "archive_bomb", f"unpacks to more than {max_unpacked // 1024**2} MB: split the file"
        )
    if any(name.lower().endswith("vbaproject.bin") for name in archive.namelist()):
        raise FileRefusedError("macro", "the workbook has macros: save it as .xlsx without them")
    has_formulas = False
    with archive.open(_first_sheet(archive)) as sheet:
        tail = b""
        while block := sheet.read(_BLOCK):
            text = tail + block
            if _MERGED.search(text):
                raise FileRefusedError(
                    "merged_cells", "the first sheet has merged cells: unmerge them all"
                )
            has_formulas = has_formulas or _FORMULA.search(text) is not None
            tail = text[-_OVERLAP:]
    return has_formulas


def _first_sheet(archive: zipfile.ZipFile) -> str:
    book = fromstring(archive.read("xl/workbook.xml"))
    links = fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    targets = {
        link.get("Id"): (str(link.get("Type")), str(link.get("Target")))
        for link in links.iter(f"{_RELATIONS}Relationship")
    }
    for sheet in book.iter():
        if not str(sheet.tag).endswith("}sheet"):
            continue
        link = next((v for k, v in sheet.attrib.items() if str(k).endswith("}id")), "")
        kind, target = targets.get(link, ("", ""))
        if kind.endswith("/worksheet"):
            return target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    raise KeyError("no worksheet")


def _rows(values: Any, formulas: Any | None) -> Iterator[tuple[int, Sequence[Any], Sequence[Any]]]:
    """Row number, cells with stored results, and the same cells with their formulas."""
    sheet = values.worksheets[0]
    sheet.reset_dimensions()
    shadow: Iterator[Sequence[Any]] = repeat(())
    if formulas is not None:
        formulas.worksheets[0].reset_dimensions()
        shadow = formulas.worksheets[0].iter_rows()
    for number, (cells, written) in enumerate(zip(sheet.iter_rows(), shadow, strict=False), 1):
        if any(cell.value is not None for cell in cells) or any(
            cell.value is not None for cell in written
        ):
            yield number, cells, written


def _chunks(
    rows: Iterator[tuple[int, Sequence[Any], Sequence[Any]]],
    dataset: Dataset,
    resolve: Callable[[Sequence[str]], Header],
) -> Iterator[Chunk]:
    first = next(rows, None)
    if first is None:
        raise FileRefusedError(
            "no_header", "the first sheet is empty: its first row must be the header"
        )
    header = resolve(["" if cell.value is None else str(cell.value) for cell in first[1]])
    declared = {column.name: column for column in dataset.columns}
    columns = [declared.get(name) for name in header.names]
    builder = ChunkBuilder(header.names)
    for number, cells, written in rows:
        texts = [
            _text(columns[index], cell, written[index] if index < len(written) else None)
            if header.names[index]
            else Text(None)
            for index, cell in enumerate(cells[: len(header.names)])
        ]
        refused = [(header.names[i], text) for i, text in enumerate(texts) if text.rule]
        builder.errors += [
            CellError(number, name, text.value or "", text.rule, text.says)
            for name, text in refused
        ]
        found = [text.value for text in texts] + [None] * (len(header.names) - len(texts))
        if not refused and any(value for value in found):
            flags = " ".join(dict.fromkeys(text.flag for text in texts if text.flag))
            builder.add(number, found, flags)
        if len(builder.rows) >= ROWS_PER_CHUNK:
            yield builder.build()
            builder = ChunkBuilder(header.names)
    yield builder.build()


def _text(column: Column | None, cell: Any, written: Any) -> Text:
    value = cell.value
    if value is None:
        if written is not None and written.data_type == "f":
            return Text(
                None,
                rule="formula_without_result",
                says="the formula has no stored result: open the file in a spreadsheet program, "
                "let it calculate and save",
            )
        return Text(None)
    if cell.data_type == "e":
        return Text(str(value), rule="error_cell", says=f"the cell shows an error ({value})")
    if isinstance(value, bool):
        return Text("true" if value else "false")
    if isinstance(value, (int, float)):
        return from_number(column, value)
    if isinstance(value, (datetime, date, time, timedelta)):
        return from_date(column, value, is_datetime(cell.number_format) or "datetime")
    return Text(str(value))
