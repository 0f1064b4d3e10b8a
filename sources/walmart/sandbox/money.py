"""Walmart's money: the recon file of every closed period, and the statement of the open one.

Belongs here: rows of the file and sums of the statement. Does not belong here: who may call.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections import defaultdict
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from .answers import major
from .snapshot import Row, Snapshot

Object = dict[str, Any]
COLUMNS = (
    "Period Start Date", "Period End Date", "Total Payable", "Currency", "Transaction Key",
    "Transaction Posted Timestamp", "Transaction Type", "Transaction Description",
    "Customer Order #", "Customer Order line #", "Purchase Order #", "Purchase Order line #",
    "Amount", "Amount Type", "Ship Qty", "Partner Item Id", "Partner GTIN", "Partner Item Name",
    "Product Tax Code", "Ship to State", "Ship to City", "Ship to Zipcode", "Contract Category",
    "Product Type", "Shipping Method", "Fulfillment Type",
)  # fmt: skip
_WINDOWS = (7, 14, 30, 60, 90)


def report_date(day: datetime) -> str:
    """`MMDDYYYY`, as files are asked for; within a file days are `MM/DD/YYYY`."""
    return f"{day:%m%d%Y}"


class Money:
    """What a store was booked in a market at a moment."""

    def __init__(self, known: Snapshot) -> None:
        self.known = known

    @cached_property
    def payouts(self) -> list[Row]:
        """Periods whose file is there, oldest first."""
        rows = self.known.world.market_payouts.filter(
            pl.col("account") == self.known.account,
            pl.col("currency") == self.known.market["currency"],
            pl.col("listed_at") <= self.known.moment,
        )
        return rows.sort("listed_at").to_dicts()

    def dates(self) -> list[str]:
        return [report_date(row["listed_at"]) for row in self.payouts]

    def file(self, date: str) -> bytes | None:
        """The ZIP of a period, None where there is none of that date."""
        found = next((p for p in self.payouts if report_date(p["listed_at"]) == date), None)
        if found is None:
            return None
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\r\n")
        writer.writeheader()
        writer.writerow(self._summary(found))
        writer.writerows(self._row(found, row) for row in self._booked_in(found))
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            entry = zipfile.ZipInfo(f"ReconReport_{date}.csv", (2026, 1, 1, 0, 0, 0))
            archive.writestr(entry, text.getvalue().encode("utf-8-sig"))
        return packed.getvalue()

    def _booked_in(self, payout: Row) -> list[Row]:
        """In the order of the file."""
        rows = self.known.world.market_bookings.filter(pl.col("payout_id") == payout["payout_id"])
        order = ["booked_at", "booking_id", "kind", "line_no", "component"]
        return rows.filter(pl.col("account") == self.known.account).sort(order).to_dicts()

    def _day(self, at: datetime) -> str:
        """The day in the market, without a zone."""
        zone = ZoneInfo(self.known.market["time_zone"])
        return f"{at.replace(tzinfo=ZoneInfo('UTC')).astimezone(zone):%m/%d/%Y}"

    def _amount(self, minor: int) -> str:
        digits = self.known.market["decimals"]
        return f"{minor / 10**digits:.{digits}f}"

    def _period(self, payout: Row) -> Object:
        return {
            "Period Start Date": self._day(payout["start_at"]),
            "Period End Date": self._day(payout["end_at"]),
            "Currency": payout["currency"],
        }

    def _summary(self, payout: Row) -> Object:
        return self._period(payout) | {
            "Total Payable": self._amount(payout["amount_minor"]),
            "Transaction Type": "PaymentSummary",
            "Transaction Description": "Deposited in  account",
            "Transaction Posted Timestamp": self._day(payout["listed_at"]),
        }

    def _row(self, payout: Row, row: Row) -> Object:
        order = self.known.orders[row["order_id"]]
        lines = self.known.lines[row["order_id"]]
        line = next(line for line in lines if line["line_no"] == row["line_no"])
        person = self.known.buyers[order["customer_no"]]
        by_walmart = order["fulfilled_by"] == "marketplace"
        return {
            "Currency": payout["currency"],
            "Transaction Key": f"{row['booked_at']:%Y_%m_%d}_{row['booking_id']}",
            "Transaction Posted Timestamp": self._day(row["booked_at"]),
            "Transaction Type": row["kind"],
            "Transaction Description": row["memo"],
            "Customer Order #": order["order_number"],
            "Customer Order line #": row["line_no"],
            "Purchase Order #": row["order_id"],
            "Purchase Order line #": row["line_no"],
            "Amount": self._amount(row["amount_minor"]),
            "Amount Type": row["component"],
            "Ship Qty": line["quantity"] - line["quantity_cancelled"],
            "Partner Item Id": line["listing_sku"],
            "Partner GTIN": f"0{line['order_item_id'][:13]}",
            "Partner Item Name": line["sku_name"],
            "Product Tax Code": "100",
            "Ship to State": person["state"],
            "Ship to City": person["city"],
            "Ship to Zipcode": person["postcode"],
            "Contract Category": "Baby",
            "Product Type": "Baby",
            "Shipping Method": "Marketplace value",
            "Fulfillment Type": "Walmart Fulfilled" if by_walmart else "Seller Fulfilled",
        }

    # the statement of the cycle that is still open

    @cached_property
    def _open(self) -> list[Row]:
        rows = self.known.world.market_bookings.filter(
            pl.col("account") == self.known.account,
            pl.col("currency") == self.known.market["currency"],
            pl.col("booked_at") <= self.known.moment,
            pl.col("paid_out_at").is_null() | (pl.col("paid_out_at") > self.known.moment),
        )
        return rows.to_dicts()

    def _sums(self, kind: str) -> dict[str, float]:
        sums: dict[str, int] = defaultdict(int)
        for row in self._open:
            if row["kind"] == kind:
                sums[row["component"]] += row["amount_minor"]
        digits = self.known.market["decimals"]
        return defaultdict(float, {name: major(minor, digits) for name, minor in sums.items()})

    def _part(self, kind: str) -> Object:
        sums = self._sums(kind)
        collected = sums["Product tax"] + sums["Shipping tax"]
        withheld = sums["Product tax withheld"] + sums["Shipping tax withheld"]
        return {
            "productPrice": sums["Product Price"],
            "shipping": sums["Shipping"],
            "netTaxCollected": collected,
            "productTaxCollected": sums["Product tax"],
            "shippingTaxCollected": sums["Shipping tax"],
            "netTaxWithheld": withheld,
            "productTaxWithheld": sums["Product tax withheld"],
            "shippingTaxWithheld": sums["Shipping tax withheld"],
            "netComm": sums["Commission on Product"],
            "netPayable": round(sum(sums.values()), 2),
        }

    def statement(self) -> Object:
        """`GET /v3/report/payment/statement`; amounts are signed."""
        adjusted = self._sums("Adjustment")
        back, sending = (
            adjusted["Return Shipping Service Charge"], adjusted["WFS Fulfillment fee"],
        )  # fmt: skip
        sales, refunds = self._part("Sale"), self._part("Refund")
        activity = round(sales["netPayable"] + refunds["netPayable"] + back, 2)
        return self._wrapped(
            {
                "outstandingMCABalance": 0,
                "accountSummary": {
                    "openingBalance": 0,
                    "orderActivity": activity,
                    "walmartFulfillmentServices": sending,
                    "otherActivities": 0,
                    "closingBalance": round(activity + sending, 2),
                    "settleCycle": "Bi-weekly",
                    "lastUpdatedDate": f"{self.known.moment:%Y-%m-%d}",
                },
                "transactionDetails": {
                    "saleAggregate": sales,
                    "refundDetails": refunds,
                    "adjustmentAggregate": {"netPayable": back, "returnShipServCharge": back},
                    "wfs": {"netPayable": sending, "wfsFullfillmentFee": sending},
                    "partnerTxns": {},
                },
            }
        )

    def performance(self) -> Object:
        """`GET /v3/report/payment/performance`: refunds by whose fault they are, in percent."""
        shown = {}
        for days in _WINDOWS:
            seller, buyer = self.known.refund_rates(days)
            shown[f"{days}DAY"] = {
                "refundRateSellerFault": seller,
                "refundRateCustomerFault": buyer,
                "cancellationSellerFault": 0,
                "cancellationCustomerFault": 0,
            }
        return self._wrapped(shown)

    def _wrapped(self, payload: Object) -> Object:
        partner = f"{self.known.seller_id:011d}"
        return {
            "statusCode": 200, "status": "OK", "error": "", "partnerId": partner,
            "payload": payload,
        }  # fmt: skip
