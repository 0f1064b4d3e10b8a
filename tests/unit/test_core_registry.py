"""Connectors are found by their folders; the template is one that works; statics are read."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pydantic
import pytest
import responses

from sources._core.clock import ManualClock
from sources._core.connector import Page, Stream, StreamContext, Window
from sources._core.extract import ExtractRequest, extract_all
from sources._core.records import Record
from sources._core.schema import declaration_faults, record_fields
from sources._core.static import static_streams
from sources._core.testing import raw_tables
from sources._template import CONNECTOR, TemplateSettings
from sources._template.config import BASE_URL
from sources.registry import connector_folders, connectors

template = importlib.import_module("sources._template.__main__")
FIXTURES = Path(template.__file__).parent / "fixtures"


def test_every_folder_with_a_connector_is_found_in_alphabetical_order(project_root: Path) -> None:
    folders = [path.name for path in connector_folders(project_root / "sources")]
    assert list(connectors()) == folders == sorted(folders)
    assert not any(name.startswith("_") for name in folders)


def test_the_registry_names_no_connector(project_root: Path) -> None:
    text = (project_root / "sources" / "registry.py").read_text("utf-8")
    assert [name for name in connectors() if f'"{name}"' in text or f"'{name}'" in text] == []


def test_folders_without_init_or_with_underscore_are_no_connectors(tmp_path: Path) -> None:
    for name in ("_core", "good", "empty", ".git"):
        (tmp_path / name).mkdir()
    for name in ("_core", "good"):
        (tmp_path / name / "__init__.py").touch()
    assert [path.name for path in connector_folders(tmp_path)] == ["good"]


def test_the_template_is_declared_soundly() -> None:
    assert [fault for s in CONNECTOR.streams for fault in declaration_faults(s)] == []


@responses.activate
def test_the_template_reads_its_fixtures(tmp_path: Path) -> None:
    for name in ("orders", "returns"):
        responses.get(f"{BASE_URL}/v1/{name}", body=(FIXTURES / f"{name}.json").read_bytes())
    account = TemplateSettings(
        connector="template",
        name="t",
        marketplaces=("template_us",),
        start=date(2026, 1, 1),
        secrets={"api_key": pydantic.SecretStr("k")},
    )
    clock = ManualClock(datetime(2026, 1, 25, tzinfo=UTC))
    outcomes = extract_all([ExtractRequest(CONNECTOR, account)], tmp_path, clock)
    assert [(o.stream, o.state, o.rows) for o in outcomes] == [
        ("orders", "ok", 1),
        ("returns", "ok", 1),
        ("marketplaces", "ok", 1),
        ("reasons", "ok", 2),
    ]
    tables = raw_tables(CONNECTOR, tmp_path)
    order = tables["t", "orders"]["T-1"]
    assert order["lines"] == [{"lineId": "1", "sku": "SKU-1", "quantity": 2, "unitPrice": "19.90"}]
    assert "buyer" not in order


def test_a_new_source_is_two_folders_and_says_which_line_to_add(
    tmp_path: Path, project_root: Path
) -> None:
    written = template.copy_template("etsy", tmp_path)
    folders = {path.relative_to(tmp_path).parts[0] for path in written}
    assert folders == {"sources", "dbt_project"}
    assert {path.parent for path in written} == {
        tmp_path / "sources" / "etsy",
        tmp_path / "sources" / "etsy" / "fixtures",
        tmp_path / "dbt_project" / "models" / "staging" / "etsy",
    }
    assert not any("template" in p.read_text("utf-8").lower() for p in written)
    assert all(path.suffix != ".pyc" for path in written)
    with pytest.raises(FileExistsError, match="choose another name"):
        template.copy_template("etsy", tmp_path)


def test_the_copy_is_a_connector_that_works(tmp_path: Path) -> None:
    template.copy_template("etsy", tmp_path)
    code = (
        "import sources; sources.__path__.append('sources');"
        "from sources.etsy import CONNECTOR, EtsySettings;"
        "print(CONNECTOR.name, [s.name for s in CONNECTOR.streams])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout == "etsy ['orders', 'returns', 'marketplaces', 'reasons']\n", done.stderr


@pytest.mark.parametrize("name", ["", "Etsy", "my-shop", "../x", "a", "9lives"])
def test_a_name_that_would_not_do_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="lower-case"):
        template.copy_template(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_command_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert template.main(["My Shop"]) == 1
    assert "lower-case" in capsys.readouterr().err


def test_static_lists_keep_their_text_and_empty_is_null(tmp_path: Path) -> None:
    head = "marketplace,marketplace_id,prices_include_tax,colour"
    (tmp_path / "marketplaces.csv").write_text(f"{head}\nx_de,007,true,\nx_us,,false,red\n")
    (tmp_path / "reasons.csv").write_text(
        "raw_code,reason_l2,confidence,valid_from\nA,b.c,exact,\n"
    )
    demo = replace(CONNECTOR, name="demo", streams=static_streams(tmp_path))
    account = TemplateSettings(connector="demo", name="d", marketplaces=(), start=date(2026, 1, 1))
    clock = ManualClock(datetime(2026, 1, 25, tzinfo=UTC))
    extract_all([ExtractRequest(demo, account)], tmp_path / "landing", clock)
    tables = raw_tables(demo, tmp_path / "landing")
    german, american = tables["all", "marketplaces"].values()
    assert (german["marketplace_id"], german["prices_include_tax"]) == ("007", True)
    assert "marketplace_id" not in american and "colour" not in american
    assert list(tables["all", "reasons"]) == ["A|"]
    assert record_fields(demo.streams[1].record)[0] == ("raw_code", str)


class Broken(Record):
    number: int = 1
    text: str | None = None


def test_faults_of_a_declaration_are_named() -> None:
    def read(_context: StreamContext, _window: Window) -> Iterator[Page]:
        return iter(())

    stream = Stream(
        name="broken",
        record=Broken,
        key=("identity",),
        read=read,
        version="changed",
        free_text=("comment",),
        complete_within="day",
        expected_fields=("text",),
        is_static=True,
    )
    faults = "\n".join(declaration_faults(stream))
    for name in ("identity", "changed", "comment", "day", "default of number", "static"):
        assert name in faults
    assert "text is not" not in faults
