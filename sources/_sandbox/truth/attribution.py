"""Who bears a cost, by the reason for it, and amounts split exactly.

Belongs here: the distribution of `facts/metrics.md` 4.2 and the largest remainder of its section 2.
Does not belong here: which costs there are (`costs.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal

PARTIES = (
    "product", "supplier", "listing", "logistics", "warehouse", "customer", "marketplace",
    "unknown",
)  # fmt: skip
HALF, WHOLE = Decimal("0.5"), Decimal(1)
STEP = Decimal("0.0001")

# The seller's own part stands with the listing: there is no party of that name.
_BY_TOPIC: Mapping[str, Mapping[str, Decimal]] = {
    "product_defect": {"product": HALF, "supplier": HALF},
    "description": {"listing": WHOLE},
    "fit": {"product": Decimal("0.3"), "listing": Decimal("0.7")},
    "logistics": {"logistics": WHOLE},
    "fulfilment": {"warehouse": WHOLE},
    "remorse": {"customer": WHOLE},
    "price": {"customer": WHOLE},
    "fraud": {"customer": WHOLE},
    "policy": {"listing": HALF, "marketplace": HALF},
    "unknown": {"unknown": WHOLE},
}
_BY_REASON: Mapping[str, Mapping[str, Decimal]] = {
    "product_defect.missing_parts": {"supplier": WHOLE},
    "product_defect.expired_short_dated": {"supplier": HALF, "warehouse": HALF},
    "product_defect.safety_allergy": {"product": WHOLE},
    "product_defect.authenticity_claim": {"supplier": HALF, "listing": HALF},
    "description.performance_expectation": {"product": HALF, "listing": HALF},
    "logistics.undeliverable_address": {"logistics": HALF, "customer": HALF},
    "logistics.undeliverable_refused": {"logistics": HALF, "customer": HALF},
    "logistics.undeliverable_other": {"logistics": HALF, "customer": HALF},
    "logistics.customs_duty": {"listing": HALF, "logistics": HALF},
}


def shares(reason: str) -> Mapping[str, Decimal]:
    """The share of each party that has one, in the order of `PARTIES`."""
    return _BY_REASON.get(reason) or _BY_TOPIC[reason.partition(".")[0]]


def allocated(
    amount: Decimal, weights: Mapping[str, Decimal], step: Decimal = STEP
) -> dict[str, Decimal]:
    """The amount by weight in whole steps, the rest to the largest remainders, first ones first."""
    whole = sum(weights.values())
    exact = {name: amount * weight / whole for name, weight in weights.items()}
    parts = {name: value.quantize(step, ROUND_FLOOR) for name, value in exact.items()}
    left = int((amount - sum(parts.values())) / step)
    by_remainder = sorted(parts, key=lambda name: parts[name] - exact[name])
    for name in by_remainder[:left]:
        parts[name] += step
    return parts
