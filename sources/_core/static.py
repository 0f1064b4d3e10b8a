"""Lists that ship with a connector: its marketplaces and its map of reason codes.

Belongs here: the two static streams that every connector has, and reading a shipped CSV as a
stream. Does not belong here: the content (CSV files beside the connector) and the seller's files.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from sources._core.connector import Page, Stream, StreamContext, Window
from sources._core.records import Record


class Marketplace(Record):
    """A marketplace that a connector knows."""

    marketplace: str
    marketplace_id: str | None = None
    marketplace_name: str | None = None
    marketplace_kind: str | None = None
    home_country: str | None = None
    currency: str | None = None
    time_zone: str | None = None
    sales_channel: str | None = None
    region_group: str | None = None
    prices_include_tax: bool | None = None


class Reason(Record):
    """A reason code of the source and the canonical reason that it means."""

    raw_code: str
    reason_l2: str | None = None
    confidence: str | None = None
    valid_from: str | None = None


def static_streams(folder: Path) -> tuple[Stream, Stream]:
    """Streams `marketplaces` and `reasons` of the connector in `folder`.

    They read `marketplaces.csv` and `reasons.csv`; a connector without such a list ships the
    header alone.
    """
    return (
        csv_stream("marketplaces", folder / "marketplaces.csv", Marketplace, ("marketplace",)),
        csv_stream("reasons", folder / "reasons.csv", Reason, ("raw_code", "valid_from")),
    )


def csv_stream(name: str, path: Path, record: type[msgspec.Struct], key: tuple[str, ...]) -> Stream:
    """A static stream over a UTF-8 CSV file that ships with the connector; empty is null.

    Only the first field of the key is required: others may be empty (`valid_from`).
    """

    def text_key(row: Any) -> str:
        parts = [getattr(row, field) for field in key]
        return "|".join("" if part is None else str(part) for part in parts) if parts[0] else ""

    def read(_context: StreamContext, _window: Window) -> Iterator[Page]:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [{k: v for k, v in row.items() if v != ""} for row in csv.DictReader(file)]
        yield Page(rows, source_ref=path.name, encoding="utf-8")

    return Stream(name=name, record=record, key=text_key, read=read, is_static=True)
