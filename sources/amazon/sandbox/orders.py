"""Orders API 2026-01-01: `searchOrders` and `getOrder`, their parameter rules and pages.

Belongs here: which orders a request gets. Does not belong here: how one looks
(`order_records.py`).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import Any

import msgspec
import polars as pl

from sources._core.clock import Clock
from sources._sandbox.api_faults import ApiFaults, Drift, SourceFaults, share_of
from sources._sandbox.server import Request, Response
from sources._sandbox.snapshots import Snapshots

from .answers import JSON, api_time, csv_values, forbidden, invalid, not_found, parse_time
from .order_records import INCLUDABLE, order_records
from .places import BY_ID
from .snapshot import Snapshot

STATUSES = frozenset(
    {
        "PENDING_AVAILABILITY",
        "PENDING",
        "UNSHIPPED",
        "PARTIALLY_SHIPPED",
        "SHIPPED",
        "CANCELLED",
        "UNFULFILLABLE",
    }
)
FULFILLERS = frozenset({"MERCHANT", "AMAZON"})
SETTLING = timedelta(minutes=2)
TOKEN_LIFETIME = timedelta(hours=24)
HISTORY = timedelta(days=731)
EMPTY_PAGE_SHARE = 0.05

_FAMILIES = {
    "createdAfter": ("ordered_at", "createdBefore"),
    "lastUpdatedAfter": ("updated_at", "lastUpdatedBefore"),
}


@dataclass(frozen=True)
class Search:
    """One checked search. `after` and `before` are inclusive, `before` is what is served."""

    column: str
    after: datetime
    before: datetime
    places: tuple[str, ...]
    statuses: tuple[str, ...]
    fulfilled_by: tuple[str, ...]

    @property
    def bound_name(self) -> str:
        return "createdBefore" if self.column == "ordered_at" else "lastUpdatedBefore"


@dataclass
class Orders:
    """Answers for orders of all accounts."""

    clock: Clock
    snapshots: Snapshots[str, Snapshot]
    seed: int
    faults: ApiFaults
    source_faults: SourceFaults
    joined: Callable[[str], frozenset[str]]
    with_personal_data: bool = False
    _records: dict[tuple[str, datetime, frozenset[str]], pl.DataFrame] = field(default_factory=dict)
    _lock: RLock = field(default_factory=RLock)

    def search(self, account: str, request: Request) -> Response:
        """`GET /orders/2026-01-01/orders`."""
        included = self._included(request)
        size = self._page_size(request)
        fingerprint = self._fingerprint(account, request)
        token = request.values("paginationToken")
        last: tuple[str, str] | None = None
        frozen_until: datetime | None = None
        if token:
            last, frozen_until = self._read_token(token[0], fingerprint)
        search = self._search(account, request, frozen_until)
        records = self._matching(account, search, included)
        if last is not None:
            moment = datetime.fromisoformat(last[0])
            is_later = (pl.col(search.column) > moment) | (
                (pl.col(search.column) == moment) & (pl.col("order_id") > last[1])
            )
            records = records.filter(is_later)
        elif records.height > size and self._begins_empty(fingerprint):
            return self._page(search, records[:0], ("0001-01-01T00:00:00", ""), fingerprint)
        page = records[:size]
        following = None
        if records.height > size:
            row = page.row(-1, named=True)
            following = (row[search.column].isoformat(), row["order_id"])
        return self._page(search, page, following, fingerprint)

    def order(self, account: str, order_id: str, request: Request) -> Response:
        """`GET /orders/2026-01-01/orders/{orderId}`."""
        included = self._included(request)
        found = self._table(account, included).filter(pl.col("order_id") == order_id)
        if found.height == 0:
            raise not_found(f"Order {order_id} does not exist.")
        text = self._with_drift(found["json"].to_list())[0]
        return Response(200, b'{"order":' + text.encode() + b"}", {"Content-Type": JSON})

    def _included(self, request: Request) -> frozenset[str]:
        texts = request.values("includedData")
        return frozenset(csv_values("includedData", texts, INCLUDABLE, len(INCLUDABLE)))

    def _page_size(self, request: Request) -> int:
        text = (request.values("maxResultsPerPage") or ["100"])[0]
        if not text.isdecimal() or not 1 <= int(text) <= 100:
            raise invalid("maxResultsPerPage: a number between 1 and 100.")
        return int(text)

    def _search(self, account: str, request: Request, frozen_until: datetime | None) -> Search:
        given = {name for name, _ in request.query}
        starts = [name for name in _FAMILIES if name in given]
        if len(starts) != 1:
            raise invalid("Exactly one of createdAfter and lastUpdatedAfter is required.")
        column, end_name = _FAMILIES[starts[0]]
        other = {end for _, end in _FAMILIES.values()} - {end_name}
        if other & given:
            raise invalid(f"{next(iter(other))} cannot be combined with {starts[0]}.")
        after = parse_time(starts[0], request.values(starts[0])[0])
        latest = self.clock.now() - SETTLING
        before = latest
        if end_name in given:
            before = parse_time(end_name, request.values(end_name)[0])
            if before > latest:
                raise invalid(f"{end_name} must be at least two minutes before now.")
            if before < after:
                raise invalid(f"{end_name} must be equal to or after {starts[0]}.")
        places = csv_values("marketplaceIds", request.values("marketplaceIds"), None, 50)
        unknown = [place for place in places if place not in BY_ID]
        if unknown:
            raise invalid(f"marketplaceIds: '{unknown[0]}' is not a marketplace.")
        if not set(places) <= self.joined(account):
            raise forbidden("The seller does not sell in a marketplace of marketplaceIds.")
        statuses = request.values("fulfillmentStatuses")
        return Search(
            column,
            after,
            min(before, frozen_until or before),
            tuple(places),
            tuple(csv_values("fulfillmentStatuses", statuses, STATUSES, len(STATUSES))),
            tuple(csv_values("fulfilledBy", request.values("fulfilledBy"), FULFILLERS, 2)),
        )

    def _table(self, account: str, included: frozenset[str]) -> pl.DataFrame:
        snapshot = self.snapshots.at(account, self.clock.now())
        key = (account, snapshot.now, included)
        with self._lock:
            if key not in self._records:
                if len(self._records) > 16:
                    self._records.clear()
                self._records[key] = order_records(
                    snapshot, included, with_personal_data=self.with_personal_data
                )
            return self._records[key]

    def _matching(self, account: str, search: Search, included: frozenset[str]) -> pl.DataFrame:
        after, before = (
            moment.astimezone(UTC).replace(tzinfo=None) for moment in (search.after, search.before)
        )
        oldest = self.clock.now().astimezone(UTC).replace(tzinfo=None) - HISTORY
        conditions = [
            pl.col(search.column).is_between(after, before),
            pl.col("ordered_at") >= oldest,
        ]
        for column, values in (
            ("marketplace_id", search.places),
            ("status", search.statuses),
            ("fulfilled_by", search.fulfilled_by),
        ):
            if values:
                conditions.append(pl.col(column).is_in(list(values)))
        found = self._table(account, included).filter(conditions)
        return found.sort(search.column, "order_id") if search.column == "ordered_at" else found

    def _page(
        self,
        search: Search,
        page: pl.DataFrame,
        following: tuple[str, str] | None,
        fingerprint: str,
    ) -> Response:
        texts = self._disturbed(self._with_drift(page["json"].to_list()), fingerprint)
        parts = [b'{"orders":[' + ",".join(texts).encode() + b"]"]
        if following is not None:
            token = self._token(following, search.before, fingerprint)
            parts.append(b'"pagination":' + msgspec.json.encode({"nextToken": token}))
        bound = api_time(search.before)
        parts.append(f'"{search.bound_name}":"{bound}"'.encode() + b"}")
        return Response(200, b",".join(parts), {"Content-Type": JSON})

    def _disturbed(self, texts: list[str], fingerprint: str) -> list[str]:
        """An order given twice, or all in no order, in the scenario's share of pages."""
        if not texts:
            return texts
        if self.faults.strikes("duplicate_record", fingerprint, texts[0]):
            texts = [*texts, texts[len(texts) // 2]]
        if self.faults.strikes("out_of_order", fingerprint, texts[0]):
            texts = sorted(texts, key=lambda text: share_of(self.seed, text))
        return texts

    def _begins_empty(self, fingerprint: str) -> bool:
        """Now and then the first page holds nothing, although more follow."""
        return share_of(self.seed, "empty page", fingerprint) < EMPTY_PAGE_SHARE

    def _with_drift(self, texts: list[str]) -> list[str]:
        drifts = self.source_faults.drifts_of("orders", self.clock)
        if not drifts:
            return texts
        changed = []
        for text in texts:
            order = msgspec.json.decode(text)
            for drift in drifts:
                drift_member(order, drift.field.split("."), drift)
            changed.append(msgspec.json.encode(order).decode())
        return changed

    def _fingerprint(self, account: str, request: Request) -> str:
        """What must stay the same from page to page."""
        free = {"paginationToken", "maxResultsPerPage", "includedData"}
        same = sorted(pair for pair in request.query if pair[0] not in free)
        return hashlib.sha256(repr((account, same)).encode()).hexdigest()[:24]

    def _token(self, last: tuple[str, str], until: datetime, fingerprint: str) -> str:
        content = [list(last), api_time(until), fingerprint, api_time(self.clock.now())]
        body = msgspec.json.encode(content)
        return (self._seal(body) + body).hex()

    def _read_token(self, token: str, fingerprint: str) -> tuple[tuple[str, str], datetime]:
        refusal = invalid("The paginationToken is not valid for this request.")
        try:
            packed = bytes.fromhex(token)
        except ValueError as error:
            raise refusal from error
        seal, body = packed[:16], packed[16:]
        if not hmac.compare_digest(seal, self._seal(body)):
            raise refusal
        last, until, owner, issued = msgspec.json.decode(body)
        if owner != fingerprint:
            raise refusal
        if self.clock.now() - datetime.fromisoformat(issued) > TOKEN_LIFETIME:
            raise invalid("The paginationToken has expired.")
        return (last[0], last[1]), datetime.fromisoformat(until)

    def _seal(self, body: bytes) -> bytes:
        return hmac.new(f"pages-{self.seed}".encode(), body, hashlib.sha256).digest()[:16]


def drift_member(value: Any, path: list[str], drift: Drift) -> None:
    """Change one member of an order in place; a list on the way is changed in all its elements."""
    if isinstance(value, list):
        for element in value:
            drift_member(element, path, drift)
        return
    if not isinstance(value, dict):
        return
    name = path[0]
    if len(path) > 1:
        drift_member(value.get(name), path[1:], drift)
    elif drift.change == "add":
        value[name] = "new"
    elif name not in value:
        return
    elif drift.change == "drop":
        del value[name]
    elif drift.change == "rename":
        value[f"{name}V2"] = value.pop(name)
    else:
        old = value[name]
        value[name] = {"value": old} if isinstance(old, str) else str(old)
