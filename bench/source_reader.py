"""Ours: one stream of a connector, read as in a night and loaded into its raw table; no Dagster."""

from __future__ import annotations

import importlib
import json
import sys
import tempfile
from datetime import datetime
from pathlib import Path

from assets.control import ensure_control_tables
from assets.load import load_landed
from assets.raw_tables import ensure_raw_tables
from assets.warehouse import Warehouse
from sources._core.clock import HurriedClock, SystemClock
from sources._core.extract import ExtractRequest, extract_all

HURRY = 1000.0  # the rates of the real API would make it wait for hours


def main(wish: Path, stream: str | None = None) -> None:
    """`stream` stands in for the one wished for: what has to be told before it can be read."""
    wanted = json.loads(wish.read_text("utf-8"))
    connector = importlib.import_module(f"sources.{wanted['connector']}").CONNECTOR
    account = connector.settings.model_validate(wanted["account"])
    clock = HurriedClock(SystemClock(datetime.fromisoformat(wanted["clock"])), HURRY)
    names = frozenset([stream or wanted["stream"]])
    with tempfile.TemporaryDirectory() as folder:
        landing = Path(folder) / "landing"
        request = ExtractRequest(connector, account, streams=names)
        outcomes = extract_all([request], landing, clock)
        if any(outcome.error for outcome in outcomes):
            raise SystemExit(str(outcomes))
        warehouse = Warehouse(Path(folder) / "warehouse.duckdb")
        with warehouse.connect() as connection:
            ensure_control_tables(connection)
            ensure_raw_tables(connection, [connector])
        loads = load_landed(warehouse, landing, [connector])
        if any(load.error for load in loads) or not sum(load.rows_loaded for load in loads):
            raise SystemExit(str(loads))
        print([load.rows_loaded for load in loads])


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
