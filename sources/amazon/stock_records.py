"""The fields kept of what Amazon says on stock and on the seller: removals, ledger, inbound plans,
feedback.

Belongs here: record Structs, as in `records.py`, which holds what hangs on orders and money.
"""

from __future__ import annotations

from sources._core.records import Record


class RemovalOrder(Record, kw_only=True):
    """One SKU and disposition of a removal order: goods sent back to the seller or destroyed."""

    request_date: str | None = None
    order_id: str | None = None
    order_type: str | None = None
    service_speed: str | None = None
    order_status: str | None = None
    last_updated_date: str | None = None
    sku: str | None = None
    fnsku: str | None = None
    disposition: str | None = None
    requested_quantity: str | None = None
    cancelled_quantity: str | None = None
    disposed_quantity: str | None = None
    shipped_quantity: str | None = None
    in_process_quantity: str | None = None
    removal_fee: str | None = None
    currency: str | None = None
    occurrence: int


class RemovalShipment(Record, kw_only=True):
    """One SKU in a parcel of a removal order."""

    request_date: str | None = None
    order_id: str | None = None
    shipment_date: str | None = None
    sku: str | None = None
    fnsku: str | None = None
    disposition: str | None = None
    shipped_quantity: str | None = None
    carrier: str | None = None
    tracking_number: str | None = None
    removal_order_type: str | None = None
    occurrence: int


class LedgerEvent(Record, kw_only=True):
    """One event of the inventory ledger, detailed view; `quantity` has a sign."""

    date: str | None = None
    date_and_time: str | None = None
    fnsku: str | None = None
    asin: str | None = None
    msku: str | None = None
    title: str | None = None
    event_type: str | None = None
    reference_id: str | None = None
    quantity: str | None = None
    fulfillment_center: str | None = None
    disposition: str | None = None
    reason: str | None = None
    country: str | None = None
    reconciled_quantity: str | None = None
    unreconciled_quantity: str | None = None
    store: str | None = None
    occurrence: int


class SellerFeedback(Record, kw_only=True):
    """Feedback of one to three stars on an order; `marketplace` is the one the report is of."""

    marketplace: str
    date: str | None = None
    rating: str | None = None
    comments: str | None = None
    your_response: str | None = None
    order_id: str | None = None
    occurrence: int


class InboundItem(Record):
    """Lot and expiry are what the seller typed, mostly for dated goods."""

    msku: str | None = None
    asin: str | None = None
    fnsku: str | None = None
    quantity: int | None = None
    expiration: str | None = None
    manufacturingLotCode: str | None = None
    labelOwner: str | None = None


class InboundPlan(Record, kw_only=True):
    """What a seller sends to FBA; `items` come from an operation of their own."""

    inboundPlanId: str
    status: str | None = None
    createdAt: str | None = None
    lastUpdatedAt: str | None = None
    marketplaceIds: list[str] | None = None
    items: list[InboundItem] | None = None
