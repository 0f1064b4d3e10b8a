"""What a refusal of Walmart means, and the step that helps.

Belongs here: reading status, error envelope and the headers that ask to wait. Does not belong
here: trying again (`sources._core.http`).
An empty list is answered with 404 and a code of the API itself; a path that does not exist with
404 and a code of the gateway in front of it. Metrics without data are answered with 204.
"""

from __future__ import annotations

import contextlib
import email.utils
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import requests

from sources._core.clock import Clock
from sources._core.errors import ConfigurationError, SourceError, StopStream
from sources._core.privacy import redact

LONGEST_ASKED = 600.0

_EMPTY_CODES = ("CONTENT_NOT_FOUND", "NO_CONTENT", "NO_DATA")
_GATEWAY = "GATEWAY"
_NO_PATH = "no static resource"
_REFILL_HEADERS = ("X-Next-Replenishment-Time", "X-Next-Replenish-Time")
_MANY_SECONDS = 1e9  # greater numbers are moments, the greatest of them in milliseconds
_MANY_MILLISECONDS = 1e11
_MAX_SAID = 300


class NothingFoundError(StopStream):
    """There is nothing to give: not a failure."""


class NoSuchPathError(StopStream):
    """The address does not exist, in this market at least."""


class BadRequestError(StopStream):
    """The API does not take the question as it was put."""


class LinkExpiredError(StopStream):
    """The signed link of a file has run out: ask for a new one."""


def error_of_answer(response: requests.Response, subject: str) -> SourceError | None:
    """Walmart's refusals with the step that helps; None leaves it to the default table."""
    status = response.status_code
    if status == 204:
        return NothingFoundError(f"{subject} has no data.")
    if status not in (400, 404, 406):
        return None
    errors = list(errors_in(response.content))
    said = _words(errors)
    if status == 404 and _says_empty(errors):
        return NothingFoundError(f"{subject} found nothing ({said}).")
    if status == 404:
        return NoSuchPathError(
            f"{subject} answered 404 ({said}): the path does not exist there. Check base_url and "
            "the market of the account; if they are right, the API has changed."
        )
    return BadRequestError(
        f"{subject} answered {status} ({said}): Walmart does not take this request. Check market "
        "and start of the account; if they are right, the API has changed."
    )


def error_of_login(account: str, response: requests.Response, subject: str) -> SourceError | None:
    if response.status_code not in (400, 401, 403, 404):
        return None
    said = _words(list(errors_in(response.content)))
    return ConfigurationError(
        f"{subject} answered {response.status_code} ({said}): no access token for account "
        f"{account}. Check the variables of secrets.client_id and secrets.client_secret: both "
        "stand in Walmart's developer portal under API Key Management, for production and for "
        "this market."
    )


def error_of_storage(response: requests.Response, subject: str) -> SourceError | None:
    """A signed link that has run out is refused in many ways."""
    if response.status_code in (400, 401, 403, 404, 410):
        return LinkExpiredError(f"{subject} answered {response.status_code}: the link has run out.")
    return None


def errors_in(content: bytes) -> Iterator[tuple[str, str]]:
    """Code and description of each error of an envelope, whichever of its forms it has."""
    try:
        found: Any = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return
    if isinstance(found, dict):
        found = found.get("errors") or found.get("error") or found
    if isinstance(found, dict):
        found = found.get("error") or [found]
    for error in found if isinstance(found, list) else [found]:
        if isinstance(error, dict):
            yield str(error.get("code") or ""), str(error.get("description") or "")


def _words(errors: list[tuple[str, str]]) -> str:
    parts = [" ".join(filter(None, error)) for error in errors]
    return redact("; ".join(filter(None, parts)))[:_MAX_SAID] or "no reason given"


def _says_empty(errors: list[tuple[str, str]]) -> bool:
    """By the code: the gateway's own means that it knows no such path."""
    return any(
        any(word in code.upper() for word in _EMPTY_CODES)
        and _GATEWAY not in code.upper()
        and _NO_PATH not in description.lower()
        for code, description in errors
    )


def refill_wait(response: requests.Response, clock: Clock) -> float | None:
    """Seconds until the bucket of a refused request holds a token again; None where not told.

    Told as seconds, as milliseconds since 1970 or as ISO text; a moment is measured from the
    answer's own date where it has one, else from the clock.
    """
    if response.status_code != 429:
        return None
    text = next((response.headers[n] for n in _REFILL_HEADERS if n in response.headers), "")
    told = _seconds_or_moment(text.strip())
    if told is None:
        return None
    if isinstance(told, float):
        return min(told, LONGEST_ASKED) if told >= 0 else None
    waits = [(told - now).total_seconds() for now in _nows(response, clock)]
    ahead = [wait for wait in waits if wait >= 0]
    return min(*ahead, LONGEST_ASKED) if ahead else None


def _seconds_or_moment(text: str) -> float | datetime | None:
    try:
        number = float(text)
    except ValueError:
        return _iso(text)
    if not number < float("inf"):
        return None
    if number < _MANY_SECONDS:
        return number
    try:
        return datetime.fromtimestamp(number / (1_000 if number > _MANY_MILLISECONDS else 1), UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _iso(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _nows(response: requests.Response, clock: Clock) -> Iterator[datetime]:
    with contextlib.suppress(ValueError, TypeError):
        sent = email.utils.parsedate_to_datetime(response.headers.get("Date", ""))
        yield sent if sent.tzinfo else sent.replace(tzinfo=UTC)
    yield clock.now()
