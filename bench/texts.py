"""How fast and in how little memory texts of buyers are labelled, from file to file.

Belongs here: the made-up texts and the promise (100,000 texts a minute on two cores, under 1 GB).
Does not belong here: how right the labels are (`python -m assets.text.evaluation`).
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator
from pathlib import Path

from assets.text.quality import SAMPLE
from bench.measure import PAIRS, Result, child, median, result

TEXTS = 100_000
PROCESSES = 2
CPU_ALLOWED = 120.0  # seconds: one minute of two cores
MEMORY_ALLOWED = 1_000.0  # MB of all processes together


def made_up(count: int) -> Iterator[tuple[str, str]]:
    """Distinct texts of some 170 characters in eight languages, no two alike."""
    with SAMPLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    spoken = sorted({row["language"] for row in rows})
    sentences = {name: [r["text"] for r in rows if r["language"] == name] for name in spoken}
    for number in range(count):
        pool = sentences[spoken[number % len(spoken)]]
        turn = number // len(spoken)
        parts = [pool[(turn * step + step) % len(pool)] for step in (1, 5, 7)]
        yield str(number), f"{parts[0]} {parts[1]} {number} {parts[2]}"


def throughput() -> list[Result]:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "in.csv"), Path(folder, "out.csv")
        with source.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("id", "text"))
            writer.writerows(made_up(TEXTS))
        command = ["-m", "pipelines.cli", "label-text", str(source), str(target)]
        usages = [child(command) for _ in range(PAIRS)]
    cpu, peak = median(usages, "cpu_s"), median(usages, "peak_mb")
    together = peak * (PROCESSES + 1)
    return [
        result(
            "text_throughput", cpu, CPU_ALLOWED, 1.0, "CPU s",
            f"{TEXTS:,} texts labelled, file to file: {TEXTS / cpu * 60 * PROCESSES:,.0f} a minute "
            f"on {PROCESSES} cores",
        ),
        result(
            "text_throughput_memory", together, MEMORY_ALLOWED, 1.0, "MB",
            f"peak of the largest process ({peak:.0f} MB) times {PROCESSES + 1} processes",
        ),
    ]  # fmt: skip
