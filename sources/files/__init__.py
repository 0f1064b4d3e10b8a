"""The seller's own files, and any marketplace without a connector: the inbox."""

from sources._core.connector import Connector
from sources.files.config import FilesSettings
from sources.files.folder import open_inbox
from sources.files.streams import STREAMS, check

CONNECTOR = Connector(
    name="files",
    streams=STREAMS,
    settings=FilesSettings,
    open=open_inbox,
    check=check,
    account_kind="file_channel",
    default_accounts=(FilesSettings(),),
)
