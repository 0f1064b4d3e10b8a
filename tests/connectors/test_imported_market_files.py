"""Files of Seller Hub and Seller Center as downloaded: recognised, refused with what to do, loaded
once. Headers of eBay are those of published files; those marked as believed in `exports.yml` are
tested as they stand there.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from assets.control import ensure_control_tables
from assets.load import load_landed
from assets.raw_tables import ensure_raw_tables
from assets.warehouse import Warehouse
from pipelines.import_run import import_files
from pipelines.imported import read_imported
from pipelines.opening import read_settings
from pipelines.recognition import Finding
from pipelines.resources import Places
from sources._core.clock import ManualClock
from sources._core.connector import Page
from sources._core.records import RecordEncoder
from sources.registry import connectors
from sources.walmart.recon import recon_pages
from sources.walmart.streams import RECON as RECON_STREAM

NOW = datetime(2026, 8, 20, 12, tzinfo=UTC)

EBAY_ORDERS = """
"Sales Record Number","Order Number","Buyer Username","Buyer Name","Ship To Country","Item Number","Item Title","Custom Label","Quantity","Sold For","Shipping And Handling","Seller Collected Tax","Total Price","Payment Method","Sale Date","Paid On Date","Ship By Date","Shipped On Date","Tracking Number","Transaction ID"
"7","12-34567-89012","eve","Eve Adams","United States","","","","","","$5.00","$0.00","$45.00","","Jul-10-26","Jul-10-26","Jul-14-26","","",""
"7","12-34567-89012","","","","204000000001","Bottle","BOT-1","2","$10.00","$3.00","$0.00","","","","","","Jul-11-26","94001","1001"
"7","12-34567-89012","","","","204000000002","Bib","","1","$1,020.00","$2.00","$0.00","","","","","","","","1002"
"8","12-34567-89013","bob","Bob Berg","Germany","204000000001","Bottle","BOT-1","1","$10.00","$0.00","$0.00","$10.00","","Aug-02-26","Aug-02-26","","","","1003"

3,record(s) downloaded,from Jul-01-26 to Aug-20-26,
Seller ID : brandshop
"""  # noqa: E501
EBAY_MONEY = """--
"Transaction report"
"Seller: brandshop"

"Transaction creation date","Type","Order number","Legacy order ID","Buyer username","Buyer name","Net amount","Payout currency","Payout date","Payout ID","Item ID","Transaction ID","Item title","Custom label","Quantity","Item subtotal","Shipping and handling","Seller collected tax","eBay collected tax","Final Value Fee - fixed","Final Value Fee - variable","Gross transaction amount","Transaction currency","Reference ID","Description"
"Jul 10, 2026","Order","12-34567-89012","x","eve","Eve Adams","20.40","USD","Jul 15, 2026","P1","204000000001","1001","Bottle","BOT-1","2","20.00","3.00","0","1.50","-0.30","-2.30","23.00","USD","R1","--"
"Jul 20, 2026","Refund","12-34567-89012","x","eve","Eve Adams","-10.20","USD","Jul 25, 2026","P2","204000000001","1001","Bottle","BOT-1","1","-10.00","-1.50","0","-0.75","0","1.30","-11.50","USD","R2","--"
"Aug 19, 2026","Order","12-34567-89013","x","bob","Bob Berg","8.00","USD","--","--","204000000001","1003","Bottle","BOT-1","1","10.00","0","0","0","-0.30","-1.70","10.00","USD","R3","--"
"Jul 12, 2026","Shipping label","12-34567-89012","","","","-4.10","USD","Jul 15, 2026","P1","--","--","--","--","--","--","--","--","--","--","--","-4.10","USD","R4","Label 94001"
"""  # noqa: E501
RECON = """Period Start Date,Period End Date,Total Payable,Currency,Transaction Key,Transaction Posted Timestamp,Transaction Type,Transaction Description,Customer Order #,Customer Order line #,Purchase Order #,Purchase Order line #,Amount,Amount Type,Ship Qty,Partner Item Id,Ship to State,Ship to City,Ship to Zipcode
07/18/2026,08/01/2026,17.50,USD,,08/03/2026,PaymentSummary,Deposited in account,,,,,,,,,,,
,,,USD,k1,07/20/2026,Sale,Purchase,200011112222333,1,1796277083022,1,20.00,Product Price,1,BOT-1,CA,Fresno,93650
,,,USD,k2,07/20/2026,Sale,Purchase,200011112222333,1,1796277083022,1,-2.50,Commission on Product,1,BOT-1,CA,Fresno,93650
"""  # noqa: E501
WALMART_ORDERS = """PO#,Order#,Order Date,Ship By,Customer Name,State,Line#,Status,Qty,SKU,Item Cost,Shipping Cost,Tax,Carrier,Tracking Number
1796277083022,200011112222333,2026-07-19,2026-07-21,Eve Adams,CA,1,Delivered,2,BOT-1,10.00,1.00,1.40,FedEx,7712345
"""  # noqa: E501

Import = Callable[..., Sequence[Finding]]


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "data", tmp_path / "state", tmp_path / "aftersales.toml")


@pytest.fixture
def bring(places: Places, tmp_path: Path) -> Import:
    def run(*texts: str, account: str | None = None) -> Sequence[Finding]:
        paths = []
        for number, text in enumerate(texts):
            path = tmp_path / f"file{number}.csv"
            path.write_text(text, encoding="utf-8-sig")
            paths.append(path)
        return import_files(places, paths, account, ManualClock(NOW)).findings

    return run


def dropped(places: Places, dataset: str) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    for path in sorted((places.inbox / dataset).iterdir()):
        rows += csv.DictReader(io.StringIO(path.read_text("utf-8")))
    return rows


def test_orders_of_ebay_are_order_lines_with_what_the_order_says_once(
    bring: Import, places: Places
) -> None:
    (found,) = bring(EBAY_ORDERS)
    assert (found.state, found.message, found.account, found.rows) == ("new", "", "ebay_us", 3)
    assert (found.first_day, found.last_day) == (date(2026, 7, 10), date(2026, 8, 2))
    lines = dropped(places, "orders")
    wanted = ("order_ref", "line_ref", "sku", "quantity", "unit_price", "currency", "country")
    assert [tuple(line[name] for name in wanted) for line in lines] == [
        ("12-34567-89012", "1001", "BOT-1", "2", "10.00", "USD", "US"),
        ("12-34567-89012", "1002", "204000000002", "1", "1020.00", "USD", "US"),
        ("12-34567-89013", "1003", "BOT-1", "1", "10.00", "USD", "DE"),
    ]
    assert {line["ordered_at"] for line in lines} == {
        "2026-07-10T12:00:00Z", "2026-08-02T12:00:00Z",
    }  # fmt: skip
    assert "Eve" not in str(lines)
    assert read_imported(places.data).accounts[0].connector == "ebay"
    assert bring(EBAY_ORDERS)[0].state == "known"


def test_each_payout_of_ebay_adds_up_and_what_is_not_paid_out_waits(
    bring: Import, places: Places
) -> None:
    (_, found) = bring(EBAY_ORDERS, EBAY_MONEY)
    assert (found.state, found.message, found.account) == ("new", "", "ebay_us")
    sums: dict[str, Decimal] = {}
    for line in dropped(places, "settlements"):
        payout = line["settlement_ref"]
        sums[payout] = sums.get(payout, Decimal(0)) + Decimal(line["amount"])
    assert sums == {"P1": Decimal("16.30"), "P2": Decimal("-10.20")}
    parts = {
        (line["transaction_type"], line["amount_description"]): line["amount"]
        for line in dropped(places, "settlements")
    }
    assert parts["Order", "final value fee - variable"] == "-2.30"
    assert parts["Order", "Order"] == "23.00"
    (refund,) = dropped(places, "refunds")
    assert (refund["refund_ref"], refund["amount"], refund["shipping_amount"]) == (
        "R2", "10.00", "1.50",
    )  # fmt: skip


def test_overlapping_transaction_reports_number_a_row_alike(bring: Import, places: Places) -> None:
    bring(EBAY_MONEY)
    first = {line["row_no"] for line in dropped(places, "settlements")}
    head, rows = EBAY_MONEY.split("\n\n")
    lines = rows.splitlines()
    bring("\n\n".join((head, "\n".join([lines[0], *reversed(lines[1:3])]) + "\n")))
    again = [line["row_no"] for line in dropped(places, "settlements")]
    assert set(again) == first
    assert len(again) > len(first)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("Aug-02-26", "08/02/26", "ordered at"),
        ("$1,020.00", "1.020,0", "unit price"),
        ("12-34567-89013", "1.23E+13", "spreadsheet"),
        ("$", "", "Currency"),
        ('"1003"\n', '"10', "cut"),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(
    bring: Import, places: Places, before: str, after: str, words: str
) -> None:
    text = EBAY_ORDERS.replace(before, after)
    if words == "cut":
        text = text[: text.index("Aug-02-26")]
    (found,) = bring(text)
    assert (found.state, found.title) == ("refused", None)
    assert words in found.message
    assert not (places.inbox / "orders").exists()


def loaded(places: Places, sql: str) -> list[tuple[Any, ...]]:
    warehouse = Warehouse(places.warehouse)
    with warehouse.connect() as connection:
        ensure_control_tables(connection)
        ensure_raw_tables(connection, connectors().values())
    load_landed(warehouse, places.landing, list(connectors().values()), now=NOW)
    with duckdb.connect(str(places.warehouse), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_a_payment_report_of_walmart_is_what_the_api_gives(bring: Import, places: Places) -> None:
    (found,) = bring(RECON)
    assert (found.state, found.message, found.account, found.rows) == ("new", "", "walmart_us", 3)
    assert read_settings(places).reports_only == {"walmart_us"}
    pages: list[Page] = list(recon_pages(RECON, date(2026, 8, 1), "recon 2026-08-01"))
    encoder = RecordEncoder(RECON_STREAM)
    by_api = sorted(found.hex() for page in pages for found in encoder.encode(page).hashes)
    by_file = loaded(places, "select _hash from raw_walmart.recon")
    assert sorted(row[0] for row in by_file) == by_api
    assert "Fresno" not in "".join(
        path.read_text("latin-1") for path in places.landing.rglob("*.json")
    )
    assert bring(RECON)[0].state == "known"


def test_two_periods_in_one_payment_report_are_refused(bring: Import) -> None:
    second = "08/01/2026,08/15/2026,1.00,USD,,08/17/2026,PaymentSummary,Deposited,,,,,,,,,,,\n"
    (found,) = bring(RECON + second)
    assert found.state == "refused"
    assert "2 payment periods" in found.message
    assert "Seller Center" in found.message


def test_orders_of_walmart_belong_to_the_account_of_its_payments(
    bring: Import, places: Places
) -> None:
    found = bring(WALMART_ORDERS, RECON)
    assert [(f.state, f.account) for f in found] == [("new", "walmart_us")] * 2
    (line,) = dropped(places, "orders")
    assert (line["channel"], line["order_ref"], line["order_number"], line["sku"]) == (
        "walmart_us", "1796277083022", "200011112222333", "BOT-1",
    )  # fmt: skip
    assert (line["country"], line["currency"], line["unit_price"]) == ("US", "USD", "10.00")


def test_returns_go_in_where_no_api_gives_them(
    bring: Import, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    returns = (
        "Return ID,Order Number,Custom Label,Quantity,Return Requested Date,Return Reason\n"
        "5001,12-34567-89012,BOT-1,1,Jul-20-26,DEFECTIVE_ITEM\n"
    )
    (alone,) = bring(returns)
    assert "import its orders first" in alone.message
    bring(EBAY_ORDERS)
    (found,) = bring(returns)
    assert (found.state, found.account) == ("new", "ebay_us")
    (row,) = dropped(places, "returns")
    assert (row["return_ref"], row["reason_code"]) == ("5001", "DEFECTIVE_ITEM")
    monkeypatch.setenv("AFTERSALES_CUSTOMER_KEY", "k" * 32)
    for name in ("client_id", "client_secret", "refresh_token"):
        monkeypatch.setenv(f"BAY_{name.upper()}", "x")
    places.config.write_text(
        '[[accounts]]\nconnector = "ebay"\nname = "bay"\nmarketplaces = ["ebay_us"]\n'
        "start = 2026-01-01\nsecrets = { "
        + ", ".join(
            f'{n} = "BAY_{n.upper()}"' for n in ("client_id", "client_secret", "refresh_token")
        )
        + " }\n"
    )
    (refused,) = bring(returns.replace("5001", "5002"), account="bay")
    assert refused.state == "refused"
    assert "API" in refused.message


def test_an_unknown_file_is_told_what_is_known(bring: Import) -> None:
    (found,) = bring("Rücksendung,Bestellung\n1,2\n")
    assert found.state == "refused"
    for title in ("eBay orders report", "eBay transaction report", "Walmart payment report"):
        assert title in found.message
