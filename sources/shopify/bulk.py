"""Orders of a long window by a bulk operation: start, wait, fetch, put together.

Belongs here: the life of a bulk operation and its file of lines. Does not belong here: reading the
same window page by page, which is what happens where Shopify refuses or fails (`orders.py`).
Lines may stand in any order and twice: they are sorted by a database file on disk, so that memory
does not grow with the window. An operation of another program is never cancelled, only waited for.
"""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from sources._core.connector import StreamContext, Window
from sources._core.errors import StopStream

from .client import Node, ShopifyClient
from .operations import bulk_query
from .searches import search_of

POLL_SECONDS = 10.0
LONGEST_WAIT = 4 * 3_600.0
LONGEST_QUEUE = 1_800.0
_BUSY = frozenset({"LIMIT_REACHED", "OPERATION_IN_PROGRESS"})
_RUNNING = frozenset({"CREATED", "RUNNING", "CANCELING"})
_STATE = "bulk_operation"
_CHILDREN = {"LineItem": "lineItems", "ShippingLine": "shippingLines"}


class BulkRefusedError(StopStream):
    """The window cannot be had by a bulk operation tonight: read it page by page."""


def bulk_orders(context: StreamContext, window: Window) -> Iterator[Node]:
    """Orders of the window with their lines. All of the file is checked before the first."""
    client: ShopifyClient = context.client
    query = bulk_query(search_of(window))
    operation = _finished(context, query)
    with tempfile.TemporaryDirectory(prefix="shopify_bulk_") as folder:
        lines = Path(folder) / "lines.jsonl"
        lines.touch()
        if operation.get("url"):
            client.download(operation["url"], lines)
        with contextlib.closing(sqlite3.connect(Path(folder) / "lines.sqlite")) as store:
            _check(_stored(store, lines), operation)
            _forget(context)
            yield from _put_together(store)


def _finished(context: StreamContext, query: str) -> Mapping[str, Any]:
    """The operation once it is over; one that a killed night began is waited for."""
    client: ShopifyClient = context.client
    kept = context.state.get(_STATE) or {}
    operation_id = kept.get("id") if kept.get("query") == query else None
    if operation_id is None:
        operation_id = _start(client, query)
        context.state[_STATE] = {"id": operation_id, "query": query}
        context.state.save()
    deadline = context.clock.monotonic() + LONGEST_WAIT
    while context.clock.monotonic() < deadline:
        found: Mapping[str, Any] = client.ask("BulkPoll", {"id": operation_id}).data
        operation = found.get("bulkOperation") or {"status": "EXPIRED"}
        if operation["status"] == "COMPLETED":
            return operation
        if operation["status"] not in _RUNNING:
            _forget(context)
            code = operation.get("errorCode") or "no reason given"
            raise BulkRefusedError(f"{operation['status']}: {code}")
        context.clock.sleep(POLL_SECONDS)
    raise BulkRefusedError("it took too long")


def _start(client: ShopifyClient, query: str) -> str:
    deadline = client.clock.monotonic() + LONGEST_QUEUE
    while True:
        answer = client.ask("BulkStart", {"query": query, "group": False}).data
        started = answer.get("bulkOperationRunQuery") or {}
        if started.get("bulkOperation"):
            return str(started["bulkOperation"]["id"])
        codes = {error.get("code") or "refused" for error in started.get("userErrors") or ()}
        if not codes & _BUSY or client.clock.monotonic() >= deadline:
            raise BulkRefusedError(", ".join(sorted(codes)) or "no operation was begun")
        client.clock.sleep(POLL_SECONDS)


def _stored(store: sqlite3.Connection, lines: Path) -> int:
    """Put the lines into the file, one an id; the number of objects."""
    store.execute("create table line (id text primary key, parent text, body blob)")
    with lines.open("rb") as file:
        rows = (_row(text) for text in file if text.strip())
        store.executemany("insert or replace into line values (?, ?, ?)", rows)
    store.execute("create index by_parent on line (parent)")
    return int(store.execute("select count(*) from line").fetchone()[0])


def _row(text: bytes) -> tuple[str, str | None, bytes]:
    try:
        line = msgspec.json.decode(text)
        return line["id"], line.get("__parentId"), text
    except (msgspec.DecodeError, KeyError, TypeError):
        raise BulkRefusedError("a line of its file cannot be read") from None


def _check(count: int, operation: Mapping[str, Any]) -> None:
    """Lines against the number that Shopify tells, so that no cut file passes."""
    told = int(operation.get("objectCount") or 0)
    if count != told:
        raise BulkRefusedError(f"its file has {count} objects of {told}")


def _put_together(store: sqlite3.Connection) -> Iterator[Node]:
    orphans = "select count(*) from line where parent not in (select id from line)"
    if store.execute(orphans).fetchone()[0]:
        raise BulkRefusedError("parts of orders came without their order")
    for order_id, body in store.execute("select id, body from line where parent is null"):
        order: Node = msgspec.json.decode(body)
        order.pop("__typename", None)
        order |= {name: {"nodes": []} for name in _CHILDREN.values()}
        children = "select body from line where parent = ? order by length(id), id"
        for (child_body,) in store.execute(children, (order_id,)):
            child = msgspec.json.decode(child_body)
            child.pop("__parentId", None)
            name = _CHILDREN.get(child.pop("__typename", ""))
            if name:
                order[name]["nodes"].append(child)
        yield order


def _forget(context: StreamContext) -> None:
    if context.state.pop(_STATE, None) is not None:
        context.state.save()
