"""Amazon, what we send and read against the official models of the API.

Where the models are not at hand, each test runs on the part of them that is written down here and
says what was not checked.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from sources._core import schema
from sources._core.connector import Page
from sources._core.limits import Rate
from sources._core.records import RecordEncoder
from sources.amazon import answers
from sources.amazon.config import ORDER_DATA, RATES, RECIPIENT_DATA
from sources.amazon.streams import (
    FBA_RETURNS_STREAM,
    ORDERS_STREAM,
    SETTLEMENTS_STREAM,
    TRANSACTIONS_STREAM,
)
from tests.connectors.amazon_stub import NOW, Reading, StubAmazon, fixture_bytes

Model = dict[str, Any]

# The part of the models that our requests use, for machines without them.
OWN_PART: Mapping[str, Model] = {
    "orders_2026-01-01": {
        "paths": {
            "/orders/2026-01-01/orders": {
                "get": {
                    "operationId": "searchOrders",
                    "parameters": [
                        {"name": name, "type": "string"}
                        for name in (
                            "lastUpdatedAfter",
                            "lastUpdatedBefore",
                            "marketplaceIds",
                            "maxResultsPerPage",
                            "paginationToken",
                        )
                    ]
                    + [
                        {
                            "name": "includedData",
                            "items": {"enum": [*ORDER_DATA, RECIPIENT_DATA, "BUYER"]},
                        }
                    ],
                }
            }
        },
        "definitions": {},
    },
    "reports_2021-06-30": {
        "paths": {
            "/reports/2021-06-30/reports": {
                "get": {
                    "operationId": "getReports",
                    "parameters": [
                        {"name": "reportTypes"},
                        {"name": "pageSize", "maximum": 100, "minimum": 1},
                        {"name": "createdSince"},
                        {"name": "createdUntil"},
                        {"name": "nextToken"},
                    ],
                }
            }
        },
        "definitions": {
            "CreateReportSpecification": {
                "type": "object",
                "required": ["marketplaceIds", "reportType"],
                "properties": {
                    "reportType": {"type": "string"},
                    "dataStartTime": {"type": "string", "format": "date-time"},
                    "dataEndTime": {"type": "string", "format": "date-time"},
                    "marketplaceIds": {"type": "array", "items": {"type": "string"}},
                },
            }
        },
    },
}


@pytest.fixture
def model(shared_dir: Path | None) -> Any:
    """Official model by name, else our own part of it."""

    def load(name: str) -> Model:
        if shared_dir is None:
            print(f"not checked: {name} against the official model, only against our own part")
            return dict(OWN_PART.get(name, {}))
        path = shared_dir / "specs" / "amazon" / "models" / f"{name}.json"
        return dict(json.loads(path.read_text("utf-8")))

    return functools.cache(load)


def operation(found: Model, operation_id: str) -> Model:
    for path in found["paths"].values():
        for method in path.values():
            if isinstance(method, dict) and method.get("operationId") == operation_id:
                return method
    raise AssertionError(f"{operation_id} is not in the model")


def parameters(found: Model, operation_id: str) -> dict[str, Model]:
    return {one["name"]: one for one in operation(found, operation_id)["parameters"]}


def test_order_requests_have_only_documented_parameters(tmp_path: Path, model: Any) -> None:
    stub = StubAmazon(order_pages=[{"orders": []}, {"orders": []}])
    with stub.running():
        Reading(tmp_path).encoded(ORDERS_STREAM, NOW - timedelta(days=1))
    known = parameters(model("orders_2026-01-01"), "searchOrders")
    for request in stub.sent("GET /orders/2026-01-01/orders"):
        assert set(request.params) <= set(known)
        asked = request.params["includedData"].split(",")
        assert set(asked) <= set(known["includedData"]["items"]["enum"]) - {"BUYER"}
        assert 1 <= int(request.params["maxResultsPerPage"]) <= 100
        for bound in ("lastUpdatedAfter", "lastUpdatedBefore"):
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", request.params[bound])
    assert RECIPIENT_DATA in known["includedData"]["items"]["enum"]


def test_report_requests_are_as_documented(tmp_path: Path, model: Any) -> None:
    stub = StubAmazon()
    with stub.running():
        Reading(tmp_path).encoded(FBA_RETURNS_STREAM, NOW - timedelta(days=1))
        Reading(tmp_path).encoded(SETTLEMENTS_STREAM, NOW - timedelta(days=1))
    found = model("reports_2021-06-30")
    create = {"$ref": "#/definitions/CreateReportSpecification", **found}
    for request in stub.sent("POST /reports/2021-06-30/reports"):
        body = json.loads(request.body)
        jsonschema.Draft4Validator(create).validate(body)
        assert set(body) <= set(found["definitions"]["CreateReportSpecification"]["properties"])
    known = parameters(found, "getReports")
    for request in stub.sent("GET /reports/2021-06-30/reports"):
        assert set(request.params) <= set(known)
        assert int(request.params["pageSize"]) <= known["pageSize"]["maximum"]


def test_rates_are_those_of_the_models(model: Any) -> None:
    models = {
        "searchOrders": "orders_2026-01-01",
        "createReport": "reports_2021-06-30",
        "getReport": "reports_2021-06-30",
        "getReports": "reports_2021-06-30",
        "getReportDocument": "reports_2021-06-30",
        "getMarketplaceParticipations": "sellers",
        "listTransactions": "finances_2024-06-19",
        "getItemReviewTopics": "customerFeedback_2024-06-01",
        "listInboundPlans": "fulfillmentInbound_2024-03-20",
        "listInboundPlanItems": "fulfillmentInbound_2024-03-20",
    }
    assert set(models) == set(RATES)
    for operation_id, name in models.items():
        found = model(name)
        if "swagger" not in found:
            assert RATES[operation_id].burst >= 1
            continue
        if operation_id == "getItemReviewTopics":
            assert RATES[operation_id] == Rate(1.0, 1), "the model states none: once a second"
            continue
        text = operation(found, operation_id)["description"]
        told = re.search(r"\|\s*([\d.]+)\s*\|\s*(\d+)\s*\|", text)
        assert told, operation_id
        assert RATES[operation_id] == Rate(float(told[1]), float(told[2])), operation_id


def resolve(found: Model, node: Model) -> Model:
    if "$ref" in node:
        return resolve(found, found["definitions"][node["$ref"].rsplit("/", 1)[1]])
    if node.get("type") == "array":
        return resolve(found, node["items"])
    return node


def kept_below(names: schema.Names, prefix: str = "") -> Iterator[str]:
    """Dotted names of our fields, branches and leaves."""
    for name, below in names.items():
        yield f"{prefix}{name}"
        if below is not None:
            yield from kept_below(below, f"{prefix}{name}.")


def test_order_fields_are_those_of_the_model(model: Any) -> None:
    found = model("orders_2026-01-01")
    names = schema.allowed_names(ORDERS_STREAM.record)
    if "Order" not in found["definitions"]:
        page = json.loads(fixture_bytes("orders_page.json"))
        assert set(schema.unknown_names(page["orders"], names)) == {"orderItems.product.title"}
        return
    order = found["definitions"]["Order"]
    for dotted in (*kept_below(names), *ORDERS_STREAM.known_dropped):
        node = order
        for step in dotted.split("."):
            properties = resolve(found, node)["properties"]
            assert step in properties, dotted
            node = properties[step]
    required = {
        field.encode_name
        for field in msgspec.structs.fields(ORDERS_STREAM.record)
        if field.required
    }
    assert required <= set(order["required"])


def covered(found: Model, node: Model, names: schema.Names | None, prefix: str) -> Iterator[str]:
    """Dotted names of the model that we neither keep nor leave out on purpose."""
    for name, inner in resolve(found, node).get("properties", {}).items():
        dotted = f"{prefix}{name}"
        if dotted in ORDERS_STREAM.known_dropped or names is None:
            continue
        if name not in names:
            yield dotted
        else:
            yield from covered(found, inner, names[name], f"{dotted}.")


def test_every_field_of_the_model_is_kept_or_left_out_on_purpose(model: Any) -> None:
    found = model("orders_2026-01-01")
    names = schema.allowed_names(ORDERS_STREAM.record)
    order = found["definitions"].get("Order", {"properties": {"orderId": {}, "buyer": {}}})
    assert list(covered(found, order, names, "")) == []


def test_fields_of_transactions_are_those_of_the_model(tmp_path: Path, model: Any) -> None:
    """All but the leaves that stand for the tree, and the number of an item."""
    found = model("finances_2024-06-19")
    if not found:
        assert schema.allowed_names(TRANSACTIONS_STREAM.record)["transactionId"] is None
        return
    kinds = ("ProductContext", "DeferredContext", "TimeRangeContext")
    of_contexts = {name for kind in kinds for name in found["definitions"][kind]["properties"]}
    computed = {"amounts", "lineNo"}
    for dotted in kept_below(schema.allowed_names(TRANSACTIONS_STREAM.record)):
        steps = dotted.split(".")
        if computed & set(steps):
            continue
        node = found["definitions"]["Transaction"]
        for step in steps:
            if node.get("$ref", "").endswith("/Contexts"):
                assert step in of_contexts | {"contextType"}, dotted
                break
            properties = resolve(found, node)["properties"]
            assert step in properties, dotted
            node = properties[step]
    stub = StubAmazon()
    with stub.running():
        Reading(tmp_path).encoded(TRANSACTIONS_STREAM, NOW - timedelta(days=1))
    known = parameters(found, "listTransactions")
    for request in stub.sent("GET /finances/2024-06-19/transactions"):
        assert set(request.params) <= set(known)


def examples(node: Any) -> Iterator[dict[str, Any]]:
    """Orders anywhere in the model's examples and static sandbox answers."""
    if isinstance(node, dict):
        if isinstance(node.get("orderId"), str) and "orderItems" in node:
            yield node
        else:
            for inner in node.values():
                yield from examples(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from examples(inner)


def test_the_models_own_examples_are_read_without_loss(model: Any) -> None:
    found = model("orders_2026-01-01")
    own = [] if found["definitions"] else json.loads(fixture_bytes("orders_page.json"))["orders"]
    orders = list(examples(found)) or own
    assert len(orders) >= (8 if found["definitions"] else 2)
    raw = [msgspec.Raw(msgspec.json.encode(order)) for order in orders]
    encoder = RecordEncoder(ORDERS_STREAM)
    encoded = [encoder.encode(Page([one], "example")) for one in raw]
    assert [reject for page in encoded for reject in page.rejects] == []
    assert {name for page in encoded for name, kind in page.drift if kind == "added"} == set()
    assert sum(len(page.lines) for page in encoded) == len(orders)


def test_answers_have_the_names_of_the_models(model: Any) -> None:
    reports, sellers = model("reports_2021-06-30"), model("sellers")
    if "swagger" not in reports:
        assert answers.Report.__struct_encode_fields__[0] == "reportId"
        return
    orders = model("orders_2026-01-01")
    pairs = [
        (answers.Report, reports["definitions"]["Report"]),
        (answers.DocumentLink, reports["definitions"]["ReportDocument"]),
        (answers.Created, reports["definitions"]["CreateReportResponse"]),
        (answers.ReportList, reports["definitions"]["GetReportsResponse"]),
        (answers.OrdersPage, orders["definitions"]["SearchOrdersResponse"]),
        (answers.Participation, sellers["definitions"]["MarketplaceParticipation"]),
        (answers.Participations, sellers["definitions"]["GetMarketplaceParticipationsResponse"]),
    ]
    for struct, definition in pairs:
        fields = msgspec.structs.fields(struct)
        assert {field.encode_name for field in fields} <= set(definition["properties"]), struct
        needed = {field.encode_name for field in fields if field.required}
        if struct is not answers.Participations:  # either payload or errors
            assert needed <= set(definition["required"]), struct


def test_statuses_of_reports_are_all_known(model: Any) -> None:
    found = model("reports_2021-06-30")
    status = found["definitions"].get("Report", {}).get("properties", {}).get("processingStatus")
    known = set(status["enum"]) if status else {"IN_QUEUE", "IN_PROGRESS", "DONE"}
    assert known - {"DONE", "CANCELLED", "FATAL"} == {"IN_QUEUE", "IN_PROGRESS"}
