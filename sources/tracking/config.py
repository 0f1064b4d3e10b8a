"""Settings of an account, addresses, versions and limits of the vendors.

Belongs here: constants of the APIs and the `[[accounts]]` entry. Does not belong here: sending
requests (`seventeentrack.py`, `aftership.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import ClassVar, Literal

import pydantic

from sources._core.connector import AccountSettings

API_VERSION = "17TRACK v2.4, AfterShip 2026-07"
SUNSET_DATE: date | None = None

Provider = Literal["seventeentrack", "aftership"]


class TrackingAccount(AccountSettings):
    """An account of a tracking service. Its secret is `secrets.api_key`.

    - `provider`: whose account it is.
    - `carrier_keys`: the vendor's key (17TRACK) or slug (AfterShip) of carriers, by our word for
      the carrier; they come before those of `carriers.csv`.
    """

    secret_names: ClassVar[tuple[str, ...]] = ("api_key",)

    connector: str = "tracking"
    provider: Provider = "seventeentrack"
    carrier_keys: Mapping[str, str] = {}

    @pydantic.field_validator("carrier_keys", mode="before")
    @classmethod
    def _keys_as_text(cls, value: object) -> object:
        """17TRACK's keys are whole numbers, and people write them so."""
        if isinstance(value, Mapping):
            return {carrier: str(key) for carrier, key in value.items()}
        return value
