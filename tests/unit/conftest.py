"""What several unit tests need: the published tables without any row."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
import yaml


def create_published_tables(connection: duckdb.DuckDBPyConnection, project_root: Path) -> None:
    """Every published table with the columns that its yml promises."""
    for schema in ("marts", "meta", "signals"):
        connection.execute(f"create schema {schema}")
        for path in (project_root / "dbt_project" / "models" / schema).rglob("_*.yml"):
            for model in yaml.safe_load(path.read_text("utf-8")).get("models", []):
                name = model["name"].removeprefix(f"{schema}_")
                columns = ", ".join(f'"{c["name"]}" {c["data_type"]}' for c in model["columns"])
                connection.execute(f"create table {schema}.{name} ({columns})")


@pytest.fixture(scope="module")
def empty_publication(project_root: Path) -> duckdb.DuckDBPyConnection:
    """In memory, for queries that only have to run."""
    connection = duckdb.connect()
    create_published_tables(connection, project_root)
    return connection


@pytest.fixture
def publication_file(project_root: Path, tmp_path: Path) -> Path:
    """As a file, for a test to fill."""
    path = tmp_path / "aftersales.duckdb"
    with duckdb.connect(str(path)) as connection:
        create_published_tables(connection, project_root)
    return path
