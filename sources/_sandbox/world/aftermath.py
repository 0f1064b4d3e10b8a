"""What follows from a cause: requests, goods on their way back, refunds, new orders.

Belongs here: the kind, end and dates of each fate. Does not belong here: causes (`causes.py`) and
money (`return_tables.py`).
"""

from __future__ import annotations

import numpy as np

from sources._sandbox.scenario import Scenario
from sources._sandbox.world import dispatch
from sources._sandbox.world.catalogue import Catalogue
from sources._sandbox.world.demand import NEVER, Lines, Orders
from sources._sandbox.world.dispatch import Parcels, Units, hours
from sources._sandbox.world.draws import Draws, Flags, Floats, Ids, Ints
from sources._sandbox.world.fates import (
    BACK,
    EXCHANGE,
    MISSING,
    NO_FAULT,
    NOTHING,
    REFUND,
    REPLACEMENT,
    RETURN,
    RETURNLESS,
    WITHDRAWN,
    Fates,
)
from sources._sandbox.world.markets import Places
from sources._sandbox.world.reasons import codes_of, dispositions


def follow(
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
    markets = orders.market[order]
    own_shop = np.array([m.is_own_shop for m in places.markets])[markets]
    by_walmart = np.array([m.connector == "walmart" for m in places.markets])[markets]
    replaces, exchanges = np.array([m.resends for m in places.markets])[markets].T
    fba = orders.is_fba[order]
    kind = _kinds(draws, parcels.state[order, parcel], reason, fault, ~fba, ids)
    sku = lines.sku[units.line[unit]]
    has_sizes = np.array([len(s) > 1 for s in catalogue.siblings])[sku]
    ends = _ends(draws, kind, reason, has_sizes, ids)
    ends = np.where(
        own_shop & (ends == REPLACEMENT), np.where(kind == RETURN, EXCHANGE, REFUND), ends
    )
    ends = np.where((ends == REPLACEMENT) & ~replaces, REFUND, ends)
    ends = np.where((ends == EXCHANGE) & ~exchanges, REFUND, ends)
    state_at = parcels.state_at[order, parcel]
    unasked = (kind == BACK) & ~by_walmart  # Walmart opens a return itself
    requested = np.where(np.isin(kind, (BACK, MISSING)), state_at, requested)
    requested = np.where(unasked, NEVER, requested)
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
    draws: Draws, state: Ints, reason: np.ndarray, fault: np.ndarray, own: Flags, ids: Ids
) -> Ints:
    """Planted faults always show as goods coming back, so that their rates can be found."""
    healthy = fault == NO_FAULT
    soft = healthy & np.char.startswith(reason, ("remorse."))
    mild = healthy & ~np.char.startswith(reason, "product_defect.functional")
    luck = draws.uniform("kind", ids)
    kind = np.where(soft & own & (luck < 0.06), WITHDRAWN, RETURN)
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
