"""Alerts of an installation: its rules, channels and outbox put together.

Belongs here: turning settings and environment into what `assets/alerts/` needs, and what a failed
night leaves behind. Does not belong here: any rule of judging, wording or sending.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from assets.alerts import evaluation
from assets.alerts.delivery import Channel
from assets.alerts.outbox import Outbox
from assets.alerts.rules import Rule, RulesError, load_rules
from assets.control import naive_utc
from assets.warehouse import Warehouse
from pipelines.resources import Places, secret, system_language
from pipelines.settings import Settings, SettingsError
from sources._core.clock import Clock, HurriedClock, SystemClock

log = logging.getLogger(__name__)


def rules_of(settings: Settings, where: Places) -> tuple[Rule, ...]:
    """The shipped rules with those of `[alerts] rules_file`, which lies beside the settings."""
    path = settings.alerts.rules_file
    if path is not None:
        path = where.config.parent / path
    try:
        return load_rules(path, settings.alerts.channels)
    except RulesError as error:
        raise SettingsError("alerts.rules_file", [f"alerts.rules_file: {error}"]) from error


def channels_of(settings: Settings) -> list[Channel]:
    """Addresses come from the environment only."""
    return [
        Channel(name, variable, secret(variable))
        for name, variable in settings.alerts.channels.items()
    ]


def decide(settings: Settings, where: Places, as_of: datetime, build_id: str) -> None:
    """Tonight's alerts into tonight's warehouse, before it is published."""
    evaluation.evaluate(
        Warehouse(where.warehouse),
        Outbox(where.outbox),
        rules_of(settings, where),
        as_of,
        build_id,
        settings.general.reporting_currency,
    )


def tell(settings: Settings, where: Places, now: datetime) -> int:
    """Deliver what is due; the same for a night, a sensor and a failed run. How many were sent."""
    channels = channels_of(settings)
    if not channels:
        return 0
    clock: Clock = SystemClock()
    return evaluation.tell(
        where.publication,
        Outbox(where.outbox),
        rules_of(settings, where),
        channels,
        settings.general.language or system_language(),
        now,
        HurriedClock(clock, 100.0) if settings.is_sandbox else clock,
    )


def tell_success(settings: Settings, where: Places, now: datetime) -> int:
    """After a night that ended well: nights that failed before it are over."""
    Outbox(where.outbox).night_succeeded()
    return tell(settings, where, now)


def tell_failure(settings: Settings, where: Places, now: datetime, night: str, cause: str) -> None:
    """A night did not publish: say so on every channel, once."""
    Outbox(where.outbox).night_failed(night, naive_utc(now), " ".join(cause.split())[:500])
    tell(settings, where, now)


@contextmanager
def failures_told(settings: Settings, where: Places, now: datetime, night: str) -> Iterator[None]:
    """An error that ends a night is told and goes on as it was."""
    try:
        yield
    except Exception as error:
        try:
            tell_failure(settings, where, now, night, str(error) or type(error).__name__)
        except Exception:
            log.exception("the failed night could not be told")
        raise
