"""Header of a dropped file: which column each of its words means, and when the file is refused.

Belongs here: matching words to declared columns. Does not belong here: finding the header row in
a format (the readers) or what becomes of the cells below it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sources.files.cells import FileRefusedError
from sources.files.declarations import Dataset

EXTRA = "+"
"""Prefix of an allowed extra column in the names of a header."""


@dataclass(frozen=True)
class Header:
    """`names` by position: a declared column, EXTRA and a word for an allowed extra, or empty for
    what is dropped. `unknown` are the words of the dropped ones, never their values."""

    names: tuple[str, ...]
    unknown: tuple[str, ...]


def resolve_header(
    dataset: Dataset, words: Sequence[str], allowed_extras: Collection[str] = ()
) -> Header:
    """Case does not matter, nor does the order. Raises FileRefusedError where there is none."""
    spellings = dataset.spellings()
    extras = {word.lower() for word in allowed_extras}
    names: list[str] = []
    unknown: list[str] = []
    for word in (_clean(word) for word in words):
        if word in spellings:
            names.append(spellings[word])
        elif word in extras:
            names.append(EXTRA + word)
        else:
            names.append("")
            if word:
                unknown.append(word[:64])
    _refuse_no_header(dataset, names, words)
    _refuse_repeated(names)
    _refuse_missing(dataset, names)
    return Header(tuple(names), tuple(dict.fromkeys(unknown)))


def _clean(word: str) -> str:
    return word.strip().lstrip("\ufeff").strip().lower()


def _refuse_no_header(dataset: Dataset, names: Sequence[str], words: Sequence[str]) -> None:
    if any(name and not name.startswith(EXTRA) for name in names):
        return
    hint = ""
    if len(words) == 1 and any(mark in words[0] for mark in ";\t|"):
        hint = " The cells seem to be separated by another mark than a comma: save as CSV (comma)."
    raise FileRefusedError(
        "no_header",
        f"no header: the first row names no column of {dataset.name} "
        f"({', '.join(column.name for column in dataset.columns if column.required)} …).{hint}",
    )


def _refuse_repeated(names: Sequence[str]) -> None:
    repeated = sorted(name for name, count in Counter(names).items() if name and count > 1)
    if repeated:
        raise FileRefusedError(
            "column_repeated",
            f"the header names {', '.join(repeated)} twice: delete or rename one of them",
        )


def _refuse_missing(dataset: Dataset, names: Sequence[str]) -> None:
    present = set(names)
    missing = [c.name for c in dataset.columns if c.required and c.name not in present]
    missing += [" or ".join(group) for group in dataset.one_of if not present.intersection(group)]
    if missing:
        raise FileRefusedError(
            "required_column_missing",
            f"required column missing: {', '.join(missing)}. Add it to the header row",
        )
