"""Review topics of Customer Feedback 2024-06-01: what reviews of a product speak of, once a week.

Belongs here: which products are asked for, and when. Does not belong here: the fields kept
(`topic_records.py`).
Amazon knows topics by child ASIN and gives no list of ASINs: the account names them in
`review_asins`. It makes them anew each week, in English, for some marketplaces only.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sources._core.connector import Page, StreamContext, Window

from .client import AmazonClient, api_time
from .config import AmazonAccount
from .marketplaces import Marketplace

COUNTRIES = frozenset({"US", "GB", "FR", "IT", "DE", "ES", "JP"})
MADE_ANEW_AFTER = timedelta(days=6)  # a week, less the hours that a night may begin earlier
_STATE = "read"


def read_topics(context: StreamContext, window: Window) -> Iterator[Page]:
    """One page for each marketplace that has topics; nothing within a week of the last reading."""
    client: AmazonClient = context.client
    if _is_fresh(context, client.account):
        return
    for marketplace in client.account.own_marketplaces:
        if marketplace.country in COUNTRIES:
            yield _page(context, client, marketplace)
    context.state[_STATE] = {
        "at": api_time(context.clock.now()),
        "asins": list(client.account.review_asins),
    }
    context.state.save()


def _is_fresh(context: StreamContext, account: AmazonAccount) -> bool:
    """Nothing to ask for, or asked for the same within the week."""
    read = context.state.get(_STATE)
    if not account.review_asins:
        return True
    if not read or read["asins"] != list(account.review_asins):
        return False
    return context.clock.now() - datetime.fromisoformat(read["at"]) < MADE_ANEW_AFTER


def _page(context: StreamContext, client: AmazonClient, marketplace: Marketplace) -> Page:
    """Topics of all products there; Amazon answers without content where it has none."""
    found = []
    for asin in client.account.review_asins:
        context.progress(f"topics of {asin} on {marketplace.name}")
        topics = client.review_topics(asin, marketplace.marketplace_id)
        if topics is not None:
            found.append(topics)
    return Page(found, f"review topics of {marketplace.name}")
