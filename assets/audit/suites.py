"""What is expected of a stream or a mart: suites declared in `expectations.toml` beside it.

Belongs here: the model of a suite and reading it. Does not belong here: checking it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pydantic

SAMPLE_ROWS = 20_000  # a frame never has more rows: shares of so many are known well enough


class Expectation(pydantic.BaseModel):
    """One expectation of Great Expectations by its own name, with its own parameters.

    A `critical` one holds an incoming batch back; nothing blocks what goes out.
    """

    model_config = pydantic.ConfigDict(extra="allow", frozen=True)

    expect: str = pydantic.Field(pattern=r"^expect_[a-z0-9_]+$")
    severity: Literal["critical", "warning"] = "warning"

    @property
    def parameters(self) -> Mapping[str, Any]:
        return self.model_extra or {}

    @property
    def columns(self) -> tuple[str, ...]:
        names = ("column", "column_A", "column_B")
        return tuple(str(self.parameters[n]) for n in names if n in self.parameters)


class Suite(pydantic.BaseModel):
    """Expectations of one table; `columns` says what a name of theirs means, as SQL of the row.

    Of fewer than `min_rows` rows nothing is expected: their shares say too little. `where` limits
    the rows; `$as_of` in it is the night's clock.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    expectations: tuple[Expectation, ...] = pydantic.Field(min_length=1)
    columns: Mapping[str, str] = {}
    min_rows: int = pydantic.Field(default=500, ge=1)
    where: str = "true"

    @property
    def chosen(self) -> str:
        """Columns of the frame as a select list."""
        names = dict.fromkeys(c for e in self.expectations for c in e.columns)
        return ", ".join(f'{self.columns.get(name, name)} as "{name}"' for name in names)


def load_suites(path: Path) -> Mapping[str, Suite]:
    """By stream or table; none where there is no file."""
    if not path.exists():
        return {}
    content = tomllib.loads(path.read_text("utf-8"))
    return {name: Suite.model_validate(entry) for name, entry in content.items()}
