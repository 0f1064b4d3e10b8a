"""Looks for worlds where the warehouse and the truth differ: `python tests/end_to_end/hunt.py`.

Belongs here: random scenarios and what to print of a difference. Does not belong here: comparing
(`truth_check.py`) or the small worlds of the test run (`test_truth.py`).
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import time
from datetime import date, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.end_to_end.truth_check import (
    cost_differences,
    fact_differences,
    lot_differences,
    mart_differences,
    run_night,
)

GROUPS = {"NA": ("US", "CA", "MX"), "EU": ("GB", "DE", "FR", "IT", "ES", "PL"), "FE": ("JP", "AU")}
LANGUAGES = ("['en']", "['de', 'en']", "['zh', 'ja', 'en']")
WAREHOUSES = ("1", "2", "['WH1:CN']", "['CNW:CN', 'USW:US']")
COUNTRIES = ("BR", "US", "GB", "DE", "MX", "FR", "AE", "AU")


def scenario_text(seed: int) -> tuple[str, str | None]:
    """A random small scenario, and the clock to stop at (none: its own `today`)."""
    luck = random.Random(seed)  # noqa: S311
    start = date(luck.choice([2023, 2024, 2025, 2026]), luck.randint(1, 12), luck.randint(1, 28))
    days = luck.choice([20, 45, 70, 100, 130])
    today = start + timedelta(days=days)
    skus = luck.choice([1, 2, 4, 8, 15])
    orders = max(4, min(60, luck.choice([6, 12, 20, 35]), 1800 // days))
    lines = [
        f"seed = {seed * 7919 + 13}",
        f"start = {start}",
        f"today = {today}",
        f"orders_per_day = {orders}",
        f"skus = {skus}",
        f"languages = {luck.choice(LANGUAGES)}",
        f"inspection_share = {luck.choice([0.0, 0.5, 1.0])}",
        f"scan_share = {luck.choice([0.0, 0.2, 1.0])}",
        f"warehouses = {luck.choice(WAREHOUSES)}",
    ]
    lines += _accounts(luck)
    for fault in _faults(luck, start, today, skus):
        lines.append(fault)
    if luck.random() < 0.5:
        lines += ["[api]", "http_429 = 0.05", "http_503 = 0.02", "truncated = 0.02",
                  "duplicate_record = 0.2", "out_of_order = 0.3"]  # fmt: skip
    until = start + timedelta(days=luck.randint(days // 3, days))
    return "\n".join(lines) + "\n", until.isoformat() if luck.random() < 0.4 else None


def _accounts(luck: random.Random) -> list[str]:
    found = []
    groups = luck.sample(sorted(GROUPS), luck.choice([1, 1, 2]))
    for group in groups:
        markets = luck.sample(GROUPS[group], luck.randint(1, min(3, len(GROUPS[group]))))
        found += ["[[accounts]]", 'connector = "amazon"', f'name = "amz_{group.lower()}"',
                  f"marketplaces = {list(markets)}",
                  f"fulfilled_by_marketplace = {luck.choice([0.0, 0.6, 0.85, 1.0])}"]  # fmt: skip
    if luck.random() < 0.6:
        countries = luck.sample(COUNTRIES, luck.randint(1, 3))
        found += ["[[accounts]]", 'connector = "files"', 'name = "Shop One"',
                  f"countries = {countries}", f"share = {luck.choice([0.3, 1.0])}"]  # fmt: skip
    return found


def _faults(luck: random.Random, start: date, today: date, skus: int) -> list[str]:
    sku = f"SKU-{luck.randint(1, skus):04d}"
    middle = start + (today - start) / 2
    early = start + (today - start) / 4  # over before the clock: what is out is not in the truth
    kinds = [
        f'kind = "bad_lot"\nsku = "{sku}"\nlot = "{sku}-L02"\nrate = 0.3',
        f'kind = "bad_lot"\nsku = "{sku}"\nlot = "BATCH-9"\nrate = 0.4\n'
        'reason = "product_defect.missing_parts"',
        f'kind = "size_bias"\nsku = "{sku}"\ndirection = "too_small"\nrate = 0.2',
        f'kind = "listing_mismatch"\nsku = "{sku}"\nrate = 0.2',
        'kind = "wrong_item"\nwarehouse = "WH1"\nrate = 0.1',
        f'kind = "no_fault_found"\nsku = "{sku}"\nrate = 0.2',
        f'kind = "return_fraud"\nbuyers = 2\norders_each = 4\nfrom = {start}\nto = {today}',
        f'kind = "safety"\nsku = "{sku}"\ndate = {middle}',
        f'kind = "season"\nfactor = 2.0\nfrom = {middle}',
        f'kind = "source_outage"\nconnector = "amazon"\nfrom = {start}\nto = {early}',
        'kind = "schema_drift"\nconnector = "amazon"\nstream = "fba_returns"\n'
        f'change = "add"\nfield = "return-channel"\nfrom = {start}',
        'kind = "customs_hold"\ndestination = "BR"\nshare = 0.4\ndays = 9',
        'kind = "lossy_lane"\ncarrier = "YunExpress"\nservice = "standard"\n'
        'destination = "US"\nrate = 0.3',
        'kind = "damaging_carrier"\ncarrier = "YunExpress"\nrate = 0.1',
    ]  # fmt: skip
    return [f"[[faults]]\n{kind}" for kind in luck.sample(kinds, luck.randint(0, 5))]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="how many worlds")
    parser.add_argument("--first", type=int, default=1, help="number of the first")
    parser.add_argument("--folder", type=Path, required=True, help="where worlds and nights go")
    parser.add_argument("--keep", action="store_true", help="keep the folders of equal worlds")
    given = parser.parse_args()
    bad = 0
    for seed in range(given.first, given.first + given.seeds):
        folder = given.folder / f"world-{seed}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        text, until = scenario_text(seed)
        scenario = folder / "scenario.toml"
        scenario.write_text(text, encoding="utf-8")
        began = time.monotonic()
        try:
            file = run_night(scenario, folder, until)
            found = fact_differences(file, folder) + mart_differences(file, folder)
            found += cost_differences(file, folder)
            found += lot_differences(file, folder, scenario)
        except AssertionError as error:
            found = [str(error)]
        took = time.monotonic() - began
        sys.stdout.write(f"world {seed} until {until}: {len(found)} differences, {took:.0f} s\n")
        sys.stdout.write("".join(f"  {line}\n" for line in found))
        sys.stdout.flush()
        bad += bool(found)
        if not found and not given.keep:
            shutil.rmtree(folder)
    return min(bad, 1)


if __name__ == "__main__":
    raise SystemExit(main())
