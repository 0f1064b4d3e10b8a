"""The two moments of a night: deciding before it is published, telling after.

Belongs here: the order of measuring, judging, deciding, keeping; of wording, queueing, sending.
Does not belong here: any of them, nor where settings come from (`pipelines/alerting.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from assets.alerts import book, wording
from assets.alerts.delivery import Channel, Send, deliver, notices, send_by_apprise
from assets.alerts.measures import Measure, read_measures
from assets.alerts.outbox import Outbox
from assets.alerts.rules import Rule
from assets.alerts.states import Alert, decide, judge, with_failed_nights
from assets.control import naive_utc
from assets.warehouse import Warehouse, transaction
from sources._core.clock import Clock


def evaluate(
    warehouse: Warehouse,
    outbox: Outbox,
    rules: Sequence[Rule],
    as_of: datetime,
    build_id: str,
    currency: str,
) -> list[Alert]:
    """Decide tonight's alerts and put them where publication finds them."""
    acknowledged = outbox.acknowledgements()
    with warehouse.connect() as connection:
        measures = read_measures(connection, as_of)
        last = with_failed_nights(
            book.last_alerts(connection, as_of, build_id),
            rules,
            outbox.failed_nights(),
            acknowledged,
            build_id,
        )
        judged = judge(rules, measures)
        alerts = decide(judged, last, acknowledged, naive_utc(as_of), build_id)
        with transaction(connection):
            book.keep(connection, as_of, build_id, alerts, measures)
            book.write_tables(connection, alerts, outbox.deliveries(), currency)
    return alerts


def tell(
    publication: Path,
    outbox: Outbox,
    rules: Sequence[Rule],
    channels: Sequence[Channel],
    language: str,
    now: datetime,
    clock: Clock,
    send: Send = send_by_apprise,
) -> int:
    """Queue what the publication and failed nights have to say, then send all that waits."""
    rows = published_alerts(publication)
    rows += _failed_night_rows(rows, rules, outbox)
    words = wording.words(language)
    outbox.enqueue(notices(rows, rules, language), [c.name for c in channels], words["digest"])
    return deliver(
        outbox, channels, naive_utc(now), clock, message_line=words["message"], send=send
    )


def published_alerts(publication: Path) -> list[dict[str, Any]]:
    """Rows of `signals.alert` of the file that people read; none before the first night."""
    if not publication.exists():
        return []
    with Warehouse(publication).connect(read_only=True) as connection:
        cursor = connection.execute("from signals.alert order by opened_at, alert_id")
        names = [column[0] for column in cursor.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    # a file of an earlier version does not say when an episode began
    return [{"started_at": row["opened_at"]} | row for row in rows]


def _failed_night_rows(
    published: Iterable[Mapping[str, Any]], rules: Sequence[Rule], outbox: Outbox
) -> list[dict[str, Any]]:
    """What tonight's file would say of nights that could not publish one."""
    nights = outbox.failed_nights()
    if not nights:
        return []
    last = [_build_alert(row) for row in published if row["kind"] == "build"]
    found = with_failed_nights(last, rules, nights, outbox.acknowledgements(), "none")
    return [book.alert_row(alert, {}, "") for alert in found if alert.is_open]


def _build_alert(row: Mapping[str, Any]) -> Alert:
    """As much of a published alert as its id and its end depend on."""
    return Alert(
        alert_id=row["alert_id"],
        rule=row["rule"],
        quiet_days=0,
        playbook_id=row["playbook_id"],
        query_id=row["evidence_query_id"],
        metric_id=row["metric_id"],
        severity=row["severity"],
        state=row["state"],
        measure=Measure("build", row["entity_type"], row["entity_key"], k=row["k"]),
        opened_at=row["opened_at"],
        updated_at=row["updated_at"],
        started_at=row["started_at"],
        build_id=row["build_id"],
        resolved_at=row["resolved_at"],
    )


def replay(
    nights: Iterable[tuple[datetime, Sequence[Measure]]], rules: Sequence[Rule]
) -> list[tuple[datetime, Alert]]:
    """What these rules would have opened, reopened and resolved on past nights."""
    alerts: list[Alert] = []
    events = []
    for at, measures in nights:
        before = {alert.alert_id: alert.state for alert in alerts}
        alerts = decide(judge(rules, measures), alerts, {}, at, "replay")
        events += [
            (at, alert)
            for alert in alerts
            if alert.state in ("open", "reopened", "resolved")
            and before.get(alert.alert_id) != alert.state
        ]
    return events
