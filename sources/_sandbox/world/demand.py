"""Who buys what, where and when: orders and their lines before anything is shipped.

Belongs here: orders, lines, prices, cancellations. Does not belong here: parcels (`dispatch.py`)
and what goes wrong (`fates.py`). Entities are numbered so that no number depends on how long the
world is: an order is (day * 10^6 + place in the day) * 256, a line order * 8 + line, a unit
line * 16 + unit; an order that replaces a unit has an odd number made of the unit's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sources._sandbox.scenario import Fault, Scenario
from sources._sandbox.world import geography
from sources._sandbox.world.catalogue import Catalogue
from sources._sandbox.world.draws import Draws, Flags, Floats, Ids, Ints
from sources._sandbox.world.effects import day_number, end_of, fault_skus, is_active
from sources._sandbox.world.labels import Labels
from sources._sandbox.world.markets import Market, Places

NEVER = 2**62
"""A time that never comes, in microseconds since 1970."""

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
ORDERS_A_DAY = 1_000_000
MAX_LINES, MAX_UNITS = 8, 16
CHILD_ROOM = 2 * MAX_LINES * MAX_UNITS

CANCELLERS = ("BUYER", "MERCHANT", "AMAZON")
CANCEL_REASONS = ("CHANGED_MIND", "OUT_OF_STOCK", "PAYMENT_FAILED")
PAYMENTS = ("card", "wallet", "cod")
LINKS = (None, "replacement", "exchange")

_WEEKDAY = (1.04, 0.98, 0.96, 0.95, 0.97, 1.02, 1.08)
_LINES = (0.78, 0.16, 0.045, 0.015)
_QUANTITIES = (0.86, 0.1, 0.025, 0.01, 0.003, 0.002)


@dataclass(frozen=True)
class Orders:
    """One entry per order. Times are microseconds since 1970 UTC, `NEVER` where they never come."""

    serial: Ids
    day: Ints
    market: Ints
    ordered: Ints
    paid: Ints
    cancelled: Ints
    canceller: Ints
    reason: Ints
    country: Labels
    buyer: Ints
    is_fraud: Flags
    is_fba: Flags
    is_business: Flags
    payment: Ints
    link: Ints  # index into LINKS
    parent: Ints  # index of the original order, -1: none

    def __len__(self) -> int:
        return len(self.serial)


@dataclass(frozen=True)
class Lines:
    """One entry per order line; money in minor units per unit, shipping per line."""

    serial: Ids
    order: Ints  # index into Orders
    number: Ints
    sku: Ints  # row of the catalogue
    quantity: Ints
    cancelled_quantity: Ints
    cancelled: Ints
    canceller: Ints
    reason: Ints
    price: Ints
    discount: Ints
    tax: Ints
    shipping: Ints
    shipping_discount: Ints
    shipping_tax: Ints

    def __len__(self) -> int:
        return len(self.serial)


def same_market(market: Market, text: str) -> bool:
    """Whether a fault's `marketplace` means this one (`DE`, `amazon_de` or an account)."""
    return text.lower() in {
        market.marketplace.lower(),
        market.country.lower(),
        market.account.name.lower(),
    }


def orders_by_day(scenario: Scenario, days: int) -> Ints:
    """How many orders each day has; a day's number depends on seed and day alone."""
    first = day_number(scenario.start)
    counts = []
    for day in range(first, first + days):
        mean = scenario.orders_per_day * _WEEKDAY[(day + 3) % 7]
        for fault in scenario.faults_of("season"):
            if is_active(fault, np.array([day]))[0]:
                mean *= float(fault.get("factor"))
        drawn = int(np.random.default_rng([scenario.seed, day]).poisson(mean))
        counts.append(min(drawn, ORDERS_A_DAY - 1))
    return np.array(counts, dtype=np.int64)


def make_orders(scenario: Scenario, places: Places, draws: Draws, days: int) -> Orders:
    """All orders of `days` days."""
    counts = orders_by_day(scenario, days)
    first = day_number(scenario.start)
    day = np.repeat(np.arange(days, dtype=np.int64), counts)
    place = np.arange(counts.sum(), dtype=np.int64) - np.repeat(np.cumsum(counts) - counts, counts)
    serial = ((day * ORDERS_A_DAY + place) * CHILD_ROOM).astype(np.uint64)
    market = draws.pick("market", serial, [m.weight for m in places.markets])
    population = np.array(
        [_population(scenario, places, m) for m in places.markets], dtype=np.int64
    )
    buyer = (population[market] * draws.uniform("buyer", serial) ** 1.7).astype(np.int64)
    is_fraud = np.zeros(len(serial), dtype=bool)
    _plant_fraud(scenario, places, draws, counts, market, buyer, is_fraud)
    day += first
    ordered = day * DAY + _second_of_day(draws, serial) * SECOND
    paid = ordered + _payment_delay(draws, serial) * SECOND
    cancelled, canceller, reason, paid = _cancellations(draws, serial, ordered, paid)
    amazon = np.array([m.connector == "amazon" for m in places.markets])
    share = np.array([m.account.fulfilled_by_marketplace * m.is_fulfilling for m in places.markets])
    return Orders(
        serial=serial,
        day=day,
        market=market,
        ordered=ordered,
        paid=np.where(is_fraud & (paid >= NEVER), ordered + 60 * SECOND, paid),
        cancelled=np.where(is_fraud, NEVER, cancelled),
        canceller=canceller,
        reason=reason,
        country=_countries(places, draws, market, buyer),
        buyer=buyer,
        is_fraud=is_fraud,
        is_fba=draws.chance("fba", serial, share[market]),
        is_business=amazon[market] & draws.chance("business", serial, 0.03),
        payment=draws.pick("payment", serial, (0.72, 0.25, 0.03)),
        link=np.zeros(len(serial), dtype=np.int64),
        parent=np.full(len(serial), -1, dtype=np.int64),
    )


def _population(scenario: Scenario, places: Places, market: Market) -> int:
    share = market.weight / sum(m.weight for m in places.markets)
    return max(60, int(scenario.orders_per_day * share * 120))


def _plant_fraud(
    scenario: Scenario,
    places: Places,
    draws: Draws,
    counts: Ints,
    market: Ints,
    buyer: Ints,
    is_fraud: Flags,
) -> None:
    """Turn some orders into those of buyers who send back empty boxes; of known buyers if any."""
    shops = [n for n, m in enumerate(places.markets) if m.connector == "files"]
    own = [n for n, m in enumerate(places.markets) if m.is_own_shop]
    target = shops or own or list(range(len(places.markets)))
    starts = np.cumsum(counts) - counts
    for fault in scenario.faults_of("return_fraud"):
        each = int(fault.get("orders_each"))
        first, last = end_of(fault, scenario.start, 6 * each)
        offset, span = (first - scenario.start).days, (last - first).days + 1
        for number in range(int(fault.get("buyers"))):
            for nth in range(each):
                key = (fault.fault_id, number, nth)
                day = offset + int(draws.one("fraud.day", *key) * span)
                if not 0 <= day < len(counts) or counts[day] == 0:
                    continue
                at = starts[day] + int(draws.one("fraud.place", *key) * counts[day])
                home = target[number % len(target)]
                market[at] = home
                buyer[at] = _population(scenario, places, places.markets[home]) + number
                is_fraud[at] = True


def _second_of_day(draws: Draws, serial: Ids) -> Ints:
    """Evenly through the day with a broad evening hump."""
    flat = draws.uniform("second", serial) * 86_400
    hump = draws.between("hump", serial, 15, 23) * 3600 + draws.uniform("hump.s", serial) * 3600
    return np.where(draws.chance("hump?", serial, 0.5), hump, flat).astype(np.int64) % 86_400


def _payment_delay(draws: Draws, serial: Ids) -> Ints:
    """Half an hour pending as a rule, up to two days for some."""
    slow = draws.between("pay.slow", serial, 3 * 3600, 48 * 3600)
    usual = draws.between("pay", serial, 60, 45 * 60)
    return np.where(draws.chance("pay.slow?", serial, 0.05), slow, usual).astype(np.int64)


def _cancellations(
    draws: Draws, serial: Ids, ordered: Ints, paid: Ints
) -> tuple[Ints, Ints, Ints, Ints]:
    """Whole orders cancelled before shipping: time, by whom, why, and payments that never came."""
    is_cancelled = draws.chance("cancel", serial, 0.03)
    unpaid = is_cancelled & draws.chance("cancel.unpaid", serial, 0.3)
    after = np.where(unpaid, ordered, paid)
    hours = draws.between("cancel.hours", serial, 0.2, 3.5)
    cancelled = np.where(is_cancelled, after + (hours * 3600).astype(np.int64) * SECOND, NEVER)
    who = np.where(unpaid, 2, draws.pick("cancel.who", serial, (0.7, 0.3)))
    return cancelled, who, who.copy(), np.where(unpaid, NEVER, paid)


def _countries(places: Places, draws: Draws, market: Ints, buyer: Ints) -> Labels:
    """A buyer stays in one country."""
    names = tuple(sorted({code for m in places.markets for code, _ in m.countries}))
    country = np.zeros(len(market), dtype=np.int64)
    ids = buyer_ids(market, buyer)
    for number, place in enumerate(places.markets):
        mine = market == number
        codes = np.array([names.index(code) for code, _ in place.countries])
        shares = [share for _, share in place.countries]
        country[mine] = codes[draws.pick(f"country.{number}", ids[mine], shares)]
    return Labels(names, country)


def buyer_ids(market: Ints, buyer: Ints) -> Ids:
    return (market * 10**10 + buyer).astype(np.uint64)


def make_lines(
    scenario: Scenario, places: Places, catalogue: Catalogue, draws: Draws, orders: Orders
) -> Lines:
    """The lines of all orders, priced."""
    count = np.where(orders.is_fraud, 1, draws.pick("lines", orders.serial, _LINES) + 1)
    order = np.repeat(np.arange(len(orders), dtype=np.int64), count)
    number = np.arange(len(order), dtype=np.int64) - np.repeat(np.cumsum(count) - count, count)
    serial = orders.serial[order] * np.uint64(MAX_LINES) + number.astype(np.uint64)
    sku = _skus(scenario, places, catalogue, draws, orders, order, serial)
    first = np.cumsum(count) - count
    twin = (number > 0) & draws.chance("twin", serial, 0.03)
    sku = np.where(twin, sku[first[order]], sku)
    quantity = draws.pick("quantity", serial, _QUANTITIES) + 1
    market = orders.market[order]
    price, discount, tax = prices_of(places, catalogue, draws, orders, order, sku)
    ship, ship_off, ship_tax = _shipping(places, draws, orders, order, number)
    can_split = can_split_lines(places, orders)
    can_cancel = np.array([m.cancels_lines for m in places.markets])[orders.market]
    lost, when, who = _line_cancellations(
        draws, orders, order, number, count, quantity, serial, can_split, can_cancel
    )
    gone = lost == quantity
    return (
        Lines(
            serial=serial,
            order=order,
            number=number + 1,
            sku=sku,
            quantity=quantity,
            cancelled_quantity=lost,
            cancelled=when,
            canceller=np.where(orders.cancelled[order] < NEVER, orders.canceller[order], who),
            reason=np.where(orders.cancelled[order] < NEVER, orders.reason[order], who),
            price=price,
            discount=discount,
            tax=tax,
            shipping=np.where(gone, 0, ship),
            shipping_discount=np.where(gone, 0, ship_off),
            shipping_tax=np.where(gone, 0, ship_tax),
        )
        if len(market)
        else _no_lines()
    )


def _no_lines() -> Lines:
    empty = np.zeros(0, dtype=np.int64)
    return Lines(np.zeros(0, dtype=np.uint64), *(empty for _ in range(14)))


def can_split_lines(places: Places, orders: Orders) -> Flags:
    """A file of orders has one state per line, so channels of files never split one."""
    return np.array([m.connector != "files" for m in places.markets])[orders.market]


def _skus(
    scenario: Scenario,
    places: Places,
    catalogue: Catalogue,
    draws: Draws,
    orders: Orders,
    order: Ints,
    serial: Ids,
) -> Ints:
    sku = draws.pick("sku", serial, catalogue.popularity)
    for fault in scenario.faults_of("mix_shift"):
        rows, shares = _shifted(catalogue, fault)
        here = [n for n, m in enumerate(places.markets) if same_market(m, fault.get("marketplace"))]
        touched = np.isin(orders.market[order], here) & is_active(fault, orders.day[order])
        touched &= draws.chance(f"mix.{fault.fault_id}", serial, min(sum(shares), 1.0))
        sku = np.where(touched, np.array(rows)[draws.pick("mix.sku", serial, shares)], sku)
    return sku


def _shifted(catalogue: Catalogue, fault: Fault) -> tuple[list[int], list[float]]:
    """SKUs that a shift of mix favours: those named, else those of the first product."""
    wanted = fault.get("sku_share")
    if isinstance(wanted, dict):
        pairs = [
            (catalogue.skus.index(k), float(v)) for k, v in wanted.items() if k in catalogue.skus
        ]
        if pairs:
            return [row for row, _ in pairs], [share for _, share in pairs]
        return [0], [0.0]
    rows = fault_skus(catalogue, fault) or list(catalogue.siblings[0])
    return rows, [float(wanted) / len(rows)] * len(rows)


def prices_of(
    places: Places, catalogue: Catalogue, draws: Draws, orders: Orders, order: Ints, sku: Ints
) -> tuple[Ints, Ints, Ints]:
    """Price, discount and tax of a unit. One SKU has one price per marketplace and month."""
    market = orders.market[order]
    month = (orders.day[order].astype("datetime64[D]").astype("datetime64[M]")).astype(np.int64)
    ids = (market * 10**10 + sku * 10**5 + month).astype(np.uint64)
    rate = np.array([geography.units_per_usd(m.currency) for m in places.markets])
    places_after_point = np.array([m.decimals for m in places.markets])
    tax_bp = np.array([m.tax_bp for m in places.markets], dtype=np.int64)
    included = np.array([m.prices_include_tax for m in places.markets])
    major = catalogue.usd[sku] * rate[market] * draws.between("price", ids, 0.95, 1.08)
    shown = _nice(major, places_after_point[market])
    bp = tax_bp[market]
    price = np.where(included[market], _rounded(shown * 10_000, 10_000 + bp), shown)
    per_cent = np.array([0, 5, 10, 20])[
        draws.pick("discount", orders.serial, (0.85, 0.06, 0.06, 0.03))
    ][order]
    discount = price * per_cent // 100
    return price, discount, _rounded((price - discount) * bp, np.full_like(bp, 10_000))


def _nice(major: Floats, digits: Ints) -> Ints:
    """19.99, 1980 yen: prices as shops write them, in minor units."""
    cents = np.maximum(np.rint(major), 1).astype(np.int64) * 100 - 1
    tens = np.maximum(np.rint(major / 100), 1).astype(np.int64) * 100 - 20
    return np.where(digits == 0, tens, cents)


def _rounded(amount: Ints, divisor: Ints) -> Ints:
    """Half up, for amounts that are not negative."""
    return (amount + divisor // 2) // divisor


def _shipping(
    places: Places, draws: Draws, orders: Orders, order: Ints, number: Ints
) -> tuple[Ints, Ints, Ints]:
    """Shipping price, discount and tax of the order, all on its first line."""
    market = orders.market[order]
    usd = np.where(orders.is_fba[order], 3.99, 5.49)
    rate = np.array([geography.units_per_usd(m.currency) for m in places.markets])
    digits = np.array([m.decimals for m in places.markets])
    tax_bp = np.array([m.tax_bp for m in places.markets], dtype=np.int64)
    serial = orders.serial[order]
    share = np.where(orders.is_fba[order], 0.15, 0.4)
    charged = (number == 0) & draws.chance("shipping", serial, share)
    shipping = np.where(charged, _nice(usd * rate[market], digits[market]), 0)
    free = draws.chance("shipping.free", serial, 0.3)
    off = np.where(free, shipping, 0)
    return shipping, off, _rounded((shipping - off) * tax_bp[market], np.full_like(market, 10_000))


def _line_cancellations(
    draws: Draws,
    orders: Orders,
    order: Ints,
    number: Ints,
    count: Ints,
    quantity: Ints,
    serial: Ids,
    can_split: Flags,
    can_cancel: Flags,
) -> tuple[Ints, Ints, Ints]:
    """Units cancelled before shipping: with the order, a part of a line, or one line of several."""
    whole = orders.cancelled[order] < NEVER
    some = (quantity > 1) & can_split[order] & draws.chance("cancel.part", serial, 0.05)
    part = 1 + ((quantity - 1) * draws.uniform("cancel.units", serial)).astype(np.int64)
    part = np.minimum(part, np.maximum(quantity - 1, 1))
    line = (number > 0) & (number == count[order] - 1) & draws.chance("cancel.line", serial, 0.03)
    calm = ~whole & ~orders.is_fraud[order] & can_cancel[order]
    lost = np.where(whole | (calm & line), quantity, np.where(calm & some, part, 0))
    minutes = draws.between("cancel.line.min", serial, 10, 200).astype(np.int64)
    own = orders.paid[order] + minutes * 60 * SECOND
    when = np.where(whole, orders.cancelled[order], np.where(lost > 0, own, NEVER))
    return lost, when, draws.pick("cancel.line.who", serial, (0.5, 0.5))
