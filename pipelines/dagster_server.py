"""`aftersales serve`: Dagster's web page and daemon as child processes.

Belongs here: how they are started. Does not belong here: what they show (`definitions.py`).
"""

from __future__ import annotations

import subprocess
import sys

from pipelines.resources import PROJECT, dagster_environment, places


def run(port: int) -> int:
    """Until it is interrupted; the exit code of Dagster."""
    places().state.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "dagster", "dev", "-m", "pipelines.definitions"]
    command += ["--port", str(port)]
    return subprocess.run(  # noqa: S603
        command, cwd=PROJECT, env=dagster_environment(), check=False
    ).returncode
