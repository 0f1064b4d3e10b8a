"""Settings of a desk, addresses and rates of its vendor, what of it is believed and not proven.

Belongs here: constants of the two APIs and the `[[accounts]]` entry. Does not belong here: sending
requests (`client.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar, Literal

import pydantic

from sources._core.connector import AccountSettings
from sources._core.limits import Rate

API_VERSION = "v2"  # of Zendesk; Gorgias has none, and neither says when a version ends
Provider = Literal["zendesk", "gorgias"]
HOSTS: Mapping[Provider, str] = {"zendesk": "zendesk.com", "gorgias": "gorgias.com"}

EXPORT_PAGE = 1000
LIST_PAGE = 100
# The exports leave out the last minute before a request.
EXPORT_LAG = timedelta(minutes=1)
GORGIAS_LIMIT = "X-Gorgias-Account-Api-Call-Limit"
GORGIAS_SECONDS = 20.0
GORGIAS_RATE = Rate(per_second=2, burst=40)

# Messages of these channels are no human's. On Zendesk `api` is how integrations of marketplaces
# write in a person's name.
AUTOMATIC_VIA: Mapping[Provider, tuple[str, ...]] = {
    "zendesk": ("rule", "system"),
    "gorgias": ("rule", "api"),
}

# Amazon; eBay; Walmart's number for the buyer; TikTok Shop; a shop's number, with letters before it
# or a #. Bare digits of other lengths are phones, articles, parcels. Chinese has no spaces.
ORDER_PATTERN = (
    r"(?<![0-9A-Za-z])(?:\d{3}-\d{7}-\d{7}|\d{2}-\d{5}-\d{5}|20\d{13}|5[78]\d{16}"
    r"|[A-Za-z]{2,4}-\d{6,14})(?![0-9A-Za-z])|#\d{3,10}(?![0-9])"
)


class HelpdeskAccount(AccountSettings):
    """One desk. Secrets are `email` and `api_token` (Zendesk) or API key (Gorgias) of a user, or
    `access_token` of OAuth.

    A ticket's order is looked for in `order_field`, then by `order_pattern` in subject and tags,
    then in the external id. `brands` gives the marketplace of a brand, `teams` the team of the
    settings for a group. `topic_field` holds what a ticket is about; else its tags are looked up.
    `metrics = "list"` reads metrics from their own list where the export does not carry them.
    `satisfaction = "surveys"`: the desk has the newer surveys, the older ratings are not asked for.
    """

    secret_names: ClassVar[tuple[str, ...]] = ("email", "api_token")
    other_secret_names: ClassVar[tuple[str, ...]] = ("access_token",)

    provider: Provider = "zendesk"
    subdomain: str | None = pydantic.Field(default=None, pattern=r"^[a-z0-9][a-z0-9-]*$")
    order_field: str | None = None
    order_pattern: str = ORDER_PATTERN
    topic_field: str | None = None
    brands: Mapping[str, str] = {}
    teams: Mapping[str, str] = {}
    automatic_via: tuple[str, ...] | None = None
    satisfaction: Literal["ratings", "surveys"] = "ratings"
    metrics: Literal["side_load", "list"] = "side_load"
    exports_per_minute: int = pydantic.Field(default=10, ge=1)
    requests_per_minute: int = pydantic.Field(default=200, ge=1)

    @pydantic.field_validator("order_pattern")
    @classmethod
    def _is_pattern(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"order_pattern is no regular expression: {error}") from None
        return pattern

    def reads(self, stream: str) -> bool:
        """Streams of the account's own vendor, as far as its settings want them."""
        unwanted = {
            "zendesk_ticket_metrics": self.metrics != "list",
            "zendesk_satisfaction_ratings": self.satisfaction != "ratings",
        }
        return stream.startswith(self.provider) and not unwanted.get(stream, False)

    @property
    def endpoint(self) -> str:
        return (self.base_url or f"https://{self.subdomain}.{HOSTS[self.provider]}").rstrip("/")

    @property
    def automatic(self) -> tuple[str, ...]:
        """Channels whose messages are automatic."""
        given = self.automatic_via
        return AUTOMATIC_VIA[self.provider] if given is None else given
