"""Settings of an eBay account, addresses, versions, rights and limits of the API.

Belongs here: constants of the API and the `[[accounts]]` entry. Does not belong here: sending
requests (`client.py`).
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import ClassVar, Literal

import pydantic

from sources._core.connector import AccountSettings

API_VERSION = "Fulfillment 1.20.7, Post-Order 2.8.0, Finances 1.17.2, Feedback 1.0.0"
USER_AGENT = "aftersales-warehouse/0.1"
TOKEN_PATH = "/identity/v1/oauth2/token"  # noqa: S105
APP_SCOPE = "https://api.ebay.com/oauth/api_scope"
HOSTS: Mapping[str, Mapping[str, str]] = {
    "production": {"api": "https://api.ebay.com", "apiz": "https://apiz.ebay.com"},
    "sandbox": {"api": "https://api.sandbox.ebay.com", "apiz": "https://apiz.sandbox.ebay.com"},
}

ORDERS_SHOWN = timedelta(days=730)
POST_ORDER_SHOWN = timedelta(days=548)  # 18 months, as payment disputes
CONSENT_LIFE = timedelta(seconds=47_304_000)  # of a refresh token, where its answer tells none
WARN_BEFORE = timedelta(days=30)

# Sellers registered here must sign what they ask of Finances (EU and United Kingdom).
SIGNING_COUNTRIES = frozenset(
    {
        "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GR", "HR", "HU",
        "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
    }
)  # fmt: skip

# API -> context and name under which its quota is listed, and the right that it needs.
APIS: Mapping[str, tuple[str, str, str]] = {
    "fulfillment": ("sell", "fulfillment", "sell.fulfillment.readonly"),
    "post-order": ("sell", "post-order", "sell.fulfillment"),
    "dispute": ("sell", "fulfillment", "sell.payment.dispute"),
    "finances": ("sell", "finances", "sell.finances"),
    "feedback": ("commerce", "feedback", "commerce.feedback.readonly"),
    "identity": ("commerce", "identity", "commerce.identity.readonly"),
    "analytics": ("sell", "analytics", "sell.analytics.readonly"),
}
METRIC_TYPES = ("ITEM_NOT_AS_DESCRIBED", "ITEM_NOT_RECEIVED")
METRIC_CYCLES = ("CURRENT", "PROJECTED")

_PREFIX = "ebay_"
_OTHER_NAMES = {"uk": "gb"}
_FILE = Path(__file__).with_name("marketplaces.csv")


@functools.cache
def marketplace_ids() -> Mapping[str, str]:
    """eBay's id of each marketplace by our name."""
    with _FILE.open(encoding="utf-8", newline="") as file:
        return {row["marketplace"]: row["marketplace_id"] for row in csv.DictReader(file)}


class EbayAccount(AccountSettings):
    """One seller of eBay, who sells on all its sites by one account.

    `marketplaces` are those whose service metrics are read; the first is the seller's home.
    Orders of every site come, whatever stands there. `seller_country` is where the seller is
    registered: EU and UK sellers need `secrets.signing_key` and `secrets.signing_jwe` for money.
    `consent_given_on` is the day the seller allowed the application in; a warning comes 30 days
    before it runs out. `user_id` is the seller's own id, asked for where it is not given.
    """

    secret_names: ClassVar[tuple[str, ...]] = ("client_id", "client_secret", "refresh_token")

    marketplaces: tuple[str, ...] = ("ebay_us",)
    environment: Literal["production", "sandbox"] = "production"
    seller_country: str | None = pydantic.Field(default=None, pattern=r"^[A-Z]{2}$")
    consent_given_on: date | None = None
    user_id: str | None = None

    @pydantic.field_validator("marketplaces")
    @classmethod
    def _complete(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        """`DE` becomes `ebay_de`."""
        return tuple(dict.fromkeys(map(_known, names))) or ("ebay_us",)

    @pydantic.field_validator("time_zones", "prices_include_tax")
    @classmethod
    def _complete_keys(cls, values: Mapping[str, object]) -> Mapping[str, object]:
        return {_known(name): value for name, value in values.items()}

    @property
    def home_marketplace(self) -> str:
        return marketplace_ids()[self.marketplaces[0]]

    @property
    def token_endpoint(self) -> str:
        return self.token_url or f"{self.host('api')}{TOKEN_PATH}"

    @property
    def must_sign(self) -> bool:
        return self.seller_country in SIGNING_COUNTRIES

    def host(self, name: str) -> str:
        """Address of `api` or `apiz`; base_url stands for both unless extra_base_urls says more."""
        given = self.extra_base_urls.get(name) or self.base_url
        return (given or HOSTS[self.environment][name]).rstrip("/")


def _known(name: str) -> str:
    short = name.strip().lower().removeprefix(_PREFIX)
    found = _PREFIX + _OTHER_NAMES.get(short, short)
    if found not in marketplace_ids():
        choices = ", ".join(marketplace_ids())
        raise ValueError(f"marketplace {name!r} is not known; write one of {choices}")
    return found
