"""A simulated world is complete, adds up, repeats, and does not change when it grows longer."""

from __future__ import annotations

import csv
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path

import polars as pl
import pytest

from sources._sandbox.scenario import DEFAULT_SCENARIO, Scenario
from sources._sandbox.world import World, build_world
from sources._sandbox.world.geography import AMAZON, country
from sources._sandbox.world.tables import SCHEMAS

FOLDER = DEFAULT_SCENARIO.parent / "scenarios"
NAMES = sorted(path.stem for path in FOLDER.glob("*.toml"))

FIRST_SEEN = {
    "orders": "ordered_at",
    "order_states": "at",
    "shipments": "shipped_at",
    "receipts": "received_at",
    "lots": "arrived_at",
    "returns": "posted_at",
    "return_requests": "requested_at",
    "refunds": "refunded_at",
    "reimbursements": "approved_at",
    "feedback": "rated_at",
    "stock_moves": "moved_at",
    "removals": "requested_at",
    "bookings": "posted_at",
    "settlements": "closed_at",
    "inspections": "inspected_at",
    "scans": "known_at",
    "fx_rates": "rate_date",
    "fx_overrides": "rate_date",
}


@cache
def world(name: str, days_less: int = 0) -> World:
    scenario = Scenario.load(FOLDER / f"{name}.toml")
    return build_world(scenario, scenario.today - timedelta(days=days_less))


def back_on_the_shelf(made: World) -> pl.DataFrame:
    """Returns sold again; what Amazon's own sellers got back only where they looked at it."""
    is_known = (
        (pl.col("fulfilled_by") == "marketplace")
        | (pl.col("connector") != "amazon")
        | pl.col("return_no").is_in(made.inspections["return_no"].implode())
    )
    return made.returns.filter(is_known & (pl.col("disposition") == "SELLABLE"))


def shipped(name: str) -> pl.DataFrame:
    """Units that left before the end of the world."""
    made = world(name)
    return made.units.filter(pl.col("shipped_at") < made.end.replace(tzinfo=None))


@pytest.mark.parametrize("name", NAMES)
def test_every_table_has_its_columns_and_no_orphans(name: str) -> None:
    made = world(name)
    for table, columns in SCHEMAS.items():
        assert dict(getattr(made, table).schema) == dict(columns), table
    lines = made.order_lines.select("order_id", "line_no")
    for table in ("units", "shipments", "returns", "return_requests", "refunds"):
        strays = getattr(made, table).join(lines, on=["order_id", "line_no"], how="anti")
        assert strays.is_empty(), table
    assert made.order_lines.join(made.orders, on="order_id", how="anti").is_empty()
    assert made.orders.join(made.buyers, on="customer_no", how="anti").is_empty()
    for table, key in (
        ("orders", ["order_id"]),
        ("order_lines", ["order_item_id"]),
        ("shipments", ["shipment_item_id"]),
        ("returns", ["return_no"]),
        ("return_requests", ["return_no"]),
        ("refunds", ["refund_no"]),
        ("feedback", ["order_id"]),
        ("settlements", ["settlement_id"]),
        ("settlement_lines", ["settlement_id", "line_seq"]),
        ("lots", ["lot_id"]),
        ("receipts", ["receipt_id", "line_no"]),
        ("inspections", ["inspection_id"]),
        ("scans", ["order_id", "sku", "lot_id"]),
    ):
        frame = getattr(made, table)
        assert not frame.select(key).is_duplicated().any(), table
    plates = made.returns["lpn"].drop_nulls()
    assert plates.n_unique() == len(plates)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_scenario_gives_the_same_world(name: str) -> None:
    again = build_world(Scenario.load(FOLDER / f"{name}.toml"))
    for table in SCHEMAS:
        assert getattr(again, table).equals(getattr(world(name), table)), table


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("days_less", [1, 26])
def test_what_lies_before_a_clock_does_not_depend_on_the_end(name: str, days_less: int) -> None:
    long, short = world(name), world(name, days_less)
    clock = short.end.replace(tzinfo=None)
    for table, column in FIRST_SEEN.items():
        seen = pl.col(column).cast(pl.Datetime("us")) < clock
        whole = getattr(long, table).filter(seen)
        part = getattr(short, table).filter(seen)
        assert whole.sort(whole.columns).equals(part.sort(part.columns)), table
    old = long.orders.filter(pl.col("ordered_at") < clock).select("order_id")
    for table in ("order_lines", "units"):
        whole = getattr(long, table).join(old, on="order_id", how="semi")
        part = getattr(short, table).join(old, on="order_id", how="semi")
        assert whole.sort(whole.columns).equals(part.sort(part.columns)), table
    closed = short.settlements.select("settlement_id")
    rows = long.settlement_lines.join(closed, on="settlement_id", how="semi")
    assert rows.sort(rows.columns).equals(
        short.settlement_lines.sort(short.settlement_lines.columns)
    )


@pytest.mark.parametrize("name", NAMES)
def test_units_add_up(name: str) -> None:
    made = world(name)
    counted = made.units.group_by("order_id", "line_no").agg(
        pl.len().alias("units"),
        pl.col("shipped_at").is_null().sum().alias("unshipped"),
    )
    lines = made.order_lines.join(counted, on=["order_id", "line_no"])
    assert (lines["units"] == lines["quantity"]).all()
    assert (lines["unshipped"] == lines["quantity_cancelled"]).all()
    sent = made.shipments.group_by("order_id", "line_no").agg(pl.col("quantity").sum())
    both = sent.join(made.order_lines, on=["order_id", "line_no"], suffix="_ordered")
    assert (both["quantity"] == both["quantity_ordered"] - both["quantity_cancelled"]).all()
    back = made.returns.group_by("order_id", "line_no").agg(pl.col("quantity").sum())
    both = back.join(sent, on=["order_id", "line_no"], how="left", suffix="_sent")
    assert (both["quantity"] <= both["quantity_sent"]).all()
    assert made.return_units.height == made.returns["quantity"].sum()


@pytest.mark.parametrize("name", NAMES)
def test_no_more_is_taken_from_a_lot_than_lies_there(name: str) -> None:
    """At every moment: received and returned to stock is at least what has left, lot by lot."""
    made = world(name)
    keys = ["stock_pool", "sku", "lot_id"]
    leaving = shipped(name).select(*keys, pl.col("shipped_at").alias("at"), pl.lit(-1).alias("n"))
    assert leaving["lot_id"].null_count() == 0
    good = pl.col("quantity_received") - pl.col("quantity_damaged")
    coming = made.receipts.select(*keys, pl.col("received_at").alias("at"), good.alias("n"))
    fit = back_on_the_shelf(made)
    again = (
        made.return_units.join(fit.select("return_no", "received_at"), on="return_no")
        .join(made.units, on=["order_id", "line_no", "unit_no"])
        .select(*keys, pl.col("received_at").alias("at"), pl.lit(1).alias("n"))
    )
    mishaps = made.stock_moves.select(*keys, pl.col("moved_at").alias("at"), n="quantity")
    moves = pl.concat([coming.cast({"n": pl.Int64}), again.cast({"n": pl.Int64}),
                       leaving.cast({"n": pl.Int64}), mishaps])  # fmt: skip
    moves = moves.sort(*keys, "at", pl.col("n").neg())
    stock = moves.select(pl.col("n").cum_sum().over(keys))["n"]
    assert stock.min() >= 0
    made_up = made.lots.join(
        made.receipts.group_by("lot_id").agg(pl.col("quantity_received").sum()), on="lot_id"
    )
    assert (made_up["quantity_received"] <= made_up["quantity_produced"]).all()


@pytest.mark.parametrize("name", NAMES)
def test_stock_leaves_first_in_first_out_or_by_expiry(name: str) -> None:
    """A second, plain walk through one SKU and pool after the other gives the same lots."""
    made = world(name)
    expiry = dict(made.lots.select("lot_id", "expiry_date").iter_rows())
    returned = {
        (order, line, unit): at
        for order, line, unit, at in made.return_units.join(
            back_on_the_shelf(made),
            on="return_no",
        )
        .select("order_id", "line_no", "unit_no", "received_at")
        .iter_rows()
    }
    checked = 0
    for (sku, pool), rows in shipped(name).group_by("sku", "stock_pool"):
        here = made.receipts.filter((pl.col("sku") == sku) & (pl.col("stock_pool") == pool))
        moves: list[tuple[datetime, int, str | None, str | None]] = []
        for lot, at, received, damaged in here.select(
            "lot_id", "received_at", "quantity_received", "quantity_damaged"
        ).iter_rows():
            moves += [(at, 0, lot, None)] * (received - damaged)
        for order, line, unit, lot, at in rows.select(
            "order_id", "line_no", "unit_no", "lot_id", "shipped_at"
        ).iter_rows():
            moves.append((at, 2, lot, order))
            if (order, line, unit) in returned:
                moves.append((returned[order, line, unit], 1, lot, None))
        strays = made.stock_moves.filter((pl.col("sku") == sku) & (pl.col("stock_pool") == pool))
        for lot, at, units in strays.select("lot_id", "moved_at", "quantity").iter_rows():
            moves += [(at, 1 if units > 0 else 2, lot, None)] * abs(units)
        shelf: list[tuple[date, datetime, str | None]] = []
        for at, kind, lot, order in sorted(moves, key=lambda move: move[:2]):
            if kind < 2:
                shelf.append((expiry[lot] or date.min, at, lot))
                continue
            oldest = min(shelf, key=lambda unit: unit[:2])
            assert oldest[2] == lot, (sku, pool, at)
            shelf.remove(oldest)
            checked += order is not None
    assert checked == len(shipped(name)) > 0


@pytest.mark.parametrize("name", NAMES)
def test_no_stock_is_lost_before_the_first_day(name: str) -> None:
    """Accounts are read from the first day on: what nobody can read must not move lots."""
    made = world(name)
    start = datetime.combine(made.scenario.start, datetime.min.time())
    assert made.stock_moves.filter(pl.col("moved_at") < start).is_empty()
    assert made.stock_moves.height or not any(
        account.connector == "amazon" for account in made.scenario.accounts
    )


@pytest.mark.parametrize("name", NAMES)
def test_settlements_add_up_to_the_cent(name: str) -> None:
    made = world(name)
    sums = made.settlement_lines.group_by("settlement_id").agg(
        pl.col("amount_minor").sum().alias("sum"), pl.col("line_seq").min().alias("first")
    )
    heads = made.settlements.join(sums, on="settlement_id")
    assert heads.height == made.settlements.height
    assert (heads["sum"] + heads["planted_error_minor"] == heads["total_minor"]).all()
    assert made.settlements.is_empty() or (heads["first"] == 2).all()
    planted = len(made.scenario.faults_of("settlement_error"))
    assert (heads["planted_error_minor"] != 0).sum() == planted


def test_settled_refunds_are_the_refunds_of_the_closed_periods() -> None:
    made = world("small")
    last = made.settlements.group_by("account", "currency").agg(pl.col("end_at").max())
    closed = made.refunds.join(last, on=["account", "currency"]).filter(
        pl.col("refunded_at") < pl.col("end_at")
    )
    rows = made.settlement_lines.filter(pl.col("transaction_type") == "Refund")
    goods = rows.filter(
        (pl.col("amount_description") == "Principal")
        & pl.col("amount_type").is_in(["ItemPrice", "Promotion"])
    )
    assert goods["amount_minor"].sum() == -closed["principal_minor"].sum() < 0
    assert set(rows["adjustment_id"]) == set(closed["adjustment_id"])


@pytest.mark.parametrize("name", NAMES)
def test_events_of_an_order_are_in_order(name: str) -> None:
    made = world(name)
    orders = made.orders
    assert (orders["paid_at"] >= orders["ordered_at"]).all()
    assert (orders["shipped_complete_at"] > orders["paid_at"]).all()
    assert (orders["cancelled_at"] >= orders["ordered_at"]).all()
    both = orders["cancelled_at"].is_not_null() & orders["shipped_complete_at"].is_not_null()
    assert not both.any()
    sent = made.shipments
    assert (sent["delivered_at"] > sent["shipped_at"]).all()
    assert (sent["reported_at"] > sent["shipped_at"]).all()
    back = made.returns.join(
        made.units.filter(pl.col("return_no").is_not_null())
        .group_by("return_no")
        .agg(pl.col("delivered_at").max(), pl.col("shipped_at").max()),
        on="return_no",
    )
    buyers = back.filter("is_buyer_return")
    assert (buyers["requested_at"] > buyers["delivered_at"]).all()
    assert (back["received_at"] > back["shipped_at"]).all()
    assert (back["posted_at"] > back["received_at"]).all()
    assert (back["redated_at"] > back["posted_at"]).all()
    last = made.order_states.sort("at").group_by("order_id", maintain_order=True).last()
    final = last.join(orders, on="order_id")
    ended = final.filter(pl.col("shipped_complete_at").is_not_null())
    assert (ended["status"] == "SHIPPED").all()
    assert (final.filter(pl.col("cancelled_at").is_not_null())["status"] == "CANCELLED").all()


def test_worlds_have_the_variety_that_a_warehouse_must_survive() -> None:
    made = world("small")
    twins = made.order_lines.group_by("order_id", "sku").len().filter(pl.col("len") > 1)
    assert twins.height, "two lines of one order with one SKU"
    assert set(made.orders["fulfilled_by"]) == {"marketplace", "seller"}
    assert set(made.orders["link_kind"].drop_nulls()) == {"replacement", "exchange"}
    assert {1, 2} <= set(made.shipments["parcel_no"])
    assert {"lost", "refused", "undeliverable"} & set(made.shipments["state"])
    fba = made.returns.filter(pl.col("fulfilled_by") == "marketplace")
    assert 0 < fba["lpn"].null_count() < fba.height
    assert {"full_return", "partial_kept", "inr"} <= set(made.refunds["kind"])
    late = (made.returns["posted_at"] - made.returns["received_at"]).dt.total_days()
    assert late.max() > 4
    assert made.order_lines.filter(
        (pl.col("quantity_cancelled") > 0) & (pl.col("quantity_cancelled") < pl.col("quantity"))
    ).height
    assert made.returns.filter(pl.col("ends_as") == "none").height
    expiring = made.lots.filter(pl.col("expiry_date").is_not_null())
    assert expiring.height
    assert (expiring["expiry_date"] > expiring["production_date"]).all()


def test_order_ids_look_like_amazons_and_yen_have_no_decimals() -> None:
    made = world("pacific")
    assert made.orders["order_id"].str.contains(r"^\d{3}-\d{7}-\d{7}$").all()
    assert dict(made.marketplaces.select("currency", "decimals").iter_rows())["JPY"] == 0
    days = made.orders.filter(pl.col("link_kind").is_null())["ordered_at"].dt.date().unique()
    assert date(2024, 2, 29) in days
    assert len(days) == (made.scenario.today - made.scenario.start).days


def test_personal_data_is_marked() -> None:
    buyers = world("small").buyers
    assert buyers["email"].str.ends_with("@buyer.example").all()
    assert buyers["name"].str.contains("Quillfeather").all()
    assert buyers["street"].str.contains("Quillfeather").all()
    assert buyers["phone"].str.contains("555-01", literal=True).all()
    comments = world("small").returns["comment"].drop_nulls()
    assert comments.str.contains("@buyer.example|555-01").any()


def test_amazon_marketplaces_are_those_of_the_connector(project_root: Path) -> None:
    with (project_root / "sources/amazon/marketplaces.csv").open(encoding="utf-8") as file:
        rows = {row["home_country"]: row for row in csv.DictReader(file)}
    assert set(rows) == set(AMAZON)
    for code, (marketplace_id, channel, region, included) in AMAZON.items():
        row = rows[code]
        assert (row["marketplace_id"], row["region_group"]) == (marketplace_id, region)
        assert row["sales_channel"] == channel
        assert row["prices_include_tax"] == str(included).lower()
        assert (row["currency"], row["time_zone"]) == (
            country(code).currency,
            country(code).time_zone,
        )
