"""Reading orders, refunds and returns of a shop whose API behaves as APIs do.

Numbers are those of the test cases in the facts about Shopify, section 7.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sources._core.clock import ManualClock
from sources._core.landing import all_landed_files
from tests.connectors import shopify_stub as stub
from tests.connectors.shopify_stub import NOW, Asked, Nights, Reply, StubShop, gid


def many(count: int, **values: Any) -> list[stub.Node]:
    return [stub.order(n, **values) for n in range(1, count + 1)]


def refuse(code: str, *path: str | int, **more: Any) -> stub.Handler:
    return lambda _asked: stub.envelope(data=None, errors=stub.errors(code, *path), **more)


def reasons(nights: Nights, stream: str) -> set[tuple[str, int]]:
    manifests = [f.manifest for f in all_landed_files(nights.landing)]
    return {(r.reason, r.count) for m in manifests if m.stream == stream for r in m.rejects}


def test_case_01_throttled_in_the_middle_of_paging_waits_and_goes_on(tmp_path: Path) -> None:
    shop = StubShop(orders=many(25))
    shop.script("OrdersWindow", shop.answer, refuse("THROTTLED", available=-150.0))
    nights, clock = Nights(tmp_path), ManualClock(NOW)
    with shop.running():
        outcomes = nights.extract(NOW, "orders", clock=clock)
    assert [(o.state, o.rows) for o in outcomes] == [("ok", 25)]
    assert any(2.0 <= seconds <= 2.5 for seconds in clock.sleeps)  # (50 + 150) / 100 a second


def test_a_query_waits_until_the_bucket_holds_what_it_cost_the_last_time(tmp_path: Path) -> None:
    shop = StubShop(orders=many(25))

    def nearly_empty(asked: Asked) -> Reply:
        status, headers, body = shop.answer(asked)
        content = json.loads(body)
        content["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"] = 10.0
        return status, headers, json.dumps(content).encode()

    shop.script("OrdersWindow", nearly_empty)
    clock = ManualClock(NOW)
    with shop.running():
        Nights(tmp_path).extract(NOW, "orders", clock=clock)
    assert clock.sleeps == [pytest.approx(0.4)]  # (50 - 10) / 100 a second


def test_a_query_that_costs_too_much_is_asked_for_in_smaller_pieces(tmp_path: Path) -> None:
    shop = StubShop(orders=many(3, fulfillments=[stub.shipment(n, (1, 1)) for n in (1, 2, 3)]))
    shop.script("OrdersWindow", refuse("MAX_COST_EXCEEDED"), refuse("MAX_COST_EXCEEDED"))
    nights = Nights(tmp_path)
    with shop.running():
        assert nights.extract(NOW, "orders")[0].rows == 3
    assert shop.sent("OrdersWindow")[-1].variables["first"] == 2
    assert {len(row["fulfillments"]) for row in nights.landed("orders").values()} == {3}


@pytest.mark.parametrize("count", [25_000, 25_001])
def test_case_04_a_window_too_dense_to_page_ends(tmp_path: Path, count: int) -> None:
    """Either the cursor is given twice, or more orders changed in a second than can be paged."""
    shop = StubShop(orders=many(25), count=count)
    with_same_cursor = shop.answer

    def stuck(asked: Asked) -> Reply:
        return with_same_cursor(
            Asked(asked.operation, {**asked.variables, "after": None}, "", asked.query)
        )

    shop.script("OrdersWindow", *[stuck] * 5)
    with shop.running():
        (outcome,) = Nights(tmp_path).extract(NOW, "orders")
    assert outcome.state == "failed"
    assert "paged" in str(outcome.error) or "never end" in str(outcome.error)
    assert outcome.cursor_after is None


def test_a_window_with_too_many_orders_is_halved(tmp_path: Path) -> None:
    days = [f"2026-03-{day}T10:00:00Z" for day in range(11, 19)]
    shop = StubShop(orders=[stub.order(n, updatedAt=at) for n, at in enumerate(days, start=1)])

    def too_many(asked: Asked) -> Reply:
        count = {"count": 25_001, "precision": "AT_LEAST"}
        return stub.envelope(data={"ordersCount": count})

    shop.script("OrdersCount", too_many)
    with shop.running():
        assert Nights(tmp_path).extract(NOW, "orders")[0].rows == len(days)
    assert len({asked.variables["q"] for asked in shop.sent("OrdersWindow")}) == 2


def test_case_07_an_empty_page_is_not_the_end(tmp_path: Path) -> None:
    shop = StubShop(orders=many(3))

    def empty(_asked: Asked) -> Reply:
        info = {"hasNextPage": True, "endCursor": "0"}
        return stub.envelope(data={"orders": {"nodes": [], "pageInfo": info}})

    shop.script("OrdersWindow", empty)
    with shop.running():
        assert Nights(tmp_path).extract(NOW, "orders")[0].rows == 3


def test_case_08_nulls_where_objects_are_expected(tmp_path: Path) -> None:
    bare = stub.line(1, None, product=None, variant=None)
    shop = StubShop(orders=[stub.order(1, bare, customer=None, shippingAddress=None)])
    whole = shop.answer

    def with_nulls(asked: Asked) -> Reply:
        status, headers, body = whole(asked)
        content = json.loads(body)
        orders = content["data"]["orders"]["nodes"]
        orders[0]["lineItems"]["nodes"].append(None)
        content["data"]["orders"] = {
            "edges": [None, {"node": None}, {"node": orders[0]}],
            "pageInfo": {"hasNextPage": False, "endCursor": None},
        }
        return status, headers, json.dumps(content).encode()

    shop.script("OrdersWindow", with_nulls)
    nights = Nights(tmp_path)
    with shop.running():
        nights.extract(NOW, "orders")
    (row,) = nights.landed("orders").values()
    assert row["customerKey"] == "unknown"
    assert len(row["lineItems"]) == 1
    assert "sku" not in row["lineItems"][0]


def test_case_09_each_refund_is_paged_by_its_own_id(tmp_path: Path) -> None:
    lines = [stub.refund_line(n) for n in range(1, 121)]
    shop = StubShop(orders=many(1))
    shop.refunds = {
        gid("Refund", 1): stub.refund(1, 1, stub.refund_line(500), paid="20.00"),
        gid("Refund", 2): stub.refund(2, 1, *lines, paid="2400.00"),
    }
    nights = Nights(tmp_path)
    with shop.running():
        nights.extract(NOW, "refunds")
    landed = nights.landed("refunds")
    found = {row["id"]: len(row["refundLineItems"]) for row in landed.values()}
    assert found == {gid("Refund", 1): 1, gid("Refund", 2): 120}
    asked = [a.variables for a in shop.sent("RefundFull") if a.variables.get("linesAfter")]
    assert {variables["id"] for variables in asked} == {gid("Refund", 2)}


def test_case_10_a_refund_of_today_on_an_order_of_last_year(tmp_path: Path) -> None:
    old = {"createdAt": "2025-01-05T10:00:00Z", "processedAt": "2025-01-05T10:00:00Z"}
    shop = StubShop(orders=[stub.order(1, updatedAt="2026-03-16T10:00:00Z", **old)])
    shop.refunds = {gid("Refund", 1): stub.refund(1, 1, stub.refund_line(1), paid="20.00")}
    nights = Nights(tmp_path)
    with shop.running():
        nights.extract(NOW, "refunds")
    assert list(nights.landed("refunds")) == [gid("Refund", 1)]


def test_case_13_a_window_without_orders_moves_the_cursor_to_its_end(tmp_path: Path) -> None:
    with StubShop().running():
        outcomes = Nights(tmp_path).extract(NOW)
    assert {o.cursor_after for o in outcomes if o.account == "brand"} == {NOW}


def test_case_14_a_change_after_the_runs_start_waits_for_the_next_night(tmp_path: Path) -> None:
    """A clock ahead of ours, or an index that finds too much: never a cursor beyond the start."""
    ahead = stub.order(1, updatedAt="2026-03-20T00:00:05Z")
    shop, nights = StubShop(orders=[ahead]), Nights(tmp_path)
    shop._found = lambda _q: shop.orders  # type: ignore[method-assign]
    with shop.running():
        (outcome,) = nights.extract(NOW, "orders")
        assert (outcome.rows, outcome.cursor_after) == (0, NOW)
        nights.load()
        assert nights.extract(NOW + timedelta(days=1), "orders")[0].rows == 1


def test_case_15_a_token_that_runs_out_is_renewed_and_the_page_repeated(tmp_path: Path) -> None:
    shop = StubShop(orders=many(25))
    shop.script("OrdersWindow", shop.answer, lambda _asked: (401, {}, b'{"errors":"expired"}'))
    with shop.running():
        assert Nights(tmp_path).extract(NOW, "orders")[0].rows == 25
    assert shop.tokens == 2
    first, refused, again, *_ = shop.sent("OrdersWindow")
    assert refused.variables == again.variables != first.variables
    assert (refused.token, again.token) == ("shpat_1", "shpat_2")


def test_a_token_is_renewed_before_it_ends(tmp_path: Path) -> None:
    shop, clock = StubShop(), ManualClock(NOW)
    settings = stub.account()
    with shop.running():
        client = stub.CONNECTOR.open(settings, clock)
        client.ask("Preflight")
        clock.sleep(0.79 * 86_399)
        client.ask("Preflight")
        assert shop.tokens == 1
        clock.sleep(0.02 * 86_399)
        client.ask("Preflight")
    assert shop.tokens == 2


def test_case_16_a_denied_field_is_named_and_the_page_is_used(tmp_path: Path) -> None:
    shop = StubShop(orders=many(2))
    denied = stub.errors(
        "ACCESS_DENIED", "orders", "nodes", 0, "customer", message="read_customers"
    )
    shop.script("OrdersWindow", lambda asked: shop.answer(asked, errors=denied))
    nights = Nights(tmp_path)
    with shop.running():
        assert nights.extract(NOW, "orders")[0].rows == 2
    rejects = [
        (r.reason, r.count, r.example_ref)
        for f in all_landed_files(nights.landing)
        for r in f.manifest.rejects
    ]
    assert rejects == [("field_denied", 0, "orders.nodes.customer")]


def test_an_order_lost_to_a_denied_field_is_counted(tmp_path: Path) -> None:
    shop = StubShop(orders=many(2))

    def first_lost(asked: Asked) -> Reply:
        status, headers, body = shop.answer(
            asked, errors=stub.errors("ACCESS_DENIED", "orders", "nodes", 0)
        )
        content = json.loads(body)
        content["data"]["orders"]["nodes"][0] = None
        return status, headers, json.dumps(content).encode()

    shop.script("OrdersWindow", first_lost)
    nights = Nights(tmp_path)
    with shop.running():
        assert nights.extract(NOW, "orders")[0].rows == 1
    assert ("record_denied", 1) in reasons(nights, "orders")


def test_case_17_no_status_is_asked_for_so_all_come(tmp_path: Path) -> None:
    """No default of the filter is documented; what is sent says nothing about it."""
    closed = {"closedAt": "2026-03-15T10:00:00Z"}
    cancelled = {"cancelledAt": "2026-03-15T10:00:00Z", "cancelReason": "CUSTOMER"}
    shop = StubShop(orders=[stub.order(1, **closed), stub.order(2, **cancelled), stub.order(3)])
    nights = Nights(tmp_path)
    with shop.running():
        nights.extract(NOW, "orders")
    assert len(nights.landed("orders")) == 3
    assert all("sortKey: UPDATED_AT" in asked.query for asked in shop.sent("OrdersWindow"))
    assert all("status:" not in asked.variables["q"] for asked in shop.sent("OrdersWindow"))


def test_case_19_the_same_window_twice_gives_the_same_tables(tmp_path: Path) -> None:
    shop = StubShop(orders=many(3, returnStatus="IN_PROGRESS"))
    shop.refunds = {gid("Refund", 1): stub.refund(1, 1, stub.refund_line(1), paid="20.00")}
    shop.returns = {gid("Order", 2): [stub.returned(2, stub.return_line(2, 2))]}
    nights = Nights(tmp_path)
    tables = ("orders", "refunds", "returns")
    with shop.running():
        nights.night()
        before = {t: nights.rows(f"select * from raw_shopify.{t} order by _key") for t in tables}
        nights.night(NOW + timedelta(hours=1))
    after = {t: nights.rows(f"select * from raw_shopify.{t} order by _key") for t in tables}
    assert after == before
    assert [len(rows) for rows in before.values()] == [3, 1, 1]


def test_case_20_two_shops_with_the_same_numbers(tmp_path: Path) -> None:
    nights = Nights(tmp_path, (stub.account("one"), stub.account("two")))
    with StubShop(orders=many(1)).running():
        nights.night(NOW, "orders")
    found = nights.rows("select _account, id, customerKey from raw_shopify.orders order by 1")
    assert [row[:2] for row in found] == [("one", gid("Order", 1)), ("two", gid("Order", 1))]
    assert found[0][2] != found[1][2]  # one number, two people


def test_lines_and_shipments_beyond_a_page_are_read(tmp_path: Path) -> None:
    lines = [stub.line(n) for n in range(1, 131)]
    parcels = [stub.shipment(n, *[(m, 1) for m in range(1, 31)]) for n in range(1, 8)]
    shop = StubShop(orders=[stub.order(1, *lines, fulfillments=parcels)])
    nights = Nights(tmp_path)
    with shop.running():
        nights.extract(NOW, "orders")
    (row,) = nights.landed("orders").values()
    assert len(row["lineItems"]) == 130
    assert [len(s["fulfillmentLineItems"]) for s in row["fulfillments"]] == [30] * 7


def test_open_returns_are_swept_once_a_week(tmp_path: Path) -> None:
    """Nothing says that all that happens to a return changes its order."""
    shop = StubShop(orders=many(2, returnStatus="IN_PROGRESS"))
    for number in (1, 2):
        returned = stub.returned(number, stub.return_line(number, number))
        shop.returns[gid("Order", number)] = [returned]
    nights = Nights(tmp_path)
    with shop.running():
        nights.night(NOW, "returns")
        shop.orders[0]["returnStatus"] = "NO_RETURN"  # and only we know that there was one
        for returns in shop.returns.values():
            returns[0]["status"] = "CANCELED"
        nights.night(NOW + timedelta(days=6), "returns")
        statuses = "select distinct status from raw_shopify.returns"
        assert nights.rows(statuses) == [("OPEN",)]
        nights.night(NOW + timedelta(days=8), "returns")
        assert nights.rows(statuses) == [("CANCELED",)]
        asked = len(shop.sent("OrderReturns"))
        nights.night(NOW + timedelta(days=16), "returns")
    assert len(shop.sent("OrderReturns")) == asked + 1  # the one that the search still finds


def test_lists_without_their_right_are_empty_and_say_so(tmp_path: Path) -> None:
    shop, nights = StubShop(), Nights(tmp_path)
    shop.script("Disputes", refuse("ACCESS_DENIED", "disputes"))
    with shop.running():
        (outcome,) = nights.extract(NOW, "disputes")
    assert (outcome.state, outcome.rows) == ("ok", 0)
    assert reasons(nights, "disputes") == {("not_allowed", 0)}


def test_a_word_that_is_not_known_is_kept_and_named(tmp_path: Path) -> None:
    dispute = {"id": gid("ShopifyPaymentsDispute", 1), "type": "CHARGEBACK", "status": "APPEALED"}
    connection = {"nodes": [dispute], "pageInfo": {"hasNextPage": False, "endCursor": None}}
    shop, nights = StubShop(), Nights(tmp_path)
    shop.script("Disputes", lambda _asked: stub.envelope(data={"disputes": connection}))
    with shop.running():
        assert nights.extract(NOW, "disputes")[0].rows == 1
    assert reasons(nights, "disputes") == {("unknown_word", 0)}
    (row,) = nights.landed("disputes").values()
    assert row["status"] == "APPEALED"


def test_an_error_beside_data_is_asked_again(tmp_path: Path) -> None:
    shop = StubShop(orders=many(2))
    broken = stub.errors("INTERNAL_SERVER_ERROR", "orders", "nodes", 1)
    shop.script("OrdersWindow", lambda asked: shop.answer(asked, errors=broken))
    with shop.running():
        assert Nights(tmp_path).extract(NOW, "orders")[0].rows == 2
    assert len(shop.sent("OrdersWindow")) == 2


def test_nothing_personal_is_asked_for_or_landed(tmp_path: Path) -> None:
    note = "write to jane@example.com or call +49 170 1234567"
    line = stub.return_line(1, 1, customerNote=note, returnReasonNote=note)
    shop = StubShop(orders=many(1))
    shop.returns = {gid("Order", 1): [stub.returned(1, line)]}
    nights = Nights(tmp_path)
    with shop.running():
        nights.extract()
    words = " ".join(asked.query for asked in shop.asked)
    for field in ("email", "phone", "zip", "city", "firstName", "lastName", "address1", "note "):
        assert f" {field}" not in words
    landed = json.dumps([nights.landed(s.name) for s in stub.CONNECTOR.streams])
    assert "jane@" not in landed
    assert "1234567" not in landed
    assert gid("Customer", 5) not in landed


def test_a_night_asks_for_the_last_three_days_again(tmp_path: Path) -> None:
    shop, nights = StubShop(), Nights(tmp_path)
    with shop.running():
        nights.night(NOW, "orders")
        nights.night(datetime(2026, 3, 21, tzinfo=UTC), "orders")
    search = shop.sent("OrdersWindow")[-1].variables["q"]
    bounds = "updated_at:>='2026-03-17T00:00:00Z' AND updated_at:<'2026-03-21T00:00:00Z'"
    assert search == bounds
