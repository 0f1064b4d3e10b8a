"""The class of an error says what to do next."""

from __future__ import annotations

import pytest

from sources._core.errors import (
    ConfigurationError,
    RetryLater,
    SourceError,
    StopStream,
    error_for_status,
)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, ConfigurationError),
        (400, StopStream),
        (401, ConfigurationError),
        (403, ConfigurationError),
        (404, StopStream),
        (405, StopStream),
        (408, RetryLater),
        (415, StopStream),
        (429, RetryLater),
        (500, RetryLater),
        (503, RetryLater),
    ],
)
def test_the_class_says_what_to_do_next(status: int, kind: type[SourceError]) -> None:
    error = error_for_status(status, "GET /orders", wait_seconds=None)
    assert type(error) is kind
    assert str(status) in str(error)
    assert "GET /orders" in str(error)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_good_answers_are_no_error(status: int) -> None:
    assert error_for_status(status, "GET /orders") is None
