"""The simulation as a whole: all entities of a world before they become tables.

Belongs here: putting the steps in order, and what the table modules share. Does not belong here:
any step itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import polars as pl

from sources._sandbox.scenario import Scenario
from sources._sandbox.world.catalogue import Catalogue, make_catalogue
from sources._sandbox.world.causes import make_fates
from sources._sandbox.world.children import joined, make_children
from sources._sandbox.world.demand import DAY, NEVER, Lines, Orders, make_lines, make_orders
from sources._sandbox.world.dispatch import Parcels, Units, make_parcels, make_units
from sources._sandbox.world.draws import SHORT, Draws, Flags, Ids, Ints
from sources._sandbox.world.effects import day_number
from sources._sandbox.world.fates import (
    Concessions,
    Fates,
    make_concessions,
    of_its_lot,
    restocks,
)
from sources._sandbox.world.markets import Places, places_of
from sources._sandbox.world.stock import LOOKAHEAD_DAYS, Allocation, allocate

_NA, _EU, _FE = ("111", "112", "113", "114"), ("302", "303", "304", "305", "028"), ("249", "503")
_PREFIXES = {"NA": _NA, "EU": _EU, "FE": _FE}


@dataclass(frozen=True)
class Simulation:
    """Orders (with their parents first), lines, units ... by index into one another.

    `is_kept` marks orders that belong to the world: placed before its end, or following from one
    that was. `order_ids` and the like are text, one per entity.
    """

    scenario: Scenario
    places: Places
    catalogue: Catalogue
    draws: Draws
    orders: Orders
    lines: Lines
    parcels: Parcels
    units: Units
    fates: Fates
    concessions: Concessions
    allocation: Allocation
    end: date
    is_kept: Flags
    is_listed: Flags  # kept, and an order of its own to the outside
    order_ids: pl.Series
    child_of: Ints  # per fate: index of the order that follows from it, -1: none

    def by_market(self, name: str, order: Ints) -> pl.Series:
        """A text attribute of each order's market."""
        values = pl.Series([getattr(m, name) for m in self.places.markets], dtype=pl.String)
        return values.gather(self.orders.market[order])

    def accounts(self, order: Ints) -> pl.Series:
        names = pl.Series([m.account.name for m in self.places.markets])
        return names.gather(self.orders.market[order])

    def is_amazon(self, order: Ints) -> Flags:
        return self.is_of(order, "amazon")

    def is_of(self, order: Ints, *connectors: str) -> Flags:
        """Whether each order was placed with one of these."""
        mine = np.array([m.connector in connectors for m in self.places.markets])
        return mine[self.orders.market[order]]

    def skus(self, sku: Ints) -> pl.Series:
        return pl.Series(self.catalogue.skus).gather(sku)

    def centres(self, name: str, order: Ints) -> pl.Series:
        """A text attribute of the centre that each order leaves from."""
        values = pl.Series([getattr(c, name) for c in self.places.centres], dtype=pl.String)
        return values.gather(self.parcels.centre[order])


def simulate(scenario: Scenario, end: date) -> Simulation:
    """Run the world until `end` and far enough beyond that nothing before it can change."""
    draws = Draws(scenario.seed)
    places = places_of(scenario)
    catalogue = make_catalogue(draws, scenario.skus, scenario.start)
    days = (end - scenario.start) // timedelta(days=1) + LOOKAHEAD_DAYS
    orders = make_orders(scenario, places, draws, days)
    lines = make_lines(scenario, places, catalogue, draws, orders)
    parcels = make_parcels(scenario, places, draws, orders)
    units = make_units(places, draws, orders, lines)
    fates = make_fates(scenario, places, catalogue, draws, orders, lines, parcels, units)
    gives = np.array([m.gives_concessions for m in places.markets])[orders.market]
    concessions = make_concessions(draws, parcels, units, fates, gives)
    parents, ordinary_units = len(orders), len(units)
    children, child_lines, child_fates = make_children(
        places, catalogue, draws, orders, lines, units, fates
    )
    child_units = make_units(
        places, draws, children, replace(child_lines, order=child_lines.order - parents)
    )
    parcels = joined(parcels, make_parcels(scenario, places, draws, children))
    child_units = replace(
        child_units, line=child_units.line + len(lines), order=child_units.order + parents
    )
    orders, lines = joined(orders, children), joined(lines, child_lines)
    units = joined(units, child_units)
    amazon = np.array([m.connector == "amazon" for m in places.markets])[orders.market]
    tells = np.array([m.tells_returns for m in places.markets])[orders.market]
    tells |= amazon & orders.is_fba
    parent_fate = np.concatenate([np.full(ordinary_units, -1), child_fates])
    restocked = restocks(scenario, draws, fates, units, tells)
    allocation = allocate(
        scenario,
        places,
        catalogue,
        draws,
        orders,
        lines,
        parcels,
        units,
        fates,
        restocked,
        parent_fate,
    )
    fates = of_its_lot(scenario, fates, allocation.lot, allocation.lots)
    child_of = np.full(len(fates), -1, dtype=np.int64)
    child_of[child_fates] = parents + np.arange(len(child_fates))
    own_shop = np.array([m.is_own_shop for m in places.markets])[orders.market]
    is_added = own_shop & (orders.parent >= 0)
    is_kept = _kept(orders, allocation, child_fates, parents, end)
    return Simulation(
        scenario=scenario,
        places=places,
        catalogue=catalogue,
        draws=draws,
        orders=orders,
        lines=lines,
        parcels=parcels,
        units=units,
        fates=fates,
        concessions=concessions,
        allocation=allocation,
        end=end,
        is_kept=is_kept,
        is_listed=is_kept & ~is_added,
        order_ids=_order_ids(places, draws, orders).gather(
            np.where(is_added, orders.parent, np.arange(len(orders)))
        ),
        child_of=np.where(allocation.is_dropped, -1, child_of),
    )


def _kept(
    orders: Orders, allocation: Allocation, child_fates: Ints, parents: int, end: date
) -> Flags:
    placed = orders.ordered < day_number(end) * DAY
    family = placed[np.where(orders.parent >= 0, orders.parent, np.arange(len(orders)))]
    family[parents:] &= ~allocation.is_dropped[child_fates]
    return family


def _order_ids(places: Places, draws: Draws, orders: Orders) -> pl.Series:
    """Amazon's 3-7-7 digits, eBay's 2-5-5, Walmart's 13; all others have 18 digits in a row."""
    frame = pl.DataFrame(
        {
            "prefix": _prefixes(places, draws, orders),
            "number": digits(draws.scatter("order", orders.serial), 14),
            "short": digits(draws.scatter("order.short", orders.serial, SHORT), 12),
            "connector": pl.Series([m.connector for m in places.markets]).gather(orders.market),
        }
    )
    number, short, connector = pl.col("number"), pl.col("short"), pl.col("connector")
    parts = (short.str.slice(0, 2), short.str.slice(2, 5), short.str.slice(7))
    return frame.select(
        pl.when(connector == "amazon")
        .then(pl.format("{}-{}-{}", "prefix", number.str.slice(0, 7), number.str.slice(7)))
        .when(connector == "ebay")
        .then(pl.format("{}-{}-{}", *parts))
        .when(connector == "walmart")
        .then(pl.format("1{}", short))
        .otherwise(pl.format("5768{}", number))
        .alias("order_id")
    )["order_id"]


def _prefixes(places: Places, draws: Draws, orders: Orders) -> pl.Series:
    words = tuple(word for group in _PREFIXES.values() for word in group)
    prefix = np.zeros(len(orders), dtype=np.int64)
    regions = np.array([m.region_group for m in places.markets])[orders.market]
    for region, group in _PREFIXES.items():
        mine = regions == region
        picked = draws.pick("prefix", orders.serial[mine], [1.0] * len(group))
        prefix[mine] = np.array([words.index(word) for word in group])[picked]
    return pl.Series(words).gather(prefix)


def digits(numbers: Ids, width: int) -> pl.Series:
    """Numbers as text with leading zeros."""
    return pl.Series(numbers).cast(pl.String).str.zfill(width)


def times(values: Ints) -> pl.Series:
    """Microseconds as Datetime; never is null."""
    series = pl.Series(values, dtype=pl.Int64)
    return series.set(series >= NEVER, None).cast(pl.Datetime("us"))


def named(values: Ints, names: tuple[str | None, ...]) -> pl.Series:
    """Small numbers as the words they stand for; below zero is null."""
    numbers = pl.Series(values, dtype=pl.Int64)
    numbers = numbers.set(numbers < 0, None)
    return pl.Series(names, dtype=pl.String).gather(numbers)


def blank_to_null(values: np.ndarray) -> pl.Series:
    series = pl.Series(values)
    return series.set(series == "", None)
