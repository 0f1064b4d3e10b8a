"""Calls of eBay's APIs for one seller: one session for each host and way of authorisation.

Belongs here: one method for each operation that is used. Does not belong here: which operations
make a stream (`orders.py`, `post_order.py`, `finances.py`, …), the meaning of errors
(`answers.py`).
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import requests

from sources._core.auth import Auth
from sources._core.clock import Clock
from sources._core.connector import AccountSettings
from sources._core.errors import RetryLater, SourceError
from sources._core.http import Call, Retries, Session
from sources._core.pagination import walk

from .answers import Node, PageOf, error_of, missing_key, page_reader, read
from .auth import IafAuth, Tokens
from .config import APIS, USER_AGENT, EbayAccount
from .quotas import Quotas
from .signatures import Signer

_TRIES = Retries(tries=6, first_wait=2.0, max_wait=60.0)
_MARKETPLACE = "X-EBAY-C-MARKETPLACE-ID"
_TOO_MANY_REQUESTS = 429
_PATHS = {
    "fulfillment": "/sell/fulfillment/v1",
    "dispute": "/sell/fulfillment/v1",
    "post-order": "/post-order/v2",
    "finances": "/sell/finances/v1",
    "feedback": "/commerce/feedback/v1",
    "identity": "/commerce/identity/v1",
    "analytics": "/sell/analytics/v1",
}
_HOST_OF = {"dispute": "apiz", "finances": "apiz", "identity": "apiz"}
Params = Mapping[str, Any]


class EbayClient:
    """One seller. Safe for the threads of its streams."""

    def __init__(self, account: EbayAccount, clock: Clock) -> None:
        self.account = account
        self.clock = clock
        self.tokens = Tokens(account, clock)
        self.quotas = Quotas(self._rate_limits, clock)
        self._signer = _signer(account, clock)
        self._application = Session(
            account.host("api"), clock, auth=self.tokens.application, retries=Retries(tries=2)
        )
        self._sessions = {api: self._open(api) for api in APIS}
        self._user_id = account.user_id

    def close(self) -> None:
        for session in (*self._sessions.values(), self._application):
            session.close()
        self.tokens.close()

    def ask(self, api: str, path: str, params: Params | None = None) -> Node:
        """One object."""
        return (
            self._sessions[api].request(Call("GET", _PATHS[api] + path, params=params), read).value
        )

    def page(self, api: str, path: str, params: Params, field: str, **paging: Any) -> PageOf:
        """One page of a list."""
        decode = page_reader(field, int(params["limit"]), **paging)
        call = Call("GET", _PATHS[api] + path, params=params)
        return self._sessions[api].request(call, decode).value

    def pages(
        self, api: str, path: str, params: Params, field: str, **paging: Any
    ) -> Iterator[PageOf]:
        """Pages of a list by offset; of `next` only the offset is used."""

        def fetch(token: str | None) -> tuple[PageOf, str | None]:
            asked = {**params, "offset": token} if token else params
            page = self.page(api, path, asked, field, **paging)
            return page, None if page.next_offset is None else str(page.next_offset)

        return walk(fetch, f"GET {_PATHS[api]}{path}")

    def need_signature(self) -> None:
        """ConfigurationError where the seller must sign and has no key, before anything is sent."""
        if self.account.must_sign and self._signer is None:
            raise missing_key(self.account, "eBay's Finances API")

    def user_id(self) -> str:
        """The seller's own id: from the settings, else asked once a night."""
        if self._user_id is None:
            found = self.ask("identity", "/user/")
            self._user_id = str(found.get("userId") or found.get("username") or "")
        return self._user_id

    def _open(self, api: str) -> Session:
        account = self.account
        auth: Auth = IafAuth(self.tokens.seller) if api == "post-order" else self.tokens.seller
        return Session(
            account.host(_HOST_OF.get(api, "api")),
            self.clock,
            auth=auth,
            retries=_TRIES,
            headers={
                "User-Agent": USER_AGENT,
                "Accept": "application/json",
                "Content-Type": "application/json",
                _MARKETPLACE: account.home_marketplace,
            },
            classify=functools.partial(self._error_of, api),
            sign=self._signer.headers if self._signer and api == "finances" else None,
        )

    def _error_of(self, api: str, response: requests.Response, subject: str) -> SourceError | None:
        if response.status_code == _TOO_MANY_REQUESTS:
            return self.quotas.used_up(api, is_refused=True) or RetryLater(
                f"{subject} answered 429 (too many requests) up to the last try. The next night "
                "goes on from the same place; other programs of the application use the same quota."
            )
        return error_of(self.account, api, response, subject)

    def _rate_limits(self, context: str, name: str) -> Mapping[str, Any]:
        params = {"api_context": context, "api_name": name}
        call = Call("GET", "/developer/analytics/v1_beta/rate_limit/", params=params)
        return self._application.request(call, read).value


def ebay_time(at: datetime) -> str:
    """UTC with milliseconds, as all date filters want it."""
    utc = at.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def _signer(account: EbayAccount, clock: Clock) -> Signer | None:
    """None without a key: sellers outside the EU and the UK need none."""
    key, jwe = account.secrets.get("signing_key"), account.secrets.get("signing_jwe")
    if key is None or jwe is None:
        return None
    return Signer(key.get_secret_value(), jwe.get_secret_value(), clock, account.name)


def open_account(account: AccountSettings, clock: Clock) -> EbayClient:
    if not isinstance(account, EbayAccount):
        raise TypeError("an eBay account is needed")
    return EbayClient(account, clock)
