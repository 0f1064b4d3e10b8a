"""`observable/`: every fact table as a perfect reader of all sources could fill it at a clock.

Independent of the warehouse on purpose: neither its SQL nor its lot allocation is used. Settings
are those of a night against the sandbox. A source that is down at the clock tells nothing.
Facts whose source does not exist yet are empty.
"""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from sources._sandbox.api_faults import source_faults
from sources._sandbox.truth import facts
from sources._sandbox.truth.carriage import carrying, charges
from sources._sandbox.truth.cases import case_rows, ebay_cases, message_rows, with_cases
from sources._sandbox.truth.columns import FACTS, fact
from sources._sandbox.truth.costs import costs
from sources._sandbox.truth.desk_cases import desk_cases
from sources._sandbox.truth.feedback import feedback, market_feedback
from sources._sandbox.truth.market_returned import MarketBack
from sources._sandbox.truth.market_settled import market_settlement_lines
from sources._sandbox.truth.order_events import order_events
from sources._sandbox.truth.other_facts import exchanges, inventory_moves, settlement_lines
from sources._sandbox.truth.outcomes import Horizon, fates
from sources._sandbox.truth.parcels import event_rows, known_parcels, line_rows, parcel_rows
from sources._sandbox.truth.product_reviews import product_reviews
from sources._sandbox.truth.rates import Rates
from sources._sandbox.truth.reader import Reader, shown
from sources._sandbox.truth.returned import refunds, returns
from sources._sandbox.truth.shop_returned import ShopBack
from sources._sandbox.truth.stock import allocate
from sources._sandbox.world.tables import World

REPORTING_CURRENCY = "USD"  # default of the settings, as the other values of a sandbox night
_REASONS = Path(__file__).parents[2] / "amazon" / "reasons.csv"


def observable_tables(
    world: World, now: datetime, reporting_currency: str = REPORTING_CURRENCY
) -> dict[str, pl.DataFrame]:
    """All fact tables at the clock `now`."""
    clock = now.astimezone(UTC).replace(tzinfo=None)
    known = _known(answering(world, now), clock, reporting_currency)
    settled = [*settlement_lines(known), *market_settlement_lines(known)]
    cases = [*ebay_cases(known), *desk_cases(known)]
    voices = [*feedback(known), *market_feedback(known), *product_reviews(known)]
    rows = {
        "fct_order_line": facts.order_lines(known),
        "fct_unit_outcome": facts.unit_outcomes(known),
        "fct_lot_allocation": facts.lot_allocations(known),
        "fct_parcel": parcel_rows(known.parcels, known.rates, carrying(known.charges, known.rates)),
        "fct_parcel_event": event_rows(known.parcels),
        "fct_parcel_line": line_rows(known.parcels),
        "fct_return_line": facts.return_lines(known),
        "fct_return_lot": facts.return_lots(known),
        "fct_refund_line": facts.refund_lines(known),
        "fct_settlement_line": settled,
        "fct_after_sales_cost": costs(known, settled),
        "fct_exchange": exchanges(known),
        "fct_feedback": with_cases(voices, cases),
        "fct_case": case_rows(known, cases),
        "fct_message": message_rows(cases),
        "fct_inventory_move": inventory_moves(known),
    }
    filled = {name: list(of_fact) for name, of_fact in rows.items()}
    filled["fct_order_event"] = list(order_events(filled, known.parcels))
    return {name: fact(name, filled.get(name, ())) for name in FACTS}


def answering(world: World, now: datetime) -> World:
    """The world without what no reader can get: accounts and sources that are down at the clock."""

    def is_out(connector: str, account: str | None) -> bool:
        outages = source_faults(connector, world.scenario.faults).outages
        return any(o.period.holds(now) and o.account in (None, account) for o in outages)

    silent = [
        account.name
        for account in world.scenario.accounts
        if account.connector != "files" and is_out(account.connector, account.name)
    ]
    told = ~pl.col("account").is_in(silent)
    return replace(
        world,
        orders=world.orders.filter(told),
        returns=world.returns.filter(told),
        return_requests=world.return_requests.filter(told),
        refunds=world.refunds.filter(told),
        feedback=world.feedback.filter(told),
        reimbursements=world.reimbursements.filter(told),
        removals=world.removals.filter(told),
        stock_moves=world.stock_moves.filter(told),
        bookings=world.bookings.filter(told),
        settlements=world.settlements.filter(told),
        market_returns=world.market_returns.filter(told),
        market_inquiries=world.market_inquiries.filter(told),
        market_refunds=world.market_refunds.filter(told),
        market_feedback=world.market_feedback.filter(told),
        market_disputes=world.market_disputes.filter(told),
        market_bookings=world.market_bookings.filter(told),
        market_payouts=world.market_payouts.filter(told),
        service_cases=world.service_cases.filter(told),
        product_reviews=world.product_reviews.filter(told),
        fx_rates=world.fx_rates.clear() if is_out("fx", None) else world.fx_rates,
    )


def _known(world: World, clock: datetime, reporting_currency: str) -> facts.Known:
    reader = Reader(world, clock)
    lines = shown(reader.lines)
    parcels = known_parcels(reader, lines)
    shop = ShopBack(reader, lines)
    markets = MarketBack(reader, lines)
    back = returns(reader, lines, _mapped_reasons(), [*shop.returns(), *markets.returns()])
    paid = refunds(reader, lines, [*shop.refunds(), *markets.refunds()])
    products = facts.known_products(reader)
    horizon = Horizon(clock.date())
    product_of = {sku: product.product_id for sku, product in products.items()}
    ends = fates(lines.values(), back, paid, product_of, horizon)
    stock = allocate(reader, lines.values(), back)
    return facts.Known(
        reader, Rates(world, clock, reporting_currency), horizon, products,
        facts.known_lots(reader), ends, back, paid, stock, parcels,
        charges(world, clock, parcels),
    )  # fmt: skip


def _mapped_reasons() -> dict[str, str]:
    with _REASONS.open(encoding="utf-8", newline="") as file:
        return {row["raw_code"]: row["reason_l2"] for row in csv.DictReader(file)}
