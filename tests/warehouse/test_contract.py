"""The published names: every table, key, column and type that people and dashboards rely on.

The yml beside the models is what dbt enforces, so it is what is compared with the contract.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

TYPES = {
    "text": "varchar",
    "int": "bigint",
    "decimal": "decimal(18,4)",
    "double": "double",
    "bool": "boolean",
    "date": "date",
    "timestamp": "timestamp",
}
ODD_TYPES = {("dim_fx_rate", "rate_to_reporting"): "decimal(18,10)"}
HAN = re.compile("[\u4e00-\u9fff]")

# Checked where the contract itself is not at hand: the tables people open first.
SMALL_CONTRACT = [
    {
        "name": "fct_order_line",
        "schema": "marts",
        "stage": 1,
        "key": ["order_line_key"],
        "columns": [
            {"name": "order_line_key", "type": "text"},
            {"name": "quantity_shipped", "type": "int"},
            {"name": "net_amount", "type": "decimal"},
            {"name": "ordered_at", "type": "timestamp"},
            {"name": "cohort_month", "type": "date"},
            {"name": "is_replacement", "type": "bool"},
        ],
    },
    {
        "name": "mart_return_rate_by_sku",
        "schema": "marts",
        "stage": 1,
        "key": ["account", "marketplace", "sku", "cohort_month"],
        "columns": [
            {"name": "units_shipped", "type": "int"},
            {"name": "units_returned", "type": "int"},
            {"name": "unit_return_rate", "type": "double"},
            {"name": "wilson_low", "type": "double"},
            {"name": "is_mature", "type": "bool"},
        ],
    },
    {
        "name": "dim_fx_rate",
        "schema": "marts",
        "stage": 1,
        "key": ["rate_date", "currency"],
        "columns": [{"name": "rate_to_reporting", "type": "decimal"}],
    },
    {
        "name": "current",
        "schema": "meta",
        "stage": 1,
        "key": ["build_id"],
        "columns": [{"name": "data_until", "type": "timestamp"}],
    },
]


@dataclass(frozen=True)
class Model:
    """A published model as its yml declares it."""

    schema: str
    table: str
    model: str
    sql: Path
    declared: Mapping[str, Any]

    @property
    def meta(self) -> Mapping[str, Any]:
        return self.declared["config"]["meta"]

    @property
    def columns(self) -> dict[str, Mapping[str, Any]]:
        return {column["name"]: column for column in self.declared["columns"]}


def _models(project: Path) -> Iterator[Model]:
    for schema in ("marts", "meta", "signals"):
        for path in sorted((project / "models" / schema).rglob("_*.yml")):
            for declared in yaml.safe_load(path.read_text()).get("models", []):
                yield Model(
                    schema=schema,
                    table=declared["config"].get("alias", declared["name"]),
                    model=declared["name"],
                    sql=path.parent / f"{declared['name']}.sql",
                    declared=declared,
                )


@pytest.fixture(scope="module")
def models(project_root: Path) -> dict[tuple[str, str], Model]:
    return {(m.schema, m.table): m for m in _models(project_root / "dbt_project")}


@pytest.fixture(scope="module")
def contract(shared_dir: Path | None) -> list[Mapping[str, Any]]:
    if shared_dir is None:
        print("contract_tables.yml is not here: only four tables of it were compared")
        tables = SMALL_CONTRACT
    else:
        tables = yaml.safe_load((shared_dir / "contract_tables.yml").read_text())["tables"]
    return [table for table in tables if table["stage"] == 1]


def test_every_table_of_the_contract_has_its_key_columns_and_types(
    contract: list[Mapping[str, Any]], models: dict[tuple[str, str], Model]
) -> None:
    wrong = []
    for table in contract:
        model = models.get((table["schema"], table["name"]))
        if model is None:
            wrong.append(f"{table['schema']}.{table['name']} is missing")
            continue
        if list(model.meta["key"]) != list(table["key"]):
            wrong.append(f"{table['name']}: key {model.meta['key']}, not {table['key']}")
        for column in table["columns"]:
            if column.get("stage", 1) != 1:
                continue
            expected = ODD_TYPES.get((table["name"], column["name"]), TYPES[column["type"]])
            declared = model.columns.get(column["name"])
            if declared is None:
                wrong.append(f"{table['name']}.{column['name']} is missing")
            elif declared["data_type"] != expected:
                wrong.append(f"{table['name']}.{column['name']} is not {expected}")
    assert contract
    assert wrong == []


def test_every_published_model_is_enforced_and_has_its_sql(
    models: dict[tuple[str, str], Model],
) -> None:
    assert [m.model for m in models.values() if not m.sql.is_file()] == []
    loose = [
        m.model for m in models.values() if m.declared["config"]["contract"] != {"enforced": True}
    ]
    assert loose == []
    published = {m.sql for m in models.values()}
    folders = {m.sql.parent for m in models.values()}
    undeclared = {sql for folder in folders for sql in folder.glob("*.sql")} - published
    assert undeclared == set()


def test_every_table_says_its_grain_first_in_both_languages(
    models: dict[tuple[str, str], Model],
) -> None:
    wrong = [
        m.model
        for m in models.values()
        if not m.declared["description"].startswith("One row per ")
        or not m.meta["zh"].startswith("每行")
        or not m.meta["grain"]
    ]
    assert wrong == []


def test_every_column_is_described_in_both_languages(
    models: dict[tuple[str, str], Model],
) -> None:
    wrong = []
    for model in models.values():
        for name, column in model.columns.items():
            notes = column["config"]["meta"]
            if len(column["description"]) < 4 or not HAN.search(notes.get("zh", "")):
                wrong.append(f"{model.table}.{name}")
            elif not notes["unit"] or not isinstance(notes["is_additive"], bool):
                wrong.append(f"{model.table}.{name}: unit or is_additive")
            elif column["data_type"] == "timestamp" and "UTC" not in column["description"]:
                wrong.append(f"{model.table}.{name} does not say UTC")
    assert wrong == []


def test_a_rate_is_never_additive_and_its_parts_are_columns_of_its_table(
    models: dict[tuple[str, str], Model],
) -> None:
    wrong = []
    for model in models.values():
        for name, column in model.columns.items():
            notes = column["config"]["meta"]
            if name.endswith(("_rate", "_share")) and notes["is_additive"]:
                wrong.append(f"{model.table}.{name} is additive")
            for part in (notes.get("numerator"), notes.get("denominator")):
                for word in re.findall("[a-z_]+", part or ""):
                    if word not in model.columns:
                        wrong.append(f"{model.table}.{name}: {word} is no column of the table")
    assert wrong == []


def test_every_metric_that_a_column_names_is_defined_and_knows_its_columns(
    project_root: Path, models: dict[tuple[str, str], Model]
) -> None:
    path = project_root / "dbt_project" / "seeds" / "metric_definitions.csv"
    with path.open(newline="") as file:
        defined = {row["metric_id"]: row for row in csv.DictReader(file)}
    carried: dict[str, list[str]] = {metric: [] for metric in defined}
    for model in models.values():
        for name, column in model.columns.items():
            metric = column["config"]["meta"].get("metric_id")
            if metric is not None:
                carried[metric].append(f"{model.table}.{name}")
    told = {metric: row["carried_by"] for metric, row in defined.items()}
    assert told == {metric: ";".join(sorted(names)) or "none" for metric, names in carried.items()}
    assert all(row["name_zh"] and HAN.search(row["formula_zh"]) for row in defined.values())


def test_every_published_model_is_looked_at(project_root: Path) -> None:
    """The list that the structural tests of a night go through is that of the yml."""
    models = project_root / "dbt_project" / "models"
    promising = {
        model["name"]
        for path in models.rglob("_*.yml")
        for model in yaml.safe_load(path.read_text("utf-8")).get("models", [])
        if any("keeps_contract" in test for test in model.get("data_tests", []))
    }
    macro = (project_root / "dbt_project" / "macros" / "published_models.sql").read_text("utf-8")
    listed = re.findall(r'"(\w+)"', macro)
    assert set(listed) == promising, "add the model to macros/published_models.sql"
    assert len(listed) == len(set(listed))
    prefixes = ("dim_", "fct_", "mart_", "meta_", "signals_")
    assert all(name.startswith(prefixes) for name in listed), "give its prefix a singular test"
