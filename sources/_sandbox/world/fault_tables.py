"""What was planted, as tables: every fault with the entities it touches, and true rates.

Belongs here: the tables `faults` and `rates`. Does not belong here: effects (`effects.py`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import polars as pl

from sources._sandbox.scenario import Fault, Scenario
from sources._sandbox.world import geography
from sources._sandbox.world.catalogue import Catalogue
from sources._sandbox.world.demand import DAY
from sources._sandbox.world.effects import day_number, fault_skus, intervention_effect
from sources._sandbox.world.simulation import Simulation


def fault_table(
    scenario: Scenario, catalogue: Catalogue, found: Mapping[str, list[str]]
) -> pl.DataFrame:
    """The table `faults`: a row per entity. `found`: entities that only the world itself knows."""
    rows = [
        {
            "fault_id": fault.fault_id,
            "kind": fault.kind,
            "entity_type": _entity(fault, catalogue)[0],
            "entity_key": key,
            "from_date": fault.from_date or fault.get("date") or scenario.start,
            "to_date": fault.to_date,
            "parameters": json.dumps(fault.parameters, sort_keys=True, default=str),
        }
        for fault in scenario.faults
        for key in found.get(fault.fault_id) or [_entity(fault, catalogue)[1]]
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _entity(fault: Fault, catalogue: Catalogue) -> tuple[str, str]:
    """Type and key as the contract's section 5 writes them; `all` for a part left out."""
    part = {name: str(value) for name, value in fault.parameters.items()}
    country = part.get("country", "all")
    lane = "|".join(part.get(n, "all") for n in ("carrier", "service", "origin", "destination"))
    by_kind = {
        "bad_lot": ("lot", f"{part.get('sku')}|{part.get('lot')}"),
        "listing_mismatch": ("sku", part.get("sku", "")),
        "no_fault_found": ("sku", part.get("sku", "")),
        "safety": ("sku", part.get("sku", "")),
        "wrong_item": ("warehouse", part.get("warehouse", "")),
        "slow_lane": ("lane", lane),
        "lossy_lane": ("lane", lane),
        "customs_hold": ("lane", lane),
        "damaging_carrier": ("carrier", part.get("carrier", "")),
        "return_fraud": ("customer", "all"),
        "fee_rise": ("marketplace", part.get("marketplace", "")),
        "slow_service": ("team", part.get("team", "")),
        "refusing_service": ("team", part.get("team", "")),
        "source_outage": ("source", f"{part.get('connector')}|{part.get('account', 'all')}|all"),
        "schema_drift": ("source", f"{part.get('connector')}|all|{part.get('stream')}"),
        "settlement_error": ("settlement", f"{part.get('account')}|all"),
        "mix_shift": ("marketplace", part.get("marketplace", "")),
    }
    if fault.kind in by_kind:
        return by_kind[fault.kind]
    if fault.kind in {"size_bias", "intervention"}:
        skus = [catalogue.skus[row] for row in fault_skus(catalogue, fault)]
        if "sku" in part:
            return "sku_country", f"{part['sku']}|{country}"
        return "product_country", f"{part.get('product', ','.join(skus))}|{country}"
    return "all", "all"


def touched_entities(
    settlements: pl.DataFrame, orders: pl.DataFrame, units: pl.DataFrame
) -> dict[str, list[str]]:
    """Settlements that do not add up, and buyers who cheat (by customer_no), by fault."""
    found: dict[str, list[str]] = {}
    if settlements.width:
        wrong = settlements.filter(pl.col("fault_id").is_not_null())
        for fault_id, account, settlement in wrong.select(
            "fault_id", "account", "settlement_id"
        ).iter_rows():
            found.setdefault(fault_id, []).append(f"{account}|{settlement}")
    cheats = units.filter(pl.col("true_cause") == "fraud.empty_or_switched_return")
    buyers = cheats.join(orders, on="order_id").select("fault_id", "customer_no").unique()
    for fault_id, customer in buyers.sort("fault_id", "customer_no").iter_rows():
        found.setdefault(fault_id, []).append(customer)
    return found


def rates_table(sim: Simulation, lots: pl.DataFrame) -> pl.DataFrame:
    """True rates: of every lot, and of whatever a fault touches."""
    rows = [
        {
            "entity_type": "lot",
            "entity_key": f"{row['sku']}|{row['lot_id']}",
            "kind": "defect",
            "true_rate": row["true_defect_rate"],
        }
        for row in lots.iter_rows(named=True)
    ]
    for fault in sim.scenario.faults:
        rate = float(fault.get("rate", 0.0) or 0.0)
        skus = [sim.catalogue.skus[row] for row in fault_skus(sim.catalogue, fault)]
        lane = "|".join(
            fault.get(n, "all") for n in ("carrier", "service", "origin", "destination")
        )
        found: list[tuple[str, str, str, float]] = []
        if fault.kind == "size_bias":
            country = fault.get("country", "all")
            reason = f"fit.{fault.get('direction')}"
            found = [("sku_country", f"{sku}|{country}", reason, rate) for sku in skus]
        elif fault.kind == "listing_mismatch":
            found = [("sku", sku, "description.not_as_described", rate) for sku in skus]
        elif fault.kind == "no_fault_found":
            found = [("sku", sku, "no_fault_found", rate) for sku in skus]
        elif fault.kind == "wrong_item":
            found = [("warehouse", fault.get("warehouse"), "fulfilment.wrong_item", rate)]
        elif fault.kind == "damaging_carrier":
            found = [("carrier", fault.get("carrier"), "logistics.damaged_in_transit", rate)]
        elif fault.kind == "lossy_lane":
            found = [("lane", lane, "lost", rate)]
        elif fault.kind == "intervention":
            effect = intervention_effect(fault)
            found = [("sku", sku, "intervention_effect", effect) for sku in skus]
        names = ("entity_type", "entity_key", "kind", "true_rate")
        rows += [dict(zip(names, entry, strict=True)) for entry in found]
    return pl.DataFrame(rows, infer_schema_length=None)


def planted_errors(sim: Simulation, heads: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    """Error and fault of each settlement: the account's first `count` that close under it."""
    errors = [0] * heads.height
    faults: list[str | None] = [None] * heads.height
    for fault in sim.scenario.faults_of("settlement_error"):
        left = int(fault.get("count"))
        for place, (account, currency, end) in enumerate(
            heads.select("account", "currency", "end").iter_rows()
        ):
            if (
                left
                and faults[place] is None
                and account == fault.get("account")
                and _closes_in(sim, fault, end)
            ):
                factor = 10 ** geography.decimals(currency)
                errors[place] += round(float(fault.get("amount")) * factor)
                faults[place] = fault.fault_id
                left -= 1
    return pl.Series(errors, dtype=pl.Int64), pl.Series(faults, dtype=pl.String)


def _closes_in(sim: Simulation, fault: Fault, end: int) -> bool:
    first = fault.from_date or sim.scenario.start
    last = day_number(fault.to_date) if fault.to_date else 2**31
    return day_number(first) * DAY <= end and end // DAY <= last
