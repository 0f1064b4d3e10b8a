"""The fields kept of a transaction of Finances 2024-06-19.

Belongs here: record Structs, as in `records.py`. Names and shapes are those of the API but for two:
the tree of `breakdowns` is kept as its leaves, each with its path (`finances.py`), and items have
the number of their place, because the API gives them no id.
"""

from __future__ import annotations

from decimal import Decimal

from sources._core.records import Record


class CurrencyAmount(Record):
    currencyCode: str | None = None
    currencyAmount: Decimal | None = None


class LeafAmount(Record):
    """A leaf of the tree of breakdowns; `path` is `Tax/ShippingTax`. Only leaves may be summed."""

    path: str | None = None
    currencyCode: str | None = None
    currencyAmount: Decimal | None = None


class RelatedIdentifier(Record):
    relatedIdentifierName: str | None = None
    relatedIdentifierValue: str | None = None


class ItemRelatedIdentifier(Record):
    itemRelatedIdentifierName: str | None = None
    itemRelatedIdentifierValue: str | None = None


class MarketplaceDetails(Record):
    marketplaceId: str | None = None
    marketplaceName: str | None = None


class SellingPartnerMetadata(Record):
    accountType: str | None = None
    marketplaceId: str | None = None


class Context(Record):
    """`contextType` says which fields there are: product, deferral or range of time."""

    contextType: str | None = None
    asin: str | None = None
    sku: str | None = None
    quantityShipped: int | None = None
    fulfillmentNetwork: str | None = None
    deferralReason: str | None = None
    maturityDate: str | None = None
    startTime: str | None = None
    endTime: str | None = None


class TransactionItem(Record):
    lineNo: int | None = None
    description: str | None = None
    relatedIdentifiers: list[ItemRelatedIdentifier] | None = None
    totalAmount: CurrencyAmount | None = None
    contexts: list[Context] | None = None
    amounts: list[LeafAmount] | None = None


class Transaction(Record, kw_only=True):
    """What a seller was paid or charged; its status changes when held back money is released."""

    transactionId: str
    transactionType: str | None = None
    transactionStatus: str | None = None
    description: str | None = None
    postedDate: str | None = None
    totalAmount: CurrencyAmount | None = None
    relatedIdentifiers: list[RelatedIdentifier] | None = None
    marketplaceDetails: MarketplaceDetails | None = None
    sellingPartnerMetadata: SellingPartnerMetadata | None = None
    contexts: list[Context] | None = None
    items: list[TransactionItem] | None = None
    amounts: list[LeafAmount] | None = None
