"""Lots, receipts, and which unit came from which lot.

Belongs here: replenishment and picking. Every four weeks each SKU and stock pool is filled up for
the time until the next filling and eight days more, from a new lot of the SKU. Picking is first in,
first out; SKUs with expiry dates first-expiry-first-out. Units that come back fit for sale go to
the end of the queue (or to the place of their expiry) with the lot they were sold from. In the
marketplace's centres a unit is now and then lost, broken or taken home, of those that nobody will
buy before the next filling.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np

from sources._sandbox.scenario import Scenario
from sources._sandbox.world.catalogue import COST_CURRENCY, Catalogue
from sources._sandbox.world.demand import DAY, HOUR, NEVER, SECOND, Lines, Orders
from sources._sandbox.world.dispatch import Parcels, Units
from sources._sandbox.world.draws import Draws, Flags, Ints
from sources._sandbox.world.effects import day_number
from sources._sandbox.world.fates import Fates
from sources._sandbox.world.markets import Places

CYCLE = 28 * DAY
SAFETY = 8 * DAY
FIRST_FILL = 12 * DAY  # before the first day of the world
LOOKAHEAD_DAYS = 37  # a filling depends on what is sold until then
CARTON = 6
MISHAPS = (("lost", 0.2), ("damaged", 0.27), ("removed", 0.32))
"""What may happen to stock in a cycle, up to which number drawn for it."""
NO_LOT = -1


@dataclass(frozen=True)
class Allocation:
    """`lot` per unit (NO_LOT: none); fates in `is_dropped` did not happen (another lot)."""

    lot: Ints
    is_dropped: Flags
    lots: list[dict[str, Any]]
    receipts: list[dict[str, Any]]
    mishaps: list[dict[str, Any]]


@dataclass
class _Shelves:
    """Stock on hand while time goes on. A group is a SKU in a pool."""

    scenario: Scenario
    places: Places
    catalogue: Catalogue
    draws: Draws
    skus: list[int]  # of each group
    pools: list[str]
    demand: Ints  # group x cycle
    first: int
    heaps: list[list[list[int]]] = field(default_factory=list)
    on_hand: list[int] = field(default_factory=list)
    coming: list[tuple[int, int, list[int]]] = field(default_factory=list)
    lots: list[dict[str, Any]] = field(default_factory=list)
    receipts: list[dict[str, Any]] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    expiry: list[int] = field(default_factory=list)
    made: dict[int, int] = field(default_factory=dict)  # SKU -> lots so far
    spare: list[int] = field(default_factory=list)  # nobody buys before the next filling
    threats: list[tuple[int, int, str, int]] = field(default_factory=list)  # at, group, kind, units
    found_again: list[tuple[int, int, int, int]] = field(default_factory=list)  # at, group, ...
    mishaps: list[dict[str, Any]] = field(default_factory=list)
    cycle: int = 0

    def __post_init__(self) -> None:
        self.heaps = [[] for _ in self.skus]
        self.on_hand = [0] * len(self.skus)
        self.spare = [0] * len(self.skus)
        by_pool: dict[str, list[int]] = {}
        for number, centre in enumerate(self.places.centres):
            by_pool.setdefault(centre.stock_pool, []).append(number)
        self.centres = by_pool
        self.bad = {
            (f.get("sku"), f.get("lot")): float(f.get("rate"))
            for f in self.scenario.faults_of("bad_lot")
        }

    def next_fill(self) -> int:
        return self.first + self.cycle * CYCLE if self.cycle < self.demand.shape[1] else NEVER

    def fill(self) -> None:
        """Order what every group needs until the next filling, one lot per SKU."""
        at = self.next_fill()
        lots: dict[int, int] = {}
        needs = self.demand[:, self.cycle] - np.array(self.on_hand)
        for group in np.flatnonzero((needs > 0) & (self.demand[:, self.cycle] > 0)).tolist():
            sku = self.skus[group]
            if sku not in lots:
                lots[sku] = self._new_lot(sku, at)
            self._receive(group, lots[sku], at, -(-int(needs[group]) // CARTON) * CARTON)
        self.spare = np.maximum(np.array(self.on_hand) - self.demand[:, self.cycle], 0).tolist()
        self._threaten(at)
        self.cycle += 1

    def _threaten(self, at: int) -> None:
        """What will happen to stock of the marketplace before the next filling.

        Nothing happens before the first day: no account is read from an earlier day on.
        """
        for group, spare in enumerate(self.spare):
            if not spare or not self.places.centres[self.centres[self.pools[group]][0]].has_ledger:
                continue
            key = (self.catalogue.skus[self.skus[group]], self.pools[group], self.cycle)
            luck = self.draws.one("mishap", *key)
            kind = next((word for word, share in MISHAPS if luck < share), None)
            if kind is not None:
                when = at + (4 * 24 + int(self.draws.one("mishap.at", *key) * 22 * 24)) * HOUR
                units = 1 + int(self.draws.one("mishap.units", *key) * 2.4)
                if when >= day_number(self.scenario.start) * DAY:
                    heapq.heappush(self.threats, (when, group, kind, min(units, spare)))

    def _new_lot(self, sku: int, at: int) -> int:
        number = self.made[sku] = self.made.get(sku, 0) + 1
        name = self.catalogue.skus[sku]
        lot_id = self._lot_name(name, number)
        luck = self.draws.one("lot", name, number)
        row = self.catalogue.frame.row(sku, named=True)
        category = self.catalogue.categories[sku]
        arrived = date(1970, 1, 1) + timedelta(days=at // DAY)
        made = arrived - timedelta(days=35 + int(luck * 25))
        expiry = None
        if category.shelf_life_days is not None:
            if self.draws.one("short", name, number) < 0.25:
                made -= timedelta(days=min(180, category.shelf_life_days // 3))
            expiry = made + timedelta(days=category.shelf_life_days)
        cost = int(row["unit_landed_cost_minor"] * (0.96 + 0.08 * luck))
        freight, duty, other = cost * 10 // 100, cost * 6 // 100, cost * 2 // 100
        rate = self.bad.get((name, lot_id), category.defect_rate)
        self.rates.append(max(rate, category.defect_rate))
        self.expiry.append(0 if expiry is None else day_number(expiry))
        self.lots.append(
            {
                "lot_id": lot_id,
                "sku": name,
                "supplier_id": row["supplier_id"],
                "po_number": f"PO-{arrived:%y%m}-{sku + 1:04d}",
                "production_date": made,
                "expiry_date": expiry,
                "arrived_at": NEVER,
                "quantity_produced": 0,
                "unit_cost_minor": cost - freight - duty - other,
                "unit_freight_minor": freight,
                "unit_duty_minor": duty,
                "unit_other_minor": other,
                "currency": COST_CURRENCY,
                "true_defect_rate": self.rates[-1],
            }
        )
        return len(self.lots) - 1

    def _lot_name(self, sku: str, number: int) -> str:
        """SKU-0007-L03; a fault's lot of another make names the second, third ... lot."""
        own = f"{sku}-L{number:02d}"
        named = sorted(lot for s, lot in self.bad if s == sku and not lot.startswith(f"{sku}-L"))
        return named[number - 2] if 2 <= number < 2 + len(named) else own

    def _receive(self, group: int, lot: int, at: int, quantity: int) -> None:
        centres = self.centres[self.pools[group]]
        parts = [quantity]
        if len(centres) > 1 and quantity >= 4 * CARTON:
            parts = [quantity - quantity // 2, quantity // 2]
        sku = self.catalogue.skus[self.skus[group]]
        start = int(self.draws.one("receipt", sku, self.pools[group]) * len(centres))
        for number, part in enumerate(parts):
            centre = self.places.centres[centres[(start + number) % len(centres)]]
            luck = self.draws.one("receipt.at", sku, centre.name, self.cycle)
            arrival = at + int((luck * 10 + 30 * number) * 3600) * SECOND
            damaged = int(luck * 1000) % 3 if luck < 0.06 else 0
            serial = len(self.receipts)
            self.receipts.append(
                {
                    "receipt_id": f"GR-{centre.name}-{self.cycle + 1:03d}",
                    "sku": sku,
                    "lot": lot,
                    "centre": centre,
                    "received_at": arrival,
                    "quantity_received": part + damaged,
                    "quantity_damaged": damaged,
                }
            )
            entry = [self.expiry[lot], arrival, serial, lot, part]
            heapq.heappush(self.coming, (arrival, group, entry))
            self.lots[lot]["quantity_produced"] += part + damaged
            self.lots[lot]["arrived_at"] = min(self.lots[lot]["arrived_at"], arrival)
        self.on_hand[group] += quantity

    def catch_up(self, now: int) -> None:
        """Fillings, arrivals and mishaps until `now`, in order."""
        while (at := self.next_change()) <= now:
            if at == self.next_fill():
                self.fill()
            elif self.coming and self.coming[0][0] == at:
                _, group, entry = heapq.heappop(self.coming)
                heapq.heappush(self.heaps[group], entry)
            elif self.threats and self.threats[0][0] == at:
                self._happen(*heapq.heappop(self.threats))
            else:
                _, group, number, lot = heapq.heappop(self.found_again)
                self.put_back(group, lot, at, 2**50 + number)
                self._note(at, group, "found", lot, 1)

    def _happen(self, at: int, group: int, kind: str, units: int) -> None:
        """Units leave the shelf unsold; half of what was lost is found again."""
        luck = self.draws.one("found", self.catalogue.skus[self.skus[group]], at)
        is_found = kind == "lost" and luck < 0.5
        for _ in range(units):
            lot = self.take(group)
            if lot == NO_LOT:
                return
            self._note(at, group, "mislaid" if is_found else kind, lot, -1)
            if is_found:
                when = at + (6 + int(luck * 60)) * DAY
                heapq.heappush(self.found_again, (when, group, len(self.mishaps), lot))

    def _note(self, at: int, group: int, kind: str, lot: int, units: int) -> None:
        centres = self.centres[self.pools[group]]
        sku = self.catalogue.skus[self.skus[group]]
        place = int(self.draws.one("mishap.centre", sku, self.pools[group]) * len(centres))
        self.mishaps.append(
            {
                "at": at,
                "centre": self.places.centres[centres[place]],
                "sku": sku,
                "kind": kind,
                "lot": lot,
                "quantity": units,
            }
        )

    def next_change(self) -> int:
        queues: list[list[Any]] = [self.coming, self.threats, self.found_again]
        return min([self.next_fill(), *(queue[0][0] for queue in queues if queue)])

    def take(self, group: int) -> int:
        """The lot of the next unit picked."""
        heap = self.heaps[group]
        if not heap:
            return NO_LOT
        entry = heap[0]
        entry[4] -= 1
        if not entry[4]:
            heapq.heappop(heap)
        self.on_hand[group] -= 1
        return entry[3]

    def put_back(self, group: int, lot: int, now: int, serial: int) -> None:
        entry = [self.expiry[lot], now, serial, lot, 1]
        heapq.heappush(self.heaps[group], entry)
        self.on_hand[group] += 1


def allocate(
    scenario: Scenario,
    places: Places,
    catalogue: Catalogue,
    draws: Draws,
    orders: Orders,
    lines: Lines,
    parcels: Parcels,
    units: Units,
    fates: Fates,
    restocked: Ints,
    parent_fate: Ints,
) -> Allocation:
    """Give every shipped unit its lot; `parent_fate`: what each unit's order follows, or -1."""
    rows = np.flatnonzero(units.parcel >= 0)
    shipped = parcels.shipped[units.order[rows], units.parcel[rows]]
    groups, skus, pools = _groups(places, lines, parcels, units, rows)
    shelves = _Shelves(
        scenario=scenario,
        places=places,
        catalogue=catalogue,
        draws=draws,
        skus=skus,
        pools=pools,
        demand=_demand(scenario, groups, shipped, len(skus)),
        first=_first_fill(scenario),
    )
    group_of = np.full(len(units), -1, dtype=np.int64)
    group_of[rows] = groups
    fate_of = np.full(len(units), -1, dtype=np.int64)
    fate_of[fates.unit] = np.arange(len(fates))
    back = np.flatnonzero(restocked < NEVER)
    when = np.concatenate([shipped, restocked[back]])
    what = np.concatenate([rows, len(units) + back])
    order = np.lexsort((what, when))
    lot = [NO_LOT] * len(units)
    dropped = [False] * len(fates)
    _run(shelves, when[order], what[order], lot, dropped, group_of, fate_of, parent_fate, fates)
    return Allocation(
        np.array(lot, dtype=np.int64),
        np.array(dropped, dtype=bool),
        shelves.lots,
        shelves.receipts,
        shelves.mishaps,
    )


def _run(
    shelves: _Shelves,
    when: Ints,
    what: Ints,
    lot: list[int],
    dropped: list[bool],
    group_of: Ints,
    fate_of: Ints,
    parent_fate: Ints,
    fates: Fates,
) -> None:
    """All pickings and returns to stock, in the order of time."""
    groups, fate_list, parents = group_of.tolist(), fate_of.tolist(), parent_fate.tolist()
    conditional, luck = fates.is_conditional.tolist(), fates.luck.tolist()
    fate_unit, rates = fates.unit.tolist(), shelves.rates
    units, change = len(lot), shelves.next_change()
    for now, thing in zip(when.tolist(), what.tolist(), strict=True):
        if now >= change:
            shelves.catch_up(now)
            change = shelves.next_change()
        if thing >= units:
            fate = thing - units
            unit = fate_unit[fate]
            if not dropped[fate] and lot[unit] != NO_LOT:
                shelves.put_back(groups[unit], lot[unit], now, 2**40 + unit)
            continue
        if parents[thing] >= 0 and dropped[parents[thing]]:
            continue
        picked = lot[thing] = shelves.take(groups[thing])
        fate = fate_list[thing]
        if fate >= 0 and conditional[fate]:
            dropped[fate] = picked == NO_LOT or luck[fate] >= rates[picked]


def _groups(
    places: Places, lines: Lines, parcels: Parcels, units: Units, rows: Ints
) -> tuple[Ints, list[int], list[str]]:
    """Group of each shipped unit; SKU and pool of each group."""
    names = sorted({c.stock_pool for c in places.centres})
    pool_of = np.array([names.index(c.stock_pool) for c in places.centres], dtype=np.int64)
    pool = pool_of[parcels.centre[units.order[rows]]]
    key = lines.sku[units.line[rows]] * len(names) + pool
    keys, groups = np.unique(key, return_inverse=True)
    return groups, (keys // len(names)).tolist(), [names[k % len(names)] for k in keys.tolist()]


def _first_fill(scenario: Scenario) -> int:
    return day_number(scenario.start) * DAY - FIRST_FILL + 6 * HOUR


def _demand(scenario: Scenario, groups: Ints, shipped: Ints, count: int) -> Ints:
    """Units of each group that leave between a filling and eight days after the next one."""
    since = shipped - _first_fill(scenario)
    cycle = since // CYCLE
    cycles = int(cycle.max()) + 1 if len(cycle) else 1
    demand = np.zeros((count, cycles), dtype=np.int64)
    np.add.at(demand, (groups, cycle), 1)
    early = (since % CYCLE < SAFETY) & (cycle > 0)
    np.add.at(demand, (groups[early], cycle[early] - 1), 1)
    return demand
