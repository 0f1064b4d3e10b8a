"""Going through a list of the Marketplace API by its cursors, and noticing what does not add up.

Belongs here: paging that orders and returns share. Does not belong here: what is asked for
(`orders.py`, `returns.py`).
A cursor is a complete query string. It is appended to the path as it came: never decoded, parsed
or put together anew, which makes Walmart begin at page 1 again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import msgspec

from sources._core.connector import Page, Reject
from sources._core.errors import StopStream
from sources._core.http import Call
from sources._core.pagination import MAX_PAGES

from .client import WalmartClient
from .refusals import NothingFoundError

_LAST_PAGE = "hasMoreElements=false"
_READINGS = 2


class Meta(msgspec.Struct, rename="camel"):
    total_count: int | None = None
    next_cursor: str | None = None


@dataclass(frozen=True)
class Listed:
    """One page: records stay undecoded here."""

    records: Sequence[msgspec.Raw] = ()
    total: int | None = None
    cursor: str | None = None


@dataclass(frozen=True)
class Listing:
    """A list to read: `decode` cuts an answer, `ref` names it in landing files."""

    operation: str
    path: str
    params: Mapping[str, str]
    ref: str
    decode: Callable[[bytes], Listed]

    def pages(self, client: WalmartClient) -> Iterator[Page]:
        """All pages. Where what came is not what Walmart counted, once more from the start."""
        for reading in range(1, _READINGS + 1):
            count = _Count()
            yield from self._read(client, count)
            if count.adds_up:
                return
            if reading == _READINGS:
                yield Page((), self.ref, rejects=(count.note(self.ref),))

    def _read(self, client: WalmartClient, count: _Count) -> Iterator[Page]:
        target = f"{self.path}?{urlencode(self.params)}"
        seen: set[str] = set()
        for number in range(1, MAX_PAGES + 1):
            listed = self._fetch(client, target, number)
            count.add(listed)
            yield Page(listed.records, f"{self.ref} page {number}")
            cursor = listed.cursor
            if not cursor or not listed.records or _LAST_PAGE in cursor:
                return
            if cursor in seen:
                if count.is_all_read:
                    return
                break
            seen.add(cursor)
            target = self.path + (cursor if cursor.startswith("?") else f"?{cursor}")
        raise StopStream(
            f"GET {self.path} ({self.ref}) gave the same cursor a second time after "
            f"{count.read} of {count.first_total} records: paging would never end. What was read "
            "before stays; the next night tries again. If it happens again, report it to Walmart."
        )

    def _fetch(self, client: WalmartClient, target: str, number: int) -> Listed:
        try:
            return client.ask(Call("GET", target, self.operation, page=number), self.decode)
        except NothingFoundError:
            return Listed()


@dataclass
class _Count:
    """Records read against the count of the first page; pages after it may count anew."""

    read: int = 0
    pages: int = 0
    first_total: int | None = None
    has_changed: bool = False

    def add(self, listed: Listed) -> None:
        self.pages += 1
        self.read += len(listed.records)
        if self.pages == 1:
            self.first_total = listed.total
        elif listed.total is not None and listed.records and listed.total != self.first_total:
            self.has_changed = True

    @property
    def is_all_read(self) -> bool:
        return self.first_total is not None and self.read >= self.first_total

    @property
    def adds_up(self) -> bool:
        return not self.has_changed and (self.first_total is None or self.is_all_read)

    def note(self, ref: str) -> Reject:
        advice = (
            f"Walmart counted {self.first_total} records and gave {self.read}, twice; the next "
            "nights read the days again. If it happens every night, report it to Walmart"
        )
        return Reject("count_does_not_add_up", 0, advice, ref)
