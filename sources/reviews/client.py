"""Calls of a review app: authorisation and paging of each.

Belongs here: one method for each app's list of reviews. Does not belong here: which fields are kept
(`streams.py`). Judge.me and Yotpo want their token in the address: addresses are never logged.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import requests

from sources._core.clock import Clock
from sources._core.connector import AccountSettings, Check
from sources._core.errors import ConfigurationError, SourceError
from sources._core.http import Call, Session
from sources._core.pagination import MAX_PAGES, walk

from .config import OKENDO_VERSION, PAGE, ReviewsAccount

Rows = list[dict[str, Any]]
_NEEDED = {
    "judge_me": "the shop's domain, for example brand.myshopify.com",
    "yotpo": "the app key",
    "okendo": "the user id of the API",
}


class Token(msgspec.Struct):
    access_token: str


class ReviewsClient:
    """One account of a review app. Safe for the threads of its streams."""

    def __init__(self, account: ReviewsAccount, clock: Clock) -> None:
        self.account = account
        self.clock = clock
        secret = account.secrets.get("api_key")
        if secret is None:
            raise ConfigurationError(
                f"account {account.name} has no secret api_key: add secrets.api_key with the name "
                "of the environment variable that holds it"
            )
        self._key = secret.get_secret_value()
        self._session = Session(
            account.endpoint,
            clock,
            headers={"Accept": "application/json", **self._okendo_headers()},
            classify=_error_of,
        )

    def close(self) -> None:
        self._session.close()

    def pages(self) -> Iterator[Rows]:
        """Pages of reviews of this account's app; those of Okendo newest first."""
        read: Mapping[str, Callable[[], Iterator[Rows]]] = {
            "judge_me": self._judge_me,
            "yotpo": self._yotpo,
            "okendo": self._okendo,
        }
        return read[self.account.provider]()

    def _judge_me(self) -> Iterator[Rows]:
        params = {"shop_domain": self.account.identity, "api_token": self._key, "per_page": PAGE}
        return self._numbered("/api/v1/reviews", params, "reviews")

    def _yotpo(self) -> Iterator[Rows]:
        path = f"/v1/apps/{self.account.identity}/reviews"
        return self._numbered(path, {"utoken": self._yotpo_token(), "count": PAGE}, "reviews")

    def _okendo(self) -> Iterator[Rows]:
        path = self.account.okendo_path

        def fetch(cursor: str | None) -> tuple[Rows, str | None]:
            place = {"lastEvaluated": cursor} if cursor else {}
            params = {"limit": PAGE, "orderBy": "date desc", **place}
            answer: dict[str, Any] = self._session.request(Call("GET", path, params=params)).value
            following = dict(parse_qsl(urlsplit(answer.get("nextUrl") or "").query))
            return answer.get("reviews") or [], following.get("lastEvaluated")

        return walk(fetch, f"GET {path}")

    def _numbered(self, path: str, params: Mapping[str, Any], name: str) -> Iterator[Rows]:
        """Pages by number, until an empty one."""
        for number in range(1, MAX_PAGES):
            call = Call("GET", path, params={**params, "page": number}, page=number)
            answer: dict[str, Rows] = self._session.request(call).value
            rows = answer.get(name) or []
            if not rows:
                return
            yield rows

    def _yotpo_token(self) -> str:
        body = {
            "client_id": self.account.identity,
            "client_secret": self._key,
            "grant_type": "client_credentials",
        }
        call = Call("POST", self.account.token_endpoint, json=body)
        return self._session.request(call, msgspec.json.Decoder(Token).decode).value.access_token

    def _okendo_headers(self) -> Mapping[str, str]:
        if self.account.provider != "okendo":
            return {}
        user = f"{self.account.identity}:{self._key}"
        basic = base64.b64encode(user.encode()).decode()
        return {"Authorization": f"Basic {basic}", "okendo-api-version": OKENDO_VERSION}


def _error_of(response: requests.Response, subject: str) -> SourceError | None:
    """Yotpo refuses a wrong key as a bad request."""
    if response.status_code != 400 or "/oauth/" not in subject:
        return None
    return ConfigurationError(
        f"{subject} answered 400: not allowed. Check app_id and secrets.api_key of the account, "
        "then run `aftersales check-config`."
    )


def check_account(client: ReviewsClient) -> Sequence[Check]:
    """One page of the list of reviews."""
    try:
        next(client.pages(), None)
    except SourceError as error:
        return (Check("reviews", ok=False, message=str(error)),)
    return (Check("reviews", ok=True, message="readable"),)


def open_account(account: AccountSettings, clock: Clock) -> ReviewsClient:
    if not isinstance(account, ReviewsAccount):
        raise TypeError("an account of a review app is needed")
    if account.app_id is None and account.base_url is None:
        raise ConfigurationError(
            f"account {account.name} has no app_id: add app_id, {_NEEDED[account.provider]}"
        )
    return ReviewsClient(account, clock)
