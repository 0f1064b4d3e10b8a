"""Orders as Walmart shows them: one purchase order to the seller each.

Belongs here: one order, and which ones a search finds. Does not belong here: pages (`cursors.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from .answers import major, millis, time_of, told, wrong
from .snapshot import ACKNOWLEDGED_AFTER, Row, Snapshot

Object = dict[str, Any]
COUNTRIES = {"US": "USA", "CA": "CAN", "MX": "MEX", "CL": "CHL"}
NODES = ("SellerFulfilled", "WFSFulfilled", "3PLFulfilled")
_CARRIERS = {"YunExpress", "4PX", "UPS", "USPS", "FedEx", "DHL", "Yanwen", "China Post"}
_BACK = timedelta(days=180)
_USUAL = timedelta(days=7)
_REASONS = {
    "DEFECTIVE": "DefectiveItem",
    "DAMAGED": "DamagedItem",
    "SHIPPING_BOX_DAMAGED": "Shipping & Delivery -> Damaged",
    "NOT_AS_DESCRIBED": "ItemNotAsAdvertised",
    "INCORRECT_ITEM": "IncorrectItemReceived",
    "MISSING_PARTS": "Missing Parts / Instructions",
    "ARRIVED_LATE": "CustomerReceivedItemLate",
    "LOST_IN_TRANSIT": "ItemNotReceivedByCustomer",
    "LOST_AFTER_DELIVERY": "Merchandise not received",
    "NO_LONGER_WANTED": "CustomerChangedMind",
}


class Orders:
    """The purchase orders of a store in one market at a moment."""

    def __init__(self, known: Snapshot) -> None:
        self.known = known

    def matching(self, query: Mapping[str, str]) -> list[str]:
        """Numbers of the orders that a search finds, oldest first.

        Without `createdStartDate` only the last seven days count, whatever else is asked for; what
        is older than half a year is never found.
        """
        now, read = self.known.moment, self._reader(query)
        start = read("createdStartDate") or now - _USUAL
        end = read("createdEndDate") or now
        first, last = read("lastModifiedStartDate"), read("lastModifiedEndDate")
        node = query.get("shipNodeType", NODES[0])
        if node not in NODES:
            raise wrong("shipNodeType", f"shipNodeType: '{node}' is none of {', '.join(NODES)}")
        found = []
        for number, order in self.known.orders.items():
            changed = self.known.changed[number]
            fits = (
                max(start, now - _BACK) <= order["ordered_at"] <= end
                and (first is None or changed >= first)
                and (last is None or changed <= last)
                and _node(order) == node
                and query.get("purchaseOrderId", number) == number
                and query.get("customerOrderId", order["order_number"]) == order["order_number"]
                and query.get("orderType", _type(order)) == _type(order)
                and self._has_status(number, query.get("status"))
                and self._has_sku(number, query.get("sku"))
            )
            if fits:
                found.append((order["ordered_at"], number))
        return [number for _, number in sorted(found)]

    @staticmethod
    def _reader(query: Mapping[str, str]) -> Any:
        def read(name: str) -> datetime | None:
            return time_of(query[name], name) if query.get(name) else None

        return read

    def _has_status(self, number: str, status: str | None) -> bool:
        return status is None or any(
            entry["status"] == status
            for line in self.known.lines[number]
            for entry in self._statuses(line)
        )

    def _has_sku(self, number: str, sku: str | None) -> bool:
        return sku is None or any(line["listing_sku"] == sku for line in self.known.lines[number])

    def order(self, number: str, *, with_replacement: bool, with_product: bool) -> Object:
        order, person = self.known.orders[number], self.known.buyers
        buyer = person[order["customer_no"]]
        lines = [self._line(line, with_product=with_product) for line in self.known.lines[number]]
        original = None
        if order["replaces_order_id"] is not None:
            original = self._number_of(order["replaces_order_id"])
        return told(
            purchaseOrderId=number,
            customerOrderId=order["order_number"],
            customerEmailId=self._email(order, buyer),
            orderType=_type(order) if with_replacement else None,
            originalCustomerOrderID=original if with_replacement else None,
            orderDate=millis(order["ordered_at"]),
            buyerId=f"00000000-0000-4000-8000-{number[1:]}",
            mart=f"WALMART_{self.known.market['country']}",
            shippingInfo={
                "phone": buyer["phone"],
                "estimatedDeliveryDate": millis(order["deliver_by_at"]),
                "estimatedShipDate": millis(order["ship_by_at"]),
                "methodCode": "Value",
                "postalAddress": {
                    "name": buyer["name"],
                    "address1": buyer["street"],
                    "city": buyer["city"],
                    "state": buyer["state"],
                    "postalCode": buyer["postcode"],
                    "country": COUNTRIES[order["country"]],
                    "addressType": "RESIDENTIAL",
                },
            },
            orderLines={"orderLine": lines},
            shipNode=self._ship_node(order),
        )

    def _number_of(self, order_id: str) -> str:
        return str(self.known.orders[order_id]["order_number"])

    def _email(self, order: Row, buyer: Row) -> str:
        """A placeholder at first."""
        is_new = self.known.moment - order["ordered_at"] < timedelta(minutes=30)
        return "nocxemail@walmartone.com" if is_new else str(buyer["email"])

    def _ship_node(self, order: Row) -> Object:
        node = _node(order)
        if node == NODES[0]:
            return {"type": node}
        centre = order["fulfilment_centre_id"]
        return {"type": node, "name": centre, "id": centre}

    def _amount(self, minor: int) -> Object:
        return {
            "currency": self.known.market["currency"],
            "amount": major(minor, self.known.market["decimals"]),
        }

    def _line(self, line: Row, *, with_product: bool) -> Object:
        item = told(
            productName=line["sku_name"],
            sku=line["listing_sku"],
            condition="New",
            weight={"value": f"{line['weight_g'] / 453.6:.2f}", "unit": "POUND"}
            if with_product
            else None,
        )
        backs = [r for r in self.known.returns[line["order_id"]] if r["line_no"] == line["line_no"]]
        done = [row for row in backs if self.known.reached(row["refunded_at"])]
        return told(
            lineNumber=str(line["line_no"]),
            item=item,
            charges={"charge": self._charges(line)},
            orderLineQuantity=_quantity(line["quantity"]),
            statusDate=millis(self._status_date(line)),
            orderLineStatuses={"orderLineStatus": self._statuses(line)},
            returnOrderId=backs[0]["return_id"] if backs else None,
            refund=self._refund(done) if done else None,
            fulfillment={"fulfillmentOption": "S2H", "shipMethod": "VALUE"},
        )

    def _charges(self, line: Row) -> list[Object]:
        """Of the whole line; nothing is charged for one that was cancelled."""
        is_gone = (
            self.known.reached(line["line_cancelled_at"])
            and line["quantity_cancelled"] == line["quantity"]
        )
        net = (line["unit_price_minor"] - line["unit_discount_minor"]) * line["quantity"]
        tax = line["unit_tax_minor"] * line["quantity"]
        charges = [self._charge("PRODUCT", "ItemPrice", *((0, 0) if is_gone else (net, tax)))]
        shipping = line["shipping_minor"] - line["shipping_discount_minor"]
        if shipping and not is_gone:
            charges.append(
                self._charge("SHIPPING", "Shipping", shipping, line["shipping_tax_minor"])
            )
        return charges

    def _charge(self, kind: str, name: str, minor: int, tax: int) -> Object:
        """Without tax the member is missing."""
        charge = {"chargeType": kind, "chargeName": name, "chargeAmount": self._amount(minor)}
        if tax:
            charge["tax"] = {"taxName": "Tax1", "taxAmount": self._amount(tax)}
        return charge

    def _refund(self, rows: list[Row]) -> Object:
        """Amounts below zero, without a date."""
        charges = [
            {
                "refundReason": _REASONS.get(row["reason_code"], "Others"),
                "charge": self._charge(
                    "PRODUCT", "ItemPrice", -row["refund_minor"], -row["refund_tax_minor"]
                ),
            }
            for row in rows
        ]
        return {"refundComments": "", "refundCharges": {"refundCharge": charges}}

    def _parcels(self, line: Row) -> list[Row]:
        parcels = self.known.parcels.get(line["order_id"], [])
        return [parcel for parcel in parcels if parcel["line_no"] == line["line_no"]]

    def _statuses(self, line: Row) -> list[Object]:
        """Units of the line by their state; each parcel has an entry of its own."""
        shown = [
            {
                "status": "Delivered" if self.known.is_delivered(parcel) else "Shipped",
                "statusQuantity": _quantity(parcel["quantity"]),
                "trackingInfo": _tracking(parcel),
            }
            for parcel in self._parcels(line)
        ]
        left = line["quantity"] - sum(parcel["quantity"] for parcel in self._parcels(line))
        if self.known.reached(line["line_cancelled_at"]):
            left -= line["quantity_cancelled"]
            shown.append(
                {
                    "status": "Cancelled",
                    "statusQuantity": _quantity(line["quantity_cancelled"]),
                    "cancellationReason": _cancellation(line),
                }
            )
        if left > 0:
            order = self.known.orders[line["order_id"]]
            seen = self.known.reached(order["ordered_at"] + ACKNOWLEDGED_AFTER)
            status = "Acknowledged" if seen else "Created"
            shown.append({"status": status, "statusQuantity": _quantity(left)})
        return shown

    def _status_date(self, line: Row) -> datetime:
        ordered = self.known.orders[line["order_id"]]["ordered_at"]
        seen, gone = ordered + ACKNOWLEDGED_AFTER, line["line_cancelled_at"]
        is_left = gone is None or gone > seen or line["quantity_cancelled"] < line["quantity"]
        times = [ordered, gone, *([seen] if is_left else [])]
        for parcel in self._parcels(line):
            times.append(parcel["shipped_at"])
            if self.known.is_delivered(parcel):
                times.append(parcel["delivered_at"])
        return max(at for at in times if self.known.reached(at))


def _node(order: Row) -> str:
    return NODES[1] if order["fulfilled_by"] == "marketplace" else NODES[0]


def _type(order: Row) -> str:
    return "REGULAR" if order["link_kind"] is None else "REPLACEMENT"


def _quantity(units: int) -> Object:
    return {"unitOfMeasurement": "EACH", "amount": str(units)}


def _cancellation(line: Row) -> str:
    by_seller = line["cancelled_by"] == "MERCHANT" or line["cancel_reason"] == "OUT_OF_STOCK"
    return "SELLER_CANCEL_OUT_OF_STOCK" if by_seller else "CUSTOMER_REQUESTED_SELLER_TO_CANCEL"


def _tracking(parcel: Row) -> Object:
    known = parcel["carrier"] in _CARRIERS
    return {
        "shipDateTime": millis(parcel["shipped_at"]),
        "carrierName": {"carrier" if known else "otherCarrier": parcel["carrier"]},
        "methodCode": "Value",
        "trackingNumber": parcel["tracking_number"],
        "trackingURL": f"https://www.walmart.com/tracking?tracking_id={parcel['tracking_number']}",
    }
