"""eBay's sandbox: transactions, payouts, signatures."""

from __future__ import annotations

import base64
import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from cryptography.hazmat.primitives.serialization import load_der_private_key

from tests.connectors.ebay_sandbox_caller import SELLER, TODAY, Caller, caller, small_world
from tests.connectors.openapi_shapes import misfits, named

TRANSACTIONS, PAYOUTS = "/sell/finances/v1/transaction", "/sell/finances/v1/payout"
KEYS = "/developer/key_management/v1/signing_key"


def every_transaction(client: Caller) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for start, end in (("01-01", "03-01"), ("03-01", "05-01"), ("05-01", "06-01")):
        window = f"transactionDate:[2026-{start}T00:00:00.000Z..2026-{end}T00:00:00.000Z]"
        offset = 0
        while True:
            response = client.call(TRANSACTIONS, filter=window, limit=200, offset=offset,
                                   sort="transactionDate")  # fmt: skip
            if response.status == 204:
                break
            page = json.loads(response.body)
            found += page["transactions"]
            offset += 200
            if "next" not in page:
                break
    return found


@pytest.fixture(scope="module")
def client() -> Caller:
    return caller()


@pytest.fixture(scope="module")
def transactions(client: Caller) -> list[dict[str, Any]]:
    return every_transaction(client)


def test_transactions_fit_the_official_model(
    client: Caller, transactions: list[dict[str, Any]], shared_dir: Path | None
) -> None:
    required = {"transactionId", "transactionType", "transactionDate", "amount", "bookingEntry"}
    assert all(required <= row.keys() for row in transactions)
    if shared_dir is None:
        print("not checked: the model of the Finances API is not here")
        return
    path = shared_dir / "specs" / "ebay" / "sell_finances_v1.17.2_oas3.yaml"
    found = list(misfits({"transactions": transactions}, named(path, "Transactions"), path))
    window = "payoutDate:[2026-03-01T00:00:00.000Z..2026-05-20T00:00:00.000Z]"
    payouts = client.get(PAYOUTS, filter=window, limit=100)
    found += misfits(payouts, named(path, "Payouts"), path)
    assert not found, found[:5]


def test_amounts_with_their_direction_add_up_to_the_world(
    transactions: list[dict[str, Any]],
) -> None:
    sums: Counter[str] = Counter()
    for row in transactions:
        assert Decimal(row["amount"]["value"]) >= 0
        sign = 1 if row["bookingEntry"] == "CREDIT" else -1
        sums[row["amount"]["currency"]] += sign * int(Decimal(row["amount"]["value"]) * 100)
    booked = small_world().market_bookings.filter(
        pl.col("booked_at") <= pl.lit(TODAY.replace(tzinfo=None))
    )
    true = booked.group_by("currency").agg(pl.col("amount_minor").sum())
    assert sums == dict(true.iter_rows())


def test_a_refund_is_the_sellers_net_and_its_fee_makes_the_buyers(
    transactions: list[dict[str, Any]],
) -> None:
    refunds = small_world().market_refunds
    amounts = dict(refunds.select("refund_id", "amount_minor").iter_rows())
    found = [row for row in transactions if row["transactionType"] == "REFUND"]
    assert found
    for row in found:
        both = Decimal(row["amount"]["value"]) + Decimal(row["totalFeeAmount"]["value"])
        assert int(both * 100) == amounts[row["transactionId"]]
    charges = [row for row in transactions if row["transactionType"] == "NON_SALE_CHARGE"]
    assert charges
    assert all("orderId" not in row and row["references"] for row in charges)


def test_a_payout_is_the_sum_of_its_transactions(
    client: Caller, transactions: list[dict[str, Any]]
) -> None:
    window = "payoutDate:[2026-03-01T00:00:00.000Z..2026-05-20T00:00:00.000Z]"
    payouts = client.get(PAYOUTS, filter=window, limit=100)["payouts"]
    assert len(payouts) > 10
    for payout in payouts:
        mine = [row for row in transactions if row.get("payoutId") == payout["payoutId"]]
        signs = {"CREDIT": 1, "DEBIT": -1}
        total = sum(signs[r["bookingEntry"]] * Decimal(r["amount"]["value"]) for r in mine)
        assert total == Decimal(payout["amount"]["value"])
        assert payout["transactionCount"] == len(mine)


def test_no_rows_are_no_content(client: Caller) -> None:
    window = "transactionDate:[2025-01-01T00:00:00.000Z..2025-01-02T00:00:00.000Z]"
    response = client.call(TRANSACTIONS, filter=window)
    assert (response.status, response.body) == (204, b"")
    assert client.call(TRANSACTIONS, limit=1001).status == 400
    lacking = caller(missing_roles={SELLER: frozenset({"sell.finances"})})
    assert lacking.call(TRANSACTIONS).status == 403


def signed(key: dict[str, Any], path: str, created: int) -> dict[str, str]:
    """Headers of a signed request, as the sheet writes them."""
    parts = '("x-ebay-signature-key" "@method" "@path" "@authority")'
    parameters = f"{parts};created={created}"
    base = "\n".join(
        [
            f'"x-ebay-signature-key": {key["jwe"]}',
            '"@method": GET',
            f'"@path": {path}',
            '"@authority": apiz.ebay.com',
            f'"@signature-params": {parameters}',
        ]
    )
    private: Any = load_der_private_key(base64.b64decode(key["privateKey"]), None)
    signature = base64.b64encode(private.sign(base.encode())).decode()
    return {
        "x-ebay-signature-key": key["jwe"],
        "signature-input": f"sig1={parameters}",
        "signature": f"sig1=:{signature}:",
    }


def refusal(response: Any) -> int:
    return int(json.loads(response.body)["errors"][0]["errorId"])


def test_signatures_are_checked() -> None:
    client = caller()
    assert client.call(TRANSACTIONS).status == 200  # no key fetched yet
    key = json.loads(client.call(KEYS, method="POST").body)
    assert refusal(client.call(TRANSACTIONS)) == 215001
    now = int(TODAY.timestamp())
    good = signed(key, TRANSACTIONS, now)
    assert client.call(TRANSACTIONS, headers=good, limit=5).status == 200
    late = signed(key, TRANSACTIONS, now - 600)
    assert refusal(client.call(TRANSACTIONS, headers=late)) == 215114
    other = signed(key, PAYOUTS, now)
    assert refusal(client.call(TRANSACTIONS, headers=other)) == 215122
    unknown = good | {"x-ebay-signature-key": "eyJ"}
    assert refusal(client.call(TRANSACTIONS, headers=unknown)) == 215120
