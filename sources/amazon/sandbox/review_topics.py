"""Customer Feedback 2024-06-01: topics of the reviews of an item.

Belongs here: which topics an item has and how often. Amazon counts anew once a week, in English,
in seven marketplaces; an item that few people bought has no topics, which is an answer without a
body.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

import polars as pl

from sources._core.clock import Clock
from sources._sandbox.api_faults import share_of
from sources._sandbox.server import Request, Response
from sources._sandbox.snapshots import Snapshots
from sources._sandbox.world.comments import SENTENCES, topic_of
from sources._sandbox.world.tables import World

from .answers import api_time, forbidden, invalid, json_response, not_found
from .places import BY_ID
from .snapshot import Snapshot

COUNTRIES = frozenset({"US", "GB", "FR", "IT", "DE", "ES", "JP"})
ENOUGH = 15
_SPAN = timedelta(days=183)
_MOST = 10
_NAMES = {
    "safety": "Skin reaction",
    "missing": "Missing parts",
    "quality": "Quality of material",
    "defect": "Durability",
    "small": "Fits too small",
    "large": "Fits too large",
    "description": "Matches description",
    "wrong": "Right item",
    "late": "Delivery",
    "damaged": "Packaging",
    "mind": "Value for money",
}
_PRAISE = ("Value for money", "Ease of use", "Softness", "Gift", "Appearance")


@dataclass
class ReviewTopics:
    """Answers for the topics of all accounts' items."""

    world: World
    clock: Clock
    snapshots: Snapshots[str, Snapshot]
    seed: int
    joined: Callable[[str], frozenset[str]]

    def item(self, account: str, asin: str, request: Request) -> Response:
        """`GET /customerFeedback/2024-06-01/items/{asin}/reviews/topics`."""
        place = BY_ID.get(next(iter(request.values("marketplaceId")), ""))
        order = next(iter(request.values("sortBy")), None)
        if place is None or place.country not in COUNTRIES:
            raise invalid("marketplaceId: a marketplace with customer feedback is required.")
        if order not in ("MENTIONS", "STAR_RATING_IMPACT"):
            raise invalid("sortBy: MENTIONS or STAR_RATING_IMPACT.")
        if place.marketplace_id not in self.joined(account):
            raise forbidden("The seller does not sell in this marketplace.")
        snapshot = self.snapshots.at(account, self.clock.now())
        known = snapshot.products.filter(pl.col("asin") == asin)
        if not known.height:
            raise not_found(f"ASIN {asin} is not one of the seller's.")
        end = self._last_monday()
        bought = self._bought(account, known["sku"][0], place.country, end)
        if bought.height < ENOUGH:
            return Response(204)
        return json_response(
            {
                "asin": asin,
                "itemName": known["sku_name"][0],
                "marketplaceId": place.marketplace_id,
                "countryCode": place.country,
                "dateRange": {"startDate": api_time(end - _SPAN), "endDate": api_time(end)},
                "topics": self._topics(asin, bought, order),
            }
        )

    def _last_monday(self) -> datetime:
        today = self.clock.now().astimezone(UTC).date()
        return datetime.combine(today - timedelta(days=today.weekday()), time(), UTC)

    def _bought(self, account: str, sku: str, country: str, end: datetime) -> pl.DataFrame:
        """Units of half a year, with what went wrong with them."""
        until = end.replace(tzinfo=None)
        orders = self.world.orders.filter(
            pl.col("account") == account,
            pl.col("marketplace") == f"amazon_{country.lower()}",
        ).select("order_id")
        return self.world.units.filter(
            pl.col("sku") == sku, pl.col("delivered_at").is_between(until - _SPAN, until)
        ).join(orders, on="order_id", how="semi")

    def _topics(self, asin: str, bought: pl.DataFrame, order: str) -> dict[str, Any]:
        troubles = bought["true_cause"].drop_nulls().map_elements(topic_of, return_dtype=pl.String)
        counted = troubles.filter(troubles != "").value_counts(sort=True)
        negative = [
            self._topic(asin, _NAMES[word], count, bought.height, -1, SENTENCES["en"][word])
            for word, count in counted.sort("count", "true_cause", descending=[True, False])
            .head(_MOST).iter_rows()
        ]  # fmt: skip
        content = bought.height - len(troubles)
        positive = [
            self._topic(asin, name, content // (4 + number), bought.height, 1, ())
            for number, name in enumerate(_PRAISE)
            if content // (4 + number)
        ]
        if order == "STAR_RATING_IMPACT":
            for topics in (negative, positive):
                topics.sort(key=lambda t: -abs(t["asinMetrics"].get("starRatingImpact", 0)))
        found = {"positiveTopics": positive, "negativeTopics": negative}
        return {name: topics for name, topics in found.items() if topics}

    def _topic(
        self, asin: str, name: str, mentions: int, units: int, sign: int, texts: Any
    ) -> dict[str, Any]:
        luck = share_of(self.seed, asin, name)
        metrics: dict[str, Any] = {
            "numberOfMentions": mentions,
            "occurrencePercentage": round(100 * mentions / units, 2),
        }
        if luck < 0.8:
            metrics["starRatingImpact"] = round(sign * (0.1 + 2 * luck), 2)
        topic: dict[str, Any] = {"topic": name, "asinMetrics": metrics}
        if luck < 0.7:
            topic["browseNodeMetrics"] = {
                "occurrencePercentage": {"allProducts": round(10 * luck, 2)}
            }
        if texts:
            topic["reviewSnippets"] = list(texts)[:3]
            topic["subtopics"] = [
                {
                    "subtopic": name.lower(),
                    "metrics": {
                        "numberOfMentions": mentions,
                        "occurrencePercentage": metrics["occurrencePercentage"],
                    },
                }
            ]
        return topic
