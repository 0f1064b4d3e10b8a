"""What becomes of each alert tonight: a pure function of judged figures and yesterday's alerts.

Belongs here: opening, holding, resolving, reopening, acknowledging, ids. Does not belong here:
whether a figure is too high (`rules.py`), where alerts are kept (`book.py`).

An alert stays open until it has been calm for the `quiet_days` of its rule, so that one good night
does not close it; one that fires again soon after its end is the same alert, reopened.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from assets.alerts.measures import Measure
from assets.alerts.rules import SEVERITIES, Rule

OPEN = frozenset({"open", "updated", "acknowledged", "reopened"})
REOPEN_WITHIN = timedelta(days=30)
FORGET_AFTER = timedelta(days=400)


class Judged(msgspec.Struct, frozen=True):
    """A figure that a rule takes seriously: it fires, or it keeps an open alert open."""

    rule: Rule
    measure: Measure
    fires: bool

    @property
    def place(self) -> tuple[str, str, str]:
        return self.measure.kind, self.measure.entity_type, self.measure.entity_key


class Alert(msgspec.Struct, frozen=True, omit_defaults=True):
    """State of one alert. All times are UTC without zone, as in the table.

    `started_at` begins the present episode; `quiet_since` is set while it is calm but not yet
    resolved.
    """

    alert_id: str
    rule: str
    quiet_days: float
    playbook_id: str
    query_id: str
    metric_id: str
    severity: str
    state: str
    measure: Measure
    opened_at: datetime
    updated_at: datetime
    started_at: datetime
    build_id: str
    acknowledged_at: datetime | None = None
    resolved_at: datetime | None = None
    quiet_since: datetime | None = None
    parent_alert_id: str = "none"

    @property
    def place(self) -> tuple[str, str, str]:
        return self.measure.kind, self.measure.entity_type, self.measure.entity_key

    @property
    def is_open(self) -> bool:
        return self.state in OPEN


def judge(rules: Iterable[Rule], measures: Sequence[Measure]) -> list[Judged]:
    """At most one judgement for each kind and entity: what fires first, then the more severe."""
    best: dict[tuple[str, str, str], tuple[tuple[bool, int, float], Judged]] = {}
    for rule in rules:
        for measure in measures:
            if not rule.takes(measure):
                continue
            verdict = rule.judge.verdict(measure)
            if verdict == "clear":
                continue
            found = Judged(rule, measure, verdict == "fires")
            rank = (found.fires, SEVERITIES.index(rule.severity_of(measure)), _weight(measure))
            if found.place not in best or rank > best[found.place][0]:
                best[found.place] = rank, found
    return [best[place][1] for place in sorted(best)]


def _weight(measure: Measure) -> float:
    """Of several figures of an entity: the one with most events above what was expected."""
    if measure.k is None or measure.n is None or measure.baseline is None:
        return measure.value or 0.0
    return measure.k - measure.n * measure.baseline


def decide(
    judged: Sequence[Judged],
    last: Iterable[Alert],
    acknowledged: Mapping[str, datetime],
    now: datetime,
    build_id: str,
) -> list[Alert]:
    """Alerts after tonight, open and resolved, from those of the last night."""
    tonight = {found.place: found for found in judged}
    kept, current = [], {}
    for alert in last:
        if alert.is_open or _is_recent(alert, now):
            current[alert.place] = alert
        elif alert.resolved_at is None or alert.resolved_at > now - FORGET_AFTER:
            kept.append(alert)
    ids = {place: alert.alert_id for place, alert in current.items() if alert.is_open}
    ids |= {p: _alert_id(p, current.get(p), now) for p, found in tonight.items() if found.fires}
    for place in sorted({*tonight, *current}):
        before, found = current.get(place), tonight.get(place)
        parent = _parent(found, ids)
        after = _next(before, found, parent, now, build_id)
        if after is not None:
            kept.append(_acknowledge(after, acknowledged.get(after.alert_id)))
    return sorted(kept, key=lambda a: (a.place, a.opened_at))


def _is_recent(alert: Alert, now: datetime) -> bool:
    return alert.resolved_at is not None and alert.resolved_at > now - REOPEN_WITHIN


def _alert_id(place: tuple[str, str, str], before: Alert | None, now: datetime) -> str:
    """The same for the same entity, kind and opening, whichever run decides."""
    if before is not None:
        return before.alert_id
    digest = hashlib.sha256("\n".join([*place, now.isoformat()]).encode()).digest()
    return "A-" + base64.b32encode(digest)[:8].decode()


def _parent(found: Judged | None, ids: Mapping[tuple[str, str, str], str]) -> str | None:
    """The open alert of the same kind that says it already."""
    if found is None or found.measure.covered_by is None:
        return None
    wanted = found.measure.kind, found.measure.covered_by
    return next((i for (kind, _type, key), i in ids.items() if (kind, key) == wanted), None)


def _next(
    before: Alert | None, found: Judged | None, parent: str | None, now: datetime, build_id: str
) -> Alert | None:
    if before is None or not before.is_open:
        if found is None or not found.fires or parent is not None:
            return before
        return _opened(before, found, now, build_id)
    if found is not None:
        return _held(before, found, parent, now, build_id)
    return _calmed(before, now, build_id)


def _opened(before: Alert | None, found: Judged, now: datetime, build_id: str) -> Alert:
    """A new alert, or the former one once more."""
    rule = found.rule
    return Alert(
        alert_id=_alert_id(found.place, before, now),
        rule=rule.name,
        quiet_days=rule.quiet_days,
        playbook_id=rule.playbook,
        query_id=rule.query,
        metric_id=rule.metric,
        severity=rule.severity_of(found.measure),
        state="reopened" if before else "open",
        measure=found.measure,
        opened_at=before.opened_at if before else now,
        updated_at=now,
        started_at=now,
        build_id=build_id,
    )


def _held(before: Alert, found: Judged, parent: str | None, now: datetime, build_id: str) -> Alert:
    """Still there; severity never falls while it is open."""
    severity = max(before.severity, found.rule.severity_of(found.measure), key=SEVERITIES.index)
    is_changed = found.measure != before.measure
    return msgspec.structs.replace(
        before,
        severity=severity,
        state="updated" if is_changed and before.state != "acknowledged" else before.state,
        measure=found.measure,
        updated_at=now if is_changed else before.updated_at,
        quiet_since=None,
        quiet_days=found.rule.quiet_days,
        parent_alert_id=parent or "none",
        build_id=build_id,
    )


def _calmed(before: Alert, now: datetime, build_id: str) -> Alert:
    """Calm tonight: resolved once it was so for long enough."""
    since = before.quiet_since or now
    if now - since < timedelta(days=before.quiet_days):
        return msgspec.structs.replace(before, quiet_since=since, build_id=build_id)
    return msgspec.structs.replace(
        before, state="resolved", resolved_at=now, quiet_since=None, build_id=build_id
    )


def _acknowledge(alert: Alert, at: datetime | None) -> Alert:
    """An acknowledgement holds for the episode in which it was given."""
    if at is None or at < alert.started_at:
        return alert
    return msgspec.structs.replace(
        alert,
        state="acknowledged" if alert.is_open else alert.state,
        acknowledged_at=at,
    )


def failed_nights(nights: Sequence[tuple[datetime, str]]) -> Measure:
    """The figure of nights that did not publish: when each was, and its cause."""
    return Measure(
        kind="build",
        entity_type="source",
        entity_key="all|all|all",
        k=len(nights),
        value=len(nights),
        since=f"{nights[0][0]:%Y-%m-%d %H:%M}",
        facts={"cause": nights[-1][1]},
    )


def with_failed_nights(
    last: Sequence[Alert],
    rules: Iterable[Rule],
    nights: Sequence[tuple[datetime, str]],
    acknowledged: Mapping[str, datetime],
    build_id: str,
) -> list[Alert]:
    """The alerts as they were when the first of these nights had failed."""
    if not nights:
        return list(last)
    mine = [alert for alert in last if alert.measure.kind == "build"]
    judged = judge(rules, [failed_nights(nights)])
    others = [alert for alert in last if alert.measure.kind != "build"]
    return others + decide(judged, mine, acknowledged, nights[0][0], build_id)
