"""The truth's own allocation of lots gives the worked examples of `facts/metrics.md` 5.13.

Belongs here: first in first out, last in first out, first expiry first out on a few units. Does not
belong here: the warehouse's allocation, which has tests of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sources._sandbox.truth import stock
from sources._sandbox.truth.reader import Line
from sources._sandbox.truth.stock import UNATTRIBUTED, Receipt, Stock, Stray

GROUP = ("S", "pool")
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)  # as the world's columns


def line(name: str, day: int, units: int, hour: int = 0) -> Line:
    content: dict[str, Any] = dict.fromkeys(field.name for field in fields(Line))
    content |= {"connector": "files", "account": "a", "order_id": name, "line_id": "1"}
    content |= {"sku": "S", "pool": "pool", "shipped": units}
    content |= {"shipped_at": NEW_YEAR + timedelta(days=day - 1, hours=hour)}
    return Line(**content)


def receipt(lot_id: str, day: int, units: int, number: int = 0) -> Receipt:
    return Receipt(
        "S", "pool", "wh", lot_id, NEW_YEAR + timedelta(days=day - 1), ("R", number), units, 0
    )


def stray(name: str, day: int, units: int) -> Stray:
    at = NEW_YEAR + timedelta(days=day - 1)
    return Stray(name, "a", "S", "pool", "wh", "adjustment", at, units, is_sellable=True)


def allocated(
    lines: Sequence[Line],
    receipts: Sequence[Receipt],
    expiry: dict[tuple[str, str], date],
    strays: Sequence[Stray] = (),
) -> Stock:
    found = Stock({}, list(receipts))
    stock._allocate_group(GROUP, list(lines), list(receipts), [], list(strays), {}, expiry, found)
    return found


ISSUES = [
    line("O1", 2, 4), line("O2", 6, 7, 10), line("O3", 6, 3, 10), line("O4", 10, 6),
    line("O5", 11, 3),
]  # fmt: skip
LOST = [stray("ADJ", 3, -1)]
RECEIPTS = [receipt("L1", 1, 10), receipt("L2", 5, 6, 2), receipt("L3", 5, 5, 3),
            receipt("L1", 9, 1, 4)]  # fmt: skip


def units(found: Stock, name: str, bound: str = "main") -> dict[str, int]:
    return dict(Counter(getattr(found.parts[f"files:a:{name}:1"], bound)))


def test_first_in_first_out_leaves_an_oversell_unattributed() -> None:
    found = allocated(ISSUES, RECEIPTS, {}, LOST)
    assert units(found, "O1") == {"L1": 4}
    assert found.parts["ADJ"].main == ["L1"]
    assert units(found, "O2") == {"L1": 5, "L2": 2}
    assert units(found, "O3") == {"L2": 3}
    assert units(found, "O4") == {"L2": 1, "L3": 5}
    assert units(found, "O5") == {"L1": 1, UNATTRIBUTED: 2}


def test_a_later_receipt_fills_the_oversell_and_is_marked() -> None:
    found = allocated(ISSUES, [*RECEIPTS, receipt("L4", 15, 8, 5)], {}, LOST)
    assert units(found, "O5") == {"L1": 1, "L4": 2}
    assert found.parts["files:a:O5:1"].late == {"L4"}


def test_what_is_found_is_of_no_lot() -> None:
    found = allocated(ISSUES, RECEIPTS, {}, [*LOST, stray("FOUND", 9, 2)])
    assert units(found, "O5") == {UNATTRIBUTED: 2, "L1": 1}
    assert "FOUND" not in found.parts


def test_last_in_first_out_is_a_stack() -> None:
    found = allocated(ISSUES, RECEIPTS, {}, LOST)
    assert units(found, "O1", "lifo") == {"L1": 4}
    assert units(found, "O2", "lifo") == {"L3": 5, "L2": 2}
    assert units(found, "O3", "lifo") == {"L2": 3}
    assert units(found, "O4", "lifo") == {"L1": 5, "L2": 1}
    assert units(found, "O5", "lifo") == {"L1": 1, UNATTRIBUTED: 2}


def test_first_expiry_first_out_takes_what_is_on_hand() -> None:
    lines = [line("O1", 2, 2), line("O2", 4, 4), line("O3", 5, 4)]
    receipts = [receipt("A", 1, 5), receipt("B", 3, 5, 1)]
    expiry = {("S", "A"): date(2027, 6, 1), ("S", "B"): date(2027, 3, 1)}
    found = allocated(lines, receipts, expiry)
    assert [units(found, name) for name in ("O1", "O2", "O3")] == [
        {"A": 2}, {"B": 4}, {"B": 1, "A": 3},
    ]  # fmt: skip
    assert found.parts["files:a:O1:1"].method == "fefo_estimate"
    plain = allocated(lines, receipts, {("S", "A"): date(2027, 6, 1)})
    assert units(plain, "O2") == {"A": 3, "B": 1}
