"""A warehouse whose raw rows are written by hand: the worked examples of the metrics sheet and the
traps of its sections 1 to 5, built once by the real models.

Each example has SKUs of its own, so that one build serves all tests.
"""

from __future__ import annotations

import atexit
import csv
import functools
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from assets.control import ensure_control_tables, insert_rows, write_settings
from assets.dbt import BuildResult, DbtProject
from assets.raw_tables import ensure_raw_tables
from assets.warehouse import Warehouse
from sources.registry import connectors
from tests.warehouse import (
    ebay_shop,
    parcels_by_hand,
    parcels_followed,
    service_rows,
    shopify_shop,
    walmart_store,
)

Row = Mapping[str, Any]
SOURCES = Path(__file__).resolve().parents[2] / "sources"
AS_OF = "2026-03-20T00:00:00Z"
SERVICE = ("helpdesk", "reviews")
US, DE = "amazon_us", "amazon_de"


class HandMade:
    """The warehouse and the tables to put raw rows into.

    Between two changes it stays open for reading: opening the file costs more than a query.
    """

    def __init__(self, folder: Path) -> None:
        self.warehouse = Warehouse(folder / "warehouse.duckdb")
        self._dbt = DbtProject(warehouse=self.warehouse.path, work=folder / "dbt")
        self._reading = ExitStack()
        self._reader: duckdb.DuckDBPyConnection | None = None
        with self.warehouse.connect() as connection:
            ensure_control_tables(connection)
            ensure_raw_tables(connection, connectors().values())

    @property
    def dbt(self) -> DbtProject:
        """The project; who takes it writes into the warehouse."""
        self._stop_reading()
        return self._dbt

    def _stop_reading(self) -> None:
        self._reading.close()
        self._reader = None

    def _read(self, sql: str) -> duckdb.DuckDBPyConnection:
        if self._reader is None:
            opened = self.warehouse.connect(read_only=True)
            self._reader = self._reading.enter_context(opened)
        return self._reader.execute(sql)

    def put(self, table: str, rows: Sequence[Row], account: str = "inbox") -> None:
        self._stop_reading()
        columns = {column: None for row in rows for column in row}
        with self.warehouse.connect() as connection:
            insert_rows(
                connection, table, [{"_account": account, **columns, **row} for row in rows]
            )

    def settle(self, rows: Mapping[str, list[Row]]) -> None:
        self._stop_reading()
        with self.warehouse.connect() as connection:
            write_settings(connection, rows)

    def build(self, *, on_top: bool = False, full_refresh: bool = False) -> BuildResult:
        """All models; with `on_top` those that the data of a night can change."""
        return self.dbt.build({"as_of": AS_OF}, full_refresh=full_refresh, is_same_project=on_top)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self._read(sql).fetchall()

    def one(self, sql: str) -> dict[str, Any]:
        result = self._read(sql)
        names = [column[0] for column in result.description]
        (row,) = result.fetchall()
        return dict(zip(names, row, strict=True))


def at(day: str, clock: str = "18:00") -> datetime:
    """A moment of 2026, `at("01-05")`; in UTC, and the same day in America and Europe."""
    return datetime.fromisoformat(f"2026-{day}T{clock}:00")


def iso(day: str, clock: str = "18:00") -> str:
    return f"2026-{day}T{clock}:00Z"


def file_row(table: str, channel: str, **values: Any) -> Row:
    """A row of a dataset with the channel as the inbox resolves it: an account, or its own."""
    accounts = {"amz": ("amazon", US), "amz_eu": ("amazon", DE)}
    connector, marketplace = accounts.get(channel, ("files", channel))
    return {
        "channel": channel,
        "channel_connector": connector,
        "channel_account": channel,
        "channel_marketplace": marketplace,
        **values,
    }


def order(channel: str, ref: str, sku: str, **values: Any) -> Row:
    defaults = {
        "order_ref": ref,
        "line_ref": sku,
        "sku": sku,
        "ordered_at": at("01-02"),
        "country": "US",
        "quantity": 1,
        "unit_price": Decimal("20.00"),
        "currency": "USD",
    }
    return file_row("orders", channel, **{**defaults, **values})


def returned(channel: str, ref: str, order_ref: str, sku: str, **values: Any) -> Row:
    row = {"return_ref": ref, "order_ref": order_ref, "line_ref": sku, "sku": sku, "quantity": 1}
    return file_row("returns", channel, **{**row, **values})


def refunded(channel: str, ref: str, order_ref: str, sku: str, **values: Any) -> Row:
    row = {
        "refund_ref": ref,
        "order_ref": order_ref,
        "line_ref": sku,
        "sku": sku,
        "amount": Decimal("20.00"),
        "currency": "USD",
    }
    return file_row("refunds", channel, **{**row, **values})


def report_row(order_id: str, sku: str, **values: Any) -> Row:
    """A row of Amazon's all-orders report."""
    row = {
        "amazon_order_id": order_id,
        "purchase_date": iso("01-02"),
        "last_updated_date": iso("01-04"),
        "order_status": "Shipped",
        "fulfillment_channel": "Amazon",
        "sales_channel": "Amazon.com",
        "sku": sku,
        "asin": "B0" + sku,
        "quantity": "1",
        "currency": "USD",
        "item_price": "20.00",
        "ship_country": "US",
        "occurrence": 1,
    }
    return {**row, **values}


def shipment(order_id: str, sku: str, **values: Any) -> Row:
    row = {
        "amazon_order_id": order_id,
        "shipment_item_id": f"{order_id}-{sku}",
        "shipment_date": iso("01-03"),
        "sku": sku,
        "quantity_shipped": "1",
        "currency": "USD",
        "estimated_arrival_date": iso("01-07"),
        "fulfillment_center_id": "PHX7",
        "sales_channel": "Amazon.com",
    }
    return {**row, **values}


def fba_return(order_id: str, sku: str, day: str, **values: Any) -> Row:
    row = {
        "return_date": iso(day),
        "order_id": order_id,
        "sku": sku,
        "quantity": "1",
        "detailed_disposition": "SELLABLE",
        "reason": "UNWANTED_ITEM",
        "status": "Unit returned to inventory",
        "occurrence": 1,
    }
    return {**row, **values}


def settled(number: int, order_id: str, sku: str, amount: str, **values: Any) -> Row:
    """A row of a settlement: by default the principal of a refund."""
    row = {
        "row_no": number,
        "settlement_id": "S1",
        "currency": "USD",
        "transaction_type": "Refund",
        "order_id": order_id,
        "adjustment_id": f"A-{order_id}",
        "marketplace_name": "Amazon.com",
        "amount_type": "ItemPrice",
        "amount_description": "Principal",
        "amount": amount,
        "posted_date_time": iso("02-01"),
        "sku": sku,
    }
    return {**row, **values}


def receipt(number: int, lot: str, sku: str, quantity: int, day: str, centre: str = "WH1") -> Row:
    return {
        "receipt_id": "R",
        "line_no": number,
        "fulfilment_centre_id": centre,
        "country": "US",
        "lot_id": lot,
        "sku": sku,
        "received_at": at(day, "00:00"),
        "quantity_received": quantity,
        "quantity_damaged": 0,
    }


def _settings() -> dict[str, list[Row]]:
    return {
        "setting": [
            {
                "reporting_currency": "USD",
                "time_zone": "UTC",
                "language": "en",
                "return_horizon_days": 60,
                "assumed_transit_days": 7,
                "presumed_lost_days": 60,
                "presumed_lost_days_express": 30,
                "include_sunk": False,
                "evidence_min_units": 50,
                "evidence_max_width": 0.1,
                "is_sandbox": True,
                "code_version": "1",
                "config_hash": "1",
                "contract_version": "1.0",
            }
        ],
        "account": [
            {
                "account": name,
                "connector": connector,
                "account_kind": connector if connector in SERVICE else "marketplace",
                "default_currency": "USD",
                "started_on": date(2026, 1, 1),
                "is_active": True,
            }
            for name, connector in (
                ("amz", "amazon"),
                ("amz_eu", "amazon"),
                ("brand", "shopify"),
                ("inbox", "files"),
                ("desk", "helpdesk"),
                ("chat", "helpdesk"),
                (walmart_store.ACCOUNT, "walmart"),
                ("stars", "reviews"),
            )
        ],
        "account_marketplace": [
            {"account": "amz", "connector": "amazon", "marketplace": US},
            {"account": "amz_eu", "connector": "amazon", "marketplace": DE},
            {"account": "brand", "connector": "shopify", "marketplace": "shopify_brand"},
            {
                "account": walmart_store.ACCOUNT,
                "connector": "walmart",
                "marketplace": walmart_store.MARKETPLACE,
            },
        ],
        "display_name": [{"person_hash": service_rows.AGENT, "display_name": "Mei"}],
        "team": [{"team": "care", "team_kind": "service", "time_zone": "UTC"}],
        "region": [{"region": "NA", "country": "US"}, {"region": "EU", "country": "DE"}],
        "horizon": [
            {"category": "slow", "marketplace": None, "days": 90, "valid_from": None},
            {"category": "slow", "marketplace": US, "days": 30, "valid_from": date(2026, 1, 15)},
        ],
    }


def _shipped_lists() -> dict[str, list[Row]]:
    lists: dict[str, list[Row]] = {}
    for name in ("marketplaces", "reasons"):
        with (SOURCES / "amazon" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            lists[f"raw_amazon.{name}"] = [
                {k: v or None for k, v in row.items()} for row in csv.DictReader(file)
            ]
    return lists


def _ten_units() -> dict[str, list[Row]]:
    """The example of 1.5: ten units of one SKU shipped on 3 January, horizon 60 days."""
    sku, channel = "TEN", "amz"
    sent = {"shipped_at": at("01-03"), "delivered_at": at("01-05")}
    orders = [order(channel, f"T{n}", sku, **sent) for n in (1, 4, 5, 6, 7, 8, 9, 10)]
    orders.append(order(channel, "T3", sku, shipped_at=at("01-03")))
    again = {"ordered_at": at("01-25"), "shipped_at": at("01-26"), "unit_price": Decimal("0")}
    orders.append(order(channel, "T4X", "TEN-L", replaces_order_ref="T4", **again))
    orders.append(order(channel, "T5X", sku, replaces_order_ref="T5", is_replacement=True, **again))
    returns = [
        returned(channel, "R1", "T1", sku, requested_at=at("03-01"), received_at=at("03-12")),
        returned(channel, "R3", "T3", sku, requested_at=at("03-12")),
        returned(channel, "R4", "T4", sku, requested_at=at("01-20"), resolution="exchange"),
        returned(channel, "R5", "T5", sku, requested_at=at("01-21"), resolution="replacement"),
        returned(channel, "R6", "T6", sku, requested_at=at("01-22"), resolution="refund"),
        returned(channel, "R7", "T7", sku, requested_at=at("01-15"), status="withdrawn"),
    ]
    refunds = [
        refunded(
            channel, "F6", "T6", sku, return_ref="R6", refunded_at=at("01-23"), is_returnless=True
        ),
        refunded(channel, "F8", "T8", sku, refunded_at=at("01-25"), is_returnless=False),
    ]
    return {
        "raw_files.orders": orders,
        "raw_files.returns": returns,
        "raw_files.refunds": refunds,
        "raw_amazon.all_orders": [report_row("T2", sku)],
        "raw_amazon.fulfilled_shipments": [shipment("T2", sku)],
        "raw_amazon.fba_returns": [fba_return("T2", sku, "03-05", license_plate_number="LPN2")],
    }


def _amazon_lines() -> dict[str, list[Row]]:
    """Report, shipments, API and settlement of one account; each order is one trap."""
    report = [
        # two items of one SKU are one line; tax inside the price in Germany
        report_row(
            "A1",
            "SUM",
            sales_channel="Amazon.de",
            ship_country="DE",
            currency="EUR",
            item_price="119.00",
            item_tax="19.00",
            quantity="2",
            item_promotion_discount="-10.00",
        ),
        report_row(
            "A1",
            "SUM",
            sales_channel="Amazon.de",
            ship_country="DE",
            currency="EUR",
            item_price="59.50",
            item_tax="9.50",
            quantity="1",
            occurrence=2,
        ),
        # pending without SKU, then shipped: the older state is gone
        report_row("A2", "", order_status="Pending", last_updated_date=iso("01-02"), item_price=""),
        report_row("A2", "LATER", quantity="3", item_price="60.00"),
        # cancelled after one of three was shipped
        report_row("A3", "PART", order_status="Cancelled", quantity="3", item_price="60.00"),
        # the same physical unit with two dates, a unit too many, an unknown code
        report_row("A4", "BACK", quantity="2", item_price="40.00"),
        report_row("A5", "REFUSED"),
        report_row("A6", "PENDING", order_status="Pending", item_price="", currency=""),
        # three units at 10.00, not divisible: refund of one unit of 3.33
        report_row("A7", "THIRDS", quantity="3", item_price="10.00"),
        report_row("A8", "MERCHANT", fulfillment_channel="Merchant", quantity="2"),
        report_row("A9", "SENTAGAIN"),
        report_row("A9X", "SENTAGAIN", item_price="0.00"),
    ]
    shipments = [
        shipment(
            "A1",
            "SUM",
            quantity_shipped="3",
            sales_channel="Amazon.de",
            shipment_date="2026-01-31T23:30:00Z",
            estimated_arrival_date="2026-02-02T22:00:00Z",
        ),
        shipment("A2", "LATER", quantity_shipped="3"),
        shipment("A3", "PART", quantity_shipped="1"),
        shipment("A4", "BACK", quantity_shipped="2"),
        shipment("A5", "REFUSED"),
        shipment("A7", "THIRDS", quantity_shipped="3"),
        shipment("A9", "SENTAGAIN"),
        shipment("A9X", "SENTAGAIN", shipment_date=iso("01-20")),
    ]
    returns = [
        fba_return("A4", "BACK", "01-20", reason="CR-DEFECTIVE", license_plate_number="LPN-A"),
        fba_return("A4", "BACK", "01-21", reason="XYZ_NEW", detailed_disposition="DAMAGED"),
        fba_return("A4", "BACK", "01-22", reason="DEFECTIVE", detailed_disposition="DEFECTIVE"),
        fba_return("A5", "REFUSED", "01-15", reason="UNDELIVERABLE_REFUSED"),
        fba_return("NOWHERE", "LOST", "01-15"),
        fba_return("A9X", "SENTAGAIN", "02-01", reason="DEFECTIVE"),
    ]
    settlements = [
        settled(2, "A4", "BACK", "-20.00"),
        settled(3, "A4", "BACK", "-1.90", amount_description="Tax"),
        settled(4, "A4", "BACK", "-3.00", amount_description="Shipping"),
        settled(5, "A4", "BACK", "-0.30", amount_description="ShippingTax"),
        settled(6, "A4", "BACK", "3.00", amount_type="ItemFees", amount_description="Commission"),
        settled(7, "A5", "REFUSED", "-20.00"),
        settled(8, "A7", "THIRDS", "-3.33"),
        settled(9, "A7", "THIRDS", "-3.33", adjustment_id="A-A7-2"),
        settled(10, "A1", "SUM", "-50.00", currency="EUR", marketplace_name="Amazon.de"),
        settled(
            11,
            "A1",
            "SUM",
            "5.00",
            currency="EUR",
            marketplace_name="Amazon.de",
            amount_type="Promotion",
        ),
        settled(12, None, None, "-39.99", transaction_type="Something new", adjustment_id=None),
    ]
    return {
        "raw_amazon.all_orders": report,
        "raw_amazon.fulfilled_shipments": shipments,
        "raw_amazon.fba_returns": returns,
        "raw_amazon.settlements": settlements,
        "raw_amazon.orders": [
            {
                "orderId": "A8",
                "lastUpdatedTime": iso("01-03"),
                "salesChannel": {"marketplaceId": "ATVPDKIKX0DER"},
                "fulfillment": {"fulfillmentStatus": "SHIPPED", "fulfilledBy": "MERCHANT"},
                "packages": [
                    {
                        "packageReferenceId": "1",
                        "packageStatus": {"status": "IN_TRANSIT"},
                        "shipTime": iso("01-04"),
                        "packageItems": [{"orderItemId": "i", "quantity": 1}],
                    },
                    {
                        "packageReferenceId": "2",
                        "packageStatus": {"status": "UNDELIVERABLE", "detailedStatus": "LOST"},
                        "shipTime": iso("01-05"),
                        "packageItems": [{"orderItemId": "i", "quantity": 1}],
                    },
                ],
                "orderItems": [
                    {
                        "orderItemId": "i",
                        "quantityOrdered": 2,
                        "product": {"sellerSku": "MERCHANT"},
                    }
                ],
            },
            {
                "orderId": "A9X",
                "lastUpdatedTime": iso("01-03"),
                "associatedOrders": [
                    {"orderId": "A9", "associationType": "REPLACEMENT_ORIGINAL_ID"}
                ],
            },
        ],
    }


def _file_lines() -> dict[str, list[Row]]:
    orders = [
        # of an order that Amazon gives: makes no second one; by a number that two orders have
        order("amz", "A2", "LATER", quantity=3),
        order(
            "shop",
            "1001",
            "TAXED",
            unit_price=Decimal("119.00"),
            tax_included=True,
            tax_amount=Decimal("19.00"),
            shipped_at=at("01-03"),
            currency="EUR",
        ),
        order(
            "shop",
            "1002",
            "POUND",
            unit_price=Decimal("100.00"),
            currency="GBP",
            ordered_at=at("01-05"),
            shipped_at=at("01-06"),
            order_number="same",
        ),
        order(
            "shop", "1003", "NORATE", currency="TWD", shipped_at=at("01-06"), order_number="same"
        ),
        order("shop", "1004", "SLOW", ordered_at=at("01-10"), shipped_at=at("01-11")),
        order("amz", "1005", "SLOW", ordered_at=at("01-20"), shipped_at=at("01-21")),
        order("amz", "1006", "SLOW", ordered_at=at("01-10"), shipped_at=at("01-11")),
        order(
            "shop",
            "1007",
            "CALLEDOFF",
            status="cancelled",
            cancelled_at=at("01-03"),
            cancel_reason="Out of stock",
        ),
    ]
    returns = [
        returned("shop", "X1", "same", "POUND", requested_at=at("01-20")),
        returned(
            "shop", "X2", "1004", "SLOW", received_at=at("03-18"), reason_code="fit.too_small"
        ),
    ]
    refunds = [
        refunded(
            "shop",
            "Y1",
            "1001",
            "TAXED",
            amount=Decimal("11.90"),
            tax_included=True,
            tax_amount=Decimal("1.90"),
            refunded_at=at("02-01"),
            currency="EUR",
        ),
        refunded(
            "shop",
            "Y2",
            "1002",
            "POUND",
            amount=Decimal("100.00"),
            currency="GBP",
            refunded_at=at("02-10"),
        ),
    ]
    rates = [
        {"rate_date": date(2026, 1, 1), "currency": "USD", "units_per_eur": "1.20"},
        {"rate_date": date(2026, 1, 2), "currency": "USD", "units_per_eur": "1.25"},
        {"rate_date": date(2026, 1, 5), "currency": "USD", "units_per_eur": "1.25"},
        {"rate_date": date(2026, 1, 5), "currency": "GBP", "units_per_eur": "1"},
        {"rate_date": date(2026, 2, 10), "currency": "USD", "units_per_eur": "1.30"},
        {"rate_date": date(2026, 2, 10), "currency": "GBP", "units_per_eur": "1"},
    ]
    products = [
        {"sku": "SLOW", "sku_name": "Slow", "category": "slow", "valid_from": None},
        {
            "sku": "TEN",
            "sku_name": "Ten",
            "category": "toys",
            "product_id": "TENS",
            "valid_from": None,
        },
        {
            "sku": "TEN-L",
            "sku_name": "Ten",
            "category": "toys",
            "product_id": "TENS",
            "valid_from": None,
        },
    ]
    return {
        "raw_files.orders": orders,
        "raw_files.returns": returns,
        "raw_files.refunds": refunds,
        "raw_fx.ecb_rates": rates,
        "raw_files.products": products,
    }


def _lots() -> dict[str, list[Row]]:
    """The examples of 5.13, one warehouse; the returned unit of O1 comes on 9 January."""
    sku, channel = "SHEET", "shop"

    def sale(ref: str, sku: str, quantity: int, day: str) -> Row:
        return order(
            channel,
            ref,
            sku,
            quantity=quantity,
            ordered_at=at(day, "09:00"),
            shipped_at=at(day, "10:00"),
        )

    sales = [
        sale("O1", sku, 4, "01-02"),
        sale("O1A", sku, 1, "01-03"),
        sale("O2", sku, 7, "01-06"),
        sale("O3", sku, 3, "01-06"),
        sale("O4", sku, 6, "01-10"),
        sale("O5", sku, 3, "01-11"),
        sale("E1", "EXPIRES", 2, "01-02"),
        sale("E2", "EXPIRES", 4, "01-04"),
        sale("E3", "EXPIRES", 4, "01-05"),
        sale("C1", "SCANNED", 2, "01-05"),
        sale("C2", "SCANNED", 2, "01-06"),
        sale("U1", "ONELOT", 2, "01-05"),
    ]
    receipts = [
        receipt(1, "L1", sku, 10, "01-01"),
        receipt(2, "L2", sku, 6, "01-05"),
        receipt(3, "L3", sku, 5, "01-05"),
        receipt(4, "A", "EXPIRES", 5, "01-01"),
        receipt(5, "B", "EXPIRES", 5, "01-03"),
        receipt(6, "S1", "SCANNED", 3, "01-01"),
        receipt(7, "S2", "SCANNED", 3, "01-01"),
        receipt(8, "ONLY", "ONELOT", 5, "01-01"),
    ]
    batches = [
        {
            "lot_id": lot,
            "sku": sku,
            "supplier_id": "SUP",
            "quantity_produced": 5 if lot == "L2" else 10,  # six came in
            "expiry_date": expiry,
            "unit_cost": cost,
            "currency": "USD" if cost else None,
            "cost_date": date(2026, 1, 2),
        }
        for lot, sku, expiry, cost in (
            ("L1", sku, None, Decimal("4.00")),
            ("L2", sku, None, Decimal("5.00")),
            ("L3", sku, None, None),
            ("A", "EXPIRES", date(2027, 6, 1), None),
            ("B", "EXPIRES", date(2027, 3, 1), None),
        )
    ]
    return {
        "raw_files.orders": sales,
        "raw_files.goods_receipts": receipts,
        "raw_files.purchase_batches": batches,
        "raw_files.warehouses": [
            {"fulfilment_centre_id": "WH1", "country": "US", "kind": "own"},
            {"fulfilment_centre_id": "PHX7", "country": "US", "kind": "marketplace"},
        ],
        "raw_files.overrides": [
            {
                "override_id": number,
                "entity_type": "return_line",
                "entity_key": f"amazon:amz:{ref}:TEN",
                "field": field,
                "value": value,
                "author": "care",
                "reason": "asked the buyer",
                "expires_on": expires,
            }
            for number, ref, field, value, expires in (
                ("X9", "R1", "reason_final", "fit.too_large", None),
                ("X10", "R1", "reason_final", "fit.too_small", date(2099, 1, 1)),
                ("X3", "R3", "reason_final", "no.such_reason", None),
                ("X4", "R4", "disposition", "sellable", date(2026, 1, 1)),
                ("X5", "NOWHERE", "disposition", "sellable", None),
            )
        ],
        # promises of refunds: by country, until the sales of the example, on one site, by payment
        "raw_files.policies": [
            {"country": "US", "refund_promise_days": days, **scope}
            for days, scope in (
                (30, {"valid_from": date(2025, 1, 1), "valid_to": date(2026, 1, 2)}),
                (14, {"valid_from": date(2026, 1, 2)}),
                (7, {"valid_from": date(2026, 1, 2), "marketplace": DE}),
                (21, {"valid_from": date(2026, 1, 2), "payment_method": "cod"}),
                (9, {"valid_from": date(2026, 1, 2), "marketplace": "amazon_moon"}),
            )
        ],
        "raw_files.lot_allocations": [
            file_row(
                "lot_allocations", channel, order_ref="C1", sku="SCANNED", lot_id="S2", quantity=2
            )
        ],
        "raw_files.returns": [
            returned(
                channel, "B1", "O1", sku, received_at=at("01-09", "00:00"), disposition="sellable"
            ),
            returned(
                channel,
                "B2",
                "O2",
                sku,
                received_at=at("01-20"),
                reason_code="product_defect.functional",
                disposition="defective",
            ),
            returned(
                channel,
                "B3",
                "O2",
                sku,
                received_at=at("01-21"),
                reason_code="remorse.changed_mind",
            ),
        ],
        "raw_files.return_inspections": [
            {
                "inspection_id": "I1",
                "return_ref": "B3",
                "channel": channel,
                "channel_connector": "files",
                "channel_account": channel,
                "sku": sku,
                "lot_id": "L2",
                "inspected_at": at("01-22"),
                "quantity": 1,
                "grade": "D",
                "defect_code": "product_defect.missing_parts",
                "disposition": "destroy",
            }
        ],
    }


@functools.cache
def built() -> HandMade:
    """Everything above, put in and built once for all tests of a process."""
    folder = Path(tempfile.mkdtemp(prefix="hand_made_"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    made = HandMade(folder)
    made.settle(_settings())
    for part in (
        _ten_units(),
        _amazon_lines(),
        _file_lines(),
        _lots(),
        parcels_by_hand.rows(),
        service_rows.files(order, file_row),
    ):
        for table, rows in part.items():
            european = [
                r
                for r in rows
                if "Amazon.de" in (r.get("sales_channel"), r.get("marketplace_name"))
            ]
            account = "amz" if table.startswith("raw_amazon") else "inbox"
            made.put(table, [r for r in rows if r not in european], account)
            made.put(table, european, "amz_eu")
    for table, rows in (_shipped_lists() | parcels_by_hand.lists()).items():
        made.put(table, rows, "all")
    made.put("raw_helpdesk.topics", service_rows.topics(), "all")
    for account, desk in service_rows.accounts().items():
        for table, rows in desk.items():
            made.put(table, rows, account)
    shopify_shop.load_shop(made.warehouse, folder / "landing")
    ebay_shop.load_shop(made.warehouse, folder / "landing_ebay")
    walmart_store.load_store(made.warehouse, folder / "landing_walmart")
    parcels_followed.load_services(made.warehouse, folder / "landing")
    result = made.build()
    assert not result.blocking, [(n.name, n.message) for n in result.blocking]
    return made


def later(folder: Path) -> tuple[HandMade, HandMade]:
    """The warehouse above with some rows more and one less: built on top of the last build, and
    built from nothing.
    """
    shutil.copytree(built().warehouse.path.parent, folder / "on_top")
    made = HandMade(folder / "on_top")
    more = order("shop", "O6", "SHEET", ordered_at=at("01-07"), shipped_at=at("01-07", "12:00"))
    made.put("raw_files.orders", [more])
    made.put("raw_files.goods_receipts", [receipt(9, "L4", "SHEET", 8, "01-15")])
    with made.warehouse.connect() as connection:
        connection.execute("delete from raw_files.orders where order_ref = 'U1'")
    shutil.copytree(folder / "on_top", folder / "anew")
    anew = HandMade(folder / "anew")
    for result in (made.build(on_top=True), anew.build(on_top=True, full_refresh=True)):
        assert not result.blocking, [(n.name, n.message) for n in result.blocking]
    return made, anew
