"""Rules over several columns of a row, and over the rows of one file.

Belongs here: one of, exactly one, needs, both or none, comparisons, flags, overlapping periods,
unique within. Does not belong here: rules of one cell (`columns.py`) and repeated keys
(`repeated_keys.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from itertools import combinations
from operator import and_, or_

import polars as pl

from sources.files.cells import ROW
from sources.files.columns import default_value
from sources.files.declarations import Compare, Dataset, Overlap, WarnSum, WarnUnique


@dataclass(frozen=True)
class RowRule:
    """Rows where `broken` is true break `rule`; `column` is the cell to look at."""

    column: str
    rule: str
    broken: pl.Expr
    says: str


def row_rules(dataset: Dataset) -> list[RowRule]:
    """Every rule over the columns of one row."""
    return [
        *(_one_of(group) for group in dataset.one_of),
        *(
            RowRule(
                rule.column,
                "needed_with",
                _given_any(rule.with_any) & pl.col(rule.column).is_null(),
                f"{rule.column} is needed with {', '.join(rule.with_any)}",
            )
            for rule in dataset.needs
        ),
        *(_exactly_one(group) for group in dataset.exactly_one),
        *(_both_or_none(group) for group in dataset.both_or_none),
        *(_compare(dataset, rule) for rule in dataset.compare if rule.flag is None),
    ]


def row_flags(dataset: Dataset) -> list[tuple[str, pl.Expr]]:
    """Words for accepted rows that analysts should know of."""
    flags = [
        (
            rule.flag,
            pl.col(rule.column).is_not_null()
            if rule.state == "given"
            else pl.col(rule.column).is_null(),
        )
        for rule in dataset.flag_when
    ]
    flags += [(rule.flag, _compare(dataset, rule).broken) for rule in dataset.compare if rule.flag]
    flags += [
        (rule.flag, (pl.col(rule.column) == rule.word) & ~_given_any(rule.any_of))
        for rule in dataset.flag_unless
    ]
    return flags + [(rule.flag, _differs(dataset, rule)) for rule in dataset.warn_sum]


def overlapping_rows(rule: Overlap, rows: pl.DataFrame) -> Sequence[int]:
    """Row numbers whose period overlaps another of the same scope that has other members."""
    periods = rows.group_by([*rule.within, rule.start, rule.end]).agg(
        pl.col(ROW), *([pl.col(rule.member).sort().alias("members")] if rule.member else [])
    )
    refused: set[int] = set()
    for (_scope), group in periods.group_by(list(rule.within)):
        for one, other in combinations(group.to_dicts(), 2):
            same = rule.member is not None and one["members"] == other["members"]
            if not same and _overlap(one, other, rule):
                refused.update(one[ROW], other[ROW])
    return sorted(refused)


def repeated_within(rule: WarnUnique, rows: pl.DataFrame) -> Sequence[int]:
    """Row numbers whose value occurs for another thing of the same scope."""
    scope = [rule.within, rule.column]
    repeated = rows.drop_nulls(scope).filter(pl.col(rule.of).n_unique().over(scope) > 1)
    return repeated[ROW].to_list()


def _overlap(one: dict[str, date | None], other: dict[str, date | None], rule: Overlap) -> bool:
    return all(
        (left[rule.start] or date.min) < (right[rule.end] or date.max)
        for left, right in ((one, other), (other, one))
    )


def _given_any(names: Sequence[str]) -> pl.Expr:
    return reduce(or_, (pl.col(name).is_not_null() for name in names))


def _one_of(group: Sequence[str]) -> RowRule:
    return RowRule(
        group[0], "one_of", ~_given_any(group), f"one of {', '.join(group)} must be filled in"
    )


def _exactly_one(group: Sequence[str]) -> RowRule:
    given = pl.sum_horizontal(pl.col(name).is_not_null().cast(pl.Int64) for name in group)
    return RowRule(
        group[0], "exactly_one", given != 1, f"exactly one of {', '.join(group)} must be filled in"
    )


def _both_or_none(group: Sequence[str]) -> RowRule:
    given = [pl.col(name).is_not_null() for name in group]
    return RowRule(
        group[0],
        "both_or_none",
        reduce(or_, given) & ~reduce(and_, given),
        f"{' and '.join(group)} must be filled in together",
    )


def _compare(dataset: Dataset, rule: Compare) -> RowRule:
    left, right = (_with_default(dataset, name) for name in (rule.left, rule.right))
    broken, words = {
        "after": (left <= right, "must be after"),
        "not_before": (left < right, "must not be before"),
        "at_most": (left > right, "must not be more than"),
        "differs": (left == right, "must differ from"),
    }[rule.op]
    return RowRule(rule.left, f"not_{rule.op}", broken, f"{rule.left} {words} {rule.right}")


def _with_default(dataset: Dataset, name: str) -> pl.Expr:
    default = default_value(dataset.column(name))
    return pl.col(name) if default is None else pl.coalesce(name, default)


def _differs(dataset: Dataset, rule: WarnSum) -> pl.Expr:
    parts = [
        pl.col(name) if dataset.column(name).default is None else pl.col(name).fill_null(0)
        for name in rule.parts
    ]
    gap = pl.col(rule.total) - reduce(lambda one, other: one + other, parts)
    return (gap.abs() > rule.within).fill_null(value=False)
