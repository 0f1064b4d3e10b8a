"""What a refusal of Amazon means, and the step that helps.

Belongs here: reading status, error envelope and login errors. Does not belong here: trying again
(`sources._core.http`).
"""

from __future__ import annotations

import msgspec
import requests

from sources._core.errors import ConfigurationError, RetryLater, SourceError, StopStream

from .answers import errors_in, words_of


class NotFoundError(StopStream):
    """The API knows no such report or document (any more)."""


class PageTokenError(StopStream):
    """The page token is not valid (any more): begin the window again."""


class LinkExpiredError(StopStream):
    """The signed link of a document has run out: ask for a new one."""


def says_token_expired(response: requests.Response) -> bool:
    """A 403 (or 401) whose message or details say that the access token has run out."""
    if response.status_code not in (401, 403):
        return False
    words = " ".join(text for _code, text in errors_in(response.content)).lower()
    return "access token" in words and "expired" in words


def error_of_answer(response: requests.Response, subject: str) -> SourceError | None:
    """Amazon's refusals with the step that helps; None leaves it to the default table."""
    status = response.status_code
    if status < 400 or status == 429 or status >= 500:
        return None
    said = words_of(errors_in(response.content)) or "no reason given"
    if status == 403:
        return ConfigurationError(
            f"{subject} answered 403 ({said}). The application lacks the role for it, the seller "
            "did not authorise it, or base_url is of another region: run `aftersales "
            "check-config`, which says for each stream which role it needs."
        )
    if status == 404:
        return NotFoundError(f"{subject} answered 404 ({said}): Amazon keeps it 90 days at most.")
    if status == 400 and "token" in said.lower() and "paginat" in said.lower():
        return PageTokenError(f"{subject} refused its page token ({said}).")
    if status == 400 and "includeddata" in said.lower():
        return RetryLater(f"{subject} refused includedData ({said}), as it does for a while.")
    if status == 400:
        return StopStream(
            f"{subject} answered 400 ({said}). Check marketplaces and start of the account; if "
            "they are right, the API has changed and the connector has to be adapted."
        )
    return None


def error_of_storage(response: requests.Response, subject: str) -> SourceError | None:
    if response.status_code in (400, 403, 404, 410):
        return LinkExpiredError(f"{subject} answered {response.status_code}: the link has run out.")
    return None


def login_code(response: requests.Response) -> str:
    try:
        return str(msgspec.json.decode(response.content)["error"])[:60]
    except (msgspec.DecodeError, KeyError, TypeError):
        return f"status {response.status_code}"
