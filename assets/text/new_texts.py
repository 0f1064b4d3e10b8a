"""The night's step between loading and dbt: labels of texts that have none of tonight's version.

Belongs here: finding texts in raw tables (every field that a stream calls free text), and writing
`load.text_label` and `load.text_reason`. Does not belong here: the labels themselves (`labels.py`)
and what they mean for a return or a review (dbt).
A text is known by the hash of its masked form; it is not stored a second time. Labels of texts that
were erased stay as they are. Nothing heavy is imported where nothing is new.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from msgspec import inspect as kinds

from assets.control import naive_utc
from assets.raw_tables import RawTable, raw_tables
from assets.warehouse import Connection, quoted, transaction
from sources._core.connector import Connector

if TYPE_CHECKING:
    from assets.text.labels import Label, Labeller

_PARALLEL_FROM = 20_000  # texts; below, starting processes costs more than it brings
CANONICAL = {
    "changed_mind": "remorse.changed_mind",
    "counterfeit_or_used": "product_defect.authenticity_claim",
    "damaged_in_transit": "logistics.damaged_in_transit",
    "incompatible": "description.not_compatible",
    "late_or_not_received": "logistics.late",  # or not received: the delivery record says (dbt)
    "missing_parts": "product_defect.missing_parts",
    "not_as_described": "description.not_as_described",
    "price_value": "price.better_price",
    "quality_defect": "product_defect.functional",
    "safety": "product_defect.safety_allergy",
    "service_or_refund": "unknown.other",
    "size_fit": "fit.fit_unspecified",
    "wrong_item": "fulfilment.wrong_item",
}


def gather_texts(connection: Connection, connectors: Iterable[Connector]) -> int:
    """Temporary table `text_seen`: every distinct masked text of raw tables; how many there are."""
    selects = [
        f"select _account, {expression} as text from {table.name}"
        for table in raw_tables(connectors)
        for expression in _text_expressions(table)
    ]
    connection.execute(
        "create or replace temporary table text_seen as"
        " select md5(trim(text)) as text_hash, min(trim(text)) as text, min(_account) as account"
        f" from ({' union all '.join(selects) or 'select null as _account, null as text'})"
        " where trim(text) <> '' group by 1"
    )
    # labels of a text that is gone stay; its words do not
    connection.execute(
        "delete from load.text_phrase where text_hash not in (select text_hash from text_seen)"
    )
    (count,) = connection.execute("select count(*) from text_seen").fetchall()[0]
    return int(count)


def label_new_texts(connection: Connection, labeller: Labeller, now: datetime) -> int:
    """Label what `text_seen` holds and no label of this version; how many those were."""
    connection.execute(
        "create or replace temporary table text_new as"
        " select seen.text_hash, seen.text, hint.country,"
        " row_number() over (order by seen.text_hash) as number"
        " from text_seen as seen"
        " left join load.text_label as known"
        " on seen.text_hash = known.text_hash and known.label_version = ?"
        " left join (select account, min(right(marketplace, 2)) as country"
        " from settings.account_marketplace group by 1 having count(*) = 1) as hint"
        " on seen.account = hint.account"
        " where known.text_hash is null",
        [labeller.version],
    )
    (count,) = connection.execute("select count(*) from text_new").fetchall()[0]
    if count:
        _label(connection, labeller, now, int(count))
    return int(count)


def _label(connection: Connection, labeller: Labeller, now: datetime, count: int) -> None:
    from assets.text.labels import Text
    from assets.text.language import LANGUAGE_OF_COUNTRY
    from assets.text.spreading import CHUNK, Row, label_chunks

    def chunks() -> Iterator[list[Row]]:
        for start in range(0, count, CHUNK):
            rows = connection.execute(
                "select text_hash, text, country from text_new"
                " where number > ? and number <= ? order by number",
                [start, start + CHUNK],
            ).fetchall()
            yield [
                (key, Text(text, hint=LANGUAGE_OF_COUNTRY.get(country or "")))
                for key, text, country in rows
            ]

    workers = (os.cpu_count() or 1) if count >= _PARALLEL_FROM else 1
    for labelled in label_chunks(labeller, chunks(), workers):
        with transaction(connection):
            _write(connection, labelled, labeller.version, now)
            _write_phrases(connection)
            connection.unregister("text_heads")


def _write(
    connection: Connection, labelled: list[tuple[str, Label]], version: str, now: datetime
) -> None:
    import pyarrow as pa

    heads = pa.Table.from_pylist(
        [
            {
                "text_hash": key,
                "language": label.language.language,
                "language_confidence": label.language.confidence,
                "sentiment": label.sentiment,
                "sentiment_confidence": label.confidence,
            }
            for key, label in labelled
        ]
    )
    reasons = [row for key, label in labelled for row in _reason_rows(key, label)]
    connection.register("text_heads", heads)
    connection.execute(
        "insert into load.text_label select *, ?, ?, ? from text_heads"
        " on conflict do update set language = excluded.language,"
        " language_confidence = excluded.language_confidence, sentiment = excluded.sentiment,"
        " sentiment_confidence = excluded.sentiment_confidence,"
        " label_version = excluded.label_version, labelled_at = excluded.labelled_at",
        [version, naive_utc(now), naive_utc(now)],
    )
    connection.execute(
        "delete from load.text_reason where text_hash in (select text_hash from text_heads)"
    )
    if reasons:
        connection.register("text_rows", pa.Table.from_pylist(reasons, _reason_schema()))
        connection.execute("insert into load.text_reason select * from text_rows")
        connection.unregister("text_rows")


def _write_phrases(connection: Connection) -> None:
    """Phrases of the texts just labelled, which `text_heads` holds, for those that have none."""
    import pyarrow as pa

    from assets.text.phrases import phrases_of

    rows = connection.execute(
        "select new.text_hash, new.text, heads.language from text_new as new"
        " inner join text_heads as heads on new.text_hash = heads.text_hash"
        " where heads.language <> 'und'"
        " and new.text_hash not in (select text_hash from load.text_phrase)"
    ).fetchall()
    found = [(key, phrase) for key, text, spoken in rows for phrase in phrases_of(text, spoken)]
    if found:
        keys, phrases = zip(*found, strict=True)
        table = pa.table({"text_hash": keys, "phrase": phrases})
        connection.register("text_phrases", table)
        connection.execute("insert into load.text_phrase select * from text_phrases")
        connection.unregister("text_phrases")


def _reason_schema() -> Any:
    import pyarrow as pa

    return pa.schema(
        [
            ("text_hash", pa.string()),
            ("text_reason", pa.string()),
            ("reason_l2", pa.string()),
            ("confidence", pa.float64()),
            ("confidence_of_return", pa.float64()),
            ("label_source", pa.string()),
            ("evidence", pa.string()),
        ]
    )


def _reason_rows(key: str, label: Label) -> Iterator[dict[str, object]]:
    anywhere = {reason.code: reason.confidence for reason in label.reasons}
    for reason in label.reasons_of_return:
        yield {
            "text_hash": key,
            "text_reason": reason.code,
            "reason_l2": reason.reason_l2 or CANONICAL[reason.code],
            "confidence": anywhere.get(reason.code),
            "confidence_of_return": reason.confidence,
            "label_source": reason.source,
            "evidence": reason.evidence,
        }


def _text_expressions(table: RawTable) -> Iterator[str]:
    """SQL that gives the texts of a table: each field that the stream calls free text, and each
    two neighbouring ones together (title and body), as the macro `text_hash` joins them.
    """
    kind = kinds.type_info(table.stream.record)
    single = []
    for path in table.stream.free_text:
        sql, depth = _walk(kind, path.split("."), "", 0)
        for _ in range(depth - 1):
            sql = f"flatten({sql})"
        yield f"cast({f'unnest({sql})' if depth else sql} as varchar)"
        if not depth:
            single.append(f"nullif(trim(cast({sql} as varchar)), '')")
    for first, second in pairwise(single):
        yield f"concat_ws(' ', {first}, {second})"


def _walk(kind: kinds.Type, path: list[str], base: str, depth: int) -> tuple[str, int]:
    """The value at a path below `base`, and how many lists it lies in."""
    kind = _bare(kind)
    if isinstance(kind, kinds.ListType | kinds.VarTupleType):
        name = f"x{depth}"
        inner, inside = _walk(kind.item_type, path, name, depth + 1)
        return f"list_transform({base}, lambda {name}: {inner})", inside + 1
    if not path:
        return base, 0
    if not isinstance(kind, kinds.StructType):
        raise TypeError(f"no field {'.'.join(path)} in {kind}")
    field = next(f for f in kind.fields if path[0] in (f.name, f.encode_name))
    name = quoted(field.encode_name)
    return _walk(field.type, path[1:], f"{base}.{name}" if base else name, depth)


def _bare(kind: kinds.Type) -> kinds.Type:
    while isinstance(kind, kinds.Metadata):
        kind = kind.type
    if isinstance(kind, kinds.UnionType):
        (kind,) = [t for t in kind.types if not isinstance(t, kinds.NoneType)]
        return _bare(kind)
    return kind
