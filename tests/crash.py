"""Kill a night at many moments, run it again, and compare with a night that nobody disturbed.

`python -m tests.crash --points 40` takes random moments of every step; the tests take a few fixed
ones (`tests/end_to_end/test_crash.py`). The product knows nothing of this: the night runs as a
child process, and the harness kills it (SIGKILL, with its children) when a line of its progress
has come and some time has passed. Children are forked from one that has imported what a night
needs and done nothing else: importing is a fifth of a small night.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path

import duckdb

from assets.comparison import compare_marts

ROOT = Path(__file__).resolve().parent.parent
STEPS = ("extract", "load", "build", "publish", "write Parquet")
FIRST_DAY, SECOND_DAY = "2026-02-20", "2026-03-10"

SMALL_WORLD = """
seed = 5
start = 2026-01-05
today = 2026-03-10
orders_per_day = 4
skus = 4
[[accounts]]
connector = "amazon"
name = "crash_eu"
marketplaces = ["DE", "GB"]
[[accounts]]
connector = "files"
name = "crash_shop"
"""


@dataclass(frozen=True)
class Point:
    """A moment: `seconds` after the line that begins a step."""

    step: str
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.step} + {self.seconds:.2f} s"


@dataclass
class Installation:
    """A data folder, its scenario and the nights run in it as child processes."""

    folder: Path
    lines: list[tuple[float, str]] = field(default_factory=list)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def publication(self) -> Path:
        return self.data / "published" / "aftersales.duckdb"

    def night(self, until: str, kill_at: Point | None = None) -> bool:
        """Run a night; True if it ended by itself, False if it was killed at the point."""
        child, told = self._start(until)
        self.lines = []
        killer: threading.Timer | None = None
        started = time.monotonic()
        with told.open("r", encoding="utf-8") as lines:  # ends when the child does
            for line in lines:
                self.lines.append((time.monotonic() - started, line.rstrip()))
                if kill_at and killer is None and line.rstrip() == f"== {kill_at.step}":
                    killer = threading.Timer(kill_at.seconds, _kill, [child.pid])
                    killer.start()
        child.join()
        code = child.exitcode
        if killer is not None:
            killer.cancel()
        if code not in (0, -signal.SIGKILL):
            text = "\n".join(line for _, line in self.lines[-30:])
            raise AssertionError(f"the night of {until} ended with code {code}:\n{text}")
        return code == 0

    def durations(self) -> dict[str, float]:
        """How long each step of the last night took."""
        begins = [(at, line[3:]) for at, line in self.lines if line.startswith("== ")]
        ends = [at for at, _ in begins[1:]] + [self.lines[-1][0]]
        return {step: end - at for (at, step), end in zip(begins, ends, strict=True)}

    def _start(self, until: str) -> tuple[BaseProcess, Path]:
        """The child, and the pipe that its progress comes through."""
        scenario = self.folder / "scenario.toml"
        told = self.folder.with_name(f"{self.folder.name}.progress")
        self.folder.mkdir(parents=True, exist_ok=True)
        scenario.write_text(SMALL_WORLD, "utf-8")
        told.unlink(missing_ok=True)
        os.mkfifo(told)
        environment = {
            **os.environ,
            "AFTERSALES_DATA_DIR": str(self.data),
            "AFTERSALES_STATE_DIR": str(self.folder / "state"),
            "AFTERSALES_CONFIG": str(self.folder / "none.toml"),
        }
        arguments = ["nightly", "--until", until, "--sandbox", str(scenario)]
        child = _PREPARED.Process(target=_run_command, args=(arguments, environment, str(told)))
        child.start()
        return child, told


_PREPARED = multiprocessing.get_context("forkserver")
_PREPARED.set_forkserver_preload(
    ["pipelines.cli", "pipelines.definitions", "dbt.cli.main", "great_expectations", "pandas"]
)


def _run_command(arguments: Sequence[str], environment: dict[str, str], told: str) -> None:
    """In the child: what `aftersales` with these arguments does, as leader of its own group."""
    os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    os.dup2(os.open(told, os.O_WRONLY), sys.stderr.fileno())
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    from pipelines.cli import app

    app(list(arguments), standalone_mode=False)


def _kill(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return  # it had just ended by itself


@contextmanager
def reading(publication: Path) -> Iterator[list[str]]:
    """Someone reads the published file all the time; yields what went wrong for them."""
    errors: list[str] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.wait(0.5):
            try:
                with duckdb.connect(str(publication), read_only=True) as connection:
                    found = connection.execute(
                        "select (select count(*) from marts.fct_order_line) > 0,"
                        " (select count(*) from meta.current)"
                    ).fetchall()
                if found != [(True, 1)]:
                    errors.append(f"read {found}")
            except duckdb.Error as error:
                errors.append(str(error))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield errors
    finally:
        stop.set()
        reader.join()


def leftovers(data: Path) -> list[str]:
    """Unfinished files that a later night should have taken away."""
    return sorted(
        str(p.relative_to(data))
        for folder in ("landing", "published")
        for p in (data / folder).rglob("*")
        if p.name.endswith(".tmp") or p.name == ".new"
    )


def check(disturbed: Installation, reference: Path, errors: Sequence[str]) -> list[str]:
    """What is wrong after the second run; empty if nothing."""
    wrong = [f"reader: {error}" for error in errors[:3]]
    wrong += [f"left behind: {name}" for name in leftovers(disturbed.data)]
    wrong += [
        f"{d.table}: {d.only_left} rows only here, {d.only_right} only there, {d.example}"
        for d in compare_marts(disturbed.publication, reference)
    ]
    return wrong


def random_points(count: int, durations: dict[str, float], seed: int) -> list[Point]:
    """Moments spread over all steps, each at another fraction of its step."""
    luck = random.Random(seed)  # noqa: S311
    points = []
    for number in range(count):
        step = STEPS[number % len(STEPS)]
        share = (number // len(STEPS) + luck.random()) / -(-count // len(STEPS))
        points.append(Point(step, share * durations[step]))
    return points


def main() -> int:
    parser = argparse.ArgumentParser(description="Kill the night at many moments and compare.")
    parser.add_argument("--points", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="crash-") as place:
        return _run(Path(place), arguments.points, arguments.seed)


def _run(place: Path, count: int, seed: int) -> int:
    night = Installation(place / "night")
    night.night(FIRST_DAY)
    shutil.copytree(night.folder, place / "before")
    night.night(SECOND_DAY)
    durations = night.durations()
    reference = place / "reference.duckdb"
    shutil.copy(night.publication, reference)
    failed = killed = 0
    for number, point in enumerate(random_points(count, durations, seed), start=1):
        shutil.rmtree(night.folder)
        shutil.copytree(place / "before", night.folder)
        with reading(night.publication) as errors:
            was_killed = not night.night(SECOND_DAY, kill_at=point)
            night.night(SECOND_DAY)
        killed += was_killed
        wrong = check(night, reference, errors)
        failed += bool(wrong)
        state = "killed" if was_killed else "ended before"
        sys.stdout.write(f"{number:3}/{count} {point}: {state}, {'; '.join(wrong) or 'equal'}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{killed} nights killed, {count - failed} of {count} equal afterwards\n")
    return int(failed > 0 or killed < count * 3 // 4)


if __name__ == "__main__":
    sys.exit(main())
