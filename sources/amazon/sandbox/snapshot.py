"""The world of one account as Amazon knows it at a moment: orders, lines, parcels, returns.

Belongs here: what is visible when, and texts of money and time. Does not belong here: in which
report or answer it is shown. Everything is columns; nothing walks over rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import polars as pl

from sources._sandbox.world.tables import World

UTC_TEXT = "%Y-%m-%dT%H:%M:%S+00:00"
API_TEXT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class Snapshot:
    """Tables of `account` at `now` (naive UTC, as the world's columns)."""

    world: World
    account: str
    now: datetime

    @cached_property
    def places(self) -> pl.DataFrame:
        """The account's marketplaces."""
        return self.world.marketplaces.filter(
            pl.col("account") == self.account, pl.col("connector") == "amazon"
        )

    @cached_property
    def orders(self) -> pl.DataFrame:
        """Orders placed so far, with `status` and `updated_at` as of now."""
        placed = self.world.orders.filter(
            pl.col("account") == self.account,
            pl.col("connector") == "amazon",
            pl.col("ordered_at") <= self.now,
        )
        states = (
            self.world.order_states.filter(pl.col("at") <= self.now)
            .join(placed.select("order_id"), on="order_id", how="semi")
            .group_by("order_id")
            .agg(
                pl.col("status").sort_by("at", maintain_order=True).last(),
                pl.col("at").max().alias("updated_at"),
            )
        )
        columns = ("decimals", "prices_include_tax", "time_zone", "marketplace_id", "sales_channel")
        return placed.join(states, on="order_id").join(
            self.places.select("marketplace", *columns), on="marketplace"
        )

    @cached_property
    def shipments(self) -> pl.DataFrame:
        """Parcel lines handed over so far."""
        return self.world.shipments.filter(pl.col("shipped_at") <= self.now).join(
            self.orders.select("order_id"), on="order_id", how="semi"
        )

    @cached_property
    def lines(self) -> pl.DataFrame:
        """Order lines with the order's columns, units shipped and units cancelled by now.

        Money is what is shown: with tax in it where the marketplace shows prices so.
        """
        shipped = self.shipments.group_by("order_id", "line_no").agg(
            pl.col("quantity").sum().alias("quantity_shipped")
        )
        is_cancelled = (pl.col("line_cancelled_at") <= self.now).fill_null(value=False)
        lines = (
            self.world.order_lines.rename({"cancel_reason": "line_reason", "cancelled_by": "by"})
            .join(self.orders, on="order_id")
            .join(shipped, on=["order_id", "line_no"], how="left")
            .join(self.products, on="sku", how="left")
            .with_columns(
                pl.col("quantity_shipped").fill_null(0),
                pl.when(is_cancelled)
                .then(pl.col("quantity_cancelled"))
                .otherwise(0)
                .alias("quantity_cancelled"),
            )
        )
        return self._shown_prices(lines).sort("order_id", "line_no")

    @cached_property
    def products(self) -> pl.DataFrame:
        """Names of products, and the asin and fnsku of this account's listings."""
        listings = self.world.listings.filter(pl.col("account") == self.account).select(
            "sku", pl.col("asin").alias("listed_asin"), pl.col("fnsku").alias("listed_fnsku")
        )
        return (
            self.world.products.select("sku", "sku_name", "asin", "fnsku")
            .join(listings, on="sku", how="left")
            .select(
                "sku",
                "sku_name",
                pl.coalesce("listed_asin", "asin").alias("asin"),
                pl.coalesce("listed_fnsku", "fnsku").alias("fnsku"),
            )
        )

    @staticmethod
    def _shown_prices(lines: pl.DataFrame) -> pl.DataFrame:
        """Prices of a unit and of the line's shipping as the buyer sees them."""
        with_tax = pl.col("prices_include_tax")
        return lines.with_columns(
            (
                pl.col("unit_price_minor") + pl.when(with_tax).then("unit_tax_minor").otherwise(0)
            ).alias("unit_shown_minor"),
            (
                pl.col("shipping_minor") + pl.when(with_tax).then("shipping_tax_minor").otherwise(0)
            ).alias("shipping_shown_minor"),
        )

    @cached_property
    def returns(self) -> pl.DataFrame:
        """Returned units booked in at Amazon's centres, with the date shown now."""
        is_redated = (pl.col("redated_at") <= self.now).fill_null(value=False)
        return (
            self.world.returns.filter(
                pl.col("account") == self.account,
                pl.col("connector") == "amazon",
                pl.col("fulfilled_by") == "marketplace",
                pl.col("received_at") <= self.now,
                pl.col("posted_at") <= self.now,
            )
            .with_columns(
                pl.when(is_redated | pl.col("redated_from").is_null())
                .then("received_at")
                .otherwise("redated_from")
                .alias("shown_at")
            )
            .join(self.orders.select("order_id", "marketplace_id"), on="order_id")
            .join(self.products, on="sku", how="left")
        )

    @cached_property
    def buyers(self) -> pl.DataFrame:
        """Personal data by order; one row per order."""
        people = self.world.buyers.unique("customer_no", keep="first", maintain_order=True)
        return self.orders.select("order_id", "customer_no").join(
            people.drop("country"), on="customer_no", how="left"
        )


def money(minor: str | pl.Expr, decimals: str = "decimals") -> pl.Expr:
    """Minor units as decimal text: 1999 -> 19.99, with 0 decimals 1999."""
    value = pl.col(minor) if isinstance(minor, str) else minor
    places = pl.col(decimals).cast(pl.Int64)
    scale = pl.lit(10, pl.Int64).pow(places).cast(pl.Int64)
    sign = pl.when(value < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    whole = (value.abs() // scale).cast(pl.String)
    part = (value.abs() % scale).cast(pl.String).str.zfill(places)
    return (
        pl.when(value.is_null())
        .then(None)
        .when(places == 0)
        .then(pl.concat_str(sign, whole))
        .otherwise(pl.concat_str(sign, whole, pl.lit("."), part))
    )


def money_or_blank(minor: str | pl.Expr) -> pl.Expr:
    """As `money`, blank where there is nothing: how reports show parts that most lines lack."""
    value = pl.col(minor) if isinstance(minor, str) else minor
    return pl.when(value != 0).then(money(value))


def local_text(moment: str, zones: list[str], layout: str) -> pl.Expr:
    """A UTC column as text in the zone that `time_zone` names on each row."""
    aware = pl.col(moment).dt.replace_time_zone("UTC")
    texts = [
        pl.when(pl.col("time_zone") == zone).then(
            aware.dt.convert_time_zone(zone).dt.strftime(layout)
        )
        for zone in zones
    ]
    return pl.coalesce(texts) if texts else pl.lit(None, pl.String)
