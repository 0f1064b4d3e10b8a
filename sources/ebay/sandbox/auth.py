"""Who asks: OAuth tokens of sellers and of the application, their scopes, and signatures.

Belongs here: refusals for want of a right. Every secret of account A is `sandbox-A`: application
id, certificate id and refresh token. A scope that the account's consent lacks (`missing_roles`) is
named without its prefix, as `sell.finances`; `consent` stands for a consent that was withdrawn.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from threading import Lock
from urllib.parse import parse_qsl

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from sources._core.clock import Clock
from sources._sandbox.server import Request, Response

from .answers import ApiError, json_response

PREFIX = "https://api.ebay.com/oauth/api_scope"
SCOPES = (
    "sell.fulfillment.readonly",
    "sell.fulfillment",
    "sell.payment.dispute",
    "sell.finances",
    "sell.analytics.readonly",
    "commerce.feedback.readonly",
    "commerce.message",
    "commerce.identity.readonly",
)
LIFETIME_S = 7200
MOST_SKEW_S = 300
SIGNING = {"GB", "IE", "DE", "AT", "FR", "IT", "ES", "NL", "BE", "PL"}
"""Sites whose sellers must sign."""
_INPUT = re.compile(r"sig1=(\((?P<parts>[^)]*)\);created=(?P<created>\d+))")


@dataclass(frozen=True)
class Grant:
    """What a token opens; `account` None is the application's own."""

    account: str | None
    scopes: frozenset[str]
    expires_at: float


@dataclass
class Tokens:
    """Issues tokens and finds the seller behind one."""

    clock: Clock
    accounts: Collection[str]
    lifetime_s: float
    seed: int
    missing: Mapping[str, Collection[str]]
    _grants: dict[str, Grant] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def answer(self, request: Request) -> Response:
        """`POST /identity/v1/oauth2/token`."""
        form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
        application = self._application(request)
        if application is None:
            return _refusal(401, "invalid_client", "client authentication failed")
        kind = form.get("grant_type")
        if kind == "client_credentials":
            return self._issued(None, frozenset({"api_scope"}))
        if kind != "refresh_token":
            return _refusal(400, "unsupported_grant_type", "grant type in request is not supported")
        account = form.get("refresh_token", "").removeprefix("sandbox-")
        lacking = self.missing.get(account, ())
        if account != application or "consent" in lacking:
            text = "the provided authorization refresh token is invalid or was issued to another"
            return _refusal(400, "invalid_grant", text + " client")
        consented = {scope for scope in SCOPES if scope not in lacking}
        wanted = {_short(scope) for scope in form.get("scope", "").split()} - {"api_scope"}
        if wanted - consented:
            text = (
                "The requested scope is invalid, unknown, malformed, or exceeds the scope granted"
            )
            return _refusal(400, "invalid_scope", text + " to the client")
        return self._issued(account, frozenset(wanted or consented))

    def _application(self, request: Request) -> str | None:
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        try:
            name, _, password = base64.b64decode(text).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        account = name.removeprefix("sandbox-")
        known = scheme == "Basic" and name == password == f"sandbox-{account}"
        return account if known and account in self.accounts else None

    def _issued(self, account: str | None, scopes: frozenset[str]) -> Response:
        with self._lock:
            text = f"{self.seed}|{account}|{len(self._grants)}"
            token = "v^1.1#i^1#" + hashlib.blake2b(text.encode(), digest_size=24).hexdigest()
            expires_at = self.clock.monotonic() + self.lifetime_s
            self._grants[token] = Grant(account, scopes, expires_at)
        content = {"access_token": token, "expires_in": int(self.lifetime_s)}
        kind = "Application Access Token" if account is None else "User Access Token"
        return json_response(content | {"token_type": kind})

    def grant_of(self, request: Request, schemes: tuple[str, ...]) -> Grant:
        """The grant that a request carries under one of the schemes that its API takes."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme not in schemes or not token:
            raise ApiError(401, 1002, "Missing access token", "OAuth")
        grant = self._grants.get(token)
        if grant is None or self.clock.monotonic() >= grant.expires_at:
            raise ApiError(401, 1001, "Invalid access token", "OAuth")
        return grant


def account_with(grant: Grant, *scopes: str) -> str:
    """The seller, where the token has one of the scopes."""
    if grant.account is None or not grant.scopes & set(scopes):
        raise ApiError(403, 1100, "Access denied: insufficient permissions")
    return grant.account


def _short(scope: str) -> str:
    return scope.removeprefix(PREFIX).removeprefix("/") or "api_scope"


def _refusal(status: int, error: str, message: str) -> Response:
    return json_response({"error": error, "error_description": message}, status)


@dataclass
class SigningKeys:
    """Keys that the application fetched, and whether a request is signed with one of them."""

    clock: Clock
    seed: int
    must_sign: Collection[str]  # sellers on sites where signing is a duty
    _keys: dict[str, tuple[str, Ed25519PublicKey]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def create(self, account: str) -> Response:
        """`POST /developer/key_management/v1/signing_key`; the private key is shown once."""
        with self._lock:
            text = f"{self.seed}|{account}|{len(self._keys)}"
            private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(text.encode()).digest())
            jwe = "eyJ" + hashlib.blake2b(text.encode(), digest_size=24).hexdigest()
            self._keys[jwe] = (account, private.public_key())
        secret = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        now = int(self.clock.now().timestamp())
        return json_response(
            {
                "signingKeyId": jwe[3:19],
                "signingKeyCipher": "ED25519",
                "privateKey": base64.b64encode(secret).decode(),
                "publicKey": base64.b64encode(public).decode(),
                "jwe": jwe,
                "creationTime": now,
                "expirationTime": now + 3 * 365 * 86_400,
            },
            201,
        )

    def check(self, account: str, request: Request) -> None:
        """Refuse what is not signed as it must be; sellers without a key may go unsigned."""
        jwe = request.headers.get("x-ebay-signature-key")
        given, signature = (request.headers.get(n) for n in ("signature-input", "signature"))
        if jwe is None and given is None and signature is None:
            has_key = any(owner == account for owner, _ in self._keys.values())
            if account in self.must_sign and has_key:
                raise _unsigned(215001, "Missing x-ebay-signature-key header")
            return
        if not (jwe and given and signature):
            raise _unsigned(215001, "Missing x-ebay-signature-key, Signature-Input or Signature")
        known, match = self._keys.get(jwe), _INPUT.match(given)
        if match is None or known is None or known[0] != account:
            raise _unsigned(215120, "Signature validation failed")
        if abs(int(match["created"]) - self.clock.now().timestamp()) > MOST_SKEW_S:
            raise _unsigned(215114, "Signature-Input: created is out of range")
        base = _signed_text(request, jwe, match)
        try:
            text = signature.removeprefix("sig1=:").removesuffix(":")
            known[1].verify(base64.b64decode(text), base.encode())
        except (InvalidSignature, binascii.Error) as error:
            raise _unsigned(215122, "Signature validation failed") from error


def _unsigned(error_id: int, message: str) -> ApiError:
    return ApiError(400, error_id, message)


def _signed_text(request: Request, jwe: str, match: re.Match[str]) -> str:
    values = {
        "x-ebay-signature-key": jwe,
        "@method": request.method,
        "@path": request.path,
        "@authority": request.headers.get("host", ""),
        "content-digest": request.headers.get("content-digest", ""),
    }
    parts = [part.strip('"') for part in match["parts"].split()]
    if not {"x-ebay-signature-key", "@method", "@path", "@authority"} <= set(parts):
        raise _unsigned(215120, "Signature-Input lacks a component")
    lines = [f'"{part}": {values.get(part, "")}' for part in parts]
    return "\n".join([*lines, f'"@signature-params": {match[1]}'])
