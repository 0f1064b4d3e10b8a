"""The life of each order: what its lines, parcels, returns, money, words and payouts tell, in time.

Belongs here: `fct_order_event`. Does not belong here: what is known of each of them (the modules of
the other facts), whose rows this one reads.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sources._sandbox.truth.facts import stable_hash
from sources._sandbox.truth.parcels import Parcel
from sources._sandbox.truth.reader import NONE, UNKNOWN
from sources._sandbox.world import geography

Row = dict[str, Any]
Rows = Mapping[str, Sequence[Row]]
ALL = "all"
# milestones of parcels that are events of their order as well; its delivery is told by its lines
_OF_PARCELS = {
    "ACCEPTED": "accepted", "CUSTOMS_STARTED": "customs", "CUSTOMS_CLEARED": "customs",
    "OUT_FOR_DELIVERY": "out_for_delivery",
}  # fmt: skip


@dataclass(frozen=True)
class Happening:
    """Something that happened to a line of an order, or to all of it."""

    of: Row  # a row with order_key, account and marketplace
    kind: str
    at: datetime | None
    origin: str = ""
    source: str | None = None  # the connector that tells it, where `of` does not name it
    line: str = ALL
    promised: datetime | None = None
    note: str | None = ""


def order_events(told: Rows, parcels: Iterable[Parcel]) -> Iterator[Row]:
    """Numbered within each order; events of which nobody tells the time are none."""
    by_order: dict[str, list[Happening]] = defaultdict(list)
    for happening in _all(told, parcels):
        order_key = happening.of["order_key"]
        if happening.at is not None and order_key not in (UNKNOWN, NONE):
            by_order[order_key].append(happening)
    for order_key, happenings in by_order.items():
        happenings.sort(key=lambda h: (h.at, h.kind, h.line, h.origin))
        for number, happening in enumerate(happenings, 1):
            yield _row(order_key, number, happening)


def _row(order_key: str, number: int, happening: Happening) -> Row:
    return {
        "event_key": stable_hash(order_key, happening.line, happening.kind, happening.origin),
        "order_key": order_key,
        "order_line_key": happening.line,
        "account": happening.of["account"],
        "marketplace": happening.of["marketplace"],
        "event_seq": number,
        "event_kind": happening.kind,
        "occurred_at": happening.at,
        "promised_at": happening.promised,
        "recorded_at": None,
        "source": happening.source or happening.of["connector"],
        "superseded_by": NONE,
        "note": happening.note,
    }


def _all(told: Rows, parcels: Iterable[Parcel]) -> Iterator[Happening]:
    yield from _of_orders(told["fct_order_line"])
    yield from _of_lines(told["fct_order_line"])
    yield from _of_parcels(parcels)
    yield from _of_returns(told["fct_return_line"])
    yield from _of_promises(told)
    yield from _of_refunds(told["fct_refund_line"])
    yield from _of_exchanges(told["fct_exchange"])
    yield from _of_words(told)
    yield from _of_payouts(told["fct_settlement_line"])


def _of_orders(lines: Sequence[Row]) -> Iterator[Happening]:
    """What concerns all lines alike, at the first time that one of them tells."""
    orders: dict[str, list[Row]] = defaultdict(list)
    for line in lines:
        orders[line["order_key"]].append(line)
    for rows in orders.values():
        times = {
            name: min((row[name] for row in rows if row[name] is not None), default=None)
            for name in ("ordered_at", "paid_at", "ship_by_at", "promised_at")
        }
        ship_by, promised = times["ship_by_at"], times["promised_at"]
        yield Happening(rows[0], "ordered", times["ordered_at"])
        yield Happening(rows[0], "paid", times["paid_at"])
        yield Happening(rows[0], "ship_due", ship_by, promised=ship_by)
        yield Happening(rows[0], "promised", promised, promised=promised)


def _of_lines(lines: Sequence[Row]) -> Iterator[Happening]:
    for row in lines:
        name = row["order_line_key"]
        yield Happening(row, "shipped", row["shipped_at"], line=name, promised=row["ship_by_at"])
        yield Happening(
            row, "delivered", row["delivered_at"], line=name, promised=row["promised_at"]
        )
        yield Happening(row, "cancelled", row["cancelled_at"], line=name, note=row["cancel_reason"])


def _of_parcels(parcels: Iterable[Parcel]) -> Iterator[Happening]:
    """Milestones by those who are believed; a scan that tells none of its own repeats none."""
    for parcel in parcels:
        of = {
            "order_key": parcel.order_key,
            "account": parcel.account,
            "marketplace": parcel.marketplace,
        }
        for event in parcel.standing:
            kind = _OF_PARCELS.get(event.told)
            if kind is None or not event.is_heard:
                continue
            source = {"file": "files", "marketplace": parcel.order_key.partition(":")[0]}.get(
                event.scan.source, "tracking"
            )
            yield Happening(
                of, kind, event.scan.at, event.event_id, source, note=event.scan.native_status
            )


def _of_returns(rows: Sequence[Row]) -> Iterator[Happening]:
    for row in rows:
        line, origin = row["order_line_key"], row["return_line_key"]
        steps = (
            ("return_requested", "requested_at", row["reason_final"]),
            ("return_received", "received_at", row["disposition"]),
            ("graded", "graded_at", row["disposition"]),
        )
        for kind, at, note in steps:
            yield Happening(row, kind, row[at], origin, line=line, note=note)


def _of_promises(told: Rows) -> Iterator[Happening]:
    """When a refund is due by the seller's policies (`inbox_files.py`): 5 days after receipt at
    home on eBay's sites, 21 for cash on delivery, else 7 in the United States and 14 elsewhere."""
    lines = {row["order_line_key"]: row for row in told["fct_order_line"]}
    for row in told["fct_return_line"]:
        line, at = lines.get(row["order_line_key"]), row["received_at"]
        if line is None or at is None or line["country"] not in geography.COUNTRIES:
            continue
        home = line["marketplace"].partition("_")[2].upper()
        if line["connector"] == "ebay" and line["country"] == home:
            days = 5
        elif line["payment_method"] == "cod":
            days = 21
        else:
            days = 7 if line["country"] == "US" else 14
        due = at + timedelta(days=days)
        yield Happening(
            row, "refund_due", due, row["return_line_key"], line=row["order_line_key"],
            promised=due, note=str(days),
        )  # fmt: skip


def _of_refunds(rows: Sequence[Row]) -> Iterator[Happening]:
    for row in rows:
        kind = "chargeback" if row["kind"] == "chargeback" else "refunded"
        origin, line = row["refund_line_key"], row["order_line_key"]
        yield Happening(row, kind, row["refunded_at"], origin, line=line, note=row["kind"])


def _of_exchanges(rows: Sequence[Row]) -> Iterator[Happening]:
    for row in rows:
        line, source = row["order_line_key"], row["order_key"].partition(":")[0]
        for step, at in (("requested", "requested_at"), ("shipped", "replacement_shipped_at")):
            origin = f"{row['exchange_key']}|{step}"
            yield Happening(row, "exchange_step", row[at], origin, source, line, note=step)


def _of_words(told: Rows) -> Iterator[Happening]:
    """Feedback, cases and their messages; their keys begin with the connector."""
    for row in told["fct_feedback"]:
        origin, line = row["feedback_key"], row["order_line_key"]
        source, note = origin.partition(":")[0], row["sentiment"]
        yield Happening(row, "feedback", row["created_at"], origin, source, line, note=note)
    for row in told["fct_case"]:
        origin, line = row["case_key"], row["order_line_key"]
        source, note = origin.partition(":")[0], row["topic_l2"]
        yield Happening(row, "case_opened", row["opened_at"], origin, source, line, note=note)
    for row in told["fct_message"]:
        origin = f"{row['case_key']}|{row['message_id']}"
        source, note = origin.partition(":")[0], row["author_kind"]
        yield Happening(row, "message", row["sent_at"], origin, source, note=note)


def _of_payouts(rows: Sequence[Row]) -> Iterator[Happening]:
    """When a payout first names the order."""
    first: dict[tuple[str, str], Row] = {}
    for row in rows:
        name = (row["order_key"], row["settlement_id"])
        if name not in first or row["posted_at"] < first[name]["posted_at"]:
            first[name] = row
    for (_, payout), row in first.items():
        yield Happening(row, "settlement", row["posted_at"], payout, note=payout)
