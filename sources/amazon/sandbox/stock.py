"""Reports of stock in Amazon's centres: the ledger of all moves, and goods taken home.

Belongs here: their rows. What was sold and sent back stands in the ledger too, so that it adds up
with the other reports; every field of it is in quotes, and some headers have no spaces.
"""

from __future__ import annotations

import polars as pl

from sources._sandbox.api_faults import share_of

from .snapshot import UTC_TEXT, Snapshot, money

UNSELLABLE = "WAREHOUSE_DAMAGED"
_REASONS = {"mislaid": "M", "lost": "M", "found": "F", "damaged": "E", "broken": "E"}
_LEDGER = ["at", "sku", "event", "reference", "quantity", "centre", "disposition", "reason"]


def inventory_ledger(snapshot: Snapshot) -> pl.DataFrame:
    """One row per day, SKU, centre and kind of move; mishaps one by one, with a reference."""
    centres = snapshot.world.warehouses.filter(pl.col("account") == snapshot.account).select(
        pl.col("fulfilment_centre_id").alias("centre"), "country"
    )
    daily = pl.concat([_receipts(snapshot), _shipments(snapshot), _returns(snapshot)])
    daily = daily.with_columns(pl.col("at").dt.truncate("1d"))
    names = [name for name in _LEDGER if name != "quantity"]
    daily = daily.group_by(names, maintain_order=True).agg(pl.col("quantity").sum())
    rows = pl.concat([daily.select(_LEDGER), _mishaps(snapshot), _removed(snapshot)])
    place = snapshot.places["marketplace_id"].to_list()[0]
    home = snapshot.places.select("country", "marketplace_id")
    listed = snapshot.world.listings.filter(pl.col("account") == snapshot.account)
    return (
        rows.filter(pl.col("quantity") != 0)
        .join(centres, on="centre")
        .join(home, on="country", how="left")
        .join(listed.select("sku", "listing_sku"), on="sku", how="left")
        .join(snapshot.products, on="sku", how="left")
        .sort("at", "event", "sku", "centre", "disposition", "reference", nulls_last=True)
        .select(
            pl.col("at").alias("_at"),
            pl.col("marketplace_id").fill_null(place).alias("_place"),
            pl.col("at").dt.strftime("%m/%d/%Y").alias("Date"),
            pl.col("fnsku").alias("FNSKU"),
            pl.col("asin").alias("ASIN"),
            pl.coalesce("listing_sku", "sku").alias("MSKU"),
            pl.col("sku_name").alias("Title"),
            pl.col("event").alias("Event Type"),
            pl.col("reference").alias("Reference ID"),
            pl.col("quantity").cast(pl.String).alias("Quantity"),
            pl.col("centre").alias("Fulfillment Center"),
            pl.col("disposition").alias("Disposition"),
            pl.col("reason").alias("Reason"),
            pl.col("country").alias("Country"),
            pl.col("quantity").abs().cast(pl.String).alias("Reconciled Quantity"),
            pl.lit("0").alias("Unreconciled Quantity"),
        )
    )


def _entry(event: str, quantity: pl.Expr, **cells: pl.Expr) -> list[pl.Expr]:
    """Columns of the ledger; what is not given is blank."""
    given = {"event": pl.lit(event), "quantity": quantity, **cells}
    blank = pl.lit(None, dtype=pl.String)
    return [given.get(name, blank).alias(name) for name in _LEDGER]


def _receipts(snapshot: Snapshot) -> pl.DataFrame:
    come = snapshot.world.receipts.filter(
        pl.col("account") == snapshot.account, pl.col("received_at") <= snapshot.now
    )
    cells = {
        "at": pl.col("received_at"),
        "sku": pl.col("sku"),
        "centre": pl.col("fulfilment_centre_id"),
        "reference": pl.col("receipt_id"),
    }
    good = pl.col("quantity_received") - pl.col("quantity_damaged")
    return pl.concat(
        [
            come.select(_entry("Receipts", good, disposition=pl.lit("SELLABLE"), **cells)),
            come.select(
                _entry(
                    "Receipts", pl.col("quantity_damaged"), disposition=pl.lit(UNSELLABLE), **cells
                )
            ),
        ]
    )


def _shipments(snapshot: Snapshot) -> pl.DataFrame:
    lines = snapshot.lines.filter(pl.col("fulfilled_by") == "marketplace").select(
        "order_id", "line_no", "sku"
    )
    return snapshot.shipments.join(lines, on=["order_id", "line_no"]).select(
        _entry(
            "Shipments",
            -pl.col("quantity"),
            at=pl.col("shipped_at"),
            sku=pl.col("sku"),
            centre=pl.col("fulfilment_centre_id"),
            disposition=pl.lit("SELLABLE"),
        )
    )


def _returns(snapshot: Snapshot) -> pl.DataFrame:
    return snapshot.returns.select(
        _entry(
            "CustomerReturns",
            pl.col("quantity"),
            at=pl.col("shown_at"),
            sku=pl.col("sku"),
            centre=pl.col("fulfilment_centre_id"),
            disposition=pl.col("disposition"),
        )
    )


def _mishaps(snapshot: Snapshot) -> pl.DataFrame:
    """What was lost, found or broken; the broken ones lie there unsellable from then on."""
    moves = (
        snapshot.world.stock_moves.filter(
            pl.col("account") == snapshot.account,
            pl.col("moved_at") <= snapshot.now,
            pl.col("kind") != "removed",
        )
        .group_by(
            "reference_id", "sku", "fulfilment_centre_id", "moved_at", "kind", maintain_order=True
        )
        .agg(pl.col("quantity").sum())
    )
    cells = {
        "at": pl.col("moved_at"),
        "sku": pl.col("sku"),
        "centre": pl.col("fulfilment_centre_id"),
        "reference": pl.col("reference_id"),
        "reason": pl.col("kind").replace_strict(_REASONS),
    }
    broken = moves.filter(pl.col("kind") == "damaged")
    return pl.concat(
        [
            moves.select(
                _entry("Adjustments", pl.col("quantity"), disposition=pl.lit("SELLABLE"), **cells)
            ),
            broken.select(
                _entry("Adjustments", -pl.col("quantity"), disposition=pl.lit(UNSELLABLE), **cells)
            ),
        ]
    )


def _removed(snapshot: Snapshot) -> pl.DataFrame:
    return snapshot.world.removals.filter(
        pl.col("account") == snapshot.account, pl.col("shipped_at") <= snapshot.now
    ).select(
        _entry(
            "VendorReturns",
            -pl.col("quantity"),
            at=pl.col("shipped_at"),
            sku=pl.col("sku"),
            centre=pl.col("fulfilment_centre_id"),
            reference=pl.col("removal_id"),
            disposition=pl.col("disposition"),
        )
    )


def ledger_text(rows: pl.DataFrame, luck: str) -> str:
    """Every field in quotes; half of the files write their headers without spaces."""
    if share_of(luck, "headers") < 0.5:
        rows = rows.rename(lambda name: name.replace(" ", ""))
    return rows.write_csv(separator="\t", quote_style="always", null_value="")


def _asked_back(snapshot: Snapshot) -> pl.DataFrame:
    """Removal orders so far, one row per order, SKU and state."""
    return (
        snapshot.world.removals.filter(
            pl.col("account") == snapshot.account, pl.col("requested_at") <= snapshot.now
        )
        .group_by(
            "removal_id", "sku", "listing_sku", "disposition", "order_type", "requested_at",
            "shipped_at", "currency", "tracking_number", maintain_order=True,
        )
        .agg(pl.col("quantity", "fee_minor").sum())
        .with_columns((pl.col("shipped_at") <= snapshot.now).alias("is_done"))
        .join(snapshot.products, on="sku", how="left")
        .join(
            snapshot.places.select("currency", "decimals").unique("currency", keep="first"),
            on="currency",
        )
        .sort("requested_at", "removal_id", "listing_sku", "disposition")
    )  # fmt: skip


def _count(condition: pl.Expr) -> pl.Expr:
    return pl.when(condition).then("quantity").otherwise(0).cast(pl.String)


def removal_orders(snapshot: Snapshot) -> pl.DataFrame:
    """Orders to send goods home or to destroy them, as far as they have come."""
    is_home = pl.col("order_type") == "Return"
    is_done = pl.col("is_done")
    updated = pl.when(is_done).then("shipped_at").otherwise("requested_at")
    return _asked_back(snapshot).select(
        updated.alias("_at"),
        pl.lit(snapshot.places["marketplace_id"].to_list()[0]).alias("_place"),
        pl.col("requested_at").dt.strftime(UTC_TEXT).alias("request-date"),
        pl.col("removal_id").alias("order-id"),
        pl.col("order_type").alias("order-type"),
        pl.lit("Standard").alias("service-speed"),
        pl.when(is_done).then(pl.lit("Completed")).otherwise(pl.lit("Pending"))
        .alias("order-status"),
        updated.dt.strftime(UTC_TEXT).alias("last-updated-date"),
        pl.col("listing_sku").alias("sku"),
        pl.col("fnsku"),
        pl.col("disposition"),
        pl.col("quantity").cast(pl.String).alias("requested-quantity"),
        pl.lit("0").alias("cancelled-quantity"),
        _count(is_done & ~is_home).alias("disposed-quantity"),
        _count(is_done & is_home).alias("shipped-quantity"),
        _count(~is_done).alias("in-process-quantity"),
        money("fee_minor").alias("removal-fee"),
        pl.col("currency"),
    )  # fmt: skip


def removal_shipments(snapshot: Snapshot) -> pl.DataFrame:
    """Parcels on their way home."""
    return _asked_back(snapshot).filter("is_done", pl.col("order_type") == "Return").select(
        pl.col("shipped_at").alias("_at"),
        pl.lit(snapshot.places["marketplace_id"].to_list()[0]).alias("_place"),
        pl.col("requested_at").dt.strftime(UTC_TEXT).alias("request-date"),
        pl.col("removal_id").alias("order-id"),
        pl.col("shipped_at").dt.strftime(UTC_TEXT).alias("shipment-date"),
        pl.col("listing_sku").alias("sku"),
        pl.col("fnsku"),
        pl.col("disposition"),
        pl.col("quantity").cast(pl.String).alias("shipped-quantity"),
        pl.lit("AMZN_US").alias("carrier"),
        pl.col("tracking_number").alias("tracking-number"),
        pl.col("order_type").alias("removal-order-type"),
    )  # fmt: skip
