"""Parcels that a tracking service follows, scan by scan.

Belongs here: which parcels, when the service looks, what the carriers scan. Does not belong here:
the ends of parcels (`dispatch.py`), the words of a service (`parcel_words.py`).

The seller's shops hand each parcel that the seller sends to the service, as the services' own apps
for shops do; what a marketplace sends from its centres they do not. So what is known at a clock
does not depend on how many nights the warehouse has run.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

import polars as pl

from sources._sandbox.world import geography
from sources._sandbox.world.draws import text_ids
from sources._sandbox.world.parcel_life import OUT_BEFORE, PICKED_AFTER, TRANSIT_AFTER
from sources._sandbox.world.simulation import Simulation

KNOWN_AFTER = timedelta(hours=1)
LOOKS_EVERY = timedelta(hours=6)
SILENT_FOR, STOPS_AFTER_END = timedelta(days=30), timedelta(days=15)
CANNOT_FOLLOW = 0.04
_ENDS = ("delivered", "returned", "delivered_back", "lost")
_UNION = ("AT", "BE", "DE", "ES", "FR", "IE", "IT", "NL", "PL", "SE")  # no customs between them
_LOCAL = {
    "AU": "Australia Post",
    "BR": "Correios",
    "CA": "Canada Post",
    "DE": "DHL",
    "FR": "Colissimo",
    "GB": "Royal Mail",
    "US": "USPS",
}
_US = 1_000_000
_HOUR, _DAY = 3600 * _US, 86_400 * _US


def looked_up_at(known: datetime, stopped: datetime, now: datetime) -> datetime:
    """The last time by `now` that the service asked the carrier."""
    return min(known + (now - known) // LOOKS_EVERY * LOOKS_EVERY, next_look(known, stopped))


def next_look(known: datetime, at: datetime) -> datetime:
    """The first time from `at` on that the service asks the carrier."""
    return known - (known - at) // LOOKS_EVERY * LOOKS_EVERY


def tracked_tables(
    sim: Simulation,
    orders: pl.DataFrame,
    units: pl.DataFrame,
    shipments: pl.DataFrame,
    requests: pl.DataFrame,
    market_returns: pl.DataFrame,
) -> dict[str, pl.DataFrame]:
    """`tracked_parcels` and `parcel_scans`; empty where nobody follows parcels."""
    if not any(account.connector == "tracking" for account in sim.scenario.accounts):
        return {"tracked_parcels": pl.DataFrame(), "parcel_scans": pl.DataFrame()}
    parcels = pl.concat(
        [_followed(sim, orders, units, shipments), _coming_back(orders, requests, market_returns)],
        how="diagonal_relaxed",
    )
    if not parcels.height:
        return {"tracked_parcels": pl.DataFrame(), "parcel_scans": pl.DataFrame()}
    scans = _scans(sim, _with_course(sim, parcels))
    ends = scans.select("tracking_number", "at", "step").unique().sort("tracking_number", "at")
    return {
        "tracked_parcels": parcels.join(
            _stops(ends), on="tracking_number", how="left", maintain_order="left"
        ),
        "parcel_scans": scans,
    }


def _followed(
    sim: Simulation, orders: pl.DataFrame, units: pl.DataFrame, shipments: pl.DataFrame
) -> pl.DataFrame:
    """One row per number that the seller's shops tell, except what no service can follow."""
    damaged = units.filter(pl.col("true_cause") == "logistics.damaged_in_transit")
    is_damaged = pl.col("shipment_item_id").is_in(damaged["shipment_item_id"].unique().to_list())
    by_files = pl.col("connector") == "files"
    told = pl.col("tracking_number") == pl.col("tracking_number").min().over("order_id", "line_no")
    found = (
        shipments.with_columns(is_damaged.alias("is_damaged"))
        .join(
            orders.filter(pl.col("fulfilled_by") == "seller").select(
                "order_id", "connector", "order_number", "customer_no", "ordered_at",
                pl.col("account").alias("shop"), pl.col("country").alias("destination"),
                pl.col("deliver_by_at").alias("promised_at"),
                pl.col("carrier").alias("order_carrier"), pl.col("service").alias("order_service"),
            ),
            on="order_id",
            maintain_order="left",
        )
        .filter(told | ~by_files)  # a file has one number a line and one carrier an order
        .with_columns(
            pl.when(by_files).then("order_carrier").otherwise("carrier").alias("carrier"),
            pl.when(by_files).then("order_service").otherwise("service").alias("service"),
            pl.col("is_damaged").any().over("tracking_number"),
        )
        .unique("tracking_number", keep="first", maintain_order=True)
    )  # fmt: skip
    ids = text_ids(found["tracking_number"].to_list())
    local = pl.col("destination").replace_strict(_LOCAL, default=None, return_dtype=pl.String)
    return (
        found.filter(pl.Series(~sim.draws.chance("track.not", ids, CANNOT_FOLLOW)))
        .with_columns(
            (pl.col("shipped_at") + KNOWN_AFTER).alias("known_at"),
            pl.col("shipped_at").alias("labelled_at"),
            pl.lit("outbound").alias("direction"),
            pl.col("estimated_arrival_date").alias("estimated_date"),
            pl.when((pl.col("origin") != pl.col("destination")) & (local != pl.col("carrier")))
            .then(local)
            .alias("local_carrier"),
        )
        .sort("shipped_at", "tracking_number")
    )


def _coming_back(
    orders: pl.DataFrame, requests: pl.DataFrame, market_returns: pl.DataFrame
) -> pl.DataFrame:
    """Labels that Amazon, eBay and Walmart name, to an address in the buyer's country. A parcel
    that nobody receives goes astray; of a label that nobody uses only the label is heard."""
    received, sent, asked = pl.col("received_at"), pl.col("sent_at"), pl.col("approved_at")
    by_amazon = requests.filter(asked.is_not_null()).select(
        "order_id",
        "tracking_number",
        pl.lit("DHL").alias("carrier"),
        asked.alias("labelled_at"),
        pl.max_horizontal(received - pl.duration(days=3), asked + pl.duration(hours=6)).alias(
            "sent_at"
        ),
        received,
    )
    by_markets = market_returns.filter(
        sent.is_not_null() & ((pl.col("connector") == "ebay") | ~pl.col("is_kept"))
    ).select(
        "order_id",
        "tracking_number",
        pl.when(pl.col("connector") == "ebay")
        .then(pl.lit("USPS"))
        .otherwise(pl.lit("FedEx"))
        .alias("carrier"),
        sent.alias("labelled_at"),
        sent,
        received,
    )
    arrives = received - pl.duration(hours=2)
    is_sent = received.is_not_null() | (sent == pl.col("labelled_at"))
    return (
        pl.concat([f for f in (by_amazon, by_markets) if f.height] or [by_amazon])
        .filter(pl.col("tracking_number").is_not_null())
        .filter(received.is_null() | (arrives - sent > pl.duration(days=1)))
        .unique("tracking_number", keep="first", maintain_order=True)
        .join(
            orders.select(
                "order_id", "order_number", "customer_no", "ordered_at",
                pl.col("account").alias("shop"), pl.col("country").alias("origin"),
                pl.col("country").alias("destination"),
            ),
            on="order_id",
            maintain_order="left",
        )
        .with_columns(
            pl.lit("return").alias("direction"),
            (pl.col("labelled_at") + KNOWN_AFTER).alias("known_at"),
            pl.when(is_sent).then(sent).alias("shipped_at"),
            pl.when(received.is_null())
            .then(pl.lit("lost"))
            .otherwise(pl.lit("delivered"))
            .alias("state"),
            pl.when(is_sent)
            .then(pl.coalesce(arrives, sent + pl.duration(days=20)))
            .alias("state_at"),
            pl.lit(0.0).alias("customs_days"),
            pl.lit(value=False).alias("is_damaged"),
            *(pl.lit(None, pl.String).alias(name) for name in ("service", "local_carrier")),
            pl.lit(None, pl.Datetime("us")).alias("promised_at"),
            pl.lit(None, pl.Date).alias("estimated_date"),
        )
    )  # fmt: skip


def _with_course(sim: Simulation, parcels: pl.DataFrame) -> pl.DataFrame:
    """Microseconds of leaving and arriving, and what happens on the way."""
    ids = text_ids(parcels["tracking_number"].to_list())
    given_up = pl.when(pl.col("state") == "lost").then(14 * _DAY).otherwise(2 * _DAY)
    abroad = pl.col("origin") != pl.col("destination")
    united = pl.col("origin").is_in(_UNION) & pl.col("destination").is_in(_UNION)
    luck = {
        f"luck_{name}": sim.draws.uniform(f"track.{name}", ids)
        for name in ("label", "absent", "pickup", "found", "delayed", "damaged", "fees", "said",
                     "back", "booked")
    }  # fmt: skip
    left, end = pl.col("shipped_at").dt.timestamp(), pl.col("state_at").dt.timestamp()
    is_there = pl.col("state") == "delivered"
    held = (pl.col("customs_days") * _DAY).cast(pl.Int64)
    return (
        parcels.with_columns(**{name: pl.Series(values) for name, values in luck.items()})
        .with_columns(
            left.alias("left"),
            end.alias("end"),
            pl.when(is_there).then(end).otherwise(end - given_up).alias("there"),
            held.alias("held"),
            ((abroad & ~united) | (held > 0)).alias("at_border"),
        )
        .with_columns((pl.col("there") - pl.col("left") - pl.col("held")).alias("way"))
    )


class _Step(NamedTuple):
    """`when` in microseconds; `home`: scanned where it leaves, not where it goes to."""

    name: str
    which: pl.Expr
    when: pl.Expr
    home: bool = False
    legs: tuple[str, ...] = ("last",)


def _steps() -> Iterator[_Step]:
    state, left, there, end = pl.col("state"), pl.col("left"), pl.col("there"), pl.col("end")
    way, held, border = pl.col("way"), pl.col("held"), pl.col("at_border")
    every, first, both = pl.lit(value=True), ("first",), ("first", "last")
    comes, goes_back = state != "lost", state.is_in(["refused", "undeliverable"])
    is_there = state == "delivered"

    def along(share: float, *, after_customs: bool = True) -> pl.Expr:
        return left + (way * share).cast(pl.Int64) + (held if after_customs else 0)

    arrived = along(0.6, after_customs=False)
    cleared = along(0.7) + 2 * _HOUR
    pickup = is_there & (pl.col("luck_absent") < 0.08) & (way > 3 * _DAY)
    picked, transit = PICKED_AFTER // timedelta(microseconds=1), TRANSIT_AFTER
    is_return = pl.col("direction") == "return"
    labelled = pl.col("labelled_at").dt.timestamp()
    yield _Step("label", is_return | (pl.col("luck_label") < 0.8), labelled, home=True, legs=first)
    yield _Step("picked_up", every, left + picked, home=True, legs=first)
    yield _Step("hub", every, left + transit // timedelta(microseconds=1), home=True, legs=first)
    yield _Step("departed", border, along(0.35, after_customs=False), home=True, legs=first)
    yield _Step("arrived", border, arrived, legs=both)
    yield _Step("customs", border, arrived + 2 * _HOUR, legs=both)
    yield _Step("held", border & (held > 0), arrived + 3 * _HOUR)
    yield _Step("fees", border & comes & (pl.col("luck_fees") < 0.02), arrived + 4 * _HOUR)
    yield _Step("fees", border & (state == "refused") & (pl.col("luck_fees") > 0.6),
                arrived + 4 * _HOUR)  # fmt: skip
    yield _Step("cleared", border & comes, cleared)
    yield _Step("delayed", pl.col("luck_delayed") < 0.03, along(0.68, after_customs=False))
    found = is_there & (pl.col("luck_found") < 0.01) & (way > 6 * _DAY)
    yield _Step("lost", found, along(0.76))
    yield _Step("hub", comes & (way > 3 * _DAY), along(0.85))
    yield _Step("damaged", pl.col("is_damaged") & comes & (pl.col("luck_damaged") < 0.5),
                along(0.87))  # fmt: skip
    yield _Step("absent", pickup, there - 22 * _HOUR)
    to_shelf = pickup & (pl.col("luck_pickup") < 0.4)
    yield _Step("pickup_point", to_shelf, there - 19 * _HOUR)
    out = OUT_BEFORE // timedelta(microseconds=1)
    yield _Step("out", comes & ~to_shelf, there - out, legs=both)
    yield _Step("delivered", is_there, end, legs=both)
    yield _Step("door_refused", state == "refused", there)
    yield _Step("bad_address", state == "undeliverable", there)
    yield _Step("lost", (state == "lost") & (pl.col("luck_said") < 0.5), end)
    yield _Step("returning", goes_back, end)
    is_back = goes_back & (pl.col("luck_back") < 0.8)
    booked = pl.col("luck_booked") < 0.4
    yield _Step("returned", is_back & ~booked, end + way, home=True, legs=first)
    yield _Step("delivered_back", is_back & booked, end + way, home=True, legs=first)


def _scans(sim: Simulation, parcels: pl.DataFrame) -> pl.DataFrame:
    one, two = pl.col("local_carrier").is_null(), pl.col("local_carrier").is_not_null()
    made = []
    for place, step in enumerate(_steps()):
        rows = parcels.filter(step.which.fill_null(value=False)).select(
            "tracking_number",
            "local_carrier",
            (step.when // _US * _US).cast(pl.Datetime("us")).alias("at"),
            pl.lit(step.name).alias("step"),
            pl.col("origin" if step.home else "destination").alias("country"),
            pl.lit(place).alias("place"),
        )
        made.append(rows.filter(one).with_columns(pl.lit("unknown").alias("leg")))
        made += [rows.filter(two).with_columns(pl.lit(leg).alias("leg")) for leg in step.legs]
    scans = pl.concat(made).sort("tracking_number", "at", "place", "leg")
    scans = scans.filter(pl.col("at").is_not_null())
    keys = [
        f"{number}|{place}" for number, place in scans.select("tracking_number", "place").rows()
    ]
    ids = text_ids(keys)
    luck = pl.Series(sim.draws.uniform("track.clock", ids))
    may_lack = pl.col("step") == "hub"
    return _with_offsets(scans).with_columns(
        pl.when(may_lack & (luck < 0.03))
        .then(pl.lit("local"))
        .when(may_lack & (luck < 0.05))
        .then(pl.lit("day"))
        .otherwise(pl.lit("time"))
        .alias("precision"),
        pl.Series(sim.draws.bits("track.word", ids) % 12).cast(pl.Int64).alias("variant"),
    )


def _with_offsets(scans: pl.DataFrame) -> pl.DataFrame:
    """Minutes by which the clock there is ahead of UTC."""
    offset = pl.lit(0, dtype=pl.Int64)
    for country in scans["country"].unique().sort().to_list():
        zone = geography.country(country).time_zone
        there = pl.col("at").dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
        ahead = (there.dt.base_utc_offset() + there.dt.dst_offset()).dt.total_minutes()
        offset = pl.when(pl.col("country") == country).then(ahead).otherwise(offset)
    return scans.with_columns(offset.alias("offset_minutes"))


def _stops(scans: pl.DataFrame) -> pl.DataFrame:
    """When the service stops: some time after the end, or once nothing is heard for long."""
    following = pl.col("at").shift(-1).over("tracking_number")
    is_end = pl.col("step").is_in(_ENDS) & following.is_null()
    last = scans.with_columns(following.alias("next_at"), is_end.alias("is_end")).filter(
        pl.col("next_at").is_null() | (pl.col("next_at") - pl.col("at") > SILENT_FOR)
    )
    return (
        last.group_by("tracking_number", maintain_order=True)
        .first()
        .select(
            "tracking_number",
            pl.when("is_end")
            .then(pl.col("at") + STOPS_AFTER_END)
            .otherwise(pl.col("at") + SILENT_FOR)
            .alias("stopped_at"),
            (~pl.col("is_end")).alias("is_given_up"),
        )
    )
