"""A small world with two Walmart stores, and a caller of their sandbox, for its tests."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlencode

from sources._core.clock import ManualClock
from sources._sandbox.scenario import Scenario
from sources._sandbox.server import Environment, Request, Response
from sources._sandbox.world import World, build_world
from sources.walmart.sandbox import WalmartSandbox, create_app

STORE, ABROAD = "wm_us", "wm_abroad"
TODAY = datetime(2026, 5, 20, tzinfo=UTC)
ORDERS, RETURNS = "/v3/orders", "/v3/returns"
CONTENT: dict[str, Any] = {
    "seed": 3,
    "start": date(2026, 1, 10),
    "today": TODAY.date(),
    "orders_per_day": 10,
    "skus": 7,
    "languages": ["en", "es"],
    "inspection_share": 0.5,
    "accounts": [
        {
            "connector": "walmart",
            "name": STORE,
            "marketplaces": ["US"],
            "share": 2.0,
            "fulfilled_by_marketplace": 0.6,
        },
        {"connector": "walmart", "name": ABROAD, "marketplaces": ["CA", "MX"]},
    ],
}
START = "2026-01-01T00:00:00Z"


@cache
def small_world() -> World:
    return build_world(Scenario.parse(CONTENT))


@dataclass
class Caller:
    """Calls the sandbox as a store's application does."""

    app: WalmartSandbox
    tokens: dict[str, str] = field(default_factory=dict)

    def token(self, account: str = STORE, secret: str | None = None) -> Response:
        pair = f"sandbox-{account}:{secret or f'sandbox-{account}'}"
        headers = {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
        body = urlencode({"grant_type": "client_credentials"}).encode()
        return self.app.handle(Request("POST", "/v3/token", (), self.common | headers, body))

    @property
    def common(self) -> dict[str, str]:
        return {"wm_qos.correlation_id": "1", "wm_svc.name": "Walmart Marketplace"}

    def call(
        self,
        path: str,
        query: str | Mapping[str, Any] = "",
        *,
        account: str = STORE,
        market: str = "us",
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Response:
        if account not in self.tokens:
            self.tokens[account] = json.loads(self.token(account).body)["access_token"]
        raw = query.removeprefix("?") if isinstance(query, str) else urlencode(query)
        given = self.common | {"wm_sec.access_token": self.tokens[account]}
        if market != "us":
            given |= {"wm_market": market, "wm_global_version": "3.1"}
        pairs = tuple(parse_qsl(raw, keep_blank_values=True))
        request = Request(method, path, pairs, given | dict(headers or {}), body, raw)
        return self.app.handle(request)

    def get(self, path: str, query: str | Mapping[str, Any] = "", **more: Any) -> Any:
        response = self.call(path, query, **more)
        assert response.status == 200, response.body
        return json.loads(response.body)

    def every_order(self, **asked: Any) -> list[dict[str, Any]]:
        more = {name: asked.pop(name) for name in ("account", "market") if name in asked}
        query: Any = {"createdStartDate": START, "limit": 200, **asked}
        found: list[dict[str, Any]] = []
        while query:
            page = self.get(ORDERS, query, **more)["list"]
            found += page["elements"]["order"]
            cursor = page["meta"].get("nextCursor", "")
            query = cursor if "hasMoreElements=true" in cursor else ""
        return found

    def every_return(self, path: str = RETURNS, **asked: Any) -> list[dict[str, Any]]:
        more = {name: asked.pop(name) for name in ("account", "market") if name in asked}
        query: Any = {"limit": 50, **asked}
        found: list[dict[str, Any]] = []
        while query:
            page = self.get(path, query, **more)
            found += page["returnOrders"]
            query = page["meta"]["nextCursor"]
        return found


def caller(now: datetime = TODAY, **more: Any) -> Caller:
    api = more.pop("api", {})
    scenario = Scenario.parse({**CONTENT, "api": api})
    clock = more.pop("clock", None) or ManualClock(now)
    return Caller(create_app(Environment(small_world(), scenario, clock, **more)))
