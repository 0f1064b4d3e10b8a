"""Reading orders, and what all of eBay's APIs have in common: tokens, quotas, paging, times.

Numbers are those of the acceptance cases in the facts about eBay, section 7.
"""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sources._core.clock import ManualClock
from sources.ebay.orders import MOST_ORDERS
from tests.connectors import ebay_stub as stub
from tests.connectors.ebay_stub import NOW, Asked, Nights, Reply, StubEbay, at

ORDERS = "/sell/fulfillment/v1/order$"


def many(count: int) -> list[stub.Node]:
    return [stub.order(n, orderFulfillmentStatus="NOT_STARTED") for n in range(1, count + 1)]


def test_case_01_a_token_that_dies_in_the_middle_of_paging(tmp_path: Path) -> None:
    shop = StubEbay(orders=many(450))

    def expired(asked: Asked) -> Reply:
        shop.valid_tokens.clear()
        return shop.answer(asked)

    days = (NOW.date() - stub.START).days
    shop.script(ORDERS, *[shop.answer] * 3, expired)
    nights = Nights(tmp_path)
    with shop.running():
        (outcome,) = nights.good(NOW, "orders")
    assert outcome.rows == 450
    offsets = [asked.one.get("offset", "0") for asked in shop.sent(ORDERS)]
    assert offsets == ["0"] * 3 + ["200", "200", "400"] + ["0"] * (days - 3)
    assert len(shop.sent("oauth2/token")) == 3  # seller, application, and the new one


def test_one_token_serves_all_streams_of_a_night(tmp_path: Path) -> None:
    shop = StubEbay(orders=many(3))
    with shop.running():
        Nights(tmp_path).good()
    grants = [asked.form["grant_type"][0] for asked in shop.sent("oauth2/token")]
    assert sorted(grants) == ["client_credentials", "refresh_token"]


def test_case_02_a_void_consent_stops_its_seller_only(tmp_path: Path) -> None:
    gone = stub.account("gone", more_secrets={"refresh_token": "void"})
    nights = Nights(tmp_path, (gone, stub.account()))
    with StubEbay(orders=many(2)).running() as shop:
        outcomes = nights.night()
    lost = [o for o in outcomes if o.account == "gone"]
    assert {o.state for o in lost} == {"failed"}
    assert all("needs a new consent" in str(o.error) for o in lost)
    assert {o.state for o in outcomes if o.account == "brand"} == {"ok"}
    tries = [a for a in shop.sent("oauth2/token") if a.form.get("refresh_token") == ["void"]]
    assert len(tries) == 1


def test_case_03_a_missing_right_stops_what_needs_it_only(tmp_path: Path) -> None:
    shop = StubEbay(orders=many(2))
    denied = stub.refusal(403, 1100, "Insufficient permissions to fulfill the request.")
    shop.script("/return/search", lambda _asked: denied)
    with shop.running():
        outcomes = Nights(tmp_path).night()
    (lost,) = [o for o in outcomes if o.state != "ok"]
    assert lost.stream == "returns"
    assert "lacks the right sell.fulfillment" in str(lost.error)
    assert "consent again" in str(lost.error)


def test_case_05_a_burst_waits_and_goes_on(tmp_path: Path) -> None:
    shop = StubEbay(orders=many(2))
    busy = stub.refusal(429, 2001, "Too many requests.")
    shop.script(ORDERS, *[lambda _asked: busy] * 3)
    clock = ManualClock(NOW)
    with shop.running():
        (outcome,) = Nights(tmp_path).night(NOW, "orders", clock=clock)
    assert (outcome.state, outcome.rows) == ("ok", 2)
    assert [round(s) in (n, n + 1) for s, n in zip(clock.sleeps, (2, 4, 8), strict=True)] == [
        True
    ] * 3


def test_case_05_a_used_up_quota_stops_and_the_next_night_closes_the_gap(tmp_path: Path) -> None:
    shop = StubEbay(orders=many(2))
    day = {
        "limit": 5000,
        "remaining": 4000,
        "reset": "2026-11-20T08:00:00.000Z",
        "timeWindow": 86400,
    }
    shop.quotas["fulfillment"] = [day]
    busy = stub.refusal(429, 2001, "The request limit has been reached for the resource.")

    def used_up(_asked: Asked) -> Reply:
        day["remaining"] = 0
        return busy

    shop.script(ORDERS, shop.answer, used_up)
    nights = Nights(tmp_path)
    with shop.running():
        (stopped,) = nights.night(NOW, "orders")
        before = len(shop.sent(ORDERS))
        (still,) = nights.night(NOW, "orders")
        assert len(shop.sent(ORDERS)) == before
        day["remaining"] = 5000
        (healed,) = nights.night(NOW + timedelta(days=1), "orders")
    assert stopped.state == still.state == "failed"
    assert "5000 requests a day" in str(still.error)
    assert stopped.cursor_after is None
    assert (healed.state, len(nights.landed("orders"))) == ("ok", 2)


def test_case_06_nothing_in_all_its_forms(tmp_path: Path) -> None:
    shop = StubEbay()
    empties = ({}, {"orders": None, "total": 0}, {"orders": []}, {"orders": [None], "offset": None})
    shop.script(ORDERS, *[lambda _asked, body=body: stub.ok(body) for body in empties])
    shop.script(ORDERS, lambda _asked: (204, {}, b""))
    with shop.running():
        outcomes = Nights(tmp_path).good()
    assert sum(o.rows for o in outcomes if o.account == "brand") == 0


def test_an_empty_body_where_there_should_be_one_is_asked_for_again(tmp_path: Path) -> None:
    shop = StubEbay(orders=many(1))
    shop.script(
        ORDERS, lambda _asked: (200, {}, b""), lambda _asked: (200, {}, b'{"orders": [{"or')
    )
    with shop.running():
        assert Nights(tmp_path).good(NOW, "orders")[0].rows == 1


@pytest.mark.parametrize("moved", [1, 199, 200])
def test_case_07_an_order_that_changes_while_paging(tmp_path: Path, moved: int) -> None:
    """It leaves the window, so the next page begins one order too late: read again."""
    shop = StubEbay(orders=many(401))

    def first(asked: Asked) -> Reply:
        reply = shop.answer(asked)
        if int(asked.one.get("offset", 0)) == 0 and json.loads(reply[2])["total"] == 401:
            shop.orders[moved - 1]["lastModifiedDate"] = at(25)
        return reply

    shop.script(ORDERS, *[first] * 20)
    nights = Nights(tmp_path)
    with shop.running():
        nights.good(NOW, "orders")
        nights.good(NOW + timedelta(days=6), "orders")
    assert set(nights.landed("orders")) == {str(n) for n in range(1, 402)}


def test_a_window_with_too_many_orders_is_halved(tmp_path: Path) -> None:
    shop = StubEbay(orders=many(3))

    def crowded(asked: Asked) -> Reply:
        return stub.ok({"orders": [], "total": MOST_ORDERS + 1})

    shop.script(ORDERS, crowded)
    with shop.running():
        assert Nights(tmp_path).good(NOW, "orders")[0].rows == 3
    asked = [stub.bounds(a.one["filter"], "lastmodifieddate") for a in shop.sent(ORDERS)]
    assert asked[1] == (at(10, 0), "2026-11-10T11:59:59.999Z")
    assert asked[2] == (at(10, 12), "2026-11-10T23:59:59.999Z")


def test_case_08_of_next_only_the_offset_is_used(tmp_path: Path) -> None:
    shop = StubEbay(orders=many(205))
    with shop.running():
        Nights(tmp_path).good(NOW, "orders")
    assert {asked.host for asked in shop.asked} == {"api.ebay.com"}


def test_cases_09_10_limits_and_filters_are_those_of_the_api(tmp_path: Path) -> None:
    """The stub asserts limits; both date filters at once would hide changes."""
    shop = StubEbay(orders=many(2))
    with shop.running():
        Nights(tmp_path).good()
    sent = shop.sent(ORDERS)
    assert {asked.one["limit"] for asked in sent} == {"200"}
    assert all(asked.params["filter"][0].startswith("lastmodifieddate:[") for asked in sent)
    assert all(len(asked.params["filter"]) == 1 for asked in sent)


def test_windows_touch_and_do_not_overlap(tmp_path: Path) -> None:
    shop = StubEbay()
    with shop.running():
        Nights(tmp_path).good(NOW, "orders")
    asked = [stub.bounds(a.one["filter"], "lastmodifieddate") for a in shop.sent(ORDERS)]
    assert asked[0][0] == "2026-11-10T00:00:00.000Z"
    assert asked[-1][1] == "2026-11-19T23:59:59.999Z"
    for (_low, high), (low, _high) in itertools.pairwise(asked):
        gap = datetime.fromisoformat(low) - datetime.fromisoformat(high)
        assert gap == timedelta(milliseconds=1)


def test_a_clock_ahead_of_ebays_costs_a_minute_not_the_night(tmp_path: Path) -> None:
    shop = StubEbay(orders=[stub.order(1, lastModifiedDate="2026-11-19T23:59:30.000Z")])
    future = stub.refusal(400, 30850, "Invalid date range")
    shop.script(ORDERS, *[shop.answer] * 9, lambda _asked: future)
    nights = Nights(tmp_path)
    with shop.running():
        (first,) = nights.good(NOW, "orders")
        assert first.cursor_after == NOW - timedelta(minutes=1)
        nights.good(NOW + timedelta(days=1), "orders")
    assert set(nights.landed("orders")) == {"1"}


def test_cancel_requests_come_from_the_order_itself(tmp_path: Path) -> None:
    cancelled = {"cancelState": "CANCELED", "cancelledDate": at(13), "cancelRequests": []}
    shop = StubEbay(orders=[stub.order(1, cancelStatus=cancelled), stub.order(2)])
    shop.cancel_requests["1"] = [{"cancelReason": "BUYER_ASKED_CANCEL", "cancelRequestId": "77"}]
    shop.fulfillments["2"] = [stub.shipment(1, "21")]
    nights = Nights(tmp_path)
    with shop.running():
        nights.good(NOW, "orders")
    rows = nights.landed("orders")
    assert rows["1"]["cancelStatus"]["cancelRequests"][0]["cancelReason"] == "BUYER_ASKED_CANCEL"
    assert rows["2"]["fulfillments"][0]["shipmentTrackingNumber"] == "1Z999"
    assert [asked.path.rsplit("/", 1)[1] for asked in shop.sent(r"/order/\d+$")] == ["1"]


def test_case_12_a_pending_refund_that_is_paid_later_is_one_row(tmp_path: Path) -> None:
    refund = {"refundId": "900", "amount": stub.money("17.10"), "refundStatus": "PENDING"}
    order = stub.order(1)
    order["paymentSummary"]["refunds"] = [refund]
    shop = StubEbay(orders=[order])
    nights = Nights(tmp_path)
    with shop.running():
        nights.good(NOW, "orders")
        refund |= {"refundStatus": "REFUNDED", "refundDate": at(20, 8)}
        order["lastModifiedDate"] = at(20, 8)
        nights.good(NOW + timedelta(days=1), "orders")
    (row,) = nights.landed("orders").values()
    assert row["paymentSummary"]["refunds"] == [{**refund, "amount": stub.money("17.10")}]


def test_case_18_ids_of_any_length_stay_text(tmp_path: Path) -> None:
    long_id = 2**70 + 1
    shop = StubEbay(returns=[stub.returned(long_id, "1", "2")])
    shop.return_details[str(long_id)] = {"itemDetail": {"itemId": long_id}}
    nights = Nights(tmp_path)
    with shop.running():
        nights.good(NOW, "returns")
    (row,) = nights.landed("returns").values()
    assert row["returnId"] == str(long_id)
    assert row["detail"]["itemDetail"]["itemId"] == str(long_id)
    assert row["creationInfo"]["item"]["itemId"] == "110001"


def test_case_28_a_masked_buyer_is_a_buyer_still(tmp_path: Path) -> None:
    """Immutable ids stand where user names were; the same text gives the same key everywhere."""
    orders = [
        stub.order(1, buyer={"username": "IMM*8s7"}),
        stub.order(2, buyer={"username": "imm*8s7"}),
        stub.order(3, buyer={}),
        stub.order(4, buyer=None),
    ]
    shop = StubEbay(orders=orders, returns=[stub.returned(7, "1", "11", buyerLoginName="IMM*8s7")])
    nights = Nights(tmp_path, (stub.account(), stub.account("second")))
    with shop.running():
        nights.good(NOW, "orders", "returns")
    keys = {key: row["customerKey"] for key, row in nights.landed("orders").items()}
    assert keys["1"] == keys["2"] == nights.landed("returns")["7"]["customerKey"]
    assert keys["3"] == keys["4"] == "unknown"
    assert keys == {k: r["customerKey"] for k, r in nights.landed("orders", "second").items()}
    landed = b"".join(path.read_bytes() for path in tmp_path.rglob("*.json"))
    assert b"IMM" not in landed


@pytest.mark.parametrize("night", ["2026-03-08", "2026-03-29", "2026-10-25", "2026-11-01"])
def test_case_30_nights_when_clocks_change_have_their_hours_in_utc(
    tmp_path: Path, night: str
) -> None:
    begin = datetime.fromisoformat(night).replace(tzinfo=UTC)
    times = [begin + timedelta(minutes=30 * n) for n in range(48)]
    orders = [
        stub.order(
            n, lastModifiedDate=f"{t:%Y-%m-%dT%H:%M:%S}.000Z", orderFulfillmentStatus="NOT_STARTED"
        )
        for n, t in enumerate(times, start=1)
    ]
    nights = Nights(tmp_path, (stub.account(start=begin.date()),))
    with StubEbay(orders=orders).running():
        (first,) = nights.good(begin + timedelta(hours=7), "orders")
        (second,) = nights.good(begin + timedelta(days=1), "orders")
    assert (first.rows, second.rows) == (14, 34 + 4)
    assert len(nights.landed("orders")) == 48


def test_nothing_of_a_buyer_but_country_and_state_is_landed(tmp_path: Path) -> None:
    shop = StubEbay(orders=[stub.order(1, buyerCheckoutNotes="ring anna 😀\n at 0170 1234567")])
    nights = Nights(tmp_path)
    with shop.running():
        nights.good(NOW, "orders")
    text = json.dumps(dict(nights.landed("orders")))
    assert "anna" not in text.lower()
    assert "94105" not in text
    assert '"countryCode": "US"' in text
    assert nights.drift("orders") == set()


def test_a_field_that_is_not_known_is_named_and_dropped(tmp_path: Path) -> None:
    shop = StubEbay(orders=[stub.order(1, legacyOrderId="110001-1")])
    shop.orders[0]["lineItems"][0]["properties"] = {"buyerProtection": True}
    nights = Nights(tmp_path)
    with shop.running():
        nights.good(NOW, "orders")
    assert nights.landed("orders")["1"]["legacyOrderId"] == "110001-1"
