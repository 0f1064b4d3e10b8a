"""The fields kept of payment reports and statements.

Belongs here: record Structs only. Does not belong here: how files become rows (`recon.py`).
Names of report columns are theirs in small letters. City and postcode of a buyer are left out.
"""

from __future__ import annotations

from decimal import Decimal

from sources._core.records import Record


class ReconRow(Record):
    """A row of a payment report. Days are ISO text; Walmart gives them no time and no zone."""

    report_date: str
    row_no: int
    period_start_date: str | None = None
    period_end_date: str | None = None
    total_payable: Decimal | None = None
    currency: str | None = None
    transaction_key: str | None = None
    transaction_posted_timestamp: str | None = None
    transaction_type: str | None = None
    transaction_description: str | None = None
    customer_order: str | None = None
    customer_order_line: str | None = None
    purchase_order: str | None = None
    purchase_order_line: str | None = None
    amount: Decimal | None = None
    amount_type: str | None = None
    ship_qty: str | None = None
    partner_item_id: str | None = None
    partner_gtin: str | None = None
    partner_item_name: str | None = None
    product_tax_code: str | None = None
    ship_to_state: str | None = None
    contract_category: str | None = None
    product_type: str | None = None
    commission_rate: str | None = None
    shipping_method: str | None = None
    fulfillment_type: str | None = None
    transaction_reason_description: str | None = None
    return_order: str | None = None


RECON_DROPPED = ("ship_to_city", "ship_to_zipcode", "ship_to_county")


class AccountSummary(Record):
    openingBalance: Decimal | None = None
    orderActivity: Decimal | None = None
    walmartFulfillmentServices: Decimal | None = None
    otherActivities: Decimal | None = None
    reserve: Decimal | None = None
    paidToYou: Decimal | None = None
    closingBalance: Decimal | None = None
    scheduledSettlementDate: str | None = None
    settleCycle: str | None = None
    reserveToDate: Decimal | None = None
    lastUpdatedDate: str | None = None
    holdAmt: Decimal | None = None


class Activity(Record):
    """Sales or refunds of the cycle; amounts carry their sign."""

    productPrice: Decimal | None = None
    shipping: Decimal | None = None
    netTaxCollected: Decimal | None = None
    productTaxCollected: Decimal | None = None
    shippingTaxCollected: Decimal | None = None
    netTaxWithheld: Decimal | None = None
    productTaxWithheld: Decimal | None = None
    shippingTaxWithheld: Decimal | None = None
    netComm: Decimal | None = None
    netPayable: Decimal | None = None
    wfsShipping: Decimal | None = None
    totalBaseCommission: Decimal | None = None
    commissionSavings: Decimal | None = None


class Adjustments(Record):
    netPayable: Decimal | None = None
    returnShipServCharge: Decimal | None = None


class WfsFees(Record):
    netPayable: Decimal | None = None
    wfsInventoryRemovalFee: Decimal | None = None
    wfsStorageFee: Decimal | None = None
    wfsFullfillmentFee: Decimal | None = None
    wfsReturnShippingFee: Decimal | None = None


class TransactionDetails(Record):
    saleAggregate: Activity | None = None
    refundDetails: Activity | None = None
    adjustmentAggregate: Adjustments | None = None
    wfs: WfsFees | None = None


class PaymentStatement(Record):
    """The pay cycle that is open now; its past states are in the history of the raw table."""

    cycle: str
    outstandingMCABalance: Decimal | None = None
    accountSummary: AccountSummary | None = None
    transactionDetails: TransactionDetails | None = None


STATEMENT_DROPPED = (
    "sellerInfo",
    "accountSummary.paymentProcessor",
    "accountSummary.holdDates",
    "transactionDetails.partnerTxns",
    "transactionDetails.saleAggregate.wfsShipppingTax",
)
