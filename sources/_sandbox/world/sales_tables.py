"""Tables of what was sold and sent: orders, lines, units, shipments, states, scans.

Belongs here: turning the simulation's arrays into the columns of `tables.py`.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from sources._sandbox.world import dispatch, fates
from sources._sandbox.world.demand import (
    CANCEL_REASONS,
    CANCELLERS,
    DAY,
    LINKS,
    NEVER,
    PAYMENTS,
    buyer_ids,
)
from sources._sandbox.world.draws import Ids, Ints
from sources._sandbox.world.labels import Labels
from sources._sandbox.world.simulation import (
    Simulation,
    blank_to_null,
    digits,
    named,
    times,
)
from sources._sandbox.world.stock import NO_LOT

FOLLOWED_SHARE = 0.6  # of carriers
FULFILLED_BY = ("seller", "marketplace")
UNTROUBLED = ("cancelled", "kept", "partial_kept")
OUTCOMES = {
    (fates.RETURN, fates.REFUND): "returned_refunded",
    (fates.RETURN, fates.EXCHANGE): "exchanged",
    (fates.RETURN, fates.REPLACEMENT): "replaced",
    (fates.RETURN, fates.NOTHING): "returned_unrefunded",
    (fates.WITHDRAWN, fates.NOTHING): "request_withdrawn",
    (fates.RETURNLESS, fates.REFUND): "refunded_no_return",
    (fates.MISSING, fates.REFUND): "refunded_no_return",
    (fates.MISSING, fates.REPLACEMENT): "replaced",
    (fates.MISSING, fates.NOTHING): "undelivered",
    (fates.BACK, fates.REFUND): "refunded_no_return",
    (fates.BACK, fates.NOTHING): "undelivered",
}


def customer_numbers(sim: Simulation) -> pl.Series:
    """C01-000123: the first number is the market's, the second the buyer's there."""
    frame = pl.DataFrame(
        {
            "market": digits(sim.orders.market.astype(np.uint64), 2),
            "buyer": digits(sim.orders.buyer.astype(np.uint64), 6),
        }
    )
    return frame.select(pl.format("C{}-{}", "market", "buyer").alias("no"))["no"]


def last_shipped(sim: Simulation) -> tuple[Ints, Ints]:
    """Times of the first and last parcel of each order; NEVER without one."""
    first = np.full(len(sim.orders), NEVER, dtype=np.int64)
    last = np.full(len(sim.orders), -1, dtype=np.int64)
    rows = np.flatnonzero(sim.units.parcel >= 0)
    order = sim.units.order[rows]
    shipped = sim.parcels.shipped[order, sim.units.parcel[rows]]
    np.minimum.at(first, order, shipped)
    np.maximum.at(last, order, shipped)
    return first, np.where(last < 0, NEVER, last)


def orders_table(sim: Simulation) -> pl.DataFrame:
    orders = sim.orders
    every = np.arange(len(orders))
    whole = orders.cancelled < NEVER
    is_number = sim.is_of(every, "amazon", "ebay")  # people know it by its id
    transit = np.where(orders.is_fba, 5, 16) * DAY
    paid = np.where(orders.paid < NEVER, orders.paid, orders.ordered)
    number = pl.DataFrame({"a": sim.accounts(every), "n": digits(orders.serial, 12)}).select(
        pl.format("{}-{}", pl.col("a").str.slice(0, 2).str.to_uppercase(), "n").alias("n")
    )["n"]
    frame = pl.DataFrame(
        {
            "order_id": sim.order_ids,
            "order_number": number,
            "account": sim.accounts(every),
            "connector": sim.by_market("connector", every),
            "marketplace": sim.by_market("marketplace", every),
            "country": orders.country.series(),
            "currency": sim.by_market("currency", every),
            "customer_no": customer_numbers(sim),
            "is_guest": sim.draws.chance("guest", buyer_ids(orders.market, orders.buyer), 0.03),
            "ordered_at": times(orders.ordered),
            "paid_at": times(orders.paid),
            "fulfilled_by": named(orders.is_fba.astype(np.int64), FULFILLED_BY),
            "fulfilment_centre_id": sim.centres("name", every),
            "stock_pool": sim.centres("stock_pool", every),
            "carrier": sim.parcels.carrier[:, 0].series(),
            "service": sim.parcels.service[:, 0].series(),
            "ship_by_at": times(paid + np.where(orders.is_fba, 2, 4) * DAY),
            "deliver_by_at": times(paid + transit),
            "shipped_complete_at": times(last_shipped(sim)[1]),
            "cancelled_at": times(orders.cancelled),
            "cancel_reason": named(np.where(whole, orders.reason, -1), CANCEL_REASONS),
            "cancelled_by": named(np.where(whole, orders.canceller, -1), CANCELLERS),
            "replaces_order_id": sim.order_ids.gather(
                pl.Series(orders.parent).set(pl.Series(orders.parent < 0), None)
            ),
            "link_kind": named(orders.link, LINKS),
            "is_business": orders.is_business,
            "payment_method": named(orders.payment, PAYMENTS),
        }
    )
    frame = frame.with_columns(
        pl.when(pl.Series(is_number))
        .then("order_id")
        .otherwise("order_number")
        .alias("order_number")
    )
    return frame.filter(pl.Series(sim.is_listed))


def listing_skus(sim: Simulation, order: Ints, sku: Ints) -> pl.Series:
    """The text by which an account lists a SKU: its own, for one in fifteen another."""
    accounts = [m.account.name for m in sim.places.markets]
    names = [listing_sku(sim, a, name) for a in accounts for name in sim.catalogue.skus]
    place = sim.orders.market[order] * len(sim.catalogue.skus) + sku
    return pl.Series(names, dtype=pl.String).gather(place)


def listing_sku(sim: Simulation, account: str, sku: str) -> str:
    chosen = int(sim.draws.one("listing.one", account) * len(sim.catalogue.skus))
    is_other = sim.draws.one("listing", account, sku) < 1 / 15
    if not is_other and (len(sim.catalogue.skus) == 1 or sku != sim.catalogue.skus[chosen]):
        return sku
    return f"{account[-2:].upper()}-{sku.removeprefix('SKU-')}-A"


def lines_table(sim: Simulation) -> pl.DataFrame:
    lines = sim.lines
    some = lines.cancelled_quantity > 0
    own = np.array([m.is_own_shop for m in sim.places.markets])
    is_added = sim.is_kept[lines.order] & ~sim.is_listed[lines.order]
    return pl.DataFrame(
        {
            "order_id": sim.order_ids.gather(lines.order),
            "line_no": lines.number,
            "order_item_id": item_ids(sim),
            "sku": sim.skus(lines.sku),
            "listing_sku": listing_skus(sim, lines.order, lines.sku),
            "quantity": lines.quantity,
            "quantity_cancelled": lines.cancelled_quantity,
            "line_cancelled_at": times(np.where(some, lines.cancelled, NEVER)),
            "cancel_reason": named(np.where(some, lines.reason, -1), CANCEL_REASONS),
            "cancelled_by": named(np.where(some, lines.canceller, -1), CANCELLERS),
            "unit_price_minor": lines.price,
            "unit_discount_minor": lines.discount,
            "unit_tax_minor": lines.tax,
            "shipping_minor": lines.shipping,
            "shipping_discount_minor": lines.shipping_discount,
            "shipping_tax_minor": lines.shipping_tax,
            "promotion_ids": named((lines.discount > 0) - 1, ("PAWS-SAVE",)),
            "is_delisted": own[sim.orders.market[lines.order]]
            & sim.draws.chance("delisted", lines.serial, 0.01),
            "added_at": times(np.where(is_added, sim.orders.ordered[lines.order], NEVER)),
        }
    ).filter(pl.Series(sim.is_kept[lines.order]))


def item_ids(sim: Simulation) -> pl.Series:
    return digits(sim.draws.scatter("item", sim.lines.serial), 14)


def shipment_keys(sim: Simulation, unit: Ints) -> tuple[Ids, Ids]:
    """Numbers of the parcel and of the parcel's line, for shipped units."""
    order, parcel = sim.units.order[unit], sim.units.parcel[unit]
    line = sim.lines.serial[sim.units.line[unit]] * np.uint64(2) + parcel.astype(np.uint64)
    return sim.parcels.serial[order, parcel], line


def item_texts(sim: Simulation, keys: Ids) -> pl.Series:
    texts = digits(sim.draws.scatter("shipment.item", keys), 14)
    return texts.to_frame("n").select(pl.format("D{}", "n").alias("n"))["n"]


def return_keys(sim: Simulation) -> Ids:
    """Number of the return row of each fate: shared where no licence plate tells units apart."""
    return np.where(sim.fates.is_blank, sim.fates.serial, sim.units.serial[sim.fates.unit])


def return_texts(sim: Simulation, keys: Ids) -> pl.Series:
    texts = digits(fates.return_numbers(sim.draws, keys), 14)
    return texts.to_frame("n").select(pl.format("R{}", "n").alias("n"))["n"]


def refund_texts(sim: Simulation, keys: Ids, nth: Ints) -> pl.Series:
    texts = digits(sim.draws.scatter("refund", keys), 14)
    frame = pl.DataFrame({"n": texts, "k": nth})
    return frame.select(pl.format("F{}{}", "n", "k").alias("n"))["n"]


def refund_keys(sim: Simulation) -> Ids:
    """Number of the refund of each fate; units with one fate are refunded together."""
    return sim.fates.serial


def units_table(sim: Simulation) -> pl.DataFrame:
    units = sim.units
    rows = np.flatnonzero(units.parcel >= 0)
    order, parcel = units.order[rows], units.parcel[rows]
    shipped = np.full(len(units), NEVER, dtype=np.int64)
    delivered = shipped.copy()
    shipped[rows] = sim.parcels.shipped[order, parcel]
    delivered[rows] = sim.parcels.delivered[order, parcel]
    keys = np.zeros(len(units), dtype=np.uint64)
    keys[rows] = shipment_keys(sim, rows)[1]
    lots = tuple(lot["lot_id"] for lot in sim.allocation.lots) or ("",)
    is_shipped = pl.Series(units.parcel >= 0)
    frame = pl.DataFrame(
        {
            "order_id": sim.order_ids.gather(units.order),
            "line_no": sim.lines.number[units.line],
            "unit_no": units.number,
            "sku": sim.skus(sim.lines.sku[units.line]),
            "shipment_item_id": item_texts(sim, keys),
            "shipped_at": times(shipped),
            "delivered_at": times(delivered),
            "stock_pool": sim.centres("stock_pool", units.order),
            "lot_id": named(np.where(sim.allocation.lot == NO_LOT, -1, sim.allocation.lot), lots),
            "is_scanned": is_scanned(sim),
            **_fate_columns(sim),
        }
    ).with_columns(
        pl.when(is_shipped).then("shipment_item_id").alias("shipment_item_id"),
        pl.when(is_shipped).then("stock_pool").alias("stock_pool"),
    )
    return frame.filter(pl.Series(sim.is_kept[units.order]))


def _fate_columns(sim: Simulation) -> dict[str, pl.Series]:
    """Columns of `units` that tell what became of them."""
    live = np.flatnonzero(~sim.allocation.is_dropped)
    found = sim.fates
    unit = found.unit[live]
    size = len(sim.units)
    place = np.full(size, -1, dtype=np.int64)
    place[unit] = np.arange(len(live))
    at = pl.Series(place).set(pl.Series(place < 0), None)
    pairs = zip(found.kind[live].tolist(), found.ends[live].tolist(), strict=True)
    outcomes = pl.Series([OUTCOMES[pair] for pair in pairs], dtype=pl.String)
    kept = (sim.units.parcel >= 0).astype(np.int64)
    kept[sim.concessions.unit] = 2
    shown = is_shown(sim)[live]
    returns = return_texts(sim, return_keys(sim)[live])
    paid = (found.ends[live] == fates.REFUND) & (found.refund_share[live] == 1.0)
    refunds = refund_texts(sim, refund_keys(sim)[live], np.zeros(len(live), dtype=np.int64))
    child = sim.child_of[live]
    linked = sim.order_ids.gather(pl.Series(child).set(pl.Series(child < 0), None))
    return {
        "true_cause": pl.Series(found.reason[live]).gather(at),
        "fault_id": blank_to_null(found.fault[live]).gather(at),
        "outcome": outcomes.gather(at).fill_null(
            named(kept, ("cancelled", "kept", "partial_kept"))
        ),
        "return_no": returns.set(pl.Series(~shown), None).gather(at),
        "refund_no": refunds.set(pl.Series(~paid), None).gather(at),
        "linked_order_id": linked.gather(at),
    }


def is_shown(sim: Simulation) -> np.ndarray:
    """Fates with a row in `returns`: goods that came back, requests withdrawn, and what eBay and
    Walmart keep as a return although no goods come back."""
    kind = sim.fates.kind
    order = sim.units.order[sim.fates.unit]
    goods = np.isin(kind, (fates.RETURN, fates.BACK)) & (sim.fates.received < NEVER)
    kept = (kind == fates.RETURNLESS) & sim.is_of(order, "ebay", "walmart")
    lost = np.isin(kind, (fates.MISSING, fates.BACK)) & (sim.fates.ends != fates.NOTHING)
    return goods | (kind == fates.WITHDRAWN) | kept | (lost & sim.is_of(order, "walmart"))


def is_scanned(sim: Simulation) -> np.ndarray:
    """All units of an order and SKU are scanned, or none."""
    keys = sim.orders.serial[sim.units.order] * np.uint64(10_000)
    keys = keys + sim.lines.sku[sim.units.line].astype(np.uint64)
    scanned = sim.draws.chance("scan", keys, sim.scenario.scan_share)
    scanned &= sim.is_listed[sim.units.order]
    return scanned & (sim.units.parcel >= 0) & (sim.allocation.lot != NO_LOT)


def shipments_table(sim: Simulation) -> pl.DataFrame:
    units = sim.units
    rows = np.flatnonzero((units.parcel >= 0) & sim.is_kept[units.order])
    parcel_key, item_key = shipment_keys(sim, rows)
    _, first, count = np.unique(item_key, return_index=True, return_counts=True)
    unit = rows[first]
    order, parcel = units.order[unit], units.parcel[unit]
    parcels, lines = sim.parcels, sim.lines
    shipped = parcels.shipped[order, parcel]
    fba = sim.orders.is_fba[order]
    lag = dispatch.hours(sim.draws, "reported", item_key[first], 1, 3)
    slow = dispatch.hours(sim.draws, "reported.slow", item_key[first], 3, 24)
    lag = np.where(sim.draws.chance("reported?", item_key[first], 0.03), slow, lag)
    prefix = named(fba.astype(np.int64), ("YT", "TBA"))
    numbers = digits(sim.draws.scatter("tracking", parcel_key[first]), 14)
    tracking = pl.DataFrame({"p": prefix, "n": numbers})
    item_first = units.number[unit] == 1
    frame = pl.DataFrame(
        {
            "shipment_id": digits(sim.draws.scatter("shipment", parcel_key[first]), 14),
            "shipment_item_id": item_texts(sim, item_key[first]),
            "order_id": sim.order_ids.gather(order),
            "line_no": lines.number[units.line[unit]],
            "parcel_no": parcel + 1,
            "quantity": count,
            "fulfilment_centre_id": sim.centres("name", order),
            "origin": sim.centres("country", order),
            "shipped_at": times(shipped),
            "reported_at": times(shipped + lag),
            "estimated_arrival_date": pl.Series(parcels.estimated_day[order, parcel])
            .cast(pl.Int32)
            .cast(pl.Date),
            "delivered_at": times(parcels.delivered[order, parcel]),
            "carrier": parcels.carrier[order, parcel].series(),
            "service": parcels.service[order, parcel].series(),
            "tracking_number": tracking.select(pl.format("{}{}", "p", "n").alias("t"))["t"],
            "state": named(parcels.state[order, parcel], dispatch.STATES),
            "state_at": times(parcels.state_at[order, parcel]),
            "customs_days": pl.Series(parcels.held[order, parcel]),
            "is_followed": _followed(sim, parcels.carrier[order, parcel]),
            "has_line_shipping": item_first,
        }
    )
    return frame.sort("shipped_at", "shipment_item_id").with_columns(
        pl.format("S{}", "shipment_id").alias("shipment_id")
    )


def _followed(sim: Simulation, carrier: Labels) -> np.ndarray:
    """Whether a shop's platform hears of the parcels of each one's carrier."""
    heard = [sim.draws.one("followed", name) < FOLLOWED_SHARE for name in carrier.names]
    return carrier.values(heard)


def states_table(sim: Simulation) -> pl.DataFrame:
    """Every moment at which an order changes, with its state from then on."""
    orders = sim.orders
    first, last = last_shipped(sim)
    kept = sim.is_listed
    whole = orders.cancelled < NEVER
    parts = [
        (orders.ordered, "PENDING", kept),
        (orders.paid, "UNSHIPPED", kept & (orders.paid < NEVER)),
        (first, "PARTIALLY_SHIPPED", kept & (first < last)),
        (last, "SHIPPED", kept & (last < NEVER)),
        (orders.cancelled, "CANCELLED", kept & whole),
    ]
    frames = [
        pl.DataFrame(
            {"order_id": sim.order_ids.filter(pl.Series(mask)), "at": times(at[mask])}
        ).with_columns(pl.lit(status).alias("status"))
        for at, status, mask in parts
    ]
    lines = sim.lines
    part = (lines.cancelled < NEVER) & ~whole[lines.order] & kept[lines.order]
    frames.append(
        pl.DataFrame(
            {
                "order_id": sim.order_ids.gather(lines.order[part]),
                "at": times(lines.cancelled[part]),
            }
        ).with_columns(pl.lit("UNSHIPPED").alias("status"))
    )
    return pl.concat(frames).sort("at", maintain_order=True)


def scans_table(units: pl.DataFrame, orders: pl.DataFrame) -> pl.DataFrame:
    """Lots as scanned when packing; known once the last parcel of the order's SKU is out."""
    scanned = units.filter("is_scanned")
    last = pl.col("shipped_at").max().over("order_id", "sku")
    return (
        scanned.with_columns((last + pl.duration(hours=2)).alias("known_at"))
        .group_by("order_id", "sku", "lot_id", maintain_order=True)
        .agg(
            pl.len().alias("quantity"),
            pl.col("shipped_at").min(),
            pl.col("known_at").first(),
        )
        .join(
            orders.select("order_id", "account"), on="order_id", how="left", maintain_order="left"
        )
    )
