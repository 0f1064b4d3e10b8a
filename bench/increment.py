"""What one more day costs a large seller, against making every table anew from the same raw rows.

Belongs here: the order of the steps and the comparison. Does not belong here: what runs in the
measured processes (`one_day.py`) and the data (`seller.py`).
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from assets.comparison import compare_marts
from assets.publish import FILE_NAME
from bench.measure import Result, Usage, child, result

LINES = 10_000_000
TIMES_CHEAPER = 8
HIGHEST_MEMORY_MB = 4096


def one_day(lines: int = LINES) -> list[Result]:
    """CPU above a dbt run that selects nothing: of the build alone, and with its publication."""
    with tempfile.TemporaryDirectory(prefix="bench-increment-") as place:
        folder = Path(place)

        def run(step: str) -> Usage:
            return child(["-m", "bench.one_day", step, str(folder), str(lines)])

        floor = min(
            child(["-m", "bench.empty_frameworks", str(folder), "dbt"]).cpu_s for _ in range(2)
        )
        for step in ("fill", "build_history", "publish_history", "day"):
            run(step)
        increment, published = run("build"), run("publish")
        rebuild, rebuilt = run("rebuild"), run("publish_rebuilt")
        different = compare_marts(folder / "published" / FILE_NAME, folder / "rebuilt" / FILE_NAME)
    if different:
        raise RuntimeError(f"the increment is not equal to the rebuild: {different}")
    mine, other = increment.cpu_s - floor, rebuild.cpu_s - floor
    peak = max(used.peak_mb for used in (increment, published, rebuild, rebuilt))
    detail = f"one day more at {lines:,} order lines against a rebuild, equal marts"
    most = 1 / TIMES_CHEAPER
    return [
        result("increment", mine, other, most, "CPU s", detail),
        result(
            "increment_published",
            mine + published.cpu_s,
            other + rebuilt.cpu_s,
            most,
            "CPU s",
            f"{detail}, publication and Parquet files included",
        ),
        result(
            "increment_memory", peak, HIGHEST_MEMORY_MB, 1.0, "MB", "peak of the dearest process"
        ),
    ]
