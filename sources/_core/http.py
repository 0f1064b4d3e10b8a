"""Sending requests: pacing, tries, waits, and one log line for each.

Belongs here: what is the same for every API. Does not belong here: paths, headers, error codes
and rates of one API (its `client.py`), access tokens (`auth.py`), paging (`pagination.py`),
decoding (`records.py`).

Logged are method, path, status, seconds and page: never a query value, header or body.
"""

from __future__ import annotations

import email.utils
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

import msgspec
import requests
import tenacity

from sources._core.auth import Auth
from sources._core.clock import Clock
from sources._core.errors import (
    GarbledAnswer,
    LostAnswer,
    RetryLater,
    SourceError,
    StopStream,
    error_for_status,
)
from sources._core.limits import Limits, TokenBucket

logger = logging.getLogger(__name__)
# urllib3 writes whole URLs, query included, when somebody turns debugging on.
logging.getLogger("urllib3").setLevel(logging.ERROR)

_CHUNK = 1 << 16
_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500  # and above
DecodedT = TypeVar("DecodedT")


@dataclass(frozen=True)
class Retries:
    """How often and how long to wait; seconds. The first wait doubles each time, with jitter.

    A source that asks for more than `max_asked` is left alone until the next night.
    """

    tries: int = 6
    first_wait: float = 1.0
    max_wait: float = 120.0
    jitter: float = 1.0
    max_asked: float = 900.0


@dataclass(frozen=True)
class Answer(Generic[DecodedT]):
    """A good answer, decoded."""

    value: DecodedT
    status: int
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Call:
    """One request to make. `page` is for the log; `operation` names its bucket.

    `is_repeatable` is False where sending twice does a thing twice: a refusal (429) is tried again,
    but an answer that was lost, cut or an error of the server raises LostAnswer.
    """

    method: str
    path: str
    operation: str = ""
    params: Mapping[str, Any] | None = None
    json: Any = None
    data: Mapping[str, str] | bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    page: int | None = None
    is_authorised: bool = True
    is_repeatable: bool = True

    @property
    def subject(self) -> str:
        """Method and path, without the query: fit for messages."""
        return f"{self.method} {urlsplit(self.path).path}"


class Session:
    """Requests of one account. Safe for threads.

    - `classify` may name the error of an answer before the default table does; None leaves it.
    - `asked_wait` gives the seconds an answer asks to wait, where `Retry-After` is not it.
    - `on_answer` sees every answer with its bucket, to take over a rate that it tells.
    - `sign` gives further headers of an authorised request from its method and address, each try.

    A source that stayed silent through all tries of one call is down for the others too: until it
    answers again each is sent once. Else every stream in turn would wait as long as the first did.
    """

    def __init__(
        self,
        base_url: str,
        clock: Clock,
        *,
        auth: Auth | None = None,
        limits: Limits | None = None,
        retries: Retries | None = None,
        headers: Mapping[str, str] | None = None,
        classify: Callable[[requests.Response, str], SourceError | None] | None = None,
        asked_wait: Callable[[requests.Response, int], float | None] | None = None,
        on_answer: Callable[[requests.Response, TokenBucket | None], None] | None = None,
        sign: Callable[[str, str], Mapping[str, str]] | None = None,
        timeout: tuple[float, float] = (10.0, 120.0),
        follow_redirects: bool = False,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._clock = clock
        self._auth = auth
        self._limits = limits or Limits(clock)
        self._retries = retries or Retries()
        self._headers = dict(headers or {})
        self._classify, self._asked_wait, self._on_answer = classify, asked_wait, on_answer
        self._sign = sign
        self._timeout = timeout
        self._follow_redirects = follow_redirects
        self._local = threading.local()
        self._opened: list[requests.Session] = []
        self._lock = threading.Lock()
        self._is_down = False

    def request(
        self, call: Call, decode: Callable[[bytes], DecodedT] = msgspec.json.decode
    ) -> Answer[DecodedT]:
        """Send until a good, decodable answer has come.

        A cut or garbled answer counts as a failed try: `decode` says so by msgspec's DecodeError,
        UnicodeDecodeError, EOFError or GarbledAnswer.
        """

        def take(response: requests.Response) -> Answer[DecodedT]:
            content = response.content
            try:
                value = decode(content)
            except msgspec.ValidationError as error:
                raise StopStream(
                    f"{call.subject} answered in another shape than documented ({error}): the "
                    "API has changed, or base_url is not that of the API."
                ) from None
            except (msgspec.DecodeError, UnicodeDecodeError, EOFError, GarbledAnswer) as error:
                raise _cut(call.subject, type(error).__name__) from None
            return Answer(value, response.status_code, response.headers)

        return self._retry(call, take, stream=False)

    def download(self, call: Call, target: Path) -> Answer[int]:
        """Write a body of any size to `target`, whole or not at all; the value is its bytes.

        `call.path` may be a whole address (a signed one, with `is_authorised=False`): its query is
        neither logged nor named in a message.
        """

        def take(response: requests.Response) -> Answer[int]:
            size = 0
            with target.open("wb") as file:
                for chunk in response.iter_content(_CHUNK):
                    size += file.write(chunk)
            return Answer(size, response.status_code, response.headers)

        try:
            return self._retry(call, take, stream=True)
        except BaseException:
            target.unlink(missing_ok=True)
            raise

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._lock:
            for session in self._opened:
                session.close()
            self._opened.clear()

    def _retry(
        self, call: Call, take: Callable[[requests.Response], DecodedT], *, stream: bool
    ) -> DecodedT:
        policy = self._retries
        growing = tenacity.wait_exponential_jitter(
            multiplier=policy.first_wait, max=policy.max_wait, jitter=policy.jitter
        )

        def wait(state: tenacity.RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            asked = error.wait_seconds if isinstance(error, RetryLater) else None
            return growing(state) if asked is None else asked + policy.jitter / 10

        retrying = tenacity.Retrying(
            sleep=self._clock.sleep,
            wait=wait,
            stop=self._must_stop,
            retry=tenacity.retry_if_exception_type(RetryLater),
            reraise=True,
        )
        number = 0

        def once() -> DecodedT:
            nonlocal number
            number += 1
            with _repeated_only_if(call.is_repeatable):
                return self._send(call, take, number, stream=stream)

        return retrying(once)

    def _must_stop(self, state: tenacity.RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome else None
        is_silence = isinstance(error, RetryLater) and error.is_silence
        if state.attempt_number >= self._retries.tries:
            self._is_down = self._is_down or is_silence
            return True
        if self._is_down and is_silence:
            return True
        asked = error.wait_seconds if isinstance(error, RetryLater) else None
        return asked is not None and asked > self._retries.max_asked

    def _send(
        self,
        call: Call,
        take: Callable[[requests.Response], DecodedT],
        number: int,
        *,
        stream: bool,
        may_renew: bool = True,
    ) -> DecodedT:
        bucket = self._limits.bucket(call.operation) if call.operation else None
        if bucket is not None:
            bucket.acquire()
        auth = self._auth if call.is_authorised else None
        sent = auth.headers() if auth else {}
        with self._open(call, sent, stream=stream) as response:
            if response.status_code < _SERVER_ERROR:
                self._is_down = False
            if self._on_answer is not None:
                self._on_answer(response, bucket)
            if (
                auth is not None
                and may_renew
                and response.status_code in (400, 401, 403)
                and auth.is_expired(response)
            ):
                auth.renew(sent)
            else:
                self._raise_for(response, call, bucket, number)
                with _transport_errors(call.subject):
                    return take(response)
        return self._send(call, take, number, stream=stream, may_renew=False)

    @contextmanager
    def _open(
        self, call: Call, sent: Mapping[str, str], *, stream: bool
    ) -> Iterator[requests.Response]:
        url = call.path if "://" in call.path else f"{self._base_url}{call.path}"
        headers = {**(self._headers if call.is_authorised else {}), **call.headers, **sent}
        if self._sign is not None and call.is_authorised:
            headers |= self._sign(call.method, url)
        started = time.perf_counter()
        status: int | str = "no answer"
        try:
            with _transport_errors(call.subject):
                response = self._session().request(
                    call.method,
                    url,
                    params=call.params,
                    json=call.json,
                    data=call.data,
                    headers=headers,
                    timeout=self._timeout,
                    allow_redirects=self._follow_redirects,
                    stream=stream,
                )
            status = response.status_code
        except RetryLater as error:
            error.is_silence = True
            raise
        finally:
            seconds = time.perf_counter() - started
            page = "" if call.page is None else f" page={call.page}"
            logger.info("%s %s %.2fs%s", call.subject, status, seconds, page)
        try:
            yield response
        finally:
            response.close()

    def _raise_for(
        self, response: requests.Response, call: Call, bucket: TokenBucket | None, number: int
    ) -> None:
        error = self._classify(response, call.subject) if self._classify else None
        if error is None:
            error = error_for_status(response.status_code, call.subject)
        if error is None:
            return
        if isinstance(error, RetryLater):
            error.is_silence = response.status_code >= _SERVER_ERROR
            if error.wait_seconds is None:
                error.wait_seconds = self._wait_of(response, number)
        if response.status_code == _TOO_MANY_REQUESTS and isinstance(error, RetryLater):
            error.is_refusal = True
            if bucket is not None:
                bucket.pause(error.wait_seconds or 0.0)
        raise error

    def _wait_of(self, response: requests.Response, number: int) -> float | None:
        if self._asked_wait is not None:
            asked = self._asked_wait(response, number)
            if asked is not None:
                return asked
        return retry_after(response.headers, self._clock)

    def _session(self) -> requests.Session:
        """One session a thread: `requests` does not promise to share one."""
        session = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            session.auth = _keep_as_is  # else a .netrc of the machine would replace our header
            self._local.session = session
            with self._lock:
                self._opened.append(session)
        return session


def _keep_as_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def retry_after(headers: Mapping[str, str], clock: Clock) -> float | None:
    """Seconds that `Retry-After` asks for, as a number or as a date; None when it is not usable."""
    text = headers.get("Retry-After", "").strip()
    if not text:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        when = email.utils.parsedate_to_datetime(text)
        server_now = headers.get("Date")
        now = email.utils.parsedate_to_datetime(server_now) if server_now else clock.now()
        return max(0.0, (when - now).total_seconds())
    except (ValueError, TypeError):
        return None


@contextmanager
def _transport_errors(subject: str) -> Iterator[None]:
    """Failures of the connection as RetryLater; their own messages hold whole addresses."""
    try:
        yield
    except (
        requests.exceptions.ChunkedEncodingError,
        requests.exceptions.ContentDecodingError,
    ) as error:
        raise _cut(subject, type(error).__name__) from None
    except (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema) as error:
        raise StopStream(
            f"{subject} has no usable address ({type(error).__name__}): correct base_url."
        ) from None
    except requests.exceptions.RequestException as error:
        raise RetryLater(
            f"{subject} could not be reached up to the last try ({type(error).__name__}). "
            "Check the network and base_url; the next night goes on from the same place."
        ) from None


@contextmanager
def _repeated_only_if(is_repeatable: bool) -> Iterator[None]:
    """Else what would be tried again becomes LostAnswer, a refusal before any work excepted."""
    try:
        yield
    except RetryLater as error:
        if is_repeatable or error.is_refusal:
            raise
        raise LostAnswer(str(error)) from None


def _cut(subject: str, name: str) -> RetryLater:
    return RetryLater(
        f"{subject} gave a cut or garbled answer up to the last try ({name}). "
        "The next night goes on from the same place."
    )
