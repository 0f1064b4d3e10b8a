"""A small world with an eBay account, and a caller of its sandbox, for its tests."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from typing import Any
from urllib.parse import urlencode

from sources._core.clock import ManualClock
from sources._sandbox.scenario import Scenario
from sources._sandbox.server import Environment, Request, Response
from sources._sandbox.world import World, build_world
from sources.ebay.sandbox import EbaySandbox, create_app

SELLER = "ebay_one"
TODAY = datetime(2026, 5, 20, tzinfo=UTC)
ORDERS = "/sell/fulfillment/v1/order"
TOKEN = "/identity/v1/oauth2/token"
POST_ORDER = "/post-order/v2"
CONTENT: dict[str, Any] = {
    "seed": 8,
    "start": date(2026, 1, 10),
    "today": TODAY.date(),
    "orders_per_day": 8,
    "skus": 7,
    "languages": ["de", "en"],
    "inspection_share": 0.5,
    "accounts": [{"connector": "ebay", "name": SELLER, "marketplaces": ["US", "GB", "DE"]}],
}


@cache
def small_world() -> World:
    return build_world(Scenario.parse(CONTENT))


@dataclass
class Caller:
    """Calls the sandbox as a seller's application does."""

    app: EbaySandbox
    world: World
    tokens: dict[str, str] = field(default_factory=dict)

    def token(self, account: str = SELLER, **form: str) -> Response:
        secret = base64.b64encode(f"sandbox-{account}:sandbox-{account}".encode()).decode()
        content = {"grant_type": "refresh_token", "refresh_token": f"sandbox-{account}", **form}
        return self.app.handle(
            Request(
                "POST",
                TOKEN,
                headers={"authorization": f"Basic {secret}"},
                body=urlencode(content).encode(),
            )
        )

    def call(
        self,
        path: str,
        *,
        method: str = "GET",
        scheme: str | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Response:
        if SELLER not in self.tokens:
            self.tokens[SELLER] = json.loads(self.token().body)["access_token"]
        scheme = scheme or ("IAF" if path.startswith(POST_ORDER) else "Bearer")
        given = {"authorization": f"{scheme} {self.tokens[SELLER]}", "host": "apiz.ebay.com"}
        pairs = [(k, str(v)) for k, values in {**(query or {}), **more}.items()
                 for v in (values if isinstance(values, list) else [values])]  # fmt: skip
        return self.app.handle(Request(method, path, tuple(pairs), {**given, **(headers or {})}))

    def get(self, path: str, **query: Any) -> Any:
        response = self.call(path, **query)
        assert response.status == 200, response.body
        return json.loads(response.body)

    def orders(self, start: str, end: str, **more: Any) -> Any:
        by = more.pop("by", "lastmodifieddate")
        return self.get(ORDERS, filter=f"{by}:[{start}..{end}]", **more)


def caller(now: datetime = TODAY, **more: Any) -> Caller:
    api = more.pop("api", {})
    world = small_world()
    scenario = Scenario.parse({**CONTENT, "api": api})
    environment = Environment(world, scenario, ManualClock(now), **more)
    return Caller(create_app(environment), world)


def every_order(client: Caller, **more: Any) -> list[dict[str, Any]]:
    """All orders of the account, page by page."""
    found: list[dict[str, Any]] = []
    while True:
        page = client.orders(
            "2026-01-01T00:00:00.000Z", "2026-05-19T23:59:00.000Z", limit=200, offset=len(found),
            **more,
        )  # fmt: skip
        found += page["orders"]
        if "next" not in page:
            return found
