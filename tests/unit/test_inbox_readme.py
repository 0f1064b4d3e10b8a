"""The README of the inbox names every dataset and what it needs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sources.files.declarations import Dataset, all_datasets

DATASETS = all_datasets()


@pytest.fixture(scope="module")
def table(project_root: Path) -> dict[str, set[str]]:
    text = (project_root / "sources" / "files" / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|$", text, re.MULTILINE)
    return {name: set(re.findall(r"\w+_?\w*", needs)) - {"or"} for name, needs in rows}


def test_every_dataset_is_in_the_readme(table: dict[str, set[str]]) -> None:
    assert set(table) == {dataset.name for dataset in DATASETS}


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
def test_readme_says_what_a_dataset_needs(table: dict[str, set[str]], dataset: Dataset) -> None:
    needed = {column.name for column in dataset.columns if column.required}
    needed |= {name for group in dataset.one_of for name in group}
    assert table[dataset.name] == needed
