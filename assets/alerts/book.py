"""The alerts of each night in the warehouse: states, the figures they came from, `signals.alert`.

Belongs here: keeping and reading them, and the rows of the published tables. Does not belong here:
what the states are (`states.py`), what is sent (`outbox.py`).

A night's states are kept under its build id and follow from those of the last other build, so that
a night which is repeated decides the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import zstandard

from assets.alerts import wording
from assets.alerts.measures import Measure
from assets.alerts.states import Alert
from assets.control import insert_rows, naive_utc
from assets.warehouse import Connection, quoted

KEEP_STATES = timedelta(days=35)
KEEP_MEASURES = timedelta(days=180)
# Columns that join a dimension: what has no row there is `unknown`.
_JOINED = {
    "sku": "dim_sku",
    "product_id": "dim_product",
    "account": "dim_account",
    "marketplace": "dim_marketplace",
    "country": "dim_country",
}


def last_alerts(connection: Connection, as_of: datetime, build_id: str) -> list[Alert]:
    """Alerts after the last night that is not this one."""
    rows = connection.execute(
        "select content from load.alert_state where as_of_at <= ? and build_id <> ?"
        " order by as_of_at desc, number desc limit 1",
        [naive_utc(as_of), build_id],
    ).fetchall()
    return _unpacked(rows[0][0], list[Alert]) if rows else []


def keep(
    connection: Connection,
    as_of: datetime,
    build_id: str,
    alerts: Sequence[Alert],
    measures: Sequence[Measure],
) -> None:
    """Write down what was decided and from which figures; a repeat replaces."""
    now = naive_utc(as_of)
    (number,) = connection.execute(
        "select coalesce(max(number), 0) + 1 from load.alert_state where build_id <> ?", [build_id]
    ).fetchall()[0]
    connection.execute(
        "delete from load.alert_state where build_id = ? or as_of_at < ?",
        [build_id, now - KEEP_STATES],
    )
    connection.execute(
        "delete from load.alert_measure where as_of_at = ? or as_of_at < ?",
        [now, now - KEEP_MEASURES],
    )
    connection.execute(
        "insert into load.alert_state values (?, ?, ?, ?)",
        [build_id, now, number, _packed(alerts)],
    )
    connection.execute("insert into load.alert_measure values (?, ?)", [now, _packed(measures)])


def past_measures(connection: Connection, nights: int) -> list[tuple[datetime, list[Measure]]]:
    """The figures of the last nights, oldest first."""
    rows = connection.execute(
        "select as_of_at, content from load.alert_measure order by as_of_at desc limit ?", [nights]
    ).fetchall()
    return [(at, _unpacked(content, list[Measure])) for at, content in reversed(rows)]


def write_tables(
    connection: Connection,
    alerts: Iterable[Alert],
    deliveries: Iterable[Mapping[str, Any]],
    currency: str,
) -> None:
    """Replace the rows of `signals.alert` and `signals.alert_delivery`."""
    connection.execute("delete from signals.alert")
    connection.execute("delete from signals.alert_delivery")
    owners = dict(
        connection.execute("select playbook_id, owner_role from meta.playbook").fetchall()
    )
    rows = (alert_row(alert, owners, currency) for alert in alerts)
    insert_rows(connection, "signals.alert", rows)
    insert_rows(connection, "signals.alert_delivery", deliveries)
    for column, table in _JOINED.items():
        name = quoted(column)
        connection.execute(
            f"update signals.alert set {name} = 'unknown'"
            f" where {name} not in (select {name} from marts.{table})"
        )


def alert_row(alert: Alert, owners: Mapping[str, str], currency: str) -> dict[str, Any]:
    """A row of `signals.alert`."""
    measure = alert.measure
    texts = {
        f"message_{language}": wording.message(
            measure,
            language,
            playbook=alert.playbook_id,
            query=alert.query_id,
            currency=currency,
        )
        for language in wording.LANGUAGES
    }
    is_share = measure.k is not None and bool(measure.n)
    return {
        "alert_id": alert.alert_id,
        "rule": alert.rule,
        "kind": measure.kind,
        "entity_type": measure.entity_type,
        "entity_key": measure.entity_key,
        **{place: getattr(measure, place) for place in Measure.PLACES},
        "severity": alert.severity,
        "state": alert.state,
        "opened_at": alert.opened_at,
        "started_at": alert.started_at,
        "updated_at": alert.updated_at,
        "acknowledged_at": alert.acknowledged_at,
        "resolved_at": alert.resolved_at,
        "parent_alert_id": alert.parent_alert_id,
        "metric_id": alert.metric_id,
        "k": measure.k,
        "n": measure.n,
        "rate": measure.k / measure.n if is_share and measure.k and measure.n else None,
        "baseline": measure.baseline,
        "p_value": measure.p_value,
        "q_value": measure.q_value,
        "money_at_stake": measure.money,
        "reporting_currency": currency,
        "orders_exposed": None,
        "owner_role": owners.get(alert.playbook_id, "data"),
        "playbook_id": alert.playbook_id,
        "evidence_query_id": alert.query_id,
        "build_id": alert.build_id,
        **texts,
    }


def _packed(content: Sequence[Alert] | Sequence[Measure]) -> bytes:
    return zstandard.compress(msgspec.json.encode(list(content)))


def _unpacked(content: bytes, kind: Any) -> Any:
    return msgspec.json.decode(zstandard.decompress(content), type=kind)
