"""Labelling many texts on all processors, in order and in little memory.

Belongs here: who labels what when. Does not belong here: labels (`labels.py`), files and tables.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any

from assets.text.labels import Label, Labeller, Text

CHUNK = 4_000  # texts that a process takes at once

Row = tuple[Any, Text]  # a key of the caller, and the text
Labelled = list[tuple[Any, Label]]


def label_chunks(
    labeller: Labeller, chunks: Iterable[Sequence[Row]], workers: int
) -> Iterator[Labelled]:
    """Keys with labels, chunk for chunk; at most two chunks a process are under way."""
    if workers == 1:
        for chunk in chunks:
            yield _label(labeller, chunk)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        under_way: deque[Future[Labelled]] = deque()
        for chunk in chunks:
            under_way.append(pool.submit(_label, labeller, chunk))
            if len(under_way) >= 2 * workers:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()


def _label(labeller: Labeller, chunk: Sequence[Row]) -> Labelled:
    labels = labeller.label(text for _, text in chunk)
    return [(key, label) for (key, _), label in zip(chunk, labels, strict=True)]
