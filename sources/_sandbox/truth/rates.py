"""Rates of exchange that are out at a clock, and amounts at them.

The rate of a day is the last one on or before it, at most seven days old; without one there is no
amount. Currencies that the ECB lacks come from the seller's own file.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

import polars as pl

from sources._sandbox.world.tables import World

OLDEST = timedelta(days=7)
CENT_OF_A_CENT = Decimal("0.0001")
STEP_OF_RATES = Decimal("1e-10")  # as dim_fx_rate publishes them


class Rates:
    """Rates to one reporting currency, as published by `clock` (naive UTC)."""

    def __init__(self, world: World, clock: datetime, reporting: str) -> None:
        self.reporting = reporting
        self._days: dict[str, list[date]] = {}
        self._units: dict[str, list[Decimal]] = {}
        for day, currency, units in _published(world, clock).iter_rows():
            self._days.setdefault(currency, []).append(day)
            self._units.setdefault(currency, []).append(Decimal(units))

    def per_euro(self, currency: str, day: date) -> Decimal | None:
        if currency == "EUR":
            return Decimal(1)
        days = self._days.get(currency, [])
        place = bisect_right(days, day) - 1
        if place < 0 or day - days[place] > OLDEST:
            return None
        return self._units[currency][place]

    def rate(self, currency: str, day: date | None) -> Decimal | None:
        if day is None:
            return None
        if currency == self.reporting:
            return Decimal(1)
        source, target = self.per_euro(currency, day), self.per_euro(self.reporting, day)
        if source is None or target is None:
            return None
        return (target / source).quantize(STEP_OF_RATES, ROUND_HALF_UP)

    def convert(self, amount: Decimal | None, currency: str, day: date | None) -> Decimal | None:
        """The amount in the reporting currency, to four decimals."""
        rate = self.rate(currency, day)
        return None if amount is None or rate is None else rounded(amount * rate)


def rounded(amount: Decimal) -> Decimal:
    return amount.quantize(CENT_OF_A_CENT, ROUND_HALF_UP)


def _published(world: World, clock: datetime) -> pl.DataFrame:
    """The ECB's rates are out at 16:00 in Frankfurt, the seller's file at 15:00 UTC."""
    noon = pl.col("rate_date").cast(pl.Datetime("us"))
    frankfurt = (
        (noon + pl.duration(hours=16))
        .dt.replace_time_zone("Europe/Berlin")
        .dt.convert_time_zone("UTC")
        .dt.replace_time_zone(None)
    )
    first = world.scenario.start - OLDEST  # the last rate that holds on the first day
    ecb = world.fx_rates.filter(frankfurt <= clock, pl.col("rate_date") >= first)
    own = world.fx_overrides.filter(noon + pl.duration(hours=15) <= clock)
    return (
        pl.concat(
            [
                ecb,
                own.select("rate_date", pl.col("quote").alias("currency"), "rate").rename(
                    {"rate": "units_per_eur"}
                ),
            ]
        )
        .sort("currency", "rate_date")
        .select("rate_date", "currency", "units_per_eur")
    )
