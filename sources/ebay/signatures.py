"""eBay's digital signatures, which sellers of the EU and the UK need for everything about money.

Belongs here: the headers that sign one request without a body. Does not belong here: whether an
account must sign (`config.py`) and what a refused signature means (`answers.py`).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from sources._core.clock import Clock
from sources._core.errors import ConfigurationError

_COVERED = '("x-ebay-signature-key" "@method" "@path" "@authority")'
PrivateKey = ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


class Signer:
    """Signs requests with the key that eBay's Key Management API gave, and its `jwe`."""

    def __init__(self, private_key: str, jwe: str, clock: Clock, account: str) -> None:
        self._key = _read_key(private_key, account)
        self._jwe = jwe
        self._clock = clock

    def headers(self, method: str, url: str) -> Mapping[str, str]:
        address = urlsplit(url)
        created = int(self._clock.now().timestamp())
        parameters = f"{_COVERED};created={created}"
        base = "\n".join(
            (
                f'"x-ebay-signature-key": {self._jwe}',
                f'"@method": {method}',
                f'"@path": {address.path}',
                f'"@authority": {address.netloc}',
                f'"@signature-params": {parameters}',
            )
        )
        signature = base64.b64encode(_signed(self._key, base.encode())).decode()
        return {
            "x-ebay-signature-key": self._jwe,
            "Signature-Input": f"sig1={parameters}",
            "Signature": f"sig1=:{signature}:",
        }


def _signed(key: PrivateKey, base: bytes) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(base, padding.PKCS1v15(), hashes.SHA256())
    return key.sign(base)


def _read_key(text: str, account: str) -> PrivateKey:
    """The private key as eBay shows it (base64 of its DER form) or as a PEM file has it."""
    lines = [line.strip() for line in text.strip().splitlines() if not line.startswith("-----")]
    try:
        content = base64.b64decode("".join(lines), validate=True)
        key = serialization.load_der_private_key(content, password=None)
    except (binascii.Error, ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey):
        raise ConfigurationError(
            f"account {account}: the variable of secrets.signing_key holds no Ed25519 or RSA "
            "private key. Put there what eBay's createSigningKey gave as privateKey; a lost key is "
            "made anew, together with its jwe."
        )
    return key
