"""Review apps as the sandbox answers for them, from the sheet and the vendors' own pages.

Belongs here: who asks, which vendor answers, failing answers. The connector is not known here, on
purpose: both read the sheet, and a misunderstanding of one shows.

One server answers for all accounts; the secret picks the account, the account its vendor.
"""

from __future__ import annotations

from dataclasses import replace

from sources._sandbox.api_faults import SLOW_ANSWER_S, ApiFaults, SourceFaults, source_faults
from sources._sandbox.server import Environment, Request, Response

from .answers import Object, RefusedError, naive
from .snapshot import Apps
from .vendors import VENDORS, JudgeMe, Okendo, Yotpo


class Shown:
    """Pages as they go out: now and then out of order, a record twice, a field changed."""

    def __init__(self, faults: ApiFaults, source: SourceFaults, environment: Environment) -> None:
        self._faults, self._source, self._clock = faults, source, environment.clock

    def page(self, account: str, stream: str, key: str, rows: list[Object]) -> list[Object]:
        if rows and self._faults.strikes("out_of_order", stream, account, rows[0][key]):
            rows = rows[::-1]
        twice = [r for r in rows if self._faults.strikes("duplicate_record", stream, r[key])]
        rows = [*rows, *twice]
        for name in (stream, "reviews"):
            for drift in self._source.drifts_of(name, self._clock):
                rows = [drifted(row, drift.change, drift.field) for row in rows]
        return rows


def drifted(row: Object, change: str, name: str) -> Object:
    """A record in which the API has changed a field."""
    if change == "add":
        return row | {name: "new"}
    rest = {key: value for key, value in row.items() if key != name}
    if name not in row or change == "drop":
        return rest
    if change == "rename":
        return rest | {f"{name}_new": row[name]}
    return rest | {name: [row[name]]}


class ReviewsSandbox:
    """The review apps of a scenario."""

    def __init__(self, environment: Environment) -> None:
        scenario, self._clock = environment.scenario, environment.clock
        self._source_faults = source_faults("reviews", scenario.faults)
        self._faults = ApiFaults(scenario.seed, scenario.api.shares)
        shown = Shown(self._faults, self._source_faults, environment)
        self._apps = Apps(environment.world)
        self._vendors: list[JudgeMe | Yotpo | Okendo] = [
            VENDORS[account.provider or "judge_me"](account.name, shown)
            for account in scenario.accounts
            if account.connector == "reviews"
        ]

    def handle(self, request: Request) -> Response:
        if self._source_faults.is_refusing(self._clock):
            return Response(503, is_dropped=True)
        try:
            for vendor in self._vendors:
                if vendor.is_meant(request):
                    return self._troubled(vendor, request)
        except RefusedError as refusal:
            return refusal.response
        return RefusedError(401, {"error": "Unauthorized"}).response

    def _troubled(self, vendor: JudgeMe | Yotpo | Okendo, request: Request) -> Response:
        if self._source_faults.is_out(self._clock, vendor.account):
            raise RefusedError(503, {"error": "Service unavailable"})
        fault = self._faults.next_fault(f"{vendor.account} {request.path} {request.content}")
        if fault == "http_503":
            raise RefusedError(503, {"error": "Service unavailable"})
        if fault == "http_429":
            raise RefusedError(429, {"error": "Too many requests"}, **{"Retry-After": "0"})
        app = self._apps.at(vendor.account, naive(self._clock.now()))
        response = vendor.answer(app, request)
        if fault == "truncated" and response.body:
            return replace(response, is_truncated=True)
        return replace(response, delay_s=SLOW_ANSWER_S) if fault == "slow" else response


def create_app(environment: Environment) -> ReviewsSandbox:
    return ReviewsSandbox(environment)
