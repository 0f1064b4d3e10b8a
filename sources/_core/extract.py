"""Running the streams of all accounts side by side, each on its own.

Belongs here: threads, windows and cursors of a run, the outcome of each stream. Does not belong
here: what a stream reads, how it waits (`http.py`, `limits.py`), and Dagster.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import logging
import queue
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from sources._core.clock import Clock
from sources._core.connector import (
    AccountSettings,
    Connector,
    Page,
    Stream,
    StreamContext,
    Window,
)
from sources._core.durable import STATE_FILE, JsonState
from sources._core.errors import SourceError, StopStream
from sources._core.landing import LandingWriter, finished_sources, stream_folder
from sources._core.privacy import redact
from sources._core.records import Encoded, RecordEncoder, UselessPageError
from sources._core.windows import plan_windows, start_of_day

STATIC_ACCOUNT = "all"
MAX_THREADS = 64
_FULL_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NOTHING_READ = (
    "none of {refused} records could be read: the source has changed and the connector has to be "
    "adapted. They are counted in quarantine, and the next night reads them again."
)
logger = logging.getLogger(__name__)

OutcomeState = Literal["ok", "failed", "skipped"]


@dataclass(frozen=True)
class ExtractRequest:
    """What to read of one account.

    `cursors` are by stream name; `streams` limits the run to these names; `windows` replaces the
    planned windows of every stream (a backfill: its files move no cursor).
    """

    connector: Connector
    account: AccountSettings
    cursors: Mapping[str, datetime] = field(default_factory=dict)
    streams: frozenset[str] | None = None
    windows: Sequence[Window] | None = None


@dataclass(frozen=True)
class StreamOutcome:
    """How one stream of one account ended. `error` says what to do and holds no secret."""

    connector: str
    account: str
    stream: str
    state: OutcomeState
    error: str | None = None
    files: int = 0
    rows: int = 0
    rejected: int = 0
    cursor_after: datetime | None = None


@dataclass(frozen=True)
class StreamProgress:
    """What a terminal may show while a stream runs; `str()` of it is one line."""

    connector: str
    account: str
    stream: str
    rows: int
    text: str
    is_done: bool = False

    def __str__(self) -> str:
        return f"{self.connector}/{self.account}/{self.stream}: {self.text} ({self.rows} rows)"


Progress = Callable[[StreamProgress], None]


def extract_all(
    requests: Sequence[ExtractRequest],
    landing_dir: Path,
    clock: Clock,
    progress: Progress = lambda _event: None,
    *,
    max_threads: int = MAX_THREADS,
) -> list[StreamOutcome]:
    """Read every stream into landing files. Never raises for a stream: its outcome says it."""
    until = clock.now()
    clients = {id(request): _Client(request, clock) for request in requests}
    tasks = [
        _Task(request, stream, clients[id(request)], landing_dir, clock, until, progress)
        for request, stream in _streams_of(requests)
    ]
    try:
        return _run_side_by_side(tasks, max_threads)
    finally:
        for client in clients.values():
            client.close()


def _run_side_by_side(tasks: Sequence[_Task], max_threads: int) -> list[StreamOutcome]:
    """Outcomes in the order of the tasks.

    The threads are daemons: Ctrl-C ends the program at once, whatever wait a stream is in. What
    that leaves in the landing folder is what a kill leaves.
    """
    outcomes: dict[int, StreamOutcome] = {}
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in range(len(tasks)):
        waiting.put(number)

    def work() -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                number = waiting.get_nowait()
                outcomes[number] = tasks[number].run()

    threads = [
        threading.Thread(target=work, name=f"stream-{number}", daemon=True)
        for number in range(min(max_threads, len(tasks)))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [outcomes[number] for number in range(len(tasks))]


def _streams_of(requests: Sequence[ExtractRequest]) -> list[tuple[ExtractRequest, Stream]]:
    """Pairs to run; a connector's static streams once, whatever the number of its accounts."""
    pairs = []
    static_seen = set()
    for request in requests:
        for stream in request.connector.streams:
            if request.streams is not None and stream.name not in request.streams:
                continue
            if not stream.is_static and not request.account.reads(stream.name):
                continue
            if stream.is_static:
                place = (request.connector.name, stream.name)
                if place in static_seen:
                    continue
                static_seen.add(place)
            pairs.append((request, stream))
    return pairs


class _Client:
    """Opens an account's client once, for all its streams."""

    def __init__(self, request: ExtractRequest, clock: Clock) -> None:
        self._request = request
        self._clock = clock
        self._lock = threading.Lock()
        self._client: Any = None
        self._is_open = False
        self._error: Exception | None = None

    def get(self) -> Any:
        with self._lock:
            if not self._is_open and self._error is None:
                try:
                    self._client = self._request.connector.open(self._request.account, self._clock)
                    self._is_open = True
                except Exception as error:
                    self._error = error
            if self._error is not None:
                raise self._error
            return self._client

    def close(self) -> None:
        close = getattr(self._client, "close", None)
        if callable(close):
            close()


@dataclass
class _Task:
    request: ExtractRequest
    stream: Stream
    client: _Client
    landing_dir: Path
    clock: Clock
    until: datetime
    progress: Progress

    def run(self) -> StreamOutcome:
        """The outcome, whatever happens: one broken stream must not touch the others."""
        writer: LandingWriter | None = None
        try:
            windows = self._windows()
            if not windows:
                return self._outcome("ok", None, None)
            writer = self._writer()
            cursor = self._read(windows, writer)
            outcome = self._outcome("ok", None, writer, cursor)
        except Exception as error:
            message = self._message(error)
            if writer is not None:
                message = self._keep_partial(writer, message)
            outcome = self._outcome("failed", message, writer)
            logger.error("%s/%s/%s failed: %s", *self._names(), message)
        text = outcome.state if outcome.error is None else f"failed: {outcome.error}"
        self._report(outcome.rows, text, is_done=True)
        return outcome

    def _windows(self) -> Sequence[Window | None]:
        if self.stream.is_static:
            return (None,)
        if self.request.windows is not None:
            return self.request.windows
        return plan_windows(
            start=start_of_day(self.request.account.start),
            cursor=self.request.cursors.get(self.stream.name),
            until=self.until,
            lookback=self.stream.lookback,
            max_window=self.stream.max_window,
        )

    def _read(self, windows: Sequence[Window | None], writer: LandingWriter) -> datetime | None:
        encoder = RecordEncoder(self.stream)
        context = self._context(writer)
        cursor: datetime | None = None
        is_held = False  # a source that served less than asked: the cursor stays there
        for window in windows:
            writer.begin_window(window)
            target = window or Window(start_of_day(self.request.account.start), self.until)
            served = target.end
            is_whole = True
            kept, refused = 0, 0
            for page in self.stream.read(context, target):
                encoded = self._encode(encoder, page, writer)
                writer.write(encoded, page)
                kept += len(encoded.lines)
                if page.on_landed is None:  # else its source is finished, read or not
                    refused += sum(reject.count for reject in encoded.rejects[len(page.rejects) :])
                is_held_back = any(reject.count for reject in encoded.rejects)
                is_whole = is_whole and page.is_whole and not is_held_back
                if page.served_until is not None and page.served_until < served:
                    served = page.served_until
                self._report(writer.rows_so_far, page.source_ref)
            if refused and not kept:
                raise StopStream(_NOTHING_READ.format(refused=refused))
            moves = window is not None and self.request.windows is None and not is_held
            cursor = served if moves else cursor
            is_held = is_held or served < target.end
            writer.end_window(
                cursor_after=served if moves else None,
                complete=served >= target.end and is_whole and self._is_complete_kind(),
            )
        return cursor

    def _encode(self, encoder: RecordEncoder, page: Page, writer: LandingWriter) -> Encoded:
        """What was held back of a useless page is counted, although the stream stops at it."""
        try:
            return encoder.encode(page)
        except UselessPageError as error:
            writer.write(error.encoded, dataclasses.replace(page, on_landed=None))
            raise

    def _is_complete_kind(self) -> bool:
        return self.stream.is_static or self.stream.complete_within is not None

    def _context(self, writer: LandingWriter) -> StreamContext:
        return StreamContext(
            account=self.request.account,
            clock=self.clock,
            client=None if self.stream.is_static else self.client.get(),
            state=JsonState(self._folder() / STATE_FILE),
            progress=lambda text: self._report(writer.rows_so_far, text),
            landed_refs=lambda: finished_sources(self._folder()),
        )

    def _account_name(self) -> str:
        return STATIC_ACCOUNT if self.stream.is_static else self.request.account.name

    def _names(self) -> tuple[str, str, str]:
        return self.request.connector.name, self._account_name(), self.stream.name

    def _folder(self) -> Path:
        return stream_folder(self.landing_dir, *self._names())

    def _writer(self) -> LandingWriter:
        connector, account, stream = self._names()
        return LandingWriter(
            self._folder(),
            connector=connector,
            account=account,
            stream=stream,
            as_of=self.until,
            is_static=self.stream.is_static,
        )

    def _keep_partial(self, writer: LandingWriter, message: str) -> str:
        try:
            writer.keep_partial()
        except Exception as error:
            writer.discard()
            return f"{message} Also: {self._message(error)}"
        return message

    def _message(self, error: Exception) -> str:
        secrets = [secret.get_secret_value() for secret in self.request.account.secrets.values()]
        if isinstance(error, SourceError):
            return redact(str(error), secrets, mask_numbers=False)
        if isinstance(error, OSError) and error.errno in _FULL_ERRORS:
            return (
                "the disk is full. Free space where AFTERSALES_DATA_DIR lies and run the night "
                "again: it goes on from the last finished window."
            )
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(frame.filename).name}:{frame.lineno}"
        return redact(
            f"unexpected {type(error).__name__} at {place}: {error}. This is a fault of the "
            "program: report it with this line; the other streams went on.",
            secrets,
        )

    def _outcome(
        self,
        state: OutcomeState,
        error: str | None,
        writer: LandingWriter | None,
        cursor: datetime | None = None,
    ) -> StreamOutcome:
        connector, account, stream = self._names()
        return StreamOutcome(
            connector=connector,
            account=account,
            stream=stream,
            state=state,
            error=error,
            files=writer.files if writer else 0,
            rows=writer.rows if writer else 0,
            rejected=writer.rejected if writer else 0,
            cursor_after=cursor,
        )

    def _report(self, rows: int, text: str, *, is_done: bool = False) -> None:
        connector, account, stream = self._names()
        try:
            self.progress(StreamProgress(connector, account, stream, rows, text, is_done))
        except Exception as error:
            logger.debug("progress could not be shown: %s", type(error).__name__)
