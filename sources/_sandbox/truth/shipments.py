"""Which parcels the simulated shops tell of: number, carrier, lines in it, labels for returns.

Belongs here: shipments under the names of the facts. Does not belong here: what carriers scan
(`scans.py`) or what follows from it (`parcels.py`).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from sources._sandbox.api_faults import share_of
from sources._sandbox.truth.reader import SEARCH_LAG, UNKNOWN, Line, Reader
from sources._sandbox.truth.world_truth import line_keys
from sources._sandbox.world import geography

Row = dict[str, Any]
_LISTS = Path(__file__).parents[2] / "tracking"


@dataclass(frozen=True)
class Shipment:
    """Units of an order line in a parcel."""

    account: str
    line: Line
    carrier: str
    service: str
    number: str
    direction: str
    quantity: int
    shipped_at: datetime | None
    promised_at: datetime | None = None
    origin: str | None = None
    destination: str | None = None
    centre: str | None = None
    label: Decimal | None = None
    currency: str | None = None


def word(text: str) -> str:
    """A carrier or service as people write it, in one form."""
    return text.strip().lower().replace(" ", "_").replace("-", "_").replace(".", "") or UNKNOWN


class Carriers:
    """The carriers that the seller's list names, by all their words."""

    @cached_property
    def known(self) -> dict[str, Row]:
        with (_LISTS / "carriers.csv").open(encoding="utf-8", newline="") as file:
            return {row["carrier"]: row for row in csv.DictReader(file)}

    @cached_property
    def _words(self) -> dict[str, str]:
        with (_LISTS / "carrier_words.csv").open(encoding="utf-8", newline="") as file:
            return {word(row["word"]): row["carrier"] for row in csv.DictReader(file)}

    def named(self, text: str | None) -> str:
        written = word(text or "")
        return self._words.get(written, written)

    def is_express(self, carrier: str, service: str) -> bool:
        fast, slow = ("express", "expedited", "overnight", "next_day"), ("ground", "economy")
        if any(mark in service for mark in fast):
            return True
        is_slow = any(mark in service for mark in (*slow, "standard", "surepost", "smartpost"))
        known = self.known.get(carrier)
        return known is not None and known["is_express"] == "true" and not is_slow


class Shipments:
    """Reads what all selling accounts tell of parcels."""

    def __init__(self, reader: Reader, lines: dict[str, Line], carriers: Carriers) -> None:
        self.reader = reader
        self.lines = lines
        self.carriers = carriers
        keys = line_keys(reader.world).select("order_id", "line_no", "order_line_key")
        self._keys = {(order, number): name for order, number, name in keys.iter_rows()}

    def all(self) -> Iterator[Shipment]:
        yield from self._outbound()
        yield from self._amazon_returns()
        yield from self._shop_returns()
        yield from self._market_returns()

    def _reached(self, at: datetime | None) -> bool:
        return at is not None and at <= self.reader.clock

    def line_of(self, row: Row) -> Line | None:
        return self.lines.get(self._keys.get((row["order_id"], row["line_no"]), ""))

    def _outbound(self) -> Iterator[Shipment]:
        orders = self.reader.world.orders.select(
            "order_id", "account", "connector", "fulfilled_by", "country", "link_kind",
            pl.col("carrier").alias("order_carrier"), pl.col("service").alias("order_service"),
        )  # fmt: skip
        rows = self.reader.world.shipments.filter(pl.col("shipped_at") <= self.reader.clock).join(
            orders, on="order_id"
        )
        files: dict[str, tuple[Line, list[Row]]] = {}
        for row in rows.sort("shipped_at", "shipment_item_id").iter_rows(named=True):
            line = self.line_of(row)
            if line is None or not self._is_told(row, line):
                continue
            if row["connector"] == "files":
                files.setdefault(line.key, (line, []))[1].append(row)
            else:
                yield self._sent(row, line)
        for line, parcels in files.values():
            yield self._of_file(line, parcels)

    def _is_told(self, row: Row, line: Line) -> bool:
        """Amazon's own parcels stand in a report, those of sellers in orders that are found."""
        if row["connector"] != "amazon":
            return True
        if row["fulfilled_by"] == "marketplace":
            return self._reached(row["reported_at"]) and row["shipped_at"] < self.reader.clock
        return line.ship_by_at is not None and row["shipped_at"] < self.reader.clock - SEARCH_LAG

    def _sent(self, row: Row, line: Line) -> Shipment:
        connector = row["connector"]
        is_replacement = connector == "walmart" and row["link_kind"] is not None
        services = {"amazon": row["service"], "walmart": "Value"}
        is_fba = connector == "amazon" and row["fulfilled_by"] == "marketplace"
        centre = {"shopify": row["fulfilment_centre_id"], "walmart": line.centre}.get(connector)
        return Shipment(
            account=row["account"],
            line=line,
            carrier=self.carriers.named(row["carrier"]),
            service=UNKNOWN if is_fba else word(services.get(connector, "")),
            number=row["tracking_number"].upper(),
            direction="replacement" if is_replacement else "outbound",
            quantity=row["quantity"],
            shipped_at=row["shipped_at"],
            promised_at=line.promised_at if connector in ("ebay", "walmart") else None,
            destination=row["country"],
            centre=row["fulfilment_centre_id"] if is_fba else centre,
        )

    def _of_file(self, line: Line, parcels: list[Row]) -> Shipment:
        """A file has one number a line and one carrier an order, whatever it was sent in."""
        return Shipment(
            account=parcels[0]["account"],
            line=line,
            carrier=self.carriers.named(parcels[0]["order_carrier"]),
            service=word(parcels[0]["order_service"]),
            number=min(parcel["tracking_number"] for parcel in parcels).upper(),
            direction="outbound",
            quantity=line.ordered,
            shipped_at=min(parcel["shipped_at"] for parcel in parcels),
            promised_at=line.promised_at,
            destination=line.country,
        )

    def _amazon_returns(self) -> Iterator[Shipment]:
        """Labels of requests to a seller who sends himself; the report has days only."""
        asked = self.reader.world.return_requests.filter(
            pl.col("approved_at") < self.reader.clock, pl.col("tracking_number").is_not_null()
        )
        for row in asked.sort("return_no").iter_rows(named=True):
            line = self.line_of(row)
            if line is None:
                continue
            cost = row["label_cost_minor"]
            yield Shipment(
                account=row["account"],
                line=line,
                carrier="dhl",
                service=UNKNOWN,
                number=row["tracking_number"].upper(),
                direction="return",
                quantity=row["quantity"],
                shipped_at=line.place.noon(row["requested_at"]),
                label=None if cost is None else Decimal(cost).scaleb(-line.place.decimals),
                currency=row["currency"],
            )

    def _shop_returns(self) -> Iterator[Shipment]:
        """Parcels that Shopify's orders to take goods back name; not all are told."""
        seed = self.reader.world.scenario.seed
        asked = self.reader.world.shop_returns.filter(pl.col("requested_at") <= self.reader.clock)
        for row in asked.sort("return_no").iter_rows(named=True):
            line, digits = self.line_of(row), row["return_id"][1:]
            is_told = share_of(seed, "no label", digits) >= 0.15
            is_told &= share_of(seed, "parcel told", digits) < 0.9
            if line is None or not is_told or not self._is_agreed(row):
                continue
            has_label = share_of(seed, "own label", digits) < 0.8
            labelled = (row["approved_at"] or row["requested_at"]) + timedelta(minutes=20)
            yield Shipment(
                account=row["account"],
                line=line,
                carrier="dhl",
                service=UNKNOWN,
                number=f"RT{digits}",
                direction="return",
                quantity=row["quantity"],
                shipped_at=labelled if has_label else row["requested_at"],
            )

    def _is_agreed(self, row: Row) -> bool:
        """The return is open or closed: nobody refused it or took it back."""
        is_open = row["is_opened_by_shop"] or self._reached(row["approved_at"])
        return (is_open or self._reached(row["closed_at"])) and not self._reached(row["ended_at"])

    def _market_returns(self) -> Iterator[Shipment]:
        """eBay and Walmart name the parcel once it is on its way; Walmart gives no time of it."""
        sent = self.reader.world.market_returns.filter(
            pl.col("sent_at") <= self.reader.clock, pl.col("tracking_number").is_not_null()
        )
        for row in sent.sort("return_id").iter_rows(named=True):
            line, is_ebay = self.line_of(row), row["connector"] == "ebay"
            if line is None or (not is_ebay and row["is_kept"]):
                continue
            cents = row["label_usd_cents"] if is_ebay else None
            rate = geography.units_per_usd(line.place.currency) * 10**line.place.decimals
            minor = None if cents is None else round(cents / 100 * rate)
            yield Shipment(
                account=row["account"],
                line=line,
                carrier="usps" if is_ebay else "fedex",
                service=UNKNOWN if is_ebay else "fedex_ground",
                number=row["tracking_number"].upper(),
                direction="return",
                quantity=row["quantity"],
                shipped_at=row["sent_at"] if is_ebay else row["requested_at"],
                origin=line.country,
                label=None if minor is None else Decimal(minor).scaleb(-line.place.decimals),
                currency=None if minor is None else line.place.currency,
            )
