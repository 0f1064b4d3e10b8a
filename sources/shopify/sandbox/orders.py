"""Orders of a shop as objects of the Admin API: lines, customers, totals, disputes.

Belongs here: the sale. Parcels are in `shipments.py`, money and goods back in `aftersales.py`. An
object is a dictionary; what is costly to make, or needs arguments, is a function in it, called when
it is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from sources._sandbox.api_faults import share_of
from sources._sandbox.world import geography

from .answers import amount_text, gid, moment
from .catalogue import Catalogue
from .connections import listed, plain
from .money import Money
from .shipments import Shipments
from .snapshot import ARCHIVED_AFTER, Row, Snapshot, digits_of_line

Object = dict[str, Any]
GIFT_SHARE = 0.012
GIFT_MINOR = 2500
CANCEL_REASONS = {
    "CHANGED_MIND": "CUSTOMER",
    "OUT_OF_STOCK": "INVENTORY",
    "PAYMENT_FAILED": "DECLINED",
}


class Order:
    """One order, with its lines as rows of the world; `is_test` makes a copy that is no sale."""

    def __init__(
        self, snapshot: Snapshot, order_id: str, *, is_test: bool, with_personal_data: bool
    ) -> None:
        self.snapshot = snapshot
        self.row: Row = snapshot.orders[order_id]
        self.is_test = is_test
        self.with_personal_data = with_personal_data
        self.world_id = order_id
        self.digits = f"59{order_id[2:]}" if is_test else order_id
        self.catalogue = Catalogue(snapshot)
        self.lines: list[Row] = snapshot.lines[order_id]
        self.parcels: list[Row] = [] if is_test else snapshot.parcels[order_id]
        self.includes_tax = bool(snapshot.market["prices_include_tax"])
        buyer = geography.country(self.row["country"]).currency
        shop = snapshot.market["currency"]
        drift = 1.0 + (share_of(snapshot.seed, "rate", order_id) - 0.5) * 0.04
        rate = geography.units_per_usd(buyer) / geography.units_per_usd(shop)
        self.money = Money(
            shop, snapshot.market["decimals"], buyer, 1.0 if buyer == shop else rate * drift
        )

    @cached_property
    def is_cancelled(self) -> bool:
        at = self.row["cancelled_at"]
        return at is not None and at <= self.snapshot.moment

    @cached_property
    def is_paid(self) -> bool:
        at = self.row["paid_at"]
        return at is not None and at <= self.snapshot.moment

    @cached_property
    def has_gift(self) -> bool:
        """A gift card in an ordinary order: sold, but nothing that can come back."""
        luck = share_of(self.snapshot.seed, "gift card", self.world_id)
        return luck < GIFT_SHARE and self.row["cancelled_at"] is None

    def units(self, rows: Sequence[Row], line_no: int) -> int:
        return sum(row["quantity"] for row in rows if row["line_no"] == line_no)

    def shipped(self, line_no: int) -> int:
        return self.units(self.parcels, line_no)

    @cached_property
    def edits(self) -> list[Row]:
        return [] if self.is_test else self.snapshot.edits[self.world_id]

    @cached_property
    def refunded_lines(self) -> list[Row]:
        """Lines of the refunds so far."""
        if self.is_test:
            return []
        known = {row["refund_id"] for row in self.snapshot.refunds[self.world_id]}
        return [
            row for row in self.snapshot.refund_lines[self.world_id] if row["refund_id"] in known
        ]

    def unfulfilled(self, line: Row) -> int:
        number = line["line_no"]
        gone = self.units(self.edits, number) + sum(
            row["quantity"]
            for row in self.refunded_lines
            if row["line_no"] == number and row["restock_type"] == "CANCEL"
        )
        return max(int(line["quantity"]) - self.shipped(number) - gone, 0)

    def line_gross(self, line: Row) -> tuple[int, int, int]:
        """Original price, discount and tax of a unit, as the shop shows them."""
        tax = line["unit_tax_minor"]
        shown = line["unit_price_minor"] + (tax if self.includes_tax else 0)
        return shown, line["unit_discount_minor"], tax

    def line_id(self, line: Row) -> str:
        digits = digits_of_line(line["order_item_id"])
        return gid("LineItem", f"9{digits}" if self.is_test else digits)

    def line_by_no(self, line_no: int) -> Object:
        return self.line(next(row for row in self.lines if row["line_no"] == line_no))

    def line(self, line: Row) -> Object:
        item = self.snapshot.products[line["sku"]]
        price, discount, tax = self.line_gross(line)
        quantity, number, bag = line["quantity"], line["line_no"], self.money.bag
        back = self.units(self.refunded_lines, number)
        is_gone = line["is_delisted"]
        return {
            "__typename": "LineItem",
            "id": self.line_id(line),
            "name": item.name,
            "title": item.name,
            "variantTitle": self.catalogue.variant_title(item),
            "vendor": item.brand,
            "sku": line["listing_sku"],
            "quantity": quantity,
            "currentQuantity": quantity - back - self.units(self.edits, number),
            "refundableQuantity": max(quantity - back - self.units(self.edits, number), 0),
            "unfulfilledQuantity": self.unfulfilled(line),
            "nonFulfillableQuantity": 0,
            "requiresShipping": True,
            "isGiftCard": False,
            "restockable": True,
            "taxable": True,
            "customAttributes": [],
            "product": None if is_gone else (lambda _info: self.catalogue.product(item)),
            "variant": None if is_gone else (lambda _info: self.catalogue.variant(item)),
            "originalUnitPriceSet": bag(price),
            "originalTotalSet": bag(price * quantity),
            "discountedUnitPriceSet": bag(price - discount),
            "discountedUnitPriceAfterAllDiscountsSet": bag(price - discount),
            "discountedTotalSet": bag((price - discount) * quantity),
            "totalDiscountSet": bag(discount * quantity),
            "priceAfterAllDiscountsBeforeTaxesSet": bag(
                (line["unit_price_minor"] - discount) * quantity
            ),
            "discountAllocations": [{"allocatedAmountSet": bag(discount * quantity)}]
            if discount
            else [],
            "taxLines": plain(self.tax_lines(tax * quantity)),
            "duties": [],
        }

    def tax_lines(self, minor: int) -> list[Object]:
        rate = self.snapshot.market["tax_rate_bp"] / 10_000
        if not minor:
            return []
        share = {"rate": rate, "ratePercentage": rate * 100}
        return [{"title": "VAT", "priceSet": self.money.bag(minor), **share}]

    def _gift_line(self) -> Object:
        bag, none = self.money.bag(GIFT_MINOR), self.money.bag(0)
        return {
            "__typename": "LineItem",
            "id": gid("LineItem", f"7{self.world_id[-14:]}"),
            "name": "Gift card",
            "title": "Gift card",
            "variantTitle": None,
            "vendor": None,
            "sku": None,
            "quantity": 1,
            "currentQuantity": 1,
            "refundableQuantity": 1,
            "unfulfilledQuantity": 0,
            "nonFulfillableQuantity": 0,
            "requiresShipping": False,
            "isGiftCard": True,
            "restockable": False,
            "taxable": False,
            "customAttributes": [],
            "product": None,
            "variant": None,
            **dict.fromkeys(
                ("originalUnitPriceSet", "originalTotalSet", "discountedUnitPriceSet",
                 "discountedUnitPriceAfterAllDiscountsSet", "discountedTotalSet",
                 "priceAfterAllDiscountsBeforeTaxesSet"), bag,
            ),
            "totalDiscountSet": none,
            "discountAllocations": [],
            "taxLines": plain([]),
            "duties": [],
        }  # fmt: skip

    @cached_property
    def shipping(self) -> tuple[int, int, int]:
        """Price, discount and tax of shipping, tax-free."""
        first = [row for row in self.lines if row["added_at"] is None]
        names = ("shipping_minor", "shipping_discount_minor", "shipping_tax_minor")
        price, off, tax = (sum(row[name] for row in first) for name in names)
        return price, off, tax

    def shipping_line(self) -> Object:
        price, off, tax = self.shipping
        shown = price + (tax if self.includes_tax else 0)
        bag = self.money.bag
        return {
            "id": gid("ShippingLine", f"3{self.digits[-14:]}"),
            "title": "Standard",
            "code": "standard",
            "source": "shopify",
            "custom": False,
            "isRemoved": False,
            "originalPriceSet": bag(shown),
            "discountedPriceSet": bag(shown - off),
            "currentDiscountedPriceSet": bag(shown - off),
            "discountAllocations": [{"allocatedAmountSet": bag(off)}] if off else [],
            "taxLines": self.tax_lines(tax),
        }

    @cached_property
    def has_shipping(self) -> bool:
        return self.shipping[0] > 0

    def totals(self) -> dict[str, int]:
        """Sums of the order as placed and as it stands, in minor units."""
        old = [row for row in self.lines if row["added_at"] is None]
        price, off, shipping_tax = self.shipping
        net = sum((r["unit_price_minor"] - r["unit_discount_minor"]) * r["quantity"] for r in old)
        tax = sum(r["unit_tax_minor"] * r["quantity"] for r in old) + shipping_tax
        gift = GIFT_MINOR * self.has_gift
        return {
            "goods": net + gift,
            "tax": tax,
            "shipping": price - off,
            "discount": off + sum(r["unit_discount_minor"] * r["quantity"] for r in old),
            "total": net + tax + price - off + gift,
        }

    def customer(self) -> Object | None:
        row = self.row
        if row["is_guest"] or (row["customer_no"] is None):
            return None
        digits = customer_digits(row["customer_no"])
        buyer = self.snapshot.buyers.get(row["customer_no"], {}) if self.with_personal_data else {}
        name = buyer.get("name")
        return {
            "__typename": "Customer",
            "id": gid("Customer", digits),
            "legacyResourceId": digits,
            "displayName": name or f"Customer {digits}",
            "firstName": name,
            "lastName": name,
            "email": buyer.get("email"),
            "phone": buyer.get("phone"),
            "createdAt": moment(row["ordered_at"]),
            "updatedAt": moment(row["ordered_at"]),
            "tags": [],
            "locale": self.snapshot.market["language"],
        }

    def address(self) -> Object | None:
        if share_of(self.snapshot.seed, "no address", self.digits) < 0.004 and self.is_test:
            return None
        buyer = self.snapshot.buyers.get(self.row["customer_no"], {})
        personal = buyer if self.with_personal_data else {}
        return {
            "__typename": "MailingAddress",
            "id": gid("MailingAddress", f"2{self.digits[-14:]}"),
            "name": personal.get("name"),
            "firstName": personal.get("name"),
            "lastName": personal.get("name"),
            "company": None,
            "address1": personal.get("street"),
            "address2": None,
            "city": personal.get("city"),
            "zip": personal.get("postcode"),
            "phone": personal.get("phone"),
            "province": buyer.get("state") or None,
            "provinceCode": buyer.get("state") or None,
            "country": self.row["country"],
            "countryCodeV2": self.row["country"],
        }

    def fulfilment_status(self) -> str:
        shipped = bool(self.parcels)
        if any(self.unfulfilled(line) for line in self.lines) and not self.is_cancelled:
            return "PARTIALLY_FULFILLED" if shipped else "UNFULFILLED"
        return "FULFILLED" if shipped else "RESTOCKED" if self.is_cancelled else "UNFULFILLED"

    @cached_property
    def shipments(self) -> Shipments:
        return Shipments(self)

    def dispute(self, row: Row) -> Object:
        now = self.snapshot.moment
        status = (
            row["outcome"]
            if row["closed_at"] <= now
            else "UNDER_REVIEW" if row["evidence_at"] <= now else "NEEDS_RESPONSE"
        )  # fmt: skip
        return {
            "__typename": "ShopifyPaymentsDispute",
            "id": gid("ShopifyPaymentsDispute", row["dispute_id"]),
            "legacyResourceId": row["dispute_id"],
            "type": row["kind"],
            "status": status,
            "amount": {
                "amount": amount_text(row["amount_minor"], self.money.decimals),
                "currencyCode": row["currency"],
            },
            "initiatedAt": moment(row["opened_at"]),
            "evidenceDueBy": moment(row["opened_at"] + timedelta(days=9)),
            "evidenceSentOn": moment(row["evidence_at"]) if row["evidence_at"] <= now else None,
            "finalizedOn": moment(row["closed_at"]) if row["closed_at"] <= now else None,
            "order": lambda _info: self.object(),
            "reasonDetails": {"reason": row["reason"], "networkReasonCode": None},
        }

    def dispute_summaries(self) -> list[Object]:
        rows = [] if self.is_test else self.snapshot.disputes[self.world_id]
        return [
            {
                "id": gid("OrderDisputeSummary", row["dispute_id"]),
                "status": self.dispute(row)["status"],
                "initiatedAs": row["kind"],
            }
            for row in rows
        ]

    def line_items(self) -> list[Object]:
        lines = [self.line(row) for row in self.lines]
        return [*lines, self._gift_line()] if self.has_gift else lines

    def closed_at(self) -> datetime | None:
        """Archived a month after the last parcel, or when cancelled."""
        if self.is_cancelled:
            cancelled: datetime | None = self.row["cancelled_at"]
            return cancelled
        if self.fulfilment_status() != "FULFILLED":
            return None
        archived = max(row["shipped_at"] for row in self.parcels) + ARCHIVED_AFTER
        return archived if archived <= self.snapshot.moment else None

    def object(self) -> Object:
        from .aftersales import AfterSales

        return order_object(self, AfterSales(self))


def customer_digits(customer_no: str) -> str:
    """`C01-000123` -> digits of the customer's id."""
    return f"7{customer_no.removeprefix('C').replace('-', '0')}"


def order_object(order: Order, after: Any) -> Object:
    """The order as a whole; `after` is its after-sales side."""
    refunded = after.refunded_minor()
    paid = order.totals()["total"] if order.is_paid else 0
    address = order.address()
    return {
        **_head(order),
        "displayFinancialStatus": after.financial_status(paid, refunded),
        "displayFulfillmentStatus": order.fulfilment_status(),
        "returnStatus": after.return_status(),
        "customer": order.customer(),
        "shippingAddress": address,
        "billingAddress": address,
        **_amounts(order, after, paid, refunded),
        "refunds": lambda info, first=None: plain(after.refunds())(info, first=first),
        "disputes": order.dispute_summaries(),
        "transactions": lambda info, first=None, **_: plain(after.transactions())(info, first),
        "fulfillments": lambda info, first=None, **_: plain(order.shipments.fulfilments())(
            info, first
        ),
        "fulfillmentsCount": {"count": len(order.parcels), "precision": "EXACT"},
        "shippingLine": order.shipping_line() if order.has_shipping else None,
        "shippingLines": listed([order.shipping_line()] if order.has_shipping else []),
        "lineItems": lambda info, **page_of: listed(order.line_items())(info, **page_of),
        "returns": lambda info, **page_of: listed(after.returns())(info, **page_of),
    }


def _head(order: Order) -> Object:
    """What the order says of itself, without money."""
    row, closed = order.row, order.closed_at()
    return {
        "__typename": "Order",
        "id": gid("Order", order.digits),
        "legacyResourceId": order.digits,
        "name": row["order_number"],
        "number": int(row["order_number"].removeprefix("#")),
        "createdAt": moment(row["ordered_at"]),
        "processedAt": moment(row["ordered_at"]),
        "updatedAt": moment(order.snapshot.updated.get(order.world_id, row["ordered_at"])),
        "closed": closed is not None,
        "closedAt": moment(closed),
        "cancelledAt": moment(row["cancelled_at"]) if order.is_cancelled else None,
        "cancelReason": CANCEL_REASONS.get(row["cancel_reason"], "OTHER")
        if order.is_cancelled
        else None,
        "test": order.is_test,
        "edited": bool(order.edits),
        "confirmed": True,
        "note": None,
        "tags": [],
        "sourceName": "web",
        "email": None,
        "phone": None,
        "currencyCode": order.money.currency,
        "presentmentCurrencyCode": order.money.presentment,
        "taxesIncluded": order.includes_tax,
        "dutiesIncluded": False,
        "discountCodes": [],
        "customAttributes": [],
    }


def _amounts(order: Order, after: Any, paid: int, refunded: int) -> Object:
    bag, totals = order.money.bag, order.totals()
    return {
        "totalPriceSet": bag(totals["total"]),
        "originalTotalPriceSet": bag(totals["total"]),
        "currentTotalPriceSet": bag(totals["total"] - refunded),
        "subtotalPriceSet": bag(totals["goods"] + (totals["tax"] if order.includes_tax else 0)),
        "totalTaxSet": bag(totals["tax"]),
        "totalDiscountsSet": bag(totals["discount"]),
        "totalShippingPriceSet": order.shipping_line()["discountedPriceSet"],
        "totalRefundedSet": bag(refunded, at_refund=True),
        "totalRefundedShippingSet": bag(after.refunded_shipping(), at_refund=True),
        "totalReceivedSet": bag(paid),
        "netPaymentSet": bag(paid - refunded),
        "refundDiscrepancySet": bag(after.discrepancy()),
        "taxLines": order.tax_lines(totals["tax"]),
    }
