"""One row per sale, lot and method: units that the walk through each pool of stock gives to a lot.

The walk itself is `assets/lots.py`, which says how each method works.
"""

from assets import lots


def model(dbt, session):
    dbt.config(materialized="table")
    moves = dbt.ref("int_lot_move__ordered").order("pool_no, at_us, kind, sequence, lot_no")
    return lots.allocate(moves.to_arrow_reader(100_000))
