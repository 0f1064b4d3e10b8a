"""What `aftersales check-config` tries for a desk, and what to do where it fails.

Belongs here: the rights one by one. Does not belong here: how requests are sent (`client.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from sources._core.connector import Check
from sources._core.errors import SourceError

from .client import HelpdeskClient


def check_account(client: HelpdeskClient) -> Sequence[Check]:
    """One page of each kind of list."""
    if client.account.provider == "gorgias":
        names = ("tickets", "messages", "satisfaction-surveys")
        order = "created_datetime:desc"
        return [_try(name, client.gorgias_list(f"/api/{name}", order)) for name in names]
    since = int((client.clock.now() - timedelta(hours=1)).timestamp())
    checks = [_try("tickets", client.ticket_pages(since))]
    if client.account.satisfaction == "ratings":
        name = "satisfaction_ratings"
        checks.append(_try("satisfaction", client.zendesk_list(f"/api/v2/{name}", name)))
    return checks


def _try(subject: str, pages: Iterator[object]) -> Check:
    try:
        next(pages)
    except SourceError as error:
        return Check(subject, ok=False, message=str(error))
    return Check(subject, ok=True, message="readable")
