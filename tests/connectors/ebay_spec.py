"""eBay's own descriptions of its APIs: whether a request or an answer fits them.

Belongs here: reading the description files where the shared papers are there. Does not belong here:
the stub that is held against them (`ebay_stub.py`). eBay publishes none of Post-Order.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
FILES = {
    "/sell/fulfillment/v1": "sell_fulfillment_v1.20.7_oas3.json",
    "/sell/finances/v1": "sell_finances_v1.17.2_oas3.yaml",
    "/sell/analytics/v1": "sell_analytics_v1.3.2_oas3.json",
    "/commerce/feedback/v1": "commerce_feedback_v1.0.0_oas3.json",
    "/developer/analytics/v1_beta": "developer_analytics_v1_beta.0.1_oas3.json",
}
# Seen in answers, not in the descriptions.
UNDOCUMENTED = {"legacyOrderId"}
Node = dict[str, Any]


@functools.cache
def description(base: str) -> Node | None:
    """None where the shared papers are not there."""
    shared = (ROOT / os.environ.get("AFTERSALES_SHARED_DIR", "../shared")).resolve()
    path = shared / "specs" / "ebay" / FILES[base]
    if not path.is_file():
        return None
    text = path.read_text("utf-8")
    if path.suffix == ".json":
        loaded: Node = json.loads(text)
        return loaded
    return dict(yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))  # noqa: S506


def operation(base: str, path: str) -> Node | None:
    """The GET operation whose path fits."""
    found = description(base)
    if found is None:
        return None
    parts = path.rstrip("/").split("/")
    for template, item in found["paths"].items():
        steps = template.rstrip("/").split("/")
        if len(steps) == len(parts) and all(
            step.startswith("{") or step == part for step, part in zip(steps, parts, strict=True)
        ):
            return dict(item["get"])
    raise AssertionError(f"{base} has no {path}")


def unknown_parameters(base: str, path: str, names: Mapping[str, Any]) -> list[str]:
    found = operation(base, path)
    if found is None:
        return []
    known = {p["name"] for p in found.get("parameters", ()) if p["in"] == "query"}
    return sorted(set(names) - known)


def faults(base: str, path: str, answer: Any) -> list[str]:
    """Where an answer of 200 does not fit: names that are not described, values of other types."""
    found = operation(base, path)
    if found is None:
        return []
    (content,) = found["responses"]["200"]["content"].values()
    return list(_faults(description(base) or {}, content["schema"], answer, "$"))


def _faults(spec: Node, schema: Node, value: Any, place: str) -> Iterator[str]:
    if "$ref" in schema:
        schema = spec["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    if value is None:
        return
    kind = schema.get("type")
    wanted = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict}
    if kind in wanted and not isinstance(value, wanted[kind]):
        yield f"{place}: {type(value).__name__} instead of {kind}"
        return
    if isinstance(value, list):
        for element in value:
            yield from _faults(spec, schema["items"], element, f"{place}[]")
    elif isinstance(value, dict) and schema.get("properties"):
        for name, inner in value.items():
            if name in UNDOCUMENTED:
                continue
            if name not in schema["properties"]:
                yield f"{place}.{name}: not described"
            else:
                yield from _faults(spec, schema["properties"][name], inner, f"{place}.{name}")
