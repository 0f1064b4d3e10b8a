"""Report bodies as bytes: cells, line ends, encodings and compression as Amazon mixes them.

Belongs here: how a table of texts becomes a file. Does not belong here: what is in the cells.
Which of the forms a report takes is a matter of its id, so a second download is the same.
"""

from __future__ import annotations

import gzip
from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

from sources._sandbox.api_faults import share_of

from .places import BY_ID

_CP932_LABELS = ("Windows-31J", "Windows-31J", "MS932", "Shift_JIS", None)
_CP1252_LABELS = ("Cp1252", "windows-1252", "ISO-8859-1", None)
_ADDRESSES = ("buyer-", "recipient-", "ship-", "bill-")
CP1252_SHARE = 0.3
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Document:
    """One report file in storage. `is_flagged`: the API says it is gzip; `is_gzip`: it is.

    The two differ now and then, as they do in production.
    """

    stored: bytes
    content_type: str
    is_flagged: bool = False
    is_gzip: bool = False
    rows: int = 0

    @classmethod
    def explaining(cls, text: str) -> Document:
        """What a FATAL report may carry: why it failed."""
        return cls(text.encode(), "text/plain; charset=UTF-8")


def report_document(table: pl.DataFrame, marketplace_ids: Collection[str], luck: str) -> Document:
    """The file of a table whose columns are all text; `luck` chooses among its possible forms."""
    body, label = encoded(table, marketplace_ids, luck)
    content_type = f"text/plain; charset={label}" if label else "text/plain"
    return packed(body, content_type, table.height, luck)


def packed(body: bytes, content_type: str, rows: int, luck: str) -> Document:
    """A file as storage holds it: gzip or not, and mostly flagged as what it is."""
    packing = share_of(luck, "packing")
    is_gzip = packing < 0.6
    is_flagged = is_gzip
    if packing >= 0.95:
        is_flagged = True
    elif packing >= 0.9:
        is_gzip = True
    stored = gzip.compress(body, compresslevel=1, mtime=0) if is_gzip else body
    return Document(stored, content_type, is_flagged, is_gzip, rows)


def tab_separated(table: pl.DataFrame, luck: str) -> str:
    """Tabs, no quoting; only a cell that holds a tab or a line break is wrapped in quotes."""
    wrapped = table.with_columns(
        [_quoted_where_needed(pl.col(column)).alias(column) for column in table.columns]
    )
    line_end = "\r\n" if share_of(luck, "lines") < 0.5 else "\n"
    text = wrapped.write_csv(
        separator="\t", quote_style="never", null_value="", line_terminator=line_end
    )
    return text + line_end if share_of(luck, "tail") < 0.3 else text


def _quoted_where_needed(cell: pl.Expr) -> pl.Expr:
    doubled = cell.str.replace_all('"', '""', literal=True)
    quoted = pl.concat_str(pl.lit('"'), doubled, pl.lit('"'))
    return pl.when(cell.str.contains(r"[\t\r\n]")).then(quoted).otherwise(cell)


def encoded(
    table: pl.DataFrame, marketplace_ids: Collection[str], luck: str
) -> tuple[bytes, str | None]:
    """Bytes and the charset the download is labelled with; None: no label.

    Amazon writes `?` for what an old encoding lacks. Here that happens in addresses only: where
    another column has such a character, the file is UTF-8.
    """
    places = [BY_ID[marketplace_id] for marketplace_id in marketplace_ids]
    chance = share_of(luck, "encoding")
    if any(place.country == "JP" for place in places):
        body = _old_encoding(table, "cp932", luck)
        if body is not None:
            return body, _CP932_LABELS[int(chance * len(_CP932_LABELS))]
    elif any(place.group == "EU" for place in places) and chance < CP1252_SHARE:
        body = _old_encoding(table, "cp1252", luck)
        if body is not None:
            return body, _CP1252_LABELS[int(chance / CP1252_SHARE * len(_CP1252_LABELS))]
    body = tab_separated(table, luck).encode()
    return (_BOM + body if chance > 0.9 else body), "UTF-8"


def _old_encoding(table: pl.DataFrame, encoding: str, luck: str) -> bytes | None:
    """The table in `encoding`; None where a cell that matters would not come back unchanged."""
    addresses = [name for name in table.columns if name.startswith(_ADDRESSES)]
    text = tab_separated(table.select(addresses), luck) if addresses else ""
    missing = sorted(letter for letter in set(text) if not letter.encode(encoding, errors="ignore"))
    if missing:
        table = table.with_columns(pl.col(addresses).str.replace_many(dict.fromkeys(missing, "?")))
    return _strictly(tab_separated(table, luck), encoding)


def _strictly(text: str, encoding: str) -> bytes | None:
    """The text in `encoding`; None unless it comes back unchanged."""
    try:
        body = text.encode(encoding)
        return body if body.decode(encoding) == text else None
    except UnicodeError:
        return None
