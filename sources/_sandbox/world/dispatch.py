"""How goods leave: parcels, warehouses, carriers, transit, losses.

Belongs here: parcels and which unit is in which. Does not belong here: stock (`stock.py`) or what
buyers do with what they get (`fates.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sources._sandbox.scenario import Fault, Scenario
from sources._sandbox.world import geography
from sources._sandbox.world.demand import (
    DAY,
    HOUR,
    MAX_UNITS,
    NEVER,
    SECOND,
    Lines,
    Orders,
    can_split_lines,
)
from sources._sandbox.world.draws import Draws, Flags, Floats, Ids, Ints
from sources._sandbox.world.effects import is_active
from sources._sandbox.world.labels import Labels
from sources._sandbox.world.markets import Places, region_of

DELIVERED, LOST, REFUSED, UNDELIVERABLE = range(4)
STATES = ("delivered", "lost", "refused", "undeliverable")


@dataclass(frozen=True)
class Parcels:
    """Two possible parcels per order (row = order, column = parcel); most orders use the first."""

    serial: Ids
    centre: Ints  # per order, index into Places.centres
    shipped: Ints
    delivered: Ints
    estimated_day: Ints
    state: Ints
    state_at: Ints
    held: Floats  # days that customs keeps it
    carrier: Labels
    service: Labels


@dataclass(frozen=True)
class Units:
    """One entry per ordered unit. `fate` is the unit whose luck it shares (mostly its own)."""

    serial: Ids
    line: Ints
    order: Ints
    number: Ints
    parcel: Ints  # 0 or 1; -1: cancelled, never shipped
    fate: Ids

    def __len__(self) -> int:
        return len(self.serial)


def make_units(places: Places, draws: Draws, orders: Orders, lines: Lines) -> Units:
    """Units of all lines; the last `cancelled_quantity` of a line never ship."""
    can_split = can_split_lines(places, orders)[lines.order]
    line = np.repeat(np.arange(len(lines), dtype=np.int64), lines.quantity)
    first = np.cumsum(lines.quantity) - lines.quantity
    number = np.arange(len(line), dtype=np.int64) - first[line]
    serial = lines.serial[line] * np.uint64(MAX_UNITS) + number.astype(np.uint64)
    shipped = number < (lines.quantity - lines.cancelled_quantity)[line]
    late_line = (lines.number > 1) & draws.chance("parcel.line", lines.serial, 0.1)
    split = (lines.quantity > 1) & can_split & draws.chance("parcel.split", lines.serial, 0.12)
    second = late_line[line] | (split[line] & (number >= ((lines.quantity + 1) // 2)[line]))
    parcel = np.where(shipped, second.astype(np.int64), -1)
    twin = (number > 0) & draws.chance("fate.twin", serial, 0.35)
    twin &= parcel == parcel[first[line]]
    fate = np.where(twin, lines.serial[line] * np.uint64(MAX_UNITS), serial)
    return Units(serial, line, lines.order[line], number + 1, parcel, fate)


def make_parcels(scenario: Scenario, places: Places, draws: Draws, orders: Orders) -> Parcels:
    """When and how each order's parcels leave and arrive."""
    serial = np.stack(
        [orders.serial * np.uint64(2), orders.serial * np.uint64(2) + np.uint64(1)], 1
    )
    centre = _centres(places, draws, orders)
    origin = Labels(tuple(c.country for c in places.centres), centre)
    shipped = _shipped(draws, orders, serial)
    carrier, service = _lanes(scenario, places, draws, orders, origin, serial)
    days = _transit(draws, orders, origin, serial)
    state, extra, held = _troubles(
        scenario, draws, orders, origin, carrier, service, serial, shipped
    )
    estimated = (shipped + np.ceil(days + 1.0) * DAY).astype(np.int64) // DAY
    arrival = shipped + ((days + extra) * DAY).astype(np.int64) // SECOND * SECOND
    given_up = np.where(state == LOST, 14 * DAY, 2 * DAY)
    return Parcels(
        serial=serial,
        centre=centre,
        shipped=shipped,
        delivered=np.where(state == DELIVERED, arrival, NEVER),
        estimated_day=estimated,
        state=state,
        state_at=np.where(state == DELIVERED, arrival, arrival + given_up),
        held=held,
        carrier=carrier,
        service=service,
    )


def _shipped(draws: Draws, orders: Orders, serial: Ids) -> Ints:
    low, high = np.where(orders.is_fba, 4.0, 10.0), np.where(orders.is_fba, 40.0, 80.0)
    hours = draws.between("ship.hours", orders.serial, low, high)
    gap = draws.between("ship.gap", orders.serial, 20.0, 72.0)
    paid = np.minimum(orders.paid, NEVER // 2)
    first = paid + (hours * 3600).astype(np.int64) * SECOND
    return np.stack([first, first + (gap * 3600).astype(np.int64) * SECOND], 1)


def _centres(places: Places, draws: Draws, orders: Orders) -> Ints:
    """FBA: a centre of the marketplace's country, or of its region; else one of the seller's."""
    centre = np.zeros(len(orders), dtype=np.int64)
    own = [n for n, c in enumerate(places.centres) if c.account is None]
    for number, market in enumerate(places.markets):
        mine = (orders.market == number) & orders.is_fba
        pool = [
            n
            for n, c in enumerate(places.centres)
            if (c.account, c.region_group) == (market.account.name, market.region_group)
        ]
        near = [n for n in pool if places.centres[n].country == market.country]
        weights = [1.0 + 4.0 * (n in near) for n in pool]
        if mine.any():
            picked = draws.pick(f"centre.{number}", orders.serial[mine], weights)
            centre[mine] = np.array(pool)[picked]
    if own:
        mine = ~orders.is_fba
        centre[mine] = np.array(own)[draws.pick("centre", orders.serial[mine], [1.0] * len(own))]
    return centre


def _lanes(
    scenario: Scenario,
    places: Places,
    draws: Draws,
    orders: Orders,
    origin: Labels,
    serial: Ids,
) -> tuple[Labels, Labels]:
    """Carrier and service of each parcel; a faulty lane carries much of what could go over it."""
    own = [(c.name, c.service) for c in places.carriers]
    groups = {**geography.FBA_CARRIERS, "walmart": geography.WFS_CARRIERS}
    fba = [(name, "standard") for group in groups.values() for name in group]
    lane = draws.pick("carrier", serial, [c.share or 1e-9 for c in places.carriers])
    for fault in scenario.faults_of("slow_lane", "lossy_lane", "damaging_carrier"):
        fits = [n for n, (name, service) in enumerate(own) if _is_lane(fault, name, service)]
        if fault.get("carrier") is None or not fits:
            continue
        use = ~orders.is_fba & _fits(fault, "destination", orders.country)
        use &= _fits(fault, "origin", origin)
        over = use[:, None] & draws.chance(f"lane.{fault.fault_id}", serial, 0.6)
        lane[over] = fits[0]
    regions = np.array(
        [m.connector if m.connector == "walmart" else m.region_group for m in places.markets]
    )[orders.market]
    place = len(own)
    for region, group in groups.items():
        mine = orders.is_fba & (regions == region)
        lane[mine] = place + draws.pick("carrier.fba", serial[mine], (0.7, 0.2, 0.1))
        place += len(group)
    names, services = zip(*own, *fba, strict=True)
    return Labels(names, lane), Labels(services, lane)


def _is_lane(fault: Fault, carrier: str, service: str) -> bool:
    return carrier == fault.get("carrier") and fault.get("service") in (None, service)


def _fits(fault: Fault, part: str, values: Labels) -> Flags:
    wanted = fault.get(part)
    return np.full(values.codes.shape, True) if wanted is None else values.equals(wanted)


def _transit(draws: Draws, orders: Orders, origin: Labels, serial: Ids) -> Floats:
    """Days on the way without trouble: at home, within a region, or across."""
    low = np.empty((len(origin.names), len(orders.country.names)))
    high = np.empty_like(low)
    for row, start in enumerate(origin.names):
        for column, end in enumerate(orders.country.names):
            near = region_of(start) == region_of(end)
            days = (1.0, 3.5) if start == end else (2.0, 5.5) if near else (5.5, 12.0)
            low[row, column], high[row, column] = days
    least = low[origin.codes, orders.country.codes]
    most = high[origin.codes, orders.country.codes]
    return draws.between("transit", serial, least[:, None], most[:, None])


def _troubles(
    scenario: Scenario,
    draws: Draws,
    orders: Orders,
    origin: Labels,
    carrier: Labels,
    service: Labels,
    serial: Ids,
    shipped: Ints,
) -> tuple[Ints, Floats, Floats]:
    """How each parcel ends, the days it loses on the way, and those of them at customs."""
    lost = np.where(orders.is_fba, 0.003, 0.007)[:, None] * np.ones(2)
    extra, at_customs = np.zeros(serial.shape), np.zeros(serial.shape)
    day = shipped // DAY
    for fault in scenario.faults_of("lossy_lane", "slow_lane", "customs_hold"):
        touched = is_active(fault, day) & _fits(fault, "destination", orders.country)[:, None]
        touched &= _fits(fault, "origin", origin)[:, None]
        touched &= _fits(fault, "carrier", carrier) & _fits(fault, "service", service)
        if fault.kind == "lossy_lane":
            lost = np.where(touched, fault.get("rate"), lost)
        elif fault.kind == "slow_lane":
            slow = fault.get("days") * draws.between("slow", serial, 0.7, 1.3)
            extra += np.where(touched, slow, 0.0)
        else:
            held = touched & draws.chance(f"customs.{fault.fault_id}", serial, fault.get("share"))
            at_customs += np.where(held, fault.get("days"), 0.0)
    luck = draws.uniform("parcel.state", serial)
    state = np.where(luck < lost, LOST, DELIVERED)
    state = np.where((luck >= lost) & (luck < lost + 0.004), REFUSED, state)
    state = np.where((luck >= lost + 0.004) & (luck < lost + 0.007), UNDELIVERABLE, state)
    state = np.where(orders.is_fraud[:, None], DELIVERED, state)
    return state, extra + at_customs, at_customs


def tracking_numbers(draws: Draws, serial: Ids, prefix: Sequence[str]) -> list[str]:
    numbers = draws.scatter("tracking", serial)
    return [f"{p}{n:014d}" for p, n in zip(prefix, numbers.tolist(), strict=True)]


def hours(draws: Draws, purpose: str, ids: Ids, low: float, high: float) -> Ints:
    """A stretch of whole seconds between `low` and `high` hours, in microseconds."""
    return (draws.between(purpose, ids, low, high) * (HOUR // SECOND)).astype(np.int64) * SECOND
