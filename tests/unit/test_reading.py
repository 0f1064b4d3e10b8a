"""What a night reads of which account, and what tracking accounts are told."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

from pipelines.reading import Known, requests
from pipelines.settings import Settings, parse_settings
from sources._core.connector import OpenParcel
from sources.registry import connectors
from sources.tracking.config import TrackingAccount

NOW = datetime(2026, 3, 20, tzinfo=UTC)
PARCEL = OpenParcel("ups", "1Z1", "O-1", date(2026, 3, 15))
KNOWN = Known({("tracking", "parcels", "seventeentrack_parcels"): NOW}, [PARCEL], NOW)
ACCOUNT = {
    "connector": "tracking",
    "name": "parcels",
    "start": date(2026, 1, 1),
    "secrets": {"api_key": "KEY"},
}


def settings_of(*accounts: dict[str, object]) -> Settings:
    return parse_settings({"accounts": accounts}, connectors(), lambda _name: "x", Path("inbox"))


def test_lists_that_serve_all_are_read_without_an_account() -> None:
    found = requests(settings_of(), connectors(), KNOWN)
    (lists,) = [r for r in found if r.connector.name == "tracking"]
    assert lists.streams is not None
    assert {"statuses", "carriers"} <= lists.streams
    assert not any(name.startswith("seventeentrack") for name in lists.streams)


def test_a_tracking_account_is_told_the_open_parcels() -> None:
    settings = settings_of(ACCOUNT)
    (mine,) = [r for r in requests(settings, connectors(), KNOWN) if r.connector.name == "tracking"]
    assert isinstance(mine.account, TrackingAccount)
    assert list(mine.account.open_parcels) == [PARCEL]
    assert mine.cursors == {"seventeentrack_parcels": NOW}
    assert mine.streams is None


def test_a_night_of_some_streams_reads_no_others() -> None:
    settings = settings_of(ACCOUNT)
    only = {"files": frozenset({"orders"})}
    found = requests(settings, connectors(), KNOWN, only)
    assert [(r.connector.name, r.streams) for r in found] == [("files", only["files"])]
