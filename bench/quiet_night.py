"""One night of the benches' world, recorded in Dagster, its servers running elsewhere."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from pipelines import sandbox
from pipelines.jobs import run_nightly
from pipelines.night import Night, exclusive
from pipelines.resources import places
from sources._core.clock import SystemClock
from sources._sandbox.scenario import Scenario
from sources.registry import connectors


def main(folder: Path, *, expects_nothing_new: bool) -> None:
    os.environ["AFTERSALES_DATA_DIR"] = str(folder / "data")
    os.environ["AFTERSALES_STATE_DIR"] = str(folder / "state")
    where = places()
    scenario = Scenario.load(folder / "world.toml")
    addresses = json.loads((folder / "addresses.json").read_text("utf-8"))
    running = sandbox.Sandbox(addresses, scenario, scenario.clock)
    settings = sandbox.sandbox_settings(running, {}, connectors(), where.inbox)
    with exclusive(where):
        night = Night(where, settings, connectors(), SystemClock(running.clock))
        run_nightly(night)
    failures = night.report.failures
    if failures or (expects_nothing_new and not night.report.is_unchanged):
        raise RuntimeError(f"not the night that is measured: {failures or 'something was new'}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), expects_nothing_new="--nothing-new" in sys.argv)
