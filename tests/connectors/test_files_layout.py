"""Layout rules of the drop folder; each test carries its words."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from sources._core.clock import ManualClock
from sources._core.extract import ExtractRequest, extract_all
from sources._core.privacy import customer_key, keyed_hash
from sources.files import CONNECTOR
from sources.files.channels import KnownAccount
from sources.files.config import FilesSettings
from tests.connectors.files_drop import BATCH, ORDER, RECEIPT, Drop, csv_text, order, orders


@pytest.fixture
def drop(tmp_path: Path) -> Drop:
    return Drop(tmp_path)


def test_csv_and_csv_gz_are_read_alike(drop: Drop) -> None:
    text = csv_text(orders(3)).encode()
    drop.put("orders", text, "plain.csv")
    drop.night()
    plain = [row["_hash"] for row in drop.rows("orders")]
    drop.put("orders", gzip.compress(text), "packed.CSV.GZ")
    drop.night()
    assert [row["_hash"] for row in drop.rows("orders")] == plain * 2


def test_every_dataset_is_a_folder_made_for_the_seller(drop: Drop) -> None:
    drop.inbox.mkdir()
    drop.night(*(stream.name for stream in CONNECTOR.streams if not stream.is_static))
    made = {path.name for path in drop.inbox.iterdir() if not path.name.startswith(".")}
    assert made == {stream.name for stream in CONNECTOR.streams if not stream.is_static}


def test_after_load_moved_to_archive_of_the_nights_day(drop: Drop) -> None:
    content = csv_text([order()]).encode()
    drop.put("orders", content)
    drop.night()
    assert (drop.archive / "2026-11-20" / "drop.csv").read_bytes() == content


def test_two_files_of_one_name_on_one_day_are_both_kept_in_the_archive(drop: Drop) -> None:
    drop.put("orders", [order()])
    drop.put("purchase_batches", [BATCH])
    drop.night()
    kept = sorted(path.name for path in (drop.archive / "2026-11-20").iterdir())
    assert len(kept) == 2
    assert "drop.csv" in kept


def test_archive_is_deleted_after_archive_days(drop: Drop) -> None:
    drop.settings = {"archive_days": 30}
    for day in ("2026-10-20", "2026-10-21", "2026-10-22", "notes"):
        (drop.archive / day).mkdir(parents=True)
    drop.put("orders", [order()])
    drop.night()
    assert sorted(path.name for path in drop.archive.iterdir()) == [
        "2026-10-22",
        "2026-11-20",
        "notes",
    ]


def test_archive_days_0_deletes_at_once(drop: Drop) -> None:
    drop.settings = {"archive_days": 0}
    path = drop.put("orders", [order()])
    drop.night()
    assert len(drop.rows("orders")) == 1
    assert not path.exists()
    assert list(drop.data.rglob("drop.csv")) == []


def test_errors_file_says_row_column_masked_value_and_rule(drop: Drop) -> None:
    drop.put("orders", [*orders(30), order(currency="call +49 151 2345 6789")])
    drop.night()
    (error,) = drop.errors()
    assert error["row"] == "32"
    assert error["column"] == "currency"
    assert "2345" not in error["value"]
    assert "ISO 4217" in error["rule"]


def test_errors_of_two_datasets_with_one_file_name_are_both_kept(drop: Drop) -> None:
    drop.put("orders", [*orders(30), order(quantity="0")])
    drop.put("purchase_batches", [BATCH, {**BATCH, "sku": ""}])
    drop.night("orders")
    drop.night("purchase_batches")
    assert drop.errors()[0]["column"] == "quantity"
    assert "sku" in {error["column"] for error in drop.errors("purchase_batches-drop.csv")}
    assert (drop.rejected / "purchase_batches-drop.csv").exists()


def test_a_refused_file_of_the_same_name_makes_way_for_the_newer_one(drop: Drop) -> None:
    drop.put("orders", b"first")
    drop.night()
    drop.put("orders", b"second")
    drop.night()
    assert (drop.rejected / "drop.csv").read_bytes() == b"second"
    kept = [p for p in drop.rejected.glob("drop-*.csv") if not p.name.endswith(".errors.csv")]
    assert [path.read_bytes() for path in kept] == [b"first"]


def test_header_in_any_case_and_order(drop: Drop) -> None:
    cells = {f" {name.upper()} ": value for name, value in reversed(list(ORDER.items()))}
    drop.put("orders", [cells])
    drop.night()
    assert drop.rows("orders")[0]["order_ref"] == "O-1"


def test_a_column_named_twice_refuses_the_file(drop: Drop) -> None:
    drop.put("orders", csv_text([order()]).replace("currency", "currency,SKU", 1))
    drop.night()
    assert drop.rejects("orders") == {"column_repeated": 1}


def test_unknown_columns_are_recorded_by_name_and_dropped(drop: Drop) -> None:
    drop.put("orders", [order(Buyer_Name="Hidden Person", note="x")])
    drop.night()
    drift = {(d.field, d.kind) for m in drop.manifests("orders") for d in m.drift}
    assert drift == {("buyer_name", "added"), ("note", "added")}
    assert "Hidden Person" not in json.dumps(drop.rows("orders"))


def test_allowed_extras_are_kept(drop: Drop) -> None:
    drop.settings = {"allowed_extras": {"orders": ("Campaign",)}}
    drop.put("orders", [order(campaign=" 11.11 ", note="x"), order(line_ref="2", campaign="")])
    drop.night()
    first, second = drop.rows("orders")
    assert json.loads(first["extras"]) == {"campaign": "11.11"}
    assert "extras" not in second
    assert {d.field for m in drop.manifests("orders") for d in m.drift} == {"note"}


def test_empty_is_null_and_text_is_trimmed(drop: Drop) -> None:
    drop.put("orders", [order(sku="  S 1 ", carrier="  ", status="")])
    drop.night()
    row = drop.rows("orders")[0]
    assert row["sku"] == "S 1"
    assert "carrier" not in row
    assert "status" not in row


def test_blank_lines_and_empty_rows_are_no_rows(drop: Drop) -> None:
    drop.put("orders", "\n\n" + csv_text([order()]) + "\n,,,,,,,,\n")
    drop.night()
    assert len(drop.rows("orders")) == 1
    assert drop.rejects("orders") == {}


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-11-22T10:15:00+08:00", "2026-11-22T02:15:00Z"),
        ("2026-11-22 10:15:00Z", "2026-11-22T10:15:00Z"),
        ("2026-11-22T10:15-05:00", "2026-11-22T15:15:00Z"),
        ("2026-11-22T10:15:00.25+0000", "2026-11-22T10:15:00.250000Z"),
    ],
)
def test_times_are_read_with_their_offset(drop: Drop, text: str, utc: str) -> None:
    drop.put("orders", [order(ordered_at=text)])
    drop.night()
    row = drop.rows("orders")[0]
    assert row["ordered_at"] == utc
    assert "row_flags" not in row


def test_times_without_offset_are_refused(drop: Drop) -> None:
    sentence = drop.rule_of("orders", order(ordered_at="2026-11-22T10:15:00"), ORDER)
    assert "offset" in sentence
    assert "inbox.time_zone" in sentence


def test_times_without_offset_in_the_zone_of_the_settings_are_flagged(drop: Drop) -> None:
    drop.settings = {"time_zone": {"orders": "Asia/Shanghai"}}
    drop.put("orders", [order(ordered_at="2026-11-22 10:15"), *orders(30)])
    drop.night()
    rows = drop.rows("orders")
    assert rows[0]["ordered_at"] == "2026-11-22T02:15:00Z"
    assert rows[0]["row_flags"] == "zone_assumed"
    assert "row_flags" not in rows[1]


def test_a_time_that_the_zone_skips_is_refused(drop: Drop) -> None:
    drop.settings = {"time_zone": {"all": "Europe/Berlin"}}
    sentence = drop.rule_of("orders", order(ordered_at="2026-03-29 02:30:00"), ORDER)
    assert "Europe/Berlin" in sentence


def test_bare_date_accepted_where_the_table_says_so(drop: Drop) -> None:
    drop.put("goods_receipts", [RECEIPT])
    drop.night()
    row = drop.rows("goods_receipts")[0]
    assert row["received_at"] == "2026-03-01T00:00:00Z"
    assert row["row_flags"] == "date_only"


def test_bare_date_refused_elsewhere(drop: Drop) -> None:
    assert "time of day" in drop.rule_of("orders", order(ordered_at="2026-11-22"), ORDER)


@pytest.mark.parametrize("text", ["GBX", "CNH", "XAU", "EURO", "€"])
def test_currency_is_iso_4217(drop: Drop, text: str) -> None:
    assert "ISO 4217" in drop.rule_of("orders", order(currency=text), ORDER)


@pytest.mark.parametrize("text", ["UK", "EU", "Germany", "DEU"])
def test_country_is_iso_3166_alpha_2(drop: Drop, text: str) -> None:
    assert "ISO 3166" in drop.rule_of("orders", order(country=text), ORDER)


def test_codes_in_lower_case_and_unknown_country_are_taken(drop: Drop) -> None:
    drop.put("orders", [order(country="de", currency="eur"), order(line_ref="2", country="ZZ")])
    drop.night()
    assert [(r["country"], r["currency"]) for r in drop.rows("orders")] == [
        ("DE", "EUR"),
        ("ZZ", "GBP"),
    ]


def test_rfc_4180_quotes(drop: Drop) -> None:
    quoted = order(cancel_reason='He said "no, thanks",\nthen left')
    drop.put("orders", [quoted, order(line_ref="2")])
    drop.night()
    assert drop.rows("orders")[0]["cancel_reason"] == quoted["cancel_reason"]
    assert len(drop.rows("orders")) == 2


def test_broken_quotes_refuse_the_row_an_open_quote_the_file(drop: Drop) -> None:
    good = csv_text(orders(30))
    drop.put("orders", good + good.splitlines()[1].replace("N-0", '"N-0"x') + "\n")
    drop.night()
    assert drop.rejects("orders") == {"quotes": 1}
    assert len(drop.rows("orders")) == 30
    drop.put("orders", good.replace("N-5,", '"N-5,', 1), "open.csv")
    drop.night()
    assert "never closed" in drop.errors("open.csv")[0]["rule"]
    assert len(drop.rows("orders")) == 30


def test_row_of_the_wrong_length_is_refused(drop: Drop) -> None:
    text = csv_text(orders(60))
    drop.put("orders", text + "tiktok_uk,O-9,1\n" + text.splitlines()[1] + ",extra\n")
    drop.night()
    assert drop.rejects("orders") == {"row_length": 2}


def test_other_separators_are_named(drop: Drop) -> None:
    drop.put("orders", csv_text([order()]).replace(",", ";"))
    drop.night()
    assert "comma" in drop.errors()[0]["rule"]


def test_utf8_with_bom_is_accepted(drop: Drop) -> None:
    drop.put("orders", b"\xef\xbb\xbf" + csv_text([order(sku="奶瓶")]).encode())
    drop.night()
    assert drop.rows("orders")[0]["sku"] == "奶瓶"
    assert drop.manifests("orders")[0].encoding == "utf-8"


def test_gb18030_only_where_settings_list_it_and_utf8_first(drop: Drop) -> None:
    drop.settings = {"encodings": ("utf-8", "gb18030")}
    both = csv_text([order(sku="暖奶器")])
    drop.put("orders", both.encode("gb18030"), "old.csv")
    drop.put("orders", csv_text([order(line_ref="2", sku="暖奶器")]).encode(), "new.csv")
    drop.night()
    assert {row["sku"] for row in drop.rows("orders")} == {"暖奶器"}
    encodings = {m.source_ref.split("#")[0]: m.encoding for m in drop.manifests("orders")}
    assert encodings == {"old.csv": "gb18030", "new.csv": "utf-8"}


ACCOUNTS = (
    KnownAccount("amz_eu", "amazon", ("amazon_de", "amazon_fr")),
    KnownAccount("amz_uk", "amazon", ("amazon_gb",)),
    KnownAccount("amz_uk2", "amazon", ("amazon_gb", "amazon_ie")),
    KnownAccount("temu", "files"),
)


@pytest.mark.parametrize(
    ("channel", "resolved"),
    [
        ("amz_eu", ("amazon", "amz_eu", None)),
        ("AMZ_EU", ("amazon", "amz_eu", None)),
        ("amz_uk", ("amazon", "amz_uk", "amazon_gb")),
        ("amazon_fr", ("amazon", "amz_eu", "amazon_fr")),
        ("temu", ("files", "temu", "temu")),
        ("tiktok_uk", ("files", "tiktok_uk", "tiktok_uk")),
    ],
)
def test_channel_is_looked_up_as_account_then_marketplace_else_its_own(
    drop: Drop, channel: str, resolved: tuple[str, str, str | None]
) -> None:
    drop.accounts = ACCOUNTS
    drop.put("orders", [order(channel=channel)])
    drop.night()
    row = drop.rows("orders")[0]
    names = ("channel_connector", "channel_account", "channel_marketplace")
    assert tuple(row.get(name) for name in names) == resolved
    assert row["channel"] == channel


def test_channel_that_fits_several_accounts_is_refused_with_the_choices(drop: Drop) -> None:
    drop.accounts = ACCOUNTS
    sentence = drop.rule_of("orders", order(channel="amazon_gb"), ORDER)
    assert "amz_uk (amazon), amz_uk2 (amazon)" in sentence
    assert drop.rejects("orders") == {"ambiguous_channel": 1}


def test_people_are_hashed_on_read(drop: Drop) -> None:
    inspection = {
        "inspection_id": "I1",
        "sku": "S1",
        "inspected_at": "2026-11-01T10:00:00Z",
        "quantity": "1",
        "grade": "b",
        "inspector": "Mei Li",
    }
    drop.put("orders", [order(customer_ref="buyer-7")])
    drop.put("return_inspections", [inspection])
    drop.night()
    assert drop.rows("orders")[0]["customer_ref"] == customer_key("buyer-7", "test-key")
    found = drop.rows("return_inspections")[0]
    assert found["inspector"] == keyed_hash("Mei Li", "test-key")
    assert found["grade"] == "B"


def test_people_without_a_key_stop_the_stream_and_leave_the_file(drop: Drop) -> None:
    drop.settings = {"secrets": {}}
    path = drop.put("orders", [order(customer_ref="buyer-7")])
    with pytest.raises(AssertionError, match="customer_key_env"):
        drop.night()
    assert path.exists()
    assert drop.rows("orders") == []


def test_unfinished_and_hidden_files_are_left(drop: Drop) -> None:
    for name in (".hidden.csv", "~$open.xlsx", "copy.csv.part", "copy.csv.tmp"):
        drop.put("orders", [order()], name)
    drop.night()
    assert len(list((drop.inbox / "orders").iterdir())) == 4
    assert drop.manifests("orders") == []


@pytest.mark.parametrize("name", ["list.txt", "list.zip", "list"])
def test_other_formats_are_refused(drop: Drop, name: str) -> None:
    drop.put("orders", [order()], name)
    drop.night()
    assert drop.rejects("orders") == {"unknown_format": 1}
    assert (drop.rejected / name).exists()


def test_a_folder_that_is_no_dataset_is_named_by_check(drop: Drop) -> None:
    (drop.inbox / "ordres").mkdir(parents=True)
    checks = CONNECTOR.check(CONNECTOR.open(drop.account(), ManualClock(drop.day)))
    assert [(check.subject, check.ok) for check in checks] == [("inbox/ordres", False)]
    assert "orders" in checks[0].message


def test_accounts_of_connector_files_read_nothing_themselves(tmp_path: Path) -> None:
    drop = Drop(tmp_path)
    account = FilesSettings(name="temu", marketplaces=("temu",))
    request = ExtractRequest(CONNECTOR, account, streams=frozenset(["orders"]))
    outcomes = extract_all([request], drop.landing, ManualClock(drop.day))
    assert [(o.state, o.rows) for o in outcomes] == [("ok", 0)]
