"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


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
_FIRST = ("test_crash.py", "hand_made", "test_night_equality.py", "test_truth.py")


@pytest.hookimpl(tryfirst=True)  # a worker of xdist reads the groups in this very hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A group of `--dist loadgroup` for each test: its file, or what several files share."""
    groups: dict[Path, str] = {}
    for item in items:
        path = item.path
        if path not in groups:
            shares = _HAND_MADE in path.read_text("utf-8")
            groups[path] = "hand_made" if shares else path.name
        item.add_marker(pytest.mark.xdist_group(groups[path]))

    def place(item: pytest.Item) -> tuple[int, bool]:
        group = groups[item.path]
        rank = _FIRST.index(group) if group in _FIRST else len(_FIRST)
        return rank, "end_to_end" not in item.path.parts

    items.sort(key=place)
