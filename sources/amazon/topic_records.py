"""The fields kept of review topics of Customer Feedback 2024-06-01.

Belongs here: record Structs, as in `records.py`. Shares are 0 to 100; nearly every number may be
missing.
"""

from __future__ import annotations

from decimal import Decimal

from sources._core.records import Record


class DateRange(Record):
    startDate: str | None = None
    endDate: str | None = None


class TopicMetrics(Record):
    numberOfMentions: int | None = None
    occurrencePercentage: Decimal | None = None
    starRatingImpact: Decimal | None = None


class AllProducts(Record):
    allProducts: Decimal | None = None


class BrowseNodeMetrics(Record):
    occurrencePercentage: AllProducts | None = None
    starRatingImpact: AllProducts | None = None


class Subtopic(Record):
    subtopic: str | None = None
    metrics: TopicMetrics | None = None
    reviewSnippets: list[str] | None = None


class Topic(Record):
    topic: str | None = None
    asinMetrics: TopicMetrics | None = None
    parentAsinMetrics: TopicMetrics | None = None
    browseNodeMetrics: BrowseNodeMetrics | None = None
    reviewSnippets: list[str] | None = None
    subtopics: list[Subtopic] | None = None


class Topics(Record):
    positiveTopics: list[Topic] | None = None
    negativeTopics: list[Topic] | None = None


class ReviewTopics(Record, kw_only=True):
    """What reviews of one product spoke of in one range of dates, on one marketplace."""

    asin: str
    marketplaceId: str
    countryCode: str | None = None
    dateRange: DateRange | None = None
    topics: Topics | None = None
