"""The words and numbers that eBay and Walmart use for what the world knows by others.

Belongs here: codes of returns, numbers of cases. Does not belong here: rows (`market_tables.py`).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from sources._sandbox.world.draws import Draws, Ids

EBAY_CODES: Mapping[str, tuple[str, ...]] = {
    "product_defect": ("DEFECTIVE_ITEM",),
    "product_defect.missing_parts": ("MISSING_PARTS",),
    "product_defect.expired_short_dated": ("EXPIRED_ITEM",),
    "product_defect.authenticity_claim": ("FAKE_OR_COUNTERFEIT",),
    "description": ("NOT_AS_DESCRIBED", "DIFFERENT_FROM_LISTING"),
    "description.not_compatible": ("DOES_NOT_FIT",),
    "fit": ("WRONG_SIZE",),
    "fulfilment": ("ORDERED_DIFFERENT_ITEM",),
    "logistics": ("ARRIVED_DAMAGED",),
    "logistics.late": ("ARRIVED_LATE",),
    "remorse": ("NO_LONGER_NEED_ITEM", "RETURNING_GIFT"),
    "remorse.ordered_by_mistake": ("ORDERED_WRONG_ITEM", "ORDERED_ACCIDENTALLY"),
    "price": ("FOUND_BETTER_PRICE",),
    "unknown.no_reason": ("NO_REASON",),
    "": ("OTHER",),
}
"""What a buyer picks, by canonical reason or its first part; the first is the usual one."""

WALMART_CODES: Mapping[str, tuple[str, ...]] = {
    "product_defect": ("DEFECTIVE",),
    "product_defect.quality_cosmetic": ("INADEQUATE_QUALITY",),
    "product_defect.missing_parts": ("MISSING_PARTS",),
    "description": ("NOT_AS_DESCRIBED",),
    "fit": ("WRONG_SIZE/POOR_FIT",),
    "fulfilment": ("INCORRECT_ITEM",),
    "logistics": ("DAMAGED", "SHIPPING_BOX_DAMAGED"),
    "logistics.late": ("ARRIVED_LATE",),
    "logistics.not_received_lost": ("LOST_IN_TRANSIT", "LOST_AFTER_DELIVERY"),
    "logistics.undeliverable_refused": ("RETURN_TO_SENDER",),
    "logistics.undeliverable_address": ("RETURN_TO_SENDER",),
    "logistics.undeliverable_other": ("RETURN_TO_SENDER",),
    "remorse": ("NO_LONGER_WANTED", "BOUGHT_SOMEWHERE_ELSE"),
    "remorse.ordered_by_mistake": ("DUPLICATE_ITEM",),
    "price": ("LOWER_PRICE",),
    "": ("AUTO_RETURN",),
}

REASON_TYPES = {"remorse": "REMORSE", "price": "REMORSE", "unknown": "REMORSE", "fit": "REMORSE"}
"""eBay's class of a reason; all others are SNAD, the item is not as described."""


def market_codes(draws: Draws, connector: str, reasons: np.ndarray, ids: Ids) -> np.ndarray:
    """The code that each buyer picks for a canonical reason."""
    words = EBAY_CODES if connector == "ebay" else WALMART_CODES
    codes = np.full(len(reasons), "", dtype="U48")
    for reason in np.unique(reasons):
        mine = reasons == reason
        text = str(reason)
        choice = words.get(text) or words.get(text.split(".")[0]) or words[""]
        weights = [3.0] + [1.0] * (len(choice) - 1)
        codes[mine] = np.array(choice)[draws.pick("market.code", ids[mine], weights)]
    return codes


def market_return_id() -> pl.Expr:
    """The return as the marketplace numbers it, from `return_no`."""
    number = pl.col("return_no").str.slice(1)
    ebay, walmart = pl.format("5{}", number), pl.format("1037{}", number)
    return pl.when(pl.col("connector") == "ebay").then(ebay).otherwise(walmart)


def ebay_user(customer_no: str, country: str) -> str:
    """A buyer as eBay names him: buyers in America by an id that never changes, others by name."""
    number = customer_no.removeprefix("C").replace("-", "")
    return f"k{number}Qz" if country == "US" else f"buyer_{number}"
