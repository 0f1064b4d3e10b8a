"""Lots by the real models, on hand-made rows (`hand_made.py`): the examples of metrics 5.13."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.warehouse import hand_made


def allocated(sku: str) -> list[tuple[object, ...]]:
    return hand_made.built().rows(
        "select order_id, lot_id, a.quantity, a.quantity_lifo, allocation_method"
        " from marts.fct_lot_allocation as a inner join marts.fct_order_line using (order_line_key)"
        f" where a.sku = '{sku}' order by order_id, lot_id"
    )


def test_first_in_first_out_and_its_other_bound() -> None:
    fifo = "fifo_estimate"
    assert allocated("SHEET") == [
        ("O1", "L1", 4, 4, fifo),
        ("O1A", "L1", 1, 1, fifo),
        ("O2", "L1", 5, 0, fifo),
        ("O2", "L2", 2, 2, fifo),
        ("O2", "L3", 0, 5, fifo),
        ("O3", "L2", 3, 3, fifo),
        ("O4", "L1", 0, 5, fifo),
        ("O4", "L2", 1, 1, fifo),
        ("O4", "L3", 5, 0, fifo),
        ("O5", "L1", 1, 1, fifo),
        ("O5", "unattributed", 2, 2, "unattributed"),
    ]


def test_goods_that_expire_leave_by_expiry() -> None:
    assert [row[:3] + row[4:] for row in allocated("EXPIRES")] == [
        ("E1", "A", 2, "fefo_estimate"),
        ("E2", "B", 4, "fefo_estimate"),
        ("E3", "A", 3, "fefo_estimate"),
        ("E3", "B", 1, "fefo_estimate"),
    ]


def test_a_scanned_lot_is_known_and_leaves_the_estimate_of_others() -> None:
    assert allocated("SCANNED") == [
        ("C1", "S2", 2, 2, "scanned"),
        ("C2", "S1", 2, 1, "fifo_estimate"),
        ("C2", "S2", 0, 1, "fifo_estimate"),
    ]
    assert allocated("ONELOT") == [("U1", "ONLY", 2, 2, "single_lot")]


def test_every_shipped_unit_is_allocated_once() -> None:
    assert (
        hand_made.built().rows(
            "select order_line_key from marts.fct_order_line left join"
            " (select order_line_key, sum(quantity) as units, sum(quantity_lifo) as lifo,"
            " sum(lot_share) as share from marts.fct_lot_allocation group by all)"
            " using (order_line_key) where coalesce(units, 0) <> quantity_shipped"
            " or coalesce(lifo, 0) <> quantity_shipped or abs(share - 1) > 1e-9"
        )
        == []
    )


def test_a_return_spreads_over_the_lots_of_its_line() -> None:
    """A defect of O2 adds .714 to L1 and .286 to L2; one whose lot was read has that lot."""
    rows = hand_made.built().rows(
        "select return_line_key, lot_id, units_fraction, allocation_method"
        " from marts.fct_return_lot where sku = 'SHEET' order by 1, 2"
    )
    assert [row[:2] + row[3:] for row in rows] == [
        ("files:shop:B1:SHEET", "L1", "fifo_estimate"),
        ("files:shop:B2:SHEET", "L1", "fifo_estimate"),
        ("files:shop:B2:SHEET", "L2", "fifo_estimate"),
        ("files:shop:B3:SHEET", "L2", "inspected"),
    ]
    assert [row[2] for row in rows] == pytest.approx([1, 5 / 7, 2 / 7, 1])


def test_inspection_outranks_the_claim() -> None:
    assert hand_made.built().one(
        "select reason_claimed, reason_inspected, reason_final, reason_source, disposition,"
        " next_step from marts.fct_return_line where return_id = 'B3'"
    ) == {
        "reason_claimed": "remorse.changed_mind",
        "reason_inspected": "product_defect.missing_parts",
        "reason_final": "product_defect.missing_parts",
        "reason_source": "inspection",
        "disposition": "defective",
        "next_step": "destroy",
    }


def test_defect_rates_of_a_lot_have_both_bounds() -> None:
    found = hand_made.built().one(
        "select units_shipped, units_defective, units_defective_lifo, defect_rate_fifo,"
        " defect_rate_lifo, share_estimated from marts.mart_return_rate_by_lot"
        " where lot_key = 'SHEET|L1'"
    )
    assert found == pytest.approx(
        {
            "units_shipped": 11,
            "units_defective": 5 / 7,
            "units_defective_lifo": 0,
            "defect_rate_fifo": 5 / 77,
            "defect_rate_lifo": 0,
            "share_estimated": 1,
        }
    )


def test_a_line_costs_what_its_lots_cost() -> None:
    """O2 took five units of L1 at 4.00 and two of L2 at 5.00; L3 has no price."""
    rows = hand_made.built().rows(
        "select order_id, unit_landed_cost_reporting from marts.fct_order_line"
        " where order_id in ('O1', 'O2', 'O4') order by 1"
    )
    assert rows == [("O1", Decimal("4.0000")), ("O2", Decimal("4.2857")), ("O4", Decimal("5.0000"))]


def test_stock_moves_in_and_out_of_pools_add_up() -> None:
    rows = hand_made.built().rows(
        "select move_kind, direction, grade, sum(quantity) from marts.fct_inventory_move"
        " where sku = 'SHEET' group by all order by all"
    )
    assert rows == [
        ("receipt", "in", "sellable", 21),
        ("return_to_stock", "in", "sellable", 1),
        ("return_to_stock", "in", "unsellable", 2),
        ("sale", "out", "sellable", 24),
    ]


def test_only_changed_pools_are_allocated_again_with_the_same_result(tmp_path: Path) -> None:
    """A sale, a receipt and a sale taken back touch two of the pools; the rest keeps its rows."""
    on_top, anew = hand_made.later(tmp_path)
    assert on_top.rows(
        "select distinct sku from intermediate.int_lot_issue__numbered"
        " inner join intermediate.int_lot_pool__fingerprinted using (pool_key)"
        " where is_touched order by 1"
    ) == [("SHEET",)]
    for table in ("fct_lot_allocation", "fct_return_lot", "mart_return_rate_by_lot"):
        assert on_top.rows(f"select * from marts.{table} order by all") == anew.rows(
            f"select * from marts.{table} order by all"
        )
    # the later receipt fills the oversell, which grew by one
    assert on_top.rows(
        "select lot_id, quantity, time_violation from marts.fct_lot_allocation"
        " where order_line_key = 'files:shop:O5:SHEET' and quantity > 0"
    ) == [("L4", 3, True)]
    assert on_top.rows("select * from marts.fct_lot_allocation where sku = 'ONELOT'") == []
