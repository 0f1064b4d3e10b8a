"""The tree is what the documents say: one guess finds the file, adding a source is three places."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml

from sources.registry import connectors

FORBIDDEN_MODULE_NAMES = {"utils.py", "helpers.py", "common.py", "misc.py"}


def python_files(root: Path) -> list[Path]:
    return [
        path
        for folder in ("sources", "assets", "pipelines", "tests", "bench")
        for path in (root / folder).rglob("*.py")
    ]


def staging_folders(root: Path) -> set[str]:
    staging = root / "dbt_project" / "models" / "staging"
    return {path.name for path in staging.iterdir() if path.is_dir()}


def declared_connectors(root: Path) -> dict[str, list[str]]:
    project = yaml.safe_load((root / "dbt_project" / "dbt_project.yml").read_text("utf-8"))
    declared: dict[str, list[str]] = project["vars"]["connectors"]
    return declared


def test_every_connector_has_its_staging_folder_and_its_line(project_root: Path) -> None:
    found = set(connectors())
    missing = found - staging_folders(project_root)
    assert not missing, f"add the folder dbt_project/models/staging/<name>/ for {sorted(missing)}"
    unlisted = found - set(declared_connectors(project_root))
    assert not unlisted, f"add one line under vars: connectors: in dbt_project.yml: {unlisted}"
    assert staging_folders(project_root) == set(declared_connectors(project_root)) == found


def test_declared_entities_have_their_conformed_model(project_root: Path) -> None:
    staging = project_root / "dbt_project" / "models" / "staging"
    missing = [
        f"{name}/stg_{name}__{entity}.sql"
        for name, entities in declared_connectors(project_root).items()
        for entity in entities
        if not (staging / name / f"stg_{name}__{entity}.sql").is_file()
    ]
    assert missing == []


def test_every_stream_is_a_declared_source(project_root: Path) -> None:
    """What is not declared is not counted in `meta.freshness`."""
    staging = project_root / "dbt_project" / "models" / "staging"
    undeclared = []
    for name, connector in connectors().items():
        declared = {
            table["name"]
            for path in (staging / name).glob("*.yml")
            for source in yaml.safe_load(path.read_text("utf-8")).get("sources", [])
            for table in source["tables"]
        }
        read = {stream.name for stream in connector.streams if not stream.is_static}
        undeclared += [f"{name}.{stream}" for stream in sorted(read - declared)]
    assert undeclared == []


def test_connector_folders_are_complete(project_root: Path) -> None:
    incomplete = [
        f"sources/{name}/{part}"
        for name in connectors()
        for part in ("__init__.py", "README.md")
        if not (project_root / "sources" / name / part).is_file()
    ]
    assert incomplete == []


@pytest.mark.parametrize("name", sorted(connectors()))
def test_the_readme_of_a_connector_says_what_an_operator_asks(
    project_root: Path, name: str
) -> None:
    """What is covered and what not, the rights needed, the versions and their end."""
    connector = connectors()[name]
    text = (project_root / "sources" / name / "README.md").read_text("utf-8")
    sections = {"Settings", "Rights, and how to get them", "Not obtainable, not read"}
    sections |= {"API version", "Streams"} if connector.api_version else set()
    assert sections - {line.removeprefix("## ") for line in text.splitlines()} == set()
    flat = " ".join(text.split())
    told = re.findall(r"[\w.-]*\d[\w.-]*", connector.api_version)
    told += [connector.sunset_date.isoformat()] if connector.sunset_date else []
    assert [word for word in told if word not in flat] == []
    read = [stream.name for stream in connector.streams if not stream.is_static]
    assert [stream for stream in read if f"`{stream}`" not in text] == []


def test_no_module_is_named_after_nothing(project_root: Path) -> None:
    assert [p for p in python_files(project_root) if p.name in FORBIDDEN_MODULE_NAMES] == []


def test_tests_are_no_packages(project_root: Path) -> None:
    assert list((project_root / "tests").rglob("__init__.py")) == []


def test_modules_open_by_saying_what_belongs_in_them(project_root: Path) -> None:
    silent = [
        str(path.relative_to(project_root))
        for path in python_files(project_root)
        if "fixtures" not in path.parts
        and not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert silent == []


@pytest.mark.parametrize("folder", ["sources", "assets", "pipelines"])
def test_product_reads_the_environment_in_one_place(project_root: Path, folder: str) -> None:
    readers = {
        str(path.relative_to(project_root))
        for path in (project_root / folder).rglob("*.py")
        if "os.environ" in path.read_text("utf-8") or "os.getenv" in path.read_text("utf-8")
    }
    # dbt reads its profile from the environment and nothing else can hand it the values.
    assert readers <= {"pipelines/resources.py", "assets/dbt.py"}
