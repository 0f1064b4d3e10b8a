"""Landing files: the only copy of what a source gave, and what `aftersales rebuild` reads.

Belongs here: names, format, writing and reading of data files, manifests and stream states.
Does not belong here: what is in a line (`records.py`) and the load (`assets.load`).

A file exists once its manifest does. Order of writing: data under a temporary name, fsync, rename;
then the manifest in the same way. Whatever a killed run left without a manifest is removed when
the stream is next written.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import msgspec
import zstandard

from sources._core.connector import Page, Reject, Window
from sources._core.durable import STATE_FILE, TEMPORARY, sync_folder, write_atomically
from sources._core.records import DriftKind, Encoded

ROWS_PER_FILE = 50_000
DATA_SUFFIX = ".ndjson.zst"
MANIFEST_SUFFIX = ".json"
_COMPRESSION_LEVEL = 1
_STAMP = "%Y%m%dT%H%M%S"


class RejectCount(msgspec.Struct, frozen=True):
    """Records held back for one reason."""

    reason: str
    count: int
    example_ref: str
    what_to_do: str


class Drift(msgspec.Struct, frozen=True, order=True):
    """A field whose name or type is not the declared one; never its value."""

    field: str
    kind: DriftKind


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a data file holds.

    - `rows`: lines of the file; `duplicates` came with it and were left out because they
      repeated, word for word, the line of the same key before them.
    - `window_first_seq`: files of one window are those of the same `as_of` with a seq from this
      one to `seq` of the window's last file. Only that last file may have `cursor_after` and
      `complete`.
    - `complete`: the file set of the window is everything the source has in it. On the last file
      of a stream that declares `complete_within` or is static.
    - `source_finished`: the file ends with the last page of its source (a dropped file).
    - `static`: the stream's whole content; with `complete`, rows not in the file set are gone.
    """

    connector: str
    account: str
    stream: str
    file: str
    sha256: str
    seq: int
    rows: int
    as_of: datetime
    window_from: datetime | None = None
    window_to: datetime | None = None
    window_first_seq: int = 0
    cursor_after: datetime | None = None
    complete: bool = False
    static: bool = False
    encoding: str | None = None
    source_ref: str = ""
    source_finished: bool = False
    rejects: tuple[RejectCount, ...] = ()
    drift: tuple[Drift, ...] = ()
    duplicates: int = 0


@dataclass(frozen=True)
class LandedFile:
    """A manifest and where its data lie."""

    manifest: Manifest
    data_path: Path

    def lines(self) -> Iterator[bytes]:
        """Records as landed, one JSON object each; nothing is held in memory."""
        with (
            self.data_path.open("rb") as file,
            zstandard.ZstdDecompressor().stream_reader(file) as reader,
        ):
            for line in io.BufferedReader(reader):
                yield line.rstrip(b"\n")

    def is_intact(self) -> bool:
        """Whether the data still have the hash of the manifest."""
        with self.data_path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == self.manifest.sha256


def stream_folder(landing_dir: Path, connector: str, account: str, stream: str) -> Path:
    """Folder of one stream of one account."""
    return landing_dir / connector / account / stream


def landed_files(folder: Path) -> list[LandedFile]:
    """Files of one stream folder, in order of writing."""
    names = sorted(p for p in folder.glob(f"*{MANIFEST_SUFFIX}") if p.name != STATE_FILE)
    return [read_manifest(path) for path in names]


def all_landed_files(landing_dir: Path) -> Iterator[LandedFile]:
    """Every landed file: streams in alphabetical order, files of a stream in order of writing."""
    for folder in sorted(p for p in landing_dir.glob("*/*/*") if p.is_dir()):
        yield from landed_files(folder)


def finished_sources(folder: Path) -> frozenset[str]:
    """`source_ref` of every source that is wholly landed in one stream folder."""
    manifests = (landed.manifest for landed in landed_files(folder))
    return frozenset(m.source_ref for m in manifests if m.source_finished)


def read_manifest(path: Path) -> LandedFile:
    """Manifest at `path` and the data file that it names."""
    manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    return LandedFile(manifest, path.parent / manifest.file)


class LandingWriter:
    """Writes the files of one stream in one run. Not for several threads."""

    def __init__(
        self,
        folder: Path,
        *,
        connector: str,
        account: str,
        stream: str,
        as_of: datetime,
        is_static: bool = False,
        rows_per_file: int = ROWS_PER_FILE,
    ) -> None:
        self._folder = folder
        self._connector, self._account, self._stream = connector, account, stream
        self._as_of = as_of.astimezone(UTC)
        self._is_static = is_static
        self._rows_per_file = rows_per_file
        self._current: _OpenFile | None = None
        self._window: Window | None = None
        self._window_first_seq = 0
        self.files = 0
        self.rows = 0
        self.rejected = 0
        folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(folder)
        self._next_seq = self._first_free_seq()

    @property
    def rows_so_far(self) -> int:
        """Rows landed and rows of the file in progress."""
        return self.rows + (self._current.rows if self._current else 0)

    def begin_window(self, window: Window | None) -> None:
        """Everything written from now on belongs to this window (None: a static stream)."""
        self._window = window
        self._window_first_seq = self._next_seq

    def write(self, encoded: Encoded, page: Page) -> None:
        """Append a page; begin a new file when the last one is full or its source has ended."""
        if self._current is not None and self._current.rows >= self._rows_per_file:
            self._finish()
        current = self._open()
        current.add(encoded, page)
        self.rejected += sum(reject.count for reject in encoded.rejects)
        if page.on_landed is not None:
            self._finish(source_finished=True)
            page.on_landed()

    def end_window(self, *, cursor_after: datetime | None, complete: bool) -> None:
        """Finish the window's last file; it alone moves the cursor."""
        self._open()
        self._finish(cursor_after=cursor_after, complete=complete)

    def keep_partial(self) -> None:
        """After an error: what was read of a window stays, without moving the cursor.

        Not so when writing itself failed (a full disk), nor for a list that counts as a whole.
        """
        if self._current is None:
            return
        if self._is_static or self._current.is_empty or self._current.is_broken:
            self.discard()
        else:
            self._finish()

    def discard(self) -> None:
        """Drop the file in progress."""
        if self._current is not None:
            self._current.abandon()
            self._current = None

    def _first_free_seq(self) -> int:
        stamp = f"{self._as_of:{_STAMP}}-"
        taken = [int(p.name[len(stamp) :].split(".")[0]) for p in self._folder.glob(f"{stamp}*")]
        return max(taken, default=0) + 1

    def _open(self) -> _OpenFile:
        if self._current is None:
            name = f"{self._as_of:{_STAMP}}-{self._next_seq:05d}"
            self._current = _OpenFile(self._folder / f"{name}{DATA_SUFFIX}")
        return self._current

    def _finish(
        self,
        *,
        cursor_after: datetime | None = None,
        complete: bool = False,
        source_finished: bool = False,
    ) -> None:
        current = self._open()
        sha256 = current.close()
        if self._is_static and self._is_unchanged(sha256, current):
            self.discard()
            return
        current.publish()
        window = self._window
        manifest = Manifest(
            connector=self._connector,
            account=self._account,
            stream=self._stream,
            file=current.path.name,
            sha256=sha256,
            seq=self._next_seq,
            rows=current.rows,
            as_of=self._as_of,
            window_from=window.start if window else None,
            window_to=window.end if window else None,
            window_first_seq=self._window_first_seq,
            cursor_after=cursor_after,
            complete=complete,
            static=self._is_static,
            encoding=current.encoding,
            source_ref=current.source_ref,
            source_finished=source_finished,
            rejects=current.rejects(),
            drift=tuple(sorted(current.drift)),
            duplicates=current.duplicates,
        )
        write_atomically(
            current.path.with_name(current.path.name.removesuffix(DATA_SUFFIX) + MANIFEST_SUFFIX),
            msgspec.json.format(msgspec.json.encode(manifest), indent=1),
        )
        self._current = None
        self._next_seq += 1
        self.files += 1
        self.rows += manifest.rows

    def _is_unchanged(self, sha256: str, current: _OpenFile) -> bool:
        """A static stream that says the same as its newest file lands nothing new."""
        if self._next_seq != self._window_first_seq or current.has_remarks:
            return False
        landed = landed_files(self._folder)
        return (
            bool(landed) and landed[-1].manifest.complete and landed[-1].manifest.sha256 == sha256
        )


class _OpenFile:
    """A data file being written, and what its manifest will say."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = 0
        self.duplicates = 0
        self.is_broken = False  # while, and after, writing fails: its content is not known
        self.encoding: str | None = None
        self.source_ref = ""
        self.drift: set[Drift] = set()
        self._rejects: list[Reject] = []
        self._last_hash: dict[str, bytes] = {}
        self._temporary = path.with_name(path.name + TEMPORARY)
        self._file = _HashingFile(self._temporary.open("wb"))
        self._zstd = zstandard.ZstdCompressor(level=_COMPRESSION_LEVEL).stream_writer(
            self._file,  # type: ignore[arg-type]
            closefd=False,
        )

    @property
    def is_empty(self) -> bool:
        return self.rows == 0 and not self.has_remarks

    @property
    def has_remarks(self) -> bool:
        return bool(self.drift or self._rejects)

    def add(self, encoded: Encoded, page: Page) -> None:
        lines = self._without_repeats(encoded)
        if lines:
            lines.append(b"")
            self.is_broken = True
            self._zstd.write(b"\n".join(lines))
            self.is_broken = False
            self.rows += len(lines) - 1
        self.source_ref = self.source_ref or page.source_ref
        self.encoding = self.encoding or page.encoding
        self.duplicates += page.duplicates
        self._rejects.extend(encoded.rejects)
        self.drift.update(Drift(name, kind) for name, kind in encoded.drift)

    def _without_repeats(self, encoded: Encoded) -> list[bytes]:
        """Lines that do not repeat the last line of their key in this file."""
        last = self._last_hash
        kept = []
        for key, digest, line in zip(encoded.keys, encoded.hashes, encoded.lines, strict=True):
            if last.get(key) != digest:
                last[key] = digest
                kept.append(line)
        self.duplicates += len(encoded.lines) - len(kept)
        return kept

    def rejects(self) -> tuple[RejectCount, ...]:
        counts: dict[tuple[str, str], RejectCount] = {}
        for reject in self._rejects:
            place = (reject.reason, reject.what_to_do)
            before = counts.get(place)
            counts[place] = RejectCount(
                reason=reject.reason,
                count=reject.count + (before.count if before else 0),
                example_ref=before.example_ref if before else reject.example_ref,
                what_to_do=reject.what_to_do,
            )
        return tuple(counts.values())

    def close(self) -> str:
        self.is_broken = True
        self._zstd.close()
        return self._file.close()

    def publish(self) -> None:
        self._temporary.replace(self.path)
        sync_folder(self.path.parent)

    def abandon(self) -> None:
        self._file.abandon()
        self._temporary.unlink(missing_ok=True)


class _HashingFile:
    """File object for the compressor: hashes what passes, syncs at the end."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._sha256 = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self._sha256.update(data)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> str:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return self._sha256.hexdigest()

    def abandon(self) -> None:
        self._file.close()


def remove_leftovers(folder: Path) -> Sequence[Path]:
    """Remove what a killed run left: temporary files, data files without a manifest."""
    gone = list(folder.glob(f"*{TEMPORARY}"))
    for data in folder.glob(f"*{DATA_SUFFIX}"):
        stem = data.name.removesuffix(DATA_SUFFIX)
        if not data.with_name(stem + MANIFEST_SUFFIX).exists():
            gone.append(data)
    for path in gone:
        path.unlink(missing_ok=True)
    return gone
