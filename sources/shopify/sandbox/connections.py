"""Paging: from a list of objects to a page of it, by cursor, forwards or backwards.

Belongs here: `nodes`, `edges`, `pageInfo`, cursors, and the pages that a reader must survive: an
empty one with more behind it, a repeated object, objects in another order. Does not belong here:
which objects a list holds.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sources._sandbox.api_faults import ApiFaults, share_of

from .answers import RefusedError

MOST_A_PAGE = 250
EMPTY_SHARE = 0.03
Node = dict[str, Any]


@dataclass(frozen=True)
class Whims:
    """What may go wrong with pages of a top-level connection; `bulk` reads have none."""

    faults: ApiFaults
    seed: int
    name: str

    def is_empty(self, place: int) -> bool:
        return share_of(self.seed, "empty page", self.name, place) < EMPTY_SHARE

    def arranged(self, nodes: list[Node]) -> list[Node]:
        """The page with some objects twice, or in another order."""
        arranged = []
        for node in nodes:
            twice = self.faults.strikes("duplicate_record", self.name, node.get("id"))
            arranged += [node, node] if twice else [node]
        if nodes and self.faults.strikes("out_of_order", self.name, nodes[0].get("id")):
            arranged.reverse()
        return arranged


def page(
    items: Sequence[Any],
    build: Callable[[Any], Node],
    *,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
    whims: Whims | None = None,
    is_whole: bool = False,
) -> Node:
    """One page; `build` makes an object of an item, only for those on the page."""
    if is_whole and first is None and last is None:
        first = len(items)
    elif first is None and last is None:
        raise RefusedError("BAD_REQUEST", "you must provide one of first or last")
    size = first if first is not None else last or 0
    if size < 0 or (size > MOST_A_PAGE and not is_whole):
        raise RefusedError("MAX_COST_EXCEEDED", f"{size} objects a page: at most {MOST_A_PAGE}")
    low, skips_whim = (0, False) if after is None else _place(after)
    high = len(items) if before is None else _place(before)[0] - 1
    start, end = (
        (low, min(low + size, high)) if first is not None else (max(low, high - size), high)
    )
    end = max(start, end)
    if whims and first and not skips_whim and end < high and whims.is_empty(start):
        return _page([], start > 0, more=True, last_cursor=_cursor(start, skips_whim=True))
    nodes = [build(item) for item in items[start:end]]
    cursors = [_cursor(place) for place in range(start + 1, end + 1)]
    found = _page(nodes, start > 0, more=end < len(items), cursors=cursors)
    if whims:
        found["nodes"] = whims.arranged(nodes)
    return found


def _page(
    nodes: list[Node],
    has_previous: bool,
    *,
    more: bool,
    cursors: Sequence[str] = (),
    last_cursor: str | None = None,
) -> Node:
    return {
        "nodes": nodes,
        "edges": [{"cursor": c, "node": n} for c, n in zip(cursors, nodes, strict=True)],
        "pageInfo": {
            "hasNextPage": more,
            "hasPreviousPage": has_previous,
            "startCursor": cursors[0] if cursors else last_cursor,
            "endCursor": cursors[-1] if cursors else last_cursor,
        },
    }


def _cursor(place: int, *, skips_whim: bool = False) -> str:
    return base64.b64encode(f"place:{place}{':e' * skips_whim}".encode()).decode()


def _place(cursor: str) -> tuple[int, bool]:
    try:
        word, place, *rest = base64.b64decode(cursor, validate=True).decode().split(":")
        if word != "place":
            raise ValueError
        return int(place), bool(rest)
    except (ValueError, binascii.Error):
        raise RefusedError(
            "BAD_REQUEST", f"Invalid cursor for current pagination sort: {cursor}"
        ) from None


def listed(items: Sequence[Any], build: Callable[[Any], Node] = dict) -> Callable[..., Node]:
    """A connection over a short list; bulk reads ask for no `first` and get all."""

    def resolve(
        info: Any,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        reverse: bool = False,
        **_others: Any,
    ) -> Node:
        rows = list(reversed(items)) if reverse else items
        return page(
            rows, build, first=first, after=after, last=last, before=before,
            is_whole=bool(info.context.get("is_bulk")),
        )  # fmt: skip

    return resolve


def plain(items: Sequence[Node]) -> Callable[..., list[Node]]:
    """A list field with an optional `first`."""
    return lambda _info, first=None, **_others: list(items if first is None else items[:first])
