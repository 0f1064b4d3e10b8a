"""What an answer of the GraphQL API says: data, errors, cost.

Belongs here: the envelope, which Shopify sends with HTTP 200 whatever happened, and what its error
codes mean. Does not belong here: sending (`client.py`) and what the data are (`shapes.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from sources._core.errors import ConfigurationError, RetryLater, SourceError, StopStream
from sources._core.privacy import redact

_WAIT_WITHOUT_WORD = 2.0
_RETRYABLE = frozenset({"INTERNAL_SERVER_ERROR", "TIMEOUT", "SERVICE_UNAVAILABLE"})
_MAX_WORDS = 200


class TooCostlyError(StopStream):
    """The query costs more than one query may: ask for less at once."""


class AccessDeniedError(ConfigurationError):
    """The token lacks a right that the whole answer needs."""


class ThrottleStatus(msgspec.Struct, rename="camel"):
    maximum_available: float
    currently_available: float
    restore_rate: float


class Cost(msgspec.Struct, rename="camel"):
    requested_query_cost: float | None = None
    throttle_status: ThrottleStatus | None = None


class Extensions(msgspec.Struct):
    cost: Cost | None = None


class Envelope(msgspec.Struct):
    """`errors` is a list of objects, or one text where the token is refused."""

    data: dict[str, Any] | None = None
    errors: Any = None
    extensions: Extensions | None = None

    @property
    def cost(self) -> Cost | None:
        return self.extensions.cost if self.extensions else None


@dataclass(frozen=True)
class Fault:
    """One entry of `errors`. `field` is its place in the answer, positions left out."""

    code: str
    words: str
    field: str


read_envelope = msgspec.json.Decoder(Envelope).decode


def faults_of(envelope: Envelope) -> Sequence[Fault]:
    errors = envelope.errors or []
    if not isinstance(errors, list):
        return (Fault("", redact(str(errors))[:_MAX_WORDS], ""),)
    return [_fault(error) for error in errors]


def _fault(error: Any) -> Fault:
    if not isinstance(error, Mapping):
        return Fault("", redact(str(error))[:_MAX_WORDS], "")
    words = redact(str(error.get("message") or ""))[:_MAX_WORDS]
    extensions = error.get("extensions")
    code = str(extensions.get("code") or "") if isinstance(extensions, Mapping) else ""
    if not code and words == "Throttled":
        code = "THROTTLED"
    path = error.get("path") or ()
    return Fault(code, words, ".".join(str(step) for step in path if isinstance(step, str)))


def wait_for(cost: Cost | None) -> float:
    """Seconds until the bucket holds what the query was refused for."""
    status = cost.throttle_status if cost else None
    if cost is None or status is None or status.restore_rate <= 0:
        return _WAIT_WITHOUT_WORD
    lacking = (cost.requested_query_cost or 0.0) - status.currently_available
    return max(lacking / status.restore_rate, 1.0)


def error_of(envelope: Envelope, operation: str) -> SourceError | None:
    """What hinders the use of the answer; None where its data may be used."""
    faults = faults_of(envelope)
    if not faults:
        return None if envelope.data is not None else _empty(operation)
    codes = {fault.code for fault in faults}
    words = faults[0].words
    if "THROTTLED" in codes:
        return RetryLater(
            f"{operation} was throttled up to the last try. The next night goes on from the same "
            "place; other apps of the shop use up the same allowance.",
            wait_for(envelope.cost),
        )
    if "MAX_COST_EXCEEDED" in codes:
        return TooCostlyError(f"{operation} costs more than Shopify allows for one query.")
    if "SHOP_INACTIVE" in codes:
        return ConfigurationError(
            f"{operation}: the shop is closed or frozen. Open it again in Shopify's admin, or take "
            "the account out of the settings."
        )
    if codes & _RETRYABLE:
        return RetryLater(f"{operation} failed at Shopify up to the last try ({words}).")
    if codes == {"ACCESS_DENIED"}:
        return None if _has_content(envelope) else denied(operation, faults)
    return StopStream(
        f"{operation} was not accepted ({words}). The API has changed, or base_url is not that of "
        "the pinned version: the connector has to be adapted."
    )


def denied(operation: str, faults: Sequence[Fault]) -> AccessDeniedError:
    fields = ", ".join(sorted({fault.field or operation for fault in faults}))
    return AccessDeniedError(
        f"{operation} was denied ({fields}: {faults[0].words}). Give the app the right it lacks, "
        "release the app's version, install it again and run `aftersales check-config`, which "
        "lists the rights; then check the account's secrets."
    )


def _has_content(envelope: Envelope) -> bool:
    return any(value is not None for value in (envelope.data or {}).values())


def _empty(operation: str) -> RetryLater:
    return RetryLater(f"{operation} was answered without data up to the last try.")
