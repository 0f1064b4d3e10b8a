"""Orders of a shop and what hangs on them, as objects of the Admin API.

Belongs here: orders, lines, customers, shipments, disputes, the catalogue. Money back and goods
back are in `aftersales.py`. An object is a dictionary; what is costly to make, or needs arguments,
is a function in it, called when it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from sources._sandbox.api_faults import share_of
from sources._sandbox.world import geography

from .answers import amount_text, gid, moment
from .connections import page
from .snapshot import (
    ARCHIVED_AFTER,
    OUT_BEFORE,
    PICKED_AFTER,
    TRANSIT_AFTER,
    Listed,
    Row,
    Snapshot,
    digits_of_line,
)

Object = dict[str, Any]
GIFT_SHARE, VOIDED_SHARE = 0.012, 0.015
GIFT_MINOR = 2500
CANCEL_REASONS = {
    "CHANGED_MIND": "CUSTOMER",
    "OUT_OF_STOCK": "INVENTORY",
    "PAYMENT_FAILED": "DECLINED",
}
_END = {"lost": "NOT_DELIVERED", "refused": "FAILURE", "undeliverable": "FAILURE"}


def listed(items: Sequence[Any], build: Callable[[Any], Object] = dict) -> Callable[..., Object]:
    """A connection over a short list; bulk reads ask for no `first` and get all."""

    def resolve(
        info: Any,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        reverse: bool = False,
        **_others: Any,
    ) -> Object:
        rows = list(reversed(items)) if reverse else items
        return page(
            rows, build, first=first, after=after, last=last, before=before,
            is_whole=bool(info.context.get("is_bulk")),
        )  # fmt: skip

    return resolve


def plain(items: Sequence[Object]) -> Callable[..., list[Object]]:
    """A list field with an optional `first`."""
    return lambda _info, first=None, **_others: list(items if first is None else items[:first])


class Money:
    """Amounts of one order in the shop's currency and in the buyer's."""

    def __init__(self, currency: str, decimals: int, presentment: str, rate: float) -> None:
        self.currency, self.decimals = currency, decimals
        self.presentment, self.rate = presentment, rate
        self.shown_decimals = geography.decimals(presentment)

    def bag(self, minor: int, *, at_refund: bool = False) -> Object:
        rate = self.rate
        if at_refund and self.presentment != self.currency:
            rate *= 1.004
        shown = round(minor * rate * 10 ** (self.shown_decimals - self.decimals))
        return {
            "shopMoney": {
                "amount": amount_text(minor, self.decimals),
                "currencyCode": self.currency,
            },
            "presentmentMoney": {
                "amount": amount_text(shown, self.shown_decimals),
                "currencyCode": self.presentment,
            },
        }


class Catalogue:
    """Products, variants, stock items and places of a shop."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot

    def product(self, item: Listed) -> Object:
        return {
            "__typename": "Product",
            "id": gid("Product", 8_100_000_000 + item.product_no),
            "legacyResourceId": str(8_100_000_000 + item.product_no),
            "title": item.name,
            "handle": item.sku.lower(),
            "vendor": item.brand,
            "productType": "",
            "status": "ACTIVE",
            "tags": [],
            **_made(item),
        }

    def variant(self, item: Listed) -> Object:
        return {
            "__typename": "ProductVariant",
            "id": gid("ProductVariant", item.variant_id),
            "legacyResourceId": item.variant_id,
            "sku": item.listing_sku,
            "title": self.variant_title(item) or "Default Title",
            "displayName": item.name,
            "barcode": None,
            "price": "0.00",
            "product": lambda _info: self.product(item),
            "inventoryItem": lambda _info: self.stock_item(item),
            **_made(item),
        }

    def variant_title(self, item: Listed) -> str | None:
        return " / ".join(part for part in (item.size, item.colour) if part) or None

    def stock_item(self, item: Listed) -> Object:
        number = 4_500_000_000_000 + item.number
        market = self.snapshot.market
        cost = None
        if item.cost_minor is not None:
            cost = {
                "amount": amount_text(item.cost_minor, market["decimals"]),
                "currencyCode": market["currency"],
            }
        return {
            "__typename": "InventoryItem",
            "id": gid("InventoryItem", number),
            "legacyResourceId": str(number),
            "sku": item.listing_sku,
            "tracked": True,
            "requiresShipping": True,
            "duplicateSkuCount": 0,
            "countryCodeOfOrigin": "CN",
            "harmonizedSystemCode": None,
            "unitCost": cost,
            "variant": lambda _info: self.variant(item),
            "variants": listed([item], self.variant),
            **_made(item),
        }

    def location(self, name: str) -> Object:
        number = 9_000_000 + self.snapshot.centres.index(name)
        opened = "2024-01-01T00:00:00Z"
        return {
            "__typename": "Location",
            "id": gid("Location", number),
            "legacyResourceId": str(number),
            "name": name,
            "isActive": True,
            "fulfillsOnlineOrders": True,
            "createdAt": opened,
            "updatedAt": opened,
        }


def _made(item: Listed) -> Object:
    return {"createdAt": moment(item.launch), "updatedAt": moment(item.launch)}


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
            "taxLines": plain(self._tax_lines(tax * quantity)),
            "duties": [],
        }

    def _tax_lines(self, minor: int) -> list[Object]:
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
            "taxLines": self._tax_lines(tax),
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

    def fulfilments(self) -> list[Object]:
        groups: dict[str, list[Row]] = {}
        for row in self.parcels:
            groups.setdefault(row["shipment_id"], []).append(row)
        found = []
        for number, (shipment_id, rows) in enumerate(groups.items(), 1):
            if share_of(self.snapshot.seed, "voided", shipment_id) < VOIDED_SHARE:
                found.append(self._voided(shipment_id, rows, number))
            found.append(self.fulfilment(shipment_id, rows, number))
        return found

    def _voided(self, shipment_id: str, rows: list[Row], number: int) -> Object:
        """A label that was thrown away an hour before the right one was made."""
        parcel = self.fulfilment(shipment_id, rows, number)
        made = moment(rows[0]["shipped_at"] - timedelta(hours=1))
        digits = f"8{shipment_id[1:]}"
        none = dict.fromkeys(("inTransitAt", "deliveredAt", "estimatedDeliveryAt"))
        return {
            **parcel, **none,
            "id": gid("Fulfillment", digits), "legacyResourceId": digits,
            "status": "CANCELLED", "displayStatus": "CANCELED",
            "createdAt": made, "updatedAt": moment(rows[0]["shipped_at"]),
            "events": listed([]),
            "fulfillmentLineItems": listed(
                [self.fulfilment_line(row, voided=True) for row in rows]
            ),
        }  # fmt: skip

    def fulfilment(self, shipment_id: str, rows: list[Row], number: int) -> Object:
        first = rows[0]
        events = self.events(first) if first["is_followed"] else []
        told = {event["status"]: event["_at"] for event in events}
        estimate = datetime.combine(first["estimated_arrival_date"], datetime.min.time())
        digits = f"1{shipment_id[1:]}"
        last = max([first["shipped_at"], *(event["_at"] for event in events)])
        return {
            "__typename": "Fulfillment",
            "id": gid("Fulfillment", digits),
            "legacyResourceId": digits,
            "name": f"{self.row['order_number']}-F{number}",
            "status": "SUCCESS",
            "displayStatus": self._display_status(first, events),
            "createdAt": moment(first["shipped_at"]),
            "updatedAt": moment(last),
            "inTransitAt": moment(told.get("IN_TRANSIT")),
            "deliveredAt": moment(told.get("DELIVERED")),
            "estimatedDeliveryAt": moment(estimate + timedelta(hours=12)) if events else None,
            "totalQuantity": sum(row["quantity"] for row in rows),
            "requiresShipping": True,
            "order": lambda _info: self.object(),
            "location": self.catalogue.location(first["fulfilment_centre_id"]),
            "trackingInfo": plain(
                [{"number": first["tracking_number"], "company": first["carrier"], "url": None}]
            ),
            "fulfillmentLineItems": listed([self.fulfilment_line(row) for row in rows]),
            "events": listed(events),
        }

    def _display_status(self, row: Row, events: list[Object]) -> str:
        if not events:
            return "FULFILLED"
        last = events[-1]["status"]
        return _END[row["state"]] if last == "FAILURE" else str(last)

    def events(self, row: Row) -> list[Object]:
        """What the carrier told so far."""
        steps = [
            ("LABEL_PRINTED", row["shipped_at"]),
            ("CARRIER_PICKED_UP", row["shipped_at"] + PICKED_AFTER),
            ("IN_TRANSIT", row["shipped_at"] + TRANSIT_AFTER),
        ]
        if row["state"] == "delivered":
            steps.append(("OUT_FOR_DELIVERY", row["delivered_at"] - OUT_BEFORE))
            steps.append(("DELIVERED", row["delivered_at"]))
        else:
            steps.append(("FAILURE", row["state_at"]))
        seen = sorted((at, place, word) for place, (word, at) in enumerate(steps))
        place = geography.country(self.row["country"])
        return [
            {
                "__typename": "FulfillmentEvent",
                "id": gid("FulfillmentEvent", f"{number}{row['shipment_id'][1:]}"),
                "status": word,
                "happenedAt": moment(at),
                "createdAt": moment(at),
                "estimatedDeliveryAt": None,
                "message": None,
                "address1": None,
                "city": None,
                "province": None,
                "country": place.code,
                "zip": None,
                "_at": at,
            }
            for at, number, word in seen
            if at <= self.snapshot.moment
        ]

    def fulfilment_line_id(self, row: Row, *, voided: bool = False) -> str:
        return gid("FulfillmentLineItem", f"{8 if voided else 1}{row['shipment_item_id'][1:]}")

    def fulfilment_line(self, row: Row, *, voided: bool = False) -> Object:
        line = next(line for line in self.lines if line["line_no"] == row["line_no"])
        price, discount, _ = self.line_gross(line)
        return {
            "__typename": "FulfillmentLineItem",
            "id": self.fulfilment_line_id(row, voided=voided),
            "quantity": row["quantity"],
            "lineItem": lambda _info: self.line(line),
            "discountedTotalSet": self.money.bag((price - discount) * row["quantity"]),
            "originalTotalSet": self.money.bag(price * row["quantity"]),
        }

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

    def _dispute_summaries(self) -> list[Object]:
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
    row, bag, totals = order.row, order.money.bag, order.totals()
    closed = order.closed_at()
    refunded = after.refunded_minor()
    paid = totals["total"] if order.is_paid else 0
    address = order.address()
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
        "displayFinancialStatus": after.financial_status(paid, refunded),
        "displayFulfillmentStatus": order.fulfilment_status(),
        "returnStatus": after.return_status(),
        "customer": order.customer(),
        "shippingAddress": address,
        "billingAddress": address,
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
        "taxLines": order._tax_lines(totals["tax"]),
        "refunds": lambda info, first=None: plain(after.refunds())(info, first=first),
        "disputes": order._dispute_summaries(),
        "transactions": lambda info, first=None, **_: plain(after.transactions())(info, first),
        "fulfillments": lambda info, first=None, **_: plain(order.fulfilments())(info, first),
        "fulfillmentsCount": {"count": len(order.parcels), "precision": "EXACT"},
        "shippingLine": order.shipping_line() if order.has_shipping else None,
        "shippingLines": listed([order.shipping_line()] if order.has_shipping else []),
        "lineItems": lambda info, **page_of: listed(order.line_items())(info, **page_of),
        "returns": lambda info, **page_of: listed(after.returns())(info, **page_of),
    }


def shop_object(snapshot: Snapshot, domain: str) -> Object:
    market = snapshot.market
    zone = ZoneInfo(market["time_zone"])
    offset = snapshot.moment.astimezone(zone).utcoffset() or timedelta()
    countries = {row["country"] for row in snapshot.orders.values()}
    opened = "2024-01-01T00:00:00Z"
    return {
        "__typename": "Shop",
        "id": gid("Shop", f"6{sum(map(ord, snapshot.account)):08d}"),
        "name": snapshot.account,
        "myshopifyDomain": domain,
        "currencyCode": market["currency"],
        "ianaTimezone": market["time_zone"],
        "enabledPresentmentCurrencies": sorted(
            {market["currency"], *(geography.country(c).currency for c in countries)}
        ),
        "timezoneOffsetMinutes": int(offset.total_seconds() // 60),
        "createdAt": opened,
        "updatedAt": opened,
    }
