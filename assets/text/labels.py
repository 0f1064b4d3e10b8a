"""All labels of a batch of texts: the one place where language, sentiment and reasons meet.

Belongs here: their order, and which rules count in a happy text. Does not belong here: files
(`label_files.py`) and the warehouse (`nightly.py`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from assets.text import features, reasons, sentiment
from assets.text.cleaning import clean, fold
from assets.text.features import Features
from assets.text.language import LANGUAGES, Detected, detect
from assets.text.linear import Linear
from assets.text.reasons import Rule, rule_book

BATCH = 2_000
RETURN_COMMENT = "return_comment"
POSITIVE = sentiment.CLASSES.index(sentiment.POSITIVE)
# From this chance of positive on a rule does not count: one that needs a complaint; another; one
# about a missing delivery, which few name in praise. Rules of languages without spaces find words
# in words, so they all need a complaint. Elsewhere in a short text it may be a little more happy.
_HAPPY, _HAPPIER, _HAPPY_BUT_LATE, _SHORT = 0.4, 0.5, 0.7, 0.2
# Less sure than this is no reason, but in comments of returns and for harm: words of a complaint
# stand in any long text. From a short one to a long one, in letters; a Chinese sign counts more.
_SURE_ENOUGH, _LENGTHS, _LETTERS_A_SIGN = (0.52, 0.66), (60, 160), 2.5
_LEARNT = 0.6  # from this chance on, what coded returns teach counts


@dataclass(frozen=True)
class Text:
    """A text to label, with what is known of it."""

    text: str | None
    language: str | None = None  # told by the source: taken where it is one of ours
    source: str = ""
    hint: str | None = None  # language of the marketplace


@dataclass(frozen=True)
class Reason:
    """One reason of a text."""

    code: str
    confidence: float
    reason_l2: str | None  # where the rule says more than its code
    evidence: str  # id of the rule, or `model`
    source: str = "text_rule"


@dataclass(frozen=True)
class Label:
    """What a text says."""

    language: Detected
    sentiment: str
    confidence: float
    reasons: tuple[Reason, ...]
    reasons_of_return: tuple[Reason, ...]  # where the text is the comment of a return

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(sorted(reason.code for reason in self.reasons))


@dataclass(frozen=True)
class Labeller:
    """The models in use. Sentiment is the shipped one unless the seller's own is better."""

    sentiment: Linear | None = None
    own: Linear | None = None  # reasons, learnt from the seller's coded returns
    languages: Sequence[str] = LANGUAGES

    @property
    def feelings(self) -> Linear:
        return self.sentiment or sentiment.shipped()

    @property
    def version(self) -> str:
        """Changes where any label could; found without reading the shipped model's weights."""
        model = self.sentiment.version if self.sentiment else sentiment.shipped_version()
        own = self.own.version if self.own else ""
        parts = (reasons.rules_version(), model, own, tuple(self.languages), _RULES)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]

    def label(self, texts: Iterable[Text]) -> Iterator[Label]:
        """One label a text, in order; work is done in batches."""
        remaining = iter(texts)
        while batch := list(islice(remaining, BATCH)):
            yield from self._label_batch(batch)

    def _label_batch(self, batch: Sequence[Text]) -> Iterator[Label]:
        cleaned = [clean(text.text) for text in batch]
        folded = [fold(text) for text in cleaned]
        languages = [self._language(*parts) for parts in zip(batch, cleaned, folded, strict=True)]
        fired = [
            _fired(found.language, text) for found, text in zip(languages, folded, strict=True)
        ]
        found = features.extract(folded)
        scores = self.feelings.scores(found)
        happy = sentiment.chances(self.feelings, scores, [0] * len(batch))[:, POSITIVE]
        long = [_length(text, told.language) for text, told in zip(folded, languages, strict=True)]
        glad = [
            float(chance) - (0 if told.language in reasons.UNSPACED else _SHORT * (1 - size))
            for chance, told, size in zip(happy, languages, long, strict=True)
        ]
        counts = [
            sentiment.complaints(rule for rule in rules if _counts(rule, at))
            for rules, at in zip(fired, glad, strict=True)
        ]
        chances = sentiment.chances(self.feelings, scores, counts)
        learnt = self._learnt(found)
        for at, text in enumerate(batch):
            felt = sentiment.judge(folded[at], chances[at])
            of_return = _with(learnt.get(at), tuple(_reasons(fired[at])))
            counted = [rule for rule in fired[at] if _counts(rule, glad[at])]
            enough = _SURE_ENOUGH[0] + (_SURE_ENOUGH[1] - _SURE_ENOUGH[0]) * long[at]
            anywhere = (r for r in _reasons(counted, float(happy[at])) if _holds(r, enough))
            is_return = text.source == RETURN_COMMENT
            yield Label(
                languages[at],
                felt.sentiment,
                round(felt.confidence, 3),
                of_return if is_return else tuple(anywhere),
                of_return,
            )

    def _learnt(self, found: Features) -> dict[int, Reason]:
        """What the model of coded returns is sure of, by place in the batch."""
        if self.own is None:
            return {}
        chances = self.own.probabilities(found)
        best = chances.argmax(axis=1)
        sure = chances[np.arange(len(best)), best]
        return {
            int(at): Reason(
                self.own.classes[best[at]],
                round(float(sure[at]), 3),
                None,
                "model",
                "text_model",
            )
            for at in np.flatnonzero(sure >= _LEARNT)
        }

    def _language(self, text: Text, cleaned: str, folded: str) -> Detected:
        if text.language in self.languages:
            return Detected(str(text.language), 1.0)
        found = detect(cleaned, folded, text.hint, self.languages)
        return Detected(found.language, round(found.confidence, 3))


_CODE_VERSION = 3  # of what no constant tells
_RULES = (
    _HAPPY,
    _HAPPIER,
    _HAPPY_BUT_LATE,
    _SHORT,
    _SURE_ENOUGH,
    _LENGTHS,
    features.VERSION,
    _CODE_VERSION,
)


def _fired(language: str, folded: str) -> list[Rule]:
    book = rule_book(language)
    return book.fired(folded) if book else []


def _reasons(fired: Sequence[Rule], positive: float = 0.0) -> Iterator[Reason]:
    """One reason a code: the surest rule, a little surer with each further, less in a happy text.

    How happy the text is does not count in the comment of a return, and not for harm.
    """
    by_code: dict[str, list[Rule]] = {}
    for rule in fired:
        by_code.setdefault(rule.reason, []).append(rule)
    for code, rules in sorted(by_code.items()):
        best = max(rules, key=lambda rule: (rule.reason_l2 is not None, rule.sure))
        doubt = 1.0
        for rule in rules:
            doubt *= 1 - rule.sure
        calm = 1.0 if code == reasons.SAFETY else 1 - positive / 2
        yield Reason(code, round((1 - doubt) * calm, 3), best.reason_l2, best.rule_id)


def _length(folded: str, language: str) -> float:
    """0 of a short text, 1 of a long one."""
    letters = len(folded) * (_LETTERS_A_SIGN if language in reasons.UNSPACED else 1)
    short, long = _LENGTHS
    return min(max((letters - short) / (long - short), 0.0), 1.0)


def _holds(reason: Reason, enough: float) -> bool:
    return reason.code == reasons.SAFETY or reason.confidence >= enough


def _with(learnt: Reason | None, found: tuple[Reason, ...]) -> tuple[Reason, ...]:
    """A learnt reason counts in comments of returns, which it was learnt from, and beside none."""
    return (learnt,) if learnt is not None and not found else found


def _counts(rule: Rule, positive: float) -> bool:
    """A happy text tells no reason, unless it is about harm (or the comment of a return)."""
    if rule.reason == reasons.SAFETY:
        return True
    if rule.reason == reasons.LATE:
        return positive < _HAPPY_BUT_LATE
    needs_complaint = rule.needs_negative or rule.rule_id[:2] in reasons.UNSPACED
    return positive < (_HAPPY if needs_complaint else _HAPPIER)


def as_row(label: Label) -> Mapping[str, object]:
    """As `aftersales label-text` writes it."""
    return {
        "lang": label.language.language,
        "sentiment": label.sentiment,
        "confidence": label.confidence,
        "reasons": ";".join(label.codes),
    }
