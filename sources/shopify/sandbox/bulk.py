"""Bulk operations: a query that runs by itself and leaves a file of lines.

Belongs here: what a bulk query may hold, the life of an operation, its file. Does not belong here:
running the query (given as a function).

The file has a line per object of a connection, children with `__parentId`; without grouping they
stand anywhere, also before their parent, and now and then twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

import msgspec
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
    parse,
    validate,
)

from sources._core.clock import Clock
from sources._sandbox.api_faults import ApiFaults, share_of

from .answers import gid, kind_and_digits, moment, naive
from .connections import page

MOST_AT_ONCE = 5
MOST_CONNECTIONS = 5
MOST_DEPTH = 2
POLLS_UNTIL_DONE = 2
LIFE = timedelta(days=7)
Object = dict[str, Any]
Run = Callable[[str], Object]


@dataclass
class Operation:
    account: str
    number: int
    query: str
    is_grouped: bool
    created_at: datetime
    status: str = "CREATED"
    polls: int = 0
    lines: list[bytes] = field(default_factory=list)
    roots: int = 0
    error: str | None = None
    has_partial_data: bool = False

    @property
    def digits(self) -> str:
        return f"72{self.number:010d}"


@dataclass
class BulkOperations:
    """All operations of all shops."""

    schema: GraphQLSchema
    clock: Clock
    faults: ApiFaults
    seed: int
    _made: list[Operation] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def start(self, account: str, query: str, is_grouped: bool, run: Run) -> Object:
        """`bulkOperationRunQuery`: the operation, or why there is none."""
        problem = bulk_problem(self.schema, query)
        if problem:
            return _payload(None, [("INVALID", ["query"], problem)])
        with self._lock:
            running = [
                o for o in self._made if o.account == account and o.status in ("CREATED", "RUNNING")
            ]
            if len(running) >= MOST_AT_ONCE:
                return _payload(
                    None,
                    [("LIMIT_REACHED", None, "Bulk query operation limit reached for this app.")],
                )
            operation = Operation(
                account, len(self._made) + 1, query, is_grouped, naive(self.clock.now())
            )
            self._made.append(operation)
        self._work(operation, run)
        return _payload(self.object(operation, ""), [])

    def _work(self, operation: Operation, run: Run) -> None:
        roots, lines = _written(run(operation.query))
        if not operation.is_grouped:
            lines = self._mixed(operation, lines)
        operation.roots = roots
        operation.lines = [msgspec.json.encode(line) for line in lines]
        number = sum(o.query == operation.query for o in self._made)
        if self.faults.strikes("http_503", operation.account, operation.query, number):
            operation.error = "INTERNAL_SERVER_ERROR"
            operation.lines = operation.lines[: len(operation.lines) // 2]

    def _mixed(self, operation: Operation, lines: list[Object]) -> list[Object]:
        """Lines in an order of their own, some of them twice."""
        mixed = []
        for place, line in enumerate(lines):
            twice = self.faults.strikes("duplicate_record", operation.account, line.get("id"))
            mixed += [(share_of(self.seed, "line", line.get("id"), place), line)] * (1 + twice)
        return [line for _, line in sorted(mixed, key=lambda pair: pair[0])]

    def poll(self, account: str, identifier: str, origin: str) -> Object | None:
        """`bulkOperation(id)`; each look brings the operation a step further."""
        operation = self._find(account, identifier)
        if operation is None:
            return None
        if operation.status in ("CREATED", "RUNNING"):
            operation.polls += 1
            operation.status = "RUNNING"
            if operation.polls >= POLLS_UNTIL_DONE:
                operation.status = "FAILED" if operation.error else "COMPLETED"
        elif operation.status == "FAILED":
            operation.has_partial_data = True  # it comes a moment after the failure
        elif operation.status == "CANCELING":
            operation.status = "CANCELED"
        if operation.status == "COMPLETED" and naive(self.clock.now()) > (
            operation.created_at + LIFE
        ):
            operation.status = "EXPIRED"
        return self.object(operation, origin)

    def cancel(self, account: str, identifier: str, origin: str) -> Object:
        operation = self._find(account, identifier)
        if operation is None:
            message = "Bulk operation does not exist"
            return {"bulkOperation": None, "userErrors": [{"field": ["id"], "message": message}]}
        if operation.status in ("CREATED", "RUNNING"):
            operation.status = "CANCELING"
        return {"bulkOperation": self.object(operation, origin), "userErrors": []}

    def listing(self, account: str, info: Any, origin: str, **page_of: Any) -> Object:
        mine = [o for o in self._made if o.account == account]
        return page(
            mine,
            lambda operation: self.object(operation, origin),
            first=page_of.get("first"),
            after=page_of.get("after"),
            last=page_of.get("last"),
            before=page_of.get("before"),
        )

    def current(self, account: str, origin: str) -> Object | None:
        mine = [o for o in self._made if o.account == account]
        return self.poll(account, gid("BulkOperation", mine[-1].digits), origin) if mine else None

    def file(self, name: str) -> bytes | None:
        """The lines behind an address, whole or partial."""
        for operation in self._made:
            if name == self._name(operation):
                is_there = operation.status == "COMPLETED" or operation.has_partial_data
                return b"".join(line + b"\n" for line in operation.lines) if is_there else None
        return None

    def _name(self, operation: Operation) -> str:
        luck = share_of(self.seed, "bulk file", operation.account, operation.digits)
        return f"{operation.digits}-{int(luck * 16**12):012x}.jsonl"

    def _find(self, account: str, identifier: str) -> Operation | None:
        _, digits = kind_and_digits(identifier)
        return next((o for o in self._made if (o.account, o.digits) == (account, digits)), None)

    def object(self, operation: Operation, origin: str) -> Object:
        is_done = operation.status in ("COMPLETED", "FAILED", "CANCELED", "EXPIRED")
        address = f"{origin}/bulk/{self._name(operation)}" if operation.lines else None
        shown = operation.lines if is_done else []
        return {
            "__typename": "BulkOperation",
            "id": gid("BulkOperation", operation.digits),
            "type": "QUERY",
            "status": operation.status,
            "errorCode": operation.error if operation.status == "FAILED" else None,
            "query": operation.query,
            "createdAt": moment(operation.created_at),
            "completedAt": moment(operation.created_at) if is_done else None,
            "objectCount": str(len(shown)),
            "rootObjectCount": str(operation.roots if shown else 0),
            "fileSize": str(sum(len(line) + 1 for line in shown)) if shown else None,
            "url": address if operation.status == "COMPLETED" else None,
            "partialDataUrl": address if operation.has_partial_data else None,
        }


def _payload(operation: Object | None, errors: list[tuple[str, list[str] | None, str]]) -> Object:
    told = [{"code": code, "field": name, "message": text} for code, name, text in errors]
    return {"bulkOperation": operation, "userErrors": told}


def bulk_problem(schema: GraphQLSchema, query: str) -> str | None:
    """Why a query cannot run in bulk; None: it can."""
    try:
        document = parse(query)
        errors = validate(schema, document)
    except GraphQLError as error:
        return f"Invalid bulk query: {error.message}"
    if errors:
        return f"Invalid bulk query: {errors[0].message}"
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    if len(operations) != 1 or operations[0].operation.value != "query":
        return "Bulk queries must contain exactly one query."
    if len(operations[0].selection_set.selections) != 1:
        return "Bulk queries must contain exactly one top-level field."
    found = _Shape(schema, document)
    found.walk(operations[0].selection_set, schema.query_type, 0, False)
    if not found.connections:
        return "Bulk queries must contain at least one connection."
    if found.connections > MOST_CONNECTIONS:
        return f"Bulk queries cannot contain more than {MOST_CONNECTIONS} connections."
    return found.problem


@dataclass
class _Shape:
    """Connections of a bulk query, and the first thing that is not allowed."""

    schema: GraphQLSchema
    document: DocumentNode
    connections: int = 0
    problem: str | None = None

    def walk(
        self, selections: SelectionSetNode | None, parent: Any, depth: int, in_list: bool
    ) -> bool:
        """True if a connection lies below."""
        below = False
        for node, kind in self._fields(selections, parent):
            definition = getattr(kind, "fields", {}).get(node.name.value)
            if definition is None:
                continue
            inner = get_named_type(definition.type)
            if inner.name.endswith("Connection"):
                below = True
                self._connection(node, inner, depth + 1, in_list)
                continue
            is_list = in_list or (
                is_list_type(get_nullable_type(definition.type))
                and not inner.name.endswith("Edge")
                and not str(parent).endswith("Connection")
            )
            below |= self.walk(node.selection_set, inner, depth, is_list)
        return below

    def _connection(self, node: FieldNode, kind: Any, depth: int, in_list: bool) -> None:
        self.connections += 1
        if in_list:
            self.problem = self.problem or (
                f"Queries that contain a connection field within a list field are not currently "
                f"supported: {node.name.value}."
            )
        if depth > MOST_DEPTH + 1:
            self.problem = self.problem or (
                f"Bulk queries cannot contain connections with a nesting depth greater than "
                f"{MOST_DEPTH}."
            )
        if self.walk(node.selection_set, kind, depth, in_list) and not self._has_id(node):
            self.problem = self.problem or (
                "The parent of a nested connection must select its `id` without an alias."
            )

    def _has_id(self, node: FieldNode) -> bool:
        for edge in node.selection_set.selections if node.selection_set else ():
            if not isinstance(edge, FieldNode):
                continue
            inner = edge.selection_set
            if edge.name.value == "edges" and inner:
                inner = next(
                    (
                        f.selection_set
                        for f in inner.selections
                        if isinstance(f, FieldNode) and f.name.value == "node"
                    ),
                    None,
                )
            for field_node, _ in self._fields(inner, None):
                if field_node.name.value == "id" and field_node.alias is None:
                    return True
        return False

    def _fields(
        self, selections: SelectionSetNode | None, parent: Any
    ) -> Iterator[tuple[FieldNode, Any]]:
        for selection in selections.selections if selections else ():
            if isinstance(selection, FieldNode):
                yield selection, parent
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                kind = self.schema.get_type(condition.name.value) if condition else parent
                yield from self._fields(selection.selection_set, kind)
            elif isinstance(selection, FragmentSpreadNode):
                fragment = next(
                    d
                    for d in self.document.definitions
                    if isinstance(d, FragmentDefinitionNode)
                    and d.name.value == selection.name.value
                )
                kind = self.schema.get_type(fragment.type_condition.name.value)
                yield from self._fields(fragment.selection_set, kind)


def _written(data: Object) -> tuple[int, list[Object]]:
    """Number of objects at the top, and all lines, parents first."""
    lines: list[Object] = []
    (top,) = data.values()
    nodes = _nodes(top)
    if nodes is None:
        _write(top, None, lines)
        return 1, lines
    for node in nodes:
        _write(node, None, lines)
    return len(nodes), lines


def _nodes(value: Any) -> list[Object] | None:
    """Objects of a connection as the answer has them; None: no connection."""
    if not isinstance(value, dict) or not ("edges" in value or "nodes" in value):
        return None
    if "nodes" in value:
        return list(value["nodes"])
    return [edge["node"] for edge in value["edges"]]


def _write(node: Object, parent: str | None, lines: list[Object]) -> None:
    plain: Object = {}
    children: list[list[Object]] = []
    for name, value in node.items():
        found = _nodes(value)
        if found is None:
            plain[name] = value
        else:
            children.append(found)
    if parent is not None:
        plain["__parentId"] = parent
    lines.append(plain)
    for group in children:
        for child in group:
            _write(child, node.get("id"), lines)
