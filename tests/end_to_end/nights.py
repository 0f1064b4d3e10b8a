"""Whole nights against a served world, in this process and without Dagster.

Belongs here: a small scenario, its servers, settings that point at them, running a night and
reading what it published. Does not belong here: what must be true afterwards (the tests).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines import opening
from pipelines.night import Night, Report, run_night
from pipelines.opening import Wish, open_night
from pipelines.resources import Places
from pipelines.settings import Settings
from sources._core.clock import Clock
from sources._sandbox import inbox_files
from sources._sandbox.scenario import Scenario
from sources._sandbox.server import RunningSandbox
from sources._sandbox.server import serve as start_servers
from sources._sandbox.world import build_world
from sources._sandbox.world.tables import World

CUSTOMER_KEY = "zz-customer-key-7f3a91c0"
KEY_VARIABLE = "PROOF_CUSTOMER_KEY"
AMAZON_SECRETS = ("refresh_token", "client_id", "client_secret")

Row = dict[str, Any]


@dataclass
class ServerClock:
    """The servers' clock: `at` decides what is visible; `jump` lets all that was issued expire."""

    at: datetime
    ahead: float = 0.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def jump(self, seconds: float) -> None:
        self.ahead += seconds


def scenario_of(text: str, folder: Path) -> Scenario:
    """A scenario from its TOML text."""
    path = folder / "scenario.toml"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return Scenario.load(path)


def world_of(scenario: Scenario) -> World:
    """The world up to the scenario's clock."""
    return build_world(scenario, scenario.clock)


@contextmanager
def served(
    world: World,
    *,
    clock: Clock | None = None,
    missing_roles: Mapping[str, Iterable[str]] | None = None,
    with_personal_data: bool = False,
) -> Iterator[RunningSandbox]:
    """Servers of a world; an answer that the sandbox itself broke on is an error."""
    with start_servers(
        world,
        world.scenario,
        world.scenario.clock,
        clock=clock,
        missing_roles=missing_roles,
        with_personal_data=with_personal_data,
    ) as running:
        yield running
    assert not running.failures


@dataclass
class Shop:
    """An installation with its own folder: accounts, environment, inbox and what was published."""

    folder: Path
    scenario: Scenario
    inbox_settings: str = "settle_seconds = 0"
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def places(self) -> Places:
        return Places(
            data=self.folder / "data",
            state=self.folder / "state",
            config=self.folder / "aftersales.toml",
        )

    def secret_variable(self, account: str) -> str:
        return f"PROOF_{account.upper()}"

    def configure(self, addresses: Mapping[str, str]) -> None:
        """Write the settings file; all secrets of an account are one variable, as it is there."""
        parts = ["[settings]", 'reporting_currency = "EUR"', ""]
        for account in self.scenario.accounts:
            parts += ["[[accounts]]", f'connector = "{account.connector}"']
            parts += [f'name = "{account.name}"', f"start = {self.scenario.start}"]
            if account.connector == "amazon":
                variable = self.secret_variable(account.name)
                self.environment.setdefault(variable, f"sandbox-{account.name}")
                names = ", ".join(f'{name} = "{variable}"' for name in AMAZON_SECRETS)
                base = addresses["amazon"]
                parts += [
                    f"marketplaces = {list(account.marketplaces)}",
                    f'base_url = "{base}"',
                    f'token_url = "{base}/auth/o2/token"',
                    f"secrets = {{ {names} }}",
                ]
            parts.append("")
        parts += ["[[accounts]]", 'connector = "fx"', 'name = "ecb"']
        parts += [f"start = {self.scenario.start}", f'base_url = "{addresses["fx"]}"', ""]
        parts += ["[privacy]", f'customer_key_env = "{KEY_VARIABLE}"', ""]
        parts += ["[inbox]", self.inbox_settings]
        self.environment.setdefault(KEY_VARIABLE, CUSTOMER_KEY)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.places.config.write_text("\n".join(parts) + "\n", encoding="utf-8")

    def drop_files(self, world: World, *, with_personal_data: bool = False) -> None:
        """The seller's own files of the world."""
        inbox_files.write(
            world,
            world.scenario.clock,
            self.places.inbox,
            with_personal_data=with_personal_data,
        )

    def drop(self, dataset: str, name: str, text: str | bytes, *, is_growing: bool = False) -> Path:
        """One more file into the inbox; long finished, unless it is still growing."""
        path = self.places.inbox / dataset / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        if not is_growing:
            finish(path)
        return path

    @contextmanager
    def opened(self, until: datetime | None = None) -> Iterator[Night]:
        """A night with its lock held; waits that an API imposes are short, as in a trial."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment.items():
                patch.setenv(name, value)
            patch.setattr(opening, "read_settings", in_a_hurry(opening.read_settings))
            wish = Wish(until=until or self.scenario.clock)
            with open_night(wish, where=self.places) as night:
                yield night

    def night(self, until: datetime | None = None) -> Report:
        """All steps of one night, at the scenario's clock."""
        with self.opened(until) as night:
            return run_night(night)

    def rows(self, sql: str) -> list[Row]:
        """Rows of the published file."""
        return query(self.places.publication, sql)

    def table(self, name: str, where: str = "true") -> list[tuple[Any, ...]]:
        """Rows of a published table in a fixed order."""
        with duckdb.connect(str(self.places.publication), read_only=True) as connection:
            return connection.sql(f"from {name}").filter(where).order("all").fetchall()


def finish(path: Path) -> None:
    """A file that nobody has touched for a day."""
    long_ago = path.stat().st_mtime - 86_400
    os.utime(path, (long_ago, long_ago))


def in_a_hurry(read: Callable[[Places], Settings]) -> Callable[[Places], Settings]:
    """Settings as of a sandbox: the only thing that differs is how long a wait takes."""
    return lambda where: replace(read(where), is_sandbox=True)


def query(path: Path, sql: str) -> list[Row]:
    """Rows of a DuckDB file as dictionaries."""
    with duckdb.connect(str(path), read_only=True) as connection:
        cursor = connection.execute(sql)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
