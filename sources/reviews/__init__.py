"""Reviews: product reviews of a shop from its review app (Judge.me, Yotpo, Okendo)."""

from sources._core.connector import Connector

from .client import check_account, open_account
from .config import API_VERSION, ReviewsAccount
from .streams import STREAMS

CONNECTOR = Connector(
    name="reviews",
    streams=STREAMS,
    settings=ReviewsAccount,
    open=open_account,
    check=check_account,
    account_kind="reviews",
    api_version=API_VERSION,
)
