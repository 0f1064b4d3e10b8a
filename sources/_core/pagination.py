"""Walking through pages without going round in circles.

Belongs here: the guard and the loop. Does not belong here: where a token stands in an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import TypeVar

from sources._core.errors import StopStream

MAX_PAGES = 100_000
MAX_EQUAL_PAGES = 3

PageT = TypeVar("PageT")


class PageGuard:
    """Stops a stream whose source repeats a page token, or never ends.

    Keeps eight bytes a page, no token: tokens may be long, and are not ours to keep.
    """

    def __init__(self, subject: str, max_pages: int = MAX_PAGES) -> None:
        self._subject = subject
        self._max_pages = max_pages
        self._seen: set[bytes] = set()
        self._pages = 0
        self._content = b""
        self._equal = 0

    @property
    def pages(self) -> int:
        """Pages passed so far."""
        return self._pages

    def check(self, next_token: str | None, content: bytes | None = None) -> None:
        """Call after each page with the token of the next; `content`, if given, is its bytes."""
        self._pages += 1
        if next_token is None:
            return
        if self._pages >= self._max_pages:
            self._stop(f"more than {self._max_pages} pages")
        digest = _digest(next_token.encode())
        if digest in self._seen:
            self._stop("the same page token a second time")
        self._seen.add(digest)
        if content is not None:
            self._check_content(_digest(content))

    def _check_content(self, digest: bytes) -> None:
        self._equal = self._equal + 1 if digest == self._content else 1
        self._content = digest
        if self._equal > MAX_EQUAL_PAGES:
            self._stop(f"the same page {self._equal} times under new tokens")

    def _stop(self, what: str) -> None:
        raise StopStream(
            f"{self._subject} gave {what}: paging would never end. What was read before stays; "
            "the next night tries again. If it happens again, report it to the source's support."
        )


def walk(
    fetch: Callable[[str | None], tuple[PageT, str | None]],
    subject: str,
    *,
    first_token: str | None = None,
    max_pages: int = MAX_PAGES,
) -> Iterator[PageT]:
    """Pages in order: `fetch(token)` gives a page and the token of the next, None at the end."""
    guard = PageGuard(subject, max_pages)
    token = first_token
    while True:
        page, token = fetch(token or None)
        guard.check(token or None)
        yield page
        if not token:
            return


def _digest(content: bytes) -> bytes:
    return blake2b(content, digest_size=8).digest()
