"""What an import says: which reports were recognised, what they cover, what is still missing.

Belongs here: words and layout. Does not belong here: the import itself (`importing.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table

from pipelines.imported import Imported, ImportedAccount
from pipelines.recognition import Finding
from sources._core.connector import Connector
from sources._core.downloads import Download

_WORDS = Path(__file__).with_name("import_words.yml")
_USUAL_GAP = timedelta(days=7)  # a small seller may have no return for days
_USUAL_DELAY = timedelta(days=21)  # a settlement comes every two weeks


def words_of(language: str) -> Mapping[str, str]:
    found: Mapping[str, str] = yaml.safe_load(_WORDS.read_text("utf-8"))[language]
    return found


def print_findings(console: Console, findings: Sequence[Finding], language: str) -> None:
    """One line per file; refused ones with what to do."""
    words = words_of(language)
    table = Table(title=words["read"], title_justify="left", box=None, pad_edge=False)
    for name in ("file", "report", "account", "marketplaces", "days"):
        table.add_column(words[name], overflow="fold")
    table.add_column(words["rows"], justify="right")
    table.add_column(words["result"])
    for finding in findings:
        table.add_row(
            finding.path.name,
            finding.title[language] if finding.title else "-",
            finding.account or "-",
            ", ".join(finding.marketplaces) or "-",
            _days(finding.first_day, finding.last_day),
            f"{finding.rows:,}",
            _result(finding, words),
        )
    console.print(table)
    for finding in findings:
        if finding.state == "refused":
            console.print(
                f"{words['refused']} {finding.path.name}: {finding.message}",
                highlight=False,
                markup=False,
                soft_wrap=True,
            )


def print_coverage(
    console: Console, imported: Imported, connectors: Mapping[str, Connector], language: str
) -> None:
    """What each account has from reports, and what it lacks."""
    words = words_of(language)
    table = Table(title=words["covered"], title_justify="left", box=None, pad_edge=False)
    for name in ("account", "report", "days"):
        table.add_column(words[name])
    table.add_column(words["rows"], justify="right")
    remarks: list[str] = []
    for account in imported.accounts:
        for download in _reports(account, connectors):
            files = imported.files_of(account.name, download.stream.name)
            if files:
                days = _days(min(f.first_day for f in files), max(f.last_day for f in files))
                rows = f"{sum(f.rows for f in files):,}"
                table.add_row(account.name, download.title[language], days, rows)
            remarks += _remarks(imported, account, download, words, language)
    console.print()
    console.print(table)
    for remark in remarks:
        console.print(f"- {remark}", highlight=False, markup=False, soft_wrap=True)


def _reports(account: ImportedAccount, connectors: Mapping[str, Connector]) -> Sequence[Download]:
    downloads = connectors[account.connector].downloads
    return downloads.reports if downloads else ()


def _remarks(
    imported: Imported,
    account: ImportedAccount,
    download: Download,
    words: Mapping[str, str],
    language: str,
) -> Iterator[str]:
    title = download.title[language]
    spans = [
        (file.first_day, file.last_day)
        for file in imported.files_of(account.name, download.stream.name)
    ]
    if not spans:
        yield words["missing"].format(
            title=title,
            account=account.name,
            without=download.without[language],
            where=download.where[language],
        )
        return
    for first, last in gaps(spans):
        yield words["gap"].format(title=title, account=account.name, first=first, last=last)
    last = max(day for _, day in spans)
    newest = max(file.last_day for file in imported.files if file.account == account.name)
    if newest - last > _USUAL_DELAY:
        yield words["behind"].format(title=title, account=account.name, last=last, newest=newest)


def gaps(spans: Sequence[tuple[date, date]]) -> Iterator[tuple[date, date]]:
    """First and last day of each stretch that no report covers."""
    reached: date | None = None
    for first, last in sorted(spans):
        if reached is not None and first - reached > _USUAL_GAP:
            yield reached + timedelta(days=1), first - timedelta(days=1)
        reached = last if reached is None else max(reached, last)


def _days(first: date | None, last: date | None) -> str:
    return f"{first} – {last}" if first and last else "-"  # noqa: RUF001


def _result(finding: Finding, words: Mapping[str, str]) -> str:
    text = words[finding.state]
    if finding.held_back and finding.state == "new":
        text += f", {words['held_back'].format(count=finding.held_back)}"
    return text
