"""Helpdesks and review apps of the sandbox answer as their sheet and the vendors' pages say.

Belongs here: pages, refusals, what a clock hides. Does not belong here: the connectors that read
them (`test_standard_suite.py`), the truth of cases (`tests/end_to_end`).
"""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from sources._core.clock import ManualClock
from sources._sandbox.scenario import Scenario
from sources._sandbox.server import App, Environment, Request, create_app
from sources._sandbox.world import build_world
from sources._sandbox.world.tables import World

ACCOUNTS = [
    {"connector": "shopify", "name": "shop"},
    {"connector": "helpdesk", "name": "zen"},
    {"connector": "helpdesk", "name": "new", "satisfaction": "surveys"},
    {"connector": "helpdesk", "name": "gorg", "provider": "gorgias"},
    {"connector": "reviews", "name": "judge"},
    {"connector": "reviews", "name": "yot", "provider": "yotpo"},
    {"connector": "reviews", "name": "oke", "provider": "okendo"},
]
PARSED = Scenario.parse(
    {
        "seed": 5,
        "start": "2026-01-05",
        "today": "2026-04-20",
        "orders_per_day": 9,
        "skus": 4,
        "case_rate": 0.9,
        "review_rate": 0.4,
        "accounts": ACCOUNTS,
    }
)
DESK, REVIEWS = "helpdesk", "reviews"


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(PARSED)


@pytest.fixture(scope="module")
def apps(world: World) -> dict[str, App | None]:
    return _apps(world)


def _apps(world: World, **rights: frozenset[str]) -> dict[str, App | None]:
    made = Environment(world, PARSED, ManualClock(PARSED.clock), missing_roles=rights)
    return {name: create_app(name, made) for name in (DESK, REVIEWS)}


def ask(app: App | None, path: str, user: str | None = None, **query: Any) -> tuple[int, Any]:
    assert app is not None
    headers = {}
    if user:
        headers["authorization"] = "Basic " + base64.b64encode(user.encode()).decode()
    given = tuple((name, str(value)) for name, value in query.items())
    response = app.handle(Request("GET", path, given, headers))
    return response.status, json.loads(response.body)


ZEN, NEW, GORG = "a@b.example/token:sandbox-zen", "a@b.example/token:sandbox-new", "a:sandbox-gorg"
EXPORT = "/api/v2/incremental/tickets/cursor"


def test_the_cursor_export_ends_and_gives_each_ticket_once(apps: dict[str, App | None]) -> None:
    status, page = ask(apps[DESK], EXPORT, ZEN, start_time=0, per_page=7, include="metric_sets")
    assert status == 200
    seen = [ticket["id"] for ticket in page["tickets"]]
    while not page["end_of_stream"]:
        _, page = ask(apps[DESK], EXPORT, ZEN, cursor=page["after_cursor"], per_page=7)
        seen += [ticket["id"] for ticket in page["tickets"]]
    assert len(seen) == len(set(seen)) > 20
    status, page = ask(apps[DESK], EXPORT, ZEN, cursor=page["after_cursor"])
    assert (status, page["tickets"], page["end_of_stream"]) == (200, [], True)


def test_an_open_ticket_has_no_resolution_and_a_deleted_one_no_words(
    apps: dict[str, App | None],
) -> None:
    _, page = ask(apps[DESK], EXPORT, ZEN, start_time=0, include="metric_sets")
    gone = [ticket for ticket in page["tickets"] if ticket["status"] == "deleted"]
    assert gone
    assert {ticket["subject"] for ticket in gone} == {"SCRUBBED"}
    status, found = ask(apps[DESK], f"/api/v2/tickets/{gone[0]['id']}/metrics", ZEN)
    assert (status, found["error"]) == (404, "RecordNotFound")
    waiting = [t for t in page["tickets"] if t["status"] in ("new", "open", "pending", "hold")]
    assert waiting
    for ticket in waiting:
        full = ticket["metric_set"]["full_resolution_time_in_minutes"]
        assert full == {"calendar": None, "business": None}


def test_lists_of_zendesk_go_on_by_cursor_and_not_by_number(apps: dict[str, App | None]) -> None:
    path = "/api/v2/ticket_metrics"
    seen: list[int] = []
    place: dict[str, Any] = {}
    while True:
        _, page = ask(apps[DESK], path, ZEN, **{"page[size]": 10, **place})
        seen += [row["ticket_id"] for row in page["ticket_metrics"]]
        if not page["meta"]["has_more"]:
            break
        place = {"page[after]": page["meta"]["after_cursor"]}
    assert len(seen) == len(set(seen)) > 10
    assert ask(apps[DESK], path, ZEN, page=101)[0] == 429


def test_a_desk_has_one_kind_of_survey(apps: dict[str, App | None]) -> None:
    responses, ratings = "/api/v2/guide/survey_responses", "/api/v2/satisfaction_ratings"
    assert ask(apps[DESK], responses, ZEN)[0] == 404
    assert ask(apps[DESK], ratings, NEW)[1]["satisfaction_ratings"] == []
    scores = {row["score"] for row in ask(apps[DESK], ratings, ZEN)[1]["satisfaction_ratings"]}
    assert {"offered", "good"} <= scores <= {"offered", "good", "bad"}
    found = ask(apps[DESK], responses, NEW, **{"page[size]": 100})[1]["survey_responses"]
    stars = {a["rating"] for row in found for a in row["answers"] if a["type"] == "rating_scale"}
    assert 5 in stars
    _, page = ask(apps[DESK], "/api/v2/incremental/ticket_events", NEW, start_time=0)
    kinds = {child["event_type"] for e in page["ticket_events"] for child in e["child_events"]}
    assert {"Comment", "SurveyOffered", "SurveyResponseSubmitted"} <= kinds


def test_exports_and_ratings_need_an_administrator(world: World) -> None:
    desk = _apps(world, zen=frozenset({"admin"}))[DESK]
    assert ask(desk, EXPORT, ZEN, start_time=0)[0] == 403
    assert ask(desk, "/api/v2/satisfaction_ratings", ZEN)[0] == 403
    assert ask(desk, "/api/v2/ticket_metrics", ZEN)[0] == 200


@pytest.mark.parametrize("name", ["tickets", "messages", "satisfaction-surveys"])
def test_lists_of_gorgias_end_and_give_each_record_once(
    apps: dict[str, App | None], name: str
) -> None:
    seen: list[int] = []
    place: dict[str, Any] = {}
    while True:
        status, page = ask(apps[DESK], f"/api/{name}", GORG, limit=9, **place)
        assert status == 200
        seen += [row["id"] for row in page["data"]]
        if page["meta"]["next_cursor"] is None:
            break
        place = {"cursor": page["meta"]["next_cursor"]}
    assert len(seen) == len(set(seen)) > 9
    assert ask(apps[DESK], f"/api/{name}", GORG, limit=101)[0] == 400


def test_times_of_gorgias_have_no_offset_and_two_spellings(apps: dict[str, App | None]) -> None:
    _, page = ask(apps[DESK], "/api/messages", GORG, limit=100)
    lengths = {len(row["created_datetime"]) for row in page["data"]}
    assert lengths == {len("2026-01-31T12:00:00"), len("2026-01-31T12:00:00.000000")}


def test_strangers_are_refused(apps: dict[str, App | None]) -> None:
    assert ask(apps[DESK], EXPORT, "a@b.example/token:sandbox-nobody", start_time=0)[0] == 401
    assert ask(apps[DESK], EXPORT, "a@b.example:sandbox-zen", start_time=0)[0] == 401
    assert ask(apps[REVIEWS], "/api/v1/reviews", api_token="sandbox-nobody")[0] == 401
    assert ask(apps[REVIEWS], "/enterprise/reviews", "a:sandbox-nobody")[0] == 401


def test_review_apps_end_their_lists_each_in_its_way(apps: dict[str, App | None]) -> None:
    asked: dict[str, Any] = {"api_token": "sandbox-judge", "shop_domain": "x", "per_page": 100}
    _, page = ask(apps[REVIEWS], "/api/v1/reviews", **asked)
    assert page["reviews"]
    assert ask(apps[REVIEWS], "/api/v1/reviews", **asked, page=50)[1]["reviews"] == []
    seen: list[str] = []
    place: dict[str, Any] = {}
    while True:
        _, page = ask(apps[REVIEWS], "/enterprise/reviews", "a:sandbox-oke", limit=5, **place)
        seen += [row["reviewId"] for row in page["reviews"]]
        assert {row["status"] for row in page["reviews"]} <= {"approved"}
        if "nextUrl" not in page:
            break
        place = {"lastEvaluated": json.dumps({"reviewId": page["reviews"][-1]["reviewId"]})}
    assert len(seen) == len(set(seen)) > 5


def test_a_world_without_desk_and_app_has_no_cases_and_reviews() -> None:
    plain = PARSED.model_copy(update={"accounts": PARSED.accounts[:1]})
    world = build_world(plain)
    assert [world.service_cases.height, world.product_reviews.height] == [0, 0]
    assert world.orders.height > 100
