"""Published facts and marts of worlds that nobody has seen equal what is true in them.

Belongs here: two small worlds, held against the truth as a whole. Does not belong here: how they
are compared (`truth_check.py`); many more worlds: `python tests/end_to_end/hunt.py --seeds 10`.
"""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from assets.text.labels import RETURN_COMMENT, Labeller, Text
from assets.text.quality import SAMPLE
from tests.end_to_end import truth_check
from tests.end_to_end.truth_check import bounds, observed_defects

# Contract section 9: the text code of a canonical reason.
CODES = {
    "fit.too_small": "size_fit",
    "fit.too_large": "size_fit",
    "fit.fit_unspecified": "size_fit",
    "product_defect.functional": "quality_defect",
    "product_defect.quality_cosmetic": "quality_defect",
    "product_defect.missing_parts": "missing_parts",
    "product_defect.authenticity_claim": "counterfeit_or_used",
    "product_defect.safety_allergy": "safety",
    "description.not_as_described": "not_as_described",
    "description.not_compatible": "incompatible",
    "fulfilment.wrong_item": "wrong_item",
    "logistics.damaged_in_transit": "damaged_in_transit",
    "logistics.late": "late_or_not_received",
    "logistics.not_received_lost": "late_or_not_received",
    "remorse.changed_mind": "changed_mind",
    "price.better_price": "price_value",
}
# Europe, eBay, Walmart, a Shopify shop and one by files over the change of clocks; inspections,
# scanned lots, a helpdesk, product reviews and two tracking services; every API answers as badly as
# it can, and what is true does not know of it.
EUROPE = """
seed = 90210
start = 2025-12-15
today = 2026-04-14
orders_per_day = 9
skus = 5
languages = ["en", "de", "fr", "es", "it", "pt", "ja", "zh"]
inspection_share = 0.8
scan_share = 0.3
warehouses = ["CNW:CN"]

[[accounts]]
connector = "amazon"
name = "amz_eu"
marketplaces = ["FR", "GB"]
fulfilled_by_marketplace = 0.8

[[accounts]]
connector = "shopify"
name = "brand_shop"
countries = ["DE", "US", "IT", "CN"]
share = 0.5

[[accounts]]
connector = "files"
name = "Shop Sul"
countries = ["BR", "MX"]
share = 0.5

[[accounts]]
connector = "ebay"
name = "bay"
marketplaces = ["DE"]
share = 0.25

[[accounts]]
connector = "walmart"
name = "store"
marketplaces = ["US"]
share = 0.25

[[accounts]]
connector = "helpdesk"
name = "desk"

[[accounts]]
connector = "reviews"
name = "stars"

[[accounts]]
connector = "tracking"
name = "parcels"

[[accounts]]
connector = "tracking"
name = "parcels_too"
provider = "aftership"

[[faults]]
kind = "customs_hold"
destination = "BR"
share = 0.3
days = 8

[[faults]]
kind = "bad_lot"
sku = "SKU-0002"
lot = "SKU-0002-L02"
rate = 0.35

[[faults]]
kind = "wrong_item"
warehouse = "CNW"
rate = 0.1

[[faults]]
kind = "size_bias"
sku = "SKU-0001"
direction = "too_small"
rate = 0.2

[[faults]]
kind = "schema_drift"
connector = "amazon"
stream = "fba_returns"
change = "add"
field = "return-channel"
from = 2026-03-01

[api]
http_429 = 0.05
http_503 = 0.02
truncated = 0.01
duplicate_record = 0.2
out_of_order = 0.3
"""

# North America and Japan over a leap day, all from Amazon's centres, old enough to be mature.
PACIFIC = """
seed = 31337
start = 2024-01-05
today = 2024-06-20
orders_per_day = 8
skus = 3
languages = ["ja"]
inspection_share = 0.3
scan_share = 0.1

[[accounts]]
connector = "amazon"
name = "amz_na"
marketplaces = ["CA", "US"]
fulfilled_by_marketplace = 1.0

[[accounts]]
connector = "amazon"
name = "amz_jp"
marketplaces = ["JP"]
fulfilled_by_marketplace = 1.0

[[accounts]]
connector = "helpdesk"
name = "care"
provider = "gorgias"

[[faults]]
kind = "bad_lot"
sku = "SKU-0001"
lot = "SKU-0001-L02"
rate = 0.35

[[faults]]
kind = "season"
factor = 2.0
from = 2024-02-20
to = 2024-03-05
"""


@dataclass(frozen=True)
class Checked:
    """A world after its night."""

    file: Path
    folder: Path
    scenario: Path

    def table(self, name: str) -> pl.DataFrame:
        return truth_check.published(self.file, [name])[name]


@pytest.fixture(
    scope="module",
    params=[(EUROPE, None), (PACIFIC, None)],
    ids=["europe", "pacific"],
)
def checked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Checked:
    text, until = request.param
    folder = tmp_path_factory.mktemp("truth")
    scenario = folder / "scenario.toml"
    scenario.write_text(text, encoding="utf-8")
    return Checked(truth_check.run_night(scenario, folder, until), folder, scenario)


def test_published_facts_equal_what_a_perfect_reader_could_know(checked: Checked) -> None:
    found = truth_check.fact_differences(checked.file, checked.folder)
    assert not found, "\n".join(found)


def test_exactly_the_texts_that_a_fact_names_have_labels(checked: Checked) -> None:
    found = truth_check.text_differences(checked.file, checked.folder)
    assert not found, "\n".join(found)


def test_return_marts_equal_a_second_computation_from_the_truth(checked: Checked) -> None:
    found = truth_check.mart_differences(checked.file, checked.folder)
    assert not found, "\n".join(found)


def test_cost_marts_equal_a_second_computation_from_the_truth(checked: Checked) -> None:
    found = truth_check.cost_differences(checked.file, checked.folder)
    assert not found, "\n".join(found)


def test_the_bill_is_the_same_however_it_is_split(checked: Checked) -> None:
    """Both views, and the identities of `facts/metrics.md` 6.1 in every row."""
    marts = {name: checked.table(name) for name in truth_check.COST_MART_KEYS}
    months, lines = marts["mart_cost_by_month"], marts["mart_order_profit"]
    bill = (months["sign"] * months["amount_reporting"]).sum()
    for name in ("mart_cost_by_sku", "mart_cost_by_region", "mart_cost_by_lot"):
        assert float(marts[name]["after_sales_cost_total"].sum() - bill) == pytest.approx(
            0, abs=0.01
        )
    every = marts["mart_headline"].filter(pl.col("account") == "all")
    assert every["after_sales_cost_total"].sum() == bill
    cohorts = marts["mart_cost_by_sku_cohort"]
    assert cohorts["after_sales_cost_total"].sum() == bill + cohorts["fx_gain_loss"].sum()
    loose = (months["sign"] * months["unallocated_reporting"]).sum()
    assert cohorts["true_net_profit"].sum() == lines["true_net_profit"].sum() - loose
    for table in (marts["mart_cost_by_sku"], cohorts, marts["mart_cost_by_region"]):
        wrong = table.filter(
            pl.col("after_sales_cost_total")
            != pl.col("after_sales_cost_ex_refund")
            + pl.col("refund_net")
            - pl.col("platform_fee_kept")
            - pl.col("fee_credit")
        )
        assert not wrong.height, wrong
    wrong = lines.filter(
        pl.col("true_net_profit")
        != pl.col("profit_before_after_sales")
        - pl.col("after_sales_cost_total")
        + pl.col("landed_cost_returned")
    )
    assert not wrong.height, wrong


def test_texts_make_more_reasons_known_and_none_worse(checked: Checked) -> None:
    """Against why goods truly came back, with texts and as if nobody had written."""
    units = pl.read_parquet(checked.folder / "truth" / "world" / "order_line.parquet")
    causes = (
        units.filter(pl.col("true_cause") != "none")
        .group_by("order_line_key")
        .agg(pl.col("true_cause").unique())
        .filter(pl.col("true_cause").list.len() == 1)
        .with_columns(pl.col("true_cause").list.first())
    )
    lines = checked.table("fct_return_line").join(causes, on="order_line_key")
    without = (
        pl.when(pl.col("reason_inspected") != "none")
        .then("reason_inspected")
        .otherwise("reason_claimed")
    )
    found = lines.select(
        (pl.col("reason_text_label") != "none").sum().alias("told"),
        *(
            (~reason.str.starts_with("unknown.")).sum().alias(f"known_{name}")
            for name, reason in (("with", pl.col("reason_final")), ("without", without))
        ),
        (pl.col("reason_final") == pl.col("true_cause")).sum().alias("right_with"),
        (without == pl.col("true_cause")).sum().alias("right_without"),
    ).row(0, named=True)
    assert found["told"] > 20, found
    assert found["known_with"] > found["known_without"], found
    assert found["right_with"] >= found["right_without"], found


def test_units_told_by_text_are_corrected_by_a_second_count_of_the_sample(checked: Checked) -> None:
    """Precision over recall is how often people say a reason over how often labels do."""
    with SAMPLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    labels = list(Labeller().label(Text(row["text"], source=RETURN_COMMENT) for row in rows))
    people = Counter(code for row in rows for code in row["reasons"].split(";") if code)
    told = Counter(code for label in labels for code in label.codes)
    marts = checked.table("mart_return_reason_by_sku").filter(pl.col("units_by_text") > 0)
    assert marts.height
    for row in marts.iter_rows(named=True):
        code = CODES[row["reason_l2"]]
        by_text = row["units_by_text"] * people[code] / told[code]
        wanted = row["units_by_code"] + row["units_by_inspection"] + by_text
        assert row["units_corrected"] == pytest.approx(wanted), row
        rate = row["reason_return_rate_corrected"]
        assert rate == pytest.approx(wanted / row["units_shipped"], abs=1e-6), row


def test_every_unit_has_one_outcome(checked: Checked) -> None:
    lines = checked.table("fct_order_line").select("order_line_key", "quantity_ordered")
    sums = (
        checked.table("fct_unit_outcome")
        .group_by("order_line_key")
        .agg(pl.col("quantity").sum().cast(pl.Int64).alias("told"))
    )
    wrong = lines.join(sums, on="order_line_key", how="left").filter(
        pl.col("told").fill_null(0) != pl.col("quantity_ordered")
    )
    assert lines.height > 500
    assert not wrong.height, wrong


def test_a_bad_lot_lies_between_the_bounds_of_its_estimates(checked: Checked) -> None:
    """The share that is known by now; where all of it can be known, the planted rate as well."""
    found = truth_check.lot_differences(checked.file, checked.folder, checked.scenario)
    assert not found, "\n".join(found)
    rates = pl.read_parquet(checked.folder / "truth" / "world" / "rate.parquet")
    faults = pl.read_parquet(checked.folder / "truth" / "world" / "fault.parquet")
    (lot_key,) = faults.filter(pl.col("kind") == "bad_lot")["entity_key"].to_list()
    (planted,) = rates.filter(pl.col("entity_key") == lot_key)["true_rate"].to_list()
    mart = checked.table("mart_return_rate_by_lot")
    row = mart.filter(pl.col("lot_key") == lot_key).row(0, named=True)
    units, _ = observed_defects(checked.folder, row["sku"], row["lot_id"])
    low, high = bounds(row)
    assert units > 30
    sales = checked.table("fct_order_line").filter(pl.col("quantity_shipped") > 0)
    if row["is_mature"] and (sales["fulfilled_by"] == "marketplace").all():
        assert low <= planted <= high, f"{lot_key}: {planted} is not in {low:.3f} to {high:.3f}"
    others = mart.filter(pl.col("lot_key") != lot_key)
    usual = others["units_defective"].sum() / others["units_shipped"].sum()
    assert row["defect_rate_fifo"] > 2 * usual
