"""What a desk knows at a moment: its tickets with what was said and done by then.

Belongs here: what is visible, ids. Does not belong here: how a vendor shows it (`zendesk.py`,
`gorgias.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from threading import RLock
from typing import Any

import polars as pl

from sources._sandbox.snapshots import grouped
from sources._sandbox.world.service_ids import number_of
from sources._sandbox.world.tables import World

Row = dict[str, Any]


@dataclass(frozen=True)
class Ticket:
    """A case up to a moment."""

    case: Row
    messages: Sequence[Row]
    states: Sequence[Row]
    order: Row | None
    buyer: Row | None
    now: datetime

    @property
    def number(self) -> int:
        return int(self.case["case_id"])

    @property
    def opened_at(self) -> datetime:
        at: datetime = self.case["opened_at"]
        return at

    @property
    def status(self) -> str:
        return str(self.states[-1]["status"]) if self.states else "new"

    @property
    def is_spam(self) -> bool:
        return self.status == "spam"

    @property
    def is_merged(self) -> bool:
        return self.case["kind"] == "merged" and self.status == "closed"

    @property
    def order_text(self) -> str | None:
        """The number by which people call the order."""
        return self.order["order_number"] if self.order else None

    def reached(self, name: str) -> datetime | None:
        at: datetime | None = self.case[name]
        return at if at is not None and at <= self.now else None

    @property
    def score(self) -> int | None:
        if self.reached("changed_at"):
            return int(self.case["changed_score"])
        return int(self.case["score"]) if self.reached("answered_at") else None

    @property
    def scored_at(self) -> datetime | None:
        return self.reached("changed_at") or self.reached("answered_at")

    def last(self, *moments: datetime | None) -> datetime:
        known = [m["sent_at"] for m in self.messages] + [s["at"] for s in self.states]
        return max([self.opened_at, *known, *(m for m in moments if m is not None)])

    def solved_times(self) -> list[datetime]:
        """When it was solved, each time; the last is no longer so once it is open again."""
        return [state["at"] for state in self.states if state["status"] == "solved"]

    @property
    def subject(self) -> str:
        words = self.case["topic"].replace("_", " ").capitalize()
        if self.case["named_by"] == "subject" and self.order_text:
            return f"{words} - order {self.order_text}"
        return words

    @property
    def tags(self) -> list[str]:
        tags = [self.case["topic"]]
        if self.case["decision"] and self.solved_times():
            tags.append(f"decision_{self.case['decision']}")
        if self.case["named_by"] == "tag" and self.order_text:
            tags.append(self.order_text.removeprefix("#").lower())
        return tags

    @property
    def external_id(self) -> str | None:
        return self.order_text if self.case["named_by"] == "external" else None


class Desk:
    """Tickets of one account that were opened by a moment, by number."""

    def __init__(self, world: World, account: str, moment: datetime) -> None:
        self.account, self.moment, self.seed = account, moment, world.scenario.seed
        self._world = world
        mine = pl.col("account") == account
        self._cases = world.service_cases.filter(mine, pl.col("opened_at") <= moment)
        self._messages = _grouped(
            world.service_messages.filter(mine, pl.col("sent_at") <= moment), "message_no"
        )
        self._states = _grouped(world.service_states.filter(mine, pl.col("at") <= moment), "at")

    @cached_property
    def tickets(self) -> dict[int, Ticket]:
        orders = _by(self._world.orders, "order_id", self._cases["order_id"])
        buyers = _by(self._world.buyers, "customer_no", self._cases["customer_no"])
        found = {}
        for case in self._cases.sort("opened_at", pl.col("case_id").cast(pl.Int64)).to_dicts():
            key = case["case_id"]
            found[int(key)] = Ticket(
                case, self._messages[key], self._states[key],
                orders.get(case["order_id"]), buyers.get(case["customer_no"]), self.moment,
            )  # fmt: skip
        return found

    @cached_property
    def teams(self) -> dict[int, str]:
        names = self._world.service_cases.filter(pl.col("account") == self.account)["team"]
        return {number_of("team", name): name for name in names.unique().sort()}

    @cached_property
    def agents(self) -> dict[int, tuple[str, str]]:
        """Name and team of everyone who answers."""
        frame = self._world.service_cases.filter(pl.col("account") == self.account)
        pairs = frame.select("agent", "team").unique().sort("agent").rows()
        return {number_of("agent", name): (name, team) for name, team in pairs}


def _grouped(frame: pl.DataFrame, by: str) -> dict[str, list[Row]]:
    rows = frame.sort("case_id", by, maintain_order=True)
    return grouped(rows.iter_rows(named=True), "case_id")


def _by(frame: pl.DataFrame, key: str, wanted: pl.Series) -> dict[str, Row]:
    names = wanted.drop_nulls().unique().to_list()
    rows = frame.filter(pl.col(key).is_in(names)).unique(key, keep="first", maintain_order=True)
    return {row[key]: row for row in rows.iter_rows(named=True)}


class Desks:
    """The newest snapshot of each account."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._made: dict[str, Desk] = {}
        self._lock = RLock()

    def at(self, account: str, moment: datetime) -> Desk:
        with self._lock:
            known = self._made.get(account)
            if known is None or known.moment != moment:
                known = self._made[account] = Desk(self._world, account, moment)
            return known
