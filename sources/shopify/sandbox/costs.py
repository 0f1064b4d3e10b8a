"""What a query costs, and the bucket that pays for it.

Belongs here: the model of cost and the refilling. The real one is not published to the last point.
Here: a scalar or a plain value (money, page info) costs nothing, an object 1, a connection 2 and
its objects times `first`; below the top times the square root of it, so that nested pages multiply,
yet the reference operations stay below the limit of one query.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_leaf_type,
)

from sources._core.clock import Clock

MOST_A_QUERY = 1_000
BUCKET, REFILL = 2_000, 100.0
FAST_BUCKET, FAST_REFILL = 20_000, 10_000.0
_FREE = frozenset({"MoneyBag", "MoneyV2", "PageInfo", "TaxLine", "DiscountAllocation"})
_USUAL_PAGE = 50


@dataclass(frozen=True)
class Meter:
    """Costs the operations of one document with its variables."""

    schema: GraphQLSchema
    document: DocumentNode
    variables: Mapping[str, Any]

    def cost(self, operation: OperationDefinitionNode) -> int:
        root = (
            self.schema.mutation_type
            if operation.operation.value == "mutation"
            else self.schema.query_type
        )
        base = 10 if operation.operation.value == "mutation" else 0
        return base + math.ceil(self._selection(operation.selection_set, root, is_top=True))

    def _selection(
        self, selections: SelectionSetNode | None, parent: Any, *, is_top: bool = False
    ) -> float:
        total = 0.0
        for selection in selections.selections if selections else ():
            if isinstance(selection, FieldNode):
                total += self._field(selection, parent, is_top=is_top)
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                kind = self.schema.get_type(condition.name.value) if condition else parent
                total += self._selection(selection.selection_set, kind, is_top=is_top)
            elif isinstance(selection, FragmentSpreadNode):
                fragment = self._fragment(selection.name.value)
                kind = self.schema.get_type(fragment.type_condition.name.value)
                total += self._selection(fragment.selection_set, kind, is_top=is_top)
        return total

    def _field(self, node: FieldNode, parent: Any, *, is_top: bool = False) -> float:
        definition = getattr(parent, "fields", {}).get(node.name.value)
        if definition is None:
            return 0.0
        kind = get_named_type(definition.type)
        if is_leaf_type(kind):
            return 0.0
        if kind.name.endswith("Connection"):
            size = self._size(node)
            times = float(size) if is_top else math.sqrt(size)
            return 2.0 + times * self._selection(node.selection_set, kind)
        inner = self._selection(node.selection_set, kind)
        own = 0.0 if kind.name in _FREE or kind.name.endswith("Edge") else 1.0
        return own + inner

    def _size(self, node: FieldNode) -> int:
        for argument in node.arguments:
            if argument.name.value in ("first", "last"):
                value = argument.value
                if isinstance(value, IntValueNode):
                    return int(value.value)
                if isinstance(value, VariableNode):
                    return int(self.variables.get(value.name.value) or _USUAL_PAGE)
        return _USUAL_PAGE

    def _fragment(self, name: str) -> FragmentDefinitionNode:
        return next(
            d
            for d in self.document.definitions
            if isinstance(d, FragmentDefinitionNode) and d.name.value == name
        )


def objects_in(content: Any) -> int:
    """How many objects an answer holds: what it cost in the end."""
    if isinstance(content, dict):
        return 1 + sum(objects_in(value) for value in content.values())
    return sum(map(objects_in, content)) if isinstance(content, list) else 0


@dataclass
class Buckets:
    """One bucket of points per shop, refilled by real time."""

    clock: Clock
    is_realistic: bool
    _left: dict[str, tuple[float, float]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    @property
    def size(self) -> int:
        return BUCKET if self.is_realistic else FAST_BUCKET

    @property
    def refill(self) -> float:
        return REFILL if self.is_realistic else FAST_REFILL

    def takes(self, account: str, cost: int) -> bool:
        """Pay, if the bucket holds as much. With fast throttling it always does."""
        with self._lock:
            left = self._now(account)
            if left < cost and self.is_realistic:
                return False
            self._left[account] = (max(left - cost, 0.0), self.clock.monotonic())
            return True

    def status(self, account: str) -> dict[str, float]:
        with self._lock:
            left = self._now(account)
        return {
            "maximumAvailable": float(self.size),
            "currentlyAvailable": math.floor(left),
            "restoreRate": self.refill,
        }

    def _now(self, account: str) -> float:
        now = self.clock.monotonic()
        left, at = self._left.get(account, (float(self.size), now))
        return min(float(self.size), left + (now - at) * self.refill)
