"""Amazon, money and time: cases 45 to 47 of the integration sheet, section 10, and single cells.

Cases of section 10 that later streams bring: 30 (seller feedback), 33 (seller-fulfilled returns),
36 (reimbursements), 40 to 42 and 44 (Finances). Case 43 (a refund before, without or in parts of
its return) is about facts: the warehouse tests have it; here the rows stay as they came.
Case 50 (retention) belongs to `aftersales privacy retain`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from sources.amazon.cells import CellError, clean_identifier, clean_number, clean_text, clean_time
from sources.amazon.marketplaces import (
    all_marketplaces,
    find_marketplace,
    marketplace_of_channel,
)
from sources.amazon.streams import ALL_ORDERS_STREAM
from tests.connectors.amazon_stub import NOW, Reading, StubAmazon, account, records, tab_file

BERLIN, LOS_ANGELES, TOKYO = "Europe/Berlin", "America/Los_Angeles", "Asia/Tokyo"


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2026-03-08 01:59:59", "2026-03-08T09:59:59Z"),
        ("2026-03-08 02:30:00", "2026-03-08T10:30:00Z"),  # no such local time
        ("2026-03-08 03:00:00", "2026-03-08T10:00:00Z"),
        ("2026-11-01 01:30:00", "2026-11-01T08:30:00Z"),  # twice: the first
        ("2026-11-01 01:30:00 PDT", "2026-11-01T08:30:00Z"),
        ("2026-11-01 01:30:00 PST", "2026-11-01T09:30:00Z"),
    ],
)
def test_case_45_changes_of_clocks_are_read_the_same_every_time(cell: str, expected: str) -> None:
    for _ in range(2):
        clean_time.cache_clear()
        found = clean_time(cell, LOS_ANGELES)
        assert found is not None
        assert found.text == expected


def test_case_46_a_moment_is_another_day_in_another_marketplace() -> None:
    found = clean_time("2026-11-22T06:30:00Z", BERLIN)
    assert found is not None
    moment = datetime.fromisoformat(found.text)
    zones = {country: ZoneInfo(all_marketplaces()[country].time_zone) for country in ("US", "DE")}
    assert moment.astimezone(zones["US"]).date().isoformat() == "2026-11-21"
    assert moment.astimezone(zones["DE"]).date().isoformat() == "2026-11-22"


def test_case_47_each_row_keeps_its_own_currency(tmp_path: Path) -> None:
    columns = ("amazon-order-id", "last-updated-date", "sku", "currency", "item-price")
    rows = [
        ("302-1", "2026-03-10T00:00:00Z", "A", currency, price)
        for currency, price in (("EUR", "19.90"), ("SEK", "219.00"), ("JPY", "1990"), ("", ""))
    ]
    content = tab_file(columns, *rows)
    stub = StubAmazon(new_report=lambda report: setattr(report, "content", content))
    with stub.running():
        pages = Reading(tmp_path).encoded(ALL_ORDERS_STREAM, NOW - timedelta(days=20))
    assert {(row.get("currency"), row.get("item_price")) for row in records(pages)} == {
        ("EUR", "19.90"),
        ("SEK", "219.00"),
        ("JPY", "1990"),
        (None, None),
    }


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2015-12-02T03:27:08+00:00", "2015-12-02T03:27:08Z"),
        ("2026-03-01T09:15:00Z", "2026-03-01T09:15:00Z"),
        ("2026-03-01T09:15:00.123Z", "2026-03-01T09:15:00Z"),
        ("2026-03-01T09:15:00-08:00", "2026-03-01T17:15:00Z"),
        ("2026-03-01T09:15:00+0530", "2026-03-01T03:45:00Z"),
        ("2025-06-09 05:23:19 UTC", "2025-06-09T05:23:19Z"),
        ("09.06.2025 05:23:19 UTC", "2025-06-09T05:23:19Z"),
        ("09.06.2025 05:23:19 MESZ", "2025-06-09T03:23:19Z"),
        ("2025-06-09 05:23:19 GMT+02:00", "2025-06-09T03:23:19Z"),
        ("2025-06-09 05:23 JST", "2025-06-08T20:23:00Z"),
        ("Jun", None),
        ("2025-06-09", "2025-06-09"),
        ("09-06-2025", "2025-06-09"),
        ("09-Jun-2025", "2025-06-09"),
        ("9-JUN-25", "2025-06-09"),
        ("09/06/25", "2025-06-09"),
        ("2025/06/09 23:59:59 JST", "2025-06-09T14:59:59Z"),
        ("09/06/2025 11:05:00 PM UTC", "2025-06-09T23:05:00Z"),
        ("31.02.2026", None),
        ("2026-03-01 25:00:00", None),
        ("2026-03-01 10:00:00 XYZ", None),
        ("1.11E+16", None),
    ],
)
def test_forms_of_times(cell: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(CellError, match="bad_time"):
            clean_time(cell, BERLIN)
        return
    found = clean_time(cell, BERLIN)
    assert found is not None
    assert found == (expected, False)


def test_a_time_without_zone_is_the_marketplaces_and_says_so() -> None:
    assert clean_time("2026-07-01 12:00:00", BERLIN) == ("2026-07-01T10:00:00Z", True)
    assert clean_time("2026-07-01T12:00:00", TOKYO) == ("2026-07-01T03:00:00Z", True)
    assert clean_time("06/09/2025", LOS_ANGELES, month_first=True) == ("2025-06-09", False)
    assert clean_time("  ", BERLIN) is None
    assert clean_time("2025-06-09 05:23 IST", "Asia/Kolkata") == ("2025-06-08T23:53:00Z", False)
    assert clean_time("2025-06-09 05:23 IST", "Europe/Dublin") == ("2025-06-09T04:23:00Z", False)


def test_the_operator_may_correct_a_marketplaces_zone(tmp_path: Path) -> None:
    columns = ("amazon-order-id", "last-updated-date", "sku", "sales-channel")
    content = tab_file(columns, ("302-1", "2026-03-10 12:00:00", "A", "Amazon.de"))
    stub = StubAmazon(new_report=lambda report: setattr(report, "content", content))
    reading = Reading(tmp_path, settings=account(time_zones={"DE": "America/Los_Angeles"}))
    with stub.running():
        pages = reading.encoded(ALL_ORDERS_STREAM, NOW - timedelta(days=20))
    assert records(pages)[0]["last_updated_date"] == "2026-03-10T19:00:00Z"
    (note,) = pages[0].rejects
    assert (note.reason, note.count) == ("time_without_zone", 0)
    assert "America/Los_Angeles" in note.example_ref


@pytest.mark.parametrize(
    ("cell", "comma", "expected"),
    [
        ("24.99", False, "24.99"),
        ("0.10", False, "0.10"),
        ("-12,34", True, "-12.34"),
        ("1.234,56", True, "1234.56"),
        ("1,234.56", False, "1234.56"),
        ("1\u202f234,50", True, "1234.50"),
        ("1\u00a0234.50", False, "1234.50"),
        ("(5.00)", False, "-5.00"),
        ("5.00-", False, "-5.00"),
        ("\u22125.00", False, "-5.00"),
        ("+5", False, "5"),
        ("", False, None),
        ("  ", True, None),
        ("12,34", False, CellError),
        ("12.34", True, CellError),
        ("1e3", False, CellError),
        ("EUR 5", False, CellError),
        ("--5", False, CellError),
        ("-5-", False, CellError),
    ],
)
def test_forms_of_numbers(cell: str, comma: bool, expected: str | type[Exception] | None) -> None:
    if isinstance(expected, type):
        with pytest.raises(expected, match="bad_number"):
            clean_number(cell, comma)
    else:
        assert clean_number(cell, comma) == expected


def test_text_keeps_everything_but_outer_space() -> None:
    assert clean_text("\u00a0 0012 A\u3000") == "0012 A"
    assert clean_text(" \t") is None
    assert clean_identifier("1E5") == "1E5"


def test_marketplaces_are_found_by_any_name() -> None:
    for name in ("DE", "de", "amazon_de", "AMAZON_DE", "A1PA6795UKMFR9"):
        found = find_marketplace(name)
        assert found is not None
        assert found.name == "amazon_de"
    uk = find_marketplace("UK")
    assert uk is not None
    assert uk.country == "GB"
    assert find_marketplace("amazon_xx") is None
    by_host = marketplace_of_channel("amazon.CO.UK ")
    assert by_host is not None
    assert by_host.time_zone == "Europe/London"
    assert marketplace_of_channel("Non-Amazon") is None


def test_every_marketplace_has_a_zone_that_exists_and_an_own_id() -> None:
    known = all_marketplaces()
    assert len(known) == 23
    assert len({one.marketplace_id for one in known.values()}) == 23
    assert {one.region_group for one in known.values()} == {"NA", "EU", "FE"}
    for one in known.values():
        assert datetime(2026, 1, 1, tzinfo=UTC).astimezone(ZoneInfo(one.time_zone))
    without = {one.country for one in known.values() if not one.prices_include_tax}
    assert without == {"US", "CA"}
