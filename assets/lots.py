"""Which lot each shipped unit came from: FIFO, first-expiry-first-out and the LIFO bound.

Belongs here: the three ways of taking units out of one pool of stock, and walking through all
pools. Does not belong here: where receipts, returns and sales come from (the dbt model
`int_lot_move__ordered`), and what a share of a lot is used for.

A pool is the stock of one SKU in one stock pool; its moves come in the order in which they
happened. Nothing here opens the database: moves come in as Arrow batches, takings leave as a table.
"""

from __future__ import annotations

import heapq
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa

NO_LOT = -1
"""Units of no known lot: found stock, and units sold that were never received."""


class Kind(IntEnum):
    """What a move is. At one moment stock comes in before it goes out, in this order."""

    SCAN = 0
    RECEIPT = 1
    RETURN = 2
    ISSUE = 3


class Method(IntEnum):
    """How the lot of a taking is known; the words of the contract are in the dbt model."""

    SINGLE_LOT = 0
    FEFO = 1
    FIFO = 2


class Move(NamedTuple):
    """One move of a pool.

    `issue` numbers the sale (or removal) that takes units; a scan or return names the sale it
    belongs to. A scan says that `quantity` units of that sale were of `lot`: they and as many
    units of the lot's receipts are taken out first. A return with NO_LOT brings back units of the
    sale itself.
    """

    kind: int
    lot: int
    quantity: int
    issue: int
    at: int


class Taking(NamedTuple):
    """Units of a lot that a sale took. `is_early`: it left before the lot came."""

    issue: int
    lot: int
    quantity: int
    is_early: bool


@dataclass
class _Sold:
    """Lots of the sales that units come back from, in the order taken."""

    issues: frozenset[int]
    lots: dict[int, deque[list[int]]] = field(default_factory=dict)

    def note(self, issue: int, lot: int, quantity: int) -> None:
        if issue in self.issues:
            self.lots.setdefault(issue, deque()).append([lot, quantity])

    def give_back(self, issue: int, quantity: int) -> Iterator[tuple[int, int]]:
        """Lots of the next units of the sale; units not attributed yet have none."""
        taken = self.lots.get(issue)
        while quantity and taken:
            first = taken[0]
            units = min(quantity, first[1])
            yield first[0], units
            quantity -= units
            first[1] -= units
            if not first[1]:
                taken.popleft()
        if quantity:
            yield NO_LOT, quantity


@dataclass
class _Incoming:
    """Stock coming in, with the lots of returns worked out and scanned units taken out first."""

    sold: _Sold
    scanned: dict[int, int]

    @classmethod
    def of(cls, moves: Sequence[Move]) -> _Incoming:
        sold = _Sold(frozenset(m.issue for m in moves if m.kind == Kind.RETURN))
        scanned: dict[int, int] = {}
        for move in moves:
            if move.kind != Kind.SCAN:
                break
            scanned[move.lot] = scanned.get(move.lot, 0) + move.quantity
            sold.note(move.issue, move.lot, move.quantity)
        return cls(sold, scanned)

    def units(self, move: Move) -> Iterator[tuple[int, int]]:
        """(lot, quantity) that a receipt or return adds to the stock on hand."""
        for lot, quantity in self._named(move):
            owed = self.scanned.get(lot, 0) if self.scanned else 0
            if owed:
                taken_out = min(owed, quantity)
                self.scanned[lot] = owed - taken_out
                if taken_out < quantity:
                    yield lot, quantity - taken_out
            else:
                yield lot, quantity

    def _named(self, move: Move) -> Iterator[tuple[int, int]]:
        if move.kind == Kind.RETURN and move.lot == NO_LOT:
            yield from self.sold.give_back(move.issue, move.quantity)
        else:
            yield move.lot, move.quantity


ReturnedLots = dict[int, list[tuple[int, int]]]
"""Units that came into stock by the n-th move of a pool, for returns: [(lot, quantity)]."""


def take_first_in(moves: Sequence[Move]) -> tuple[list[Taking], ReturnedLots]:
    """First in, first out: unit u of what leaves is unit u of what came.

    A sale of more than came waits: the next receipt is its own although it came later.
    """
    stock: deque[list[int]] = deque()
    waiting: deque[list[int]] = deque()
    incoming = _Incoming.of(moves)
    returned: ReturnedLots = {}
    takings: list[Taking] = []
    for number, (kind, _lot, quantity, issue, at) in enumerate(moves):
        if kind == Kind.ISSUE:
            while quantity and stock:
                first = stock[0]
                units = quantity if quantity < first[1] else first[1]
                takings.append(Taking(issue, first[0], units, False))
                incoming.sold.note(issue, first[0], units)
                quantity -= units
                first[1] -= units
                if not first[1]:
                    stock.popleft()
            if quantity:
                waiting.append([issue, quantity, at])
        elif kind != Kind.SCAN:
            came = list(incoming.units(moves[number]))
            if kind == Kind.RETURN:
                returned[number] = came
            for lot, units in came:
                _fill(waiting, stock, lot, units, at, takings, incoming.sold)
    takings.extend(Taking(issue, NO_LOT, quantity, False) for issue, quantity, _at in waiting)
    return takings, returned


def _fill(
    waiting: deque[list[int]],
    stock: deque[list[int]],
    lot: int,
    quantity: int,
    at: int,
    takings: list[Taking],
    sold: _Sold,
) -> None:
    """What came goes to the sales that wait for it; the rest is stock."""
    while quantity and waiting:
        first = waiting[0]
        units = min(quantity, first[1])
        takings.append(Taking(first[0], lot, units, lot != NO_LOT and at > first[2]))
        sold.note(first[0], lot, units)
        quantity -= units
        first[1] -= units
        if not first[1]:
            waiting.popleft()
    if quantity:
        stock.append([lot, quantity])


def take_first_expiry(
    moves: Sequence[Move], expiry: Mapping[int, int]
) -> tuple[list[Taking], ReturnedLots]:
    """First expiry, first out, among the lots on hand at that moment; ties by receipt.

    What is not on hand is of no lot. Units of no lot expire last and stay so.
    """
    stock: list[tuple[float, int, int]] = []  # expiry, order of receipt, lot
    left: dict[int, int] = {}
    incoming = _Incoming.of(moves)
    returned: ReturnedLots = {}
    takings: list[Taking] = []
    order = 0
    for number, (kind, _lot, quantity, issue, _at) in enumerate(moves):
        if kind == Kind.ISSUE:
            while quantity and stock:
                _, place, lot = stock[0]
                units = min(quantity, left[place])
                takings.append(Taking(issue, lot, units, False))
                incoming.sold.note(issue, lot, units)
                quantity -= units
                left[place] -= units
                if not left[place]:
                    del left[place]
                    heapq.heappop(stock)
            if quantity:
                takings.append(Taking(issue, NO_LOT, quantity, False))
        elif kind != Kind.SCAN:
            came = list(incoming.units(moves[number]))
            if kind == Kind.RETURN:
                returned[number] = came
            for lot, units in came:
                heapq.heappush(stock, (expiry.get(lot, float("inf")), order, lot))
                left[order] = units
                order += 1
    return takings, returned


def take_last_in(moves: Sequence[Move], returned: ReturnedLots) -> list[Taking]:
    """Last in, first out: the other bound. Units that come back are of the lots in `returned`."""
    stock: list[list[int]] = []
    incoming = _Incoming.of(moves)
    takings: list[Taking] = []
    for number, move in enumerate(moves):
        kind, _lot, quantity, issue, _at = move
        if kind == Kind.ISSUE:
            while quantity and stock:
                last = stock[-1]
                units = quantity if quantity < last[1] else last[1]
                takings.append(Taking(issue, last[0], units, False))
                quantity -= units
                last[1] -= units
                if not last[1]:
                    stock.pop()
            if quantity:
                takings.append(Taking(issue, NO_LOT, quantity, False))
        elif kind == Kind.RETURN:
            stock.extend([lot, units] for lot, units in returned[number])
        elif kind == Kind.RECEIPT:
            stock.extend([lot, units] for lot, units in incoming.units(move))
    return takings


@dataclass
class _Columns:
    """Takings of all pools, column by column, small enough for tens of millions of lines."""

    issue: array[int] = field(default_factory=lambda: array("q"))
    lot: array[int] = field(default_factory=lambda: array("i"))
    quantity: array[int] = field(default_factory=lambda: array("i"))
    quantity_lifo: array[int] = field(default_factory=lambda: array("i"))
    method: array[int] = field(default_factory=lambda: array("b"))
    is_early: array[int] = field(default_factory=lambda: array("b"))

    def add(self, takings: Sequence[Taking], method: Method, *, is_bound: bool) -> None:
        if not takings:
            return
        issues, lots, quantities, early = zip(*takings, strict=True)
        nothing = bytes(4 * len(takings))
        self.issue.extend(issues)
        self.lot.extend(lots)
        (self.quantity_lifo if is_bound else self.quantity).extend(quantities)
        (self.quantity if is_bound else self.quantity_lifo).frombytes(nothing)
        self.method.extend([method] * len(takings))
        self.is_early.extend(early)

    def table(self) -> pa.Table:
        return pa.table(
            {
                "issue_no": _column(self.issue, np.int64),
                "lot_no": _column(self.lot, np.int32),
                "quantity": _column(self.quantity, np.int32),
                "quantity_lifo": _column(self.quantity_lifo, np.int32),
                "method_no": _column(self.method, np.int8),
                "is_early": _column(self.is_early, np.int8),
            }
        )


def _column(values: array[int], kind: type[np.generic]) -> pa.Array:
    return (
        pa.array(np.frombuffer(values, dtype=kind))
        if values
        else pa.array([], pa.from_numpy_dtype(kind))
    )


def allocate(batches: Iterable[pa.RecordBatch]) -> pa.Table:
    """Takings of every pool: by the method that the contract gives it, and by LIFO beside it.

    The batches have columns pool_no, kind, lot_no, expiry_day (NULL: does not expire), quantity,
    issue_no, at_us, and are in order of pool_no, at_us, kind and source sequence, scans first.
    One row per sale, lot and method; quantities of one sale add up to what it took.
    """
    columns = _Columns()
    for moves, expiry in _pools(batches):
        lots = set(expiry)
        method = _method(lots, expiry)
        if method == Method.FEFO:
            days = {lot: day for lot, day in expiry.items() if day is not None}
            takings, returned = take_first_expiry(moves, days)
        else:
            takings, returned = take_first_in(moves)
        columns.add(takings, method, is_bound=False)
        columns.add(take_last_in(moves, returned), method, is_bound=True)
    return columns.table()


def _method(lots: set[int], expiry: Mapping[int, int | None]) -> Method:
    if len(lots) == 1:
        return Method.SINGLE_LOT
    if lots and all(expiry[lot] is not None for lot in lots):
        return Method.FEFO
    return Method.FIFO


def _pools(
    batches: Iterable[pa.RecordBatch],
) -> Iterator[tuple[list[Move], dict[int, int | None]]]:
    """Moves of one pool after the other, and the expiry day of each lot that came into it."""
    current: int | None = None
    moves: list[Move] = []
    expiry: dict[int, int | None] = {}
    for batch in batches:
        if not batch.num_rows:
            continue
        pool_no = batch.column("pool_no").to_numpy()
        starts = np.flatnonzero(np.diff(pool_no, prepend=pool_no[0] - 1))
        ends = [*starts.tolist(), batch.num_rows]
        rows = _rows(batch)
        days = batch.column("expiry_day").to_pylist()
        for start, end in pairwise(ends):
            if current is not None and pool_no[start] != current:
                yield moves, expiry
                moves, expiry = [], {}
            current = int(pool_no[start])
            part = rows[start:end]
            moves.extend(part)
            for move, day in zip(part, days[start:end], strict=True):
                if move.lot != NO_LOT and move.kind <= Kind.RECEIPT:
                    expiry[move.lot] = day
    if moves:
        yield moves, expiry


_ROW_COLUMNS = ("kind", "lot_no", "quantity", "issue_no", "at_us")
_make_move: Callable[..., Move] = Move._make


def _rows(batch: pa.RecordBatch) -> list[Move]:
    lists = [batch.column(name).to_numpy().tolist() for name in _ROW_COLUMNS]
    return [_make_move(row) for row in zip(*lists, strict=True)]
