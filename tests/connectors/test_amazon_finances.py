"""Amazon, transactions of Finances: cases 40 to 42 and 47 of the sheet, section 10.

Which of a held back and a released transaction counts, and what refunds they make, is decided in
staging (`_amazon__unit_tests.yml`). Case 44 asks about Finances v0, which is not read: it has no id
of an event, and each transaction of 2024-06-19 has one.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sources._core.errors import StopStream
from sources._core.windows import plan_windows
from sources.amazon.finances import MAX_EMPTY_PAGES, with_leaves
from sources.amazon.streams import TRANSACTIONS_STREAM
from tests.connectors.amazon_stub import (
    NOW,
    Nights,
    Reading,
    StubAmazon,
    account,
    as_json,
    records,
)

LIST = "GET /finances/2024-06-19/transactions"
START = datetime(2026, 3, 1, tzinfo=UTC)


def money(amount: float, currency: str = "EUR") -> dict[str, Any]:
    return {"currencyCode": currency, "currencyAmount": amount}


def part(kind: str, amount: float, *below: dict[str, Any]) -> dict[str, Any]:
    return {"breakdownType": kind, "breakdownAmount": money(amount), "breakdowns": list(below)}


def transaction(identifier: str, status: str = "RELEASED", **fields: Any) -> dict[str, Any]:
    return {
        "transactionId": identifier,
        "transactionType": "Refund",
        "transactionStatus": status,
        "description": "Refund Order",
        "postedDate": "2026-03-09T07:00:00Z",
        "totalAmount": money(-19.9),
        "relatedIdentifiers": [
            {"relatedIdentifierName": "ORDER_ID", "relatedIdentifierValue": "302-1"}
        ],
        **fields,
    }


def read(folder: Path, stub: StubAmazon, start: datetime = START) -> list[dict[str, Any]]:
    with stub.running():
        return records(Reading(folder).encoded(TRANSACTIONS_STREAM, start))


def test_case_40_an_empty_page_with_a_token_is_not_the_end(tmp_path: Path) -> None:
    pages: list[dict[str, Any]] = [
        {"transactions": [transaction("a")]},
        {"transactions": []},
        {},
        {"transactions": [transaction("b")]},
    ]
    stub = StubAmazon(transaction_pages=pages)
    assert [row["_key"] for row in read(tmp_path, stub)] == ["a", "b"]
    sent = [dict(request.params) for request in stub.sent(LIST)]
    tokens = [params.pop("nextToken", None) for params in sent]
    assert tokens == [None, "page-1", "page-2", "page-3"]
    assert all(params == sent[0] for params in sent)
    assert "marketplaceId" not in sent[0], "it would leave out orders shipped by the seller"


def test_case_40_a_window_is_at_most_180_days(tmp_path: Path) -> None:
    windows = plan_windows(
        start=NOW - timedelta(days=400),
        cursor=None,
        until=NOW,
        max_window=TRANSACTIONS_STREAM.max_window,
    )
    assert len(windows) == 3
    assert max(window.end - window.start for window in windows) <= timedelta(days=180)
    stub = StubAmazon()
    nights = Nights(tmp_path)
    with stub.running():
        nights.night(NOW, "transactions")
        nights.night(NOW + timedelta(days=1), "transactions")
    first, second, _released = stub.sent(LIST)
    assert first.params["postedBefore"] == "2026-03-19T23:58:00Z", "two minutes before the clock"
    assert second.params["postedAfter"] == "2026-03-12T23:58:00Z", "seven days are read again"


def test_case_9_pages_without_end_stop(tmp_path: Path) -> None:
    stub = StubAmazon()
    numbers = iter(range(10_000))
    stub.script(
        LIST,
        *[
            lambda _request: as_json(
                {"payload": {"transactions": [], "nextToken": f"t{next(numbers)}"}},
                headers={"x-amzn-RateLimit-Limit": "1000"},
            )
        ]
        * (MAX_EMPTY_PAGES + 2),
    )
    with pytest.raises(StopStream, match="without a transaction in a row"):
        read(tmp_path, stub)


def test_case_41_a_tree_is_kept_as_its_leaves_and_sums_are_not_counted_twice() -> None:
    item = {
        "totalAmount": money(-19.9),
        "breakdowns": [
            part("ProductCharges", -16.72, part("Principal", -16.72)),
            part("Tax", -3.18, part("ProductTax", -2.85), part("ShippingTax", -0.33)),
        ],
        "contexts": [{"contextType": "ProductContext", "sku": "00123", "quantityShipped": 1}],
    }
    raw = json.dumps(transaction("a", items=[item], breakdowns=[part("Sales", -19.9)])).encode()
    found = with_leaves(raw)
    (kept,) = found["items"]
    assert [leaf["path"] for leaf in kept["amounts"]] == [
        "ProductCharges/Principal",
        "Tax/ProductTax",
        "Tax/ShippingTax",
    ]
    assert sum(leaf["currencyAmount"] for leaf in kept["amounts"]) == Decimal("-19.90")
    assert [leaf["path"] for leaf in found["amounts"]] == ["Sales"]
    assert "breakdowns" not in kept


def test_case_42_a_status_that_changes_is_updated_in_place(tmp_path: Path) -> None:
    nights = Nights(tmp_path)
    statuses = {19: "DEFERRED", 20: "DEFERRED_RELEASED"}
    for day, status in statuses.items():
        stub = StubAmazon(transaction_pages=[{"transactions": [transaction("a", status)]}])
        with stub.running():
            nights.night(datetime(2026, 3, day, tzinfo=UTC), "transactions")
    table = "raw_amazon.transactions"
    assert nights.rows(f"select transactionStatus from {table}") == [("DEFERRED_RELEASED",)]
    assert nights.rows(f"select transactionStatus from {table}__history") == [("DEFERRED",)]


def test_case_42_released_ones_are_asked_for_further_back_than_a_week(tmp_path: Path) -> None:
    stub = StubAmazon()
    nights = Nights(tmp_path, (account(start=date(2026, 1, 1)),))
    with stub.running():
        nights.night(NOW, "transactions")
        first = stub.count(LIST)
        nights.night(NOW + timedelta(days=1), "transactions")
    assert first == 1, "nothing lies before the first night"
    _week, released = stub.sent(LIST)[1:]
    assert released.params == {
        "postedAfter": "2026-01-26T23:58:00Z",
        "postedBefore": "2026-03-12T23:58:00Z",
        "transactionStatus": "DEFERRED_RELEASED",
    }


def test_case_47_each_amount_keeps_its_currency_and_every_digit(tmp_path: Path) -> None:
    amounts = [
        {"breakdownType": "A", "breakdownAmount": money(0.1)},
        {"breakdownType": "B", "breakdownAmount": money(19940, "JPY")},
        {"breakdownType": "C"},
    ]
    page = {"transactions": [transaction("a", breakdowns=amounts)]}
    (row,) = read(tmp_path, StubAmazon(transaction_pages=[page]))
    assert row["amounts"] == [
        {"path": "A", "currencyCode": "EUR", "currencyAmount": "0.1"},
        {"path": "B", "currencyCode": "JPY", "currencyAmount": "19940"},
        {"path": "C"},
    ]


def test_case_48_who_the_seller_is_stays_out(tmp_path: Path) -> None:
    metadata = {"sellingPartnerId": "A3TEST", "accountType": "PAYABLE", "marketplaceId": "M"}
    page = {"transactions": [transaction("a", sellingPartnerMetadata=metadata)]}
    (row,) = read(tmp_path, StubAmazon(transaction_pages=[page]))
    assert row["sellingPartnerMetadata"] == {"accountType": "PAYABLE", "marketplaceId": "M"}
