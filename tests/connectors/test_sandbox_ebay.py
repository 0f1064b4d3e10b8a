"""eBay's sandbox: who may call, paging, the traps of orders and of Post-Order, official shapes."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from sources._core.clock import ManualClock
from sources._sandbox.scenario import Scenario
from sources._sandbox.server import Environment
from sources.ebay.sandbox import create_app
from tests.connectors.ebay_sandbox_caller import (
    CONTENT,
    ORDERS,
    POST_ORDER,
    TODAY,
    Caller,
    caller,
    every_order,
    small_world,
)
from tests.connectors.openapi_shapes import misfits, named

EXTRA = ("legacyOrderId",)  # seen in captures, in no model


@pytest.fixture(scope="module")
def client() -> Caller:
    return caller()


@pytest.fixture(scope="module")
def orders(client: Caller) -> list[dict[str, Any]]:
    return every_order(client, fieldGroups="TAX_BREAKDOWN")


def problem(response: Any) -> int:
    content = json.loads(response.body)
    return int((content.get("errors") or content["error"])[0]["errorId"])


def test_orders_fit_the_official_model(
    client: Caller, orders: list[dict[str, Any]], shared_dir: Path | None
) -> None:
    required = {"orderId", "creationDate", "lastModifiedDate", "lineItems", "pricingSummary"}
    assert all(required <= order.keys() for order in orders)
    if shared_dir is None:
        print("not checked: the model of the Fulfillment API is not here")
        return
    path = shared_dir / "specs" / "ebay" / "sell_fulfillment_v1.20.7_oas3.json"
    page = client.orders("2026-05-01T00:00:00.000Z", "2026-05-19T00:00:00.000Z", limit=50)
    found = list(misfits(page, named(path, "OrderSearchPagedCollection"), path, EXTRA))
    one = client.get(f"{ORDERS}/{orders[0]['orderId']}")
    found += misfits(one, named(path, "Order"), path, EXTRA)
    sent = next(o for o in orders if o["orderFulfillmentStatus"] == "FULFILLED")
    parcels = client.get(f"{ORDERS}/{sent['orderId']}/shipping_fulfillment")
    found += misfits(parcels, named(path, "ShippingFulfillmentPagedCollection"), path)
    assert not found, found[:5]


def test_all_paid_orders_are_found_and_no_others(orders: list[dict[str, Any]]) -> None:
    world = small_world()
    paid = world.orders.filter(pl.col("paid_at") <= pl.datetime(2026, 5, 19, 23, 59))
    never = world.orders.filter(pl.col("paid_at").is_null())
    assert never.height > 0
    assert {o["orderId"] for o in orders} == set(paid["order_id"])


def test_money_of_orders_equals_the_world(orders: list[dict[str, Any]]) -> None:
    net = (pl.col("unit_price_minor") - pl.col("unit_discount_minor")) * pl.col("quantity")
    world = small_world()
    paid = world.orders.filter(pl.col("paid_at") <= pl.datetime(2026, 5, 19, 23, 59))
    true = world.order_lines.join(paid, on="order_id").group_by("currency").agg(net.sum())
    found: Counter[str] = Counter()
    for order in orders:
        for line in order["lineItems"]:
            cost = line.get("discountedLineItemCost", line["lineItemCost"])
            found[cost["currency"]] += int(Decimal(cost["value"]) * 100)
    assert found == dict(true.iter_rows())


def test_a_refund_has_two_figures_and_no_date_while_it_is_pending(
    orders: list[dict[str, Any]],
) -> None:
    pairs = [
        (whole, part)
        for order in orders
        for whole in order["paymentSummary"]["refunds"]
        for line in order["lineItems"]
        for part in line["refunds"]
        if part["refundId"] == whole["refundId"]
    ]
    assert len(pairs) > 20
    assert all(
        Decimal(whole["amount"]["value"]) < Decimal(part["amount"]["value"])
        for whole, part in pairs
    )
    assert all(
        ("refundDate" in part) == (whole["refundStatus"] == "REFUNDED") for whole, part in pairs
    )
    returns = set(small_world().market_returns["return_id"])
    assert any(part.get("refundReferenceId") in returns for _, part in pairs)


def test_cancel_requests_are_told_by_get_order_only(
    client: Caller, orders: list[dict[str, Any]]
) -> None:
    assert all(order["cancelStatus"]["cancelRequests"] == [] for order in orders)
    gone = [o for o in orders if o["cancelStatus"]["cancelState"] == "CANCELED"]
    assert gone
    (request,) = client.get(f"{ORDERS}/{gone[0]['orderId']}")["cancelStatus"]["cancelRequests"]
    assert request["cancelReason"] in ("BUYER_ASKED_CANCEL", "OUT_OF_STOCK_OR_CANNOT_FULFILL")


def test_limits_and_dates_that_are_refused(client: Caller) -> None:
    start, end = "2026-05-01T00:00:00.000Z", "2026-05-10T00:00:00.000Z"
    window = f"lastmodifieddate:[{start}..{end}]"
    assert problem(client.call(ORDERS, filter=window, limit=201)) == 31100
    late = f"lastmodifieddate:[{start}..2026-05-20T00:01:00.000Z]"
    assert problem(client.call(ORDERS, filter=late)) == 30850
    assert problem(client.call(ORDERS, filter="lastmodifieddate:yesterday")) == 30700


def test_with_both_dates_only_that_of_creation_counts(client: Caller) -> None:
    created = "creationdate:[2026-03-01T00:00:00.000Z..2026-03-08T00:00:00.000Z]"
    changed = "lastmodifieddate:[2026-05-01T00:00:00.000Z..2026-05-02T00:00:00.000Z]"
    both = client.get(ORDERS, filter=f"{created},{changed}", limit=200)
    one = client.get(ORDERS, filter=created, limit=200)
    assert both["total"] == one["total"] > 0


def test_post_order_takes_its_own_scheme_and_errors_differ(client: Caller) -> None:
    path = f"{POST_ORDER}/return/search"
    refused = client.call(path, scheme="Bearer")
    assert refused.status == 401
    assert "error" in json.loads(refused.body)
    assert client.call(path).status == 200
    assert client.call(ORDERS, scheme="IAF").status == 401


def window(name: str, start: str, end: str) -> dict[str, str]:
    return {f"{name}_from": f"{start}T00:00:00.000Z", f"{name}_to": f"{end}T00:00:00.000Z"}


def test_returns_are_found_by_the_day_of_creation(client: Caller) -> None:
    asked = window("creation_date_range", "2026-03-01", "2026-05-20")
    found = client.get(f"{POST_ORDER}/return/search", limit=200, **asked)
    world = small_world().market_returns
    at = pl.col("requested_at")
    true = world.filter(at >= pl.datetime(2026, 3, 1), at <= pl.datetime(2026, 5, 20))
    assert {m["returnId"] for m in found["members"]} == set(true["return_id"])
    assert found["paginationOutput"]["totalEntries"] == true.height > 20
    assert all(m["creationInfo"]["creationDate"]["value"] >= "2026-03-01" for m in found["members"])
    wrong = client.get(f"{POST_ORDER}/return/search", item_creation_date_range_from="2026-05-19")
    assert wrong["total"] > 0  # a wrong name is ignored: the last 90 days come instead
    long = window("creation_date_range", "2026-01-01", "2026-05-20")
    assert client.call(f"{POST_ORDER}/return/search", query=long).status == 400


def test_offset_means_pages_here_and_rows_there(client: Caller) -> None:
    asked = window("creation_date_range", "2026-03-01", "2026-05-20")
    path = f"{POST_ORDER}/return/search"
    first, second = (client.get(path, limit=5, offset=n, **asked)["members"] for n in (1, 2))
    assert not {m["returnId"] for m in first} & {m["returnId"] for m in second}
    path = f"{POST_ORDER}/cancellation/search"
    first, second = (client.get(path, limit=2, offset=n, **asked)["cancellations"] for n in (0, 1))
    assert first[1]["cancelId"] == second[0]["cancelId"]


def test_a_return_moves_on_with_the_clock() -> None:
    world = small_world().market_returns
    row = world.filter(
        pl.col("received_at").is_not_null() & (pl.col("units_refunded") > 0)
    ).row(0, named=True)  # fmt: skip
    states = []
    for column in ("requested_at", "sent_at", "received_at", "closed_at"):
        client = caller((row[column] + timedelta(minutes=1)).replace(tzinfo=UTC))
        path = f"{POST_ORDER}/return/{row['return_id']}"
        summary = client.get(path, fieldgroups="SUMMARY")
        detail = client.get(path, fieldgroups="FULL")
        assert summary.keys() == {"summary"}
        assert detail.keys() == {"detail"}
        states.append(summary["summary"]["state"])
        arrived = [h for h in detail["detail"]["responseHistory"]
                   if h["toState"] == "ITEM_DELIVERED"]  # fmt: skip
        assert bool(arrived) == (column in ("received_at", "closed_at"))
        actual = summary["summary"]["sellerTotalRefund"].get("actualRefundAmount")
        assert (actual is not None) == (column == "closed_at")
    assert states == ["RETURN_REQUESTED", "ITEM_SHIPPED", "ITEM_DELIVERED", "CLOSED"]


def test_inquiries_and_cases_tell_one_incident(client: Caller) -> None:
    asked = window("inquiry_creation_date_range", "2026-02-25", "2026-05-20")
    found = client.get(f"{POST_ORDER}/inquiry/search", limit=200, **asked)
    assert found["totalNumberOfInquiries"] == len(found["members"]) > 0
    number = found["members"][0]["inquiryId"]
    assert isinstance(number, int)
    detail = client.get(f"{POST_ORDER}/inquiry/{number}")
    assert detail["inquiryId"] == str(number)
    history = detail["inquiryHistoryDetails"]["history"]
    assert history[0]["action"] == "BUYER_OPENED"
    assert (history[-1]["action"] == "CLOSED") == (detail["state"] == "CLOSED")
    refused = client.call(f"{POST_ORDER}/cancellation/search")
    assert problem(refused) == 10003


def test_tokens_end_and_consents_are_withdrawn() -> None:
    clock = ManualClock(TODAY)
    scenario = Scenario.parse(CONTENT)
    client = Caller(create_app(Environment(small_world(), scenario, clock)), small_world())
    assert client.call(ORDERS).status == 200
    clock.sleep(7200)
    assert problem(client.call(ORDERS)) == 1001
    withdrawn = caller(missing_roles={"ebay_one": frozenset({"consent"})})
    refused = withdrawn.token()
    assert refused.status == 400
    assert json.loads(refused.body)["error"] == "invalid_grant"
    lacking = caller(missing_roles={"ebay_one": frozenset({"sell.fulfillment"})})
    assert lacking.call(f"{POST_ORDER}/return/search").status == 403
    assert lacking.call(ORDERS).status == 200


def test_records_come_twice_and_out_of_order_where_the_scenario_says_so() -> None:
    client = caller(api={"duplicate_record": 0.5, "out_of_order": 1.0})
    numbers = [o["orderId"] for o in every_order(client)]
    assert len(numbers) > len(set(numbers))
