"""Workbooks and Parquet files of the drop folder: typed cells mean what they show."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from tests.connectors.files_drop import BATCH, ORDER, Drop, orders

WALL_TIME = datetime.fromisoformat("2026-11-22T10:15:00")


@pytest.fixture
def drop(tmp_path: Path) -> Drop:
    return Drop(tmp_path)


def workbook(rows: list[dict[str, Any]], before: int = 0) -> Workbook:
    """Rows in the first sheet, after some empty rows."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    header = list(dict.fromkeys(name for row in rows for name in row))
    for column, name in enumerate(header, 1):
        sheet.cell(before + 1, column, name)
        for line, row in enumerate(rows, before + 2):
            sheet.cell(line, column, row.get(name))
    return book


def saved(book: Workbook) -> bytes:
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def put_orders(drop: Drop, *rows: dict[str, Any], count: int = 30) -> None:
    """These rows and enough good ones, as a workbook."""
    drop.put("orders", saved(workbook([*rows, *orders(count)])), "drop.xlsx")
    drop.night()


def order(**cells: Any) -> dict[str, Any]:
    return {**ORDER, **cells}


def test_first_sheet_first_row_not_empty_is_the_header_hidden_rows_count(drop: Drop) -> None:
    book = workbook([order(), order(line_ref="2")], before=3)
    sheet = book.worksheets[0]
    sheet.row_dimensions[6].hidden = True
    book.create_sheet("notes").append(["something", "else"])
    drop.put("orders", saved(book), "drop.xlsx")
    drop.night()
    assert [row["line_ref"] for row in drop.rows("orders")] == ["1", "2"]


def test_row_numbers_are_those_of_the_spreadsheet(drop: Drop) -> None:
    drop.put("orders", saved(workbook([order(quantity=0), *orders(30)], before=3)), "drop.xlsx")
    drop.night()
    assert drop.errors("drop.xlsx")[0]["row"] == "5"


def test_a_number_cell_is_a_number(drop: Drop) -> None:
    put_orders(drop, order(quantity=3, unit_price=1234.5, tax_amount=0.1 + 0.2))
    row = drop.rows("orders")[0]
    assert (row["quantity"], row["unit_price"], row["tax_amount"]) == (3, "1234.5000", "0.3000")
    assert "row_flags" not in row


def test_a_number_with_more_decimals_than_money_has_is_rounded_and_flagged(drop: Drop) -> None:
    put_orders(drop, order(unit_price=100 / 3))
    row = drop.rows("orders")[0]
    assert (row["unit_price"], row["row_flags"]) == ("33.3333", "rounded")


def test_a_date_cell_is_a_date(drop: Drop) -> None:
    batch = {
        **BATCH,
        "production_date": date(2026, 3, 4),
        "expiry_date": datetime.fromisoformat("2027-03-04"),
    }
    drop.put("purchase_batches", saved(workbook([batch])), "drop.xlsx")
    drop.night()
    row = drop.rows("purchase_batches")[0]
    assert (row["production_date"], row["expiry_date"]) == ("2026-03-04", "2027-03-04")


def test_a_time_cell_has_no_offset_so_it_needs_the_zone_of_the_settings(drop: Drop) -> None:
    put_orders(drop, order(ordered_at=WALL_TIME))
    assert "inbox.time_zone" in drop.errors("drop.xlsx")[0]["rule"]
    drop.settings = {"time_zone": {"orders": "Asia/Shanghai"}}
    put_orders(drop, order(ordered_at=WALL_TIME), count=29)
    row = drop.rows("orders")[30]
    assert row["ordered_at"] == "2026-11-22T02:15:00Z"
    assert row["row_flags"] == "zone_assumed"


def test_identifier_in_a_number_cell_gives_its_digits_flagged(drop: Drop) -> None:
    put_orders(drop, order(sku=123456789012345, order_ref=7.0))
    row = drop.rows("orders")[0]
    assert (row["sku"], row["order_ref"]) == ("123456789012345", "7")
    assert row["row_flags"] == "number_as_text"


@pytest.mark.parametrize("value", [1234567890123456, 1.5, 1e20])
def test_identifier_number_longer_than_15_digits_or_fractional_row_refused(
    drop: Drop, value: float
) -> None:
    put_orders(drop, order(sku=value))
    assert drop.rejects("orders") == {"digits_lost": 1}
    assert "digits are gone" in drop.errors("drop.xlsx")[0]["rule"]


def test_other_text_in_a_number_cell_keeps_what_it_shows(drop: Drop) -> None:
    product = {"sku": "S1", "sku_name": "Shoe", "category": "shoes", "variant_size": 36.5}
    drop.put("products", saved(workbook([product])), "drop.xlsx")
    drop.night()
    row = drop.rows("products")[0]
    assert (row["variant_size"], row["row_flags"]) == ("36.5", "number_as_text")


def test_a_size_that_the_spreadsheet_made_a_date_is_refused(drop: Drop) -> None:
    put_orders(drop, order(sku=date(2026, 3, 4)))
    assert drop.rejects("orders") == {"date_in_text": 1}


def test_formula_cell_gives_its_stored_result(drop: Drop) -> None:
    content = saved(workbook([order(quantity="=1+2"), *orders(30)]))
    drop.put("orders", _with_result(content, b"3"), "drop.xlsx")
    drop.night()
    assert drop.rows("orders")[0]["quantity"] == 3


def test_formula_without_a_stored_result_row_refused(drop: Drop) -> None:
    put_orders(drop, order(quantity="=1+2"))
    assert drop.rejects("orders") == {"formula_without_result": 1}
    assert len(drop.rows("orders")) == 30


def test_formula_without_a_result_in_an_optional_column_is_not_taken_for_empty(drop: Drop) -> None:
    put_orders(drop, order(tax_amount="=1+2"))
    assert drop.rejects("orders") == {"formula_without_result": 1}


def test_error_cell_row_refused(drop: Drop) -> None:
    book = workbook([order(carrier="#N/A"), *orders(30)])
    sheet = book.worksheets[0]
    cell = next(c for c in sheet[2] if c.value == "#N/A")
    cell.data_type = "e"
    drop.put("orders", saved(book), "drop.xlsx")
    drop.night()
    assert drop.rejects("orders") == {"error_cell": 1}
    assert "#N/A" in drop.errors("drop.xlsx")[0]["rule"]


def test_the_workbooks_1904_date_setting_is_honoured(drop: Drop) -> None:
    book = workbook([{**BATCH, "production_date": date(2026, 3, 4)}])
    book.epoch = CALENDAR_MAC_1904
    drop.put("purchase_batches", saved(book), "drop.xlsx")
    drop.night()
    assert drop.rows("purchase_batches")[0]["production_date"] == "2026-03-04"


def test_merged_cells_file_refused(drop: Drop) -> None:
    book = workbook([order(), order(line_ref="2")])
    book.worksheets[0].merge_cells("A2:A3")
    drop.put("orders", saved(book), "drop.xlsx")
    drop.night()
    assert drop.rejects("orders") == {"merged_cells": 1}


def test_password_or_old_xls_file_refused(drop: Drop) -> None:
    ole = bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 512
    drop.put("orders", ole, "locked.xlsx")
    drop.put("orders", ole, "old.xls")
    drop.night()
    assert drop.rejects("orders") == {"locked_or_old_workbook": 2}
    assert "password" in drop.errors("locked.xlsx")[0]["rule"]


def test_macro_file_refused(drop: Drop) -> None:
    content = io.BytesIO(saved(workbook([order()])))
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"macro")
    drop.put("orders", content.getvalue(), "drop.xlsx")
    drop.put("orders", content.getvalue(), "drop.xlsm")
    drop.night()
    assert drop.rejects("orders") == {"macro": 2}


def test_broken_workbook_and_parquet_are_refused(drop: Drop) -> None:
    drop.put("orders", saved(workbook([order()]))[:500], "cut.xlsx")
    drop.put("orders", b"PAR1 nothing", "cut.parquet")
    drop.put("orders", b"\x1f\x8b\x08 nothing", "cut.csv.gz")
    drop.night()
    assert drop.rejects("orders") == {"broken_file": 2, "broken_archive": 1}
    assert drop.rows("orders") == []


def test_time_of_day_cell_is_no_date(drop: Drop) -> None:
    put_orders(drop, order(ordered_at=time(10, 15)))
    assert drop.rejects("orders") == {"not_timestamp": 1}


def test_a_wrong_dimension_note_in_the_sheet_loses_no_rows(drop: Drop) -> None:
    content = saved(workbook(orders(5)))
    drop.put("orders", _replaced(content, b'ref="A1:I6"', b'ref="A1"'), "drop.xlsx")
    drop.night()
    assert len(drop.rows("orders")) == 5


def parquet(rows: list[dict[str, Any]], schema: pa.Schema) -> bytes:
    content = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), content)
    return content.getvalue()


ORDER_TYPES: dict[str, pa.DataType] = {
    **dict.fromkeys(ORDER, pa.string()),
    "ordered_at": pa.timestamp("us", "UTC"),
    "quantity": pa.int64(),
    "unit_price": pa.decimal128(18, 4),
}


def typed(**cells: Any) -> dict[str, Any]:
    return order(
        **{
            "ordered_at": datetime(2026, 11, 1, 2, tzinfo=UTC),
            "quantity": 2,
            "unit_price": Decimal("19.9000"),
            **cells,
        }
    )


def test_parquet_gives_the_same_records_as_csv(drop: Drop) -> None:
    drop.put("orders", [ORDER])
    drop.put("orders", parquet([typed()], pa.schema(ORDER_TYPES)), "drop.parquet")
    drop.night()
    first, second = drop.rows("orders")
    assert first == second


def test_parquet_time_without_zone_needs_the_zone_of_the_settings(drop: Drop) -> None:
    schema = pa.schema({**ORDER_TYPES, "ordered_at": pa.timestamp("us")})
    rows = [typed(ordered_at=WALL_TIME)]
    drop.put("orders", parquet(rows, schema), "drop.parquet")
    drop.night()
    assert drop.rejects("orders")["time_without_offset"] == 1


def test_parquet_dates_and_numbers(drop: Drop) -> None:
    schema = pa.schema(
        {
            **dict.fromkeys(BATCH, pa.string()),
            "production_date": pa.date32(),
            "unit_cost": pa.float64(),
            "currency": pa.string(),
            "quantity_produced": pa.int64(),
        }
    )
    row = {
        **BATCH,
        "production_date": date(2026, 3, 4),
        "unit_cost": 1.1,
        "currency": "CNY",
        "quantity_produced": 5,
    }
    drop.put("purchase_batches", parquet([row], schema), "drop.parquet")
    drop.night()
    found = drop.rows("purchase_batches")[0]
    assert (found["production_date"], found["unit_cost"]) == ("2026-03-04", "1.1000")
    assert found["quantity_produced"] == 5


def test_parquet_identifier_as_binary_number_keeps_only_safe_digits(drop: Drop) -> None:
    schema = pa.schema({**ORDER_TYPES, "order_ref": pa.float64()})
    rows = [typed(order_ref=float(number)) for number in range(30)] + [typed(order_ref=2.0**60)]
    drop.put("orders", parquet(rows, schema), "drop.parquet")
    drop.night()
    assert drop.rejects("orders") == {"digits_lost": 1}
    assert drop.rows("orders")[7]["order_ref"] == "7"
    assert drop.rows("orders")[7]["row_flags"] == "number_as_text"


def test_parquet_column_of_another_type_refuses_the_file(drop: Drop) -> None:
    schema = pa.schema({**ORDER_TYPES, "sku": pa.list_(pa.string())})
    drop.put("orders", parquet([typed(sku=["a"])], schema), "drop.parquet")
    drop.night()
    assert drop.rejects("orders") == {"column_type": 1}
    assert "date32" in drop.errors("drop.parquet")[0]["rule"]


def test_large_files_are_read_in_chunks(drop: Drop) -> None:
    frame = pl.DataFrame([ORDER]).select(pl.all().repeat_by(45_000).explode())
    frame = frame.with_columns(pl.int_range(45_000).cast(pl.String).alias("line_ref"))
    content = io.BytesIO()
    frame.write_parquet(content)
    drop.put("orders", content.getvalue(), "drop.parquet")
    drop.night()
    lines = [row["line_ref"] for row in drop.rows("orders")]
    assert lines == [str(number) for number in range(45_000)]


def _replaced(content: bytes, old: bytes, new: bytes) -> bytes:
    """The workbook with a change in its first sheet's XML."""
    source, target = io.BytesIO(content), io.BytesIO()
    with zipfile.ZipFile(source) as old_zip, zipfile.ZipFile(target, "w") as new_zip:
        for entry in old_zip.infolist():
            data = old_zip.read(entry)
            if entry.filename == "xl/worksheets/sheet1.xml":
                assert old in data
                data = data.replace(old, new)
            new_zip.writestr(entry, data)
    assert load_workbook(io.BytesIO(target.getvalue())).worksheets
    return target.getvalue()


def _with_result(content: bytes, result: bytes) -> bytes:
    return _replaced(content, b"<f>1+2</f><v />", b"<f>1+2</f><v>" + result + b"</v>")
