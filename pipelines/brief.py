"""The brief: one screen for the owner, in English or Chinese.

Belongs here: words and layout. Does not belong here: figures (`brief_figures.py`).
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console, JustifyMethod
from rich.table import Table

from pipelines.brief_figures import Avoidable, Bill, Figures, read_figures

_WORDS = Path(__file__).with_name("brief_words.yml")
_SOURCE_COLUMNS: tuple[tuple[str, JustifyMethod], ...] = (
    ("source", "left"),
    ("rows", "right"),
    ("news", "right"),
    ("until", "left"),
    ("state", "left"),
)
_ALMOST_ALL = 0.95

Words = Mapping[str, Any]


def print_brief(
    console: Console, publication: Path, language: str, *, is_unchanged: bool = False
) -> None:
    """What was read, the bill of the last full month, the largest avoidable costs."""
    words: Words = yaml.safe_load(_WORDS.read_text("utf-8"))[language]
    figures = read_figures(publication)
    say = _Printer(console)
    say()
    say(words["title"].format(day=figures.current["as_of_date"]))
    say()
    console.print(_sources(figures, words))
    say()
    _print_bill(say, figures, words)
    say()
    _print_avoidable(say, figures, words)
    say()
    if is_unchanged:
        say(words["unchanged"])
    if figures.current["is_sandbox"]:
        say(words["simulated"])
    if figures.actions:
        say(words["actions"].format(count=f"{figures.actions:,}"))
    say(f"{words['file']}: {publication}")
    say(words["ask"])


class _Printer:
    """Lines of plain text, broken by the terminal alone, so that commands can be copied."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __call__(self, text: str = "") -> None:
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)


def _sources(figures: Figures, words: Words) -> Table:
    table = Table(title=words["read"], title_justify="left", box=None, pad_edge=False)
    for key, justify in _SOURCE_COLUMNS:
        table.add_column(words[key], justify=justify)
    for source in figures.sources:
        when = f"{source.until:%Y-%m-%d %H:%M}" if source.until else "-"
        state = words.get(source.state, source.state)
        table.add_row(source.source, f"{source.rows:,}", f"{source.changed:,}", when, state)
    return table


def _print_bill(say: _Printer, figures: Figures, words: Words) -> None:
    month = f"{figures.bill_month:%Y-%m}"
    bill = figures.bill
    if bill is None:
        say(words["bill_none"].format(month=month))
        return
    currency = str(figures.current["reporting_currency"])
    line = words["bill"].format(
        month=month,
        total=_money(bill.total, currency),
        share=_percent(bill.share),
        sales=_money(bill.net_sales, currency),
    )
    if bill.previous is not None:
        line += words["bill_before"].format(previous=_money(bill.previous, currency))
    say(line)
    say(_parts(bill, currency, words))
    if bill.cost_known is not None and bill.cost_known < _ALMOST_ALL:
        say(words["cost_known"].format(share=_percent(bill.cost_known)))
    if bill.estimated:
        say(words["bill_estimated"].format(estimated=_money(bill.estimated, currency)))


def _parts(bill: Bill, currency: str, words: Words) -> str:
    text: str = words["bill_parts"].format(
        refunds=_money(bill.refunds, currency),
        operations=_money(bill.operations, currency),
        operations_share=_percent(bill.operations_share),
        fees=_money(bill.fees, currency),
    )
    return text


def _print_avoidable(say: _Printer, figures: Figures, words: Words) -> None:
    if not figures.avoidable:
        say(words["avoidable_none"])
        return
    say(words["avoidable"])
    currency = str(figures.current["reporting_currency"])
    for number, cost in enumerate(figures.avoidable, start=1):
        what = words[cost.kind].format(
            key=cost.key,
            name=cost.name,
            units=f"{cost.units:,}",
            rate=_percent(cost.rate),
            usual=_percent(cost.usual),
        )
        say(f"{number}. {_money(cost.amount, currency)}  {what}")
        action = words["do"].get(cost.reason, words["do"]["unknown"])
        say(f"   {words[cost.certainty]} · {action}")
        say(f"   {words['show']}: {_command(cost)}")


def _command(cost: Avoidable) -> str:
    if cost.kind == "reimbursement_lead":
        return "aftersales queue --queue reimbursement_lead"
    return f"aftersales evidence {cost.query} {shlex.quote(cost.key)}"


def _money(amount: Decimal | None, currency: str) -> str:
    return "-" if amount is None else f"{amount:,.2f} {currency}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
