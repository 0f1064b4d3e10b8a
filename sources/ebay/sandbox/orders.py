"""Orders as the Fulfillment API shows them.

Belongs here: one order, one parcel, searching orders. Does not belong here: what is visible
(`snapshot.py`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from .answers import (
    bad,
    filters_of,
    missing,
    moment,
    money,
    range_of,
    told,
    whole_number,
)
from .snapshot import Row, Snapshot, cancel_id

Object = dict[str, Any]
MOST, USUAL = 200, 50
_DOMAIN = "API_FULFILLMENT"
_TWO_YEARS = timedelta(days=730)
_WORDS = {"OUT_OF_STOCK": "OUT_OF_STOCK_OR_CANNOT_FULFILL"}


def cancel_reason(order: Row) -> str:
    return _WORDS.get(order["cancel_reason"] or "", "BUYER_ASKED_CANCEL")


class Orders:
    """The orders of one account at a moment."""

    def __init__(self, known: Snapshot) -> None:
        self.known = known

    def search(self, query: tuple[tuple[str, str], ...]) -> tuple[list[Object], int, int, int]:
        """A page of orders with total, limit and offset."""
        values: dict[str, list[str]] = {}
        for name, value in query:
            values.setdefault(name, []).append(value)
        limit = whole_number(values.get("limit", []), USUAL, "limit", 31100, _DOMAIN)
        offset = whole_number(values.get("offset", []), 0, "offset", 31200, _DOMAIN)
        if not 1 <= limit <= MOST:
            raise bad(31100, f"Invalid limit: {limit}. It must lie between 1 and {MOST}.")
        with_tax = "TAX_BREAKDOWN" in values.get("fieldGroups", [])
        if values.get("orderIds"):
            wanted = values["orderIds"][0].split(",")
            if len(wanted) > 50:
                raise bad(30830, "orderIds: at most 50.")
            found = [name for name in wanted if name in self.known.orders]
            return [self.order(o, with_tax=with_tax) for o in found], len(found), len(found), 0
        found = self._matching(filters_of(values.get("filter", [])))
        page = found[offset : offset + limit]
        return [self.order(o, with_tax=with_tax) for o in page], len(found), limit, offset

    def _matching(self, filters: dict[str, str]) -> list[str]:
        """Newest first. With both dates only that of creation counts."""
        now = self.known.moment
        start, end = now - timedelta(days=90), now
        by_change = False
        for name in ("lastmodifieddate", "creationdate"):
            if name in filters:
                first, last = range_of(filters[name], name)
                by_change, start, end = name == "lastmodifieddate", first or start, last or now
        if end > now:
            raise bad(30850, "The end of the date range lies in the future.")
        if start < now - _TWO_YEARS:
            raise bad(30820, "The start of the date range lies more than two years back.")
        changed = self.known.changed
        states = filters.get("orderfulfillmentstatus", "").strip("{}").split("|")
        rows = [
            order
            for order in self.known.orders.values()
            if start <= (changed[order["order_id"]] if by_change else order["ordered_at"]) <= end
            and (states == [""] or self._fulfilment(order["order_id"]) in states)
        ]
        rows.sort(key=lambda order: (order["ordered_at"], order["order_id"]), reverse=True)
        return [order["order_id"] for order in rows]

    def one(self, order_id: str, *, with_tax: bool) -> Object:
        if order_id not in self.known.orders:
            raise missing(f"Order {order_id}", _DOMAIN)
        return self.order(order_id, with_tax=with_tax, with_requests=True)

    def order(self, order_id: str, *, with_tax: bool, with_requests: bool = False) -> Object:
        order, lines = self.known.orders[order_id], self.known.lines[order_id]
        user = self.known.user_of(order_id)
        start = self._start_instructions(order)
        shown = [self._line(order, line, with_tax=with_tax) for line in lines]
        return told(
            orderId=order_id,
            legacyOrderId=f"{lines[0]['item_id']}-{lines[0]['order_item_id']}",
            creationDate=moment(order["ordered_at"]),
            lastModifiedDate=moment(self.known.changed[order_id]),
            orderFulfillmentStatus=self._fulfilment(order_id),
            orderPaymentStatus=self._payment(order_id),
            sellerId=f"seller_{self.known.account}",
            buyer=self._buyer(order, user),
            ebayCollectAndRemitTax=True if self._taxed(lines) else None,
            pricingSummary=self._prices(order, lines, with_tax=with_tax),
            cancelStatus=self._cancel(order, with_requests=with_requests),
            paymentSummary=self._payments(order, lines),
            fulfillmentStartInstructions=[start],
            fulfillmentHrefs=[
                f"https://api.ebay.com/sell/fulfillment/v1/order/{order_id}/shipping_fulfillment/"
                + parcel
                for parcel in dict.fromkeys(p["tracking_number"] for p in self._parcels(order_id))
            ],
            lineItems=shown,
            salesRecordReference="0",
        )

    def _parcels(self, order_id: str) -> list[Row]:
        return self.known.parcels.get(order_id, [])

    def _fulfilment(self, order_id: str) -> str:
        sent = sum(parcel["quantity"] for parcel in self._parcels(order_id))
        ordered = sum(line["quantity"] for line in self.known.lines[order_id])
        return "NOT_STARTED" if not sent else "FULFILLED" if sent >= ordered else "IN_PROGRESS"

    def _line_fulfilment(self, line: Row) -> str:
        parcels = self._parcels(line["order_id"])
        sent = sum(p["quantity"] for p in parcels if p["line_no"] == line["line_no"])
        whole = sent >= line["quantity"]
        return "NOT_STARTED" if not sent else "FULFILLED" if whole else "IN_PROGRESS"

    def _payment(self, order_id: str) -> str:
        done = [r for r in self.known.refunds[order_id] if self.known.reached(r["refunded_at"])]
        if not done:
            return "PAID"
        paid = sum(_worth(line) + _shipping(line) for line in self.known.lines[order_id])
        whole = sum(refund["amount_minor"] for refund in done) >= paid
        return "FULLY_REFUNDED" if whole else "PARTIALLY_REFUNDED"

    def _money(self, order: Row, minor: int) -> dict[str, str]:
        market = self.known.markets[order["marketplace"]]
        return money(minor, order["currency"], market["decimals"])

    def _taxed(self, lines: list[Row]) -> bool:
        return any(_tax(line) for line in lines)

    def _buyer(self, order: Row, user: str) -> Object:
        person = self.known.buyers[order["customer_no"]]
        place = told(
            stateOrProvince=person["state"] or None,
            postalCode=person["postcode"],
            countryCode=order["country"],
        )
        address = place | {"addressLine1": person["street"], "city": person["city"]}
        return {
            "username": user,
            "taxAddress": place,
            "buyerRegistrationAddress": {
                "fullName": person["name"],
                "contactAddress": address,
                "primaryPhone": {"phoneNumber": person["phone"]},
                "email": person["email"],
            },
        }

    def _start_instructions(self, order: Row) -> Object:
        person = self.known.buyers[order["customer_no"]]
        ship_to = {
            "fullName": person["name"],
            "contactAddress": told(
                addressLine1=person["street"],
                city=person["city"],
                stateOrProvince=person["state"] or None,
                postalCode=person["postcode"],
                countryCode=order["country"],
            ),
            "primaryPhone": {"phoneNumber": person["phone"]},
            "email": person["email"],
        }
        return {
            "fulfillmentInstructionsType": "SHIP_TO",
            "minEstimatedDeliveryDate": moment(_earliest(order)),
            "maxEstimatedDeliveryDate": moment(order["deliver_by_at"]),
            "ebaySupportedFulfillment": False,
            "shippingStep": {
                "shipTo": ship_to,
                "shippingCarrierCode": order["carrier"],
                "shippingServiceCode": "StandardInternational",
            },
        }

    def _prices(self, order: Row, lines: list[Row], *, with_tax: bool) -> Object:
        prices = sum(line["unit_price_minor"] * line["quantity"] for line in lines)
        off = sum(line["unit_discount_minor"] * line["quantity"] for line in lines)
        shipping = sum(line["shipping_minor"] for line in lines)
        free = sum(line["shipping_discount_minor"] for line in lines)
        tax = sum(_tax(line) for line in lines) if with_tax else 0
        return told(
            priceSubtotal=self._money(order, prices),
            priceDiscount=self._money(order, -off) if off else None,
            deliveryCost=self._money(order, shipping),
            deliveryDiscount=self._money(order, -free) if free else None,
            tax=self._money(order, tax) if tax else None,
            total=self._money(order, prices - off + shipping - free + tax),
        )

    def _cancel(self, order: Row, *, with_requests: bool) -> Object:
        """`cancelRequests` is always empty in a search."""
        if not self.known.reached(order["cancelled_at"]):
            return {"cancelState": "NONE_REQUESTED", "cancelRequests": []}
        request = {
            "cancelCompletedDate": moment(order["cancelled_at"]),
            "cancelInitiator": "BUYER" if order["cancelled_by"] == "BUYER" else "SELLER",
            "cancelReason": cancel_reason(order),
            "cancelRequestedDate": moment(order["cancelled_at"] - timedelta(minutes=9)),
            "cancelRequestId": cancel_id(order["order_id"]),
            "cancelRequestState": "COMPLETED",
        }
        return {
            "cancelState": "CANCELED",
            "cancelledDate": moment(order["cancelled_at"]),
            "cancelRequests": [request] if with_requests else [],
        }

    def _payments(self, order: Row, lines: list[Row]) -> Object:
        total = sum(_worth(line) + _shipping(line) for line in lines)
        refunds = self.known.refunds[order["order_id"]]
        net = sum(r["amount_minor"] for r in refunds if self.known.reached(r["refunded_at"]))
        return {
            "totalDueSeller": self._money(order, total - net),
            "refunds": [self._order_refund(order, refund) for refund in refunds],
            "payments": [
                {
                    "paymentMethod": "EBAY",
                    "paymentReferenceId": f"{order['order_id'].replace('-', '')}P",
                    "paymentDate": moment(order["paid_at"]),
                    "amount": self._money(order, total),
                    "paymentStatus": "PAID",
                }
            ],
        }

    def _order_refund(self, order: Row, refund: Row) -> Object:
        """The seller's net: what went to the buyer less what came back of the fee."""
        is_done = self.known.reached(refund["refunded_at"])
        return told(
            amount=self._money(order, refund["amount_minor"] - refund["fee_back_minor"]),
            refundDate=moment(refund["refunded_at"]) if is_done else None,
            refundId=refund["refund_id"],
            refundReferenceId=refund["reference_id"],
            refundStatus="REFUNDED" if is_done else "PENDING",
        )

    def _line_refund(self, order: Row, refund: Row) -> Object:
        """What the buyer gets."""
        is_done = self.known.reached(refund["refunded_at"])
        return told(
            amount=self._money(order, refund["amount_minor"]),
            refundDate=moment(refund["refunded_at"]) if is_done else None,
            refundId=refund["refund_id"],
            refundReferenceId=refund["reference_id"],
        )

    def _line(self, order: Row, line: Row, *, with_tax: bool) -> Object:
        market = self.known.markets[order["marketplace"]]
        cost = line["unit_price_minor"] * line["quantity"]
        off, tax = line["unit_discount_minor"] * line["quantity"], _tax(line)
        kind = "STATE_SALES_TAX" if order["country"] == "US" else "VAT"
        taxes = [{"amount": self._money(order, tax), "taxType": kind}] if tax else []
        is_sales_tax = market["region_group"] == "NA"
        refunds = self.known.refunds[order["order_id"]]
        mine = [r for r in refunds if r["line_no"] == line["line_no"]]
        total = _worth(line) + _shipping(line) + (tax if with_tax else 0)
        return told(
            lineItemId=line["order_item_id"],
            legacyItemId=line["item_id"],
            legacyVariationId=line["variant_id"] if line["variant_size"] else None,
            sku=line["listing_sku"],
            title=line["sku_name"],
            lineItemCost=self._money(order, cost),
            discountedLineItemCost=self._money(order, cost - off) if off else None,
            quantity=line["quantity"],
            soldFormat="FIXED_PRICE",
            listingMarketplaceId=market["marketplace_id"],
            purchaseMarketplaceId=market["marketplace_id"],
            lineItemFulfillmentStatus=self._line_fulfilment(line),
            total=self._money(order, total),
            deliveryCost=told(
                shippingCost=self._money(order, line["shipping_minor"]),
                discountAmount=self._money(order, -line["shipping_discount_minor"])
                if line["shipping_discount_minor"]
                else None,
            ),
            appliedPromotions=[],
            taxes=taxes if with_tax and is_sales_tax else [],
            ebayCollectAndRemitTaxes=[tax_of | {"collectionMethod": "NET"} for tax_of in taxes],
            refunds=[self._line_refund(order, refund) for refund in mine],
            properties={"buyerProtection": True, "soldViaAdCampaign": False},
            lineItemFulfillmentInstructions={
                "minEstimatedDeliveryDate": moment(_earliest(order)),
                "maxEstimatedDeliveryDate": moment(order["deliver_by_at"]),
                "shipByDate": moment(order["ship_by_at"]),
                "guaranteedDelivery": False,
            },
            variationAspects=[
                {"name": name, "value": line[column]}
                for name, column in (("Size", "variant_size"), ("Colour", "colour"))
                if line[column]
            ],
        )

    def fulfilments(self, order_id: str) -> Object:
        """Parcels of an order, each with what is in it."""
        if order_id not in self.known.orders:
            raise missing(f"Order {order_id}", _DOMAIN)
        names = {line["line_no"]: line["order_item_id"] for line in self.known.lines[order_id]}
        found: dict[str, list[Row]] = {}
        for parcel in self._parcels(order_id):
            found.setdefault(parcel["tracking_number"], []).append(parcel)
        shown = [
            {
                "fulfillmentId": number,
                "shipmentTrackingNumber": number,
                "shippingCarrierCode": rows[0]["carrier"],
                "shippedDate": moment(rows[0]["shipped_at"]),
                "lineItems": [
                    {"lineItemId": names[row["line_no"]], "quantity": row["quantity"]}
                    for row in rows
                ],
            }
            for number, rows in found.items()
        ]
        return {"fulfillments": shown, "total": len(shown), "warnings": []}


def _earliest(order: Row) -> datetime:
    at: datetime = order["deliver_by_at"] - timedelta(days=4)
    return at


def _worth(line: Row) -> int:
    return int((line["unit_price_minor"] - line["unit_discount_minor"]) * line["quantity"])


def _shipping(line: Row) -> int:
    return int(line["shipping_minor"] - line["shipping_discount_minor"])


def _tax(line: Row) -> int:
    return int(line["unit_tax_minor"] * line["quantity"] + line["shipping_tax_minor"])
