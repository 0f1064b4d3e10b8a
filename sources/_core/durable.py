"""Writing that survives a kill and a power cut; the resumable state of a stream.

Belongs here: atomic writes and what is built on them alone. Does not belong here: landing files
and manifests (`landing.py`).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from sources._core.connector import StreamState

logger = logging.getLogger(__name__)

STATE_FILE = "_state.json"
TEMPORARY = ".tmp"


class JsonState(StreamState):
    """Resumable state of a stream (`StreamContext.state`), saved atomically beside its files."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._values: dict[str, Any] = _values_of(path)

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._values[key] = value

    def __delitem__(self, key: str) -> None:
        del self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def save(self) -> None:
        """Write now; a crash leaves the old or the new state, never half."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self._path, msgspec.json.encode(self._values))


def _values_of(path: Path) -> dict[str, Any]:
    """A state that cannot be read (a damaged disk) is none: it only saves work."""
    if not path.exists():
        return {}
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        logger.warning("%s cannot be read and is not used", path)
        return {}


def write_atomically(path: Path, content: bytes) -> None:
    """Write under a temporary name, fsync, rename, fsync the folder."""
    temporary = path.with_name(path.name + TEMPORARY)
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
