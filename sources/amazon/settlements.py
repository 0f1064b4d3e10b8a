"""Settlement reports (V2 flat file): rows numbered, currency carried forward, one decimal mark.

Belongs here: what must be decided for a whole settlement file. Does not belong here: what a
transaction type means (staging maps it) and the listing of settlements (`reports.py`).
The first row of a settlement is its header row (`row_no` 1): dates, total and currency. Detail
rows leave these blank or repeat them; here only the header row has dates and total, and every row
has the currency.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from sources._core.connector import Page

from . import cells
from .layouts import SETTLEMENT, Columns
from .rows import (
    ROWS_PER_PAGE,
    Cleaner,
    Document,
    Locale,
    Row,
    open_table,
    raw_rows,
    stop_if_changed,
)
from .tables import Tally

_HEADER_ONLY = ("settlement_start_date", "settlement_end_date", "deposit_date", "total_amount")
_AMOUNTS = ("total_amount", "amount")


@dataclass(frozen=True)
class Style:
    """How the whole file writes amounts and dates."""

    decimal_comma: bool
    month_first: bool


@dataclass
class _Settlement:
    """What later rows of a settlement need from earlier ones."""

    settlement_id: str
    last_row_no: int = 1
    currency: str | None = None
    total: Decimal | None = None
    amounts: Decimal = Decimal(0)
    is_whole: bool = True

    @property
    def adds_up(self) -> bool:
        return self.total is None or not self.is_whole or self.total == self.amounts


def read_settlement(document: Document, locale: Locale) -> Iterator[Page]:
    """Pages of a settlement file; the last one carries the notes on sums that do not fit."""
    tally = Tally(document.source_ref)
    style = _decide_style(document, locale, tally)
    table, columns = open_table(document, SETTLEMENT, locale, tally)
    cleaner = Cleaner(
        SETTLEMENT,
        locale,
        tally,
        month_first=style.month_first,
        decimal_comma=style.decimal_comma,
    )
    settlements: dict[str, _Settlement] = {}
    rows: list[Row] = []
    current: _Settlement | None = None
    for line, raw in raw_rows(table, columns):
        current = _settlement_of(raw, current, settlements)
        row = _normalise(raw, line, current, cleaner)
        if row is not None:
            rows.append(row)
        if len(rows) >= ROWS_PER_PAGE:
            yield _page(document, table.encoding.name, columns, rows, cleaner)
            rows = []
    for settlement in settlements.values():
        if not settlement.adds_up:
            tally.note("settlement_sum_differs", f"settlement {settlement.settlement_id}")
    yield _page(document, table.encoding.name, columns, rows, cleaner)
    stop_if_changed(tally, cleaner.kept, SETTLEMENT)


def decide_style(
    rows: Iterator[Mapping[str, str]], default_month_first: bool
) -> tuple[Style, bool]:
    """The style of a file and whether its amounts contradict each other.

    The total of a header row decides; else what most amounts prove; else a decimal point.
    """
    of_total: str | None = None
    marks: Counter[str] = Counter()
    month_first: bool | None = None
    for row in rows:
        of_total = of_total or cells.decimal_mark(row.get("total_amount", ""))
        marks.update(mark for name in _AMOUNTS if (mark := cells.decimal_mark(row.get(name, ""))))
        if month_first is None:
            proofs = (cells.month_comes_first(row.get(name, "")) for name in SETTLEMENT.times)
            month_first = next((proof for proof in proofs if proof is not None), None)
    most = marks.most_common(1)[0][0] if marks else "."
    style = Style(
        decimal_comma=(of_total or most) == ",",
        month_first=default_month_first if month_first is None else month_first,
    )
    return style, len(marks) > 1


def _decide_style(document: Document, locale: Locale, tally: Tally) -> Style:
    first_reading = Tally(document.source_ref)  # its findings come again in the second reading
    table, columns = open_table(document, SETTLEMENT, locale, first_reading)
    rows = (row for _line, row in raw_rows(table, columns))
    style, is_mixed = decide_style(rows, locale.month_first)
    if is_mixed:
        tally.note(
            "mixed_decimal_marks", f"read with {'comma' if style.decimal_comma else 'point'}"
        )
    return style


def _settlement_of(
    raw: Mapping[str, str], current: _Settlement | None, settlements: dict[str, _Settlement]
) -> _Settlement:
    named = cells.clean_text(raw.get("settlement_id", ""))
    if named is None:
        named = current.settlement_id if current else ""
    if named not in settlements:
        settlements[named] = _Settlement(named)
    return settlements[named]


def _normalise(
    raw: Mapping[str, str], line: int, settlement: _Settlement, cleaner: Cleaner
) -> Row | None:
    is_header = settlement.total is None and _is_header(raw)
    if not is_header:
        settlement.last_row_no += 1
    row = cleaner.clean(raw, line)
    if row is None:
        settlement.is_whole = False
        return None
    settlement.currency = row.get("currency") or settlement.currency
    if is_header:
        settlement.total = Decimal(row["total_amount"])
    else:
        settlement.amounts += Decimal(row.get("amount", "0"))
        for name in _HEADER_ONLY:
            row.pop(name, None)
    row["row_no"] = 1 if is_header else settlement.last_row_no
    if settlement.settlement_id:
        row["settlement_id"] = settlement.settlement_id
    if settlement.currency:
        row["currency"] = settlement.currency
    return row


def _is_header(raw: Mapping[str, str]) -> bool:
    return bool(raw.get("total_amount", "").strip()) and not (
        raw.get("transaction_type", "").strip() or raw.get("amount", "").strip()
    )


def _page(
    document: Document, encoding: str, columns: Columns, rows: list[Row], cleaner: Cleaner
) -> Page:
    return Page(
        records=rows,
        source_ref=document.source_ref,
        encoding=encoding,
        rejects=cleaner.tally.take(),
        unknown_fields=columns.unknown,
        missing_fields=columns.missing,
        changed_fields=cleaner.tally.changed_columns(cleaner.kept),
    )
