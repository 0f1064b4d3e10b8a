"""What becomes of an alert over nights: no flapping, one at a time, ids that stay."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from assets.alerts.measures import Measure
from assets.alerts.rules import Rule
from assets.alerts.states import Alert, decide, judge

NIGHT = datetime(2026, 6, 1)  # noqa: DTZ001 - columns are UTC without zone
RULE = Rule.model_validate(
    {
        "name": "behind",
        "kind": "freshness",
        "entity": "source",
        "severity": "warning",
        "quiet_days": 3,
        "playbook": "p",
        "query": "q",
        "judge": {"by": "level", "open_at": 10, "hold_at": 5, "severe_at": 100},
    }
)


def behind(hours: float, key: str = "a|b|c", covered_by: str | None = None) -> Measure:
    return Measure("freshness", "source", key, value=hours, covered_by=covered_by)


class Story:
    """Nights one after the other."""

    def __init__(self) -> None:
        self.alerts: list[Alert] = []
        self.night = NIGHT
        self.acknowledged: dict[str, datetime] = {}

    def next(self, *measures: Measure, days: float = 1) -> list[Alert]:
        self.night += timedelta(days=days)
        self.alerts = decide(
            judge([RULE], measures), self.alerts, self.acknowledged, self.night, f"{self.night}"
        )
        return self.alerts

    def states(self, *nights: Measure | None) -> list[str]:
        return [self.next(*[m] if m else [])[0].state for m in nights]


@pytest.fixture
def story() -> Story:
    return Story()


def test_it_opens_is_updated_and_resolved_after_calm_days(story: Story) -> None:
    assert story.states(behind(10), behind(10), behind(20), None, None, None, None) == [
        "open",
        "open",
        "updated",
        "updated",
        "updated",
        "updated",
        "resolved",
    ]


def test_a_calm_night_between_does_not_close_it(story: Story) -> None:
    states = story.states(behind(10), None, behind(10), None, behind(10), None, None)
    assert "resolved" not in states
    assert len(story.alerts) == 1


def test_it_does_not_open_below_but_holds_there(story: Story) -> None:
    assert story.next(behind(7)) == []
    story.next(behind(12))
    assert story.states(*[behind(7)] * 6)[-1] == "updated"


def test_it_comes_again_as_the_same_alert(story: Story) -> None:
    (first,) = story.next(behind(10))
    story.states(None, None, None, None)
    (again,) = story.next(behind(10))
    assert (again.state, again.alert_id, again.opened_at) == (
        "reopened",
        first.alert_id,
        first.opened_at,
    )
    assert again.started_at == story.night
    assert again.resolved_at is None


def test_long_after_its_end_it_is_a_new_alert(story: Story) -> None:
    (first,) = story.next(behind(10))
    story.states(None, None, None, None)
    old, new = story.next(behind(10), days=60)
    assert (old.alert_id, old.state) == (first.alert_id, "resolved")
    assert (new.state, new.alert_id != first.alert_id) == ("open", True)


def test_acknowledged_stays_so_until_it_ends_and_comes_again(story: Story) -> None:
    (alert,) = story.next(behind(10))
    story.acknowledged[alert.alert_id] = story.night + timedelta(hours=9)
    assert story.states(behind(20), behind(30), None) == ["acknowledged"] * 3
    assert story.states(None, None, None)[-1] == "resolved"
    assert story.alerts[0].acknowledged_at is not None
    (again,) = story.next(behind(10))
    assert (again.state, again.acknowledged_at) == ("reopened", None)


def test_severity_grows_but_does_not_fall_while_open(story: Story) -> None:
    story.next(behind(10))
    assert story.next(behind(120))[0].severity == "high"
    assert story.next(behind(10))[0].severity == "high"


def test_what_a_parent_says_is_not_said_again(story: Story) -> None:
    whole, part = behind(20, "a|b|all"), behind(20, "a|b|c", covered_by="a|b|all")
    (only,) = story.next(whole, part)
    assert only.measure.entity_key == "a|b|all"
    assert story.states(part, part, part, part)[-1] == "resolved"
    assert {a.measure.entity_key: a.state for a in story.next(part)} == {
        "a|b|all": "resolved",
        "a|b|c": "open",
    }
    reopened = {a.measure.entity_key: a for a in story.next(whole, part)}
    assert reopened["a|b|all"].state == "reopened"
    assert reopened["a|b|c"].parent_alert_id == reopened["a|b|all"].alert_id


def test_a_repeated_night_decides_the_same(story: Story) -> None:
    story.next(behind(10), behind(50, "x|y|z"))
    before, night = story.alerts, story.night + timedelta(days=1)
    twice = [
        decide(judge([RULE], [behind(30), behind(10, "n|e|w")]), before, {}, night, "b")
        for _ in range(2)
    ]
    assert twice[0] == twice[1]
    assert len({alert.alert_id for alert in twice[0]}) == 3


def test_a_rule_that_is_gone_resolves_its_alerts(story: Story) -> None:
    (alert,) = story.next(behind(10))
    later = decide([], [alert], {}, story.night + timedelta(days=1), "b")
    much_later = decide([], later, {}, story.night + timedelta(days=9), "b")
    assert much_later[0].state == "resolved"
