"""Keys that occur twice in one file: equal rows are one row, different rows are refused.

Belongs here: comparing keys and contents over a whole file in little memory (hashes only). Does
not belong here: keys of earlier files (loading keeps the newer row and the history).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from sources.files.cells import ROW

_FIRST, _SECOND = 7, 11


@dataclass(frozen=True)
class Repeated:
    """Row numbers to leave out: copies of a row kept, and rows that contradict each other."""

    copies: Sequence[int]
    contradictions: Sequence[int]


@dataclass
class KeyLedger:
    """Hashes of key and content of every accepted row: 28 bytes a row."""

    key: tuple[str, ...]
    parts: list[pl.DataFrame] = field(default_factory=list)

    def add(self, rows: pl.DataFrame, content: Sequence[str]) -> None:
        """Rows of one chunk; `content` names the columns that must agree."""
        key = _joined(self.key)
        self.parts.append(
            rows.select(
                pl.col(ROW),
                key.hash(_FIRST).alias("one"),
                key.hash(_SECOND).alias("two"),
                _joined(content).hash(_FIRST).alias("content"),
            )
        )

    def repeated(self) -> Repeated:
        """What the whole file says."""
        if not self.parts:
            return Repeated((), ())
        key = ["one", "two"]
        rows = pl.concat(self.parts)
        again = rows.filter(rows.select(key).is_duplicated())
        differs = pl.col("content").n_unique().over(key) > 1
        refused = again.filter(differs)
        copies = again.filter(~differs & (pl.col(ROW) != pl.col(ROW).min().over(key)))
        return Repeated(copies[ROW].to_list(), refused[ROW].to_list())


def _joined(names: Sequence[str]) -> pl.Expr:
    return pl.concat_str(
        [pl.col(name).cast(pl.String).fill_null("\x00") for name in names], separator="\x1f"
    )
