"""Who asks: tokens of 15 minutes, the headers of every call, the market that a call is about.

Every secret of account A is `sandbox-A`: client id and client secret.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from threading import Lock
from urllib.parse import parse_qsl

from sources._core.clock import Clock
from sources._sandbox.server import Request, Response

from .answers import ApiError, json_response, wrong

LIFETIME_S = 900
GLOBAL_VERSION = "3.1"
_NEEDED = ("wm_qos.correlation_id", "wm_svc.name")


@dataclass
class Tokens:
    """Issues tokens and finds the store behind one."""

    clock: Clock
    accounts: Collection[str]
    lifetime_s: float
    seed: int
    missing: Mapping[str, Collection[str]]
    _grants: dict[str, tuple[str, float]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def answer(self, request: Request) -> Response:
        """`POST /v3/token`."""
        check_headers(request)
        form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
        if form.get("grant_type") != "client_credentials":
            raise wrong("grant_type", "grant_type must be client_credentials")
        account = self._store(request)
        with self._lock:
            text = f"{self.seed}|{account}|{len(self._grants)}"
            token = "eyJraWQi" + hashlib.blake2b(text.encode(), digest_size=32).hexdigest()
            self._grants[token] = (account, self.clock.monotonic() + self.lifetime_s)
        return json_response(
            {
                "access_token": token,
                "token_type": "Bearer",
                "expires_in": int(self.lifetime_s),
            }
        )

    def _store(self, request: Request) -> str:
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        try:
            name, _, password = base64.b64decode(text).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            name = password = ""
        account = name.removeprefix("sandbox-")
        if scheme != "Basic" or account not in self.accounts or password != f"sandbox-{account}":
            raise unauthorized("Client id or client secret is not valid")
        return account

    def account_of(self, request: Request) -> str:
        """The store of the request's token; it lies in a header of its own."""
        check_headers(request)
        token = request.headers.get("wm_sec.access_token", "")
        account, expires_at = self._grants.get(token, ("", 0.0))
        if not account or self.clock.monotonic() >= expires_at:
            raise unauthorized("The access token is missing, not valid or expired")
        return account

    def detail(self, account: str) -> Response:
        """`GET /v3/token/detail`."""
        lacking = self.missing.get(account, ())
        names = ("orders", "returns", "reports", "item", "inventory")
        scopes = {n: "no_access" if n in lacking else "full_access" for n in names}
        now = int(self.clock.now().timestamp() * 1000)
        return json_response(
            {
                "expire_at": str(now + int(self.lifetime_s * 1000)),
                "issued_at": str(now),
                "is_valid": True,
                "scopes": scopes,
            }
        )

    def check_scope(self, account: str, scope: str) -> None:
        if scope in self.missing.get(account, ()):
            text = f"The client id has no access to {scope}"
            raise ApiError(403, "FORBIDDEN.GMP_GATEWAY_API", text)


def unauthorized(text: str) -> ApiError:
    return ApiError(401, "UNAUTHORIZED.GMP_GATEWAY_API", text)


def check_headers(request: Request) -> None:
    for name in _NEEDED:
        if not request.headers.get(name):
            raise wrong(name.upper(), f"The header {name.upper()} is missing")


def market_of(request: Request) -> str:
    """The country that a call is about; all but America name it, and the version."""
    market = request.headers.get("wm_market", "us").lower()
    if market != "us" and request.headers.get("wm_global_version") != GLOBAL_VERSION:
        raise wrong("WM_GLOBAL_VERSION", f"WM_GLOBAL_VERSION must be {GLOBAL_VERSION}")
    return market.upper()
