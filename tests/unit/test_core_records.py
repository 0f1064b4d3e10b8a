"""From raw records to landed lines: the allow-list, keys, drift, rejects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from sources._core.connector import Page, Stream, StreamContext, Window
from sources._core.errors import StopStream
from sources._core.records import Encoded, Record, RecordEncoder, page_cutter, version_text


class Price(Record):
    amount: Decimal | None = None
    currency: str | None = msgspec.field(default=None, name="currencyCode")


class Line(Record):
    line_id: str | None = msgspec.field(default=None, name="lineId")
    price: Price | None = None
    note: str | None = None


class Order(Record):
    order_id: str | None = msgspec.field(default=None, name="orderId")
    updated: str | None = None
    quantity: int | None = None
    lines: list[Line] | None = None
    comment: str | None = None
    tags: list[str] | None = None


def no_pages(_context: StreamContext, _window: Window) -> Iterator[Page]:
    return iter(())


def stream(**changes: Any) -> Stream:
    declared: dict[str, Any] = {
        "name": "orders",
        "record": Order,
        "key": ("order_id",),
        "read": no_pages,
        "version": "updated",
    }
    return Stream(**{**declared, **changes})


def raw(records: Sequence[Any]) -> list[msgspec.Raw]:
    return [msgspec.Raw(msgspec.json.encode(record)) for record in records]


def encode(records: Sequence[Any], **changes: Any) -> Encoded:
    return RecordEncoder(stream(**changes)).encode(Page(raw(records), "page 1"))


def lines(encoded: Encoded) -> list[Mapping[str, Any]]:
    return [msgspec.json.decode(line) for line in encoded.lines]


def test_a_line_has_key_version_hash_and_the_allowed_fields_only() -> None:
    order = {
        "orderId": "1",
        "updated": "2026-01-01T00:00:00Z",
        "buyer": {"name": "Marked Name"},
        "lines": [{"lineId": "a", "price": {"amount": 12.10, "currencyCode": "EUR"}, "gift": "x"}],
    }
    encoded = encode([order])
    (line,) = lines(encoded)
    assert line == {
        "_key": "1",
        "_version": "2026-01-01T00:00:00Z",
        "_hash": line["_hash"],
        "orderId": "1",
        "updated": "2026-01-01T00:00:00Z",
        "lines": [{"lineId": "a", "price": {"amount": "12.1", "currencyCode": "EUR"}}],
    }
    assert b"Marked" not in encoded.lines[0]


def test_the_hash_follows_the_content_alone() -> None:
    one, other = {"orderId": "1", "quantity": 1}, {"orderId": "1", "quantity": 2}
    first, second, third = (lines(encode([o]))[0]["_hash"] for o in (one, other, {**one, "x": 1}))
    assert first == third != second


def test_names_of_unknown_fields_are_recorded_never_their_values() -> None:
    order = {
        "orderId": "1",
        "buyerNote": "secret",
        "lines": [{"lineId": "a"}, {"lineId": "b", "price": {"tax": 1}}],
    }
    assert encode([order, {"orderId": "2", "other": 1}]).drift == {
        ("buyerNote", "added"),
        ("lines.price.tax", "added"),
    }


def test_fields_left_out_on_purpose_are_not_reported() -> None:
    order = {"orderId": "1", "buyer": {"name": "x", "mail": "y"}, "buyers": 1}
    assert encode([order], known_dropped=("buyer",)).drift == {("buyers", "added")}


def test_a_field_name_that_is_itself_personal_is_masked() -> None:
    encoded = encode([{"orderId": "1", "anna@shop.example": 1, "a" * 300: 1}])
    assert encoded.drift == {("[email]", "added"), ("a" * 100, "added")}


def test_an_expected_field_that_is_gone_is_drift() -> None:
    encoded = encode([{"orderId": "1"}], expected_fields=("quantity",))
    assert encoded.drift == {("quantity", "missing")}


def test_remarks_of_the_connector_about_the_header_are_taken_over() -> None:
    page = Page((), "report 1", unknown_fields=("new-column",), missing_fields=("sku",))
    encoded = RecordEncoder(stream()).encode(page)
    assert encoded.drift == {("new-column", "added"), ("sku", "missing")}


def test_a_record_without_its_key_is_held_back_and_the_rest_lands() -> None:
    encoded = encode([{"orderId": "1"}, {"updated": "x"}, {"orderId": ""}, {"orderId": "2"}])
    assert encoded.keys == ["1", "2"]
    (reject,) = encoded.rejects
    assert (reject.reason, reject.count, reject.example_ref) == (
        "missing_key",
        2,
        "page 1 record 2",
    )


def test_unknown_names_are_looked_for_in_every_record_that_fails() -> None:
    encoded = encode([{"orderId": "1"}, {"order_identifier": "2"}])
    assert encoded.drift == {("order_identifier", "added")}


def test_a_page_without_any_key_stops_the_stream() -> None:
    with pytest.raises(StopStream, match=r"page 1 lacks its key \(orderId\)"):
        encode([{"id": "1"}, {"id": "2"}])


def test_a_page_on_which_nothing_can_be_read_stops_the_stream() -> None:
    with pytest.raises(StopStream, match="no record of page 1 could be read"):
        encode([{"orderId": "1", "lines": 7}, {"orderId": "2", "lines": 8}])


def test_a_number_where_text_is_declared_keeps_its_digits_and_is_drift() -> None:
    order = b'{"orderId":12345678901234567890123,"updated":"x","lines":[{"lineId":1.50}]}'
    encoded = RecordEncoder(stream()).encode(Page([msgspec.Raw(order)], "page 1"))
    (line,) = lines(encoded)
    assert line["_key"] == "12345678901234567890123"
    assert line["lines"] == [{"lineId": "1.50"}]
    assert encoded.drift == {("orderId", "type_changed"), ("lines.lineId", "type_changed")}
    assert encoded.rejects == []


def test_a_changed_type_that_cannot_be_kept_holds_the_record_back() -> None:
    encoded = encode([{"orderId": "1"}, {"orderId": "2", "quantity": "many"}])
    assert encoded.keys == ["1"]
    (reject,) = encoded.rejects
    assert (reject.reason, reject.count) == ("wrong_type", 1)
    assert "quantity" in reject.what_to_do
    assert "many" not in reject.what_to_do


def test_numbers_given_as_text_are_numbers() -> None:
    (line,) = lines(encode([{"orderId": "1", "quantity": "3"}]))
    assert line["quantity"] == 3


def test_a_record_that_is_no_json_is_held_back() -> None:
    page = Page([msgspec.Raw(b'{"orderId":"1"}'), msgspec.Raw(b'{"orderId":"\xff"}')], "page 1")
    encoded = RecordEncoder(stream()).encode(page)
    assert encoded.keys == ["1"]
    assert [(r.reason, r.count) for r in encoded.rejects] == [("not_decodable", 1)]


def test_free_text_is_masked_at_every_depth() -> None:
    order = {
        "orderId": "1",
        "comment": "mail a@b.de",
        "tags": ["call 0151 2345678", "ok"],
        "lines": [{"note": "0151 2345678"}, {"note": None}, {}],
    }
    (line,) = lines(encode([order], free_text=("comment", "tags", "lines.note")))
    assert line["comment"] == "mail [email]"
    assert line["tags"] == ["call [phone]", "ok"]
    assert line["lines"] == [{"note": "[phone]"}, {}, {}]


def test_rows_of_a_report_are_converted_from_text() -> None:
    rows = [{"orderId": "1", "quantity": "2", "extra": "z"}, {"orderId": "2", "quantity": "x"}]
    encoded = RecordEncoder(stream()).encode(Page(rows, "report 1"))
    assert lines(encoded)[0]["quantity"] == 2
    assert encoded.drift == {("extra", "added")}
    assert [(r.reason, r.example_ref) for r in encoded.rejects] == [
        ("wrong_type", "report 1 record 2")
    ]


def test_keys_of_several_fields_and_computed_keys() -> None:
    order = {"orderId": "1", "quantity": 7}
    assert encode([order], key=("order_id", "quantity")).keys == ["1|7"]
    assert encode([order], key=lambda o: f"{o.order_id}/{o.quantity}").keys == ["1/7"]
    with pytest.raises(StopStream, match="computed from several fields"):
        encode([order], key=lambda _o: "")


def test_without_a_version_there_is_none_in_the_line() -> None:
    (line,) = lines(encode([{"orderId": "1"}], version=None))
    assert line["_version"] is None


def test_typed_versions_sort_as_text() -> None:
    assert version_text(datetime(2026, 1, 2, tzinfo=UTC)) == "2026-01-02T00:00:00+00:00"
    assert version_text(date(2026, 1, 2)) == "2026-01-02"
    assert version_text(7) == "7"
    assert version_text(None) is None


def test_a_page_is_cut_without_decoding_its_records() -> None:
    content = b'{"payload":{"orders":[{"a": 1},{"b":"\xe2\x82\xac"}],"next":"t"}}'
    assert [bytes(r) for r in page_cutter("payload", "orders")(content)] == [
        b'{"a": 1}',
        b'{"b":"\xe2\x82\xac"}',
    ]
    assert [bytes(r) for r in page_cutter()(b"[1, 2]")] == [b"1", b"2"]
    with pytest.raises(msgspec.ValidationError):
        page_cutter("orders")(b'{"errors":[]}')


def test_a_number_given_as_text_is_drift_in_whatever_record_it_stands() -> None:
    page = Page(
        [
            msgspec.Raw(b'{"orderId":"1","quantity":1}'),
            msgspec.Raw(b'{"orderId":"2","quantity":"2"}'),
        ],
        "page 1",
    )
    encoded = RecordEncoder(stream()).encode(page)
    assert [msgspec.json.decode(line)["quantity"] for line in encoded.lines] == [1, 2]
    assert encoded.drift == {("quantity", "type_changed")}
