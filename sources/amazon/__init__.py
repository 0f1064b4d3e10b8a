"""Amazon: orders, returns, stock, feedback and money by the Selling Partner API."""

from sources._core.connector import Connector

from .checks import check_account
from .client import open_account
from .config import API_VERSION, AmazonAccount
from .downloads import DOWNLOADS
from .streams import STREAMS

CONNECTOR = Connector(
    name="amazon",
    streams=STREAMS,
    settings=AmazonAccount,
    open=open_account,
    check=check_account,
    account_kind="marketplace",
    api_version=API_VERSION,
    downloads=DOWNLOADS,
)
