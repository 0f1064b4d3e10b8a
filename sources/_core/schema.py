"""What a stream's Struct allows: field names and types, and how a record differs from them.

Belongs here: looking at Structs, and names made safe to write. Does not belong here: the types
of the warehouse (`assets.load` derives them from `record_fields`) and the decoding (`records.py`).
"""

from __future__ import annotations

import functools
import re
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from sources._core.connector import Stream
from sources._core.privacy import mask_text

Names = Mapping[str, Any]
_UNSAFE = re.compile(r"[^\w .,:;\[\]()/#+\-]")
_MAX_NAME = 100


def record_fields(record: type[msgspec.Struct]) -> list[tuple[str, Any]]:
    """Name as written and annotation, `None` stripped, of each field, in order of declaration."""
    hints = typing.get_type_hints(record)
    return [(f.encode_name, without_none(hints[f.name])) for f in msgspec.structs.fields(record)]


def without_none(annotation: Any) -> Any:
    """`str` for `str | None`; other unions stay."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        kept = [part for part in typing.get_args(annotation) if part is not type(None)]
        if len(kept) == 1:
            return kept[0]
    return annotation


@functools.cache
def allowed_names(record: type[msgspec.Struct]) -> Names:
    """Tree of allowed names: name -> subtree, or None where nothing is looked at below."""
    return {name: _below(annotation) for name, annotation in record_fields(record)}


def _below(annotation: Any) -> Names | None:
    annotation = without_none(annotation)
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return allowed_names(annotation)
    if typing.get_origin(annotation) in (list, tuple):
        return _below(typing.get_args(annotation)[0])
    return None


def unknown_names(value: Any, allowed: Names, prefix: str = "") -> Iterator[str]:
    """Dotted names of fields that the Struct does not have; elements of lists share a name."""
    if isinstance(value, list):
        for element in value:
            yield from unknown_names(element, allowed, prefix)
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if name not in allowed:
                yield f"{prefix}{name}"
            elif allowed[name] is not None:
                yield from unknown_names(inner, allowed[name], f"{prefix}{name}.")


def key_field_names(stream: Stream) -> tuple[str, ...]:
    """Names, as written, of the fields of a key; none where the key is computed."""
    if callable(stream.key):
        return ()
    written = {f.name: f.encode_name for f in msgspec.structs.fields(stream.record)}
    return tuple(written[name] for name in stream.key)


def dotted(place: str) -> str:
    """`$.lines[...].price` as `lines.price`."""
    return re.sub(r"\[[^\]]*\]", "", place.removeprefix("$")).strip(".")


def safe_name(name: str) -> str:
    """A field name fit for a table: short, masked, no odd characters."""
    return _UNSAFE.sub("_", mask_text(name))[:_MAX_NAME]


def safe_message(error: Exception) -> str:
    """msgspec's message without its path: it names types, never values, enumerations excepted."""
    text = str(error).split(" - at ")[0]
    return text if text.startswith("Expected") and "got `" in text else "not as declared"


def declaration_faults(stream: Stream) -> Iterator[str]:
    """What is wrong in a stream's declaration; the standard suite asserts that it is nothing."""
    fields = {f.name: f for f in msgspec.structs.fields(stream.record)}
    named = [] if callable(stream.key) else list(stream.key)
    named += [name for name in (stream.version, stream.event_field) if name]
    named += [path.split(".")[0] for path in stream.free_text]
    for name in named:
        if name not in fields:
            yield f"{stream.name}: {name} is not a field of {stream.record.__name__}"
    written = {f.encode_name for f in fields.values()}
    for name in (*filter(None, [stream.complete_within]), *stream.expected_fields):
        if name not in written:
            yield f"{stream.name}: {name} is not a field of {stream.record.__name__}"
    for f in fields.values():
        is_none = f.default is None or f.required
        if stream.record.__struct_config__.omit_defaults and not is_none:
            yield f"{stream.name}: default of {f.name} is not None, it would be left out"
    if stream.is_static and (stream.version or stream.complete_within):
        yield f"{stream.name}: a static stream has neither version nor complete_within"
