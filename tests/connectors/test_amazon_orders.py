"""Amazon, orders by API: cases 8 to 19 of the integration sheet, section 10."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sources._core.errors import RetryLater, StopStream
from sources.amazon.orders import SHORTEST_PART
from sources.amazon.streams import ORDERS_STREAM
from tests.connectors.amazon_stub import (
    NOW,
    Nights,
    Reading,
    Reply,
    Request,
    StubAmazon,
    StubReport,
    account,
    as_json,
    fixture_bytes,
    records,
    refusal,
    tab_file,
)

ORDERS = "GET /orders/2026-01-01/orders"
DAY_BEFORE = NOW - timedelta(days=1)


def order(number: int, status: str = "SHIPPED", **changes: Any) -> dict[str, Any]:
    whole = {
        "orderId": f"302-{number:07d}-0000001",
        "createdTime": "2026-03-18T10:00:00Z",
        "lastUpdatedTime": "2026-03-19T10:00:00Z",
        "salesChannel": {"channelName": "AMAZON", "marketplaceId": "A1PA6795UKMFR9"},
        "fulfillment": {"fulfillmentStatus": status},
        "orderItems": [{"orderItemId": "1", "quantityOrdered": 1, "product": {}}],
    }
    return whole | changes


def page(*orders: dict[str, Any]) -> dict[str, Any]:
    return {"orders": list(orders)}


def test_case_08_pages_have_the_same_parameters_and_frozen_bounds(tmp_path: Path) -> None:
    stub = StubAmazon(order_pages=[page(order(n)) for n in range(4)])
    reading = Reading(tmp_path)
    encoded = []
    with stub.running():
        for found in reading.pages(ORDERS_STREAM, DAY_BEFORE):
            reading.clock.sleep(600)  # time passes between the pages
            encoded.append(found)
    first, *others = [dict(request.params) for request in stub.sent(ORDERS)]
    assert first == {
        "lastUpdatedAfter": "2026-03-19T00:00:00Z",
        "lastUpdatedBefore": "2026-03-19T23:58:00Z",
        "marketplaceIds": "A1PA6795UKMFR9,A13V1IB3VIYZZH",
        "maxResultsPerPage": "100",
        "includedData": "PROCEEDS,CANCELLATION,FULFILLMENT,PACKAGES",
    }
    tokens = [request.pop("paginationToken") for request in others]
    assert tokens == ["page-1", "page-2", "page-3"]
    assert others == [first] * 3
    assert encoded[-1].served_until == NOW - timedelta(minutes=2)


def test_case_08_the_cursor_moves_to_the_bound_that_was_served(tmp_path: Path) -> None:
    stub = StubAmazon(
        order_pages=[{"orders": [order(1)], "lastUpdatedBefore": "2026-03-19T20:00:00Z"}]
    )
    nights = Nights(tmp_path)
    with stub.running():
        nights.night(NOW, "orders")
    assert nights.rows("select cursor_at::text from load.cursor") == [("2026-03-19 20:00:00",)]


def test_case_08_a_run_longer_than_a_page_tokens_life_begins_the_part_again(
    tmp_path: Path,
) -> None:
    stub = StubAmazon(order_pages=[page(order(n)) for n in range(3)])
    reading = Reading(tmp_path, settings=account(order_hours_per_night=20))
    stub.script(ORDERS, refused_token)  # Amazon: its 24 hours are over
    with stub.running():
        landed = records(reading.encoded(ORDERS_STREAM, DAY_BEFORE))
    sent = [request.params for request in stub.sent(ORDERS)]
    bounds = [(params["lastUpdatedAfter"], params["lastUpdatedBefore"]) for params in sent]
    assert bounds[0] == ("2026-03-19T00:00:00Z", "2026-03-19T23:58:00Z")
    assert set(bounds[1:]) == {
        ("2026-03-19T00:00:00Z", "2026-03-19T11:59:00Z"),
        ("2026-03-19T11:59:00Z", "2026-03-19T23:58:00Z"),
    }
    assert "paginationToken" not in stub.sent(ORDERS)[1].params
    assert {found["orderId"] for found in landed} == {order(n)["orderId"] for n in range(3)}


def refused_token(_request: Request) -> Reply:
    return refusal(400, "InvalidInput", "The paginationToken provided is not valid.")


def test_case_08_a_part_that_never_fits_stops_with_advice(tmp_path: Path) -> None:
    stub = StubAmazon()
    stub.script(ORDERS, *[refused_token] * 100)
    with stub.running(), pytest.raises(StopStream, match="order_hours_per_night"):
        Reading(tmp_path).encoded(ORDERS_STREAM, DAY_BEFORE)
    assert stub.count(ORDERS) <= timedelta(days=1) / SHORTEST_PART


def test_case_08_what_the_nights_hours_do_not_reach_waits_for_the_next_night(
    tmp_path: Path,
) -> None:
    stub = StubAmazon()
    reading = Reading(tmp_path, settings=account(order_hours_per_night=1))
    served = []
    with stub.running():
        for found in reading.pages(ORDERS_STREAM, NOW - timedelta(days=19)):
            reading.clock.sleep(1_900)  # two parts of seven days an hour
            served.append(found.served_until)
    assert stub.count(ORDERS) == 2
    assert served[-1] == NOW - timedelta(days=5)
    assert served[:-1] == [None, None]


def test_case_08_a_part_longer_than_the_nights_hours_is_halved_for_the_next_night(
    tmp_path: Path,
) -> None:
    stub = StubAmazon(order_pages=[page(order(n)) for n in range(30)])
    reading = Reading(tmp_path, settings=account(order_hours_per_night=1))
    with stub.running(), pytest.raises(StopStream, match="order_hours_per_night = 1"):
        for _ in reading.pages(ORDERS_STREAM, DAY_BEFORE):
            reading.clock.sleep(600)
    again = Reading(tmp_path, settings=account(order_hours_per_night=20))
    before = stub.count(ORDERS)
    with stub.running():
        again.encoded(ORDERS_STREAM, DAY_BEFORE)
    assert stub.sent(ORDERS)[before].params["lastUpdatedBefore"] == "2026-03-19T11:59:00Z"


def test_case_09_endless_pagination_stops_with_an_error(tmp_path: Path) -> None:
    stub = StubAmazon()

    def same_token(_request: Request) -> Reply:
        return as_json({"orders": [order(1)], "pagination": {"nextToken": "again"}})

    stub.script(ORDERS, *[same_token] * 10)
    nights = Nights(tmp_path)
    with stub.running():
        outcomes = nights.extract(NOW, "orders")
    assert outcomes[0].state == "failed"
    assert "same page token a second time" in str(outcomes[0].error)
    assert stub.count(ORDERS) == 2


def test_case_10_an_empty_page_with_a_token_goes_on(tmp_path: Path) -> None:
    stub = StubAmazon(order_pages=[page(), page(order(1)), page(), page(order(2))])
    with stub.running():
        landed = records(Reading(tmp_path).encoded(ORDERS_STREAM, DAY_BEFORE))
    assert [found["orderId"] for found in landed] == [order(1)["orderId"], order(2)["orderId"]]


def test_case_11_pending_then_shipped_replaces_and_keeps_history(tmp_path: Path) -> None:
    nights = Nights(tmp_path)
    pending = order(1, "PENDING", lastUpdatedTime="2026-03-18T10:00:00Z")
    with StubAmazon(order_pages=[page(pending)]).running():
        nights.night(NOW - timedelta(days=1), "orders")
    bought = {
        "orderItemId": "1",
        "quantityOrdered": 1,
        "product": {
            "sellerSku": "ROMPER-66",
            "price": {"unitPrice": {"amount": "24.99", "currencyCode": "EUR"}},
        },
    }
    with StubAmazon(order_pages=[page(order(1, "SHIPPED", orderItems=[bought]))]).running():
        nights.night(NOW, "orders")
    assert nights.rows(
        "select fulfillment.fulfillmentStatus, orderItems[1].product.sellerSku "
        "from raw_amazon.orders"
    ) == [("SHIPPED", "ROMPER-66")]
    assert nights.rows(
        "select fulfillment.fulfillmentStatus, orderItems[1].product.sellerSku "
        "from raw_amazon.orders__history"
    ) == [("PENDING", None)]


def test_case_12_equal_times_at_the_windows_edge_lose_and_repeat_nothing(tmp_path: Path) -> None:
    edge = (NOW - timedelta(days=1, minutes=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    stored = [order(n, lastUpdatedTime=edge) for n in range(250)]
    visible: list[dict[str, Any]] = stored[:100]

    def serve(request: Request) -> Reply:
        after, before = request.params["lastUpdatedAfter"], request.params["lastUpdatedBefore"]
        found = [o for o in visible if after <= o["lastUpdatedTime"] <= before]
        start = int(request.params.get("paginationToken", "0"))
        more = {"pagination": {"nextToken": str(start + 100)}} if start + 100 < len(found) else {}
        return as_json({"orders": found[start : start + 100], "lastUpdatedBefore": before, **more})

    stub = StubAmazon()
    stub.script(ORDERS, *[serve] * 50)
    nights = Nights(tmp_path)
    with stub.running():
        nights.night(NOW - timedelta(days=1), "orders")
        visible = stored  # the rest of that second became visible after the first night
        nights.night(NOW, "orders")
    counted = "select count(*), count(distinct orderId) from raw_amazon.orders"
    assert nights.rows(counted) == [(250, 250)]
    assert nights.rows("select count(*) from raw_amazon.orders__history") == [(0,)]


def test_case_13_cancelled_after_shipping_keeps_quantities_and_who_cancelled(
    tmp_path: Path,
) -> None:
    item = {
        "orderItemId": "1",
        "quantityOrdered": 2,
        "product": {"sellerSku": "A"},
        "fulfillment": {"quantityFulfilled": 0, "quantityUnfulfilled": 0},
        "cancellation": {
            "cancellationRequest": {"requester": "BUYER", "cancelReason": "Ordered by mistake"},
            "cancellationExecution": {"cancelledBy": "MERCHANT"},
        },
    }
    stub = StubAmazon(order_pages=[page(order(1, "CANCELLED", orderItems=[item]))])
    with stub.running():
        landed = records(Reading(tmp_path).encoded(ORDERS_STREAM, DAY_BEFORE))[0]
    assert landed["fulfillment"] == {"fulfillmentStatus": "CANCELLED"}
    assert landed["orderItems"][0]["fulfillment"]["quantityFulfilled"] == 0
    assert landed["orderItems"][0]["cancellation"] == item["cancellation"]


@pytest.mark.parametrize("kind", ["REPLACEMENT_ORIGINAL_ID", "EXCHANGE_ORIGINAL_ID"])
def test_case_14_replacements_and_exchanges_keep_the_link_to_the_original(
    tmp_path: Path, kind: str
) -> None:
    link = [{"orderId": "302-0000009-0000001", "associationType": kind}]
    stub = StubAmazon(order_pages=[page(order(1, associatedOrders=link))])
    with stub.running():
        landed = records(Reading(tmp_path).encoded(ORDERS_STREAM, DAY_BEFORE))
    assert landed[0]["associatedOrders"] == link


def test_case_15_unknown_words_are_kept_and_new_fields_are_named(tmp_path: Path) -> None:
    strange = order(
        1,
        "TELEPORTED",
        programs=["AMAZON_MOON"],
        salesChannel={"channelName": "AMAZON", "marketplaceId": "AXXXXXXXXXXX"},
        packages=[{"packageReferenceId": "1", "packageStatus": {"status": "ORBITING"}}],
        deliveryDrone={"number": 7},
    )
    nights = Nights(tmp_path)
    with StubAmazon(order_pages=[page(strange)]).running():
        nights.night(NOW, "orders")
    assert nights.rows(
        "select fulfillment.fulfillmentStatus, programs[1], packages[1].packageStatus.status, "
        "salesChannel.marketplaceId from raw_amazon.orders"
    ) == [("TELEPORTED", "AMAZON_MOON", "ORBITING", "AXXXXXXXXXXX")]
    assert nights.rows("select field, drift_kind from load.drift") == [("deliveryDrone", "added")]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"currencyCode": "JPY"}, {"currencyCode": "JPY"}),
        ({"amount": None, "currencyCode": "JPY"}, {"currencyCode": "JPY"}),
        ({"amount": "", "currencyCode": "JPY"}, {"amount": "", "currencyCode": "JPY"}),
        ({"amount": "19940", "currencyCode": "JPY"}, {"amount": "19940", "currencyCode": "JPY"}),
        ({"amount": "0.10", "currencyCode": "EUR"}, {"amount": "0.10", "currencyCode": "EUR"}),
    ],
)
def test_case_16_amounts_stay_the_text_that_came(
    tmp_path: Path, given: dict[str, Any], kept: dict[str, Any]
) -> None:
    stub = StubAmazon(order_pages=[page(order(1, proceeds={"grandTotal": given}))])
    with stub.running():
        landed = records(Reading(tmp_path).encoded(ORDERS_STREAM, DAY_BEFORE))
    assert landed[0]["proceeds"]["grandTotal"] == kept


def test_case_16_numbers_where_text_is_promised_do_not_become_floats(tmp_path: Path) -> None:
    body = json.dumps(page(order(1, proceeds={"grandTotal": {"amount": 0}})))
    exact = body.replace('"amount": 0', '"amount": 1234567890123456.10').encode()
    weight = {"unit": "KILOGRAMS", "value": 0}
    item = {"orderItemId": "1", "quantityOrdered": 1, "product": {}, "measurement": weight}
    weighed = json.dumps(page(order(2, orderItems=[item]))).replace('"value": 0', '"value": 0.30')
    stub = StubAmazon()
    stub.script(ORDERS, lambda _request: (200, {}, exact))
    stub.script(ORDERS, lambda _request: (200, {}, weighed.encode()))
    with stub.running():
        first = records(Reading(tmp_path).encoded(ORDERS_STREAM, DAY_BEFORE))
        second = records(Reading(tmp_path).encoded(ORDERS_STREAM, DAY_BEFORE))
    assert first[0]["proceeds"]["grandTotal"]["amount"] == "1234567890123456.10"
    assert str(second[0]["orderItems"][0]["measurement"]["value"]) == "0.30"


def test_case_17_a_sales_channel_without_marketplace(tmp_path: Path) -> None:
    stub = StubAmazon(order_pages=[page(order(1, salesChannel={"channelName": "NON_AMAZON"}))])
    with stub.running():
        landed = records(Reading(tmp_path).encoded(ORDERS_STREAM, DAY_BEFORE))
    assert landed[0]["salesChannel"] == {"channelName": "NON_AMAZON"}


def test_case_18_a_refused_seller_does_not_hold_up_the_others(tmp_path: Path) -> None:
    stub = StubAmazon(order_pages=[page(order(1))])
    refused_id = "ATVPDKIKX0DER"

    def by_seller(request: Request) -> Reply:
        if request.params["marketplaceIds"] == refused_id:
            return refusal(403, "Unauthorized", "Access to requested resource is denied.")
        return as_json(page(order(1)))

    stub.script(ORDERS, *[by_seller] * 9)  # both accounts ask side by side, in any order
    nights = Nights(tmp_path, (account(name="us", marketplaces=("US",)), account()))
    with stub.running():
        us, shop = nights.extract(NOW, "orders")
    assert (us.state, shop.state, shop.rows) == ("failed", "ok", 1)
    assert "lacks the role" in str(us.error)
    assert "check-config" in str(us.error)


def test_case_18_a_passing_refusal_of_included_data_is_tried_again(tmp_path: Path) -> None:
    stub = StubAmazon(order_pages=[page(order(1))])
    stub.script(ORDERS, *[lambda _r: refusal(400, "InvalidInput", "Invalid includedData")] * 2)
    with stub.running():
        assert len(records(Reading(tmp_path).encoded(ORDERS_STREAM, DAY_BEFORE))) == 1
    stub.script(ORDERS, *[lambda _r: refusal(400, "InvalidInput", "Invalid includedData")] * 20)
    with stub.running(), pytest.raises(RetryLater, match="includedData"):
        Reading(tmp_path).encoded(ORDERS_STREAM, DAY_BEFORE)


def test_case_18_any_other_400_says_what_amazon_said(tmp_path: Path) -> None:
    stub = StubAmazon()
    stub.script(ORDERS, lambda _r: refusal(400, "InvalidInput", "marketplaceIds is wrong"))
    with stub.running(), pytest.raises(StopStream, match="marketplaceIds is wrong"):
        Reading(tmp_path).encoded(ORDERS_STREAM, DAY_BEFORE)


def test_case_19_report_and_api_may_each_know_orders_that_the_other_lacks(
    tmp_path: Path,
) -> None:
    columns = ("amazon-order-id", "last-updated-date", "sku", "quantity")
    only_report = ("302-0000002-0000001", "2026-03-19T10:00:00+00:00", "A", "1")

    def fill(report: StubReport) -> None:
        report.content = tab_file(columns, only_report)

    stub = StubAmazon(order_pages=[page(order(1))], new_report=fill)
    nights = Nights(tmp_path)
    with stub.running():
        nights.night(NOW, "orders", "all_orders")
    assert nights.rows("select orderId from raw_amazon.orders") == [(order(1)["orderId"],)]
    assert nights.rows("select amazon_order_id from raw_amazon.all_orders") == [(only_report[0],)]


def test_buyers_are_never_asked_for_and_recipients_only_by_setting(tmp_path: Path) -> None:
    stub = StubAmazon(
        order_pages=[
            page(
                order(
                    1,
                    recipient={
                        "deliveryAddress": {
                            "city": "Leipzig",
                            "stateOrRegion": "SN",
                            "countryCode": "DE",
                            "postalCode": "04109",
                        }
                    },
                )
            )
        ]
    )
    reading = Reading(tmp_path, settings=account(include_recipient=True))
    with stub.running():
        encoded = reading.encoded(ORDERS_STREAM, DAY_BEFORE)
    assert "BUYER" not in stub.sent(ORDERS)[0].params["includedData"]
    assert "RECIPIENT" in stub.sent(ORDERS)[0].params["includedData"]
    address = {"city": "Leipzig", "stateOrRegion": "SN", "countryCode": "DE"}
    assert records(encoded)[0]["recipient"] == {"deliveryAddress": address}
    assert encoded[0].drift == set(), "a postcode is left out on purpose, not unknown"


def test_the_example_page_is_landed_whole(tmp_path: Path) -> None:
    stub = StubAmazon()
    stub.script(ORDERS, lambda _request: (200, {}, fixture_bytes("orders_page.json")))
    with stub.running():
        encoded = Reading(tmp_path).encoded(ORDERS_STREAM, datetime(2026, 3, 19, tzinfo=UTC))
    first, second = records(encoded)
    assert first["_key"] == "302-1000001-0000001"
    assert first["_version"] == "2026-03-02T10:00:00Z"
    assert first["orderItems"][0]["product"]["serialNumbers"] == ["SN-0001"]
    assert second["packages"][0]["trackingNumber"] == "00340000000000000001"
    assert encoded[0].drift == set()
