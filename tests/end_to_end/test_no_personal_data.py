"""No personal data and no secret on disk: planted everywhere, looked for in every byte.

Two readings of a served world with every personal field filled: the first in this process with all
logging on, the second as people run it, `aftersales nightly`, with output caught. One account
works, one has a wrong secret, one is answered with refusals and garbage that repeat personal data
and the secret. Names inside running text are out of reach (README) and are not planted there.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import logging
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import duckdb
import openpyxl
import polars as pl
import pytest
import zstandard

from assets.warehouse import Connection, Warehouse
from pipelines import night as steps
from pipelines import privacy_run
from sources._sandbox.server import App, Request, Response, RunningSandbox
from sources._sandbox.world.tables import World
from tests.end_to_end.nights import CUSTOMER_KEY, ServerClock, Shop, query, scenario_of, served
from tests.end_to_end.nights import world_of as plain_world_of

ROOT = Path(__file__).resolve().parents[2]
SCENARIO = """
seed = 17
start = 2026-03-02
today = 2026-05-04
orders_per_day = 6
skus = 3
languages = ["de"]
inspection_share = 1.0
scan_share = 0.3
accounts = [
    { connector = "amazon", name = "amz_de", marketplaces = ["DE"] },
    { connector = "amazon", name = "amz_fr", marketplaces = ["FR"] },
    { connector = "amazon", name = "amz_us", marketplaces = ["US"] },
    { connector = "files", name = "souq", countries = ["AE"] },
]
[api]
truncated = 0.05
"""
NAME, EMAIL = "Quillfeather", "@buyer.example"
PHONE, CARD, LONG_CARD = "+49 555-0155555", "4111 1111 1111 1111", "378282246310005"
COMMENT = (
    f"Bitte an zz.kunde{EMAIL} oder {PHONE}, sonst (030) 5550-188888.\n"
    f"Karte {CARD} oder {LONG_CARD}, danke"
)
OF_SOUQ = " sagt der Souq"
WRONG_SECRET = "zz-wrong-secret-5521"
MARKS: dict[str, str] = {
    "name or street": NAME,
    "e-mail": r"(?i)@buyer\.example",
    "phone": r"(?<!\d)555-01\d{5}|5550-188888",
    "postal code": r"QF\d{5}",
    "card": r"4111[ .-]?1111[ .-]?1111|378282246310005",
    "buyer's reference": r"C\d\d-\d{6}",
    "secret": r"sandbox-(?:amz_de|amz_fr|amz_us)|zz-wrong-secret|" + CUSTOMER_KEY,
    "token": r"Atz[ar]\||Atz\.sprdt\||X-Amz-Signature",
}
PATTERNS = {kind: re.compile(mark.encode()) for kind, mark in MARKS.items()}
# The seller's own originals, and refused ones beside their errors files (contract, section 6).
ORIGINALS = ("inbox", "archive", "rejected")
ERRORS = ".errors.csv"


def found_in(content: bytes) -> set[str]:
    """Kinds of marks in some bytes."""
    return {kind for kind, pattern in PATTERNS.items() if pattern.search(content)}


def unpacked(name: str, content: bytes) -> Iterator[bytes]:
    """The bytes of a file as they lie there, and what is packed in them."""
    yield content
    if content[:4] == b"\x28\xb5\x2f\xfd":
        yield zstandard.ZstdDecompressor().stream_reader(io.BytesIO(content)).read()
    elif content[:2] == b"\x1f\x8b":
        yield gzip.decompress(content)
    elif content[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.namelist():
                yield from unpacked(member, archive.read(member))
        if name.endswith(".xlsx"):
            sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
            yield repr(list(sheet.values)).encode()
    elif content[:4] == b"PAR1":
        yield repr(pl.read_parquet(io.BytesIO(content)).rows()).encode()
    elif content[8:12] == b"DUCK":
        yield from _tables_of(content)
    elif content[:15] == b"SQLite format 3":
        yield content.replace(b"\x00", b"")


def _tables_of(content: bytes) -> Iterator[bytes]:
    """Every table of a DuckDB file as text: strings may lie compressed in its blocks."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "copy.duckdb"
        path.write_bytes(content)
        with duckdb.connect(str(path), read_only=True) as connection:
            names = connection.execute(
                "select database_name, schema_name, table_name from duckdb_tables()"
            ).fetchall()
            assert names
            for database, schema, table in names:
                rows = connection.execute(f'from "{database}"."{schema}"."{table}"').fetchall()
                yield repr(rows).encode()


def leaks(folder: Path) -> dict[str, set[str]]:
    """Kinds of marks by file, in every file of a folder but the seller's originals."""
    found: dict[str, set[str]] = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink()):
        place = path.relative_to(folder)
        if place.parts[0] in ORIGINALS and not path.name.endswith(ERRORS):
            continue
        kinds = found_in(str(place).encode())
        for piece in unpacked(path.name, path.read_bytes()):
            kinds |= found_in(piece)
        if kinds:
            found[str(place)] = kinds
    return found


@dataclass
class TalkingApp:
    """Amazon's sandbox that also refuses in too many words, and that remembers what it gave."""

    app: App
    given: bytearray = field(default_factory=bytearray)
    refused: list[str] = field(default_factory=list)

    def handle(self, request: Request) -> Response:
        response = self._refusal(request) or self.app.handle(request)
        with contextlib.suppress(EOFError):  # an answer that is cut on purpose
            for piece in unpacked("", response.body):
                self.given += piece
        return response

    def _refusal(self, request: Request) -> Response | None:
        said = f"zz.kunde{EMAIL}, {PHONE}, {CARD}, C00-000012"
        if request.path.endswith("/token"):
            if WRONG_SECRET.encode() not in request.body:
                return None
            self.refused.append("login")
            text = {"error": "invalid_grant", "error_description": f"{WRONG_SECRET} of {said}"}
            return Response(400, json.dumps(text).encode())
        if b"amz_us" not in request.path.encode() and not self._is_of_us(request):
            return None
        token = request.headers.get("x-amz-access-token", "")
        if request.path.startswith("/orders"):
            self.refused.append("orders")
            return Response(200, f'{{"orders": [{{"orderId": "1", "buyer": "{NAME} {said}'.encode())
        self.refused.append("reports")
        problem = {"code": "Unauthorized", "message": f"{token} {said}", "details": said}
        return Response(403, json.dumps({"errors": [problem]}).encode())

    def _is_of_us(self, request: Request) -> bool:
        return "ATVPDKIKX0DER" in repr((request.query, request.body))


def planted_world(folder: Path) -> World:
    """The world with e-mails, phones and card-like numbers in every free text."""
    world = plain_world_of(scenario_of(SCENARIO, folder))
    return replace(
        world,
        returns=world.returns.with_columns(
            comment=pl.when(pl.col("connector") == "files")
            .then(pl.lit(COMMENT + OF_SOUQ))
            .otherwise(pl.lit(COMMENT))
        ),
        inspections=world.inspections.with_columns(defect_text=pl.lit(COMMENT)),
        feedback=world.feedback.with_columns(comment=pl.lit(COMMENT), response=pl.lit(COMMENT)),
    )


@dataclass
class Evidence:
    """What two readings left behind."""

    shop: Shop
    given: bytes
    refused: set[str]
    log: str
    output: str


def drop_planted_files(shop: Shop) -> None:
    """Files that are refused, in part or whole, with personal data where it does not belong."""
    head = "channel,order_ref,line_ref,sku,ordered_at,country,quantity,unit_price,currency,note\n"
    good = "".join(
        f"bazaar,B{n},1,SKU-0001,2026-04-0{n % 9 + 1}T09:00:00Z,AE,1,5.00,AED,{NAME}\n"
        for n in range(60)
    )
    bad = f"bazaar,B90,1,SKU-0001,zz.kunde{EMAIL},AE,{PHONE},{LONG_CARD} EUR,AED,{NAME}\n"
    shop.drop("orders", "cells.csv", head + good + bad)
    shop.drop("orders", "headless.csv", f"bazaar,{NAME},zz.kunde{EMAIL},{PHONE}\n" * 3)
    book = openpyxl.Workbook()
    book.active.append(["inspection_id", "sku", "inspected_at", "quantity", "grade", "inspector"])
    book.active.append(["I1", "SKU-0001", f"am Montag, {PHONE}", 1, "A", f"Mei {NAME}"])
    book.active.append(["I2", "SKU-0001", "2026-04-02T10:00:00+02:00", 1, f"zz{EMAIL}", NAME])
    content = io.BytesIO()
    book.save(content)
    shop.drop("return_inspections", "grades.xlsx", content.getvalue())
    shop.drop("returns", "broken.csv", b"channel,return_ref\n\xff\xfe " + COMMENT.encode())


def first_reading(shop: Shop, server: ServerClock, world: World) -> str:
    """Extract and load at an earlier clock with all logging on; gives what was logged.

    So that the second reading replaces rows, moves them to history and frees blocks.
    """
    server.at = world.scenario.clock - timedelta(days=9)
    caught = io.StringIO()
    handler = logging.StreamHandler(caught)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with pytest.MonkeyPatch.context() as patch, shop.opened(server.at) as night:
            patch.setattr(Warehouse, "_open", uncompressed(Warehouse._open))
            steps.prepare(night)
            steps.extract(night)
            steps.load(night, "load")
            steps.record(night)
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
    server.at = world.scenario.clock
    return caught.getvalue()


def uncompressed(opened: Callable[..., Connection]) -> Callable[..., Connection]:
    """Blocks as they are: what is freed later can still be read in the file."""

    def open_file(warehouse: Warehouse, *, read_only: bool) -> Connection:
        connection = opened(warehouse, read_only=read_only)
        connection.execute("set force_compression = 'uncompressed'")
        return connection

    return open_file


COMMAND = """
from pipelines import cli, opening
from tests.end_to_end.nights import in_a_hurry

opening.read_settings = in_a_hurry(opening.read_settings)
cli.main()
"""


def command_line_night(shop: Shop, until: str) -> str:
    """`aftersales nightly` as people run it; gives what it printed."""
    where = shop.places
    environment = {
        **os.environ,
        **shop.environment,
        "PYTHONPATH": str(ROOT),
        "AFTERSALES_DATA_DIR": str(where.data),
        "AFTERSALES_STATE_DIR": str(where.state),
        "AFTERSALES_CONFIG": str(where.config),
    }
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, "nightly", "--until", until],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    folder = tmp_path_factory.mktemp("private")
    world = planted_world(folder)
    clock = ServerClock(world.scenario.clock)
    shop = Shop(folder, world.scenario)
    shop.environment[shop.secret_variable("amz_fr")] = WRONG_SECRET
    with served(world, clock=clock, with_personal_data=True) as running:
        talking = talk(running)
        shop.configure(running.base_urls)
        shop.drop_files(world, with_personal_data=True)
        log = first_reading(shop, clock, world)
        drop_planted_files(shop)
        output = command_line_night(shop, world.scenario.today.isoformat())
    given = bytes(talking.given)
    for path in (p for p in shop.places.data.rglob("*") if p.is_file()):
        if path.relative_to(shop.places.data).parts[0] in ORIGINALS:
            given += b"".join(unpacked(path.name, path.read_bytes()))
    return Evidence(shop, given, set(talking.refused), log, output)


def talk(running: RunningSandbox) -> TalkingApp:
    """Put the talking app before Amazon's."""
    talking = TalkingApp(running.apps["amazon"])
    for server in running._servers:
        if server.app is running.apps["amazon"]:
            server.app = talking
    return talking


def test_search_finds_what_is_planted(tmp_path: Path) -> None:
    """A search that finds nothing must be able to find something, in every kind of file."""
    text = f"{NAME} zz{EMAIL} QF00017 C00-000012 {PHONE} {CARD} sandbox-amz_de Atza|x"
    assert found_in(text.encode()) == set(MARKS)
    (tmp_path / "a.zst").write_bytes(zstandard.compress(text.encode() * 3))
    (tmp_path / "b.gz").write_bytes(gzip.compress(text.encode() * 3))
    pl.DataFrame({"a": [text]}).write_parquet(tmp_path / "c.parquet")
    book = openpyxl.Workbook()
    book.active.append([text])
    book.save(tmp_path / "d.xlsx")
    with duckdb.connect(str(tmp_path / "e.duckdb")) as connection:
        connection.execute("create table t as select ? || range as a from range(9)", [text])
    with duckdb.connect(str(tmp_path / "f.duckdb")) as connection:
        connection.execute("set force_compression = 'uncompressed'")
        connection.execute("create table t as select ? || range as a from range(9999)", [text])
        connection.execute("checkpoint")
        connection.execute("create table u as select range as a from range(999999)")
        connection.execute("checkpoint")
        connection.execute("drop table t")
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "own.csv").write_text(text)
    found = leaks(tmp_path)
    assert {name: kinds for name, kinds in found.items() if kinds != set(MARKS)} == {}
    assert sorted(found) == ["a.zst", "b.gz", "c.parquet", "d.xlsx", "e.duckdb", "f.duckdb"]


def test_everything_was_planted(evidence: Evidence) -> None:
    """Servers and files gave every kind of mark, and every refusal was met."""
    assert found_in(evidence.given) >= set(MARKS) - {"secret"}
    assert evidence.refused == {"login", "orders", "reports"}
    for words in (b"giftMessage", b"buyer-phone-number", b"buyerEmail", b"ship-address-1"):
        assert words in evidence.given


def test_nothing_personal_in_the_data_folder(evidence: Evidence) -> None:
    assert leaks(evidence.shop.places.data) == {}


def test_nothing_personal_in_the_state_folder(evidence: Evidence) -> None:
    state = evidence.shop.places.state
    assert list(state.rglob("*.db")), "Dagster's event log was expected in the state folder"
    assert leaks(state) == {}


def test_nothing_personal_is_logged_or_printed(evidence: Evidence) -> None:
    assert "amz_fr" in evidence.log
    assert found_in(evidence.log.encode()) == set()
    assert "amz_fr" in evidence.output
    assert found_in(evidence.output.encode()) == set()


def test_errors_say_what_to_do_without_the_person(evidence: Evidence) -> None:
    failed = {
        (row["account"], row["stream"]): row["last_error"]
        for row in evidence.shop.rows("from meta.freshness where last_error is not null")
    }
    assert {account for account, _ in failed} == {"amz_fr", "amz_us"}
    assert len(failed) >= 8
    for message in failed.values():
        assert found_in(message.encode()) == set()
        assert re.search(r"check-config|next night|Check |again|authori", message), message


def test_masked_text_and_hashed_people_are_there(evidence: Evidence) -> None:
    """The search is no success of having kept nothing."""
    warehouse = evidence.shop.places.warehouse
    (row,) = query(
        warehouse,
        "select count(*) as n, min(customer_comments) as text from raw_amazon.fba_returns"
        " where customer_comments is not null",
    )
    assert row["n"] >= 2
    assert row["text"] == (
        "Bitte an [email] oder [phone], sonst [number].\nKarte [number] oder [number], danke"
    )
    (found,) = query(
        warehouse, "select count(distinct defect_text) as n from raw_files.return_inspections"
    )
    assert found["n"] == 1
    keys = query(
        warehouse, "select distinct customer_ref from raw_files.orders where channel = 'souq'"
    )
    assert len(keys) > 20
    assert all(re.fullmatch("[0-9a-f]{64}|unknown", row["customer_ref"]) for row in keys)
    (rejected,) = evidence.shop.places.data.glob("rejected/*cells*.errors.csv")
    assert "[email]" in rejected.read_text("utf-8-sig")


def test_erased_and_old_texts_leave_no_byte(
    evidence: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last of this file: a buyer's texts, then those too old, leave landing and warehouse."""
    shop = evidence.shop
    (row,) = query(
        shop.places.warehouse,
        "select min(line.customer_key) as buyer from marts.fct_return_line as line"
        " inner join marts.fct_text_label as label on line.text_hash = label.text_hash"
        " where line.connector = 'files' and length(line.customer_key) = 64",
    )
    assert kept_bytes(shop, OF_SOUQ) and kept_bytes(shop, "Bitte an")
    with monkeypatch.context() as patch, shop.opened() as night:
        rebuilt: list[object] = []  # once is enough, below
        patch.setattr(privacy_run, "rebuild", lambda night, _clock: rebuilt.append(night))
        assert privacy_run.erase_texts(night, (), [row["buyer"]]) > 0
        assert rebuilt == [night]
    assert not kept_bytes(shop, OF_SOUQ, "landing")
    with shop.opened(shop.scenario.clock + timedelta(days=4_000)) as night:
        assert privacy_run.retain(night) > 0
        assert privacy_run.retain(night) == 0
    assert not kept_bytes(shop, "Bitte an")


def kept_bytes(shop: Shop, words: str, folder: str = ".") -> list[str]:
    """Files of the data folder, but the seller's originals, that hold these words."""
    root = shop.places.data
    return [
        str(path.relative_to(root))
        for path in sorted((root / folder).rglob("*"))
        if path.is_file()
        and not path.is_symlink()
        and path.relative_to(root).parts[0] not in ORIGINALS
        and any(words.encode() in part for part in unpacked(path.name, path.read_bytes()))
    ]
