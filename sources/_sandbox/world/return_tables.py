"""Tables of what came back and what was paid back.

Belongs here: returns and refunds as columns of `tables.py`.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from sources._sandbox.world import fates as fate
from sources._sandbox.world import geography
from sources._sandbox.world.comments import language_of, write_comments
from sources._sandbox.world.demand import DAY, NEVER
from sources._sandbox.world.draws import Flags, Floats, Ids, Ints
from sources._sandbox.world.effects import is_active
from sources._sandbox.world.market_words import market_codes
from sources._sandbox.world.markets import Market
from sources._sandbox.world.reasons import CARRIER, DAMAGED, SELLABLE, guided_codes
from sources._sandbox.world.sales_tables import (
    customer_numbers,
    is_shown,
    listing_skus,
    refund_keys,
    refund_texts,
    return_keys,
    return_texts,
)
from sources._sandbox.world.simulation import Simulation, digits, times

COMMENT_SHARE = 0.35
ADMIN_FEE_BP = 2_000  # of the commission
ADMIN_FEE_CAP_USD = 5.0

_SHIPPING_BACK = ("product_defect.", "fulfilment.", "logistics.", "description.")


def live_fates(sim: Simulation) -> Ints:
    """Fates that happened, to orders that belong to the world."""
    order = sim.units.order[sim.fates.unit]
    return np.flatnonzero(~sim.allocation.is_dropped & sim.is_kept[order])


def _first_of(keys: Ids) -> tuple[Ints, Ints]:
    """Place of the first of each key, and how many there are."""
    _, first, count = np.unique(keys, return_index=True, return_counts=True)
    return first, count


def returns_table(sim: Simulation, buyers: pl.DataFrame) -> pl.DataFrame:
    rows = live_fates(sim)
    rows = rows[is_shown(sim)[rows]]
    keys = return_keys(sim)[rows]
    first, count = _first_of(keys)
    row = rows[first]
    found, units = sim.fates, sim.units
    unit = found.unit[row]
    order, line = units.order[unit], units.line[unit]
    fba = sim.orders.is_fba[order]
    amazon = sim.is_amazon(order)
    reason = found.claimed[row]
    code = np.where(amazon, found.code[row], reason)
    code = np.where(amazon & ~fba, guided_codes(sim.draws, code, keys[first]), code)
    for connector in ("ebay", "walmart"):
        mine = sim.is_of(order, connector)
        code[mine] = market_codes(sim.draws, connector, reason[mine], keys[first][mine])
    received = found.received[row]
    goods = received < NEVER
    contacts = _contacts(sim, order, buyers)
    language = _languages(sim, order)
    accounts = sim.accounts(order)
    plate = digits(sim.draws.scatter("plate", keys[first]), 14)
    lpn = plate.to_frame("n").select(pl.format("LPNRR{}", "n").alias("n"))["n"]
    disposition = pl.Series(found.disposition[row])
    return pl.DataFrame(
        {
            "return_no": return_texts(sim, keys[first]),
            "account": accounts,
            "connector": sim.by_market("connector", order),
            "fulfilled_by": np.where(fba, "marketplace", "seller"),
            "order_id": sim.order_ids.gather(order),
            "line_no": sim.lines.number[line],
            "sku": sim.skus(sim.lines.sku[line]),
            "listing_sku": listing_skus(sim, order, sim.lines.sku[line]),
            "quantity": count,
            "fulfilment_centre_id": _return_centres(sim, order, keys[first]),
            "requested_at": times(found.requested[row]),
            "received_at": times(received),
            "posted_at": times(found.posted[row]),
            "lpn": lpn.set(pl.Series(found.is_blank[row]), None),
            "redated_from": times(found.redated_from[row]),
            "redated_at": times(found.redated_at[row]),
            "reason_code": code,
            "canonical_reason": reason,
            "disposition": disposition.set(pl.Series(~goods), None),
            "status": _statuses(sim, row, fba, goods, keys[first]),
            "comment": write_comments(
                sim.draws, found.reason[row], language, keys[first], COMMENT_SHARE, contacts
            ),
            "language": language,
            "ends_as": np.where(
                found.kind[row] == fate.WITHDRAWN,
                "withdrawn",
                np.array(fate.ENDS)[found.ends[row]],
            ),
            "closed_at": times(found.closed[row]),
            "is_buyer_return": found.kind[row] != fate.BACK,
        }
    ).sort("received_at", "requested_at", "return_no")


def key_numbers(texts: pl.Series) -> Ids:
    """Numbers of `return_no` and the like, to draw by."""
    return texts.str.slice(1).cast(pl.UInt64).to_numpy()


def return_units_table(sim: Simulation) -> pl.DataFrame:
    rows = live_fates(sim)
    rows = rows[is_shown(sim)[rows]]
    unit = sim.fates.unit[rows]
    return pl.DataFrame(
        {
            "return_no": return_texts(sim, return_keys(sim)[rows]),
            "order_id": sim.order_ids.gather(sim.units.order[unit]),
            "line_no": sim.lines.number[sim.units.line[unit]],
            "unit_no": sim.units.number[unit],
        }
    )


def _contacts(sim: Simulation, order: Ints, buyers: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    numbers = pl.DataFrame({"customer_no": customer_numbers(sim).gather(order)})
    found = numbers.join(buyers, on="customer_no", how="left", maintain_order="left")
    return found["email"], found["phone"]


def _languages(sim: Simulation, order: Ints) -> np.ndarray:
    country = sim.orders.country[order].words()
    spoken = sim.scenario.languages
    language = np.full(len(order), "en", dtype="U2")
    for code in np.unique(country):
        language[country == code] = language_of(geography.country(str(code)).language, spoken)
    return language


def _return_centres(sim: Simulation, order: Ints, keys: Ids) -> np.ndarray:
    """Goods often come back to another centre of the same pool."""
    centre = sim.parcels.centre[order].copy()
    pools: dict[str, list[int]] = {}
    for number, place in enumerate(sim.places.centres):
        pools.setdefault(place.stock_pool, []).append(number)
    pool_of = [pools[c.stock_pool] for c in sim.places.centres]
    moved = sim.draws.chance("return.centre", keys, 0.3)
    luck = sim.draws.uniform("return.centre.which", keys)
    for number, members in enumerate(pool_of):
        mine = moved & (sim.parcels.centre[order] == number)
        centre[mine] = np.array(members)[(luck[mine] * len(members)).astype(np.int64)]
    return np.array([c.name for c in sim.places.centres])[centre]


def _statuses(sim: Simulation, row: Ints, fba: Flags, goods: Flags, keys: Ids) -> np.ndarray:
    found = sim.fates.disposition[row]
    owed = np.isin(found, (DAMAGED, CARRIER)) & sim.draws.chance("owed", keys, 0.7)
    status = np.where(found == SELLABLE, "Unit returned to inventory", "Pending")
    status = np.where(owed, "Reimbursed", status)
    own = np.where(goods, "received", "withdrawn")
    return np.where(fba, status, own)


def fee_factor(sim: Simulation, market: Ints, day: Ints, fee: str) -> Floats:
    """What planted rises do to a fee (`commission`, `fulfilment`, `return`) on a day."""
    factor = np.ones(len(market))
    for fault in sim.scenario.faults_of("fee_rise"):
        if fee_of(fault.get("fee")) != fee:
            continue
        here = [
            n for n, m in enumerate(sim.places.markets) if _is_market(m, fault.get("marketplace"))
        ]
        touched = np.isin(market, here) & is_active(fault, day)
        factor = np.where(touched, factor * float(fault.get("factor")), factor)
    return factor


def _is_market(market: Market, text: str) -> bool:
    return text.lower() in (market.marketplace, market.country.lower(), market.account.name.lower())


def fee_of(text: str) -> str:
    """The fee that a scenario means: fulfilment (FBA), return, storage, else commission."""
    low = text.lower()
    if "return" in low:
        return "return"
    if "fulfil" in low or "fba" in low:
        return "fulfilment"
    return "storage" if "storage" in low else "commission"


def commissions(sim: Simulation, order: Ints, sku: Ints, net: Ints, posted: Ints) -> Ints:
    """Referral fee on `net` minor units, at the rate of the category and day."""
    rate = np.array([c.commission_bp for c in sim.catalogue.categories], dtype=np.int64)[sku]
    factor = fee_factor(sim, sim.orders.market[order], posted // DAY, "commission")
    rate = np.rint(rate * factor).astype(np.int64)
    return (net * rate + 5_000) // 10_000


def refunds_table(sim: Simulation) -> pl.DataFrame:
    """Refunds that follow from fates, and money given for flaws."""
    frame = pl.concat([_fate_refunds(sim), _concession_refunds(sim)])
    worth = pl.col("principal_minor") + pl.col("tax_minor") + pl.col("shipping_minor")
    return frame.filter(worth > 0).sort("refunded_at", "refund_no")


def _fate_refunds(sim: Simulation) -> pl.DataFrame:
    rows = live_fates(sim)
    rows = rows[sim.fates.refunded[rows] < NEVER]
    found, units, lines = sim.fates, sim.units, sim.lines
    unit = found.unit[rows]
    line = units.line[unit]
    share = found.refund_share[rows]
    whole = share == 1.0
    net = lines.price[line] - lines.discount[line]
    reason = found.reason[rows]
    with_shipping = whole & (units.number[unit] == 1)
    with_shipping &= ~sim.is_of(units.order[unit], "walmart")  # it pays back goods only
    with_shipping &= np.any([np.char.startswith(reason, p) for p in _SHIPPING_BACK], axis=0)
    shipping = (lines.shipping - lines.shipping_discount)[line]
    frame = pl.DataFrame(
        {
            "key": refund_keys(sim)[rows],
            "fate": rows,
            "units": whole.astype(np.int64),
            "principal_minor": np.where(whole, net, _part(net, share)),
            "promotion_minor": np.where(whole, lines.discount[line], 0),
            "tax_minor": np.where(whole, lines.tax[line], _part(lines.tax[line], share)),
            "shipping_minor": np.where(with_shipping, shipping, 0),
            "shipping_tax_minor": np.where(with_shipping, lines.shipping_tax[line], 0),
        }
    )
    sums = frame.group_by("key", maintain_order=True).agg(
        pl.col("fate").first(), pl.exclude("key", "fate").sum()
    )
    row = sums["fate"].to_numpy()
    kind = _refund_kinds(sim, row)
    shown = pl.Series(is_shown(sim)[row])
    returns = return_texts(sim, return_keys(sim)[row])
    return _finish(
        sim,
        sums.drop("fate"),
        found.unit[row],
        found.refunded[row],
        np.zeros(len(row), dtype=np.int64),
        pl.Series(kind),
        returns.set(~shown, None),
    )


def _part(amount: Ints, share: Floats) -> Ints:
    return (amount * np.rint(share * 100).astype(np.int64) + 50) // 100


def _refund_kinds(sim: Simulation, row: Ints) -> np.ndarray:
    kind = sim.fates.kind[row]
    words = np.array(["full_return", "", "returnless", "inr", "undeliverable"])[kind]
    part = (kind == fate.RETURN) & (sim.fates.refund_share[row] < 1.0)
    return np.where(part, "partial_return", words)


def _concession_refunds(sim: Simulation) -> pl.DataFrame:
    given = sim.concessions
    keep = np.flatnonzero(sim.is_kept[sim.units.order[given.unit]])
    unit = given.unit[keep]
    line = sim.units.line[unit]
    net = sim.lines.price[line] - sim.lines.discount[line]
    none = np.zeros(len(keep), dtype=np.int64)
    sums = pl.DataFrame(
        {
            "key": sim.units.serial[unit],
            "units": none,
            "principal_minor": _part(net, given.share[keep]),
            "promotion_minor": none,
            "tax_minor": _part(sim.lines.tax[line], given.share[keep]),
            "shipping_minor": none,
            "shipping_tax_minor": none,
        }
    )
    kind = pl.Series(["partial_kept"] * len(keep), dtype=pl.String)
    empty = pl.Series([None] * len(keep), dtype=pl.String)
    return _finish(sim, sums, unit, given.at[keep], given.nth[keep], kind, empty)


def _finish(
    sim: Simulation,
    sums: pl.DataFrame,
    unit: Ints,
    at: Ints,
    nth: Ints,
    kind: pl.Series,
    return_no: pl.Series,
) -> pl.DataFrame:
    order, line = sim.units.order[unit], sim.units.line[unit]
    sku = sim.lines.sku[line]
    accounts = sim.accounts(order)
    amazon = sim.is_amazon(order)
    shipped = sim.parcels.shipped[order, sim.units.parcel[unit]]
    net = sums["principal_minor"].to_numpy()
    back = np.where(amazon, commissions(sim, order, sku, net, shipped), 0)
    rate = np.array([geography.units_per_usd(m.currency) for m in sim.places.markets])
    digits_after = np.array([10**m.decimals for m in sim.places.markets])
    cap = (ADMIN_FEE_CAP_USD * rate * digits_after).astype(np.int64)[sim.orders.market[order]]
    refund_no = refund_texts(sim, sums["key"].to_numpy(), nth)
    return sums.select(
        refund_no.alias("refund_no"),
        accounts.alias("account"),
        sim.by_market("connector", order).alias("connector"),
        sim.order_ids.gather(order).alias("order_id"),
        pl.Series("line_no", sim.lines.number[line]),
        sim.skus(sku).alias("sku"),
        listing_skus(sim, order, sku).alias("listing_sku"),
        sim.by_market("currency", order).alias("currency"),
        "units",
        "principal_minor",
        "promotion_minor",
        "tax_minor",
        "shipping_minor",
        "shipping_tax_minor",
        pl.Series("commission_back_minor", back),
        pl.Series("admin_fee_minor", np.minimum(back * ADMIN_FEE_BP // 10_000, cap)),
        times(at).alias("refunded_at"),
        kind.alias("kind"),
        return_no.alias("return_no"),
        pl.format("ADJ{}", refund_no.str.slice(1)).alias("adjustment_id"),
    )
