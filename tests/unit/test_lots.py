"""Lots of shipped units: the worked examples of the metrics sheet (5.13) and what always holds."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from assets import lots
from assets.lots import NO_LOT, Kind, Move, Taking

L1, L2, L3, L4 = 1, 2, 3, 4
O1, ADJ, O2, O3, O4, O5 = 11, 12, 13, 14, 15, 16


def receipt(lot: int, quantity: int, at: int) -> Move:
    return Move(Kind.RECEIPT, lot, quantity, NO_LOT, at)


def issue(number: int, quantity: int, at: int) -> Move:
    return Move(Kind.ISSUE, NO_LOT, quantity, number, at)


# days of January 2026; the returned unit of 9 January is one of O1
SHEET = [
    receipt(L1, 10, 1),
    issue(O1, 4, 2),
    issue(ADJ, 1, 3),
    receipt(L2, 6, 5),
    receipt(L3, 5, 5),
    issue(O2, 7, 6),
    issue(O3, 3, 6),
    Move(Kind.RETURN, NO_LOT, 1, O1, 9),
    issue(O4, 6, 10),
    issue(O5, 3, 11),
]


def taken(takings: list[Taking]) -> dict[int, list[tuple[int, int]]]:
    result: dict[int, list[tuple[int, int]]] = {}
    for taking in takings:
        result.setdefault(taking.issue, []).append((taking.lot, taking.quantity))
    return result


def test_first_in_first_out_as_in_the_sheet() -> None:
    takings, _ = lots.take_first_in(SHEET)
    assert taken(takings) == {
        O1: [(L1, 4)],
        ADJ: [(L1, 1)],
        O2: [(L1, 5), (L2, 2)],
        O3: [(L2, 3)],
        O4: [(L2, 1), (L3, 5)],
        O5: [(L1, 1), (NO_LOT, 2)],
    }
    assert not any(t.is_early for t in takings)


def test_a_later_receipt_fills_an_oversell_and_says_so() -> None:
    takings, _ = lots.take_first_in([*SHEET, receipt(L4, 8, 15)])
    assert taken(takings)[O5] == [(L1, 1), (L4, 2)]
    assert [t for t in takings if t.is_early] == [Taking(O5, L4, 2, True)]


def test_last_in_first_out_as_in_the_sheet() -> None:
    _, returned = lots.take_first_in(SHEET)
    assert taken(lots.take_last_in(SHEET, returned)) == {
        O1: [(L1, 4)],
        ADJ: [(L1, 1)],
        O2: [(L3, 5), (L2, 2)],
        O3: [(L2, 3)],
        O4: [(L1, 1), (L2, 1), (L1, 4)],
        O5: [(L1, 1), (NO_LOT, 2)],
    }


def test_first_expiry_first_out_as_in_the_sheet() -> None:
    a, b = 1, 2
    moves = [receipt(a, 5, 1), issue(1, 2, 2), receipt(b, 5, 3), issue(2, 4, 4), issue(3, 4, 5)]
    takings, _ = lots.take_first_expiry(moves, {a: 202706, b: 202703})
    assert taken(takings) == {1: [(a, 2)], 2: [(b, 4)], 3: [(b, 1), (a, 3)]}
    takings, _ = lots.take_first_in(moves)
    assert taken(takings) == {1: [(a, 2)], 2: [(a, 3), (b, 1)], 3: [(b, 4)]}


def test_first_expiry_takes_found_stock_last_and_leaves_it_without_lot() -> None:
    moves = [receipt(NO_LOT, 2, 1), receipt(L1, 3, 2), issue(O1, 4, 3), issue(O2, 2, 4)]
    takings, _ = lots.take_first_expiry(moves, {L1: 202701})
    assert taken(takings) == {O1: [(L1, 3), (NO_LOT, 1)], O2: [(NO_LOT, 1), (NO_LOT, 1)]}


def test_scanned_units_leave_both_streams_first() -> None:
    """O1 was scanned as L2, so L1 is whole and one unit of L2 is gone."""
    moves = [
        Move(Kind.SCAN, L2, 1, O1, -1),
        receipt(L1, 2, 1),
        receipt(L2, 2, 1),
        issue(O2, 2, 3),
        issue(O3, 2, 4),
    ]
    takings, returned = lots.take_first_in(moves)
    assert taken(takings) == {O2: [(L1, 2)], O3: [(L2, 1), (NO_LOT, 1)]}
    assert taken(lots.take_last_in(moves, returned)) == {
        O2: [(L2, 1), (L1, 1)],
        O3: [(L1, 1), (NO_LOT, 1)],
    }


def test_a_returned_unit_keeps_its_lot_and_goes_to_the_back() -> None:
    moves = [
        receipt(L1, 1, 1),
        receipt(L2, 2, 1),
        issue(O1, 2, 2),  # L1 1, L2 1
        Move(Kind.RETURN, NO_LOT, 1, O1, 3),
        Move(Kind.RETURN, NO_LOT, 1, O1, 4),
        issue(O2, 3, 5),
    ]
    takings, returned = lots.take_first_in(moves)
    assert taken(takings)[O2] == [(L2, 1), (L1, 1), (L2, 1)]
    assert returned == {3: [(L1, 1)], 4: [(L2, 1)]}


def test_a_returned_unit_of_a_scanned_sale_is_of_the_scanned_lot() -> None:
    moves = [
        Move(Kind.SCAN, L2, 1, O1, -1),
        receipt(L1, 1, 1),
        receipt(L2, 1, 1),
        Move(Kind.RETURN, NO_LOT, 1, O1, 3),
        issue(O2, 2, 5),
    ]
    takings, _ = lots.take_first_in(moves)
    assert taken(takings) == {O2: [(L1, 1), (L2, 1)]}


def batch(rows: list[tuple[int, Move, int | None]]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(
        [
            {
                "pool_no": pool,
                "kind": int(move.kind),
                "lot_no": move.lot,
                "expiry_day": day,
                "quantity": move.quantity,
                "issue_no": move.issue,
                "at_us": move.at,
            }
            for pool, move, day in rows
        ],
        schema=pa.schema(
            {
                "pool_no": pa.int64(),
                "kind": pa.int64(),
                "lot_no": pa.int64(),
                "expiry_day": pa.int64(),
                "quantity": pa.int64(),
                "issue_no": pa.int64(),
                "at_us": pa.int64(),
            }
        ),
    )


def test_each_pool_has_its_method_even_across_batches() -> None:
    rows = [
        (1, receipt(L1, 5, 1), None),
        (1, issue(O1, 5, 2), None),
        (2, receipt(L2, 5, 1), 300),
        (2, receipt(L3, 5, 2), 200),
        (2, issue(O2, 6, 3), None),
        (3, receipt(L2, 5, 1), 300),
        (3, receipt(L4, 5, 2), None),
        (3, issue(O3, 6, 3), None),
    ]
    for cut in range(len(rows) + 1):
        table = lots.allocate([batch(rows[:cut]), batch(rows[cut:])])
        main = {
            (r["issue_no"], r["lot_no"]): (r["quantity"], lots.Method(r["method_no"]))
            for r in table.to_pylist()
            if r["quantity"]
        }
        assert main == {
            (O1, L1): (5, lots.Method.SINGLE_LOT),
            (O2, L3): (5, lots.Method.FEFO),
            (O2, L2): (1, lots.Method.FEFO),
            (O3, L2): (5, lots.Method.FIFO),
            (O3, L4): (1, lots.Method.FIFO),
        }


def test_no_moves_give_an_empty_table_with_its_columns() -> None:
    table = lots.allocate([])
    assert table.num_rows == 0
    assert table.column_names[:2] == ["issue_no", "lot_no"]


@st.composite
def stories(draw: st.DrawFn) -> list[Move]:
    moves: list[Move] = []
    sold: list[int] = []
    for at in range(draw(st.integers(1, 25))):
        kind = draw(st.sampled_from(["receipt", "issue", "return"]))
        quantity = draw(st.integers(1, 6))
        if kind == "receipt":
            moves.append(receipt(draw(st.sampled_from([NO_LOT, L1, L2, L3])), quantity, at))
        elif kind == "issue":
            moves.append(issue(100 + at, quantity, at))
            sold.append(100 + at)
        elif sold:
            moves.append(Move(Kind.RETURN, NO_LOT, 1, draw(st.sampled_from(sold)), at))
    return moves


@settings(max_examples=200, deadline=None)
@given(stories())
def test_every_sale_is_whole_and_no_lot_gives_more_than_came(moves: list[Move]) -> None:
    wanted = Counter({m.issue: m.quantity for m in moves if m.kind == Kind.ISSUE})
    first_in, returned = lots.take_first_in(moves)
    by_expiry, returned_fefo = lots.take_first_expiry(moves, {L1: 30, L2: 20, L3: 20})
    for takings, back in (
        (first_in, returned),
        (lots.take_last_in(moves, returned), returned),
        (by_expiry, returned_fefo),
    ):
        sold = Counter[int]()
        by_lot = Counter[int]()
        for taking in takings:
            assert taking.quantity > 0
            sold[taking.issue] += taking.quantity
            by_lot[taking.lot] += taking.quantity
        assert sold == wanted
        came = Counter[int]()
        for move in moves:
            if move.kind == Kind.RECEIPT:
                came[move.lot] += move.quantity
        for units in back.values():
            for lot, quantity in units:
                came[lot] += quantity
        for lot in (L1, L2, L3):
            assert by_lot[lot] <= came[lot]
