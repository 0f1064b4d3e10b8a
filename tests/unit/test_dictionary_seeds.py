"""The lists the project ships: reasons, countries, peaks, metrics, evidence queries, playbooks."""

from __future__ import annotations

import csv
import zoneinfo
from datetime import date
from fractions import Fraction
from pathlib import Path

import duckdb
import pytest
import yaml

from sources._sandbox.truth import reader
from sources._sandbox.world import geography

SHARES = ("product", "supplier", "listing", "logistics", "warehouse", "customer", "marketplace")


@pytest.fixture(scope="module")
def project(project_root: Path) -> Path:
    return project_root / "dbt_project"


def _rows(project: Path, seed: str) -> list[dict[str, str]]:
    with (project / "seeds" / f"{seed}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_shares_of_a_reason_add_up_to_one_and_name_the_largest(project: Path) -> None:
    rows = _rows(project, "canonical_reasons")
    for row in rows:
        shares = {party: Fraction(row[f"share_{party}"]) for party in (*SHARES, "unknown")}
        assert sum(shares.values()) == 1, row["reason_l2"]
        assert shares[row["controllable_by"]] == max(shares.values()), row["reason_l2"]
        assert row["reason_l2"].startswith(row["reason_l1"] + "."), row["reason_l2"]
        assert row["reason_name_en"], row["reason_l2"]
        assert row["reason_name_zh"], row["reason_l2"]
    assert len({row["reason_l2"] for row in rows}) == len(rows) == 44


def test_only_the_safety_reason_alerts_at_one_report(project: Path) -> None:
    safety = [
        r["reason_l2"] for r in _rows(project, "canonical_reasons") if r["is_safety"] == "true"
    ]
    assert safety == ["product_defect.safety_allergy"]


def test_every_code_of_the_text_tagger_has_its_reason(project: Path) -> None:
    codes = {row["reason_l2"] for row in _rows(project, "canonical_reasons")}
    assert codes >= {
        "fit.too_small",
        "fit.too_large",
        "fit.fit_unspecified",
        "product_defect.functional",
        "product_defect.quality_cosmetic",
        "product_defect.missing_parts",
        "product_defect.authenticity_claim",
        "product_defect.safety_allergy",
        "logistics.damaged_in_transit",
        "logistics.not_received_lost",
        "logistics.late",
        "description.not_as_described",
        "description.not_compatible",
        "fulfilment.wrong_item",
        "remorse.changed_mind",
        "price.better_price",
        "unknown.no_reason",
        "unknown.other",
        "unknown.unmapped",
    }


def test_every_country_has_a_time_zone_and_the_truth_knows_the_same(project: Path) -> None:
    zones = {row["country"]: row["time_zone"] for row in _rows(project, "countries")}
    assert set(zones.values()) <= zoneinfo.available_timezones()
    told = {code: place.time_zone for code, place in geography.COUNTRIES.items()}
    told |= reader._ZONES
    assert {code: zones[code] for code in told} == told


def test_countries_have_names_in_both_languages_and_the_euro_where_it_is_tender(
    project: Path,
) -> None:
    rows = {row["country"]: row for row in _rows(project, "countries")}
    members = {code for code, row in rows.items() if row["is_eu"] == "true"}
    assert len(members) == 27
    assert rows["BG"]["currency"] == rows["HR"]["currency"] == rows["DE"]["currency"] == "EUR"
    assert rows["NA"]["country_name_en"] == "Namibia"  # not read as a missing value
    assert rows["GB"]["country_name_zh"] == "英国"
    assert all(len(code) == 2 and code.isupper() and row["currency"] for code, row in rows.items())


def test_peaks_are_spans_in_order_and_the_movable_ones_are_where_they_belong(
    project: Path,
) -> None:
    rows = _rows(project, "peaks")
    spans = [
        (r["peak_name"], date.fromisoformat(r["first_date"]), date.fromisoformat(r["last_date"]))
        for r in rows
    ]
    assert all(first <= last for _name, first, last in spans)
    assert [s[1] for s in spans] == sorted(s[1] for s in spans)
    named = {name for name, first, last in spans if first <= date(2026, 11, 27) <= last}
    assert named == {"Black Friday week"}
    named = {name for name, first, last in spans if first <= date(2026, 2, 17) <= last}
    assert named == {"Chinese New Year"}


def test_every_evidence_query_runs_on_the_published_tables(project: Path) -> None:
    with duckdb.connect() as connection:
        for schema in ("marts", "meta", "signals"):
            connection.execute(f"create schema {schema}")
            for path in sorted((project / "models" / schema).rglob("_*.yml")):
                for model in yaml.safe_load(path.read_text()).get("models", []):
                    columns = ", ".join(f'"{c["name"]}" {c["data_type"]}' for c in model["columns"])
                    name = model["config"].get("alias", model["name"])
                    connection.execute(f'create table {schema}."{name}" ({columns})')
        queries = _rows(project, "evidence_queries")
        for row in queries:
            assert "{key}" in row["sql"], row["query_id"]
            assert connection.execute(row["sql"].replace("{key}", "a|b|c")).fetchall() == []
    assert len({row["query_id"] for row in queries}) == len(queries) >= 10


def test_every_playbook_says_who_acts_in_both_languages(project: Path) -> None:
    rows = _rows(project, "playbooks")
    assert {"refund_without_return", "reimbursement_lead", "unmapped_code", "unlinked_case"} <= {
        row["playbook_id"] for row in rows
    }
    assert all(row["owner_role"] and row["text_en"].startswith("1. ") for row in rows)
    assert all(row["text_zh"].startswith("1. ") and row["title_zh"] for row in rows)
