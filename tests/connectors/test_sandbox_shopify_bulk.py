"""Bulk operations of the Shopify sandbox: what may run, how it ends, what its file holds."""

from __future__ import annotations

import json
from typing import Any

from sources._sandbox.server import Request
from tests.connectors.shopify_sandbox_caller import Caller, caller

ORDERS = """{ orders(query: "%s") { edges { node {
  __typename id name
  lineItems { edges { node { __typename id sku quantity } } }
  returns { edges { node { __typename id status } } }
} } } }"""
SINCE = "updated_at:>='2026-02-01T00:00:00Z' AND updated_at:<'2026-03-01T00:00:00Z'"


def start(shop: Caller, query: str) -> dict[str, Any]:
    started: dict[str, Any] = shop.ask("Start", query=query)["data"]["bulkOperationRunQuery"]
    return started


def finish(shop: Caller, query: str) -> dict[str, Any]:
    identifier = start(shop, query)["bulkOperation"]["id"]
    while True:
        done: dict[str, Any] = shop.ask("Poll", id=identifier)["data"]["bulkOperation"]
        if done["status"] not in ("CREATED", "RUNNING"):
            return done | {"id": identifier}


def lines_of(shop: Caller, address: str) -> list[dict[str, Any]]:
    path = address.removeprefix("http://shop.example")
    answer = shop.app.handle(Request("GET", path, (), {"host": "shop.example"}))
    while answer.status == 503:
        answer = shop.app.handle(Request("GET", path, (), {"host": "shop.example"}))
    assert answer.status == 200
    return [json.loads(line) for line in answer.body.splitlines()]


def test_a_file_has_each_object_with_its_parent_in_any_order() -> None:
    shop = caller()
    done = finish(shop, ORDERS % SINCE)
    lines = lines_of(shop, done["url"])
    assert len(lines) == int(done["objectCount"])
    orders = {line["id"] for line in lines if line["__typename"] == "Order"}
    assert len(orders) == int(done["rootObjectCount"])
    assert orders == shop.orders(SINCE).keys()
    children = [line for line in lines if "__parentId" in line]
    assert {line["__parentId"] for line in children} <= orders
    assert {line["__typename"] for line in children} == {"LineItem", "Return"}
    place = {line["id"]: n for n, line in enumerate(lines)}
    assert any(place[line["id"]] < place[line["__parentId"]] for line in children)


def test_repeated_lines_are_counted() -> None:
    shop = caller({"duplicate_record": 0.2})
    done = finish(shop, ORDERS % SINCE)
    ids = [line["id"] for line in lines_of(shop, done["url"])]
    assert len(ids) == int(done["objectCount"]) > len(set(ids))


def test_no_rows_give_no_file() -> None:
    done = finish(caller(), ORDERS % "updated_at:<'2020-01-01T00:00:00Z'")
    assert (done["status"], done["url"], done["objectCount"]) == ("COMPLETED", None, "0")


def test_a_failed_operation_gives_part_of_its_rows_a_moment_later() -> None:
    calm, troubled = caller(), caller({"http_503": 1.0})
    whole = len(lines_of(calm, finish(calm, ORDERS % SINCE)["url"]))
    done = finish(troubled, ORDERS % SINCE)
    assert (done["status"], done["errorCode"]) == ("FAILED", "INTERNAL_SERVER_ERROR")
    assert done["url"] is None and done["partialDataUrl"] is None
    later = troubled.ask("Poll", id=done["id"])["data"]["bulkOperation"]
    assert 0 < len(lines_of(troubled, later["partialDataUrl"])) < whole


def test_five_operations_run_at_once() -> None:
    shop = caller()
    for _ in range(5):
        assert start(shop, ORDERS % SINCE)["bulkOperation"]
    (error,) = start(shop, ORDERS % SINCE)["userErrors"]
    assert error["code"] == "LIMIT_REACHED"


def test_a_connection_within_a_list_is_refused() -> None:
    query = """{ orders { edges { node { id refunds { id refundLineItems { edges { node { id } } }
      } } } } }"""
    (error,) = start(caller(), query)["userErrors"]
    assert error["code"] == "INVALID" and "list" in error["message"]


def test_a_parent_without_its_id_is_refused() -> None:
    query = """{ orders { edges { node { key: id lineItems { edges { node { id } } } } } } }"""
    (error,) = start(caller(), query)["userErrors"]
    assert "id" in error["message"]


def test_a_query_without_a_connection_or_with_errors_is_refused() -> None:
    for query in ("{ shop { id } }", "{ orders { edges { node { colour } } } }", "{ orders"):
        assert start(caller(), query)["userErrors"], query
