"""Parcels of an order as the Admin API shows them: fulfilments, their lines, what carriers told.

Belongs here: the way to the buyer. Goods on their way back are in `aftersales.py`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sources._sandbox.api_faults import share_of
from sources._sandbox.world import geography
from sources._sandbox.world.parcel_life import OUT_BEFORE, PICKED_AFTER, TRANSIT_AFTER

from .answers import gid, moment
from .connections import listed, plain
from .snapshot import Row

if TYPE_CHECKING:
    from .orders import Order

Object = dict[str, Any]
VOIDED_SHARE = 0.015
_END = {"lost": "NOT_DELIVERED", "refused": "FAILURE", "undeliverable": "FAILURE"}


class Shipments:
    """The parcels of one order so far."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.snapshot = order.snapshot

    def fulfilments(self) -> list[Object]:
        groups: dict[str, list[Row]] = {}
        for row in self.order.parcels:
            groups.setdefault(row["shipment_id"], []).append(row)
        found = []
        for number, (shipment_id, rows) in enumerate(groups.items(), 1):
            if share_of(self.snapshot.seed, "voided", shipment_id) < VOIDED_SHARE:
                found.append(self._voided(shipment_id, rows, number))
            found.append(self.fulfilment(shipment_id, rows, number))
        return found

    def _voided(self, shipment_id: str, rows: list[Row], number: int) -> Object:
        """A label that was thrown away an hour before the right one was made."""
        parcel = self.fulfilment(shipment_id, rows, number)
        made = moment(rows[0]["shipped_at"] - timedelta(hours=1))
        digits = f"8{shipment_id[1:]}"
        none = dict.fromkeys(("inTransitAt", "deliveredAt", "estimatedDeliveryAt"))
        return {
            **parcel, **none,
            "id": gid("Fulfillment", digits), "legacyResourceId": digits,
            "status": "CANCELLED", "displayStatus": "CANCELED",
            "createdAt": made, "updatedAt": moment(rows[0]["shipped_at"]),
            "events": listed([]),
            "fulfillmentLineItems": listed(
                [self.fulfilment_line(row, voided=True) for row in rows]
            ),
        }  # fmt: skip

    def fulfilment(self, shipment_id: str, rows: list[Row], number: int) -> Object:
        first = rows[0]
        events = self.events(first) if first["is_followed"] else []
        told = {event["status"]: event["_at"] for event in events}
        estimate = datetime.combine(first["estimated_arrival_date"], datetime.min.time())
        digits = f"1{shipment_id[1:]}"
        last = max([first["shipped_at"], *(event["_at"] for event in events)])
        return {
            "__typename": "Fulfillment",
            "id": gid("Fulfillment", digits),
            "legacyResourceId": digits,
            "name": f"{self.order.row['order_number']}-F{number}",
            "status": "SUCCESS",
            "displayStatus": self._display_status(first, events),
            "createdAt": moment(first["shipped_at"]),
            "updatedAt": moment(last),
            "inTransitAt": moment(told.get("IN_TRANSIT")),
            "deliveredAt": moment(told.get("DELIVERED")),
            "estimatedDeliveryAt": moment(estimate + timedelta(hours=12)) if events else None,
            "totalQuantity": sum(row["quantity"] for row in rows),
            "requiresShipping": True,
            "order": lambda _info: self.order.object(),
            "location": self.order.catalogue.location(first["fulfilment_centre_id"]),
            "trackingInfo": plain(
                [{"number": first["tracking_number"], "company": first["carrier"], "url": None}]
            ),
            "fulfillmentLineItems": listed([self.fulfilment_line(row) for row in rows]),
            "events": listed(events),
        }

    def _display_status(self, row: Row, events: list[Object]) -> str:
        if not events:
            return "FULFILLED"
        last = events[-1]["status"]
        return _END[row["state"]] if last == "FAILURE" else str(last)

    def events(self, row: Row) -> list[Object]:
        """What the carrier told so far."""
        steps = [
            ("LABEL_PRINTED", row["shipped_at"]),
            ("CARRIER_PICKED_UP", row["shipped_at"] + PICKED_AFTER),
            ("IN_TRANSIT", row["shipped_at"] + TRANSIT_AFTER),
        ]
        if row["state"] == "delivered":
            steps.append(("OUT_FOR_DELIVERY", row["delivered_at"] - OUT_BEFORE))
            steps.append(("DELIVERED", row["delivered_at"]))
        else:
            steps.append(("FAILURE", row["state_at"]))
        seen = sorted((at, place, word) for place, (word, at) in enumerate(steps))
        place = geography.country(self.order.row["country"])
        return [
            {
                "__typename": "FulfillmentEvent",
                "id": gid("FulfillmentEvent", f"{number}{row['shipment_id'][1:]}"),
                "status": word,
                "happenedAt": moment(at),
                "createdAt": moment(at),
                "estimatedDeliveryAt": None,
                "message": None,
                "address1": None,
                "city": None,
                "province": None,
                "country": place.code,
                "zip": None,
                "_at": at,
            }
            for at, number, word in seen
            if at <= self.snapshot.moment
        ]

    def fulfilment_line_id(self, row: Row, *, voided: bool = False) -> str:
        return gid("FulfillmentLineItem", f"{8 if voided else 1}{row['shipment_item_id'][1:]}")

    def fulfilment_line(self, row: Row, *, voided: bool = False) -> Object:
        line = next(line for line in self.order.lines if line["line_no"] == row["line_no"])
        price, discount, _ = self.order.line_gross(line)
        return {
            "__typename": "FulfillmentLineItem",
            "id": self.fulfilment_line_id(row, voided=voided),
            "quantity": row["quantity"],
            "lineItem": lambda _info: self.order.line(line),
            "discountedTotalSet": self.order.money.bag((price - discount) * row["quantity"]),
            "originalTotalSet": self.order.money.bag(price * row["quantity"]),
        }
