"""Helpdesk: tickets, messages, times and satisfaction of a service desk (Zendesk, Gorgias)."""

from sources._core.connector import Connector

from .checks import check_account
from .client import open_account
from .config import API_VERSION, HelpdeskAccount
from .streams import STREAMS

CONNECTOR = Connector(
    name="helpdesk",
    streams=STREAMS,
    settings=HelpdeskAccount,
    open=open_account,
    check=check_account,
    account_kind="helpdesk",
    serves_all=True,  # topics: what words of cases mean, of files too
    api_version=API_VERSION,
)
