"""How eBay sees the seller: rates of problems beside those of peers, and the seller's level.

Belongs here: reading both of eBay's Analytics lists as they stand today. Does not belong here:
rates of our own (the marts). eBay allows 400 requests a day for all sellers of an application.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sources._core.connector import Page, StreamContext, Window

from .answers import Node, NothingFoundError
from .client import EbayClient
from .config import METRIC_CYCLES, METRIC_TYPES, marketplace_ids
from .shapes import plain

_API = "analytics"


def read_service_metrics(context: StreamContext, window: Window) -> Iterator[Page]:
    """Once a night and not for windows of the past: eBay tells only how it is now."""
    if not window.is_last:
        return
    client: EbayClient = context.client
    client.quotas.stop_if_used_up(_API)
    for name in client.account.marketplaces:
        marketplace = marketplace_ids()[name]
        for metric_type in METRIC_TYPES:
            for cycle in METRIC_CYCLES:
                place = f"{metric_type} {cycle} {marketplace}"
                found = _metric(client, metric_type, cycle, marketplace)
                records = _rows(found, metric_type, cycle, marketplace)
                yield Page(records, place)


def read_seller_standards(context: StreamContext, window: Window) -> Iterator[Page]:
    if not window.is_last:
        return
    client: EbayClient = context.client
    client.quotas.stop_if_used_up(_API)
    found = client.ask(_API, "/seller_standards_profile")
    yield Page([_profile(row) for row in found.get("standardsProfiles") or ()], "seller standards")


def _metric(client: EbayClient, metric_type: str, cycle: str, marketplace: str) -> Node:
    path = f"/customer_service_metric/{metric_type}/{cycle}"
    try:
        return client.ask(_API, path, {"evaluation_marketplace_id": marketplace})
    except NothingFoundError:
        return {}  # not evaluated on this marketplace


def _rows(answer: Node, metric_type: str, cycle: str, marketplace: str) -> list[Node]:
    """One record a dimension value; the days of the cycle are kept as eBay writes them."""
    evaluation: Any = answer.get("evaluationCycle") or {}
    return [
        {
            "marketplaceId": answer.get("marketplaceId") or marketplace,
            "metricType": metric_type,
            "evaluationType": evaluation.get("evaluationType") or cycle,
            "evaluationDate": evaluation.get("evaluationDate"),
            "startDate": evaluation.get("startDate"),
            "endDate": evaluation.get("endDate"),
            **plain({name: row.get(name) for name in ("dimension", "metrics")}),
        }
        for row in answer.get("dimensionMetrics") or ()
    ]


def _profile(profile: Node) -> Node:
    """Values of three shapes: a number, an amount, a part of a whole."""
    record: Node = plain({name: value for name, value in profile.items() if name != "metrics"})
    record["metrics"] = [_standard(metric) for metric in profile.get("metrics") or () if metric]
    return record


def _standard(metric: Node) -> Node:
    value = metric.get("value")
    parts = value if isinstance(value, dict) else {"value": value}
    given = {name: inner for name, inner in parts.items() if inner is not None}
    texts = {name: str(inner) for name, inner in given.items()}
    return {**{n: v for n, v in metric.items() if n != "value"}, **texts}
