"""What `aftersales check-config` tries for an Amazon account, and what to do where it fails.

Belongs here: one cheap request for each right, and the words about it. Does not belong here: how
requests are sent (`client.py`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from sources._core.connector import Check
from sources._core.errors import SourceError

from .client import AmazonClient, api_time
from .config import FRESHEST
from .layouts import (
    ALL_ORDERS,
    FBA_REIMBURSEMENTS,
    FBA_REPLACEMENTS,
    FBA_RETURNS,
    FULFILLED_SHIPMENTS,
    INVENTORY_LEDGER,
    MFN_RETURNS,
    MFN_RETURNS_XML,
    REMOVAL_ORDERS,
    REMOVAL_SHIPMENTS,
    SELLER_FEEDBACK,
    SETTLEMENT,
)

_ORDERS, _FULFILMENT = "Inventory and Order Tracking", "Amazon Fulfillment"
_FINANCE, _INSIGHTS = "Finance and Accounting", "Selling Partner Insights"
# Role of the application that each stream needs, as Amazon names it in the Developer Console.
_REPORT_ROLES = (
    ("all_orders", ALL_ORDERS.report_type, _ORDERS),
    ("fba_returns", FBA_RETURNS.report_type, _FULFILMENT),
    ("fulfilled_shipments", FULFILLED_SHIPMENTS.report_type, _FULFILMENT),
    ("settlements", SETTLEMENT.report_type, _FINANCE),
    ("fba_replacements", FBA_REPLACEMENTS.report_type, _FULFILMENT),
    ("fba_reimbursements", FBA_REIMBURSEMENTS.report_type, _FULFILMENT),
    ("removal_orders", REMOVAL_ORDERS.report_type, _FULFILMENT),
    ("removal_shipments", REMOVAL_SHIPMENTS.report_type, _FULFILMENT),
    ("inventory_ledger", INVENTORY_LEDGER.report_type, _FULFILMENT),
    ("seller_feedback", SELLER_FEEDBACK.report_type, _INSIGHTS),
)
_GRANT = (
    "add the role {role!r} to the application in the Developer Console, then let the seller "
    "authorise it again (rights are fixed when the refresh token is made)"
)


def check_account(client: AmazonClient) -> Sequence[Check]:
    """Credentials first; without them nothing else is tried."""
    credentials = _try("credentials", client.check_login, "a token was given", "")
    if not credentials.ok:
        return (credentials,)
    return (credentials, *_marketplaces(client), *_streams(client))


def _marketplaces(client: AmazonClient) -> Iterator[Check]:
    try:
        joined = {
            found.marketplace.id
            for found in client.participations()
            if found.participation.is_participating
        }
    except SourceError as error:
        yield Check("marketplaces", False, str(error))
        return
    for marketplace in client.account.own_marketplaces:
        is_joined = marketplace.marketplace_id in joined
        yield Check(
            marketplace.name,
            is_joined,
            "the seller sells there"
            if is_joined
            else "the seller does not sell there with this authorisation: take it out of "
            "marketplaces, or move it to the account of its region and seller",
        )


def _streams(client: AmazonClient) -> Iterator[Check]:
    now = client.clock.now()
    newest = now - FRESHEST
    params = {
        "lastUpdatedAfter": api_time(newest - timedelta(hours=1)),
        "lastUpdatedBefore": api_time(newest),
        "marketplaceIds": client.account.marketplace_ids[0],
        "maxResultsPerPage": "1",
        "includedData": ",".join(client.account.order_data),
    }
    yield _try("orders", lambda: client.search_orders(params, 1), "readable", _advice(_ORDERS))
    posted = {
        "postedAfter": api_time(newest - timedelta(hours=1)),
        "postedBefore": api_time(newest),
    }
    yield _try(
        "transactions",
        lambda: client.list_transactions(posted, 1),
        "readable",
        _advice(_FINANCE),
    )
    yield _try(
        "inbound_plans",
        lambda: client.list_inbound_plans({"pageSize": "1"}),
        "readable",
        _advice(_FULFILMENT),
    )
    for asin in client.account.review_asins[:1]:
        yield _try(
            "review_topics",
            functools.partial(client.review_topics, asin, client.account.marketplace_ids[0]),
            "readable",
            _advice(_INSIGHTS),
        )
    is_xml = client.account.seller_returns == "xml"
    returns = (MFN_RETURNS_XML if is_xml else MFN_RETURNS).report_type
    for stream, report_type, role in (*_REPORT_ROLES, ("mfn_returns", returns, _ORDERS)):
        yield _try(
            stream,
            functools.partial(_list, client, report_type, now - timedelta(days=1)),
            f"{report_type} may be listed",
            _advice(role),
        )


def _list(client: AmazonClient, report_type: str, since: datetime) -> None:
    next(client.list_reports(report_type, since), None)


def _advice(role: str) -> str:
    return _GRANT.format(role=role)


def _try(subject: str, action: Callable[[], object], good: str, advice: str) -> Check:
    try:
        action()
    except SourceError as error:
        return Check(subject, False, f"{error} To get it: {advice}." if advice else str(error))
    return Check(subject, True, good)
