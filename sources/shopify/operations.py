"""The texts of the operations, each with the fragments that it uses.

Belongs here: cutting `operations.graphql`. Does not belong here: sending (`client.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

_FILE = Path(__file__).with_name("operations.graphql")
_START = re.compile(r"^(?:query|mutation|fragment) (\w+)", re.MULTILINE)
_SPREAD = re.compile(r"\.\.\.(\w+)")
_KEYWORDS = {"on"}
_COMMENT = re.compile(r"^ *#.*\n?", re.MULTILINE)


def _definitions(text: str) -> Mapping[str, str]:
    text = _COMMENT.sub("", text)
    starts = [*_START.finditer(text)]
    ends = [match.start() for match in starts[1:]] + [len(text)]
    return {m.group(1): text[m.start() : e].strip() for m, e in zip(starts, ends, strict=True)}


_DEFINITIONS = _definitions(_FILE.read_text("utf-8"))
_FRAGMENTS = {name for name, text in _DEFINITIONS.items() if text.startswith("fragment")}
OPERATIONS = tuple(name for name in _DEFINITIONS if name not in _FRAGMENTS)


def _used(text: str, seen: set[str]) -> Iterator[str]:
    for name in _SPREAD.findall(text):
        if name not in seen and name not in _KEYWORDS:
            seen.add(name)
            yield _DEFINITIONS[name]
            yield from _used(_DEFINITIONS[name], seen)


def text_of(operation: str) -> str:
    """An operation and the fragments it needs."""
    text = _DEFINITIONS[operation]
    return "\n".join([text, *_used(text, set())])


def bulk_query(search: str) -> str:
    """What a bulk operation is given; `search` holds no double quote."""
    return text_of("BulkOrders").replace("SEARCH", search)
