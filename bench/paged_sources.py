"""Ingestion of the paged JSON of each connector: the product's own reader against the same bytes.

Belongs here: which stream of which source is read, and the ratios. Does not belong here: its pages
(`source_pages.py`), the readers (`source_reader.py`, `limit_reader.py`, `dlt_reader.py`), and the
growth of memory with the number of pages, which is the core's (`ingest.py`).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests

from bench.ingest import DLT_PYTHON
from bench.measure import ROOT, Result, Usage, child, interleaved, median, result

FEW = 1  # dlt takes minutes; its ratios are far from their targets


@dataclass(frozen=True)
class PagedSource:
    """A stream whose answers are pages of JSON; `selector` is where their records lie.

    `sellers`: accounts that sell what a helpdesk, review app or tracking service tells of;
    `before`: a stream that has to be read first, once; `path`: part of the address of the answers
    that hold the records, where others have lists in the same place; `is_read_by_dlt`: False where
    a request for each record is needed, which dlt would not make.
    """

    name: str
    connector: str
    stream: str
    selector: str
    account: Mapping[str, object] = field(default_factory=dict)
    sellers: tuple[Mapping[str, object], ...] = ()
    orders_per_day: int = 300
    days: int = 60
    before: str | None = None
    path: str = ""
    is_read_by_dlt: bool = True


_SHOP = {"connector": "shopify", "name": "shop"}
_EBAY = {"connector": "ebay", "name": "bay", "marketplaces": ["US"]}

_SOURCES = (
    PagedSource("amazon", "amazon", "orders", "orders", {"marketplaces": ["DE"]}, (), 1000),
    # each order's shipments are a request of their own
    PagedSource(
        "ebay",
        "ebay",
        "orders",
        "orders",
        {"marketplaces": ["US"]},
        orders_per_day=150,
        is_read_by_dlt=False,
    ),
    PagedSource(
        "walmart", "walmart", "orders", "list.elements.order", {"marketplaces": ["US"]}, (), 1000
    ),
    # a longer time than two weeks is read by a bulk operation, not by pages
    PagedSource("shopify", "shopify", "orders", "data.orders.nodes", {}, (), 1000, 13),
    PagedSource(
        "seventeentrack",
        "tracking",
        "seventeentrack_parcels",
        "data.accepted",
        sellers=(_SHOP,),
        before="seventeentrack_registrations",
        path="gettrackinfo",
        orders_per_day=60,
    ),
    PagedSource(
        "aftership",
        "tracking",
        "aftership_trackings",
        "data.trackings",
        {"provider": "aftership"},
        (_SHOP,),
        before="aftership_registrations",
        orders_per_day=40,
    ),
    PagedSource("zendesk", "helpdesk", "zendesk_tickets", "tickets", {}, (_EBAY,), 1000),
    PagedSource(
        "gorgias", "helpdesk", "gorgias_tickets", "data", {"provider": "gorgias"}, (_EBAY,), 300
    ),
    PagedSource("judge_me", "reviews", "judge_me_reviews", "reviews", {}, (_SHOP,), 600),
    PagedSource(
        "yotpo", "reviews", "yotpo_reviews", "reviews", {"provider": "yotpo"}, (_SHOP,), 600
    ),
    PagedSource(
        "okendo", "reviews", "okendo_reviews", "reviews", {"provider": "okendo"}, (_SHOP,), 600
    ),
)
SOURCES: Mapping[str, PagedSource] = {source.name: source for source in _SOURCES}


@dataclass(frozen=True)
class Served:
    """A server whose pages are recorded: what our reader needs, and where the others begin."""

    source: PagedSource
    url: str
    wish: Path
    pages: int
    answers: int
    megabytes: float

    def ours(self) -> Usage:
        return child(["-m", "bench.source_reader", str(self.wish)])

    def limit(self) -> Usage:
        return child(["-m", "bench.limit_reader", f"{self.url}/bench/answers/0"])

    def dlt(self, how: str) -> Usage:
        return child(["bench/dlt_reader.py", self.url, how, self.source.selector], DLT_PYTHON)

    @property
    def detail(self) -> str:
        of = f"{self.pages} pages, {self.answers} answers, {self.megabytes:.1f} MB"
        return f"{self.source.stream}, {of}"


@contextmanager
def served(source: PagedSource) -> Iterator[Served]:
    """The pages of a source, recorded while our reader read them once."""
    with tempfile.TemporaryDirectory() as folder:
        wish = Path(folder) / "wish.json"
        command = [sys.executable, "-m", "bench.source_pages", source.name, str(wish)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)  # noqa: S603
        try:
            if process.stdout is None:
                raise RuntimeError("the page server has no output")
            url = json.loads(process.stdout.readline())["url"]
            if source.before:
                child(["-m", "bench.source_reader", str(wish), source.before])
            child(["-m", "bench.source_reader", str(wish)])
            size = requests.post(f"{url}/bench/recorded", timeout=60).json()
            yield Served(source, url, wish, size["pages"], size["answers"], size["bytes"] / 1e6)
        finally:
            process.kill()
            process.wait()


def ratios(name: str) -> list[Result]:
    """Ours against the limit, dlt tuned and dlt as it is."""
    with served(SOURCES[name]) as pages:
        mine, floor = interleaved(pages.ours, pages.limit)
        found = [_cpu(f"ingest_{name}_cpu_vs_limit", mine, floor, 6.0, pages)]
        if not pages.source.is_read_by_dlt:
            return found
        mine, tuned = interleaved(pages.ours, lambda: pages.dlt("tuned"), FEW)
        found.append(_cpu(f"ingest_{name}_cpu_vs_dlt_tuned", mine, tuned, 0.25, pages))
        peaks = (median(mine, "peak_mb"), median(tuned, "peak_mb"))
        found.append(result(f"ingest_{name}_memory_vs_dlt_tuned", *peaks, 0.25, "MB", pages.detail))
        mine, default = interleaved(pages.ours, lambda: pages.dlt("default"), FEW)
        found.append(_cpu(f"ingest_{name}_cpu_vs_dlt_default", mine, default, 0.1, pages))
    return found


def _cpu(name: str, mine: list[Usage], theirs: list[Usage], target: float, pages: Served) -> Result:
    seconds = (median(mine, "cpu_s"), median(theirs, "cpu_s"))
    return result(name, *seconds, target, "CPU s", pages.detail)
