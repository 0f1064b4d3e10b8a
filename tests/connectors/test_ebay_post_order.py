"""Returns, cancellations, inquiries and cases by an API without specification or sandbox.

Numbers are those of the acceptance cases in the facts about eBay, section 7.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from sources._core.clock import ManualClock
from tests.connectors import ebay_stub as stub
from tests.connectors.ebay_stub import NOW, Asked, Nights, Reply, StubEbay, at

SEARCH = "/return/search$"
KINDS = ("returns", "cancellations", "inquiries", "cases")


def many(count: int, minutes: int = 30) -> list[stub.Node]:
    begin = datetime(2026, 11, 12, tzinfo=UTC)
    times = [begin + timedelta(minutes=minutes * n) for n in range(count)]
    return [
        stub.returned(n, "1", "11", created=f"{t:%Y-%m-%dT%H:%M:%S}.000Z")
        for n, t in enumerate(times, start=1)
    ]


def inquiry(number: str, **values: object) -> stub.Node:
    given = {
        "inquiryId": int(number),
        "itemId": 110001,
        "buyer": "anna_b",
        "inquiryStatusEnum": "OPEN",
        "creationDate": stub.moment(at(14)),
        "claimAmount": {"value": 20.5, "currency": "USD"},
    }
    return {**given, **values}


def test_case_04_the_scheme_is_not_bearer(tmp_path: Path) -> None:
    shop = StubEbay(returns=many(1))
    with shop.running():
        Nights(tmp_path).good(NOW, *KINDS)
    sent = shop.sent("/post-order/")
    assert {asked.headers["Authorization"].split()[0] for asked in sent} == {"IAF"}
    assert {asked.host for asked in sent} == {"api.ebay.com"}


def test_a_token_that_dies_is_renewed_under_this_scheme_too(tmp_path: Path) -> None:
    shop = StubEbay(returns=many(3))

    def expired(asked: Asked) -> Reply:
        shop.valid_tokens.clear()
        return shop.answer(asked)

    shop.script(r"/return/2$", expired)
    with shop.running():
        assert Nights(tmp_path).good(NOW, "returns")[0].rows == 3


def test_a_return_is_its_summary_and_its_detail(tmp_path: Path) -> None:
    shop = StubEbay(returns=many(1))
    shop.return_details["1"] = {
        "marketplaceId": "EBAY_US",
        "returnShipmentInfo": {
            "shippingLabelCost": {"totalAmount": {"value": 4.5, "currency": "USD"}}
        },
        "buyerContact": {"name": "Anna"},
    }
    nights = Nights(tmp_path)
    with shop.running():
        nights.good(NOW, "returns")
    (row,) = nights.landed("returns").values()
    assert row["creationInfo"]["creationDate"] == at(12, 0)
    label = row["detail"]["returnShipmentInfo"]["shippingLabelCost"]["totalAmount"]
    assert label == {"value": "4.5", "currency": "USD"}
    assert "anna" not in json.dumps(row).lower()
    assert nights.drift("returns") == {"detail.buyerContact"}
    assert [asked.one["fieldgroups"] for asked in shop.sent(r"/return/1$")] == ["FULL"]


@pytest.mark.parametrize(
    ("value", "landed"),
    [("12.50", "12.50"), (12.5, "12.5"), (0, "0"), (None, None)],
)
def test_case_16_amounts_in_every_form(tmp_path: Path, value: object, landed: str | None) -> None:
    amount = {"value": value, "currency": "USD"} if value is not None else None
    total = {"actualRefundAmount": amount} if amount else {}
    shop = StubEbay(returns=[stub.returned(1, "1", "11", sellerTotalRefund=total)])
    nights = Nights(tmp_path)
    with shop.running():
        nights.good(NOW, "returns")
    (row,) = nights.landed("returns").values()
    found = row["sellerTotalRefund"].get("actualRefundAmount", {}).get("value")
    assert found == landed


def test_case_22_a_long_window_is_split_at_90_days(tmp_path: Path) -> None:
    nights = Nights(tmp_path, (stub.account(start=date(2026, 1, 1)),))
    with StubEbay().running() as shop:
        nights.good(NOW, "returns")
    spans = [
        datetime.fromisoformat(asked.one["creation_date_range_to"])
        - datetime.fromisoformat(asked.one["creation_date_range_from"])
        for asked in shop.sent(SEARCH)
    ]
    assert len(spans) == 4
    assert max(spans) < timedelta(days=90)


@pytest.mark.parametrize("stream", [*KINDS, "orders"])
def test_case_22_what_ebay_no_longer_shows_is_refused(tmp_path: Path, stream: str) -> None:
    nights = Nights(tmp_path, (stub.account(start=date(2024, 1, 1)),))
    with StubEbay().running() as shop:
        (outcome,) = nights.night(NOW, stream)
    assert outcome.state == "failed"
    oldest = NOW.date() - timedelta(days=730 if stream == "orders" else 548)
    assert f"Set start to {oldest + timedelta(days=1)} or later" in str(outcome.error)
    assert shop.sent("search|/order") == []


@pytest.mark.parametrize("kind", KINDS)
def test_case_23_an_entry_of_another_time_stops_the_stream(tmp_path: Path, kind: str) -> None:
    """eBay ignores a parameter it does not know: then everything comes, and too little of it."""
    shop = StubEbay(returns=many(1), inquiries=[inquiry("1")])
    shop.cancellations = [{"cancelId": "1", "cancelRequestDate": stub.moment(at(13))}]
    shop.cases = [{"caseId": 1, "creationDate": stub.moment(at(13))}]

    def ignoring(asked: Asked) -> Reply:
        names = {name: ["2020-01-01"] for name in asked.params if name.endswith("_from")}
        return shop.answer(Asked(**{**vars(asked), "params": {**asked.params, **names}}))

    nights = Nights(tmp_path, (stub.account(start=date(2026, 11, 16)),))
    shop.script("/search$", *[ignoring] * 5)
    with shop.running():
        (outcome,) = nights.night(NOW, kind)
    assert outcome.state == "failed"
    assert "no longer heeds the dates" in str(outcome.error)
    assert nights.landed(kind) == {}


@pytest.mark.parametrize("count", [200, 201, 450])
def test_case_24_windows_are_halved_until_all_entries_come_at_once(
    tmp_path: Path, count: int
) -> None:
    shop = StubEbay(returns=many(count, minutes=20))
    nights = Nights(tmp_path)
    with shop.running():
        nights.good(NOW, "returns")
    assert len(nights.landed("returns")) == count
    assert all("offset" not in asked.params for asked in shop.sent(SEARCH))
    assert (len(shop.sent(SEARCH)) > 1) == (count > 200)


def test_case_24_a_minute_that_overflows_is_paged_both_ways(tmp_path: Path) -> None:
    shop = StubEbay(returns=[stub.returned(n, "1", "11", created=at(13)) for n in range(1, 251)])
    nights = Nights(tmp_path)
    with shop.running():
        nights.good(NOW, "returns")
    assert len(nights.landed("returns")) == 250


def test_a_count_that_does_not_fit_the_entries_is_asked_again_then_stops(tmp_path: Path) -> None:
    shop = StubEbay(returns=many(3))

    def short(asked: Asked) -> Reply:
        body = json.loads(shop.answer(asked)[2])
        return stub.ok({**body, "members": body["members"][:2]})

    shop.script(SEARCH, short)
    with shop.running():
        assert Nights(tmp_path / "once").good(NOW, "returns")[0].rows == 3
        shop.script(SEARCH, *[short] * 3)
        (outcome,) = Nights(tmp_path / "always").night(NOW, "returns")
    assert "counts 3 entries" in str(outcome.error)


def test_entries_without_a_count_are_taken_as_they_come(tmp_path: Path) -> None:
    shop = StubEbay(inquiries=[inquiry("1")])

    def bare(asked: Asked) -> Reply:
        members = json.loads(shop.answer(asked)[2])["members"]
        return stub.ok({"members": [*members, None]})

    shop.script("/inquiry/search", bare)
    shop.script("/casemanagement/search", lambda _asked: stub.ok({"members": None}))
    with shop.running():
        nights = Nights(tmp_path)
        nights.good(NOW, "inquiries", "cases")
    assert nights.landed("inquiries")["1"]["claimAmount"]["value"] == "20.5"


def test_case_25_ebays_sandbox_has_none_of_it_and_nothing_is_lost(tmp_path: Path) -> None:
    nights = Nights(tmp_path, (stub.account(environment="sandbox"),))
    with StubEbay(orders=[stub.order(1)]).running() as shop:
        outcomes = nights.good(NOW, "orders", *KINDS)
    assert shop.sent("/post-order/") == []
    assert {asked.host for asked in shop.asked} == {"api.sandbox.ebay.com"}
    assert {("not_in_sandbox", 0)} == nights.notes("returns")
    reached = {o.stream: o.cursor_after for o in outcomes if o.account == "brand"}
    assert reached["orders"] == NOW
    assert reached["returns"] == datetime(2026, 11, 10, tzinfo=UTC)


def test_case_34_an_outage_is_tried_again_then_what_was_read_stays(tmp_path: Path) -> None:
    shop = StubEbay(returns=many(60, minutes=60))
    broken = stub.refusal(500, 2003, "Internal error encountered.", field_name="error")
    nights, clock = Nights(tmp_path), ManualClock(NOW)
    shop.script(r"/return/7$", *[lambda _asked: broken] * 2)
    with shop.running():
        assert nights.night(NOW, "returns", clock=clock)[0].state == "ok"
    assert len(clock.sleeps) == 2
    other = Nights(tmp_path / "down")
    shop.script(r"/return/30$", *[lambda _asked: broken] * 6)
    with shop.running():
        (outcome,) = other.night(NOW, "returns")
        assert (outcome.state, outcome.rows, outcome.cursor_after) == ("failed", 25, None)
        other.good(NOW + timedelta(days=1), "returns")
    assert len(other.landed("returns")) == 60


def test_errors_of_post_order_have_a_name_of_their_own(tmp_path: Path) -> None:
    shop = StubEbay()
    refused = stub.refusal(400, 10003, "creation dates are needed", field_name="error")
    shop.script("/cancellation/search", lambda _asked: refused)
    with shop.running():
        (outcome,) = Nights(tmp_path).night(NOW, "cancellations")
    assert "10003: creation dates are needed" in str(outcome.error)


def test_what_is_open_is_read_again_until_it_is_over(tmp_path: Path) -> None:
    shop = StubEbay(returns=many(1), inquiries=[inquiry("5")])
    nights = Nights(tmp_path)
    month = NOW + timedelta(days=30)
    with shop.running():
        nights.good(NOW, "returns", "inquiries")
        shop.returns[0] |= {"state": "CLOSED", "status": "CLOSED"}
        shop.inquiries[0]["inquiryStatusEnum"] = "CLOSED"
        nights.good(month, "returns", "inquiries")
        assert nights.landed("returns")["1"]["state"] == "CLOSED"
        assert nights.landed("inquiries")["5"]["status"] == "CLOSED"
        nights.good(month + timedelta(days=4), "returns", "inquiries")
        before = len(shop.sent(r"/return/1$|/inquiry/5$"))
        nights.good(month + timedelta(days=5), "returns", "inquiries")
    assert len(shop.sent(r"/return/1$|/inquiry/5$")) == before


def test_what_only_the_search_tells_outlives_a_reading_by_id(tmp_path: Path) -> None:
    shop = StubEbay(inquiries=[inquiry("5", orderId="1", creationDate=stub.moment(at(11)))])
    nights = Nights(tmp_path)
    with shop.running():
        nights.good(NOW, "inquiries")
        first = nights.landed("inquiries")["5"]
        shop.script(r"/inquiry/5$", lambda _asked: stub.ok({"inquiryId": "5", "status": "OPEN"}))
        nights.good(NOW + timedelta(days=5), "inquiries")
    assert nights.landed("inquiries")["5"] == first


def test_every_week_the_last_90_days_are_read_again(tmp_path: Path) -> None:
    """A closed return may still change: nothing tells it but a reading of everything."""
    shop = StubEbay(returns=many(1))
    shop.returns[0] |= {"state": "CLOSED"}
    nights = Nights(tmp_path)
    with shop.running():
        nights.good(NOW, "returns")
        shop.returns[0]["sellerTotalRefund"] = {
            "actualRefundAmount": {"value": 3, "currency": "USD"}
        }
        nights.good(NOW + timedelta(days=6), "returns")
        early = nights.landed("returns")["1"]["sellerTotalRefund"]
        nights.good(NOW + timedelta(days=7), "returns")
    assert "actualRefundAmount" not in early
    late = nights.landed("returns")["1"]["sellerTotalRefund"]
    assert late["actualRefundAmount"]["value"] == "3"
