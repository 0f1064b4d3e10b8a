"""Real shop data that nobody here wrote, through the inbox and a whole night, then compared with a
direct count on the sources: orders, lines, units, cancellations and money by country and month,
late deliveries and transit days by month.
How the sources are read, and what of them is no order line, is said in `real_data.py`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from pipelines.night import run_night
from pipelines.opening import Wish, open_night
from pipelines.resources import Places
from tests.end_to_end.real_data import (
    OLIST,
    UCI,
    Sources,
    count_deliveries,
    direct_count,
    own_case,
    read_sources,
    stars_by_month,
    uci_lines,
    write_inbox,
)

SETTINGS = f"""
[settings]
reporting_currency = "EUR"

[[accounts]]
connector = "files"
name = "{OLIST}"
start = 2016-01-01

[[accounts]]
connector = "files"
name = "{UCI}"
start = 2010-01-01

[inbox]
settle_seconds = 0

[publish]
fact_months = 240
"""

COUNT = """
select
    account,
    country,
    strftime(ordered_at, '%Y-%m') as month,
    count(distinct order_key) as orders,
    count(*) as lines,
    sum(quantity_ordered)::bigint as units,
    sum(quantity_cancelled)::bigint as units_cancelled,
    sum(net_amount) as net_amount,
    coalesce(sum(net_amount) filter (where quantity_cancelled > 0), 0) as net_cancelled,
    sum(shipping_amount) as shipping_amount
from marts.fct_order_line
group by all
"""

DELIVERIES = """
select
    strftime(event_date, '%Y-%m') as month,
    count(*) as delivered,
    count(days_late) as promised,
    count(*) filter (where days_late > 0) as late,
    coalesce(sum(days_late), 0)::bigint as days_late,
    count(transit_days) as timed,
    coalesce(sum(transit_days::decimal(18, 2)), 0) as transit_days
from marts.fct_parcel
join marts.fct_parcel_event using (parcel_key)
where carrier = 'olist' and delivered_at is not null and fct_parcel_event.milestone = 'DELIVERED'
group by all
"""


@pytest.fixture(scope="module")
def sources(shared_dir: Path | None) -> Sources:
    if shared_dir is not None:
        return read_sources(shared_dir)
    print("not checked: the Olist and UCI files, there is no shared folder; a small case instead")
    return own_case()


@pytest.fixture(scope="module")
def published(
    sources: Sources, tmp_path_factory: pytest.TempPathFactory
) -> duckdb.DuckDBPyConnection:
    folder = tmp_path_factory.mktemp("real")
    config = folder / "aftersales.toml"
    config.write_text(SETTINGS, encoding="utf-8")
    inbox = folder / "data" / "inbox"
    write_inbox(sources, inbox)
    (inbox / "products").mkdir()
    (inbox / "products" / "empty.csv").touch()
    where = Places(data=folder / "data", state=folder / "state", config=config)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AFTERSALES_CUSTOMER_KEY", "test-key")
        wish = Wish(until=datetime(2026, 10, 30, tzinfo=UTC))
        with open_night(wish, where=where) as night:
            run_night(night)
    return duckdb.connect(str(where.publication), read_only=True)


def test_published_lines_equal_a_direct_count_by_country_and_month(
    sources: Sources, published: duckdb.DuckDBPyConnection
) -> None:
    expected = {place: figures.row() for place, figures in direct_count(sources).items()}
    found = {row[:3]: row[3:] for row in published.sql(COUNT).fetchall()}
    assert set(found) == set(expected)
    assert {place: row for place, row in found.items() if row != expected[place]} == {}


def test_late_deliveries_and_transit_days_equal_a_direct_count(
    sources: Sources, published: duckdb.DuckDBPyConnection
) -> None:
    expected = {month: figures.row() for month, figures in count_deliveries(sources).items()}
    found = {row[0]: row[1:] for row in published.sql(DELIVERIES).fetchall()}
    assert {month: row for month, row in found.items() if row != expected.get(month)} == {}
    assert set(found) == set(expected)
    assert sum(row[2] for row in expected.values()) > 0 or not sources.is_real


def test_stars_by_month_equal_a_direct_count(
    sources: Sources, published: duckdb.DuckDBPyConnection
) -> None:
    expected = stars_by_month(sources)
    feedback = published.sql("""
        select strftime(created_date, '%Y-%m'), count(*), sum(stars_now) from marts.fct_feedback
        where is_counted group by 1
    """)
    assert {month: (n, int(stars)) for month, n, stars in feedback.fetchall()} == expected
    mart = published.sql("""
        select strftime(month, '%Y-%m'), sum(feedback_n), sum(stars_sum)
        from marts.mart_satisfaction where feedback_n > 0 group by 1
    """)
    assert {month: (int(n), int(stars)) for month, n, stars in mart.fetchall()} == expected
    linked = published.sql("""
        select count(*) from marts.fct_feedback
        where link_confidence = 'exact' and order_line_key like 'files:olist:%'
    """)
    ordered = {item["order_id"] for item in sources.olist_items}
    of_orders = sum(review["order_id"] in ordered for review in sources.olist_reviews)
    assert 0 < linked.fetchall()[0][0] <= of_orders


def test_nothing_of_the_real_files_is_refused_or_lost(
    sources: Sources, published: duckdb.DuckDBPyConnection
) -> None:
    quarantined = published.sql("""
        select stream, quarantine_reason, rows from meta.quarantine where connector = 'files'
    """)
    assert quarantined.fetchall() == [("products", "zero_bytes", 1)]
    lines = sum(figures.lines for figures in direct_count(sources).values())
    (rows,) = published.sql("select count(*) from marts.fct_order_line").fetchall()[0]
    assert rows == lines


def test_dropped_files_are_listed_under_their_own_names(
    sources: Sources, published: duckdb.DuckDBPyConnection
) -> None:
    listed = published.sql("""
        select distinct file_name, file_state from meta.loaded_file
        where connector = 'files' and rows_in > 0 and window_from is null
    """)
    found = set(listed.fetchall())
    months = {line["ordered_at"][:7] for line in uci_lines(sources)}
    assert {("olist.xlsx", "loaded"), ("olist-parcels.csv", "loaded")} <= found
    assert ("olist-reviews.csv", "loaded") in found
    assert ("empty.csv", "refused") in found
    assert {name[:11] for name, _ in found if name.startswith("uci-")} == {
        f"uci-{month}" for month in months
    }
    assert len(found) == len(months) + 4


def test_the_small_case_of_our_own_has_the_figures_counted_by_hand() -> None:
    found = {place: figures.row() for place, figures in direct_count(own_case()).items()}
    assert {place: tuple(map(str, row)) for place, row in found.items()} == {
        # ordered on 31 January in Sao Paulo and on 1 May in London: another month by UTC
        (OLIST, "BR", "2018-02"): ("3", "4", "4", "1", "90.75", "10.00", "40.96"),
        (UCI, "GB", "2010-12"): ("1", "2", "8", "0", "20.4000", "0", "18.0000"),
        (UCI, "IE", "2010-12"): ("1", "1", "600", "0", "0.6000", "0", "0"),
        (UCI, "GB", "2011-01"): ("1", "1", "12", "12", "22.2000", "22.2000", "0"),
        (UCI, "ZZ", "2011-04"): ("1", "1", "3", "0", "23.8500", "0", "0"),
    }
    parcels = {month: figures.row() for month, figures in count_deliveries(own_case()).items()}
    # from the 1st 10:00 to the 9th 15:15:42
    assert parcels == {"2018-02": (1, 1, 0, -18, 1, Decimal("8.22"))}
