"""Rates of the operations, and the buckets that hold callers to them.

One bucket per account and operation: `rate` tokens a second, at most `burst`. Time is the
environment's monotonic clock, so a test that waits on a clock of its own waits for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock

from sources._core.clock import Clock

RATES: dict[str, tuple[float, int]] = {
    "searchOrders": (0.0056, 20),
    "getOrder": (0.5, 30),
    "createReport": (0.0167, 15),
    "getReport": (2.0, 15),
    "getReports": (0.0222, 10),
    "cancelReport": (0.0222, 10),
    "getReportDocument": (0.0167, 15),
    "listTransactions": (0.5, 10),
    "listInboundPlans": (2.0, 6),
    "getInboundPlan": (2.0, 6),
    "listInboundPlanItems": (2.0, 6),
    "getItemReviewTopics": (1.0, 1),
    "createRestrictedDataToken": (1.0, 10),
    "getMarketplaceParticipations": (0.016, 15),
}
"""Requests a second and burst, from the usage plans of the official models."""

OPEN_RATE = "100"


@dataclass
class Buckets:
    """Token buckets of all callers; with `is_open` nobody is ever held back."""

    clock: Clock
    is_open: bool
    _state: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def takes(self, account: str, operation: str) -> bool:
        """Take one token; False when there is none."""
        if self.is_open:
            return True
        rate, burst = RATES[operation]
        now = self.clock.monotonic()
        with self._lock:
            tokens, since = self._state.get((account, operation), (float(burst), now))
            tokens = min(float(burst), tokens + (now - since) * rate)
            is_taken = tokens >= 1.0
            self._state[account, operation] = (tokens - 1.0 if is_taken else tokens, now)
            return is_taken


def rate_text(operation: str, *, is_open: bool) -> str:
    """The rate as `x-amzn-RateLimit-Limit` shows it; a reader of open buckets need not wait."""
    return OPEN_RATE if is_open else f"{RATES[operation][0]:g}"
