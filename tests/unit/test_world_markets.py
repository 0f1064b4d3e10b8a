"""eBay and Walmart in the simulated world: their own tables agree with those that all channels
share, and the observable truth adds up to them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from sources._sandbox.scenario import Scenario, ScenarioError
from sources._sandbox.truth.market_returned import EBAY_REASONS, WALMART_REASONS
from sources._sandbox.truth.observable import observable_tables
from sources._sandbox.world import World, build_world
from sources._sandbox.world.market_words import EBAY_CODES, WALMART_CODES

SCENARIO: dict[str, Any] = {
    "seed": 17,
    "start": datetime(2026, 1, 5, tzinfo=UTC).date(),
    "today": datetime(2026, 5, 1, tzinfo=UTC).date(),
    "orders_per_day": 12,
    "skus": 6,
    "inspection_share": 0.5,
    "accounts": [
        {"connector": "ebay", "name": "ebay_one", "marketplaces": ["US", "DE"]},
        {"connector": "walmart", "name": "wm_us", "marketplaces": ["US"]},
        {"connector": "walmart", "name": "wm_cl", "marketplaces": ["CL"], "share": 0.3},
    ],
}
NOW = datetime(2026, 5, 1, tzinfo=UTC)
CLOCK = pl.lit(NOW.replace(tzinfo=None))


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(Scenario.parse(SCENARIO))


@pytest.fixture(scope="module")
def truth(world: World) -> dict[str, pl.DataFrame]:
    return observable_tables(world, NOW)


def test_a_marketplace_that_does_not_exist_is_named() -> None:
    wrong = {
        **SCENARIO,
        "accounts": [{"connector": "walmart", "name": "w", "marketplaces": ["DE"]}],
    }
    with pytest.raises(ScenarioError, match="Walmart has no marketplace `DE`; there are CA, CL"):
        build_world(Scenario.parse(wrong))


def test_ids_look_like_those_of_the_marketplace_and_are_unique(world: World) -> None:
    shapes = {"ebay": r"^\d{2}-\d{5}-\d{5}$", "walmart": r"^1\d{12}$"}
    for connector, shape in shapes.items():
        ids = world.orders.filter(pl.col("connector") == connector)["order_id"]
        assert ids.len() == ids.n_unique() > 300
        assert ids.str.contains(shape).all()
    assert world.market_returns["return_id"].n_unique() == world.market_returns.height
    assert world.market_refunds["refund_id"].n_unique() == world.market_refunds.height


def test_only_walmart_sends_replacements_and_nobody_other_sizes(world: World) -> None:
    sent = world.orders.filter(pl.col("link_kind").is_not_null())
    assert set(sent["connector"]) <= {"walmart"}
    assert set(sent["link_kind"]) <= {"replacement"}


def test_steps_of_a_return_follow_one_another(world: World) -> None:
    rows = world.market_returns
    assert rows.height > 60
    for before, after in (
        ("requested_at", "approved_at"), ("requested_at", "sent_at"), ("sent_at", "received_at"),
        ("received_at", "closed_at"), ("refunded_at", "closed_at"),
    ):  # fmt: skip
        assert not rows.filter(pl.col(before) > pl.col(after)).height, (before, after)
    assert not rows.filter(pl.col("is_kept") & pl.col("received_at").is_not_null()).height


def test_every_word_that_buyers_pick_has_its_meaning() -> None:
    for codes, reasons in ((EBAY_CODES, EBAY_REASONS), (WALMART_CODES, WALMART_REASONS)):
        assert {word for words in codes.values() for word in words} <= reasons.keys()


def test_truth_has_every_unit_once(world: World, truth: dict[str, pl.DataFrame]) -> None:
    lines, outcomes = truth["fct_order_line"], truth["fct_unit_outcome"]
    assert outcomes["quantity"].sum() == lines["quantity_ordered"].sum()
    shown = world.orders.filter(
        pl.when(pl.col("connector") == "ebay").then("paid_at").otherwise("ordered_at") <= CLOCK
    )
    true = world.order_lines.join(shown, on="order_id")
    assert lines["quantity_ordered"].sum() == true["quantity"].sum()
    sent = world.shipments.filter(pl.col("shipped_at") <= CLOCK)
    assert lines["quantity_shipped"].sum() == sent["quantity"].sum()


def test_truth_pays_back_what_the_world_pays_back(
    world: World, truth: dict[str, pl.DataFrame]
) -> None:
    paid = truth["fct_refund_line"].filter(pl.col("kind") != "chargeback")
    digits = {"CLP": 0}
    done = world.market_refunds.filter(pl.col("refunded_at") <= CLOCK).join(
        world.orders.select("order_id", "currency"), on="order_id"
    )
    for currency in done["currency"].unique():
        mine = done.filter(pl.col("currency") == currency)
        told = paid.filter(pl.col("currency") == currency)
        by_walmart = mine.filter(pl.col("connector") == "walmart")
        whole = int(mine["amount_minor"].sum()) + int(by_walmart["tax_minor"].sum())
        amounts = [*told["net_amount"].to_list(), *told["tax_amount"].to_list()]
        assert sum(amounts, Decimal(0)).scaleb(digits.get(currency, 2)) == whole


def test_truth_charges_back_what_the_seller_lost(
    world: World, truth: dict[str, pl.DataFrame]
) -> None:
    lost = world.market_disputes.filter(pl.col("outcome") != "WON", pl.col("closed_at") <= CLOCK)
    told = truth["fct_refund_line"].filter(pl.col("kind") == "chargeback")
    amounts = [*told["net_amount"].to_list(), *told["tax_amount"].to_list()]
    assert sum(amounts, Decimal(0)) * 100 == lost["amount_minor"].sum()


def test_truth_settles_what_was_booked(world: World, truth: dict[str, pl.DataFrame]) -> None:
    """eBay's bookings all, Walmart's once their file is there; a settlement is its payout."""
    settled = truth["fct_settlement_line"]
    booked = world.market_bookings.filter(
        pl.when(pl.col("connector") == "ebay").then("booked_at").otherwise("paid_out_at") <= CLOCK
    )
    assert settled.height == booked.height > 1000
    payouts = world.market_payouts.filter(
        pl.col("connector") == "ebay", pl.col("listed_at") <= CLOCK
    )
    sums = settled.group_by("settlement_id").agg(pl.col("amount").sum())
    paid = payouts.join(sums, left_on="payout_id", right_on="settlement_id")
    assert paid.height == payouts.height > 10
    assert all(a * 100 == m for a, m in paid.select("amount", "amount_minor").iter_rows())
    rows = settled.group_by("account", "settlement_id").agg(pl.col("row_no").sort())
    assert all(numbers[-1] - numbers[0] + 1 == len(numbers) for numbers in rows["row_no"].to_list())


def test_truth_tells_feedback_of_buyers_only(world: World, truth: dict[str, pl.DataFrame]) -> None:
    told = truth["fct_feedback"]
    true = world.market_feedback.filter(pl.col("entered_at") <= CLOCK, ~pl.col("is_automated"))
    assert set(told["feedback_id"]) == set(true["feedback_id"])
    assert (told["link_confidence"] == "exact").all()


def test_truth_leaves_out_what_an_outage_hides(world: World) -> None:
    since = datetime(2026, 4, 20, tzinfo=UTC).date()
    fault = {"kind": "source_outage", "connector": "ebay", "from": since}
    down = {**SCENARIO, "faults": [fault]}
    silent = observable_tables(build_world(Scenario.parse(down)), NOW)
    assert set(silent["fct_order_line"]["connector"]) == {"walmart"}
    assert set(silent["fct_return_line"]["connector"]) == {"walmart"}
