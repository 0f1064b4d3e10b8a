"""What reading a file gives, whatever its format: chunks of text cells, and the ways to refuse.

Belongs here: the shapes between the readers and the rules. Does not belong here: reading one
format (`csv_file.py`, `parquet_file.py`, `excel_file.py`) and the rules themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import polars as pl

ROW = "__row"
FLAGS = "__flags"
ROWS_PER_CHUNK = 20_000
MAX_UNPACKED_BYTES = 2 * 1024**3


class FileRefusedError(Exception):
    """The whole file is refused: `rule` is a short word for tables, the message says what to do.

    `rows` are those held back besides rows that broke a rule of their own; 1 where nobody counted.
    """

    def __init__(self, rule: str, message: str, rows: int = 1) -> None:
        super().__init__(message)
        self.rule = rule
        self.rows = rows


@contextmanager
def refusing_broken(kind: str) -> Iterator[None]:
    """Whatever a library says about a damaged file, the file is refused; troubles of the machine
    (an operating system error, no memory) stay what they are."""
    try:
        yield
    except (FileRefusedError, MemoryError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise FileRefusedError(
            "broken_file",
            f"not a readable {kind} ({type(error).__name__}): open it and save it again, or copy "
            "it again",
        ) from error


@dataclass(frozen=True)
class CellError:
    """One broken rule. `rule` is the short word, `says` the sentence for the seller."""

    row: int
    column: str
    value: str
    rule: str
    says: str


@dataclass(frozen=True)
class Chunk:
    """Some rows of a file as text: `frame` has ROW, FLAGS (words joined by a space) and a text
    column for each header word. `errors` are rows that the reader itself could not accept; they
    are not in `frame`, except for those of single cells, which are there as null.
    """

    frame: pl.DataFrame
    errors: Sequence[CellError] = ()


@dataclass
class ChunkBuilder:
    """Collects rows of text cells column by column."""

    header: Sequence[str]
    rows: list[int] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    values: list[Sequence[str | None]] = field(default_factory=list)
    errors: list[CellError] = field(default_factory=list)

    def add(self, row: int, cells: Sequence[str | None], flags: str = "") -> None:
        """One row; its cells are in the order of the header."""
        self.rows.append(row)
        self.flags.append(flags)
        self.values.append(cells)

    def build(self) -> Chunk:
        """The chunk of what was added."""
        columns = zip(*self.values, strict=True) if self.values else ([] for _ in self.header)
        frame = pl.DataFrame(
            {
                ROW: pl.Series(self.rows, dtype=pl.Int64),
                FLAGS: pl.Series(self.flags, dtype=pl.String),
                **{
                    name: pl.Series(name, list(cells), dtype=pl.String)
                    for name, cells in zip(self.header, columns, strict=True)
                    if name
                },
            }
        )
        return Chunk(frame, tuple(self.errors))
