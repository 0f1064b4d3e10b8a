"""Files of a marketplace's seller pages that go into the inbox (`sources/files/market_exports.py`).

Belongs here: whose they are, and refusing what the account's API gives already. Does not belong
here: recognising and reading them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.imported import ImportedAccount, ImportedFile, write_imported
from pipelines.recognition import Finding, RefusedError, hash_of, listed
from sources.files.market_exports import Found, KnownExport, as_csv, exports_of, rows_by_dataset
from sources.registry import connector_folders

if TYPE_CHECKING:
    from pipelines.importing import Importer

_DAY_COLUMNS = ("ordered_at", "requested_at", "received_at", "posted_at", "refunded_at")


def known_exports() -> Sequence[KnownExport]:
    """Of every connector that has a list of them."""
    return exports_of({folder.name: folder for folder in connector_folders()})


def take(importer: Importer, path: Path, found: Found) -> Finding:
    """Rows of the file in the inbox, under the account that they are of."""
    sha256, title = hash_of(path), found.export.title
    known = next((f for f in importer.imported.files if f.sha256 == sha256), None)
    if known is not None:
        return Finding(path, "known", "was imported before", title=title, account=known.account)
    channel = _account(importer, found)
    if found.export.dataset != "orders" and importer.has_api(channel):
        raise RefusedError(
            f"account {channel} is read by its API, which gives the same to the cent: the file "
            "would count it a second time"
        )
    by_dataset = rows_by_dataset(found, channel)
    rows = [row for dataset_rows in by_dataset.values() for row in dataset_rows]
    if not rows:
        return Finding(path, "empty", "the file has no rows to load", title=title, account=channel)
    for dataset, dataset_rows in by_dataset.items():
        importer.drop(dataset, path, sha256, as_csv(dataset_rows))
    days = [date.fromisoformat(day) for day in _days(rows)]
    importer.imported = importer.imported.with_file(
        ImportedFile(
            name=path.name,
            sha256=sha256,
            connector="files",
            account=channel,
            stream=found.export.dataset,
            rows=len(rows),
            first_day=min(days),
            last_day=max(days),
            currency=rows[0].get("currency"),
            imported_at=importer.now,
        )
    )
    write_imported(importer.places.data, importer.imported)
    return Finding(
        path, "new", title=title, account=channel, rows=len(rows), first_day=min(days),
        last_day=max(days),
    )  # fmt: skip


def _days(rows: Iterable[Mapping[str, str]]) -> list[str]:
    return [next(row[name][:10] for name in _DAY_COLUMNS if row.get(name)) for row in rows]


def _account(importer: Importer, found: Found) -> str:
    """The account that was named, else the only one of the marketplace, else a new one."""
    connector = found.known.connector
    owners = {a.name: a.connector for a in importer.settings.accounts}
    owners |= {a.name: a.connector for a in importer.imported.accounts}
    mine = sorted(name for name, owner in owners.items() if owner == connector)
    if importer.named is not None:
        owner = owners.get(importer.named, connector)
        if owner != connector:
            raise RefusedError(
                f"it is of {connector}, and {importer.named} is an account of {owner}: give "
                "another name with --account"
            )
        mine = [importer.named]
    if len(mine) > 1:
        raise RefusedError(
            f"it may belong to account {listed(mine)}: say which with --account NAME"
        )
    name = mine[0] if mine else _marketplace(found)
    if name not in owners:
        entry = ImportedAccount(connector, name, (_marketplace(found),))
        importer.imported = importer.imported.with_account(entry)
    return name


def _marketplace(found: Found) -> str:
    """The one that the file's currency tells."""
    rows = next(iter(rows_by_dataset(found, "any").values()), [])
    currencies = {row["currency"] for row in rows if row.get("currency")}
    told = {found.known.marketplaces.get(currency, "") for currency in currencies}
    if len(told) != 1 or "" in told:
        raise RefusedError(
            f"it does not say from which marketplace it comes (currencies: {listed(currencies)}): "
            "import its orders first, or name an account of the settings with --account"
        )
    return told.pop()
