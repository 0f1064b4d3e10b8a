"""The night as one Dagster asset function: a key per raw stream, per model, and the publication.

Belongs here: keys, lineage, checks, and which of them get an event. Does not belong here: the
steps themselves (`night.py`), schedules and sensors.

One function for all, because Dagster skips a step as soon as one of its inputs brought nothing
new, and events are written for changed assets only (each costs more than the work behind it).
Dagster looks at the annotation of `context` itself, so annotations are not postponed here.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from assets import catalog
from assets.audit.incoming import suites_of
from assets.catalog import Model
from assets.raw_tables import RawTable, raw_tables
from pipelines import night as steps
from pipelines.night import Night
from sources._core.connector import Connector

PUBLICATION = dg.AssetKey(["published", "aftersales"])
FRESH, STRUCTURE, ODDITIES, EXPECTED = "fresh", "structure", "oddities", "as_expected"

Event = dg.MaterializeResult[Any] | dg.AssetCheckResult


def raw_key(table: RawTable) -> dg.AssetKey:
    return dg.AssetKey([table.schema, table.stream.name])


def night_asset(
    connectors: Mapping[str, Connector], models: Sequence[Model]
) -> dg.AssetsDefinition:
    """The asset function; it asks for the resource `night`."""
    tables = raw_tables(connectors.values())
    specs = [_raw_spec(table) for table in tables] + _model_specs(tables, models)
    published = [m.place for m in models if m.place[0] in catalog.PUBLISHED_SCHEMAS]
    specs.append(
        dg.AssetSpec(
            PUBLICATION,
            deps=[dg.AssetKey(list(place)) for place in published],
            description="The checked file that people and BI tools read.",
            group_name="published",
            skippable=True,
        )
    )
    checks = [dg.AssetCheckSpec(FRESH, asset=raw_key(table)) for table in tables]
    checks += [dg.AssetCheckSpec(name, asset=PUBLICATION) for name in (STRUCTURE, ODDITIES)]
    checks += [
        dg.AssetCheckSpec(EXPECTED, asset=raw_key(table))
        for table in tables
        if table.stream.name in suites_of(table.connector)
    ]
    checks.append(dg.AssetCheckSpec(EXPECTED, asset=PUBLICATION))

    @dg.multi_asset(
        name="night",
        specs=specs,
        check_specs=checks,
        can_subset=True,
        required_resource_keys={"night"},
    )
    def night(context: dg.AssetExecutionContext) -> Iterator[Event]:
        tonight: Night = context.resources.night
        chosen = context.selected_asset_keys
        with steps.failures_told(tonight, context.run.run_id):
            yield from _ingest(tonight, [t for t in tables if raw_key(t) in chosen])
            if any(dg.AssetKey(list(m.place)) in chosen for m in models) or PUBLICATION in chosen:
                steps.transform(tonight)
            if PUBLICATION in chosen:
                steps.publish_night(tonight)
                steps.tell(tonight)
        yield from _built(tonight, models, chosen)

    return night


def _raw_spec(table: RawTable) -> dg.AssetSpec:
    return dg.AssetSpec(
        raw_key(table),
        description=f"What {table.connector} gave for {table.stream.name}, allowed fields only.",
        group_name=table.schema,
        skippable=True,
    )


def _model_specs(tables: Iterable[RawTable], models: Sequence[Model]) -> list[dg.AssetSpec]:
    """Control tables (`load`, `settings`) are no assets: they change every night."""
    known = {(t.schema, t.stream.name) for t in tables} | {m.place for m in models}
    return [
        dg.AssetSpec(
            dg.AssetKey(list(model.place)),
            deps=[dg.AssetKey(list(p)) for p in dict.fromkeys(model.parents) if p in known],
            description=model.description or None,
            group_name=model.place[0],
            skippable=True,
        )
        for model in models
    ]


def _ingest(night: Night, tables: Sequence[RawTable]) -> Iterator[Event]:
    """Read and load; never fails for a broken stream: its check says that it is stale."""
    only: dict[str, frozenset[str]] = {}
    for table in tables:
        only[table.connector] = only.get(table.connector, frozenset()) | {table.stream.name}
    steps.ingest(night, only=only)
    for table in tables:
        yield from _raw_events(night, table)


def _raw_events(night: Night, table: RawTable) -> Iterator[Event]:
    place = (table.connector, table.stream.name)
    loads = [r for r in night.report.loads if (r.connector, r.stream) == place]
    loaded, deleted = sum(r.rows_loaded for r in loads), sum(r.rows_deleted for r in loads)
    failures = {
        account: error
        for (connector, account, stream), error in night.report.failures.items()
        if (connector, stream) == place
    }
    has_recovered = any((c, s) == place for c, _account, s in night.report.recovered)
    if loaded or deleted:
        yield dg.MaterializeResult(
            asset_key=raw_key(table),
            metadata={
                "rows_read": sum(r.rows_in for r in loads),
                "rows_changed": loaded,
                "rows_deleted": deleted,
            },
        )
    if failures or has_recovered:
        yield dg.AssetCheckResult(
            asset_key=raw_key(table),
            check_name=FRESH,
            passed=not failures,
            severity=dg.AssetCheckSeverity.WARN,
            metadata=failures,
        )
    yield from _audited(night, raw_key(table), place)


def _audited(night: Night, key: dg.AssetKey, place: tuple[str, str]) -> Iterator[Event]:
    """One check for what was expected of a stream of all accounts, or of all marts."""
    found = {
        f"{account} {stream}": verdict
        for (connector, account, stream), verdict in night.report.audits.verdicts.items()
        if (connector, stream) == place or (connector, "") == place
    }
    if found:
        yield dg.AssetCheckResult(
            asset_key=key,
            check_name=EXPECTED,
            passed=not any(verdict.failed for verdict in found.values()),
            severity=dg.AssetCheckSeverity.WARN,
            metadata={name: "; ".join(v.failed) or "as expected" for name, v in found.items()},
        )


def _built(night: Night, models: Sequence[Model], chosen: Iterable[dg.AssetKey]) -> Iterator[Event]:
    """Models below changed streams, then the publication with its checks."""
    built, publication = night.report.built, night.report.publication
    if built is not None:
        changed = {
            (f"raw_{r.connector}", r.stream)
            for r in night.report.loads
            if r.rows_loaded or r.rows_deleted
        }
        touched = catalog.descendants(models, changed)
        wanted = set(chosen)
        for model in models:
            key = dg.AssetKey(list(model.place))
            if model.place in touched and key in wanted:
                yield dg.MaterializeResult(asset_key=key)
    if built is not None and publication is not None:
        yield dg.MaterializeResult(
            asset_key=PUBLICATION,
            metadata={
                "build_id": publication.build.build_id,
                "rows": publication.build.rows_published,
                "path": dg.MetadataValue.path(str(publication.path)),
            },
        )
        yield dg.AssetCheckResult(
            asset_key=PUBLICATION,
            check_name=STRUCTURE,
            passed=True,
            metadata={"checks_passed": built.checks_passed},
        )
        yield dg.AssetCheckResult(
            asset_key=PUBLICATION,
            check_name=ODDITIES,
            passed=not built.warnings,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={node.name: node.message for node in built.warnings},
        )
        yield from _audited(night, PUBLICATION, ("all", ""))
