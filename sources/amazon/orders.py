"""Orders of the Orders API 2026-01-01, page by page within frozen bounds.

Belongs here: bounds, page tokens, and how much a night reads. Does not belong here: which fields
of an order are kept (`records.py`).
A long window is read in parts, oldest first. A page token lives 24 hours, and a night has a budget
of hours: a part that does not fit is begun again in halves, what is left waits for the next night.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sources._core.connector import Page, Reject, StreamContext, Window
from sources._core.errors import StopStream
from sources._core.pagination import PageGuard

from .client import ORDERS_PATH, AmazonClient, api_time
from .config import FRESHEST, MAX_ORDERS_A_PAGE, ORDERS_KEPT, PAGE_TOKEN_LIFE, AmazonAccount
from .refusals import PageTokenError

LONGEST_PART = timedelta(days=7)
SHORTEST_PART = timedelta(minutes=15)
TOKEN_MARGIN = timedelta(minutes=30)
MAX_EMPTY_PAGES = 500
_STATE = "longest_part_seconds"


class _BudgetSpentError(Exception):
    """The night's hours for orders are over."""


@dataclass
class _Reader:
    context: StreamContext
    deadline: float
    served: datetime | None = None
    empty_pages: int = 0

    @property
    def client(self) -> AmazonClient:
        client: AmazonClient = self.context.client
        return client

    def part(self, part: Window) -> Iterator[Page]:
        """All pages of a part; `served` is then the bound that the API says it served."""
        params = _params(self.client.account, part)
        guard = PageGuard(f"GET {ORDERS_PATH}")
        clock = self.context.clock
        token_dies = clock.monotonic() + (PAGE_TOKEN_LIFE - TOKEN_MARGIN).total_seconds()
        bound = part.end
        token: str | None = None
        while True:
            if clock.monotonic() >= self.deadline:
                raise _BudgetSpentError
            if clock.monotonic() >= token_dies:
                raise PageTokenError("the page token is about to run out")
            sent = params if token is None else {**params, "paginationToken": token}
            answer = self.client.search_orders(sent, guard.pages + 1)
            if answer.served_until is not None:
                bound = min(bound, answer.served_until)
            token = answer.next_token
            guard.check(token, b"".join(answer.orders) if answer.orders else None)
            self._check_empty(bool(answer.orders))
            yield Page(
                answer.orders or (), f"orders from {api_time(part.start)} page {guard.pages}"
            )
            if token is None:
                self.served = bound
                return

    def _check_empty(self, has_orders: bool) -> None:
        """Pages without orders may come in between, but not without end."""
        self.empty_pages = 0 if has_orders else self.empty_pages + 1
        if self.empty_pages > MAX_EMPTY_PAGES:
            raise StopStream(
                f"GET {ORDERS_PATH} gave {MAX_EMPTY_PAGES} pages without an order in a row: paging "
                "would never end. The next night tries again; if it happens again, report it to "
                "Amazon's support."
            )


def read_orders(context: StreamContext, window: Window) -> Iterator[Page]:
    """Orders changed within the window, as far as the night's hours reach."""
    account: AmazonAccount = context.client.account
    now = context.clock.now()
    end = min(window.end, now - FRESHEST)
    oldest = now - ORDERS_KEPT + timedelta(days=1)
    begin = min(max(window.start, oldest), end)
    if window.start < oldest:
        yield Page((), "orders", rejects=(_too_old(oldest),))
    hours = account.order_hours_per_night
    reader = _Reader(context, context.clock.monotonic() + hours * 3_600)
    longest = _longest_part(context)
    is_any_read = False
    while begin < end:
        part = Window(begin, min(begin + longest, end))
        try:
            yield from reader.part(part)
        except (PageTokenError, _BudgetSpentError) as error:
            if isinstance(error, _BudgetSpentError) and is_any_read:
                break
            longest = _halve(context, part)
            if isinstance(error, _BudgetSpentError):
                raise StopStream(
                    f"orders of {api_time(part.start)} to {api_time(part.end)} did not fit into "
                    f"order_hours_per_night = {hours:g}; the next night begins with a shorter "
                    "part. Raise it if the night has time."
                ) from None
            continue
        is_any_read = True
        served = reader.served or part.end
        is_stuck = served <= begin
        begin = max(begin, served)
        if is_stuck or part.end == end:
            _forget_parts(context)
            break
    yield Page((), f"orders read to {api_time(begin)}", served_until=begin)


def _too_old(oldest: datetime) -> Reject:
    advice = (
        f"the API gives orders changed since {api_time(oldest)} only (two years). Older ones: "
        "download them in Seller Central and put them into the drop folder"
    )
    return Reject("older_than_kept", 0, advice, "orders")


def _params(account: AmazonAccount, part: Window) -> dict[str, str]:
    return {
        "lastUpdatedAfter": api_time(part.start),
        "lastUpdatedBefore": api_time(part.end),
        "marketplaceIds": ",".join(account.marketplace_ids),
        "maxResultsPerPage": str(MAX_ORDERS_A_PAGE),
        "includedData": ",".join(account.order_data),
    }


def _longest_part(context: StreamContext) -> timedelta:
    """As learned on earlier nights."""
    seconds = context.state.get(_STATE)
    return LONGEST_PART if seconds is None else timedelta(seconds=float(seconds))


def _forget_parts(context: StreamContext) -> None:
    if context.state.pop(_STATE, None) is not None:
        context.state.save()


def _halve(context: StreamContext, part: Window) -> timedelta:
    length = (part.end - part.start) / 2
    if length < SHORTEST_PART:
        raise StopStream(
            f"orders of {api_time(part.start)} to {api_time(part.end)} cannot be read within a "
            "page token's life or the night's hours. Raise order_hours_per_night; else look "
            "whether Amazon throttles the account."
        )
    context.state[_STATE] = length.total_seconds()
    context.state.save()
    return length
