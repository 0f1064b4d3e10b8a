"""From nodes as the API gives them to records that may be landed.

Belongs here: connections made lists, the buyer's id made a hash, notes about what was denied. Does
not belong here: which fields are kept (`records.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sources._core.connector import Reject, Window
from sources._core.privacy import UNKNOWN_CUSTOMER, customer_key

from .answers import Fault
from .client import Node, nodes_of
from .config import ShopifyAccount


def flat(value: Any) -> Any:
    """Connections as lists of their nodes, however deep; null nodes and elements left out."""
    if isinstance(value, list):
        return [flat(element) for element in value if element is not None]
    if not isinstance(value, Mapping):
        return value
    if "nodes" in value or "edges" in value:
        return [flat(node) for node in nodes_of(value) if node is not None]
    return {name: flat(inner) for name, inner in value.items()}


def digits(gid: str) -> str:
    """The number at the end of a global id, as text: it may be larger than a float holds."""
    return gid.rsplit("/", 1)[-1].split("?", 1)[0]


def buyer_key(customer: Any, account: ShopifyAccount) -> str:
    """Keyed hash of a buyer of this shop; two shops may give one number to two people."""
    secret = account.secrets.get("customer_key")
    if not isinstance(customer, Mapping) or not customer.get("id") or secret is None:
        return UNKNOWN_CUSTOMER
    identity = f"shopify:{account.name}:{digits(customer['id'])}"
    return customer_key(identity, secret.get_secret_value())


def order_record(node: Node, account: ShopifyAccount) -> Node:
    record: Node = flat({name: value for name, value in node.items() if name != "customer"})
    record["customerKey"] = buyer_key(node.get("customer"), account)
    for name in ("lineItems", "shippingLines"):  # pages and bulk files have orders of their own
        record[name] = sorted(
            record.get(name) or [], key=lambda part: (len(part["id"]), part["id"])
        )
    return record


def refund_record(node: Node) -> Node:
    record: Node = flat(node)
    record["orderId"] = (record.pop("order", None) or {}).get("id")
    record["returnId"] = (record.pop("return", None) or {}).get("id")
    return record


def dispute_record(node: Node) -> Node:
    record: Node = flat(node)
    record["orderId"] = (record.pop("order", None) or {}).get("id")
    return record


def in_window(node: Any, window: Window) -> bool:
    """The search index lags and rounds: what it found is looked at again."""
    if not isinstance(node, Mapping) or not node.get("updatedAt"):
        return False
    return window.start <= datetime.fromisoformat(node["updatedAt"]) < window.end


def denied_notes(denied: Sequence[Fault]) -> list[Reject]:
    """Notes (count 0) that name the fields which the token may not read."""
    return [
        Reject("field_denied", 0, f"give the app the right it lacks ({words})", field)
        for field, words in sorted({(fault.field, fault.words) for fault in denied})
    ]


def lost_nodes(nodes: Sequence[Any], denied: Sequence[Fault]) -> list[Reject]:
    """Null in place of a record is held back and counted where errors came with it."""
    count = sum(node is None for node in nodes)
    if not count or not denied:
        return []
    advice = "the answer had an error in place of the record; the next night reads it again"
    return [Reject("record_denied", count, advice, denied[0].field)]
