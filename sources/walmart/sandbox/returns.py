"""Returns as Walmart shows them: one return order each, with the events of its line.

Belongs here: one return, and which ones a search finds. Does not belong here: pages (`cursors.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from .answers import major, moment, time_of, told, wrong
from .snapshot import Row, Snapshot

Object = dict[str, Any]
_RANGES = ("returnCreation", "returnLastModified")
_NAMES = {"requested_at": "RETURN_INITIATED", "sent_at": "RETURN_IN_TRANSIT",
          "received_at": "DELIVERED_AT_RETURN_CENTER", "refunded_at": "REFUND_ISSUED"}  # fmt: skip


class Returns:
    """The return orders of a store in one market at a moment."""

    def __init__(self, known: Snapshot) -> None:
        self.known = known

    def matching(self, query: Mapping[str, str]) -> list[Row]:
        """Newest first. Both ends of a range must be given."""
        ranges = {name: _range(query, name) for name in _RANGES}
        found = []
        for row in (row for rows in self.known.returns.values() for row in rows):
            order = self.known.orders[row["order_id"]]
            fits = (
                _within(row["requested_at"], ranges["returnCreation"])
                and _within(self.known.return_changed(row), ranges["returnLastModified"])
                and query.get("returnOrderId", row["return_id"]) == row["return_id"]
                and query.get("customerOrderId", order["order_number"]) == order["order_number"]
                and query.get("status", self.status(row)) == self.status(row)
                and query.get("returnType", _type(row)) == _type(row)
            )
            if fits:
                found.append(row)
        return sorted(found, key=lambda r: (r["requested_at"], r["return_id"]), reverse=True)

    def status(self, row: Row) -> str:
        if row["is_withdrawn"] and self.known.reached(row["closed_at"]):
            return "COMPLETED" if self.known.market["country"] == "US" else "CANCELLED"
        if self.known.reached(row["refunded_at"]) or self.known.reached(row["resent_at"]):
            return "COMPLETED"
        is_in = self.known.reached(row["received_at"]) and self.known.market["country"] != "MX"
        return "DELIVERED" if is_in else "INITIATED"

    def _amount(self, minor: int) -> Object:
        return {
            "currencyAmount": major(minor, self.known.market["decimals"]),
            "currencyUnit": self.known.market["currency"],
        }

    def order(self, row: Row, *, with_replacement: bool) -> Object:
        order = self.known.orders[row["order_id"]]
        buyer = self.known.buyers[order["customer_no"]]
        first, _, last = buyer["name"].partition(" ")
        is_paid = self.known.reached(row["refunded_at"])
        is_resent = with_replacement and self.known.reached(row["resent_at"])
        total = self._amount(row["refund_minor"] + row["refund_tax_minor"]) if is_paid else None
        content = told(
            returnOrderId=row["return_id"],
            customerEmailId=buyer["email"],
            customerName={"firstName": first, "lastName": last or first},
            customerOrderId=order["order_number"],
            refundMode="POST_DELIVERY",
            returnOrderDate=moment(row["requested_at"]),
            returnByDate=moment(row["requested_at"] + timedelta(days=30)),
            returnType=_type(row) if with_replacement else None,
            replacementCustomerOrderId=row["replacement_number"] if is_resent else None,
            totalRefundAmount=total,
            returnLineGroups=[self._group(row)],
            returnOrderLines=[self._line(row, with_replacement=with_replacement)],
            returnChannel=self._channel(row),
        )
        if not is_paid and int(row["return_id"]) % 2:
            content["totalRefundAmount"] = None
        return content

    def _channel(self, row: Row) -> Object | None:
        """Not told of every return."""
        words = ("ONLINE", "IN_STORE", "CUSTOMER_CARE", None)
        word = words[int(row["return_id"]) % 4]
        return {"channelName": word} if word else None

    def _group(self, row: Row) -> Object:
        labels = []
        if self.known.reached(row["sent_at"]):
            parcel = {
                "carrierId": "11",
                "carrierName": "FEDEX",
                "serviceType": "FedEx Ground",
                "trackingNo": row["tracking_number"],
            }
            labels = [{"labelImageURL": "https://label.example/1.png", "carrierInfoList": [parcel]}]
        return {
            "groupNo": 1,
            "returnLines": [{"returnOrderLineNumber": 1}],
            "labels": labels,
            "returnExpectedFlag": not row["is_kept"],
        }

    def _line(self, row: Row, *, with_replacement: bool) -> Object:
        line, known = self.known.line_of(row), self.known
        is_paid, quantity = known.reached(row["refunded_at"]), row["quantity"]
        refunded = quantity if is_paid else 0
        is_gone = row["is_withdrawn"] and known.reached(row["closed_at"])
        net = line["unit_price_minor"] - line["unit_discount_minor"]
        money = "REFUND_COMPLETED" if is_paid else "NOT_REFUNDED"
        return told(
            returnOrderLineNumber=1,
            salesOrderLineNumber=row["line_no"],
            returnReason=row["reason_code"],
            purchaseOrderId=row["order_id"],
            purchaseOrderLineNumber=row["line_no"],
            isReturnForException=False,
            rechargeReason="" if with_replacement else None,
            returnCancellationReason="CUSTOMER_CANCELLED" if with_replacement and is_gone else None,
            item={
                "sku": line["listing_sku"],
                "condition": "New",
                "productName": line["sku_name"],
                "itemWeight": {"unitOfMeasure": "POUND", "measurementValue": 1},
            },
            charges=self._charges(line),
            unitPrice=self._amount(net),
            chargeTotals=self._totals(line),
            cancellableQty=0,
            quantity=_measured(quantity),
            returnExpectedFlag=not row["is_kept"],
            isFastReplacement=False,
            isKeepIt=row["is_kept"],
            lastItem=False,
            refundedQty=refunded,
            rechargeableQty=0,
            refundChannel="SELLER_AUTO_REFUND" if is_paid else None,
            returnTrackingDetail=self._events(row),
            status=self.status(row),
            statusTime=moment(known.return_changed(row)),
            currentDeliveryStatus="DELIVERED"
            if known.reached(row["received_at"])
            else "NOT_SHIPPED",
            currentRefundStatus=money,
            currentTrackingStatuses=[
                {
                    "status": self.status(row),
                    "statusTime": moment(known.return_changed(row)),
                    "currentRefundStatus": money,
                    "quantity": _measured(quantity),
                }
            ],
            refundChannels=[
                {"refundChannelName": "SELLER_AUTO_REFUND", "quantity": _measured(quantity)}
            ]
            if is_paid
            else [],
        )

    def _charges(self, line: Row) -> list[Object]:
        """Per unit; a discount is a charge of its own."""
        none = self._amount(0)
        tax = {
            "taxName": "Tax1",
            "excessTax": none,
            "taxPerUnit": self._amount(line["unit_tax_minor"]),
        }

        def charge(name: str, minor: int, *, is_discount: bool) -> Object:
            return {
                "chargeCategory": "PRODUCT",
                "chargeName": name,
                "chargePerUnit": self._amount(minor),
                "isDiscount": is_discount,
                "isBillable": True,
                "tax": [] if is_discount else [tax],
                "excessCharge": none,
                "references": [{"name": "isAdjustment", "value": "false"}],
            }

        charges = [charge("ItemPrice", line["unit_price_minor"], is_discount=False)]
        if line["unit_discount_minor"]:
            charges.append(charge("Discount", line["unit_discount_minor"], is_discount=True))
        return charges

    def _totals(self, line: Row) -> list[Object]:
        """Of one unit whatever the quantity is, as in Walmart's own example."""
        net, tax = line["unit_price_minor"] - line["unit_discount_minor"], line["unit_tax_minor"]
        totals = (
            ("lineUnitPrice", net),
            ("lineProductTaxes", tax),
            ("lineTotalTaxes", tax),
            ("lineSubTotal", net),
            ("lineTotal", net + tax),
        )
        return [{"name": name, "value": self._amount(minor)} for name, minor in totals]

    def _events(self, row: Row) -> list[Object]:
        """Not in the order of time."""
        found: list[tuple[datetime, str]] = [
            (row[column], tag) for column, tag in _NAMES.items() if self.known.reached(row[column])
        ]
        if row["is_withdrawn"] and self.known.reached(row["closed_at"]):
            found.append((row["closed_at"], "RETURN_CANCELLED"))
        if self.known.reached(row["refunded_at"]):
            found.append((row["refunded_at"] - timedelta(minutes=20), "REFUND_INITIATED"))
        shown = [
            {
                "sequenceNo": number,
                "eventTag": tag,
                "eventDescription": tag.replace("_", " ").capitalize(),
                "eventTime": moment(at),
                "references": [{"name": "ReturnDate", "value": moment(row["requested_at"])}],
            }
            for number, (at, tag) in enumerate(sorted(found))
        ]
        return shown[::-1]


def _measured(units: int) -> Object:
    return {"unitOfMeasure": "EACH", "measurementValue": units}


def _type(row: Row) -> str:
    return "REPLACEMENT" if row["resent_at"] is not None else "REFUND"


def _range(query: Mapping[str, str], name: str) -> tuple[datetime, datetime] | None:
    start, end = query.get(f"{name}StartDate"), query.get(f"{name}EndDate")
    if start is None and end is None:
        return None
    if not (start and end):
        raise wrong(f"{name}StartDate", f"{name}StartDate and {name}EndDate go together")
    return time_of(start, f"{name}StartDate"), time_of(end, f"{name}EndDate")


def _within(at: datetime, ends: tuple[datetime, datetime] | None) -> bool:
    return ends is None or ends[0] <= at <= ends[1]
