"""`aftersales alerts`: what is open, acknowledging it, trying a rule on past nights.

Belongs here: the options and the output of these commands. Does not belong here: what they do
(`alerting.py`, `assets/alerts/`).
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from assets.alerts import book, evaluation, wording
from assets.alerts.outbox import Outbox
from assets.alerts.rules import RulesError, load_rules
from assets.alerts.states import OPEN
from assets.control import naive_utc
from assets.warehouse import Warehouse
from pipelines.resources import places, system_language
from sources._core.clock import SystemClock

alerts_app = typer.Typer(help="Alerts: what is open, acknowledging, trying rules.")

AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


@alerts_app.command("list")
def list_alerts(
    everything: Annotated[bool, typer.Option("--all", help="Resolved ones too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Open alerts of the published file, the gravest first."""
    rows = open_alerts(everything=everything)
    if as_json:
        typer.echo(json.dumps(rows, default=str, indent=1, ensure_ascii=False))
        return
    print_alerts(Console(), rows)


def open_alerts(*, everything: bool = False) -> list[dict[str, Any]]:
    """Rows of `signals.alert`; what was acknowledged since is shown as such."""
    where = places()
    acknowledged = Outbox(where.outbox).acknowledgements() if where.outbox.exists() else {}
    found = []
    for row in evaluation.published_alerts(where.publication):
        at = acknowledged.get(row["alert_id"])
        if row["state"] in OPEN and at is not None and at >= row["started_at"]:
            row |= {"state": "acknowledged", "acknowledged_at": at}
        if everything or row["state"] in OPEN:
            found.append(row)
    order = ["critical", "high", "warning", "info"]
    return sorted(found, key=lambda r: (r["state"] == "resolved", order.index(r["severity"])))


def print_alerts(console: Console, rows: list[dict[str, Any]]) -> None:
    language = system_language()
    for row in rows:
        head = f"{row['alert_id']} {row['severity']} {row['kind']} {row['state']}"
        console.print(head, style="bold", highlight=False, markup=False)
        text = row[f"message_{language}"]
        console.print(f"  {text}", highlight=False, markup=False)
    if not rows:
        console.print("no open alerts")


@alerts_app.command("ack")
def acknowledge(
    alert_id: Annotated[str, typer.Argument(metavar="ID", help="As shown in every message.")],
) -> None:
    """Say that somebody takes care of it: it stays quiet until it has ended and comes again."""
    where = places()
    published = evaluation.published_alerts(where.publication)
    row = next((r for r in published if r["alert_id"] == alert_id.upper()), None)
    if row is None or row["state"] == "resolved":
        raise typer.BadParameter(
            f"{alert_id} is not an open alert; `aftersales alerts list` shows those that are"
        )
    Outbox(where.outbox).acknowledge(row["alert_id"], _clock(where.publication))
    typer.echo(f"{row['alert_id']} acknowledged: {row['kind']} {row['entity_key']}")


def _clock(publication: Path) -> datetime:
    """Of the simulated world where the publication is one, else the machine's."""
    with Warehouse(publication).connect(read_only=True) as connection:
        rows = connection.execute("select is_sandbox, built_at from meta.current").fetchall()
    is_sandbox, built_at = rows[0]
    built: datetime = built_at
    return built if is_sandbox else naive_utc(SystemClock().now())


@alerts_app.command()
def replay(
    rule: Annotated[str | None, typer.Option(help="Only this rule.")] = None,
    rules_file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Rules to try.")
    ] = None,
    nights: Annotated[int, typer.Option(min=1, help="How many past nights.")] = 60,
    as_json: AsJson = False,
) -> None:
    """What rules would have said on past nights, from the figures kept of each; nothing is sent."""
    where = places()
    rules = [r for r in _tried_rules(rules_file) if rule in (None, r.name)]
    if not rules:
        raise typer.BadParameter(f"--rule {rule}: no rule has this name")
    with Warehouse(where.warehouse).connect(read_only=True) as connection:
        past = book.past_measures(connection, nights)
    language = system_language()
    events = [
        {
            "night": f"{at:%Y-%m-%d}",
            "event": "opened" if alert.state == "open" else alert.state,
            "rule": alert.rule,
            "severity": alert.severity,
            "entity_key": alert.measure.entity_key,
            "message": wording.message(
                alert.measure, language, playbook=alert.playbook_id, query=alert.query_id
            ),
        }
        for at, alert in evaluation.replay(past, rules)
    ]
    if as_json:
        typer.echo(json.dumps(events, indent=1, ensure_ascii=False))
        return
    for event in events:
        typer.echo("{night} {event} {severity} {rule} {entity_key}: {message}".format(**event))
    typer.echo(f"{len(past)} nights, {len(events)} events")


def _tried_rules(path: Path | None) -> list[Any]:
    try:
        return list(load_rules(path, None))
    except RulesError as error:
        raise typer.BadParameter(str(error)) from error
