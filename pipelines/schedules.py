"""When the night runs by itself.

Belongs here: schedules. Does not belong here: what runs (`jobs.py`).
"""

from __future__ import annotations

from typing import Any

import dagster as dg

# After midnight everywhere in the seller's zone, early enough to be read in the morning.
EVERY_NIGHT = "30 3 * * *"
# In the afternoon of the first of a month, when no night is under way.
EVERY_MONTH = "0 15 1 * *"


def nightly_schedule(job: Any, time_zone: str) -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        name="every_night",
        job=job,
        cron_schedule=EVERY_NIGHT,
        execution_timezone=time_zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )


def retention_schedule(job: Any, time_zone: str) -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        name="every_month",
        job=job,
        cron_schedule=EVERY_MONTH,
        execution_timezone=time_zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
