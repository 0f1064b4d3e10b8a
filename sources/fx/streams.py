"""The raw tables of the exchange-rate source."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sources._core.connector import Page, Stream, StreamContext, Window
from sources._core.records import Record
from sources._core.static import static_streams
from sources._core.windows import start_of_day

from .client import PATH, reaches

ROWS_PER_PAGE = 5_000
FRANKFURT = ZoneInfo("Europe/Berlin")
PUBLISHED = time(16, 0)
HOLDS = timedelta(days=7)  # a day without a rate takes one that is at most so old


class EcbRate(Record):
    """Units of a currency for one euro on a day; the text keeps every digit."""

    rate_date: date
    currency: str
    units_per_eur: str


def last_published(moment: datetime) -> date:
    """The last day whose rates can be out: today's from 16:00 in Frankfurt on."""
    local = moment.astimezone(FRANKFURT)
    return local.date() if local.time() >= PUBLISHED else local.date() - timedelta(days=1)


def read_rates(context: StreamContext, window: Window) -> Iterator[Page]:
    """Rates of the window's days, and of those before it that still hold at its start, that were
    out by its end and by the clock.
    """
    last = last_published(min(window.end, context.clock.now()))
    file = context.client.rates_file(last)
    served = None
    if file.last_date is not None and not reaches(file, last):
        served = max(window.start, start_of_day(file.last_date))
    rates = file.rates(window.start.date() - HOLDS, last)
    source = PATH.removeprefix("/")
    while rows := list(itertools.islice(rates, ROWS_PER_PAGE)):
        yield Page(rows, source_ref=source, served_until=served)
    yield Page(
        (),
        source_ref=source,
        served_until=served,
        rejects=tuple(file.rejected.values()),
        unknown_fields=file.unknown_columns,
        duplicates=file.repeated_days,
    )


STREAMS = (
    Stream(
        name="ecb_rates",
        record=EcbRate,
        key=("rate_date", "currency"),
        read=read_rates,
        lookback=timedelta(days=7),
        event_field="rate_date",
    ),
    *static_streams(Path(__file__).parent),
)
