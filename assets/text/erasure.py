"""Texts that have to go: by the hash of the text, by customer, or because they are old.

Belongs here: which texts these are, and landing files without them. Does not belong here: the new
warehouse that is then made from the landing files (`pipelines/privacy_run.py`); labels of an erased
text stay in `load.text_label`, the text itself is nowhere. The list of erased texts holds hashes
only; it lies with the landing files, because these are what a warehouse is made of.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Set
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import zstandard

from assets.control import naive_utc
from assets.raw_tables import RawTable, raw_tables
from assets.warehouse import Connection
from sources._core.connector import Connector
from sources._core.durable import write_atomically
from sources._core.landing import DATA_SUFFIX, MANIFEST_SUFFIX, LandedFile, Manifest, read_manifest

ERASED = "erased_texts.txt"
_OF_CUSTOMERS = """
    select line.text_hash from marts.fct_return_line as line
    where line.customer_key in (select unnest(?))
    union
    select feedback.text_hash from marts.fct_feedback as feedback
    inner join marts.fct_order_line as line on feedback.order_key = line.order_key
    where line.customer_key in (select unnest(?))
    union
    select buyer_case.text_hash from marts.fct_case as buyer_case
    where buyer_case.customer_key in (select unnest(?))
    union
    select message.text_hash from marts.fct_message as message
    inner join marts.fct_case as buyer_case on message.case_key = buyer_case.case_key
    where buyer_case.customer_key in (select unnest(?))
"""


def texts_of_customers(connection: Connection, customers: Iterable[str]) -> set[str]:
    """Hashes of what these buyers wrote, as the facts of the last build link it."""
    wanted = sorted(set(customers) - {"unknown", "none", "all"})
    rows = connection.execute(_OF_CUSTOMERS, [wanted] * 4).fetchall()
    return {text_hash for (text_hash,) in rows if text_hash != "none"}


def outdated_texts(connection: Connection, now: datetime, days: int) -> set[str]:
    """Hashes of texts first seen longer ago than they may be kept."""
    rows = connection.execute(
        "select text_hash from load.text_label where first_seen_at < ?",
        [naive_utc(now) - timedelta(days=days)],
    ).fetchall()
    return {text_hash for (text_hash,) in rows}


def erased_texts(landing: Path) -> set[str]:
    """Hashes of texts that somebody has asked to erase, whenever that was."""
    path = landing / ERASED
    return set(path.read_text("ascii").split()) if path.exists() else set()


def remember_erased(landing: Path, hashes: Set[str]) -> None:
    """Note texts as erased, so that `keep_out` knows them when a source sends them again."""
    landing.mkdir(parents=True, exist_ok=True)
    known = sorted(erased_texts(landing) | hashes)
    write_atomically(landing / ERASED, "\n".join([*known, ""]).encode("ascii"))


def keep_out(landing: Path, connectors: Iterable[Connector], connection: Connection) -> int:
    """Take erased texts out of landing files that are not loaded yet; how many there were."""
    hashes = erased_texts(landing)
    if not hashes:
        return 0
    rows = connection.execute("select connector, account, stream, file_name from load.file")
    loaded = {landing.joinpath(*parts) for parts in rows.fetchall()}
    return erase(landing, connectors, hashes, loaded)


def erase(
    landing: Path,
    connectors: Iterable[Connector],
    hashes: Set[str],
    passed_over: Set[Path] = frozenset(),
) -> int:
    """Rewrite every landing file that holds one of these texts; the number of texts taken out."""
    erased = 0
    for table in raw_tables(connectors):
        if not table.stream.free_text:
            continue
        for path in sorted(landing.glob(f"{table.connector}/*/{table.stream.name}/[0-9]*")):
            name = path.name.removesuffix(MANIFEST_SUFFIX)
            if name != path.name and path.with_name(name + DATA_SUFFIX) not in passed_over:
                erased += _erase_in(read_manifest(path), path, table, hashes)
    return erased


def _erase_in(landed: LandedFile, manifest_path: Path, table: RawTable, hashes: Set[str]) -> int:
    paths = [tuple(path.split(".")) for path in table.stream.free_text]
    erased = 0
    lines = []
    for line in landed.lines():
        record = json.loads(line)
        found = _blanked(record, paths, table, hashes)
        erased += found
        lines.append(json.dumps(record, ensure_ascii=False).encode() if found else line)
    if erased:
        content = zstandard.ZstdCompressor(level=1).compress(b"\n".join([*lines, b""]))
        digest = hashlib.sha256(content).hexdigest()
        write_atomically(landed.data_path, content)
        write_atomically(manifest_path, _encoded(landed.manifest, digest))
    return erased


def _encoded(manifest: Manifest, digest: str) -> bytes:
    return msgspec.json.encode(msgspec.structs.replace(manifest, sha256=digest))


def _blanked(
    record: dict[str, Any], paths: list[tuple[str, ...]], table: RawTable, hashes: Set[str]
) -> int:
    """Take the texts out of a landed record; a title and its body may have been one text."""
    single = []
    erased = 0
    for first, *rest in paths:
        name = table.column(first)
        if rest or isinstance(record.get(name), list):
            record[name], found = _without(record.get(name), rest, hashes)
            erased += found
        elif isinstance(record.get(name), str):
            single.append(name)
    doomed = {name for name in single if _hash(record[name]) in hashes}
    for one, other in pairwise(single):
        if _hash(f"{record[one].strip()} {record[other].strip()}") in hashes:
            doomed |= {one, other}
    for name in doomed:
        record[name] = None
    return erased + len(doomed)


def _without(value: Any, path: list[str], hashes: Set[str]) -> tuple[Any, int]:
    if isinstance(value, list):
        parts = [_without(item, path, hashes) for item in value]
        return [item for item, _ in parts], sum(count for _, count in parts)
    if isinstance(value, dict) and path:
        if path[0] not in value:
            return value, 0
        inner, count = _without(value[path[0]], path[1:], hashes)
        return {**value, path[0]: inner}, count
    if isinstance(value, str) and not path and _hash(value) in hashes:
        return None, 1
    return value, 0


def _hash(text: str) -> str:
    return hashlib.md5(text.strip().encode(), usedforsecurity=False).hexdigest()
