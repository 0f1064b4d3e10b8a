"""Empty files of each dataset of the inbox, with a note on every column.

Belongs here: the look of the templates. Does not belong here: what a dataset holds
(`sources/files/datasets/*.yml`).
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter

from sources._core.durable import write_atomically
from sources.files.declarations import Column, Dataset, all_datasets

NOTE_COLUMNS = ("column", "type", "required", "values", "en", "zh")
_REQUIRED = PatternFill("solid", fgColor="FFE699")
_AS_TEXT = "@"
_FORMATTED_ROWS = 1_000


def write_templates(out: Path) -> list[Path]:
    """`<dataset>.xlsx`, `<dataset>.csv` and `<dataset>.notes.csv` for every dataset."""
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for dataset in all_datasets():
        contents = {
            f"{dataset.name}.xlsx": _workbook(dataset),
            f"{dataset.name}.csv": _csv([[column.name for column in dataset.columns]]),
            f"{dataset.name}.notes.csv": _csv([list(NOTE_COLUMNS), *_notes(dataset)]),
        }
        for name, content in contents.items():
            write_atomically(out / name, content)
            written.append(out / name)
    return written


def _notes(dataset: Dataset) -> list[list[str]]:
    return [
        [
            column.name,
            column.type,
            _need(dataset, column),
            ", ".join(column.values),
            column.en,
            column.zh,
        ]
        for column in dataset.columns
    ]


def _need(dataset: Dataset, column: Column) -> str:
    """Whether the column must be filled in, as a person reads it."""
    if column.required:
        return "yes"
    groups = [g for g in (*dataset.one_of, *dataset.exactly_one) if column.name in g]
    return f"one of {', '.join(groups[0])}" if groups else "no"


def _workbook(dataset: Dataset) -> bytes:
    """First sheet: the header alone, ready to fill in; second: the notes."""
    book = Workbook()
    book.remove(book.worksheets[0])
    sheet = book.create_sheet(dataset.name)
    sheet.freeze_panes = "A2"
    for number, column in enumerate(dataset.columns, start=1):
        cell = sheet.cell(1, number, column.name)
        cell.font = Font(bold=True)
        if column.required:
            cell.fill = _REQUIRED
        cell.comment = Comment(f"{column.en}\n{column.zh}", "aftersales", width=320, height=120)
        sheet.column_dimensions[get_column_letter(number)].width = max(12, len(column.name) + 2)
        if column.type == "text":
            sheet.column_dimensions[get_column_letter(number)].number_format = _AS_TEXT
            for row in range(2, _FORMATTED_ROWS + 2):
                sheet.cell(row, number).number_format = _AS_TEXT
    notes = book.create_sheet("notes")
    notes.append([dataset.en, dataset.zh])
    notes.append(list(NOTE_COLUMNS))
    for note in _notes(dataset):
        notes.append(note)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _csv(rows: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
