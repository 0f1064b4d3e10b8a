"""Settings of the inbox: where it is and what sellers' files may look like.

Belongs here: the settings. Does not belong here: the rules of a dataset (its declaration).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

import pydantic

from sources._core.connector import AccountSettings
from sources.files.channels import KnownAccount

INBOX_ACCOUNT = "inbox"
FIRST_DAY = date(1990, 1, 1)
EVERY_DATASET = "all"


class FilesSettings(AccountSettings):
    """The account `inbox` reads the folder; other accounts of connector `files` only give a
    channel its name in the settings.

    - `inbox_dir`: the folder; `archive/` and `rejected/` lie beside it.
    - `known_accounts`: all accounts of the settings, for resolving `channel`.
    - `encodings`, `allowed_extras` (by dataset), `time_zone` (by dataset, or `all`),
      `archive_days`: the section `[inbox]`.
    - `settle_seconds`: a file is taken when it has not changed for so long.
    - `secrets["customer_key"]`: key of the hashes of people.
    """

    connector: str = "files"
    name: str = INBOX_ACCOUNT
    start: date = FIRST_DAY
    inbox_dir: Path | None = None
    known_accounts: tuple[KnownAccount, ...] = ()
    encodings: tuple[str, ...] = ("utf-8",)
    allowed_extras: Mapping[str, tuple[str, ...]] = {}
    time_zone: Mapping[str, str] = {}
    archive_days: int = pydantic.Field(default=30, ge=0)
    settle_seconds: float = pydantic.Field(default=60.0, ge=0)

    def time_zone_of(self, dataset: str) -> str | None:
        """Zone for times without an offset; None: they are refused."""
        return self.time_zone.get(dataset, self.time_zone.get(EVERY_DATASET))

    def hash_key(self) -> str:
        """Key for hashing people; empty where the settings give none."""
        secret = self.secrets.get("customer_key")
        return secret.get_secret_value() if secret else ""


def inbox_account(
    inbox_dir: Path,
    accounts: Iterable[AccountSettings],
    *,
    encodings: tuple[str, ...] = ("utf-8",),
    allowed_extras: Mapping[str, tuple[str, ...]] | None = None,
    time_zone: Mapping[str, str] | None = None,
    archive_days: int = 30,
    settle_seconds: float = 60.0,
    customer_key: pydantic.SecretStr | None = None,
) -> FilesSettings:
    """The account `inbox`, from the section `[inbox]` and all other accounts of the settings."""
    return FilesSettings(
        inbox_dir=inbox_dir,
        known_accounts=tuple(
            KnownAccount(account.name, account.connector, tuple(account.marketplaces))
            for account in accounts
            if account.name != INBOX_ACCOUNT
        ),
        encodings=encodings,
        allowed_extras=allowed_extras or {},
        time_zone=time_zone or {},
        archive_days=archive_days,
        settle_seconds=settle_seconds,
        secrets={} if customer_key is None else {"customer_key": customer_key},
    )
