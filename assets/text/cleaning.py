"""Texts made comparable, in time linear in their length, without raising on any input.

Belongs here: what is taken away (markup, quoted replies, control characters) and how spelling is
folded. Does not belong here: masking of personal data (`sources/_core/privacy.py`, before storage).
"""

from __future__ import annotations

import html
import re
import unicodedata
from functools import cache

import opencc

MAX_READ = 20_000  # characters that are looked at before cleaning
MAX_KEPT = 2_000  # and after it: a complaint is said by then, and cost stays bounded

_TAG = re.compile(r"</?[a-zA-Z!][^<>]{0,300}>")
_QUOTED_LINE = re.compile(r"(?m)^[ \t]*>.*$")
_REPLY_STARTS = re.compile(
    r"(?im)^[ \t]*(?:-{2,}[ \t]*(?:original message|urspr\w+ nachricht|mensaje original"
    r"|message d'origine|messaggio originale|mensagem original|原始邮件|元のメッセージ)"
    r"|(?:on|am|le|el|il|em)[ \t][^\n]{4,90}"
    r"(?:wrote|schrieb|a écrit|escribió|ha scritto|escreveu)[ \t]*:)"
)
# Control, formatting (right-to-left marks, zero width), surrogates and the replacement character;
# the zero-width joiner only holds emoji together.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe0e\ufe0f"
    "\ufeff\ufff9-\ufffd\ud800-\udfff]"
)
_SPACE = re.compile(r"\s+")
_LONG_RUN = re.compile(r"(\D)\1{2,}")
_HAN = re.compile("[\u3400-\u9fff]")
_SPECIAL = {"ß": "ss", "œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ı": "i",
            "’": "'", "‘": "'", "´": "'", "`": "'", "“": '"', "”": '"', "…": "."}  # fmt: skip


def clean(text: str | None) -> str:
    """The words of the buyer as one line: no markup, no quoted reply, no invisible characters."""
    if not text:
        return ""
    text = text[:MAX_READ]
    if "&" in text:
        text = html.unescape(html.unescape(text))
    if "<" in text:
        text = _TAG.sub(" ", text)
    text = unicodedata.normalize("NFKC", _UNSEEN.sub(" ", text))
    if "\n" in text:
        text = _own_words(text)
    return _SPACE.sub(" ", text).strip()[:MAX_KEPT]


def _own_words(text: str) -> str:
    """Without what an earlier message said; all of it where nothing else is there."""
    start = _REPLY_STARTS.search(text)
    own = _QUOTED_LINE.sub("", text[: start.start()] if start else text)
    return own if own.strip() else text


def fold(cleaned: str) -> str:
    """Lower case, no Latin accents, no elongations, simplified Chinese: for rules and features."""
    text = cleaned.casefold()
    if not text.isascii():
        text = text.translate(_folding())
        if _HAN.search(text):
            text = _simplifier().convert(text)
    return _LONG_RUN.sub(r"\1", text)


@cache
def _folding() -> dict[int, str]:
    """Latin letters with accents to those without."""
    table = {ord(letter): plain for letter, plain in _SPECIAL.items()}
    for code in [*range(0xC0, 0x250), *range(0x1E00, 0x1F00)]:
        base = unicodedata.normalize("NFD", chr(code))
        if len(base) > 1:
            table.setdefault(code, base[0])
    return table


@cache
def _simplifier() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")
