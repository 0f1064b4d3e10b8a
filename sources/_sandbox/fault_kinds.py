"""The kinds of faults that a scenario may plant, with their parameters.

Belongs here: names, types and which must be given. Does not belong here: effects.

Where they act so far: bad_lot, size_bias, listing_mismatch, wrong_item, no_fault_found,
damaging_carrier, return_fraud, safety, slow_lane, lossy_lane, customs_hold, season, mix_shift,
intervention, fee_rise, settlement_error, slow_service and refusing_service (both only where a
helpdesk is) in the world (`world/`); source_outage and schema_drift
in the servers (Shopify: source_outage only, since it answers no field that is not asked for).
A lane or carrier fault changes delivery times, losses and reasons of returns; scans tell of it
where the scenario has an account of `tracking`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Literal

import pydantic

Rate = Annotated[float, pydantic.Field(ge=0, le=1)]
Positive = Annotated[float, pydantic.Field(gt=0)]
Count = Annotated[int, pydantic.Field(ge=1)]
Country = Annotated[str, pydantic.Field(pattern=r"^[A-Z]{2}$")]
Text = Annotated[str, pydantic.Field(min_length=1)]
Reason = Annotated[str, pydantic.Field(pattern=r"^[a-z_]+\.[a-z_]+$")]


@dataclass(frozen=True)
class FaultKind:
    """`parameters` by name; of each group in `required` at least one must be given."""

    parameters: Mapping[str, Any]
    required: tuple[tuple[str, ...], ...]
    defaults: Mapping[str, Any] = field(default_factory=dict)


_LANE: dict[str, Any] = {
    "carrier": Text,
    "service": Text,
    "origin": Country,
    "destination": Country,
}
_LANE_NAMES = tuple(_LANE)

FAULT_KINDS: Mapping[str, FaultKind] = {
    "bad_lot": FaultKind(
        {"sku": Text, "lot": Text, "rate": Rate, "reason": Reason},
        (("sku",), ("lot",), ("rate",)),
        {"reason": "product_defect.functional"},
    ),
    "size_bias": FaultKind(
        {
            "product": Text,
            "sku": Text,
            "country": Country,
            "direction": Literal["too_small", "too_large"],
            "rate": Rate,
        },
        (("product", "sku"), ("direction",), ("rate",)),
    ),
    "listing_mismatch": FaultKind({"sku": Text, "rate": Rate}, (("sku",), ("rate",))),
    "wrong_item": FaultKind({"warehouse": Text, "rate": Rate}, (("warehouse",), ("rate",))),
    "slow_lane": FaultKind({**_LANE, "days": Positive}, (_LANE_NAMES, ("days",))),
    "lossy_lane": FaultKind({**_LANE, "rate": Rate}, (_LANE_NAMES, ("rate",))),
    "damaging_carrier": FaultKind({"carrier": Text, "rate": Rate}, (("carrier",), ("rate",))),
    "customs_hold": FaultKind(
        {"destination": Country, "share": Rate, "days": Positive},
        (("destination",), ("share",), ("days",)),
    ),
    "no_fault_found": FaultKind({"sku": Text, "rate": Rate}, (("sku",), ("rate",))),
    "return_fraud": FaultKind(
        {"buyers": Count, "orders_each": Count}, (("buyers",), ("orders_each",))
    ),
    "safety": FaultKind({"sku": Text, "date": date}, (("sku",), ("date",))),
    "fee_rise": FaultKind(
        {"marketplace": Text, "fee": Text, "factor": Positive},
        (("marketplace",), ("fee",), ("factor",)),
    ),
    "slow_service": FaultKind({"team": Text, "hours": Positive}, (("team",), ("hours",))),
    "refusing_service": FaultKind({"team": Text, "share": Rate}, (("team",), ("share",))),
    "season": FaultKind({"factor": Positive}, (("factor",),)),
    "mix_shift": FaultKind(
        {"marketplace": Text, "sku_share": Rate | dict[str, Rate]},
        (("marketplace",), ("sku_share",)),
    ),
    "intervention": FaultKind(
        {
            "date": date,
            "change": Text,  # size_chart, listing_text, ...; `kind` is taken by the fault's own
            "change_kind": Text,
            "product": Text,
            "sku": Text,
            "country": Country,
            "effect": bool | float | str,
        },
        (("date",), ("product", "sku"), ("effect",)),
    ),
    "source_outage": FaultKind({"connector": Text, "account": Text}, (("connector",),)),
    "schema_drift": FaultKind(
        {
            "connector": Text,
            "stream": Text,
            "change": Literal["add", "drop", "rename", "type"],
            "field": Text,
        },
        (("connector",), ("stream",), ("change",), ("field",)),
    ),
    "settlement_error": FaultKind(
        {"account": Text, "amount": float, "count": Count},
        (("account",), ("amount",)),
        {"count": 1},
    ),
}
