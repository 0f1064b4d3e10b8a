"""Orders API of the Amazon sandbox: parameter rules, pages, what an order shows when."""

from __future__ import annotations

from itertools import chain
from typing import Any

import pytest

from sources._core.clock import ManualClock
from tests.connectors.sandbox_small_world import (
    BRITAIN,
    GERMANY,
    JAPAN,
    ORDERS,
    PERSONAL,
    TODAY,
    Caller,
    caller,
    content_of,
    error_of,
)

SINCE = "2026-05-01T00:00:00Z"
ALL_DATA = "PROCEEDS,PROMOTION,CANCELLATION,FULFILLMENT,PACKAGES,PAYMENT,RECIPIENT,BUYER"


def by_id(one: Caller, **query: str) -> dict[str, dict[str, Any]]:
    answer = content_of(one.get(ORDERS, **{"lastUpdatedAfter": SINCE, **query}))
    return {order["orderId"]: order for order in answer["orders"]}


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"createdAfter": SINCE, "lastUpdatedAfter": SINCE},
        {"createdAfter": SINCE, "lastUpdatedBefore": "2026-05-02T00:00:00Z"},
        {"lastUpdatedAfter": SINCE, "createdBefore": "2026-05-02T00:00:00Z"},
        {"lastUpdatedAfter": "2026-05-01"},
        {"lastUpdatedAfter": "2026-05-01T00:00:00+09:00"},
        {"lastUpdatedAfter": "TEST_CASE_400"},
        {"lastUpdatedAfter": SINCE, "lastUpdatedBefore": "2026-04-30T00:00:00Z"},
        {"lastUpdatedAfter": SINCE, "lastUpdatedBefore": "2026-05-31T23:58:01Z"},
        {"lastUpdatedAfter": SINCE, "maxResultsPerPage": "0"},
        {"lastUpdatedAfter": SINCE, "maxResultsPerPage": "101"},
        {"lastUpdatedAfter": SINCE, "maxResultsPerPage": "many"},
        {"lastUpdatedAfter": SINCE, "fulfillmentStatuses": "Shipped"},
        {"lastUpdatedAfter": SINCE, "fulfilledBy": "AFN"},
        {"lastUpdatedAfter": SINCE, "includedData": "PROCEEDS,EVERYTHING"},
        {"lastUpdatedAfter": SINCE, "marketplaceIds": "A1PA6795UKMFR9,,"},
        {"lastUpdatedAfter": SINCE, "marketplaceIds": "NOWHERE"},
        {"lastUpdatedAfter": SINCE, "marketplaceIds": ",".join([GERMANY] * 51)},
        {"lastUpdatedAfter": SINCE, "paginationToken": "abc"},
    ],
)
def test_a_broken_parameter_rule_is_invalid_input(query: dict[str, str]) -> None:
    assert error_of(caller().get(ORDERS, **query)) == (400, "InvalidInput")


def test_a_marketplace_that_the_seller_does_not_serve_is_forbidden() -> None:
    response = caller().get(ORDERS, lastUpdatedAfter=SINCE, marketplaceIds=JAPAN)
    assert error_of(response) == (403, "Unauthorized")


def test_bounds_are_inclusive_and_the_one_served_is_told() -> None:
    one = caller()
    answer = content_of(one.get(ORDERS, lastUpdatedAfter="2026-05-11T08:00:00Z"))
    assert [o["orderId"][-1] for o in answer["orders"]] == ["1", "2", "3"]
    assert answer["lastUpdatedBefore"] == "2026-05-31T23:58:00Z"
    assert "pagination" not in answer
    bounds = {"createdAfter": "2026-05-10T10:00:01Z", "createdBefore": "2026-05-11T10:00:00Z"}
    answer = content_of(one.get(ORDERS, **bounds))
    assert [o["orderId"][-1] for o in answer["orders"]] == ["2"]
    assert answer["createdBefore"] == "2026-05-11T10:00:00Z"


def test_filters_narrow_the_search() -> None:
    one = caller()
    assert set(by_id(one, marketplaceIds=BRITAIN)) == {"305-0000002-0000002"}
    assert set(by_id(one, fulfilledBy="MERCHANT")) == {"305-0000002-0000002"}
    assert set(by_id(one, fulfillmentStatuses="PENDING,CANCELLED")) == {"305-0000003-0000003"}
    assert by_id(caller("amz_jp")).keys() == {"250-0000004-0000004"}


def pages(one: Caller, **query: str) -> list[list[str]]:
    found: list[list[str]] = []
    token: dict[str, str] = {}
    while True:
        answer = content_of(one.get(ORDERS, **query, **token))
        found.append([order["orderId"] for order in answer["orders"]])
        if "pagination" not in answer:
            return found
        token = {"paginationToken": answer["pagination"]["nextToken"]}


def test_pages_hold_every_order_once_and_some_searches_begin_with_an_empty_one() -> None:
    one = caller()
    shapes = set()
    for day in range(1, 10):
        found = pages(one, lastUpdatedAfter=f"2026-05-0{day}T00:00:00Z", maxResultsPerPage="1")
        assert sorted(chain.from_iterable(found)) == [
            "305-0000001-0000001",
            "305-0000002-0000002",
            "305-0000003-0000003",
        ]
        shapes.add(len(found))
    assert shapes <= {3, 4}


def test_a_page_token_is_good_for_the_same_search_and_a_day() -> None:
    one = caller()
    query = {"createdAfter": "2026-05-02T00:00:00Z", "maxResultsPerPage": "1"}
    token = content_of(one.get(ORDERS, **query))["pagination"]["nextToken"]
    other = {**query, "createdAfter": SINCE, "paginationToken": token}
    assert error_of(one.get(ORDERS, **other)) == (400, "InvalidInput")
    wider = {**query, "maxResultsPerPage": "100", "includedData": "PROCEEDS"}
    answer = one.get(ORDERS, **wider, paginationToken=token)
    assert answer.status == 200
    assert content_of(answer)["createdBefore"] == "2026-05-31T23:58:00Z"
    one.clock.sleep(24 * 3600 + 1)
    one.log_in()
    assert error_of(one.get(ORDERS, **query, paginationToken=token)) == (400, "InvalidInput")


def test_an_order_shows_only_what_was_asked_for() -> None:
    order = by_id(caller())["305-0000001-0000001"]
    assert set(order) == {
        "orderId",
        "createdTime",
        "lastUpdatedTime",
        "programs",
        "associatedOrders",
        "salesChannel",
        "orderItems",
    }
    assert set(order["orderItems"][0]) == {"orderItemId", "quantityOrdered", "product"}


def test_units_money_and_cancellation_of_an_order() -> None:
    order = by_id(caller(), includedData=ALL_DATA)["305-0000001-0000001"]
    item = order["orderItems"][0]
    assert item["quantityOrdered"] == 3
    assert item["fulfillment"] == {"quantityFulfilled": 2, "quantityUnfulfilled": 0}
    assert item["cancellation"]["cancellationExecution"]["cancelledBy"] == "BUYER"
    assert item["product"]["price"]["unitPrice"] == {"amount": "11.71", "currencyCode": "EUR"}
    parts = {b["type"]: b["subtotal"]["amount"] for b in item["proceeds"]["breakdowns"]}
    assert parts == {"ITEM": "30.00", "SHIPPING": "3.00", "TAX": "5.51", "DISCOUNT": "-4.00"}
    assert item["proceeds"]["proceedsTotal"]["amount"] == "34.51"
    assert item["product"]["title"] == 'Wärmer 24" "Öko"'


def test_a_replacement_points_to_its_original_and_has_its_parcel() -> None:
    order = by_id(caller(), includedData=ALL_DATA)["305-0000002-0000002"]
    assert order["associatedOrders"] == [
        {"orderId": "305-0000001-0000001", "associationType": "REPLACEMENT_ORIGINAL_ID"}
    ]
    package = order["packages"][0]
    assert package["shipTime"] == "2026-05-12T08:00:00Z"
    assert package["packageItems"] == [{"orderItemId": "12345678900001", "quantity": 1}]


def test_a_pending_order_tells_neither_article_nor_price() -> None:
    order = by_id(caller(), includedData=ALL_DATA)["305-0000003-0000003"]
    assert order["fulfillment"]["fulfillmentStatus"] == "PENDING"
    assert set(order["orderItems"][0]["product"]) == {"condition"}
    assert "proceeds" not in order
    assert "proceeds" not in order["orderItems"][0]


def test_the_answer_is_as_of_the_clock() -> None:
    clock = ManualClock(TODAY.replace(month=5, day=10, hour=10, minute=30))
    order = by_id(caller(clock=clock), includedData="FULFILLMENT")["305-0000001-0000001"]
    assert order["lastUpdatedTime"] == "2026-05-10T10:00:00Z"
    assert order["fulfillment"]["fulfillmentStatus"] == "PENDING"
    assert order["orderItems"][0]["fulfillment"]["quantityUnfulfilled"] == 3


def test_yen_have_no_decimals() -> None:
    order = by_id(caller("amz_jp"), includedData="PROCEEDS")["250-0000004-0000004"]
    assert order["proceeds"]["grandTotal"] == {"amount": "2718", "currencyCode": "JPY"}


def test_personal_data_needs_the_restricted_role() -> None:
    plain = caller().get(ORDERS, lastUpdatedAfter=SINCE, includedData=ALL_DATA).body.decode()
    assert not [mark for mark in PERSONAL if mark in plain]
    assert '"city":"Berlin"' in plain
    planted = caller(with_personal_data=True).get(ORDERS, lastUpdatedAfter=SINCE).body.decode()
    assert not [mark for mark in ("Markerfrau", "@buyer.example", "TESTWEG") if mark not in planted]


def test_one_order_by_id() -> None:
    one = caller()
    order = content_of(one.get(f"{ORDERS}/305-0000002-0000002", includedData="FULFILLMENT"))
    assert order["order"]["fulfillment"]["fulfilledBy"] == "MERCHANT"
    assert error_of(one.get(f"{ORDERS}/250-0000004-0000004")) == (404, "NotFound")
    future = caller(clock=ManualClock(TODAY.replace(month=5, day=10)))
    assert future.get(f"{ORDERS}/305-0000001-0000001").status == 404


def drift(change: str, name: str) -> list[dict[str, str]]:
    return [
        {"kind": "schema_drift", "connector": "amazon", "stream": "orders"}
        | {"change": change, "field": name}
    ]


@pytest.mark.parametrize(
    ("change", "name", "expected"),
    [
        ("add", "loyaltyTier", '"loyaltyTier":"new"'),
        ("rename", "salesChannel", '"salesChannelV2":{'),
        ("type", "orderItems.quantityOrdered", '"quantityOrdered":"3"'),
        ("type", "createdTime", '"createdTime":{"value":'),
    ],
)
def test_a_planted_change_of_shape_is_in_the_answer(change: str, name: str, expected: str) -> None:
    one = caller(faults=drift(change, name))
    assert expected in one.get(ORDERS, lastUpdatedAfter=SINCE).body.decode()


def test_a_dropped_member_is_gone() -> None:
    assert "programs" not in by_id(caller(faults=drift("drop", "programs")))["305-0000001-0000001"]


def test_an_order_given_twice_and_pages_in_no_order() -> None:
    twice = content_of(caller(api={"duplicate_record": 1.0}).get(ORDERS, lastUpdatedAfter=SINCE))[
        "orders"
    ]
    assert len(twice) == 4
    assert len({order["orderId"] for order in twice}) == 3
    mixed = by_id(caller(api={"out_of_order": 1.0}))
    assert len(mixed) == 3
