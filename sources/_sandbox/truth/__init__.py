"""What is true in a simulated world, as Parquet files in two folders.

`observable/` has every fact table as a perfect reader of all sources could know it at the clock,
`world/` what really happened. Belongs here: writing both. The tables are in `observable.py` and
`world_truth.py`.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import polars as pl

from sources._sandbox.scenario import Scenario
from sources._sandbox.truth.observable import observable_tables
from sources._sandbox.truth.world_truth import world_tables
from sources._sandbox.world import build_world


def write_truth(scenario_file: Path, out: Path, until: datetime | None = None) -> None:
    """Write `observable/` and `world/` of a scenario at its clock, or at `until`."""
    scenario = Scenario.load(scenario_file)
    now = until or scenario.clock
    world = build_world(scenario, now)
    _write(out / "observable", observable_tables(world, now))
    _write(out / "world", world_tables(world, now))


def _write(folder: Path, tables: dict[str, pl.DataFrame]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.write_parquet(folder / f"{name}.parquet")
