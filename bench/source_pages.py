"""A server of one connector's sandbox that remembers each answer: later readers get the same bytes.

Run as a process of its own, so that its CPU is not counted: the first line it prints is its
address. Our reader asks as it asks the real API. When it has read once, `POST /bench/recorded`
takes what was answered. `GET /bench/pages/<n>` gives answer n of those that hold records to others,
`GET /bench/answers/<n>` of all of them, the details of single records too; the next one stands in
the header `Link`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import date, timedelta
from functools import reduce
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import polars as pl

from bench.paged_sources import SOURCES, PagedSource
from pipelines.sandbox import Sandbox, sandbox_settings
from sources._core.clock import SystemClock
from sources._sandbox.scenario import Scenario
from sources._sandbox.server import App, Environment, Request, Response, create_app
from sources._sandbox.world import build_world
from sources._sandbox.world.tables import World
from sources.registry import connectors

TODAY = date(2026, 3, 2)
ACCOUNT = "bench"


class Recorder:
    """Answers of an app by what was asked; those with records are pages, in the order they came."""

    def __init__(self, app: App, source: PagedSource) -> None:
        self._app, self._source = app, source
        self._answers: dict[tuple[str, str, bytes], Response] = {}
        self._lock = Lock()
        self.chains: dict[str, list[bytes]] = {}

    def answer(self, request: Request, target: str) -> Response:
        key = (request.method, target, request.body)
        with self._lock:
            if key not in self._answers:
                self._answers[key] = self._app.handle(request)
            return self._answers[key]

    def record(self) -> Mapping[str, int]:
        good = {k: a.body for k, a in self._answers.items() if a.status == 200 and a.body}
        pages = [
            body
            for (_, target, _), body in good.items()
            if self._source.path in target and records_in(body, self._source.selector)
        ]
        self.chains = {"pages": pages, "answers": list(good.values())}
        return {"pages": len(pages), "answers": len(good), "bytes": sum(map(len, pages))}


def records_in(body: bytes, selector: str) -> list[Any]:
    """Records of an answer; none where it is of another kind."""
    try:
        found = reduce(lambda value, name: value[name], selector.split("."), json.loads(body))
    except (ValueError, KeyError, TypeError):
        return []
    return found if isinstance(found, list) else []


def scenario_of(source: PagedSource) -> Scenario:
    account = {"connector": source.connector, "name": ACCOUNT, **source.account}
    return Scenario.parse(
        {
            "seed": 7,
            "start": TODAY - timedelta(days=source.days),
            "today": TODAY,
            "orders_per_day": source.orders_per_day,
            "skus": 50,
            "languages": ["en", "de"],
            "case_rate": 1.0,
            "review_rate": 1.0,
            "accounts": [account, *source.sellers],
        }
    )


def wish_of(source: PagedSource, scenario: Scenario, world: World, url: str) -> dict[str, Any]:
    """What our reader reads, as plain values."""
    sandbox = Sandbox({source.connector: url}, scenario, scenario.clock)
    settings = sandbox_settings(sandbox, {}, connectors(), Path("inbox"))
    (account,) = (a for a in settings.accounts if a.name == ACCOUNT)
    plain = account.model_dump(mode="json")
    plain["secrets"] = {name: secret.get_secret_value() for name, secret in account.secrets.items()}
    if "open_parcels" in plain:
        plain["open_parcels"] = open_parcels(world)
    return {
        "connector": source.connector,
        "stream": source.stream,
        "account": plain,
        "clock": scenario.clock.isoformat(),
    }


def open_parcels(world: World) -> list[dict[str, Any]]:
    """All that the shops sent."""
    parcels = world.tracked_parcels.filter(pl.col("direction") == "outbound")
    return [
        {
            "carrier": row["carrier"],
            "tracking_number": row["tracking_number"],
            "order_ref": row["order_id"],
            "sent_on": row["ordered_at"].date().isoformat(),
        }
        for row in parcels.iter_rows(named=True)
    ]


def serve(source: PagedSource, wish: Path) -> None:
    """Serve until killed."""
    scenario = scenario_of(source)
    world = build_world(scenario, scenario.clock)
    app = create_app(source.connector, Environment(world, scenario, SystemClock(scenario.clock)))
    if app is None:
        raise SystemExit(f"{source.connector} has no sandbox")
    recorder = Recorder(app, source)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _serve(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            url = urlsplit(self.path)
            request = Request(
                self.command,
                url.path,
                tuple(parse_qsl(url.query, keep_blank_values=True)),
                {name.lower(): value for name, value in self.headers.items()},
                self.rfile.read(length) if length else b"",
                url.query,
            )
            if not url.path.startswith("/bench/"):
                self._write(recorder.answer(request, self.path))
            elif url.path == "/bench/recorded":
                self._write(Response(200, json.dumps(recorder.record()).encode()))
            else:
                self._write(self._page(*url.path.split("/")[2:]))

        def _page(self, chain: str, place: str) -> Response:
            bodies, number = recorder.chains[chain], int(place)
            following = f"http://{self.headers['host']}/bench/{chain}/{number + 1}"
            is_last = number + 1 == len(bodies)
            links = {} if is_last else {"Link": f'<{following}>; rel="next"'}
            headers = {"Content-Type": "application/json", **links}
            return Response(200, bodies[number], headers)

        def _write(self, response: Response) -> None:
            self.send_response(response.status)
            length = {"Content-Length": str(len(response.body))}
            for name, value in {**length, **response.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(response.body)

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def log_request(self, code: object = "-", size: object = "-") -> None:
            del code, size

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    url = f"http://127.0.0.1:{server.server_port}"
    wish.write_text(json.dumps(wish_of(source, scenario, world, url)), "utf-8")
    print(json.dumps({"url": url}), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    serve(SOURCES[sys.argv[1]], Path(sys.argv[2]))
