"""The fields kept of each stream: the allow-list, and the columns of the raw tables.

Belongs here: record Structs only. Does not belong here: how answers become records. Names are the
vendors'; `carrierName`, `carrierAsked` and `leg` are what the connector knows besides. Of addresses
there is the country; of time metrics, which change every day without any news, the estimate.
"""

from __future__ import annotations

from sources._core.records import Record


class Registration(Record):
    """A number that the service was asked to follow, and what it answered.

    `origin` of 17TRACK: 1 it found or corrected the carrier, 2 it confirmed it, 3 it guesses.
    """

    number: str
    carrierAsked: str
    outcome: str
    askedOn: str
    carrier: str | None = None
    origin: int | None = None
    orderRef: str | None = None
    sentOn: str | None = None


class Place(Record):
    country: str | None = None


class ShippingInfo(Record):
    shipper_address: Place | None = None
    recipient_address: Place | None = None


class LatestStatus(Record):
    status: str | None = None
    sub_status: str | None = None


class EstimatedDelivery(Record):
    source: str | None = None
    to: str | None = None


class TimeMetrics(Record):
    estimated_delivery_date: EstimatedDelivery | None = None


class MiscInfo(Record):
    service_type: str | None = None
    local_number: str | None = None
    local_provider: str | None = None


class RawTime(Record):
    date: str | None = None
    time: str | None = None
    timezone: str | None = None


class Event(Record):
    time_iso: str | None = None
    time_utc: str | None = None
    time_raw: RawTime | None = None
    description: str | None = None
    location: str | None = None
    stage: str | None = None
    sub_status: str | None = None
    address: Place | None = None


class ProviderName(Record):
    key: int | None = None
    name: str | None = None
    country: str | None = None


class Provider(Record):
    provider: ProviderName | None = None
    leg: str | None = None
    events_hash: int | None = None
    events: list[Event] | None = None


class Tracked(Record):
    providers: list[Provider] | None = None


class TrackInfo(Record):
    shipping_info: ShippingInfo | None = None
    latest_status: LatestStatus | None = None
    time_metrics: TimeMetrics | None = None
    misc_info: MiscInfo | None = None
    tracking: Tracked | None = None


class SeventeentrackParcel(Record):
    """What 17TRACK knows of one number and carrier."""

    number: str
    carrier: int
    carrierName: str | None = None
    tag: str | None = None
    track_info: TrackInfo | None = None


class PromisedDelivery(Record):
    promised_delivery_date: str | None = None
    promised_delivery_date_max: str | None = None


class EstimatedTime(Record):
    type: str | None = None
    source: str | None = None
    datetime: str | None = None
    datetime_max: str | None = None


class Mile(Record):
    tracking_number: str | None = None
    slug: str | None = None


class Checkpoint(Record):
    created_at: str | None = None
    slug: str | None = None
    checkpoint_time: str | None = None
    city: str | None = None
    country_region: str | None = None
    message: str | None = None
    tag: str | None = None
    subtag: str | None = None
    hash: str | None = None


class AftershipTracking(Record):
    """What AfterShip knows of one tracking."""

    id: str
    updated_at: str
    created_at: str | None = None
    tracking_number: str | None = None
    slug: str | None = None
    carrierName: str | None = None
    active: bool | None = None
    tag: str | None = None
    subtag: str | None = None
    order_id: str | None = None
    order_number: str | None = None
    origin_country_region: str | None = None
    destination_country_region: str | None = None
    order_promised_delivery_date: PromisedDelivery | None = None
    first_estimated_delivery: EstimatedTime | None = None
    shipment_direction: str | None = None
    shipping_method: str | None = None
    return_to_sender: bool | None = None
    first_mile: Mile | None = None
    last_mile: Mile | None = None
    checkpoints: list[Checkpoint] | None = None
