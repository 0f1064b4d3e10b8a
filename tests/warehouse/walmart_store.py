"""A store for the models: one purchase order for each thing that Walmart does in its own way.

Belongs here: the orders, returns and reports, and loading them through the connector. Does not
belong here: the stub API (`tests/connectors/walmart_stub.py`) and what should come of it
(`test_models_walmart.py`).
Purchase order n has the number of 13 digits `po(n)`; its SKUs are W-n-1, W-n-2 …
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from assets.load import load_landed
from assets.warehouse import Warehouse
from sources._core.clock import ManualClock
from sources._core.extract import ExtractRequest, extract_all
from sources.walmart import CONNECTOR
from tests.connectors import walmart_stub as stub
from tests.connectors.walmart_stub import Node, StubWalmart, charge, millis, state, zipped

ACCOUNT = "store"
MARKETPLACE = "walmart_us"


def po(number: int) -> str:
    return f"{number:013d}"


def sold(number: int, *states: Node, quantity: int = 1, place: int = 1, **values: Any) -> Node:
    """A line of purchase order `number`, delivered unless told otherwise."""
    found = states or (state("Delivered", quantity, f"T-{number}-{place}"),)
    return stub.line(place, f"W-{number}-{place}", *found, quantity=quantity, **values)


def priced(*charges: Node) -> Node:
    return {"charges": {"charge": list(charges)}}


def make_store() -> StubWalmart:
    api = StubWalmart(page_size=4)
    for part in (_orders, _returns, _money):
        part(api)
    return api


def _orders(api: StubWalmart) -> None:
    cancelled = state("Cancelled", 1, cancellationReason="Customer found a better price")
    shipping = charge(5.0, 0.4, "SHIPPING")
    api.orders += [
        stub.order(1, sold(1)),
        stub.order(2, sold(2, state("Shipped", 2, "T-2"), cancelled, quantity=3)),
        stub.order(3, sold(3, cancelled, **priced(charge(0.0)))),
        stub.order(4, sold(4), customerOrderId="C-SPLIT"),
        stub.order(5, sold(5), customerOrderId="C-SPLIT"),
        stub.order(
            6,
            stub.line(1, "W-5-1", state("Shipped", 1, "T-6"), **priced(charge(0.0))),
            orderType="REPLACEMENT",
            originalCustomerOrderID="C-SPLIT",
        ),
        stub.order(7, sold(7, quantity=2, **priced(charge(40.0), shipping, charge(-3.0)))),
        stub.order(8, stub.line(1, "0 A/B 01", state("Created", 1))),
        stub.order(9, sold(9), shipNode={"type": "WFSFulfilled", "name": "DFW2", "id": "17"}),
        stub.order(10, sold(10), orderDate=millis("2026-03-08T07:59:59+00:00")),
        stub.order(11, sold(11), orderDate=millis("2026-03-09T06:59:59+00:00")),
        stub.order(
            12, sold(12, state("Refund", 1, "T-12a"), state("Shipped", 1, "T-12b"), quantity=2)
        ),
        stub.order(13, sold(13), orderType="REPLACEMENT", originalCustomerOrderID="C-GONE"),
        stub.order(14, sold(14), orderDate=millis("2025-11-02T06:59:59+00:00")),
        stub.order(15, sold(15), orderDate=millis("2025-11-03T07:59:59+00:00")),
    ]


def _back(number: int, *events: Node, **values: Any) -> Node:
    """A line that came back and was paid for, unless told otherwise."""
    found = events or (
        stub.event("REFUND_ISSUED", "2026-03-18T09:00:00.000Z", 2),
        stub.event("RETURN_INITIATED", "2026-03-15T10:00:00.000Z", 0),
        stub.event("DELIVERED_AT_RETURN_CENTER", "2026-03-17T09:00:00.000Z", 1),
    )
    given = {"status": "COMPLETED", "refundedQty": 1, **values}
    return stub.returned_line(number, *found, **given)


def _sent_again(number: int, original: int) -> Node:
    """A replacement order for the first line of another."""
    sent = state("Shipped", 1, f"T-{number}")
    return stub.order(
        number,
        stub.line(1, f"W-{original}-1", sent, **priced(charge(0.0))),
        orderType="REPLACEMENT",
        originalCustomerOrderID=f"2000{original:09d}",
    )


def _returns(api: StubWalmart) -> None:
    """Each on a purchase order of its own, from 21 on."""
    in_transit = stub.event("RETURN_IN_TRANSIT", "2026-03-16T10:00:00.000Z")
    arrived = stub.event("DELIVERED_AT_RETURN_CENTER", "2026-03-17T09:00:00.000Z")
    cancelled = stub.event("RETURN_CANCELLED", "2026-03-17T10:00:00.000Z")
    discount = stub.returned_charge(2.0, 0.0, isDiscount=True)
    api.orders += [stub.order(n, sold(n)) for n in range(21, 30)]
    api.orders += [stub.order(30, sold(30, quantity=3)), stub.order(31, sold(31))]
    api.orders += [_sent_again(32, 25)]
    total = stub.returned_money
    fee = {"name": "lineRestockingFee", "value": total(1.5)}
    api.returns += [
        stub.returned(21, _back(21), totalRefundAmount=total(21.6)),
        stub.returned(22, _back(22, in_transit, status="INITIATED", refundedQty=0)),
        stub.returned(23, _back(23, cancelled, refundedQty=0)),
        stub.returned(24, _back(24, refundedQty=1, isKeepIt=True, returnExpectedFlag=False)),
        stub.returned(25, _back(25, arrived, refundedQty=0), returnType="REPLACEMENT"),
        # a replacement is wished for, and not sent yet
        stub.returned(31, _back(31, arrived, refundedQty=0), returnType="REPLACEMENT"),
        stub.returned(26, _back(26, returnReason="BROUGHT_BAD_LUCK", refundedQty=0)),
        stub.returned(27, _back(27, returnReason="WRONG_SIZE/POOR_FIT", chargeTotals=[fee])),
        # three were asked for, one was paid back; money of one unit stands where three would
        stub.returned(
            30,
            _back(30, quantity=3, charges=[stub.returned_charge(20.0, 1.6), discount]),
            totalRefundAmount=total(19.6),
        ),
    ]


def _money(api: StubWalmart) -> None:
    """28 was refunded by the seller without a return, 29 too, and a payment report says it."""
    for number, amount, tax in ((28, -5.0, -0.4), (29, -20.0, -1.6)):
        part = {"refundReason": "Finance -> Goodwill", "charge": charge(amount, tax)}
        line = next(
            order["orderLines"]["orderLine"][0]
            for order in api.orders
            if order["purchaseOrderId"] == po(number)
        )
        line["refund"] = {"refundCharges": {"refundCharge": [part]}}
    api.recon = {"03172026": zipped("\ufeff" + RECON)}


HEADER = (
    "Period Start Date,Period End Date,Total Payable,Currency,Transaction Posted Timestamp,"
    "Transaction Type,Transaction Description,Purchase Order #,Purchase Order line #,Amount,"
    "Amount Type,Partner Item Id"
)
RECON = "\n".join(
    (
        HEADER,
        "03/03/2026,03/16/2026,-9.15,USD,03/17/2026,PaymentSummary,Deposited in account,,,,,",
        f",,,,03/12/2026,Sale,Purchase,{po(21)},1,20.00,Product Price,W-21-1",
        f",,,,03/12/2026,Sale,Purchase,{po(21)},1,1.60,Product tax,W-21-1",
        f",,,,03/12/2026,Sale,Purchase,{po(21)},1,-1.60,Product tax withheld,W-21-1",
        f",,,,03/12/2026,Sale,Purchase,{po(21)},1,-3.00,Commission on Product,W-21-1",
        f",,,,03/15/2026,Refund,Return Refund,{po(29)},1,-20.00,Product Price,W-29-1",
        f",,,,03/15/2026,Refund,Return Refund,{po(29)},1,-4.00,Shipping,W-29-1",
        f",,,,03/15/2026,Refund,Return Refund,{po(29)},1,-1.60,Product tax,W-29-1",
        f",,,,03/15/2026,Refund,Return Refund,{po(29)},1,1.60,Product tax withheld,W-29-1",
        f",,,,03/15/2026,Refund,Return Refund,{po(29)},1,2.50,Commission on Product,W-29-1",
        f",,,,03/16/2026,Adjustment,Return Shipping Service charge,{po(29)},1,-3.65,Fee,W-29-1",
        ",,,,03/16/2026,Adjustment,WFS lost inventory reimbursement,,,7.00,Other,",
        ",,,,03/16/2026,Adjustment,Goodwill,,,-8.00,Other,",
    )
)


def load_store(warehouse: Warehouse, landing: Path) -> None:
    """Read the store as a night does, and load what has landed."""
    request = ExtractRequest(CONNECTOR, stub.account(ACCOUNT, wfs_report=False))
    with make_store().running():
        outcomes = extract_all([request], landing, ManualClock(stub.NOW))
    assert [(o.stream, o.error) for o in outcomes if o.error] == []
    load_landed(warehouse, landing, [CONNECTOR])
