"""What dbt and Dagster cost when they have nothing to do, one after the other in child processes.

dbt runs no model of the project. Dagster runs one function over the asset keys of the night, on an
instance on disk, and no asset brings an event: the cheapest run there is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from bench.measure import ROOT


def run_dbt(folder: Path) -> None:
    from dbt.cli.main import dbtRunner

    os.environ["AFTERSALES_WAREHOUSE"] = str(folder / "empty.duckdb")
    project = str(ROOT / "dbt_project")
    arguments = ["run", "--select", "path:no_such_folder", "--project-dir", project]
    arguments += ["--profiles-dir", project, "--target-path", str(folder / "target")]
    found = dbtRunner().invoke([*arguments, "--log-path", str(folder / "logs"), "-q"])
    if found.exception is not None:
        raise found.exception


def run_dagster(folder: Path) -> None:
    import dagster as dg

    from assets import catalog
    from assets.dbt import DbtProject
    from pipelines.asset_graph import night_asset
    from sources.registry import connectors

    project = DbtProject(warehouse=folder / "warehouse.duckdb", work=folder / "dbt")
    models = catalog.models(project.ensure_manifest())
    specs = list(night_asset(connectors(), models).specs)

    @dg.multi_asset(name="empty", specs=specs, can_subset=True)
    def empty() -> object:
        yield from ()

    job = dg.define_asset_job("all", executor_def=dg.in_process_executor)
    definitions = dg.Definitions(assets=[empty], jobs=[job])
    home = folder / "home"
    home.mkdir(exist_ok=True)
    shutil.copy(ROOT / "dagster.yaml", home)
    os.environ.update(DAGSTER_HOME=str(home), AFTERSALES_STATE_DIR=str(folder / "state"))
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with dg.DagsterInstance.get() as instance:
        definitions.resolve_job_def("all").execute_in_process(instance=instance, run_config=quiet)


if __name__ == "__main__":
    if len(sys.argv) == 2:
        for part in ("dbt", "dagster"):
            command = [sys.executable, "-m", "bench.empty_frameworks", sys.argv[1], part]
            subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603
    else:
        {"dbt": run_dbt, "dagster": run_dagster}[sys.argv[2]](Path(sys.argv[1]))
