"""Answers held against an OpenAPI file: types, required members, and no member that it lacks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


@cache
def model(path: Path) -> dict[str, Any]:
    text = path.read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    return found


def named(path: Path, name: str) -> dict[str, Any]:
    """A schema of the file's components."""
    schema: dict[str, Any] = model(path)["components"]["schemas"][name]
    return schema


def answered(path: Path, resource: str, method: str = "get", status: str = "200") -> dict[str, Any]:
    """The schema of the JSON answer of an operation."""
    response = model(path)["paths"][resource][method]["responses"][status]
    schema: dict[str, Any] = response["content"]["application/json"]["schema"]
    return schema


def misfits(
    content: Any, schema: Mapping[str, Any], path: Path, extra: Sequence[str] = (), at: str = ""
) -> Iterator[str]:
    """What in `content` the schema does not allow; members in `extra` are known to be unlisted."""
    if "$ref" in schema:
        schema = named(path, schema["$ref"].rsplit("/", 1)[-1])
    for part in schema.get("allOf", ()):
        schema = {**schema, **part}
    kind = schema.get("type")
    if kind in _TYPES and (
        not isinstance(content, _TYPES[kind]) or (isinstance(content, bool) and kind != "boolean")
    ):
        yield f"{at}: {content!r} is no {kind}"
        return
    words = schema.get("enum")
    if words and content not in words:
        yield f"{at}: {content!r} is none of {words[:8]}"
    if isinstance(content, list):
        for number, item in enumerate(content):
            yield from misfits(item, schema.get("items", {}), path, extra, f"{at}[{number}]")
    properties = schema.get("properties")
    if isinstance(content, dict) and properties is not None:
        for name in schema.get("required", ()):
            if name not in content:
                yield f"{at}: lacks {name}"
        for name, value in content.items():
            if name in properties:
                yield from misfits(value, properties[name], path, extra, f"{at}.{name}")
            elif name not in extra:
                yield f"{at}: unknown member {name}"
