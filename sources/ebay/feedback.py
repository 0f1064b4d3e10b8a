"""Feedback that buyers left, newest purchase first.

Belongs here: how far a night has to page. Does not belong here: which fields are kept
(`records.py`). There is no filter by date; the default order, by relevance, is never used, since
pages of it overlap. Feedback can be changed or withdrawn: the last 90 days are read again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from sources._core.connector import Page, StreamContext, Window

from .answers import Node, NothingFoundError
from .client import EbayClient
from .shapes import feedback_record

LIMIT = 200
# A buyer has 60 days, and some more to revise: feedback entered so long before the window was for a
# purchase whose later pages hold nothing of the window.
STOP_BEFORE = timedelta(days=120)
_YEAR = timedelta(days=365)
_API = "feedback"


def read_feedback(context: StreamContext, window: Window) -> Iterator[Page]:
    """Feedback of the window, and what is older on the same pages."""
    client: EbayClient = context.client
    client.quotas.stop_if_used_up(_API)
    user = client.user_id()
    filters = ["role:BUYER", "showAutomatedFeedback:false"]
    if client.clock.now() - window.start + STOP_BEFORE < _YEAR:
        filters.append("period:365")
    params = {
        "user_id": user,
        "feedback_type": "FEEDBACK_RECEIVED",
        "filter": ",".join(filters),
        "sort": "TIME",
        "limit": LIMIT,
    }
    pages = client.pages(_API, "/feedback", params, "feedbackEntries", inner="pagination")
    try:
        for number, page in enumerate(pages, start=1):
            kept = [entry for entry in page.records if not entry.get("automatedFeedback")]
            records = [feedback_record(entry, client.account) for entry in kept]
            yield Page(records, f"feedback page {number}")
            if _is_past(page.records, window):
                return
    except NothingFoundError:
        yield Page((), "no feedback yet")


def _is_past(entries: Sequence[Node], window: Window) -> bool:
    entered = [entry.get("feedbackEnteredDate") for entry in entries]
    limit = window.start - STOP_BEFORE
    return any(datetime.fromisoformat(text) < limit for text in entered if text)
