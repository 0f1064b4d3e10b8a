"""The data dictionary in docs/ says what the yml beside the models says."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def dictionary(project_root: Path) -> ModuleType:
    path = project_root / "dbt_project" / "dictionary.py"
    spec = importlib.util.spec_from_file_location("dbt_project_dictionary", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module


def test_both_pages_are_those_of_the_yml_of_now(dictionary: ModuleType, project_root: Path) -> None:
    for words in (dictionary.ENGLISH, dictionary.CHINESE):
        page = (project_root / "docs" / words.file).read_text("utf-8")
        assert page == dictionary.page(words), "run: python dbt_project/dictionary.py"


def test_both_pages_have_the_same_tables_and_columns(
    dictionary: ModuleType, project_root: Path
) -> None:
    def outline(file: str) -> list[str]:
        lines = (project_root / "docs" / file).read_text("utf-8").splitlines()
        return [
            line.split("|")[1].strip() if line.startswith("| `") else line
            for line in lines
            if line.startswith(("## ", "| `"))
        ]

    english = outline(dictionary.ENGLISH.file)
    assert english == outline(dictionary.CHINESE.file)
    assert len([line for line in english if line.startswith("## ")]) >= 72
