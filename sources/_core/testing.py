"""What the standard suite runs over every connector: nights without a warehouse.

Belongs here: running a connector into a landing folder and looking at the result the way the load
would. Does not belong here: assertions (`tests/connectors/test_standard_suite.py`) and the load.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pydantic

from sources._core.clock import Clock
from sources._core.connector import AccountSettings, Connector, Stream
from sources._core.extract import ExtractRequest, StreamOutcome, extract_all
from sources._core.landing import LandedFile, all_landed_files, landed_files, stream_folder

RawTable = dict[str, Mapping[str, Any]]


def sandbox_account(
    connector: Connector, base_url: str, values: Mapping[str, Any]
) -> AccountSettings:
    """Settings of an account whose API is a sandbox: all secrets are `sandbox-<name>`."""
    secret = pydantic.SecretStr(f"sandbox-{values['name']}")
    secrets = dict.fromkeys(connector.settings.secret_names, secret)
    given = {"connector": connector.name, "secrets": secrets, "base_url": base_url, **values}
    real = getattr(connector.settings.model_validate(given), "token_endpoint", None)
    addresses = {"token_url": base_url + urlsplit(real).path} if real else {}
    return connector.settings.model_validate({**addresses, **given})


def run_night(
    connector: Connector, account: AccountSettings, landing: Path, clock: Clock
) -> list[StreamOutcome]:
    """One night of one account; cursors are those that its landing files say."""
    cursors = {}
    for stream in connector.streams:
        folder = stream_folder(landing, connector.name, account.name, stream.name)
        reached = [f.manifest.cursor_after for f in landed_files(folder)]
        known = [at for at in reached if at is not None]
        if known:
            cursors[stream.name] = max(known)
    return extract_all([ExtractRequest(connector, account, cursors)], landing, clock)


def raw_tables(connector: Connector, landing: Path) -> dict[tuple[str, str], RawTable]:
    """Rows by key for each (account, stream), as a load of all landed files would leave them."""
    streams = {stream.name: stream for stream in connector.streams}
    tables: dict[tuple[str, str], RawTable] = {}
    readings: dict[tuple[str, str], _Reading] = {}
    for landed in all_landed_files(landing):
        manifest = landed.manifest
        if manifest.connector != connector.name:
            continue
        place = (manifest.account, manifest.stream)
        reading = readings.get(place)
        if reading is None or reading.first_seq != manifest.window_first_seq:
            reading = readings[place] = _Reading(manifest.window_first_seq)
        table = tables.setdefault(place, {})
        _take(table, reading, landed)
        if manifest.complete:
            _delete_missing(table, reading, landed, streams[manifest.stream])
    return tables


@dataclass
class _Reading:
    """The files of one window."""

    first_seq: int
    brought: set[str] = field(default_factory=set)


def _take(table: RawTable, reading: _Reading, landed: LandedFile) -> None:
    """A state that is not older than the stored one wins; the order of reading decides ties."""
    for line in landed.lines():
        row = msgspec.json.decode(line)
        reading.brought.add(row["_key"])
        stored = table.get(row["_key"])
        if stored is None or (row["_version"] or "") >= (stored["_version"] or ""):
            table[row["_key"]] = row


def _delete_missing(table: RawTable, reading: _Reading, landed: LandedFile, stream: Stream) -> None:
    start, end = landed.manifest.window_from, landed.manifest.window_to
    for key in [key for key in table if key not in reading.brought]:
        if stream.is_static:
            del table[key]
        elif stream.complete_within and start and end:
            text = table[key].get(stream.complete_within) or ""
            if _moment(start) <= text < _moment(end):
                del table[key]


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def contents(landing: Path) -> Iterator[bytes]:
    """Every byte that was landed, unpacked: manifests, states, lines."""
    for path in sorted(landing.rglob("*.json")):
        yield path.read_bytes()
    for landed in all_landed_files(landing):
        yield from landed.lines()
