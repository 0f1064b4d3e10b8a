"""Published tables and lists as files, and the empty files of the inbox."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from openpyxl import load_workbook
from rich.console import Console

from pipelines.action_queue import print_queue, queue_file
from pipelines.exports import ExportError, export_table
from pipelines.inbox_templates import write_templates
from sources.files.declarations import all_datasets

ACTIONS = """
    create table marts.mart_action_queue as select * from (values
        ('b', 'reimbursement_lead', 'return_line', 'amazon:eu:L''2', 'eu', 'amazon_de',
         'amazon:eu:1', 'S-1', 'owed', '应赔', 1, 12.50, 'EUR', 'finance', 1),
        ('a', 'unmapped_code', 'code', 'amazon|reason|NEW', 'all', 'all',
         'none', 'none', 'new code', '新代码', 3, null, 'EUR', 'data', 3)
    ) as t (action_id, queue, entity_type, entity_key, account, marketplace, order_key, sku,
            reason_en, reason_zh, units, money_at_stake, reporting_currency, owner_role, priority);
    alter table marts.mart_action_queue add column opened_at timestamp;
    alter table marts.mart_action_queue add column due_at timestamp;
    alter table marts.mart_action_queue add column action_state varchar default 'open';
    alter table marts.mart_action_queue add column playbook_id varchar default 'p';
    alter table marts.mart_action_queue add column evidence_query_id varchar default 'q';
"""


@pytest.fixture
def publication(tmp_path: Path) -> Path:
    path = tmp_path / "aftersales.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema marts; create schema meta;")
        connection.execute(
            "create table marts.dim_account as select * from (values"
            " ('eu', 'amazon'), ('us', 'amazon'), ('all', 'all')) as t (account, connector)"
        )
        connection.execute(
            "create table marts.sales as select * from (values"
            " ('eu', '00123', 1.5000, timestamp '2026-03-01 10:00:00', '=1+1'),"
            " ('us', '-7', null, null, '中文')) as t (account, sku, amount, sold_at, note)"
        )
        connection.execute("create table marts.lots as select 'S|L' as lot_key")
        connection.execute(
            "create table meta.table_description as select 'marts' as schema_name,"
            " unnest(['sales', 'lots', 'mart_action_queue']) as table_name"
        )
        connection.execute(
            "create table meta.playbook as select * from (values"
            " ('p', 't', 't', 'do', 'do', 'finance'), ('x', 't', 't', 'do', 'do', 'data')"
            ") as t (playbook_id, title_en, title_zh, text_en, text_zh, owner_role)"
        )
        connection.execute("create table meta.query as select 'q' as query_id, '{key}' as sql")
        connection.execute(ACTIONS)
    return path


def test_a_csv_keeps_text_and_runs_no_formula(publication: Path, tmp_path: Path) -> None:
    out = tmp_path / "sales.csv"
    assert export_table(publication, "marts.sales", "csv", out) == 2
    rows = list(csv.reader(io.StringIO(out.read_text("utf-8"))))
    assert rows[1:] == [
        ["eu", "00123", "1.5000", "2026-03-01T10:00:00Z", "'=1+1"],
        ["us", "'-7", "", "", "中文"],
    ]


def test_a_workbook_has_numbers_times_and_text(publication: Path, tmp_path: Path) -> None:
    out = tmp_path / "sales.xlsx"
    assert export_table(publication, "sales", "xlsx", out, account="eu") == 1
    (_, row) = load_workbook(out)["data"].iter_rows(values_only=True)
    assert row == ("eu", "00123", 1.5, datetime(2026, 3, 1, 10), "'=1+1")  # noqa: DTZ001


@pytest.mark.parametrize(
    ("table", "account", "words"),
    [
        ("nothing", None, "marts.sales"),
        ("lots", "eu", "shared by all"),
        ("sales", "uk", "eu, us"),
    ],
)
def test_what_cannot_be_exported_is_told(
    publication: Path, tmp_path: Path, table: str, account: str | None, words: str
) -> None:
    with pytest.raises(ExportError, match=words):
        export_table(publication, table, "csv", tmp_path / "x.csv", account)
    assert not (tmp_path / "x.csv").exists()


def test_before_the_first_night_the_next_step_is_told(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="aftersales nightly"):
        export_table(tmp_path / "none.duckdb", "sales", "csv", tmp_path / "x.csv")


def test_the_queue_is_ordered_and_carries_its_evidence(publication: Path) -> None:
    found = json.loads(queue_file(publication, "zh", "json", None, None))
    assert [action["action_id"] for action in found] == ["b", "a"]
    assert found[0]["reason"] == "应赔"
    assert found[0]["evidence_query"] == "amazon:eu:L''2"
    assert found[0]["what_to_do"] == "do"


def test_a_queue_or_a_role_alone(publication: Path) -> None:
    for queue, owner in (("unmapped_code", None), (None, "data")):
        found = list(csv.DictReader(io.StringIO(
            queue_file(publication, "en", "csv", queue, owner).decode()
        )))  # fmt: skip
        assert [action["reason"] for action in found] == ["new code"]
    with pytest.raises(ExportError, match="refund_without_return"):
        queue_file(publication, "en", "csv", "refunds", None)


def test_the_queue_on_a_terminal(publication: Path) -> None:
    console = Console(record=True, width=100, file=io.StringIO())
    print_queue(console, publication, "zh", None, None)
    text = console.export_text()
    assert "应赔未赔" in text
    assert f"{Decimal('12.50')} EUR" in text
    assert "共 2 条" in text


def test_each_dataset_has_templates_with_notes_in_both_languages(tmp_path: Path) -> None:
    write_templates(tmp_path)
    for dataset in all_datasets():
        names = [column.name for column in dataset.columns]
        book = load_workbook(tmp_path / f"{dataset.name}.xlsx")
        first = book.worksheets[0]
        assert [cell.value for cell in first[1]] == names
        for cell, column in zip(first[1], dataset.columns, strict=True):
            assert cell.comment is not None
            assert cell.comment.text == f"{column.en}\n{column.zh}"
        assert list(csv.reader((tmp_path / f"{dataset.name}.csv").open(encoding="utf-8"))) == [
            names
        ]
        notes = list(
            csv.DictReader((tmp_path / f"{dataset.name}.notes.csv").open(encoding="utf-8"))
        )
        assert [(n["column"], n["zh"]) for n in notes] == [(c.name, c.zh) for c in dataset.columns]
