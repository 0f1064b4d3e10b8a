"""Calls a day that the application may make, and how many are left.

Belongs here: counting. A day ends at midnight in California. With the scenario's `throttle` at
`fast` nobody is refused.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from threading import Lock
from typing import Any
from zoneinfo import ZoneInfo

from sources._core.clock import Clock

from .answers import moment

_ZONE = ZoneInfo("America/Los_Angeles")
LIMITS: Mapping[str, tuple[str, str, int]] = {
    "sell.fulfillment": ("sell", "Fulfillment", 100_000),
    "sell.finances": ("sell", "Finances", 15_000),
    "sell.analytics": ("sell", "Analytics", 400),
    "commerce.feedback": ("commerce", "Feedback", 10_000),
    "commerce.message": ("commerce", "Message", 10_000),
    "post-order.return": ("post-order", "Return", 5_000),
    "post-order.cancellation": ("post-order", "Cancellation", 5_000),
    "post-order.inquiry": ("post-order", "Inquiry", 5_000),
    "post-order.casemanagement": ("post-order", "Casemanagement", 5_000),
}
"""API context, API name and calls a day of each resource."""


@dataclass
class Quotas:
    """Counts the calls of the day by resource."""

    clock: Clock
    is_held: bool
    _used: dict[tuple[str, date], int] = field(default_factory=lambda: defaultdict(int))
    _lock: Lock = field(default_factory=Lock)

    def takes(self, resource: str) -> bool:
        """Count a call; False where the day's quota is used up."""
        if resource not in LIMITS:
            return True
        with self._lock:
            key = (resource, self._today())
            if self.is_held and self._used[key] >= LIMITS[resource][2]:
                return False
            self._used[key] += 1
            return True

    def _today(self) -> date:
        return self.clock.now().astimezone(_ZONE).date()

    def answer(self, context: str | None, name: str | None) -> dict[str, Any]:
        """`GET /developer/analytics/v1_beta/rate_limit/`."""
        today = self._today()
        reset = datetime.combine(today + timedelta(days=1), time(), _ZONE).astimezone(UTC)
        found: list[dict[str, Any]] = []
        for resource, (own_context, own_name, limit) in LIMITS.items():
            if context not in (None, own_context) or (name or own_name).lower() != own_name.lower():
                continue
            used = self._used.get((resource, today), 0)
            rate = {
                "count": used,
                "limit": limit,
                "remaining": max(0, limit - used),
                "reset": moment(reset.replace(tzinfo=None)),
                "timeWindow": 86_400,
            }
            found.append(
                {
                    "apiContext": own_context,
                    "apiName": own_name,
                    "apiVersion": "v1",
                    "resources": [{"name": resource, "rates": [rate]}],
                }
            )
        return {"rateLimits": found}
