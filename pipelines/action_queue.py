"""The action queue, as the people who work through it see it.

Belongs here: which rows and columns of `mart_action_queue` are shown, and how on a terminal. Does
not belong here: what gets into a queue (the mart decides) and writing files (`exports.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

from assets.warehouse import Connection
from pipelines.exports import (
    ExportError,
    Format,
    Rows,
    content_of,
    open_publication,
    read_rows,
)

_WORDS = Path(__file__).with_name("action_queue_words.yml")
_SHOWN = 30

# What to do stands beside why, so that the list can be worked through without the program.
_ACTIONS = """
    select
        a.priority,
        a.queue,
        a.reason_{language} as reason,
        a.money_at_stake,
        a.reporting_currency,
        a.units,
        a.account,
        a.marketplace,
        a.order_key,
        a.sku,
        a.opened_at,
        a.due_at,
        a.owner_role,
        p.title_{language} as playbook,
        p.text_{language} as what_to_do,
        replace(q.sql, '{{key}}', replace(a.entity_key, '''', '''''')) as evidence_query,
        a.entity_type,
        a.entity_key,
        a.action_id
    from marts.mart_action_queue as a
    left join meta.playbook as p on a.playbook_id = p.playbook_id
    left join meta.query as q on a.evidence_query_id = q.query_id
    where
        a.action_state = 'open'
        and (? is null or a.queue = ?)
        and (? is null or a.owner_role = ?)
    order by a.priority, a.money_at_stake desc nulls last, a.action_id
"""


def queue_file(
    publication: Path, language: str, format_: Format, queue: str | None, owner: str | None
) -> bytes:
    """All open actions as a file; ExportError where queue or owner is no word of the list."""
    with open_publication(publication).connect(read_only=True) as connection:
        return content_of(_actions(connection, language, queue, owner), format_)


def print_queue(
    console: Console, publication: Path, language: str, queue: str | None, owner: str | None
) -> None:
    """The first open actions and how many there are."""
    words: Mapping[str, Any] = yaml.safe_load(_WORDS.read_text("utf-8"))[language]
    with open_publication(publication).connect(read_only=True) as connection:
        rows = _actions(connection, language, queue, owner)
        found = [dict(zip(rows.columns, row, strict=True)) for row in rows.rows]
    if not found:
        console.print(words["empty"])
        return
    table = Table(box=None, pad_edge=False)
    table.add_column(words["queue"])
    table.add_column(words["money"], justify="right", no_wrap=True)
    table.add_column(words["due"], no_wrap=True)
    table.add_column(words["reason"], overflow="fold")
    for action in found[:_SHOWN]:
        due = f"{action['due_at']:%Y-%m-%d}" if action["due_at"] else "-"
        table.add_row(
            words["queues"].get(action["queue"], action["queue"]), _money(action), due,
            action["reason"],
        )  # fmt: skip
    console.print(table)
    console.print(words["count"].format(shown=min(len(found), _SHOWN), all=len(found)))
    console.print(words["more"], highlight=False)


def _money(action: Mapping[str, Any]) -> str:
    amount = action["money_at_stake"]
    return "-" if amount is None else f"{amount:,.2f} {action['reporting_currency']}"


def _actions(connection: Connection, language: str, queue: str | None, owner: str | None) -> Rows:
    queues = sorted(yaml.safe_load(_WORDS.read_text("utf-8"))[language]["queues"])
    roles = connection.execute(
        "select distinct owner_role from meta.playbook order by 1"
    ).fetchall()
    _check("--queue", queue, queues)
    _check("--owner", owner, [role for (role,) in roles])
    sql = _ACTIONS.format(language=language)
    return read_rows(connection, sql, [queue, queue, owner, owner])


def _check(option: str, word: str | None, known: list[str]) -> None:
    if word is not None and word not in known:
        raise ExportError(f"{option} {word} is not known; write one of: {', '.join(known)}")
