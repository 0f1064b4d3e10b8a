"""One step with the warehouse of a large seller, in a process of its own to be measured.

`fill` puts the history into the raw tables, `day` adds one more; `build` is a night's dbt call,
`rebuild` the same with every table made anew, `publish` what follows up to the Parquet files.
The data are those of `seller.py`.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, timedelta
from pathlib import Path

from assets import catalog, parquet, publish
from bench import seller
from pipelines import night as steps
from pipelines.night import Night
from pipelines.opening import read_settings
from pipelines.resources import Places
from sources._core.clock import SystemClock
from sources.registry import connectors

SETTINGS = """
[settings]
reporting_currency = "EUR"
[[accounts]]
connector = "files"
name = "shop_de"
start = 2024-01-01
[[accounts]]
connector = "files"
name = "shop_us"
start = 2024-01-01
[[accounts]]
connector = "files"
name = "shop_gb"
start = 2024-01-01
"""


def open_night(folder: Path, days: int) -> Night:
    """A night so many days after the end of the history."""
    os.environ["AFTERSALES_CUSTOMER_KEY"] = "bench"
    config = folder / "aftersales.toml"
    config.write_text(SETTINGS, "utf-8")
    where = Places(folder / "data", folder / "state", config)
    clock = SystemClock((seller.end() + timedelta(days=days)).replace(tzinfo=UTC))
    return Night(where, read_settings(where), connectors(), clock)


def fill(night: Night, lines: int) -> None:
    lists = {
        name: frozenset(stream.name for stream in connector.streams if stream.is_static)
        for name, connector in connectors().items()
        if connector.serves_all or name == "files"
    }
    steps.ingest(night, only=lists)
    with night.warehouse.connect() as connection:
        seller.fill(connection, lines)


def add_day(night: Night, lines: int) -> None:
    with night.warehouse.connect() as connection:
        seller.add_day(connection, lines)


def build(night: Night, *, is_rebuild: bool) -> None:
    steps.prepare(night)
    built = steps.transform(night, full_refresh=is_rebuild)
    if built is None or built.blocking:
        raise RuntimeError(f"not the build that is measured: {built and built.blocking}")


def put_out(night: Night, to: Path) -> None:
    """As `publish_night` does, without audits and alerts."""
    tables = catalog.published_tables(night.project.ensure_manifest())
    build = publish.Build(
        build_id=f"{night.as_of:%Y%m%d}",
        built_at=night.as_of,
        as_of_at=night.as_of,
        code_version="bench",
        config_hash="bench",
        is_sandbox=False,
    )
    made = publish.publish(night.warehouse, to, tables, build, publish.Options())
    renewed = parquet.Renewed(made.replaced, made.renewed)
    parquet.write_parquet(made.path, to / "parquet", tables, build.build_id, renewed)


def main(step: str, folder: Path, lines: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    is_history = step in ("fill", "build_history", "publish_history")
    night = open_night(folder, days=0 if is_history else 1)
    match step:
        case "fill":
            fill(night, lines)
        case "day":
            add_day(night, lines)
        case "publish_history" | "publish" | "publish_rebuilt":
            put_out(night, folder / ("rebuilt" if step == "publish_rebuilt" else "published"))
        case _:
            build(night, is_rebuild=step == "rebuild")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
