"""Parcels of the warehouse written by hand: orders, scans by file and what tracking services told.

Belongs here: raw rows; the numbers in names are the test cases of the facts about tracking, section
5. Does not belong here: what comes of them (`test_models_parcels.py`).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]
SOURCES = Path(__file__).resolve().parents[2] / "sources"
CHANNEL = "postshop"


def at(text: str) -> datetime:
    """A moment of 2026 in UTC, `at("01-05 18:00")`; a whole date where the year is another."""
    return datetime.fromisoformat(text if text[:2] == "20" else f"2026-{text}")


def scan(number: str, when: str, status: str, carrier: str = "UPS", **values: Any) -> Row:
    """A row of a file of scans."""
    row = {
        "carrier": carrier,
        "tracking_number": number,
        "event_at": at(when),
        "status": status,
        "substatus": None,
        "location_country": "US",
        "description": None,
        "promised_date": None,
        "order_ref": None,
    }
    return {**row, **values}


def order(ref: str, number: str, line: str = "1", **values: Any) -> Row:
    """An order line sent from 5 January, promised for the 12th."""
    row = {
        "channel": CHANNEL,
        "channel_connector": "files",
        "channel_account": CHANNEL,
        "channel_marketplace": CHANNEL,
        "order_ref": ref,
        "line_ref": line,
        "sku": "POSTED",
        "ordered_at": at("01-04 12:00"),
        "country": "US",
        "quantity": 1,
        "unit_price": Decimal("20.00"),
        "currency": "USD",
        "shipped_at": at("01-05 12:00"),
        "promised_at": at("01-12 12:00"),
        "carrier": "UPS",
        "carrier_service": "Ground",
        "tracking_number": number,
    }
    return {**row, **values}


def bill(number: str, kind: str, amount: str, **values: Any) -> Row:
    row = {
        "carrier": "ups",
        "tracking_number": number,
        "charge_type": kind,
        "amount": Decimal(amount),
        "currency": "USD",
        "billed_at": at("01-20 12:00"),
        "bill_ref": "B1",
    }
    return {**row, **values}


ORDERS = [
    order("P1", "1ZPLAIN"),
    order("P1", "1ZPLAIN", line="2", quantity=3),
    order("P2", "1ZLATE"),
    # case 16: one order, two parcels, one of them lost
    order("P16", "1ZARRIVES"),
    order("P16", "1ZLOST", line="2"),
    # case 17: what comes back under the number of the order's return, by a file of scans
    order("P17", "1ZOUT"),
    # nobody tells the number: a file of scans names the order
    order("P20", "", carrier=None, carrier_service=None, tracking_number=None),
    order("P21", "1ZOPEN"),
    # case 4: the service knows nothing of it
    order("P4", "4NOTHING", shipped_at=at("03-18 00:00")),
    order("P22", "CORRECTED", shipped_at=at("03-04 12:00")),
    # case 18
    order("P18", " 00ab12 "),
    # case 5, and a line that does not name the carrier of a number that only one has
    order("P5", "5SAME", carrier="DHL"),
    order("P5B", "1ZNAMELESS", carrier=None),
    # nobody scans them: of one the shop knows the delivery, the 13th in America
    order("P24", "24TOLD", delivered_at=at("01-14 03:00")),
    order("P24", "24QUIET", line="2"),
    # case 15: scanned only after 120 days, but as the parcel of its order
    order("P25", "25SLOW", ordered_at=at("2025-08-31 12:00"), shipped_at=at("2025-09-01 12:00")),
]

SCANS = [
    scan("1ZPLAIN", "01-05 15:00", "LABEL_CREATED"),
    scan("1ZPLAIN", "01-06 15:00", "ACCEPTED"),
    scan("1ZPLAIN", "01-07 15:00", "InTransit", substatus="InTransit_Departure"),
    scan("1ZPLAIN", "01-08 15:00", "ATTEMPT_FAILED"),
    scan("1ZPLAIN", "01-09 21:00", "Delivered"),
    scan("1ZLATE", "01-06 15:00", "picked up"),
    scan("1ZLATE", "01-10 15:00", "AVAILABLE_FOR_PICKUP"),
    scan("1ZLATE", "01-16 03:00", "DELIVERED"),  # the 15th in America
    # case 5: one number of two carriers
    scan("5SAME", "01-06 15:00", "ACCEPTED"),
    scan("5SAME", "01-07 15:00", "ACCEPTED", carrier="DHL"),
    scan("5SAME", "01-09 15:00", "DELIVERED", carrier="DHL"),
    scan("1ZNAMELESS", "01-06 15:00", "ACCEPTED", carrier="ups"),
    # case 6: words that nobody knows
    scan("6NEW", "01-06 15:00", "ACCEPTED"),
    scan("6NEW", "01-07 15:00", "InTransit", substatus="InTransit_Teleported"),
    scan("6NEW", "01-08 15:00", "Beamed", description="up"),
    # case 7: both spellings; damaged also when it came in the end
    scan("7DAMAGE", "01-06 15:00", "IN_TRANSIT"),
    scan("7DAMAGE", "01-07 15:00", "Exception", substatus="Exception_Damage"),
    scan("7DAMAGE", "01-09 15:00", "DELIVERED"),
    scan("7DAMAGED", "01-07 15:00", "Exception", substatus="Exception_Damaged"),
    # case 8: delivered, then returned
    scan("8BACK", "01-06 15:00", "ACCEPTED"),
    scan("8BACK", "01-08 15:00", "DELIVERED"),
    scan("8BACK", "01-10 15:00", "RETURNING"),
    # case 9: lost, then found and delivered
    scan("9FOUND", "01-06 15:00", "ACCEPTED"),
    scan("9FOUND", "01-20 15:00", "LOST"),
    scan("9FOUND", "01-22 15:00", "DELIVERED"),
    # case 10: delivered, but to the sender
    scan("10SENDER", "01-06 15:00", "ACCEPTED"),
    scan("10SENDER", "01-07 15:00", "REFUSED"),
    scan("10SENDER", "01-15 15:00", "DELIVERED", description="Delivered to the sender"),
    # case 11: out of order, twice in one minute, in one minute by their rank
    scan("11ORDER", "01-09 15:00", "DELIVERED"),
    scan("11ORDER", "01-06 15:00:10", "ACCEPTED"),
    scan("11ORDER", "01-06 15:00:50", "ACCEPTED"),
    scan("11ORDER", "01-06 15:00:50", "IN_TRANSIT"),
    # case 13: the night in which New York's clocks go forward; in Germany they go in three weeks
    scan("13CLOCK", "03-08 06:59", "ACCEPTED"),
    scan("13CLOCK", "03-08 07:01", "OUT_FOR_DELIVERY"),
    scan("13CLOCK", "03-09 03:59", "DELIVERED"),
    # case 15: a number used again after a year
    scan("15AGAIN", "2025-01-06 15:00", "ACCEPTED"),
    scan("15AGAIN", "2025-01-09 15:00", "DELIVERED"),
    scan("15AGAIN", "01-20 15:00", "ACCEPTED"),
    # case 16
    scan("1ZARRIVES", "01-06 15:00", "ACCEPTED"),
    scan("1ZARRIVES", "01-10 15:00", "DELIVERED"),
    scan("1ZLOST", "01-06 15:00", "ACCEPTED"),
    scan("1ZLOST", "01-30 15:00", "LOST"),
    # case 17
    scan("1ZOUT", "01-06 15:00", "ACCEPTED"),
    scan("1ZOUT", "01-08 15:00", "DELIVERED"),
    # case 18
    scan("00AB12", "01-06 15:00", "ACCEPTED"),
    # three sources of one delivery: the carrier's file is believed
    scan("TRUST", "03-09 15:00", "DELIVERED"),
    # an order named by a file only, with the day promised there
    scan("20NAMED", "01-06 15:00", "ACCEPTED", order_ref="P20", promised_date=date(2026, 1, 8)),
    scan("20NAMED", "01-08 15:00", "DELIVERED", order_ref="P20", promised_date=date(2026, 1, 8)),
    # customs: held two days, held until tonight
    scan("21HELD", "01-06 15:00", "ACCEPTED"),
    scan("21HELD", "01-10 15:00", "CUSTOMS_HOLD"),
    scan("21HELD", "01-12 15:00", "CUSTOMS_CLEARED"),
    scan("1ZOPEN", "03-10 12:00", "ACCEPTED"),
    scan("1ZOPEN", "03-19 12:00", "CUSTOMS_HOLD"),
    # presumed lost: 60 days by post, 30 by express
    scan("22SILENT", "01-10 15:00", "ACCEPTED", carrier="China Post"),
    scan("22WAITING", "02-10 15:00", "ACCEPTED", carrier="中国邮政"),
    scan("22EXPRESS", "02-10 15:00", "ACCEPTED", carrier="FedEx"),
    scan("23STALE", "01-06 15:00", "ACCEPTED"),
    scan("23STALE", "01-07 15:00", "Expired", substatus="Expired_Other"),
    scan("25SLOW", "01-20 15:00", "ACCEPTED", order_ref="P25"),
    scan("25SLOW", "01-25 15:00", "DELAYED", order_ref="P25"),
    scan("25SLOW", "01-26 15:00", "OUT_FOR_DELIVERY"),
    scan("25SLOW", "01-27 15:00", "OUT_FOR_DELIVERY"),
]

BILLS = [
    bill("1ZPLAIN", "freight", "8.00"),
    bill("1ZPLAIN", "surcharge", "1.50"),
    bill("1ZPLAIN", "duty", "4.00"),
    bill("1ZPLAIN", "claim_credit", "2.00"),
    bill("15AGAIN", "freight", "3.00", billed_at=at("01-25 12:00")),
    bill("1ZPLAIN", "return", "5.00", bill_ref="B2"),
    # no parcel has this number: one bill names the order, one is of nobody
    bill("BILLED1", "return", "6.0050", order_ref="P5"),
    bill("BILLED2", "freight", "3.00"),
    bill("BILLED2", "claim_credit", "7.00"),
]


def rows() -> dict[str, list[Row]]:
    """Raw rows by table."""
    return {
        "raw_files.orders": ORDERS,
        "raw_files.tracking_events": SCANS,
        "raw_files.parcel_costs": BILLS,
    }


def lists() -> dict[str, list[Row]]:
    """The lists that ship with the connector."""
    found: dict[str, list[Row]] = {}
    for name in ("statuses", "file_statuses", "carriers", "carrier_words", "country_codes"):
        with (SOURCES / "tracking" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            found[f"raw_tracking.{name}"] = [
                {k: v or None for k, v in row.items()} for row in csv.DictReader(file)
            ]
    return found
