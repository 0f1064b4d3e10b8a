"""Nights out of the ordinary: older windows read again, the warehouse made anew.

Belongs here: backfill and rebuild. Does not belong here: the steps themselves (`night.py`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from assets.load import load_landed
from assets.warehouse import Warehouse, literal
from pipelines import night as steps
from pipelines.night import Night, Report
from sources._core.clock import SystemClock
from sources._core.connector import Window


def backfill(night: Night, start: datetime, end: datetime, connector: str | None) -> Report:
    """Read [start, end) again; what comes is merged as any other reading."""
    chosen = [c for name, c in night.connectors.items() if connector in (None, name)]
    only = {c.name: frozenset(s.name for s in c.streams if not s.is_static) for c in chosen}
    steps.ingest(night, only=only, windows=[Window(start, end)])
    steps.transform(night)
    steps.publish_night(night)
    return night.report


def rebuild(night: Night, as_of: datetime | None) -> Report:
    """A new warehouse from landing files known by `as_of`, built beside the old, then in its place.

    A crash before the last step leaves the old warehouse; run it again.
    """
    old = night.warehouse
    fresh = replace(night, places=replace(night.places, warehouse_name="warehouse.rebuild.duckdb"))
    for path in (fresh.places.warehouse, fresh.places.warehouse.with_suffix(".duckdb.wal")):
        path.unlink(missing_ok=True)
    clock = as_of or _last_clock(night)
    fresh = replace(fresh, clock=SystemClock(clock), accept_loss=as_of is not None)
    steps.prepare(fresh)
    fresh.watcher.step("load all landed files")
    fresh.report.loads.extend(
        load_landed(
            fresh.warehouse,
            fresh.places.landing,
            list(fresh.connectors.values()),
            known_by=clock,
            progress=fresh.watcher.detail,
        )
    )
    if old.path.exists():
        _keep_outcomes(fresh.warehouse, old, clock)
    steps.transform(fresh, full_refresh=True)
    steps.publish_night(fresh)
    fresh.places.warehouse.replace(old.path)
    return fresh.report


def _last_clock(night: Night) -> datetime:
    """Clock of the last night, as its landing files and the warehouse tell."""
    stamps = [p.name.split("-")[0] for p in night.places.landing.glob("*/*/*/[0-9]*.json")]
    known = [datetime.strptime(s, "%Y%m%dT%H%M%S").replace(tzinfo=UTC) for s in stamps]
    if night.warehouse.path.exists():
        with night.warehouse.connect() as connection:
            rows = connection.execute("select max(as_of_at) from load.outcome").fetchall()
        known += [row[0].replace(tzinfo=UTC) for row in rows if row[0]]
    return max(known, default=night.as_of)


_TAKE_OVER = ("outcome", "audit", "alert_state", "alert_measure", "build")
# Labels of texts that were erased since, and what the seller's own texts have taught.
_LABELS = ("text_label", "text_reason", "text_phrase", "text_model", "label_quality")


def _keep_outcomes(fresh: Warehouse, old: Warehouse, known_by: datetime) -> None:
    """How each night went and what it alarmed is not in the landing files: it is taken over."""
    with fresh.connect() as connection:
        connection.execute(f"attach {literal(str(old.path))} as old (read_only)")
        known = connection.execute(
            "select table_name from duckdb_tables()"
            " where database_name = 'old' and schema_name = 'load'"
        ).fetchall()
        for table in _TAKE_OVER:
            if (table,) in known:
                connection.execute(
                    f"insert into load.{table} by name"  # noqa: S608 - names of ours
                    f" select * from old.load.{table} where as_of_at <= ?",
                    [known_by.replace(tzinfo=None)],
                )
        for table in _LABELS:
            if (table,) in known:
                connection.execute(
                    f"insert into load.{table} by name select * from old.load.{table}"  # noqa: S608
                )
        connection.execute("detach old")
