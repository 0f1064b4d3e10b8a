"""Zendesk Support as the sandbox answers for it.

Belongs here: routes, exports, pages and refusals. Does not belong here: tickets as objects
(`zendesk_tickets.py`), satisfaction (`zendesk_surveys.py`).

The cursor export is by the time of the last change and leaves out the last minute; ratings and
exports need an administrator; an account has one kind of satisfaction survey, never both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from sources._sandbox.scenario import Account
from sources._sandbox.server import Request, Response

from .answers import (
    Budget,
    Object,
    RefusedError,
    after,
    first,
    json_response,
    packed,
    unix,
    unpacked,
    whole_number,
)
from .snapshot import Desk, Ticket
from .zendesk_surveys import ratings, responses, survey_events
from .zendesk_tickets import comments, events, generated, group, metric_set, ticket, user

if TYPE_CHECKING:
    from . import Shown

EXPORT_PAGE, LIST_PAGE, MOST_OFFSET_PAGES = 1000, 100, 100
HIDDEN = timedelta(minutes=1)
ARCHIVED = timedelta(days=120)
ADMIN = "admin"
MINUTE = timedelta(minutes=1)


class Zendesk:
    """One account."""

    def __init__(
        self, account: Account, shown: Shown, budget: Budget, missing_roles: frozenset[str]
    ) -> None:
        self.account, self._shown, self._budget = account.name, shown, budget
        self._has_surveys = account.satisfaction == "surveys"
        self._is_admin = ADMIN not in missing_roles
        self._routes: list[tuple[re.Pattern[str], Callable[..., Object]]] = [
            (re.compile(rf"/api/v2/{path}(?:\.json)?"), answer)
            for path, answer in (
                (r"incremental/tickets/cursor", self._tickets),
                (r"incremental/ticket_events", self._events),
                (r"incremental/ticket_metric_events", self._metric_events),
                (r"ticket_metrics", self._metrics),
                (r"tickets/(\d+)/metrics", self._metric),
                (r"tickets/(\d+)/comments", self._comments),
                (r"tickets/(\d+)", self._ticket),
                (r"satisfaction_ratings", self._ratings),
                (r"guide/(?:[\w-]+/)?survey_responses", self._responses),
                (r"guide/(?:[\w-]+/)?survey_responses/(\w+)", self._response),
                (r"deleted_tickets", self._deleted),
                (r"groups", self._groups),
                (r"users", self._users),
                (r"users/show_many", self._users),
                (r"users/me", self._me),
                (r"brands", self._brands),
            )
        ]

    @staticmethod
    def stranger() -> RefusedError:
        return RefusedError(401, {"error": "Couldn't authenticate you"})

    @staticmethod
    def down() -> RefusedError:
        return RefusedError(503, {"error": "ServiceUnavailable", "description": "Try again."})

    @staticmethod
    def too_many(wait: float) -> RefusedError:
        content = {"error": "APIRateLimitExceeded", "description": "Number of allowed API requests"
                   " per minute exceeded"}  # fmt: skip
        return RefusedError(429, content, **{"Retry-After": str(int(wait))})

    def admit(self, user: str | None) -> None:
        """An API token goes with `email/token`; a bearer token has no user."""
        if user is not None and not user.endswith("/token"):
            raise self.stranger()

    def answer(self, desk: Desk, request: Request) -> Response:
        for path, answer in self._routes:
            match = path.fullmatch(request.path)
            if match and request.method == "GET":
                self._count(request.path)
                return json_response(answer(desk, request, *match.groups()))
        raise RefusedError(404, {"error": "InvalidEndpoint", "description": "Not found"})

    def _count(self, path: str) -> None:
        is_export = "/incremental/" in path
        calls, name = (10, "export") if is_export else (700, "calls")
        wait = self._budget.wait(f"{self.account} {name}", calls, MINUTE)
        if wait:
            raise self.too_many(wait + 1)

    def _needs_admin(self) -> None:
        if not self._is_admin:
            raise RefusedError(
                403, {"error": "Forbidden", "description": "You do not have access to this page."}
            )

    # exports

    def _tickets(self, desk: Desk, request: Request) -> Object:
        """Cursor export: the start time opens it, later pages name the cursor only."""
        self._needs_admin()
        cursor, start = first(request, "cursor"), first(request, "start_time")
        size = min(whole_number(first(request, "per_page"), EXPORT_PAGE) or EXPORT_PAGE, 1000)
        rows = sorted(
            ((unix(generated(t)), t) for t in desk.tickets.values()),
            key=lambda r: (r[0], r[1].number),
        )
        rows = [row for row in rows if row[0] <= unix(desk.moment - HIDDEN)]
        if cursor:
            parts = unpacked(cursor)
            if len(parts) != 2:
                raise _bad("Invalid cursor")
            last = (int(parts[0]), int(parts[1]))
            rows = [row for row in rows if (row[0], row[1].number) > last]
        else:
            since = _start(desk, start)
            last = (since, 0)
            rows = [row for row in rows if row[0] >= since]
        page = rows[:size]
        if page:
            last = (page[-1][0], page[-1][1].number)
        after_cursor = packed(*last)
        with_metrics = "metric_sets" in (first(request, "include") or "").split(",")
        found = [ticket(desk, t, request.origin, with_metrics=with_metrics) for _, t in page]
        return {
            "tickets": self._shown.page(self.account, "zendesk_tickets", found),
            "after_url": f"{request.origin}{request.path}?cursor={after_cursor}",
            "after_cursor": after_cursor,
            "before_url": None,
            "before_cursor": None,
            "end_of_stream": len(page) == len(rows),
        }

    def _events(self, desk: Desk, request: Request) -> Object:
        with_comments = "comment_events" in (first(request, "include") or "").split(",")
        found = [
            event
            for t in desk.tickets.values()
            for event in events(desk, t, with_comments=with_comments)
        ]
        if self._has_surveys:
            found += survey_events(desk)
        return self._since(desk, request, "ticket_events", "timestamp", found)

    def _metric_events(self, desk: Desk, request: Request) -> Object:
        found: list[Object] = [
            {"id": 10 * t.number + 1, "ticket_id": t.number, "metric": "reply_time",
             "instance_id": 1, "type": "activate", "time": f"{t.opened_at:%Y-%m-%dT%H:%M:%SZ}",
             "timestamp": unix(t.opened_at)}
            for t in desk.tickets.values()
        ]  # fmt: skip
        return self._since(desk, request, "ticket_metric_events", "timestamp", found)

    def _since(
        self, desk: Desk, request: Request, name: str, by: str, found: list[Object]
    ) -> Object:
        """Time-based export: the next page begins with the last time of this one."""
        self._needs_admin()
        since = _start(desk, first(request, "start_time"))
        limit = unix(desk.moment - HIDDEN)
        rows = sorted((r for r in found if since <= r[by] <= limit), key=lambda r: (r[by], r["id"]))
        page = rows[:EXPORT_PAGE]
        end = page[-1][by] if page else since
        page = page + [row for row in rows[EXPORT_PAGE:] if row[by] == end]
        is_end = len(page) == len(rows)
        return {
            name: self._shown.page(self.account, f"zendesk_{name}", page),
            "count": len(page),
            "end_time": end,
            "next_page": f"{request.origin}{request.path}?start_time={end}",
            "end_of_stream": is_end,
        }

    # lists

    def _metrics(self, desk: Desk, request: Request) -> Object:
        """Without tickets archived long after they were closed, and without deleted ones."""
        rows = [
            metric_set(t, request.origin)
            for t in desk.tickets.values()
            if not t.is_spam and not (t.status == "closed" and t.last() < desk.moment - ARCHIVED)
        ]
        return self._listed(request, "ticket_metrics", rows)

    def _metric(self, desk: Desk, request: Request, number: str) -> Object:
        return {"ticket_metric": metric_set(self._one(desk, number), request.origin)}

    def _comments(self, desk: Desk, request: Request, number: str) -> Object:
        found = self._listed(request, "comments", comments(desk, self._one(desk, number)))
        if "users" in (first(request, "include") or "").split(","):
            found["users"] = [user(desk, number) for number in sorted(desk.agents)]
        return found

    def _ticket(self, desk: Desk, request: Request, number: str) -> Object:
        return {"ticket": ticket(desk, self._one(desk, number), request.origin)}

    def _ratings(self, desk: Desk, request: Request) -> Object:
        self._needs_admin()
        since, score = first(request, "start_time"), first(request, "score")
        rows = [] if self._has_surveys else ratings(desk, request.origin)
        if since:
            rows = [row for row in rows if row["_at"] >= int(since)]
        if score:
            rows = [row for row in rows if _has_score(row, score)]
        plain = [{k: v for k, v in row.items() if k != "_at"} for row in rows]
        return self._listed(request, "satisfaction_ratings", plain)

    def _responses(self, desk: Desk, request: Request) -> Object:
        self._needs_admin()
        if not self._has_surveys:
            raise _not_found()
        since = first(request, "filter[created_at_start]")
        until = first(request, "filter[created_at_end]")
        wanted = (first(request, "filter[subject_zrns]") or "").split(",")
        rows = [
            row
            for row in responses(desk)
            if (not since or row["_at"] >= int(since))
            and (not until or row["_at"] <= int(until))
            and (wanted == [""] or row["subject_zrns"][0] in wanted)
        ]
        plain = [{k: v for k, v in row.items() if k != "_at"} for row in rows]
        return self._listed(request, "survey_responses", plain)

    def _response(self, desk: Desk, request: Request, identifier: str) -> Object:
        rows = responses(desk) if self._has_surveys else []
        for row in rows:
            if row["id"] == identifier:
                return {"survey_response": {k: v for k, v in row.items() if k != "_at"}}
        raise _not_found()

    def _deleted(self, desk: Desk, request: Request) -> Object:
        rows: list[Object] = [
            {"id": t.number, "subject": "SCRUBBED", "actor": {"id": 1, "name": "Agent"},
             "deleted_at": f"{t.last():%Y-%m-%dT%H:%M:%SZ}", "previous_state": "new",
             "description": "SCRUBBED"}
            for t in desk.tickets.values()
            if t.is_spam
        ]  # fmt: skip
        return self._listed(request, "deleted_tickets", rows)

    def _groups(self, desk: Desk, request: Request) -> Object:
        return self._listed(request, "groups", [group(n, name) for n, name in desk.teams.items()])

    def _users(self, desk: Desk, request: Request) -> Object:
        rows = [user(desk, number) for number in sorted(desk.agents)]
        wanted = first(request, "ids")
        if wanted:
            rows = [row for row in rows if str(row["id"]) in wanted.split(",")]
        return self._listed(request, "users", rows)

    def _me(self, _desk: Desk, request: Request) -> Object:
        role = "admin" if self._is_admin else "agent"
        return {"user": {"id": 1, "name": "Integration", "role": role, "url": request.origin}}

    def _brands(self, _desk: Desk, request: Request) -> Object:
        rows: list[Object] = [
            {"id": 7_001, "name": "Main", "active": True, "default": True},
            {"id": 7_002, "name": "Second", "active": True, "default": False},
        ]
        return self._listed(request, "brands", rows)

    def _one(self, desk: Desk, number: str) -> Ticket:
        found = desk.tickets.get(int(number))
        if found is None or found.is_spam:
            raise _not_found()
        return found

    def _listed(self, request: Request, name: str, rows: Sequence[Object]) -> Object:
        """By cursor where `page[size]` is given, else by page number, which goes only so far."""
        stream = f"zendesk_{name}"
        size = whole_number(first(request, "page[size]"), 0)
        if size:
            size = min(size, LIST_PAGE)
            cursor = first(request, "page[after]")
            last = unpacked(cursor)[0] if cursor and unpacked(cursor) else None
            left = after(rows, lambda row: str(row["id"]), last)
            page = list(left[:size])
            more = len(page) < len(left)
            mark = packed(page[-1]["id"]) if page else None
            link = f"{request.origin}{request.path}?page[after]={mark}&page[size]={size}"
            return {
                name: self._shown.page(self.account, stream, page),
                "meta": {"has_more": more, "after_cursor": mark, "before_cursor": None},
                "links": {"next": link if more else None, "prev": None},
            }
        number = whole_number(first(request, "page"), 1) or 1
        size = min(whole_number(first(request, "per_page"), LIST_PAGE) or LIST_PAGE, LIST_PAGE)
        if number > MOST_OFFSET_PAGES:
            content = {"error": "APIRateLimitExceeded",
                       "description": "Pagination limit reached for offset model"}  # fmt: skip
            raise RefusedError(429, content, **{"Retry-After": "60"})
        page = list(rows[(number - 1) * size : number * size])
        more = number * size < len(rows)
        link = f"{request.origin}{request.path}?page={number + 1}&per_page={size}"
        return {
            name: self._shown.page(self.account, stream, page),
            "next_page": link if more else None,
            "previous_page": None,
            "count": len(rows),
        }


def _start(desk: Desk, given: str | None) -> int:
    since = whole_number(given, -1)
    if since is None or since < 0:
        raise _bad("start_time must be a Unix time")
    if since > unix(desk.moment - HIDDEN):
        raise _bad("Too recent start_time. Use a start_time older than 60 seconds")
    return since


def _bad(text: str) -> RefusedError:
    return RefusedError(422, {"error": "InvalidValue", "description": text})


def _not_found() -> RefusedError:
    return RefusedError(404, {"error": "RecordNotFound", "description": "Not found"})


def _has_score(row: Object, score: str) -> bool:
    kind, _, rest = score.partition("_")
    kinds = ("good", "bad") if kind == "received" else (kind,)
    has_comment = bool(row["comment"])
    wanted = {"": True, "with_comment": has_comment, "without_comment": not has_comment}
    return row["score"] in kinds and wanted.get(rest, False)
