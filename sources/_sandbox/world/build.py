"""From a scenario to a world: run the simulation, make every table, check its shape.

Belongs here: the order of the steps only.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from sources._sandbox.scenario import Scenario
from sources._sandbox.world import (
    market_tables,
    reference_tables,
    return_tables,
    sales_tables,
    shop_tables,
)
from sources._sandbox.world.buyers import buyers_table
from sources._sandbox.world.carrier_bills import carrier_bills_table
from sources._sandbox.world.fault_tables import fault_table, rates_table, touched_entities
from sources._sandbox.world.feedback import feedback_table
from sources._sandbox.world.inspections import inspections_table
from sources._sandbox.world.market_money import market_money
from sources._sandbox.world.market_voices import market_voices
from sources._sandbox.world.product_reviews import product_reviews_table
from sources._sandbox.world.reimbursements import reimbursements_table
from sources._sandbox.world.return_requests import return_requests_table
from sources._sandbox.world.service import service_tables
from sources._sandbox.world.settlements import settlement_tables
from sources._sandbox.world.simulation import simulate
from sources._sandbox.world.stock_tables import removals_table, stock_moves_table
from sources._sandbox.world.tables import SCHEMAS, World, conform
from sources._sandbox.world.tracked_parcels import tracked_tables


def build_world(scenario: Scenario, until: datetime | date | None = None) -> World:
    """The world of a scenario up to a clock: `until`, or the scenario's `today`."""
    end = _last_day(until if until is not None else scenario.today)
    sim = simulate(scenario, max(end, scenario.start + timedelta(days=1)))
    orders = sales_tables.orders_table(sim)
    lines = sales_tables.lines_table(sim)
    units = sales_tables.units_table(sim)
    shipments = sales_tables.shipments_table(sim)
    buyers = buyers_table(sim)
    returns = return_tables.returns_table(sim, buyers)
    return_units = return_tables.return_units_table(sim)
    refunds = return_tables.refunds_table(sim)
    moves = stock_moves_table(sim)
    removals = removals_table(sim, returns, moves)
    reimbursements = reimbursements_table(sim, moves)
    requests = return_requests_table(sim, orders, lines, returns, refunds)
    settlements, settlement_lines, bookings = settlement_tables(
        sim, orders, lines, shipments, returns, refunds, reimbursements, requests, removals
    )
    orders = shop_tables.with_names(sim, orders)
    shop = shop_tables.shop_tables(sim, orders, lines, units, shipments, returns, refunds)
    orders = market_tables.with_customer_orders(sim, orders, units)
    markets = market_tables.market_tables(sim, orders, lines, units, shipments, returns, refunds)
    voices = market_voices(sim, orders, lines, units, buyers)
    money = market_money(sim, orders, lines, shipments, {**markets, **voices})
    lots = reference_tables.lots_table(sim)
    fx_rates, fx_overrides = reference_tables.exchange_rates(sim)
    frames = {
        "marketplaces": reference_tables.marketplaces_table(sim),
        "suppliers": reference_tables.suppliers_table(),
        "products": sim.catalogue.frame,
        "listings": reference_tables.listings_table(sim),
        "lots": lots,
        "receipts": reference_tables.receipts_table(sim),
        "warehouses": reference_tables.warehouses_table(sim),
        "stock_moves": moves,
        "removals": removals,
        "buyers": buyers,
        "orders": orders,
        "order_lines": lines,
        "units": units,
        "shipments": shipments,
        "returns": returns,
        "return_units": return_units,
        "return_requests": requests,
        "refunds": refunds,
        "reimbursements": reimbursements,
        "feedback": feedback_table(sim, orders, units, buyers),
        "bookings": bookings,
        "settlements": settlements,
        "settlement_lines": settlement_lines,
        **shop,
        **markets,
        **voices,
        **money,
        **service_tables(sim, orders, units, shipments, refunds, buyers),
        "product_reviews": product_reviews_table(sim, orders, lines, units, shipments),
        **tracked_tables(sim, orders, units, shipments, requests, markets["market_returns"]),
        "carrier_bills": carrier_bills_table(sim, orders, shipments, returns, shop["shop_returns"]),
        "inspections": inspections_table(sim, returns, return_units, units),
        "scans": sales_tables.scans_table(units, orders),
        "order_states": sales_tables.states_table(sim),
        "fx_rates": fx_rates,
        "fx_overrides": fx_overrides,
        "faults": fault_table(
            scenario, sim.catalogue, touched_entities(settlements, orders, units)
        ),
        "rates": rates_table(sim, lots),
    }
    whole = {name: _conformed(name, frame) for name, frame in frames.items()}
    return World(scenario=scenario, end=datetime.combine(sim.end, time(), UTC), **whole)


def _conformed(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    if not frame.width:
        return pl.DataFrame(schema=dict(SCHEMAS[name]))
    return conform(name, frame)


def _last_day(until: datetime | date) -> date:
    """The first day without orders: a clock within a day still sees that day's orders."""
    if not isinstance(until, datetime):
        return until
    moment = until.astimezone(UTC) if until.tzinfo else until
    return moment.date() + timedelta(days=moment.time() > time())
