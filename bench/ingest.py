"""Ingestion of paged JSON into typed tables: ours against dlt and against the floor."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bench.measure import ROOT, Result, Usage, child, interleaved, median, result

PAGES = 400
DLT_PYTHON = ROOT / ".venv-bench" / "bin" / "python"


@contextmanager
def server(pages: int) -> Iterator[str]:
    """Address of the page server, a process of its own."""
    command = [sys.executable, "-m", "bench.pages", str(pages)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)  # noqa: S603
    try:
        if process.stdout is None:
            raise RuntimeError("the page server has no output")
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.kill()
        process.wait()


def ours(url: str) -> Usage:
    return child(["-m", "bench.our_reader", url])


def limit(url: str) -> Usage:
    return child(["-m", "bench.limit_reader", url])


def dlt(url: str, how: str) -> Usage:
    return child(["bench/dlt_reader.py", url, how], DLT_PYTHON)


def cpu_vs_limit() -> list[Result]:
    with server(PAGES) as url:
        mine, floor = interleaved(
            lambda: ours(url), lambda: child(["-m", "bench.limit_reader", url])
        )
    return [cpu_line("ingest_cpu_vs_limit", mine, floor, 6.0)]


def cpu_and_memory_vs_dlt_tuned() -> list[Result]:
    with server(PAGES) as url:
        mine, tuned = interleaved(lambda: ours(url), lambda: dlt(url, "tuned"))
    peak = (median(mine, "peak_mb"), median(tuned, "peak_mb"))
    return [
        cpu_line("ingest_cpu_vs_dlt_tuned", mine, tuned, 0.25),
        result("ingest_memory_vs_dlt_tuned", *peak, 0.25, "MB", f"peak, {PAGES} pages"),
    ]


def cpu_vs_dlt_default() -> list[Result]:
    with server(PAGES) as url:
        mine, default = interleaved(lambda: ours(url), lambda: dlt(url, "default"))
    return [cpu_line("ingest_cpu_vs_dlt_default", mine, default, 0.1)]


def memory_growth() -> list[Result]:
    with server(PAGES) as few, server(4 * PAGES) as many:
        long, short = interleaved(lambda: ours(many), lambda: ours(few))
    peaks = (median(long, "peak_mb"), median(short, "peak_mb"))
    return [result("ingest_memory_growth", *peaks, 1.15, "MB", f"peak, {4 * PAGES} pages")]


def cpu_line(name: str, mine: list[Usage], theirs: list[Usage], target: float) -> Result:
    seconds = (median(mine, "cpu_s"), median(theirs, "cpu_s"))
    return result(name, *seconds, target, "CPU s", f"{PAGES} pages of 250 orders, medians")
