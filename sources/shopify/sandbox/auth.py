"""Who asks: the client-credentials grant and static tokens, and the scopes that a token carries."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from urllib.parse import parse_qsl

from sources._core.clock import Clock
from sources._sandbox.server import Request, Response

from .answers import json_response

SCOPES = (
    "read_all_orders",
    "read_customers",
    "read_inventory",
    "read_locations",
    "read_merchant_managed_fulfillment_orders",
    "read_orders",
    "read_products",
    "read_returns",
    "read_shopify_payments_disputes",
    "read_third_party_fulfillment_orders",
)


@dataclass
class Tokens:
    """Issues tokens and finds the shop behind one.

    Every secret of account A is `sandbox-A`: client id, client secret and static token.
    """

    clock: Clock
    accounts: Collection[str]
    lifetime_s: float
    seed: int
    missing: Mapping[str, Iterable[str]]
    _grants: dict[str, tuple[str, float]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def scopes(self, account: str) -> list[str]:
        lacking = set(self.missing.get(account, ()))
        return [scope for scope in SCOPES if scope not in lacking]

    def answer(self, request: Request) -> Response:
        """`POST /admin/oauth/access_token`."""
        form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
        secrets = {f"sandbox-{account}": account for account in self.accounts}
        if form.get("grant_type") != "client_credentials":
            return _refusal(400, "unsupported_grant_type", "The grant type is not supported")
        account = secrets.get(form.get("client_id", ""))
        if account is None or form.get("client_secret") != form.get("client_id"):
            return _refusal(400, "invalid_client", "Client authentication failed")
        return json_response(
            {
                "access_token": self._issue(account),
                "scope": ",".join(self.scopes(account)),
                "expires_in": max(int(self.lifetime_s) - 1, 1),
            }
        )

    def account_of(self, request: Request) -> str | None:
        """The shop that the request's token opens; None: unknown or expired."""
        token = request.headers.get("x-shopify-access-token", "")
        static = {f"sandbox-{account}": account for account in self.accounts}
        if token in static:
            return static[token]
        with self._lock:
            account, expires_at = self._grants.get(token, ("", 0.0))
        return account if account and self.clock.monotonic() < expires_at else None

    def _issue(self, account: str) -> str:
        with self._lock:
            text = f"{self.seed}|{account}|{len(self._grants)}"
            token = "shpat_" + hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
            self._grants[token] = (account, self.clock.monotonic() + self.lifetime_s)
        return token


def _refusal(status: int, error: str, message: str) -> Response:
    return json_response({"error": error, "error_description": message}, status)
