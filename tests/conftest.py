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
