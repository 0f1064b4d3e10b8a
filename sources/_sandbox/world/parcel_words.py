"""The words in which tracking services pass on what carriers scan.

Belongs here: the status of each service for each step of a parcel's way, and what stands beside it.
Does not belong here: when a step comes (`tracked_parcels.py`), how an answer looks
(`sources/tracking/sandbox`), what a status means to the warehouse (the connector's `statuses.csv`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

NEW = tuple(f"Exception_0{number}" for number in range(16, 22))
NEW_SINCE = date(2026, 3, 27)  # older scans never get AfterShip's new codes


@dataclass(frozen=True)
class Words:
    """Each service may have several words for a step; the scan's variant picks one."""

    seventeentrack: tuple[str, ...]
    aftership: tuple[str, ...]
    text: str

    def said(self, provider: str, variant: int, at: datetime) -> str:
        """The fine status; what stands before its underscore is the coarse one."""
        words: tuple[str, ...] = getattr(self, provider)
        if at.date() < NEW_SINCE:
            words = tuple(word for word in words if word not in NEW)
        return words[variant % len(words)]


PROVIDERS = ("seventeentrack", "aftership")
WORDS: Mapping[str, Words] = {
    "label": Words(("InfoReceived",), ("InfoReceived_001",), "Shipment information received"),
    "picked_up": Words(("InTransit_PickedUp",), ("InTransit_002",), "Parcel accepted"),
    "hub": Words(("InTransit_Other",), ("InTransit_003", "InTransit_001"), "Arrived at facility"),
    "departed": Words(("InTransit_Departure",), ("InTransit_007",), "Departed from airport"),
    "arrived": Words(("InTransit_Arrival",), ("InTransit_004",), "Arrived in destination country"),
    "customs": Words(
        ("InTransit_CustomsProcessing",), ("InTransit_006",), "Customs clearance started"
    ),
    "held": Words(
        ("InTransit_CustomsRequiringInformation",),
        ("Exception_004", "Exception_018"),
        "Held by customs, documents are missing",
    ),
    "cleared": Words(
        ("InTransit_CustomsReleased",), ("InTransit_005",), "Customs clearance completed"
    ),
    "fees": Words(("Exception_Security",), ("Exception_006",), "Waiting for payment of duties"),
    "delayed": Words(
        ("Exception_Delayed",),
        ("Exception_005", "Exception_017", "Exception_019"),
        "Delayed on its way",
    ),
    "damaged": Words(
        ("Exception_Damage", "Exception_Damaged"), ("Exception_012",), "Parcel found damaged"
    ),
    "out": Words(("OutForDelivery_Other",), ("OutForDelivery_001",), "Out for delivery"),
    "absent": Words(
        ("DeliveryFailure_NoBody", "DeliveryFailure_Other"),
        ("AttemptFail_002", "AttemptFail_001"),
        "Delivery attempted, nobody at home",
    ),
    "bad_address": Words(
        ("DeliveryFailure_InvalidAddress",), ("Exception_007",), "Address is incomplete"
    ),
    "door_refused": Words(
        ("DeliveryFailure_Rejected",), ("Exception_003",), "Refused by the recipient"
    ),
    "pickup_point": Words(
        ("AvailableForPickup_Other",), ("AvailableForPickup_001",), "Ready at the pickup point"
    ),
    "delivered": Words(
        ("Delivered_Other",),
        ("Delivered_001", "Delivered_002", "Delivered_003", "Delivered_005"),
        "Delivered",
    ),
    "lost": Words(("Exception_Lost",), ("Exception_013",), "Parcel cannot be found"),
    "returning": Words(("Exception_Returning",), ("Exception_010",), "On its way back"),
    "returned": Words(("Exception_Returned",), ("Exception_011",), "Returned"),
    # carriers book the end of the way back as a delivery
    "delivered_back": Words(("Delivered_Other",), ("Delivered_001",), "Delivered to sender"),
}
GIVEN_UP: Mapping[str, str] = {"seventeentrack": "Expired_Other", "aftership": "Expired_001"}
NOTHING_YET: Mapping[str, str] = {"seventeentrack": "NotFound_Other", "aftership": "Pending_001"}
