"""Keeping people and secrets out of what is written: masking, keyed hashes, redaction of messages.

Belongs here: pure functions on text. Does not belong here: which fields are free text (the
stream says so) and where the key comes from (`pipelines.resources`).
Names of people inside running text cannot be found reliably and are not looked for.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable

UNKNOWN_CUSTOMER = "unknown"
MIN_PHONE_DIGITS, MAX_PHONE_DIGITS = 7, 15
MIN_CARD_DIGITS = 13

_EMAIL_LOCAL = 64
_EMAIL_DOMAIN = 255
_AT = re.compile("[@\uff20\ufe6b]")
_SEPARATOR = r"[\s().\-/\u2010-\u2015\u00b7\uff08\uff09\uff0d\uff0e\uff0f]{1,3}"
_DATE = (
    r"(?P<date>(?<!\d)(?:(?:19|20)\d\d([-./])(?:0?[1-9]|1[0-2])\2(?:0?[1-9]|[12]\d|3[01])"
    r"|(?:0?[1-9]|[12]\d|3[01])([-./])(?:0?[1-9]|1[0-2])\3(?:19|20)\d\d"
    r"|(?:19|20)\d\d[-/](?:19|20)\d\d)(?!\d|[-./]\d))"
)
# Separators and digits share no character, so the repetition cannot be matched in two ways.
_NUMBER = re.compile(rf"{_DATE}|[+\uff0b]?\(?\d+(?:{_SEPARATOR}\d+)*")
_QUERY = re.compile(r"\?[^\s'\"<>)]+")
_TOKEN = re.compile(
    r"(?i)\b(?:bearer|basic)\s+[A-Za-z0-9._~+/=|\-]+"
    r"|\bAtz[ar]\|[A-Za-z0-9._~+/=|\-]+"
    r"|\b(?:[a-z_]*token|[a-z_]*secret|password|api[_-]?key|signature)\b['\"]?\s*[=:]\s*['\"]?[^\s'\",}&]+"
)
_MAX_MESSAGE = 1_000


def mask_text(text: str) -> str:
    """Replace e-mail addresses, phone numbers and card-like numbers; time linear in the length.

    Any run of at least seven digits, whatever separates them, is taken for a phone or card
    number, dates excepted: an order number is lost rather than a phone number kept.
    """
    if _AT.search(text):
        text = _mask_emails(text)
    return _NUMBER.sub(_mask_number, text)


def _mask_number(match: re.Match[str]) -> str:
    found = match.group()
    if match.group("date") is not None:
        return found
    digits = sum(character.isdecimal() for character in found)
    if digits < MIN_PHONE_DIGITS:
        return found
    is_phone = digits <= MAX_PHONE_DIGITS and (digits < MIN_CARD_DIGITS or found[0] in "+\uff0b")
    return "[phone]" if is_phone else "[number]"


def _mask_emails(text: str) -> str:
    pieces = []
    done = 0
    for match in _AT.finditer(text):
        at = match.start()
        if at < done:
            continue
        left = at
        while left > max(done, at - _EMAIL_LOCAL) and _is_address_character(text[left - 1]):
            left -= 1
        right = match.end()
        limit = min(len(text), right + _EMAIL_DOMAIN)
        while right < limit and _is_address_character(text[right]):
            right += 1
        if left < at and right > match.end():
            pieces += [text[done:left], "[email]"]
            done = right
    pieces.append(text[done:])
    return "".join(pieces)


def _is_address_character(character: str) -> bool:
    """Letters of alphabets written with gaps between words; a Chinese word ends the address."""
    return character in "._%+-'!#$&*/=?^`{|}~" or (
        character == "\uff0e"
        or (character.isalnum() and (ord(character) < 0x590 or "\uff10" <= character <= "\uff5a"))
    )


def customer_key(identity: str | None, key: str) -> str:
    """Keyed hash of a stable buyer id (HMAC-SHA-256, hex); `unknown` where there is none."""
    if identity is None or not identity.strip():
        return UNKNOWN_CUSTOMER
    if not key:
        raise ValueError("customer_key needs a key: set [privacy] customer_key_env")
    return keyed_hash(identity.strip().casefold(), key)


def keyed_hash(value: str, key: str) -> str:
    """HMAC-SHA-256 of a value, hex: an agent's or inspector's name, a reference of a person."""
    return hmac.new(key.encode(), value.encode(), hashlib.sha256).hexdigest()


def redact(message: str, secrets: Iterable[str] = (), *, mask_numbers: bool = True) -> str:
    """A message fit for logs and tables: no secret, query string, token, e-mail or phone.

    `mask_numbers=False` for messages of our own, whose long numbers are ids of reports.
    """
    for secret in secrets:
        if secret:
            message = message.replace(secret, "***")
    message = _QUERY.sub("?***", message)
    message = _TOKEN.sub("***", message)
    message = mask_text(message) if mask_numbers else _mask_emails(message)
    return message[:_MAX_MESSAGE]
