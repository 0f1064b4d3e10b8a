"""The reviews of each app: which fields are kept, how a review is recognised.

Belongs here: records, declarations and reading. Does not belong here: requests (`client.py`).
A review that is shown on several products of a group is a row for each: the app's id makes them
one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sources._core.connector import Page, Stream, StreamContext, Window
from sources._core.records import Record
from sources._core.static import static_streams

from .client import ReviewsClient
from .config import OKENDO_LOOKBACK, Provider

Row = dict[str, Any]


class JudgeMeReview(Record):
    """A review of Judge.me; `product_external_id` is Shopify's number of the product."""

    id: int
    product_external_id: str | None = None
    title: str | None = None
    body: str | None = None
    rating: float | None = None
    source: str | None = None
    verified: str | None = None
    published: bool | None = None
    hidden: bool | None = None
    curated: str | None = None
    created_at: str | None = None
    updated_at: str | None = None


class YotpoReview(Record):
    """A review of Yotpo; on Shopify its `sku` is the number of the product."""

    id: int
    sku: str | None = None
    score: float | None = None
    title: str | None = None
    content: str | None = None
    votes_up: int | None = None
    votes_down: int | None = None
    created_at: str | None = None
    updated_at: str | None = None
    deleted: bool | None = None
    archived: bool | None = None
    escalated: bool | None = None
    reviewer_type: str | None = None
    incentive_type: str | None = None
    is_incentivized: bool | None = None


class OkendoAttribute(Record):
    """What a buyer says of fit or quality."""

    title: str | None = None
    value: str | None = None


class OkendoReview(Record):
    """A review of Okendo; `productId` and `orderId` are Shopify's numbers."""

    reviewId: str
    productId: str | None = None
    orderId: str | None = None
    rating: float | None = None
    title: str | None = None
    body: str | None = None
    dateCreated: str | None = None
    isRecommended: bool | None = None
    status: str | None = None
    is_verified: bool | None = None
    attributes: list[OkendoAttribute] | None = None


def read_reviews(provider: Provider) -> Any:
    """Reader of an app's reviews: all of them, where the app tells no order by date."""

    def read(context: StreamContext, window: Window) -> Iterator[Page]:
        client: ReviewsClient = context.client
        shape = _SHAPES[provider]
        for number, rows in enumerate(client.pages(), start=1):
            yield Page([shape(row) for row in rows], source_ref=f"reviews page {number}")
            if provider == "okendo" and any(_is_before(row, window.start) for row in rows):
                return

    return read


def judge_me_record(review: Mapping[str, Any]) -> Row:
    row = _without(review, "reviewer")
    for name in ("product_external_id", "verified"):
        row[name] = _text(review.get(name))
    return row


def yotpo_record(review: Mapping[str, Any]) -> Row:
    return _without(review, "name", "email") | {"sku": _text(review.get("sku"))}


def okendo_record(review: Mapping[str, Any]) -> Row:
    row = _without(review, "reviewer", "order")
    row["is_verified"] = (review.get("reviewer") or {}).get("isVerified")
    order = (review.get("order") or {}).get("orderId")
    given = {"productId": review.get("productId"), "orderId": review.get("orderId") or order}
    for name, value in given.items():
        row[name] = (_text(value) or "").removeprefix("shopify-") or None
    row["attributes"] = [
        {"title": _text(one.get("title")), "value": _text(one.get("value"))}
        for one in review.get("attributes") or ()
    ]
    return row


def _without(review: Mapping[str, Any], *names: str) -> Row:
    return {name: value for name, value in review.items() if name not in names}


def _text(value: Any) -> str | None:
    return None if value in (None, "") else str(value)


def _is_before(row: Mapping[str, Any], start: datetime) -> bool:
    try:
        at = datetime.fromisoformat(str(row.get("dateCreated")))
    except ValueError:
        return False
    return (at if at.tzinfo else at.replace(tzinfo=UTC)) < start


_SHAPES = {"judge_me": judge_me_record, "yotpo": yotpo_record, "okendo": okendo_record}

STREAMS = (
    Stream(
        name="judge_me_reviews",
        record=JudgeMeReview,
        key=lambda review: f"{review.id}|{review.product_external_id or ''}",
        version="updated_at",
        read=read_reviews("judge_me"),
        free_text=("title", "body"),
        event_field="created_at",
        known_dropped=(
            "product_title", "product_handle", "featured", "ip_address", "has_published_pictures",
            "has_published_videos", "pictures",
        ),
    ),
    Stream(
        name="yotpo_reviews",
        record=YotpoReview,
        key=lambda review: f"{review.id}|{review.sku or ''}",
        version="updated_at",
        read=read_reviews("yotpo"),
        free_text=("title", "content"),
        event_field="created_at",
        known_dropped=("sentiment", "user_reference"),
    ),
    Stream(
        name="okendo_reviews",
        record=OkendoReview,
        key=lambda review: f"{review.reviewId}|{review.productId or ''}",
        read=read_reviews("okendo"),
        lookback=OKENDO_LOOKBACK,
        free_text=("title", "body", "attributes.value"),
        event_field="dateCreated",
        known_dropped=(
            "productName", "productHandle", "productUrl", "productImageUrl", "variantId", "media",
            "reply", "subscriberId", "attributesWithRating", "productAttributes", "reward",
            "containsProfanity", "helpfulCount", "unhelpfulCount", "languageCode",
        ),
    ),
    *static_streams(Path(__file__).parent),
)  # fmt: skip
