"""Fulfillment Inbound 2024-03-20: plans of goods sent to Amazon's centres, and their items.

Belongs here: lists of plans and items, with the lot and the expiry that the seller typed in. A plan
is told of once its goods were checked in.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any

import msgspec
import polars as pl

from sources._core.clock import Clock
from sources._sandbox.server import Request, Response
from sources._sandbox.snapshots import Snapshots
from sources._sandbox.world.tables import World

from .answers import api_time, invalid, json_response, not_found
from .snapshot import Snapshot

_ADDRESS = {
    "name": "Sandbox Seller",
    "addressLine1": "1 Factory Road",
    "city": "Hangzhou",
    "countryCode": "CN",
    "postalCode": "310000",
}
_BEFORE = timedelta(days=12)


@dataclass
class Inbound:
    """Answers for inbound plans of all accounts."""

    world: World
    clock: Clock
    snapshots: Snapshots[str, Snapshot]

    def plans(self, account: str, request: Request) -> Response:
        """`GET /inbound/fba/2024-03-20/inboundPlans`."""
        query = {name: _one(request, name) for name in ("status", "sortBy", "sortOrder")}
        if (query["status"] or "SHIPPED") not in ("ACTIVE", "VOIDED", "SHIPPED"):
            raise invalid("status: ACTIVE, VOIDED or SHIPPED.")
        if (query["sortBy"] or "CREATION_TIME") not in ("LAST_UPDATED_TIME", "CREATION_TIME"):
            raise invalid("sortBy: LAST_UPDATED_TIME or CREATION_TIME.")
        if (query["sortOrder"] or "DESC") not in ("ASC", "DESC"):
            raise invalid("sortOrder: ASC or DESC.")
        found = self._plans(account)
        if query["status"] in ("ACTIVE", "VOIDED"):
            found = []
        if query["sortOrder"] != "ASC":
            found = found[::-1]
        return _page(request, "inboundPlans", found, 10, 30, str(query))

    def plan(self, account: str, identifier: str) -> Response:
        """`GET .../inboundPlans/{inboundPlanId}`."""
        for plan in self._plans(account):
            if plan["inboundPlanId"] == identifier:
                return json_response(plan)
        raise not_found(f"Inbound plan {identifier} does not exist.")

    def items(self, account: str, identifier: str, request: Request) -> Response:
        """`GET .../inboundPlans/{inboundPlanId}/items`."""
        receipts = {_plan_id(account, number): number for number in self._numbers(account)}
        if identifier not in receipts:
            raise not_found(f"Inbound plan {identifier} does not exist.")
        rows = (
            self._received(account)
            .filter(pl.col("receipt_id") == receipts[identifier])
            .join(self.world.lots.select("lot_id", "expiry_date"), on="lot_id", how="left")
            .join(self.snapshots.at(account, self.clock.now()).products, on="sku", how="left")
            .join(self._listings(account), on="sku", how="left")
            .sort("line_no")
        )
        items = [_item(row) for row in rows.iter_rows(named=True)]
        return _page(request, "items", items, 10, 1000, identifier)

    def _received(self, account: str) -> pl.DataFrame:
        now = self.clock.now().astimezone(UTC).replace(tzinfo=None)
        return self.world.receipts.filter(
            pl.col("account") == account, pl.col("received_at") <= now
        )

    def _numbers(self, account: str) -> list[str]:
        return self._received(account)["receipt_id"].unique(maintain_order=True).to_list()

    def _listings(self, account: str) -> pl.DataFrame:
        return self.world.listings.filter(pl.col("account") == account).select("sku", "listing_sku")

    def _plans(self, account: str) -> list[dict[str, Any]]:
        """All plans, the one that changed last at the end."""
        places = self.world.marketplaces.filter(pl.col("account") == account).select(
            "country", "marketplace_id"
        )
        rows = (
            self._received(account)
            .group_by("receipt_id", "country", maintain_order=True)
            .agg(pl.col("received_at").min().alias("first"), pl.col("received_at").max())
            .join(places, on="country", how="left", maintain_order="left")
            .with_columns(pl.col("marketplace_id").fill_null(places["marketplace_id"][0]))
            .sort("received_at", "receipt_id")
        )
        return [
            {
                "inboundPlanId": _plan_id(account, row["receipt_id"]),
                "name": row["receipt_id"],
                "status": "SHIPPED",
                "createdAt": api_time((row["first"] - _BEFORE).replace(tzinfo=UTC)),
                "lastUpdatedAt": api_time(row["received_at"].replace(tzinfo=UTC)),
                "marketplaceIds": [row["marketplace_id"]],
                "sourceAddress": _ADDRESS,
            }
            for row in rows.iter_rows(named=True)
        ]


def _plan_id(account: str, receipt: str) -> str:
    return "wf" + str(uuid.uuid5(uuid.NAMESPACE_OID, f"{account}|{receipt}"))


def _item(row: dict[str, Any]) -> dict[str, Any]:
    content = {
        "msku": row["listing_sku"] or row["sku"],
        "asin": row["asin"],
        "fnsku": row["fnsku"],
        "quantity": row["quantity_received"],
        "labelOwner": "SELLER",
        "prepInstructions": [{"prepOwner": "SELLER", "prepType": "ITEM_POLYBAGGING"}],
        "manufacturingLotCode": row["lot_id"],
    }
    if row["expiry_date"] is not None:
        content["expiration"] = row["expiry_date"].isoformat()
    return content


def _one(request: Request, name: str) -> str | None:
    return next(iter(request.values(name)), None)


def _page(
    request: Request, name: str, found: list[dict[str, Any]], usual: int, most: int, query: str
) -> Response:
    """A page of a list; the token goes with the query that it came from."""
    text = _one(request, "pageSize") or str(usual)
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise invalid(f"pageSize: a number between 1 and {most}.")
    offset = 0
    if token := _one(request, "paginationToken"):
        try:
            content = msgspec.json.decode(bytes.fromhex(token))
            offset = int(content["o"])
        except (ValueError, KeyError, TypeError, msgspec.DecodeError) as error:
            raise invalid("paginationToken is not valid.") from error
        if content["q"] != query:
            raise invalid("paginationToken is not valid for these arguments.")
    end = offset + int(text)
    content = {name: found[offset:end]}
    if end < len(found):
        following = msgspec.json.encode({"o": end, "q": query}).hex()
        content["pagination"] = {"nextToken": following}
    return json_response(content)
