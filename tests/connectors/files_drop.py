"""A data folder with an inbox for the tests of connector `files`: drop files, run nights, look."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sources._core.clock import ManualClock
from sources._core.extract import ExtractRequest, StreamOutcome, extract_all
from sources._core.landing import Manifest, landed_files, stream_folder
from sources.files import CONNECTOR
from sources.files.channels import KnownAccount
from sources.files.config import FilesSettings

ORDER: Mapping[str, str] = {
    "channel": "tiktok_uk",
    "order_ref": "O-1",
    "line_ref": "1",
    "sku": "ROMPER-66",
    "ordered_at": "2026-11-01T10:00:00+08:00",
    "country": "GB",
    "quantity": "2",
    "unit_price": "19.90",
    "currency": "GBP",
}
BATCH: Mapping[str, str] = {
    "lot_id": "L1",
    "sku": "WARMER",
    "supplier_id": "S1",
    "quantity_produced": "500",
}
RECEIPT: Mapping[str, str] = {
    "receipt_id": "R1",
    "line_no": "1",
    "fulfilment_centre_id": "WH1",
    "country": "DE",
    "lot_id": "L1",
    "sku": "WARMER",
    "received_at": "2026-03-01",
    "quantity_received": "500",
}


def order(**cells: str) -> dict[str, str]:
    """A good order line with some cells changed."""
    return {**ORDER, **cells}


def orders(count: int, **cells: str) -> list[dict[str, str]]:
    """So many good order lines of different orders."""
    return [order(order_ref=f"N-{number}", **cells) for number in range(count)]


def csv_text(rows: Sequence[Mapping[str, str]]) -> str:
    """Rows as CSV; the header has every column that some row has."""
    header = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, header, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


@dataclass
class Drop:
    """The data folder of one test."""

    data: Path
    accounts: tuple[KnownAccount, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    day: datetime = datetime(2026, 11, 20, tzinfo=UTC)
    outcomes: dict[str, StreamOutcome] = field(default_factory=dict)

    @property
    def inbox(self) -> Path:
        return self.data / "inbox"

    @property
    def rejected(self) -> Path:
        return self.data / "rejected"

    @property
    def archive(self) -> Path:
        return self.data / "archive"

    @property
    def landing(self) -> Path:
        return self.data / "landing"

    def account(self) -> FilesSettings:
        """The account `inbox`; files are taken at once unless a test says otherwise."""
        values: dict[str, Any] = {
            "inbox_dir": self.inbox,
            "known_accounts": self.accounts,
            "settle_seconds": 0,
            "secrets": {"customer_key": "test-key"},
            **self.settings,
        }
        return FilesSettings(**values)

    def put(
        self,
        dataset: str,
        content: str | bytes | Sequence[Mapping[str, str]],
        name: str = "drop.csv",
        age: float | None = None,
    ) -> Path:
        """Drop a file; rows become a CSV. `age`: it was changed so many seconds ago."""
        path = self.inbox / dataset / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not isinstance(content, (str, bytes)):
            content = csv_text(content)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        if age is not None:
            then = path.stat().st_mtime - age
            os.utime(path, (then, then))
        return path

    def night(self, *streams: str) -> None:
        """Run the named streams (all datasets with a folder, if none is named)."""
        names = streams or tuple(
            path.name for path in self.inbox.iterdir() if not path.name.startswith(".")
        )
        known = {stream.name for stream in CONNECTOR.streams}
        request = ExtractRequest(
            CONNECTOR, self.account(), streams=frozenset(names).intersection(known)
        )
        found = extract_all([request], self.landing, ManualClock(self.day))
        self.outcomes = {outcome.stream: outcome for outcome in found}
        failed = [outcome.error for outcome in found if outcome.state == "failed"]
        assert not failed, failed

    def manifests(self, stream: str) -> list[Manifest]:
        """Manifests of the stream that came of a file."""
        folder = stream_folder(self.landing, "files", "inbox", stream)
        return [f.manifest for f in landed_files(folder) if f.manifest.source_ref]

    def rows(self, stream: str) -> list[dict[str, Any]]:
        """Landed records of the stream, in the order of landing."""
        folder = stream_folder(self.landing, "files", "inbox", stream)
        return [json.loads(line) for f in landed_files(folder) for line in f.lines()]

    def rejects(self, stream: str) -> dict[str, int]:
        """Rows held back, by rule."""
        found: dict[str, int] = {}
        for manifest in self.manifests(stream):
            for reject in manifest.rejects:
                found[reject.reason] = found.get(reject.reason, 0) + reject.count
        return found

    def advice(self, stream: str, rule: str) -> str:
        """What the quarantine says to do about a rule."""
        return next(
            reject.what_to_do
            for manifest in self.manifests(stream)
            for reject in manifest.rejects
            if reject.reason == rule
        )

    def errors(self, name: str = "drop.csv") -> list[dict[str, str]]:
        """Rows of the errors file of a dropped file."""
        text = (self.rejected / f"{name}.errors.csv").read_text(encoding="utf-8-sig")
        return list(csv.DictReader(io.StringIO(text)))

    def rule_of(self, dataset: str, row: Mapping[str, str], good: Mapping[str, str]) -> str:
        """Drop one row among thirty good ones (told apart by `good`'s first column of the key)
        and give the sentence of the errors file; empty when the row was taken."""
        self.put(dataset, [row, *many(dataset, good)])
        self.night(dataset)
        path = self.rejected / "drop.csv.errors.csv"
        return self.errors()[0]["rule"] if path.exists() else ""


_NUMBERED = {
    "orders": "order_ref",
    "returns": "return_ref",
    "refunds": "refund_ref",
    "products": "sku",
    "sku_map": "listing_id",
    "purchase_batches": "lot_id",
    "goods_receipts": "receipt_id",
    "lot_allocations": "order_ref",
    "return_inspections": "inspection_id",
    "warehouses": "fulfilment_centre_id",
}


def many(dataset: str, row: Mapping[str, str], count: int = 30) -> list[dict[str, str]]:
    """Good rows enough that one bad row is less than 5 %."""
    name = _NUMBERED[dataset]
    return [{**row, name: f"GOOD-{number}"} for number in range(count)]
