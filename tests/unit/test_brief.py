"""The brief: what it names, in which order, in both languages, and what it says without data."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
import yaml
from rich.console import Console

from pipelines import brief
from pipelines.brief import print_brief
from pipelines.brief_figures import read_figures
from pipelines.evidence import print_evidence
from pipelines.exports import ExportError

CURRENT = """
    insert into meta.current by name
    select 'b' as build_id, date '2026-03-20' as as_of_date, 'EUR' as reporting_currency,
        true as is_sandbox
"""
FIGURES = """
    insert into marts.mart_headline by name select * from (values
        ('all', date '2026-02-01', 1000, 130, 0.13, 100, 40, 0.04),
        ('all', date '2026-01-01', 900, 90, 0.10, 80, 20, 0.02),
        ('eu', date '2026-02-01', 1000, 130, 0.13, 100, 40, 0.04)
    ) as t (account, month, net_sales, after_sales_cost_total, after_sales_cost_rate, refund_net,
            after_sales_cost_ex_refund, after_sales_cost_ex_refund_rate);
    insert into marts.mart_return_rate_by_lot by name select * from (values
        ('S|BAD', 'S', 'BAD', 100, 20, 0.20, 0.13, 0.15),
        ('S|GOOD', 'S', 'GOOD', 900, 9, 0.01, 0.005, 0.02),
        ('S|FEW', 'S', 'FEW', 5, 3, 0.6, 0.2, 0.6)
    ) as t (lot_key, sku, lot_id, units_shipped, units_defective, defect_rate_fifo,
            defect_rate_fifo_low, defect_rate_lifo);
    insert into marts.mart_cost_by_lot by name
    select unnest(['S|BAD', 'S|GOOD', 'S|FEW']) as lot_key, unnest([200, 50, 90]) as defect_cost;
    insert into marts.mart_cost_by_sku_cohort by name select * from (values
        ('S', 1000, 100, 150), ('T', 1000, 300, 120), ('U', 10, 9, 500)
    ) as t (sku, units_shipped, units_returned, after_sales_cost_ex_refund);
    insert into marts.dim_sku by name select 'T' as sku, 'Tea [small]' as sku_name;
    insert into marts.mart_action_queue by name
    select 'a' as action_id, 'reimbursement_lead' as queue, 'open' as action_state,
        'eu' as account, 60 as money_at_stake, 3 as units;
    insert into meta.query by name select 'lot_defects' as query_id,
        'select lot_key from marts.mart_cost_by_lot where lot_key = ''{key}''' as sql;
"""


@pytest.fixture
def filled(publication_file: Path) -> Path:
    with duckdb.connect(str(publication_file)) as connection:
        connection.execute(CURRENT)
        connection.execute(FIGURES)
    return publication_file


def said(publication: Path, language: str) -> str:
    console = Console(record=True, width=100, file=io.StringIO())
    print_brief(console, publication, language)
    return console.export_text()


def test_the_bill_is_that_of_the_last_full_month(filled: Path) -> None:
    bill = read_figures(filled).bill
    assert bill is not None
    assert (bill.month, bill.total, bill.previous) == (date(2026, 2, 1), 130, 90)


def test_costs_are_avoidable_as_far_as_the_rate_is_unusual(filled: Path) -> None:
    found = {cost.key: cost for cost in read_figures(filled).avoidable}
    assert list(found) == ["S|BAD", "T", "reimbursement_lead"]
    usual = (9 + 3) / (900 + 5)
    assert float(found["S|BAD"].amount) == pytest.approx(200 * (1 - usual / 0.20), abs=0.01)
    usual = (100 + 9) / (1000 + 10)
    assert float(found["T"].amount) == pytest.approx(120 * (1 - usual / 0.3), abs=0.01)
    assert found["reimbursement_lead"].amount == Decimal(60)


def test_one_case_among_few_is_no_certainty(filled: Path) -> None:
    with duckdb.connect(str(filled)) as connection:
        connection.execute("delete from marts.mart_return_rate_by_lot where lot_key <> 'S|BAD'")
        connection.execute(
            "update marts.mart_return_rate_by_lot set units_defective = 1, units_shipped = 150,"
            " defect_rate_fifo = 1 / 150, defect_rate_fifo_low = 0.001"
        )
        connection.execute(
            "insert into marts.mart_return_rate_by_lot by name select 'S|GOOD' as lot_key, 'S' as"
            " sku, 'GOOD' as lot_id, 100 as units_shipped, 0 as units_defective,"
            " 0 as defect_rate_fifo, 0 as defect_rate_fifo_low, 0 as defect_rate_lifo"
        )
    assert "lot" not in {cost.kind for cost in read_figures(filled).avoidable}


def test_one_screen_in_each_language_with_commands_to_copy(filled: Path) -> None:
    english, chinese = said(filled, "en"), said(filled, "zh")
    for text in (english, chinese):
        assert len(text.splitlines()) <= 30
        assert "130.00 EUR" in text
        assert "13.0%" in text
        assert "aftersales evidence lot_defects 'S|BAD'" in text
        assert "Tea [small]" in text
    assert "other lots" in english
    assert "其他批次" in chinese


def test_without_figures_it_says_so(publication_file: Path) -> None:
    with duckdb.connect(str(publication_file)) as connection:
        connection.execute(CURRENT)
    text = said(publication_file, "en")
    assert "nothing is known of sales and costs in that month" in text
    assert "2026-02" in text
    assert "with enough evidence" in text


def test_without_a_rate_of_exchange_it_shows_no_amount(publication_file: Path) -> None:
    with duckdb.connect(str(publication_file)) as connection:
        connection.execute(CURRENT)
        connection.execute(
            "insert into marts.mart_headline by name"
            " select 'all' as account, date '2026-02-01' as month, 0 as refund_net"
        )
    assert "After-sales bill of 2026-02: -, - of net sales (-)" in said(publication_file, "en")


def test_both_languages_have_the_same_words() -> None:
    words = yaml.safe_load(Path(brief.__file__).with_name("brief_words.yml").read_text("utf-8"))
    assert words["en"].keys() == words["zh"].keys()
    assert words["en"]["do"].keys() == words["zh"]["do"].keys()


def test_the_rows_behind_a_line(filled: Path) -> None:
    console = Console(record=True, width=80, file=io.StringIO())
    print_evidence(console, filled, "lot_defects", "S|BAD")
    assert "S|BAD" in console.export_text()
    with pytest.raises(ExportError, match="lot_defects"):
        print_evidence(console, filled, "lots", "S|BAD")
