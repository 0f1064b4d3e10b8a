"""How a single case goes: question, answers, solution, reopening, and what the buyer thinks of it.

Belongs here: the steps of one case and their times. Does not belong here: whose case it is
(`service.py`).

`slow_service` adds its hours to every answer of its team, `refusing_service` makes the team
decline its share of the cases that are about a trouble.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sources._sandbox.scenario import Fault
from sources._sandbox.world import geography
from sources._sandbox.world.comments import SENTENCES, language_of, topic_of
from sources._sandbox.world.service_words import NOTE, TALK
from sources._sandbox.world.simulation import Simulation

Row = dict[str, Any]
TEAMS = ("care", "returns desk")
_TOPICS: Sequence[tuple[str, str]] = (
    ("product_defect.safety_allergy", "allergy_safety"),
    ("product_defect.missing_parts", "wrong_or_missing"),
    ("product_defect.", "defect"),
    ("fulfilment.", "wrong_or_missing"),
    ("fit.", "size_question"),
    ("logistics.damaged", "damage"),
    ("logistics.", "where_is_my_order"),
    ("description.", "other"),
    ("", "refund_status"),
)
_BEFORE = ("where_is_my_order", "cancel_request")
_AFTER = ("usage_question", "size_question", "invoice_tax", "customs_duty", "other")
_NAMED_BY = (("subject", 0.55), ("tag", 0.15), ("external", 0.15), ("nothing", 0.15))
_CHANNELS = (("email", 0.5), ("web", 0.3), ("chat", 0.2))


@dataclass(frozen=True)
class Asked:
    """An order whose buyer writes to a desk."""

    order: Mapping[str, Any]
    desk: str


@dataclass
class Story:
    """A case with its messages and the states it goes through."""

    case: Row
    messages: list[Row] = field(default_factory=list)
    states: list[Row] = field(default_factory=list)

    def says(self, at: datetime, author: str, text: str, *, is_public: bool = True) -> None:
        template = "auto_reply" if author == "automatic" else None
        self.messages.append(
            {"sent_at": at, "author": author, "text": text, "template": template,
             "is_public": is_public}
        )  # fmt: skip

    def becomes(self, at: datetime, status: str) -> None:
        self.states.append({"at": at, "status": status})


@dataclass(frozen=True)
class _Luck:
    """Draws for one case; each purpose has a stream of its own."""

    sim: Simulation
    key: str

    def share(self, purpose: str) -> float:
        return self.sim.draws.one(f"case.{purpose}", self.key)

    def strikes(self, purpose: str, share: float) -> bool:
        return self.share(purpose) < share

    def hours(self, purpose: str, low: float, high: float) -> timedelta:
        return _seconds(low + (high - low) * self.share(purpose))

    def wait(self, purpose: str, median: float, sigma: float) -> timedelta:
        """Lognormal hours."""
        radius = math.sqrt(-2 * math.log(1 - self.share(f"{purpose}.r")))
        angle = 2 * math.pi * self.share(f"{purpose}.a")
        return _seconds(median * math.exp(sigma * radius * math.cos(angle)))

    def pick(self, purpose: str, choices: Sequence[tuple[str, float]]) -> str:
        at = self.share(purpose)
        for word, share in choices:
            at -= share
            if at < 0:
                return word
        return choices[-1][0]


def _seconds(hours: float) -> timedelta:
    return timedelta(seconds=int(hours * 3600))


def tell(sim: Simulation, asked: Asked) -> Iterator[Story]:
    """The case of an order; now and then a second one that is merged into it, or spam beside it."""
    luck = _Luck(sim, asked.order["order_id"])
    story = _Telling(sim, asked, luck).story()
    yield story
    opened = story.case["opened_at"]
    if luck.strikes("merged", 0.03):
        yield _merged(story, opened + luck.hours("merged.at", 0.2, 2.0), luck)
    if luck.strikes("spam", 0.02):
        yield _spam(story, opened + luck.hours("spam.at", 1, 30))


class _Telling:
    """The steps of one case, each after the one before."""

    def __init__(self, sim: Simulation, asked: Asked, luck: _Luck) -> None:
        self.sim, self.asked, self.luck, self.order = sim, asked, luck, asked.order
        spoken = geography.country(self.order["country"]).language
        self.language = language_of(spoken, sim.scenario.languages)
        self.words = TALK[self.language]
        self.faults = sim.scenario.faults_of("slow_service", "refusing_service")
        teams = sorted({*TEAMS, *(fault.get("team") for fault in self.faults)})
        self.team = teams[int(luck.share("team") * len(teams))]
        self.cause = self.order["true_cause"] or ("logistics.late" if self.order["is_late"] else "")

    def story(self) -> Story:
        opened, topic = self._opening()
        is_outbound = self.luck.strikes("outbound", 0.04)
        declined = bool(self.cause) and self._declines(opened)
        story = Story(self._case(opened, topic, is_outbound=is_outbound, declined=declined))
        if is_outbound:
            return self._outbound(story, opened)
        story.says(opened, "buyer", self._question(topic))
        story.becomes(opened, "new")
        if self.luck.strikes("automatic", 0.4):
            at = opened + self.luck.hours("automatic.at", 0.01, 0.06)
            story.says(at, "automatic", self.words["automatic"])
        if self.luck.strikes("unanswered", 0.04):
            return story
        solved = self._answers(story, opened, declined=declined)
        solved = self._reopening(story, solved)
        story.becomes(solved + timedelta(hours=96), "closed")
        self._survey(story, solved, opened, declined=declined)
        return story

    def _case(self, opened: datetime, topic: str, *, is_outbound: bool, declined: bool) -> Row:
        agents = 3
        number = self.luck.share("agent")
        decision = None
        if self.cause and not is_outbound:
            part = "partial" if self.luck.strikes("partial", 0.15) else "accepted"
            decision = "declined" if declined else part
        return {
            "case_id": self.order["order_id"],
            "account": self.asked.desk,
            "order_id": self.order["order_id"],
            "line_no": self.order["line_no"],
            "customer_no": self.order["customer_no"],
            "opened_at": opened,
            "kind": "outbound" if is_outbound else "usual",
            "merged_into": None,
            "topic": topic,
            "channel": self.luck.pick("channel", _CHANNELS),
            "named_by": self.luck.pick("named", _NAMED_BY),
            "team": self.team,
            "agent": f"{self.team} {1 + int(number * agents)}",
            "language": self.language,
            "decision": decision,
            "asked_at": None,
            "answered_at": None,
            "score": None,
            "comment": None,
            "changed_at": None,
            "changed_score": None,
        }

    def _opening(self) -> tuple[datetime, str]:
        """When the buyer writes, and about what."""
        order, luck = self.order, self.luck
        delivered = order["delivered_at"] or order["deliver_by_at"]
        if not self.cause:
            if luck.strikes("early", 0.35):
                topic = _BEFORE[int(luck.share("topic") * len(_BEFORE))]
                return order["ordered_at"] + luck.hours("at", 1, 40), topic
            topic = _AFTER[int(luck.share("topic") * len(_AFTER))]
            return delivered + luck.hours("at", 12, 300), topic
        topic = next(topic for start, topic in _TOPICS if self.cause.startswith(start))
        if topic == "where_is_my_order":
            return order["deliver_by_at"] + luck.hours("at", 6, 72), topic
        if topic == "refund_status" and order["refunded_at"]:
            asked = order["refunded_at"] - luck.hours("at", 1, 48)
            return max(asked, delivered + timedelta(hours=1)), topic
        return delivered + _seconds(0.5) + luck.wait("at", 20, 0.8), topic

    def _question(self, topic: str) -> str:
        about = topic_of(self.cause) if self.cause else ""
        if about and topic not in ("where_is_my_order", "refund_status"):
            choice = SENTENCES[self.language][about]
            text = choice[int(self.luck.share("words") * len(choice))]
        else:
            text = self.words[topic]
        if self.luck.strikes("contact", 0.05):
            return f"{text} {self.order['email']}"
        return text

    def _faults(self, kind: str, at: datetime) -> list[Fault]:
        return [
            fault
            for fault in self.faults
            if fault.kind == kind
            and fault.get("team") == self.team
            and (fault.from_date is None or at.date() >= fault.from_date)
            and (fault.to_date is None or at.date() <= fault.to_date)
        ]

    def _declines(self, at: datetime) -> bool:
        share = max((f.get("share") for f in self._faults("refusing_service", at)), default=0.06)
        return self.luck.strikes("declines", share)

    def _reply_after(self, purpose: str, at: datetime, median: float) -> datetime:
        extra = sum(fault.get("hours") for fault in self._faults("slow_service", at))
        slow = _seconds(extra * (0.8 + 0.4 * self.luck.share(f"{purpose}.slow")))
        return at + timedelta(minutes=2) + self.luck.wait(purpose, median, 0.9) + slow

    def _answers(self, story: Story, opened: datetime, *, declined: bool) -> datetime:
        """Answers until the case is solved: when that is."""
        at = self._reply_after("reply", opened, 6.0)
        if self.luck.strikes("note", 0.25):
            story.says(at - timedelta(minutes=1), "agent", NOTE, is_public=False)
        story.says(at, "agent", self.words["declined" if declined else "reply"])
        if not self.luck.strikes("further", 0.45):
            if not self.luck.strikes("pending", 0.3):
                story.becomes(at, "solved")
                return at
            story.becomes(at, "pending")
            solved = at + timedelta(hours=72)
            story.becomes(solved, "solved")
            return solved
        story.becomes(at, "pending")
        at += self.luck.hours("further.at", 0.5, 48)
        story.says(at, "buyer", self.words["answer"])
        story.becomes(at, "open")
        if self.luck.strikes("hold", 0.15):
            story.becomes(at + timedelta(minutes=1), "hold")
        at = self._reply_after("further", at, 8.0)
        story.says(at, "agent", self.words["further"])
        story.becomes(at, "solved")
        return at

    def _reopening(self, story: Story, solved: datetime) -> datetime:
        if not self.luck.strikes("again", 0.1):
            return solved
        at = solved + self.luck.hours("again.at", 2, 90)
        story.says(at, "buyer", self.words["again"])
        story.becomes(at, "open")
        at = self._reply_after("again.reply", at, 6.0)
        story.says(at, "agent", self.words["further"])
        story.becomes(at, "solved")
        return at

    def _survey(self, story: Story, solved: datetime, opened: datetime, *, declined: bool) -> None:
        """Asked a day after it was solved; some answer late, a few change their minds."""
        luck, case = self.luck, story.case
        if not luck.strikes("asked", 0.7):
            return
        case["asked_at"] = asked = solved + timedelta(hours=24)
        if not luck.strikes("answered", 0.5):
            return
        late = timedelta(days=40) if luck.strikes("late", 0.05) else timedelta(0)
        case["answered_at"] = asked + luck.wait("answered.at", 10, 1.1) + late
        content = 0.6 if self.cause else 0.88
        content -= 0.4 if declined else 0.0
        content -= 0.2 if solved - opened > timedelta(days=3) else 0.0
        good = luck.strikes("good", content)
        part = luck.share("score")
        case["score"] = (
            (5 if part < 0.7 else 4) if good else (1 if part < 0.5 else 2 + (part > 0.8))
        )
        if luck.strikes("worded", 0.5):
            case["comment"] = self.words["good" if good else "bad"]
        if not good and luck.strikes("changed", 0.15):
            case["changed_at"] = case["answered_at"] + luck.hours("changed.at", 5, 90)
            case["changed_score"] = 5

    def _outbound(self, story: Story, opened: datetime) -> Story:
        """The team writes first; half the buyers answer."""
        story.says(opened, "agent", self.words["outbound"])
        story.becomes(opened, "pending")
        solved = opened + timedelta(hours=72)
        if self.luck.strikes("outbound.answer", 0.5):
            at = opened + self.luck.hours("outbound.at", 1, 60)
            story.says(at, "buyer", self.words["answer"])
            story.becomes(at, "open")
            solved = self._reply_after("outbound.reply", at, 6.0)
            story.says(solved, "agent", self.words["further"])
        story.becomes(solved, "solved")
        story.becomes(solved + timedelta(hours=96), "closed")
        return story


def _beside(story: Story, suffix: str, opened: datetime, **changes: Any) -> Story:
    """Another case of the same buyer, with nothing of its own but a question."""
    empty = dict.fromkeys(("decision", "asked_at", "answered_at", "score", "comment",
                           "changed_at", "changed_score"))  # fmt: skip
    changed = {"case_id": f"{story.case['case_id']} {suffix}", "opened_at": opened} | changes
    return Story(story.case | empty | changed)


def _merged(story: Story, opened: datetime, luck: _Luck) -> Story:
    """The same question twice: the second case is closed in favour of the first."""
    again = _beside(
        story, "again", opened, kind="merged", merged_into=story.case["case_id"], named_by="subject"
    )
    again.says(opened, "buyer", TALK[story.case["language"]]["again"])
    again.becomes(opened, "new")
    again.becomes(opened + luck.hours("merged.after", 0.5, 5), "closed")
    return again


def _spam(story: Story, opened: datetime) -> Story:
    spam = _beside(
        story, "spam", opened, kind="spam", order_id=None, line_no=None, customer_no=None,
        named_by="nothing", channel="email", topic="other",
    )  # fmt: skip
    spam.says(opened, "buyer", TALK[story.case["language"]]["spam"])
    spam.becomes(opened, "new")
    spam.becomes(opened + timedelta(hours=3), "spam")
    return spam
