"""One night against a simulated world, compared with what that world says is true.

Belongs here: running the night as people run it, and holding the published facts against
`observable/`, the marts against `independent_marts.py` and `independent_costs.py`, lots against
what was planted. Does not belong here: which worlds (`test_truth.py`, `hunt.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
from typer.testing import CliRunner

from pipelines.cli import app
from sources._sandbox.scenario import Scenario
from tests.end_to_end.independent_costs import Costs
from tests.end_to_end.independent_marts import Marts, Z
from tests.end_to_end.table_difference import differences

KEYS: Mapping[str, Sequence[str]] = {
    "fct_order_line": ("order_line_key",),
    "fct_unit_outcome": ("order_line_key", "outcome"),
    "fct_lot_allocation": ("order_line_key", "lot_key"),
    "fct_parcel": ("parcel_key",),
    "fct_parcel_event": ("parcel_key", "event_id"),
    "fct_parcel_line": ("parcel_key", "order_line_key"),
    "fct_return_line": ("return_line_key",),
    "fct_return_lot": ("return_line_key", "lot_key"),
    "fct_refund_line": ("refund_line_key",),
    "fct_settlement_line": ("account", "settlement_id", "row_no"),
    "fct_exchange": ("exchange_key",),
    "fct_feedback": ("feedback_key",),
    "fct_case": ("case_key",),
    "fct_message": ("case_key", "message_id"),
}
MOVES = "fct_inventory_move"  # its key is a hash of its origin, so rows are compared as a whole
EVENTS = "fct_order_event"  # likewise; of one kind at one time any may be the first
COSTS = "fct_after_sales_cost"  # likewise; its amounts may differ by less than a cent
COST_ORIGIN = (
    "account", "order_line_key", "return_line_key", "sku", "component", "direction", "source",
    "attributed_party", "event_at", "currency",
)  # fmt: skip
MART_KEYS: Mapping[str, Sequence[str]] = {
    "mart_return_base": ("account", "marketplace", "country", "sku", "cohort_month"),
    "mart_return_rate_by_sku": ("account", "marketplace", "sku", "cohort_month"),
    "mart_return_rate_by_lot": ("lot_key",),
    "mart_return_rate_by_region": ("account", "marketplace", "country", "cohort_month"),
    "mart_return_reason_by_sku": (
        "account", "marketplace", "country", "sku", "cohort_month", "reason_l2",
    ),
    "mart_return_cohort": ("account", "marketplace", "sku", "cohort_month", "age_days"),
}  # fmt: skip
COST_MART_KEYS: Mapping[str, Sequence[str]] = {
    "mart_order_profit": ("order_line_key",),
    "mart_cost_by_sku": ("account", "marketplace", "sku", "month"),
    "mart_cost_by_sku_cohort": ("account", "marketplace", "sku", "cohort_month"),
    "mart_cost_by_lot": ("lot_key",),
    "mart_cost_by_region": ("account", "marketplace", "country", "month"),
    "mart_cost_by_month": ("account", "marketplace", "month", "component"),
    "mart_headline": ("account", "month"),
}
OF_OTHER_PARTS = ("actions_open",)  # counts of rows that the tests of the queue check
DIMENSIONS = ("dim_reason", "dim_sku", "dim_lot", "dim_marketplace", "dim_country")


def run_night(scenario: Path, folder: Path, until: str | None = None) -> Path:
    """The published file after one night in `folder`; the truth lies in `folder/truth`."""
    dates = ["--until", until] if until else []
    environment = {
        "AFTERSALES_DATA_DIR": str(folder / "data"),
        "AFTERSALES_STATE_DIR": str(folder / "state"),
        "AFTERSALES_CONFIG": str(folder / "aftersales.toml"),
    }
    for command in (
        ["sandbox", "truth", "--scenario", str(scenario), "--out", str(folder / "truth"), *dates],
        ["nightly", "--sandbox", str(scenario), *dates],
    ):
        done = CliRunner().invoke(app, command, env=environment)
        if done.exit_code:
            raise AssertionError(f"{command} failed:\n{done.output[-4000:]}") from done.exception
    return folder / "data" / "published" / "aftersales.duckdb"


def observable(folder: Path) -> dict[str, pl.DataFrame]:
    files = sorted((folder / "truth" / "observable").glob("*.parquet"))
    return {file.stem: pl.read_parquet(file) for file in files}


def published(file: Path, names: Sequence[str]) -> dict[str, pl.DataFrame]:
    with duckdb.connect(str(file), read_only=True) as connection:
        return {name: connection.execute(f"select * from marts.{name}").pl() for name in names}


def data_until(file: Path) -> date:
    with duckdb.connect(str(file), read_only=True) as connection:
        found = connection.execute("select cast(data_until as date) from meta.current").fetchone()
    assert found is not None
    day = found[0]
    assert isinstance(day, date)
    return day


# Facts that the simulated world has no truth of yet; the models' own tests hold them.
UNTOLD = (
    "fct_text_label", "fct_text_reason",  # which texts: below; what they mean: reason_text_label
)  # fmt: skip
WORDED = ("fct_return_line", "fct_feedback", "fct_case", "fct_message")  # they name a text


def text_differences(file: Path, folder: Path) -> list[str]:
    """Texts that have labels against the texts that the truth's facts name."""
    truth = observable(folder)
    named = {text for fact in WORDED for text in truth[fact]["text_hash"]} - {"none"}
    labelled = set(published(file, ["fct_text_label"])["fct_text_label"]["text_hash"])
    sides = (("without a label", named - labelled), ("named by nothing", labelled - named))
    return [f"text {words}: {sorted(texts)[:3]}" for words, texts in sides if texts]


def fact_differences(file: Path, folder: Path) -> list[str]:
    """Every fact of the truth against the published one, all its columns."""
    truth = observable(folder)
    ours = published(file, list(truth))
    found: list[str] = []
    for name, theirs in truth.items():
        if name == MOVES:
            key, columns = _as_a_whole(theirs.columns), ["_number"]
            mine, theirs = _numbered(ours[name], key[:-1]), _numbered(theirs, key[:-1])
            found += differences(name, mine, theirs, key, columns)
        elif name == EVENTS:
            key = [column for column in theirs.columns if column != "event_key"]
            mine, theirs = (_numbered(_in_turn(frame), key) for frame in (ours[name], theirs))
            found += differences(name, mine, theirs, [*key, "_number"], ["_number"])
        elif name == COSTS:
            key, columns = [*COST_ORIGIN, "_number"], [c for c in theirs.columns if c != "cost_key"]
            mine, theirs = (
                _numbered(frame.sort("amount"), COST_ORIGIN) for frame in (ours[name], theirs)
            )
            found += differences(name, mine, theirs, key, columns)
        elif name in KEYS:
            found += differences(name, ours[name], theirs, KEYS[name], theirs.columns)
        elif name not in UNTOLD and ours[name].height:
            found.append(f"{name}: {ours[name].height} published rows, the truth has none")
    return found


def _in_turn(events: pl.DataFrame) -> pl.DataFrame:
    """Events of one kind and time share the first of their numbers."""
    alike = pl.col("event_seq").min().over("order_key", "occurred_at", "event_kind")
    return events.with_columns(alike.alias("event_seq"))


def _as_a_whole(columns: Sequence[str]) -> list[str]:
    return [column for column in columns if column != "move_key"] + ["_number"]


def _numbered(frame: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Equal rows told apart by a number."""
    return frame.with_columns(pl.int_range(pl.len()).over(list(columns)).alias("_number"))


def mart_differences(file: Path, folder: Path) -> list[str]:
    """The return marts against the second computation from the truth's facts."""
    marts = Marts(observable(folder), published(file, DIMENSIONS), data_until(file))
    ours = published(file, list(MART_KEYS))
    found: list[str] = []
    for name, key in MART_KEYS.items():
        theirs = getattr(marts, name)()
        columns = [
            c
            for c in ours[name].columns
            if not c.startswith("projected_") and not c.endswith("_corrected")
        ]
        found += differences(name, ours[name], theirs, key, columns)
    return found


def cost_differences(file: Path, folder: Path) -> list[str]:
    """The cost marts against the second computation from the truth's facts."""
    bills = pl.read_parquet(folder / "truth" / "world" / "carrier_bill.parquet")
    rates = published(file, ["dim_fx_rate"])["dim_fx_rate"]
    costs = Costs(observable(folder), published(file, DIMENSIONS), data_until(file), bills, rates)
    ours = published(file, list(COST_MART_KEYS))
    found: list[str] = []
    for name, key in COST_MART_KEYS.items():
        theirs = getattr(costs, name)()
        columns = [
            c
            for c in ours[name].columns
            if c not in OF_OTHER_PARTS and not c.startswith(("projected_", "true_net_profit_"))
        ]
        found += differences(name, ours[name], theirs, key, columns)
    return found


def lot_differences(file: Path, folder: Path, scenario_file: Path) -> list[str]:
    """Planted bad lots whose share of defects is not between the two bounds of their estimate.

    What can be told of a lot is the share of its units with a known defective return by the clock:
    the true rate less what has not come back yet, what no source tells (Amazon's seller-fulfilled
    returns, refunds without goods) and what buyers call by another name. That share, of the units
    that truly came from the lot, must lie within the 95 % intervals of both estimates together.
    Where most units of the SKU have no lot at all (no source tells the warehouse), nothing is
    estimated and nothing is judged.
    """
    scenario = Scenario.load(scenario_file)
    planted = {f"{f.get('sku')}|{f.get('lot')}" for f in scenario.faults_of("bad_lot")}
    mart = published(file, ["mart_return_rate_by_lot"])["mart_return_rate_by_lot"]
    found = []
    for row in mart.filter(pl.col("lot_key").is_in(sorted(planted))).iter_rows(named=True):
        units, defects = observed_defects(folder, row["sku"], row["lot_id"])
        of_sku = mart.filter(pl.col("sku") == row["sku"])
        lotless = of_sku.filter(pl.col("lot_id") == "unattributed")["units_shipped"].sum()
        if not units or not row["units_shipped"] or 2 * lotless > of_sku["units_shipped"].sum():
            continue
        low, high = bounds(row)
        if not low <= defects / units <= high:
            found.append(
                f"lot {row['lot_key']}: {defects} of {units} units of the lot are known defects, "
                f"not within {low:.4f} and {high:.4f}"
            )
    return found


def bounds(row: Mapping[str, float]) -> tuple[float, float]:
    """The lowest and highest share that the two estimates of a lot allow."""
    units = row["units_shipped"]
    both = [
        wilson_interval(row[name], units) for name in ("units_defective", "units_defective_lifo")
    ]
    return min(low for low, _ in both), max(high for _, high in both)


def wilson_interval(successes: float, total: float) -> tuple[float, float]:
    share, z2 = min(successes / total, 1.0), Z**2
    middle = share + z2 / (2 * total)
    spread = Z * (share * (1 - share) / total + z2 / (4 * total**2)) ** 0.5
    return (middle - spread) / (1 + z2 / total), (middle + spread) / (1 + z2 / total)


def observed_defects(folder: Path, sku: str, lot_id: str) -> tuple[int, float]:
    """Sold units that truly came from a lot, and how many of them a reader knows as defective."""
    facts = observable(folder)
    sales = facts["fct_order_line"].filter(~pl.col("is_replacement"), ~pl.col("is_exchange"))
    true = (
        pl.read_parquet(folder / "truth" / "world" / "order_line.parquet")
        .filter(pl.col("sku") == sku, pl.col("units_shipped") > 0)
        .join(sales.select("order_line_key", "quantity_shipped"), on="order_line_key")
        .filter(pl.col("quantity_shipped") > 0)
    )
    mine = pl.when(pl.col("lot_id") == lot_id).then(pl.col("units_shipped")).otherwise(0)
    troubled = pl.col("true_cause").str.starts_with("product_defect")
    lines = true.group_by("order_line_key").agg(
        mine.sum().alias("units"),
        (mine * troubled).sum().alias("bad"),
        (pl.col("units_shipped") * troubled).sum().alias("all_bad"),
    )
    defects = facts["fct_return_line"].filter(
        pl.col("reason_final").str.starts_with("product_defect"),
        ~pl.col("status").is_in(["cancelled", "closed"]),
    )
    known = defects.group_by("order_line_key").agg(pl.col("quantity").sum().alias("known"))
    lines = lines.join(known, on="order_line_key", how="left").with_columns(
        pl.col("known").fill_null(0)
    )
    share = pl.when(pl.col("all_bad") > 0).then(pl.col("bad") / pl.col("all_bad"))
    by_units = pl.col("units") > 0
    told = (pl.col("known") * share.fill_null(by_units.cast(pl.Float64))).sum()
    return int(lines["units"].sum()), float(lines.select(told).item())
