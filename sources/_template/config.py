"""Settings of an account, addresses, the pinned API version and its rates.

Belongs here: constants of the API and the `[[accounts]]` entry. Does not belong here: sending
requests (`client.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import ClassVar

from sources._core.connector import AccountSettings
from sources._core.limits import Rate

API_VERSION = "2026-01"
SUNSET_DATE: date | None = None
BASE_URL = "https://api.template.example"

# Requests a second and burst of each operation, as the API documents them.
RATES: Mapping[str, Rate] = {"orders": Rate(2, 10), "returns": Rate(2, 10)}


class TemplateSettings(AccountSettings):
    """One account. Its secret is `secrets.api_key`."""

    secret_names: ClassVar[tuple[str, ...]] = ("api_key",)

    marketplaces: tuple[str, ...]
