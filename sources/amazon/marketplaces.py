"""Amazon's marketplaces: names, ids, regions, zones and host names, from `marketplaces.csv`.

Belongs here: looking a marketplace up by any name that a setting or a report uses. Does not
belong here: what a seller set for his account (`config.py`).
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_FILE = Path(__file__).with_name("marketplaces.csv")
_PREFIX = "amazon_"
_DATE_ORDERS = {"US": "mdy", "SE": "ymd", "JP": "ymd"}  # all others known: day, month, year
_OTHER_NAMES = {"UK": "GB"}


@dataclass(frozen=True)
class Marketplace:
    """`prices_include_tax`: whether item prices in this marketplace's reports contain the tax."""

    country: str
    marketplace_id: str
    region_group: str
    currency: str
    time_zone: str
    sales_channel: str
    prices_include_tax: bool

    @property
    def name(self) -> str:
        return _PREFIX + self.country.lower()

    @property
    def month_first(self) -> bool:
        """Whether a date written with slashes begins with the month."""
        return self.country == "US"

    @property
    def date_order(self) -> str:
        """Order of day, month and year in reports that write dates as the country does."""
        return _DATE_ORDERS.get(self.country, "dmy")


@functools.cache
def all_marketplaces() -> Mapping[str, Marketplace]:
    """Marketplaces by country code, in the order of the file."""
    with _FILE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        row["home_country"]: Marketplace(
            country=row["home_country"],
            marketplace_id=row["marketplace_id"],
            region_group=row["region_group"],
            currency=row["currency"],
            time_zone=row["time_zone"],
            sales_channel=row["sales_channel"],
            prices_include_tax=row["prices_include_tax"] == "true",
        )
        for row in rows
    }


def find_marketplace(text: str) -> Marketplace | None:
    """By `DE`, `de`, `amazon_de` or the marketplace id."""
    known = all_marketplaces()
    code = text.strip().upper().removeprefix(_PREFIX.upper())
    found = known.get(_OTHER_NAMES.get(code, code))
    return found or _by_id().get(text.strip())


def marketplace_of_channel(text: str | None) -> Marketplace | None:
    """By the host name that reports print (`Amazon.de`); None for `Non-Amazon` and new ones."""
    return None if text is None else _by_channel().get(text.strip().casefold())


@functools.cache
def _by_id() -> Mapping[str, Marketplace]:
    return {found.marketplace_id: found for found in all_marketplaces().values()}


@functools.cache
def _by_channel() -> Mapping[str, Marketplace]:
    return {found.sales_channel.casefold(): found for found in all_marketplaces().values()}
