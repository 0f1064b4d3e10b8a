"""Reading review apps against hand-written APIs."""

from __future__ import annotations

import base64
import json
import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sources.reviews import CONNECTOR
from sources.reviews.streams import okendo_record
from tests.connectors.desk_stub import NOW, Asked, Reading, StubApi, read

JUDGE_ME = "/api/v1/reviews"
OKENDO = "/enterprise/reviews"


def numbered(pages: list[list[dict[str, Any]]]) -> Any:
    """Pages by number; beyond the last, empty ones."""

    def answer(asked: Asked) -> dict[str, Any]:
        number = int(asked.query["page"])
        return {"reviews": pages[number - 1] if number <= len(pages) else []}

    return answer


def judge_me(number: int, **values: Any) -> dict[str, Any]:
    row = {
        "id": number,
        "title": "Fine",
        "body": "call 030 12345678",
        "rating": 4,
        "product_external_id": 632910392,
        "reviewer": {"name": "Ann Example", "email": "ann@example.org"},
        "source": "web",
        "verified": "buyer",
        "published": True,
        "hidden": False,
        "created_at": "2026-03-02T10:00:00+00:00",
        "updated_at": "2026-03-02T10:00:00+00:00",
    }
    return {**row, **values}


def night(api: StubApi, folder: Path, **values: Any) -> Reading:
    reading = read(CONNECTOR, api, folder, **values)
    assert [(s, o.error) for s, o in reading.outcomes.items() if o.error] == []
    return reading


def test_judge_me_is_read_page_by_page_until_an_empty_one(tmp_path: Path) -> None:
    api = StubApi({JUDGE_ME: numbered([[judge_me(1), judge_me(2)], [judge_me(3)]])})
    rows = night(api, tmp_path, app_id="brand.myshopify.com").rows("judge_me_reviews")
    assert sorted(row["id"] for row in rows) == [1, 2, 3]
    assert [query["page"] for query in api.queries(JUDGE_ME)] == ["1", "2", "3"]
    assert {query["shop_domain"] for query in api.queries(JUDGE_ME)} == {"brand.myshopify.com"}
    assert rows[0]["product_external_id"] == "632910392"


def test_a_review_of_a_product_group_is_a_row_for_each_product(tmp_path: Path) -> None:
    shown = [judge_me(1), judge_me(1, product_external_id=632910393)]
    reading = night(StubApi({JUDGE_ME: numbered([shown])}), tmp_path)
    assert set(reading.tables["judge_me_reviews"]) == {"1|632910392", "1|632910393"}


def test_the_token_in_the_address_and_the_reviewer_are_nowhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    api = StubApi({JUDGE_ME: numbered([[judge_me(1)]])})
    night(api, tmp_path / "good")
    assert api.queries(JUDGE_ME)[0]["api_token"] == "secret-api_key"
    refused = StubApi({JUDGE_ME: lambda _asked: (401, {}, {})})
    error = read(CONNECTOR, refused, tmp_path / "bad").error("judge_me_reviews")
    assert "secret" in error
    text = caplog.text + error + str(night(api, tmp_path / "good").tables)
    assert "secret-api_key" not in text
    assert not any(word in text for word in ("Ann", "ann@", "12345678"))


def test_yotpo_gets_a_token_first_and_names_a_wrong_key(tmp_path: Path) -> None:
    row = {"id": 7, "sku": 632910392, "score": 2, "content": "so so", "deleted": False,
           "name": "Ann", "email": "ann@example.org", "created_at": "2026-03-02T10:00:00.000Z",
           "updated_at": "2026-03-03T10:00:00.000Z"}  # fmt: skip
    path = "/v1/apps/app-1/reviews"
    api = StubApi({"/oauth/token": lambda _asked: {"access_token": "T"}, path: numbered([[row]])})
    (found,) = night(api, tmp_path, provider="yotpo", app_id="app-1").rows("yotpo_reviews")
    assert (found["sku"], found["score"]) == ("632910392", 2)
    assert json.loads(api.asked[0].body) == {
        "client_id": "app-1", "client_secret": "secret-api_key", "grant_type": "client_credentials",
    }  # fmt: skip
    assert {query["utoken"] for query in api.queries(path)} == {"T"}
    api.handlers["/oauth/token"] = lambda _asked: (400, {}, {})
    reading = read(CONNECTOR, api, tmp_path / "bad", provider="yotpo", app_id="app-1")
    assert "secrets.api_key" in reading.error("yotpo_reviews")


def test_okendo_is_read_newest_first_down_to_half_a_year(tmp_path: Path) -> None:
    def review(number: int) -> dict[str, Any]:
        return {
            "reviewId": f"r{number}", "productId": "shopify-632910392", "orderId": "shopify-11",
            "rating": 5, "dateCreated": (NOW - timedelta(days=number * 30)).isoformat(),
            "reviewer": {"displayName": "Ann", "isVerified": True}, "status": "approved",
            "attributes": [{"title": "Fit", "value": 2}],
        }  # fmt: skip

    def answer(asked: Asked) -> dict[str, Any]:
        begin = int(asked.query.get("lastEvaluated", "0"))
        rows = [review(number) for number in range(begin, min(begin + 2, 20))]
        following = f"/reviews?limit=100&lastEvaluated={begin + 2}" if begin < 18 else None
        return {"reviews": rows, "nextUrl": following}

    api = StubApi({OKENDO: answer})
    reading = night(api, tmp_path, provider="okendo", app_id="u1", start="2024-01-01")
    assert len(reading.rows("okendo_reviews")) == 20
    first = reading.tables["okendo_reviews"]["r0|632910392"]
    assert (first["orderId"], first["is_verified"]) == ("11", True)
    assert first["attributes"] == [{"title": "Fit", "value": "2"}]
    header = base64.b64decode(api.asked[0].headers["Authorization"].split()[1]).decode()
    assert header == "u1:secret-api_key"
    assert api.asked[0].headers["okendo-api-version"] == "2025-02-01"
    again = StubApi({OKENDO: answer})
    night(again, tmp_path, provider="okendo", app_id="u1", start="2024-01-01")
    assert len(again.asked) == 4  # 180 days and the first older review


def test_an_account_without_its_app_id_says_what_to_add(tmp_path: Path) -> None:
    reading = read(CONNECTOR, StubApi(), tmp_path, base_url=None)
    assert "add app_id" in reading.error("judge_me_reviews")


@pytest.mark.parametrize("told", [{"orderId": "77"}, {"order": {"orderId": "77"}}])
def test_okendo_names_the_order_plainly_or_in_an_object(told: dict[str, object]) -> None:
    row = okendo_record({"reviewId": "r", "productId": "shopify-5", **told})
    assert (row["productId"], row["orderId"]) == ("5", "77")
    assert "order" not in row
