"""`python -m sources._sandbox serve`: the sandbox as a process of its own.

Belongs here: options, the first line on standard output, and when to stop. The servers are in
`server.py`.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Annotated

import typer

from sources._sandbox.scenario import Scenario
from sources._sandbox.server import serve as start_servers
from sources._sandbox.world import build_world

app = typer.Typer(add_completion=False, help="A simulated seller, served over the real protocols.")


@app.callback()
def main() -> None:
    """Keep `serve` a command of its own."""


@app.command()
def serve(
    scenario: Annotated[Path, typer.Option(help="Scenario file (TOML).")],
    port: Annotated[
        int | None, typer.Option(help="First port; without it free ports are taken.")
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Clock: this day, 00:00 UTC. Default: `today`."),
    ] = None,
    inbox: Annotated[
        Path | None, typer.Option(help="Folder to drop the seller's own files into.")
    ] = None,
    personal_data: Annotated[
        bool, typer.Option(help="Fill every personal field, to prove that the reader drops it.")
    ] = False,
    missing_role: Annotated[
        list[str] | None, typer.Option(help="ACCOUNT=ROLE that the authorisation lacks.")
    ] = None,
) -> None:
    """Serve a scenario until the parent process ends or a signal comes."""
    run(
        scenario,
        port=port,
        until=until.replace(tzinfo=UTC) if until else None,
        inbox=inbox,
        with_personal_data=personal_data,
        missing_roles=_roles(missing_role or []),
    )


def run(
    scenario_file: Path,
    *,
    port: int | None = None,
    until: datetime | None = None,
    inbox: Path | None = None,
    with_personal_data: bool = False,
    missing_roles: dict[str, list[str]] | None = None,
) -> None:
    """Build the world, start the servers, say where they are, and wait."""
    parent = os.getppid()
    stopped = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stopped.set())
    scenario = Scenario.load(scenario_file)
    clock = until or scenario.clock
    world = build_world(scenario, clock)
    with start_servers(
        world,
        scenario,
        clock,
        port,
        with_personal_data=with_personal_data,
        missing_roles=missing_roles,
    ) as running:
        if inbox is not None:
            from sources._sandbox import inbox_files

            inbox_files.write(world, clock, inbox, with_personal_data=with_personal_data)
        sys.stdout.write(json.dumps(running.base_urls) + "\n")
        sys.stdout.flush()
        while not stopped.wait(timeout=0.5) and os.getppid() == parent:
            pass


def _roles(pairs: Sequence[str]) -> dict[str, list[str]]:
    roles: dict[str, list[str]] = {}
    for pair in pairs:
        account, _, role = pair.partition("=")
        if not role:
            raise typer.BadParameter(f"{pair!r}: write ACCOUNT=ROLE")
        roles.setdefault(account, []).append(role)
    return roles


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    app()
