"""What eBay's answers say: errors by their codes, pages of lists.

Belongs here: the envelopes, which differ between the REST APIs and Post-Order, and what their error
codes mean. Does not belong here: sending (`client.py`), and which fields are kept (`records.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import requests

from sources._core.errors import ConfigurationError, RetryLater, SourceError, StopStream
from sources._core.privacy import redact

from .config import APIS, EbayAccount

NO_SIGNATURE = 215_001
CLOCK_IS_OFF = 215_114
BAD_SIGNATURE = frozenset({215_002, 215_104, 215_115, 215_120, 215_121, 215_122})
FUTURE_DATE = 30_850
NO_FEEDBACK = 501_039
_MAX_WORDS = 200
Node = dict[str, Any]


class FutureDateError(StopStream):
    """eBay's clock is behind ours: the end of the window lies in its future."""


class NothingFoundError(StopStream):
    """An API that answers an error where others answer an empty list."""


class Fault(msgspec.Struct, rename="camel"):
    error_id: int | str | None = None
    message: str | None = None
    long_message: str | None = None


class Errors(msgspec.Struct):
    """REST answers give `errors`, Post-Order gives `error`, both as lists."""

    errors: list[Fault] | None = None
    error: list[Fault] | str | None = None


@dataclass(frozen=True)
class PageOf:
    """One page of a list. `next_offset` is taken from `next`, whatever host that names."""

    records: Sequence[Node]
    total: int | None
    next_offset: int | None


_decoder = msgspec.json.Decoder(float_hook=Decimal)


def read(content: bytes) -> Node:
    """An answer, numbers with a point as Decimal; 204 has no body and is an empty object."""
    if not content:
        return {}
    value = _decoder.decode(content)
    if not isinstance(value, dict):
        raise msgspec.ValidationError("not an object")
    return value


def page_reader(field: str, asked: int, *, inner: str | None = None) -> Callable[[bytes], PageOf]:
    """Reader of pages whose records stand in `field`; paging in the answer, or inside `inner`."""

    def read_page(content: bytes) -> PageOf:
        answer = read(content)
        records = [record for record in answer.get(field) or () if record is not None]
        paging = (answer.get(inner) or {}) if inner else answer
        total = paging.get("total")
        return PageOf(
            records,
            int(total) if total is not None else None,
            _next_offset(paging, len(records), asked),
        )

    return read_page


def _next_offset(paging: Mapping[str, Any], count: int, asked: int) -> int | None:
    """None at the end. Where `next` is missing, the total tells whether there is more."""
    offset = int(paging.get("offset") or 0)
    step = int(paging.get("limit") or asked) or asked
    link = paging.get("next")
    if link:
        told = parse_qs(urlsplit(str(link)).query).get("offset", [""])[0]
        return int(told) if told.isdigit() else offset + step
    total = paging.get("total")
    if total is None or not count or offset + count >= int(total):
        return None
    return offset + step


def faults_of(content: bytes) -> list[Fault]:
    try:
        found = msgspec.json.decode(content, type=Errors, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return []
    listed = found.errors or (found.error if isinstance(found.error, list) else None)
    return list(listed or ())


def error_of(
    account: EbayAccount, api: str, response: requests.Response, subject: str
) -> SourceError | None:
    """eBay's refusals; None leaves an answer to the default table."""
    if response.status_code == 200 and not response.content:
        return RetryLater(f"{subject} gave an empty answer up to the last try.")
    if response.ok:
        return None
    faults = faults_of(response.content)
    codes = {
        int(f.error_id) for f in faults if f.error_id is not None and str(f.error_id).isdigit()
    }
    words = _words(faults)
    signing = _signature_error(account, codes, subject)
    if signing is not None:
        return signing
    if FUTURE_DATE in codes:
        return FutureDateError(
            f"{subject}: the end of the window lies in eBay's future ({FUTURE_DATE}). Set the "
            "machine's clock right."
        )
    if NO_FEEDBACK in codes:
        return NothingFoundError(f"{subject} found nothing ({NO_FEEDBACK}).")
    if response.status_code == 404:
        return NothingFoundError(f"{subject} answered 404: there is no such thing.{words}")
    if response.status_code == 403:
        right = APIS[api][2]
        return ConfigurationError(
            f"{subject} answered 403: account {account.name} lacks the right {right}.{words} A "
            "refresh token keeps the rights it was made with: let the seller consent again with "
            "this right, then put the new token into the variable of secrets.refresh_token."
        )
    if response.status_code == 401:
        return ConfigurationError(
            f"{subject} answered 401 also with a new token of account {account.name}.{words} Check "
            "its secrets and its environment, then run `aftersales check-config`."
        )
    if response.status_code == 400:
        return StopStream(
            f"{subject} was not accepted.{words} Check the start date of account {account.name}; "
            "else the API has changed and the connector has to be adapted."
        )
    return None


def _signature_error(account: EbayAccount, codes: set[int], subject: str) -> SourceError | None:
    if NO_SIGNATURE in codes:
        return missing_key(account, subject)
    if CLOCK_IS_OFF in codes:
        return ConfigurationError(
            f"{subject} refused the time of the signature ({CLOCK_IS_OFF}): set the clock of this "
            "machine right (NTP), then run the night again."
        )
    refused = codes & BAD_SIGNATURE
    if refused:
        return ConfigurationError(
            f"{subject} refused the signature of account {account.name} ({min(refused)}): the "
            "variables of secrets.signing_key and secrets.signing_jwe must come from one and the "
            "same call of createSigningKey, and the key must not have expired."
        )
    return None


def missing_key(account: EbayAccount, subject: str) -> ConfigurationError:
    return ConfigurationError(
        f"{subject} needs a digital signature ({NO_SIGNATURE}), as all sellers of the EU and the "
        f"UK do. Make a key by eBay's createSigningKey, then give account {account.name} "
        "secrets.signing_key (its privateKey) and secrets.signing_jwe (its jwe)."
    )


def _words(faults: Sequence[Fault]) -> str:
    for fault in faults:
        words = fault.long_message or fault.message
        if words:
            number = f"{fault.error_id}: " if fault.error_id is not None else ""
            return f" eBay says: {number}{redact(words)[:_MAX_WORDS]}"
    return ""
