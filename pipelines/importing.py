"""Reports as a person downloaded them, landed as files of the streams that the API feeds.

Belongs here: finding the account of a file, landing it once. Does not belong here: which report it
is and whether it is whole (`recognition.py`), the list of what was imported (`imported.py`).
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pydantic

from pipelines import market_files
from pipelines.imported import (
    Imported,
    ImportedAccount,
    ImportedFile,
    account_settings,
    write_imported,
)
from pipelines.recognition import (
    Finding,
    Recognised,
    RefusedError,
    check_untouched,
    check_whole,
    hash_of,
    inspect,
    listed,
    recognise,
)
from pipelines.resources import Places
from pipelines.settings import Settings
from sources._core.connector import AccountSettings, Connector, Page
from sources._core.durable import write_atomically
from sources._core.errors import SourceError
from sources._core.landing import LandingWriter, finished_sources, stream_folder
from sources._core.records import Encoded, RecordEncoder
from sources.files import market_exports, parcel_exports, shop_export
from sources.files.as_downloaded import TextTable, read_downloaded
from sources.files.cells import FileRefusedError

# Account -> how many of these orders it has: (connector, orders) as the warehouse knows them.
OrderCounts = Callable[[Connector, Sequence[str]], Mapping[str, int]]


@dataclass
class Importer:
    """Imports files into one installation; hold its lock meanwhile."""

    places: Places
    settings: Settings
    connectors: Mapping[str, Connector]
    imported: Imported
    now: datetime
    order_counts: OrderCounts
    named: str | None = None
    _orders_here: dict[str, dict[str, str]] = field(default_factory=dict)

    def run(self, paths: Sequence[Path]) -> list[Finding]:
        """Files that name their marketplace first: others find their account through them."""
        findings: list[Finding] = []
        found: list[Recognised] = []
        for path in paths:
            try:
                table = read_downloaded(path, self.settings.inbox.encodings)
                if shop_export.is_shop_export(table.header):
                    findings.append(self._take_shop_export(path, table))
                    continue
                file = self._recognised(path, table)
                if isinstance(file, market_exports.Found):
                    findings.append(market_files.take(self, path, file))
                    continue
                if isinstance(file, parcel_exports.ParcelExport):
                    findings.append(self._take_parcels(path, table, file))
                    continue
            except (RefusedError, FileRefusedError) as refused:
                findings.append(Finding(path, "refused", str(refused)))
                continue
            try:
                check_untouched(file)
                inspect(file)
                found.append(file)
            except RefusedError as refused:
                findings.append(file.finding("refused", str(refused)))
        for file in sorted(found, key=lambda f: (not f.marketplaces, f.last, f.path.name)):
            findings.append(self._take(file))
        order = {path: number for number, path in enumerate(paths)}
        return sorted(findings, key=lambda f: order[f.path])

    def _recognised(
        self, path: Path, table: TextTable
    ) -> Recognised | market_exports.Found | parcel_exports.ParcelExport:
        """A marketplace's report first: some have tracking numbers too."""
        exports = market_files.known_exports()
        try:
            return recognise(path, table, self.connectors, [e.export.title["en"] for e in exports])
        except RefusedError:
            text = table.data.decode(table.charset or "utf-8-sig", "replace")
            found = market_exports.recognise_export(text, exports)
            if found is not None:
                return found
            parcels = parcel_exports.recognise_parcels(table.header)
            if parcels is None:
                raise
            return parcels

    def _take(self, file: Recognised) -> Finding:
        if not file.rows and not any(file.rejects.values()):
            return file.finding("empty", "the report has no rows: nothing to load")
        try:
            check_whole(file)
            account = self._account(file)
        except RefusedError as refused:
            return file.finding("refused", str(refused))
        orders = self._orders_here.setdefault(file.connector.name, {})
        orders.update(dict.fromkeys(file.orders, account.name))
        folder = stream_folder(
            self.places.landing, file.connector.name, account.name, file.download.stream.name
        )
        if any(ref.endswith(f"#{file.sha256}") for ref in finished_sources(folder)):
            return file.finding("known", "was imported before", account.name)
        try:
            self._land(file, account, folder)
        except SourceError as refused:
            return file.finding("refused", str(refused))
        self._remember(file, account)
        return file.finding("new", account=account.name)

    def _take_shop_export(self, path: Path, table: TextTable) -> Finding:
        """An order export of a shop goes into the inbox, as rows of the dataset `orders`."""
        sha256 = hash_of(path)
        title = shop_export.TITLE
        known = next((f for f in self.imported.files if f.sha256 == sha256), None)
        if known is not None:
            return Finding(path, "known", "was imported before", title=title, account=known.account)
        channel = self._shop_channel()
        text = table.data.decode(table.charset or "utf-8-sig")
        lines = shop_export.order_lines(text, channel)
        if not lines:
            return Finding(path, "empty", "the export has no rows", title=title, account=channel)
        self.drop(shop_export.DATASET, path, sha256, shop_export.as_csv(lines))
        days = sorted(date.fromisoformat(line["ordered_at"][:10]) for line in lines)
        if not self.has_api(channel):
            self.imported = self.imported.with_account(ImportedAccount("files", channel, ()))
        self.imported = self.imported.with_file(
            ImportedFile(
                name=path.name,
                sha256=sha256,
                connector="files",
                account=channel,
                stream=shop_export.DATASET,
                rows=len(lines),
                first_day=days[0],
                last_day=days[-1],
                currency=lines[0]["currency"],
                imported_at=self.now,
            )
        )
        write_imported(self.places.data, self.imported)
        return Finding(
            path,
            "new",
            title=title,
            account=channel,
            rows=len(lines),
            first_day=days[0],
            last_day=days[-1],
        )

    def _take_parcels(
        self, path: Path, table: TextTable, export: parcel_exports.ParcelExport
    ) -> Finding:
        """A tracking export or a carrier's bill goes into the inbox, as rows of its dataset."""
        sha256 = hash_of(path)
        kind = export.export
        known = next((f for f in self.imported.files if f.sha256 == sha256), None)
        if known is not None:
            return Finding(path, "known", "was imported before", title=kind.title)
        zones = self.settings.inbox.time_zone
        rows = parcel_exports.rows_of(
            export,
            table.data.decode(table.charset or "utf-8-sig"),
            has_zone=kind.dataset in zones or "all" in zones,
        )
        days = sorted(row[export.day_column][:10] for row in rows if row[export.day_column])
        if not days:
            return Finding(path, "empty", "the file has no rows with a day", title=kind.title)
        try:
            first, last = date.fromisoformat(days[0]), date.fromisoformat(days[-1])
        except ValueError:
            raise RefusedError(
                "its days are not written as 2026-11-22: download it again with ISO dates"
            ) from None
        self.drop(kind.dataset, path, sha256, parcel_exports.as_csv(rows))
        self.imported = self.imported.with_file(
            ImportedFile(
                name=path.name,
                sha256=sha256,
                connector="files",
                account="inbox",
                stream=kind.dataset,
                rows=len(rows),
                first_day=first,
                last_day=last,
                currency=rows[0].get("currency"),
                imported_at=self.now,
            )
        )
        write_imported(self.places.data, self.imported)
        return Finding(
            path, "new", title=kind.title, rows=len(rows), first_day=first, last_day=last
        )

    def _shop_channel(self) -> str:
        """The account that was named, else the only shop of the settings, else `shopify`."""
        shops = [a.name for a in self.settings.accounts if a.connector == "shopify"]
        if self.named is not None:
            owners = {a.name: a.connector for a in self.settings.accounts}
            if owners.get(self.named, "files") not in ("shopify", "files"):
                raise RefusedError(
                    f"it is an export of a shop, and {self.named} is an account of "
                    f"{owners[self.named]}: give another name with --account"
                )
            return self.named
        if len(shops) > 1:
            raise RefusedError(
                f"it may belong to account {listed(shops)}: say which with --account NAME"
            )
        return shops[0] if shops else "shopify"

    def drop(self, dataset: str, path: Path, sha256: str, content: bytes) -> None:
        """Into the inbox, as a file that has lain there long enough for the next night."""
        name = f"{path.stem}-{sha256[:8]}.csv"
        target = self.places.inbox / dataset / re.sub(r"[^\w.-]", "_", name)
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, content)
        settled = target.stat().st_mtime - self.settings.inbox.settle_seconds - 1
        os.utime(target, (settled, settled))

    def _account(self, file: Recognised) -> AccountSettings:
        """Whose report it is: the account that was named, else the one its rows tell."""
        known = [
            a
            for a in self.settings.accounts
            if a.connector == file.connector.name and self.has_api(a.name)
        ]
        known += self._accounts_of_reports(file)
        counts = self._counts(file)
        name = self.named or self._told_account(file, known, counts)
        self._check_connector(file, name)
        account = next((a for a in known if a.name == name), None)
        if account is None:
            self._may_be_new(file, name)
        elif (
            self.has_api(name)
            and file.marketplaces
            and not file.marketplaces & set(account.marketplaces)
        ):
            raise RefusedError(
                f"it is of {listed(file.marketplaces)}, account {name} sells on "
                f"{listed(account.marketplaces)}: it belongs to another account. Name that "
                "one with --account, or correct marketplaces in aftersales.toml"
            )
        if counts and name not in counts:
            raise RefusedError(
                f"its orders are those of account {listed(counts)}, not of {name}: it belongs to "
                "another account. Leave out --account, or name the right one"
            )
        if account is not None and self.has_api(name):
            return account
        return self._reports_account(file, name, account)

    def _check_connector(self, file: Recognised, name: str) -> None:
        owners = {account.name: account.connector for account in self.settings.accounts}
        owners |= {account.name: account.connector for account in self.imported.accounts}
        owner = owners.get(name, file.connector.name)
        if owner != file.connector.name:
            raise RefusedError(
                f"it is a report of {file.connector.name}, and {name} is an account of {owner}: "
                "give another name with --account"
            )

    def _accounts_of_reports(self, file: Recognised) -> list[AccountSettings]:
        """Accounts that exist through imports alone, those of this run included."""
        return [
            account_settings(account, file.connector, self.now.date())
            for account in self.imported.accounts
            if account.connector == file.connector.name
        ]

    def _told_account(
        self, file: Recognised, known: Sequence[AccountSettings], counts: Mapping[str, int]
    ) -> str:
        shared = {a.name: len(file.marketplaces & set(a.marketplaces)) for a in known}
        if not file.marketplaces:
            shared = dict(counts) or dict.fromkeys(shared, 1)
        most = max(shared.values(), default=0)
        best = [name for name, count in shared.items() if count == most and most > 0]
        if len(best) == 1:
            return best[0]
        if best:
            raise RefusedError(
                f"it may belong to account {listed(best)}: say which with --account NAME"
            )
        downloads = file.connector.downloads
        if not file.marketplaces or downloads is None:
            raise RefusedError(
                "it does not say from which marketplace it comes: import it together with an order "
                "report or a settlement of the same account, or name the account with --account"
            )
        return downloads.account_name(file.marketplaces)

    def _may_be_new(self, file: Recognised, name: str) -> None:
        with_api = [a.name for a in self.settings.accounts if self.has_api(a.name)]
        if with_api:
            raise RefusedError(
                f"it is of {listed(file.marketplaces) or 'an account that is not set'}, and "
                f"{name} is no account of aftersales.toml: name one of {listed(with_api)} with "
                f"--account, or add an [[accounts]] block for {name}"
            )

    def has_api(self, name: str) -> bool:
        return (
            any(a.name == name for a in self.settings.accounts)
            and name not in self.settings.reports_only
        )

    def _reports_account(
        self, file: Recognised, name: str, account: AccountSettings | None
    ) -> AccountSettings:
        """The account that lives from reports alone, with the marketplaces of this one too."""
        marketplaces = {*(account.marketplaces if account else ()), *file.marketplaces}
        if not marketplaces:
            raise RefusedError(
                f"it does not say from which marketplace it comes, and {name} is new: import an "
                "order report or a settlement of the same account first"
            )
        entry = ImportedAccount(file.connector.name, name, tuple(sorted(marketplaces)))
        try:
            found = account_settings(entry, file.connector, self.now.date())
        except pydantic.ValidationError as error:
            said = "; ".join(fault["msg"] for fault in error.errors(include_input=False))
            raise RefusedError(
                f"it is of {listed(file.marketplaces)} and cannot be of account {name} ({said})"
            ) from error
        self.imported = self.imported.with_account(entry)
        return found

    def _counts(self, file: Recognised) -> Mapping[str, int]:
        orders = list(file.orders)
        here = self._orders_here.get(file.connector.name, {})
        counts = Counter(here[order] for order in orders if order in here)
        return counts or self.order_counts(file.connector, orders)

    def _land(self, file: Recognised, account: AccountSettings, folder: Path) -> None:
        stream = file.download.stream
        writer = LandingWriter(
            folder,
            connector=file.connector.name,
            account=account.name,
            stream=stream.name,
            as_of=self.now,
        )
        encoder = RecordEncoder(stream)
        writer.begin_window(None)
        try:
            for page in file.download.read(file.content, account):
                writer.write(encoder.encode(page), dataclasses.replace(page, on_landed=None))
        except BaseException:
            writer.discard()
            raise
        last = Page((), file.content.source_ref, on_landed=lambda: None)
        writer.write(Encoded(), last)
        if not self.has_api(account.name):
            writer.end_window(cursor_after=min(_end_of(file.last), self.now), complete=False)

    def _remember(self, file: Recognised, account: AccountSettings) -> None:
        currency = file.currencies.most_common(1)
        finding = file.finding("new")
        self.imported = self.imported.with_file(
            ImportedFile(
                name=file.path.name,
                sha256=file.sha256,
                connector=file.connector.name,
                account=account.name,
                stream=file.download.stream.name,
                rows=file.rows,
                first_day=finding.first_day or file.last_day,
                last_day=file.last_day,
                currency=currency[0][0] if currency else None,
                imported_at=self.now,
            )
        )
        write_imported(self.places.data, self.imported)


def _end_of(moment: str) -> datetime:
    """The moment, or the end of the day that is all a row tells."""
    found = datetime.fromisoformat(moment)
    if len(moment) == len("2026-01-31"):
        found = datetime.combine(found.date(), time.min) + timedelta(days=1)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
