"""Walmart's payment report as a seller downloads it from Seller Center.

Belongs here: how it is recognised and what a spreadsheet does to it. Does not belong here: its
columns (`payment_records.py`) and reading it (`recon.py`), which are those of the API.

The API names a report by the day on which it lists it, which the file does not tell: here it is
named by the last day of its period. Where both were read, the models keep one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from sources._core.connector import AccountSettings, Page
from sources._core.downloads import Content, Download, Downloads, Fit, Words
from sources._core.errors import StopStream

from .config import WalmartAccount
from .payment_records import RECON_DROPPED
from .recon import KEPT, OTHER_NAMES, recon_pages
from .streams import RECON
from .tables import clean_day, field_name, read_table

_WORDS: Mapping[str, Mapping[str, Words]] = yaml.safe_load(
    Path(__file__).with_suffix(".yml").read_text("utf-8")
)
_NEEDS = ("period_end_date", "transaction_type", "transaction_posted_timestamp", "amount")
_MARKETS = {"USD": "us", "CAD": "ca", "MXN": "mx", "CLP": "cl"}
_NUMBERS = ("purchase_order", "customer_order", "partner_gtin")
_CHANGED = re.compile(r"\d(\.\d+)?E\+\d+", re.IGNORECASE)


def _text(content: Content) -> str:
    if content.charset is not None:
        return content.data.decode(content.charset).lstrip("\ufeff")
    try:
        return content.data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.data.decode("cp1252", "replace")


def _fits(header: Sequence[str], _rows: Sequence[Sequence[str]]) -> Fit:
    names = [OTHER_NAMES.get(name, name) for name in map(field_name, header)]
    known = sum(name in KEPT for name in names)
    if 2 * known < len(names):
        return Fit()
    return Fit(known, [name.replace("_", " ") for name in _NEEDS if name not in names])


def _read(content: Content, _account: AccountSettings) -> Iterator[Page]:
    text = _text(content)
    rows = read_table(text, KEPT, RECON_DROPPED, OTHER_NAMES).rows
    days = {day for row in rows if (day := clean_day(row.get("period_end_date")))}
    if len(days) != 1:
        raise StopStream(
            f"the file holds {len(days)} payment periods instead of one: download the report of "
            "each period by itself (Seller Center: Payments, Statements)"
        )
    yield from recon_pages(text, date.fromisoformat(days.pop()), content.source_ref)


def _spoilt(content: Content, _account: AccountSettings) -> Collection[str]:
    rows = read_table(_text(content), KEPT, RECON_DROPPED, OTHER_NAMES).rows
    return {
        name.replace("_", " ")
        for row in rows
        for name in _NUMBERS
        if _CHANGED.fullmatch(row.get(name, "").strip())
    }


def _marketplace_of(row: Mapping[str, Any]) -> str | None:
    market = _MARKETS.get(str(row.get("currency") or "").strip())
    return None if market is None else f"walmart_{market}"


def _account_name(marketplaces: Collection[str]) -> str:
    """Each store and market is an account of its own."""
    return min(marketplaces)


DOWNLOADS = Downloads(
    reports=(
        Download(
            stream=RECON,
            **_WORDS["recon"],
            fits=_fits,
            read=_read,
            spoilt=_spoilt,
            marketplace_of=_marketplace_of,
            order_field="purchase_order",
            last_field="transaction_posted_timestamp",
            currency_field="currency",
        ),
    ),
    any_account=WalmartAccount(connector="walmart", name="any", start=date(2000, 1, 1)),
    account_name=_account_name,
)
