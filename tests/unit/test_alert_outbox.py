"""The outbox: each message once on each channel, whatever fails and whoever sends at once."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from assets.alerts.delivery import Channel, NotDeliveredError, deliver, send_by_apprise
from assets.alerts.outbox import CLAIM_ENDS, Notice, Outbox
from pipelines import alerting
from pipelines.resources import Places
from pipelines.settings import parse_settings
from sources._core.clock import ManualClock
from sources.registry import connectors

NOW = datetime(2026, 6, 1, tzinfo=UTC)
NIGHT = NOW.replace(tzinfo=None)
SECRET = "zz-token-4711"


@dataclass
class Service:
    """A channel's service: what it got, and whether it takes anything."""

    address: str
    is_up: bool = True
    seconds: float = 0.0
    received: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def service() -> Iterator[Service]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            time.sleep(mine.seconds)
            if mine.is_up:
                mine.received.append(content)
            self.send_response(200 if mine.is_up else 503)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    mine = Service(f"json://127.0.0.1:{server.server_address[1]}/{SECRET}")
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield mine
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "outbox.sqlite")


def notices(count: int, event: str = "e1", *, follows: bool = False) -> list[Notice]:
    return [
        Notice(f"A-{i}", event, f"title {i}", f"body {i}", follows=follows) for i in range(count)
    ]


def send(outbox: Outbox, address: str | None, now: datetime = NOW) -> int:
    channel = Channel("ops", "ALERT_URL", address)
    return deliver(
        outbox, [channel], now.replace(tzinfo=None), ManualClock(now), message_line="{message_id}"
    )


def states(outbox: Outbox) -> list[str]:
    return [row["delivery_state"] for row in outbox.deliveries()]


def test_a_channel_that_is_down_for_a_night_loses_nothing_and_doubles_nothing(
    outbox: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with service() as channel:
        channel.is_up = False
        outbox.enqueue(notices(2), ["ops"], "{count}")
        assert send(outbox, channel.address) == 0
        assert states(outbox) == ["failed", "failed", "failed", "waiting"]
        channel.is_up = True
        outbox.enqueue(notices(3), ["ops"], "{count}")
        assert send(outbox, channel.address, NOW + timedelta(days=1)) == 3
        assert send(outbox, channel.address, NOW + timedelta(days=2)) == 0
    assert sorted(m["title"] for m in channel.received) == ["title 0", "title 1", "title 2"]
    rows = outbox.deliveries()
    first = [(r["attempt"], r["delivery_state"]) for r in rows if r["alert_id"] == "A-0"]
    assert first == [(1, "failed"), (2, "failed"), (3, "failed"), (4, "sent")]
    assert len({r["message_id"] for r in rows if r["alert_id"] == "A-0"}) == 1
    assert all(SECRET not in str(row) for row in rows)
    assert SECRET not in caplog.text
    assert SECRET.encode() not in outbox.path.read_bytes()
    assert "ALERT_URL refused" in rows[0]["error"]


EVALUATOR = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from assets.alerts.delivery import Channel, deliver
from assets.alerts.outbox import Notice, Outbox
from sources._core.clock import SystemClock

folder, address, name = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
(folder / f"{name}.ready").touch()
while not (folder / "start").exists():
    time.sleep(0.01)
mine = Outbox(folder / "outbox.sqlite")
mine.enqueue([Notice(f"A-{i}", "e1", f"title {i}", "b") for i in range(4)], ["ops"], "")
channel = Channel("ops", "ALERT_URL", address)
deliver(mine, [channel], datetime(2026, 6, 1), SystemClock(), message_line="{message_id}")
"""


def test_two_evaluators_at_once_send_each_message_once(
    outbox: Outbox, tmp_path: Path, project_root: Path
) -> None:
    with service() as channel:
        channel.seconds = 0.1
        both = [
            subprocess.Popen(
                [sys.executable, "-c", EVALUATOR, str(tmp_path), channel.address, name],
                cwd=project_root,
            )
            for name in ("one", "two")
        ]
        while len(list(tmp_path.glob("*.ready"))) < 2:
            assert all(process.poll() is None for process in both)
            time.sleep(0.02)
        (tmp_path / "start").touch()
        assert [process.wait(60) for process in both] == [0, 0]
    assert sorted(m["title"] for m in channel.received) == [f"title {i}" for i in range(4)]
    assert states(outbox) == ["sent"] * 4


def test_who_waited_for_the_file_takes_nothing_from_who_was_quicker(outbox: Outbox) -> None:
    """Both read the clock, then one waits for the other's transaction: its own time is older."""
    outbox.enqueue(notices(1), ["ops"], "{count}")
    assert Outbox(outbox.path).claim(["ops"], NOW + timedelta(seconds=1)) is not None
    assert outbox.claim(["ops"], NOW) is None


def test_a_clock_that_was_set_back_holds_no_message_for_ever(outbox: Outbox) -> None:
    outbox.enqueue(notices(1), ["ops"], "{count}")
    assert Outbox(outbox.path).claim(["ops"], NOW + CLAIM_ENDS * 2) is not None
    assert outbox.claim(["ops"], NOW) is not None


def test_a_claim_ends_when_its_holder_died(outbox: Outbox) -> None:
    outbox.enqueue(notices(1), ["ops"], "{count}")
    dead = Outbox(outbox.path)
    claimed = dead.claim(["ops"], NOW)
    assert claimed is not None
    assert outbox.claim(["ops"], NOW + CLAIM_ENDS / 2) is None
    again = outbox.claim(["ops"], NOW + CLAIM_ENDS * 2)
    assert again == claimed


def test_many_at_once_make_one_digest(outbox: Outbox) -> None:
    with service() as channel:
        outbox.enqueue(notices(9), ["ops"], "{count} alerts")
        assert send(outbox, channel.address) == 1
    (message,) = channel.received
    assert message["title"] == "9 alerts"
    assert all(f"body {i}" in message["message"] for i in range(9))
    rows = outbox.deliveries()
    assert len(rows) == 9
    assert {(r["is_digest"], r["delivery_state"]) for r in rows} == {(True, "sent")}


def test_an_end_is_told_only_where_the_beginning_was(outbox: Outbox) -> None:
    assert outbox.enqueue(notices(1, "over", follows=True), ["ops"], "{count}") == 0
    outbox.enqueue(notices(1, "begun"), ["ops"], "{count}")
    assert outbox.enqueue(notices(1, "over", follows=True), ["ops"], "{count}") == 1


def test_notices_go_to_the_channels_of_their_rule(outbox: Outbox) -> None:
    only = [Notice("A-1", "e", "t", "b", channels=("quality",))]
    assert outbox.enqueue(only, ["ops", "quality"], "{count}") == 1
    assert [row["channel"] for row in outbox.deliveries()] == ["quality"]


def test_what_was_acknowledged_before_it_was_sent_is_not_sent(outbox: Outbox) -> None:
    outbox.enqueue(notices(2), ["ops"], "{count}")
    outbox.acknowledge("A-0", NIGHT)
    assert sorted(states(outbox)) == ["suppressed", "waiting"]
    assert outbox.acknowledgements() == {"A-0": NIGHT}


@pytest.mark.parametrize(
    ("address", "says"), [(None, "is not set"), ("nonsense", "not one that apprise knows")]
)
def test_an_unusable_address_says_which_variable(address: str | None, says: str) -> None:
    with pytest.raises(NotDeliveredError, match=f"ALERT_URL.*{says}|{says}"):
        send_by_apprise(Channel("ops", "ALERT_URL", address), "t", "b")


def test_a_failed_night_counts_once_until_one_succeeds(outbox: Outbox) -> None:
    outbox.night_failed("n1", NIGHT, "disk full")
    outbox.night_failed("n1", NIGHT, "again")
    outbox.night_failed("n2", NIGHT + timedelta(days=1), "key broken")
    assert [cause for _at, cause in outbox.failed_nights()] == ["disk full", "key broken"]
    outbox.night_succeeded()
    assert outbox.failed_nights() == []


def test_a_night_that_fails_is_told_on_the_channels_of_the_settings_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = Places(tmp_path / "data", tmp_path / "state", tmp_path / "aftersales.toml")
    content = {
        "settings": {"language": "zh"},
        "alerts": {"channels": {"ops": "ALERT_URL"}},
    }
    settings = parse_settings(content, connectors(), {}.get, where.inbox)
    with service() as channel:
        monkeypatch.setenv("ALERT_URL", channel.address)
        for _again in range(2):
            with (
                pytest.raises(RuntimeError, match="disk"),
                alerting.failures_told(settings, where, NOW, "night 1"),
            ):
                raise RuntimeError("the disk is full")
    (message,) = channel.received
    assert "夜间任务失败" in message["title"]
    assert "the disk is full" in message["message"]
