"""Walmart: orders, returns, payments and seller performance of one store in one market."""

from sources._core.connector import Connector

from .checks import check_account
from .client import open_account
from .config import API_VERSION, SUNSET_DATE, WalmartAccount
from .downloads import DOWNLOADS
from .streams import STREAMS

CONNECTOR = Connector(
    name="walmart",
    streams=STREAMS,
    settings=WalmartAccount,
    open=open_account,
    check=check_account,
    account_kind="marketplace",
    api_version=API_VERSION,
    sunset_date=SUNSET_DATE,
    downloads=DOWNLOADS,
)
