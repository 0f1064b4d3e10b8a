"""Trying the credentials and rights of each account.

Belongs here: asking every connector's own check. Does not belong here: validity of the settings
file (`settings.py`), what an API needs (the connector).
"""

from __future__ import annotations

from pipelines.reading import accounts_of
from pipelines.settings import Settings
from sources._core.clock import SystemClock
from sources._core.connector import AccountSettings, Check, Connector
from sources._core.errors import SourceError
from sources._core.privacy import redact
from sources.registry import connectors


def check_accounts(settings: Settings) -> list[Check]:
    """One or more findings per account; one that cannot be tried is a finding too."""
    found = []
    for connector, account in accounts_of(settings, connectors()):
        if account.name in settings.reports_only:
            continue
        found += [
            Check(f"{account.name} {c.subject}", c.ok, c.message) for c in _try(connector, account)
        ]
    return found


def _try(connector: Connector, account: AccountSettings) -> list[Check]:
    try:
        client = connector.open(account, SystemClock())
        return list(connector.check(client))
    except (SourceError, OSError, ValueError) as error:
        secrets = [s.get_secret_value() for s in account.secrets.values()]
        return [Check(connector.name, ok=False, message=redact(str(error), secrets))]
