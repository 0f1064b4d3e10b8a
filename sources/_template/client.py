"""Calls of the API: authorisation, pacing, paging.

Belongs here: one method for each operation that is used. Does not belong here: which records are
kept (`streams.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from sources._core.clock import Clock
from sources._core.connector import AccountSettings, Check, Window
from sources._core.errors import ConfigurationError, SourceError
from sources._core.http import Call, Session
from sources._core.limits import Limits
from sources._core.pagination import walk

from .config import BASE_URL, RATES


class Listing(msgspec.Struct, rename="camel"):
    """One page: records stay undecoded here."""

    items: list[msgspec.Raw]
    next_token: str | None = None


class TemplateClient:
    """One account. Safe for the threads of its streams."""

    def __init__(self, account: AccountSettings, clock: Clock) -> None:
        key = account.secrets.get("api_key")
        if key is None:
            raise ConfigurationError(
                f"account {account.name} has no secret api_key: add secrets.api_key with the name "
                "of the environment variable that holds it"
            )
        self._session = Session(
            account.base_url or BASE_URL,
            clock,
            limits=Limits(clock, RATES),
            headers={"Authorization": f"Bearer {key.get_secret_value()}"},
        )

    def changed(self, operation: str, window: Window) -> Iterator[Listing]:
        """Pages of what changed in a window, in order."""
        period = {"from": window.start.isoformat(), "to": window.end.isoformat()}
        decode = msgspec.json.Decoder(Listing).decode
        path = f"/v1/{operation}"

        def fetch(token: str | None) -> tuple[Listing, str | None]:
            params = {**period, "token": token} if token else period
            call = Call("GET", path, operation, params=params)
            page = self._session.request(call, decode).value
            return page, page.next_token

        return walk(fetch, f"GET {path}")

    def ping(self) -> None:
        """Any request that shows whether the key is accepted."""
        self._session.request(Call("GET", "/v1/account"))

    def close(self) -> None:
        self._session.close()


def check(client: TemplateClient) -> Sequence[Check]:
    """What `aftersales check-config` tries."""
    try:
        client.ping()
    except SourceError as error:
        return (Check("api_key", ok=False, message=str(error)),)
    return (Check("api_key", ok=True, message="accepted"),)
