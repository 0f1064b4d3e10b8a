"""The client of an account: that of its vendor.

Belongs here: choosing it, its key and its carriers. Does not belong here: calls
(`seventeentrack.py`, `aftership.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

from sources._core.clock import Clock
from sources._core.connector import AccountSettings, Check
from sources._core.errors import ConfigurationError

from .aftership import AftershipClient
from .config import CARRIER_COLUMNS, SEVENTEENTRACK, TrackingAccount
from .lists import carrier_keys
from .seventeentrack import SeventeentrackClient

TrackingClient = SeventeentrackClient | AftershipClient


def open_client(account: AccountSettings, clock: Clock) -> TrackingClient:
    """The client of the account's vendor."""
    if not isinstance(account, TrackingAccount):
        raise TypeError("an account of another connector")
    secret = account.secrets.get("api_key")
    if secret is None:
        raise ConfigurationError(
            f"account {account.name} has no secret api_key: add secrets.api_key with the name of "
            "the environment variable that holds it"
        )
    keys = carrier_keys(CARRIER_COLUMNS[account.provider], account.carrier_keys)
    key = secret.get_secret_value()
    if account.provider == SEVENTEENTRACK:
        return SeventeentrackClient(account, clock, key, keys)
    return AftershipClient(account, clock, key, keys)


def check(client: TrackingClient) -> Sequence[Check]:
    """What `aftersales check-config` tries."""
    return (client.check(),)
