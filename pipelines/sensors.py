"""What follows from a publication, a failed run or silence, whoever caused it.

Belongs here: sensors, thin: read state, say what is new, deliver what is due. Does not belong here:
making the publication (`night.py`), what is said and how (`alerting.py`).
"""

from __future__ import annotations

from datetime import UTC, timedelta

import dagster as dg

from assets.parquet import written_build
from assets.warehouse import Warehouse
from pipelines import alerting
from pipelines.asset_graph import PUBLICATION
from pipelines.opening import read_settings
from pipelines.resources import Places
from pipelines.settings import SettingsError
from sources._core.clock import SystemClock

OVERDUE_AFTER = timedelta(hours=36)  # a night and a half


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
        try:
            sent = alerting.tell(read_settings(where), where, SystemClock().now())
            context.log.info("new publication %s, %s messages sent", build, sent)
        except SettingsError as error:  # it is published all the same
            context.log.error("new publication %s, nothing could be sent: %s", build, error)
        observation = dg.AssetObservation(PUBLICATION, metadata={"build_id": build})
        return dg.SensorResult(cursor=build, asset_events=[observation])

    return publication


def failed_run_sensor(where: Places) -> dg.SensorDefinition:
    """A run that failed is told, also one that did not come as far as its first step."""

    @dg.run_failure_sensor(name="failed_run", default_status=dg.DefaultSensorStatus.RUNNING)
    def failed_run(context: dg.RunFailureSensorContext) -> None:
        alerting.tell_failure(
            read_settings(where),
            where,
            SystemClock().now(),
            context.dagster_run.run_id,
            context.failure_event.message or "the run failed",
        )

    return failed_run


def freshness_sensor(where: Places) -> dg.SensorDefinition:
    """Says so when no night has published for too long, and sends what a channel refused before."""

    @dg.sensor(
        name="freshness",
        minimum_interval_seconds=3600,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def freshness(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        settings = read_settings(where)
        overdue = _overdue(where)
        now = SystemClock().now()
        if overdue is None:
            sent = alerting.tell(settings, where, now)
            return dg.SkipReason(f"not overdue; {sent} messages sent")
        build, cause = overdue
        alerting.tell_failure(settings, where, now, f"after {build}", cause)
        context.log.warning("%s", cause)
        return dg.SkipReason(cause)

    return freshness


def _overdue(where: Places) -> tuple[str, str] | None:
    """The last build and what to say, where it is too old; a simulated world is never overdue."""
    if not where.publication.exists():
        return None
    with Warehouse(where.publication).connect(read_only=True) as connection:
        rows = connection.execute(
            "select build_id, built_at, is_sandbox from meta.current"
        ).fetchall()
    build, built_at, is_sandbox = rows[0]
    if is_sandbox or SystemClock().now() - built_at.replace(tzinfo=UTC) < OVERDUE_AFTER:
        return None
    return build, (
        f"no night has published since {built_at:%Y-%m-%d %H:%M} UTC; look whether the machine was "
        "off or the schedule is stopped"
    )
