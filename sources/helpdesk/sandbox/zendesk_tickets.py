"""Tickets, comments, events and metrics as objects of Zendesk's API.

Belongs here: one record each. A deleted ticket keeps its number and loses its words.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sources._sandbox.api_faults import share_of
from sources._sandbox.world.service_ids import number_of
from sources._sandbox.world.working_hours import business_minutes

from .answers import Object, unix
from .snapshot import Desk, Ticket

SCRUBBED = "SCRUBBED"
TOPIC_FIELD, ORDER_FIELD = 360_000_000_001, 360_000_000_002
_BRANDS = (7_001, 7_002)


def moment(at: datetime | None) -> str | None:
    return None if at is None else f"{at:%Y-%m-%dT%H:%M:%SZ}"


def generated(ticket: Ticket) -> datetime:
    """Any change counts here, a survey sent by the desk itself too."""
    return ticket.last(
        ticket.reached("asked_at"), ticket.reached("answered_at"), ticket.reached("changed_at")
    )


def _updated(ticket: Ticket) -> datetime:
    return ticket.last(ticket.reached("answered_at"), ticket.reached("changed_at"))


def requester(ticket: Ticket) -> int:
    return number_of("buyer", str(ticket.case["customer_no"]))


def agent(ticket: Ticket) -> int:
    return number_of("agent", ticket.case["agent"])


def ticket(desk: Desk, row: Ticket, origin: str, *, with_metrics: bool = False) -> Object:
    case, is_gone = row.case, row.is_spam
    status = "deleted" if is_gone else row.status
    words = SCRUBBED if is_gone else row.subject
    text = SCRUBBED if is_gone or not row.messages else row.messages[0]["text"]
    buyer = row.buyer or {}
    tags = [] if is_gone else [*row.tags, *(["closed_by_merge"] if row.is_merged else [])]
    is_answered = any(m["author"] == "agent" for m in row.messages)
    found: Object = {
        "url": f"{origin}/api/v2/tickets/{row.number}.json",
        "id": row.number,
        "external_id": None if is_gone else row.external_id,
        "via": {
            "channel": case["channel"],
            "source": {
                "from": {"address": buyer.get("email"), "name": buyer.get("name")},
                "to": {"address": "help@shop.example", "name": "Help"},
                "rel": None,
            },
        },
        "created_at": moment(row.opened_at),
        "updated_at": moment(_updated(row)),
        "generated_timestamp": unix(generated(row)),
        "type": "question",
        "subject": words,
        "raw_subject": words,
        "description": text,
        "priority": "normal",
        "status": status,
        "recipient": "help@shop.example",
        "requester_id": requester(row),
        "submitter_id": agent(row) if case["kind"] == "outbound" else requester(row),
        "assignee_id": agent(row) if is_answered else None,
        "organization_id": None,
        "group_id": number_of("team", case["team"]),
        "collaborator_ids": [],
        "follower_ids": [],
        "email_cc_ids": [],
        "forum_topic_id": None,
        "problem_id": None,
        "has_incidents": False,
        "is_public": True,
        "due_at": None,
        "tags": tags,
        "custom_fields": [
            {"id": TOPIC_FIELD, "value": None if is_gone else case["topic"]},
            {"id": ORDER_FIELD, "value": None},
        ],
        "satisfaction_rating": {"score": "unoffered"} if is_gone else _rating(row),
        "sharing_agreement_ids": [],
        "brand_id": _BRANDS[share_of("brand", str(case["customer_no"])) < 0.2],
        "allow_channelback": False,
        "allow_attachments": True,
        "from_messaging_channel": False,
    }
    if with_metrics:
        found["metric_set"] = None if is_gone else metric_set(row, origin)
    return found


def _rating(row: Ticket) -> Object:
    if not row.reached("asked_at"):
        return {"score": "unoffered"}
    if row.score is None:
        return {"score": "offered"}
    return {
        "id": rating_id(row),
        "score": "good" if row.score >= 4 else "bad",
        "comment": row.case["comment"],
    }


def rating_id(row: Ticket) -> int:
    return 62_000_000 + row.number


def comments(desk: Desk, row: Ticket) -> list[Object]:
    """What people wrote; what triggers send is a notification and no comment."""
    return [
        {
            "id": _event_id(row, message, 1),
            "type": "Comment",
            "author_id": requester(row) if message["author"] == "buyer" else agent(row),
            "body": message["text"],
            "html_body": f"<div>{message['text']}</div>",
            "plain_body": message["text"],
            "public": message["is_public"],
            "attachments": [],
            "audit_id": _event_id(row, message, 0),
            "via": {"channel": row.case["channel"], "source": {"from": {}, "to": {}, "rel": None}},
            "created_at": moment(message["sent_at"]),
            "metadata": {"system": {}, "custom": {}},
        }
        for message in row.messages
        if message["author"] != "automatic"
    ]


def _event_id(row: Ticket, message: dict[str, Any], part: int) -> int:
    return row.number * 100_000 + int(message["message_no"]) * 10 + part


def events(desk: Desk, row: Ticket, *, with_comments: bool) -> list[Object]:
    """Audits of a ticket, each with what happened in it. A deleted ticket has none."""
    if row.is_spam:
        return []
    found = []
    for comment in comments(desk, row):
        child: Object = {
            "id": comment["id"],
            "via": "Mail",
            "via_reference_id": None,
            "comment_present": True,
            "comment_public": comment["public"],
            "event_type": "Comment",
        }
        if with_comments:
            child |= {k: v for k, v in comment.items() if k not in ("id", "via", "metadata")}
        at = comment["created_at"]
        found.append(audit(row, comment["audit_id"], at, comment["author_id"], [child]))
    before = None
    for number, state in enumerate(row.states):
        change = {"id": row.number * 100_000 + 50_001 + number * 10, "status": state["status"],
                  "event_type": "Change" if before else "Create"}  # fmt: skip
        if before:
            change["previous_value"] = before
        before, identifier = state["status"], row.number * 100_000 + 50_000 + number * 10
        found.append(audit(row, identifier, moment(state["at"]), agent(row), [change]))
    return found


def audit(row: Ticket, number: int, at: str | None, author: int, children: list[Object]) -> Object:
    when = datetime.fromisoformat(str(at)).replace(tzinfo=None)
    return {
        "id": number,
        "ticket_id": row.number,
        "timestamp": unix(when),
        "created_at": at,
        "updater_id": author,
        "via": "Mail",
        "system": {},
        "event_type": "Audit",
        "child_events": children,
    }


def metric_set(row: Ticket, origin: str) -> Object:
    """Times of a ticket; a value is null until its end is reached."""
    opened, solved = row.opened_at, row.solved_times()
    is_over = row.status in ("solved", "closed") and bool(solved)
    public = [m for m in row.messages if m["author"] == "agent" and m["is_public"]]
    reply = public[0]["sent_at"] if public and row.case["kind"] != "outbound" else None
    full = solved[-1] if is_over else None
    held = _held(row)
    return {
        "url": f"{origin}/api/v2/ticket_metrics/{row.number}.json",
        "id": 80_000_000 + row.number,
        "ticket_id": row.number,
        "created_at": moment(opened),
        "updated_at": moment(generated(row)),
        "group_stations": 1,
        "assignee_stations": 1 if public else 0,
        "reopens": sum(
            a["status"] == "solved" and b["status"] in ("open", "pending", "hold")
            for a, b in zip(row.states, row.states[1:], strict=False)
        ),
        "replies": len(public),
        "assignee_updated_at": moment(public[0]["sent_at"]) if public else None,
        "requester_updated_at": moment(_latest(row, "buyer")),
        "status_updated_at": moment(row.states[-1]["at"] if row.states else opened),
        "initially_assigned_at": moment(public[0]["sent_at"]) if public else None,
        "assigned_at": moment(public[0]["sent_at"]) if public else None,
        "solved_at": moment(full),
        "latest_comment_added_at": moment(max(m["sent_at"] for m in row.messages)),
        "reply_time_in_minutes": _minutes(opened, reply),
        "reply_time_in_seconds": {
            "calendar": None if reply is None else int((reply - opened).total_seconds())
        },
        "first_resolution_time_in_minutes": _minutes(opened, solved[0] if solved else None),
        "full_resolution_time_in_minutes": _minutes(opened, full),
        "agent_wait_time_in_minutes": _minutes(opened, reply),
        "requester_wait_time_in_minutes": _minutes(opened, full),
        "on_hold_time_in_minutes": {"calendar": held, "business": held},
    }


def _latest(row: Ticket, author: str) -> datetime | None:
    return max((m["sent_at"] for m in row.messages if m["author"] == author), default=None)


def _held(row: Ticket) -> int:
    held = timedelta()
    for state, following in zip(row.states, row.states[1:], strict=False):
        if state["status"] == "hold":
            held += following["at"] - state["at"]
    return held // timedelta(minutes=1)


def _minutes(start: datetime, end: datetime | None) -> Object:
    if end is None:
        return {"calendar": None, "business": None}
    return {
        "calendar": (end - start) // timedelta(minutes=1),
        "business": business_minutes(start, end),
    }


def group(number: int, name: str) -> Object:
    return {"id": number, "name": name, "description": "", "default": False, "deleted": False}


def user(desk: Desk, number: int) -> Object:
    name, team = desk.agents[number]
    return {
        "id": number,
        "name": name,
        "email": f"{name.replace(' ', '.')}@shop.example",
        "role": "agent",
        "active": True,
        "default_group_id": number_of("team", team),
    }
