"""How a buyer feels, from the words alone.

Belongs here: classes, the shipped model, and when a text is mixed or not to be judged. Does not
belong here: stars, which are better evidence where they exist (the models in dbt decide).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from assets.text import linear
from assets.text.linear import Floats, Linear, softmax
from assets.text.reasons import Rule

NEGATIVE, NEUTRAL, POSITIVE, MIXED, UNKNOWN = "negative", "neutral", "positive", "mixed", "und"
CLASSES = (NEGATIVE, NEUTRAL, POSITIVE)
MODEL_FILE = Path(__file__).parent / "sentiment.model"

# Corpora label far more sentences neutral than buyers write; a buyer who writes mostly judges.
_NEUTRAL_BIAS = -1.0
_COMPLAINT = 1.2  # what a complaint that a rule has found adds to the score of negative
_MAX_COMPLAINTS = 2
_BOTH = 0.47  # of each, for mixed
_SIGN = re.compile("[\u2600-\u27bf\U0001f300-\U0001faff]|[:;]-?[)(]|\\^_\\^|[★☆]")
_LETTER = re.compile(r"[^\W\d_]")
_WIDE = re.compile("[\u3040-\u30ff\u3400-\u9fff]")


@dataclass(frozen=True)
class Felt:
    """A sentiment, how sure it is, and the chance that the text is positive."""

    sentiment: str
    confidence: float
    positive: float


@cache
def shipped() -> Linear:
    return linear.load(MODEL_FILE.read_bytes())


@cache
def shipped_version() -> str:
    return hashlib.sha256(MODEL_FILE.read_bytes()).hexdigest()[:10]


def complaints(fired: Iterable[Rule]) -> int:
    """How many kinds of complaint rules have found that need no unhappy text."""
    return len({rule.reason for rule in fired if not rule.needs_negative})


def chances(model: Linear, scores: Floats, counts: Sequence[int]) -> Floats:
    """From the scores of a model, text x class; `counts` are the complaints of each text."""
    added = np.zeros(scores.shape, np.float32)
    added[:, CLASSES.index(NEUTRAL)] = _NEUTRAL_BIAS
    weight = model.about.get(linear.COMPLAINT, _COMPLAINT)
    added[:, CLASSES.index(NEGATIVE)] = weight * np.minimum(counts, _MAX_COMPLAINTS)
    return softmax(scores + added)


def judge(folded: str, chance: Floats) -> Felt:
    """From the chances of the classes to one word."""
    negative, _, positive = (float(x) for x in chance)
    if not _says_something(folded):
        if _LETTER.search(folded):
            return Felt(NEUTRAL, 0.0, 0.0)
        return Felt(UNKNOWN, 0.0, 0.0)
    if min(negative, positive) >= _BOTH:
        return Felt(MIXED, negative + positive, positive)
    best = int(chance.argmax())
    return Felt(CLASSES[best], float(chance[best]), positive)


def _says_something(folded: str) -> bool:
    """Three letters, two Chinese or Japanese signs, or an emoji."""
    start = folded[:400]
    if _SIGN.search(start):
        return True
    return len(_LETTER.findall(start)) + len(_WIDE.findall(start)) >= 3
