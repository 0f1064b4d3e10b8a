"""The documents keep their word: both READMEs alike, every command and target they name exists."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import click
import duckdb
import pytest
from typer.main import get_command

from pipelines.cli import app
from pipelines.settings import parse_settings
from sources._sandbox.scenario import DEFAULT_SCENARIO, Scenario
from sources.registry import connectors

FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
READMES = ("README.md", "README.zh-CN.md")
DOCUMENTS = (
    *READMES,
    "CONTRIBUTING.md",
    "docs/runbook.md",
    "docs/metrics.md",
    "docs/cookbook.md",
)


def blocks(text: str, language: str) -> list[str]:
    return [body for found, body in FENCE.findall(text) if found == language]


def commands(text: str) -> list[str]:
    """Shell lines of a document, without their comments."""
    return [
        line.split("#")[0].strip()
        for body in blocks(text, "sh")
        for line in body.splitlines()
        if line.split("#")[0].strip()
    ]


def heading_levels(text: str) -> list[str]:
    return re.findall(r"^(#+) ", FENCE.sub("", text), re.MULTILINE)


def read(root: Path, name: str) -> str:
    return (root / name).read_text("utf-8")


def test_both_readmes_have_the_same_headings_commands_and_queries(project_root: Path) -> None:
    english, chinese = (read(project_root, name) for name in READMES)
    levels = [
        re.findall(r"^(#+) ", FENCE.sub("", text), re.MULTILINE) for text in (english, chinese)
    ]
    assert levels[0] == levels[1]
    assert commands(english) == commands(chinese)
    for language in ("sql", "toml", "text"):
        assert blocks(english, language) == blocks(chinese, language)
    assert re.findall(r"`((?:marts|meta)\.\w+)`", english) == re.findall(
        r"`((?:marts|meta)\.\w+)`", chinese
    )


def test_the_brief_in_the_readme_is_of_the_default_world(project_root: Path) -> None:
    scenario = Scenario.load(DEFAULT_SCENARIO)
    sources = {
        "files/inbox" if account.connector == "files" else f"{account.connector}/{account.name}"
        for account in scenario.accounts
    }
    (brief,) = blocks(read(project_root, "README.md"), "text")
    assert set(re.findall(r"^(\w+/\w+) ", brief, re.MULTILINE)) == sources | {"fx/ecb"}
    assert f"brief of {scenario.today}" in brief


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_target_in_the_documents_exists(project_root: Path, document: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", read(project_root, "Makefile"), re.MULTILINE))
    named = set(re.findall(r"`?make ([a-z-]+)", "\n".join(commands(read(project_root, document)))))
    named |= set(re.findall(r"`make ([a-z-]+)", read(project_root, document)))
    assert named <= targets


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_aftersales_command_in_the_documents_exists(
    project_root: Path, document: str
) -> None:
    known = set(get_command(app).list_commands(click.Context(get_command(app))))
    text = read(project_root, document)
    named = set(re.findall(r"`?aftersales ([a-z-]+)", "\n".join(commands(text))))
    named |= set(re.findall(r"`aftersales ([a-z-]+)", text))
    assert named <= known


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_program_understands_every_command_line_in_the_documents(
    project_root: Path, document: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Options and arguments are read as a shell and the program would; files that a line names
    exist."""
    monkeypatch.chdir(tmp_path)
    group = get_command(app)
    for line in commands(read(project_root, document)):
        words = shlex.split(line)
        if words[0] != "aftersales":
            continue
        for word in words[2:]:
            if Path(word).suffix in (".txt", ".toml"):
                Path(word).touch()
        command = group.get_command(click.Context(group), words[1])
        assert command is not None, line
        command.make_context(words[1], words[2:])


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_to_files_lead_somewhere(project_root: Path, document: str) -> None:
    base = (project_root / document).parent
    links = re.findall(r"\]\(([^)#:]+)\)", read(project_root, document))
    assert [link for link in links if not (base / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_query_in_the_documents_runs_on_the_published_names(
    project_root: Path, document: str, empty_publication: duckdb.DuckDBPyConnection
) -> None:
    text = read(project_root, document)
    for query in blocks(text, "sql"):
        empty_publication.sql(query).fetchall()
    for schema, table in re.findall(r"`(marts|meta|signals)\.(\w+)`", text):
        assert empty_publication.sql(f"from {schema}.{table}").columns


def test_settings_in_the_readme_are_accepted(project_root: Path) -> None:
    (example,) = blocks(read(project_root, "README.md"), "toml")
    secrets = dict.fromkeys(re.findall(r'"(A[A-Z_]+)"', example), "x" * 32)
    inbox = project_root / "inbox"
    settings = parse_settings(tomllib.loads(example), connectors(), secrets.get, inbox)
    assert [account.name for account in settings.accounts] == ["amz_eu"]
