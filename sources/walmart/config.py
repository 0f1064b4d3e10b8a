"""Settings of a Walmart account, addresses, versions, and the rates Walmart allows.

Belongs here: constants of the API and the `[[accounts]]` entry. Does not belong here: sending
requests (`client.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, ClassVar, Literal

import pydantic

from sources._core.connector import AccountSettings
from sources._core.limits import Rate

API_VERSION = "Marketplace v3 (US), Global 3.1 (CA, MX, CL)"
SUNSET_DATE: date | None = None  # Walmart has named none for these
GLOBAL_VERSION = "3.1"
BASE_URL = "https://marketplace.walmartapis.com"
TOKEN_PATH = "/v3/token"  # noqa: S105
USER_AGENT = "aftersales-warehouse/0.1"
SERVICE_NAME = "Walmart Marketplace"

MARKETS = ("us", "ca", "mx", "cl")
_PREFIX = "walmart_"

# Metrics of seller performance, by their paths. `refunds` is left out: it ends in March 2027.
METRICS = (
    "otd",
    "cancellations",
    "vtr",
    "srr",
    "negativeFeedback",
    "returns",
    "itemNotReceived",
    "lateShipment",
    "sss/ots",
    "sss/sfla",
    "sss/cma",
)
METRIC_DAYS = 60

# Requests a second and burst of each operation: the portal's table of April 2026, where each
# bucket refills little by little. Walmart tells what is left with its answers.
RATES: Mapping[str, Rate] = {
    "orders": Rate(5_000 / 60, 200),
    "returns": Rate(50 / 60, 50),
    "reconFile": Rate(100 / 60, 100),
    "availableReconFiles": Rate(100 / 60, 100),  # not in the table: believed
    "paymentStatement": Rate(15 / 60, 15),
    **{f"insights {metric}": Rate(1 / 60, 1) for metric in METRICS},
    "createReport": Rate(1 / 60, 5),  # "burst-limited": believed
    "listReports": Rate(200 / 60, 50),
    "reportStatus": Rate(20 / 3_600, 20),
    "downloadReport": Rate(20 / 3_600, 20),
}

ORDERS_PATH = "/v3/orders"
RETURNS_PATH = "/v3/returns"
ORDERS_A_PAGE = 200
RETURNS_A_PAGE = 200

ShipNode = Literal["SellerFulfilled", "WFSFulfilled", "3PLFulfilled"]


class WalmartAccount(AccountSettings):
    """One store in one market: Walmart gives a client id for each.

    - `order_days`: how far back orders are looked for by the day they were placed. Walmart shows
      7 days unless told, and keeps about 180.
    - `ship_nodes`: who ships; each is asked for by itself.
    - `wfs_returns`: ask once more with `isWFSEnabled=Y`, where returns to Walmart's own warehouses
      may be kept apart.
    - `wfs_report`, `report_wait_minutes`: read the report of returns to Walmart's warehouses (US),
      and how long a night waits for it. It takes 15 to 45 minutes; one that takes longer is read
      the next night.
    - `use_global`: read the US store by the Global APIs too; the other markets always are.
    - `channel_type`: the Consumer Channel Type of the application, if Walmart gave one.
    """

    secret_names: ClassVar[tuple[str, ...]] = ("client_id", "client_secret")

    marketplaces: tuple[str, ...] = (f"{_PREFIX}us",)
    order_days: Annotated[int, pydantic.Field(ge=8, le=730)] = 179
    ship_nodes: tuple[ShipNode, ...] = ("SellerFulfilled", "WFSFulfilled", "3PLFulfilled")
    wfs_returns: bool = True
    wfs_report: bool = True
    report_wait_minutes: Annotated[float, pydantic.Field(ge=0, le=600)] = 45.0
    use_global: bool = False
    channel_type: str | None = None

    @pydantic.field_validator("marketplaces")
    @classmethod
    def _complete(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        """`US` becomes `walmart_us`."""
        found = tuple(dict.fromkeys(_known(name) for name in names))
        if len(found) != 1:
            raise ValueError(
                "name one market: Walmart gives a client id for each store and market, so each is "
                'an account of its own, for example marketplaces = ["walmart_us"]'
            )
        return found

    @pydantic.field_validator("time_zones", "prices_include_tax")
    @classmethod
    def _complete_keys(cls, values: Mapping[str, object]) -> Mapping[str, object]:
        return {_known(name): value for name, value in values.items()}

    @property
    def market(self) -> str:
        """`us`, `ca`, `mx` or `cl`."""
        return self.marketplaces[0].removeprefix(_PREFIX)

    @property
    def is_global(self) -> bool:
        return self.use_global or self.market != "us"

    @property
    def market_headers(self) -> Mapping[str, str]:
        return {"WM_MARKET": self.market, "WM_GLOBAL_VERSION": GLOBAL_VERSION}

    @property
    def endpoint(self) -> str:
        return (self.base_url or BASE_URL).rstrip("/")

    @property
    def token_endpoint(self) -> str:
        return self.token_url or f"{self.endpoint}{TOKEN_PATH}"

    @property
    def orders_reach(self) -> timedelta:
        return timedelta(days=self.order_days)


def _known(name: str) -> str:
    market = name.strip().lower().removeprefix(_PREFIX)
    if market not in MARKETS:
        choices = ", ".join(_PREFIX + known for known in MARKETS)
        raise ValueError(f"marketplace {name!r} is not known; write one of {choices}")
    return _PREFIX + market
