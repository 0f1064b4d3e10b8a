"""Landing files: format, rotation, and what a kill at any step leaves."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sources._core.connector import Page, Reject, Window
from sources._core.durable import JsonState, write_atomically
from sources._core.landing import (
    LandingWriter,
    all_landed_files,
    finished_sources,
    landed_files,
    stream_folder,
)
from sources._core.records import Encoded

AS_OF = datetime(2026, 2, 1, tzinfo=UTC)
WINDOW = Window(datetime(2026, 1, 1, tzinfo=UTC), AS_OF)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return stream_folder(tmp_path / "landing", "demo", "a1", "orders")


def writer_of(folder: Path, **settings: Any) -> LandingWriter:
    names = {"connector": "demo", "account": "a1", "stream": "orders"}
    return LandingWriter(folder, **{**names, "as_of": AS_OF, **settings})


def records(first: int, count: int, content: str = "") -> Encoded:
    numbers = range(first, first + count)
    return Encoded(
        lines=[msgspec.json.encode({"_key": str(n), "text": content}) for n in numbers],
        keys=[str(n) for n in numbers],
        hashes=[f"{n}{content}".encode() for n in numbers],
    )


def page(ref: str = "page", **changes: Any) -> Page:
    return Page((), ref, **changes)


def keys(folder: Path) -> list[str]:
    return [
        msgspec.json.decode(line)["_key"] for file in landed_files(folder) for line in file.lines()
    ]


def test_what_is_written_is_read_back_in_order(folder: Path) -> None:
    writer = writer_of(folder)
    writer.begin_window(WINDOW)
    writer.write(records(0, 3), page("page 1", encoding="utf-8"))
    writer.write(records(3, 2), page("page 2"))
    writer.end_window(cursor_after=AS_OF, complete=True)
    (file,) = landed_files(folder)
    assert keys(folder) == ["0", "1", "2", "3", "4"]
    assert file.is_intact()
    manifest = file.manifest
    assert (manifest.connector, manifest.account, manifest.stream) == ("demo", "a1", "orders")
    assert (manifest.rows, manifest.seq, manifest.as_of) == (5, 1, AS_OF)
    assert (manifest.window_from, manifest.window_to) == (WINDOW.start, WINDOW.end)
    assert (manifest.cursor_after, manifest.complete, manifest.static) == (AS_OF, True, False)
    assert (manifest.encoding, manifest.source_ref) == ("utf-8", "page 1")
    assert manifest.file == "20260201T000000-00001.ndjson.zst"


def test_a_window_without_records_lands_an_empty_file(folder: Path) -> None:
    writer = writer_of(folder)
    writer.begin_window(WINDOW)
    writer.end_window(cursor_after=AS_OF, complete=False)
    (file,) = landed_files(folder)
    assert (file.manifest.rows, list(file.lines()), file.is_intact()) == (0, [], True)


def test_full_files_rotate_and_only_the_last_moves_the_cursor(folder: Path) -> None:
    writer = writer_of(folder, rows_per_file=10)
    for window_number in range(2):
        writer.begin_window(WINDOW)
        for number in range(3):
            writer.write(records(100 * window_number + 10 * number, 10), page())
        writer.end_window(cursor_after=AS_OF, complete=True)
    manifests = [file.manifest for file in landed_files(folder)]
    assert [m.rows for m in manifests] == [10] * 6
    assert [m.seq for m in manifests] == [1, 2, 3, 4, 5, 6]
    assert [m.window_first_seq for m in manifests] == [1, 1, 1, 4, 4, 4]
    assert [m.cursor_after for m in manifests] == [None, None, AS_OF] * 2
    assert [m.complete for m in manifests] == [False, False, True] * 2
    assert (writer.files, writer.rows) == (6, 60)


def test_a_line_repeated_word_for_word_is_a_duplicate_another_state_is_not(folder: Path) -> None:
    writer = writer_of(folder)
    writer.begin_window(WINDOW)
    for content in ("old", "old", "new", "old"):
        writer.write(records(7, 1, content), page(duplicates=1))
    writer.end_window(cursor_after=None, complete=False)
    (file,) = landed_files(folder)
    texts = [msgspec.json.decode(line)["text"] for line in file.lines()]
    assert texts == ["old", "new", "old"]
    assert file.manifest.duplicates == 1 + 4


def test_rejects_and_drift_are_in_the_manifest(folder: Path) -> None:
    writer = writer_of(folder)
    writer.begin_window(WINDOW)
    for number in range(2):
        encoded = records(number, 1)
        encoded.rejects = [Reject("missing_key", 2, "ask", f"record {number}")]
        encoded.drift = {("colour", "added"), ("sku", "missing")}
        writer.write(encoded, page())
    writer.end_window(cursor_after=None, complete=False)
    manifest = landed_files(folder)[0].manifest
    (reject,) = manifest.rejects
    assert (reject.reason, reject.count, reject.example_ref) == ("missing_key", 4, "record 0")
    assert [(d.field, d.kind) for d in manifest.drift] == [("colour", "added"), ("sku", "missing")]
    assert writer.rejected == 4


def test_a_source_that_has_ended_closes_its_file_before_it_is_told(folder: Path) -> None:
    told: list[frozenset[str]] = []
    writer = writer_of(folder)
    writer.begin_window(WINDOW)
    for name in ("a.csv", "b.csv"):
        writer.write(records(0, 1), page(name))
        writer.write(
            records(1, 1), page(name, on_landed=lambda: told.append(finished_sources(folder)))
        )
    writer.write(records(2, 1), page("c.csv"))
    writer.keep_partial()
    assert told == [frozenset({"a.csv"}), frozenset({"a.csv", "b.csv"})]
    assert finished_sources(folder) == {"a.csv", "b.csv"}
    assert [f.manifest.source_ref for f in landed_files(folder)] == ["a.csv", "b.csv", "c.csv"]


def write_all(folder: Path) -> None:
    writer = writer_of(folder, rows_per_file=10)
    writer.begin_window(WINDOW)
    for number in range(3):
        writer.write(records(10 * number, 10), page())
    writer.end_window(cursor_after=AS_OF, complete=True)


class Killed(BaseException):
    """Stands for SIGKILL: nothing may catch it."""


@pytest.mark.parametrize("survived", range(12))
def test_killed_at_any_step_and_run_again_loses_and_repeats_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, survived: int
) -> None:
    """The process dies at the n-th sync to disk; what it left must not disturb the next run."""
    real, left = os.fsync, [survived]

    def dying(descriptor: int) -> None:
        if left[0] == 0:
            raise Killed
        left[0] -= 1
        real(descriptor)

    monkeypatch.setattr(os, "fsync", dying)
    with pytest.raises(Killed):
        write_all(folder)
    monkeypatch.setattr(os, "fsync", real)
    assert all(file.is_intact() for file in landed_files(folder))
    before = len(landed_files(folder))
    write_all(folder)
    last = [f for f in landed_files(folder) if f.manifest.window_first_seq > before]
    lines = [msgspec.json.decode(line)["_key"] for file in last for line in file.lines()]
    assert lines == [str(n) for n in range(30)]
    assert last[-1].manifest.complete
    assert not [p for p in folder.iterdir() if p.suffix == ".tmp"]
    data = {p.name for p in folder.glob("*.zst")}
    assert data == {f.manifest.file for f in landed_files(folder)}


def test_data_whose_manifest_was_never_written_do_not_exist(folder: Path) -> None:
    write_all(folder)
    orphan = folder / "20260201T000000-00003.json"
    orphan.unlink()
    assert len(landed_files(folder)) == 2
    writer_of(folder)
    assert not (folder / "20260201T000000-00003.ndjson.zst").exists()


def test_changed_bytes_are_noticed(folder: Path) -> None:
    write_all(folder)
    file = landed_files(folder)[0]
    file.data_path.write_bytes(file.data_path.read_bytes()[:-1] + b"!")
    assert not file.is_intact()


def test_a_static_stream_lands_again_only_when_it_changed(folder: Path) -> None:
    def night(day: int, content: str) -> int:
        writer = writer_of(folder, as_of=AS_OF + timedelta(days=day), is_static=True)
        writer.begin_window(None)
        writer.write(records(0, 2, content), page("list.csv"))
        writer.end_window(cursor_after=None, complete=True)
        return writer.files

    assert [night(0, "a"), night(1, "a"), night(2, "b"), night(3, "b"), night(4, "a")] == [
        1,
        0,
        1,
        0,
        1,
    ]
    assert all(f.manifest.static and f.manifest.complete for f in landed_files(folder))


def test_half_of_a_static_list_is_never_kept(folder: Path) -> None:
    writer = writer_of(folder, is_static=True)
    writer.begin_window(None)
    writer.write(records(0, 2), page())
    writer.keep_partial()
    assert landed_files(folder) == []
    assert list(folder.iterdir()) == []


def test_files_of_all_streams_are_found_in_order(tmp_path: Path) -> None:
    for account in ("b", "a"):
        write_all(stream_folder(tmp_path, "demo", account, "orders"))
    found = [(f.data_path.parent.parent.name, f.manifest.seq) for f in all_landed_files(tmp_path)]
    assert found == [("a", 1), ("a", 2), ("a", 3), ("b", 1), ("b", 2), ("b", 3)]


def test_state_survives_and_is_no_manifest(folder: Path) -> None:
    state = JsonState(folder / "_state.json")
    state["report"] = {"id": "50021"}
    state["gone"] = 1
    del state["gone"]
    state.save()
    again = JsonState(folder / "_state.json")
    assert dict(again) == {"report": {"id": "50021"}}
    assert (len(again), landed_files(folder)) == (1, [])


def test_an_atomic_write_leaves_the_old_content_when_it_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state.json"
    write_atomically(path, b"old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
