"""The table "What bad input gets" of the drop folder, row by row; each test carries its words."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest

from sources.files import csv_file, excel_file
from tests.connectors.files_drop import (
    BATCH,
    ORDER,
    RECEIPT,
    Drop,
    csv_text,
    many,
    order,
    orders,
)


@pytest.fixture
def drop(tmp_path: Path) -> Drop:
    return Drop(tmp_path)


def refused(drop: Drop, rule: str, name: str = "drop.csv", stream: str = "orders") -> str:
    """The file was refused under this rule, nothing of it landed, and it lies beside its errors
    file; gives the sentence for the seller."""
    assert drop.rows(stream) == []
    assert rule in drop.rejects(stream)
    assert not (drop.inbox / stream / name).exists()
    assert (drop.rejected / name).exists() or (drop.rejected / name).is_symlink()
    assert not drop.archive.exists()
    return drop.errors(name)[0]["rule"]


def test_neither_utf8_nor_an_allowed_encoding_whole_file_refused(drop: Drop) -> None:
    drop.put("orders", csv_text([order(sku="奶瓶")]).encode("gb18030"))
    drop.night()
    assert "inbox.encodings" in refused(drop, "encoding")


def test_utf16_is_named_as_such(drop: Drop) -> None:
    drop.put("orders", csv_text([order()]).encode("utf-16"))
    drop.night()
    assert "UTF-16" in refused(drop, "encoding")


def test_no_header_whole_file_refused(drop: Drop) -> None:
    drop.put("orders", ",".join(ORDER.values()) + "\n")
    drop.night()
    assert "no header" in refused(drop, "no_header")


def test_required_column_missing_whole_file_refused(drop: Drop) -> None:
    drop.put("orders", [{k: v for k, v in ORDER.items() if k not in ("sku", "country")}])
    drop.night()
    sentence = refused(drop, "required_column_missing")
    assert "sku" in sentence
    assert "country" in sentence


def test_zero_bytes_whole_file_refused(drop: Drop) -> None:
    drop.put("orders", b"")
    drop.night()
    assert "zero bytes" in refused(drop, "zero_bytes")


def test_row_breaks_type_or_rule_goes_to_errors_file_rest_loads(drop: Drop) -> None:
    drop.put("orders", [order(quantity="two"), *orders(30)])
    drop.night()
    assert len(drop.rows("orders")) == 30
    assert drop.errors() == [
        {
            "row": "2",
            "column": "quantity",
            "value": "two",
            "rule": "quantity must be a whole number",
        }
    ]
    assert drop.rejects("orders") == {"not_int": 1}
    assert (drop.archive / "2026-11-20" / "drop.csv").exists()


@pytest.mark.parametrize(("good", "is_loaded"), [(19, True), (18, False)])
def test_over_5_percent_bad_rows_refuses_the_file(drop: Drop, good: int, is_loaded: bool) -> None:
    drop.put("orders", [order(quantity="x"), *orders(good)])
    drop.night()
    if is_loaded:
        assert len(drop.rows("orders")) == good
        return
    assert "more than 5%" in refused(drop, "too_many_bad_rows")
    assert drop.rejects("orders") == {"too_many_bad_rows": good, "not_int": 1}
    assert [error["row"] for error in drop.errors()] == ["", "2"]


def test_key_twice_in_a_file_equal_rows_one_kept_counted(drop: Drop) -> None:
    drop.put("orders", [order(unit_price="19.9"), order(unit_price="19.90"), *orders(3)])
    drop.night()
    assert len(drop.rows("orders")) == 4
    assert sum(manifest.duplicates for manifest in drop.manifests("orders")) == 1
    assert drop.rejects("orders") == {}


def test_key_twice_different_values_both_rows_refused(drop: Drop) -> None:
    drop.put("orders", [order(quantity="1"), *orders(60), order(quantity="2")])
    drop.night()
    assert len(drop.rows("orders")) == 60
    assert drop.rejects("orders") == {"key_repeated": 2}
    assert [error["row"] for error in drop.errors()] == ["2", "63"]


def test_key_exists_from_an_earlier_file_new_row_lands_after_the_old(drop: Drop) -> None:
    drop.put("orders", [order(quantity="1")], "b.csv", age=200)
    drop.put("orders", [order(quantity="2")], "a.csv", age=100)
    drop.night()
    rows = drop.rows("orders")
    assert [row["quantity"] for row in rows] == [1, 2]
    assert rows[0]["_key"] == rows[1]["_key"]
    assert rows[0]["_version"] is None


def test_same_file_again_by_hash_skipped_and_logged(
    drop: Drop, caplog: pytest.LogCaptureFixture
) -> None:
    drop.put("orders", [order()], "first.csv")
    drop.night()
    drop.put("orders", [order()], "again.csv")
    with caplog.at_level("INFO"):
        drop.night()
    assert len(drop.rows("orders")) == 1
    assert "again.csv was loaded before: skipped" in caplog.text
    assert not (drop.inbox / "orders" / "again.csv").exists()
    assert drop.manifests("orders")[-1].source_ref.endswith("#skipped")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("19,90", "decimal point"),
        ("1,234.50", "thousands marks"),
        ("1 234.50", "thousands marks"),
        ("£19.90", "currency sign"),
        ("$19.90", "currency sign"),
        ("19.90 EUR", "currency sign"),
        ("¥100", "currency sign"),
        ("1e3", "must be a number"),
        ("0x10", "must be a number"),
        ("\uff11\uff12", "must be a number"),
        ("19.12345", "4 decimals"),
        ("NaN", "must be a number"),
    ],
)
def test_comma_decimal_thousands_currency_sign_row_refused_never_repaired(
    drop: Drop, text: str, word: str
) -> None:
    assert word in drop.rule_of("orders", order(unit_price=text), ORDER)
    assert len(drop.rows("orders")) == 30


@pytest.mark.parametrize("text", ["03/04/2026", "3.4.2026", "03-04-2026", "2026/04/03"])
def test_date_as_text_with_slashes_row_refused_as_ambiguous(drop: Drop, text: str) -> None:
    row = {**BATCH, "production_date": text}
    assert "ambiguous" in drop.rule_of("purchase_batches", row, BATCH)
    assert drop.rejects("purchase_batches") == {"ambiguous_date": 1}


@pytest.mark.parametrize("text", ["2026-02-30", "2026-1-2", "20260102", "yesterday"])
def test_what_is_no_date_is_refused(drop: Drop, text: str) -> None:
    row = {**BATCH, "production_date": text}
    assert "ISO 8601" in drop.rule_of("purchase_batches", row, BATCH)


@pytest.mark.parametrize("text", ["=1+1", "+49", "-SKU", "@cmd"])
def test_formula_text_is_stored_as_text(drop: Drop, text: str) -> None:
    drop.put("orders", [order(sku=text)])
    drop.night()
    assert drop.rows("orders")[0]["sku"] == text


def test_formula_text_is_prefixed_in_the_errors_file(drop: Drop) -> None:
    drop.put("orders", [order(unit_price="=1+1"), *orders(30)])
    drop.night()
    assert drop.errors()[0]["value"] == "'=1+1"


def test_lot_in_receipts_unknown_in_batches_is_loaded(drop: Drop) -> None:
    drop.put("goods_receipts", [{**RECEIPT, "lot_id": "NEVER-BOUGHT"}])
    drop.night()
    assert [row["lot_id"] for row in drop.rows("goods_receipts")] == ["NEVER-BOUGHT"]


def test_word_outside_a_closed_list_row_refused_allowed_words_named(drop: Drop) -> None:
    row = {**dict.fromkeys(("channel", "listing_id", "sku"), "X"), "listing_kind": "barcode"}
    good = {**row, "listing_kind": "ASIN"}
    sentence = drop.rule_of("sku_map", row, good)
    assert "asin, fnsku, item_id, variant_id, wpid, channel_sku" in sentence
    assert {row["listing_kind"] for row in drop.rows("sku_map")} == {"asin"}


@pytest.mark.parametrize("text", ["0", "-1", "-2"])
def test_negative_or_zero_quantity_refused(drop: Drop, text: str) -> None:
    assert drop.rule_of("orders", order(quantity=text), ORDER) == "quantity must be > 0"


def test_file_still_growing_is_left(drop: Drop) -> None:
    drop.settings = {"settle_seconds": 60}
    path = drop.put("orders", [order()], age=30)
    drop.night()
    assert path.exists()
    assert drop.manifests("orders") == []
    drop.put("orders", [order()], age=61)
    drop.night()
    assert len(drop.rows("orders")) == 1
    assert not path.exists()


@pytest.mark.parametrize("name", ["..\\up.csv", "a\\b.csv", "c:\\x.csv", "..%2fup.csv", "a\nb.csv"])
def test_name_with_path_parts_refused(drop: Drop, name: str) -> None:
    drop.put("orders", [order()], name)
    drop.night()
    assert drop.rejects("orders") == {"path_in_name": 1}
    assert drop.rows("orders") == []
    assert list((drop.inbox / "orders").iterdir()) == []
    assert len([p for p in drop.rejected.iterdir() if not p.name.startswith(".")]) == 2
    assert {path.parent for path in drop.rejected.rglob("*")} == {drop.rejected}


def test_file_in_a_folder_refused(drop: Drop) -> None:
    drop.put("orders", [order()], "more/drop.csv")
    drop.night()
    assert drop.rejects("orders") == {"folder": 1}
    assert (drop.rejected / "more" / "drop.csv").exists()


def test_symbolic_link_refused_and_its_target_untouched(drop: Drop, tmp_path: Path) -> None:
    target = tmp_path / "secret.csv"
    target.write_bytes(b"untouched")
    (drop.inbox / "orders").mkdir(parents=True)
    (drop.inbox / "orders" / "link.csv").symlink_to(target)
    drop.night()
    assert "symbolic link" in refused(drop, "symbolic_link", "link.csv")
    assert target.read_bytes() == b"untouched"


def test_archive_bomb_csv_gz_refused(drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_file.detect_encoding, "__defaults__", (1_000_000,))
    text = csv_text([order()]).encode() + b"\n" * 2_000_000
    drop.put("orders", gzip.compress(text), "bomb.csv.gz")
    drop.night()
    assert "unpacks to more than" in refused(drop, "archive_bomb", "bomb.csv.gz")


def test_archive_bomb_xlsx_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", b"0" * 3_000_000)
    with pytest.raises(excel_file.FileRefusedError, match="unpacks to more than") as error:
        excel_file.inspect_workbook(path, max_unpacked=2_000_000)
    assert error.value.rule == "archive_bomb"
    assert csv_file.MAX_UNPACKED_BYTES == 2 * 1024**3


def test_leading_zeros_in_lot_or_sku_are_kept_text_always(drop: Drop) -> None:
    drop.put("purchase_batches", [{**BATCH, "lot_id": "000123", "sku": "007"}])
    drop.night()
    row = drop.rows("purchase_batches")[0]
    assert (row["lot_id"], row["sku"]) == ("000123", "007")


def test_personal_data_never_reach_the_errors_file(drop: Drop) -> None:
    row = {
        "channel": "shop",
        "return_ref": "R1",
        "order_ref": "O1",
        "sku": "S1",
        "quantity": "1",
        "requested_at": "call mei@example.com",
        "comment": "write to mei@example.com",
    }
    good = {**row, "requested_at": "2026-11-01T10:00:00Z"}
    drop.put("returns", [row, *many("returns", good)])
    drop.put("orders", [order(customer_ref="Mei Li", quantity="0"), *orders(30)])
    drop.night()
    everything = b"".join(p.read_bytes() for p in drop.rejected.iterdir())
    assert b"mei@" not in everything
    assert b"Mei Li" not in everything
    assert "[email]" in drop.rows("returns")[0]["comment"]
    landed = b"".join(p.read_bytes() for p in drop.landing.rglob("*") if p.is_file())
    assert b"mei@" not in landed
