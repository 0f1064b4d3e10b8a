"""The Dagster code location.

Belongs here: putting assets, jobs, schedules, sensors and resources together. Does not belong
here: any of them. Nothing is read when this module is imported, only when `defs` is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import dagster as dg

from assets import catalog
from pipelines.asset_graph import night_asset
from pipelines.jobs import nightly_job, retention_job
from pipelines.night import Night, dbt_project
from pipelines.resources import Places, places
from pipelines.schedules import nightly_schedule, retention_schedule
from pipelines.sensors import failed_run_sensor, freshness_sensor, publication_sensor
from sources._core.connector import Connector
from sources.registry import connectors as all_connectors


def build_definitions(
    *,
    night: Night | None = None,
    where: Places | None = None,
    connectors: Mapping[str, Connector] | None = None,
) -> dg.Definitions:
    """Everything, or with a night of one's own in place of the one opened by the settings."""
    from pipelines.opening import time_zone_of

    where = where or (night.places if night else places())
    connectors = connectors or (night.connectors if night else all_connectors())
    project = night.project if night else dbt_project(where)
    models = catalog.models(project.ensure_manifest())
    job, retention = nightly_job(), retention_job()
    time_zone = time_zone_of(where.config)
    resource = (
        dg.ResourceDefinition.hardcoded_resource(night) if night is not None else night_resource
    )
    return dg.Definitions(
        assets=[night_asset(connectors, models)],
        jobs=[job, retention],
        schedules=[nightly_schedule(job, time_zone), retention_schedule(retention, time_zone)],
        sensors=[publication_sensor(where), failed_run_sensor(where), freshness_sensor(where)],
        resources={"night": resource},
    )


@dg.resource(description="A night as the settings say, with the lock held while the job runs.")
def night_resource(_context: dg.InitResourceContext) -> Iterator[Night]:
    from pipelines.opening import open_night

    with open_night() as night:
        yield night


@dg.definitions
def defs() -> dg.Definitions:
    return build_definitions()
