"""What a person sees while a night runs.

Belongs here: a live table on a terminal, plain lines elsewhere. Does not belong here: what runs.
"""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import Protocol, Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from sources._core.extract import StreamProgress


class Watcher(Protocol):
    """Told of each step of the night, and of what goes on inside it."""

    def step(self, name: str) -> None: ...
    def stream(self, event: StreamProgress) -> None: ...
    def detail(self, text: str) -> None: ...
    def note(self, text: str) -> None: ...


class Silent:
    """For tests and for runs that nobody watches."""

    def step(self, name: str) -> None:
        pass

    def stream(self, event: StreamProgress) -> None:
        pass

    def detail(self, text: str) -> None:
        pass

    def note(self, text: str) -> None:
        pass


class PlainLines:
    """One line per step and per finished stream: fit for logs and for programs that watch."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._lock = threading.Lock()

    def step(self, name: str) -> None:
        self._write(f"== {name}")

    def stream(self, event: StreamProgress) -> None:
        if event.is_done:
            self._write(f"   {event}")

    def detail(self, text: str) -> None:
        pass

    def note(self, text: str) -> None:
        self._write(f"   {text}")

    def _write(self, line: str) -> None:
        with self._lock:
            self._out.write(line + "\n")
            self._out.flush()


class Terminal:
    """One live line per step, one per stream while it runs."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=12),
            TextColumn("{task.fields[text]}", table_column=None),
            TimeElapsedColumn(),
            console=console,
        )
        self._step = self._progress.add_task("", text="", visible=False)
        self._streams: dict[tuple[str, str, str], int] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._progress.update(self._step, total=1, completed=1, text="")
        self._progress.stop()

    def step(self, name: str) -> None:
        with self._lock:
            self._progress.update(self._step, total=1, completed=1, text="")
            self._step = self._progress.add_task(f"[bold]{name}[/]", total=None, text="")

    def stream(self, event: StreamProgress) -> None:
        place = (event.connector, event.account, event.stream)
        with self._lock:
            if place not in self._streams:
                name = "  " + "/".join(place)
                self._streams[place] = self._progress.add_task(name, total=None, text="")
            task = self._progress.tasks[self._index(self._streams[place])].id
            text = f"{event.rows:,} rows · {event.text}"[:70]
            self._progress.update(task, text=text)
            if event.is_done:
                self._progress.update(task, total=1, completed=1, visible=event.rows > 0)

    def _index(self, task_id: int) -> int:
        return next(i for i, task in enumerate(self._progress.tasks) if task.id == task_id)

    def detail(self, text: str) -> None:
        self._progress.update(self._step, text=text[:70])

    def note(self, text: str) -> None:
        self._progress.console.print(f"  {text}", highlight=False, markup=False)


def is_terminal() -> bool:
    return sys.stderr.isatty()
