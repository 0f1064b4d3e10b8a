"""Answers of the Shopify sandbox against the official schema (`specs/shopify`).

Every reference operation is asked of the sandbox; its answer is then executed against the official
schema, which refuses a null where none may be, an unknown enum word, an unknown field or type. And
every type, field and argument that the sandbox declares must be the official one. Where the specs
are not there, the operations written by hand are run against the served schema alone.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLSchema,
    OperationDefinitionNode,
    build_client_schema,
    execute_sync,
    is_enum_type,
    is_scalar_type,
    parse,
    print_ast,
    validate,
)

from sources.shopify.sandbox import served_schema
from tests.connectors.shopify_sandbox_caller import OPERATIONS, Caller, all_orders, caller

WINDOW = "updated_at:>='2026-02-01T00:00:00Z' AND updated_at:<'2026-04-01T00:00:00Z'"


@pytest.fixture(scope="module")
def official(shared_dir: Path | None) -> GraphQLSchema:
    if shared_dir is None:
        return served_schema()
    path = shared_dir / "specs/shopify/admin_2026-10_aftersales_subset.introspection.json.gz"
    content = json.loads(gzip.decompress(path.read_bytes()))
    return build_client_schema(content.get("data", content))


@pytest.fixture(scope="module")
def operations(shared_dir: Path | None) -> str:
    if shared_dir is None:
        return OPERATIONS
    path = shared_dir / "specs" / "shopify" / "queries_2026-10.graphql"
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def shop() -> Caller:
    return caller()


@pytest.fixture(scope="module")
def samples() -> dict[str, list[str]]:
    """Ids of orders, refunds and returns of every kind there is."""
    orders = all_orders()
    kinds: dict[tuple[Any, ...], str] = {}
    returns: dict[tuple[Any, ...], str] = {}
    for order in orders.values():
        words = (order["cancelledAt"] is None, order["returnStatus"], order["test"])
        kinds.setdefault((*words, order["edited"], len(order["refunds"])), order["id"])
        for back in order["returns"]["nodes"]:
            has_exchange = len(back["exchangeLineItems"]["nodes"])
            returns.setdefault((back["status"], has_exchange), back["id"])
    refunds = [r["id"] for order in orders.values() for r in order["refunds"]]
    return {
        "order": [*kinds.values()],
        "refund": refunds,
        "return": [*returns.values()],
    }


def check(
    schema: GraphQLSchema, shop: Caller, text: str, name: str, **variables: Any
) -> dict[str, Any]:
    answer = shop.ask(name, text, **variables)
    assert "errors" not in answer, answer["errors"]
    again = execute_sync(
        schema,
        parse(text),
        root_value=answer["data"],
        variable_values=variables,
        operation_name=name,
    )
    assert again.errors is None, again.errors
    assert again.data == answer["data"]
    found: dict[str, Any] = answer["data"]
    return found


def test_what_is_served_is_official(official: GraphQLSchema) -> None:
    for name, kind in served_schema().type_map.items():
        theirs = official.type_map.get(name)
        assert theirs is not None, name
        if is_scalar_type(kind) and is_enum_type(theirs):
            continue
        for field_name, field in getattr(kind, "fields", {}).items():
            other = theirs.fields.get(field_name)
            assert other is not None, f"{name}.{field_name}"
            assert str(other.type) == str(field.type), f"{name}.{field_name}"
            for argument, value in getattr(field, "args", {}).items():
                where = f"{name}.{field_name}({argument})"
                assert argument in other.args, where
                assert str(other.args[argument].type) == str(value.type), where
        assert set(getattr(kind, "values", {})) <= set(getattr(theirs, "values", {})), name


def test_operations_fit_both_schemas(official: GraphQLSchema, operations: str) -> None:
    for schema in (official, served_schema()):
        assert validate(schema, parse(operations)) == []


def test_every_reference_operation_answers_as_the_schema_says(
    official: GraphQLSchema,
    operations: str,
    shop: Caller,
    samples: dict[str, list[str]],
    shared_dir: Path | None,
) -> None:
    asked: set[str] = set()

    def run(name: str, **variables: Any) -> dict[str, Any]:
        asked.add(name)
        return check(official, shop, operations, name, **variables)

    if shared_dir is None:
        run("Orders", q=WINDOW, first=9)
        run("Disputes")
        run("Count", q=WINDOW)
        for identifier in samples["refund"]:
            run("Refund", id=identifier)
        _bulk(run, "Start", "Poll", "{ orders { edges { node { id } } } }")
        return
    run("Preflight")
    run("OrdersWindow", q=WINDOW, first=15)
    run("InventoryItems", first=5)
    run("Disputes", first=10)
    run("ReasonLibrary", first=20)
    for identifier in samples["order"]:
        run("OrderLineItems", id=identifier, first=10)
        run("OrderReturns", id=identifier, first=10)
        run("OrderFulfillments", id=identifier)
    for identifier in samples["refund"]:
        run("RefundFull", id=identifier)
    for identifier in samples["return"]:
        run("ReturnReverse", id=identifier)
    _bulk(run, "BulkStart", "BulkPoll", _body(operations, "BulkOrdersBody"), "BulkCancel")
    names = {
        d.name.value
        for d in parse(operations).definitions
        if isinstance(d, OperationDefinitionNode) and d.name
    }
    assert asked | {"BulkOrdersBody"} == names


def _body(operations: str, name: str) -> str:
    return next(
        print_ast(d)
        for d in parse(operations).definitions
        if isinstance(d, OperationDefinitionNode) and d.name and d.name.value == name
    )


def _bulk(run: Any, start: str, poll: str, body: str, cancel: str | None = None) -> None:
    payload = run(start, query=body, group=False)["bulkOperationRunQuery"]
    identifier = payload["bulkOperation"]["id"]
    while run(poll, id=identifier)["bulkOperation"]["status"] != "COMPLETED":
        pass
    if cancel:
        run(cancel, id=identifier)
