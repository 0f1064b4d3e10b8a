"""The ECB's file with its oddities, and where it is taken from."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import responses

from sources._core.clock import ManualClock
from sources._core.errors import GarbledAnswer, StopStream
from sources._core.extract import ExtractRequest, StreamOutcome, extract_all
from sources._core.landing import Manifest, landed_files
from sources.fx import CONNECTOR
from sources.fx.client import reaches
from sources.fx.config import DEFAULT_ACCOUNT, PUBLIC_URL, FxSettings
from sources.fx.rates_file import read_csv, read_zip
from sources.fx.streams import last_published

MIRROR = "https://rates.example/eurofxref"
FIRST, LAST = date(1999, 1, 1), date(2099, 1, 1)


def zipped(text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("eurofxref-hist.csv", text)
    return buffer.getvalue()


def rates(text: str, first: date = FIRST, last: date = LAST) -> list[tuple[str, str, str]]:
    return [
        (rate["rate_date"], rate["currency"], rate["units_per_eur"])
        for rate in read_csv(text).rates(first, last)
    ]


def night(
    folder: Path,
    now: datetime,
    account: FxSettings = DEFAULT_ACCOUNT,
    cursor: datetime | None = None,
) -> StreamOutcome:
    cursors: Mapping[str, datetime] = {"ecb_rates": cursor} if cursor else {}
    request = ExtractRequest(CONNECTOR, account, cursors, streams=frozenset({"ecb_rates"}))
    (outcome,) = extract_all([request], folder, ManualClock(now))
    return outcome


def landed(folder: Path) -> tuple[Sequence[Mapping[str, Any]], Manifest]:
    files = landed_files(folder / "fx" / "ecb" / "ecb_rates")
    lines = [msgspec.json.decode(line) for file in files for line in file.lines()]
    return lines, files[-1].manifest


def test_newest_first_missing_rates_and_the_empty_last_column() -> None:
    text = "Date,USD,JPY,HRK,\n2026-01-05,1.17,180.5,N/A,\n2026-01-02,1.16,,N/A,\n"
    assert rates(text) == [
        ("2026-01-02", "USD", "1.16"),
        ("2026-01-05", "USD", "1.17"),
        ("2026-01-05", "JPY", "180.5"),
    ]


def test_a_currency_column_may_come_or_go_and_cells_may_have_blanks() -> None:
    before = "Date, USD, HRK, \n2026-01-02, 1.16, 7.5, \n"
    after = "Date,USD,XYZ,\n2026-01-05,1.17,3.5,\n"
    assert [r[1] for r in rates(before)] == ["USD", "HRK"]
    assert [r[1] for r in rates(after)] == ["USD", "XYZ"]


def test_a_column_that_is_no_currency_is_unknown() -> None:
    file = read_csv("Date,USD,Comment,\n2026-01-02,1.16,hello,\n")
    assert file.unknown_columns == ("Comment",)
    assert [r["currency"] for r in file.rates(FIRST, LAST)] == ["USD"]


def test_the_same_date_twice_counts_once() -> None:
    file = read_csv("Date,USD,\n2026-01-05,1.18,\n2026-01-05,1.17,\n2026-01-02,1.16,\n")
    assert [r["units_per_eur"] for r in file.rates(FIRST, LAST)] == ["1.16", "1.18"]
    assert file.repeated_days == 1


def test_only_the_days_asked_for() -> None:
    text = "Date,USD,\n2026-01-06,1.18,\n2026-01-05,1.17,\n2026-01-02,1.16,\n"
    days = rates(text, date(2026, 1, 3), date(2026, 1, 5))
    assert [r[0] for r in days] == ["2026-01-05"]


@pytest.mark.parametrize("bad", ["0", "-1.2", "abc", "1,17", "NaN", "Infinity"])
def test_a_rate_that_is_none_is_held_back(bad: str) -> None:
    file = read_csv(f'Date,USD,JPY,\n2026-01-05,"{bad}",180,\n2026-13-45,1.1,170,\n')
    assert [r["currency"] for r in file.rates(FIRST, LAST)] == ["JPY"]
    assert {(r.reason, r.count, r.example_ref) for r in file.rejected.values()} == {
        ("bad_rate", 1, "2026-01-05|USD"),
        ("malformed_row", 1, "2026-13-45"),
    }


def test_another_file_stops_the_stream_and_a_cut_one_is_asked_for_again() -> None:
    with pytest.raises(StopStream, match="base_url"):
        read_csv("<html>\n")
    whole = zipped("Date,USD,\n2026-01-05,1.17,\n")
    with pytest.raises(GarbledAnswer):
        read_zip(whole[: len(whole) // 2])


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 1, 5, 0, 0, tzinfo=UTC), date(2026, 1, 4)),
        (datetime(2026, 1, 5, 14, 59, tzinfo=UTC), date(2026, 1, 4)),
        (datetime(2026, 1, 5, 15, 0, tzinfo=UTC), date(2026, 1, 5)),
        (datetime(2026, 7, 6, 14, 0, tzinfo=UTC), date(2026, 7, 6)),  # summer time
    ],
)
def test_a_days_rates_are_out_from_four_in_the_afternoon_in_frankfurt(
    moment: datetime, day: date
) -> None:
    assert last_published(moment) == day


@responses.activate
def test_offline_the_bundled_file_serves_clocks_that_it_covers(tmp_path: Path) -> None:
    account = FxSettings(start=date(2026, 10, 1))
    outcome = night(tmp_path, datetime(2026, 10, 31, tzinfo=UTC), account)
    lines, manifest = landed(tmp_path)
    by_key = {line["_key"]: line["units_per_eur"] for line in lines}
    assert outcome.state == "ok"
    assert by_key["2026-10-30|USD"] == "1.1172"
    assert by_key["2026-10-30|CNY"] == "7.4326"
    assert min(by_key) == "2026-09-24|AUD"  # the week before: its last rate holds on the first
    assert manifest.cursor_after == datetime(2026, 10, 31, tzinfo=UTC)
    assert len(responses.calls) == 0


@responses.activate
def test_no_rate_after_the_clock_is_landed(tmp_path: Path) -> None:
    night(tmp_path, datetime(2026, 7, 4, tzinfo=UTC), FxSettings(start=date(2026, 6, 1)))
    lines, _manifest = landed(tmp_path)
    assert max(line["rate_date"] for line in lines) == "2026-07-03"


@responses.activate
def test_later_days_come_from_the_ecb(tmp_path: Path) -> None:
    responses.get(f"{PUBLIC_URL}/eurofxref-hist.zip", body=zipped("Date,USD,\n2026-12-01,1.2,\n"))
    night(tmp_path, datetime(2026, 12, 2, tzinfo=UTC), FxSettings(start=date(2026, 11, 20)))
    lines, manifest = landed(tmp_path)
    assert [line["_key"] for line in lines] == ["2026-12-01|USD"]
    assert manifest.cursor_after == datetime(2026, 12, 2, tzinfo=UTC)


@responses.activate
def test_without_network_the_bundled_file_is_used_as_far_as_it_goes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    outcome = night(
        tmp_path, datetime(2026, 12, 2, tzinfo=UTC), FxSettings(start=date(2026, 10, 20))
    )
    lines, manifest = landed(tmp_path)
    assert outcome.state == "ok"
    assert max(line["rate_date"] for line in lines) == "2026-10-30"
    assert manifest.cursor_after == datetime(2026, 10, 30, tzinfo=UTC)
    assert "rates end on 2026-10-30" in caplog.text


@responses.activate
def test_a_set_address_is_the_only_source_and_its_failure_is_told(tmp_path: Path) -> None:
    account = FxSettings(start=date(2026, 1, 1), base_url=MIRROR)
    outcome = night(tmp_path, datetime(2026, 1, 10, tzinfo=UTC), account)
    assert outcome.state == "failed"
    assert outcome.error is not None and "base_url" in outcome.error


@responses.activate
def test_a_night_reads_again_what_may_have_come_late_or_been_corrected(tmp_path: Path) -> None:
    account = FxSettings(start=date(2025, 1, 1), base_url=MIRROR)
    days = [f"2026-01-{day:02d},1.{day:02d}," for day in range(31, 0, -1)]
    responses.get(f"{MIRROR}/eurofxref-hist.zip", body=zipped("\n".join(["Date,USD,", *days])))
    cursor = datetime(2026, 1, 30, tzinfo=UTC)
    night(tmp_path, datetime(2026, 2, 1, tzinfo=UTC), account, cursor)
    lines, _manifest = landed(tmp_path)
    assert [line["rate_date"] for line in lines] == [f"2026-01-{day}" for day in range(16, 32)]


@responses.activate
def test_check_says_up_to_which_day_rates_are_there() -> None:
    responses.get(f"{MIRROR}/eurofxref-hist.zip", body=zipped("Date,USD,\n2026-01-05,1.17,\n"))
    clock = ManualClock(datetime(2026, 1, 10, tzinfo=UTC))
    (good,) = CONNECTOR.check(CONNECTOR.open(FxSettings(base_url=MIRROR), clock))
    (bad,) = CONNECTOR.check(CONNECTOR.open(FxSettings(base_url=f"{MIRROR}/no"), clock))
    assert (good.ok, good.message) == (True, "rates up to 2026-01-05")
    assert not bad.ok


@responses.activate
def test_check_without_network_names_the_bundled_file() -> None:
    clock = ManualClock(datetime(2026, 12, 10, tzinfo=UTC))
    (check,) = CONNECTOR.check(CONNECTOR.open(DEFAULT_ACCOUNT, clock))
    assert check.ok
    assert "bundled rates up to 2026-10-30" in check.message


@pytest.mark.parametrize(
    ("last_rate", "day", "covers"),
    [
        ("2026-10-30", date(2026, 10, 30), True),
        ("2026-10-30", date(2026, 11, 1), True),  # Sunday after that Friday
        ("2026-10-30", date(2026, 11, 2), False),
        ("2026-10-29", date(2026, 10, 31), False),
    ],
)
def test_a_file_reaches_a_day_or_the_friday_before(last_rate: str, day: date, covers: bool) -> None:
    assert reaches(read_csv(f"Date,USD,\n{last_rate},1.1,\n"), day) is covers
