"""A night as a person at a terminal starts it: what is shown meanwhile and at its end.

Belongs here: what several commands share. Does not belong here: options (`cli.py`, `owner_cli.py`),
the words of the brief (`brief.py`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from pipelines.opening import Wish, open_night
from pipelines.progress import PlainLines, Terminal, Watcher, is_terminal
from pipelines.resources import places, system_language


@contextmanager
def watching() -> Iterator[Watcher]:
    """A live view on a terminal, plain lines elsewhere."""
    if is_terminal():
        with Terminal(Console(stderr=True)) as terminal:
            yield terminal
    else:
        yield PlainLines(sys.stderr)


def run_night(wish: Wish | None = None) -> None:
    """One whole night, recorded in Dagster, and what it has to say."""
    from pipelines.jobs import run_nightly

    with watching() as watcher, open_night(wish, watcher) as night:
        run_nightly(night)
    finish(night.settings.general.language, is_unchanged=night.report.is_unchanged)


def finish(language: str | None, *, is_unchanged: bool = False) -> None:
    """Print the brief of what stands in the publication."""
    from pipelines.brief import print_brief

    publication = places().publication
    print_brief(Console(), publication, language or system_language(), is_unchanged=is_unchanged)
