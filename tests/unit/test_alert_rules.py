"""Alert rules: what a rules file may say, and when one figure is too high."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from assets.alerts import wording
from assets.alerts.measures import Measure
from assets.alerts.rules import Interval, Level, RulesError, Significance, load_rules, wilson
from assets.alerts.states import judge


def measure(**values: object) -> Measure:
    return Measure("return_rate", "sku", "S1", **values)  # type: ignore[arg-type]


def share(k: float, n: float, baseline: float | None = 0.08, **more: object) -> Measure:
    return measure(k=k, n=n, baseline=baseline, baseline_n=1000, **more)


def write(folder: Path, text: str) -> Path:
    path = folder / "rules.yml"
    path.write_text(text, encoding="utf-8")
    return path


def test_wilson_interval_as_published() -> None:
    assert wilson(368, 400) == pytest.approx((0.8892, 0.9428), abs=5e-5)
    assert wilson(0, 30) == pytest.approx((0, 0.1135), abs=5e-5)


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (share(52, 200), "fires"),
        (share(20, 200), "clear"),  # 10 %: above usual, not half above
        (share(28, 200), "holds"),  # 14 %: its interval reaches down to the limit
        (share(4, 8), "clear"),  # half of almost nothing
        (share(52, 200, baseline=None), "clear"),
        (measure(k=52, n=200, baseline=0.08, baseline_n=40), "clear"),  # usual by hearsay
        (share(52, 200, baseline_of="category"), "holds"),  # others are a weak comparison
        (share(90, 200, baseline_of="category"), "fires"),
    ],
)
def test_a_share_is_judged_by_its_counts(found: Measure, verdict: str) -> None:
    assert Interval(by="interval").verdict(found) == verdict


def test_a_level_and_a_test_open_and_hold() -> None:
    level = Level(by="level", open_at=10, hold_at=5)
    assert [level.verdict(measure(value=v)) for v in (10, 7, 4)] == ["fires", "holds", "clear"]
    test = Significance(by="q_value")
    assert [test.verdict(measure(q_value=q)) for q in (0.05, 0.2, 0.3)] == [
        "fires",
        "holds",
        "clear",
    ]
    assert test.verdict(measure()) == "clear"


def test_a_file_changes_adds_and_switches_off(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
rules:
  - {name: sku_return_rate, severity: high, judge: {min_ratio: 2}}
  - {name: source_behind, enabled: false}
  - name: strict_de
    kind: return_rate
    entity: sku_marketplace
    severity: critical
    playbook: high_return_rate
    query: sku_marketplace_return_rate
    only: {marketplace: [amazon_de]}
    channels: [ops]
    judge: {by: interval, min_ratio: 1.1}
""",
    )
    rules = {rule.name: rule for rule in load_rules(path, ["ops"])}
    changed = rules["sku_return_rate"]
    assert changed.severity == "high"
    assert isinstance(changed.judge, Interval)
    assert (changed.judge.min_ratio, changed.judge.min_k) == (2, 5)
    behind = Measure("freshness", "source", "a|b|c", value=100)
    assert judge(rules.values(), [behind]) == []
    elsewhere = Measure("return_rate", "sku_marketplace", "S|a|m", marketplace="amazon_fr")
    assert not rules["strict_de"].takes(elsewhere)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rules: {}", "write a list under the key rules"),
        ("rules: [", "not readable as YAML"),
        ("rules: [{name: sku_return_rate, sverity: high}]", "sku_return_rate: sverity"),
        ("rules: [{name: sku_return_rate, kind: mood}]", "sku_return_rate: kind"),
        ("rules: [{name: sku_return_rate, only: {colour: [red]}}]", "colour: write one of"),
        ("rules: [{name: sku_return_rate, channels: [nobody]}]", "channel nobody"),
        ("rules: [{severity: high}]", "without a name"),
    ],
)
def test_a_wrong_file_says_which_rule_and_key(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(RulesError, match=says):
        load_rules(write(tmp_path, text), ["ops"])


def test_shipped_rules_name_what_exists(project_root: Path) -> None:
    seeds = project_root / "dbt_project" / "seeds"

    def ids(name: str) -> set[str]:
        with (seeds / name).open(encoding="utf-8", newline="") as file:
            return {row[0] for row in csv.reader(file)}

    for rule in load_rules():
        assert rule.playbook in ids("playbooks.csv")
        assert rule.query in ids("evidence_queries.csv")
        assert rule.metric in {"none"} | ids("metric_definitions.csv")


def test_every_kind_has_words_in_both_languages_and_a_place_in_the_runbook(
    project_root: Path,
) -> None:
    english, chinese = (wording.words(language) for language in wording.LANGUAGES)
    assert english.keys() == chinese.keys()
    kinds = {rule.kind for rule in load_rules()}
    runbook = (project_root / "docs" / "runbook.md").read_text("utf-8")
    for kind in kinds:
        assert english["kind"][kind].keys() == chinese["kind"][kind].keys()
        assert f"| `{kind}` |" in runbook


def test_a_message_says_what_where_since_when_how_sure_and_what_to_do() -> None:
    found = Measure(
        "return_rate",
        "sku_marketplace",
        "S1|amz_eu|amazon_de",
        sku="S1",
        account="amz_eu",
        marketplace="amazon_de",
        k=52,
        n=200,
        baseline=0.08,
        baseline_n=1000,
        since="2026-05-01",
        facts={"months": "2026-05"},
    )
    texts = [
        wording.message(found, language, playbook="high_return_rate", query="q", currency="EUR")
        for language in wording.LANGUAGES
    ]
    for text in texts:
        for part in ("S1", "amazon_de", "52", "200", "26.0%", "20.4%", "8.0%", "2026-05-01"):
            assert part in text
        assert "high_return_rate" in text
    assert texts[0] != texts[1]
    bare = Measure("freshness", "source", "amazon|amz_eu|orders")
    assert "None" not in wording.message(bare, "en", playbook="p", query="q")
