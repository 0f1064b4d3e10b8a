"""Amazon, returns to sellers who ship themselves: cases 20, 33, 34 and 38 of the sheet, section 10.

What repeated rows and blank amounts mean is decided in staging (`_amazon__unit_tests.yml`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sources._core.errors import StopStream
from sources._core.records import RecordEncoder
from sources.amazon.layouts import MFN_RETURNS, MFN_RETURNS_XML
from sources.amazon.rows import Document
from sources.amazon.seller_returns import read_flat, read_xml
from sources.amazon.streams import MFN_RETURNS_STREAM
from tests.connectors.amazon_stub import (
    Reading,
    StubAmazon,
    StubReport,
    account,
    fixture_bytes,
    records,
)
from tests.connectors.test_amazon_report_content import locale

START = datetime(2026, 3, 1, tzinfo=UTC)


def flat(data: bytes) -> list[dict[str, Any]]:
    encoder = RecordEncoder(MFN_RETURNS_STREAM)
    pages = read_flat(Document(data, "report 1"), MFN_RETURNS, locale())
    return records([encoder.encode(page) for page in pages])


def xml(data: bytes) -> list[dict[str, Any]]:
    encoder = RecordEncoder(MFN_RETURNS_STREAM)
    pages = read_xml(Document(data, "report 1"), MFN_RETURNS_XML, locale())
    return records([encoder.encode(page) for page in pages])


def test_case_33_a_blank_refunded_amount_is_not_zero() -> None:
    rows = flat(fixture_bytes("mfn_returns.txt"))
    assert [row.get("refunded_amount") for row in rows] == [None, "0.00", "12.50"]


def test_case_33_the_order_amount_stays_on_each_row_and_flags_as_they_came() -> None:
    rows = flat(fixture_bytes("mfn_returns.txt"))
    assert [row["order_amount"] for row in rows] == ["59.90", "80.00", "80.00"]
    assert [row["is_prime"] for row in rows] == ["Y", "true", "true"]
    assert [row["a_to_z_claim"] for row in rows] == ["N", "false", "false"]
    dates = ["2026-03-09", "2026-03-10", "2026-03-10"]
    assert [row["return_request_date"] for row in rows] == dates


def test_case_33_equal_items_of_one_return_are_numbered() -> None:
    rows = xml(fixture_bytes("mfn_returns.xml"))
    assert [row["occurrence"] for row in rows] == [1, 2]
    assert len({row["_key"] for row in rows}) == 2
    assert {row["order_quantity"] for row in rows} == {"1"}


def test_case_33_both_forms_tell_the_same_return_under_the_same_key() -> None:
    (of_flat, *_others), (of_xml, _again) = (
        flat(fixture_bytes("mfn_returns.txt")),
        xml(fixture_bytes("mfn_returns.xml")),
    )
    same = (
        "_key",
        "order_id",
        "amazon_rma_id",
        "merchant_sku",
        "return_reason",
        "return_request_status",
        "label_to_be_paid_by",
        "tracking_id",
        "return_quantity",
    )
    assert {name: of_flat[name] for name in same} == {name: of_xml[name] for name in same}
    assert (of_flat["label_cost"], of_xml["label_cost"]) == ("4.90", "4.9")
    assert of_xml["refunded_amount"] == "59.9"
    assert of_xml["return_request_date"] == "2026-03-09T07:30:00Z"
    assert (of_flat["report_form"], of_xml["report_form"]) == ("flat", "xml")


def test_case_34_reasons_of_seller_fulfilled_returns_stay_as_they_came() -> None:
    rows = flat(fixture_bytes("mfn_returns.txt"))
    assert [row["return_reason"] for row in rows] == ["CR-DEFECTIVE", "AMZ-PG-BAD-DESC", "XYZ_NEW"]


def test_case_38_skus_keep_zeros_and_signs() -> None:
    rows = flat(fixture_bytes("mfn_returns.txt"))
    assert [row["merchant_sku"] for row in rows] == ["00123", "A/B+1", "00123"]


@pytest.mark.parametrize("data", [b"<AmazonEnvelope><Message>", b"Report failed", b"<!DOCTYPE a"])
def test_case_23_a_broken_xml_stops_with_the_other_form_as_a_way_out(data: bytes) -> None:
    with pytest.raises(StopStream, match='seller_returns = "flat"'):
        xml(data)


def test_case_23_an_empty_xml_is_no_rows() -> None:
    assert xml(b"") == xml(b"<AmazonEnvelope><Message/></AmazonEnvelope>") == []


@pytest.mark.parametrize(
    ("form", "report_type"),
    [
        ("flat", "GET_FLAT_FILE_RETURNS_DATA_BY_RETURN_DATE"),
        ("xml", "GET_XML_RETURNS_DATA_BY_RETURN_DATE"),
    ],
)
def test_the_setting_chooses_the_report(tmp_path: Path, form: str, report_type: str) -> None:
    suffix = "txt" if form == "flat" else "xml"

    def fill(report: StubReport) -> None:
        report.content = fixture_bytes(f"mfn_returns.{suffix}")

    stub = StubAmazon(new_report=fill)
    reading = Reading(tmp_path, settings=account(seller_returns=form))
    with stub.running():
        rows = records(reading.encoded(MFN_RETURNS_STREAM, START))
    assert {report.report_type for report in stub.reports.values()} == {report_type}
    assert {row["report_form"] for row in rows} == {form}


def test_case_20_a_seller_with_fba_only_has_no_returns_report(tmp_path: Path) -> None:
    stub = StubAmazon(new_report=lambda report: setattr(report, "statuses", ["CANCELLED"]))
    with stub.running():
        pages = Reading(tmp_path).encoded(MFN_RETURNS_STREAM, START)
    assert records(pages) == []
    assert [page.rejects for page in pages] == [[]]


def test_a_report_of_the_other_form_is_not_resumed(tmp_path: Path) -> None:
    stub = StubAmazon(new_report=lambda report: setattr(report, "statuses", ["IN_PROGRESS"]))
    reading = Reading(tmp_path)
    with stub.running(), pytest.raises(StopStream):
        reading.encoded(MFN_RETURNS_STREAM, START)
    stub.new_report = lambda report: setattr(report, "statuses", ["CANCELLED"])
    changed = Reading(tmp_path, settings=account(seller_returns="xml"))
    with stub.running():
        changed.encoded(MFN_RETURNS_STREAM, START)
    assert [report.report_type[:7] for report in stub.reports.values()] == ["GET_FLA", "GET_XML"]
