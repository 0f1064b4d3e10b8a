"""Which lot each shipped unit came from, as well as a reader of all sources can tell.

Scanned units first; the others by first-in-first-out per SKU and stock pool (first-expiry-first-out
where every lot of the pool has an expiry date), with last-in-first-out as the other bound. An event
by event simulation, apart from the warehouse's own sums of intervals. Belongs here: lots of units
and moves of stock. Does not belong here: rows of facts.
"""

from __future__ import annotations

import heapq
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time

import polars as pl

from sources._sandbox.truth.reader import UNKNOWN, Line, Reader, Row
from sources._sandbox.truth.returned import Return

UNATTRIBUTED = "unattributed"
RECEIPT, BACK, ISSUE = range(3)
Group = tuple[str, str]  # SKU and pool


@dataclass
class Receipt:
    sku: str
    pool: str
    centre: str
    lot_id: str
    at: datetime
    source: tuple[str, int]
    quantity: int  # fit for sale
    damaged: int


@dataclass
class Stray:
    """Goods lost, found, broken or taken home, as the marketplace's ledger tells of them."""

    key: str
    account: str
    sku: str
    pool: str
    centre: str
    kind: str  # adjustment, removal
    at: datetime
    quantity: int  # signed
    is_sellable: bool


@dataclass
class Parts:
    """Units of a line by lot, in the order taken."""

    main: list[str] = field(default_factory=list)  # one entry per unit, scanned ones first
    lifo: list[str] = field(default_factory=list)
    scanned: dict[str, int] = field(default_factory=dict)
    late: set[str] = field(default_factory=set)  # lots received after the unit left
    method: str = "fifo_estimate"
    given_back: int = 0


@dataclass
class Stock:
    parts: dict[str, Parts]  # by order line key
    receipts: list[Receipt]
    strays: list[Stray] = field(default_factory=list)


def allocate(reader: Reader, lines: Iterable[Line], returns: Iterable[Return]) -> Stock:
    sent = [line for line in lines if line.shipped]
    groups: dict[Group, list[Line]] = defaultdict(list)
    for line in sorted(sent, key=lambda line: (line.shipped_at, line.key)):
        groups[line.sku, line.pool].append(line)
    receipts = _receipts(reader)
    arrived: dict[Group, list[Receipt]] = defaultdict(list)
    for receipt in receipts:
        arrived[receipt.sku, receipt.pool].append(receipt)
    restocked: dict[Group, list[Return]] = defaultdict(list)
    for row in returns:
        if row.line and row.received_at and row.disposition == "sellable" and not row.has_no_goods:
            restocked[row.line.sku, row.line.pool].append(row)
    scans = _scans(reader, sent)
    expiry = _expiry(reader)
    stock = Stock({}, receipts, list(_strays(reader)))
    unsold: dict[Group, list[Stray]] = defaultdict(list)
    for stray in stock.strays:
        if stray.is_sellable:
            unsold[stray.sku, stray.pool].append(stray)
    for group in sorted(set(groups) | set(restocked) | set(unsold)):
        _allocate_group(
            group, groups[group], arrived[group], restocked[group], unsold[group], scans, expiry,
            stock,
        )  # fmt: skip
    return stock


def _strays(reader: Reader) -> Iterator[Stray]:
    """Moves of the ledger, dated by the day: what broke lies there unsellable afterwards."""
    pools = dict(reader.world.warehouses.select("fulfilment_centre_id", "stock_pool").iter_rows())
    mishaps = (
        reader.world.stock_moves.filter(
            pl.col("moved_at") < reader.clock, pl.col("kind") != "removed"
        )
        .group_by(
            "reference_id", "account", "sku", "fulfilment_centre_id", "moved_at", "kind",
            maintain_order=True,
        )
        .agg(pl.col("quantity").sum())
    )  # fmt: skip
    for row in mishaps.iter_rows(named=True):
        yield _stray(row, pools, "adjustment", row["moved_at"], row["quantity"])
        if row["kind"] == "damaged":
            yield _stray(row, pools, "adjustment", row["moved_at"], -row["quantity"], fit=False)
    gone = reader.world.removals.filter(pl.col("shipped_at") < reader.clock)
    for row in gone.iter_rows(named=True):
        fit = row["disposition"] == "SELLABLE"
        yield _stray(row, pools, "removal", row["shipped_at"], -row["quantity"], fit=fit)


def _stray(
    row: Row, pools: dict[str, str], kind: str, at: datetime, units: int, *, fit: bool = True
) -> Stray:
    centre = row["fulfilment_centre_id"]
    number = row.get("reference_id") or f"{row['removal_id']}|{row['disposition']}"
    return Stray(
        f"move|{kind}|{row['account']}|{number}|{centre}|{row['sku']}|{fit}",
        row["account"], row["sku"], pools[centre], centre, kind,
        datetime.combine(at.date(), time(12)), units, fit,
    )  # fmt: skip


def _receipts(reader: Reader) -> list[Receipt]:
    """Goods fit for sale that came in, in their order."""
    rows = reader.world.receipts.filter(pl.col("received_at") <= reader.clock).sort(
        "received_at", "receipt_id", "line_no"
    )
    return [
        Receipt(
            row["sku"], row["stock_pool"], row["fulfilment_centre_id"], row["lot_id"],
            row["received_at"], (row["receipt_id"], row["line_no"]),
            row["quantity_received"] - row["quantity_damaged"], row["quantity_damaged"],
        )
        for row in rows.iter_rows(named=True)
    ]  # fmt: skip


def _scans(reader: Reader, lines: Iterable[Line]) -> dict[str, dict[str, int]]:
    """Units by lot of each line, never more than were shipped."""
    rows = reader.world.scans.filter(pl.col("known_at") <= reader.clock).sort(
        "account", "order_id", "sku", "lot_id"
    )
    left: dict[tuple[str, str, str], dict[str, int]] = defaultdict(dict)
    for row in rows.iter_rows(named=True):
        left[row["account"], row["order_id"], row["sku"]][row["lot_id"]] = row["quantity"]
    found: dict[str, dict[str, int]] = {}
    for line in sorted(lines, key=lambda line: line.key):
        mine = left.get((line.account, line.order_id, line.sku), {})
        room = line.shipped
        for lot_id, quantity in mine.items():
            taken = min(room, quantity)
            if taken:
                found.setdefault(line.key, {})[lot_id] = taken
                mine[lot_id] -= taken
                room -= taken
    return found


def _expiry(reader: Reader) -> dict[tuple[str, str], date]:
    lots = reader.world.lots.filter(
        pl.col("arrived_at") <= reader.clock, pl.col("expiry_date").is_not_null()
    )
    return {(row["sku"], row["lot_id"]): row["expiry_date"] for row in lots.iter_rows(named=True)}


def _allocate_group(
    group: Group,
    lines: list[Line],
    receipts: list[Receipt],
    back: list[Return],
    strays: list[Stray],
    scans: dict[str, dict[str, int]],
    expiry: dict[tuple[str, str], date],
    stock: Stock,
) -> None:
    sku, pool = group
    debt: dict[str, int] = defaultdict(int)
    for line in lines:
        parts = Parts(scanned=dict(scans.get(line.key, {})))
        for lot_id, quantity in parts.scanned.items():
            debt[lot_id] += quantity
            parts.main += [lot_id] * quantity
            parts.lifo += [lot_id] * quantity
        stock.parts[line.key] = parts
    lots = {receipt.lot_id for receipt in receipts} | set(debt)
    has_expiry = bool(lots) and all((sku, lot_id) in expiry for lot_id in lots)
    method = "single_lot" if len(lots) == 1 else "fefo_estimate" if has_expiry else "fifo_estimate"
    for line in lines:
        stock.parts[line.key].method = method
    for stray in strays:
        if stray.quantity < 0:
            stock.parts[stray.key] = Parts(method=method)
    if pool == UNKNOWN:
        receipts = []
    shelf = _Shelf(sku, expiry if has_expiry else None, stock, debt)
    events: list[tuple[datetime, int, tuple[str, int], Receipt | Return | Line | Stray]] = [
        *((s.at, RECEIPT if s.quantity > 0 else ISSUE, (s.key, 0), s) for s in strays),
        *((r.at, RECEIPT, r.source, r) for r in receipts),
        *((r.received_at, BACK, (r.key, 0), r) for r in back if r.received_at),
        *((sent.shipped_at, ISSUE, (sent.key, 0), sent) for sent in lines if sent.shipped_at),
    ]
    for _, _, _, what in sorted(events, key=lambda event: event[:3]):
        if isinstance(what, Receipt):
            shelf.receive(what.lot_id, what.quantity)
        elif isinstance(what, Return):
            shelf.take_back(what)
        elif isinstance(what, Line):
            left = what.shipped - sum(stock.parts[what.key].scanned.values())
            shelf.issue(what.key, left)
        elif what.quantity > 0:
            shelf.put(UNATTRIBUTED, what.quantity)
        else:
            shelf.issue(what.key, -what.quantity)
    shelf.close()


@dataclass
class _Shelf:
    """Units of one SKU in one pool as time goes on."""

    sku: str
    expiry: dict[tuple[str, str], date] | None  # given: first expiry, first out
    stock: Stock
    debt: dict[str, int]  # scanned units still to be taken out of what comes in
    queue: deque[list] = field(default_factory=deque)  # [lot, units], first in first out
    heap: list[list] = field(default_factory=list)  # [expiry, number, lot, units]
    stack: list[list] = field(default_factory=list)  # last in first out
    owed: deque[str] = field(default_factory=deque)  # one entry per unit that left unseen
    number: int = 0

    def receive(self, lot_id: str, units: int) -> None:
        scanned = min(units, self.debt.get(lot_id, 0))
        if scanned:
            self.debt[lot_id] -= scanned
        units -= scanned
        if units:
            self.put(lot_id, units)

    def put(self, lot_id: str, units: int) -> None:
        self.number += 1
        self.stack.append([lot_id, units])
        if self.expiry is not None:
            end = self.expiry.get((self.sku, lot_id), date.max)
            heapq.heappush(self.heap, [end, self.number, lot_id, units])
            return
        while units and self.owed:
            self.give(self.owed.popleft(), lot_id, late=True)
            units -= 1
        if units:
            self.queue.append([lot_id, units])

    def give(self, issue: str, lot_id: str, *, late: bool = False) -> None:
        parts = self.stock.parts[issue]
        parts.main.append(lot_id)
        if late and lot_id != UNATTRIBUTED:
            parts.late.add(lot_id)

    def issue(self, issue: str, units: int) -> None:
        parts = self.stock.parts[issue]
        for _ in range(units):
            parts.lifo.append(_take(self.stack, last=True) or UNATTRIBUTED)
            if self.expiry is not None:
                parts.main.append(self._first_to_expire() or UNATTRIBUTED)
                continue
            lot_id = _take(self.queue, last=False)
            if lot_id is None:
                self.owed.append(issue)
            else:
                self.give(issue, lot_id)

    def _first_to_expire(self) -> str | None:
        if not self.heap:
            return None
        first = self.heap[0]
        first[3] -= 1
        if not first[3]:
            heapq.heappop(self.heap)
        return str(first[2])

    def take_back(self, row: Return) -> None:
        """Units fit for sale come to the end of the queue with the lot they were sold from."""
        assert row.line is not None  # noqa: S101
        parts = self.stock.parts[row.line.key]
        told = [i.lot_id for i in row.inspections for _ in range(i.quantity) if i.lot_id]
        for place in range(row.quantity):
            mine = parts.given_back
            parts.given_back += 1
            if place < len(told):
                lot_id = told[place] or UNATTRIBUTED
            else:
                lot_id = parts.main[mine] if mine < len(parts.main) else UNATTRIBUTED
            if lot_id == UNATTRIBUTED:
                self.put(lot_id, 1)
            else:
                self.receive(lot_id, 1)

    def close(self) -> None:
        for issue in self.owed:
            self.stock.parts[issue].main.append(UNATTRIBUTED)


def _take(pile: deque[list] | list[list], *, last: bool) -> str | None:
    """One unit off the end or the front of a pile."""
    if not pile:
        return None
    entry = pile[-1 if last else 0]
    entry[1] -= 1
    if not entry[1]:
        if last:
            pile.pop()
        else:
            assert isinstance(pile, deque)  # noqa: S101
            pile.popleft()
    return str(entry[0])
