"""Reports of returns that buyers ask of a seller who sends himself: flat file and XML.

Belongs here: which requests a report shows, in which state, and their cells. An item stands in as
many blocks as its request says; the flags mix `Y` and `true`, as they do in production.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

import polars as pl

from .snapshot import API_TEXT, Snapshot, local_text, money

_DAY = "%d-%b-%Y"
_ITEM = (
    "item_name", "asin", "return_reason_code", "merchant_sku", "in_policy", "return_quantity",
    "resolution", "category", "refund_amount",
)  # fmt: skip
_DETAIL = (
    "order_id", "order_date", "amazon_rma_id", "return_request_date", "return_request_status",
    "a_to_z_claim", "is_prime",
)  # fmt: skip
_LABEL = ("tracking_id", "return_carrier", "currency_code", "label_cost", "label_type")
_END = ("label_to_be_paid_by", "return_type", "order_amount", "order_quantity")


def _shown(snapshot: Snapshot) -> pl.DataFrame:
    """Requests made so far in their state of now, one row per item block."""
    now = pl.lit(snapshot.now)
    is_refunded = (pl.col("refunded_at") <= now).fill_null(value=False)
    is_closed = (pl.col("closed_at") <= now).fill_null(value=False)
    columns = ("decimals", "time_zone", "marketplace_id")
    return (
        snapshot.world.return_requests.filter(
            pl.col("account") == snapshot.account, pl.col("requested_at") <= now
        )
        .join(snapshot.orders.select("order_id", "ordered_at", "marketplace"), on="order_id")
        .join(snapshot.places.select("marketplace", *columns), on="marketplace")
        .join(snapshot.products, on="sku", how="left")
        .with_columns(
            pl.when(is_closed & pl.col("is_declined")).then(pl.lit("Declined"))
            .when(is_closed).then(pl.lit("Cancelled"))
            .when(is_refunded).then(pl.lit("Completed"))
            .when(pl.col("approved_at") <= now).then(pl.lit("Approved"))
            .otherwise(pl.lit("Pending")).alias("status"),
            pl.when(pl.col("received_at") <= now).then("received_at").alias("received_at"),
            pl.when(is_refunded & pl.col("shows_refund"))
            .then("refund_minor").alias("refund_minor"),
            (pl.col("approved_at") <= now).alias("is_approved"),
        )
        .sort("requested_at", "return_no")
        .select(pl.all().repeat_by("blocks").explode())
    )  # fmt: skip


def _flag(column: str, yes: str, no: str) -> pl.Expr:
    return pl.when(column).then(pl.lit(yes)).otherwise(pl.lit(no))


def _once_approved(cell: pl.Expr) -> pl.Expr:
    return pl.when("is_approved").then(cell)


def mfn_returns(snapshot: Snapshot) -> pl.DataFrame:
    """The flat file: dates are days at the marketplace, blank is nothing known."""
    zones = snapshot.places["time_zone"].unique().sort().to_list()

    def day(column: str, name: str) -> pl.Expr:
        return local_text(column, zones, _DAY).alias(name)

    def blank(name: str) -> pl.Expr:
        return pl.lit(None, pl.String).alias(name)

    return _shown(snapshot).select(
        pl.col("requested_at").alias("_at"),
        pl.col("marketplace_id").alias("_place"),
        pl.col("order_id").alias("Order ID"),
        day("ordered_at", "Order date"),
        day("requested_at", "Return request date"),
        pl.col("status").alias("Return request status"),
        pl.col("return_no").alias("Amazon RMA ID"),
        pl.col("merchant_rma_id").alias("Merchant RMA ID"),
        pl.col("label_type").alias("Label type"),
        _once_approved(money("label_cost_minor")).alias("Label cost"),
        pl.col("currency").alias("Currency code"),
        _once_approved(pl.lit("DHL")).alias("Return carrier"),
        _once_approved(pl.col("tracking_number")).alias("Tracking ID"),
        pl.col("label_payer").alias("Label to be paid by"),
        _flag("has_claim", "Y", "N").alias("A-to-Z Claim"),
        _flag("is_prime", "Y", "N").alias("Is prime"),
        pl.col("asin").alias("ASIN"),
        pl.col("listing_sku").alias("Merchant SKU"),
        pl.col("sku_name").alias("Item Name"),
        pl.col("quantity").cast(pl.String).alias("Return quantity"),
        pl.col("reason_code").alias("Return Reason"),
        _flag("is_in_policy", "Y", "N").alias("In policy"),
        pl.lit("C-Returns").alias("Return type"),
        pl.col("resolution").alias("Resolution"),
        blank("Invoice number"),
        day("received_at", "Return delivery date"),
        money("order_amount_minor").alias("Order Amount"),
        pl.col("order_quantity").cast(pl.String).alias("Order quantity"),
        blank("SafeT Action reason"),
        blank("SafeT claim id"),
        blank("SafeT claim state"),
        blank("SafeT claim creation time"),
        blank("SafeT claim reimbursement amount"),
        money("refund_minor").alias("Refunded Amount"),
    )


def mfn_returns_xml(snapshot: Snapshot) -> pl.DataFrame:
    """The same requests as members of the XML; times are exact there."""
    return _shown(snapshot).select(
        pl.col("requested_at").alias("_at"),
        pl.col("marketplace_id").alias("_place"),
        pl.col("sku_name").alias("item_name"),
        "asin",
        pl.col("reason_code").alias("return_reason_code"),
        pl.col("listing_sku").alias("merchant_sku"),
        _flag("is_in_policy", "Y", "N").alias("in_policy"),
        pl.col("quantity").cast(pl.String).alias("return_quantity"),
        "resolution",
        pl.lit("baby_product").alias("category"),
        money("refund_minor").alias("refund_amount"),
        "order_id",
        pl.col("ordered_at").dt.strftime(API_TEXT).alias("order_date"),
        pl.col("return_no").alias("amazon_rma_id"),
        pl.col("requested_at").dt.strftime(API_TEXT).alias("return_request_date"),
        pl.col("status").alias("return_request_status"),
        _flag("has_claim", "Y", "N").alias("a_to_z_claim"),
        _flag("is_prime", "true", "false").alias("is_prime"),
        _once_approved(pl.col("tracking_number")).alias("tracking_id"),
        _once_approved(pl.lit("DHL")).alias("return_carrier"),
        pl.col("currency").alias("currency_code"),
        _once_approved(money("label_cost_minor")).alias("label_cost"),
        "label_type",
        pl.col("label_payer").alias("label_to_be_paid_by"),
        pl.lit("C-Returns").alias("return_type"),
        money("order_amount_minor").alias("order_amount"),
        pl.col("order_quantity").cast(pl.String).alias("order_quantity"),
    )


def envelope(rows: pl.DataFrame) -> str:
    """The document: one `return_details` per request, with its item blocks."""
    details = "".join(
        _details(group.to_dicts())
        for _, group in rows.group_by("amazon_rma_id", maintain_order=True)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<AmazonEnvelope><Message>'
        f"{details}</Message></AmazonEnvelope>\n"
    )


def _details(blocks: Sequence[Mapping[str, Any]]) -> str:
    first = blocks[0]
    items = "".join(f"<item_details>{_members(block, _ITEM)}</item_details>" for block in blocks)
    label = f"<label_details>{_members(first, _LABEL)}</label_details>"
    return (
        f"<return_details>{items}{_members(first, _DETAIL)}{label}{_members(first, _END)}"
        "</return_details>"
    )


def _members(row: Mapping[str, Any], names: Iterable[str]) -> str:
    return "".join(
        f"<{name}>{escape(row[name])}</{name}>" for name in names if row.get(name) is not None
    )
