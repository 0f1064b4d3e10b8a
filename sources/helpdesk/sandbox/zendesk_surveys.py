"""Both kinds of Zendesk's satisfaction survey; an account has one of them.

Belongs here: ratings (good, bad) and survey responses (1 to 5). A rating that is changed stays one
record with a new score.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from .answers import Object, unix
from .snapshot import Desk, Ticket
from .zendesk_tickets import agent, audit, moment, rating_id, requester

SURVEY = "01J58KJ9RAE0D2EK7HRVM7Z8F2"


def _asked(desk: Desk) -> list[tuple[datetime, Ticket]]:
    found = [(t.reached("asked_at"), t) for t in desk.tickets.values() if not t.is_spam]
    return sorted(((at, t) for at, t in found if at), key=lambda pair: (pair[0], pair[1].number))


def ratings(desk: Desk, origin: str) -> list[Object]:
    """By creation. What is not answered is `offered`."""
    return [
        {
            "url": f"{origin}/api/v2/satisfaction_ratings/{rating_id(row)}.json",
            "id": rating_id(row),
            "assignee_id": agent(row),
            "group_id": None,
            "requester_id": requester(row),
            "ticket_id": row.number,
            "score": "offered" if row.score is None else "good" if row.score >= 4 else "bad",
            "created_at": moment(at),
            "updated_at": moment(row.scored_at or at),
            "comment": row.case["comment"] if row.score is not None else None,
            "reason": "No reason provided" if row.score is not None and row.score < 4 else None,
            "reason_id": 0 if row.score is not None and row.score < 4 else None,
            "reason_code": 0 if row.score is not None and row.score < 4 else None,
            "_at": unix(row.scored_at or at),
        }
        for at, row in _asked(desk)
    ]


def responses(desk: Desk) -> list[Object]:
    """By the time the survey was offered; the answers come when they come."""
    return [
        {
            "id": response_id(row),
            "answers": _answers(row),
            "expires_at": moment(at + timedelta(days=60)),
            "responder_id": requester(row),
            "subject_zrns": [f"zen:ticket:{row.number}"],
            "subjects": [
                {"id": str(row.number), "type": "ticket", "zrn": f"zen:ticket:{row.number}"}
            ],
            "survey": {"id": SURVEY, "state": "enabled", "version": 3},
            "_at": unix(at),
        }
        for at, row in _asked(desk)
    ]


def survey_events(desk: Desk) -> list[Object]:
    """Audits of a survey's steps: offered, answered, and answered anew."""
    found = []
    for at, row in _asked(desk):
        answers = (row.reached("answered_at"), row.reached("changed_at"))
        steps = [("SurveyOffered", at), *(("SurveyResponseSubmitted", t) for t in answers if t)]
        for number, (kind, when) in enumerate(steps):
            identifier = row.number * 100_000 + 90_000 + number * 10
            child: Object = {
                "id": identifier + 1,
                "event_type": kind,
                "survey_type": "csat",
                "survey_id": SURVEY,
                "survey_response_id": response_id(row),
            }
            found.append(audit(row, identifier, moment(when), requester(row), [child]))
    return found


def response_id(row: Ticket) -> str:
    return f"01J1WB51MG6HXTYWE6{row.number:08d}"


def _answers(row: Ticket) -> list[Object]:
    if row.score is None:
        return []
    first, last = moment(row.reached("answered_at")), moment(row.scored_at)
    told: list[Object] = [
        {
            "type": "rating_scale",
            "rating": row.score,
            "rating_category": "good" if row.score >= 4 else "bad",
            "question": _question("01GFYBENPDGN1R6NAA4WRDNVFQ", "rating_scale", "rating"),
            "created_at": first,
            "updated_at": last,
        }
    ]
    comment = row.case["comment"]
    told.append(
        {
            "type": "open_ended" if comment else "skipped",
            **({"value": comment} if comment else {}),
            "question": _question("01GFYBENPDGN1R6NAA4WRDNVFR", "open_ended", "comment"),
            "created_at": first,
            "updated_at": first,
        }
    )
    return told


def _question(identifier: str, kind: str, alias: str) -> Object:
    return {
        "id": identifier,
        "type": kind,
        "alias": alias,
        "headline": {"type": "static", "value": "How did we do?"},
    }
