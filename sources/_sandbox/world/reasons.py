"""How a true cause shows: the code a buyer picks, what the warehouse finds.

Belongs here: words only. Does not belong here: dates, money, chances of a cause.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sources._sandbox.world.draws import Draws, Ids

AMAZON_CODES: Mapping[str, tuple[str, ...]] = {
    "product_defect.functional": ("DEFECTIVE",),
    "product_defect.quality_cosmetic": ("QUALITY_UNACCEPTABLE",),
    "product_defect.missing_parts": ("MISSING_PARTS",),
    "product_defect.durability_warranty": ("WARRANTY",),
    "product_defect.expired_short_dated": ("QUALITY_UNACCEPTABLE",),
    "product_defect.safety_allergy": ("DEFECTIVE",),
    "product_defect.authenticity_claim": ("NOT_AS_DESCRIBED",),
    "description.not_as_described": ("NOT_AS_DESCRIBED",),
    "description.colour_material": ("DID_NOT_LIKE_COLOR", "DID_NOT_LIKE_FABRIC"),
    "description.not_compatible": ("NOT_COMPATIBLE", "PART_NOT_COMPATIBLE"),
    "description.performance_expectation": ("NOT_AS_DESCRIBED",),
    "fit.too_small": ("APPAREL_TOO_SMALL",),
    "fit.too_large": ("APPAREL_TOO_LARGE",),
    "fit.fit_unspecified": ("POOR_FIT",),
    "fit.comfort": ("POOR_FIT",),
    "logistics.damaged_in_transit": ("DAMAGED_BY_CARRIER",),
    "logistics.late": ("MISSED_ESTIMATED_DELIVERY",),
    "logistics.not_received_lost": ("NEVER_ARRIVED",),
    "logistics.undeliverable_refused": ("UNDELIVERABLE_REFUSED",),
    "logistics.undeliverable_address": ("UNDELIVERABLE_INSUFFICIENT_ADDRESS",),
    "logistics.undeliverable_other": (
        "UNDELIVERABLE_UNKNOWN",
        "UNDELIVERABLE_FAILED_DELIVERY_ATTEMPTS",
        "UNDELIVERABLE_UNCLAIMED",
    ),
    "fulfilment.wrong_item": ("SWITCHEROO",),
    "fulfilment.extra_item": ("EXTRA_ITEM",),
    "fulfilment.damaged_in_warehouse": ("DAMAGED_BY_FC",),
    "remorse.changed_mind": ("UNWANTED_ITEM",),
    "remorse.ordered_by_mistake": ("ORDERED_WRONG_ITEM", "MISORDERED"),
    "remorse.style_preference": ("APPAREL_STYLE",),
    "remorse.too_difficult": ("EXCESSIVE_INSTALLATION",),
    "price.better_price": ("FOUND_BETTER_PRICE",),
    "fraud.empty_or_switched_return": ("UNWANTED_ITEM", "NO_REASON_GIVEN"),
    "fraud.unauthorised_purchase": ("UNAUTHORIZED_PURCHASE",),
    "unknown.no_reason": ("NO_REASON_GIVEN",),
}
"""Codes that show a cause in the FBA report; the first is the usual one."""

CLAIMED: Mapping[str, str] = {
    "product_defect.expired_short_dated": "product_defect.quality_cosmetic",
    "product_defect.safety_allergy": "product_defect.functional",
    "product_defect.authenticity_claim": "description.not_as_described",
    "description.performance_expectation": "description.not_as_described",
    "fit.comfort": "fit.fit_unspecified",
}
"""What the code says where no code says the cause itself."""

SILENT_CODE, SILENT = "NO_REASON_GIVEN", "unknown.no_reason"
SILENT_SHARE = 0.03
"""Buyers with a reason who pick none; what it was is in their comment, if they write one."""

GUIDED: Mapping[str, str] = {
    "DEFECTIVE": "AMZ-PG-BAD-ITEM",
    "NOT_AS_DESCRIBED": "AMZ-PG-BAD-DESC",
    "APPAREL_TOO_SMALL": "AMZ-PG-APP-TOO-SMALL",
    "APPAREL_TOO_LARGE": "AMZ-PG-APP-TOO-LARGE",
    "APPAREL_STYLE": "AMZ-PG-APP-STYLE",
    "MISORDERED": "AMZ-PG-MISORDERED",
    "ORDERED_WRONG_ITEM": "AMZ-PG-MISORDERED",
    "DAMAGED_BY_CARRIER": "AMZ-PG-DAMAGED",
}
"""The second vocabulary, for buyers whom Amazon asks step by step."""

_OF_CARRIER = ("logistics.undeliverable", "logistics.not_received")

SELLABLE, DEFECTIVE, CUSTOMER, DAMAGED, CARRIER, EXPIRED = (
    "SELLABLE",
    "DEFECTIVE",
    "CUSTOMER_DAMAGED",
    "DAMAGED",
    "CARRIER_DAMAGED",
    "EXPIRED",
)


def codes_of(draws: Draws, reasons: np.ndarray, ids: Ids) -> tuple[np.ndarray, np.ndarray]:
    """Amazon's code that each buyer picks, and the canonical reason that the code means."""
    codes = np.full(len(reasons), "UNKNOWN_OTHER_REASON", dtype="U48")
    claimed = np.full(len(reasons), "unknown.other", dtype="U48")
    for reason in np.unique(reasons):
        mine = reasons == reason
        words = AMAZON_CODES.get(str(reason))
        if words is None:
            continue
        weights = [3.0] + [1.0] * (len(words) - 1)
        picked = np.array(words)[draws.pick("code", ids[mine], weights)]
        codes[mine] = picked
        meaning = np.full(len(picked), CLAIMED.get(str(reason), str(reason)), dtype="U48")
        if str(reason) == "fraud.empty_or_switched_return":
            quiet = picked == "NO_REASON_GIVEN"
            meaning = np.where(quiet, "unknown.no_reason", "remorse.changed_mind")
        claimed[mine] = meaning
    of_carrier = [np.char.startswith(reasons, start) for start in _OF_CARRIER]
    silent = draws.chance("code.silent", ids, SILENT_SHARE) & ~np.logical_or.reduce(of_carrier)
    codes[silent], claimed[silent] = SILENT_CODE, SILENT
    return codes, claimed


def guided_codes(draws: Draws, codes: np.ndarray, keys: Ids) -> np.ndarray:
    """Codes of seller-fulfilled returns: `CR-` before the code, or the words of the guide."""
    guided = np.array([GUIDED.get(str(code), "") for code in codes], dtype="U48")
    is_guided = (guided != "") & draws.chance("guided", keys, 0.3)
    return np.where(is_guided, guided, np.char.add("CR-", codes.astype("U48")))


def dispositions(
    draws: Draws, reasons: np.ndarray, ids: Ids, resale: np.ndarray, is_sound: np.ndarray
) -> np.ndarray:
    """What the warehouse finds; `resale` is the share that comes back fit for sale, `is_sound`
    marks claimed defects that are none."""
    luck = draws.uniform("disposition", ids)
    harmed = np.where(
        luck < resale + (1 - resale) * 0.75, CUSTOMER, np.where(luck < 0.985, DAMAGED, CARRIER)
    )
    found = np.where(luck < resale, SELLABLE, harmed).astype("U24")
    defect = np.char.startswith(reasons, "product_defect.")
    found[defect] = np.where(luck[defect] < 0.92, DEFECTIVE, CUSTOMER)
    found[reasons == "product_defect.expired_short_dated"] = EXPIRED
    transit = reasons == "logistics.damaged_in_transit"
    found[transit] = np.where(luck[transit] < 0.7, CARRIER, DAMAGED)
    found[reasons == "fraud.empty_or_switched_return"] = CUSTOMER
    back = np.char.startswith(reasons, "logistics.undeliverable")
    found[back] = np.where(luck[back] < 0.85, SELLABLE, CARRIER)
    found[is_sound] = SELLABLE
    return found
