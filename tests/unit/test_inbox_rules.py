"""Rules of each dataset of the inbox, on rows of text, without files or nights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

from sources.files.cells import FLAGS, ROW, Chunk, FileRefusedError
from sources.files.declarations import Dataset, all_datasets, load_dataset, record_key, record_type
from sources.files.examine import Examination, Terms
from sources.files.refusals import Refusals

DATASETS = {dataset.name: dataset for dataset in all_datasets()}
SHOP = {"channel": "shop"}
BATCH = {"lot_id": "L1", "sku": "S1", "supplier_id": "F1", "quantity_produced": "10"}
RECEIPT = {
    "receipt_id": "R1",
    "line_no": "1",
    "fulfilment_centre_id": "WH1",
    "country": "DE",
    "lot_id": "L1",
    "sku": "S1",
    "received_at": "2026-01-01",
    "quantity_received": "10",
}
INSPECTION = {
    "inspection_id": "I1",
    "sku": "S1",
    "inspected_at": "2026-01-02T00:00:00Z",
    "quantity": "1",
    "grade": "A",
}
PRODUCT = {"sku": "S1", "sku_name": "Romper", "category": "baby"}
LISTING = {**SHOP, "listing_id": "B0", "sku": "S1"}
RETURN = {**SHOP, "return_ref": "R1", "order_ref": "O1", "sku": "S1", "quantity": "1"}
RETURN = {**RETURN, "received_at": "2026-01-01T00:00:00Z"}
REFUND = {**SHOP, "refund_ref": "F1", "order_ref": "O1", "sku": "S1", "amount": "5"}
REFUND = {**REFUND, "refunded_at": "2026-01-01T00:00:00Z", "currency": "EUR"}
SCAN = {"carrier": "UPS", "tracking_number": "1Z", "event_at": "2026-01-01T00:00:00Z"}
SCAN = {**SCAN, "status": "DELIVERED"}
CHARGE = {"carrier": "UPS", "tracking_number": "1Z", "charge_type": "freight", "amount": "5"}
CHARGE = {**CHARGE, "currency": "EUR", "billed_at": "2026-01-01"}
RATE = {"rate_date": "2026-01-01", "base": "USD", "quote": "TWD", "rate": "31.5"}
GOOD: Mapping[str, Mapping[str, str]] = {
    "orders": {
        **SHOP,
        "order_ref": "O1",
        "line_ref": "1",
        "sku": "S1",
        "ordered_at": "2026-01-01T00:00:00Z",
        "country": "DE",
        "quantity": "1",
        "unit_price": "10",
        "currency": "EUR",
    },
    "reviews": {
        "source": "loox",
        "review_id": "V1",
        "sku": "S1",
        "rating": "4",
        "created_at": "2026-01-01",
    },
    "cases": {"source": "mail", "case_id": "C1", "opened_at": "2026-01-01"},
    "claims": {
        "claim_id": "Q1",
        "party": "supplier",
        "supplier_id": "F1",
        "opened_at": "2026-01-01T00:00:00Z",
        "amount_claimed": "10",
        "currency": "EUR",
    },
    "settlements": {
        **SHOP,
        "settlement_ref": "P1",
        "row_no": "1",
        "posted_at": "2026-01-01",
        "transaction_type": "order",
        "amount": "-5",
        "currency": "EUR",
    },
    "returns": RETURN,
    "refunds": REFUND,
    "products": PRODUCT,
    "tracking_events": SCAN,
    "parcel_costs": CHARGE,
    "sku_map": LISTING,
    "purchase_batches": BATCH,
    "goods_receipts": RECEIPT,
    "lot_allocations": {**SHOP, "order_ref": "O1", "sku": "S1", "lot_id": "L1", "quantity": "1"},
    "return_inspections": INSPECTION,
    "warehouses": {"fulfilment_centre_id": "WH1", "country": "DE"},
    "repairs": {"repair_id": "W1", "sku": "S1", "received_at": "2026-01-01", "kind": "repair"},
    "labour_costs": {
        "site_id": "WH1",
        "activity": "inspect",
        "cost_per_hour": "18",
        "currency": "EUR",
        "valid_from": "2026-01-01",
    },
    "overrides": {
        "override_id": "X1",
        "entity_type": "return_line",
        "entity_key": "files:shop:R1:1",
        "field": "reason_final",
        "value": "fit.too_small",
        "author": "care",
        "reason": "called",
    },
    "policies": {"country": "DE", "valid_from": "2026-01-01", "refund_promise_days": "14"},
    "label_review": {"text_hash": "0a1b", "reasons": "size_fit", "reviewer": "Mei"},
    "fx_rates": RATE,
}


class Verdict:
    """What became of the rows of one pretend file."""

    def __init__(
        self, folder: Path, dataset: Dataset, rows: Sequence[Mapping[str, str | None]]
    ) -> None:
        names = list(dict.fromkeys(name for row in rows for name in row))
        frame = pl.DataFrame(
            {
                ROW: pl.Series(range(2, len(rows) + 2), dtype=pl.Int64),
                FLAGS: pl.Series([""] * len(rows), dtype=pl.String),
                **{n: pl.Series([row.get(n) for row in rows], dtype=pl.String) for n in names},
            }
        )
        self.refusals = Refusals(dataset, "pretend.csv")
        terms = Terms(date(2026, 11, 20), hash_key="key", max_bad_share=1.0)
        examination = Examination(dataset, terms, self.refusals, folder)
        examination.take(Chunk(frame))
        self.records: list[dict[str, Any]] = []
        for batch in examination.finish().batches():
            self.records += [
                {k: v for k, v in msgspec.json.decode(raw).items() if v is not None}
                for raw in batch
            ]

    @property
    def rules(self) -> dict[str, int]:
        return dict(self.refusals.rows_by_rule)


def judge(folder: Path, name: str, *rows: Mapping[str, str | None]) -> Verdict:
    """Rows as changes of the dataset's good row."""
    return Verdict(folder, DATASETS[name], [{**GOOD[name], **row} for row in rows])


@pytest.mark.parametrize("name", sorted(DATASETS))
def test_a_row_with_the_required_columns_is_taken(tmp_path: Path, name: str) -> None:
    verdict = judge(tmp_path, name, {})
    assert verdict.rules == {}
    record = msgspec.convert(verdict.records[0], record_type(DATASETS[name]), strict=False)
    assert record_key(DATASETS[name])(record)


REQUIRED = [(d.name, c.name) for d in DATASETS.values() for c in d.columns if c.required]


@pytest.mark.parametrize(("name", "column"), REQUIRED)
def test_a_required_cell_left_empty_refuses_the_row(tmp_path: Path, name: str, column: str) -> None:
    assert judge(tmp_path, name, {column: " "}).rules == {"required": 1}


@pytest.mark.parametrize(
    ("name", "cells", "rule"),
    [
        ("orders", {"unit_price": "-1"}, "too_small"),
        ("orders", {"tax_included": "maybe"}, "not_bool"),
        ("returns", {"received_at": None}, "one_of"),
        ("returns", {"sku": None}, "one_of"),
        ("returns", {"resolution": "gift"}, "word_not_allowed"),
        ("returns", {"quantity": "0"}, "too_small"),
        ("refunds", {"sku": None}, "one_of"),
        ("refunds", {"amount": "-5"}, "too_small"),
        ("refunds", {"quantity": "0"}, "too_small"),
        ("products", {"unit_landed_cost": "3"}, "both_or_none"),
        ("products", {"currency": "CNY"}, "both_or_none"),
        ("products", {"weight_g": "0"}, "too_small"),
        ("sku_map", {"units_per_listing": "0"}, "too_small"),
        ("sku_map", {"valid_from": "2026-02-01", "valid_to": "2026-02-01"}, "not_after"),
        ("purchase_batches", {"production_date": "2026-11-21"}, "in_future"),
        ("purchase_batches", {"production_date": "1999-12-31"}, "too_early"),
        (
            "purchase_batches",
            {"production_date": "2026-01-01", "expiry_date": "2026-01-01"},
            "not_after",
        ),
        ("purchase_batches", {"quantity_produced": "0"}, "too_small"),
        ("purchase_batches", {"unit_cost": "-0.01", "currency": "CNY"}, "too_small"),
        ("purchase_batches", {"unit_cost": "1"}, "needed_with"),
        ("purchase_batches", {"unit_freight": "1"}, "needed_with"),
        ("purchase_batches", {"lot_id": "x" * 65}, "too_long"),
        ("purchase_batches", {"allergens": "milk;;soy"}, "pattern"),
        ("purchase_batches", {"min_days_to_expiry": "-1"}, "too_small"),
        ("goods_receipts", {"quantity_received": "0"}, "too_small"),
        ("goods_receipts", {"quantity_damaged": "-1"}, "too_small"),
        ("goods_receipts", {"quantity_damaged": "11"}, "not_at_most"),
        ("lot_allocations", {"quantity": "0"}, "too_small"),
        ("return_inspections", {"grade": "E"}, "word_not_allowed"),
        ("return_inspections", {"disposition": "keep"}, "word_not_allowed"),
        ("return_inspections", {"received_at": "2026-01-03T00:00:00Z"}, "not_not_before"),
        ("return_inspections", {"quantity": "0"}, "too_small"),
        ("return_inspections", {"recovered_value": "-1", "currency": "EUR"}, "too_small"),
        ("return_inspections", {"recovered_value": "1"}, "needed_with"),
        ("return_inspections", {"minutes_spent": "-1"}, "too_small"),
        ("warehouses", {"kind": "rented"}, "word_not_allowed"),
        ("warehouses", {"country": "UK"}, "not_country"),
        ("reviews", {"sku": None}, "one_of"),
        ("reviews", {"rating": "5.1"}, "not_at_most"),
        ("reviews", {"rating": "9", "scale_max": "8"}, "not_at_most"),
        ("reviews", {"scale_max": "0", "rating": "0"}, "too_small"),
        ("reviews", {"removed_at": "2025-12-31"}, "not_not_before"),
        ("cases", {"resolved_at": "2025-12-31T00:00:00Z"}, "not_not_before"),
        ("cases", {"escalated": "police"}, "word_not_allowed"),
        ("cases", {"csat_score": "4"}, "needed_with"),
        ("cases", {"csat_score": "6", "csat_scale": "5"}, "not_at_most"),
        ("claims", {"party": "buyer"}, "word_not_allowed"),
        ("claims", {"amount_claimed": "-1"}, "too_small"),
        ("claims", {"units": "0"}, "too_small"),
        ("claims", {"decided_at": "2025-12-31"}, "not_not_before"),
        ("settlements", {"row_no": "0"}, "too_small"),
        ("settlements", {"amount": "1,50"}, "decimal_comma"),
        ("fx_rates", {"rate": "0"}, "too_small"),
        ("fx_rates", {"rate": "31.12345678901"}, "too_precise"),
        ("fx_rates", {"quote": "USD"}, "not_differs"),
        ("fx_rates", {"base": "CNH"}, "not_currency"),
    ],
)
def test_rule_of_the_table_refuses_the_row(
    tmp_path: Path, name: str, cells: dict[str, str | None], rule: str
) -> None:
    verdict = judge(tmp_path, name, cells)
    assert verdict.rules == {rule: 1}
    assert verdict.records == []


@pytest.mark.parametrize(
    ("name", "cells", "expected"),
    [
        ("orders", {"tax_included": "YES"}, {"tax_included": True, "is_replacement": False}),
        ("returns", {}, {"line_ref": "S1"}),
        ("returns", {"line_ref": "2"}, {"line_ref": "2"}),
        ("products", {}, {"product_id": "S1"}),
        ("products", {"name": "Strampler", "sku_name": None}, {"sku_name": "Strampler"}),
        ("sku_map", {}, {"listing_kind": "channel_sku", "units_per_listing": 1}),
        ("sku_map", {"listing_kind": "FNSKU"}, {"listing_kind": "fnsku"}),
        ("purchase_batches", {"lot_id": " l-1 "}, {"lot_id": "L-1"}),
        ("purchase_batches", {"allergens": "Milk;soy"}, {"allergens": "milk;soy"}),
        ("purchase_batches", {}, {"row_flags": "production_date_basis"}),
        (
            "purchase_batches",
            {"production_date": "2026-01-01", "arrived_on": "2026-02-01"},
            {"row_flags": "arrived_on"},
        ),
        (
            "purchase_batches",
            {"production_date": "2026-01-01", "certificate_expiry": "2027-01-01"},
            {"certificate_expiry_date": "2027-01-01"},
        ),
        (
            "goods_receipts",
            {},
            {"quantity_damaged": 0, "received_at": "2026-01-01T00:00:00.000000Z"},
        ),
        ("return_inspections", {"grade": "c"}, {"grade": "C"}),
        ("warehouses", {}, {"kind": "own"}),
        ("reviews", {}, {"scale_max": 5, "kind": "product_review"}),
        ("reviews", {"rating": "9", "scale_max": "10"}, {"rating": "9.0000", "scale_max": 10}),
        ("cases", {"status": "Solved"}, {"status": "solved"}),
        ("claims", {}, {"status": "open"}),
        ("claims", {"supplier_id": None}, {"row_flags": "claim_unlinked"}),
        ("claims", {"party": "carrier"}, {"row_flags": "claim_unlinked"}),
        ("claims", {"amount_paid": "11"}, {"row_flags": "paid_more_than_claimed"}),
        ("settlements", {}, {"posted_at": "2026-01-01T00:00:00.000000Z", "amount": "-5.0000"}),
        ("fx_rates", {"rate": "0.0312500000"}, {"rate": "0.03125"}),
        ("fx_rates", {"rate": "100"}, {"rate": "100"}),
    ],
)
def test_what_a_cell_means(
    tmp_path: Path, name: str, cells: dict[str, str | None], expected: dict[str, Any]
) -> None:
    rows = {k: v for k, v in {**GOOD[name], **cells}.items() if v is not None}
    spellings = DATASETS[name].spellings()
    row = {spellings[word]: value for word, value in rows.items()}
    verdict = Verdict(tmp_path, DATASETS[name], [row])
    assert verdict.rules == {}
    assert verdict.records[0] | expected == verdict.records[0]


def test_missing_cost_stays_unknown_never_0(tmp_path: Path) -> None:
    record = judge(tmp_path, "purchase_batches", {}).records[0]
    assert "unit_cost" not in record
    assert "unit_landed_cost" not in record
    assert record["unit_freight"] == "0.0000"


@pytest.mark.parametrize(
    ("total", "is_flagged"), [("3.50", False), ("3.51", False), ("3.52", True), ("9", True)]
)
def test_landed_cost_that_differs_from_its_parts_is_flagged_and_wins(
    tmp_path: Path, total: str, is_flagged: bool
) -> None:
    cells = {
        "production_date": "2026-01-01",
        "unit_cost": "3",
        "unit_freight": "0.50",
        "currency": "CNY",
        "unit_landed_cost": total,
    }
    record = judge(tmp_path, "purchase_batches", cells).records[0]
    assert ("landed_cost_differs" in record.get("row_flags", "")) is is_flagged
    assert float(record["unit_landed_cost"]) == float(total)


def test_size_order_repeated_within_a_product_is_a_warning(tmp_path: Path) -> None:
    style = {"product_id": "P", "size_order": "1"}
    verdict = judge(
        tmp_path,
        "products",
        {"sku": "S-66", **style},
        {"sku": "S-66", **style, "valid_from": "2026-02-01"},
        {"sku": "S-68", **style},
        {"sku": "S-74", **style, "size_order": "3"},
        {"sku": "T-66", **style, "product_id": "Q"},
    )
    assert verdict.rules == {}
    flags = [(r["sku"], r.get("row_flags")) for r in verdict.records]
    word = "size_order_repeated"
    assert flags == [
        ("S-66", word),
        ("S-66", word),
        ("S-68", word),
        ("S-74", None),
        ("T-66", None),
    ]


def test_overlapping_periods_of_a_listing_with_another_set_of_skus_are_refused(
    tmp_path: Path,
) -> None:
    verdict = judge(
        tmp_path,
        "sku_map",
        {"listing_id": "A", "sku": "S1", "valid_to": "2026-03-01"},
        {"listing_id": "A", "sku": "S2", "valid_from": "2026-03-01"},
        {"listing_id": "B", "sku": "S1", "valid_to": "2026-03-02"},
        {"listing_id": "B", "sku": "S2", "valid_from": "2026-03-01"},
        {"listing_id": "SET", "sku": "S1", "valid_from": "2026-01-01"},
        {"listing_id": "SET", "sku": "S2", "valid_from": "2026-01-01"},
    )
    assert verdict.rules == {"overlap": 2}
    assert [r["listing_id"] for r in verdict.records] == ["A", "A", "SET", "SET"]


def test_history_of_a_sku_is_several_rows(tmp_path: Path) -> None:
    verdict = judge(tmp_path, "products", {}, {"valid_from": "2026-02-01"})
    records = [
        msgspec.convert(r, record_type(DATASETS["products"]), strict=False) for r in verdict.records
    ]
    assert [record_key(DATASETS["products"])(r) for r in records] == ["S1|", "S1|2026-02-01"]


def test_keys_with_separators_inside_stay_different(tmp_path: Path) -> None:
    verdict = judge(
        tmp_path,
        "orders",
        {"order_ref": "1|2", "line_ref": "3"},
        {"order_ref": "1", "line_ref": "2|3"},
    )
    key = record_key(DATASETS["orders"])
    kind = record_type(DATASETS["orders"])
    keys = {key(msgspec.convert(r, kind, strict=False)) for r in verdict.records}
    assert len(keys) == 2


def test_a_row_with_two_faults_is_listed_twice_and_counted_once(tmp_path: Path) -> None:
    verdict = judge(tmp_path, "orders", {"quantity": "0", "currency": "GBX"})
    assert verdict.refusals.rows == 1
    assert sum(verdict.rules.values()) == 1
    assert len(verdict.refusals.details) == 2


def test_errors_beyond_the_first_ten_thousand_are_counted(tmp_path: Path) -> None:
    rows = [{"order_ref": str(number), "quantity": "0"} for number in range(10_500)]
    folder = tmp_path
    verdict = judge(folder, "orders", *rows[:10_000])
    assert verdict.refusals.rows == 10_000
    dataset = DATASETS["orders"]
    refusals = Refusals(dataset, "big.csv")
    terms = Terms(date(2026, 11, 20), max_bad_share=1.0)
    examination = Examination(dataset, terms, refusals, folder)
    for start in (0, 10_000):
        cells = [{**GOOD["orders"], **row} for row in rows[start : start + 10_000]]
        frame = pl.DataFrame(cells).with_row_index(ROW, start + 2)
        frame = frame.with_columns(pl.col(ROW).cast(pl.Int64), pl.lit("").alias(FLAGS))
        examination.take(Chunk(frame))
    assert examination.finish().rows_good == 0
    assert refusals.rows == 10_500
    assert refusals.rows_by_rule == {"too_small": 10_500}
    assert refusals.as_csv().decode().strip().endswith("and 500 more errors")


def test_a_new_dataset_is_a_new_declaration(tmp_path: Path) -> None:
    dataset = load_dataset(
        """
        name: labour_costs
        en: Cost of labour.
        zh: 人工成本。
        key: [site_id, activity, valid_from]
        exactly_one:
          - [cost_per_hour, cost_per_unit]
        overlap:
          - {within: [site_id, activity], from: valid_from, to: valid_to, refuse: file}
        columns:
          - {name: site_id, type: text, required: true, en: Site, zh: 地点}
          - {name: activity, type: text, required: true, values: [receive, inspect],
             en: Activity, zh: 活动}
          - {name: cost_per_hour, type: decimal, above: 0, en: Cost, zh: 成本}
          - {name: cost_per_unit, type: decimal, max: 100, en: Cost, zh: 成本}
          - {name: month, type: month, en: Month, zh: 月份}
          - {name: valid_from, type: date, required: true, en: From, zh: 起}
          - {name: valid_to, type: date, en: To, zh: 止}
        """
    )
    row = {"site_id": "WH1", "activity": "inspect", "cost_per_hour": "12.5"}
    verdict = Verdict(tmp_path, dataset, [{**row, "valid_from": "2026-01-01"}])
    assert verdict.records[0]["cost_per_hour"] == "12.5000"
    assert record_type(dataset).__struct_fields__[:2] == ("site_id", "activity")
    more = {**row, "valid_from": "2026-01-01", "cost_per_unit": "3"}
    assert Verdict(tmp_path, dataset, [more]).rules == {"exactly_one": 1}
    unit = {**more, "cost_per_hour": None, "month": "2026-10"}
    assert Verdict(tmp_path, dataset, [unit]).records[0]["month"] == "2026-10-01"
    assert Verdict(tmp_path, dataset, [{**unit, "month": "2026-10-02"}]).rules == {"not_month": 1}
    assert Verdict(tmp_path, dataset, [{**unit, "cost_per_unit": "101"}]).rules == {"too_large": 1}
    with pytest.raises(FileRefusedError, match="overlaps"):
        Verdict(
            tmp_path,
            dataset,
            [{**row, "valid_from": "2026-01-01"}, {**row, "valid_from": "2026-02-01"}],
        )


def test_a_declaration_that_names_no_column_is_refused() -> None:
    with pytest.raises(ValueError, match="no column is called line_ref"):
        load_dataset(
            "{name: x, en: x, zh: x, key: [line_ref],"
            " columns: [{name: sku, type: text, en: x, zh: x}]}"
        )


@pytest.mark.parametrize("name", sorted(DATASETS))
def test_every_column_is_explained_in_english_and_chinese(name: str) -> None:
    dataset = DATASETS[name]
    for text in (dataset.zh, *(column.zh for column in dataset.columns)):
        assert any("\u4e00" <= character <= "\u9fff" for character in text)
    for text in (dataset.en, *(column.en for column in dataset.columns)):
        assert text
        assert text.isascii() or "…" in text


def test_every_identifier_of_the_contract_is_one(tmp_path: Path) -> None:
    words = ("sku", "lot_id", "order_ref", "line_ref", "tracking_number", "return_ref")
    columns = [c for d in DATASETS.values() for c in d.columns if c.name in words]
    assert len(columns) > 20
    assert all(column.identifier for column in columns)
    lots = [c for d in DATASETS.values() for c in d.columns if c.name == "lot_id"]
    assert {(c.case, c.max_length) for c in lots} == {("upper", 64)}
