"""Pacing of requests: a token bucket per account and operation.

Belongs here: the bucket and a set of buckets. Does not belong here: the rates of an API and which
header tells a new one (that connector's `client.py`), nor retrying (`http.py`).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from sources._core.clock import Clock


@dataclass(frozen=True)
class Rate:
    """`per_second` requests on average, at most `burst` at once."""

    per_second: float
    burst: float = 1.0

    def __post_init__(self) -> None:
        if self.per_second <= 0 or self.burst < 1:
            raise ValueError("a rate needs per_second > 0 and burst >= 1")


class TokenBucket:
    """Lets requests pass at a rate. Safe for threads: each waits its own turn, none is starved.

    A taker books its token at once, so that the level may fall below zero; it then sleeps, outside
    the lock, until the level would have been zero again.
    """

    def __init__(self, rate: Rate, clock: Clock) -> None:
        self._rate = rate
        self._clock = clock
        self._lock = threading.Lock()
        self._level = float(rate.burst)
        self._filled_at = clock.monotonic()
        self._closed_until = self._filled_at

    @property
    def rate(self) -> Rate:
        return self._rate

    def acquire(self, cost: float = 1.0) -> float:
        """Wait until a request may be sent; returns the seconds waited."""
        with self._lock:
            now = self._refill()
            self._level -= cost
            wait = max(0.0, -self._level / self._rate.per_second, self._closed_until - now)
        if wait > 0:
            self._clock.sleep(wait)
        return wait

    def adapt(self, per_second: float, burst: float | None = None) -> None:
        """Take over the rate that an answer tells; a rate that is not positive is ignored."""
        if not per_second > 0:
            return
        with self._lock:
            self._refill()
            self._rate = Rate(per_second, self._rate.burst if burst is None else burst)
            self._level = min(self._level, self._rate.burst)

    def set_available(self, tokens: float) -> None:
        """Take over how many tokens the source says are left (a cost bucket)."""
        with self._lock:
            self._refill()
            self._level = min(tokens, self._rate.burst)

    def pause(self, seconds: float) -> None:
        """Let nobody pass for so long: the source has refused a request."""
        with self._lock:
            now = self._refill()
            self._level = min(self._level, 0.0)
            self._closed_until = max(self._closed_until, now + seconds)

    def _refill(self) -> float:
        now = self._clock.monotonic()
        gained = (now - self._filled_at) * self._rate.per_second
        self._level = min(float(self._rate.burst), self._level + gained)
        self._filled_at = now
        return now


class Limits:
    """The buckets of one account, made on first use."""

    def __init__(
        self, clock: Clock, rates: Mapping[str, Rate] | None = None, default: Rate | None = None
    ) -> None:
        self._clock = clock
        self._rates = dict(rates or {})
        self._default = default
        self._lock = threading.Lock()
        self._buckets: dict[str, TokenBucket] = {}

    def bucket(self, operation: str) -> TokenBucket | None:
        """Bucket of an operation; None where neither it nor a default has a rate."""
        rate = self._rates.get(operation, self._default)
        if rate is None:
            return None
        with self._lock:
            if operation not in self._buckets:
                self._buckets[operation] = TokenBucket(rate, self._clock)
            return self._buckets[operation]
