"""What eBay tells of the seller's service: feedback of buyers, rates beside those of others.

Belongs here: the Feedback and Sell Analytics APIs. Rates are counted from what the sandbox shows;
those of other sellers are made up.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sources._sandbox.api_faults import share_of

from .answers import ApiError, bad, filters_of, moment, told, whole_number
from .snapshot import Row, Snapshot

Object = dict[str, Any]
LEAST, MOST = 25, 200
PERIODS = (7, 30, 90, 180, 365)
_DOMAIN = "API_FEEDBACK"
METRICS = {"ITEM_NOT_AS_DESCRIBED": "LISTING_CATEGORY", "ITEM_NOT_RECEIVED": "SHIPPING_REGION"}
CYCLES = ("CURRENT", "PROJECTED")
_PEERS = {"ITEM_NOT_AS_DESCRIBED": 1.9, "ITEM_NOT_RECEIVED": 0.8}
_RATED = ("DSR_ITEM_AS_DESCRIBED", "DSR_COMMUNICATION", "DSR_SHIPPING_TIME")


class Voices:
    """Feedback and rates of one account at a moment."""

    def __init__(self, known: Snapshot) -> None:
        self.known = known

    def feedback(self, query: dict[str, str], own: tuple[str, ...]) -> Object:
        """`GET /commerce/feedback/v1/feedback`; nothing found is an error of its own."""
        if query.get("feedback_type") not in ("FEEDBACK_RECEIVED", "FEEDBACK_SENT"):
            raise bad(501_000, "feedback_type is missing or not valid.", _DOMAIN)
        limit = whole_number(
            [query["limit"]] if "limit" in query else [], LEAST, "limit", 501_001, _DOMAIN
        )
        if not LEAST <= limit <= MOST:
            raise bad(501_001, f"limit must lie between {LEAST} and {MOST}.", _DOMAIN)
        offset = whole_number(
            [query["offset"]] if "offset" in query else [], 0, "offset", 501_002, _DOMAIN
        )
        rows = self._matching(query, own)
        page = rows[offset : offset + limit]
        if not page:
            raise ApiError(404, 501_039, "No feedback was found.", _DOMAIN)
        paging = told(
            count=len(page),
            limit=limit,
            offset=offset,
            total=len(rows),
            next=f"/feedback?offset={offset + limit}&limit={limit}"
            if offset + limit < len(rows)
            else None,
        )
        return {"feedbackEntries": [self._entry(row) for row in page], "pagination": paging}

    def _matching(self, query: dict[str, str], own: tuple[str, ...]) -> list[Row]:
        """By relevance unless the time is asked for: in no order that holds between two pages."""
        filters = filters_of([query.get("filter", "")])
        period = filters.get("period", "365")
        if not period.isdigit() or int(period) not in PERIODS:
            raise bad(501_005, f"period must be one of {', '.join(map(str, PERIODS))}.", _DOMAIN)
        since = self.known.moment - timedelta(days=int(period))
        is_sought = query.get("user_id") in own and query["feedback_type"] == "FEEDBACK_RECEIVED"
        is_sought &= filters.get("role", "BUYER") == "BUYER"
        without = filters.get("showAutomatedFeedback") == "false"
        rows = [
            row
            for row in self.known.feedback.values()
            if is_sought and row["entered_at"] >= since and not (without and row["is_automated"])
        ]
        if query.get("sort") == "TIME":
            return rows[::-1]
        page = query.get("offset", "0")
        return sorted(rows, key=lambda row: share_of("relevance", page, row["feedback_id"]))

    def _entry(self, row: Row) -> Object:
        line = self.known.line_of(row)
        order = self.known.orders[row["order_id"]]
        market = self.known.market_of(row["order_id"])
        ratings = [{"ratingType": kind, "value": "5"} for kind in _RATED if row["stars"]]
        if row["stars"] is not None:
            ratings.append({"ratingType": "OVERALL_EXPERIENCE", "value": str(row["stars"])})
        price = (line["unit_price_minor"] - line["unit_discount_minor"]) / 10 ** market["decimals"]
        text = told(
            commentText=row["comment"],
            commentTextRemovedPerPolicy=False,
            state="PUBLISHED",
        )
        return told(
            feedbackId=row["feedback_id"],
            commentType=row["comment_type"],
            feedbackComment=text,
            feedbackEnteredDate=moment(row["entered_at"]),
            feedbackEnteredPeriod={"unit": "DAY", "value": 30},
            automatedFeedback=row["is_automated"],
            eligibleForRevision=False,
            feedbackScore={"POSITIVE": 1, "NEUTRAL": 0, "NEGATIVE": -1}[row["comment_type"]],
            feedbackState="PUBLISHED",
            feedbackRatings=ratings,
            hasImages=False,
            images=[],
            providerUserDetail={
                "userId": self.known.user_of(order["order_id"]),
                "role": "BUYER",
                "feedbackScore": 12,
                "userAttributes": [],
            },
            orderLineItemSummary={
                "orderLineItemId": f"{line['item_id']}-{line['order_item_id']}",
                "listingId": line["item_id"],
                "listingTitle": line["sku_name"],
                "listingPrice": {"currency": order["currency"], "value": price},
            },
        )

    def metric(self, kind: str, cycle: str, marketplace_id: str | None) -> Object:
        """`GET /sell/analytics/v1/customer_service_metric/{kind}/{cycle}`."""
        if kind not in METRICS or cycle not in CYCLES:
            raise ApiError(404, 52_001, f"There is no metric {kind}/{cycle}.", "API_ANALYTICS")
        markets = {m["marketplace_id"]: m for m in self.known.markets.values()}
        if marketplace_id not in markets:
            raise bad(52_002, "evaluation_marketplace_id is not valid.", "API_ANALYTICS")
        sold, hit = self._counts(kind, markets[marketplace_id]["marketplace"])
        rate, usual = (100 * hit / sold if sold else 0.0), _PEERS[kind]
        rating = "LOW" if rate < usual * 0.8 else "AVERAGE" if rate < usual * 1.2 else "HIGH"
        day = self.known.moment.replace(day=20)
        day = day if day <= self.known.moment else (day - timedelta(days=31)).replace(day=20)
        benchmark = {
            "basis": "PEER_BENCHMARK",
            "rating": rating,
            "metadata": {"average": f"{usual:.2f}"},
        }
        return {
            "marketplaceId": marketplace_id,
            "evaluationCycle": {
                "evaluationType": cycle,
                "evaluationDate": f"{day:%Y-%m-%d}T00:00:00.000Z",
                "startDate": f"{day - timedelta(days=90):%Y-%m-%d}T00:00:00.000Z",
                "endDate": f"{day - timedelta(days=1):%Y-%m-%d}T00:00:00.000Z",
            },
            "dimensionMetrics": [
                {
                    "dimension": {"dimensionKey": METRICS[kind], "name": "All", "value": "ALL"},
                    "metrics": [
                        {"metricKey": "TRANSACTION_COUNT", "value": str(sold)},
                        {"metricKey": "COUNT", "value": str(hit)},
                        {"metricKey": "RATE", "value": f"{rate:.2f}", "benchmark": benchmark},
                    ],
                }
            ],
        }

    def _counts(self, kind: str, marketplace: str) -> tuple[int, int]:
        """Lines sold in 90 days, and those with a case of the kind."""
        since = self.known.moment - timedelta(days=90)
        here = {
            number: order
            for number, order in self.known.orders.items()
            if order["marketplace"] == marketplace and order["ordered_at"] >= since
        }
        sold = sum(len(self.known.lines[number]) for number in here)
        if kind == "ITEM_NOT_RECEIVED":
            return sold, sum(row["order_id"] in here for row in self.known.inquiries.values())
        rows = [r for r in self.known.returns.values() if r["reason_type"] == "SNAD"]
        return sold, sum(row["order_id"] in here for row in rows)

    def standards(self) -> Object:
        """`GET /sell/analytics/v1/seller_standards_profile`: values of several types."""
        day = self.known.moment.replace(day=20)
        programs = {"US": "PROGRAM_US", "GB": "PROGRAM_UK", "DE": "PROGRAM_DE"}
        countries = [market["country"] for market in self.known.markets.values()]
        names = dict.fromkeys(programs.get(code, "PROGRAM_GLOBAL") for code in countries)
        sold = len(self.known.orders)
        hit = sum(bool(row["escalated_at"]) for row in self.known.inquiries.values())
        profiles = [
            {
                "program": name,
                "cycle": {
                    "cycleType": cycle,
                    "evaluationDate": f"{day:%Y-%m-%d}T00:00:00.000Z",
                    "evaluationMonth": f"{day:%Y-%m}",
                },
                "standardsLevel": "ABOVE_STANDARD",
                "defaultProgram": number == 0,
                "evaluationReason": "Seller level generated by standard monthly evaluation cycle",
                "metrics": [
                    {"metricKey": "TRANSACTION_COUNT", "value": str(sold)},
                    {"metricKey": "CLOSED_WITHOUT_SELLER_RESOLUTION", "value": str(hit)},
                ],
            }
            for number, name in enumerate(names)
            for cycle in CYCLES
        ]
        return {"standardsProfiles": profiles}
