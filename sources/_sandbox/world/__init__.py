"""The generator of simulated worlds. `build_world(scenario)` gives all tables of `tables.World`."""

from __future__ import annotations

from sources._sandbox.world.build import build_world
from sources._sandbox.world.tables import World

__all__ = ["World", "build_world"]
