"""Two tables compared row for row by key, with a report that a person can read.

Belongs here: comparing frames. Does not belong here: which tables, or where they come from.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

import polars as pl

CENT = Decimal("0.01")
# rates of amounts that are exact to the cent only, so they are compared to 1e-4
SHARES_OF_MONEY = {
    "value_return_rate",
    "after_sales_cost_rate",
    "after_sales_cost_ex_refund_rate",
    "refund_rate_gross",
    "net_refund_rate",
    "claimable_share",
    "share_of_net_sales",
}
SHOWN = 3


def differences(
    name: str,
    ours: pl.DataFrame,
    theirs: pl.DataFrame,
    key: Sequence[str],
    columns: Iterable[str],
    *,
    left: str = "published",
    right: str = "truth",
) -> list[str]:
    """What differs, one text per kind of difference; empty where the tables are equal.

    Money is compared to the cent, other decimals of floats to 1e-9, everything else exactly.
    """
    found = _missing_columns(name, ours, theirs, [*key, *columns], left, right)
    if found:
        return found
    for side, frame in ((left, ours), (right, theirs)):
        twice = frame.select(key).is_duplicated().sum()
        if twice:
            return [f"{name}: {twice} rows of {side} share their key {list(key)}"]
    marks = {"ours": pl.lit(True).alias("_ours"), "theirs": pl.lit(True).alias("_theirs")}
    ours, theirs = ours.with_columns(marks["ours"]), theirs.with_columns(marks["theirs"])
    both = ours.join(
        theirs, on=list(key), how="full", coalesce=True, suffix="_right", nulls_equal=True
    )
    for side, mark in ((left, "_theirs"), (right, "_ours")):
        only = both.filter(pl.col(mark).is_null())
        if only.height:
            rows = [_words(row) for row in only.select(key).head(SHOWN).iter_rows(named=True)]
            found.append(f"{name}: {only.height} of {both.height} rows only in {side}: {rows}")
    common = both.filter(pl.col("_ours").is_not_null() & pl.col("_theirs").is_not_null())
    for column in columns:
        if column not in key:
            found += _column(name, common, column, key, left, right)
    return found


def _missing_columns(
    name: str,
    ours: pl.DataFrame,
    theirs: pl.DataFrame,
    wanted: Sequence[str],
    left: str,
    right: str,
) -> list[str]:
    return [
        f"{name}: {side} lacks {missing}"
        for side, frame in ((left, ours), (right, theirs))
        if (missing := [column for column in wanted if column not in frame.columns])
    ]


def _column(
    name: str, common: pl.DataFrame, column: str, key: Sequence[str], left: str, right: str
) -> list[str]:
    ours, theirs = pl.col(column), pl.col(f"{column}_right")
    kind = common.schema[column]
    equal = ours.eq_missing(theirs)
    if isinstance(kind, pl.Decimal):
        gap = (ours.cast(pl.Float64) - theirs.cast(pl.Float64)).abs()
        equal = equal | (gap < float(CENT) - 1e-6).fill_null(value=False)
    elif kind.is_float():
        gap = (ours - theirs).abs()
        limit = 1e-4 if column in SHARES_OF_MONEY else 1e-9
        equal = equal | (gap <= limit).fill_null(value=False)
    bad = common.filter(~equal)
    if not bad.height:
        return []
    shown = []
    for row in bad.head(SHOWN).iter_rows(named=True):
        where = _words({part: row[part] for part in key})
        shown.append(f"{where}: {left} {row[column]!r}, {right} {row[f'{column}_right']!r}")
    lines = "".join(f"\n      {line}" for line in shown)
    return [f"{name}.{column}: {bad.height} of {common.height} rows differ{lines}"]


def _words(row: dict[str, object]) -> str:
    return "|".join(str(value) for value in row.values())
