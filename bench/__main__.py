"""`make bench`: runs the benches, writes `data/bench/<name>.json`, fails if one does not hold."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from bench import growth, increment, ingest, paged_sources, quiet, texts
from bench.measure import Result, record
from pipelines.resources import places

BENCHES: dict[str, Callable[[], list[Result]]] = {
    "ingest_cpu_vs_limit": ingest.cpu_vs_limit,
    "ingest_cpu_vs_dlt_tuned": ingest.cpu_and_memory_vs_dlt_tuned,
    "ingest_memory_vs_dlt_tuned": ingest.cpu_and_memory_vs_dlt_tuned,
    "ingest_cpu_vs_dlt_default": ingest.cpu_vs_dlt_default,
    "ingest_memory_growth": ingest.memory_growth,
    **{f"ingest_{name}": partial(paged_sources.ratios, name) for name in paged_sources.SOURCES},
    "nothing_new": quiet.nothing_new,
    "increment": increment.one_day,
    "growth_lot_allocation": growth.lot_allocation,
    "text_throughput": texts.throughput,
}


def main(
    only: Annotated[str | None, typer.Option(help=f"One of {', '.join(BENCHES)}.")] = None,
    to: Annotated[Path | None, typer.Option(help="Data directory of the result files.")] = None,
) -> None:
    """Measure ratios, ours over the other; exit code 1 if one does not hold."""
    if only is not None and only not in BENCHES:
        raise typer.BadParameter(f"{only} is not a bench; choose one of {', '.join(BENCHES)}")
    wanted = list(BENCHES) if only is None else [only]
    results: list[Result] = []
    for bench in dict.fromkeys(BENCHES[name] for name in wanted):
        found = bench()
        record(found, to or places().data)
        results += found
    if not all(line.holds for line in results):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
