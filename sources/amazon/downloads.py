"""Amazon's reports as a seller downloads them from Seller Central.

Belongs here: how each is recognised and what a spreadsheet does to it. Does not belong here: its
columns (`layouts.py`) and reading it (`rows.py`, `settlements.py`), which are those of the API.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from sources._core.connector import AccountSettings, Page, Stream
from sources._core.downloads import Content, Download, Downloads, Fit, Words
from sources._core.errors import StopStream

from . import cells
from .config import AmazonAccount
from .feedback import read_feedback
from .layouts import (
    ALL_ORDERS,
    FBA_REIMBURSEMENTS,
    FBA_RETURNS,
    FULFILLED_SHIPMENTS,
    MFN_RETURNS,
    MFN_RETURNS_XML,
    SELLER_FEEDBACK,
    SETTLEMENT,
    Layout,
    match_columns,
)
from .marketplaces import (
    Marketplace,
    all_marketplaces,
    find_marketplace,
    marketplace_of_channel,
)
from .reports import locale_of
from .rows import Document, Locale, open_table, raw_rows, read_pages
from .seller_returns import read_flat, read_xml
from .settlements import read_settlement
from .streams import (
    ALL_ORDERS_STREAM,
    FBA_REIMBURSEMENTS_STREAM,
    FBA_RETURNS_STREAM,
    FULFILLED_SHIPMENTS_STREAM,
    MFN_RETURNS_STREAM,
    SELLER_FEEDBACK_STREAM,
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
_XML_MARK = "return_details"  # element of each return in the XML form of the report
_RATING = re.compile(r"[1-5]")
_ORDER_ID = re.compile(r"[A-Z0-9]{3}-\d{7}-\d{7}")
_SEPARATORS = {"DE": ".", "SE": "-"}  # of dates in seller feedback; elsewhere a slash
_ANY = "any"


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


def _fits_seller_returns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Fit:
    """The flat report by its columns, the XML one by the name of its elements."""
    if list(header) == [_XML_MARK]:
        return Fit(len(MFN_RETURNS.required))
    return _fits(MFN_RETURNS)(header, rows)


def _seller_returns(content: Content, account: AccountSettings) -> Iterator[Page]:
    if content.data.lstrip().startswith(b"<"):
        return read_xml(_document(content), MFN_RETURNS_XML, _locale(account))
    return read_flat(_document(content), MFN_RETURNS, _locale(account))


def _spoilt_seller_returns(content: Content, account: AccountSettings) -> Collection[str]:
    return () if content.data.lstrip().startswith(b"<") else _spoilt(MFN_RETURNS)(content, account)


def _fits_feedback(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Fit:
    """Its header is in the seller's language, so the cells must tell: six columns, the second a
    rating, the fifth an order."""
    if len(header) != len(SELLER_FEEDBACK.positions) or not rows:
        return Fit()
    told = all(
        len(row) > 4 and _RATING.fullmatch(row[1].strip()) and _ORDER_ID.fullmatch(row[4].strip())
        for row in rows
    )
    return Fit(len(header)) if told else Fit()


def _feedback(content: Content, account: AccountSettings) -> Iterator[Page]:
    """The report does not name its marketplace: the way it writes dates must tell."""
    locale = _locale(account)
    everywhere = account.name == _ANY
    places = tuple(all_marketplaces().values()) if everywhere else locale.marketplaces
    fitting = [place for place in places if _writes_like(content, place)]
    if not fitting or (len(fitting) > 1 and not everywhere):
        names = ", ".join(place.name for place in (fitting or places))
        raise StopStream(
            f"the dates of the feedback do not tell its marketplace ({names}): import it with "
            "--account of an account that has this marketplace alone"
        )
    return read_feedback(
        _document(content), SELLER_FEEDBACK, Locale(fitting[:1], locale.time_zones)
    )


def _writes_like(content: Content, place: Marketplace) -> bool:
    tally = Tally(content.source_ref)
    table, columns = open_table(_document(content), SELLER_FEEDBACK, Locale((place,)), tally)
    separator = _SEPARATORS.get(place.country, "/")
    try:
        for _line, row in raw_rows(table, columns):
            text = row.get("date", "")
            cells.clean_date(text, order=place.date_order)
            if text and separator not in text:
                return False
    except cells.CellError:
        return False
    return True


def _spoilt_feedback(_content: Content, _account: AccountSettings) -> Collection[str]:
    """Nothing in it is long, and its dates are the marketplace's own."""
    return ()


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
    currencies = [name for name in ("currency", "currency_unit") if name in layout.fields]
    return Download(
        stream=stream,
        **_WORDS[stream.name],
        fits=_fits(layout),
        read=read or _rows(layout),
        spoilt=_spoilt(layout),
        marketplace_of=_marketplace_of(layout),
        order_field=order_field,
        last_field=last_field,
        currency_field=currencies[0] if currencies else None,
    )


def _account_name(marketplaces: Collection[str]) -> str:
    """Amazon knows a seller by region: `amazon_eu`."""
    found = [place for name in sorted(marketplaces) if (place := find_marketplace(name))]
    return f"amazon_{found[0].region_group.lower()}" if found else "amazon"


REPORTS = (
    _download(ALL_ORDERS, ALL_ORDERS_STREAM, "amazon_order_id", "last_updated_date"),
    _download(FBA_RETURNS, FBA_RETURNS_STREAM, "order_id", "return_date"),
    _download(SETTLEMENT, SETTLEMENTS_STREAM, "order_id", "posted_date_time", _settlement),
    replace(
        _download(MFN_RETURNS, MFN_RETURNS_STREAM, "order_id", "return_request_date"),
        fits=_fits_seller_returns,
        read=_seller_returns,
        spoilt=_spoilt_seller_returns,
    ),
    _download(FBA_REIMBURSEMENTS, FBA_REIMBURSEMENTS_STREAM, "amazon_order_id", "approval_date"),
    _download(FULFILLED_SHIPMENTS, FULFILLED_SHIPMENTS_STREAM, "amazon_order_id", "shipment_date"),
    replace(
        _download(SELLER_FEEDBACK, SELLER_FEEDBACK_STREAM, "order_id", "date", _feedback),
        fits=_fits_feedback,
        spoilt=_spoilt_feedback,
    ),
)
DOWNLOADS = Downloads(
    reports=REPORTS,
    any_account=AmazonAccount(
        connector="amazon", name=_ANY, marketplaces=("amazon_us",), start=date(2000, 1, 1)
    ),
    account_name=_account_name,
)
