"""Orders as JSON texts of the Orders API 2026-01-01, all of an account at once.

Belongs here: the shape of `Order` of the official model, and what each `includedData` adds. Texts
are joined column by column, so a page is then a slice.
"""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from .json_text import (
    amount,
    array,
    joined,
    member,
    members,
    moment,
    number,
    text,
    when,
    word,
)
from .snapshot import Snapshot

INCLUDABLE = frozenset(
    {
        "BUYER",
        "RECIPIENT",
        "PROCEEDS",
        "EXPENSE",
        "PROMOTION",
        "CANCELLATION",
        "FULFILLMENT",
        "PACKAGES",
        "TAX",
        "PAYMENT",
        "FULFILLMENT_ORDERS",
    }
)

_ASSOCIATIONS = {"replacement": "REPLACEMENT_ORIGINAL_ID", "exchange": "EXCHANGE_ORIGINAL_ID"}
_LEVELS = {"express": "EXPEDITED", "expedited": "EXPEDITED", "priority": "PRIORITY"}
_IS_PENDING = pl.col("status") == "PENDING"
_IS_FBA = pl.col("fulfilled_by") == "marketplace"


def order_records(
    snapshot: Snapshot, included: Collection[str], *, with_personal_data: bool
) -> pl.DataFrame:
    """One row per order: what searches filter by, and `json`.

    With personal data every personal member is there, whether it was asked for or not. Without,
    the application has no restricted role: RECIPIENT gives the region, BUYER nothing.
    """
    rows = (
        snapshot.orders.join(_items(snapshot, included, with_personal_data), on="order_id")
        .join(_packages(snapshot), on="order_id", how="left")
        .join(_totals(snapshot), on="order_id")
        .join(snapshot.buyers.drop("customer_no"), on="order_id", how="left")
    )
    return rows.sort("updated_at", "order_id").select(
        "order_id",
        "ordered_at",
        "updated_at",
        "status",
        "marketplace_id",
        _fulfiller().alias("fulfilled_by"),
        joined(_members(included, with_personal_data)).alias("json"),
    )


def _members(included: Collection[str], with_personal_data: bool) -> list[pl.Expr]:
    has_alias = pl.col("order_number") != pl.col("order_id")
    alias = members(aliasId=text("order_number"), aliasType=word("SELLER_ORDER_ID"))
    pieces = [
        member("orderId", text("order_id")),
        when(has_alias, member("orderAliases", array(alias))),
        member("createdTime", moment("ordered_at")),
        member("lastUpdatedTime", moment("updated_at")),
        member("programs", _programs()),
        member("associatedOrders", array(_association())),
        member("salesChannel", _sales_channel()),
    ]
    if with_personal_data:
        pieces.append(member("buyer", _buyer()))
    if with_personal_data or "RECIPIENT" in included:
        pieces.append(member("recipient", _recipient(with_personal_data)))
    if "PROCEEDS" in included:
        pieces.append(when(~_IS_PENDING, member("proceeds", _order_proceeds())))
    if "PAYMENT" in included:
        pieces.append(when(~_IS_PENDING, member("payment", _payment())))
    if "FULFILLMENT" in included:
        pieces.append(member("fulfillment", _order_fulfillment()))
    pieces.append(member("orderItems", array(pl.col("items"))))
    if "PACKAGES" in included:
        pieces.append(when(~_IS_FBA, member("packages", array(pl.col("packages")))))
    return pieces


def _programs() -> pl.Expr:
    return array(when(_IS_FBA, word("PRIME")), when(pl.col("is_business"), word("AMAZON_BUSINESS")))


def _association() -> pl.Expr:
    kind = pl.col("link_kind").replace_strict(_ASSOCIATIONS, default=None)
    link = members(orderId=text("replaces_order_id"), associationType=text(kind))
    return when(pl.col("replaces_order_id").is_not_null() & kind.is_not_null(), link)


def _sales_channel() -> pl.Expr:
    return members(
        channelName=word("AMAZON"),
        marketplaceId=text("marketplace_id"),
        marketplaceName=text("sales_channel"),
    )


def _buyer() -> pl.Expr:
    return members(buyerName=text("name"), buyerEmail=text("email"))


def _recipient(with_personal_data: bool) -> pl.Expr:
    region = [
        member("city", text("city")),
        member("stateOrRegion", text("state")),
        member("countryCode", text("country")),
    ]
    if not with_personal_data:
        return members(deliveryAddress=joined(region))
    address = [
        member("name", text("name")),
        member("addressLine1", text("street")),
        member("addressLine2", text(pl.lit("c/o ") + pl.col("name"))),
        member("postalCode", text("postcode")),
        member("phone", text("phone")),
        member("extendedFields", members(streetName=text("street"))),
        *region,
    ]
    preference = members(addressInstruction=text(pl.lit("Ring at ") + pl.col("name")))
    return members(deliveryAddress=joined(address), deliveryPreference=preference)


def _breakdown(kind: str, minor: pl.Expr) -> pl.Expr:
    return members(type=word(kind), subtotal=amount(minor))


def _order_proceeds() -> pl.Expr:
    return members(
        grandTotal=amount(pl.col("item") + pl.col("shipping") + pl.col("tax") - pl.col("discount")),
        breakdowns=array(
            _breakdown("ITEM", pl.col("item")),
            when(pl.col("shipping") != 0, _breakdown("SHIPPING", pl.col("shipping"))),
            when(pl.col("tax") != 0, _breakdown("TAX", pl.col("tax"))),
            when(pl.col("discount") != 0, _breakdown("DISCOUNT", -pl.col("discount"))),
        ),
    )


def _payment() -> pl.Expr:
    execution = members(
        paymentMethod=text("payment_method"),
        paymentAmount=amount(
            pl.col("item") + pl.col("shipping") + pl.col("tax") - pl.col("discount")
        ),
    )
    return members(paymentExecutions=array(execution))


def _fulfiller() -> pl.Expr:
    return pl.when(_IS_FBA).then(pl.lit("AMAZON")).otherwise(pl.lit("MERCHANT"))


def _window(latest: str) -> pl.Expr:
    return members(earliestDateTime=moment("ordered_at"), latestDateTime=moment(latest))


def _order_fulfillment() -> pl.Expr:
    level = pl.col("service").str.to_lowercase().replace_strict(_LEVELS, default="STANDARD")
    return members(
        fulfillmentStatus=text("status"),
        fulfilledBy=text(_fulfiller()),
        fulfillmentServiceLevel=text(level),
        shipByWindow=when(pl.col("ship_by_at").is_not_null(), _window("ship_by_at")),
        deliverByWindow=when(pl.col("deliver_by_at").is_not_null(), _window("deliver_by_at")),
    )


def _with_parts(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines with their four parts of money: goods, shipping, tax, discount; minor units."""
    units = pl.col("quantity")
    return lines.with_columns(
        (pl.col("unit_price_minor") * units).alias("item"),
        pl.col("shipping_minor").alias("shipping"),
        (pl.col("unit_tax_minor") * units + pl.col("shipping_tax_minor")).alias("tax"),
        (pl.col("unit_discount_minor") * units + pl.col("shipping_discount_minor")).alias(
            "discount"
        ),
    )


def _totals(snapshot: Snapshot) -> pl.DataFrame:
    parts = ("item", "shipping", "tax", "discount")
    return _with_parts(snapshot.lines).group_by("order_id").agg(pl.col(*parts).sum())


def _items(snapshot: Snapshot, included: Collection[str], with_personal_data: bool) -> pl.DataFrame:
    """All items of an order as one text, joined by commas, in the order of their lines."""
    lines = _with_parts(snapshot.lines)
    if with_personal_data:
        lines = lines.join(snapshot.buyers.select("order_id", "name"), on="order_id", how="left")
    item = joined(_item_members(included, with_personal_data))
    return (
        lines.select("order_id", "line_no", item.alias("items"))
        .group_by("order_id")
        .agg(pl.col("items").sort_by("line_no").str.join(","))
    )


def _item_members(included: Collection[str], with_personal_data: bool) -> list[pl.Expr]:
    pieces = [
        member("orderItemId", text("order_item_id")),
        member("quantityOrdered", number("quantity")),
        member("product", _product(with_personal_data)),
    ]
    if "PROCEEDS" in included:
        pieces.append(when(~_IS_PENDING, member("proceeds", _item_proceeds())))
    if "PROMOTION" in included:
        promotion = members(breakdowns=array(members(promotionId=text("promotion_ids"))))
        has_one = pl.col("promotion_ids").is_not_null() & ~_IS_PENDING
        pieces.append(when(has_one, member("promotion", promotion)))
    if "CANCELLATION" in included:
        is_cancelled = pl.col("quantity_cancelled") > 0
        pieces.append(when(is_cancelled, member("cancellation", _cancellation())))
    if "FULFILLMENT" in included or with_personal_data:
        pieces.append(member("fulfillment", _item_fulfillment(with_personal_data)))
    return pieces


def _product(with_personal_data: bool) -> pl.Expr:
    """What was bought; while the order is pending neither article nor price is told."""
    price = members(unitPrice=amount("unit_shown_minor"))
    pieces = [
        when(~_IS_PENDING, member("asin", text("asin"))),
        when(~_IS_PENDING, member("title", text("sku_name"))),
        when(~_IS_PENDING, member("sellerSku", text("listing_sku"))),
        member("condition", members(conditionType=word("NEW"), conditionSubtype=word("NEW"))),
        when(~_IS_PENDING, member("price", price)),
    ]
    if with_personal_data:
        link = text(pl.lit("https://amazon.example/custom/") + pl.col("name"))
        pieces.append(member("customization", members(customizedUrl=link)))
    return joined(pieces)


def _item_proceeds() -> pl.Expr:
    total = pl.col("item") + pl.col("shipping") + pl.col("tax") - pl.col("discount")
    return members(
        proceedsTotal=amount(total),
        breakdowns=array(
            _breakdown("ITEM", pl.col("item")),
            when(pl.col("shipping") != 0, _breakdown("SHIPPING", pl.col("shipping"))),
            when(pl.col("tax") != 0, _breakdown("TAX", pl.col("tax"))),
            when(pl.col("discount") != 0, _breakdown("DISCOUNT", -pl.col("discount"))),
        ),
    )


def _cancellation() -> pl.Expr:
    request = members(requester=word("BUYER"), cancelReason=text("line_reason"))
    return members(
        cancellationRequest=when(pl.col("by") == "BUYER", request),
        cancellationExecution=members(cancelledBy=text("by"), cancelReason=text("line_reason")),
    )


def _item_fulfillment(with_personal_data: bool) -> pl.Expr:
    open_units = pl.col("quantity") - pl.col("quantity_shipped") - pl.col("quantity_cancelled")
    pieces = [
        member("quantityFulfilled", number("quantity_shipped")),
        member("quantityUnfulfilled", number(open_units)),
    ]
    if with_personal_data:
        wish = text(pl.lit("For you, ") + pl.col("name"))
        gift = members(giftOption=members(giftMessage=wish))
        pieces.append(member("packing", gift))
    return joined(pieces)


def _packages(snapshot: Snapshot) -> pl.DataFrame:
    """Parcels of an order as one text. Only seller-fulfilled orders show them."""
    lines = snapshot.lines.filter(~_IS_FBA).select("order_id", "line_no", "order_item_id")
    item = members(orderItemId=text("order_item_id"), quantity=number("quantity"))
    parcels = (
        snapshot.shipments.join(lines, on=["order_id", "line_no"])
        .sort("order_id", "parcel_no", "line_no")
        .group_by("order_id", "parcel_no", maintain_order=True)
        .agg(
            item.str.join(",").alias("package_items"),
            pl.col("shipped_at", "carrier", "service", "tracking_number").first(),
        )
    )
    status = members(status=word("SHIPPED"), detailedStatus=word("PICKED_UP"))
    package = members(
        packageReferenceId=text(pl.col("parcel_no").cast(pl.String)),
        createdTime=moment("shipped_at"),
        packageStatus=status,
        carrier=text("carrier"),
        shipTime=moment("shipped_at"),
        shippingService=text("service"),
        trackingNumber=text("tracking_number"),
        packageItems=array(pl.col("package_items")),
    )
    return parcels.group_by("order_id", maintain_order=True).agg(
        package.str.join(",").alias("packages")
    )
