"""A real server on loopback answers from a script, so that cut answers are really cut."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests

from sources._core.auth import TokenAuth
from sources._core.clock import ManualClock
from sources._core.errors import (
    ConfigurationError,
    LostAnswer,
    RetryLater,
    SourceError,
    StopStream,
)
from sources._core.http import Call, Retries, Session, retry_after
from sources._core.limits import Limits, Rate

SECRET = "s3cr3t-value"


@dataclass
class Script:
    """Answers in order, the last one for ever; what was asked is kept."""

    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    url: str = ""

    def add(self, status: int, body: Any = None, *, cut: int = 0, **headers: str) -> None:
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        names["Content-Length"] = str(len(content) + cut)
        self.answers.append((status, names, content))


@pytest.fixture
def script() -> Iterator[Script]:
    script = Script()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        script.asked.append((handler.command, handler.path, dict(handler.headers)))
        answers = script.answers
        status, headers, content = answers.pop(0) if len(answers) > 1 else answers[0]
        handler.send_response_only(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)

    handler_class = type("Handler", (BaseHTTPRequestHandler,), {"do_GET": answer})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_class)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    script.url = f"http://127.0.0.1:{server.server_port}"
    yield script
    server.shutdown()
    server.server_close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def open_session(script: Script, clock: ManualClock) -> Iterator[Callable[..., Session]]:
    opened: list[Session] = []

    def open_one(**settings: Any) -> Session:
        opened.append(Session(script.url, clock, **settings))
        return opened[-1]

    yield open_one
    for session in opened:
        session.close()


def test_a_good_answer_is_decoded(script: Script, open_session: Callable[..., Session]) -> None:
    script.add(200, {"orders": []}, X_Rate="5")
    answer = open_session(headers={"x-app": "a"}).request(Call("GET", "/orders", params={"a": "b"}))
    assert answer.value == {"orders": []}
    assert (answer.status, answer.headers["X-Rate"]) == (200, "5")
    (_method, path, headers) = script.asked[0]
    assert path == "/orders?a=b"
    assert headers["x-app"] == "a"


def test_429_waits_as_long_as_the_answer_asks(
    script: Script, clock: ManualClock, open_session: Callable[..., Session]
) -> None:
    script.add(429, {}, Retry_After="37")
    script.add(200, {"ok": True})
    answer = open_session().request(Call("GET", "/orders"))
    assert answer.value == {"ok": True}
    assert clock.elapsed == pytest.approx(37, abs=0.2)


def test_429_waits_as_the_connector_computes(
    script: Script, clock: ManualClock, open_session: Callable[..., Session]
) -> None:
    script.add(429, {})
    script.add(429, {})
    script.add(200, {})
    waits = open_session(asked_wait=lambda _response, number: 60.0 * number)
    waits.request(Call("GET", "/orders"))
    assert clock.elapsed == pytest.approx(60 + 120, abs=0.5)


def test_429_holds_back_the_other_requests_of_its_operation(
    script: Script, clock: ManualClock, open_session: Callable[..., Session]
) -> None:
    limits = Limits(clock, {"orders": Rate(1, 10)})
    script.add(429, {}, Retry_After="50")
    session = open_session(limits=limits, retries=Retries(tries=1))
    with pytest.raises(RetryLater):
        session.request(Call("GET", "/orders", operation="orders"))
    bucket = limits.bucket("orders")
    assert bucket is not None and bucket.acquire() == pytest.approx(50, abs=0.5)


def test_tries_are_bounded_and_waits_grow(
    script: Script, clock: ManualClock, open_session: Callable[..., Session]
) -> None:
    script.add(503, {})
    session = open_session(retries=Retries(tries=4, first_wait=2, jitter=0))
    with pytest.raises(RetryLater, match="GET /orders answered 503"):
        session.request(Call("GET", "/orders"))
    assert len(script.asked) == 4
    assert clock.sleeps == [2, 4, 8]


def test_a_source_that_was_silent_for_one_is_tried_once_by_the_others_until_it_answers(
    script: Script, clock: ManualClock, open_session: Callable[..., Session]
) -> None:
    session = open_session(retries=Retries(tries=3))
    for status, tries in ((503, 3), (503, 1), (429, 3), (503, 3)):
        script.answers, script.asked = [], []
        script.add(status, {})
        with pytest.raises(RetryLater, match=str(status)):
            session.request(Call("GET", "/orders"))
        assert len(script.asked) == tries


def test_a_source_that_asks_for_hours_is_left_for_the_next_night(
    script: Script, clock: ManualClock, open_session: Callable[..., Session]
) -> None:
    script.add(429, {}, Retry_After="86400")
    with pytest.raises(RetryLater, match="next night"):
        open_session().request(Call("GET", "/orders"))
    assert (len(script.asked), clock.sleeps) == (1, [])


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, StopStream), (403, ConfigurationError), (404, StopStream), (302, ConfigurationError)],
)
def test_what_waiting_does_not_mend_is_tried_once(
    script: Script, open_session: Callable[..., Session], status: int, kind: type[SourceError]
) -> None:
    script.add(status, {}, Location="http://127.0.0.1:1/else")
    with pytest.raises(kind):
        open_session().request(Call("GET", "/orders"))
    assert len(script.asked) == 1


def test_a_truncated_answer_is_asked_for_again(
    script: Script, open_session: Callable[..., Session]
) -> None:
    script.add(200, b'{"orders": [1, 2', cut=100)  # the connection ends before Content-Length
    script.add(200, b'{"orders": [1, 2')  # whole by its length, cut before it was sent
    script.add(200, b'{"orders": ["\xff\xfe"]}')  # not UTF-8
    script.add(200, {"orders": [1, 2, 3]})
    answer = open_session().request(Call("GET", "/orders"))
    assert answer.value == {"orders": [1, 2, 3]}
    assert len(script.asked) == 4


def test_an_answer_that_stays_garbled_says_so(
    script: Script, open_session: Callable[..., Session]
) -> None:
    script.add(200, b"<html>")
    with pytest.raises(RetryLater, match="cut or garbled"):
        open_session(retries=Retries(tries=2)).request(Call("GET", "/orders"))


def test_another_shape_than_documented_stops_the_stream(
    script: Script, open_session: Callable[..., Session]
) -> None:
    script.add(200, {"errors": []})

    class Orders(msgspec.Struct):
        orders: list[msgspec.Raw]

    decode = msgspec.json.Decoder(Orders).decode
    with pytest.raises(StopStream, match=r"another shape.*orders"):
        open_session().request(Call("GET", "/orders"), decode)
    assert len(script.asked) == 1


def test_an_unreachable_source_is_retried_and_the_message_has_no_query(
    clock: ManualClock,
) -> None:
    session = Session("http://127.0.0.1:1", clock, retries=Retries(tries=3))
    with pytest.raises(RetryLater, match="could not be reached") as caught:
        session.request(Call("GET", "/orders", params={"token": SECRET}))
    assert len(clock.sleeps) == 2
    assert SECRET not in str(caught.value)


def test_the_connector_may_name_the_error(
    script: Script, open_session: Callable[..., Session]
) -> None:
    script.add(400, {"code": "busy"})
    script.add(200, {})

    def classify(response: requests.Response, subject: str) -> SourceError | None:
        return RetryLater(f"{subject} busy", 5) if b"busy" in response.content else None

    assert open_session(classify=classify).request(Call("GET", "/orders")).value == {}


class Tokens:
    """Hands out numbered tokens."""

    def __init__(self) -> None:
        self.fetched = 0

    def __call__(self) -> tuple[str, float]:
        self.fetched += 1
        return f"token-{self.fetched}", 3600.0


def test_an_expired_token_is_renewed_once_and_the_request_sent_again(
    script: Script, clock: ManualClock, open_session: Callable[..., Session]
) -> None:
    tokens = Tokens()
    script.add(401, {})
    script.add(200, {})
    session = open_session(auth=TokenAuth(tokens, clock), retries=Retries(tries=1))
    session.request(Call("GET", "/orders"))
    sent = [headers["Authorization"] for _method, _path, headers in script.asked]
    assert sent == ["Bearer token-1", "Bearer token-2"]
    assert clock.sleeps == []


def test_a_token_refused_twice_is_a_matter_of_configuration(
    script: Script, clock: ManualClock, open_session: Callable[..., Session]
) -> None:
    tokens = Tokens()
    script.add(401, {})
    with pytest.raises(ConfigurationError, match="check-config"):
        open_session(auth=TokenAuth(tokens, clock)).request(Call("GET", "/orders"))
    assert (len(script.asked), tokens.fetched) == (2, 2)


def test_a_token_is_renewed_before_it_runs_out(clock: ManualClock) -> None:
    tokens = Tokens()
    auth = TokenAuth(tokens, clock)
    auth.headers()
    clock.sleep(3_500)
    auth.headers()
    clock.sleep(60)
    assert auth.headers() == {"Authorization": "Bearer token-2"}


def test_threads_that_see_the_same_token_expire_renew_it_once(clock: ManualClock) -> None:
    tokens = Tokens()
    auth = TokenAuth(tokens, clock)
    sent = auth.headers()
    threads = [threading.Thread(target=auth.renew, args=(sent,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tokens.fetched == 2


def test_one_log_line_a_request_without_secrets(
    script: Script,
    clock: ManualClock,
    open_session: Callable[..., Session],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    script.add(503, {"error": SECRET})
    script.add(200, {"answer": SECRET}, X_Token=SECRET)
    auth = TokenAuth(lambda: (SECRET, 3600.0), clock)
    session = open_session(auth=auth, headers={"x-key": SECRET})
    session.request(Call("GET", "/orders", params={"key": SECRET}, data=SECRET.encode(), page=3))
    lines = [r.getMessage() for r in caplog.records if r.name == "sources._core.http"]
    assert [line.rsplit(" ", 2)[0] for line in lines] == ["GET /orders 503", "GET /orders 200"]
    assert all(line.endswith("page=3") for line in lines)
    assert SECRET not in caplog.text


def test_a_rate_told_by_an_answer_reaches_the_bucket(
    script: Script, clock: ManualClock, open_session: Callable[..., Session]
) -> None:
    limits = Limits(clock, {"orders": Rate(1, 1)})
    script.add(200, {}, X_Limit="0.1")

    def adapt(response: requests.Response, bucket: Any) -> None:
        bucket.adapt(float(response.headers["X-Limit"]))

    session = open_session(limits=limits, on_answer=adapt)
    for _ in range(3):
        session.request(Call("GET", "/orders", operation="orders"))
    assert clock.elapsed == pytest.approx(20)


def test_a_download_is_whole_or_not_there(
    script: Script, open_session: Callable[..., Session], tmp_path: Path
) -> None:
    script.add(200, b"x" * 1_000, cut=500)
    script.add(200, b"y" * 1_500)
    target = tmp_path / "report"
    answer = open_session(headers={"x-key": SECRET}).download(
        Call("GET", f"{script.url}/doc?signature=abc", is_authorised=False), target
    )
    assert answer.value == 1_500
    assert target.read_bytes() == b"y" * 1_500
    assert all("x-key" not in headers for _method, _path, headers in script.asked)


def test_a_failed_download_leaves_nothing(
    script: Script,
    open_session: Callable[..., Session],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    script.add(200, b"x" * 1_000, cut=500)
    target = tmp_path / "report"
    call = Call("GET", f"{script.url}/doc?signature={SECRET}", is_authorised=False)
    with pytest.raises(RetryLater, match="cut or garbled") as caught:
        open_session(retries=Retries(tries=2)).download(call, target)
    assert not target.exists()
    assert SECRET not in str(caught.value) + caplog.text


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "12"}, 12.0),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "-3"}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({}, None),
        ({"Retry-After": "Thu, 01 Jan 2026 00:01:00 GMT"}, 60.0),
        (
            {
                "Retry-After": "Fri, 02 Jan 2026 00:00:30 GMT",
                "Date": "Fri, 02 Jan 2026 00:00:00 GMT",
            },
            30.0,
        ),
    ],
)
def test_retry_after_as_seconds_or_date(
    clock: ManualClock, headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after(headers, clock) == seconds


def test_what_must_not_be_sent_twice_is_not(
    script: Script, open_session: Callable[..., Session], clock: ManualClock
) -> None:
    call = Call("GET", "/make", is_repeatable=False)
    for faulty in ((500, {}, 0), (200, {"id": 1}, 40), (200, b'{"id"', 0)):
        script.answers.clear()
        script.asked.clear()
        script.add(faulty[0], faulty[1], cut=faulty[2])
        with pytest.raises(LostAnswer, match="GET /make"):
            open_session().request(call)
        assert len(script.asked) == 1
    script.answers.clear()
    script.add(429, {})
    script.add(200, {"id": 2})
    assert open_session().request(call).value == {"id": 2}, "refused before any work: sent again"
