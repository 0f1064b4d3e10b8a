"""Windows are half-open, overlap by the lookback and end at the clock."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources._core.windows import plan_windows, start_of_day

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_first_run_reads_from_the_start_of_the_account_to_the_clock() -> None:
    (window,) = plan_windows(start=START, cursor=None, until=datetime(2026, 2, 1, tzinfo=UTC))
    assert (window.start, window.end, window.is_last) == (
        START,
        datetime(2026, 2, 1, tzinfo=UTC),
        True,
    )


def test_later_runs_overlap_by_the_lookback_but_never_begin_before_the_start() -> None:
    until = datetime(2026, 2, 1, tzinfo=UTC)
    late = plan_windows(
        start=START,
        cursor=datetime(2026, 1, 20, tzinfo=UTC),
        until=until,
        lookback=timedelta(days=3),
    )
    early = plan_windows(
        start=START, cursor=START + timedelta(days=1), until=until, lookback=timedelta(days=3)
    )
    assert late[0].start == datetime(2026, 1, 17, tzinfo=UTC)
    assert early[0].start == START


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(days=5)])
def test_nothing_to_read_when_the_cursor_is_at_or_past_the_clock(ahead: timedelta) -> None:
    until = datetime(2026, 2, 1, tzinfo=UTC)
    assert plan_windows(start=START, cursor=until + ahead, until=until) == ()


def test_a_window_length_must_be_positive() -> None:
    with pytest.raises(ValueError, match="positive"):
        plan_windows(
            start=START, cursor=None, until=START + timedelta(days=1), max_window=timedelta(0)
        )


@given(
    days=st.integers(1, 900),
    length=st.integers(1, 40),
    lookback=st.integers(0, 60),
    cursor=st.none() | st.integers(0, 900),
)
def test_windows_cover_everything_once_and_none_is_too_long(
    days: int, length: int, lookback: int, cursor: int | None
) -> None:
    until = START + timedelta(days=days, hours=5)
    at = None if cursor is None else START + timedelta(days=cursor)
    windows = plan_windows(
        start=START,
        cursor=at,
        until=until,
        lookback=timedelta(days=lookback),
        max_window=timedelta(days=length),
    )
    if not windows:
        assert at is not None and at - timedelta(days=lookback) >= until
        return
    begin = START if at is None else max(START, at - timedelta(days=lookback))
    assert windows[0].start == begin
    assert windows[-1].end == until
    pairs = itertools.pairwise(windows)
    assert all(before.end == after.start for before, after in pairs)
    assert all(timedelta(0) < w.end - w.start <= timedelta(days=length) for w in windows)
    assert [w.is_last for w in windows] == [False] * (len(windows) - 1) + [True]


def test_a_day_starts_at_midnight_utc() -> None:
    assert start_of_day(date(2026, 3, 29)) == datetime(2026, 3, 29, tzinfo=UTC)
