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
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from sources._sandbox.scenario import Scenario
from sources._sandbox.world.demand import NEVER
from sources._sandbox.world.dispatch import Parcels, Units, hours
from sources._sandbox.world.draws import Draws, Flags, Floats, Ids, Ints
from sources._sandbox.world.reasons import SELLABLE

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


def make_concessions(
    draws: Draws, parcels: Parcels, units: Units, fates: Fates, gives: Flags
) -> Concessions:
    """One unit in a hundred gets money for a flaw and is kept; a quarter of these twice."""
    rows = np.flatnonzero((units.parcel >= 0) & (units.number == 1) & gives[units.order])
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


def restocks(scenario: Scenario, draws: Draws, fates: Fates, units: Units, tells: Flags) -> Ints:
    """When the unit is on the shelf again; NEVER for what is not fit for sale.

    `tells` marks orders whose source says in which state goods came back. Of the others only what
    was inspected is put back, as stock that nobody can see would make estimates of lots drift.
    """
    order = units.order[fates.unit]
    fit = (fates.disposition == SELLABLE) & (fates.received < NEVER)
    inspected = draws.chance(
        "inspect", return_numbers(draws, fates.serial), scenario.inspection_share
    )
    return np.where(fit & (tells[order] | inspected), fates.received, NEVER)


def return_numbers(draws: Draws, keys: Ids) -> Ids:
    """The number of the return of each key: what `return_no` says in digits."""
    return draws.scatter("return", keys)
