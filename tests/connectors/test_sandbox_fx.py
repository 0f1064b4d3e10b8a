"""The ECB's files as the sandbox serves them."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import UTC, datetime

import pytest

from sources._core.clock import ManualClock
from sources._sandbox.server import Environment, Request, Response
from sources.fx.sandbox import RatesSandbox, create_app, history_zip
from tests.connectors.sandbox_small_world import scenario, small_world

FOLDER = "/stats/eurofxref/"


def app(now: datetime, **changes: object) -> RatesSandbox:
    parsed = scenario(**changes)
    return create_app(Environment(small_world(parsed), parsed, ManualClock(now)))


def get(name: str, now: datetime, **changes: object) -> Response:
    return app(now, **changes).handle(Request("GET", FOLDER + name))


def history(now: datetime) -> str:
    response = get("eurofxref-hist.zip", now)
    assert (response.status, response.headers["Content-Type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(response.body)) as archive:
        assert archive.namelist() == ["eurofxref-hist.csv"]
        return archive.read("eurofxref-hist.csv").decode()


def test_history_has_the_quirks_of_the_ecbs_file() -> None:
    assert history(datetime(2026, 6, 1, tzinfo=UTC)).split("\n") == [
        "Date,USD,JPY,",
        "2026-05-29,1.1200,175.68,",
        "2026-05-28,1.1172,N/A,",
        "",
    ]


@pytest.mark.parametrize(
    ("hour", "minute", "newest"), [(13, 59, "2026-05-28"), (14, 0, "2026-05-29")]
)
def test_rates_of_a_day_come_at_four_in_frankfurt(hour: int, minute: int, newest: str) -> None:
    text = history(datetime(2026, 5, 29, hour, minute, tzinfo=UTC))
    assert text.split("\n")[1].startswith(newest)


def test_xml_files_hold_the_last_day_and_the_last_90() -> None:
    now = datetime(2026, 6, 1, tzinfo=UTC)
    daily = get("eurofxref-daily.xml", now).body.decode()
    assert re.findall(r"time=\"([\d-]+)\"", daily) == ["2026-05-29"]
    assert re.findall(r"currency=\"(\w+)\" rate=\"([\d.]+)\"", daily) == [
        ("USD", "1.1200"),
        ("JPY", "175.68"),
    ]
    recent = get("eurofxref-hist-90d.xml", now).body.decode()
    assert re.findall(r"time=\"([\d-]+)\"", recent) == ["2026-05-29", "2026-05-28"]


def test_before_the_first_rate_the_files_are_empty() -> None:
    assert history(datetime(2026, 1, 1, tzinfo=UTC)) == "Date,\n"
    assert b"time=" not in get("eurofxref-daily.xml", datetime(2026, 1, 1, tzinfo=UTC)).body
    with zipfile.ZipFile(io.BytesIO(history_zip(small_world(scenario()).fx_rates[:0]))) as archive:
        assert archive.read("eurofxref-hist.csv") == b"Date,\n"


def test_other_files_do_not_exist_and_an_outage_answers_503() -> None:
    now = datetime(2026, 6, 1, tzinfo=UTC)
    assert get("eurofxref-sdmx.xml", now).status == 404
    fault = {"kind": "source_outage", "connector": "fx", "from": "2026-06-01"}
    assert get("eurofxref-hist.zip", now, faults=[fault]).status == 503
    assert get("eurofxref-hist.zip", now, api={"truncated": 1.0}).is_truncated
