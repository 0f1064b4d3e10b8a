"""How good labels are: precision and recall on texts that people have labelled.

Belongs here: the shipped sample, the reviews of the inbox (`label_review`), and one row a class for
`load.label_quality`. Does not belong here: how a label is made, and what learning brought
(`own_models.py`).
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from assets.control import insert_rows
from assets.text.labels import RETURN_COMMENT, Label, Labeller, Text
from assets.warehouse import Connection, transaction

SAMPLE = Path(__file__).parent / "sample.csv"
ALL = "all"


@dataclass(frozen=True)
class Judged:
    """What a person and the labels say of one text."""

    language: str
    kind: str  # language, sentiment or reason
    wanted: frozenset[str]
    found: frozenset[str]


def sample_judged(labeller: Labeller, path: Path = SAMPLE) -> list[Judged]:
    """The hand-labelled sample that comes with the product, written for it."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    labels = labeller.label(Text(row["text"], source=RETURN_COMMENT) for row in rows)
    judged: list[Judged] = []
    for row, label in zip(rows, labels, strict=True):
        judged += _judged(row["language"], row["sentiment"], row["reasons"], label)
    return judged


def _judged(language: str, feeling: str, reasons: str, label: Label) -> Iterator[Judged]:
    yield Judged(language, "language", frozenset([language]), frozenset([label.language.language]))
    yield Judged(language, "sentiment", frozenset([feeling]), frozenset([label.sentiment]))
    yield Judged(language, "reason", _codes(reasons), frozenset(label.codes))


def _codes(joined: str | None) -> frozenset[str]:
    return frozenset(filter(None, (joined or "").replace(",", ";").replace(" ", "").split(";")))


_REVIEWED = """
    select
        label.language, label.sentiment,
        coalesce((
            select string_agg(reason.text_reason, ';') from load.text_reason as reason
            where reason.text_hash = review.text_hash
        ), ''),
        review.language, review.sentiment, review.reasons
    from raw_files.label_review as review
    inner join load.text_label as label on review.text_hash = label.text_hash
"""


def reviewed(connection: Connection) -> list[Judged]:
    """Labels that people of the seller have corrected or confirmed in the inbox."""
    found: list[Judged] = []
    for language, feeling, reasons, true_language, true_feeling, true_reasons in connection.execute(
        _REVIEWED
    ).fetchall():
        spoken = true_language or language
        if true_language:
            found.append(Judged(spoken, "language", _codes(true_language), _codes(language)))
        if true_feeling:
            found.append(Judged(spoken, "sentiment", _codes(true_feeling), _codes(feeling)))
        wanted = _codes(true_reasons) - {"none", "other"}
        found.append(Judged(spoken, "reason", wanted, _codes(reasons)))
    return found


def quality_rows(
    judged: Iterable[Judged], sample: str, version: str, now: datetime
) -> Iterator[dict[str, Any]]:
    """One row a kind, class and language, and one for all languages together."""
    groups: dict[tuple[str, str], list[Judged]] = defaultdict(list)
    for row in judged:
        groups[row.kind, row.language].append(row)
        groups[row.kind, ALL].append(row)
    for (kind, language), rows in sorted(groups.items()):
        for name in sorted(frozenset().union(*(row.wanted | row.found for row in rows))):
            yield _row(rows, name) | {
                "label_kind": kind,
                "label": name,
                "language": language,
                "label_version": version,
                "sample": sample,
                "is_in_use": True,
                "evaluated_at": now,
            }


def _row(rows: Sequence[Judged], name: str) -> dict[str, Any]:
    right = sum(name in row.wanted & row.found for row in rows)
    said = sum(name in row.found for row in rows)
    true = sum(name in row.wanted for row in rows)
    precision = right / said if said else None
    recall = right / true if true else None
    f1 = 2 * right / (said + true)
    return {"texts": len(rows), "precision": precision, "recall": recall, "f1": f1}


def record_quality(connection: Connection, labeller: Labeller, now: datetime) -> None:
    """Measure the labels in use: the sample once a version, reviews of people every night."""
    version = labeller.version
    known = connection.execute(
        "select count(*) from load.label_quality where sample = 'shipped' and label_version = ?",
        [version],
    ).fetchall()[0][0]
    rows = list(quality_rows(reviewed(connection), "label_review", version, now))
    if not known:
        rows += quality_rows(sample_judged(labeller), "shipped", version, now)
    with transaction(connection):
        connection.execute(
            "delete from load.label_quality where sample = 'label_review' and label_version = ?",
            [version],
        )
        insert_rows(connection, "load.label_quality", rows)
        connection.execute(
            "update load.label_quality set is_in_use = label_version = ?"
            " where sample in ('shipped', 'label_review')",
            [version],
        )
