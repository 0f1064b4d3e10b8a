"""The seller's own files of a simulated world, dropped into an inbox as the clock moves.

Belongs here: the datasets of the inbox as a seller would export them. Does not belong here: rules
of the inbox (`sources/files`).

A drop holds the rows that are new or changed since the last one, each once and as of the clock. Its
files are named after both clocks, so the same step of the clock always gives the same files, and
many short steps give in sum what one long one gives. `MARKER` in the inbox says how far it got; it
is written last, so an interrupted drop is repeated as it was.
"""

from __future__ import annotations

import gzip
import io
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from sources._sandbox.world import geography
from sources._sandbox.world.tables import World

MARKER = ".sandbox-drops.json"
_LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC).timestamp()
_TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
_NEVER = pl.lit(None, dtype=pl.Datetime("us"))


@dataclass(frozen=True)
class _Drop:
    """`rows` as of the clock; `changes` are the columns with the times at which a row changed."""

    rows: pl.DataFrame
    changes: tuple[str, ...]


def write(
    world: World, now: datetime, inbox_dir: Path, *, with_personal_data: bool = False
) -> list[Path]:
    """Drop what is new at the clock `now` into `inbox_dir`; returns the files written.

    `with_personal_data` adds the buyer's name, e-mail, phone and street to the orders, as many
    exports do, to prove that the inbox drops them.
    """
    inbox_dir.mkdir(parents=True, exist_ok=True)
    marker = inbox_dir / MARKER
    since = _last_drop(marker)
    clock = now.astimezone(UTC).replace(tzinfo=None)
    if since is not None and clock <= since:
        return []
    written = []
    for name, make in DATASETS.items():
        drop = make(world, clock)
        fresh = pl.any_horizontal(_between(pl.col(c), since, clock) for c in drop.changes)
        rows = drop.rows.filter(fresh).drop(drop.changes)
        if name == "orders" and with_personal_data:
            rows = _with_buyers(world, rows)
        if rows.height:
            written.append(_put(inbox_dir / name, name, rows, since, clock))
    _replace(marker, json.dumps({"until": clock.isoformat()}).encode())
    return written


def _last_drop(marker: Path) -> datetime | None:
    if not marker.exists():
        return None
    return datetime.fromisoformat(json.loads(marker.read_text(encoding="utf-8"))["until"])


def _between(at: pl.Expr, since: datetime | None, clock: datetime) -> pl.Expr:
    known = at <= clock
    return (known if since is None else known & (at > since)).fill_null(False)


def _put(
    folder: Path, dataset: str, rows: pl.DataFrame, since: datetime | None, clock: datetime
) -> Path:
    """Write one file, complete before it gets its name, and older than any settling time."""
    folder.mkdir(parents=True, exist_ok=True)
    start = f"{since:%Y%m%d%H%M}" if since else "start"
    stem = f"{dataset}-{start}-{clock:%Y%m%d%H%M}"
    text = rows.write_csv(datetime_format=_TIME_FORMAT).encode()
    if dataset in _AS_PARQUET:
        buffer = io.BytesIO()
        times = [c for c, t in rows.schema.items() if isinstance(t, pl.Datetime)]
        rows.with_columns(pl.col(times).dt.replace_time_zone("UTC")).write_parquet(buffer)
        path, content = folder / f"{stem}.parquet", buffer.getvalue()
    elif dataset in _AS_GZIP:
        path, content = folder / f"{stem}.csv.gz", gzip.compress(text, mtime=0)
    else:
        path, content = folder / f"{stem}.csv", text
    _replace(path, content)
    age = _LONG_AGO + clock.toordinal()  # one second per day: later drops are younger
    os.utime(path, (age, age))
    return path


def _replace(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}.tmp")
    partial.write_bytes(content)
    partial.replace(path)


def _money(minor: str | pl.Expr, decimals: pl.Expr | int = 2) -> pl.Expr:
    """Minor units as exact decimal text, such as 19.99 or 1980."""
    amount = pl.col(minor) if isinstance(minor, str) else minor
    digits = pl.lit(decimals) if isinstance(decimals, int) else decimals
    size = amount.abs()
    sign = pl.when(amount < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    whole = pl.format("{}{}.{}", sign, size // 100, (size % 100).cast(pl.String).str.zfill(2))
    return pl.when(amount.is_not_null()).then(
        pl.when(digits == 0).then(amount.cast(pl.String)).otherwise(whole)
    )


def _at(column: str, clock: datetime) -> pl.Expr:
    """A time, once the clock has reached it."""
    return pl.when(pl.col(column) <= clock).then(column).otherwise(_NEVER).alias(column)


def _once(frame: pl.DataFrame, at: pl.Expr) -> _Drop:
    return _Drop(frame.with_columns(at.alias("_changed")), ("_changed",))


def _from_the_start(world: World, frame: pl.DataFrame) -> _Drop:
    start = datetime.combine(world.scenario.start, datetime.min.time())
    return _once(frame, pl.lit(start, dtype=pl.Datetime("us")))


def _shops(world: World) -> pl.DataFrame:
    shops = world.marketplaces.filter(pl.col("connector") == "files")
    return shops.select("account", "decimals")


def _orders(world: World, clock: datetime) -> _Drop:
    """Order lines of the channels without a connector."""
    orders = world.orders.join(_shops(world), on="account")
    lines = world.order_lines.join(orders, on="order_id", maintain_order="left", suffix="_order")
    parcels = world.shipments.group_by("order_id", "line_no").agg(
        pl.col("shipped_at", "delivered_at", "tracking_number").min()
    )
    lines = lines.join(parcels, on=["order_id", "line_no"], how="left", maintain_order="left")
    changes = {
        "_ordered": "ordered_at",
        "_paid": "paid_at",
        "_cancelled": "line_cancelled_at",
        "_shipped": "shipped_at",
        "_delivered": "delivered_at",
    }
    lines = lines.with_columns(pl.col(source).alias(name) for name, source in changes.items())
    times = ("paid_at", "line_cancelled_at", "shipped_at", "delivered_at")
    lines = lines.filter(pl.col("ordered_at") <= clock).with_columns(_at(t, clock) for t in times)
    shipped = pl.col("shipped_at").is_not_null()
    status = (
        pl.when(pl.col("line_cancelled_at").is_not_null()).then(pl.lit("cancelled"))
        .when(pl.col("delivered_at").is_not_null()).then(pl.lit("delivered"))
        .when(shipped).then(pl.lit("shipped"))
        .otherwise(pl.lit("open"))
    )  # fmt: skip
    q, digits = pl.col("quantity"), pl.col("decimals")
    frame = lines.select(
        pl.col("account").alias("channel"),
        pl.col("order_id").alias("order_ref"),
        pl.col("line_no").cast(pl.String).alias("line_ref"),
        pl.col("listing_sku").alias("sku"),
        "ordered_at",
        "country",
        "quantity",
        _money("unit_price_minor", digits).alias("unit_price"),
        "currency",
        "order_number",
        _money(pl.col("unit_tax_minor") * q + pl.col("shipping_tax_minor"), digits).alias(
            "tax_amount"
        ),
        pl.lit("no").alias("tax_included"),
        _money(pl.col("shipping_minor") - pl.col("shipping_discount_minor"), digits).alias(
            "shipping_price"
        ),
        _money(pl.col("unit_discount_minor") * q, digits).alias("discount_amount"),
        status.alias("status"),
        "paid_at",
        "ship_by_at",
        "shipped_at",
        pl.col("deliver_by_at").alias("promised_at"),
        "delivered_at",
        pl.col("line_cancelled_at").alias("cancelled_at"),
        pl.when(pl.col("line_cancelled_at").is_not_null())
        .then(pl.col("cancel_reason").str.to_lowercase())
        .alias("cancel_reason"),
        "payment_method",
        pl.when(shipped).then("carrier").alias("carrier"),
        pl.when(shipped).then("service").alias("carrier_service"),
        pl.when(shipped).then("tracking_number").alias("tracking_number"),
        pl.col("customer_no").alias("customer_ref"),
        (pl.col("link_kind") == "replacement")
        .fill_null(False)
        .replace_strict({True: "yes", False: "no"})
        .alias("is_replacement"),
        pl.col("replaces_order_id").alias("replaces_order_ref"),
        *changes,
    )
    return _Drop(frame, tuple(changes))


def _with_buyers(world: World, rows: pl.DataFrame) -> pl.DataFrame:
    people = world.buyers.select(
        pl.col("customer_no").alias("customer_ref"),
        pl.col("name").alias("buyer_name"),
        pl.col("email").alias("buyer_email"),
        pl.col("phone").alias("recipient_phone"),
        pl.col("street").alias("ship_address_1"),
        pl.col("postcode").alias("ship_postal_code"),
    )
    return rows.join(people, on="customer_ref", how="left", maintain_order="left")


def _returns(world: World, clock: datetime) -> _Drop:
    """Returns of the channels without a connector; received is known when it is posted."""
    paid = (
        world.refunds.filter(pl.col("return_no").is_not_null())
        .group_by("return_no")
        .agg(pl.col("refunded_at").min())
    )
    sent = (
        world.units.filter(
            pl.col("linked_order_id").is_not_null() & pl.col("return_no").is_not_null()
        )
        .join(
            world.orders.select(pl.col("order_id").alias("linked_order_id"), "ordered_at"),
            on="linked_order_id",
        )
        .group_by("return_no")
        .agg(pl.col("ordered_at").min().alias("sent_at"))
    )
    found = (
        world.returns.join(_shops(world).select("account"), on="account", how="semi")
        .join(paid, on="return_no", how="left")
        .join(sent, on="return_no", how="left")
        .filter(pl.col("requested_at") <= clock)
        .sort("requested_at", "return_no")
    )
    is_in = (pl.col("posted_at") <= clock).fill_null(False)
    is_closed = (pl.col("closed_at") <= clock).fill_null(False)
    is_paid = (pl.col("refunded_at") <= clock).fill_null(False)
    is_sent = (pl.col("sent_at") <= clock).fill_null(False)
    status = (
        pl.when(is_closed).then(pl.lit("withdrawn"))
        .when(is_in & is_paid).then(pl.lit("refunded"))
        .when(is_in & is_sent & (pl.col("ends_as") == "exchange")).then(pl.lit("exchanged"))
        .when(is_in).then(pl.lit("received"))
        .otherwise(pl.lit("requested"))
    )  # fmt: skip
    resolution = (
        pl.when(is_closed).then(pl.lit("none"))
        .when(is_sent).then("ends_as")
        .when(is_paid).then(pl.lit("refund"))
    )  # fmt: skip
    frame = found.select(
        pl.col("account").alias("channel"),
        pl.col("return_no").alias("return_ref"),
        pl.col("order_id").alias("order_ref"),
        pl.col("line_no").cast(pl.String).alias("line_ref"),
        pl.col("listing_sku").alias("sku"),
        "quantity",
        "requested_at",
        pl.when(is_in).then("received_at").alias("received_at"),
        status.alias("status"),
        "reason_code",
        "comment",
        pl.when(is_in).then(pl.col("disposition").str.to_lowercase()).alias("disposition"),
        resolution.alias("resolution"),
        pl.col("requested_at").alias("_requested"),
        pl.col("posted_at").alias("_posted"),
        pl.col("closed_at").alias("_closed"),
        pl.col("refunded_at").alias("_paid"),
        pl.col("sent_at").alias("_sent"),
    )
    return _Drop(frame, ("_requested", "_posted", "_closed", "_paid", "_sent"))


def _refunds(world: World, clock: datetime) -> _Drop:
    digits = pl.col("decimals")
    paid = world.refunds.join(_shops(world), on="account", maintain_order="left")
    frame = paid.filter(pl.col("refunded_at") <= clock).select(
        pl.col("account").alias("channel"),
        pl.col("refund_no").alias("refund_ref"),
        pl.col("order_id").alias("order_ref"),
        pl.col("line_no").cast(pl.String).alias("line_ref"),
        pl.col("listing_sku").alias("sku"),
        "refunded_at",
        _money("principal_minor", digits).alias("amount"),
        "currency",
        pl.col("return_no").alias("return_ref"),
        pl.when(pl.col("units") > 0).then("units").alias("quantity"),
        _money(pl.col("tax_minor") + pl.col("shipping_tax_minor"), digits).alias("tax_amount"),
        pl.lit("no").alias("tax_included"),
        _money("shipping_minor", digits).alias("shipping_amount"),
        "kind",
        pl.lit("original_payment").alias("refund_method"),
        pl.when(pl.col("kind") == "returnless")
        .then(pl.lit("yes"))
        .otherwise(pl.lit("no"))
        .alias("is_returnless"),
    )
    return _once(frame, pl.col("refunded_at"))


def _products(world: World, _clock: datetime) -> _Drop:
    frame = world.products.select(
        "sku", "sku_name", "category", "sku_name_zh", "product_id", "variant_size", "size_order",
        "colour", "brand", "supplier_id",
        _money("unit_landed_cost_minor").alias("unit_landed_cost"),
        pl.col("cost_currency").alias("currency"),
        "launch_date", "weight_g",
    )  # fmt: skip
    return _from_the_start(world, frame)


def _sku_map(world: World, _clock: datetime) -> _Drop:
    frame = world.listings.filter(pl.col("listing_sku") != pl.col("sku")).select(
        pl.col("account").alias("channel"),
        pl.col("listing_sku").alias("listing_id"),
        "sku",
        pl.lit("channel_sku").alias("listing_kind"),
        pl.lit(1).alias("units_per_listing"),
    )
    return _from_the_start(world, frame)


def _warehouses(world: World, _clock: datetime) -> _Drop:
    """FBA centres have no pool of their own here: by rule it is their account and region."""
    own = (pl.col("kind") == "own") & (pl.col("stock_pool") != pl.col("fulfilment_centre_id"))
    frame = world.warehouses.select(
        "fulfilment_centre_id",
        "country",
        "name",
        pl.when(own).then("stock_pool").alias("stock_pool"),
        "kind",
    )
    return _from_the_start(world, frame)


def _batches(world: World, _clock: datetime) -> _Drop:
    named = world.suppliers.select("supplier_id", "supplier_name")
    lots = world.lots.join(named, on="supplier_id", how="left", maintain_order="left")
    frame = lots.select(
        "lot_id", "sku", "supplier_id", "supplier_name", "factory_id", "po_number",
        "production_date", "expiry_date",
        pl.col("arrived_at").dt.date().alias("arrived_on"),
        "quantity_produced",
        _money("unit_cost_minor").alias("unit_cost"),
        _money("unit_freight_minor").alias("unit_freight"),
        _money("unit_duty_minor").alias("unit_duty"),
        _money("unit_other_minor").alias("unit_other"),
        "currency", pl.col("arrived_at").alias("_changed"),
    )  # fmt: skip
    return _Drop(frame, ("_changed",))


def _receipts(world: World, _clock: datetime) -> _Drop:
    frame = world.receipts.select(
        "receipt_id", "line_no", "fulfilment_centre_id", "country", "lot_id", "sku", "received_at",
        "quantity_received", "quantity_damaged", pl.col("account").alias("channel"),
    )  # fmt: skip
    return _once(frame, pl.col("received_at"))


def _scans(world: World, _clock: datetime) -> _Drop:
    frame = world.scans.select(
        pl.col("account").alias("channel"),
        pl.col("order_id").alias("order_ref"),
        "sku",
        "lot_id",
        "quantity",
        "shipped_at",
        pl.col("known_at").alias("_changed"),
    )
    return _Drop(frame, ("_changed",))


def _inspections(world: World, _clock: datetime) -> _Drop:
    frame = world.inspections.select(
        "inspection_id", "return_ref", pl.col("account").alias("channel"),
        pl.col("order_id").alias("order_ref"), "sku", "lot_id", "received_at", "inspected_at",
        "quantity", "grade", "defect_code", "defect_text", "disposition",
        _money("recovered_minor").alias("recovered_value"),
        "currency", "inspector", "minutes_spent",
    )  # fmt: skip
    return _once(frame, pl.col("inspected_at"))


def _policies(world: World, _clock: datetime) -> _Drop:
    """Refunds within 14 days of receipt, faster where the law of the sandbox's countries says so,
    slower for cash on delivery."""
    countries = sorted(geography.COUNTRIES)
    rows: list[tuple[str, str | None, str | None, int]]
    rows = [(country, None, None, 7 if country == "US" else 14) for country in countries]
    rows += [(country, None, "cod", 21) for country in countries]
    markets = world.marketplaces.filter(pl.col("connector") == "ebay")
    rows += [(row["country"], row["marketplace"], None, 5) for row in markets.iter_rows(named=True)]
    frame = pl.DataFrame(
        rows, ["country", "marketplace", "payment_method", "refund_promise_days"], orient="row"
    ).with_columns(
        pl.lit(world.scenario.start - timedelta(days=365)).alias("valid_from"),
        pl.lit("sandbox").alias("source"),
    )
    return _from_the_start(world, frame)


def _carrier_bills(world: World, _clock: datetime) -> _Drop:
    frame = world.carrier_bills.select(
        "carrier", "tracking_number", "charge_type",
        _money("amount_minor").alias("amount"),
        "currency",
        pl.col("billed_at").dt.date().alias("billed_at"),
        "bill_ref", "service",
        pl.col("billed_at").alias("_billed"),
    )  # fmt: skip
    return _Drop(frame, ("_billed",))


def _fx_rates(world: World, _clock: datetime) -> _Drop:
    """A day's rate is known in the afternoon."""
    known = pl.col("rate_date").cast(pl.Datetime("us")) + pl.duration(hours=15)
    return _once(world.fx_overrides, known)


_AS_PARQUET = frozenset({"lot_allocations"})
_AS_GZIP = frozenset({"goods_receipts"})

DATASETS: Mapping[str, Callable[[World, datetime], _Drop]] = {
    "warehouses": _warehouses,
    "policies": _policies,
    "products": _products,
    "sku_map": _sku_map,
    "fx_rates": _fx_rates,
    "purchase_batches": _batches,
    "goods_receipts": _receipts,
    "orders": _orders,
    "lot_allocations": _scans,
    "returns": _returns,
    "refunds": _refunds,
    "return_inspections": _inspections,
    "parcel_costs": _carrier_bills,
}
"""Every dataset that the simulated seller keeps."""
