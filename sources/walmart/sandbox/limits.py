"""Calls a minute that a store may make of each endpoint, and how a refusal tells when to come back.

Belongs here: token buckets. With the scenario's `throttle` at `fast` nobody is held back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from threading import Lock

from sources._core.clock import Clock
from sources._sandbox.api_faults import share_of

LIMITS: Mapping[str, tuple[float, int]] = {  # calls, seconds
    "orders": (5000, 60),
    "returns": (50, 60),
    "recon": (100, 60),
    "statement": (15, 60),
    "performance": (15, 60),
    "insights": (1, 60),
    "report_request": (20, 3600),
    "report_list": (200, 60),
    "report_status": (20, 3600),
    "report_download": (20, 3600),
}
_FORMATS = ("seconds", "millis", "iso", "none")


@dataclass
class Buckets:
    """One bucket per store and endpoint; it fills little by little."""

    clock: Clock
    is_open: bool
    seed: int
    _state: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def takes(self, account: str, endpoint: str) -> bool:
        if self.is_open:
            return True
        size, seconds = LIMITS[endpoint]
        now = self.clock.monotonic()
        with self._lock:
            tokens, since = self._state.get((account, endpoint), (size, now))
            tokens = min(size, tokens + (now - since) * size / seconds)
            is_taken = tokens >= 1.0
            self._state[account, endpoint] = (tokens - 1.0 if is_taken else tokens, now)
            return is_taken

    def headers(self, account: str, endpoint: str, *, is_refused: bool) -> dict[str, str]:
        """How many are left and when there are more, in one of the forms that were seen."""
        size, seconds = LIMITS[endpoint]
        tokens, since = self._state.get((account, endpoint), (size, 0.0))
        shown = {"x-current-token-count": str(0 if is_refused else int(tokens))}
        wait = 1.0 if self.is_open else max(0.0, (1.0 - tokens) * seconds / size)
        form = _FORMATS[int(share_of(self.seed, account, endpoint, since) * len(_FORMATS))]
        at = self.clock.now() + timedelta(seconds=wait)
        if form == "seconds":
            shown["X-Next-Replenishment-Time"] = f"{wait:.0f}"
        elif form == "millis":
            shown["x-next-replenish-time"] = str(int(at.timestamp() * 1000))
        elif form == "iso":
            shown["X-Next-Replenishment-Time"] = f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        return shown if is_refused else {"x-current-token-count": shown["x-current-token-count"]}
