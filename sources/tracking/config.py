"""Settings of an account, addresses, versions and limits of the vendors.

Belongs here: constants of the APIs and the `[[accounts]]` entry. Does not belong here: sending
requests (`seventeentrack.py`, `aftership.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import ClassVar, Literal

import pydantic

from sources._core.connector import AccountSettings, OpenParcel
from sources._core.limits import Rate

API_VERSION = "17TRACK v2.4, AfterShip 2026-07"
SUNSET_DATE: date | None = None

Provider = Literal["seventeentrack", "aftership"]
SEVENTEENTRACK: Provider = "seventeentrack"
AFTERSHIP: Provider = "aftership"

BASE_URLS: Mapping[Provider, str] = {
    SEVENTEENTRACK: "https://api.17track.net",
    AFTERSHIP: "https://api.aftership.com",
}
CARRIER_COLUMNS: Mapping[Provider, str] = {
    SEVENTEENTRACK: "seventeentrack_key",
    AFTERSHIP: "aftership_slug",
}
# Requests a second as documented; AfterShip's answers tell the rates of today.
RATES: Mapping[str, Rate] = {
    "17track": Rate(3, 1),
    "aftership_create": Rate(20, 1),
    "aftership_list": Rate(6, 1),
}

NUMBERS_PER_CALL = 40  # of 17TRACK, in every call
TRACKINGS_PER_PAGE = 200  # of AfterShip
AFTERSHIP_KEEPS = timedelta(days=120)
AFTERSHIP_WARNS = timedelta(days=100)


class TrackingAccount(AccountSettings):
    """An account of a tracking service. Its secret is `secrets.api_key`.

    - `provider`: whose account it is.
    - `carrier_keys`: the vendor's key (17TRACK) or slug (AfterShip) of carriers, by our word for
      the carrier; they come before those of `carriers.csv`.
    - `registers`: whether open parcels of the warehouse are made known to the service. A number
      costs one unit of 17TRACK's quota.
    - `follows`: parcels of which kind of fulfilment are made known; a marketplace tells of its own.
    - `follow_days`: a parcel is made known at most so many days after it was sent.
    - `open_parcels`: filled by the night from its last build, not by people.
    """

    secret_names: ClassVar[tuple[str, ...]] = ("api_key",)

    connector: str = "tracking"
    provider: Provider = SEVENTEENTRACK
    carrier_keys: Mapping[str, str] = {}
    registers: bool = True
    follows: tuple[Literal["seller", "third_party", "marketplace"], ...] = ("seller", "third_party")
    follow_days: int = pydantic.Field(default=60, ge=1, le=120)
    open_parcels: Sequence[OpenParcel] = ()

    @pydantic.field_validator("carrier_keys", mode="before")
    @classmethod
    def _keys_as_text(cls, value: object) -> object:
        """17TRACK's keys are whole numbers, and people write them so."""
        if isinstance(value, Mapping):
            return {carrier: str(key) for carrier, key in value.items()}
        return value

    @property
    def address(self) -> str:
        return self.base_url or BASE_URLS[self.provider]

    def reads(self, stream: str) -> bool:
        """Streams of the account's own vendor."""
        return stream.startswith(self.provider)

    def parcels_to_follow(self, today: date) -> list[OpenParcel]:
        """Open parcels that the service may be asked to follow, the latest first."""
        if not self.registers:
            return []
        oldest = today - timedelta(days=self.follow_days)
        wanted = [
            parcel
            for parcel in self.open_parcels
            if parcel.fulfilled_by in self.follows and parcel.sent_on >= oldest
        ]
        return sorted(wanted, key=lambda p: (-p.sent_on.toordinal(), p.tracking_number, p.carrier))
