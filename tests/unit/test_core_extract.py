"""Streams side by side: windows, cursors, outcomes, what one broken stream leaves of the others."""

from __future__ import annotations

import errno
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pydantic
import pytest

from sources._core.clock import ManualClock
from sources._core.connector import (
    AccountSettings,
    Connector,
    Page,
    Stream,
    StreamContext,
    Window,
)
from sources._core.errors import ConfigurationError, StopStream
from sources._core.extract import ExtractRequest, StreamProgress, extract_all
from sources._core.landing import all_landed_files, landed_files
from sources._core.records import Record

NOW = datetime(2026, 2, 1, tzinfo=UTC)
SECRET = "s3cr3t-value"
Read = Callable[[StreamContext, Window], Iterator[Page]]


class Order(Record):
    order_id: str
    updated: str | None = None


def raw(*ids: str) -> list[msgspec.Raw]:
    return [msgspec.Raw(msgspec.json.encode({"order_id": i, "updated": "2026"})) for i in ids]


def one_page(_context: StreamContext, _window: Window) -> Iterator[Page]:
    yield Page(raw("1", "2"), "page 1")


def stream(name: str, read: Read = one_page, **changes: Any) -> Stream:
    return Stream(name=name, record=Order, key=("order_id",), read=read, **changes)


def connector(*streams: Stream, opened: Callable[..., Any] = lambda _a, _c: object()) -> Connector:
    return Connector("demo", streams, AccountSettings, opened)


def account(name: str = "a1") -> AccountSettings:
    return AccountSettings(
        connector="demo",
        name=name,
        start=date(2026, 1, 1),
        secrets={"token": pydantic.SecretStr(SECRET)},
    )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


def test_streams_land_and_move_their_cursor_to_the_clock(
    tmp_path: Path, clock: ManualClock
) -> None:
    request = ExtractRequest(connector(stream("orders"), stream("returns")), account())
    outcomes = extract_all([request], tmp_path, clock)
    assert [(o.stream, o.state, o.rows, o.cursor_after) for o in outcomes] == [
        ("orders", "ok", 2, NOW),
        ("returns", "ok", 2, NOW),
    ]
    (orders, returns) = all_landed_files(tmp_path)
    assert orders.manifest.window_from == datetime(2026, 1, 1, tzinfo=UTC)
    assert (orders.manifest.cursor_after, returns.manifest.stream) == (NOW, "returns")


def test_windows_follow_cursor_lookback_and_longest_window(
    tmp_path: Path, clock: ManualClock
) -> None:
    seen: list[Window] = []

    def read(_context: StreamContext, window: Window) -> Iterator[Page]:
        seen.append(window)
        clock.sleep(3_600)  # time passes: the end of the run must not move
        yield Page(raw("1"), "page")

    declared = stream("orders", read, lookback=timedelta(days=2), max_window=timedelta(days=5))
    cursors = {"orders": datetime(2026, 1, 20, tzinfo=UTC)}
    extract_all([ExtractRequest(connector(declared), account(), cursors)], tmp_path, clock)
    assert [(w.start.day, w.end.day, w.is_last) for w in seen] == [
        (18, 23, False),
        (23, 28, False),
        (28, 1, True),
    ]
    assert seen[-1].end == NOW
    manifests = [f.manifest for f in all_landed_files(tmp_path)]
    assert [m.cursor_after for m in manifests] == [w.end for w in seen]


def test_the_cursor_stays_where_the_source_stopped_serving(
    tmp_path: Path, clock: ManualClock
) -> None:
    def read(_context: StreamContext, window: Window) -> Iterator[Page]:
        served = datetime(2026, 1, 8, tzinfo=UTC) if window.start.day == 6 else None
        yield Page(raw("1"), "page", served_until=served)
        yield Page(raw("2"), "page")

    declared = stream("orders", read, max_window=timedelta(days=5), complete_within="updated")
    (outcome,) = extract_all([ExtractRequest(connector(declared), account())], tmp_path, clock)
    assert outcome.cursor_after == datetime(2026, 1, 8, tzinfo=UTC)
    manifests = [f.manifest for f in all_landed_files(tmp_path)]
    cursors = [m.cursor_after.day if m.cursor_after else None for m in manifests]
    assert cursors[:2] == [6, 8]
    assert set(cursors[2:]) == {None}
    assert [m.complete for m in manifests[:3]] == [True, False, True]


def test_nothing_new_lands_nothing(tmp_path: Path, clock: ManualClock) -> None:
    request = ExtractRequest(connector(stream("orders")), account(), {"orders": NOW})
    (outcome,) = extract_all([request], tmp_path, clock)
    assert (outcome.state, outcome.files) == ("ok", 0)
    assert list(all_landed_files(tmp_path)) == []


def test_a_backfill_reads_its_windows_and_moves_no_cursor(
    tmp_path: Path, clock: ManualClock
) -> None:
    window = Window(datetime(2025, 6, 1, tzinfo=UTC), datetime(2025, 7, 1, tzinfo=UTC))
    request = ExtractRequest(connector(stream("orders")), account(), windows=[window])
    (outcome,) = extract_all([request], tmp_path, clock)
    (file,) = all_landed_files(tmp_path)
    assert (file.manifest.window_from, file.manifest.cursor_after) == (window.start, None)
    assert outcome.cursor_after is None


def test_a_broken_stream_leaves_the_others_and_what_it_had_landed(
    tmp_path: Path, clock: ManualClock
) -> None:
    def breaks(_context: StreamContext, _window: Window) -> Iterator[Page]:
        yield Page(raw("1"), "page 1")
        raise StopStream("GET /orders gave the same page token a second time")

    request = ExtractRequest(connector(stream("broken", breaks), stream("orders")), account())
    broken, orders = extract_all([request], tmp_path, clock)
    assert (broken.state, broken.rows, broken.cursor_after) == ("failed", 1, None)
    assert broken.error is not None and "same page token" in broken.error
    assert orders.state == "ok"
    (kept,) = landed_files(tmp_path / "demo" / "a1" / "broken")
    assert (kept.manifest.rows, kept.manifest.cursor_after, kept.manifest.complete) == (
        1,
        None,
        False,
    )


def test_an_unexpected_error_is_an_outcome_without_secrets(
    tmp_path: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(_context: StreamContext, _window: Window) -> Iterator[Page]:
        raise KeyError(f"https://x.example/?token={SECRET} buyer a@b.de {SECRET}")
        yield

    (outcome,) = extract_all(
        [ExtractRequest(connector(stream("orders", breaks)), account())], tmp_path, clock
    )
    assert outcome.state == "failed"
    assert outcome.error is not None
    assert "unexpected KeyError at test_core_extract.py" in outcome.error
    for private in (SECRET, "a@b.de"):
        assert private not in outcome.error + caplog.text
    assert "demo/a1/orders failed" in caplog.text


def test_a_full_disk_says_what_to_do(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_self: Any, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("sources._core.landing._HashingFile.write", full)
    (outcome,) = extract_all(
        [ExtractRequest(connector(stream("orders")), account())], tmp_path, clock
    )
    assert outcome.state == "failed"
    assert outcome.error is not None and "Free space" in outcome.error
    assert list(all_landed_files(tmp_path)) == []


def test_a_client_is_opened_once_and_closed(tmp_path: Path, clock: ManualClock) -> None:
    events: list[str] = []

    class Client:
        def close(self) -> None:
            events.append("closed")

    def opened(settings: AccountSettings, _clock: Any) -> Client:
        events.append(settings.name)
        return Client()

    streams = [stream(f"s{n}") for n in range(5)]
    requests = [ExtractRequest(connector(*streams, opened=opened), account(n)) for n in "ab"]
    extract_all(requests, tmp_path, clock)
    assert sorted(events) == ["a", "b", "closed", "closed"]


def test_an_account_that_cannot_be_opened_fails_alone(tmp_path: Path, clock: ManualClock) -> None:
    def opened(settings: AccountSettings, _clock: Any) -> object:
        if settings.name == "bad":
            raise ConfigurationError("account bad: secrets.token was refused")
        return object()

    declared = connector(stream("orders"), stream("returns"), opened=opened)
    requests = [ExtractRequest(declared, account(name)) for name in ("bad", "good")]
    outcomes = extract_all(requests, tmp_path, clock)
    assert [(o.account, o.state) for o in outcomes] == [
        ("bad", "failed"),
        ("bad", "failed"),
        ("good", "ok"),
        ("good", "ok"),
    ]


def test_streams_and_accounts_run_side_by_side(tmp_path: Path, clock: ManualClock) -> None:
    together = threading.Barrier(6)

    def waits(_context: StreamContext, _window: Window) -> Iterator[Page]:
        together.wait(timeout=10)
        yield Page(raw("1"), "page")

    declared = connector(*(stream(f"s{n}", waits) for n in range(3)))
    requests = [ExtractRequest(declared, account(name)) for name in "ab"]
    outcomes = extract_all(requests, tmp_path, clock)
    assert [o.state for o in outcomes] == ["ok"] * 6


def test_threads_do_not_hold_up_the_end_of_the_program(tmp_path: Path, clock: ManualClock) -> None:
    seen: list[bool] = []

    def read(_context: StreamContext, _window: Window) -> Iterator[Page]:
        seen.append(threading.current_thread().daemon)
        yield Page(raw("1"), "page")

    extract_all([ExtractRequest(connector(stream("orders", read)), account())], tmp_path, clock)
    assert seen == [True]


def test_more_streams_than_threads_are_all_run_in_order(tmp_path: Path, clock: ManualClock) -> None:
    declared = connector(*(stream(f"s{n}") for n in range(7)))
    outcomes = extract_all([ExtractRequest(declared, account())], tmp_path, clock, max_threads=2)
    assert [(o.stream, o.state) for o in outcomes] == [(f"s{n}", "ok") for n in range(7)]


def test_a_progress_display_that_breaks_harms_nothing(tmp_path: Path, clock: ManualClock) -> None:
    def broken(_event: StreamProgress) -> None:
        raise ValueError("no terminal")

    request = ExtractRequest(connector(stream("orders")), account())
    (outcome,) = extract_all([request], tmp_path, clock, broken)
    assert (outcome.state, outcome.rows) == ("ok", 2)


def test_static_streams_run_once_for_a_connector(tmp_path: Path, clock: ManualClock) -> None:
    declared = connector(stream("reasons", is_static=True))
    requests = [ExtractRequest(declared, account(name)) for name in "ab"]
    (outcome,) = extract_all(requests, tmp_path, clock)
    assert (outcome.account, outcome.rows) == ("all", 2)
    (file,) = all_landed_files(tmp_path)
    manifest = file.manifest
    assert (manifest.account, manifest.static, manifest.complete) == ("all", True, True)
    assert (manifest.window_from, manifest.cursor_after) == (None, None)


def test_only_the_named_streams_run(tmp_path: Path, clock: ManualClock) -> None:
    request = ExtractRequest(
        connector(stream("orders"), stream("returns")), account(), streams=frozenset({"returns"})
    )
    assert [o.stream for o in extract_all([request], tmp_path, clock)] == ["returns"]
    assert extract_all([], tmp_path, clock) == []


def test_state_is_kept_between_runs_and_finished_sources_are_known(
    tmp_path: Path, clock: ManualClock
) -> None:
    seen: list[tuple[Any, frozenset[str]]] = []

    def read(context: StreamContext, _window: Window) -> Iterator[Page]:
        seen.append((context.state.get("report"), frozenset(context.landed_refs())))
        context.state["report"] = "r1"
        context.state.save()
        context.progress("report r1 is being made")
        yield Page(raw("1"), "file a", on_landed=lambda: None)

    events: list[StreamProgress] = []
    request = ExtractRequest(connector(stream("orders", read)), account())
    for _ in range(2):
        extract_all([request], tmp_path, clock, events.append)
    assert seen == [(None, frozenset()), ("r1", frozenset({"file a"}))]
    assert "demo/a1/orders: report r1 is being made (0 rows)" in map(str, events)
    assert [e.text for e in events if e.is_done] == ["ok", "ok"]


def test_running_twice_at_one_clock_lands_the_same_records(
    tmp_path: Path, clock: ManualClock
) -> None:
    request = ExtractRequest(connector(stream("orders")), account())
    for _ in range(2):
        extract_all([request], tmp_path, clock)
    first, second = all_landed_files(tmp_path)
    assert first.manifest.file != second.manifest.file
    assert list(first.lines()) == list(second.lines())


def test_memory_does_not_grow_with_the_number_of_pages(tmp_path: Path, clock: ManualClock) -> None:
    def pages(count: int) -> Read:
        def read(_context: StreamContext, _window: Window) -> Iterator[Page]:
            for number in range(count):
                yield Page(raw(*(f"{number}-{n}" for n in range(100))), "page")

        return read

    def peak(count: int) -> int:
        request = ExtractRequest(connector(stream("orders", pages(count))), account(f"p{count}"))
        tracemalloc.start()
        extract_all([request], tmp_path, clock)
        _size, top = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return top

    peak(1)  # imports and caches
    small, large = peak(550), peak(1_100)
    assert large < 1.15 * small
