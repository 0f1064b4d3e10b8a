"""What a night reads: which streams of which accounts, from where on, and what they are told.

Belongs here: settings, cursors and open parcels as requests. Does not belong here: reading them
(`sources/_core/extract.py`) and the order of a night's steps (`night.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pipelines.settings import Settings
from sources._core.connector import AccountSettings, Connector, OpenParcel, Window
from sources._core.extract import STATIC_ACCOUNT, ExtractRequest

Only = Mapping[str, frozenset[str]] | None


@dataclass(frozen=True)
class Known:
    """What the warehouse knows before it is read on: cursors by connector, account and stream, the
    parcels on their way, and the night's clock."""

    cursors: Mapping[tuple[str, str, str], datetime]
    parcels: Sequence[OpenParcel]
    as_of: datetime


def requests(
    settings: Settings,
    connectors: Mapping[str, Connector],
    known: Known,
    only: Only = None,
    windows: Sequence[Window] | None = None,
) -> list[ExtractRequest]:
    """One for each account, and one for each connector whose lists serve all sources."""
    found = [
        ExtractRequest(
            connector=connector,
            account=_with_parcels(account, known.parcels),
            cursors={
                stream: at
                for (name, owner, stream), at in known.cursors.items()
                if (name, owner) == (connector.name, account.name)
            },
            streams=_wanted_streams(settings, connector, account, only),
            windows=windows,
        )
        for connector, account in accounts_of(settings, connectors)
        if only is None or connector.name in only
    ]
    read = {request.connector.name for request in found}
    return [*found, *_lists_for_all(connectors, read, known.as_of, only)]


def accounts_of(
    settings: Settings, connectors: Mapping[str, Connector]
) -> list[tuple[Connector, AccountSettings]]:
    """What is read: a connector with accounts of its own (inbox, rates) through these alone."""
    own = {account.connector for account in settings.default_accounts}
    named = [a for a in settings.accounts if a.connector not in own]
    return [(connectors[a.connector], a) for a in (*named, *settings.default_accounts)]


def _with_parcels(account: AccountSettings, parcels: Sequence[OpenParcel]) -> AccountSettings:
    """Accounts that follow parcels are told which are on their way; others stay as they are."""
    if "open_parcels" not in type(account).model_fields:
        return account
    return account.model_copy(update={"open_parcels": parcels})


def _lists_for_all(
    connectors: Mapping[str, Connector], read: Collection[str], as_of: datetime, only: Only
) -> Iterator[ExtractRequest]:
    """Lists that rows of other sources need, of connectors that have no account."""
    for connector in connectors.values():
        if not connector.serves_all or connector.name in read:
            continue
        wanted = _static_streams(connector)
        if only is not None:
            wanted &= only.get(connector.name, frozenset())
        if wanted:
            nobody = AccountSettings(
                connector=connector.name, name=STATIC_ACCOUNT, start=as_of.date()
            )
            yield ExtractRequest(connector, nobody, streams=wanted)


def _static_streams(connector: Connector) -> frozenset[str]:
    return frozenset(stream.name for stream in connector.streams if stream.is_static)


def _wanted_streams(
    settings: Settings, connector: Connector, account: AccountSettings, only: Only
) -> frozenset[str] | None:
    """Streams to read; of an account that lives from imported reports those without an API."""
    wanted = None if only is None else only[connector.name]
    if account.name not in settings.reports_only:
        return wanted
    static = _static_streams(connector)
    return static if wanted is None else static & wanted
