"""Ids of people and teams at a desk, as the desk gives them and the truth hashes them."""

from __future__ import annotations

from sources._sandbox.api_faults import share_of


def number_of(kind: str, name: str) -> int:
    """The id of a buyer, an agent, a team ... at the desk."""
    return 360_000_000_000 + int(share_of(kind, name) * 10**10)
