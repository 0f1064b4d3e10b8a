"""The shop itself, its products, variants, stock items and places, as objects of the Admin API.

Belongs here: what stands without any order. An object is a dictionary; what is costly to make, or
needs arguments, is a function in it, called when it is asked for.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sources._sandbox.world import geography

from .answers import amount_text, gid, moment
from .connections import listed
from .snapshot import Listed, Snapshot

Object = dict[str, Any]


class Catalogue:
    """Products, variants, stock items and places of a shop."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot

    def product(self, item: Listed) -> Object:
        return {
            "__typename": "Product",
            "id": gid("Product", 8_100_000_000 + item.product_no),
            "legacyResourceId": str(8_100_000_000 + item.product_no),
            "title": item.name,
            "handle": item.sku.lower(),
            "vendor": item.brand,
            "productType": "",
            "status": "ACTIVE",
            "tags": [],
            **_made(item),
        }

    def variant(self, item: Listed) -> Object:
        return {
            "__typename": "ProductVariant",
            "id": gid("ProductVariant", item.variant_id),
            "legacyResourceId": item.variant_id,
            "sku": item.listing_sku,
            "title": self.variant_title(item) or "Default Title",
            "displayName": item.name,
            "barcode": None,
            "price": "0.00",
            "product": lambda _info: self.product(item),
            "inventoryItem": lambda _info: self.stock_item(item),
            **_made(item),
        }

    def variant_title(self, item: Listed) -> str | None:
        return " / ".join(part for part in (item.size, item.colour) if part) or None

    def stock_item(self, item: Listed) -> Object:
        number = 4_500_000_000_000 + item.number
        market = self.snapshot.market
        cost = None
        if item.cost_minor is not None:
            cost = {
                "amount": amount_text(item.cost_minor, market["decimals"]),
                "currencyCode": market["currency"],
            }
        return {
            "__typename": "InventoryItem",
            "id": gid("InventoryItem", number),
            "legacyResourceId": str(number),
            "sku": item.listing_sku,
            "tracked": True,
            "requiresShipping": True,
            "duplicateSkuCount": 0,
            "countryCodeOfOrigin": "CN",
            "harmonizedSystemCode": None,
            "unitCost": cost,
            "variant": lambda _info: self.variant(item),
            "variants": listed([item], self.variant),
            **_made(item),
        }

    def location(self, name: str) -> Object:
        number = 9_000_000 + self.snapshot.centres.index(name)
        opened = "2024-01-01T00:00:00Z"
        return {
            "__typename": "Location",
            "id": gid("Location", number),
            "legacyResourceId": str(number),
            "name": name,
            "isActive": True,
            "fulfillsOnlineOrders": True,
            "createdAt": opened,
            "updatedAt": opened,
        }


def _made(item: Listed) -> Object:
    return {"createdAt": moment(item.launch), "updatedAt": moment(item.launch)}


def shop_object(snapshot: Snapshot, domain: str) -> Object:
    market = snapshot.market
    zone = ZoneInfo(market["time_zone"])
    offset = snapshot.moment.astimezone(zone).utcoffset() or timedelta()
    countries = {row["country"] for row in snapshot.orders.values()}
    opened = "2024-01-01T00:00:00Z"
    return {
        "__typename": "Shop",
        "id": gid("Shop", f"6{sum(map(ord, snapshot.account)):08d}"),
        "name": snapshot.account,
        "myshopifyDomain": domain,
        "currencyCode": market["currency"],
        "ianaTimezone": market["time_zone"],
        "enabledPresentmentCurrencies": sorted(
            {market["currency"], *(geography.country(c).currency for c in countries)}
        ),
        "timezoneOffsetMinutes": int(offset.total_seconds() // 60),
        "createdAt": opened,
        "updatedAt": opened,
    }
