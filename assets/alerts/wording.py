"""What an alert says, in English and Chinese: what, where, since when, how sure, what to do.

Belongs here: filling the texts of `words.yml` from a figure. Does not belong here: the figures.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from assets.alerts.measures import Measure
from assets.alerts.rules import wilson

LANGUAGES = ("en", "zh")


@functools.cache
def words(language: str) -> Mapping[str, Any]:
    content = yaml.safe_load(Path(__file__).with_name("words.yml").read_text("utf-8"))
    return dict(content[language])


def message(
    measure: Measure, language: str, *, playbook: str, query: str, currency: str = ""
) -> str:
    """The whole text; `currency` is that of the money at stake."""
    chosen = words(language)
    kind = chosen["kind"][measure.kind]
    filled = _filled(measure, language, currency)
    evidence = chosen["evidence"].format(playbook=playbook, query=query, key=measure.entity_key)
    text: str = kind["text"].format_map(filled)
    joined: str = chosen["gap"].join([text, kind["todo"], evidence])
    return joined


def title(row: Mapping[str, Any], language: str) -> str:
    """Of a row of `signals.alert`."""
    chosen = words(language)
    is_over = row["state"] == "resolved"
    text: str = chosen["title"].format(
        label=chosen["resolved"] if is_over else chosen["severity"][row["severity"]],
        name=chosen["kind"][row["kind"]]["name"],
        subject=row["entity_key"],
        alert_id=row["alert_id"],
    )
    return text


def _filled(measure: Measure, language: str, currency: str) -> Mapping[str, str]:
    """Words by name; one without a value reads as a dash, so that a message never fails."""
    chosen = words(language)
    parts = measure.entity_key.split("|")
    filled: defaultdict[str, str] = defaultdict(lambda: "-", measure.facts)
    if measure.entity_type == "source" and len(parts) == 3:
        filled |= dict(zip(("connector", "account", "stream"), parts, strict=True))
    filled |= {
        "subject": _subject(measure),
        "place": _place(measure, chosen),
        "k": _count(measure.k),
        "n": _count(measure.n),
        "since": measure.since or chosen["never"],
        "hours": _count(measure.value),
        "money": f"{measure.money or Decimal(0):,.2f} {currency}".strip(),
        "cause": (measure.facts.get("cause") or chosen["no_cause"]).rstrip(". "),
        "what_to_do": measure.facts.get("what_to_do", "").rstrip(". "),
    }
    is_account = measure.entity_type == "source" and parts[-1] == "all"
    filled["what"] = chosen["all_streams" if is_account else "one_stream"].format_map(filled)
    return filled | _shares(measure, chosen)


def _shares(measure: Measure, chosen: Mapping[str, Any]) -> dict[str, str]:
    if not measure.n or measure.k is None:
        return {}
    low, high = wilson(min(measure.k, measure.n), measure.n)
    usual = chosen["own_baseline" if measure.baseline_of == "itself" else "category_baseline"]
    return {
        "rate": f"{measure.k / measure.n:.1%}",
        "low": f"{low:.1%}",
        "high": f"{high:.1%}",
        "usual": usual.format(
            baseline=f"{measure.baseline or 0:.1%}", baseline_n=_count(measure.baseline_n)
        ),
    }


def _subject(measure: Measure) -> str:
    name = measure.facts.get("name")
    key = measure.sku if measure.sku != "all" else measure.entity_key
    return f"{key} ({name})" if name else key


def _place(measure: Measure, chosen: Mapping[str, Any]) -> str:
    if measure.marketplace == "all" or measure.sku == "all":
        return ""
    text: str = chosen["place"].format(marketplace=measure.marketplace, account=measure.account)
    return text


def _count(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"
