"""One night, as plain functions that run without Dagster.

Belongs here: the order of the steps and what each hands to the next. Does not belong here: how
rows are read (`sources/`), kept and published (`assets/`), or when a night runs (`schedules.py`).

Each step can be killed at any moment and run again: landing files and the warehouse's own records
say what was done.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import filelock

from assets import catalog, parquet, publish, slices
from assets.audit import outgoing as audit_results
from assets.control import (
    Outcome,
    ensure_control_tables,
    insert_rows,
    read_cursors,
    record_outcomes,
    write_settings,
)
from assets.dbt import BuildResult, DbtProject
from assets.load import LoadResult, load_landed
from assets.open_parcels import open_parcels
from assets.publish import Build, Options, Publication, PublicationBlockedError
from assets.raw_tables import ensure_raw_tables, raw_tables
from assets.warehouse import StorageFullError, Warehouse, transaction
from pipelines import alerting, reading
from pipelines.auditing import Audits
from pipelines.progress import Silent, Watcher
from pipelines.reading import Known
from pipelines.resources import Places, code_version
from pipelines.settings import Settings
from pipelines.settings_tables import settings_rows
from sources._core.clock import Clock, HurriedClock
from sources._core.connector import Connector, Window
from sources._core.extract import StreamOutcome, extract_all

log = logging.getLogger(__name__)

MIN_FREE_BYTES = 100_000_000
SANDBOX_HURRY = 100.0  # waits that a real API imposes would make a trial take hours


class NightRunningError(RuntimeError):
    """Another night holds the data folder."""


@dataclass(frozen=True)
class Night:
    """Everything a night needs; what it did is kept in `report`."""

    places: Places
    settings: Settings
    connectors: Mapping[str, Connector]
    clock: Clock
    watcher: Watcher = field(default_factory=Silent)
    accept_loss: bool = False
    report: Report = field(default_factory=lambda: Report())

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(self.places.warehouse)

    @cached_property
    def project(self) -> DbtProject:
        """One for the night, so that what it has parsed is parsed once."""
        return dbt_project(self.places)

    @property
    def as_of(self) -> datetime:
        return self.clock.now().astimezone(UTC)


@dataclass
class Report:
    """What came of each step, for the summary and for Dagster."""

    outcomes: list[StreamOutcome] = field(default_factory=list)
    loads: list[LoadResult] = field(default_factory=list)
    built: BuildResult | None = None
    publication: Publication | None = None
    is_unchanged: bool = False
    recovered: set[tuple[str, str, str]] = field(default_factory=set)
    audits: Audits = field(default_factory=Audits)
    started: float = 0.0

    @property
    def failures(self) -> dict[tuple[str, str, str], str]:
        """Streams that stay at what they had, and why."""
        found = [(o.connector, o.account, o.stream, o.error) for o in self.outcomes]
        found += [(r.connector, r.account, r.stream, r.error) for r in self.loads]
        return {(c, a, s): error for c, a, s, error in found if error}


@contextmanager
def exclusive(places: Places) -> Iterator[None]:
    """Only one night at a time in a data folder; the lock ends with the process."""
    places.data.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(places.lock, timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise NightRunningError(
            f"a night is already running in {places.data}; wait until it ends, "
            "or give another folder with AFTERSALES_DATA_DIR"
        ) from error
    try:
        yield
    finally:
        lock.release()


def run_night(night: Night) -> Report:
    """All steps in their order."""
    with failures_told(night, f"{night.as_of:%Y%m%dT%H%M%SZ}"):
        ingest(night)
        transform(night)
        publish_night(night)
        tell(night)
    return night.report


def ingest(
    night: Night,
    *,
    only: Mapping[str, frozenset[str]] | None = None,
    windows: Sequence[Window] | None = None,
) -> None:
    """Read (as `extract` says) and load. While sources answer, which may take hours, the warehouse
    is free for others.
    """
    with night.warehouse.held():
        prepare(night)
        load(night, "load what an interrupted night had landed")
    if only is None or only:
        extract(night, only=only, windows=windows)
    with night.warehouse.held():
        load(night, "load")
        record(night)


def prepare(night: Night) -> None:
    """Tables for every connector, the settings of tonight, and room on the disk."""
    night.watcher.step("prepare")
    night.report.started = night.clock.monotonic()
    free = shutil.disk_usage(night.places.data).free
    if free < MIN_FREE_BYTES:
        raise StorageFullError(night.warehouse.full_message())
    with night.warehouse.connect() as connection:
        ensure_control_tables(connection)
        ensure_raw_tables(connection, night.connectors.values())
        write_settings(connection, settings_rows(connection, night.settings, night.connectors))


def load(night: Night, title: str) -> list[LoadResult]:
    """Take over every landed file that the warehouse has not recorded."""
    from assets.text.erasure import erased_texts, keep_out

    night.watcher.step(title)
    if erased_texts(night.places.landing):
        with night.warehouse.connect() as connection:
            keep_out(night.places.landing, night.connectors.values(), connection)
    results = load_landed(
        night.warehouse,
        night.places.landing,
        list(night.connectors.values()),
        now=night.as_of,
        progress=night.watcher.detail,
        audit=night.report.audits.incoming(
            night.settings.reports_only, accepts_all=night.accept_loss
        ),
    )
    night.report.loads.extend(results)
    return results


def extract(
    night: Night,
    *,
    only: Mapping[str, frozenset[str]] | None = None,
    windows: Sequence[Window] | None = None,
) -> list[StreamOutcome]:
    """Read every stream of every account side by side into landing files.

    `only` limits it to these streams of these connectors; `windows` replaces what the cursors ask
    for (backfill).
    """
    night.watcher.step("extract")
    with night.warehouse.connect() as connection:
        known = Known(read_cursors(connection), open_parcels(connection), night.as_of)
    requests = reading.requests(night.settings, night.connectors, known, only, windows)
    is_simulated = night.settings.is_sandbox
    clock = HurriedClock(night.clock, SANDBOX_HURRY) if is_simulated else night.clock
    outcomes = extract_all(requests, night.places.landing, clock, night.watcher.stream)
    night.report.outcomes.extend(outcomes)
    return outcomes


_FAILED_LAST = """
    select connector, account, stream from load.outcome
    group by all having max_by(state, as_of_at) = 'failed'
"""


def record(night: Night) -> None:
    """One row per stream and night in `load.outcome`; what failed is said once."""
    changed: dict[tuple[str, str, str], list[int]] = {}
    for result in night.report.loads:
        sums = changed.setdefault((result.connector, result.account, result.stream), [0, 0])
        sums[0] += result.rows_loaded
        sums[1] += result.rows_deleted
    failures = night.report.failures
    states = {(o.connector, o.account, o.stream): o.state for o in night.report.outcomes}
    outcomes = []
    for place in sorted({*states, *changed}):
        connector = night.connectors[place[0]]
        rows_changed, rows_deleted = changed.get(place, (0, 0))
        outcomes.append(
            Outcome(
                *place,
                state="failed" if place in failures else states.get(place, "ok"),
                error=failures.get(place),
                rows_changed=rows_changed,
                rows_deleted=rows_deleted,
                api_version=connector.api_version,
                sunset_date=connector.sunset_date,
            )
        )
    with night.warehouse.connect() as connection:
        failed_before = set(connection.execute(_FAILED_LAST).fetchall())
        record_outcomes(connection, night.as_of, outcomes)
        audit_results.record(connection, night.as_of, night.report.audits.verdicts)
    night.report.recovered = {p for p in failed_before if p in states and p not in failures}
    for place, error in failures.items():
        night.watcher.note(f"{'/'.join(place)} keeps yesterday's data: {error}")


def label_texts(night: Night) -> int:
    """Language, sentiment and reasons of texts that are new, or whose labels are of old rules."""
    from assets.text.new_texts import gather_texts, label_new_texts
    from assets.text.own_models import labeller_in_use, learn_when_due
    from assets.text.quality import record_quality

    night.watcher.step("label texts")
    with night.warehouse.connect() as connection:
        if not gather_texts(connection, night.connectors.values()):
            return 0
        for note in learn_when_due(connection, night.as_of):
            night.watcher.note(note)
        labeller = labeller_in_use(connection)
        count = label_new_texts(connection, labeller, night.as_of)
        record_quality(connection, labeller, night.as_of)
    if count:
        night.watcher.detail(f"{count} texts")
    return count


def transform(night: Night, *, full_refresh: bool = False) -> BuildResult | None:
    """Labels, then one dbt call; None where the publication already answers to the same inputs."""
    with night.warehouse.held():
        label_texts(night)
        night.watcher.step("build")
        wanted = _build_id(night)
        variables, must_refresh = _variables(night)
    if not full_refresh and _is_published(night.places, wanted):
        night.report.is_unchanged = True
        night.watcher.note("nothing new since the last publication")
        return None
    built = night.project.build(
        variables,
        full_refresh=full_refresh or must_refresh,
        is_same_project=bool(variables["previous_as_of"]),
        progress=night.watcher.detail,
    )
    if not built.blocking:
        _remember_transform(night)
    for node in built.warnings:
        night.watcher.note(f"warning: {node.name}: {node.message}")
    night.report.built = built
    return built


def publish_night(night: Night) -> Publication | None:
    """Put the checked copy in place, then its open files; structure blocks, oddities do not."""
    built = night.report.built
    if built is None:
        return None
    night.watcher.step("publish")
    if built.blocking:
        raise PublicationBlockedError(_blocked_message(built, night.places))
    tables = catalog.published_tables(night.project.ensure_manifest())
    with night.warehouse.held():
        audit_marts(night)
        build = _build_of(night, built)
        alerting.decide(night.settings, night.places, night.as_of, build.build_id)
        options = Options(
            reporting_currency=night.settings.general.reporting_currency,
            time_zone=night.settings.general.time_zone,
            fact_months=night.settings.publish.fact_months,
            accept_loss=night.accept_loss,
        )
        publication = publish.publish(
            night.warehouse, night.places.published, tables, build, options
        )
    slices.write_slices(
        publication.path, tables, {s.name: s.accounts for s in night.settings.publish.slices}
    )
    night.watcher.step("write Parquet")
    renewed = parquet.Renewed(publication.replaced, publication.renewed)
    parquet.write_parquet(publication.path, night.places.parquet, tables, build.build_id, renewed)
    night.report.publication = publication
    return publication


def _build_of(night: Night, built: BuildResult) -> Build:
    return Build(
        build_id=_build_id(night),
        built_at=night.as_of,
        as_of_at=night.as_of,
        code_version=code_version(),
        config_hash=night.settings.config_hash,
        is_sandbox=night.settings.is_sandbox,
        checks_passed=built.checks_passed,
        checks_failed=len(built.warnings),
        duration_seconds=round(night.clock.monotonic() - night.report.started, 3),
    )


def audit_marts(night: Night) -> None:
    """What looks odd about the marts is said; it does not block."""
    changed = sum(r.rows_loaded + r.rows_deleted for r in night.report.loads)
    night.report.audits.outgoing(night.places, night.as_of, changed)
    for place, verdict in night.report.audits.failed.items():
        night.watcher.note(f"{'/'.join(place)} is not as expected: {'; '.join(verdict.failed)}")


def tell(night: Night) -> None:
    """Deliver what is due from the outbox; a channel that fails never ends the night."""
    night.watcher.step("tell")
    sent = alerting.tell_success(night.settings, night.places, night.as_of)
    if sent:
        night.watcher.note(f"{sent} messages sent")


def failures_told(night: Night, name: str) -> AbstractContextManager[None]:
    """An error inside is told on the channels under this name of the night, once."""
    return alerting.failures_told(night.settings, night.places, night.as_of, name)


def dbt_project(places: Places) -> DbtProject:
    return DbtProject(warehouse=places.warehouse, work=places.dbt)


def _blocked_message(built: BuildResult, places: Places) -> str:
    first = "; ".join(f"{n.name}: {n.message}" for n in built.blocking[:5])
    more = f" and {len(built.blocking) - 5} more" if len(built.blocking) > 5 else ""
    return (
        f"not published, yesterday's file stays: {first}{more}. Details: {places.dbt / 'logs'}; "
        "raw data are safe, mend the cause and run the night again"
    )


def _is_published(places: Places, wanted: str) -> bool:
    """Whether file and open copies are complete and answer to these inputs."""
    if parquet.written_build(places.parquet) != wanted or not places.publication.exists():
        return False
    return publish.read_previous(places.publication).current == wanted


def _build_id(night: Night) -> str:
    with night.warehouse.connect() as connection:
        (files,) = connection.execute(
            "select coalesce(md5(string_agg(file_hash, ',' order by file_hash)), '')"
            " from load.file where rows_loaded > 0 or file_state = 'refused'"
        ).fetchall()[0]
        (deleted,) = connection.execute(
            "select coalesce(sum(rows_deleted), 0) from load.outcome"
        ).fetchall()[0]
    failures = [f"{'/'.join(place)}: {error}" for place, error in night.report.failures.items()]
    return publish.build_id(
        night.as_of, [files, str(deleted), *sorted(failures), _fingerprint(night)]
    )


def _fingerprint(night: Night) -> str:
    """Of code, raw columns and settings: where it changes, everything is computed anew."""
    columns = [(table.name, table.columns) for table in raw_tables(night.connectors.values())]
    shape = hashlib.sha256(repr(columns).encode()).hexdigest()[:12]
    code = f"{code_version()} {night.project.fingerprint()} {shape} {_label_versions(night)}"
    return f"{code} {night.settings.config_hash} {' '.join(_connectors_in_use(night))}"


def _label_versions(night: Night) -> str:
    with night.warehouse.connect() as connection:
        rows = connection.execute("select distinct label_version from load.text_label").fetchall()
    return ",".join(sorted(version for (version,) in rows))


def _variables(night: Night) -> tuple[dict[str, Any], bool]:
    """Variables of the dbt call, and whether all periods must be computed anew.

    `previous_as_of` is the clock of the last build that ended well under the same code and
    settings; empty where there is none.
    """
    with night.warehouse.connect() as connection:
        rows = connection.execute("select as_of_at, fingerprint from load.transform").fetchall()
    last = rows[0] if rows else None
    is_usable = (
        last is not None
        and last[1] == _fingerprint(night)
        and last[0] <= night.as_of.replace(tzinfo=None)
    )
    previous = f"{last[0].isoformat()}Z" if last and is_usable else ""
    variables = {
        "as_of": f"{night.as_of:%Y-%m-%dT%H:%M:%SZ}",
        "previous_as_of": previous,
        "connectors_in_use": _connectors_in_use(night),
    }
    return variables, last is not None and not is_usable


def _connectors_in_use(night: Night) -> list[str]:
    """Those with an account or with anything loaded; models of the others have nothing to do."""
    with night.warehouse.connect() as connection:
        loaded = connection.execute("select distinct connector from load.file").fetchall()
    named = {
        connector.name for connector, _ in reading.accounts_of(night.settings, night.connectors)
    }
    return sorted(named | {row[0] for row in loaded})


def _remember_transform(night: Night) -> None:
    with night.warehouse.connect() as connection, transaction(connection):
        connection.execute("delete from load.transform")
        insert_rows(
            connection,
            "load.transform",
            [{"as_of_at": night.as_of, "fingerprint": _fingerprint(night)}],
        )
