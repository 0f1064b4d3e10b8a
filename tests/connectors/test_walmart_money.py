"""Payment reports, statements and on-request reports of a store whose API behaves as APIs do.

Numbers are those of the acceptance cases in the facts about Walmart, section 10.
"""

from __future__ import annotations

import logging
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from sources._core.clock import ManualClock
from sources.walmart.times import report_day, report_name
from tests.connectors import walmart_stub as stub
from tests.connectors.walmart_stub import (
    NOW,
    Nights,
    Reply,
    Request,
    StubWalmart,
    account,
    as_json,
    refusal,
    zipped,
)

FILE = "/v3/report/reconreport/reconFile"
STATUS = "/v3/reports/reportRequests"
HEADER = (
    "Period Start Date,Period End Date,Total Payable,Currency,Transaction Key,"
    "Transaction Posted Timestamp,Transaction Type,Transaction Description,Customer Order #,"
    "Customer Order line #,Purchase Order #,Purchase Order line #,Amount,Amount Type,Ship Qty,"
    "Partner Item Id,Partner Item Name,Ship to State,Ship to City,Ship to Zipcode"
)
SUMMARY = "03/03/2026,03/16/2026,12.30,USD,,03/17/2026,PaymentSummary,Deposited in  account"
SALE = (
    '"""""",,,,2026_03_17_2,03/12/2026,Sale,Purchase,6222001976751,1,1803550130406,1,"1,014.98",'
    "Product Price,1,0 A/B 01,Shirt,AR,Bentonville,72712"
)
WFS_HEADER = "Return Order Id,Purchase Order #,SKU,Return Reason,Quantity,Bin Location"


def report(*lines: str) -> bytes:
    return zipped("\ufeff" + "\n".join((HEADER, *lines)) + "\n")


def test_case_19_and_20_a_payment_report_is_read_by_the_names_of_its_columns(
    tmp_path: Path,
) -> None:
    api = StubWalmart(recon={"03172026": report(SUMMARY, SALE)})
    nights = Nights(tmp_path)
    with api.running():
        nights.night(NOW, "recon")
    columns = "report_date, row_no, transaction_posted_timestamp, amount, currency, partner_item_id"
    assert nights.rows(f"select {columns} from raw_walmart.recon order by row_no") == [
        ("2026-03-17", 1, "2026-03-17", None, "USD", None),
        ("2026-03-17", 2, "2026-03-12", Decimal("1014.98"), None, "0 A/B 01"),
    ]
    (asked,) = api.sent(FILE)
    assert asked.query == "reportDate=03172026&reportVersion=v1"
    landed = str(nights.landed("recon"))
    assert "Bentonville" not in landed
    assert "72712" not in landed


def test_case_19_a_long_period_is_complete(tmp_path: Path) -> None:
    api = StubWalmart(recon={"03172026": report(SUMMARY, *[SALE] * 1_211)})
    nights = Nights(tmp_path)
    with api.running():
        nights.night(NOW, "recon")
    assert len(nights.landed("recon")) == 1_212


@pytest.mark.parametrize(
    "body",
    [
        b'<?xml version="1.0"?><errors><error><code>SYSTEM_ERROR</code></error></errors>',
        b'{"errors":{"error":[{"code":"SYSTEM_ERROR.GMP_REPORT_API"}]}}',
    ],
)
def test_case_19_an_error_in_place_of_a_file_is_no_report(tmp_path: Path, body: bytes) -> None:
    """The other report is read; the next night reads both."""
    api = StubWalmart(recon={"03032026": report(SUMMARY), "03172026": report(SUMMARY, SALE)})
    api.script(FILE, lambda _request: (200, {}, body))
    nights = Nights(tmp_path, settings=(account(start=date(2026, 3, 1)),))
    with api.running():
        (outcome,) = nights.extract(NOW, "recon")
        assert (outcome.state, outcome.rows) == ("failed", 2)
        assert "03032026" in str(outcome.error)
        nights.night(NOW + timedelta(days=1), "recon")
    assert {key[:10] for key in nights.landed("recon")} == {"2026-03-03", "2026-03-17"}


def test_a_cut_file_is_asked_for_again_and_a_landed_one_is_not(tmp_path: Path) -> None:
    api = StubWalmart(recon={"03172026": report(SUMMARY, SALE)})
    api.script(FILE, lambda request: (200, {}, api.answer(request)[2][:-30]))
    nights = Nights(tmp_path)
    with api.running():
        nights.night(NOW, "recon")
        nights.night(NOW + timedelta(days=1), "recon")
    assert len(api.sent(FILE)) == 2
    assert len(nights.landed("recon")) == 2


def test_case_20_days_in_both_ways() -> None:
    assert report_day("03/08/2026") == report_day("03082026") == date(2026, 3, 8)
    assert report_day("3/8/2026") == report_day("2026-03-08") == date(2026, 3, 8)
    assert report_day("08032026") == date(2026, 8, 3)  # never the day first
    assert report_day("13/01/2026") is report_day("Total") is report_day("") is None
    assert report_name(date(2026, 11, 1)) == "11012026"


def test_a_report_without_its_columns_is_refused(tmp_path: Path) -> None:
    api = StubWalmart(recon={"03172026": zipped("Something,Else\n1,2\n")})
    with api.running():
        (outcome,) = Nights(tmp_path).extract(NOW, "recon")
    assert outcome.state == "failed"
    assert "transaction_type" in str(outcome.error)


def test_an_amount_that_is_none_is_held_back_and_counted(tmp_path: Path) -> None:
    api = StubWalmart(recon={"03172026": report(SUMMARY, SALE.replace('"1,014.98"', "n/a"))})
    nights = Nights(tmp_path)
    with api.running():
        (outcome,) = nights.extract(NOW, "recon")
    assert (outcome.state, outcome.rows, outcome.rejected) == ("ok", 1, 1)


def test_a_market_without_payment_reports_is_noted(tmp_path: Path) -> None:
    api = StubWalmart()
    api.script("/v3/report/reconreport/availableReconFiles", stub.no_such_path)
    nights = Nights(tmp_path, settings=(account(marketplaces=["cl"]),))
    with api.running():
        nights.night(NOW, "recon")
    assert nights.notes("recon") == {"not_offered"}


def test_the_statement_of_the_cycle_is_one_row(tmp_path: Path) -> None:
    payload = {
        "outstandingMCABalance": 0,
        "sellerInfo": {"storeFrontUrl": "https%3A%2F%2Fwww.walmart.com"},
        "accountSummary": {"closingBalance": 2370.87, "scheduledSettlementDate": "2026-03-24"},
        "transactionDetails": {
            "refundDetails": {"productPrice": -111.75, "netComm": 11.65, "netPayable": -100.1},
            "adjustmentAggregate": {"netPayable": -3.65, "returnShipServCharge": -3.65},
            "wfs": {"netPayable": -26.55, "wfsReturnShippingFee": -26.55},
        },
    }
    api = StubWalmart(statement={"status": "OK", "payload": payload})
    nights = Nights(tmp_path)
    with api.running():
        nights.night(NOW, "statements")
    details = "transactionDetails.refundDetails.netPayable, transactionDetails.wfs.netPayable"
    (row,) = nights.rows(f"select {details} from raw_walmart.statements")
    assert row == (Decimal("-100.1"), Decimal("-26.55"))
    assert nights.drift("statements") == set()


def wfs_report(api: StubWalmart, *lines: str) -> None:
    """What the first request gives once it is ready."""
    content = zipped("\n".join((WFS_HEADER, *lines)) + "\n")

    def make(request: Request) -> Reply:
        answer = api.answer(request)
        api.reports["req-1"]["content"] = content
        return answer

    api.script(STATUS, make)


def test_an_on_request_report_is_waited_for_and_read(tmp_path: Path) -> None:
    api = StubWalmart()
    row = "108,1803550130406,0 A/B,DEFECTIVE,1,A-7"
    wfs_report(api, row, row, "109,1803550130407,S-2,DAMAGED,1,A-8")
    nights, clock = Nights(tmp_path), ManualClock(NOW)
    with api.running():
        assert nights.extract(NOW, "wfs_returns", clock=clock)[0].rows == 3
    (asked,) = api.sent(STATUS)
    assert asked.query == "reportType=WFS_CUSTOMER_RETURNS&reportVersion=v1"
    assert clock.sleeps == [240.0]
    assert nights.drift("wfs_returns") == {("bin_location", "added")}
    assert {row["purchase_order_id"] for row in nights.landed("wfs_returns").values()} == {
        "1803550130406",
        "1803550130407",
    }


def test_case_21_a_report_not_ready_tonight_is_read_the_next_night(tmp_path: Path) -> None:
    api = StubWalmart()
    wfs_report(api, "108,1803550130406,S,DEFECTIVE,1,A")
    nights = Nights(tmp_path)
    with api.running():
        api.script(f"{STATUS}/req-1", *[lambda _r: as_json({"requestStatus": "INPROGRESS"})] * 50)
        (outcome,) = nights.extract(NOW, "wfs_returns")
        assert outcome.state == "failed"
        assert "next night goes on with the same report" in str(outcome.error)
        api.scripted.clear()
        nights.night(NOW + timedelta(days=1), "wfs_returns")
        assert len(nights.landed("wfs_returns")) == 1
        nights.extract(NOW + timedelta(days=2), "wfs_returns")
    assert [request.method for request in api.sent(STATUS)] == ["POST", "POST"]  # nights 1 and 3


def test_case_22_a_link_that_ran_out_is_asked_for_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    api = StubWalmart()
    wfs_report(api, "108,1803550130406,S,DEFECTIVE,1,A")
    api.script("/req-1", lambda _request: (403, {}, b"<Error>expired</Error>"))
    nights = Nights(tmp_path)
    with api.running():
        assert nights.extract(NOW, "wfs_returns")[0].rows == 1
    assert api.links == 2
    assert "secret-link" not in "\n".join(record.getMessage() for record in caplog.records)


def test_a_request_whose_answer_was_lost_is_looked_for(tmp_path: Path) -> None:
    api = StubWalmart()
    content = zipped(f"{WFS_HEADER}\n108,1803550130406,S,DEFECTIVE,1,A\n")
    api.reports["req-7"] = {"requestId": "req-7", "statuses": ["READY"], "content": content}
    listed = {"requests": [{"requestId": "req-7", "requestSubmissionDate": "2026-03-20"}]}
    api.script(STATUS, lambda _request: (504, {}, b""), lambda _request: as_json(listed))
    with api.running():
        assert Nights(tmp_path).extract(NOW, "wfs_returns")[0].rows == 1
    assert [request.method for request in api.sent(STATUS)] == ["POST", "GET"]


@pytest.mark.parametrize(
    ("answer", "note"),
    [
        (refusal(400, "INVALID_REPORT_TYPE"), "report_not_offered"),
        (as_json({"requestId": "req-9", "requestStatus": "RECEIVED"}), "report_failed"),
    ],
)
def test_a_store_without_walmarts_warehouses_is_read_all_the_same(
    tmp_path: Path, answer: Reply, note: str
) -> None:
    api = StubWalmart()
    api.script(STATUS, lambda _request: answer)
    nights = Nights(tmp_path)
    with api.running():
        assert nights.extract(NOW, "wfs_returns")[0].state == "ok"
    assert nights.notes("wfs_returns") == {note}
