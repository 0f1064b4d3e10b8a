"""Control tables (schemas `load`, `settings`): what was loaded and refused, what is set.

Belongs here: their columns, and writing whole rows into them. Does not belong here: the loading
itself (`load.py`) and what the settings file may contain (`pipelines/settings.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from assets.warehouse import Connection, literal, quoted, written

# table -> (columns, primary key); dbt reads them as its sources `load` and `settings`.
LOAD_TABLES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "file": (
        "file_hash VARCHAR, connector VARCHAR, account VARCHAR, stream VARCHAR, file_name VARCHAR,"
        " source_ref VARCHAR, window_from TIMESTAMP, window_to TIMESTAMP, cursor_after TIMESTAMP,"
        " rows_in BIGINT, rows_loaded BIGINT, rows_duplicate BIGINT, rows_refused BIGINT,"
        " encoding VARCHAR, as_of_at TIMESTAMP, file_state VARCHAR",
        ("connector", "account", "stream", "file_name"),
    ),
    "cursor": (
        "connector VARCHAR, account VARCHAR, stream VARCHAR, cursor_at TIMESTAMP",
        ("connector", "account", "stream"),
    ),
    "outcome": (
        "connector VARCHAR, account VARCHAR, stream VARCHAR, as_of_at TIMESTAMP, state VARCHAR,"
        " error VARCHAR, rows_changed BIGINT, rows_deleted BIGINT, api_version VARCHAR,"
        " sunset_date DATE",
        ("connector", "account", "stream", "as_of_at"),
    ),
    "quarantine": (
        "connector VARCHAR, account VARCHAR, stream VARCHAR, quality_date DATE,"
        " quarantine_reason VARCHAR, rows BIGINT, example_ref VARCHAR, what_to_do VARCHAR",
        ("connector", "account", "stream", "quality_date", "quarantine_reason"),
    ),
    "drift": (
        "connector VARCHAR, stream VARCHAR, field VARCHAR, drift_kind VARCHAR,"
        " first_seen_at TIMESTAMP, last_seen_at TIMESTAMP",
        ("connector", "stream", "field", "drift_kind"),
    ),
    "late_arrival": (
        "connector VARCHAR, account VARCHAR, stream VARCHAR, event_date DATE, days_late BIGINT,"
        " rows BIGINT",
        ("connector", "account", "stream", "event_date", "days_late"),
    ),
    # Clock, code and settings of the last dbt build that ended well: one row.
    "transform": ("as_of_at TIMESTAMP, fingerprint VARCHAR", ("as_of_at",)),
    # What the audits of a night expected and what failed; connector `all` is what went out.
    "audit": (
        "connector VARCHAR, account VARCHAR, stream VARCHAR, as_of_at TIMESTAMP,"
        " rows_checked BIGINT, expectations BIGINT, failed BIGINT, failed_names VARCHAR",
        ("connector", "account", "stream", "as_of_at"),
    ),
    # What texts say, by the hash of the masked text: one row a text, one row a text and reason. A
    # confidence is NULL where the reason counts in the comment of a return only.
    "text_label": (
        "text_hash VARCHAR, language VARCHAR, language_confidence DOUBLE, sentiment VARCHAR,"
        " sentiment_confidence DOUBLE, label_version VARCHAR, first_seen_at TIMESTAMP,"
        " labelled_at TIMESTAMP",
        ("text_hash",),
    ),
    "text_reason": (
        "text_hash VARCHAR, text_reason VARCHAR, reason_l2 VARCHAR, confidence DOUBLE,"
        " confidence_of_return DOUBLE, label_source VARCHAR, evidence VARCHAR",
        ("text_hash", "text_reason"),
    ),
    # Phrases of a text (never a whole one), for what marks a product.
    "text_phrase": ("text_hash VARCHAR, phrase VARCHAR", ("text_hash", "phrase")),
    # Precision and recall on texts that people, stars or codes have labelled.
    "label_quality": (
        "label_kind VARCHAR, label VARCHAR, language VARCHAR, label_version VARCHAR,"
        " sample VARCHAR, texts BIGINT, precision DOUBLE, recall DOUBLE, f1 DOUBLE,"
        " is_in_use BOOLEAN, evaluated_at TIMESTAMP",
        ("label_kind", "label", "language", "label_version", "sample"),
    ),
    # Models learnt from the seller's own texts; the newest of a kind that was kept is in use.
    "text_model": (
        "model_kind VARCHAR, learnt_at TIMESTAMP, version VARCHAR, is_kept BOOLEAN, content BLOB",
        ("model_kind", "learnt_at"),
    ),
    # Alerts after each build and the figures of each night, as compressed JSON.
    "alert_state": (
        "build_id VARCHAR, as_of_at TIMESTAMP, number BIGINT, content BLOB",
        ("build_id",),
    ),
    "alert_measure": ("as_of_at TIMESTAMP, content BLOB", ("as_of_at",)),
    "build": (
        "build_id VARCHAR, built_at TIMESTAMP, as_of_at TIMESTAMP, data_until TIMESTAMP,"
        " contract_version VARCHAR, code_version VARCHAR, config_hash VARCHAR, is_sandbox BOOLEAN,"
        " rows_published BIGINT, checks_passed BIGINT, checks_failed BIGINT,"
        " duration_seconds DOUBLE",
        ("build_id",),
    ),
}

SETTINGS_TABLES: Mapping[str, str] = {
    "setting": "reporting_currency VARCHAR, time_zone VARCHAR, language VARCHAR,"
    " return_horizon_days BIGINT, assumed_transit_days BIGINT, presumed_lost_days BIGINT,"
    " presumed_lost_days_express BIGINT, include_sunk BOOLEAN,"
    " evidence_min_units BIGINT, evidence_max_width DOUBLE, is_sandbox BOOLEAN,"
    " code_version VARCHAR, config_hash VARCHAR, contract_version VARCHAR",
    "account": "account VARCHAR, connector VARCHAR, account_kind VARCHAR,"
    " default_currency VARCHAR, started_on DATE, is_active BOOLEAN",
    "account_marketplace": "account VARCHAR, connector VARCHAR, marketplace VARCHAR,"
    " time_zone VARCHAR, prices_include_tax BOOLEAN",
    "region": "region VARCHAR, country VARCHAR",
    "horizon": "category VARCHAR, marketplace VARCHAR, days BIGINT, valid_from DATE",
    "stock_pool": "stock_pool VARCHAR, fulfilment_centre_id VARCHAR",
    "category": "category VARCHAR, is_hygiene BOOLEAN, is_food BOOLEAN, is_appliance BOOLEAN,"
    " is_safety_critical BOOLEAN, opened_not_returnable BOOLEAN, has_expiry BOOLEAN,"
    " name_en VARCHAR, name_zh VARCHAR, parent_category VARCHAR",
    "team": "team VARCHAR, team_name VARCHAR, team_kind VARCHAR, time_zone VARCHAR,"
    " calendar VARCHAR",
    "display_name": "person_hash VARCHAR, display_name VARCHAR",
    "cost_rate": "cost_kind VARCHAR, subject VARCHAR, rate DECIMAL(18,4)",
}


@dataclass(frozen=True)
class Outcome:
    """How the night went for one stream of one account."""

    connector: str
    account: str
    stream: str
    state: str
    error: str | None = None
    rows_changed: int = 0
    rows_deleted: int = 0
    api_version: str = ""
    sunset_date: date | None = None


def ensure_control_tables(connection: Connection) -> None:
    for schema in ("load", "settings"):
        connection.execute(f"create schema if not exists {schema}")
    for name, (columns, key) in LOAD_TABLES.items():
        connection.execute(
            f"create table if not exists load.{quoted(name)} ({columns},"
            f" primary key ({', '.join(key)}))"
        )
    for name, columns in SETTINGS_TABLES.items():
        connection.execute(f"create table if not exists settings.{quoted(name)} ({columns})")


def write_settings(connection: Connection, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Replace each `settings.*` table, columns of an older version included, by the rows given."""
    unknown = rows.keys() - SETTINGS_TABLES.keys()
    if unknown:
        raise KeyError(f"no settings tables {sorted(unknown)}")
    for name, columns in SETTINGS_TABLES.items():
        connection.execute(f"create or replace table settings.{quoted(name)} ({columns})")
        insert_rows(connection, f"settings.{quoted(name)}", rows.get(name, ()))


def insert_rows(
    connection: Connection,
    table: str,
    rows: Iterable[Mapping[str, Any]],
    conflict: str = "",
) -> None:
    """Insert mappings of column to value; `conflict` is the `on conflict ...` clause, if any.

    One statement for all rows, handed over as JSON (values one by one cost far more); with a
    conflict clause one for each, because rows of one statement may not meet each other.
    """
    found = list(rows)
    if not found:
        return
    columns = list(found[0])
    target = f"insert into {table} ({', '.join(quoted(c) for c in columns)})"
    if conflict:
        for row in found:
            values = [naive_utc(v) if isinstance(v, datetime) else v for v in map(row.get, columns)]
            places = ", ".join(map(written, values))
            connection.execute(f"{target} values ({places}) {conflict}")
        return
    kinds = json.dumps([dict.fromkeys(columns, "VARCHAR")])
    content = [{column: _as_text(value) for column, value in row.items()} for row in found]
    connection.execute(
        f"{target} select unnest("
        f"from_json({literal(json.dumps(content))}, {literal(kinds)}), max_depth := 2)"
    )


def _as_text(value: Any) -> str | None:
    """As the column's own type reads it."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return naive_utc(value).isoformat()
    return str(value)


def record_outcomes(connection: Connection, as_of: datetime, outcomes: Iterable[Outcome]) -> None:
    """One row per stream and night; a repeated night keeps the sum of its changed rows."""
    rows = (
        {
            "connector": o.connector,
            "account": o.account,
            "stream": o.stream,
            "as_of_at": as_of,
            "state": o.state,
            "error": o.error,
            "rows_changed": o.rows_changed,
            "rows_deleted": o.rows_deleted,
            "api_version": o.api_version,
            "sunset_date": o.sunset_date,
        }
        for o in outcomes
    )
    insert_rows(
        connection,
        "load.outcome",
        rows,
        "on conflict do update set state = excluded.state, error = excluded.error,"
        " rows_changed = rows_changed + excluded.rows_changed,"
        " rows_deleted = rows_deleted + excluded.rows_deleted,"
        " api_version = excluded.api_version, sunset_date = excluded.sunset_date",
    )


def read_cursors(connection: Connection) -> dict[tuple[str, str, str], datetime]:
    """(connector, account, stream) -> up to where it was read, with time zone."""
    rows = connection.execute(
        "select connector, account, stream, cursor_at from load.cursor"
    ).fetchall()
    return {(c, a, s): at.replace(tzinfo=UTC) for c, a, s, at in rows}


def naive_utc(moment: datetime) -> datetime:
    """For TIMESTAMP columns, which hold UTC without saying so."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
