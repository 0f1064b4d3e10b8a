"""Texts as hashed n-grams: words (1 to 3), words after a negation, characters in words (2 to 4).

Belongs here: which n-grams there are and in which bucket one falls; whole batches as arrays, no
loop over texts. Does not belong here: weights of buckets (`linear.py`) and folding (`cleaning.py`).
The hash is our own arithmetic on code points, so buckets are the same in every process and version
of a library; a change of it is a change of the model (`VERSION`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

VERSION = 1
BITS = 18  # buckets of one family are 2 ** BITS
FAMILIES = 2  # words, characters
BUCKETS = FAMILIES << BITS

Array = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]

_PRIME = np.uint64(0x100000001B3)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_SPACE, _LETTER, _SINGLE = 0, 1, 2  # single: a token of its own (Chinese, kana, emoji, ! and ?)
_MAX_WORD = 40
_REACH = 3  # tokens that a negation covers
_NEGATIONS = (
    "not", "no", "never", "without", "t", "cant", "cannot", "dont", "doesnt", "didnt", "isnt",
    "wasnt", "wont", "nothing", "hardly", "nicht", "kein", "keine", "keinen", "keiner",
    "keinem", "nie", "niemals", "ohne", "nichts", "pas", "jamais", "sans", "aucun", "aucune",
    "rien", "nunca", "sin", "ningun", "ninguna", "nada", "non", "mai", "senza", "nessun",
    "nessuna", "niente", "nao", "nem", "sem", "nenhum", "nenhuma",
    "不", "没", "无", "未", "别", "非",
)  # fmt: skip


@dataclass(frozen=True)
class Features:
    """Distinct buckets of each text, row after row: row i has `starts[i]:starts[i + 1]`."""

    buckets: Ints
    starts: Ints

    @property
    def sizes(self) -> Ints:
        return np.diff(self.starts)


def extract(folded: Sequence[str]) -> Features:
    """Features of folded texts (`cleaning.fold`)."""
    codes, kinds, rows = _characters(folded)
    words, word_rows = _words(codes, kinds, rows)
    keys = [_word_keys(words, word_rows), _character_keys(codes, rows)]
    found = np.sort(np.concatenate(keys))
    found = found[np.concatenate([np.ones(min(len(found), 1), bool), found[1:] != found[:-1]])]
    starts = np.searchsorted(found, np.arange(len(folded) + 1, dtype=np.int64) * BUCKETS)
    return Features(found % BUCKETS, starts.astype(np.int64))


def _characters(folded: Sequence[str]) -> tuple[Array, npt.NDArray[np.uint8], Ints]:
    """Code points of all texts, each between spaces; what separates words is 0."""
    joined = "".join(f" {text} " for text in folded)
    codes = np.frombuffer(joined.encode("utf-32-le", "replace"), dtype=np.uint32).astype(np.int64)
    kinds = _kinds()[np.minimum(codes, len(_kinds()) - 1)]
    lengths = np.fromiter((len(text) + 2 for text in folded), np.int64, len(folded))
    rows = np.repeat(np.arange(len(folded), dtype=np.int64), lengths)
    return np.where(kinds == _SPACE, 0, codes).astype(np.uint64), kinds, rows


@cache
def _kinds() -> npt.NDArray[np.uint8]:
    """Kind of each code point; those beyond the table are as its last one (emoji)."""
    table = np.zeros(0x20000, np.uint8)
    for code in range(len(table)):
        category = unicodedata.category(chr(code))
        if 0x3040 <= code <= 0x30FF or 0x3400 <= code <= 0x9FFF:
            table[code] = _SINGLE
        elif category[0] in "LNM":
            table[code] = _LETTER
        elif category == "So" or chr(code) in "!?+%$€☆★":
            table[code] = _SINGLE
    table[-1] = _SINGLE
    return table


def _words(codes: Array, kinds: npt.NDArray[np.uint8], rows: Ints) -> tuple[Array, Ints]:
    """Hash and row of each token."""
    before = np.concatenate([np.zeros(1, np.uint8), kinds[:-1]])
    begins = (kinds == _SINGLE) | ((kinds == _LETTER) & (before != _LETTER))
    at = np.flatnonzero(begins)
    if not len(at):
        return np.zeros(0, np.uint64), np.zeros(0, np.int64)
    lengths = np.diff(np.append(at, len(codes)))
    place = np.arange(at[0], len(codes)) - np.repeat(at, lengths)
    weighted = codes[at[0] :] * _powers()[np.minimum(place, _MAX_WORD)]
    return _mixed(np.add.reduceat(weighted, at - at[0])), rows[at]


@cache
def _powers() -> Array:
    with np.errstate(over="ignore"):
        return np.cumprod(np.full(_MAX_WORD + 1, _PRIME, np.uint64), dtype=np.uint64)


def _mixed(value: Array) -> Array:
    value = (value ^ (value >> np.uint64(30))) * _MIX_1
    value = (value ^ (value >> np.uint64(27))) * _MIX_2
    return value ^ (value >> np.uint64(31))


def _key(hashes: Array, rows: Ints, family: int) -> Ints:
    bucket = (hashes >> np.uint64(64 - BITS)).astype(np.int64)
    return rows * BUCKETS + (family << BITS) + bucket


@cache
def _negations() -> Array:
    codes, kinds, rows = _characters(_NEGATIONS)
    return np.unique(_words(codes, kinds, rows)[0])


def _word_keys(words: Array, rows: Ints) -> Ints:
    keys = [_key(words, rows, 0)]
    phrase = words
    for more in (1, 2):
        phrase = _mixed(phrase[:-1] * _PRIME + words[more:])
        keys.append(_key(phrase, rows[more:], 0)[rows[:-more] == rows[more:]])
    is_negation = np.isin(words, _negations())
    negated = _mixed(words + _MIX_2)
    for back in range(1, _REACH + 1):
        covered = is_negation[:-back] & (rows[:-back] == rows[back:])
        keys.append(_key(negated[back:], rows[back:], 0)[covered])
    return np.concatenate(keys)


def _character_keys(codes: Array, rows: Ints) -> Ints:
    """N-grams that hold a space at their ends only."""
    is_space = codes == 0
    keys = []
    gram, inner_space = codes, np.zeros(len(codes), bool)
    for size in (2, 3, 4):
        gram = gram[:-1] * _PRIME + codes[size - 1 :]
        first, last = is_space[: len(gram)], is_space[size - 1 :]
        if size > 2:
            inner_space = inner_space[:-1] | is_space[size - 2 : size - 2 + len(gram)]
        else:
            inner_space = inner_space[:-1]
        good = ~inner_space & ~(first & last) & (rows[: len(gram)] == rows[size - 1 :])
        keys.append(_key(_mixed(gram + np.uint64(size)), rows[: len(gram)], 1)[good])
    return np.concatenate(keys)
