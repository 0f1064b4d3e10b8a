"""Amazon, review topics: no content is no data, and a missing role stops nothing else.

Cases 18 (a refused seller), 48 and 49 of the sheet, section 10, where they touch topics.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sources._core import schema
from sources._core.clock import ManualClock
from sources._core.connector import Page
from sources._core.errors import ConfigurationError
from sources._core.records import RecordEncoder
from sources.amazon.streams import REVIEW_TOPICS_STREAM
from tests.connectors.amazon_stub import (
    NOW,
    Nights,
    Reading,
    Reply,
    Request,
    StubAmazon,
    account,
    as_json,
    records,
    refusal,
)

PATH = "GET /customerFeedback/2024-06-01/items/{}/reviews/topics"
ASINS = ("B000000001", "B000000002")
START = datetime(2026, 3, 1, tzinfo=UTC)


def topics(asin: str, snippet: str = "Too small") -> dict[str, Any]:
    metrics = {"numberOfMentions": 36, "occurrencePercentage": 17.31, "starRatingImpact": None}
    topic = {
        "topic": "Size",
        "asinMetrics": metrics,
        "childAsinMetrics": {"mostMentions": {"asin": asin}},
        "reviewSnippets": [snippet],
        "subtopics": [{"subtopic": "runs small", "metrics": {}, "reviewSnippets": [snippet]}],
    }
    return {
        "asin": asin,
        "itemName": "Romper",
        "marketplaceId": "A1PA6795UKMFR9",
        "countryCode": "DE",
        "dateRange": {"startDate": "2025-09-10T00:00:00Z", "endDate": "2026-03-10T00:00:00Z"},
        "topics": {"positiveTopics": [], "negativeTopics": [topic]},
    }


def reading(folder: Path, **changes: Any) -> Reading:
    settings = account(**({"marketplaces": ("DE", "NL"), "review_asins": ASINS} | changes))
    return Reading(folder, settings=settings)


def answering(stub: StubAmazon, asin: str, *replies: Reply) -> None:
    stub.script(PATH.format(asin), *[lambda _request, reply=one: reply for one in replies])


def test_no_content_is_no_data_and_the_others_are_read(tmp_path: Path) -> None:
    stub = StubAmazon()
    answering(stub, ASINS[0], (204, {}, b""))
    answering(stub, ASINS[1], as_json(topics(ASINS[1])))
    with stub.running():
        (row,) = records(reading(tmp_path).encoded(REVIEW_TOPICS_STREAM, START))
    assert row["_key"] == f"A1PA6795UKMFR9|{ASINS[1]}|2026-03-10"
    (topic,) = row["topics"]["negativeTopics"]
    assert topic["asinMetrics"] == {"numberOfMentions": 36, "occurrencePercentage": "17.31"}
    assert {r.params["marketplaceId"] for r in stub.sent(PATH.format(ASINS[0]))} == {
        "A1PA6795UKMFR9"
    }, "there are no topics of the Netherlands"


def test_topics_are_read_once_a_week(tmp_path: Path) -> None:
    stub = StubAmazon()
    answering(stub, ASINS[0], *[as_json(topics(ASINS[0]))] * 4)
    answering(stub, ASINS[1], *[(204, {}, b"")] * 4)
    with stub.running():
        for days, asked in ((0, 1), (1, 1), (7, 2), (8, 2)):
            night = reading(tmp_path)
            night.clock = ManualClock(NOW + timedelta(days=days))
            night.encoded(REVIEW_TOPICS_STREAM, START)
            assert stub.count(PATH.format(ASINS[0])) == asked


def test_without_asins_nothing_is_asked(tmp_path: Path) -> None:
    stub = StubAmazon()
    with stub.running():
        assert reading(tmp_path, review_asins=()).encoded(REVIEW_TOPICS_STREAM, START) == []
    assert stub.requests == []


def test_case_18_a_missing_role_stops_the_topics_only(tmp_path: Path) -> None:
    def denied(_request: Request) -> Reply:
        return refusal(403, "Unauthorized", "Access to requested resource is denied.")

    stub = StubAmazon()
    stub.script(PATH.format(ASINS[0]), denied, denied)
    with stub.running():
        with pytest.raises(ConfigurationError, match="check-config"):
            reading(tmp_path).encoded(REVIEW_TOPICS_STREAM, START)
        nights = Nights(tmp_path, (account(review_asins=ASINS),))
        found = nights.extract(NOW, "review_topics", "inbound_plans")
    assert {one.stream: one.state for one in found} == {
        "review_topics": "failed",
        "inbound_plans": "ok",
    }


def test_case_49_snippets_keep_no_address(tmp_path: Path) -> None:
    stub = StubAmazon()
    answering(stub, ASINS[0], as_json(topics(ASINS[0], "write to max@example.com")))
    answering(stub, ASINS[1], (204, {}, b""))
    with stub.running():
        (row,) = records(reading(tmp_path).encoded(REVIEW_TOPICS_STREAM, START))
    assert "@" not in repr(row)
    assert "write to" in repr(row)


def test_an_answer_of_the_official_model_is_read_without_loss(shared_dir: Path | None) -> None:
    example = topics(ASINS[0])
    if shared_dir is None:
        print("not checked: the example of the official model, only our own")
    else:
        path = shared_dir / "specs" / "amazon" / "models" / "customerFeedback_2024-06-01.json"
        model = json.loads(path.read_text("utf-8"))
        get = model["paths"]["/customerFeedback/2024-06-01/items/{asin}/reviews/topics"]["get"]
        example = get["responses"]["200"]["examples"]["application/json"]
    encoded = RecordEncoder(REVIEW_TOPICS_STREAM).encode(Page([example], "example"))
    assert (len(encoded.lines), encoded.rejects) == (1, [])
    assert {name for name, kind in encoded.drift if kind == "added"} == set()
    assert schema.allowed_names(REVIEW_TOPICS_STREAM.record)["topics"]
