"""The streams of the desks: what is read, how rows are recognised, how far back each night looks.

Belongs here: declarations. Does not belong here: fetching (`zendesk.py`, `gorgias.py`). Streams of
another vendor than the account's are not read.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sources._core.connector import Stream
from sources._core.static import csv_stream, static_streams

from . import gorgias, records, zendesk

_LOOKBACK = timedelta(hours=1)
# A rating may be changed, and a survey scored, long after it was made.
_SATISFACTION_LOOKBACK = timedelta(days=90)


def _ticket_key(ticket: records.ZendeskTicket) -> str:
    """A deleted ticket is scrubbed: beside its last state, of which the models take no text."""
    return f"{ticket.id}|deleted" if ticket.status == zendesk.DELETED else str(ticket.id)


ZENDESK = (
    Stream(
        name="zendesk_tickets",
        record=records.ZendeskTicket,
        key=_ticket_key,
        version="updated_at",
        read=zendesk.read_tickets,
        lookback=_LOOKBACK,
        free_text=("subject", "description", "tags"),
        event_field="created_at",
        known_dropped=(
            "url", "raw_subject", "type", "recipient", "submitter_id", "organization_id",
            "collaborator_ids", "follower_ids", "email_cc_ids", "forum_topic_id", "problem_id",
            "has_incidents", "due_at", "fields", "satisfaction_rating", "sharing_agreement_ids",
            "custom_status_id", "followup_ids", "ticket_form_id", "allow_channelback",
            "allow_attachments", "from_messaging_channel", "encoded_id", "support_type",
            "metric_set.url", "metric_set.group_stations", "metric_set.assignee_stations",
            "metric_set.assignee_updated_at", "metric_set.requester_updated_at",
            "metric_set.status_updated_at", "metric_set.assigned_at",
            "metric_set.custom_status_updated_at", "metric_set.reply_time_in_seconds",
        ),
    ),
    Stream(
        name="zendesk_ticket_metrics",
        record=records.ZendeskMetric,
        key=("id",),
        version="updated_at",
        read=zendesk.read_metrics,
        lookback=_LOOKBACK,
        event_field="created_at",
    ),
    Stream(
        name="zendesk_satisfaction_ratings",
        record=records.ZendeskRating,
        key=("id",),
        version="updated_at",
        read=zendesk.read_ratings,
        lookback=_SATISFACTION_LOOKBACK,
        free_text=("comment", "reason"),
        event_field="created_at",
        known_dropped=("url", "assignee_id", "group_id", "requester_id", "reason_id"),
    ),
    Stream(
        name="zendesk_events",
        record=records.ZendeskEvent,
        key=("id",),
        read=zendesk.read_events,
        lookback=_LOOKBACK,
        free_text=("body",),
        event_field="created_at",
    ),
)  # fmt: skip
GORGIAS = (
    Stream(
        name="gorgias_tickets",
        record=records.GorgiasTicket,
        key=("id",),
        version="updated_datetime",
        read=gorgias.newest_first(
            "tickets", "/api/tickets", "updated_datetime", gorgias.ticket_record
        ),
        lookback=_LOOKBACK,
        free_text=("subject", "tags"),
        event_field="created_datetime",
        known_dropped=("uri", "customer_id", "assignee_user_id", "assignee_team_id", "meta"),
    ),
    Stream(
        name="gorgias_messages",
        record=records.GorgiasMessage,
        key=("id",),
        read=gorgias.newest_first(
            "messages", "/api/messages", "created_datetime", gorgias.message_record
        ),
        lookback=_LOOKBACK,
        free_text=("stripped_text",),
        event_field="created_datetime",
        known_dropped=("uri", "receiver", "source", "body_html", "stripped_html", "subject"),
    ),
    Stream(
        name="gorgias_surveys",
        record=records.GorgiasSurvey,
        key=("id",),
        read=gorgias.newest_first(
            "satisfaction-surveys",
            "/api/satisfaction-surveys",
            "created_datetime",
            gorgias.survey_record,
        ),
        lookback=_SATISFACTION_LOOKBACK,
        free_text=("body_text",),
        event_field="created_datetime",
        known_dropped=("uri", "meta"),
    ),
)
_HERE = Path(__file__).parent
STREAMS = (
    *ZENDESK,
    *GORGIAS,
    csv_stream("topics", _HERE / "topics.csv", records.Topic, ("raw_topic",)),
    *static_streams(_HERE),
)
