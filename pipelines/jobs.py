"""Jobs, and running the nightly one in this process.

Belongs here: which assets a job takes. Does not belong here: when (`schedules.py`), how
(`asset_graph.py`). Dagster looks at annotations of `context`, so they are not postponed here.
"""

from typing import Any

import dagster as dg

from pipelines import privacy_run
from pipelines.night import Night
from pipelines.resources import dagster_home

NIGHTLY, RETENTION = "nightly", "retention"


def nightly_job() -> Any:
    """Everything, one step after the other in one process: DuckDB has one writer."""
    return dg.define_asset_job(
        NIGHTLY,
        selection=dg.AssetSelection.all(),
        executor_def=dg.in_process_executor,
        description="Extract, load, build, check, publish.",
    )


def retention_job() -> Any:
    """`aftersales privacy retain`: texts that are too old, out of landing files and warehouse."""

    @dg.op(name="erase_old_texts", required_resource_keys={"night"})
    def erase_old_texts(context: dg.OpExecutionContext) -> None:
        context.log.info("%s texts erased", privacy_run.retain(context.resources.night))

    @dg.job(
        name=RETENTION,
        executor_def=dg.in_process_executor,
        description="Erase texts older than privacy.text_retention_days.",
    )
    def retention() -> None:
        erase_old_texts()

    return retention


def run_nightly(night: Night) -> None:
    """The job as Dagster would run it, recorded in the same instance, errors as they were."""
    from pipelines.definitions import build_definitions

    night.watcher.step("open Dagster")
    definitions = build_definitions(night=night)
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with dagster_home(), dg.DagsterInstance.get() as instance:
        job = definitions.resolve_job_def(NIGHTLY)
        job.execute_in_process(instance=instance, run_config=quiet)
