"""The folders of the inbox: what lies there, what may be taken, and where it goes afterwards.

Belongs here: everything about files as files. Does not belong here: their content.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from sources._core.clock import Clock
from sources._core.connector import AccountSettings
from sources._core.durable import write_atomically
from sources.files.cells import FileRefusedError
from sources.files.config import FilesSettings
from sources.files.declarations import all_datasets

FORMATS = (".csv", ".csv.gz", ".parquet", ".xlsx")
ERRORS_SUFFIX = ".errors.csv"

_WORK = ".work"
_OWNERS = ".datasets.json"
_UNFINISHED = (".tmp", ".part", ".partial", ".crdownload", ".filepart")
_PATH_PARTS = re.compile(r"[\\/\x00-\x1f\x7f]|^[a-z]:|%2f|%5c|^\.\.", re.IGNORECASE)
_DAY_FOLDER = re.compile(r"\d{4}-\d\d-\d\d")
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class DroppedFile:
    """A file as it lay there: size and time of its last change tell whether it still grows."""

    path: Path
    size: int
    changed_ns: int

    @property
    def name(self) -> str:
        return self.path.name

    def is_unchanged(self) -> bool:
        """Whether it is still the file that was seen."""
        try:
            now = self.path.lstat()
        except FileNotFoundError:
            return False
        return (now.st_size, now.st_mtime_ns) == (self.size, self.changed_ns)


def open_inbox(account: AccountSettings, clock: Clock) -> Inbox:
    """The inbox of an account of connector `files`."""
    if not isinstance(account, FilesSettings):
        raise TypeError(f"{account.name} is no account of connector files")
    return Inbox(account, clock)


def file_system_time(folder: Path) -> float:
    """Time by the clock that stamps the files of this folder, in seconds.

    The night's clock may stand on any day; whether a file still grows is a question to the
    machine that writes it.
    """
    probe = folder / "clock"
    probe.touch()
    return probe.stat().st_mtime


class Inbox:
    """The inbox of an installation; the client of the account `inbox`."""

    def __init__(
        self,
        settings: FilesSettings,
        clock: Clock,
        now: Callable[[Path], float] = file_system_time,
    ) -> None:
        self.settings = settings
        self._clock = clock
        self._now = now
        self._swept = False
        self._lock = threading.Lock()

    @property
    def folder(self) -> Path:
        """The inbox; only where the settings name one."""
        if self.settings.inbox_dir is None:
            raise ValueError("this account has no inbox")
        return self.settings.inbox_dir

    @property
    def archive(self) -> Path:
        return self.folder.parent / "archive"

    @property
    def rejected(self) -> Path:
        return self.folder.parent / "rejected"

    def today(self) -> date:
        """The night's day."""
        return self._clock.now().date()

    def work_folder(self, dataset: str) -> Path:
        """An empty folder for rows on their way; what was left there is removed."""
        folder = self.folder / _WORK / dataset
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def remove_work(self, dataset: str) -> None:
        """Remove the rows on their way."""
        shutil.rmtree(self.folder / _WORK / dataset, ignore_errors=True)

    def waiting(self, dataset: str) -> Iterator[DroppedFile]:
        """Files to look at, oldest first; those that may still grow are left."""
        folder = self.folder / dataset
        folder.mkdir(parents=True, exist_ok=True)
        self.remove_work(dataset)
        work = self.folder / _WORK
        work.mkdir(parents=True, exist_ok=True)
        files = [seen for path in folder.iterdir() if (seen := _seen(path)) is not None]
        now = self._now(work)
        for file in sorted(files, key=lambda file: (file.changed_ns, file.name)):
            age = now - file.changed_ns / 1e9
            if self.settings.settle_seconds and age < self.settings.settle_seconds:
                logger.info(
                    "inbox/%s/%s changed %.0f seconds ago: left for the next night",
                    dataset,
                    file.name,
                    max(age, 0),
                )
                continue
            yield file

    def archive_file(self, file: DroppedFile, sha256: str) -> None:
        """Move a file away whose rows are safe; with `archive_days` 0 it is deleted at once."""
        if self.settings.archive_days == 0:
            file.path.unlink(missing_ok=True)
            return
        with self._lock:
            folder = self.archive / self.today().isoformat()
            folder.mkdir(parents=True, exist_ok=True)
            target = folder / safe_name(file.name)
            if target.is_file() and file_hash(target) != sha256:
                target = _with_hash(target, sha256)
            _move(file, target)

    def reject_file(self, dataset: str, file: DroppedFile) -> None:
        """Move a refused file beside its errors file; an earlier one of its name makes way."""
        with self._lock:
            target = self.rejected / self._rejected_name(dataset, file.name)
            if target.is_file():
                target.replace(_with_hash(target, file_hash(target)))
            _move(file, target)

    def write_errors(self, dataset: str, name: str, content: bytes) -> None:
        """The errors file of a dropped file."""
        with self._lock:
            name = self._rejected_name(dataset, name)
            write_atomically(self.rejected / (name + ERRORS_SUFFIX), content)

    def sweep(self) -> None:
        """Once a night: delete what was archived long enough ago, name folders nobody reads."""
        with self._lock:
            if self._swept:
                return
            self._swept = True
        oldest = self.today() - timedelta(days=self.settings.archive_days)
        for folder in self.archive.glob("*"):
            if _DAY_FOLDER.fullmatch(folder.name) and folder.name <= oldest.isoformat():
                shutil.rmtree(folder, ignore_errors=True)
        for name in self.unknown_folders():
            logger.warning("inbox/%s is no dataset: nothing in it is read", name)

    def unknown_folders(self) -> list[str]:
        """Names in the inbox that are no dataset."""
        known = {dataset.name for dataset in all_datasets()}
        if not self.folder.is_dir():
            return []
        names = (path.name for path in self.folder.iterdir())
        return sorted(name for name in names if name not in known and not name.startswith("."))

    def _rejected_name(self, dataset: str, name: str) -> str:
        """The file's own name, unless a file of another dataset has it there already."""
        self.rejected.mkdir(parents=True, exist_ok=True)
        path = self.rejected / _OWNERS
        owners = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        name = safe_name(name)
        if owners.setdefault(name, dataset) != dataset:
            return f"{dataset}-{name}"
        write_atomically(path, json.dumps(owners).encode())
        return name


def format_of(file: DroppedFile) -> str:
    """`.csv`, `.parquet` or `.xlsx` (`.csv.gz` counts as `.csv`).

    Raises FileRefusedError for what cannot be opened safely, whatever is in it.
    """
    path = file.path
    if path.is_symlink():
        raise FileRefusedError(
            "symbolic_link", "a symbolic link is not followed: copy the file itself"
        )
    if path.is_dir():
        raise FileRefusedError(
            "folder", "folders are not read: put the files directly into the dataset's folder"
        )
    if _PATH_PARTS.search(file.name):
        raise FileRefusedError(
            "path_in_name", "the name has parts of a path or control characters: rename the file"
        )
    if not path.is_file():
        raise FileRefusedError("not_a_file", "this is no ordinary file: copy the file itself")
    lower = file.name.lower()
    if lower.endswith(".xlsm"):
        raise FileRefusedError(
            "macro", "the workbook may have macros: save it as .xlsx without them"
        )
    if lower.endswith((".xls", ".xlsb")):
        raise FileRefusedError(
            "locked_or_old_workbook", "an old or binary workbook: save it as .xlsx"
        )
    if not lower.endswith(FORMATS):
        raise FileRefusedError("unknown_format", f"only {', '.join(FORMATS)} are read")
    if file.size == 0:
        raise FileRefusedError("zero_bytes", "the file is empty (zero bytes): copy it again")
    if lower.endswith((".csv", ".csv.gz")):
        return ".csv"
    return ".parquet" if lower.endswith(".parquet") else ".xlsx"


def file_hash(path: Path) -> str:
    """SHA-256 of the file's bytes; of the name where it is no ordinary file."""
    if path.is_symlink() or not path.is_file():
        return hashlib.sha256(path.name.encode()).hexdigest()
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def safe_name(name: str) -> str:
    """A name that stays in its folder and is printable."""
    return _PATH_PARTS.sub("_", name)[:200] or "_"


def _with_hash(path: Path, sha256: str) -> Path:
    stem, dot, suffix = path.name.partition(".")
    return path.with_name(f"{stem}-{sha256[:8]}{dot}{suffix}")


def _move(file: DroppedFile, target: Path) -> None:
    try:
        shutil.move(file.path, target)
    except FileNotFoundError:
        logger.info("%s was taken away by someone else", file.name)


def _seen(path: Path) -> DroppedFile | None:
    lower = path.name.lower()
    if lower.startswith((".", "~$")) and not lower.startswith(".."):
        return None
    if lower.endswith(_UNFINISHED):
        return None
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    return DroppedFile(path, found.st_size, found.st_mtime_ns)
