"""Planted rates come out of a simulated world within what chance allows."""

from __future__ import annotations

import math
import time
from datetime import date
from functools import cache
from typing import Any

import polars as pl
import pytest

from sources._sandbox.scenario import Scenario
from sources._sandbox.world import World, build_world

BAD, BIASED, UNLIKE, SOUND = "SKU-0007", "SKU-0003", "SKU-0008", "SKU-0009"
FROM = date(2027, 2, 1)

FAULTS: list[dict[str, Any]] = [
    {"kind": "bad_lot", "sku": BAD, "lot": f"{BAD}-L03", "rate": 0.18},
    {"kind": "bad_lot", "sku": BAD, "lot": "EXTRA-1", "rate": 0.3},
    {
        "kind": "size_bias",
        "sku": BIASED,
        "country": "DE",
        "direction": "too_small",
        "rate": 0.15,
    },
    {"kind": "listing_mismatch", "sku": UNLIKE, "rate": 0.1, "from": FROM},
    {"kind": "no_fault_found", "sku": SOUND, "rate": 0.12},
    {"kind": "wrong_item", "warehouse": "DTM2", "rate": 0.06},
    {"kind": "lossy_lane", "carrier": "Snail", "destination": "BR", "rate": 0.09},
    {"kind": "return_fraud", "buyers": 3, "orders_each": 5},
    {"kind": "intervention", "date": "2027-03-01", "sku": UNLIKE, "effect": 0.7},
]


@cache
def world(*more: str) -> World:
    extra: dict[str, list[dict[str, Any]]] = {
        "season": [{"kind": "season", "factor": 2.0, "from": FROM}],
        "mix": [
            {"kind": "mix_shift", "marketplace": "FR", "sku_share": {"SKU-0006": 0.5}, "from": FROM}
        ],
        "fees": [
            {
                "kind": "fee_rise",
                "marketplace": "amazon_de",
                "fee": "FBAPerUnitFulfillmentFee",
                "factor": 1.5,
                "from": FROM,
            }
        ],
    }
    return build_world(
        Scenario.parse(
            {
                "seed": 99,
                "start": "2026-11-15",
                "today": "2027-04-20",
                "orders_per_day": 260,
                "skus": 9,
                "languages": ["fr"],
                "accounts": [
                    {"connector": "amazon", "name": "eu", "marketplaces": ["DE", "FR"]},
                    {
                        "connector": "files",
                        "name": "shop",
                        "countries": ["DE", "MX"],
                        "share": 0.6,
                    },
                ],
                "faults": FAULTS + [fault for name in more for fault in extra[name]],
            }
        )
    )


def delivered(*more: str) -> pl.DataFrame:
    """Units that reached their buyer before the end, with their order."""
    made = world(*more)
    return made.units.filter(pl.col("delivered_at").is_not_null()).join(
        made.orders.filter(pl.col("link_kind").is_null()), on="order_id", suffix="_order"
    )


def assert_rate(units: pl.DataFrame, hits: pl.Series, rate: float, least: int = 150) -> None:
    """Within four standard errors; units of one order line share luck, hence the factor."""
    assert len(units) > least, "too few units to judge"
    error = math.sqrt(1.6 * rate * (1 - rate) / len(units))
    assert abs(hits.mean() - rate) < 4 * error, (hits.mean(), rate, len(units))


def test_a_bad_lot_is_bad_and_its_neighbours_are_not() -> None:
    units = delivered().filter(pl.col("sku") == BAD)
    bad = units.filter(pl.col("lot_id") == f"{BAD}-L03")
    assert_rate(
        bad, bad["true_cause"].str.starts_with("product_defect.functional").fill_null(False), 0.18
    )
    others = units.filter(~pl.col("lot_id").is_in([f"{BAD}-L03", "EXTRA-1"]))
    assert_rate(
        others, (others["true_cause"] == "product_defect.functional").fill_null(False), 0.014
    )
    assert set(units.filter(pl.col("fault_id") == "F01")["lot_id"]) == {f"{BAD}-L03"}


def test_a_lot_may_have_a_name_of_its_own() -> None:
    units = delivered().filter(pl.col("lot_id") == "EXTRA-1")
    assert_rate(units, (units["true_cause"] == "product_defect.functional").fill_null(False), 0.3)
    assert set(units["fault_id"].drop_nulls()) >= {"F02"}
    rates = world().rates.filter(pl.col("entity_key") == f"{BAD}|EXTRA-1")
    assert rates["true_rate"].to_list() == [0.3]


def test_a_size_runs_small_in_one_country_only() -> None:
    units = delivered().filter(pl.col("sku") == BIASED)
    here = units.filter(pl.col("country") == "DE")
    assert_rate(here, (here["fault_id"] == "F03").fill_null(False), 0.15)
    there = units.filter(pl.col("country") != "DE")
    assert (there["fault_id"] == "F03").sum() == 0
    assert set(here.filter(pl.col("fault_id") == "F03")["true_cause"]) == {"fit.too_small"}


def test_a_listing_is_wrong_from_a_day_on_until_it_is_mended() -> None:
    units = delivered().filter(pl.col("sku") == UNLIKE)
    before = units.filter(pl.col("shipped_at") < FROM)
    between = units.filter(
        (pl.col("shipped_at") >= FROM) & (pl.col("shipped_at") < date(2027, 3, 1))
    )
    after = units.filter(pl.col("shipped_at") >= date(2027, 3, 1))
    assert (before["fault_id"] == "F04").sum() == 0
    assert_rate(between, (between["fault_id"] == "F04").fill_null(False), 0.1)
    assert_rate(after, (after["fault_id"] == "F04").fill_null(False), 0.03)


def test_a_sound_product_comes_back_as_defective_and_is_graded_sellable() -> None:
    units = delivered().filter(pl.col("sku") == SOUND)
    hits = (units["fault_id"] == "F05").fill_null(False)
    assert_rate(units, hits, 0.12)
    back = world().returns.join(units.filter(hits).select("return_no"), on="return_no")
    assert set(back["disposition"]) == {"SELLABLE"}
    told = set(back["canonical_reason"]) - {"unknown.no_reason"}  # some buyers pick no reason
    assert told == {"product_defect.functional"}


def test_a_warehouse_sends_wrong_items() -> None:
    units = delivered()
    here = units.filter(pl.col("fulfilment_centre_id") == "DTM2")
    assert_rate(here, (here["fault_id"] == "F06").fill_null(False), 0.06)
    there = units.filter(pl.col("fulfilment_centre_id") != "DTM2")
    assert (there["fault_id"] == "F06").sum() == 0


def test_a_lane_that_only_the_fault_names_exists_and_loses_parcels() -> None:
    made = world()
    parcels = made.shipments.join(made.orders, on="order_id", suffix="_order").filter(
        (pl.col("carrier") == "Snail") & (pl.col("country") == "BR")
    )
    parcels = parcels.unique("shipment_id")
    assert_rate(parcels, parcels["state"] == "lost", 0.09)
    elsewhere = made.shipments.filter(pl.col("carrier") != "Snail").unique("shipment_id")
    assert (elsewhere["state"] == "lost").mean() < 0.02


def test_fraudulent_buyers_send_everything_back() -> None:
    made = world()
    units = made.units.filter(pl.col("fault_id") == "F08")
    orders = made.orders.join(units.select("order_id").unique(), on="order_id")
    assert orders["customer_no"].n_unique() == 3
    assert orders["account"].unique().to_list() == ["shop"]
    assert 10 <= orders.height <= 15
    assert set(units["true_cause"]) == {"fraud.empty_or_switched_return"}


def test_season_and_mix_change_volumes_and_no_other_rate() -> None:
    made = world("season")
    first = pl.col("link_kind").is_null()
    later = made.orders.filter(first & (pl.col("ordered_at") >= FROM)).height
    plain = world().orders.filter(first & (pl.col("ordered_at") >= FROM)).height
    assert 1.9 < later / plain < 2.1
    calm = world().orders.filter(first & (pl.col("ordered_at") < FROM))["order_id"]
    assert set(calm) == set(made.orders.filter(first & (pl.col("ordered_at") < FROM))["order_id"])
    mixed = delivered("mix").filter(
        (pl.col("marketplace") == "amazon_fr") & (pl.col("shipped_at") >= date(2027, 2, 5))
    )
    assert (mixed["sku"] == "SKU-0006").mean() > 0.5


def test_a_fee_rises_in_one_marketplace() -> None:
    rows = world("fees").settlement_lines.filter(
        pl.col("amount_description") == "FBAPerUnitFulfillmentFee"
    )
    per_row = rows.with_columns(
        (pl.col("posted_at") >= FROM).alias("later")
    ).group_by("marketplace", "later").agg(pl.col("amount_minor").mean())  # fmt: skip
    fee = {(m, later): amount for m, later, amount in per_row.iter_rows()}
    assert 1.4 < fee["amazon_de", True] / fee["amazon_de", False] < 1.6
    assert 0.9 < fee["amazon_fr", True] / fee["amazon_fr", False] < 1.1


def test_one_buyer_reports_an_allergy() -> None:
    day = date(2026, 4, 1)
    made = build_world(
        Scenario.parse(
            {
                "seed": 5,
                "start": "2026-01-01",
                "today": "2026-05-01",
                "orders_per_day": 20,
                "skus": 14,
                "languages": ["zh"],
                "accounts": [{"connector": "amazon", "name": "us", "marketplaces": ["US"]}],
                "faults": [{"kind": "safety", "sku": "SKU-0014", "date": day}],
            }
        )
    )
    units = made.units.filter(pl.col("fault_id") == "F01")
    assert units["true_cause"].to_list() == ["product_defect.safety_allergy"]
    row = made.returns.join(units.select("return_no"), on="return_no").row(0, named=True)
    assert row["requested_at"].isoformat() == "2026-04-01T12:00:00"
    assert "过敏" in row["comment"]


def test_fast_enough_to_be_used_every_night() -> None:
    """Speed is shown, not asserted: it belongs to the machine."""
    start = time.perf_counter()
    made = build_world(world().scenario, date(2026, 12, 20))
    took = time.perf_counter() - start
    print(f"{made.orders.height:,} orders in {took:.1f} s")
    assert made.orders.height > 5_000


@pytest.mark.parametrize("country", ["SE", "JP", "AE", "US"])
def test_one_marketplace_and_one_product_are_enough(country: str) -> None:
    made = build_world(
        Scenario.parse(
            {
                "seed": 1,
                "start": "2027-12-20",
                "today": "2028-03-05",
                "orders_per_day": 3,
                "skus": 1,
                "inspection_share": 0,
                "scan_share": 0,
                "accounts": [{"connector": "amazon", "name": "one", "marketplaces": [country]}],
            }
        )
    )
    assert made.orders.height > 100
    assert made.scans.is_empty()
    assert made.inspections.is_empty()
    assert date(2028, 2, 29) in made.orders["ordered_at"].dt.date().to_list()
    quoted = set(made.fx_rates["currency"]) | set(made.fx_overrides["quote"])
    assert set(made.orders["currency"]) <= quoted | {"EUR"}


def test_other_kinds_of_accounts_have_no_orders_yet() -> None:
    made = build_world(
        Scenario.parse(
            {
                "seed": 1,
                "start": "2026-01-01",
                "today": "2026-01-10",
                "orders_per_day": 5,
                "skus": 2,
                "accounts": [
                    {"connector": "files", "name": "shop"},
                    {"connector": "helpdesk", "name": "desk"},
                ],
            }
        )
    )
    assert set(made.orders["account"]) == {"shop"}
    assert made.settlements.is_empty()
