"""Seller performance: one metric after the other, as Walmart judges the store today.

Belongs here: which metrics there are and which rate of an answer judges. Does not belong here:
retrying (`client.py`), which fields are kept (`report_records.py`).
204 means that there is no data yet. Metrics have no common shape, and their servers fail often.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from sources._core.connector import Page, Reject, StreamContext, Window
from sources._core.errors import RetryLater, StopStream
from sources._core.http import Call

from .client import WalmartClient
from .config import METRIC_DAYS, METRICS
from .refusals import NoSuchPathError, NothingFoundError

_PATH = "/v3/insights/performance"
_RATES = ("sellerAccountableRate", "cumulativeRate", "overallRate")  # the first that is there
_MORE: Mapping[str, str] = {"returns": "&conditionType=ALL"}


def read_performance(context: StreamContext, _window: Window) -> Iterator[Page]:
    """A metric that cannot be read does not keep the others back. US only."""
    client: WalmartClient = context.client
    if client.account.market != "us":
        return
    problem: Exception | None = None
    for metric in METRICS:
        try:
            record = _ask(client, metric)
        except NoSuchPathError:
            yield Page((), metric, rejects=(_not_offered(metric),))
            continue
        except (RetryLater, StopStream) as error:
            problem = problem or error
            continue
        if record is not None:
            yield Page([record], metric)
    if problem is not None:
        raise problem


def _ask(client: WalmartClient, metric: str) -> dict[str, Any] | None:
    target = f"{_PATH}/{metric}/summary?reportDuration={METRIC_DAYS}{_MORE.get(metric, '')}"
    headers = dict(client.account.market_headers)
    call = Call("GET", target, f"insights {metric}", headers=headers)
    try:
        found = client.ask(call, msgspec.json.decode, is_flaky=True)
    except NothingFoundError:
        return None
    payload = found.get("payload", found) if isinstance(found, dict) else None
    if not isinstance(payload, dict) or not payload:
        return None
    rate = next((payload[name] for name in _RATES if payload.get(name) is not None), None)
    return {**payload, "metric": metric, "rate": rate}


def _not_offered(metric: str) -> Reject:
    advice = "Walmart does not give this metric to the store; nothing is to be done"
    return Reject("metric_not_offered", 0, advice, metric)
