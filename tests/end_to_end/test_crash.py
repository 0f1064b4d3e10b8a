"""A night killed at fixed boundaries and run again equals one that nobody disturbed.

`make crash` does the same at random moments.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.crash import FIRST_DAY, SECOND_DAY, Installation, Point, check, reading


def test_a_night_killed_at_each_step_ends_as_an_undisturbed_one(tmp_path: Path) -> None:
    """One after the other in one folder: each run goes on where the killed one stopped."""
    night = Installation(tmp_path / "night")
    night.night(FIRST_DAY)
    undisturbed = Installation(tmp_path / "undisturbed")
    shutil.copytree(night.folder, undisturbed.folder)
    undisturbed.night(SECOND_DAY)
    with reading(night.publication) as errors:
        for step in ("extract", "load", "build", "publish", "write Parquet"):
            assert not night.night(SECOND_DAY, kill_at=Point(step)), f"not killed at {step}"
        assert night.night(SECOND_DAY)
    assert check(night, undisturbed.publication, errors) == []
