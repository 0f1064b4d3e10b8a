"""The service team's calendar: Monday to Friday, nine to five, UTC.

Belongs here: minutes of work between two moments.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta

OPENS, CLOSES = time(9), time(17)
SATURDAY = 5


def business_minutes(start: datetime, end: datetime) -> int:
    """Whole minutes of work between two UTC moments."""
    worked, day = timedelta(), start.date()
    while day <= end.date():
        if day.weekday() < SATURDAY:
            first = max(start, datetime.combine(day, OPENS))
            last = min(end, datetime.combine(day, CLOSES))
            worked += max(last - first, timedelta())
        day += timedelta(days=1)
    return worked // timedelta(minutes=1)
