"""Reading Gorgias against a hand-written API. Numbers in the names are those of section 6 of the
sheet.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sources.helpdesk import CONNECTOR
from tests.connectors.desk_stub import NOW, Asked, Reading, StubApi, read


def moment(hours_ago: float) -> str:
    """Times of Gorgias have no offset; some have microseconds."""
    at = NOW - timedelta(hours=hours_ago)
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f" if int(hours_ago) % 2 else "%Y-%m-%dT%H:%M:%S")


def ticket(number: int, hours_ago: float, **values: Any) -> dict[str, Any]:
    row = {
        "id": number,
        "status": "open",
        "subject": "Size?",
        "via": "email",
        "spam": False,
        "tags": [{"id": 1, "name": "too_small"}],
        "customer": {"id": 77, "email": "ann@example.org", "name": "Ann"},
        "assignee_user": {"id": 88, "name": "Bo"},
        "assignee_team": {"id": 5},
        "created_datetime": moment(hours_ago + 1),
        "updated_datetime": moment(hours_ago),
    }
    return {**row, **values}


class Desk(StubApi):
    """Lists of rows, newest first, two rows a page."""

    def __init__(self, **lists: list[dict[str, Any]]) -> None:
        super().__init__()
        for name in ("tickets", "messages", "satisfaction-surveys"):
            rows = lists.get(name.replace("-", "_"), [])
            self.handlers[f"/api/{name}"] = lambda asked, rows=rows: self._page(asked, rows)

    def _page(self, asked: Asked, rows: list[dict[str, Any]]) -> Any:
        field = asked.query["order_by"].removesuffix(":desc")
        ordered = sorted(rows, key=lambda row: row[field], reverse=True)
        begin = int(asked.query.get("cursor", "0"))
        more = begin + 2 < len(ordered)
        meta = {"next_cursor": str(begin + 2) if more else None, "prev_cursor": None}
        return {"data": ordered[begin : begin + 2], "meta": meta}


def night(api: StubApi, folder: Path, now: datetime = NOW, **values: Any) -> Reading:
    reading = read(CONNECTOR, api, folder, now, provider="gorgias", **values)
    assert [(s, o.error) for s, o in reading.outcomes.items() if o.error] == []
    return reading


def test_11_a_night_reads_down_to_the_watermark_and_no_further(tmp_path: Path) -> None:
    rows = [ticket(n, hours_ago=n) for n in range(1, 41)]
    api = Desk(tickets=rows)
    assert len(night(api, tmp_path).rows("gorgias_tickets")) == 40
    assert len(api.queries("/api/tickets")) == 20
    later = Desk(tickets=[*rows, ticket(50, hours_ago=-10)])
    reading = night(later, tmp_path, now=NOW + timedelta(days=1))
    assert len(reading.rows("gorgias_tickets")) == 41
    # the new one and those of the hour before the watermark, then the first older row
    assert len(later.queries("/api/tickets")) == 2
    assert later.queries("/api/tickets")[0]["order_by"] == "updated_datetime:desc"


def test_a_row_that_moves_up_while_pages_are_read_comes_twice_or_the_next_night(
    tmp_path: Path,
) -> None:
    rows = [ticket(n, hours_ago=n) for n in range(1, 7)]
    api = Desk(tickets=rows)
    page = api.handlers["/api/tickets"]

    def moving(asked: Asked) -> Any:
        answer = page(asked)
        rows[3]["updated_datetime"] = moment(0)  # somebody answers it: it moves to the top
        return answer

    api.handlers["/api/tickets"] = moving
    ids = sorted(row["id"] for row in night(api, tmp_path).rows("gorgias_tickets"))
    assert ids == [1, 2, 3, 5, 6]
    next_night = night(api, tmp_path, now=NOW + timedelta(hours=1))
    assert sorted(row["id"] for row in next_night.rows("gorgias_tickets")) == [1, 2, 3, 4, 5, 6]


def test_12_times_in_both_formats_are_one_in_utc(tmp_path: Path) -> None:
    rows = [
        ticket(1, 1, updated_datetime="2026-03-02T10:00:00"),
        ticket(1, 1, updated_datetime="2026-03-02T10:00:00.500000", status="closed"),
        ticket(2, 1, updated_datetime="2026-03-02T12:00:00+02:00"),
    ]
    found = {row["id"]: row for row in night(Desk(tickets=rows), tmp_path).rows("gorgias_tickets")}
    assert (found[1]["status"], found[1]["updated_datetime"]) == (
        "closed",
        "2026-03-02T10:00:00.500000Z",
    )
    assert found[2]["updated_datetime"] == "2026-03-02T10:00:00.000000Z"


def test_13_a_survey_scored_forty_days_later_is_read_again(tmp_path: Path) -> None:
    survey = {"id": 1, "ticket_id": 1, "score": None, "created_datetime": moment(24)}
    night(Desk(satisfaction_surveys=[survey]), tmp_path)
    scored = {**survey, "score": 5, "scored_datetime": "2026-04-28T00:00:00"}
    later = Desk(satisfaction_surveys=[scored])
    (row,) = night(later, tmp_path, now=NOW + timedelta(days=40)).rows("gorgias_surveys")
    assert (row["score"], row["scored_datetime"]) == (5, "2026-04-28T00:00:00.000000Z")


def test_messages_of_rules_are_automatic_and_notes_stay_out(tmp_path: Path) -> None:
    def message(number: int, **values: Any) -> dict[str, Any]:
        row = {
            "id": number, "ticket_id": 1, "public": True, "via": "email", "from_agent": True,
            "created_datetime": moment(number), "stripped_text": "call +49 30 1234567",
            "sender": {"id": 88, "name": "Bo"},
        }  # fmt: skip
        return {**row, **values}

    api = Desk(messages=[message(1), message(2, via="rule"), message(3, public=False),
                         message(4, from_agent=False, via="api")])  # fmt: skip
    rows = {row["id"]: row for row in night(api, tmp_path).rows("gorgias_messages")}
    assert {number: row["is_automatic"] for number, row in rows.items()} == {
        1: False, 2: True, 4: False,
    }  # fmt: skip
    assert "1234567" not in str(rows)
    assert "Bo" not in str(rows)


def test_people_teams_and_orders_of_a_ticket(tmp_path: Path) -> None:
    api = Desk(tickets=[ticket(1, 1, subject="order #1001")])
    (row,) = night(api, tmp_path, teams={"5": "care"}).rows("gorgias_tickets")
    assert (row["team"], row["order_ref"], row["tags"]) == ("care", "#1001", ["too_small"])
    assert "ann@" not in str(row)
    assert len(row["customer_key"]) == len(row["agent_key"]) == 64
    assert row["customer_key"] != row["agent_key"]


def test_the_limit_that_answers_tell_is_kept(tmp_path: Path) -> None:
    rows = [ticket(n, hours_ago=n) for n in range(1, 9)]
    api = Desk(tickets=rows)
    page = api.handlers["/api/tickets"]
    api.handlers["/api/tickets"] = lambda asked: (
        200, {"X-Gorgias-Account-Api-Call-Limit": "40/40"}, page(asked),
    )  # fmt: skip
    reading = night(api, tmp_path)
    assert sum(reading.clock.sleeps) >= 1.5  # two a second, nothing left at once


def test_a_bearer_token_does_instead_of_a_key(tmp_path: Path) -> None:
    api = Desk()
    night(api, tmp_path, secrets={"access_token": "oauth"})
    assert {asked.headers["Authorization"] for asked in api.asked} == {"Bearer oauth"}
