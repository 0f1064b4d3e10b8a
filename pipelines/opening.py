"""Opening a night: settings, clock, connectors and the lock, put together.

Belongs here: deciding between accounts and sandbox, and what must not be mixed. Does not belong
here: the steps (`night.py`), the options of commands (`cli.py`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from pipelines import alerting, sandbox
from pipelines.imported import imported_accounts, read_imported
from pipelines.night import Night, exclusive
from pipelines.progress import Silent, Watcher
from pipelines.resources import Places, places, secret
from pipelines.settings import General, Settings, load_settings
from sources._core.clock import Clock, SystemClock
from sources._core.durable import write_atomically
from sources.registry import connectors


class MixedDataError(RuntimeError):
    """A data folder holds either a sandbox or a seller's own data."""


@dataclass(frozen=True)
class Wish:
    """What the caller asks for."""

    until: datetime | None = None
    scenario: Path | None = None
    accept_loss: bool = False
    reads_sources: bool = True  # False: no sandbox server is needed


def read_settings(where: Places) -> Settings:
    """Settings of the file with secrets from the environment, and the accounts of imports.

    Without a reporting currency in the file it is the currency of the imported reports.
    """
    imported = read_imported(where.data)
    accounts = imported_accounts(imported, connectors())
    settings = load_settings(where.config, connectors(), secret, where.inbox, accounts)
    currency = imported.main_currency()
    if currency and "reporting_currency" not in settings.general.model_fields_set:
        general = settings.general.model_copy(update={"reporting_currency": currency})
        settings = replace(settings, general=general)
    return settings


@contextmanager
def open_night(
    wish: Wish | None = None,
    watcher: Watcher | None = None,
    where: Places | None = None,
) -> Iterator[Night]:
    """A night with the lock held; against the sandbox where no account is configured."""
    wish, watcher, where = wish or Wish(), watcher or Silent(), where or places()
    with ExitStack() as stack:
        stack.enter_context(exclusive(where))
        settings = read_settings(where) if wish.scenario is None else None
        clock: Clock = SystemClock(wish.until)
        if settings is None or not settings.accounts:
            keep_apart(where, is_sandbox=True)  # before its files lie in the inbox
            scenario = sandbox.remember_scenario(wish.scenario, where.data)
            if wish.reads_sources:
                watcher.step("start the sandbox")
                running = stack.enter_context(sandbox.running(scenario, wish.until, where.inbox))
            else:
                running = sandbox.not_served(scenario, wish.until)
            content = _content(where.config)
            settings = sandbox.sandbox_settings(running, content, connectors(), where.inbox)
            clock = SystemClock(running.clock)
        elif wish.until is None:
            clock = SystemClock(clock.now())  # one clock: it stands while the night runs
        keep_apart(where, is_sandbox=settings.is_sandbox)
        alerting.rules_of(settings, where)  # a wrong rule is said before anything is read
        yield Night(where, settings, connectors(), clock, watcher, wish.accept_loss)


def time_zone_of(config: Path) -> str:
    """Of the schedule; UTC where the settings cannot be read: the night itself will say why."""
    try:
        return General.model_validate(_content(config).get("settings", {})).time_zone
    except (ValueError, OSError):
        return General().time_zone


def language_of(config: Path) -> str | None:
    """Of what is printed; None where the settings do not say, or cannot be read."""
    try:
        return General.model_validate(_content(config).get("settings", {})).language
    except (ValueError, OSError):
        return None


def _content(config: Path) -> dict[str, object]:
    return tomllib.loads(config.read_text("utf-8")) if config.exists() else {}


def keep_apart(where: Places, *, is_sandbox: bool) -> None:
    """Simulated and real figures never meet in one folder."""
    kind = "sandbox" if is_sandbox else "accounts"
    mark = where.data / "origin"
    found = mark.read_text("utf-8") if mark.exists() else kind
    if found != kind:
        raise MixedDataError(
            f"{where.data} holds data of the {found}, this night is one of the {kind}: give "
            "another folder with AFTERSALES_DATA_DIR, or remove this one if it was a trial"
        )
    if not mark.exists():
        write_atomically(mark, kind.encode())
