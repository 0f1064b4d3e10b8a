"""What happens to units after they left: causes, returns, refunds, exchanges, all with dates.

Belongs here: the fate of each troubled unit. Does not belong here: lots (`stock.py`), money
(`money.py`), words (`reasons.py`, `comments.py`).

One number per unit decides: its low end is the defect rate of the unit's lot, its high end is
shared out among all other causes. So a planted rate is the exact chance of its cause. Whether a
unit between the usual defect rate and a bad lot's is defective is known only once its lot is; such
fates are `is_conditional` and dropped later where the unit came from another lot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from sources._sandbox.scenario import Scenario
from sources._sandbox.world import dispatch, geography
from sources._sandbox.world.catalogue import Catalogue
from sources._sandbox.world.demand import DAY, HOUR, NEVER, SECOND, Lines, Orders
from sources._sandbox.world.dispatch import Parcels, Units, hours
from sources._sandbox.world.draws import Draws, Flags, Floats, Ids, Ints
from sources._sandbox.world.effects import (
    UnitFacts,
    day_number,
    healthy_causes,
    is_active,
    matches_lane,
    planted_causes,
)
from sources._sandbox.world.labels import Labels
from sources._sandbox.world.markets import Places
from sources._sandbox.world.reasons import SELLABLE, codes_of, dispositions

NO_FAULT = ""
KINDS = ("return", "withdrawn", "returnless", "lost", "undeliverable")
RETURN, WITHDRAWN, RETURNLESS, MISSING, BACK = range(5)
ENDS = ("refund", "exchange", "replacement", "none")
REFUND, EXCHANGE, REPLACEMENT, NOTHING = range(4)


@dataclass(frozen=True)
class Fates:
    """One entry per troubled unit; times in microseconds, NEVER where they never come."""

    unit: Ints  # index into Units
    serial: Ids  # of the fate: equal for units that share one return
    reason: np.ndarray
    fault: np.ndarray  # fault_id or ""
    luck: Floats  # below the lot's rate: defective
    is_conditional: Flags
    kind: Ints
    ends: Ints
    requested: Ints
    received: Ints
    posted: Ints
    closed: Ints
    refunded: Ints
    refund_share: Floats  # of the unit's value
    child_at: Ints  # when the replacement or exchange order is placed
    code: np.ndarray
    claimed: np.ndarray
    disposition: np.ndarray
    is_blank: Flags  # no licence plate
    redated_from: Ints
    redated_at: Ints

    def __len__(self) -> int:
        return len(self.unit)

    def where(self, keep: Flags) -> Fates:
        return Fates(**{f.name: getattr(self, f.name)[keep] for f in fields(self)})


@dataclass(frozen=True)
class Concessions:
    """Partial refunds on units that the buyer keeps; `nth` is 1 or 2."""

    unit: Ints
    nth: Ints
    at: Ints
    share: Floats


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
    return _follow(
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


def of_its_lot(
    scenario: Scenario, fates: Fates, lot: Ints, lots: Sequence[Mapping[str, Any]]
) -> Fates:
    """The same fates, those of bad lots with the fault of the very lot that the unit came from."""
    fault = fates.fault.copy()
    names = {(f.get("sku"), f.get("lot")): f.fault_id for f in scenario.faults_of("bad_lot")}
    for number, row in enumerate(lots):
        if (row["sku"], row["lot_id"]) in names:
            mine = fates.is_conditional & (lot[fates.unit] == number)
            fault[mine] = names[row["sku"], row["lot_id"]]
    return replace(fates, fault=fault)


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


def _follow(
    scenario: Scenario,
    places: Places,
    catalogue: Catalogue,
    draws: Draws,
    orders: Orders,
    lines: Lines,
    parcels: Parcels,
    units: Units,
    unit: Ints,
    reason: np.ndarray,
    fault: np.ndarray,
    luck: Floats,
    is_conditional: Flags,
    requested: Ints,
) -> Fates:
    """Everything after the trouble, by its reason."""
    order, parcel = units.order[unit], units.parcel[unit]
    ids = units.fate[unit]
    files = np.array([m.connector == "files" for m in places.markets])[orders.market[order]]
    fba = orders.is_fba[order]
    kind = _kinds(draws, parcels.state[order, parcel], reason, fault, files, ids)
    sku = lines.sku[units.line[unit]]
    has_sizes = np.array([len(s) > 1 for s in catalogue.siblings])[sku]
    ends = _ends(draws, kind, reason, has_sizes, ids)
    state_at = parcels.state_at[order, parcel]
    requested = np.where(kind == BACK, NEVER, np.where(kind == MISSING, state_at, requested))
    received = _received(draws, kind, fba, requested, state_at, ids)
    late = draws.chance("posted.late?", ids, 0.03)
    posted = received + np.where(
        late, hours(draws, "posted.late", ids, 120, 960), hours(draws, "posted", ids, 2, 26)
    )
    sound = np.isin(fault, [f.fault_id for f in scenario.faults_of("no_fault_found")])
    resale = np.array([c.resale_share for c in catalogue.categories])[sku]
    code, claimed = codes_of(draws, reason, ids)
    share = _refund_shares(draws, kind, ends, fault, ids)
    blank, redated_from, redated_at = _plates(draws, received, posted, fba, ids)
    return Fates(
        unit=unit,
        serial=ids,
        reason=reason,
        fault=fault,
        luck=luck,
        is_conditional=is_conditional,
        kind=kind,
        ends=ends,
        requested=requested,
        received=received,
        posted=np.where(received < NEVER, posted, NEVER),
        closed=np.where(
            kind == WITHDRAWN, requested + hours(draws, "withdrawn", ids, 24, 240), NEVER
        ),
        refunded=_refunded(draws, kind, ends, fba, requested, received, state_at, ids),
        refund_share=share,
        child_at=_child_times(draws, ends, requested, ids),
        code=code,
        claimed=claimed,
        disposition=dispositions(draws, reason, ids, resale, sound),
        is_blank=blank,
        redated_from=redated_from,
        redated_at=redated_at,
    )


def _kinds(
    draws: Draws, state: Ints, reason: np.ndarray, fault: np.ndarray, files: Flags, ids: Ids
) -> Ints:
    """Planted faults always show as goods coming back, so that their rates can be found."""
    healthy = fault == NO_FAULT
    soft = healthy & np.char.startswith(reason, ("remorse."))
    mild = healthy & ~np.char.startswith(reason, "product_defect.functional")
    luck = draws.uniform("kind", ids)
    kind = np.where(soft & files & (luck < 0.06), WITHDRAWN, RETURN)
    kind = np.where(mild & (luck > 0.95), RETURNLESS, kind)
    kind = np.where(state == dispatch.LOST, MISSING, kind)
    return np.where(np.isin(state, (dispatch.REFUSED, dispatch.UNDELIVERABLE)), BACK, kind)


def _ends(draws: Draws, kind: Ints, reason: np.ndarray, has_sizes: Flags, ids: Ids) -> Ints:
    luck = draws.uniform("ends", ids)
    fit = np.char.startswith(reason, "fit.") & has_sizes
    defect = np.char.startswith(reason, "product_defect.") | (reason == "fulfilment.wrong_item")
    ends = np.where(fit & (luck < 0.15), EXCHANGE, REFUND)
    ends = np.where(defect & (luck < 0.1), REPLACEMENT, ends)
    ends = np.where((kind == RETURN) & (luck > 0.965), NOTHING, ends)
    ends = np.where(kind == RETURNLESS, REFUND, ends)
    lost = np.where(luck < 0.85, REFUND, np.where(luck < 0.93, REPLACEMENT, NOTHING))
    ends = np.where(kind == MISSING, lost, ends)
    ends = np.where(kind == BACK, np.where(luck < 0.95, REFUND, NOTHING), ends)
    return np.where(kind == WITHDRAWN, NOTHING, ends)


def _received(
    draws: Draws, kind: Ints, fba: Flags, requested: Ints, state_at: Ints, ids: Ids
) -> Ints:
    """Undeliverable goods come back to Amazon's centres; of own parcels nobody reports it."""
    usual = requested + hours(draws, "return.transit", ids, 80, 360)
    back = np.where(fba, state_at + hours(draws, "back.transit", ids, 72, 400), NEVER)
    return np.where(kind == RETURN, usual, np.where(kind == BACK, back, NEVER))


def _refunded(
    draws: Draws,
    kind: Ints,
    ends: Ints,
    fba: Flags,
    requested: Ints,
    received: Ints,
    state_at: Ints,
    ids: Ids,
) -> Ints:
    """FBA pays many buyers back at the first scan of the return, days before the goods are in."""
    after = received + hours(draws, "refund", ids, 3, 60)
    early = requested + hours(draws, "refund.early", ids, 40, 75)
    slow = received + hours(draws, "refund.slow", ids, 200, 600)
    luck = draws.uniform("refund.when", ids)
    goods = np.where(fba & (luck < 0.45), early, np.where(luck > 0.95, slow, after))
    told = requested + hours(draws, "refund.told", ids, 6, 96)
    back = np.where(received < NEVER, after, state_at + hours(draws, "refund.back", ids, 48, 300))
    when = np.where(kind == RETURN, goods, np.where(kind == BACK, back, told))
    return np.where(ends == REFUND, when, NEVER)


def _refund_shares(draws: Draws, kind: Ints, ends: Ints, fault: np.ndarray, ids: Ids) -> Floats:
    part = (kind == RETURN) & (fault == NO_FAULT) & draws.chance("refund.part?", ids, 0.02)
    percent = np.rint(draws.between("refund.part", ids, 50, 85)) / 100
    return np.where(ends != REFUND, 0.0, np.where(part, percent, 1.0))


def _child_times(draws: Draws, ends: Ints, requested: Ints, ids: Ids) -> Ints:
    when = requested + hours(draws, "child", ids, 1, 60)
    return np.where(np.isin(ends, (EXCHANGE, REPLACEMENT)), when, NEVER)


def _plates(
    draws: Draws, received: Ints, posted: Ints, fba: Flags, ids: Ids
) -> tuple[Flags, Ints, Ints]:
    """Blank licence plates, and rows shown with an earlier date before they are redated."""
    blank = ~fba | draws.chance("lpn.blank", ids, 0.08)
    redated = fba & ~blank & (received < NEVER) & draws.chance("redated", ids, 0.02)
    before = received - hours(draws, "redated.from", ids, 24, 160)
    after = posted + hours(draws, "redated.at", ids, 30, 200)
    return blank, np.where(redated, before, NEVER), np.where(redated, after, NEVER)


def make_concessions(draws: Draws, parcels: Parcels, units: Units, fates: Fates) -> Concessions:
    """One unit in a hundred gets money for a flaw and is kept; a quarter of these twice."""
    rows = np.flatnonzero((units.parcel >= 0) & (units.number == 1))
    rows = rows[~np.isin(rows, fates.unit)]
    delivered = parcels.delivered[units.order[rows], units.parcel[rows]]
    rows = rows[(delivered < NEVER) & draws.chance("concession", units.serial[rows], 0.01)]
    ids = units.serial[rows]
    first = parcels.delivered[units.order[rows], units.parcel[rows]]
    first = first + hours(draws, "concession.at", ids, 60, 700)
    again = draws.chance("concession.again", ids, 0.25)
    second = first + hours(draws, "concession.again.at", ids, 240, 700)
    share = np.rint(draws.between("concession.share", ids, 10, 35)) / 100
    return Concessions(
        unit=np.concatenate([rows, rows[again]]),
        nth=np.concatenate([np.full(len(rows), 1), np.full(int(again.sum()), 2)]),
        at=np.concatenate([first, second[again]]),
        share=np.concatenate([share, np.rint(share[again] * 60) / 100]),
    )


def restocks(fates: Fates, orders: Orders, units: Units, files: Flags) -> Ints:
    """When the unit is on the shelf again; NEVER for what is not fit for sale.

    Amazon's seller-fulfilled returns are sold off elsewhere: no source of the warehouse tells of
    them yet, and stock that nobody can see would make every estimate of lots drift.
    """
    order = units.order[fates.unit]
    fit = (fates.disposition == SELLABLE) & (fates.received < NEVER)
    return np.where(fit & (orders.is_fba[order] | files[order]), fates.received, NEVER)
