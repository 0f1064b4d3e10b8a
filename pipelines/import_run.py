"""One import from beginning to end, with the lock of the data folder held.

Belongs here: putting settings, clock, lock and importer together. Does not belong here: how a file
is recognised and landed (`importing.py`), what is printed (`import_summary.py`).
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assets.order_lookup import accounts_of_orders
from assets.warehouse import Warehouse
from pipelines.imported import Imported, read_imported
from pipelines.importing import Importer
from pipelines.night import exclusive
from pipelines.opening import keep_apart, read_settings
from pipelines.recognition import Finding
from pipelines.resources import Places
from sources._core.clock import Clock, SystemClock
from sources._core.connector import Connector
from sources.registry import connectors


@dataclass(frozen=True)
class ImportResult:
    """What became of the files, and the list of all imports. `is_without_api`: no account is read
    from an API, so that a night costs no waiting."""

    findings: Sequence[Finding]
    imported: Imported
    connectors: Mapping[str, Connector]
    is_without_api: bool


def import_files(
    where: Places, paths: Sequence[Path], account: str | None, clock: Clock | None = None
) -> ImportResult:
    """Land the reports among these files and folders."""
    with exclusive(where):
        settings = read_settings(where)
        keep_apart(where, is_sandbox=False)
        importer = Importer(
            places=where,
            settings=settings,
            connectors=connectors(),
            imported=read_imported(where.data),
            now=(clock or SystemClock()).now(),
            order_counts=functools.partial(accounts_of_orders, Warehouse(where.warehouse)),
            named=account,
        )
        findings = importer.run(list(_files(paths)))
    with_api = {a.name for a in settings.accounts} - settings.reports_only
    return ImportResult(findings, importer.imported, importer.connectors, not with_api)


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    """Files, and those that lie in folders; hidden ones are not meant."""
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.is_file())
            yield from (p for p in inside if not p.name.startswith((".", "~$")))
        else:
            yield path
