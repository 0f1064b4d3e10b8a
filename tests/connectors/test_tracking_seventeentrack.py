"""17TRACK as it behaves: parcels made known, read, refused.

Numbers are those of the test cases in the facts about tracking, section 5; those that concern what
is made of the events are in `tests/warehouse/test_models_parcels.py`.
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
    StubSeventeentrack,
    event,
    parcel,
    track_info,
)

PARCELS, REGISTRATIONS = "seventeentrack_parcels", "seventeentrack_registrations"


def test_case_01_forty_one_numbers_are_two_calls_and_none_is_lost(tmp_path: Path) -> None:
    numbers = [f"1Z{n:03}" for n in range(41)]
    service = StubSeventeentrack(known={n: track_info() for n in numbers})
    nights = Nights(tmp_path)
    with service.running():
        outcomes = nights.read(REGISTRATIONS, parcels=[parcel(n) for n in numbers])
        outcomes += nights.read(PARCELS)
    assert [(o.state, o.rows) for o in outcomes] == [("ok", 41), ("ok", 41)]
    assert [len(body) for body in service.sent("register")] == [40, 1]
    assert [len(body) for body in service.sent("gettrackinfo")] == [40, 1]
    assert {row["number"] for row in nights.table(PARCELS).values()} == set(numbers)


def test_case_02_all_refused_is_no_failure_and_counted(tmp_path: Path) -> None:
    codes = {"A": -18010012, "B": -18010018, "C": -18010020, "D": -18019903, "E": -18019910}
    service = StubSeventeentrack(codes=codes)
    nights = Nights(tmp_path)
    with service.running():
        (outcome,) = nights.read(REGISTRATIONS, parcels=[parcel(n) for n in codes])
        nights.read(REGISTRATIONS, parcels=[parcel(n) for n in codes], now=NOW + timedelta(days=1))
    assert (outcome.state, outcome.rows) == ("ok", 0)
    assert nights.rejects(REGISTRATIONS) == {
        "number_refused": 1, "not_trackable": 2, "carrier_unknown": 1, "wrong_carrier": 1,
    }  # fmt: skip
    assert len(service.sent("register")) == 1, "what cannot be followed is not asked for again"


def test_case_03_known_already_is_success_on_every_run(tmp_path: Path) -> None:
    service = StubSeventeentrack(registered={"1Z1": stub.UPS})
    for folder in ("one", "state_was_lost"):
        nights = Nights(tmp_path / folder)
        with service.running():
            (outcome,) = nights.read(REGISTRATIONS, parcels=[parcel("1Z1")])
        assert (outcome.state, outcome.rows, nights.rejects(REGISTRATIONS)) == ("ok", 1, {})
        (row,) = nights.table(REGISTRATIONS).values()
        assert (row["outcome"], row["carrier"], row["orderRef"]) == ("known", "100002", "O-1Z1")


def test_a_number_is_paid_for_once(tmp_path: Path) -> None:
    service = StubSeventeentrack()
    nights = Nights(tmp_path)
    with service.running():
        for day in range(3):
            nights.read(REGISTRATIONS, parcels=[parcel("1Z1")], now=NOW + timedelta(days=day))
    assert len(service.sent("register")) == 1


def test_quota_that_is_used_up_ends_the_night_and_is_asked_for_again(tmp_path: Path) -> None:
    parcels = [parcel(f"1Z{n:03}") for n in range(80)]
    service = StubSeventeentrack(codes={"1Z001": -18019908})
    nights = Nights(tmp_path)
    with service.running():
        (outcome,) = nights.read(REGISTRATIONS, parcels=parcels)
        assert (outcome.state, outcome.rows) == ("ok", 39)
        assert nights.rejects(REGISTRATIONS) == {"quota": 1}
        service.codes.clear()
        nights.read(REGISTRATIONS, parcels=parcels, now=NOW + timedelta(days=1))
    assert len(nights.table(REGISTRATIONS)) == 80


def test_case_04_nothing_known_for_a_day_is_no_reject(tmp_path: Path) -> None:
    service = StubSeventeentrack(known={"1Z1": {}})
    nights = Nights(tmp_path)
    with service.running():
        (outcome,) = nights.read(PARCELS)
    assert (outcome.state, outcome.rows, nights.rejects(PARCELS)) == ("ok", 0, {})


def test_carriers_are_asked_for_by_their_key_or_found_by_the_service(tmp_path: Path) -> None:
    own = stub.account(carrier_keys={"tiny_post": 777})
    nights = Nights(tmp_path, own)
    service = StubSeventeentrack()
    with service.running():
        parcels = [parcel("1"), parcel("2", "tiny_post"), parcel("3", "nobodys")]
        nights.read(REGISTRATIONS, parcels=parcels)
    sent = {row["number"]: row for row in service.sent("register")[0]}
    assert (sent["1"]["carrier"], sent["2"]["carrier"]) == (100002, 777)
    assert sent["3"].get("carrier") is None
    assert sent["3"]["auto_detection"] is True
    assert (sent["1"]["order_no"], sent["1"]["order_time"]) == ("O-1", "2026-03-15")


def test_only_parcels_that_are_worth_a_unit_are_made_known() -> None:
    own = stub.account()
    parcels = [
        parcel("OLD", sent_on=date(2025, 12, 1)),
        parcel("FBA", fulfilled_by="marketplace"),
        parcel("OURS"),
    ]
    told = own.model_copy(update={"open_parcels": parcels})
    assert [p.tracking_number for p in told.parcels_to_follow(NOW.date())] == ["OURS"]
    silent = told.model_copy(update={"registers": False})
    assert silent.parcels_to_follow(NOW.date()) == []


def test_case_12_scans_without_any_day_are_counted_others_kept(tmp_path: Path) -> None:
    odd = [
        event("2026-03-16T10:00:00", None),
        event("", None, time_iso="2026-03-16T10:00:00", time_utc=None, time_raw=None),
        event("", None, time_iso=None, time_utc=None, time_raw={"date": "2026-03-16"}),
        event("", None, time_iso="2026-03-16T24:00:00+08:00", time_utc=None),
        event("", None, time_iso="0001-01-01T00:00:00", time_utc="0001-01-01T00:00:00Z",
              time_raw={"date": "0001-01-01"}),
        event("", None, time_iso=None, time_utc=None, time_raw=None),
    ]  # fmt: skip
    service = StubSeventeentrack(known={"1Z1": track_info(odd)})
    nights = Nights(tmp_path)
    with service.running():
        (outcome,) = nights.read(PARCELS)
    assert outcome.state == "ok"
    assert nights.rejects(PARCELS) == {"event_without_time": 2}
    (row,) = nights.table(PARCELS).values()
    assert len(row["track_info"]["tracking"]["providers"][0]["events"]) == 4


def test_case_14_a_state_without_news_is_the_same_row(tmp_path: Path) -> None:
    """What changes every day by itself (days since, time of the look-up) is not kept."""
    service = StubSeventeentrack(known={"1Z1": track_info([event("2026-03-16T10:00:00", None)])})
    nights = Nights(tmp_path)
    with service.running():
        nights.read(PARCELS)
        before = nights.table(PARCELS)
        info = service.known["1Z1"]
        info["time_metrics"]["days_after_order"] = 4
        info["tracking"]["providers"][0]["latest_sync_time"] = "2026-03-21T00:00:00Z"
        nights.read(PARCELS, now=NOW + timedelta(days=1))
    assert nights.table(PARCELS) == before


def test_legs_are_those_of_the_first_and_the_last_carrier(tmp_path: Path) -> None:
    scans = [event("2026-03-16T10:00:00", None)]
    service = StubSeventeentrack(known={"ONE": track_info(scans), "TWO": track_info(scans, scans)})
    nights = Nights(tmp_path)
    with service.running():
        nights.read(PARCELS)
    legs = {
        row["number"]: [p["leg"] for p in row["track_info"]["tracking"]["providers"]]
        for row in nights.table(PARCELS).values()
    }
    assert legs == {"ONE": ["unknown"], "TWO": ["first", "last"]}


def test_addresses_are_cut_to_the_country(tmp_path: Path) -> None:
    service = StubSeventeentrack(known={"1Z1": track_info([event("2026-03-16T10:00:00", None)])})
    nights = Nights(tmp_path)
    with service.running():
        nights.read(PARCELS)
    (row,) = nights.table(PARCELS).values()
    assert row["track_info"]["shipping_info"]["recipient_address"] == {"country": "US"}
    assert "40202" not in str(row)
    assert [d for m in nights.manifests(PARCELS) for d in m.drift] == []


def test_case_19_a_storm_of_429_ends_within_the_limits(tmp_path: Path) -> None:
    numbers = [f"1Z{n:03}" for n in range(400)]
    service = StubSeventeentrack(known={n: track_info() for n in numbers})
    for every in range(1, 5):
        service.before += [stub.reply({}, status=429)] * (every % 3)
    clock = ManualClock(NOW)
    nights = Nights(tmp_path)
    with service.running():
        (outcome,) = nights.read(PARCELS, clock=clock)
    assert (outcome.state, outcome.rows) == ("ok", 400)
    calls = len(service.calls)
    assert clock.elapsed >= (calls - 1) / 3  # three a second
    assert clock.elapsed < 120


@pytest.mark.parametrize(
    ("code", "words"), [(-18010001, "allow-list"), (-18010002, "wrong"), (-18010004, "disabled")]
)
def test_a_refused_key_says_what_to_do(tmp_path: Path, code: int, words: str) -> None:
    refusal = stub.reply({"code": -1, "data": {"errors": [{"code": code}]}})
    service = StubSeventeentrack(before=[refusal])
    with service.running():
        (outcome,) = Nights(tmp_path).read(PARCELS)
    assert outcome.state == "failed"
    assert words in str(outcome.error)
    assert stub.KEY not in str(outcome.error)


def test_an_internal_error_is_tried_again(tmp_path: Path) -> None:
    trouble = stub.reply({"code": -1, "data": {"errors": [{"code": -18010003}]}})
    service = StubSeventeentrack(known={"1Z1": track_info()}, before=[trouble, trouble])
    with service.running():
        (outcome,) = Nights(tmp_path).read(PARCELS)
    assert (outcome.state, outcome.rows) == ("ok", 1)


def test_an_account_reads_the_streams_of_its_vendor_only(tmp_path: Path) -> None:
    with StubSeventeentrack().running():
        outcomes = Nights(tmp_path).read(PARCELS, "aftership_trackings", "statuses")
    assert {o.stream for o in outcomes} == {PARCELS, "statuses"}
