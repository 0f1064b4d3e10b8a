"""Finances API 2024-06-19: `listTransactions`, its parameter rules and pages.

Belongs here: which transactions a request gets and in which state. Does not belong here: how one
looks (`transactions.py`). What was booked is shown up to two days late; a sale that is held back
is DEFERRED until its release, which is a transaction of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import Any

import msgspec
import polars as pl

from sources._core.clock import Clock
from sources._sandbox.api_faults import share_of
from sources._sandbox.server import Request, Response
from sources._sandbox.world.booking_keys import KEY
from sources._sandbox.world.tables import World

from .answers import forbidden, invalid, json_response, parse_time
from .transactions import TYPES, transaction

SETTLING = timedelta(minutes=2)
LONGEST = timedelta(days=180)
PAGE = 60
EMPTY_PAGE_SHARE = 0.15
STATUSES = frozenset({"DEFERRED", "RELEASED", "DEFERRED_RELEASED"})
IDENTIFIERS = frozenset({"ORDER_ID", "FINANCIAL_EVENT_GROUP_ID"})
_ARGUMENTS = (
    "postedAfter", "postedBefore", "marketplaceId", "transactionStatus",
    "relatedIdentifierName", "relatedIdentifierValue",
)  # fmt: skip

Query = dict[str, str | None]
"""Arguments by name, None where not given."""


@dataclass
class Finances:
    """Answers for transactions of all accounts."""

    world: World
    clock: Clock
    seed: int
    joined: Callable[[str], frozenset[str]]
    _heads: dict[tuple[str, datetime], pl.DataFrame] = field(default_factory=dict)
    _lock: RLock = field(default_factory=RLock)

    def transactions(self, account: str, request: Request) -> Response:
        """`GET /finances/2024-06-19/transactions`."""
        query: Query = {name: next(iter(request.values(name)), None) for name in _ARGUMENTS}
        token = request.values("nextToken")
        offset, until, is_fresh = 0, self._now() - SETTLING, True
        if token:
            offset, until = self._read_token(token[0], account, query)
            is_fresh = False
        found = self._matching(account, query, until)
        luck = share_of(self.seed, "empty", account, str(query), offset)
        if is_fresh and found.height > PAGE and luck < EMPTY_PAGE_SHARE:
            return self._page(account, query, until, found[:0], 0)
        page = found[offset : offset + PAGE]
        following = offset + PAGE if found.height > offset + PAGE else None
        return self._page(account, query, until, page, following)

    def _now(self) -> datetime:
        return self.clock.now().astimezone(UTC).replace(tzinfo=None)

    def _matching(self, account: str, query: Query, until: datetime) -> pl.DataFrame:
        self._check(account, query)
        heads = self._all(account, until)
        if query["relatedIdentifierName"] == "FINANCIAL_EVENT_GROUP_ID":
            return heads[:0]
        if query["relatedIdentifierName"]:
            heads = heads.filter(pl.col("order_id") == query["relatedIdentifierValue"])
        after, before = self._bounds(query, until)
        if after is not None:
            if before - after > LONGEST:
                return heads[:0]
            heads = heads.filter(pl.col("at").is_between(after, before, closed="left"))
        if query["transactionStatus"]:
            heads = heads.filter(pl.col("status") == query["transactionStatus"])
        if query["marketplaceId"]:
            heads = heads.filter(pl.col("marketplace_id") == query["marketplaceId"])
        return heads

    def _check(self, account: str, query: Query) -> None:
        """The rules of parameters; times are checked where they are read."""
        if not query["postedAfter"] and not query["relatedIdentifierName"]:
            raise invalid("postedAfter is required without a related identifier.")
        if (query["relatedIdentifierName"] or "ORDER_ID") not in IDENTIFIERS:
            raise invalid("relatedIdentifierName: ORDER_ID or FINANCIAL_EVENT_GROUP_ID.")
        if bool(query["relatedIdentifierName"]) != bool(query["relatedIdentifierValue"]):
            raise invalid("relatedIdentifierName and relatedIdentifierValue go together.")
        if query["transactionStatus"] and query["transactionStatus"] not in STATUSES:
            raise invalid(f"transactionStatus: '{query['transactionStatus']}' is not known.")
        if query["marketplaceId"] and query["marketplaceId"] not in self.joined(account):
            raise forbidden("The seller does not sell in this marketplace.")

    def _bounds(self, query: Query, until: datetime) -> tuple[datetime | None, datetime]:
        """Start and end of the posting times; the end is open."""
        latest = self._now() - SETTLING
        moments: dict[str, datetime] = {}
        for name in ("postedAfter", "postedBefore"):
            if text := query[name]:
                moment = parse_time(name, text).replace(tzinfo=None)
                if moment > latest:
                    raise invalid(f"{name} must be more than two minutes before now.")
                moments[name] = moment
        after = moments.get("postedAfter")
        before = moments.get("postedBefore", until)
        if after is not None and "postedBefore" in moments and before <= after:
            raise invalid("postedBefore must be later than postedAfter.")
        return after, before

    def _all(self, account: str, until: datetime) -> pl.DataFrame:
        """Heads of the transactions shown by then, oldest first."""
        with self._lock:
            key = (account, until)
            if key not in self._heads:
                if len(self._heads) > 16:
                    self._heads.clear()
                self._heads[key] = transaction_heads(self.world, account, until)
            return self._heads[key]

    def _page(
        self,
        account: str,
        query: Query,
        until: datetime,
        page: pl.DataFrame,
        following: int | None,
    ) -> Response:
        rows = self.world.bookings.filter(pl.col("account") == account).join(
            page.select(KEY).unique(), on=list(KEY), how="semi", nulls_equal=True
        )
        parts: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
        for row in rows.iter_rows(named=True):
            parts.setdefault(tuple(row[name] for name in KEY), []).append(row)
        decimals = dict(self.world.marketplaces.select("currency", "decimals").iter_rows())
        payload: dict[str, Any] = {
            "transactions": [
                transaction(head, parts[tuple(head[name] for name in KEY)], decimals)
                for head in page.iter_rows(named=True)
            ]
        }
        if following is not None:
            payload["nextToken"] = _token(account, query, following, until)
        return json_response({"payload": payload})

    def _read_token(self, token: str, account: str, query: Query) -> tuple[int, datetime]:
        try:
            content = msgspec.json.decode(bytes.fromhex(token))
            offset, until = int(content["o"]), datetime.fromisoformat(content["u"])
        except (ValueError, KeyError, TypeError, msgspec.DecodeError) as error:
            raise invalid("nextToken is not valid.") from error
        if content["q"] != _fingerprint(account, query):
            raise invalid("nextToken is not valid for these arguments.")
        return offset, until


def transaction_heads(world: World, account: str, until: datetime) -> pl.DataFrame:
    """One row per transaction: its key, its time `at`, status, and its twin where it has one."""
    places = world.marketplaces.filter(pl.col("account") == account).select(
        "marketplace", "marketplace_id"
    )
    booked = (
        world.bookings.filter(pl.col("account") == account, pl.col("shown_at") <= until)
        .group_by(KEY, maintain_order=True)
        .agg(pl.col("released_at", "marketplace").first())
        .join(places, on="marketplace", how="left")
        .with_columns(
            pl.col("transaction_type").replace_strict(TYPES, default="Adjustment").alias("type")
        )
    )
    is_free = (pl.col("released_at") <= until).fill_null(value=False)
    first = booked.with_columns(
        pl.col("posted_at").alias("at"),
        pl.when(pl.col("released_at").is_null()).then(pl.lit("RELEASED"))
        .when(is_free).then(pl.lit("DEFERRED_RELEASED"))
        .otherwise(pl.lit("DEFERRED")).alias("status"),
        pl.lit(value=False).alias("is_release"),
    )  # fmt: skip
    released = booked.filter(is_free).with_columns(
        pl.col("released_at").alias("at"),
        pl.lit("RELEASED").alias("status"),
        pl.lit(value=True).alias("is_release"),
    )
    return pl.concat([first, released]).sort("at", *KEY, "is_release", nulls_last=True)


def _fingerprint(account: str, query: Query) -> str:
    return hashlib.sha256(repr((account, sorted(query.items(), key=str))).encode()).hexdigest()[:24]


def _token(account: str, query: Query, offset: int, until: datetime) -> str:
    content = {"q": _fingerprint(account, query), "o": offset, "u": until.isoformat()}
    return msgspec.json.encode(content).hex()
