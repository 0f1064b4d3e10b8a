"""Payment disputes (chargebacks), by the day they were opened, each read in full.

Belongs here: the list, the details and what is read again. Does not belong here: which fields are
kept (`records.py`). There is no list by time of change: all that are open, and those closed within
60 days, are read again each night.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote

from sources._core.connector import Page, StreamContext, Window
from sources._core.errors import ConfigurationError

from .answers import Node, NothingFoundError
from .client import EbayClient, ebay_time
from .config import POST_ORDER_SHOWN
from .shapes import dispute_record
from .tracked import Tracked

LIMIT = 200
KEEP_CLOSED = timedelta(days=60)
_TICK = timedelta(milliseconds=1)
_API = "dispute"
_KEY = "paymentDisputeId"


def read_disputes(context: StreamContext, window: Window) -> Iterator[Page]:
    client: EbayClient = context.client
    oldest = client.clock.now() - POST_ORDER_SHOWN
    if window.start < oldest:
        raise ConfigurationError(
            f"account {client.account.name}: eBay shows payment disputes of the last 18 months "
            f"only. Set start to {(oldest + timedelta(days=1)).date()} or later."
        )
    client.quotas.stop_if_used_up(_API)
    tracked = Tracked(context, KEEP_CLOSED)
    params = {
        "open_date_from": ebay_time(window.start),
        "open_date_to": ebay_time(window.end - _TICK),
        "limit": LIMIT,
    }
    field = "paymentDisputeSummaries"
    for page in client.pages(_API, "/payment_dispute_summary", params, field):
        records = [_whole(client, tracked, str(found[_KEY]), found) for found in page.records]
        yield Page(records, f"payment disputes opened from {ebay_time(window.start)}")
    if window.is_last:
        records = [_whole(client, tracked, key, {_KEY: key}) for key in tracked.due()]
        yield Page(records, "payment disputes again")
    tracked.save()


def _whole(client: EbayClient, tracked: Tracked, key: str, summary: Node) -> Node:
    try:
        detail = client.ask(_API, f"/payment_dispute/{quote(key, safe='')}")
    except NothingFoundError:
        detail = {}
    record = dispute_record({**summary, **detail}, client.account)
    tracked.note(key, is_closed=record.get("paymentDisputeStatus") == "CLOSED", first={})
    return record
