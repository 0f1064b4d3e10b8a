"""Rows of the reports a seller asks for: orders, and what Amazon's centres sent, took and paid.

Belongs here: which rows a window holds and the text of each cell. Columns and their order are the
ones of the sheet; every cell is text, blank is null.
"""

from __future__ import annotations

import polars as pl

from .snapshot import UTC_TEXT, Snapshot, local_text, money, money_or_blank

_ORDER_WORDS = {
    "PENDING": "Pending",
    "UNSHIPPED": "Unshipped",
    "PARTIALLY_SHIPPED": "PartiallyShipped",
    "SHIPPED": "Shipped",
    "CANCELLED": "Cancelled",
}
_LEVELS = {"express": "Expedited", "expedited": "Expedited", "priority": "SecondDay"}


def all_orders(snapshot: Snapshot) -> pl.DataFrame:
    """One row per line and state of its units: what was cancelled of a line has its own row.

    Helper columns `_at` and `_place` are what windows and marketplaces select by.
    """
    lines = snapshot.lines
    kept = pl.col("quantity") - pl.col("quantity_cancelled")
    is_whole = pl.col("quantity_cancelled") == pl.col("quantity")
    parts = pl.concat(
        [
            lines.filter(~is_whole).with_columns(
                kept.alias("shown"),
                pl.when(pl.col("quantity_shipped") >= kept)
                .then(pl.lit("Shipped"))
                .when(pl.col("status") == "PENDING")
                .then(pl.lit("Pending"))
                .otherwise(pl.lit("Unshipped"))
                .alias("item_status"),
                pl.lit(1).alias("_has_shipping"),
            ),
            lines.filter(pl.col("quantity_cancelled") > 0).with_columns(
                pl.col("quantity_cancelled").alias("shown"),
                pl.lit("Cancelled").alias("item_status"),
                is_whole.cast(pl.Int32).alias("_has_shipping"),
            ),
        ]
    ).join(snapshot.buyers.select("order_id", "city", "state", "postcode"), on="order_id")
    is_priced = pl.col("status") != "PENDING"
    units, once = pl.col("shown"), pl.col("_has_shipping")

    def priced(expression: pl.Expr) -> pl.Expr:
        return pl.when(is_priced).then(expression)

    return parts.sort("updated_at", "order_id", "line_no", "item_status").select(
        pl.col("updated_at").alias("_at"),
        pl.col("marketplace_id").alias("_place"),
        pl.col("order_id").alias("amazon-order-id"),
        _blank("merchant-order-id"),
        pl.col("ordered_at").dt.strftime(UTC_TEXT).alias("purchase-date"),
        pl.col("updated_at").dt.strftime(UTC_TEXT).alias("last-updated-date"),
        pl.col("status").replace(_ORDER_WORDS).alias("order-status"),
        _channel("Amazon", "Merchant").alias("fulfillment-channel"),
        pl.col("sales_channel").alias("sales-channel"),
        _blank("order-channel"),
        _level().alias("ship-service-level"),
        pl.col("sku_name").alias("product-name"),
        pl.col("listing_sku").alias("sku"),
        pl.col("asin"),
        pl.col("item_status").alias("item-status"),
        units.cast(pl.String).alias("quantity"),
        priced(pl.col("currency")).alias("currency"),
        priced(money(pl.col("unit_shown_minor") * units)).alias("item-price"),
        priced(money(pl.col("unit_tax_minor") * units)).alias("item-tax"),
        priced(money(pl.col("shipping_shown_minor") * once)).alias("shipping-price"),
        priced(money(pl.col("shipping_tax_minor") * once)).alias("shipping-tax"),
        _blank("gift-wrap-price"),
        _blank("gift-wrap-tax"),
        priced(money_or_blank(pl.col("unit_discount_minor") * units)).alias(
            "item-promotion-discount"
        ),
        priced(money_or_blank(pl.col("shipping_discount_minor") * once)).alias(
            "ship-promotion-discount"
        ),
        pl.col("city").alias("ship-city"),
        pl.col("state").alias("ship-state"),
        pl.col("postcode").alias("ship-postal-code"),
        pl.col("country").alias("ship-country"),
        priced(pl.col("promotion_ids")).alias("promotion-ids"),
        pl.when("is_business")
        .then(pl.lit("true"))
        .otherwise(pl.lit("false"))
        .alias("is-business-order"),
        _blank("purchase-order-number"),
        _blank("price-designation"),
    )


def fba_returns(snapshot: Snapshot) -> pl.DataFrame:
    """One row per booking of returned units; the date shown may be one that is mended later."""
    return snapshot.returns.sort("shown_at", "return_no").select(
        pl.col("shown_at").alias("_at"),
        pl.col("marketplace_id").alias("_place"),
        pl.col("shown_at").dt.strftime(UTC_TEXT).alias("return-date"),
        pl.col("order_id").alias("order-id"),
        pl.col("listing_sku").alias("sku"),
        pl.col("asin"),
        pl.col("fnsku"),
        pl.col("sku_name").alias("product-name"),
        pl.col("quantity").cast(pl.String),
        pl.col("fulfilment_centre_id").alias("fulfillment-center-id"),
        pl.col("disposition").alias("detailed-disposition"),
        pl.col("reason_code").alias("reason"),
        pl.col("status"),
        pl.col("lpn").alias("license-plate-number"),
        pl.col("comment").alias("customer-comments"),
    )


def fba_reimbursements(snapshot: Snapshot) -> pl.DataFrame:
    """One row per reimbursement and SKU approved by now; money taken back is negative."""
    decimals = snapshot.places.group_by("currency", maintain_order=True).agg(
        pl.col("decimals", "marketplace_id").first()
    )
    units = pl.col("quantity_cash") + pl.col("quantity_inventory")
    per_unit = pl.col("amount_minor") // pl.when(pl.col("quantity_cash") != 0).then("quantity_cash")
    return (
        snapshot.world.reimbursements.filter(
            pl.col("account") == snapshot.account, pl.col("approved_at") <= snapshot.now
        )
        .join(decimals, on="currency")
        .join(snapshot.products, on="sku", how="left")
        .join(
            snapshot.orders.select("order_id", pl.col("marketplace_id").alias("ordered_at_place")),
            on="order_id",
            how="left",
        )
        .sort("approved_at", "reimbursement_id", "listing_sku")
        .select(
            pl.col("approved_at").alias("_at"),
            pl.coalesce("ordered_at_place", "marketplace_id").alias("_place"),
            pl.col("approved_at").dt.strftime(UTC_TEXT).alias("approval-date"),
            pl.col("reimbursement_id").alias("reimbursement-id"),
            pl.col("case_id").alias("case-id"),
            pl.col("order_id").alias("amazon-order-id"),
            pl.col("reason"),
            pl.col("listing_sku").alias("sku"),
            pl.col("fnsku"),
            pl.col("asin"),
            pl.col("sku_name").alias("product-name"),
            pl.col("condition"),
            pl.col("currency").alias("currency-unit"),
            money(per_unit.fill_null(0).abs()).alias("amount-per-unit"),
            money("amount_minor").alias("amount-total"),
            pl.col("quantity_cash").cast(pl.String).alias("quantity-reimbursed-cash"),
            pl.col("quantity_inventory").cast(pl.String).alias("quantity-reimbursed-inventory"),
            units.cast(pl.String).alias("quantity-reimbursed-total"),
            pl.col("original_reimbursement_id").alias("original-reimbursement-id"),
            pl.col("original_reimbursement_type").alias("original-reimbursement-type"),
        )
    )


def fba_replacements(snapshot: Snapshot) -> pl.DataFrame:
    """One row per parcel line that Amazon's centres sent in place of an earlier order."""
    parcels = snapshot.shipments.select(
        "order_id", "line_no", "quantity", "shipped_at", "fulfilment_centre_id"
    )
    sent = snapshot.lines.filter(
        pl.col("link_kind") == "replacement", pl.col("fulfilled_by") == "marketplace"
    ).select(
        "order_id", "line_no", "listing_sku", "asin", "marketplace_id", "replaces_order_id",
    )  # fmt: skip
    first = (
        snapshot.shipments.sort("shipped_at")
        .group_by("order_id", maintain_order=True)
        .agg(pl.col("fulfilment_centre_id").first().alias("first_centre"))
    )
    return (
        sent.join(parcels, on=["order_id", "line_no"])
        .join(first, left_on="replaces_order_id", right_on="order_id", how="left")
        .sort("shipped_at", "order_id", "line_no")
        .select(
            pl.col("shipped_at").alias("_at"),
            pl.col("marketplace_id").alias("_place"),
            pl.col("shipped_at").dt.strftime(UTC_TEXT).alias("shipment-date"),
            pl.col("listing_sku").alias("sku"),
            pl.col("asin"),
            pl.col("fulfilment_centre_id").alias("fulfillment-center-id"),
            pl.col("first_centre").alias("original-fulfillment-center-id"),
            pl.col("quantity").cast(pl.String),
            pl.lit("0").alias("replacement-reason-code"),
            pl.col("order_id").alias("replacement-amazon-order-id"),
            pl.col("replaces_order_id").alias("original-amazon-order-id"),
        )
    )


def fulfilled_shipments(snapshot: Snapshot) -> pl.DataFrame:
    """One row per line and parcel from Amazon's centres, hours after it left, with the buyer."""
    parcels = snapshot.shipments.filter(pl.col("reported_at") <= snapshot.now).select(
        "order_id",
        "line_no",
        "shipment_id",
        "shipment_item_id",
        "shipped_at",
        "reported_at",
        "estimated_arrival_date",
        "tracking_number",
        pl.col("quantity").alias("units"),
        pl.col("carrier").alias("parcel_carrier"),
        pl.col("fulfilment_centre_id").alias("centre"),
        pl.col("has_line_shipping").cast(pl.Int64).alias("once"),
    )
    lines = snapshot.lines.filter(pl.col("fulfilled_by") == "marketplace")
    rows = (
        parcels.join(lines, on=["order_id", "line_no"])
        .join(snapshot.buyers.drop("customer_no"), on="order_id")
        .with_columns(
            pl.col("estimated_arrival_date")
            .cast(pl.Datetime("us"))
            .add(pl.duration(hours=23, minutes=59, seconds=59))
            .alias("estimate")
        )
    )
    return rows.sort("shipped_at", "shipment_item_id").select(
        pl.col("shipped_at").alias("_at"),
        pl.col("marketplace_id").alias("_place"),
        *_identity_cells(snapshot),
        *_money_cells(),
        *_address_cells(),
        *_parcel_cells(snapshot),
    )


def _moment(snapshot: Snapshot, column: str) -> pl.Expr:
    """Times of this report: UTC in Europe, elsewhere the marketplace's time with its offset."""
    if "EU" in snapshot.places["region_group"].to_list():
        return pl.col(column).dt.strftime(UTC_TEXT)
    return local_text(column, _zones(snapshot), "%Y-%m-%dT%H:%M:%S%:z")


def _zones(snapshot: Snapshot) -> list[str]:
    return snapshot.places["time_zone"].unique().sort().to_list()


def _identity_cells(snapshot: Snapshot) -> list[pl.Expr]:
    return [
        pl.col("order_id").alias("amazon-order-id"),
        _blank("merchant-order-id"),
        pl.col("shipment_id").alias("shipment-id"),
        pl.col("shipment_item_id").alias("shipment-item-id"),
        pl.col("order_item_id").alias("amazon-order-item-id"),
        _blank("merchant-order-item-id"),
        _moment(snapshot, "ordered_at").alias("purchase-date"),
        _moment(snapshot, "paid_at").alias("payments-date"),
        _moment(snapshot, "shipped_at").alias("shipment-date"),
        _moment(snapshot, "reported_at").alias("reporting-date"),
        pl.col("email").alias("buyer-email"),
        pl.col("name").alias("buyer-name"),
        pl.col("phone").alias("buyer-phone-number"),
        pl.col("listing_sku").alias("sku"),
        pl.col("sku_name").alias("product-name"),
        pl.col("units").cast(pl.String).alias("quantity-shipped"),
        pl.col("currency"),
    ]


def _money_cells() -> list[pl.Expr]:
    units, once = pl.col("units"), pl.col("once")
    return [
        money(pl.col("unit_shown_minor") * units).alias("item-price"),
        money(pl.col("unit_tax_minor") * units).alias("item-tax"),
        money(pl.col("shipping_shown_minor") * once).alias("shipping-price"),
        money(pl.col("shipping_tax_minor") * once).alias("shipping-tax"),
        money(pl.lit(0, pl.Int64)).alias("gift-wrap-price"),
        money(pl.lit(0, pl.Int64)).alias("gift-wrap-tax"),
        _level().alias("ship-service-level"),
    ]


def _address_cells() -> list[pl.Expr]:
    address = {
        "address-1": pl.col("street"),
        "address-2": pl.lit(None, pl.String),
        "address-3": pl.lit(None, pl.String),
        "city": pl.col("city"),
        "state": pl.col("state"),
        "postal-code": pl.col("postcode"),
        "country": pl.col("country"),
    }
    return [
        pl.col("name").alias("recipient-name"),
        *(cell.alias(f"ship-{name}") for name, cell in address.items()),
        pl.col("phone").alias("ship-phone-number"),
        *(cell.alias(f"bill-{name}") for name, cell in address.items()),
    ]


def _parcel_cells(snapshot: Snapshot) -> list[pl.Expr]:
    units, once = pl.col("units"), pl.col("once")
    # The estimate is a day at the marketplace; the report shows the last second of that day.
    day_ends = [
        pl.when(pl.col("time_zone") == zone).then(
            pl.col("estimate")
            .dt.replace_time_zone(zone, ambiguous="latest", non_existent="null")
            .dt.convert_time_zone("UTC")
            .dt.strftime(UTC_TEXT)
        )
        for zone in _zones(snapshot)
    ]
    return [
        money(pl.col("unit_discount_minor") * -units).alias("item-promotion-discount"),
        money(pl.col("shipping_discount_minor") * -once).alias("ship-promotion-discount"),
        pl.col("parcel_carrier").alias("carrier"),
        pl.col("tracking_number").alias("tracking-number"),
        pl.coalesce(day_ends).alias("estimated-arrival-date"),
        pl.col("centre").alias("fulfillment-center-id"),
        pl.lit("AFN").alias("fulfillment-channel"),
        pl.col("sales_channel").alias("sales-channel"),
    ]


def _blank(name: str) -> pl.Expr:
    return pl.lit(None, pl.String).alias(name)


def _channel(amazon: str, merchant: str) -> pl.Expr:
    is_fba = pl.col("fulfilled_by") == "marketplace"
    return pl.when(is_fba).then(pl.lit(amazon)).otherwise(pl.lit(merchant))


def _level() -> pl.Expr:
    return pl.col("service").str.to_lowercase().replace_strict(_LEVELS, default="Standard")
