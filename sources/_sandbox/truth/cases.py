"""Rows of service cases and their messages, and the cases that eBay tells of.

Belongs here: `fct_case`, `fct_message`, and what they say of feedback. Does not belong here: what a
desk shows (`desk_cases.py`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from sources._sandbox.truth.facts import Known
from sources._sandbox.truth.reader import NONE, UNKNOWN, Line, key

Row = dict[str, Any]
SILENCE = timedelta(days=3)


@dataclass(frozen=True)
class Message:
    """What was said in a case, by whom: buyer, agent, automatic or platform."""

    message_id: str
    author: str
    sent_at: datetime
    language: str
    text_hash: str
    template: str = NONE

    @property
    def direction(self) -> str:
        return "in" if self.author == "buyer" else "out"


@dataclass(frozen=True)
class Answer:
    """What a buyer says of the service; times are None until it was asked or answered."""

    asked_at: datetime | None = None
    answered_at: datetime | None = None
    score: float | None = None
    scale: float | None = None
    is_positive: bool | None = None


@dataclass(frozen=True)
class Case:
    """A case as its source shows it; `messages` is None where the source tells of none."""

    connector: str
    account: str
    source: str
    case_id: str
    opened_at: datetime
    status: str
    case_type: str
    topic: str
    reason: str
    lines: Sequence[Line] = ()  # of the order that it names
    line: Line | None = None
    customer: str = UNKNOWN
    team: str = UNKNOWN
    agent: str = NONE
    messages: Sequence[Message] | None = None
    replied_at: datetime | None = None
    replied_by: str = NONE
    business_hours: float | None = None
    resolved_at: datetime | None = None
    reopened: int | None = None
    waiting_since: datetime | None = None
    decision: str = NONE
    escalated_to: str = NONE
    escalation_result: str = NONE
    answer: Answer = field(default_factory=Answer)
    text_hash: str = NONE

    @property
    def key(self) -> str:
        return key(self.connector, self.account, self.source, self.case_id)

    @property
    def order_key(self) -> str:
        if self.lines:
            return self.lines[0].order_key
        return NONE if self.is_left_out else UNKNOWN

    @property
    def is_left_out(self) -> bool:
        return self.status in ("spam", "merged")

    @property
    def only_line(self) -> Line | None:
        return self.line or (self.lines[0] if len(self.lines) == 1 else None)

    def counted(self, *authors: str) -> int | None:
        if self.messages is None:
            return None
        return sum(message.author in authors for message in self.messages)


def lines_by_order(known: Known) -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = defaultdict(list)
    for fate in known.fates.values():
        found[fate.line.order_key].append(fate.line)
    return found


def ebay_cases(known: Known) -> Iterator[Case]:
    """Items that did not arrive, as buyers of eBay say; the case that may follow is the same."""
    reader, clock = known.reader, known.reader.clock
    lines = {fate.line.key: fate.line for fate in known.fates.values()}
    items = reader.world.order_lines.select("order_id", "line_no", "order_item_id")
    rows = reader.world.market_inquiries.filter(pl.col("opened_at") <= clock)
    for row in rows.join(items, on=["order_id", "line_no"]).iter_rows(named=True):
        line = lines[key("ebay", row["account"], row["order_id"], row["order_item_id"])]
        refunded, escalated, closed = (
            row[name] if row[name] is not None and row[name] <= clock else None
            for name in ("refunded_at", "escalated_at", "closed_at")
        )
        result = NONE
        if escalated:
            result = "open" if closed is None else "buyer" if refunded else "seller"
        yield Case(
            connector="ebay",
            account=row["account"],
            source="marketplace",
            case_id=row["inquiry_id"],
            opened_at=row["opened_at"],
            status="closed" if closed else "open" if escalated else "waiting",
            case_type="claim",
            topic="where_is_my_order",
            reason="logistics.not_received_lost",
            lines=[line],
            line=line,
            customer=line.customer_key,
            replied_at=refunded,
            replied_by="agent" if refunded else NONE,
            resolved_at=closed,
            waiting_since=None if refunded else row["opened_at"],
            escalated_to="marketplace_case" if escalated else NONE,
            escalation_result=result,
        )


def case_rows(known: Known, cases: Iterable[Case]) -> Iterator[Row]:
    """`fct_case`: account and marketplace are those of the sale where the order is known."""
    lines = [row.line for row in known.returns if row.line]
    returned = {line.key for line in lines} | {line.order_key for line in lines}
    for case in cases:
        line, first = case.only_line, next(iter(case.lines), None)
        place = first.place if first else None
        opened = case.opened_at
        yield {
            "case_key": case.key,
            "case_id": case.case_id,
            "case_source": case.source,
            "account": first.account if first else case.account,
            "marketplace": place.name if place else UNKNOWN,
            "country": first.country if first else "ZZ",
            "order_key": case.order_key,
            "order_line_key": line.key if line else NONE if case.is_left_out else UNKNOWN,
            "sku": line.sku if line else UNKNOWN,
            "customer_key": case.customer,
            "team": case.team,
            "agent": case.agent,
            "case_type": case.case_type,
            "topic_l2": case.topic,
            "reason_l2": case.reason,
            "case_status": case.status,
            "opened_at": opened,
            "opened_date": place.day(opened) if place else opened.date(),
            "first_reply_at": case.replied_at,
            "first_reply_by": case.replied_by,
            "first_response_hours": _waited(_first_question(case), case.replied_at),
            "first_response_business_hours": case.business_hours,
            "resolved_at": case.resolved_at,
            "resolution_hours": _waited(opened, case.resolved_at),
            "reopened_count": case.reopened,
            "contacts": case.counted("buyer"),
            "agent_replies": case.counted("agent"),
            "messages_in": case.counted("buyer"),
            "messages_out": case.counted("agent", "automatic", "platform"),
            "decision": case.decision,
            "escalated_to": case.escalated_to,
            "escalation_result": case.escalation_result,
            "outcome": _outcome(case, returned),
            "csat_asked_at": case.answer.asked_at,
            "csat_answered_at": case.answer.answered_at,
            "csat_score": case.answer.score,
            "csat_scale": case.answer.scale,
            "is_csat_positive": case.answer.is_positive,
            "is_silent": _is_silent(case, known.reader.clock),
            "text_hash": case.text_hash,
        }


def message_rows(cases: Iterable[Case]) -> Iterator[Row]:
    """`fct_message`, in the order of time within each case."""
    for case in cases:
        before: datetime | None = None
        first = next(iter(case.lines), None)
        for message in case.messages or ():
            yield {
                "case_key": case.key,
                "message_id": message.message_id,
                "order_key": case.order_key,
                "account": first.account if first else case.account,
                "marketplace": first.place.name if first else UNKNOWN,
                "direction": message.direction,
                "author_kind": message.author,
                "sent_at": message.sent_at,
                "language": message.language,
                "template_id": message.template,
                "hours_since_previous": _waited(before, message.sent_at),
                "text_hash": message.text_hash,
            }
            before = message.sent_at


def with_cases(feedback: Iterable[Row], cases: Sequence[Case]) -> Iterator[Row]:
    """Feedback with the case of its order that was opened nearest, and the first word after it."""
    by_order: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        if case.lines:
            by_order[case.order_key].append(case)
    for row in feedback:
        mine, created = by_order.get(row["order_key"], []), row["created_at"]
        near = [(abs(case.opened_at - created), case.key) for case in mine if not case.is_left_out]
        replies = [
            message.sent_at
            for case in mine
            for message in case.messages or ()
            if message.author == "agent" and message.sent_at >= created
        ]
        yield row | {
            "case_key": min(near)[1] if near else NONE,
            "contacted_at": min(replies, default=None),
        }


def _first_question(case: Case) -> datetime:
    """When the buyer first wrote, as far as it is told: not before the case was opened."""
    asked = [m.sent_at for m in case.messages or () if m.author == "buyer"]
    return max(case.opened_at, min(asked, default=case.opened_at))


def _waited(start: datetime | None, end: datetime | None) -> float | None:
    if start is None or end is None or end < start:
        return None
    return (end - start) / timedelta(hours=1)


def _is_silent(case: Case, clock: datetime) -> bool:
    waiting = case.waiting_since
    if case.status not in ("open", "waiting") or waiting is None:
        return False
    return waiting < clock - SILENCE


def _outcome(case: Case, returned: set[str]) -> str:
    """Whether the buyer kept the goods, and how he liked the service."""
    if case.answer.is_positive is None:
        return "no_answer"
    line, good = case.only_line, case.answer.is_positive
    if (line.key if line else case.order_key) in returned:
        return "returned_positive" if good else "returned_negative"
    return "kept_satisfied" if good else "kept_unsatisfied"
