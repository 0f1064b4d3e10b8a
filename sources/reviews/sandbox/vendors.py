"""Judge.me, Yotpo and Okendo: who is asked, pages, and a review as each of them shows it.

Belongs here: one class per vendor. None has a filter by date; each ends its list in its own way:
Judge.me and Yotpo with an empty page, Okendo without `nextUrl`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from sources._sandbox.api_faults import share_of
from sources._sandbox.server import Request, Response

from .answers import (
    SECRET,
    Object,
    RefusedError,
    basic_password,
    first,
    json_response,
    positive,
)
from .snapshot import Review

if TYPE_CHECKING:
    from . import Shown


class JudgeMe:
    """The private token stands in the address."""

    def __init__(self, account: str, shown: Shown) -> None:
        self.account, self._shown = account, shown

    def is_meant(self, request: Request) -> bool:
        return first(request, "api_token") == SECRET + self.account

    def answer(self, reviews: list[Review], request: Request) -> Response:
        if request.method != "GET" or request.path != "/api/v1/reviews":
            raise RefusedError(404, {"error": "Not found"})
        if not first(request, "shop_domain"):
            raise RefusedError(401, {"error": "shop_domain is missing"})
        page, size = positive(request, "page", 1, 10**6), positive(request, "per_page", 10, 100)
        rows = [_judge_me(r) for r in reviews[(page - 1) * size : page * size]]
        return json_response(
            {
                "current_page": page,
                "per_page": size,
                "reviews": self._shown.page(self.account, "judge_me_reviews", "id", rows),
            }
        )


def _judge_me(review: Review) -> Object:
    row, buyer = review.row, review.buyer
    number = row["product_ref"]
    return {
        "id": int(row["review_id"]),
        "title": row["title"] or "",
        "body": row["body"] or "",
        "rating": review.stars,
        "product_external_id": int(number) if number.isdecimal() else number,
        "product_title": row["sku"],
        "product_handle": row["sku"].lower(),
        "reviewer": {
            "id": int(row["review_id"]) + 10**6,
            "external_id": None,
            "email": buyer.get("email"),
            "name": buyer.get("name"),
            "phone": buyer.get("phone"),
            "accepts_marketing": False,
            "tags": None,
        },
        "source": "email" if row["is_verified"] else "web",
        "curated": "ok" if row["is_published"] else "spam",
        "published": row["is_published"],
        "hidden": not row["is_published"],
        "verified": "verified-purchase" if row["is_verified"] else "nothing",
        "featured": False,
        "created_at": f"{row['created_at']:%Y-%m-%dT%H:%M:%S}+00:00",
        "updated_at": f"{review.updated_at:%Y-%m-%dT%H:%M:%S}+00:00",
        "has_published_pictures": False,
        "has_published_videos": False,
        "pictures": [],
        "ip_address": None,
    }


class Yotpo:
    """A token from key and secret; the key stands in the path of the list."""

    def __init__(self, account: str, shown: Shown) -> None:
        self.account, self._shown = account, shown
        self._token = f"y{share_of('yotpo', account):.16f}".replace(".", "")

    def is_meant(self, request: Request) -> bool:
        if request.path == "/oauth/token":
            return _body(request).get("client_secret") == SECRET + self.account
        is_list = re.fullmatch(r"/v1/apps/[^/]+/reviews", request.path) is not None
        return is_list and first(request, "utoken") == self._token

    def answer(self, reviews: list[Review], request: Request) -> Response:
        if request.path == "/oauth/token" and request.method == "POST":
            return json_response({"access_token": self._token, "token_type": "bearer"})
        if request.method != "GET":
            raise RefusedError(404, {"error": "Not found"})
        page, size = positive(request, "page", 1, 10**6), positive(request, "count", 10, 100)
        rows = [_yotpo(r) for r in reviews[(page - 1) * size : page * size]]
        return json_response(
            {"reviews": self._shown.page(self.account, "yotpo_reviews", "id", rows)}
        )


def _body(request: Request) -> Mapping[str, Any]:
    try:
        content = json.loads(request.body or b"{}")
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _yotpo(review: Review) -> Object:
    row, buyer = review.row, review.buyer
    return {
        "id": int(row["review_id"]),
        "sku": row["product_ref"],
        "score": review.stars,
        "title": row["title"] or "",
        "content": row["body"] or "",
        "votes_up": 0,
        "votes_down": 0,
        "created_at": _with_fractions(row["created_at"]),
        "updated_at": _with_fractions(review.updated_at),
        "sentiment": round((review.stars - 1) / 4, 2),
        "name": buyer.get("name"),
        "email": buyer.get("email"),
        "reviewer_type": "verified_buyer" if row["is_verified"] else "anonymous_user",
        "deleted": False,
        "archived": not row["is_published"],
        "escalated": False,
        "is_incentivized": False,
        "incentive_type": None,
    }


def _with_fractions(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.000Z"


class Okendo:
    """User and key; only approved reviews unless another status is asked for."""

    def __init__(self, account: str, shown: Shown) -> None:
        self.account, self._shown = account, shown

    def is_meant(self, request: Request) -> bool:
        return basic_password(request) == SECRET + self.account

    def answer(self, reviews: list[Review], request: Request) -> Response:
        match = re.fullmatch(r"/enterprise/reviews", request.path)
        if request.method != "GET" or not match:
            raise RefusedError(404, {"message": "Not found"})
        order = first(request, "orderBy") or "date desc"
        if order not in ("date desc", "date asc", "rating desc", "rating asc"):
            raise RefusedError(400, {"message": "orderBy is not valid"})
        status = first(request, "status") or "approved"
        found = [r for r in reviews if _okendo_status(r) == status]
        if order.startswith("rating"):
            found.sort(key=lambda r: r.stars)
        if order.endswith("asc") != order.startswith("rating"):
            found.reverse()
        size = positive(request, "limit", 25, 100)
        found = _behind(found, first(request, "lastEvaluated"))
        page = found[:size]
        rows = [_okendo(r) for r in page]
        content: Object = {
            "reviews": self._shown.page(self.account, "okendo_reviews", "reviewId", rows)
        }
        if len(page) < len(found):
            mark = quote(json.dumps({"reviewId": _uuid(page[-1])}))
            content["nextUrl"] = (
                f"/reviews?limit={size}&orderBy={quote(order)}&status={status}&lastEvaluated={mark}"
            )
        return json_response(content)


def _behind(reviews: list[Review], mark: str | None) -> list[Review]:
    if mark is None:
        return reviews
    try:
        last = json.loads(unquote(mark))["reviewId"]
    except (ValueError, KeyError, TypeError):
        raise RefusedError(400, {"message": "lastEvaluated is not valid"}) from None
    at = next((n for n, r in enumerate(reviews) if _uuid(r) == last), len(reviews) - 1)
    return reviews[at + 1 :]


def _okendo_status(review: Review) -> str:
    return "approved" if review.row["is_published"] else "rejected"


def _uuid(review: Review) -> str:
    return f"123e4567-e89b-12d3-a456-{int(review.row['review_id']):012d}"


def _okendo(review: Review) -> Object:
    row, buyer = review.row, review.buyer
    replied = review.reached("replied_at")
    return {
        "subscriberId": "123e4567-e89b-12d3-a456-426614174000",
        "reviewId": _uuid(review),
        "productId": f"shopify-{row['product_ref']}",
        "productName": row["sku"],
        "attributesWithRating": [
            {"title": "Fit", "type": "centered-range", "minLabel": "Too Small",
             "midLabel": "Just Right", "maxLabel": "Too Big", "value": 0}
        ],
        "rating": review.stars,
        "title": row["title"] or "",
        "body": row["body"] or "",
        "containsProfanity": False,
        "dateCreated": _with_fractions(row["created_at"]),
        "helpfulCount": 0,
        "unhelpfulCount": 0,
        "isRecommended": review.stars >= 4,
        "languageCode": row["language"],
        "media": [],
        "order": {"orderId": row["order_id"], "orderNumber": review.order_number},
        "reply": {"body": "<p>Thank you</p>", "dateCreated": _with_fractions(replied),
                  "rawBody": "Thank you", "isPrivate": False}
        if replied
        else None,
        "reviewer": {
            "displayName": buyer.get("name"),
            "email": buyer.get("email"),
            "name": buyer.get("name"),
            "isVerified": row["is_verified"],
            "verifiedStatus": "Verified Buyer" if row["is_verified"] else None,
        },
        "status": _okendo_status(review),
    }  # fmt: skip


VENDORS: Mapping[str, type[JudgeMe] | type[Yotpo] | type[Okendo]] = {
    "judge_me": JudgeMe,
    "yotpo": Yotpo,
    "okendo": Okendo,
}
