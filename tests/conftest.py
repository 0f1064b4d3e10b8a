"""Fixtures shared by all tests."""

from __future__ import annotations

import functools
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).resolve().parent.parent
IN_MEMORY, LEAST_ROOM = Path("/dev/shm"), 6 * 10**9  # noqa: S108 - folders of its own, see below


@pytest.fixture(scope="session")
def project_root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def shared_dir() -> Path | None:
    """Folder with official models, real data and the contract; None where it is not there."""
    path = (ROOT / os.environ.get("AFTERSALES_SHARED_DIR", "../shared")).resolve()
    return path if path.is_dir() else None


# What takes longest is begun first, and what is built once for many files is built in one process.
_HAND_MADE = "from tests.warehouse import hand_made"
_FIRST = (
    "test_night_equality.py",
    "test_bad_nights.py",
    "test_crash.py",
    "test_truth.py",
    "hand_made",
)


@functools.cache
def group_of(file: Path) -> str:
    """Tests of a group run in one process, one after the other: a file, or what several share."""
    return "hand_made" if _HAND_MADE in file.read_text("utf-8") else file.name


class ByGroup(LoadScopeScheduling):  # type: ignore[misc]
    """Groups of `group_of`. Marks of `--dist loadgroup` would say the same, but the ids that carry
    them are not read any more by pytest 9: every test would go its own way, and build anew.
    """

    def _split_scope(self, nodeid: str) -> str:
        return group_of(ROOT / nodeid.split("::")[0])


def _room_in_memory() -> bool:
    """Whether the machine has a folder in memory with room for all that the tests write."""
    try:
        free = shutil.disk_usage(IN_MEMORY).free
    except OSError:
        return False
    return os.access(IN_MEMORY, os.W_OK) and free >= LEAST_ROOM


def pytest_configure(config: pytest.Config) -> None:
    """Folders of tests lie in memory where there is room: a third of the time is waiting for the
    disk, because what a night writes is forced onto it.
    """
    is_worker = hasattr(config, "workerinput")
    if not is_worker and config.option.basetemp is None and _room_in_memory():
        folder = Path(tempfile.mkdtemp(prefix="aftersales-tests-", dir=IN_MEMORY))
        config.option.basetemp = folder / "tests"
        config.add_cleanup(functools.partial(shutil.rmtree, folder, ignore_errors=True))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByGroup:
    return ByGroup(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> tuple[int, bool]:
        group = group_of(item.path)
        rank = _FIRST.index(group) if group in _FIRST else len(_FIRST)
        return rank, "end_to_end" not in item.path.parts

    items.sort(key=place)
