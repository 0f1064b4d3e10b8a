"""How a ratio is measured: interleaved pairs of child processes, medians, one result file a name.

Belongs here: running and recording. What is compared lives in the module of its subject.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAIRS = 3


@dataclass(frozen=True)
class Usage:
    """What a child process and its children used: CPU seconds (user + system), peak RSS in MB."""

    cpu_s: float
    peak_mb: float


@dataclass(frozen=True)
class Result:
    """One line of `data/bench/<name>.json`; ratio = ours / other, holds = ratio <= target."""

    name: str
    ours: float
    other: float
    ratio: float
    target: float
    holds: bool
    unit: str
    detail: str


def child(args: Sequence[str], python: Path | None = None) -> Usage:
    """Run `python args…` to its end and return what it used; raises if it failed."""
    command = [str(python or sys.executable), *args]
    process = subprocess.Popen(command, cwd=ROOT)  # noqa: S603 - our own arguments
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return Usage(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def interleaved(
    ours: Callable[[], Usage], other: Callable[[], Usage], pairs: int = PAIRS
) -> tuple[list[Usage], list[Usage]]:
    """Run both `pairs` times in turn, so that a busy moment of the machine hits both."""
    mine: list[Usage] = []
    theirs: list[Usage] = []
    for _ in range(pairs):
        mine.append(ours())
        theirs.append(other())
    return mine, theirs


def median(usages: Sequence[Usage], field: str) -> float:
    """Median of one field (`cpu_s` or `peak_mb`) over the runs."""
    return statistics.median(getattr(usage, field) for usage in usages)


def result(name: str, ours: float, other: float, target: float, unit: str, detail: str) -> Result:
    """A result line from two medians; `holds` compares the unrounded ratio."""
    ratio = ours / other
    return Result(
        name,
        round(ours, 3),
        round(other, 3),
        round(ratio, 4),
        target,
        ratio <= target,
        unit,
        detail,
    )


def record(results: Sequence[Result], data_dir: Path) -> None:
    """Write each result to `<data_dir>/bench/<name>.json` and print it as one plain line."""
    folder = data_dir / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    for line in results:
        path = folder / f"{line.name}.json"
        path.write_text(json.dumps([asdict(line)], indent=2) + "\n", "utf-8")
        verdict = "holds" if line.holds else "DOES NOT HOLD"
        print(
            f"{line.name}: {line.ratio} (target {line.target}) {verdict}; "
            f"ours {line.ours} {line.unit}, other {line.other} {line.unit}; {line.detail}",
            flush=True,
        )
