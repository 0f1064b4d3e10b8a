"""A marketplace is added as `CONTRIBUTING.md` says: two new folders and one line elsewhere.

The project is copied, the template makes a pretend marketplace in the copy, a small server plays
its API, and a whole night must publish its orders and returns.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.end_to_end.nights import query

ROOT = Path(__file__).resolve().parents[2]
NAME = "pretend"
FOLDERS = ("sources", "assets", "pipelines", "dbt_project")
NOT_COPIED = shutil.ignore_patterns("__pycache__", "target", "logs", "*.duckdb", "*.pyc")
ENTITIES = "[order_lines, return_lines, marketplaces, reasons]"
API_KEY = "pretend-key-1"
UNTIL = "2025-06-01"

SETTINGS = f"""
[settings]
reporting_currency = "EUR"

[[accounts]]
connector = "{NAME}"
name = "{NAME}_main"
marketplaces = ["{NAME}_us"]
start = 2025-05-01
base_url = "BASE"
secrets = {{ api_key = "PRETEND_API_KEY" }}
"""

NIGHT = """
import sys
from datetime import UTC, datetime
from pathlib import Path

import assets, pipelines, sources
from pipelines.night import run_night
from pipelines.opening import Wish, open_night
from pipelines.resources import places

here = Path.cwd()
for package in (assets, pipelines, sources):
    assert Path(package.__file__).is_relative_to(here), package.__file__
with open_night(Wish(until=datetime.fromisoformat(sys.argv[1]).replace(tzinfo=UTC))) as night:
    report = run_night(night)
assert not report.failures, report.failures
"""


def order(number: int, day: int, sku: str, quantity: int, price: str) -> dict[str, object]:
    """An order of one line, shipped the next day."""
    at = f"2025-05-{day:02d}T10:00:00Z"
    sent = f"2025-05-{day + 1:02d}T10:00:00Z"
    line = {"lineId": "1", "sku": sku, "quantity": quantity, "unitPrice": price}
    return {
        "orderId": f"P-{number}",
        "updatedAt": sent,
        "createdAt": at,
        "shippedAt": sent,
        "status": "shipped",
        "marketplace": f"{NAME}_us",
        "country": "US",
        "currency": "USD",
        "lines": [line],
        "buyer": {"name": "not kept"},
    }


ORDERS = [
    order(1, 2, "TEAPOT", 2, "19.90"),
    order(2, 3, "TEAPOT", 1, "19.90"),
    order(3, 4, "CUP", 4, "5.00"),
]
RETURNS = [
    {
        "returnId": "R-1",
        "updatedAt": "2025-05-20T10:00:00Z",
        "orderId": "P-1",
        "lineId": "1",
        "sku": "TEAPOT",
        "quantity": 1,
        "requestedAt": "2025-05-12T09:00:00Z",
        "receivedAt": "2025-05-20T09:00:00Z",
        "status": "received",
        "reason": "DEFECTIVE",
        "comment": "does not pour",
        "buyer": {"name": "not kept"},
    }
]


class PretendApi(BaseHTTPRequestHandler):
    """Two pages of orders, one of returns, for whoever has the key."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        if self.headers["Authorization"] != f"Bearer {API_KEY}":
            self.send_error(401)
            return
        records = {"/v1/orders": ORDERS, "/v1/returns": RETURNS}[url.path]
        changed = [
            record
            for record in records
            if asked["from"][:19] <= str(record["updatedAt"])[:19] < asked["to"][:19]
        ]
        start = int(asked.get("token", 0))
        more = str(start + 2) if start + 2 < len(changed) else None
        body = json.dumps({"items": changed[start : start + 2], "nextToken": more}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Nothing."""


@contextmanager
def pretend_api() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), PretendApi)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def content_of(tree: Path) -> dict[str, str]:
    """Every file of a tree with the hash of its bytes."""
    return {
        str(path.relative_to(tree)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in tree.rglob("*")
        if path.is_file()
    }


@dataclass
class Added:
    """The copied project with the new source, before and after; and what it published."""

    tree: Path
    before: dict[str, str]
    after: dict[str, str]
    lines_before: list[str]
    publication: Path


def run(tree: Path, arguments: list[str], environment: dict[str, str]) -> None:
    """A Python process that sees the copied project, not the one of the tests."""
    full = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1", **environment}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=tree,
        env=full,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]


@pytest.fixture(scope="module")
def added(tmp_path_factory: pytest.TempPathFactory) -> Added:
    tree = tmp_path_factory.mktemp("copy") / "project"
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, tree / folder, ignore=NOT_COPIED)
    before = content_of(tree)
    project = tree / "dbt_project" / "dbt_project.yml"
    lines = project.read_text("utf-8").splitlines()

    run(tree, ["-m", "sources._template", NAME], {})
    place = lines.index("  connectors:") + 1
    project.write_text(
        "\n".join([*lines[:place], f"    {NAME}: {ENTITIES}", *lines[place:]]) + "\n", "utf-8"
    )
    after = content_of(tree)

    outside = tree.parent
    with pretend_api() as address:
        (outside / "aftersales.toml").write_text(SETTINGS.replace("BASE", address), "utf-8")
        (outside / "night.py").write_text(NIGHT, "utf-8")
        run(
            tree,
            [str(outside / "night.py"), UNTIL],
            {
                "AFTERSALES_DATA_DIR": str(outside / "data"),
                "AFTERSALES_STATE_DIR": str(outside / "state"),
                "AFTERSALES_CONFIG": str(outside / "aftersales.toml"),
                "AFTERSALES_CUSTOMER_KEY": "test-key",
                "PRETEND_API_KEY": API_KEY,
            },
        )
    return Added(tree, before, after, lines, outside / "data" / "published" / "aftersales.duckdb")


def test_two_folders_and_one_line(added: Added) -> None:
    new = {Path(name).parent for name in added.after.keys() - added.before.keys()}
    homes = (Path("sources") / NAME, Path("dbt_project/models/staging") / NAME)
    assert all(any(folder.is_relative_to(home) for home in homes) for folder in new)
    assert {home for home in homes for folder in new if folder.is_relative_to(home)} == set(homes)
    assert added.before.keys() <= added.after.keys()
    changed = [name for name, digest in added.before.items() if added.after[name] != digest]
    assert changed == ["dbt_project/dbt_project.yml"]
    lines = (added.tree / changed[0]).read_text("utf-8").splitlines()
    assert len(lines) == len(added.lines_before) + 1
    assert [line for line in lines if line not in added.lines_before] == [f"    {NAME}: {ENTITIES}"]


def test_its_orders_are_facts(added: Added) -> None:
    rows = query(
        added.publication,
        "select connector, account, marketplace, order_id, sku, quantity_shipped, net_amount,"
        " currency, net_reporting is not null as has_rate"
        " from marts.fct_order_line order by order_id",
    )
    place = (NAME, f"{NAME}_main", f"{NAME}_us")
    assert [tuple(row.values()) for row in rows] == [
        (*place, "P-1", "TEAPOT", 2, Decimal("39.8000"), "USD", True),
        (*place, "P-2", "TEAPOT", 1, Decimal("19.9000"), "USD", True),
        (*place, "P-3", "CUP", 4, Decimal("20.0000"), "USD", True),
    ]


def test_its_returns_are_facts(added: Added) -> None:
    (row,) = query(added.publication, "from marts.fct_return_line")
    key = f"{NAME}:{NAME}_main:P-1:1"
    assert (row["connector"], row["order_line_key"], row["quantity"]) == (NAME, key, 1)
    assert (row["reason_claimed"], row["sku"]) == ("product_defect.functional", "TEAPOT")


def test_its_rates_are_in_the_mart(added: Added) -> None:
    rows = query(
        added.publication,
        "select sku, sum(units_shipped)::int as shipped, sum(units_returned)::int as returned"
        " from marts.mart_return_rate_by_sku group by sku order by sku",
    )
    assert [tuple(row.values()) for row in rows] == [("CUP", 4, 0), ("TEAPOT", 3, 1)]


def test_it_is_in_the_dimensions(added: Added) -> None:
    (account,) = query(added.publication, f"from marts.dim_account where connector = '{NAME}'")
    assert account["account"] == f"{NAME}_main"
    (marketplace,) = query(
        added.publication, f"from marts.dim_marketplace where marketplace = '{NAME}_us'"
    )
    assert (marketplace["currency"], marketplace["time_zone"]) == ("USD", "America/New_York")


def test_its_freshness_is_shown(added: Added) -> None:
    rows = query(
        added.publication,
        "select account, stream, freshness_state, rows_total from meta.freshness"
        f" where connector = '{NAME}' order by all",
    )
    assert [tuple(row.values()) for row in rows] == [
        ("all", "marketplaces", "fresh", 1),
        ("all", "reasons", "fresh", 2),
        (f"{NAME}_main", "orders", "fresh", 3),
        (f"{NAME}_main", "returns", "fresh", 1),
    ]
