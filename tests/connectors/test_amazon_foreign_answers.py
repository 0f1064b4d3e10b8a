"""Amazon, answers that others wrote: the models' own examples, stubs of other programs, odd shapes.

Where the official models are not at hand, the small answers written down here stand for them.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sources._core.errors import RetryLater, StopStream
from sources.amazon.answers import Created, DocumentLink, OrdersPage, Report, ReportList, reader
from sources.amazon.streams import FBA_RETURNS_STREAM, ORDERS_STREAM, SETTLEMENTS_STREAM
from tests.connectors.amazon_stub import (
    NOW,
    Nights,
    Reading,
    Reply,
    Request,
    StubAmazon,
    StubReport,
    as_json,
    fixture_bytes,
    records,
)

START = datetime.fromisoformat("2026-03-01T00:00:00Z")
CREATE = "POST /reports/2021-06-30/reports"
GET_REPORTS = "GET /reports/2021-06-30/reports"
READERS = {
    "searchOrders": reader(OrdersPage, "orders"),
    "getReports": reader(ReportList, "reports"),
    "getReport": reader(Report),
    "createReport": reader(Created),
    "getReportDocument": reader(DocumentLink),
}
OWN = {
    "searchOrders": {"orders": [], "lastUpdatedBefore": "2026-03-20T00:00:00Z"},
    "getReports": {"reports": [{"reportId": "R1", "processingStatus": "IN_PROGRESS"}]},
    "getReport": {"reportId": "R1", "processingStatus": "DONE", "reportDocumentId": "D1"},
    "createReport": {"reportId": "R1"},
    "getReportDocument": {"reportDocumentId": "D1", "url": "https://storage.test/D1"},
}


def good_answers(shared_dir: Path | None, operation_id: str) -> Iterator[Any]:
    """Every 2xx answer that a model gives for an operation."""
    if shared_dir is None:
        print(f"not checked: the models' own answers of {operation_id}")
        yield OWN[operation_id]
        return
    for name in ("orders_2026-01-01", "reports_2021-06-30"):
        path = shared_dir / "specs" / "amazon" / "models" / f"{name}.json"
        for methods in json.loads(path.read_text("utf-8"))["paths"].values():
            for method in methods.values():
                if isinstance(method, dict) and method.get("operationId") == operation_id:
                    for status, response in method["responses"].items():
                        if status.startswith("2"):
                            yield from _examples(response)


def _examples(response: dict[str, Any]) -> Iterator[Any]:
    yield from response.get("examples", {}).values()
    for pair in response.get("x-amzn-api-sandbox", {}).get("static", []):
        yield pair["response"]


@pytest.mark.parametrize("operation_id", sorted(READERS))
def test_the_models_own_answers_are_read(shared_dir: Path | None, operation_id: str) -> None:
    answers = list(good_answers(shared_dir, operation_id))
    assert answers
    for answer in answers:
        read = READERS[operation_id](json.dumps(answer).encode())
        if isinstance(read, OrdersPage):
            assert read.orders is not None and len(read.orders) == len(answer["orders"])
        elif isinstance(read, ReportList):
            assert [one.report_id for one in read.named] == [
                one["reportId"] for one in answer["reports"]
            ]
        elif isinstance(read, DocumentLink):
            assert read.url == answer["url"]
        else:
            assert read.report_id == answer["reportId"]


def test_ids_as_numbers_nulls_and_unknown_fields_are_read() -> None:
    read = reader(ReportList, "reports")
    one = {"reportId": 7, "processingStatus": "DONE", "marketplaceIds": None, "x": {"y": 1}}
    found = read(json.dumps({"reports": [one, None, {}], "nextToken": None}).encode())
    assert [(r.report_id, r.created_at, r.marketplace_ids) for r in found.named] == [
        ("7", None, None)
    ]
    assert read(b'{"reports":null}').named == []
    assert read(b'{"payload":{"reports":[]}}').named == []
    odd = {"reportId": "7", "createdTime": "soon", "dataStartTime": "2026-03-01T00:00:00"}
    report = reader(Report)(json.dumps(odd).encode())
    assert report.created_at is None
    assert report.data_start == START, "a time without offset is UTC"
    page = reader(OrdersPage, "orders")(b'{"orders":null,"pagination":null}')
    assert (page.orders, page.next_token) == (None, None)


def test_errors_under_a_good_status_are_errors() -> None:
    read = reader(OrdersPage, "orders")
    busy = b'{"errors":[{"code":"InternalFailure","message":"try later"}]}'
    with pytest.raises(RetryLater, match="InternalFailure: try later"):
        read(busy)
    for body in (
        b'{"errors":[{"code":"InvalidInput"}]}',
        b'{"orders":null,"errors":[{"code":"X"}]}',
    ):
        with pytest.raises(StopStream, match="error instead of content"):
            read(body)
    with pytest.raises(msgspec.ValidationError):
        read(b"{}")


def test_errors_under_a_good_status_do_not_move_the_cursor(tmp_path: Path) -> None:
    stub = StubAmazon()
    refused = {"errors": [{"code": "InvalidInput", "message": "no"}]}
    stub.script("GET /orders/2026-01-01/orders", lambda _request: as_json(refused))
    nights = Nights(tmp_path)
    with stub.running():
        outcome = nights.extract(NOW, "orders")[0]
    assert outcome.state == "failed"
    nights.load()
    assert nights.rows("select count(*) from load.cursor") == [(0,)]


def test_a_sparse_stub_of_another_program_is_enough(tmp_path: Path) -> None:
    """It lists no reports, answers with statuses alone, and does not say that it compresses."""
    stub = StubAmazon()
    done = {"processingStatus": "DONE", "reportDocumentId": "D1"}
    link = {"url": "https://storage.test/R1"}
    stub.script(GET_REPORTS, lambda _request: as_json({"message": "not here"}, status=404))
    stub.script(CREATE, lambda _request: as_json({"reportId": "R1"}, status=202))
    stub.script("GET /reports/2021-06-30/reports/R1", lambda _request: as_json(done))
    stub.script("GET /reports/2021-06-30/documents/D1", lambda _request: as_json(link))
    body = gzip.compress(fixture_bytes("fba_returns.txt"))
    stub.script("GET /R1", lambda _request: (200, {}, body))
    with stub.running():
        assert len(records(Reading(tmp_path).encoded(FBA_RETURNS_STREAM, START))) == 5


def test_done_without_a_document_asks_for_a_new_report_the_next_night(tmp_path: Path) -> None:
    stub = StubAmazon(new_report=lambda report: setattr(report, "has_document", False))
    with stub.running():
        with pytest.raises(StopStream, match="names no document"):
            Reading(tmp_path).encoded(FBA_RETURNS_STREAM, START)
        stub.new_report = lambda report: setattr(
            report, "content", fixture_bytes("fba_returns.txt")
        )
        later = Reading(tmp_path)
        later.clock.current = NOW + timedelta(hours=5)
        assert records(later.encoded(FBA_RETURNS_STREAM, START))
    assert stub.count(CREATE) == 2


def order(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "orderId": f"302-{number}",
        "createdTime": "2026-03-19T10:00:00Z",
        "lastUpdatedTime": "2026-03-19T10:00:00Z",
        "salesChannel": None,
        "orderItems": None,
    } | changes


def test_an_order_full_of_nulls_is_kept(tmp_path: Path) -> None:
    names = ORDERS_STREAM.record.__struct_fields__
    hollow = dict.fromkeys(names) | order(1)
    item = {"orderItemId": 5, "quantityOrdered": None, "product": {"price": {"unitPrice": None}}}
    stub = StubAmazon(order_pages=[{"orders": [hollow, order(2, orderItems=[item])]}])
    with stub.running():
        pages = Reading(tmp_path).encoded(ORDERS_STREAM, NOW - timedelta(days=1))
    assert [row["orderId"] for row in records(pages)] == ["302-1", "302-2"]
    assert records(pages)[1]["orderItems"][0]["orderItemId"] == "5"
    assert [page.rejects for page in pages if page.rejects] == []


@pytest.mark.parametrize("orders", [[], [order(1)]])
def test_pages_that_never_end_stop_although_their_tokens_differ(
    tmp_path: Path, orders: list[Any]
) -> None:
    tokens = iter(range(1_000_000))

    def endless(_request: Request) -> Reply:
        page = {"orders": orders, "pagination": {"nextToken": str(next(tokens))}}
        return as_json(page, headers={"x-amzn-RateLimit-Limit": "1000"})

    stub = StubAmazon()
    stub.script("GET /orders/2026-01-01/orders", *[endless] * 2_000)
    with stub.running(), pytest.raises(StopStream, match="would never end"):
        Reading(tmp_path).encoded(ORDERS_STREAM, NOW - timedelta(days=1))
    assert next(tokens) < 600


def test_a_list_of_reports_that_never_ends_stops(tmp_path: Path) -> None:
    tokens = iter(range(1_000_000))

    def endless(_request: Request) -> Reply:
        return as_json({"reports": [], "nextToken": str(next(tokens))})

    stub = StubAmazon()
    stub.script(GET_REPORTS, *[endless] * 2_000)
    with stub.running(), pytest.raises(StopStream, match="would never end"):
        Reading(tmp_path).encoded(SETTLEMENTS_STREAM, START)
    assert next(tokens) < 500


def test_what_amazon_no_longer_keeps_is_said(tmp_path: Path) -> None:
    with StubAmazon().running():
        long_ago = NOW - timedelta(days=800)
        for stream in (SETTLEMENTS_STREAM, ORDERS_STREAM):
            reading = Reading(tmp_path / stream.name)
            pages = reading.encoded(stream, long_ago)
            said = [(one.reason, one.count) for page in pages for one in page.rejects]
            assert said == [("older_than_kept", 0)], stream.name
            recent = Reading(tmp_path / f"{stream.name}-2").encoded(stream, START)
            assert [one for page in recent for one in page.rejects] == []


def test_one_settlement_out_of_reach_keeps_the_others(tmp_path: Path) -> None:
    stub = StubAmazon()
    for number, name in ((1, "settlement_eu.txt"), (2, "settlement_na.txt")):
        stub.reports[str(number)] = StubReport(
            str(number),
            "GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2",
            statuses=["DONE"],
            created=f"2026-03-{10 + number}T00:00:00Z",
            content=fixture_bytes(name),
        )
    stub.script("GET /1", *[lambda _request: (503, {}, b"")] * 100)
    nights = Nights(tmp_path)
    with stub.running():
        outcome = nights.extract(NOW, "settlements")[0]
    assert outcome.state == "failed"
    nights.load()
    assert nights.rows("select distinct settlement_id from raw_amazon.settlements") == [
        ("19000000002",)
    ]
    assert nights.rows("select count(*) from load.cursor") == [(0,)]


def test_a_column_whose_words_became_objects_holds_the_cursor(tmp_path: Path) -> None:
    content = fixture_bytes("fba_returns.txt").decode().split("\r\n")
    place = content[0].split("\t").index("detailed-disposition")
    rows = [line.split("\t") for line in content[1:] if line]
    for row in rows:
        row[place] = json.dumps({"value": row[place]})
    changed = "\r\n".join([content[0], *("\t".join(row) for row in rows)]).encode()
    stub = StubAmazon(new_report=lambda report: setattr(report, "content", changed))
    nights = Nights(tmp_path)
    with stub.running():
        outcome = nights.extract(NOW, "fba_returns")[0]
    assert outcome.state == "failed"
    assert "detailed_disposition" in str(outcome.error)


def test_a_damaged_state_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "fba_returns.json").write_bytes(b"\x00\x00")
    stub = StubAmazon(
        new_report=lambda report: setattr(report, "content", fixture_bytes("fba_returns.txt"))
    )
    with stub.running():
        assert len(records(Reading(tmp_path).encoded(FBA_RETURNS_STREAM, START))) == 5
