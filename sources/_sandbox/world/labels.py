"""Columns of words, kept as numbers: a million countries are a million small integers.

Belongs here: the container only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from sources._sandbox.world.draws import Flags, Ints


@dataclass(frozen=True)
class Labels:
    """`names[codes]`, of any shape. A name may stand more than once."""

    names: tuple[str, ...]
    codes: Ints

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: Any) -> Labels:
        return Labels(self.names, self.codes[rows])

    def equals(self, word: str) -> Flags:
        """Where the word is this one."""
        return np.isin(self.codes, [n for n, name in enumerate(self.names) if name == word])

    def words(self) -> np.ndarray:
        """As an array of text: for few rows only."""
        return np.array(self.names or ("",))[self.codes]

    def series(self) -> pl.Series:
        return pl.Series(self.names, dtype=pl.String).gather(self.codes)

    def values(self, by_name: Sequence[float]) -> np.ndarray:
        """A number for each name, by row."""
        return np.array(by_name)[self.codes]


def together(first: Labels, second: Labels) -> Labels:
    """Both, one after the other; they must have the same names."""
    if first.names != second.names:
        raise ValueError("labels with other names cannot be joined: make both from one list")
    return Labels(first.names, np.concatenate([first.codes, second.codes]))
