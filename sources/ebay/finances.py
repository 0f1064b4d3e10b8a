"""Money of the seller's account: transactions and payouts, by their date.

Belongs here: the two lists of the Finances API. Does not belong here: what a transaction means
(the staging models) and signing (`signatures.py`).
A transaction's status and payout change until it is paid out, and fees arrive late: each night
reads the last 45 days again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

from sources._core.connector import Page, StreamContext, Window

from .answers import Node, PageOf
from .client import EbayClient, ebay_time
from .shapes import plain, transaction_record

_TICK = timedelta(milliseconds=1)
Shape = Callable[[Node], Node]


def _read(
    context: StreamContext,
    window: Window,
    *,
    path: str,
    field: str,
    date: str,
    limit: int,
    shape: Shape,
) -> Iterator[Page]:
    client: EbayClient = context.client
    client.need_signature()
    client.quotas.stop_if_used_up("finances")
    bounds = f"{ebay_time(window.start)}..{ebay_time(window.end - _TICK)}"
    params: dict[str, Any] = {"filter": f"{date}:[{bounds}]", "limit": limit, "sort": date}
    pages: Iterator[PageOf] = client.pages("finances", path, params, field)
    for number, page in enumerate(pages, start=1):
        yield Page([shape(record) for record in page.records], f"{field} {bounds} page {number}")


read_transactions = partial(
    _read,
    path="/transaction",
    field="transactions",
    date="transactionDate",
    limit=1_000,
    shape=transaction_record,
)
read_payouts = partial(
    _read, path="/payout", field="payouts", date="payoutDate", limit=200, shape=plain
)
