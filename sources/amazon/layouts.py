"""How the columns of each flat-file report map to our fields, and what each cell holds.

Belongs here: declarations, and the matching of a header line to them. Does not belong here:
reading lines (`tables.py`) and rows (`rows.py`).
Columns are found by name, never by position; letter case, hyphens, underscores, spaces and
British spelling do not matter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from . import records, stock_records

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
_PROSE = (
    "product_name",
    "item_name",
    "title",
    "customer_comments",
    "comments",
    "your_response",
    "promotion_ids",
)


@dataclass(frozen=True)
class Layout:
    """One report type.

    - `required`: fields without whose column the report is of no use; the stream stops.
    - `aliases`: squeezed column names used instead of a field's own.
    - `dropped`: columns that Amazon documents and we leave out on purpose, personal data first.
    - `times`, `dates`, `numbers`, `identifiers`: what the cells hold; everything else is plain
      text. `dates` are written with numbers only, in `date_order` (`dmy`, `mdy`, `ymd`) or, without
      one, in that of the marketplace.
    - `prose`: what people wrote, with whatever characters.
    - `rare`: optional columns whose absence is usual and not worth a note.
    - `channel`: field whose host name tells the marketplace of a row.
    - `counted`: rows equal in these fields are numbered in `occurrence`.
    - `positions`: fields by position, for a report whose header is in the seller's language; such a
      report must have exactly these columns. None is a column left out on purpose.
    """

    report_type: str
    record: type[msgspec.Struct]
    required: tuple[str, ...]
    times: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    date_order: str | None = None
    numbers: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()
    prose: tuple[str, ...] = _PROSE
    rare: tuple[str, ...] = ()
    channel: str | None = None
    counted: tuple[str, ...] = ()
    positions: tuple[str | None, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """Fields that come from columns."""
        return tuple(name for name in self.record.__struct_fields__ if name not in _COMPUTED)


_COMPUTED = frozenset({"occurrence", "row_no", "report_form", "marketplace"})

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
MFN_RETURNS = Layout(
    report_type="GET_FLAT_FILE_RETURNS_DATA_BY_RETURN_DATE",
    record=records.MfnReturn,
    required=("order_id", "return_request_date", "merchant_sku", "return_quantity"),
    times=(
        "order_date",
        "return_request_date",
        "return_delivery_date",
        "safet_claim_creation_time",
    ),
    numbers=(
        "label_cost",
        "return_quantity",
        "order_amount",
        "order_quantity",
        "safet_claim_reimbursement_amount",
        "refunded_amount",
    ),
    identifiers=(
        "order_id",
        "amazon_rma_id",
        "merchant_rma_id",
        "tracking_id",
        "asin",
        "merchant_sku",
        "invoice_number",
        "safet_claim_id",
    ),
    rare=("category",),
    counted=("order_id", "amazon_rma_id", "merchant_rma_id", "merchant_sku"),
)
MFN_RETURNS_XML = replace(
    MFN_RETURNS,
    report_type="GET_XML_RETURNS_DATA_BY_RETURN_DATE",
    aliases={"returnreasoncode": "return_reason", "refundamount": "refunded_amount"},
)
FBA_REPLACEMENTS = Layout(
    report_type="GET_FBA_FULFILLMENT_CUSTOMER_SHIPMENT_REPLACEMENT_DATA",
    record=records.FbaReplacement,
    required=("shipment_date", "sku", "replacement_amazon_order_id", "original_amazon_order_id"),
    times=("shipment_date",),
    numbers=("quantity",),
    identifiers=("sku", "asin", "replacement_amazon_order_id", "original_amazon_order_id"),
    counted=("replacement_amazon_order_id", "sku", "shipment_date"),
)
FBA_REIMBURSEMENTS = Layout(
    report_type="GET_FBA_REIMBURSEMENTS_DATA",
    record=records.FbaReimbursement,
    required=("approval_date", "reimbursement_id", "reason", "sku", "amount_total"),
    times=("approval_date",),
    numbers=(
        "amount_per_unit",
        "amount_total",
        "quantity_reimbursed_cash",
        "quantity_reimbursed_inventory",
        "quantity_reimbursed_total",
    ),
    identifiers=(
        "reimbursement_id",
        "case_id",
        "amazon_order_id",
        "sku",
        "fnsku",
        "asin",
        "original_reimbursement_id",
    ),
    counted=("reimbursement_id", "sku"),
)
REMOVAL_ORDERS = Layout(
    report_type="GET_FBA_FULFILLMENT_REMOVAL_ORDER_DETAIL_DATA",
    record=stock_records.RemovalOrder,
    required=("request_date", "order_id", "sku"),
    times=("request_date", "last_updated_date"),
    numbers=(
        "requested_quantity",
        "cancelled_quantity",
        "disposed_quantity",
        "shipped_quantity",
        "in_process_quantity",
        "removal_fee",
    ),
    identifiers=("order_id", "sku", "fnsku"),
    counted=("order_id", "sku", "disposition"),
)
REMOVAL_SHIPMENTS = Layout(
    report_type="GET_FBA_FULFILLMENT_REMOVAL_SHIPMENT_DETAIL_DATA",
    record=stock_records.RemovalShipment,
    required=("shipment_date", "order_id", "sku", "shipped_quantity"),
    times=("request_date", "shipment_date"),
    numbers=("shipped_quantity",),
    identifiers=("order_id", "sku", "fnsku", "tracking_number"),
    counted=("order_id", "sku", "disposition", "shipment_date", "tracking_number"),
)
INVENTORY_LEDGER = Layout(
    report_type="GET_LEDGER_DETAIL_VIEW_DATA",
    record=stock_records.LedgerEvent,
    required=("date", "msku", "event_type", "quantity"),
    times=("date_and_time",),
    dates=("date",),
    date_order="mdy",
    numbers=("quantity", "reconciled_quantity", "unreconciled_quantity"),
    identifiers=("fnsku", "asin", "msku", "reference_id"),
    rare=("date_and_time", "store"),
    counted=(
        "date",
        "fnsku",
        "msku",
        "event_type",
        "reference_id",
        "fulfillment_center",
        "disposition",
        "reason",
        "country",
    ),
)
SELLER_FEEDBACK = Layout(
    report_type="GET_SELLER_FEEDBACK_DATA",
    record=stock_records.SellerFeedback,
    required=(),
    dates=("date",),
    numbers=("rating",),
    identifiers=("order_id",),
    positions=("date", "rating", "comments", "your_response", "order_id", None),
    counted=("order_id",),
)
LAYOUTS = (
    ALL_ORDERS,
    FBA_RETURNS,
    FULFILLED_SHIPMENTS,
    SETTLEMENT,
    MFN_RETURNS,
    MFN_RETURNS_XML,
    FBA_REPLACEMENTS,
    FBA_REIMBURSEMENTS,
    REMOVAL_ORDERS,
    REMOVAL_SHIPMENTS,
    INVENTORY_LEDGER,
    SELLER_FEEDBACK,
)


@dataclass(frozen=True)
class Columns:
    """A header line matched to a layout. `position` says where each field stands."""

    width: int
    position: Mapping[str, int]
    unknown: Sequence[str]
    missing: Sequence[str]


def match_columns(header: Sequence[str], layout: Layout) -> Columns:
    """Find the fields of a layout in a header; the first of two equal names counts.

    A header without any position means that the columns are not those of the report.
    """
    if layout.positions:
        is_exact = len(header) == len(layout.positions)
        places = {name: at for at, name in enumerate(layout.positions) if name and is_exact}
        return Columns(len(header), places, (), ())
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
