"""Settings of an Amazon account, addresses, versions and the rates Amazon allows.

Belongs here: constants of the API and the `[[accounts]]` entry. Does not belong here: sending
requests (`client.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, ClassVar, Literal

import pydantic

from sources._core.connector import AccountSettings
from sources._core.limits import Rate

from .marketplaces import Marketplace, all_marketplaces, find_marketplace

API_VERSION = (
    "orders 2026-01-01, reports 2021-06-30, finances 2024-06-19, fulfillment inbound 2024-03-20, "
    "customer feedback 2024-06-01"
)
USER_AGENT = "aftersales-warehouse/0.1 (Language=Python)"
LOGIN_URL = "https://api.amazon.com/auth/o2/token"
BASE_URLS: Mapping[str, str] = {
    "NA": "https://sellingpartnerapi-na.amazon.com",
    "EU": "https://sellingpartnerapi-eu.amazon.com",
    "FE": "https://sellingpartnerapi-fe.amazon.com",
}

# Requests a second and burst of each operation, from the official models; an answer's
# x-amzn-RateLimit-Limit replaces the rate.
RATES: Mapping[str, Rate] = {
    "searchOrders": Rate(0.0056, 20),
    "createReport": Rate(0.0167, 15),
    "getReport": Rate(2.0, 15),
    "getReports": Rate(0.0222, 10),
    "getReportDocument": Rate(0.0167, 15),
    "listTransactions": Rate(0.5, 10),
    "listInboundPlans": Rate(2.0, 6),
    "listInboundPlanItems": Rate(2.0, 6),
    "getItemReviewTopics": Rate(1.0, 1),  # the model states none
    "getMarketplaceParticipations": Rate(0.016, 15),
}

# Orders and Finances: `...Before` must lie at least this far in the past.
FRESHEST = timedelta(minutes=2)
PAGE_TOKEN_LIFE = timedelta(hours=24)
ORDERS_KEPT = timedelta(days=730)
REPORTS_KEPT = timedelta(days=90)

# What one page of orders may hold. BUYER is never asked for: personal data.
ORDER_DATA = ("PROCEEDS", "CANCELLATION", "FULFILLMENT", "PACKAGES")
RECIPIENT_DATA = "RECIPIENT"
MAX_ORDERS_A_PAGE = 100


class AmazonAccount(AccountSettings):
    """One seller in one region (NA, EU or FE): Amazon gives a refresh token for each.

    `include_recipient` asks the Orders API for city, state and country of delivery; reports give
    these anyway, and it needs a restricted role. `order_hours_per_night` bounds the Orders API,
    which gives 100 orders every three minutes; what is left is read the next night.
    `seller_returns` is the form in which returns of seller-fulfilled orders are read; the XML one
    lacks the delivery of the return, invoice and SAFE-T claim. `review_asins` are the child ASINs
    whose review topics are read once a week.
    """

    secret_names: ClassVar[tuple[str, ...]] = ("refresh_token", "client_id", "client_secret")

    marketplaces: tuple[str, ...]
    include_recipient: bool = False
    order_hours_per_night: Annotated[float, pydantic.Field(gt=0, le=20)] = 8.0
    seller_returns: Literal["flat", "xml"] = "flat"
    review_asins: tuple[Annotated[str, pydantic.Field(pattern=r"^[A-Z0-9]{10}$")], ...] = ()

    @pydantic.field_validator("marketplaces")
    @classmethod
    def _complete(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        """`DE` becomes `amazon_de`."""
        if not names:
            raise ValueError('name at least one marketplace, for example ["amazon_de"]')
        return tuple(dict.fromkeys(_known(name).name for name in names))

    @pydantic.field_validator("time_zones", "prices_include_tax")
    @classmethod
    def _complete_keys(cls, values: Mapping[str, object]) -> Mapping[str, object]:
        return {_known(name).name: value for name, value in values.items()}

    @pydantic.model_validator(mode="after")
    def _one_region(self) -> AmazonAccount:
        regions: dict[str, list[str]] = {}
        for marketplace in self.own_marketplaces:
            regions.setdefault(marketplace.region_group, []).append(marketplace.name)
        if len(regions) > 1:
            split = "; ".join(f"{region}: {', '.join(names)}" for region, names in regions.items())
            raise ValueError(
                f"marketplaces of account {self.name} lie in several regions ({split}). Amazon "
                "gives one refresh token for each region: make one account for each"
            )
        return self

    @property
    def own_marketplaces(self) -> tuple[Marketplace, ...]:
        """The account's marketplaces; the first is its home."""
        return tuple(_known(name) for name in self.marketplaces)

    @property
    def marketplace_ids(self) -> tuple[str, ...]:
        return tuple(marketplace.marketplace_id for marketplace in self.own_marketplaces)

    @property
    def region(self) -> str:
        return self.own_marketplaces[0].region_group

    @property
    def endpoint(self) -> str:
        return self.base_url or BASE_URLS[self.region]

    @property
    def token_endpoint(self) -> str:
        return self.token_url or LOGIN_URL

    @property
    def order_data(self) -> tuple[str, ...]:
        return (*ORDER_DATA, RECIPIENT_DATA) if self.include_recipient else ORDER_DATA


def _known(name: str) -> Marketplace:
    found = find_marketplace(name)
    if found is None:
        choices = ", ".join(marketplace.name for marketplace in all_marketplaces().values())
        raise ValueError(f"marketplace {name!r} is not known; write one of {choices}")
    return found
