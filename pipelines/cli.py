"""The program `aftersales`: options and exit codes of its commands.

Belongs here: command lines and what they print. Does not belong here: what the commands do.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from assets.dbt import TransformError
from assets.publish import PublicationBlockedError
from assets.warehouse import StorageFullError, Warehouse, WarehouseBusyError, is_storage_full
from pipelines import owner_cli, text_cli
from pipelines.alert_commands import alerts_app, open_alerts, print_alerts
from pipelines.exports import ExportError
from pipelines.night import NightRunningError
from pipelines.opening import MixedDataError, Wish, open_night, read_settings
from pipelines.resources import places
from pipelines.sandbox import SandboxError
from pipelines.settings import SettingsError
from pipelines.terminal import finish, run_night, watching

app = typer.Typer(
    name="aftersales",
    help="After-sales data warehouse: one night, its state and its sandbox.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
sandbox_app = typer.Typer(help="A simulated seller, to try everything without an account.")
app.add_typer(sandbox_app, name="sandbox", no_args_is_help=True)
owner_cli.register(app)
text_cli.register(app)
app.add_typer(alerts_app, name="alerts", no_args_is_help=True)

Day = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], help="The clock stands at this day, 00:00 UTC."),
]
RequiredDay = Annotated[datetime, typer.Option(formats=["%Y-%m-%d"])]
Scenario = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="Scenario file of the sandbox."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print data as JSON.")]

# What a person can mend; the message says how. Anything else is a fault of ours, with traceback.
_EXPECTED = (
    SettingsError,
    NightRunningError,
    MixedDataError,
    SandboxError,
    WarehouseBusyError,
    StorageFullError,
    PublicationBlockedError,
    TransformError,
    ExportError,
)


def main() -> None:
    """Entry point: exit code 0 only on success, one plain message where a person can mend it."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    try:
        app()
    except _EXPECTED as error:
        _fail(error)
    except Exception as error:
        if is_storage_full(error):
            _fail(StorageFullError(Warehouse(places().warehouse).full_message()))
        if type(error).__name__ == "ScenarioError":
            _fail(error)
        raise


def _fail(error: BaseException) -> NoReturn:
    if isinstance(error, SettingsError):
        for problem in error.problems:
            sys.stderr.write(f"settings: {problem}\n")
    else:
        sys.stderr.write(f"aftersales: {error}\n")
    sys.exit(1)


def _utc(day: datetime | None) -> datetime | None:
    return day.replace(tzinfo=UTC) if day else None


@app.command()
def nightly(
    until: Day = None,
    sandbox: Scenario = None,
    accept_loss: Annotated[
        bool, typer.Option(help="Publish although a table lost more than half its rows.")
    ] = False,
) -> None:
    """One night: extract, load, build, check, publish. Without accounts against the sandbox."""
    run_night(Wish(_utc(until), sandbox, accept_loss))


@app.command()
def backfill(
    start: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"])],
    end: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"])],
    connector: Annotated[str | None, typer.Option(help="Only this connector.")] = None,
    until: Day = None,
    sandbox: Scenario = None,
) -> None:
    """Read older windows again, then build and publish; cursors stay where they are."""
    from pipelines.replay import backfill as run

    if start >= end:
        raise typer.BadParameter("--from must lie before --to")
    with watching() as watcher, open_night(Wish(_utc(until), sandbox), watcher) as night:
        if connector is not None and connector not in night.connectors:
            known = ", ".join(night.connectors)
            raise typer.BadParameter(f"--connector {connector}: write one of {known}")
        run(night, start.replace(tzinfo=UTC), end.replace(tzinfo=UTC), connector)
    finish(night.settings.general.language)


@app.command()
def rebuild(
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The rows that were known then."),
    ] = None,
    sandbox: Scenario = None,
) -> None:
    """Make the warehouse anew from the landing files, with the settings and code of now."""
    from pipelines.replay import rebuild as run

    with (
        watching() as watcher,
        open_night(Wish(_utc(as_of), sandbox, reads_sources=False), watcher) as night,
    ):
        run(night, _utc(as_of))
    finish(night.settings.general.language)


@app.command()
def status(as_json: AsJson = False) -> None:
    """Freshness of each source, the last build, open alerts."""
    publication = places().publication
    if not publication.exists():
        raise SettingsError(
            "status", [f"nothing published yet in {publication.parent}; run `make nightly`"]
        )
    with Warehouse(publication).connect(read_only=True) as connection:
        content = {
            "build": _records(connection, "from meta.current"),
            "freshness": _records(connection, "from meta.freshness order by all"),
            "quarantine": _records(
                connection, "from meta.quarantine order by quality_date desc limit 20"
            ),
        }
    content["alerts"] = open_alerts()
    if as_json:
        typer.echo(json.dumps(content, default=str, indent=1, ensure_ascii=False))
        return
    _print_status(content)


def _records(connection: Any, sql: str) -> list[dict[str, Any]]:
    cursor = connection.execute(sql)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _print_status(content: dict[str, list[dict[str, Any]]]) -> None:
    console = Console()
    for build in content["build"]:
        console.print(
            f"build {build['build_id']}, data until {build['data_until']}", highlight=False
        )
    table = Table(box=None, pad_edge=False)
    columns = ("connector", "account", "stream", "freshness_state", "data_until", "rows_total")
    for column in columns:
        table.add_column(column)
    for row in content["freshness"]:
        table.add_row(*(str(row[c]) if row[c] is not None else "-" for c in columns))
    console.print(table)
    for row in content["freshness"]:
        if row["last_error"]:
            place = "/".join(str(row[c]) for c in ("connector", "account", "stream"))
            console.print(f"{place}: {row['last_error']}", highlight=False, markup=False)
    for row in content["quarantine"]:
        place = "/".join(str(row[c]) for c in ("connector", "account", "stream"))
        text = f"{row['rows']} rows held back, {row['quarantine_reason']}: {row['what_to_do']}"
        console.print(f"{row['quality_date']} {place}: {text}", highlight=False, markup=False)
    console.print(f"open alerts: {len(content['alerts'])}")
    if content["alerts"]:
        print_alerts(console, content["alerts"])


@app.command("check-config")
def check_config(
    as_json: AsJson = False,
    offline: Annotated[bool, typer.Option(help="Read the settings only, ask no API.")] = False,
) -> None:
    """Read the settings, then try the credentials and rights of each account."""
    from pipelines.config_check import check_accounts

    settings = read_settings(places())
    checks = [] if offline else check_accounts(settings)
    if as_json:
        typer.echo(json.dumps([c.__dict__ for c in checks], default=str, indent=1))
    else:
        accounts = ", ".join(a.name for a in settings.accounts) or "none (the sandbox is used)"
        typer.echo(f"settings are valid; accounts: {accounts}")
        for check in checks:
            typer.echo(f"{'ok  ' if check.ok else 'FAIL'} {check.subject}: {check.message}")
    if not all(check.ok for check in checks):
        raise typer.Exit(1)


@app.command()
def serve(
    port: Annotated[int, typer.Option(help="Port of the Dagster web page.")] = 3000,
) -> None:
    """Dagster web page and daemon, with schedules and sensors on."""
    from pipelines.dagster_server import run as run_server

    raise typer.Exit(run_server(port))


@sandbox_app.command("serve")
def sandbox_serve(
    scenario: Annotated[Path, typer.Option(exists=True, dir_okay=False)],
    port: Annotated[int | None, typer.Option(help="First port; free ports without it.")] = None,
    until: Day = None,
) -> None:
    """Serve a scenario over the real protocols; the first line says where."""
    from sources._sandbox.__main__ import run

    run(scenario, port=port, until=_utc(until))


@sandbox_app.command("truth")
def sandbox_truth(
    scenario: Annotated[Path, typer.Option(exists=True, dir_okay=False)],
    out: Annotated[Path, typer.Option(file_okay=False)],
    until: Day = None,
) -> None:
    """Write what is true in a scenario as Parquet, in two folders."""
    from sources._sandbox.truth import write_truth

    write_truth(scenario, out, _utc(until))


Command = Callable[..., None]
__all__: Sequence[str] = ["app", "main"]

if __name__ == "__main__":
    main()
