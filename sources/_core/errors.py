"""Errors of reading a source, named by what to do next.

Belongs here: the classes, and the default meaning of an HTTP status. Does not belong here: the
meaning of one API's error codes (that connector's `client.py`) and the retrying itself (`http.py`).
"""

from __future__ import annotations


class SourceError(Exception):
    """Base of all. The message names what failed and the next step, never a secret or a value."""


class ConfigurationError(SourceError):
    """A person must change a setting, a credential or a right; trying again does not help."""


class RetryLater(SourceError):
    """The source is busy or broken for the moment. `wait_seconds` is the wait it asked for.

    `is_refusal`: it said before doing anything that it will not (too many requests).
    `is_silence`: no answer came, or only that of a server that is broken.
    """

    def __init__(self, message: str, wait_seconds: float | None = None) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds
        self.is_refusal = False
        self.is_silence = False


class StopStream(SourceError):
    """This stream cannot go on tonight; what has landed stays and the other streams go on."""


class LostAnswer(SourceError):
    """A request that must not be sent twice may have been taken although no answer came.

    Raised for a `Call` that is not `is_repeatable`: look first whether the source did it.
    """


class GarbledAnswer(Exception):
    """Raised by a function that decodes a body which is cut or garbled: it is asked for again."""


class SkipRecord(SourceError):
    """One record is held back and counted under `reason`; the stream goes on.

    `record_reference` is a key or a place (page and position), never the content.
    """

    def __init__(self, reason: str, what_to_do: str, record_reference: str = "") -> None:
        super().__init__(f"{reason}: {what_to_do}")
        self.reason = reason
        self.what_to_do = what_to_do
        self.record_reference = record_reference


_TOO_MANY_REQUESTS = 429
_REQUEST_TIMEOUT = 408


def error_for_status(
    status: int, subject: str, wait_seconds: float | None = None
) -> SourceError | None:
    """The default table; None for 2xx. `subject` is method and path, without the query."""
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return ConfigurationError(
            f"{subject} answered {status}: the address moved. Correct base_url of the account."
        )
    if status in (401, 403):
        return ConfigurationError(
            f"{subject} answered {status}: not allowed. Check the account's secrets, its rights "
            "and that base_url is the one of its region, then run `aftersales check-config`."
        )
    if status == _TOO_MANY_REQUESTS:
        return RetryLater(
            f"{subject} answered 429 (too many requests) up to the last try. "
            "The next night goes on from the same place.",
            wait_seconds,
        )
    if status == _REQUEST_TIMEOUT or status >= 500:
        return RetryLater(
            f"{subject} answered {status} up to the last try. The source is in trouble; "
            "the next night goes on from the same place.",
            wait_seconds,
        )
    return StopStream(
        f"{subject} answered {status}: the source does not accept this request. "
        "Check the marketplaces and start date of the account; else the API has changed."
    )
