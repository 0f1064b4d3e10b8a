"""Inbound plans of Fulfillment Inbound 2024-03-20 with their items: what was sent to FBA.

Belongs here: which plans a window has, and their items. Does not belong here: what a lot code
means (staging).
Plans can only be listed, newest change first: reading stops at those that did not change since the
window began. Items are asked for each plan.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from sources._core.connector import Page, StreamContext, Window
from sources._core.pagination import walk

from .answers import InboundPlanName, moment, reader
from .client import INBOUND_PATH, AmazonClient, api_time

PLANS_A_PAGE = "30"
ITEMS_A_PAGE = "1000"

_name_of = reader(InboundPlanName)
_NEWEST_FIRST = {
    "pageSize": PLANS_A_PAGE,
    "sortBy": "LAST_UPDATED_TIME",
    "sortOrder": "DESC",
}


def read_inbound_plans(context: StreamContext, window: Window) -> Iterator[Page]:
    """Plans changed since the window began, each with all its items; one page for a page."""
    client: AmazonClient = context.client

    def fetch(token: str | None) -> tuple[Sequence[msgspec.Raw], str | None]:
        sent = {**_NEWEST_FIRST, "paginationToken": token} if token else _NEWEST_FIRST
        answer = client.list_inbound_plans(sent)
        return answer.inbound_plans or (), answer.next_token

    for number, plans in enumerate(walk(fetch, f"GET {INBOUND_PATH}"), start=1):
        named = [(_name_of(bytes(raw)), raw) for raw in plans]
        changed = [(name, raw) for name, raw in named if not _is_older(name, window)]
        records = [_with_items(client, name, raw) for name, raw in changed]
        yield Page(records, f"inbound plans since {api_time(window.start)} page {number}")
        if len(changed) < len(plans):
            return


def _is_older(plan: InboundPlanName, window: Window) -> bool:
    changed = moment(plan.last_updated_at)
    return changed is not None and changed < window.start


def _with_items(client: AmazonClient, plan: InboundPlanName, raw: msgspec.Raw) -> dict[str, Any]:
    """The plan as it came, and its items beside its own fields; without an id it has none."""
    found: dict[str, Any] = msgspec.json.decode(raw)
    if not plan.inbound_plan_id:
        return found
    plan_id = str(plan.inbound_plan_id)

    def fetch(token: str | None) -> tuple[Sequence[msgspec.Raw], str | None]:
        sent = {"pageSize": ITEMS_A_PAGE} | ({"paginationToken": token} if token else {})
        answer = client.list_inbound_items(plan_id, sent)
        return answer.items or (), answer.next_token

    pages = walk(fetch, f"GET {INBOUND_PATH}/{{plan}}/items")
    found["items"] = [msgspec.json.decode(item) for page in pages for item in page]
    return found
