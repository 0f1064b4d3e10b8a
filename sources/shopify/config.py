"""Settings of a Shopify account, the pinned API version, the rights it needs, sizes of pages.

Belongs here: constants of the API and the `[[accounts]]` entry. Does not belong here: sending
requests (`client.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import ClassVar, Self

import pydantic

from sources._core.connector import AccountSettings

API_VERSION = "2026-10"
SUNSET_DATE = date(2027, 10, 1)  # a version lives at least twelve months
USER_AGENT = "aftersales-warehouse/0.1"
TOKEN_PATH = "/admin/oauth/access_token"  # noqa: S105
GRAPHQL_PATH = f"/admin/api/{API_VERSION}/graphql.json"

# Without the right to all orders Shopify shows these only, and says nothing of the others.
ORDERS_SHOWN = timedelta(days=60)
ALL_ORDERS_SCOPE = "read_all_orders"
ORDERS_SCOPE = "read_orders"

# Right -> what is missing without it.
SCOPES: Mapping[str, str] = {
    ORDERS_SCOPE: "orders, refunds, shipments: nothing can be read",
    ALL_ORDERS_SCOPE: "orders older than 60 days and their refunds and returns",
    "read_returns": "returns and exchanges",
    "read_customers": "the hash by which orders of one buyer are recognised",
    "read_products": "variants and SKUs of variants",
    "read_inventory": "unit costs",
    "read_locations": "the warehouse of a shipment and of returned goods",
    "read_shopify_payments_disputes": "chargebacks and inquiries",
}

# Pages of each operation: objects of every connection in it. Where Shopify says that a query costs
# too much, all of an operation's sizes are halved for the rest of the night.
SIZES: Mapping[str, Mapping[str, int]] = {
    "OrdersCount": {},
    "OrdersWindow": {"first": 10, "lines": 20, "shipments": 5, "parts": 20},
    "OrderLineItems": {"lines": 100},
    "OrderFulfillments": {"shipments": 20, "parts": 20},
    "FulfillmentParts": {"parts": 100},
    "OrderHeaders": {"first": 100},
    "RefundFull": {"parts": 50},
    "OrderReturns": {"first": 5, "parts": 20},
    "ReturnParts": {"parts": 50},
    "ReturnReverse": {"orders": 5, "parts": 20},
    "InventoryItems": {"first": 100},
    "Disputes": {"first": 100},
    "ReasonLibrary": {"first": 100},
}
LARGEST_PAGE = 250
MOST_ORDERS = 25_000  # paging fails beyond; counts stop one later
BULK_FROM = timedelta(days=14)  # longer windows are read by a bulk operation

_SHOP = re.compile(r"[a-z0-9][a-z0-9-]*\.myshopify\.com")


class ShopifyAccount(AccountSettings):
    """One shop: an own marketplace, `shopify_<account>`.

    Secrets are `client_id` and `client_secret` of an app of the Dev Dashboard, or `access_token`,
    the lasting token of an app that was made in the shop's admin before 2026.
    """

    secret_names: ClassVar[tuple[str, ...]] = ("client_id", "client_secret")
    other_secret_names: ClassVar[tuple[str, ...]] = ("access_token",)

    shop: str | None = None

    @pydantic.field_validator("shop")
    @classmethod
    def _complete_shop(cls, shop: str | None) -> str | None:
        """`brand` becomes `brand.myshopify.com`."""
        if shop is None:
            return None
        name = shop.strip().lower().removeprefix("https://").rstrip("/")
        name = name if "." in name else f"{name}.myshopify.com"
        if not _SHOP.fullmatch(name):
            raise ValueError(
                "write the shop's own address, for example brand.myshopify.com, not that of its "
                "storefront; it stands in the admin under Settings, Domains"
            )
        return name

    @pydantic.model_validator(mode="after")
    def _one_marketplace(self) -> Self:
        if self.marketplaces and self.marketplaces != (self.marketplace,):
            raise ValueError(
                f"a shop is one marketplace: leave out marketplaces, it is named {self.marketplace}"
            )
        # frozen: the one value that follows from another is put in place here
        object.__setattr__(self, "marketplaces", (self.marketplace,))
        return self

    @property
    def marketplace(self) -> str:
        return f"shopify_{self.name}"

    @property
    def endpoint(self) -> str:
        return (self.base_url or f"https://{self.shop}").rstrip("/")

    @property
    def token_endpoint(self) -> str:
        return self.token_url or f"{self.endpoint}{TOKEN_PATH}"
