"""What `aftersales check-config` tries for an eBay account, and what to do where it fails.

Belongs here: one cheap request for each right, and how long the consent lasts. Does not belong
here: how requests are sent (`client.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from sources._core.connector import Check
from sources._core.errors import SourceError

from .answers import NothingFoundError
from .client import EbayClient, Params, ebay_time
from .config import APIS


def check_account(client: EbayClient) -> Sequence[Check]:
    """Credentials first; without them no right is known."""
    try:
        client.tokens.seller.headers()
    except SourceError as error:
        return (Check("credentials", False, str(error)),)
    granted = Check("credentials", True, "a token was given")
    return (granted, _consent(client), *_rights(client), _signature(client))


def _consent(client: EbayClient) -> Check:
    warning = client.tokens.consent_warning()
    if warning is not None:
        return Check("consent", False, warning)
    ends = client.tokens.consent_ends()
    if ends is None:
        advice = "set consent_given_on to be warned before the seller's consent runs out"
        return Check("consent", True, f"valid; {advice}")
    return Check("consent", True, f"valid until {ends.date()}")


def _rights(client: EbayClient) -> Iterator[Check]:
    now = client.clock.now()
    since, until = ebay_time(now - timedelta(days=1)), ebay_time(now - timedelta(minutes=1))
    asked: tuple[tuple[str, str, Params], ...] = (
        ("fulfillment", "/order", {"limit": 1}),
        (
            "post-order",
            "/return/search",
            {"creation_date_range_from": since, "creation_date_range_to": until, "limit": 1},
        ),
        ("dispute", "/payment_dispute_summary", {"limit": 1}),
        ("finances", "/transaction", {"limit": 1}),
        ("identity", "/user/", {}),
        ("analytics", "/seller_standards_profile", {}),
    )
    for api, path, params in asked:
        if api == "post-order" and client.account.environment == "sandbox":
            continue
        yield _try(client, api, path, params)
    yield _feedback(client)


def _try(client: EbayClient, api: str, path: str, params: Params) -> Check:
    right = APIS[api][2]
    try:
        client.ask(api, path, params)
    except NothingFoundError:
        pass
    except SourceError as error:
        return Check(right, False, str(error))
    return Check(right, True, f"{path} may be read")


def _feedback(client: EbayClient) -> Check:
    try:
        params = {"user_id": client.user_id(), "feedback_type": "FEEDBACK_RECEIVED", "limit": 25}
    except SourceError as error:
        return Check(APIS["feedback"][2], False, str(error))
    return _try(client, "feedback", "/feedback", params)


def _signature(client: EbayClient) -> Check:
    try:
        client.need_signature()
    except SourceError as error:
        return Check("signature", False, str(error))
    return Check("signature", True, "as the seller's country needs it")
