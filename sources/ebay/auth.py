"""Access tokens of a seller and of the application, and how long the seller's consent lasts.

Belongs here: handing out tokens, each fetched once and shared by all sessions of an account. Does
not belong here: what an API answers (`answers.py`) and signatures (`signatures.py`).
"""

from __future__ import annotations

import base64
import functools
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta

import msgspec
import requests

from sources._core.auth import TokenAuth
from sources._core.clock import Clock
from sources._core.errors import ConfigurationError, SourceError
from sources._core.http import Call, Session

from .config import APP_SCOPE, CONSENT_LIFE, USER_AGENT, WARN_BEFORE, EbayAccount

_HEADER = "Authorization"


class Token(msgspec.Struct):
    access_token: str
    expires_in: float = 7_200.0
    refresh_token_expires_in: float | None = None


class Refusal(msgspec.Struct):
    error: str = ""


class Tokens:
    """Tokens of one account. eBay caps how many are made a day: one lives for two hours."""

    def __init__(self, account: EbayAccount, clock: Clock) -> None:
        self._account = account
        self._clock = clock
        self._session = Session(
            "",
            clock,
            headers={"User-Agent": USER_AGENT},
            classify=functools.partial(_error_of_login, account),
        )
        self._lock = threading.Lock()
        self._refused: ConfigurationError | None = None
        self._told_expiry: datetime | None = None
        self.seller = TokenAuth(self._fetch_seller, clock)
        self.application = TokenAuth(self._fetch_application, clock)

    def close(self) -> None:
        self._session.close()

    def consent_ends(self) -> datetime | None:
        """When the seller has to consent again; None where nobody told."""
        day = self._account.consent_given_on
        if self._told_expiry is not None or day is None:
            return self._told_expiry
        return datetime.combine(day, time.min, tzinfo=UTC) + CONSENT_LIFE

    def consent_warning(self) -> str | None:
        """What to say in the last 30 days of the consent."""
        ends = self.consent_ends()
        if ends is None or ends - self._clock.now() > WARN_BEFORE:
            return None
        return (
            f"the seller's consent ends on {ends.date()} and is not prolonged by itself: let the "
            f"seller of account {self._account.name} allow the application in again, then put the "
            "new refresh token and consent_given_on in place"
        )

    def _fetch_seller(self) -> tuple[str, float]:
        """ConfigurationError is kept: a consent that is gone does not come back by asking."""
        with self._lock:
            if self._refused is not None:
                raise self._refused
            form = {
                "grant_type": "refresh_token",
                "refresh_token": _secret(self._account, "refresh_token"),
            }
            try:
                token = self._fetch(form)
            except ConfigurationError as error:
                self._refused = error
                raise
            if token.refresh_token_expires_in is not None:
                left = timedelta(seconds=token.refresh_token_expires_in)
                self._told_expiry = self._clock.now() + left
            return token.access_token, token.expires_in

    def _fetch_application(self) -> tuple[str, float]:
        token = self._fetch({"grant_type": "client_credentials", "scope": APP_SCOPE})
        return token.access_token, token.expires_in

    def _fetch(self, form: Mapping[str, str]) -> Token:
        names = (_secret(self._account, "client_id"), _secret(self._account, "client_secret"))
        basic = base64.b64encode(":".join(names).encode()).decode()
        call = Call(
            "POST",
            self._account.token_endpoint,
            data=form,
            headers={_HEADER: f"Basic {basic}"},
            is_authorised=False,
        )
        return self._session.request(call, msgspec.json.Decoder(Token).decode).value


class IafAuth:
    """The seller's token under the scheme that Post-Order asks for; `Bearer` is refused there."""

    def __init__(self, tokens: TokenAuth) -> None:
        self._tokens = tokens

    def headers(self) -> Mapping[str, str]:
        return {_HEADER: _swapped(self._tokens.headers()[_HEADER], "Bearer ", "IAF ")}

    def is_expired(self, response: requests.Response) -> bool:
        return self._tokens.is_expired(response)

    def renew(self, sent: Mapping[str, str]) -> None:
        self._tokens.renew({_HEADER: _swapped(sent[_HEADER], "IAF ", "Bearer ")})


def _swapped(header: str, old: str, new: str) -> str:
    return new + header.removeprefix(old)


def _secret(account: EbayAccount, name: str) -> str:
    secret = account.secrets.get(name)
    if secret is None:
        raise ConfigurationError(
            f"account {account.name} has no secret {name}: add secrets.{name} with the name of the "
            "environment variable that holds it"
        )
    return secret.get_secret_value()


def _error_of_login(
    account: EbayAccount, response: requests.Response, subject: str
) -> SourceError | None:
    if response.status_code not in (400, 401, 403, 404):
        return None
    try:
        code = msgspec.json.decode(response.content, type=Refusal).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        code = ""
    if code == "invalid_grant":
        return ConfigurationError(
            f"account {account.name} needs a new consent (invalid_grant): its refresh token is "
            "void after a change of password or user name, a withdrawn consent, or 18 months. Let "
            "the seller allow the application in again and put the new token into the variable of "
            "secrets.refresh_token."
        )
    return ConfigurationError(
        f"{subject} answered {response.status_code}: no access token for account {account.name}. "
        "Check the variables of secrets.client_id, secrets.client_secret and "
        "secrets.refresh_token, and that all are of the same environment "
        f"({account.environment})."
    )
