"""Learning from a seller's own texts: stars teach sentiment, coded returns teach reasons.

Belongs here: what is learnt from which rows, the split by time and SKU, and the rule that a new
model is kept only where it is better on the part it has not seen. Does not belong here: when that
happens and where a model is kept (`own_models.py`).
The seller's model begins with the shipped one, so a few hundred reviews are enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import md5

import numpy as np

from assets.text import linear, sentiment
from assets.text.cleaning import clean, fold
from assets.text.features import Features, extract
from assets.text.labels import Labeller, Text
from assets.text.linear import Linear

MIN_TEXTS = 300  # fewer teach chance
HELD_SHARE = 0.2  # of the time, and of the SKUs
_KEPT = 0.5  # of what the shipped model says: what a shop's own buyers say weighs more
_STAR_PENALTY, _FULL_AT = 5e-5, 1000  # of the mean loss, so it falls as texts become many
_CODE_PENALTY = 1e-4
_GAIN = 0.002  # below, better is chance


@dataclass(frozen=True)
class Taught:
    """A text with what its buyer said by other means: stars, or the code of a return."""

    text: str
    label: str
    sku: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Score:
    """How one class fared on texts that taught nothing."""

    label: str
    texts: int
    precision: float | None
    recall: float | None

    @property
    def f1(self) -> float | None:
        if not self.precision or not self.recall:
            return 0.0 if self.precision == 0 or self.recall == 0 else None
        return 2 * self.precision * self.recall / (self.precision + self.recall)


@dataclass(frozen=True)
class Lesson:
    """A new model, and the scores of old and new on the held-out texts."""

    model: Linear
    old: tuple[Score, ...]
    new: tuple[Score, ...]

    @property
    def is_better(self) -> bool:
        return _mean_f1(self.new) > _mean_f1(self.old) + _GAIN


def label_of_stars(stars: float, most: float = 5.0) -> str:
    """One and two of five are negative, three is neutral, four and five are positive."""
    share = stars / most
    if share <= 0.5:
        return sentiment.NEGATIVE
    return sentiment.NEUTRAL if share < 0.75 else sentiment.POSITIVE


def learn_from_stars(
    texts: Sequence[str], labels: Sequence[str], start: Linear | None = None
) -> Linear:
    """The shipped model, corrected by these texts. Labels are words of `sentiment.CLASSES`.

    Only clear texts teach: three stars stand over praise and blame alike. Complaints found by
    rules add nothing to such a model, it has seen for itself what they are worth in this shop.
    """
    begun = start or sentiment.shipped()
    poles = (sentiment.NEGATIVE, sentiment.POSITIVE)
    clear = [(text, label) for text, label in zip(texts, labels, strict=True) if label in poles]
    change = linear.learn(
        extract([fold(clean(text)) for text, _ in clear]),
        np.array([poles.index(label) for _, label in clear], np.int64),
        poles,
        start=_only(begun, poles),
        penalty=_STAR_PENALTY * min(1.0, _FULL_AT / max(1, len(clear))),
        by_rarity=True,
    )
    weights, intercepts = _KEPT * begun.weights, _KEPT * begun.intercepts
    for at, pole in enumerate(poles):
        column = sentiment.CLASSES.index(pole)
        weights[:, column] = change.weights[:, at]
        intercepts[column] = change.intercepts[at]
    about = {**begun.about, linear.COMPLAINT: 0.0}
    return linear.stored_form(replace(begun, weights=weights, intercepts=intercepts, about=about))


def _only(model: Linear, classes: tuple[str, ...]) -> Linear:
    """What is kept of a model, for some of its classes."""
    columns = [model.classes.index(name) for name in classes]
    return Linear(classes, _KEPT * model.weights[:, columns], _KEPT * model.intercepts[columns])


def sentiment_lesson(taught: Iterable[Taught], start: Linear | None = None) -> Lesson | None:
    """None where there is too little to learn from, or to judge by."""
    learning, held = split(taught)
    if len(learning) < MIN_TEXTS or not _has_both(held):
        return None
    begun = start or sentiment.shipped()
    model = learn_from_stars(
        [t.text for t in learning], [t.label for t in learning], sentiment.shipped()
    )
    return Lesson(model, sentiment_scores(begun, held), sentiment_scores(model, held))


def _has_both(held: Sequence[Taught]) -> bool:
    counts = [
        sum(t.label == name for t in held) for name in (sentiment.NEGATIVE, sentiment.POSITIVE)
    ]
    return min(counts) >= 10


def sentiment_scores(model: Linear, held: Sequence[Taught]) -> tuple[Score, ...]:
    labels = Labeller(model).label(Text(t.text) for t in held)
    found = [label.sentiment for label in labels]
    return scores([t.label for t in held], found, sentiment.CLASSES)


def reason_lesson(taught: Iterable[Taught]) -> Lesson | None:
    """A model of text codes from coded returns; the old scores are those of the rules alone."""
    learning, held = split(taught)
    names = sorted({t.label for t in learning})
    if len(learning) < MIN_TEXTS or len(names) < 2 or len(held) < 50:
        return None
    model = linear.learn(
        _features(learning),
        np.array([names.index(t.label) for t in learning]),
        names,
        penalty=_CODE_PENALTY,
    )
    return Lesson(
        model,
        _reason_scores(Labeller(), held, names),
        _reason_scores(Labeller(own=model), held, names),
    )


def _features(taught: Sequence[Taught]) -> Features:
    return extract([fold(clean(t.text)) for t in taught])


def _reason_scores(
    labeller: Labeller, held: Sequence[Taught], names: Sequence[str]
) -> tuple[Score, ...]:
    """A coded return has one code: the surest reason is held against it."""
    found = [
        max(label.reasons_of_return, key=lambda r: (r.confidence, r.code)).code
        if label.reasons_of_return
        else "none"
        for label in labeller.label(Text(t.text) for t in held)
    ]
    return scores([t.label for t in held], found, names)


def split(taught: Iterable[Taught]) -> tuple[list[Taught], list[Taught]]:
    """To learn from, and held out: the latest texts, those of some SKUs, and no text in both."""
    distinct = {t.text: t for t in taught if t.text.strip()}
    rows = sorted(
        distinct.values(),
        key=lambda t: (t.at is not None, t.at, t.text) if t.at else (False, t.text),
    )
    times = sorted(t.at for t in rows if t.at is not None)
    border = times[int(len(times) * (1 - HELD_SHARE))] if times else None
    learning: list[Taught] = []
    held: list[Taught] = []
    for row in rows:
        is_late = border is not None and row.at is not None and row.at >= border
        by = row.sku if row.sku else ("" if border else row.text)
        is_held = is_late or (by != "" and _share(by) < HELD_SHARE)
        (held if is_held else learning).append(row)
    return learning, held


def _share(word: str) -> float:
    return int.from_bytes(md5(word.encode(), usedforsecurity=False).digest()[:4]) / 2**32


def scores(wanted: Sequence[str], found: Sequence[str], names: Sequence[str]) -> tuple[Score, ...]:
    """Precision and recall of each class."""
    made = []
    pairs = list(zip(wanted, found, strict=True))
    for name in names:
        right = sum(w == f == name for w, f in pairs)
        said = sum(f == name for _, f in pairs)
        true = sum(w == name for w, _ in pairs)
        made.append(Score(name, true, _ratio(right, said), _ratio(right, true)))
    return tuple(made)


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _mean_f1(judged: Sequence[Score]) -> float:
    """Over classes that occur; neutral is left out, three stars say too little."""
    values = [s.f1 or 0.0 for s in judged if s.texts and s.label != sentiment.NEUTRAL]
    return sum(values) / len(values) if values else 0.0
