"""Amazon, reports on stock, reimbursements and feedback: cases 18, 28, 30, 36, 37, 38 and 49 of the
sheet, section 10.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sources._core.connector import Stream
from sources._core.errors import StopStream
from sources.amazon import cells
from sources.amazon.marketplaces import find_marketplace
from sources.amazon.streams import (
    FBA_REIMBURSEMENTS_STREAM,
    FBA_REPLACEMENTS_STREAM,
    INVENTORY_LEDGER_STREAM,
    REMOVAL_ORDERS_STREAM,
    REMOVAL_SHIPMENTS_STREAM,
    SELLER_FEEDBACK_STREAM,
)
from tests.connectors.amazon_stub import (
    Nights,
    Reading,
    StubAmazon,
    StubReport,
    account,
    fixture_bytes,
    records,
    tab_file,
)

START = datetime(2026, 3, 1, tzinfo=UTC)
FEEDBACK = ("Date", "Rating", "Comments", "Your Response", "Order ID", "Rater Email")
DAY_FIRST = (
    *("GB", "FR", "IT", "ES", "NL", "BE", "PL", "TR"),
    *("AE", "SA", "EG", "IN", "AU", "SG", "CA", "MX", "BR"),
)
FILES = {
    FBA_REPLACEMENTS_STREAM: "fba_replacements.txt",
    FBA_REIMBURSEMENTS_STREAM: "fba_reimbursements.txt",
    REMOVAL_ORDERS_STREAM: "removal_orders.txt",
    REMOVAL_SHIPMENTS_STREAM: "removal_shipments.txt",
    INVENTORY_LEDGER_STREAM: "inventory_ledger.txt",
}


def read(folder: Path, stream: Stream, data: bytes, *countries: str) -> list[dict[str, Any]]:
    stub = StubAmazon(new_report=lambda report: setattr(report, "content", data))
    reading = Reading(folder, settings=account(marketplaces=countries or ("DE",)))
    with stub.running():
        return records(reading.encoded(stream, START))


@pytest.mark.parametrize("stream", FILES, ids=lambda stream: stream.name)
def test_a_second_night_over_the_same_report_changes_nothing(
    tmp_path: Path, stream: Stream
) -> None:
    data = fixture_bytes(FILES[stream])
    stub = StubAmazon(new_report=lambda report: setattr(report, "content", data))
    nights = Nights(tmp_path, (account(marketplaces=("DE",)),))
    rows = len(data.splitlines()) - 1
    with stub.running():
        for day, expected in ((19, (rows, rows)), (20, (rows, 0))):
            (result,) = nights.night(datetime(2026, 3, day, tzinfo=UTC), stream.name)
            assert (result.rows_in, result.rows_loaded) == expected
    assert nights.rows(f"select count(*) from raw_amazon.{stream.name}") == [(rows,)]


def test_case_36_a_reversal_is_negative_and_names_what_it_takes_back(tmp_path: Path) -> None:
    rows = read(tmp_path, FBA_REIMBURSEMENTS_STREAM, fixture_bytes("fba_reimbursements.txt"))
    reversal = rows[-1]
    assert (reversal["amount_total"], reversal["original_reimbursement_id"]) == (
        "-12.50",
        "9000000001",
    )
    assert [row["_key"] for row in rows[:2]] == ["9000000001|ROMPER-66|1", "9000000001|00123|1"]


def test_case_36_units_paid_in_inventory_are_kept_without_money(tmp_path: Path) -> None:
    rows = read(tmp_path, FBA_REIMBURSEMENTS_STREAM, fixture_bytes("fba_reimbursements.txt"))
    in_goods = rows[2]
    assert (in_goods["amount_total"], in_goods["quantity_reimbursed_inventory"]) == ("0.00", "3")


def test_case_38_skus_of_stock_keep_zeros_and_a_reason_code_is_text(tmp_path: Path) -> None:
    rows = read(tmp_path, FBA_REPLACEMENTS_STREAM, fixture_bytes("fba_replacements.txt"))
    assert [row["sku"] for row in rows] == ["00123", "ROMPER-66"]
    assert [row["replacement_reason_code"] for row in rows] == ["7", "NEW"]


def test_case_28_the_ledger_is_quoted_and_its_dates_begin_with_the_month(tmp_path: Path) -> None:
    data = fixture_bytes("inventory_ledger.txt")
    rows = read(tmp_path, INVENTORY_LEDGER_STREAM, data)
    assert {row["date"] for row in rows} == {"2026-03-09", "2026-03-10", "2026-03-11"}
    assert sorted(row["occurrence"] for row in rows) == [1, 1, 1, 2]
    assert rows[0]["title"] == "Romper" or rows[0]["title"] == "Body, 3-pack"
    without_spaces = data.replace(b"Event Type", b"EventType").replace(
        b"Reference ID", b"referenceId"
    )
    again = read(tmp_path / "other", INVENTORY_LEDGER_STREAM, without_spaces)
    assert [row["_key"] for row in again] == [row["_key"] for row in rows]


def test_case_30_columns_of_feedback_are_found_by_position(tmp_path: Path) -> None:
    german = read(tmp_path, SELLER_FEEDBACK_STREAM, fixture_bytes("seller_feedback_de.txt"))
    assert [(row["date"], row["rating"], row["order_id"]) for row in german] == [
        ("2026-03-09", "1", "302-1000001-0000001"),
        ("2026-03-10", "3", "302-1000004-0000004"),
    ]
    assert {row["marketplace"] for row in german} == {"amazon_de"}
    header = ("日付", "評価", "コメント", "回答", "注文番号", "評価者Eメール")
    data = tab_file(header, ("26/03/09", "2", "サイズが小さい①", "", "250-1", "")).decode()
    (japanese,) = read(tmp_path / "jp", SELLER_FEEDBACK_STREAM, data.encode("cp932"), "JP")
    assert (japanese["date"], japanese["comments"]) == ("2026-03-09", "サイズが小さい①")


def test_case_30_other_columns_than_six_stop_the_stream(tmp_path: Path) -> None:
    data = tab_file((*FEEDBACK, "Store"), ("09.03.26", "1", "bad", "", "302-1", "a@b.c", "x"))
    with pytest.raises(StopStream, match="7 columns instead of 6"):
        read(tmp_path, SELLER_FEEDBACK_STREAM, data)


@pytest.mark.parametrize(
    ("country", "written"),
    [
        ("US", "03/09/26"),
        ("DE", "09.03.26"),
        ("SE", "2026-03-09"),
        ("JP", "26/03/09"),
        *((one, "09/03/26") for one in DAY_FIRST),
    ],
)
def test_case_30_dates_are_read_as_the_marketplace_writes_them(country: str, written: str) -> None:
    found = find_marketplace(country)
    assert found is not None
    assert cells.clean_date(written, found.date_order) == "2026-03-09"


@pytest.mark.parametrize("written", ["31/02/26", "9. March 26", "1/2", "03/09/26 x"])
def test_case_30_what_is_no_date_is_refused(written: str) -> None:
    with pytest.raises(cells.CellError):
        cells.clean_date(written, "dmy")


def test_case_30_each_marketplace_is_asked_by_itself(tmp_path: Path) -> None:
    """One report of the United States and Canada would mix two orders of day and month."""

    def fill(report: StubReport) -> None:
        report.content = tab_file(
            FEEDBACK, ("03/09/26", "1", "", "", report.marketplace_ids[0], "")
        )

    stub = StubAmazon(new_report=fill)
    with stub.running():
        rows = records(
            Reading(tmp_path, settings=account(marketplaces=("US", "CA"))).encoded(
                SELLER_FEEDBACK_STREAM, START
            )
        )
    assert [(row["marketplace"], row["date"]) for row in rows] == [
        ("amazon_us", "2026-03-09"),
        ("amazon_ca", "2026-09-03"),
    ]


def test_case_18_a_marketplace_that_fails_does_not_keep_the_others_back(tmp_path: Path) -> None:
    def fill(report: StubReport) -> None:
        is_first = report.marketplace_ids[0] == "A1PA6795UKMFR9"
        report.content = b"<error/>" if is_first else fixture_bytes("seller_feedback_de.txt")

    stub = StubAmazon(new_report=fill)
    nights = Nights(tmp_path)
    with stub.running():
        (outcome,) = nights.extract(datetime(2026, 3, 20, tzinfo=UTC), "seller_feedback")
        nights.load()
    assert outcome.error is not None
    assert "holds a message" in outcome.error
    assert nights.rows("select distinct marketplace from raw_amazon.seller_feedback") == [
        ("amazon_fr",)
    ]


def test_case_49_a_feedback_keeps_no_address_and_its_writer_is_dropped(tmp_path: Path) -> None:
    row = (
        "09.03.26",
        "1",
        "never came, max@example.com",
        "call +49 170 1234567",
        "302-1",
        "who@x.de",
    )
    (found,) = read(tmp_path, SELLER_FEEDBACK_STREAM, tab_file(FEEDBACK, row))
    assert "@" not in repr(found)
    assert "1234567" not in repr(found)
    assert found["comments"].startswith("never came")
