"""Money, signatures and feedback of eBay.

Numbers are those of the acceptance cases in the facts about eBay, section 7.
"""

from __future__ import annotations

import base64
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from sources._core.clock import ManualClock
from sources._core.errors import ConfigurationError
from sources.ebay.checks import check_account
from sources.ebay.client import EbayClient
from sources.ebay.signatures import Signer
from tests.connectors import ebay_stub as stub
from tests.connectors.ebay_stub import NOW, Asked, Nights, Reply, StubEbay, at

JWE = "eyJhbGciOiJBMjU2R0NNS1ciLCJlbmMiOiJBMjU2R0NNIn0.abc"


def der(key: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey) -> str:
    content = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return base64.b64encode(content).decode()


def base_string(asked: Asked) -> bytes:
    """What eBay puts together to check a signature, by its own description."""
    parameters = asked.headers["Signature-Input"].removeprefix("sig1=")
    return "\n".join(
        (
            f'"x-ebay-signature-key": {asked.headers["x-ebay-signature-key"]}',
            f'"@method": {asked.method}',
            f'"@path": {asked.path}',
            f'"@authority": {asked.host}',
            f'"@signature-params": {parameters}',
        )
    ).encode()


def signature(asked: Asked) -> bytes:
    return base64.b64decode(asked.headers["Signature"].removeprefix("sig1=:").removesuffix(":"))


def signed_account(key: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey, **values: object) -> object:
    secrets = {"signing_key": der(key), "signing_jwe": JWE}
    return stub.account(more_secrets=secrets, seller_country="GB", **values)


def test_requests_about_money_are_signed(tmp_path: Path) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    shop = StubEbay(transactions=[stub.transaction("1")], needs_signature=True)
    with shop.running():
        Nights(tmp_path, (signed_account(key),)).good(NOW, "transactions", "orders")  # type: ignore[arg-type]
    (asked,) = shop.sent("/sell/finances/v1/transaction")
    assert asked.host == "apiz.ebay.com"
    key.public_key().verify(signature(asked), base_string(asked))
    assert f"created={int(NOW.timestamp())}" in asked.headers["Signature-Input"]
    assert all("Signature" not in asked.headers for asked in shop.sent("/sell/fulfillment"))


def test_rsa_keys_sign_in_the_older_padding() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = f"-----BEGIN PRIVATE KEY-----\n{der(key)}\n-----END PRIVATE KEY-----\n"
    signer = Signer(pem, JWE, ManualClock(NOW), "brand")
    headers = signer.headers("GET", "https://apiz.ebay.com/sell/finances/v1/payout?limit=1")
    asked = Asked("GET", "apiz.ebay.com", "/sell/finances/v1/payout", {}, headers, {})
    key.public_key().verify(
        signature(asked), base_string(asked), padding.PKCS1v15(), hashes.SHA256()
    )


def test_a_key_that_is_none_is_named_by_its_setting() -> None:
    with pytest.raises(ConfigurationError, match=r"secrets\.signing_key") as raised:
        Signer("hunter2", JWE, ManualClock(NOW), "brand")
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("country", ["GB", "DE", None])
def test_case_26_without_a_key_money_stops_and_says_why(
    tmp_path: Path, country: str | None
) -> None:
    shop = StubEbay(orders=[stub.order(1)], needs_signature=True)
    with shop.running():
        outcomes = Nights(tmp_path, (stub.account(seller_country=country),)).night()
    lost = {o.stream: str(o.error) for o in outcomes if o.state != "ok"}
    assert set(lost) == {"transactions", "payouts"}
    assert all("215001" in error and "createSigningKey" in error for error in lost.values())
    assert bool(shop.sent("/sell/finances")) == (country is None)


def test_case_27_a_clock_that_is_off(tmp_path: Path) -> None:
    shop = StubEbay()
    shop.script("/transaction", lambda _asked: stub.refusal(400, 215114, "created out of range"))
    with shop.running():
        (outcome,) = Nights(tmp_path).night(NOW, "transactions")
    assert "215114" in str(outcome.error)
    assert "clock of this machine" in str(outcome.error)
    assert len(shop.sent("/transaction")) == 1


def test_a_signature_that_does_not_fit(tmp_path: Path) -> None:
    shop = StubEbay()
    shop.script("/payout", lambda _asked: stub.refusal(400, 215122, "Signature validation failed"))
    with shop.running():
        (outcome,) = Nights(tmp_path).night(NOW, "payouts")
    assert "one and the same call of createSigningKey" in str(outcome.error)


def test_transactions_are_known_by_id_and_type_and_read_until_paid_out(tmp_path: Path) -> None:
    """A sale's id is its order's: a fee of the same id is another row."""
    sale = stub.transaction("1", transactionStatus="FUNDS_PROCESSING", payoutId=None)
    shop = StubEbay(transactions=[sale, stub.transaction("1", "NON_SALE_CHARGE", "0.30")])
    nights = Nights(tmp_path)
    with shop.running():
        nights.good(NOW, "transactions")
        assert set(nights.landed("transactions")) == {"1|SALE", "1|NON_SALE_CHARGE"}
        sale |= {"transactionStatus": "PAYOUT", "payoutId": "5001"}
        nights.good(NOW + timedelta(days=30), "transactions")
    assert nights.landed("transactions")["1|SALE"]["payoutId"] == "5001"


def test_case_06_a_total_may_be_missing_and_next_leads_on(tmp_path: Path) -> None:
    shop = StubEbay(transactions=[stub.transaction(str(n)) for n in range(7)], page_size=3)

    def without_total(asked: Asked) -> Reply:
        status, headers, body = shop.answer(asked)
        return status, headers, body.replace(b'"total": 7, ', b"")

    shop.script("/transaction", *[without_total] * 3)
    with shop.running():
        assert Nights(tmp_path).good(NOW, "transactions")[0].rows == 7


def opinion(number: int, day: int, **values: object) -> stub.Node:
    given = {
        "feedbackId": str(number),
        "commentType": "POSITIVE",
        "feedbackComment": {"commentText": "top 👍 &amp; fast, mail me: anna@example.com"},
        "feedbackEnteredDate": at(day),
        "providerUserDetail": {"userId": "anna_b", "role": "BUYER"},
    }
    return {**given, **values}


def test_cases_32_33_feedback_in_the_order_of_time_without_automated_ones(tmp_path: Path) -> None:
    entries = [opinion(n, 15) for n in range(1, 61)]
    shop = StubEbay(feedback=[*entries, opinion(99, 15, automatedFeedback=True)], page_size=30)
    nights = Nights(tmp_path)
    with shop.running():
        nights.good(NOW, "feedback")
    asked = shop.sent("/feedback$")
    assert [a.one.get("offset", "0") for a in asked] == ["0", "30", "60"]
    assert all("showAutomatedFeedback:false" in a.one["filter"] for a in asked)
    assert {a.one["user_id"] for a in asked} == {"seller-1"}
    rows = nights.landed("feedback")
    assert len(rows) == 60
    assert rows["1"]["feedbackComment"]["commentText"] == "top 👍 &amp; fast, mail me: [email]"
    assert "anna" not in str(rows)


def test_feedback_is_read_no_further_back_than_the_window_needs(tmp_path: Path) -> None:
    recent = [opinion(n, 15) for n in range(25)]
    old = [opinion(n, 15, feedbackEnteredDate="2026-03-01T00:00:00.000Z") for n in range(25, 75)]
    shop = StubEbay(feedback=[*recent, *old], page_size=25)
    nights = Nights(tmp_path, (stub.account(start=date(2026, 11, 1)),))
    with shop.running():
        nights.good(NOW, "feedback")
    assert [a.one.get("offset", "0") for a in shop.sent("/feedback$")] == ["0", "25"]
    assert "period:365" in shop.sent("/feedback$")[0].one["filter"]


def test_no_feedback_is_an_error_of_ebays_and_none_of_ours(tmp_path: Path) -> None:
    shop = StubEbay()
    shop.script("/feedback$", lambda _asked: stub.refusal(400, 501039, "Feedback not found"))
    with shop.running():
        assert Nights(tmp_path).good(NOW, "feedback")[0].rows == 0


def test_service_metrics_are_kept_with_the_rate_of_peers(tmp_path: Path) -> None:
    rate = {
        "metricKey": "RATE",
        "value": "0.4",
        "benchmark": {
            "basis": "PEER_BENCHMARK",
            "rating": "AVERAGE",
            "metadata": {"average": "0.5"},
        },
    }
    found = {
        "marketplaceId": "EBAY_US",
        "evaluationCycle": {"evaluationType": "CURRENT", "evaluationDate": "2026-11-20"},
        "dimensionMetrics": [
            {"dimension": {"dimensionKey": "LISTING_CATEGORY", "value": "2984"}, "metrics": [rate]}
        ],
    }
    shop = StubEbay(metrics={"ITEM_NOT_AS_DESCRIBED/CURRENT": found})
    nights = Nights(tmp_path)
    with shop.running():
        nights.good(NOW, "service_metrics")
    (row,) = nights.landed("service_metrics").values()
    assert row["_key"] == "EBAY_US|ITEM_NOT_AS_DESCRIBED|CURRENT|2984"
    assert row["metrics"][0]["benchmark"]["metadata"]["average"] == "0.5"
    assert len(shop.sent("/customer_service_metric/")) == 4


def test_a_consent_that_ends_soon_is_said_each_night(tmp_path: Path) -> None:
    late = NOW.date() - timedelta(days=530)
    nights = Nights(tmp_path, (stub.account(consent_given_on=late),))
    with StubEbay().running():
        nights.good(NOW, "orders")
    assert nights.notes("orders") == {("consent_ends_soon", 0)}
    other = Nights(tmp_path / "fresh", (stub.account(consent_given_on=NOW.date()),))
    with StubEbay().running():
        other.good(NOW, "orders")
    assert other.notes("orders") == set()


def test_check_config_tries_every_right() -> None:
    shop = StubEbay(needs_signature=True)
    shop.script("/payment_dispute_summary", lambda _asked: stub.refusal(403, 1100, "denied"))
    asked_for = stub.account(consent_given_on=date(2026, 11, 1))
    answers: list[str] = []
    shop.script(
        "/order$|/search$|/seller_standards|/feedback$",
        *[lambda asked: (answers.append(asked.path), stub.ok({}))[1]] * 4,
    )
    shop.script("/transaction", lambda _asked: stub.refusal(400, 215001, "header missing"))
    with shop.running():
        checks = check_account(EbayClient(asked_for, ManualClock(datetime.now(UTC))))
    found = {check.subject: check.ok for check in checks}
    assert found["credentials"]
    assert found["sell.fulfillment"]
    assert not found["sell.payment.dispute"]
    assert not found["sell.finances"]
    assert "valid until" in next(c.message for c in checks if c.subject == "consent")
    assert len(answers) == 4


def dispute(key: str, status: str, opened: str, **values: object) -> stub.Node:
    given = {
        "paymentDisputeId": key,
        "paymentDisputeStatus": status,
        "openDate": opened,
        "orderId": "1",
        "buyerUsername": "anna_b",
        "amount": stub.money("20.00"),
        "note": "anna says no",
        "revision": 1,
    }
    return {**given, **values}


def test_disputes_are_read_again_while_open_and_two_months_after(tmp_path: Path) -> None:
    shop = StubEbay(disputes=[dispute("D1", "OPEN", at(12)), dispute("D2", "OPEN", at(13))])
    nights = Nights(tmp_path)
    with shop.running():
        nights.good(NOW, "payment_disputes")
        won = {"protectionStatus": "PROTECTED", "fees": stub.money("5.00")}
        shop.disputes[0] |= {"paymentDisputeStatus": "CLOSED", "resolution": won}
        nights.good(NOW + timedelta(days=20), "payment_disputes")
        row = nights.landed("payment_disputes")["D1"]
        assert row["resolution"]["fees"]["value"] == "5.00"
        nights.good(NOW + timedelta(days=79), "payment_disputes")
        before = len(shop.sent("/payment_dispute/D1"))
        nights.good(NOW + timedelta(days=90), "payment_disputes")
    assert before == 3
    assert len(shop.sent("/payment_dispute/D1")) == before
    assert len(shop.sent("/payment_dispute/D2")) == 4
    assert {asked.host for asked in shop.sent("/payment_dispute")} == {"apiz.ebay.com"}
    assert "anna" not in str(nights.landed("payment_disputes"))


def test_seller_standards_keep_values_of_all_shapes(tmp_path: Path) -> None:
    metrics = [
        {"metricKey": "TRANSACTION_COUNT", "value": 210},
        {"metricKey": "GMV", "value": {"value": "1200.50", "currency": "USD"}},
        {"metricKey": "DEFECTIVE_TRANSACTION_RATE",
         "value": {"numerator": 3, "denominator": 210, "value": "1.43"}},
    ]  # fmt: skip
    cycle = {"cycleType": "CURRENT", "evaluationDate": "2026-11-20T00:00:00.000Z"}
    profile = {"program": "PROGRAM_US", "standardsLevel": "TOP_RATED", "cycle": cycle}
    answer = {"standardsProfiles": [{**profile, "metrics": metrics}]}
    shop = StubEbay()
    shop.script("/seller_standards_profile", lambda _asked: stub.ok(answer))
    nights = Nights(tmp_path)
    with shop.running():
        nights.good(NOW, "seller_standards")
    (row,) = nights.landed("seller_standards").values()
    values = {m["metricKey"]: (m["value"], m.get("denominator")) for m in row["metrics"]}
    assert values == {
        "TRANSACTION_COUNT": ("210", None),
        "GMV": ("1200.50", None),
        "DEFECTIVE_TRANSACTION_RATE": ("1.43", "210"),
    }
