"""Template: say in one line what this connector reads."""

from sources._core.connector import Connector

from .client import TemplateClient, check
from .config import API_VERSION, SUNSET_DATE, TemplateSettings
from .streams import STREAMS

CONNECTOR = Connector(
    name="template",
    streams=STREAMS,
    settings=TemplateSettings,
    open=TemplateClient,
    check=check,
    account_kind="marketplace",
    api_version=API_VERSION,
    sunset_date=SUNSET_DATE,
)
