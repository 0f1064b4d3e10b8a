"""Pages of Walmart's lists: a cursor is a whole query string, and counts only as it was given.

Belongs here: making and reading cursors. One that was taken apart and put together again is not
known: page 1 comes back, again and again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from urllib.parse import quote

Query = dict[str, str]


@dataclass
class Cursors:
    """Remembers what each cursor goes on with."""

    _known: dict[tuple[str, str], tuple[Query, int, int]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def opened(self, account: str, raw: str, query: Query) -> tuple[Query, int, int]:
        """What a request asks for: its query, the place to begin at, how many there were."""
        with self._lock:
            return self._known.get((account, "?" + raw), (query, 0, 0))

    def next_order_page(
        self, account: str, seller: int, query: Query, place: int, total: int, limit: int
    ) -> str | None:
        """The cursor after a page of orders; its end is told in one of two ways."""
        more = place < total
        if not more and total % 2 == 0:
            return None
        head = f"?limit={limit}&hasMoreElements={str(more).lower()}&soIndex={total}&poIndex={place}"
        return self._kept(
            account, f"{head}&partnerId={seller}&sellerId={seller}", query, place, total
        )

    def next_return_page(
        self, account: str, seller: int, query: Query, place: int, total: int, limit: int
    ) -> str:
        """The cursor after a page of returns; blank after the last."""
        if place >= total:
            return ""
        head = f"?sellerId={seller}&limit={limit}&offset={place}"
        return self._kept(account, head, query, place, total)

    def _kept(self, account: str, head: str, query: Query, place: int, total: int) -> str:
        """Dates have their colons now as they are, now as `%3A`; a blank is a plus."""
        cursor = head + "".join(_parameters(query)) + "&source=seller+center"
        with self._lock:
            self._known[account, cursor] = (query, place, total)
        return cursor


def _parameters(query: Mapping[str, str]) -> list[str]:
    return [
        f"&{name}={quote(value, safe='' if number % 2 else ':')}"
        for number, (name, value) in enumerate(query.items())
        if name != "limit"
    ]
