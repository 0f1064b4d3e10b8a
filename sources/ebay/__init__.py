"""eBay: orders, returns, cases, money, feedback of a seller by the REST and Post-Order APIs."""

from sources._core.connector import Connector

from .checks import check_account
from .client import open_account
from .config import API_VERSION, EbayAccount
from .streams import STREAMS

CONNECTOR = Connector(
    name="ebay",
    streams=STREAMS,
    settings=EbayAccount,
    open=open_account,
    check=check_account,
    account_kind="marketplace",
    api_version=API_VERSION,
)
