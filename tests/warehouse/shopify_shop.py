"""A shop for the models: one order for each thing that Shopify does in its own way.

Belongs here: the orders, and loading them through the connector. Does not belong here: the stub API
(`tests/connectors/shopify_stub.py`) and what should come of it (`test_models_shopify.py`).
Order n has lines n1, n2 …; its SKUs are S-n1, S-n2 …
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from assets.load import load_landed
from assets.warehouse import Warehouse
from sources._core.clock import ManualClock
from sources._core.extract import ExtractRequest, extract_all
from sources.shopify import CONNECTOR
from tests.connectors import shopify_stub as stub
from tests.connectors.shopify_stub import Node, StubShop, bag, gid


def sold(number: int, quantity: int = 1, price: str = "20.00", **values: Any) -> Node:
    return stub.line(
        number,
        f"S-{number}",
        quantity=quantity,
        currentQuantity=values.pop("currentQuantity", quantity),
        originalUnitPriceSet=bag(price),
        **values,
    )


def shipped(number: int, *lines: Node, units: dict[int, int] | None = None, **values: Any) -> Node:
    """An order whose lines were all sent, or as many units of each as `units` says."""
    sent = units or {int(row["id"].rsplit("/", 1)[1]): row["quantity"] for row in lines}
    parcels = [stub.shipment(number, *sent.items())] if any(sent.values()) else []
    return stub.order(number, *lines, fulfillments=parcels, **values)


def shipping(number: int, price: str, tax: str = "0.00") -> list[Node]:
    taxes = [{"priceSet": bag(tax)}]
    return [
        {
            "id": gid("ShippingLine", number),
            "discountedPriceSet": bag(price),
            "taxLines": taxes,
        }
    ]


def make_shop() -> StubShop:
    shop = StubShop()
    for part in (_refunds, _odd_orders, _returns, _exchanges, _disputes):
        part(shop)
    return shop


def _add_refund(shop: StubShop, refund: Node) -> None:
    shop.refunds[refund["id"]] = refund


def _refunds(shop: StubShop) -> None:
    two_lines = (sold(1001, 2), sold(1002, 1, "10.00"))
    taxed = sold(1071, 1, "119.00", taxLines=[{"priceSet": bag("19.00")}])
    shop.orders += [
        shipped(100, *two_lines, shippingLines=shipping(1, "5.00")),
        shipped(101, sold(1011)),
        shipped(102, sold(1021), sold(1022, 1, "10.00")),
        shipped(106, sold(1061, 2, currentQuantity=1), units={1061: 1}),
        shipped(107, taxed, taxesIncluded=True),
        shipped(111, sold(1111)),
    ]
    back = {
        "id": gid("RefundShippingLine", 1),
        "subtotalAmountSet": bag("5.00"),
        "taxAmountSet": bag("0.00"),
    }
    _add_refund(
        shop,
        stub.refund(
            500, 100, stub.refund_line(1001), stub.refund_line(1002, "10.00"), paid="35.00",
            refundShippingLines=[back],
        ),
    )  # fmt: skip
    restock = stub.refund_line(1011, restockType="RETURN", restocked=True)
    _add_refund(shop, stub.refund(501, 101, restock, paid=None))
    adjustment = {
        "id": gid("OrderAdjustment", 1),
        "reason": "CUSTOMER",
        "amountSet": bag("-1.00"),
        "taxAmountSet": bag("0.00"),
    }
    _add_refund(shop, stub.refund(502, 102, paid="1.00", orderAdjustments=[adjustment]))
    cancel = stub.refund_line(1061, restockType="CANCEL", restocked=True)
    _add_refund(shop, stub.refund(506, 106, cancel, paid="20.00"))
    part = stub.refund_line(1071, "11.90", quantity=0, totalTaxSet=bag("1.90"))
    _add_refund(shop, stub.refund(507, 107, part, paid="11.90"))
    waiting = [stub.payment("20.00", status="PENDING")]
    pending = stub.refund(511, 111, stub.refund_line(1111), paid=None, transactions=waiting)
    _add_refund(shop, pending)


def _odd_orders(shop: StubShop) -> None:
    removed = sold(1031, 1, currentQuantity=0)
    no_sku = stub.line(1151, None, variant=None, product=None)
    shop.orders += [
        shipped(103, removed, sold(1032), units={1032: 1}, name="#102"),
        shipped(104, sold(1041), test=True),
        shipped(105, sold(1051, isGiftCard=True), sold(1052), shippingLines=shipping(2, "4.00")),
        shipped(
            118, sold(1181, price="30.00"), sold(1182), sold(1183, price="10.00"),
            shippingLines=shipping(4, "5.00"),
        ),
        shipped(119, sold(1191), sold(1192), sold(1193), shippingLines=shipping(5, "10.00")),
        stub.order(115, no_sku, customer=None, shippingAddress=None),
        shipped(114, stub.line(1141, "UC-1")),
        stub.order(
            116, sold(1161), cancelledAt="2026-03-12T08:00:00Z", cancelReason="INVENTORY"
        ),
    ]  # fmt: skip
    _add_refund(shop, stub.refund(504, 104, stub.refund_line(1041), paid="20.00"))
    shop.items = [
        {
            "id": gid("InventoryItem", 7),
            "sku": "UC-1",
            "updatedAt": "2026-03-18T00:00:00Z",
            "countryCodeOfOrigin": "CN",
            "harmonizedSystemCode": None,
            "unitCost": {"amount": "7.50", "currencyCode": "USD"},
            "variants": {"nodes": []},
        }
    ]


def _returns(shop: StubShop) -> None:
    handle = {
        "id": gid("ReturnReasonDefinition", 1),
        "handle": "waist-too-small",
        "name": "Taille zu klein",
        "deleted": False,
    }
    odd = {**handle, "id": gid("ReturnReasonDefinition", 2), "handle": "smells-of-fish"}
    shop.orders += [shipped(112, sold(1121)), shipped(113, sold(1131)), shipped(117, sold(1171))]
    worn = stub.return_line(
        1,
        1121,
        returnReasonDefinition=handle,
        customerNote="call me at 0049 170 1234567",
        restockingFee={"id": gid("RestockingFee", 1), "amountSet": bag("2.50")},
    )
    label = {"id": gid("ReturnShippingFee", 1), "amountSet": bag("4.00")}
    declined = stub.return_line(2, 1131, returnReason="DEFECTIVE")
    unverified = stub.return_line(
        3, 0, __typename="UnverifiedReturnLineItem", fulfillmentLineItem=None,
        unitPrice={"amount": "20.00", "currencyCode": "USD"}, returnReasonDefinition=odd,
    )  # fmt: skip
    shop.returns = {
        gid("Order", 112): [stub.returned(112, worn, status="CLOSED", returnShippingFees=[label])],
        gid("Order", 113): [stub.returned(113, declined, status="DECLINED")],
        gid("Order", 117): [stub.returned(117, unverified, status="REQUESTED")],
    }
    found = (
        stub.disposition(1, "PROCESSING_REQUIRED"),
        stub.disposition(2, "RESTOCKED", at="03-19"),
    )
    shop.reverse = {gid("Return", 112): [stub.reverse_order(1, 1121, *found)]}
    back = stub.refund_line(1121, restockType="RETURN", restocked=True)
    _add_refund(
        shop, stub.refund(512, 112, back, paid="20.00", **{"return": stub.ref("Return", 112)})
    )


def _exchanges(shop: StubShop) -> None:
    """The buyer gives S-1081 back and takes S-1082, which costs 5.00 more."""
    swap = shipped(
        108,
        sold(1081),
        sold(1082, 1, "25.00"),
        units={1081: 1},
        shippingLines=shipping(3, "3.00"),
    )
    sent = {"createdAt": "2026-03-17T09:00:00Z", "deliveredAt": None}
    swap["fulfillments"].append(stub.shipment(1080, (1082, 1), **sent))
    shop.orders.append(swap)
    swapped = stub.returned(
        108, stub.return_line(4, 1081), exchangeLineItems=[stub.exchange(1, 1082)]
    )
    shop.returns[gid("Order", 108)] = [swapped]
    shop.reverse[gid("Return", 108)] = [
        stub.reverse_order(2, 1081, stub.disposition(3, "RESTOCKED"))
    ]
    back = stub.refund_line(1081, restockType="RETURN", restocked=True)
    _add_refund(shop, stub.refund(508, 108, back, paid=None, **{"return": stub.ref("Return", 108)}))


def _disputes(shop: StubShop) -> None:
    shop.orders += [shipped(109, sold(1091), sold(1092, 1, "10.00")), shipped(110, sold(1101))]
    shop.disputes = [
        _dispute(1, 109, "LOST", "30.00"),
        _dispute(2, 110, "WON", "20.00"),
        _dispute(3, 100, "LOST", "50.00", kind="INQUIRY"),
    ]
    late = {"processedAt": "2026-03-18T10:00:00Z"}
    _add_refund(shop, stub.refund(509, 109, stub.refund_line(1091), paid="20.00", **late))


def _dispute(number: int, order: int, status: str, amount: str, kind: str = "CHARGEBACK") -> Node:
    return {
        "id": gid("ShopifyPaymentsDispute", number),
        "type": kind,
        "status": status,
        "initiatedAt": "2026-03-17T00:00:00Z",
        "evidenceDueBy": None,
        "evidenceSentOn": None,
        "finalizedOn": "2026-03-19T00:00:00Z",
        "amount": {"amount": amount, "currencyCode": "USD"},
        "reasonDetails": {"reason": "PRODUCT_NOT_RECEIVED", "networkReasonCode": None},
        "order": stub.ref("Order", order),
    }


def load_shop(warehouse: Warehouse, landing: Path) -> None:
    """Read the shop as a night does, and load what has landed."""
    request = ExtractRequest(CONNECTOR, stub.account())
    with make_shop().running():
        outcomes = extract_all([request], landing, ManualClock(stub.NOW))
    assert [(o.stream, o.error) for o in outcomes if o.error] == []
    load_landed(warehouse, landing, [CONNECTOR])
