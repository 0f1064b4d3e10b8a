"""Exchange rates of the European Central Bank."""

from sources._core.connector import Connector

from .client import FxClient, check
from .config import DEFAULT_ACCOUNT, FxSettings
from .streams import STREAMS

CONNECTOR = Connector(
    name="fx",
    streams=STREAMS,
    settings=FxSettings,
    open=FxClient,
    check=check,
    account_kind="reference",
    default_accounts=(DEFAULT_ACCOUNT,),
)
