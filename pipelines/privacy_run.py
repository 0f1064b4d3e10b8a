"""Erasing texts for good: out of the landing files, then a warehouse made anew without them.

Belongs here: the order of the steps. Does not belong here: which texts and how a landing file is
rewritten (`assets/text/erasure.py`), and the making of the warehouse (`replay.py`).
"""

from __future__ import annotations

from collections.abc import Sequence, Set

from assets.text.erasure import erase, outdated_texts, remember_erased, texts_of_customers
from pipelines.night import Night
from pipelines.replay import rebuild


def erase_texts(night: Night, hashes: Sequence[str], customers: Sequence[str]) -> int:
    """Erase texts by their hash and all texts of some customers; how many fields held them.

    They stay out when a source sends them again.
    """
    wanted = set(hashes)
    if customers:
        with night.warehouse.connect() as connection:
            wanted |= texts_of_customers(connection, customers)
    if wanted:
        remember_erased(night.places.landing, wanted)
    return _erase(night, wanted)


def retain(night: Night) -> int:
    """Erase texts that are older than the settings allow; how many fields held them.

    They are not remembered: what is sent again is found by its age again, and the same few words
    ("too small") may be those of a buyer of today.
    """
    days = night.settings.privacy.text_retention_days
    with night.warehouse.connect() as connection:
        wanted = outdated_texts(connection, night.as_of, days)
    return _erase(night, wanted)


def _erase(night: Night, wanted: Set[str]) -> int:
    """A text can be in landing files only if they hold it; the warehouse follows from them."""
    erased = erase(night.places.landing, night.connectors.values(), wanted) if wanted else 0
    if erased:
        rebuild(night, None)
    return erased
