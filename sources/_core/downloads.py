"""Reports as a person downloads them: what a connector declares so that they can be recognised.

Belongs here: the shapes (Download, Downloads, Content, Fit). Does not belong here: columns of one
marketplace's report (its `downloads.py`), landing and accounts (`pipelines/importing.py`).

A download feeds the same stream as the API: same record, same key, so that the same data by both
ways is one row.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sources._core.connector import AccountSettings, Page, Stream

Words = Mapping[str, str]  # by language, en and zh


@dataclass(frozen=True)
class Content:
    """A file as text that a parser reads: bytes, how they are encoded (None: as the bytes say),
    and the reference that its rows carry."""

    data: bytes
    source_ref: str
    charset: str | None = None


@dataclass(frozen=True)
class Fit:
    """How well a header matches a report: columns known, and those that must be there but are not.

    Without any that is lacking, the header is one of this report.
    """

    known: int = 0
    lacking: Sequence[str] = ()


@dataclass(frozen=True)
class Download:
    """A report that can be downloaded by hand.

    - `title`, `where`, `without`: its name on the marketplace's page, where to find it there, and
      what is not known as long as it is missing.
    - `fits`: judges a header and the first rows below it.
    - `spoilt`: columns that a spreadsheet program has changed (dates, long numbers).
    - `marketplace_of`: marketplace of a row, None where the row does not say.
    - `order_field`, `currency_field`, `last_field`: fields of a row; `last_field` tells up to when
      the report reaches, `stream.event_field` from when.
    """

    stream: Stream
    title: Words
    where: Words
    without: Words
    fits: Callable[[Sequence[str], Sequence[Sequence[str]]], Fit]
    read: Callable[[Content, AccountSettings], Iterator[Page]]
    spoilt: Callable[[Content, AccountSettings], Collection[str]]
    marketplace_of: Callable[[Mapping[str, Any]], str | None]
    order_field: str
    last_field: str
    currency_field: str | None = None


@dataclass(frozen=True)
class Downloads:
    """What a connector reads from downloaded files.

    - `any_account`: settings under which a file is looked at before its account is known.
    - `account_name`: what to call the account of these marketplaces if nobody named it.
    """

    reports: Sequence[Download]
    any_account: AccountSettings
    account_name: Callable[[Collection[str]], str]
