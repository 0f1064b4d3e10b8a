"""Settlement reports: which ones are listed when, and their rows with the local habits of numbers.

Amazon makes these unasked when a period closes. They stay listed for 90 days and are listed anew
after 80, so that a reader who comes late still finds each; some are listed twice at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import polars as pl

from sources._sandbox.api_faults import share_of

from .places import BY_ID
from .report_ids import ReportRequest
from .report_kinds import SETTLEMENTS
from .snapshot import Snapshot, money

LISTED_AGAIN = timedelta(days=80)
TWICE_SHARE = 0.15

HEADER = [
    "settlement-id",
    "settlement-start-date",
    "settlement-end-date",
    "deposit-date",
    "total-amount",
    "currency",
    "transaction-type",
    "order-id",
    "merchant-order-id",
    "adjustment-id",
    "shipment-id",
    "marketplace-name",
    "amount-type",
    "amount-description",
    "amount",
    "fulfillment-id",
    "posted-date",
    "posted-date-time",
    "order-item-code",
    "merchant-order-item-id",
    "merchant-adjustment-item-id",
    "sku",
    "quantity-purchased",
    "promotion-id",
]


@dataclass(frozen=True)
class Habits:
    """How a settlement file writes numbers and times."""

    has_comma: bool
    day: str
    moment: str
    time_zone: str = "UTC"


_POINT = Habits(has_comma=False, day="%Y-%m-%d", moment="%Y-%m-%d %H:%M:%S UTC")
_COMMA = Habits(has_comma=True, day="%d.%m.%Y", moment="%d.%m.%Y %H:%M:%S UTC")
_BRITISH = Habits(has_comma=False, day="%d/%m/%y", moment="%Y-%m-%d %H:%M:%S UTC")
_OFFSET = Habits(has_comma=False, day="%Y-%m-%d", moment="%Y-%m-%dT%H:%M:%S+00:00")
_JAPANESE = Habits(
    has_comma=False, day="%Y-%m-%d", moment="%Y-%m-%d %H:%M:%S JST", time_zone="Asia/Tokyo"
)


def habits_of(group: str, currency: str) -> Habits:
    if currency == "GBP":
        return _BRITISH
    if currency == "JPY":
        return _JAPANESE
    if group == "EU":
        return _COMMA
    return _OFFSET if currency in ("CAD", "AUD") else _POINT


@dataclass
class Listing:
    """The settlement reports of one account that are listed at a moment."""

    snapshot: Snapshot
    seed: int
    _ids: dict[int, str] = field(default_factory=dict)

    def requests(self) -> list[ReportRequest]:
        """Reports created in the last 90 days and up to now, oldest first."""
        closed = (
            self.snapshot.world.settlements.filter(
                pl.col("account") == self.snapshot.account,
                pl.col("closed_at") <= self.snapshot.now,
            )
            .sort("closed_at", "settlement_id")
            .with_row_index("number")
        )
        found: list[ReportRequest] = []
        for row in closed.iter_rows(named=True):
            self._ids[row["number"]] = row["settlement_id"]
            places = self._places(row["settlement_id"], row["currency"])
            for created in self._created(row["settlement_id"], row["closed_at"]):
                found.append(
                    ReportRequest(
                        SETTLEMENTS.report_type,
                        row["start_at"].replace(tzinfo=UTC),
                        row["end_at"].replace(tzinfo=UTC),
                        created.replace(tzinfo=UTC),
                        places,
                        serial=row["number"] % 4096,
                    )
                )
        return sorted(found, key=lambda request: (request.created, request.serial))

    def settlement_of(self, request: ReportRequest) -> str:
        return self._ids[request.serial]

    def _created(self, settlement_id: str, closed_at: datetime) -> list[datetime]:
        now = self.snapshot.now
        times = []
        while closed_at <= now:
            times.append(closed_at)
            if share_of(self.seed, "twice", settlement_id) < TWICE_SHARE:
                times.append(closed_at + timedelta(minutes=7))
            closed_at += LISTED_AGAIN
        return [time for time in times if now - timedelta(days=90) <= time <= now]

    def _places(self, settlement_id: str, currency: str) -> tuple[str, ...]:
        """Marketplaces that pay in the settlement's currency."""
        places = self.snapshot.places.filter(pl.col("currency") == currency)
        ids = [i for i in places["marketplace_id"].to_list() if i in BY_ID]
        return tuple(ids) or tuple(self.snapshot.places["marketplace_id"].to_list()[:1])


def settlement_rows(snapshot: Snapshot, settlement_id: str) -> pl.DataFrame:
    """The report: a header row with period and total, then one row per component of money."""
    head = snapshot.world.settlements.filter(pl.col("settlement_id") == settlement_id)
    first = head.row(0, named=True)
    habits = habits_of(first["region_group"], first["currency"])
    decimals = pl.lit(_decimals(snapshot, first["currency"]), pl.Int8).alias("decimals")
    header = head.with_columns(decimals).select(
        pl.col("settlement_id").alias("settlement-id"),
        _moment("start_at", habits).alias("settlement-start-date"),
        _moment("end_at", habits).alias("settlement-end-date"),
        _moment("deposit_at", habits).alias("deposit-date"),
        _amount("total_minor", habits).alias("total-amount"),
        pl.col("currency"),
    )
    details = (
        snapshot.world.settlement_lines.filter(pl.col("settlement_id") == settlement_id)
        .sort("line_seq")
        .with_columns(decimals)
        .select(*_detail_cells(habits))
    )
    rows = pl.concat([header, details], how="diagonal")
    missing = [pl.lit(None, pl.String).alias(name) for name in HEADER if name not in rows.columns]
    return rows.with_columns(missing).select(HEADER)


def _detail_cells(habits: Habits) -> list[pl.Expr]:
    texts = {
        "settlement_id": "settlement-id",
        "transaction_type": "transaction-type",
        "order_id": "order-id",
        "adjustment_id": "adjustment-id",
        "shipment_id": "shipment-id",
        "marketplace_name": "marketplace-name",
        "amount_type": "amount-type",
        "amount_description": "amount-description",
        "fulfillment_id": "fulfillment-id",
        "order_item_id": "order-item-code",
        "sku": "sku",
        "promotion_id": "promotion-id",
    }
    return [
        *(pl.col(column).alias(name) for column, name in texts.items()),
        _amount("amount_minor", habits).alias("amount"),
        _moment("posted_at", habits, habits.day).alias("posted-date"),
        _moment("posted_at", habits).alias("posted-date-time"),
        pl.col("quantity_purchased").cast(pl.String).alias("quantity-purchased"),
    ]


def _amount(column: str, habits: Habits) -> pl.Expr:
    text = money(column)
    return text.str.replace(".", ",", literal=True) if habits.has_comma else text


def _moment(column: str, habits: Habits, layout: str | None = None) -> pl.Expr:
    aware = pl.col(column).dt.replace_time_zone("UTC").dt.convert_time_zone(habits.time_zone)
    return aware.dt.strftime(layout or habits.moment)


def _decimals(snapshot: Snapshot, currency: str) -> int:
    known = snapshot.world.marketplaces.filter(pl.col("currency") == currency)["decimals"]
    return int(known[0]) if known.len() else 2
