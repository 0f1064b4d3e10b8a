"""Walmart's sandbox: who may call, cursors, the traps of orders and returns, published shapes."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import polars as pl
import pytest

from sources._core.clock import ManualClock
from tests.connectors.openapi_shapes import answered, misfits
from tests.connectors.walmart_sandbox_caller import (
    ABROAD,
    ORDERS,
    RETURNS,
    START,
    STORE,
    TODAY,
    Caller,
    caller,
    small_world,
)

NOW = pl.lit(TODAY.replace(tzinfo=None))


@pytest.fixture(scope="module")
def client() -> Caller:
    return caller()


@pytest.fixture(scope="module")
def orders(client: Caller) -> list[dict[str, Any]]:
    """Both sweeps of the American store."""
    own = client.every_order(replacementInfo="true")
    return own + client.every_order(shipNodeType="WFSFulfilled", replacementInfo="true")


@pytest.fixture(scope="module")
def returns(client: Caller) -> list[dict[str, Any]]:
    return client.every_return(replacementInfo="true")


def code(response: Any) -> str:
    return str(json.loads(response.body)["errors"]["error"][0]["code"])


def whole(amount: float) -> int:
    return round(amount * 100)


def test_orders_and_returns_fit_the_published_models(
    client: Caller,
    orders: list[dict[str, Any]],
    returns: list[dict[str, Any]],
    shared_dir: Path | None,
) -> None:
    assert all({"purchaseOrderId", "customerOrderId", "orderLines"} <= o.keys() for o in orders)
    assert all({"returnOrderId", "returnOrderLines"} <= r.keys() for r in returns)
    if shared_dir is None:
        print("not checked: the models of orders and returns are not here")
        return
    path = shared_dir / "specs" / "walmart" / "us_orders_v3_get_refund_only_oas3.json"
    page = client.get(ORDERS, {"createdStartDate": START, "limit": 100, "productInfo": "true"})
    content = {"list": page["list"] | {"elements": {"order": orders}}}
    found = list(misfits(content, answered(path, ORDERS), path))
    path = shared_dir / "specs" / "walmart" / "us_returns_v3_oas3.json"
    told = [{k: v for k, v in row.items() if v is not None} for row in returns]
    answer = client.get(RETURNS, {"limit": 10}) | {"returnOrders": told}
    found += misfits(answer, answered(path, RETURNS), path)
    assert not found, found[:5]


def test_two_sweeps_find_all_orders_and_their_money(orders: list[dict[str, Any]]) -> None:
    world = small_world()
    mine = world.orders.filter(pl.col("account") == STORE, pl.col("ordered_at") <= NOW)
    assert len(orders) == len({o["purchaseOrderId"] for o in orders})
    assert {o["purchaseOrderId"] for o in orders} == set(mine["order_id"])
    assert {o["shipNode"]["type"] for o in orders} == {"SellerFulfilled", "WFSFulfilled"}
    net = (pl.col("unit_price_minor") - pl.col("unit_discount_minor")) * pl.col("quantity")
    lines = world.order_lines.join(mine, on="order_id")
    gone = (pl.col("quantity_cancelled") == pl.col("quantity")) & (
        pl.col("line_cancelled_at") <= NOW
    )
    true = lines.filter(~gone.fill_null(False)).select(net.sum()).item()
    found = sum(
        whole(charge["chargeAmount"]["amount"])
        for order in orders
        for line in order["orderLines"]["orderLine"]
        for charge in line["charges"]["charge"]
        if charge["chargeType"] == "PRODUCT"
    )
    assert found == true


def test_units_of_a_line_are_told_by_state(orders: list[dict[str, Any]]) -> None:
    states: Counter[str] = Counter()
    for order in orders:
        for line in order["orderLines"]["orderLine"]:
            parts = line["orderLineStatuses"]["orderLineStatus"]
            units = sum(int(part["statusQuantity"]["amount"]) for part in parts)
            assert units == int(line["orderLineQuantity"]["amount"])
            states.update(part["status"] for part in parts)
    assert {"Acknowledged", "Shipped", "Delivered", "Cancelled"} <= states.keys()


def test_without_a_start_only_seven_days_are_searched(client: Caller) -> None:
    changed = {"lastModifiedStartDate": "2026-02-01", "lastModifiedEndDate": "2026-05-20"}
    few = client.get(ORDERS, changed)["list"]["meta"]["totalCount"]
    many = client.get(ORDERS, {**changed, "createdStartDate": START})["list"]["meta"]["totalCount"]
    assert few < many / 5


def test_replacements_look_like_sales_unless_asked_for(client: Caller) -> None:
    world = small_world()
    made = world.orders.filter(
        pl.col("account") == STORE, pl.col("link_kind") == "replacement",
        pl.col("ordered_at") <= NOW,
    )  # fmt: skip
    assert made.height
    number = made["order_id"][0]
    plain = client.get(f"{ORDERS}/{number}")["order"]
    told = client.get(f"{ORDERS}/{number}", {"replacementInfo": "true"})["order"]
    assert "orderType" not in plain
    assert told["orderType"] == "REPLACEMENT"
    original = world.orders.filter(pl.col("order_id") == made["replaces_order_id"][0])
    assert told["originalCustomerOrderID"] == original["order_number"][0]


def test_some_orders_of_a_buyer_come_as_two(orders: list[dict[str, Any]]) -> None:
    numbers = Counter(order["customerOrderId"] for order in orders)
    assert max(numbers.values()) == 2


def test_a_cursor_counts_only_as_it_was_given(client: Caller) -> None:
    first = client.get(ORDERS, {"createdStartDate": START, "limit": 5})["list"]
    cursor = first["meta"]["nextCursor"]
    assert cursor.startswith("?")
    assert "+" in cursor
    second = client.get(ORDERS, cursor)["list"]["elements"]["order"]
    again = client.get(ORDERS, dict(parse_qsl(cursor[1:])))["list"]["elements"]["order"]
    numbers = [[o["purchaseOrderId"] for o in page][:5] for page in (
        first["elements"]["order"], second, again)]  # fmt: skip
    assert not set(numbers[0]) & set(numbers[1])
    assert set(numbers[1]) != set(numbers[2])
    page = client.get(RETURNS, {"limit": 3})
    more = client.get(RETURNS, page["meta"]["nextCursor"])["returnOrders"]
    ids = {row["returnOrderId"] for row in page["returnOrders"]}
    assert not ids & {row["returnOrderId"] for row in more}


def test_nothing_found_is_404_and_so_is_a_wrong_path(client: Caller) -> None:
    empty = client.call(ORDERS, {"createdStartDate": START, "purchaseOrderId": "1"})
    assert (empty.status, code(empty)) == (404, "CONTENT_NOT_FOUND.GMP_ORDER_API")
    wrong = client.call("/v3/order")
    assert (wrong.status, code(wrong)) == (404, "RESOURCE_NOT_FOUND.GMP_GATEWAY_API")
    half = client.call(RETURNS, {"returnCreationStartDate": "2026-05-01T00:00:00Z"})
    assert half.status == 400


def test_returns_tell_every_step_and_what_was_paid(returns: list[dict[str, Any]]) -> None:
    world = small_world()
    true = world.market_returns.filter(pl.col("account") == STORE, pl.col("requested_at") <= NOW)
    rows = {row["return_id"]: row for row in true.iter_rows(named=True)}
    assert {r["returnOrderId"] for r in returns} == rows.keys()
    paid = 0
    for order in returns:
        (line,) = order["returnOrderLines"]
        row = rows[order["returnOrderId"]]
        tags = {event["eventTag"] for event in line["returnTrackingDetail"]}
        assert "RETURN_INITIATED" in tags
        assert ("REFUND_ISSUED" in tags) == (line["refundedQty"] > 0)
        if line["refundedQty"]:
            paid += whole(order["totalRefundAmount"]["currencyAmount"])
            assert row["refund_minor"] + row["refund_tax_minor"] == whole(
                order["totalRefundAmount"]["currencyAmount"]
            )
    assert paid > 0
    kept = [r for r in returns if r["returnOrderLines"][0]["isKeepIt"]]
    assert all(r["returnLineGroups"][0]["labels"] == [] for r in kept)
    reasons = {r["returnOrderLines"][0]["returnReason"] for r in returns}
    assert "WRONG_SIZE/POOR_FIT" in reasons


def test_refunds_stand_in_the_order_as_well_below_zero(orders: list[dict[str, Any]]) -> None:
    lines = [line for order in orders for line in order["orderLines"]["orderLine"]]
    refunded = [line for line in lines if "refund" in line]
    assert refunded
    for line in refunded:
        assert "returnOrderId" in line
        for charge in line["refund"]["refundCharges"]["refundCharge"]:
            assert charge["charge"]["chargeAmount"]["amount"] <= 0


def test_a_return_moves_on_with_the_clock() -> None:
    row = small_world().market_returns.filter(
        pl.col("account") == STORE,
        pl.col("received_at").is_not_null(),
        pl.col("refunded_at") > pl.col("received_at"),
    ).row(0, named=True)  # fmt: skip
    states = []
    for column in ("requested_at", "sent_at", "received_at", "refunded_at"):
        client = caller((row[column] + timedelta(minutes=1)).replace(tzinfo=UTC))
        (found,) = client.get(RETURNS, {"returnOrderId": row["return_id"]})["returnOrders"]
        states.append(found["returnOrderLines"][0]["status"])
    assert states == ["INITIATED", "INITIATED", "DELIVERED", "COMPLETED"]


def test_other_markets_need_their_headers_and_speak_their_own_words(client: Caller) -> None:
    refused = client.call(ORDERS, {"createdStartDate": START}, account=ABROAD)
    assert refused.status == 400  # the store does not sell in America
    canada = client.every_order(account=ABROAD, market="ca")
    currencies = {
        charge["chargeAmount"]["currency"]
        for order in canada
        for line in order["orderLines"]["orderLine"]
        for charge in line["charges"]["charge"]
    }
    assert currencies == {"CAD"}
    assert client.call(RETURNS, account=ABROAD, market="mx").status == 404
    mexico = client.every_return(f"{RETURNS}/cursor", account=ABROAD, market="mx")
    states = {row["returnOrderLines"][0]["status"] for row in mexico}
    assert states <= {"INITIATED", "COMPLETED", "CANCELLED"}


def test_a_token_lives_fifteen_minutes() -> None:
    clock = ManualClock(TODAY)
    client = caller(clock=clock)
    assert client.call(RETURNS).status == 200
    clock.sleep(900)
    ended = client.call(RETURNS)
    assert (ended.status, code(ended)) == (401, "UNAUTHORIZED.GMP_GATEWAY_API")
    assert client.token(secret="wrong").status == 401
    lacking = caller(missing_roles={STORE: frozenset({"returns"})})
    assert lacking.call(RETURNS).status == 403
    assert lacking.call(ORDERS, {"createdStartDate": START}).status == 200


def test_refusals_tell_when_to_come_back_in_several_forms() -> None:
    client = caller(api={"http_429": 1.0})
    names = set()
    for day in range(1, 20):
        response = client.call(ORDERS, {"createdStartDate": f"2026-03-{day:02d}"})
        if response.status == 429:
            names |= {name.lower() for name in response.headers} - {"content-type"}
    assert "x-current-token-count" in names
