"""Where report files lie: signed addresses that live five minutes, answered as a store does.

The store knows nothing of access tokens: it checks the signature, and refuses a request that
carries headers of the API which were not signed.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlencode

from sources._core.clock import Clock
from sources._sandbox.server import Request, Response

from .report_text import Document

PATH = "/_storage/"
LIFETIME_S = 300


@dataclass
class Storage:
    """Signs addresses and serves what `put` was given under them."""

    clock: Clock
    seed: int
    _documents: dict[str, Document] = field(default_factory=dict)

    def url(self, origin: str, account: str, name: str, document: Document, plain: bool) -> str:
        """A fresh address; `plain`: the client wants the gzip labelled as content encoding."""
        key = f"{account}/{name}"
        self._documents[key] = document
        expires = f"{self.clock.monotonic() + LIFETIME_S:.3f}"
        query = {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "Expires": expires,
            "X-Amz-Expires": str(LIFETIME_S),
            "response-content-encoding": "gzip" if plain and document.is_flagged else "identity",
        }
        query["X-Amz-Signature"] = self._signature(key, query)
        return f"{origin}{PATH}{quote(key)}?{urlencode(query)}"

    def answer(self, request: Request) -> Response:
        """`GET` of a signed address."""
        key = unquote(request.path.removeprefix(PATH))
        query = dict(request.query)
        signature = query.pop("X-Amz-Signature", "")
        if not hmac.compare_digest(signature, self._signature(key, query)):
            return _refusal("SignatureDoesNotMatch", "The request signature does not match.")
        if any(name in request.headers for name in ("x-amz-access-token", "authorization")):
            return _refusal(
                "AccessDenied", "There were headers present in the request which were not signed"
            )
        if self.clock.monotonic() >= float(query["Expires"]):
            return _refusal("AccessDenied", "Request has expired")
        document = self._documents.get(key)
        if document is None:
            return _refusal("NoSuchKey", "The specified key does not exist.", 404)
        headers = {"Content-Type": document.content_type}
        if document.is_gzip and query.get("response-content-encoding") == "gzip":
            headers["Content-Encoding"] = "gzip"
        return Response(200, document.stored, headers)

    def _signature(self, key: str, query: dict[str, str]) -> str:
        text = key + "?" + urlencode(sorted(query.items()))
        return hmac.new(f"store-{self.seed}".encode(), text.encode(), hashlib.sha256).hexdigest()


def _refusal(code: str, message: str, status: int = 403) -> Response:
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    )
    return Response(status, body.encode(), {"Content-Type": "application/xml"})
