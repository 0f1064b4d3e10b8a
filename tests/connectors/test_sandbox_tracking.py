"""Tracking services of the sandbox answer as their sheet and AfterShip's schema say.

Belongs here: registering, pages, refusals, what a clock hides, AfterShip read by the connector.
Does not belong here: 17TRACK read by it (`test_standard_suite.py`), the truth of parcels
(`tests/end_to_end`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from sources._core.clock import ManualClock
from sources._core.testing import raw_tables, run_night, sandbox_account
from sources._sandbox.scenario import Scenario
from sources._sandbox.server import App, Environment, Request, create_app, serve
from sources._sandbox.world import build_world
from sources._sandbox.world.tables import World
from sources.tracking import CONNECTOR
from sources.tracking.sandbox.seventeentrack import Seventeentrack

PARSED = Scenario.parse(
    {
        "seed": 5,
        "start": "2026-02-05",
        "today": "2026-04-20",
        "orders_per_day": 5,
        "skus": 2,
        "warehouses": ["CNW:CN"],
        "carriers": ["YunExpress", "Foo Post"],
        "accounts": [
            {"connector": "files", "name": "shop", "countries": ["BR", "US", "CN"]},
            {"connector": "tracking", "name": "seven"},
            {"connector": "tracking", "name": "after", "provider": "aftership"},
        ],
        "faults": [{"kind": "customs_hold", "destination": "BR", "share": 0.3, "days": 9}],
        "api": {"http_429": 0.05, "http_503": 0.05, "truncated": 0.05, "out_of_order": 0.1,
                "duplicate_record": 0.05},
    }
)  # fmt: skip
CALM = PARSED.model_copy(update={"api": type(PARSED.api)()})
NOW = PARSED.clock


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(PARSED)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def app(world: World, clock: ManualClock) -> App:
    made = create_app("tracking", Environment(world, CALM, clock))
    assert made is not None
    return made


def seven(app: App, call: str, body: Any, key: str = "sandbox-seven") -> tuple[int, Any]:
    response = app.handle(
        Request("POST", f"/track/v2.4/{call}", headers={"17token": key},
                body=json.dumps(body).encode())
    )  # fmt: skip
    return response.status, json.loads(response.body) if response.body else None


def after(app: App, query: dict[str, Any], body: Any = None, method: str = "GET") -> Any:
    given = tuple((name, str(value)) for name, value in query.items())
    response = app.handle(
        Request(method, "/tracking/2026-07/trackings", given, {"as-api-key": "sandbox-after"},
                b"" if body is None else json.dumps(body).encode())
    )  # fmt: skip
    assert int(response.headers["X-RateLimit-Remaining"]) >= 0
    return response.status, json.loads(response.body)


def listed(app: App, **filters: str) -> list[dict[str, Any]]:
    rows, number, pages = [], 1, 1
    while number <= pages:
        _, answer = seven(app, "gettracklist", {**filters, "page_no": number})
        pages = answer["page"]["page_total"]
        assert len(answer["data"]["accepted"]) <= 40
        rows += answer["data"]["accepted"]
        number += 1
    return rows


def trackings(app: App, **query: Any) -> Iterator[dict[str, Any]]:
    while True:
        _, answer = after(app, query)
        yield from answer["data"]["trackings"]
        if not answer["data"]["pagination"]["has_next_page"]:
            return
        query["cursor"] = answer["data"]["pagination"]["next_cursor"]


def test_a_number_costs_once_and_has_no_news_at_first(app: App, clock: ManualClock) -> None:
    new = {"number": " lx00123456cn", "carrier": 3011}
    _, answer = seven(app, "register", [new, {"number": "x"}])
    assert [row["number"] for row in answer["data"]["accepted"]] == ["LX00123456CN"]
    assert [row["error"]["code"] for row in answer["data"]["rejected"]] == [-18010012]
    _, again = seven(app, "register", [new])
    assert [row["error"]["code"] for row in again["data"]["rejected"]] == [-18019901]
    other = {"number": "LX00123456CN", "carrier": 21051}
    assert seven(app, "register", [other])[1]["data"]["accepted"][0]["origin"] == 2
    assert seven(app, "getquota", {})[1]["data"]["quota_used"] == 2
    _, none = seven(app, "gettrackinfo", [new])
    assert [row["error"]["code"] for row in none["data"]["rejected"]] == [-18019909]
    clock.sleep(timedelta(minutes=6).total_seconds())
    _, late = seven(app, "gettrackinfo", [new])
    (found,) = late["data"]["accepted"]
    assert found["track_info"]["latest_status"]["sub_status"] == "NotFound_Other"
    assert found["track_info"]["latest_event"] is None


def test_a_call_that_is_wrong_as_a_whole_says_so(app: App) -> None:
    many = [{"number": f"LX{n:08d}CN"} for n in range(41)]
    for body, code in ((many, -18010014), ({"number": "LX1"}, -18010012)):
        _, answer = seven(app, "register", body)
        assert [error["code"] for error in answer["data"]["errors"]] == [code]
    status, answer = seven(app, "getquota", {}, key="sandbox-nobody")
    assert (status, answer["data"]["errors"][0]["code"]) == (401, -18010002)
    assert seven(app, "nothing", {})[0] == 404
    _, answer = seven(app, "gettrackinfo", [{"number": "LX99999999CN"}])
    assert [row["error"]["code"] for row in answer["data"]["rejected"]] == [-18019902]


def test_used_up_quota_refuses_numbers_not_the_call(world: World, app: App) -> None:
    services = app._services  # type: ignore[attr-defined]
    poor = Seventeentrack("seven", app._shown, app._budget, services, quota=1)  # type: ignore[attr-defined]
    body = json.dumps([{"number": "LX00000001CN"}, {"number": "LX00000002CN"}]).encode()
    request = Request("POST", "/track/v2.4/register", body=body)
    answer = json.loads(poor.answer(request, datetime(2026, 4, 20)).body)["data"]  # noqa: DTZ001
    assert [len(answer["accepted"]), answer["rejected"][0]["error"]["code"]] == [1, -18019908]


def test_the_list_finds_what_was_looked_up_and_forgets_what_is_long_over(
    world: World, app: App, clock: ManualClock
) -> None:
    rows = listed(app)
    assert len({row["number"] for row in rows}) == len(rows) == world.tracked_parcels.filter(
        world.tracked_parcels["known_at"] <= NOW.replace(tzinfo=None)
    ).height  # fmt: skip
    since = "2026-04-19T12:00:00+00:00"
    fresh = listed(app, track_time_from=since, order_by="TrackTimeAsc")
    assert 0 < len(fresh) < len(rows)
    assert {row["track_time"] >= since[:19] for row in fresh} == {True}
    assert {row["tracking_status"] for row in rows} == {"Tracking", "Stopped"}
    clock.sleep(timedelta(days=95).total_seconds())
    assert len(listed(app)) < len(rows)


def test_events_are_as_carriers_tell_them(app: App) -> None:
    infos = []
    numbers = [{"number": r["number"], "carrier": r["carrier"]} for r in listed(app)]
    for start in range(0, len(numbers), 40):
        _, answer = seven(app, "gettrackinfo", numbers[start : start + 40])
        assert not answer["data"]["rejected"]
        infos += [row["track_info"] for row in answer["data"]["accepted"]]
    providers = [info["tracking"]["providers"] for info in infos]
    events = [e for told in providers for provider in told for e in provider["events"]]
    assert {len(told) for told in providers} == {1, 2}
    assert any(e["time_iso"] and not e["time_utc"] for e in events)
    assert any(e["time_iso"] is None and e["time_raw"]["date"] for e in events)
    assert {e["stage"] is None for e in events} == {True, False}
    seen = {e["sub_status"] for e in events}
    assert {
        "InTransit_CustomsRequiringInformation", "InTransit_CustomsReleased", "Delivered_Other",
        "DeliveryFailure_NoBody", "InTransit_PickedUp",
    } <= seen  # fmt: skip
    latest = {info["latest_status"]["sub_status"] for info in infos}
    assert {"Delivered_Other", "InTransit_CustomsRequiringInformation"} <= latest


def test_aftership_pages_by_cursor_and_fits_its_schema(app: App, shared_dir: Path | None) -> None:
    rows = list(trackings(app, limit=30))
    assert len(rows) == len({row["id"] for row in rows}) > 100
    times = [p["checkpoint_time"] for row in rows for p in row["checkpoints"] or ()]
    assert {len(time) for time in times} == {10, 19, 25}
    low, high = "2026-03-01T00:00:00+00:00", "2026-03-08T00:00:00+00:00"
    week = list(trackings(app, updated_at_min=low, updated_at_max=high))
    assert 0 < len(week) < len(rows)
    assert all(low <= row["updated_at"] <= high for row in week)
    for wrong in ({"limit": 201}, {"updated_at_min": low.replace("+", " ")}, {"cursor": "x"}):
        assert after(app, wrong)[0] == 400
    if shared_dir is None:
        print("not checked: AfterShip's schema")
        return
    schema = shared_dir / "specs" / "tracking" / "aftership_2026-07_trackings_data.schema.json"
    jsonschema.validate({"trackings": rows}, json.loads(schema.read_text(encoding="utf-8")))


def test_aftership_refuses_with_its_own_codes(app: App) -> None:
    known = next(trackings(app, limit=1))
    new = {"tracking_number": "LX00123456CN", "slug": "china-post", "order_id": "O-1"}
    status, answer = after(app, {}, new, "POST")
    assert (status, answer["data"]["tag"], answer["data"]["order_id"]) == (201, "Pending", "O-1")
    assert answer["data"]["checkpoints"] is None
    for body, code in (
        (new, 4003),
        ({"tracking_number": known["tracking_number"]}, 4003),
        ({"tracking_number": "-"}, 4005),
        ({**new, "slug": "No Slug"}, 4010),
        ({"tracking_number": "123456789"}, 4012),
    ):
        status, answer = after(app, {}, body, "POST")
        assert (status, answer["meta"]["code"]) == (400, code)


def test_the_connector_reads_a_troubled_aftership_in_one_night_as_in_two(
    world: World, tmp_path: Path
) -> None:
    found = []
    for name, nights in (("one", (NOW,)), ("two", (NOW - timedelta(days=20), NOW))):
        for now in nights:
            clock = ManualClock(now.astimezone(UTC))
            with serve(world, PARSED, clock=clock, with_personal_data=True) as server:
                values = {"name": "after", "provider": "aftership", "start": PARSED.start}
                account = sandbox_account(CONNECTOR, server.base_urls["tracking"], values)
                outcomes = run_night(CONNECTOR, account, tmp_path / name, clock)
                assert server.failures == []
            assert [(o.stream, o.error) for o in outcomes if o.error] == []
            assert sum(o.rows for o in outcomes if o.stream == "aftership_trackings")
        found.append(raw_tables(CONNECTOR, tmp_path / name))
    assert found[0] == found[1]


def test_a_world_without_a_service_has_no_scans() -> None:
    plain = PARSED.model_copy(update={"accounts": PARSED.accounts[:1]})
    world = build_world(plain)
    assert [world.tracked_parcels.height, world.parcel_scans.height] == [0, 0]
