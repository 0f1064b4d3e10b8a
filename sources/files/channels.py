"""Which account and marketplace a `channel` cell means.

Belongs here: the look-up by account name, then by marketplace. Does not belong here: which
accounts there are (the settings).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

OWN_CONNECTOR = "files"


@dataclass(frozen=True)
class KnownAccount:
    """An account of the settings, with the full names of its marketplaces (`amazon_de`)."""

    name: str
    connector: str
    marketplaces: tuple[str, ...] = ()


@dataclass(frozen=True)
class Channel:
    """Where the rows belong. `marketplace` is None where an account with several was named."""

    connector: str
    account: str
    marketplace: str | None


class AmbiguousChannelError(ValueError):
    """The text fits several accounts; the message names the choices."""


def resolve_channel(text: str, accounts: Sequence[KnownAccount]) -> Channel:
    """Account name, then marketplace; what fits nothing is a channel of its own.

    For accounts of connector `files`, and for channels of their own, account, marketplace and
    channel are one.
    """
    word = text.casefold()
    named = [account for account in accounts if account.name.casefold() == word]
    if named:
        account = _only(text, named)
        return Channel(account.connector, account.name, _single_marketplace(account))
    sold_on = [
        (account, marketplace)
        for account in accounts
        for marketplace in account.marketplaces
        if marketplace.casefold() == word
    ]
    if sold_on:
        account = _only(text, [account for account, _ in sold_on])
        return Channel(account.connector, account.name, sold_on[0][1])
    return Channel(OWN_CONNECTOR, text, text)


def _only(text: str, accounts: Sequence[KnownAccount]) -> KnownAccount:
    distinct = {(account.connector, account.name): account for account in accounts}
    if len(distinct) > 1:
        choices = ", ".join(sorted(f"{name} ({connector})" for connector, name in distinct))
        raise AmbiguousChannelError(f"channel {text} fits several accounts: write one of {choices}")
    return accounts[0]


def _single_marketplace(account: KnownAccount) -> str | None:
    if account.connector == OWN_CONNECTOR:
        return account.name
    return account.marketplaces[0] if len(account.marketplaces) == 1 else None
