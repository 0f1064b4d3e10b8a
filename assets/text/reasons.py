"""Why a buyer is unhappy: text codes by rules of each language (`rules/*.yml`).

Belongs here: the rules of a language, applied sentence by sentence. Does not belong here: the
notation of their patterns (`notation.py`), and which rules count in a happy text (`labels.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from assets.text.notation import Lexicon

RULES = Path(__file__).parent / "rules"
TEXT_REASONS = (
    "changed_mind", "counterfeit_or_used", "damaged_in_transit", "incompatible",
    "late_or_not_received", "missing_parts", "not_as_described", "price_value", "quality_defect",
    "safety", "service_or_refund", "size_fit", "wrong_item",
)  # fmt: skip
UNSPACED = ("ja", "zh")
SAFETY, LATE = "safety", "late_or_not_received"

_WORD_OR_STOP = re.compile(r"\d+[.,]\d+|\w+|[.,!?;。]")
_STOPS = frozenset(".!?;。")
_COMMA = [",", ","]  # as far as two words: a negation before it seldom reaches beyond
_ENGLISH_SHORT = re.compile(r"(?<=\w)'(?=\w)")
# What ends a sentence where words are not spaced; Chinese commas often part sentences.
_BREAKS = {"ja": r"[!?;。\s~♪…・]+|\.(?!\d)", "zh": r"[!?;,:。、\s~…]+|\.(?!\d)"}


@dataclass(frozen=True)
class Rule:
    """One row of a rules file."""

    rule_id: str
    reason: str
    sure: float
    needs_negative: bool
    reason_l2: str | None
    yields_to: frozenset[str] = frozenset()  # codes that explain the same words better
    yields_in_text: frozenset[str] = frozenset()  # codes that leave no room for it in a text


@dataclass(frozen=True)
class RuleBook:
    """The rules of one language. Pattern `2 n` speaks for rule n, `2 n + 1` against it."""

    language: str
    rules: tuple[Rule, ...]
    lexicon: Lexicon
    contrast: frozenset[str]

    def fired(self, folded: str) -> list[Rule]:
        """Rules that fire somewhere in the text, each once."""
        found: set[int] = set()
        for sentence in self._sentences(folded):
            found |= self._fired_in(sentence)
        codes = {self.rules[at].reason for at in found}
        kept = (self.rules[at] for at in sorted(found))
        return [rule for rule in kept if not rule.yields_in_text & codes]

    def _fired_in(self, sentence: Sequence[str] | str) -> set[int]:
        owners = self.lexicon.owners(sentence)
        fired = {own >> 1 for own in owners if not own & 1 and own | 1 not in owners}
        codes = {self.rules[at].reason for at in fired}
        return {at for at in fired if not self.rules[at].yields_to & codes}

    def _sentences(self, folded: str) -> Iterator[Sequence[str] | str]:
        if self.language in UNSPACED:
            stop = "|".join((_BREAKS[self.language], *sorted(self.contrast)))
            yield from re.split(stop, folded)
            return
        text = _ENGLISH_SHORT.sub("", folded) if self.language == "en" else folded
        sentence: list[str] = []
        for word in _WORD_OR_STOP.findall(text):
            if word in _STOPS or word in self.contrast:
                yield sentence
                sentence = []
            else:
                sentence += _COMMA if word == "," else [word]
        yield sentence


@cache
def rule_book(language: str) -> RuleBook | None:
    """None for a language without rules."""
    path = RULES / f"{language}.yml"
    if not path.exists():
        return None
    content = yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
    lexicon = Lexicon(language not in UNSPACED, content["words"])
    rules: list[Rule] = []
    for reason, entries in content["reasons"].items():
        for entry in entries:
            for line in entry["any"]:
                lexicon.add(line, 2 * len(rules))
            for line in entry.get("unless", ()):
                lexicon.add(line, 2 * len(rules) + 1)
            rules.append(_rule(language, reason, entry))
    contrast = frozenset(content.get("contrast", "").split("|"))
    return RuleBook(language, tuple(rules), lexicon, contrast)


def _rule(language: str, reason: str, entry: dict[str, Any]) -> Rule:
    return Rule(
        rule_id=f"{language}.{reason}.{entry['id']}",
        reason=reason,
        sure=entry["sure"],
        needs_negative=entry.get("mood") == "negative",
        reason_l2=entry.get("l2"),
        yields_to=frozenset(entry.get("yields_to", ())),
        yields_in_text=frozenset(entry.get("yields_in_text", ())),
    )


@cache
def rules_version() -> str:
    """Short hash of all rules."""
    digest = sha256()
    for path in sorted(RULES.glob("*.yml")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:10]


def problems() -> list[str]:
    """What is wrong in the rules files; empty where nothing is."""
    found = []
    for path in sorted(RULES.glob("*.yml")):
        book = rule_book(path.stem)
        if book is None:
            continue
        names = [rule.rule_id for rule in book.rules]
        found += [f"{name} is there twice" for name in sorted(set(names)) if names.count(name) > 1]
        found += [f"{r.rule_id}: no such code" for r in book.rules if r.reason not in TEXT_REASONS]
    return found
