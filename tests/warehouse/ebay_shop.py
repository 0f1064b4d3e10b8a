"""A seller of eBay for the models: one order for each thing that eBay does in its own way.

Belongs here: the orders, returns and money, and loading them through the connector. Does not belong
here: the stub API (`tests/connectors/ebay_stub.py`) and what should come of it
(`test_models_ebay.py`). Order n has lines n1, n2 …; its SKUs are E-n1, E-n2 …
"""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from assets.load import load_landed
from assets.warehouse import Warehouse
from sources._core.clock import ManualClock
from sources._core.extract import ExtractRequest, extract_all
from sources.ebay import CONNECTOR
from tests.connectors import ebay_stub as stub
from tests.connectors.ebay_stub import Node, StubEbay, at, money

NOW = datetime(2026, 3, 20, tzinfo=UTC)
START = date(2026, 3, 1)


def sold(line_id: int | str, quantity: int = 1, price: str = "20.00", **values: Any) -> Node:
    given = {"quantity": quantity, "lineItemCost": money(price), "legacyItemId": f"1100{line_id}"}
    return stub.line(line_id, values.pop("sku", f"E-{line_id}"), **{**given, **values})


def shipped(shop: StubEbay, number: int, *lines: Node, **values: Any) -> Node:
    """An order whose lines were all sent, or those with units in `units`."""
    units = values.pop("units", {row["lineItemId"]: row["quantity"] for row in lines})
    parts = [{"lineItemId": line_id, "quantity": n} for line_id, n in units.items() if n]
    order = stub.order(number, *lines, **values)
    if parts:
        shop.fulfillments[str(number)] = [stub.shipment(number, lineItems=parts)]
    shop.orders.append(order)
    return order


def paid_back(order: Node, refund: str, amounts: dict[str, str], net: str, **values: Any) -> None:
    """A refund told twice: for each line what the buyer got, for the order what the seller gave."""
    given = {"refundId": refund, "refundDate": at(16, 9), **values}
    status = given.pop("refundStatus", "REFUNDED")
    for line in order["lineItems"]:
        if line["lineItemId"] in amounts:
            amount = money(amounts[line["lineItemId"]])
            line["refunds"] = [*line["refunds"], {**given, "amount": amount}]
    whole = {**given, "amount": money(net), "refundStatus": status}
    order["paymentSummary"]["refunds"].append(whole)


def make_shop() -> StubEbay:
    shop = StubEbay()
    for part in (_orders, _refunds, _returns, _cases, _money, _opinions):
        part(shop)
    for field in fields(shop):  # the warehouse of these tests stands in March
        value = getattr(shop, field.name)
        if isinstance(value, list | dict):
            text = json.dumps(value).replace("2026-11-", "2026-03-")
            setattr(shop, field.name, json.loads(text))
    return shop


def _orders(shop: StubEbay) -> None:
    delivery = {"shippingCost": money("4.00"), "discountAmount": money("-1.00")}
    shipped(shop, 200, sold(2001, 2, "40.00", deliveryCost=delivery), sold(2002, 1, "10.00"))
    taxed = {
        "purchaseMarketplaceId": "EBAY_DE",
        "lineItemCost": money("119.00", "EUR"),
        "taxes": [{"taxType": "VAT", "amount": money("19.00", "EUR")}],
    }
    shipped(shop, 201, sold(2011, **taxed), fulfillmentStartInstructions=[stub.ship_to("DE")])
    collected = [{"taxType": "STATE_SALES_TAX", "amount": money("1.65")}]
    shipped(shop, 202, sold(2021, ebayCollectAndRemitTaxes=collected))
    shipped(
        shop, 203, sold(2031, sku=None, legacyVariationId="77"), sold(2032, sku="  two words "),
        sold(2033, sku="two words"), units={"2031": 1, "2033": 1},
    )  # fmt: skip
    cancelled = {"cancelState": "CANCELED", "cancelledDate": at(13), "cancelRequests": []}
    shop.cancel_requests["204"] = [
        {"cancelReason": "OUT_OF_STOCK_OR_CANNOT_FULFILL", "cancelRequestId": "8801"}
    ]
    order = shipped(
        shop, 204, sold(2041, lineItemFulfillmentStatus="NOT_STARTED"), units={},
        cancelStatus=cancelled, orderFulfillmentStatus="NOT_STARTED",
    )  # fmt: skip
    paid_back(order, "904", {"2041": "20.00"}, "20.00", refundReferenceId="8801")
    converted = money("25.00", "USD", convertedFromValue="20.00", convertedFromCurrency="GBP")
    shipped(
        shop, 205, sold(2051, lineItemCost=converted, purchaseMarketplaceId="EBAY_GB"), units={}
    )
    shipped(
        shop, 206, sold(2061, listingMarketplaceId="EBAY_MOTORS_US", purchaseMarketplaceId=None)
    )
    reduced = money("15.00")
    shipped(
        shop, 207, sold(2071, discountedLineItemCost=reduced), fulfillmentStartInstructions=None
    )


def _refunds(shop: StubEbay) -> None:
    order = shipped(shop, 210, sold(2101), sold(2102, 1, "10.00"))
    paid_back(order, "910", {"2101": "20.00"}, "17.10")
    order = shipped(shop, 211, sold(2111), sold(2112, 1, "10.00"))
    paid_back(order, "911", {"2111": "3.00"}, "2.60")
    paid_back(order, "912", {"2112": "2.00"}, "1.70")
    order = shipped(shop, 212, sold(2121), sold(2122, 1, "10.00"))
    paid_back(order, "913", {}, "25.50")
    order = shipped(shop, 213, sold(2131))
    paid_back(order, "914", {"2131": "20.00"}, "17.10", refundStatus="PENDING", refundDate=None)
    order = shipped(
        shop,
        214,
        sold(2141, deliveryCost={"shippingCost": money("5.00")}),
    )
    paid_back(order, "915", {"2141": "25.00"}, "21.00")
    vat = [{"taxType": "VAT", "amount": money("19.00", "EUR")}]
    order = shipped(
        shop, 215,
        sold(2151, purchaseMarketplaceId="EBAY_DE", lineItemCost=money("119.00", "EUR"), taxes=vat),
    )  # fmt: skip
    paid_back(order, "916", {"2151": "11.90"}, "10.00")
    order["lineItems"][0]["refunds"][0]["amount"]["currency"] = "EUR"
    order = shipped(shop, 216, sold(2161))
    refund = {"amount": money("20.00"), "refundDate": at(17), "refundReferenceId": "7016"}
    order["lineItems"][0]["refunds"] = [refund]
    order["paymentSummary"]["refunds"] = [
        {**refund, "amount": money("17.10"), "refundStatus": "REFUNDED"}
    ]
    shop.returns.append(stub.returned(7016, "216", "2161", state="CLOSED", status="CLOSED"))


def _returns(shop: StubEbay) -> None:
    order = shipped(shop, 220, sold(2201))
    paid_back(order, "920", {"2201": "20.00"}, "17.10", refundReferenceId="7020")
    back = {"sellerTotalRefund": {"actualRefundAmount": {"value": 20.0, "currency": "USD"}}}
    shop.returns.append(stub.returned(7020, "220", "2201", state="CLOSED", status="CLOSED", **back))
    shop.return_details["7020"] = {
        "marketplaceId": "EBAY_US",
        "returnShipmentInfo": {
            "shipmentTracking": {"trackingNumber": "RET7020", "carrierEnum": "USPS"},
            "shippingLabelCost": {"totalAmount": {"value": 4.5, "currency": "USD"}},
        },
        "responseHistory": [
            {"activity": "BUYER_CREATE_RETURN", "creationDate": stub.moment(at(15))},
            {
                "activity": "NOTIFIED_DELIVERED",
                "toState": "ITEM_DELIVERED",
                "creationDate": stub.moment(at(16, 8)),
            },
        ],
    }
    shipped(shop, 221, sold(2211))
    shop.returns.append(
        stub.returned(7021, "221", "2211", state="CLOSED", status="CLOSED", reason="NO_REASON")
    )
    shop.return_details["7021"] = {"closeInfo": {"returnCloseReason": "SELF_CLOSED"}}
    shop.returns.append(stub.returned(7022, "299", "2991", reason="RIGHT_OF_WITHDRAWAL_X"))
    shipped(shop, 223, sold(2231), sold(2232, legacyItemId="110002231"))
    moving = stub.returned(7023, "223", "0", state="ITEM_SHIPPED", status="ITEM_SHIPPED")
    moving["creationInfo"]["item"]["itemId"] = 110002231
    shop.returns.append(moving)
    shipped(shop, 224, sold(2241, 2, "40.00"))
    ready = stub.returned(7024, "224", "2241", state="ITEM_READY_TO_SHIP")
    ready["creationInfo"]["item"]["returnQuantity"] = 2
    shop.returns.append(ready)


def _cases(shop: StubEbay) -> None:
    order = shipped(shop, 230, sold(2301))
    paid_back(order, "930", {"2301": "20.00"}, "17.10", refundReferenceId="6030")
    shop.inquiries = [
        {
            "inquiryId": "6030",
            "itemId": 11002301,
            "transactionId": "2301",
            "orderId": "230",
            "buyer": "anna_b",
            "inquiryStatusEnum": "CLOSED_WITH_ESCALATION",
            "creationDate": stub.moment(at(15)),
            "claimAmount": {"value": 20.0, "currency": "USD"},
        }
    ]
    shop.cases = [
        _case("6030", "230", "2301", "ITEM_NOT_RECEIVED"),
        _case("7020", "220", "2201", "RETURN"),
        _case("6031", "231", "2311", "ITEM_NOT_RECEIVED", caseStatusEnum="OPEN"),
    ]
    shipped(shop, 231, sold(2311))
    shop.cancellations = [
        {
            "cancelId": "8801",
            "legacyOrderId": "204",
            "cancelState": "CLOSED",
            "cancelStatus": "CANCEL_CLOSED_WITH_REFUND",
            "cancelReason": "OUT_OF_STOCK_OR_CANNOT_FULFILL",
            "buyerLoginName": "anna_b",
            "cancelRequestDate": stub.moment(at(12)),
            "cancelCloseDate": stub.moment(at(13)),
            "requestRefundAmount": {"value": 0, "currency": "USD"},
        }
    ]


def _case(case_id: str, order: str, line: str, kind: str, **values: Any) -> Node:
    given = {
        "caseId": case_id,
        "itemId": f"1100{line}",
        "transactionId": int(line),
        "orderId": order,
        "caseType": kind,
        "buyer": "anna_b",
        "caseStatusEnum": "CLOSED",
        "creationDate": stub.moment(at(16)),
        "claimAmount": {"value": 20, "currency": "USD"},
    }
    return {**given, **values}


def _money(shop: StubEbay) -> None:
    fees = [{"feeType": "FINAL_VALUE_FEE", "amount": money("2.20")}]
    fixed = [{"feeType": "FINAL_VALUE_FEE_FIXED_PER_ORDER", "amount": money("0.30")}]
    of_line = {"lineItemId": "2101", "marketplaceFees": [*fees, *fixed]}
    back = {"lineItemId": "2101", "marketplaceFees": fees}
    shop.transactions = [
        stub.transaction(
            "210", orderId="210", totalFeeAmount=money("2.50"), orderLineItems=[of_line]
        ),
        stub.transaction(
            "T-910", "REFUND", "17.80", bookingEntry="DEBIT", orderId="210",
            totalFeeAmount=money("2.20"), orderLineItems=[back],
        ),
        stub.transaction("T-D1", "DISPUTE", "20.00", bookingEntry="DEBIT", orderId="240"),
        stub.transaction("DISPUTE_HOLD_REVERSE-1", "CREDIT", "20.00", orderId="240"),
        stub.transaction("T-T1", "TRANSFER", "20.00"),
        stub.transaction(
            "T-N1", "NON_SALE_CHARGE", "1.10", bookingEntry="DEBIT", feeType="AD_FEE",
            references=[{"referenceId": "210", "referenceType": "ORDER_ID"}],
        ),
        stub.transaction(
            "T-L1", "SHIPPING_LABEL", "4.50", bookingEntry="DEBIT", orderId="220",
            transactionMemo="Return label",
            references=[{"referenceId": "7020", "referenceType": "CASE_ID"}],
        ),
        stub.transaction("T-L2", "SHIPPING_LABEL", "6.00", bookingEntry="DEBIT", orderId="210"),
        stub.transaction("T-L2V", "SHIPPING_LABEL", "6.00", orderId="210"),
        stub.transaction("T-X", "SOMETHING_NEW", "1.00"),
        stub.transaction(
            "T-M", orderId="205", payoutId=None, transactionStatus="FUNDS_AVAILABLE_FOR_PAYOUT",
            amount=money(
                "20.00", convertedFromValue="16.00", convertedFromCurrency="GBP",
                exchangeRate="1.25",
            ),
            totalFeeAmount=money("4.00", "GBP"),
            orderLineItems=[
                {"lineItemId": "2051", "marketplaceFees": [
                    {"feeType": "FINAL_VALUE_FEE", "amount": money("4.00", "GBP")}
                ]}
            ],
        ),
    ]  # fmt: skip
    shop.payouts = [
        {
            "payoutId": "5001",
            "payoutDate": at(18),
            "payoutStatus": "SUCCEEDED",
            "amount": money("15.10"),
        }
    ]
    shipped(shop, 240, sold(2401))
    shipped(shop, 241, sold(2411))
    shop.disputes = [
        _dispute("D1", "240", "CLOSED", resolution={"protectionStatus": "PROTECTED"}),
        _dispute("D2", "241", "CLOSED", resolution={"recoupAmount": money("20.00")}),
        _dispute("D3", "210", "ACTION_NEEDED"),
    ]


def _dispute(key: str, order: str, status: str, **values: Any) -> Node:
    given = {
        "paymentDisputeId": key,
        "orderId": order,
        "paymentDisputeStatus": status,
        "reason": "ITEM_NOT_RECEIVED",
        "openDate": at(15),
        "amount": money("20.00"),
        "buyerUsername": "anna_b",
    }
    if status == "CLOSED":
        given["closedDate"] = at(18)
    return {**given, **values}


def _opinions(shop: StubEbay) -> None:
    rated = {"orderLineItemId": "11002101-2101", "listingId": "11002101"}
    stars = [{"ratingType": "OVERALL_EXPERIENCE", "value": "2"}]
    shop.feedback = [
        {
            "feedbackId": "F1",
            "commentType": "NEGATIVE",
            "feedbackComment": {"commentText": "Räder wackeln 😡"},
            "feedbackEnteredDate": at(17),
            "feedbackRatings": stars,
            "orderLineItemSummary": rated,
            "providerUserDetail": {"userId": "anna_b", "role": "BUYER"},
        },
        {"feedbackId": "F2", "commentType": "POSITIVE", "feedbackEnteredDate": at(17)},
        {"feedbackId": "F3", "commentType": "POSITIVE", "automatedFeedback": True},
    ]


def load_shop(warehouse: Warehouse, landing: Path) -> None:
    """Read the seller's account as a night does, and load what has landed."""
    request = ExtractRequest(CONNECTOR, stub.account(start=START))
    with make_shop().running():
        outcomes = extract_all([request], landing, ManualClock(NOW))
    assert [(o.stream, o.error) for o in outcomes if o.error] == []
    load_landed(warehouse, landing, [CONNECTOR])
