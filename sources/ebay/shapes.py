"""From answers to records that may be landed: buyers made hashes, ids made text, dates unpacked.

Belongs here: pure functions on answers. Does not belong here: which fields are kept (`records.py`).
Post-Order gives ids as numbers here and text there, dates as objects of two texts, and no two of
its answers name the status alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from sources._core.privacy import UNKNOWN_CUSTOMER, customer_key

from .answers import Node
from .config import EbayAccount

_BUYERS = ("buyerLoginName", "buyer", "buyerUsername")
_SELLERS = ("sellerLoginName", "seller")
_STATUSES = ("inquiryStatusEnum", "caseStatusEnum", "inquiryStatus", "caseStatus")
_MOVING = ("lastModifiedDate", "respondByDate")


def buyer_key(name: Any, account: EbayAccount) -> str:
    """Keyed hash of a buyer's user name, or of the immutable id that may stand in its place.

    One for all accounts of a seller. A buyer who renames himself is a new one: eBay gives nothing
    that lasts longer.
    """
    secret = account.secrets.get("customer_key")
    if secret is None or name is None or not str(name).strip():
        return UNKNOWN_CUSTOMER
    return customer_key(f"ebay:{str(name).strip()}", secret.get_secret_value())


def plain(value: Any, name: str = "") -> Any:
    """Dates as text, ids as text however long, the rest as it came; null elements left out.

    Objects of a list are put in one order: eBay gives the same ones in any.
    """
    if isinstance(value, list):
        elements = [plain(element, name) for element in value if element is not None]
        is_of_objects = len(elements) > 1 and isinstance(elements[0], Mapping)
        return sorted(elements, key=msgspec.json.encode) if is_of_objects else elements
    if isinstance(value, Mapping):
        if "formattedValue" in value or set(value) == {"value"}:
            return None if value.get("value") is None else str(value["value"])
        return {key: plain(inner, key) for key, inner in value.items()}
    if isinstance(value, int) and not isinstance(value, bool) and name.lower().endswith("id"):
        return str(value)
    return value


def order_record(order: Node, account: EbayAccount) -> Node:
    buyer = order.get("buyer")
    name = buyer.get("username") if isinstance(buyer, Mapping) else None
    record: Node = plain({key: value for key, value in order.items() if key != "buyer"})
    record["customerKey"] = buyer_key(name, account)
    return record


def post_order_record(answer: Node, account: EbayAccount) -> Node:
    """A search's member or a detail, without names of people and with one status."""
    found = plain(answer)
    record: Node = {key: value for key, value in found.items() if key not in _SELLERS + _MOVING}
    names = [record.pop(key) for key in _BUYERS if key in record]
    name = next((name for name in names if isinstance(name, str) and name.strip()), None)
    if name is not None:
        record["customerKey"] = buyer_key(name, account)
    statuses = [record.pop(key) for key in _STATUSES if key in record]
    status = record.get("status") or next(filter(None, statuses), None)
    if status is not None:
        record["status"] = status
    return record


def transaction_record(transaction: Node) -> Node:
    return {
        key: _rates_as_text(value) for key, value in plain(transaction).items() if key != "buyer"
    }


def _rates_as_text(value: Any) -> Any:
    if isinstance(value, list):
        return [_rates_as_text(element) for element in value]
    if not isinstance(value, Mapping):
        return value
    return {
        key: str(inner) if key == "exchangeRate" and isinstance(inner, int | Decimal)
        else _rates_as_text(inner)
        for key, inner in value.items()
    }  # fmt: skip


def dispute_record(dispute: Node, account: EbayAccount) -> Node:
    record: Node = _rates_as_text(plain(dispute))
    record["customerKey"] = buyer_key(record.pop("buyerUsername", None), account)
    return record


def feedback_record(entry: Node, account: EbayAccount) -> Node:
    record: Node = plain(entry)
    giver = record.pop("providerUserDetail", None) or {}
    record["customerKey"] = buyer_key(giver.get("userId"), account)
    return record
