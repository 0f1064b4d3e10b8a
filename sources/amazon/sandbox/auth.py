"""Login with Amazon, as far as a reader of seller data meets it: tokens, and who holds them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Literal
from urllib.parse import parse_qsl

import msgspec

from sources._core.clock import Clock
from sources._sandbox.server import Request, Response

from .answers import ApiError, forbidden, invalid, json_response

DEFAULT_LIFETIME_S = 3600
MOST_RESOURCES = 50
EXPIRED = "The access token you provided has expired."
_MESSAGES = {
    "invalid_client": (401, "Client authentication failed"),
    "invalid_grant": (400, "The request has an invalid grant parameter : refresh_token"),
    "invalid_request": (400, "The request is missing a required parameter"),
    "unsupported_grant_type": (400, "The authorization grant type is not supported"),
    "invalid_scope": (400, "The request has an invalid parameter : scope"),
}


class LwaError(Exception):
    """Refusal of the token endpoint, in the OAuth shape."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error

    def response(self) -> Response:
        status, message = _MESSAGES[self.error]
        return json_response({"error": self.error, "error_description": message}, status)


@dataclass(frozen=True)
class _Grant:
    """What a token allows; `resources` limits a restricted one to these methods and paths."""

    account: str | None
    expires_at: float
    resources: frozenset[tuple[str, str]] | None = None


class _Resource(msgspec.Struct):
    method: Literal["GET", "PUT", "POST", "DELETE"]
    path: str


class _RestrictedRequest(msgspec.Struct, rename={"resources": "restrictedResources"}):
    resources: list[_Resource]


@dataclass
class Tokens:
    """Issues access tokens and finds the account behind one.

    Every secret of account A is `sandbox-A`: client id, client secret and refresh token.
    """

    clock: Clock
    accounts: Collection[str]
    lifetime_s: float = DEFAULT_LIFETIME_S
    seed: int = 0
    _grants: dict[str, _Grant] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def answer(self, request: Request) -> Response:
        """`POST /auth/o2/token`."""
        form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
        try:
            account = self._check(form)
        except LwaError as refusal:
            return refusal.response()
        content: dict[str, object] = {
            "access_token": self._issue(account),
            "token_type": "bearer",
            "expires_in": int(self.lifetime_s),
        }
        if account is not None:
            content["refresh_token"] = form["refresh_token"]
        return json_response(content)

    def _check(self, form: Mapping[str, str]) -> str | None:
        """The account that a token request speaks for; None for a grantless token."""
        for name in ("grant_type", "client_id", "client_secret"):
            if not form.get(name):
                raise LwaError("invalid_request")
        secrets = {f"sandbox-{account}" for account in self.accounts}
        if form["client_id"] not in secrets or form["client_secret"] != form["client_id"]:
            raise LwaError("invalid_client")
        if form["grant_type"] == "client_credentials":
            if not form.get("scope", "").startswith("sellingpartnerapi::"):
                raise LwaError("invalid_scope")
            return None
        if form["grant_type"] != "refresh_token":
            raise LwaError("unsupported_grant_type")
        if not form.get("refresh_token"):
            raise LwaError("invalid_request")
        if form["refresh_token"] != form["client_id"]:
            raise LwaError("invalid_grant")
        return form["refresh_token"].removeprefix("sandbox-")

    def restricted(self, account: str, request: Request) -> Response:
        """`POST /tokens/2021-03-01/restrictedDataToken`."""
        try:
            content = msgspec.json.decode(request.body, type=_RestrictedRequest)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise invalid("restrictedResources: a list of methods and paths.") from error
        if not 1 <= len(content.resources) <= MOST_RESOURCES:
            raise invalid(f"restrictedResources: between 1 and {MOST_RESOURCES}.")
        resources = frozenset((r.method, r.path) for r in content.resources)
        if any("/documents/" in path and "{" in path for _, path in resources):
            raise invalid("The path of getReportDocument must name the document.")
        token = self._issue(account, resources)
        return json_response({"restrictedDataToken": token, "expiresIn": int(self.lifetime_s)})

    def _issue(
        self, account: str | None, resources: frozenset[tuple[str, str]] | None = None
    ) -> str:
        with self._lock:
            text = f"{self.seed}:{account}:{len(self._grants)}"
            prefix = "Atza|" if resources is None else "Atz.sprdt|"
            token = prefix + hashlib.sha256(text.encode()).hexdigest()
            expires_at = self.clock.monotonic() + self.lifetime_s
            self._grants[token] = _Grant(account, expires_at, resources)
            return token

    def account_of(self, request: Request) -> str:
        """The account whose token the request carries; ApiError where there is none."""
        token = request.headers.get("x-amz-access-token", "")
        if not token:
            raise ApiError(
                401,
                "Unauthorized",
                "Access to requested resource is denied.",
                "The access token is missing.",
            )
        grant = self._grants.get(token)
        if grant is None:
            raise forbidden("The access token you provided is revoked, malformed or invalid.")
        if self.clock.monotonic() >= grant.expires_at:
            raise _expired(token)
        if grant.resources is not None and (request.method, request.path) not in grant.resources:
            raise forbidden("The restricted data token is for another resource.")
        if grant.account is None:
            raise forbidden("A grantless token cannot read a seller's data.")
        return grant.account


def _expired(token: str) -> ApiError:
    """Production puts the text into `message` or into `details`: both occur here."""
    if int(token[-1], 16) % 2:
        return ApiError(403, "Unauthorized", EXPIRED)
    return forbidden(EXPIRED)
