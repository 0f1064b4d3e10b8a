"""A dropped file is loaded exactly once, wherever a night is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sources._core import landing
from sources.files import folder, streams
from tests.connectors.files_drop import Drop, order, orders

NIGHT = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from tests.connectors.files_drop import Drop
from sources._core import landing
from sources.files import folder, streams

def die(*_args, **_kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

def die_after(module, name):
    whole = getattr(module, name)
    def stop(*args, **kwargs):
        whole(*args, **kwargs)
        die()
    setattr(module, name, stop)

point = sys.argv[2]
if point == "examined":
    streams.Inbox.write_errors = die
elif point == "data_written":
    landing._OpenFile.publish = die
elif point == "data_renamed":
    die_after(landing._OpenFile, "publish")
elif point == "manifest_written":
    streams._loaded = die
elif point == "hash_remembered":
    folder.Inbox.archive_file = die
elif point == "moved":
    die_after(folder.Inbox, "archive_file")
Drop(Path(sys.argv[1])).night("orders")
"""

POINTS = (
    "examined",
    "data_written",
    "data_renamed",
    "manifest_written",
    "hash_remembered",
    "moved",
)


@pytest.mark.parametrize("point", POINTS)
def test_night_killed_then_run_again_lands_every_row_once(
    tmp_path: Path, project_root: Path, point: str
) -> None:
    drop = Drop(tmp_path)
    drop.put("orders", [*orders(30), order(quantity="0")], "first.csv", age=200)
    drop.put("orders", orders(2, line_ref="late"), "second.csv", age=100)
    killed = subprocess.run(
        [sys.executable, "-c", NIGHT, str(tmp_path), point, str(project_root)],
        cwd=project_root,
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    drop.night("orders")
    keys = [row["_key"] for row in drop.rows("orders")]
    assert len(keys) == len(set(keys)) == 32
    assert sorted(path.name for path in (drop.archive / "2026-11-20").iterdir()) == [
        "first.csv",
        "second.csv",
    ]
    assert list((drop.inbox / "orders").iterdir()) == []
    assert not (drop.inbox / ".work" / "orders").exists()
    assert len(drop.errors("first.csv")) == 1


def test_the_file_is_moved_only_after_its_manifest_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop = Drop(tmp_path)
    path = drop.put("orders", orders(3))
    seen: list[int] = []
    whole: Callable[..., None] = folder.Inbox.archive_file

    def look(*args: object) -> None:
        assert path.exists()
        seen.extend(manifest.rows for manifest in drop.manifests("orders"))
        whole(*args)

    monkeypatch.setattr(folder.Inbox, "archive_file", look)
    drop.night()
    assert seen == [3]
    assert not path.exists()


def test_a_landing_file_holds_rows_of_one_dropped_file_only(tmp_path: Path) -> None:
    drop = Drop(tmp_path)
    drop.put("orders", orders(3), "a.csv", age=200)
    drop.put("orders", orders(2), "b.csv", age=100)
    drop.night()
    assert [(m.source_ref.split("#")[0], m.rows) for m in drop.manifests("orders")] == [
        ("a.csv", 3),
        ("b.csv", 2),
    ]


def test_a_file_cut_over_several_landing_files_counts_as_landed_with_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        landing.LandingWriter.__init__,
        "__kwdefaults__",
        {
            **landing.LandingWriter.__init__.__kwdefaults__,
            "rows_per_file": 10,
        },
    )
    monkeypatch.setattr("sources.files.csv_file.ROWS_PER_CHUNK", 10)
    drop = Drop(tmp_path)
    drop.put("orders", orders(25))
    drop.night()
    found = [(m.rows, m.source_finished) for m in drop.manifests("orders")]
    assert found == [(10, False), (10, False), (5, True)]


def test_a_file_that_changes_while_it_is_read_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop = Drop(tmp_path)
    path = drop.put("orders", orders(3))
    whole = streams._examine

    def grow(*args: object) -> object:
        examined = whole(*args)  # type: ignore[arg-type]
        with path.open("a") as file:
            file.write(path.read_text().splitlines()[1].replace("N-0", "N-9") + "\n")
        return examined

    monkeypatch.setattr(streams, "_examine", grow)
    drop.night()
    assert path.exists()
    assert drop.rows("orders") == []
    monkeypatch.undo()
    drop.night()
    assert len(drop.rows("orders")) == 4


def test_a_file_that_grows_while_it_is_refused_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop = Drop(tmp_path)
    path = drop.put("orders", b"channel,order_ref")
    whole = streams.detect_encoding

    def grow(*args: object) -> object:
        with path.open("a") as file:
            file.write(",line_ref")
        return whole(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(streams, "detect_encoding", grow)
    drop.night()
    assert path.exists()
    assert drop.manifests("orders") == []
    assert not drop.rejected.exists()


def test_a_night_with_the_same_clock_still_takes_new_files(tmp_path: Path) -> None:
    drop = Drop(tmp_path)
    drop.put("orders", orders(1), "a.csv")
    drop.night()
    drop.put("orders", orders(2), "b.csv")
    drop.night()
    assert len(drop.rows("orders")) == 3


def test_age_is_measured_by_the_clock_of_the_file_system(tmp_path: Path) -> None:
    before = tmp_path / "before"
    before.touch()
    os.utime(before, (1, 1))
    now = folder.file_system_time(tmp_path)
    assert now > 1_700_000_000
    assert now == (tmp_path / "clock").stat().st_mtime
