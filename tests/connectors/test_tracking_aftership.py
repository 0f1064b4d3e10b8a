"""AfterShip as it behaves: pages by cursor, rates by header, 120 days.

Numbers are those of the test cases in the facts about tracking, section 5.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from sources._core.clock import ManualClock
from tests.connectors import tracking_stub as stub
from tests.connectors.tracking_stub import (
    NOW,
    Nights,
    StubAftership,
    checkpoint,
    parcel,
    tracking,
)

TRACKINGS, REGISTRATIONS = "aftership_trackings", "aftership_registrations"


@pytest.fixture
def nights(tmp_path: Path) -> Nights:
    return Nights(tmp_path, stub.account("aftership"))


def test_pages_are_followed_by_cursor(nights: Nights) -> None:
    service = StubAftership([tracking(str(n)) for n in range(7)], page=3)
    with service.running():
        (outcome,) = nights.read(TRACKINGS)
    assert (outcome.state, outcome.rows) == ("ok", 7)
    assert len(service.urls) == 3


def test_a_plus_in_a_time_is_encoded(nights: Nights) -> None:
    service = StubAftership()
    with service.running():
        nights.read(TRACKINGS)
    assert "updated_at_min=2026-03-01T00%3A00%3A00%2B00%3A00" in service.urls[0]


def test_the_rate_of_the_headers_is_believed(nights: Nights) -> None:
    service = StubAftership(
        [tracking(str(n)) for n in range(11)], page=1, headers={"X-RateLimit-Limit": "2"}
    )
    clock = ManualClock(NOW)
    with service.running():
        nights.read(TRACKINGS, clock=clock)
    assert 4.5 <= clock.elapsed <= 5.5  # ten waits of half a second


def test_case_19_too_many_requests_waits_until_the_reset(nights: Nights) -> None:
    reset = {"X-RateLimit-Reset": str(int(NOW.timestamp()) + 7)}
    service = StubAftership([tracking("1")], before=[stub.reply({}, reset, 429)])
    clock = ManualClock(NOW)
    with service.running():
        (outcome,) = nights.read(TRACKINGS, clock=clock)
    assert (outcome.state, outcome.rows) == ("ok", 1)
    assert 7 <= clock.elapsed < 9


@pytest.mark.parametrize(("days", "warns"), [(19, False), (99, False), (101, True), (200, True)])
def test_case_20_the_horizon_of_120_days(nights: Nights, days: int, warns: bool) -> None:
    since = NOW - timedelta(days=days)
    own = stub.account("aftership", start=date(2025, 1, 1))
    nights = Nights(nights.landing, own)
    service = StubAftership([tracking("1")])
    with service.running():
        (outcome,) = nights.read(TRACKINGS, cursors={TRACKINGS: since})
    assert (outcome.state, outcome.rows) == ("ok", 1)
    assert (nights.rejects(TRACKINGS) == {"near_horizon": 0}) is warns
    oldest = max(since - timedelta(hours=1), NOW - timedelta(days=120))
    assert f"updated_at_min={oldest:%Y-%m-%d}" in service.urls[0]


def test_checkpoints_may_be_null_and_buyers_are_dropped(nights: Nights) -> None:
    points = [
        checkpoint("2026-03-16T10:00:00-05:00", "InTransit", "InTransit_002"),
        checkpoint("2026-03-17", "InTransit", "InTransit_001"),
        checkpoint("0001-01-01T00:00:00", "InTransit", "InTransit_001"),
    ]
    with StubAftership([tracking("1"), tracking("2", *points)]).running():
        (outcome,) = nights.read(TRACKINGS)
    assert (outcome.state, outcome.rows) == ("ok", 2)
    assert nights.rejects(TRACKINGS) == {"event_without_time": 1}
    rows = nights.table(TRACKINGS)
    assert len(rows["id-2"]["checkpoints"]) == 2
    assert rows["id-2"]["carrierName"] == "ups"
    assert not any(word in str(rows) for word in ("Ann", "example.com", "40202"))
    assert [d for m in nights.manifests(TRACKINGS) for d in m.drift] == []


def test_open_parcels_are_made_known_one_by_one(nights: Nights) -> None:
    service = StubAftership(codes={"B": 4003, "C": 4012, "D": 4005})
    parcels = [parcel("A"), parcel("B"), parcel("C", "nobodys"), parcel("D")]
    with service.running():
        (outcome,) = nights.read(REGISTRATIONS, parcels=parcels)
        nights.read(REGISTRATIONS, parcels=parcels, now=NOW + timedelta(days=1))
    assert (outcome.state, outcome.rows) == ("ok", 2)
    assert {r["number"]: r["outcome"] for r in nights.table(REGISTRATIONS).values()} == {
        "A": "accepted", "B": "known",
    }  # fmt: skip
    assert nights.rejects(REGISTRATIONS) == {"carrier_unknown": 1, "number_refused": 1}
    assert service.created[0] == {"tracking_number": "A", "order_id": "O-A", "slug": "ups"}
    assert len(service.created) == 4


def test_a_wrong_key_says_what_to_do(tmp_path: Path) -> None:
    own = stub.account("aftership", secrets={"api_key": "another"})
    with StubAftership().running():
        (outcome,) = Nights(tmp_path, own).read(TRACKINGS)
    assert outcome.state == "failed"
    assert "secret" in str(outcome.error)
