"""Search texts of the Admin API: `updated_at:>='2026-11-20T00:00:00Z' AND return_status:...`.

Belongs here: the syntax (AND, OR, NOT, brackets, comparisons, quoted values). Does not belong here:
what the fields of a resource hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

Facts = Mapping[str, Any]
Test = Callable[[Facts], bool]

_TOKEN = re.compile(
    r"""\s*(?:(?P<bracket>[()])
    |(?P<field>-?[A-Za-z_][\w.]*):(?P<op>>=|<=|>|<|=)?(?:'(?P<single>[^']*)'|"(?P<double>[^"]*)"
        |(?P<plain>[^\s()]+))
    |(?P<word>[^\s()]+))""",
    re.VERBOSE,
)


def search_test(text: str | None) -> Test:
    """A test of an object's facts. A field that it does not have is ignored, as the API does."""
    tokens = [match.groupdict() for match in _TOKEN.finditer((text or "").strip())]
    if not tokens:
        return lambda _facts: True
    parser = _Parser(tokens)
    return parser.either()


class _Parser:
    def __init__(self, tokens: list[dict[str, str | None]]) -> None:
        self._tokens = tokens
        self._place = 0

    def _next(self) -> dict[str, str | None] | None:
        return self._tokens[self._place] if self._place < len(self._tokens) else None

    def _takes(self, word: str) -> bool:
        token = self._next()
        if token is not None and (token["word"] or token["bracket"]) == word:
            self._place += 1
            return True
        return False

    def either(self) -> Test:
        tests = [self._both()]
        while self._takes("OR"):
            tests.append(self._both())
        return lambda facts: any(test(facts) for test in tests)

    def _both(self) -> Test:
        tests = [self._one()]
        while (token := self._next()) is not None:
            if token["word"] == "OR" or token["bracket"] == ")":
                break
            self._takes("AND")
            tests.append(self._one())
        return lambda facts: all(test(facts) for test in tests)

    def _one(self) -> Test:
        if self._takes("NOT"):
            inner = self._one()
            return lambda facts: not inner(facts)
        if self._takes("("):
            inner = self.either()
            self._takes(")")
            return inner
        token = self._next()
        self._place += 1
        return _compared(token) if token and token["field"] else _contains(token)


def _contains(token: dict[str, str | None] | None) -> Test:
    word = ((token or {}).get("word") or "").lower()
    return lambda facts: word in str(facts.get("default", "")).lower()


def _compared(token: dict[str, str | None]) -> Test:
    field, is_not = (token["field"] or ""), False
    if field.startswith("-"):
        field, is_not = field[1:], True
    value = next(v for v in (token["single"], token["double"], token["plain"], "") if v is not None)
    operator = token["op"] or "="

    def test(facts: Facts) -> bool:
        if field not in facts:
            return True
        return _holds(facts[field], operator, value) is not is_not

    return test


def _holds(mine: Any, operator: str, value: str) -> bool:
    if isinstance(mine, datetime):
        wanted = _time(value)
        low = mine.replace(tzinfo=UTC)
        return {
            "=": low == wanted,
            ">": low > wanted,
            ">=": low >= wanted,
            "<": low < wanted,
            "<=": low <= wanted,
        }[operator]
    if operator != "=" and isinstance(mine, (int, str)) and str(mine).isdigit() and value.isdigit():
        number, other = int(mine), int(value)
        return {
            ">": number > other,
            ">=": number >= other,
            "<": number < other,
            "<=": number <= other,
        }[operator]
    mine_words = mine if isinstance(mine, (list, tuple, set)) else [mine]
    wanted_words = {word.strip().lower() for word in value.split(",")}
    if "any" in wanted_words or "*" in wanted_words:
        return True
    return any(str(word).lower() in wanted_words for word in mine_words)


def _time(value: str) -> datetime:
    moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
