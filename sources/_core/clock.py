"""The one clock of a run. Nobody else asks the machine for the time."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """`now` is the night's clock (UTC); `monotonic` and `sleep` pace requests, in seconds."""

    def now(self) -> datetime: ...
    def monotonic(self) -> float: ...
    def sleep(self, seconds: float) -> None: ...


@dataclass(frozen=True)
class SystemClock:
    """Real time, or a fixed `now` (`--until`, sandbox) with real waiting."""

    fixed_now: datetime | None = None

    def now(self) -> datetime:
        return self.fixed_now or datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@dataclass(frozen=True)
class HurriedClock:
    """Waiting takes a `factor`th of the time: for a source that is simulated.

    `monotonic` runs as much faster, so that rates and budgets of time stay consistent.
    """

    clock: Clock
    factor: float

    def now(self) -> datetime:
        return self.clock.now()

    def monotonic(self) -> float:
        return self.clock.monotonic() * self.factor

    def sleep(self, seconds: float) -> None:
        self.clock.sleep(seconds / self.factor)


@dataclass
class ManualClock:
    """For tests: waiting costs nothing and is recorded in `sleeps`. Safe for threads."""

    current: datetime
    sleeps: list[float] = field(default_factory=list)
    elapsed: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def now(self) -> datetime:
        return self.current + timedelta(seconds=self.elapsed)

    def monotonic(self) -> float:
        return self.elapsed

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.sleeps.append(seconds)
            self.elapsed += seconds
