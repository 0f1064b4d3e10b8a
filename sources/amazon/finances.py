"""Transactions of Finances 2024-06-19, page by page, their breakdowns brought to leaves.

Belongs here: bounds, page tokens, the tree. Does not belong here: what a transaction type means,
and which of a held back and a released one counts (staging).
Transactions may come 48 hours late: the stream reads seven days again. The status of one whose
money was held back changes when it is released, weeks later: those are asked for by that status,
further back. The newest state replaces the older.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec

from sources._core.connector import Page, StreamContext, Window
from sources._core.errors import StopStream
from sources._core.pagination import PageGuard
from sources._core.windows import start_of_day

from .client import TRANSACTIONS_PATH, AmazonClient, api_time
from .config import FRESHEST

MAX_EMPTY_PAGES = 500
HELD_BACK = timedelta(days=45)
RELEASED_SINCE = {"transactionStatus": "DEFERRED_RELEASED"}

_decode = msgspec.json.Decoder(float_hook=Decimal).decode


def read_transactions(context: StreamContext, window: Window) -> Iterator[Page]:
    """What was posted within the window, on all marketplaces: naming one leaves some out."""
    client: AmazonClient = context.client
    end = max(min(window.end, context.clock.now() - FRESHEST), window.start)
    if window.start < end:
        yield from _pages(client, Window(window.start, end), {})
    held_back_since = max(window.start - HELD_BACK, start_of_day(client.account.start))
    if window.is_last and held_back_since < window.start:
        yield from _pages(client, Window(held_back_since, window.start), RELEASED_SINCE)
    yield Page((), f"transactions read to {api_time(end)}", served_until=end)


def _pages(client: AmazonClient, window: Window, also: Mapping[str, str]) -> Iterator[Page]:
    bounds = {"postedAfter": api_time(window.start), "postedBefore": api_time(window.end)}
    params = {**bounds, **also}
    guard = PageGuard(f"GET {TRANSACTIONS_PATH}")
    empty_pages = 0
    token: str | None = None
    while True:
        sent = params if token is None else {**params, "nextToken": token}
        answer = client.list_transactions(sent, guard.pages + 1)
        found, token = answer.transactions or (), answer.next_token or None
        guard.check(token, b"".join(found) if found else None)
        empty_pages = 0 if found else empty_pages + 1
        if empty_pages > MAX_EMPTY_PAGES:
            raise StopStream(
                f"GET {TRANSACTIONS_PATH} gave {MAX_EMPTY_PAGES} pages without a transaction in a "
                "row: paging would never end. The next night tries again; if it happens again, "
                "report it to Amazon's support."
            )
        records = [with_leaves(one) for one in found]
        yield Page(records, f"transactions from {params['postedAfter']} page {guard.pages}")
        if token is None:
            return


def with_leaves(raw: bytes | msgspec.Raw) -> dict[str, Any]:
    """A transaction whose breakdowns, and those of its items, are lists of leaves."""
    transaction = _decode(raw)
    if not isinstance(transaction, dict):
        return {}
    items = transaction.get("items")
    if isinstance(items, list):
        for number, item in enumerate(items, start=1):
            if isinstance(item, dict):
                item["lineNo"] = number
                item["amounts"] = list(leaves(item.pop("breakdowns", None)))
    transaction["amounts"] = list(leaves(transaction.pop("breakdowns", None)))
    return transaction


def leaves(breakdowns: Iterable[Any] | None, path: str = "") -> Iterator[dict[str, Any]]:
    """Amounts of the tree that have none below them; those above are their sums."""
    for breakdown in breakdowns or ():
        if not isinstance(breakdown, dict):
            continue
        here = f"{path}/{breakdown.get('breakdownType') or 'unknown'}".removeprefix("/")
        below = breakdown.get("breakdowns")
        if below:
            yield from leaves(below, here)
        else:
            yield {"path": here, **(breakdown.get("breakdownAmount") or {})}
