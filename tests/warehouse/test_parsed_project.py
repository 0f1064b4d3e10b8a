"""What dbt read of the project serves every data folder; a changed project is read anew."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from assets import dbt
from assets.dbt import PROJECT, DbtProject


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of one model, so that reading it costs nothing."""
    folder = tmp_path / "project"
    (folder / "models").mkdir(parents=True)
    (folder / "models" / "one.sql").write_text("select 1 as a\n", "utf-8")
    settings = "name: aftersales\nversion: 1.0.0\nprofile: aftersales\n"
    (folder / "dbt_project.yml").write_text(settings, "utf-8")
    shutil.copyfile(PROJECT / "profiles.yml", folder / "profiles.yml")
    return folder


def models(project: DbtProject) -> set[str]:
    return {
        node["name"] for node in json.loads(project.manifest_path.read_text())["nodes"].values()
    }


def test_another_data_folder_does_not_read_the_project_again(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    DbtProject(tmp_path / "a" / "warehouse.duckdb", tmp_path / "a", project).parse()
    monkeypatch.setattr(dbt, "_PARSED", {})  # as another process
    monkeypatch.setattr(DbtProject, "_parse_anew", lambda _self: pytest.fail("read again"))
    other = DbtProject(tmp_path / "b" / "warehouse.duckdb", tmp_path / "b", project)
    other.ensure_manifest()
    assert models(other) == {"one"}
    assert [node.status for node in other.build({}).nodes] == ["success"]
    monkeypatch.setattr(dbt, "_PARSED", {})
    # a rebuild makes its warehouse beside the old one
    DbtProject(tmp_path / "b" / "warehouse.rebuild.duckdb", tmp_path / "c", project).parse()


def test_a_changed_project_is_read_anew(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = DbtProject(tmp_path / "a" / "warehouse.duckdb", tmp_path / "a", project)
    first.ensure_manifest()
    (project / "models" / "two.sql").write_text("select 2 as b\n", "utf-8")
    monkeypatch.setattr(dbt, "_PARSED", {})
    first.ensure_manifest()
    assert models(first) == {"one", "two"}
    kept = {path.suffix for path in (project / "target" / "parsed").iterdir()}
    assert kept == {".msgpack", ".json"}
    assert len(list((project / "target" / "parsed").iterdir())) == 2


def test_a_project_that_cannot_be_written_to_is_read_every_time(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "target").write_text("in the way", "utf-8")
    for name in ("a", "b"):
        monkeypatch.setattr(dbt, "_PARSED", {})
        made = DbtProject(tmp_path / name / "warehouse.duckdb", tmp_path / name, project)
        made.ensure_manifest()
        assert models(made) == {"one"}
