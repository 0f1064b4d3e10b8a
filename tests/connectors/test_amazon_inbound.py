"""Amazon, inbound plans: what was sent to FBA, with lots and expiry as the seller typed them.

No numbered case of the sheet's section 10 is about them but 9 (paging), 38 (SKUs) and 48 (privacy).
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sources._core.errors import StopStream
from sources.amazon.streams import INBOUND_PLANS_STREAM
from tests.connectors.amazon_stub import Nights, Reading, StubAmazon, as_json, records

LIST = "GET /inbound/fba/2024-03-20/inboundPlans"
START = datetime(2026, 3, 1, tzinfo=UTC)


def plan(identifier: str, changed: str = "2026-03-10T08:00:00Z") -> dict[str, Any]:
    return {
        "inboundPlanId": identifier,
        "name": "FBA of Jane Doe",
        "status": "SHIPPED",
        "createdAt": "2026-03-01T08:00:00Z",
        "lastUpdatedAt": changed,
        "marketplaceIds": ["A1PA6795UKMFR9"],
        "sourceAddress": {"name": "Jane Doe", "email": "jane@example.com", "postalCode": "80331"},
    }


def item(sku: str, quantity: int = 5, **fields: Any) -> dict[str, Any]:
    labels = {"asin": "B0TEST0001", "fnsku": "X0TEST0001", "labelOwner": "SELLER"}
    return {"msku": sku, "quantity": quantity, **labels, "prepInstructions": [], **fields}


def read(folder: Path, stub: StubAmazon) -> list[dict[str, Any]]:
    with stub.running():
        return records(Reading(folder).encoded(INBOUND_PLANS_STREAM, START))


def test_a_plan_has_all_its_items_with_lot_and_expiry(tmp_path: Path) -> None:
    dated = item("00123", expiration="2027-01-31", manufacturingLotCode="L01")
    stub = StubAmazon(
        inbound_pages=[[plan("wf1")], [plan("wf2")]],
        inbound_items={"wf1": [[dated], [item("A/B +1")]], "wf2": [[]]},
    )
    first, second = read(tmp_path, stub)
    assert [(one["msku"], one.get("manufacturingLotCode")) for one in first["items"]] == [
        ("00123", "L01"),
        ("A/B +1", None),
    ]
    assert first["items"][0]["expiration"] == "2027-01-31"
    assert (second["_key"], second["items"]) == ("wf2", [])


def test_reading_stops_at_plans_that_did_not_change(tmp_path: Path) -> None:
    old = plan("wf2", "2026-02-01T08:00:00Z")
    stub = StubAmazon(inbound_pages=[[plan("wf1"), old], [plan("wf3", "2026-01-01T08:00:00Z")]])
    assert [row["_key"] for row in read(tmp_path, stub)] == ["wf1"]
    assert stub.count(LIST) == 1
    assert stub.count(f"{LIST}/wf1/items") == 1
    assert stub.count(f"{LIST}/wf2/items") == 0
    assert stub.sent(LIST)[0].params["sortOrder"] == "DESC"


def test_a_plan_that_changes_is_replaced(tmp_path: Path) -> None:
    nights = Nights(tmp_path)
    for day in (10, 11):
        changed = plan("wf1", f"2026-03-{day}T08:00:00Z")
        stub = StubAmazon(inbound_pages=[[changed]], inbound_items={"wf1": [[item("A", day)]]})
        with stub.running():
            nights.night(datetime(2026, 3, day + 1, tzinfo=UTC), "inbound_plans")
    table = "raw_amazon.inbound_plans"
    assert nights.rows(f"select items[1].quantity from {table}") == [(11,)]


def test_case_9_the_same_token_again_stops(tmp_path: Path) -> None:
    stub = StubAmazon()
    same = {"inboundPlans": [plan("wf1")], "pagination": {"nextToken": "again"}}
    stub.script(LIST, *[lambda _request: as_json(same)] * 4)
    with pytest.raises(StopStream, match="the same page token a second time"):
        read(tmp_path, stub)


def test_case_48_the_address_and_the_name_of_a_plan_stay_out(tmp_path: Path) -> None:
    (row,) = read(tmp_path, StubAmazon(inbound_pages=[[plan("wf1")]]))
    assert not {"name", "sourceAddress"} & set(row)
    assert "Jane" not in repr(row)
