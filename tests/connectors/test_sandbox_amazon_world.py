"""The Amazon sandbox over a generated world: everything visible is served, once, and sums up."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from sources._core.clock import ManualClock
from sources._sandbox.scenario import Scenario
from sources._sandbox.server import Environment
from sources._sandbox.world import World, build_world
from sources.amazon.sandbox import create_app
from sources.amazon.sandbox.places import place_of
from tests.connectors.sandbox_small_world import (
    ALL_ORDERS,
    FEEDBACK,
    FINANCES,
    LEDGER,
    MFN_RETURNS,
    MFN_RETURNS_XML,
    ORDERS,
    PLANS,
    REIMBURSEMENTS,
    REMOVAL_SHIPMENTS,
    REMOVALS,
    REPLACEMENTS,
    REPORTS,
    RETURNS,
    SETTLEMENTS,
    SHIPMENTS,
    TOPICS,
    Caller,
    content_of,
)
from tests.connectors.test_sandbox_amazon_models import check

NOW = datetime(2026, 3, 20, tzinfo=UTC)
START = datetime(2026, 1, 1, tzinfo=UTC)
ACCOUNTS = {"amz_eu": ["DE", "PL"], "amz_jp": ["JP"], "amz_us": ["US", "MX"]}


@pytest.fixture(scope="module")
def world() -> World:
    accounts = [
        {
            "connector": "amazon",
            "name": name,
            "marketplaces": places,
            "fulfilled_by_marketplace": 0.6,
        }
        for name, places in ACCOUNTS.items()
    ]
    content: dict[str, Any] = {
        "seed": 20260320,
        "start": START.date(),
        "today": NOW.date(),
        "orders_per_day": 12,
        "skus": 9,
        "languages": ["de", "en", "ja"],
        "accounts": accounts,
    }
    return build_world(Scenario.parse(content))


@pytest.fixture(params=list(ACCOUNTS))
def one(request: pytest.FixtureRequest, world: World) -> Caller:
    clock = ManualClock(NOW)
    made = Caller(create_app(Environment(world, world.scenario, clock)), clock, request.param)
    assert made.log_in().status == 200
    return made


def visible_orders(world: World, account: str) -> pl.DataFrame:
    now = NOW.replace(tzinfo=None)
    return world.orders.filter(pl.col("account") == account, pl.col("ordered_at") <= now)


def report_rows(
    one: Caller, report_type: str, days: int, since: datetime = START
) -> list[dict[str, str]]:
    """All rows of the world's life so far, by reports of at most `days` days."""
    places = [
        place["marketplace"]["id"]
        for place in content_of(one.get("/sellers/v1/marketplaceParticipations"))["payload"]
    ]
    rows: list[dict[str, str]] = []
    start = since
    while start < NOW:
        end = min(start + timedelta(days=days), NOW)
        window = (f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (start, end))
        answer = one.create(report_type, *window, places)
        report = one.finished(content_of(answer)["reportId"])
        if "reportDocumentId" in report and one.text(report["reportDocumentId"]).strip():
            rows += one.rows(report["reportDocumentId"])
        start = end
    return rows


def api_orders(one: Caller) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    query = {"createdAfter": "2026-01-01T00:00:00Z", "includedData": "FULFILLMENT,PACKAGES"}
    while True:
        answer = json.loads(one.get(ORDERS, **query).body)
        found += answer["orders"]
        if "pagination" not in answer:
            return found
        query["paginationToken"] = answer["pagination"]["nextToken"]


def test_orders_of_report_and_api_are_those_of_the_world(one: Caller, world: World) -> None:
    visible = visible_orders(world, one.account)
    lines = world.order_lines.join(visible.select("order_id"), on="order_id", how="semi")
    expected = lines.group_by("order_id", "listing_sku").agg(pl.col("quantity").sum())
    rows = report_rows(one, ALL_ORDERS, 30)
    reported = (
        pl.DataFrame(rows)
        .group_by(order_id="amazon-order-id", listing_sku="sku")
        .agg(pl.col("quantity").cast(pl.Int64).sum())
    )
    assert_frame_equal(reported, expected, check_row_order=False)
    orders = api_orders(one)
    assert Counter(o["orderId"] for o in orders) == Counter(
        visible.filter(pl.col("ordered_at") <= (NOW - timedelta(minutes=2)).replace(tzinfo=None))[
            "order_id"
        ]
    )
    status = {o["orderId"]: o["fulfillment"]["fulfillmentStatus"] for o in orders}
    words = {
        row["amazon-order-id"]: row["order-status"].upper().replace("YS", "Y_S") for row in rows
    }
    assert {k: v for k, v in words.items() if k in status} == status


def test_shipments_and_returns_are_those_reported_by_now(one: Caller, world: World) -> None:
    now = NOW.replace(tzinfo=None)
    ours = visible_orders(world, one.account).filter(pl.col("fulfilled_by") == "marketplace")
    parcels = world.shipments.filter(pl.col("reported_at") <= now, pl.col("shipped_at") < now).join(
        ours.select("order_id"), on="order_id", how="semi"
    )
    rows = report_rows(one, SHIPMENTS, 31)
    assert sorted(r["shipment-item-id"] for r in rows) == sorted(parcels["shipment_item_id"])
    assert sum(int(r["quantity-shipped"]) for r in rows) == parcels["quantity"].sum()
    booked = world.returns.filter(
        pl.col("account") == one.account,
        pl.col("fulfilled_by") == "marketplace",
        pl.col("posted_at") <= now,
        pl.col("received_at") < now,
    )
    returned = report_rows(one, RETURNS, 60)
    assert Counter((r["order-id"], r["sku"], r["reason"]) for r in returned) == Counter(
        booked.select("order_id", "listing_sku", "reason_code").iter_rows()
    )


def test_return_requests_are_those_made_by_now_in_both_forms(one: Caller, world: World) -> None:
    """An item in two blocks counts as often as its order has units of it."""
    now = NOW.replace(tzinfo=None)
    asked = world.return_requests.filter(
        pl.col("account") == one.account, pl.col("requested_at") < now
    )
    rows = report_rows(one, MFN_RETURNS, 60)
    units: Counter[tuple[str, str]] = Counter()
    most: dict[tuple[str, str], int] = {}
    for row in rows:
        key = (row["Amazon RMA ID"], row["Merchant SKU"])
        units[key] += int(row["Return quantity"])
        most[key] = int(row["Order quantity"])
    told = {key: min(units[key], most[key]) for key in units}
    expected = {
        (row["return_no"], row["listing_sku"]): row["quantity"]
        for row in asked.iter_rows(named=True)
    }
    assert told == expected
    assert asked.height and any(units[key] > told[key] for key in told)
    assert {row["Return request status"] for row in rows} <= {
        "Pending", "Approved", "Completed", "Cancelled", "Declined",
    }  # fmt: skip
    window = ("2026-01-20T00:00:00Z", "2026-03-20T00:00:00Z")
    places = [place.marketplace_id for place in map(place_of, ACCOUNTS[one.account])]
    report = one.finished(content_of(one.create(MFN_RETURNS_XML, *window, places))["reportId"])
    tree = ElementTree.fromstring(one.text(report["reportDocumentId"]))  # noqa: S314
    blocks = [
        (detail.findtext("amazon_rma_id"), item.findtext("return_reason_code"))
        for detail in tree.iter("return_details")
        for item in detail.iter("item_details")
    ]
    since = asked.filter(pl.col("requested_at") >= pl.lit("2026-01-20").str.to_datetime())
    assert Counter(blocks) == Counter(
        since.select(pl.col("return_no", "reason_code").repeat_by("blocks"))
        .explode("return_no", "reason_code")
        .iter_rows()
    )


def test_reimbursements_add_up_and_name_what_they_take_back(one: Caller, world: World) -> None:
    now = NOW.replace(tzinfo=None)
    paid = world.reimbursements.filter(
        pl.col("account") == one.account, pl.col("approved_at") < now
    )
    rows = report_rows(one, REIMBURSEMENTS, 60)
    assert Counter((r["reimbursement-id"], r["sku"]) for r in rows) == Counter(
        paid.select("reimbursement_id", "listing_sku").iter_rows()
    )
    scale = {"JPY": 1}
    total = sum(Decimal(r["amount-total"]) * scale.get(r["currency-unit"], 100) for r in rows)
    assert total == paid["amount_minor"].sum()
    ids = {row["reimbursement-id"] for row in rows}
    for row in rows:
        cash, stock = (
            int(row["quantity-reimbursed-cash"]),
            int(row["quantity-reimbursed-inventory"]),
        )
        assert cash + stock == int(row["quantity-reimbursed-total"])
        is_back = row["reason"] == "Reimbursement_Reversal"
        assert is_back == (Decimal(row["amount-total"]) < 0)
        assert not is_back or row["original-reimbursement-id"] in ids


def test_replacements_name_the_order_they_replace(one: Caller, world: World) -> None:
    links = visible_orders(world, one.account).filter(
        pl.col("link_kind") == "replacement", pl.col("fulfilled_by") == "marketplace"
    )
    gone = world.shipments.filter(pl.col("shipped_at") < NOW.replace(tzinfo=None))
    sent = links.join(gone, on="order_id", how="semi")
    rows = report_rows(one, REPLACEMENTS, 60)
    assert {(r["replacement-amazon-order-id"], r["original-amazon-order-id"]) for r in rows} == set(
        sent.select("order_id", "replaces_order_id").iter_rows()
    )


def transactions(one: Caller, **query: str) -> list[dict[str, Any]]:
    """All transactions of a query; empty pages in between do not end it."""
    found: list[dict[str, Any]] = []
    token: dict[str, str] = {}
    while True:
        payload = content_of(one.get(FINANCES, **query, **token))["payload"]
        found += payload["transactions"]
        if "nextToken" not in payload:
            return found
        token = {"nextToken": payload["nextToken"]}


def leaves(breakdowns: list[dict[str, Any]]) -> Iterator[tuple[str, Decimal]]:
    for node in breakdowns:
        if node.get("breakdowns"):
            yield from leaves(node["breakdowns"])
        else:
            amount = Decimal(str(node["breakdownAmount"]["currencyAmount"]))
            yield node["breakdownType"], amount


def test_refunds_of_finances_are_those_paid_back_at_most_two_days_ago(
    one: Caller, world: World, shared_dir: Path | None
) -> None:
    found = transactions(one, postedAfter="2026-01-01T00:00:00Z")
    recent = content_of(one.get(FINANCES, postedAfter="2026-03-10T00:00:00Z"))
    check(shared_dir, "finances", "ListTransactionsResponse", recent)
    assert len({row["transactionId"] for row in found}) == len(found)
    refunds = [row for row in found if row["transactionType"] == "Refund"]
    told = {
        item["relatedIdentifiers"][0]["itemRelatedIdentifierValue"]: -sum(
            amount for name, amount in leaves(item["breakdowns"]) if name == "OurPricePrincipal"
        )
        for row in refunds
        for item in row["items"]
    }
    now = NOW.replace(tzinfo=None)
    paid = world.refunds.filter(pl.col("account") == one.account)
    goods = pl.col("principal_minor") + pl.col("promotion_minor")
    known = {
        row["adjustment_id"]: Decimal(row["goods"]) / (1 if row["currency"] == "JPY" else 100)
        for row in paid.with_columns(goods.alias("goods")).iter_rows(named=True)
    }
    assert told.items() <= known.items()
    old = paid.filter(pl.col("refunded_at") < now - timedelta(days=2))
    assert set(old["adjustment_id"]) <= set(told)
    for row in found:
        items = row.get("items", [])
        trees = [item["breakdowns"] for item in items if "breakdowns" in item]
        if trees and row["description"] in ("Order Payment", "Refund Order"):
            total = sum(amount for tree in trees for _, amount in leaves(tree))
            assert total == Decimal(str(row["totalAmount"]["currencyAmount"]))


def test_a_sale_that_is_held_back_is_released_once(one: Caller) -> None:
    found = transactions(one, postedAfter="2026-01-01T00:00:00Z")
    by_id = {row["transactionId"]: row for row in found}
    statuses = Counter(row["transactionStatus"] for row in found)
    assert statuses["DEFERRED"] and statuses["DEFERRED_RELEASED"]
    twins = 0
    for row in found:
        names = {
            each["relatedIdentifierName"]: each["relatedIdentifierValue"]
            for each in row["relatedIdentifiers"]
        }
        if row["transactionStatus"] == "DEFERRED_RELEASED":
            twin = by_id[names["RELEASE_TRANSACTION_ID"]]
            assert twin["transactionStatus"] == "RELEASED"
            assert twin["totalAmount"] == row["totalAmount"]
            twins += 1
        assert (row["transactionStatus"] == "DEFERRED") <= ("RELEASE_TRANSACTION_ID" not in names)
    assert twins == statuses["DEFERRED_RELEASED"]


def test_transactions_keep_their_rules(one: Caller) -> None:
    whole = transactions(one, postedAfter="2026-01-01T00:00:00Z")
    early = transactions(
        one, postedAfter="2026-01-01T00:00:00Z", postedBefore="2026-02-10T00:00:00Z"
    )
    late = transactions(one, postedAfter="2026-02-10T00:00:00Z")
    assert len(early) + len(late) == len(whole)
    assert transactions(one, postedAfter="2025-08-01T00:00:00Z") == []
    order = next(row for row in whole if row["transactionType"] == "Refund")
    number = order["relatedIdentifiers"][0]["relatedIdentifierValue"]
    mine = transactions(one, relatedIdentifierName="ORDER_ID", relatedIdentifierValue=number)
    assert order in mine and len(mine) > 1
    page = content_of(one.get(FINANCES, postedAfter="2026-01-01T00:00:00Z"))["payload"]
    for query in (
        {},
        {"postedAfter": "2026-03-20T00:00:00Z"},
        {"postedAfter": "2026-01-01T00:00:00Z", "transactionStatus": "PAID"},
        {"relatedIdentifierName": "ORDER_ID"},
        {"postedAfter": "2026-01-02T00:00:00Z", "nextToken": page["nextToken"]},
    ):
        assert one.get(FINANCES, **query).status == 400


def test_some_pages_are_empty_although_more_follows(one: Caller) -> None:
    pages = [
        content_of(one.get(FINANCES, postedAfter=f"2026-01-{day:02d}T00:00:00Z"))["payload"]
        for day in range(1, 29)
    ]
    empty = [page for page in pages if not page["transactions"]]
    assert empty
    assert all(page["nextToken"] for page in empty)


def test_feedback_has_six_columns_in_the_language_and_dates_of_the_place(
    one: Caller, world: World
) -> None:
    days = {"DE": "%d.%m.%y", "US": "%m/%d/%y", "JP": "%y/%m/%d"}
    for country in ACCOUNTS[one.account]:
        place = place_of(country)
        given = world.feedback.filter(
            pl.col("marketplace") == f"amazon_{country.lower()}",
            pl.col("rated_at") < NOW.replace(tzinfo=None),
        )
        window = ("2026-01-01T00:00:00Z", "2026-03-20T00:00:00Z")
        made = one.finished(
            content_of(one.create(FEEDBACK, *window, [place.marketplace_id]))["reportId"]
        )
        rows = one.rows(made["reportDocumentId"]) if given.height else []
        assert len(rows) == given.height
        for row in rows:
            day, stars, _, _, order_id, email = row.values()
            assert datetime.strptime(day, days.get(country, "%d/%m/%y"))  # noqa: DTZ007
            assert stars in "123"
            assert email.endswith("@buyer.example")
            assert order_id in set(given["order_id"])


def test_inbound_plans_tell_the_lots_that_came(
    one: Caller, world: World, shared_dir: Path | None
) -> None:
    plans: list[dict[str, Any]] = []
    token: dict[str, str] = {}
    while True:
        answer = content_of(one.get(PLANS, pageSize="4", sortBy="LAST_UPDATED_TIME", **token))
        check(shared_dir, "inbound", "ListInboundPlansResponse", answer)
        plans += answer["inboundPlans"]
        if "pagination" not in answer:
            break
        token = {"paginationToken": answer["pagination"]["nextToken"]}
    times = [plan["lastUpdatedAt"] for plan in plans]
    assert times == sorted(times, reverse=True)
    check(
        shared_dir, "inbound", "InboundPlan",
        content_of(one.get(f"{PLANS}/{plans[0]['inboundPlanId']}")),
    )  # fmt: skip
    lots: Counter[str] = Counter()
    for plan in plans:
        answer = content_of(one.get(f"{PLANS}/{plan['inboundPlanId']}/items", pageSize="1000"))
        check(shared_dir, "inbound", "ListInboundPlanItemsResponse", answer)
        for item in answer["items"]:
            lots[item["manufacturingLotCode"]] += item["quantity"]
    came = world.receipts.filter(
        pl.col("account") == one.account, pl.col("received_at") <= NOW.replace(tzinfo=None)
    )
    expected = came.group_by("lot_id").agg(pl.col("quantity_received").sum())
    assert dict(lots) == dict(expected.iter_rows())
    assert one.get(f"{PLANS}/{'x' * 38}/items").status == 404
    assert one.get(PLANS, pageSize="31").status == 400


def test_topics_of_reviews_or_an_answer_without_a_body(
    one: Caller, world: World, shared_dir: Path | None
) -> None:
    statuses: Counter[tuple[str, int]] = Counter()
    for country in ACCOUNTS[one.account]:
        place = {"marketplaceId": place_of(country).marketplace_id, "sortBy": "MENTIONS"}
        for asin in world.products["asin"]:
            answer = one.get(TOPICS.format(asin=asin), **place)
            statuses[country, answer.status] += 1
            if answer.status == 200:
                content = content_of(answer)
                check(shared_dir, "customer feedback", "ItemReviewTopicsResponse", content)
                assert content["dateRange"]["endDate"] == "2026-03-16T00:00:00Z"
            if answer.status == 204:
                assert answer.body == b""
    big = {"amz_eu": "DE", "amz_jp": "JP", "amz_us": "US"}[one.account]
    assert statuses[big, 200]
    for country in set(ACCOUNTS[one.account]) - {big}:
        assert statuses[country, 400] == world.products.height
    other = {"marketplaceId": place_of(big).marketplace_id, "sortBy": "MENTIONS"}
    assert one.get(TOPICS.format(asin="B000000000"), **other).status == 404


def test_the_ledger_adds_up_to_the_stock_of_the_world(one: Caller, world: World) -> None:
    """Every field in quotes; what is fit for sale is what came, left, came back and was lost."""
    now = NOW.replace(tzinfo=None)
    rows = []
    for row in report_rows(one, LEDGER, 60, since=START - timedelta(days=14)):
        assert all(cell[0] == cell[-1] == '"' for pair in row.items() for cell in pair)
        rows.append({k.strip('"').replace(" ", ""): v.strip('"') for k, v in row.items()})
    sums: Counter[str] = Counter()
    for row in rows:
        assert datetime.strptime(row["Date"], "%m/%d/%Y")  # noqa: DTZ007
        if row["Disposition"] == "SELLABLE":
            sums[row["MSKU"]] += int(row["Quantity"])
    fba = visible_orders(world, one.account).filter(pl.col("fulfilled_by") == "marketplace")
    gone = world.shipments.filter(pl.col("shipped_at") < now).join(
        world.order_lines.select("order_id", "line_no", "listing_sku"), on=["order_id", "line_no"]
    )
    mine = pl.col("account") == one.account
    listed = world.listings.filter(mine).select("sku", "listing_sku")
    good = pl.col("quantity_received") - pl.col("quantity_damaged")
    back = world.returns.filter(
        mine, pl.col("fulfilled_by") == "marketplace", pl.col("posted_at") < now
    )
    parts = [
        world.receipts.filter(mine, pl.col("received_at") < now)
        .join(listed, on="sku").select("listing_sku", n=good),
        gone.join(fba, on="order_id", how="semi").select("listing_sku", n=-pl.col("quantity")),
        back.filter(pl.col("disposition") == "SELLABLE").select("listing_sku", n="quantity"),
        world.stock_moves.filter(mine, pl.col("moved_at") < now)
        .select("listing_sku", n="quantity"),
    ]  # fmt: skip
    expected = pl.concat(parts).group_by("listing_sku").agg(pl.col("n").sum())
    assert dict(sums) == dict(expected.filter(pl.col("n") != 0).iter_rows())
    kinds = {row["EventType"] for row in rows}
    assert {"Receipts", "Shipments", "CustomerReturns", "Adjustments"} <= kinds


def test_removals_are_ordered_and_then_done(one: Caller, world: World) -> None:
    now = NOW.replace(tzinfo=None)
    mine = world.removals.filter(pl.col("account") == one.account, pl.col("requested_at") < now)
    done = mine.filter(pl.col("shipped_at") < now)
    rows = report_rows(one, REMOVALS, 60)
    assert sum(int(r["requested-quantity"]) for r in rows) == mine["quantity"].sum() > 0
    left = [int(r["shipped-quantity"]) + int(r["disposed-quantity"]) for r in rows]
    assert sum(left) == done["quantity"].sum()
    sent = report_rows(one, REMOVAL_SHIPMENTS, 60)
    home = done.filter(pl.col("order_type") == "Return")
    assert sum(int(r["shipped-quantity"]) for r in sent) == home["quantity"].sum()
    scale = 1 if one.account == "amz_jp" else 100
    assert sum(Decimal(r["removal-fee"]) * scale for r in rows) == mine["fee_minor"].sum()


def test_each_settlement_adds_up_to_its_total(one: Caller, world: World) -> None:
    now = NOW.replace(tzinfo=None)
    closed = world.settlements.filter(pl.col("account") == one.account, pl.col("closed_at") <= now)
    reports = content_of(one.get(REPORTS, reportTypes=SETTLEMENTS, pageSize="100"))["reports"]
    seen = set()
    for report in reports:
        header, *details = one.rows(report["reportDocumentId"])
        total = sum(Decimal(row["amount"].replace(",", ".")) for row in details)
        assert total == Decimal(header["total-amount"].replace(",", "."))
        seen.add(header["settlement-id"])
    assert seen == set(closed["settlement_id"])


def test_money_of_a_line_is_the_same_in_both_reports(one: Caller, world: World) -> None:
    """Item price less discount, and less tax where prices hold it, is the tax-free price."""
    shipped = report_rows(one, SHIPMENTS, 31)
    columns = ("item-price", "item-tax", "shipping-price", "shipping-tax")
    by_line: dict[tuple[str, str], list[Decimal]] = {}
    for row in report_rows(one, ALL_ORDERS, 30):
        if row["item-status"] == "Shipped":
            key = (row["amazon-order-id"], row["sku"])
            sums = by_line.setdefault(key, [Decimal(0)] * 4)
            by_line[key] = [s + Decimal(row[c] or 0) for s, c in zip(sums, columns, strict=True)]
    late = {r["amazon-order-id"] for r in shipped}
    totals: dict[tuple[str, str], list[Decimal]] = {}
    for row in shipped:
        key = (row["amazon-order-id"], row["sku"])
        sums = totals.setdefault(key, [Decimal(0)] * 4)
        totals[key] = [s + Decimal(row[c]) for s, c in zip(sums, columns, strict=True)]
    complete = {
        key: sums
        for key, sums in totals.items()
        if key in by_line and units_of(shipped, key) == world_units(world, key)
    }
    assert complete.keys() and late
    assert {key: by_line[key] for key in complete} == complete


def units_of(rows: list[dict[str, str]], key: tuple[str, str]) -> int:
    return sum(int(r["quantity-shipped"]) for r in rows if (r["amazon-order-id"], r["sku"]) == key)


def world_units(world: World, key: tuple[str, str]) -> int:
    lines = world.order_lines.filter(pl.col("order_id") == key[0], pl.col("listing_sku") == key[1])
    return int((lines["quantity"] - lines["quantity_cancelled"]).sum())
