"""Masking, keyed hashes, redaction."""

from __future__ import annotations

import hashlib
import hmac
import time

import pytest

from sources._core.privacy import customer_key, mask_text, redact


def wide(text: str) -> str:
    """Full-width forms, as East Asian keyboards give them."""
    return "".join(chr(ord(character) + 0xFEE0) for character in text)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("write to anna.maier+shop@web.de please", "write to [email] please"),
        ("请联系test@example.com谢谢", "请联系[email]谢谢"),
        (f"連絡は {wide('taro@example.jp')} まで", "連絡は [email] まで"),
        ("müller@büro.example, danke", "[email], danke"),
        ("a@b.de;c@d.fr", "[email];[email]"),
        ("call +49 151 234 567 89 now", "call [phone] now"),
        ("Tel. 030/1234567.", "Tel. [phone]."),
        ("(555) 123-4567", "[phone]"),
        ("电话13800138000\uff0c谢谢", "电话[phone]\uff0c谢谢"),
        (wide("090-1234-5678"), "[phone]"),
        ("card 4111 1111 1111 1111 exp", "card [number] exp"),
        ("4111-1111-1111-1111", "[number]"),
        ("order 302-1234567-7654321 broke", "order [number] broke"),
    ],
)
def test_addresses_phones_and_cards_are_masked(text: str, masked: str) -> None:
    assert mask_text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "size 86 was too small, the 92 fits",
        "arrived 2026-11-22, ordered on 01.11.2026",
        "cost 1299.00 and 12.50 back",
        "SKU-0007 lot L03 broke after 10 days",
        "5 @ 10 each",
        "@support never answered",
        "2024-2025 model",
        "",
    ],
)
def test_ordinary_texts_stay_as_they_are(text: str) -> None:
    assert mask_text(text) == text


@pytest.mark.parametrize(
    "piece", ["a", "1", "@", "a@", "1 ", "12345 - ", "(", "a.b-", "1-2-3 ", "2026-01-01 ", "+1("]
)
def test_masking_takes_time_linear_in_the_length(piece: str) -> None:
    def seconds(length: int) -> float:
        text = piece * (length // len(piece))
        best = 60.0
        for _ in range(3):
            started = time.perf_counter()
            mask_text(text)
            best = min(best, time.perf_counter() - started)
        return best

    short, long = seconds(20_000), seconds(160_000)
    assert long < 0.5 + 16 * short


def test_customer_key_is_a_keyed_hash_of_the_stable_id() -> None:
    expected = hmac.new(b"key", b"buyer-1", hashlib.sha256).hexdigest()
    assert customer_key("buyer-1", "key") == expected
    assert customer_key(" Buyer-1 ", "key") == expected
    assert customer_key("buyer-1", "other") != expected


@pytest.mark.parametrize("nobody", [None, "", "  "])
def test_a_buyer_without_a_stable_id_is_unknown(nobody: str | None) -> None:
    assert customer_key(nobody, "key") == "unknown"


def test_a_customer_key_without_its_key_names_the_setting() -> None:
    with pytest.raises(ValueError, match="customer_key_env"):
        customer_key("buyer-1", "")


@pytest.mark.parametrize(
    "message",
    [
        "GET https://x.example/a?token=s3cr3t-value failed",
        "Authorization: Bearer s3cr3t-value",
        "refused Atza|s3cr3t-value",
        '{"access_token": "s3cr3t-value", "expires_in": 3600}',
        "client_secret=s3cr3t-value&grant_type=x",
        "plain s3cr3t-value in the middle",
    ],
)
def test_no_secret_is_left_in_a_message(message: str) -> None:
    assert "s3cr3t-value" not in redact(message, ["s3cr3t-value"])
    if "plain" not in message:
        assert "s3cr3t-value" not in redact(message)


def test_messages_of_ours_keep_their_ids_but_no_address() -> None:
    text = "report 50021019763 of 2026-11-01T00:00:00Z, mail a@b.de"
    assert redact(text, mask_numbers=False) == (
        "report 50021019763 of 2026-11-01T00:00:00Z, mail [email]"
    )
