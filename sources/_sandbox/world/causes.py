"""Why units come back: which cause, if any, each unit meets.

Belongs here: shares of each unit's number given to causes (see `fates.py`). Does not belong here:
what follows from a cause (`aftermath.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from sources._sandbox.scenario import Scenario
from sources._sandbox.world import dispatch, geography
from sources._sandbox.world.aftermath import follow
from sources._sandbox.world.catalogue import Catalogue
from sources._sandbox.world.demand import DAY, HOUR, NEVER, SECOND, Lines, Orders
from sources._sandbox.world.dispatch import Parcels, Units
from sources._sandbox.world.draws import Draws, Flags, Floats, Ints
from sources._sandbox.world.effects import (
    UnitFacts,
    day_number,
    healthy_causes,
    is_active,
    matches_lane,
    planted_causes,
)
from sources._sandbox.world.fates import NO_FAULT, Fates
from sources._sandbox.world.labels import Labels
from sources._sandbox.world.markets import Places


def unit_facts(
    places: Places, orders: Orders, lines: Lines, parcels: Parcels, units: Units, rows: Ints
) -> UnitFacts:
    """What faults may look at, for the units in `rows`."""
    order, parcel = units.order[rows], units.parcel[rows]
    centre = parcels.centre[order]
    return UnitFacts(
        sku=lines.sku[units.line[rows]],
        day=parcels.shipped[order, parcel] // DAY,
        country=orders.country[order],
        centre=Labels(tuple(c.name for c in places.centres), centre),
        carrier=parcels.carrier[order, parcel],
        service=parcels.service[order, parcel],
        origin=Labels(tuple(c.country for c in places.centres), centre),
        is_fraud_buyer=orders.is_fraud[order],
    )


@dataclass
class _Stories:
    """Reason and fault of each unit, as numbers while there are many units; -1: nothing."""

    number: Ints
    known: list[tuple[str, str]] = field(default_factory=list)

    def tell(self, mine: Flags | int, reason: str, fault_id: str) -> None:
        if (reason, fault_id) not in self.known:
            self.known.append((reason, fault_id))
        self.number[mine] = self.known.index((reason, fault_id))

    def reasons(self, rows: Ints) -> np.ndarray:
        names = np.array([reason for reason, _ in self.known] or [""], dtype="U48")
        return names[self.number[rows]]

    def faults(self, rows: Ints) -> np.ndarray:
        names = np.array([fault for _, fault in self.known] or [""], dtype="U8")
        return names[self.number[rows]]


def make_fates(
    scenario: Scenario,
    places: Places,
    catalogue: Catalogue,
    draws: Draws,
    orders: Orders,
    lines: Lines,
    parcels: Parcels,
    units: Units,
) -> Fates:
    """The fates of all units of ordinary orders."""
    rows = np.flatnonzero(units.parcel >= 0)
    order, parcel = units.order[rows], units.parcel[rows]
    facts = unit_facts(places, orders, lines, parcels, units, rows)
    luck = draws.uniform("fate", units.fate[rows])
    stories = _Stories(np.full(len(rows), -1, dtype=np.int64))
    _top_causes(scenario, catalogue, facts, luck, stories)
    usual, worst = defect_rates(scenario, catalogue, facts)
    is_conditional = (luck >= usual) & (luck < worst)
    stories.tell(luck < usual, "product_defect.functional", NO_FAULT)
    for planted in scenario.faults_of("bad_lot"):
        mine = facts.sku == catalogue.skus.index(planted.get("sku"))
        stories.tell(is_conditional & mine, planted.get("reason"), planted.fault_id)
    delivered = parcels.delivered[order, parcel]
    requested = _asked(draws, units, rows, delivered)
    _plant_safety(scenario, catalogue, facts, delivered, stories, requested, is_conditional)
    state = parcels.state[order, parcel]
    is_conditional &= state == dispatch.DELIVERED
    _undelivered(scenario, facts, state, stories)
    in_trouble = (state != dispatch.DELIVERED) | (requested < NEVER)
    picked = np.flatnonzero((stories.number >= 0) & in_trouble)
    return follow(
        scenario,
        places,
        catalogue,
        draws,
        orders,
        lines,
        parcels,
        units,
        rows[picked],
        stories.reasons(picked),
        stories.faults(picked),
        luck[picked],
        is_conditional[picked],
        requested[picked],
    )


def _top_causes(
    scenario: Scenario, catalogue: Catalogue, facts: UnitFacts, luck: Floats, stories: _Stories
) -> None:
    """Causes other than defects of the lot: shares of the high end of each unit's number."""
    pull = facts.country.values([geography.country(c).returns for c in facts.country.names])
    rest = 1.0 - luck
    below = np.zeros(len(luck))
    causes = planted_causes(scenario, catalogue, facts)
    causes += healthy_causes(scenario, catalogue, facts, pull)
    for cause in causes:
        hit = (rest > below) & (rest <= below + cause.share) & (cause.share > 0)
        stories.tell(hit, cause.reason, cause.fault_id or NO_FAULT)
        below += cause.share


def defect_rates(
    scenario: Scenario, catalogue: Catalogue, facts: UnitFacts
) -> tuple[Floats, Floats]:
    """Usual defect rate of each unit, and the rate if it came from the worst lot of its SKU."""
    usual = np.array([c.defect_rate for c in catalogue.categories])[facts.sku]
    worst = usual.copy()
    for fault in scenario.faults_of("bad_lot"):
        mine = (facts.sku == catalogue.skus.index(fault.get("sku"))) & is_active(fault, facts.day)
        worst = np.where(mine, np.maximum(worst, fault.get("rate")), worst)
    return usual, worst


def _asked(draws: Draws, units: Units, rows: Ints, delivered: Ints) -> Ints:
    """When the buyer would ask for a return: days to months after delivery."""
    days = np.minimum(1.0 + draws.lognormal("ask", units.fate[rows], 10.0, 0.85), 150.0)
    asked = delivered + (days * (DAY // SECOND)).astype(np.int64) * SECOND
    return np.where(delivered < NEVER, asked, NEVER)


def _plant_safety(
    scenario: Scenario,
    catalogue: Catalogue,
    facts: UnitFacts,
    delivered: Ints,
    stories: _Stories,
    requested: Ints,
    is_conditional: Flags,
) -> None:
    """One report of an allergy per fault, by whoever got the product last before that day."""
    for planted in scenario.faults_of("safety"):
        noon = day_number(planted.get("date")) * DAY + 12 * HOUR
        mine = facts.sku == catalogue.skus.index(planted.get("sku"))
        mine &= (delivered < noon - DAY) & (delivered > noon - 60 * DAY)
        if not mine.any():
            continue
        last = int(np.argmax(np.where(mine, delivered, -1)))
        stories.tell(last, "product_defect.safety_allergy", planted.fault_id)
        requested[last] = noon
        is_conditional[last] = False


def _undelivered(scenario: Scenario, facts: UnitFacts, state: Ints, stories: _Stories) -> None:
    """Parcels that never arrived, with the lossy lane behind it where there is one."""
    stories.tell(state == dispatch.LOST, "logistics.not_received_lost", NO_FAULT)
    stories.tell(state == dispatch.REFUSED, "logistics.undeliverable_refused", NO_FAULT)
    stories.tell(state == dispatch.UNDELIVERABLE, "logistics.undeliverable_other", NO_FAULT)
    for planted in scenario.faults_of("lossy_lane"):
        lane = matches_lane(planted, facts) & (state == dispatch.LOST)
        stories.tell(lane, "logistics.not_received_lost", planted.fault_id)
