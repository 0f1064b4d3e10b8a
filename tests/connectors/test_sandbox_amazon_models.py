"""Answers of the Amazon sandbox against the official models (`specs/amazon/models`).

Unknown members fail too, and so do words outside the "Possible values" of a description. Where the
models are not there, the few required members below are checked instead.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.connectors.sandbox_small_world import (
    ALL_ORDERS,
    BRITAIN,
    DOCUMENTS,
    GERMANY,
    ORDERS,
    REPORTS,
    SETTLEMENTS,
    Caller,
    caller,
    content_of,
)

MAY = ("2026-05-05T00:00:00Z", "2026-06-01T00:00:00Z")
DATA = "RECIPIENT,PROCEEDS,PROMOTION,CANCELLATION,FULFILLMENT,PACKAGES,PAYMENT"
MODELS = {
    "customer feedback": "customerFeedback_2024-06-01.json",
    "inbound": "fulfillmentInbound_2024-03-20.json",
    "finances": "finances_2024-06-19.json",
    "orders": "orders_2026-01-01.json",
    "reports": "reports_2021-06-30.json",
    "sellers": "sellers.json",
    "tokens": "tokens_2021-03-01.json",
}
REQUIRED = {
    "SearchOrdersResponse": ["orders", "lastUpdatedBefore"],
    "GetOrderResponse": ["order"],
    "ErrorList": ["errors"],
    "CreateReportResponse": ["reportId"],
    "ListTransactionsResponse": ["payload"],
    "ListInboundPlansResponse": ["inboundPlans"],
    "InboundPlan": ["inboundPlanId", "status"],
    "ListInboundPlanItemsResponse": ["items"],
    "ItemReviewTopicsResponse": ["asin", "topics"],
    "Report": ["processingStatus", "reportId", "reportType", "createdTime"],
    "GetReportsResponse": ["reports"],
    "ReportDocument": ["reportDocumentId", "url"],
    "GetMarketplaceParticipationsResponse": ["payload"],
    "CreateRestrictedDataTokenResponse": ["restrictedDataToken", "expiresIn"],
}
_LISTED = re.compile(r"\*\*Possible values?:?\*\*:?(.*)", re.DOTALL)
_TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")


def strict(node: Any) -> Any:
    """A Swagger definition as a JSON schema that allows no member or word of our own."""
    if isinstance(node, list):
        return [strict(element) for element in node]
    if not isinstance(node, dict):
        return node
    kept = {key: strict(value) for key, value in node.items() if not key.startswith("x-")}
    if isinstance(kept.get("properties"), dict) and "additionalProperties" not in kept:
        kept["additionalProperties"] = False
    if kept.get("type") == "string" and "enum" not in kept:
        listed = _LISTED.search(str(node.get("description", "")))
        words = re.findall(r"`([A-Z][A-Z_]+)`", listed.group(1)) if listed else []
        if words:
            kept["enum"] = words
    if kept.get("format") == "date-time":
        kept["pattern"] = _TIME.pattern
    return kept


def flat(definitions: dict[str, Any]) -> dict[str, Any]:
    """Definitions made of others (`allOf`) as one object with the members of all."""

    def merged(node: dict[str, Any]) -> dict[str, Any]:
        whole: dict[str, Any] = {"type": "object", "properties": {}, "required": []}
        for part in node["allOf"]:
            target = definitions[part["$ref"].split("/")[-1]] if "$ref" in part else part
            whole["properties"] |= target.get("properties", {})
            whole["required"] += target.get("required", [])
        return whole

    return {
        name: merged(node) if "allOf" in node and len(node["allOf"]) > 1 else node
        for name, node in definitions.items()
    }


def check(shared_dir: Path | None, model: str, definition: str, content: Any) -> None:
    if shared_dir is None:
        print(f"{model} {definition}: model not there, only required members were checked")
        assert set(REQUIRED[definition]) <= set(content)
        return
    path = shared_dir / "specs" / "amazon" / "models" / MODELS[model]
    definitions = strict(flat(json.loads(path.read_text(encoding="utf-8"))["definitions"]))
    schema = {"$ref": f"#/definitions/{definition}", "definitions": definitions}
    jsonschema.Draft4Validator(schema).validate(content)


@pytest.fixture(params=[False, True], ids=["plain", "with personal data"])
def one(request: pytest.FixtureRequest) -> Caller:
    return caller(with_personal_data=request.param)


def test_orders(one: Caller, shared_dir: Path | None) -> None:
    for included in ("", DATA, "BUYER,TAX,EXPENSE,FULFILLMENT_ORDERS"):
        query = {"lastUpdatedAfter": MAY[0]} | ({"includedData": included} if included else {})
        answer = content_of(one.get(ORDERS, **query))
        assert len(answer["orders"]) == 3
        check(shared_dir, "orders", "SearchOrdersResponse", answer)
    page = content_of(one.get(ORDERS, createdAfter=MAY[0], maxResultsPerPage="1"))
    if "createdBefore" in page:
        page["lastUpdatedBefore"] = page.pop("createdBefore")
    check(shared_dir, "orders", "SearchOrdersResponse", page)
    order = content_of(one.get(f"{ORDERS}/305-0000002-0000002", includedData=DATA))
    check(shared_dir, "orders", "GetOrderResponse", order)


def test_reports(one: Caller, shared_dir: Path | None) -> None:
    created = content_of(one.create(ALL_ORDERS, *MAY, [GERMANY, BRITAIN]))
    check(shared_dir, "reports", "CreateReportResponse", created)
    report = one.finished(created["reportId"])
    check(shared_dir, "reports", "Report", report)
    document = content_of(one.get(f"{DOCUMENTS}/{report['reportDocumentId']}"))
    check(shared_dir, "reports", "ReportDocument", document)
    for types in (ALL_ORDERS, SETTLEMENTS):
        answer = content_of(one.get(REPORTS, reportTypes=types, pageSize="1"))
        assert answer["reports"]
        check(shared_dir, "reports", "GetReportsResponse", answer)


def test_participations_and_restricted_token(one: Caller, shared_dir: Path | None) -> None:
    sellers = content_of(one.get("/sellers/v1/marketplaceParticipations"))
    check(shared_dir, "sellers", "GetMarketplaceParticipationsResponse", sellers)
    body = {"restrictedResources": [{"method": "GET", "path": f"{DOCUMENTS}/x"}]}
    answer = one.send(
        "POST", "/tokens/2021-03-01/restrictedDataToken", body=json.dumps(body).encode()
    )
    check(shared_dir, "tokens", "CreateRestrictedDataTokenResponse", content_of(answer))


def failing(one: Caller) -> Iterator[tuple[str, Any]]:
    yield "orders", one.get(ORDERS)
    yield "orders", one.get(f"{ORDERS}/000-0000000-0000000")
    yield "reports", one.get(REPORTS)
    yield "reports", one.get(f"{REPORTS}/1")
    one.token = "Atza|none"
    yield "orders", one.get(ORDERS)


def test_errors(one: Caller, shared_dir: Path | None) -> None:
    statuses = []
    for model, response in failing(one):
        statuses.append(response.status)
        check(shared_dir, model, "ErrorList", content_of(response))
    assert statuses == [400, 404, 400, 404, 403]


def test_the_check_itself_finds_a_member_and_a_word_of_our_own(shared_dir: Path | None) -> None:
    answer = content_of(caller().get(ORDERS, lastUpdatedAfter=MAY[0], includedData=DATA))
    if shared_dir is None:
        print("models not there: strictness of the check was not checked")
        with pytest.raises(AssertionError):
            check(None, "orders", "SearchOrdersResponse", {})
        return
    answer["orders"][0]["refunded"] = True
    with pytest.raises(jsonschema.ValidationError, match="refunded"):
        check(shared_dir, "orders", "SearchOrdersResponse", answer)
    del answer["orders"][0]["refunded"]
    answer["orders"][0]["salesChannel"]["channelName"] = "SHOP"
    with pytest.raises(jsonschema.ValidationError, match="SHOP"):
        check(shared_dir, "orders", "SearchOrdersResponse", answer)
