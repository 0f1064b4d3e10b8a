"""The Post-Order API: returns, cancellations, inquiries and cases. The one module that knows it.

Belongs here: searching by time of creation, details, what is read again. Does not belong here: the
REST APIs, and which fields are kept (`case_records.py`).
Post-Order is old: it has no specification and no sandbox, lists by creation only, ignores
parameters that it does not know, and says two things about paging. So windows are halved until all
entries come in one answer, and every entry must lie in its window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from sources._core.connector import Page, Reject, StreamContext, Window
from sources._core.errors import ConfigurationError, StopStream
from sources._core.records import Record
from sources._core.schema import allowed_names
from sources._core.windows import split_window, start_of_day

from . import case_records as records
from .answers import Node, NothingFoundError
from .client import EbayClient, ebay_time
from .config import POST_ORDER_SHOWN
from .shapes import plain, post_order_record
from .tracked import Tracked

LIMIT = 200
LONGEST = timedelta(days=90)
SWEEP_EVERY = timedelta(days=7)
SWEEP_BACK = timedelta(days=90)
KEEP_CLOSED = timedelta(days=3)
_SHORTEST = timedelta(minutes=1)
_TICK = timedelta(milliseconds=1)
_TIMES = 3
_BATCH = 25
_API = "post-order"
_CLOSED = frozenset({"CLOSED", "CLOSED_WITH_ESCALATION", "CS_CLOSED"})


@dataclass(frozen=True)
class Kind:
    """One sort of thing. `role`: the search needs it; `wrapper`: field a detail may lie in."""

    path: str
    members: str
    dates: str
    key: str
    created: tuple[str, ...]
    record: type[Record]
    is_closed: Callable[[Node], bool]
    role: bool = False
    wrapper: str | None = None
    detail_only: bool = False  # the detail lacks what the search gives, and lies in `detail`


RETURN = Kind(
    path="return",
    members="members",
    dates="creation_date_range",
    key="returnId",
    created=("creationInfo", "creationDate"),
    record=records.Return,
    is_closed=lambda record: record.get("state") == "CLOSED",
    role=True,
    detail_only=True,
)
CANCELLATION = Kind(
    path="cancellation",
    members="cancellations",
    dates="creation_date_range",
    key="cancelId",
    created=("cancelRequestDate",),
    record=records.Cancellation,
    is_closed=lambda r: r.get("cancelState") == "CLOSED" or bool(r.get("cancelCloseDate")),
    role=True,
    wrapper="cancelDetail",
)
INQUIRY = Kind(
    path="inquiry",
    members="members",
    dates="inquiry_creation_date_range",
    key="inquiryId",
    created=("creationDate",),
    record=records.Inquiry,
    is_closed=lambda record: record.get("status") in _CLOSED,
)
CASE = Kind(
    path="casemanagement",
    members="members",
    dates="case_creation_date_range",
    key="caseId",
    created=("creationDate",),
    record=records.Case,
    is_closed=lambda record: record.get("status") in _CLOSED,
)


def reader(kind: Kind) -> Callable[[StreamContext, Window], Iterator[Page]]:
    """Reads what was created in the window, what is open, and once a week the last 90 days."""

    def read(context: StreamContext, window: Window) -> Iterator[Page]:
        client: EbayClient = context.client
        if client.account.environment == "sandbox":
            note = "eBay's sandbox has no Post-Order API: use the production environment for it"
            rejects = [Reject("not_in_sandbox", 0, note)]
            yield Page((), kind.path, rejects=rejects, served_until=window.start)
            return
        _refuse_hidden(client, window)
        client.quotas.stop_if_used_up(_API)
        task = _Task(client, kind, Tracked(context, KEEP_CLOSED))
        yield from task.created(window)
        if window.is_last:
            yield from task.again()
            yield from task.swept(window)
        task.tracked.save()

    return read


@dataclass
class _Task:
    client: EbayClient
    kind: Kind
    tracked: Tracked

    def created(self, window: Window) -> Iterator[Page]:
        for part in split_window(window, LONGEST):
            for members, place in _found(self.client, self.kind, part):
                for start in range(0, len(members), _BATCH):
                    batch = members[start : start + _BATCH]
                    yield Page([self._whole(member) for member in batch], place)

    def again(self) -> Iterator[Page]:
        """Those that were open: by id, since no search tells what has changed."""
        for key in self.tracked.due():
            record = self._by_id(key)
            yield Page([record] if record else (), f"{self.kind.path} {key} again")

    def swept(self, window: Window) -> Iterator[Page]:
        self.tracked.begin_sweeps()
        if not self.tracked.is_sweep_due(SWEEP_EVERY):
            return
        begin = max(window.end - SWEEP_BACK, start_of_day(self.client.account.start))
        if begin < window.start:
            yield from self.created(Window(begin, window.start))
        self.tracked.swept()

    def _whole(self, member: Node) -> Node:
        key = str(member[self.kind.key])
        return self._landed(key, post_order_record(member, self.client.account), self._detail(key))

    def _by_id(self, key: str) -> Node | None:
        """What the search told at first stays where the detail does not tell it anew."""
        first = dict(self.tracked.first(key))
        detail = self._detail(key)
        if not self.kind.detail_only:
            return self._landed(key, first, detail)
        summary = self._ask(key, "SUMMARY").get("summary")
        if not summary:
            return None
        summary = post_order_record(summary, self.client.account)
        return self._landed(key, {**first, **summary}, detail)

    def _landed(self, key: str, member: Node, detail: Node) -> Node:
        record = {**member, "detail": detail} if self.kind.detail_only else {**member, **detail}
        record[self.kind.key] = key
        first = member if not self.kind.detail_only else {}
        names = allowed_names(self.kind.record)
        self.tracked.note(
            key,
            is_closed=self.kind.is_closed(record),
            first={name: value for name, value in first.items() if name in names},
        )
        return record

    def _detail(self, key: str) -> Node:
        found = self._ask(key, "FULL")
        if self.kind.detail_only:
            return post_order_record(found.get("detail") or {}, self.client.account)
        inner = found.get(self.kind.wrapper) if self.kind.wrapper else None
        return post_order_record(inner or found, self.client.account)

    def _ask(self, key: str, fieldgroups: str) -> Node:
        path = f"/{self.kind.path}/{quote(key, safe='')}"
        groups = {"fieldgroups": fieldgroups} if self.kind.role else None
        try:
            return self.client.ask(_API, path, groups)
        except NothingFoundError:
            return {}


def _found(client: EbayClient, kind: Kind, window: Window) -> Iterator[tuple[list[Node], str]]:
    """Members created in the window, in pieces that come in one answer each."""
    members, total = _search(client, kind, window)
    if total is None and len(members) >= LIMIT:
        total = LIMIT + 1
    if total is not None and total > LIMIT:
        middle = (window.start + (window.end - window.start) / 2).replace(microsecond=0)
        if window.end - window.start > _SHORTEST:
            yield from _found(client, kind, Window(window.start, middle, is_last=False))
            yield from _found(client, kind, Window(middle, window.end, is_last=window.is_last))
            return
        members = _by_both_readings(client, kind, window, total)
    place = f"{kind.path}/search {ebay_time(window.start)}"
    for member in members:
        _check_created(kind, member, window, place)
    yield members, place


def _search(
    client: EbayClient, kind: Kind, window: Window, **more: Any
) -> tuple[list[Node], int | None]:
    """One answer, asked again where it gives fewer members than it counts."""
    params = {
        f"{kind.dates}_from": ebay_time(window.start),
        f"{kind.dates}_to": ebay_time(window.end - _TICK),
        "limit": LIMIT,
        **({"role": "SELLER"} if kind.role else {}),
        **more,
    }
    for _ in range(_TIMES):
        answer = client.ask(_API, f"/{kind.path}/search", params)
        members = [member for member in answer.get(kind.members) or () if member is not None]
        total = _total(answer)
        ids = {str(member.get(kind.key)) for member in members}
        if more or total is None or total > LIMIT or len(ids) >= total:
            return members, total
    raise StopStream(
        f"{kind.path}/search counts {total} entries from {ebay_time(window.start)} and gives "
        f"{len(ids)}. What was read stays; the next night reads the window again."
    )


def _total(answer: Mapping[str, Any]) -> int | None:
    paging = answer.get("paginationOutput") or {}
    names = ("totalNumberOfInquiries", "totalNumberOfCases", "total")
    found = [paging.get("totalEntries"), *(answer.get(name) for name in names)]
    return next((int(total) for total in found if total is not None), None)


def _by_both_readings(client: EbayClient, kind: Kind, window: Window, total: int) -> list[Node]:
    """More entries in one minute than one answer holds: `offset` read as rows, then as pages."""
    found: dict[str, Node] = {}
    for step in (LIMIT, 1):
        for number in range(-(-total // LIMIT) + 1):
            members, _total_again = _search(client, kind, window, offset=number * step)
            found.update((str(member.get(kind.key)), member) for member in members)
    if len(found) != total:
        raise StopStream(
            f"{kind.path}/search counts {total} entries in the minute of "
            f"{ebay_time(window.start)}, but {len(found)} can be had by paging. Report it to "
            "eBay's support; what was read stays."
        )
    return list(found.values())


def _check_created(kind: Kind, member: Node, window: Window, place: str) -> None:
    """eBay ignores parameters that it does not know: then other entries come, and some do not."""
    value: Any = plain(member)
    for step in kind.created:
        value = value.get(step) if isinstance(value, Mapping) else None
    at = datetime.fromisoformat(value) if isinstance(value, str) else None
    if at is not None and at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    if at is None or not window.start <= at < window.end:
        raise StopStream(
            f"{place} gave an entry of another time ({value}): eBay no longer heeds the dates of "
            "the search, so that entries may be missing. The connector has to be adapted."
        )


def _refuse_hidden(client: EbayClient, window: Window) -> None:
    oldest = client.clock.now() - POST_ORDER_SHOWN
    if window.start < oldest:
        raise ConfigurationError(
            f"account {client.account.name}: eBay shows returns, cancellations and cases of the "
            f"last 18 months only. Set start to {(oldest + timedelta(days=1)).date()} or later."
        )
