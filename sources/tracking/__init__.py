"""Parcels as 17TRACK or AfterShip know them, and the lists that every source of parcels needs."""

from sources._core.connector import Connector

from .client import check, open_client
from .config import API_VERSION, SUNSET_DATE, TrackingAccount
from .streams import STREAMS

CONNECTOR = Connector(
    name="tracking",
    streams=STREAMS,
    settings=TrackingAccount,
    open=open_client,
    check=check,
    account_kind="tracking",
    api_version=API_VERSION,
    sunset_date=SUNSET_DATE,
    serves_all=True,
)
