"""Buyers who write to a service desk, and what becomes of it.

Belongs here: who writes and when, the tables `service_cases`, `service_messages` and
`service_states`. Does not belong here: how a single case goes on (`service_story.py`), how a desk
shows it (`sources/helpdesk/sandbox`).

Parcels that are late or lost, goods that are wrong or broken, refunds that let wait: what truly
happened to an order decides what its buyer asks. A few write without any trouble.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl

from sources._sandbox.world.draws import text_ids
from sources._sandbox.world.service_story import Asked, Story, tell
from sources._sandbox.world.simulation import Simulation
from sources._sandbox.world.tables import SCHEMAS

TABLES = ("service_cases", "service_messages", "service_states")
TROUBLED, CALM, MOST = 5.0, 0.5, 0.75
"""How much more, or less, often than `case_rate` says; and at most."""

FIRST_CASE = 1001


def service_tables(
    sim: Simulation,
    orders: pl.DataFrame,
    units: pl.DataFrame,
    shipments: pl.DataFrame,
    refunds: pl.DataFrame,
    buyers: pl.DataFrame,
) -> dict[str, pl.DataFrame]:
    """All three, by name; empty where the scenario has no helpdesk."""
    desks = [a.name for a in sim.scenario.accounts if a.connector == "helpdesk"]
    if not desks:
        return {name: pl.DataFrame() for name in TABLES}
    asking = _asking(sim, orders, units, shipments, refunds, buyers)
    found = [
        story
        for row in asking.iter_rows(named=True)
        for story in tell(sim, Asked(row, _desk_of(sim, desks, row["order_id"])))
    ]
    found.sort(key=lambda story: (story.case["opened_at"], story.case["case_id"]))
    numbers = dict.fromkeys(desks, FIRST_CASE)
    numbered: dict[str, str] = {}
    for story in found:
        desk = story.case["account"]
        numbered[story.case["case_id"]] = str(numbers[desk])
        numbers[desk] += 1
    return {
        name: pl.DataFrame(list(_rows(name, found, numbered)), schema=dict(SCHEMAS[name]))
        for name in TABLES
    }


def _desk_of(sim: Simulation, desks: list[str], order_id: str) -> str:
    """All that a buyer writes about an order goes to one desk."""
    return desks[int(sim.draws.one("desk", order_id) * len(desks))]


def _rows(name: str, found: list[Story], numbers: dict[str, str]) -> Iterator[dict[str, Any]]:
    for story in found:
        case = story.case
        own = {"account": case["account"], "case_id": numbers[case["case_id"]]}
        if name == "service_cases":
            yield case | own | {"merged_into": numbers.get(case["merged_into"])}
        elif name == "service_messages":
            said = sorted(story.messages, key=lambda message: message["sent_at"])
            for number, message in enumerate(said, 1):
                yield message | own | {"message_no": number}
        else:
            yield from (state | own for state in story.states)


def _asking(
    sim: Simulation,
    orders: pl.DataFrame,
    units: pl.DataFrame,
    shipments: pl.DataFrame,
    refunds: pl.DataFrame,
    buyers: pl.DataFrame,
) -> pl.DataFrame:
    """Orders whose buyers write, with what happened to them."""
    causes = (
        units.filter(pl.col("true_cause").is_not_null())
        .sort("order_id", "line_no", "unit_no")
        .group_by("order_id", maintain_order=True)
        .agg(pl.col("true_cause").first(), pl.col("line_no").first())
    )
    parcels = shipments.group_by("order_id").agg(
        pl.col("delivered_at").max(),
        (pl.col("state") != "delivered").any().alias("is_lost"),
    )
    paid = refunds.group_by("order_id").agg(pl.col("refunded_at").min())
    people = buyers.select("customer_no", "email", "phone").unique("customer_no", keep="first")
    found = (
        orders.filter(pl.col("shipped_complete_at").is_not_null(), pl.col("link_kind").is_null())
        .join(causes, on="order_id", how="left", maintain_order="left")
        .join(parcels, on="order_id", how="left", maintain_order="left")
        .join(paid, on="order_id", how="left", maintain_order="left")
        .join(people, on="customer_no", how="left", maintain_order="left")
        .with_columns(is_late=_is_late())
    )
    troubled = found.select(
        (pl.col("true_cause").is_not_null() | pl.col("is_late")).alias("is_troubled")
    )["is_troubled"].to_numpy()
    rate = sim.scenario.case_rate
    share = np.where(troubled, min(MOST, TROUBLED * rate), CALM * rate)
    keys = text_ids(found["order_id"].to_list())
    return found.filter(pl.Series(sim.draws.chance("desk.asks", keys, share)))


def _is_late() -> pl.Expr:
    """A day or more after the promise, or never."""
    due = pl.col("deliver_by_at") + timedelta(days=1)
    return (pl.col("is_lost") | (pl.col("delivered_at") > due)).fill_null(value=False)
