"""Reports as downloaded: recognised, refused with what to do, or loaded once, as by the API."""

from __future__ import annotations

import csv
import gzip
import io
import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from openpyxl import Workbook

from assets.control import ensure_control_tables
from assets.load import load_landed
from assets.raw_tables import ensure_raw_tables
from assets.warehouse import Warehouse
from pipelines import night as steps
from pipelines.import_run import import_files
from pipelines.import_summary import gaps
from pipelines.imported import read_imported
from pipelines.opening import open_night, read_settings
from pipelines.recognition import Finding
from pipelines.resources import Places
from sources._core.clock import ManualClock
from sources.amazon import CONNECTOR
from sources.amazon.layouts import ALL_ORDERS, FBA_RETURNS
from sources.registry import connectors
from tests.connectors.amazon_stub import Nights, StubAmazon, StubReport, tab_file


def _words(text: str) -> list[str]:
    return text.split()


NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
ORDER_COLUMNS = _words(
    "amazon-order-id purchase-date last-updated-date order-status fulfillment-channel "
    "sales-channel product-name sku asin item-status quantity currency item-price "
    "ship-country"
)
RETURN_COLUMNS = _words(
    "return-date order-id sku asin fnsku product-name quantity fulfillment-center-id "
    "detailed-disposition reason status license-plate-number customer-comments"
)
SETTLEMENT_COLUMNS = _words(
    "settlement-id settlement-start-date settlement-end-date deposit-date total-amount "
    "currency transaction-type order-id marketplace-name amount-type amount-description "
    "amount posted-date posted-date-time sku"
)
PLATE = "license-plate-number"

Import = Callable[..., Sequence[Finding]]


def order(
    number: int, sku: str = "00123", channel: str = "Amazon.de", day: str = "10"
) -> list[str]:
    at = f"2026-03-{day}T08:00:00+00:00"
    money = ["2", "EUR", "19.90", "DE"]
    return [f"303-000000{number}-0000001", at, at, "Shipped", "Amazon", channel, 'Sieb 24"',
            "00123", "B01", "Shipped", *money]  # fmt: skip


def returned(number: int, plate: str, comment: str = "", day: str = "15") -> list[str]:
    at = f"2026-03-{day}T15:31:40+00:00"
    return [at, f"303-000000{number}-0000001", "00123", "B01", "X01", 'Sieb 24"', "1", "FRA3",
            "CUSTOMER_DAMAGED", "DEFECTIVE", "Pending", plate, comment]  # fmt: skip


def settlement(*amounts: str, total: str = "-15.00", channel: str = "Amazon.de") -> list[list[str]]:
    at = "2026-03-12 09:00:00 UTC"
    head = ["11223344", "2026-03-01 00:00:00 UTC", "2026-03-15 00:00:00 UTC",
            "2026-03-16 00:00:00 UTC", total, "EUR", *[""] * 9]  # fmt: skip
    rows = [
        ["11223344", "", "", "", "", "", "Refund", "303-0000001-0000001", channel, "ItemPrice",
         "Principal", amount, "2026-03-12", at, "00123"]
        for amount in amounts
    ]  # fmt: skip
    return [head, *rows]


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "data", tmp_path / "state", tmp_path / "aftersales.toml")


@pytest.fixture
def bring(places: Places, tmp_path: Path) -> Import:
    """Import files given as name=content into the installation."""

    def run(account: str | None = None, **files: bytes) -> Sequence[Finding]:
        paths = []
        for name, content in files.items():
            path = tmp_path / "downloads" / name.replace("__", ".")
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
            paths.append(path)
        return import_files(places, paths, account, ManualClock(NOW)).findings

    return run


def loaded(places: Places, sql: str) -> list[tuple[Any, ...]]:
    """Rows of the raw tables after everything landed was loaded."""
    warehouse = Warehouse(places.warehouse)
    with warehouse.connect() as connection:
        ensure_control_tables(connection)
        ensure_raw_tables(connection, connectors().values())
    load_landed(warehouse, places.landing, list(connectors().values()), now=NOW)
    with duckdb.connect(str(places.warehouse), read_only=True) as connection:
        return connection.execute(sql).fetchall()


ORDERS = tab_file(ORDER_COLUMNS, order(1), order(2, day="11"))
RETURNS = tab_file(RETURN_COLUMNS, returned(1, "LPN1"), returned(2, "LPN2"))
SETTLEMENT = tab_file(SETTLEMENT_COLUMNS, *settlement("-10.00", "-5.00"))


def test_three_reports_make_an_account_without_any_key(bring: Import, places: Places) -> None:
    found = bring(returns__txt=RETURNS, orders__txt=ORDERS, settlement__txt=SETTLEMENT)
    assert [(f.state, f.download and f.download.stream.name, f.account, f.rows) for f in found] == [
        ("new", "fba_returns", "amazon_eu", 2),
        ("new", "all_orders", "amazon_eu", 2),
        ("new", "settlements", "amazon_eu", 3),
    ]
    assert (found[1].first_day, found[1].last_day) == (date(2026, 3, 10), date(2026, 3, 11))
    assert found[1].marketplaces == ("amazon_de",)
    assert (
        loaded(places, "select sku, quantity from raw_amazon.fba_returns") == [("00123", "1")] * 2
    )
    settings = read_settings(places)
    assert settings.reports_only == {"amazon_eu"}
    assert settings.general.reporting_currency == "EUR"
    assert settings.accounts[0].start == date(2026, 3, 10)


def test_the_cursor_of_such_an_account_is_what_its_reports_cover(
    bring: Import, places: Places
) -> None:
    bring(orders__txt=ORDERS, settlement__txt=SETTLEMENT)
    rows = loaded(places, "select stream, cursor_at from load.cursor order by 1")
    assert rows == [
        ("all_orders", datetime(2026, 3, 11, 8)),  # noqa: DTZ001
        ("settlements", datetime(2026, 3, 12, 9)),  # noqa: DTZ001
    ]


def test_the_same_data_by_api_and_by_file_are_the_same_rows_once(
    tmp_path: Path, bring: Import, places: Places
) -> None:
    contents = {ALL_ORDERS.report_type: ORDERS, FBA_RETURNS.report_type: RETURNS}

    def answer(report: StubReport) -> None:
        report.content = contents[report.report_type]

    nights = Nights(tmp_path / "api")
    with StubAmazon(new_report=answer).running():
        nights.night(NOW, "all_orders", "fba_returns")
    bring(account="shop", orders__txt=ORDERS, returns__txt=RETURNS)
    shutil.copytree(places.landing, nights.landing, dirs_exist_ok=True)
    for stream in ("all_orders", "fba_returns"):
        sql = f"select _key, _hash from raw_amazon.{stream} order by 1"
        by_api = nights.rows(sql)
        assert loaded(places, sql) == by_api
        assert len(by_api) == 2
    assert sum(result.rows_loaded for result in nights.load()) == 0
    assert nights.rows(sql) == by_api


@pytest.mark.parametrize("again", [ORDERS, gzip.compress(ORDERS, mtime=1)])
def test_a_report_brought_twice_is_loaded_once(bring: Import, places: Places, again: bytes) -> None:
    bring(orders__txt=ORDERS)
    (second,) = bring(other_name__txt=again)
    assert second.state == ("known" if again == ORDERS else "new")
    assert loaded(places, "select count(*) from raw_amazon.all_orders") == [(2,)]


def test_overlapping_reports_are_one_row_a_line(bring: Import, places: Places) -> None:
    bring(first__txt=ORDERS)
    bring(second__txt=tab_file(ORDER_COLUMNS, order(2, day="11"), order(3, day="12")))
    assert loaded(places, "select count(*) from raw_amazon.all_orders") == [(3,)]


def workbook(columns: Sequence[str], *rows: Sequence[Any]) -> bytes:
    book = Workbook()
    sheet = book.worksheets[0]
    for row in (columns, *rows):
        sheet.append(list(row))
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("orders__xlsx", workbook(ORDER_COLUMNS, order(1), order(2, day="11"))),
        ("orders__csv", tab_file(ORDER_COLUMNS, order(1), order(2, day="11")).replace(b"\t", b",")),
        ("orders__csv", tab_file(ORDER_COLUMNS, order(1), order(2, day="11")).replace(b"\t", b";")),
        ("orders__txt", ORDERS.decode().encode("utf-16")),
        ("orders__txt", b"\xef\xbb\xbf" + ORDERS.rstrip()),
    ],
)
def test_a_harmless_change_of_the_file_changes_no_row(
    bring: Import, places: Places, name: str, content: bytes
) -> None:
    bring(original__txt=ORDERS)
    before = loaded(places, "select _key, _hash from raw_amazon.all_orders order by 1")
    (found,) = bring(**{name: content})
    assert (found.state, found.message) == ("new", "")
    assert loaded(places, "select _key, _hash from raw_amazon.all_orders order by 1") == before


def changed_return(column: str, cell: str) -> bytes:
    cells = dict(zip(RETURN_COLUMNS, returned(1, "LPN1"), strict=True)) | {column: cell}
    return tab_file(RETURN_COLUMNS, cells.values())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (changed_return(PLATE, "1.11E+16"), PLATE),
        (changed_return("return-date", "3/15/2026 15:31"), "return-date"),
        (changed_return("return-date", "46096.6470"), "return-date"),
        (tab_file(ORDER_COLUMNS, [*order(1)[:1], "10/03/2026", *order(1)[2:]]), "purchase-date"),
        (workbook(RETURN_COLUMNS, [*returned(1, "")[:11], 111_111_111_111_111_111, ""]), PLATE),
    ],
)
def test_a_file_spoilt_by_a_spreadsheet_is_refused_with_what_to_do(
    bring: Import, places: Places, content: bytes, words: str
) -> None:
    bring(orders__txt=ORDERS)
    is_workbook = content.startswith(b"PK")
    (found,) = bring(**{"spoilt__xlsx" if is_workbook else "spoilt__txt": content})
    assert found.state == "refused"
    assert words in found.message
    assert "Seller Central" in found.message
    assert not (places.landing / "amazon" / "amazon_eu" / "fba_returns").exists()


def test_two_ways_of_writing_dates_in_one_column_are_a_spreadsheets_work(bring: Import) -> None:
    rows = [returned(1, "L1"), returned(2, "L2")]
    rows[0][0], rows[1][0] = "2026-05-03", "13-03-2026"
    (_, found) = bring(orders__txt=ORDERS, returns__txt=tab_file(RETURN_COLUMNS, *rows))
    assert found.state == "refused"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        ORDERS[: len(ORDERS) - 40],
        RETURNS[:-60],
        gzip.compress(ORDERS)[:-20],
        ORDERS[: ORDERS.index(b"\r\n") // 2],
        workbook(ORDER_COLUMNS, order(1))[:900],
        tab_file(SETTLEMENT_COLUMNS, *settlement("-10.00"))[:-2],
        tab_file(RETURN_COLUMNS, returned(1, "L", "zu groß"))[:-3],
        b"<html><body>Please sign in</body></html>",
    ],
)
def test_half_a_download_is_refused(bring: Import, places: Places, content: bytes) -> None:
    (found,) = bring(half__txt=content)
    assert found.state == "refused"
    assert "download" in found.message
    assert not (places.landing / "amazon").exists()


def test_a_download_in_progress_is_not_read(bring: Import) -> None:
    (found,) = bring(orders__txt__crdownload=ORDERS)
    assert found.state == "refused"


def test_an_unknown_language_is_told_what_to_set(bring: Import) -> None:
    header = ["Bestellnummer", "Kaufdatum", "Status", "Menge", "Betrag"]
    (found,) = bring(fremd__txt=tab_file(header, ["1", "2", "3", "4", "5"]))
    assert found.state == "refused"
    assert "English" in found.message
    assert "Bestellnummer" in found.message


def test_a_missing_column_names_the_report_and_the_column(bring: Import) -> None:
    columns = [name for name in RETURN_COLUMNS if name != "order-id"]
    (found,) = bring(returns__txt=tab_file(columns, ["x"] * len(columns)))
    assert "FBA customer returns" in found.message
    assert "order-id" in found.message


def test_a_report_of_another_region_is_another_account(bring: Import, places: Places) -> None:
    american = tab_file(ORDER_COLUMNS, order(7, channel="Amazon.com"))
    found = bring(german__txt=ORDERS, american__txt=american)
    assert [f.account for f in found] == ["amazon_eu", "amazon_na"]
    (refused,) = bring(account="amazon_eu", again__txt=american.replace(b"0000007", b"0000008"))
    assert refused.state == "refused"
    assert "amazon_us" in refused.message
    assert loaded(places, "select count(*) from raw_amazon.all_orders") == [(3,)]
    (refused,) = bring(account="amazon_na", returns__txt=RETURNS)
    assert "amazon_eu" in refused.message


def test_returns_alone_do_not_say_whose_they_are(bring: Import) -> None:
    (found,) = bring(returns__txt=RETURNS)
    assert found.state == "refused"
    assert "--account" in found.message


def test_an_account_of_the_settings_takes_reports_of_its_marketplaces(
    bring: Import, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFTERSALES_CUSTOMER_KEY", "k" * 32)
    monkeypatch.setenv("TOKEN", "t")
    secrets = ", ".join(f'{name} = "TOKEN"' for name in CONNECTOR.settings.secret_names)
    places.config.write_text(
        '[[accounts]]\nconnector = "amazon"\nname = "shop"\nmarketplaces = ["DE"]\n'
        f"start = 2026-01-01\nsecrets = {{ {secrets} }}\n"
    )
    (found,) = bring(orders__txt=ORDERS)
    assert (found.state, found.account) == ("new", "shop")
    assert loaded(places, "select count(*) from load.cursor where account = 'shop'") == [(0,)]
    for account in (None, "shop"):
        french = tab_file(ORDER_COLUMNS, order(8, channel="Amazon.fr"))
        (refused,) = bring(account=account, french__txt=french)
        assert refused.state == "refused"
        assert "shop" in refused.message
    assert read_imported(places.data).accounts == ()


def test_personal_columns_are_not_landed(bring: Import, places: Places) -> None:
    columns = [*ORDER_COLUMNS, "buyer-name", "secret-column"]
    bring(orders__txt=tab_file(columns, [*order(1), "Erika Muster", "zzz"]))
    assert loaded(places, "select field from load.drift where drift_kind = 'added'") == [
        ("secret-column",)
    ]


def test_gaps_between_reports_are_told() -> None:
    spans = [(date(2026, 3, 1), date(2026, 3, 31)), (date(2026, 1, 1), date(2026, 1, 31))]
    assert list(gaps(spans)) == [(date(2026, 2, 1), date(2026, 2, 28))]
    assert list(gaps(spans[:1])) == []


REIMBURSEMENTS = tab_file(
    _words(
        "approval-date reimbursement-id case-id amazon-order-id reason sku currency-unit"
        " amount-per-unit amount-total quantity-reimbursed-cash"
    ),
    _words("2026-03-14T10:00:00+00:00 900 7 303-0000001-0000001 Damaged_Warehouse 00123 EUR 9 9 1"),
)
SELLER_RETURNS = tab_file(
    ["Order ID", "Order date", "Return request date", "Return request status", "Amazon RMA ID",
     "Merchant SKU", "Return quantity", "Order quantity", "Return Reason"],
    ["303-0000001-0000001", "10-Mar-2026", "15-Mar-2026", "Approved", "D1", "00123", "1", "1",
     "CR-DEFECTIVE"],
)  # fmt: skip
XML_RETURNS = b"""<?xml version="1.0" encoding="UTF-8"?><AmazonEnvelope><Message><return_details>
<item_details><merchant_sku>00123</merchant_sku><return_quantity>1</return_quantity></item_details>
<order_id>303-0000001-0000001</order_id><return_request_date>2026-03-15T10:00:00Z</return_request_date>
</return_details></Message></AmazonEnvelope>
"""
FEEDBACK = tab_file(
    ["Datum", "Bewertung", "Kommentare", "Ihre Antwort", "Bestellnummer", "E-Mail"],
    ["14.03.26", "2", "zu spät, ruft an: 030 1234567", "", "303-0000001-0000001", "x@y.de"],
)


@pytest.mark.parametrize(
    ("content", "stream"),
    [
        (REIMBURSEMENTS, "fba_reimbursements"),
        (SELLER_RETURNS, "mfn_returns"),
        (XML_RETURNS, "mfn_returns"),
        (FEEDBACK, "seller_feedback"),
        (FEEDBACK.decode().encode("cp1252"), "seller_feedback"),
    ],
)
def test_the_other_reports_are_recognised(
    bring: Import, places: Places, content: bytes, stream: str
) -> None:
    (_, found) = bring(orders__txt=ORDERS, report__txt=content)
    assert (found.state, found.message, found.account) == ("new", "", "amazon_eu")
    assert found.download is not None
    assert found.download.stream.name == stream
    assert loaded(places, f"select count(*) from raw_amazon.{stream}") == [(1,)]


def test_feedback_is_masked_and_named_by_its_marketplace(bring: Import, places: Places) -> None:
    bring(orders__txt=ORDERS, feedback__csv=FEEDBACK)
    (row,) = loaded(places, "select marketplace, date, comments from raw_amazon.seller_feedback")
    assert row[:2] == ("amazon_de", "2026-03-14")
    assert "1234567" not in row[2]


def test_cut_xml_is_refused(bring: Import, places: Places) -> None:
    (_, found) = bring(orders__txt=ORDERS, returns__xml=XML_RETURNS[:-60])
    assert found.state == "refused"
    assert not (places.landing / "amazon" / "amazon_eu" / "mfn_returns").exists()


SHOP_COLUMNS = [
    "Name", "Email", "Financial Status", "Paid at", "Fulfilled at", "Currency", "Subtotal",
    "Shipping", "Taxes", "Total", "Created at", "Lineitem quantity", "Lineitem name",
    "Lineitem price", "Lineitem sku", "Lineitem fulfillment status", "Shipping Country",
    "Cancelled at", "Id",
]  # fmt: skip


def shop_orders(**changes: str) -> bytes:
    """An order of two lines, as Shopify writes it: what is of the order stands in its first row."""
    at = "2026-03-10 09:00:00 +0100"
    first = ["#1001", "erika@example.org", "paid", at, "2026-03-11 10:00:00 +0100", "EUR", "27.00",
             "5.00", "5.11", "32.00", at, "2", "Romper", "10.00", "R-66", "fulfilled", "DE", "",
             "5123456789012"]  # fmt: skip
    second = [*["#1001"], *[""] * 9, at, "1", "Bib, blue", "10.00", "BIB", "pending", "", "", ""]
    head = dict(zip(SHOP_COLUMNS, first, strict=True))
    head |= {name.replace("_", " "): value for name, value in changes.items()}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([SHOP_COLUMNS, list(head.values()), second])
    return text.getvalue().encode()


def test_an_order_export_of_shopify_goes_through_the_inbox(bring: Import, places: Places) -> None:
    (found,) = bring(orders_export__csv=shop_orders())
    assert (found.state, found.account, found.rows) == ("new", "shopify", 2)
    (dropped,) = (places.inbox / "orders").iterdir()
    rows = list(csv.DictReader(dropped.open(encoding="utf-8")))
    shown = ("order_ref", "order_number", "sku", "quantity", "discount_amount", "status", "country")
    assert [tuple(row[name] for name in shown) for row in rows] == [
        ("5123456789012", "#1001", "R-66", "2", "2.00", "shipped", "DE"),
        ("5123456789012", "#1001", "BIB", "1", "1.00", "open", "DE"),
    ]
    assert [row["tax_amount"] for row in rows] == ["3.41", "1.70"]
    assert {row["tax_included"] for row in rows} == {"true"}
    assert rows[0]["ordered_at"] == "2026-03-10T09:00:00+01:00"
    assert "erika" not in dropped.read_text("utf-8")
    settings = read_settings(places)
    assert settings.reports_only == {"shopify"}
    (again,) = bring(other__csv=shop_orders())
    assert again.state == "known"
    with open_night(where=places) as night:
        steps.prepare(night)
        (outcome,) = steps.extract(night, only={"files": frozenset(["orders"])})
    assert (outcome.error, outcome.rows, outcome.rejected) == (None, 2, 0)


@pytest.mark.parametrize("changes", [{"Id": "5.12E+12"}, {"Created_at": "3/10/2026 9:00"}])
def test_an_export_changed_by_a_spreadsheet_is_refused(
    bring: Import, places: Places, changes: dict[str, str]
) -> None:
    (found,) = bring(orders_export__csv=shop_orders(**changes))
    assert found.state == "refused"
    assert "spreadsheet" in found.message
    assert not (places.inbox / "orders").exists()


def test_a_night_of_reports_alone_asks_no_api(bring: Import, places: Places) -> None:
    bring(orders__txt=ORDERS)
    with open_night(where=places) as night:
        steps.prepare(night)
        wanted = frozenset(stream.name for stream in CONNECTOR.streams)
        outcomes = steps.extract(night, only={"amazon": wanted})
    assert {o.stream for o in outcomes} == {s.name for s in CONNECTOR.streams if s.is_static}
    assert {o.error for o in outcomes} == {None}
    assert not night.settings.is_sandbox
