"""Settings of a review app's account, addresses and page sizes of each app.

Belongs here: constants of the three APIs and the `[[accounts]]` entry. Does not belong here:
sending requests (`client.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar, Literal

from sources._core.connector import AccountSettings

Provider = Literal["judge_me", "yotpo", "okendo"]
BASE_URLS: Mapping[Provider, str] = {
    "judge_me": "https://judge.me",
    "yotpo": "https://api.yotpo.com",
    "okendo": "https://api.okendo.io",
}
PAGE = 100
OKENDO_VERSION = "2025-02-01"
API_VERSION = f"Judge.me v1, Yotpo v1, Okendo {OKENDO_VERSION}"
OKENDO_PATH = "/enterprise/reviews"
# Okendo tells no time of a change: reviews of half a year are read again each night.
OKENDO_LOOKBACK = timedelta(days=180)
YOTPO_TOKEN_PATH = "/oauth/token"  # noqa: S105
YOTPO_TOKEN_LIFE = 14 * 24 * 3600.0


class ReviewsAccount(AccountSettings):
    """One shop's account of a review app. Its secret is `secrets.api_key`: Judge.me's private API
    token, Yotpo's secret key, Okendo's API key.

    `app_id` is who asks: Judge.me's shop domain (brand.myshopify.com), Yotpo's app key, Okendo's
    user id.
    """

    secret_names: ClassVar[tuple[str, ...]] = ("api_key",)

    provider: Provider = "judge_me"
    app_id: str | None = None
    okendo_path: str = OKENDO_PATH

    def reads(self, stream: str) -> bool:
        """The stream of the account's own app."""
        return stream.startswith(self.provider)

    @property
    def identity(self) -> str:
        return self.app_id or self.name

    @property
    def endpoint(self) -> str:
        return (self.base_url or BASE_URLS[self.provider]).rstrip("/")

    @property
    def token_endpoint(self) -> str:
        return self.token_url or f"{self.endpoint}{YOTPO_TOKEN_PATH}"
