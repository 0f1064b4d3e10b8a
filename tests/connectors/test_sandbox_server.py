"""The sandbox as servers: ports, broken answers on the wire, threads, and the process."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from sources._sandbox.server import Request, Response, RunningSandbox, connectors_of, serve
from sources._sandbox.snapshots import grouped
from tests.connectors.sandbox_small_world import (
    ORDERS,
    TODAY,
    content_of,
    scenario,
    small_world,
)

SINCE = {"lastUpdatedAfter": "2026-05-01T00:00:00Z"}


@pytest.fixture
def running() -> Iterator[RunningSandbox]:
    parsed = scenario()
    with serve(small_world(parsed), parsed) as sandbox:
        yield sandbox
    assert sandbox.failures == []


def log_in(session: requests.Session, base_url: str, account: str) -> None:
    secret = f"sandbox-{account}"
    form = {"grant_type": "refresh_token", "refresh_token": secret}
    form |= {"client_id": secret, "client_secret": secret}
    answer = session.post(f"{base_url}/auth/o2/token", data=form, timeout=10)
    session.headers["x-amz-access-token"] = answer.json()["access_token"]


def free_ports(count: int) -> int:
    """First of `count` free ports in a row."""
    for _ in range(50):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            first: int = probe.getsockname()[1]
        if all(_is_free(first + offset) for offset in range(count)):
            return first
    raise AssertionError("no free ports in a row")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_the_account_is_picked_by_the_token_at_one_address(running: RunningSandbox) -> None:
    for account, count in (("amz_eu", 3), ("amz_jp", 1)):
        with requests.Session() as session:
            log_in(session, running.base_urls["amazon"], account)
            answer = session.get(running.base_urls["amazon"] + ORDERS, params=SINCE, timeout=10)
            assert len(answer.json()["orders"]) == count


def test_ports_count_connectors_in_alphabetical_order_then_helpers() -> None:
    files = {"connector": "files", "name": "shop", "countries": ["US"]}
    parsed = scenario()
    parsed = scenario(accounts=[a.model_dump() for a in parsed.accounts] + [files])
    assert connectors_of(parsed) == ["amazon", "files"]
    first = free_ports(3)
    with serve(small_world(parsed), parsed, ports=first) as sandbox:
        assert sandbox.base_urls == {
            "amazon": f"http://127.0.0.1:{first}",
            "fx": f"http://127.0.0.1:{first + 2}",
        }


def test_many_callers_at_once_get_their_own_answers(running: RunningSandbox) -> None:
    url = running.base_urls["amazon"]

    def ask(account: str) -> int:
        with requests.Session() as session:
            log_in(session, url, account)
            answers = [session.get(url + ORDERS, params=SINCE, timeout=10) for _ in range(5)]
            return sum(len(answer.json()["orders"]) for answer in answers)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, ["amz_eu", "amz_jp"] * 8)) == [15, 5] * 8


@pytest.mark.parametrize("share", ["truncated", "http_503"])
def test_a_planted_fault_reaches_the_wire(share: str) -> None:
    parsed = scenario(api={share: 1.0})
    with serve(small_world(parsed), parsed) as sandbox, requests.Session() as session:
        url = sandbox.base_urls["amazon"]
        log_in(session, url, "amz_eu")
        outcomes = []
        for _ in range(4):
            try:
                outcomes.append(session.get(url + ORDERS, params=SINCE, timeout=10).status_code)
            except requests.exceptions.ChunkedEncodingError:
                outcomes.append(0)
        assert outcomes == [503 if share == "http_503" else 0] * 3 + [200]


def test_a_refused_connection_and_a_bug_of_the_sandbox_itself() -> None:
    class Broken:
        def handle(self, request: Request) -> Response:
            if request.path == "/dropped":
                return Response(503, is_dropped=True)
            raise ZeroDivisionError

    parsed = scenario()
    with serve(small_world(parsed), parsed) as sandbox:
        sandbox._servers[0].app = Broken()
        url = sandbox.base_urls["amazon"]
        with pytest.raises(requests.exceptions.ConnectionError):
            requests.get(f"{url}/dropped", timeout=10)
        assert requests.get(f"{url}/other", timeout=10).status_code == 500
        assert sandbox.failures == ["GET /other"]


def test_without_a_clock_the_world_stands_at_its_today() -> None:
    parsed = scenario()
    with serve(small_world(parsed), parsed) as sandbox:
        secret = b"grant_type=refresh_token&refresh_token=sandbox-amz_eu"
        secret += b"&client_id=sandbox-amz_eu&client_secret=sandbox-amz_eu"
        app = sandbox.apps["amazon"]
        token = content_of(app.handle(Request("POST", "/auth/o2/token", body=secret)))
        headers = {"x-amz-access-token": token["access_token"]}
        answer = app.handle(Request("GET", ORDERS, tuple(SINCE.items()), headers))
        assert content_of(answer)["lastUpdatedBefore"] == "2026-05-31T23:58:00Z"
        assert parsed.clock == TODAY


SCENARIO_FILE = """
seed = 11
start = 2026-03-01
today = 2026-04-01
orders_per_day = 4
skus = 3
[[accounts]]
connector = "amazon"
name = "amz_us"
marketplaces = ["US"]
"""


def started(folder: Path, *options: str) -> tuple[subprocess.Popen[str], dict[str, str]]:
    path = folder / "scenario.toml"
    path.write_text(SCENARIO_FILE, encoding="utf-8")
    command = [sys.executable, "-m", "sources._sandbox", "serve", "--scenario", str(path)]
    process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())


def test_the_process_says_where_it_is_and_ends_on_a_signal(
    tmp_path: Path, project_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project_root)
    first = free_ports(2)
    process, urls = started(tmp_path, "--port", str(first), "--until", "2026-03-20")
    try:
        assert urls == {
            "amazon": f"http://127.0.0.1:{first}",
            "fx": f"http://127.0.0.1:{first + 1}",
        }
        with requests.Session() as session:
            log_in(session, urls["amazon"], "amz_us")
            query = {"createdAfter": "2026-03-01T00:00:00Z"}
            answer = session.get(urls["amazon"] + ORDERS, params=query, timeout=10).json()
            if not answer["orders"]:
                query["paginationToken"] = answer["pagination"]["nextToken"]
                answer = session.get(urls["amazon"] + ORDERS, params=query, timeout=10).json()
        assert answer["createdBefore"] == "2026-03-19T23:58:00Z"
        assert answer["orders"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
    finally:
        process.kill()
        process.wait(timeout=10)


def test_the_process_ends_with_its_parent(
    tmp_path: Path, project_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project_root)
    path = tmp_path / "scenario.toml"
    path.write_text(SCENARIO_FILE, encoding="utf-8")
    parent = (
        "import subprocess, sys\n"
        "child = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, text=True)\n"
        "print(child.pid, child.stdout.readline(), flush=True)\n"
    )
    command = [sys.executable, "-m", "sources._sandbox", "serve", "--scenario", str(path)]
    done = subprocess.run(
        [sys.executable, "-c", parent, *command], capture_output=True, text=True, check=True
    )
    number, _, line = done.stdout.partition(" ")
    assert "amazon" in json.loads(line)
    for _ in range(100):
        if not _is_alive(int(number)):
            return
        time.sleep(0.1)
    os.kill(int(number), signal.SIGKILL)
    raise AssertionError("the sandbox outlived its parent")


def _is_alive(number: int) -> bool:
    try:
        state = Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state[0] != "Z"


def test_looking_for_rows_that_are_not_there_adds_nothing() -> None:
    """Threads go through a snapshot while others ask it."""
    rows = [{"order": "A", "n": 1}, {"order": "B", "n": 2}, {"order": "A", "n": 3}]
    found = grouped(rows, "order")
    assert found["A"] == [rows[0], rows[2]]
    assert found["C"] == []
    assert sorted(found) == ["A", "B"]
