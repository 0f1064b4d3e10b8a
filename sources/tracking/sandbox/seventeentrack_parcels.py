"""Parcels as 17TRACK shows them.

Belongs here: rows of the list, what is known of a number, events. Does not belong here: calls
(`seventeentrack.py`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from .answers import Object
from .carriers import Carrier
from .snapshot import Scan, Tracked

_STAGES = {
    "picked_up": "PickedUp",
    "departed": "Departure",
    "arrived": "Arrival",
    "out": "OutForDelivery",
    "pickup_point": "AvailableForPickup",
    "delivered": "Delivered",
    "returning": "Returning",
    "returned": "Returned",
    "delivered_back": "Returned",
}
_MILESTONES = (
    "InfoReceived", "PickedUp", "Departure", "Arrival", "AvailableForPickup", "OutForDelivery",
    "Delivered", "Returning", "Returned",
)  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """A number and carrier that the account follows; `parcel` is None where the carrier knows
    nothing of it."""

    number: str
    carrier: int
    registered_at: datetime
    parcel: Tracked | None = None
    tag: str | None = None

    @property
    def looked_at(self) -> datetime | None:
        return self.parcel.looked_at if self.parcel else None

    @property
    def status(self) -> str:
        return self.parcel.status if self.parcel else "NotFound_Other"


def utc(at: datetime | None) -> str | None:
    return None if at is None else f"{at:%Y-%m-%dT%H:%M:%SZ}"


def list_row(entry: Entry) -> Object:
    parcel = entry.parcel
    is_stopped = parcel is not None and parcel.is_stopped
    last = parcel.scans[-1] if parcel and parcel.scans else None
    return {
        "number": entry.number,
        "carrier": entry.carrier,
        "param": None,
        "final_carrier": 0,
        "email": None,
        "tag": entry.tag,
        "order_no": entry.tag,
        "shipping_country": parcel.row["origin"] if parcel else None,
        "recipient_country": parcel.row["destination"] if parcel else None,
        "register_time": utc(entry.registered_at),
        "tracking_status": "Stopped" if is_stopped else "Tracking",
        "package_status": entry.status.partition("_")[0],
        "track_time": utc(entry.looked_at),
        "push_time": None,
        "push_status": "NotPushed",
        "sync_status": "Success" if entry.looked_at else None,
        "stop_track_time": utc(parcel.looked_at) if parcel and is_stopped else None,
        "stop_track_reason": None if not is_stopped else "ByRule",
        "is_retracked": False,
        "carrier_change_count": 0,
        "latest_event_time": _time_iso(last) if last else None,
        "latest_event_info": last.text if last else None,
    }


def track_info(entry: Entry, now: datetime) -> Object:
    parcel = entry.parcel
    local = parcel.local_carrier if parcel else None
    told = [(scan, _event(scan)) for scan in reversed(parcel.scans)] if parcel else []
    events = [event for _, event in told]
    return {
        "shipping_info": {
            "shipper_address": _address(parcel.row["origin"] if parcel else None),
            "recipient_address": _address(
                parcel.row["destination"] if parcel else None, parcel.buyer if parcel else {}
            ),
        },
        "latest_status": {
            "status": entry.status.partition("_")[0],
            "sub_status": entry.status,
            "sub_status_descr": None,
        },
        "latest_event": events[0] if events else None,
        "time_metrics": _time_metrics(parcel, now),
        "milestone": _milestones(parcel),
        "misc_info": {
            "risk_factor": 0,
            "service_type": parcel.row["service"] if parcel else None,
            "weight_raw": None,
            "weight_kg": None,
            "pieces": None,
            "dimensions": None,
            "customer_number": None,
            "reference_number": None,
            "local_number": f"LM{entry.number[-9:]}" if local else None,
            "local_provider": parcel.local_carrier.name
            if parcel and parcel.local_carrier
            else None,
            "local_key": local.key if local else 0,
        },
        "tracking": {"providers_hash": _hash(events), "providers": _providers(entry, told)},
    }


def _address(country: str | None, person: Mapping[str, Any] = MappingProxyType({})) -> Object:
    return {
        "country": country,
        "state": person.get("state"),
        "city": person.get("city"),
        "street": person.get("street"),
        "postal_code": person.get("postcode"),
        "coordinates": {"longitude": None, "latitude": None},
    }


def _providers(entry: Entry, told: list[tuple[Scan, Object]]) -> list[Object]:
    """The carrier that was registered, then who brings the parcel to the door."""
    parcel = entry.parcel
    if parcel is None:
        return [_provider(entry, None, [])]
    local = parcel.local_carrier
    if local is None:
        return [_provider(entry, parcel.carrier, [event for _, event in told])]
    return [
        _provider(entry, carrier, [event for scan, event in told if scan.row["leg"] == leg])
        for carrier, leg in ((parcel.carrier, "first"), (local, "last"))
    ]


def _provider(entry: Entry, carrier: Carrier | None, events: list[Object]) -> Object:
    looked_at = entry.looked_at
    name = carrier.name if carrier else None
    return {
        "provider": {
            "key": carrier.key if carrier else entry.carrier,
            "name": name,
            "alias": name,
            "tel": None,
            "homepage": None,
            "country": None,
        },
        "provider_lang": None,
        "provider_tips": None,
        "service_type": None,
        "latest_sync_status": "Success" if looked_at else "Failure",
        "latest_sync_time": utc(looked_at),
        "events_hash": _hash(events),
        "events": events,
    }


def _hash(events: list[Object]) -> int:
    digest = hashlib.blake2b(json.dumps(events).encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big", signed=True)


def _time_iso(scan: Scan) -> str | None:
    if scan.row["precision"] == "day":
        return None
    text = f"{scan.local:%Y-%m-%dT%H:%M:%S}"
    return text if scan.row["precision"] == "local" else text + scan.offset


def _event(scan: Scan) -> Object:
    """Half of the events have no stage; a place without a clock has no UTC."""
    is_whole = scan.row["precision"] == "time"
    country = scan.row["country"]
    has_stage = scan.row["variant"] % 2 == 0
    return {
        "time_iso": _time_iso(scan),
        "time_utc": utc(scan.at) if is_whole else None,
        "time_raw": {
            "date": f"{scan.local:%Y-%m-%d}",
            "time": None if scan.row["precision"] == "day" else f"{scan.local:%H:%M:%S}",
            "timezone": scan.offset if is_whole else None,
        },
        "description": scan.text,
        "description_translation": {"lang": None, "description": None},
        "location": country,
        "stage": _STAGES.get(scan.row["step"]) if has_stage else None,
        "sub_status": scan.status,
        "address": _address(country),
    }


def _milestones(parcel: Tracked | None) -> list[Object]:
    """The first time of each stage; nulls where it was not reached."""
    first: dict[str, Scan] = {}
    for scan in parcel.scans if parcel else ():
        stage = "InfoReceived" if scan.row["step"] == "label" else _STAGES.get(scan.row["step"])
        if stage:
            first.setdefault(stage, scan)
    return [
        {
            "key_stage": stage,
            "time_iso": _time_iso(first[stage]) if stage in first else None,
            "time_utc": utc(first[stage].at) if stage in first else None,
        }
        for stage in _MILESTONES
    ]


def _time_metrics(parcel: Tracked | None, now: datetime) -> Object:
    """Counters that change every day, with or without news; the estimate stands."""
    nothing: Object = {"source": None, "from": None, "to": None}
    if parcel is None:
        return {"estimated_delivery_date": nothing}
    begun, over = parcel.first("picked_up"), parcel.first("delivered", "returned", "delivered_back")
    last = parcel.scans[-1].at if parcel.scans else None
    end = over.at if over else now
    day = parcel.row["estimated_date"]
    return {
        "days_after_order": (end - parcel.row["ordered_at"]).days,
        "days_of_transit": (end - begun.at).days if begun else None,
        "days_of_transit_done": (end - begun.at).days if begun and over else None,
        "days_after_last_update": (now - last).days if last else None,
        "estimated_delivery_date": nothing
        if day is None
        else {
            "source": "Official",
            "from": f"{day - timedelta(days=2):%Y-%m-%d}T00:00:00",
            "to": f"{day:%Y-%m-%d}T23:59:59",
        },
    }
