"""Gorgias as the sandbox answers for it.

Belongs here: routes, lists by cursor, refusals, and tickets, messages and surveys as objects.

No list has a filter by date. Times have no offset and are UTC, now with and now without fractions.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sources._sandbox.scenario import Account
from sources._sandbox.server import Request, Response
from sources._sandbox.world.service_ids import number_of

from .answers import (
    Budget,
    Object,
    RefusedError,
    after,
    first,
    json_response,
    packed,
    unpacked,
    whole_number,
)
from .snapshot import Desk, Ticket

if TYPE_CHECKING:
    from . import Shown

USUAL, MOST = 30, 100
CALLS, WITHIN = 40, timedelta(seconds=20)
_LIMIT_HEADER = "X-Gorgias-Account-Api-Call-Limit"
_CHANNELS = {"web": "contact_form"}


class Gorgias:
    """One account."""

    def __init__(
        self, account: Account, shown: Shown, budget: Budget, _missing_roles: frozenset[str]
    ) -> None:
        self.account, self._shown, self._budget = account.name, shown, budget
        self._lists: dict[str, Callable[[Desk], list[Object]]] = {
            "tickets": _tickets,
            "messages": _messages,
            "satisfaction-surveys": _surveys,
            "customers": _customers,
            "users": _users,
            "teams": _teams,
            "events": lambda _desk: [],
        }

    @staticmethod
    def stranger() -> RefusedError:
        return RefusedError(401, {"error": {"msg": "Authorization failed."}})

    @staticmethod
    def down() -> RefusedError:
        return RefusedError(503, {"error": {"msg": "Service unavailable."}})

    @staticmethod
    def too_many(wait: float) -> RefusedError:
        content = {"error": {"msg": "API call limit reached."}}
        limit = {"Retry-after": str(int(wait)), _LIMIT_HEADER: f"{CALLS}/{CALLS}"}
        return RefusedError(429, content, **limit)

    def admit(self, _user: str | None) -> None:
        """E-mail and API key, or a bearer token: the key alone decides."""

    def answer(self, desk: Desk, request: Request) -> Response:
        wait = self._budget.wait(self.account, CALLS, WITHIN)
        if wait:
            raise self.too_many(wait + 1)
        limit = {_LIMIT_HEADER: f"{min(self._budget.used(self.account), CALLS)}/{CALLS}"}
        path = request.path.rstrip("/")
        match = re.fullmatch(r"/api/([a-z-]+)(?:/(\d+))?", path)
        if request.method == "GET" and match and match[1] in self._lists:
            rows = self._lists[match[1]](desk)
            if match[2] is None:
                return json_response(self._listed(desk, request, match[1], rows), headers=limit)
            for row in rows:
                if row["id"] == int(match[2]):
                    return json_response(row, headers=limit)
        nested = re.fullmatch(r"/api/tickets/(\d+)/messages", path)
        if request.method == "GET" and nested:
            rows = [r for r in _messages(desk) if r["ticket_id"] == int(nested[1])]
            return json_response(self._listed(desk, request, "messages", rows), headers=limit)
        if request.method == "GET" and path == "/api/account":
            return json_response({"domain": self.account, "status": {"status": "active"}})
        raise RefusedError(404, {"error": {"msg": "Not found."}})

    def _listed(self, desk: Desk, request: Request, name: str, rows: list[Object]) -> Object:
        """A page by cursor; a cursor goes on behind the record that ended the page before."""
        size = whole_number(first(request, "limit"), USUAL)
        if size is None or not 1 <= size <= MOST:
            raise RefusedError(400, {"error": {"msg": f"limit: between 1 and {MOST}."}})
        wanted = first(request, "ticket_id")
        if wanted:
            rows = [row for row in rows if str(row.get("ticket_id")) == wanted]
        rows = _ordered(name, rows, first(request, "order_by"))
        cursor = first(request, "cursor")
        parts = unpacked(cursor) if cursor else []
        if cursor and len(parts) != 1:
            raise RefusedError(400, {"error": {"msg": "cursor: not valid."}})
        left = after(rows, lambda row: str(row["id"]), parts[0] if parts else None)
        page = list(left[:size])
        more = len(page) < len(left)
        return {
            "object": "list",
            "uri": request.path,
            "data": self._shown.page(self.account, f"gorgias_{name.replace('-', '_')}", page),
            "meta": {
                "next_cursor": packed(page[-1]["id"]) if page and more else None,
                "prev_cursor": None,
                "total_resources": None,
            },
        }


def _ordered(name: str, rows: list[Object], order: str | None) -> list[Object]:
    field, _, direction = (order or "created_datetime:desc").partition(":")
    allowed = {"created_datetime"} | ({"updated_datetime"} if name == "tickets" else set())
    if field not in allowed or direction not in ("", "asc", "desc"):
        raise RefusedError(400, {"error": {"msg": f"order_by: one of {sorted(allowed)}."}})
    rows = sorted(rows, key=lambda row: row["id"])
    return sorted(
        rows,
        key=lambda row: datetime.fromisoformat(row.get(field) or "2020-01-01T00:00:00"),
        reverse=direction == "desc",
    )


def _moment(at: datetime | None) -> str | None:
    """With fractions for every second moment."""
    if at is None:
        return None
    return f"{at:%Y-%m-%dT%H:%M:%S}" + (".000000" if at.second % 2 else "")


def _updated(row: Ticket) -> datetime:
    """Closing is the desk's own doing; the days after it change nothing."""
    own = [state["at"] for state in row.states if state["status"] != "closed" or row.is_merged]
    return max([row.opened_at, *own, *(message["sent_at"] for message in row.messages)])


def _closed(row: Ticket) -> datetime | None:
    """When it was closed, while it is."""
    if row.is_merged or row.is_spam:
        at: datetime = row.states[-1]["at"]
        return at
    return row.solved_times()[-1] if row.status in ("solved", "closed") else None


def _tickets(desk: Desk) -> list[Object]:
    return [_ticket(row) for row in desk.tickets.values()]


def _ticket(row: Ticket) -> Object:
    case, closed = row.case, _closed(row)
    mine = [m["sent_at"] for m in row.messages if m["author"] == "buyer"]
    is_answered = any(m["author"] == "agent" for m in row.messages)
    team, name = number_of("team", case["team"]), case["agent"]
    return {
        "id": row.number,
        "uri": f"/api/tickets/{row.number}/",
        "external_id": row.external_id,
        "status": "closed" if closed else "open",
        "priority": "normal",
        "channel": _CHANNELS.get(case["channel"], case["channel"]),
        "via": _CHANNELS.get(case["channel"], case["channel"]),
        "from_agent": case["kind"] == "outbound",
        "spam": row.is_spam,
        "is_unread": False,
        "language": case["language"],
        "subject": row.subject,
        "meta": None,
        "integrations": [],
        "tags": [
            {"id": number_of("tag", tag) % 10**6, "name": tag, "decoration": None}
            for tag in row.tags
        ],
        "customer": _customer(row),
        "assignee_user": {"id": number_of("agent", name), "name": name,
                          "email": f"{name.replace(' ', '.')}@shop.example"}
        if is_answered
        else None,
        "assignee_team": {"id": team, "name": case["team"]},
        "created_datetime": _moment(row.opened_at),
        "opened_datetime": _moment(row.opened_at),
        "last_received_message_datetime": _moment(max(mine, default=None)),
        "last_message_datetime": _moment(max(m["sent_at"] for m in row.messages)),
        "updated_datetime": _moment(_updated(row)),
        "closed_datetime": _moment(closed),
        "snooze_datetime": None,
        "trashed_datetime": _moment(closed) if row.is_merged else None,
        "satisfaction_survey": {"id": _survey_id(row)} if row.reached("asked_at") else None,
        "messages_count": len(row.messages),
    }  # fmt: skip


def _customer(row: Ticket) -> Object:
    buyer = row.buyer or {}
    return {
        "id": number_of("buyer", str(row.case["customer_no"])),
        "email": buyer.get("email"),
        "name": buyer.get("name"),
        "firstname": buyer.get("name"),
        "lastname": "",
    }


def _messages(desk: Desk) -> list[Object]:
    return [
        {
            "id": row.number * 1000 + message["message_no"],
            "uri": f"/api/tickets/{row.number}/messages/{message['message_no']}/",
            "ticket_id": row.number,
            "public": message["is_public"],
            "channel": "email" if message["is_public"] else "internal-note",
            "via": "rule" if message["author"] == "automatic" else "email",
            "from_agent": message["author"] != "buyer",
            "sender": _sender(row, message["author"]),
            "created_datetime": _moment(message["sent_at"]),
            "sent_datetime": _moment(message["sent_at"]),
            "subject": row.subject,
            "body_text": message["text"],
            "body_html": f"<div>{message['text']}</div>",
            "stripped_text": message["text"],
            "rule_id": 71 if message["author"] == "automatic" else None,
        }
        for row in desk.tickets.values()
        for message in row.messages
    ]


def _sender(row: Ticket, author: str) -> Object:
    if author == "buyer":
        return _customer(row)
    name = row.case["agent"] if author == "agent" else "Gorgias Bot"
    return {"id": number_of("agent", name), "name": name, "email": "help@shop.example"}


def _survey_id(row: Ticket) -> int:
    return 5_000_000 + row.number


def _surveys(desk: Desk) -> list[Object]:
    """One of each asked buyer; the score may come long after the survey was made."""
    return [
        {
            "id": _survey_id(row),
            "ticket_id": row.number,
            "customer_id": number_of("buyer", str(row.case["customer_no"])),
            "score": row.score,
            "body_text": row.case["comment"] if row.score is not None else None,
            "created_datetime": _moment(row.reached("asked_at")),
            "sent_datetime": _moment(row.reached("asked_at")),
            "should_send_datetime": _moment(row.reached("asked_at")),
            "scored_datetime": _moment(row.scored_at),
            "meta": None,
            "uri": f"/api/satisfaction-surveys/{_survey_id(row)}/",
        }
        for row in desk.tickets.values()
        if row.reached("asked_at") and not row.is_spam
    ]


def _customers(desk: Desk) -> list[Object]:
    found = {c["id"]: c | {"created_datetime": None} for c in map(_customer, desk.tickets.values())}
    return list(found.values())


def _users(desk: Desk) -> list[Object]:
    return [
        {"id": number, "name": name, "email": f"{name.replace(' ', '.')}@shop.example",
         "role": {"name": "agent"}, "created_datetime": "2024-01-01T00:00:00"}
        for number, (name, _) in sorted(desk.agents.items())
    ]  # fmt: skip


def _teams(desk: Desk) -> list[Object]:
    return [
        {"id": number, "name": name, "created_datetime": "2024-01-01T00:00:00"}
        for number, name in desk.teams.items()
    ]
