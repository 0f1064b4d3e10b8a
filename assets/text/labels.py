"""All labels of a batch of texts: the one place where language, sentiment and reasons meet.

Belongs here: their order, and which rules count in a happy text. Does not belong here: files
(`label_files.py`) and the warehouse (`nightly.py`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from assets.text import features, reasons, sentiment
from assets.text.cleaning import clean, fold
from assets.text.language import LANGUAGES, Detected, detect
from assets.text.linear import Linear
from assets.text.reasons import Rule, rule_book

BATCH = 2_000
RETURN_COMMENT = "return_comment"
LABEL_SOURCES = ("text_rule", "text_model")

_HAPPY = 0.6  # from this chance of positive on, rules that need a complaint do not count
_VERY_HAPPY = 0.93  # and here only rules about harm or a missing delivery do
_SURE = 0.9


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
    source: str = LABEL_SOURCES[0]


@dataclass(frozen=True)
class Label:
    """What a text says."""

    language: Detected
    sentiment: str
    confidence: float
    reasons: tuple[Reason, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(sorted(reason.code for reason in self.reasons))

    @property
    def top(self) -> Reason | None:
        """The surest; of equals the first by name."""
        return max(self.reasons, key=lambda r: (r.confidence, r.code), default=None)


@dataclass(frozen=True)
class Labeller:
    """The models in use. Sentiment is the shipped one unless the seller's own is better."""

    sentiment: Linear | None = None
    languages: Sequence[str] = LANGUAGES

    @property
    def feelings(self) -> Linear:
        return self.sentiment or sentiment.shipped()

    @property
    def version(self) -> str:
        """Changes where any label could."""
        parts = (reasons.rules_version(), self.feelings.version, tuple(self.languages), _RULES)
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
        complaints = [
            len({rule.reason for rule in rules if not rule.needs_negative}) for rules in fired
        ]
        chances = sentiment.chances(folded, self.feelings, complaints)
        for at, text in enumerate(batch):
            felt = sentiment.judge(folded[at], chances[at])
            yield Label(
                languages[at],
                felt.sentiment,
                round(felt.confidence, 3),
                tuple(_reasons(fired[at], felt.positive, text.source == RETURN_COMMENT)),
            )

    def _language(self, text: Text, cleaned: str, folded: str) -> Detected:
        if text.language in self.languages:
            return Detected(str(text.language), 1.0)
        found = detect(cleaned, folded, text.hint, self.languages)
        return Detected(found.language, round(found.confidence, 3))


_RULES = (_HAPPY, _VERY_HAPPY, features.VERSION)


def _fired(language: str, folded: str) -> list[Rule]:
    book = rule_book(language)
    return book.fired(folded) if book else []


def _reasons(fired: Sequence[Rule], positive: float, is_return: bool) -> Iterator[Reason]:
    """Rules that count, one reason a code: the surest rule, a little surer with each further."""
    by_code: dict[str, list[Rule]] = {}
    for rule in fired:
        if _counts(rule, positive, is_return):
            by_code.setdefault(rule.reason, []).append(rule)
    for code, rules in sorted(by_code.items()):
        best = max(rules, key=lambda rule: (rule.reason_l2 is not None, rule.sure))
        doubt = 1.0
        for rule in rules:
            doubt *= 1 - rule.sure
        calm = 1.0 if is_return or code == reasons.SAFETY else 1 - positive / 2
        yield Reason(code, round((1 - doubt) * calm, 3), best.reason_l2, best.rule_id)


def _counts(rule: Rule, positive: float, is_return: bool) -> bool:
    """A happy text tells no reason, unless it is the comment of a return or about harm."""
    if is_return or rule.reason == reasons.SAFETY:
        return True
    if rule.needs_negative and positive >= _HAPPY:
        return False
    return positive < _VERY_HAPPY


def as_row(label: Label) -> Mapping[str, object]:
    """As `aftersales label-text` writes it."""
    return {
        "lang": label.language.language,
        "sentiment": label.sentiment,
        "confidence": label.confidence,
        "reasons": ";".join(label.codes),
    }
