"""Scenario files: what is accepted, what is refused, and whether the message helps."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from sources._sandbox.fault_kinds import FAULT_KINDS
from sources._sandbox.scenario import DEFAULT_SCENARIO, Scenario, ScenarioError
from sources.registry import connectors

SCENARIOS = sorted((DEFAULT_SCENARIO.parent / "scenarios").glob("*.toml"))


def content(**changes: Any) -> dict[str, Any]:
    return {
        "seed": 1,
        "start": date(2026, 1, 1),
        "today": date(2026, 3, 1),
        "orders_per_day": 5,
        "skus": 10,
        "accounts": [{"connector": "amazon", "name": "amz", "marketplaces": ["DE"]}],
        **changes,
    }


@pytest.mark.parametrize("path", [DEFAULT_SCENARIO, *SCENARIOS], ids=lambda path: path.stem)
def test_the_shipped_scenarios_load(path: Path) -> None:
    scenario = Scenario.load(path)
    assert scenario.clock > datetime(2020, 1, 1, tzinfo=UTC)
    assert scenario.selling_accounts


def test_the_default_world_has_an_account_of_every_connector() -> None:
    """So `make nightly` runs them all; exchange rates need no account."""
    accounts = Scenario.load(DEFAULT_SCENARIO).accounts
    assert {account.connector for account in accounts} == set(connectors()) - {"fx"}


def test_the_small_scenario_has_every_kind_of_fault() -> None:
    small = Scenario.load(DEFAULT_SCENARIO.parent / "scenarios" / "small.toml")
    assert {fault.kind for fault in small.faults} == set(FAULT_KINDS)


def test_the_example_of_the_design_loads(tmp_path: Path) -> None:
    path = tmp_path / "example.toml"
    path.write_text(
        """
        seed = 7
        start = 2026-01-01
        today = 2026-11-20
        orders_per_day = 150
        skus = 60
        languages = ["de", "en", "ja"]
        inspection_share = 0.6
        [[accounts]]
        connector = "amazon"
        name = "amz_eu"
        marketplaces = ["DE", "FR", "GB"]
        [[faults]]
        kind = "bad_lot"
        sku = "SKU-0007"
        lot = "SKU-0007-L03"
        rate = 0.18
        [api]
        throttle = "fast"
        http_429 = 0.02
        token_lifetime_s = 900
        """,
        encoding="utf-8",
    )
    scenario = Scenario.load(path)
    assert scenario.api.shares["http_429"] == 0.02
    fault = scenario.faults[0]
    assert (fault.fault_id, fault.get("rate")) == ("F01", 0.18)
    assert fault.get("reason") == "product_defect.functional"
    assert fault.entry["kind"] == "bad_lot"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"orders_per_dya": 3}, ("orders_per_dya", "did you mean `orders_per_day`")),
        ({"api": {"http_500": 0.1}}, ("http_500", "http_503")),
        ({"api": {"http_429": 1.5}}, ("api.http_429", "1.5")),
        ({"start": "01/02/2026"}, ("start", "2026-01-31")),
        ({"today": date(2025, 1, 1)}, ("today", "after `start`")),
        ({"accounts": []}, ("accounts",)),
        ({"accounts": [{"connector": "amazn", "name": "a"}]}, ("amazn", "amazon")),
        ({"accounts": [{"connector": "amazon", "nam": "a"}]}, ("nam", "name")),
        (
            {"accounts": [{"connector": "files", "name": "a"}] * 2},
            ("two accounts", "rename"),
        ),
        ({"faults": [{"kind": "bad_lott"}]}, ("bad_lott", "did you mean `bad_lot`")),
        ({"faults": [{"sku": "SKU-0001"}]}, ("no `kind`",)),
        (
            {"faults": [{"kind": "listing_mismatch", "sku": "SKU-0001", "rat": 0.1}]},
            ("rat", "rate", "listing_mismatch"),
        ),
        (
            {"faults": [{"kind": "listing_mismatch", "sku": "SKU-0001"}]},
            ("lacks `rate`", "listing_mismatch"),
        ),
        (
            {"faults": [{"kind": "listing_mismatch", "sku": "SKU-0011", "rate": 0.1}]},
            ("SKU-0011", "SKU-0001 to SKU-0010"),
        ),
        (
            {"faults": [{"kind": "listing_mismatch", "sku": "SKU-0001", "rate": 7}]},
            ("rate", "7"),
        ),
        (
            {"faults": [{"kind": "source_outage", "connector": "amazon", "account": "b"}]},
            ("no account `b`", "amz"),
        ),
        (
            {"faults": [{"kind": "season", "factor": 2, "from": "2026-02-02", "to": "2026-02-01"}]},
            ("`from` lies after `to`",),
        ),
        (
            {
                "faults": [
                    {"kind": "size_bias", "sku": "SKU-0001", "direction": "small", "rate": 0.1}
                ]
            },
            ("direction", "small"),
        ),
    ],
)
def test_a_mistake_is_named_with_its_fix(changes: dict[str, Any], words: tuple[str, ...]) -> None:
    with pytest.raises(ScenarioError) as refused:
        Scenario.parse(content(**changes))
    for word in words:
        assert word in str(refused.value)


def test_a_file_that_is_missing_or_no_toml_says_so(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="no such scenario file"):
        Scenario.load(tmp_path / "none.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("seed = = 1", encoding="utf-8")
    with pytest.raises(ScenarioError, match="not TOML"):
        Scenario.load(broken)


def test_warehouses_and_carriers_may_be_counts_names_or_tables() -> None:
    counted = Scenario.parse(content(warehouses=2))
    assert [w.name for w in counted.warehouses] == ["WH1", "WH2"]
    named = Scenario.parse(content(warehouses=["X:DE"], carriers=["DHL:express", "UPS"]))
    assert (named.warehouses[0].name, named.warehouses[0].country) == ("X", "DE")
    assert [(c.name, c.service) for c in named.carriers] == [
        ("DHL", "express"),
        ("UPS", "standard"),
    ]
    tables = Scenario.parse(content(warehouses=[{"name": "A", "country": "US"}]))
    assert tables.warehouses[0].country == "US"
    mapped = Scenario.parse(content(warehouses={"A": "US", "B": "CN"}))
    assert [w.country for w in mapped.warehouses] == ["US", "CN"]
    other = Scenario.parse(content(carriers=[{"carrier": "DHL", "service": "express"}]))
    assert other.carriers[0].name == "DHL"
