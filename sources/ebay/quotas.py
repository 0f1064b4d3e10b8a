"""eBay's daily quotas, read at run time: they belong to the application, not to one seller.

Belongs here: reading them and saying whether one is used up. Does not belong here: waiting between
requests of a burst (`client.py`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sources._core.clock import Clock
from sources._core.errors import SourceError, StopStream

from .config import APIS

DAY = 86_400
_GOOD_FOR = 60.0  # seconds that a reading counts after a refusal
Ask = Callable[[str, str], Mapping[str, Any]]


@dataclass(frozen=True)
class Quota:
    """What is left of a day's requests, and when the next day begins."""

    limit: int
    remaining: int
    reset: str


@dataclass(frozen=True)
class _Reading:
    quotas: Sequence[Quota]
    read_at: float
    is_refused: bool  # whether it was made because a request had been refused

    def is_stale(self, now: float) -> bool:
        return not self.is_refused or now - self.read_at >= _GOOD_FOR


class Quotas:
    """Quotas of the APIs, each read when first used and again after a refusal."""

    def __init__(self, ask: Ask, clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, _Reading] = {}

    def stop_if_used_up(self, api: str) -> None:
        """StopStream where eBay says that nothing is left today."""
        error = self.used_up(api)
        if error is not None:
            raise error

    def used_up(self, api: str, *, is_refused: bool = False) -> StopStream | None:
        """Before a request all quotas of the API must be used up, after a refusal any of them."""
        quotas = self._quotas(api, is_refused=is_refused)
        empty = [quota for quota in quotas if quota.remaining <= 0]
        if not empty or (not is_refused and len(empty) < len(quotas)):
            return None
        quota = max(empty, key=lambda found: found.reset)
        return StopStream(
            f"the application's {quota.limit} requests a day to eBay's {api} are used up until "
            f"{quota.reset}; all sellers of the application share them. The next night goes on "
            "from the same place; ask eBay for an application growth check to get more."
        )

    def _quotas(self, api: str, *, is_refused: bool) -> Sequence[Quota]:
        with self._lock:
            now = self._clock.monotonic()
            reading = self._known.get(api)
            if reading is None or (is_refused and reading.is_stale(now)):
                reading = self._known[api] = _Reading(self._read(api), now, is_refused)
            return reading.quotas

    def _read(self, api: str) -> Sequence[Quota]:
        context, name, _right = APIS[api]
        try:
            answer = self._ask(context, name)
        except SourceError:
            return ()  # reading goes on: a refusal will say it
        return daily_quotas(answer)


def daily_quotas(answer: Mapping[str, Any]) -> Sequence[Quota]:
    """The daily rates in an answer of getRateLimits."""
    return [
        Quota(int(rate.get("limit") or 0), int(rate["remaining"]), str(rate.get("reset") or "?"))
        for limit in answer.get("rateLimits") or ()
        for resource in limit.get("resources") or ()
        for rate in resource.get("rates") or ()
        if rate.get("remaining") is not None and rate.get("timeWindow") in (None, DAY)
    ]
