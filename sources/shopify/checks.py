"""What `aftersales check-config` tries for a shop, and what to do where it fails.

Belongs here: the rights one by one, with what is missing without each. Does not belong here: how
requests are sent (`client.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from sources._core.connector import Check
from sources._core.errors import SourceError
from sources._core.windows import start_of_day

from .client import Shop, ShopifyClient
from .config import ALL_ORDERS_SCOPE, ORDERS_SHOWN, SCOPES

_OPTIONAL = frozenset({"read_shopify_payments_disputes"})
_HOW = "add it to the app, release the app's version and install it again"


def check_account(client: ShopifyClient) -> Sequence[Check]:
    """Token, shop and version first; without them no right is known."""
    try:
        shop = client.shop()
    except SourceError as error:
        return (Check("shop", False, str(error)),)
    name = shop.record.get("myshopifyDomain") or "the shop"
    return (Check("shop", True, f"{name} answers"), *_rights(client, shop))


def _rights(client: ShopifyClient, shop: Shop) -> Iterator[Check]:
    start = start_of_day(client.account.start)
    is_recent = start >= client.clock.now() - ORDERS_SHOWN + timedelta(days=1)
    for scope, lost in SCOPES.items():
        if scope in shop.scopes:
            yield Check(scope, True, "granted")
            continue
        is_optional = scope in _OPTIONAL or (scope == ALL_ORDERS_SCOPE and is_recent)
        word = "not granted, which is allowed" if is_optional else "missing"
        yield Check(scope, is_optional, f"{word}: without it no {lost}. To get it: {_HOW}")
