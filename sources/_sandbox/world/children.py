"""Orders that follow from returns: free replacements and exchanges for another size.

Belongs here: the new orders and their single lines. Nothing goes wrong with them any more.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar

import numpy as np

from sources._sandbox.world.catalogue import Catalogue
from sources._sandbox.world.demand import (
    DAY,
    MAX_LINES,
    MAX_UNITS,
    NEVER,
    SECOND,
    Lines,
    Orders,
    prices_of,
)
from sources._sandbox.world.dispatch import Parcels, Units
from sources._sandbox.world.draws import Draws, Ints
from sources._sandbox.world.fates import EXCHANGE, Fates
from sources._sandbox.world.labels import Labels, together
from sources._sandbox.world.markets import Places

Rows = TypeVar("Rows", Orders, Lines, Parcels, Units)


def joined(first: Rows, second: Rows) -> Rows:
    """Both, one after the other; indices into other tables must already fit the whole."""
    pairs: dict[str, Any] = {}
    for field in fields(first):
        one, two = getattr(first, field.name), getattr(second, field.name)
        is_labels = isinstance(one, Labels)
        pairs[field.name] = together(one, two) if is_labels else np.concatenate([one, two])
    return type(first)(**pairs)


def make_children(
    places: Places,
    catalogue: Catalogue,
    draws: Draws,
    orders: Orders,
    lines: Lines,
    units: Units,
    fates: Fates,
) -> tuple[Orders, Lines, Ints]:
    """Replacement and exchange orders, their lines, and for each the fate it comes from.

    In a shop of the seller's own they are no orders to the outside: their lines are numbered on
    beyond those that the parent can have, and cost their full price: the credit for what comes back
    is reckoned there.
    """
    fate = np.flatnonzero(fates.child_at < NEVER)
    unit = fates.unit[fate]
    line, parent = units.line[unit], units.order[unit]
    within = (lines.number[line] - 1) * MAX_UNITS + units.number[unit] - 1
    serial = (orders.serial[parent] // np.uint64(2) + within.astype(np.uint64)) * np.uint64(2)
    serial = serial + np.uint64(1)
    placed = fates.child_at[fate]
    is_exchange = fates.ends[fate] == EXCHANGE
    none = np.zeros(len(fate), dtype=np.int64)
    children = Orders(
        serial=serial,
        day=placed // DAY,
        market=orders.market[parent],
        ordered=placed,
        paid=placed + 60 * SECOND,
        cancelled=np.full(len(fate), NEVER),
        canceller=none,
        reason=none,
        country=orders.country[parent],
        buyer=orders.buyer[parent],
        is_fraud=np.zeros(len(fate), dtype=bool),
        is_fba=orders.is_fba[parent],
        is_business=orders.is_business[parent],
        payment=orders.payment[parent],
        link=np.where(is_exchange, 2, 1),
        parent=parent,
    )
    sku = np.where(
        is_exchange, _other_size(catalogue, lines.sku[line], fates.reason[fate]), lines.sku[line]
    )
    own = np.arange(len(fate), dtype=np.int64)
    price, _, _ = prices_of(places, catalogue, draws, children, own, sku)
    paid_before = lines.price[line] - lines.discount[line]
    tax_bp = np.array([m.tax_bp for m in places.markets], dtype=np.int64)[children.market]
    is_same_order = np.array([m.is_own_shop for m in places.markets])[children.market]
    discount = np.where(is_same_order, 0, np.minimum(price, paid_before))
    child_lines = Lines(
        serial=serial * np.uint64(8),
        order=own + len(orders),
        number=np.where(is_same_order, within + MAX_LINES, 0) + 1,
        sku=sku,
        quantity=none + 1,
        cancelled_quantity=none,
        cancelled=np.full(len(fate), NEVER),
        canceller=none,
        reason=none,
        price=np.where(is_exchange, price, 0),
        discount=np.where(is_exchange, discount, 0),
        tax=np.where(is_exchange, ((price - discount) * tax_bp + 5_000) // 10_000, 0),
        shipping=none,
        shipping_discount=none,
        shipping_tax=none,
    )
    return children, child_lines, fate


def _other_size(catalogue: Catalogue, sku: Ints, reason: np.ndarray) -> Ints:
    """The next size in the direction that helps; at the end of the range the other way."""
    up, down = np.arange(len(catalogue.skus)), np.arange(len(catalogue.skus))
    for siblings in catalogue.siblings:
        for place, row in enumerate(siblings):
            up[row] = siblings[min(place + 1, len(siblings) - 1)]
            down[row] = siblings[max(place - 1, 0)]
    smaller = reason == "fit.too_large"
    is_fit = np.char.startswith(reason, "fit.")
    wanted = np.where(smaller, down[sku], up[sku])
    wanted = np.where(wanted == sku, np.where(smaller, up[sku], down[sku]), wanted)
    return np.where(is_fit, wanted, sku)
