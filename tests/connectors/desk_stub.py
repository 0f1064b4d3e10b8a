"""Hand-written APIs of service desks and review apps: one function a path, every request kept.

Belongs here: what the tests of connectors `helpdesk` and `reviews` share. Does not belong here: the
answers of one vendor (the tests beside this).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pydantic
import requests
import responses

from sources._core.clock import ManualClock
from sources._core.connector import AccountSettings, Connector
from sources._core.extract import StreamOutcome
from sources._core.testing import raw_tables, run_night

NOW = datetime(2026, 3, 20, tzinfo=UTC)
START = date(2026, 3, 1)
BASE = "https://stub.example"
Answer = tuple[int, Mapping[str, str], Any]


@dataclass(frozen=True)
class Asked:
    """One request: path, query, headers, body."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: str = ""


Handler = Callable[[Asked], Any]


@dataclass
class StubApi:
    """Answers by path (the longest beginning wins); a handler gives a body, or a whole Answer."""

    handlers: dict[str, Handler] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def queries(self, path: str) -> list[Mapping[str, str]]:
        return [asked.query for asked in self.asked if asked.path == path]

    @contextmanager
    def running(self) -> Iterator[None]:
        with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
            for method in ("GET", "POST"):
                mock.add_callback(method, re.compile(re.escape(BASE)), self._answer)
            yield

    def _answer(self, request: requests.PreparedRequest) -> tuple[int, Mapping[str, str], str]:
        parts = urlsplit(request.url or "")
        body = request.body or ""
        asked = Asked(
            parts.path,
            dict(parse_qsl(str(parts.query))),
            dict(request.headers),
            body.decode() if isinstance(body, bytes) else body,
        )
        self.asked.append(asked)
        fitting = [path for path in self.handlers if asked.path.startswith(path)]
        if not fitting:
            return 404, {}, '{"error":"RecordNotFound"}'
        found = self.handlers[max(fitting, key=len)](asked)
        status, headers, content = found if isinstance(found, tuple) else (200, {}, found)
        return status, headers, json.dumps(content)


def account(connector: Connector, **values: Any) -> AccountSettings:
    secrets = {
        name: pydantic.SecretStr(f"secret-{name}") for name in connector.settings.secret_names
    }
    secrets["customer_key"] = pydantic.SecretStr("customer-key")
    given = {
        "connector": connector.name, "name": "desk", "start": START, "base_url": BASE,
        "secrets": secrets,
    }  # fmt: skip
    return connector.settings.model_validate({**given, **values})


@dataclass
class Reading:
    """What one night brought."""

    outcomes: Mapping[str, StreamOutcome]
    tables: Mapping[str, Mapping[str, Mapping[str, Any]]]
    clock: ManualClock

    def rows(self, stream: str) -> list[Mapping[str, Any]]:
        return list(self.tables.get(stream, {}).values())

    def error(self, stream: str) -> str:
        return self.outcomes[stream].error or ""


def read(
    connector: Connector,
    api: StubApi,
    landing: Path,
    now: datetime = NOW,
    **values: Any,
) -> Reading:
    """A night of one account."""
    clock = ManualClock(now)
    own = account(connector, **values)
    with api.running():
        outcomes = run_night(connector, own, landing, clock)
    tables = {
        stream: table
        for (name, stream), table in raw_tables(connector, landing).items()
        if name == own.name
    }
    return Reading({o.stream: o for o in outcomes}, tables, clock)
