"""Shopify: orders, refunds, returns, disputes, unit costs of a shop by its Admin GraphQL API."""

from sources._core.connector import Connector

from .checks import check_account
from .client import open_account
from .config import API_VERSION, SUNSET_DATE, ShopifyAccount
from .streams import STREAMS

CONNECTOR = Connector(
    name="shopify",
    streams=STREAMS,
    settings=ShopifyAccount,
    open=open_account,
    check=check_account,
    account_kind="own_shop",
    api_version=API_VERSION,
    sunset_date=SUNSET_DATE,
)
