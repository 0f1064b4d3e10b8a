"""The fields kept of transactions, payouts and payment disputes, as in `records.py`.

Belongs here: record Structs of money. Does not belong here: what they mean (the staging models).
"""

from __future__ import annotations

from sources._core.records import Record

from .records import Amount, Tax


class Reference(Record):
    referenceId: str | None = None
    referenceType: str | None = None


class Fee(Record):
    feeType: str | None = None
    amount: Amount | None = None


class FeeLine(Record):
    lineItemId: str | None = None
    feeBasisAmount: Amount | None = None
    marketplaceFees: list[Fee] | None = None
    donations: list[Fee] | None = None


class PayoutDetails(Record):
    payoutIds: list[str] | None = None
    payoutReference: str | None = None


class Transaction(Record):
    """A movement of money; the amount is positive, `bookingEntry` says in which direction."""

    transactionId: str
    transactionType: str
    transactionDate: str | None = None
    transactionStatus: str | None = None
    bookingEntry: str | None = None
    amount: Amount | None = None
    totalFeeAmount: Amount | None = None
    totalFeeBasisAmount: Amount | None = None
    eBayCollectedTaxAmount: Amount | None = None
    feeType: str | None = None
    transactionMemo: str | None = None
    orderId: str | None = None
    salesRecordReference: str | None = None
    paymentsEntity: str | None = None
    payoutId: str | None = None
    payoutDetails: PayoutDetails | None = None
    references: list[Reference] | None = None
    orderLineItems: list[FeeLine] | None = None
    taxes: list[Tax] | None = None


class Payout(Record):
    """Money sent to the seller's bank."""

    payoutId: str
    payoutDate: str | None = None
    payoutStatus: str | None = None
    lastAttemptedPayoutDate: str | None = None
    amount: Amount | None = None
    totalAmount: Amount | None = None
    totalFee: Amount | None = None
    transactionCount: int | None = None


class DisputeOutcome(Record):
    reasonForClosure: str | None = None
    protectionStatus: str | None = None
    protectedAmount: Amount | None = None
    recoupAmount: Amount | None = None
    fees: Amount | None = None
    totalFeeCredit: Amount | None = None


class DisputeMoney(Record):
    date: str | None = None
    type: str | None = None
    reason: str | None = None
    amount: Amount | None = None


class DisputeLine(Record):
    itemId: str | None = None
    lineItemId: str | None = None


class Dispute(Record):
    """A payment that the buyer disputes with his bank or PayPal."""

    paymentDisputeId: str
    orderId: str | None = None
    customerKey: str | None = None
    paymentDisputeStatus: str | None = None
    reason: str | None = None
    sellerResponse: str | None = None
    openDate: str | None = None
    closedDate: str | None = None
    respondByDate: str | None = None
    revision: int | None = None
    amount: Amount | None = None
    resolution: DisputeOutcome | None = None
    lineItems: list[DisputeLine] | None = None
    monetaryTransactions: list[DisputeMoney] | None = None
