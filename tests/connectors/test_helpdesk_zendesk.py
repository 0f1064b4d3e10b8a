"""Reading Zendesk against a hand-written API. Numbers in the names are those of section 6 of the
sheet. Cases 11 to 13 are Gorgias', 14, 15, 17 and 19 are of the models (`test_models_service.py`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sources.helpdesk import CONNECTOR
from tests.connectors.desk_stub import NOW, Asked, Reading, StubApi, read

TICKETS = "/api/v2/incremental/tickets/cursor"
EVENTS = "/api/v2/incremental/ticket_events"
RATINGS = "/api/v2/satisfaction_ratings"


def ticket(number: int, **values: Any) -> dict[str, Any]:
    row = {
        "id": number,
        "created_at": "2026-03-02T08:00:00Z",
        "updated_at": "2026-03-02T10:00:00Z",
        "generated_timestamp": 1772445600,
        "status": "open",
        "via": {"channel": "email"},
        "subject": "Help",
        "tags": [],
        "custom_fields": [],
        "requester_id": 501,
        "assignee_id": 601,
        "group_id": 7,
        "brand_id": 9,
        "metric_set": {"reply_time_in_minutes": {"calendar": None, "business": None}},
    }
    return {**row, **values}


def export(*pages: list[dict[str, Any]]) -> Any:
    """Cursor pages; asked by a start time again, it begins again."""

    def answer(asked: Asked) -> dict[str, Any]:
        number = 0 if "start_time" in asked.query else int(asked.query["cursor"])
        is_last = number == len(pages) - 1
        return {
            "tickets": pages[number],
            "after_cursor": str(number + 1),
            "end_of_stream": is_last,
        }

    return answer


def desk(*pages: list[dict[str, Any]], **handlers: Any) -> StubApi:
    api = StubApi()
    api.handlers[TICKETS] = export(*(pages or ([],)))
    api.handlers[EVENTS] = lambda _asked: {"ticket_events": [], "end_of_stream": True}
    api.handlers[RATINGS] = lambda _asked: {"satisfaction_ratings": [], "meta": {"has_more": False}}
    return api


def night(api: StubApi, folder: Path, **values: Any) -> Reading:
    reading = read(CONNECTOR, api, folder, **values)
    assert [(s, o.error) for s, o in reading.outcomes.items() if o.error] == []
    return reading


def test_1_further_pages_are_asked_for_by_the_cursor_only(tmp_path: Path) -> None:
    api = desk([ticket(1)], [ticket(2)], [ticket(3)])
    reading = night(api, tmp_path)
    assert sorted(row["id"] for row in reading.rows("zendesk_tickets")) == [1, 2, 3]
    first, *further = api.queries(TICKETS)
    assert first["start_time"] == str(int(datetime(2026, 3, 1, tzinfo=UTC).timestamp()))
    assert [set(query) & {"start_time", "cursor"} for query in further] == [{"cursor"}] * 2
    assert all(query["include"] == "metric_sets" for query in api.queries(TICKETS))


def test_2_more_than_a_page_of_one_second_comes_by_cursor(tmp_path: Path) -> None:
    pages = [[ticket(page * 10 + n) for n in range(10)] for page in range(4)]
    reading = night(desk(*pages), tmp_path)
    assert len(reading.rows("zendesk_tickets")) == 40


def test_2_the_time_based_export_of_events_stops_where_it_would_go_round(tmp_path: Path) -> None:
    api = desk()
    api.handlers[EVENTS] = lambda asked: {
        "ticket_events": [], "end_time": 1772445600, "end_of_stream": False, "count": 1000,
    }  # fmt: skip
    reading = read(CONNECTOR, api, tmp_path)
    assert "of one second" in reading.error("zendesk_events")
    assert reading.outcomes["zendesk_tickets"].state == "ok"


def test_3_lists_are_paged_by_cursor_not_by_number(tmp_path: Path) -> None:
    def metrics(asked: Asked) -> dict[str, Any]:
        after = int(asked.query.get("page[after]", "0"))
        row = {"id": after, "ticket_id": after, "updated_at": "2026-03-02T10:00:00Z"}
        meta = {"has_more": after < 2, "after_cursor": str(after + 1)}
        return {"ticket_metrics": [row], "meta": meta}

    api = desk([ticket(1, metric_set=None)])
    api.handlers["/api/v2/ticket_metrics"] = metrics
    reading = night(api, tmp_path, metrics="list")
    assert len(reading.rows("zendesk_ticket_metrics")) == 3
    asked = api.queries("/api/v2/ticket_metrics")
    assert {query["page[size]"] for query in asked} == {"100"}
    assert not any("page" in query for query in asked)
    assert api.queries("/api/v2/tickets/1/metrics") == []


def test_4_5_an_archived_ticket_has_its_metrics_read_alone_and_a_missing_one_is_skipped(
    tmp_path: Path,
) -> None:
    bare = [ticket(n, metric_set=None) for n in (2, 3)]
    api = desk([ticket(1), *bare, ticket(4, status="deleted", metric_set=None)])
    api.handlers["/api/v2/tickets/2/metrics"] = lambda _asked: {
        "ticket_metric": {"ticket_id": 2, "reopens": 1}
    }
    rows = {row["id"]: row for row in night(api, tmp_path).rows("zendesk_tickets")}
    assert rows[2]["metric_set"]["reopens"] == 1
    assert "metric_set" not in rows[3]
    assert set(rows) == {1, 2, 3, 4}
    assert api.queries("/api/v2/tickets/4/metrics") == []


def test_an_export_without_metrics_is_said_not_read_ticket_by_ticket(tmp_path: Path) -> None:
    api = desk([ticket(n, metric_set=None) for n in range(1, 5)])
    night(api, tmp_path)
    assert [asked.path for asked in api.asked if asked.path.endswith("/metrics")] == []
    manifests = "".join(p.read_text() for p in tmp_path.rglob("*.json"))
    assert "metrics_not_in_export" in manifests


def test_6_too_many_requests_wait_as_long_as_asked(tmp_path: Path) -> None:
    api = desk([ticket(1)])
    answers = [(429, {"Retry-After": "37"}, {"error": "slow"}), export([ticket(1)])]

    def refused_once(asked: Asked) -> Any:
        answer = answers.pop(0)
        return answer(asked) if callable(answer) else answer

    api.handlers[TICKETS] = refused_once
    reading = night(api, tmp_path)
    assert len(reading.rows("zendesk_tickets")) == 1
    assert any(37 <= seconds < 39 for seconds in reading.clock.sleeps)


def test_ten_exports_a_minute(tmp_path: Path) -> None:
    reading = night(desk(*[[ticket(n)] for n in range(40)]), tmp_path)
    assert sum(reading.clock.sleeps) >= (41 - 10) * 6 - 12


def test_7_a_ticket_opened_again_is_read_again(tmp_path: Path) -> None:
    solved = {"solved_at": "2026-03-02T10:00:00Z", "reopens": 0}
    night(desk([ticket(1, status="solved", metric_set=solved)]), tmp_path)
    again = ticket(
        1, updated_at="2026-03-20T09:00:00Z", metric_set={"solved_at": None, "reopens": 1}
    )
    later = datetime(2026, 3, 21, tzinfo=UTC)
    api = desk([again])
    (row,) = night(api, tmp_path, now=later).rows("zendesk_tickets")
    assert (row["status"], row["metric_set"]) == ("open", {"reopens": 1})
    begun = datetime.fromtimestamp(int(api.queries(TICKETS)[0]["start_time"]), UTC)
    assert begun == datetime(2026, 3, 19, 22, 59, tzinfo=UTC)  # minus the lookback and the lag


def test_8_changed_ratings_are_rows_of_their_own_for_the_models(tmp_path: Path) -> None:
    rows = [
        {"id": 1, "ticket_id": 1, "score": "bad", "updated_at": "2026-03-03T00:00:00Z"},
        {"id": 1, "ticket_id": 1, "score": "good", "updated_at": "2026-03-04T00:00:00Z"},
    ]
    api = desk()
    api.handlers[RATINGS] = lambda _asked: {"satisfaction_ratings": rows}
    (row,) = night(api, tmp_path).rows("zendesk_satisfaction_ratings")
    assert row["score"] == "good"


def test_10_an_end_without_tickets_still_moves_the_cursor(tmp_path: Path) -> None:
    outcome = night(desk(), tmp_path).outcomes["zendesk_tickets"]
    assert (outcome.rows, outcome.cursor_after) == (0, NOW.replace(day=19, hour=23, minute=59))


def test_16_brands_and_groups_get_the_names_of_the_settings(tmp_path: Path) -> None:
    api = desk([ticket(1), ticket(2, brand_id=10, group_id=8)])
    reading = night(api, tmp_path, brands={"9": "amazon_de"}, teams={"7": "care"})
    rows = {row["id"]: row for row in reading.rows("zendesk_tickets")}
    assert (rows[1]["marketplace"], rows[1]["team"]) == ("amazon_de", "care")
    assert "marketplace" not in rows[2]
    assert "team" not in rows[2]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"custom_fields": [{"id": 44, "value": " 1001 "}]}, ("1001", "field")),
        (
            {"custom_fields": [{"id": 45, "value": "1"}], "subject": "Re: 028-1234567-7654321?"},
            ("028-1234567-7654321", "pattern"),
        ),
        ({"tags": ["vip", "12-34567-89012"], "external_id": "X"}, ("12-34567-89012", "pattern")),
        ({"subject": "Order 200012345678901 late"}, ("200012345678901", "pattern")),
        ({"subject": "订单576858019192601577未收到"}, ("576858019192601577", "pattern")),
        ({"tags": ["late", "sh-000000012345"]}, ("sh-000000012345", "pattern")),
        ({"subject": "call 030 1234567", "external_id": "X9"}, ("X9", "external_id")),
        ({"subject": "EAN 4006381333931, parcel 00340434161094042557"}, (None, None)),
        ({}, (None, None)),
    ],
)
def test_17_the_order_is_found_by_field_pattern_or_external_id(
    tmp_path: Path, values: dict[str, Any], expected: tuple[str | None, str | None]
) -> None:
    reading = night(desk([ticket(1, **values)]), tmp_path, order_field="44")
    (row,) = reading.rows("zendesk_tickets")
    assert (row.get("order_ref"), row.get("order_ref_from")) == expected


def test_18_any_text_is_taken_and_masked(tmp_path: Path) -> None:
    texts = {
        1: "😀🎉",
        2: "\u202e\u05e9\u05dc\u05d5\u05dd",
        3: "x" * (1 << 20),
        4: "mail me at ann@example.org",
    }
    reading = night(desk([ticket(n, subject=text) for n, text in texts.items()]), tmp_path)
    rows = {row["id"]: row["subject"] for row in reading.rows("zendesk_tickets")}
    assert {n: rows[n] for n in (1, 2, 3)} == {n: texts[n] for n in (1, 2, 3)}
    assert rows[4] == "mail me at [email]"


def test_20_without_admin_rights_ratings_are_refused_by_name_and_the_rest_loads(
    tmp_path: Path,
) -> None:
    api = desk([ticket(1)])
    api.handlers[RATINGS] = lambda _asked: (403, {}, {"error": "Forbidden"})
    reading = read(CONNECTOR, api, tmp_path)
    assert "need an admin" in reading.error("zendesk_satisfaction_ratings")
    assert "account desk" in reading.error("zendesk_satisfaction_ratings")
    assert len(reading.rows("zendesk_tickets")) == 1
    assert night(api, tmp_path, satisfaction="surveys").rows("zendesk_tickets")


def test_a_deleted_ticket_is_a_row_beside_its_last_state(tmp_path: Path) -> None:
    gone = ticket(1, status="deleted", subject="SCRUBBED", updated_at="2026-03-05T00:00:00Z")
    reading = night(desk([ticket(1), gone]), tmp_path)
    table = reading.tables["zendesk_tickets"]
    assert set(table) == {"1", "1|deleted"}
    assert "subject" not in table["1|deleted"]


def test_comments_and_surveys_come_with_the_events_and_notes_stay_out(tmp_path: Path) -> None:
    def child(number: int, kind: str, **values: Any) -> dict[str, Any]:
        return {"id": number, "event_type": kind, **values}

    children = [
        child(1, "Comment", author_id=501, body="<b>hi</b>", plain_body="hi", public=True),
        child(2, "Comment", author_id=601, plain_body="note", public=False),
        child(3, "Comment", author_id=-1, plain_body="auto", public=True),
        child(4, "Change", field_name="status"),
        child(5, "SurveyOffered"),
        child(6, "SurveyResponseSubmitted", survey_response_id="r1"),
    ]
    event = {"ticket_id": 1, "created_at": "2026-03-02T08:00:00Z", "via": "Web form"}
    api = desk([ticket(1)])
    api.handlers[EVENTS] = lambda _asked: {
        "ticket_events": [{**event, "child_events": children}], "end_of_stream": True,
    }  # fmt: skip
    api.handlers["/api/v2/guide/survey_responses/r1"] = lambda _asked: {
        "survey_response": {"answers": [{"type": "open_ended"}, {"rating": 4}]}
    }
    reading = night(api, tmp_path)
    rows = {row["id"]: row for row in reading.rows("zendesk_events")}
    assert set(rows) == {1, 3, 5, 6}
    assert (rows[1]["body"], rows[1]["is_automatic"], rows[3]["is_automatic"]) == (
        "hi",
        False,
        True,
    )
    assert (rows[6]["rating"], rows[6]["rating_max"]) == (4, 5)
    (own,) = reading.rows("zendesk_tickets")
    assert rows[1]["author_key"] == own["requester_key"]
    assert own["agent_key"] not in ("601", None)


def test_people_are_landed_as_hashes_only_and_no_secret_is(tmp_path: Path) -> None:
    api = desk([ticket(1, requester_id=987654321, assignee_id=123456789)])
    night(api, tmp_path)
    landed = "".join(str(row) for row in read(CONNECTOR, api, tmp_path).rows("zendesk_tickets"))
    assert "987654321" not in landed
    assert "123456789" not in landed
    sent = {asked.headers["Authorization"] for asked in api.asked}
    assert len(sent) == 1
    assert next(iter(sent)).startswith("Basic ")


def test_a_desk_without_address_says_what_to_add(tmp_path: Path) -> None:
    reading = read(CONNECTOR, desk(), tmp_path, base_url=None)
    assert "add subdomain" in reading.error("zendesk_tickets")
