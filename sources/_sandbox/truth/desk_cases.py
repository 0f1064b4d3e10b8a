"""Cases of the seller's helpdesks, as Zendesk and Gorgias tell of them at a clock.

Belongs here: what a perfect reader with default settings knows of a ticket. Zendesk measures times
of answer and resolution in whole minutes and has no automatic messages; Gorgias measures nothing.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from sources._core.privacy import keyed_hash, mask_text
from sources._sandbox.truth.cases import Answer, Case, Message, lines_by_order
from sources._sandbox.truth.facts import Known
from sources._sandbox.truth.reader import NONE, UNKNOWN, Line
from sources._sandbox.truth.world_truth import CUSTOMER_KEY
from sources._sandbox.world.service_ids import number_of
from sources._sandbox.world.working_hours import business_minutes

Row = dict[str, Any]
_NUMBERS = re.compile(  # of Amazon, eBay, Walmart, TikTok Shop, a shop by files, Shopify
    r"(?<![0-9A-Za-z])(?:\d{3}-\d{7}-\d{7}|\d{2}-\d{5}-\d{5}|20\d{13}|5[78]\d{16}"
    r"|[A-Za-z]{2,4}-\d{6,14})(?![0-9A-Za-z])|#\d{3,10}(?![0-9])"
)
_TOPICS = Path(__file__).parents[2] / "helpdesk" / "topics.csv"
_MINUTE = timedelta(minutes=1)


def desk_cases(known: Known) -> Iterator[Case]:
    """All cases that were opened by the clock."""
    world, clock = known.reader.world, known.reader.clock
    accounts = {a.name: a for a in world.scenario.accounts if a.connector == "helpdesk"}
    if not accounts:
        return
    orders = _Orders(known)
    numbers = dict(world.orders.select("order_id", "order_number").rows())
    said = _grouped(world.service_messages.filter(pl.col("sent_at") <= clock), "message_no")
    states = _grouped(world.service_states.filter(pl.col("at") <= clock), "at")
    rows = world.service_cases.filter(pl.col("opened_at") <= clock)
    topics = _topics()
    for row in rows.iter_rows(named=True):
        account = accounts[row["account"]]
        key = (row["account"], row["case_id"])
        number = numbers.get(row["order_id"])
        vendor = account.provider or "zendesk"
        is_new = account.satisfaction == "surveys"
        yield _Ticket(row, said[key], states[key], number, clock, is_new).case(
            vendor, orders, topics
        )


def _grouped(frame: pl.DataFrame, by: str) -> dict[tuple[str, str], list[Row]]:
    found: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in frame.sort("case_id", by, maintain_order=True).iter_rows(named=True):
        found[row["account"], row["case_id"]].append(row)
    return found


def _topics() -> dict[str, Row]:
    with _TOPICS.open(encoding="utf-8", newline="") as file:
        return {row["raw_topic"]: row for row in csv.DictReader(file)}


class _Orders:
    """Orders by what people call them, wherever they were placed; a name of two names none."""

    def __init__(self, known: Known) -> None:
        self._lines = lines_by_order(known)
        self._by: tuple[dict[str, set[str]], ...] = (defaultdict(set), defaultdict(set))
        for key, lines in self._lines.items():
            self._by[0][lines[0].order_id.lstrip("#").upper()].add(key)
            self._by[1][lines[0].order_number.lstrip("#").upper()].add(key)

    def named(self, text: str | None) -> Sequence[Line]:
        if not text:
            return ()
        for names in self._by:
            found = names.get(text.lstrip("#").upper())
            if found:
                return self._lines[next(iter(found))] if len(found) == 1 else ()
        return ()


def hash_of(*parts: str | None) -> str:
    """Of a text in parts, each masked by itself."""
    text = " ".join(mask_text(part) for part in parts if part is not None).strip(" ")
    return hashlib.md5(text.encode()).hexdigest() if text else NONE  # noqa: S324


class _Ticket:
    """One case with what was said and done by the clock."""

    def __init__(
        self,
        row: Row,
        said: Sequence[Row],
        states: Sequence[Row],
        number: str | None,
        clock: datetime,
        has_surveys: bool,
    ) -> None:
        self.row, self.states, self.number, self.clock = row, states, number, clock
        self.every, self.has_surveys = said, has_surveys
        self.public = [m for m in said if m["is_public"]]
        self.status = states[-1]["status"] if states else "new"
        self.is_spam = self.status == "spam"
        self.is_merged = row["kind"] == "merged" and self.status == "closed"
        self.solved = [s["at"] for s in states if s["status"] == "solved"]
        self.opened: datetime = row["opened_at"]

    def case(self, vendor: str, orders: _Orders, topics: Mapping[str, Row]) -> Case:
        row, is_zendesk = self.row, vendor == "zendesk"
        is_gone = self.is_spam and is_zendesk
        topic = {} if is_gone else topics.get(row["topic"], {})
        lines = () if is_gone else orders.named(self._reference())
        messages = [] if is_gone else self._messages(is_zendesk=is_zendesk)
        told: Row = self._zendesk(messages) if is_zendesk else self._gorgias(messages)
        last_in = _last(messages, "buyer")
        last_out = _last(messages, "agent")
        is_answered = any(m["author"] == "agent" for m in self.every)
        return Case(
            connector="helpdesk",
            account=row["account"],
            source=vendor,
            case_id=row["case_id"],
            opened_at=self.opened,
            case_type=topic.get("case_type") or UNKNOWN,
            topic=topic.get("topic_l2") or "other",
            reason=topic.get("reason_l2") or "unknown.no_reason",
            lines=lines,
            customer=min((line.customer_key for line in lines), default=UNKNOWN),
            agent=_person(vendor, row) if is_answered else NONE,
            messages=messages or None,
            waiting_since=last_in if last_in and (last_out is None or last_in > last_out) else None,
            **told,
        )

    def _reference(self) -> str | None:
        named, number = self.row["named_by"], self.number
        if number is None or named == "nothing":
            return None
        if named == "external":
            return number
        text = number if named == "subject" else number.removeprefix("#").lower()
        found = _NUMBERS.search(text)
        return found[0] if found else None

    def _subject(self) -> str:
        words = str(self.row["topic"]).replace("_", " ").capitalize()
        if self.row["named_by"] == "subject" and self.number:
            return f"{words} - order {self.number}"
        return words

    def _messages(self, *, is_zendesk: bool) -> list[Message]:
        number = int(self.row["case_id"])
        return [
            Message(
                str(number * 100_000 + m["message_no"] * 10 + 1)
                if is_zendesk
                else str(number * 1000 + m["message_no"]),
                m["author"],
                m["sent_at"],
                "und" if is_zendesk else self.row["language"],
                hash_of(m["text"]),
            )
            for m in self.public
            if not (is_zendesk and m["author"] == "automatic")
        ]

    def _human(self, messages: Sequence[Message]) -> datetime | None:
        """The first answer by people after the buyer's first word."""
        asked = min((m.sent_at for m in messages if m.author == "buyer"), default=None)
        if asked is None:
            return None
        return min(
            (m.sent_at for m in messages if m.author == "agent" and m.sent_at >= asked),
            default=None,
        )

    def _zendesk(self, messages: Sequence[Message]) -> Row:
        if self.is_spam:  # deleted, its words scrubbed
            return {"status": "spam"}
        replies = [m.sent_at for m in messages if m.author == "agent"]
        measured = replies[0] if replies and self.row["kind"] != "outbound" else None
        human = self._whole(measured) if measured else self._human(messages)
        words = {"new": "open", "pending": "waiting", "hold": "waiting"}
        is_over = self.status in ("solved", "closed")
        reopens = sum(
            a["status"] == "solved" and b["status"] in ("open", "pending", "hold")
            for a, b in zip(self.states, self.states[1:], strict=False)
        )
        return {
            "status": "merged" if self.is_merged else words.get(self.status, self.status),
            "replied_at": human,
            "replied_by": "agent" if human else NONE,
            "business_hours": business_minutes(self.opened, measured) / 60 if measured else None,
            "resolved_at": self._whole(self.solved[-1]) if is_over and self.solved else None,
            "reopened": reopens,
            "answer": self._answer(is_scaled=self.has_surveys),
            "text_hash": hash_of(self._subject(), self.every[0]["text"]),
        }

    def _gorgias(self, messages: Sequence[Message]) -> Row:
        human = self._human(messages)
        automatic = min((m.sent_at for m in messages if m.author == "automatic"), default=None)
        by = "agent" if human else NONE
        if automatic and (human is None or automatic < human):
            by = "automatic"
        if self.is_spam or self.is_merged:
            status, closed = ("spam" if self.is_spam else "merged"), self.states[-1]["at"]
        elif self.status in ("solved", "closed"):
            status, closed = "closed", self.solved[-1]
        else:
            status, closed = "open", None
        answer = Answer() if self.is_spam else self._answer(is_scaled=True)
        return {
            "status": status,
            "replied_at": human,
            "replied_by": by,
            "resolved_at": closed,
            "answer": answer,
            "text_hash": hash_of(self._subject()),
        }

    def _whole(self, moment: datetime) -> datetime:
        """Measured in whole minutes."""
        return self.opened + (moment - self.opened) // _MINUTE * _MINUTE

    def _answer(self, *, is_scaled: bool) -> Answer:
        asked, answered, changed = (
            at if at is not None and at <= self.clock else None
            for at in (self.row[n] for n in ("asked_at", "answered_at", "changed_at"))
        )
        if asked is None or answered is None:
            return Answer(asked)
        score = self.row["changed_score"] if changed else self.row["score"]
        good = score >= 4
        told = float(score) if is_scaled else float(good)
        return Answer(asked, changed or answered, told, 5.0 if is_scaled else 1.0, good)


def _last(messages: Sequence[Message], author: str) -> datetime | None:
    return max((m.sent_at for m in messages if m.author == author), default=None)


def _person(vendor: str, row: Row) -> str:
    number = number_of("agent", row["agent"])
    return keyed_hash(f"{vendor}:{row['account']}:{number}", CUSTOMER_KEY)
