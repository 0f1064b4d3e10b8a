"""From what a source gave to the lines that may be landed: the allow-list at work.

Belongs here: decoding a page into a stream's Struct, key, version and hash of each record, names
of unknown fields, rejects, masking of free text. Does not belong here: fetching (`http.py`) and
writing (`landing.py`). The loop over records is the hottest code of a night: keep it lean.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Literal

import msgspec

from sources._core import repair, schema
from sources._core.connector import Page, Reject, Stream
from sources._core.errors import SkipRecord, StopStream
from sources._core.privacy import mask_text

KEY_SEPARATOR = "|"
_HASH_BYTES = 16
_MAX_REPAIRS = 20

RawRecord = msgspec.Raw | Mapping[str, Any]
DriftKind = Literal["added", "missing", "type_changed"]


class Record(msgspec.Struct, omit_defaults=True, kw_only=True, gc=False):
    """Base for the records of streams. Optional fields default to None and are then not written,
    so that allowing one more field does not change the hash of records that lack it.
    """


@dataclass
class Encoded:
    """A page ready to land. `keys` and `hashes` stand beside `lines`, position by position."""

    lines: list[bytes] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    drift: set[tuple[str, DriftKind]] = field(default_factory=set)


class UselessPageError(StopStream):
    """Nothing of a page fits. `encoded` has no lines, but says what was held back, and why."""

    def __init__(self, message: str, encoded: Encoded) -> None:
        super().__init__(message)
        self.encoded = encoded


class RecordEncoder:
    """Encodes the pages of one stream; holds no state between pages."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self._decode_json = msgspec.json.Decoder(stream.record).decode
        self._decode_loosely = msgspec.json.Decoder(stream.record, strict=False).decode
        self._convert = functools.partial(msgspec.convert, type=stream.record, strict=False)
        self._encode = msgspec.json.Encoder().encode
        self._key_of = _key_function(stream)
        self._version_of = operator.attrgetter(stream.version) if stream.version else None
        self._masks = [_masker(tuple(path.split("."))) for path in stream.free_text]
        self._names = schema.allowed_names(stream.record)
        self._key_fields = schema.key_field_names(stream)

    def encode(self, page: Page) -> Encoded:
        """Decode, check, mask and encode a page. UselessPageError when none of it fits."""
        out = Encoded()
        out.drift.update((name, "added") for name in map(schema.safe_name, page.unknown_fields))
        out.drift.update((name, "missing") for name in map(schema.safe_name, page.missing_fields))
        if page.records:
            self._look_for_unknown(page.records[0], out)
            self._note_missing(page.records[0], out)
        out.drift.update(
            (name, "type_changed") for name in map(schema.safe_name, page.changed_fields)
        )
        tally = _Tally(page.source_ref)
        self._encode_all(page, out, tally)
        out.rejects = [*page.rejects, *tally.rejects()]
        self._stop_if_useless(page, tally, out)
        return out

    def _encode_all(self, page: Page, out: Encoded, tally: _Tally) -> None:
        encode, key_of, version_of, masks = (
            self._encode,
            self._key_of,
            self._version_of,
            self._masks,
        )
        lines, keys, hashes = out.lines, out.keys, out.hashes
        records: Sequence[RawRecord] = page.records
        is_json = bool(records) and not isinstance(records[0], Mapping)
        decode: Callable[[Any], Any] = self._decode_json if is_json else self._convert
        for position, raw in enumerate(records):
            try:
                try:
                    record = decode(raw)
                except (msgspec.DecodeError, UnicodeDecodeError) as error:
                    record = self._decode_again(raw, error, out)
                key = key_of(record)
            except SkipRecord as skip:
                tally.add(skip, position)
                self._look_for_unknown(raw, out)
                continue
            for mask in masks:
                mask(record)
            body = encode(record)
            digest = blake2b(body, digest_size=_HASH_BYTES)
            version = version_of(record) if version_of is not None else None
            lines.append(
                b'{"_key":%b,"_version":%b,"_hash":"%b"%b%b'
                % (
                    encode(key),
                    encode(version_text(version)),
                    digest.hexdigest().encode(),
                    b"}" if body == b"{}" else b",",
                    b"" if body == b"{}" else body[1:],
                )
            )
            keys.append(key)
            hashes.append(digest.digest())

    def _decode_again(self, raw: RawRecord, error: Exception, out: Encoded) -> Any:
        """A number given as text is that number, and worth a note."""
        place = repair.place_of(error)
        if place is not None and not isinstance(raw, Mapping):
            with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):
                record = self._decode_loosely(raw)
                out.drift.add((schema.safe_name(schema.dotted(place)), "type_changed"))
                return record
        return self._repair(raw, error, out)

    def _repair(self, raw: RawRecord, error: Exception, out: Encoded) -> Any:
        """Second, slow try: a number where text is declared keeps its digits as text.

        Anything else that does not fit holds the record back, so that no value is guessed.
        """
        value = repair.to_python(raw)
        for _ in range(_MAX_REPAIRS):
            place = repair.place_of(error)
            if place is None:
                break
            top = schema.dotted(place)
            if top.split(".")[0] in self._key_fields and repair.value_at(value, place) is None:
                raise _missing_key(top)
            if not repair.make_text(value, place, str(error)):
                raise SkipRecord(
                    repair.reason_of(error),
                    f"field {schema.safe_name(top)} no longer has its declared type "
                    f"({schema.safe_message(error)}); adapt the connector, then read the window "
                    "again with `aftersales backfill`",
                )
            out.drift.add((schema.safe_name(top), "type_changed"))
            try:
                return self._convert(value)
            except msgspec.ValidationError as next_error:
                error = next_error
        missing = repair.missing_field(error)
        if missing is not None:
            dotted = schema.dotted(missing)
            out.drift.add((schema.safe_name(dotted), "missing"))
            if dotted in self._key_fields:
                raise _missing_key(dotted)
            raise SkipRecord(
                "missing_field",
                f"field {schema.safe_name(dotted)} is required and was not given; "
                "adapt the connector if the source dropped it",
            )
        raise SkipRecord("not_decodable", "the record is not what the API documents; see the log")

    def _stop_if_useless(self, page: Page, tally: _Tally, out: Encoded) -> None:
        """A page on which nothing fits means a changed source: its cursor must not move on."""
        total = len(page.records)
        place = page.source_ref or "the page"
        advice = "Nothing of the page was landed; the connector has to be adapted."
        if tally.without_key and tally.without_key == total:
            key = ", ".join(self._key_fields) or "computed from several fields"
            message = f"every record of {place} lacks its key ({key}): the source has changed. "
            raise UselessPageError(message + advice, out)
        if total > 1 and tally.count == total:
            reasons = "; ".join(sorted({f"{r.reason}: {r.what_to_do}" for r in tally.rejects()}))
            message = f"no record of {place} could be read ({reasons}). {advice}"
            raise UselessPageError(message, out)

    def _look_for_unknown(self, raw: RawRecord, out: Encoded) -> None:
        try:
            value = raw if isinstance(raw, Mapping) else msgspec.json.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return
        known = self.stream.known_dropped
        for name in schema.unknown_names(value, self._names):
            if not any(name == drop or name.startswith(f"{drop}.") for drop in known):
                out.drift.add((schema.safe_name(name), "added"))

    def _note_missing(self, raw: RawRecord, out: Encoded) -> None:
        if not self.stream.expected_fields:
            return
        value = repair.to_python(raw)
        if isinstance(value, Mapping):
            out.drift.update(
                (name, "missing") for name in self.stream.expected_fields if name not in value
            )


def version_text(version: Any) -> str | None:
    """Version as text whose alphabetical order is its order in time."""
    if version is None or isinstance(version, str):
        return version
    if hasattr(version, "isoformat"):
        return str(version.isoformat())
    return str(version)


def page_cutter(*path: str) -> Callable[[bytes], list[msgspec.Raw]]:
    """Function that cuts the array at `path` of a JSON answer into raw records, undecoded.

    `page_cutter("payload", "orders")`; without a path the answer itself is the array. For pages
    that also carry a token, declare a Struct with `list[msgspec.Raw]` instead.
    """
    kind: Any = list[msgspec.Raw]
    for name in reversed(path):
        kind = msgspec.defstruct("Cut", [("inner", kind, msgspec.field(name=name))])
    decode = msgspec.json.Decoder(kind).decode

    def cut(content: bytes) -> list[msgspec.Raw]:
        value = decode(content)
        for _ in path:
            value = value.inner
        return value

    return cut


class _Tally:
    """Rejects of one page, counted by reason and advice."""

    def __init__(self, source_ref: str) -> None:
        self._source_ref = source_ref
        self._counts: dict[tuple[str, str], Reject] = {}
        self.without_key = 0
        self.count = 0

    def add(self, skip: SkipRecord, position: int) -> None:
        self.count += 1
        if skip.reason == "missing_key":
            self.without_key += 1
        found = self._counts.get((skip.reason, skip.what_to_do))
        if found is None:
            reference = skip.record_reference or f"{self._source_ref} record {position + 1}"
            found = Reject(skip.reason, 0, skip.what_to_do, reference)
        self._counts[skip.reason, skip.what_to_do] = dataclasses.replace(
            found, count=found.count + 1
        )

    def rejects(self) -> Iterable[Reject]:
        return self._counts.values()


def _key_function(stream: Stream) -> Callable[[Any], str]:
    """Text key of a record; SkipRecord where a part of it is missing or empty."""
    if callable(stream.key):
        compute = stream.key

        def computed(record: Any) -> str:
            key = compute(record)
            if not key:
                raise _missing_key("key")
            return key

        return computed
    names = stream.key
    if len(names) == 1:
        get = operator.attrgetter(names[0])

        def single(record: Any) -> str:
            value = get(record)
            if value is None or value == "":
                raise _missing_key(names[0])
            return value if type(value) is str else str(value)

        return single

    def several(record: Any) -> str:
        parts = [getattr(record, name) for name in names]
        for name, part in zip(names, parts, strict=True):
            if part is None or part == "":
                raise _missing_key(name)
        return KEY_SEPARATOR.join(map(str, parts))

    return several


def _missing_key(name: str) -> SkipRecord:
    return SkipRecord(
        "missing_key",
        f"the record lacks {schema.safe_name(name)}, by which it is recognised; "
        "if it happens again, ask the source's support",
    )


def _masker(path: Sequence[str]) -> Callable[[Any], None]:
    """Function that masks the text at a path of attributes; lists on the way are walked."""
    head, rest = path[0], path[1:]
    inner = _masker(rest) if rest else None

    def mask(value: Any) -> None:
        if value is None:
            return
        if isinstance(value, list):
            for element in value:
                mask(element)
            return
        found = getattr(value, head)
        if inner is not None:
            inner(found)
        elif isinstance(found, str):
            msgspec.structs.force_setattr(value, head, mask_text(found))
        elif isinstance(found, list):
            masked = [mask_text(text) if isinstance(text, str) else text for text in found]
            msgspec.structs.force_setattr(value, head, masked)

    return mask
