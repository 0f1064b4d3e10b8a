"""Zendesk: tickets with their metrics, old ratings, comments and the steps of new surveys.

Belongs here: how a page of each export becomes records. Does not belong here: requests
(`client.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sources._core.connector import Page, Reject, StreamContext, Window
from sources._core.errors import ConfigurationError

from .client import HelpdeskClient
from .config import EXPORT_LAG, HelpdeskAccount
from .shapes import Row, channel_of, custom_field, order_reference, person_key, without

DELETED = "deleted"
_SYSTEM = -1
_PEOPLE = ("requester_id", "assignee_id", "custom_fields", "via")
_SURVEY_STEPS = {"surveyoffered": "survey_offered", "surveyresponsesubmitted": "survey_submitted"}


def read_tickets(context: StreamContext, window: Window) -> Iterator[Page]:
    """All tickets that changed since the window's start; a ticket that is archived has its metrics
    read on its own."""
    client: HelpdeskClient = context.client
    account = client.account
    pages = client.ticket_pages(int(window.start.timestamp()))
    for number, page in enumerate(pages, start=1):
        rejects = _fill_metrics(client, page.tickets)
        yield Page(
            [ticket_record(ticket, account) for ticket in page.tickets],
            source_ref=f"tickets page {number}",
            served_until=window.end - EXPORT_LAG,
            rejects=rejects,
        )


def read_metrics(context: StreamContext, _window: Window) -> Iterator[Page]:
    """The list of metrics, for a desk whose export does not carry them."""
    client: HelpdeskClient = context.client
    pages = client.zendesk_list("/api/v2/ticket_metrics", "ticket_metrics")
    for number, rows in enumerate(pages, start=1):
        yield Page(rows, source_ref=f"ticket_metrics page {number}")


def read_ratings(context: StreamContext, window: Window) -> Iterator[Page]:
    client: HelpdeskClient = context.client
    account = client.account
    since = {"start_time": int(window.start.timestamp())}
    pages = client.zendesk_list("/api/v2/satisfaction_ratings", "satisfaction_ratings", since)
    try:
        for number, rows in enumerate(pages, start=1):
            yield Page(rows, source_ref=f"satisfaction_ratings page {number}")
    except ConfigurationError as error:
        raise ConfigurationError(
            f"{error} Satisfaction ratings need an admin: make the user of account {account.name} "
            'one, or set satisfaction = "surveys" if the desk uses the newer surveys.'
        ) from None


def read_events(context: StreamContext, window: Window) -> Iterator[Page]:
    """Public comments, and the steps of new surveys, of all tickets."""
    client: HelpdeskClient = context.client
    pages = client.event_pages(int(window.start.timestamp()))
    for number, page in enumerate(pages, start=1):
        records = [
            record
            for event in page.ticket_events
            for child in event.get("child_events") or ()
            if (record := event_record(event, child, client)) is not None
        ]
        yield Page(
            records, source_ref=f"ticket_events page {number}", served_until=window.end - EXPORT_LAG
        )


def ticket_record(ticket: Mapping[str, Any], account: HelpdeskAccount) -> Row:
    """A ticket without people; a deleted one without any text."""
    row = without(ticket, _PEOPLE)
    row["requester_key"] = person_key(ticket.get("requester_id"), account)
    row["agent_key"] = person_key(ticket.get("assignee_id"), account)
    row["channel"] = channel_of(ticket.get("via"))
    row["team"] = account.teams.get(str(ticket.get("group_id")))
    row["marketplace"] = account.brands.get(str(ticket.get("brand_id")))
    if ticket.get("status") == DELETED:
        return {**row, "subject": None, "description": None, "tags": None, "external_id": None}
    tags = ticket.get("tags") or []
    field = custom_field(ticket, account.order_field)
    texts = (ticket.get("subject"), *tags)
    row["order_ref"], row["order_ref_from"] = order_reference(
        account, field, texts, ticket.get("external_id")
    )
    row["topic"] = custom_field(ticket, account.topic_field)
    return row


def event_record(
    event: Mapping[str, Any], child: Mapping[str, Any], client: HelpdeskClient
) -> Row | None:
    """A comment that the buyer can see, or a step of a survey; None for anything else."""
    account = client.account
    kind = str(child.get("event_type") or child.get("type") or "").lower().replace("_", "")
    common = {
        "id": child.get("id"),
        "ticket_id": event.get("ticket_id"),
        "created_at": child.get("created_at") or event.get("created_at"),
    }
    if kind in _SURVEY_STEPS:
        rating, best = survey_rating(child, client) if kind.endswith("submitted") else (None, None)
        step = _SURVEY_STEPS[kind]
        return {**common, "event_type": step, "rating": rating, "rating_max": best}
    if kind != "comment" or child.get("public") is False:
        return None
    channel = channel_of(child.get("via") or event.get("via"))
    author = child.get("author_id")
    return {
        **common,
        "event_type": "comment",
        "channel": channel,
        "author_key": person_key(author, account),
        "is_automatic": author == _SYSTEM or channel in account.automatic,
        "body": child.get("plain_body") or child.get("body"),
    }


def survey_rating(
    child: Mapping[str, Any], client: HelpdeskClient
) -> tuple[float | None, float | None]:
    """Answer and best answer of a survey: told by its event, else read by the answer's id."""
    answers = [child]
    number = child.get("survey_response_id")
    if child.get("rating") is None and number is not None:
        found = client.find(f"/api/v2/guide/survey_responses/{number}") or {}
        answers = (found.get("survey_response") or found).get("answers") or []
    for answer in answers:
        if answer.get("rating") is not None:
            return float(answer["rating"]), float(answer.get("rating_max") or 5)
    return None, None


def _fill_metrics(client: HelpdeskClient, tickets: list[dict[str, Any]]) -> list[Reject]:
    """Metrics of single tickets that came without (archived ones); deleted tickets have none."""
    live = [ticket for ticket in tickets if ticket.get("status") != DELETED]
    bare = [ticket for ticket in live if not ticket.get("metric_set")]
    if not bare or client.account.metrics == "list":
        return []
    if len(bare) == len(live) > 1:
        advice = f'set metrics = "list" for account {client.account.name}'
        return [Reject("metrics_not_in_export", 0, advice, "metric_set")]
    for ticket in bare:
        found = client.find(f"/api/v2/tickets/{ticket['id']}/metrics") or {}
        ticket["metric_set"] = found.get("ticket_metric") or None
    return []
