"""Things that change long after they were made, where eBay lists by creation only.

Belongs here: which ones are read again by id, kept in the stream's state. Does not belong here: how
one is read (`post_order.py`, `disputes.py`). What is over is still read for some days: it may
change once more, and a night that was killed may not have landed its end.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sources._core.connector import StreamContext

_STATE = "read_again"
_SWEPT = "swept_at"


class Tracked:
    """Ids to read again, each with what only its first reading tells."""

    def __init__(self, context: StreamContext, keep_closed: timedelta) -> None:
        self._context = context
        self._keep_closed = keep_closed
        self._known: dict[str, dict[str, Any]] = dict(context.state.get(_STATE) or {})
        self.read: set[str] = set()

    def note(self, key: str, *, is_closed: bool, first: Mapping[str, Any]) -> None:
        """Remember what was read just now."""
        self.read.add(key)
        before = self._known.get(key, {})
        closed_at = (before.get("closed_at") or self._now.isoformat()) if is_closed else None
        self._known[key] = {"closed_at": closed_at, "first": dict(first)}

    def first(self, key: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._known[key]["first"]
        return found

    def due(self) -> list[str]:
        """Ids not read in this run that are open, or closed not long ago."""
        return sorted(key for key in self._known if key not in self.read and self._is_kept(key))

    def is_sweep_due(self, every: timedelta) -> bool:
        swept = self._context.state.get(_SWEPT)
        return swept is not None and self._now - datetime.fromisoformat(swept) >= every

    def swept(self) -> None:
        self._context.state[_SWEPT] = self._now.isoformat()

    def begin_sweeps(self) -> None:
        """The first reading of a history is as good as a sweep."""
        self._context.state.setdefault(_SWEPT, self._now.isoformat())

    def save(self) -> None:
        self._known = {key: value for key, value in self._known.items() if self._is_kept(key)}
        self._context.state[_STATE] = self._known
        self._context.state.save()

    def _is_kept(self, key: str) -> bool:
        closed_at = self._known[key]["closed_at"]
        return closed_at is None or (
            self._now - datetime.fromisoformat(closed_at) < self._keep_closed
        )

    @property
    def _now(self) -> datetime:
        return self._context.clock.now()
