"""From a report request to its file: rows of the window, planted faults, bytes.

Belongs here: choosing rows and what may go wrong with them. Snapshots are kept between two events
of the world, so a clock that creeps on in a test costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from sources._core.clock import Clock
from sources._sandbox.api_faults import ApiFaults, Drift, SourceFaults, share_of
from sources._sandbox.snapshots import Snapshots
from sources._sandbox.world.tables import World

from .feedback import localised, seller_feedback
from .report_ids import ReportRequest, report_id
from .report_kinds import (
    ALL_ORDERS,
    FBA_REIMBURSEMENTS,
    FBA_REPLACEMENTS,
    FBA_RETURNS,
    FULFILLED_SHIPMENTS,
    INVENTORY_LEDGER,
    KINDS,
    MFN_RETURNS,
    MFN_RETURNS_XML,
    REMOVAL_ORDERS,
    REMOVAL_SHIPMENTS,
    SELLER_FEEDBACK,
    SETTLEMENTS,
)
from .report_rows import (
    all_orders,
    fba_reimbursements,
    fba_replacements,
    fba_returns,
    fulfilled_shipments,
)
from .report_text import Document, packed, report_document
from .return_requests import envelope, mfn_returns, mfn_returns_xml
from .settlements import HEADER, Listing, settlement_rows
from .snapshot import Snapshot
from .stock import inventory_ledger, ledger_text, removal_orders, removal_shipments

_ROWS: dict[str, Callable[[Snapshot], pl.DataFrame]] = {
    ALL_ORDERS.report_type: all_orders,
    FBA_RETURNS.report_type: fba_returns,
    FULFILLED_SHIPMENTS.report_type: fulfilled_shipments,
    FBA_REIMBURSEMENTS.report_type: fba_reimbursements,
    FBA_REPLACEMENTS.report_type: fba_replacements,
    MFN_RETURNS.report_type: mfn_returns,
    MFN_RETURNS_XML.report_type: mfn_returns_xml,
    SELLER_FEEDBACK.report_type: seller_feedback,
    INVENTORY_LEDGER.report_type: inventory_ledger,
    REMOVAL_ORDERS.report_type: removal_orders,
    REMOVAL_SHIPMENTS.report_type: removal_shipments,
}
_REPEATABLE = {
    FBA_RETURNS.report_type: "license-plate-number",
    FULFILLED_SHIPMENTS.report_type: "shipment-item-id",
}
"""Reports whose rows have a key: only there can a reader tell a row given twice from two rows."""


_REQUEST_TIMES = ("requested_at", "approved_at", "received_at", "closed_at", "refunded_at")


def snapshots_of(world: World) -> Snapshots[str, Snapshot]:
    """By account."""
    return Snapshots(
        _events(world), lambda account, moment: Snapshot(world, account, moment), most=32
    )


def _events(world: World) -> list[pl.Series]:
    return [
        world.orders["ordered_at"],
        world.order_states["at"],
        world.order_lines["line_cancelled_at"],
        world.shipments["shipped_at"],
        world.shipments["reported_at"],
        world.returns["received_at"],
        world.returns["posted_at"],
        world.returns["redated_at"],
        *(world.return_requests[name] for name in _REQUEST_TIMES),
        world.reimbursements["approved_at"],
        world.feedback["rated_at"],
        world.receipts["received_at"],
        world.stock_moves["moved_at"],
        world.removals["requested_at"],
        world.removals["shipped_at"],
        world.settlements["closed_at"],
    ]


@dataclass
class ReportContents:
    """Bodies of reports as of the moment each was asked for."""

    snapshots: Snapshots[str, Snapshot]
    clock: Clock
    seed: int
    faults: ApiFaults
    source_faults: SourceFaults
    _tables: dict[tuple[str, datetime, str], pl.DataFrame] = field(default_factory=dict)
    _listings: dict[tuple[str, datetime], tuple[Listing, list[ReportRequest]]] = field(
        default_factory=dict
    )

    def document(self, account: str, request: ReportRequest) -> Document | None:
        """The file of a report; None where there is no row and Amazon cancels it."""
        if request.report_type == SETTLEMENTS.report_type:
            rows = self._settlement(account, request)
        else:
            rows = self._window(account, request)
        luck = f"{self.seed}:{account}:{report_id(request)}"
        if rows.height == 0:
            return _without_rows(rows, request, luck)
        rows = self._disturbed(rows, request.report_type, luck)
        for drift in self.source_faults.drifts_of(KINDS[request.report_type].stream, self.clock):
            rows = drifted(rows, drift)
        return _file(rows, request, luck)

    def listed(self, account: str) -> Sequence[ReportRequest]:
        """Settlement reports that are listed now."""
        return self._listing(account)[1]

    def _listing(self, account: str) -> tuple[Listing, list[ReportRequest]]:
        snapshot = self.snapshots.at(account, self.clock.now())
        key = (account, snapshot.now)
        if key not in self._listings:
            listing = Listing(snapshot, self.seed)
            self._listings = {key: (listing, listing.requests())} | {
                other: kept for other, kept in self._listings.items() if other[0] != account
            }
        return self._listings[key]

    def _settlement(self, account: str, request: ReportRequest) -> pl.DataFrame:
        listing, _ = self._listing(account)
        return settlement_rows(listing.snapshot, listing.settlement_of(request)).select(HEADER)

    def _window(self, account: str, request: ReportRequest) -> pl.DataFrame:
        snapshot = self.snapshots.at(account, request.created)
        key = (account, snapshot.now, request.report_type)
        if key not in self._tables:
            if len(self._tables) > 32:
                self._tables.clear()
            self._tables[key] = _ROWS[request.report_type](snapshot)
        start, end = request.start.replace(tzinfo=None), request.end.replace(tzinfo=None)
        return (
            self._tables[key]
            .filter(
                pl.col("_at").is_between(start, end, closed="left"),
                pl.col("_place").is_in(list(request.marketplace_ids)),
            )
            .drop("_at", "_place")
        )

    def _disturbed(self, rows: pl.DataFrame, report_type: str, luck: str) -> pl.DataFrame:
        """Rows given twice, or in no order, in the scenario's share of reports."""
        number = int(share_of(luck, "row") * rows.height)
        key = _REPEATABLE.get(report_type)
        if key is not None and self.faults.strikes("duplicate_record", luck):
            again = rows[number : number + 1].filter(pl.col(key).is_not_null())
            rows = pl.concat([rows, again])
        if report_type != SETTLEMENTS.report_type and self.faults.strikes("out_of_order", luck):
            rows = rows.sample(fraction=1.0, shuffle=True, seed=number)
        return rows


def _file(rows: pl.DataFrame, request: ReportRequest, luck: str) -> Document:
    """The rows in the form of their report type."""
    if request.report_type == SELLER_FEEDBACK.report_type:
        rows = localised(rows, request.marketplace_ids)
    if request.report_type == INVENTORY_LEDGER.report_type:
        body = ledger_text(rows, luck).encode()
        return packed(body, "text/plain; charset=UTF-8", rows.height, luck)
    if request.report_type == MFN_RETURNS_XML.report_type:
        return packed(envelope(rows).encode(), "text/xml; charset=UTF-8", rows.height, luck)
    return report_document(rows, request.marketplace_ids, luck)


def _without_rows(rows: pl.DataFrame, request: ReportRequest, luck: str) -> Document | None:
    """No data: mostly CANCELLED, sometimes a file with only its header, or of no bytes at all."""
    chance = share_of(luck, "empty")
    if chance < 0.7:
        return None
    if chance < 0.9:
        return _file(rows, request, luck)
    return Document(b"", "text/plain; charset=UTF-8")


def _bare(name: str) -> str:
    return name.replace("_", "-").replace(" ", "-").lower()


def drifted(rows: pl.DataFrame, drift: Drift) -> pl.DataFrame:
    """The table with one column added, dropped, renamed or of another kind.

    `field` may be written with `-`, `_` or blanks. Another kind: numbers get a unit, other text
    becomes a JSON object with the text inside.
    """
    wanted = _bare(drift.field)
    if drift.change == "add":
        return rows.with_columns(pl.lit("new").alias(wanted))
    wanted = next((name for name in rows.columns if _bare(name) == wanted), "")
    if not wanted:
        return rows
    if drift.change == "drop":
        return rows.drop(wanted)
    if drift.change == "rename":
        return rows.rename({wanted: f"{wanted}-v2"})
    cell = pl.col(wanted)
    is_number = cell.str.contains(r"^-?\d+([.,]\d+)?$")
    return rows.with_columns(
        pl.when(is_number)
        .then(cell + " pcs")
        .when(cell.is_not_null())
        .then('{"value": ' + cell + "}")
        .alias(wanted)
    )
