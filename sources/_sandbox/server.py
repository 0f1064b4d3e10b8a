"""HTTP side of the sandbox: one small server per connector, and how to start and stop them.

Belongs here: reading a request, writing an answer (also a cut or dropped one), ports, threads.
Does not belong here: what any API answers (`sources/<connector>/sandbox`), when an answer goes
wrong (`api_faults.py`), the world itself (`world/`).

A connector joins by having a module or package `sources.<connector>.sandbox` with a function
`create_app(environment: Environment) -> App`.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from sources._core.clock import Clock, SystemClock
from sources._sandbox.scenario import Scenario
from sources._sandbox.world.tables import World

log = logging.getLogger(__name__)

HELPERS = ("fx",)
"""Servers without an account in the scenario; they come after the connectors."""

_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Request:
    """One request as an API sees it: header names in lower case, `query` with repeats in order."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    raw_query: str = ""  # as it came, for cursors that count only verbatim

    @property
    def origin(self) -> str:
        """Address under which the client reached this server, for links in answers."""
        return f"http://{self.headers.get('host', _LOOPBACK)}"

    @property
    def content(self) -> str:
        """What is asked, the same for each try."""
        return repr((self.query, self.body))

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.query if key == name]


@dataclass(frozen=True)
class Response:
    """One answer. `is_truncated` announces the whole body and sends half of it; `is_dropped`
    closes the connection without a byte; `delay_s` is how long the client waits for it."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    is_truncated: bool = False
    is_dropped: bool = False


class App(Protocol):
    """What a connector's sandbox is: a function from request to answer."""

    def handle(self, request: Request) -> Response: ...


@dataclass(frozen=True)
class Environment:
    """What an app is made of: the world, its scenario, the clock, and what the rights give.

    `clock.now()` decides what data is visible; `clock.monotonic()` runs tokens and quotas.
    `with_personal_data`: the application has the restricted roles and every structured personal
    field is filled, asked for or not (to prove that the reader drops it).
    `missing_roles`: by account, names of roles that its authorisation lacks.
    """

    world: World
    scenario: Scenario
    clock: Clock
    with_personal_data: bool = False
    missing_roles: Mapping[str, frozenset[str]] = field(default_factory=dict)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, port: int, app: App, failures: list[str]) -> None:
        super().__init__((_LOOPBACK, port), _Handler)
        self.app = app
        self.failures = failures

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is no event."""
        log.debug("connection of %s ended early", client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 120
    server: _Server

    def _serve(self) -> None:
        url = urlsplit(self.path)
        length = int(self.headers.get("content-length") or 0)
        request = Request(
            method=self.command,
            path=url.path,
            query=tuple(parse_qsl(url.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length) if length else b"",
            raw_query=url.query,
        )
        try:
            response = self.server.app.handle(request)
        except Exception:
            log.exception("%s %s failed in the sandbox", request.method, request.path)
            self.server.failures.append(f"{request.method} {request.path}")
            response = Response(500, b'{"errors":[{"code":"InternalFailure","message":"sandbox"}]}')
        self._write(response)

    def _write(self, response: Response) -> None:
        if response.delay_s:
            time.sleep(response.delay_s)
        if response.is_dropped:
            self.close_connection = True
            return
        headers = {"Content-Length": str(len(response.body)), **response.headers}
        if response.is_truncated:
            headers["Connection"] = "close"
        lines = [f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        if response.is_truncated:
            self.close_connection = True
            self.wfile.write(head + response.body[: len(response.body) // 2])
        else:
            self.wfile.write(head + response.body)

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def log_message(self, *_args: Any) -> None:
        """Nothing: a query may hold a signature, and the client logs its own requests."""


@dataclass
class RunningSandbox:
    """Servers that are up. `base_urls` by connector; `failures` are answers the sandbox itself
    broke on, for tests to find empty."""

    base_urls: dict[str, str]
    apps: dict[str, App]
    failures: list[str]
    _servers: list[_Server] = field(default_factory=list, repr=False)
    _threads: list[Thread] = field(default_factory=list, repr=False)

    def close(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()
        for thread in self._threads:
            thread.join(timeout=5)

    def __enter__(self) -> RunningSandbox:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def sandbox_module_of(connector: str) -> str | None:
    """Name of the module that answers for a connector; None where it has no server (inbox)."""
    name = f"sources.{connector}.sandbox"
    try:
        return name if importlib.util.find_spec(name) else None
    except ModuleNotFoundError:
        return None


def create_app(connector: str, environment: Environment) -> App | None:
    """The connector's app, or None where the connector is read from files only."""
    name = sandbox_module_of(connector)
    if name is None:
        return None
    app: App = importlib.import_module(name).create_app(environment)
    return app


def connectors_of(scenario: Scenario) -> list[str]:
    """Connectors with an account, in alphabetical order: their index is their port offset."""
    return sorted({account.connector for account in scenario.accounts})


def serve(
    world: World,
    scenario: Scenario,
    now: datetime | None = None,
    ports: Sequence[int] | int | None = None,
    *,
    clock: Clock | None = None,
    with_personal_data: bool = False,
    missing_roles: Mapping[str, Iterable[str]] | None = None,
) -> RunningSandbox:
    """Start a server per connector of the scenario, then the helpers; returns at once.

    `ports`: one number N (the i-th connector listens on N + i), a list, or None for free ports.
    `clock` (tests) wins over `now`; without both the clock stands at the scenario's `today`.
    """
    if clock is None:
        clock = SystemClock(now or scenario.clock)
    environment = Environment(
        world=world,
        scenario=scenario,
        clock=clock,
        with_personal_data=with_personal_data,
        missing_roles={name: frozenset(roles) for name, roles in (missing_roles or {}).items()},
    )
    connectors = connectors_of(scenario)
    names = connectors + [name for name in HELPERS if name not in connectors]
    running = RunningSandbox({}, {}, [])
    try:
        for index, name in enumerate(names):
            _start(running, name, environment, _port_of(ports, index))
    except OSError:
        running.close()
        raise
    return running


def _port_of(ports: Sequence[int] | int | None, index: int) -> int:
    if ports is None:
        return 0
    if isinstance(ports, int):
        return ports + index if ports else 0
    return ports[index]


def _start(running: RunningSandbox, name: str, environment: Environment, port: int) -> None:
    app = create_app(name, environment)
    if app is None:
        return
    server = _Server(port, app, running.failures)
    thread = Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.1}, name=f"sandbox-{name}"
    )
    thread.daemon = True
    thread.start()
    running._servers.append(server)
    running._threads.append(thread)
    running.apps[name] = app
    running.base_urls[name] = f"http://{_LOOPBACK}:{server.server_address[1]}"
