"""CSV files of Walmart, plain or in a ZIP, as rows by field name.

Belongs here: unpacking, the header, cells. Does not belong here: which columns a stream keeps
(`payment_records.py`, `report_records.py`) and where a file comes from.
Columns come and go: they are found by name, whatever their order, case and signs.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from sources._core.errors import GarbledAnswer, StopStream

from .refusals import errors_in
from .times import report_day

_ZIP = b"PK"
_SIGNS = re.compile(r"[^0-9a-z]+")
_ERROR_BODY = (b"<", b"{", b"[")


@dataclass(frozen=True)
class Table:
    """Rows with the fields that are kept, and the names of columns that nobody knows."""

    rows: list[dict[str, str]]
    columns: frozenset[str]
    unknown: tuple[str, ...]


def field_name(header: str) -> str:
    """`Customer Order line #` as `customer_order_line`."""
    return _SIGNS.sub("_", header.strip().strip('"').lower()).strip("_")


def unpack(content: bytes) -> str:
    """Text of the CSV files of an answer. GarbledAnswer for a cut one, StopStream for an error
    that came in place of a file."""
    if not content.strip():
        raise GarbledAnswer("an empty file")
    if content.startswith(_ZIP):
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                names = [name for name in archive.namelist() if not name.endswith("/")]
                return "\n".join(_text(archive.read(name)) for name in names)
        except (zipfile.BadZipFile, EOFError, OSError, ValueError) as error:
            raise GarbledAnswer(type(error).__name__) from None
    if content.lstrip().startswith(_ERROR_BODY):
        codes = ", ".join(filter(None, (code for code, _ in errors_in(content))))
        raise StopStream(
            f"Walmart answered with an error in place of a file ({codes or 'no code given'}). "
            "The next night asks again."
        )
    return _text(content)


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def read_table(
    text: str, kept: Collection[str], dropped: Collection[str], other_names: Mapping[str, str]
) -> Table:
    """Rows of the columns in `kept`; `other_names` are names that a column also goes by."""
    reader = csv.reader(io.StringIO(text))
    header = [field_name(cell) for cell in next(reader, [])]
    fields = [other_names.get(name, name) for name in header]
    unknown = tuple(f for f in fields if f and f not in kept and f not in dropped)
    rows = list(_rows(reader, [name if name in kept else "" for name in fields]))
    return Table(rows, frozenset(fields), unknown)


def _rows(reader: Iterator[list[str]], fields: list[str]) -> Iterator[dict[str, str]]:
    for cells in reader:
        row = {
            name: value
            for name, cell in zip(fields, cells, strict=False)
            if name and (value := clean(cell))
        }
        if row:
            yield row


def clean(cell: str) -> str:
    """Empty where it says nothing; else as it stands: identifiers keep zeros and spaces."""
    return "" if cell.strip() in ("", '""', "null", "NULL") else cell


def clean_amount(text: str | None) -> str | None:
    """`$1,234.50` as `1234.50`, `(3.65)` as `-3.65`; what is no number stays and is held back."""
    if text is None:
        return None
    plain = text.replace("$", "").replace(",", "").strip()
    is_bracketed = plain.startswith("(") and plain.endswith(")")
    return f"-{plain[1:-1]}" if is_bracketed else plain


def clean_day(text: str | None) -> str | None:
    """ISO text of a day in any of Walmart's ways; None where it is none."""
    day = report_day(text or "")
    return None if day is None else day.isoformat()
