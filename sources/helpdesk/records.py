"""Records of the desks: the fields that are kept, named as the vendor names them.

Belongs here: allow-lists. Does not belong here: how derived fields (`order_ref`, hashes of people,
team, topic) are made (`shapes.py`). A field that is not here is never written anywhere.
"""

from __future__ import annotations

from sources._core.records import Record


class Minutes(Record):
    """By the clock, and by the working calendar where the desk has schedules."""

    calendar: int | None = None
    business: int | None = None


class MetricSet(Record):
    """What Zendesk has measured of a ticket."""

    id: int | None = None
    ticket_id: int | None = None
    created_at: str | None = None
    updated_at: str | None = None
    reopens: int | None = None
    replies: int | None = None
    solved_at: str | None = None
    initially_assigned_at: str | None = None
    latest_comment_added_at: str | None = None
    reply_time_in_minutes: Minutes | None = None
    first_resolution_time_in_minutes: Minutes | None = None
    full_resolution_time_in_minutes: Minutes | None = None
    requester_wait_time_in_minutes: Minutes | None = None
    agent_wait_time_in_minutes: Minutes | None = None
    on_hold_time_in_minutes: Minutes | None = None


class ZendeskTicket(Record):
    """A ticket in the state of its last change. A deleted one is a row of its own, without text."""

    id: int
    updated_at: str | None = None
    created_at: str | None = None
    generated_timestamp: int | None = None
    external_id: str | None = None
    status: str | None = None
    priority: str | None = None
    channel: str | None = None
    subject: str | None = None
    description: str | None = None
    tags: list[str] | None = None
    group_id: int | None = None
    brand_id: int | None = None
    is_public: bool | None = None
    requester_key: str | None = None
    agent_key: str | None = None
    team: str | None = None
    marketplace: str | None = None
    order_ref: str | None = None
    order_ref_from: str | None = None
    topic: str | None = None
    metric_set: MetricSet | None = None


class ZendeskMetric(MetricSet):
    """A row of the list of metrics."""

    id: int


class ZendeskRating(Record):
    """An old satisfaction rating: offered, unoffered, good or bad."""

    id: int
    ticket_id: int | None = None
    score: str | None = None
    comment: str | None = None
    reason: str | None = None
    reason_code: int | None = None
    created_at: str | None = None
    updated_at: str | None = None


class ZendeskEvent(Record):
    """A public comment of a ticket, or a step of a new satisfaction survey."""

    id: int
    ticket_id: int | None = None
    event_type: str | None = None
    created_at: str | None = None
    channel: str | None = None
    author_key: str | None = None
    is_automatic: bool | None = None
    body: str | None = None
    rating: float | None = None
    rating_max: float | None = None


class GorgiasTicket(Record):
    """A ticket in the state of its last change."""

    id: int
    updated_datetime: str | None = None
    external_id: str | None = None
    status: str | None = None
    priority: str | None = None
    channel: str | None = None
    via: str | None = None
    from_agent: bool | None = None
    spam: bool | None = None
    subject: str | None = None
    language: str | None = None
    tags: list[str] | None = None
    customer_key: str | None = None
    agent_key: str | None = None
    team: str | None = None
    order_ref: str | None = None
    order_ref_from: str | None = None
    created_datetime: str | None = None
    opened_datetime: str | None = None
    last_received_message_datetime: str | None = None
    last_message_datetime: str | None = None
    closed_datetime: str | None = None
    snooze_datetime: str | None = None
    trashed_datetime: str | None = None
    messages_count: int | None = None


class GorgiasMessage(Record):
    """A public message of a ticket."""

    id: int
    ticket_id: int | None = None
    channel: str | None = None
    via: str | None = None
    from_agent: bool | None = None
    is_automatic: bool | None = None
    created_datetime: str | None = None
    sent_datetime: str | None = None
    stripped_text: str | None = None


class GorgiasSurvey(Record):
    """A satisfaction survey; its score may come long after it was made."""

    id: int
    ticket_id: int | None = None
    score: float | None = None
    body_text: str | None = None
    created_datetime: str | None = None
    sent_datetime: str | None = None
    should_send_datetime: str | None = None
    scored_datetime: str | None = None


class Topic(Record):
    """What a tag or topic of a desk means."""

    raw_topic: str
    topic_l2: str | None = None
    case_type: str | None = None
    reason_l2: str | None = None
