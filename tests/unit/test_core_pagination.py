"""Paging ends, or stops with an error."""

from __future__ import annotations

import itertools

import pytest

from sources._core.errors import StopStream
from sources._core.pagination import PageGuard, walk


def test_walk_gives_every_page_until_there_is_no_token() -> None:
    pages = {None: (["a"], "t1"), "t1": (["b"], "t2"), "t2": ([], "")}
    assert list(walk(lambda token: pages[token], "GET /orders")) == [["a"], ["b"], []]


def test_a_repeated_token_stops_the_stream() -> None:
    seen = []
    with pytest.raises(StopStream, match=r"GET /orders gave the same page token a second time"):
        for page in walk(lambda token: (token, "again"), "GET /orders"):
            seen.append(page)
    assert seen == [None]


def test_a_cycle_of_tokens_stops_the_stream() -> None:
    tokens = itertools.cycle(["a", "b", "c"])
    with pytest.raises(StopStream, match="same page token"):
        list(walk(lambda _token: ("page", next(tokens)), "GET /orders"))


def test_endless_paging_stops_with_an_error() -> None:
    numbers = itertools.count()
    read = 0
    with pytest.raises(StopStream, match="more than 50 pages"):
        for _ in walk(lambda _t: ("page", str(next(numbers))), "GET /orders", max_pages=50):
            read += 1
    assert read == 49


def test_the_same_page_under_new_tokens_stops_the_stream() -> None:
    guard = PageGuard("GET /orders")
    with pytest.raises(StopStream, match="under new tokens"):
        for number in range(100):
            guard.check(f"token {number}", content=b"always this")
    assert guard.pages < 10


def test_the_message_holds_no_token() -> None:
    guard = PageGuard("GET /orders")
    guard.check("eyJwYWdlIjo")
    with pytest.raises(StopStream) as caught:
        guard.check("eyJwYWdlIjo")
    assert "eyJwYWdlIjo" not in str(caught.value)
