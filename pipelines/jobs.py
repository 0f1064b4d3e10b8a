"""stub"""

from __future__ import annotations

from pipelines.night import Night, run_night


def run_nightly(night: Night) -> None:
    run_night(night)
