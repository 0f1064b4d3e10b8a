"""What is told of parcels on their way, scan by scan, in canonical milestones and exceptions.

Belongs here: the canonical meaning of the words of each source, as the list of the project has it,
and scans that the platforms of own shops pass on. Does not belong here: what the scans of a parcel
mean together (`parcels.py`).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path

import polars as pl

from sources._sandbox.truth.reader import Line, Reader
from sources._sandbox.truth.shipments import Carriers, Shipments
from sources._sandbox.world.parcel_life import OUT_BEFORE, PICKED_AFTER, TRANSIT_AFTER

KEEP = "KEEP"
_STATUSES = Path(__file__).parents[2] / "tracking" / "statuses.csv"


@dataclass(frozen=True)
class Meaning:
    """What a status says: KEEP is no milestone of its own."""

    milestone: str
    exception: str | None
    is_attempt: bool


@dataclass(frozen=True)
class Scan:
    """One scan as its source tells it."""

    carrier: str
    number: str
    source: str
    at: datetime | None
    day: date | None
    country: str
    native_status: str
    meaning: Meaning
    leg: str = "unknown"
    is_superseded: bool = False


@cache
def meanings() -> dict[tuple[str, str, str], Meaning]:
    """By source, status and sub-status."""
    with _STATUSES.open(encoding="utf-8", newline="") as file:
        return {
            (row["source"], row["native_status"], row["native_substatus"]): Meaning(
                row["milestone"], row["exception_code"] or None, row["counts_as_attempt"] == "yes"
            )
            for row in csv.DictReader(file)
        }


def shop_scans(reader: Reader, shipments: Shipments, carriers: Carriers) -> Iterator[Scan]:
    """Scans of the carriers that Shopify follows."""
    orders = reader.world.orders.filter(pl.col("connector") == "shopify").select("order_id")
    rows = reader.world.shipments.filter(
        pl.col("is_followed"), pl.col("shipped_at") <= reader.clock
    ).join(orders, on="order_id", how="semi")
    for row in rows.unique("shipment_id", keep="first", maintain_order=True).iter_rows(named=True):
        line = shipments.line_of(row)
        if line is None:
            continue
        left, ended = row["shipped_at"], row["state_at"]
        steps = [
            ("LABEL_PRINTED", left),
            ("CARRIER_PICKED_UP", left + PICKED_AFTER),
            ("IN_TRANSIT", left + TRANSIT_AFTER),
        ]
        if row["state"] == "delivered":
            ended = row["delivered_at"]
            steps += [("OUT_FOR_DELIVERY", ended - OUT_BEFORE), ("DELIVERED", ended)]
        else:
            steps.append(("FAILURE", ended))
        for status, at in steps:
            if at <= reader.clock:
                yield _shop_scan(carriers, row["carrier"], row["tracking_number"], line, status, at)


def _shop_scan(
    carriers: Carriers, carrier: str, number: str, line: Line, status: str, at: datetime
) -> Scan:
    return Scan(
        carrier=carriers.named(carrier),
        number=number.upper(),
        source="marketplace",
        at=at,
        day=line.day_there(at),
        country=line.country,
        native_status=status,
        meaning=meanings()["shopify", status, ""],
    )
