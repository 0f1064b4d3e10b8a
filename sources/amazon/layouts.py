"""How the columns of each flat-file report map to our fields, and what each cell holds.

Belongs here: declarations, and the matching of a header line to them. Does not belong here:
reading lines (`tables.py`) and rows (`rows.py`).
Columns are found by name, never by position; letter case, hyphens, underscores, spaces and
British spelling do not matter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from . import records

_DROPPED_ADDRESS = tuple(
    f"{side}_{part}"
    for side in ("ship", "bill")
    for part in ("address_1", "address_2", "address_3", "postal_code", "phone_number")
)
_DROPPED_PEOPLE = (
    "buyer_email",
    "buyer_name",
    "buyer_phone_number",
    "recipient_name",
    "bill_city",
    "bill_state",
    "bill_country",
)
_PRICES = (
    "item_price",
    "item_tax",
    "shipping_price",
    "shipping_tax",
    "gift_wrap_price",
    "gift_wrap_tax",
    "item_promotion_discount",
    "ship_promotion_discount",
)


@dataclass(frozen=True)
class Layout:
    """One report type.

    - `required`: fields without whose column the report is of no use; the stream stops.
    - `aliases`: squeezed column names used instead of a field's own.
    - `dropped`: columns that Amazon documents and we leave out on purpose, personal data first.
    - `times`, `numbers`, `identifiers`: what the cells hold; everything else is plain text.
    - `prose`: what people wrote, with whatever characters.
    - `rare`: optional columns whose absence is usual and not worth a note.
    - `channel`: field whose host name tells the marketplace of a row.
    - `counted`: rows equal in these fields are numbered in `occurrence`.
    """

    report_type: str
    record: type[msgspec.Struct]
    required: tuple[str, ...]
    times: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()
    prose: tuple[str, ...] = ("product_name", "customer_comments", "promotion_ids")
    rare: tuple[str, ...] = ()
    channel: str | None = None
    counted: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """Fields that come from columns."""
        return tuple(name for name in self.record.__struct_fields__ if name not in _COMPUTED)


_COMPUTED = frozenset({"occurrence", "row_no"})

ALL_ORDERS = Layout(
    report_type="GET_FLAT_FILE_ALL_ORDERS_DATA_BY_LAST_UPDATE_GENERAL",
    record=records.AllOrdersRow,
    required=("amazon_order_id", "last_updated_date", "sku"),
    times=("purchase_date", "last_updated_date"),
    numbers=("quantity", *_PRICES),
    identifiers=("amazon_order_id", "merchant_order_id", "sku", "asin"),
    dropped=("cpf", *_DROPPED_PEOPLE, *_DROPPED_ADDRESS),
    rare=("is_business_order", "purchase_order_number", "price_designation"),
    channel="sales_channel",
    counted=("amazon_order_id", "sku"),
)
FBA_RETURNS = Layout(
    report_type="GET_FBA_FULFILLMENT_CUSTOMER_RETURNS_DATA",
    record=records.FbaReturn,
    required=("return_date", "order_id", "sku"),
    times=("return_date",),
    numbers=("quantity",),
    identifiers=("order_id", "sku", "asin", "fnsku", "license_plate_number"),
    aliases={"amazonorderid": "order_id"},
    counted=(
        "license_plate_number",
        "order_id",
        "sku",
        "return_date",
        "detailed_disposition",
        "reason",
    ),
)
FULFILLED_SHIPMENTS = Layout(
    report_type="GET_AMAZON_FULFILLED_SHIPMENTS_DATA_GENERAL",
    record=records.FulfilledShipment,
    required=("amazon_order_id", "shipment_item_id", "sku", "quantity_shipped"),
    times=(
        "purchase_date",
        "payments_date",
        "shipment_date",
        "reporting_date",
        "estimated_arrival_date",
    ),
    numbers=("quantity_shipped", *_PRICES),
    identifiers=(
        "amazon_order_id",
        "merchant_order_id",
        "shipment_id",
        "shipment_item_id",
        "amazon_order_item_id",
        "merchant_order_item_id",
        "sku",
        "tracking_number",
    ),
    dropped=(*_DROPPED_PEOPLE, *_DROPPED_ADDRESS),
    channel="sales_channel",
)
SETTLEMENT = Layout(
    report_type="GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2",
    record=records.SettlementRow,
    required=("settlement_id", "transaction_type", "amount_type", "amount_description", "amount"),
    times=(
        "settlement_start_date",
        "settlement_end_date",
        "deposit_date",
        "posted_date",
        "posted_date_time",
    ),
    numbers=("total_amount", "amount", "quantity_purchased"),
    identifiers=(
        "settlement_id",
        "order_id",
        "merchant_order_id",
        "adjustment_id",
        "shipment_id",
        "order_item_code",
        "merchant_order_item_id",
        "merchant_adjustment_item_id",
        "sku",
    ),
    rare=("promotion_id",),
    channel="marketplace_name",
)
LAYOUTS = (ALL_ORDERS, FBA_RETURNS, FULFILLED_SHIPMENTS, SETTLEMENT)


@dataclass(frozen=True)
class Columns:
    """A header line matched to a layout. `position` says where each field stands."""

    width: int
    position: Mapping[str, int]
    unknown: Sequence[str]
    missing: Sequence[str]


def match_columns(header: Sequence[str], layout: Layout) -> Columns:
    """Find the fields of a layout in a header; the first of two equal names counts."""
    names = {squeeze(name): name for name in layout.fields}
    names.update(layout.aliases)
    dropped = {squeeze(name) for name in layout.dropped}
    position: dict[str, int] = {}
    unknown: list[str] = []
    for number, cell in enumerate(header):
        squeezed = squeeze(cell)
        found = names.get(squeezed)
        if found is not None:
            position.setdefault(found, number)
        elif squeezed and squeezed not in dropped:
            unknown.append(cell.strip().strip('"'))
    missing = [name for name in layout.fields if name not in position and name not in layout.rare]
    return Columns(len(header), position, tuple(unknown), tuple(missing))


def squeeze(name: str) -> str:
    """`Fulfilment Centre-ID` as `fulfillmentcenterid`."""
    letters = re.sub(r"[\W_]+", "", name.lower())
    return letters.replace("fulfilment", "fulfillment").replace("centre", "center")
