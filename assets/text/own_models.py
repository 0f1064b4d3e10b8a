"""Models that the seller's own texts have taught: once a month, kept where they are better.

Belongs here: which rows teach (reviews with stars, coded returns with a comment), when, and where
models and their scores are kept. Does not belong here: the learning (`retraining.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from assets.control import insert_rows, naive_utc
from assets.text import linear
from assets.text.labels import Labeller
from assets.text.new_texts import CANONICAL
from assets.warehouse import Connection, transaction

if TYPE_CHECKING:
    from assets.text.retraining import Lesson, Taught

EVERY = timedelta(days=28)
SENTIMENT, REASON = "sentiment", "reason"
_SAMPLES = {SENTIMENT: "held_out_stars", REASON: "held_out_codes"}

_STARS = """
    select seen.text, feedback.stars_now, feedback.sku, feedback.created_at
    from marts.fct_feedback as feedback
    inner join text_seen as seen on feedback.text_hash = seen.text_hash
    where feedback.stars_now is not null
    order by feedback.created_at, feedback.feedback_key
"""
_CODES = """
    select seen.text, line.reason_claimed, line.sku, line.first_evidence_date
    from marts.fct_return_line as line
    inner join text_seen as seen on line.text_hash = seen.text_hash
    where line.reason_claimed not like 'unknown.%'
    order by line.first_evidence_date, line.return_line_key
"""


def labeller_in_use(connection: Connection) -> Labeller:
    """With the seller's own models where they are kept, else the shipped ones."""
    rows = connection.execute(
        "select model_kind, arg_max(content, learnt_at) from load.text_model"
        " where is_kept group by model_kind"
    ).fetchall()
    models = {kind: linear.load(bytes(content)) for kind, content in rows}
    return Labeller(models.get(SENTIMENT), models.get(REASON))


def learn_when_due(connection: Connection, now: datetime) -> list[str]:
    """Learn anew what was not tried for a month; what was found, in words.

    Texts come from `text_seen` (`new_texts.gather_texts`), stars and codes from the facts of the
    last build: where there was none, nothing is learnt.
    """
    (built,) = connection.execute(
        "select count(*) from duckdb_tables() where schema_name = 'marts'"
        " and table_name in ('fct_feedback', 'fct_return_line')"
    ).fetchall()[0]
    if built < 2:
        return []
    return [note for kind in (SENTIMENT, REASON) for note in _learn(connection, kind, now)]


def _learn(connection: Connection, kind: str, now: datetime) -> Iterator[str]:
    (last,) = connection.execute(
        "select max(learnt_at) from load.text_model where model_kind = ?", [kind]
    ).fetchall()[0]
    if last is not None and naive_utc(now) - last < EVERY:
        return
    (rows,) = connection.execute(
        f"select count(*) from ({_STARS if kind == SENTIMENT else _CODES})"
    ).fetchall()[0]
    from assets.text.retraining import MIN_TEXTS, reason_lesson, sentiment_lesson

    if rows < MIN_TEXTS:
        return
    current = labeller_in_use(connection)
    if kind == SENTIMENT:
        lesson = sentiment_lesson(_starred(connection), current.sentiment)
    else:
        lesson = reason_lesson(_coded(connection))
    if lesson is not None:
        _keep(connection, kind, lesson, now)
        verdict = "better, kept" if lesson.is_better else "not better"
        yield f"{kind} learnt from own texts: {verdict}"


def _starred(connection: Connection) -> Iterator[Taught]:
    from assets.text.retraining import Taught, label_of_stars

    for text, stars, sku, at in connection.execute(_STARS).fetchall():
        yield Taught(text, label_of_stars(stars), sku or "", at)


def _coded(connection: Connection) -> Iterator[Taught]:
    from assets.text.retraining import Taught

    codes = {canonical: code for code, canonical in CANONICAL.items()}
    for text, reason, sku, day in connection.execute(_CODES).fetchall():
        code = codes.get(reason) or ("size_fit" if reason.startswith("fit.") else None)
        if code is None and reason.startswith("product_defect."):
            code = "quality_defect"
        if code is not None:
            yield Taught(text, code, sku or "", datetime.combine(day, datetime.min.time()))


def _keep(connection: Connection, kind: str, lesson: Lesson, now: datetime) -> None:
    version = lesson.model.version
    with transaction(connection):
        connection.execute(
            "insert into load.text_model values (?, ?, ?, ?, ?)",
            [kind, naive_utc(now), version, lesson.is_better, linear.saved(lesson.model)],
        )
        connection.execute("delete from load.label_quality where sample = ?", [_SAMPLES[kind]])
        insert_rows(connection, "load.label_quality", _score_rows(kind, lesson, now))


def _score_rows(kind: str, lesson: Lesson, now: datetime) -> Iterator[dict[str, Any]]:
    is_better = lesson.is_better
    versions = (
        ("before", lesson.old, not is_better),
        (lesson.model.version, lesson.new, is_better),
    )
    for version, judged, is_in_use in versions:
        for score in judged:
            yield {
                "label_kind": kind,
                "label": score.label,
                "language": "all",
                "label_version": version,
                "sample": _SAMPLES[kind],
                "texts": score.texts,
                "precision": score.precision,
                "recall": score.recall,
                "f1": score.f1,
                "is_in_use": is_in_use,
                "evaluated_at": now,
            }
