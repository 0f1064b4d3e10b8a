"""Access tokens: fetched when needed, shared by threads, renewed once when refused.

Belongs here: what is the same for every API with short-lived tokens. Does not belong here: how one
API hands out a token (that connector's `client.py`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Protocol

import requests

from sources._core.clock import Clock


class Auth(Protocol):
    """How requests are authorised. `TokenAuth` fits APIs with short-lived access tokens."""

    def headers(self) -> Mapping[str, str]:
        """Headers of the next request."""

    def is_expired(self, response: requests.Response) -> bool:
        """Whether this refusal means that the token has run out."""

    def renew(self, sent: Mapping[str, str]) -> None:
        """Get a new token, unless another thread has replaced the one that was sent."""


class TokenAuth:
    """An access token, fetched when needed and shared by the threads of an account.

    `fetch` gives the token and its lifetime in seconds; it is renewed `early` seconds before.
    """

    def __init__(
        self,
        fetch: Callable[[], tuple[str, float]],
        clock: Clock,
        *,
        header: str = "Authorization",
        prefix: str = "Bearer ",
        is_expired: Callable[[requests.Response], bool] = lambda r: r.status_code == 401,
        early: float = 60.0,
    ) -> None:
        self._fetch, self._clock = fetch, clock
        self._header, self._prefix = header, prefix
        self._is_expired = is_expired
        self._early = early
        self._lock = threading.Lock()
        self._token: str | None = None
        self._good_until = 0.0

    def headers(self) -> Mapping[str, str]:
        with self._lock:
            if self._token is None or self._clock.monotonic() >= self._good_until:
                self._renew_locked()
            return {self._header: f"{self._prefix}{self._token}"}

    def is_expired(self, response: requests.Response) -> bool:
        return self._is_expired(response)

    def renew(self, sent: Mapping[str, str]) -> None:
        with self._lock:
            if sent.get(self._header) == f"{self._prefix}{self._token}":
                self._renew_locked()

    def _renew_locked(self) -> None:
        token, lifetime = self._fetch()
        self._token = token
        self._good_until = self._clock.monotonic() + max(lifetime - self._early, lifetime / 2)
