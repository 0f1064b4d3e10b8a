"""Amazon's reports as a seller downloads them from Seller Central.

Belongs here: how each is recognised and what a spreadsheet does to it. Does not belong here: its
columns (`layouts.py`) and reading it (`rows.py`, `settlements.py`), which are those of the API.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from sources._core.connector import AccountSettings, Page, Stream
from sources._core.downloads import Content, Download, Downloads, Fit, Words

from . import cells
from .config import AmazonAccount
from .layouts import ALL_ORDERS, FBA_RETURNS, FULFILLED_SHIPMENTS, SETTLEMENT, Layout, match_columns
from .marketplaces import find_marketplace, marketplace_of_channel
from .reports import locale_of
from .rows import Document, Locale, open_table, raw_rows, read_pages
from .settlements import read_settlement
from .streams import (
    ALL_ORDERS_STREAM,
    FBA_RETURNS_STREAM,
    FULFILLED_SHIPMENTS_STREAM,
    SETTLEMENTS_STREAM,
)
from .tables import Tally

_WORDS: Mapping[str, Mapping[str, Words]] = yaml.safe_load(
    Path(__file__).with_suffix(".yml").read_text("utf-8")
)
_LEAST_SHARE = 0.5  # of a header's columns that must be known: another file may have a few of them
_SHAPES = (
    ("year first", re.compile(r"\d{4}[-/]\d\d[-/]\d\d(?:[T ]\d\d:\d\d:\d\d.*)?")),
    ("dashes", re.compile(r"\d\d-\d\d-\d{4}(?: \d\d:\d\d:\d\d.*)?")),
    ("month named", re.compile(r"\d\d-[A-Za-z]{3,4}-(?:\d\d|\d{4})")),
    ("dots", re.compile(r"\d\d\.\d\d\.(?:\d\d|\d{4})(?: \d\d:\d\d:\d\d.*)?")),
    ("slashes", re.compile(r"\d\d/\d\d/(?:\d\d|\d{4})")),
)
_OTHER_SHAPE = "other"


def _locale(account: AccountSettings) -> Locale:
    if not isinstance(account, AmazonAccount):
        raise TypeError(f"account {account.name} was not read with the settings of Amazon")
    return locale_of(account)


def _document(content: Content) -> Document:
    return Document(content.data, content.source_ref, content.charset)


def _fits(layout: Layout) -> Callable[[Sequence[str], Sequence[Sequence[str]]], Fit]:
    def fits(header: Sequence[str], _rows: Sequence[Sequence[str]]) -> Fit:
        columns = match_columns(header, layout)
        known = len(columns.position)
        if known < _LEAST_SHARE * (known + len(columns.unknown)):
            return Fit()
        lacking = [name for name in layout.required if name not in columns.position]
        return Fit(known, [name.replace("_", "-") for name in lacking])

    return fits


def _spoilt(layout: Layout) -> Callable[[Content, AccountSettings], Collection[str]]:
    """Amazon writes the dates of a column in one way, with two digits for day and month and with
    seconds; slashes stand in settlements only. A spreadsheet turns some of them into its own."""
    usual = {shape for shape, _ in _SHAPES} - (set() if layout is SETTLEMENT else {"slashes"})

    def spoilt(content: Content, account: AccountSettings) -> Collection[str]:
        tally = Tally(content.source_ref)
        table, columns = open_table(_document(content), layout, _locale(account), tally)
        shapes: dict[str, set[str]] = {}
        changed: set[str] = set()
        for _line, row in raw_rows(table, columns):
            for name in layout.times:
                if text := row.get(name, "").strip():
                    shapes.setdefault(name, set()).add(_shape(text))
            changed.update(name for name in layout.identifiers if _is_mangled(row.get(name, "")))
        changed |= {name for name, found in shapes.items() if len(found) > 1 or found - usual}
        return {name.replace("_", "-") for name in changed}

    return spoilt


def _shape(text: str) -> str:
    return next((name for name, form in _SHAPES if form.fullmatch(text)), _OTHER_SHAPE)


def _is_mangled(text: str) -> bool:
    try:
        cells.clean_identifier(text)
    except cells.CellError as error:
        return error.reason == "mangled_number"
    return False


def _rows(layout: Layout) -> Callable[[Content, AccountSettings], Iterator[Page]]:
    def read(content: Content, account: AccountSettings) -> Iterator[Page]:
        return read_pages(_document(content), layout, _locale(account))

    return read


def _settlement(content: Content, account: AccountSettings) -> Iterator[Page]:
    return read_settlement(_document(content), _locale(account))


def _marketplace_of(layout: Layout) -> Callable[[Mapping[str, Any]], str | None]:
    def marketplace_of(row: Mapping[str, Any]) -> str | None:
        found = marketplace_of_channel(row.get(layout.channel)) if layout.channel else None
        return found.name if found else None

    return marketplace_of


def _download(
    layout: Layout,
    stream: Stream,
    order_field: str,
    last_field: str,
    read: Callable[[Content, AccountSettings], Iterator[Page]] | None = None,
) -> Download:
    return Download(
        stream=stream,
        **_WORDS[stream.name],
        fits=_fits(layout),
        read=read or _rows(layout),
        spoilt=_spoilt(layout),
        marketplace_of=_marketplace_of(layout),
        order_field=order_field,
        last_field=last_field,
        currency_field="currency" if "currency" in layout.fields else None,
    )


def _account_name(marketplaces: Collection[str]) -> str:
    """Amazon knows a seller by region: `amazon_eu`."""
    found = [place for name in sorted(marketplaces) if (place := find_marketplace(name))]
    return f"amazon_{found[0].region_group.lower()}" if found else "amazon"


REPORTS = (
    _download(ALL_ORDERS, ALL_ORDERS_STREAM, "amazon_order_id", "last_updated_date"),
    _download(FBA_RETURNS, FBA_RETURNS_STREAM, "order_id", "return_date"),
    _download(SETTLEMENT, SETTLEMENTS_STREAM, "order_id", "posted_date_time", _settlement),
    _download(FULFILLED_SHIPMENTS, FULFILLED_SHIPMENTS_STREAM, "amazon_order_id", "shipment_date"),
)
DOWNLOADS = Downloads(
    reports=REPORTS,
    any_account=AmazonAccount(
        connector="amazon", name="any", marketplaces=("amazon_us",), start=date(2000, 1, 1)
    ),
    account_name=_account_name,
)
