"""Exchange rates of the European Central Bank."""

from sources._core.connector import Connector
from sources.fx.client import FxClient, check
from sources.fx.config import DEFAULT_ACCOUNT, FxSettings
from sources.fx.streams import STREAMS

CONNECTOR = Connector(
    name="fx",
    streams=STREAMS,
    settings=FxSettings,
    open=FxClient,
    check=check,
    account_kind="reference",
    default_accounts=(DEFAULT_ACCOUNT,),
)
