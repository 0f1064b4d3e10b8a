"""A transaction of the Finances API as JSON: identifiers, items, trees of amounts.

Belongs here: the shape of one transaction. Amounts are numbers, as the model says; a branch is
the sum of its leaves, and the transaction tells the sums once more beside its items.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sources._sandbox.world.booking_keys import transaction_id

from .snapshot import API_TEXT

TYPES = {"Order": "Shipment", "Refund": "Refund", "ServiceFee": "ProductAdsPayment"}
_DESCRIPTIONS = {"Shipment": "Order Payment", "Refund": "Refund Order"}

_BRANCHES: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("ItemPrice", "Principal"): ("ProductCharges", "OurPricePrincipal"),
    ("ItemPrice", "Tax"): ("Tax", "OurPriceTax"),
    ("ItemPrice", "Shipping"): ("Shipping", "ShippingPrincipal"),
    ("ItemPrice", "ShippingTax"): ("Tax", "ShippingTax"),
    ("Promotion", "Principal"): ("PromoRebates", "OurPriceDiscount"),
    ("Promotion", "Shipping"): ("PromoRebates", "ShippingDiscount"),
    ("ItemFees", "Commission"): ("AmazonFees", "Commission", "Base"),
    ("ItemFees", "FBAPerUnitFulfillmentFee"): ("AmazonFees", "FBAPerUnitFulfillmentFee", "Base"),
    ("ItemFees", "RefundCommission"): ("AmazonFees", "RefundCommission"),
}
_WITHHELD, _STOCK = "ItemWithheldTax", "FBA Inventory Reimbursement"
_EXPENSES = frozenset({"AmazonFees", "ServiceFees", "AdvertisingFees"})

Row = Mapping[str, Any]


def transaction(head: Row, parts: Sequence[Row], decimals: Mapping[str, int]) -> dict[str, Any]:
    """The `Transaction` of the model."""
    currency = head["currency"]
    places = decimals.get(currency, 2)
    kind = head["type"]
    is_stock = any(part["amount_type"] == _STOCK for part in parts)
    content: dict[str, Any] = {
        "sellingPartnerMetadata": _metadata(head),
        "relatedIdentifiers": _identifiers(head),
        "transactionType": kind,
        "transactionId": transaction_id(head, is_release=head["is_release"]),
        "transactionStatus": head["status"],
        "description": _DESCRIPTIONS.get(kind, parts[0]["amount_description"]),
        "postedDate": head["at"].strftime(API_TEXT),
        "totalAmount": _money(_sum(parts), currency, places),
        "items": [_item(rows, currency, places, has_tree=not is_stock) for rows in _by_item(parts)],
        "breakdowns": _tree(parts, currency, places)
        if is_stock
        else _sums(parts, currency, places),
        "contexts": _held(head),
    }
    if parts[0]["marketplace_name"]:
        content["marketplaceDetails"] = {
            "marketplaceId": head["marketplace_id"],
            "marketplaceName": parts[0]["marketplace_name"],
        }
    return content


def _metadata(head: Row) -> dict[str, Any]:
    found = {"sellingPartnerId": "A0SANDBOX", "accountType": "Standard Orders"}
    return found | ({"marketplaceId": head["marketplace_id"]} if head["marketplace_id"] else {})


def _identifiers(head: Row) -> list[dict[str, str]]:
    known = {"ORDER_ID": head["order_id"], "SHIPMENT_ID": head["shipment_id"]}
    if head["type"] == "Refund":
        known["REFUND_ID"] = head["adjustment_id"]
    if head["is_release"]:
        known["DEFERRED_TRANSACTION_ID"] = transaction_id(head, is_release=False)
    elif head["status"] == "DEFERRED_RELEASED":
        known["RELEASE_TRANSACTION_ID"] = transaction_id(head, is_release=True)
    return [
        {"relatedIdentifierName": name, "relatedIdentifierValue": value}
        for name, value in known.items()
        if value
    ]


def _held(head: Row) -> list[dict[str, Any]]:
    if head["released_at"] is None:
        return []
    maturity = head["released_at"].strftime(API_TEXT)
    return [{"contextType": "DeferredContext", "deferralReason": "DD7", "maturityDate": maturity}]


def _by_item(parts: Sequence[Row]) -> list[list[Row]]:
    found: dict[tuple[Any, Any], list[Row]] = {}
    for part in parts:
        if part["sku"]:
            found.setdefault((part["order_item_id"], part["sku"]), []).append(part)
    return list(found.values())


def _item(rows: Sequence[Row], currency: str, places: int, *, has_tree: bool) -> dict[str, Any]:
    first = rows[0]
    product: dict[str, Any] = {"contextType": "ProductContext", "sku": first["sku"]}
    if first["quantity"]:
        product["quantityShipped"] = first["quantity"]
    if first["fulfillment_id"]:
        product["fulfillmentNetwork"] = first["fulfillment_id"]
    content: dict[str, Any] = {
        "totalAmount": _money(_sum(rows), currency, places),
        "contexts": [product],
    }
    if first["adjustment_id"]:
        content["relatedIdentifiers"] = [
            {
                "itemRelatedIdentifierName": "ORDER_ADJUSTMENT_ITEM_ID",
                "itemRelatedIdentifierValue": first["adjustment_id"],
            }
        ]
    if has_tree:
        content["breakdowns"] = _tree(rows, currency, places)
    return content


def _path(row: Row) -> tuple[str, ...]:
    kind, description = row["amount_type"], row["amount_description"]
    if kind == _WITHHELD:
        return ("MarketplaceWithheldTax", description)
    if kind == _STOCK:
        return (_STOCK.replace(" ", ""), description)
    if kind == "Cost of Advertising":
        return ("AdvertisingFees", description)
    return _BRANCHES.get((kind, description), ("ServiceFees", description))


def _tree(rows: Iterable[Row], currency: str, places: int) -> list[dict[str, Any]]:
    """Breakdowns as they nest; every branch is the sum below it."""
    return _level([(_path(row), row["amount_minor"]) for row in rows], currency, places)


def _level(
    leaves: Sequence[tuple[tuple[str, ...], int]], currency: str, places: int
) -> list[dict[str, Any]]:
    below: dict[str, list[tuple[tuple[str, ...], int]]] = {}
    for path, minor in leaves:
        below.setdefault(path[0], []).append((path[1:], minor))
    return [
        {
            "breakdownType": name,
            "breakdownAmount": _money(sum(minor for _, minor in inner), currency, places),
            "breakdowns": _level([leaf for leaf in inner if leaf[0]], currency, places),
        }
        for name, inner in below.items()
    ]


def _sums(rows: Sequence[Row], currency: str, places: int) -> list[dict[str, Any]]:
    """What the transaction tells beside its items: sales and expenses, once more."""
    spent = sum(row["amount_minor"] for row in rows if _path(row)[0] in _EXPENSES)
    pairs = (("Sales", _sum(rows) - spent), ("Expenses", spent))
    return [
        {"breakdownType": name, "breakdownAmount": _money(minor, currency, places)}
        for name, minor in pairs
    ]


def _sum(rows: Iterable[Row]) -> int:
    return sum(row["amount_minor"] for row in rows)


def _money(minor: int, currency: str, places: int) -> dict[str, Any]:
    """A JSON number: the shortest text of the float is the amount itself."""
    amount = float(Decimal(minor).scaleb(-places))
    return {"currencyCode": currency, "currencyAmount": int(amount) if not places else amount}
