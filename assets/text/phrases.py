"""Phrases of a text that may stand for it: neighbouring words without stop words at the ends.

Belongs here: which phrases a text has. Does not belong here: which of them mark a product (the
model `mart_key_phrase` counts distinct texts and compares with the category).
Chinese is cut into words by jieba, Japanese by janome; both are imported where such a text comes.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from assets.text.cleaning import clean, fold

MAX_PHRASES = 40  # of one text: a long complaint says no more than this
_READ = 600  # characters
_LONGEST = 3  # words
_MASK = re.compile(r"\[(?:email|phone|number)\]|<[^>]+>|https?\S+|\S*@\S*|\S*\d\S*")
_STOP = re.compile(r"[.!?;,:()。、!?\n\"“”「」…~]+")
_WORD = re.compile(r"[^\W\d_]+")
_WIDE_WORD = re.compile("[\u3040-\u30ff\u3400-\u9fff]{1,}")
_SHORT_WIDE = frozenset(
    "的了是我在有和就都也很不还这那一个上下来去说要会没与及或被把给对于从到着过吗呢吧啊呀"
)
_KINDS_JA = ("名詞", "動詞", "形容詞")


def phrases_of(text: str, language: str) -> list[str]:
    """Distinct phrases, in order of the text, at most `MAX_PHRASES`."""
    cleaned = clean(text)[:_READ]
    spelled = cleaned.casefold() if language == "ja" else fold(cleaned)
    found: dict[str, None] = {}
    for part in _STOP.split(_MASK.sub(".", spelled)):
        for phrase in _of_part(part, language):
            found[phrase] = None
            if len(found) == MAX_PHRASES:
                return list(found)
    return list(found)


def _of_part(part: str, language: str) -> Iterator[str]:
    if language in ("ja", "zh"):
        yield from _joined(_wide_words(part, language), _SHORT_WIDE, "", 1)
    else:
        yield from _joined(_WORD.findall(part), _stop_words(language), " ", 2)


def _joined(words: Sequence[str], stops: frozenset[str], gap: str, least: int) -> Iterator[str]:
    for start in range(len(words)):
        for size in range(least, _LONGEST + 1):
            chosen = words[start : start + size]
            if len(chosen) < size or chosen[0] in stops or chosen[-1] in stops:
                continue
            phrase = gap.join(chosen)
            if len(phrase) >= 2:
                yield phrase


def _wide_words(part: str, language: str) -> list[str]:
    if language == "zh":
        return [word for word in _chinese().lcut(part) if _WIDE_WORD.fullmatch(word)]
    return [
        token.surface
        for token in _japanese().tokenize(part)
        if token.part_of_speech.startswith(_KINDS_JA) and _WIDE_WORD.fullmatch(token.surface)
    ]


@cache
def _stop_words(language: str) -> frozenset[str]:
    path = Path(__file__).parent / "stop_words.yml"
    return frozenset(yaml.safe_load(path.read_text("utf-8")).get(language, "").split())


@cache
def _chinese() -> Any:
    import jieba

    jieba.setLogLevel(logging.WARNING)
    return jieba


@cache
def _japanese() -> Any:
    from janome.tokenizer import Tokenizer

    return Tokenizer()
