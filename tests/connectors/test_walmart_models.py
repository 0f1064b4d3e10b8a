"""Walmart, what we send and read against Walmart's own description files.

Where the files are not at hand, each test runs on the small answers in the connector's `fixtures`
and says what was not checked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sources._core import schema
from sources._core.connector import Page, Stream
from sources._core.records import RecordEncoder
from sources.walmart.lists import Listed
from sources.walmart.orders import cut_orders
from sources.walmart.returns import cut_returns
from sources.walmart.streams import ORDERS, RETURNS
from tests.connectors import walmart_stub as stub
from tests.connectors.walmart_stub import NOW, Nights, StubWalmart

FIXTURES = Path(__file__).resolve().parents[2] / "sources" / "walmart" / "fixtures"
ORDERS_FILE, RETURNS_FILE = "us_orders_v3_get_refund_only_oas3.json", "us_returns_v3_oas3.json"
LISTS: list[tuple[str, str, Stream, Callable[[bytes], Listed], str]] = [
    (ORDERS_FILE, stub.ORDERS, ORDERS, cut_orders, "list.elements.order"),
    (RETURNS_FILE, stub.RETURNS, RETURNS, cut_returns, "returnOrders"),
]
NOT_IN_THE_FILES = {"returnOrderLines.reasonCode"}  # seen in the Mexican model only


def operation(name: str, path: str) -> dict[str, Any] | None:
    found = stub.description(name)
    if found is None:
        print(f"{name} is not at hand: {path} was checked against fixtures only")
        return None
    operation: dict[str, Any] = found["paths"][path]["get"]
    return operation


def answers(name: str, path: str) -> Iterator[bytes]:
    """Our own small answers, and the example of the description."""
    yield (FIXTURES / f"{path.rpartition('/')[2]}.json").read_bytes()
    found = operation(name, path)
    if found is None:
        return
    content = found["responses"]["200"]["content"]["application/json"]
    for example in [content.get("example"), *(content.get("examples") or {}).values()]:
        if example:
            yield json.dumps(example.get("value", example)).encode()


def properties(model: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """Dotted names of all that a model has."""
    model = model.get("items", model)
    for name, inner in (model.get("properties") or {}).items():
        yield f"{prefix}{name}"
        yield from properties(inner, f"{prefix}{name}.")


def kept(names: schema.Names, prefix: str = "") -> Iterator[str]:
    for name, below in names.items():
        yield f"{prefix}{name}"
        if below is not None:
            yield from kept(below, f"{prefix}{name}.")


@pytest.mark.parametrize(("name", "path", "stream", "cut", "_place"), LISTS)
def test_walmarts_examples_are_read_whole_and_nothing_in_them_is_unknown(
    name: str, path: str, stream: Stream, cut: Callable[[bytes], Listed], _place: str
) -> None:
    for content in answers(name, path):
        records = cut(content).records
        assert records
        for record in records:
            encoded = RecordEncoder(stream).encode(Page([record], "example"))
            assert encoded.rejects == []
            assert {drift for drift in encoded.drift if drift[1] != "missing"} == set()


@pytest.mark.parametrize(("name", "path", "stream", "_cut", "place"), LISTS)
def test_every_field_that_is_kept_is_one_of_walmarts(
    name: str, path: str, stream: Stream, _cut: Callable[[bytes], Listed], place: str
) -> None:
    found = operation(name, path)
    if found is None:
        return
    model = found["responses"]["200"]["content"]["application/json"]["schema"]
    for step in place.split("."):
        model = model["properties"][step]
    known = set(properties(model))
    unknown = set(kept(schema.allowed_names(stream.record))) - known - NOT_IN_THE_FILES
    assert unknown == set()
    assert {name.split(".")[0] for name in stream.known_dropped} <= {n.split(".")[0] for n in known}


def test_every_parameter_that_is_sent_is_one_of_walmarts(tmp_path: Path) -> None:
    api = StubWalmart(orders=[stub.order(1)], returns=[stub.returned(1, stub.returned_line(1))])
    with api.running():
        outcomes = Nights(tmp_path).extract(NOW, "orders", "returns")
    assert [outcome.error for outcome in outcomes if outcome.error] == []
    for name, path, *_rest in LISTS:
        found = operation(name, path)
        sent = {key for request in api.sent(path) for key in request.params}
        assert "replacementInfo" in sent
        if found is not None:
            known = {parameter["name"] for parameter in found["parameters"]}
            assert sent - known - {"isWFSEnabled"} == set()  # of the portal's Mexican pages
