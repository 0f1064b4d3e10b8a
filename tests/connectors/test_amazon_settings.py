"""Amazon, settings of an account and what `aftersales check-config` says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pydantic
import pytest

from sources._core.connector import Check
from sources.amazon import CONNECTOR
from sources.amazon.config import AmazonAccount
from tests.connectors.amazon_stub import (
    Reading,
    Reply,
    Request,
    StubAmazon,
    account,
    as_json,
    refusal,
)

PARTICIPATIONS = "GET /sellers/v1/marketplaceParticipations"


def message(**changes: Any) -> str:
    with pytest.raises(pydantic.ValidationError) as caught:
        account(**changes)
    return str(caught.value)


def test_country_codes_are_completed_and_repeats_left_out() -> None:
    assert account(marketplaces=("de", "amazon_de", "FR")).marketplaces == (
        "amazon_de",
        "amazon_fr",
    )
    assert account(marketplaces=("UK",)).marketplaces == ("amazon_gb",)
    settings = account(time_zones={"DE": "Europe/Vienna"}, prices_include_tax={"FR": False})
    assert dict(settings.time_zones) == {"amazon_de": "Europe/Vienna"}
    assert dict(settings.prices_include_tax) == {"amazon_fr": False}


@pytest.mark.parametrize(
    ("country", "host"),
    [("US", "-na."), ("BR", "-na."), ("TR", "-eu."), ("IN", "-eu."), ("JP", "-fe.")],
)
def test_the_region_follows_from_the_marketplaces(country: str, host: str) -> None:
    assert host in account(marketplaces=(country,), base_url=None).endpoint


def test_addresses_can_be_overridden() -> None:
    plain = account(base_url=None, token_url=None)
    assert plain.endpoint == "https://sellingpartnerapi-eu.amazon.com"
    assert plain.token_endpoint == "https://api.amazon.com/auth/o2/token"
    assert account(base_url="http://localhost:1").endpoint == "http://localhost:1"


def test_wrong_settings_name_the_key_and_the_fix() -> None:
    assert "amazon_de" in message(marketplaces=("XX",))
    assert "at least one marketplace" in message(marketplaces=())
    text = message(marketplaces=("DE", "US"))
    assert "EU: amazon_de; NA: amazon_us" in text
    assert "make one account for each" in text
    assert "marketplace 'MARS' is not known" in message(time_zones={"MARS": "Europe/Berlin"})
    assert "order_hours_per_night" in message(order_hours_per_night=0)
    assert "no_such_key" in message(no_such_key=1)


def checks(stub: StubAmazon, tmp_path: Path, settings: AmazonAccount) -> dict[str, Check]:
    with stub.running():
        reading = Reading(tmp_path, settings=settings)
        return {check.subject: check for check in CONNECTOR.check(reading.client)}


def joined(*marketplace_ids: str) -> Reply:
    return as_json(
        {
            "payload": [
                {
                    "marketplace": {"id": marketplace_id},
                    "participation": {"isParticipating": True, "hasSuspendedListings": False},
                    "storeName": "Shop",
                }
                for marketplace_id in marketplace_ids
            ]
        }
    )


def test_check_is_content_when_all_rights_are_there(tmp_path: Path) -> None:
    stub = StubAmazon()
    stub.script(PARTICIPATIONS, lambda _request: joined("A1PA6795UKMFR9", "A13V1IB3VIYZZH"))
    found = checks(stub, tmp_path, account())
    assert list(found) == [
        "credentials",
        "amazon_de",
        "amazon_fr",
        "orders",
        "transactions",
        "inbound_plans",
        "all_orders",
        "fba_returns",
        "fulfilled_shipments",
        "settlements",
        "fba_replacements",
        "fba_reimbursements",
        "removal_orders",
        "removal_shipments",
        "inventory_ledger",
        "seller_feedback",
        "mfn_returns",
    ]
    assert all(check.ok for check in found.values())


def test_check_names_the_missing_role_and_how_to_get_it(tmp_path: Path) -> None:
    stub = StubAmazon()
    stub.script(PARTICIPATIONS, lambda _request: joined("A1PA6795UKMFR9"))

    def by_type(request: Request) -> Reply:
        if "SETTLEMENT" in request.params["reportTypes"]:
            return refusal(403, "Unauthorized", "Access to requested resource is denied.")
        return as_json({"reports": []})

    stub.script("GET /reports/2021-06-30/reports", *[by_type] * 4)
    found = checks(stub, tmp_path, account())
    assert [name for name, check in found.items() if not check.ok] == ["amazon_fr", "settlements"]
    assert "take it out of marketplaces" in found["amazon_fr"].message
    assert "Finance and Accounting" in found["settlements"].message
    assert "authorise it again" in found["settlements"].message


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("invalid_grant", "Authorise the application again in Seller Central"),
        ("invalid_client", "rotated every 180 days"),
        ("unauthorized_client", "belongs to another application"),
        ("access_denied", "check the variables"),
    ],
)
def test_check_stops_at_refused_credentials_and_says_why(
    tmp_path: Path, code: str, words: str
) -> None:
    stub = StubAmazon()
    stub.script("POST /auth/o2/token", lambda _r: as_json({"error": code}, status=400))
    found = checks(stub, tmp_path, account())
    assert list(found) == ["credentials"]
    assert not found["credentials"].ok
    assert code in found["credentials"].message
    assert words in found["credentials"].message
    assert "sandbox-shop" not in found["credentials"].message


def test_a_missing_secret_is_named_before_anything_is_sent(tmp_path: Path) -> None:
    stub = StubAmazon()
    found = checks(stub, tmp_path, account(secrets={"refresh_token": "sandbox-shop"}))
    assert "secrets.client_id" in found["credentials"].message
    assert stub.requests == []


def test_the_connector_says_its_versions_and_has_all_streams() -> None:
    assert "2026-01-01" in CONNECTOR.api_version
    assert [stream.name for stream in CONNECTOR.streams] == [
        "all_orders",
        "orders",
        "fba_returns",
        "fulfilled_shipments",
        "settlements",
        "mfn_returns",
        "fba_replacements",
        "fba_reimbursements",
        "removal_orders",
        "removal_shipments",
        "inventory_ledger",
        "seller_feedback",
        "transactions",
        "inbound_plans",
        "review_topics",
        "marketplaces",
        "reasons",
    ]
