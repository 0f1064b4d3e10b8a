"""Words of the API on which models decide: a new one is kept as text, and named in a note.

Belongs here: the words that are known. Does not belong here: their meaning (the staging models) and
reasons of returns, whose unknown codes the models list themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sources._core.connector import Reject
from sources._core.schema import safe_name

Words = Mapping[str, frozenset[str]]

_DISPOSITIONS = frozenset({"MISSING", "NOT_RESTOCKED", "PROCESSING_REQUIRED", "RESTOCKED"})
_ADVICE = "Shopify has a word that is not known yet; it is kept as it came. Install a newer release"

ORDER_WORDS: Words = {
    "displayFulfillmentStatus": frozenset(
        {
            "FULFILLED", "FULFILLMENT_NOT_REQUIRED", "IN_PROGRESS", "ON_HOLD", "OPEN",
            "PARTIALLY_FULFILLED", "PENDING_FULFILLMENT", "REQUEST_DECLINED", "RESTOCKED",
            "SCHEDULED", "UNFULFILLED",
        }
    ),
    "cancelReason": frozenset({"CUSTOMER", "DECLINED", "FRAUD", "INVENTORY", "OTHER", "STAFF"}),
    "fulfillments.status": frozenset(
        {"CANCELLED", "ERROR", "FAILURE", "OPEN", "PENDING", "SUCCESS"}
    ),
}  # fmt: skip
REFUND_WORDS: Words = {
    "refundLineItems.restockType": frozenset({"CANCEL", "LEGACY_RESTOCK", "NO_RESTOCK", "RETURN"}),
    "transactions.status": frozenset(
        {"AWAITING_RESPONSE", "ERROR", "FAILURE", "PENDING", "SUCCESS", "UNKNOWN"}
    ),
}
RETURN_WORDS: Words = {
    "status": frozenset({"CANCELED", "CLOSED", "DECLINED", "OPEN", "REQUESTED"}),
    "reverseFulfillmentOrders.lineItems.dispositions.type": _DISPOSITIONS,
}
DISPUTE_WORDS: Words = {
    "type": frozenset({"CHARGEBACK", "INQUIRY"}),
    "status": frozenset(
        {
            "ACCEPTED", "CHARGE_REFUNDED", "LOST", "NEEDS_RESPONSE", "PREVENTED", "UNDER_REVIEW",
            "WON",
        }
    ),
}  # fmt: skip


def unknown_words(records: Sequence[Mapping[str, Any]], words: Words) -> list[Reject]:
    """Notes (count 0) on words of the records that are not known, one for each word."""
    found = {
        f"{path} {safe_name(str(word))}"
        for path, known in words.items()
        for word in _values(records, path.split("."))
        if word not in known
    }
    return [Reject("unknown_word", 0, _ADVICE, place) for place in sorted(found)]


def _values(value: Any, path: Sequence[str]) -> Iterator[Any]:
    if isinstance(value, Mapping):
        if path:
            yield from _values(value.get(path[0]), path[1:])
    elif isinstance(value, Iterable) and not isinstance(value, str):
        for element in value:
            yield from _values(element, path)
    elif value is not None and not path:
        yield value
