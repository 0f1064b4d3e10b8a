"""Making the warehouse's open parcels known to a tracking service.

Belongs here: which parcels are asked for, what is remembered of the answers, what a person is told
of refusals. Does not belong here: how a vendor is asked (`seventeentrack.py`, `aftership.py`).

A number is asked for once: what was answered is kept in the stream's state as long as the parcel is
open. A lost state costs nothing: the services say that they know the number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from sources._core.connector import OpenParcel, Page, Reject, StreamContext, StreamState

from .config import TrackingAccount

ACCEPTED, KNOWN = "accepted", "known"
BAD_NUMBER, NOT_TRACKABLE = "number_refused", "not_trackable"
CARRIER_UNKNOWN, WRONG_CARRIER = "carrier_unknown", "wrong_carrier"
DAILY_LIMIT, QUOTA, REFUSED = "daily_limit", "quota", "refused"

_ASK_AGAIN = frozenset({DAILY_LIMIT, QUOTA, REFUSED})
_ENDS_TONIGHT = frozenset({DAILY_LIMIT, QUOTA})
_ADVICE: Mapping[str, str] = {
    BAD_NUMBER: "they are no tracking numbers to the service: correct them where they come from",
    NOT_TRACKABLE: "their carrier wants a postcode or phone, which the warehouse does not hold",
    CARRIER_UNKNOWN: "name the carrier in carrier_keys of the account, with the service's key",
    WRONG_CARRIER: "the numbers are not of the carrier that the order names: correct it there",
    DAILY_LIMIT: "the service takes no more today; the next night goes on",
    QUOTA: "buy quota from the service, or register fewer (follows, follow_days, registers)",
    REFUSED: "the service refused them for now; the next night asks again",
}
_STATE = "asked"
T = TypeVar("T")


@dataclass(frozen=True)
class Asked:
    """What a service answered for a parcel; `carrier` is its own key."""

    parcel: OpenParcel
    outcome: str
    carrier: str | None = None
    origin: int | None = None


def register(
    context: StreamContext,
    ask: Callable[[Sequence[OpenParcel]], Sequence[Asked]],
    per_call: int,
) -> Iterator[Page]:
    """Pages of what was accepted; what was refused is counted and is no failure."""
    account = context.account
    if not isinstance(account, TrackingAccount):
        raise TypeError("an account of another connector")
    today = context.clock.now().date()
    parcels = account.parcels_to_follow(today)
    names = {_name(parcel) for parcel in parcels}
    told = {n: outcome for n, outcome in context.state.get(_STATE, {}).items() if n in names}
    new = [parcel for parcel in parcels if _name(parcel) not in told]
    for number, batch in enumerate(chunks(new, per_call), start=1):
        answers = ask(batch)
        told |= {_name(a.parcel): a.outcome for a in answers if a.outcome not in _ASK_AGAIN}
        records = [_record(a, today.isoformat()) for a in answers if a.outcome in (ACCEPTED, KNOWN)]
        yield Page(records, source_ref=f"register {number}", rejects=_rejects(answers))
        if any(answer.outcome in _ENDS_TONIGHT for answer in answers):
            break
    yield Page((), source_ref="register end", on_landed=partial(_remember, context.state, told))


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Pieces of a sequence, the last one shorter."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _record(asked: Asked, today: str) -> Mapping[str, object]:
    return {
        "number": asked.parcel.tracking_number,
        "carrierAsked": asked.parcel.carrier,
        "carrier": asked.carrier,
        "origin": asked.origin,
        "outcome": asked.outcome,
        "orderRef": asked.parcel.order_ref,
        "sentOn": asked.parcel.sent_on.isoformat(),
        "askedOn": today,
    }


def _rejects(answers: Sequence[Asked]) -> list[Reject]:
    counts = Counter(a.outcome for a in answers if a.outcome in _ADVICE)
    examples = {a.outcome: a.parcel.tracking_number for a in reversed(answers)}
    return [
        Reject(outcome, count, _ADVICE[outcome], examples[outcome])
        for outcome, count in sorted(counts.items())
    ]


def _name(parcel: OpenParcel) -> str:
    return f"{parcel.tracking_number}|{parcel.carrier}"


def _remember(state: StreamState, told: Mapping[str, str]) -> None:
    state[_STATE] = dict(told)
    state.save()
