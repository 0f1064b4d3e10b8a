"""Tracking exports and carriers' bills as downloaded: recognised by header, into the inbox once."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from pipelines.import_run import import_files
from pipelines.recognition import Finding
from pipelines.resources import Places
from sources._core.clock import ManualClock
from sources.files.parcel_exports import recognise_parcels

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
BILL = """Invoice Date,Invoice Number,Express or Ground Tracking ID,Service Type,Net Charge,Currency
20260301,INV-1,0123456789,Ground,8.50,USD
20260302,INV-1,0123456790,Express,18.50,USD
"""
SCANS = """运单号,承运商,轨迹时间,包裹状态,最新轨迹
YT001,云途,2026-03-01T10:00:00+08:00,已揽收,Picked up
YT001,云途,2026-03-05T10:00:00+08:00,已签收,Delivered
"""

Import = Callable[[str, str], Finding]


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "data", tmp_path / "state", tmp_path / "aftersales.toml")


@pytest.fixture
def bring(places: Places, tmp_path: Path) -> Import:
    def run(name: str, text: str) -> Finding:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        (found,) = import_files(places, [path], None, ManualClock(NOW)).findings
        return found

    return run


def dropped(places: Places, dataset: str) -> Sequence[dict[str, str]]:
    (path,) = (places.inbox / dataset).iterdir()
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))


def test_a_bill_is_parcel_costs_of_its_carrier(bring: Import, places: Places) -> None:
    found = bring("bill.csv", BILL)
    assert (found.state, found.title, found.rows) == (
        "new", {"en": "Carrier's bill", "zh": "承运商账单"}, 2,
    )  # fmt: skip
    assert (found.first_day, found.last_day) == (date(2026, 3, 1), date(2026, 3, 2))
    first = dropped(places, "parcel_costs")[0]
    assert first == {
        "tracking_number": "0123456789",
        "carrier": "fedex",
        "charge_type": "freight",
        "amount": "8.50",
        "currency": "USD",
        "billed_at": "2026-03-01",
        "bill_ref": "INV-1",
        "service": "Ground",
    }
    assert bring("same.csv", BILL).state == "known"


def test_an_export_in_chinese_is_tracking_events(bring: Import, places: Places) -> None:
    assert bring("export.csv", SCANS).state == "new"
    rows = dropped(places, "tracking_events")
    assert [(r["carrier"], r["status"], r["event_at"][:10]) for r in rows] == [
        ("云途", "已揽收", "2026-03-01"), ("云途", "已签收", "2026-03-05"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (SCANS.replace("+08:00", ""), "time_zone"),
        (BILL.replace("Express or Ground Tracking ID", "Tracking Number"), "column Carrier"),
        (BILL.replace("0123456789", "1.11E+16"), "spreadsheet"),
        (BILL.replace("20260301", "01/03/2026"), "2026-11-22"),
    ],
)
def test_what_cannot_go_in_as_a_whole_is_refused(
    bring: Import, places: Places, text: str, words: str
) -> None:
    found = bring("file.csv", text)
    assert found.state == "refused"
    assert words in found.message
    assert not places.inbox.exists()


def test_times_without_offset_are_taken_where_their_zone_is_set(
    bring: Import, places: Places
) -> None:
    places.config.write_text('[inbox]\ntime_zone = "Asia/Shanghai"\n', encoding="utf-8")
    assert bring("export.csv", SCANS.replace("+08:00", "")).state == "new"


def test_other_tables_are_none_of_these() -> None:
    assert recognise_parcels(["order-id", "sku", "quantity", "currency"]) is None
    assert recognise_parcels(["Tracking Number", "Weight"]) is None
