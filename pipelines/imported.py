"""What was imported from downloaded reports, and the accounts that exist through them alone.

Belongs here: the list kept in the data folder, and accounts made from it. Does not belong here:
recognising and landing a report (`importing.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path

import msgspec

from sources._core.connector import AccountSettings, Connector
from sources._core.durable import write_atomically

FILE_NAME = "imported.json"


class ImportedAccount(msgspec.Struct, frozen=True):
    """An account that no settings name."""

    connector: str
    name: str
    marketplaces: tuple[str, ...]


class ImportedFile(msgspec.Struct, frozen=True):
    """A report that was landed: whose it is, what it covers (days of its events)."""

    name: str
    sha256: str
    connector: str
    account: str
    stream: str
    rows: int
    first_day: date
    last_day: date
    currency: str | None
    imported_at: datetime


class Imported(msgspec.Struct, frozen=True):
    """The list; empty where nothing was imported."""

    accounts: tuple[ImportedAccount, ...] = ()
    files: tuple[ImportedFile, ...] = ()

    def account(self, name: str) -> ImportedAccount | None:
        return next((account for account in self.accounts if account.name == name), None)

    def with_account(self, account: ImportedAccount) -> Imported:
        others = tuple(a for a in self.accounts if a.name != account.name)
        return msgspec.structs.replace(self, accounts=(*others, account))

    def with_file(self, file: ImportedFile) -> Imported:
        return msgspec.structs.replace(self, files=(*self.files, file))

    def files_of(self, account: str, stream: str) -> Sequence[ImportedFile]:
        return [f for f in self.files if (f.account, f.stream) == (account, stream)]

    def main_currency(self) -> str | None:
        """Currency of most rows: amounts can be shown in it without any rate of exchange."""
        rows: Counter[str] = Counter()
        for file in self.files:
            if file.currency:
                rows[file.currency] += file.rows
        return min(rows, key=lambda c: (-rows[c], c)) if rows else None


def read_imported(data: Path) -> Imported:
    path = data / FILE_NAME
    return msgspec.json.decode(path.read_bytes(), type=Imported) if path.exists() else Imported()


def write_imported(data: Path, imported: Imported) -> None:
    content = msgspec.json.format(msgspec.json.encode(imported), indent=1)
    write_atomically(data / FILE_NAME, content)


def imported_accounts(
    imported: Imported, connectors: Mapping[str, Connector]
) -> list[AccountSettings]:
    """Settings of the accounts that exist through their reports alone: without secrets."""
    return [
        account_settings(account, connectors[account.connector], _start(imported, account.name))
        for account in imported.accounts
        if account.connector in connectors
    ]


def account_settings(
    account: ImportedAccount, connector: Connector, start: date
) -> AccountSettings:
    """ValidationError where the marketplaces cannot belong to one account."""
    return connector.settings.model_validate(
        {
            "connector": account.connector,
            "name": account.name,
            "marketplaces": account.marketplaces,
            "start": start,
        }
    )


def _start(imported: Imported, account: str) -> date:
    return min(file.first_day for file in imported.files if file.account == account)
