"""What planted faults do to a unit's chances.

Belongs here: which units a fault touches, and with what rate. Does not belong here: drawing luck
(`fates.py`) or what follows from a cause.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from sources._sandbox.scenario import Fault, Scenario
from sources._sandbox.world.catalogue import Catalogue
from sources._sandbox.world.draws import Flags, Floats, Ints
from sources._sandbox.world.labels import Labels

FIT_REASONS = ("fit.too_small", "fit.too_large", "fit.fit_unspecified", "fit.comfort")

_CHANGE_REASONS = {
    "size_chart": ("fit.",),
    "listing_text": ("description.", "fit."),
    "photo": ("description.",),
    "price": ("price.", "remorse."),
    "packaging": ("logistics.damaged",),
    "supplier": ("product_defect.",),
    "lot": ("product_defect.",),
    "warehouse": ("fulfilment.",),
    "carrier": ("logistics.",),
}


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - date(1970, 1, 1)).days


def is_active(fault: Fault, days: Ints) -> Flags:
    """Whether the fault is on, by day number."""
    low = day_number(fault.from_date) if fault.from_date else -(2**31)
    high = day_number(fault.to_date) if fault.to_date else 2**31
    return (days >= low) & (days <= high)


@dataclass(frozen=True)
class UnitFacts:
    """What a fault may look at, one entry per shipped unit. Days are of shipping."""

    sku: Ints
    day: Ints
    country: Labels
    centre: Labels
    carrier: Labels
    service: Labels
    origin: Labels
    is_fraud_buyer: Flags


@dataclass(frozen=True)
class Cause:
    """One thing that goes wrong with the units in `share` (probability each)."""

    reason: str
    fault_id: str | None
    share: Floats


def fault_skus(catalogue: Catalogue, fault: Fault) -> list[int]:
    return catalogue.rows_of(sku=fault.get("sku"), product=fault.get("product"))


def matches_lane(fault: Fault, facts: UnitFacts) -> Flags:
    """Units whose lane is the fault's; a part that the fault leaves out fits any."""
    match = is_active(fault, facts.day)
    for name, values in (
        ("carrier", facts.carrier),
        ("service", facts.service),
        ("origin", facts.origin),
        ("destination", facts.country),
    ):
        if fault.get(name) is not None:
            match &= values.equals(fault.get(name))
    return match


def planted_causes(scenario: Scenario, catalogue: Catalogue, facts: UnitFacts) -> list[Cause]:
    """Causes of all faults except bad lots (which depend on the lot, see `stock.py`)."""
    causes: list[Cause] = []
    for fault in scenario.faults:
        reason, touched, rate = _touched(fault, catalogue, facts)
        if reason:
            share = np.where(touched & is_active(fault, facts.day), rate, 0.0)
            causes.append(
                Cause(reason, fault.fault_id, share * _relief(scenario, catalogue, facts, reason))
            )
    return causes


def _touched(fault: Fault, catalogue: Catalogue, facts: UnitFacts) -> tuple[str, Flags, float]:
    rate = float(fault.get("rate", 0.0))
    of_sku = np.isin(facts.sku, fault_skus(catalogue, fault))
    if fault.kind == "size_bias":
        country = fault.get("country")
        here = facts.country.equals(country) if country else np.full(len(facts.sku), True)
        return f"fit.{fault.get('direction')}", of_sku & here, rate
    if fault.kind == "listing_mismatch":
        return "description.not_as_described", of_sku, rate
    if fault.kind == "no_fault_found":
        return "product_defect.functional", of_sku, rate
    if fault.kind == "wrong_item":
        return "fulfilment.wrong_item", facts.centre.equals(fault.get("warehouse")), rate
    if fault.kind == "damaging_carrier":
        return "logistics.damaged_in_transit", facts.carrier.equals(fault.get("carrier")), rate
    if fault.kind == "return_fraud":
        return "fraud.empty_or_switched_return", facts.is_fraud_buyer, 1.0
    if fault.kind == "slow_lane":
        return "logistics.late", matches_lane(fault, facts), 0.03
    return "", of_sku, 0.0


def healthy_causes(
    scenario: Scenario, catalogue: Catalogue, facts: UnitFacts, pull: Floats
) -> list[Cause]:
    """What goes wrong anyway; `pull` is how readily the unit's country returns (1 = average)."""
    reasons = sorted({reason for c in catalogue.categories for reason in c.reasons})
    causes = []
    for reason in reasons:
        by_sku = np.array([c.reasons.get(reason, 0.0) for c in catalogue.categories])
        if by_sku.any():
            share = by_sku[facts.sku] * pull * _relief(scenario, catalogue, facts, reason)
            causes.append(Cause(reason, None, share))
    return causes


def _relief(scenario: Scenario, catalogue: Catalogue, facts: UnitFacts, reason: str) -> Floats:
    """Factor that the seller's interventions leave of a cause's rate."""
    factor = np.ones(len(facts.sku))
    for fault in scenario.faults_of("intervention"):
        kind = str(fault.get("change") or fault.get("change_kind") or "")
        prefixes = _CHANGE_REASONS.get(kind, ("",))
        if not reason.startswith(prefixes):
            continue
        touched = np.isin(facts.sku, fault_skus(catalogue, fault))
        touched &= facts.day >= day_number(fault.get("date"))
        if fault.get("country"):
            touched &= facts.country.equals(fault.get("country"))
        factor = np.where(touched, factor * (1.0 - intervention_effect(fault)), factor)
    return factor


def intervention_effect(fault: Fault) -> float:
    """Share of the returns that the change does away with: a number, or true/works = one half."""
    effect = fault.get("effect")
    if isinstance(effect, bool):
        return 0.5 if effect else 0.0
    if isinstance(effect, (int, float)):
        return min(max(float(effect), -1.0), 1.0)
    return 0.5 if str(effect).lower() in {"works", "better", "yes", "true"} else 0.0


def end_of(fault: Fault, start: date, days: int) -> tuple[date, date]:
    """First and last day of a fault; without them, from the start on for `days`."""
    first = fault.from_date or start
    return first, fault.to_date or first + timedelta(days=days)
