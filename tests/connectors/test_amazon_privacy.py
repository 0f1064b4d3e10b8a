"""Amazon, privacy: cases 48 and 49 of the integration sheet, section 10.

Case 50 (retention) belongs to `aftersales privacy retain`, which comes with a later stage.
"""

from __future__ import annotations

import json
import logging
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import zstandard

from sources._core.records import RecordEncoder
from sources.amazon.layouts import ALL_ORDERS, FULFILLED_SHIPMENTS
from sources.amazon.streams import FBA_RETURNS_STREAM, STREAMS
from tests.connectors.amazon_stub import (
    FIXTURES,
    NOW,
    Nights,
    Reading,
    Reply,
    Request,
    StubAmazon,
    StubReport,
    records,
    tab_file,
)

MARKS = {
    "buyer-email": "zz-buyer@marked.example",
    "buyer-name": "ZZMARK Buyername",
    "buyer-phone-number": "+49 30 99887766",
    "recipient-name": "ZZMARK Recipient",
    "ship-address-1": "ZZMARK Street 1",
    "ship-postal-code": "ZZ-04109",
    "ship-phone-number": "+49 30 99887755",
    "bill-address-1": "ZZMARK Bill 2",
    "bill-postal-code": "ZZ-04110",
}
ORDER_WITH_PEOPLE: dict[str, Any] = {
    "orderId": "302-0000001-0000001",
    "createdTime": "2026-03-18T10:00:00Z",
    "lastUpdatedTime": "2026-03-19T10:00:00Z",
    "buyer": {"buyerName": "ZZMARK Buyername", "buyerEmail": "zz-buyer@marked.example"},
    "recipient": {
        "deliveryAddress": {
            "name": "ZZMARK Recipient",
            "addressLine1": "ZZMARK Street 1",
            "postalCode": "ZZ-04109",
            "phone": "+49 30 99887766",
            "city": "Leipzig",
            "countryCode": "DE",
            "extendedFields": {"streetName": "ZZMARK Street"},
        },
        "deliveryPreference": {"addressInstruction": "ZZMARK ring twice"},
    },
    "orderItems": [
        {
            "orderItemId": "1",
            "quantityOrdered": 1,
            "product": {"sellerSku": "A", "customization": {"customizedUrl": "https://zzmark"}},
            "fulfillment": {
                "packing": {"giftOption": {"giftMessage": "ZZMARK happy birthday"}},
            },
            "cancellation": {
                "cancellationRequest": {"cancelReason": "write to zz-buyer@marked.example"}
            },
        }
    ],
}
PERSONAL = re.compile(rb"ZZMARK|zzmark|zz-buyer|ZZ-0411?|ZZ-04109|9988 ?77", re.IGNORECASE)


def report_with_people(report: StubReport) -> None:
    layout = FULFILLED_SHIPMENTS if "SHIPMENTS" in report.report_type else ALL_ORDERS
    columns = [name.replace("_", "-") for name in (*layout.fields, *layout.dropped)]
    cells = {
        "amazon-order-id": "302-1",
        "shipment-item-id": "D1",
        "sku": "A",
        "quantity-shipped": "1",
        "last-updated-date": "2026-03-10T00:00:00Z",
        "ship-city": "Leipzig",
    }
    report.content = tab_file(columns, [{**cells, **MARKS}.get(name, "") for name in columns])


def bytes_below(folder: Path) -> bytes:
    """Every byte on disk, compressed files unpacked."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            if path.suffix == ".zst":
                data = zstandard.ZstdDecompressor().decompressobj().decompress(data)
            found.append(data)
    return b"\n".join(found)


def test_case_48_people_reach_neither_disk_nor_warehouse_nor_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    stub = StubAmazon(order_pages=[{"orders": [ORDER_WITH_PEOPLE]}], new_report=report_with_people)
    nights = Nights(tmp_path)
    with stub.running():
        nights.night(NOW, "orders", "all_orders", "fulfilled_shipments")
    for table in ("orders", "all_orders", "fulfilled_shipments"):
        assert nights.rows(f"from raw_amazon.{table}"), table
    tables = "".join(
        str(nights.rows(f"from raw_amazon.{table}"))
        for table in ("orders", "all_orders", "fulfilled_shipments")
    )
    everything = bytes_below(tmp_path) + tables.encode() + caplog.text.encode()
    assert b"302-0000001-0000001" in everything
    assert b"Leipzig" in everything
    assert PERSONAL.findall(everything) == []
    assert b"sandbox-shop" not in everything
    assert b"Atza|" not in everything
    unknown = nights.rows("select field from load.drift where drift_kind = 'added'")
    assert unknown == [], "what we leave out on purpose is not unknown"


def test_case_48_records_held_back_name_no_content(tmp_path: Path) -> None:
    broken = json.loads(json.dumps(ORDER_WITH_PEOPLE))
    broken["orderItems"] = "ZZMARK"
    lacking = {key: value for key, value in ORDER_WITH_PEOPLE.items() if key != "orderId"}
    stub = StubAmazon(order_pages=[{"orders": [broken, lacking, ORDER_WITH_PEOPLE]}])
    with stub.running():
        encoded = Reading(tmp_path).encoded(STREAMS[1], NOW - timedelta(days=1))
    assert len(records(encoded)) == 1
    assert sum(reject.count for reject in encoded[0].rejects) == 2
    assert PERSONAL.findall(str(encoded[0].rejects + sorted(encoded[0].drift)).encode()) == []


def test_case_48_refusals_repeat_no_personal_data_and_no_secret(tmp_path: Path) -> None:
    def refused(request: Request) -> Reply:
        text = f"token {request.headers['x-amz-access-token']} of zz-buyer@marked.example"
        body = {"errors": [{"code": "InvalidInput", "message": text}]}
        return 400, {}, json.dumps(body).encode()

    stub = StubAmazon()
    stub.script("GET /orders/2026-01-01/orders", refused)
    nights = Nights(tmp_path)
    with stub.running():
        outcome = nights.extract(NOW, "orders")[0]
    assert outcome.state == "failed"
    assert "InvalidInput" in str(outcome.error)
    assert PERSONAL.findall(str(outcome.error).encode()) == []
    assert "Atza|1" not in str(outcome.error)


def test_case_48_fixtures_hold_no_people() -> None:
    for path in sorted(FIXTURES.iterdir()):
        text = path.read_text("utf-8")
        assert "@" not in text, path.name
        assert not re.search(r"(?i)buyerName|giftMessage|addressLine|phone\"", text), path.name
    header, *rows = (FIXTURES / "fulfilled_shipments.txt").read_text("utf-8").splitlines()
    names = header.split("\t")
    personal = [
        n for n, name in enumerate(names) if name.replace("-", "_") in FULFILLED_SHIPMENTS.dropped
    ]
    assert len(personal) == 16
    for row in rows:
        assert {row.split("\t")[n] for n in personal} == {""}


@pytest.mark.parametrize("stream", [stream for stream in STREAMS if not stream.is_static])
def test_case_48_no_stream_has_a_column_for_people(stream: Any) -> None:
    names = str(RecordEncoder(stream).stream.record.__struct_fields__).lower()
    for word in ("buyer", "phone", "email", "postal", "address", "_name_", "gift_message"):
        assert word not in names


def test_case_49_comments_are_masked_before_they_are_written(tmp_path: Path) -> None:
    comment = "Bitte an zz-buyer@marked.example oder +49 30 99887766, Karte 4111 1111 1111 1111"
    columns = ("return-date", "order-id", "sku", "customer-comments")
    row = ("2026-03-10T00:00:00Z", "302-1", "A", comment)
    stub = StubAmazon(new_report=lambda report: setattr(report, "content", tab_file(columns, row)))
    with stub.running():
        landed = records(Reading(tmp_path).encoded(FBA_RETURNS_STREAM, NOW - timedelta(days=30)))
    assert landed[0]["customer_comments"] == "Bitte an [email] oder [phone], Karte [number]"
