"""A small world with a Shopify shop, and a caller of its sandbox, for its tests."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import Any
from urllib.parse import urlencode

from sources._core.clock import ManualClock
from sources._sandbox.scenario import Scenario
from sources._sandbox.server import Environment, Request, Response
from sources._sandbox.world import World, build_world
from sources.shopify.sandbox import ShopifySandbox, create_app

SHOP = "brand_shop"
TODAY = datetime(2026, 5, 20, tzinfo=UTC)
CONTENT: dict[str, Any] = {
    "seed": 5,
    "start": date(2026, 1, 10),
    "today": TODAY.date(),
    "orders_per_day": 9,
    "skus": 9,
    "languages": ["de", "en"],
    "scan_share": 0.3,
    "warehouses": ["WH1:CN", "WH2:DE"],
    "accounts": [
        {"connector": "shopify", "name": SHOP, "countries": ["DE", "US"]},
        {"connector": "amazon", "name": "amz_eu", "marketplaces": ["DE"], "share": 0.3},
    ],
}

# The operations that the tests use, written by hand; those of the specs are run where they are.
OPERATIONS = """
fragment Money on MoneyBag {
  shopMoney { amount currencyCode } presentmentMoney { amount currencyCode }
}
query Orders($q: String, $first: Int!, $after: String) {
  orders(first: $first, after: $after, query: $q, sortKey: UPDATED_AT) {
    pageInfo { hasNextPage endCursor }
    nodes {
      __typename id name processedAt updatedAt cancelledAt test returnStatus taxesIncluded edited
      customer { id } totalPriceSet { ...Money }
      lineItems(first: 50) {
        nodes {
          id sku quantity currentQuantity isGiftCard variant { id }
          originalUnitPriceSet { ...Money }
          discountAllocations { allocatedAmountSet { ...Money } } taxLines { priceSet { ...Money } }
        }
      }
      refunds(first: 250) { id }
      returns(first: 20) {
        nodes { id status exchangeLineItems(first: 5) { nodes { id lineItems { id } } } }
      }
    }
  }
}
query Refund($id: ID!) {
  refund(id: $id) {
    id totalRefundedSet { ...Money } return { id } order { taxesIncluded }
    refundLineItems(first: 100) {
      nodes {
        quantity restockType subtotalSet { ...Money } totalTaxSet { ...Money } lineItem { id }
      }
    }
    orderAdjustments(first: 5) { nodes { reason amountSet { ...Money } taxAmountSet { ...Money } } }
    refundShippingLines(first: 5) {
      nodes { subtotalAmountSet { ...Money } taxAmountSet { ...Money } }
    }
    transactions(first: 5) { nodes { kind status amountSet { ...Money } } }
  }
}
query Disputes { disputes(first: 20) { nodes { id type status } } shop { name } }
query Count($q: String) { ordersCount(query: $q, limit: 25001) { count precision } }
mutation Start($query: String!, $group: Boolean! = false) {
  bulkOperationRunQuery(query: $query, groupObjects: $group) {
    bulkOperation { id status } userErrors { code message }
  }
}
query Poll($id: ID!) {
  bulkOperation(id: $id) { status errorCode objectCount rootObjectCount url partialDataUrl }
}
"""


@cache
def world() -> World:
    return build_world(Scenario.parse(CONTENT))


@dataclass
class Caller:
    """Asks the sandbox as a client would."""

    app: ShopifySandbox
    clock: ManualClock
    token: str = f"sandbox-{SHOP}"

    def raw(self, content: Any, version: str = "2026-10", token: str | None = None) -> Response:
        headers = {"x-shopify-access-token": token or self.token, "host": "shop.example"}
        path = f"/admin/api/{version}/graphql.json"
        body = json.dumps(content).encode()
        return self.app.handle(Request("POST", path, (), headers, body))

    def ask(self, name: str, text: str = OPERATIONS, **variables: Any) -> dict[str, Any]:
        content = {"query": text, "variables": variables, "operationName": name}
        response = self.raw(content)
        while response.status == 503:
            response = self.raw(content)
        answer: dict[str, Any] = json.loads(response.body)
        return answer

    def grant(self, secret: str) -> Response:
        form = {
            "grant_type": "client_credentials",
            "client_id": secret,
            "client_secret": secret,
        }
        body = urlencode(form).encode()
        return self.app.handle(Request("POST", "/admin/oauth/access_token", (), {}, body))

    def pages(self, query: str | None = None, first: int = 9) -> Iterator[list[dict[str, Any]]]:
        after = None
        while True:
            answer = self.ask("Orders", q=query, first=first, after=after)
            if "data" not in answer:
                assert answer["errors"][0]["extensions"]["code"] == "THROTTLED"
                continue
            orders = answer["data"]["orders"]
            yield orders["nodes"]
            after = orders["pageInfo"]["endCursor"]
            if not orders["pageInfo"]["hasNextPage"]:
                return

    def orders(self, query: str | None = None) -> dict[str, dict[str, Any]]:
        return {order["id"]: order for page in self.pages(query) for order in page}


def caller(
    api: Mapping[str, Any] | None = None, missing: tuple[str, ...] = (), **more: Any
) -> Caller:
    scenario = Scenario.parse({**CONTENT, "api": dict(api or {}), **more})
    clock = ManualClock(TODAY)
    roles = {SHOP: frozenset(missing)} if missing else {}
    environment = Environment(world(), scenario, clock, missing_roles=roles)
    return Caller(create_app(environment), clock)


@cache
def all_orders() -> dict[str, dict[str, Any]]:
    """Every order of the shop as an untroubled reader gets them."""
    return caller().orders()
