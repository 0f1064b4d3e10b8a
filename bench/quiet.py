"""A night in which nothing is new, against what its two frameworks cost when they do nothing.

Belongs here: the world, the servers (never counted) and the comparison. Does not belong here: what
runs in the measured processes (`quiet_night.py`, `empty_frameworks.py`).
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.measure import ROOT, Result, Usage, child, interleaved, median, result

HIGHEST_RATIO = 1.5
WORLD = """
seed = 11
start = 2026-01-10
today = 2026-03-20
orders_per_day = 20
skus = 12
[[accounts]]
connector = "amazon"
name = "amz_eu"
marketplaces = ["DE", "FR", "GB"]
[[accounts]]
connector = "shopify"
name = "shop"
[[accounts]]
connector = "files"
name = "market"
[[accounts]]
connector = "ebay"
name = "bay"
marketplaces = ["DE"]
[[accounts]]
connector = "walmart"
name = "store"
marketplaces = ["US"]
[[accounts]]
connector = "tracking"
name = "parcels"
[[accounts]]
connector = "helpdesk"
name = "desk"
[[accounts]]
connector = "reviews"
name = "stars"
"""


@contextmanager
def served(folder: Path, port: int) -> Iterator[None]:
    """The world's servers as a process of its own, at the same ports: addresses are settings.

    Each night has new ones, because Amazon refuses an equal report that is asked for often.
    """
    scenario = folder / "world.toml"
    scenario.write_text(WORLD, "utf-8")
    command = [sys.executable, "-m", "sources._sandbox", "serve", "--scenario", str(scenario)]
    command += ["--inbox", str(folder / "data" / "inbox"), "--port", str(port)]
    process = subprocess.Popen(  # noqa: S603
        command, cwd=ROOT, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    )
    try:
        line = process.stdout.readline() if process.stdout else ""
        (folder / "addresses.json").write_text(json.dumps(json.loads(line)), "utf-8")
        yield
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    """Ports above it are mostly free as well."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def nothing_new() -> list[Result]:
    """CPU of process trees: the same night again, against an empty dbt run and an empty run of
    Dagster over the same asset keys on an instance of its own on disk.
    """
    with tempfile.TemporaryDirectory(prefix="bench-quiet-") as place:
        folder, port = Path(place), free_port()

        def night(*options: str) -> Usage:
            with served(folder, port):
                return child(["-m", "bench.quiet_night", str(folder), *options])

        night()
        again, floor = interleaved(
            lambda: night("--nothing-new"),
            lambda: child(["-m", "bench.empty_frameworks", str(folder)]),
        )
    detail = "the same night again against an empty dbt run plus an empty Dagster run"
    mine, other = median(again, "cpu_s"), median(floor, "cpu_s")
    return [result("nothing_new", mine, other, HIGHEST_RATIO, "CPU s", detail)]
