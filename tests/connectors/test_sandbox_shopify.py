"""The Shopify sandbox: tokens, versions, rights, cost, pages, what orders and refunds hold."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import polars as pl

from tests.connectors.shopify_sandbox_caller import SHOP, TODAY, all_orders, caller, world


def minor(bag: dict[str, Any]) -> Decimal:
    return Decimal(bag["shopMoney"]["amount"])


def test_a_grant_opens_the_shop_until_it_expires() -> None:
    shop = caller({"token_lifetime_s": 600})
    granted = json.loads(shop.grant(f"sandbox-{SHOP}").body)
    assert "read_all_orders" in granted["scope"].split(",")
    shop.token = granted["access_token"]
    assert shop.ask("Count")["data"]["ordersCount"]["count"] > 100
    shop.clock.sleep(601)
    assert shop.raw({"query": "{ shop { id } }"}).status == 401


def test_another_secret_is_refused() -> None:
    shop = caller()
    assert shop.grant("sandbox-other").status == 400
    assert shop.raw({"query": "{ shop { id } }"}, token="sandbox-amz_eu").status == 401


def test_an_unknown_version_falls_forward_and_says_so() -> None:
    shop = caller()
    asked = {"query": "{ shop { id } }"}
    assert shop.raw(asked).headers["X-Shopify-API-Version"] == "2026-10"
    assert shop.raw(asked, version="2024-01").headers["X-Shopify-API-Version"] == "2026-01"


def test_a_missing_scope_leaves_the_rest_of_the_answer() -> None:
    answer = caller(missing=("read_shopify_payments_disputes",)).ask("Disputes")
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "ACCESS_DENIED"
    assert caller().ask("Disputes")["data"]["disputes"]["nodes"]


def test_without_read_all_orders_older_orders_do_not_exist() -> None:
    every, young = all_orders(), caller(missing=("read_all_orders",)).orders()
    assert 0 < len(young) < len(every)
    assert min(order["processedAt"] for order in young.values()) >= "2026-03-21"


def test_pages_hold_every_order_once_and_one_page_is_empty() -> None:
    pages = list(caller().pages())
    ids = [order["id"] for page in pages for order in page]
    real = world().orders.filter(account=SHOP).height
    assert len(ids) == len(set(ids)) >= real
    assert [] in pages[:-1]


def test_troubled_pages_hold_the_same_orders() -> None:
    troubled = caller({"http_429": 0.1, "duplicate_record": 0.1, "out_of_order": 0.3})
    pages = list(troubled.pages())
    ids = [order["id"] for page in pages for order in page]
    assert len(ids) > len(set(ids))
    assert set(ids) == set(all_orders())


def test_windows_split_the_orders() -> None:
    shop = caller()
    middle = "2026-03-15T00:00:00Z"
    early = shop.orders(f"updated_at:<'{middle}'")
    late = shop.orders(f"updated_at:>='{middle}' AND updated_at:<'2026-05-20T00:00:00Z'")
    assert early and late and not early.keys() & late.keys()
    assert early.keys() | late.keys() == all_orders().keys()
    count = shop.ask("Count", q=f"updated_at:<'{middle}'")["data"]["ordersCount"]
    assert count == {"count": len(early), "precision": "EXACT"}


def test_a_search_for_open_returns_finds_them() -> None:
    shop = caller()
    query = "return_status:return_requested OR return_status:in_progress"
    wanted = {"RETURN_REQUESTED", "IN_PROGRESS"}
    found = {i for i, order in all_orders().items() if order["returnStatus"] in wanted}
    assert found
    assert shop.orders(query).keys() == found


def test_throttling_is_an_answer_with_status_200() -> None:
    shop = caller({"throttle": "realistic"})
    for _ in range(12):
        answer = shop.ask("Orders", first=8)
        if "data" not in answer:
            break
    assert answer["errors"][0]["extensions"]["code"] == "THROTTLED"
    cost = answer["extensions"]["cost"]
    assert cost["requestedQueryCost"] > cost["throttleStatus"]["currentlyAvailable"]
    shop.clock.sleep(cost["requestedQueryCost"] / cost["throttleStatus"]["restoreRate"])
    assert "data" in shop.ask("Orders", first=8)


def test_a_query_that_costs_too_much_is_refused() -> None:
    answer = caller().ask("Orders", first=250)
    assert answer["errors"][0]["extensions"]["code"] == "MAX_COST_EXCEEDED"


def test_money_of_every_refund_adds_up_to_what_was_paid() -> None:
    shop = caller()
    seen = set()
    for order in all_orders().values():
        for head in order["refunds"]:
            refund = shop.ask("Refund", id=head["id"])["data"]["refund"]
            parts = refund["refundLineItems"]["nodes"]
            shipping = refund["refundShippingLines"]["nodes"]
            off = refund["orderAdjustments"]["nodes"]
            assert order["taxesIncluded"]
            told = sum(minor(p["subtotalSet"]) for p in parts)
            told += sum(minor(s["subtotalAmountSet"]) for s in shipping)
            told -= sum(minor(a["amountSet"]) + minor(a["taxAmountSet"]) for a in off)
            payments = refund["transactions"]["nodes"]
            paid = sum(minor(p["amountSet"]) for p in payments if p["status"] == "SUCCESS")
            assert minor(refund["totalRefundedSet"]) == paid
            waits = any(p["status"] == "PENDING" for p in payments)
            assert told == paid or (waits and not paid)
            seen |= {p["restockType"] for p in parts} | {a["reason"] for a in off}
            seen |= {p["status"] for p in payments} | ({"shipping"} if shipping else set())
    assert {"CANCEL", "RETURN", "NO_RESTOCK", "PENDING_REFUND_DISCREPANCY", "FAILURE"} <= seen
    assert {"shipping", "CUSTOMER", "SUCCESS"} <= seen


def test_an_exchange_is_a_line_of_the_same_order() -> None:
    found = set()
    for order in all_orders().values():
        lines = {line["id"] for line in order["lineItems"]["nodes"]}
        for back in order["returns"]["nodes"]:
            for exchange in back["exchangeLineItems"]["nodes"]:
                new = {line["id"] for line in exchange["lineItems"] or ()}
                assert new <= lines
                found |= new
    added = world().shop_exchanges.filter(pl.col("added_at") <= TODAY.replace(tzinfo=None))
    assert len(found) == added.height > 0


def test_the_shop_has_what_a_reader_must_leave_out() -> None:
    orders = all_orders()
    lines = [line for order in orders.values() for line in order["lineItems"]["nodes"]]
    names = [order["name"] for order in orders.values() if not order["test"]]
    assert any(order["test"] for order in orders.values())
    assert any(line["isGiftCard"] and line["sku"] is None for line in lines)
    assert any(line["variant"] is None for line in lines)
    assert any(order["customer"] is None for order in orders.values())
    assert len(names) > len(set(names))
    assert any(line["currentQuantity"] == 0 for line in lines)
    assert all(int(order["id"].rsplit("/", 1)[1]) > 2**53 for order in orders.values())
