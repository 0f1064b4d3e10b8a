"""Reading `.csv` and `.csv.gz`: strict encoding first, then rows as text.

Belongs here: encodings, gzip, quotes, rows of the wrong length. Does not belong here: what the
cells mean. UTF-8 is always tried first; GB18030 only where that fails and the settings list it:
most Chinese UTF-8 text is also valid GB18030, hardly any the other way round.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, cast

from sources.files.cells import MAX_UNPACKED_BYTES, ROWS_PER_CHUNK, CellError, Chunk, ChunkBuilder
from sources.files.cells import FileRefusedError as Refused
from sources.files.header import Header

_BLOCK = 1024 * 1024
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def detect_encoding(
    path: Path, encodings: Sequence[str], max_unpacked: int = MAX_UNPACKED_BYTES
) -> str:
    """`utf-8` or `gb18030`, after decoding the whole file strictly. Raises FileRefusedError."""
    candidates = ["utf-8", *(name for name in map(str.lower, encodings) if name != "utf-8")]
    for encoding in candidates:
        if _decodes(path, encoding, max_unpacked):
            return encoding
    with _open_bytes(path) as stream:
        start = stream.read(2)
    said = "the text is UTF-16" if start in _UTF16_MARKS else "the text is not UTF-8"
    if "gb18030" in candidates:
        said += " nor GB18030"
    raise Refused(
        "encoding",
        f"{said}: save it as CSV UTF-8, or list its encoding in inbox.encodings "
        "(utf-8 and gb18030 are known)",
    )


def read_csv(
    path: Path, encoding: str, resolve: Callable[[Sequence[str]], Header]
) -> Iterator[Chunk]:
    """Chunks of rows. Row numbers are those a spreadsheet shows: the header is row 1."""
    name = "utf-8-sig" if encoding == "utf-8" else encoding
    with _open_bytes(path) as raw, io.TextIOWrapper(raw, encoding=name, newline="") as text:
        yield from _chunks(_records(text), resolve)


def _chunks(
    records: Iterator[tuple[int, list[str] | None]],
    resolve: Callable[[Sequence[str]], Header],
) -> Iterator[Chunk]:
    header: Header | None = None
    builder = ChunkBuilder(())
    width = 0
    for row, cells in records:
        if cells is None:
            builder.errors.append(_quotes(row))
            continue
        if not any(cells):
            continue
        if header is None:
            header = resolve(cells)
            width = len(header.names)
            builder = ChunkBuilder(header.names, errors=builder.errors)
            continue
        if (len(cells) != width and any(cells[width:])) or len(cells) < width:
            builder.errors.append(_wrong_length(row, len(cells), width))
            continue
        builder.add(row, cells[:width])
        if len(builder.rows) >= ROWS_PER_CHUNK:
            yield builder.build()
            builder = ChunkBuilder(header.names)
    if header is None:
        raise Refused("no_header", "the file has no rows at all: the first row must be the header")
    yield builder.build()


def _records(text: io.TextIOBase) -> Iterator[tuple[int, list[str] | None]]:
    """Row number and cells; None for a row whose quotes are broken within one line."""
    reader = csv.reader(text, strict=True)
    row = 0
    while True:
        row += 1
        before = reader.line_num
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if reader.line_num - before > 1 or "field larger" in str(error) or _ended(error):
                raise Refused(
                    "quotes",
                    f"a quote opened in row {row} is never closed properly: "
                    "double every quote inside a quoted cell (RFC 4180)",
                ) from error
            yield row, None
            continue
        yield row, cells


def _ended(error: csv.Error) -> bool:
    return "unexpected end of data" in str(error)


def _quotes(row: int) -> CellError:
    return CellError(
        row, "", "", "quotes", "quotes are broken: double every quote inside a quoted cell"
    )


def _wrong_length(row: int, found: int, expected: int) -> CellError:
    return CellError(row, "", "", "row_length", f"the row has {found} cells, the header {expected}")


def _decodes(path: Path, encoding: str, max_unpacked: int) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    size = 0
    try:
        with _open_bytes(path) as stream:
            while block := stream.read(_BLOCK):
                size += len(block)
                if _is_gzip(path) and size > max_unpacked:
                    raise Refused(
                        "archive_bomb",
                        f"unpacks to more than {max_unpacked // 1024**2} MB: split the file",
                    )
                decoder.decode(block)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise Refused(
            "broken_archive", "the gzip file is broken or cut off: copy it again"
        ) from error
    return True


def _is_gzip(path: Path) -> bool:
    return path.name.lower().endswith(".gz")


def _open_bytes(path: Path) -> BinaryIO:
    if _is_gzip(path):
        return cast(BinaryIO, gzip.open(path, "rb"))
    return path.open("rb")
