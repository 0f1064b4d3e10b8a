"""What `aftersales check-config` tries for a store, and what to do where it fails.

Belongs here: the rights one by one, with what is missing without each. Does not belong here: how
requests are sent (`client.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from sources._core.connector import Check
from sources._core.errors import SourceError
from sources._core.http import Call

from .client import WalmartClient

# Right -> what is missing without it.
_SCOPES: Mapping[str, str] = {
    "orders": "orders and their refunds: nothing can be read",
    "returns": "returns",
    "reports": "payment reports: no money to the cent",
}
_NONE = "no_access"
_HOW = (
    "the store's owner sets it in the developer portal under API Key Management, with view access"
)


class _Detail(msgspec.Struct):
    scopes: dict[str, str] | None = None


def check_account(client: WalmartClient) -> Sequence[Check]:
    """The token first; without it no right is known."""
    try:
        client.check_login()
    except SourceError as error:
        return (Check("login", False, str(error)),)
    found = [Check("login", True, f"token for market {client.account.market}")]
    try:
        decode = msgspec.json.Decoder(_Detail).decode
        detail = client.ask(Call("GET", "/v3/token/detail"), decode)
    except SourceError as error:
        return (*found, Check("rights", True, f"Walmart does not tell them here ({error})"))
    return (*found, *_rights(detail.scopes or {}))


def _rights(scopes: Mapping[str, str]) -> Iterator[Check]:
    for scope, lost in _SCOPES.items():
        granted = scopes.get(scope)
        if granted is None or granted == _NONE:
            word = "missing" if granted else "not listed"
            yield Check(scope, not granted, f"{word}: without it no {lost}. To get it: {_HOW}")
        else:
            yield Check(scope, True, granted)
