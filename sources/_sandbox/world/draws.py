"""Luck that does not depend on order: a random number is a hash of seed, purpose and entity.

Belongs here: numbers only. Because every draw is keyed by the entity it is for, a world cut at an
earlier clock is a prefix of the longer one, and a new kind of draw changes no old one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Ids = NDArray[np.uint64]
Flags = NDArray[np.bool_]

LONG, SHORT = 10_000_000, 1_000_000
"""Halves of numbers with 14 and with 12 digits; 12 are enough for ten years of orders."""

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def _mixed(values: Ids) -> Ids:
    """The splitmix64 finaliser: every bit of the input moves every bit of the output."""
    values = (values ^ (values >> np.uint64(30))) * _MIX_1
    values = (values ^ (values >> np.uint64(27))) * _MIX_2
    return values ^ (values >> np.uint64(31))


@dataclass(frozen=True)
class Draws:
    """Random numbers of one seed. `purpose` names what a number is for; `ids` whom it is for."""

    seed: int

    def _key(self, purpose: str) -> np.uint64:
        digest = hashlib.blake2b(f"{self.seed}|{purpose}".encode(), digest_size=8).digest()
        return np.uint64(int.from_bytes(digest, "big"))

    def bits(self, purpose: str, ids: Ids) -> Ids:
        """64 random bits each."""
        return _mixed(_mixed(ids * _GOLDEN + self._key(purpose)) + _GOLDEN)

    def uniform(self, purpose: str, ids: Ids) -> Floats:
        """In [0, 1)."""
        return (self.bits(purpose, ids) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def chance(self, purpose: str, ids: Ids, share: Floats | float) -> Flags:
        """True in `share` of the cases."""
        return self.uniform(purpose, ids) < share

    def between(self, purpose: str, ids: Ids, low: Floats | float, high: Floats | float) -> Floats:
        """Uniform in [low, high)."""
        return low + (high - low) * self.uniform(purpose, ids)

    def lognormal(self, purpose: str, ids: Ids, median: float, sigma: float) -> Floats:
        """Lognormal by Box-Muller, keyed like all others."""
        radius = np.sqrt(-2.0 * np.log1p(-self.uniform(purpose + ".r", ids)))
        angle = 2.0 * np.pi * self.uniform(purpose + ".a", ids)
        return median * np.exp(sigma * radius * np.cos(angle))

    def pick(self, purpose: str, ids: Ids, weights: Sequence[float] | Floats) -> Ints:
        """Index into `weights`, drawn in their proportion."""
        cumulative = np.cumsum(np.asarray(weights, dtype=np.float64))
        at = self.uniform(purpose, ids) * cumulative[-1]
        return np.minimum(np.searchsorted(cumulative, at, side="right"), len(cumulative) - 1)

    def scatter(self, purpose: str, serials: Ids, half: int = LONG) -> Ids:
        """A one-to-one shuffle of [0, half^2): different serials never give one number."""
        size = np.uint64(half)
        left, right = serials // size, serials % size
        for step in range(4):
            left, right = right, (left + self.bits(f"{purpose}.{step}", right) % size) % size
        return left * size + right

    def one(self, purpose: str, *parts: object) -> float:
        """A single number in [0, 1) for a thing with a name."""
        digest = hashlib.blake2b(repr((self.seed, purpose, parts)).encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") / 2.0**64


def text_ids(values: Sequence[str]) -> Ids:
    """Ids of things that have a name instead of a number."""
    digests = (hashlib.blake2b(v.encode(), digest_size=8).digest() for v in values)
    return np.array([int.from_bytes(d, "big") for d in digests], dtype=np.uint64)
