"""Which connectors there are: every folder here without a leading underscore.

Belongs here: finding them. Does not belong here: any name of a connector.
"""

from __future__ import annotations

import functools
import importlib
import types
from collections.abc import Mapping
from pathlib import Path

from sources._core.connector import Connector

_FOLDER = Path(__file__).parent


def connector_folders(folder: Path = _FOLDER) -> list[Path]:
    """Folders of connectors, in alphabetical order."""
    return sorted(
        path
        for path in folder.iterdir()
        if not path.name.startswith(("_", ".")) and (path / "__init__.py").is_file()
    )


@functools.cache
def connectors() -> Mapping[str, Connector]:
    """Every connector by name, in alphabetical order; the name is that of its folder."""
    found = {}
    for folder in connector_folders():
        module = importlib.import_module(f"{__package__}.{folder.name}")
        connector = getattr(module, "CONNECTOR", None)
        if connector is None:
            continue
        if not isinstance(connector, Connector) or connector.name != folder.name:
            raise TypeError(
                f"sources/{folder.name}/__init__.py: CONNECTOR must be a Connector "
                f"named {folder.name!r}"
            )
        found[folder.name] = connector
    return types.MappingProxyType(found)
