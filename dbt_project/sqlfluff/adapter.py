"""Stand-in for dbt's `adapter` while sqlfluff reads the models: dispatch gives the DuckDB spelling.

Belongs here: one line of SQL per dispatched macro of `dbt_project/macros`. Does not belong here:
anything that runs.
"""

from __future__ import annotations

from collections.abc import Callable

SPELLINGS: dict[str, str] = {
    "offset_timestamp": "try_cast({} as timestamptz) at time zone 'UTC'",
    "integers": "select 1 as i",
    "elements": "unnest({0})",
    "ordered_list": "string_agg({0}, '{1}' order by {0})",
    "local_time": "(({0}) at time zone 'UTC') at time zone {1}",
    "compact_time": "strftime({0}, '%Y')",
    "epoch_microseconds": "epoch_us({0})",
    "epoch_ms_timestamp": "make_timestamp(({0}) * 1000)",
}


def dispatch(name: str) -> Callable[..., str]:
    """The macro of that name, as text of its arguments."""
    return SPELLINGS[name].format


def quote(name: str) -> str:
    return f'"{name}"'
