"""Calls of the Marketplace API for one store: token, headers, pacing.

Belongs here: one method for each kind of request. Does not belong here: the order of calls
(`orders.py`, `returns.py`, `recon.py` …), rates (`config.py`), the meaning of errors
(`refusals.py`).
"""

from __future__ import annotations

import base64
import functools
import uuid
from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec
import requests

from sources._core.auth import TokenAuth
from sources._core.clock import Clock
from sources._core.connector import AccountSettings
from sources._core.errors import ConfigurationError
from sources._core.http import Call, Retries, Session
from sources._core.limits import Limits, TokenBucket

from .config import RATES, SERVICE_NAME, USER_AGENT, WalmartAccount
from .refusals import error_of_answer, error_of_login, error_of_storage, refill_wait

ACCESS_HEADER = "WM_SEC.ACCESS_TOKEN"
CORRELATION_HEADER = "WM_QOS.CORRELATION_ID"
_EARLY = 120.0  # seconds before its end that a token is replaced
_LEFT_HEADER = "x-current-token-count"
_TRIES = Retries(tries=10, first_wait=1.0, max_wait=120.0)
_FLAKY_TRIES = Retries(tries=10, first_wait=5.0, max_wait=300.0)
_STORAGE_TRIES = Retries(tries=3, first_wait=1.0, max_wait=10.0)

AnswerT = TypeVar("AnswerT")


class Token(msgspec.Struct):
    access_token: str
    expires_in: float = 900.0


class WalmartClient:
    """One store. Safe for the threads of its streams."""

    def __init__(self, account: WalmartAccount, clock: Clock) -> None:
        self.account = account
        self.clock = clock
        self._login = Session("", clock, classify=functools.partial(error_of_login, account.name))
        self._auth = _Tokens(
            _token_of(account, self._login),
            clock,
            header=ACCESS_HEADER,
            prefix="",
            early=_EARLY,
        )
        limits = Limits(clock, RATES)
        self._session = self._make_session(limits, _TRIES)
        self._patient = self._make_session(limits, _FLAKY_TRIES)
        self._storage = Session("", clock, retries=_STORAGE_TRIES, classify=error_of_storage)

    def close(self) -> None:
        for session in (self._session, self._patient, self._storage, self._login):
            session.close()

    def check_login(self) -> None:
        """Get an access token, or raise what is wrong with the credentials."""
        self._auth.headers()

    def ask(
        self,
        call: Call,
        decode: Callable[[bytes], AnswerT],
        *,
        is_flaky: bool = False,
    ) -> AnswerT:
        """Send a request to the API. NothingFoundError where it has nothing to give."""
        session = self._patient if is_flaky else self._session
        return session.request(call, decode).value

    def download(self, url: str, decode: Callable[[bytes], AnswerT]) -> AnswerT:
        """A file by its signed address: no token, none of our headers."""
        return self._storage.request(Call("GET", url, is_authorised=False), decode).value

    def _make_session(self, limits: Limits, retries: Retries) -> Session:
        account = self.account
        headers = {"User-Agent": USER_AGENT, "Accept": "application/json"}
        headers |= {"WM_SVC.NAME": SERVICE_NAME}
        if account.channel_type:
            headers["WM_CONSUMER.CHANNEL.TYPE"] = account.channel_type
        if account.is_global:
            headers |= account.market_headers
        return Session(
            account.endpoint,
            self.clock,
            auth=self._auth,
            limits=limits,
            retries=retries,
            headers=headers,
            classify=error_of_answer,
            asked_wait=lambda response, _number: refill_wait(response, self.clock),
            on_answer=_take_over_level,
        )


class _Tokens(TokenAuth):
    """The access token, and a new correlation id for every request that is sent."""

    def headers(self) -> Mapping[str, str]:
        return {**super().headers(), CORRELATION_HEADER: _new_id()}


def _token_of(account: WalmartAccount, session: Session) -> Callable[[], tuple[str, float]]:
    values = []
    for name in account.secret_names:
        secret = account.secrets.get(name)
        if secret is None:
            raise ConfigurationError(
                f"account {account.name} has no secret {name}: add secrets.{name} with the name of "
                "the environment variable that holds it"
            )
        values.append(secret.get_secret_value())
    basic = base64.b64encode(":".join(values).encode()).decode()

    def fetch() -> tuple[str, float]:
        headers = {
            "Authorization": f"Basic {basic}",
            "Accept": "application/json",
            "WM_SVC.NAME": SERVICE_NAME,
            CORRELATION_HEADER: _new_id(),
            **(account.market_headers if account.is_global else {}),
        }
        form = {"grant_type": "client_credentials"}
        call = Call("POST", account.token_endpoint, data=form, headers=headers, is_authorised=False)
        token = session.request(call, msgspec.json.Decoder(Token).decode).value
        return token.access_token, token.expires_in

    return fetch


def _new_id() -> str:
    return str(uuid.uuid4())


def _take_over_level(response: requests.Response, bucket: TokenBucket | None) -> None:
    """What Walmart says is left in the bucket, where it says so."""
    text = response.headers.get(_LEFT_HEADER, "").strip()
    if bucket is not None and text.isdecimal():
        bucket.set_available(float(text))


def open_account(account: AccountSettings, clock: Clock) -> WalmartClient:
    """The client of an account whose settings were read as Walmart's."""
    if not isinstance(account, WalmartAccount):
        raise TypeError(f"account {account.name} was not read with the settings of Walmart")
    return WalmartClient(account, clock)
