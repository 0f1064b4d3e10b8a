"""Windows of time to read: half-open, overlapping by the lookback, never past the run's clock.

Belongs here: planning from cursor, start and clock. Does not belong here: where cursors are kept
(the warehouse) or how a window becomes requests (the connector).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from sources._core.connector import Window


def start_of_day(day: date) -> datetime:
    """Midnight UTC of a day: where an account's history begins."""
    return datetime.combine(day, time.min, tzinfo=UTC)


def plan_windows(
    *,
    start: datetime,
    cursor: datetime | None,
    until: datetime,
    lookback: timedelta = timedelta(0),
    max_window: timedelta | None = None,
) -> Sequence[Window]:
    """Windows that cover [cursor - lookback, until), or [start, until) the first time.

    `until` is fixed once for the whole run, so that a long run does not chase its own tail. No
    window begins before `start`. Empty when there is nothing to read.
    """
    begin = start if cursor is None else max(start, cursor - lookback)
    if begin >= until:
        return ()
    return split_window(Window(begin, until), max_window)


def split_window(window: Window, max_window: timedelta | None) -> Sequence[Window]:
    """Cut a window into pieces that touch each other, none longer than `max_window`."""
    if max_window is None:
        return (window,)
    if max_window <= timedelta(0):
        raise ValueError("max_window must be positive")
    pieces = []
    begin = window.start
    while begin < window.end:
        end = min(begin + max_window, window.end)
        pieces.append(Window(begin, end, is_last=window.is_last and end == window.end))
        begin = end
    return tuple(pieces)
