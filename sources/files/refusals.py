"""What a file's refused rows look like to the seller and to the tables of quality.

Belongs here: counting broken rules, the errors file. Does not belong here: finding them.
Values are masked as free text is, and those of personal columns are not shown at all.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sources._core.connector import Reject
from sources._core.privacy import mask_text
from sources.files.cells import CellError
from sources.files.declarations import Dataset

_MAX_DETAILS = 10_000
_MAX_VALUE = 80
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass
class Refusals:
    """Errors of one file. Each refused row counts under the first rule it broke; the first ten
    thousand errors are kept with their place."""

    dataset: Dataset
    file_name: str
    details: list[CellError] = field(default_factory=list)
    rows_by_rule: Counter[str] = field(default_factory=Counter)
    examples: dict[str, CellError] = field(default_factory=dict)
    rows: int = 0
    errors: int = 0

    def has_room(self) -> bool:
        """Whether more details are kept."""
        return len(self.details) < _MAX_DETAILS

    def add(self, errors: Sequence[CellError], rows: int) -> None:
        """Errors of `rows` different rows that were not refused before."""
        self.rows += rows
        self.errors += len(errors)
        counted: set[int] = set()
        for error in errors:
            if error.row not in counted:
                counted.add(error.row)
                self.rows_by_rule[error.rule] += 1
                self.examples.setdefault(error.rule, error)
            if self.has_room():
                self.details.append(error)

    def count_only(self, rule: str, rows: int) -> None:
        """More rows that break a rule, once there is no room for details."""
        self.rows += rows
        self.errors += rows
        self.rows_by_rule[rule] += rows

    def rejects(self) -> list[Reject]:
        """One line for each rule broken, for the quarantine table."""
        return [
            Reject(
                reason=rule,
                count=count,
                what_to_do=self.examples[rule].says if rule in self.examples else rule,
                example_ref=self._place(rule),
            )
            for rule, count in sorted(self.rows_by_rule.items())
        ]

    def _place(self, rule: str) -> str:
        example = self.examples.get(rule)
        return f"{self.file_name} row {example.row}" if example else self.file_name

    def as_csv(self, verdict: str = "") -> bytes:
        """The errors file; `verdict` is why the whole file was refused, if it was."""
        hidden = {c.name for c in self.dataset.columns if c.treat in ("customer", "person")}
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(["row", "column", "value", "rule"])
        if verdict:
            writer.writerow(["", "", "", verdict])
        for error in sorted(self.details, key=lambda error: error.row):
            value = "(hidden)" if error.column in hidden else _shown(error.value)
            writer.writerow([error.row, error.column, value, error.says])
        left_out = self.errors - len(self.details)
        if left_out > 0:
            writer.writerow(["", "", "", f"and {left_out} more errors"])
        return ("\ufeff" + text.getvalue()).encode()


def _shown(value: str) -> str:
    masked = mask_text(value)[:_MAX_VALUE]
    return f"'{masked}" if masked.startswith(_FORMULA_STARTS) else masked
