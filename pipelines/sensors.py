"""What follows from a publication, whoever made it.

Belongs here: sensors, thin: read state, say what is new. Does not belong here: making the
publication (`night.py`).
"""

from __future__ import annotations

import dagster as dg

from assets.parquet import written_build
from pipelines.asset_graph import PUBLICATION
from pipelines.resources import Places


def publication_sensor(where: Places) -> dg.SensorDefinition:
    """Observes each new publication once, also those made by `aftersales nightly`."""

    @dg.sensor(
        name="publication",
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def publication(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        build = written_build(where.parquet)
        if build is None:
            return dg.SkipReason(f"nothing published yet in {where.published}")
        if build == context.cursor:
            return dg.SkipReason(f"build {build} is known")
        context.log.info("new publication %s", build)
        observation = dg.AssetObservation(PUBLICATION, metadata={"build_id": build})
        return dg.SensorResult(cursor=build, asset_events=[observation])

    return publication
