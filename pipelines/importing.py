"""Reports as a person downloaded them, landed as files of the streams that the API feeds.

Belongs here: recognising a file, finding its account, landing it once. Does not belong here: what
a report looks like (`sources/<connector>/downloads.py`), unpacking (`sources/files`), the list of
what was imported (`imported.py`).

Nothing is repaired: a file that is cut, changed by a spreadsheet program, in an unknown language or
of another account is refused as a whole, with what to do.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Literal

import pydantic

from pipelines.imported import (
    Imported,
    ImportedAccount,
    ImportedFile,
    account_settings,
    write_imported,
)
from pipelines.resources import Places
from pipelines.settings import Settings
from sources._core.connector import AccountSettings, Connector, Page
from sources._core.downloads import Content, Download
from sources._core.errors import SourceError
from sources._core.landing import LandingWriter, finished_sources, stream_folder
from sources._core.records import Encoded, RecordEncoder
from sources.files.as_downloaded import TextTable, read_downloaded
from sources.files.cells import FileRefusedError

MOST_BAD_ROWS = 0.05
SAMPLED_ORDERS = 2_000
_SHOWN_WORDS = 6
_SUM_DIFFERS = "settlement_sum_differs"

State = Literal["new", "known", "empty", "refused"]
# Account -> how many of these orders it has: (connector, orders) as the warehouse knows them.
OrderCounts = Callable[[Connector, Sequence[str]], Mapping[str, int]]


class RefusedError(Exception):
    """The file is not imported; the message says what to do."""


@dataclass(frozen=True)
class Finding:
    """What became of one file."""

    path: Path
    state: State
    message: str = ""
    download: Download | None = None
    account: str = ""
    marketplaces: tuple[str, ...] = ()
    rows: int = 0
    held_back: int = 0
    first_day: date | None = None
    last_day: date | None = None


@dataclass
class _Recognised:
    """A file whose report is known; the rest is what reading it once has shown."""

    path: Path
    sha256: str
    table: TextTable
    connector: Connector
    download: Download
    rows: int = 0
    rejects: Counter[str] = field(default_factory=Counter)
    notes: set[str] = field(default_factory=set)
    marketplaces: set[str] = field(default_factory=set)
    currencies: Counter[str] = field(default_factory=Counter)
    orders: dict[str, None] = field(default_factory=dict)
    first: str = ""
    last: str = ""

    @property
    def content(self) -> Content:
        return Content(self.table.data, f"{self.path.name}#{self.sha256}", self.table.charset)

    @property
    def last_day(self) -> date:
        return date.fromisoformat(self.last[:10])

    def finding(self, state: State, message: str = "", account: str = "") -> Finding:
        return Finding(
            self.path,
            state,
            message,
            self.download,
            account,
            tuple(sorted(self.marketplaces)),
            self.rows,
            sum(self.rejects.values()),
            date.fromisoformat(self.first[:10]) if self.first else None,
            self.last_day if self.last else None,
        )


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
        found: list[_Recognised] = []
        for path in paths:
            try:
                file = recognise(path, self.connectors, self.settings.inbox.encodings)
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

    def _take(self, file: _Recognised) -> Finding:
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

    def _account(self, file: _Recognised) -> AccountSettings:
        """Whose report it is: the account that was named, else the one its rows tell."""
        known = [
            a
            for a in self.settings.accounts
            if a.connector == file.connector.name and self._has_api(a.name)
        ]
        known += self._accounts_of_reports(file)
        counts = self._counts(file)
        name = self.named or self._told_account(file, known, counts)
        self._check_connector(file, name)
        account = next((a for a in known if a.name == name), None)
        if account is None:
            self._may_be_new(file, name)
        elif (
            self._has_api(name)
            and file.marketplaces
            and not file.marketplaces & set(account.marketplaces)
        ):
            raise RefusedError(
                f"it is of {_listed(file.marketplaces)}, account {name} sells on "
                f"{_listed(account.marketplaces)}: it belongs to another account. Name that "
                "one with --account, or correct marketplaces in aftersales.toml"
            )
        if counts and name not in counts:
            raise RefusedError(
                f"its orders are those of account {_listed(counts)}, not of {name}: it belongs to "
                "another account. Leave out --account, or name the right one"
            )
        if account is not None and self._has_api(name):
            return account
        return self._reports_account(file, name, account)

    def _check_connector(self, file: _Recognised, name: str) -> None:
        owners = {account.name: account.connector for account in self.settings.accounts}
        owners |= {account.name: account.connector for account in self.imported.accounts}
        owner = owners.get(name, file.connector.name)
        if owner != file.connector.name:
            raise RefusedError(
                f"it is a report of {file.connector.name}, and {name} is an account of {owner}: "
                "give another name with --account"
            )

    def _accounts_of_reports(self, file: _Recognised) -> list[AccountSettings]:
        """Accounts that exist through imports alone, those of this run included."""
        return [
            account_settings(account, file.connector, self.now.date())
            for account in self.imported.accounts
            if account.connector == file.connector.name
        ]

    def _told_account(
        self, file: _Recognised, known: Sequence[AccountSettings], counts: Mapping[str, int]
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
                f"it may belong to account {_listed(best)}: say which with --account NAME"
            )
        downloads = file.connector.downloads
        if not file.marketplaces or downloads is None:
            raise RefusedError(
                "it does not say from which marketplace it comes: import it together with an order "
                "report or a settlement of the same account, or name the account with --account"
            )
        return downloads.account_name(file.marketplaces)

    def _may_be_new(self, file: _Recognised, name: str) -> None:
        with_api = [a.name for a in self.settings.accounts if self._has_api(a.name)]
        if with_api:
            raise RefusedError(
                f"it is of {_listed(file.marketplaces) or 'an account that is not set'}, and "
                f"{name} is no account of aftersales.toml: name one of {_listed(with_api)} with "
                f"--account, or add an [[accounts]] block for {name}"
            )

    def _has_api(self, name: str) -> bool:
        return (
            any(a.name == name for a in self.settings.accounts)
            and name not in self.settings.reports_only
        )

    def _reports_account(
        self, file: _Recognised, name: str, account: AccountSettings | None
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
                f"it is of {_listed(file.marketplaces)} and cannot be of account {name} ({said})"
            ) from error
        self.imported = self.imported.with_account(entry)
        return found

    def _counts(self, file: _Recognised) -> Mapping[str, int]:
        orders = list(file.orders)
        here = self._orders_here.get(file.connector.name, {})
        counts = Counter(here[order] for order in orders if order in here)
        return counts or self.order_counts(file.connector, orders)

    def _land(self, file: _Recognised, account: AccountSettings, folder: Path) -> None:
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
        if not self._has_api(account.name):
            writer.end_window(cursor_after=min(_end_of(file.last), self.now), complete=False)

    def _remember(self, file: _Recognised, account: AccountSettings) -> None:
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


def recognise(
    path: Path, connectors: Mapping[str, Connector], encodings: Sequence[str]
) -> _Recognised:
    """Which report a file is, by its header; RefusedError or FileRefusedError where it is none."""
    table = read_downloaded(path, encodings)
    judged = [
        (download.fits(table.header, table.sample), connector, download)
        for connector in connectors.values()
        if connector.downloads is not None
        for download in connector.downloads.reports
    ]
    fitting = [found for found in judged if found[0].known and not found[0].lacking]
    if fitting:
        _, connector, download = max(fitting, key=lambda found: found[0].known)
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        return _Recognised(path, sha256, table, connector, download)
    near = max(judged, key=lambda found: found[0].known, default=None)
    words = ", ".join(word.strip() for word in table.header[:_SHOWN_WORDS])
    if near is not None and near[0].known > 1:
        raise RefusedError(
            f"it looks like {near[2].title['en']}, but has no column {_listed(near[0].lacking)}: "
            f"download the report again ({near[2].where['en']}) and import it as it is"
        )
    known = sorted({download.title["en"] for _, _, download in judged})
    raise RefusedError(
        f"no report that is known has a header like this ({words}). Known are: "
        f"{', '.join(known)}. If it is one of these in another language, set the language of the "
        "reports (in Seller Central: Settings, Account info, Report language) to English and "
        "download it again; your own tables go into the inbox (aftersales inbox-templates)"
    )


def inspect(file: _Recognised) -> None:
    """Read the whole file once, without landing anything."""
    downloads = file.connector.downloads
    if downloads is None:
        raise TypeError(f"connector {file.connector.name} reads no downloads")
    encoder = RecordEncoder(file.download.stream)
    try:
        for page in file.download.read(file.content, downloads.any_account):
            encoded = encoder.encode(page)
            file.rows += len(encoded.lines)
            for reject in encoded.rejects:
                file.rejects.update({reject.reason: reject.count})
                file.notes.add(reject.reason)
            for record in _records(page):
                _note(file, record)
    except SourceError as error:
        if not any(file.rejects.values()):
            raise RefusedError(str(error)) from error
        check_whole(file)


def _records(page: Page) -> Iterator[Mapping[str, Any]]:
    for record in page.records:
        if isinstance(record, Mapping):
            yield record


def _note(file: _Recognised, record: Mapping[str, Any]) -> None:
    download = file.download
    marketplace = download.marketplace_of(record)
    if marketplace:
        file.marketplaces.add(marketplace)
    if download.currency_field and (currency := record.get(download.currency_field)):
        file.currencies[currency] += 1
    order = record.get(download.order_field)
    if order and len(file.orders) < SAMPLED_ORDERS:
        file.orders[str(order)] = None
    begin = record.get(download.stream.event_field or "")
    end = record.get(download.last_field) or begin
    if begin:
        file.first = min(file.first, str(begin)) if file.first else str(begin)
    if end:
        file.last = max(file.last, str(end))


def check_untouched(file: _Recognised) -> None:
    """RefusedError for a file that a spreadsheet program has changed."""
    downloads = file.connector.downloads
    spoilt = file.download.spoilt(file.content, downloads.any_account) if downloads else ()
    if spoilt:
        raise RefusedError(
            f"a spreadsheet program has changed column {_listed(spoilt)} (dates in its own form, "
            f"long numbers like 1.11E+16): {_again(file)} and import the file without opening it "
            "in a spreadsheet"
        )


def check_whole(file: _Recognised) -> None:
    """RefusedError for half a file, and for one of which too much cannot be read."""
    if file.table.ends_open and _SUM_DIFFERS in file.notes:
        raise RefusedError(
            f"its amounts do not add up and its last line is open, so it is cut: {_again(file)}"
        )
    held_back = sum(file.rejects.values())
    if held_back > MOST_BAD_ROWS * (held_back + file.rows):
        reasons = _listed(reason for reason, count in file.rejects.items() if count)
        raise RefusedError(
            f"{held_back} of {held_back + file.rows} rows cannot be read ({reasons}): "
            f"{_again(file)}, and import it as it is"
        )
    if not file.last:
        raise RefusedError(f"no row has a date: {_again(file)}")


def _again(file: _Recognised) -> str:
    return f"download {file.download.title['en']} again ({file.download.where['en']})"


def _end_of(moment: str) -> datetime:
    """The moment, or the end of the day that is all a row tells."""
    found = datetime.fromisoformat(moment)
    if len(moment) == len("2026-01-31"):
        found = datetime.combine(found.date(), time.min) + timedelta(days=1)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _listed(words: Any) -> str:
    return ", ".join(sorted(map(str, words)))
