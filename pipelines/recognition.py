"""Which report a downloaded file is, whether it is whole, and what it covers.

Belongs here: recognising, looking through a file once, refusing it. Does not belong here: whose it
is and landing it (`importing.py`), what a report looks like (`sources/<connector>/downloads.py`).

Nothing is repaired: a file that is cut, changed by a spreadsheet program or in an unknown language
is refused as a whole, with what to do.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal

from sources._core.connector import Connector, Page
from sources._core.downloads import Content, Download, Words
from sources._core.errors import SourceError
from sources._core.records import RecordEncoder
from sources.files import parcel_exports, shop_export
from sources.files.as_downloaded import TextTable

MOST_BAD_ROWS = 0.05
SAMPLED_ORDERS = 2_000
_SHOWN_WORDS = 6
_SUM_DIFFERS = "settlement_sum_differs"

State = Literal["new", "known", "empty", "refused"]


class RefusedError(Exception):
    """The file is not imported; the message says what to do."""


@dataclass(frozen=True)
class Finding:
    """What became of one file."""

    path: Path
    state: State
    message: str = ""
    download: Download | None = None
    title: Words | None = None
    account: str = ""
    marketplaces: tuple[str, ...] = ()
    rows: int = 0
    held_back: int = 0
    first_day: date | None = None
    last_day: date | None = None


@dataclass
class Recognised:
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
            self.download.title,
            account,
            tuple(sorted(self.marketplaces)),
            self.rows,
            sum(self.rejects.values()),
            date.fromisoformat(self.first[:10]) if self.first else None,
            self.last_day if self.last else None,
        )


def recognise(
    path: Path,
    table: TextTable,
    connectors: Mapping[str, Connector],
    other_titles: Sequence[str] = (),
) -> Recognised:
    """Which report a file is, by its header; RefusedError where it is none, with all titles."""
    judged = [
        (download.fits(table.header, table.sample), connector, download)
        for connector in connectors.values()
        if connector.downloads is not None
        for download in connector.downloads.reports
    ]
    fitting = [found for found in judged if found[0].known and not found[0].lacking]
    if fitting:
        _, connector, download = max(fitting, key=lambda found: found[0].known)
        return Recognised(path, hash_of(path), table, connector, download)
    near = max(judged, key=lambda found: found[0].known, default=None)
    words = ", ".join(word.strip() for word in table.header[:_SHOWN_WORDS])
    if near is not None and near[0].known > 1:
        raise RefusedError(
            f"it looks like {near[2].title['en']}, but has no column {listed(near[0].lacking)}: "
            f"download the report again ({near[2].where['en']}) and import it as it is"
        )
    known = sorted(
        {
            *(d.title["en"] for _, _, d in judged),
            shop_export.TITLE["en"],
            *other_titles,
            *parcel_exports.titles(),
        }
    )
    raise RefusedError(
        f"no report that is known has a header like this ({words}). Known are: "
        f"{', '.join(known)}. If it is one of these in another language, set the language of the "
        "reports (in Seller Central: Settings, Account info, Report language) to English and "
        "download it again; your own tables go into the inbox (aftersales inbox-templates)"
    )


def hash_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def inspect(file: Recognised) -> None:
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


def _note(file: Recognised, record: Mapping[str, Any]) -> None:
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


def check_untouched(file: Recognised) -> None:
    """RefusedError for a file that a spreadsheet program has changed."""
    downloads = file.connector.downloads
    spoilt = file.download.spoilt(file.content, downloads.any_account) if downloads else ()
    if spoilt:
        raise RefusedError(
            f"a spreadsheet program has changed column {listed(spoilt)} (dates in its own form, "
            f"long numbers like 1.11E+16): {_again(file)} and import the file without opening it "
            "in a spreadsheet"
        )


def check_whole(file: Recognised) -> None:
    """RefusedError for half a file, and for one of which too much cannot be read."""
    if file.table.ends_open and _SUM_DIFFERS in file.notes:
        raise RefusedError(
            f"its amounts do not add up and its last line is open, so it is cut: {_again(file)}"
        )
    held_back = sum(file.rejects.values())
    if held_back > MOST_BAD_ROWS * (held_back + file.rows):
        reasons = listed(reason for reason, count in file.rejects.items() if count)
        raise RefusedError(
            f"{held_back} of {held_back + file.rows} rows cannot be read ({reasons}): "
            f"{_again(file)}, and import it as it is"
        )
    if not file.last:
        raise RefusedError(f"no row has a date: {_again(file)}")


def _again(file: Recognised) -> str:
    return f"download {file.download.title['en']} again ({file.download.where['en']})"


def listed(words: Iterable[object]) -> str:
    """Words in their order, for a message."""
    return ", ".join(sorted(map(str, words)))
