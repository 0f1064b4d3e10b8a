"""A night against the sandbox: its servers as a child process, settings made from the scenario.

Belongs here: starting the child, settings that point at it. Does not belong here: what the
sandbox answers (`sources/_sandbox`).
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipelines.resources import PROJECT
from pipelines.settings import Settings, parse_settings
from sources._core.connector import AccountSettings, Connector
from sources._core.durable import write_atomically

CUSTOMER_KEY = "sandbox-customer-key"  # without accounts: of no value, the same for everyone
_SECRET_PREFIX = "sandbox-"  # noqa: S105


class SandboxError(RuntimeError):
    """The sandbox could not be started."""


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox: its addresses by connector, its scenario and its clock."""

    addresses: Mapping[str, str]
    scenario: Any
    clock: datetime


def remember_scenario(given: Path | None, data: Path) -> Path:
    """The scenario of a data folder: the one given, else that of the night before, else ours.

    A copy stays in the folder, so that later nights and rebuilds go on in the same world.
    """
    from sources._sandbox.scenario import DEFAULT_SCENARIO, Scenario

    kept = data / "sandbox.toml"
    chosen = given or (kept if kept.exists() else DEFAULT_SCENARIO)
    Scenario.load(chosen)
    content = chosen.read_bytes()
    if not kept.exists() or kept.read_bytes() != content:
        write_atomically(kept, content)
    return kept


def not_served(path: Path, until: datetime | None) -> Sandbox:
    """For commands that read no source: settings only."""
    from sources._sandbox.scenario import Scenario

    scenario = Scenario.load(path)
    return Sandbox({}, scenario, until or scenario.clock)


@contextmanager
def running(path: Path, until: datetime | None, inbox: Path) -> Iterator[Sandbox]:
    """Servers of the scenario until the block ends.

    The seller's own files of this world, as far as its clock has come, lie in the inbox then.
    """
    from sources._sandbox.scenario import Scenario

    scenario = Scenario.load(path)
    clock = until or scenario.clock
    command = [sys.executable, "-m", "sources._sandbox", "serve", "--scenario", str(path)]
    command += ["--until", clock.date().isoformat(), "--inbox", str(inbox)]
    child = subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True, cwd=PROJECT
    )
    try:
        line = child.stdout.readline() if child.stdout else ""
        if not line:
            raise SandboxError(f"the sandbox did not start (exit code {child.wait()}); see above")
        yield Sandbox(json.loads(line), scenario, clock)
    finally:
        child.terminate()
        child.wait(timeout=10)


def sandbox_settings(
    sandbox: Sandbox,
    content: Mapping[str, Any],
    connectors: Mapping[str, Connector],
    inbox: Path,
) -> Settings:
    """Settings of the file where they hold for any seller, accounts from the scenario."""
    kept = {k: v for k, v in content.items() if k not in ("accounts", "publish")}
    kept["accounts"] = list(_accounts(sandbox, connectors))
    kept["inbox"] = {**kept.get("inbox", {}), "settle_seconds": 0}
    kept["privacy"] = {**kept.get("privacy", {}), "customer_key_env": CUSTOMER_KEY}
    settings = parse_settings(kept, connectors, _own_name, inbox, source="sandbox")
    return replace(settings, is_sandbox=True)


def _own_name(variable: str) -> str:
    """Secrets of the sandbox are no secrets: the name is the value."""
    return variable


def _accounts(sandbox: Sandbox, connectors: Mapping[str, Connector]) -> Iterator[dict[str, Any]]:
    for account in sandbox.scenario.accounts:
        if account.connector in connectors:
            settings = connectors[account.connector].settings
            entry: dict[str, Any] = {
                "connector": account.connector,
                "name": account.name,
                "marketplaces": list(account.marketplaces),
                "start": sandbox.scenario.start,
            }
            given = {"provider": account.provider, "satisfaction": account.satisfaction}
            entry |= {key: value for key, value in given.items() if value}
            names = getattr(settings, "secret_names", ())
            entry["secrets"] = dict.fromkeys(names, _SECRET_PREFIX + account.name)
            yield entry | _addresses(sandbox, settings, entry)
    for name, connector in connectors.items():
        for default in connector.default_accounts:
            if connector.account_kind == "reference":
                yield {
                    "connector": name,
                    "name": default.name,
                    "start": sandbox.scenario.start,
                    "base_url": sandbox.addresses.get(name),
                }


def _addresses(
    sandbox: Sandbox, settings: type[AccountSettings], entry: Mapping[str, Any]
) -> dict[str, str]:
    """Base address, and the token address under the path that the real one has."""
    base = sandbox.addresses.get(entry["connector"])
    if base is None:
        return {}
    real = getattr(settings.model_validate({**entry, "base_url": base}), "token_endpoint", None)
    return {"base_url": base} | ({"token_url": base + urlsplit(real).path} if real else {})
