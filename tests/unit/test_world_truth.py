"""The folder `world/` of the truth: what really happened, in units and money that add up."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

import polars as pl

from pipelines.sandbox import CUSTOMER_KEY as SANDBOX_KEY
from sources._core.privacy import customer_key
from sources._sandbox.scenario import DEFAULT_SCENARIO, Scenario
from sources._sandbox.truth.world_truth import CUSTOMER_KEY, line_keys, world_tables
from sources._sandbox.world import World, build_world


@cache
def world() -> World:
    return build_world(Scenario.load(DEFAULT_SCENARIO.parent / "scenarios" / "small.toml"))


@cache
def truth(days_less: int = 0) -> dict[str, pl.DataFrame]:
    return world_tables(world(), world().scenario.clock - timedelta(days=days_less))


def test_units_and_refunds_add_up() -> None:
    clock = world().scenario.clock.replace(tzinfo=None)
    lines = truth()["order_line"]
    orders = world().orders.filter(pl.col("ordered_at") <= clock)
    there = pl.col("added_at").is_null() | (pl.col("added_at") <= clock)
    units = world().order_lines.filter(there).join(orders, on="order_id", how="semi")
    assert lines["units"].sum() == units["quantity"].sum()
    paid = world().refunds.filter(pl.col("refunded_at") <= clock)
    for currency, refunds in paid.group_by("currency"):
        minor = refunds["principal_minor"].sum() + refunds["shipping_minor"].sum()
        mine = lines.filter(pl.col("currency") == currency[0])
        assert int(mine["refund_net"].sum() * 100) == minor > 0
    given = world().reimbursements.filter(
        pl.col("approved_at") <= clock, pl.col("order_id").is_not_null()
    )
    assert int(lines["reimbursement"].sum() * 100) == given["amount_minor"].sum()


def test_fees_labels_and_goods_add_up() -> None:
    clock = world().scenario.clock.replace(tzinfo=None)
    lines = truth()["order_line"]
    paid = world().refunds.filter(pl.col("refunded_at") <= clock)
    assert int(lines["platform_fee_kept"].sum() * 100) == paid["admin_fee_minor"].sum() > 0
    billed = world().settlement_lines.filter(pl.col("posted_at") <= clock)
    for column, word in (("returns_processing_fee", "CustomerReturn"), ("return_shipping", "POST")):
        minor = billed.filter(pl.col("amount_description").str.contains(word))["amount_minor"].sum()
        assert int(lines[column].sum() * 100) == -minor > 0
    graded = world().inspections.filter(pl.col("inspected_at") <= clock)
    sold_off = graded.filter(pl.col("disposition") == "liquidate")["recovered_minor"].sum()
    assert int(lines["liquidation"].sum() * 100) == sold_off > 0
    back = lines.filter(pl.col("received_at").is_not_null())
    assert lines["write_off"].sum() == back["write_off"].sum() > 0
    assert lines["replacement_shipping"].sum() > 0
    assert lines["outbound_shipping_lost"].sum() > lines["replacement_shipping"].sum()


def test_keys_are_those_of_the_contract() -> None:
    keys = truth()["order_line"]["order_line_key"]
    amazon = keys.filter(keys.str.starts_with("amazon:"))
    assert amazon.str.contains(r"^amazon:amz_de:\d{3}-\d{7}-\d{7}:[A-Z]{2,3}-\d{4}(-A)?$").all()
    files = keys.filter(keys.str.starts_with("files:"))
    assert files.str.contains(r"^files:shop_br:\d{18}:\d+$").all()
    assert line_keys(world())["order_line_key"].n_unique() <= world().order_lines.height


def test_every_fault_and_the_rates_of_lots_are_told() -> None:
    tables = truth()
    told = tables["fault"]["fault_id"].unique(maintain_order=True)
    assert told.to_list() == [fault.fault_id for fault in world().scenario.faults]
    kinds = dict(tables["fault"].select("kind", "entity_type").iter_rows())
    assert kinds["bad_lot"] == "lot"
    assert kinds["slow_lane"] == "lane"
    assert kinds["source_outage"] == "source"
    wrong = tables["fault"].filter(pl.col("kind") == "settlement_error")["entity_key"]
    planted = world().settlements.filter(pl.col("planted_error_minor") != 0)
    assert wrong.to_list() == [f"amz_de|{number}" for number in planted["settlement_id"]]
    lot = tables["rate"].filter(pl.col("entity_key") == "SKU-0007|SKU-0007-L02")
    assert lot["true_rate"].to_list() == [0.3]


def test_nothing_after_the_clock_has_a_date() -> None:
    early = truth(50)["order_line"]
    clock = world().scenario.clock.replace(tzinfo=None) - timedelta(days=50)
    for column in ("ordered_at", "shipped_at", "delivered_at", "received_at", "refunded_at"):
        latest = early[column].max()
        assert latest is not None
        assert latest <= clock
    assert early["units"].sum() < truth()["order_line"]["units"].sum()


def test_cheating_buyers_are_named_by_the_key_that_the_warehouse_knows() -> None:
    assert CUSTOMER_KEY == SANDBOX_KEY
    cheats = truth()["fault"].filter(pl.col("kind") == "return_fraud")
    assert cheats.height == 2
    buyers = world().units.filter(pl.col("true_cause") == "fraud.empty_or_switched_return")
    numbers = buyers.join(world().orders, on="order_id")["customer_no"].unique()
    expected = {customer_key(number, CUSTOMER_KEY) for number in numbers}
    assert set(cheats["entity_key"]) == expected
