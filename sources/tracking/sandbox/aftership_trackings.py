"""Trackings as AfterShip shows them.

Belongs here: a tracking and its checkpoints. Does not belong here: calls (`aftership.py`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sources._sandbox.api_faults import share_of

from .answers import Object
from .snapshot import Scan, Tracked

_ALPHA3 = {
    "AE": "ARE", "AT": "AUT", "AU": "AUS", "BE": "BEL", "BR": "BRA", "CA": "CAN", "CL": "CHL",
    "CN": "CHN", "CO": "COL", "DE": "DEU", "EG": "EGY", "ES": "ESP", "FR": "FRA", "GB": "GBR",
    "ID": "IDN", "IE": "IRL", "IN": "IND", "IT": "ITA", "JP": "JPN", "KR": "KOR", "MX": "MEX",
    "MY": "MYS", "NL": "NLD", "PH": "PHL", "PL": "POL", "SA": "SAU", "SE": "SWE", "SG": "SGP",
    "TH": "THA", "TR": "TUR", "US": "USA", "VN": "VNM", "ZA": "ZAF",
}  # fmt: skip


@dataclass(frozen=True)
class Created:
    """A tracking that somebody asked for here and no carrier knows."""

    number: str
    slug: str | None
    order_id: str | None
    at: datetime


def tracking_id(number: str, slug: str | None) -> str:
    return hashlib.md5(f"{number}|{slug}".encode(), usedforsecurity=False).hexdigest()


def _utc(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}+00:00"


def _alpha3(country: str | None) -> str | None:
    return None if country is None else _ALPHA3.get(country, country)


def _blank(number: str, slug: str | None, at: datetime) -> Object:
    """A tracking of which nothing is known."""
    return {
        "id": tracking_id(number, slug),
        "legacy_id": tracking_id(number, slug)[:24],
        "created_at": _utc(at),
        "updated_at": _utc(at),
        "tracking_number": number,
        "slug": slug,
        "active": True,
        "custom_fields": None,
        "transit_time": None,
        "origin_country_region": None,
        "destination_country_region": None,
        "order_id": None,
        "order_number": None,
        "shipment_pickup_date": None,
        "shipment_delivery_date": None,
        "signed_by": None,
        "destination_city": None,
        "destination_postal_code": None,
        "source": "api",
        "tag": "Pending",
        "subtag": "Pending_001",
        "subtag_message": "Pending",
        "title": number,
        "tracked_count": 0,
        "checkpoints": None,
        "return_to_sender": False,
        "order_promised_delivery_date": None,
        "first_attempted_at": None,
        "failed_delivery_attempts": 0,
        "first_estimated_delivery": None,
        "latest_estimated_delivery": None,
        "courier_estimated_delivery_date": None,
        "shipping_method": None,
        "first_mile": None,
        "last_mile": None,
        "on_time_status": None,
        "on_time_difference": None,
        "customers": [],
        "shipment_direction": "forward",
        "return_shipment": None,
        "forward_shipment": None,
    }


def pending(created: Created) -> Object:
    return _blank(created.number, created.slug, created.at) | {"order_id": created.order_id}


def tracking(parcel: Tracked) -> Object:
    row, carrier, local = parcel.row, parcel.carrier, parcel.local_carrier
    scans, status = parcel.scans, parcel.status
    begun, over = parcel.first("picked_up"), parcel.first("delivered")
    attempts = [s for s in scans if s.row["step"] in ("absent", "bad_address", "door_refused")]
    tried = parcel.first("absent", "bad_address", "door_refused", "delivered")
    transit = (over.local.date() - begun.local.date()).days if begun and over else None
    return _blank(parcel.number, carrier.slug, row["known_at"]) | {
        "updated_at": _utc(parcel.changed_at),
        "active": not parcel.is_stopped,
        "transit_time": transit,
        "origin_country_region": _alpha3(row["origin"]),
        "destination_country_region": _alpha3(row["destination"]),
        "order_id": row["order_id"],
        "order_number": row["order_number"],
        "order_date": _utc(row["ordered_at"]),
        "shipment_pickup_date": _local(begun),
        "shipment_delivery_date": _local(over),
        "source": "app",
        "tag": status.partition("_")[0],
        "subtag": status,
        "subtag_message": scans[-1].text if scans else "Pending",
        "tracked_count": int((parcel.looked_at - row["known_at"]) / timedelta(hours=6)) + 1,
        "checkpoints": list(_checkpoints(parcel)) or None,
        "return_to_sender": parcel.first("returning", "returned", "delivered_back") is not None,
        "order_promised_delivery_date": _promise(parcel),
        "first_attempted_at": _local(tried),
        "failed_delivery_attempts": len({scan.at for scan in attempts}),
        "first_estimated_delivery": _estimate(parcel, days=0),
        "latest_estimated_delivery": _drifted(parcel),
        "shipping_method": row["service"],
        "shipment_direction": "return" if row["direction"] == "return" else "forward",
        "signed_by": parcel.buyer.get("name") if over else None,
        "destination_city": parcel.buyer.get("city"),
        "destination_postal_code": parcel.buyer.get("postcode"),
        "customers": [_customer(parcel)] if parcel.buyer else [],
        "first_mile": {"tracking_number": parcel.number, "slug": carrier.slug} if local else None,
        "last_mile": {"tracking_number": f"LM{parcel.number[-9:]}", "slug": local.slug,
                      "source": "system"} if local else None,
    }  # fmt: skip


def _customer(parcel: Tracked) -> Object:
    buyer = parcel.buyer
    return {
        "role": "receiver",
        "name": buyer["name"],
        "phone_number": buyer["phone"],
        "email": buyer["email"],
        "language": None,
    }


def _local(scan: Scan | None) -> str | None:
    return None if scan is None else f"{scan.local:%Y-%m-%dT%H:%M:%S}"


def _promise(parcel: Tracked) -> Object | None:
    """What the shop has promised: a day, or a stretch of days."""
    at = parcel.row["promised_at"]
    if at is None:
        return None
    day = parcel.day_there(at)
    if share_of("stretch", parcel.number) < 0.5:
        return {"promised_delivery_date": f"{day:%Y-%m-%d}", "promised_delivery_date_min": None,
                "promised_delivery_date_max": None}  # fmt: skip
    return {
        "promised_delivery_date": None,
        "promised_delivery_date_min": f"{day - timedelta(days=3):%Y-%m-%d}",
        "promised_delivery_date_max": f"{day:%Y-%m-%d}",
    }


def _estimate(parcel: Tracked, days: int) -> Object | None:
    """The carrier's own; a day, or a stretch that ends with it."""
    if parcel.row["estimated_date"] is None:
        return None
    day = parcel.row["estimated_date"] + timedelta(days=days)
    is_stretch = share_of("estimate", parcel.number) < 0.5
    return {
        "type": "range" if is_stretch else "specific",
        "source": "Carrier EDD",
        "datetime": None if is_stretch else f"{day:%Y-%m-%d}T00:00:00",
        "datetime_min": f"{day - timedelta(days=2):%Y-%m-%d}T00:00:00" if is_stretch else None,
        "datetime_max": f"{day:%Y-%m-%d}T00:00:00" if is_stretch else None,
    }


def _drifted(parcel: Tracked) -> Object | None:
    """The latest estimate follows the delay."""
    is_late = parcel.first("held", "delayed", "absent") is not None
    estimate = _estimate(parcel, days=4 if is_late else 0)
    return None if estimate is None else estimate | {"revise_reason": None}


def _checkpoints(parcel: Tracked) -> Iterable[Object]:
    """The oldest first; each of two carriers tells its own."""
    for scan in parcel.scans:
        is_last = scan.row["leg"] == "last" and parcel.local_carrier
        slug = (
            parcel.local_carrier.slug if is_last and parcel.local_carrier else parcel.carrier.slug
        )
        time = _checkpoint_time(scan)
        yield {
            "created_at": _utc(parcel.look_after(scan.at)),
            "slug": slug,
            "checkpoint_time": time,
            "location": scan.row["country"],
            "city": None,
            "state": None,
            "postal_code": None,
            "coordinate": None,
            "country_region": _alpha3(scan.row["country"]),
            "country_region_name": None,
            "message": scan.text,
            "tag": scan.status.partition("_")[0],
            "subtag": scan.status,
            "subtag_message": scan.text,
            "raw_tag": None,
            "events": _codes(scan),
            "source": "carrier",
            "hash": tracking_id(f"{slug}{time}", scan.status),
        }


def _codes(scan: Scan) -> list[dict[str, Any]]:
    return [{"code": scan.row["step"], "reason": None}]


def _checkpoint_time(scan: Scan) -> str:
    if scan.row["precision"] == "day":
        return f"{scan.local:%Y-%m-%d}"
    text = f"{scan.local:%Y-%m-%dT%H:%M:%S}"
    return text if scan.row["precision"] == "local" else text + scan.offset
