"""How Walmart rates a store: one number per metric as JSON, the orders behind it as a workbook.

Belongs here: both forms. There is no common schema: rates have one of several names.
"""

from __future__ import annotations

import io
from typing import Any

from openpyxl import Workbook

from .snapshot import Snapshot

Object = dict[str, Any]
METRICS = (
    "otd", "cancellations", "vtr", "srr", "negativeFeedback", "returns", "itemNotReceived",
    "lateShipment", "refunds", "sss/ots", "sss/sfla", "sss/cma",
)  # fmt: skip
_NAMES = (
    ("sellerAccountableRate", "sellerAccountableRateTrend"),
    ("cumulativeRate", "cumulativeRateTrend"),
    ("overallRate", "overallTrend"),
)
_TRENDS = ("GREEN_UP", "GREEN_DOWN", "NEUTRAL", "RED_UP", "RED_DOWN")


def rate_of(known: Snapshot, metric: str, days: int) -> float | None:
    """In percent; None where nothing is known."""
    seller, buyer = known.refund_rates(days)
    rates = {
        "returns": seller + buyer,
        "refunds": seller,
        "itemNotReceived": known.share_of_reason(days, ("LOST_IN_TRANSIT", "LOST_AFTER_DELIVERY")),
        "cancellations": known.share_cancelled(days),
    }
    return rates.get(metric)


def summary(known: Snapshot, metric: str, days: int) -> Object | None:
    rate = rate_of(known, metric, days)
    if rate is None:
        return None
    place = METRICS.index(metric)
    rate_name, trend_name = _NAMES[place % len(_NAMES)]
    return {
        "metric": metric,
        "reportDuration": days,
        rate_name: rate,
        trend_name: _TRENDS[place % len(_TRENDS)],
        "updatedTimestamp": f"{known.moment:%Y-%m-%d %H:%M:%S}",
    }


def workbook(known: Snapshot, metric: str, days: int) -> bytes | None:
    """First a line with the date, then sums that begin with `=`, then a row per return."""
    rate = rate_of(known, metric, days)
    if rate is None:
        return None
    book = Workbook()
    sheet = book.active
    assert sheet is not None  # noqa: S101
    sheet.title = "Accountable"
    sheet.append([f"Data current as of {known.moment:%m/%d/%Y}"])
    sheet.append([f"'= {rate} %"])
    sheet.append(["Purchase Order #", "Return Order #", "SKU", "Reason"])
    for number, rows in known.returns.items():
        for row in rows:
            line = known.line_of(row)
            sheet.append([number, row["return_id"], line["listing_sku"], row["reason_code"]])
    book.create_sheet("Not Accountable").append(["Purchase Order #", "Reason"])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()
