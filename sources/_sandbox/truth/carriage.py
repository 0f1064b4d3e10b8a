"""What carriers bill: which parcel a charge is of, and which order lines bear it.

Belongs here: the seller's bills read against the known parcels (`facts/metrics.md` 2.4). Does not
belong here: which component of the after-sale a charge is (`costs.py`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

import polars as pl

from sources._sandbox.truth.attribution import allocated
from sources._sandbox.truth.parcels import Cost, Parcel
from sources._sandbox.truth.rates import Rates
from sources._sandbox.truth.shipments import Carriers
from sources._sandbox.world.tables import World

CENT = Decimal("0.01")
_CARRYING = ("freight", "surcharge", "return")


@dataclass(frozen=True)
class Charge:
    """A row of a bill with its parcel, if anybody tells of one, and its part by order line."""

    carrier: str
    number: str
    kind: str
    amount: Decimal
    currency: str
    at: datetime
    bill: str
    parcel: Parcel | None = None
    parts: dict[str, Decimal] = field(default_factory=dict)

    @property
    def day(self) -> date:
        return self.at.date()

    @property
    def is_way_out(self) -> bool:
        """The way to the buyer, with its duty: a cost of the sale."""
        is_back = self.parcel is not None and self.parcel.direction == "return"
        return not is_back and self.kind in ("freight", "surcharge", "duty")


def charges(world: World, clock: datetime, parcels: Iterable[Parcel]) -> list[Charge]:
    """All charges billed by the clock."""
    carriers = Carriers()
    of_number: dict[tuple[str, str], list[Parcel]] = defaultdict(list)
    for known in parcels:
        of_number[known.carrier, known.number].append(known)
    found = []
    for row in world.carrier_bills.filter(pl.col("billed_at") <= clock).iter_rows(named=True):
        at, number = row["billed_at"], row["tracking_number"].upper()
        parcel = _begun(of_number[carriers.named(row["carrier"]), number], at)
        amount = Decimal(row["amount_minor"]).scaleb(-2)
        found.append(
            Charge(
                row["carrier"], number, row["charge_type"], amount, row["currency"], at,
                row["bill_ref"], parcel, _parts(amount, parcel),
            )
        )  # fmt: skip
    return found


def _begun(parcels: list[Parcel], at: datetime) -> Parcel | None:
    """The last one that was on its way when it was billed."""
    return min(
        parcels,
        key=lambda p: (p.begun > at + timedelta(days=1), abs(p.begun - at), p.key),
        default=None,
    )


def _parts(amount: Decimal, parcel: Parcel | None) -> dict[str, Decimal]:
    units: dict[str, Decimal] = defaultdict(Decimal)
    for shipment in parcel.shipments if parcel else ():
        units[shipment.line.key] += shipment.quantity
    if not units:
        return {}
    shares = allocated(abs(amount), dict(sorted(units.items())), CENT)
    return {key: share if amount > 0 else -share for key, share in shares.items() if share}


def carrying(billed: Iterable[Charge], rates: Rates) -> dict[str, Cost]:
    """What carrying each parcel cost; one charge without a rate leaves the sum unknown."""
    found: dict[str, Cost] = {}
    for charge in billed:
        if charge.parcel and charge.kind in _CARRYING:
            amount, _, sum_told = found.get(charge.parcel.key, (Decimal(0), "", Decimal(0)))
            told = rates.convert(charge.amount, charge.currency, charge.day)
            both = None if told is None or sum_told is None else sum_told + told
            found[charge.parcel.key] = (amount + charge.amount, charge.currency, both)
    return found
