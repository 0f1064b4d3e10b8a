"""Gorgias: tickets, messages, surveys. None of them can be asked for by date.

Belongs here: reading a list, newest first, down to the window's start, and its records. Does not
belong here: requests (`client.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sources._core.connector import Page, StreamContext, Window

from .client import HelpdeskClient
from .config import HelpdeskAccount
from .shapes import Row, channel_of, order_reference, person_key, utc_text, without

Reader = Callable[[StreamContext, Window], Iterator[Page]]
_TIMES = (
    "updated_datetime", "created_datetime", "opened_datetime", "closed_datetime",
    "last_received_message_datetime", "last_message_datetime", "snooze_datetime",
    "trashed_datetime", "sent_datetime", "should_send_datetime", "scored_datetime",
)  # fmt: skip


def newest_first(
    name: str, path: str, order: str, shape: Callable[[Row, HelpdeskAccount], Row | None]
) -> Reader:
    """Reader of a list ordered by the time `order`, down to the first row before the window.

    A row that moves up while pages are read comes twice, or with the next night's overlap: the key
    tells rows apart.
    """

    def read(context: StreamContext, window: Window) -> Iterator[Page]:
        client: HelpdeskClient = context.client
        start = window.start.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        pages = client.gorgias_list(path, f"{order}:desc")
        for number, rows in enumerate(pages, start=1):
            shaped = [shape(_in_utc(row), client.account) for row in rows]
            yield Page(
                [row for row in shaped if row is not None], source_ref=f"{name} page {number}"
            )
            if any((utc_text(row.get(order)) or start) < start for row in rows):
                return

    return read


def ticket_record(ticket: Mapping[str, Any], account: HelpdeskAccount) -> Row:
    row = without(
        ticket, ("customer", "assignee_user", "assignee_team", "tags", "via", "satisfaction_survey")
    )
    given = ticket.get("tags") or ()
    tags = [str(tag.get("name") if isinstance(tag, Mapping) else tag) for tag in given]
    row["tags"] = tags
    row["via"] = channel_of(ticket.get("via"))
    row["customer_key"] = person_key(_id_of(ticket.get("customer")), account)
    row["agent_key"] = person_key(_id_of(ticket.get("assignee_user")), account)
    row["team"] = account.teams.get(str(_id_of(ticket.get("assignee_team"))))
    row["order_ref"], row["order_ref_from"] = order_reference(
        account, None, (ticket.get("subject"), *tags), ticket.get("external_id")
    )
    return row


def message_record(message: Mapping[str, Any], account: HelpdeskAccount) -> Row | None:
    """A message that the buyer can see; notes among agents are not kept."""
    if message.get("public") is False:
        return None
    row = without(message, ("sender", "public", "via", "body_text"))
    row["via"] = channel_of(message.get("via"))
    row["is_automatic"] = bool(message.get("from_agent")) and row["via"] in account.automatic
    row["stripped_text"] = message.get("stripped_text") or message.get("body_text")
    return row


def survey_record(survey: Mapping[str, Any], _account: HelpdeskAccount) -> Row:
    return without(survey, ("customer_id",))


def _in_utc(row: Row) -> Row:
    return row | {name: utc_text(row[name]) for name in _TIMES if row.get(name)}


def _id_of(person: Any) -> Any:
    return person.get("id") if isinstance(person, Mapping) else None
