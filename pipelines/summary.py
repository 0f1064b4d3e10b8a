"""What a finished night says on the terminal, in English or Chinese.

Belongs here: words and layout of the summary. Does not belong here: figures, which are read from
the publication.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console, JustifyMethod
from rich.table import Table

from assets.warehouse import Warehouse

_WORDS = Path(__file__).with_name("summary_words.yml")

_SOURCE_COLUMNS: tuple[tuple[str, JustifyMethod], ...] = (
    ("source", "left"),
    ("rows", "right"),
    ("news", "right"),
    ("until", "left"),
    ("state", "left"),
)

_SOURCES = """
    select
        connector || '/' || account,
        sum(rows_total),
        sum(rows_last_night),
        min(data_until),
        max_by(
            freshness_state,
            list_position(['fresh', 'never', 'stale', 'failing'], freshness_state)
        )
    from meta.freshness
    where account <> 'all'
    group by 1 order by 1
"""

_RATES = """
    select
        m.sku,
        any_value(s.sku_name),
        sum(m.units_shipped) as shipped,
        sum(m.units_returned) as returned
    from marts.mart_return_base as m
    left join marts.dim_sku as s on s.sku = m.sku
    group by m.sku having sum(m.units_shipped) > 0
    order by shipped desc, m.sku limit 8
"""


@dataclass(frozen=True)
class Summary:
    """Figures of the publication, ready to print or to give as JSON."""

    build: Mapping[str, Any]
    sources: list[tuple[str, int, int, datetime | None, str]]
    rates: list[tuple[str, str | None, int, int, float, float, float]]


def read_summary(publication: Path) -> Summary:
    with Warehouse(publication).connect(read_only=True) as connection:
        cursor = connection.execute("select * from meta.current")
        names = [c[0] for c in cursor.description or ()]
        rows = cursor.fetchall()
        sources = connection.execute(_SOURCES).fetchall()
        rates = connection.execute(_RATES).fetchall()
    return Summary(
        build=dict(zip(names, rows[0], strict=True)) if rows else {},
        sources=[(s, int(r or 0), int(n or 0), until, state) for s, r, n, until, state in sources],
        rates=[
            (sku, name, int(n), int(k), int(k) / int(n), *wilson(int(k), int(n)))
            for sku, name, n, k in rates
        ],
    )


def wilson(successes: int, trials: int, z: float = 1.959963984540054) -> tuple[float, float]:
    """Wilson interval of a share, 95 % by default."""
    share = successes / trials
    weight = 1 + z * z / trials
    middle = (share + z * z / (2 * trials)) / weight
    half = z * ((share * (1 - share) + z * z / (4 * trials)) / trials) ** 0.5 / weight
    return max(0.0, middle - half), min(1.0, middle + half)


def print_summary(
    console: Console, publication: Path, language: str, *, is_unchanged: bool = False
) -> None:
    words: Mapping[str, str] = yaml.safe_load(_WORDS.read_text("utf-8"))[language]
    summary = read_summary(publication)
    sources = Table(title=words["read"], title_justify="left", box=None, pad_edge=False)
    for key, justify in _SOURCE_COLUMNS:
        sources.add_column(words[key], justify=justify)
    for source, rows, news, until, state in summary.sources:
        when = f"{until:%Y-%m-%d %H:%M}" if until else "-"
        sources.add_row(source, f"{rows:,}", f"{news:,}", when, words.get(state, state))
    rates = Table(title=words["rates"], title_justify="left", box=None, pad_edge=False)
    rates.add_column(words["sku"])
    for key in ("shipped", "returned", "rate", "interval"):
        rates.add_column(words[key], justify="right")
    for sku, name, shipped, returned, rate, low, high in summary.rates:
        label = f"{sku} {name or ''}".strip()[:44]
        interval = f"{low:.1%} - {high:.1%}"
        rates.add_row(label, f"{shipped:,}", f"{returned:,}", f"{rate:.1%}", interval)
    console.print()
    console.print(sources)
    console.print()
    console.print(rates)
    console.print()
    if is_unchanged:
        console.print(words["unchanged"])
    if summary.build.get("is_sandbox"):
        console.print(words["simulated"])
    console.print(f"{words['file']}: {publication}", soft_wrap=True, highlight=False)
    console.print(words["ask"])
