"""The only place that reads environment variables: where things are, and the secrets.

Belongs here: folders, the settings path, secrets by name. Does not belong here: what the settings
mean (`settings.py`).
"""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Places:
    """Folders and files of an installation, absolute."""

    data: Path
    state: Path
    config: Path
    warehouse_name: str = "warehouse.duckdb"

    @property
    def warehouse(self) -> Path:
        return self.data / self.warehouse_name

    @property
    def landing(self) -> Path:
        return self.data / "landing"

    @property
    def inbox(self) -> Path:
        return self.data / "inbox"

    @property
    def published(self) -> Path:
        return self.data / "published"

    @property
    def publication(self) -> Path:
        return self.published / "aftersales.duckdb"

    @property
    def parquet(self) -> Path:
        return self.published / "parquet"

    @property
    def dbt(self) -> Path:
        return self.data / "dbt"

    @property
    def data_docs(self) -> Path:
        return self.data / "data_docs"

    @property
    def outbox(self) -> Path:
        return self.data / "outbox.sqlite"

    @property
    def lock(self) -> Path:
        return self.data / "night.lock"


def places() -> Places:
    """From AFTERSALES_DATA_DIR, AFTERSALES_STATE_DIR and AFTERSALES_CONFIG, else the defaults."""
    return Places(
        data=Path(os.environ.get("AFTERSALES_DATA_DIR") or "data").resolve(),
        state=Path(os.environ.get("AFTERSALES_STATE_DIR") or "state").resolve(),
        config=Path(os.environ.get("AFTERSALES_CONFIG") or "aftersales.toml").resolve(),
    )


def secret(name: str) -> str | None:
    """Value of an environment variable that the settings name; None where it is not set."""
    return os.environ.get(name) or None


def system_language() -> str:
    """`zh` where the user's locale is Chinese, else `en`."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"


def code_version() -> str:
    """Version of the installed product."""
    return importlib.metadata.version("aftersales-warehouse")


@contextmanager
def dagster_home() -> Iterator[None]:
    """Dagster finds its `dagster.yaml` and its state in this block."""
    wanted = dagster_environment()
    before = dict(os.environ)
    places().state.mkdir(parents=True, exist_ok=True)
    os.environ.update(wanted)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def dagster_environment() -> dict[str, str]:
    """Environment of a Dagster process: `dagster.yaml` lies in the project, its state does not."""
    where = places()
    return {
        **os.environ,
        "DAGSTER_HOME": str(PROJECT),
        "AFTERSALES_DATA_DIR": str(where.data),
        "AFTERSALES_STATE_DIR": str(where.state),
        "AFTERSALES_CONFIG": str(where.config),
    }
