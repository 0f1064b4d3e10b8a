"""Calls of a desk's API: authorisation, pacing, the two kinds of paging of each vendor.

Belongs here: one method for each way of reading. Does not belong here: which fields are kept
(`records.py`), what a page becomes (`zendesk.py`, `gorgias.py`).
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import requests

from sources._core.clock import Clock
from sources._core.connector import AccountSettings
from sources._core.errors import ConfigurationError, SourceError, StopStream
from sources._core.http import Call, Session
from sources._core.limits import Limits, Rate, TokenBucket
from sources._core.pagination import walk

from .config import (
    EXPORT_PAGE,
    GORGIAS_LIMIT,
    GORGIAS_RATE,
    GORGIAS_SECONDS,
    LIST_PAGE,
    HelpdeskAccount,
)

Rows = list[dict[str, Any]]
EXPORT, OTHER = "export", "other"


class MissingError(StopStream):
    """What was asked for by its id is not there."""


class TicketExport(msgspec.Struct):
    """A page of the cursor export; the cursor is there on the last page too."""

    tickets: Rows
    after_cursor: str | None = None
    end_of_stream: bool = False


class EventExport(msgspec.Struct):
    """A page of the time-based export of events."""

    ticket_events: Rows
    end_time: int | None = None
    end_of_stream: bool | None = None
    count: int = 0


class Meta(msgspec.Struct):
    has_more: bool = False
    after_cursor: str | None = None
    next_cursor: str | None = None


class GorgiasList(msgspec.Struct):
    data: Rows
    meta: Meta = msgspec.field(default_factory=Meta)


class HelpdeskClient:
    """One desk. Safe for the threads of its streams."""

    def __init__(self, account: HelpdeskAccount, clock: Clock) -> None:
        self.account = account
        self.clock = clock
        self._session = Session(
            account.endpoint,
            clock,
            limits=Limits(clock, _rates(account)),
            headers={"Authorization": _authorization(account), "Accept": "application/json"},
            classify=_error_of,
            on_answer=_learn_gorgias if account.provider == "gorgias" else None,
        )

    def close(self) -> None:
        self._session.close()

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """One answer, decoded."""
        return self._session.request(Call("GET", path, OTHER, params=params)).value

    def find(self, path: str) -> Any:
        """One answer; None where there is no such thing (RecordNotFound)."""
        try:
            return self.get(path)
        except MissingError:
            return None

    def ticket_pages(self, start_time: int) -> Iterator[TicketExport]:
        """The cursor export: `start_time` on the first page, then nothing but the cursor."""
        decode = msgspec.json.Decoder(TicketExport).decode
        path = "/api/v2/incremental/tickets/cursor"
        common = {"include": "metric_sets", "per_page": EXPORT_PAGE}

        def fetch(cursor: str | None) -> tuple[TicketExport, str | None]:
            place: dict[str, Any] = {"cursor": cursor} if cursor else {"start_time": start_time}
            call = Call("GET", path, EXPORT, params={**place, **common})
            page = self._session.request(call, decode).value
            return page, None if page.end_of_stream else page.after_cursor

        return walk(fetch, f"GET {path}")

    def event_pages(self, start_time: int) -> Iterator[EventExport]:
        """The time-based export of ticket events; there is no cursor for it."""
        decode = msgspec.json.Decoder(EventExport).decode
        path = "/api/v2/incremental/ticket_events"

        def fetch(token: str | None) -> tuple[EventExport, str | None]:
            begin = token or str(start_time)
            params = {"start_time": begin, "include": "comment_events"}
            page = self._session.request(Call("GET", path, EXPORT, params=params), decode).value
            is_last = page.end_of_stream
            if is_last is None:
                is_last = page.count < EXPORT_PAGE
            if is_last or page.end_time is None:
                return page, None
            if str(page.end_time) == begin:
                raise StopStream(
                    f"GET {path} holds more than a page of events of one second and would give "
                    "them for ever. What was read before stays; ask Zendesk's support, or move "
                    "the account's start past that second."
                )
            return page, str(page.end_time)

        return walk(fetch, f"GET {path}")

    def zendesk_list(
        self, path: str, name: str, params: Mapping[str, Any] | None = None
    ) -> Iterator[Rows]:
        """A list with cursors (`page[size]`): paging by numbers ends at a limit."""

        def fetch(cursor: str | None) -> tuple[Rows, str | None]:
            place = {"page[after]": cursor} if cursor else {}
            answer = self.get(path, {"page[size]": LIST_PAGE, **(params or {}), **place})
            meta = msgspec.convert(answer.get("meta") or {}, Meta)
            return answer.get(name) or [], meta.after_cursor if meta.has_more else None

        return walk(fetch, f"GET {path}")

    def gorgias_list(self, path: str, order_by: str) -> Iterator[Rows]:
        """A list of Gorgias, newest first."""
        decode = msgspec.json.Decoder(GorgiasList).decode

        def fetch(cursor: str | None) -> tuple[Rows, str | None]:
            place = {"cursor": cursor} if cursor else {}
            params = {"limit": LIST_PAGE, "order_by": order_by, **place}
            page = self._session.request(Call("GET", path, OTHER, params=params), decode).value
            return page.data, page.meta.next_cursor

        return walk(fetch, f"GET {path}")


def _rates(account: HelpdeskAccount) -> Mapping[str, Rate]:
    if account.provider == "gorgias":
        return {OTHER: GORGIAS_RATE}
    exports, others = account.exports_per_minute, account.requests_per_minute
    return {EXPORT: Rate(exports / 60, exports), OTHER: Rate(others / 60, max(1, others // 4))}


def _error_of(response: requests.Response, subject: str) -> SourceError | None:
    if response.status_code != 404:
        return None
    return MissingError(
        f"{subject} answered 404: there is no such list or ticket. Check subdomain (or base_url) "
        "and provider of the account."
    )


def _learn_gorgias(response: requests.Response, bucket: TokenBucket | None) -> None:
    """`used/limit` of the last 20 seconds; an OAuth app and an enterprise may do more."""
    used, _, limit = response.headers.get(GORGIAS_LIMIT, "").partition("/")
    if bucket is None or not (used.isdigit() and limit.isdigit() and int(limit)):
        return
    bucket.adapt(int(limit) / GORGIAS_SECONDS, int(limit))
    bucket.set_available(int(limit) - int(used))


def _authorization(account: HelpdeskAccount) -> str:
    lasting = account.secrets.get("access_token")
    if lasting is not None:
        return f"Bearer {lasting.get_secret_value()}"
    found = {name: account.secrets.get(name) for name in account.secret_names}
    for name, secret in found.items():
        if secret is None:
            raise ConfigurationError(
                f"account {account.name} has no secret {name}: add secrets.{name} with the name "
                "of the environment variable that holds it, or secrets.access_token"
            )
    email, token = (secret.get_secret_value() for secret in found.values() if secret is not None)
    user = f"{email}/token" if account.provider == "zendesk" else email
    return "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()


def open_account(account: AccountSettings, clock: Clock) -> HelpdeskClient:
    if not isinstance(account, HelpdeskAccount):
        raise TypeError("a helpdesk account is needed")
    if account.subdomain is None and account.base_url is None:
        raise ConfigurationError(
            f"account {account.name} names no desk: add subdomain, for example brand for "
            f"brand.{'zendesk.com' if account.provider == 'zendesk' else 'gorgias.com'}"
        )
    return HelpdeskClient(account, clock)
