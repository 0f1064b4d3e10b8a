"""The raw tables: how a record is recognised, how far back a night looks, what is left out.

Belongs here: declarations. Does not belong here: fetching (`seventeentrack.py`, `aftership.py`) and
the lists that ship with the connector (`lists.py`).

An event that a carrier takes back stays in the history of its parcel's raw table.
"""

from __future__ import annotations

from datetime import timedelta

from sources._core.connector import Stream

from . import aftership, lists, seventeentrack
from .records import AftershipTracking, Registration, SeventeentrackParcel

_REGISTRATION_KEY = ("number", "carrierAsked")
_INFO = "track_info"
_PROVIDERS = "track_info.tracking.providers"

SEVENTEENTRACK_REGISTRATIONS = Stream(
    name="seventeentrack_registrations",
    record=Registration,
    key=_REGISTRATION_KEY,
    read=seventeentrack.read_registrations,
    event_field="askedOn",
)
SEVENTEENTRACK_PARCELS = Stream(
    name="seventeentrack_parcels",
    record=SeventeentrackParcel,
    key=("number", "carrier"),
    read=seventeentrack.read_parcels,
    lookback=timedelta(days=1),
    free_text=(f"{_PROVIDERS}.events.description", f"{_PROVIDERS}.events.location"),
    known_dropped=(
        "param",
        f"{_INFO}.latest_event",
        f"{_INFO}.latest_status.sub_status_descr",
        f"{_INFO}.milestone",
        f"{_INFO}.misc_info",
        f"{_INFO}.shipping_info.shipper_address",
        f"{_INFO}.shipping_info.recipient_address",
        f"{_INFO}.time_metrics",
        f"{_INFO}.tracking.providers_hash",
        f"{_PROVIDERS}.provider",
        f"{_PROVIDERS}.service_type",
        f"{_PROVIDERS}.provider_tips",
        f"{_PROVIDERS}.provider_lang",
        f"{_PROVIDERS}.latest_sync_status",
        f"{_PROVIDERS}.latest_sync_time",
        f"{_PROVIDERS}.events.description_translation",
        f"{_PROVIDERS}.events.address",
    ),
)
AFTERSHIP_REGISTRATIONS = Stream(
    name="aftership_registrations",
    record=Registration,
    key=_REGISTRATION_KEY,
    read=aftership.read_registrations,
    event_field="askedOn",
)
AFTERSHIP_TRACKINGS = Stream(
    name="aftership_trackings",
    record=AftershipTracking,
    key=("id",),
    version="updated_at",
    read=aftership.read_trackings,
    lookback=timedelta(hours=1),
    free_text=("checkpoints.message",),
    event_field="created_at",
    known_dropped=(
        "aftership_estimated_delivery_date",
        "aftership_tracking_order_url",
        "aftership_tracking_url",
        "carbon_emissions",
        "checkpoints",
        "courier_connection_id",
        "courier_destination_country_region",
        "courier_estimated_delivery_date",
        "courier_redirect_link",
        "courier_tracking_link",
        "custom_estimated_delivery_date",
        "custom_fields",
        "customers",
        "delivery_location_type",
        "delivery_type",
        "destination_city",
        "destination_postal_code",
        "destination_raw_location",
        "destination_state",
        "failed_delivery_attempts",
        "first_attempted_at",
        "first_estimated_delivery",
        "first_mile",
        "forward_shipment",
        "language",
        "last_mile",
        "latest_estimated_delivery",
        "legacy_id",
        "location_id",
        "multi_piece_info",
        "note",
        "on_time_difference",
        "on_time_status",
        "order_date",
        "order_id_path",
        "order_promised_delivery_date",
        "order_tags",
        "origin_city",
        "origin_postal_code",
        "origin_raw_location",
        "origin_state",
        "pickup_location",
        "pickup_note",
        "proof_of_delivery",
        "return_shipment",
        "shipment_delivery_date",
        "shipment_dimensions",
        "shipment_package_count",
        "shipment_pickup_date",
        "shipment_tags",
        "shipment_type",
        "shipment_weight",
        "signature_requirement",
        "signed_by",
        "source",
        "subscribed_emails",
        "subscribed_smses",
        "subtag_message",
        "title",
        "tracked_count",
        "tracking_account_number",
        "tracking_key",
        "tracking_ship_date",
        "transit_time",
        "unique_token",
    ),
)

STREAMS = (
    SEVENTEENTRACK_REGISTRATIONS,
    SEVENTEENTRACK_PARCELS,
    AFTERSHIP_REGISTRATIONS,
    AFTERSHIP_TRACKINGS,
    *lists.STREAMS,
)
